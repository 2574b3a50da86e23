// SPDX-License-Identifier: MIT
/* Life of a peer: heartbeat, death, restart, Disconnect, drain, roaming (spec 03 §11-§20). */

#include "node_test.h"

static void count_retry(void *arg, const struct fips_retry_view *v)
{
	*(struct fips_retry_view *)arg = *v;
}

static struct fips_retry_view retry_of(struct fakenet *net, int node)
{
	struct fips_retry_view v = { .count = 9999 };
	struct fips_clock now = fakenet_clock(net);

	fips_node_each_retry(net->nodes[node].node, &now, count_retry, &v);
	return v;
}

static void heartbeat_every_ten_seconds(void **state)
{
	struct pair p = pair_new(1);
	unsigned int i;
	u64 start;

	(void)state;
	fakenet_peer(p.net, p.small, p.large);
	fakenet_run(p.net, 25);
	start = fakenet_sent(p.net, p.small, FAKE_FRAME, 0)->at;
	p.net->n_sent = 0;
	fakenet_run(p.net, 60000);
	assert_int_equal(fakenet_count(p.net, p.small, FAKE_FRAME), 6);
	for (i = 0; i < 6; i++)
		assert_sent_at(p.net, p.small, FAKE_FRAME, i, start, (i + 1) * 10000);
	fakenet_free(p.net);
}

/* A reload: other intervals for links that are there, and none of them is lost. */
static void other_intervals(void **state)
{
	struct pair p = pair_new(3);
	struct fips_node_timing t;
	struct fips_node_view v;
	struct fips_clock now;

	(void)state;
	fakenet_peer(p.net, p.small, p.large);
	fakenet_run(p.net, 25000);
	now = fakenet_clock(p.net);
	fips_node_timing_defaults(&t);
	t.heartbeat_interval_secs = 2;
	t.rekey.after_secs = 40;
	t.tree.reeval_interval_secs = 0;
	t.cache.coord_size = 1;
	fips_node_set_timing(p.net->nodes[p.small].node, &now, &t);
	fips_node_set_timing(p.net->nodes[p.large].node, &now, &t);
	fakenet_run(p.net, 10000);	/* the heartbeat under way is still the old one */
	p.net->n_sent = 0;
	fakenet_run(p.net, 20000);
	assert_in_range(fakenet_count(p.net, p.small, FAKE_FRAME), 9, 16);
	fakenet_run(p.net, 20000);
	assert_true(fakenet_has_peer(p.net, p.small, p.large));
	assert_true(fakenet_has_peer(p.net, p.large, p.small));
	/* New keys by the new age: 75 s are more than 40 + 15, less than 120 - 15. */
	now = fakenet_clock(p.net);
	fips_node_view(p.net->nodes[p.small].node, &now, &v);
	assert_true(v.counters.rekey_completed + v.counters.rekey_promoted > 0);
	fakenet_free(p.net);
}

/* 03 §14.2: dead after 30 s of silence, no Disconnect, redial after 5 s (§18.3). */
static void silence_kills_and_redials(void **state)
{
	struct pair p = pair_new(2);
	u64 heard, wall;

	(void)state;
	fakenet_peer(p.net, p.small, p.large);
	fakenet_run(p.net, 45000);
	heard = fakenet_dp_link(p.net, p.small, p.large)->last_rx;
	p.net->drop = drop_all;
	fakenet_run(p.net, heard + 29999 - p.net->now);
	assert_true(fakenet_has_peer(p.net, p.small, p.large));
	fakenet_run(p.net, 1);
	assert_false(fakenet_has_peer(p.net, p.small, p.large));
	assert_int_equal(fakenet_dp_links(p.net, p.small), 0);
	wall = fakenet_clock(p.net).wall_ms;
	assert_int_equal(retry_of(p.net, p.small).count, 0);
	assert_true(retry_of(p.net, p.small).auto_reconnect);
	assert_in_range(retry_of(p.net, p.small).due_wall_ms - wall, 5000, 5500);
	p.net->drop = NULL;
	fakenet_run(p.net, 6000);
	assert_true(fakenet_linked(p.net, p.small, p.large));
	assert_int_equal(fakenet_view(p.net, p.small).retries, 0);
	fakenet_free(p.net);
}

