// SPDX-License-Identifier: MIT
/*
 * Places in the tree change under traffic (specs 07 A, B, E; 08 §18 item 14):
 * who hears of it, what is forgotten and what goes on, and that nothing goes
 * round in circles.
 */

#include "node_internal.h"	/* for the times */
#include "node_test.h"

static int smallest(const struct fakenet *net)
{
	int i, best = 0;

	for (i = 1; i < net->n_nodes; i++)
		if (fips_node_addr_cmp(&net->nodes[i].keypair.id.addr,
				       &net->nodes[best].keypair.id.addr) < 0)
			best = i;
	return best;
}

/* The others in a line, first to last; the smallest address stays outside. */
struct outsider {
	struct fakenet *net;
	int root;
	int at[FAKE_NODES];
	int count;
};

static struct outsider outsider_new(u64 seed, int count)
{
	struct outsider o = { .net = fakenet_strangers(seed, count) };
	int i;

	o.root = smallest(o.net);
	for (i = 0; i < count; i++) {
		if (i == o.root)
			continue;
		if (o.count)
			fakenet_peer(o.net, o.at[o.count - 1], i);
		o.at[o.count++] = i;
	}
	return o;
}

static const struct fips_coords *coords_of(struct fakenet *net, int of, struct fips_coords *out)
{
	*out = node_coords_own(net->nodes[of].node);
	return out;
}

/* Does @at know where @of is now? */
static bool knows(struct fakenet *net, int at, int of)
{
	struct fips_node *n = net->nodes[at].node;
	struct fips_coord_info info;
	struct fips_coords own;

	return fips_coordcache_peek(&n->mesh.coords, fakenet_addr(net, of), n->now.mono_ms,
				    &info) &&
	       fips_coords_eq(&info.coords, coords_of(net, of, &own));
}

static bool drop_smsg_once(struct fakenet *net, const struct fake_packet *p)
{
	unsigned int *left = net->drop_arg;

	if (p->kind != FAKE_SMSG || !*left)
		return false;
	(*left)--;
	return true;
}

/*
 * (a) Nobody has data to send when a smaller root comes: the far ends hear of the new
 * places all the same, even if the first message is lost.
 */
static void far_ends_are_told(void **state)
{
	unsigned int lose;

	(void)state;
	for (lose = 0; lose < 2; lose++) {
		struct outsider o = outsider_new(20 + lose, 6);
		int a = o.at[0], b = o.at[o.count - 1];
		unsigned int left = 2 * lose;	/* one each */

		fakenet_run(o.net, 2000);
		fakenet_data(o.net, a, b);
		fakenet_run(o.net, 4000);
		assert_true(knows(o.net, a, b) && knows(o.net, b, a));
		o.net->drop_arg = &left;
		o.net->drop = drop_smsg_once;
		fakenet_peer(o.net, b, o.root);
		/* the first may come ahead of the news from the tree, and count for nothing */
		fakenet_run(o.net, lose ? 3000 : 1500);
		assert_true(knows(o.net, a, b) && knows(o.net, b, a));
		fakenet_free(o.net);
	}
}

/* A packet each way every 10 ms while the root changes; how many got lost. */
static unsigned int lost_meanwhile(struct outsider *o, int a, int b, u64 ms)
{
	unsigned int sent = 0, before = o->net->nodes[a].delivered + o->net->nodes[b].delivered;
	u64 end = o->net->now + ms;

	while (o->net->now < end) {
		fakenet_data(o->net, a, b);
		fakenet_data(o->net, b, a);
		sent += 2;
		fakenet_run(o->net, 10);
	}
	fakenet_run(o->net, 500);
	return sent - (o->net->nodes[a].delivered + o->net->nodes[b].delivered - before);
}

/* (c) The next hops are what they were: a change of root costs no packet. */
static void root_change_loses_nothing(void **state)
{
	u64 seed;

	(void)state;
	for (seed = 30; seed < 36; seed++) {
		struct outsider o = outsider_new(seed, 6);
		int a = o.at[0], b = o.at[o.count - 1];

		fakenet_run(o.net, 2000);
		fakenet_data(o.net, a, b);
		fakenet_run(o.net, 1000);
		fakenet_peer(o.net, o.at[(int)seed % o.count], o.root);
		assert_int_equal(lost_meanwhile(&o, a, b, 8000), 0);
		fakenet_free(o.net);
	}
}

static struct fake_route *dp_route(struct fakenet *net, int at, int dest)
{
	struct fake_route *r;

	for (r = net->nodes[at].routes; r; r = r->next)
		if (fips_node_addr_eq(&r->dest, fakenet_addr(net, dest)))
			return r;
	return NULL;
}

