// SPDX-License-Identifier: MIT
/* The simulation as an object: its beginning, its loop, its end. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "memo.h"
#include "nonce.h"
#include "sim.h"

#define ENGINE_LOOK	4096	/* events between two looks at the real clock */
#define ENGINE_TAIL	(5 * SIM_SEC)	/* a ping needs no longer */

static u64 engine_real_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000 + (u64)ts.tv_nsec / 1000000;
}

/* Only for the blinding of the curve's context, which decides nothing. */
static int engine_random(void *ctx, void *buf, size_t len)
{
	sim_rng_bytes(ctx, buf, len);
	return 0;
}

/**
 * struct engine_pk - the real table, shared by all simulations of the process
 */
static struct fips_pk engine_pk;

static int engine_crypto(struct sim *s)
{
	struct sim_rng r = { .s = 1 };
	const struct fips_rng rng = { .random = engine_random, .ctx = &r };
	int ret = engine_pk.ops ? 0 : fips_pk_init(&engine_pk, &rng);

	if (ret)
		return ret;
	s->pk = (struct fips_pk) { .ops = engine_pk.ops, .ctx = engine_pk.ctx };
	if (s->sc->memo)
		s->memo = sim_memo_new(&engine_pk, &s->pk);
	return fips_secrets_new(&s->secrets);
}

static void engine_end(struct sim *s, struct sim_timer *t)
{
	(void)t;
	if (s->sc->settle)
		sim_settle_start(s);
	else
		s->done = true;
}

int sim_new(struct sim **out, const struct sim_scenario *sc, char *why, size_t why_len)
{
	struct sim *s = sim_zalloc(1, sizeof(*s));
	u64 end;
	int ret;

	s->sc = sc;
	s->log.out = sc->trace;
	s->mono_start = engine_real_ms();
	ret = sim_topo_make(&s->topo, &sc->topo, sc->seed, why, why_len);
	if (ret) {
		free(s);
		return ret;
	}
	sim_nonce_watch(s);
	ret = engine_crypto(s);
	if (ret) {
		snprintf(why, why_len, "cryptography: %s", strerror(-ret));
		sim_free(s);
		return ret;
	}
	sim_wire_init(s);
	sim_nodes_init(s);
	ret = sim_faults_load(s, sc->faults, why, why_len);
	if (ret) {
		sim_free(s);
		return ret;
	}
	sim_faults_start(s);
	sim_traffic_init(s);
	sim_checks_start(s);
	/* Behind the last fault, which may be a heal. */
	end = s->faults.last + 1 > sc->duration ? s->faults.last + 1 : sc->duration;
	s->end.fire = engine_end;
	sim_timer_set(s, &s->end, end);
	*out = s;
	return 0;
}

static void engine_progress(struct sim *s, u64 *told)
{
	u64 now = engine_real_ms();

	if (now < *told + 2000)
		return;
	*told = now;
	fprintf(stderr, "fipssim: %" PRIu64 " of %" PRIu64 " s, %" PRIu64 " events, %" PRIu64
		" frames in flight, %" PRIu64 " s gone%s\n", s->now / SIM_SEC,
		s->end.at / SIM_SEC, s->events, s->frames_in_flight,
		(now - s->mono_start) / 1000, s->settle ? ", settling" : "");
}

void sim_run(struct sim *s)
{
	u64 told = engine_real_ms();
	struct sim_timer *t;

	while (!s->done && !s->failure.name) {
		t = sim_queue_pop(&s->queue);
		if (!t)
			break;
		s->now = t->at;
		s->events++;
		t->fire(s, t);
		if (s->sc->progress && s->events % ENGINE_LOOK == 0)
			engine_progress(s, &told);
	}
}

/* Between linked neighbours, over wires that lose nothing, every ping comes back. */
static void engine_lossless(struct sim *s)
{
	const struct sim_packet *p;
	u64 i;

	for (i = 0; i < s->traffic.n; i++) {
		p = &s->traffic.packets[i];
		if (!p->linked || p->sent + ENGINE_TAIL > s->now || (p->udp ? p->seen : p->back))
			continue;
		sim_fail(s, "lossless", "packet %" PRIu64 " n%u to n%u of %" PRIu64
			 " ms was lost", i, p->src, p->dst, p->sent / 1000);
	}
}

void sim_finish(struct sim *s)
{
	u32 i, n = s->n_nodes;
	size_t left;

	if (s->sc->lossless)
		engine_lossless(s);
	sim_asks_end(s);
	sim_settle_stretch(s, &s->checks.stretch, &s->checks.stretch_pairs);
	for (i = 0; i < n; i++)
		sim_node_kill(&s->nodes[i]);
	left = fips_secrets_used(s->secrets);
	if (left != n)
		sim_fail(s, "no-secret-left", "%zu secrets are left of %u nodes", left, n);
}

void sim_free(struct sim *s)
{
	sim_nodes_free(s);
	sim_wire_flush(s);
	sim_stack_flush(s);
	sim_traffic_free(s);
	sim_asks_free(s);
	sim_loops_free(s);
	free(s->newcomers.ping);
	sim_faults_free(s);
	sim_settle_free(s);
	sim_queue_free(&s->queue);
	sim_topo_free(&s->topo);
	free(s->edges);
	sim_nonce_stop();
	sim_memo_free(s->memo);
	fips_secrets_destroy(s->secrets);
	free(s);
}
