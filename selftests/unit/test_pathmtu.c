// SPDX-License-Identifier: MIT
/*
 * Path MTU: mmp.json against a twin with the reference's two mistakes in it,
 * ours against the same twin without them; the store of destinations.
 */
#include "pathmtu.h"

#include <errno.h>

#include "vectors_mesh.h"

/* 08 §8.2 word for word; @fixed: without the mistakes of §18, items 11 and 12. */
struct naive {
	bool fixed;
	u16 current;
	u16 pending;
	u32 count;
	bool has_first;
	u64 first;
	u64 interval;
	u16 observed;
	bool changed;
	u16 told;
	bool has_told;
	u64 told_ms;
};

static void naive_init(struct naive *n, bool fixed)
{
	*n = (struct naive) {
		.fixed = fixed, .current = 65535, .interval = 10000, .observed = 65535 };
}

static void naive_clear(struct naive *n)
{
	n->count = 0;
	n->has_first = false;
	if (n->fixed)
		n->pending = 0;
}

static int naive_notified(struct naive *n, u16 v, u64 now)
{
	if (v < 256)
		return -ERANGE;
	if (v == n->current)
		return 0;
	if (v < n->current) {
		n->current = v;
		naive_clear(n);
		return 1;
	}
	if (v == n->pending) {
		n->count += n->count < 255;
	} else {
		n->pending = v;
		n->count = 1;
		n->first = now;
		n->has_first = true;
	}
	if (n->count < 3 || !n->has_first || now - n->first < 2 * n->interval)
		return 0;
	n->current = v;
	naive_clear(n);
	return 1;
}

static bool naive_due(const struct naive *n, u64 now)
{
	u16 mark = n->fixed ? n->told : n->current;

	return n->observed != 65535 &&
	       (!n->has_told || (n->changed && n->observed < mark) ||
		now - n->told_ms >= n->interval);
}

static void naive_observe(struct naive *n, u16 mtu)
{
	n->changed |= mtu != n->observed;
	n->observed = mtu;
}

static void naive_told(struct naive *n, u64 now)
{
	n->has_told = true;
	n->told = n->observed;
	n->told_ms = now;
	n->changed = false;
}

static bool ours_due(const struct fips_pathmtu *p, u64 now)
{
	return now >= fips_pathmtu_due(p);
}

/* Source side: how often we and the vector's row differ; only the raise after a decrease does. */
static int run_source(const json_t *trace, u64 interval)
{
	struct naive ref, fixed;
	struct fips_pathmtu p;
	int deviations = 0, r;
	json_t *step;
	size_t i;

	fips_pathmtu_init(&p);
	naive_init(&ref, false);
	naive_init(&fixed, true);
	assert_int_equal(p.interval_ms, interval);
	json_array_foreach(trace, i, step) {
		const char *event = vec_str(step, "event");
		u64 now = vec_int(step, "now_ms");
		u16 v = (u16)vec_int(step, "value");

		if (!strcmp(event, "seed")) {
			assert_int_equal(fips_pathmtu_seed(&p, v), v < fixed.current);
			ref.current = v < ref.current ? v : ref.current;
			fixed.current = v < fixed.current ? v : fixed.current;
			assert_true(vec_is_null(step, "changed"));
		} else if (!strcmp(event, "reset")) {
			fips_pathmtu_reset(&p);
			ref.current = 65535;
			fixed.current = 65535;
			naive_clear(&ref);
			naive_clear(&fixed);
			assert_true(vec_is_null(step, "changed"));
			assert_int_equal(v, 0);
		} else {
			assert_string_equal(event, "notification");
			r = naive_notified(&ref, v, now);
			vec_expect_bool(step, "changed", r == 1);
			r = naive_notified(&fixed, v, now);
			assert_int_equal(fips_pathmtu_notified(&p, v, now), r);
		}
		vec_expect_int(step, "current_mtu", ref.current);
		assert_int_equal(p.current, fixed.current);
		deviations += ref.current != fixed.current;
	}
	return deviations;
}

static void test_source_vector(void **state)
{
	json_t *root = vec_load("mmp"), *cases = vec_array(root, "path_mtu"), *source;

	(void)state;
	assert_int_equal(json_array_size(cases), 2);
	source = json_array_get(cases, 0);
	/* From the third equal report on until the reference catches up. */
	assert_int_equal(run_source(vec_array(source, "trace"),
				    vec_int(source, "notification_interval_ms")), 4);
	json_decref(root);
}

