/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A key slot is one key epoch of a link or a session: an index, two keys, the
 * send counter and the replay window. It is made by netlink, found by RCU
 * readers through its owner's three places (or, for links, through the
 * device's hash of local indices) and freed one grace period after it left
 * all of them. The places change under the owner's fips_slots.lock only.
 */
#ifndef _FIPS_SLOT_H
#define _FIPS_SLOT_H

#include <linux/atomic.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/rcupdate.h>
#include <linux/rhashtable-types.h>
#include <linux/spinlock.h>
#include <fips/mmp.h>
#include <fips/replay.h>

#include <uapi/linux/fips.h>

struct fips_device;
struct fips_link;

#define FIPS_KEY_SLOTS	3

enum fips_slot_flags {
	FIPS_SLOT_USED,		/* a frame has authenticated; first setter tells the owner */
	FIPS_SLOT_SOFT,		/* soft limit reported */
	FIPS_SLOT_HARD,		/* hard limit met: nothing is sealed any more */
	FIPS_SLOT_DEAD,		/* left its owner, waits for the grace period */
};

/**
 * struct fips_slot - one key epoch
 * @index_node: place in the device's index hash, links only
 * @link: owner; NULL for a session's slot. Immutable, valid under RCU as the slot is
 * @local_index: links: index in the peer's frames to us. Immutable
 * @remote_index: links: index in our frames. Valid once @has_key
 * @place: where the slot stands in its owner; written under fips_slots.lock
 * @has_key: keys and everything that comes with them are valid; read it with fips_slot_has_key()
 * @k_bit: key-epoch bit of our frames. Valid once @has_key
 * @tx_key: sealing key
 * @rx_key: opening key
 * @soft_limit: @tx_counter that raises one key-limit event
 * @hard_limit: @tx_counter from which nothing is sealed; at most 2^64 - 1
 * @expires: jiffies of the last use, if @mortal
 * @mortal: the slot has an end
 * @base: ktime of timestamp 0; reset on promotion, read with READ_ONCE()
 * @flags: enum fips_slot_flags bits
 * @tx_counter: next counter to seal with
 * @tx_timestamp: of the newest frame sent; written by whoever sends
 * @mark: first counter of the sending interval of the metrics; WRITE_ONCE()
 * @mark_timestamp: of the frame that had it
 * @lock: serialises @rx, @rx_timestamp, @mmp and @spin; taken with BH off
 * @rx: counters seen
 * @rx_timestamp: sender's timestamp of the frame with the highest counter
 * @mmp: receive sums of this epoch; the owner's totals are in its counters
 * @spin: spin bit of this epoch; @spin.bit is read without the lock
 * @rcu: frees the slot
 */
struct fips_slot {
	struct rhash_head index_node;
	struct fips_link *link;
	u32 local_index;
	u32 remote_index;
	u8 place;
	bool has_key;
	u8 k_bit;
	bool mortal;
	u8 tx_key[FIPS_KEY_LEN];
	u8 rx_key[FIPS_KEY_LEN];
	u64 soft_limit;
	u64 hard_limit;
	unsigned long expires;
	ktime_t base;
	unsigned long flags;
	atomic64_t tx_counter ____cacheline_aligned;
	u64 mark;
	u32 mark_timestamp;
	u32 tx_timestamp;
	spinlock_t lock ____cacheline_aligned;	/* rx, rx_timestamp, mmp, spin */
	struct fips_replay rx;
	u32 rx_timestamp;
	struct fips_mmp_spin spin;
	struct fips_mmp_rx mmp;
	struct rcu_head rcu;
};

/**
 * struct fips_slots - the three places of a link or session
 * @lock: orders changes of @slot and of the owner's state; BH off; nests outside nothing
 * @slot: by enum fips_key_slot; RCU readers, writers under @lock
 * @current_k: K bit of the current slot, 0 without one
 * @dead: owner is being destroyed, nothing may be put in any more
 */
struct fips_slots {
	spinlock_t lock;	/* slot[], current_k, dead and the owner's state */
	struct fips_slot __rcu *slot[FIPS_KEY_SLOTS];
	u8 current_k;
	bool dead;
};

static inline bool fips_slot_has_key(const struct fips_slot *slot)
{
	/* Keys may be used: pairs with the release in fips_slot_set_keys(). */
	return smp_load_acquire(&slot->has_key);
}

static inline bool fips_slot_expired(const struct fips_slot *slot)
{
	return slot->mortal && time_after(jiffies, READ_ONCE(slot->expires));
}

