// SPDX-License-Identifier: MIT
/*
 * Metrics against mmp.json: sums to reports, reports to estimates, both bit
 * for bit; then what we do better than the reference, and the decoders.
 */
#include "mmp.h"

#include <errno.h>

#include "pathmtu.h"
#include "vectors_mesh.h"

#define SAMPLES_MAX	64

static const char *event_of(const json_t *step)
{
	return vec_str(step, "event");
}

static bool is_event(const json_t *step, const char *event)
{
	return !strcmp(event_of(step), event);
}

static enum fips_mmp_layer layer_of(const json_t *kase)
{
	const char *layer = vec_str(kase, "layer");

	assert_true(!strcmp(layer, "link") || !strcmp(layer, "session"));
	return layer[0] == 'l' ? FIPS_MMP_LINK : FIPS_MMP_SESSION;
}

/*
 * The reference's trend of the one-way delay: the delay of each frame is
 * counted from the frame before (04 §4.5). It is noise, and not what we send;
 * with it our least squares give its numbers.
 */
struct reference_owd {
	s64 x[SAMPLES_MAX];
	s64 y[SAMPLES_MAX];
	size_t n;
	s64 seen;
	u64 last_ms;
	bool has_last;
};

static void reference_owd_add(struct reference_owd *o, u64 now_ms, u32 ts, size_t window)
{
	s64 since = o->has_last ? (s64)(now_ms - o->last_ms) * 1000 : 0;

	if (o->n == window) {
		memmove(o->x, o->x + 1, (window - 1) * sizeof(o->x[0]));
		memmove(o->y, o->y + 1, (window - 1) * sizeof(o->y[0]));
		o->n--;
	}
	o->x[o->n] = o->seen++;
	o->y[o->n++] = since - (s64)ts * 1000;
	o->last_ms = now_ms;
	o->has_last = true;
}

/* One receiving end of the traces. */
struct rx_run {
	enum fips_mmp_layer layer;
	size_t window;
	struct fips_mmp_rx rx;
	struct fips_mmp_timer timer;
	struct reference_owd owd;
};

static void run_frame(struct rx_run *run, const json_t *step)
{
	const struct fips_mmp_frame f = {
		.counter = vec_int(step, "counter"),
		.now_us = vec_int(step, "arrival_ms") * 1000,
		.timestamp = (u32)vec_int(step, "timestamp"),
		.bytes = (u32)vec_int(step, "bytes"),
		.ce = vec_bool(step, "ce"),
	};
	bool had = run->rx.has_data;
	json_t *after = vec_get(step, "after");

	assert_int_equal(fips_mmp_rx_frame(&run->rx, &f), !had);
	vec_expect_int(after, "highest_counter", run->rx.highest);
	vec_expect_int(after, "jitter_us", run->rx.jitter_q4 >> 4);
	reference_owd_add(&run->owd, vec_int(step, "arrival_ms"), f.timestamp, run->window);
}

static void expect_rr(const json_t *want, const struct fips_mmp_rr *rr)
{
	assert_int_equal(json_object_size(want), 14);
	vec_expect_int(want, "highest_counter", rr->highest);
	vec_expect_int(want, "cumulative_packets_recv", rr->cum_packets);
	vec_expect_int(want, "cumulative_bytes_recv", rr->cum_bytes);
	vec_expect_int(want, "timestamp_echo", rr->echo);
	vec_expect_int(want, "dwell_time", rr->dwell_ms);
	vec_expect_int(want, "max_burst_loss", rr->max_burst);
	vec_expect_int(want, "mean_burst_loss", rr->mean_burst);
	vec_expect_int(want, "jitter", rr->jitter_us);
	vec_expect_int(want, "ecn_ce_count", rr->ce);
	assert_int_equal(vec_sint(want, "owd_trend"), rr->owd_trend);
	vec_expect_int(want, "burst_loss_count", rr->burst_count);
	vec_expect_int(want, "cumulative_reorder_count", rr->reorder);
	vec_expect_int(want, "interval_packets_recv", rr->interval_packets);
	vec_expect_int(want, "interval_bytes_recv", rr->interval_bytes);
}

/* Both encodings, there and back. */
static void expect_rr_bytes(const json_t *step, const struct fips_mmp_rr *rr)
{
	struct fips_mmp_rr back;
	u8 buf[68];
	int n;

	memset(&back, 0, sizeof(back));
	n = fips_mmp_rr_build(FIPS_MMP_LINK, buf, sizeof(buf), rr);
	vec_expect(step, "link_hex", buf, (size_t)n);
	assert_int_equal(fips_mmp_rr_parse(FIPS_MMP_LINK, buf + 1, (size_t)n - 1, &back), 0);
	expect_rr(vec_get(step, "report"), &back);
	n = fips_mmp_rr_build(FIPS_MMP_SESSION, buf, sizeof(buf), rr);
	vec_expect(step, "session_body_hex", buf, (size_t)n);
	assert_int_equal(fips_mmp_rr_parse(FIPS_MMP_SESSION, buf, (size_t)n, &back), 0);
	expect_rr(vec_get(step, "report"), &back);
}

