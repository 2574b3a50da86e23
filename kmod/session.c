// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions: far ends. session-new makes one, before its keys are there;
 * session-del or the device's end kills it. Configuration runs under
 * fips_device.lock; slots change under slots.lock, by the packet path too.
 */

#include <linux/rhashtable.h>
#include <linux/slab.h>

#include "device.h"
#include "netlink.h"
#include "packet.h"
#include "session.h"
#include "trace.h"

static const struct rhashtable_params fips_session_addr_params = {
	.key_len = sizeof_field(struct fips_session, remote),
	.key_offset = offsetof(struct fips_session, remote),
	.head_offset = offsetof(struct fips_session, addr_node),
	.automatic_shrinking = true,
};

static const struct rhashtable_params fips_session_ipv6_params = {
	.key_len = sizeof_field(struct fips_session, ipv6),
	.key_offset = offsetof(struct fips_session, ipv6),
	.head_offset = offsetof(struct fips_session, ipv6_node),
	.automatic_shrinking = true,
};

int fips_session_init(struct fips_device *fips)
{
	int err;

	xa_init_flags(&fips->sessions, XA_FLAGS_ALLOC1);
	err = rhashtable_init(&fips->session_addrs, &fips_session_addr_params);
	if (err)
		return err;
	err = rhashtable_init(&fips->session_ipv6s, &fips_session_ipv6_params);
	if (err)
		rhashtable_destroy(&fips->session_addrs);
	return err;
}

void fips_session_uninit(struct fips_device *fips)
{
	rhashtable_destroy(&fips->session_ipv6s);
	rhashtable_destroy(&fips->session_addrs);
	xa_destroy(&fips->sessions);
}

struct fips_session *fips_session_find(struct fips_device *fips, const u8 *node_addr)
{
	return rhashtable_lookup_fast(&fips->session_addrs, node_addr, fips_session_addr_params);
}

struct fips_session *fips_session_find_ipv6(struct fips_device *fips, const struct in6_addr *ipv6)
{
	return rhashtable_lookup_fast(&fips->session_ipv6s, ipv6, fips_session_ipv6_params);
}

/* --- reception --- */

/* A slot's first authenticated message, as fips_link_first_use(). */
static void fips_session_first_use(struct fips_session *session, struct fips_slot *slot)
{
	u8 place;

	spin_lock_bh(&session->slots.lock);
	if (test_bit(FIPS_SLOT_USED, &slot->flags) || test_bit(FIPS_SLOT_DEAD, &slot->flags))
		goto unlock;
	place = slot->place;
	if (place == FIPS_KEY_SLOT_NEXT)
		fips_slots_promote(session->fips, &session->slots);
	trace_fips_session_key(session, place);
	fips_upcall_session_key_used(session, place);
	set_bit(FIPS_SLOT_USED, &slot->flags);
unlock:
	spin_unlock_bh(&session->slots.lock);
}

/*
 * Another path MTU is an event too, but ten a second are enough: transit nodes
 * write that field. One that was held back is raised by a later message.
 */
static bool fips_session_mtu_event(struct fips_session *session, u16 dgram_mtu)
{
	return dgram_mtu != READ_ONCE(session->seen_mtu) &&
	       time_after(jiffies, READ_ONCE(session->last_event) + HZ / 10);
}

void fips_session_rx(struct fips_session *session, struct fips_slot *slot, u64 n, u64 bytes,
		     u16 dgram_mtu)
{
	fips_count_rx(&session->counters, n, bytes);
	fips_stamp(&session->last_rx);
	if (unlikely(!READ_ONCE(session->has_rx)))
		WRITE_ONCE(session->has_rx, true);
	if (unlikely(!test_bit(FIPS_SLOT_USED, &slot->flags)))
		fips_session_first_use(session, slot);
	if (unlikely((test_bit(FIPS_SESSION_ACTIVE, &session->flags) &&
		      test_and_clear_bit(FIPS_SESSION_ACTIVE, &session->flags)) ||
		     fips_session_mtu_event(session, dgram_mtu))) {
		WRITE_ONCE(session->seen_mtu, dgram_mtu);
		WRITE_ONCE(session->last_event, jiffies);
		fips_upcall_session_active(session, dgram_mtu);
	}
}

/* --- configuration --- */

static void fips_session_free(struct fips_session *session)
{
	kfree(rcu_dereference_protected(session->coords, true));
	kfree(session->owner_data);
	kfree(session);
}

