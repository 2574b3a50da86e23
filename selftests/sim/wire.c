// SPDX-License-Identifier: MIT
/*
 * Wires: what leaves a node reaches the neighbour later, twice, out of order,
 * changed, or not at all.
 */
#include <stdlib.h>
#include <utlist.h>

#include "sim.h"

#define WIRE_REORDER_MS	40	/* how far a frame may be overtaken */
#define WIRE_REPLAY_S	20

const char *const sim_loss_names[SIM_LOSSES] = {
	[SIM_LOSS_DICE] = "loss",
	[SIM_LOSS_CUT] = "cut",
	[SIM_LOSS_QUEUE] = "queue-full",
	[SIM_LOSS_MTU] = "too-big",
	[SIM_LOSS_NO_WIRE] = "no-wire",
	[SIM_LOSS_MOVED] = "moved",
	[SIM_LOSS_DOWN] = "down",
};

/**
 * struct sim_frame - a frame in flight
 * @arrive: when
 * @prev: others in flight
 * @next: same
 * @src: node
 * @dst: node
 * @port: of the destination
 * @from: where it says it comes from
 * @len: bytes
 * @data: they
 */
struct sim_frame {
	struct sim_timer arrive;
	struct sim_frame *prev;
	struct sim_frame *next;
	u32 src;
	u32 dst;
	u16 port;
	struct fips_taddr from;
	size_t len;
	u8 data[];
};

struct sim_frame *sim_frame_new(size_t len)
{
	struct sim_frame *f = sim_alloc(sizeof(*f) + len);

	memset(f, 0, sizeof(*f));
	f->len = len;
	return f;
}

u8 *sim_frame_data(struct sim_frame *f)
{
	return f->data;
}

struct sim_edge *sim_edge_find(struct sim *s, u32 a, u32 b)
{
	struct sim_node *n = &s->nodes[a];
	u32 lo = 0, hi = n->n_edges, mid, other;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		other = sim_edge_other(&s->edges[n->edges[mid]], a);
		if (other == b)
			return &s->edges[n->edges[mid]];
		if (other < b)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static void wire_lose(struct sim_node *n, struct sim_frame *f, enum sim_loss why)
{
	n->sim->lost[why]++;
	sim_note(n->sim, SIM_NOTE_LOSS, n->idx, f->dst, why, NULL, 0);
	free(f);
}

static void wire_arrive(struct sim *s, struct sim_timer *t)
{
	struct sim_frame *f = sim_container(t, struct sim_frame, arrive);
	struct sim_node *n = &s->nodes[f->dst];

	DL_DELETE(s->frames, f);
	s->frames_in_flight--;
	if (!sim_node_runs(n)) {
		wire_lose(&s->nodes[f->src], f, SIM_LOSS_DOWN);
		return;
	}
	if (f->port != n->port) {
		wire_lose(&s->nodes[f->src], f, SIM_LOSS_MOVED);
		return;
	}
	sim_note(s, SIM_NOTE_RECV, n->idx, f->src, f->len, f->data, f->len);
	sim_plane_frame(n, &f->from, f->data, f->len);
	free(f);
}

static void wire_launch(struct sim *s, struct sim_frame *f, u64 at)
{
	f->arrive.fire = wire_arrive;
	DL_APPEND(s->frames, f);
	s->frames_in_flight++;
	sim_timer_set(s, &f->arrive, at);
}

static struct sim_frame *wire_copy(const struct sim_frame *f)
{
	struct sim_frame *copy = sim_frame_new(f->len);

