// SPDX-License-Identifier: MIT
/*
 * Invariant "talks-again": after the last heal, all pairs that a path connects
 * talk again within the bound. Everything is healed, every pair pings until an
 * answer has come and the tree is what it must be; then all pairs ping once
 * more, and each must be answered at one of a few attempts ("stays-settled": a
 * session may just be expiring at either end). In a large mesh the pairs begin
 * in groups, for all at once would only measure the limits of lookups.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "graph.h"
#include "mesh.h"
#include "sim.h"

#define SETTLE_ROUND	SIM_SEC
#define SETTLE_PAIRS	4000	/* of more, so many are drawn */
#define SETTLE_GROUP	256		/* pairs that begin in one round */
#define SETTLE_SIZE	84
#define SETTLE_PATIENCE	(10 * SIM_SEC)	/* for the last pings of each, on wires without delay */
#define SETTLE_LAST	6		/* their number, likewise */
#define SETTLE_KEEP	16		/* pings that may still be answered */

/**
 * struct settle_pair - two who must talk
 * @a: node that asks
 * @b: node
 * @nr: last pings
 * @last: how many pings it may take in the end
 * @way: longest time that a datagram takes from one to the other
 * @tries: pings so far
 * @hidden: a liar has stood above one of them
 * @done: one came back
 */
struct settle_pair {
	u32 a;
	u32 b;
	u64 nr[SETTLE_KEEP];
	u32 last;
	u64 way;
	u32 tries;
	bool hidden;
	bool done;
};

/**
 * struct sim_settle - the end of a run
 * @t: next round
 * @began: when everything was healed
 * @bound: how long it may take
 * @again: when the last pings were sent, 0 = not yet
 * @patience: for their answers
 * @pairs: all
 * @n: their number
 * @begun: the first so many have begun
 * @rng: stream
 */
struct sim_settle {
	struct sim_timer t;
	u64 began;
	u64 bound;
	u64 again;
	u64 patience;
	struct settle_pair *pairs;
	u32 n;
	u32 begun;
	struct sim_rng rng;
};

/* ---- who ---- */

/*
 * One end asks, the same all the time (unless @both_ask): traffic of the other
 * would mend what a client of the first suffers from.
 */
static void settle_add(struct sim *s, u32 a, u32 b)
{
	struct sim_settle *st = s->settle;
	bool swap = sim_rng_below(&st->rng, 2);

	st->pairs[st->n++] = (struct settle_pair) { .a = swap ? b : a, .b = swap ? a : b };
}

static void settle_neighbours(struct sim *s)
{
	struct sim_edge *e;
	u32 i;

	s->settle->pairs = sim_alloc(s->n_edges * sizeof(*s->settle->pairs));
	for (i = 0; i < s->n_edges; i++) {
		e = &s->edges[i];
		if (sim_node_honest(&s->nodes[e->end[0]]) &&
		    sim_node_honest(&s->nodes[e->end[1]]))
			settle_add(s, e->end[0], e->end[1]);
	}
}

/* All that a path connects, or so many of them drawn. */
static void settle_far(struct sim *s)
{
	u32 *part = sim_alloc(s->n_nodes * sizeof(*part)), i, k;
	u64 all = (u64)s->n_nodes * (s->n_nodes - 1) / 2;
	struct sim_settle *st = s->settle;

	sim_graph_parts(s, part);
	st->pairs = sim_alloc((all < SETTLE_PAIRS ? all : SETTLE_PAIRS) * sizeof(*st->pairs));
	if (all <= SETTLE_PAIRS) {
		for (i = 0; i < s->n_nodes; i++)
			for (k = 0; k < i; k++)
				if (part[i] != SIM_FAR && part[i] == part[k])
					settle_add(s, k, i);
	} else {
		for (i = 0; i < SETTLE_PAIRS; i++) {
			u32 a = (u32)sim_rng_below(&st->rng, s->n_nodes);
			u32 b = (u32)sim_rng_below(&st->rng, s->n_nodes);

			if (a != b && part[a] != SIM_FAR && part[a] == part[b])
				settle_add(s, a, b);
		}
	}
	free(part);
}

