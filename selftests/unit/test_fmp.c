// SPDX-License-Identifier: MIT
/*
 * Link layer codecs against link-messages.json; every length, every flipped byte.
 *
 * The bodies of reports, tree, filter and lookup messages have codecs of their
 * own; here their frames are sealed and opened.
 */
#include <errno.h>

#include "fmp.h"
#include "vectors.h"

#define FRAME_MAX	2048

static u8 type_of(const json_t *v)
{
	const char *text = vec_str(v, "type");
	char *end;
	unsigned long type = strtoul(text, &end, 0);

	assert_true(!strncmp(text, "0x", 2) && !*end && type < 256);
	return (u8)type;
}

static void test_types(void **state)
{
	static const struct {
		const char *name;
		u8 type;
	} types[] = {
		{ "SessionDatagram", FIPS_LINK_DATAGRAM },
		{ "SenderReport", FIPS_LINK_SENDER_REPORT },
		{ "ReceiverReport", FIPS_LINK_RECEIVER_REPORT },
		{ "TreeAnnounce", FIPS_LINK_TREE_ANNOUNCE },
		{ "FilterAnnounce", FIPS_LINK_FILTER_ANNOUNCE },
		{ "LookupRequest", FIPS_LINK_LOOKUP_REQUEST },
		{ "LookupResponse", FIPS_LINK_LOOKUP_RESPONSE },
		{ "Disconnect", FIPS_LINK_DISCONNECT },
		{ "Heartbeat", FIPS_LINK_HEARTBEAT },
	};
	json_t *root = vec_load("link-messages"), *list = vec_array(root, "message_types");
	struct fips_link_message msg;
	u8 buf[256] = { 0 };
	unsigned int t;
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(list), sizeof(types) / sizeof(types[0]));
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		vec_expect_str(json_array_get(list, i), "name", types[i].name);
		assert_int_equal(type_of(json_array_get(list, i)), types[i].type);
	}
	/* All others are ignored, at any length. */
	for (t = 0; t < 256; t++) {
		bool known = false;

		for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
			known |= types[i].type == t;
		buf[0] = (u8)t;
		assert_int_equal(fips_link_message_parse(buf, sizeof(buf), &msg),
				 known ? 0 : -ENOMSG);
		if (!known)
			assert_int_equal(fips_link_message_parse(buf, 1, &msg), -ENOMSG);
	}
	assert_int_equal(fips_link_message_parse(buf, 0, &msg), -EPROTO);
	json_decref(root);
}

static int parse(const u8 *bytes, size_t len)
{
	struct fips_link_message msg;

	return fips_link_message_parse(bytes, len, &msg);
}

static void check_datagram(const json_t *v, const struct vec_bytes *b)
{
	const json_t *f = vec_get(v, "fields");
	struct fips_link_message msg;
	u8 buf[FRAME_MAX];
	int len;

	assert_int_equal(fips_link_message_parse(b->p, b->len, &msg), 0);
	vec_expect_int(f, "ttl", msg.datagram.ttl);
	vec_expect_int(f, "path_mtu", msg.datagram.path_mtu);
	vec_expect(f, "src_addr", msg.datagram.src.b, 16);
	vec_expect(f, "dest_addr", msg.datagram.dst.b, 16);
	vec_expect(f, "payload", msg.datagram.payload, msg.datagram.len);
	len = fips_datagram_build(buf, sizeof(buf), &msg.datagram);
	vec_expect(v, "message_hex", buf, (size_t)len);
	assert_int_equal(fips_datagram_build(buf, b->len - 1, &msg.datagram), -ENOSPC);
}

static void check_disconnect(const json_t *v, const struct vec_bytes *b)
{
	const json_t *f = vec_get(v, "fields");
	struct fips_link_message msg;
	u8 buf[2];

	assert_int_equal(fips_link_message_parse(b->p, b->len, &msg), 0);
	vec_expect_int(f, "reason", msg.reason);
	vec_expect_str(f, "reason_name", fips_disconnect_reason_name(msg.reason));
	assert_int_equal(fips_disconnect_build(buf, 2, msg.reason), 2);
	vec_expect(v, "message_hex", buf, 2);
	assert_int_equal(fips_disconnect_build(buf, 1, msg.reason), -ENOSPC);
}

