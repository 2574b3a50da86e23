// SPDX-License-Identifier: MIT
/* The coordinate cache: rules of spec 07 A and L, a naive twin, and its bounds. */

#include "coordcache.h"

#include <errno.h>

#include "vectors_mesh.h"

static const u8 key[FIPS_ADDRTABLE_KEY_LEN] = { 1, 2, 3 };

/* A path from node @n by way of @via to root @root. */
static struct fips_coords path(struct fips_node_addr *store, u8 n, u8 via, u8 root)
{
	store[0] = short_addr(n);
	store[1] = short_addr(via);
	store[2] = short_addr(root);
	return (struct fips_coords) { store, 3 };
}

static int put(struct fips_coordcache *c, u8 n, u8 via, struct fips_coord_source *source,
	       bool verified, u64 now)
{
	struct fips_node_addr store[3], addr = short_addr(n);
	const struct fips_coord_write w = {
		.addr = &addr,
		.coords = path(store, n, via, 0),
		.source = source,
		.verified = verified,
	};

	return fips_coordcache_put(c, &w, now);
}

static bool get(struct fips_coordcache *c, u8 n, u64 now)
{
	struct fips_node_addr addr = short_addr(n);
	struct fips_coords coords;
	bool found = fips_coordcache_get(c, &addr, now, &coords);

	if (found)
		assert_addr_equal(&coords.addr[0], &addr);
	return found;
}

static bool peek(const struct fips_coordcache *c, u8 n, u64 now, struct fips_coord_info *info)
{
	struct fips_node_addr addr = short_addr(n);

	return fips_coordcache_peek(c, &addr, now, info);
}

static void test_life(void **state)
{
	struct fips_coordcache c;
	struct fips_coord_info info;

	(void)state;
	assert_int_equal(fips_coordcache_init(&c, 10, 0, 300000, key), 0);
	assert_false(get(&c, 1, 0));
	assert_int_equal(put(&c, 1, 2, NULL, false, 1000), 0);
	/* At exactly the deadline it is still valid. */
	assert_true(peek(&c, 1, 301000, &info));
	assert_false(peek(&c, 1, 301001, &info));
	assert_true(get(&c, 1, 301000));
	assert_true(peek(&c, 1, 601000, &info));
	assert_int_equal(info.created_ms, 1000);
	assert_int_equal(info.used_ms, 301000);
	assert_int_equal(info.expires_ms, 601000);
	assert_int_equal(info.coords.count, 3);
	/* Looking at it renews nothing; too late, it is gone. */
	assert_false(get(&c, 1, 601001));
	assert_int_equal(fips_coordcache_count(&c), 0);
	assert_int_equal(c.stats.expired, 1);
	assert_int_equal(c.stats.misses, 2);
	assert_int_equal(c.stats.hits, 1);
	fips_coordcache_fini(&c);
	/* A TTL without end. */
	assert_int_equal(fips_coordcache_init(&c, 10, 0, ~0ull, key), 0);
	assert_int_equal(put(&c, 1, 2, NULL, false, 1000), 0);
	assert_true(get(&c, 1, ~0ull - 1));
	fips_coordcache_fini(&c);
}

static void test_renewal(void **state)
{
	struct fips_node_addr store[3], addr = short_addr(1);
	struct fips_coordcache c;
	struct fips_coord_info info;
	struct fips_coord_write w = { .addr = &addr, .path_mtu = 1400, .verified = true };

	(void)state;
	assert_int_equal(fips_coordcache_init(&c, 10, 0, 300000, key), 0);
	w.coords = path(store, 1, 2, 0);
	assert_int_equal(fips_coordcache_put(&c, &w, 1000), 0);
	/* An unverified one is held off for a while, then replaces all but MTU and birth. */
	assert_int_equal(put(&c, 1, 9, NULL, false, 1000 + FIPS_COORD_VERIFIED_MS - 1), -EEXIST);
	assert_int_equal(c.stats.kept, 1);
	assert_true(peek(&c, 1, 6000, &info));
	assert_true(info.verified);
	assert_int_equal(info.used_ms, 1000);
	assert_int_equal(info.coords.addr[1].b[0], 2);
	assert_int_equal(put(&c, 1, 9, NULL, false, 1000 + FIPS_COORD_VERIFIED_MS), 0);
	assert_true(peek(&c, 1, 6000, &info));
	assert_false(info.verified);
	assert_int_equal(info.coords.addr[1].b[0], 9);
	assert_int_equal(info.path_mtu, 1400);
	assert_int_equal(info.created_ms, 1000);
	/* A verified one always does. */
	w.path_mtu = 1300;
	assert_int_equal(fips_coordcache_put(&c, &w, 6001), 0);
	assert_int_equal(fips_coordcache_put(&c, &w, 6002), 0);
	assert_true(peek(&c, 1, 6002, &info));
	assert_int_equal(info.path_mtu, 1300);
	assert_int_equal(info.coords.addr[1].b[0], 2);
	assert_true(fips_coordcache_del(&c, &addr));
	assert_false(fips_coordcache_del(&c, &addr));
	fips_coordcache_fini(&c);
}

