/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What both data planes add up for metrics, frame by frame (spec 04 §4, §7).
 *
 * Integers only, no division, no memory beyond the structs. The sums become
 * reports and estimates in libfips (mmp.h there). The caller serialises; a
 * receive frame is added under the lock that commits its replay window.
 *
 * One struct serves all key epochs of a link or session (04 §8): frames of an
 * old epoch only count as packets and bytes, or they would spoil the counters
 * of the new one, as they do in the reference.
 */
#ifndef _FIPS_MMP_H
#define _FIPS_MMP_H

#include <fips/types.h>

#define FIPS_MMP_OWD_WINDOW	32
#define FIPS_MMP_OWD_GAP_US	10000	/* samples of the delay trend are at least this far apart */
#define FIPS_MMP_GRACE_US	15000000	/* no jitter for so long after a key cutover */

/**
 * struct fips_mmp_frame - an authenticated frame
 * @counter: AEAD counter
 * @now_us: arrival, monotonic microseconds (no 32-bit wrap)
 * @timestamp: sender's ms of the inner header
 * @bytes: link: the whole packet; session: the plaintext
 * @ce: congestion experienced
 */
struct fips_mmp_frame {
	u64 counter;
	u64 now_us;
	u32 timestamp;
	u32 bytes;
	bool ce;
};

/**
 * struct fips_mmp_rx - receive sums of a link or session (04 §4.2)
 * @cum_packets: since the object was made, all epochs
 * @cum_bytes: their bytes
 * @highest: highest counter of this epoch
 * @expected: counter the gap tracker waits for, valid with @has_expected
 * @last_us: arrival of the newest frame, valid with @has_last
 * @grace_until_us: jitter is not measured before this
 * @jitter_q4: jitter in sixteenths of a microsecond
 * @burst_total: frames lost in the closed bursts of this interval
 * @last_ts: timestamp of the newest frame
 * @reorder: frames of this epoch below @highest, mod 2^32
 * @ce: frames with CE, saturating
 * @interval_packets: since the last report, saturating
 * @interval_bytes: their bytes, saturating
 * @burst_count: bursts that began in this interval
 * @burst_max: longest closed one
 * @burst_cur: length of the open one
 * @in_burst: is one open?
 * @has_expected: a frame of this epoch came
 * @has_last: the same; kept apart because the gap tracker has a life of its own
 * @has_data: something came since the last report
 * @owd_pos: next place in the ring
 * @owd_len: places taken
 * @owd_us: low half of arrivals, for the trend of the one-way delay (04 §4.5)
 * @owd_ts: timestamps that belong to them
 */
struct fips_mmp_rx {
	u64 cum_packets;
	u64 cum_bytes;
	u64 highest;
	u64 expected;
	u64 last_us;
	u64 grace_until_us;
	u64 jitter_q4;
	u64 burst_total;
	u32 last_ts;
	u32 reorder;
	u32 ce;
	u32 interval_packets;
	u32 interval_bytes;
	u32 burst_count;
	u16 burst_max;
	u16 burst_cur;
	bool in_burst;
	bool has_expected;
	bool has_last;
	bool has_data;
	u8 owd_pos;
	u8 owd_len;
	u32 owd_us[FIPS_MMP_OWD_WINDOW];
	u32 owd_ts[FIPS_MMP_OWD_WINDOW];
};

/**
 * struct fips_mmp_rx_sums - what a report is made of
 * @highest: as in &struct fips_mmp_rx
 * @cum_packets: likewise
 * @cum_bytes: likewise
 * @burst_total: frames lost in @burst_count bursts
 * @dwell_us: how long the newest frame has been here
 * @last_ts: its timestamp
 * @jitter_us: microseconds
 * @ce: likewise
 * @reorder: likewise
 * @interval_packets: likewise
 * @interval_bytes: likewise
 * @burst_count: likewise
 * @burst_max: likewise
 */
struct fips_mmp_rx_sums {
	u64 highest;
	u64 cum_packets;
	u64 cum_bytes;
	u64 burst_total;
	u64 dwell_us;
	u32 last_ts;
	u32 jitter_us;
	u32 ce;
	u32 reorder;
	u32 interval_packets;
	u32 interval_bytes;
	u32 burst_count;
	u16 burst_max;
};

