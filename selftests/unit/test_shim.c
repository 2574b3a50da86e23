// SPDX-License-Identifier: MIT
/*
 * The IPv6 shim, ECN marking and the MTU arithmetic of ipv6-shim.json.
 */
#include <arpa/inet.h>
#include <fips/shim.h>

#include "vectors.h"

#define PKT_MAX		2048

/* The two nodes of the vectors: A sends, B is we. */
struct world {
	json_t *root;
	u8 a[16];
	u8 b[16];
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	const json_t *ids;

	assert_non_null(w);
	w->root = vec_load("ipv6-shim");
	ids = vec_get(w->root, "identities");
	vec_hex_into(vec_get(ids, "A"), "ipv6_bytes", w->a, 16);
	vec_hex_into(vec_get(ids, "B"), "ipv6_bytes", w->b, 16);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	json_decref(w->root);
	free(w);
	return 0;
}

/* What both data planes do around the header functions. Return: length or 0 (refused). */
static size_t compress(const u8 *pkt, size_t len, u8 *out)
{
	if (!fips_shim_applies(pkt, len))
		return 0;
	fips_shim_put(out, pkt);
	memcpy(out + FIPS_SHIM_LEN, pkt + FIPS_IPV6_HDR_LEN, len - FIPS_IPV6_HDR_LEN);
	return len - FIPS_IPV6_HDR_LEN + FIPS_SHIM_LEN;
}

static size_t expand(const struct world *w, const u8 *shim, size_t len, u8 *out)
{
	if (len < FIPS_SHIM_LEN ||
	    !fips_shim_expand(out, shim, len - FIPS_SHIM_LEN, w->a, w->b))
		return 0;
	memcpy(out + FIPS_IPV6_HDR_LEN, shim + FIPS_SHIM_LEN, len - FIPS_SHIM_LEN);
	return len - FIPS_SHIM_LEN + FIPS_IPV6_HDR_LEN;
}

static void expect_address(const json_t *v, const char *key, const u8 *ipv6)
{
	char text[64];

	inet_ntop(AF_INET6, ipv6, text, sizeof(text));
	vec_expect_str(v, key, text);
}

/* The same without a second buffer, as the data planes do it. */
static void check_in_place(const struct world *w, const u8 *pkt, size_t len, const u8 *shim,
			   const u8 *back)
{
	u8 buf[PKT_MAX];
	u8 *at = buf + FIPS_IPV6_HDR_LEN - FIPS_SHIM_LEN;
	size_t rest = len - FIPS_IPV6_HDR_LEN;

	memcpy(buf, pkt, len);
	fips_shim_put(at, buf);
	assert_memory_equal(at, shim, rest + FIPS_SHIM_LEN);
	assert_true(fips_shim_expand(buf, at, rest, w->a, w->b));
	assert_memory_equal(buf, back, len);
}

static void test_roundtrip(void **state)
{
	const struct world *w = *state;
	json_t *v;
	size_t i, n;

	assert_int_equal(json_array_size(vec_array(w->root, "shim_roundtrip")), 5);
	json_array_foreach(vec_array(w->root, "shim_roundtrip"), i, v) {
		struct vec_bytes pkt = vec_hex(v, "ipv6_packet");
		u8 shim[PKT_MAX], back[PKT_MAX];

		vec_expect_int(v, "ipv6_len", pkt.len);
		n = compress(pkt.p, pkt.len, shim);
		vec_expect_int(v, "shim_len", n);
		vec_expect(v, "shim_payload", shim, n);
		assert_int_equal(expand(w, shim, n, back), pkt.len);
		vec_expect(v, "decompressed", back, pkt.len);
		expect_address(v, "decompress_src", back + 8);
		expect_address(v, "decompress_dst", back + 24);
		assert_int_equal(!memcmp(back, pkt.p, pkt.len),
				 vec_bool(v, "decompressed_equals_input"));
		check_in_place(w, pkt.p, pkt.len, shim, back);
		free(pkt.p);
	}
}

static void test_edges(void **state)
{
	const struct world *w = *state;
	json_t *v;
	size_t i, n;

	assert_int_equal(json_array_size(vec_array(w->root, "shim_edge")), 7);
	json_array_foreach(vec_array(w->root, "shim_edge"), i, v) {
		u8 shim[PKT_MAX], back[PKT_MAX];
		struct vec_bytes b;
		bool refused = json_object_get(v, "result") && vec_is_null(v, "result");

		if (json_object_get(v, "ipv6_packet")) {
			b = vec_hex(v, "ipv6_packet");
			n = compress(b.p, b.len, shim);
			free(b.p);
			assert_int_equal(!n, refused);
			if (refused)
				continue;
			vec_expect(v, "shim_payload", shim, n);
		}
		b = vec_hex(v, "shim_payload");
		n = expand(w, b.p, b.len, back);
		free(b.p);
		assert_int_equal(!n, refused);
		if (!refused)
			vec_expect(v, "decompressed", back, n);
	}
}

