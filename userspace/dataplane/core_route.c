// SPDX-License-Identifier: MIT
/*
 * The route cache: exact destinations and the link towards them, or the news
 * that there is none for a while. The node decides, this remembers. A full
 * table gives up the least used of its oldest entries, and what nobody uses
 * ages: the next packet there asks again.
 */
#include <errno.h>
#include <stdlib.h>

#include "core_impl.h"

struct fips_route *fips_route_find(struct fips_core *c, const struct fips_node_addr *dest)
{
	struct fips_route *r;

	HASH_FIND(hh, c->routes, dest, sizeof(*dest), r);
	return r;
}

static void fips_route_free(struct fips_core *c, struct fips_route *r)
{
	HASH_DEL(c->routes, r);
	free(r);
}

/* Is @a of less use than @b? A refusal is nothing to a way that works. */
static bool fips_route_before(struct fips_route *a, struct fips_route *b)
{
	if (!a->link != !b->link)
		return !a->link;
	return fips_load(&a->last_use) < fips_load(&b->last_use);
}

static void fips_route_evict(struct fips_core *c)
{
	struct fips_route *r, *victim = c->routes;
	int i;

	for (i = 0, r = c->routes; r && i < FIPS_ROUTE_SAMPLE; i++, r = r->hh.next)
		if (fips_route_before(r, victim))
			victim = r;
	fips_route_free(c, victim);
}

static struct fips_route *fips_route_make(struct fips_core *c, const struct fips_node_addr *dest,
					  u64 now)
{
	struct fips_route *r = fips_route_find(c, dest);

	if (r)
		return r;
	if (HASH_COUNT(c->routes) >= FIPS_MAX_ROUTES)
		fips_route_evict(c);
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->dest = *dest;
	fips_store(&r->last_use, now);
	if (!c->routes) {
		c->route_gc = now + FIPS_ROUTE_GC_MS;
		atomic_store(&c->tick, true);
	}
	HASH_ADD(hh, c->routes, dest, sizeof(r->dest), r);
	return r;
}

/* Datagrams and packets that waited for this destination try again. */
static void fips_route_release(struct fips_core *c, const struct fips_core_out *out, u64 now,
			       const struct fips_node_addr *dest)
{
	u8 ipv6[FIPS_IPV6_LEN];

	fips_stage_flush(c, out, now, FIPS_STAGE_DGRAM, dest->b);
	fips_node_addr_to_ipv6(dest, ipv6);
	fips_stage_flush(c, out, now, FIPS_STAGE_PACKET, ipv6);
}

int fips_core_route_set(struct fips_core *c, const struct fips_core_out *out, u64 now,
			const struct fips_node_addr *dest, u32 link_id, u32 generation)
{
	struct fips_link *l = fips_link_find(c, link_id);
	struct fips_route *r;

	if (!l)
		return -ENOENT;
	r = fips_route_make(c, dest, now);
	if (!r)
		return -ENOMEM;
	r->link = l;
	r->generation = generation;
	fips_route_release(c, out, now, dest);
	return 0;
}

int fips_core_route_unreachable(struct fips_core *c, const struct fips_core_out *out, u64 now,
				const struct fips_node_addr *dest, u32 ms)
{
	struct fips_route *r = fips_route_make(c, dest, now);

	if (!r)
		return -ENOMEM;
	r->link = NULL;
	r->until = now + ms;
	fips_route_release(c, out, now, dest);
	return 0;
}

int fips_core_route_del(struct fips_core *c, const struct fips_node_addr *dest)
{
	struct fips_route *r = fips_route_find(c, dest);

	if (!r)
		return -ENOENT;
	fips_route_free(c, r);
	return 0;
}

int fips_core_route_flush(struct fips_core *c, u32 older_than)
{
	struct fips_route *r, *tmp;

	HASH_ITER(hh, c->routes, r, tmp)
		if (r->generation < older_than)
			fips_route_free(c, r);
	return 0;
}

void fips_routes_del_link(struct fips_core *c, struct fips_link *l)
{
	struct fips_route *r, *tmp;

	HASH_ITER(hh, c->routes, r, tmp)
		if (r->link == l)
			fips_route_free(c, r);
}

u64 fips_routes_expire(struct fips_core *c, u64 now)
{
	struct fips_route *r, *tmp;

	if (!c->routes)
		return FIPS_NEVER;
	if (now < c->route_gc)
		return c->route_gc;
	c->route_gc = now + FIPS_ROUTE_GC_MS;
	HASH_ITER(hh, c->routes, r, tmp)
		if (r->link ? now - fips_load(&r->last_use) > FIPS_ROUTE_IDLE_MS : now >= r->until)
			fips_route_free(c, r);
	return c->routes ? c->route_gc : FIPS_NEVER;
}

void fips_routes_free(struct fips_core *c)
{
	struct fips_unreachable *u, *utmp;
	struct fips_route *r, *tmp;

	HASH_ITER(hh, c->routes, r, tmp)
		fips_route_free(c, r);
	HASH_ITER(hh, c->unreachable, u, utmp) {
		HASH_DEL(c->unreachable, u);
		free(u);
	}
}

bool fips_is_unreachable(struct fips_core *c, const u8 *ipv6, u64 now)
{
	struct fips_unreachable *u;

	HASH_FIND(hh, c->unreachable, ipv6, FIPS_IPV6_LEN, u);
	return u && now < u->until;
}

static void fips_refuse_staged(struct fips_core *c, const struct fips_core_out *out, u64 now,
			       const u8 *ipv6)
{
	struct fips_staged *list = fips_stage_take(c, FIPS_STAGE_PACKET, ipv6), *k;

	while ((k = list)) {
		list = k->next;
		fips_core_drop(c, FIPS_DROP_REASON_TX_UNREACHABLE, 1);
		fips_send_unreachable(c, out, now, k->data, k->len);
		free(k);
	}
}

int fips_core_unreachable(struct fips_core *c, const struct fips_core_out *out, u64 now,
			  const u8 *ipv6, u32 ms)
{
	struct fips_unreachable *u;

	HASH_FIND(hh, c->unreachable, ipv6, FIPS_IPV6_LEN, u);
	if (!ms) {
		if (u) {
			HASH_DEL(c->unreachable, u);
			free(u);
		}
		return 0;
	}
	fips_refuse_staged(c, out, now, ipv6);
	if (!u) {
		if (HASH_COUNT(c->unreachable) >= FIPS_MAX_UNREACHABLE) {
			u = c->unreachable;
			HASH_DEL(c->unreachable, u);
		} else {
			u = calloc(1, sizeof(*u));
		}
		if (!u)
			return -ENOMEM;
		memcpy(u->ipv6, ipv6, sizeof(u->ipv6));
		HASH_ADD(hh, c->unreachable, ipv6, sizeof(u->ipv6), u);
	}
	u->until = now + ms;
	return 0;
}

u64 fips_unreachable_expire(struct fips_core *c, u64 now)
{
	struct fips_unreachable *u, *tmp;
	u64 next = FIPS_NEVER;

	HASH_ITER(hh, c->unreachable, u, tmp) {
		if (now >= u->until) {
			HASH_DEL(c->unreachable, u);
			free(u);
		} else if (u->until < next) {
			next = u->until;
		}
	}
	return next;
}
