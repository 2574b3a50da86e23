// SPDX-License-Identifier: MIT
/* Clocks of a node; see clock.h. */
#include "clock.h"

#define CLOCK_PPM	1000000

u64 sim_clock_mono(const struct sim_clock *c, u64 now)
{
	s64 d = (s64)(now - c->anchor);

	return c->mono + (u64)(d + d / CLOCK_PPM * c->ppm + d % CLOCK_PPM * c->ppm / CLOCK_PPM);
}

struct fips_clock sim_clock_read(const struct sim_clock *c, u64 now)
{
	u64 mono = sim_clock_mono(c, now);

	return (struct fips_clock) {
		.mono_ms = mono / 1000,
		.wall_ms = (u64)((s64)mono + c->wall) / 1000,
	};
}

void sim_clock_drift(struct sim_clock *c, u64 now, s32 ppm)
{
	c->mono = sim_clock_mono(c, now);
	c->anchor = now;
	c->ppm = ppm;
}

u64 sim_clock_when(const struct sim_clock *c, u64 now, u64 mono_ms)
{
	u64 at = now, want = mono_ms * 1000, have, step;

	if (mono_ms > UINT64_MAX / 1000)
		return UINT64_MAX;
	/* Each round closes all but a drift's share of the gap, %SIM_PPM_MAX at most. */
	while ((have = sim_clock_mono(c, at)) < want) {
		step = (want - have) * 999 / 1000;
		at += step ? step : 1;
	}
	return at;
}
