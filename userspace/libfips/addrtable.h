/* SPDX-License-Identifier: MIT */
/*
 * A hash table keyed by node addresses that anybody may choose: SipHash with
 * a secret key, so that nobody can aim for one bucket. Entries are part of the
 * caller's objects; the buckets grow with their number and a failure to grow
 * only makes chains longer.
 */
#ifndef _LIBFIPS_ADDRTABLE_H
#define _LIBFIPS_ADDRTABLE_H

#include <fips/types.h>

#define FIPS_ADDRTABLE_KEY_LEN	16

/**
 * struct fips_addr_node - link of an entry
 * @next: in the bucket
 * @addr: key
 */
struct fips_addr_node {
	struct fips_addr_node *next;
	struct fips_node_addr addr;
};

/**
 * struct fips_addrtable - the table
 * @bucket: @size of them, a power of two
 * @size: buckets
 * @count: entries
 * @key: of the hash
 */
struct fips_addrtable {
	struct fips_addr_node **bucket;
	u32 size;
	u32 count;
	u8 key[FIPS_ADDRTABLE_KEY_LEN];
};

/* @key: random bytes. Return: 0 or -ENOMEM. */
int fips_addrtable_init(struct fips_addrtable *t, const u8 *key);
/* Frees the buckets; what was in them is the caller's. */
void fips_addrtable_fini(struct fips_addrtable *t);

struct fips_addr_node *fips_addrtable_find(const struct fips_addrtable *t,
					   const struct fips_node_addr *addr);
/* @n->addr must not be in the table. */
void fips_addrtable_add(struct fips_addrtable *t, struct fips_addr_node *n);
/* @n must be in the table. */
void fips_addrtable_del(struct fips_addrtable *t, struct fips_addr_node *n);

#endif /* _LIBFIPS_ADDRTABLE_H */
