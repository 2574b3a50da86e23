// SPDX-License-Identifier: MIT
/*
 * Bloom filters over node addresses (spec 06).
 */
#include "bloom.h"

#include <errno.h>
#include <fips/wire.h>
#include <math.h>
#include <sodium.h>

#define BIT_MASK	(FIPS_BLOOM_BITS - 1)

void fips_bloom_key(struct fips_bloom_key *key, const struct fips_node_addr *addr)
{
	u8 digest[crypto_hash_sha256_BYTES];
	u64 h1, h2;
	u32 i;

	crypto_hash_sha256(digest, addr->b, FIPS_NODE_ADDR_LEN);
	h1 = fips_get_le64(digest);
	h2 = fips_get_le64(digest + 8);
	for (i = 0; i < FIPS_BLOOM_HASHES; i++)
		key->bit[i] = (u16)((h1 + i * h2) & BIT_MASK);
}

void fips_bloom_insert(struct fips_bloom *f, const struct fips_bloom_key *key)
{
	u32 i;

	for (i = 0; i < FIPS_BLOOM_HASHES; i++)
		f->bits[key->bit[i] / 8] |= (u8)(1 << key->bit[i] % 8);
}

bool fips_bloom_contains(const struct fips_bloom *f, const struct fips_bloom_key *key)
{
	u32 i;

	for (i = 0; i < FIPS_BLOOM_HASHES; i++) {
		if (!(f->bits[key->bit[i] / 8] >> key->bit[i] % 8 & 1))
			return false;
	}
	return true;
}

void fips_bloom_or(struct fips_bloom *f, const struct fips_bloom *with)
{
	size_t i;

	for (i = 0; i < FIPS_BLOOM_BYTES; i++)
		f->bits[i] |= with->bits[i];
}

u32 fips_bloom_popcount(const struct fips_bloom *f)
{
	u32 count = 0;
	size_t i;
	u64 word;

	for (i = 0; i < FIPS_BLOOM_BYTES; i += 8) {
		memcpy(&word, f->bits + i, 8);
		count += (u32)__builtin_popcountll(word);
	}
	return count;
}

double fips_bloom_fpr(u32 popcount, u32 hashes)
{
	double result = 1.0, base = (double)popcount / FIPS_BLOOM_BITS;

	for (;;) {
		if (hashes & 1)
			result *= base;
		hashes >>= 1;
		if (!hashes)
			return result;
		base *= base;
	}
}

u32 fips_bloom_max_popcount(double cap)
{
	u32 low = 0, high = FIPS_BLOOM_BITS;	/* the answer is in low..high */

	while (low < high) {
		u32 mid = (low + high + 1) / 2;

		if (fips_bloom_fpr(mid, FIPS_BLOOM_HASHES) <= cap)
			low = mid;
		else
			high = mid - 1;
	}
	return low;
}

bool fips_bloom_estimate(u32 popcount, double cap, double *estimate)
{
	if (popcount >= FIPS_BLOOM_BITS || fips_bloom_fpr(popcount, FIPS_BLOOM_HASHES) > cap)
		return false;
	*estimate = -((double)FIPS_BLOOM_BITS / FIPS_BLOOM_HASHES) *
		    log(1.0 - (double)popcount / FIPS_BLOOM_BITS);
	return true;
}

int fips_filter_parse(const u8 *body, size_t len, struct fips_filter *out)
{
	if (len != FIPS_FILTER_LEN - 1 || !body[8] || body[9] != FIPS_BLOOM_SIZE_CLASS)
		return -EPROTO;
	out->sequence = fips_get_le64(body);
	out->hash_count = body[8];
	out->bits = body + 10;
	return 0;
}

int fips_filter_build(u8 *buf, size_t room, u64 sequence, const struct fips_bloom *f)
{
	if (room < FIPS_FILTER_LEN)
		return -ENOSPC;
	buf[0] = FIPS_LINK_FILTER_ANNOUNCE;
	fips_put_le64(buf + 1, sequence);
	buf[9] = FIPS_BLOOM_HASHES;
	buf[10] = FIPS_BLOOM_SIZE_CLASS;
	memcpy(buf + 11, f->bits, FIPS_BLOOM_BYTES);
	return FIPS_FILTER_LEN;
}

enum fips_bloom_verdict fips_bloom_receive(struct fips_bloom_peer *peer, const u8 *body,
					   size_t len, u32 max)
{
	struct fips_filter announce;
	struct fips_bloom filter;
	u32 popcount;

	if (fips_filter_parse(body, len, &announce))
		return FIPS_BLOOM_DECODE_ERROR;
	if (announce.hash_count != FIPS_BLOOM_HASHES)
		return FIPS_BLOOM_NON_V1;
	if (announce.sequence <= peer->sequence)
		return FIPS_BLOOM_STALE;
	memcpy(filter.bits, announce.bits, FIPS_BLOOM_BYTES);
	popcount = fips_bloom_popcount(&filter);
	if (popcount > max) {
		peer->over = true;
		return FIPS_BLOOM_FILL_EXCEEDED;
	}
	*peer = (struct fips_bloom_peer) {
		.known = true,
		.sequence = announce.sequence,
		.popcount = popcount,
		.filter = filter,
	};
	return FIPS_BLOOM_ACCEPTED;
}

