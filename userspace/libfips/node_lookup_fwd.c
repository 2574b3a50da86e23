// SPDX-License-Identifier: MIT
/*
 * Lookups of others (spec 07 D.4, D.5): known ids, whom to ask on, the way back,
 * and what one neighbour may cost us. Also the choice of recipients, which is
 * the same for our own requests.
 */

#include <stdlib.h>

#include "node_internal.h"

/* ---- recipients ---- */

struct lookup_choice {
	struct fips_node *n;
	struct fips_bloom_key key;
	const struct fips_node_addr *from;
	bool large;	/* the mesh is: full filters say nothing */
	bool sure;	/* a filter that hardly errs has the target */
	struct node_peer **out;
	size_t count;
};

static void lookup_add(struct lookup_choice *c, struct node_peer *p)
{
	size_t i;

	if (c->count == NODE_RECIPIENTS || (c->from && fips_node_addr_eq(c->from, &p->id.addr)))
		return;
	for (i = 0; i < c->count; i++) {
		if (c->out[i] == p)
			return;
	}
	c->out[c->count++] = p;
}

static bool lookup_hit(const struct lookup_choice *c, const struct node_peer *p)
{
	const struct fips_bloom_peer *f = &p->mesh.filter;

	return f->known && fips_bloom_contains(&f->filter, &c->key);
}

/* Its filter is at the cap or over it: neither a hit nor a miss means much. */
static bool lookup_full(const struct lookup_choice *c, const struct node_peer *p)
{
	return fips_bloom_peer_full(&p->mesh.filter, c->n->mesh.filter_max);
}

/* Tree peers whose filter has the target. */
static void lookup_hits(struct lookup_choice *c)
{
	struct node_peer *p, *tmp;

	HASH_ITER(hh, c->n->peers, p, tmp) {
		if (!lookup_hit(c, p) || (c->large && lookup_full(c, p)) ||
		    !node_filter_counts(c->n, p))
			continue;
		lookup_add(c, p);
		c->sure |= p->mesh.filter.popcount <= c->n->mesh.filter_sure;
	}
}

/*
 * Nobody knows it for sure, and filters may be too full to say anything or have
 * left something out: up to the parent, whatever its filter says, and down to
 * the children whose filters are full.
 */
static void lookup_climb(struct lookup_choice *c)
{
	const struct fips_tree *t = c->n->mesh.tree;
	struct node_peer *p, *tmp;

	HASH_ITER(hh, c->n->peers, p, tmp) {
		if (fips_tree_is_parent(t, &p->id.addr) ||
		    (fips_tree_is_child(t, &p->id.addr) && lookup_full(c, p)))
			lookup_add(c, p);
	}
}

/*
 * No tree peer: the tree is moving, or a filter erred. Other neighbours may
 * stand elsewhere in it; each of them goes on by itself, so a few are enough.
 */
static void lookup_fallback(struct lookup_choice *c)
{
	struct node_peer *p, *tmp;

	HASH_ITER(hh, c->n->peers, p, tmp) {
		if (c->count == c->n->rules->beside)
			return;
		if (lookup_hit(c, p) && !(c->large && lookup_full(c, p)) &&
		    !node_filter_counts(c->n, p))
			lookup_add(c, p);
	}
}

/**
 * node_lookup_recipients() - who may know where @target is?
 * @n: node
 * @target: whom we look for
 * @from: neighbour that asks, or NULL
 * @out: written
 *
 * Tree peers whose filter has it; in a large mesh also the climb through full
 * filters, unless one of them is sure; else other neighbours whose filter has
 * it. A neighbour that is the target itself is asked alone.
 *
 * Return: their number.
 */
size_t node_lookup_recipients(struct fips_node *n, const struct fips_node_addr *target,
			      const struct fips_node_addr *from,
			      struct node_peer *out[static NODE_RECIPIENTS])
{
	struct lookup_choice c = { .n = n, .out = out };
	struct node_peer *p = n->rules->direct ? node_peer_find(n, target) : NULL;

	if (p && !(from && fips_node_addr_eq(from, target))) {
		out[0] = p;
		return 1;
	}
	fips_bloom_key(&c.key, target);
	c.from = n->rules->not_back ? from : NULL;
	c.large = n->rules->climb && node_filter_large(n);
	lookup_hits(&c);
	if (c.large && !c.sure)
		lookup_climb(&c);
	if (!c.count && (from || n->rules->beside_own)) {
		lookup_fallback(&c);
		n->counters.lookup.req_fallback_forwarded += from && c.count;
	}
	return c.count;
}

/* ---- ids that were seen ---- */

static struct node_request *request_find(const struct fips_node *n, u64 id)
{
	struct node_request *r;

	HASH_FIND(hh, n->mesh.requests, &id, sizeof(id), r);
	return r;
}

