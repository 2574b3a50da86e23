/* SPDX-License-Identifier: MIT */
/*
 * Numbers and coordinates of the mesh vectors (tree, bloom, mmp), and
 * mutilated messages for their decoders.
 */
#ifndef _SELFTESTS_VECTORS_MESH_H
#define _SELFTESTS_VECTORS_MESH_H

#include "coords_math.h"
#include "vectors.h"

/* A number, integer or not; exactly what the text says. */
VEC_UNUSED static double vec_real(const json_t *obj, const char *key)
{
	json_t *val = vec_get(obj, key);

	if (!json_is_number(val))
		fail_msg("\"%s\" is not a number", key);
	return json_number_value(val);
}

VEC_UNUSED static void vec_expect_real(const json_t *obj, const char *key, double val)
{
	double want = vec_real(obj, key);

	if (want != val)
		fail_msg("\"%s\" is %.17g, we made %.17g", key, want, val);
}

/* Where a logarithm is involved: libm may differ in the last bit. */
VEC_UNUSED static void vec_expect_near(const json_t *obj, const char *key, double val)
{
	double want = vec_real(obj, key), diff = want > val ? want - val : val - want;

	if (diff * 1e13 > (want > 0 ? want : -want))
		fail_msg("\"%s\" is %.17g, we made %.17g", key, want, val);
}

VEC_UNUSED static void vec_expect_bool(const json_t *obj, const char *key, bool val)
{
	if (vec_bool(obj, key) != val)
		fail_msg("\"%s\" is not %d", key, val);
}

VEC_UNUSED static s64 vec_sint(const json_t *obj, const char *key)
{
	return (s64)vec_int(obj, key);
}

/* "0a" stands for 0a followed by 15 zero bytes; full addresses are written out. */
VEC_UNUSED static struct fips_node_addr vec_addr_of(const json_t *text)
{
	struct fips_node_addr addr = { { 0 } };
	struct vec_bytes b;

	if (!json_is_string(text))
		fail_msg("an address is not a string");
	b = vec_unhex(json_string_value(text));
	assert_true(b.len == 1 || b.len == sizeof(addr.b));
	memcpy(addr.b, b.p, b.len);
	free(b.p);
	return addr;
}

VEC_UNUSED static struct fips_node_addr vec_addr(const json_t *obj, const char *key)
{
	return vec_addr_of(vec_get(obj, key));
}

/* A list of addresses; the elements live in @store. */
VEC_UNUSED static struct fips_coords vec_coords_of(const json_t *list,
						   struct fips_node_addr store[FIPS_COORDS_DEPTH])
{
	size_t i, n = json_array_size(list);

	if (json_is_null(list))
		return (struct fips_coords) { NULL, 0 };
	assert_true(json_is_array(list) && n && n <= FIPS_COORDS_DEPTH);
	for (i = 0; i < n; i++)
		store[i] = vec_addr_of(json_array_get(list, i));
	return (struct fips_coords) { store, (u16)n };
}

VEC_UNUSED static struct fips_coords vec_coords(const json_t *obj, const char *key,
						struct fips_node_addr store[FIPS_COORDS_DEPTH])
{
	return vec_coords_of(vec_get(obj, key), store);
}

VEC_UNUSED static struct fips_node_addr short_addr(u8 first)
{
	return (struct fips_node_addr) { { first } };
}

VEC_UNUSED static void assert_addr_equal(const struct fips_node_addr *a,
					 const struct fips_node_addr *b)
{
	assert_memory_equal(a->b, b->b, FIPS_NODE_ADDR_LEN);
}

#endif /* _SELFTESTS_VECTORS_MESH_H */