static void run_report(struct rx_run *run, const json_t *step)
{
	u64 now_ms = vec_int(step, "now_ms");
	struct fips_mmp_rx_sums sums;
	struct fips_mmp_rr rr;

	if (!fips_mmp_rx_take(&run->rx, now_ms * 1000, &sums)) {
		assert_true(vec_is_null(step, "report"));
		return;
	}
	fips_mmp_rr_fill(&rr, &sums);
	assert_int_equal(rr.owd_trend, 0);
	rr.owd_trend = fips_mmp_slope(run->owd.x, run->owd.y, run->owd.n, 1000);
	expect_rr(vec_get(step, "report"), &rr);
	expect_rr_bytes(step, &rr);
	fips_mmp_timer_sent(&run->timer, now_ms);
}

static bool is_due(const struct fips_mmp_timer *t, bool has_data, u64 now_ms)
{
	return has_data && now_ms >= fips_mmp_timer_next(t);
}

static void run_rx_step(struct rx_run *run, const json_t *step)
{
	if (is_event(step, "frame")) {
		run_frame(run, step);
	} else if (is_event(step, "report")) {
		run_report(run, step);
	} else if (is_event(step, "key_cutover")) {
		fips_mmp_rx_cutover(&run->rx, vec_int(step, "now_ms") * 1000);
		memset(&run->owd, 0, sizeof(run->owd));
	} else if (is_event(step, "report_due?")) {
		vec_expect_bool(step, "due",
				is_due(&run->timer, run->rx.has_data, vec_int(step, "now_ms")));
	} else if (is_event(step, "interval_update")) {
		fips_mmp_timer_update(&run->timer, vec_sint(step, "srtt_us"));
		vec_expect_int(step, "report_interval_ms", run->timer.interval_ms);
	} else {
		fail_msg("event %s", event_of(step));
	}
}

static void test_receiver(void **state)
{
	json_t *root = vec_load("mmp"), *kase, *step;
	size_t i, j;

	(void)state;
	assert_int_equal(json_array_size(vec_array(root, "receiver")), 22);
	json_array_foreach(vec_array(root, "receiver"), i, kase) {
		struct rx_run run = {
			.layer = layer_of(kase),
			.window = (size_t)vec_int(kase, "owd_window"),
		};

		vec_expect_int(kase, "owd_window", FIPS_MMP_OWD_WINDOW);
		fips_mmp_timer_init(&run.timer, run.layer, 1);
		json_array_foreach(vec_array(kase, "trace"), j, step)
			run_rx_step(&run, step);
	}
	json_decref(root);
}

static void expect_sr(const json_t *want, const struct fips_mmp_sr *sr)
{
	assert_int_equal(json_object_size(want), 7);
	vec_expect_int(want, "interval_start_counter", sr->start_counter);
	vec_expect_int(want, "interval_end_counter", sr->end_counter);
	vec_expect_int(want, "interval_start_timestamp", sr->start_ts);
	vec_expect_int(want, "interval_end_timestamp", sr->end_ts);
	vec_expect_int(want, "interval_bytes_sent", sr->interval_bytes);
	vec_expect_int(want, "cumulative_packets_sent", sr->cum_packets);
	vec_expect_int(want, "cumulative_bytes_sent", sr->cum_bytes);
}

struct tx_run {
	struct fips_mmp_tx tx;
	struct fips_mmp_timer timer;
};

static void run_sr(struct tx_run *run, const json_t *step)
{
	struct fips_mmp_sr sr, back;
	struct fips_mmp_tx sums;
	u8 buf[48];
	int n;

	if (!fips_mmp_tx_take(&run->tx, &sums)) {
		assert_true(vec_is_null(step, "report"));
		return;
	}
	fips_mmp_sr_fill(&sr, &sums);
	expect_sr(vec_get(step, "report"), &sr);
	n = fips_mmp_sr_build(FIPS_MMP_LINK, buf, sizeof(buf), &sr);
	vec_expect(step, "link_hex", buf, (size_t)n);
	assert_int_equal(fips_mmp_sr_parse(FIPS_MMP_LINK, buf + 1, (size_t)n - 1, &back), 0);
	expect_sr(vec_get(step, "report"), &back);
	n = fips_mmp_sr_build(FIPS_MMP_SESSION, buf, sizeof(buf), &sr);
	vec_expect(step, "session_body_hex", buf, (size_t)n);
	assert_int_equal(fips_mmp_sr_parse(FIPS_MMP_SESSION, buf, (size_t)n, &back), 0);
	expect_sr(vec_get(step, "report"), &back);
	fips_mmp_timer_sent(&run->timer, vec_int(step, "now_ms"));
}

static double multiplier(const struct fips_mmp_timer *t)
{
	return (double)(fips_mmp_timer_next(t) - t->last_ms) / t->interval_ms;
}

