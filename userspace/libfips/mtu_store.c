// SPDX-License-Identifier: MIT
/* Largest frame for each destination (spec 09 §8.3); see pathmtu.h. */

#include <errno.h>
#include <stdlib.h>

#include "pathmtu.h"

/**
 * struct fips_mtu_entry - a destination
 * @node: in the table, byte 15 of the key cleared; first, so that one is the other
 * @older: written before it
 * @newer: written after it
 * @mtu: 0 if only the transport of the last seed is remembered
 * @learned: by a look-up: expires
 * @learned_ms: when
 * @transport_id: of the last seed, 0 = none
 */
struct fips_mtu_entry {
	struct fips_addr_node node;
	struct fips_mtu_entry *older;
	struct fips_mtu_entry *newer;
	u16 mtu;
	bool learned;
	u64 learned_ms;
	u32 transport_id;
};

_Static_assert(offsetof(struct fips_mtu_entry, node) == 0, "casts");

static void list_cut(struct fips_mtu_store *s, struct fips_mtu_entry *e)
{
	if (e->older)
		e->older->newer = e->newer;
	else
		s->oldest = e->newer;
	if (e->newer)
		e->newer->older = e->older;
	else
		s->newest = e->older;
}

static void list_push(struct fips_mtu_store *s, struct fips_mtu_entry *e)
{
	e->older = s->newest;
	e->newer = NULL;
	if (s->newest)
		s->newest->newer = e;
	else
		s->oldest = e;
	s->newest = e;
}

static void discard(struct fips_mtu_store *s, struct fips_mtu_entry *e)
{
	list_cut(s, e);
	fips_addrtable_del(&s->table, &e->node);
	free(e);
}

static struct fips_node_addr key_of(const struct fips_node_addr *addr)
{
	struct fips_node_addr key = *addr;

	key.b[FIPS_NODE_ADDR_LEN - 1] = 0;
	return key;
}

static struct fips_mtu_entry *find(const struct fips_mtu_store *s,
				   const struct fips_node_addr *addr)
{
	struct fips_node_addr key = key_of(addr);

	return (struct fips_mtu_entry *)fips_addrtable_find(&s->table, &key);
}

/* The entry to write to, made if need be. */
static struct fips_mtu_entry *obtain(struct fips_mtu_store *s, const struct fips_node_addr *addr)
{
	struct fips_mtu_entry *e = find(s, addr);

	if (e)
		return e;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	if (s->table.count >= s->capacity)
		discard(s, s->oldest);
	e->node.addr = key_of(addr);
	fips_addrtable_add(&s->table, &e->node);
	list_push(s, e);
	return e;
}

int fips_mtu_store_init(struct fips_mtu_store *s, u32 capacity, u64 ttl_ms, const u8 *key)
{
	*s = (struct fips_mtu_store) { .capacity = capacity ? capacity : 1, .ttl_ms = ttl_ms };
	return fips_addrtable_init(&s->table, key);
}

void fips_mtu_store_fini(struct fips_mtu_store *s)
{
	while (s->oldest)
		discard(s, s->oldest);
	fips_addrtable_fini(&s->table);
}

static bool is_expired(const struct fips_mtu_store *s, const struct fips_mtu_entry *e, u64 now_ms)
{
	return e->mtu && e->learned && s->ttl_ms && now_ms >= e->learned_ms &&
	       now_ms - e->learned_ms >= s->ttl_ms;
}

u16 fips_mtu_store_get(const struct fips_mtu_store *s, const struct fips_node_addr *addr,
		       u64 now_ms)
{
	const struct fips_mtu_entry *e = find(s, addr);

	return e && e->mtu && !is_expired(s, e, now_ms) ? e->mtu : FIPS_MTU_UNKNOWN;
}

static void write_held(struct fips_mtu_store *s, struct fips_mtu_entry *e, u16 mtu)
{
	e->mtu = mtu;
	e->learned = false;
	list_cut(s, e);
	list_push(s, e);
}

int fips_mtu_store_seed(struct fips_mtu_store *s, const struct fips_node_addr *addr, u16 mtu,
			u32 transport_id)
{
	struct fips_mtu_entry *e = obtain(s, addr);

	if (!e)
		return -ENOMEM;
	if (!e->mtu || e->mtu > mtu || (e->transport_id && e->transport_id != transport_id))
		write_held(s, e, mtu);
	e->transport_id = transport_id;
	return 0;
}

int fips_mtu_store_learn(struct fips_mtu_store *s, const struct fips_node_addr *addr, u16 mtu,
			 u64 now_ms)
{
	struct fips_mtu_entry *e;

	if (mtu < FIPS_MTU_FLOOR)
		return -ERANGE;
	e = obtain(s, addr);
	if (!e)
		return -ENOMEM;
	if (e->mtu && e->mtu <= mtu && !is_expired(s, e, now_ms))
		return 0;
	write_held(s, e, mtu);
	e->learned = true;
	e->learned_ms = now_ms;
	return 0;
}

int fips_mtu_store_hold(struct fips_mtu_store *s, const struct fips_node_addr *addr, u16 mtu)
{
	struct fips_mtu_entry *e;

	if (mtu < FIPS_MTU_FLOOR)
		return -ERANGE;
	e = obtain(s, addr);
	if (!e)
		return -ENOMEM;
	if (!e->mtu || e->mtu > mtu)
		write_held(s, e, mtu);
	return 0;
}

bool fips_mtu_store_release(struct fips_mtu_store *s, const struct fips_node_addr *addr)
{
	struct fips_mtu_entry *e = find(s, addr);

	if (!e || !e->mtu)
		return false;
	/* The transport stays known, or the next seed from another one could not loosen. */
	if (e->transport_id)
		e->mtu = 0;
	else
		discard(s, e);
	return true;
}

bool fips_mtu_store_expire(struct fips_mtu_store *s, u64 now_ms, struct fips_node_addr *addr)
{
	struct fips_mtu_entry *e;

	for (e = s->oldest; e; e = e->newer) {
		if (!is_expired(s, e, now_ms))
			continue;
		*addr = e->node.addr;
		fips_mtu_store_release(s, addr);
		return true;
	}
	return false;
}
