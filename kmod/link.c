// SPDX-License-Identifier: GPL-2.0-only
/*
 * Links: direct neighbours. link-new makes one, link-del, its transport's or
 * its device's end kills it. Configuration runs under fips_device.lock; what
 * the packet path changes too (slots, state, endpoint) is under slots.lock.
 */

#include <linux/etherdevice.h>
#include <linux/slab.h>
#include <net/ipv6.h>

#include "device.h"
#include "link.h"
#include "netlink.h"
#include "packet.h"
#include "route.h"
#include "trace.h"
#include "transport.h"

void fips_link_init(struct fips_device *fips)
{
	xa_init(&fips->links);
}

void fips_link_uninit(struct fips_device *fips)
{
	xa_destroy(&fips->links);
}

struct fips_link *fips_link_find(struct fips_device *fips, u32 id)
{
	return xa_load(&fips->links, id);
}

/* --- endpoint --- */

static void fips_endpoint_free(struct fips_endpoint *ep)
{
	if (!ep)
		return;
	dst_cache_destroy(&ep->dst_cache);
	kfree(ep);
}

static void fips_endpoint_free_rcu(struct rcu_head *rcu)
{
	fips_endpoint_free(container_of(rcu, struct fips_endpoint, rcu));
}

static struct fips_endpoint *fips_endpoint_new(const struct fips_endpoint *from, gfp_t gfp)
{
	struct fips_endpoint *ep = kmalloc(sizeof(*ep), gfp);

	if (!ep)
		return NULL;
	*ep = *from;
	if (dst_cache_init(&ep->dst_cache, gfp)) {
		kfree(ep);
		return NULL;
	}
	return ep;
}

static struct fips_endpoint *fips_endpoint_locked(struct fips_link *link)
{
	return rcu_dereference_protected(link->endpoint, lockdep_is_held(&link->slots.lock));
}

/* Publish a new endpoint. An old dst_cache dies with the old one. */
static void fips_endpoint_replace(struct fips_link *link, struct fips_endpoint *ep)
{
	struct fips_endpoint *old = fips_endpoint_locked(link);

	rcu_assign_pointer(link->endpoint, ep);
	if (old)
		call_rcu(&old->rcu, fips_endpoint_free_rcu);
}

static bool fips_endpoint_same_remote(const struct fips_endpoint *a, const struct fips_endpoint *b)
{
	if (a->transport != b->transport || a->remote.sa.sa_family != b->remote.sa.sa_family)
		return false;
	switch (a->remote.sa.sa_family) {
	case AF_INET:
		return a->remote.in4.sin_port == b->remote.in4.sin_port &&
		       a->remote.in4.sin_addr.s_addr == b->remote.in4.sin_addr.s_addr;
	case AF_INET6:
		return a->remote.in6.sin6_port == b->remote.in6.sin6_port &&
		       a->remote.in6.sin6_scope_id == b->remote.in6.sin6_scope_id &&
		       ipv6_addr_equal(&a->remote.in6.sin6_addr, &b->remote.in6.sin6_addr);
	default:
		return ether_addr_equal(a->mac, b->mac);
	}
}

static bool fips_endpoint_same_local(const struct fips_endpoint *a, const struct fips_endpoint *b)
{
	if (a->local_ifindex != b->local_ifindex)
		return false;
	if (a->remote.sa.sa_family == AF_INET6)
		return ipv6_addr_equal(&a->local.in6, &b->local.in6);
	return a->local.in4.s_addr == b->local.in4.s_addr;
}

/*
 * Only the newest slot that has proven itself moves the endpoint: current, or
 * previous as long as the peer has not spoken under current.
 */
static bool fips_link_newest_proven(struct fips_link *link, struct fips_slot *slot)
{
	struct fips_slot *cur = rcu_dereference_protected(link->slots.slot[FIPS_KEY_SLOT_CURRENT],
							  lockdep_is_held(&link->slots.lock));

	if (slot == cur)
		return true;
	return slot->place == FIPS_KEY_SLOT_PREVIOUS &&
	       (!cur || !test_bit(FIPS_SLOT_USED, &cur->flags)) &&
	       !test_bit(FIPS_SLOT_DEAD, &slot->flags);
}