static void run_failure(struct tx_run *run, const json_t *step)
{
	fips_mmp_timer_failed(&run->timer);
	vec_expect_int(step, "failures", run->timer.failures);
	vec_expect_real(step, "multiplier", multiplier(&run->timer));
	vec_expect_bool(step, "due_at_6449", is_due(&run->timer, true, 6449));
	vec_expect_bool(step, "due_at_6450", is_due(&run->timer, true, 6450));
}

static void run_tx_step(struct tx_run *run, const json_t *step)
{
	bool had = run->tx.has_data;

	if (is_event(step, "sent")) {
		assert_int_equal(fips_mmp_tx_frame(&run->tx, vec_int(step, "counter"),
						   (u32)vec_int(step, "timestamp"),
						   (u32)vec_int(step, "bytes")), !had);
	} else if (is_event(step, "report")) {
		run_sr(run, step);
	} else if (is_event(step, "report_due?")) {
		vec_expect_bool(step, "due", is_due(&run->timer, had, vec_int(step, "now_ms")));
	} else if (is_event(step, "send_failure")) {
		run_failure(run, step);
	} else if (is_event(step, "send_success")) {
		vec_expect_int(step, "previous_failures", fips_mmp_timer_succeeded(&run->timer));
		vec_expect_real(step, "multiplier", multiplier(&run->timer));
	} else if (is_event(step, "interval_update")) {
		fips_mmp_timer_update(&run->timer, vec_sint(step, "srtt_us"));
		vec_expect_int(step, "report_interval_ms", run->timer.interval_ms);
	} else if (is_event(step, "start")) {
		vec_expect_int(step, "report_interval_ms", run->timer.interval_ms);
	} else {
		fail_msg("event %s", event_of(step));
	}
}

static void test_sender(void **state)
{
	json_t *root = vec_load("mmp"), *kase, *step;
	size_t i, j;

	(void)state;
	assert_int_equal(json_array_size(vec_array(root, "sender")), 2);
	json_array_foreach(vec_array(root, "sender"), i, kase) {
		enum fips_mmp_layer layer = i ? FIPS_MMP_SESSION : FIPS_MMP_LINK;
		struct tx_run run = { 0 };

		fips_mmp_timer_init(&run.timer, layer, 2);
		json_array_foreach(vec_array(kase, "trace"), j, step)
			run_tx_step(&run, step);
	}
	json_decref(root);
}

static void expect_trend(const json_t *after, const char *key, const struct fips_mmp_ewma *e)
{
	json_t *want = vec_get(after, key);

	assert_int_equal(json_is_null(want), !e->known);
	if (!e->known)
		return;
	vec_expect_real(want, "short", e->fast);
	vec_expect_real(want, "long", e->slow);
}

static void expect_opt(const json_t *after, const char *key, bool known, double val)
{
	if (vec_is_null(after, key) == known)
		fail_msg("\"%s\" is %sknown", key, known ? "" : "not ");
	if (known)
		vec_expect_real(after, key, val);
}

static void expect_metrics(const json_t *after, const struct fips_mmp_metrics *m)
{
	assert_int_equal(json_object_size(after), 17);
	vec_expect_real(after, "delivery_forward", m->forward);
	vec_expect_real(after, "delivery_reverse", m->reverse);
	vec_expect_real(after, "etx", m->etx);
	expect_trend(after, "etx_trend", &m->etx_trend);
	vec_expect_real(after, "goodput_bytes_per_s", m->goodput);
	expect_trend(after, "goodput_trend", &m->goodput_trend);
	expect_trend(after, "jitter_trend", &m->jitter_trend);
	expect_opt(after, "last_rtt_ms", m->last_rtt_ms, m->last_rtt_ms);
	expect_opt(after, "link_cost", m->srtt.known, fips_mmp_metrics_cost(m));
	expect_trend(after, "loss_trend", &m->loss_trend);
	vec_expect_int(after, "reports_seen", m->reports);
	vec_expect_int(after, "rtt_arith_fail", m->rtt_arith_fail);
	vec_expect_int(after, "rtt_samples", m->rtt_samples);
	expect_trend(after, "rtt_trend", &m->rtt_trend);
	vec_expect_int(after, "rtt_zero", m->rtt_zero);
	expect_opt(after, "rttvar_us", m->srtt.known, (double)m->srtt.rttvar);
	expect_opt(after, "srtt_us", m->srtt.known, (double)m->srtt.srtt);
	assert_int_equal(m->absurd, 0);
}

static struct fips_mmp_rr rr_of(const json_t *report)
{
	assert_int_equal(json_object_size(report), 8);
	return (struct fips_mmp_rr) {
		.highest = vec_int(report, "highest_counter"),
		.cum_packets = vec_int(report, "cumulative_packets_recv"),
		.cum_bytes = vec_int(report, "cumulative_bytes_recv"),
		.echo = (u32)vec_int(report, "timestamp_echo"),
		.dwell_ms = (u16)vec_int(report, "dwell_time"),
		.jitter_us = (u32)vec_int(report, "jitter"),
		.ce = (u32)vec_int(report, "ecn_ce_count"),
		.reorder = (u32)vec_int(report, "cumulative_reorder_count"),
	};
}

