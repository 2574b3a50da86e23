// SPDX-License-Identifier: GPL-2.0-only
/*
 * Key slots: one key epoch each. Netlink makes and fills them, the packet path
 * uses them under RCU; the three places of a link or session change under its
 * fips_slots.lock, by netlink and by the first frame of a new epoch alike.
 */

#include <linux/rhashtable.h>
#include <linux/slab.h>

#include "device.h"
#include "link.h"
#include "slot.h"

static const struct rhashtable_params fips_index_params = {
	.key_len = sizeof_field(struct fips_slot, local_index),
	.key_offset = offsetof(struct fips_slot, local_index),
	.head_offset = offsetof(struct fips_slot, index_node),
	.automatic_shrinking = true,
};

int fips_index_init(struct fips_device *fips)
{
	return rhashtable_init(&fips->indices, &fips_index_params);
}

void fips_index_uninit(struct fips_device *fips)
{
	rhashtable_destroy(&fips->indices);
}

/**
 * fips_index_add() - make a slot findable by its local index
 * @fips: device
 * @slot: slot of a link, in no hash yet
 *
 * Return: 0, -EEXIST if the index is in use, or -ENOMEM.
 */
int fips_index_add(struct fips_device *fips, struct fips_slot *slot)
{
	return rhashtable_lookup_insert_fast(&fips->indices, &slot->index_node, fips_index_params);
}

struct fips_slot *fips_index_find(struct fips_device *fips, u32 index)
{
	return rhashtable_lookup(&fips->indices, &index, fips_index_params);
}

static void fips_slot_free_rcu(struct rcu_head *rcu)
{
	kfree_sensitive(container_of(rcu, struct fips_slot, rcu));
}

/**
 * fips_slot_new() - a slot without keys, in no place yet
 * @link: owner, NULL for a session
 * @local_index: links: index that the peer will put into its frames
 *
 * Return: slot or NULL.
 */
struct fips_slot *fips_slot_new(struct fips_link *link, u32 local_index)
{
	struct fips_slot *slot = kzalloc(sizeof(*slot), GFP_KERNEL_ACCOUNT);

	if (!slot)
		return NULL;
	slot->link = link;
	slot->local_index = local_index;
	spin_lock_init(&slot->lock);
	fips_replay_init(&slot->rx);
	return slot;
}

/**
 * fips_slot_set_keys() - give a slot its keys
 * @slot: slot without keys; may be published already
 * @key: keys, remote index, limits and lifetime
 */
void fips_slot_set_keys(struct fips_slot *slot, const struct fips_key_params *key)
{
	memcpy(slot->tx_key, key->tx_key, FIPS_KEY_LEN);
	memcpy(slot->rx_key, key->rx_key, FIPS_KEY_LEN);
	slot->k_bit = key->k_bit;
	slot->remote_index = key->remote_index;
	slot->soft_limit = key->soft_limit;
	slot->hard_limit = key->hard_limit;
	slot->mortal = key->lifetime_ms;
	slot->expires = jiffies + msecs_to_jiffies(key->lifetime_ms);
	slot->base = ktime_get();
	slot->spin.initiator = key->initiator;
	/* Pairs with fips_slot_has_key(). */
	smp_store_release(&slot->has_key, true);
}

/**
 * fips_slot_retire() - end of a slot that has left its place
 * @fips: device
 * @slot: no longer in any fips_slots, or never was
 *
 * Takes it out of the index hash and wipes it after a grace period.
 * Context: any, BH may be off.
 */
void fips_slot_retire(struct fips_device *fips, struct fips_slot *slot)
{
	if (test_and_set_bit(FIPS_SLOT_DEAD, &slot->flags))
		return;
	if (slot->link)
		rhashtable_remove_fast(&fips->indices, &slot->index_node, fips_index_params);
	call_rcu(&slot->rcu, fips_slot_free_rcu);
}

unsigned int fips_slot_take_counters(struct fips_slot *slot, unsigned int n, u64 *first)
{
	s64 cur = atomic64_read(&slot->tx_counter);
	u64 left;

	do {
		if ((u64)cur >= slot->hard_limit) {
			set_bit(FIPS_SLOT_HARD, &slot->flags);
			return 0;
		}
		left = slot->hard_limit - (u64)cur;
		if (left < n)
			n = left;
	} while (!atomic64_try_cmpxchg(&slot->tx_counter, &cur, (s64)((u64)cur + n)));
	*first = cur;
	return n;
}

void fips_slots_init(struct fips_slots *slots)
{
	spin_lock_init(&slots->lock);
}

static struct fips_slot *fips_slots_locked(struct fips_slots *slots, u32 place)
{
	return rcu_dereference_protected(slots->slot[place], lockdep_is_held(&slots->lock));
}

/**
 * fips_slots_put() - put a slot into a place; what stood there is retired
 * @fips: device
 * @slots: of a link or session
 * @slot: slot, or NULL to leave the place empty
 * @place: enum fips_key_slot
 */