enum fips_bloom_reach fips_bloom_reach(const struct fips_bloom_peer *peer,
				       const struct fips_bloom_key *key, u32 max)
{
	if (peer->known && fips_bloom_contains(&peer->filter, key))
		return FIPS_BLOOM_HIT;
	if (fips_bloom_peer_full(peer, max))
		return FIPS_BLOOM_FULL;
	return FIPS_BLOOM_MISS;
}

/* Everything but @skip, bare of any cap. */
static void merge_plain(struct fips_bloom_out *out, const struct fips_bloom_key *own,
			const struct fips_bloom_share *shares, size_t n, size_t skip)
{
	size_t i;

	memset(out, 0, sizeof(*out));
	fips_bloom_insert(&out->filter, own);
	for (i = 0; i < n; i++) {
		if (i != skip)
			fips_bloom_or(&out->filter, shares[i].filter);
	}
	out->popcount = fips_bloom_popcount(&out->filter);
}

/* Does share @a leave the filter before share @b? The parent first, then the fullest. */
static bool leaves_before(const struct fips_bloom_share *a, const struct fips_bloom_share *b)
{
	if (a->parent != b->parent)
		return a->parent;
	return a->popcount > b->popcount;
}

/* Next share to leave out behind @last (@n: none yet); ties go by index. @n if there is none. */
static size_t next_to_leave(const struct fips_bloom_share *shares, size_t n, size_t skip,
			    size_t last)
{
	size_t best = n, i;

	for (i = 0; i < n; i++) {
		if (i == skip || i == last)
			continue;
		if (last < n && (leaves_before(&shares[i], &shares[last]) ||
				 (!leaves_before(&shares[last], &shares[i]) && i < last)))
			continue;
		if (best == n || leaves_before(&shares[i], &shares[best]))
			best = i;
	}
	return best;
}

/* Own address and the shares that are behind @last in the order of leaving. */
static void merge_behind(struct fips_bloom_out *out, const struct fips_bloom_key *own,
			 const struct fips_bloom_share *shares, size_t n, size_t skip, size_t last)
{
	size_t i;

	memset(out, 0, sizeof(*out));
	fips_bloom_insert(&out->filter, own);
	for (i = next_to_leave(shares, n, skip, last); i < n;
	     i = next_to_leave(shares, n, skip, i))
		fips_bloom_or(&out->filter, shares[i].filter);
	out->popcount = fips_bloom_popcount(&out->filter);
}

/* Bits of @from into @out, lowest first, until it has @max. */
static void fill_up(struct fips_bloom_out *out, const struct fips_bloom *from, u32 max)
{
	u32 bit;

	for (bit = 0; bit < FIPS_BLOOM_BITS && out->popcount < max; bit++) {
		u8 mask = (u8)(1 << bit % 8), *byte = &out->filter.bits[bit / 8];

		if (!(from->bits[bit / 8] & mask) || *byte & mask)
			continue;
		*byte |= mask;
		out->popcount++;
	}
}

/* @out holds everything and is over the cap. */
static void merge_capped(struct fips_bloom_out *out, const struct fips_bloom_key *own,
			 const struct fips_bloom_share *shares, size_t n, size_t skip, u32 max)
{
	const struct fips_bloom all = out->filter;
	size_t last = n;
	u32 left_out = 0;

	do {
		last = next_to_leave(shares, n, skip, last);
		if (last == n)
			break;
		left_out++;
		merge_behind(out, own, shares, n, skip, last);
	} while (out->popcount > max);
	fill_up(out, &all, max);
	out->left_out = left_out;
}

void fips_bloom_merge(struct fips_bloom_out *out, const struct fips_bloom_key *own,
		      const struct fips_bloom_share *shares, size_t n, size_t skip, u32 max)
{
	merge_plain(out, own, shares, n, skip);
	if (max && out->popcount > max)
		merge_capped(out, own, shares, n, skip, max);
}

void fips_bloom_merge_all(struct fips_bloom_out *out, const struct fips_bloom_key *own,
			  const struct fips_bloom_share *shares, size_t n, u32 max)
{
	struct fips_bloom acc;
	size_t i;

	/* First what lies before each share, then what lies behind it. */
	merge_plain(&out[0], own, shares, 0, 0);
	for (i = 0; i < n; i++) {
		out[i + 1] = out[i];
		fips_bloom_or(&out[i + 1].filter, shares[i].filter);
	}
	memset(&acc, 0, sizeof(acc));
	for (i = n; i-- > 0;) {
		fips_bloom_or(&out[i].filter, &acc);
		fips_bloom_or(&acc, shares[i].filter);
	}
	for (i = 0; i <= n; i++) {
		out[i].popcount = fips_bloom_popcount(&out[i].filter);
		if (max && out[i].popcount > max)
			merge_capped(&out[i], own, shares, n, i, max);
	}
}
