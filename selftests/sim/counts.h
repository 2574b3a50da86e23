/* SPDX-License-Identifier: MIT */
/* What nodes have counted themselves, by name, so that a test can ask for any of it. */
#ifndef SIM_COUNTS_H
#define SIM_COUNTS_H

#include <jansson.h>

#include "node.h"

struct sim_node;

/**
 * struct sim_counts - all counters of a node; u64 without exception
 * @node: of the node
 * @tree: of its tree
 * @coords: of its coordinate cache
 */
struct sim_counts {
	struct fips_node_counters node;
	struct fips_tree_stats tree;
	struct fips_coord_stats coords;
};

/* Add those of the present life of @n, which must run. */
void sim_counts_add(struct sim_counts *c, struct sim_node *n);
void sim_counts_sum(struct sim_counts *c, const struct sim_counts *more);
/* Those that are not 0. */
json_t *sim_counts_json(const struct sim_counts *c);

#endif /* SIM_COUNTS_H */
