// SPDX-License-Identifier: MIT
/*
 * Nodes: what surrounds a struct fips_node in the simulator, its lives and its
 * deaths, its clocks and its randomness.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "node.h"
#include "mesh.h"

#define LIFE_WALL_MS	UINT64_C(1700000000000)
#define LIFE_RETRIES	(1u << 16)	/* lives that get a stream of their own */
#define LIFE_SPINS	1000

/* ---- endpoints ---- */

struct fips_taddr sim_node_taddr(const struct sim_node *n)
{
	return (struct fips_taddr) {
		.kind = FIPS_TADDR_IPV4,
		.port = n->port,
		.addr = { 10, (u8)(n->idx >> 16), (u8)(n->idx >> 8), (u8)n->idx },
	};
}

u32 sim_taddr_node(const struct fips_taddr *a)
{
	if (a->kind != FIPS_TADDR_IPV4 || a->addr[0] != 10)
		return SIM_NOBODY;
	return (u32)a->addr[1] << 16 | (u32)a->addr[2] << 8 | a->addr[3];
}

struct sim_node *sim_node_by_ipv6(struct sim *s, const u8 *ipv6)
{
	struct sim_node *n;

	HASH_FIND(hh6, s->by_ipv6, ipv6, FIPS_IPV6_LEN, n);
	return n;
}

struct sim_node *sim_node_by_addr(struct sim *s, const struct fips_node_addr *addr)
{
	u8 ipv6[FIPS_IPV6_LEN];

	fips_node_addr_to_ipv6(addr, ipv6);
	return sim_node_by_ipv6(s, ipv6);
}

/* ---- time ---- */

u64 sim_node_mono_ms(const struct sim_node *n)
{
	return sim_clock_mono(&n->clock, n->sim->now) / 1000;
}

struct fips_clock sim_node_clock(const struct sim_node *n)
{
	return sim_clock_read(&n->clock, n->sim->now);
}

void sim_node_event(struct sim_node *n, const struct fips_event *ev)
{
	struct fips_clock now = sim_node_clock(n);
	struct sim_ask *a = NULL;
	struct fips_node_view v;
	u64 accepted = 0;

	if (n->lies && !sim_lie_event(n, ev))
		return;
	if (ev->type == FIPS_EV_LINK_MSG)
		a = sim_ask_response(n, ev->link_msg.msg, ev->link_msg.len);
	if (a) {
		fips_node_view(n->node, &now, &v);
		accepted = v.counters.lookup.resp_accepted;
	}
	fips_node_event(n->node, &now, ev);
	if (a) {
		fips_node_view(n->node, &now, &v);
		if (v.counters.lookup.resp_accepted > accepted)
			sim_ask_answered(n, a);
	}
}

/* A node that wants to be woken for ever at one instant would stop the world. */
static void life_spin(struct sim_node *n)
{
	if (n->spin_at != n->sim->now) {
		n->spin_at = n->sim->now;
		n->spins = 0;
	}
	if (++n->spins == LIFE_SPINS)
		sim_fail(n->sim, "no-busy-loop", "n%u was woken %u times at one instant", n->idx,
			 LIFE_SPINS);
}

static void life_wake(struct sim *s, struct sim_timer *t)
{
	struct sim_node *n = sim_container(t, struct sim_node, wake);
	const struct fips_event ev = { .type = FIPS_EV_TIMER };

	sim_note(s, SIM_NOTE_TIMER, n->idx, 0, 0, NULL, 0);
	life_spin(n);
	sim_node_event(n, &ev);
}

/* ---- what the node asks of its surroundings ---- */

static void life_wake_at(void *ctx, u64 mono_ms)
{
	struct sim_node *n = ctx;

	if (n->dying || mono_ms == FIPS_NEVER)
		sim_timer_del(n->sim, &n->wake);
	else
		sim_timer_set(n->sim, &n->wake, sim_clock_when(&n->clock, n->sim->now, mono_ms));
}

static int life_raw_send(void *ctx, u32 transport_id, const struct fips_taddr *to,
			 const void *data, size_t len)
{
	struct sim_node *n = ctx;
	struct sim_frame *f;

	if (n->dying)
		return 0;
	if (transport_id != SIM_TRANSPORT)
		return -ENODEV;
	f = sim_frame_new(len);
	memcpy(sim_frame_data(f), data, len);
	n->st->frames[SIM_TX_RAW]++;
	n->st->bytes[SIM_TX_RAW] += len;
	sim_wire_send(n, to, f);
	return 0;
}

