// SPDX-License-Identifier: MIT
/*
 * Invariants that are looked at from time to time: bounds of all tables,
 * agreement of a node with its data plane, who is linked with whom. Those of
 * packets and keys are checked where they happen (stack.c, nonce.c).
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "core_impl.h"
#include "mesh.h"

#define CHECK_EARLY	(100 * SIM_MS)	/* until all are linked */
#define CHECK_LATE	SIM_SEC
#define CHECK_TREE_MOVES	(5 * SIM_SEC)
#define CHECK_MANY	1000		/* with more nodes it costs too much */

/* Bounds beyond the configured ones, as node_internal.h and 03 §9 have them. */
#define BOUND_CANDIDATES	(2 * 64)
#define BOUND_STANDBY		4
#define BOUND_SESSIONS		4096

void sim_fail(struct sim *s, const char *invariant, const char *fmt, ...)
{
	va_list ap;

	if (s->failure.name)
		return;
	s->failure.name = invariant;
	s->failure.at = s->now;
	va_start(ap, fmt);
	vsnprintf(s->failure.text, sizeof(s->failure.text), fmt, ap);
	va_end(ap);
}

struct has_peer {
	const struct fips_node_addr *addr;
	bool found;
};

static void check_peer(void *arg, const struct fips_peer_view *v)
{
	struct has_peer *h = arg;

	h->found |= fips_node_addr_eq(&v->id->addr, h->addr);
}

bool sim_node_has_peer(struct sim_node *n, const struct sim_node *other)
{
	struct has_peer h = { .addr = &other->kp.id.addr };
	struct fips_clock now;

	if (!sim_node_runs(n))
		return false;
	now = sim_node_clock(n);
	fips_node_each_peer(n->node, &now, check_peer, &h);
	return h.found;
}

bool sim_edge_linked(struct sim *s, const struct sim_edge *e)
{
	struct sim_node *a = &s->nodes[e->end[0]], *b = &s->nodes[e->end[1]];

	return sim_node_has_peer(a, b) && sim_node_has_peer(b, a);
}

/* ---- bounds ---- */

static void check_max(u64 *max, u64 v)
{
	*max = v > *max ? v : *max;
}

static void check_bound(struct sim_node *n, const char *what, u64 v, u64 bound)
{
	if (bound && v > bound)
		sim_fail(n->sim, "tables-bounded", "n%u has %" PRIu64 " %s, at most %" PRIu64
			 " are allowed", n->idx, v, what, bound);
}

static void check_node(struct sim_node *n, const struct fips_node_view *v)
{
	const struct fips_node_timing *t = &n->sim->sc->timing;
	struct sim_tables *m = &n->sim->checks.tables;
	u64 peers = n->sim->sc->limits ? t->limits.max_peers : 0;

	check_max(&m->peers, v->peers);
	check_max(&m->legs, v->legs);
	check_max(&m->links, v->links);
	check_max(&m->sessions, v->sessions);
	check_max(&m->identities, v->identities);
	check_bound(n, "peers", v->peers, peers);
	check_bound(n, "links", v->links, t->limits.max_links + BOUND_CANDIDATES +
		    BOUND_STANDBY * (peers ? peers : n->n_edges) + 3 * n->n_edges);
	check_bound(n, "sessions", v->sessions, BOUND_SESSIONS);
	check_bound(n, "identities", v->identities,
		    t->cache.identity_size + n->n_edges + v->sessions + v->peers);
}

