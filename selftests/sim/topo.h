/* SPDX-License-Identifier: MIT */
/*
 * Who is beside whom: generators of graphs. All but the edge list are connected
 * (a generator that may leave islands joins them by one edge each).
 */
#ifndef SIM_TOPO_H
#define SIM_TOPO_H

#include <fips/types.h>

#define SIM_NODES_MAX	65000	/* node addresses are 10.x.y.z */

enum sim_topo_kind {
	SIM_TOPO_LINE,
	SIM_TOPO_RING,
	SIM_TOPO_STAR,
	SIM_TOPO_GRID,
	SIM_TOPO_TREE,		/* random recursive */
	SIM_TOPO_ER,		/* Erdős–Rényi */
	SIM_TOPO_BA,		/* Barabási–Albert */
	SIM_TOPO_RGG,		/* random geometric */
	SIM_TOPO_FILE,
	SIM_TOPO_KINDS,
};

extern const char *const sim_topo_names[SIM_TOPO_KINDS];

/**
 * struct sim_topo_spec - a graph to make
 * @kind: generator
 * @nodes: vertices
 * @degree: mean degree of ER and RGG; twice the edges a newcomer brings in BA
 * @newcomers: nodes behind these, each with an edge to one of them
 * @file: edge list ("3 4" a line, # comments), for FILE
 */
struct sim_topo_spec {
	enum sim_topo_kind kind;
	u32 nodes;
	u32 degree;
	u32 newcomers;
	const char *file;
};

/* Vertices of an edge; @a < @b. */
struct sim_pair {
	u32 a;
	u32 b;
};

/**
 * struct sim_topo - a graph
 * @nodes: vertices
 * @edges: sorted, without doubles
 * @n_edges: number of @edges
 * @x: position for a picture, 0 to 65535, or NULL
 * @y: same
 */
struct sim_topo {
	u32 nodes;
	struct sim_pair *edges;
	u32 n_edges;
	u16 *x;
	u16 *y;
};

/* Make it from @seed; 0, or a negative errno with a sentence in @why. */
int sim_topo_make(struct sim_topo *t, const struct sim_topo_spec *spec, u64 seed, char *why,
		  size_t why_len);
void sim_topo_free(struct sim_topo *t);
int sim_topo_parse(const char *name, enum sim_topo_kind *kind);

#endif /* SIM_TOPO_H */
