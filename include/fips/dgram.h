/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Coordinates in a passing SessionDatagram (spec 07 A): Setup, Ack and
 * encrypted messages with CP show them to everybody on the way.
 */
#ifndef _FIPS_DGRAM_H
#define _FIPS_DGRAM_H

#include <fips/wire.h>

/**
 * fips_coords_len() - length of the two coordinate lists of a message
 * @p: source list, then destination list
 * @len: readable bytes
 *
 * Return: bytes of both, or 0 if they are malformed.
 */
static inline size_t fips_coords_len(const u8 *p, size_t len)
{
	size_t off = 0, n;
	int i;

	for (i = 0; i < 2; i++) {
		if (len - off < 2)
			return 0;
		n = 2 + (size_t)fips_get_le16(p + off) * FIPS_NODE_ADDR_LEN;
		if (len - off < n)
			return 0;
		off += n;
	}
	return off;
}

/**
 * fips_dgram_coords() - where the coordinates of a datagram end
 * @dgram: from its type byte on, at least %FIPS_DGRAM_HDR_LEN bytes
 * @len: its length
 * @off: where they begin, written if there are some
 *
 * Return: leading bytes that hold header and coordinates, 0 without any.
 */
static inline size_t fips_dgram_coords(const u8 *dgram, size_t len, size_t *off)
{
	const u8 *p = dgram + FIPS_DGRAM_HDR_LEN;
	size_t rest = len - FIPS_DGRAM_HDR_LEN, coords;

	if (rest < FIPS_PREFIX_LEN || fips_prefix_version(p) != FIPS_VERSION_0)
		return 0;
	*off = FIPS_PREFIX_LEN + 1;
	switch (fips_prefix_phase(p)) {
	case FIPS_FSP_ESTABLISHED:
		if ((p[1] & (FIPS_FSP_FLAG_CP | FIPS_FSP_FLAG_U)) != FIPS_FSP_FLAG_CP ||
		    rest < FIPS_FSP_MIN_LEN)
			return 0;
		*off = FIPS_FSP_HDR_LEN;
		break;
	case FIPS_FSP_SETUP:
	case FIPS_FSP_ACK:
		break;
	default:
		return 0;
	}
	if (rest <= *off)
		return 0;
	coords = fips_coords_len(p + *off, rest - *off);
	*off += FIPS_DGRAM_HDR_LEN;
	return coords ? *off + coords : 0;
}

/**
 * fips_dgram_header() - how much of a datagram the node wants to see
 * @dgram: from its type byte on, at least %FIPS_DGRAM_HDR_LEN bytes
 * @len: its length
 *
 * Return: bytes up to the end of its coordinates, or else of the prefix that
 * tells whether it is a signal itself.
 */
static inline size_t fips_dgram_header(const u8 *dgram, size_t len)
{
	size_t off, n = fips_dgram_coords(dgram, len, &off);

	if (n)
		return n;
	n = FIPS_DGRAM_HDR_LEN + FIPS_PREFIX_LEN;
	return len < n ? len : n;
}

/**
 * struct fips_seen - coordinates shown to the node not long ago
 * @sum: of both addresses and both lists
 * @at: when, in the caller's unit
 */
struct fips_seen {
	u64 sum;
	u64 at;
};

#define FIPS_SEEN		256	/* a table's entries, a power of two */

/**
 * fips_seen_test() - have these coordinates been shown lately? Notes that they are now
 * @table: %FIPS_SEEN entries, all zero at first
 * @dgram: as for fips_dgram_coords()
 * @off: where its coordinates begin
 * @end: where they end
 * @now: never zero
 * @lately: in the same unit
 *
 * A source repeats the same lists with each message of its warm-up, and the
 * node needs them once. Who forges a collision may as well forge the lists.
 */
static inline bool fips_seen_test(struct fips_seen *table, const u8 *dgram, size_t off, size_t end,
				  u64 now, u64 lately)
{
	u64 sum = 0xcbf29ce484222325ULL;	/* FNV-1a */
	struct fips_seen *s;
	size_t i;

	for (i = FIPS_DGRAM_SRC_OFF; i < FIPS_DGRAM_HDR_LEN; i++)
		sum = (sum ^ dgram[i]) * 0x100000001b3ULL;
	for (i = off; i < end; i++)
		sum = (sum ^ dgram[i]) * 0x100000001b3ULL;
	s = &table[(sum ^ sum >> 32) % FIPS_SEEN];
	if (s->at && s->sum == sum && now - s->at < lately)
		return true;
	s->sum = sum;
	s->at = now;
	return false;
}

#endif /* _FIPS_DGRAM_H */