static void check_core(struct sim_node *n, const struct fips_node_view *v)
{
	struct sim_tables *m = &n->sim->checks.tables;
	const struct fips_core *c = n->core;

	check_max(&m->core_links, HASH_COUNT(c->links));
	check_max(&m->core_indices, HASH_COUNT(c->indices));
	check_max(&m->core_sessions, HASH_CNT(hh, c->sessions));
	check_max(&m->core_routes, HASH_COUNT(c->routes));
	check_max(&m->core_stages, HASH_COUNT(c->stages));
	check_max(&m->core_staged_bytes, c->staged_bytes);
	check_max(&m->core_parked, c->parked);
	check_bound(n, "links in its data plane", HASH_COUNT(c->links), FIPS_MAX_LINKS);
	check_bound(n, "routes", HASH_COUNT(c->routes), FIPS_MAX_ROUTES);
	check_bound(n, "staging queues", HASH_COUNT(c->stages), c->cfg.stage_destinations);
	check_bound(n, "staged bytes", c->staged_bytes, FIPS_STAGE_BYTES);
	check_bound(n, "parked frames", c->parked, FIPS_PARK_TOTAL);
	check_bound(n, "unreachable addresses", HASH_COUNT(c->unreachable), FIPS_MAX_UNREACHABLE);
	/* What the node has forgotten must not live on below it. */
	if (HASH_COUNT(c->links) > v->links)
		sim_fail(n->sim, "no-leak-in-plane", "n%u knows %zu links, its data plane %u",
			 n->idx, v->links, HASH_COUNT(c->links));
	if (HASH_CNT(hh, c->sessions) > v->sessions)
		sim_fail(n->sim, "no-leak-in-plane", "n%u knows %zu sessions, its data plane %u",
			 n->idx, v->sessions, HASH_CNT(hh, c->sessions));
}

/* ---- the look ---- */

/* How many edges may carry a link now. */
static u64 check_usable_edges(struct sim *s)
{
	struct sim_edge *e;
	u64 n = 0;
	u32 i;

	for (i = 0; i < s->n_edges; i++) {
		e = &s->edges[i];
		n += sim_node_runs(&s->nodes[e->end[0]]) && sim_node_runs(&s->nodes[e->end[1]]) &&
		     !e->half[0].cut && !e->half[1].cut;
	}
	return n;
}

/* Nothing gets lost now: what the tree must be, it must be in time. */
static bool check_calm(struct sim *s)
{
	const struct sim_wire_cfg *w;
	u32 i;

	for (i = 0; i < 2 * s->n_edges; i++) {
		w = &s->edges[i / 2].half[i % 2].cfg;
		if (w->loss || w->corrupt || w->rate)
			return false;
	}
	for (i = 0; i < s->n_nodes; i++)
		if (s->nodes[i].plane.loss || s->nodes[i].plane.op_fail)
			return false;
	return true;
}

/*
 * One root in each part, coordinates that are the ancestry: so long after the
 * last accident, and from then on until the next, but for the moments in which
 * a change of parent is on its way.
 */
static void check_tree(struct sim *s)
{
	u64 bound = s->sc->bound ? s->sc->bound : sim_scenario_bound(s->sc);
	const char *name;
	char why[128];

	if (s->settle || s->now < s->quiet + bound)
		return;
	if (!check_calm(s) || sim_mesh_settled(s, &name, why, sizeof(why)))
		s->checks.tree_bad = 0;
	else if (!s->checks.tree_bad)
		s->checks.tree_bad = s->now;
	else if (s->now > s->checks.tree_bad + CHECK_TREE_MOVES)
		sim_fail(s, name, "%s, %" PRIu64 " s after the last accident", why,
			 (s->now - s->quiet) / SIM_SEC);
}

static void check_look(struct sim *s, struct sim_timer *t)
{
	struct fips_node_view v;
	struct fips_clock now;
	const char *name;
	struct sim_node *n;
	u64 peers = 0, gap;
	char why[128];
	u32 i;

	for (i = 0; i < s->n_nodes && !s->failure.name; i++) {
		n = &s->nodes[i];
		if (!sim_node_runs(n))
			continue;
		now = sim_node_clock(n);
		fips_node_view(n->node, &now, &v);
		peers += v.peers;
		check_node(n, &v);
		check_core(n, &v);
	}
	if (!s->checks.converged && s->now >= s->sc->start_over &&
	    peers == 2 * check_usable_edges(s))
		s->checks.converged = s->now;
	sim_mesh_check(s);
	if (!s->liars)
		sim_loops_check(s);
	check_tree(s);
	if (!s->checks.tree && s->checks.converged && sim_mesh_settled(s, &name, why, sizeof(why)))
		s->checks.tree = s->now;
	sim_note(s, SIM_NOTE_CHECK, SIM_NOBODY, peers, 0, NULL, 0);
	gap = s->checks.tree ? CHECK_LATE : CHECK_EARLY;
	sim_timer_set(s, t, s->now + gap * (1 + s->n_nodes / CHECK_MANY));
}

void sim_checks_start(struct sim *s)
{
	s->checks.timer.fire = check_look;
	sim_timer_set(s, &s->checks.timer, CHECK_EARLY);
}
