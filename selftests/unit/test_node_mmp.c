// SPDX-License-Identifier: MIT
/*
 * Metrics of links and sessions in virtual time: reports in time and quiet when
 * idle, round-trip time, loss and cost, lies, rekeys, path MTU notifications.
 */
#include <math.h>

#include "fmp.h"
#include "node_internal.h"
#include "node_test.h"

static int full_node(struct fakenet *net, u8 key)
{
	int node = fakenet_add(net, key);
	char addr[FIPS_TADDR_TEXT_MAX];

	net->nodes[node].timing.mmp.mode = FIPS_MMP_FULL;
	net->nodes[node].timing.session_mmp.mode = FIPS_MMP_FULL;
	snprintf(addr, sizeof(addr), "10.0.0.%u:2121", key);
	fakenet_transport(net, node, addr);
	return node;
}

/* Two linked nodes with all reports. */
static struct fakenet *pair_full(u64 seed, u64 latency)
{
	struct fakenet *net = fakenet_new(seed);
	int a = full_node(net, 1), b = full_node(net, 2);

	net->latency = latency;
	fakenet_start(net, a);
	fakenet_start(net, b);
	fakenet_peer(net, a, b);
	fakenet_run(net, 1000 + 5 * latency);
	assert_true(fakenet_linked(net, a, b));
	return net;
}

static void keep_peer(void *arg, const struct fips_peer_view *v)
{
	*(struct fips_peer_view *)arg = *v;
}

static struct fips_peer_view peer_view(struct fakenet *net, int node)
{
	struct fips_clock now = fakenet_clock(net);
	struct fips_peer_view v = { .id = NULL };

	fips_node_each_peer(net->nodes[node].node, &now, keep_peer, &v);
	assert_non_null(v.id);
	return v;
}

static void keep_session(void *arg, const struct fips_session_view *v)
{
	*(struct fips_session_view *)arg = *v;
}

static struct fips_session_view session_view(struct fakenet *net, int node)
{
	struct fips_clock now = fakenet_clock(net);
	struct fips_session_view v = { .state = NULL };

	fips_node_each_session(net->nodes[node].node, &now, keep_session, &v);
	assert_non_null(v.state);
	return v;
}

static double srtt_ms(const struct fips_mmp_view *v)
{
	return v->metrics->srtt.known ? (double)v->metrics->srtt.srtt / 1000.0 : -1;
}

static void assert_near(double value, double want, double part)
{
	if (fabs(value - want) > part * want)
		fail_msg("%f is not within %.0f %% of %f", value, part * 100, want);
}

/* Data one way, some a second, for a while. */
static void talk(struct fakenet *net, int a, int b, u64 ms, u64 gap)
{
	u64 end = net->now + ms;

	while (net->now < end) {
		fakenet_data(net, a, b);
		fakenet_run(net, gap);
	}
}

static void round_trip(void **state)
{
	static const u64 latency[] = { 2, 25, 150, 600 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(latency) / sizeof(latency[0]); i++) {
		struct fakenet *net = pair_full(1 + i, latency[i]);
		double rtt = 2.0 * (double)latency[i];
		int k;

		talk(net, 0, 1, 20000, 50);
		for (k = 0; k < 2; k++) {
			struct fips_peer_view p = peer_view(net, k);
			struct fips_session_view s = session_view(net, k);

			assert_near(srtt_ms(&p.mmp), rtt, 0.2);
			assert_true(p.mmp.metrics->loss_trend.fast < 0.001);
			assert_true(fabs(p.mmp.metrics->etx - 1.0) < 0.001);
			assert_int_equal(fakenet_view(net, k).counters.mmp_absurd, 0);
			assert_int_equal(fakenet_view(net, k).counters.mmp_decode_error, 0);
			/* The spin bit turns only where frames go both ways. */
			if (p.mmp.initiator)
				assert_true((double)p.mmp.spin_rtt_us >= rtt * 1000.0);
			/* Also of the one that has nothing to say itself. */
			assert_near(srtt_ms(&s.mmp), rtt, 0.2);
		}
		fakenet_free(net);
	}
}

