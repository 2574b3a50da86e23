// SPDX-License-Identifier: MIT
/* End-to-end sessions: spec 08 §4, §5, §10, §11, §13, §17, §18. */

#include "node_internal.h"	/* for the sizes of its tables */
#include "node_test.h"

/* A handshake message from @node to @peer, by hand; @src as it claims. */
static void send_fsp(struct fakenet *net, int node, int peer, const struct fips_node_addr *src,
		     const u8 *msg, size_t len)
{
	struct fips_datagram dgram = {
		.ttl = 64, .path_mtu = 1280, .src = *src, .dst = *fakenet_addr(net, peer),
		.payload = msg, .len = len,
	};
	u8 buf[2048];
	int ret = fips_datagram_build(buf, sizeof(buf), &dgram);

	assert_true(ret > 0);
	fakenet_link_msg(net, node, peer, buf, (size_t)ret);
}

static void send_setup(struct fakenet *net, int node, int peer, const struct fips_node_addr *src,
		       u32 key)
{
	struct fips_fsp_handshake hs = {
		.phase = FIPS_FSP_SETUP,
		.src = { .addr = src, .count = 1 },
		.dst = { .addr = fakenet_addr(net, peer), .count = 1 },
	};
	u8 msg1[FIPS_NOISE_MSG_MAX], buf[256];
	struct stranger s;
	int len;

	stranger_new(&s, net, key);
	assert_int_equal(fips_noise_initiator(&s.env, FIPS_NOISE_XK,
					      net->nodes[peer].keypair.id.x, &s.noise), 0);
	assert_int_equal(fips_noise_write(s.noise, msg1, sizeof(msg1)), FIPS_NOISE_XK1_LEN);
	hs.noise = msg1;
	len = fips_fsp_handshake_build(buf, sizeof(buf), &hs);
	assert_true(len > 0);
	send_fsp(net, node, peer, src, buf, (size_t)len);
	stranger_free(&s);
}

static void send_garbage(struct fakenet *net, int node, int peer, const struct fips_node_addr *src,
			 u8 phase)
{
	u8 noise[FIPS_NOISE_MSG_MAX], buf[256];
	struct fips_fsp_handshake hs = {
		.phase = phase,
		.src = { .addr = src, .count = 1 },
		.dst = { .addr = fakenet_addr(net, peer), .count = 1 },
		.noise = noise,
	};
	size_t i;
	int len;

	for (i = 0; i < sizeof(noise); i++)
		noise[i] = (u8)fakenet_random(net);
	noise[0] = 2;
	len = fips_fsp_handshake_build(buf, sizeof(buf), &hs);
	assert_true(len > 0);
	send_fsp(net, node, peer, src, buf, (size_t)len);
}

static void handshake_and_data(void **state)
{
	int dialer;

	(void)state;
	for (dialer = 0; dialer < 2; dialer++) {
		struct pair p = pair_linked(1);
		int a = pair_a(&p, dialer), b = pair_b(&p, dialer), i;

		for (i = 0; i < 20; i++)	/* four too many */
			fakenet_data(p.net, a, b);
		fakenet_run(p.net, 5);
		assert_string_equal(fakenet_session(p.net, a, b), "initiating");
		fakenet_run(p.net, 10);
		assert_string_equal(fakenet_session(p.net, b, a), "awaiting_msg3");
		fakenet_run(p.net, 100);
		assert_string_equal(fakenet_session(p.net, a, b), "established");
		assert_string_equal(fakenet_session(p.net, b, a), "established");
		assert_true(sessions_match(p.net, a, b));
		assert_int_equal(p.net->nodes[b].delivered, FAKE_STAGE);
		assert_int_equal(fakenet_count(p.net, -1, FAKE_SETUP), 1);
		assert_int_equal(fakenet_count(p.net, -1, FAKE_ACK), 1);
		assert_int_equal(fakenet_count(p.net, -1, FAKE_MSG3), 1);
		/* what goes along at first (08 §7), and how large a frame may be */
		/* 16 left */
		assert_int_equal(fakenet_dp_session(p.net, a, b)->coords_count, 0);
		assert_int_equal(fakenet_dp_session(p.net, b, a)->coords_count, 5);
		assert_int_equal(fakenet_dp_session(p.net, a, b)->coords_len, 4 + 3 * 16);
		assert_int_equal(fakenet_dp_session(p.net, a, b)->path_mtu, 1280);
		/* confirmed: msg3 is not repeated */
		fakenet_run(p.net, 20000);
		assert_int_equal(fakenet_count(p.net, -1, FAKE_MSG3), 1);
		assert_int_equal(fakenet_count(p.net, -1, FAKE_ACK), 1);
		fakenet_data(p.net, b, a);
		fakenet_run(p.net, 100);
		assert_int_equal(p.net->nodes[a].delivered, 1);
		fakenet_free(p.net);
	}
}

/* Sizes on the wire (08 §2.8), coordinates of a direct peer (§18.18). */
static void setup_and_ack_on_the_wire(void **state)
{
	struct pair p = pair_linked(2);

	(void)state;
	fakenet_data(p.net, p.small, p.large);
	fakenet_run(p.net, 200);
	assert_int_equal(fakenet_sent(p.net, -1, FAKE_SETUP, 0)->len,
			 FIPS_FMP_HDR_LEN + 32 + FIPS_DGRAM_HDR_LEN + 44 + 16 * 3);
	assert_int_equal(fakenet_sent(p.net, -1, FAKE_ACK, 0)->len,
			 FIPS_FMP_HDR_LEN + 32 + FIPS_DGRAM_HDR_LEN + 68 + 16 * 3);
	assert_int_equal(fakenet_sent(p.net, -1, FAKE_MSG3, 0)->len,
			 FIPS_FMP_HDR_LEN + 32 + FIPS_DGRAM_HDR_LEN + 80);
	fakenet_free(p.net);
}

