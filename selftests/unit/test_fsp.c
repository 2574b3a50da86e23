// SPDX-License-Identifier: MIT
/*
 * Session layer codecs against session-messages.json and the FSP part of
 * ipv6-shim.json; every length, every flipped byte.
 */
#include <errno.h>
#include <fips/shim.h>

#include "fmp.h"
#include "fsp.h"
#include "vectors.h"

#define MSG_MAX		4096
#define COORDS_MAX	256

/* ------------------------------------------------------------- small parts */

/* A list of addresses in a vector; null is an absent list. */
static struct fips_coords coords_of(const json_t *list, struct fips_node_addr *addr)
{
	struct fips_coords coords = { .addr = addr };
	json_t *v;
	size_t i;

	assert_true(json_is_array(list) || json_is_null(list));
	json_array_foreach(list, i, v) {
		struct vec_bytes b = vec_unhex(json_string_value(v));

		assert_int_equal(b.len, FIPS_NODE_ADDR_LEN);
		assert_true(coords.count < COORDS_MAX);
		memcpy(addr[coords.count++].b, b.p, b.len);
		free(b.p);
	}
	return coords;
}

static void expect_coords(const json_t *list, const struct fips_coords *got)
{
	struct fips_node_addr addr[COORDS_MAX];
	struct fips_coords want = coords_of(list, addr);

	assert_int_equal(got->count, want.count);
	if (want.count)
		assert_memory_equal(got->addr, addr, want.count * sizeof(addr[0]));
}

static void test_types(void **state)
{
	static const struct {
		const char *name;
		u8 type;
	} types[] = {
		{ "DataPacket", FIPS_FSP_DATA },
		{ "SenderReport", FIPS_FSP_SENDER_REPORT },
		{ "ReceiverReport", FIPS_FSP_RECEIVER_REPORT },
		{ "PathMtuNotification", FIPS_FSP_PATH_MTU },
		{ "CoordsWarmup", FIPS_FSP_COORDS_WARMUP },
		{ "CoordsRequired", FIPS_FSP_COORDS_REQUIRED },
		{ "PathBroken", FIPS_FSP_PATH_BROKEN },
		{ "MtuExceeded", FIPS_FSP_MTU_EXCEEDED },
	};
	json_t *root = vec_load("session-messages"), *list = vec_array(root, "message_types");
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(list), sizeof(types) / sizeof(types[0]));
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		const char *text = vec_str(json_array_get(list, i), "type");

		vec_expect_str(json_array_get(list, i), "name", types[i].name);
		assert_int_equal(strlen(text), 4);
		assert_int_equal(strtoul(text, NULL, 0), types[i].type);
		if (types[i].type >= FIPS_FSP_COORDS_REQUIRED)
			assert_string_equal(fips_fsp_signal_name(types[i].type), types[i].name);
	}
	json_decref(root);
}

/* "c800 then 3200 bytes of 07" is the one entry that is not plain hex. */
static struct vec_bytes coords_bytes(const json_t *v)
{
	const char *text = vec_str(v, "bytes"), *rest = strstr(text, " then ");
	char head[32];
	struct vec_bytes b;
	size_t n;
	u8 *p;
	unsigned int fill;

	if (!rest)
		return vec_unhex(text);
	assert_true((size_t)(rest - text) < sizeof(head));
	memcpy(head, text, (size_t)(rest - text));
	head[rest - text] = '\0';
	assert_int_equal(sscanf(rest, " then %zu bytes of %x", &n, &fill), 2);
	b = vec_unhex(head);
	p = malloc(b.len + n);
	assert_non_null(p);
	memcpy(p, b.p, b.len);
	memset(p + b.len, (int)fill, n);
	free(b.p);
	return (struct vec_bytes) { p, b.len + n };
}

static void check_coords(const json_t *v, const char *key, bool may_be_empty)
{
	struct vec_bytes b = coords_bytes(v);
	struct fips_coords coords;
	int n = fips_coords_parse(b.p, b.len, may_be_empty, &coords);
	u8 back[MSG_MAX];

	if (vec_is_null(v, key)) {
		assert_int_equal(n, -EPROTO);
	} else {
		vec_expect_int(vec_get(v, key), "consumed", (u64)n);
		if (may_be_empty)
			assert_int_equal(coords.count > 0, vec_bool(vec_get(v, key), "present"));
		assert_int_equal(fips_coords_build(back, sizeof(back), &coords), n);
		assert_memory_equal(back, b.p, (size_t)n);
		assert_int_equal(fips_coords_build(back, (size_t)n - 1, &coords), -ENOSPC);
	}
	free(b.p);
}