/* "n5.sim"; one answer in eight is that there is none, for now. */
static int life_resolve(void *ctx, u32 query, const char *host, u16 port)
{
	struct fips_event ev = { .type = FIPS_EV_RESOLVED };
	struct sim_node *n = ctx, *to;
	struct fips_taddr addr;
	unsigned int idx;

	ev.resolved.query = query;
	ev.resolved.err = -ENOENT;
	if (sscanf(host, "n%u.sim", &idx) == 1 && idx < n->sim->n_nodes) {
		to = &n->sim->nodes[idx];
		addr = sim_node_taddr(to);
		addr.port = port;
		if (sim_rng_below(&n->rng_names, 8)) {
			ev.resolved.err = 0;
			ev.resolved.addrs = &addr;
			ev.resolved.count = 1;
		}
	}
	sim_upcall_later(n, &ev, sim_rng_between(&n->rng_names, SIM_MS, 50 * SIM_MS));
	return 0;
}

static void life_log(void *ctx, enum fips_log_level level, const char *line)
{
	struct sim_node *n = ctx;

	if (!n->dying)
		sim_note(n->sim, SIM_NOTE_LOG, n->idx, level, 0, line, strlen(line));
}

static const struct fips_node_ops life_ops = {
	.wake_at = life_wake_at,
	.raw_send = life_raw_send,
	.resolve = life_resolve,
	.log = life_log,
};

static int life_random(void *ctx, void *buf, size_t len)
{
	struct sim_node *n = ctx;

	if (n->sim->sin == SIM_SIN_NODE_STARTS)
		return -EIO;
	sim_rng_bytes(&n->rng, buf, len);
	return 0;
}

/* ---- birth ---- */

#define LIFE_ADDR_TEXT	32

struct life_peers {
	struct fips_peer_config *peers;
	struct fips_peer_addr *addrs;
	char (*texts)[LIFE_ADDR_TEXT];
	size_t n;
};

static void life_add_peer(struct sim_node *n, struct life_peers *p, u32 other)
{
	struct fips_taddr a = {
		.kind = FIPS_TADDR_IPV4,
		.port = SIM_PORT,
		.addr = { 10, (u8)(other >> 16), (u8)(other >> 8), (u8)other },
	};
	char text[FIPS_TADDR_TEXT_MAX];

	if (n->sim->sc->names)
		snprintf(p->texts[p->n], LIFE_ADDR_TEXT, "n%u.sim:%u", other, SIM_PORT);
	else
		snprintf(p->texts[p->n], LIFE_ADDR_TEXT, "%.31s", fips_taddr_format(&a, text));
	p->addrs[p->n] = (struct fips_peer_addr) { .transport = "udp", .addr = p->texts[p->n] };
	p->peers[p->n] = (struct fips_peer_config) {
		.id = n->sim->nodes[other].kp.id,
		.addrs = &p->addrs[p->n],
		.addr_count = 1,
		.policy = FIPS_CONNECT_AUTO,
		.auto_reconnect = true,
	};
	p->n++;
}

static void life_configure(struct sim_node *n)
{
	struct fips_clock now = sim_node_clock(n);
	struct life_peers p = {
		.peers = sim_alloc(n->n_edges * sizeof(*p.peers)),
		.addrs = sim_alloc(n->n_edges * sizeof(*p.addrs)),
		.texts = sim_alloc(n->n_edges * sizeof(*p.texts)),
	};
	struct sim_edge *e;
	u32 i;

	for (i = 0; i < n->n_edges; i++) {
		e = &n->sim->edges[n->edges[i]];
		if (e->dial[e->end[1] == n->idx])
			life_add_peer(n, &p, sim_edge_other(e, n->idx));
	}
	if (fips_node_set_peers(n->node, &now, p.peers, p.n))
		sim_fail(n->sim, "node-starts", "n%u refuses its peers", n->idx);
	free(p.peers);
	free(p.addrs);
	free(p.texts);
}

static void life_transport_up(struct sim_node *n)
{
	struct fips_event ev = { .type = FIPS_EV_TRANSPORT_UP };

	ev.transport.id = SIM_TRANSPORT;
	ev.transport.kind = FIPS_TRANSPORT_UDP;
	ev.transport.family = FIPS_TADDR_IPV4;
	ev.transport.mtu = n->sim->sc->mtu;
	ev.transport.accept = true;
	ev.transport.local = sim_node_taddr(n);
	sim_upcall_later(n, &ev, 0);
}

