// SPDX-License-Identifier: MIT
/*
 * Arrays of mappings: peers, addresses, and the instances of a transport, which
 * come in two forms (spec 12 §4.2).
 */
#include <stdlib.h>
#include <string.h>

#include "config_walk.h"

/* One element of an array. It joins the array even when flawed: its fields stay checkable. */
static void walk_elem(struct cfg_walk *w, const struct cfg_section *sec, const char *name,
		      struct fips_cfg_array *array, const yaml_node_t *node)
{
	struct fips_cfg_elem *e = calloc(1, sec->size);

	if (!e || cfg_defaults(sec, e) || (name && cfg_set_string(&e->name, name, strlen(name))))
		goto fail;
	e->uid = cfg_marks_uid(w->cfg);
	cfg_node_mark(w, node, &e->mark);
	cfg_walk_section(w, sec, e, e->uid, node);
	if (cfg_array_push(sec, array, e))
		goto fail;
	free(e);
	return;
fail:
	cfg_no_memory(w, node);
	if (e)
		cfg_release(sec, e);
	free(e);
}

void cfg_walk_elems(struct cfg_walk *w, const struct cfg_key *key, void *base,
		    const yaml_node_t *node)
{
	struct fips_cfg_array *array = (void *)((char *)base + key->off);
	yaml_node_item_t *item;
	size_t i = 0;

	if (node->type != YAML_SEQUENCE_NODE && !cfg_node_is_empty(node)) {
		cfg_wrong(w, key, node);
		return;
	}
	cfg_array_clear(key->sub, array);
	if (node->type != YAML_SEQUENCE_NODE)
		return;
	for (item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++) {
		const yaml_node_t *entry = cfg_node(w, *item);
		size_t old = cfg_path_index(w, i++);

		if (!cfg_spend(w, entry))
			return;
		if (entry->type == YAML_MAPPING_NODE)
			walk_elem(w, key->sub, NULL, array, entry);
		else
			cfg_complain(w, FIPS_REPORT_ERROR, entry, "expected a mapping");
		cfg_path_pop(w, old);
	}
}

/* ---- transports: one instance, or named ones (spec 12 §4.2) ---- */

static struct fips_cfg_elem *elem_named(const struct cfg_section *sec,
					const struct fips_cfg_array *array, const char *name)
{
	size_t i;

	for (i = 0; i < array->n; i++) {
		struct fips_cfg_elem *e = (void *)((char *)array->v + i * sec->size);

		if (e->name && !strcmp(e->name, name))
			return e;
	}
	return NULL;
}

/* Of two instances with one name the last wins. */
static void drop_named(const struct cfg_section *sec, struct fips_cfg_array *array,
		       const char *name)
{
	char *e = (char *)elem_named(sec, array, name);
	char *end;

	if (!e)
		return;
	end = (char *)array->v + array->n * sec->size;
	cfg_release(sec, e);
	memmove(e, e + sec->size, (size_t)(end - e) - sec->size);
	array->n--;
}

static bool name_of(const yaml_node_t *node, struct cfg_scalar *s)
{
	if (node->type != YAML_SCALAR_NODE)
		return false;
	cfg_scalar_of(node, s);
	return !cfg_is_typed(s) && !memchr(s->text, 0, s->len);
}

static void walk_named(struct cfg_walk *w, const struct cfg_section *sec,
		       struct fips_cfg_array *array, const yaml_node_t *node)
{
	yaml_node_pair_t *pair;

	for (pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *name = cfg_node(w, pair->key);
		const yaml_node_t *value = cfg_node(w, pair->value);
		struct cfg_scalar s;
		size_t old;

		if (!cfg_spend(w, name))
			return;
		if (!name_of(name, &s)) {
			cfg_complain(w, FIPS_REPORT_ERROR, name,
				     "the name of an instance must be text");
			continue;
		}
		old = cfg_path_key(w, s.text);
		if (value->type == YAML_MAPPING_NODE) {
			drop_named(sec, array, s.text);
			walk_elem(w, sec, s.text, array, value);
		} else {
			cfg_complain(w, FIPS_REPORT_ERROR, value,
				     "expected an instance, a mapping");
		}
		cfg_path_pop(w, old);
	}
}

/* Which form did the writer mean? Only asked when neither fits. */
static bool looks_named(struct cfg_walk *w, const yaml_node_t *node)
{
	yaml_node_pair_t *pair = node->data.mapping.pairs.start;

	for (; pair < node->data.mapping.pairs.top; pair++)
		if (cfg_node(w, pair->value)->type != YAML_MAPPING_NODE)
			return false;
	return node->data.mapping.pairs.start != node->data.mapping.pairs.top;
}

void cfg_walk_instances(struct cfg_walk *w, const struct cfg_key *key, void *base,
			const yaml_node_t *node)
{
	struct fips_cfg_array *array = (void *)((char *)base + key->off);
	struct fips_cfg_array single = { 0 }, named = { 0 };
	struct fips_report *rep = w->rep, *one, *many;
	bool use_named;

	if (node->type != YAML_MAPPING_NODE) {
		cfg_wrong(w, key, node);
		return;
	}
	one = calloc(2, sizeof(*one));
	if (!one) {
		cfg_no_memory(w, node);
		return;
	}
	many = one + 1;
	w->rep = one;
	walk_elem(w, key->sub, NULL, &single, node);
	w->rep = many;
	if (one->errors)
		walk_named(w, key->sub, &named, node);
	w->rep = rep;
	use_named = one->errors && (!many->errors || looks_named(w, node));
	cfg_array_clear(key->sub, use_named ? &single : &named);
	cfg_array_clear(key->sub, array);
	*array = use_named ? named : single;
	fips_report_clear(use_named ? one : many);
	fips_report_join(rep, use_named ? many : one);
	free(one);
}
