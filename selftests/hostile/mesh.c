// SPDX-License-Identifier: MIT
/*
 * Authenticated neighbours that lie about where others are: filters, lookups,
 * datagrams in transit, coordinates and signals (specs 06 §13, 07 J).
 */
#include <stdio.h>

#include "foe.h"

#define LIARS	4

/* ---- filters ---- */

static void fill(struct fips_bloom *b, u32 bits)
{
	memset(b, 0, sizeof(*b));
	while (fips_bloom_popcount(b) < bits) {
		u32 bit = foe_random32() % FIPS_BLOOM_BITS;

		b->bits[bit / 8] |= (u8)(1U << bit % 8);
	}
}

static void filters(struct foe *f, double seconds, u32 per_second, u32 bits, u8 hashes)
{
	struct fips_bloom b;
	struct foe_pace p;

	p = foe_pace_joined(f, seconds, per_second);
	while (foe_pace_next(f, &p)) {
		fill(&b, bits);
		foe_filter(f, &b, hashes);
	}
}

static void filter_full(struct foe *f, double seconds)
{
	filters(f, seconds, 4, FIPS_BLOOM_BITS, FIPS_BLOOM_HASHES);
}

static void filter_99(struct foe *f, double seconds)
{
	filters(f, seconds, 4, FIPS_BLOOM_BITS * 99 / 100, FIPS_BLOOM_HASHES);
}

static void filter_hashes(struct foe *f, double seconds)
{
	filters(f, seconds, 4, 8140, 255);
}

static void filter_few_hashes(struct foe *f, double seconds)
{
	filters(f, seconds, 4, 4000, 1);
}

static void filter_flood(struct foe *f, double seconds)
{
	filters(f, seconds, 500, 3000, FIPS_BLOOM_HASHES);
}

/* Several identities, each below the cap, all together far above it. */
static void filter_liars(struct foe *f, double seconds)
{
	static struct foe liar[LIARS];
	struct fips_bloom b;
	struct foe_pace p;
	int i;

	for (i = 0; i < LIARS; i++) {
		if (foe_init(&liar[i]))
			foe_die("no liar");
		foe_join(&liar[i]);
		foe_settle(&liar[i]);
	}
	foe_begin(f);
	p = foe_pace(seconds, 1);
	while (foe_pace_next(f, &p)) {
		for (i = 0; i < LIARS; i++) {
			fill(&b, 5900);
			foe_filter(&liar[i], &b, FIPS_BLOOM_HASHES);
			foe_pump(&liar[i], 5);
		}
	}
	for (i = 0; i < LIARS; i++)
		foe_fini(&liar[i]);
}

/* ---- lookups ---- */

static void request(struct foe *f, u64 id, const struct fips_node_addr *target)
{
	const struct fips_lookup_request req = {
		.id = id,
		.target = *target,
		.origin = f->self.id.addr,
		.ttl = 64,
		.coords = { .addr = &f->self.id.addr, .count = 1 },
	};
	u8 msg[256];
	int n = fips_lookup_request_build(msg, sizeof(msg), &req);

	if (n > 0)
		foe_link_send(f, msg, (size_t)n);
}

static u64 random64(void)
{
	u64 v;

	foe_random(&v, sizeof(v));
	return v;
}

/* For anybody, the victim and its neighbours among them. */
static void lookup_flood(struct foe *f, double seconds)
{
	struct fips_node_addr target;
	struct foe_pace p;
	u32 i;

	p = foe_pace_joined(f, seconds, 3000);
	for (i = 0; foe_pace_next(f, &p); i++) {
		foe_random(&target, sizeof(target));
		if (i % 4 == 1)
			target = f->victim.id.addr;
		else if (i % 4 == 2)
			target = f->far.id.addr;
		request(f, random64(), &target);
	}
}

static void lookup_ids(struct foe *f, double seconds)
{
	u64 id = random64();
	struct foe_pace p;

	p = foe_pace_joined(f, seconds, 500);
	while (foe_pace_next(f, &p))
		request(f, id, &f->far.id.addr);
}

static void response(struct foe *f, u64 id, const struct fips_node_addr *target)
{
	u8 proof[FIPS_SIG_LEN], msg[256];
	struct fips_node_addr lie[2] = { *target, f->self.id.addr };
	const struct fips_lookup_response r = {
		.id = id,
		.target = *target,
		.path_mtu = (u16)foe_random32(),
		.coords = { .addr = lie, .count = 2 },
		.proof = proof,
	};
	int n;

	foe_random(proof, sizeof(proof));
	n = fips_lookup_response_build(msg, sizeof(msg), &r);
	if (n > 0)
		foe_link_send(f, msg, (size_t)n);
}