static void fips_session_free_rcu(struct rcu_head *rcu)
{
	struct fips_session *session = container_of(rcu, struct fips_session, rcu);

	/* A reader may have queued one more after fips_session_del(). */
	fips_session_purge(session);
	fips_session_free(session);
}

/**
 * fips_session_set_key() - install the keys of an epoch
 * @session: session
 * @key: parsed nest
 * @extack: for refusals
 */
int fips_session_set_key(struct fips_session *session, const struct fips_key_params *key,
			 struct netlink_ext_ack *extack)
{
	struct fips_slots *slots = &session->slots;
	struct fips_slot *slot;

	lockdep_assert_held(&session->fips->lock);

	if (!key->has_keys) {
		NL_SET_ERR_MSG(extack, "tx-key and rx-key are missing");
		return -EINVAL;
	}
	if (key->has_index || key->has_remote) {
		NL_SET_ERR_MSG(extack, "a session's key has neither local-index nor remote-index");
		return -EINVAL;
	}
	slot = fips_slot_new(NULL, 0);
	if (!slot)
		return -ENOMEM;
	fips_slot_set_keys(slot, key);

	spin_lock_bh(&slots->lock);
	if (key->place == FIPS_KEY_SLOT_CURRENT)
		WRITE_ONCE(slots->current_k, key->k_bit);
	fips_slots_put(session->fips, slots, slot, key->place);
	spin_unlock_bh(&slots->lock);
	/* Pairs with the acquire in fips_input_session(). */
	smp_store_release(&session->key_seq, session->key_seq + 1);

	WRITE_ONCE(session->unreachable, false);
	fips_session_unpark(session);
	if (key->place == FIPS_KEY_SLOT_CURRENT)
		fips_session_flush_staged(session);
	return 0;
}

static int fips_session_publish(struct fips_session *session, struct netlink_ext_ack *extack)
{
	struct fips_device *fips = session->fips;
	int err;

	err = xa_alloc_cyclic(&fips->sessions, &session->serial, session, xa_limit_32b,
			      &fips->session_serial, GFP_KERNEL);
	if (err < 0)
		return err;
	err = rhashtable_lookup_insert_fast(&fips->session_addrs, &session->addr_node,
					    fips_session_addr_params);
	if (err)
		goto err_serial;
	err = rhashtable_lookup_insert_fast(&fips->session_ipv6s, &session->ipv6_node,
					    fips_session_ipv6_params);
	if (err)
		goto err_addr;
	fips->n_sessions++;
	return 0;

err_addr:
	rhashtable_remove_fast(&fips->session_addrs, &session->addr_node,
			       fips_session_addr_params);
err_serial:
	xa_erase(&fips->sessions, session->serial);
	if (err == -EEXIST)
		NL_SET_ERR_MSG(extack, "a session with this remote, or its IPv6 address, exists");
	return err;
}

/**
 * fips_session_new() - make a session
 * @fips: device
 * @params: remote set
 * @key: its first key epoch, NULL if none
 * @extack: for refusals
 *
 * Packets that were staged for its address become the session's.
 *
 * Return: published session or an error pointer.
 */
struct fips_session *fips_session_new(struct fips_device *fips,
				      const struct fips_session_params *params,
				      const struct fips_key_params *key,
				      struct netlink_ext_ack *extack)
{
	struct fips_session *session;
	int err;

	lockdep_assert_held(&fips->lock);

	if (fips->n_sessions >= FIPS_SESSIONS_MAX) {
		NL_SET_ERR_MSG(extack, "device has too many sessions for another remote");
		return ERR_PTR(-ENOSPC);
	}
	session = kzalloc(sizeof(*session), GFP_KERNEL_ACCOUNT);
	if (!session)
		return ERR_PTR(-ENOMEM);
	session->fips = fips;
	session->remote = *params->remote;
	fips_node_addr_to_ipv6(&session->remote, session->ipv6.s6_addr);
	session->path_mtu = FIPS_MTU_UNKNOWN;
	session->seen_mtu = FIPS_MTU_UNKNOWN;
	session->created = jiffies;
	session->last_event = jiffies;
	__set_bit(FIPS_SESSION_ACTIVE, &session->flags);
	fips_slots_init(&session->slots);
	skb_queue_head_init(&session->staged);
	skb_queue_head_init(&session->parked);