static void frames_of_any_kind_keep_it_alive(void **state)
{
	struct pair p = pair_new(3);
	const u8 unknown[] = { 0x77 };
	struct fips_node *node;
	u64 end;

	(void)state;
	fakenet_peer(p.net, p.small, p.large);
	fakenet_run(p.net, 1000);
	node = p.net->nodes[p.small].node;
	(void)node;
	/* the other side's heartbeats are lost, something unknown comes now and then */
	end = p.net->now + 120000;
	while (p.net->now < end) {
		p.net->drop = drop_all;
		fakenet_run(p.net, 25000);
		p.net->drop = NULL;
		fakenet_link_msg(p.net, p.large, p.small, unknown, sizeof(unknown));
		fakenet_link_msg(p.net, p.small, p.large, unknown, sizeof(unknown));
	}
	assert_true(fakenet_linked(p.net, p.small, p.large));
	fakenet_free(p.net);
}

static void forged_frames_do_not_count(void **state)
{
	struct pair p = pair_new(4);
	struct fips_taddr to = fakenet_taddr(p.net, p.small);
	u8 frame[64] = { 0 };
	int i;

	(void)state;
	fakenet_peer(p.net, p.small, p.large);
	fakenet_run(p.net, 1000);
	fips_put_fmp_hdr(frame, 0, 32, fakenet_dp_link(p.net, p.small, p.large)->slot.local_index,
			 77);
	for (i = 0; i < 1000; i++)	/* 03 §26 T3 */
		fakenet_inject(p.net, "10.6.6.6:6", &to, frame, sizeof(frame));
	fakenet_run(p.net, 1000);
	assert_int_equal(p.net->nodes[p.small].dropped_auth, 1000);
	assert_true(fakenet_linked(p.net, p.small, p.large));
	assert_int_equal(fakenet_count(p.net, -1, FAKE_MSG1), 1);
	fakenet_free(p.net);
}

static void restart(int dialer, int who)
{
	struct pair p = pair_new(5);
	int a = pair_a(&p, dialer), b = pair_b(&p, dialer), r = who ? a : b;

	fakenet_peer(p.net, a, b);
	fakenet_peer(p.net, b, a);
	fakenet_data(p.net, a, b);
	fakenet_run(p.net, 5000);
	assert_string_equal(fakenet_session(p.net, a, b), "established");
	fakenet_restart(p.net, r);
	fakenet_run(p.net, 200);
	assert_true(fakenet_linked(p.net, a, b));
	assert_int_equal(fakenet_view(p.net, r == a ? b : a).counters.peer_restarts, 1);
	/* the session with that node is gone (03 §7.2), a new one comes on demand */
	assert_string_equal(fakenet_session(p.net, a, b), "");
	assert_string_equal(fakenet_session(p.net, b, a), "");
	fakenet_data(p.net, b, a);
	fakenet_run(p.net, 200);
	assert_string_equal(fakenet_session(p.net, a, b), "established");
	fakenet_run(p.net, 60000);
	assert_true(fakenet_linked(p.net, a, b));
	assert_int_equal(fakenet_dp_links(p.net, a), 1);
	assert_int_equal(fakenet_dp_links(p.net, b), 1);
	fakenet_free(p.net);
}

static void restart_is_seen_by_epoch(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 4; i++)
		restart(i & 1, i >> 1);
}

/* Only the side that was not restarted dials: it notices by a probe, after 15 s of silence. */
static void restart_of_a_passive_node(void **state)
{
	static const u64 ages[] = { 5000, 31000, 100000 };
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
		struct pair p = pair_new(6);

		fakenet_peer(p.net, p.small, p.large);
		fakenet_run(p.net, ages[i]);
		fakenet_restart(p.net, p.large);
		fakenet_run(p.net, 15200);
		assert_true(fakenet_linked(p.net, p.small, p.large));
		assert_int_equal(fakenet_view(p.net, p.small).counters.peer_restarts, 1);
		fakenet_run(p.net, 60000);
		assert_true(fakenet_linked(p.net, p.small, p.large));
		assert_int_equal(fakenet_dp_links(p.net, p.small), 1);
		fakenet_free(p.net);
	}
}

