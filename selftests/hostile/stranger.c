// SPDX-License-Identifier: MIT
/*
 * Strangers, on the path and off it: they hold no key that the victim would
 * take, but see frames, repeat them and make up others.
 */
#include <arpa/inet.h>
#include <stdio.h>

#include "tape.h"

#define ELSEWHERE	0x0a630001	/* 10.99.0.1 */
#define TAP_MS		3000

/* A frame of an honest link to the victim, as it passes. */
static void live_frame(struct foe *f, struct foe_packet *p)
{
	u64 until = foe_now() + TAP_MS;

	while (foe_tap_next(f, p, until))
		if (p->len >= FIPS_FMP_MIN_LEN && p->data[0] == FIPS_FMP_ESTABLISHED &&
		    foe_same_endpoint(&p->to, &f->victim.at) &&
		    foe_same_endpoint(&p->from, &f->near.at))
			return;
	foe_die("no honest frame passed");
}

static void spoof_from(struct foe *f, const struct sockaddr_in *from, const void *buf, size_t len)
{
	foe_spoof(f, ntohl(from->sin_addr.s_addr), ntohs(from->sin_port), buf, len);
}

/* ---- msg1 of honest nodes, again ---- */

/* Both honest neighbours' msg1s, @nth on the tape. */
static void replay_msg1(struct foe *f, double seconds, int nth, bool elsewhere)
{
	struct foe_pace p = foe_pace(seconds, 200);
	const struct tape_entry *e[2];
	static struct tape t;
	u32 i;

	tape_load(&t);
	e[0] = tape_msg1(&t, &f->near.at, &f->victim.at, nth);
	e[1] = tape_msg1(&t, &f->far.at, &f->victim.at, nth);
	if (!e[0])
		foe_die("no msg1 on the tape");
	foe_begin(f);
	p = foe_pace(seconds, 200);
	for (i = 0; foe_pace_next(f, &p); i++) {
		const struct tape_entry *now = e[1] && i % 2 ? e[1] : e[0];

		if (elsewhere)
			foe_spoof(f, ELSEWHERE + i % 250, (u16)(2121 + i % 7), now->data, now->len);
		else
			spoof_from(f, &now->from, now->data, now->len);
	}
}

static void msg1_replay(struct foe *f, double seconds)
{
	replay_msg1(f, seconds, -1, false);
}

static void msg1_replay_elsewhere(struct foe *f, double seconds)
{
	replay_msg1(f, seconds, -1, true);
}

static void msg1_replay_epoch(struct foe *f, double seconds)
{
	replay_msg1(f, seconds, 0, false);
}

static void msg1_replay_epoch_elsewhere(struct foe *f, double seconds)
{
	replay_msg1(f, seconds, 0, true);
}

/* ---- msg2 ---- */

/* Answer each msg1 of the victim, once it passes, with what @make writes. */
static void answer_msg1(struct foe *f, double seconds,
			void (*make)(struct foe *f, u8 *msg2, const struct foe_packet *msg1))
{
	u64 until = foe_now() + (u64)(seconds * 1000);
	u8 msg2[FIPS_MSG2_LEN];
	struct foe_packet p;
	int i;

	foe_begin(f);
	while (foe_tap_next(f, &p, until)) {
		if (p.len != FIPS_MSG1_LEN || p.data[0] != FIPS_FMP_MSG1 ||
		    !foe_same_endpoint(&p.from, &f->victim.at))
			continue;
		for (i = 0; i < 20; i++) {
			make(f, msg2, &p);
			spoof_from(f, &p.to, msg2, sizeof(msg2));
		}
	}
}

static void msg2_head(u8 *msg2, const struct foe_packet *msg1)
{
	fips_put_prefix(msg2, FIPS_FMP_MSG2, 0, FIPS_MSG2_LEN - FIPS_PREFIX_LEN);
	fips_put_le32(msg2 + 4, foe_random32());
	memcpy(msg2 + 8, msg1->data + 4, 4);
}

/* A key that is a point, and a tag that is none. */
static void make_garbled(struct foe *f, u8 *msg2, const struct foe_packet *msg1)
{
	msg2_head(msg2, msg1);
	memcpy(msg2 + 12, f->self.id.pub33, FIPS_PUB33_LEN);
	foe_random(msg2 + 12 + FIPS_PUB33_LEN, FIPS_NOISE_IK2_LEN - FIPS_PUB33_LEN);
}

static void msg2_garbled(struct foe *f, double seconds)
{
	answer_msg1(f, seconds, make_garbled);
}

static struct tape crossed_tape;

