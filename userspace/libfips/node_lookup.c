// SPDX-License-Identifier: MIT
/*
 * Lookups of our own (spec 07 D.3, D.6): where is a node whose key we know?
 *
 * Asking begins as soon as a filter knows the target; until then the question
 * waits some seconds, since filters are on their way after a start. Requests are
 * repeated by the ladder, and by filters that come in meanwhile.
 */

#include <stdlib.h>

#include "node_internal.h"

static struct node_lookup *lookup_find(const struct fips_node *n,
				       const struct fips_node_addr *target)
{
	struct node_lookup *l;

	HASH_FIND(hh, n->mesh.lookups, target, sizeof(*target), l);
	return l;
}

static void lookup_free(struct fips_node *n, struct node_lookup *l)
{
	fips_timer_del(&n->timers, &l->timer);
	HASH_DEL(n->mesh.lookups, l);
	free(l);
}

static u64 lookup_ms(u64 secs)
{
	return secs < FIPS_NEVER / 2000 ? secs * 1000 : FIPS_NEVER / 2;
}

/* How long attempt number @attempt (from 1) waits. */
static u64 lookup_patience(const struct fips_node *n, u32 attempt)
{
	return lookup_ms(n->timing.lookup.attempt_timeouts_secs[attempt - 1]);
}

static const struct fips_identity *lookup_identity(struct fips_node *n,
						   const struct fips_node_addr *target)
{
	struct node_identity *e;
	u8 ipv6[FIPS_IPV6_LEN];

	fips_node_addr_to_ipv6(target, ipv6);
	e = node_identity_by_ipv6(n, ipv6);
	return e && fips_node_addr_eq(&e->id.addr, target) ? &e->id : NULL;
}

/* One request with a fresh id to all who may know. Return: how many were asked. */
static size_t lookup_send(struct fips_node *n, struct node_lookup *l)
{
	u8 msg[FIPS_LOOKUP_REQ_HDR + 2 + FIPS_COORDS_DEPTH * FIPS_NODE_ADDR_LEN];
	struct fips_lookup_request req = {
		.target = l->target,
		.origin = n->env.self->id.addr,
		.ttl = n->timing.lookup.ttl,
		.coords = node_coords_own(n),
	};
	struct node_peer *to[NODE_RECIPIENTS];
	size_t count, i, sent = 0;
	int len;

	count = node_lookup_recipients(n, &l->target, NULL, to);
	if (!count || fips_random(&n->env.rng, &req.id, sizeof(req.id)) ||
	    !node_request_add(n, req.id, &l->target, NULL))
		return 0;
	len = fips_lookup_request_build(msg, sizeof(msg), &req);
	for (i = 0; len > 0 && i < count; i++)
		sent += !node_link_xmit(n, to[i]->link, msg, (size_t)len);
	n->counters.lookup.req_initiated += !!sent;
	return sent;
}

/* It has failed: who waits hears of it, and for the back-off nobody asks again. */
static void lookup_fail(struct fips_node *n, struct node_lookup *l)
{
	const struct fips_node_timing *t = &n->timing;
	const struct fips_node_addr target = l->target;
	u64 delay = lookup_ms(t->lookup.backoff_base_secs);
	u64 cap = lookup_ms(t->lookup.backoff_max_secs);
	u32 i;

	for (i = 0; i < l->failures && delay < cap; i++)
		delay *= 2;
	delay = delay < cap ? delay : cap;
	l->failures++;
	if (delay) {
		l->failed = true;
		fips_timer_set(&n->timers, &l->timer, n->now.mono_ms + delay);
	} else {
		lookup_free(n, l);
	}
	node_session_not_found(n, &target);
}

/* Ask, now that somebody may know. */
static bool lookup_ask(struct fips_node *n, struct node_lookup *l)
{
	if (!lookup_send(n, l))
		return false;
	l->attempt++;
	l->sent = n->now.mono_ms;
	fips_timer_set(&n->timers, &l->timer, l->sent + lookup_patience(n, l->attempt));
	return true;
}

static void lookup_step(void *owner, struct fips_timer *t)
{
	struct node_lookup *l = node_container(t, struct node_lookup, timer);
	struct fips_node *n = owner;

	if (l->failed) {	/* the back-off is over; what is counted stays no longer */
		lookup_free(n, l);
		return;
	}
	if (!l->attempt) {
		n->counters.lookup.req_bloom_miss++;
		lookup_fail(n, l);
		return;
	}
	if (l->attempt >= n->timing.lookup.attempts) {
		n->counters.lookup.resp_timed_out++;
		lookup_fail(n, l);
		return;
	}
	if (lookup_ask(n, l))
		return;
	l->attempt++;	/* nobody to ask: that attempt waits, too */
	fips_timer_set(&n->timers, t, n->now.mono_ms + lookup_patience(n, l->attempt));
}

