// SPDX-License-Identifier: MIT
/* Arithmetic on coordinate lists (spec 05 §12). */

#include "coords_math.h"

u32 fips_coords_common(const struct fips_coords *a, const struct fips_coords *b)
{
	u32 min = a->count < b->count ? a->count : b->count, n;

	for (n = 0; n < min; n++) {
		if (!fips_node_addr_eq(&a->addr[a->count - 1 - n], &b->addr[b->count - 1 - n]))
			break;
	}
	return n;
}

u32 fips_coords_distance(const struct fips_coords *a, const struct fips_coords *b)
{
	u32 common = fips_coords_common(a, b);

	return common ? a->count - common + (b->count - common) : FIPS_DISTANCE_INF;
}

int fips_coords_lca_depth(const struct fips_coords *a, const struct fips_coords *b)
{
	return (int)fips_coords_common(a, b) - 1;
}

const struct fips_node_addr *fips_coords_lca(const struct fips_coords *a,
					     const struct fips_coords *b)
{
	u32 common = fips_coords_common(a, b);

	return common ? &a->addr[a->count - common] : NULL;
}

bool fips_coords_has_ancestor(const struct fips_coords *c, const struct fips_node_addr *addr)
{
	u32 i;

	for (i = 1; i < c->count; i++) {
		if (fips_node_addr_eq(&c->addr[i], addr))
			return true;
	}
	return false;
}

bool fips_coords_contain(const struct fips_coords *c, const struct fips_node_addr *addr)
{
	return c->count &&
	       (fips_node_addr_eq(&c->addr[0], addr) || fips_coords_has_ancestor(c, addr));
}

bool fips_coords_eq(const struct fips_coords *a, const struct fips_coords *b)
{
	return a->count == b->count &&
	       (!a->count || !memcmp(a->addr, b->addr, (size_t)a->count * FIPS_NODE_ADDR_LEN));
}
