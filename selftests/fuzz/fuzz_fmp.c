// SPDX-License-Identifier: MIT
/*
 * Any datagram through the link layer's parsers, and as a plaintext through
 * the link messages' codecs. What is accepted must come out the same when it
 * is built again.
 */
#include "fmp.h"
#include "fuzz.h"

static void fuzz_packet(const u8 *data, size_t len)
{
	enum fips_frame_class class = fips_classify(data, len);
	struct fips_fmp_prefix prefix;
	struct fips_fmp_header hdr;
	struct fips_fmp_msg1 m1;
	struct fips_fmp_msg2 m2;
	u8 buf[FIPS_MSG1_LEN];
	bool is_m1 = !fips_fmp_msg1_parse(data, len, &m1);
	bool is_m2 = !fips_fmp_msg2_parse(data, len, &m2);
	bool is_est = !fips_fmp_header_parse(data, len, &hdr);

	FUZZ_CHECK(is_m1 + is_m2 + is_est <= 1);
	FUZZ_CHECK(!fips_fmp_prefix_parse(data, len, &prefix) == (len >= FIPS_PREFIX_LEN));
	if (class == FIPS_FRAME_ESTABLISHED) {
		FUZZ_CHECK(is_est && hdr.payload_len == len - FIPS_FMP_MIN_LEN);
		FUZZ_CHECK(fips_fmp_header_build(buf, sizeof(buf), &hdr) == FIPS_FMP_HDR_LEN);
		FUZZ_CHECK(!memcmp(buf, data, FIPS_FMP_HDR_LEN));
	}
	if (is_m1 && class == FIPS_FRAME_HANDSHAKE) {
		FUZZ_CHECK(fips_fmp_msg1_build(buf, sizeof(buf), &m1) == (int)len);
		FUZZ_CHECK(!memcmp(buf, data, len));
	}
	if (is_m2 && class == FIPS_FRAME_HANDSHAKE) {
		FUZZ_CHECK(fips_fmp_msg2_build(buf, sizeof(buf), &m2) == (int)len);
		FUZZ_CHECK(!memcmp(buf, data, len));
	}
}

static void fuzz_message(const u8 *data, size_t len)
{
	struct fips_link_message msg;
	u8 *buf;
	int n;

	if (fips_link_message_parse(data, len, &msg))
		return;
	FUZZ_CHECK(len >= 1 && msg.type == data[0]);
	FUZZ_CHECK(msg.body == data + 1 && msg.len == len - 1);
	buf = malloc(len);
	FUZZ_CHECK(buf);
	if (msg.type == FIPS_LINK_DATAGRAM) {
		n = fips_datagram_build(buf, len, &msg.datagram);
		FUZZ_CHECK(n == (int)len && !memcmp(buf, data, len));
		FUZZ_CHECK(fips_datagram_build(buf, len - 1, &msg.datagram) == -ENOSPC);
	}
	if (msg.type == FIPS_LINK_DISCONNECT)
		FUZZ_CHECK(fips_disconnect_reason_name(msg.reason)[0]);
	free(buf);
}

static void fuzz_frame(const u8 *data, size_t len)
{
	static const u8 key[32] = { 1 };
	struct fips_fmp_header hdr = { .receiver_idx = 7 };
	struct fips_fmp_inner inner;
	u8 *buf = malloc(len + FIPS_FMP_OVERHEAD + 1), *plain = malloc(len + 5);
	int n, m;

	FUZZ_CHECK(buf && plain);
	/* A frame of somebody's never opens. */
	FUZZ_CHECK(fips_fmp_open(key, data, len, plain, len + 5) < 0);
	n = fips_fmp_seal(key, &hdr, 9, data, len, buf, len + FIPS_FMP_OVERHEAD);
	FUZZ_CHECK((n > 0) == (len > 0 && len <= 65515));
	if (n > 0) {
		m = fips_fmp_open(key, buf, (size_t)n, plain, len + 5);
		FUZZ_CHECK(m == (int)len + 4);
		FUZZ_CHECK(!fips_fmp_inner_parse(plain, (size_t)m, &inner));
		FUZZ_CHECK(inner.len == len && !memcmp(inner.msg, data, len));
	}
	free(buf);
	free(plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fips_fmp_inner inner;

	fuzz_packet(data, size);
	fuzz_message(data, size);
	if (!fips_fmp_inner_parse(data, size, &inner))
		fuzz_message(inner.msg, inner.len);
	fuzz_frame(data, size);
	return 0;
}