static void loss_and_cost(void **state)
{
	struct fakenet *net = pair_full(11, 20);
	struct fips_peer_view v;

	(void)state;
	talk(net, 0, 1, 10000, 20);
	v = peer_view(net, 0);
	assert_true(v.has_depth);
	assert_near(v.effective_depth, 1.4, 0.05);	/* the peer is a root or a child: 0 or 1 */
	net->loss_percent = 10;
	talk(net, 0, 1, 120000, 20);
	v = peer_view(net, 0);
	assert_near(v.mmp.metrics->loss_trend.slow, 0.10, 0.3);
	assert_true(v.mmp.metrics->etx_trend.slow > 1.05);
	assert_true(v.congested);
	assert_true(fakenet_dp_link(net, 0, 1)->congested);
	assert_true(session_view(net, 0).mmp.metrics->loss_trend.slow > 0.05);
	net->loss_percent = 0;
	talk(net, 0, 1, 60000, 20);
	assert_false(peer_view(net, 0).congested);
	assert_false(fakenet_dp_link(net, 0, 1)->congested);
	fakenet_free(net);
}

/* Issue 4: an idle session is silent, an idle link has its heartbeats reported and no more. */
static void quiet_when_idle(void **state)
{
	struct fakenet *net = pair_full(12, 10);
	unsigned int frames;

	(void)state;
	talk(net, 0, 1, 10000, 100);
	assert_true(fakenet_count(net, 0, FAKE_SREPORT) > 3);
	assert_true(fakenet_count(net, 1, FAKE_SREPORT) > 3);
	fakenet_run(net, 15000);
	net->n_sent = 0;
	fakenet_run(net, 60000);
	assert_int_equal(fakenet_count(net, -1, FAKE_SREPORT), 0);
	frames = fakenet_count(net, -1, FAKE_REPORT);
	assert_true(frames > 0);
	assert_in_range(frames, 12, 48);	/* both kinds, both ways, for 6 heartbeats each */
	fakenet_free(net);
}

/* A filter that says nothing new has no report follow, neither here nor there. */
static void filters_without_news(void **state)
{
	struct fakenet *net = pair_full(20, 10);
	unsigned int filters = 0;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {	/* heartbeats are reported */
		net->nodes[i].node->timing.heartbeat_interval_secs = 1000;
		net->nodes[i].node->timing.link_dead_timeout_secs = 2000;
	}
	fakenet_run(net, 40000);
	net->n_sent = 0;
	fakenet_run(net, 120000);
	for (i = 0; i < (int)net->n_sent; i++)
		filters += net->sent[i].len > FIPS_FILTER_LEN;
	assert_in_range(filters, 6, 12);
	assert_int_equal(fakenet_count(net, -1, FAKE_FRAME), 0);
	/* Tree announces are reported: by who got it, and both ways by who sent it. */
	assert_in_range(fakenet_count(net, -1, FAKE_REPORT), 1,
			3 * (fakenet_count(net, -1, FAKE_MESH) - filters));
	fakenet_free(net);
}

/* Reports of a busy link keep their distance: 1 s after the first five, here (04 §5). */
static void intervals(void **state)
{
	struct fakenet *net = pair_full(13, 10);

	(void)state;
	talk(net, 0, 1, 10000, 20);
	net->n_sent = 0;
	talk(net, 0, 1, 20000, 20);
	/* A sends both kinds, B receives data and sends an RR; its SRs are for its other frames. */
	assert_in_range(fakenet_count(net, 0, FAKE_REPORT), 18, 42);
	assert_in_range(fakenet_count(net, 1, FAKE_REPORT), 18, 42);
	assert_in_range(fakenet_count(net, 1, FAKE_SREPORT), 30, 45);	/* each 0.5 s */
	fakenet_free(net);
}

static void modes(void **state)
{
	struct fakenet *net = fakenet_new(14);
	int a = full_node(net, 1), b = full_node(net, 2);
	unsigned int i, n;

	(void)state;
	net->nodes[a].timing.mmp.mode = FIPS_MMP_LIGHTWEIGHT;
	net->nodes[b].timing.mmp.mode = FIPS_MMP_MINIMAL;
	net->nodes[b].timing.session_mmp.mode = FIPS_MMP_MINIMAL;
	fakenet_start(net, a);
	fakenet_start(net, b);
	fakenet_peer(net, a, b);
	fakenet_run(net, 1000);
	talk(net, a, b, 10000, 50);
	n = fakenet_count(net, a, FAKE_REPORT);
	assert_true(n > 0);
	for (i = 0; i < n; i++)
		assert_int_equal(fakenet_sent(net, a, FAKE_REPORT, i)->data[FIPS_FMP_HDR_LEN + 32],
				 FIPS_LINK_RECEIVER_REPORT);
	assert_int_equal(fakenet_count(net, b, FAKE_REPORT), 0);
	assert_int_equal(fakenet_count(net, b, FAKE_SREPORT), 1);	/* the path MTU's */
	assert_true(peer_view(net, b).mmp.metrics->srtt.known);
	assert_false(peer_view(net, a).mmp.metrics->srtt.known);
	assert_true(fabs(peer_view(net, a).effective_depth - (double)(int)
			 peer_view(net, a).effective_depth) < 1e-9);	/* costs 1 */
	fakenet_free(net);
}