static void setup_resend_schedule(void **state)
{
	static const u64 times[] = { 0, 1000, 3000, 7000, 15000 };
	struct pair p = pair_linked(3);
	struct loss_plan plan = { .seen = { { 0 } } };
	unsigned int i;
	u64 start;

	(void)state;
	plan.mask[p.small][FAKE_SETUP] = ~0u;
	loss_plan_use(p.net, &plan);
	start = p.net->now;
	fakenet_data(p.net, p.small, p.large);
	fakenet_run(p.net, 29999);
	assert_int_equal(fakenet_count(p.net, p.small, FAKE_SETUP), 5);
	for (i = 0; i < 5; i++)
		assert_sent_at(p.net, p.small, FAKE_SETUP, i, start, times[i]);
	assert_string_equal(fakenet_session(p.net, p.small, p.large), "initiating");
	fakenet_run(p.net, 2);
	assert_string_equal(fakenet_session(p.net, p.small, p.large), "");
	assert_int_equal(fakenet_dp_sessions(p.net, p.small), 0);
	assert_int_equal(p.net->nodes[p.small].icmp, 1);	/* not dropped in silence */
	fakenet_free(p.net);
}

/* The responder repeats its Ack on the same schedule (08 §4.2). */
static void ack_resend_schedule(void **state)
{
	static const u64 times[] = { 0, 1000, 3000, 7000, 15000 };
	struct pair p = pair_linked(4);
	unsigned int i;
	u64 start;

	(void)state;
	send_setup(p.net, p.small, p.large, fakenet_addr(p.net, p.small), 1);
	fakenet_run(p.net, 10);
	start = p.net->now;
	fakenet_run(p.net, 29999);
	assert_int_equal(fakenet_count(p.net, p.large, FAKE_ACK), 5);
	for (i = 0; i < 5; i++)
		assert_sent_at(p.net, p.large, FAKE_ACK, i, start, times[i]);
	fakenet_run(p.net, 2);
	assert_string_equal(fakenet_session(p.net, p.large, p.small), "");
	assert_int_equal(fakenet_dp_sessions(p.net, p.large), 0);
	fakenet_free(p.net);
}

static void lose(int dialer, unsigned int nr)
{
	static const u32 masks[] = { 0, 1, 3 };
	struct pair p = pair_linked(100 + nr);
	int a = pair_a(&p, dialer), b = pair_b(&p, dialer);
	struct loss_plan plan = { .seen = { { 0 } } };

	plan.mask[a][FAKE_SETUP] = masks[nr % 3];
	plan.mask[b][FAKE_ACK] = masks[nr / 3 % 3];
	plan.mask[a][FAKE_MSG3] = masks[nr / 9 % 3];
	plan.mask[b][FAKE_SMSG] = masks[nr / 27 % 3];
	loss_plan_use(p.net, &plan);
	fakenet_data(p.net, a, b);
	fakenet_run(p.net, 16000);
	assert_true(sessions_match(p.net, a, b));
	assert_string_equal(fakenet_session(p.net, a, b), "established");
	assert_string_equal(fakenet_session(p.net, b, a), "established");
	p.net->n_sent = 0;
	fakenet_data(p.net, a, b);
	fakenet_data(p.net, b, a);
	fakenet_run(p.net, 40000);
	assert_true(p.net->nodes[b].delivered >= 1);
	assert_int_equal(p.net->nodes[a].delivered, 1);
	assert_int_equal(fakenet_count(p.net, -1, FAKE_SETUP), 0);
	assert_string_equal(fakenet_session(p.net, a, b), "established");
	fakenet_free(p.net);
}

/* Any of the first messages may be lost; data gets through, once each. */
static void losses_are_repaired(void **state)
{
	unsigned int nr;

	(void)state;
	for (nr = 0; nr < 3 * 3 * 3 * 3; nr++) {
		lose(0, nr);
		lose(1, nr);
	}
}

/* 08 §18.1: lost msg3. Data behind it is parked, msg3 comes again, nothing is lost. */
static void lost_msg3(void **state)
{
	struct pair p = pair_linked(5);
	struct loss_plan plan = { .seen = { { 0 } } };
	u64 start;

	(void)state;
	plan.mask[p.small][FAKE_MSG3] = 1;
	loss_plan_use(p.net, &plan);
	fakenet_data(p.net, p.small, p.large);
	start = p.net->now;
	fakenet_run(p.net, 1500);
	/* after 1 s from either side: the responder's Ack or our own timer, whichever is first */
	assert_in_range(fakenet_sent(p.net, p.small, FAKE_MSG3, 1)->at - start, 1000, 1040);
	assert_true(sessions_match(p.net, p.small, p.large));
	assert_int_equal(p.net->nodes[p.large].delivered, 1);
	fakenet_free(p.net);
}

/* Trap 13 of spec 08: one Setup, one Ack, byte for byte, however often. */
static void identical_setup_identical_ack(void **state)
{
	const size_t at = FIPS_FMP_HDR_LEN + 32 + FIPS_DGRAM_HDR_LEN;
	struct pair p = pair_linked(25);
	struct loss_plan plan = { .seen = { { 0 } } };
	unsigned int i;

	(void)state;
	plan.mask[p.large][FAKE_ACK] = 7;
	loss_plan_use(p.net, &plan);
	fakenet_data(p.net, p.small, p.large);
	fakenet_run(p.net, 4000);
	assert_true(sessions_match(p.net, p.small, p.large));
	assert_true(fakenet_count(p.net, p.large, FAKE_ACK) >= 4);
	for (i = 1; i < fakenet_count(p.net, p.large, FAKE_ACK); i++)
		assert_memory_equal(fakenet_sent(p.net, p.large, FAKE_ACK, i)->data + at,
				    fakenet_sent(p.net, p.large, FAKE_ACK, 0)->data + at,
				    fakenet_sent(p.net, p.large, FAKE_ACK, 0)->len - at);
	assert_int_equal(fakenet_count(p.net, p.small, FAKE_SETUP), 3);
	fakenet_free(p.net);
}

