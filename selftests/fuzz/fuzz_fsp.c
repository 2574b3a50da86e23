// SPDX-License-Identifier: MIT
/*
 * Any payload of a SessionDatagram through the session layer's parsers.
 */
#include "fsp.h"
#include "fuzz.h"

/* The rebuild may be shorter (bytes behind the end are ignored) and has its own length field. */
static void check_rebuild(const u8 *data, size_t len, const u8 *buf, int n, size_t skip)
{
	FUZZ_CHECK(n > (int)FIPS_PREFIX_LEN && (size_t)n <= len);
	FUZZ_CHECK(!memcmp(buf + skip, data + skip, (size_t)n - skip));
	FUZZ_CHECK(fips_get_le16(buf + 2) == n - FIPS_PREFIX_LEN);
}

static void fuzz_handshake(const u8 *data, size_t len)
{
	struct fips_fsp_handshake hs;
	u8 *buf;
	int n;

	if (fips_fsp_handshake_parse(data, len, &hs))
		return;
	buf = malloc(len);
	FUZZ_CHECK(buf);
	n = fips_fsp_handshake_build(buf, len, &hs);
	if (n != -EMSGSIZE)
		check_rebuild(data, len, buf, n, FIPS_PREFIX_LEN);
	free(buf);
}

static void fuzz_signal(const u8 *data, size_t len)
{
	struct fips_fsp_signal_msg sig;
	u8 *buf;
	int n;

	if (fips_fsp_signal_parse(data, len, &sig))
		return;
	buf = malloc(len);
	FUZZ_CHECK(buf);
	n = fips_fsp_signal_build(buf, len, &sig);
	/* the reserved byte, too, is always written as 0 */
	if (n != -EMSGSIZE)
		check_rebuild(data, len, buf, n, FIPS_PREFIX_LEN + 2);
	free(buf);
}

static void fuzz_encrypted(const u8 *data, size_t len)
{
	static const u8 key[32] = { 1 };
	struct fips_fsp_header hdr;
	size_t lists = 0;
	u8 *plain;

	if (fips_fsp_header_parse(data, len, &hdr))
		return;
	if (hdr.flags & FIPS_FSP_FLAG_CP)
		lists = fips_coords_size(&hdr.src) + fips_coords_size(&hdr.dst);
	FUZZ_CHECK(hdr.sealed_len >= FIPS_TAG_LEN);
	FUZZ_CHECK(hdr.sealed + hdr.sealed_len == data + len);
	FUZZ_CHECK(hdr.sealed == data + FIPS_FSP_HDR_LEN + lists);
	plain = malloc(len);
	FUZZ_CHECK(plain);
	FUZZ_CHECK(fips_fsp_open(key, data, &hdr, plain, len) < 0);
	free(plain);
}

static void fuzz_plaintext(const u8 *data, size_t len)
{
	struct fips_fsp_inner inner;
	struct fips_fsp_data body;
	u8 *buf;
	u16 mtu;
	int n;

	if (fips_fsp_inner_parse(data, len, &inner))
		return;
	buf = malloc(len);
	FUZZ_CHECK(buf);
	n = fips_fsp_inner_build(buf, len, &inner);
	FUZZ_CHECK(n == (int)len && !memcmp(buf, data, len));
	if (inner.type == FIPS_FSP_DATA && !fips_fsp_data_parse(inner.body, inner.len, &body)) {
		n = fips_fsp_data_build(buf, len, inner.timestamp, inner.flags, &body);
		FUZZ_CHECK(n == (int)len && !memcmp(buf, data, len));
	}
	if (inner.type == FIPS_FSP_PATH_MTU &&
	    !fips_fsp_path_mtu_parse(inner.body, inner.len, &mtu)) {
		n = fips_fsp_path_mtu_build(buf, len, inner.timestamp, inner.flags, mtu);
		FUZZ_CHECK(n == 8 && !memcmp(buf, data, 8));
	}
	free(buf);
}

static void fuzz_coords(const u8 *data, size_t len, bool may_be_empty)
{
	struct fips_coords coords;
	int n = fips_coords_parse(data, len, may_be_empty, &coords);
	u8 *buf;

	if (n < 0)
		return;
	FUZZ_CHECK((size_t)n <= len && (size_t)n == fips_coords_size(&coords));
	FUZZ_CHECK(may_be_empty || coords.count);
	buf = malloc((size_t)n);
	FUZZ_CHECK(buf);
	FUZZ_CHECK(fips_coords_build(buf, (size_t)n, &coords) == n && !memcmp(buf, data, n));
	free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_handshake(data, size);
	fuzz_signal(data, size);
	fuzz_encrypted(data, size);
	fuzz_plaintext(data, size);
	fuzz_coords(data, size, false);
	fuzz_coords(data, size, true);
	return 0;
}