static void test_coordinates(void **state)
{
	json_t *root = vec_load("session-messages"), *v;
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(vec_array(root, "coordinates_decoding")), 7);
	json_array_foreach(vec_array(root, "coordinates_decoding"), i, v) {
		check_coords(v, "required_field", false);
		check_coords(v, "optional_field", true);
	}
	json_decref(root);
}

/* --------------------------------------------------------------- cleartext */

/* Handshake or signal, whichever the prefix says. Return: 0 or a negative errno. */
static int parse_cleartext(const u8 *buf, size_t len)
{
	struct fips_fsp_handshake hs;
	struct fips_fsp_signal_msg sig;
	int kind = fips_fsp_kind(buf, len);

	if (kind == FIPS_FSP_KIND_HANDSHAKE)
		return fips_fsp_handshake_parse(buf, len, &hs);
	if (kind == FIPS_FSP_KIND_SIGNAL)
		return fips_fsp_signal_parse(buf, len, &sig);
	return kind < 0 ? kind : -EPROTO;
}

static void check_prefix(const json_t *v, const struct vec_bytes *b)
{
	const json_t *p = vec_get(v, "prefix");
	struct fips_fmp_prefix prefix;

	assert_int_equal(fips_fmp_prefix_parse(b->p, b->len, &prefix), 0);
	vec_expect_int(p, "version", prefix.version);
	vec_expect_int(p, "phase", prefix.phase);
	vec_expect_int(p, "flags", prefix.flags);
	vec_expect_int(p, "payload_len", prefix.payload_len);
	assert_int_equal(prefix.payload_len, b->len - FIPS_PREFIX_LEN);
}

static u8 phase_of(const char *kind)
{
	if (!strcmp(kind, "SessionSetup"))
		return FIPS_FSP_SETUP;
	if (!strcmp(kind, "SessionAck"))
		return FIPS_FSP_ACK;
	return strcmp(kind, "SessionMsg3") ? 0 : FIPS_FSP_MSG3;
}

/* Built from the fields and read back to them. */
static void check_handshake(const json_t *v, const struct vec_bytes *b, u8 phase)
{
	const json_t *f = vec_get(v, "fields");
	struct fips_node_addr src[COORDS_MAX], dst[COORDS_MAX];
	struct fips_fsp_handshake hs = { .phase = phase }, back;
	struct vec_bytes noise = vec_hex(f, "handshake");
	u8 buf[MSG_MAX];
	int len;

	if (phase == FIPS_FSP_SETUP) {
		const json_t *flags = vec_get(f, "flags");

		hs.flags = (u8)((vec_bool(flags, "request_ack") ? FIPS_FSP_SETUP_REQUEST_ACK : 0) |
				(vec_bool(flags, "bidirectional") ?
				 FIPS_FSP_SETUP_BIDIRECTIONAL : 0));
	} else {
		hs.flags = (u8)vec_int(f, "flags");
	}
	if (phase != FIPS_FSP_MSG3) {
		hs.src = coords_of(vec_array(f, "src_coords"), src);
		hs.dst = coords_of(vec_array(f, "dest_coords"), dst);
	}
	assert_int_equal(noise.len, fips_fsp_noise_len(phase));
	hs.noise = noise.p;
	len = fips_fsp_handshake_build(buf, sizeof(buf), &hs);
	assert_true(len > 0);
	vec_expect(v, "message_hex", buf, (size_t)len);
	assert_int_equal(fips_fsp_handshake_build(buf, b->len - 1, &hs), -ENOSPC);
	assert_int_equal(fips_fsp_handshake_parse(b->p, b->len, &back), 0);
	assert_int_equal(back.phase, phase);
	assert_int_equal(back.flags, hs.flags);
	assert_memory_equal(back.noise, noise.p, noise.len);
	if (phase != FIPS_FSP_MSG3) {
		expect_coords(vec_get(f, "src_coords"), &back.src);
		expect_coords(vec_get(f, "dest_coords"), &back.dst);
	}
	free(noise.p);
}

