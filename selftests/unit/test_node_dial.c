// SPDX-License-Identifier: MIT
/* Who is dialled, where, and when again: spec 03 §18, 10 §1.4. */

#include "node_internal.h"
#include "node_test.h"

static void take_retry(void *arg, const struct fips_retry_view *v)
{
	*(struct fips_retry_view *)arg = *v;
}

static struct fips_retry_view retry_of(struct fakenet *net, int node)
{
	struct fips_retry_view v = { .count = 9999 };
	struct fips_clock now = fakenet_clock(net);

	fips_node_each_retry(net->nodes[node].node, &now, take_retry, &v);
	return v;
}

/* Failure n waits min(5 * 2^n, 300) s, a tenth more at most; for ever (03 §18.3). */
static void backoff_schedule(void **state)
{
	static const u64 waits[] = { 10, 20, 40, 80, 160, 300, 300, 300 };
	struct pair p = pair_new(1);
	unsigned int i;
	u64 start;

	(void)state;
	p.net->drop = drop_all;
	fakenet_peer(p.net, p.small, p.large);
	start = p.net->now;
	for (i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		const struct fake_sent *s;
		u64 wait;

		fakenet_run(p.net, start + 30000 - p.net->now);
		assert_int_equal(retry_of(p.net, p.small).count, i + 1);
		assert_true(retry_of(p.net, p.small).auto_reconnect);
		wait = retry_of(p.net, p.small).due_wall_ms - fakenet_clock(p.net).wall_ms;
		assert_in_range(wait, waits[i] * 1000, waits[i] * 1100);
		p.net->n_sent = 0;
		fakenet_run(p.net, wait);
		s = fakenet_sent(p.net, p.small, FAKE_MSG1, 0);
		assert_non_null(s);
		assert_int_equal(s->at, p.net->now);
		start = s->at;
	}
	p.net->drop = NULL;
	fakenet_run(p.net, 1100);
	assert_true(fakenet_linked(p.net, p.small, p.large));
	assert_int_equal(fakenet_view(p.net, p.small).retries, 0);
	fakenet_free(p.net);
}

static void no_retries_when_told(void **state)
{
	struct fakenet *net = fakenet_new(2);
	int a = fakenet_add(net, 1), b = fakenet_simple(net, 2);

	(void)state;
	net->nodes[a].timing.retry.max_retries = 0;
	fakenet_transport(net, a, "10.0.0.1:2121");
	fakenet_start(net, a);
	net->drop = drop_all;
	fakenet_peer(net, a, b);
	fakenet_run(net, 100000);
	assert_int_equal(fakenet_count(net, a, FAKE_MSG1), 5);
	fakenet_free(net);
}

static void only_auto_connect_dials(void **state)
{
	struct fakenet *net = fakenet_new(3);
	int a = fakenet_simple(net, 1), b = fakenet_simple(net, 2), c = fakenet_simple(net, 3);

	(void)state;
	fakenet_peer_at(net, a, b, "10.0.0.2:2121", FIPS_CONNECT_MANUAL, true);
	fakenet_peer_at(net, a, c, "10.0.0.3:2121", FIPS_CONNECT_ON_DEMAND, true);
	fakenet_data(net, a, c);
	fakenet_run(net, 100000);
	assert_int_equal(fakenet_count(net, a, FAKE_MSG1), 0);
	assert_int_equal(net->nodes[a].icmp, 1);
	/* the operator may; twice the same path is one handshake */
	assert_int_equal(fakenet_connect(net, a, b, "10.0.0.2:2121"), 0);
	assert_int_equal(fakenet_connect(net, a, b, "10.0.0.2:2121"), 0);
	fakenet_run(net, 100);
	assert_true(fakenet_linked(net, a, b));
	/* and when that link dies it stays dead */
	fakenet_stop(net, b);
	fakenet_run(net, 100000);
	assert_int_equal(fakenet_view(net, a).peers, 0);
	assert_int_equal(fakenet_count(net, a, FAKE_MSG1), 1);
	fakenet_free(net);
}