/* A genuine msg2, but of another handshake. */
static void make_crossed(struct foe *f, u8 *msg2, const struct foe_packet *msg1)
{
	size_t i, start = foe_random32() % crossed_tape.count;

	(void)f;
	for (i = 0; i < crossed_tape.count; i++) {
		const struct tape_entry *e =
			&crossed_tape.entry[(start + i) % crossed_tape.count];

		if (e->data[0] == FIPS_FMP_MSG2) {
			memcpy(msg2, e->data, FIPS_MSG2_LEN);
			memcpy(msg2 + 8, msg1->data + 4, 4);
			return;
		}
	}
	foe_die("no msg2 on the tape");
}

static void msg2_crossed(struct foe *f, double seconds)
{
	tape_load(&crossed_tape);
	answer_msg1(f, seconds, make_crossed);
}

static void msg2_unknown(struct foe *f, double seconds)
{
	struct foe_packet none = { .len = 0 };
	struct foe_pace p;
	u8 msg2[FIPS_MSG2_LEN];

	foe_begin(f);
	p = foe_pace(seconds, 2000);
	while (foe_pace_next(f, &p)) {
		foe_random(none.data, 8);
		make_garbled(f, msg2, &none);
		foe_send_raw(f, msg2, sizeof(msg2));
	}
}

/* ---- established frames ---- */

static void forge(const struct foe_packet *live, u8 *frame, size_t plain, u64 ctr)
{
	fips_put_prefix(frame, FIPS_FMP_ESTABLISHED, 0, (u16)plain);
	memcpy(frame + FIPS_FMP_IDX_OFF, live->data + FIPS_FMP_IDX_OFF, 4);
	fips_put_le64(frame + FIPS_FMP_CTR_OFF, ctr);
	foe_random(frame + FIPS_FMP_HDR_LEN, plain + FIPS_TAG_LEN);
}

/* @per_second frames with a live index, from the right or from another address. */
static void forge_frames(struct foe *f, double seconds, u32 per_second, u32 burst, bool elsewhere)
{
	struct foe_packet live;
	u8 frame[FOE_FRAME];
	struct foe_pace p;
	u64 ctr;
	u32 i;

	live_frame(f, &live);
	ctr = fips_get_le64(live.data + FIPS_FMP_CTR_OFF);
	foe_begin(f);
	p = foe_pace(seconds, per_second / burst);
	while (foe_pace_next(f, &p)) {
		for (i = 0; i < burst; i++) {
			size_t plain = 5 + foe_random32() % 1000;

			forge(&live, frame, plain, ctr + 100 + foe_random32() % 1000);
			if (elsewhere)
				foe_spoof(f, ELSEWHERE + i, 2121, frame, plain + FIPS_FMP_MIN_LEN);
			else
				spoof_from(f, &live.from, frame, plain + FIPS_FMP_MIN_LEN);
		}
	}
}

static void frames_burst(struct foe *f, double seconds)
{
	forge_frames(f, seconds, 10000, 100, false);
}

static void frames_trickle(struct foe *f, double seconds)
{
	forge_frames(f, seconds, 20, 1, false);
}

static void frames_elsewhere(struct foe *f, double seconds)
{
	forge_frames(f, seconds, 5000, 50, true);
}

static void frames_counters(struct foe *f, double seconds)
{
	static const u64 ctrs[] = { 0, 1, ~(u64)0, ~(u64)0 - 1, (u64)1 << 63, (u64)1 << 32 };
	struct foe_packet live;
	u8 frame[FOE_FRAME];
	struct foe_pace p;
	u32 i;

	live_frame(f, &live);
	foe_begin(f);
	p = foe_pace(seconds, 2000);
	for (i = 0; foe_pace_next(f, &p); i++) {
		forge(&live, frame, 60, ctrs[i % 6]);
		spoof_from(f, &live.from, frame, 60 + FIPS_FMP_MIN_LEN);
	}
}

/* Genuine frames, again and from elsewhere: who moves to their source loses the link. */
static void frames_replayed(struct foe *f, double seconds)
{
	u64 until = foe_now() + (u64)(seconds * 1000);
	struct foe_packet p;
	u32 i;

	foe_begin(f);
	while (foe_tap_next(f, &p, until)) {
		if (p.len < FIPS_FMP_MIN_LEN || p.data[0] != FIPS_FMP_ESTABLISHED ||
		    !foe_same_endpoint(&p.to, &f->victim.at) ||
		    !foe_same_endpoint(&p.from, &f->near.at))
			continue;
		for (i = 0; i < 20; i++)
			foe_spoof(f, ELSEWHERE + i, 2121, p.data, p.len);
	}
}

static void frames_unknown(struct foe *f, double seconds)
{
	struct foe_packet any = { .len = 0 };
	u8 frame[FOE_FRAME];
	struct foe_pace p;

	foe_begin(f);
	p = foe_pace(seconds, 10000);
	while (foe_pace_next(f, &p)) {
		foe_random(any.data, FIPS_FMP_HDR_LEN);
		forge(&any, frame, 100, foe_random32());
		foe_send_raw(f, frame, 100 + FIPS_FMP_MIN_LEN);
	}
}