void fips_link_float(struct fips_link *link, struct fips_slot *slot,
		     const struct fips_endpoint *from)
{
	struct fips_endpoint *old, *ep;

	ep = fips_endpoint_new(from, GFP_ATOMIC);
	if (!ep)
		return;

	spin_lock_bh(&link->slots.lock);
	old = fips_endpoint_locked(link);
	if (link->slots.dead || READ_ONCE(from->transport->dead) ||
	    !fips_link_newest_proven(link, slot) ||
	    (old && fips_endpoint_same_remote(old, ep) && fips_endpoint_same_local(old, ep))) {
		spin_unlock_bh(&link->slots.lock);
		fips_endpoint_free(ep);
		return;
	}
	if (!old || !fips_endpoint_same_remote(old, ep))
		fips_upcall_link_float(link, ep);
	fips_endpoint_replace(link, ep);
	spin_unlock_bh(&link->slots.lock);
}

void fips_link_forget_local(struct fips_link *link, const struct fips_endpoint *stale)
{
	struct fips_endpoint *ep = fips_endpoint_new(stale, GFP_ATOMIC);

	if (!ep)
		return;
	memset(&ep->local, 0, sizeof(ep->local));
	ep->local_ifindex = 0;

	spin_lock_bh(&link->slots.lock);
	if (link->slots.dead || fips_endpoint_locked(link) != stale) {
		spin_unlock_bh(&link->slots.lock);
		fips_endpoint_free(ep);
		return;
	}
	fips_endpoint_replace(link, ep);
	spin_unlock_bh(&link->slots.lock);
}

/* --- reception --- */

/*
 * A slot's first authenticated frame. Under slots.lock, so that a frame on
 * another CPU cannot overtake the events.
 */
static void fips_link_first_use(struct fips_link *link, struct fips_slot *slot)
{
	u8 state, place;

	spin_lock_bh(&link->slots.lock);
	if (test_bit(FIPS_SLOT_USED, &slot->flags) || test_bit(FIPS_SLOT_DEAD, &slot->flags))
		goto unlock;
	place = slot->place;
	state = link->state;
	if (state != FIPS_LINK_STATE_ESTABLISHED) {
		WRITE_ONCE(link->state, FIPS_LINK_STATE_ESTABLISHED);
		trace_fips_link_state(link, FIPS_LINK_STATE_ESTABLISHED);
		if (state == FIPS_LINK_STATE_CANDIDATE)
			fips_upcall_link_confirmed(link);
	}
	if (place == FIPS_KEY_SLOT_NEXT)
		fips_slots_promote(link->fips, &link->slots);
	trace_fips_link_key(link, place);
	fips_upcall_link_key_used(link, place);
	set_bit(FIPS_SLOT_USED, &slot->flags);
unlock:
	spin_unlock_bh(&link->slots.lock);
}

void fips_link_rx(struct fips_link *link, struct fips_slot *slot, u64 n, u64 bytes)
{
	fips_count_rx(&link->counters, n, bytes);
	fips_stamp(&link->last_rx);
	if (unlikely(!READ_ONCE(link->has_rx)))
		WRITE_ONCE(link->has_rx, true);
	if (unlikely(!test_bit(FIPS_SLOT_USED, &slot->flags)))
		fips_link_first_use(link, slot);
	if (unlikely(test_bit(FIPS_LINK_ACTIVE, &link->flags)) &&
	    test_and_clear_bit(FIPS_LINK_ACTIVE, &link->flags))
		fips_upcall_link_active(link);
}

/* --- configuration --- */

static void fips_link_free(struct fips_link *link)
{
	fips_endpoint_free(rcu_dereference_protected(link->endpoint, true));
	kfree(link->owner_data);
	kfree(link);
}

static void fips_link_free_rcu(struct rcu_head *rcu)
{
	struct fips_link *link = container_of(rcu, struct fips_link, rcu);

	/* A reader may have parked one more after fips_link_del(). */
	fips_link_purge(link);
	fips_link_free(link);
}

/* Refuse a remote address that the transport can't reach. */
static int fips_link_check_endpoint(const struct fips_endpoint *ep, struct netlink_ext_ack *extack)
{
	const struct sock *sk = ep->transport->sk;
	sa_family_t family = ep->remote.sa.sa_family;

	if (ep->transport->type != FIPS_TRANSPORT_TYPE_UDP)
		return 0;
	if (family != AF_INET && family != AF_INET6) {
		NL_SET_ERR_MSG(extack, "UDP transport wants remote-ipv4 or remote-ipv6");
		return -EDESTADDRREQ;
	}
	if (family == AF_INET && sk->sk_family == AF_INET6 && ipv6_only_sock(sk)) {
		NL_SET_ERR_MSG(extack, "remote-ipv4 does not go over an IPv6-only transport");
		return -EAFNOSUPPORT;
	}
	if (family == AF_INET6 && sk->sk_family == AF_INET) {
		NL_SET_ERR_MSG(extack, "remote-ipv6 does not go over an IPv4 transport");
		return -EAFNOSUPPORT;
	}
	return 0;
}

