// SPDX-License-Identifier: MIT
/*
 * Invariants of the mesh: one root in a partition, coordinates that are the
 * ancestry. What nodes show of themselves comes from mesh_view.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core_impl.h"
#include "graph.h"
#include "mesh.h"

#define MESH_SHOWN	12	/* hops of a path in a text: enough to see a loop */
#define MESH_DEEP	30	/* parts deeper than this may not fit into one tree (05) */

bool sim_mesh_parent(struct sim_node *n, u32 *parent)
{
	struct sim_mesh_view v;
	struct sim_node *p;

	if (!sim_node_runs(n) || !sim_mesh_view(n, &v))
		return false;
	p = sim_node_by_addr(n->sim, &v.parent);
	if (!p || p == n)
		return false;
	*parent = p->idx;
	return true;
}

static bool mesh_hides(const struct sim_node *n)
{
	return n->lies & ~(1u << SIM_LIE_TREE_ROOT | 1u << SIM_LIE_TREE_FORGED |
			   1u << SIM_LIE_REPORTS);
}

bool sim_mesh_shadowed(struct sim_node *n)
{
	struct sim_mesh_view v;
	struct sim_node *p;
	u32 i;

	if (!n->sim->liars || !sim_node_runs(n) || !sim_mesh_view(n, &v))
		return false;
	for (i = 1; i < v.depth; i++) {
		p = sim_node_by_addr(n->sim, &v.coords[i]);
		if (p && mesh_hides(p))
			return true;
	}
	return false;
}

/* ---- at every instant ---- */

static void mesh_check_view(struct sim_node *n, const struct sim_mesh_view *v)
{
	u32 i, k;

	if (!v->depth || !fips_node_addr_eq(&v->coords[0], &n->kp.id.addr) ||
	    !fips_node_addr_eq(&v->coords[v->depth > 1], &v->parent))
		sim_fail(n->sim, "coords-are-ancestry",
			 "n%u's coordinates do not begin with it and its parent", n->idx);
	for (i = 0; i < v->depth; i++)
		for (k = 0; k < i; k++)
			if (fips_node_addr_eq(&v->coords[i], &v->coords[k]))
				sim_fail(n->sim, "no-loop", "n%u's ancestry holds one node twice",
					 n->idx);
}

static void mesh_max(u64 *max, u64 v)
{
	*max = v > *max ? v : *max;
}

void sim_mesh_check(struct sim *s)
{
	struct sim_tables *m = &s->checks.tables;
	struct sim_mesh_view v;
	u32 i;

	for (i = 0; i < s->n_nodes; i++) {
		if (!sim_node_runs(&s->nodes[i]) || !sim_mesh_view(&s->nodes[i], &v))
			continue;
		mesh_check_view(&s->nodes[i], &v);
		mesh_max(&m->depth, v.depth);
		mesh_max(&m->routes, v.routes);
		mesh_max(&m->requests, v.requests);
		mesh_max(&m->coords, v.coord_entries);
	}
}

/* ---- when all is settled ---- */

/**
 * struct mesh_look - a look at the whole tree
 * @part: number of each node's part
 * @root: smallest address of each part
 * @deep: parts that may not fit into one tree
 */
struct mesh_look {
	u32 *part;
	struct sim_node **root;
	bool *deep;
};

static void mesh_look_begin(struct mesh_look *l, struct sim *s)
{
	u32 *dist = sim_alloc(s->n_nodes * sizeof(*dist)), parts, i, k;
	struct sim_node *n;

	l->part = sim_alloc(s->n_nodes * sizeof(*l->part));
	parts = sim_graph_parts(s, l->part);
	l->root = sim_zalloc(parts, sizeof(struct sim_node *));
	l->deep = sim_zalloc(parts, sizeof(*l->deep));
	for (i = 0; i < s->n_nodes; i++) {
		n = &s->nodes[i];
		k = l->part[i];
		if (k == SIM_FAR)
			continue;
		if (!l->root[k] ||
		    fips_node_addr_cmp(&n->kp.id.addr, &l->root[k]->kp.id.addr) < 0)
			l->root[k] = n;
	}
	for (k = 0; k < parts; k++) {
		sim_graph_distances(s, l->root[k]->idx, dist);
		for (i = 0; i < s->n_nodes; i++)
			l->deep[k] |= dist[i] != SIM_FAR && dist[i] > MESH_DEEP;
	}
	free(dist);
}

static void mesh_look_end(struct mesh_look *l)
{
	free(l->part);
	free(l->root);
	free(l->deep);
}

/* Itself, then exactly what its parent says of itself. */
static bool mesh_inherits(struct sim_node *n, const struct sim_mesh_view *v)
{
	struct sim_node *p = sim_node_by_addr(n->sim, &v->parent);
	struct sim_mesh_view pv;

	if (p == n)
		return v->depth == 1;
	return p && sim_node_runs(p) && sim_mesh_view(p, &pv) && pv.depth + 1 == v->depth &&
	       !memcmp(v->coords + 1, pv.coords, pv.depth * sizeof(*pv.coords)) &&
	       sim_node_has_peer(n, p);
}