/* Disconnects and signals in frames that nobody sealed for the victim. */
static void frames_disconnect(struct foe *f, double seconds)
{
	struct foe_packet live;
	struct foe_pace p;

	live_frame(f, &live);
	foe_random(&f->link.keys, sizeof(f->link.keys));
	f->link.theirs = fips_get_le32(live.data + FIPS_FMP_IDX_OFF);
	f->link.ctr = fips_get_le64(live.data + FIPS_FMP_CTR_OFF) + 1000;
	foe_begin(f);
	p = foe_pace(seconds, 500);
	while (foe_pace_next(f, &p)) {
		u8 frame[FOE_FRAME], msg[2];
		int n = fips_disconnect_build(msg, sizeof(msg), (u8)foe_random32());
		size_t len = foe_link_seal(f, msg, (size_t)n, frame);

		spoof_from(f, &live.from, frame, len);
	}
}

/* Every type cut, stretched and random: established, msg1, msg2, what does not exist. */
static void frames_shapes(struct foe *f, double seconds)
{
	struct foe_packet live;
	u8 frame[FOE_FRAME];
	struct foe_pace p;
	u32 i;

	live_frame(f, &live);
	foe_begin(f);
	p = foe_pace(seconds, 4000);
	for (i = 0; foe_pace_next(f, &p); i++) {
		size_t len = foe_random32() % 1472;

		foe_random(frame, sizeof(frame));
		frame[0] = i % 5 < 4 ? (u8)(i % 5) : (u8)foe_random32();
		if (i % 3)
			frame[1] = 0;
		if (i % 7 == 0)
			memcpy(frame + FIPS_FMP_IDX_OFF, live.data + FIPS_FMP_IDX_OFF, 4);
		if (i % 11 == 0)
			len = i % 5 == 1 ? FIPS_MSG1_LEN : FIPS_MSG2_LEN;
		if (i % 13 == 0)
			len %= 40;
		spoof_from(f, i % 2 ? &live.from : &f->far.at, frame, len);
	}
}

const struct foe_attack foe_stranger_attacks[] = {
	{ "msg1-replay", "stranger", "status .handshakes.msg1_replayed", 3, msg1_replay, false,
	  "msg1s of live neighbours again, from their own addresses" },
	{ "msg1-replay-elsewhere", "stranger", "status .handshakes.msg1_replayed", 3,
	  msg1_replay_elsewhere, false, "the same from other addresses" },
	{ "msg1-replay-epoch", "stranger", "status .handshakes.msg1_replayed", 3,
	  msg1_replay_epoch, false, "msg1 of a neighbour's former process" },
	{ "msg1-replay-epoch-elsewhere", "stranger", "status .handshakes.msg1_replayed", 3,
	  msg1_replay_epoch_elsewhere, false, "the same from other addresses" },
	{ "msg2-garbled", "stranger", "status .handshakes.msg2_ignored", 4, msg2_garbled, false,
	  "garbage with the right index, 20 for each msg1 the victim sends" },
	{ "msg2-crossed", "stranger", "status .handshakes.msg2_ignored", 4, msg2_crossed, false,
	  "msg2s of other handshakes with the right index" },
	{ "msg2-unknown", "stranger", "status .handshakes.handshake_unknown_connection", 3,
	  msg2_unknown, false, "2,000 msg2s a second that nobody asked for" },
	{ "frames-burst", "stranger", "status .dataplane.drops.rx_auth", 3, frames_burst, false,
	  "10,000 forged frames a second with a live index, bursts of 100" },
	{ "frames-trickle", "stranger", "status .dataplane.drops.rx_auth", 4, frames_trickle,
	  false, "20 forged frames a second with a live index" },
	{ "frames-elsewhere", "stranger", "status .dataplane.drops.rx_auth", 3, frames_elsewhere,
	  false, "5,000 a second from other addresses" },
	{ "frames-counters", "stranger", "status .dataplane.drops.rx_auth", 3, frames_counters,
	  false, "forged frames with counters at their limits" },
	{ "frames-replayed", "stranger", "status .dataplane.drops.rx_replay", 3, frames_replayed,
	  false, "each genuine frame 20 times more, from other addresses" },
	{ "frames-unknown", "stranger", "status .dataplane.drops.rx_unknown_index", 3,
	  frames_unknown, false, "10,000 frames a second with indices nobody has" },
	{ "frames-disconnect", "stranger", "status .dataplane.drops.rx_auth", 3,
	  frames_disconnect, false, "Disconnects under a key of the attacker's" },
	{ "frames-shapes", "stranger", "status .dataplane.drops.rx_length", 3, frames_shapes,
	  false, "every frame type cut, stretched and random, 4,000 a second" },
	{ .name = NULL },
};
