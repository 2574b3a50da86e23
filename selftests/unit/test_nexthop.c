// SPDX-License-Identifier: MIT
/* Next hops of tree.json, a naive twin, and what we do better. */

#include "nexthop.h"

#include "vectors_mesh.h"

#define PEERS_MAX	8

struct scene {
	struct fips_nexthop_query q;
	struct fips_nexthop_peer peers[PEERS_MAX];
	size_t n;
	struct fips_node_addr mine[FIPS_COORDS_DEPTH];
	struct fips_node_addr dest[FIPS_COORDS_DEPTH];
	struct fips_node_addr path[PEERS_MAX][FIPS_COORDS_DEPTH];
};

static void load_scene(const json_t *kase, struct scene *s)
{
	const char *name;
	json_t *val;

	memset(s, 0, sizeof(*s));
	s->q.self = vec_addr(kase, "self");
	s->q.mine = vec_coords(kase, "my_coords", s->mine);
	s->q.dest = vec_addr(kase, "dest");
	s->q.coords = vec_coords(kase, "dest_coords", s->dest);
	json_object_foreach(vec_get(kase, "peers"), name, val) {
		struct fips_nexthop_peer *p = &s->peers[s->n];

		assert_int_equal(json_object_size(val), 4);
		*p = (struct fips_nexthop_peer) {
			.addr = short_addr((u8)strtoul(name, NULL, 16)),
			.coords = vec_coords(val, "coords", s->path[s->n]),
			.cost = vec_real(val, "link_cost"),
			.can_send = vec_bool(val, "can_send"),
			.may_reach = vec_bool(val, "filter_has_dest"),
		};
		s->n++;
	}
}

static const char *const words[] = {
	[FIPS_NEXTHOP_LOCAL] = "local",
	[FIPS_NEXTHOP_DIRECT] = "direct",
	[FIPS_NEXTHOP_BLOOM] = "bloom",
	[FIPS_NEXTHOP_GREEDY] = "greedy",
	[FIPS_NEXTHOP_NO_COORDS] = "none:no_coords",
	[FIPS_NEXTHOP_OTHER_ROOT] = "none:different_root",
	[FIPS_NEXTHOP_NO_CLOSER] = "none:local_minimum",
	[FIPS_NEXTHOP_NOT_SENDABLE] = "none:best_not_sendable",
};

static void test_vectors(void **state)
{
	json_t *root = vec_load("tree"), *kase;
	struct fips_node_addr want;
	int deviations = 0;
	struct scene s;
	size_t i, at;

	(void)state;
	assert_int_equal(json_array_size(vec_array(root, "next_hop")), 14);
	json_array_foreach(vec_array(root, "next_hop"), i, kase) {
		enum fips_nexthop_result r, ours;

		load_scene(kase, &s);
		s.q.as_reference = true;
		r = fips_nexthop(&s.q, s.peers, s.n, &at);
		vec_expect_str(kase, "result", words[r]);
		assert_int_equal(vec_is_null(kase, "next_hop"), !fips_nexthop_found(r));
		if (fips_nexthop_found(r)) {
			want = vec_addr(kase, "next_hop");
			assert_addr_equal(&s.peers[at].addr, &want);
		}
		s.q.as_reference = false;
		ours = fips_nexthop(&s.q, s.peers, s.n, &at);
		if (r == FIPS_NEXTHOP_NOT_SENDABLE) {
			/* We take the second best (07 L). */
			assert_int_equal(ours, FIPS_NEXTHOP_GREEDY);
			assert_int_equal(s.peers[at].addr.b[0], 0x01);
			deviations++;
		} else {
			assert_int_equal(ours, r);
		}
	}
	assert_int_equal(deviations, 1);
	json_decref(root);
}

/* 07 B with two sorts of all that qualifies. */
static enum fips_nexthop_result naive(const struct scene *s, size_t *at)
{
	u32 d0 = fips_coords_distance(&s->q.mine, &s->q.coords), d, best = FIPS_DISTANCE_INF;
	size_t i, pick = PEERS_MAX;
	bool closer = false;

