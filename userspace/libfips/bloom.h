/* SPDX-License-Identifier: MIT */
/*
 * Bloom filters over node addresses (spec 06): bit-exact operations, the
 * FilterAnnounce codec, what a peer announced, and what we announce.
 *
 * There is one size and one hash count on the wire, so a filter is its bits.
 * Decisions compare popcounts with a bound that was computed once from the
 * false-positive cap; only the mesh-size estimate, which is shown and decides
 * nothing, needs a logarithm.
 */
#ifndef _LIBFIPS_BLOOM_H
#define _LIBFIPS_BLOOM_H

#include <fips/types.h>

#define FIPS_BLOOM_BITS		8192
#define FIPS_BLOOM_BYTES	1024
#define FIPS_BLOOM_HASHES	5
#define FIPS_BLOOM_SIZE_CLASS	1
#define FIPS_FILTER_LEN		1035	/* of a FilterAnnounce, type byte included */

/**
 * struct fips_bloom - a filter
 * @bits: bit b is mask 1 << (b % 8) of byte b / 8
 */
struct fips_bloom {
	u8 bits[FIPS_BLOOM_BYTES];
};

/**
 * struct fips_bloom_key - an address, hashed once for any number of filters
 * @bit: positions; two of them may be the same
 */
struct fips_bloom_key {
	u16 bit[FIPS_BLOOM_HASHES];
};

void fips_bloom_key(struct fips_bloom_key *key, const struct fips_node_addr *addr);
void fips_bloom_insert(struct fips_bloom *f, const struct fips_bloom_key *key);
bool fips_bloom_contains(const struct fips_bloom *f, const struct fips_bloom_key *key);
void fips_bloom_or(struct fips_bloom *f, const struct fips_bloom *with);
u32 fips_bloom_popcount(const struct fips_bloom *f);

static inline bool fips_bloom_eq(const struct fips_bloom *a, const struct fips_bloom *b)
{
	return !memcmp(a->bits, b->bits, FIPS_BLOOM_BYTES);
}

/* (popcount / m)^hashes in the order of operations all nodes agree on (06 §3). */
double fips_bloom_fpr(u32 popcount, u32 hashes);

/* Largest popcount whose false-positive rate is within @cap: 5937 for 0.20. */
u32 fips_bloom_max_popcount(double cap);

/**
 * fips_bloom_estimate() - how many addresses? For display only (06 §9)
 * @popcount: of the union of all inbound filters and ourselves
 * @cap: false-positive cap
 * @estimate: written if it is known; round half away from zero to show it
 *
 * Return: false if the filter is too full to say.
 */
bool fips_bloom_estimate(u32 popcount, double cap, double *estimate);

/**
 * struct fips_filter - a FilterAnnounce (06 §4)
 * @sequence: one counter for all peers of the sender
 * @hash_count: not 0; a sound filter has %FIPS_BLOOM_HASHES
 * @bits: %FIPS_BLOOM_BYTES bytes, borrowed
 */
struct fips_filter {
	u64 sequence;
	u8 hash_count;
	const u8 *bits;
};

/**
 * fips_filter_parse() - read a FilterAnnounce
 * @body: behind the type byte
 * @len: must be exact
 * @out: borrows from @body
 *
 * Return: 0 or -EPROTO.
 */
int fips_filter_parse(const u8 *body, size_t len, struct fips_filter *out);

/* The whole message with the type byte. Return: %FIPS_FILTER_LEN or -ENOSPC. */
int fips_filter_build(u8 *buf, size_t room, u64 sequence, const struct fips_bloom *f);

/**
 * struct fips_bloom_peer - what a peer announced; zero it to begin and when its epoch changes
 * @known: was a filter taken?
 * @over: the newest announce was over the cap and @filter is from an older one
 * @sequence: of @filter; 0 before the first
 * @popcount: of @filter
 * @filter: bits
 */
struct fips_bloom_peer {
	bool known;
	bool over;
	u64 sequence;
	u32 popcount;
	struct fips_bloom filter;
};