static void check_signal(const json_t *v, const struct vec_bytes *b)
{
	const json_t *f = vec_get(v, "fields");
	struct fips_node_addr addr[COORDS_MAX];
	struct fips_fsp_signal_msg sig = { 0 }, back;
	u8 buf[MSG_MAX];
	int len;

	sig.type = (u8)strtoul(vec_str(f, "msg_type"), NULL, 0);
	assert_string_equal(fips_fsp_signal_name(sig.type), vec_str(v, "kind"));
	vec_hex_into(f, "dest_addr", sig.dst.b, 16);
	vec_hex_into(f, "reporter", sig.reporter.b, 16);
	if (sig.type == FIPS_FSP_MTU_EXCEEDED)
		sig.mtu = (u16)vec_int(f, "mtu");
	if (sig.type == FIPS_FSP_PATH_BROKEN)
		sig.coords = coords_of(vec_get(f, "last_known_coords"), addr);
	len = fips_fsp_signal_build(buf, sizeof(buf), &sig);
	assert_true(len > 0);
	vec_expect(v, "message_hex", buf, (size_t)len);
	assert_int_equal(fips_fsp_signal_build(buf, b->len - 1, &sig), -ENOSPC);
	assert_int_equal(fips_fsp_signal_parse(b->p, b->len, &back), 0);
	assert_int_equal(back.type, sig.type);
	assert_true(fips_node_addr_eq(&back.dst, &sig.dst));
	assert_true(fips_node_addr_eq(&back.reporter, &sig.reporter));
	assert_int_equal(back.mtu, sig.mtu);
	assert_int_equal(back.coords.count, sig.coords.count);
	if (sig.type == FIPS_FSP_PATH_BROKEN)
		expect_coords(vec_get(f, "last_known_coords"), &back.coords);
}

static void test_cleartext(void **state)
{
	json_t *root = vec_load("session-messages"), *v;
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(vec_array(root, "cleartext")), 9);
	json_array_foreach(vec_array(root, "cleartext"), i, v) {
		struct vec_bytes b = vec_hex(v, "message_hex");
		u8 phase = phase_of(vec_str(v, "kind"));

		vec_expect_int(v, "length", b.len);
		check_prefix(v, &b);
		vec_check_decode(v, &b, parse_cleartext);
		if (phase)
			check_handshake(v, &b, phase);
		else
			check_signal(v, &b);
		free(b.p);
	}
	json_decref(root);
}

/* A flipped bit changes what is read, or is refused; the prefix' length and flags are ignored. */
static void check_flip(const struct vec_bytes *b, size_t at, u8 bit)
{
	u8 buf[MSG_MAX];
	struct fips_fsp_handshake hs;
	struct fips_fsp_signal_msg sig;
	int kind, len = -1;

	b->p[at] ^= bit;
	kind = fips_fsp_kind(b->p, b->len);
	if (kind == FIPS_FSP_KIND_HANDSHAKE && !fips_fsp_handshake_parse(b->p, b->len, &hs))
		len = fips_fsp_handshake_build(buf, sizeof(buf), &hs);
	else if (kind == FIPS_FSP_KIND_SIGNAL && !fips_fsp_signal_parse(b->p, b->len, &sig))
		len = fips_fsp_signal_build(buf, sizeof(buf), &sig);
	/* What was read is what was there: the rebuild has the flipped bit, too. */
	if (len > 0 && at >= FIPS_PREFIX_LEN) {
		assert_true((size_t)len <= b->len);
		if (at < (size_t)len && at != FIPS_PREFIX_LEN + 1)
			assert_int_equal(buf[at], b->p[at]);
	}
	b->p[at] ^= bit;
}

static void test_every_bit(void **state)
{
	json_t *root = vec_load("session-messages"), *v;
	size_t i, at;
	u8 bit;

	(void)state;
	json_array_foreach(vec_array(root, "cleartext"), i, v) {
		struct vec_bytes b = vec_hex(v, "message_hex");

		for (at = 0; at < b.len; at++)
			for (bit = 1; bit; bit = (u8)(bit << 1))
				check_flip(&b, at, bit);
		/* Any version but 0 is refused everywhere. */
		for (bit = 0x10; bit; bit = (u8)(bit << 1)) {
			b.p[0] ^= bit;
			assert_int_equal(vec_parse_exact(parse_cleartext, b.p, b.len), -EPROTO);
			b.p[0] ^= bit;
		}
		free(b.p);
	}
	json_decref(root);
}

static void test_setup_flags(void **state)
{
	json_t *root = vec_load("session-messages"), *v;
	const json_t *setup = json_array_get(vec_array(root, "cleartext"), 0);
	struct vec_bytes b = vec_hex(setup, "message_hex");
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(vec_array(root, "setup_flags_byte")), 8);
	json_array_foreach(vec_array(root, "setup_flags_byte"), i, v) {
		const u8 known = FIPS_FSP_SETUP_REQUEST_ACK | FIPS_FSP_SETUP_BIDIRECTIONAL;
		struct fips_fsp_handshake hs;

		b.p[FIPS_PREFIX_LEN] = (u8)vec_int(v, "byte");
		assert_int_equal(fips_fsp_handshake_parse(b.p, b.len, &hs), 0);
		assert_int_equal(!!(hs.flags & FIPS_FSP_SETUP_REQUEST_ACK),
				 vec_bool(v, "request_ack"));
		assert_int_equal(!!(hs.flags & FIPS_FSP_SETUP_BIDIRECTIONAL),
				 vec_bool(v, "bidirectional"));
		vec_expect_int(v, "re_encoded", hs.flags & known);
	}
	free(b.p);
	json_decref(root);
}