static void check_heartbeat(const json_t *v, const struct vec_bytes *b)
{
	static const u8 longer[9] = { FIPS_LINK_HEARTBEAT, 1, 2, 3 };
	u8 buf[1];

	assert_int_equal(fips_heartbeat_build(buf, 1), 1);
	vec_expect(v, "message_hex", buf, 1);
	assert_int_equal(fips_heartbeat_build(buf, 0), -ENOSPC);
	assert_int_equal(vec_parse_exact(parse, b->p, 1), 0);
	assert_int_equal(vec_parse_exact(parse, longer, sizeof(longer)), 0);
}

static void test_cases(void **state)
{
	json_t *root = vec_load("link-messages"), *v;
	size_t i, checked = 0;

	(void)state;
	json_array_foreach(vec_array(root, "cases"), i, v) {
		struct vec_bytes b = vec_hex(v, "message_hex");

		vec_expect_int(v, "length", b.len);
		assert_int_equal(type_of(v), b.p[0]);
		switch (b.p[0]) {
		case FIPS_LINK_DATAGRAM:
			check_datagram(v, &b);
			vec_check_decode(v, &b, parse);
			checked++;
			break;
		case FIPS_LINK_SENDER_REPORT:
		case FIPS_LINK_RECEIVER_REPORT:
			vec_check_decode(v, &b, parse);
			break;
		case FIPS_LINK_DISCONNECT:
			check_disconnect(v, &b);
			vec_check_decode(v, &b, parse);
			checked++;
			break;
		case FIPS_LINK_HEARTBEAT:
			check_heartbeat(v, &b);
			checked++;
			break;
		}
		free(b.p);
	}
	assert_int_equal(checked, 2 + 9 + 1);
	json_decref(root);
}

static void test_disconnect_reasons(void **state)
{
	json_t *root = vec_load("link-messages"), *v;
	struct fips_link_message msg;
	u8 buf[2] = { FIPS_LINK_DISCONNECT };
	unsigned int r;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(root, "disconnect_unknown_reason"), i, v) {
		r = (unsigned int)vec_int(v, "reason_byte");
		assert_true(r > FIPS_DISC_TIMEOUT && r < FIPS_DISC_OTHER);
		buf[1] = (u8)r;
		assert_int_equal(fips_link_message_parse(buf, 2, &msg), 0);
		vec_expect_str(v, "decoded_as", fips_disconnect_reason_name(msg.reason));
	}
	for (r = 0; r < 256; r++) {
		buf[1] = (u8)r;
		assert_int_equal(fips_link_message_parse(buf, 2, &msg), 0);
		assert_int_equal(msg.reason, r <= FIPS_DISC_TIMEOUT ? r : FIPS_DISC_OTHER);
	}
	json_decref(root);
}

/* The message a frame carries, by name. */
static struct vec_bytes message_of(const json_t *root, const json_t *frame)
{
	const char *name = vec_str(frame, "message");
	json_t *v;
	size_t i;

	json_array_foreach(vec_array(root, "cases"), i, v)
		if (!strcmp(vec_str(v, "name"), name))
			return vec_hex(v, "message_hex");
	fail_msg("no message \"%s\"", name);
	return (struct vec_bytes) { 0 };
}

