// SPDX-License-Identifier: MIT
/* Token buckets; see bucket.h. */

#include "bucket.h"

#define TOKEN		UINT64_C(1000000)
#define BURST_MAX	UINT64_C(1000000000)
#define RATE_MAX	1e9

void fips_bucket_rate_set(struct fips_bucket_rate *rate, u64 burst, double per_second)
{
	if (burst > BURST_MAX)
		burst = BURST_MAX;
	if (!(per_second > 0))	/* also NaN */
		per_second = 0;
	if (per_second > RATE_MAX)
		per_second = RATE_MAX;
	rate->burst = burst * TOKEN;
	rate->per_ms = (u64)(per_second * (double)(TOKEN / 1000) + 0.5);
}

void fips_bucket_init(struct fips_bucket *b, const struct fips_bucket_rate *rate, u64 now)
{
	b->level = rate->burst;
	b->stamp = now;
}

static void refill(struct fips_bucket *b, const struct fips_bucket_rate *rate, u64 now)
{
	u64 missing = rate->burst - b->level;
	u64 passed = now > b->stamp ? now - b->stamp : 0;

	if (rate->per_ms && passed > missing / rate->per_ms)
		b->level = rate->burst;
	else
		b->level += passed * rate->per_ms;
	if (b->level > rate->burst)
		b->level = rate->burst;
	b->stamp = now;
}

bool fips_bucket_ready(struct fips_bucket *b, const struct fips_bucket_rate *rate, u64 now)
{
	refill(b, rate, now);
	return b->level >= TOKEN;
}

bool fips_bucket_affords(struct fips_bucket *b, const struct fips_bucket_rate *rate, u64 now,
			 u64 amount)
{
	refill(b, rate, now);
	return b->level >= amount || b->level == rate->burst;
}

bool fips_bucket_take(struct fips_bucket *b, const struct fips_bucket_rate *rate, u64 now)
{
	if (!fips_bucket_ready(b, rate, now))
		return false;
	b->level -= TOKEN;
	return true;
}

void fips_bucket_spend(struct fips_bucket *b, u64 amount)
{
	b->level -= amount < b->level ? amount : b->level;
}

u64 fips_bucket_wait(struct fips_bucket *b, const struct fips_bucket_rate *rate, u64 now)
{
	const u64 day = 86400000;
	u64 ms;

	if (fips_bucket_ready(b, rate, now))
		return 1;
	if (!rate->per_ms)
		return day;
	ms = (TOKEN - b->level + rate->per_ms - 1) / rate->per_ms;
	return ms < day ? ms : day;
}