static void run_rr(struct fips_mmp_metrics *m, const json_t *step)
{
	static const char *const words[] = {
		[FIPS_MMP_NO_ECHO] = "none",
		[FIPS_MMP_BAD_ECHO] = "invalid_rtt",
		[FIPS_MMP_STALE] = "stale",
	};
	struct fips_mmp_rr rr = rr_of(vec_get(step, "report"));
	json_t *want = vec_get(step, "outcome");
	bool knew = m->srtt.known;
	enum fips_mmp_outcome outcome;

	outcome = fips_mmp_metrics_rr(m, &rr, NULL, vec_int(step, "now_ms"),
				      (u32)vec_int(step, "our_timestamp_ms"));
	if (outcome == FIPS_MMP_RTT)
		vec_expect_int(want, "rtt_sample_ms", m->last_rtt_ms);
	else
		assert_string_equal(json_string_value(want), words[outcome]);
	vec_expect_bool(step, "first_srtt", m->srtt.known && !knew);
}

static void test_metrics(void **state)
{
	json_t *root = vec_load("mmp"), *kase, *step;
	size_t i, j;

	(void)state;
	assert_int_equal(json_array_size(vec_array(root, "metrics")), 5);
	json_array_foreach(vec_array(root, "metrics"), i, kase) {
		struct fips_mmp_metrics m;

		fips_mmp_metrics_init(&m);
		json_array_foreach(vec_array(kase, "trace"), j, step) {
			if (is_event(step, "receiver_report")) {
				run_rr(&m, step);
			} else if (is_event(step, "reverse_delivery")) {
				u64 packets = vec_int(step, "our_cumulative_packets_recv");

				fips_mmp_metrics_reverse(&m, packets,
							 vec_int(step, "our_highest_counter"));
			} else {
				assert_true(is_event(step, "key_cutover"));
				fips_mmp_metrics_cutover(&m, 2500);
			}
			expect_metrics(vec_get(step, "after"), &m);
		}
	}
	json_decref(root);
}

static void test_ewma_etx(void **state)
{
	json_t *root = vec_load("mmp"), *est = vec_get(root, "estimators"), *row;
	struct fips_mmp_ewma e = { 0 };
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(vec_array(est, "dual_ewma")), 5);
	json_array_foreach(vec_array(est, "dual_ewma"), i, row) {
		fips_mmp_ewma_add(&e, vec_real(row, "sample"));
		vec_expect_real(row, "short", e.fast);
		vec_expect_real(row, "long", e.slow);
	}
	assert_int_equal(json_array_size(vec_array(est, "etx")), 9);
	json_array_foreach(vec_array(est, "etx"), i, row)
		vec_expect_real(row, "etx", fips_mmp_etx(vec_real(row, "d_forward"),
							 vec_real(row, "d_reverse")));
	json_decref(root);
}

/* The tree's vectors have the same, and the cost of a link (05 §7.2). */
static void test_link_cost(void **state)
{
	json_t *root = vec_load("tree"), *row;
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(vec_array(root, "etx")), 5);
	json_array_foreach(vec_array(root, "etx"), i, row)
		vec_expect_real(row, "etx", fips_mmp_etx(vec_real(row, "d_forward"),
							 vec_real(row, "d_reverse")));
	assert_int_equal(json_array_size(vec_array(root, "link_cost")), 7);
	json_array_foreach(vec_array(root, "link_cost"), i, row) {
		bool known = !vec_is_null(row, "srtt_ms");

		vec_expect_real(row, "cost", fips_mmp_cost(vec_real(row, "etx"), known,
							   known ? vec_real(row, "srtt_ms") : 0));
	}
	json_decref(root);
}

static void test_jitter_srtt(void **state)
{
	json_t *root = vec_load("mmp"), *est = vec_get(root, "estimators"), *row;
	struct fips_mmp_rx rx = { 0 };
	struct fips_mmp_srtt s = { 0 };
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(vec_array(est, "jitter")), 8);
	json_array_foreach(vec_array(est, "jitter"), i, row) {
		/* The difference is cut to 32 bits, so arrivals may go backwards for the test. */
		const struct fips_mmp_frame f = { .now_us = (u64)vec_sint(row, "delta_us") };

		fips_mmp_track_jitter(&rx, &f);
		vec_expect_int(row, "jitter_us", rx.jitter_q4 >> 4);
	}
	assert_int_equal(json_array_size(vec_array(est, "srtt")), 7);
	json_array_foreach(vec_array(est, "srtt"), i, row) {
		fips_mmp_srtt_add(&s, vec_sint(row, "rtt_ms") * 1000);
		vec_expect_int(row, "srtt_us", (u64)s.srtt);
		vec_expect_int(row, "rttvar_us", (u64)s.rttvar);
		vec_expect_int(row, "rto_us", (u64)fips_mmp_rto(&s));
	}
	json_decref(root);
}

