// SPDX-License-Identifier: MIT
/* Graph generators; see topo.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "queue.h"
#include "rng.h"
#include "topo.h"

const char *const sim_topo_names[SIM_TOPO_KINDS] = {
	[SIM_TOPO_LINE] = "line",
	[SIM_TOPO_RING] = "ring",
	[SIM_TOPO_STAR] = "star",
	[SIM_TOPO_GRID] = "grid",
	[SIM_TOPO_TREE] = "tree",
	[SIM_TOPO_ER] = "er",
	[SIM_TOPO_BA] = "ba",
	[SIM_TOPO_RGG] = "rgg",
	[SIM_TOPO_FILE] = "file",
};

/**
 * struct topo_build - a graph in the making
 * @t: graph
 * @room: size of its edge list
 * @rng: stream
 */
struct topo_build {
	struct sim_topo *t;
	u32 room;
	struct sim_rng rng;
};

static void topo_add(struct topo_build *b, u32 i, u32 j)
{
	struct sim_topo *t = b->t;

	if (i == j)
		return;
	if (t->n_edges == b->room) {
		b->room = b->room ? 2 * b->room : 64;
		t->edges = sim_realloc(t->edges, b->room, sizeof(*t->edges));
	}
	t->edges[t->n_edges++] = i < j ? (struct sim_pair) { i, j } : (struct sim_pair) { j, i };
}

static int topo_pair_cmp(const void *pa, const void *pb)
{
	const struct sim_pair *a = pa, *b = pb;

	if (a->a != b->a)
		return a->a < b->a ? -1 : 1;
	return a->b < b->b ? -1 : a->b > b->b;
}

static void topo_sort(struct sim_topo *t)
{
	u32 i, n = 0;

	if (!t->n_edges)
		return;
	qsort(t->edges, t->n_edges, sizeof(*t->edges), topo_pair_cmp);
	for (i = 0; i < t->n_edges; i++)
		if (!n || topo_pair_cmp(&t->edges[n - 1], &t->edges[i]))
			t->edges[n++] = t->edges[i];
	t->n_edges = n;
}

static u32 topo_find(u32 *set, u32 i)
{
	while (set[i] != i) {
		set[i] = set[set[i]];
		i = set[i];
	}
	return i;
}

/* One edge more for each island. */
static void topo_join_islands(struct topo_build *b)
{
	struct sim_topo *t = b->t;
	u32 *set = sim_alloc(t->nodes * sizeof(*set)), i, e, n = t->n_edges;

	for (i = 0; i < t->nodes; i++)
		set[i] = i;
	for (e = 0; e < n; e++)
		set[topo_find(set, t->edges[e].b)] = topo_find(set, t->edges[e].a);
	for (i = 1; i < t->nodes; i++) {
		if (topo_find(set, i) == topo_find(set, 0))
			continue;
		/* All before i are one island by now. */
		topo_add(b, i, (u32)sim_rng_below(&b->rng, i));
		set[topo_find(set, i)] = topo_find(set, 0);
	}
	free(set);
}

/* ---- generators ---- */

static void topo_line(struct topo_build *b)
{
	u32 i;

	for (i = 1; i < b->t->nodes; i++)
		topo_add(b, i - 1, i);
}

static void topo_ring(struct topo_build *b)
{
	topo_line(b);
	topo_add(b, b->t->nodes - 1, 0);
}

static void topo_star(struct topo_build *b)
{
	u32 i;

	for (i = 1; i < b->t->nodes; i++)
		topo_add(b, 0, i);
}

/* As square as it gets; the last row may be short. */
static void topo_grid(struct topo_build *b)
{
	u32 n = b->t->nodes, w = 1, i;

	while (w * w < n)
		w++;
	for (i = 0; i < n; i++) {
		if (i % w)
			topo_add(b, i - 1, i);
		if (i >= w)
			topo_add(b, i - w, i);
		b->t->x[i] = (u16)((2 * (i % w) + 1) * 65535 / (2 * w));
		b->t->y[i] = (u16)((2 * (i / w) + 1) * 65535 / (2 * w));
	}
}

static void topo_tree(struct topo_build *b)
{
	u32 i;

	for (i = 1; i < b->t->nodes; i++)
		topo_add(b, i, (u32)sim_rng_below(&b->rng, i));
}

/* G(n, m): so many different edges, drawn. */
static void topo_er(struct topo_build *b, u32 degree)
{
	u64 n = b->t->nodes, want = n * degree / 2, most = n * (n - 1) / 2;
	u32 missing;

	if (want > most)
		want = most;
	do {
		missing = (u32)(want - b->t->n_edges);
		while (missing--)
			topo_add(b, (u32)sim_rng_below(&b->rng, n), (u32)sim_rng_below(&b->rng, n));
		topo_sort(b->t);
	} while (b->t->n_edges < want);
	topo_join_islands(b);
}

/* A newcomer picks ends of edges, so that who has many gets more. */
static void topo_ba(struct topo_build *b, u32 degree)
{
	u32 m = degree / 2 ? degree / 2 : 1, i, k, known;
	struct sim_topo *t = b->t;
	u64 r;

	for (i = 1; i < t->nodes; i++) {
		known = t->n_edges;
		for (k = 0; k < m && k < i; k++) {
			if (i <= m) {
				topo_add(b, i, k);
				continue;
			}
			r = sim_rng_below(&b->rng, 2 * (u64)known);
			topo_add(b, i, r % 2 ? t->edges[r / 2].b : t->edges[r / 2].a);
		}
	}
}

