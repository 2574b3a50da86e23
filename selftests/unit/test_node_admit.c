// SPDX-License-Identifier: MIT
/* Hostile msg1s: floods, replays, impostors; bounds of the tables (spec 03 §9, §26). */

#include "node_internal.h"	/* for the sizes of its tables */
#include "node_test.h"

static struct fips_taddr addr_of(u32 ip, u16 port)
{
	struct fips_taddr a = { .kind = FIPS_TADDR_IPV4, .port = port };

	fips_put_be32(a.addr, ip);
	return a;
}

/* Junk of the right shape: passes the header, fails the first AEAD. */
static void junk_msg1(struct fakenet *net, u8 *buf)
{
	unsigned int i;

	fips_put_prefix(buf, FIPS_FMP_MSG1, 0, FIPS_MSG1_LEN - 4);
	for (i = 4; i < FIPS_MSG1_LEN; i++)
		buf[i] = (u8)fakenet_random(net);
	buf[8] = 2;
}

/* 3000 a second from one address must not lock anybody else out (03 §26 T1), nor cost much. */
static void flood_from_one_address(void **state)
{
	struct fakenet *net = fakenet_new(1);
	int hub = fakenet_simple(net, 1), peer = fakenet_simple(net, 2);
	struct fips_taddr to = fakenet_taddr(net, hub), from = addr_of(0x0a090909, 5);
	struct fips_node_counters c;
	u8 msg1[FIPS_MSG1_LEN];
	unsigned int i;

	(void)state;
	for (i = 0; i < 30000; i++) {
		junk_msg1(net, msg1);
		from.port = (u16)(i % 50000 + 1);
		fakenet_inject_from(net, &from, &to, msg1, sizeof(msg1));
		if (i % 3 == 2)
			fakenet_run(net, 1);
		if (i == 20000)
			fakenet_peer(net, peer, hub);	/* a newcomer, to the hub a stranger */
	}
	fakenet_run(net, 1000);
	assert_true(fakenet_linked(net, hub, peer));
	c = fakenet_view(net, hub).counters;
	/* an eighth of what strangers may cost: 65 at once, 625 a second */
	assert_in_range(c.handshake_bad_state, 6000, 65 + 625 * 11);
	assert_int_equal(c.handshake_bad_state + c.msg1_rate_limited, 30000);
	fakenet_free(net);
}

/* Spoofed addresses exhaust the strangers' bucket; configured peers come in by another. */
static void spoofed_flood_spares_configured_peers(void **state)
{
	struct fakenet *net = fakenet_new(2);
	int hub = fakenet_simple(net, 1), friend = fakenet_simple(net, 2), a, b;
	struct fips_taddr to = fakenet_taddr(net, hub), from;
	u8 msg1[FIPS_MSG1_LEN];
	unsigned int i;

	(void)state;
	a = fakenet_simple(net, 3);
	b = fakenet_simple(net, 4);
	/* configured with its address, but only it dials */
	fakenet_peer_at(net, hub, friend, "10.0.0.2:2121", FIPS_CONNECT_MANUAL, false);
	for (i = 0; i < 20000; i++) {
		from = addr_of(0x0b000000 + i * 7919, 1);
		junk_msg1(net, msg1);
		fakenet_inject_from(net, &from, &to, msg1, sizeof(msg1));
		if (i % 10 == 9)
			fakenet_run(net, 1);
		if (i == 10000)
			fakenet_peer(net, friend, hub);
		if (i == 10500) {
			fakenet_peer(net, hub, a);	/* what we dial is not limited at all */
			assert_true(fakenet_linked(net, hub, friend));
		}
		if (i == 11000)
			assert_true(fakenet_linked(net, hub, a));
	}
	(void)b;
	assert_int_equal(fakenet_view(net, hub).peers, 2);
	fakenet_free(net);
}

/*
 * From everywhere at once, on a machine where a Diffie-Hellman takes a millisecond:
 * a quarter of the CPU goes, no more.
 */
