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

void sim_mesh_count(struct sim_node *n, struct sim_mesh_counts *c)
{
	struct fips_clock now = sim_node_clock(n);
	const struct fips_node_counters *k;
	struct fips_node_view v;

	fips_node_view(n->node, &now, &v);
	k = &v.counters;
	c->lookups += k->lookup.req_initiated;
	c->found += k->lookup.resp_accepted;
	c->lost += k->lookup.resp_timed_out;
	c->forwarded += k->lookup.req_forwarded;
	c->rekeys += k->rekey_completed;
	c->session_rekeys += k->session_rekey_completed;
}