static void test_refused(void **state)
{
	struct fips_node_addr store[65] = { { { 7 } } };
	struct fips_node_addr addr = short_addr(7), other = short_addr(8);
	struct fips_coordcache c;
	struct fips_coord_write w = { .addr = &addr, .coords = { store, 0 }, .verified = true };

	(void)state;
	assert_int_equal(fips_coordcache_init(&c, 10, 0, 300000, key), 0);
	assert_int_equal(fips_coordcache_put(&c, &w, 0), -EINVAL);
	w.coords.count = 65;
	assert_int_equal(fips_coordcache_put(&c, &w, 0), -EINVAL);
	w.coords.count = 64;
	assert_int_equal(fips_coordcache_put(&c, &w, 0), 0);
	/* Somebody else's path under this key (07 J). */
	w.addr = &other;
	assert_int_equal(fips_coordcache_put(&c, &w, 0), -EINVAL);
	assert_int_equal(c.stats.refused, 3);
	assert_int_equal(fips_coordcache_count(&c), 1);
	fips_coordcache_fini(&c);
}

static void test_lru(void **state)
{
	struct fips_coordcache c;
	struct fips_coord_info info;
	u8 i;

	(void)state;
	assert_int_equal(fips_coordcache_init(&c, 4, 0, 300000, key), 0);
	for (i = 1; i <= 4; i++)
		assert_int_equal(put(&c, i, 9, NULL, false, i), 0);
	assert_true(get(&c, 1, 10));
	assert_true(peek(&c, 2, 11, &info));
	assert_int_equal(put(&c, 3, 9, NULL, false, 12), 0);
	/* 2 was only looked at: it is the one that idled longest. */
	assert_int_equal(put(&c, 5, 9, NULL, false, 13), 0);
	assert_int_equal(fips_coordcache_count(&c), 4);
	assert_int_equal(c.stats.evicted, 1);
	assert_false(peek(&c, 2, 13, &info));
	assert_int_equal(put(&c, 6, 9, NULL, false, 14), 0);
	assert_false(peek(&c, 4, 14, &info));
	assert_true(peek(&c, 1, 14, &info) && peek(&c, 3, 14, &info) && peek(&c, 5, 14, &info));
	fips_coordcache_fini(&c);
}

static void test_shares(void **state)
{
	struct fips_coord_source a = { 0 }, b = { 0 };
	struct fips_coordcache c;
	struct fips_coord_info info;
	int i;

	(void)state;
	assert_int_equal(fips_coordcache_init(&c, 1000, 3, 300000, key), 0);
	for (i = 10; i < 13; i++)
		assert_int_equal(put(&c, (u8)i, 9, &b, false, (u64)i), 0);
	/* A flood by one peer pushes out its own, nobody else's. */
	for (i = 20; i < 120; i++)
		assert_int_equal(put(&c, (u8)i, 9, &a, false, (u64)i), 0);
	assert_int_equal(a.list.count, 3);
	assert_int_equal(b.list.count, 3);
	assert_int_equal(fips_coordcache_count(&c), 6);
	assert_int_equal(c.stats.share_evicted, 97);
	/* Its least recently used one goes, and use is what counts. */
	assert_true(get(&c, 117, 200));
	assert_int_equal(put(&c, 150, 9, &a, false, 201), 0);
	assert_false(peek(&c, 118, 201, &info));
	assert_true(peek(&c, 117, 201, &info));
	/* Written by another peer, an entry changes hands; by a proof, it belongs to nobody. */
	assert_int_equal(put(&c, 10, 8, &a, false, 202), 0);
	assert_int_equal(a.list.count, 3);
	assert_int_equal(b.list.count, 2);
	assert_int_equal(put(&c, 10, 8, NULL, true, 203), 0);
	assert_int_equal(a.list.count, 2);
	assert_int_equal(put(&c, 10, 8, &a, false, 204), -EEXIST);
	/* The peer goes, what it told stays. */
	fips_coordcache_source_fini(&b);
	assert_int_equal(b.list.count, 0);
	assert_true(peek(&c, 11, 205, &info) && peek(&c, 12, 205, &info));
	fips_coordcache_fini(&c);
	assert_int_equal(a.list.count, 0);
	/* The default: a quarter, but some even in a small cache. */
	assert_int_equal(fips_coordcache_init(&c, 50000, 0, 1, key), 0);
	assert_int_equal(c.share, 12500);
	fips_coordcache_fini(&c);
	assert_int_equal(fips_coordcache_init(&c, 0, 0, 1, key), 0);
	assert_int_equal(c.share, 16);
	assert_int_equal(c.capacity, 1);
	fips_coordcache_fini(&c);
}

