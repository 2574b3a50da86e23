/* SPDX-License-Identifier: MIT */
/*
 * Test vectors: JSON files from $FIPS_VECTORS, or from selftests/vectors/ below
 * the working directory.
 *
 * A member that is asked for and missing fails the test, as does a value of
 * another type: a vector that is not there was not checked.
 */
#ifndef _SELFTESTS_VECTORS_H
#define _SELFTESTS_VECTORS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include <fips/types.h>

#define VEC_UNUSED	__attribute__((unused))

/**
 * struct vec_bytes - decoded hex of a vector
 * @p: bytes in a block of exactly @len, so that ASan sees a read behind the end
 * @len: how many
 */
struct vec_bytes {
	u8 *p;
	size_t len;
};

VEC_UNUSED static json_t *vec_load(const char *name)
{
	const char *dir = getenv("FIPS_VECTORS");
	json_error_t error;
	char path[4096];
	json_t *root;

	snprintf(path, sizeof(path), "%s/%s.json", dir ? dir : "selftests/vectors", name);
	root = json_load_file(path, 0, &error);
	if (!root)
		fail_msg("%s:%d: %s (set FIPS_VECTORS?)", path, error.line, error.text);
	return root;
}

VEC_UNUSED static json_t *vec_get(const json_t *obj, const char *key)
{
	json_t *val = json_object_get(obj, key);

	if (!val)
		fail_msg("the vector has no \"%s\"", key);
	return val;
}

VEC_UNUSED static bool vec_is_null(const json_t *obj, const char *key)
{
	return json_is_null(vec_get(obj, key));
}

VEC_UNUSED static json_t *vec_array(const json_t *obj, const char *key)
{
	json_t *val = vec_get(obj, key);

	assert_true(json_is_array(val));
	assert_true(json_array_size(val) > 0);
	return val;
}

VEC_UNUSED static const char *vec_str(const json_t *obj, const char *key)
{
	json_t *val = vec_get(obj, key);

	if (!json_is_string(val))
		fail_msg("\"%s\" is not a string", key);
	return json_string_value(val);
}

VEC_UNUSED static u64 vec_int(const json_t *obj, const char *key)
{
	json_t *val = vec_get(obj, key);

	if (!json_is_integer(val))
		fail_msg("\"%s\" is not an integer", key);
	return (u64)json_integer_value(val);
}

VEC_UNUSED static bool vec_bool(const json_t *obj, const char *key)
{
	json_t *val = vec_get(obj, key);

	if (!json_is_boolean(val))
		fail_msg("\"%s\" is not a boolean", key);
	return json_boolean_value(val);
}

/* "accepted" or "rejected", nothing else. */
VEC_UNUSED static bool vec_accepted(const json_t *obj, const char *key)
{
	const char *word = vec_str(obj, key);

	if (strcmp(word, "accepted") && strcmp(word, "rejected"))
		fail_msg("\"%s\" is \"%s\"", key, word);
	return word[0] == 'a';
}