/* Answers that nobody asked for. */
static void lookup_unasked(struct foe *f, double seconds)
{
	struct foe_pace p;
	u32 i;

	p = foe_pace_joined(f, seconds, 2000);
	for (i = 0; foe_pace_next(f, &p); i++)
		response(f, random64(), i % 2 ? &f->far.id.addr : &f->near.id.addr);
}

/* Every request gets a wrong answer at once, and comes back as if it were ours. */
static void answer_wrong(struct foe *f, const u8 *msg, size_t len)
{
	struct fips_lookup_request req;
	int i;

	if (msg[0] != FIPS_LINK_LOOKUP_REQUEST ||
	    fips_lookup_request_parse(msg + 1, len - 1, &req))
		return;
	for (i = 0; i < 10; i++)
		response(f, req.id, &req.target);
	foe_link_send(f, msg, len);
}

/* Says to have a node behind it that others look for. */
static void lookup_wrong(struct foe *f, double seconds)
{
	struct fips_bloom b = { { 0 } };
	struct fips_bloom_key key;
	struct foe_pace p;

	foe_join(f);
	foe_settle(f);
	f->hear = answer_wrong;
	fips_bloom_key(&key, &f->self.id.addr);
	fips_bloom_insert(&b, &key);
	fips_bloom_key(&key, &f->gone.id.addr);
	fips_bloom_insert(&b, &key);
	foe_begin(f);
	p = foe_pace(seconds, 2);
	while (foe_pace_next(f, &p))
		foe_filter(f, &b, FIPS_BLOOM_HASHES);
}

/* ---- datagrams in transit ---- */

/* TTL 0, 1 and 255; to nodes that are, and to some that are not. */
static void dgram_ttl(struct foe *f, double seconds)
{
	static const u8 ttls[] = { 0, 1, 255, 2 };
	struct fips_node_addr to;
	struct foe_pace p;
	u8 fsp[100];
	u32 i;

	p = foe_pace_joined(f, seconds, 2000);
	for (i = 0; foe_pace_next(f, &p); i++) {
		foe_random(fsp, sizeof(fsp));
		fips_put_prefix(fsp, FIPS_FSP_ESTABLISHED, 0, sizeof(fsp));
		foe_random(&to, sizeof(to));
		foe_datagram(f, &f->self.id.addr, i % 3 ? &f->far.id.addr : &to, ttls[i % 4],
			     fsp, sizeof(fsp));
	}
}

/* From everybody else: what can't be delivered is complained of to them. */
static void dgram_sources(struct foe *f, double seconds)
{
	struct fips_node_addr from, to;
	struct foe_pace p;
	u8 fsp[100];
	u32 i;

	p = foe_pace_joined(f, seconds, 2000);
	for (i = 0; foe_pace_next(f, &p); i++) {
		foe_random(fsp, sizeof(fsp));
		fips_put_prefix(fsp, FIPS_FSP_ESTABLISHED, 0, sizeof(fsp));
		foe_random(&from, sizeof(from));
		foe_random(&to, sizeof(to));
		foe_datagram(f, i % 3 ? &f->near.id.addr : &from, i % 2 ? &f->victim.id.addr : &to,
			     64, fsp, sizeof(fsp));
	}
}

/* Payloads shorter than their flags promise. */
static void dgram_short(struct foe *f, double seconds)
{
	struct foe_pace p;
	u8 fsp[64];
	u32 i;

	p = foe_pace_joined(f, seconds, 2000);
	for (i = 0; foe_pace_next(f, &p); i++) {
		foe_random(fsp, sizeof(fsp));
		fips_put_prefix(fsp, (u8)(i % 4), i % 3 ? FIPS_FSP_FLAG_CP : FIPS_FSP_FLAG_U,
				(u16)foe_random32());
		foe_datagram(f, i % 2 ? &f->near.id.addr : &f->self.id.addr,
			     i % 5 ? &f->victim.id.addr : &f->far.id.addr, 64, fsp, i % 60);
	}
}

/* ---- coordinates and signals about others ---- */