/* --------------------------------------------------------------- encrypted */

/* The plaintext built from what the vector says it is. */
static int build_plain(const json_t *v, u8 *buf, size_t room)
{
	struct vec_bytes body = vec_hex(v, "body");
	struct fips_fsp_inner inner = {
		.timestamp = (u32)vec_int(v, "timestamp_ms"),
		.type = (u8)strtoul(vec_str(v, "msg_type"), NULL, 0),
		.flags = (u8)vec_int(v, "inner_flags"),
		.body = body.p,
		.len = body.len,
	};
	int len = fips_fsp_inner_build(buf, room, &inner);

	assert_int_equal(fips_fsp_inner_build(buf, (size_t)len - 1, &inner), -ENOSPC);
	assert_int_equal(fips_fsp_inner_build(buf, room, &inner), len);
	free(body.p);
	return len;
}

static void expect_field(const json_t *f, const char *key, const u8 *bytes, size_t len)
{
	if (json_object_get(f, key))
		vec_expect(f, key, bytes, len);
}

static void check_data_body(const json_t *v, const struct fips_fsp_inner *inner)
{
	const json_t *f = vec_get(v, "fields");
	struct fips_fsp_data data;
	u8 buf[MSG_MAX];
	int len;

	assert_int_equal(fips_fsp_data_parse(inner->body, inner->len, &data), 0);
	vec_expect_int(f, "src_port", data.src_port);
	vec_expect_int(f, "dst_port", data.dst_port);
	expect_field(f, "payload", data.payload, data.len);
	expect_field(f, "shim_payload", data.payload, data.len);
	len = fips_fsp_data_build(buf, sizeof(buf), inner->timestamp, inner->flags, &data);
	vec_expect(v, "plaintext", buf, (size_t)len);
	assert_int_equal(fips_fsp_data_build(buf, (size_t)len - 1, inner->timestamp, inner->flags,
					     &data), -ENOSPC);
}

/* The specialised builders give the same bytes. */
static void check_body(const json_t *v, const struct fips_fsp_inner *inner)
{
	u8 buf[64];
	u16 mtu;
	int len;

	switch (inner->type) {
	case FIPS_FSP_DATA:
		check_data_body(v, inner);
		break;
	case FIPS_FSP_PATH_MTU:
		assert_int_equal(fips_fsp_path_mtu_parse(inner->body, inner->len, &mtu), 0);
		vec_expect_int(vec_get(v, "fields"), "path_mtu", mtu);
		len = fips_fsp_path_mtu_build(buf, sizeof(buf), inner->timestamp, inner->flags,
					      mtu);
		vec_expect(v, "plaintext", buf, (size_t)len);
		break;
	case FIPS_FSP_COORDS_WARMUP:
		len = fips_fsp_warmup_build(buf, sizeof(buf), inner->timestamp, inner->flags);
		vec_expect(v, "plaintext", buf, (size_t)len);
		break;
	default:
		/* reports: their codecs live elsewhere */
		assert_true(inner->type == FIPS_FSP_SENDER_REPORT ||
			    inner->type == FIPS_FSP_RECEIVER_REPORT);
	}
}

static void check_sealed_coords(const json_t *v, const u8 *msg, const struct fips_fsp_header *hdr)
{
	const json_t *c = vec_get(v, "cleartext_coords");

	assert_int_equal(!(hdr->flags & FIPS_FSP_FLAG_CP), json_is_null(c));
	if (json_is_null(c)) {
		assert_ptr_equal(hdr->sealed, msg + FIPS_FSP_HDR_LEN);
		return;
	}
	expect_coords(vec_get(c, "src_coords"), &hdr->src);
	expect_coords(vec_get(c, "dest_coords"), &hdr->dst);
	vec_expect(c, "bytes", msg + FIPS_FSP_HDR_LEN,
		   (size_t)(hdr->sealed - msg) - FIPS_FSP_HDR_LEN);
}