static void test_formats_and_lengths(void **state)
{
	const struct world *w = *state;
	u8 shim[FIPS_SHIM_LEN] = { 0 }, back[FIPS_IPV6_HDR_LEN];
	unsigned int f;

	for (f = 0; f < 256; f++) {
		shim[0] = (u8)f;
		assert_int_equal(fips_shim_expand(back, shim, 0, w->a, w->b), f == 0);
	}
	shim[0] = 0;
	assert_true(fips_shim_expand(back, shim, 65535, w->a, w->b));
	assert_int_equal(fips_get_be16(back + 4), 65535);
	assert_false(fips_shim_expand(back, shim, 65536, w->a, w->b));
}

static void test_every_version(void **state)
{
	const struct world *w = *state;
	u8 shim[FIPS_SHIM_LEN] = { 0 }, ip6[FIPS_IPV6_HDR_LEN] = { 0 };
	unsigned int b;

	for (b = 0; b < 256; b++) {
		shim[1] = (u8)b;
		assert_true(fips_shim_expand(ip6, shim, 0, w->a, w->b));
		assert_int_equal(ip6[0], 0x60 | (b & 15));
		ip6[0] = (u8)b;
		assert_int_equal(fips_shim_applies(ip6, sizeof(ip6)), b >> 4 == 6);
	}
	ip6[0] = 0x60;
	for (b = 0; b < FIPS_IPV6_HDR_LEN; b++)
		assert_false(fips_shim_applies(ip6, b));
}

static void test_ecn(void **state)
{
	const struct world *w = *state;
	json_t *v;
	size_t i;

	assert_int_equal(json_array_size(vec_array(w->root, "ecn_ce_mark")), 4);
	json_array_foreach(vec_array(w->root, "ecn_ce_mark"), i, v) {
		struct vec_bytes b = vec_hex(v, "before");

		fips_ecn_mark_ce(b.p);
		vec_expect(v, "after", b.p, b.len);
		free(b.p);
	}
}

static size_t sub(size_t a, size_t b)
{
	return a > b ? a - b : 0;
}

/* The header's constants are those of the vectors (09 §8). */
static void test_mtu(void **state)
{
	const json_t *mtu = vec_get(((struct world *)*state)->root, "effective_mtu");
	const json_t *o = vec_get(mtu, "overhead"), *v;
	size_t i, sum = 0;
	static const size_t terms[] = {
		FIPS_FMP_HDR_LEN, FIPS_FMP_INNER_LEN, FIPS_DGRAM_HDR_LEN - 1, FIPS_FSP_HDR_LEN,
		FIPS_FSP_INNER_LEN, FIPS_TAG_LEN, FIPS_TAG_LEN
	};

	vec_expect_int(o, "FIPS_OVERHEAD", FIPS_OVERHEAD);
	vec_expect_int(o, "port_header", FIPS_FSP_PORTS_LEN);
	vec_expect_int(o, "shim", FIPS_SHIM_LEN);
	vec_expect_int(o, "ipv6_header_removed", FIPS_IPV6_HDR_LEN);
	vec_expect_int(o, "FIPS_IPV6_OVERHEAD", FIPS_IPV6_OVERHEAD);
	assert_int_equal(FIPS_OVERHEAD + FIPS_FSP_PORTS_LEN + FIPS_SHIM_LEN - FIPS_IPV6_HDR_LEN,
			 FIPS_IPV6_OVERHEAD);
	assert_int_equal(json_array_size(vec_array(o, "terms")), 7);
	json_array_foreach(vec_array(o, "terms"), i, v) {
		assert_int_equal(json_integer_value(json_array_get(v, 1)), terms[i]);
		sum += terms[i];
	}
	assert_int_equal(sum, FIPS_OVERHEAD);
	assert_int_equal(json_array_size(vec_array(mtu, "rows")), 12);
	json_array_foreach(vec_array(mtu, "rows"), i, v) {
		size_t m = vec_int(v, "transport_mtu");

		vec_expect_int(v, "effective_ipv6_mtu", sub(m, FIPS_IPV6_OVERHEAD));
		vec_expect_int(v, "tcp_mss_ceiling", sub(sub(m, FIPS_IPV6_OVERHEAD), 60));
		vec_expect_int(v, "native_max_payload",
			       sub(m, FIPS_OVERHEAD + FIPS_FSP_PORTS_LEN));
	}
}

static void test_piggyback(void **state)
{
	const json_t *root = ((struct world *)*state)->root;
	json_t *v;
	size_t i;

	assert_int_equal(json_array_size(vec_array(root, "coords_piggyback")), 5);
	json_array_foreach(vec_array(root, "coords_piggyback"), i, v) {
		size_t coords = 4 + 16 * (vec_int(v, "src_entries") + vec_int(v, "dest_entries"));
		size_t room = vec_int(v, "transport_mtu") - FIPS_OVERHEAD - FIPS_FSP_PORTS_LEN;

		vec_expect_int(v, "coords_bytes", coords);
		vec_expect_int(v, "max_shim_payload", room - coords);
		vec_expect_int(v, "max_ipv6_packet_with_coords",
			       room - coords + FIPS_IPV6_HDR_LEN - FIPS_SHIM_LEN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_roundtrip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_edges, setup, teardown),
		cmocka_unit_test_setup_teardown(test_formats_and_lengths, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_version, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ecn, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mtu, setup, teardown),
		cmocka_unit_test_setup_teardown(test_piggyback, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
