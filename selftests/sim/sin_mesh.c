// SPDX-License-Identifier: MIT
/* Sins against the tree and the routes, which nodes mend: so they are committed again and again. */
#include "core_impl.h"
#include "node_internal.h"
#include "sim.h"
#include "tree_internal.h"

/* @from's data plane sends what is for @dst to its neighbour @to. */
static void sin_route(struct sim *s, u32 from, u32 to, u32 dst)
{
	struct sim_node *n = &s->nodes[from];
	struct fips_core_out out;
	struct fips_link *l;

	if (!sim_node_runs(n))
		return;
	for (l = n->core->links; l; l = l->hh.next)
		if (fips_node_addr_eq(&l->peer, &s->nodes[to].kp.id.addr))
			break;
	if (l)
		fips_core_route_set(n->core, sim_plane_out(n, &out, FIPS_LANE_TX, SIM_TX_DATA),
				    sim_node_mono_ms(n), &s->nodes[dst].kp.id.addr, l->id, ~0u);
}

/* Whom two hops or more separate from its root, whose coordinates it spoils. */
static void sin_coords(struct sim_node *n, enum sim_sin sin)
{
	struct fips_tree *t = sim_node_runs(n) ? n->node->mesh.tree : NULL;

	if (!t || t->count < 4)
		return;
	switch (sin) {
	case SIM_SIN_COORDS:
		t->path[1] = (struct fips_node_addr) { .b = { 0xee, 1 } };
		return;
	case SIM_SIN_COORDS_PARENT:
		t->path[2] = (struct fips_node_addr) { .b = { 0xee, 2 } };
		return;
	default:
		t->path[2] = t->path[1];
	}
}

void sim_sin_mesh(struct sim *s, enum sim_sin sin)
{
	u32 i;

	if (sin == SIM_SIN_NO_FORWARDING_LOOP) {
		for (i = 0; i < 3; i++)
			sin_route(s, i, (i + 1) % 3, 3);
		return;
	}
	for (i = 0; i < s->n_nodes; i++)
		sin_coords(&s->nodes[i], sin);
}