static void check_encrypted(const json_t *v, const u8 *key)
{
	struct fips_node_addr src[COORDS_MAX], dst[COORDS_MAX];
	struct fips_fsp_header hdr = { 0 }, back;
	struct fips_fsp_inner inner;
	u8 plain[MSG_MAX], msg[MSG_MAX], opened[MSG_MAX];
	int plain_len, len;

	hdr.flags = (u8)vec_int(v, "flags");
	hdr.counter = vec_int(v, "counter");
	if (!vec_is_null(v, "cleartext_coords")) {
		const json_t *c = vec_get(v, "cleartext_coords");

		hdr.src = coords_of(vec_array(c, "src_coords"), src);
		hdr.dst = coords_of(vec_array(c, "dest_coords"), dst);
	}
	plain_len = build_plain(v, plain, sizeof(plain));
	vec_expect(v, "plaintext", plain, (size_t)plain_len);
	len = fips_fsp_seal(key, &hdr, plain, (size_t)plain_len, msg, sizeof(msg));
	assert_true(len > 0);
	vec_expect(v, "message_hex", msg, (size_t)len);
	vec_expect(v, "header_aad", msg, FIPS_FSP_HDR_LEN);
	vec_expect_int(v, "length", (u64)len);
	assert_int_equal(fips_fsp_header_parse(msg, (size_t)len, &back), 0);
	assert_int_equal(back.flags, hdr.flags);
	assert_true(back.counter == hdr.counter);
	assert_int_equal(back.payload_len, plain_len);
	check_sealed_coords(v, msg, &back);
	assert_int_equal(fips_fsp_open(key, msg, &back, opened, (size_t)plain_len - 1), -ENOSPC);
	assert_int_equal(fips_fsp_open(key, msg, &back, opened, sizeof(opened)), plain_len);
	assert_memory_equal(opened, plain, (size_t)plain_len);
	assert_int_equal(fips_fsp_inner_parse(opened, (size_t)plain_len, &inner), 0);
	check_body(v, &inner);
	assert_int_equal(fips_fsp_seal(key, &hdr, plain, (size_t)plain_len, msg, (size_t)len - 1),
			 -ENOSPC);
}

static void test_encrypted(void **state)
{
	json_t *root = vec_load("session-messages"), *v;
	u8 key[32];
	size_t i;

	(void)state;
	vec_hex_into(vec_get(root, "encrypted_common"), "key", key, 32);
	assert_int_equal(json_array_size(vec_array(root, "encrypted")), 10);
	json_array_foreach(vec_array(root, "encrypted"), i, v)
		check_encrypted(v, key);
	json_decref(root);
}

/* The packet of a Data message with a shim, both ways. */
static void test_shim_fields(void **state)
{
	json_t *root = vec_load("session-messages"), *v;
	const json_t *two_roots = json_array_get(vec_array(root, "cleartext"), 2);
	struct fips_node_addr a, b;
	u8 src[FIPS_IPV6_LEN], dst[FIPS_IPV6_LEN];
	size_t i;

	(void)state;
	/* The ends are those of the Setup between two roots. */
	two_roots = vec_get(two_roots, "fields");
	coords_of(vec_array(two_roots, "src_coords"), &a);
	coords_of(vec_array(two_roots, "dest_coords"), &b);
	fips_node_addr_to_ipv6(&a, src);
	fips_node_addr_to_ipv6(&b, dst);
	json_array_foreach(vec_array(root, "encrypted"), i, v) {
		const json_t *f = vec_get(v, "fields");
		struct vec_bytes ip6, shim;
		u8 hdr[FIPS_IPV6_HDR_LEN];

		if (!json_object_get(f, "ipv6_packet"))
			continue;
		ip6 = vec_hex(f, "ipv6_packet");
		shim = vec_hex(f, "shim_payload");
		assert_int_equal(ip6.len, shim.len - FIPS_SHIM_LEN + FIPS_IPV6_HDR_LEN);
		assert_memory_equal(ip6.p + FIPS_IPV6_HDR_LEN, shim.p + FIPS_SHIM_LEN,
				    shim.len - FIPS_SHIM_LEN);
		fips_shim_put(hdr, ip6.p);
		assert_memory_equal(hdr, shim.p, FIPS_SHIM_LEN);
		assert_true(fips_shim_expand(hdr, shim.p, shim.len - FIPS_SHIM_LEN, src, dst));
		assert_memory_equal(hdr, ip6.p, FIPS_IPV6_HDR_LEN);
		free(ip6.p);
		free(shim.p);
	}
	json_decref(root);
}

