/* SPDX-License-Identifier: MIT */
/*
 * Messages of a configuration run, collected so that a person sees all the
 * mistakes of a file at once, in the order of the file.
 */
#ifndef FIPSD_CONFIG_REPORT_H
#define FIPSD_CONFIG_REPORT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#define FIPS_REPORT_MAX		64	/* kept; the rest is only counted */

enum fips_severity {
	FIPS_REPORT_NOTE,	/* "loaded", "known but not yet in force" */
	FIPS_REPORT_WARNING,
	FIPS_REPORT_ERROR,
};

/**
 * struct fips_message - one line
 * @severity: how bad
 * @text: "file:line:column: key: what is wrong; what would be right"
 * @line: of the file, from 1; 0 when it is about the file or the whole
 * @col: from 1
 */
struct fips_message {
	enum fips_severity severity;
	unsigned int line;
	unsigned int col;
	char *text;
};

struct fips_report {
	struct fips_message msg[FIPS_REPORT_MAX];
	size_t count;
	size_t dropped;
	size_t errors;
};

struct fips_cfg_mark;

/**
 * fips_report_add() - add a message
 * @rep: report
 * @severity: how bad
 * @at: where, or NULL
 * @key: full path of the key, or NULL
 * @fmt: sentence without a full stop
 */
void fips_report_add(struct fips_report *rep, enum fips_severity severity,
		     const struct fips_cfg_mark *at, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Move the messages of @from behind those of @rep. */
void fips_report_join(struct fips_report *rep, struct fips_report *from);
void fips_report_clear(struct fips_report *rep);

/* Print what is at least as bad as @least: "error: …" lines. */
void fips_report_print(const struct fips_report *rep, enum fips_severity least, FILE *out);

#endif /* FIPSD_CONFIG_REPORT_H */
