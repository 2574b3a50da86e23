// SPDX-License-Identifier: MIT
/*
 * Any bytes as an IPv6 packet for the shim and as a shim to expand.
 */
#include <fips/shim.h>

#include "fuzz.h"

static const u8 src[16] = { 0xfd, 1 }, dst[16] = { 0xfd, 2 };

static void fuzz_expand(const u8 *data, size_t len)
{
	u8 ip6[FIPS_IPV6_HDR_LEN], again[FIPS_SHIM_LEN];

	if (len < FIPS_SHIM_LEN)
		return;
	if (!fips_shim_expand(ip6, data, len - FIPS_SHIM_LEN, src, dst)) {
		FUZZ_CHECK(data[0] || len - FIPS_SHIM_LEN > 65535);
		return;
	}
	FUZZ_CHECK(fips_shim_applies(ip6, sizeof(ip6)));
	FUZZ_CHECK(fips_get_be16(ip6 + 4) == len - FIPS_SHIM_LEN);
	FUZZ_CHECK(!memcmp(ip6 + 8, src, 16) && !memcmp(ip6 + 24, dst, 16));
	fips_shim_put(again, ip6);
	/* Only the version may differ. */
	FUZZ_CHECK((again[1] & 0x0f) == (data[1] & 0x0f));
	FUZZ_CHECK(!again[0] && !memcmp(again + 2, data + 2, FIPS_SHIM_LEN - 2));
}

static void fuzz_compress(const u8 *data, size_t len)
{
	u8 *pkt = malloc(len), *back = malloc(len);
	u8 *shim;

	FUZZ_CHECK((pkt && back) || !len);
	if (fips_shim_applies(data, len)) {
		memcpy(pkt, data, len);
		/* In place: the shim ends where the header did. */
		shim = pkt + FIPS_IPV6_HDR_LEN - FIPS_SHIM_LEN;
		fips_shim_put(shim, pkt);
		FUZZ_CHECK(!memcmp(shim + FIPS_SHIM_LEN, data + FIPS_IPV6_HDR_LEN,
				   len - FIPS_IPV6_HDR_LEN));
		if (fips_shim_expand(pkt, shim, len - FIPS_IPV6_HDR_LEN, data + 8, data + 24)) {
			memcpy(back, data, len);
			fips_put_be16(back + 4, (u16)(len - FIPS_IPV6_HDR_LEN));
			FUZZ_CHECK(!memcmp(pkt, back, len));
		}
		fips_ecn_mark_ce(pkt);
		FUZZ_CHECK(!!(pkt[1] & 0x30) == !!(data[1] & 0x30));
	}
	free(pkt);
	free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_expand(data, size);
	fuzz_compress(data, size);
	return 0;
}
