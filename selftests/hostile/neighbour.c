// SPDX-License-Identifier: MIT
/*
 * Authenticated neighbours that misbehave on their own link: rekeys,
 * restarts, reports, repetition and silence.
 */
#include <stdio.h>

#include "foe.h"
#include "mmp_report.h"

/* ---- keys ---- */

/* New handshakes without end; what comes back is looked at by nobody. */
static void rekey_spam(struct foe *f, double seconds)
{
	u8 msg1[FIPS_MSG1_LEN];
	struct foe_pace p;

	p = foe_pace_joined(f, seconds, 300);
	while (foe_pace_next(f, &p)) {
		foe_msg1(f, &f->env, msg1, foe_random32(), NULL);
		foe_send_raw(f, msg1, sizeof(msg1));
	}
}

/* Handshakes under new epochs that are never confirmed: the live link must stay. */
static void rekey_half(struct foe *f, double seconds)
{
	struct fips_noise_env env;
	u8 msg1[FIPS_MSG1_LEN];
	struct foe_pace p;

	p = foe_pace_joined(f, seconds, 10);
	while (foe_pace_next(f, &p)) {
		env = f->env;
		foe_random(env.epoch, sizeof(env.epoch));
		foe_msg1(f, &env, msg1, foe_random32(), NULL);
		foe_send_raw(f, msg1, sizeof(msg1));
	}
}

/* A new process every time, as fast as it is let in. */
static void restarts(struct foe *f, double seconds)
{
	u64 end;

	foe_join(f);
	foe_settle(f);
	foe_begin(f);
	end = foe_now() + (u64)(seconds * 1000);
	while (foe_now() < end) {
		u8 beat = FIPS_LINK_HEARTBEAT;

		foe_new_epoch(f);
		f->tree_seq = 0;
		f->filter_seq = 0;
		foe_join(f);
		foe_link_send(f, &beat, 1);
		foe_settle(f);
	}
}

/* ---- reports ---- */

static void send_rr(struct foe *f, const struct fips_mmp_rr *rr)
{
	u8 msg[1 + 3 + FIPS_MMP_RR_LEN];
	int n = fips_mmp_rr_build(FIPS_MMP_LINK, msg, sizeof(msg), rr);

	if (n > 0)
		foe_link_send(f, msg, (size_t)n);
}

static void reports_impossible(struct foe *f, double seconds)
{
	struct foe_pace p;

	p = foe_pace_joined(f, seconds, 200);
	while (foe_pace_next(f, &p)) {
		struct fips_mmp_rr rr;

		foe_random(&rr, sizeof(rr));
		rr.highest |= (u64)1 << 40;	/* what was never sent */
		send_rr(f, &rr);
	}
}

/* All lost, says it, of what is sent to it: its link is bad, ours are not. */
static void reports_loss(struct foe *f, double seconds)
{
	struct fips_mmp_rr rr = { .cum_packets = 1 };
	struct foe_pace p;

	p = foe_pace_joined(f, seconds, 20);
	while (foe_pace_next(f, &p)) {
		rr.highest++;
		rr.max_burst = 65535;
		rr.mean_burst = 65535;
		rr.jitter_us = ~0U;
		send_rr(f, &rr);
	}
}

static void reports_short(struct foe *f, double seconds)
{
	struct foe_pace p;
	u8 msg[64];
	u32 i;

	p = foe_pace_joined(f, seconds, 500);
	for (i = 0; foe_pace_next(f, &p); i++) {
		foe_random(msg, sizeof(msg));
		msg[0] = i % 2 ? FIPS_LINK_SENDER_REPORT : FIPS_LINK_RECEIVER_REPORT;
		foe_link_send(f, msg, 1 + i % 40);
	}
}

/* ---- manners ---- */