static void check_frame(const json_t *f, const struct vec_bytes *msg, const u8 *key, u32 idx)
{
	struct fips_fmp_header hdr = { .receiver_idx = idx }, back;
	u8 buf[FRAME_MAX], plain[FRAME_MAX];
	struct fips_fmp_inner inner;
	int len, n;

	hdr.flags = (u8)vec_int(f, "flags");
	hdr.counter = vec_int(f, "counter");
	len = fips_fmp_seal(key, &hdr, (u32)vec_int(f, "timestamp_ms"), msg->p, msg->len, buf,
			    sizeof(buf));
	assert_true(len > 0);
	vec_expect(f, "frame", buf, (size_t)len);
	vec_expect(f, "header", buf, FIPS_FMP_HDR_LEN);
	vec_expect_int(f, "length", (u64)len);
	assert_int_equal(fips_classify(buf, (size_t)len), FIPS_FRAME_ESTABLISHED);
	n = fips_fmp_open(key, buf, (size_t)len, plain, sizeof(plain));
	assert_true(n > 0);
	vec_expect(f, "plaintext", plain, (size_t)n);
	assert_int_equal(fips_fmp_inner_parse(plain, (size_t)n, &inner), 0);
	vec_expect_int(f, "timestamp_ms", inner.timestamp);
	assert_int_equal(inner.type, msg->p[0]);
	assert_int_equal(inner.len, msg->len);
	assert_memory_equal(inner.msg, msg->p, msg->len);
	assert_int_equal(fips_fmp_header_parse(buf, (size_t)len, &back), 0);
	assert_int_equal(back.flags, hdr.flags);
	assert_true(back.counter == hdr.counter);
	assert_int_equal(back.receiver_idx, idx);
	assert_int_equal(back.payload_len, n);
	assert_int_equal(fips_fmp_seal(key, &hdr, 0, msg->p, msg->len, buf, (size_t)len - 1),
			 -ENOSPC);
}

static void common_of(const json_t *root, u8 *key, u32 *idx)
{
	const json_t *common = vec_get(root, "frames_common");

	vec_hex_into(common, "key", key, 32);
	*idx = (u32)strtoul(vec_str(common, "receiver_idx"), NULL, 16);
}

static void test_frames(void **state)
{
	json_t *root = vec_load("link-messages"), *f;
	u8 key[32];
	size_t i;
	u32 idx;

	(void)state;
	common_of(root, key, &idx);
	assert_int_equal(json_array_size(vec_array(root, "frames")), 22);
	json_array_foreach(vec_array(root, "frames"), i, f) {
		struct vec_bytes msg = message_of(root, f);

		check_frame(f, &msg, key, idx);
		free(msg.p);
	}
	json_decref(root);
}

/* One bit wrong anywhere, or one byte missing: never opened. */
static void test_frame_tampering(void **state)
{
	json_t *root = vec_load("link-messages");
	struct vec_bytes b = vec_hex(json_array_get(vec_array(root, "frames"), 1), "frame");
	u8 key[32], plain[FRAME_MAX];
	size_t at, len;
	u8 bit;
	u32 idx;

	(void)state;
	common_of(root, key, &idx);
	for (at = 0; at < b.len; at++) {
		for (bit = 1; bit; bit = (u8)(bit << 1)) {
			b.p[at] ^= bit;
			assert_true(fips_fmp_open(key, b.p, b.len, plain, sizeof(plain)) < 0);
			b.p[at] ^= bit;
		}
	}
	for (len = 0; len < b.len; len++) {
		u8 *exact = vec_exact(b.p, len);

		assert_int_equal(fips_fmp_open(key, exact, len, plain, sizeof(plain)), -EPROTO);
		free(exact);
	}
	assert_int_equal(fips_fmp_open(key, b.p, b.len, plain, b.len - FIPS_FMP_MIN_LEN - 1),
			 -ENOSPC);
	/* In place */
	assert_true(fips_fmp_open(key, b.p, b.len, b.p + FIPS_FMP_HDR_LEN, b.len) > 0);
	free(b.p);
	json_decref(root);
}

