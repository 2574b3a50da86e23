/* SPDX-License-Identifier: MIT */
/*
 * A node's two clocks over virtual time: monotonic with its own start and
 * drift, wall clock with an offset that may step.
 */
#ifndef SIM_CLOCK_H
#define SIM_CLOCK_H

#include "event.h"

#define SIM_PPM_MAX	900	/* largest drift */

/**
 * struct sim_clock - clocks of one node, all in microseconds
 * @anchor: virtual time at which @mono was read
 * @mono: monotonic clock at @anchor
 * @wall: wall clock minus monotonic clock
 * @ppm: drift of both
 */
struct sim_clock {
	u64 anchor;
	u64 mono;
	s64 wall;
	s32 ppm;
};

u64 sim_clock_mono(const struct sim_clock *c, u64 now);
struct fips_clock sim_clock_read(const struct sim_clock *c, u64 now);
/* From @now on another drift. */
void sim_clock_drift(struct sim_clock *c, u64 now, s32 ppm);
/* Virtual time, from @now on, at which the monotonic clock shows @mono_ms. */
u64 sim_clock_when(const struct sim_clock *c, u64 now, u64 mono_ms);

#endif /* SIM_CLOCK_H */
