// SPDX-License-Identifier: MIT
/* What nodes show of the mesh. */
#include "mesh.h"

bool sim_mesh_view(struct sim_node *n, struct sim_mesh_view *v)
{
	struct fips_clock now = sim_node_clock(n);
	struct fips_mesh_view m;

	fips_node_mesh_view(n->node, &now, &m);
	v->parent = m.parent;
	v->depth = m.coords.count < SIM_MESH_DEPTH ? m.coords.count : SIM_MESH_DEPTH;
	memcpy(v->coords, m.coords.addr, v->depth * sizeof(*v->coords));
	v->routes = m.routes;
	v->requests = m.requests;
	v->coord_entries = m.coord_entries;
	return true;
}

struct view_knows {
	struct sim_mesh_knowledge *k;
	const struct fips_node_addr *target;
};

static void view_lookup(void *arg, const struct fips_lookup_view *v)
{
	struct view_knows *w = arg;

	if (!fips_node_addr_eq(&v->target, w->target))
		return;
	w->k->asks = true;
	w->k->attempt = v->attempt;
	w->k->asks_ms = v->age_ms;
}

static void view_coord(void *arg, const struct fips_coord_view *v)
{
	struct view_knows *w = arg;
	const struct fips_coords *c = &v->info.coords;

	if (!fips_node_addr_eq(&v->info.addr, w->target))
		return;
	w->k->depth = c->count < SIM_MESH_DEPTH ? c->count : SIM_MESH_DEPTH;
	memcpy(w->k->coords, c->addr, w->k->depth * sizeof(*c->addr));
	w->k->coords_ms = v->age_ms;
}

void sim_mesh_knows(struct sim_node *n, const struct sim_node *of, struct sim_mesh_knowledge *k)
{
	struct view_knows w = { .k = k, .target = &of->kp.id.addr };
	struct fips_clock now = sim_node_clock(n);

	*k = (struct sim_mesh_knowledge) { 0 };
	fips_node_each_lookup(n->node, &now, view_lookup, &w);
	fips_node_each_coord(n->node, &now, view_coord, &w);
}
