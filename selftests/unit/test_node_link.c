// SPDX-License-Identifier: MIT
/* Link handshakes between two nodes: spec 03 §6, §7, §8, §28.1. */

#include "node_test.h"

static void handshake_in_one_round_trip(void **state)
{
	struct pair p = pair_new(1);
	int dialer;

	(void)state;
	for (dialer = 0; dialer < 2; dialer++) {
		int a = pair_a(&p, dialer), b = pair_b(&p, dialer);

		if (dialer) {
			fakenet_free(p.net);
			p = pair_new(2);
		}
		fakenet_peer(p.net, a, b);
		fakenet_run(p.net, 20);
		assert_true(fakenet_has_peer(p.net, a, b));
		assert_false(fakenet_has_peer(p.net, b, a));	/* not before it is proven */
		fakenet_run(p.net, 10);
		assert_true(fakenet_linked(p.net, a, b));
		assert_int_equal(fakenet_dp_link(p.net, a, b)->slot.k_bit, 0);
		assert_int_equal(fakenet_count(p.net, -1, FAKE_MSG1), 1);
		assert_int_equal(fakenet_count(p.net, -1, FAKE_MSG2), 1);
		assert_int_equal(fakenet_view(p.net, a).legs, 0);
		assert_int_equal(fakenet_view(p.net, b).legs, 0);
	}
	fakenet_free(p.net);
}

static void index_is_registered_before_msg1(void **state)
{
	struct pair p = pair_new(3);

	(void)state;
	p.net->nodes[p.small].fail_link_new = -ENOSPC;
	fakenet_peer(p.net, p.small, p.large);
	fakenet_run(p.net, 1000);
	assert_int_equal(fakenet_count(p.net, p.small, FAKE_MSG1), 0);
	assert_int_equal(fakenet_view(p.net, p.small).links, 0);
	/* the retry schedule brings it back */
	p.net->nodes[p.small].fail_link_new = 0;
	fakenet_run(p.net, 20000);
	assert_true(fakenet_linked(p.net, p.small, p.large));
	fakenet_free(p.net);
}

static void responder_without_data_plane_is_silent(void **state)
{
	struct pair p = pair_new(4);

	(void)state;
	p.net->nodes[p.large].fail_link_new = -ENOSPC;
	fakenet_peer(p.net, p.small, p.large);
	fakenet_run(p.net, 500);
	assert_int_equal(fakenet_count(p.net, p.large, FAKE_MSG2), 0);
	assert_int_equal(fakenet_view(p.net, p.large).links, 0);
	assert_int_equal(fakenet_view(p.net, p.large).counters.handshake_bad_state, 1);
	p.net->nodes[p.large].fail_link_new = 0;
	fakenet_run(p.net, 1000);	/* the repeated msg1 */
	assert_true(fakenet_linked(p.net, p.small, p.large));
	fakenet_free(p.net);
}

/* 03 §6.2: 1, 3, 7, 15 s, byte for byte the same; over at 30 s. */
static void msg1_resend_schedule(void **state)
{
	static const u64 times[] = { 0, 1000, 3000, 7000, 15000 };
	struct pair p = pair_new(5);
	u64 start = p.net->now;
	unsigned int i;

	(void)state;
	p.net->drop = drop_all;
	fakenet_peer(p.net, p.small, p.large);
	fakenet_run(p.net, 29999);
	assert_int_equal(fakenet_count(p.net, p.small, FAKE_MSG1), 5);
	for (i = 0; i < 5; i++) {
		assert_sent_at(p.net, p.small, FAKE_MSG1, i, start, times[i]);
		assert_memory_equal(fakenet_sent(p.net, p.small, FAKE_MSG1, i)->data,
				    fakenet_sent(p.net, p.small, FAKE_MSG1, 0)->data,
				    FIPS_MSG1_LEN);
	}
	assert_int_equal(fakenet_view(p.net, p.small).legs, 1);
	fakenet_run(p.net, 2);
	assert_int_equal(fakenet_view(p.net, p.small).legs, 0);
	assert_int_equal(fakenet_view(p.net, p.small).retries, 1);
	assert_int_equal(fakenet_dp_links(p.net, p.small), 0);
	fakenet_free(p.net);
}

