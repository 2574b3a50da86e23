// SPDX-License-Identifier: MIT
/*
 * Bloom filters against bloom.json, against naive twins, and at their limits.
 */
#include "bloom.h"

#include <errno.h>
#include <fips/wire.h>
#include <math.h>
#include <sodium.h>

#include "vectors_mesh.h"

#define CAP	0.20

static void sha256_hex(const void *data, size_t len, char hex[65])
{
	u8 digest[32];

	crypto_hash_sha256(digest, data, len);
	sodium_bin2hex(hex, 65, digest, sizeof(digest));
}

static void expect_filter(const json_t *obj, const struct fips_bloom *f)
{
	char hex[65];

	vec_expect_int(obj, "popcount", fips_bloom_popcount(f));
	sha256_hex(f->bits, sizeof(f->bits), hex);
	vec_expect_str(obj, "filter_sha256", hex);
}

/* Only the listed bytes are not 0. */
static void expect_bytes(const json_t *obj, const struct fips_bloom *f)
{
	json_t *bytes = vec_get(obj, "filter_nonzero_bytes"), *val;
	struct fips_bloom want;
	const char *key;

	memset(&want, 0, sizeof(want));
	json_object_foreach(bytes, key, val) {
		unsigned long at = strtoul(key, NULL, 10);

		assert_true(at < FIPS_BLOOM_BYTES);
		want.bits[at] = (u8)strtoul(json_string_value(val), NULL, 16);
	}
	assert_true(fips_bloom_eq(&want, f));
}

/* "zero", "key1"…: an address of single_insert. */
static struct fips_node_addr named_addr(const json_t *root, const char *name)
{
	json_t *kase;
	size_t i;

	json_array_foreach(vec_array(root, "single_insert"), i, kase) {
		if (!strcmp(vec_str(kase, "name"), name))
			return vec_addr(kase, "node_addr");
	}
	fail_msg("no address is called %s", name);
	return short_addr(0);
}

static void insert_named(const json_t *root, const char *name, struct fips_bloom *f)
{
	struct fips_node_addr addr = named_addr(root, name);
	struct fips_bloom_key key;

	fips_bloom_key(&key, &addr);
	fips_bloom_insert(f, &key);
}

static void insert_synthetic(struct fips_bloom *f, u32 from, u32 to)
{
	struct fips_bloom_key key;
	struct fips_node_addr addr;
	u8 digest[32];
	char text[40];

	for (; from <= to; from++) {
		snprintf(text, sizeof(text), "fips-bloom-vector-%u", from);
		crypto_hash_sha256(digest, (const u8 *)text, strlen(text));
		memcpy(addr.b, digest, sizeof(addr.b));
		fips_bloom_key(&key, &addr);
		fips_bloom_insert(f, &key);
		assert_true(fips_bloom_contains(f, &key));
	}
}

static void test_params(void **state)
{
	json_t *root = vec_load("bloom"), *params = vec_get(root, "params");

	(void)state;
	vec_expect_int(params, "m_bits", FIPS_BLOOM_BITS);
	vec_expect_int(params, "bytes", FIPS_BLOOM_BYTES);
	vec_expect_int(params, "k", FIPS_BLOOM_HASHES);
	vec_expect_int(params, "size_class", FIPS_BLOOM_SIZE_CLASS);
	json_decref(root);
}

