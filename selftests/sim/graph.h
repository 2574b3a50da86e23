/* SPDX-License-Identifier: MIT */
/* The network as it is now: which nodes a path connects, and how short it is. */
#ifndef SIM_GRAPH_H
#define SIM_GRAPH_H

#include <fips/types.h>

struct sim;

#define SIM_FAR		(~(u32)0)	/* no path */

/*
 * Hops from @from over wires that carry both ways between nodes that run;
 * %SIM_FAR where none leads. @dist has room for all nodes.
 */
void sim_graph_distances(struct sim *s, u32 from, u32 *dist);

/* Number of the part each node is in, SIM_FAR if it does not run; how many parts there are. */
u32 sim_graph_parts(struct sim *s, u32 *part);

#endif /* SIM_GRAPH_H */
