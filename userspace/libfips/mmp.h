/* SPDX-License-Identifier: MIT */
/*
 * Metrics of a link or session (spec 04): from the data plane's sums to
 * reports, from the peer's reports to round-trip time, loss, ETX, goodput and
 * the link cost.
 *
 * Floating point is + - * / in a fixed order on doubles, so every machine
 * gets the same bits (build with -ffp-contract=off); there is no libm here.
 */
#ifndef _LIBFIPS_MMP_H
#define _LIBFIPS_MMP_H

#include <fips/mmp.h>

#include "mmp_report.h"

#define FIPS_MMP_REBASE_MS	15000	/* see fips_mmp_metrics_rr() */
#define FIPS_MMP_ETX_MAX	100.0

/**
 * enum fips_mmp_mode - what we send (04 §3); what arrives is always taken
 * @FIPS_MMP_FULL: both reports
 * @FIPS_MMP_LIGHTWEIGHT: receiver reports
 * @FIPS_MMP_MINIMAL: neither; deprives the peer of round-trip time and loss
 */
enum fips_mmp_mode {
	FIPS_MMP_FULL,
	FIPS_MMP_LIGHTWEIGHT,
	FIPS_MMP_MINIMAL,
};

/**
 * struct fips_mmp_ewma - two averages of one value; the first sample sets both
 * @known: was there a sample?
 * @fast: gain 1/4
 * @slow: gain 1/32
 */
struct fips_mmp_ewma {
	bool known;
	double fast;
	double slow;
};

void fips_mmp_ewma_add(struct fips_mmp_ewma *e, double sample);

/**
 * struct fips_mmp_srtt - smoothed round-trip time (04 §6.1), microseconds
 * @known: was there a sample?
 * @srtt: gain 1/8
 * @rttvar: gain 1/4
 */
struct fips_mmp_srtt {
	bool known;
	s64 srtt;
	s64 rttvar;
};

void fips_mmp_srtt_add(struct fips_mmp_srtt *s, s64 rtt_us);
/* Retransmission timeout in microseconds; nothing on the wire depends on it. */
s64 fips_mmp_rto(const struct fips_mmp_srtt *s);

/* Expected transmissions from two delivery ratios, 1 to %FIPS_MMP_ETX_MAX. */
double fips_mmp_etx(double forward, double reverse);

/* etx * (1 + srtt_ms / 100), 1 without a round-trip time (05 §7.2). */
double fips_mmp_cost(double etx, bool srtt_known, double srtt_ms);

/**
 * fips_mmp_slope() - least squares, exact
 * @x: where
 * @y: what
 * @n: how many; fewer than 2, or all at one @x, give 0
 * @scale: factor of the result
 *
 * Return: slope times @scale, cut towards 0 and saturated.
 */
s32 fips_mmp_slope(const s64 *x, const s64 *y, size_t n, s64 scale);

/**
 * fips_mmp_owd_trend() - trend of the one-way delay (04 §4.5, as recommended there)
 * @us: low halves of arrivals, oldest first
 * @ts: the sender's timestamps, ms
 * @n: how many, at most %FIPS_MMP_OWD_WINDOW
 *
 * Delay is measured against the first sample, so the two clocks need not agree.
 *
 * Return: microseconds a second.
 */
s32 fips_mmp_owd_trend(const u32 *us, const u32 *ts, size_t n);

/* Reports from sums (04 §4.1, §4.6); @rr->owd_trend is the caller's. */
void fips_mmp_sr_fill(struct fips_mmp_sr *sr, const struct fips_mmp_tx *sums);
void fips_mmp_rr_fill(struct fips_mmp_rr *rr, const struct fips_mmp_rx_sums *sums);

/**
 * struct fips_mmp_timer - when to send one kind of report (04 §5)
 * @layer: decides the bounds
 * @factor: of the smoothed round-trip time: 2 for sender reports, 1 for receiver reports
 * @interval_ms: now
 * @updates: how often the interval was set
 * @failures: sends that failed in a row; sessions only
 * @sent: was there one?
 * @last_ms: when
 */
struct fips_mmp_timer {
	enum fips_mmp_layer layer;
	u32 factor;
	u32 interval_ms;
	u32 updates;
	u32 failures;
	bool sent;
	u64 last_ms;
};

void fips_mmp_timer_init(struct fips_mmp_timer *t, enum fips_mmp_layer layer, u32 factor);
/* After a processed receiver report; no change if @srtt_us is not positive. */
void fips_mmp_timer_update(struct fips_mmp_timer *t, s64 srtt_us);
/* Earliest instant of the next report, if there is something to report. */
u64 fips_mmp_timer_next(const struct fips_mmp_timer *t);
void fips_mmp_timer_sent(struct fips_mmp_timer *t, u64 now_ms);
void fips_mmp_timer_failed(struct fips_mmp_timer *t);
/* Return: failures that ended with this success. */
u32 fips_mmp_timer_succeeded(struct fips_mmp_timer *t);