static bool mesh_node_settled(struct mesh_look *l, struct sim_node *n, const char **name,
			      char *why, size_t why_len)
{
	struct sim_node *want = l->root[l->part[n->idx]], *root;
	struct sim_mesh_view v;

	if (!sim_mesh_view(n, &v) || l->deep[l->part[n->idx]])
		return true;
	root = sim_node_by_addr(n->sim, &v.coords[v.depth - 1]);
	if (root != want) {
		*name = "one-root";
		snprintf(why, why_len, "n%u has root n%d instead of n%u", n->idx,
			 root ? (int)root->idx : -1, want->idx);
		return false;
	}
	if (!mesh_inherits(n, &v)) {
		*name = "coords-are-ancestry";
		snprintf(why, why_len, "n%u's coordinates are not itself and its parent's", n->idx);
		return false;
	}
	return true;
}

bool sim_mesh_settled(struct sim *s, const char **name, char *why, size_t why_len)
{
	struct sim_mesh_view v;
	struct mesh_look l;
	bool ok = true;
	u32 i;

	/* A liar may well be the root of all, and its tree is none. */
	for (i = 0; i < s->n_nodes && !sim_node_runs(&s->nodes[i]); i++)
		;
	if (i == s->n_nodes || s->liars || !sim_mesh_view(&s->nodes[i], &v))
		return true;
	mesh_look_begin(&l, s);
	for (i = 0; ok && i < s->n_nodes; i++)
		ok = !sim_node_runs(&s->nodes[i]) ||
		     mesh_node_settled(&l, &s->nodes[i], name, why, why_len);
	mesh_look_end(&l);
	return ok;
}

/* ---- routes ---- */

static struct sim_node *mesh_next(struct sim_node *n, const struct sim_node *dst)
{
	struct fips_route *r;

	if (!sim_node_runs(n))
		return NULL;
	r = fips_route_find(n->core, &dst->kp.id.addr);
	return r && r->link ? sim_node_by_addr(n->sim, &r->link->peer) : NULL;
}

u32 sim_mesh_next(struct sim *s, u32 src, u32 dst)
{
	struct sim_node *n = mesh_next(&s->nodes[src], &s->nodes[dst]);

	return n ? n->idx : SIM_NOBODY;
}

void sim_mesh_path(struct sim *s, u32 src, u32 dst, char *text, size_t len)
{
	struct sim_node *n = &s->nodes[src], *to = &s->nodes[dst];
	FILE *f = fmemopen(text, len, "w");
	const char *end = "";
	u32 hops = 0;

	if (!f)
		return;
	fprintf(f, "n%u", n->idx);
	while (n != to && !*end) {
		n = mesh_next(n, to);
		if (n)
			fprintf(f, " n%u", n->idx);
		if (!n)
			end = " (no route)";
		else if (++hops > MESH_SHOWN && n != to)
			end = " ...";
	}
	fputs(end, f);
	fclose(f);
}

static void mesh_write_coords(struct sim *s, const struct fips_node_addr *a, u32 n, FILE *f)
{
	const struct sim_node *at;
	u32 i;

	for (i = 0; i < n; i++) {
		at = sim_node_by_addr(s, &a[i]);
		fprintf(f, " n%d", at ? (int)at->idx : -1);
	}
}

void sim_mesh_belief(struct sim *s, u32 src, u32 dst, char *text, size_t len)
{
	struct sim_node *n = &s->nodes[src], *to = &s->nodes[dst];
	FILE *f = fmemopen(text, len, "w");
	struct sim_mesh_knowledge k;
	struct sim_mesh_view v;

	if (!f)
		return;
	fprintf(f, "is");
	if (sim_node_runs(to) && sim_mesh_view(to, &v))
		mesh_write_coords(s, v.coords, v.depth, f);
	if (sim_node_runs(n)) {
		sim_mesh_knows(n, to, &k);
		fprintf(f, ", n%u thinks", src);
		mesh_write_coords(s, k.coords, k.depth, f);
		if (k.depth)
			fprintf(f, " for %" PRIu64 " s", k.coords_ms / 1000);
		if (k.asks)
			fprintf(f, ", asks for %" PRIu64 " s (attempt %u)", k.asks_ms / 1000,
				k.attempt);
	}
	fclose(f);
}

u32 sim_mesh_hops(struct sim *s, u32 src, u32 dst)
{
	struct sim_node *n = &s->nodes[src], *to = &s->nodes[dst];
	u32 hops = 0;

	while (n && n != to && hops < FIPS_DEFAULT_TTL) {
		n = mesh_next(n, to);
		hops++;
	}
	return n == to ? hops : 0;
}