/**
 * enum fips_bloom_verdict - what became of a FilterAnnounce; names are those of the counters
 * @FIPS_BLOOM_ACCEPTED: taken
 * @FIPS_BLOOM_DECODE_ERROR: malformed
 * @FIPS_BLOOM_NON_V1: another hash count; the reference is fooled by it (06 §13)
 * @FIPS_BLOOM_STALE: sequence not above the last
 * @FIPS_BLOOM_FILL_EXCEEDED: over the cap; filter and sequence stay as they were
 */
enum fips_bloom_verdict {
	FIPS_BLOOM_ACCEPTED,
	FIPS_BLOOM_DECODE_ERROR,
	FIPS_BLOOM_NON_V1,
	FIPS_BLOOM_STALE,
	FIPS_BLOOM_FILL_EXCEEDED,
};

/**
 * fips_bloom_receive() - take a FilterAnnounce (06 §5)
 * @peer: who sent it
 * @body: behind the type byte
 * @len: its length
 * @max: fips_bloom_max_popcount() of the inbound cap
 */
enum fips_bloom_verdict fips_bloom_receive(struct fips_bloom_peer *peer, const u8 *body,
					   size_t len, u32 max);

/**
 * enum fips_bloom_reach - may an address be behind a peer?
 * @FIPS_BLOOM_MISS: no, or the peer announced nothing
 * @FIPS_BLOOM_FULL: its filter is at the cap, or over it, and says nothing
 * @FIPS_BLOOM_HIT: perhaps
 */
enum fips_bloom_reach {
	FIPS_BLOOM_MISS,
	FIPS_BLOOM_FULL,
	FIPS_BLOOM_HIT,
};

/**
 * fips_bloom_reach() - ask a peer's filter
 * @peer: its announces
 * @key: address
 * @max: fips_bloom_max_popcount() of the inbound cap
 *
 * A definite miss of a filter close to @max is not one: who fills its filter
 * to the cap has left something out.
 */
enum fips_bloom_reach fips_bloom_reach(const struct fips_bloom_peer *peer,
				       const struct fips_bloom_key *key, u32 max);

/* Is a filter with so many bits as good as full? Within a 64th of the bound. */
static inline bool fips_bloom_is_full(u32 popcount, u32 max)
{
	return popcount >= max - max / 64;
}

/* Was the newest announce of a peer at the cap, or over it? */
static inline bool fips_bloom_peer_full(const struct fips_bloom_peer *peer, u32 max)
{
	return peer->over || (peer->known && fips_bloom_is_full(peer->popcount, max));
}

/**
 * struct fips_bloom_share - inbound filter of a tree peer, part of what others hear from us
 * @filter: bits
 * @popcount: of them
 * @parent: is the peer our parent? At most one is
 */
struct fips_bloom_share {
	const struct fips_bloom *filter;
	u32 popcount;
	bool parent;
};

/**
 * struct fips_bloom_out - an outgoing filter
 * @filter: bits
 * @popcount: of them
 * @left_out: shares that did not fit under the cap; then @filter is filled up to it
 */
struct fips_bloom_out {
	struct fips_bloom filter;
	u32 popcount;
	u32 left_out;
};

/**
 * fips_bloom_merge() - the outgoing filter of one peer (06 §6)
 * @out: written
 * @own: our own address
 * @shares: filters of all tree peers that announced one
 * @n: how many
 * @skip: index of the recipient in @shares, or @n if it is not among them
 * @max: fips_bloom_max_popcount() of the cap, 0 = send whatever comes out
 *
 * Over the cap the parent's share is left out first, then the fullest ones,
 * until the rest fits. Then bits of what was left out are put in up to exactly
 * @max, so that the filter reads as full and not as one without a subtree.
 */
void fips_bloom_merge(struct fips_bloom_out *out, const struct fips_bloom_key *own,
		      const struct fips_bloom_share *shares, size_t n, size_t skip, u32 max);

/**
 * fips_bloom_merge_all() - what fips_bloom_merge() gives for every recipient, in linear time
 * @out: @n + 1 filters; @out[i] leaves @shares[i] out, the last leaves nothing out
 * @own: our own address
 * @shares: as in fips_bloom_merge()
 * @n: how many
 * @max: likewise
 */
void fips_bloom_merge_all(struct fips_bloom_out *out, const struct fips_bloom_key *own,
			  const struct fips_bloom_share *shares, size_t n, u32 max);

#endif /* _LIBFIPS_BLOOM_H */
