// SPDX-License-Identifier: MIT
/* Hash table keyed by node addresses; see addrtable.h. */

#include "addrtable.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>

#define SIZE_MIN	16

_Static_assert(crypto_shorthash_siphash24_KEYBYTES == FIPS_ADDRTABLE_KEY_LEN, "SipHash key");

static u32 place(const struct fips_addrtable *t, const struct fips_node_addr *addr)
{
	u8 hash[crypto_shorthash_siphash24_BYTES];

	crypto_shorthash_siphash24(hash, addr->b, FIPS_NODE_ADDR_LEN, t->key);
	return fips_get_le32(hash) & (t->size - 1);
}

int fips_addrtable_init(struct fips_addrtable *t, const u8 *key)
{
	*t = (struct fips_addrtable) { .size = SIZE_MIN };
	memcpy(t->key, key, sizeof(t->key));
	t->bucket = calloc(t->size, sizeof(struct fips_addr_node *));
	return t->bucket ? 0 : -ENOMEM;
}

void fips_addrtable_fini(struct fips_addrtable *t)
{
	free(t->bucket);
	t->bucket = NULL;
}

struct fips_addr_node *fips_addrtable_find(const struct fips_addrtable *t,
					   const struct fips_node_addr *addr)
{
	struct fips_addr_node *n = t->bucket[place(t, addr)];

	while (n && !fips_node_addr_eq(&n->addr, addr))
		n = n->next;
	return n;
}

static void push(struct fips_addrtable *t, struct fips_addr_node *n)
{
	struct fips_addr_node **head = &t->bucket[place(t, &n->addr)];

	n->next = *head;
	*head = n;
}

static void grow(struct fips_addrtable *t)
{
	struct fips_addr_node **old = t->bucket, *n;
	u32 size = t->size, i;
	void *bucket;

	if (t->count < size || size > UINT32_MAX / 2)
		return;
	bucket = calloc((size_t)size * 2, sizeof(struct fips_addr_node *));
	if (!bucket)
		return;
	t->bucket = bucket;
	t->size = size * 2;
	for (i = 0; i < size; i++) {
		while ((n = old[i])) {
			old[i] = n->next;
			push(t, n);
		}
	}
	free(old);
}

void fips_addrtable_add(struct fips_addrtable *t, struct fips_addr_node *n)
{
	grow(t);
	push(t, n);
	t->count++;
}

void fips_addrtable_del(struct fips_addrtable *t, struct fips_addr_node *n)
{
	struct fips_addr_node **at = &t->bucket[place(t, &n->addr)];

	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	t->count--;
}
