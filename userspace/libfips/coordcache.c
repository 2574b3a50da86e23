// SPDX-License-Identifier: MIT
/* Coordinates of other nodes (spec 07 A, L); see coordcache.h. */

#include "coordcache.h"

#include <errno.h>
#include <stdlib.h>

#define SHARE_MIN	16

/**
 * struct coord_links - place in one list
 * @newer: towards the head
 * @older: towards the tail
 */
struct coord_links {
	struct fips_coord *newer;
	struct fips_coord *older;
};

/**
 * struct fips_coord - an entry
 * @node: in the table; first, so that one is the other
 * @lru: place among all
 * @mine: place among those of @source
 * @source: whose share it counts to, or NULL
 * @created_ms: first write
 * @used_ms: last use
 * @verified_until_ms: unverified writes are held off before this
 * @path_mtu: 0 = not known
 * @verified: did a proof vouch for @addr?
 * @count: of @addr
 * @addr: coordinates
 */
struct fips_coord {
	struct fips_addr_node node;
	struct coord_links lru;
	struct coord_links mine;
	struct fips_coord_source *source;
	u64 created_ms;
	u64 used_ms;
	u64 verified_until_ms;
	u16 path_mtu;
	bool verified;
	u16 count;
	struct fips_node_addr *addr;
};

_Static_assert(offsetof(struct fips_coord, node) == 0, "casts");

/* Both lists of an entry work alike; the links are found by their offset. */
static struct coord_links *links(struct fips_coord *e, size_t at)
{
	return (struct coord_links *)((char *)e + at);
}

#define LRU	offsetof(struct fips_coord, lru)
#define MINE	offsetof(struct fips_coord, mine)

static void list_push(struct fips_coord_list *l, struct fips_coord *e, size_t at)
{
	*links(e, at) = (struct coord_links) { NULL, l->newest };
	if (l->newest)
		links(l->newest, at)->newer = e;
	else
		l->oldest = e;
	l->newest = e;
	l->count++;
}

static void list_cut(struct fips_coord_list *l, struct fips_coord *e, size_t at)
{
	struct coord_links *k = links(e, at);

	if (k->newer)
		links(k->newer, at)->older = k->older;
	else
		l->newest = k->older;
	if (k->older)
		links(k->older, at)->newer = k->newer;
	else
		l->oldest = k->newer;
	l->count--;
}

static void set_source(struct fips_coord *e, struct fips_coord_source *source)
{
	if (e->source)
		list_cut(&e->source->list, e, MINE);
	e->source = source;
	if (source)
		list_push(&source->list, e, MINE);
}

static void touch(struct fips_coordcache *c, struct fips_coord *e, u64 now_ms)
{
	e->used_ms = now_ms;
	list_cut(&c->lru, e, LRU);
	list_push(&c->lru, e, LRU);
	set_source(e, e->source);
}

static void discard(struct fips_coordcache *c, struct fips_coord *e)
{
	set_source(e, NULL);
	list_cut(&c->lru, e, LRU);
	fips_addrtable_del(&c->table, &e->node);
	free(e->addr);
	free(e);
}

static struct fips_coord *find(const struct fips_coordcache *c, const struct fips_node_addr *addr)
{
	return (struct fips_coord *)fips_addrtable_find(&c->table, addr);
}

static u64 expiry(const struct fips_coordcache *c, const struct fips_coord *e)
{
	return e->used_ms + c->ttl_ms < e->used_ms ? UINT64_MAX : e->used_ms + c->ttl_ms;
}

int fips_coordcache_init(struct fips_coordcache *c, u32 capacity, u32 share, u64 ttl_ms,
			 const u8 *key)
{
	memset(c, 0, sizeof(*c));
	c->capacity = capacity ? capacity : 1;
	if (!share)
		share = c->capacity / 4 > SHARE_MIN ? c->capacity / 4 : SHARE_MIN;
	c->share = share;
	c->ttl_ms = ttl_ms;
	return fips_addrtable_init(&c->table, key);
}

void fips_coordcache_fini(struct fips_coordcache *c)
{
	while (c->lru.newest)
		discard(c, c->lru.newest);
	fips_addrtable_fini(&c->table);
}

/* Make room for one more entry of @source. */
static void make_room(struct fips_coordcache *c, struct fips_coord_source *source)
{
	if (source && source->list.count >= c->share) {
		c->stats.share_evicted++;
		discard(c, source->list.oldest);
	} else if (c->lru.count >= c->capacity) {
		c->stats.evicted++;
		discard(c, c->lru.oldest);
	}
}

static struct fips_coord *insert(struct fips_coordcache *c, const struct fips_coord_write *w,
				 u64 now_ms)
{
	struct fips_coord *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	make_room(c, w->source);
	e->node.addr = *w->addr;
	e->created_ms = now_ms;
	fips_addrtable_add(&c->table, &e->node);
	list_push(&c->lru, e, LRU);
	return e;
}

