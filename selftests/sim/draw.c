// SPDX-License-Identifier: MIT
/*
 * A scenario drawn from a seed, for the swarm: small meshes with short timers,
 * so that a minute of virtual time sees what takes a real mesh an hour.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "rng.h"
#include "scenario.h"

static u64 pick(struct sim_rng *r, const u64 *of, size_t n)
{
	return of[sim_rng_below(r, n)];
}

#define PICK(r, ...) \
	pick(r, (const u64 []) { __VA_ARGS__ }, sizeof((const u64 []) { __VA_ARGS__ }) / 8)

static void draw_wire(struct sim_scenario *sc, struct sim_rng *r)
{
	struct sim_wire_cfg *w = &sc->wire;

	w->delay = PICK(r, 100, SIM_MS, 5 * SIM_MS, 20 * SIM_MS, 80 * SIM_MS);
	sc->delay_spread = PICK(r, 0, SIM_MS, 40 * SIM_MS);
	w->jitter = PICK(r, 0, 0, 2 * SIM_MS, 20 * SIM_MS);
	w->loss = (u32)PICK(r, 0, 0, 0, 10000, 50000, 200000);
	w->dup = (u32)PICK(r, 0, 0, 10000, 100000);
	w->reorder = (u32)PICK(r, 0, 0, 10000, 100000);
	w->corrupt = (u32)PICK(r, 0, 0, 0, 10000, 50000);
	w->replay = (u32)PICK(r, 0, 0, 10000, 100000);
	w->rate = PICK(r, 0, 0, 0, 1000000, 10000000);
}

static void draw_plane(struct sim_scenario *sc, struct sim_rng *r)
{
	struct sim_plane_cfg *p = &sc->plane;

	p->delay = PICK(r, 10, 30, SIM_MS, 20 * SIM_MS);
	p->late = PICK(r, 0, 0, SIM_MS, 50 * SIM_MS);
	p->reorder = p->late && sim_rng_below(r, 2);
	p->loss = (u32)PICK(r, 0, 0, 0, 1000, 20000);
	p->op_fail = (u32)PICK(r, 0, 0, 0, 1000, 10000);
	p->op_late = PICK(r, 0, 0, 0, 10 * SIM_MS, 200 * SIM_MS);
}

static void draw_timing(struct sim_scenario *sc, struct sim_rng *r)
{
	struct fips_node_timing *t = &sc->timing;

	t->heartbeat_interval_secs = PICK(r, 1, 2, 5, 10);
	t->link_dead_timeout_secs = 3 * t->heartbeat_interval_secs;
	t->rate_limit.handshake_timeout_secs = PICK(r, 5, 10, 30);
	t->rate_limit.handshake_resend_interval_ms = PICK(r, 250, 1000);
	t->retry.base_interval_secs = PICK(r, 1, 2, 5);
	t->retry.max_backoff_secs = PICK(r, 5, 10, 30);
	t->session.idle_timeout_secs = PICK(r, 3, 10, 90);
	t->session.coords_warmup_packets = (u8)PICK(r, 0, 1, 5);
	t->rekey.after_secs = PICK(r, 16, 35, 120);
	t->rekey.after_messages = PICK(r, 50, 1000, 65536);
	t->drain_timeout_secs = PICK(r, 1, 2);
}

/* One accident. */
static void draw_fault(struct sim_scenario *sc, struct sim_rng *r, FILE *f)
{
	u64 at = sim_rng_below(r, sc->duration / SIM_MS), n = sc->topo.nodes;
	u64 node = sim_rng_below(r, n), ms = sim_rng_between(r, 100, 30000);

	fprintf(f, "AT %" PRIu64 "ms ", at);
	switch (sim_rng_below(r, 12)) {
	case 0:
	case 1:
		fprintf(f, "crash %" PRIu64 "\nAT %" PRIu64 "ms restart %" PRIu64 "\n", node,
			at + ms, node);
		return;
	case 2:
		fprintf(f, "stop %" PRIu64 "\nAT %" PRIu64 "ms restart %" PRIu64 "\n", node,
			at + ms, node);
		return;
	case 3:
		fprintf(f, "restart %" PRIu64 "\n", node);
		return;
	case 4:
		fprintf(f, "partition 0..%" PRIu64 "\nAT %" PRIu64 "ms heal\n",
			sim_rng_below(r, n), at + ms);
		return;
	case 5:
		fprintf(f, "cut %" PRIu64 "\nAT %" PRIu64 "ms join %" PRIu64 "\n", node, at + ms,
			node);
		return;
	case 6:
		fprintf(f, "clock %" PRIu64 " step %s%" PRIu64 "s\n", node,
			sim_rng_below(r, 2) ? "-" : "", sim_rng_between(r, 1, 4000));
		return;
	case 7:
		fprintf(f, "move %" PRIu64 "\n", node);
		return;
	case 8:
		fprintf(f, "loss %" PRIu64 " %" PRIu64 "%%\nAT %" PRIu64 "ms loss %" PRIu64
			" 0%%\n", node, sim_rng_between(r, 20, 90), at + ms, node);
		return;
	case 9:
		fprintf(f, "upcalls %" PRIu64 " loss 30%% late 100ms reorder\nAT %" PRIu64
			"ms heal\n", node, at + ms);
		return;
	case 10:
		fprintf(f, "ops %" PRIu64 " fail 30%%\nAT %" PRIu64 "ms heal\n", node, at + ms);
		return;
	default:
		fprintf(f, "garbage %" PRIu64 " %" PRIu64 "\n", node, sim_rng_between(r, 1, 200));
		return;
	}
}