static void check_single(const json_t *kase)
{
	struct fips_node_addr addr = vec_addr(kase, "node_addr");
	json_t *bits = vec_array(kase, "bits"), *masks = vec_array(kase, "byte_mask");
	struct fips_bloom f = { { 0 } };
	struct fips_bloom_key key;
	char hex[65];
	u8 h[16];
	size_t i;

	sha256_hex(addr.b, sizeof(addr.b), hex);
	vec_expect_str(kase, "sha256", hex);
	vec_hex_into(kase, "h1", h, 8);
	vec_hex_into(kase, "h2", h + 8, 8);
	fips_bloom_key(&key, &addr);
	fips_bloom_insert(&f, &key);
	assert_int_equal(json_array_size(bits), FIPS_BLOOM_HASHES);
	assert_int_equal(json_array_size(masks), FIPS_BLOOM_HASHES);
	for (i = 0; i < FIPS_BLOOM_HASHES; i++) {
		json_t *pair = json_array_get(masks, i);
		/* h1 and h2 are written most significant digit first; 13 bits of each matter. */
		u32 naive = ((h[6] << 8 | h[7]) + (u32)i * (h[14] << 8 | h[15])) % FIPS_BLOOM_BITS;

		assert_int_equal(key.bit[i], json_integer_value(json_array_get(bits, i)));
		assert_int_equal(key.bit[i], naive);
		assert_int_equal(key.bit[i] / 8, json_integer_value(json_array_get(pair, 0)));
		assert_int_equal(1 << key.bit[i] % 8,
				 strtol(json_string_value(json_array_get(pair, 1)), NULL, 16));
	}
	for (i = 0; i < 8; i++) {
		char byte[3] = { hex[2 * (7 - i)], hex[2 * (7 - i) + 1] };
		char byte2[3] = { hex[2 * (15 - i)], hex[2 * (15 - i) + 1] };

		assert_int_equal(h[i], strtol(byte, NULL, 16));
		assert_int_equal(h[8 + i], strtol(byte2, NULL, 16));
	}
	expect_bytes(kase, &f);
	expect_filter(kase, &f);
	if (json_object_get(kase, "xonly_pubkey")) {
		u8 x[32], digest[32];

		vec_hex_into(kase, "xonly_pubkey", x, sizeof(x));
		crypto_hash_sha256(digest, x, sizeof(x));
		assert_memory_equal(digest, addr.b, sizeof(addr.b));
	}
}

static void test_single_insert(void **state)
{
	json_t *root = vec_load("bloom"), *kase;
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(vec_array(root, "single_insert")), 6);
	json_array_foreach(vec_array(root, "single_insert"), i, kase)
		check_single(kase);
	json_decref(root);
}

static void check_announce(const json_t *kase, const struct fips_bloom *f)
{
	u8 msg[FIPS_FILTER_LEN];
	struct fips_filter got;
	char hex[65];

	assert_int_equal(fips_filter_build(msg, sizeof(msg), vec_int(kase, "sequence"), f),
			 vec_int(kase, "length"));
	vec_expect(kase, "header_hex", msg, 11);
	sha256_hex(msg, sizeof(msg), hex);
	vec_expect_str(kase, "message_sha256", hex);
	assert_int_equal(fips_filter_parse(msg + 1, sizeof(msg) - 1, &got), 0);
	vec_expect_int(kase, "sequence", got.sequence);
	assert_int_equal(got.hash_count, FIPS_BLOOM_HASHES);
	assert_memory_equal(got.bits, f->bits, sizeof(f->bits));
}

static void test_three_keys(void **state)
{
	json_t *root = vec_load("bloom"), *kase = vec_get(root, "three_keys_filter"), *val;
	struct fips_bloom f = { { 0 } };
	const char *name;
	double n;
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(vec_array(kase, "members")), 3);
	json_array_foreach(vec_array(kase, "members"), i, val)
		insert_named(root, json_string_value(val), &f);
	expect_bytes(kase, &f);
	expect_filter(kase, &f);
	assert_int_equal(json_object_size(vec_get(kase, "contains")), 6);
	json_object_foreach(vec_get(kase, "contains"), name, val) {
		struct fips_node_addr addr = named_addr(root, name);
		struct fips_bloom_key key;

		fips_bloom_key(&key, &addr);
		vec_expect_bool(vec_get(kase, "contains"), name, fips_bloom_contains(&f, &key));
	}
	vec_expect_real(kase, "fill", fips_bloom_fpr(fips_bloom_popcount(&f), 1));
	vec_expect_real(kase, "fpr", fips_bloom_fpr(fips_bloom_popcount(&f), FIPS_BLOOM_HASHES));
	assert_true(fips_bloom_estimate(fips_bloom_popcount(&f), CAP, &n));
	vec_expect_near(kase, "estimated_count", n);
	check_announce(vec_get(kase, "filter_announce_seq_7"), &f);
	json_decref(root);
}

static void test_two_hundred(void **state)
{
	json_t *root = vec_load("bloom"), *kase = vec_get(root, "two_hundred_synthetic");
	struct fips_bloom f = { { 0 } };
	double n;

	(void)state;
	insert_synthetic(&f, 0, 199);
	expect_filter(kase, &f);
	vec_expect_real(kase, "fill", fips_bloom_fpr(fips_bloom_popcount(&f), 1));
	vec_expect_real(kase, "fpr", fips_bloom_fpr(fips_bloom_popcount(&f), FIPS_BLOOM_HASHES));
	assert_true(fips_bloom_estimate(fips_bloom_popcount(&f), CAP, &n));
	vec_expect_near(kase, "estimated_count", n);
	vec_expect_int(kase, "rounded", (u64)round(n));
	json_decref(root);
}