VEC_UNUSED static int vec_nibble(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

VEC_UNUSED static struct vec_bytes vec_unhex(const char *hex)
{
	size_t len = strlen(hex), i;
	struct vec_bytes b;

	if (len % 2)
		fail_msg("odd number of digits: %s", hex);
	b.len = len / 2;
	b.p = malloc(b.len);
	assert_true(b.p || !b.len);
	for (i = 0; i < b.len; i++) {
		int hi = vec_nibble(hex[2 * i]), lo = vec_nibble(hex[2 * i + 1]);

		if (hi < 0 || lo < 0)
			fail_msg("not lower-case hex: %s", hex);
		b.p[i] = (u8)(hi << 4 | lo);
	}
	return b;
}

VEC_UNUSED static struct vec_bytes vec_hex(const json_t *obj, const char *key)
{
	return vec_unhex(vec_str(obj, key));
}

VEC_UNUSED static void vec_hex_into(const json_t *obj, const char *key, void *buf, size_t len)
{
	struct vec_bytes b = vec_hex(obj, key);

	if (b.len != len)
		fail_msg("\"%s\" has %zu bytes, not %zu", key, b.len, len);
	memcpy(buf, b.p, len);
	free(b.p);
}

/* The value must be exactly these bytes. */
VEC_UNUSED static void vec_expect(const json_t *obj, const char *key, const void *bytes, size_t len)
{
	struct vec_bytes b = vec_hex(obj, key);

	if (b.len != len)
		fail_msg("\"%s\" has %zu bytes, we made %zu", key, b.len, len);
	if (len && memcmp(b.p, bytes, len)) {
		print_error("\"%s\" differs\n", key);
		assert_memory_equal(bytes, b.p, len);
	}
	free(b.p);
}

/* The value must be something else, of the same length or not. */
VEC_UNUSED static void vec_expect_not(const json_t *obj, const char *key, const void *bytes,
				      size_t len)
{
	struct vec_bytes b = vec_hex(obj, key);

	if (b.len == len && !memcmp(b.p, bytes, len))
		fail_msg("\"%s\" is the value of a known mistake, and we made it", key);
	free(b.p);
}

VEC_UNUSED static void vec_expect_str(const json_t *obj, const char *key, const char *text)
{
	assert_string_equal(text, vec_str(obj, key));
}

VEC_UNUSED static void vec_expect_int(const json_t *obj, const char *key, u64 val)
{
	u64 want = vec_int(obj, key);

	if (want != val)
		fail_msg("\"%s\" is %llu, we made %llu", key, (unsigned long long)want,
			 (unsigned long long)val);
}

/* splitmix64: a seed gives one run. */
VEC_UNUSED static u64 vec_rand(u64 *state)
{
	u64 z = (*state += 0x9e3779b97f4a7c15ull);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* Seed of a random test, printed so that a failure can be run again (FIPS_SEED). */
VEC_UNUSED static u64 vec_seed(const char *test)
{
	const char *text = getenv("FIPS_SEED");
	u64 seed = text ? strtoull(text, NULL, 0) : 0x5eed;

	print_message("# %s: FIPS_SEED=%llu\n", test, (unsigned long long)seed);
	return seed;
}

/* A block of exactly @len bytes, for reads up to its end and no further. */
VEC_UNUSED static u8 *vec_exact(const void *bytes, size_t len)
{
	u8 *p = malloc(len);

	assert_true(p || !len);
	if (len)
		memcpy(p, bytes, len);
	return p;
}

/* A decoder: 0 or a negative errno. */
typedef int (*vec_parse_fn)(const u8 *bytes, size_t len);

/* Decode a copy behind which nothing may be read. */
VEC_UNUSED static int vec_parse_exact(vec_parse_fn parse, const u8 *bytes, size_t len)
{
	u8 *exact = vec_exact(bytes, len);
	int ret = parse(exact, len);

	free(exact);
	return ret;
}

/* Which prefixes of a message the decoder takes, and whether it takes more. */
VEC_UNUSED static void vec_check_decode(const json_t *v, const struct vec_bytes *b,
					vec_parse_fn parse)
{
	const json_t *dec = vec_get(v, "decode");
	size_t len, shortest = 0, accepted = 0;
	u8 *longer;

	for (len = 0; len < b->len; len++) {
		if (vec_parse_exact(parse, b->p, len))
			continue;
		accepted++;
		if (!shortest)
			shortest = len;
	}
	vec_expect_int(dec, "accepted_prefixes_below_full", accepted);
	vec_expect_int(dec, "shortest_accepted_prefix", shortest ? shortest : b->len);
	longer = calloc(1, b->len + 1);
	assert_non_null(longer);
	memcpy(longer, b->p, b->len);
	assert_int_equal(!vec_parse_exact(parse, longer, b->len + 1),
			 vec_accepted(dec, "one_trailing_zero_byte"));
	free(longer);
}

#endif /* _SELFTESTS_VECTORS_H */
