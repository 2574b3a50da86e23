// SPDX-License-Identifier: MIT
/*
 * Keys, texts, addresses and signatures against identity.json, and the locked
 * slabs that hold secrets.
 */
#include <sodium.h>
#include <sys/mman.h>

#include "identity.h"
#include "vectors_pk.h"

static void check_key_texts(const json_t *vec, const struct fips_keypair *kp)
{
	char nsec[FIPS_NSEC_SIZE], npub[FIPS_SHORT_NPUB_SIZE], addr[FIPS_NODE_ADDR_SIZE];
	char shrt[FIPS_SHORT_ADDR_SIZE], ipv6[FIPS_IPV6_TEXT_SIZE];

	vec_expect_str(vec, "npub", kp->id.npub);
	fips_nsec_format(kp->secret, nsec);
	vec_expect_str(vec, "nsec", nsec);
	fips_npub_shorten(kp->id.npub, npub);
	vec_expect_str(vec, "short_npub", npub);
	fips_node_addr_format(&kp->id.addr, addr);
	vec_expect_str(vec, "node_addr_text", addr);
	fips_node_addr_shorten(&kp->id.addr, shrt);
	vec_expect_str(vec, "short_node_addr", shrt);
	fips_ipv6_format(kp->id.ipv6, ipv6);
	vec_expect_str(vec, "ipv6", ipv6);
}

static void check_key(struct vec_crypto *c, const json_t *vec)
{
	struct fips_identity other;
	struct fips_node_addr addr;
	struct fips_keypair kp;
	u8 sec[32], digest[32];
	const char *npub = vec_str(vec, "npub");

	vec_hex_into(vec, "secret", sec, 32);
	assert_int_equal(fips_keypair_from_secret(&kp, &c->pk, c->secrets, sec), 0);
	vec_expect(vec, "secret", kp.secret, 32);
	vec_expect(vec, "pubkey_compressed", kp.id.pub33, 33);
	vec_expect(vec, "pubkey_xonly", kp.id.x, 32);
	vec_expect(vec, "node_addr", kp.id.addr.b, 16);
	vec_expect(vec, "ipv6_bytes", kp.id.ipv6, 16);
	crypto_hash_sha256(digest, kp.id.x, 32);
	vec_expect(vec, "sha256_of_xonly", digest, 32);
	check_key_texts(vec, &kp);
	/* From the npub only the even form is known, all else is the same. */
	assert_int_equal(fips_identity_from_npub(&c->pk, npub, strlen(npub), &other), 0);
	vec_expect(vec, "even_form_from_npub", other.pub33, 33);
	assert_memory_equal(other.x, kp.id.x, 32);
	assert_true(fips_node_addr_eq(&other.addr, &kp.id.addr));
	assert_int_equal(fips_identity_from_pub33(&c->pk, kp.id.pub33, &other), 0);
	assert_memory_equal(&other, &kp.id, sizeof(other));
	assert_int_equal(fips_node_addr_parse(vec_str(vec, "node_addr_text"), 32, &addr), 0);
	assert_true(fips_node_addr_eq(&addr, &kp.id.addr));
	fips_keypair_destroy(&kp);
}

static void test_keys(void **state)
{
	json_t *root = vec_load("identity"), *list = vec_array(root, "keys"), *v;
	u8 twin[33], sec[32];
	size_t i;

	assert_int_equal(json_array_size(list), 8);
	json_array_foreach(list, i, v)
		check_key(*state, v);
	/* The negated secret is the same identity (01 §2). */
	vec_hex_into(root, "negated_secret_of_key_2", sec, 32);
	assert_int_equal(fips_pk_pubkey(&((struct vec_crypto *)*state)->pk, sec, twin), 0);
	vec_expect(json_array_get(list, 1), "pubkey_xonly", twin + 1, 32);
	assert_string_equal(vec_str(root, "negated_secret_of_key_2"),
			    vec_str(json_array_get(list, 2), "secret"));
	json_decref(root);
}

/* The two nodes of the shim's vectors. */
static void test_shim_identities(void **state)
{
	json_t *root = vec_load("ipv6-shim"), *v;
	struct vec_crypto *c = *state;
	const char *key;

	json_object_foreach(vec_get(root, "identities"), key, v) {
		struct fips_keypair kp;
		char ipv6[FIPS_IPV6_TEXT_SIZE];
		u8 sec[32];

		if (!strcmp(key, "note"))
			continue;
		vec_hex_into(v, "secret", sec, 32);
		assert_int_equal(fips_keypair_from_secret(&kp, &c->pk, c->secrets, sec), 0);
		vec_expect(v, "pubkey_xonly", kp.id.x, 32);
		vec_expect(v, "pubkey_compressed", kp.id.pub33, 33);
		vec_expect_str(v, "npub", kp.id.npub);
		vec_expect(v, "node_addr", kp.id.addr.b, 16);
		fips_ipv6_format(kp.id.ipv6, ipv6);
		vec_expect_str(v, "ipv6", ipv6);
		vec_expect(v, "ipv6_bytes", kp.id.ipv6, 16);
		vec_expect(v, "identity_cache_key", kp.id.addr.b, 15);
		fips_keypair_destroy(&kp);
	}
	json_decref(root);
}