static void failed_resend_is_not_counted(void **state)
{
	struct pair p = pair_new(6);
	u64 start = p.net->now;

	(void)state;
	p.net->drop = drop_all;
	fakenet_peer(p.net, p.small, p.large);
	fakenet_run(p.net, 500);
	p.net->nodes[p.small].raw_fail = true;
	fakenet_run(p.net, 3000);
	p.net->nodes[p.small].raw_fail = false;
	fakenet_run(p.net, 3000);
	/* tried at 1, 2, 3 s; sent at 4 s as number one, so number two is due at 6 s */
	assert_sent_at(p.net, p.small, FAKE_MSG1, 1, start, 4000);
	assert_sent_at(p.net, p.small, FAKE_MSG1, 2, start, 6000);
	fakenet_free(p.net);
}

/* The peer's socket is not bound yet when the first msg1 comes: the next one is soon. */
static void early_repetition(void **state)
{
	struct pair p = { .net = fakenet_new(12) };
	u64 start;

	(void)state;
	p.small = fakenet_add(p.net, 1);
	p.net->nodes[p.small].timing.rate_limit.handshake_early_ms = 200;
	fakenet_transport(p.net, p.small, "10.0.0.1:2121");
	fakenet_start(p.net, p.small);
	p.large = fakenet_add(p.net, 2);
	start = p.net->now;
	fakenet_transport(p.net, p.large, "10.0.0.2:2121");
	fakenet_peer(p.net, p.small, p.large);
	fakenet_run(p.net, 100);
	fakenet_start(p.net, p.large);
	fakenet_run(p.net, 150);
	assert_sent_at(p.net, p.small, FAKE_MSG1, 1, start, 200);
	assert_true(fakenet_linked(p.net, p.small, p.large));
	/* answered: the schedule is over */
	fakenet_run(p.net, 5000);
	assert_int_equal(fakenet_count(p.net, p.small, FAKE_MSG1), 2);
	fakenet_free(p.net);
}

static void lose(int dialer, u32 m1, u32 m2, u32 fr)
{
	struct pair p = pair_new(100 + m1 * 16 + m2 * 4 + fr);
	int a = pair_a(&p, dialer), b = pair_b(&p, dialer);
	struct loss_plan plan = { .seen = { { 0 } } };

	plan.mask[a][FAKE_MSG1] = m1;
	plan.mask[b][FAKE_MSG2] = m2;
	plan.mask[a][FAKE_FRAME] = fr;
	loss_plan_use(p.net, &plan);
	fakenet_peer(p.net, a, b);
	fakenet_run(p.net, 20000);
	assert_true(fakenet_linked(p.net, a, b));
	assert_int_equal(fakenet_view(p.net, a).links, 1);
	assert_int_equal(fakenet_view(p.net, b).links, 1);
	fakenet_free(p.net);
}

/* Any first few packets may be lost. */
static void losses_are_repaired(void **state)
{
	u32 nr;

	(void)state;
	for (nr = 0; nr < 2 * 4 * 4 * 4; nr++)
		lose((int)(nr & 1), nr >> 1 & 3, nr >> 3 & 3, nr >> 5 & 3);
}

static void lost_first_frame_is_nudged(void **state)
{
	struct pair p = pair_new(8);
	struct loss_plan plan = { .seen = { { 0 } } };

	(void)state;
	plan.mask[p.small][FAKE_FRAME] = 1;
	plan.mask[p.small][FAKE_MESH] = ~(u32)0;
	loss_plan_use(p.net, &plan);
	fakenet_peer(p.net, p.small, p.large);
	fakenet_run(p.net, 1000);
	assert_false(fakenet_has_peer(p.net, p.large, p.small));
	fakenet_run(p.net, 1000);
	assert_true(fakenet_linked(p.net, p.small, p.large));
	fakenet_free(p.net);
}

