/* SPDX-License-Identifier: MIT */
/*
 * What the harnesses share: a check that stops the fuzzer, and a curve that
 * costs nothing.
 */
#ifndef _SELFTESTS_FUZZ_H
#define _SELFTESTS_FUZZ_H

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "pk.h"

#define FUZZ_UNUSED	__attribute__((unused))

#define FUZZ_CHECK(cond) do {							\
	if (!(cond)) {								\
		fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);	\
		abort();							\
	}									\
} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * A group in which a point is its own logarithm. It is as commutative as the
 * real one, as strict about encodings, and thousands of times as fast.
 */
FUZZ_UNUSED static bool fake_scalar_valid(void *ctx, const u8 *sec)
{
	(void)ctx;
	return !sodium_is_zero(sec, 32) && sec[0] != 0xff;
}

FUZZ_UNUSED static int fake_pubkey(void *ctx, const u8 *sec, u8 *pub33)
{
	if (!fake_scalar_valid(ctx, sec))
		return -EINVAL;
	pub33[0] = 0x02 | (sec[31] & 1);
	memcpy(pub33 + 1, sec, 32);
	return 0;
}

FUZZ_UNUSED static int fake_lift_x(void *ctx, const u8 *x, u8 *pub33)
{
	if (!fake_scalar_valid(ctx, x))
		return -EINVAL;
	pub33[0] = 0x02;
	memcpy(pub33 + 1, x, 32);
	return 0;
}

FUZZ_UNUSED static bool fake_point_valid(void *ctx, const u8 *pub33)
{
	return (pub33[0] == 2 || pub33[0] == 3) && fake_scalar_valid(ctx, pub33 + 1);
}

FUZZ_UNUSED static int fake_ecdh(void *ctx, const u8 *sec, const u8 *pub33, u8 *out)
{
	u8 sum[32];
	int i;

	(void)ctx;
	for (i = 0; i < 32; i++)
		sum[i] = sec[i] ^ pub33[i + 1];
	crypto_hash_sha256(out, sum, 32);
	return 0;
}

FUZZ_UNUSED static const struct fips_pk_ops fake_ops = {
	.scalar_valid = fake_scalar_valid,
	.pubkey = fake_pubkey,
	.lift_x = fake_lift_x,
	.point_valid = fake_point_valid,
	.ecdh = fake_ecdh,
};

/* Randomness that is the same in every run. */
FUZZ_UNUSED static int fake_random(void *ctx, void *buf, size_t len)
{
	u8 *next = ctx;

	memset(buf, ++*next, len);
	return 0;
}

#endif /* _SELFTESTS_FUZZ_H */