static inline u32 fips_mmp_add32(u32 a, u32 b)
{
	return a + b < a ? ~(u32)0 : a + b;
}

static inline void fips_mmp_close_burst(struct fips_mmp_rx *r)
{
	if (!r->in_burst)
		return;
	if (r->burst_cur > r->burst_max)
		r->burst_max = r->burst_cur;
	r->burst_total += r->burst_cur;
	r->burst_cur = 0;
	r->in_burst = false;
}

/* Gap tracker (04 §4.3). A gap is cut to 16 bits before it is added, as the reference does. */
static inline void fips_mmp_track_gap(struct fips_mmp_rx *r, u64 counter)
{
	u16 gap;

	if (r->has_expected && counter > r->expected) {
		gap = (u16)((counter - r->expected) & 0xffff);
		if (!r->in_burst) {
			r->in_burst = true;
			r->burst_count++;
		}
		r->burst_cur = gap > 0xffff - r->burst_cur ? 0xffff : (u16)(r->burst_cur + gap);
	} else {
		fips_mmp_close_burst(r);
	}
	if (!r->has_expected || counter >= r->expected)
		r->expected = counter == ~(u64)0 ? counter : counter + 1;
	r->has_expected = true;
}

/* Interarrival jitter (04 §4.4): the difference is cut to 32 bits first. */
static inline void fips_mmp_track_jitter(struct fips_mmp_rx *r, const struct fips_mmp_frame *f)
{
	s64 sent = ((s64)f->timestamp - (s64)r->last_ts) * 1000;
	s32 d = (s32)(u32)(f->now_us - r->last_us - (u64)sent);
	u32 abs = d < 0 ? 0 - (u32)d : (u32)d;

	r->jitter_q4 += abs - (r->jitter_q4 >> 4);
}

static inline void fips_mmp_track_owd(struct fips_mmp_rx *r, const struct fips_mmp_frame *f)
{
	u8 last = (u8)((r->owd_pos + FIPS_MMP_OWD_WINDOW - 1) % FIPS_MMP_OWD_WINDOW);

	if (r->owd_len && (u32)f->now_us - r->owd_us[last] < FIPS_MMP_OWD_GAP_US)
		return;
	r->owd_us[r->owd_pos] = (u32)f->now_us;
	r->owd_ts[r->owd_pos] = f->timestamp;
	r->owd_pos = (u8)((r->owd_pos + 1) % FIPS_MMP_OWD_WINDOW);
	if (r->owd_len < FIPS_MMP_OWD_WINDOW)
		r->owd_len++;
}

/**
 * fips_mmp_rx_frame() - add a frame of the newest key epoch (04 §4.2)
 * @r: sums
 * @f: frame
 *
 * Return: true if it is the first since the last report.
 */
static inline bool fips_mmp_rx_frame(struct fips_mmp_rx *r, const struct fips_mmp_frame *f)
{
	bool first = !r->has_data;

	r->has_data = true;
	r->cum_packets++;
	r->cum_bytes += f->bytes;
	r->interval_packets = fips_mmp_add32(r->interval_packets, 1);
	r->interval_bytes = fips_mmp_add32(r->interval_bytes, f->bytes);
	if (f->counter < r->highest)
		r->reorder++;
	else
		r->highest = f->counter;
	fips_mmp_track_gap(r, f->counter);
	if (f->ce)
		r->ce = fips_mmp_add32(r->ce, 1);
	if (r->has_last && f->now_us >= r->grace_until_us)
		fips_mmp_track_jitter(r, f);
	fips_mmp_track_owd(r, f);
	r->last_ts = f->timestamp;
	r->last_us = f->now_us;
	r->has_last = true;
	return first;
}

/**
 * fips_mmp_rx_old() - add a frame of an older key epoch (04 §8, a)
 * @r: sums
 * @bytes: as in &struct fips_mmp_frame
 */
static inline void fips_mmp_rx_old(struct fips_mmp_rx *r, u32 bytes)
{
	r->cum_packets++;
	r->cum_bytes += bytes;
}

