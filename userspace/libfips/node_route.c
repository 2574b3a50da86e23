// SPDX-License-Identifier: MIT
/*
 * Routes (spec 07 B): the data plane asks once for a destination and remembers
 * the answer. The node remembers what it told, and looks at it again when the
 * tree, a filter, a link or coordinates have changed: what still holds stays as
 * it is, so that traffic that need not move loses nothing.
 */

#include <stdlib.h>

#include "node_internal.h"

#define ROUTE_REVIEW	512	/* beyond it, all are forgotten and asked for again */

/* ---- next hop ---- */

static bool route_room(struct fips_node *n)
{
	size_t need = HASH_COUNT(n->peers);
	struct fips_nexthop_peer *hops;

	if (need <= n->mesh.hop_room)
		return true;
	need += 8;
	hops = realloc(n->mesh.hops, need * sizeof(*hops));
	if (!hops)
		return false;
	n->mesh.hops = hops;
	n->mesh.hop_room = need;
	return true;
}

static size_t route_candidates(struct fips_node *n, const struct fips_node_addr *dest,
			       const struct fips_node_addr *from)
{
	const struct node_peer *p, *tmp;
	struct fips_bloom_key key;
	size_t count = 0;

	fips_bloom_key(&key, dest);
	HASH_ITER(hh, n->peers, p, tmp) {
		n->mesh.hops[count++] = (struct fips_nexthop_peer) {
			.addr = p->id.addr,
			.coords = fips_tree_peer_coords(n->mesh.tree, &p->id.addr),
			.cost = node_link_cost(n, p),
			.can_send = true,
			.may_reach = p->mesh.filter.known &&
				     fips_bloom_contains(&p->mesh.filter.filter, &key),
			.arrived = from && fips_node_addr_eq(from, &p->id.addr),
		};
	}
	return count;
}

/* @use: it is for a packet, so the coordinates are in use. */
static struct node_peer *route_find(struct fips_node *n, const struct fips_node_addr *dest,
				    const struct fips_node_addr *from, bool use,
				    enum fips_nexthop_result *result)
{
	struct fips_nexthop_query q = {
		.self = n->env.self->id.addr,
		.mine = node_coords_own(n),
		.dest = *dest,
	};
	struct node_peer *p = node_peer_find(n, dest);
	struct fips_coord_info info;
	size_t at, count;

	*result = p ? FIPS_NEXTHOP_DIRECT : FIPS_NEXTHOP_NO_COORDS;
	if (p || fips_node_addr_eq(dest, &q.self) || !route_room(n))
		return p;
	if (use) {
		if (!fips_coordcache_get(&n->mesh.coords, dest, n->now.mono_ms, &q.coords))
			return NULL;
	} else {
		if (!fips_coordcache_peek(&n->mesh.coords, dest, n->now.mono_ms, &info))
			return NULL;
		q.coords = info.coords;
	}
	count = route_candidates(n, dest, from);
	*result = fips_nexthop(&q, n->mesh.hops, count, &at);
	return fips_nexthop_found(*result) ? node_peer_find(n, &n->mesh.hops[at].addr) : NULL;
}

struct node_peer *node_route_next(struct fips_node *n, const struct fips_node_addr *dest,
				  const struct fips_node_addr *from,
				  enum fips_nexthop_result *result)
{
	return route_find(n, dest, from, true, result);
}

struct node_peer *node_route_peer(struct fips_node *n, const struct fips_node_addr *dest)
{
	enum fips_nexthop_result result;

	return route_find(n, dest, NULL, true, &result);
}

/* ---- what the data plane was told ---- */

static struct node_route *route_get(const struct fips_node *n, const struct fips_node_addr *dest)
{
	struct node_route *r;

	HASH_FIND(hh, n->mesh.routes, dest, sizeof(*dest), r);
	return r;
}

static void route_free(struct fips_node *n, struct node_route *r)
{
	HASH_DEL(n->mesh.routes, r);
	DL_DELETE(n->mesh.route_list, r);
	free(r);
}

static void route_drop(struct fips_node *n, struct node_route *r)
{
	n->dp->route_del(n->dp_ctx, &r->dest);
	route_free(n, r);
}

static struct node_route *route_make(struct fips_node *n, const struct fips_node_addr *dest)
{
	struct node_route *r = route_get(n, dest);

	if (r) {
		DL_DELETE(n->mesh.route_list, r);
		DL_APPEND(n->mesh.route_list, r);
		return r;
	}
	if (HASH_COUNT(n->mesh.routes) >= NODE_ROUTES)
		route_drop(n, n->mesh.route_list);
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->dest = *dest;
	HASH_ADD(hh, n->mesh.routes, dest, sizeof(r->dest), r);
	DL_APPEND(n->mesh.route_list, r);
	return r;
}

