// SPDX-License-Identifier: MIT
/*
 * When metrics reports are due (spec 04 §5).
 */
#include "mmp.h"

#define COLD_UPDATES	5
#define BACKOFF_MAX	5

/**
 * struct bounds - of one layer, ms
 * @start: before any round-trip time
 * @cold: floor of the first %COLD_UPDATES updates
 * @min: floor after them
 * @max: ceiling
 */
static const struct bounds {
	u32 start;
	u32 cold;
	u32 min;
	u32 max;
} bounds[] = {
	[FIPS_MMP_LINK] = { 200, 200, 1000, 5000 },
	[FIPS_MMP_SESSION] = { 1000, 500, 500, 10000 },
};

void fips_mmp_timer_init(struct fips_mmp_timer *t, enum fips_mmp_layer layer, u32 factor)
{
	*t = (struct fips_mmp_timer) {
		.layer = layer,
		.factor = factor,
		.interval_ms = bounds[layer].start,
	};
}

void fips_mmp_timer_update(struct fips_mmp_timer *t, s64 srtt_us)
{
	const struct bounds *b = &bounds[t->layer];
	u64 ms, min;

	if (srtt_us <= 0)
		return;
	ms = (u64)srtt_us < UINT32_MAX ? (u64)srtt_us * t->factor / 1000 : b->max;
	if (t->updates < COLD_UPDATES) {
		min = b->cold;
		t->updates++;
	} else {
		min = b->min;
	}
	if (ms < min)
		ms = min;
	t->interval_ms = ms > b->max ? b->max : (u32)ms;
}

u64 fips_mmp_timer_next(const struct fips_mmp_timer *t)
{
	u32 shift = t->failures < BACKOFF_MAX ? t->failures : BACKOFF_MAX;

	return t->sent ? t->last_ms + ((u64)t->interval_ms << shift) : 0;
}

void fips_mmp_timer_sent(struct fips_mmp_timer *t, u64 now_ms)
{
	t->sent = true;
	t->last_ms = now_ms;
}

void fips_mmp_timer_failed(struct fips_mmp_timer *t)
{
	t->failures = fips_mmp_add32(t->failures, 1);
}

u32 fips_mmp_timer_succeeded(struct fips_mmp_timer *t)
{
	u32 failures = t->failures;

	t->failures = 0;
	return failures;
}
