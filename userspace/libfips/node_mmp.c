// SPDX-License-Identifier: MIT
/* What the metrics of links and sessions have in common (spec 04). */

#include <inttypes.h>
#include <stdio.h>

#include "node_internal.h"

void node_mmp_init(struct fips_node *n, struct node_mmp *m, enum fips_mmp_layer layer,
		   fips_timer_fn look)
{
	*m = (struct node_mmp) { .logged = n->now.mono_ms };
	fips_mmp_metrics_init(&m->metrics);
	fips_mmp_timer_init(&m->sr, layer, 2);
	fips_mmp_timer_init(&m->rr, layer, 1);
	/* The first ones have an interval, too. */
	fips_mmp_timer_sent(&m->sr, n->now.mono_ms);
	fips_mmp_timer_sent(&m->rr, n->now.mono_ms);
	fips_timer_init(&m->timer, look);
}

void node_mmp_wake(struct fips_node *n, struct node_mmp *m)
{
	u64 sr = fips_mmp_timer_next(&m->sr), rr = fips_mmp_timer_next(&m->rr);
	u64 at = n->now.mono_ms + NODE_MMP_GATHER_MS, due = rr < sr ? rr : sr;

	if (!m->timer.armed)
		fips_timer_set(&n->timers, &m->timer, due > at ? due : at);
}

void node_mmp_note(struct node_mmp *m, struct fips_mmp_report *r)
{
	r->rx.cum_packets += m->carry.rx.cum_packets;
	r->rx.cum_bytes += m->carry.rx.cum_bytes;
	r->tx.cum_packets += m->carry.tx.cum_packets;
	r->tx.cum_bytes += m->carry.tx.cum_bytes;
	m->spin_rtt_us = r->spin_rtt_us;
	m->jitter_us = r->rx.jitter_us;
	m->ce = r->rx.ce;
	m->rx_packets = r->rx.cum_packets;
	m->rx_bytes = r->rx.cum_bytes;
	m->tx_packets = r->tx.cum_packets;
	m->tx_bytes = r->tx.cum_bytes;
}

/*
 * Frames that call for reports. A report may be counted by the data plane before
 * its message has come up here: so compare for equality only.
 */
static u64 mmp_sent(const struct node_mmp *m)
{
	return m->tx_packets - m->tx_quiet;
}

/* Who only receives has but our receiver reports to learn the round-trip time from. */
static u64 mmp_traffic(const struct node_mmp *m)
{
	return m->rx_packets - m->rx_quiet + mmp_sent(m);
}

u32 node_mmp_due(struct fips_node *n, struct node_mmp *m, const struct fips_node_mmp_cfg *cfg,
		 const struct fips_mmp_report *r)
{
	u64 sr = FIPS_NEVER, rr = FIPS_NEVER, now = n->now.mono_ms;
	u32 due = 0;

	if (cfg->mode == FIPS_MMP_FULL && r->tx.has_data && mmp_sent(m) != m->sr_told)
		sr = fips_mmp_timer_next(&m->sr);
	if (cfg->mode != FIPS_MMP_MINIMAL && r->has_rx && mmp_traffic(m) != m->rr_told)
		rr = fips_mmp_timer_next(&m->rr);
	if (sr <= now) {
		due |= FIPS_MMP_TAKE_TX;
		sr = FIPS_NEVER;
	}
	if (rr <= now) {
		due |= FIPS_MMP_TAKE_RX;
		rr = FIPS_NEVER;
	}
	if (rr < sr)
		sr = rr;
	if (sr != FIPS_NEVER)
		fips_timer_set(&n->timers, &m->timer, sr);
	return due;
}

int node_mmp_build_sr(struct node_mmp *m, enum fips_mmp_layer layer,
		      const struct fips_mmp_report *r, u8 *buf, size_t room)
{
	struct fips_mmp_sr sr;

	m->sr_told = mmp_sent(m);
	fips_mmp_sr_fill(&sr, &r->tx);
	return fips_mmp_sr_build(layer, buf, room, &sr);
}

int node_mmp_build_rr(struct node_mmp *m, const struct fips_node_mmp_cfg *cfg,
		      enum fips_mmp_layer layer, const struct fips_mmp_report *r, u8 *buf,
		      size_t room)
{
	u32 window = cfg->owd_window_size < r->owd_len ? (u32)cfg->owd_window_size : r->owd_len;
	u32 skip = r->owd_len - window;
	struct fips_mmp_rr rr;

	m->rr_told = mmp_traffic(m);
	fips_mmp_rr_fill(&rr, &r->rx);
	rr.owd_trend = fips_mmp_owd_trend(r->owd_us + skip, r->owd_ts + skip, window);
	return fips_mmp_rr_build(layer, buf, room, &rr);
}

void node_mmp_sent(struct fips_node *n, struct node_mmp *m, u32 which, int ret)
{
	struct fips_mmp_timer *t = which == FIPS_MMP_TAKE_TX ? &m->sr : &m->rr;

	/* Building consumes the interval, whatever becomes of the report (04 §5). */
	fips_mmp_timer_sent(t, n->now.mono_ms);
	if (!ret) {	/* and the data plane has counted it */
		m->tx_quiet++;
		m->tx_packets++;
	}
	if (t->layer != FIPS_MMP_SESSION)
		return;
	if (ret)
		fips_mmp_timer_failed(&m->sr);
	else
		fips_mmp_timer_succeeded(&m->sr);
}