struct node_peer *node_route_or_kept(struct fips_node *n, const struct fips_node_addr *dest)
{
	struct node_peer *p = node_route_peer(n, dest);
	const struct node_route *r = p ? NULL : route_get(n, dest);

	return r && r->link_id ? node_peer_find(n, &r->via) : p;
}

bool node_route_known(struct fips_node *n, const struct fips_node_addr *dest)
{
	enum fips_nexthop_result result;

	return route_find(n, dest, NULL, false, &result);
}

static bool route_tell(struct fips_node *n, const struct fips_node_addr *dest,
		       const struct node_peer *p, const struct fips_node_addr *from)
{
	struct node_route *r = NULL;

	if (!fips_node_addr_eq(dest, &p->id.addr)) {
		r = route_make(n, dest);
		if (!r)
			return false;
		if (!r->link_id || !fips_node_addr_eq(&r->via, &p->id.addr))
			r->until = 0;
		r->via = p->id.addr;
		r->link_id = p->link->id;
		r->arrived = from;
		if (from)
			r->from = *from;
	}
	n->dp->route_set(n->dp_ctx, dest, p->link->id, n->mesh.generation);
	return true;
}

bool node_route_offer(struct fips_node *n, const struct fips_node_addr *dest)
{
	struct node_peer *p = node_route_peer(n, dest);

	return p && route_tell(n, dest, p, NULL);
}

/* There is none: for a while nobody asks. */
static void route_refuse(struct fips_node *n, const struct fips_node_addr *dest, u32 ms)
{
	struct node_route *r = route_make(n, dest);

	if (r) {
		r->link_id = 0;
		r->until = n->now.mono_ms + ms;
	}
	n->dp->route_unreachable(n->dp_ctx, dest, ms);
}

void node_route_refuse(struct fips_node *n, const struct fips_node_addr *dest)
{
	route_refuse(n, dest, NODE_UNREACHABLE_MS);
}

void node_route_withdraw(struct fips_node *n, const struct fips_node_addr *dest)
{
	struct node_route *r = route_get(n, dest);

	fips_coordcache_del(&n->mesh.coords, dest);
	if (r)
		route_drop(n, r);
}

void node_route_forget(struct fips_node *n, const struct fips_node_addr *dest)
{
	struct node_route *r = route_get(n, dest);

	if (r)
		route_free(n, r);
}

/* ---- questions of the data plane ---- */

static void route_miss_own(struct fips_node *n, const struct fips_node_addr *dest)
{
	if (node_route_offer(n, dest))
		return;
	if (node_lookup_start(n, dest) == NODE_LOOKUP_REFUSED)
		node_route_refuse(n, dest);
}

static const struct fips_node_addr *route_from(const struct fips_node *n, u32 link_id)
{
	const struct node_link *l = node_link_find(n, link_id);

	return l ? &l->peer.addr : NULL;
}

/**
 * node_route_miss() - datagrams wait for a route
 * @n: node
 * @ev: %FIPS_EV_ROUTE_MISS
 *
 * Ours wait for a lookup; of those of others the source is told.
 */
void node_route_miss(struct fips_node *n, const struct fips_event *ev)
{
	const struct fips_node_addr dest = ev->route.dest, *from;
	enum fips_nexthop_result why;
	struct node_peer *p;

	if (!ev->route.link_id) {
		route_miss_own(n, &dest);
		return;
	}
	/* Its own coordinates may have been lost on the way up. */
	node_coords_seen(n, ev->route.link_id, ev->route.header, ev->route.len);
	from = route_from(n, ev->route.link_id);
	p = node_route_next(n, &dest, from, &why);
	if (p && route_tell(n, &dest, p, from))
		return;
	route_refuse(n, &dest, NODE_TRANSIT_NO_MS);
	node_signal_no_route(n, ev->route.header, ev->route.len);
}

/* A datagram of others did not fit into the link it should take. */
void node_route_mtu(struct fips_node *n, const struct fips_event *ev)
{
	const struct node_route *r = route_get(n, &ev->route.dest);
	const struct node_peer *p = node_peer_find(n, r && r->link_id ? &r->via : &ev->route.dest);

	if (p)
		node_signal_mtu(n, ev->route.header, ev->route.len, p->link->mtu);
}

/**
 * node_route_back() - a datagram's route leads back over the link it came on
 * @n: node
 * @ev: %FIPS_EV_ROUTE_BACK
 *
 * The peer thinks that we are nearer to the destination, and we think it is: one
 * of us goes by old coordinates. If no third neighbour is nearer, ours are
 * forgotten, whoever is right, and the source looks again.
 */