static void flood_from_everywhere(void **state)
{
	struct fakenet *net = fakenet_new(21);
	int hub = fakenet_add(net, 1);
	struct fips_node_counters c;
	struct fips_taddr to, from;
	u8 msg1[FIPS_MSG1_LEN];
	unsigned int i;

	(void)state;
	net->nodes[hub].timing.rate_limit.dh_cost_us = 1000;
	fakenet_transport(net, hub, "10.0.0.1:2121");
	fakenet_start(net, hub);
	to = fakenet_taddr(net, hub);
	for (i = 0; i < 20000; i++) {
		from = addr_of(0x10000000 + i * 2654435761U % 0x40000000, 1);
		junk_msg1(net, msg1);
		fakenet_inject_from(net, &from, &to, msg1, sizeof(msg1));
		if (i % 2)
			fakenet_run(net, 1);
	}
	fakenet_run(net, 20);
	c = fakenet_view(net, hub).counters;
	assert_in_range(c.handshake_bad_state, 2400, 26 + 250 * 10 + 10);
	assert_int_equal(c.handshake_bad_state + c.msg1_rate_limited, 20000);
	fakenet_free(net);
}

/* From all addresses of one region: it uses up its half, and others come in. */
static void flood_from_a_region(void **state)
{
	struct fakenet *net = fakenet_new(22);
	int hub = fakenet_add(net, 1), peer;
	struct fips_taddr to, from;
	u8 msg1[FIPS_MSG1_LEN];
	unsigned int i;

	(void)state;
	net->nodes[hub].timing.rate_limit.dh_cost_us = 1000;
	fakenet_transport(net, hub, "10.0.0.1:2121");
	fakenet_start(net, hub);
	peer = fakenet_simple(net, 2);
	to = fakenet_taddr(net, hub);
	for (i = 0; i < 20000; i++) {
		from = addr_of(0x0b630000 + i * 7919 % 65536, 1);
		junk_msg1(net, msg1);
		fakenet_inject_from(net, &from, &to, msg1, sizeof(msg1));
		if (i % 2)
			fakenet_run(net, 1);
		if (i == 10000)
			fakenet_peer(net, peer, hub);
	}
	assert_true(fakenet_linked(net, hub, peer));
	assert_in_range(fakenet_view(net, hub).counters.handshake_bad_state, 1200, 1400);
	fakenet_free(net);
}

/* Whoever sends sound ones from one address gets handshake_burst of them at once. */
static void answers_are_rationed(void **state)
{
	struct fakenet *net = fakenet_new(23);
	int hub = fakenet_add(net, 1), i;
	struct fips_node_counters c;
	struct fips_taddr to;
	u8 msg1[FIPS_MSG1_LEN];
	struct stranger s;

	(void)state;
	net->nodes[hub].timing.rate_limit.handshake_burst = 5;
	net->nodes[hub].timing.rate_limit.handshake_rate = 1;
	fakenet_transport(net, hub, "10.0.0.1:2121");
	fakenet_start(net, hub);
	to = fakenet_taddr(net, hub);
	for (i = 0; i < 10; i++) {
		stranger_new(&s, net, 100 + (u32)i);
		stranger_msg1(&s, net, hub, 7, msg1);
		fakenet_inject(net, i < 9 ? "10.3.3.3:1" : "10.5.3.3:1", &to, msg1, sizeof(msg1));
		stranger_free(&s);
	}
	fakenet_run(net, 20);
	c = fakenet_view(net, hub).counters;
	assert_int_equal(fakenet_view(net, hub).legs, 5 + 1);
	assert_int_equal(c.msg1_rate_limited, 4);
	assert_int_equal(c.handshake_bad_state, 0);
	fakenet_free(net);
}

/* One and the same msg1 gets ten answers a second at most. */
static void repetitions_are_rationed(void **state)
{
	struct fakenet *net = fakenet_new(24);
	int hub = fakenet_simple(net, 1), i;
	struct fips_taddr to = fakenet_taddr(net, hub);
	u8 msg1[FIPS_MSG1_LEN];
	struct stranger s;

	(void)state;
	stranger_new(&s, net, 9);
	stranger_msg1(&s, net, hub, 7, msg1);
	for (i = 0; i < 1000; i++) {
		fakenet_inject(net, "10.3.3.3:1", &to, msg1, sizeof(msg1));
		fakenet_run(net, 1);
	}
	fakenet_run(net, 20);
	assert_int_equal(fakenet_view(net, hub).counters.msg1_replayed, 999);
	assert_in_range(fakenet_count(net, hub, FAKE_MSG2), 9, 11);
	stranger_free(&s);
	fakenet_free(net);
}