void fips_slots_put(struct fips_device *fips, struct fips_slots *slots, struct fips_slot *slot,
		    u32 place)
{
	struct fips_slot *old;

	lockdep_assert_held(&slots->lock);

	old = fips_slots_locked(slots, place);
	if (slot)
		WRITE_ONCE(slot->place, place);
	rcu_assign_pointer(slots->slot[place], slot);
	if (old)
		fips_slot_retire(fips, old);
}

/**
 * fips_slots_promote() - next becomes current, current previous
 * @fips: device
 * @slots: of a link or session
 *
 * The one cut-over, for key-swap and for the packet path. K follows the key,
 * and the timestamps start anew (spec 02 §9), on the other side too: no jitter
 * for a while.
 *
 * Return: false if there is no next with keys.
 */
bool fips_slots_promote(struct fips_device *fips, struct fips_slots *slots)
{
	struct fips_slot *current_slot, *next;
	ktime_t now;

	lockdep_assert_held(&slots->lock);

	next = fips_slots_locked(slots, FIPS_KEY_SLOT_NEXT);
	if (!next || !fips_slot_has_key(next))
		return false;
	current_slot = fips_slots_locked(slots, FIPS_KEY_SLOT_CURRENT);
	fips_slots_put(fips, slots, current_slot, FIPS_KEY_SLOT_PREVIOUS);
	now = ktime_get();
	WRITE_ONCE(next->base, now);
	spin_lock(&next->lock);
	next->mmp.grace_until_us = ktime_to_us(now) + FIPS_MMP_GRACE_US;
	spin_unlock(&next->lock);
	WRITE_ONCE(next->place, FIPS_KEY_SLOT_CURRENT);
	rcu_assign_pointer(slots->slot[FIPS_KEY_SLOT_CURRENT], next);
	RCU_INIT_POINTER(slots->slot[FIPS_KEY_SLOT_NEXT], NULL);
	WRITE_ONCE(slots->current_k, next->k_bit);
	return true;
}

/**
 * fips_slots_kill() - the owner dies: retire all its slots
 * @fips: device
 * @slots: of a link or session
 */
void fips_slots_kill(struct fips_device *fips, struct fips_slots *slots)
{
	u32 place;

	spin_lock_bh(&slots->lock);
	slots->dead = true;
	for (place = 0; place < FIPS_KEY_SLOTS; place++)
		fips_slots_put(fips, slots, NULL, place);
	spin_unlock_bh(&slots->lock);
}

/**
 * fips_slots_expire() - erase keys past their last instant of use
 * @fips: device
 * @slots: of a link or session
 *
 * Return: number of keys erased.
 */
unsigned int fips_slots_expire(struct fips_device *fips, struct fips_slots *slots)
{
	unsigned int n = 0;
	struct fips_slot *slot;
	u32 place;

	spin_lock_bh(&slots->lock);
	for (place = 0; place < FIPS_KEY_SLOTS; place++) {
		slot = fips_slots_locked(slots, place);
		if (!slot || !fips_slot_has_key(slot) || !fips_slot_expired(slot))
			continue;
		fips_slots_put(fips, slots, NULL, place);
		n++;
	}
	spin_unlock_bh(&slots->lock);
	return n;
}

/* The sending half: the interval begins with the counter at @slot->mark. */
static void fips_slot_report_tx(struct fips_slot *slot, bool take, struct fips_mmp_tx *tx)
{
	u64 next = atomic64_read(&slot->tx_counter), mark = READ_ONCE(slot->mark);

	tx->has_data = next > mark;
	tx->start_counter = mark;
	tx->start_ts = READ_ONCE(slot->mark_timestamp);
	tx->last_counter = next ? next - 1 : 0;
	tx->last_ts = READ_ONCE(slot->tx_timestamp);
	if (take && tx->has_data)
		WRITE_ONCE(slot->mark, next);
}

/**
 * fips_slots_report() - metrics of the current epoch
 * @slots: of a link or session
 * @take: FIPS_MMP_TAKE_* bits: intervals that end
 * @report: zeroed; totals and bytes of the sending interval stay the caller's
 *
 * Context: process, under fips_device.lock.
 */
void fips_slots_report(struct fips_slots *slots, u32 take, struct fips_mmp_report *report)
{
	struct fips_slot *slot;
	ktime_t now;

	rcu_read_lock();
	slot = fips_slots_get(slots, FIPS_KEY_SLOT_CURRENT);
	if (!slot || !fips_slot_has_key(slot))
		goto out;
	spin_lock_bh(&slot->lock);
	now = ktime_get();
	fips_mmp_report_rx(&slot->mmp, &slot->spin, take & FIPS_MMP_TAKE_RX, ktime_to_us(now),
			   report);
	spin_unlock_bh(&slot->lock);
	report->now_ts = fips_slot_timestamp(slot, now);
	fips_slot_report_tx(slot, take & FIPS_MMP_TAKE_TX, &report->tx);
out:
	rcu_read_unlock();
}
