// SPDX-License-Identifier: MIT
/*
 * How long lookups take: from the first request of a node for a target, seen on
 * its way into the data plane, until a response with one of its ids is accepted.
 */
#include <stdlib.h>

#include "lookup_codec.h"
#include "mesh.h"

#define ASK_IDS		8	/* requests of one lookup that may still be answered */
#define ASK_FRESH_MS	10000	/* may still be answered when the run ends */
#define ASK_ENDS_MS	30000	/* a request after so much silence begins another lookup */

/**
 * struct sim_ask - a lookup
 * @key: who asks for whom
 * @began: first request
 * @last: newest
 * @id: of the newest requests
 * @n: requests
 * @done: it has been answered
 * @hh: in the table of all
 */
struct sim_ask {
	struct {
		u32 node;
		struct fips_node_addr target;
	} key;
	u64 began;
	u64 last;
	u64 id[ASK_IDS];
	u64 n;
	bool done;
	UT_hash_handle hh;
};

static struct sim_ask_sums *ask_sums(struct sim_node *n)
{
	return n->reference ? &n->sim->asks.reference : &n->sim->asks.own;
}

static struct sim_ask *ask_get(struct sim_node *n, const struct fips_node_addr *target, bool make)
{
	struct sim_ask *a, key;

	memset(&key, 0, sizeof(key));
	key.key.node = n->idx;
	key.key.target = *target;
	HASH_FIND(hh, n->sim->asks.open, &key.key, sizeof(key.key), a);
	if (a || !make)
		return a;
	a = sim_zalloc(1, sizeof(*a));
	a->key = key.key;
	a->done = true;
	HASH_ADD(hh, n->sim->asks.open, key, sizeof(a->key), a);
	return a;
}

void sim_ask_request(struct sim_node *n, const u8 *msg, size_t len)
{
	struct fips_lookup_request req;
	u64 now = n->sim->now;
	struct sim_ask *a;

	if (len < 2 || msg[0] != FIPS_LINK_LOOKUP_REQUEST ||
	    fips_lookup_request_parse(msg + 1, len - 1, &req) ||
	    !fips_node_addr_eq(&req.origin, &n->kp.id.addr))
		return;
	a = ask_get(n, &req.target, true);
	if (a->done || now - a->last > ASK_ENDS_MS * SIM_MS) {
		a->began = now;
		a->n = 0;
		a->done = false;
		ask_sums(n)->asked++;
	}
	a->last = now;
	/* One request goes to several neighbours. */
	if (!a->n || a->id[(a->n - 1) % ASK_IDS] != req.id)
		a->id[a->n++ % ASK_IDS] = req.id;
}

struct sim_ask *sim_ask_response(struct sim_node *n, const u8 *msg, size_t len)
{
	struct fips_lookup_response resp;
	struct sim_ask *a;
	u64 i;

	if (len < 2 || msg[0] != FIPS_LINK_LOOKUP_RESPONSE ||
	    fips_lookup_response_parse(msg + 1, len - 1, &resp))
		return NULL;
	a = ask_get(n, &resp.target, false);
	for (i = 0; a && !a->done && i < a->n && i < ASK_IDS; i++)
		if (a->id[i] == resp.id)
			return a;
	return NULL;
}

void sim_ask_answered(struct sim_node *n, struct sim_ask *a)
{
	struct sim *s = n->sim;

	a->done = true;
	ask_sums(n)->found++;
	sim_times_add(&s->asks.times, s->now - a->began);
}

/* The target has shown its place otherwise, by asking us for instance. */
static bool ask_is_moot(struct sim *s, const struct sim_ask *a)
{
	struct sim_node *n = &s->nodes[a->key.node], *to;
	struct sim_mesh_knowledge k;
	u8 ipv6[FIPS_IPV6_LEN];

	fips_node_addr_to_ipv6(&a->key.target, ipv6);
	to = sim_node_by_ipv6(s, ipv6);
	if (!to || !sim_node_runs(n))
		return true;
	sim_mesh_knows(n, to, &k);
	return k.depth && !k.asks;
}

void sim_asks_end(struct sim *s)
{
	struct sim_ask_sums *sums;
	struct sim_ask *a, *tmp;

	HASH_ITER(hh, s->asks.open, a, tmp) {
		if (a->done)
			continue;
		sums = ask_sums(&s->nodes[a->key.node]);
		if (ask_is_moot(s, a))
			sums->moot++;
		else if (s->now - a->began < ASK_FRESH_MS * SIM_MS)
			sums->cut++;
	}
}

void sim_asks_free(struct sim *s)
{
	struct sim_ask *a, *tmp;

	HASH_ITER(hh, s->asks.open, a, tmp) {
		HASH_DEL(s->asks.open, a);
		free(a);
	}
	free(s->asks.times.v);
}
