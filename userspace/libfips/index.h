/* SPDX-License-Identifier: MIT */
/*
 * Receiver indices of a node (spec 03 §3): random, unique in the node, and
 * each leads to the object it was drawn for.
 *
 * Only we draw them, so nobody outside chooses a key of this table; its size
 * is that of the links.
 */
#ifndef _LIBFIPS_INDEX_H
#define _LIBFIPS_INDEX_H

#include "pk.h"

#define FIPS_INDEX_ATTEMPTS	100

struct fips_index_entry;

/* The table; zero it to begin. */
struct fips_indices {
	struct fips_index_entry *hash;
};

/**
 * fips_index_alloc() - draw an index
 * @set: table
 * @rng: source
 * @owner: what fips_index_find() answers
 * @index: written
 *
 * Return: 0, -ENOSPC (100 draws were all in use), -ENOMEM or the error of @rng.
 */
int fips_index_alloc(struct fips_indices *set, const struct fips_rng *rng, void *owner, u32 *index);
/* The same for an index that is in use already (takeover). -EEXIST or -ENOMEM. */
int fips_index_take(struct fips_indices *set, void *owner, u32 index);
/* An index in use gets another owner. */
void fips_index_give(struct fips_indices *set, void *owner, u32 index);
void *fips_index_find(const struct fips_indices *set, u32 index);
void fips_index_release(struct fips_indices *set, u32 index);

#endif /* _LIBFIPS_INDEX_H */