/* The responder's proof is lost: a repeated msg3 brings another. */
static void lost_proof(void **state)
{
	struct pair p = pair_linked(26);
	struct loss_plan plan = { .seen = { { 0 } } };

	(void)state;
	plan.mask[p.large][FAKE_SMSG] = 1;
	plan.mask[p.large][FAKE_SREPORT] = 1;
	loss_plan_use(p.net, &plan);
	fakenet_data(p.net, p.small, p.large);
	fakenet_run(p.net, 20000);
	assert_int_equal(fakenet_count(p.net, p.small, FAKE_MSG3), 2);
	assert_int_equal(fakenet_count(p.net, p.large, FAKE_SMSG), 2);
	assert_string_equal(fakenet_session(p.net, p.small, p.large), "established");
	fakenet_free(p.net);
}

static void msg3_never_arrives(void **state)
{
	struct pair p = pair_linked(6);
	struct loss_plan plan = { .seen = { { 0 } } };
	unsigned int before, i;

	(void)state;
	plan.mask[p.small][FAKE_MSG3] = ~0u;
	loss_plan_use(p.net, &plan);
	fakenet_data(p.net, p.small, p.large);
	fakenet_run(p.net, 29900);
	assert_string_equal(fakenet_session(p.net, p.small, p.large), "established");
	/* once by 5 resends and once for each of 4 Acks that were repeated, merged within 250 ms */
	assert_in_range(fakenet_count(p.net, p.small, FAKE_MSG3), 5, 10);
	/* an Ack is easily forged: fifty of them are worth one msg3 */
	before = fakenet_count(p.net, p.small, FAKE_MSG3);
	for (i = 0; i < 50; i++)
		send_garbage(p.net, p.large, p.small, fakenet_addr(p.net, p.large), FIPS_FSP_ACK);
	fakenet_run(p.net, 50);
	assert_int_equal(fakenet_count(p.net, p.small, FAKE_MSG3), before + 1);
	fakenet_run(p.net, 1000);
	assert_string_equal(fakenet_session(p.net, p.small, p.large), "");
	/* and the next packet starts anew */
	p.net->drop = NULL;
	fakenet_data(p.net, p.small, p.large);
	fakenet_run(p.net, 200);
	assert_true(sessions_match(p.net, p.small, p.large));
	fakenet_free(p.net);
}

static void collide(int first, u64 offset, unsigned int nr)
{
	static const u32 masks[] = { 0, 1, 3 };
	struct pair p = pair_linked(200 + nr);
	int a = pair_a(&p, first), b = pair_b(&p, first);
	struct loss_plan plan = { .seen = { { 0 } } };

	plan.mask[a][FAKE_SETUP] = masks[nr % 3];
	plan.mask[b][FAKE_SETUP] = masks[nr / 3 % 3];
	plan.mask[a][FAKE_ACK] = masks[nr / 9 % 3];
	plan.mask[b][FAKE_ACK] = masks[nr / 9 % 3];
	plan.mask[a][FAKE_MSG3] = masks[nr / 9 % 3] & 1;
	loss_plan_use(p.net, &plan);
	fakenet_data(p.net, a, b);
	fakenet_run(p.net, offset);
	fakenet_data(p.net, b, a);
	fakenet_run(p.net, 20000);
	if (!sessions_match(p.net, a, b))
		fail_msg("first %d offset %d pattern %u", first, (int)offset, nr);
	fakenet_run(p.net, 31000);
	fakenet_data(p.net, a, b);
	fakenet_data(p.net, b, a);
	fakenet_run(p.net, 100);
	assert_true(p.net->nodes[a].delivered >= 1);
	assert_true(p.net->nodes[b].delivered >= 1);
	assert_true(sessions_match(p.net, a, b));
	fakenet_free(p.net);
}

static void simultaneous_setup(void **state)
{
	static const u64 offsets[] = { 0, 5, 10, 11, 15, 20, 21, 25, 30 };
	unsigned int i, nr;

	(void)state;
	for (i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		for (nr = 0; nr < 3 * 3 * 3; nr++) {
			collide(0, offsets[i], nr);
			collide(1, offsets[i], nr);
		}
	}
}

/* Without loss the smaller address is the initiator (08 §4.3). */
static void simultaneous_setup_tie_break(void **state)
{
	struct pair p = pair_linked(7);

	(void)state;
	fakenet_data(p.net, p.small, p.large);
	fakenet_data(p.net, p.large, p.small);
	fakenet_run(p.net, 200);
	assert_int_equal(fakenet_count(p.net, p.small, FAKE_ACK), 0);
	assert_int_equal(fakenet_count(p.net, p.large, FAKE_ACK), 1);
	assert_int_equal(fakenet_count(p.net, p.small, FAKE_MSG3), 1);
	assert_int_equal(p.net->nodes[p.small].delivered, 1);
	assert_int_equal(p.net->nodes[p.large].delivered, 1);
	fakenet_free(p.net);
}

static void forged_ack_is_rolled_back(void **state)
{
	struct pair p = pair_linked(8);
	struct loss_plan plan = { .seen = { { 0 } } };
	int i;

	(void)state;
	plan.mask[p.large][FAKE_ACK] = 1;
	loss_plan_use(p.net, &plan);
	fakenet_data(p.net, p.small, p.large);
	fakenet_run(p.net, 50);
	for (i = 0; i < 50; i++)
		send_garbage(p.net, p.large, p.small, fakenet_addr(p.net, p.large), FIPS_FSP_ACK);
	fakenet_run(p.net, 50);
	assert_int_equal(fakenet_view(p.net, p.small).counters.session_ack_failed, 50);
	assert_string_equal(fakenet_session(p.net, p.small, p.large), "initiating");
	fakenet_run(p.net, 2000);
	assert_true(sessions_match(p.net, p.small, p.large));
	/* after that an Ack is of no interest */
	send_garbage(p.net, p.large, p.small, fakenet_addr(p.net, p.large), FIPS_FSP_ACK);
	fakenet_run(p.net, 50);
	assert_int_equal(fakenet_view(p.net, p.small).counters.session_bad_state, 1);
	fakenet_free(p.net);
}