static void auto_reconnect_off(void **state)
{
	struct fakenet *net = fakenet_new(4);
	int a = fakenet_simple(net, 1), b = fakenet_simple(net, 2);

	(void)state;
	fakenet_peer_at(net, a, b, "10.0.0.2:2121", FIPS_CONNECT_AUTO, false);
	fakenet_run(net, 1000);
	fakenet_stop(net, b);
	fakenet_run(net, 200000);
	assert_int_equal(fakenet_count(net, a, FAKE_MSG1), 1);
	assert_int_equal(fakenet_view(net, a).retries, 0);
	fakenet_free(net);
}

static void host_names(void **state)
{
	struct fakenet *net = fakenet_new(5);
	int a = fakenet_simple(net, 1), b = fakenet_simple(net, 2), c = fakenet_simple(net, 3);

	(void)state;
	fakenet_peer_at(net, a, b, "node1:2121", FIPS_CONNECT_AUTO, true);
	fakenet_peer_at(net, a, c, "nowhere:2121", FIPS_CONNECT_AUTO, true);
	fakenet_run(net, 40);
	assert_int_equal(fakenet_view(net, a).legs, 0);
	fakenet_run(net, 60);
	assert_true(fakenet_linked(net, a, b));
	assert_int_equal(fakenet_view(net, a).retries, 1);	/* the one that has no address */
	assert_int_equal(retry_of(net, a).count, 1);
	fakenet_run(net, 60000);
	assert_true(retry_of(net, a).count >= 2);
	fakenet_free(net);
}

/* Odd texts: an answer, never a dial. */
static void bad_addresses(void **state)
{
	static const struct {
		const char *transport;
		const char *addr;
		int err;
	} cases[] = {
		{ "udp", "", -EINVAL },
		{ "udp", "host", -EINVAL },
		{ "udp", ":2121", -EINVAL },
		{ "udp", "host:", -EINVAL },
		{ "udp", "host:0", -EINVAL },
		{ "udp", "host:65536", -EINVAL },
		{ "udp", "host:12x", -EINVAL },
		{ "udp", "host: 12", -EINVAL },
		{ "udp", "[::1]:2121", -ENODEV },
		{ "udp/", "10.0.0.2:2121", -EPROTONOSUPPORT },
		{ "/udp", "10.0.0.2:2121", -EPROTONOSUPPORT },
		{ "udp/other", "10.0.0.2:2121", -ENODEV },
		{ "udp/other", "host:2121", -EINVAL },
		{ "UDP", "10.0.0.2:2121", -EPROTONOSUPPORT },
		{ "smoke", "10.0.0.2:2121", -EPROTONOSUPPORT },
		{ "", "10.0.0.2:2121", -EPROTONOSUPPORT },
		{ "tcp", "10.0.0.2:2121", -EPROTONOSUPPORT },
	};
	struct fakenet *net = fakenet_new(6);
	int a = fakenet_simple(net, 1), b = fakenet_simple(net, 2);
	struct fips_clock now = fakenet_clock(net);
	unsigned int i;
	char why[128];

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fips_peer_addr addr = {
			.transport = cases[i].transport, .addr = cases[i].addr,
		};

		why[0] = 0;
		assert_int_equal(fips_node_connect(net->nodes[a].node, &now,
						   &net->nodes[b].keypair.id, &addr, why,
						   sizeof(why)), cases[i].err);
		assert_true(why[0]);
	}
	fakenet_run(net, 1000);
	assert_int_equal(fakenet_count(net, a, FAKE_MSG1), 0);
	assert_null(net->nodes[a].node->dials);
	fakenet_free(net);
}

static void set_peers(struct fakenet *net, int node, int peer, const struct fips_peer_addr *addrs,
		      size_t count)
{
	struct fips_peer_config cfg = {
		.id = net->nodes[peer].keypair.id,
		.alias = "friend",
		.addrs = addrs,
		.addr_count = count,
		.policy = FIPS_CONNECT_AUTO,
		.auto_reconnect = true,
	};
	struct fips_clock now = fakenet_clock(net);

	assert_int_equal(fips_node_set_peers(net->nodes[node].node, &now, &cfg, 1), 0);
}