static bool is_sound(const struct fips_coord_write *w)
{
	return w->coords.count && w->coords.count <= FIPS_COORDS_DEPTH &&
	       fips_node_addr_eq(&w->coords.addr[0], w->addr);
}

/* An entry that changes hands must fit into the new share, too. */
static void change_source(struct fips_coordcache *c, struct fips_coord *e,
			  struct fips_coord_source *source)
{
	if (e->source == source)
		return;
	set_source(e, NULL);
	if (source && source->list.count >= c->share) {
		c->stats.share_evicted++;
		discard(c, source->list.oldest);
	}
	set_source(e, source);
}

/* Somebody else says that the node is somewhere else: it moved, or one of both lies. */
static bool is_displaced(const struct fips_coord *e, const struct fips_coord_write *w)
{
	const struct fips_coords before = { .addr = e->addr, .count = e->count };

	return !w->verified && e->source != w->source && !fips_coords_eq(&before, &w->coords);
}

int fips_coordcache_put(struct fips_coordcache *c, const struct fips_coord_write *w, u64 now_ms)
{
	size_t len = w->coords.count * sizeof(struct fips_node_addr);
	struct fips_node_addr *addr;
	struct fips_coord *e;

	if (!is_sound(w)) {
		c->stats.refused++;
		return -EINVAL;
	}
	e = find(c, w->addr);
	if (e && !w->verified && now_ms < e->verified_until_ms) {
		c->stats.kept++;
		return -EEXIST;
	}
	addr = malloc(len);
	if (!addr)
		return -ENOMEM;
	memcpy(addr, w->coords.addr, len);
	if (e)
		c->stats.displaced += is_displaced(e, w);
	else
		e = insert(c, w, now_ms);
	if (!e) {
		free(addr);
		return -ENOMEM;
	}
	free(e->addr);
	e->addr = addr;
	e->count = w->coords.count;
	e->verified = w->verified;
	e->verified_until_ms = w->verified ? now_ms + FIPS_COORD_VERIFIED_MS : 0;
	if (w->path_mtu)
		e->path_mtu = w->path_mtu;
	change_source(c, e, w->verified ? NULL : w->source);
	touch(c, e, now_ms);
	return 0;
}

bool fips_coordcache_get(struct fips_coordcache *c, const struct fips_node_addr *addr, u64 now_ms,
			 struct fips_coords *coords)
{
	struct fips_coord *e = find(c, addr);

	if (e && now_ms > expiry(c, e)) {
		c->stats.expired++;
		discard(c, e);
		e = NULL;
	}
	if (!e) {
		c->stats.misses++;
		return false;
	}
	c->stats.hits++;
	touch(c, e, now_ms);
	*coords = (struct fips_coords) { e->addr, e->count };
	return true;
}

static void describe(const struct fips_coordcache *c, const struct fips_coord *e,
		     struct fips_coord_info *info)
{
	*info = (struct fips_coord_info) {
		.addr = e->node.addr,
		.coords = { e->addr, e->count },
		.created_ms = e->created_ms,
		.used_ms = e->used_ms,
		.expires_ms = expiry(c, e),
		.path_mtu = e->path_mtu,
		.verified = e->verified,
	};
}

bool fips_coordcache_peek(const struct fips_coordcache *c, const struct fips_node_addr *addr,
			  u64 now_ms, struct fips_coord_info *info)
{
	const struct fips_coord *e = find(c, addr);

	if (!e || now_ms > expiry(c, e))
		return false;
	describe(c, e, info);
	return true;
}

bool fips_coordcache_del(struct fips_coordcache *c, const struct fips_node_addr *addr)
{
	struct fips_coord *e = find(c, addr);

	if (!e)
		return false;
	discard(c, e);
	return true;
}

u32 fips_coordcache_drop_via(struct fips_coordcache *c, const struct fips_node_addr *addr)
{
	struct fips_coord *e = c->lru.newest, *next;
	u32 dropped = 0;

	for (; e; e = next) {
		struct fips_coords path = { e->addr, e->count };

		next = e->lru.older;
		if (!fips_coords_contain(&path, addr))
			continue;
		discard(c, e);
		dropped++;
	}
	return dropped;
}

u32 fips_coordcache_drop_other_roots(struct fips_coordcache *c, const struct fips_node_addr *root)
{
	struct fips_coord *e = c->lru.newest, *next;
	u32 dropped = 0;

	for (; e; e = next) {
		next = e->lru.older;
		if (fips_node_addr_eq(&e->addr[e->count - 1], root))
			continue;
		discard(c, e);
		dropped++;
	}
	return dropped;
}

void fips_coordcache_source_fini(struct fips_coord_source *s)
{
	while (s->list.newest)
		set_source(s->list.newest, NULL);
}

void fips_coordcache_each(const struct fips_coordcache *c,
			  bool (*fn)(void *ctx, const struct fips_coord_info *info), void *ctx)
{
	const struct fips_coord *e;
	struct fips_coord_info info;

	for (e = c->lru.newest; e; e = e->lru.older) {
		describe(c, e, &info);
		if (!fn(ctx, &info))
			return;
	}
}