/* "synthetic 10..12" */
static void insert_range(const json_t *obj, const char *key, struct fips_bloom *f)
{
	const char *text = vec_str(obj, key);
	u32 from, to;
	int end = 0;

	assert_int_equal(sscanf(text, "synthetic %u..%u%n", &from, &to, &end), 2);
	assert_int_equal(text[end], 0);
	insert_synthetic(f, from, to);
}

static void test_split_horizon(void **state)
{
	static const char *const names[] = { "parent", "child1", "child2", "mesh" };
	json_t *root = vec_load("bloom"), *kase = vec_get(root, "split_horizon");
	json_t *inbound = vec_get(kase, "inbound"), *size = vec_get(root, "mesh_size");
	struct fips_node_addr self = named_addr(root, vec_str(kase, "self"));
	struct fips_bloom filter[4] = { 0 };
	struct fips_bloom_share share[3];
	struct fips_bloom_out out, all[4];
	struct fips_bloom_key own;
	double n;
	size_t i;

	(void)state;
	fips_bloom_key(&own, &self);
	for (i = 0; i < 4; i++) {
		insert_range(inbound, i < 3 ? names[i] : "mesh(non-tree)", &filter[i]);
		if (i < 3)
			share[i] = (struct fips_bloom_share) {
				&filter[i], fips_bloom_popcount(&filter[i]), i == 0 };
	}
	fips_bloom_merge_all(all, &own, share, 3, fips_bloom_max_popcount(CAP));
	for (i = 0; i < 4; i++) {
		fips_bloom_merge(&out, &own, share, 3, i, fips_bloom_max_popcount(CAP));
		expect_filter(vec_get(vec_get(kase, "outgoing"), names[i]), &out.filter);
		assert_int_equal(out.popcount, fips_bloom_popcount(&out.filter));
		assert_int_equal(out.left_out, 0);
		assert_memory_equal(&all[i], &out, sizeof(out));
	}
	/* The mesh size counts all inbound filters, tree peers or not. */
	fips_bloom_or(&out.filter, &filter[3]);
	vec_expect_int(size, "popcount", fips_bloom_popcount(&out.filter));
	assert_true(fips_bloom_estimate(fips_bloom_popcount(&out.filter), CAP, &n));
	vec_expect_near(size, "estimate", n);
	vec_expect_int(size, "rounded", (u64)round(n));
	vec_expect_int(size, "true_members", 22);
	json_decref(root);
}

static void test_size_table(void **state)
{
	json_t *root = vec_load("bloom"), *row;
	json_t *table = vec_array(vec_get(root, "mesh_size"), "table");
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(table), 14);
	json_array_foreach(table, i, row) {
		u32 x = (u32)vec_int(row, "X");
		double n;

		vec_expect_real(row, "fill", fips_bloom_fpr(x, 1));
		vec_expect_real(row, "fpr_k5", fips_bloom_fpr(x, 5));
		vec_expect_bool(row, "accepted_at_cap_0.20", fips_bloom_estimate(x, CAP, &n));
		vec_expect_bool(row, "accepted_at_cap_0.20", x <= fips_bloom_max_popcount(CAP));
		if (vec_is_null(row, "n")) {
			assert_true(vec_is_null(row, "rounded"));
			assert_false(fips_bloom_estimate(x, 1.0, &n));
			continue;
		}
		assert_true(fips_bloom_estimate(x, 1.0, &n));
		vec_expect_near(row, "n", n);
		vec_expect_int(row, "rounded", (u64)round(n));
	}
	json_decref(root);
}

