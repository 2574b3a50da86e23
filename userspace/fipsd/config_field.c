// SPDX-License-Identifier: MIT
/*
 * Scalars and plain lists: from the text of a node to a member of the struct.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config_walk.h"

static int store_uint(const struct cfg_key *key, const struct cfg_scalar *s, void *field)
{
	u64 v;

	if (cfg_uint(s, key->max, &v) || v < key->min)
		return -EINVAL;
	if (key->type == CFG_U8)
		*(u8 *)field = (u8)v;
	else if (key->type == CFG_U16)
		*(u16 *)field = (u16)v;
	else if (key->type == CFG_U32)
		*(u32 *)field = (u32)v;
	else
		*(u64 *)field = v;
	return 0;
}

static int store_float(const struct cfg_key *key, const struct cfg_scalar *s, void *field)
{
	double v;

	if (cfg_float(s, &v) || !isfinite(v))
		return -EINVAL;
	if (key->flags & (CFG_POSITIVE | CFG_FRACTION) && v <= 0)
		return -EINVAL;
	if (key->flags & CFG_FRACTION && v > 1)
		return -EINVAL;
	*(double *)field = v;
	return 0;
}

static int store_enum(const struct cfg_key *key, const struct cfg_scalar *s, void *field)
{
	u8 i;

	for (i = 0; key->words[i]; i++)
		if (strlen(key->words[i]) == s->len && !memcmp(key->words[i], s->text, s->len)) {
			*(u8 *)field = i;
			return 0;
		}
	return -EINVAL;
}

static int store_scalar(const struct cfg_key *key, const struct cfg_scalar *s, bool typed,
			void *field)
{
	switch (key->type) {
	case CFG_BOOL:
		return cfg_bool(s, field);
	case CFG_F64:
		return store_float(key, s, field);
	case CFG_ENUM:
		return store_enum(key, s, field);
	case CFG_STR:
		if ((typed && cfg_is_typed(s)) || memchr(s->text, 0, s->len))
			return -EINVAL;
		return cfg_set_string(field, s->text, s->len);
	default:
		return store_uint(key, s, field);
	}
}

/* Back to the default, freeing what was there. */
static int restore(const struct cfg_key *key, void *base)
{
	const struct cfg_section one = { .keys = key, .n = 1 };

	cfg_release(&one, base);
	return cfg_defaults(&one, base);
}

void cfg_walk_scalar(struct cfg_walk *w, const struct cfg_key *key, bool typed, void *base,
		     const yaml_node_t *node)
{
	struct cfg_scalar s;
	int ret;

	if (node->type != YAML_SCALAR_NODE) {
		cfg_wrong(w, key, node);
		return;
	}
	cfg_scalar_of(node, &s);
	if ((key->flags & (CFG_OPT | CFG_AUTO) && cfg_is_null(&s)) ||
	    (key->flags & CFG_AUTO && !s.len))
		ret = restore(key, base);
	else
		ret = store_scalar(key, &s, typed, (char *)base + key->off);
	if (ret == -ENOMEM)
		cfg_no_memory(w, node);
	else if (ret)
		cfg_wrong(w, key, node);
}

static int push_string(struct fips_cfg_strlist *list, const struct cfg_scalar *s)
{
	char **v;

	if (memchr(s->text, 0, s->len))
		return -EINVAL;
	v = realloc(list->v, (list->n + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	list->v = v;
	v[list->n] = NULL;
	if (cfg_set_string(&v[list->n], s->text, s->len))
		return -ENOMEM;
	list->n++;
	return 0;
}

static int push_number(struct fips_cfg_u64list *list, const struct cfg_scalar *s)
{
	u64 *v, number;

	if (cfg_uint(s, ~(u64)0, &number))
		return -EINVAL;
	v = realloc(list->v, (list->n + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	list->v = v;
	v[list->n++] = number;
	return 0;
}

/* A list in the file replaces the one before. */
void cfg_walk_list(struct cfg_walk *w, const struct cfg_key *key, void *base,
		   const yaml_node_t *node)
{
	const struct cfg_section one = { .keys = key, .n = 1 };
	void *field = (char *)base + key->off;
	yaml_node_item_t *item;

	if (node->type != YAML_SEQUENCE_NODE && !cfg_node_is_empty(node)) {
		cfg_wrong(w, key, node);
		return;
	}
	cfg_release(&one, base);
	if (node->type == YAML_SEQUENCE_NODE)
		for (item = node->data.sequence.items.start; item < node->data.sequence.items.top;
		     item++) {
			const yaml_node_t *entry = cfg_node(w, *item);
			struct cfg_scalar s;
			int ret = -EINVAL;

			if (!cfg_spend(w, entry))
				return;
			if (entry->type == YAML_SCALAR_NODE) {
				cfg_scalar_of(entry, &s);
				ret = key->type == CFG_STRLIST ? push_string(field, &s) :
								 push_number(field, &s);
			}
			if (ret)
				cfg_wrong(w, key, entry);
		}
	if (key->flags & CFG_NONEMPTY && !((struct fips_cfg_u64list *)field)->n)
		cfg_wrong(w, key, node);
}
