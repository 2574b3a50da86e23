/* SPDX-License-Identifier: MIT */
/*
 * The keys for people: fips.yaml(5) is made of the table that parses and
 * checks the file, and of a sentence for each key.
 */
#ifndef FIPSD_CONFIG_DOC_H
#define FIPSD_CONFIG_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/**
 * struct fips_config_doc - what one key means
 * @path: full name; "*" for an instance's name and for an element of a list
 * @text: sentence, reStructuredText
 */
struct fips_config_doc {
	const char *path;
	const char *text;
};

const struct fips_config_doc *fips_config_docs(size_t *n);

/* The sentence for a key or section, or NULL. */
const char *fips_config_doc(const char *path);

/**
 * fips_config_each_key() - walk the key table in its order
 * @fn: gets the full name; @section: it holds further keys
 * @arg: passed to @fn
 */
void fips_config_each_key(void (*fn)(void *arg, const char *path, bool section), void *arg);

/* All keys as the body of the manual page. */
void fips_config_man(FILE *out);

#endif /* FIPSD_CONFIG_DOC_H */
