// SPDX-License-Identifier: MIT
/* The key table as reStructuredText. */
#include <string.h>

#include "config_doc.h"
#include "config_table.h"

#define PATH_SIZE	128

struct each {
	void (*fn)(void *arg, const char *path, bool section);
	void *arg;
};

struct page {
	FILE *out;
};

/* Calls @fn for every key below @sec, plain keys before sections; @path holds the name of @sec. */
static void walk(const struct cfg_section *sec, char *path,
		 void (*fn)(void *arg, const struct cfg_key *key, const char *path), void *arg)
{
	size_t i, old = strlen(path);

	for (i = 0; i < 2 * sec->n; i++) {
		const struct cfg_key *key = &sec->keys[i % sec->n];

		if (key->flags & CFG_LEGACY || (i < sec->n ? !!key->sub : !key->sub))
			continue;
		snprintf(path + old, PATH_SIZE - old, "%s%s", old ? "." : "", key->name);
		fn(arg, key, path);
		if (key->sub) {
			if (key->type != CFG_MAP)
				strncat(path, ".*", PATH_SIZE - strlen(path) - 1);
			walk(key->sub, path, fn, arg);
		}
		path[old] = '\0';
	}
}

static void each_key(void *arg, const struct cfg_key *key, const char *path)
{
	struct each *e = arg;

	e->fn(e->arg, path, key->sub);
}

void fips_config_each_key(void (*fn)(void *arg, const char *path, bool section), void *arg)
{
	struct each e = { fn, arg };
	char path[PATH_SIZE] = "";

	walk(&fips_cfg_root, path, each_key, &e);
}

/* ---- the page ---- */

static void put_number(FILE *out, const struct cfg_key *key)
{
	if (key->max != ~(u64)0)
		fprintf(out, "whole number, %llu to %llu", (unsigned long long)key->min,
			(unsigned long long)key->max);
	else if (key->min)
		fprintf(out, "whole number, at least %llu", (unsigned long long)key->min);
	else
		fprintf(out, "whole number");
}

static void put_words(FILE *out, const struct cfg_key *key)
{
	size_t i;

	for (i = 0; key->words[i]; i++)
		fprintf(out, "%s*%s*", !i ? "" : key->words[i + 1] ? ", " : " or ", key->words[i]);
}

static void put_type(FILE *out, const struct cfg_key *key)
{
	switch (key->type) {
	case CFG_BOOL:
		fprintf(out, "*true* or *false*");
		return;
	case CFG_F64:
		fprintf(out, "number%s", key->flags & CFG_FRACTION ? " above 0, up to 1" :
			key->flags & CFG_POSITIVE ? " above 0" : "");
		return;
	case CFG_STR:
		fprintf(out, "text");
		return;
	case CFG_ENUM:
		put_words(out, key);
		return;
	case CFG_STRLIST:
		fprintf(out, "list of texts");
		return;
	case CFG_U64LIST:
		fprintf(out, "list of whole numbers");
		return;
	case CFG_ELEMS:
		fprintf(out, "list");
		return;
	case CFG_MAP:
	case CFG_INSTANCES:
		fprintf(out, "section");
		return;
	case CFG_U8:
	case CFG_U16:
	case CFG_U32:
	case CFG_U64:
		put_number(out, key);
		return;
	}
}

/* A list's default has blanks between its entries. */
static void put_default(FILE *out, const struct cfg_key *key)
{
	const char *p = key->def;

	/* Out of range means "not set": ours to know, not a value to write. */
	if (!p || (key->flags & CFG_OPT && !strcmp(p, "0") && key->min))
		return;
	if (key->flags & CFG_POSITIVE && !strcmp(p, "0"))
		return;
	fprintf(out, "; default ");
	for (; *p; p++) {
		if (*p == ' ' && (key->type == CFG_STRLIST || key->type == CFG_U64LIST))
			fputs(", ", out);
		else
			fprintf(out, "%s%c", strchr("*_`\\", *p) ? "\\" : "", *p);
	}
}

static void put_head(FILE *out, const char *path)
{
	const char *p;

	fputc('\n', out);
	for (p = path; *p; p++)
		fprintf(out, "%s%c", strchr("*_", *p) ? "\\" : "", *p);
	fputc('\n', out);
	for (p = path; *p; p++)
		fputs(strchr("*_", *p) ? "--" : "-", out);
	fprintf(out, "\n\n%s\n\n", fips_config_doc(path) ? fips_config_doc(path) : "");
}

static void put_note(FILE *out, const struct cfg_key *key)
{
	if (key->alias)
		fprintf(out, " Also spelled **%s**.", key->alias);
	if (key->flags & CFG_LATER)
		fprintf(out, " Not in force in this version.");
	else if (key->flags & CFG_RESTART)
		fprintf(out, " Needs a restart.");
}

static void page_key(void *arg, const struct cfg_key *key, const char *path)
{
	struct page *page = arg;
	const char *text = fips_config_doc(path);

	if (key->sub) {
		put_head(page->out, path);
		if (key->flags & (CFG_LATER | CFG_RESTART))
			fprintf(page->out, "%s\n\n", key->flags & CFG_LATER ?
				"Not in force in this version." : "Changes need a restart.");
		return;
	}
	fprintf(page->out, "**%s**: ", strrchr(path, '.') + 1);
	put_type(page->out, key);
	fputs(key->flags & CFG_REQUIRED ? "; required" : "", page->out);
	put_default(page->out, key);
	fprintf(page->out, "\n    %s", text ? text : "");
	put_note(page->out, key);
	fputc('\n', page->out);
}

void fips_config_man(FILE *out)
{
	struct page page = { .out = out };
	char path[PATH_SIZE] = "";

	walk(&fips_cfg_root, path, page_key, &page);
}