/* A probe of a peer that is well is a rekey at most; nothing is lost. */
static void probe_of_a_healthy_peer(void **state)
{
	static const u64 ages[] = { 100, 25000, 60000 };
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
		struct pair p = pair_new(16);

		fakenet_peer(p.net, p.small, p.large);
		fakenet_data(p.net, p.small, p.large);
		fakenet_run(p.net, ages[i]);
		p.net->drop = drop_all;
		fakenet_run(p.net, 14000);
		p.net->drop = NULL;
		/* one frame each way is all it takes to stay */
		fakenet_run(p.net, 12000);
		assert_true(fakenet_linked(p.net, p.small, p.large));
		assert_string_equal(fakenet_session(p.net, p.small, p.large), "established");
		fakenet_data(p.net, p.small, p.large);
		fakenet_data(p.net, p.large, p.small);
		fakenet_run(p.net, 40000);
		assert_int_equal(p.net->nodes[p.large].delivered, 2);
		assert_int_equal(p.net->nodes[p.small].delivered, 1);
		assert_true(fakenet_linked(p.net, p.small, p.large));
		assert_int_equal(fakenet_dp_links(p.net, p.small), 1);
		assert_int_equal(fakenet_view(p.net, p.small).counters.peer_restarts, 0);
		fakenet_free(p.net);
	}
}

static void operator_disconnect(void **state)
{
	struct pair p = pair_new(7);
	struct fips_clock now;

	(void)state;
	fakenet_peer(p.net, p.small, p.large);
	fakenet_data(p.net, p.small, p.large);
	fakenet_run(p.net, 1000);
	now = fakenet_clock(p.net);
	assert_int_equal(fips_node_disconnect(p.net->nodes[p.small].node, &now,
					      fakenet_addr(p.net, p.large)), 0);
	assert_int_equal(fips_node_disconnect(p.net->nodes[p.small].node, &now,
					      fakenet_addr(p.net, p.large)), -ENOENT);
	fakenet_run(p.net, 20);
	assert_int_equal(fakenet_view(p.net, p.small).peers, 0);
	assert_int_equal(fakenet_view(p.net, p.large).peers, 0);
	assert_int_equal(fakenet_view(p.net, p.large).sessions, 0);
	/* no redial by the one whose operator it was, nor by one that has nothing configured */
	fakenet_run(p.net, 60000);
	assert_int_equal(fakenet_count(p.net, -1, FAKE_MSG1), 1);
	fakenet_free(p.net);
}

/* Any reason is the same (03 §15); the one that has us configured redials after 5 s. */
static void received_disconnect(void **state)
{
	static const u8 reasons[] = { 0, 1, 2, 3, 4, 5, 6, 7, 0x42, 0xff };
	struct pair p = pair_new(8);
	unsigned int i;

	(void)state;
	fakenet_peer(p.net, p.small, p.large);
	fakenet_run(p.net, 1000);
	for (i = 0; i < sizeof(reasons); i++) {
		u8 msg[3] = { FIPS_LINK_DISCONNECT, reasons[i], 99 };
		struct fips_clock now;

		fakenet_link_msg(p.net, p.large, p.small, msg, 1);	/* malformed: ignored */
		fakenet_run(p.net, 20);
		assert_true(fakenet_has_peer(p.net, p.small, p.large));
		fakenet_link_msg(p.net, p.large, p.small, msg, i % 2 ? 3 : 2);
		now = fakenet_clock(p.net);
		fips_node_disconnect(p.net->nodes[p.large].node, &now,
				     fakenet_addr(p.net, p.small));
		fakenet_run(p.net, 20);
		assert_false(fakenet_has_peer(p.net, p.small, p.large));
		fakenet_run(p.net, 4900);
		assert_false(fakenet_has_peer(p.net, p.small, p.large));
		fakenet_run(p.net, 1000);
		assert_true(fakenet_linked(p.net, p.small, p.large));
	}
	fakenet_free(p.net);
}

