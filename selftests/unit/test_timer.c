// SPDX-License-Identifier: MIT
/* Timer heap against a naive list; token buckets; receiver indices. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <errno.h>

#include "bucket.h"
#include "index.h"
#include "timer.h"

#define N	200

struct naive {
	struct fips_timer t;
	bool armed;
	u64 when;
	u64 order;
};

struct world {
	struct fips_timers timers;
	struct naive naive[N];
	u64 order;
	u64 now;
	u64 last_when;
	u64 last_order;
	unsigned int fired;
	u64 rng;
};

static u64 next(struct world *w)
{
	w->rng = w->rng * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return w->rng >> 33;
}

static void arm(struct world *w, struct naive *x, u64 when)
{
	fips_timer_set(&w->timers, &x->t, when);
	x->armed = true;
	x->when = when;
	x->order = w->order++;
}

static void fire(void *owner, struct fips_timer *t)
{
	struct naive *x = (struct naive *)(void *)t;
	struct world *w = owner;

	assert_true(x->armed);
	assert_true(x->when <= w->now);
	assert_true(x->when > w->last_when ||
		    (x->when == w->last_when && x->order > w->last_order));
	w->last_when = x->when;
	w->last_order = x->order;
	x->armed = false;
	w->fired++;
	if (next(w) % 4 == 0)
		arm(w, x, w->now + 1 + next(w) % 50);
}

static u64 naive_next(const struct world *w)
{
	u64 when = ~(u64)0;
	int i;

	for (i = 0; i < N; i++) {
		if (w->naive[i].armed && w->naive[i].when < when)
			when = w->naive[i].when;
	}
	return when;
}

static void timer_matches_naive_list(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	int i, k;

	(void)state;
	w->rng = 7;
	for (i = 0; i < N; i++)
		fips_timer_init(&w->naive[i].t, fire);
	for (i = 0; i < 20000; i++) {
		struct naive *x = &w->naive[next(w) % N];

		switch (next(w) % 3) {
		case 0:
			arm(w, x, w->now + 1 + next(w) % 300);
			break;
		case 1:
			fips_timer_del(&w->timers, &x->t);
			x->armed = false;
			break;
		default:
			w->now += next(w) % 4;
			w->last_when = 0;
			fips_timers_run(&w->timers, w, w->now);
			for (k = 0; k < N; k++)
				assert_true(!w->naive[k].armed || w->naive[k].when > w->now);
		}
		assert_int_equal(fips_timers_next(&w->timers), naive_next(w));
	}
	assert_true(w->fired > 1000);
	free(w);
}

static void bucket_starts_full_and_refills(void **state)
{
	struct fips_bucket_rate rate;
	struct fips_bucket b;
	int i;

	(void)state;
	fips_bucket_rate_set(&rate, 100, 10.0);
	fips_bucket_init(&b, &rate, 1000);
	for (i = 0; i < 100; i++)
		assert_true(fips_bucket_take(&b, &rate, 1000));
	assert_false(fips_bucket_take(&b, &rate, 1000));
	assert_false(fips_bucket_take(&b, &rate, 1099));
	assert_true(fips_bucket_take(&b, &rate, 1100));
	assert_false(fips_bucket_take(&b, &rate, 1100));
	/* fractions add up: 6.4 a second */
	fips_bucket_rate_set(&rate, 1, 6.4);
	fips_bucket_init(&b, &rate, 0);
	assert_true(fips_bucket_take(&b, &rate, 0));
	assert_false(fips_bucket_take(&b, &rate, 156));
	assert_true(fips_bucket_take(&b, &rate, 157));
}

static void bucket_edges(void **state)
{
	struct fips_bucket_rate rate;
	struct fips_bucket b;

	(void)state;
	fips_bucket_rate_set(&rate, 0, 10.0);
	fips_bucket_init(&b, &rate, 0);
	assert_false(fips_bucket_take(&b, &rate, 1000000));
	fips_bucket_rate_set(&rate, 1, 0);
	fips_bucket_init(&b, &rate, 0);
	assert_true(fips_bucket_take(&b, &rate, 0));
	assert_false(fips_bucket_take(&b, &rate, UINT64_MAX));
	fips_bucket_rate_set(&rate, UINT64_MAX, 1e300);
	fips_bucket_init(&b, &rate, 5);
	assert_true(fips_bucket_take(&b, &rate, 0));	/* a clock that runs back */
	assert_true(fips_bucket_take(&b, &rate, UINT64_MAX));
	fips_bucket_rate_set(&rate, 1, -1.0);
	assert_int_equal(rate.per_ms, 0);
	fips_bucket_rate_set(&rate, 1, (double)__builtin_nanf(""));
	assert_int_equal(rate.per_ms, 0);
}

static int draw(void *ctx, void *buf, size_t len)
{
	u32 **seq = ctx;

	assert_int_equal(len, 4);
	*(u32 *)buf = *(*seq)++;
	return 0;
}

static int draw_constant(void *ctx, void *buf, size_t len)
{
	unsigned int *calls = ctx;

	(void)len;
	++*calls;
	*(u32 *)buf = 7;
	return 0;
}

static void index_is_unique(void **state)
{
	u32 values[] = { 0, 0, 0, 0xffffffff, 5 }, *p = values;
	struct fips_rng rng = { .random = draw, .ctx = &p };
	struct fips_indices set = { .hash = NULL };
	int a, b, c;
	u32 index;

	(void)state;
	assert_int_equal(fips_index_alloc(&set, &rng, &a, &index), 0);
	assert_int_equal(index, 0);	/* a legal one (03 §3) */
	assert_int_equal(fips_index_alloc(&set, &rng, &b, &index), 0);
	assert_int_equal(index, 0xffffffff);
	assert_int_equal(fips_index_alloc(&set, &rng, &c, &index), 0);
	assert_ptr_equal(fips_index_find(&set, 0), &a);
	assert_ptr_equal(fips_index_find(&set, 0xffffffff), &b);
	assert_ptr_equal(fips_index_find(&set, 5), &c);
	assert_null(fips_index_find(&set, 6));
	fips_index_release(&set, 0);
	fips_index_release(&set, 0);
	fips_index_release(&set, 0xffffffff);
	fips_index_release(&set, 5);
	assert_null(set.hash);
}

static void index_gives_up_after_100(void **state)
{
	unsigned int calls = 0;
	struct fips_rng rng = { .random = draw_constant, .ctx = &calls };
	struct fips_indices set = { .hash = NULL };
	u32 index;

	(void)state;
	assert_int_equal(fips_index_alloc(&set, &rng, NULL, &index), 0);
	calls = 0;
	assert_int_equal(fips_index_alloc(&set, &rng, NULL, &index), -ENOSPC);
	assert_int_equal(calls, FIPS_INDEX_ATTEMPTS);
	fips_index_release(&set, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timer_matches_naive_list),
		cmocka_unit_test(bucket_starts_full_and_refills),
		cmocka_unit_test(bucket_edges),
		cmocka_unit_test(index_is_unique),
		cmocka_unit_test(index_gives_up_after_100),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