/* Milliseconds since the epoch began on our side: the timestamp to send. */
static inline u32 fips_slot_timestamp(const struct fips_slot *slot, ktime_t now)
{
	return (u32)ktime_to_ms(ktime_sub(now, READ_ONCE(slot->base)));
}

/**
 * fips_slot_sent() - note a list of frames for the metrics
 * @slot: slot that seals them
 * @first: counter of the first
 * @timestamp: of all
 *
 * What else a sender report needs follows from the counters. Context: BH off.
 */
static inline void fips_slot_sent(struct fips_slot *slot, u64 first, u32 timestamp)
{
	WRITE_ONCE(slot->tx_timestamp, timestamp);
	if (unlikely(first == READ_ONCE(slot->mark)))
		WRITE_ONCE(slot->mark_timestamp, timestamp);
}

/* What the slot's frames say in their spin bit. */
static inline bool fips_slot_spin(const struct fips_slot *slot)
{
	return READ_ONCE(slot->spin.bit);
}

/**
 * fips_slots_get() - slot at a place
 * @slots: of a link or session
 * @place: enum fips_key_slot
 *
 * Context: RCU read side.
 * Return: slot or NULL; valid as long as the read side lasts. It may lack its keys.
 */
static inline struct fips_slot *fips_slots_get(const struct fips_slots *slots, u32 place)
{
	return rcu_dereference(slots->slot[place]);
}

/**
 * fips_slot_take_counters() - reserve send counters
 * @slot: slot with keys
 * @n: how many
 * @first: the first one, written
 *
 * The counters of a list of frames are taken together, in order. Sets
 * %FIPS_SLOT_HARD at the hard limit; the caller raises the soft limit's event
 * if fips_slot_soft_limit() says so.
 *
 * Return: how many of the @n may be used, counting from @first; the rest has to be dropped.
 */
unsigned int fips_slot_take_counters(struct fips_slot *slot, unsigned int n, u64 *first);

/* True once, when the counter has passed the soft limit: raise key-limit then. */
static inline bool fips_slot_soft_limit(struct fips_slot *slot)
{
	return atomic64_read(&slot->tx_counter) >= slot->soft_limit &&
	       !test_bit(FIPS_SLOT_SOFT, &slot->flags) &&
	       !test_and_set_bit(FIPS_SLOT_SOFT, &slot->flags);
}

/**
 * struct fips_key_params - a key nest of the uAPI, parsed
 * @place: where to put it
 * @local_index: links only
 * @remote_index: links only
 * @has_index: local_index given
 * @has_remote: remote_index given
 * @has_keys: tx_key and rx_key given
 * @initiator: turns the spin bit
 * @k_bit: key-epoch bit
 * @tx_key: borrowed from the request, wiped there afterwards
 * @rx_key: borrowed from the request, wiped there afterwards
 * @soft_limit: all ones without one
 * @hard_limit: all ones without one
 * @lifetime_ms: 0 for ever
 */
struct fips_key_params {
	u32 place;
	u32 local_index;
	u32 remote_index;
	bool has_index;
	bool has_remote;
	bool has_keys;
	bool initiator;
	u8 k_bit;
	const u8 *tx_key;
	const u8 *rx_key;
	u64 soft_limit;
	u64 hard_limit;
	u32 lifetime_ms;
};

void fips_slots_init(struct fips_slots *slots);
struct fips_slot *fips_slot_new(struct fips_link *link, u32 local_index);
void fips_slot_set_keys(struct fips_slot *slot, const struct fips_key_params *key);
void fips_slot_retire(struct fips_device *fips, struct fips_slot *slot);
void fips_slots_put(struct fips_device *fips, struct fips_slots *slots, struct fips_slot *slot,
		    u32 place);
bool fips_slots_promote(struct fips_device *fips, struct fips_slots *slots);
void fips_slots_kill(struct fips_device *fips, struct fips_slots *slots);
unsigned int fips_slots_expire(struct fips_device *fips, struct fips_slots *slots);
void fips_slots_report(struct fips_slots *slots, u32 take, struct fips_mmp_report *report);

/* Device-wide hash of local indices. */
int fips_index_init(struct fips_device *fips);
void fips_index_uninit(struct fips_device *fips);
int fips_index_add(struct fips_device *fips, struct fips_slot *slot);

/**
 * fips_index_find() - slot of a receiver index
 * @fips: device
 * @index: receiver_idx of a frame
 *
 * Context: RCU read side.
 * Return: slot (slot->link is its link) or NULL.
 */
struct fips_slot *fips_index_find(struct fips_device *fips, u32 index);

#endif /* _FIPS_SLOT_H */
