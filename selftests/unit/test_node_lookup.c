// SPDX-License-Identifier: MIT
/*
 * Whom a lookup goes to (issue "beyond the filter"; spec 07 D): a node with a
 * parent, two children and three neighbours beside the tree, whose filters the
 * test makes. And what becomes of a filter that is older than its place.
 */

#include "node_internal.h"
#include "node_test.h"

enum who { PARENT, CHILD1, CHILD2, BESIDE1, BESIDE2, BESIDE3, WHO };

enum filter {
	NONE,		/* announced nothing */
	MISS,
	HIT,		/* a filter of half the cap */
	SURE,		/* a small one */
	FULL_MISS,
	FULL_HIT,
	OVER_HIT,	/* the newest was refused; the one before had the target */
};

#define ONLY(who)	(1u << (who))

/**
 * struct lookup_case - a choice
 * @filter: of each neighbour
 * @large: the mesh is
 * @from: who asks, or WHO
 * @to: set of them that are asked
 * @some: so many of @to are enough, 0 = all
 */
static const struct lookup_case {
	const char *name;
	enum filter filter[WHO];
	bool large;
	enum who from;
	u32 to;
	u32 some;
} lookup_cases[] = {
	{ "hits", { HIT, MISS, HIT, HIT }, false, WHO, ONLY(PARENT) | ONLY(CHILD2), 0 },
	{ "never back", { HIT, MISS, HIT }, false, PARENT, ONLY(CHILD2), 0 },
	{ "small mesh: a miss is one", { MISS, MISS, MISS }, false, WHO, 0, 0 },
	{ "beside the tree, a few", { MISS, MISS, MISS, HIT, HIT, HIT }, false, PARENT,
	  ONLY(BESIDE1) | ONLY(BESIDE2) | ONLY(BESIDE3), NODE_FALLBACK },
	{ "large: a sure hit alone", { FULL_HIT, SURE, MISS }, true, WHO, ONLY(CHILD1), 0 },
	{ "large: an unsure one, and up", { FULL_MISS, HIT, MISS }, true, WHO,
	  ONLY(CHILD1) | ONLY(PARENT), 0 },
	{ "large: up, whatever its filter says", { MISS, MISS, MISS }, true, CHILD1,
	  ONLY(PARENT), 0 },
	{ "large: up without a filter", { NONE, MISS, MISS }, true, WHO, ONLY(PARENT), 0 },
	{ "large: up and to full children", { FULL_HIT, FULL_MISS, MISS }, true, CHILD2,
	  ONLY(PARENT) | ONLY(CHILD1), 0 },
	{ "large: down to full children", { FULL_HIT, FULL_MISS, OVER_HIT }, true, PARENT,
	  ONLY(CHILD1) | ONLY(CHILD2), 0 },
	{ "large: down to hits and full ones", { FULL_HIT, HIT, FULL_MISS }, true, PARENT,
	  ONLY(CHILD1) | ONLY(CHILD2), 0 },
	{ "large: a sure hit, not the full one", { FULL_HIT, SURE, FULL_MISS }, true, PARENT,
	  ONLY(CHILD1), 0 },
	{ "large: nobody below", { FULL_HIT, MISS, MISS, FULL_HIT, FULL_HIT }, true, PARENT, 0, 0 },
};

/**
 * struct lookup_star - the middle and its neighbours
 * @node: number of each neighbour
 * @mid: number of the middle
 */
struct lookup_star {
	struct fakenet *net;
	int node[WHO];
	int mid;
};

static int by_addr(struct fakenet *net, int rank)
{
	int i, k, smaller;

	for (i = 0; i < net->n_nodes; i++) {
		for (k = 0, smaller = 0; k < net->n_nodes; k++)
			smaller += fips_node_addr_cmp(fakenet_addr(net, k),
						      fakenet_addr(net, i)) < 0;
		if (smaller == rank)
			return i;
	}
	return -1;
}

/* The root is the parent of the middle and of those beside it. */
static void star_new(struct lookup_star *s)
{
	int i;

	s->net = fakenet_strangers(31, WHO + 1);
	for (i = 0; i < WHO; i++)
		s->node[i] = by_addr(s->net, i);
	s->mid = by_addr(s->net, WHO);
	for (i = 0; i < WHO; i++)
		fakenet_peer(s->net, s->mid, s->node[i]);
	for (i = BESIDE1; i < WHO; i++)
		fakenet_peer(s->net, s->node[PARENT], s->node[i]);
	fakenet_run(s->net, 3000);
}

static struct node_peer *star_peer(const struct lookup_star *s, int who)
{
	return node_peer_find(s->net->nodes[s->mid].node, fakenet_addr(s->net, s->node[who]));
}

static void fill_to(struct fips_bloom_peer *f, u32 popcount, const struct fips_bloom_key *but)
{
	u32 bit, i;

	for (bit = 0; f->popcount < popcount; bit++) {
		for (i = 0; i < FIPS_BLOOM_HASHES && but->bit[i] != bit; i++)
			;
		if (i < FIPS_BLOOM_HASHES || f->filter.bits[bit / 8] >> bit % 8 & 1)
			continue;
		f->filter.bits[bit / 8] |= (u8)(1 << bit % 8);
		f->popcount++;
	}
}