/* Genuine handshakes of many keys that never go on: candidates stay few, and no peer appears. */
static void candidates_are_bounded(void **state)
{
	struct fakenet *net = fakenet_new(3);
	int hub, friend, i;
	struct fips_taddr to;
	u8 msg1[FIPS_MSG1_LEN];
	struct stranger s;

	(void)state;
	hub = fakenet_add(net, 1);
	net->nodes[hub].timing.rate_limit.handshake_burst = 100000;
	net->nodes[hub].timing.rate_limit.handshake_rate = 100000;
	net->nodes[hub].timing.rate_limit.dh_cost_us = 0;
	net->nodes[hub].timing.limits.max_pending_inbound = 64;
	fakenet_transport(net, hub, "10.0.0.1:2121");
	fakenet_start(net, hub);
	friend = fakenet_simple(net, 2);
	fakenet_peer_at(net, hub, friend, "10.77.0.1:1", FIPS_CONNECT_MANUAL, false);
	to = fakenet_taddr(net, hub);
	/* from one prefix: 16 */
	for (i = 0; i < 40; i++) {
		struct fips_taddr from = addr_of(0x0c000001, (u16)(i + 1));

		stranger_new(&s, net, 100 + (u32)i);
		stranger_msg1(&s, net, hub, 7, msg1);
		fakenet_inject_from(net, &from, &to, msg1, sizeof(msg1));
		stranger_free(&s);
	}
	fakenet_run(net, 20);
	assert_int_equal(fakenet_view(net, hub).legs, 16);
	/* from everywhere: 64 */
	for (i = 0; i < 150; i++) {
		struct fips_taddr from = addr_of(0x0d000001 + ((u32)i << 8), 1);

		stranger_new(&s, net, 200 + (u32)i);
		stranger_msg1(&s, net, hub, 7, msg1);
		fakenet_inject_from(net, &from, &to, msg1, sizeof(msg1));
		stranger_free(&s);
		if (i == 75)	/* 75 more come before it has proven itself */
			fakenet_peer(net, friend, hub);
	}
	fakenet_run(net, 20);
	assert_int_equal(fakenet_view(net, hub).legs, 64 + 1);
	assert_int_equal(fakenet_view(net, hub).peers, 0);
	fakenet_run(net, 20);
	assert_true(fakenet_linked(net, hub, friend));
	assert_int_equal(fakenet_dp_links(net, hub), 64 + 1);
	fakenet_run(net, 31000);
	assert_int_equal(fakenet_dp_links(net, hub), 1);
	assert_int_equal(fakenet_view(net, hub).counters.candidates_expired, 64);
	fakenet_free(net);
}

/* One key, many ephemerals: two candidates. */
static void candidates_of_one_node(void **state)
{
	struct fakenet *net = fakenet_new(4);
	int hub = fakenet_simple(net, 1), i;
	struct fips_taddr to = fakenet_taddr(net, hub);
	u8 msg1[FIPS_MSG1_LEN];
	struct stranger s;

	(void)state;
	stranger_new(&s, net, 9);
	for (i = 0; i < 5; i++) {
		stranger_msg1(&s, net, hub, 7, msg1);
		fakenet_inject(net, "10.3.3.3:1", &to, msg1, sizeof(msg1));
	}
	fakenet_run(net, 20);
	assert_int_equal(fakenet_view(net, hub).legs, 2);
	assert_int_equal(fakenet_view(net, hub).counters.candidates_evicted, 3);
	stranger_free(&s);
	fakenet_free(net);
}

/* Places of configured peers that are not here yet are not given to strangers. */
static void peer_places_are_reserved(void **state)
{
	struct fakenet *net = fakenet_new(5);
	int hub = fakenet_add(net, 1), i, n[6];

	(void)state;
	net->nodes[hub].timing.limits.max_peers = 4;
	fakenet_transport(net, hub, "10.0.0.1:2121");
	fakenet_start(net, hub);
	for (i = 0; i < 6; i++)
		n[i] = fakenet_simple(net, (u8)(i + 2));
	/* two friends, away for now */
	fakenet_peer_at(net, hub, n[0], "10.88.0.1:1", FIPS_CONNECT_AUTO, true);
	fakenet_peer_at(net, hub, n[1], "10.88.0.2:1", FIPS_CONNECT_AUTO, true);
	for (i = 2; i < 6; i++)
		fakenet_peer(net, n[i], hub);
	fakenet_run(net, 5000);
	assert_int_equal(fakenet_view(net, hub).peers, 2);
	fakenet_peer(net, n[0], hub);
	fakenet_peer(net, n[1], hub);
	fakenet_run(net, 2000);
	assert_int_equal(fakenet_view(net, hub).peers, 4);
	assert_true(fakenet_linked(net, hub, n[0]));
	assert_true(fakenet_linked(net, hub, n[1]));
	fakenet_free(net);
}