/* A repeated msg1 gets the identical msg2, without a handshake more. */
static void duplicate_msg1_gets_the_same_msg2(void **state)
{
	struct pair p = pair_new(9);
	struct loss_plan plan = { .seen = { { 0 } } };

	(void)state;
	plan.mask[p.large][FAKE_MSG2] = 3;
	loss_plan_use(p.net, &plan);
	fakenet_peer(p.net, p.small, p.large);
	fakenet_run(p.net, 5000);
	assert_true(fakenet_linked(p.net, p.small, p.large));
	assert_int_equal(fakenet_count(p.net, p.large, FAKE_MSG2), 3);
	assert_memory_equal(fakenet_sent(p.net, p.large, FAKE_MSG2, 0)->data,
			    fakenet_sent(p.net, p.large, FAKE_MSG2, 2)->data, FIPS_MSG2_LEN);
	assert_int_equal(fakenet_view(p.net, p.large).counters.msg1_replayed, 2);
	fakenet_free(p.net);
}

static void garbled_msg2_is_ignored(void **state)
{
	struct pair p = pair_new(10);
	struct loss_plan plan = { .seen = { { 0 } } };
	struct fips_taddr to = fakenet_taddr(p.net, p.small);
	u8 forged[FIPS_MSG2_LEN];
	unsigned int i;

	(void)state;
	plan.mask[p.large][FAKE_MSG2] = 1;
	loss_plan_use(p.net, &plan);
	fakenet_peer(p.net, p.small, p.large);
	fakenet_run(p.net, 15);
	memcpy(forged, fakenet_sent(p.net, p.large, FAKE_MSG2, 0)->data, sizeof(forged));
	/* byte 12 is the parity of the ephemeral: flipped it is harmless (02 §16) */
	for (i = 13; i < sizeof(forged); i++) {
		forged[i] ^= 1;
		fakenet_inject(p.net, "10.9.9.9:1", &to, forged, sizeof(forged));
		forged[i] ^= 1;
	}
	fakenet_run(p.net, 100);
	assert_int_equal(fakenet_view(p.net, p.small).counters.msg2_ignored, sizeof(forged) - 13);
	fakenet_run(p.net, 2000);
	assert_true(fakenet_linked(p.net, p.small, p.large));
	fakenet_free(p.net);
}

static void msg2_of_every_wrong_length_and_index(void **state)
{
	struct pair p = pair_new(11);
	struct fips_taddr to = fakenet_taddr(p.net, p.small);
	struct fips_node_counters c;
	u8 buf[FIPS_MSG1_LEN + 1] = { 2 };
	size_t len;

	(void)state;
	p.net->drop = NULL;
	fakenet_peer(p.net, p.small, p.large);
	for (len = 0; len <= sizeof(buf); len++) {
		if (len >= 4)
			fips_put_le16(buf + 2, (u16)(len - 4));
		fakenet_inject(p.net, "10.9.9.9:1", &to, buf, len);
	}
	fakenet_run(p.net, 500);
	c = fakenet_view(p.net, p.small).counters;
	assert_int_equal(c.handshake_unknown_connection, 1);	/* the one of 69 bytes */
	assert_int_equal(c.payload_len_mismatch, sizeof(buf) - 4);
	assert_true(fakenet_linked(p.net, p.small, p.large));
	/* flags in a handshake packet (03 §2.3) */
	fips_put_le16(buf + 2, FIPS_MSG2_LEN - 4);
	buf[1] = 1;
	fakenet_inject(p.net, "10.9.9.9:1", &to, buf, FIPS_MSG2_LEN);
	fakenet_run(p.net, 50);
	assert_int_equal(fakenet_view(p.net, p.small).counters.handshake_bad_state, 1);
	fakenet_free(p.net);
}