static void garbage_msg3_changes_nothing(void **state)
{
	struct pair p = pair_linked(9);
	struct loss_plan plan = { .seen = { { 0 } } };
	int i;

	(void)state;
	plan.mask[p.small][FAKE_MSG3] = 1;
	loss_plan_use(p.net, &plan);
	fakenet_data(p.net, p.small, p.large);
	fakenet_run(p.net, 50);
	assert_string_equal(fakenet_session(p.net, p.large, p.small), "awaiting_msg3");
	plan.seen[p.small][FAKE_MSG3] = 5;
	for (i = 0; i < 50; i++)
		send_garbage(p.net, p.small, p.large, fakenet_addr(p.net, p.small), FIPS_FSP_MSG3);
	fakenet_run(p.net, 50);
	assert_int_equal(fakenet_view(p.net, p.large).counters.session_msg3_failed, 50);
	assert_string_equal(fakenet_session(p.net, p.large, p.small), "awaiting_msg3");
	fakenet_run(p.net, 2000);
	assert_true(sessions_match(p.net, p.small, p.large));
	fakenet_free(p.net);
}

/* Setups in a victim's name: its genuine handshake still gets through (08 §17, §18.4). */
static void squatting(void **state)
{
	struct fakenet *net = fakenet_new(10);
	int hub = fakenet_simple(net, 1), victim = fakenet_simple(net, 2);
	int evil = fakenet_simple(net, 3), i;

	(void)state;
	fakenet_peer(net, victim, hub);
	fakenet_peer(net, evil, hub);
	fakenet_run(net, 1000);
	for (i = 0; i < 20; i++) {
		send_setup(net, evil, hub, fakenet_addr(net, victim), 100 + (u32)i);
		fakenet_run(net, 1);
	}
	fakenet_run(net, 100);
	assert_string_equal(fakenet_session(net, hub, victim), "awaiting_msg3");
	fakenet_data(net, victim, hub);
	fakenet_run(net, 5);
	for (i = 0; i < 5; i++)		/* and on it goes */
		send_setup(net, evil, hub, fakenet_addr(net, victim), 200 + (u32)i);
	fakenet_run(net, 200);
	assert_true(sessions_match(net, hub, victim));
	assert_int_equal(net->nodes[hub].delivered, 1);
	/* with a session there, more of them only arm handshakes beside it */
	for (i = 0; i < 20; i++)
		send_setup(net, evil, hub, fakenet_addr(net, victim), 300 + (u32)i);
	fakenet_run(net, 100);
	assert_true(sessions_match(net, hub, victim));
	fakenet_data(net, victim, hub);
	fakenet_data(net, hub, victim);
	fakenet_run(net, 40000);
	assert_int_equal(net->nodes[hub].delivered, 2);
	assert_int_equal(net->nodes[victim].delivered, 1);
	fakenet_free(net);
}

/* The victim's side of it: the squatted node has data for the victim itself. */
static void squatting_does_not_stop_our_own_setup(void **state)
{
	int dialer;

	(void)state;
	for (dialer = 0; dialer < 2; dialer++) {
		struct fakenet *net = fakenet_new(11);
		int hub = fakenet_simple(net, dialer ? 2 : 1);
		int victim = fakenet_simple(net, dialer ? 1 : 2), evil = fakenet_simple(net, 3);

		fakenet_peer(net, victim, hub);
		fakenet_peer(net, evil, hub);
		fakenet_run(net, 1000);
		send_setup(net, evil, hub, fakenet_addr(net, victim), 1);
		fakenet_run(net, 100);
		fakenet_data(net, hub, victim);	/* staged behind the half-open session */
		fakenet_run(net, 2000);
		assert_true(sessions_match(net, hub, victim));
		assert_int_equal(net->nodes[victim].delivered, 1);
		fakenet_free(net);
	}
}

/* As above, but the data comes when all repetitions of the Ack are over. */
static void late_data_behind_a_half_open_session(void **state)
{
	struct fakenet *net = fakenet_new(12);
	int hub = fakenet_simple(net, 1), victim = fakenet_simple(net, 2);
	int evil = fakenet_simple(net, 3), i;

	(void)state;
	fakenet_peer(net, victim, hub);
	fakenet_peer(net, evil, hub);
	fakenet_run(net, 1000);
	send_setup(net, evil, hub, fakenet_addr(net, victim), 1);
	net->nodes[hub].node->timing.rate_limit.handshake_resend_interval_ms = 250;
	fakenet_run(net, 20000);
	for (i = 0; i < 5; i++) {
		fakenet_data(net, hub, victim);
		fakenet_run(net, 500);
	}
	assert_true(sessions_match(net, hub, victim));
	assert_int_equal(net->nodes[victim].delivered, 5);
	fakenet_free(net);
}

/* A forged Setup of a smaller address while we are initiating: our own handshake lives on. */
static void forged_setup_does_not_displace(void **state)
{
	struct fakenet *net = fakenet_new(12);
	int a = fakenet_simple(net, 1), b = fakenet_simple(net, 2), evil = fakenet_simple(net, 3);
	struct loss_plan plan = { .seen = { { 0 } } };
	int small = a, large = b;

	(void)state;
	if (fips_node_addr_cmp(fakenet_addr(net, a), fakenet_addr(net, b)) > 0) {
		small = b;
		large = a;
	}
	fakenet_peer(net, large, small);
	fakenet_peer(net, evil, large);
	fakenet_run(net, 1000);
	plan.mask[small][FAKE_ACK] = 1;
	loss_plan_use(net, &plan);
	fakenet_data(net, large, small);
	fakenet_run(net, 50);
	send_setup(net, evil, large, fakenet_addr(net, small), 1);
	fakenet_run(net, 50);
	assert_string_equal(fakenet_session(net, large, small), "initiating");
	fakenet_run(net, 1500);
	assert_true(sessions_match(net, small, large));
	assert_int_equal(net->nodes[small].delivered, 1);
	fakenet_free(net);
}

