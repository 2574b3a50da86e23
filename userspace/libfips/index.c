// SPDX-License-Identifier: MIT
/* Receiver indices; see index.h. */

#include <errno.h>
#include <stdlib.h>
#include <uthash.h>

#include "index.h"

struct fips_index_entry {
	u32 index;
	void *owner;
	UT_hash_handle hh;
};

static struct fips_index_entry *index_entry(const struct fips_indices *set, u32 index)
{
	struct fips_index_entry *e;

	HASH_FIND(hh, set->hash, &index, sizeof(index), e);
	return e;
}

int fips_index_take(struct fips_indices *set, void *owner, u32 index)
{
	struct fips_index_entry *e;

	if (index_entry(set, index))
		return -EEXIST;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->index = index;
	e->owner = owner;
	HASH_ADD(hh, set->hash, index, sizeof(e->index), e);
	return 0;
}

int fips_index_alloc(struct fips_indices *set, const struct fips_rng *rng, void *owner, u32 *index)
{
	int i, ret;
	u32 draw;

	for (i = 0; i < FIPS_INDEX_ATTEMPTS; i++) {
		ret = fips_random(rng, &draw, sizeof(draw));
		if (ret)
			return ret;
		if (!index_entry(set, draw))
			break;
	}
	if (i == FIPS_INDEX_ATTEMPTS)
		return -ENOSPC;
	*index = draw;
	return fips_index_take(set, owner, draw);
}

void *fips_index_find(const struct fips_indices *set, u32 index)
{
	struct fips_index_entry *e = index_entry(set, index);

	return e ? e->owner : NULL;
}

void fips_index_give(struct fips_indices *set, void *owner, u32 index)
{
	struct fips_index_entry *e = index_entry(set, index);

	if (e)
		e->owner = owner;
}

void fips_index_release(struct fips_indices *set, u32 index)
{
	struct fips_index_entry *e = index_entry(set, index);

	if (!e)
		return;
	HASH_DEL(set->hash, e);
	free(e);
}
