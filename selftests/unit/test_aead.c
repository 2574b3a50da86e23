// SPDX-License-Identifier: MIT
/*
 * The bulk AEAD in both its forms against libsodium, at every length that can
 * occur in a small frame and around block borders; a refused text is untouched.
 */
#include <sodium.h>

#include "aead.h"
#include "vectors.h"

#define MAX	1600

struct world {
	struct fips_aead_engine *engine;
	struct fips_aead a;
	u8 key[32];
	u8 ad[16];
	u8 in[MAX];
};

static void world_init(struct world *w, struct fips_aead_engine *e)
{
	u64 seed = 1;
	size_t i;

	memset(w, 0, sizeof(*w));
	w->engine = e;
	for (i = 0; i < MAX; i++)
		w->in[i] = (u8)vec_rand(&seed);
	for (i = 0; i < 32; i++)
		w->key[i] = (u8)vec_rand(&seed);
	for (i = 0; i < 16; i++)
		w->ad[i] = (u8)vec_rand(&seed);
	assert_int_equal(fips_aead_init(&w->a, e, w->key), 0);
}

static void one_length(struct world *w, size_t len, u64 ctr, size_t ad_len)
{
	u8 nonce[12], want[MAX + 16], *apart, *place;
	unsigned long long n;

	fips_put_nonce(nonce, ctr);
	crypto_aead_chacha20poly1305_ietf_encrypt(want, &n, w->in, len, w->ad, ad_len, NULL, nonce,
						  w->key);
	apart = malloc(len + 16);
	fips_aead_seal(&w->a, ctr, w->ad, ad_len, apart, w->in, len);
	assert_memory_equal(apart, want, len + 16);
	place = malloc(len + 16);
	memcpy(place, w->in, len);
	fips_aead_seal(&w->a, ctr, w->ad, ad_len, place, place, len);
	assert_memory_equal(place, want, len + 16);
	/* A wrong bit anywhere: refused, and the text is what it was. */
	place[(ctr * 31) % (len + 16)] ^= 4;
	memcpy(apart, place, len + 16);
	assert_false(fips_aead_open(&w->a, ctr, w->ad, ad_len, place, len));
	assert_memory_equal(place, apart, len + 16);
	place[(ctr * 31) % (len + 16)] ^= 4;
	assert_false(fips_aead_open(&w->a, ctr + 1, w->ad, ad_len, place, len));
	assert_memory_equal(place, want, len + 16);
	assert_true(fips_aead_open(&w->a, ctr, w->ad, ad_len, place, len));
	assert_memory_equal(place, w->in, len);
	free(apart);
	free(place);
}

static void all_lengths(struct fips_aead_engine *e)
{
	struct world w;
	size_t len;

	world_init(&w, e);
	for (len = 0; len <= MAX; len++) {
		one_length(&w, len, len, 12);
		one_length(&w, len, ~(u64)0 - 1 - len, 16);
	}
	fips_aead_wipe(&w.a);
	assert_false(w.a.loaded);
}

static void test_gcrypt(void **state)
{
	(void)state;
	all_lengths(NULL);
}

static void test_engine(void **state)
{
	struct fips_aead_engine *e = fips_aead_engine_new();

	(void)state;
	if (!e) {
		print_message("# SKIP no accelerator on this machine (ipsec-mb, AVX-512 IFMA)\n");
		skip();
	}
	all_lengths(e);
	fips_aead_engine_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gcrypt),
		cmocka_unit_test(test_engine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