/* A complete handshake with another's address as source (08 §17). */
static void msg3_of_another_identity(void **state)
{
	struct fakenet *net = fakenet_new(13);
	int hub = fakenet_simple(net, 1), victim = fakenet_simple(net, 2);
	int evil = fakenet_simple(net, 3), len;
	struct fips_fsp_handshake hs = { .phase = FIPS_FSP_SETUP };
	const struct fake_sent *sent;
	u8 noise[FIPS_NOISE_MSG_MAX], buf[256];
	struct stranger s;

	(void)state;
	fakenet_peer(net, victim, hub);
	fakenet_peer(net, evil, hub);
	fakenet_run(net, 1000);
	stranger_new(&s, net, 1);
	assert_int_equal(fips_noise_initiator(&s.env, FIPS_NOISE_XK, net->nodes[hub].keypair.id.x,
					      &s.noise), 0);
	fips_noise_write(s.noise, noise, sizeof(noise));
	hs.src = (struct fips_coords) { .addr = fakenet_addr(net, victim), .count = 1 };
	hs.dst = (struct fips_coords) { .addr = fakenet_addr(net, hub), .count = 1 };
	hs.noise = noise;
	len = fips_fsp_handshake_build(buf, sizeof(buf), &hs);
	send_fsp(net, evil, hub, fakenet_addr(net, victim), buf, (size_t)len);
	fakenet_run(net, 15);
	/* the Ack went to the victim; the attacker is somewhere it can see it */
	sent = fakenet_sent(net, hub, FAKE_ACK, 0);
	assert_non_null(sent);
	{
		const u8 *msg = net->wire->data + FIPS_FMP_HDR_LEN + 32 + FIPS_DGRAM_HDR_LEN;
		size_t msg_len = net->wire->len - (FIPS_FMP_HDR_LEN + 32 + FIPS_DGRAM_HDR_LEN);

		assert_int_equal(fips_fsp_handshake_parse(msg, msg_len, &hs), 0);
		assert_int_equal(fips_noise_read(s.noise, hs.noise, FIPS_NOISE_XK2_LEN, NULL), 0);
	}
	assert_int_equal(fips_noise_write(s.noise, noise, sizeof(noise)), FIPS_NOISE_XK3_LEN);
	hs = (struct fips_fsp_handshake) { .phase = FIPS_FSP_MSG3, .noise = noise };
	len = fips_fsp_handshake_build(buf, sizeof(buf), &hs);
	send_fsp(net, evil, hub, fakenet_addr(net, victim), buf, (size_t)len);
	fakenet_run(net, 50);
	assert_int_equal(fakenet_view(net, hub).counters.session_addr_mismatch, 1);
	assert_string_equal(fakenet_session(net, hub, victim), "");
	assert_int_equal(fakenet_dp_sessions(net, hub), 0);
	stranger_free(&s);
	fakenet_free(net);
}

static void half_open_bounds(void **state)
{
	struct fakenet *net = fakenet_new(14);
	int hub = fakenet_add(net, 1), peers[5], i, k;

	(void)state;
	net->nodes[hub].timing.rate_limit.session_setup_burst = 100000;
	net->nodes[hub].timing.rate_limit.session_setup_rate = 100000;
	fakenet_transport(net, hub, "10.0.0.1:2121");
	fakenet_start(net, hub);
	for (i = 0; i < 5; i++) {
		peers[i] = fakenet_simple(net, (u8)(i + 2));
		fakenet_peer(net, peers[i], hub);
	}
	fakenet_run(net, 1000);
	/* eight of one source */
	for (k = 0; k < 20; k++)
		send_setup(net, peers[0], hub, fakenet_addr(net, peers[0]), (u32)k);
	fakenet_run(net, 100);
	assert_int_equal(fakenet_view(net, hub).sessions, 1);
	assert_int_equal(net->nodes[hub].node->n_halves, NODE_HALF_OPEN_SRC);
	/* all five neighbours, each in all five names */
	for (i = 0; i < 5; i++)
		for (k = 0; k < 100; k++)
			send_setup(net, peers[i], hub, fakenet_addr(net, peers[k % 5]),
				   1000 + (u32)(i * 100 + k));
	fakenet_run(net, 200);
	assert_int_equal(fakenet_view(net, hub).sessions, 5);
	assert_int_equal(net->nodes[hub].node->n_halves, 5 * NODE_HALF_OPEN_SRC);
	fakenet_run(net, 31000);
	assert_int_equal(fakenet_view(net, hub).sessions, 0);
	assert_int_equal(fakenet_dp_sessions(net, hub), 0);
	fakenet_free(net);
}

/* One neighbour may hold 64 of them, whatever it does: others find room. */
static void half_open_bound_of_a_neighbour(void **state)
{
	struct fakenet *net = fakenet_new(24);
	int hub = fakenet_add(net, 1), peers[12], i, k;

	(void)state;
	net->nodes[hub].timing.rate_limit.session_setup_burst = 100000;
	net->nodes[hub].timing.rate_limit.session_setup_rate = 100000;
	fakenet_transport(net, hub, "10.0.0.1:2121");
	fakenet_start(net, hub);
	for (i = 0; i < 12; i++) {
		peers[i] = fakenet_simple(net, (u8)(i + 2));
		fakenet_peer(net, peers[i], hub);
	}
	fakenet_run(net, 1000);
	send_setup(net, peers[11], hub, fakenet_addr(net, peers[11]), 1);
	for (i = 0; i < 11; i++)
		for (k = 0; k < 8; k++)
			send_setup(net, peers[0], hub, fakenet_addr(net, peers[i]),
				   100 + (u32)(i * 8 + k));
	fakenet_run(net, 100);
	assert_int_equal(net->nodes[hub].node->n_halves, NODE_HALF_OPEN_VIA + 1);
	assert_string_equal(fakenet_session(net, hub, peers[11]), "awaiting_msg3");
	fakenet_run(net, 31000);
	assert_int_equal(fakenet_view(net, hub).sessions, 0);
	fakenet_free(net);
}