static void request_free(struct fips_node *n, struct node_request *r)
{
	struct node_peer *p = r->own ? NULL : node_peer_find(n, &r->from);

	if (p && p->mesh.n_requests)
		p->mesh.n_requests--;
	HASH_DEL(n->mesh.requests, r);
	DL_DELETE(n->mesh.request_list, r);
	free(r);
}

static u64 request_age(const struct fips_node *n)
{
	u64 secs = n->timing.lookup.recent_expiry_secs;

	return secs < 86400 ? secs * 1000 : 86400000;
}

/* Room for one more by way of @from: the oldest of that neighbour goes, or of all. */
static void request_room(struct fips_node *n, const struct node_peer *from)
{
	struct node_request *r, *tmp;
	u64 age = request_age(n);

	/* Our own are kept as long as a lookup of ours may last. */
	DL_FOREACH_SAFE(n->mesh.request_list, r, tmp) {
		if (n->now.mono_ms - r->seen <= (r->own ? 6 * age : age))
			break;
		request_free(n, r);
	}
	if (from && from->mesh.n_requests >= NODE_REQUESTS_PEER) {
		DL_FOREACH(n->mesh.request_list, r) {
			if (!r->own && fips_node_addr_eq(&r->from, &from->id.addr))
				break;
		}
		if (r)
			request_free(n, r);
	}
	if (HASH_COUNT(n->mesh.requests) >= NODE_REQUESTS)
		request_free(n, n->mesh.request_list);
}

/* @from: NULL if we ask ourselves. NULL without memory, or if the id is known. */
struct node_request *node_request_add(struct fips_node *n, u64 id,
				      const struct fips_node_addr *target, struct node_peer *from)
{
	struct node_request *r;

	request_room(n, from);
	if (request_find(n, id))
		return NULL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->id = id;
	r->own = !from;
	r->target = *target;
	r->seen = n->now.mono_ms;
	if (from) {
		r->from = from->id.addr;
		from->mesh.n_requests++;
	}
	HASH_ADD(hh, n->mesh.requests, id, sizeof(r->id), r);
	DL_APPEND(n->mesh.request_list, r);
	return r;
}

/* ---- pacing of one question ---- */

static void paced_free(struct fips_node *n, struct node_paced *k)
{
	HASH_DEL(n->mesh.paced, k);
	DL_DELETE(n->mesh.paced_list, k);
	free(k);
}

/* Few requests in two seconds for each neighbour, origin and target. */
static bool paced_admit(struct fips_node *n, const struct node_asked *key)
{
	u64 gap = n->timing.lookup.forward_min_interval_secs;
	struct node_paced *k;

	gap = gap < 86400 ? gap * 1000 : 86400000;
	while (n->mesh.paced_list && n->now.mono_ms - n->mesh.paced_list->at >= gap)
		paced_free(n, n->mesh.paced_list);
	HASH_FIND(hh, n->mesh.paced, key, sizeof(*key), k);
	if (k)
		return k->count++ < n->rules->pace_repeats;
	if (HASH_COUNT(n->mesh.paced) >= NODE_LOOKUP_PACED)
		paced_free(n, n->mesh.paced_list);
	k = calloc(1, sizeof(*k));
	if (!k)
		return false;
	k->key = *key;
	k->at = n->now.mono_ms;
	k->count = 1;
	HASH_ADD(hh, n->mesh.paced, key, sizeof(k->key), k);
	DL_APPEND(n->mesh.paced_list, k);
	return true;
}

/* ---- requests ---- */

/* We are it (07 D.5). */
static void lookup_respond(struct fips_node *n, const struct node_peer *to,
			   const struct fips_lookup_request *req)
{
	u8 msg[FIPS_LOOKUP_RESP_HDR + 2 + FIPS_COORDS_DEPTH * FIPS_NODE_ADDR_LEN + FIPS_SIG_LEN];
	u8 proof[FIPS_SIG_LEN];
	const struct fips_lookup_response resp = {
		.id = req->id,
		.target = req->target,
		.path_mtu = to->link->mtu,
		.coords = node_coords_own(n),
		.proof = proof,
	};
	int len;

	n->counters.lookup.req_target_is_us++;
	if (fips_lookup_sign(n->env.pk, &n->env.rng, n->env.self->secret, &resp, proof))
		return;
	len = fips_lookup_response_build(msg, sizeof(msg), &resp);
	if (len > 0)
		node_link_xmit(n, to->link, msg, (size_t)len);
}

static void lookup_forward(struct fips_node *n, const struct node_peer *from,
			   const struct fips_lookup_request *in)
{
	u8 msg[FIPS_LOOKUP_REQ_HDR + 2 + 4 * FIPS_COORDS_DEPTH * FIPS_NODE_ADDR_LEN];
	struct fips_lookup_request req = *in;
	struct node_peer *to[NODE_RECIPIENTS];
	size_t count, i;
	int len;

	n->counters.lookup.req_forwarded++;
	count = node_lookup_recipients(n, &in->target, &from->id.addr, to);
	if (!count) {
		n->counters.lookup.req_no_tree_peer++;
		return;
	}
	req.ttl--;
	len = fips_lookup_request_build(msg, sizeof(msg), &req);
	for (i = 0; len > 0 && i < count; i++)
		node_link_xmit(n, to[i]->link, msg, (size_t)len);
}