static void draw_faults(struct sim_scenario *sc, struct sim_rng *r)
{
	u64 count = PICK(r, 0, 1, 2, 4, 8);
	size_t len;
	FILE *f;

	f = open_memstream(&sc->faults, &len);
	if (!f)
		exit(3);
	while (count--)
		draw_fault(sc, r, f);
	if (!sim_rng_below(r, 6))
		fprintf(f, "FROM 1s TO %" PRIu64 "s churn 0.%" PRIu64 "/s down 3s\n",
			sc->duration / SIM_SEC, sim_rng_between(r, 1, 5));
	fclose(f);
}

void sim_scenario_draw(struct sim_scenario *sc, u64 seed)
{
	struct sim_rng rng, *r = &rng;

	sim_scenario_defaults(sc);
	sim_rng_init(r, seed, SIM_STREAM_SCENARIO, 0);
	sc->seed = seed;
	sc->topo.kind = (enum sim_topo_kind)sim_rng_below(r, SIM_TOPO_FILE);
	sc->topo.nodes = (u32)PICK(r, 2, 2, 3, 4, 6, 9, 16);
	sc->topo.degree = (u32)sim_rng_between(r, 2, 6);
	sc->dial = (enum sim_dial)sim_rng_below(r, 3);
	sc->names = !sim_rng_below(r, 8);
	sc->duration = PICK(r, 20, 40, 90) * SIM_SEC;
	sc->start_over = PICK(r, 0, SIM_SEC, 10 * SIM_SEC);
	sc->skew = PICK(r, 0, SIM_SEC, 3600 * SIM_SEC);
	sc->drift = (u32)PICK(r, 0, 50, 500);
	sc->mtu = (u16)PICK(r, 1280, 1280, 1472, 9000);
	sc->ping_gap = PICK(r, 20 * SIM_MS, 100 * SIM_MS, SIM_SEC);
	sc->ping_size = (u32)PICK(r, 84, 1200, 1203, 1500);
	sc->flows = (u32)PICK(r, 0, 0, 1, 3);
	draw_wire(sc, r);
	draw_plane(sc, r);
	draw_timing(sc, r);
	draw_faults(sc, r);
	sc->far = sim_rng_below(r, 4);
}
