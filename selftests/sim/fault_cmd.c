// SPDX-License-Identifier: MIT
/*
 * What a fault does. Each command reads its words and then acts, or only reads
 * them when the schedule is checked.
 */
#include <errno.h>
#include <stdlib.h>

#include "mesh.h"

/* Words that follow the command. */
struct words {
	char *const *v;
	int n;
};

static const char *word(const struct words *w, int i)
{
	return i < w->n ? w->v[i] : "";
}

/* Value behind a key word, or NULL. */
static const char *word_after(const struct words *w, const char *key)
{
	int i;

	for (i = 0; i + 1 < w->n; i++)
		if (!strcmp(w->v[i], key))
			return w->v[i + 1];
	return NULL;
}

static bool word_has(const struct words *w, const char *key)
{
	int i;

	for (i = 0; i < w->n; i++)
		if (!strcmp(w->v[i], key))
			return true;
	return false;
}

static int parse_node(const struct sim *s, const char *text, u32 *node)
{
	unsigned long v;
	char *end;

	v = strtoul(text, &end, 10);
	if (end == text || *end || v >= s->n_nodes)
		return -EINVAL;
	*node = (u32)v;
	return 0;
}

/* ---- which wires ---- */

/**
 * struct scope - "all", "5" (all wires of a node), "3-4", "3>4"
 */
struct scope {
	bool all;
	bool node;
	bool one_way;
	u32 a;
	u32 b;
};

static int parse_scope(struct sim *s, const char *text, struct scope *sc)
{
	const char *sep = text + strspn(text, "0123456789");
	char left[16];

	*sc = (struct scope) { .all = !strcmp(text, "all") };
	if (sc->all)
		return 0;
	if ((size_t)(sep - text) >= sizeof(left))
		return -EINVAL;
	memcpy(left, text, (size_t)(sep - text));
	left[sep - text] = 0;
	if (parse_node(s, left, &sc->a))
		return -EINVAL;
	sc->node = !*sep;
	if (sc->node)
		return 0;
	sc->one_way = *sep == '>';
	if ((*sep != '-' && *sep != '>') || parse_node(s, sep + 1, &sc->b))
		return -EINVAL;
	return sim_edge_find(s, sc->a, sc->b) ? 0 : -EINVAL;
}

static bool scope_has(const struct scope *sc, u32 from, u32 to)
{
	if (sc->all)
		return true;
	if (sc->node)
		return from == sc->a || to == sc->a;
	return (from == sc->a && to == sc->b) ||
	       (!sc->one_way && from == sc->b && to == sc->a);
}

typedef void (*half_fn)(struct sim_half *h, u64 v, u64 v2);

static void scope_each(struct sim *s, const struct scope *sc, half_fn fn, u64 v, u64 v2)
{
	struct sim_edge *e;
	u32 i, side;

	for (i = 0; i < s->n_edges; i++) {
		e = &s->edges[i];
		for (side = 0; side < 2; side++)
			if (scope_has(sc, e->end[side], e->end[1 - side]))
				fn(&e->half[side], v, v2);
	}
}

static void half_cut(struct sim_half *h, u64 v, u64 v2)
{
	(void)v2;
	h->cut = v;
}

static void half_delay(struct sim_half *h, u64 v, u64 v2)
{
	(void)v2;
	h->cfg.delay = v;
}

static void half_jitter(struct sim_half *h, u64 v, u64 v2)
{
	(void)v2;
	h->cfg.jitter = v;
}

static void half_loss(struct sim_half *h, u64 v, u64 v2)
{
	(void)v2;
	h->cfg.loss = (u32)v;
}

static void half_dup(struct sim_half *h, u64 v, u64 v2)
{
	(void)v2;
	h->cfg.dup = (u32)v;
}

static void half_reorder(struct sim_half *h, u64 v, u64 v2)
{
	(void)v2;
	h->cfg.reorder = (u32)v;
}

static void half_corrupt(struct sim_half *h, u64 v, u64 v2)
{
	(void)v2;
	h->cfg.corrupt = (u32)v;
}

static void half_replay(struct sim_half *h, u64 v, u64 v2)
{
	(void)v2;
	h->cfg.replay = (u32)v;
}

