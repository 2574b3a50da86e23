// SPDX-License-Identifier: MIT
/*
 * Invariants of the mesh: one root in a partition, coordinates that are the
 * ancestry, no loop of routes. They need what nodes do not show yet: fill
 * mesh_view() from the node's views when they are there, and the rest works.
 */
#include "sim.h"

/**
 * struct mesh_view - a node's place in the tree, as it sees it
 * @root: address of its root
 * @parent: address of its parent; its own if it is a root
 * @coords: itself, its parent, ... its root
 * @depth: entries of @coords
 */
struct mesh_view {
	struct fips_node_addr root;
	struct fips_node_addr parent;
	struct fips_node_addr coords[65];
	u32 depth;
};

static bool mesh_view(struct sim_node *n, struct mesh_view *v)
{
	(void)n;
	(void)v;
	return false;
}

static struct sim_node *mesh_node(struct sim *s, const struct fips_node_addr *addr)
{
	u8 ipv6[FIPS_IPV6_LEN];

	fips_node_addr_to_ipv6(addr, ipv6);
	return sim_node_by_ipv6(s, ipv6);
}

bool sim_mesh_parent(struct sim_node *n, u32 *parent)
{
	struct mesh_view v;
	struct sim_node *p;

	if (!sim_node_runs(n) || !mesh_view(n, &v))
		return false;
	p = mesh_node(n->sim, &v.parent);
	if (!p || p == n)
		return false;
	*parent = p->idx;
	return true;
}

/* What holds at every instant: a node's own view must not contradict itself. */
static void mesh_check_view(struct sim_node *n, const struct mesh_view *v)
{
	u32 i, k;

	if (!v->depth || !fips_node_addr_eq(&v->coords[0], &n->kp.id.addr) ||
	    !fips_node_addr_eq(&v->coords[v->depth - 1], &v->root) ||
	    !fips_node_addr_eq(&v->coords[v->depth > 1], &v->parent))
		sim_fail(n->sim, "coords-are-ancestry", "n%u's coordinates do not lead from it "
			 "by its parent to its root", n->idx);
	for (i = 0; i < v->depth; i++)
		for (k = 0; k < i; k++)
			if (fips_node_addr_eq(&v->coords[i], &v->coords[k]))
				sim_fail(n->sim, "no-loop", "n%u's ancestry holds one node twice",
					 n->idx);
}

void sim_mesh_check(struct sim *s)
{
	struct mesh_view v;
	u32 i;

	for (i = 0; i < s->n_nodes; i++)
		if (sim_node_runs(&s->nodes[i]) && mesh_view(&s->nodes[i], &v))
			mesh_check_view(&s->nodes[i], &v);
}
