// SPDX-License-Identifier: GPL-2.0-only
/* KUnit: our composition of RFC 8439 against the library's, length by length. */
#include <crypto/chacha20poly1305.h>
#include <kunit/test.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "../crypto.c"

#define FIPS_TEST_MAX	1600
#define FIPS_TEST_FRONT	256
#define FIPS_TEST_FILL	0x55

/**
 * struct fips_crypto_case - one frame in the making
 * @buf: ours, the text at %FIPS_TEST_FRONT
 * @ref: the library's text
 * @key: random
 * @hdr: random
 * @ctr: random
 * @hdr_len: 12 or 16
 */
struct fips_crypto_case {
	u8 *buf;
	u8 *ref;
	u8 key[FIPS_KEY_LEN];
	u8 hdr[POLY1305_BLOCK_SIZE];
	u64 ctr;
	size_t hdr_len;
};

static void fips_crypto_case_fill(struct fips_crypto_case *c, size_t len, size_t hdr_len)
{
	get_random_bytes(c->key, sizeof(c->key));
	get_random_bytes(c->hdr, sizeof(c->hdr));
	get_random_bytes(&c->ctr, sizeof(c->ctr));
	get_random_bytes(c->ref, len);
	c->hdr_len = hdr_len;
	memset(c->buf, FIPS_TEST_FILL, FIPS_TEST_MAX + 2 * FIPS_TEST_FRONT);
	memcpy(c->buf + FIPS_TEST_FRONT, c->ref, len);
	memcpy(c->buf + FIPS_TEST_FRONT - hdr_len, c->hdr, hdr_len);
	chacha20poly1305_encrypt(c->ref, c->ref, len, c->hdr, hdr_len, c->ctr, c->key);
}

/* Seal, compare, fail to open twice, open. */
static void fips_crypto_case_run(struct kunit *test, struct fips_crypto_case *c, size_t len,
				 size_t room)
{
	u8 *text = c->buf + FIPS_TEST_FRONT, *hdr = text - c->hdr_len;

	fips_crypto_seal(text, len, hdr, c->hdr_len, room, c->ctr, c->key);
	KUNIT_ASSERT_EQ(test, 0, memcmp(text, c->ref, len + FIPS_TAG_LEN));
	KUNIT_ASSERT_EQ(test, 0, memcmp(hdr, c->hdr, c->hdr_len));
	KUNIT_ASSERT_EQ(test, FIPS_TEST_FILL, (int)text[len + FIPS_TAG_LEN]);
	KUNIT_ASSERT_EQ(test, FIPS_TEST_FILL, (int)*(hdr - room - 1));

	text[len / 2] ^= 1;
	KUNIT_ASSERT_FALSE(test, fips_crypto_open(text, len + FIPS_TAG_LEN, hdr, c->hdr_len,
						  c->ctr, c->key));
	text[len / 2] ^= 1;
	KUNIT_ASSERT_EQ(test, 0, memcmp(text, c->ref, len + FIPS_TAG_LEN));
	KUNIT_ASSERT_FALSE(test, fips_crypto_open(text, len + FIPS_TAG_LEN, hdr, c->hdr_len,
						  c->ctr ^ 1, c->key));
	KUNIT_ASSERT_TRUE(test, fips_crypto_open(text, len + FIPS_TAG_LEN, hdr, c->hdr_len,
						 c->ctr, c->key));
	KUNIT_ASSERT_TRUE(test, chacha20poly1305_decrypt(c->ref, c->ref, len + FIPS_TAG_LEN,
							 c->hdr, c->hdr_len, c->ctr, c->key));
	KUNIT_ASSERT_EQ(test, 0, memcmp(text, c->ref, len));
}

static void fips_crypto_test_lengths(struct kunit *test)
{
	static const size_t hdr_lens[] = { 12, 16 }, rooms[] = { 0, 47, 48, 52, 100 };
	struct fips_crypto_case c;
	unsigned int i, j;
	size_t len;

	c.buf = kunit_kzalloc(test, FIPS_TEST_MAX + 2 * FIPS_TEST_FRONT, GFP_KERNEL);
	c.ref = kunit_kzalloc(test, FIPS_TEST_MAX + FIPS_TAG_LEN, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, c.buf);
	KUNIT_ASSERT_NOT_NULL(test, c.ref);
	for (len = 0; len <= FIPS_TEST_MAX; len++) {
		for (i = 0; i < ARRAY_SIZE(hdr_lens); i++) {
			for (j = 0; j < ARRAY_SIZE(rooms); j++) {
				fips_crypto_case_fill(&c, len, hdr_lens[i]);
				fips_crypto_case_run(test, &c, len, rooms[j]);
			}
		}
	}
}

static struct kunit_case fips_crypto_cases[] = {
	KUNIT_CASE(fips_crypto_test_lengths),
	{}
};

static struct kunit_suite fips_crypto_suite = {
	.name = "fips_crypto",
	.test_cases = fips_crypto_cases,
};

kunit_test_suite(fips_crypto_suite);