static void fips_link_enter(struct fips_link *link, u8 state)
{
	WRITE_ONCE(link->state, state);
	trace_fips_link_state(link, state);
}

/**
 * fips_link_set_key() - register an index, or install the keys
 * @link: link
 * @key: parsed nest
 * @extack: for refusals
 *
 * Keys for an index that waits in that place go into its slot; anything else
 * makes a new slot, which takes the place.
 */
int fips_link_set_key(struct fips_link *link, const struct fips_key_params *key,
		      struct netlink_ext_ack *extack)
{
	struct fips_slots *slots = &link->slots;
	struct fips_slot *slot;
	bool fresh = false;
	int err;

	if (key->has_keys && !key->has_remote) {
		NL_SET_ERR_MSG(extack, "keys of a link need remote-index");
		return -EINVAL;
	}
	spin_lock_bh(&slots->lock);
	slot = rcu_dereference_protected(slots->slot[key->place], lockdep_is_held(&slots->lock));
	spin_unlock_bh(&slots->lock);
	/* Only the packet path moves it from here on, and only once it has keys. */
	if (!slot || fips_slot_has_key(slot) || !key->has_keys ||
	    (key->has_index && key->local_index != slot->local_index)) {
		if (!key->has_index) {
			NL_SET_ERR_MSG(extack, "local-index is missing: none waits in this slot");
			return -EINVAL;
		}
		slot = fips_slot_new(link, key->local_index);
		if (!slot)
			return -ENOMEM;
		fresh = true;
	}
	if (fresh) {
		slot->place = key->place;
		err = fips_index_add(link->fips, slot);
		if (err) {
			if (err == -EEXIST)
				NL_SET_ERR_MSG(extack, "local-index is in use");
			kfree(slot);
			return err;
		}
	}
	spin_lock_bh(&slots->lock);
	if (fresh)
		fips_slots_put(link->fips, slots, slot, key->place);
	if (key->has_keys) {
		if (key->place == FIPS_KEY_SLOT_CURRENT)
			WRITE_ONCE(slots->current_k, key->k_bit);
		fips_slot_set_keys(slot, key);
		if (link->state == FIPS_LINK_STATE_DIALING && key->place == FIPS_KEY_SLOT_CURRENT)
			fips_link_enter(link, FIPS_LINK_STATE_ESTABLISHED);
	}
	spin_unlock_bh(&slots->lock);
	if (key->has_keys)
		fips_link_unpark(link);
	return 0;
}

/**
 * fips_link_new() - make a link
 * @fips: device
 * @params: id and transport set
 * @key: its first key epoch, NULL if none
 * @extack: for refusals
 *
 * Return: published link or an error pointer.
 */
struct fips_link *fips_link_new(struct fips_device *fips, const struct fips_link_params *params,
				const struct fips_key_params *key, struct netlink_ext_ack *extack)
{
	struct fips_endpoint *ep;
	struct fips_link *link;
	int err;

	lockdep_assert_held(&fips->lock);

	if (fips->n_links >= FIPS_LINKS_MAX) {
		NL_SET_ERR_MSG(extack, "device has too many links for another id");
		return ERR_PTR(-ENOSPC);
	}
	err = fips_link_check_endpoint(&params->ep, extack);
	if (err)
		return ERR_PTR(err);

	link = kzalloc(sizeof(*link), GFP_KERNEL_ACCOUNT);
	if (!link)
		return ERR_PTR(-ENOMEM);
	link->fips = fips;
	link->id = params->id;
	link->mtu = params->mtu ?: params->transport->mtu;
	link->created = jiffies;
	link->unknown_paid = jiffies;
	link->back_told = jiffies - HZ;
	if (params->peer)
		link->peer = *params->peer;
	if (params->candidate)
		link->state = FIPS_LINK_STATE_CANDIDATE;
	__set_bit(FIPS_LINK_ACTIVE, &link->flags);
	fips_slots_init(&link->slots);
	skb_queue_head_init(&link->parked);
	INIT_LIST_HEAD(&link->routes);

	ep = fips_endpoint_new(&params->ep, GFP_KERNEL_ACCOUNT);
	if (!ep) {
		err = -ENOMEM;
		goto err_free;
	}
	RCU_INIT_POINTER(link->endpoint, ep);

	err = xa_insert(&fips->links, link->id, link, GFP_KERNEL);
	if (err) {
		if (err == -EBUSY) {
			NL_SET_ERR_MSG(extack, "a link with this id exists");
			err = -EEXIST;
		}
		goto err_free;
	}
	fips->n_links++;
	trace_fips_link_state(link, link->state);
	fips_device_kick_gc(fips);

	if (key) {
		err = fips_link_set_key(link, key, extack);
		if (err) {
			fips_link_del(link);
			return ERR_PTR(err);
		}
	}
	return link;

err_free:
	fips_link_free(link);
	return ERR_PTR(err);
}