static void test_sealed_tampering(void **state)
{
	json_t *root = vec_load("session-messages"), *v;
	u8 key[32], plain[MSG_MAX];
	struct fips_fsp_header hdr;
	size_t i, at, len;
	u8 bit;

	(void)state;
	vec_hex_into(vec_get(root, "encrypted_common"), "key", key, 32);
	json_array_foreach(vec_array(root, "encrypted"), i, v) {
		struct vec_bytes b = vec_hex(v, "message_hex");
		size_t coords = vec_int(v, "flags") & FIPS_FSP_FLAG_CP ?
			strlen(vec_str(vec_get(v, "cleartext_coords"), "bytes")) / 2 : 0;

		for (at = 0; at < b.len; at++) {
			bool clear = at >= 12 && at < 12 + coords;

			for (bit = 1; bit; bit = (u8)(bit << 1)) {
				int ret;

				b.p[at] ^= bit;
				ret = fips_fsp_header_parse(b.p, b.len, &hdr);
				if (!ret)
					ret = fips_fsp_open(key, b.p, &hdr, plain, sizeof(plain));
				/* Coordinates are not authenticated, all else is. */
				if (!clear)
					assert_true(ret < 0);
				b.p[at] ^= bit;
			}
		}
		for (len = 0; len < b.len; len++) {
			u8 *exact = vec_exact(b.p, len);
			int ret = fips_fsp_header_parse(exact, len, &hdr);

			assert_true(len < FIPS_FSP_MIN_LEN + coords ? ret == -EPROTO : ret == 0);
			if (!ret)
				assert_int_equal(fips_fsp_open(key, exact, &hdr, plain,
							       sizeof(plain)), -EPROTO);
			free(exact);
		}
		free(b.p);
	}
	json_decref(root);
}

static void test_report_bodies(void **state)
{
	json_t *root = vec_load("session-messages");
	const json_t *v = vec_get(vec_get(root, "report_body_decoding"), "PathMtuNotification");
	u8 body[3] = { 0, 5, 0 };
	size_t len, accepted = 0, shortest = 0;
	u16 mtu;

	(void)state;
	for (len = 0; len < 2; len++)
		if (!fips_fsp_path_mtu_parse(body, len, &mtu))
			accepted++;
	for (len = 3; len-- > 0;)
		if (!fips_fsp_path_mtu_parse(body, len, &mtu))
			shortest = len;
	vec_expect_int(v, "accepted_prefixes_below_full", accepted);
	vec_expect_int(v, "shortest_accepted_prefix", shortest);
	assert_int_equal(!fips_fsp_path_mtu_parse(body, 3, &mtu),
			 vec_accepted(v, "one_trailing_zero_byte"));
	json_decref(root);
}

static void test_header_parsing(void **state)
{
	json_t *root = vec_load("session-messages"), *v;
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(vec_array(root, "header_parsing")), 9);
	json_array_foreach(vec_array(root, "header_parsing"), i, v) {
		struct vec_bytes b = vec_hex(v, "first_bytes");
		size_t len = vec_int(v, "total_length");
		u8 *buf = calloc(1, len);
		struct fips_fsp_header hdr;

		memcpy(buf, b.p, b.len < len ? b.len : len);
		if (!fips_fsp_header_parse(buf, len, &hdr) !=
		    vec_bool(v, "established_header_accepted"))
			fail_msg("%s", vec_str(v, "name"));
		free(buf);
		free(b.p);
	}
	json_decref(root);
}

static void test_kinds(void **state)
{
	unsigned int first, flags;
	u8 buf[4] = { 0 };

	(void)state;
	for (first = 0; first < 256; first++) {
		for (flags = 0; flags < 256; flags++) {
			int want;

			buf[0] = (u8)first;
			buf[1] = (u8)flags;
			if (first > 15)
				want = -EPROTO;
			else if (first > 3)
				want = -ENOMSG;
			else if (first)
				want = FIPS_FSP_KIND_HANDSHAKE;
			else
				want = flags & 4 ? FIPS_FSP_KIND_SIGNAL : FIPS_FSP_KIND_ENCRYPTED;
			assert_int_equal(fips_fsp_kind(buf, 4), want);
		}
	}
	for (first = 0; first < 4; first++)
		assert_int_equal(fips_fsp_kind(buf, first), -EPROTO);
}

static void test_signal_types(void **state)
{
	u8 buf[64] = { 0, FIPS_FSP_FLAG_U };
	struct fips_fsp_signal_msg sig = { 0 };
	unsigned int t;

	(void)state;
	assert_int_equal(fips_fsp_signal_parse(buf, 4, &sig), -EPROTO);
	for (t = 0; t < 256; t++) {
		bool known = t >= 0x20 && t <= 0x22;

		buf[4] = (u8)t;
		assert_int_equal(fips_fsp_signal_parse(buf, sizeof(buf), &sig),
				 known ? 0 : -ENOMSG);
		sig.type = (u8)t;
		if (!known)
			assert_int_equal(fips_fsp_signal_build(buf, sizeof(buf), &sig), -EINVAL);
	}
}