static void drain_says_good_bye(void **state)
{
	struct fakenet *net = fakenet_new(9);
	int a = fakenet_simple(net, 1), b = fakenet_simple(net, 2), c = fakenet_simple(net, 3);
	struct fips_clock now;

	(void)state;
	fakenet_peer(net, a, b);
	fakenet_peer_at(net, a, c, "10.99.0.1:1", FIPS_CONNECT_AUTO, true);
	fakenet_run(net, 1000);
	now = fakenet_clock(net);
	assert_true(fips_node_drain(net->nodes[a].node, &now));
	assert_true(fakenet_view(net, a).draining);
	assert_int_equal(fakenet_view(net, a).legs, 0);
	assert_int_equal(fakenet_view(net, a).retries, 0);
	fakenet_run(net, 20);
	assert_int_equal(fakenet_view(net, b).peers, 0);
	/* nothing new while it drains: no dial, no answer (03 §20) */
	net->n_sent = 0;
	fakenet_peer(net, c, a);
	assert_int_equal(fakenet_connect(net, a, b, "10.0.0.2:2121"), -ESHUTDOWN);
	fakenet_run(net, 60000);
	assert_int_equal(fakenet_count(net, a, FAKE_MSG1), 0);
	assert_int_equal(fakenet_count(net, a, FAKE_MSG2), 0);
	now = fakenet_clock(net);
	assert_false(fips_node_drain(net->nodes[a].node, &now));
	fakenet_free(net);
}

static void roaming(void **state)
{
	struct pair p = pair_new(10);
	struct fips_taddr moved;

	(void)state;
	fakenet_peer(p.net, p.small, p.large);
	fakenet_data(p.net, p.small, p.large);
	fakenet_run(p.net, 1000);
	fakenet_move(p.net, p.small, "10.55.0.1:777");
	fips_taddr_parse(&moved, "10.55.0.1:777");
	fakenet_run(p.net, 11000);
	assert_true(fips_taddr_eq(&fakenet_dp_link(p.net, p.large, p.small)->remote, &moved));
	fakenet_data(p.net, p.large, p.small);
	fakenet_run(p.net, 100);
	assert_int_equal(p.net->nodes[p.small].delivered, 1);
	fakenet_run(p.net, 60000);
	assert_int_equal(fakenet_count(p.net, -1, FAKE_MSG1), 1);
	assert_true(fakenet_linked(p.net, p.small, p.large));
	/* and the class of its msg1s follows: restart from the new place is "established" */
	fakenet_free(p.net);
}

static void transport_down_and_up(void **state)
{
	struct pair p = pair_new(11);
	struct fips_event ev = { .type = FIPS_EV_TRANSPORT_DOWN, .transport.id = 1 };
	struct fips_clock now;

	(void)state;
	fakenet_peer(p.net, p.small, p.large);
	fakenet_run(p.net, 1000);
	now = fakenet_clock(p.net);
	p.net->nodes[p.small].transports[0].up = false;
	fips_node_event(p.net->nodes[p.small].node, &now, &ev);
	assert_int_equal(fakenet_view(p.net, p.small).peers, 0);
	assert_int_equal(fakenet_view(p.net, p.small).links, 0);
	assert_int_equal(fakenet_view(p.net, p.small).transports, 0);
	fakenet_run(p.net, 100000);
	p.net->nodes[p.small].transports[0].up = true;
	ev = (struct fips_event) {
		.type = FIPS_EV_TRANSPORT_UP,
		.transport = { .id = 1, .family = FIPS_TADDR_IPV4, .mtu = 1400, .accept = true },
	};
	now = fakenet_clock(p.net);
	fips_node_event(p.net->nodes[p.small].node, &now, &ev);
	fakenet_run(p.net, 100);
	assert_true(fakenet_linked(p.net, p.small, p.large));
	assert_int_equal(fakenet_view(p.net, p.small).transport_mtu, 1400);
	fakenet_free(p.net);
}

static void op_result_failure(void **state)
{
	struct pair p = pair_new(12);
	struct fips_event ev = { .type = FIPS_EV_OP_RESULT, .op.err = -ENOMEM };
	struct fips_clock now;

	(void)state;
	fakenet_peer(p.net, p.small, p.large);
	fakenet_run(p.net, 1000);
	ev.op.link_id = fakenet_dp_link(p.net, p.small, p.large)->id;
	now = fakenet_clock(p.net);
	fips_node_event(p.net->nodes[p.small].node, &now, &ev);
	assert_int_equal(fakenet_view(p.net, p.small).peers, 0);
	fakenet_run(p.net, 40000);
	assert_true(fakenet_linked(p.net, p.small, p.large));
	fakenet_free(p.net);
}

