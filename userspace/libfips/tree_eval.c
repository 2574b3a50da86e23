// SPDX-License-Identifier: MIT
/* Parent evaluation (spec 05 §7.1). */

#include <math.h>

#include "tree_internal.h"

#define DEFAULT_COST	1.0

static bool leads_through_us(const struct fips_tree *t, const struct fips_tree_peer *p)
{
	struct fips_coords path = fips_tree_peer_path(p);

	return fips_coords_contain(&path, &t->decl.node);
}

static bool is_too_deep(const struct fips_tree *t, const struct fips_tree_peer *p)
{
	return p->count >= t->cfg.max_entries;
}

bool fips_tree_unusable(const struct fips_tree *t, const struct fips_tree_peer *p)
{
	return leads_through_us(t, p) || is_too_deep(t, p);
}

const struct fips_node_addr *fips_tree_best_root(const struct fips_tree *t)
{
	const struct fips_node_addr *best = NULL;
	size_t i;

	for (i = 0; i < t->peer_count; i++) {
		const struct fips_tree_peer *p = t->peers[i];

		/* Roots that only a loop leads to would keep us from those there are (T8). */
		if (!p->count || (!t->cfg.as_reference && fips_tree_unusable(t, p)))
			continue;
		if (!best || fips_node_addr_cmp(fips_tree_peer_root(p), best) < 0)
			best = fips_tree_peer_root(p);
	}
	return best;
}

static double effective(const struct fips_tree_peer *p, double unmeasured)
{
	return (double)(p->count - 1) + (p->measured ? p->cost : unmeasured);
}

/* Steps 4 and 5. Peers are sorted, so the first of equals has the smaller address. */
static const struct fips_tree_peer *pick(const struct fips_tree *t,
					 const struct fips_node_addr *root, bool unmeasured_too)
{
	const struct fips_tree_peer *best = NULL;
	size_t i;

	for (i = 0; i < t->peer_count; i++) {
		const struct fips_tree_peer *p = t->peers[i];

		if (!p->count || !fips_node_addr_eq(fips_tree_peer_root(p), root) ||
		    fips_tree_unusable(t, p) || !(p->measured || unmeasured_too))
			continue;
		if (!best || effective(p, DEFAULT_COST) < effective(best, DEFAULT_COST))
			best = p;
	}
	return best;
}

/* Step 8: we must move, if we can. */
static bool is_mandatory(const struct fips_tree *t, const struct fips_node_addr *best_root)
{
	const struct fips_tree_peer *parent;

	if (fips_tree_is_root(t))
		return true;
	parent = fips_tree_peer_find(t, &t->decl.parent);
	if (!parent || !parent->count)
		return true;
	if (t->cfg.as_reference)
		return fips_node_addr_cmp(best_root, fips_tree_root(t)) < 0;
	/*
	 * The reference compares with the root from before this announce, and lets
	 * the hysteresis keep a parent that loops: it follows it to another root, or
	 * is root itself, until the next event.
	 */
	return fips_tree_unusable(t, parent) ||
	       fips_node_addr_cmp(best_root, fips_tree_peer_root(parent)) < 0;
}

bool fips_tree_passed_over(const struct fips_tree *t)
{
	size_t i;

	for (i = 0; i < t->peer_count; i++) {
		const struct fips_tree_peer *p = t->peers[i];

		if (p->count && is_too_deep(t, p) && !leads_through_us(t, p) &&
		    fips_node_addr_cmp(fips_tree_peer_root(p), fips_tree_root(t)) < 0)
			return true;
	}
	return false;
}

enum fips_tree_kind fips_tree_evaluate(const struct fips_tree *t,
				       const struct fips_tree_peer **best)
{
	const struct fips_node_addr *root = fips_tree_best_root(t);
	const struct fips_tree_peer *p, *parent;
	bool mandatory;
	double cur;

	if (!root || fips_node_addr_cmp(&t->decl.node, root) <= 0)
		return FIPS_TREE_STAY;
	mandatory = is_mandatory(t, root);
	p = pick(t, root, !t->measured);
	/* Not measured yet is better than not there (05 §16, T7). */
	if (!p && mandatory && !t->cfg.as_reference)
		p = pick(t, root, true);
	if (!p || (!fips_tree_is_root(t) && fips_node_addr_eq(&p->addr, &t->decl.parent)))
		return FIPS_TREE_STAY;
	*best = p;
	if (mandatory)
		return FIPS_TREE_MANDATORY;
	parent = fips_tree_peer_find(t, &t->decl.parent);
	cur = effective(parent, t->measured ? (double)INFINITY : DEFAULT_COST);
	return effective(p, DEFAULT_COST) < cur * (1.0 - t->cfg.hysteresis) ?
		       FIPS_TREE_DISCRETIONARY : FIPS_TREE_STAY;
}