static void test_header_parsing(void **state)
{
	json_t *root = vec_load("link-messages"), *v;
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(vec_array(root, "header_parsing")), 17);
	json_array_foreach(vec_array(root, "header_parsing"), i, v) {
		struct vec_bytes b = vec_hex(v, "first_bytes");
		size_t len = vec_int(v, "total_length");
		u8 *buf = calloc(1, len);
		struct fips_fmp_prefix prefix;
		struct fips_fmp_header hdr;
		struct fips_fmp_msg1 m1;
		struct fips_fmp_msg2 m2;

		memcpy(buf, b.p, b.len < len ? b.len : len);
		assert_int_equal(!fips_fmp_prefix_parse(buf, len, &prefix),
				 !vec_is_null(v, "common_prefix"));
		if (!vec_is_null(v, "common_prefix")) {
			const json_t *p = vec_get(v, "common_prefix");

			vec_expect_int(p, "version", prefix.version);
			vec_expect_int(p, "phase", prefix.phase);
			vec_expect_int(p, "flags", prefix.flags);
			vec_expect_int(p, "payload_len", prefix.payload_len);
		}
		assert_int_equal(!fips_fmp_header_parse(buf, len, &hdr),
				 vec_bool(v, "established_header_accepted"));
		assert_int_equal(!fips_fmp_msg1_parse(buf, len, &m1),
				 vec_bool(v, "msg1_header_accepted"));
		assert_int_equal(!fips_fmp_msg2_parse(buf, len, &m2),
				 vec_bool(v, "msg2_header_accepted"));
		free(buf);
		free(b.p);
	}
	json_decref(root);
}

static void test_inner_header(void **state)
{
	json_t *root = vec_load("link-messages"), *v;
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(vec_array(root, "inner_header_parsing")), 3);
	json_array_foreach(vec_array(root, "inner_header_parsing"), i, v) {
		struct vec_bytes b = vec_hex(v, "plaintext");
		struct fips_fmp_inner inner;
		u8 buf[16];

		assert_int_equal(!fips_fmp_inner_parse(b.p, b.len, &inner),
				 vec_bool(v, "accepted"));
		if (vec_bool(v, "accepted")) {
			assert_int_equal(inner.timestamp, 0x04030201);
			assert_int_equal(inner.type, FIPS_LINK_HEARTBEAT);
			assert_int_equal(fips_fmp_inner_build(buf, sizeof(buf), inner.timestamp,
							      inner.msg, inner.len), b.len);
			vec_expect(v, "plaintext", buf, b.len);
		} else {
			assert_true(b.len < FIPS_FMP_INNER_LEN);
		}
		free(b.p);
	}
	json_decref(root);
}

/* The examples of 03 §2.8 */
static void test_spec_examples(void **state)
{
	static const u8 hdr_want[] = { 0x00, 0x05, 0x05, 0x00, 0x78, 0x56, 0x34, 0x12, 0x2a };
	static const u8 msg1_want[] = { 0x01, 0x00, 0x6e, 0x00, 0x01, 0xef, 0xcd, 0xab };
	static const u8 msg2_want[] = { 0x02, 0x00, 0x41, 0x00, 0x44, 0x33, 0x22, 0x11,
					0x88, 0x77, 0x66, 0x55 };
	struct fips_fmp_header hdr = { .flags = 5, .payload_len = 5, .receiver_idx = 0x12345678,
				       .counter = 42 };
	u8 noise[FIPS_NOISE_IK1_LEN] = { 2 }, buf[FIPS_MSG1_LEN + 1];
	struct fips_fmp_msg1 m1 = { 0xabcdef01, noise }, b1;
	struct fips_fmp_msg2 m2 = { 0x11223344, 0x55667788, noise }, b2;

	(void)state;
	assert_int_equal(fips_fmp_header_build(buf, 16, &hdr), 16);
	assert_memory_equal(buf, hdr_want, sizeof(hdr_want));
	assert_int_equal(fips_fmp_header_build(buf, 15, &hdr), -ENOSPC);
	assert_int_equal(fips_fmp_msg1_build(buf, FIPS_MSG1_LEN - 1, &m1), -ENOSPC);
	assert_int_equal(fips_fmp_msg1_build(buf, sizeof(buf), &m1), FIPS_MSG1_LEN);
	assert_memory_equal(buf, msg1_want, sizeof(msg1_want));
	assert_int_equal(fips_classify(buf, FIPS_MSG1_LEN), FIPS_FRAME_HANDSHAKE);
	assert_int_equal(fips_fmp_msg1_parse(buf, FIPS_MSG1_LEN, &b1), 0);
	assert_int_equal(b1.sender_idx, 0xabcdef01);
	assert_memory_equal(b1.noise, noise, FIPS_NOISE_IK1_LEN);
	assert_int_equal(fips_fmp_msg2_build(buf, FIPS_MSG2_LEN - 1, &m2), -ENOSPC);
	assert_int_equal(fips_fmp_msg2_build(buf, sizeof(buf), &m2), FIPS_MSG2_LEN);
	assert_memory_equal(buf, msg2_want, sizeof(msg2_want));
	assert_int_equal(fips_classify(buf, FIPS_MSG2_LEN), FIPS_FRAME_HANDSHAKE);
	assert_int_equal(fips_fmp_msg2_parse(buf, FIPS_MSG2_LEN, &b2), 0);
	assert_int_equal(b2.sender_idx, 0x11223344);
	assert_int_equal(b2.receiver_idx, 0x55667788);
}

