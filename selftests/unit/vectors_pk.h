/* SPDX-License-Identifier: MIT */
/*
 * Curve, locked memory and randomness for tests that need keys.
 */
#ifndef _SELFTESTS_VECTORS_PK_H
#define _SELFTESTS_VECTORS_PK_H

#include <errno.h>

#include "identity.h"
#include "vectors.h"

/**
 * struct vec_rng - random bytes a test chooses
 * @fixed: returned first, @left bytes of it
 * @left: bytes of @fixed still to be given
 * @state: after that, splitmix64
 * @fail: give this errno instead
 */
struct vec_rng {
	const u8 *fixed;
	size_t left;
	u64 state;
	int fail;
};

VEC_UNUSED static int vec_rng_random(void *ctx, void *buf, size_t len)
{
	struct vec_rng *rng = ctx;
	u8 *p = buf;

	if (rng->fail)
		return rng->fail;
	for (; len; len--) {
		if (rng->left) {
			*p++ = *rng->fixed++;
			rng->left--;
		} else {
			*p++ = (u8)vec_rand(&rng->state);
		}
	}
	return 0;
}

/**
 * struct vec_crypto - one test's world
 * @pk: the real curve
 * @secrets: locked memory
 * @random: what @rng gives
 * @rng: for the library
 */
struct vec_crypto {
	struct fips_pk pk;
	struct fips_secrets *secrets;
	struct vec_rng random;
	struct fips_rng rng;
};

VEC_UNUSED static int vec_crypto_setup(void **state)
{
	struct vec_crypto *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->rng.random = vec_rng_random;
	c->rng.ctx = &c->random;
	assert_int_equal(fips_pk_init(&c->pk, &c->rng), 0);
	assert_int_equal(fips_secrets_new(&c->secrets), 0);
	*state = c;
	return 0;
}

/* Whatever a test did, nothing secret may be left. */
VEC_UNUSED static int vec_crypto_teardown(void **state)
{
	struct vec_crypto *c = *state;

	assert_int_equal(fips_secrets_used(c->secrets), 0);
	fips_secrets_destroy(c->secrets);
	fips_pk_destroy(&c->pk);
	free(c);
	return 0;
}

#define vec_crypto_test(fn) \
	cmocka_unit_test_setup_teardown(fn, vec_crypto_setup, vec_crypto_teardown)

#endif /* _SELFTESTS_VECTORS_PK_H */
