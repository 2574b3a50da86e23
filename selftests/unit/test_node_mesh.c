// SPDX-License-Identifier: MIT
/* Several hops: tree, filters, lookups, routes and error signals together (specs 05 to 08). */

#include "node_internal.h"	/* for the sizes of its tables */
#include "node_test.h"

static struct fakenet *line(u64 seed, int count)
{
	struct fakenet *net = fakenet_strangers(seed, count);
	int i;

	for (i = 0; i + 1 < count; i++)
		fakenet_peer(net, i, i + 1);
	return net;
}

static struct fips_mesh_view view_of(struct fakenet *net, int i)
{
	struct fips_clock now = fakenet_clock(net);
	struct fips_mesh_view v;

	fips_node_mesh_view(net->nodes[i].node, &now, &v);
	return v;
}

static int smallest(const struct fakenet *net)
{
	int i, best = -1;

	for (i = 0; i < net->n_nodes; i++) {
		const struct fake_node *f = &net->nodes[i];

		if (f->node && (best < 0 ||
				fips_node_addr_cmp(&f->keypair.id.addr,
						   &net->nodes[best].keypair.id.addr) < 0))
			best = i;
	}
	return best;
}

/* All live nodes agree on the root. */
static bool one_root(struct fakenet *net)
{
	int i, root = smallest(net);

	for (i = 0; i < net->n_nodes; i++) {
		struct fips_mesh_view v;

		if (!net->nodes[i].node)
			continue;
		v = view_of(net, i);
		if (!fips_node_addr_eq(fips_coords_root(&v.coords), fakenet_addr(net, root)))
			return false;
	}
	return true;
}

/* Data of @a, a packet every 200 ms, arrives at @b. */
static void assert_talks(struct fakenet *net, int a, int b, u64 ms)
{
	unsigned int before = net->nodes[b].delivered;
	u64 end = net->now + ms;

	while (net->now < end && net->nodes[b].delivered == before) {
		fakenet_data(net, a, b);
		fakenet_run(net, 200);
	}
	if (net->nodes[b].delivered == before)
		fail_msg("%d does not reach %d in %d ms", a, b, (int)ms);
}

static void three_in_a_line(void **state)
{
	struct fakenet *net = line(1, 3);
	struct fips_mesh_view v;
	int mid = 1;

	(void)state;
	assert_true(fakenet_until(net, one_root, 1000));
	fakenet_run(net, 200);
	v = view_of(net, mid);
	assert_true(v.size_known && v.size > 2.5 && v.size < 3.5);
	assert_talks(net, 0, 2, 500);
	assert_true(net->nodes[mid].forwarded);
	assert_int_equal(fakenet_view(net, 0).counters.lookup.resp_accepted, 1);
	assert_int_equal(fakenet_view(net, mid).counters.lookup.resp_forwarded, 1);
	assert_talks(net, 2, 0, 100);	/* the same session, and no lookup */
	assert_int_equal(fakenet_view(net, 2).counters.lookup.req_initiated, 0);
	assert_talks(net, 1, 0, 500);
	/* transit asks once, not for each packet */
	assert_true(net->nodes[mid].misses_asked <= 2);
	fakenet_free(net);
}

/* A packet from before the first link: it goes as soon as a filter knows where. */
static void cold_start(void **state)
{
	struct fakenet *net = fakenet_strangers(2, 3);

	(void)state;
	fakenet_data(net, 0, 2);
	fakenet_peer(net, 0, 1);
	fakenet_peer(net, 1, 2);
	fakenet_run(net, 500);
	assert_int_equal(net->nodes[2].delivered, 1);
	assert_int_equal(net->nodes[0].icmp, 0);
	fakenet_free(net);
}

static void long_line_all_pairs(void **state)
{
	const int n = 12;
	struct fakenet *net = line(3, n);
	int i, j;

	(void)state;
	fakenet_run(net, 1500);
	assert_true(one_root(net));
	for (i = 0; i < n; i++)
		for (j = 0; j < n; j++)
			if (i != j)
				assert_talks(net, i, j, 3000);
	fakenet_free(net);
}