static void put_path(struct fips_coordcache *c, const struct fips_coords *coords)
{
	const struct fips_coord_write w = { .addr = &coords->addr[0], .coords = *coords };

	assert_int_equal(fips_coordcache_put(c, &w, 0), 0);
}

static void test_sweeps(void **state)
{
	struct fips_node_addr store[3], self = short_addr(50), root = short_addr(0);
	struct fips_coordcache c;
	struct fips_coord_info info;
	struct fips_coords p;

	(void)state;
	assert_int_equal(fips_coordcache_init(&c, 100, 0, 300000, key), 0);
	p = path(store, 50, 9, 0);
	put_path(&c, &p);
	p = path(store, 1, 50, 0);
	put_path(&c, &p);
	p = path(store, 2, 9, 0);
	put_path(&c, &p);
	p = path(store, 3, 9, 50);
	put_path(&c, &p);
	p = path(store, 4, 9, 1);
	put_path(&c, &p);
	assert_int_equal(fips_coordcache_drop_via(&c, &self), 3);
	assert_true(peek(&c, 2, 0, &info) && peek(&c, 4, 0, &info));
	assert_int_equal(fips_coordcache_drop_other_roots(&c, &root), 1);
	assert_true(peek(&c, 2, 0, &info));
	assert_int_equal(fips_coordcache_count(&c), 1);
	fips_coordcache_fini(&c);
}

static bool count_two(void *ctx, const struct fips_coord_info *info)
{
	int *n = ctx;

	assert_int_equal(info->addr.b[0], 5 - *n);
	return ++*n < 2;
}

static void test_each(void **state)
{
	struct fips_coordcache c;
	int n = 0;
	u8 i;

	(void)state;
	assert_int_equal(fips_coordcache_init(&c, 100, 0, 300000, key), 0);
	for (i = 1; i <= 5; i++)
		put(&c, i, 9, NULL, false, i);
	fips_coordcache_each(&c, count_two, &n);
	assert_int_equal(n, 2);
	fips_coordcache_fini(&c);
}

/* ------------------------------------------------------------- naive twin */

#define TWIN_KEYS	60
#define TWIN_SOURCES	3
#define TWIN_CAPACITY	20
#define TWIN_SHARE	8
#define TWIN_TTL	500

struct naive_entry {
	bool there;
	u8 via;
	int source;
	u64 used;
	u64 order;
	u64 verified_until;
};

struct naive {
	struct naive_entry e[TWIN_KEYS];
	u64 clock;
};

static int naive_count(const struct naive *n, int source)
{
	int i, count = 0;

	for (i = 0; i < TWIN_KEYS; i++)
		count += n->e[i].there && (source < 0 || n->e[i].source == source);
	return count;
}

static void naive_evict(struct naive *n, int source, int but)
{
	int i, oldest = -1;

	for (i = 0; i < TWIN_KEYS; i++) {
		if (!n->e[i].there || i == but || (source >= 0 && n->e[i].source != source))
			continue;
		if (oldest < 0 || n->e[i].order < n->e[oldest].order)
			oldest = i;
	}
	assert_true(oldest >= 0);
	n->e[oldest].there = false;
}

