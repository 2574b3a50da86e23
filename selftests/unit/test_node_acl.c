// SPDX-License-Identifier: MIT
/* The access lists at each place of spec 03 §17.5, and when they change. */

#include "node_test.h"

/* Deny @peer at @node, or everybody (-1), or nobody any more (-2). */
static void deny(struct fakenet *net, int node, int peer)
{
	struct fips_clock now = fakenet_clock(net);
	struct fips_acl acl = { .deny.all = peer == -1 };

	if (peer >= 0)
		assert_int_equal(fips_acl_list_add(&acl.deny, fakenet_addr(net, peer)), 0);
	assert_int_equal(fips_node_set_acl(net->nodes[node].node, &now, &acl), 0);
	fips_acl_clear(&acl);
}

static const struct fips_node_counters *counters(struct fakenet *net, int node)
{
	static struct fips_node_view v;

	v = fakenet_view(net, node);
	return &v.counters;
}

/* No msg1 leaves, whatever list of addresses the peer has; the schedule goes on trying. */
static void outbound_connect(void **state)
{
	struct pair p = pair_new(1);

	(void)state;
	deny(p.net, p.small, p.large);
	fakenet_peer(p.net, p.small, p.large);
	fakenet_run(p.net, 60000);
	assert_int_equal(fakenet_count(p.net, -1, FAKE_MSG1), 0);
	assert_in_range(counters(p.net, p.small)->acl_outbound_connect, 2, 6);
	/* The list allows it: it is dialled at once. */
	deny(p.net, p.small, -2);
	fakenet_run(p.net, 1000);
	assert_true(fakenet_linked(p.net, p.small, p.large));
	fakenet_free(p.net);
}

static void operators_connect(void **state)
{
	struct pair p = pair_new(2);
	struct fips_clock now = fakenet_clock(p.net);
	struct fips_peer_addr addr = { "udp", "10.0.0.9:2121", 100 };
	char why[256], want[256];

	(void)state;
	deny(p.net, p.small, -1);
	assert_int_equal(fips_node_connect(p.net->nodes[p.small].node, &now,
					   &p.net->nodes[p.large].keypair.id, &addr, why,
					   sizeof(why)), -EACCES);
	snprintf(want, sizeof(want), "access denied: peer %s rejected by ACL: denylist match",
		 p.net->nodes[p.large].keypair.id.npub);
	assert_string_equal(why, want);
	fakenet_run(p.net, 1000);
	assert_int_equal(fakenet_count(p.net, -1, FAKE_MSG1), 0);
	fakenet_free(p.net);
}

/* Silence: no msg2, no state; other nodes come in. */
static void inbound_handshake(void **state)
{
	struct pair p = pair_new(3);
	int third = fakenet_simple(p.net, 3);

	(void)state;
	deny(p.net, p.large, p.small);
	fakenet_peer(p.net, p.small, p.large);
	fakenet_run(p.net, 20000);
	assert_true(fakenet_count(p.net, p.small, FAKE_MSG1) > 1);
	assert_int_equal(fakenet_count(p.net, p.large, FAKE_MSG2), 0);
	assert_int_equal(fakenet_dp_links(p.net, p.large), 0);
	assert_true(counters(p.net, p.large)->acl_inbound_handshake >= 1);
	fakenet_peer(p.net, third, p.large);
	fakenet_run(p.net, 1000);
	assert_true(fakenet_linked(p.net, third, p.large));
	assert_false(fakenet_has_peer(p.net, p.large, p.small));
	fakenet_free(p.net);
}

static bool deny_on_msg2(struct fakenet *net, const struct fake_packet *pkt)
{
	int *dialer = net->drop_arg;

	if (pkt->kind == FAKE_MSG2)
		deny(net, *dialer, -1);
	return false;
}

/* The list changes while a msg2 is under way. */
static void outbound_handshake(void **state)
{
	struct pair p = pair_new(4);

	(void)state;
	p.net->drop = deny_on_msg2;
	p.net->drop_arg = &p.small;
	fakenet_peer(p.net, p.small, p.large);
	fakenet_run(p.net, 5000);
	assert_int_equal(counters(p.net, p.small)->acl_outbound_handshake, 1);
	assert_false(fakenet_has_peer(p.net, p.small, p.large));
	assert_int_equal(fakenet_dp_links(p.net, p.small), 0);
	fakenet_free(p.net);
}

static bool lose_frames(struct fakenet *net, const struct fake_packet *pkt)
{
	(void)net;
	return pkt->kind != FAKE_MSG1 && pkt->kind != FAKE_MSG2;
}