static void test_fips_address(void **state)
{
	json_t *root = vec_load("identity"), *v;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(root, "fips_address"), i, v) {
		struct vec_bytes b = vec_hex(v, "bytes");

		assert_int_equal(fips_ipv6_is_fips(b.p, b.len), vec_bool(v, "accepted"));
		free(b.p);
	}
	json_decref(root);
}

/* The lax cases must be told from the others by what the decoder reports. */
static void check_lax(const char *name, int ret)
{
	if (strstr(name, "bech32m"))
		assert_int_equal(ret, FIPS_BECH32_LAX_CHECKSUM);
	else if (strstr(name, "padding"))
		assert_int_equal(ret, FIPS_BECH32_LAX_PADDING);
	else
		assert_int_equal(ret, 0);
}

static void test_npub_decoding(void **state)
{
	json_t *root = vec_load("identity"), *list = vec_array(root, "npub_decoding"), *v;
	struct vec_crypto *c = *state;
	size_t i;

	assert_int_equal(json_array_size(list), 16);
	json_array_foreach(list, i, v) {
		const char *text = vec_str(v, "input");
		struct fips_identity id;
		int ret = fips_identity_from_npub(&c->pk, text, strlen(text), &id);

		if (vec_accepted(v, "result") ? ret < 0 : ret >= 0)
			fail_msg("%s: %d", vec_str(v, "name"), ret);
		if (ret < 0)
			continue;
		check_lax(vec_str(v, "name"), ret);
		vec_expect(v, "pubkey_xonly", id.x, 32);
	}
	json_decref(root);
}

static void test_secret_decoding(void **state)
{
	json_t *root = vec_load("identity"), *list = vec_array(root, "secret_decoding"), *v;
	struct vec_crypto *c = *state;
	size_t i;

	assert_int_equal(json_array_size(list), 20);
	json_array_foreach(list, i, v) {
		const char *text = vec_str(v, "input"), *name = vec_str(v, "name");
		u8 sec[32], sec2[32];
		int ret = fips_secret_parse(&c->pk, text, strlen(text), sec);
		int nsec = fips_nsec_parse(&c->pk, text, strlen(text), sec2);

		if (vec_accepted(v, "result") ? ret < 0 : ret >= 0)
			fail_msg("%s: %d", name, ret);
		if (vec_bool(v, "decoder_for_nsec_only") ? nsec < 0 : nsec >= 0)
			fail_msg("%s as nsec: %d", name, nsec);
		if (ret < 0)
			continue;
		check_lax(name, ret);
		vec_expect(v, "secret", sec, 32);
		if (nsec >= 0)
			vec_expect(v, "secret", sec2, 32);
	}
	json_decref(root);
}

static void test_error_codes(void **state)
{
	struct vec_crypto *c = *state;
	static const struct {
		const char *text;
		int err;
	} cases[] = {
		{ "nsec1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqwkhnav", -ERANGE },
		{ "nsec1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc5z5tpwxqergd3c8g7ru0dvztr", -EMSGSIZE },
		{ "nsec1", -EINVAL },
		{ "0", -EINVAL },
	};
	static const char off_curve[] =
		"npub1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzsfj2hcx";
	struct fips_identity id;
	u8 sec[32];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(fips_secret_parse(&c->pk, cases[i].text, strlen(cases[i].text),
						   sec), cases[i].err);
		assert_non_null(strchr(fips_key_strerror(cases[i].err), ' '));
	}
	/* x = 5 */
	assert_int_equal(fips_identity_from_npub(&c->pk, off_curve, strlen(off_curve), &id),
			 -ERANGE);
	assert_int_equal(fips_identity_from_npub(&c->pk, cases[0].text, 63, &id), -EDOM);
}

static void test_hostnames(void **state)
{
	json_t *root = vec_load("identity"), *v;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(root, "hostname_rules"), i, v) {
		const char *name = vec_str(v, "hostname");

		if (fips_hostname_valid(name, strlen(name)) != vec_bool(v, "accepted"))
			fail_msg("host name \"%s\"", name);
	}
	json_decref(root);
}