/* Is anybody there to ask, or will be? */
static bool lookup_hope(const struct fips_node *n)
{
	const struct node_dial *d, *tmp;

	if (n->peers || n->now.mono_ms - n->mesh.born < NODE_LOOKUP_HOPE_MS)
		return true;
	HASH_ITER(hh, n->dials, d, tmp) {
		if (d->legs || d->queries || d->entry)
			return true;
	}
	return false;
}

/**
 * node_lookup_start() - look for a node
 * @n: node
 * @target: whom; without its key no answer could be verified
 *
 * The end is told to node_session_found() or node_session_not_found().
 */
enum node_lookup_start node_lookup_start(struct fips_node *n, const struct fips_node_addr *target)
{
	struct node_lookup *l = lookup_find(n, target);

	if (l && !l->failed) {
		n->counters.lookup.req_deduplicated++;
		return NODE_LOOKUP_GOING;
	}
	if (l) {
		n->counters.lookup.req_backoff_suppressed++;
		return NODE_LOOKUP_REFUSED;
	}
	if (!lookup_hope(n) || !lookup_identity(n, target) ||
	    HASH_COUNT(n->mesh.lookups) >= NODE_LOOKUPS)
		return NODE_LOOKUP_REFUSED;
	l = calloc(1, sizeof(*l));
	if (!l)
		return NODE_LOOKUP_REFUSED;
	l->target = *target;
	l->started = n->now.mono_ms;
	fips_timer_init(&l->timer, lookup_step);
	HASH_ADD(hh, n->mesh.lookups, target, sizeof(l->target), l);
	if (!lookup_ask(n, l))
		fips_timer_set(&n->timers, &l->timer, n->now.mono_ms +
			       (n->rules->wait_for_filter ? NODE_LOOKUP_WAIT_MS : 0));
	return NODE_LOOKUP_GOING;
}

/* Filters or tree peers are new: those that nobody was asked about try again. */
void node_lookup_filters(struct fips_node *n)
{
	struct node_lookup *l, *tmp;

	HASH_ITER(hh, n->mesh.lookups, l, tmp) {
		if (!l->failed && !l->attempt)
			lookup_ask(n, l);
	}
}

void node_lookup_clear_backoff(struct fips_node *n)
{
	struct node_lookup *l, *tmp;

	HASH_ITER(hh, n->mesh.lookups, l, tmp) {
		if (l->failed)
			lookup_free(n, l);
	}
}

void node_lookup_stop(struct fips_node *n, const struct fips_node_addr *target)
{
	struct node_lookup *l = lookup_find(n, target);

	if (l)
		lookup_free(n, l);
}

/**
 * node_lookup_answer() - a response to a request of ours
 * @n: node
 * @resp: its id and target are those of the request
 */
void node_lookup_answer(struct fips_node *n, const struct fips_lookup_response *resp)
{
	const struct fips_identity *id = lookup_identity(n, &resp->target);
	const struct fips_node_addr target = resp->target;
	struct fips_coord_write w = {
		.addr = &target,
		.coords = resp->coords,
		.verified = true,
		.path_mtu = resp->path_mtu,
	};

	if (!id) {
		n->counters.lookup.resp_identity_miss++;
		return;
	}
	if (!fips_node_addr_eq(&resp->coords.addr[0], &target) ||
	    !fips_lookup_verify(n->env.pk, id->x, resp)) {
		n->counters.lookup.resp_proof_failed++;
		return;
	}
	n->counters.lookup.resp_accepted++;
	if (w.path_mtu < NODE_MTU_FLOOR) {
		w.path_mtu = 0;
		n->counters.lookup_mtu_below_floor++;
	}
	node_lookup_stop(n, &target);
	fips_coordcache_put(&n->mesh.coords, &w, n->now.mono_ms);
	node_session_found(n, &target, w.path_mtu);
}

void node_lookup_destroy(struct fips_node *n)
{
	struct node_lookup *l, *tmp;

	HASH_ITER(hh, n->mesh.lookups, l, tmp)
		lookup_free(n, l);
}