static void half_rate(struct sim_half *h, u64 v, u64 v2)
{
	h->cfg.rate = v;
	h->cfg.queue = (u32)v2;
	h->busy = 0;
}

static int wire_time(struct sim *s, const struct words *w, bool act, half_fn fn)
{
	struct scope sc;
	u64 v;

	if (w->n != 2 || parse_scope(s, word(w, 0), &sc) || sim_parse_time(word(w, 1), &v))
		return -EINVAL;
	if (act)
		scope_each(s, &sc, fn, v, 0);
	return 0;
}

static int wire_ppm(struct sim *s, const struct words *w, bool act, half_fn fn)
{
	struct scope sc;
	u32 v;

	if (w->n != 2 || parse_scope(s, word(w, 0), &sc) || sim_parse_ppm(word(w, 1), &v))
		return -EINVAL;
	if (act)
		scope_each(s, &sc, fn, v, 0);
	return 0;
}

static int cmd_rate(struct sim *s, const struct words *w, bool act, half_fn fn)
{
	const char *queue = word_after(w, "queue");
	u64 rate, bytes = 65536;
	struct scope sc;

	if (w->n < 2 || parse_scope(s, word(w, 0), &sc) || sim_parse_size(word(w, 1), &rate) ||
	    (queue && sim_parse_size(queue, &bytes)))
		return -EINVAL;
	if (act)
		scope_each(s, &sc, fn, rate, bytes);
	return 0;
}

static int wire_cut(struct sim *s, const struct words *w, bool act, u64 cut)
{
	struct scope sc;

	if (w->n != 1 || parse_scope(s, word(w, 0), &sc))
		return -EINVAL;
	if (act)
		scope_each(s, &sc, half_cut, cut, 0);
	return 0;
}

static int cmd_cut(struct sim *s, const struct words *w, bool act, half_fn fn)
{
	(void)fn;
	return wire_cut(s, w, act, 1);
}

static int cmd_join(struct sim *s, const struct words *w, bool act, half_fn fn)
{
	(void)fn;
	return wire_cut(s, w, act, 0);
}

/* "0..4,7": into a set of nodes. */
static int parse_set(struct sim *s, const char *text, bool *in)
{
	unsigned long from, to;
	char *end;

	while (*text) {
		from = strtoul(text, &end, 10);
		if (end == text)
			return -EINVAL;
		to = from;
		if (!strncmp(end, "..", 2)) {
			text = end + 2;
			to = strtoul(text, &end, 10);
			if (end == text)
				return -EINVAL;
		}
		if (from > to || to >= s->n_nodes || (*end && *end != ','))
			return -EINVAL;
		for (; from <= to; from++)
			in[from] = true;
		text = *end ? end + 1 : end;
	}
	return 0;
}

static int cmd_partition(struct sim *s, const struct words *w, bool act, half_fn fn)
{
	bool *in = sim_zalloc(s->n_nodes, sizeof(*in));
	struct sim_edge *e;
	int ret;
	u32 i;

	(void)fn;
	ret = w->n == 1 ? parse_set(s, word(w, 0), in) : -EINVAL;
	for (i = 0; !ret && act && i < s->n_edges; i++) {
		e = &s->edges[i];
		if (in[e->end[0]] != in[e->end[1]]) {
			e->half[0].cut = true;
			e->half[1].cut = true;
		}
	}
	free(in);
	return ret;
}

void sim_heal(struct sim *s)
{
	struct sim_edge *e;
	u32 i, side;

	for (i = 0; i < s->n_edges; i++) {
		e = &s->edges[i];
		for (side = 0; side < 2; side++) {
			e->half[side].cut = false;
			e->half[side].cfg = e->base;
			e->half[side].busy = 0;
		}
	}
	for (i = 0; i < s->n_nodes; i++)
		s->nodes[i].plane = s->sc->plane;
}

static int cmd_heal(struct sim *s, const struct words *w, bool act, half_fn fn)
{
	(void)fn;
	if (w->n)
		return -EINVAL;
	if (act)
		sim_heal(s);
	return 0;
}

/* ---- nodes ---- */