/* A candidate that was let in is put to the list again before it is a link. */
static void promotion(void **state)
{
	struct pair p = pair_new(5);

	(void)state;
	p.net->drop = lose_frames;
	fakenet_peer(p.net, p.small, p.large);
	fakenet_run(p.net, 100);
	assert_int_equal(fakenet_dp_links(p.net, p.large), 1);
	assert_false(fakenet_has_peer(p.net, p.large, p.small));
	deny(p.net, p.large, p.small);
	p.net->drop = NULL;
	fakenet_run(p.net, 15000);
	assert_true(counters(p.net, p.large)->acl_promotion >= 1);
	assert_false(fakenet_has_peer(p.net, p.large, p.small));
	assert_int_equal(fakenet_dp_links(p.net, p.large), 0);
	fakenet_free(p.net);
}

/* Who is denied gets a Disconnect and stays away; who is allowed does not even notice. */
static void reload(void **state)
{
	struct pair p = pair_new(6);
	int third = fakenet_simple(p.net, 3);
	u32 link;

	(void)state;
	fakenet_peer(p.net, p.small, p.large);
	fakenet_peer(p.net, p.large, third);
	fakenet_run(p.net, 2000);
	assert_true(fakenet_linked(p.net, p.small, p.large));
	assert_true(fakenet_linked(p.net, third, p.large));
	link = fakenet_dp_link(p.net, p.large, p.small)->id;
	p.net->n_sent = 0;
	deny(p.net, p.large, third);
	assert_false(fakenet_has_peer(p.net, p.large, third));
	assert_int_equal(counters(p.net, p.large)->acl_reload, 1);
	fakenet_run(p.net, 100);
	assert_false(fakenet_has_peer(p.net, third, p.large));
	fakenet_run(p.net, 60000);
	assert_int_equal(fakenet_count(p.net, p.large, FAKE_MSG1), 0);
	assert_int_equal(fakenet_dp_link(p.net, p.large, p.small)->id, link);
	assert_int_equal(fakenet_count(p.net, p.small, FAKE_MSG1), 0);
	deny(p.net, p.large, -2);
	fakenet_run(p.net, 1000);
	assert_true(fakenet_linked(p.net, third, p.large));
	assert_int_equal(fakenet_dp_link(p.net, p.large, p.small)->id, link);
	fakenet_free(p.net);
}

/* Everybody at once, in the middle of handshakes in both directions. */
static void deny_all_at_any_time(void **state)
{
	u64 at;

	(void)state;
	for (at = 0; at < 120; at += 3) {
		struct fakenet *net = fakenet_strangers(at, 4);

		fakenet_peer(net, 0, 1);
		fakenet_peer(net, 1, 0);
		fakenet_peer(net, 2, 0);
		fakenet_peer(net, 0, 3);
		fakenet_run(net, at);
		deny(net, 0, -1);
		fakenet_run(net, 70000);
		assert_int_equal(fakenet_view(net, 0).peers, 0);
		assert_int_equal(fakenet_dp_links(net, 0), 0);
		fakenet_free(net);
	}
}

/* A flood of the unwanted must not become a flood of log lines. */
static void log_is_bounded(void **state)
{
	struct pair p = pair_new(8);
	struct fips_clock now = fakenet_clock(p.net);
	struct fips_peer_addr addr = { "udp", "10.0.0.9:2121", 100 };
	unsigned int i;

	(void)state;
	deny(p.net, p.small, -1);
	for (i = 0; i < 1000; i++)
		fips_node_connect(p.net->nodes[p.small].node, &now,
				  &p.net->nodes[p.large].keypair.id, &addr, NULL, 0);
	assert_int_equal(counters(p.net, p.small)->acl_outbound_connect, 1000);
	assert_in_range(p.net->nodes[p.small].acl_lines, 1, 21);
	fakenet_free(p.net);
}

static void identity_cache_is_asked(void **state)
{
	struct pair p = pair_new(9);
	struct fips_clock now = fakenet_clock(p.net);
	const struct fips_identity *other = &p.net->nodes[p.large].keypair.id;
	struct fips_node *n = p.net->nodes[p.small].node;

	(void)state;
	assert_false(fips_node_knows(n, other));
	assert_true(fips_node_knows(n, &p.net->nodes[p.small].keypair.id));
	fips_node_learn(n, &now, other);
	assert_true(fips_node_knows(n, other));
	fakenet_free(p.net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outbound_connect),
		cmocka_unit_test(operators_connect),
		cmocka_unit_test(inbound_handshake),
		cmocka_unit_test(outbound_handshake),
		cmocka_unit_test(promotion),
		cmocka_unit_test(reload),
		cmocka_unit_test(deny_all_at_any_time),
		cmocka_unit_test(log_is_bounded),
		cmocka_unit_test(identity_cache_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
