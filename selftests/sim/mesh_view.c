// SPDX-License-Identifier: MIT
/* What nodes show of the mesh. They have none yet. */
#include "mesh.h"

const bool sim_mesh_exists;

bool sim_mesh_view(struct sim_node *n, struct sim_mesh_view *v)
{
	(void)n;
	(void)v;
	return false;
}

void sim_mesh_count(struct sim_node *n, struct sim_mesh_counts *c)
{
	(void)n;
	(void)c;
}