/* Our own estimate, seeded where the note says so: the reference compares with it. */
static void follow_note(const json_t *step, struct naive *ref)
{
	const char *note = json_string_value(json_object_get(step, "note"));
	unsigned int mtu;

	if (note && sscanf(note, "own current_mtu seeded to %u", &mtu) == 1)
		ref->current = (u16)mtu;
}

static int run_destination(const json_t *trace)
{
	struct naive ref, fixed;
	struct fips_pathmtu p;
	int deviations = 0;
	json_t *step;
	size_t i;

	fips_pathmtu_init(&p);
	naive_init(&ref, false);
	naive_init(&fixed, true);
	json_array_foreach(trace, i, step) {
		const char *event = vec_str(step, "event");

		follow_note(step, &ref);
		if (!strcmp(event, "observe")) {
			u16 mtu = (u16)vec_int(step, "path_mtu");
			bool urgent = fips_pathmtu_observe(&p, mtu);

			naive_observe(&ref, mtu);
			naive_observe(&fixed, mtu);
			assert_int_equal(urgent, fips_pathmtu_due(&p) == 0);
		} else if (!strcmp(event, "notification_due?")) {
			u64 now = vec_int(step, "now_ms");

			vec_expect_bool(step, "due", naive_due(&ref, now));
			assert_int_equal(ours_due(&p, now), naive_due(&fixed, now));
			deviations += naive_due(&ref, now) != naive_due(&fixed, now);
		} else if (!strcmp(event, "send")) {
			naive_told(&ref, vec_int(step, "now_ms"));
			naive_told(&fixed, vec_int(step, "now_ms"));
			fips_pathmtu_told(&p, vec_int(step, "now_ms"));
			vec_expect_int(step, "value", ref.told);
			assert_int_equal(p.told, ref.told);
		} else {
			assert_string_equal(event, "interval");
			fips_pathmtu_set_srtt(&p, vec_sint(step, "srtt_ms") * 1000);
			ref.interval = p.interval_ms;
			fixed.interval = p.interval_ms;
			assert_int_equal(p.interval_ms, 15000);
		}
	}
	return deviations;
}

static void test_destination_vector(void **state)
{
	json_t *root = vec_load("mmp");
	json_t *dest = json_array_get(vec_array(root, "path_mtu"), 1);

	(void)state;
	/* A drop that the reference lets wait is due at once, and stays so. */
	assert_int_equal(run_destination(vec_array(dest, "trace")), 2);
	json_decref(root);
}

static void test_twin(void **state)
{
	static const u16 values[] = { 0, 255, 256, 257, 1200, 1280, 1280, 1281, 1472, 9000, 65535 };
	u64 rng = vec_seed(__func__), now = 0;
	struct fips_pathmtu p;
	struct naive n;
	int i, changes = 0, r;

	(void)state;
	fips_pathmtu_init(&p);
	naive_init(&n, true);
	for (i = 0; i < 100000; i++) {
		u16 v = values[vec_rand(&rng) % (sizeof(values) / sizeof(values[0]))];

		now += vec_rand(&rng) % 3 ? vec_rand(&rng) % 12000 : 0;
		switch (vec_rand(&rng) % 16) {
		case 0:
			naive_observe(&n, v);
			fips_pathmtu_observe(&p, v);
			break;
		case 1:
			if (naive_due(&n, now)) {
				naive_told(&n, now);
				fips_pathmtu_told(&p, now);
			}
			break;
		case 2:
			if (vec_rand(&rng) % 20)
				break;
			n.current = 65535;
			naive_clear(&n);
			fips_pathmtu_reset(&p);
			break;
		default:
			/* Runs of one value, or nothing would ever rise. */
			for (r = (int)(vec_rand(&rng) % 5); r >= 0; r--) {
				int want = naive_notified(&n, v, now);

				assert_int_equal(fips_pathmtu_notified(&p, v, now), want);
				changes += want == 1;
				now += vec_rand(&rng) % 12000;
			}
		}
		assert_int_equal(p.current, n.current);
		assert_int_equal(ours_due(&p, now), naive_due(&n, now));
	}
	assert_true(changes > 1000);
}