static void send_rr(struct fakenet *net, int from, int to, const struct fips_mmp_rr *rr)
{
	u8 msg[128];
	int len = fips_mmp_rr_build(FIPS_MMP_LINK, msg, sizeof(msg), rr);

	assert_true(len > 0);
	fakenet_link_msg(net, from, to, msg, (size_t)len);
	fakenet_run(net, 50);
}

/* 04 §15: what was never sent was never received. The truth goes on counting. */
static void lies(void **state)
{
	struct fakenet *net = pair_full(15, 10);
	struct fips_mmp_rr rr = { .highest = ~(u64)0 >> 1, .cum_packets = 5, .cum_bytes = 500 };
	u8 cut[] = { FIPS_LINK_RECEIVER_REPORT, 0, 0, 0, 1, 2 };
	struct fips_node_counters c;
	u64 samples;

	(void)state;
	talk(net, 0, 1, 5000, 50);
	send_rr(net, 1, 0, &rr);
	rr = (struct fips_mmp_rr) { .highest = 1, .cum_packets = ~(u64)0, .cum_bytes = 500 };
	send_rr(net, 1, 0, &rr);
	rr = (struct fips_mmp_rr) { .highest = 1, .cum_packets = 1, .echo = 0xfffffff0 };
	send_rr(net, 1, 0, &rr);
	c = fakenet_view(net, 0).counters;
	assert_int_equal(c.mmp_absurd, 3);
	rr = (struct fips_mmp_rr) { .highest = 1, .cum_packets = 1, .cum_bytes = 1 };
	send_rr(net, 1, 0, &rr);
	assert_true(fakenet_view(net, 0).counters.mmp_stale > c.mmp_stale);
	fakenet_link_msg(net, 1, 0, cut, sizeof(cut));
	cut[0] = FIPS_LINK_SENDER_REPORT;
	fakenet_link_msg(net, 1, 0, cut, sizeof(cut));
	samples = peer_view(net, 0).mmp.metrics->rtt_samples;
	talk(net, 0, 1, 5000, 50);
	assert_int_equal(fakenet_view(net, 0).counters.mmp_decode_error, 2);
	assert_true(peer_view(net, 0).mmp.metrics->rtt_samples > samples);
	assert_near(srtt_ms(&(struct fips_mmp_view){ .metrics = peer_view(net, 0).mmp.metrics }),
		    20, 0.2);
	fakenet_free(net);
}

/* What was said under former keys is about former counters (04 §8). */
static void late_report(void **state)
{
	struct fakenet *net = pair_full(22, 10);
	struct fips_mmp_rr rr = { .highest = ~(u64)0 >> 1, .cum_packets = 5, .cum_bytes = 500 };
	struct fips_event ev = { .type = FIPS_EV_LINK_MSG };
	struct fips_clock now;
	u8 msg[128];
	u32 slot;

	(void)state;
	ev.link_msg.id = fakenet_dp_link(net, 0, 1)->id;
	ev.link_msg.msg = msg;
	ev.link_msg.len = (size_t)fips_mmp_rr_build(FIPS_MMP_LINK, msg, sizeof(msg), &rr);
	for (slot = 0; slot < 2; slot++) {
		ev.link_msg.slot = slot ? FIPS_KEY_SLOT_CURRENT : FIPS_KEY_SLOT_PREVIOUS;
		now = fakenet_clock(net);
		fips_node_event(net->nodes[0].node, &now, &ev);
		assert_int_equal(fakenet_view(net, 0).counters.mmp_absurd, slot);
	}
	fakenet_free(net);
}

