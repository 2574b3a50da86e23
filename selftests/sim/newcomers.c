// SPDX-License-Identifier: MIT
/*
 * Newcomers (--newcomers K): nodes behind the others in number, each with one
 * wire to somebody, that start one after the other in the second half of the
 * run and at once ping a random node that was there before.
 */
#include <stdlib.h>

#include "sim.h"

static void newcomer_start(struct sim *s, struct sim_timer *t)
{
	struct sim_node *n = sim_container(t, struct sim_node, wake);
	u32 old = s->n_nodes - s->sc->topo.newcomers, dst;

	sim_node_born(s, t);
	do {
		dst = (u32)sim_rng_below(&s->newcomers.rng, old);
	} while (old > 1 && sim_edge_find(s, n->idx, dst));
	if (!sim_node_runs(n) || !sim_node_runs(&s->nodes[dst]))
		return;
	s->newcomers.ping[s->newcomers.n++] = sim_ping(s, n->idx, dst, SIM_NEWCOMER_PING);
}

void sim_newcomers_init(struct sim *s)
{
	u32 k = s->sc->topo.newcomers, i;
	u64 half = s->sc->duration / 2;
	struct sim_node *n;

	sim_rng_init(&s->newcomers.rng, s->sc->seed, SIM_STREAM_NEWCOMERS, 0);
	s->newcomers.ping = sim_alloc((k ? k : 1) * sizeof(*s->newcomers.ping));
	for (i = 0; i < k; i++) {
		n = &s->nodes[s->n_nodes - k + i];
		n->wake.fire = newcomer_start;
		sim_timer_set(s, &n->wake, half + half * i / k);
	}
}

void sim_newcomers_times(struct sim *s, struct sim_times *t)
{
	const struct sim_packet *p;
	u32 i;

	for (i = 0; i < s->newcomers.n; i++) {
		p = &s->traffic.packets[s->newcomers.ping[i]];
		if (p->back)
			sim_times_add(t, p->answered - p->sent);
	}
}
