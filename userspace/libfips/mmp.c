// SPDX-License-Identifier: MIT
/*
 * Metrics of a link or session: estimators (spec 04 §4, §6.1) and what a
 * receiver report means (§6).
 */
#include "mmp.h"

#define GAIN_FAST	0.25
#define GAIN_SLOW	0.03125
#define RTO_MIN_US	1000000

void fips_mmp_ewma_add(struct fips_mmp_ewma *e, double sample)
{
	if (!e->known) {
		e->known = true;
		e->fast = sample;
		e->slow = sample;
		return;
	}
	e->fast += GAIN_FAST * (sample - e->fast);
	e->slow += GAIN_SLOW * (sample - e->slow);
}

void fips_mmp_srtt_add(struct fips_mmp_srtt *s, s64 rtt_us)
{
	s64 diff;

	if (!s->known) {
		s->known = true;
		s->srtt = rtt_us;
		s->rttvar = rtt_us / 2;
		return;
	}
	diff = s->srtt > rtt_us ? s->srtt - rtt_us : rtt_us - s->srtt;
	s->rttvar += (diff >> 2) - (s->rttvar >> 2);
	s->srtt += (rtt_us >> 3) - (s->srtt >> 3);
}

s64 fips_mmp_rto(const struct fips_mmp_srtt *s)
{
	s64 spread = 4 * s->rttvar > RTO_MIN_US ? 4 * s->rttvar : RTO_MIN_US;

	return s->srtt + spread > RTO_MIN_US ? s->srtt + spread : RTO_MIN_US;
}

static double clamp(double v, double min, double max)
{
	if (!(v > min))	/* also NaN */
		return min;
	return v < max ? v : max;
}

double fips_mmp_etx(double forward, double reverse)
{
	double p = forward * reverse;

	return p > 0 ? clamp(1.0 / p, 1.0, FIPS_MMP_ETX_MAX) : FIPS_MMP_ETX_MAX;
}

double fips_mmp_cost(double etx, bool srtt_known, double srtt_ms)
{
	return srtt_known ? etx * (1.0 + srtt_ms / 100.0) : 1.0;
}

s32 fips_mmp_slope(const s64 *x, const s64 *y, size_t n, s64 scale)
{
	__int128 sx = 0, sy = 0, sxx = 0, sxy = 0, num, den, slope;
	size_t i;

	for (i = 0; i < n; i++) {
		sx += x[i];
		sy += y[i];
		sxx += (__int128)x[i] * x[i];
		sxy += (__int128)x[i] * y[i];
	}
	num = (__int128)n * sxy - sx * sy;
	den = (__int128)n * sxx - sx * sx;
	if (!den)
		return 0;
	slope = num * scale / den;
	if (slope > INT32_MAX)
		return INT32_MAX;
	return slope < INT32_MIN ? INT32_MIN : (s32)slope;
}

s32 fips_mmp_owd_trend(const u32 *us, const u32 *ts, size_t n)
{
	s64 x[FIPS_MMP_OWD_WINDOW], y[FIPS_MMP_OWD_WINDOW];
	size_t i;

	if (n > FIPS_MMP_OWD_WINDOW)
		n = FIPS_MMP_OWD_WINDOW;
	for (i = 0; i < n; i++) {
		x[i] = (s64)(u32)(us[i] - us[0]);
		y[i] = x[i] - (s64)(s32)(ts[i] - ts[0]) * 1000;
	}
	return fips_mmp_slope(x, y, n, 1000000);
}

void fips_mmp_sr_fill(struct fips_mmp_sr *sr, const struct fips_mmp_tx *sums)
{
	*sr = (struct fips_mmp_sr) {
		.start_counter = sums->start_counter,
		.end_counter = sums->last_counter,
		.start_ts = sums->start_ts,
		.end_ts = sums->last_ts,
		.interval_bytes = sums->interval_bytes,
		.cum_packets = sums->cum_packets,
		.cum_bytes = sums->cum_bytes,
	};
}

void fips_mmp_rr_fill(struct fips_mmp_rr *rr, const struct fips_mmp_rx_sums *sums)
{
	u64 dwell_ms = sums->dwell_us / 1000, mean = 0;

	/* A burst is at most 65535 long, so this can't overflow before 2^40 bursts. */
	if (sums->burst_count)
		mean = sums->burst_total * 256 / sums->burst_count;
	*rr = (struct fips_mmp_rr) {
		.highest = sums->highest,
		.cum_packets = sums->cum_packets,
		.cum_bytes = sums->cum_bytes,
		.echo = dwell_ms > 0xffff ? 0 : sums->last_ts,
		.dwell_ms = dwell_ms > 0xffff ? 0xffff : (u16)dwell_ms,
		.max_burst = sums->burst_max,
		.mean_burst = mean > 0xffff ? 0xffff : (u16)mean,
		.jitter_us = sums->jitter_us,
		.ce = sums->ce,
		.burst_count = sums->burst_count,
		.reorder = sums->reorder,
		.interval_packets = sums->interval_packets,
		.interval_bytes = sums->interval_bytes,
	};
}

void fips_mmp_metrics_init(struct fips_mmp_metrics *m)
{
	*m = (struct fips_mmp_metrics) { .forward = 1.0, .reverse = 1.0, .etx = 1.0 };
}

/* Claims about frames that we never sent (04 §15). */
static bool is_absurd(const struct fips_mmp_rr *rr, const struct fips_mmp_tx *sent)
{
	if (!sent)
		return false;
	if (!sent->cum_packets)
		return true;
	return rr->highest > sent->last_counter || rr->cum_packets > sent->cum_packets ||
	       rr->cum_bytes > sent->cum_bytes || rr->echo > sent->last_ts;
}

