// SPDX-License-Identifier: MIT
/*
 * A picture of the mesh: nodes, wires, the tree. Positions come from the graph
 * (grid, geometric) or from a small spring layout; nothing of it is in the log.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "mesh.h"

#define PLOT_SIZE	1000.0
#define PLOT_MARGIN	30.0
#define PLOT_SPRINGS	1500	/* with more nodes: where the dice put them */
#define PLOT_ROUNDS	150

struct point {
	double x;
	double y;
};

static void plot_start(struct sim *s, struct point *p)
{
	struct sim_rng r;
	u32 i;

	sim_rng_init(&r, s->sc->seed, SIM_STREAM_PLOT, 0);
	for (i = 0; i < s->n_nodes; i++) {
		if (s->topo.x) {
			p[i].x = s->topo.x[i] / 65536.0;
			p[i].y = s->topo.y[i] / 65536.0;
		} else {
			p[i].x = (double)sim_rng_below(&r, 65536) / 65536.0;
			p[i].y = (double)sim_rng_below(&r, 65536) / 65536.0;
		}
	}
}

static void plot_push(struct point *f, const struct point *a, const struct point *b, double k,
		      double sign)
{
	double dx = a->x - b->x, dy = a->y - b->y, d2 = dx * dx + dy * dy + 1e-9, d = sqrt(d2);
	double w = sign > 0 ? k * k / d2 : -d / k;

	f->x += dx * w;
	f->y += dy * w;
}

/* Fruchterman and Reingold: all push each other away, edges pull. */
static void plot_relax(struct sim *s, struct point *p)
{
	struct point *f = sim_alloc(s->n_nodes * sizeof(*f));
	double k = sqrt(1.0 / s->n_nodes), heat = 0.1, len;
	u32 round, i, j, a, b;

	for (round = 0; round < PLOT_ROUNDS; round++, heat *= 0.97) {
		memset(f, 0, s->n_nodes * sizeof(*f));
		for (i = 0; i < s->n_nodes; i++)
			for (j = 0; j < s->n_nodes; j++)
				if (i != j)
					plot_push(&f[i], &p[i], &p[j], k, 1);
		for (i = 0; i < s->n_edges; i++) {
			a = s->edges[i].end[0];
			b = s->edges[i].end[1];
			plot_push(&f[a], &p[a], &p[b], k, -1);
			plot_push(&f[b], &p[b], &p[a], k, -1);
		}
		for (i = 0; i < s->n_nodes; i++) {
			len = sqrt(f[i].x * f[i].x + f[i].y * f[i].y) + 1e-9;
			p[i].x += f[i].x / len * fmin(len, heat);
			p[i].y += f[i].y / len * fmin(len, heat);
		}
	}
	free(f);
}

static void plot_fit(struct sim *s, struct point *p)
{
	struct point lo = p[0], hi = p[0];
	u32 i;

	for (i = 0; i < s->n_nodes; i++) {
		lo.x = fmin(lo.x, p[i].x);
		lo.y = fmin(lo.y, p[i].y);
		hi.x = fmax(hi.x, p[i].x);
		hi.y = fmax(hi.y, p[i].y);
	}
	for (i = 0; i < s->n_nodes; i++) {
		p[i].x = PLOT_MARGIN + (p[i].x - lo.x) / (hi.x - lo.x + 1e-9) * PLOT_SIZE;
		p[i].y = PLOT_MARGIN + (p[i].y - lo.y) / (hi.y - lo.y + 1e-9) * PLOT_SIZE;
	}
}

static const char *plot_edge_class(struct sim *s, const struct sim_edge *e)
{
	u32 parent;

	if ((sim_mesh_parent(&s->nodes[e->end[0]], &parent) && parent == e->end[1]) ||
	    (sim_mesh_parent(&s->nodes[e->end[1]], &parent) && parent == e->end[0]))
		return "tree";
	if (e->half[0].cut || e->half[1].cut)
		return "cut";
	return sim_edge_linked(s, e) ? "link" : "open";
}

static void plot_write(struct sim *s, const struct point *p, FILE *f)
{
	const double full = PLOT_SIZE + 2 * PLOT_MARGIN;
	const double r = s->n_nodes > 300 ? 2.5 : s->n_nodes > 60 ? 5 : 9;
	const struct sim_edge *e;
	u32 i;

	fprintf(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\">\n"
		"<style>line{stroke-width:1.5}.link{stroke:#9bb}.open{stroke:#ddd}"
		".cut{stroke:#e66;stroke-dasharray:4}.tree{stroke:#252;stroke-width:3}"
		".up{fill:#37a}.down{fill:#bbb}text{font:10px sans-serif;fill:#fff;"
		"text-anchor:middle;dominant-baseline:central}</style>\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n", full, full);
	for (i = 0; i < s->n_edges; i++) {
		e = &s->edges[i];
		fprintf(f, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
			plot_edge_class(s, e), p[e->end[0]].x, p[e->end[0]].y, p[e->end[1]].x,
			p[e->end[1]].y);
	}
	for (i = 0; i < s->n_nodes; i++) {
		fprintf(f, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%g\"><title>n%u %s"
			"</title></circle>\n", sim_node_runs(&s->nodes[i]) ? "up" : "down", p[i].x,
			p[i].y, r, i, s->nodes[i].kp.id.npub);
		if (s->n_nodes <= 60)
			fprintf(f, "<text x=\"%.1f\" y=\"%.1f\">%u</text>\n", p[i].x, p[i].y, i);
	}
	fputs("</svg>\n", f);
}

int sim_plot(struct sim *s, const char *path)
{
	FILE *f = fopen(path, "w");
	struct point *p;

	if (!f)
		return -errno;
	p = sim_alloc(s->n_nodes * sizeof(*p));
	plot_start(s, p);
	if (!s->topo.x && s->n_nodes <= PLOT_SPRINGS)
		plot_relax(s, p);
	plot_fit(s, p);
	plot_write(s, p, f);
	free(p);
	return fclose(f) ? -EIO : 0;
}