/* 08 §13.1: 64 at once and 16 a second for each neighbour, whatever source it names. */
static void setup_limiter_is_per_neighbour(void **state)
{
	struct fakenet *net = fakenet_new(15);
	int hub = fakenet_simple(net, 1), evil = fakenet_simple(net, 2);
	int good = fakenet_simple(net, 3), i;

	(void)state;
	fakenet_peer(net, evil, hub);
	fakenet_peer(net, good, hub);
	fakenet_run(net, 1000);
	for (i = 0; i < 500; i++)
		send_setup(net, evil, hub, fakenet_addr(net, good), (u32)i);
	fakenet_run(net, 100);
	assert_in_range(fakenet_view(net, hub).counters.session_setup_rate_limited, 430, 436);
	fakenet_data(net, good, hub);
	fakenet_run(net, 200);
	assert_true(sessions_match(net, good, hub));
	fakenet_free(net);
}

static void idle_expiry(void **state)
{
	struct pair p = pair_linked(16);
	u64 last;

	(void)state;
	fakenet_data(p.net, p.small, p.large);
	fakenet_run(p.net, 50000);
	fakenet_data(p.net, p.large, p.small);	/* data of either side counts */
	last = p.net->now;
	fakenet_run(p.net, last + 89900 - p.net->now);
	assert_string_equal(fakenet_session(p.net, p.small, p.large), "established");
	assert_string_equal(fakenet_session(p.net, p.large, p.small), "established");
	fakenet_run(p.net, 200);
	assert_string_equal(fakenet_session(p.net, p.small, p.large), "");
	assert_string_equal(fakenet_session(p.net, p.large, p.small), "");
	assert_true(fakenet_linked(p.net, p.small, p.large));
	fakenet_data(p.net, p.large, p.small);
	fakenet_run(p.net, 200);
	assert_true(sessions_match(p.net, p.small, p.large));
	fakenet_free(p.net);
}

/* One side lost its session (08 §10): its Setup is answered beside the old one. */
static void one_side_forgot(void **state)
{
	int dialer;

	(void)state;
	for (dialer = 0; dialer < 2; dialer++) {
		struct pair p = pair_linked(17);
		int a = pair_a(&p, dialer), b = pair_b(&p, dialer);
		struct fips_event ev = { .type = FIPS_EV_SESSION_KEY_LIMIT };
		struct fips_clock now;

		fakenet_data(p.net, a, b);
		fakenet_run(p.net, 5000);
		ev.session.remote = *fakenet_addr(p.net, b);
		now = fakenet_clock(p.net);
		fips_node_event(p.net->nodes[a].node, &now, &ev);
		fakenet_data(p.net, a, b);
		fakenet_run(p.net, 200);
		assert_true(sessions_match(p.net, a, b));
		assert_int_equal(p.net->nodes[b].delivered, 2);
		assert_int_equal(fakenet_dp_session(p.net, a, b)->slot[0].k_bit, 1);
		assert_int_equal(fakenet_dp_session(p.net, b, a)->slot[0].k_bit, 1);
		assert_true(fakenet_dp_session(p.net, b, a)->slot[2].has_key);
		fakenet_run(p.net, 11000);
		assert_false(fakenet_dp_session(p.net, b, a)->slot[2].has_key);
		fakenet_data(p.net, b, a);
		fakenet_run(p.net, 200);
		assert_int_equal(p.net->nodes[a].delivered, 1);
		fakenet_free(p.net);
	}
}

/* The far end lost the session and only we talk: it asks anew, lest we talk into a hole. */
static void far_end_forgot(void **state)
{
	int dialer;

	(void)state;
	for (dialer = 0; dialer < 2; dialer++) {
		struct pair p = pair_linked(27);
		int a = pair_a(&p, dialer), b = pair_b(&p, dialer);

		fakenet_data(p.net, a, b);
		fakenet_run(p.net, 5000);
		session_forget(p.net, b, a);
		p.net->n_sent = 0;
		fakenet_data(p.net, a, b);	/* lost */
		fakenet_data(p.net, a, b);	/* lost, and no second handshake for it */
		fakenet_run(p.net, 200);
		assert_int_equal(fakenet_count(p.net, b, FAKE_SETUP), 1);
		assert_string_equal(fakenet_session(p.net, b, a), "established");
		fakenet_data(p.net, a, b);
		fakenet_data(p.net, b, a);
		fakenet_run(p.net, 200);
		assert_int_equal(p.net->nodes[b].delivered, 2);
		assert_int_equal(p.net->nodes[a].delivered, 1);
		fakenet_free(p.net);
	}
}

/*
 * The far end was restarted and knows nobody's key: it can't ask. We talk and hear nothing, so
 * we do, and again if that gets lost.
 */
static void far_end_knows_nobody(void **state)
{
	int lost;

	(void)state;
	for (lost = 0; lost < 2; lost++) {
		struct fakenet *net = fakenet_new(60 + lost);
		struct loss_plan plan = { .seen = { { 0 } } };
		struct fips_clock now;
		int i, before;

		for (i = 0; i < 3; i++)
			fakenet_simple(net, (u8)(i + 1));
		fakenet_peer(net, 0, 1);
		fakenet_peer(net, 1, 2);
		now = fakenet_clock(net);
		fips_node_learn(net->nodes[0].node, &now, &net->nodes[2].keypair.id);
		fakenet_run(net, 1500);
		fakenet_data(net, 0, 2);
		fakenet_run(net, 1000);
		assert_int_equal(net->nodes[2].delivered, 1);
		session_forget(net, 2, 0);
		node_identity_destroy(net->nodes[2].node);
		plan.mask[0][FAKE_SETUP] = (u32)lost;
		loss_plan_use(net, &plan);
		before = (int)net->nodes[2].delivered;
		for (i = 0; i < 100; i++) {
			fakenet_data(net, 0, 2);
			fakenet_run(net, 200);
		}
		assert_true((int)net->nodes[2].delivered > before + 10);
		assert_string_equal(fakenet_session(net, 2, 0), "established");
		fakenet_free(net);
	}
}

