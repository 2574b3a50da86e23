// SPDX-License-Identifier: MIT
/* What others ask the tree (spec 05 §11, §14). */

#include "tree_internal.h"

struct fips_coords fips_tree_coords(const struct fips_tree *t)
{
	return (struct fips_coords) { t->path, t->count };
}

const struct fips_node_addr *fips_tree_root(const struct fips_tree *t)
{
	return &t->path[t->count - 1];
}

bool fips_tree_is_root(const struct fips_tree *t)
{
	return fips_node_addr_eq(fips_tree_root(t), &t->decl.node);
}

struct fips_coords fips_tree_peer_coords(const struct fips_tree *t,
					 const struct fips_node_addr *addr)
{
	const struct fips_tree_peer *p = fips_tree_peer_find(t, addr);

	return p && p->count ? fips_tree_peer_path(p) : (struct fips_coords) { NULL, 0 };
}

bool fips_tree_is_parent(const struct fips_tree *t, const struct fips_node_addr *addr)
{
	return !fips_tree_is_root(t) && fips_node_addr_eq(&t->decl.parent, addr);
}

bool fips_tree_is_child(const struct fips_tree *t, const struct fips_node_addr *addr)
{
	const struct fips_tree_peer *p = fips_tree_peer_find(t, addr);

	return p && p->count && fips_node_addr_eq(&p->decl.parent, &t->decl.node);
}

bool fips_tree_is_tree_peer(const struct fips_tree *t, const struct fips_node_addr *addr)
{
	return fips_tree_is_parent(t, addr) || fips_tree_is_child(t, addr);
}

bool fips_tree_effective_depth(const struct fips_tree *t, const struct fips_node_addr *addr,
			       double *depth)
{
	const struct fips_tree_peer *p = fips_tree_peer_find(t, addr);

	if (!p || !p->count || (!p->measured && t->measured))
		return false;
	*depth = (double)(p->count - 1) + (p->measured ? p->cost : 1.0);
	return true;
}

const struct fips_tree_stats *fips_tree_stats(const struct fips_tree *t)
{
	return &t->stats;
}
