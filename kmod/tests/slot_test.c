// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: key slots. Counters at their limits, promotion, expiry, the index
 * hash. The unit under test is included, for it exports nothing.
 */

#include <kunit/test.h>
#include <linux/module.h>

#include "../slot.c"

struct fixture {
	struct fips_device *fips;
	struct fips_link *link;
};

static const u8 fips_test_tx[FIPS_KEY_LEN] = { 1 };
static const u8 fips_test_rx[FIPS_KEY_LEN] = { 2 };

static struct fips_key_params fips_test_key(u32 place, u8 k_bit)
{
	return (struct fips_key_params) {
		.place = place,
		.k_bit = k_bit,
		.has_keys = true,
		.tx_key = fips_test_tx,
		.rx_key = fips_test_rx,
		.soft_limit = FIPS_COUNTER_NEVER,
		.hard_limit = FIPS_COUNTER_NEVER,
	};
}

static int fips_test_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->fips = kunit_kzalloc(test, sizeof(*f->fips), GFP_KERNEL);
	f->link = kunit_kzalloc(test, sizeof(*f->link), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f->fips);
	KUNIT_ASSERT_NOT_NULL(test, f->link);
	KUNIT_ASSERT_EQ(test, fips_index_init(f->fips), 0);
	f->link->fips = f->fips;
	fips_slots_init(&f->link->slots);
	test->priv = f;
	return 0;
}

static void fips_test_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	fips_slots_kill(f->fips, &f->link->slots);
	rcu_barrier();
	fips_index_uninit(f->fips);
}

/* A slot with keys, in its place and in the hash. */
static struct fips_slot *fips_test_slot(struct kunit *test, u32 index, u32 place, u8 k_bit)
{
	struct fips_key_params key = fips_test_key(place, k_bit);
	struct fixture *f = test->priv;
	struct fips_slot *slot = fips_slot_new(f->link, index);

	KUNIT_ASSERT_NOT_NULL(test, slot);
	KUNIT_ASSERT_EQ(test, fips_index_add(f->fips, slot), 0);
	fips_slot_set_keys(slot, &key);
	spin_lock_bh(&f->link->slots.lock);
	fips_slots_put(f->fips, &f->link->slots, slot, place);
	spin_unlock_bh(&f->link->slots.lock);
	return slot;
}

static struct fips_slot *fips_test_at(struct kunit *test, u32 place)
{
	struct fixture *f = test->priv;

	return rcu_dereference_protected(f->link->slots.slot[place], true);
}

static bool fips_test_promote(struct kunit *test)
{
	struct fixture *f = test->priv;
	bool ok;

	spin_lock_bh(&f->link->slots.lock);
	ok = fips_slots_promote(f->fips, &f->link->slots);
	spin_unlock_bh(&f->link->slots.lock);
	return ok;
}

static bool fips_test_found(struct kunit *test, u32 index)
{
	struct fixture *f = test->priv;
	bool found;

	rcu_read_lock();
	found = fips_index_find(f->fips, index);
	rcu_read_unlock();
	return found;
}

static void fips_counters_run_out(struct kunit *test)
{
	struct fips_slot *slot = fips_test_slot(test, 1, FIPS_KEY_SLOT_CURRENT, 0);
	u64 first = 0;

	slot->hard_limit = 10;
	KUNIT_EXPECT_EQ(test, fips_slot_take_counters(slot, 8, &first), 8);
	KUNIT_EXPECT_EQ(test, first, 0);
	KUNIT_EXPECT_FALSE(test, test_bit(FIPS_SLOT_HARD, &slot->flags));
	/* Two are left of four. */
	KUNIT_EXPECT_EQ(test, fips_slot_take_counters(slot, 4, &first), 2);
	KUNIT_EXPECT_EQ(test, first, 8);
	KUNIT_EXPECT_EQ(test, fips_slot_take_counters(slot, 1, &first), 0);
	KUNIT_EXPECT_TRUE(test, test_bit(FIPS_SLOT_HARD, &slot->flags));
	KUNIT_EXPECT_EQ(test, (u64)atomic64_read(&slot->tx_counter), 10);
}

static void fips_counters_near_the_end(struct kunit *test)
{
	struct fips_slot *slot = fips_test_slot(test, 1, FIPS_KEY_SLOT_CURRENT, 0);
	u64 first = 0;

	/* 2^64 - 1 is never sealed with, and nothing wraps. */
	atomic64_set(&slot->tx_counter, (s64)(FIPS_COUNTER_NEVER - 2));
	KUNIT_EXPECT_EQ(test, fips_slot_take_counters(slot, 5, &first), 2);
	KUNIT_EXPECT_EQ(test, first, FIPS_COUNTER_NEVER - 2);
	KUNIT_EXPECT_EQ(test, fips_slot_take_counters(slot, 5, &first), 0);
	KUNIT_EXPECT_EQ(test, (u64)atomic64_read(&slot->tx_counter), FIPS_COUNTER_NEVER);
	/* Over the sign bit. */
	atomic64_set(&slot->tx_counter, S64_MAX);
	KUNIT_EXPECT_EQ(test, fips_slot_take_counters(slot, 3, &first), 3);
	KUNIT_EXPECT_EQ(test, first, (u64)S64_MAX);
}

static void fips_soft_limit_told_once(struct kunit *test)
{
	struct fips_slot *slot = fips_test_slot(test, 1, FIPS_KEY_SLOT_CURRENT, 0);
	u64 first;

	slot->soft_limit = 3;
	fips_slot_take_counters(slot, 2, &first);
	KUNIT_EXPECT_FALSE(test, fips_slot_soft_limit(slot));
	fips_slot_take_counters(slot, 1, &first);
	KUNIT_EXPECT_TRUE(test, fips_slot_soft_limit(slot));
	KUNIT_EXPECT_FALSE(test, fips_slot_soft_limit(slot));
}