/* 03 §2.2 for every phase, length and payload_len that is near. */
static void test_classify(void **state)
{
	unsigned int phase, len, field;
	u8 buf[160] = { 0 };

	(void)state;
	for (len = 0; len < 4; len++)
		assert_int_equal(fips_classify(buf, len), FIPS_FRAME_SHORT);
	for (phase = 0; phase < 256; phase++) {
		for (len = 4; len <= sizeof(buf); len++) {
			buf[0] = (u8)phase;
			for (field = 0; field < 130; field++) {
				enum fips_frame_class want = FIPS_FRAME_LENGTH;

				fips_put_le16(buf + 2, (u16)field);
				if (phase > 0x0f)
					want = FIPS_FRAME_VERSION;
				else if (phase > 2)
					want = FIPS_FRAME_PHASE;
				else if (phase == 0 && len < 32)
					want = FIPS_FRAME_SHORT;
				else if (phase == 0 && field == len - 32)
					want = FIPS_FRAME_ESTABLISHED;
				else if ((phase == 1 && len == 114 && field == 110) ||
					 (phase == 2 && len == 69 && field == 65))
					want = FIPS_FRAME_HANDSHAKE;
				assert_int_equal(fips_classify(buf, len), want);
			}
		}
	}
}

/* Any bytes at any length: nothing is read that is not there, and the rebuild agrees. */
static void test_random_messages(void **state)
{
	u64 rng = vec_seed(__func__);
	int round;

	(void)state;
	for (round = 0; round < 20000; round++) {
		size_t len = vec_rand(&rng) % 80, i;
		u8 *buf = malloc(len ? len : 1), back[128];
		struct fips_link_message msg;

		for (i = 0; i < len; i++)
			buf[i] = (u8)vec_rand(&rng);
		if (len && vec_rand(&rng) % 2)
			buf[0] = FIPS_LINK_DATAGRAM;
		if (!fips_link_message_parse(buf, len, &msg) && msg.type == FIPS_LINK_DATAGRAM) {
			assert_int_equal(fips_datagram_build(back, sizeof(back), &msg.datagram),
					 len);
			assert_memory_equal(back, buf, len);
		}
		free(buf);
	}
}

static void test_seal_limits(void **state)
{
	static u8 msg[65536], buf[65600], plain[65600];
	struct fips_fmp_header hdr = { 0 };
	const u8 key[32] = { 0 };

	(void)state;
	assert_int_equal(fips_fmp_seal(key, &hdr, 0, msg, 65516, buf, sizeof(buf)), -EMSGSIZE);
	assert_int_equal(fips_fmp_seal(key, &hdr, 0, msg, 65515, buf, sizeof(buf)), 65551);
	assert_int_equal(fips_fmp_open(key, buf, 65551, plain, sizeof(plain)), 65519);
	assert_int_equal(fips_fmp_seal(key, &hdr, 0, msg, 0, buf, sizeof(buf)), -EINVAL);
	hdr.counter = FIPS_COUNTER_NEVER;
	assert_int_equal(fips_fmp_seal(key, &hdr, 0, msg, 1, buf, sizeof(buf)), -EOVERFLOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_disconnect_reasons),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_frame_tampering),
		cmocka_unit_test(test_header_parsing),
		cmocka_unit_test(test_inner_header),
		cmocka_unit_test(test_spec_examples),
		cmocka_unit_test(test_classify),
		cmocka_unit_test(test_random_messages),
		cmocka_unit_test(test_seal_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
