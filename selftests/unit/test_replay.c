// SPDX-License-Identifier: MIT
/*
 * The replay window against replay-window.json and against a naive twin that
 * remembers every counter.
 */
#include <fips/replay.h>

#include "vectors.h"

static u64 counter_of(const json_t *text)
{
	const char *s = json_string_value(text);
	char *end;
	u64 ctr;

	assert_non_null(s);
	ctr = strtoull(s, &end, 10);
	assert_true(*s && !*end);
	return ctr;
}

static void test_vectors(void **state)
{
	json_t *root = vec_load("replay-window"), *kase, *row;
	size_t i, j;

	(void)state;
	vec_expect_int(root, "window", FIPS_REPLAY_WINDOW);
	assert_int_equal(json_array_size(vec_array(root, "cases")), 11);
	json_array_foreach(vec_array(root, "cases"), i, kase) {
		struct fips_replay r;

		fips_replay_init(&r);
		json_array_foreach(vec_array(kase, "trace"), j, row) {
			u64 ctr = counter_of(json_array_get(row, 0));
			bool want = json_is_true(json_array_get(row, 1));
			bool ok = fips_replay_check(&r, ctr);

			assert_true(json_is_boolean(json_array_get(row, 1)));
			if (ok != want)
				fail_msg("%s, row %zu", vec_str(kase, "name"), j);
			assert_int_equal(fips_replay_accept(&r, ctr), want);
			assert_true(r.hi == counter_of(json_array_get(row, 2)));
		}
	}
	json_decref(root);
}

/* 02 §10.1 word for word: hi, and one flag for each of the last 2048 counters. */
struct naive {
	u64 hi;
	bool seen[FIPS_REPLAY_WINDOW];	/* seen[d]: hi - d */
};

static bool naive_check(const struct naive *n, u64 c)
{
	if (c > n->hi)
		return true;
	return n->hi - c < FIPS_REPLAY_WINDOW && !n->seen[n->hi - c];
}

static void naive_accept(struct naive *n, u64 c)
{
	u64 shift;

	if (c <= n->hi) {
		n->seen[n->hi - c] = true;
		return;
	}
	shift = c - n->hi;
	if (shift >= FIPS_REPLAY_WINDOW) {
		memset(n->seen, 0, sizeof(n->seen));
	} else {
		memmove(n->seen + shift, n->seen, FIPS_REPLAY_WINDOW - shift);
		memset(n->seen, 0, shift);
	}
	n->hi = c;
	n->seen[0] = true;
}

/* A step that stays near hi most of the time, hits the edges often, and jumps now and then. */
static u64 next_counter(u64 *rng, u64 hi)
{
	static const u64 edges[] = { 0, 1, 63, 64, 65, 2046, 2047, 2048, 2049, 2111, 2112, 2113 };
	u64 pick = vec_rand(rng) % 16, d;

	d = pick < 4 ? edges[vec_rand(rng) % 12] : vec_rand(rng) % (pick < 14 ? 100 : 5000);
	if (vec_rand(rng) & 1)
		return hi - d <= hi ? hi - d : 0;
	return hi + d >= hi ? hi + d : ~(u64)0;
}

static void run_against_twin(u64 *rng, u64 start, int steps)
{
	struct fips_replay r;
	struct naive n = { 0 };
	int i;

	fips_replay_init(&r);
	naive_accept(&n, start);
	assert_true(fips_replay_accept(&r, start));
	for (i = 0; i < steps; i++) {
		u64 c = next_counter(rng, n.hi);
		bool want = naive_check(&n, c);

		if (fips_replay_check(&r, c) != want)
			fail_msg("start %llu step %d: counter %llu, hi %llu, want %d",
				 (unsigned long long)start, i, (unsigned long long)c,
				 (unsigned long long)n.hi, want);
		/* Not every checked frame opens. */
		if (!want || vec_rand(rng) % 4 == 0)
			continue;
		naive_accept(&n, c);
		assert_true(fips_replay_accept(&r, c));
		assert_false(fips_replay_accept(&r, c));
		assert_true(r.hi == n.hi);
	}
}

static void test_naive_twin(void **state)
{
	static const u64 starts[] = {
		0, 1, 63, 64, 2047, 2048, 2111, 2112,
		(1ull << 32) - 3, (1ull << 38) - 5, (1ull << 44) - 1, (1ull << 63) - 1000,
		~0ull - 6000, ~0ull - 2048, ~0ull - 1, ~0ull
	};
	u64 rng = vec_seed(__func__);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		run_against_twin(&rng, starts[i], 4000);
}

/* After any jump every place of the window is as the twin has it, wherever hi is aligned. */
static void test_whole_window(void **state)
{
	u64 hi, d, jump;

	(void)state;
	for (hi = 4000; hi < 4000 + 130; hi++) {
		for (jump = 1; jump <= 2200; jump += jump < 70 || jump > 2040 ? 1 : 97) {
			struct fips_replay r;

			fips_replay_init(&r);
			/* All of the window taken, then one step ahead. */
			for (d = 0; d < FIPS_REPLAY_WINDOW; d += 61)
				assert_true(fips_replay_accept(&r, hi - 2040 + d));
			assert_true(fips_replay_accept(&r, hi + jump));
			for (d = 0; d < FIPS_REPLAY_WINDOW + 70; d++) {
				u64 c = hi + jump - d;
				bool taken = d == 0 || (c + 2040 >= hi && c <= hi + 8 &&
							(c + 2040 - hi) % 61 == 0);
				bool want = d < FIPS_REPLAY_WINDOW && !taken;

				if (fips_replay_check(&r, c) != want)
					fail_msg("hi %llu jump %llu distance %llu",
						 (unsigned long long)hi, (unsigned long long)jump,
						 (unsigned long long)d);
			}
		}
	}
}

/* The word index must be the plain modulus on all of u64. */
static void test_word_index(void **state)
{
	u64 rng = vec_seed(__func__);
	int i, shift;

	(void)state;
	for (shift = 0; shift < 64; shift++) {
		for (i = 0; i < 2000; i++) {
			u64 c = vec_rand(&rng) >> shift;

			assert_int_equal(fips_replay_word(c), (c >> 6) % FIPS_REPLAY_WORDS);
		}
	}
	assert_int_equal(fips_replay_word(~0ull), (~0ull >> 6) % FIPS_REPLAY_WORDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_naive_twin),
		cmocka_unit_test(test_whole_window),
		cmocka_unit_test(test_word_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