/* A partial Fisher-Yates shuffle. */
static void settle_draw(struct sim *s)
{
	struct sim_settle *st = s->settle;
	struct settle_pair tmp;
	u32 i, j;

	for (i = 0; st->n > SETTLE_PAIRS && i < SETTLE_PAIRS; i++) {
		j = (u32)sim_rng_between(&st->rng, i, st->n - 1);
		tmp = st->pairs[i];
		st->pairs[i] = st->pairs[j];
		st->pairs[j] = tmp;
	}
	if (st->n > SETTLE_PAIRS)
		st->n = SETTLE_PAIRS;
}

/* No more accidents: what comes now is the protocol's. */
static void settle_clean(struct sim *s)
{
	struct sim_edge *e;
	struct sim_wire_cfg *cfg;
	u32 i, side;

	if (sim_sin_unhealed(s))
		return;
	sim_heal(s);
	for (i = 0; i < s->n_edges; i++) {
		e = &s->edges[i];
		for (side = 0; side < 2; side++) {
			cfg = &e->half[side].cfg;
			cfg->loss = 0;
			cfg->dup = 0;
			cfg->reorder = 0;
			cfg->corrupt = 0;
			cfg->replay = 0;
		}
	}
	for (i = 0; i < s->n_nodes; i++) {
		s->nodes[i].plane.loss = 0;
		s->nodes[i].plane.op_fail = 0;
		s->nodes[i].port = SIM_PORT;
	}
}

/* ---- rounds ---- */

static void settle_ping(struct sim *s, struct settle_pair *p)
{
	bool turn = s->sc->both_ask && p->tries % 2;

	p->nr[p->tries++ % SETTLE_KEEP] =
		sim_ping(s, turn ? p->b : p->a, turn ? p->a : p->b, SETTLE_SIZE);
}

static bool settle_answered(struct sim *s, const struct settle_pair *p)
{
	u32 i;

	for (i = 0; i < p->tries && i < SETTLE_KEEP; i++)
		if (s->traffic.packets[p->nr[i]].back)
			return true;
	return false;
}

static void settle_late(struct sim *s, const struct settle_pair *p, u32 open)
{
	struct sim_edge *e = sim_edge_find(s, p->a, p->b);
	char path[128], belief[256];

	sim_mesh_path(s, p->a, p->b, path, sizeof(path));
	sim_mesh_belief(s, p->a, p->b, belief, sizeof(belief));
	sim_fail(s, "talks-again", "n%u and n%u (%s) do not talk %" PRIu64
		 " s after everything was healed, after %u pings; route %s; n%u %s; %u of %u pairs",
		 p->a, p->b, !e ? "no neighbours" : sim_edge_linked(s, e) ? "linked" : "not linked",
		 s->settle->bound / SIM_SEC, p->tries, path, p->b, belief, open, s->settle->n);
}

/* Who has not been answered yet; the first of them. */
static u32 settle_open(struct sim *s, struct settle_pair **first)
{
	struct sim_settle *st = s->settle;
	struct settle_pair *p;
	u32 i, open = 0;

	for (i = 0; i < st->n; i++) {
		p = &st->pairs[i];
		p->hidden |= sim_mesh_shadowed(&s->nodes[p->a]) ||
			     sim_mesh_shadowed(&s->nodes[p->b]) ||
			     sim_mesh_swallowed(s, p->a, p->b);
		p->done = p->done || p->hidden || settle_answered(s, p);
		if (p->done)
			continue;
		if (!open++)
			*first = p;
	}
	return open;
}

/*
 * How many pings it may take from now on. When a session ends at one end, no message says so to
 * the other, whose data goes nowhere until a new one is there: the first ping tells the far end
 * after one way, and its Setup, the Ack and Msg3 take three more. What is sent until then is lost,
 * whatever the nodes do. So pings go on for four ways more than on wires without delay, and the
 * last of them may take two more for itself and its answer.
 */
static void settle_allow(struct sim *s, struct settle_pair *p)
{
	const struct sim_wire_cfg *w = &s->sc->wire;
	u64 hop = w->delay + s->sc->delay_spread + w->jitter;

	p->way = sim_mesh_hops(s, p->a, p->b) * hop + s->sc->plane.delay + s->sc->plane.late;
	p->last = SETTLE_LAST + (u32)((4 * p->way + SETTLE_ROUND - 1) / SETTLE_ROUND);
	if (s->settle->patience < SETTLE_PATIENCE + 6 * p->way)
		s->settle->patience = SETTLE_PATIENCE + 6 * p->way;
}

