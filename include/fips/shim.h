/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The IPv6 shim of port 256 (spec 09 §2): an IPv6 header without what the
 * session knows anyway. 40 bytes become 7.
 */
#ifndef _FIPS_SHIM_H
#define _FIPS_SHIM_H

#include <fips/wire.h>

/**
 * fips_shim_applies() - can this packet travel through the shim?
 * @ip6: packet
 * @len: its length
 */
static inline bool fips_shim_applies(const u8 *ip6, size_t len)
{
	return len >= FIPS_IPV6_HDR_LEN && ip6[0] >> 4 == 6;
}

/**
 * fips_shim_put() - shim header of an IPv6 packet
 * @shim: %FIPS_SHIM_LEN bytes, written; may lie inside @ip6 (from offset 33 on)
 * @ip6: its fixed header, %FIPS_IPV6_HDR_LEN bytes
 */
static inline void fips_shim_put(u8 *shim, const u8 *ip6)
{
	u8 hdr[FIPS_SHIM_LEN];

	hdr[0] = FIPS_SHIM_FORMAT_0;
	memcpy(hdr + 1, ip6, 4);	/* version, traffic class, flow label: verbatim */
	hdr[5] = ip6[6];		/* next header */
	hdr[6] = ip6[7];		/* hop limit */
	memcpy(shim, hdr, FIPS_SHIM_LEN);
}

/**
 * fips_shim_expand() - rebuild the IPv6 header a shim stands for
 * @ip6: %FIPS_IPV6_HDR_LEN bytes, written; may overlap @shim (it ends where the shim ends)
 * @shim: shim header, %FIPS_SHIM_LEN bytes
 * @rest: bytes after the shim; becomes the payload length
 * @src: IPv6 address of the session's remote
 * @dst: our own IPv6 address
 *
 * Return: false if the format is not 0x00 or @rest exceeds 65535.
 */
static inline bool fips_shim_expand(u8 *ip6, const u8 *shim, size_t rest, const u8 *src,
				    const u8 *dst)
{
	u8 hdr[FIPS_IPV6_HDR_LEN];

	if (shim[0] != FIPS_SHIM_FORMAT_0 || rest > 65535)
		return false;
	hdr[0] = (shim[1] & 0x0f) | 0x60;
	memcpy(hdr + 1, shim + 2, 3);
	fips_put_be16(hdr + 4, (u16)rest);
	hdr[6] = shim[5];
	hdr[7] = shim[6];
	memcpy(hdr + 8, src, FIPS_IPV6_LEN);
	memcpy(hdr + 24, dst, FIPS_IPV6_LEN);
	memcpy(ip6, hdr, FIPS_IPV6_HDR_LEN);
	return true;
}

/**
 * fips_ecn_mark_ce() - the last hop was congested: mark an ECN-capable packet (spec 09 §3)
 * @ip6: IPv6 header
 *
 * The ECN bits are the low two of the traffic class, bits 5 and 4 of byte 1.
 * Not-ECT stays as it is. No checksum covers them.
 */
static inline void fips_ecn_mark_ce(u8 *ip6)
{
	if (ip6[1] & 0x30)
		ip6[1] |= 0x30;
}

#endif /* _FIPS_SHIM_H */