static struct fips_coords claim(struct fips_node_addr *list, struct fakenet *net, const int *path,
				u16 count)
{
	u16 i;

	for (i = 0; i < count; i++)
		list[i] = *fakenet_addr(net, path[i]);
	return (struct fips_coords){ .addr = list, .count = count };
}

/*
 * (b) The middle of a line believes the destination where it is not, and has a
 * route back to where traffic comes from: nothing bounces, the source hears of
 * it, and soon all is well.
 */
static void wrong_coordinates_do_not_bounce(void **state)
{
	struct fakenet *net = fakenet_strangers(40, 5);
	struct fips_node_addr list[8];
	struct fips_coord_write w = { .verified = true };
	struct fips_coords own;
	struct fips_clock now;
	unsigned int before, tries;
	int i, path[8], k = 0;

	(void)state;
	for (i = 0; i < 4; i++)
		fakenet_peer(net, i, i + 1);
	fakenet_run(net, 2000);
	fakenet_data(net, 0, 4);
	fakenet_run(net, 1000);
	for (i = 0; i < 10; i++)	/* the warm-up is over */
		fakenet_data(net, 0, 4);
	fakenet_run(net, 1000);
	assert_int_equal(net->nodes[4].delivered, 11);
	/* at node 2: 4 is a child of 1 */
	path[k++] = 4;
	own = node_coords_own(net->nodes[1].node);
	w.addr = fakenet_addr(net, 4);
	w.coords = claim(list, net, path, 1);
	memcpy(&list[1], own.addr, own.count * sizeof(list[0]));
	w.coords.count = (u16)(1 + own.count);
	now = fakenet_clock(net);
	assert_int_equal(fips_coordcache_put(&net->nodes[2].node->mesh.coords, &w, now.mono_ms), 0);
	/* traffic of its own goes there */
	node_route_forget(net->nodes[2].node, fakenet_addr(net, 4));
	assert_true(node_route_offer(net->nodes[2].node, fakenet_addr(net, 4)));
	assert_int_equal(dp_route(net, 2, 4)->link_id,
			 fakenet_dp_link(net, 2, 1)->id);
	before = net->nodes[4].delivered;
	net->n_sent = 0;
	fakenet_data(net, 0, 4);
	fakenet_run(net, 60);
	assert_int_equal(net->nodes[2].circles, 1);
	assert_int_equal(fakenet_count(net, 2, FAKE_DATA), 0);
	assert_false(knows(net, 2, 4));
	assert_int_equal(fakenet_view(net, 2).counters.signals_sent, 1);
	assert_int_equal(fakenet_view(net, 0).counters.signal_path_broken, 1);
	for (tries = 0; tries < 10 && net->nodes[4].delivered == before; tries++) {
		fakenet_data(net, 0, 4);
		fakenet_run(net, 100);
	}
	assert_in_range(tries, 1, 5);
	assert_true(knows(net, 2, 4));
	assert_int_equal(net->nodes[2].circles, 1);
	fakenet_free(net);
}

/* (c) Coordinates that a change of the tree cost keep a route for some seconds, not for ever. */
static void routes_do_not_outlive_their_reason(void **state)
{
	struct fakenet *net = fakenet_strangers(41, 5);
	struct fips_node *n;
	int i;

	(void)state;
	for (i = 0; i < 4; i++)
		fakenet_peer(net, i, i + 1);
	fakenet_run(net, 2000);
	fakenet_data(net, 0, 4);
	fakenet_run(net, 1000);
	n = net->nodes[2].node;
	assert_true(dp_route(net, 2, 4) && dp_route(net, 2, 4)->link_id);
	/* too old: it goes on */
	fips_coordcache_del(&n->mesh.coords, fakenet_addr(net, 4));
	node_route_changed(n);
	fips_timer_set(&n->timers, &n->mesh.route_timer, n->now.mono_ms);
	net->nodes[2].wake = net->now;
	fakenet_run(net, NODE_ROUTE_KEEP_MS + 100);
	assert_true(dp_route(net, 2, 4) && dp_route(net, 2, 4)->link_id);
	/* swept */
	n->mesh.swept = true;
	fips_timer_set(&n->timers, &n->mesh.route_timer, n->now.mono_ms);
	net->nodes[2].wake = net->now;
	fakenet_run(net, NODE_ROUTE_KEEP_MS - 100);
	assert_true(dp_route(net, 2, 4) && dp_route(net, 2, 4)->link_id);
	fakenet_run(net, 300);
	assert_null(dp_route(net, 2, 4));
	fakenet_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(far_ends_are_told),
		cmocka_unit_test(root_change_loses_nothing),
		cmocka_unit_test(wrong_coordinates_do_not_bounce),
		cmocka_unit_test(routes_do_not_outlive_their_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