static void test_build_limits(void **state)
{
	static struct fips_node_addr many[4100];
	static u8 buf[70000];
	struct fips_fsp_handshake hs = { .phase = FIPS_FSP_SETUP };
	struct fips_fsp_signal_msg sig = { .type = FIPS_FSP_PATH_BROKEN };
	struct fips_fsp_header hdr = { .counter = FIPS_COUNTER_NEVER };
	const u8 key[32] = { 0 };
	u8 noise[73] = { 0 };

	(void)state;
	hs.noise = noise;
	assert_int_equal(fips_fsp_handshake_build(buf, sizeof(buf), &hs), -EINVAL);
	hs.src = (struct fips_coords) { many, 1 };
	assert_int_equal(fips_fsp_handshake_build(buf, sizeof(buf), &hs), -EINVAL);
	hs.dst = (struct fips_coords) { many, 4092 };
	assert_int_equal(fips_fsp_handshake_build(buf, sizeof(buf), &hs), 44 + 16 * 4093);
	hs.dst.count = 4093;
	assert_int_equal(fips_fsp_handshake_build(buf, sizeof(buf), &hs), -EMSGSIZE);
	hs.phase = 4;
	assert_int_equal(fips_fsp_handshake_build(buf, sizeof(buf), &hs), -EINVAL);
	hs.phase = 0;
	assert_int_equal(fips_fsp_handshake_build(buf, sizeof(buf), &hs), -EINVAL);
	sig.coords = (struct fips_coords) { many, 4094 };
	assert_int_equal(fips_fsp_signal_build(buf, sizeof(buf), &sig), -EMSGSIZE);
	assert_int_equal(fips_fsp_seal(key, &hdr, noise, 6, buf, sizeof(buf)), -EOVERFLOW);
	assert_int_equal(fips_fsp_seal(key, &hdr, buf, 65520, buf, sizeof(buf)), -EMSGSIZE);
}

/* ----------------------------------------------------------- ipv6-shim.json */

static void check_layout(const json_t *shim, const char *key, u8 phase,
			 const struct fips_coords *src, const struct fips_coords *dst)
{
	const json_t *v = vec_get(vec_get(shim, "fsp_layouts"), key);
	struct fips_fsp_handshake hs = { .phase = phase, .src = *src, .dst = *dst };
	struct vec_bytes noise = vec_hex(v, "handshake");
	u8 buf[MSG_MAX];
	int len;

	hs.noise = noise.p;
	assert_int_equal(noise.len, fips_fsp_noise_len(phase));
	len = fips_fsp_handshake_build(buf, sizeof(buf), &hs);
	vec_expect(v, "bytes", buf, (size_t)len);
	vec_expect_int(v, "len", (u64)len);
	free(noise.p);
}

static void check_layout_signal(const json_t *shim, const char *key, u8 type,
				const struct fips_coords *coords, u16 mtu)
{
	const json_t *v = vec_get(vec_get(shim, "fsp_layouts"), key);
	struct fips_fsp_signal_msg sig = { .type = type, .mtu = mtu };
	u8 buf[MSG_MAX];
	int len;

	if (coords)
		sig.coords = *coords;
	vec_hex_into(vec_get(vec_get(shim, "identities"), "B"), "node_addr", sig.dst.b, 16);
	vec_hex_into(vec_get(shim, "fsp_layouts"), "reporter", sig.reporter.b, 16);
	len = fips_fsp_signal_build(buf, sizeof(buf), &sig);
	vec_expect(v, "bytes", buf, (size_t)len);
	vec_expect_int(v, "len", (u64)len);
}

static void test_layouts(void **state)
{
	json_t *shim = vec_load("ipv6-shim");
	const json_t *msgs = vec_array(vec_get(shim, "fsp_established"), "messages");
	struct fips_node_addr a[COORDS_MAX], b[COORDS_MAX];
	struct fips_coords src = coords_of(vec_array(json_array_get(msgs, 1), "src_coords"), a);
	struct fips_coords dst = coords_of(vec_array(json_array_get(msgs, 1), "dest_coords"), b);

	(void)state;
	check_layout(shim, "session_setup", FIPS_FSP_SETUP, &src, &dst);
	check_layout(shim, "session_ack", FIPS_FSP_ACK, &dst, &src);
	check_layout(shim, "session_msg3", FIPS_FSP_MSG3, &src, &dst);
	check_layout_signal(shim, "coords_required", FIPS_FSP_COORDS_REQUIRED, NULL, 0);
	check_layout_signal(shim, "path_broken_with_coords", FIPS_FSP_PATH_BROKEN, &dst, 0);
	check_layout_signal(shim, "path_broken_no_coords", FIPS_FSP_PATH_BROKEN, NULL, 0);
	check_layout_signal(shim, "mtu_exceeded_1280", FIPS_FSP_MTU_EXCEEDED, NULL, 1280);
	json_decref(shim);
}