static void test_exceeded(void **state)
{
	struct fips_pathmtu p;

	(void)state;
	fips_pathmtu_init(&p);
	assert_int_equal(fips_pathmtu_exceeded(&p, 255, 65535), -ERANGE);
	/* Nothing so large was sent. */
	assert_int_equal(fips_pathmtu_exceeded(&p, 1280, 1280), 0);
	assert_int_equal(p.current, 65535);
	assert_int_equal(fips_pathmtu_exceeded(&p, 1280, 1281), 1);
	assert_int_equal(p.current, 1280);
	/* It never raises, and is no vote for a raise. */
	assert_int_equal(fips_pathmtu_exceeded(&p, 1300, 65535), 0);
	assert_int_equal(p.pending, 0);
	assert_int_equal(fips_pathmtu_exceeded(&p, 256, 65535), 1);
	assert_int_equal(p.current, 256);
}

static void test_intervals(void **state)
{
	struct fips_pathmtu p;

	(void)state;
	fips_pathmtu_init(&p);
	fips_pathmtu_set_srtt(&p, 2000000);
	assert_int_equal(p.interval_ms, 10000);
	fips_pathmtu_set_srtt(&p, 2001000);
	assert_int_equal(p.interval_ms, 10005);
	fips_pathmtu_set_srtt(&p, -1);
	assert_int_equal(p.interval_ms, 10000);
	fips_pathmtu_set_srtt(&p, INT64_MAX);
	assert_true(p.interval_ms > 1ull << 50);
}

/* ---------------------------------------------------------------- the store */

static const u8 key[FIPS_ADDRTABLE_KEY_LEN] = { 9 };

static void test_store(void **state)
{
	struct fips_node_addr a = short_addr(1), b = short_addr(2), gone;
	struct fips_mtu_store s;

	(void)state;
	assert_int_equal(fips_mtu_store_init(&s, 10, 300000, key), 0);
	assert_int_equal(fips_mtu_store_get(&s, &a, 0), 65535);
	assert_int_equal(fips_mtu_store_learn(&s, &a, 255, 0), -ERANGE);
	assert_int_equal(fips_mtu_store_hold(&s, &a, 255), -ERANGE);
	assert_int_equal(s.table.count, 0);
	/* A larger or equal value changes neither the value nor its age. */
	assert_int_equal(fips_mtu_store_learn(&s, &a, 1400, 1000), 0);
	assert_int_equal(fips_mtu_store_learn(&s, &a, 1400, 200000), 0);
	assert_int_equal(fips_mtu_store_learn(&s, &a, 1500, 200000), 0);
	assert_int_equal(fips_mtu_store_get(&s, &a, 300999), 1400);
	assert_int_equal(fips_mtu_store_get(&s, &a, 301000), 65535);
	assert_false(fips_mtu_store_expire(&s, 300999, &gone));
	/* A smaller one begins anew. */
	assert_int_equal(fips_mtu_store_learn(&s, &a, 1300, 200000), 0);
	assert_int_equal(fips_mtu_store_get(&s, &a, 301000), 1300);
	/* Held values stay, and are never loosened by others. */
	assert_int_equal(fips_mtu_store_hold(&s, &a, 1280), 0);
	assert_int_equal(fips_mtu_store_hold(&s, &a, 1400), 0);
	assert_int_equal(fips_mtu_store_learn(&s, &a, 1400, 200000), 0);
	assert_int_equal(fips_mtu_store_get(&s, &a, ~0ull), 1280);
	assert_int_equal(fips_mtu_store_learn(&s, &b, 1290, 1000), 0);
	assert_true(fips_mtu_store_expire(&s, 301000, &gone));
	assert_addr_equal(&gone, &b);
	assert_false(fips_mtu_store_expire(&s, ~0ull, &gone));
	assert_int_equal(s.table.count, 1);
	/* An expired value that nobody has swept yet is replaced, too. */
	assert_int_equal(fips_mtu_store_learn(&s, &b, 1290, 1000), 0);
	assert_int_equal(fips_mtu_store_learn(&s, &b, 1400, 301000), 0);
	assert_int_equal(fips_mtu_store_get(&s, &b, 301000), 1400);
	assert_true(fips_mtu_store_release(&s, &a));
	assert_false(fips_mtu_store_release(&s, &a));
	assert_int_equal(fips_mtu_store_get(&s, &a, 0), 65535);
	fips_mtu_store_fini(&s);
}