/* A hub needs room for its neighbours, unless the limit itself is the question. */
static struct fips_node_timing life_timing(const struct sim_node *n)
{
	struct fips_node_timing t = n->sim->sc->timing;
	u64 want = n->n_edges + n->n_edges / 2 + 8;

	if (n->sim->sc->limits)
		return t;
	t.limits.max_peers = want > t.limits.max_peers ? want : t.limits.max_peers;
	t.limits.max_links = 2 * want > t.limits.max_links ? 2 * want : t.limits.max_links;
	return t;
}

void sim_node_start(struct sim_node *n)
{
	const struct fips_core_config core = {
		.addr = n->kp.id.addr,
		.stage_packets = (u32)n->sim->sc->timing.session.pending_packets_per_dest,
		.stage_destinations = (u32)n->sim->sc->timing.session.pending_max_destinations,
	};
	struct fips_node_setup setup = {
		.keypair = &n->kp,
		.pk = &n->sim->pk,
		.secrets = n->sim->secrets,
		.rng = { .random = life_random, .ctx = n },
		.wall_ms = sim_node_clock(n).wall_ms,
		.timing = life_timing(n),
		.rules = n->reference ? FIPS_RULES_REFERENCE : FIPS_RULES_OWN,
		.ops = &life_ops,
		.ctx = n,
		.dp = &sim_dp_ops,
		.dp_ctx = n,
	};

	if (n->node)
		return;
	n->port = SIM_PORT;
	sim_rng_init(&n->rng, n->sim->sc->seed, SIM_STREAM_NODE,
		     (u64)n->idx * LIFE_RETRIES + n->life % LIFE_RETRIES);
	n->life++;
	n->sim->quiet = n->sim->now;
	if (n->life == 1)
		n->st->started = n->sim->now;
	sim_note(n->sim, SIM_NOTE_START, n->idx, n->life, 0, NULL, 0);
	n->core = fips_core_new(&core);
	if (!n->core || fips_node_new(&setup, &n->node)) {
		sim_fail(n->sim, "node-starts", "n%u does not start", n->idx);
		return;
	}
	life_configure(n);
	life_transport_up(n);
}

/* ---- death ---- */

static void life_keep_drops(struct sim_node *n)
{
	struct fips_dp_stats st;
	u32 i;

	fips_core_dev_get(n->core, &st);
	for (i = 0; i < FIPS_DROP_REASONS; i++)
		n->st->drops[i] += st.drops[i];
	sim_counts_add(&n->st->counts, n);
}

void sim_node_kill(struct sim_node *n)
{
	n->dying = true;
	sim_upcalls_clear(n);
	if (n->node) {
		sim_note(n->sim, SIM_NOTE_STOP, n->idx, n->life, 0, NULL, 0);
		life_keep_drops(n);
		fips_node_free(n->node);
		n->node = NULL;
		n->sim->quiet = n->sim->now;
	}
	fips_core_free(n->core);
	n->core = NULL;
	free(n->room);
	n->room = NULL;
	sim_timer_del(n->sim, &n->wake);
	sim_timer_del(n->sim, &n->tick);
	sim_timer_del(n->sim, &n->drained);
	n->dying = false;
}

static void life_drained(struct sim *s, struct sim_timer *t)
{
	(void)s;
	sim_node_kill(sim_container(t, struct sim_node, drained));
}

void sim_node_drain(struct sim_node *n)
{
	struct fips_clock now = sim_node_clock(n);

	fips_node_drain(n->node, &now);
	sim_timer_set(n->sim, &n->drained,
		      n->sim->now + n->sim->sc->timing.drain_timeout_secs * SIM_SEC);
}

void sim_node_move(struct sim_node *n)
{
	n->port++;
}

/* ---- all of them ---- */

static void life_keypair(struct sim_node *n)
{
	struct sim *s = n->sim;
	u8 secret[FIPS_KEY_LEN];
	struct sim_rng r;
	int ret;

	sim_rng_init(&r, s->sc->seed, SIM_STREAM_KEYS, n->idx);
	do {
		sim_rng_bytes(&r, secret, sizeof(secret));
		ret = fips_keypair_from_secret(&n->kp, &s->pk, s->secrets, secret);
	} while (ret == -ERANGE);
	if (ret)
		sim_fail(s, "node-starts", "no memory for the key of n%u", n->idx);
	HASH_ADD(hh6, s->by_ipv6, kp.id.ipv6, FIPS_IPV6_LEN, n);
}

