// SPDX-License-Identifier: MIT
/*
 * FilterAnnounces: any bytes through the decoder; then filters made of the
 * input are announced and merged, and no outgoing filter is over the cap.
 */
#include "bloom.h"
#include "fuzz.h"

#define SHARES	3

static void check_codec(const u8 *body, size_t len)
{
	struct fips_filter a;
	struct fips_bloom f;
	u8 buf[FIPS_FILTER_LEN];

	if (fips_filter_parse(body, len, &a))
		return;
	FUZZ_CHECK(len == FIPS_FILTER_LEN - 1 && a.hash_count);
	memcpy(f.bits, a.bits, sizeof(f.bits));
	FUZZ_CHECK(fips_filter_build(buf, sizeof(buf), a.sequence, &f) == FIPS_FILTER_LEN);
	buf[9] = a.hash_count;
	FUZZ_CHECK(!memcmp(buf + 1, body, len));
}

/* A pattern of 32 bytes, repeated. */
static void spread(struct fips_bloom *f, const u8 *data, size_t size)
{
	size_t i;

	for (i = 0; i < FIPS_BLOOM_BYTES; i++)
		f->bits[i] = size ? data[i % (size < 32 ? size : 32)] : 0;
}

static void announce(struct fips_bloom_peer *peer, const struct fips_bloom *f, u8 hashes,
		     u64 sequence, u32 max)
{
	struct fips_bloom_peer before = *peer;
	enum fips_bloom_verdict verdict;
	u8 buf[FIPS_FILTER_LEN];

	fips_filter_build(buf, sizeof(buf), sequence, f);
	buf[9] = hashes;
	verdict = fips_bloom_receive(peer, buf + 1, sizeof(buf) - 1, max);
	FUZZ_CHECK(peer->popcount <= max);
	if (verdict == FIPS_BLOOM_ACCEPTED)
		FUZZ_CHECK(fips_bloom_eq(&peer->filter, f) && peer->sequence == sequence);
	else
		FUZZ_CHECK(fips_bloom_eq(&peer->filter, &before.filter) &&
			   peer->sequence == before.sequence);
}

static void check_out(const struct fips_bloom_out *out, const struct fips_bloom_key *own, u32 max)
{
	FUZZ_CHECK(fips_bloom_contains(&out->filter, own));
	FUZZ_CHECK(out->popcount == fips_bloom_popcount(&out->filter) && out->popcount <= max);
	FUZZ_CHECK(!out->left_out || out->popcount == max);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	u32 max = fips_bloom_max_popcount(0.2);
	struct fips_bloom_peer peers[SHARES] = { 0 };
	struct fips_bloom_share share[SHARES];
	struct fips_bloom_out one, all[SHARES + 1];
	struct fips_node_addr addr = { { 1 } };
	struct fips_bloom_key own;
	size_t i;

	check_codec(data, size);
	fips_bloom_receive(&peers[0], data, size, max);
	fips_bloom_key(&own, &addr);
	for (i = 0; i < SHARES; i++) {
		struct fips_bloom f;

		spread(&f, data, size);
		announce(&peers[i], &f, size ? data[0] % 8 : 5, size, max);
		share[i] = (struct fips_bloom_share) {
			&peers[i].filter, peers[i].popcount, size && data[0] % 4 == i };
		data += size < 32 ? size : 32;
		size -= size < 32 ? size : 32;
	}
	fips_bloom_merge_all(all, &own, share, SHARES, max);
	for (i = 0; i <= SHARES; i++) {
		fips_bloom_merge(&one, &own, share, SHARES, i, max);
		FUZZ_CHECK(!memcmp(&one, &all[i], sizeof(one)));
		check_out(&one, &own, max);
	}
	return 0;
}