static void early_frames_are_parked(void **state)
{
	struct pair p = pair_new(12);

	(void)state;
	/* The responder's frame overtakes its msg2 when the latency jumps about. */
	p.net->jitter = 200;
	fakenet_peer(p.net, p.small, p.large);
	fakenet_run(p.net, 5000);
	assert_true(fakenet_linked(p.net, p.small, p.large));
	fakenet_free(p.net);
}

static void own_key_is_refused(void **state)
{
	struct fakenet *net = fakenet_new(13);
	int a = fakenet_simple(net, 1);
	u8 sec[32];
	struct stranger s;
	u8 msg1[FIPS_MSG1_LEN];
	struct fips_taddr to = fakenet_taddr(net, a);

	(void)state;
	stranger_new(&s, net, 1);
	fips_keypair_destroy(&s.kp);
	memset(sec, 1, sizeof(sec));
	assert_int_equal(fips_keypair_from_secret(&s.kp, &net->pk, s.secrets, sec), 0);
	stranger_msg1(&s, net, a, 5, msg1);
	fakenet_inject(net, "10.0.0.7:1", &to, msg1, sizeof(msg1));
	fakenet_run(net, 100);
	assert_int_equal(fakenet_count(net, a, FAKE_MSG2), 0);
	assert_int_equal(fakenet_view(net, a).counters.handshake_bad_state, 1);
	assert_int_equal(fakenet_connect(net, a, a, "10.0.0.1:2121"), -ELOOP);
	stranger_free(&s);
	fakenet_free(net);
}

/* msg2 may come from elsewhere: that is the path then (03 §8 step 5). */
static void path_is_where_msg2_came_from(void **state)
{
	struct fakenet *net = fakenet_new(14);
	int a = fakenet_simple(net, 1), b = fakenet_simple(net, 2);
	struct fips_taddr moved;

	(void)state;
	fakenet_peer(net, a, b);
	fakenet_run(net, 11);		/* msg1 has arrived, msg2 is on its way */
	net->wire->from.port = 9999;
	fips_taddr_parse(&moved, "10.0.0.2:9999");
	fakenet_run(net, 15);
	assert_true(fips_taddr_eq(&fakenet_dp_link(net, a, b)->remote, &moved));
	fakenet_free(net);
}

static void replaced_by_a_refresh_after_30s(void **state)
{
	char addr[FIPS_TADDR_TEXT_MAX];
	int dialer;

	(void)state;
	for (dialer = 0; dialer < 2; dialer++) {
		struct pair p = pair_new(15);
		int a = pair_a(&p, dialer), b = pair_b(&p, dialer);
		u32 old;

		fakenet_peer(p.net, a, b);
		fakenet_run(p.net, 35000);
		old = fakenet_dp_link(p.net, a, b)->id;
		fips_taddr_format(&p.net->nodes[b].transports[0].addr, addr);
		assert_int_equal(fakenet_connect(p.net, a, b, addr), 1);
		fakenet_run(p.net, 100);
		assert_int_not_equal(fakenet_dp_link(p.net, a, b)->id, old);
		/* K toggles as for a rekey on both sides (03 §23) */
		assert_int_equal(fakenet_dp_link(p.net, a, b)->slot.k_bit, 1);
		assert_int_equal(fakenet_dp_link(p.net, b, a)->slot.k_bit, 1);
		assert_int_equal(fakenet_dp_links(p.net, a), 2);
		fakenet_run(p.net, 9000);
		/* the other side has it as new keys of its link */
		assert_int_equal(fakenet_dp_links(p.net, b), 1);
		assert_true(fakenet_dp_link(p.net, b, a)->old_slot.has_key);
		fakenet_run(p.net, 3000);
		assert_int_equal(fakenet_dp_links(p.net, a), 1);
		assert_int_equal(fakenet_dp_links(p.net, b), 1);
		assert_false(fakenet_dp_link(p.net, b, a)->old_slot.live);
		assert_true(fakenet_linked(p.net, a, b));
		/* Again: our link is young, the other side's is not, and both toggle K. */
		assert_int_equal(fakenet_connect(p.net, a, b, addr), 1);
		fakenet_run(p.net, 100);
		assert_int_equal(fakenet_dp_link(p.net, a, b)->slot.k_bit, 0);
		assert_int_equal(fakenet_dp_link(p.net, b, a)->slot.k_bit, 0);
		fakenet_free(p.net);
	}
}