static void check_slope_samples(const json_t *kase)
{
	json_t *pair;
	s64 x[SAMPLES_MAX], y[SAMPLES_MAX];
	size_t i, n = json_array_size(vec_array(kase, "samples"));

	json_array_foreach(vec_array(kase, "samples"), i, pair) {
		x[i] = json_integer_value(json_array_get(pair, 0));
		y[i] = json_integer_value(json_array_get(pair, 1));
	}
	assert_int_equal(fips_mmp_slope(x, y, n, 1000), vec_sint(kase, "trend_us_per_s"));
}

static void check_slope_window(const json_t *kase, size_t window)
{
	s64 x[SAMPLES_MAX], y[SAMPLES_MAX];
	json_t *row;
	size_t i, from;

	json_array_foreach(vec_array(kase, "trace"), i, row) {
		x[i] = vec_sint(row, "x");
		y[i] = vec_sint(row, "y");
		from = i + 1 > window ? i + 1 - window : 0;
		assert_int_equal(fips_mmp_slope(x + from, y + from, i + 1 - from, 1000),
				 vec_sint(row, "trend"));
	}
}

static void test_slope(void **state)
{
	json_t *root = vec_load("mmp"), *est = vec_get(root, "estimators"), *kase;
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(vec_array(est, "owd_trend")), 6);
	json_array_foreach(vec_array(est, "owd_trend"), i, kase) {
		if (json_object_get(kase, "samples"))
			check_slope_samples(kase);
		else
			check_slope_window(kase, 4);
	}
	json_decref(root);
}

static void test_constants(void **state)
{
	json_t *root = vec_load("mmp"), *c = vec_get(root, "constants");
	struct fips_mmp_ewma e = { .known = true };
	struct fips_mmp_timer t;
	int i;

	(void)state;
	assert_int_equal(json_object_size(c), 12);
	fips_mmp_ewma_add(&e, 1.0);
	vec_expect_real(c, "ewma_short", e.fast);
	vec_expect_real(c, "ewma_long", e.slow);
	fips_mmp_timer_init(&t, FIPS_MMP_LINK, 1);
	vec_expect_int(c, "link_cold_start_ms", t.interval_ms);
	for (i = 0; t.interval_ms == vec_int(c, "link_cold_start_ms"); i++)
		fips_mmp_timer_update(&t, 1);
	vec_expect_int(c, "cold_start_samples", (u64)i - 1);
	vec_expect_int(c, "link_min_ms", t.interval_ms);
	fips_mmp_timer_update(&t, INT64_MAX);
	vec_expect_int(c, "link_max_ms", t.interval_ms);
	fips_mmp_timer_init(&t, FIPS_MMP_SESSION, 1);
	vec_expect_int(c, "session_cold_start_ms", t.interval_ms);
	fips_mmp_timer_update(&t, 1);
	vec_expect_int(c, "session_min_ms", t.interval_ms);
	fips_mmp_timer_update(&t, INT64_MAX);
	vec_expect_int(c, "session_max_ms", t.interval_ms);
	vec_expect_int(c, "owd_window", FIPS_MMP_OWD_WINDOW);
	vec_expect_int(c, "path_mtu_floor", FIPS_MTU_FLOOR);
	vec_expect_int(c, "log_interval_s", 30);
	json_decref(root);
}

static void test_spin(void **state)
{
	json_t *root = vec_load("mmp"), *kase, *step;
	size_t i, j;

	(void)state;
	assert_int_equal(json_array_size(vec_array(root, "spin_bit")), 2);
	json_array_foreach(vec_array(root, "spin_bit"), i, kase) {
		const char *role = vec_str(kase, "role");
		struct fips_mmp_spin s = { .initiator = !strcmp(role, "initiator") };

		assert_true(s.initiator || !strcmp(role, "responder"));
		vec_expect_int(kase, "initial_tx_bit", s.bit);
		json_array_foreach(vec_array(kase, "trace"), j, step) {
			u64 bit = vec_int(step, "rx_bit");
			bool sample;

			assert_true(bit <= 1);
			sample = fips_mmp_spin_rx(&s, vec_int(step, "counter"), bit,
						  vec_int(step, "now_ms") * 1000);
			expect_opt(step, "rtt_ms", sample, (double)s.rtt_us / 1000);
			vec_expect_int(step, "tx_bit_after", s.bit);
		}
	}
	json_decref(root);
}

/* ------------------------------------------------------- ours, not theirs */

static struct fips_mmp_frame frame(u64 counter, u64 now_ms, u32 ts)
{
	return (struct fips_mmp_frame) {
		.counter = counter, .now_us = now_ms * 1000, .timestamp = ts, .bytes = 100 };
}

