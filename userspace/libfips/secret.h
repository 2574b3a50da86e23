/* SPDX-License-Identifier: MIT */
/*
 * Locked memory for secrets (spec 01 §5.4, 02 §15).
 *
 * One reserved address range per object grows in slabs of equal cells; every
 * slab is locked into memory and left out of core dumps, every cell is wiped
 * when it is freed. A mapping for each secret would run out at 65,530 of them.
 *
 * Not thread-safe: one owner, one thread.
 */
#ifndef _LIBFIPS_SECRET_H
#define _LIBFIPS_SECRET_H

#include <fips/types.h>

#define FIPS_SECRET_MAX		1024	/* largest cell */

struct fips_secrets;

/**
 * fips_secrets_new() - reserve the range
 * @out: the object, given to the caller
 *
 * Return: 0 or -ENOMEM. Memory that cannot be locked (RLIMIT_MEMLOCK) is no
 * error: see fips_secrets_locked().
 */
int fips_secrets_new(struct fips_secrets **out);

/* Wipes every cell, freed or not. NULL is fine. */
void fips_secrets_destroy(struct fips_secrets *secrets);

/**
 * fips_secret_alloc() - a zeroed cell of at least @len bytes, 16-aligned
 * @secrets: the slabs
 * @len: 1 to %FIPS_SECRET_MAX
 *
 * Return: the cell or NULL (too large, or out of memory).
 */
void *fips_secret_alloc(struct fips_secrets *secrets, size_t len);

/* Wipes the cell. NULL is fine; freeing a cell twice aborts. */
void fips_secret_free(struct fips_secrets *secrets, void *cell);

/* Did every mlock() so far succeed? */
bool fips_secrets_locked(const struct fips_secrets *secrets);

/* Cells in use, for leak checks. */
size_t fips_secrets_used(const struct fips_secrets *secrets);

#endif /* _LIBFIPS_SECRET_H */