static void ring_loses_a_link(void **state)
{
	struct fakenet *net = fakenet_strangers(4, 6);
	int i;

	(void)state;
	for (i = 0; i < 6; i++)
		fakenet_peer(net, i, (i + 1) % 6);
	fakenet_run(net, 1000);
	assert_talks(net, 0, 3, 1000);
	assert_talks(net, 3, 0, 1000);
	/* each neighbour of 0 in turn: one of the two ways is gone each time */
	fakenet_stop(net, 1);
	fakenet_run(net, 45000);
	assert_true(one_root(net));
	assert_talks(net, 0, 3, 3000);
	assert_talks(net, 2, 5, 3000);
	fakenet_start(net, 1);
	fakenet_run(net, 40000);
	fakenet_stop(net, 5);
	fakenet_run(net, 45000);
	assert_true(one_root(net));
	assert_talks(net, 0, 3, 3000);
	fakenet_free(net);
}

/* A node with a smaller address joins at the end: the whole line turns round. */
static void root_change(void **state)
{
	struct fakenet *net = fakenet_strangers(5, 5);
	int root = smallest(net), i, prev = -1, first = -1, last = -1;

	(void)state;
	for (i = 0; i < 5; i++) {
		if (i == root)
			continue;
		if (prev >= 0)
			fakenet_peer(net, prev, i);
		else
			first = i;
		prev = i;
		last = i;
	}
	fakenet_run(net, 2000);
	assert_talks(net, first, last, 2000);
	fakenet_peer(net, last, root);
	assert_true(fakenet_until(net, one_root, 2000));
	assert_talks(net, first, last, 2000);
	assert_talks(net, first, root, 3000);
	assert_talks(net, root, first, 3000);
	fakenet_free(net);
}

static bool lossy(struct fakenet *net, const struct fake_packet *p)
{
	return p->kind == FAKE_MESH && fakenet_random(net) % 100 < 30;
}

/* Three in ten of the mesh's own messages get lost for a while. */
static void messages_get_lost(void **state)
{
	u64 seed;

	(void)state;
	for (seed = 0; seed < 10; seed++) {
		struct fakenet *net = line(600 + seed, 5);

		net->drop = lossy;
		fakenet_run(net, 30000);
		net->drop = NULL;
		fakenet_run(net, 120000);	/* the longest until a refresh */
		assert_true(one_root(net));
		assert_talks(net, 0, 4, 20000);
		assert_talks(net, 4, 0, 20000);
		fakenet_free(net);
	}
}

static bool mesh_of_early(struct fakenet *net, const struct fake_packet *p)
{
	return p->kind == FAKE_MESH && p->src == 1 && net->now < *(const u64 *)net->drop_arg;
}

/*
 * All that the middle says gets lost for some seconds: the first copies and their repetitions. It
 * sees from what the others declare that they lack it, and the filters come once more anyway.
 */
static void announces_are_made_up_for(void **state)
{
	u64 until, seed;

	(void)state;
	for (seed = 0; seed < 6; seed++) {
		struct fakenet *net = fakenet_strangers(700 + seed, 3);

		until = net->now + 1000 + 1500 * seed;	/* 8.5 s at most */
		net->drop_arg = &until;
		net->drop = mesh_of_early;
		fakenet_peer(net, 0, 1);
		fakenet_peer(net, 1, 2);
		fakenet_run(net, until - net->now);
		assert_false(one_root(net));	/* it is the middle */
		assert_true(fakenet_until(net, one_root, 9000));
		fakenet_run(net, 10000);
		assert_talks(net, 0, 2, 8000);
		assert_talks(net, 2, 0, 1000);
		fakenet_free(net);
	}
}

/* Transit has forgotten where the destination is, and says so. */
static void coordinates_forgotten(void **state)
{
	struct fakenet *net = line(7, 5);
	struct fips_node *n;
	int i;

	(void)state;
	fakenet_run(net, 1500);
	assert_talks(net, 0, 4, 2000);
	fakenet_run(net, 1000);
	for (i = 0; i < 10; i++)	/* the warm-up is over */
		fakenet_data(net, 0, 4);
	fakenet_run(net, 1000);
	n = net->nodes[2].node;
	node_route_withdraw(n, fakenet_addr(net, 4));
	fakenet_data(net, 0, 4);
	fakenet_run(net, 300);
	assert_int_equal(fakenet_view(net, 2).counters.signals_sent, 1);
	assert_int_equal(fakenet_view(net, 0).counters.signal_coords_required, 1);
	assert_talks(net, 0, 4, 2000);
	fakenet_free(net);
}