static void test_cap(void **state)
{
	json_t *root = vec_load("bloom"), *cap = vec_get(root, "fpr_cap"), *bypass;
	u32 max = fips_bloom_max_popcount(vec_real(cap, "max_inbound_fpr")), x, k;
	double n;

	(void)state;
	vec_expect_int(cap, "largest_accepted_popcount_k5", max);
	vec_expect_int(cap, "smallest_rejected", max + 1);
	vec_expect_real(cap, "fpr_at_that", fips_bloom_fpr(max, 5));
	vec_expect_real(cap, "fpr_there", fips_bloom_fpr(max + 1, 5));
	assert_true(fips_bloom_estimate(max, CAP, &n));
	vec_expect_near(cap, "estimate_at_largest_accepted", n);
	bypass = vec_get(cap, "hash_count_bypass");
	k = (u32)vec_int(bypass, "hash_count");
	x = (u32)vec_int(bypass, "largest_popcount_passing_cap");
	assert_int_equal(k, 255);
	assert_true(vec_real(cap, "max_inbound_fpr") == CAP);
	assert_true(fips_bloom_fpr(x, k) <= CAP && fips_bloom_fpr(x + 1, k) > CAP);
	vec_expect_real(bypass, "same_bits_fpr_at_k5", fips_bloom_fpr(x, 5));
	json_decref(root);
}

/* The bound is the same as asking the rate of every popcount. */
static void test_cap_twin(void **state)
{
	static const double caps[] = { 0, 0.001, 0.05, 0.1, 0.2, 0.5, 0.999, 1.0, 2.0 };
	size_t i;
	u32 x;

	(void)state;
	for (i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		u32 max = fips_bloom_max_popcount(caps[i]);

		for (x = 0; x <= FIPS_BLOOM_BITS; x++)
			assert_int_equal(fips_bloom_fpr(x, 5) <= caps[i], x <= max);
	}
}

static void set_bits(struct fips_bloom *f, u32 n)
{
	u32 i;

	memset(f, 0, sizeof(*f));
	for (i = 0; i < n; i++)
		f->bits[i / 8] |= (u8)(1 << i % 8);
}

/* The vector's "result" of a decode case, from what became of the message. */
static void expect_result(const json_t *kase, enum fips_bloom_verdict verdict)
{
	static const char *const words[] = {
		[FIPS_BLOOM_ACCEPTED] = "ok",
		[FIPS_BLOOM_DECODE_ERROR] = "reject decode_error",
		[FIPS_BLOOM_NON_V1] = "reject non_v1",
		[FIPS_BLOOM_STALE] = "reject stale",
		[FIPS_BLOOM_FILL_EXCEEDED] = "reject fill_exceeded",
	};
	const char *want = words[verdict], *is = vec_str(kase, "result");

	if (strncmp(is, want, strlen(want)) || !strchr(" ;", is[strlen(want)]))
		fail_msg("%s: %s, not %s", vec_str(kase, "case"), is, want);
}

static u8 *new_announce(u64 sequence, u32 bits, size_t room)
{
	u8 *msg = calloc(1, room);
	struct fips_bloom f;

	assert_non_null(msg);
	set_bits(&f, bits);
	assert_int_equal(fips_filter_build(msg, room, sequence, &f), FIPS_FILTER_LEN);
	return msg;
}

/* One case of the vector, by what its name says about the message. */
static void run_decode(const json_t *kase, u32 max)
{
	const char *name = vec_str(kase, "case");
	bool full = strstr(name, "all-ones"), stale = strstr(name, "sequence <= last");
	u8 *msg = new_announce(stale ? 8 : 9, full ? FIPS_BLOOM_BITS : 100, 4096), *exact;
	json_t *given = json_object_get(kase, "payload_after_msg_type_len");
	size_t len = given ? (size_t)json_integer_value(given) : FIPS_FILTER_LEN - 1;
	struct fips_bloom_peer peer = { .sequence = 8 }, before = peer;
	enum fips_bloom_verdict verdict;

	if (sscanf(name, "size_class %hhu", &msg[10]) == 1 && !given)
		assert_int_equal(msg[10], 5);
	sscanf(name, "hash_count %hhu", &msg[9]);
	exact = vec_exact(msg + 1, len);
	verdict = fips_bloom_receive(&peer, exact, len, max);
	expect_result(kase, verdict);
	assert_int_equal(peer.over, full);
	before.over = full;
	if (verdict != FIPS_BLOOM_ACCEPTED)
		assert_memory_equal(&peer, &before, sizeof(peer));
	free(exact);
	free(msg);
}