/* All at once, by priority, four at most, doubles once (03 §18.2). */
static void several_addresses(void **state)
{
	const struct fips_peer_addr addrs[] = {
		{ "udp", "10.0.9.6:1", 6 }, { "udp", "10.0.9.3:1", 3 }, { "udp", "10.0.9.5:1", 5 },
		{ "udp", "10.0.9.1:1", 1 }, { "udp", "10.0.9.3:1", 3 },
		{ "udp", "10.0.0.2:2121", 2 }, { "udp", "10.0.9.4:1", 3 },
	};
	static const u8 order[] = { 1, 2, 3, 4 };
	struct fakenet *net = fakenet_new(7);
	int a = fakenet_simple(net, 1), b = fakenet_simple(net, 2), i;

	(void)state;
	set_peers(net, a, b, addrs, sizeof(addrs) / sizeof(addrs[0]));
	assert_int_equal(fakenet_count(net, a, FAKE_MSG1), 4);
	for (i = 0; i < 4; i++)
		assert_int_equal(fakenet_sent(net, a, FAKE_MSG1, (unsigned int)i)->to.addr[3],
				 order[i]);
	fakenet_run(net, 100);
	assert_true(fakenet_linked(net, a, b));
	assert_int_equal(fakenet_view(net, a).legs, 0);	/* the siblings are cancelled */
	assert_int_equal(fakenet_dp_links(net, a), 1);
	assert_int_equal(net->nodes[a].node->dials->legs, 0);
	fakenet_free(net);
}

/* Two paths to the same node, both work: one link, no flapping. */
static void two_paths_one_link(void **state)
{
	const struct fips_peer_addr addrs[] = {
		{ "udp", "10.0.0.2:2121", 1 }, { "udp", "[fd00:9::2]:2121", 2 },
	};
	struct fakenet *net = fakenet_new(8);
	int a = fakenet_simple(net, 1), b = fakenet_simple(net, 2);
	u32 ida, idb;

	(void)state;
	fakenet_transport(net, a, "[fd00:9::1]:2121");
	fakenet_transport(net, b, "[fd00:9::2]:2121");
	set_peers(net, a, b, addrs, 2);
	assert_int_equal(fakenet_count(net, a, FAKE_MSG1), 2);
	fakenet_run(net, 500);
	assert_true(fakenet_linked(net, a, b));
	ida = fakenet_dp_link(net, a, b)->id;
	idb = fakenet_dp_link(net, b, a)->id;
	fakenet_run(net, 120000);
	assert_true(fakenet_linked(net, a, b));
	assert_int_equal(fakenet_dp_link(net, a, b)->id, ida);
	assert_int_equal(fakenet_dp_link(net, b, a)->id, idb);
	assert_int_equal(fakenet_dp_links(net, a), 1);
	assert_int_equal(fakenet_dp_links(net, b), 1);
	fakenet_free(net);
}

/* An address whose transport comes up later is dialled then. */
static void transport_comes_late(void **state)
{
	const struct fips_peer_addr addrs[] = { { "udp", "[fd00:9::2]:2121", 2 } };
	struct fakenet *net = fakenet_new(9);
	int a = fakenet_simple(net, 1), b = fakenet_simple(net, 2);

	(void)state;
	fakenet_transport(net, b, "[fd00:9::2]:2121");
	set_peers(net, a, b, addrs, 1);
	fakenet_run(net, 1000);
	assert_int_equal(fakenet_count(net, a, FAKE_MSG1), 0);
	fakenet_transport(net, a, "[fd00:9::1]:2121");
	fakenet_run(net, 100);
	assert_true(fakenet_linked(net, a, b));
	fakenet_free(net);
}