static int cmd_crash(struct sim *s, const struct words *w, bool act, half_fn fn)
{
	u32 node;

	(void)fn;
	if (w->n != 1 || parse_node(s, word(w, 0), &node))
		return -EINVAL;
	if (act && sim_node_runs(&s->nodes[node]))
		sim_node_kill(&s->nodes[node]);
	return 0;
}

static int cmd_stop(struct sim *s, const struct words *w, bool act, half_fn fn)
{
	u32 node;

	(void)fn;
	if (w->n != 1 || parse_node(s, word(w, 0), &node))
		return -EINVAL;
	if (act && sim_node_runs(&s->nodes[node]) && !s->nodes[node].drained.pos)
		sim_node_drain(&s->nodes[node]);
	return 0;
}

/* "fresh" is for saved state, which nodes don't have yet: both are the same. */
static int cmd_restart(struct sim *s, const struct words *w, bool act, half_fn fn)
{
	u32 node;

	(void)fn;
	if (w->n < 1 || w->n > 2 || parse_node(s, word(w, 0), &node) ||
	    (w->n == 2 && strcmp(word(w, 1), "fresh")))
		return -EINVAL;
	if (!act)
		return 0;
	/* Before its time, or still saying goodbye: then it crashes first. */
	if (sim_node_runs(&s->nodes[node]))
		sim_node_kill(&s->nodes[node]);
	if (s->nodes[node].life)
		sim_node_start(&s->nodes[node]);
	return 0;
}

static int cmd_move(struct sim *s, const struct words *w, bool act, half_fn fn)
{
	u32 node;

	(void)fn;
	if (w->n != 1 || parse_node(s, word(w, 0), &node))
		return -EINVAL;
	if (act)
		sim_node_move(&s->nodes[node]);
	return 0;
}

static int cmd_clock(struct sim *s, const struct words *w, bool act, half_fn fn)
{
	const char *step = word_after(w, "step"), *drift = word_after(w, "drift");
	bool back = step && *step == '-';
	struct sim_node *n;
	u64 us = 0;
	long ppm;
	u32 node;

	(void)fn;
	ppm = drift ? strtol(drift, NULL, 10) : 0;
	if (w->n != 3 || !step == !drift || parse_node(s, word(w, 0), &node) ||
	    (step && sim_parse_time(step + (*step == '-' || *step == '+'), &us)) ||
	    ppm > SIM_PPM_MAX || ppm < -SIM_PPM_MAX)
		return -EINVAL;
	if (!act)
		return 0;
	n = &s->nodes[node];
	if (step)
		n->clock.wall += back ? -(s64)us : (s64)us;
	else
		sim_clock_drift(&n->clock, s->now, (s32)ppm);
	return 0;
}

/* Apply @plane to one node or all. */
static int plane_apply(struct sim *s, const char *whom, const struct words *w, bool act, bool ops)
{
	const char *delay = word_after(w, "delay"), *late = word_after(w, "late");
	const char *loss = word_after(w, ops ? "fail" : "loss");
	struct sim_plane_cfg *p;
	u64 d = 0, l = 0;
	u32 node = 0, i, ppm = 0;

	if ((strcmp(whom, "all") && parse_node(s, whom, &node)) || w->n < 2 ||
	    (delay && sim_parse_time(delay, &d)) || (late && sim_parse_time(late, &l)) ||
	    (loss && sim_parse_ppm(loss, &ppm)))
		return -EINVAL;
	for (i = 0; act && i < s->n_nodes; i++) {
		if (strcmp(whom, "all") && i != node)
			continue;
		p = &s->nodes[i].plane;
		if (ops) {
			p->op_fail = loss ? ppm : p->op_fail;
			p->op_late = late ? l : p->op_late;
			continue;
		}
		p->delay = delay ? d : p->delay;
		p->late = late ? l : p->late;
		p->loss = loss ? ppm : p->loss;
		p->reorder |= word_has(w, "reorder");
	}
	return 0;
}

static int cmd_upcalls(struct sim *s, const struct words *w, bool act, half_fn fn)
{
	(void)fn;
	return plane_apply(s, word(w, 0), w, act, false);
}