static void test_decode(void **state)
{
	/* A changed length or name must not pass for another malformed message. */
	static const int lens[] = { 1034, 1033, 1035, 522, 2058 };
	static const char *const names[] = {
		"valid", "one byte short", "one byte long", "size_class 0 (512-byte filter)",
		"size_class 2", "size_class 5", "hash_count 0",
		"sequence <= last accepted from this peer", "all-ones filter" };
	json_t *root = vec_load("bloom"), *kase;
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(vec_array(root, "decode")), 9);
	json_array_foreach(vec_array(root, "decode"), i, kase) {
		vec_expect_str(kase, "case", names[i]);
		if (i < 5)
			vec_expect_int(kase, "payload_after_msg_type_len", (u64)lens[i]);
		run_decode(kase, fips_bloom_max_popcount(CAP));
	}
	json_decref(root);
}

/* Every length, every value of the two header bytes. */
static void test_decode_lengths(void **state)
{
	u8 *msg = new_announce(1, 100, 4096), *exact;
	struct fips_filter out;
	size_t len;
	int v;

	(void)state;
	for (len = 0; len < 2100; len++) {
		exact = vec_exact(msg + 1, len);
		assert_int_equal(fips_filter_parse(exact, len, &out),
				 len == FIPS_FILTER_LEN - 1 ? 0 : -EPROTO);
		free(exact);
	}
	for (v = 0; v < 256; v++) {
		msg[9] = (u8)v;
		assert_int_equal(fips_filter_parse(msg + 1, FIPS_FILTER_LEN - 1, &out),
				 v ? 0 : -EPROTO);
		msg[9] = 5;
		msg[10] = (u8)v;
		assert_int_equal(fips_filter_parse(msg + 1, FIPS_FILTER_LEN - 1, &out),
				 v == 1 ? 0 : -EPROTO);
		msg[10] = 1;
	}
	for (len = 0; len < FIPS_FILTER_LEN; len++) {
		struct fips_bloom f = { { 0 } };

		exact = vec_exact(msg, len);
		assert_int_equal(fips_filter_build(exact, len, 1, &f), -ENOSPC);
		free(exact);
	}
	free(msg);
}

/* Every bit of an announce matters, and comes out where it went in. */
static void test_bit_flips(void **state)
{
	u8 *msg = new_announce(7, 1000, FIPS_FILTER_LEN), again[FIPS_FILTER_LEN];
	struct fips_filter out;
	struct fips_bloom f;
	size_t bit;

	(void)state;
	for (bit = 8; bit < FIPS_FILTER_LEN * 8; bit++) {
		msg[bit / 8] ^= (u8)(1 << bit % 8);
		if (!fips_filter_parse(msg + 1, FIPS_FILTER_LEN - 1, &out)) {
			memcpy(f.bits, out.bits, sizeof(f.bits));
			fips_filter_build(again, sizeof(again), out.sequence, &f);
			again[9] = out.hash_count;
			assert_memory_equal(again, msg, sizeof(again));
		} else {
			assert_int_equal(bit / 8, 10);
		}
		msg[bit / 8] ^= (u8)(1 << bit % 8);
	}
	free(msg);
}

static enum fips_bloom_verdict announce(struct fips_bloom_peer *peer, u64 sequence, u32 bits,
					u8 hashes)
{
	u8 *msg = new_announce(sequence, bits, FIPS_FILTER_LEN);
	enum fips_bloom_verdict verdict;

	msg[9] = hashes;
	verdict = fips_bloom_receive(peer, msg + 1, FIPS_FILTER_LEN - 1,
				     fips_bloom_max_popcount(CAP));
	free(msg);
	return verdict;
}

static void test_receive(void **state)
{
	struct fips_bloom_peer peer = { 0 };

	(void)state;
	assert_int_equal(announce(&peer, 0, 10, 5), FIPS_BLOOM_STALE);
	assert_int_equal(announce(&peer, 1, 5937, 5), FIPS_BLOOM_ACCEPTED);
	assert_int_equal(peer.popcount, 5937);
	assert_int_equal(announce(&peer, 1, 10, 5), FIPS_BLOOM_STALE);
	/* An over-full one keeps filter and sequence: the next may have the same number. */
	assert_int_equal(announce(&peer, 2, 5938, 5), FIPS_BLOOM_FILL_EXCEEDED);
	assert_true(peer.over && peer.known && peer.sequence == 1 && peer.popcount == 5937);
	assert_int_equal(announce(&peer, 2, 10, 5), FIPS_BLOOM_ACCEPTED);
	assert_true(!peer.over && peer.popcount == 10);
	/* The cap can't be talked round with another hash count. */
	assert_int_equal(announce(&peer, 3, 8140, 255), FIPS_BLOOM_NON_V1);
	assert_int_equal(announce(&peer, 3, 10, 4), FIPS_BLOOM_NON_V1);
	assert_int_equal(announce(&peer, 3, 10, 6), FIPS_BLOOM_NON_V1);
	assert_int_equal(announce(&peer, 3, 10, 0), FIPS_BLOOM_DECODE_ERROR);
	assert_int_equal(announce(&peer, ~0ull, 10, 5), FIPS_BLOOM_ACCEPTED);
	assert_int_equal(announce(&peer, 4, 10, 5), FIPS_BLOOM_STALE);
}