/*
 * The far end has started over and is still being sent to, without coordinates by
 * now: it looks the sender up, whose key it knows, and asks for a session anew.
 */
static void far_end_starts_over(void **state)
{
	struct fakenet *net = line(10, 4);
	struct fips_clock now;
	int i;

	(void)state;
	fakenet_peer(net, 3, 2);
	fakenet_run(net, 1500);
	assert_talks(net, 0, 3, 2000);
	for (i = 0; i < 10; i++)	/* the warm-up is over */
		fakenet_data(net, 0, 3);
	fakenet_run(net, 1000);
	fakenet_restart(net, 3);
	now = fakenet_clock(net);
	fips_node_learn(net->nodes[3].node, &now, &net->nodes[0].keypair.id);
	fakenet_run(net, 2000);
	fakenet_data(net, 0, 3);
	fakenet_run(net, 1000);
	assert_in_range(fakenet_view(net, 3).counters.lookup.req_initiated, 1, 2);
	assert_talks(net, 0, 3, 200);
	fakenet_free(net);
}

/* Nobody has heard of the target: refused after a while, and not for long. */
static void unknown_target(void **state)
{
	struct fakenet *net = line(8, 3);
	struct fips_clock now = fakenet_clock(net);
	struct stranger s;

	(void)state;
	stranger_new(&s, net, 99);
	fips_node_learn(net->nodes[0].node, &now, &s.kp.id);
	fakenet_run(net, 1000);
	fakenet_data_to(net, 0, s.kp.id.ipv6);
	fakenet_run(net, NODE_LOOKUP_WAIT_MS + 100);
	assert_int_equal(net->nodes[0].icmp, 1);
	assert_int_equal(fakenet_view(net, 0).sessions, 0);
	assert_int_equal(fakenet_view(net, 0).counters.lookup.req_bloom_miss, 1);
	stranger_free(&s);
	fakenet_free(net);
}

/* No session, nothing to say: announces and filters stop. */
static void quiet_when_idle(void **state)
{
	struct fakenet *net = line(9, 4);
	unsigned int sent;

	(void)state;
	fakenet_run(net, 30000);	/* the last repetition of a filter */
	net->n_sent = 0;
	fakenet_run(net, 120000);
	sent = fakenet_count(net, -1, FAKE_MESH);
	assert_in_range(sent, 18, 36);	/* six ends of links: a filter each 20 to 40 s */
	fakenet_free(net);
}

/* Node @liar says to node 1 that @parents, nodes that nobody is, lead from it to the root. */
static void announce_lie(struct fakenet *net, int liar, u64 sequence,
			 const struct fips_node_addr *parents, u16 count)
{
	const struct fips_keypair *kp = &net->nodes[liar].keypair;
	struct fips_tree_meta meta[1 + FIPS_COORDS_DEPTH] = { { sequence, 0 } };
	struct fips_node_addr path[1 + FIPS_COORDS_DEPTH] = { kp->id.addr };
	struct fips_tree_decl decl = { kp->id.addr, parents[0], sequence, 0 };
	struct fips_event ev = { .type = FIPS_EV_LINK_MSG };
	struct fips_clock now = fakenet_clock(net);
	struct fips_rng rng = fakenet_rng(net);
	u8 msg[4096], sig[FIPS_SIG_LEN];
	int len;

	memcpy(path + 1, parents, count * sizeof(*path));
	assert_int_equal(fips_tree_sign(&net->pk, &rng, kp->secret, &decl, sig), 0);
	len = fips_tree_announce_build(msg, sizeof(msg), &decl, path, meta, count + 1, sig);
	assert_true(len > 0);
	ev.link_msg.id = fakenet_dp_link(net, 1, liar)->id;
	ev.link_msg.msg = msg;
	ev.link_msg.len = (size_t)len;
	fips_node_event(net->nodes[1].node, &now, &ev);
}