/**
 * enum fips_mmp_outcome - what became of a receiver report (04 §6)
 * @FIPS_MMP_NO_ECHO: taken, without a round-trip time
 * @FIPS_MMP_RTT: taken, with one
 * @FIPS_MMP_BAD_ECHO: taken, but the echo made no sense or was below 1 ms
 * @FIPS_MMP_STALE: older than, or the same as, the one before
 * @FIPS_MMP_ABSURD: claims what was never sent (04 §15); nothing was taken
 */
enum fips_mmp_outcome {
	FIPS_MMP_NO_ECHO,
	FIPS_MMP_RTT,
	FIPS_MMP_BAD_ECHO,
	FIPS_MMP_STALE,
	FIPS_MMP_ABSURD,
};

/**
 * struct fips_mmp_base - counters of the last report that was taken
 * @known: is there one? Gone after a cutover
 * @highest: as in &struct fips_mmp_rr
 * @packets: likewise
 * @bytes: likewise
 * @ce: likewise
 * @reorder: likewise
 * @at_ms: when it came
 */
struct fips_mmp_base {
	bool known;
	u64 highest;
	u64 packets;
	u64 bytes;
	u32 ce;
	u32 reorder;
	u64 at_ms;
};

/**
 * struct fips_mmp_metrics - what the peer's reports say about the path to it (04 §6)
 * @srtt: round-trip time
 * @last_rtt_ms: newest sample, 0 if there was none
 * @forward: delivery ratio towards the peer, of one interval
 * @reverse: from it
 * @etx: of both
 * @goodput: bytes a second
 * @rtt_trend: microseconds
 * @loss_trend: 1 - @forward
 * @etx_trend: of @etx
 * @goodput_trend: bytes an interval
 * @jitter_trend: of what the peer measured, microseconds
 * @base: last report
 * @reverse_known: are the next two set?
 * @reverse_packets: our own count at the last report
 * @reverse_highest: our own highest counter then
 * @cutover_ms: last key cutover, valid with @had_cutover
 * @had_cutover: was there one?
 * @reports: seen, of any outcome
 * @rtt_samples: round-trip times
 * @rtt_zero: below 1 ms
 * @rtt_arith_fail: echo and dwell lie in the future
 * @absurd: reports with claims that can't be
 */
struct fips_mmp_metrics {
	struct fips_mmp_srtt srtt;
	u32 last_rtt_ms;
	double forward;
	double reverse;
	double etx;
	double goodput;
	struct fips_mmp_ewma rtt_trend;
	struct fips_mmp_ewma loss_trend;
	struct fips_mmp_ewma etx_trend;
	struct fips_mmp_ewma goodput_trend;
	struct fips_mmp_ewma jitter_trend;
	struct fips_mmp_base base;
	bool reverse_known;
	u64 reverse_packets;
	u64 reverse_highest;
	u64 cutover_ms;
	bool had_cutover;
	u64 reports;
	u64 rtt_samples;
	u64 rtt_zero;
	u64 rtt_arith_fail;
	u64 absurd;
};

void fips_mmp_metrics_init(struct fips_mmp_metrics *m);

/**
 * fips_mmp_metrics_rr() - take a receiver report (04 §6, steps 1 to 6)
 * @m: metrics
 * @rr: report
 * @sent: our own send sums, to hold its claims against; NULL if not known
 * @now_ms: monotonic
 * @our_ts: our timestamp of the same instant, as we write it into frames
 *
 * Counters of @sent may be newer than the report, not older. Unlike the
 * reference, a lower highest counter within %FIPS_MMP_REBASE_MS of a cutover
 * is a new baseline, not stale: or one report that crossed the cutover would
 * freeze everything until the new counters pass the old ones (04 §8).
 */
enum fips_mmp_outcome fips_mmp_metrics_rr(struct fips_mmp_metrics *m,
					  const struct fips_mmp_rr *rr,
					  const struct fips_mmp_tx *sent, u64 now_ms, u32 our_ts);

/* Our own receive sums, once a report that came (04 §6, step 8). */
void fips_mmp_metrics_reverse(struct fips_mmp_metrics *m, u64 packets, u64 highest);
void fips_mmp_metrics_cutover(struct fips_mmp_metrics *m, u64 now_ms);

/* Link cost of the tree and of next hops; 1 as long as there is no round-trip time. */
double fips_mmp_metrics_cost(const struct fips_mmp_metrics *m);

/*
 * Does a frame over this link get CE from us (04 §10.2, without the kernel's drops)? By averages:
 * one lost frame in a quiet interval is no congestion (§17).
 */
bool fips_mmp_congested(const struct fips_mmp_metrics *m, double loss_threshold,
			double etx_threshold);

#endif /* _LIBFIPS_MMP_H */