	err = fips_session_set(session, params);
	if (!err)
		err = fips_session_publish(session, extack);
	if (err) {
		/* It may have been in one of the hashes for a moment. */
		call_rcu(&session->rcu, fips_session_free_rcu);
		return ERR_PTR(err);
	}
	trace_fips_session_new(session, 0);
	fips_device_kick_gc(fips);
	fips_stage_adopt(session);

	if (key) {
		err = fips_session_set_key(session, key, extack);
		if (err) {
			fips_session_del(session);
			return ERR_PTR(err);
		}
	}
	return session;
}

/**
 * fips_session_set() - change a session
 * @session: session
 * @params: path MTU, coordinates and their count where given
 *
 * Return: 0 or -ENOMEM.
 */
int fips_session_set(struct fips_session *session, const struct fips_session_params *params)
{
	struct fips_coords *coords = NULL, *old;

	lockdep_assert_held(&session->fips->lock);

	if (params->coords) {
		if (params->coords_len) {
			coords = kmalloc(struct_size(coords, data, params->coords_len),
					 GFP_KERNEL_ACCOUNT);
			if (!coords)
				return -ENOMEM;
			coords->len = params->coords_len;
			memcpy(coords->data, params->coords, params->coords_len);
		}
		old = rcu_replace_pointer(session->coords, coords,
					  lockdep_is_held(&session->fips->lock));
		if (old)
			kfree_rcu(old, rcu);
	}
	if (params->coords_count >= 0)
		atomic_set(&session->coords_count, params->coords_count);
	if (params->path_mtu)
		WRITE_ONCE(session->path_mtu, params->path_mtu);
	return 0;
}

/**
 * fips_session_set_unreachable() - refuse packets to the far end for a time
 * @session: session
 * @ms: how long; 0 forgets it
 */
void fips_session_set_unreachable(struct fips_session *session, u32 ms)
{
	lockdep_assert_held(&session->fips->lock);

	WRITE_ONCE(session->unreachable_until, jiffies + msecs_to_jiffies(ms));
	WRITE_ONCE(session->unreachable, ms != 0);
	if (ms)
		fips_session_fail_staged(session);
}

/**
 * fips_session_swap() - cut over to the next key
 * @session: session
 *
 * Return: 0, or -ENOENT without a next key.
 */
int fips_session_swap(struct fips_session *session)
{
	bool ok;

	spin_lock_bh(&session->slots.lock);
	ok = fips_slots_promote(session->fips, &session->slots);
	spin_unlock_bh(&session->slots.lock);
	return ok ? 0 : -ENOENT;
}

/**
 * fips_session_del_key() - erase a key epoch
 * @session: session
 * @place: enum fips_key_slot
 *
 * Return: 0, or -ENOENT if nothing is there.
 */
int fips_session_del_key(struct fips_session *session, u32 place)
{
	bool there;

	spin_lock_bh(&session->slots.lock);
	there = rcu_access_pointer(session->slots.slot[place]);
	fips_slots_put(session->fips, &session->slots, NULL, place);
	spin_unlock_bh(&session->slots.lock);
	return there ? 0 : -ENOENT;
}

/**
 * fips_session_del() - unpublish a session; it is freed after a grace period
 * @session: session
 */
void fips_session_del(struct fips_session *session)
{
	struct fips_device *fips = session->fips;

	lockdep_assert_held(&fips->lock);

	rhashtable_remove_fast(&fips->session_ipv6s, &session->ipv6_node,
			       fips_session_ipv6_params);
	rhashtable_remove_fast(&fips->session_addrs, &session->addr_node,
			       fips_session_addr_params);
	xa_erase(&fips->sessions, session->serial);
	fips->n_sessions--;
	fips_slots_kill(fips, &session->slots);
	fips_session_purge(session);
	trace_fips_session_dead(session, 0);
	call_rcu(&session->rcu, fips_session_free_rcu);
}

void fips_session_del_all(struct fips_device *fips)
{
	struct fips_session *session;
	unsigned long serial;

	xa_for_each(&fips->sessions, serial, session) {
		fips_session_del(session);
		cond_resched();
	}
}

/**
 * fips_session_gc() - erase expired keys
 * @fips: device
 */
void fips_session_gc(struct fips_device *fips)
{
	struct fips_session *session;
	unsigned long serial;

	lockdep_assert_held(&fips->lock);

	xa_for_each(&fips->sessions, serial, session) {
		fips_slots_expire(fips, &session->slots);
		cond_resched();
	}
}