/* Points in a square; near ones are beside each other. Integers only. */
static void topo_rgg(struct topo_build *b, u32 degree)
{
	struct sim_topo *t = b->t;
	/* degree = n * pi * r^2 / side^2 */
	u64 r2 = (u64)65536 * 65536 / t->nodes * degree * 7 / 22;
	s64 dx, dy;
	u32 i, j;

	for (i = 0; i < t->nodes; i++) {
		t->x[i] = (u16)sim_rng_below(&b->rng, 65536);
		t->y[i] = (u16)sim_rng_below(&b->rng, 65536);
		for (j = 0; j < i; j++) {
			dx = (s64)t->x[i] - t->x[j];
			dy = (s64)t->y[i] - t->y[j];
			if ((u64)(dx * dx + dy * dy) <= r2)
				topo_add(b, j, i);
		}
	}
	topo_join_islands(b);
}

static int topo_file(struct topo_build *b, const char *path, char *why, size_t why_len)
{
	FILE *f = path ? fopen(path, "r") : NULL;
	unsigned int i, j, row = 0;
	char line[256];
	int ret = 0;

	if (!f) {
		snprintf(why, why_len, "%s: %s", path ? path : "edge list", strerror(errno));
		return -ENOENT;
	}
	while (!ret && fgets(line, sizeof(line), f)) {
		row++;
		line[strcspn(line, "#\n")] = 0;
		if (!line[strspn(line, " \t\r")])
			continue;
		if (sscanf(line, "%u %u", &i, &j) != 2 || i == j || i >= SIM_NODES_MAX ||
		    j >= SIM_NODES_MAX) {
			snprintf(why, why_len, "%s:%u: not two different nodes", path, row);
			ret = -EINVAL;
			break;
		}
		topo_add(b, i, j);
		if (b->t->nodes <= (i > j ? i : j))
			b->t->nodes = (i > j ? i : j) + 1;
	}
	fclose(f);
	return ret;
}

static void topo_newcomers(struct topo_build *b, u32 count)
{
	struct sim_topo *t = b->t;
	u32 old = t->nodes;

	for (; old && count; count--)
		topo_add(b, t->nodes++, (u32)sim_rng_below(&b->rng, old));
}

/* ---- door ---- */

static int topo_generate(struct topo_build *b, const struct sim_topo_spec *spec, char *why,
			 size_t why_len)
{
	switch (spec->kind) {
	case SIM_TOPO_LINE:
		topo_line(b);
		return 0;
	case SIM_TOPO_RING:
		topo_ring(b);
		return 0;
	case SIM_TOPO_STAR:
		topo_star(b);
		return 0;
	case SIM_TOPO_GRID:
		topo_grid(b);
		return 0;
	case SIM_TOPO_TREE:
		topo_tree(b);
		return 0;
	case SIM_TOPO_ER:
		topo_er(b, spec->degree);
		return 0;
	case SIM_TOPO_BA:
		topo_ba(b, spec->degree);
		return 0;
	case SIM_TOPO_RGG:
		topo_rgg(b, spec->degree);
		return 0;
	case SIM_TOPO_FILE:
		return topo_file(b, spec->file, why, why_len);
	case SIM_TOPO_KINDS:
		break;
	}
	return -EINVAL;
}

int sim_topo_make(struct sim_topo *t, const struct sim_topo_spec *spec, u64 seed, char *why,
		  size_t why_len)
{
	bool placed = spec->kind == SIM_TOPO_GRID || spec->kind == SIM_TOPO_RGG;
	struct topo_build b = { .t = t };
	int ret;

	*t = (struct sim_topo) { .nodes = spec->kind == SIM_TOPO_FILE ? 0 : spec->nodes };
	if (t->nodes + (u64)spec->newcomers > SIM_NODES_MAX ||
	    (!t->nodes && spec->kind != SIM_TOPO_FILE)) {
		snprintf(why, why_len, "1 to %u nodes, please", SIM_NODES_MAX);
		return -EINVAL;
	}
	sim_rng_init(&b.rng, seed, SIM_STREAM_TOPOLOGY, 0);
	if (placed) {
		t->x = sim_zalloc(t->nodes + spec->newcomers, sizeof(*t->x));
		t->y = sim_zalloc(t->nodes + spec->newcomers, sizeof(*t->y));
	}
	ret = topo_generate(&b, spec, why, why_len);
	if (ret) {
		sim_topo_free(t);
		return ret;
	}
	topo_newcomers(&b, spec->newcomers);
	topo_sort(t);
	return 0;
}

void sim_topo_free(struct sim_topo *t)
{
	free(t->edges);
	free(t->x);
	free(t->y);
	*t = (struct sim_topo) { 0 };
}

int sim_topo_parse(const char *name, enum sim_topo_kind *kind)
{
	u32 i;

	for (i = 0; i < SIM_TOPO_KINDS; i++) {
		if (!strcmp(name, sim_topo_names[i])) {
			*kind = (enum sim_topo_kind)i;
			return 0;
		}
	}
	return -EINVAL;
}