static void check_signature(struct vec_crypto *c, const json_t *v)
{
	struct vec_bytes data = vec_hex(v, "data"), other = vec_hex(v, "another_valid_signature");
	static const u8 zeros[32];
	u8 sec[32], pub33[33], digest[32], sig[64];
	size_t i;

	vec_hex_into(v, "secret", sec, 32);
	assert_int_equal(fips_pk_pubkey(&c->pk, sec, pub33), 0);
	crypto_hash_sha256(digest, data.p, data.len);
	vec_expect(v, "digest", digest, 32);
	c->random.fixed = zeros;
	c->random.left = 32;
	assert_int_equal(fips_pk_sign_data(&c->pk, &c->rng, sec, data.p, data.len, sig), 0);
	vec_expect(v, "signature_aux_zero", sig, 64);
	assert_true(fips_pk_verify_data(&c->pk, pub33 + 1, data.p, data.len, sig));
	assert_int_equal(other.len, 64);
	assert_true(fips_pk_verify_data(&c->pk, pub33 + 1, data.p, data.len, other.p));
	for (i = 0; i < 64; i++) {
		sig[i] ^= 1;
		assert_false(fips_pk_verify_data(&c->pk, pub33 + 1, data.p, data.len, sig));
		sig[i] ^= 1;
	}
	for (i = 0; i < data.len; i++) {
		data.p[i] ^= 0x80;
		assert_false(fips_pk_verify_data(&c->pk, pub33 + 1, data.p, data.len, sig));
		data.p[i] ^= 0x80;
	}
	/* Fresh randomness, another signature, as good. */
	assert_int_equal(fips_pk_sign_data(&c->pk, &c->rng, sec, data.p, data.len, sig), 0);
	assert_memory_not_equal(sig, zeros, 32);
	assert_true(fips_pk_verify_data(&c->pk, pub33 + 1, data.p, data.len, sig));
	free(data.p);
	free(other.p);
}

static void test_signatures(void **state)
{
	json_t *root = vec_load("identity"), *list = vec_array(root, "signatures"), *v;
	size_t i;

	assert_int_equal(json_array_size(list), 3);
	json_array_foreach(list, i, v)
		check_signature(*state, v);
	json_decref(root);
}

/* ------------------------------------------------------------------ bech32 */

static void test_bech32_roundtrip_and_damage(void **state)
{
	u64 rng = vec_seed(__func__);
	int round, i, n;

	(void)state;
	for (round = 0; round < 50; round++) {
		char text[FIPS_BECH32_KEY_LEN + 1];
		u8 key[32], back[32];

		for (i = 0; i < 32; i++)
			key[i] = (u8)vec_rand(&rng);
		fips_bech32_encode_key("npub", key, text);
		assert_int_equal(strlen(text), FIPS_BECH32_KEY_LEN);
		assert_int_equal(fips_bech32_decode_key("npub", text, 63, back), 0);
		assert_memory_equal(key, back, 32);
		assert_int_equal(fips_bech32_decode_key("nsec", text, 63, back), -EDOM);
		/* One wrong character is always found, wherever it is. */
		for (i = 0; i < 63; i++) {
			char c = text[i];

			text[i] = c == 'q' ? 'p' : 'q';
			assert_true(fips_bech32_decode_key("npub", text, 63, back) < 0);
			text[i] = (char)0x80;
			assert_true(fips_bech32_decode_key("npub", text, 63, back) < 0);
			text[i] = c;
		}
		for (n = 0; n < 63; n++) {
			u8 *exact = vec_exact(text, (size_t)n);

			assert_true(fips_bech32_decode_key("npub", (char *)exact, (size_t)n,
							   back) < 0);
			free(exact);
		}
	}
}

static void test_hex(void **state)
{
	u8 b[3] = { 9, 9, 9 };
	char text[7];

	(void)state;
	assert_int_equal(fips_hex_parse("00fFa5", 6, b, 3), 0);
	assert_int_equal(b[0] << 16 | b[1] << 8 | b[2], 0x00ffa5);
	fips_hex_format(b, 3, text);
	assert_string_equal(text, "00ffa5");
	assert_int_equal(fips_hex_parse("00fFa", 5, b, 3), -EINVAL);
	assert_int_equal(fips_hex_parse("00fFag", 6, b, 3), -EINVAL);
	assert_int_equal(fips_hex_parse("00 fa0", 6, b, 3), -EINVAL);
	assert_int_equal(fips_hex_parse("@0aaaa", 6, b, 3), -EINVAL);
}

/* ----------------------------------------------------------------- keypairs */

static void test_keypair_limits(void **state)
{
	struct vec_crypto *c = *state;
	struct fips_keypair kp;
	u8 sec[32] = { 0 };

	assert_int_equal(fips_keypair_from_secret(&kp, &c->pk, c->secrets, sec), -ERANGE);
	memset(sec, 0xff, 32);
	assert_int_equal(fips_keypair_from_secret(&kp, &c->pk, c->secrets, sec), -ERANGE);
	assert_int_equal(fips_keypair_generate(&kp, &c->pk, c->secrets, &c->rng), 0);
	fips_keypair_destroy(&kp);
	c->random.fail = -EIO;
	assert_int_equal(fips_keypair_generate(&kp, &c->pk, c->secrets, &c->rng), -EIO);
	c->random.fail = 0;
}