/* Round trips go on over rekeys of link and session, without a sample out of the way. */
static void rekeys(void **state)
{
	struct fakenet *net = fakenet_new(16);
	int a = full_node(net, 1), b = full_node(net, 2), k;
	struct fips_peer_view v;

	(void)state;
	for (k = 0; k < 2; k++) {
		net->nodes[k].timing.rekey.enabled = true;
		net->nodes[k].timing.rekey.after_secs = 40;
		fakenet_start(net, k);
	}
	fakenet_peer(net, a, b);
	fakenet_run(net, 1000);
	talk(net, a, b, 200000, 100);
	assert_true(fakenet_view(net, a).counters.rekey_completed +
		    fakenet_view(net, b).counters.rekey_completed >= 3);
	for (k = 0; k < 2; k++) {
		v = peer_view(net, k);
		assert_near(srtt_ms(&v.mmp), 20, 0.2);
		assert_true(v.mmp.metrics->rtt_samples > 100);
		assert_int_equal(v.mmp.metrics->rtt_arith_fail, 0);
		assert_int_equal(fakenet_view(net, k).counters.mmp_absurd, 0);
		assert_true(v.mmp.metrics->loss_trend.slow < 0.01);
	}
	assert_near(srtt_ms(&(struct fips_mmp_view){ .metrics = session_view(net, a).mmp.metrics }),
		    20, 0.2);
	fakenet_free(net);
}

/* What the far end sees of the path it tells: at once when it shrinks, then now and then. */
static void path_mtu(void **state)
{
	struct fakenet *net = pair_full(17, 10);
	unsigned int before;

	(void)state;
	talk(net, 0, 1, 5000, 50);
	assert_int_equal(fakenet_dp_session(net, 0, 1)->path_mtu, 1280);
	assert_int_equal(session_view(net, 1).observed_mtu, 1280);
	fakenet_dp_link(net, 0, 1)->mtu = 1000;	/* as a hop on the way would */
	talk(net, 0, 1, 100, 50);
	assert_int_equal(session_view(net, 1).observed_mtu, 1000);
	assert_int_equal(fakenet_dp_session(net, 0, 1)->path_mtu, 1000);
	fakenet_dp_link(net, 0, 1)->mtu = 1200;
	talk(net, 0, 1, 15000, 50);
	assert_int_equal(fakenet_dp_session(net, 0, 1)->path_mtu, 1000);
	talk(net, 0, 1, 30000, 50);
	assert_int_equal(fakenet_dp_session(net, 0, 1)->path_mtu, 1200);
	before = (unsigned int)fakenet_view(net, 1).counters.path_mtu_sent;
	assert_in_range(before, 5, 9);
	fakenet_run(net, 60000);	/* idle: nothing to tell */
	assert_in_range(fakenet_view(net, 1).counters.path_mtu_sent, before, before + 1);
	fakenet_free(net);
}

/* A far end that lost the session and asks anew counts from 0: its reports are no lies. */
static void counted_before(void **state)
{
	struct fakenet *net = pair_full(18, 10);

	(void)state;
	talk(net, 0, 1, 10000, 50);
	fakenet_restart(net, 1);
	fakenet_run(net, 40000);
	assert_true(fakenet_linked(net, 0, 1));
	talk(net, 0, 1, 10000, 50);
	assert_near(srtt_ms(&(struct fips_mmp_view){ .metrics = peer_view(net, 0).mmp.metrics }),
		    20, 0.2);
	assert_near(srtt_ms(&(struct fips_mmp_view){ .metrics = session_view(net, 0).mmp.metrics }),
		    20, 0.2);
	assert_int_equal(fakenet_view(net, 0).counters.mmp_absurd, 0);
	assert_int_equal(fakenet_view(net, 1).counters.mmp_absurd, 0);
	fakenet_free(net);
}

/* The same peer on another link, whose counters begin anew: nothing goes down, nothing freezes. */
static void another_link(void **state)
{
	struct fakenet *net = pair_full(21, 10);
	struct { u64 samples, stale; } was[2];
	char addr[FIPS_TADDR_TEXT_MAX];
	u32 id = fakenet_dp_link(net, 0, 1)->id;
	int k;

	(void)state;
	talk(net, 0, 1, 40000, 100);
	fips_taddr_format(&net->nodes[1].transports[0].addr, addr);
	assert_int_equal(fakenet_connect(net, 0, 1, addr), 1);
	talk(net, 0, 1, 2000, 100);
	assert_int_not_equal(fakenet_dp_link(net, 0, 1)->id, id);
	for (k = 0; k < 2; k++) {
		was[k].samples = peer_view(net, k).mmp.metrics->rtt_samples;
		was[k].stale = fakenet_view(net, k).counters.mmp_stale;
	}
	talk(net, 0, 1, 20000, 100);
	for (k = 0; k < 2; k++) {
		assert_true(peer_view(net, k).mmp.metrics->rtt_samples >= was[k].samples + 10);
		assert_true(fakenet_view(net, k).counters.mmp_stale <= was[k].stale + 1);
		assert_int_equal(fakenet_view(net, k).counters.mmp_absurd, 0);
		assert_true(fabs(peer_view(net, k).mmp.metrics->etx - 1.0) < 0.001);
	}
	/* What came on the former link is still counted. */
	assert_true(peer_view(net, 0).mmp.metrics->base.packets > 500);
	fakenet_free(net);
}

