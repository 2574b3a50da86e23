// SPDX-License-Identifier: MIT
/* Sessions over ways that are slower than the nodes' patience, and handshakes that cross there. */

#include "node_internal.h"
#include "node_test.h"

/* Linked, with a session, and from now on a datagram takes @way ms. */
static struct pair slow(u64 seed, int a, u64 way)
{
	struct pair p = pair_linked(seed);
	int from = pair_a(&p, a);

	fakenet_data(p.net, from, !from);
	fakenet_run(p.net, 5000);
	assert_true(sessions_match(p.net, p.small, p.large));
	p.net->latency = way;
	return p;
}

/*
 * The way takes longer than half the idle timeout: a session that one end asks for anew must not
 * expire before the far end's data can have come.
 */
static void idle_is_shorter_than_the_way(void **state)
{
	int dialer, i;

	(void)state;
	for (dialer = 0; dialer < 2; dialer++) {
		struct pair p = slow(31, dialer, 1800);
		int a = pair_a(&p, dialer), b = pair_b(&p, dialer);
		unsigned int before;

		for (i = 0; i < 2; i++)
			p.net->nodes[i].node->timing.session.idle_timeout_secs = 3;
		session_forget(p.net, b, a);
		before = p.net->nodes[b].delivered;
		for (i = 0; i < 15; i++) {
			fakenet_data(p.net, a, b);
			fakenet_run(p.net, 1000);
		}
		/* four ways until a has the keys, a fifth for what it sends then */
		assert_in_range(p.net->nodes[b].delivered - before, 5, 7);
		assert_true(sessions_match(p.net, a, b));
		fakenet_free(p.net);
	}
}

/*
 * One end has lost the session and asks anew; the other, to which that is a rekey, asks for one
 * itself. Each sends its msg3 before it has that of the other: both must end with the same keys.
 */
static void first_handshake_crosses_a_rekey(void **state)
{
	int dialer, i;

	(void)state;
	for (dialer = 0; dialer < 2; dialer++) {
		struct pair p = slow(33, dialer, 1500);
		int a = pair_a(&p, dialer), b = pair_b(&p, dialer);
		struct loss_plan plan = { .seen = { { 0 } } };
		struct fips_node *n = p.net->nodes[b].node;
		unsigned int before;

		plan.mask[a][FAKE_MSG3] = 1;
		loss_plan_use(p.net, &plan);
		session_forget(p.net, a, b);
		fakenet_data(p.net, a, b);
		fakenet_run(p.net, 1600);
		n->now = fakenet_clock(p.net);
		assert_int_equal(node_session_renew(n, node_session_find(n, fakenet_addr(p.net, a)),
						    false), 0);
		fakenet_run(p.net, 7400);
		before = p.net->nodes[b].delivered;
		for (i = 0; i < 20; i++) {
			fakenet_data(p.net, a, b);
			fakenet_run(p.net, 100);
		}
		assert_true(sessions_match(p.net, a, b));
		fakenet_run(p.net, 2000);
		assert_int_equal(p.net->nodes[b].delivered - before, 20);
		fakenet_free(p.net);
	}
}

/*
 * The larger address loses the session while the smaller one waits for proof of its rekey, and asks
 * anew: that must not be refused until the rekey has timed out.
 */
static void far_end_forgets_during_a_rekey(void **state)
{
	struct pair p = slow(35, 0, 20);
	struct fips_node *n = p.net->nodes[p.small].node;
	struct loss_plan plan = { .seen = { { 0 } } };
	unsigned int before = 0;
	int i;

	(void)state;
	plan.mask[p.large][FAKE_SMSG] = 7;
	loss_plan_use(p.net, &plan);
	n->now = fakenet_clock(p.net);
	assert_int_equal(node_session_renew(n, node_session_find(n, fakenet_addr(p.net, p.large)),
					    false), 0);
	fakenet_run(p.net, 70);
	session_forget(p.net, p.large, p.small);
	for (i = 0; i < 100; i++) {
		fakenet_data(p.net, p.small, p.large);
		fakenet_run(p.net, 100);
		if (i == 79)
			before = p.net->nodes[p.large].delivered;
	}
	assert_int_equal(p.net->nodes[p.large].delivered - before, 20);
	assert_true(sessions_match(p.net, p.small, p.large));
	fakenet_free(p.net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle_is_shorter_than_the_way),
		cmocka_unit_test(first_handshake_crosses_a_rekey),
		cmocka_unit_test(far_end_forgets_during_a_rekey),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
