// SPDX-License-Identifier: MIT
/*
 * Two configurations side by side, along the key table: what changed, and what
 * of it a running daemon can't take. Of the latter the new one gets the running
 * value back, so that it tells the truth from then on.
 */
#include <stdlib.h>
#include <string.h>

#include "config_diff.h"
#include "config_table.h"

#define PATH_SIZE	192

struct diff {
	void (*fn)(void *arg, const char *key, bool restart);
	void *arg;
	char path[PATH_SIZE];
};

static size_t field_size(const struct cfg_key *key)
{
	switch (key->type) {
	case CFG_BOOL:
		return sizeof(bool);
	case CFG_U8:
	case CFG_ENUM:
		return sizeof(u8);
	case CFG_U16:
		return sizeof(u16);
	case CFG_U32:
		return sizeof(u32);
	case CFG_U64:
		return sizeof(u64);
	case CFG_F64:
		return sizeof(double);
	case CFG_STR:
		return sizeof(char *);
	case CFG_STRLIST:
		return sizeof(struct fips_cfg_strlist);
	case CFG_U64LIST:
		return sizeof(struct fips_cfg_u64list);
	case CFG_ELEMS:
	case CFG_INSTANCES:
		return sizeof(struct fips_cfg_array);
	case CFG_MAP:
		break;
	}
	return 0;
}

static bool same_text(const char *a, const char *b)
{
	return !a || !b ? a == b : !strcmp(a, b);
}

static bool same_texts(const struct fips_cfg_strlist *a, const struct fips_cfg_strlist *b)
{
	size_t i;

	for (i = 0; i < a->n && i < b->n && same_text(a->v[i], b->v[i]); i++)
		;
	return a->n == b->n && i == a->n;
}

static bool same_section(const struct cfg_section *sec, const void *a, const void *b);

static bool same_elems(const struct cfg_section *sec, const struct fips_cfg_array *a,
		       const struct fips_cfg_array *b)
{
	const char *x = a->v, *y = b->v;
	size_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++, x += sec->size, y += sec->size)
		if (!same_text(((const struct fips_cfg_elem *)x)->name,
			       ((const struct fips_cfg_elem *)y)->name) || !same_section(sec, x, y))
			return false;
	return true;
}

static bool same_value(const struct cfg_key *key, const void *a, const void *b)
{
	const void *x = (const char *)a + key->off, *y = (const char *)b + key->off;
	const struct fips_cfg_u64list *l = x, *m = y;

	switch (key->type) {
	case CFG_STR:
		return same_text(*(char *const *)x, *(char *const *)y);
	case CFG_STRLIST:
		return same_texts(x, y);
	case CFG_U64LIST:
		return l->n == m->n && (!l->n || !memcmp(l->v, m->v, l->n * sizeof(*l->v)));
	case CFG_ELEMS:
	case CFG_INSTANCES:
		return same_elems(key->sub, x, y);
	case CFG_MAP:
		return same_section(key->sub, a, b);
	default:
		return !memcmp(x, y, field_size(key));
	}
}

static bool same_section(const struct cfg_section *sec, const void *a, const void *b)
{
	size_t i;

	for (i = 0; i < sec->n; i++)
		if (!(sec->keys[i].flags & CFG_LEGACY) && !same_value(&sec->keys[i], a, b))
			return false;
	return true;
}

/* Each keeps its memory: what was allocated changes hands, too. */
static void swap_field(const struct cfg_key *key, void *a, void *b)
{
	char tmp[sizeof(struct fips_cfg_array)];
	char *x = (char *)a + key->off, *y = (char *)b + key->off;
	size_t size = field_size(key);

	_Static_assert(sizeof(tmp) >= sizeof(struct fips_cfg_strlist) &&
		       sizeof(tmp) >= sizeof(struct fips_cfg_u64list), "the largest field");
	memcpy(tmp, x, size);
	memcpy(x, y, size);
	memcpy(y, tmp, size);
}

static void diff_section(struct diff *d, const struct cfg_section *sec, void *running, void *wanted,
			 bool restart)
{
	size_t i, old = strlen(d->path);

	for (i = 0; i < sec->n; i++) {
		const struct cfg_key *key = &sec->keys[i];
		bool fixed = restart || key->flags & CFG_RESTART;

		/* What is not in force can't change either; the key itself has its own check. */
		if (key->flags & (CFG_LEGACY | CFG_LATER | CFG_SECRET))
			continue;
		snprintf(d->path + old, sizeof(d->path) - old, "%s%s", old ? "." : "", key->name);
		if (key->type == CFG_MAP) {
			diff_section(d, key->sub, running, wanted, fixed);
		} else if (!same_value(key, running, wanted)) {
			d->fn(d->arg, d->path, fixed);
			if (fixed)
				swap_field(key, running, wanted);
		}
		d->path[old] = '\0';
	}
}

void fips_config_diff(struct fips_config *running, struct fips_config *wanted,
		      void (*fn)(void *arg, const char *key, bool restart), void *arg)
{
	struct diff d = { .fn = fn, .arg = arg };

	diff_section(&d, &fips_cfg_root, running, wanted, false);
}