static void test_reach(void **state)
{
	u32 max = fips_bloom_max_popcount(CAP), full = max - max / 64;
	struct fips_bloom_peer peer = { 0 };
	struct fips_bloom_key low = { { 0, 1, 2, 3, 4 } }, high = { { 8000, 1, 2, 3, 4 } };

	(void)state;
	assert_int_equal(fips_bloom_reach(&peer, &low, max), FIPS_BLOOM_MISS);
	assert_int_equal(announce(&peer, 1, full - 1, 5), FIPS_BLOOM_ACCEPTED);
	assert_int_equal(fips_bloom_reach(&peer, &low, max), FIPS_BLOOM_HIT);
	assert_int_equal(fips_bloom_reach(&peer, &high, max), FIPS_BLOOM_MISS);
	assert_int_equal(announce(&peer, 2, full, 5), FIPS_BLOOM_ACCEPTED);
	assert_int_equal(fips_bloom_reach(&peer, &low, max), FIPS_BLOOM_HIT);
	assert_int_equal(fips_bloom_reach(&peer, &high, max), FIPS_BLOOM_FULL);
	assert_int_equal(announce(&peer, 3, 10, 5), FIPS_BLOOM_ACCEPTED);
	assert_int_equal(fips_bloom_reach(&peer, &high, max), FIPS_BLOOM_MISS);
	/* Over the cap: what it said before still hits, but a miss is none. */
	assert_int_equal(announce(&peer, 4, FIPS_BLOOM_BITS, 5), FIPS_BLOOM_FILL_EXCEEDED);
	assert_int_equal(fips_bloom_reach(&peer, &low, max), FIPS_BLOOM_HIT);
	assert_int_equal(fips_bloom_reach(&peer, &high, max), FIPS_BLOOM_FULL);
	peer = (struct fips_bloom_peer) { .over = true };
	assert_int_equal(fips_bloom_reach(&peer, &low, max), FIPS_BLOOM_FULL);
}

/* Bit operations one bit at a time. */
static void test_ops_twin(void **state)
{
	u64 rng = vec_seed(__func__);
	int round;

	(void)state;
	for (round = 0; round < 50; round++) {
		bool naive[FIPS_BLOOM_BITS] = { 0 };
		struct fips_bloom f = { { 0 } };
		u32 i, j, count = 0, n = (u32)(vec_rand(&rng) % 300);

		for (i = 0; i < n; i++) {
			struct fips_node_addr addr;
			struct fips_bloom_key key;
			bool all = true;

			for (j = 0; j < 16; j++)
				addr.b[j] = (u8)vec_rand(&rng);
			fips_bloom_key(&key, &addr);
			for (j = 0; j < 5; j++)
				all &= naive[key.bit[j]];
			assert_int_equal(fips_bloom_contains(&f, &key), all);
			fips_bloom_insert(&f, &key);
			for (j = 0; j < 5; j++)
				naive[key.bit[j]] = true;
		}
		for (i = 0; i < FIPS_BLOOM_BITS; i++) {
			assert_int_equal(f.bits[i / 8] >> i % 8 & 1, naive[i]);
			count += naive[i];
		}
		assert_int_equal(fips_bloom_popcount(&f), count);
	}
}

#define SHARES	6

struct merge_case {
	struct fips_bloom filter[SHARES];
	struct fips_bloom_share share[SHARES];
	size_t n;
	struct fips_bloom_key own;
};

