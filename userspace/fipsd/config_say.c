// SPDX-License-Identifier: MIT
/*
 * What the walk says: where it is, what stands there, what would be right.
 */
#include <inttypes.h>
#include <string.h>

#include "config_walk.h"

#define SHOWN_MAX	40	/* bytes of a value that a message repeats */

void cfg_node_mark(const struct cfg_walk *w, const yaml_node_t *node, struct fips_cfg_mark *at)
{
	at->file = w->file;
	at->line = (unsigned int)node->start_mark.line + 1;
	at->col = (unsigned int)node->start_mark.column + 1;
}

void cfg_complain(struct cfg_walk *w, enum fips_severity severity, const yaml_node_t *node,
		  const char *fmt, ...)
{
	struct fips_cfg_mark at;
	char text[512];
	va_list ap;

	cfg_node_mark(w, node, &at);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fips_report_add(w->rep, severity, &at, w->path, "%s", text);
}

void cfg_no_memory(struct cfg_walk *w, const yaml_node_t *node)
{
	cfg_complain(w, FIPS_REPORT_ERROR, node, "out of memory");
}

size_t cfg_path_key(struct cfg_walk *w, const char *name)
{
	size_t old = strlen(w->path);

	snprintf(w->path + old, sizeof(w->path) - old, "%s%s", old ? "." : "", name);
	return old;
}

size_t cfg_path_index(struct cfg_walk *w, size_t index)
{
	size_t old = strlen(w->path);

	snprintf(w->path + old, sizeof(w->path) - old, "[%zu]", index);
	return old;
}

void cfg_path_pop(struct cfg_walk *w, size_t old)
{
	w->path[old] = '\0';
}

/* Aliases multiply what a document says; stop before it gets out of hand (spec 12 §4). */
bool cfg_spend(struct cfg_walk *w, const yaml_node_t *node)
{
	if (w->budget) {
		w->budget--;
		return true;
	}
	if (!w->exhausted)
		cfg_complain(w, FIPS_REPORT_ERROR, node, "aliases expand to too much");
	w->exhausted = true;
	return false;
}

yaml_node_t *cfg_node(struct cfg_walk *w, int id)
{
	return yaml_document_get_node(w->doc, id);
}

void cfg_scalar_of(const yaml_node_t *node, struct cfg_scalar *s)
{
	s->text = (const char *)node->data.scalar.value;
	s->len = node->data.scalar.length;
	s->plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

/* `key:` with nothing behind it */
bool cfg_node_is_empty(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE && !node->data.scalar.length &&
	       node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

bool cfg_node_is_null(const yaml_node_t *node)
{
	struct cfg_scalar s;

	if (node->type != YAML_SCALAR_NODE)
		return false;
	cfg_scalar_of(node, &s);
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
	if (cfg_node_is_empty(node))
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

void cfg_wrong(struct cfg_walk *w, const struct cfg_key *key, const yaml_node_t *node)
{
	char is[SHOWN_MAX + 8], want[160];
	const char *what = shown(key, node, is);

	cfg_complain(w, FIPS_REPORT_ERROR, node, "%s is not accepted here; expected %s", what,
		     expected(key, want, sizeof(want)));
}