/* A drained frame of the old epoch doesn't spoil the new one (04 §8, damage 1). */
static void test_old_epoch(void **state)
{
	struct fips_mmp_rx rx = { 0 };
	struct fips_mmp_rx_sums sums;
	struct fips_mmp_frame f = frame(100, 1000, 5000);

	(void)state;
	fips_mmp_rx_frame(&rx, &f);
	fips_mmp_rx_cutover(&rx, 1010000);
	fips_mmp_rx_old(&rx, 70);
	/* Nothing of the new epoch came: nothing to report. */
	assert_false(fips_mmp_rx_take(&rx, 1011000, &sums));
	f = frame(0, 1020, 3);
	fips_mmp_rx_frame(&rx, &f);
	fips_mmp_rx_old(&rx, 70);
	f = frame(1, 1030, 13);
	fips_mmp_rx_frame(&rx, &f);
	assert_true(fips_mmp_rx_take(&rx, 1050000, &sums));
	assert_int_equal(sums.highest, 1);
	assert_int_equal(sums.reorder, 0);
	assert_int_equal(sums.burst_count, 0);
	assert_int_equal(sums.cum_packets, 5);
	assert_int_equal(sums.cum_bytes, 440);
	assert_int_equal(sums.interval_packets, 2);
	assert_int_equal(sums.last_ts, 13);
}

/* Counters at their ends. */
static void test_saturation(void **state)
{
	struct fips_mmp_rx rx = {
		.interval_packets = ~0u - 1, .interval_bytes = ~0u - 50, .ce = ~0u };
	struct fips_mmp_frame f = frame(~0ull, 1, 1);
	struct fips_mmp_rx_sums sums;
	struct fips_mmp_tx tx = { .interval_bytes = ~0u - 1, .has_data = true };
	struct fips_mmp_rr rr;

	(void)state;
	f.ce = true;
	fips_mmp_rx_frame(&rx, &f);
	fips_mmp_rx_frame(&rx, &f);
	fips_mmp_rx_frame(&rx, &f);
	assert_true(rx.interval_packets == ~0u && rx.interval_bytes == ~0u && rx.ce == ~0u);
	assert_true(rx.expected == ~0ull);
	fips_mmp_rx_take(&rx, 1000, &sums);
	assert_int_equal(sums.burst_count, 0);
	fips_mmp_tx_frame(&tx, 5, 5, 100);
	assert_true(tx.interval_bytes == ~0u);
	/* Time that runs backwards is no dwell. */
	f = frame(1, 100, 1);
	fips_mmp_rx_frame(&rx, &f);
	assert_true(fips_mmp_rx_take(&rx, 5000, &sums));
	assert_int_equal(sums.dwell_us, 0);
	sums.burst_count = 1;
	sums.burst_total = 1ull << 40;
	fips_mmp_rr_fill(&rr, &sums);
	assert_int_equal(rr.mean_burst, 0xffff);
}

/* Burst statistics against a list of all bursts (04 §4.3). */
static void test_gap_twin(void **state)
{
	u64 rng = vec_seed(__func__);
	int round, i;

	(void)state;
	for (round = 0; round < 300; round++) {
		struct fips_mmp_rx rx = { 0 };
		struct fips_mmp_rx_sums sums;
		u64 next = 1000, expected = 0, len[200] = { 0 }, c, max = 0, total = 0;
		int bursts = 0, n = (int)(vec_rand(&rng) % 100) + 1;
		bool open = false;

		for (i = 0; i < n; i++) {
			struct fips_mmp_frame f;

			c = vec_rand(&rng) % 6 ? next : next + vec_rand(&rng) % 40 - 20;
			next = c >= next ? c + 1 : next;
			f = frame(c, (u64)i, (u32)i);
			fips_mmp_rx_frame(&rx, &f);
			if (i && c > expected) {
				if (!open)
					bursts++;
				open = true;
				len[bursts] += c - expected;
			} else {
				open = false;
			}
			if (!i || c >= expected)
				expected = c + 1;
		}
		for (i = 1; i <= bursts; i++) {
			total += len[i];
			max = len[i] > max ? len[i] : max;
		}
		assert_true(fips_mmp_rx_take(&rx, 0, &sums));
		assert_int_equal(sums.burst_count, bursts);
		assert_int_equal(sums.burst_total, total);
		assert_int_equal(sums.burst_max, max);
		assert_false(rx.in_burst);
	}
}

static s32 trend_of(const struct fips_mmp_rx *rx)
{
	u32 us[FIPS_MMP_OWD_WINDOW], ts[FIPS_MMP_OWD_WINDOW];
	u32 n = fips_mmp_rx_owd(rx, us, ts);

	return fips_mmp_owd_trend(us, ts, n);
}

