// SPDX-License-Identifier: MIT
/*
 * Invariant "talks-again": after the last heal, all pairs that a path connects
 * talk again within the bound. Everything is healed, every pair pings until an
 * answer has come, and the run ends when the last one has it.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "sim.h"

#define SETTLE_ROUND	SIM_SEC
#define SETTLE_PAIRS	4000	/* of more, so many are drawn */
#define SETTLE_SIZE	84

/**
 * struct settle_pair - two who must talk
 * @a: node that asks
 * @b: node
 * @nr: last ping
 * @tries: pings so far
 * @done: one came back
 */
struct settle_pair {
	u32 a;
	u32 b;
	u64 nr;
	u32 tries;
	bool done;
};

/**
 * struct sim_settle - the end of a run
 * @t: next round
 * @began: when everything was healed
 * @bound: how long it may take
 * @pairs: all
 * @n: their number
 */
struct sim_settle {
	struct sim_timer t;
	u64 began;
	u64 bound;
	struct settle_pair *pairs;
	u32 n;
};

static void settle_add(struct sim *s, u32 a, u32 b)
{
	struct sim_settle *st = s->settle;

	if (sim_node_runs(&s->nodes[a]) && sim_node_runs(&s->nodes[b]))
		st->pairs[st->n++] = (struct settle_pair) { .a = a, .b = b };
}

/*
 * One end asks, the same all the time (unless @both_ask): traffic of the other would mend what a
 * client of the first suffers from. Of too many pairs some are drawn (a partial
 * Fisher-Yates shuffle).
 */
static void settle_draw(struct sim *s)
{
	struct sim_settle *st = s->settle;
	struct settle_pair tmp;
	struct sim_rng r;
	u32 i, j;

	sim_rng_init(&r, s->sc->seed, SIM_STREAM_SETTLE, 0);
	for (i = 0; st->n > SETTLE_PAIRS && i < SETTLE_PAIRS; i++) {
		j = (u32)sim_rng_between(&r, i, st->n - 1);
		tmp = st->pairs[i];
		st->pairs[i] = st->pairs[j];
		st->pairs[j] = tmp;
	}
	if (st->n > SETTLE_PAIRS)
		st->n = SETTLE_PAIRS;
	for (i = 0; i < st->n; i++) {
		tmp = st->pairs[i];
		if (sim_rng_below(&r, 2))
			st->pairs[i] = (struct settle_pair) { .a = tmp.b, .b = tmp.a };
	}
}

/* No more accidents: what comes now is the protocol's. */
static void settle_clean(struct sim *s)
{
	struct sim_edge *e;
	struct sim_wire_cfg *cfg;
	u32 i, side;

	if (s->sin == SIM_SIN_TALKS_AGAIN)
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

static void settle_late(struct sim *s, const struct settle_pair *p, u32 open)
{
	struct sim_edge *e = sim_edge_find(s, p->a, p->b);

	sim_fail(s, "talks-again", "n%u and n%u (%s) do not talk %" PRIu64
		 " s after everything was healed, after %u pings; %u of %u pairs", p->a, p->b,
		 e && sim_edge_linked(s, e) ? "linked" : "not linked",
		 s->settle->bound / SIM_SEC, p->tries, open, s->settle->n);
}

static void settle_round(struct sim *s, struct sim_timer *t)
{
	struct settle_pair *p, *late = NULL;
	struct sim_settle *st = s->settle;
	u32 i, open = 0;

	for (i = 0; i < st->n; i++) {
		p = &st->pairs[i];
		if (p->tries && s->traffic.packets[p->nr].back)
			p->done = true;
		if (p->done)
			continue;
		open++;
		late = late ? late : p;
		if (s->sc->both_ask && p->tries % 2)
			p->nr = sim_ping(s, p->b, p->a, SETTLE_SIZE);
		else
			p->nr = sim_ping(s, p->a, p->b, SETTLE_SIZE);
		p->tries++;
	}
	if (!open) {
		s->checks.settled = s->now - st->began;
		s->done = true;
		return;
	}
	if (s->now > st->began + st->bound)
		settle_late(s, late, open);
	sim_timer_set(s, t, s->now + SETTLE_ROUND);
}

void sim_settle_start(struct sim *s)
{
	struct sim_settle *st = sim_zalloc(1, sizeof(*st));
	u32 i;

	s->settle = st;
	sim_traffic_stop(s);
	settle_clean(s);
	st->pairs = sim_alloc(s->n_edges * sizeof(*st->pairs));
	for (i = 0; i < s->n_edges; i++)
		settle_add(s, s->edges[i].end[0], s->edges[i].end[1]);
	settle_draw(s);
	s->checks.pairs = st->n;
	st->began = s->now;
	st->bound = s->sc->bound ? s->sc->bound : sim_scenario_bound(s->sc);
	st->t.fire = settle_round;
	sim_timer_set(s, &st->t, s->now);
}

void sim_settle_free(struct sim *s)
{
	if (!s->settle)
		return;
	free(s->settle->pairs);
	free(s->settle);
	s->settle = NULL;
}