/**
 * fips_mmp_rx_cutover() - a new key epoch begins (04 §8)
 * @r: sums
 * @now_us: now
 */
static inline void fips_mmp_rx_cutover(struct fips_mmp_rx *r, u64 now_us)
{
	u64 packets = r->cum_packets, bytes = r->cum_bytes;

	memset(r, 0, sizeof(*r));
	r->cum_packets = packets;
	r->cum_bytes = bytes;
	r->grace_until_us = now_us + FIPS_MMP_GRACE_US;
}

/**
 * fips_mmp_rx_read() - the sums as they are
 * @r: sums
 * @now_us: now
 * @out: written
 */
static inline void fips_mmp_rx_read(const struct fips_mmp_rx *r, u64 now_us,
				    struct fips_mmp_rx_sums *out)
{
	out->highest = r->highest;
	out->cum_packets = r->cum_packets;
	out->cum_bytes = r->cum_bytes;
	out->burst_total = r->burst_total;
	out->dwell_us = r->has_last && now_us > r->last_us ? now_us - r->last_us : 0;
	out->last_ts = r->last_ts;
	out->jitter_us = (u32)(r->jitter_q4 >> 4);
	out->ce = r->ce;
	out->reorder = r->reorder;
	out->interval_packets = r->interval_packets;
	out->interval_bytes = r->interval_bytes;
	out->burst_count = r->burst_count;
	out->burst_max = r->burst_max;
}

/**
 * fips_mmp_rx_take() - close an interval (04 §4.6)
 * @r: sums; the interval's start anew
 * @now_us: now
 * @out: written if there is something to report
 *
 * Return: false if no frame came since the last report.
 */
static inline bool fips_mmp_rx_take(struct fips_mmp_rx *r, u64 now_us,
				    struct fips_mmp_rx_sums *out)
{
	if (!r->has_data)
		return false;
	fips_mmp_close_burst(r);
	fips_mmp_rx_read(r, now_us, out);
	r->burst_count = 0;
	r->burst_max = 0;
	r->burst_total = 0;
	r->interval_packets = 0;
	r->interval_bytes = 0;
	r->has_data = false;
	return true;
}

/**
 * fips_mmp_rx_owd() - samples of the one-way delay, oldest first
 * @r: sums
 * @us: %FIPS_MMP_OWD_WINDOW places, written
 * @ts: likewise
 *
 * Return: how many.
 */
static inline u32 fips_mmp_rx_owd(const struct fips_mmp_rx *r, u32 *us, u32 *ts)
{
	u32 at = r->owd_len < FIPS_MMP_OWD_WINDOW ? 0 : r->owd_pos, i;

	for (i = 0; i < r->owd_len; i++) {
		us[i] = r->owd_us[at];
		ts[i] = r->owd_ts[at];
		at = (at + 1) % FIPS_MMP_OWD_WINDOW;
	}
	return r->owd_len;
}

/**
 * struct fips_mmp_tx - send sums of a link or session (04 §4.1); a cutover changes nothing here
 * @cum_packets: since the object was made
 * @cum_bytes: their bytes
 * @start_counter: of the first frame of the interval
 * @last_counter: of the newest frame
 * @start_ts: timestamp of the first
 * @last_ts: of the newest
 * @interval_bytes: saturating
 * @has_data: something was sent since the last report
 */
struct fips_mmp_tx {
	u64 cum_packets;
	u64 cum_bytes;
	u64 start_counter;
	u64 last_counter;
	u32 start_ts;
	u32 last_ts;
	u32 interval_bytes;
	bool has_data;
};

/**
 * fips_mmp_tx_frame() - add a frame that was sealed
 * @t: sums
 * @counter: its counter
 * @timestamp: of its inner header
 * @bytes: link: the whole packet; session: plaintext and tag
 *
 * Return: true if it is the first since the last report.
 */
static inline bool fips_mmp_tx_frame(struct fips_mmp_tx *t, u64 counter, u32 timestamp, u32 bytes)
{
	bool first = !t->has_data;

	if (first) {
		t->start_counter = counter;
		t->start_ts = timestamp;
	}
	t->has_data = true;
	t->last_counter = counter;
	t->last_ts = timestamp;
	t->interval_bytes = fips_mmp_add32(t->interval_bytes, bytes);
	t->cum_packets++;
	t->cum_bytes += bytes;
	return first;
}

