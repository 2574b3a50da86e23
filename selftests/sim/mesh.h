/* SPDX-License-Identifier: MIT */
/* What nodes show of the mesh, and what must hold of it. */
#ifndef SIM_MESH_H
#define SIM_MESH_H

#include "sim.h"

#define SIM_MESH_DEPTH	64	/* coordinates looked at */

/**
 * struct sim_mesh_view - a node's place in the tree, as it sees it
 * @parent: address of its parent; its own if it is a root
 * @coords: itself, its parent, ... its root
 * @depth: entries of @coords
 * @routes: routes it knows
 * @requests: lookups under way
 * @coord_entries: coordinates it has cached
 */
struct sim_mesh_view {
	struct fips_node_addr parent;
	struct fips_node_addr coords[SIM_MESH_DEPTH];
	u32 depth;
	u64 routes;
	u64 requests;
	u64 coord_entries;
};

/**
 * struct sim_mesh_knowledge - what a node knows of another
 * @asks: a lookup is under way
 * @attempt: of it
 * @asks_ms: so long
 * @depth: cached coordinates, 0 = none
 * @coords: they
 * @coords_ms: their age
 */
struct sim_mesh_knowledge {
	bool asks;
	u32 attempt;
	u64 asks_ms;
	u32 depth;
	struct fips_node_addr coords[SIM_MESH_DEPTH];
	u64 coords_ms;
};

void sim_mesh_knows(struct sim_node *n, const struct sim_node *of, struct sim_mesh_knowledge *k);
/* As text: where @dst is, where @src believes that it is, and whether it asks. */
void sim_mesh_belief(struct sim *s, u32 src, u32 dst, char *text, size_t len);

/* mesh_view.c: false if nodes have no mesh. */
bool sim_mesh_view(struct sim_node *n, struct sim_mesh_view *v);

/* What holds at every instant. */
void sim_mesh_check(struct sim *s);

/*
 * Is the tree what it must become: one root in each part, the smallest address
 * of it, and everybody's coordinates itself and then its parent's? If not and
 * @why is given, the name of the invariant and a sentence.
 */
bool sim_mesh_settled(struct sim *s, const char **name, char *why, size_t why_len);

/*
 * Does @n stand below a node that claims to be elsewhere in the tree, or does not
 * say truly who is below it, or passes no lookup on? Others know of @n by that
 * node's word alone (05 §15, 06 §13), so nobody can promise that they find it.
 */
bool sim_mesh_shadowed(struct sim_node *n);

/* The parent of @n, if it has one. */
bool sim_mesh_parent(struct sim_node *n, u32 *parent);

/* Where the data plane of @src sends what is for @dst; SIM_NOBODY. */
u32 sim_mesh_next(struct sim *s, u32 src, u32 dst);

/* The same as text: "n3 n4 n0", and why it ends. */
void sim_mesh_path(struct sim *s, u32 src, u32 dst, char *text, size_t len);

/* Hops of the routes from @src to @dst as the data planes have them; 0 if they lead nowhere. */
u32 sim_mesh_hops(struct sim *s, u32 src, u32 dst);

#endif /* SIM_MESH_H */
