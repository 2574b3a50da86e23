// SPDX-License-Identifier: MIT
/* Breadth-first walks; see graph.h. */
#include "graph.h"

#include <stdlib.h>

#include "sim.h"

/* Nobody can promise anything to those behind a liar. */
static bool graph_carries(struct sim *s, const struct sim_edge *e)
{
	if (!sim_sin_unhealed(s) && (e->half[0].cut || e->half[1].cut))
		return false;
	return sim_node_honest(&s->nodes[e->end[0]]) && sim_node_honest(&s->nodes[e->end[1]]);
}

/* Mark all that @from reaches and that is unmarked; @dist grows by @step a hop. */
static void graph_walk(struct sim *s, u32 from, u32 *dist, u32 start, u32 step)
{
	u32 *queue = sim_alloc(s->n_nodes * sizeof(*queue)), head = 0, tail = 0, i, other;
	struct sim_edge *e;
	struct sim_node *n;

	dist[from] = start;
	queue[tail++] = from;
	while (head < tail) {
		n = &s->nodes[queue[head++]];
		for (i = 0; i < n->n_edges; i++) {
			e = &s->edges[n->edges[i]];
			other = sim_edge_other(e, n->idx);
			if (dist[other] != SIM_FAR || !graph_carries(s, e))
				continue;
			dist[other] = dist[n->idx] + step;
			queue[tail++] = other;
		}
	}
	free(queue);
}

static void graph_clear(struct sim *s, u32 *v)
{
	u32 i;

	for (i = 0; i < s->n_nodes; i++)
		v[i] = SIM_FAR;
}

void sim_graph_distances(struct sim *s, u32 from, u32 *dist)
{
	graph_clear(s, dist);
	if (sim_node_runs(&s->nodes[from]))
		graph_walk(s, from, dist, 0, 1);
}

u32 sim_graph_parts(struct sim *s, u32 *part)
{
	u32 i, n = 0;

	graph_clear(s, part);
	for (i = 0; i < s->n_nodes; i++)
		if (part[i] == SIM_FAR && sim_node_honest(&s->nodes[i]))
			graph_walk(s, i, part, n++, 0);
	return n;
}