/**
 * fips_mmp_tx_take() - close an interval
 * @t: sums; the interval's start anew
 * @out: copy as it was before, written if there is something to report
 *
 * Return: false if nothing was sent since the last report.
 */
static inline bool fips_mmp_tx_take(struct fips_mmp_tx *t, struct fips_mmp_tx *out)
{
	if (!t->has_data)
		return false;
	*out = *t;
	t->interval_bytes = 0;
	t->has_data = false;
	return true;
}

/**
 * struct fips_mmp_spin - spin bit (04 §7)
 * @highest: responder: highest counter whose bit was taken
 * @edge_us: initiator: last edge, valid with @has_edge
 * @rtt_us: initiator: time between the last two edges, 0 if there were none; for display
 * @initiator: which end this is
 * @bit: what to send
 * @has_edge: see @edge_us
 */
struct fips_mmp_spin {
	u64 highest;
	u64 edge_us;
	u64 rtt_us;
	bool initiator;
	bool bit;
	bool has_edge;
};

/**
 * fips_mmp_spin_rx() - the bit of an authenticated frame
 * @s: state
 * @counter: of the frame
 * @bit: as received
 * @now_us: now
 *
 * Return: true if @s->rtt_us is new.
 */
static inline bool fips_mmp_spin_rx(struct fips_mmp_spin *s, u64 counter, bool bit, u64 now_us)
{
	bool sample;

	if (!s->initiator) {
		if (counter > s->highest) {
			s->highest = counter;
			s->bit = bit;
		}
		return false;
	}
	if (bit != s->bit)
		return false;
	s->bit = !s->bit;
	sample = s->has_edge;
	if (sample)
		s->rtt_us = now_us - s->edge_us;
	s->edge_us = now_us;
	s->has_edge = true;
	return sample;
}

/* Or the responder would be deaf until the new counters pass the old ones (08 §18, 17). */
static inline void fips_mmp_spin_cutover(struct fips_mmp_spin *s)
{
	s->highest = 0;
	s->has_edge = false;
}

#define FIPS_MMP_TAKE_RX	1	/* which intervals a report ends */
#define FIPS_MMP_TAKE_TX	2

/**
 * struct fips_mmp_report - what a data plane knows of a link or session at one moment
 * @rx: receive sums; totals of the object's whole life
 * @tx: send sums, likewise
 * @spin_rtt_us: see &struct fips_mmp_spin
 * @now_ts: timestamp that a frame sent now would carry
 * @owd_us: samples of the one-way delay, as fips_mmp_rx_owd() gives them
 * @owd_ts: likewise
 * @owd_len: how many
 * @has_rx: something came in the interval
 */
struct fips_mmp_report {
	struct fips_mmp_rx_sums rx;
	struct fips_mmp_tx tx;
	u64 spin_rtt_us;
	u32 now_ts;
	u32 owd_us[FIPS_MMP_OWD_WINDOW];
	u32 owd_ts[FIPS_MMP_OWD_WINDOW];
	u32 owd_len;
	bool has_rx;
};

/**
 * fips_mmp_report_rx() - the receiving half of a report
 * @r: sums of the current key epoch
 * @spin: its spin bit
 * @take: end the interval?
 * @now_us: now
 * @out: @rx, @owd_us, @owd_ts, @owd_len, @has_rx and @spin_rtt_us are written
 */
static inline void fips_mmp_report_rx(struct fips_mmp_rx *r, const struct fips_mmp_spin *spin,
				      bool take, u64 now_us, struct fips_mmp_report *out)
{
	out->has_rx = r->has_data;
	if (!take || !fips_mmp_rx_take(r, now_us, &out->rx))
		fips_mmp_rx_read(r, now_us, &out->rx);
	out->owd_len = fips_mmp_rx_owd(r, out->owd_us, out->owd_ts);
	out->spin_rtt_us = spin->rtt_us;
}

#endif /* _FIPS_MMP_H */
