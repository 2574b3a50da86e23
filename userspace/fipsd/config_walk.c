// SPDX-License-Identifier: MIT
/*
 * Walk a YAML document along the key table and fill the struct. Every mistake
 * is reported and the walk goes on, so that one run shows them all.
 */
#include <string.h>

#include "config_walk.h"

/* ---- mappings ---- */

static void walk_map(struct cfg_walk *w, const struct cfg_key *key, void *base, u32 uid,
		     const yaml_node_t *node)
{
	if (cfg_node_is_empty(node) || (key->flags & CFG_OPT && cfg_node_is_null(node)))
		return;
	if (node->type != YAML_MAPPING_NODE) {
		cfg_wrong(w, key, node);
		return;
	}
	if (key->flags & CFG_LEGACY)
		cfg_complain(w, FIPS_REPORT_WARNING, node,
			     "old name; use node.lookup and node.rendezvous instead");
	if (key->flags & CFG_RESET) {
		cfg_release(key->sub, base);
		if (cfg_defaults(key->sub, base)) {
			cfg_no_memory(w, node);
			return;
		}
	}
	if (key->present)
		*(bool *)((char *)base + key->present) = true;
	cfg_walk_section(w, key->sub, base, uid, node);
}

static void walk_value(struct cfg_walk *w, const struct cfg_section *sec,
		       const struct cfg_key *key, void *base, u32 uid, const yaml_node_t *node)
{
	struct fips_cfg_mark at;

	cfg_node_mark(w, node, &at);
	if (key->type != CFG_MAP)
		cfg_marks_set(w->cfg, uid, key->off, &at);
	if (key->flags & CFG_LATER && !cfg_node_is_empty(node))
		cfg_complain(w, FIPS_REPORT_NOTE, node, "known, but not in force in this version");
	switch (key->type) {
	case CFG_MAP:
		walk_map(w, key, base, uid, node);
		break;
	case CFG_ELEMS:
		cfg_walk_elems(w, key, base, node);
		break;
	case CFG_INSTANCES:
		cfg_walk_instances(w, key, base, node);
		break;
	case CFG_STRLIST:
	case CFG_U64LIST:
		cfg_walk_list(w, key, base, node);
		break;
	default:
		cfg_walk_scalar(w, key, sec->typed, base, node);
		break;
	}
}

static const struct cfg_key *key_find(const struct cfg_section *sec, const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < sec->n; i++) {
		const struct cfg_key *key = &sec->keys[i];

		if (strlen(key->name) == len && !memcmp(key->name, name, len))
			return key;
		if (key->alias && strlen(key->alias) == len && !memcmp(key->alias, name, len))
			return key;
	}
	return NULL;
}

/* Edit distance, for the likes of "bind_adr". */
static size_t distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b), row[64], i, j;

	if (la >= 64 || lb >= 64)
		return 64;
	for (j = 0; j <= lb; j++)
		row[j] = j;
	for (i = 1; i <= la; i++) {
		size_t diag = row[0];

		row[0] = i;
		for (j = 1; j <= lb; j++) {
			size_t best = diag + (a[i - 1] != b[j - 1]);

			diag = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[lb];
}

static void unknown_key(struct cfg_walk *w, const struct cfg_section *sec, const yaml_node_t *node,
			const char *name)
{
	enum fips_severity severity = sec->strict ? FIPS_REPORT_ERROR : FIPS_REPORT_WARNING;
	const char *best = NULL;
	size_t i, old, least = 3;

	for (i = 0; i < sec->n; i++) {
		size_t d = distance(name, sec->keys[i].name);

		if (d < least && d < strlen(name)) {
			least = d;
			best = sec->keys[i].name;
		}
	}
	old = cfg_path_key(w, name);
	if (best)
		cfg_complain(w, severity, node, "unknown key%s; did you mean %s?",
			     sec->strict ? "" : ", ignored", best);
	else
		cfg_complain(w, severity, node, "unknown key%s", sec->strict ? "" : ", ignored");
	cfg_path_pop(w, old);
}

static void walk_pair(struct cfg_walk *w, const struct cfg_section *sec, void *base, u32 uid,
		      const yaml_node_pair_t *pair, bool legacy, u64 *seen)
{
	const yaml_node_t *name = cfg_node(w, pair->key);
	const struct cfg_key *key;
	const char *text;
	size_t old, i;

	if (name->type != YAML_SCALAR_NODE) {
		if (!legacy)
			cfg_complain(w, FIPS_REPORT_ERROR, name, "a key must be text");
		return;
	}
	text = (const char *)name->data.scalar.value;
	key = key_find(sec, text, name->data.scalar.length);
	if (!key) {
		if (!legacy)
			unknown_key(w, sec, name, text);
		return;
	}
	if (!(key->flags & CFG_LEGACY) == legacy)
		return;
	old = cfg_path_key(w, text);
	i = (size_t)(key - sec->keys);
	if (*seen & (u64)1 << i)
		cfg_complain(w, FIPS_REPORT_ERROR, name, "given twice");
	else
		walk_value(w, sec, key, base, uid, cfg_node(w, pair->value));
	*seen |= (u64)1 << i;
	cfg_path_pop(w, old);
}

void cfg_walk_section(struct cfg_walk *w, const struct cfg_section *sec, void *base, u32 uid,
		      const yaml_node_t *node)
{
	yaml_node_pair_t *pair, *end = node->data.mapping.pairs.top;
	u64 seen = 0;
	int legacy;
	size_t i;

	for (legacy = 0; legacy < 2; legacy++)
		for (pair = node->data.mapping.pairs.start; pair < end; pair++) {
			if (!cfg_spend(w, node))
				return;
			walk_pair(w, sec, base, uid, pair, legacy, &seen);
		}
	for (i = 0; i < sec->n; i++)
		if (sec->keys[i].flags & CFG_REQUIRED && !(seen & (u64)1 << i)) {
			size_t old = cfg_path_key(w, sec->keys[i].name);

			cfg_complain(w, FIPS_REPORT_ERROR, node, "missing");
			cfg_path_pop(w, old);
		}
}

void cfg_walk_document(struct cfg_walk *w)
{
	yaml_node_t *root = yaml_document_get_root_node(w->doc);
	struct fips_cfg_mark at = { .file = w->file };

	w->budget = 100 * (size_t)(w->doc->nodes.top - w->doc->nodes.start + 100);
	if (!root || cfg_node_is_empty(root))
		return;
	if (root->type != YAML_MAPPING_NODE) {
		fips_report_add(w->rep, FIPS_REPORT_ERROR, &at, NULL,
				"expected a mapping: node, tun, dns, transports, peers");
		return;
	}
	cfg_walk_section(w, &fips_cfg_root, w->cfg, 0, root);
}
