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

/* config_walk.c: @node is a mapping; @base is the root or an element with @uid. */
void cfg_walk_section(struct cfg_walk *w, const struct cfg_section *sec, void *base, u32 uid,
		      const yaml_node_t *node);

/* config_field.c */
void cfg_walk_scalar(struct cfg_walk *w, const struct cfg_key *key, bool typed, void *base,
		     const yaml_node_t *node);
void cfg_walk_list(struct cfg_walk *w, const struct cfg_key *key, void *base,
		   const yaml_node_t *node);

/* config_elems.c */
void cfg_walk_elems(struct cfg_walk *w, const struct cfg_key *key, void *base,
		    const yaml_node_t *node);
void cfg_walk_instances(struct cfg_walk *w, const struct cfg_key *key, void *base,
			const yaml_node_t *node);

/* config_say.c */
void cfg_complain(struct cfg_walk *w, enum fips_severity severity, const yaml_node_t *node,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* "X is not accepted here; expected …" */
void cfg_wrong(struct cfg_walk *w, const struct cfg_key *key, const yaml_node_t *node);
void cfg_no_memory(struct cfg_walk *w, const yaml_node_t *node);
/* Each returns what cfg_path_pop() takes. */
size_t cfg_path_key(struct cfg_walk *w, const char *name);
size_t cfg_path_index(struct cfg_walk *w, size_t index);
void cfg_path_pop(struct cfg_walk *w, size_t old);
/* One step; false when the walk must end. */
bool cfg_spend(struct cfg_walk *w, const yaml_node_t *node);

yaml_node_t *cfg_node(struct cfg_walk *w, int id);
void cfg_node_mark(const struct cfg_walk *w, const yaml_node_t *node, struct fips_cfg_mark *at);
void cfg_scalar_of(const yaml_node_t *node, struct cfg_scalar *s);
bool cfg_node_is_empty(const yaml_node_t *node);
bool cfg_node_is_null(const yaml_node_t *node);

#endif /* FIPSD_CONFIG_WALK_H */