/* A neighbour that announces without end is heard now and then, and with its last word. */
static void announces_are_rationed(void **state)
{
	struct fakenet *net = line(10, 2);
	const struct fips_tree_stats *stats;
	struct fips_node_addr root = { { 0 } };
	u64 before;
	u32 i;

	(void)state;
	fakenet_run(net, 3000);
	stats = fips_tree_stats(net->nodes[1].node->mesh.tree);
	before = stats->verdict[FIPS_TREE_ACCEPTED];
	for (i = 0; i < 200; i++) {
		root.b[15] = (u8)i;
		announce_lie(net, 0, 1000 + i, &root, 1);
	}
	assert_in_range(stats->verdict[FIPS_TREE_ACCEPTED] - before, NODE_TREE_IN_BURST - 4,
			NODE_TREE_IN_BURST);
	assert_in_range(fakenet_view(net, 1).counters.tree_parked, 168, 174);
	fakenet_run(net, 200);
	assert_in_range(stats->verdict[FIPS_TREE_ACCEPTED] - before, NODE_TREE_IN_BURST - 3,
			NODE_TREE_IN_BURST + 1);
	assert_memory_equal(fips_tree_root(net->nodes[1].node->mesh.tree), &root, sizeof(root));
	/* its first root was smaller than all, the others were not */
	assert_in_range(fakenet_view(net, 1).counters.tree_root_lowered, 1, 2);
	fakenet_free(net);
}

/* 0 - 1 - 2, and 3 at 1; all of them send reports, and 0 and 2 know each other's keys. */
static struct fakenet *reporting_star(u64 seed)
{
	struct fakenet *net = fakenet_new(seed);
	struct fips_clock now;
	char addr[FIPS_TADDR_TEXT_MAX];
	int i;

	for (i = 0; i < 4; i++) {
		fakenet_add(net, (u8)(i + 1));
		net->nodes[i].timing.mmp.mode = FIPS_MMP_FULL;
		net->nodes[i].timing.session_mmp.mode = FIPS_MMP_FULL;
		snprintf(addr, sizeof(addr), "10.0.0.%d:2121", i + 1);
		fakenet_transport(net, i, addr);
		fakenet_start(net, i);
	}
	now = fakenet_clock(net);
	fips_node_learn(net->nodes[0].node, &now, &net->nodes[2].keypair.id);
	fips_node_learn(net->nodes[2].node, &now, &net->nodes[0].keypair.id);
	fakenet_peer(net, 0, 1);
	fakenet_peer(net, 2, 1);
	fakenet_peer(net, 3, 1);
	return net;
}

/*
 * A signed lie about a root so far away that only node 1 can follow: its
 * neighbours fall out of the tree. They go on talking to each other through it.
 */
static void deep_root_does_not_cut(void **state)
{
	struct fips_node_addr parents[FIPS_COORDS_DEPTH];
	struct fakenet *net = reporting_star(11);
	struct fips_rng rng = fakenet_rng(net);
	unsigned int before;
	u16 count;
	int i;

	(void)state;
	fakenet_run(net, 3000);
	assert_talks(net, 0, 2, 2000);
	for (i = 0; i < 20; i++) {	/* until reports have come */
		assert_talks(net, 0, 2, 200);
		assert_talks(net, 2, 0, 200);
	}
	count = (u16)((net->nodes[1].node->transport_mtu - 136) / 32 - 2);
	assert_int_equal(fips_random(&rng, parents, count * sizeof(parents[0])), 0);
	memset(&parents[count - 1], 0, sizeof(parents[0]));
	announce_lie(net, 3, 1000, parents, count);
	fakenet_run(net, 500);
	assert_memory_equal(fips_tree_root(net->nodes[1].node->mesh.tree), &parents[count - 1],
			    sizeof(parents[0]));
	assert_true(fakenet_view(net, 0).counters.tree_too_deep);
	for (i = 0; i < 100; i++) {
		before = net->nodes[2].delivered;
		fakenet_data(net, 0, 2);
		fakenet_data(net, 2, 0);
		fakenet_run(net, 200);
		if (net->nodes[2].delivered == before)
			fail_msg("cut off after %d ms", i * 200);
	}
	fakenet_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_in_a_line),
		cmocka_unit_test(cold_start),
		cmocka_unit_test(long_line_all_pairs),
		cmocka_unit_test(ring_loses_a_link),
		cmocka_unit_test(root_change),
		cmocka_unit_test(messages_get_lost),
		cmocka_unit_test(announces_are_made_up_for),
		cmocka_unit_test(coordinates_forgotten),
		cmocka_unit_test(far_end_starts_over),
		cmocka_unit_test(unknown_target),
		cmocka_unit_test(quiet_when_idle),
		cmocka_unit_test(announces_are_rationed),
		cmocka_unit_test(deep_root_does_not_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