static void life_clock(struct sim_node *n)
{
	const struct sim_scenario *sc = n->sim->sc;
	struct sim_rng r;

	sim_rng_init(&r, sc->seed, SIM_STREAM_CLOCK, n->idx);
	/* Some are beyond 2^32 ms, some are about to be. */
	n->clock.mono = sim_rng_between(&r, 1000, (u64)1 << 33) * 1000;
	if (!sim_rng_below(&r, 8))
		n->clock.mono = (((u64)1 << 32) - 10000) * 1000;
	n->clock.wall = (s64)(LIFE_WALL_MS * 1000) - (s64)n->clock.mono;
	n->clock.wall += (s64)sim_rng_below(&r, 2 * sc->skew + 1) - (s64)sc->skew;
	if (sc->drift)
		n->clock.ppm = (s32)sim_rng_below(&r, 2 * sc->drift + 1) - (s32)sc->drift;
}

static void life_edges(struct sim *s)
{
	u32 i, side;

	for (i = 0; i < s->n_edges; i++)
		for (side = 0; side < 2; side++)
			s->nodes[s->edges[i].end[side]].n_edges++;
	for (i = 0; i < s->n_nodes; i++) {
		s->nodes[i].edges = sim_alloc(s->nodes[i].n_edges * sizeof(u32));
		s->nodes[i].n_edges = 0;
	}
	/* Edges are sorted, so each node's neighbours come in order: first the smaller ones. */
	for (side = 2; side--;) {
		for (i = 0; i < s->n_edges; i++) {
			struct sim_node *n = &s->nodes[s->edges[i].end[side]];

			n->edges[n->n_edges++] = i;
		}
	}
}

void sim_node_born(struct sim *s, struct sim_timer *t)
{
	struct sim_node *n = sim_container(t, struct sim_node, wake);

	(void)s;
	n->wake.fire = life_wake;
	sim_node_start(n);
}

void sim_nodes_init(struct sim *s)
{
	struct sim_rng r, rules;
	struct sim_node *n;
	u32 i;

	s->n_nodes = s->topo.nodes;
	s->nodes = sim_zalloc(s->n_nodes, sizeof(*s->nodes));
	sim_rng_init(&r, s->sc->seed, SIM_STREAM_START, 0);
	sim_rng_init(&rules, s->sc->seed, SIM_STREAM_RULES, 0);
	for (i = 0; i < s->n_nodes; i++) {
		n = &s->nodes[i];
		n->sim = s;
		n->idx = i;
		n->port = SIM_PORT;
		n->plane = s->sc->plane;
		n->reference = sim_rng_chance(&rules, s->sc->reference);
		n->st = sim_zalloc(1, sizeof(*n->st));
		n->st->joined = SIM_NEVER;
		sim_rng_init(&n->rng_up, s->sc->seed, SIM_STREAM_UPCALL, i);
		sim_rng_init(&n->rng_op, s->sc->seed, SIM_STREAM_OPS, i);
		sim_rng_init(&n->rng_lies, s->sc->seed, SIM_STREAM_LIES, i);
		sim_rng_init(&n->rng_names, s->sc->seed, SIM_STREAM_RESOLVER, i);
		life_keypair(n);
		life_clock(n);
		sim_upcalls_init(n);
		n->tick.fire = sim_plane_tick;
		n->drained.fire = life_drained;
		n->wake.fire = sim_node_born;
		sim_timer_set(s, &n->wake, sim_rng_below(&r, s->sc->start_over));
	}
	life_edges(s);
	sim_newcomers_init(s);
}

void sim_nodes_free(struct sim *s)
{
	struct sim_node *n;
	u32 i;

	HASH_CLEAR(hh6, s->by_ipv6);
	for (i = 0; i < s->n_nodes; i++) {
		n = &s->nodes[i];
		sim_node_kill(n);
		fips_keypair_destroy(&n->kp);
		free(n->edges);
		free(n->st);
	}
	free(s->nodes);
	s->nodes = NULL;
	s->n_nodes = 0;
}