static void unknown_identity(void **state)
{
	struct pair p = pair_linked(18);
	u8 ipv6[FIPS_IPV6_LEN] = { 0xfd, 1, 2, 3 };
	struct fips_clock now;
	struct fips_identity id;

	(void)state;
	fakenet_data_to(p.net, p.small, ipv6);
	fakenet_run(p.net, 100);
	assert_int_equal(p.net->nodes[p.small].icmp, 1);
	/* known, but no filter has it: after a while */
	id = p.net->nodes[p.large].keypair.id;
	id.addr.b[3] ^= 1;
	fips_node_addr_to_ipv6(&id.addr, id.ipv6);
	now = fakenet_clock(p.net);
	fips_node_learn(p.net->nodes[p.small].node, &now, &id);
	fakenet_data_to(p.net, p.small, id.ipv6);
	fakenet_run(p.net, NODE_LOOKUP_WAIT_MS + 100);
	assert_int_equal(p.net->nodes[p.small].icmp, 2);
	assert_int_equal(fakenet_view(p.net, p.small).sessions, 0);
	/* same 15 bytes, other node: the first one stays (01 §12) */
	id.addr.b[15] ^= 1;
	fips_node_learn(p.net->nodes[p.small].node, &now, &id);
	assert_int_equal(node_identity_by_ipv6(p.net->nodes[p.small].node, id.ipv6)->id.addr.b[15],
			 id.addr.b[15] ^ 1);
	/* ourselves */
	fakenet_data(p.net, p.small, p.small);
	fakenet_run(p.net, 100);
	assert_int_equal(p.net->nodes[p.small].icmp, 3);
	fakenet_free(p.net);
}

/* Packets wait while their peer is being dialled, but not for ever. */
static void data_before_the_link(void **state)
{
	struct pair p = pair_new(19);

	(void)state;
	p.net->drop = drop_all;
	fakenet_peer(p.net, p.small, p.large);
	fakenet_data(p.net, p.small, p.large);
	fakenet_run(p.net, 2000);
	assert_int_equal(p.net->nodes[p.small].icmp, 0);
	p.net->drop = NULL;
	fakenet_run(p.net, 2000);
	assert_true(sessions_match(p.net, p.small, p.large));
	assert_int_equal(p.net->nodes[p.large].delivered, 1);
	fakenet_free(p.net);

	p = pair_new(20);
	p.net->drop = drop_all;
	fakenet_peer(p.net, p.small, p.large);
	fakenet_data(p.net, p.small, p.large);
	fakenet_run(p.net, 14900);
	assert_int_equal(p.net->nodes[p.small].icmp, 0);
	fakenet_run(p.net, 200);
	assert_int_equal(p.net->nodes[p.small].icmp, 1);
	assert_int_equal(fakenet_view(p.net, p.small).sessions, 0);
	fakenet_free(p.net);
}

/* The session of a direct peer goes with its link (08 §4.4). */
static void link_death_ends_the_session(void **state)
{
	struct pair p = pair_linked(21);

	(void)state;
	fakenet_data(p.net, p.small, p.large);
	fakenet_run(p.net, 1000);
	p.net->drop = drop_all;
	fakenet_run(p.net, 31000);
	assert_string_equal(fakenet_session(p.net, p.small, p.large), "");
	assert_string_equal(fakenet_session(p.net, p.large, p.small), "");
	p.net->drop = NULL;
	fakenet_run(p.net, 10000);
	fakenet_data(p.net, p.large, p.small);
	fakenet_run(p.net, 200);
	assert_true(sessions_match(p.net, p.small, p.large));
	fakenet_free(p.net);
}

static void send_signal(struct fakenet *net, int node, int peer,
			const struct fips_fsp_signal_msg *sig, const struct fips_node_addr *src)
{
	u8 buf[256];
	int len = fips_fsp_signal_build(buf, sizeof(buf), sig);

	assert_true(len > 0);
	send_fsp(net, node, peer, src, buf, (size_t)len);
}

static void routing_signals(void **state)
{
	struct fakenet *net = fakenet_new(22);
	int a = fakenet_simple(net, 1), b = fakenet_simple(net, 2), r = fakenet_simple(net, 3);
	struct fips_fsp_signal_msg sig = { .type = FIPS_FSP_COORDS_REQUIRED };
	unsigned int before;
	int i;

	(void)state;
	fakenet_peer(net, a, b);
	fakenet_peer(net, r, a);
	fakenet_run(net, 1000);
	sig.dst = *fakenet_addr(net, b);
	sig.reporter = *fakenet_addr(net, r);
	send_signal(net, r, a, &sig, fakenet_addr(net, r));	/* nothing to do with b yet */
	fakenet_run(net, 50);
	assert_int_equal(fakenet_view(net, a).counters.signal_unbound, 1);
	fakenet_data(net, a, b);
	fakenet_run(net, 1000);
	fakenet_dp_session(net, a, b)->coords_count = 0;
	before = fakenet_count(net, a, FAKE_SMSG);
	for (i = 0; i < 10; i++)
		send_signal(net, r, a, &sig, fakenet_addr(net, r));
	fakenet_run(net, 50);
	assert_int_equal(fakenet_count(net, a, FAKE_SMSG), before + 1);	/* one in 2 s */
	assert_int_equal(fakenet_dp_session(net, a, b)->coords_count, 5);
	fakenet_run(net, 2000);
	send_signal(net, r, a, &sig, fakenet_addr(net, r));
	fakenet_run(net, 50);
	assert_int_equal(fakenet_count(net, a, FAKE_SMSG), before + 2);
	/* forged: from the very node, about ourselves */
	send_signal(net, b, a, &sig, fakenet_addr(net, b));
	sig.dst = *fakenet_addr(net, a);
	send_signal(net, r, a, &sig, fakenet_addr(net, r));
	fakenet_run(net, 50);
	assert_int_equal(fakenet_view(net, a).counters.signal_forged, 2);
	/* MtuExceeded only lowers, and not below the floor (08 §18.10) */
	sig = (struct fips_fsp_signal_msg) {
		.type = FIPS_FSP_MTU_EXCEEDED, .dst = *fakenet_addr(net, b),
		.reporter = *fakenet_addr(net, r), .mtu = 1000,
	};
	send_signal(net, r, a, &sig, fakenet_addr(net, r));
	fakenet_run(net, 50);
	assert_int_equal(fakenet_dp_session(net, a, b)->path_mtu, 1000);
	sig.mtu = 255;
	send_signal(net, r, a, &sig, fakenet_addr(net, r));
	sig.mtu = 1400;
	for (i = 0; i < 4; i++) {
		send_signal(net, r, a, &sig, fakenet_addr(net, r));
		fakenet_run(net, 15000);
	}
	assert_int_equal(fakenet_dp_session(net, a, b)->path_mtu, 1000);
	fakenet_free(net);
}