static void make_filter(struct fips_node *n, struct node_peer *p, enum filter kind,
			const struct fips_node_addr *target)
{
	struct fips_bloom_peer *f = &p->mesh.filter;
	u32 max = n->mesh.filter_max;
	struct fips_bloom_key key;

	fips_bloom_key(&key, target);
	*f = (struct fips_bloom_peer) { .known = kind != NONE, .sequence = 1 };
	if (kind == HIT || kind == SURE || kind == FULL_HIT || kind == OVER_HIT)
		fips_bloom_insert(&f->filter, &key);
	f->popcount = fips_bloom_popcount(&f->filter);
	if (kind != NONE)
		fill_to(f, kind == FULL_HIT || kind == FULL_MISS ? max :
			   kind == SURE ? n->mesh.filter_sure : max / 2, &key);
	f->over = kind == OVER_HIT;
	p->mesh.outdated = false;
}

static void check_case(const struct lookup_star *s, const struct lookup_case *c,
		       const struct fips_node_addr *target)
{
	struct fips_node *n = s->net->nodes[s->mid].node;
	struct node_peer *out[NODE_RECIPIENTS];
	const struct fips_node_addr *from = NULL;
	u32 got = 0, i, k;
	size_t count;

	for (i = 0; i < WHO; i++)
		make_filter(n, star_peer(s, (int)i), c->filter[i], target);
	n->mesh.size_stale = false;
	n->mesh.size_known = true;
	n->mesh.size = c->large ? NODE_MESH_LARGE + 100 : 100;
	if (c->from < WHO)
		from = fakenet_addr(s->net, s->node[c->from]);
	count = node_lookup_recipients(n, target, from, out);
	for (i = 0; i < count; i++)
		for (k = 0; k < WHO; k++)
			if (out[i] == star_peer(s, (int)k))
				got |= 1u << k;
	if (count != (size_t)__builtin_popcount(got))
		fail_msg("%s: somebody is asked twice", c->name);
	if (c->some ? (got & ~c->to) || count != c->some : got != c->to)
		fail_msg("%s: %#x are asked and not %#x", c->name, got, c->to);
}

static void recipients(void **state)
{
	struct lookup_star s;
	struct stranger far;
	size_t i;

	(void)state;
	star_new(&s);
	stranger_new(&far, s.net, 77);
	for (i = 0; i < sizeof(lookup_cases) / sizeof(lookup_cases[0]); i++)
		check_case(&s, &lookup_cases[i], &far.kp.id.addr);
	stranger_free(&far);
	fakenet_free(s.net);
}

/* The filters of @src get lost. */
static bool no_filters_of(struct fakenet *net, const struct fake_packet *p)
{
	return p->kind == FAKE_MESH && p->src == *(const int *)net->drop_arg &&
	       p->len > FIPS_FILTER_LEN;
}

/*
 * A root with two children, and under the one a third node, which is beside the
 * other. When it comes over, the filter that it sent there before has all the
 * mesh: it must not go up as what is below.
 */
static void filter_from_before(void **state)
{
	struct fakenet *net = fakenet_strangers(32, 4);
	int root = by_addr(net, 0), a = by_addr(net, 1), b = by_addr(net, 2), x = by_addr(net, 3);
	const struct node_peer *p;
	struct fips_node *n;

	(void)state;
	fakenet_peer(net, a, root);
	fakenet_peer(net, b, root);
	fakenet_peer(net, x, a);
	fakenet_run(net, 1000);
	fakenet_peer(net, x, b);
	fakenet_run(net, 1000);
	n = net->nodes[b].node;
	p = node_peer_find(n, fakenet_addr(net, x));
	assert_true(fips_bloom_contains(&p->mesh.filter.filter, &n->mesh.own_key));
	net->drop_arg = &x;
	net->drop = no_filters_of;
	fakenet_stop(net, a);
	fakenet_run(net, 1000 * net->nodes[x].timing.link_dead_timeout_secs + 10000);
	assert_true(fips_tree_is_child(n->mesh.tree, &p->id.addr));
	assert_int_equal(fakenet_view(net, b).counters.bloom_outdated, 1);
	assert_true(p->mesh.outdated);
	p = node_peer_find(net->nodes[root].node, fakenet_addr(net, b));
	assert_true(p->mesh.filter.popcount <= FIPS_BLOOM_HASHES);	/* itself alone */
	net->drop = NULL;
	fakenet_run(net, 2 * NODE_FILTER_REFRESH_MS);
	p = node_peer_find(net->nodes[root].node, fakenet_addr(net, b));
	assert_in_range(p->mesh.filter.popcount, FIPS_BLOOM_HASHES + 1, 2 * FIPS_BLOOM_HASHES);
	fakenet_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recipients),
		cmocka_unit_test(filter_from_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
