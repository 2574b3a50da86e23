// SPDX-License-Identifier: MIT
/*
 * Where each value came from, so that the check of the whole (which looks at
 * plain structs) can still name file, line and column.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_table.h"

struct cfg_mark_entry {
	u32 uid;
	size_t off;
	struct fips_cfg_mark at;
};

struct fips_cfg_marks {
	struct cfg_mark_entry *v;
	size_t n;
	size_t room;
	char **files;
	size_t file_count;
	u32 last_uid;
};

int cfg_marks_new(struct fips_config *cfg)
{
	cfg->marks = calloc(1, sizeof(*cfg->marks));
	return cfg->marks ? 0 : -ENOMEM;
}

void cfg_marks_free(struct fips_config *cfg)
{
	struct fips_cfg_marks *m = cfg->marks;
	size_t i;

	if (!m)
		return;
	for (i = 0; i < m->file_count; i++)
		free(m->files[i]);
	free(m->files);
	free(m->v);
	free(m);
	cfg->marks = NULL;
}

const char *cfg_marks_file(struct fips_config *cfg, const char *path)
{
	struct fips_cfg_marks *m = cfg->marks;
	char **files = realloc(m->files, (m->file_count + 1) * sizeof(*files));

	if (!files)
		return NULL;
	m->files = files;
	files[m->file_count] = strdup(path);
	if (!files[m->file_count])
		return NULL;
	return files[m->file_count++];
}

u32 cfg_marks_uid(struct fips_config *cfg)
{
	return ++cfg->marks->last_uid;
}

/* Later ones are found first: a higher file replaces. Without memory a message lacks its line. */
void cfg_marks_set(struct fips_config *cfg, u32 uid, size_t off, const struct fips_cfg_mark *at)
{
	struct fips_cfg_marks *m = cfg->marks;

	if (m->n == m->room) {
		size_t room = m->room ? 2 * m->room : 64;
		struct cfg_mark_entry *v = realloc(m->v, room * sizeof(*v));

		if (!v)
			return;
		m->v = v;
		m->room = room;
	}
	m->v[m->n++] = (struct cfg_mark_entry){ .uid = uid, .off = off, .at = *at };
}

const struct fips_cfg_mark *cfg_marks_find(const struct fips_config *cfg, u32 uid, size_t off)
{
	const struct fips_cfg_marks *m = cfg->marks;
	size_t i;

	for (i = m->n; i-- > 0; )
		if (m->v[i].uid == uid && m->v[i].off == off)
			return &m->v[i].at;
	return NULL;
}