void node_route_back(struct fips_node *n, const struct fips_event *ev)
{
	const struct fips_node_addr dest = ev->route.dest, *from;
	const struct node_session *s;
	enum fips_nexthop_result why;
	struct node_peer *p;

	node_coords_seen(n, ev->route.link_id, ev->route.header, ev->route.len);
	from = route_from(n, ev->route.link_id);
	if (!from || fips_node_addr_eq(from, &dest))
		return;
	p = node_route_next(n, &dest, from, &why);
	if (p && route_tell(n, &dest, p, from))
		return;
	node_signal_no_route(n, ev->route.header, ev->route.len);
	node_route_withdraw(n, &dest);
	s = node_session_find(n, &dest);
	if (s && s->installed)
		node_lookup_start(n, &dest);
}

/* ---- when something has changed ---- */

/* Has the far end told of new frames of ours a moment ago, in a report that only it can write? */
static bool route_proven(const struct fips_node *n, const struct node_route *r)
{
	const struct node_session *s = r->arrived ? NULL : node_session_find(n, &r->dest);
	const struct fips_mmp_base *base = s ? &s->mmp.metrics.base : NULL;

	return base && s->state == NODE_SESSION_ESTABLISHED && base->known &&
	       n->now.mono_ms - base->at_ms < NODE_ROUTE_KEEP_MS;
}

/*
 * By what we know now there is no way. If the coordinates are only too old, what
 * works goes on. If the tree has changed and they have not yet, it does for as
 * long as new ones may take: what need not move loses nothing. And a way that is
 * proven to work outlives any tree: who cuts the tree with a lie about the root
 * does not cut those who talk.
 */
static struct node_peer *route_keep(struct fips_node *n, struct node_route *r,
				    enum fips_nexthop_result why)
{
	if ((n->mesh.swept || why != FIPS_NEXTHOP_NO_COORDS) && !r->until)
		r->until = n->now.mono_ms + NODE_ROUTE_KEEP_MS;
	if (r->until && n->now.mono_ms >= r->until) {
		if (!route_proven(n, r))
			return NULL;
		r->until = n->now.mono_ms + NODE_ROUTE_KEEP_MS;
	}
	return node_peer_find(n, &r->via);
}

static void route_review(struct fips_node *n, struct node_route *r)
{
	const struct fips_node_addr *from = r->arrived ? &r->from : NULL;
	enum fips_nexthop_result why;
	struct node_peer *p;

	if (!r->link_id && n->now.mono_ms >= r->until) {
		route_free(n, r);
		return;
	}
	p = route_find(n, &r->dest, from, false, &why);
	if (!r->link_id) {
		if (p)
			route_tell(n, &r->dest, p, from);
		return;
	}
	if (p)
		r->until = 0;
	else
		p = route_keep(n, r, why);
	if (!p)
		route_drop(n, r);
	else if (p->link->id != r->link_id)
		route_tell(n, &r->dest, p, from);
}

/* Too many to look at each: all but the neighbours' are asked for again. */
static void route_flush(struct fips_node *n)
{
	const struct node_peer *p, *tmp;

	n->mesh.generation++;
	HASH_ITER(hh, n->peers, p, tmp)
		n->dp->route_set(n->dp_ctx, &p->id.addr, p->link->id, n->mesh.generation);
	n->dp->route_flush(n->dp_ctx, n->mesh.generation);
	while (n->mesh.route_list)
		route_free(n, n->mesh.route_list);
}

void node_route_timer(void *owner, struct fips_timer *t)
{
	struct fips_node *n = owner;
	struct node_route *r, *tmp;
	u64 next = FIPS_NEVER;

	node_session_retry(n);
	if (HASH_COUNT(n->mesh.routes) > ROUTE_REVIEW) {
		n->mesh.swept = false;
		route_flush(n);
		return;
	}
	HASH_ITER(hh, n->mesh.routes, r, tmp)
		route_review(n, r);
	n->mesh.swept = false;
	HASH_ITER(hh, n->mesh.routes, r, tmp) {
		if (r->link_id && r->until && r->until < next)
			next = r->until;
	}
	if (next != FIPS_NEVER)
		fips_timer_set(&n->timers, t, next);
}

void node_route_changed(struct fips_node *n)
{
	u64 when = n->now.mono_ms + NODE_ROUTE_GATHER_MS;

	if ((n->mesh.routes || n->sessions) &&
	    !(n->mesh.route_timer.armed && n->mesh.route_timer.when <= when))
		fips_timer_set(&n->timers, &n->mesh.route_timer, when);
}

void node_route_learned(struct fips_node *n, const struct fips_node_addr *dest)
{
	struct node_route *r = route_get(n, dest);

	if (r)
		route_review(n, r);
}

void node_route_destroy(struct fips_node *n)
{
	while (n->mesh.route_list)
		route_free(n, n->mesh.route_list);
	free(n->mesh.hops);
}