/* Sizes up to the frame on the wire (08 §2.8). */
static void check_carried(const json_t *root, const json_t *v, const u8 *msg, size_t len)
{
	const json_t *ids = vec_get(root, "identities");
	struct fips_datagram dgram = { .ttl = 64, .path_mtu = 1280, .payload = msg, .len = len };
	u8 buf[MSG_MAX];
	int n;

	vec_hex_into(vec_get(ids, "A"), "node_addr", dgram.src.b, 16);
	vec_hex_into(vec_get(ids, "B"), "node_addr", dgram.dst.b, 16);
	n = fips_datagram_build(buf, sizeof(buf), &dgram);
	vec_expect(v, "session_datagram", buf, (size_t)n);
	vec_expect_int(v, "session_datagram_len", (u64)n);
	vec_expect_int(v, "link_frame_len", (u64)n + 4 + FIPS_FMP_MIN_LEN);
}

static void check_established(const json_t *root, const json_t *v, const u8 *key,
			      const struct vec_bytes *plain)
{
	struct fips_node_addr a[COORDS_MAX], b[COORDS_MAX];
	const json_t *src = json_object_get(v, "src_coords") ? v :
		json_array_get(vec_array(vec_get(root, "fsp_established"), "messages"), 1);
	struct fips_fsp_header hdr = { .flags = (u8)vec_int(v, "flags") };
	u8 msg[MSG_MAX];
	int len;

	hdr.counter = vec_int(v, "counter");
	hdr.src = coords_of(vec_array(src, "src_coords"), a);
	hdr.dst = coords_of(vec_array(src, "dest_coords"), b);
	len = fips_fsp_seal(key, &hdr, plain->p, plain->len, msg, sizeof(msg));
	assert_true(len > 0);
	vec_expect(v, "fsp_message", msg, (size_t)len);
	vec_expect_int(v, "fsp_len", (u64)len);
	vec_expect_int(v, "payload_len", plain->len);
	vec_expect(v, "aad", msg, FIPS_FSP_HDR_LEN);
	if (json_object_get(v, "timestamp"))
		vec_expect_int(v, "timestamp", fips_get_le32(plain->p));
	if (json_object_get(v, "coords_bytes"))
		vec_expect(v, "coords_bytes", msg + FIPS_FSP_HDR_LEN,
			   fips_coords_size(&hdr.src) + fips_coords_size(&hdr.dst));
	if (json_object_get(v, "ciphertext_and_tag"))
		vec_expect(v, "ciphertext_and_tag", msg + FIPS_FSP_HDR_LEN,
			   (size_t)len - FIPS_FSP_HDR_LEN);
	if (json_object_get(v, "session_datagram"))
		check_carried(root, v, msg, (size_t)len);
}

static void test_established(void **state)
{
	json_t *root = vec_load("ipv6-shim"), *v;
	const json_t *est = vec_get(root, "fsp_established");
	struct vec_bytes plain = { 0 };
	u8 key[32];
	size_t i;

	(void)state;
	vec_hex_into(est, "key", key, 32);
	assert_int_equal(json_array_size(vec_array(est, "messages")), 4);
	json_array_foreach(vec_array(est, "messages"), i, v) {
		/* "same plaintext" means the message before */
		if (json_object_get(v, "inner_plaintext")) {
			free(plain.p);
			plain = vec_hex(v, "inner_plaintext");
		}
		check_established(root, v, key, &plain);
	}
	free(plain.p);
	json_decref(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_coordinates),
		cmocka_unit_test(test_cleartext),
		cmocka_unit_test(test_every_bit),
		cmocka_unit_test(test_setup_flags),
		cmocka_unit_test(test_encrypted),
		cmocka_unit_test(test_shim_fields),
		cmocka_unit_test(test_sealed_tampering),
		cmocka_unit_test(test_report_bodies),
		cmocka_unit_test(test_header_parsing),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_signal_types),
		cmocka_unit_test(test_build_limits),
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_established),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