static void coords_lies(struct foe *f, double seconds)
{
	struct fips_node_addr a[2], b[2], who;
	u8 fsp[256], xk1[FIPS_NOISE_XK1_LEN];
	struct foe_pace p;
	u32 i;

	p = foe_pace_joined(f, seconds, 2000);
	for (i = 0; foe_pace_next(f, &p); i++) {
		struct fips_fsp_handshake hs = {
			.phase = FIPS_FSP_SETUP,
			.src = { .addr = a, .count = 2 },
			.dst = { .addr = b, .count = 2 },
			.noise = xk1,
		};
		int n;

		foe_random(&who, sizeof(who));
		memcpy(xk1, f->self.id.pub33, sizeof(xk1));
		a[0] = i % 3 ? f->near.id.addr : who;
		b[0] = i % 3 ? f->far.id.addr : who;
		a[1] = f->self.id.addr;
		b[1] = f->self.id.addr;
		n = fips_fsp_handshake_build(fsp, sizeof(fsp), &hs);
		if (n > 0)
			foe_datagram(f, &a[0], &b[0], 64, fsp, (size_t)n);
	}
}

/* Signals to honest nodes about each other, and to the victim about everybody. */
static void signals(struct foe *f, double seconds)
{
	static const u8 types[] = {
		FIPS_FSP_COORDS_REQUIRED, FIPS_FSP_PATH_BROKEN, FIPS_FSP_MTU_EXCEEDED,
	};
	struct fips_node_addr who;
	struct foe_pace p;
	u8 fsp[256];
	u32 i;

	p = foe_pace_joined(f, seconds, 1000);
	for (i = 0; foe_pace_next(f, &p); i++) {
		struct fips_fsp_signal_msg s = { .type = types[i % 3], .mtu = 1000 };
		const struct foe_host *to = i % 4 == 0 ? &f->near : i % 4 == 1 ? &f->far :
					    &f->victim;
		int n;

		foe_random(&who, sizeof(who));
		s.dst = i % 4 == 0 ? f->far.id.addr : i % 4 == 1 ? f->near.id.addr : who;
		s.reporter = i % 2 ? f->self.id.addr : f->victim.id.addr;
		s.coords.addr = &who;
		s.coords.count = 1;
		n = fips_fsp_signal_build(fsp, sizeof(fsp), &s);
		if (n > 0)
			foe_datagram(f, &f->self.id.addr, &to->id.addr, 64, fsp, (size_t)n);
	}
}

const struct foe_attack foe_mesh_attacks[] = {
	{ "filter-full", "peer", "bloom .stats.fill_exceeded", 3, filter_full, false,
	  "filters with all bits set" },
	{ "filter-99", "peer", "bloom .stats.fill_exceeded", 3, filter_99, false,
	  "filters that are 99 % full" },
	{ "filter-hashes", "peer", "bloom .stats.non_v1", 3, filter_hashes, false,
	  "99.4 % full with 255 hashes, which is below the cap by that count" },
	{ "filter-few-hashes", "peer", "bloom .stats.non_v1", 3, filter_few_hashes, false,
	  "filters with one hash" },
	{ "filter-liars", "peer", "bloom .stats.left_out", 4, filter_liars, false,
	  "four identities, each just below the cap" },
	{ "filter-flood", "peer", "bloom .stats.parked", 3, filter_flood, false,
	  "500 filters a second" },
	{ "lookup-flood", "peer", "routing .lookup.req_forward_rate_limited", 3, lookup_flood,
	  false, "3,000 lookups a second for anybody" },
	{ "lookup-ids", "peer", "routing .lookup.req_duplicate", 3, lookup_ids, false,
	  "one identifier over and over" },
	{ "lookup-unasked", "peer", "routing .lookup.resp_unasked", 3, lookup_unasked, false,
	  "2,000 answers a second that nobody asked for" },
	{ "lookup-wrong", "peer", "routing .lookup.resp_again", 16, lookup_wrong, false,
	  "wrong answers, first, to each lookup that passes; requests sent back" },
	{ "dgram-ttl", "peer", "status .dataplane.drops.dgram_ttl", 3, dgram_ttl, false,
	  "TTL 0, 1 and 255, 2,000 datagrams a second" },
	{ "dgram-sources", "peer", "status .dataplane.drops.session_auth", 3, dgram_sources, false,
	  "datagrams that say to be from others" },
	{ "dgram-short", "peer", "status .dataplane.drops.session_short", 3, dgram_short, false,
	  "payloads shorter than their flags promise" },
	{ "coords-lies", "peer", "routing .coords.displaced", 4, coords_lies, false,
	  "coordinates of others that lead to the attacker, 2,000 a second" },
	{ "signals", "peer", "routing .error_signals.unbound_coords", 4, signals, false,
	  "signals about paths it is not on, 1,000 a second" },
	{ .name = NULL },
};
