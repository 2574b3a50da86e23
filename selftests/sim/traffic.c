// SPDX-License-Identifier: MIT
/* Who sends when: random pings and flows of constant bit rate. */
#include <stdlib.h>

#include "sim.h"

/**
 * struct sim_flow - UDP packets from one node to another
 * @t: next packet
 * @src: node
 * @dst: node
 * @size: IPv6 packet
 * @gap: microseconds between two
 * @until: end
 */
struct sim_flow {
	struct sim_timer t;
	u32 src;
	u32 dst;
	u32 size;
	u64 gap;
	u64 until;
};

static void flow_next(struct sim *s, struct sim_timer *t)
{
	struct sim_flow *f = sim_container(t, struct sim_flow, t);

	if (s->now >= f->until)
		return;
	if (sim_node_runs(&s->nodes[f->src]))
		sim_udp(s, f->src, f->dst, f->size);
	sim_timer_set(s, t, s->now + f->gap);
}

void sim_flow_start(struct sim *s, u32 src, u32 dst, u32 pps, u32 size, u64 until)
{
	struct sim_traffic *t = &s->traffic;
	struct sim_flow *f = sim_zalloc(1, sizeof(*f));

	*f = (struct sim_flow) {
		.t.fire = flow_next,
		.src = src,
		.dst = dst,
		.size = size,
		.gap = SIM_SEC / (pps ? pps : 1),
		.until = until,
	};
	t->flows = sim_realloc(t->flows, t->n_flows + 1, sizeof(*t->flows));
	t->flows[t->n_flows++] = f;
	sim_timer_set(s, &f->t, s->now);
}

/* Two different nodes: neighbours, or any. */
static bool traffic_pair(struct sim *s, u32 *src, u32 *dst)
{
	struct sim_rng *r = &s->traffic.rng;
	struct sim_edge *e;
	u64 side;

	if (s->sc->far && s->n_nodes > 1) {
		*src = (u32)sim_rng_below(r, s->n_nodes);
		*dst = (u32)sim_rng_below(r, s->n_nodes - 1);
		*dst += *dst >= *src;
		return true;
	}
	if (!s->n_edges)
		return false;
	e = &s->edges[sim_rng_below(r, s->n_edges)];
	side = sim_rng_below(r, 2);
	*src = e->end[side];
	*dst = e->end[1 - side];
	return true;
}

static void traffic_ping(struct sim *s, struct sim_timer *t)
{
	struct sim_rng *r = &s->traffic.rng;
	u32 src, dst, size;

	if (!traffic_pair(s, &src, &dst))
		return;
	size = (u32)sim_rng_between(r, 56, s->sc->ping_size);
	if (sim_node_runs(&s->nodes[src]))
		sim_ping(s, src, dst, size);
	/* Not in step: anything up to twice the mean gap. */
	sim_timer_set(s, t, s->now + 1 + sim_rng_below(r, 2 * s->sc->ping_gap));
}

void sim_traffic_init(struct sim *s)
{
	const struct sim_scenario *sc = s->sc;
	struct sim_traffic *t = &s->traffic;
	u32 i, src, dst;

	sim_rng_init(&t->rng, sc->seed, SIM_STREAM_TRAFFIC, 0);
	t->gap.fire = traffic_ping;
	if (sc->ping_gap)
		sim_timer_set(s, &t->gap, sc->ping_from + sim_rng_below(&t->rng, sc->ping_gap));
	for (i = 0; i < sc->flows && traffic_pair(s, &src, &dst); i++)
		sim_flow_start(s, src, dst, sc->flow_pps, sc->flow_size, sc->duration);
}

void sim_traffic_stop(struct sim *s)
{
	u32 i;

	sim_timer_del(s, &s->traffic.gap);
	for (i = 0; i < s->traffic.n_flows; i++)
		sim_timer_del(s, &s->traffic.flows[i]->t);
}

void sim_traffic_free(struct sim *s)
{
	struct sim_traffic *t = &s->traffic;
	u32 i;

	for (i = 0; i < t->n_flows; i++)
		free(t->flows[i]);
	free(t->flows);
	free(t->packets);
	free(t->rtt.v);
	free(t->first.v);
	*t = (struct sim_traffic) { 0 };
}
