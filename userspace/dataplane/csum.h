/* SPDX-License-Identifier: MIT */
/*
 * Internet checksum (RFC 1071), eight bytes a step. Sums are kept in the byte
 * order of memory; only what is stored or compared has to be folded.
 */
#ifndef FIPS_CSUM_H
#define FIPS_CSUM_H

#include <fips/wire.h>

static inline u64 fips_csum_add(u64 a, u64 b)
{
	a += b;
	return a + (a < b);
}

/**
 * fips_csum() - add bytes to a sum
 * @p: bytes; the range starts at an even offset of what is summed
 * @len: their number
 * @sum: sum so far
 */
static inline u64 fips_csum(const u8 *p, size_t len, u64 sum)
{
	unsigned __int128 a = sum, b = 0;
	u64 w[4];

	for (; len >= 32; len -= 32, p += 32) {
		memcpy(w, p, 32);
		a += w[0];
		b += w[1];
		a += w[2];
		b += w[3];
	}
	for (; len >= 8; len -= 8, p += 8) {
		memcpy(w, p, 8);
		a += w[0];
	}
	if (len) {
		w[0] = 0;
		memcpy(w, p, len);
		b += w[0];
	}
	sum = fips_csum_add((u64)a, (u64)(a >> 64));
	sum = fips_csum_add(sum, (u64)b);
	return fips_csum_add(sum, (u64)(b >> 64));
}

/* 16 bits in memory order, not complemented. */
static inline u16 fips_csum_fold(u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (u16)sum;
}

/**
 * fips_csum_pseudo() - sum of the IPv6 pseudo-header (RFC 8200 §8.1)
 * @ip6: header with both addresses
 * @len: upper-layer length
 * @proto: upper-layer protocol
 */
static inline u64 fips_csum_pseudo(const u8 *ip6, u32 len, u8 proto)
{
	u8 tail[8] = { 0 };

	fips_put_be32(tail, len);
	tail[7] = proto;
	return fips_csum(tail, sizeof(tail), fips_csum(ip6 + 8, 32, 0));
}

/* Store the complement of @sum at @p; never 0, which UDP reads as "none". */
static inline void fips_csum_store(u8 *p, u64 sum)
{
	u16 v = (u16)~fips_csum_fold(sum);

	v = v ? v : 0xffff;
	memcpy(p, &v, 2);
}

#endif /* FIPS_CSUM_H */
