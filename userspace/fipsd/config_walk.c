// SPDX-License-Identifier: MIT
/*
 * Walk a YAML document along the key table and fill the struct. Every mistake
 * is reported and the walk goes on, so that one run shows them all.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config_walk.h"

#define SHOWN_MAX	40	/* bytes of a value that a message repeats */
#define OFF_NONE	(~(size_t)0)

static void node_mark(const struct cfg_walk *w, const yaml_node_t *node, struct fips_cfg_mark *at)
{
	at->file = w->file;
	at->line = (unsigned int)node->start_mark.line + 1;
	at->col = (unsigned int)node->start_mark.column + 1;
}

static void complain(struct cfg_walk *w, enum fips_severity severity, const yaml_node_t *node,
		     const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void complain(struct cfg_walk *w, enum fips_severity severity, const yaml_node_t *node,
		     const char *fmt, ...)
{
	struct fips_cfg_mark at;
	char text[512];
	va_list ap;

	node_mark(w, node, &at);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fips_report_add(w->rep, severity, &at, w->path, "%s", text);
}

static void no_memory(struct cfg_walk *w, const yaml_node_t *node)
{
	complain(w, FIPS_REPORT_ERROR, node, "out of memory");
}

static size_t path_push(struct cfg_walk *w, const char *fmt, const char *name, size_t index)
{
	size_t old = strlen(w->path);

	if (name)
		snprintf(w->path + old, sizeof(w->path) - old, fmt, old ? "." : "", name);
	else
		snprintf(w->path + old, sizeof(w->path) - old, "[%zu]", index);
	return old;
}

static size_t path_key(struct cfg_walk *w, const char *name)
{
	return path_push(w, "%s%s", name, 0);
}

static void path_pop(struct cfg_walk *w, size_t old)
{
	w->path[old] = '\0';
}

/* Aliases multiply what a document says; stop before it gets out of hand (spec 12 §4). */
static bool spend(struct cfg_walk *w, const yaml_node_t *node)
{
	if (w->budget) {
		w->budget--;
		return true;
	}
	if (!w->exhausted)
		complain(w, FIPS_REPORT_ERROR, node, "aliases expand to too much");
	w->exhausted = true;
	return false;
}

static yaml_node_t *node_get(struct cfg_walk *w, int id)
{
	return yaml_document_get_node(w->doc, id);
}

static void scalar_of(const yaml_node_t *node, struct cfg_scalar *s)
{
	s->text = (const char *)node->data.scalar.value;
	s->len = node->data.scalar.length;
	s->plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

/* `key:` with nothing behind it */
static bool node_is_empty(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE && !node->data.scalar.length &&
	       node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static bool node_is_null(const yaml_node_t *node)
{
	struct cfg_scalar s;

	if (node->type != YAML_SCALAR_NODE)
		return false;
	scalar_of(node, &s);
	return cfg_is_null(&s);
}

/* What stands there, for a message. */
static const char *shown(const struct cfg_key *key, const yaml_node_t *node, char *buf)
{
	size_t i, len;

	if (node->type == YAML_MAPPING_NODE)
		return "a mapping";
	if (node->type == YAML_SEQUENCE_NODE)
		return "a list";
	if (key && key->flags & CFG_SECRET)
		return "the value";
	if (node_is_empty(node))
		return "nothing";
	len = node->data.scalar.length;
	buf[0] = '"';
	for (i = 0; i < len && i < SHOWN_MAX; i++) {
		unsigned char c = node->data.scalar.value[i];

		buf[1 + i] = c < ' ' || c == 0x7f ? '?' : (char)c;
	}
	strcpy(buf + 1 + i, i < len ? "...\"" : "\"");
	return buf;
}

static const char *expected(const struct cfg_key *key, char *buf, size_t size)
{
	size_t i, used = 0;

	switch (key->type) {
	case CFG_BOOL:
		return "true or false, without quotes";
	case CFG_U8:
	case CFG_U16:
	case CFG_U32:
	case CFG_U64:
		if (key->max == ~(u64)0)
			snprintf(buf, size, "a whole number, at least %" PRIu64, key->min);
		else
			snprintf(buf, size, "a whole number from %" PRIu64 " to %" PRIu64, key->min,
				 key->max);
		return buf;
	case CFG_F64:
		return key->flags & CFG_FRACTION ? "a number above 0 and up to 1" :
		       key->flags & CFG_POSITIVE ? "a number above 0" : "a number";
	case CFG_STR:
		return "text";
	case CFG_ENUM:
		for (i = 0; key->words[i] && used < size; i++)
			used += (size_t)snprintf(buf + used, size - used, "%s%s",
						 !i ? "one of " : ", ", key->words[i]);
		return buf;
	case CFG_STRLIST:
		return "a list of texts";
	case CFG_U64LIST:
		return key->flags & CFG_NONEMPTY ? "a list of at least one whole number" :
						   "a list of whole numbers";
	case CFG_MAP:
	case CFG_INSTANCES:
		return "a mapping";
	case CFG_ELEMS:
		return "a list of mappings";
	}
	return "something else";
}

static void wrong(struct cfg_walk *w, const struct cfg_key *key, const yaml_node_t *node)
{
	char is[SHOWN_MAX + 8], want[160];
	const char *what = shown(key, node, is);

	complain(w, FIPS_REPORT_ERROR, node, "%s is not accepted here; expected %s", what,
		 expected(key, want, sizeof(want)));
}

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

static void walk_scalar(struct cfg_walk *w, const struct cfg_key *key, bool typed, void *base,
			const yaml_node_t *node)
{
	struct cfg_scalar s;
	int ret;

	if (node->type != YAML_SCALAR_NODE) {
		wrong(w, key, node);
		return;
	}
	scalar_of(node, &s);
	if ((key->flags & (CFG_OPT | CFG_AUTO) && cfg_is_null(&s)) ||
	    (key->flags & CFG_AUTO && !s.len))
		ret = restore(key, base);
	else
		ret = store_scalar(key, &s, typed, (char *)base + key->off);
	if (ret == -ENOMEM)
		no_memory(w, node);
	else if (ret)
		wrong(w, key, node);
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
static void walk_list(struct cfg_walk *w, const struct cfg_key *key, void *base,
		      const yaml_node_t *node)
{
	const struct cfg_section one = { .keys = key, .n = 1 };
	void *field = (char *)base + key->off;
	yaml_node_item_t *item;

	if (node->type != YAML_SEQUENCE_NODE && !node_is_empty(node)) {
		wrong(w, key, node);
		return;
	}
	cfg_release(&one, base);
	if (node->type == YAML_SEQUENCE_NODE)
		for (item = node->data.sequence.items.start; item < node->data.sequence.items.top;
		     item++) {
			const yaml_node_t *entry = node_get(w, *item);
			struct cfg_scalar s;
			int ret = -EINVAL;

			if (!spend(w, entry))
				return;
			if (entry->type == YAML_SCALAR_NODE) {
				scalar_of(entry, &s);
				ret = key->type == CFG_STRLIST ? push_string(field, &s) :
								 push_number(field, &s);
			}
			if (ret)
				wrong(w, key, entry);
		}
	if (key->flags & CFG_NONEMPTY && !((struct fips_cfg_u64list *)field)->n)
		wrong(w, key, node);
}

static void walk_section(struct cfg_walk *w, const struct cfg_section *sec, void *base, u32 uid,
			 const yaml_node_t *node);

/* One element of an array. It joins the array even when flawed: its fields stay checkable. */
static void walk_elem(struct cfg_walk *w, const struct cfg_section *sec, const char *name,
		      struct fips_cfg_array *array, const yaml_node_t *node)
{
	struct fips_cfg_elem *e = calloc(1, sec->size);

	if (!e || cfg_defaults(sec, e) || (name && cfg_set_string(&e->name, name, strlen(name))))
		goto fail;
	e->uid = cfg_marks_uid(w->cfg);
	node_mark(w, node, &e->mark);
	walk_section(w, sec, e, e->uid, node);
	if (cfg_array_push(sec, array, e))
		goto fail;
	free(e);
	return;
fail:
	no_memory(w, node);
	if (e)
		cfg_release(sec, e);
	free(e);
}

static void walk_elems(struct cfg_walk *w, const struct cfg_key *key, void *base,
		       const yaml_node_t *node)
{
	struct fips_cfg_array *array = (void *)((char *)base + key->off);
	yaml_node_item_t *item;
	size_t i = 0;

	if (node->type != YAML_SEQUENCE_NODE && !node_is_empty(node)) {
		wrong(w, key, node);
		return;
	}
	cfg_array_clear(key->sub, array);
	if (node->type != YAML_SEQUENCE_NODE)
		return;
	for (item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++) {
		const yaml_node_t *entry = node_get(w, *item);
		size_t old = path_push(w, NULL, NULL, i++);

		if (!spend(w, entry))
			return;
		if (entry->type == YAML_MAPPING_NODE)
			walk_elem(w, key->sub, NULL, array, entry);
		else
			complain(w, FIPS_REPORT_ERROR, entry, "expected a mapping");
		path_pop(w, old);
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
	char *end = (char *)array->v + array->n * sec->size;

	if (!e)
		return;
	cfg_release(sec, e);
	memmove(e, e + sec->size, (size_t)(end - e) - sec->size);
	array->n--;
}

static void walk_named(struct cfg_walk *w, const struct cfg_section *sec,
		       struct fips_cfg_array *array, const yaml_node_t *node)
{
	yaml_node_pair_t *pair;

	for (pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *name = node_get(w, pair->key);
		const yaml_node_t *value = node_get(w, pair->value);
		struct cfg_scalar s;
		size_t old;

		if (!spend(w, name))
			return;
		if (name->type == YAML_SCALAR_NODE)
			scalar_of(name, &s);
		if (name->type != YAML_SCALAR_NODE || cfg_is_typed(&s) || memchr(s.text, 0, s.len)) {
			complain(w, FIPS_REPORT_ERROR, name, "the name of an instance must be text");
			continue;
		}
		old = path_key(w, s.text);
		if (value->type == YAML_MAPPING_NODE) {
			drop_named(sec, array, s.text);
			walk_elem(w, sec, s.text, array, value);
		} else {
			complain(w, FIPS_REPORT_ERROR, value, "expected an instance, a mapping");
		}
		path_pop(w, old);
	}
}

/* Which form did the writer mean? Only asked when neither fits. */
static bool looks_named(struct cfg_walk *w, const yaml_node_t *node)
{
	yaml_node_pair_t *pair = node->data.mapping.pairs.start;

	for (; pair < node->data.mapping.pairs.top; pair++)
		if (node_get(w, pair->value)->type != YAML_MAPPING_NODE)
			return false;
	return node->data.mapping.pairs.start != node->data.mapping.pairs.top;
}

static void walk_instances(struct cfg_walk *w, const struct cfg_key *key, void *base,
			   const yaml_node_t *node)
{
	struct fips_cfg_array *array = (void *)((char *)base + key->off);
	struct fips_cfg_array single = { 0 }, named = { 0 };
	struct fips_report *rep = w->rep, *one, *many;
	bool use_named;

	if (node->type != YAML_MAPPING_NODE) {
		wrong(w, key, node);
		return;
	}
	one = calloc(2, sizeof(*one));
	if (!one) {
		no_memory(w, node);
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

/* ---- mappings ---- */

static void walk_map(struct cfg_walk *w, const struct cfg_key *key, void *base, u32 uid,
		     const yaml_node_t *node)
{
	if (node_is_empty(node) || (key->flags & CFG_OPT && node_is_null(node)))
		return;
	if (node->type != YAML_MAPPING_NODE) {
		wrong(w, key, node);
		return;
	}
	if (key->flags & CFG_LEGACY)
		complain(w, FIPS_REPORT_WARNING, node,
			 "old name; use node.lookup and node.rendezvous instead");
	if (key->flags & CFG_RESET) {
		cfg_release(key->sub, base);
		if (cfg_defaults(key->sub, base)) {
			no_memory(w, node);
			return;
		}
	}
	if (key->present)
		*(bool *)((char *)base + key->present) = true;
	walk_section(w, key->sub, base, uid, node);
}

static void walk_value(struct cfg_walk *w, const struct cfg_section *sec,
		       const struct cfg_key *key, void *base, u32 uid, const yaml_node_t *node)
{
	struct fips_cfg_mark at;

	node_mark(w, node, &at);
	if (key->type != CFG_MAP)
		cfg_marks_set(w->cfg, uid, key->off, &at);
	if (key->flags & CFG_LATER && !node_is_empty(node))
		complain(w, FIPS_REPORT_NOTE, node, "known, but not in force in this version");
	switch (key->type) {
	case CFG_MAP:
		walk_map(w, key, base, uid, node);
		break;
	case CFG_ELEMS:
		walk_elems(w, key, base, node);
		break;
	case CFG_INSTANCES:
		walk_instances(w, key, base, node);
		break;
	case CFG_STRLIST:
	case CFG_U64LIST:
		walk_list(w, key, base, node);
		break;
	default:
		walk_scalar(w, key, sec->typed, base, node);
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
	old = path_key(w, name);
	if (best)
		complain(w, severity, node, "unknown key%s; did you mean %s?",
			 sec->strict ? "" : ", ignored", best);
	else
		complain(w, severity, node, "unknown key%s", sec->strict ? "" : ", ignored");
	path_pop(w, old);
}

static void walk_pair(struct cfg_walk *w, const struct cfg_section *sec, void *base, u32 uid,
		      const yaml_node_pair_t *pair, bool legacy, u64 *seen)
{
	const yaml_node_t *name = node_get(w, pair->key);
	const struct cfg_key *key;
	const char *text;
	size_t old, i;

	if (name->type != YAML_SCALAR_NODE) {
		if (!legacy)
			complain(w, FIPS_REPORT_ERROR, name, "a key must be text");
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
	old = path_key(w, text);
	i = (size_t)(key - sec->keys);
	if (*seen & (u64)1 << i)
		complain(w, FIPS_REPORT_ERROR, name, "given twice");
	else
		walk_value(w, sec, key, base, uid, node_get(w, pair->value));
	*seen |= (u64)1 << i;
	path_pop(w, old);
}

static void walk_section(struct cfg_walk *w, const struct cfg_section *sec, void *base, u32 uid,
			 const yaml_node_t *node)
{
	yaml_node_pair_t *pair, *end = node->data.mapping.pairs.top;
	u64 seen = 0;
	int legacy;
	size_t i;

	for (legacy = 0; legacy < 2; legacy++)
		for (pair = node->data.mapping.pairs.start; pair < end; pair++) {
			if (!spend(w, node))
				return;
			walk_pair(w, sec, base, uid, pair, legacy, &seen);
		}
	for (i = 0; i < sec->n; i++)
		if (sec->keys[i].flags & CFG_REQUIRED && !(seen & (u64)1 << i)) {
			size_t old = path_key(w, sec->keys[i].name);

			complain(w, FIPS_REPORT_ERROR, node, "missing");
			path_pop(w, old);
		}
}

void cfg_walk_document(struct cfg_walk *w)
{
	yaml_node_t *root = yaml_document_get_root_node(w->doc);
	struct fips_cfg_mark at = { .file = w->file };

	w->budget = 100 * (size_t)(w->doc->nodes.top - w->doc->nodes.start + 100);
	if (!root || node_is_empty(root))
		return;
	if (root->type != YAML_MAPPING_NODE) {
		fips_report_add(w->rep, FIPS_REPORT_ERROR, &at, NULL,
				"expected a mapping with the keys node, tun, dns, transports, peers");
		return;
	}
	walk_section(w, &fips_cfg_root, w->cfg, 0, root);
}