static void test_store_seeds(void **state)
{
	struct fips_node_addr a = short_addr(1);
	struct fips_mtu_store s;

	(void)state;
	assert_int_equal(fips_mtu_store_init(&s, 10, 300000, key), 0);
	assert_int_equal(fips_mtu_store_seed(&s, &a, 1280, 1), 0);
	assert_int_equal(fips_mtu_store_get(&s, &a, 0), 1280);
	/* The same transport only tightens, another one also loosens. */
	assert_int_equal(fips_mtu_store_seed(&s, &a, 1472, 1), 0);
	assert_int_equal(fips_mtu_store_get(&s, &a, 0), 1280);
	assert_int_equal(fips_mtu_store_seed(&s, &a, 1472, 2), 0);
	assert_int_equal(fips_mtu_store_get(&s, &a, 0), 1472);
	assert_int_equal(fips_mtu_store_hold(&s, &a, 1000), 0);
	assert_int_equal(fips_mtu_store_seed(&s, &a, 1400, 2), 0);
	assert_int_equal(fips_mtu_store_get(&s, &a, 0), 1000);
	/* A seed that isn't written is remembered all the same. */
	assert_int_equal(fips_mtu_store_seed(&s, &a, 1100, 3), 0);
	assert_int_equal(fips_mtu_store_get(&s, &a, 0), 1100);
	assert_int_equal(fips_mtu_store_hold(&s, &a, 900), 0);
	assert_int_equal(fips_mtu_store_seed(&s, &a, 1500, 3), 0);
	assert_int_equal(fips_mtu_store_get(&s, &a, 0), 900);
	assert_true(fips_mtu_store_release(&s, &a));
	assert_int_equal(fips_mtu_store_get(&s, &a, 0), 65535);
	assert_int_equal(fips_mtu_store_seed(&s, &a, 1500, 3), 0);
	assert_int_equal(fips_mtu_store_get(&s, &a, 0), 1500);
	/* Local link MTUs have no floor. A first seed keeps a tighter value of others. */
	assert_int_equal(fips_mtu_store_seed(&s, &a, 247, 3), 0);
	assert_int_equal(fips_mtu_store_get(&s, &a, 0), 247);
	a = short_addr(2);
	assert_int_equal(fips_mtu_store_hold(&s, &a, 600), 0);
	assert_int_equal(fips_mtu_store_seed(&s, &a, 1400, 1), 0);
	assert_int_equal(fips_mtu_store_get(&s, &a, 0), 600);
	fips_mtu_store_fini(&s);
}

/* An IPv6 address holds 15 bytes of the node address. */
static void test_store_key(void **state)
{
	struct fips_node_addr a = short_addr(1);
	struct fips_mtu_store s;
	int i;

	(void)state;
	assert_int_equal(fips_mtu_store_init(&s, 100, 0, key), 0);
	assert_int_equal(fips_mtu_store_learn(&s, &a, 1300, 0), 0);
	a.b[15] = 0xff;
	assert_int_equal(fips_mtu_store_get(&s, &a, ~0ull), 1300);
	a.b[14] = 1;
	assert_int_equal(fips_mtu_store_get(&s, &a, 0), 65535);
	/* Bounded: what was written first makes room. */
	for (i = 0; i < 300; i++) {
		struct fips_node_addr n = { { 50, (u8)i, (u8)(i >> 8) } };

		assert_int_equal(fips_mtu_store_hold(&s, &n, 1300), 0);
		assert_true(s.table.count <= 100);
	}
	a = short_addr(1);
	assert_int_equal(fips_mtu_store_get(&s, &a, 0), 65535);
	for (i = 200; i < 300; i++) {
		struct fips_node_addr n = { { 50, (u8)i, (u8)(i >> 8) } };

		assert_int_equal(fips_mtu_store_get(&s, &n, 0), 1300);
	}
	fips_mtu_store_fini(&s);
	assert_int_equal(fips_mtu_store_init(&s, 0, 0, key), 0);
	assert_int_equal(s.capacity, 1);
	fips_mtu_store_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_source_vector),
		cmocka_unit_test(test_destination_vector),
		cmocka_unit_test(test_twin),
		cmocka_unit_test(test_exceeded),
		cmocka_unit_test(test_intervals),
		cmocka_unit_test(test_store),
		cmocka_unit_test(test_store_seeds),
		cmocka_unit_test(test_store_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