	copy->src = f->src;
	copy->dst = f->dst;
	copy->port = f->port;
	copy->from = f->from;
	memcpy(copy->data, f->data, f->len);
	return copy;
}

/* Through the rate limit; when the last bit is out, or SIM_NEVER if the queue is full. */
static u64 wire_queue(struct sim_half *h, u64 now, size_t len)
{
	u64 start = h->busy > now ? h->busy : now;

	if (!h->cfg.rate)
		return now;
	if (h->cfg.queue && (start - now) * h->cfg.rate / (8 * SIM_SEC) + len > h->cfg.queue)
		return SIM_NEVER;
	h->busy = start + len * 8 * SIM_SEC / h->cfg.rate;
	return h->busy;
}

static u64 wire_when(struct sim_half *h, u64 out)
{
	u64 at = out + h->cfg.delay;

	if (h->cfg.jitter)
		at += sim_rng_below(&h->rng, h->cfg.jitter);
	if (sim_rng_chance(&h->rng, h->cfg.reorder))
		return at + sim_rng_below(&h->rng, WIRE_REORDER_MS * SIM_MS);
	if (at < h->last)
		at = h->last;
	h->last = at;
	return at;
}

static void wire_corrupt(struct sim_half *h, struct sim_frame *f)
{
	u64 bit = sim_rng_below(&h->rng, f->len * 8);

	f->data[bit / 8] ^= (u8)(1 << bit % 8);
}

/* Somebody has recorded it, and is slower than the wire: it arrived at @at. */
static void wire_replay(struct sim *s, struct sim_half *h, const struct sim_frame *f, u64 at)
{
	struct sim_frame *copy = wire_copy(f);

	if (sim_rng_below(&h->rng, 2))
		copy->from.port = (u16)sim_rng_between(&h->rng, 1024, 2000);
	wire_launch(s, copy, at + 1 + sim_rng_below(&h->rng, WIRE_REPLAY_S * SIM_SEC));
}

static void wire_carry(struct sim_node *n, struct sim_half *h, struct sim_frame *f)
{
	struct sim *s = n->sim;
	u64 out, at;

	if (h->cut) {
		wire_lose(n, f, SIM_LOSS_CUT);
		return;
	}
	if (h->cfg.mtu && f->len > h->cfg.mtu) {
		wire_lose(n, f, SIM_LOSS_MTU);
		return;
	}
	out = wire_queue(h, s->now, f->len);
	if (out == SIM_NEVER) {
		wire_lose(n, f, SIM_LOSS_QUEUE);
		return;
	}
	if (sim_rng_chance(&h->rng, h->cfg.loss)) {
		wire_lose(n, f, SIM_LOSS_DICE);
		return;
	}
	h->frames++;
	h->bytes += f->len;
	if (sim_rng_chance(&h->rng, h->cfg.dup))
		wire_launch(s, wire_copy(f), wire_when(h, out));
	if (f->len && sim_rng_chance(&h->rng, h->cfg.corrupt))
		wire_corrupt(h, f);
	at = wire_when(h, out);
	if (sim_rng_chance(&h->rng, h->cfg.replay))
		wire_replay(s, h, f, at);
	wire_launch(s, f, at);
}

void sim_wire_send(struct sim_node *n, const struct fips_taddr *to, struct sim_frame *f)
{
	struct sim *s = n->sim;
	struct sim_edge *e;

	f->src = n->idx;
	f->dst = sim_taddr_node(to);
	f->port = to->port;
	f->from = sim_node_taddr(n);
	sim_note(s, SIM_NOTE_SEND, n->idx, f->dst, f->len, f->data, f->len);
	e = f->dst < s->n_nodes ? sim_edge_find(s, n->idx, f->dst) : NULL;
	if (!e) {
		wire_lose(n, f, SIM_LOSS_NO_WIRE);
		return;
	}
	wire_carry(n, &e->half[e->end[1] == n->idx], f);
}

void sim_wire_flush(struct sim *s)
{
	struct sim_frame *f;

	while ((f = s->frames)) {
		DL_DELETE(s->frames, f);
		sim_timer_del(s, &f->arrive);
		free(f);
	}
	s->frames_in_flight = 0;
}

static void wire_draw_dial(struct sim *s, struct sim_edge *e, struct sim_rng *r)
{
	enum sim_dial how = s->sc->dial;
	u64 way;

	/* Nobody has been told of newcomers. */
	if (e->end[1] >= s->topo.nodes - s->sc->topo.newcomers)
		how = SIM_DIAL_ONE;
	switch (how) {
	case SIM_DIAL_ONE:
		e->dial[1] = true;
		return;
	case SIM_DIAL_BOTH:
		e->dial[0] = true;
		e->dial[1] = true;
		return;
	case SIM_DIAL_MIX:
		way = sim_rng_below(r, 3);
		e->dial[0] = way != 1;
		e->dial[1] = way != 0;
		return;
	}
}

void sim_wire_init(struct sim *s)
{
	const struct sim_scenario *sc = s->sc;
	struct sim_edge *e;
	struct sim_rng r;
	u32 i;

	s->n_edges = s->topo.n_edges;
	s->edges = sim_zalloc(s->n_edges, sizeof(*s->edges));
	for (i = 0; i < s->n_edges; i++) {
		e = &s->edges[i];
		e->end[0] = s->topo.edges[i].a;
		e->end[1] = s->topo.edges[i].b;
		sim_rng_init(&r, sc->seed, SIM_STREAM_EDGES, i);
		wire_draw_dial(s, e, &r);
		e->base = sc->wire;
		e->base.delay += sim_rng_below(&r, sc->delay_spread);
		e->half[0].cfg = e->base;
		e->half[1].cfg = e->base;
		sim_rng_init(&e->half[0].rng, sc->seed, SIM_STREAM_WIRE, 2 * (u64)i);
		sim_rng_init(&e->half[1].rng, sc->seed, SIM_STREAM_WIRE, 2 * (u64)i + 1);
	}
}