static void fips_promotion(struct kunit *test)
{
	struct fips_slot *a = fips_test_slot(test, 1, FIPS_KEY_SLOT_CURRENT, 0), *b, *c;
	struct fixture *f = test->priv;

	KUNIT_EXPECT_FALSE(test, fips_test_promote(test));
	b = fips_test_slot(test, 2, FIPS_KEY_SLOT_NEXT, 1);
	KUNIT_EXPECT_TRUE(test, fips_test_promote(test));
	KUNIT_EXPECT_PTR_EQ(test, fips_test_at(test, FIPS_KEY_SLOT_CURRENT), b);
	KUNIT_EXPECT_PTR_EQ(test, fips_test_at(test, FIPS_KEY_SLOT_PREVIOUS), a);
	KUNIT_EXPECT_NULL(test, fips_test_at(test, FIPS_KEY_SLOT_NEXT));
	KUNIT_EXPECT_EQ(test, b->place, FIPS_KEY_SLOT_CURRENT);
	KUNIT_EXPECT_EQ(test, a->place, FIPS_KEY_SLOT_PREVIOUS);
	KUNIT_EXPECT_EQ(test, f->link->slots.current_k, 1);

	/* The third epoch pushes the first one out, index and all. */
	c = fips_test_slot(test, 3, FIPS_KEY_SLOT_NEXT, 0);
	KUNIT_EXPECT_TRUE(test, fips_test_found(test, 1));
	KUNIT_EXPECT_TRUE(test, fips_test_promote(test));
	KUNIT_EXPECT_FALSE(test, fips_test_found(test, 1));
	KUNIT_EXPECT_TRUE(test, fips_test_found(test, 2));
	KUNIT_EXPECT_PTR_EQ(test, fips_test_at(test, FIPS_KEY_SLOT_CURRENT), c);
	KUNIT_EXPECT_PTR_EQ(test, fips_test_at(test, FIPS_KEY_SLOT_PREVIOUS), b);
}

static void fips_index_without_keys(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct fips_slot *slot = fips_slot_new(f->link, 7);

	/* Registered ahead of its keys: found, not to be used, not to be promoted. */
	KUNIT_ASSERT_NOT_NULL(test, slot);
	KUNIT_ASSERT_EQ(test, fips_index_add(f->fips, slot), 0);
	spin_lock_bh(&f->link->slots.lock);
	fips_slots_put(f->fips, &f->link->slots, slot, FIPS_KEY_SLOT_NEXT);
	spin_unlock_bh(&f->link->slots.lock);
	KUNIT_EXPECT_TRUE(test, fips_test_found(test, 7));
	KUNIT_EXPECT_FALSE(test, fips_slot_has_key(slot));
	KUNIT_EXPECT_FALSE(test, fips_test_promote(test));
}

static void fips_index_is_unique(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct fips_slot *twin;

	fips_test_slot(test, 5, FIPS_KEY_SLOT_CURRENT, 0);
	twin = fips_slot_new(f->link, 5);
	KUNIT_ASSERT_NOT_NULL(test, twin);
	KUNIT_EXPECT_EQ(test, fips_index_add(f->fips, twin), -EEXIST);
	kfree_sensitive(twin);
	KUNIT_EXPECT_TRUE(test, fips_test_found(test, 5));
	/* 0 and all ones are indices like any other (spec 03 §3). */
	fips_test_slot(test, 0, FIPS_KEY_SLOT_NEXT, 0);
	fips_test_slot(test, U32_MAX, FIPS_KEY_SLOT_PREVIOUS, 0);
	KUNIT_EXPECT_TRUE(test, fips_test_found(test, 0));
	KUNIT_EXPECT_TRUE(test, fips_test_found(test, U32_MAX));
	KUNIT_EXPECT_FALSE(test, fips_test_found(test, 1));
}

static void fips_expiry(struct kunit *test)
{
	struct fips_slot *slot = fips_test_slot(test, 1, FIPS_KEY_SLOT_CURRENT, 0);
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, fips_slots_expire(f->fips, &f->link->slots), 0);
	slot->expires = jiffies - 1;
	/* Without an end the instant means nothing. */
	KUNIT_EXPECT_FALSE(test, fips_slot_expired(slot));
	slot->mortal = true;
	KUNIT_EXPECT_TRUE(test, fips_slot_expired(slot));
	KUNIT_EXPECT_EQ(test, fips_slots_expire(f->fips, &f->link->slots), 1);
	KUNIT_EXPECT_NULL(test, fips_test_at(test, FIPS_KEY_SLOT_CURRENT));
	KUNIT_EXPECT_FALSE(test, fips_test_found(test, 1));
}

static struct kunit_case fips_slot_cases[] = {
	KUNIT_CASE(fips_counters_run_out),
	KUNIT_CASE(fips_counters_near_the_end),
	KUNIT_CASE(fips_soft_limit_told_once),
	KUNIT_CASE(fips_promotion),
	KUNIT_CASE(fips_index_without_keys),
	KUNIT_CASE(fips_index_is_unique),
	KUNIT_CASE(fips_expiry),
	{}
};

static struct kunit_suite fips_slot_suite = {
	.name = "fips_slot",
	.init = fips_test_init,
	.exit = fips_test_exit,
	.test_cases = fips_slot_cases,
};

kunit_test_suite(fips_slot_suite);
MODULE_DESCRIPTION("KUnit tests of FIPS key slots");
MODULE_LICENSE("GPL");