/*
 * A recorded msg1 comes again: at once, after the candidate's life, after a
 * restart of the responder; with a young and with an old link. Nothing happens
 * to the link, and no Diffie-Hellman is spent while it is remembered.
 */
static void replayed_msg1_never_disturbs(void **state)
{
	static const u64 ages[] = { 100, 5000, 29000, 40000, 200000 };
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
		struct pair p = pair_new(6);
		struct fips_taddr to = fakenet_taddr(p.net, p.large);
		u8 old[FIPS_MSG1_LEN];
		u32 id;
		int k;

		fakenet_peer(p.net, p.small, p.large);
		fakenet_run(p.net, ages[i]);
		memcpy(old, fakenet_sent(p.net, p.small, FAKE_MSG1, 0)->data, sizeof(old));
		id = fakenet_dp_link(p.net, p.large, p.small)->id;
		for (k = 0; k < 3; k++)
			fakenet_inject(p.net, "10.6.6.6:66", &to, old, sizeof(old));
		fakenet_run(p.net, 35000);
		assert_int_equal(fakenet_dp_link(p.net, p.large, p.small)->id, id);
		assert_true(fakenet_linked(p.net, p.small, p.large));
		assert_int_equal(fakenet_view(p.net, p.large).counters.msg1_replayed, 3);
		assert_int_equal(fakenet_dp_links(p.net, p.large), 1);
		fakenet_free(p.net);
	}
}

static void replay_of_an_older_life(void **state)
{
	struct pair p = pair_new(7);
	struct fips_taddr to = fakenet_taddr(p.net, p.large);
	u8 old[FIPS_MSG1_LEN];
	u32 id;

	(void)state;
	fakenet_peer(p.net, p.small, p.large);
	fakenet_run(p.net, 1000);
	memcpy(old, fakenet_sent(p.net, p.small, FAKE_MSG1, 0)->data, sizeof(old));
	fakenet_restart(p.net, p.small);	/* other epoch */
	fakenet_run(p.net, 1000);
	assert_int_equal(fakenet_view(p.net, p.large).counters.peer_restarts, 1);
	/* the responder forgets what it has seen */
	fakenet_restart(p.net, p.large);
	fakenet_run(p.net, 60000);
	assert_true(fakenet_linked(p.net, p.small, p.large));
	fakenet_data(p.net, p.small, p.large);
	fakenet_run(p.net, 100);
	id = fakenet_dp_link(p.net, p.large, p.small)->id;
	fakenet_inject(p.net, "10.6.6.6:66", &to, old, sizeof(old));
	fakenet_run(p.net, 35000);
	assert_int_equal(fakenet_dp_link(p.net, p.large, p.small)->id, id);
	assert_true(fakenet_linked(p.net, p.small, p.large));
	assert_int_equal(fakenet_view(p.net, p.large).counters.peer_restarts, 0);
	assert_int_equal(fakenet_view(p.net, p.large).counters.candidates_expired, 1);
	assert_string_equal(fakenet_session(p.net, p.large, p.small), "established");
	fakenet_free(p.net);
}

/* Same process, other ephemeral, on a young and busy link: silence (03 §28.1 step 4). */
static void second_handshake_on_a_young_link(void **state)
{
	struct pair p = pair_new(8);
	char addr[FIPS_TADDR_TEXT_MAX];
	u32 id;

	(void)state;
	fakenet_peer(p.net, p.small, p.large);
	fakenet_run(p.net, 5000);
	id = fakenet_dp_link(p.net, p.large, p.small)->id;
	fips_taddr_format(&p.net->nodes[p.large].transports[0].addr, addr);
	assert_int_equal(fakenet_connect(p.net, p.small, p.large, addr), 1);
	fakenet_run(p.net, 10000);
	assert_int_equal(fakenet_count(p.net, p.large, FAKE_MSG2), 1);
	assert_int_equal(fakenet_dp_link(p.net, p.large, p.small)->id, id);
	assert_true(fakenet_linked(p.net, p.small, p.large));
	fakenet_free(p.net);
}

