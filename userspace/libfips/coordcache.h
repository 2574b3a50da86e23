/* SPDX-License-Identifier: MIT */
/*
 * Coordinates of other nodes (spec 07 A), with the improvements of its part L:
 * a list is taken only for its own first entry; what a proof vouched for is not
 * overwritten by what merely passed by, for some seconds; what one arriving
 * peer may fill is bounded; every operation but the sweeps is O(1).
 *
 * Time is monotonic ms. Reading and writing an entry both renew it, so the
 * least recently used entry is also the one that expires first.
 */
#ifndef _LIBFIPS_COORDCACHE_H
#define _LIBFIPS_COORDCACHE_H

#include "addrtable.h"
#include "coords_math.h"

#define FIPS_COORD_VERIFIED_MS	5000	/* how long a verified entry keeps off others */

struct fips_coord;

/**
 * struct fips_coord_list - entries by last use
 * @newest: head
 * @oldest: tail
 * @count: how many
 */
struct fips_coord_list {
	struct fips_coord *newest;
	struct fips_coord *oldest;
	u32 count;
};

/**
 * struct fips_coord_source - entries that came by way of one peer; part of that peer, zeroed
 * @list: they
 */
struct fips_coord_source {
	struct fips_coord_list list;
};

/**
 * struct fips_coord_stats - of the cache
 * @hits: fips_coordcache_get() found something
 * @misses: it did not
 * @expired: it found something too old
 * @evicted: pushed out because the cache was full
 * @share_evicted: pushed out because its peer's share was
 * @refused: lists under a foreign key, or too long
 * @kept: writes that a verified entry held off
 * @displaced: paths that another peer than before said otherwise
 */
struct fips_coord_stats {
	u64 hits;
	u64 misses;
	u64 expired;
	u64 evicted;
	u64 share_evicted;
	u64 refused;
	u64 kept;
	u64 displaced;
};

/**
 * struct fips_coordcache - the cache
 * @table: by address
 * @lru: all entries
 * @capacity: most entries
 * @share: most entries of one source
 * @ttl_ms: life of an entry that is not used
 * @stats: counters
 */
struct fips_coordcache {
	struct fips_addrtable table;
	struct fips_coord_list lru;
	u32 capacity;
	u32 share;
	u64 ttl_ms;
	struct fips_coord_stats stats;
};

/**
 * struct fips_coord_info - an entry, to look at
 * @addr: whose
 * @coords: its coordinates, borrowed until the cache changes
 * @created_ms: first write
 * @used_ms: last use
 * @expires_ms: still valid at this instant
 * @path_mtu: smallest link on the way, 0 = not known
 * @verified: did a proof vouch for it?
 */
struct fips_coord_info {
	struct fips_node_addr addr;
	struct fips_coords coords;
	u64 created_ms;
	u64 used_ms;
	u64 expires_ms;
	u16 path_mtu;
	bool verified;
};

/**
 * fips_coordcache_init() - an empty cache
 * @c: written; fips_coordcache_fini() it
 * @capacity: at least 1
 * @share: most entries that came by way of one peer; 0 = a quarter, but at least 16
 * @ttl_ms: node.cache.coord_ttl_secs
 * @key: %FIPS_ADDRTABLE_KEY_LEN random bytes
 *
 * Return: 0 or -ENOMEM.
 */
int fips_coordcache_init(struct fips_coordcache *c, u32 capacity, u32 share, u64 ttl_ms,
			 const u8 *key);
/* Sources must have been let go, or never be used again. */
void fips_coordcache_fini(struct fips_coordcache *c);

/**
 * struct fips_coord_write - what to store
 * @addr: whose; must be the first of @coords
 * @coords: its coordinates, copied
 * @source: peer by which they came unverified, or NULL
 * @verified: a proof vouches for them
 * @path_mtu: 0 = not known; then a known one stays
 */
struct fips_coord_write {
	const struct fips_node_addr *addr;
	struct fips_coords coords;
	struct fips_coord_source *source;
	bool verified;
	u16 path_mtu;
};

/**
 * fips_coordcache_put() - store or renew (07 A, D.6)
 * @c: cache
 * @w: what
 * @now_ms: now
 *
 * Return: 0; -EINVAL (foreign key, empty, longer than %FIPS_COORDS_DEPTH);
 * -EEXIST (a fresh verified entry stays as it is); -ENOMEM.
 */
int fips_coordcache_put(struct fips_coordcache *c, const struct fips_coord_write *w, u64 now_ms);

/* For routing: renews the entry. @coords: borrowed until the cache changes. */
bool fips_coordcache_get(struct fips_coordcache *c, const struct fips_node_addr *addr, u64 now_ms,
			 struct fips_coords *coords);
/* For anything else: no side effect. Expired entries are not found. */
bool fips_coordcache_peek(const struct fips_coordcache *c, const struct fips_node_addr *addr,
			  u64 now_ms, struct fips_coord_info *info);
bool fips_coordcache_del(struct fips_coordcache *c, const struct fips_node_addr *addr);

/* Sweeps after a change of the tree (07 A). Return: entries removed. */
u32 fips_coordcache_drop_via(struct fips_coordcache *c, const struct fips_node_addr *addr);
u32 fips_coordcache_drop_other_roots(struct fips_coordcache *c, const struct fips_node_addr *root);

/* The peer goes; its entries stay and belong to nobody. */
void fips_coordcache_source_fini(struct fips_coord_source *s);

/**
 * fips_coordcache_each() - look at all entries, the newest first
 * @c: cache; must not be changed meanwhile
 * @fn: returns false to stop
 * @ctx: passed back
 */
void fips_coordcache_each(const struct fips_coordcache *c,
			  bool (*fn)(void *ctx, const struct fips_coord_info *info), void *ctx);

static inline u32 fips_coordcache_count(const struct fips_coordcache *c)
{
	return c->lru.count;
}

#endif /* _LIBFIPS_COORDCACHE_H */