static u64 add_sat(u64 a, u64 b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

/*
 * What the peer may claim (04 §15). It may have counted before we did: a link
 * or session that only we have lost goes on at its end. What it says first is
 * taken as that, and from there on it can't have received more than we sent.
 */
static struct fips_mmp_tx mmp_bound(struct node_mmp *m, const struct fips_mmp_rr *rr,
				    const struct fips_mmp_report *r)
{
	struct fips_mmp_tx sent = r->tx;

	if (!m->metrics.base.known) {
		if (rr->cum_packets > add_sat(sent.cum_packets, m->former_packets))
			m->former_packets = rr->cum_packets;
		if (rr->cum_bytes > add_sat(sent.cum_bytes, m->former_bytes))
			m->former_bytes = rr->cum_bytes;
	}
	sent.cum_packets = add_sat(sent.cum_packets, m->former_packets);
	sent.cum_bytes = add_sat(sent.cum_bytes, m->former_bytes);
	return sent;
}

enum fips_mmp_outcome node_mmp_take_rr(struct fips_node *n, struct node_mmp *m,
				       const struct fips_mmp_rr *rr,
				       const struct fips_mmp_report *r)
{
	const struct fips_mmp_tx sent = mmp_bound(m, rr, r);
	enum fips_mmp_outcome outcome;
	s64 srtt;

	outcome = fips_mmp_metrics_rr(&m->metrics, rr, &sent, n->now.mono_ms, r->now_ts);
	if (outcome == FIPS_MMP_ABSURD) {
		n->counters.mmp_absurd++;
		return outcome;
	}
	n->counters.mmp_stale += outcome == FIPS_MMP_STALE;
	if (node_mmp_measured(m)) {
		srtt = m->metrics.srtt.known ? m->metrics.srtt.srtt : 1;
		fips_mmp_timer_update(&m->sr, srtt);
		fips_mmp_timer_update(&m->rr, srtt);
	}
	fips_mmp_metrics_reverse(&m->metrics, r->rx.cum_packets, r->rx.highest);
	return outcome;
}

/* Below a millisecond nothing can be said but that it is little: as good as measured. */
bool node_mmp_measured(const struct node_mmp *m)
{
	return m->metrics.srtt.known || m->metrics.rtt_zero;
}

double node_mmp_cost(const struct node_mmp *m)
{
	const struct fips_mmp_metrics *x = &m->metrics;
	double etx = x->etx_trend.known ? x->etx_trend.fast : x->etx;

	return fips_mmp_cost(etx, node_mmp_measured(m), (double)x->srtt.srtt / 1000.0);
}

bool node_mmp_log_due(struct fips_node *n, struct node_mmp *m,
		      const struct fips_node_mmp_cfg *cfg)
{
	if ((n->now.mono_ms - m->logged) / 1000 < cfg->log_interval_secs)
		return false;
	m->logged = n->now.mono_ms;
	return true;
}

static void line_goodput(double bps, char *buf, size_t len)
{
	if (bps <= 0)
		snprintf(buf, len, "n/a");
	else if (bps < 1e3)
		snprintf(buf, len, "%.0fB/s", bps);
	else if (bps < 1e6)
		snprintf(buf, len, "%.1fKB/s", bps / 1e3);
	else
		snprintf(buf, len, "%.1fMB/s", bps / 1e6);
}

void node_mmp_line(const struct node_mmp *m, char *buf, size_t len)
{
	const struct fips_mmp_metrics *x = &m->metrics;
	char rtt[32] = "n/a", loss[32] = "n/a", goodput[32];

	if (x->rtt_trend.known)
		snprintf(rtt, sizeof(rtt), "%.1fms", x->rtt_trend.slow / 1000.0);
	if (x->loss_trend.known)
		snprintf(loss, sizeof(loss), "%.1f%%", x->loss_trend.slow * 100.0);
	line_goodput(x->goodput, goodput, sizeof(goodput));
	snprintf(buf, len,
		 "rtt=%s loss=%s jitter=%.1fms goodput=%s etx=%.2f tx_pkts=%" PRIu64
		 " rx_pkts=%" PRIu64,
		 rtt, loss, m->jitter_us / 1000.0, goodput, x->etx, m->tx_packets, m->rx_packets);
}

void node_mmp_view(const struct node_mmp *m, const struct fips_node_mmp_cfg *cfg, bool initiator,
		   struct fips_mmp_view *v)
{
	*v = (struct fips_mmp_view) {
		.mode = cfg->mode == FIPS_MMP_FULL ? "full" :
			cfg->mode == FIPS_MMP_LIGHTWEIGHT ? "lightweight" : "minimal",
		.initiator = initiator,
		.metrics = &m->metrics,
		.spin_rtt_us = m->spin_rtt_us,
		.jitter_us = m->jitter_us,
		.ce = m->ce,
	};
}
