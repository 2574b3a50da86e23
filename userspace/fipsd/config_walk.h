/* SPDX-License-Identifier: MIT */
/*
 * From a YAML document to the struct. Private to config*.c.
 */
#ifndef FIPSD_CONFIG_WALK_H
#define FIPSD_CONFIG_WALK_H

#include "config_table.h"

/**
 * struct cfg_walk - one walk over one document
 * @cfg: filled
 * @rep: messages
 * @doc: document
 * @file: its path, owned by @cfg
 * @budget: steps left
 * @exhausted: the message about @budget was written
 * @path: of the key at hand, "peers[0].npub"
 */
struct cfg_walk {
	struct fips_config *cfg;
	struct fips_report *rep;
	yaml_document_t *doc;
	const char *file;
	size_t budget;
	bool exhausted;
	char path[256];
};

void cfg_walk_document(struct cfg_walk *w);

#endif /* FIPSD_CONFIG_WALK_H */
