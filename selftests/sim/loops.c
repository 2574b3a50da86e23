// SPDX-License-Identifier: MIT
/*
 * Invariant "no-forwarding-loop": routes of the data planes may lead in a circle
 * for a moment, while caches along the way disagree, but not for longer than the
 * bound while datagrams run around in it (their TTL runs out).
 */
#include <inttypes.h>
#include <stdlib.h>

#include "core_impl.h"
#include "mesh.h"

#define LOOP_BOUND	(15 * SIM_SEC)
#define LOOP_DESTS	64	/* destinations looked at in a large mesh */

/**
 * struct sim_loop - a circle of routes
 * @key: to which destination, and its smallest node
 * @since: first seen
 * @died: datagrams to its destination whose TTL had run out when the bound was over
 * @late: the bound is over
 * @look: the look that saw it last
 * @hh: in the table
 */
struct sim_loop {
	struct {
		u32 dst;
		u32 node;
	} key;
	u64 since;
	u64 died;
	bool late;
	u64 look;
	UT_hash_handle hh;
};

/* A link message in the clear, in the place where the packet core has opened it. */
#define LOOP_MSG_OFF	(FIPS_FMP_HDR_LEN + FIPS_FMP_INNER_LEN - 1)

void sim_loops_died(struct sim_node *n, const u8 *frame, size_t len)
{
	struct fips_node_addr dst;
	u8 ipv6[FIPS_IPV6_LEN];

	if (len < LOOP_MSG_OFF + FIPS_DGRAM_HDR_LEN || frame[LOOP_MSG_OFF] != FIPS_LINK_DATAGRAM ||
	    frame[LOOP_MSG_OFF + FIPS_DGRAM_TTL_OFF] > 1)
		return;
	memcpy(dst.b, frame + LOOP_MSG_OFF + FIPS_DGRAM_DST_OFF, sizeof(dst.b));
	fips_node_addr_to_ipv6(&dst, ipv6);
	n = sim_node_by_ipv6(n->sim, ipv6);
	if (n)
		n->died++;
}

/* All around from @from: its smallest node. */
static u32 loop_around(const u32 *next, u32 from)
{
	u32 i = from, least = from;

	do {
		least = i < least ? i : least;
		i = next[i];
	} while (i != from);
	return least;
}

static void loop_seen(struct sim *s, const u32 *next, u32 dst, u32 from)
{
	struct sim_loops *l = &s->loops;
	u64 died = s->nodes[dst].died;
	struct sim_loop *k, key = { .key.dst = dst };

	key.key.node = loop_around(next, from);
	HASH_FIND(hh, l->table, &key.key, sizeof(key.key), k);
	if (!k) {
		k = sim_zalloc(1, sizeof(*k));
		k->key = key.key;
		k->since = s->now;
		HASH_ADD(hh, l->table, key, sizeof(k->key), k);
	}
	k->look = l->looks;
	if (s->now - k->since <= LOOP_BOUND)
		return;
	if (!k->late) {
		k->late = true;
		k->died = died;
	} else if (died > k->died) {
		sim_fail(s, "no-forwarding-loop", "datagrams for n%u have gone in a circle at n%u"
			 " for %" PRIu64 " s", dst, k->key.node, (s->now - k->since) / SIM_SEC);
	}
}

/* @walk: number of the walk that came by, 0 = none. */
static void loop_dest(struct sim *s, u32 dst, u32 *next, u32 *walk)
{
	u32 i, k;

	for (i = 0; i < s->n_nodes; i++) {
		next[i] = i == dst ? SIM_NOBODY : sim_mesh_next(s, i, dst);
		walk[i] = 0;
	}
	for (i = 0; i < s->n_nodes; i++) {
		for (k = i; k != SIM_NOBODY && !walk[k]; k = next[k])
			walk[k] = i + 1;
		if (k != SIM_NOBODY && walk[k] == i + 1)
			loop_seen(s, next, dst, k);
	}
}

void sim_loops_check(struct sim *s)
{
	u32 *next = sim_alloc(2 * s->n_nodes * sizeof(*next)), dst;
	struct sim_loop *k, *tmp;

	s->loops.looks++;
	for (dst = 0; dst < s->n_nodes; dst += 1 + s->n_nodes / LOOP_DESTS)
		if (sim_node_runs(&s->nodes[dst]))
			loop_dest(s, dst, next, next + s->n_nodes);
	HASH_ITER(hh, s->loops.table, k, tmp) {
		if (k->look == s->loops.looks)
			continue;
		HASH_DEL(s->loops.table, k);
		free(k);
	}
	free(next);
}

void sim_loops_free(struct sim *s)
{
	struct sim_loop *k, *tmp;

	HASH_ITER(hh, s->loops.table, k, tmp) {
		HASH_DEL(s->loops.table, k);
		free(k);
	}
}
