// SPDX-License-Identifier: MIT
/*
 * Both sides dial at once (spec 03 §10.2, §10.3, §28.1 step 7), in every order
 * and with every early loss: they must end on one link, quickly, and stay there.
 */

#include "node_internal.h"
#include "node_test.h"

static const u32 masks[] = { 0, 1, 3 };

struct cross {
	struct pair p;
	struct loss_plan plan;
};

static void cross_start(struct cross *c, u64 seed, int first, u64 offset)
{
	int a = pair_a(&c->p, first), b = pair_b(&c->p, first);

	(void)seed;
	loss_plan_use(c->p.net, &c->plan);
	fakenet_peer(c->p.net, a, b);
	fakenet_run(c->p.net, offset);
	fakenet_peer(c->p.net, b, a);
}

static void cross_check(struct cross *c, const char *what, unsigned int nr, bool lossy)
{
	struct fakenet *net = c->p.net;
	unsigned int i, got[2];

	fakenet_run(net, 20000);
	if (!fakenet_linked(net, 0, 1))
		fail_msg("%s %u: not linked after 20 s", what, nr);
	/* past every standby, candidate and leg */
	fakenet_run(net, 45000);
	if (!fakenet_linked(net, 0, 1))
		fail_msg("%s %u: not linked after 65 s", what, nr);
	for (i = 0; i < 2; i++) {
		if (fakenet_view(net, (int)i).links != 1)
			fail_msg("%s %u: a link is left over", what, nr);
		assert_int_equal(fakenet_view(net, (int)i).retries, 0);
		/* K has toggled only if a link died on one side meanwhile */
		if (!lossy && fakenet_dp_link(net, (int)i, !i)->slot.k_bit)
			fail_msg("%s %u: K", what, nr);
		assert_int_equal(fakenet_view(net, (int)i).counters.peer_restarts, 0);
		got[i] = net->nodes[i].delivered;
	}
	fakenet_data(net, 0, 1);
	fakenet_run(net, 100);
	fakenet_data(net, 1, 0);
	fakenet_run(net, 100);
	assert_int_equal(net->nodes[0].delivered, got[0] + 1);
	assert_int_equal(net->nodes[1].delivered, got[1] + 1);
}

/* The larger side receives under the index of its msg2. */
static void assert_smallers_handshake(struct cross *c)
{
	const struct fake_sent *msg2 = fakenet_sent(c->p.net, c->p.large, FAKE_MSG2, 0);
	struct fake_link *l = fakenet_dp_link(c->p.net, c->p.large, c->p.small);

	assert_int_equal(l->slot.local_index, fips_get_le32(msg2->data + 4));
}

static void crossed_without_loss(void **state)
{
	static const u64 offsets[] = { 0, 1, 5, 9, 10, 11, 15, 19, 20, 21, 25, 30, 100 };
	unsigned int i;
	int first;

	(void)state;
	for (first = 0; first < 2; first++) {
		for (i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
			struct cross c = { .p = pair_new(i) };

			cross_start(&c, i, first, offsets[i]);
			fakenet_run(c.p.net, 200);
			assert_true(fakenet_linked(c.p.net, 0, 1));
			if (!offsets[i])
				assert_smallers_handshake(&c);
			cross_check(&c, "offset", (unsigned int)offsets[i], false);
			fakenet_free(c.p.net);
		}
	}
}

static void one_pattern(unsigned int nr, int first, u64 offset)
{
	struct cross c = { .p = pair_new(nr) };
	unsigned int x = nr;
	int i;

	for (i = 0; i < 2; i++) {
		c.plan.mask[i][FAKE_MSG1] = masks[x % 3];
		x /= 3;
		c.plan.mask[i][FAKE_MSG2] = masks[x % 3];
		x /= 3;
		c.plan.mask[i][FAKE_FRAME] = x % 2 ? 3 : 0;
		x /= 2;
	}
	cross_start(&c, nr, first, offset);
	cross_check(&c, "pattern", nr * 10 + (unsigned int)first, false);
	fakenet_free(c.p.net);
}

static void crossed_with_every_loss(void **state)
{
	unsigned int nr;

	(void)state;
	for (nr = 0; nr < 324; nr++) {
		one_pattern(nr, 0, 0);
		one_pattern(nr, 0, 12);
		one_pattern(nr, 1, 12);
	}
}