/* Our trend means what the field says, whatever the spacing (04 §4.5). */
static void test_owd(void **state)
{
	static const u32 spacings[] = { 1, 10, 33, 100, 1000 };
	size_t i;
	u32 k;

	(void)state;
	for (i = 0; i < sizeof(spacings) / sizeof(spacings[0]); i++) {
		struct fips_mmp_rx flat = { 0 }, rising = { 0 };

		/* Both pass the wrap of the low half of the microseconds. */
		for (k = 0; k < 1000; k++) {
			struct fips_mmp_frame f = frame(k, 0, k * spacings[i]);

			f.now_us = 0xfffe0000ull + (u64)k * spacings[i] * 1000;
			fips_mmp_rx_frame(&flat, &f);
			assert_int_equal(trend_of(&flat), 0);
			/* Each second the delay grows by 20 ms. */
			f.now_us += (u64)k * spacings[i] * 20;
			fips_mmp_rx_frame(&rising, &f);
		}
		assert_int_equal(rising.owd_len, FIPS_MMP_OWD_WINDOW);
		/* 20 ms a second of sending, 1.02 s of receiving. */
		assert_in_range(trend_of(&rising), 19607, 19609);
		fips_mmp_rx_cutover(&rising, 0);
		assert_int_equal(trend_of(&rising), 0);
	}
}

/* Claims about what was never sent (04 §15). */
static void test_absurd(void **state)
{
	const struct fips_mmp_tx sent = {
		.cum_packets = 50, .cum_bytes = 5000, .last_counter = 49, .last_ts = 900 };
	const struct fips_mmp_tx nothing = { 0 };
	const struct fips_mmp_rr good = {
		.highest = 49, .cum_packets = 50, .cum_bytes = 5000, .echo = 900 };
	struct fips_mmp_metrics m, before;
	struct fips_mmp_rr rr;
	int i;

	(void)state;
	fips_mmp_metrics_init(&m);
	assert_int_equal(fips_mmp_metrics_rr(&m, &good, &nothing, 1, 1000), FIPS_MMP_ABSURD);
	assert_int_equal(fips_mmp_metrics_rr(&m, &good, &sent, 1, 1000), FIPS_MMP_RTT);
	assert_int_equal(m.last_rtt_ms, 100);
	for (i = 0; i < 4; i++) {
		rr = good;
		rr.reorder = 1;
		rr.highest += i == 0;
		rr.cum_packets += i == 1;
		rr.cum_bytes += i == 2;
		rr.echo += i == 3;
		before = m;
		assert_int_equal(fips_mmp_metrics_rr(&m, &rr, &sent, 2, 1000), FIPS_MMP_ABSURD);
		before.reports++;
		before.absurd++;
		assert_memory_equal(&m, &before, sizeof(m));
	}
	assert_int_equal(m.absurd, 5);
}

/* A report that crossed the cutover is a baseline for a while, not for ever (04 §8, damage 2). */
static void test_rebase(void **state)
{
	struct fips_mmp_rr rr = { .highest = 1000, .cum_packets = 900, .cum_bytes = 90000 };
	struct fips_mmp_metrics m;

	(void)state;
	fips_mmp_metrics_init(&m);
	fips_mmp_metrics_cutover(&m, 5000);
	assert_int_equal(fips_mmp_metrics_rr(&m, &rr, NULL, 5100, 50), FIPS_MMP_NO_ECHO);
	rr = (struct fips_mmp_rr) { .highest = 9, .cum_packets = 905, .cum_bytes = 90500 };
	assert_int_equal(fips_mmp_metrics_rr(&m, &rr, NULL, 19999, 60), FIPS_MMP_NO_ECHO);
	rr = (struct fips_mmp_rr) { .highest = 19, .cum_packets = 910, .cum_bytes = 91000 };
	assert_int_equal(fips_mmp_metrics_rr(&m, &rr, NULL, 20500, 70), FIPS_MMP_NO_ECHO);
	assert_true(m.forward == 0.5);
	/* Later, or with other counters going down, it is what it always was. */
	rr = (struct fips_mmp_rr) { .highest = 18, .cum_packets = 920, .cum_bytes = 92000 };
	assert_int_equal(fips_mmp_metrics_rr(&m, &rr, NULL, 20501, 80), FIPS_MMP_STALE);
	fips_mmp_metrics_cutover(&m, 30000);
	assert_true(m.forward == 1.0);
	rr = (struct fips_mmp_rr) { .highest = 5, .cum_packets = 930, .cum_bytes = 93000 };
	assert_int_equal(fips_mmp_metrics_rr(&m, &rr, NULL, 30001, 90), FIPS_MMP_NO_ECHO);
	rr = (struct fips_mmp_rr) { .highest = 4, .cum_packets = 929, .cum_bytes = 94000 };
	assert_int_equal(fips_mmp_metrics_rr(&m, &rr, NULL, 30002, 99), FIPS_MMP_STALE);
}

static void test_congested(void **state)
{
	struct fips_mmp_metrics m;

	(void)state;
	fips_mmp_metrics_init(&m);
	assert_false(fips_mmp_congested(&m, 0.05, 3.0));
	m.forward = 0.95;
	assert_true(fips_mmp_congested(&m, 1.0 - 0.95, 3.0));
	m.forward = 0.96;
	assert_false(fips_mmp_congested(&m, 0.05, 3.0));
	m.etx = 3.0;
	assert_true(fips_mmp_congested(&m, 0.05, 3.0));
}