/* The clock of a caller that steps back must not stop or rush anything. */
static void clock_runs_backwards(void **state)
{
	struct pair p = pair_new(13);
	const struct fips_event ev = { .type = FIPS_EV_TIMER };
	struct fips_clock now;

	(void)state;
	fakenet_peer(p.net, p.small, p.large);
	fakenet_run(p.net, 1000);
	now = fakenet_clock(p.net);
	now.mono_ms -= 500000;
	now.wall_ms = 0;
	fips_node_event(p.net->nodes[p.small].node, &now, &ev);
	fakenet_run(p.net, 100000);
	assert_true(fakenet_linked(p.net, p.small, p.large));
	/* what is begun at such a moment has its time, too */
	p.net->n_sent = 0;
	now = fakenet_clock(p.net);
	fips_node_event(p.net->nodes[p.small].node, &now, &ev);
	p.net->now -= 50000;
	assert_int_equal(fakenet_connect(p.net, p.small, p.large, "10.99.0.1:1"), 1);
	p.net->now += 50000;
	fakenet_run(p.net, 900);
	assert_int_equal(fakenet_count(p.net, p.small, FAKE_MSG1), 1);
	fakenet_free(p.net);
}

struct seen {
	unsigned int peers, legs, links, identities;
};

static void see_peer(void *arg, const struct fips_peer_view *v)
{
	assert_string_equal(v->alias ? v->alias : "", "");
	assert_int_equal(v->mtu, 1280);
	assert_true(v->outbound);
	((struct seen *)arg)->peers++;
}

static void see_leg(void *arg, const struct fips_leg_view *v)
{
	assert_string_equal(v->state, v->outbound ? "sent_msg1" : "received_msg1");
	((struct seen *)arg)->legs++;
}

static void see_link(void *arg, const struct fips_link_view *v)
{
	assert_non_null(v->state);
	((struct seen *)arg)->links++;
}

static void see_identity(void *arg, const struct fips_identity_view *v)
{
	assert_non_null(v->id);
	((struct seen *)arg)->identities++;
}

static void views(void **state)
{
	struct fakenet *net = fakenet_new(14);
	int a = fakenet_simple(net, 1), b = fakenet_simple(net, 2), c = fakenet_simple(net, 3);
	struct fips_clock now;
	struct seen s = { 0 };

	(void)state;
	fakenet_peer(net, a, b);
	fakenet_peer_at(net, a, c, "10.99.0.1:1", FIPS_CONNECT_AUTO, true);
	fakenet_run(net, 1000);
	now = fakenet_clock(net);
	fips_node_each_peer(net->nodes[a].node, &now, see_peer, &s);
	fips_node_each_leg(net->nodes[a].node, &now, see_leg, &s);
	fips_node_each_link(net->nodes[a].node, &now, see_link, &s);
	fips_node_each_identity(net->nodes[a].node, &now, see_identity, &s);
	assert_int_equal(s.peers, 1);
	assert_int_equal(s.legs, 1);
	assert_int_equal(s.links, 2);
	assert_int_equal(s.identities, 2);
	assert_int_equal(fakenet_view(net, a).links, 2);
	assert_int_equal(fakenet_view(net, a).transports, 1);
	fakenet_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heartbeat_every_ten_seconds),
		cmocka_unit_test(other_intervals),
		cmocka_unit_test(silence_kills_and_redials),
		cmocka_unit_test(frames_of_any_kind_keep_it_alive),
		cmocka_unit_test(forged_frames_do_not_count),
		cmocka_unit_test(restart_is_seen_by_epoch),
		cmocka_unit_test(restart_of_a_passive_node),
		cmocka_unit_test(probe_of_a_healthy_peer),
		cmocka_unit_test(operator_disconnect),
		cmocka_unit_test(received_disconnect),
		cmocka_unit_test(drain_says_good_bye),
		cmocka_unit_test(roaming),
		cmocka_unit_test(transport_down_and_up),
		cmocka_unit_test(op_result_failure),
		cmocka_unit_test(clock_runs_backwards),
		cmocka_unit_test(views),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