static void path_mtu_notification(struct fakenet *net, int node, int peer, u16 mtu)
{
	u8 body[2];
	struct fips_event ev = { .type = FIPS_EV_SESSION_MSG };
	struct fips_clock now = fakenet_clock(net);

	fips_put_le16(body, mtu);
	ev.session_msg.remote = *fakenet_addr(net, peer);
	ev.session_msg.msg_type = FIPS_FSP_PATH_MTU;
	ev.session_msg.body = body;
	ev.session_msg.len = sizeof(body);
	fips_node_event(net->nodes[node].node, &now, &ev);
}

/* Down at once, up after three equal claims over two intervals (08 §8.2). */
static void path_mtu_ladder(void **state)
{
	struct pair p = pair_linked(23);
	int i;

	(void)state;
	fakenet_data(p.net, p.small, p.large);
	fakenet_run(p.net, 3000);	/* the far end's own notification has come */
	path_mtu_notification(p.net, p.small, p.large, 900);
	assert_int_equal(fakenet_dp_session(p.net, p.small, p.large)->path_mtu, 900);
	for (i = 0; i < 2; i++) {
		path_mtu_notification(p.net, p.small, p.large, 1200);
		assert_int_equal(fakenet_dp_session(p.net, p.small, p.large)->path_mtu, 900);
		fakenet_run(p.net, 10000);
	}
	path_mtu_notification(p.net, p.small, p.large, 1200);
	assert_int_equal(fakenet_dp_session(p.net, p.small, p.large)->path_mtu, 1200);
	path_mtu_notification(p.net, p.small, p.large, 1250);
	fakenet_run(p.net, 25000);
	path_mtu_notification(p.net, p.small, p.large, 1250);	/* long enough, but only twice */
	assert_int_equal(fakenet_dp_session(p.net, p.small, p.large)->path_mtu, 1200);
	path_mtu_notification(p.net, p.small, p.large, 100);
	assert_int_equal(fakenet_dp_session(p.net, p.small, p.large)->path_mtu, 1200);
	fakenet_free(p.net);
}

static void random_loss_soak(void **state)
{
	unsigned int nr, i;

	(void)state;
	for (nr = 0; nr < 60; nr++) {
		struct pair p = pair_linked(3000 + nr);

		p.net->jitter = 150;
		p.net->loss_percent = 25;
		for (i = 0; i < 40; i++) {
			fakenet_data(p.net, (int)(fakenet_random(p.net) % 2), 0);
			fakenet_data(p.net, 0, 1);
			if (fakenet_random(p.net) % 8 == 0)
				fakenet_data(p.net, 1, 0);
			fakenet_run(p.net, fakenet_random(p.net) % 3000);
		}
		p.net->loss_percent = 0;
		p.net->jitter = 0;
		fakenet_run(p.net, 60000);	/* links may have died: they come back */
		fakenet_data(p.net, 0, 1);
		fakenet_run(p.net, 35000);
		fakenet_data(p.net, 0, 1);
		fakenet_data(p.net, 1, 0);
		fakenet_run(p.net, 200);
		if (!sessions_match(p.net, 0, 1))
			fail_msg("seed %u", nr);
		fakenet_free(p.net);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handshake_and_data),
		cmocka_unit_test(setup_and_ack_on_the_wire),
		cmocka_unit_test(setup_resend_schedule),
		cmocka_unit_test(ack_resend_schedule),
		cmocka_unit_test(losses_are_repaired),
		cmocka_unit_test(lost_msg3),
		cmocka_unit_test(identical_setup_identical_ack),
		cmocka_unit_test(lost_proof),
		cmocka_unit_test(msg3_never_arrives),
		cmocka_unit_test(simultaneous_setup),
		cmocka_unit_test(simultaneous_setup_tie_break),
		cmocka_unit_test(forged_ack_is_rolled_back),
		cmocka_unit_test(garbage_msg3_changes_nothing),
		cmocka_unit_test(squatting),
		cmocka_unit_test(squatting_does_not_stop_our_own_setup),
		cmocka_unit_test(late_data_behind_a_half_open_session),
		cmocka_unit_test(forged_setup_does_not_displace),
		cmocka_unit_test(msg3_of_another_identity),
		cmocka_unit_test(half_open_bounds),
		cmocka_unit_test(half_open_bound_of_a_neighbour),
		cmocka_unit_test(setup_limiter_is_per_neighbour),
		cmocka_unit_test(idle_expiry),
		cmocka_unit_test(one_side_forgot),
		cmocka_unit_test(far_end_forgot),
		cmocka_unit_test(far_end_knows_nobody),
		cmocka_unit_test(unknown_identity),
		cmocka_unit_test(data_before_the_link),
		cmocka_unit_test(link_death_ends_the_session),
		cmocka_unit_test(routing_signals),
		cmocka_unit_test(path_mtu_ladder),
		cmocka_unit_test(random_loss_soak),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