static void test_spin_cutover(void **state)
{
	struct fips_mmp_spin r = { 0 }, i = { .initiator = true };

	(void)state;
	fips_mmp_spin_rx(&r, 1000, true, 0);
	fips_mmp_spin_cutover(&r);
	assert_true(r.bit);
	fips_mmp_spin_rx(&r, 1, false, 0);
	assert_false(r.bit);
	assert_false(fips_mmp_spin_rx(&i, 0, false, 1000));
	fips_mmp_spin_cutover(&i);
	assert_false(fips_mmp_spin_rx(&i, 0, true, 9000));
	assert_true(fips_mmp_spin_rx(&i, 0, false, 9500));
	assert_int_equal(i.rtt_us, 500);
}

/* ---------------------------------------------------------------- decoders */

static void fill_counting(void *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		((u8 *)p)[i] = (u8)(i + 1);
}

/* Every length; reserved bytes are ignored, all others matter. */
static void check_decoder(enum fips_mmp_layer layer, bool sr)
{
	size_t res = fips_mmp_reserved(layer), min = res + (sr ? FIPS_MMP_SR_LEN : FIPS_MMP_RR_LEN);
	size_t head = layer == FIPS_MMP_LINK, len, i;
	struct fips_mmp_sr s;
	struct fips_mmp_rr r;
	u8 body[100], again[100], *exact;
	int n;

	fill_counting(body, sizeof(body));
	for (len = 0; len < sizeof(body); len++) {
		exact = vec_exact(body, len);
		n = sr ? fips_mmp_sr_parse(layer, exact, len, &s) :
			 fips_mmp_rr_parse(layer, exact, len, &r);
		assert_int_equal(n, len < min ? -EPROTO : 0);
		free(exact);
	}
	for (len = 0; len <= head + min; len++) {
		exact = vec_exact(body, len);
		n = sr ? fips_mmp_sr_build(layer, exact, len, &s) :
			 fips_mmp_rr_build(layer, exact, len, &r);
		assert_int_equal(n, len < head + min ? -ENOSPC : (int)(head + min));
		if (n > 0)
			memcpy(again, exact, len);
		free(exact);
	}
	if (head)
		assert_int_equal(again[0], sr ? FIPS_LINK_SENDER_REPORT :
						FIPS_LINK_RECEIVER_REPORT);
	for (i = 0; i < min; i++) {
		bool reserved = i < res || (!sr && (i == res + 34 || i == res + 35));

		assert_int_equal(again[head + i], reserved ? 0 : body[i]);
	}
}

static void test_decoders(void **state)
{
	(void)state;
	check_decoder(FIPS_MMP_LINK, true);
	check_decoder(FIPS_MMP_LINK, false);
	check_decoder(FIPS_MMP_SESSION, true);
	check_decoder(FIPS_MMP_SESSION, false);
}

/* Whatever a peer reports, nothing leaves its range. */
static void test_any_report(void **state)
{
	u64 rng = vec_seed(__func__);
	struct fips_mmp_metrics m;
	int i;

	(void)state;
	fips_mmp_metrics_init(&m);
	for (i = 0; i < 20000; i++) {
		u32 shift = (u32)(vec_rand(&rng) % 64);
		struct fips_mmp_rr rr = {
			.highest = vec_rand(&rng) >> shift,
			.cum_packets = vec_rand(&rng) >> shift,
			.cum_bytes = vec_rand(&rng) >> shift,
			.echo = (u32)vec_rand(&rng),
			.dwell_ms = (u16)vec_rand(&rng),
			.jitter_us = (u32)vec_rand(&rng),
		};

		if (vec_rand(&rng) % 50 == 0)
			fips_mmp_metrics_cutover(&m, (u64)i);
		fips_mmp_metrics_rr(&m, &rr, NULL, (u64)i, (u32)vec_rand(&rng));
		fips_mmp_metrics_reverse(&m, vec_rand(&rng) >> shift, vec_rand(&rng) >> shift);
		assert_true(m.forward >= 0 && m.forward <= 1 && m.reverse >= 0 && m.reverse <= 1);
		assert_true(m.etx >= 1 && m.etx <= 100 && m.goodput >= 0);
		assert_true(fips_mmp_metrics_cost(&m) >= 1 && fips_mmp_metrics_cost(&m) < 1e10);
	}
	assert_int_equal(m.reports, 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_receiver),
		cmocka_unit_test(test_sender),
		cmocka_unit_test(test_metrics),
		cmocka_unit_test(test_ewma_etx),
		cmocka_unit_test(test_link_cost),
		cmocka_unit_test(test_jitter_srtt),
		cmocka_unit_test(test_slope),
		cmocka_unit_test(test_constants),
		cmocka_unit_test(test_spin),
		cmocka_unit_test(test_old_epoch),
		cmocka_unit_test(test_saturation),
		cmocka_unit_test(test_gap_twin),
		cmocka_unit_test(test_owd),
		cmocka_unit_test(test_absurd),
		cmocka_unit_test(test_rebase),
		cmocka_unit_test(test_congested),
		cmocka_unit_test(test_spin_cutover),
		cmocka_unit_test(test_decoders),
		cmocka_unit_test(test_any_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
