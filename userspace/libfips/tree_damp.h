/* SPDX-License-Identifier: MIT */
/* Hold-down and flap damping of parent switches (spec 05 §8); monotonic ms. */
#ifndef _LIBFIPS_TREE_DAMP_H
#define _LIBFIPS_TREE_DAMP_H

#include <fips/types.h>

/**
 * struct fips_tree_damp_cfg - keys node.tree.* of spec 12
 * @hold_down_ms: after setting a parent, 0 = off
 * @flap_threshold: switches in a window that start an episode
 * @flap_window_ms: from its first switch
 * @dampening_ms: length of an episode, at most a year
 */
struct fips_tree_damp_cfg {
	u64 hold_down_ms;
	u32 flap_threshold;
	u64 flap_window_ms;
	u64 dampening_ms;
};

/**
 * struct fips_tree_damp - state; zero it to begin
 * @has_set: was a parent ever set?
 * @last_set: when
 * @start: beginning of the window, valid with @count
 * @count: switches in it
 * @until: end of the running episode, 0 = none
 */
struct fips_tree_damp {
	bool has_set;
	u64 last_set;
	u64 start;
	u32 count;
	u64 until;
};

/**
 * fips_tree_damp_set() - a parent was set
 * @d: state
 * @cfg: configuration
 * @now: now
 * @flap: another parent than before, or we were root
 *
 * Return: true if this started an episode.
 */
bool fips_tree_damp_set(struct fips_tree_damp *d, const struct fips_tree_damp_cfg *cfg, u64 now,
			bool flap);
bool fips_tree_damp_held(const struct fips_tree_damp *d, const struct fips_tree_damp_cfg *cfg,
			 u64 now);
bool fips_tree_damp_dampened(const struct fips_tree_damp *d, u64 now);

/* May discretionary switches not happen? */
static inline bool fips_tree_damp_veto(const struct fips_tree_damp *d,
				       const struct fips_tree_damp_cfg *cfg, u64 now)
{
	return fips_tree_damp_held(d, cfg, now) || fips_tree_damp_dampened(d, now);
}

/* When the veto that is active at @now ends; @now if there is none. */
u64 fips_tree_damp_end(const struct fips_tree_damp *d, const struct fips_tree_damp_cfg *cfg,
		       u64 now);

#endif /* _LIBFIPS_TREE_DAMP_H */
