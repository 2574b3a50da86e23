// SPDX-License-Identifier: MIT
/* Path MTU of a session (spec 08 §8); see pathmtu.h. */

#include "pathmtu.h"

#include <errno.h>

void fips_pathmtu_init(struct fips_pathmtu *p)
{
	*p = (struct fips_pathmtu) {
		.current = FIPS_MTU_UNKNOWN,
		.interval_ms = FIPS_PATHMTU_INTERVAL_MS,
		.observed = FIPS_MTU_UNKNOWN,
	};
}

static void clear_pending(struct fips_pathmtu *p)
{
	p->pending = 0;
	p->count = 0;
}

bool fips_pathmtu_seed(struct fips_pathmtu *p, u16 mtu)
{
	if (mtu >= p->current)
		return false;
	p->current = mtu;
	return true;
}

static int lower(struct fips_pathmtu *p, u16 mtu)
{
	p->current = mtu;
	clear_pending(p);
	return 1;
}

int fips_pathmtu_notified(struct fips_pathmtu *p, u16 mtu, u64 now_ms)
{
	if (mtu < FIPS_MTU_FLOOR)
		return -ERANGE;
	if (mtu < p->current)
		return lower(p, mtu);
	if (mtu == p->current)
		return 0;
	if (mtu != p->pending) {
		p->pending = mtu;
		p->count = 0;
		p->first_ms = now_ms;
	}
	if (p->count < UINT8_MAX)
		p->count++;
	if (p->count < FIPS_PATHMTU_CONFIRM || now_ms - p->first_ms < 2 * p->interval_ms)
		return 0;
	p->current = mtu;
	clear_pending(p);
	return 1;
}

int fips_pathmtu_exceeded(struct fips_pathmtu *p, u16 mtu, u16 largest_sent)
{
	if (mtu < FIPS_MTU_FLOOR)
		return -ERANGE;
	if (mtu >= p->current || mtu >= largest_sent)
		return 0;
	return lower(p, mtu);
}

void fips_pathmtu_reset(struct fips_pathmtu *p)
{
	p->current = FIPS_MTU_UNKNOWN;
	clear_pending(p);
}

void fips_pathmtu_set_srtt(struct fips_pathmtu *p, s64 srtt_us)
{
	u64 ms = srtt_us > 0 ? (u64)srtt_us / 1000 * 5 : 0;

	p->interval_ms = ms > FIPS_PATHMTU_INTERVAL_MS ? ms : FIPS_PATHMTU_INTERVAL_MS;
}

/* Compared with what we told last, not with the other direction (08 §18, 12). */
static bool is_urgent(const struct fips_pathmtu *p)
{
	return p->observed != FIPS_MTU_UNKNOWN && (!p->has_told || p->observed < p->told);
}

bool fips_pathmtu_observe(struct fips_pathmtu *p, u16 mtu)
{
	p->observed = mtu;
	return is_urgent(p);
}

u64 fips_pathmtu_due(const struct fips_pathmtu *p)
{
	if (p->observed == FIPS_MTU_UNKNOWN)
		return UINT64_MAX;
	return is_urgent(p) ? 0 : p->told_ms + p->interval_ms;
}

void fips_pathmtu_told(struct fips_pathmtu *p, u64 now_ms)
{
	p->has_told = true;
	p->told = p->observed;
	p->told_ms = now_ms;
}
