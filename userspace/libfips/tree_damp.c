// SPDX-License-Identifier: MIT
/* Hold-down and flap damping of parent switches (spec 05 §8). */

#include "tree_damp.h"

#define DAMPENING_MAX	(UINT64_C(365) * 24 * 3600 * 1000)

static u64 add_saturated(u64 a, u64 b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

bool fips_tree_damp_set(struct fips_tree_damp *d, const struct fips_tree_damp_cfg *cfg, u64 now,
			bool flap)
{
	u64 length = cfg->dampening_ms < DAMPENING_MAX ? cfg->dampening_ms : DAMPENING_MAX;

	d->has_set = true;
	d->last_set = now;
	if (!flap)
		return false;
	if (d->until && now >= d->until) {
		/* Each episode costs a whole new threshold. */
		d->until = 0;
		d->count = 0;
	}
	if (d->count && now - d->start < cfg->flap_window_ms) {
		d->count++;
	} else {
		d->start = now;
		d->count = 1;
	}
	if (d->until || d->count < cfg->flap_threshold)
		return false;
	d->until = add_saturated(now, length);
	return true;
}

bool fips_tree_damp_held(const struct fips_tree_damp *d, const struct fips_tree_damp_cfg *cfg,
			 u64 now)
{
	return d->has_set && now - d->last_set < cfg->hold_down_ms;
}

bool fips_tree_damp_dampened(const struct fips_tree_damp *d, u64 now)
{
	return now < d->until;
}

u64 fips_tree_damp_end(const struct fips_tree_damp *d, const struct fips_tree_damp_cfg *cfg,
		       u64 now)
{
	u64 end = now;

	if (fips_tree_damp_held(d, cfg, now))
		end = add_saturated(d->last_set, cfg->hold_down_ms);
	return fips_tree_damp_dampened(d, now) && d->until > end ? d->until : end;
}