/**
 * node_lookup_request() - a LookupRequest (07 D.4)
 * @n: node
 * @p: neighbour that brought it
 * @body: behind the type byte
 * @len: its length
 */
void node_lookup_request(struct fips_node *n, struct node_peer *p, const u8 *body, size_t len)
{
	struct fips_lookup_request req;
	struct node_asked key;

	n->counters.lookup.req_received++;
	if (fips_lookup_request_parse(body, len, &req)) {
		n->counters.lookup.req_decode_error++;
		return;
	}
	if (request_find(n, req.id)) {	/* also our own, when it comes back */
		n->counters.lookup.req_duplicate++;
		return;
	}
	if (!fips_bucket_take(&p->mesh.requests, &n->mesh.request_rate, n->now.mono_ms)) {
		n->counters.lookup.req_forward_rate_limited++;
		return;
	}
	if (!node_request_add(n, req.id, &req.target, p)) {
		n->counters.lookup.req_dedup_cache_full++;
		return;
	}
	if (fips_node_addr_eq(&req.target, &n->env.self->id.addr)) {
		lookup_respond(n, p, &req);
		return;
	}
	if (!req.ttl) {
		n->counters.lookup.req_ttl_exhausted++;
		return;
	}
	memset(&key, 0, sizeof(key));
	key.target = req.target;
	if (n->rules->pace_each) {
		key.from = p->id.addr;
		key.origin = req.origin;
	}
	if (!paced_admit(n, &key)) {
		n->counters.lookup.req_forward_rate_limited++;
		return;
	}
	lookup_forward(n, p, &req);
}

/* ---- responses ---- */

/* The first forger must not have the last word: some from different neighbours pass (07 L). */
static bool response_admit(const struct fips_node *n, struct node_request *r,
			   const struct node_peer *p)
{
	u32 i;

	for (i = 0; i < r->responses; i++) {
		if (fips_node_addr_eq(&r->responder[i], &p->id.addr))
			return false;
	}
	if (r->responses == n->rules->responses)
		return false;
	r->responder[r->responses++] = p->id.addr;
	return true;
}

static void response_forward(struct fips_node *n, struct node_request *r,
			     const struct fips_lookup_response *in)
{
	u8 msg[FIPS_LOOKUP_RESP_HDR + 2 + 4 * FIPS_COORDS_DEPTH * FIPS_NODE_ADDR_LEN +
	       FIPS_SIG_LEN];
	const struct node_peer *to = node_peer_find(n, &r->from);
	struct fips_lookup_response resp = *in;
	int len;

	if (!to) {
		n->counters.lookup.resp_no_route++;
		return;
	}
	n->counters.lookup.resp_forwarded++;
	if (to->link->mtu < resp.path_mtu)
		resp.path_mtu = to->link->mtu;
	len = fips_lookup_response_build(msg, sizeof(msg), &resp);
	if (len > 0)
		node_link_xmit(n, to->link, msg, (size_t)len);
}

/* 07 D.6. Nobody asked: dropped. */
void node_lookup_response(struct fips_node *n, struct node_peer *p, const u8 *body, size_t len)
{
	struct fips_lookup_response resp;
	struct node_request *r;

	n->counters.lookup.resp_received++;
	if (fips_lookup_response_parse(body, len, &resp)) {
		n->counters.lookup.resp_decode_error++;
		return;
	}
	r = request_find(n, resp.id);
	if (!r || !fips_node_addr_eq(&r->target, &resp.target)) {
		n->counters.lookup_unasked++;
		return;
	}
	if (!response_admit(n, r, p)) {
		n->counters.lookup_again++;
		return;
	}
	if (r->own)
		node_lookup_answer(n, &resp);
	else if (!fips_node_addr_eq(&r->from, &p->id.addr))
		response_forward(n, r, &resp);
}

/* ---- life ---- */

/* Its questions need no answer any more. */
void node_request_peer_gone(struct fips_node *n, struct node_peer *p)
{
	struct node_request *r, *tmp;

	if (!p->mesh.n_requests)
		return;
	DL_FOREACH_SAFE(n->mesh.request_list, r, tmp) {
		if (!r->own && fips_node_addr_eq(&r->from, &p->id.addr))
			request_free(n, r);
	}
}

void node_request_destroy(struct fips_node *n)
{
	while (n->mesh.request_list)
		request_free(n, n->mesh.request_list);
	while (n->mesh.paced_list)
		paced_free(n, n->mesh.paced_list);
}