static int naive_put(struct naive *n, int k, u8 via, int source, bool verified, u64 now)
{
	struct naive_entry *e = &n->e[k];

	if (e->there && !verified && now < e->verified_until)
		return -EEXIST;
	if (verified)
		source = TWIN_SOURCES;
	if (source < TWIN_SOURCES && !(e->there && e->source == source) &&
	    naive_count(n, source) >= TWIN_SHARE)
		naive_evict(n, source, k);
	else if (!e->there && naive_count(n, -1) >= TWIN_CAPACITY)
		naive_evict(n, -1, k);
	*e = (struct naive_entry) {
		.there = true, .via = via, .source = source, .used = now, .order = ++n->clock,
		.verified_until = verified ? now + FIPS_COORD_VERIFIED_MS : 0,
	};
	return 0;
}

static bool naive_get(struct naive *n, int k, u64 now)
{
	struct naive_entry *e = &n->e[k];

	if (e->there && now > e->used + TWIN_TTL)
		e->there = false;
	if (!e->there)
		return false;
	e->used = now;
	e->order = ++n->clock;
	return true;
}

static void compare(const struct fips_coordcache *c, const struct naive *n)
{
	struct fips_coord_info info;
	int i;

	assert_int_equal(fips_coordcache_count(c), naive_count(n, -1));
	for (i = 0; i < TWIN_KEYS; i++) {
		const struct naive_entry *e = &n->e[i];

		assert_int_equal(peek(c, (u8)(i + 1), e->used + TWIN_TTL, &info), e->there);
		if (!e->there)
			continue;
		assert_int_equal(info.used_ms, e->used);
		assert_int_equal(info.coords.addr[1].b[0], e->via);
		assert_int_equal(info.verified, e->verified_until != 0);
	}
}

static void test_twin(void **state)
{
	struct fips_coord_source source[TWIN_SOURCES] = { 0 };
	u64 rng = vec_seed(__func__), now = 0;
	struct fips_coordcache c;
	struct naive n = { 0 };
	int step;

	(void)state;
	assert_int_equal(fips_coordcache_init(&c, TWIN_CAPACITY, TWIN_SHARE, TWIN_TTL, key), 0);
	for (step = 0; step < 30000; step++) {
		int k = (int)(vec_rand(&rng) % TWIN_KEYS);
		struct fips_node_addr addr = short_addr((u8)(k + 1));

		now += vec_rand(&rng) % 40;
		switch (vec_rand(&rng) % 8) {
		case 0:
			assert_int_equal(fips_coordcache_del(&c, &addr), n.e[k].there);
			n.e[k].there = false;
			break;
		case 1:
		case 2:
			assert_int_equal(get(&c, (u8)(k + 1), now), naive_get(&n, k, now));
			break;
		case 3:
			assert_int_equal(put(&c, (u8)(k + 1), 200, NULL, true, now),
					 naive_put(&n, k, 200, 0, true, now));
			break;
		default: {
			int s = (int)(vec_rand(&rng) % TWIN_SOURCES);
			u8 via = (u8)(100 + vec_rand(&rng) % 100);

			assert_int_equal(put(&c, (u8)(k + 1), via, &source[s], false, now),
					 naive_put(&n, k, via, s, false, now));
			}
		}
		compare(&c, &n);
		assert_int_equal(source[step % 3].list.count, naive_count(&n, step % 3));
	}
	fips_coordcache_fini(&c);
}

/* Many entries: the table grows, all are found, none is lost. */
static void test_large(void **state)
{
	const u32 many = 60000, capacity = 50000;
	struct fips_coordcache c;
	struct fips_coords found;
	u32 i;

	(void)state;
	assert_int_equal(fips_coordcache_init(&c, capacity, 0, 300000, key), 0);
	for (i = 0; i < many; i++) {
		struct fips_node_addr addr = { { (u8)i, (u8)(i >> 8), (u8)(i >> 16) } };
		const struct fips_coord_write w = { .addr = &addr, .coords = { &addr, 1 } };

		assert_int_equal(fips_coordcache_put(&c, &w, i), 0);
	}
	assert_int_equal(fips_coordcache_count(&c), capacity);
	assert_int_equal(c.table.count, capacity);
	assert_true(c.table.size >= capacity / 2);
	for (i = 0; i < many; i++) {
		struct fips_node_addr addr = { { (u8)i, (u8)(i >> 8), (u8)(i >> 16) } };

		assert_int_equal(fips_coordcache_get(&c, &addr, many, &found),
				 i >= many - capacity);
	}
	fips_coordcache_fini(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_renewal),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_lru),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_sweeps),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_twin),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
