/* SPDX-License-Identifier: MIT */
/* Token buckets in millionths of a token: no floats but the configured rate (spec 03 §9.1). */
#ifndef _LIBFIPS_BUCKET_H
#define _LIBFIPS_BUCKET_H

#include <fips/types.h>

/**
 * struct fips_bucket_rate - how fast and how much; shared by many buckets
 * @burst: capacity in millionths of a token
 * @per_ms: refill in millionths of a token a millisecond
 */
struct fips_bucket_rate {
	u64 burst;
	u64 per_ms;
};

/**
 * struct fips_bucket - one bucket; starts full
 * @level: millionths of a token at @stamp
 * @stamp: monotonic ms
 */
struct fips_bucket {
	u64 level;
	u64 stamp;
};

void fips_bucket_rate_set(struct fips_bucket_rate *rate, u64 burst, double per_second);
void fips_bucket_init(struct fips_bucket *b, const struct fips_bucket_rate *rate, u64 now);
/* Is there a token? Refills; takes nothing. */
bool fips_bucket_ready(struct fips_bucket *b, const struct fips_bucket_rate *rate, u64 now);
/* Milliseconds until there is one, at least 1, at most a day. */
u64 fips_bucket_wait(struct fips_bucket *b, const struct fips_bucket_rate *rate, u64 now);
/* Are there @amount millionths, or is it full? Refills; takes nothing. */
bool fips_bucket_affords(struct fips_bucket *b, const struct fips_bucket_rate *rate, u64 now,
			 u64 amount);
/* Take @amount millionths, or what is left. */
void fips_bucket_spend(struct fips_bucket *b, u64 amount);
/* Take a token if there is one. */
bool fips_bucket_take(struct fips_bucket *b, const struct fips_bucket_rate *rate, u64 now);

#endif /* _LIBFIPS_BUCKET_H */