static void key_limit_brings_new_keys(void **state)
{
	struct pair p = pair_new(16);
	struct fips_event ev = { .type = FIPS_EV_LINK_KEY_LIMIT };
	struct fips_clock now;
	u32 old;

	(void)state;
	fakenet_peer(p.net, p.large, p.small);
	fakenet_run(p.net, 40000);
	old = fakenet_dp_link(p.net, p.small, p.large)->slot.local_index;
	ev.link.id = fakenet_dp_link(p.net, p.small, p.large)->id;
	now = fakenet_clock(p.net);
	fips_node_event(p.net->nodes[p.small].node, &now, &ev);
	fakenet_run(p.net, 100);
	assert_int_equal(fakenet_dp_link(p.net, p.small, p.large)->id, ev.link.id);
	assert_int_not_equal(fakenet_dp_link(p.net, p.small, p.large)->slot.local_index, old);
	assert_true(fakenet_linked(p.net, p.small, p.large));
	fakenet_free(p.net);
}

static void resync_finds_lost_confirmation(void **state)
{
	struct pair p = pair_new(17);
	const struct fips_event ev = { .type = FIPS_EV_RESYNC };
	struct fake_link *l;
	struct fips_clock now;

	(void)state;
	fakenet_peer(p.net, p.small, p.large);
	fakenet_run(p.net, 15);
	/* the first frame comes, its upcalls get lost */
	p.net->drop = drop_all;
	fakenet_run(p.net, 50);
	l = p.net->nodes[p.large].links;
	l->candidate = false;
	l->last_rx = p.net->now;
	now = fakenet_clock(p.net);
	fips_node_event(p.net->nodes[p.large].node, &now, &ev);
	assert_true(fakenet_has_peer(p.net, p.large, p.small));
	/* and what the data plane has lost goes */
	while (p.net->nodes[p.large].links) {
		l = p.net->nodes[p.large].links;
		p.net->nodes[p.large].links = l->next;
		free(l);
	}
	fips_node_event(p.net->nodes[p.large].node, &now, &ev);
	assert_int_equal(fakenet_view(p.net, p.large).peers, 0);
	assert_int_equal(fakenet_view(p.net, p.large).links, 0);
	fakenet_free(p.net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handshake_in_one_round_trip),
		cmocka_unit_test(index_is_registered_before_msg1),
		cmocka_unit_test(responder_without_data_plane_is_silent),
		cmocka_unit_test(msg1_resend_schedule),
		cmocka_unit_test(failed_resend_is_not_counted),
		cmocka_unit_test(early_repetition),
		cmocka_unit_test(losses_are_repaired),
		cmocka_unit_test(lost_first_frame_is_nudged),
		cmocka_unit_test(duplicate_msg1_gets_the_same_msg2),
		cmocka_unit_test(garbled_msg2_is_ignored),
		cmocka_unit_test(msg2_of_every_wrong_length_and_index),
		cmocka_unit_test(early_frames_are_parked),
		cmocka_unit_test(own_key_is_refused),
		cmocka_unit_test(path_is_where_msg2_came_from),
		cmocka_unit_test(replaced_by_a_refresh_after_30s),
		cmocka_unit_test(key_limit_brings_new_keys),
		cmocka_unit_test(resync_finds_lost_confirmation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