/**
 * fips_link_set() - change a link
 * @link: link
 * @params: transport, peer, remote address, MTU where given
 * @extack: for refusals
 */
int fips_link_set(struct fips_link *link, const struct fips_link_params *params,
		  struct netlink_ext_ack *extack)
{
	struct fips_endpoint next, *ep = NULL;
	int err;

	lockdep_assert_held(&link->fips->lock);

	if (params->transport || params->has_remote) {
		rcu_read_lock();
		next = *rcu_dereference(link->endpoint);
		rcu_read_unlock();
		/* Without transport-id the remote address is on the link's own transport. */
		if (params->has_remote)
			next.remote = params->ep.remote;
		if (params->transport)
			next.transport = params->transport;
		memset(&next.local, 0, sizeof(next.local));
		next.local_ifindex = 0;
		err = fips_link_check_endpoint(&next, extack);
		if (err)
			return err;
		ep = fips_endpoint_new(&next, GFP_KERNEL_ACCOUNT);
		if (!ep)
			return -ENOMEM;
	}
	if (params->peer)
		link->peer = *params->peer;
	if (params->mtu)
		WRITE_ONCE(link->mtu, params->mtu);
	if (ep) {
		spin_lock_bh(&link->slots.lock);
		fips_endpoint_replace(link, ep);
		spin_unlock_bh(&link->slots.lock);
	}
	return 0;
}

/**
 * fips_link_swap() - cut over to the next key
 * @link: link
 *
 * Return: 0, or -ENOENT without a next key.
 */
int fips_link_swap(struct fips_link *link)
{
	bool ok;

	spin_lock_bh(&link->slots.lock);
	ok = fips_slots_promote(link->fips, &link->slots);
	spin_unlock_bh(&link->slots.lock);
	return ok ? 0 : -ENOENT;
}

/**
 * fips_link_del_key() - erase a key epoch, free its index
 * @link: link
 * @place: enum fips_key_slot
 *
 * Return: 0, or -ENOENT if nothing is there.
 */
int fips_link_del_key(struct fips_link *link, u32 place)
{
	bool there;

	spin_lock_bh(&link->slots.lock);
	there = rcu_access_pointer(link->slots.slot[place]);
	fips_slots_put(link->fips, &link->slots, NULL, place);
	spin_unlock_bh(&link->slots.lock);
	return there ? 0 : -ENOENT;
}

/**
 * fips_link_del() - unpublish a link; it is freed after a grace period
 * @link: link
 */
void fips_link_del(struct fips_link *link)
{
	struct fips_device *fips = link->fips;

	lockdep_assert_held(&fips->lock);

	xa_erase(&fips->links, link->id);
	fips->n_links--;
	fips_slots_kill(fips, &link->slots);
	fips_route_del_link(link);
	fips_link_purge(link);
	trace_fips_link_dead(link, 0);
	call_rcu(&link->rcu, fips_link_free_rcu);
}

/**
 * fips_link_del_transport() - a transport goes: so do the links on it
 * @fips: device
 * @transport: detached, so that no link can move to it
 */
void fips_link_del_transport(struct fips_device *fips, struct fips_transport *transport)
{
	struct fips_link *link;
	unsigned long id;
	bool here;

	xa_for_each(&fips->links, id, link) {
		rcu_read_lock();
		here = rcu_dereference(link->endpoint)->transport == transport;
		rcu_read_unlock();
		if (here)
			fips_link_del(link);
		cond_resched();
	}
}

void fips_link_del_all(struct fips_device *fips)
{
	struct fips_link *link;
	unsigned long id;

	xa_for_each(&fips->links, id, link) {
		fips_link_del(link);
		cond_resched();
	}
}

/**
 * fips_link_gc() - erase expired keys
 * @fips: device
 */
void fips_link_gc(struct fips_device *fips)
{
	struct fips_link *link;
	unsigned long id;

	lockdep_assert_held(&fips->lock);

	xa_for_each(&fips->links, id, link) {
		fips_slots_expire(fips, &link->slots);
		cond_resched();
	}
}