static void random_shares(u64 *rng, struct merge_case *m)
{
	size_t i, j;

	m->n = vec_rand(rng) % (SHARES + 1);
	for (i = 0; i < 5; i++)
		m->own.bit[i] = (u16)(vec_rand(rng) % FIPS_BLOOM_BITS);
	for (i = 0; i < m->n; i++) {
		u32 bits = (u32)(vec_rand(rng) % (vec_rand(rng) % 2 ? 3000 : 9000));

		memset(&m->filter[i], 0, sizeof(m->filter[i]));
		for (j = 0; j < bits; j++) {
			u32 b = (u32)(vec_rand(rng) % FIPS_BLOOM_BITS);

			m->filter[i].bits[b / 8] |= (u8)(1 << b % 8);
		}
		m->share[i] = (struct fips_bloom_share) {
			&m->filter[i], fips_bloom_popcount(&m->filter[i]), i == 0 };
	}
	/* The parent is anywhere. */
	if (m->n) {
		m->share[0].parent = false;
		m->share[vec_rand(rng) % m->n].parent = vec_rand(rng) % 3;
	}
}

/* The policy word for word: leave out the parent, then the fullest, then fill up. */
static void naive_merge(struct fips_bloom_out *out, const struct merge_case *m, size_t skip,
			u32 max)
{
	bool in[SHARES];
	struct fips_bloom all;
	size_t i, worst;
	u32 bit;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < m->n; i++)
		in[i] = i != skip;
	for (;;) {
		memset(&out->filter, 0, sizeof(out->filter));
		fips_bloom_insert(&out->filter, &m->own);
		for (i = 0; i < m->n; i++) {
			if (in[i])
				fips_bloom_or(&out->filter, &m->filter[i]);
		}
		if (!out->left_out)
			all = out->filter;
		out->popcount = fips_bloom_popcount(&out->filter);
		if (!max || out->popcount <= max)
			break;
		worst = SHARES;
		for (i = 0; i < m->n; i++) {
			if (!in[i])
				continue;
			if (m->share[i].parent) {
				worst = i;
				break;
			}
			if (worst == SHARES || m->share[i].popcount > m->share[worst].popcount)
				worst = i;
		}
		assert_true(worst < SHARES);
		in[worst] = false;
		out->left_out++;
	}
	for (bit = 0; out->left_out && bit < FIPS_BLOOM_BITS; bit++) {
		if (out->popcount == max)
			break;
		if (!(all.bits[bit / 8] >> bit % 8 & 1) ||
		    out->filter.bits[bit / 8] >> bit % 8 & 1)
			continue;
		out->filter.bits[bit / 8] |= (u8)(1 << bit % 8);
		out->popcount++;
	}
}

static void test_merge_twin(void **state)
{
	u32 max = fips_bloom_max_popcount(CAP), capped = 0;
	u64 rng = vec_seed(__func__);
	struct merge_case *m = malloc(sizeof(*m));
	struct fips_bloom_out want, got, all[SHARES + 1];
	size_t skip;
	int round;

	(void)state;
	assert_non_null(m);
	for (round = 0; round < 300; round++) {
		random_shares(&rng, m);
		fips_bloom_merge_all(all, &m->own, m->share, m->n, max);
		for (skip = 0; skip <= m->n; skip++) {
			naive_merge(&want, m, skip, max);
			fips_bloom_merge(&got, &m->own, m->share, m->n, skip, max);
			assert_memory_equal(&got, &want, sizeof(got));
			assert_memory_equal(&all[skip], &want, sizeof(got));
			assert_true(got.popcount <= max);
			if (got.left_out) {
				/* It reads as full: never a small filter that lacks a subtree. */
				assert_int_equal(got.popcount, max);
				capped++;
			}
			naive_merge(&want, m, skip, 0);
			fips_bloom_merge(&got, &m->own, m->share, m->n, skip, 0);
			assert_memory_equal(&got, &want, sizeof(got));
		}
	}
	assert_true(capped > 100);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_single_insert),
		cmocka_unit_test(test_three_keys),
		cmocka_unit_test(test_two_hundred),
		cmocka_unit_test(test_split_horizon),
		cmocka_unit_test(test_size_table),
		cmocka_unit_test(test_cap),
		cmocka_unit_test(test_cap_twin),
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_decode_lengths),
		cmocka_unit_test(test_bit_flips),
		cmocka_unit_test(test_receive),
		cmocka_unit_test(test_reach),
		cmocka_unit_test(test_ops_twin),
		cmocka_unit_test(test_merge_twin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