static int cmd_ops(struct sim *s, const struct words *w, bool act, half_fn fn)
{
	(void)fn;
	return plane_apply(s, word(w, 0), w, act, true);
}

/* ---- operators, traffic, strangers ---- */

static int parse_two(struct sim *s, const struct words *w, u32 *a, u32 *b)
{
	if (w->n < 2 || parse_node(s, word(w, 0), a) || parse_node(s, word(w, 1), b) || *a == *b)
		return -EINVAL;
	return 0;
}

static int cmd_connect(struct sim *s, const struct words *w, bool act, half_fn fn)
{
	char text[FIPS_TADDR_TEXT_MAX], why[128];
	struct fips_peer_addr addr = { .transport = "udp", .addr = text };
	struct fips_taddr to;
	struct fips_clock now;
	u32 a, b;

	(void)fn;
	if (parse_two(s, w, &a, &b))
		return -EINVAL;
	if (!act || !sim_node_runs(&s->nodes[a]))
		return 0;
	to = sim_node_taddr(&s->nodes[b]);
	fips_taddr_format(&to, text);
	now = sim_node_clock(&s->nodes[a]);
	fips_node_connect(s->nodes[a].node, &now, &s->nodes[b].kp.id, &addr, why, sizeof(why));
	return 0;
}

static int cmd_disconnect(struct sim *s, const struct words *w, bool act, half_fn fn)
{
	struct fips_clock now;
	u32 a, b;

	(void)fn;
	if (parse_two(s, w, &a, &b))
		return -EINVAL;
	if (!act || !sim_node_runs(&s->nodes[a]))
		return 0;
	now = sim_node_clock(&s->nodes[a]);
	fips_node_disconnect(s->nodes[a].node, &now, &s->nodes[b].kp.id.addr);
	return 0;
}

static int cmd_ping(struct sim *s, const struct words *w, bool act, half_fn fn)
{
	const char *text = word_after(w, "size");
	u64 size = 84;
	u32 a, b;

	(void)fn;
	if (parse_two(s, w, &a, &b) || (text && sim_parse_size(text, &size)) || size > 65000)
		return -EINVAL;
	if (act && sim_node_runs(&s->nodes[a]))
		sim_ping(s, a, b, (u32)size);
	return 0;
}

/* Into the log: the way to the other as the data planes have it, and where it is thought to be. */
static int cmd_route(struct sim *s, const struct words *w, bool act, half_fn fn)
{
	char path[512];
	u32 a, b;

	(void)fn;
	if (parse_two(s, w, &a, &b))
		return -EINVAL;
	if (!act)
		return 0;
	sim_mesh_path(s, a, b, path, sizeof(path));
	sim_note(s, SIM_NOTE_LOG, a, 0, 0, path, strlen(path));
	sim_mesh_belief(s, a, b, path, sizeof(path));
	sim_note(s, SIM_NOTE_LOG, b, 0, 0, path, strlen(path));
	return 0;
}

static int cmd_flow(struct sim *s, const struct words *w, bool act, half_fn fn)
{
	const char *pps = word_after(w, "pps"), *size = word_after(w, "size");
	const char *last = word_after(w, "for");
	u64 n = 50, bytes = 500, us = 10 * SIM_SEC;
	u32 a, b;

	(void)fn;
	if (parse_two(s, w, &a, &b) || (pps && sim_parse_size(pps, &n)) ||
	    (size && sim_parse_size(size, &bytes)) || (last && sim_parse_time(last, &us)) ||
	    !n || n > 100000 || bytes > 65000)
		return -EINVAL;
	if (act)
		sim_flow_start(s, a, b, (u32)n, (u32)bytes, s->now + us);
	return 0;
}

/* A datagram of a stranger: noise, or something that looks like a handshake. */
static void garbage_one(struct sim *s, struct sim_node *n)
{
	static const u8 lens[4] = { 36, FIPS_MSG1_LEN, FIPS_MSG2_LEN, 0 };
	struct sim_rng *r = &s->faults.rng;
	struct fips_taddr from = { .kind = FIPS_TADDR_IPV4, .port = 4000 };
	u8 buf[256], kind = (u8)sim_rng_below(r, 4);
	size_t len = lens[kind] ? lens[kind] : sim_rng_below(r, sizeof(buf) + 1);

	sim_rng_bytes(r, buf, len);
	sim_rng_bytes(r, from.addr, 4);
	if (kind < 3)
		fips_put_prefix(buf, kind, 0, (u16)(len - (kind ? FIPS_PREFIX_LEN :
								  FIPS_FMP_MIN_LEN)));
	sim_plane_frame(n, &from, buf, len);
}