/* The peer lost its record of us without a restart; it must not wait until we notice. */
static void peer_forgot_us(void **state)
{
	struct pair p = pair_new(9);
	struct fips_clock now;

	(void)state;
	fakenet_peer(p.net, p.small, p.large);
	fakenet_run(p.net, 5000);
	p.net->drop = drop_all;		/* its Disconnect gets lost */
	now = fakenet_clock(p.net);
	assert_int_equal(fips_node_disconnect(p.net->nodes[p.small].node, &now,
					      fakenet_addr(p.net, p.large)), 0);
	p.net->drop = NULL;
	assert_int_equal(fakenet_connect(p.net, p.small, p.large, p.large == 1 ? "10.0.0.2:2121" :
					 "10.0.0.1:2121"), 0);
	fakenet_run(p.net, 15100);
	assert_true(fakenet_linked(p.net, p.small, p.large));
	fakenet_free(p.net);
}

static void refusing_transport(void **state)
{
	struct fakenet *net = fakenet_new(10);
	int a = fakenet_add(net, 1), b = fakenet_simple(net, 2), c = fakenet_simple(net, 3);
	struct fips_taddr to;
	u8 msg1[FIPS_MSG1_LEN];
	struct stranger s;

	(void)state;
	fakenet_transport(net, a, "10.0.0.1:2121");
	net->nodes[a].transports[0].accept = false;
	fakenet_start(net, a);
	to = fakenet_taddr(net, a);
	fakenet_peer(net, b, a);
	fakenet_run(net, 3500);
	assert_int_equal(fakenet_view(net, a).peers, 0);
	assert_int_equal(fakenet_view(net, a).counters.handshake_bad_state, 3);
	/* it may dial out, and then the other end may come back (rekey, restart) */
	fakenet_peer(net, a, c);
	fakenet_run(net, 1000);
	assert_true(fakenet_linked(net, a, c));
	net->nodes[c].n_peers = 0;
	fakenet_peer(net, c, a);
	fakenet_restart(net, c);
	fakenet_run(net, 1000);
	assert_true(fakenet_linked(net, a, c));
	/* but nobody else from that address (03 §9.3) */
	stranger_new(&s, net, 4);
	stranger_msg1(&s, net, a, 1, msg1);
	fakenet_inject(net, "10.0.0.3:2121", &to, msg1, sizeof(msg1));
	fakenet_run(net, 1000);
	assert_true(fakenet_linked(net, a, c));
	assert_null(fakenet_sent(net, a, FAKE_MSG2, 1));
	stranger_free(&s);
	fakenet_free(net);
}

static void msg1_headers(void **state)
{
	struct fakenet *net = fakenet_new(11);
	int a = fakenet_simple(net, 1);
	struct fips_taddr to = fakenet_taddr(net, a);
	u8 msg1[FIPS_MSG1_LEN + 1], save;
	struct stranger s;
	unsigned int i;

	(void)state;
	stranger_new(&s, net, 4);
	stranger_msg1(&s, net, a, 1, msg1);
	/* every byte flipped, except those that may: sender index, ephemeral's parity */
	for (i = 0; i < FIPS_MSG1_LEN; i++) {
		if (i >= 4 && i <= 8)
			continue;
		save = msg1[i];
		msg1[i] ^= 0x01;
		fakenet_inject(net, "10.4.4.4:1", &to, msg1, FIPS_MSG1_LEN);
		msg1[i] = save;
		fakenet_run(net, 300);
	}
	assert_int_equal(fakenet_view(net, a).links, 0);
	assert_int_equal(fakenet_count(net, a, FAKE_MSG2), 0);
	for (i = 0; i <= sizeof(msg1); i++) {
		if (i != FIPS_MSG1_LEN)
			fakenet_inject(net, "10.4.4.4:1", &to, msg1, i);
	}
	fakenet_run(net, 1000);
	assert_int_equal(fakenet_view(net, a).links, 0);
	fakenet_inject(net, "10.4.4.4:1", &to, msg1, FIPS_MSG1_LEN);
	fakenet_run(net, 1000);
	assert_int_equal(fakenet_view(net, a).legs, 1);
	stranger_free(&s);
	fakenet_free(net);
}

