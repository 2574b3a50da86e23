/* SPDX-License-Identifier: MIT */
/* Arithmetic on coordinate lists: distance, common ancestors (spec 05 §12). */
#ifndef _LIBFIPS_COORDS_MATH_H
#define _LIBFIPS_COORDS_MATH_H

#include "coords.h"

#define FIPS_DISTANCE_INF	(~(u32)0)	/* different roots; above any finite distance */
#define FIPS_COORDS_DEPTH		64		/* longest list that is kept anywhere */

static inline const struct fips_node_addr *fips_coords_root(const struct fips_coords *c)
{
	return c->count ? &c->addr[c->count - 1] : NULL;
}

/* Entries of the common suffix, 0 for different roots. */
u32 fips_coords_common(const struct fips_coords *a, const struct fips_coords *b);

/* Hops along the tree, or %FIPS_DISTANCE_INF; so it is with an empty list. */
u32 fips_coords_distance(const struct fips_coords *a, const struct fips_coords *b);

/* Depth of the lowest common ancestor, the root's is 0; -1 for different roots. */
int fips_coords_lca_depth(const struct fips_coords *a, const struct fips_coords *b);

/* The lowest common ancestor itself (borrowed from @a), or NULL. */
const struct fips_node_addr *fips_coords_lca(const struct fips_coords *a,
					     const struct fips_coords *b);

/* Is @addr on the path, its first entry included? */
bool fips_coords_contain(const struct fips_coords *c, const struct fips_node_addr *addr);
/* The same without the first entry. */
bool fips_coords_has_ancestor(const struct fips_coords *c, const struct fips_node_addr *addr);
bool fips_coords_eq(const struct fips_coords *a, const struct fips_coords *b);

#endif /* _LIBFIPS_COORDS_MATH_H */