static int cmd_garbage(struct sim *s, const struct words *w, bool act, half_fn fn)
{
	u64 count;
	u32 node;

	(void)fn;
	if (w->n != 2 || parse_node(s, word(w, 0), &node) || sim_parse_size(word(w, 1), &count))
		return -EINVAL;
	while (act && count-- && sim_node_runs(&s->nodes[node]))
		garbage_one(s, &s->nodes[node]);
	return 0;
}

static int cmd_lie(struct sim *s, const struct words *w, bool act, half_fn fn)
{
	u32 node, i;

	(void)fn;
	if (w->n != 2 || parse_node(s, word(w, 0), &node))
		return -EINVAL;
	for (i = 0; i < SIM_LIES; i++) {
		if (strcmp(word(w, 1), sim_lie_names[i]))
			continue;
		if (act) {
			s->nodes[node].lies |= UINT64_C(1) << i;
			sim_lie_start(&s->nodes[node]);
		}
		return 0;
	}
	return -EINVAL;
}

static int cmd_sin(struct sim *s, const struct words *w, bool act, half_fn fn)
{
	u32 i;

	(void)fn;
	for (i = 1; i < SIM_SINS; i++) {
		if (w->n != 1 || strcmp(word(w, 0), sim_sin_names[i]))
			continue;
		if (act)
			sim_sin_commit(s, (enum sim_sin)i);
		return 0;
	}
	return -EINVAL;
}

/* ---- table ---- */

static const struct fault_cmd {
	const char *name;
	int (*run)(struct sim *s, const struct words *w, bool act, half_fn fn);
	half_fn fn;
} fault_cmds[] = {
	{ "crash", cmd_crash, NULL },
	{ "stop", cmd_stop, NULL },
	{ "restart", cmd_restart, NULL },
	{ "move", cmd_move, NULL },
	{ "clock", cmd_clock, NULL },
	{ "partition", cmd_partition, NULL },
	{ "cut", cmd_cut, NULL },
	{ "join", cmd_join, NULL },
	{ "heal", cmd_heal, NULL },
	{ "delay", wire_time, half_delay },
	{ "jitter", wire_time, half_jitter },
	{ "loss", wire_ppm, half_loss },
	{ "dup", wire_ppm, half_dup },
	{ "reorder", wire_ppm, half_reorder },
	{ "corrupt", wire_ppm, half_corrupt },
	{ "replay", wire_ppm, half_replay },
	{ "rate", cmd_rate, half_rate },
	{ "upcalls", cmd_upcalls, NULL },
	{ "ops", cmd_ops, NULL },
	{ "connect", cmd_connect, NULL },
	{ "disconnect", cmd_disconnect, NULL },
	{ "ping", cmd_ping, NULL },
	{ "flow", cmd_flow, NULL },
	{ "route", cmd_route, NULL },
	{ "garbage", cmd_garbage, NULL },
	{ "lie", cmd_lie, NULL },
	{ "sin", cmd_sin, NULL },
};

/* Traffic and looks are no accidents. */
static int fault_run(struct sim *s, const struct fault_cmd *c, const struct words *w, bool act)
{
	if (act && c->run != cmd_ping && c->run != cmd_flow && c->run != cmd_route)
		s->quiet = s->now;
	return c->run(s, w, act, c->fn);
}

int sim_fault_do(struct sim *s, const struct sim_fault *f, bool act)
{
	const struct words w = { .v = f->argv + 1, .n = f->argc - 1 };
	size_t i;

	for (i = 0; f->argc && i < sizeof(fault_cmds) / sizeof(fault_cmds[0]); i++)
		if (!strcmp(f->argv[0], fault_cmds[i].name))
			return fault_run(s, &fault_cmds[i], &w, act);
	return -EINVAL;
}