/* More sources and more genuine msg1s than the tables hold. */
static void tables_are_bounded(void **state)
{
	struct fakenet *net = fakenet_new(12);
	int a = fakenet_add(net, 1);
	struct fips_taddr to;
	u8 msg1[FIPS_MSG1_LEN];
	struct stranger s;
	unsigned int i;

	(void)state;
	net->nodes[a].timing.rate_limit.handshake_burst = 1000000;
	net->nodes[a].timing.rate_limit.handshake_rate = 1000000;
	net->nodes[a].timing.rate_limit.dh_cost_us = 0;
	fakenet_transport(net, a, "10.0.0.1:2121");
	fakenet_start(net, a);
	to = fakenet_taddr(net, a);
	stranger_new(&s, net, 4);
	for (i = 0; i < 5000; i++) {
		struct fips_taddr from = addr_of(0x20000000 + i, 1);

		stranger_msg1(&s, net, a, i, msg1);
		fakenet_inject_from(net, &from, &to, msg1, sizeof(msg1));
		if (i % 100 == 0)
			fakenet_run(net, 1);
	}
	fakenet_run(net, 100);
	assert_int_equal(fakenet_view(net, a).legs, 2);
	assert_int_equal(HASH_COUNT(net->nodes[a].node->admit.sources), NODE_SOURCES);
	/* the evicted candidates' entries went with them */
	assert_int_equal(HASH_COUNT(net->nodes[a].node->admit.msg1s), 2);
	fakenet_run(net, 40000);
	assert_int_equal(fakenet_view(net, a).links, 0);
	stranger_free(&s);
	fakenet_free(net);
}

/* Answered msg1s: two of a source every half minute expire and are remembered, up to a bound. */
static void msg1_memory_is_bounded(void **state)
{
	struct fakenet *net = fakenet_new(13);
	int a = fakenet_add(net, 1);
	struct fips_taddr to;
	u8 first[FIPS_MSG1_LEN], msg1[FIPS_MSG1_LEN];
	struct stranger s;
	struct node_admit *admit;
	unsigned int i, k;

	(void)state;
	net->nodes[a].timing.rate_limit.handshake_burst = 1000000;
	net->nodes[a].timing.rate_limit.handshake_rate = 1000000;
	net->nodes[a].timing.rate_limit.handshake_timeout_secs = 1;
	fakenet_transport(net, a, "10.0.0.1:2121");
	fakenet_start(net, a);
	admit = &net->nodes[a].node->admit;
	to = fakenet_taddr(net, a);
	for (i = 0; i < 40; i++) {
		for (k = 0; k < 60; k++) {
			struct fips_taddr from = addr_of(0x20000000 + k, 1);

			stranger_new(&s, net, 1 + k);
			stranger_msg1(&s, net, a, i, msg1);
			if (!i && !k)
				memcpy(first, msg1, sizeof(first));
			fakenet_inject_from(net, &from, &to, msg1, sizeof(msg1));
			stranger_free(&s);
		}
		fakenet_run(net, 1100);
		assert_in_range(HASH_COUNT(admit->msg1s), 1, NODE_MSG1_CACHE);
		if (i == 2) {	/* a replay after its candidate is gone: no work, no answer */
			net->n_sent = 0;
			fakenet_inject(net, "10.1.1.1:1", &to, first, sizeof(first));
			fakenet_run(net, 100);
			assert_int_equal(fakenet_view(net, a).counters.msg1_replayed, 1);
			assert_int_equal(fakenet_count(net, a, FAKE_MSG2), 0);
		}
	}
	assert_int_equal(HASH_COUNT(admit->msg1s), NODE_MSG1_CACHE);
	fakenet_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flood_from_one_address),
		cmocka_unit_test(flood_from_everywhere),
		cmocka_unit_test(flood_from_a_region),
		cmocka_unit_test(answers_are_rationed),
		cmocka_unit_test(repetitions_are_rationed),
		cmocka_unit_test(spoofed_flood_spares_configured_peers),
		cmocka_unit_test(candidates_are_bounded),
		cmocka_unit_test(candidates_of_one_node),
		cmocka_unit_test(peer_places_are_reserved),
		cmocka_unit_test(replayed_msg1_never_disturbs),
		cmocka_unit_test(replay_of_an_older_life),
		cmocka_unit_test(second_handshake_on_a_young_link),
		cmocka_unit_test(peer_forgot_us),
		cmocka_unit_test(refusing_transport),
		cmocka_unit_test(msg1_headers),
		cmocka_unit_test(tables_are_bounded),
		cmocka_unit_test(msg1_memory_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