static struct fips_taddr far_addr;

static bool slow_link(struct fakenet *net, const struct fake_packet *p)
{
	if (fips_taddr_eq(&p->to, &far_addr) || fips_taddr_eq(&p->from, &far_addr))
		((struct fake_packet *)p)->at += 200;
	(void)net;
	return false;
}

static void count_depths(void *arg, const struct fips_peer_view *v)
{
	unsigned int *n = arg;

	n[0] += v->has_depth;
	n[1] += v->mmp.metrics->srtt.known;
}

/* Below a millisecond there is no sample, yet the peer may be a parent, beside a measured one. */
static void too_short_to_measure(void **state)
{
	struct fakenet *net = fakenet_new(19);
	unsigned int n[2] = { 0 };
	struct fips_clock now;
	int i;

	(void)state;
	net->latency = 0;
	for (i = 0; i < 3; i++) {
		full_node(net, (u8)(1 + i));
		fakenet_start(net, i);
	}
	far_addr = fakenet_taddr(net, 2);
	net->drop = slow_link;
	fakenet_peer(net, 0, 1);
	fakenet_peer(net, 0, 2);
	fakenet_run(net, 2000);
	talk(net, 0, 1, 10000, 50);
	now = fakenet_clock(net);
	fips_node_each_peer(net->nodes[0].node, &now, count_depths, n);
	assert_int_equal(n[0], 2);
	assert_int_equal(n[1], 1);
	fakenet_free(net);
}

/*
 * The parent is chosen by what was measured: of two roots' children on the way
 * the one with the shorter trip.
 */
static void keep_parent(void *arg, const struct fips_peer_view *v)
{
	if (v->is_parent)
		*(struct fips_node_addr *)arg = v->id->addr;
}

static void parent_by_cost(void **state)
{
	struct fakenet *net = fakenet_new(20);
	struct fips_node_addr parent = { .b = { 0 } };
	int order[4], i, k, tmp;
	struct fips_clock now;

	(void)state;
	for (i = 0; i < 4; i++) {
		order[i] = full_node(net, (u8)(1 + i));
		fakenet_start(net, i);
	}
	/* order[0] is the smallest address: the root; order[3] has the choice. */
	for (i = 0; i < 4; i++)
		for (k = i + 1; k < 4; k++)
			if (fips_node_addr_cmp(fakenet_addr(net, order[k]),
					       fakenet_addr(net, order[i])) < 0) {
				tmp = order[i];
				order[i] = order[k];
				order[k] = tmp;
			}
	far_addr = fakenet_taddr(net, order[1]);
	net->drop = slow_link;
	fakenet_peer(net, order[0], order[1]);
	fakenet_peer(net, order[0], order[2]);
	fakenet_peer(net, order[3], order[1]);
	fakenet_peer(net, order[3], order[2]);
	fakenet_run(net, 100000);
	now = fakenet_clock(net);
	fips_node_each_peer(net->nodes[order[3]].node, &now, keep_parent, &parent);
	assert_true(fips_node_addr_eq(&parent, fakenet_addr(net, order[2])));
	fakenet_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(loss_and_cost),
		cmocka_unit_test(quiet_when_idle),
		cmocka_unit_test(filters_without_news),
		cmocka_unit_test(intervals),
		cmocka_unit_test(modes),
		cmocka_unit_test(lies),
		cmocka_unit_test(late_report),
		cmocka_unit_test(rekeys),
		cmocka_unit_test(path_mtu),
		cmocka_unit_test(counted_before),
		cmocka_unit_test(another_link),
		cmocka_unit_test(too_short_to_measure),
		cmocka_unit_test(parent_by_cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