/* A broken source of nothing but zeros must not hang the daemon. */
static void test_broken_random(void **state)
{
	static const u8 zeros[4096];
	struct vec_crypto *c = *state;
	struct fips_keypair kp;

	c->random.fixed = zeros;
	c->random.left = sizeof(zeros);
	assert_int_equal(fips_keypair_generate(&kp, &c->pk, c->secrets, &c->rng), -EIO);
}

/* ------------------------------------------------------------------ secrets */

static void test_secret_cells(void **state)
{
	struct vec_crypto *c = *state;
	size_t sizes[] = { 1, 32, 33, 64, 65, 128, 200, 256, 512, 1000, 1024 }, i;
	u8 *cell[11];

	assert_null(fips_secret_alloc(c->secrets, 0));
	assert_null(fips_secret_alloc(c->secrets, FIPS_SECRET_MAX + 1));
	for (i = 0; i < 11; i++) {
		cell[i] = fips_secret_alloc(c->secrets, sizes[i]);
		assert_non_null(cell[i]);
		assert_true(sodium_is_zero(cell[i], sizes[i]));
		assert_int_equal((uintptr_t)cell[i] % 16, 0);
		memset(cell[i], (int)i + 1, sizes[i]);
	}
	for (i = 0; i < 11; i++) {
		assert_int_equal(cell[i][0], i + 1);
		assert_int_equal(cell[i][sizes[i] - 1], i + 1);
	}
	assert_int_equal(fips_secrets_used(c->secrets), 11);
	for (i = 0; i < 11; i++) {
		fips_secret_free(c->secrets, cell[i]);
		/* The slab stays mapped: look at what is left. */
		assert_true(sodium_is_zero(cell[i], sizes[i]));
	}
	fips_secret_free(c->secrets, NULL);
}

/* Many cells of changing sizes against a naive list of what is in use. */
static void test_secret_churn(void **state)
{
	enum { N = 6000 };
	struct vec_crypto *c = *state;
	static u8 *cell[N];
	static size_t len[N];
	u64 rng = vec_seed(__func__);
	size_t i, k;
	int round;

	for (round = 0; round < 40000; round++) {
		i = vec_rand(&rng) % N;
		if (cell[i]) {
			for (k = 0; k < len[i]; k++)
				assert_int_equal(cell[i][k], (u8)i);
			fips_secret_free(c->secrets, cell[i]);
			cell[i] = NULL;
		} else {
			len[i] = 1 + vec_rand(&rng) % (vec_rand(&rng) % 8 ? 64 : 1024);
			cell[i] = fips_secret_alloc(c->secrets, len[i]);
			assert_non_null(cell[i]);
			assert_true(sodium_is_zero(cell[i], len[i]));
			memset(cell[i], (int)(u8)i, len[i]);
		}
	}
	for (i = 0; i < N; i++)
		fips_secret_free(c->secrets, cell[i]);
	memset(cell, 0, sizeof(cell));
}

/* One mapping, not one a secret. */
static size_t count_maps(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512];
	size_t n = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		n++;
	fclose(f);
	return n;
}

static void test_secret_mappings(void **state)
{
	enum { N = 40000 };
	struct vec_crypto *c = *state;
	void **cell = calloc(N, sizeof(*cell));
	size_t before, i;

	assert_non_null(cell);
	cell[0] = fips_secret_alloc(c->secrets, 32);
	before = count_maps();
	for (i = 1; i < N; i++) {
		cell[i] = fips_secret_alloc(c->secrets, 32);
		assert_non_null(cell[i]);
	}
	/* libc's own arenas may move; a few are fine, 40,000 are not. */
	assert_true(count_maps() < before + 16);
	for (i = 0; i < N; i++)
		fips_secret_free(c->secrets, cell[i]);
	free(cell);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		vec_crypto_test(test_keys),
		vec_crypto_test(test_shim_identities),
		cmocka_unit_test(test_fips_address),
		vec_crypto_test(test_npub_decoding),
		vec_crypto_test(test_secret_decoding),
		vec_crypto_test(test_error_codes),
		cmocka_unit_test(test_hostnames),
		vec_crypto_test(test_signatures),
		cmocka_unit_test(test_bech32_roundtrip_and_damage),
		cmocka_unit_test(test_hex),
		vec_crypto_test(test_keypair_limits),
		vec_crypto_test(test_broken_random),
		vec_crypto_test(test_secret_cells),
		vec_crypto_test(test_secret_churn),
		vec_crypto_test(test_secret_mappings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
