/* SPDX-License-Identifier: MIT */
/* Inside the tree machine: its state, and the parent evaluation that the tests drive directly. */
#ifndef _LIBFIPS_TREE_INTERNAL_H
#define _LIBFIPS_TREE_INTERNAL_H

#include "tree.h"

/**
 * struct fips_tree_peer - a direct peer
 * @addr: who
 * @measured: is @cost set?
 * @cost: of the link
 * @decl: last accepted declaration, valid if @count is not 0
 * @count: entries of its ancestry
 * @path: their addresses; one block with @meta
 * @meta: what came with them
 */
struct fips_tree_peer {
	struct fips_node_addr addr;
	bool measured;
	double cost;
	struct fips_tree_decl decl;
	u16 count;
	struct fips_node_addr *path;
	struct fips_tree_meta *meta;
};

/**
 * struct fips_tree - state of a node (05 §3)
 * @cfg: configuration, @cfg.max_entries and @cfg.hysteresis within bounds
 * @decl: own declaration
 * @signature: of it, valid with @is_signed
 * @is_signed: may it be announced?
 * @count: entries of our own ancestry
 * @path: their addresses, our own first
 * @meta: what belongs to them
 * @damp: hold-down and flaps
 * @peers: sorted by address
 * @peer_count: how many
 * @peer_room: places allocated
 * @measured: peers with a cost
 * @stats: counters
 */
struct fips_tree {
	struct fips_tree_cfg cfg;
	struct fips_tree_decl decl;
	u8 signature[FIPS_SIG_LEN];
	bool is_signed;
	u16 count;
	struct fips_node_addr path[FIPS_COORDS_DEPTH];
	struct fips_tree_meta meta[FIPS_COORDS_DEPTH];
	struct fips_tree_damp damp;
	struct fips_tree_peer **peers;
	size_t peer_count;
	size_t peer_room;
	size_t measured;
	struct fips_tree_stats stats;
};

/**
 * enum fips_tree_kind - how much a better parent weighs (05 §7.1)
 * @FIPS_TREE_STAY: there is none
 * @FIPS_TREE_DISCRETIONARY: better by more than the hysteresis; subject to the veto
 * @FIPS_TREE_MANDATORY: parent gone, or a smaller root
 */
enum fips_tree_kind {
	FIPS_TREE_STAY,
	FIPS_TREE_DISCRETIONARY,
	FIPS_TREE_MANDATORY,
};

static inline const struct fips_node_addr *fips_tree_peer_root(const struct fips_tree_peer *p)
{
	return &p->path[p->count - 1];
}

static inline struct fips_coords fips_tree_peer_path(const struct fips_tree_peer *p)
{
	return (struct fips_coords) { p->path, p->count };
}

struct fips_tree_peer *fips_tree_peer_find(const struct fips_tree *t,
					   const struct fips_node_addr *addr);
/* Smallest root any peer announced by a path we could use; NULL if none did. */
const struct fips_node_addr *fips_tree_best_root(const struct fips_tree *t);
/* Does its path lead through us, or is it too long for us to add to? */
bool fips_tree_unusable(const struct fips_tree *t, const struct fips_tree_peer *p);

/**
 * fips_tree_evaluate() - is there a better parent? (05 §7.1)
 * @t: tree
 * @best: written unless the answer is %FIPS_TREE_STAY
 */
enum fips_tree_kind fips_tree_evaluate(const struct fips_tree *t,
				       const struct fips_tree_peer **best);
/* Is there a smaller root than ours, too far away for our ancestry to fit into an announce? */
bool fips_tree_passed_over(const struct fips_tree *t);

#endif /* _LIBFIPS_TREE_INTERNAL_H */