/* All have talked. Once more, and now everybody must be answered. */
static void settle_again(struct sim *s)
{
	struct sim_settle *st = s->settle;
	u32 i;

	s->checks.settled = s->now - st->began;
	st->again = s->now;
	st->patience = SETTLE_PATIENCE;
	if (s->sin == SIM_SIN_STAYS_SETTLED)
		s->edges[0].half[0].cut = true;
	for (i = 0; i < st->n; i++) {
		st->pairs[i].done = false;
		st->pairs[i].tries = 0;
		settle_allow(s, &st->pairs[i]);
		settle_ping(s, &st->pairs[i]);
	}
}

static void settle_last(struct sim *s)
{
	struct settle_pair *first = NULL;
	struct sim_settle *st = s->settle;
	u32 open = settle_open(s, &first), i;
	char there[96], back[96];

	for (i = 0; open && i < st->n; i++)
		if (!st->pairs[i].done && st->pairs[i].tries < st->pairs[i].last)
			settle_ping(s, &st->pairs[i]);
	if (open && s->now < st->again + st->patience)
		return;
	s->done = true;
	if (!open)
		return;
	sim_mesh_path(s, first->a, first->b, there, sizeof(there));
	sim_mesh_path(s, first->b, first->a, back, sizeof(back));
	sim_fail(s, "stays-settled", "n%u has talked with n%u, and then its pings from %" PRIu64
		 " on were not answered; routes %s, back %s; %u of %u pairs", first->a, first->b,
		 first->nr[0], there, back, open, st->n);
}

static void settle_round(struct sim *s, struct sim_timer *t)
{
	struct settle_pair *first = NULL;
	struct sim_settle *st = s->settle;
	const char *name = NULL;
	char why[128];
	bool tree;
	u32 i, open;

	sim_timer_set(s, t, s->now + SETTLE_ROUND);
	if (st->again) {
		settle_last(s);
		return;
	}
	open = settle_open(s, &first);
	tree = s->sin == SIM_SIN_TALKS_AGAIN ||
	       sim_mesh_settled(s, &name, why, sizeof(why));
	if (!open && tree) {
		settle_again(s);
		return;
	}
	if (s->now > st->began + st->bound) {
		if (!tree)
			sim_fail(s, name, "%s, %" PRIu64 " s after everything was healed", why,
				 st->bound / SIM_SEC);
		else
			settle_late(s, first, open);
		return;
	}
	st->begun = st->n - st->begun > SETTLE_GROUP ? st->begun + SETTLE_GROUP : st->n;
	for (i = 0; i < st->begun; i++)
		if (!st->pairs[i].done)
			settle_ping(s, &st->pairs[i]);
}

void sim_settle_start(struct sim *s)
{
	struct sim_settle *st = sim_zalloc(1, sizeof(*st));

	s->settle = st;
	sim_traffic_stop(s);
	settle_clean(s);
	sim_rng_init(&st->rng, s->sc->seed, SIM_STREAM_SETTLE, 0);
	if (s->sc->far)
		settle_far(s);
	else
		settle_neighbours(s);
	settle_draw(s);
	s->checks.pairs = st->n;
	st->began = s->now;
	st->bound = s->sc->bound ? s->sc->bound : sim_scenario_bound(s->sc);
	st->bound += st->n / SETTLE_GROUP * SETTLE_ROUND;
	st->t.fire = settle_round;
	sim_timer_set(s, &st->t, s->now);
}

/* Thousandths: hops of the routes there are, over the shortest there could be. */
void sim_settle_stretch(struct sim *s, u64 *stretch, u64 *pairs)
{
	u32 *dist = sim_alloc(s->n_nodes * sizeof(*dist)), from = SIM_NOBODY, hops, i;
	u64 taken = 0, best = 0;

	*pairs = 0;
	for (i = 0; s->settle && s->sc->far && i < s->settle->n && i < 1000; i++) {
		const struct settle_pair *p = &s->settle->pairs[i];

		if (p->a != from)
			sim_graph_distances(s, p->a, dist);
		from = p->a;
		hops = sim_mesh_hops(s, p->a, p->b);
		if (!hops || dist[p->b] == SIM_FAR)
			continue;
		taken += hops;
		best += dist[p->b];
		++*pairs;
	}
	*stretch = best ? taken * 1000 / best : 0;
	free(dist);
}

void sim_settle_free(struct sim *s)
{
	if (!s->settle)
		return;
	free(s->settle->pairs);
	free(s->settle);
	s->settle = NULL;
}