/* Step 2 (04 §6): anything lower, or nothing new. */
static bool is_stale(const struct fips_mmp_base *base, const struct fips_mmp_rr *rr)
{
	if (rr->highest < base->highest || rr->cum_packets < base->packets ||
	    rr->cum_bytes < base->bytes || rr->ce < base->ce || rr->reorder < base->reorder)
		return true;
	return rr->highest == base->highest && rr->cum_packets == base->packets &&
	       rr->cum_bytes == base->bytes && rr->ce == base->ce && rr->reorder == base->reorder;
}

/* What starts again at a cutover went down, what does not did not. */
static bool is_new_epoch(const struct fips_mmp_metrics *m, const struct fips_mmp_rr *rr,
			 u64 now_ms)
{
	return m->had_cutover && now_ms - m->cutover_ms < FIPS_MMP_REBASE_MS &&
	       rr->highest < m->base.highest && rr->cum_packets > m->base.packets &&
	       rr->cum_bytes > m->base.bytes;
}

/* Step 3: no wrap-around; timestamps begin at 0 with the session. */
static enum fips_mmp_outcome take_echo(struct fips_mmp_metrics *m, const struct fips_mmp_rr *rr,
				       u32 our_ts)
{
	u64 back = (u64)rr->echo + rr->dwell_ms;
	u32 rtt_ms;

	if (!rr->echo)
		return FIPS_MMP_NO_ECHO;
	if (back > our_ts) {
		m->rtt_arith_fail++;
		return FIPS_MMP_BAD_ECHO;
	}
	rtt_ms = our_ts - (u32)back;
	if (!rtt_ms) {
		m->rtt_zero++;
		return FIPS_MMP_BAD_ECHO;
	}
	m->rtt_samples++;
	m->last_rtt_ms = rtt_ms;
	fips_mmp_srtt_add(&m->srtt, (s64)rtt_ms * 1000);
	fips_mmp_ewma_add(&m->rtt_trend, (double)((s64)rtt_ms * 1000));
	return FIPS_MMP_RTT;
}

static void take_etx(struct fips_mmp_metrics *m)
{
	m->etx = fips_mmp_etx(m->forward, m->reverse);
	fips_mmp_ewma_add(&m->etx_trend, m->etx);
}

/* Steps 4 and 5: against the report before. */
static void take_progress(struct fips_mmp_metrics *m, const struct fips_mmp_rr *rr, u64 now_ms)
{
	const struct fips_mmp_base *base = &m->base;
	double bytes = (double)(rr->cum_bytes - base->bytes), bps;

	if (rr->highest > base->highest) {
		m->forward = clamp((double)(rr->cum_packets - base->packets) /
				   (double)(rr->highest - base->highest), 0.0, 1.0);
		fips_mmp_ewma_add(&m->loss_trend, 1.0 - m->forward);
		take_etx(m);
	}
	fips_mmp_ewma_add(&m->goodput_trend, bytes);
	if (now_ms <= base->at_ms)
		return;
	bps = bytes / ((double)(now_ms - base->at_ms) / 1000.0);
	if (m->goodput > 0)
		m->goodput += GAIN_FAST * (bps - m->goodput);
	else
		m->goodput = bps;
}

enum fips_mmp_outcome fips_mmp_metrics_rr(struct fips_mmp_metrics *m,
					  const struct fips_mmp_rr *rr,
					  const struct fips_mmp_tx *sent, u64 now_ms, u32 our_ts)
{
	enum fips_mmp_outcome outcome;

	m->reports++;
	if (is_absurd(rr, sent)) {
		m->absurd++;
		return FIPS_MMP_ABSURD;
	}
	if (m->base.known && is_new_epoch(m, rr, now_ms))
		m->base.known = false;
	if (m->base.known && is_stale(&m->base, rr))
		return FIPS_MMP_STALE;
	outcome = take_echo(m, rr, our_ts);
	if (m->base.known)
		take_progress(m, rr, now_ms);
	fips_mmp_ewma_add(&m->jitter_trend, (double)rr->jitter_us);
	m->base = (struct fips_mmp_base) {
		.known = true,
		.highest = rr->highest,
		.packets = rr->cum_packets,
		.bytes = rr->cum_bytes,
		.ce = rr->ce,
		.reorder = rr->reorder,
		.at_ms = now_ms,
	};
	return outcome;
}

void fips_mmp_metrics_reverse(struct fips_mmp_metrics *m, u64 packets, u64 highest)
{
	if (m->reverse_known && highest > m->reverse_highest && packets >= m->reverse_packets) {
		m->reverse = clamp((double)(packets - m->reverse_packets) /
				   (double)(highest - m->reverse_highest), 0.0, 1.0);
		take_etx(m);
	}
	m->reverse_known = true;
	m->reverse_packets = packets;
	m->reverse_highest = highest;
}

void fips_mmp_metrics_cutover(struct fips_mmp_metrics *m, u64 now_ms)
{
	m->base.known = false;
	m->reverse_known = false;
	m->forward = 1.0;
	m->had_cutover = true;
	m->cutover_ms = now_ms;
}

double fips_mmp_metrics_cost(const struct fips_mmp_metrics *m)
{
	return fips_mmp_cost(m->etx, m->srtt.known, (double)m->srtt.srtt / 1000.0);
}

bool fips_mmp_congested(const struct fips_mmp_metrics *m, double loss_threshold,
			double etx_threshold)
{
	double loss = m->loss_trend.known ? m->loss_trend.fast : 1.0 - m->forward;
	double etx = m->etx_trend.known ? m->etx_trend.fast : m->etx;

	return loss >= loss_threshold || etx >= etx_threshold;
}