static void crossed_with_jitter_and_random_loss(void **state)
{
	unsigned int nr;

	(void)state;
	for (nr = 0; nr < 200; nr++) {
		struct cross c = { .p = pair_new(5000 + nr) };

		c.p.net->jitter = 300;
		c.p.net->loss_percent = 20;
		fakenet_peer(c.p.net, 0, 1);
		fakenet_run(c.p.net, nr);
		fakenet_peer(c.p.net, 1, 0);
		fakenet_run(c.p.net, 30000);
		c.p.net->loss_percent = 0;
		c.p.net->jitter = 0;
		fakenet_run(c.p.net, 30000);
		c.p.net->drop = NULL;
		cross_check(&c, "random", nr, true);
		fakenet_free(c.p.net);
	}
}

/*
 * Both ask anew beside a link that works (03 §28.1 step 7 holds for these, too), before or after
 * its keys are old enough for a rekey: one link at the end, and the same one.
 */
static void refreshes_cross(void **state)
{
	unsigned int nr;

	(void)state;
	for (nr = 0; nr < 300; nr++) {
		struct cross c = { .p = pair_new(9000 + nr) };
		struct fakenet *net = c.p.net;
		char addr[2][FIPS_TADDR_TEXT_MAX];
		int i, first = nr & 1;

		fakenet_peer(net, 0, 1);
		fakenet_run(net, nr % 3 ? 31000 + 100 * nr : 3000);
		for (i = 0; i < 2; i++)
			fips_taddr_format(&net->nodes[i].transports[0].addr, addr[i]);
		net->loss_percent = nr % 5 * 10;
		net->jitter = nr % 4 * 20;
		fakenet_connect(net, first, !first, addr[!first]);
		fakenet_run(net, nr % 7 * 5);
		fakenet_connect(net, !first, first, addr[first]);
		fakenet_run(net, 8000);
		net->loss_percent = 0;
		net->jitter = 0;
		fakenet_run(net, 30000);
		cross_check(&c, "refresh", nr, true);
		fakenet_free(net);
	}
}

/* A genuine msg1 of the smaller node, which is restarted and has no peers then. */
static void capture_msg1(const struct pair *p, u8 *msg1)
{
	p->net->drop = drop_all;
	fakenet_peer(p->net, p->small, p->large);
	fakenet_run(p->net, 5);
	memcpy(msg1, fakenet_sent(p->net, p->small, FAKE_MSG1, 0)->data, FIPS_MSG1_LEN);
	fakenet_stop(p->net, p->small);
	p->net->nodes[p->small].n_peers = 0;
	fakenet_start(p->net, p->small);
	p->net->drop = NULL;
}

/* The larger node gets it from somewhere: a candidate. */
static void replay_msg1(const struct pair *p, const u8 *msg1)
{
	struct fips_taddr to = fakenet_taddr(p->net, p->large);

	fakenet_inject(p->net, "10.6.6.6:1", &to, msg1, FIPS_MSG1_LEN);
	fakenet_run(p->net, 20);
}

/* A replayed msg1 makes a candidate that never proves itself: the larger side must not wait. */
static void replayed_candidate_does_not_block(void **state)
{
	struct pair p = pair_new(77);
	u8 old[FIPS_MSG1_LEN];

	(void)state;
	capture_msg1(&p, old);
	replay_msg1(&p, old);
	assert_int_equal(fakenet_view(p.net, p.large).legs, 1);
	fakenet_peer(p.net, p.large, p.small);
	fakenet_run(p.net, 4000);
	assert_true(fakenet_linked(p.net, p.small, p.large));
	fakenet_free(p.net);
}

/*
 * A probe is held back, for a candidate might overtake it, and meanwhile the silent link speaks
 * again under new keys. The peer then drops the keys of the probe: nobody must move to them.
 */