static void reconfiguration(void **state)
{
	const struct fips_peer_addr bad[] = { { "udp", "10.0.9.1:1", 1 } };
	const struct fips_peer_addr good[] = { { "udp", "10.0.0.2:2121", 1 } };
	struct fakenet *net = fakenet_new(10);
	int a = fakenet_simple(net, 1), b = fakenet_simple(net, 2);
	struct fips_clock now;

	(void)state;
	set_peers(net, a, b, bad, 1);
	fakenet_run(net, 31000);
	assert_int_equal(fakenet_view(net, a).retries, 1);
	set_peers(net, a, b, bad, 1);	/* the same again: the schedule stays */
	fakenet_run(net, 100);
	assert_int_equal(fakenet_view(net, a).legs, 0);
	set_peers(net, a, b, good, 1);	/* changed: at once */
	fakenet_run(net, 100);
	assert_true(fakenet_linked(net, a, b));
	/* gone: the link stays, but is not dialled again */
	now = fakenet_clock(net);
	assert_int_equal(fips_node_set_peers(net->nodes[a].node, &now, NULL, 0), 0);
	assert_null(net->nodes[a].node->dials);
	fakenet_run(net, 20000);
	assert_true(fakenet_linked(net, a, b));
	fakenet_stop(net, b);
	net->n_sent = 0;
	fakenet_run(net, 100000);
	assert_int_equal(fakenet_count(net, a, FAKE_MSG1), 0);
	/* gone while it is being dialled, and while its name is looked up */
	fakenet_peer_at(net, a, b, "node1:1", FIPS_CONNECT_AUTO, true);
	now = fakenet_clock(net);
	assert_int_equal(fips_node_set_peers(net->nodes[a].node, &now, NULL, 0), 0);
	fakenet_run(net, 100000);
	assert_null(net->nodes[a].node->dials);
	assert_null(net->nodes[a].node->queries);
	fakenet_free(net);
}

static void budgets(void **state)
{
	struct fakenet *net = fakenet_new(11);
	int a = fakenet_add(net, 1), i;
	char addr[32];

	(void)state;
	net->nodes[a].timing.limits.max_connections = 3;
	fakenet_transport(net, a, "10.0.0.1:2121");
	fakenet_start(net, a);
	for (i = 0; i < 6; i++) {
		int peer = fakenet_add(net, (u8)(10 + i));

		snprintf(addr, sizeof(addr), "10.0.8.%d:1", i);
		fakenet_peer_at(net, a, peer, addr, FIPS_CONNECT_AUTO, true);
	}
	fakenet_run(net, 10);
	assert_int_equal(fakenet_view(net, a).legs, 3);
	assert_int_equal(fakenet_view(net, a).retries, 3);
	fakenet_run(net, 400000);
	assert_true(fakenet_view(net, a).legs <= 3);
	assert_int_equal(fakenet_view(net, a).retries, 6);
	fakenet_free(net);
}

/* Identities: bounded, the least recently used goes, pinned ones stay. */
static void identity_cache(void **state)
{
	struct fakenet *net = fakenet_new(12);
	int a = fakenet_add(net, 1), b = fakenet_simple(net, 2), i;
	struct fips_clock now;
	struct fips_identity id;
	u8 first[FIPS_IPV6_LEN];

	(void)state;
	net->nodes[a].timing.cache.identity_size = 10;
	fakenet_transport(net, a, "10.0.0.1:2121");
	fakenet_start(net, a);
	fakenet_peer(net, a, b);
	fakenet_run(net, 100);
	id = net->nodes[b].keypair.id;
	now = fakenet_clock(net);
	for (i = 0; i < 100; i++) {
		id.addr.b[0] = (u8)i;
		id.addr.b[1] = 0x77;
		fips_node_addr_to_ipv6(&id.addr, id.ipv6);
		if (!i)
			memcpy(first, id.ipv6, sizeof(first));
		fips_node_learn(net->nodes[a].node, &now, &id);
		fakenet_data_to(net, a, first);	/* uses it: keeps it */
		fakenet_run(net, 1500);
	}
	assert_int_equal(fakenet_view(net, a).identities, 10);
	assert_non_null(node_identity_by_ipv6(net->nodes[a].node, first));
	assert_non_null(node_identity_by_ipv6(net->nodes[a].node, net->nodes[b].keypair.id.ipv6));
	fakenet_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(backoff_schedule),
		cmocka_unit_test(no_retries_when_told),
		cmocka_unit_test(only_auto_connect_dials),
		cmocka_unit_test(auto_reconnect_off),
		cmocka_unit_test(host_names),
		cmocka_unit_test(bad_addresses),
		cmocka_unit_test(several_addresses),
		cmocka_unit_test(two_paths_one_link),
		cmocka_unit_test(transport_comes_late),
		cmocka_unit_test(reconfiguration),
		cmocka_unit_test(budgets),
		cmocka_unit_test(identity_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