	for (i = 0; i < s->n; i++) {
		if (!memcmp(&s->peers[i].addr, &s->q.dest, 16) && s->peers[i].can_send) {
			*at = i;
			return FIPS_NEXTHOP_DIRECT;
		}
	}
	for (i = 0; i < s->n; i++) {
		const struct fips_nexthop_peer *p = &s->peers[i];

		d = fips_coords_distance(&p->coords, &s->q.coords);
		if (!p->can_send || !p->may_reach || d >= d0 || p->arrived)
			continue;
		if (pick == PEERS_MAX || p->cost < s->peers[pick].cost ||
		    (p->cost == s->peers[pick].cost &&
		     (d < best || (d == best && memcmp(&p->addr, &s->peers[pick].addr, 16) < 0)))) {
			pick = i;
			best = d;
		}
	}
	*at = pick;
	if (pick < PEERS_MAX)
		return FIPS_NEXTHOP_BLOOM;
	if (d0 == FIPS_DISTANCE_INF)
		return FIPS_NEXTHOP_OTHER_ROOT;
	for (i = 0; i < s->n; i++) {
		const struct fips_nexthop_peer *p = &s->peers[i];

		d = fips_coords_distance(&p->coords, &s->q.coords);
		if (d >= d0 || p->arrived)
			continue;
		closer = true;
		if (!p->can_send)
			continue;
		if (pick == PEERS_MAX || d < best ||
		    (d == best && memcmp(&p->addr, &s->peers[pick].addr, 16) < 0)) {
			pick = i;
			best = d;
		}
	}
	*at = pick;
	return pick < PEERS_MAX ? FIPS_NEXTHOP_GREEDY :
	       closer ? FIPS_NEXTHOP_NOT_SENDABLE : FIPS_NEXTHOP_NO_CLOSER;
}

static struct fips_coords random_path(u64 *rng, struct fips_node_addr *store, u8 first)
{
	u16 n = (u16)(1 + vec_rand(rng) % 4), i;

	for (i = 1; i < n; i++)
		store[i] = short_addr((u8)(10 + vec_rand(rng) % 4));
	store[n - 1] = short_addr((u8)(vec_rand(rng) % 8 == 0));
	store[0] = short_addr(first);
	return (struct fips_coords) { store, n };
}

static void random_scene(u64 *rng, struct scene *s)
{
	size_t i;

	memset(s, 0, sizeof(*s));
	s->q.self = short_addr(100);
	s->q.dest = short_addr((u8)(vec_rand(rng) % 10 ? 101 : 40 + vec_rand(rng) % PEERS_MAX));
	s->q.mine = random_path(rng, s->mine, 100);
	s->q.coords = random_path(rng, s->dest, s->q.dest.b[0]);
	s->n = vec_rand(rng) % (PEERS_MAX + 1);
	for (i = 0; i < s->n; i++) {
		s->peers[i] = (struct fips_nexthop_peer) {
			.addr = short_addr((u8)(40 + (i * 5 + 3) % PEERS_MAX)),
			.coords = random_path(rng, s->path[i], (u8)(40 + (i * 5 + 3) % PEERS_MAX)),
			.cost = 1.0 + (double)(vec_rand(rng) % 3) / 2,
			.can_send = vec_rand(rng) % 4,
			.may_reach = vec_rand(rng) % 2,
			.arrived = vec_rand(rng) % 6 == 0,
		};
		if (vec_rand(rng) % 6 == 0)
			s->peers[i].coords = (struct fips_coords) { NULL, 0 };
	}
}

static void test_twin(void **state)
{
	u64 rng = vec_seed(__func__);
	int seen[8] = { 0 }, i;
	struct scene s;
	size_t at, want_at;

	(void)state;
	for (i = 0; i < 50000; i++) {
		enum fips_nexthop_result r, want;

		random_scene(&rng, &s);
		want = naive(&s, &want_at);
		r = fips_nexthop(&s.q, s.peers, s.n, &at);
		assert_int_equal(r, want);
		if (fips_nexthop_found(r))
			assert_int_equal(at, want_at);
		seen[r]++;
	}
	for (i = FIPS_NEXTHOP_DIRECT; i < 8; i++)
		assert_true(i == FIPS_NEXTHOP_NO_COORDS || seen[i] > 50);
}

/* Not back to where it came from, unless that is the destination (07 L). */
static void test_arrived(void **state)
{
	struct fips_node_addr mine[2] = { { { 10 } }, { { 0 } } };
	struct fips_node_addr there[3] = { { { 50 } }, { { 20 } }, { { 0 } } };
	struct fips_node_addr up[2] = { { { 20 } }, { { 0 } } };
	struct scene s = {
		.q = { { { 10 } }, { mine, 2 }, { { 50 } }, { there, 3 }, false },
		.peers = { { { { 20 } }, { up, 2 }, 1.0, true, true, true } },
		.n = 1,
	};
	size_t at;

	(void)state;
	assert_int_equal(fips_nexthop(&s.q, s.peers, 1, &at), FIPS_NEXTHOP_NO_CLOSER);
	s.q.as_reference = true;
	assert_int_equal(fips_nexthop(&s.q, s.peers, 1, &at), FIPS_NEXTHOP_BLOOM);
	s.peers[0].may_reach = false;
	assert_int_equal(fips_nexthop(&s.q, s.peers, 1, &at), FIPS_NEXTHOP_GREEDY);
	s.q.as_reference = false;
	s.q.dest = short_addr(20);
	assert_int_equal(fips_nexthop(&s.q, s.peers, 1, &at), FIPS_NEXTHOP_DIRECT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_twin),
		cmocka_unit_test(test_arrived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