static void held_probe_is_not_needed(void **state)
{
	struct pair p = pair_new(79);
	struct node_peer *peer;
	struct fips_node *n;
	u8 old[FIPS_MSG1_LEN];
	unsigned int i;

	(void)state;
	capture_msg1(&p, old);
	fakenet_peer(p.net, p.large, p.small);
	fakenet_run(p.net, 40000);
	replay_msg1(&p, old);
	n = p.net->nodes[p.large].node;
	peer = node_peer_find(n, fakenet_addr(p.net, p.small));
	n->now = fakenet_clock(p.net);
	node_dial_probe(n, &peer->id.addr);
	fakenet_run(p.net, 20);
	assert_non_null(node_link_of_peer(n, &peer->id.addr, NODE_LINK_HELD));
	n->now = fakenet_clock(p.net);
	node_rekey_due(n, &peer->rekey);
	fakenet_run(p.net, 100);
	assert_int_equal(fakenet_view(p.net, p.large).counters.rekey_completed, 1);
	for (i = 0; i < 400; i++) {
		fakenet_data(p.net, p.large, p.small);
		fakenet_run(p.net, 10);
	}
	assert_int_equal(p.net->nodes[p.small].delivered, 400);
	assert_true(fakenet_linked(p.net, p.small, p.large));
	fakenet_free(p.net);
}

/*
 * The smaller side is on the larger one's handshake when its own comes through
 * after all: it moves to that one (03 §10.2 "Swap"; a reference peer is there by then).
 */
static void smaller_side_swaps(void **state)
{
	struct cross c = { .p = pair_new(88) };
	struct fakenet *net = c.p.net;
	u32 own;

	(void)state;
	c.plan.mask[c.p.small][FAKE_MSG1] = 1;
	c.plan.mask[c.p.small][FAKE_FRAME] = 7;	/* so that the larger one has heard nothing yet */
	c.plan.mask[c.p.small][FAKE_MESH] = 7;
	loss_plan_use(net, &c.plan);
	fakenet_peer(net, c.p.small, c.p.large);
	fakenet_peer(net, c.p.large, c.p.small);
	fakenet_run(net, 500);
	own = fips_get_le32(fakenet_sent(net, c.p.small, FAKE_MSG1, 0)->data + 4);
	assert_true(fakenet_has_peer(net, c.p.small, c.p.large));
	assert_int_not_equal(fakenet_dp_link(net, c.p.small, c.p.large)->slot.local_index, own);
	fakenet_run(net, 550);
	assert_int_equal(fakenet_dp_link(net, c.p.small, c.p.large)->slot.local_index, own);
	assert_int_equal(fakenet_dp_link(net, c.p.small, c.p.large)->slot.k_bit, 0);
	cross_check(&c, "swap", 0, false);
	fakenet_free(net);
}

/* The peer does not get what we send on a new link and stays on the old one: keep that. */
static void old_link_in_use_stays(void **state)
{
	struct pair p = pair_new(89);
	struct loss_plan plan = { .seen = { { 0 } } };
	char addr[FIPS_TADDR_TEXT_MAX];

	(void)state;
	fakenet_peer(p.net, p.small, p.large);
	fakenet_run(p.net, 31000);
	plan.mask[p.small][FAKE_FRAME] = ~0u;
	plan.mask[p.small][FAKE_MESH] = ~0u;
	loss_plan_use(p.net, &plan);
	fips_taddr_format(&p.net->nodes[p.large].transports[0].addr, addr);
	assert_int_equal(fakenet_connect(p.net, p.small, p.large, addr), 1);
	fakenet_run(p.net, 19000);
	assert_int_equal(fakenet_dp_links(p.net, p.small), 2);
	p.net->drop = NULL;
	fakenet_run(p.net, 2000);
	assert_true(fakenet_linked(p.net, p.small, p.large));
	fakenet_run(p.net, 20000);
	assert_int_equal(fakenet_dp_links(p.net, p.small), 1);
	assert_int_equal(fakenet_dp_links(p.net, p.large), 1);
	fakenet_free(p.net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crossed_without_loss),
		cmocka_unit_test(crossed_with_every_loss),
		cmocka_unit_test(crossed_with_jitter_and_random_loss),
		cmocka_unit_test(refreshes_cross),
		cmocka_unit_test(replayed_candidate_does_not_block),
		cmocka_unit_test(held_probe_is_not_needed),
		cmocka_unit_test(smaller_side_swaps),
		cmocka_unit_test(old_link_in_use_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