/* Every frame twenty times. */
static void repeats(struct foe *f, double seconds)
{
	const u8 beat = FIPS_LINK_HEARTBEAT;
	u8 frame[FOE_FRAME];
	struct foe_pace p;
	size_t len;
	int i;

	p = foe_pace_joined(f, seconds, 200);
	while (foe_pace_next(f, &p)) {
		len = foe_link_seal(f, &beat, 1, frame);
		for (i = 0; i < 20; i++)
			foe_send_raw(f, frame, len);
	}
}

/* Says hello, takes a place in the tree, and nothing any more. Then comes again. */
static void mute(struct foe *f, double seconds)
{
	struct foe_pace p;

	foe_begin(f);
	p = foe_pace(seconds, 1);
	while (foe_pace_next(f, &p)) {
		foe_new_self(f);
		f->mute = false;
		foe_join(f);
		foe_settle(f);
		f->mute = true;
	}
}

/* Sound frames of every link message type with random bodies, cut anywhere. */
static void bodies_random(struct foe *f, double seconds)
{
	static const u8 types[] = {
		FIPS_LINK_DATAGRAM, FIPS_LINK_SENDER_REPORT, FIPS_LINK_RECEIVER_REPORT,
		FIPS_LINK_TREE_ANNOUNCE, FIPS_LINK_FILTER_ANNOUNCE, FIPS_LINK_LOOKUP_REQUEST,
		FIPS_LINK_LOOKUP_RESPONSE, FIPS_LINK_HEARTBEAT, 0x42, 0xff,
	};
	u8 msg[1400];
	struct foe_pace p;
	u32 i;

	p = foe_pace_joined(f, seconds, 3000);
	for (i = 0; foe_pace_next(f, &p); i++) {
		size_t len = 1 + foe_random32() % (i % 2 ? 60 : sizeof(msg) - 1);

		foe_random(msg, sizeof(msg));
		msg[0] = types[i % sizeof(types)];
		foe_link_send(f, msg, len);
	}
}

/* The largest counter there is: it silences itself, and no arithmetic wraps. */
static void counter_limit(struct foe *f, double seconds)
{
	const u8 beat = FIPS_LINK_HEARTBEAT;
	struct foe_pace p;

	p = foe_pace_joined(f, seconds, 500);
	f->link.ctr = ~(u64)0 - 100;
	while (foe_pace_next(f, &p)) {
		if (f->link.ctr == ~(u64)0)
			f->link.ctr -= 100;
		foe_link_send(f, &beat, 1);
	}
}

const struct foe_attack foe_peer_attacks[] = {
	{ "rekey-spam", "peer", "status .handshakes.msg1_rate_limited", 3, rekey_spam, false,
	  "300 rekeys a second, none of them followed up" },
	{ "rekey-half", "peer", "status .handshakes.candidates_evicted", 3, rekey_half, false,
	  "msg1s under new epochs, never confirmed" },
	{ "restarts", "peer", "status .handshakes.peer_restarts", 3, restarts, false,
	  "restarts as fast as it is let in" },
	{ "reports-impossible", "peer", "status .mmp.absurd", 3, reports_impossible, false,
	  "reports of frames that were never sent" },
	{ "reports-loss", "peer", "status .mmp.absurd", 4, reports_loss, false,
	  "reports that say all is lost" },
	{ "reports-short", "peer", "status .mmp.decode_error", 3, reports_short, false,
	  "reports cut anywhere, 500 a second" },
	{ "repeats", "peer", "status .dataplane.drops.rx_replay", 3, repeats, false,
	  "each frame 20 times, 4,000 a second" },
	{ "mute", "peer", "status .handshakes.peers_lost", 8, mute, false,
	  "a new identity every second, which falls silent at once" },
	{ "bodies-random", "peer", "tree .stats.decode_error", 3, bodies_random, false,
	  "every message type with random bodies, cut anywhere, 3,000 a second" },
	{ "counter-limit", "peer", "status .dataplane.drops.rx_replay", 3, counter_limit, false,
	  "counters at the limit of 64 bits, repeated" },
	{ .name = NULL },
};
