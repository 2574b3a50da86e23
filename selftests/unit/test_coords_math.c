// SPDX-License-Identifier: MIT
/* Distances of tree.json, a naive twin, and lists at their ends. */

#include "coords_math.h"

#include "vectors_mesh.h"

/* Spec 05 §12 word for word, on reversed lists. */
static u32 naive_distance(const struct fips_coords *a, const struct fips_coords *b)
{
	u32 c = 0;

	if (!a->count || !b->count ||
	    memcmp(&a->addr[a->count - 1], &b->addr[b->count - 1], 16))
		return FIPS_DISTANCE_INF;
	while (c < a->count && c < b->count &&
	       !memcmp(&a->addr[a->count - 1 - c], &b->addr[b->count - 1 - c], 16))
		c++;
	return (a->count - c) + (b->count - c);
}

static void check_distance(const struct fips_coords *a, const struct fips_coords *b, u32 want)
{
	assert_int_equal(fips_coords_distance(a, b), want);
	assert_int_equal(fips_coords_distance(b, a), want);
	assert_int_equal(naive_distance(a, b), want);
}

static void test_vectors(void **state)
{
	struct fips_node_addr sa[FIPS_COORDS_DEPTH], sb[FIPS_COORDS_DEPTH];
	json_t *root = vec_load("tree"), *row;
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(vec_array(root, "distance")), 10);
	json_array_foreach(vec_array(root, "distance"), i, row) {
		struct fips_coords a = vec_coords(row, "a", sa), b = vec_coords(row, "b", sb);
		bool inf = vec_is_null(row, "distance");

		check_distance(&a, &b, inf ? FIPS_DISTANCE_INF : (u32)vec_int(row, "distance"));
		assert_int_equal(fips_coords_lca_depth(&a, &b) < 0, inf);
	}
	json_decref(root);
}

/* A random branch of a random tree: node k's parent is below k. */
static struct fips_coords random_path(u64 *rng, struct fips_node_addr *store, const u8 *parent)
{
	struct fips_coords c = { store, 0 };
	u8 k = (u8)(vec_rand(rng) % 60);

	for (;; k = parent[k]) {
		store[c.count++] = short_addr(k);
		if (parent[k] == k)
			return c;
	}
}

static void test_twin(void **state)
{
	struct fips_node_addr sa[FIPS_COORDS_DEPTH], sb[FIPS_COORDS_DEPTH];
	u64 rng = vec_seed(__func__);
	u8 parent[60];
	int round, i, k;

	(void)state;
	for (round = 0; round < 2000; round++) {
		struct fips_coords a, b;
		int depth;

		for (k = 0; k < 60; k++)
			parent[k] = k < 2 ? (u8)k : (u8)(vec_rand(&rng) % (u64)k);
		a = random_path(&rng, sa, parent);
		b = random_path(&rng, sb, parent);
		check_distance(&a, &b, naive_distance(&a, &b));
		depth = fips_coords_lca_depth(&a, &b);
		assert_int_equal(depth < 0, !fips_coords_lca(&a, &b));
		if (depth >= 0) {
			assert_addr_equal(fips_coords_lca(&a, &b), &a.addr[a.count - 1 - depth]);
			assert_addr_equal(fips_coords_lca(&b, &a), &a.addr[a.count - 1 - depth]);
		}
		for (i = 0; i < a.count; i++) {
			assert_true(fips_coords_contain(&a, &a.addr[i]));
			assert_int_equal(fips_coords_has_ancestor(&a, &a.addr[i]), i > 0);
		}
		sb[0] = short_addr(99);
		assert_false(fips_coords_contain(&a, &sb[0]));
		assert_addr_equal(fips_coords_root(&a), &a.addr[a.count - 1]);
	}
}

static void test_ends(void **state)
{
	u16 n = 65535, i;
	struct fips_node_addr *addr = calloc(n, sizeof(*addr)), one = short_addr(0);
	const struct fips_coords none = { NULL, 0 }, far = { addr, n }, root = { &one, 1 };

	(void)state;
	assert_non_null(addr);
	for (i = 0; i + 1 < n; i++) {
		addr[i].b[1] = (u8)(i >> 8);
		addr[i].b[2] = (u8)i;
		addr[i].b[3] = 1;
	}
	assert_int_equal(fips_coords_distance(&far, &root), 65534);
	assert_int_equal(fips_coords_distance(&far, &far), 0);
	assert_int_equal(fips_coords_lca_depth(&far, &far), 65534);
	assert_int_equal(fips_coords_distance(&none, &far), FIPS_DISTANCE_INF);
	assert_int_equal(fips_coords_distance(&none, &none), FIPS_DISTANCE_INF);
	assert_null(fips_coords_root(&none));
	assert_null(fips_coords_lca(&none, &far));
	assert_false(fips_coords_contain(&none, &one));
	assert_true(fips_coords_eq(&none, &none));
	assert_true(fips_coords_eq(&far, &far));
	assert_false(fips_coords_eq(&far, &root));
	assert_true(FIPS_DISTANCE_INF > 2u * 65535);
	free(addr);
}

static void test_eq(void **state)
{
	struct fips_node_addr a[3] = { { { 1 } }, { { 2 } }, { { 3 } } }, b[3];
	struct fips_coords ca = { a, 3 }, cb = { b, 3 };
	int bit;

	(void)state;
	for (bit = 0; bit < 3 * 128; bit++) {
		memcpy(b, a, sizeof(a));
		assert_true(fips_coords_eq(&ca, &cb));
		b[bit / 128].b[bit % 128 / 8] ^= (u8)(1 << bit % 8);
		assert_false(fips_coords_eq(&ca, &cb));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_twin),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_eq),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
