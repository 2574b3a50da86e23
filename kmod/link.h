/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A link is a direct neighbour on a transport. link-new makes it; RCU readers
 * find it through a slot of the index hash, a route or its id. It dies in two
 * phases: unpublished (id hash, slots, routes) under fips_device.lock, then
 * freed by call_rcu(), so that any number of links dies in one grace period.
 */
#ifndef _FIPS_LINK_H
#define _FIPS_LINK_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/skbuff.h>
#include <net/dst_cache.h>
#include <fips/types.h>

#include "slot.h"
#include "stats.h"

struct fips_device;
struct fips_transport;
struct netlink_ext_ack;

#define FIPS_LINKS_MAX		65536
#define FIPS_PARKED_MAX		16	/* frames a link or session holds for a missing key */

/**
 * struct fips_endpoint - where a link's frames go
 * @transport: carries them; outlives the endpoint
 * @remote: peer's address and port; sin6_scope_id is the interface of a link-local one
 * @remote.sa: for the family, 0 (AF_UNSPEC) where the transport has no such address
 * @remote.in4: IPv4, also for mapped addresses
 * @remote.in6: IPv6
 * @local: our address on which the peer's last frame came, unspecified at first
 * @local.in4: IPv4
 * @local.in6: IPv6
 * @local_ifindex: interface on which it came, 0 at first
 * @mac: Ethernet only
 * @dst_cache: underlay route; belongs to this endpoint alone, so none can go stale in it
 * @rcu: frees
 *
 * Immutable but for @dst_cache; a change replaces it whole (fips_link_set_endpoint()).
 */
struct fips_endpoint {
	struct fips_transport *transport;
	union {
		struct sockaddr sa;
		struct sockaddr_in in4;
		struct sockaddr_in6 in6;
	} remote;
	union {
		struct in_addr in4;
		struct in6_addr in6;
	} local;
	int local_ifindex;
	u8 mac[ETH_ALEN];
	struct dst_cache dst_cache;
	struct rcu_head rcu;
};

enum fips_link_flags {
	FIPS_LINK_ACTIVE,	/* link-active is due with the next frame (set by new and report) */
};

/**
 * struct fips_link - a direct neighbour
 * @fips: device. Immutable
 * @id: the owner's number. Immutable
 * @peer: node address; under fips_device.lock, readers take it as it comes
 * @endpoint: RCU; replaced under @slots.lock
 * @slots: key epochs; its lock also covers @endpoint and @state
 * @mtu: largest frame; READ_ONCE()
 * @congested: mark forwarded datagrams with CE; READ_ONCE()
 * @state: enum fips_link_state; READ_ONCE()
 * @flags: enum fips_link_flags bits
 * @parked: frames that came before their key; its own lock; bounded by %FIPS_PARKED_MAX
 * @last_rx: jiffies of the last authenticated frame, if @has_rx; WRITE_ONCE()
 * @has_rx: a frame has authenticated
 * @unknown_paid: jiffies up to which session-unknowns are paid for; cmpxchg()
 * @back_told: jiffies of the last route-back; cmpxchg()
 * @created: jiffies
 * @counters: since the beginning
 * @reported: @counters at the last link-report, under fips_device.lock
 * @sr_bytes: bytes sent up to the last report that ended the sending interval, likewise
 * @routes: fips_route.link_list, under fips_device.lock
 * @owner_data: under fips_device.lock
 * @owner_data_len: under fips_device.lock
 * @rcu: frees
 */
struct fips_link {
	struct fips_device *fips;
	u32 id;
	struct fips_node_addr peer;
	struct fips_endpoint __rcu *endpoint;
	struct fips_slots slots;
	u16 mtu;
	u8 congested;
	u8 state;
	unsigned long flags;
	struct sk_buff_head parked;
	unsigned long last_rx;
	bool has_rx;
	unsigned long unknown_paid;
	unsigned long back_told;
	unsigned long created;
	struct fips_counters counters;
	struct fips_stats_sum reported;
	u64 sr_bytes;
	struct list_head routes;
	u8 *owner_data;
	u16 owner_data_len;
	struct rcu_head rcu;
};

/**
 * fips_link_find() - link by id
 * @fips: device
 * @id: the owner's number
 *
 * Context: RCU read side or fips_device.lock.
 * Return: link or NULL.
 */
struct fips_link *fips_link_find(struct fips_device *fips, u32 id);

/**
 * fips_link_rx() - a frame of the link has authenticated
 * @link: link
 * @slot: slot that opened it
 * @n: frames
 * @bytes: their bytes on the wire
 *
 * Call it right after the replay window took the frame and before its message
 * goes anywhere: counts, notes liveness, and on the slot's first frame
 * promotes next, confirms a candidate and raises the events, in that order.
 *
 * Context: RCU read side, BH off, no lock held.
 */
void fips_link_rx(struct fips_link *link, struct fips_slot *slot, u64 n, u64 bytes);

/**
 * fips_link_float() - the peer speaks from another address
 * @link: link
 * @slot: slot that opened the frame
 * @ep: new endpoint, copied (its dst_cache is ignored)
 *
 * Call it for a frame with the highest counter of its slot whose transport,
 * remote or local address differs from the endpoint's. Only the newest proven
 * slot (current, not next or previous) moves the endpoint. Raises link-float
 * if the remote address or the transport changed.
 *
 * Context: RCU read side, BH off, no lock held.
 */
void fips_link_float(struct fips_link *link, struct fips_slot *slot,
		     const struct fips_endpoint *ep);

/**
 * fips_link_forget_local() - the local address is no longer ours
 * @link: link
 * @ep: endpoint with that address; replaced by one that lets the route choose
 *
 * Context: RCU read side, BH off.
 */
void fips_link_forget_local(struct fips_link *link, const struct fips_endpoint *ep);

/* Everything below: process context, under fips_device.lock. */

/**
 * struct fips_link_params - link-new and link-set, parsed
 * @id: number
 * @transport: NULL if not given
 * @peer: NULL if not given
 * @ep: remote address, valid if @has_remote
 * @has_remote: a remote address was given
 * @mtu: 0 if not given
 * @candidate: link-new: keys prove nothing yet
 */
struct fips_link_params {
	u32 id;
	struct fips_transport *transport;
	const struct fips_node_addr *peer;
	struct fips_endpoint ep;
	bool has_remote;
	u16 mtu;
	bool candidate;
};

void fips_link_init(struct fips_device *fips);
void fips_link_uninit(struct fips_device *fips);
struct fips_link *fips_link_new(struct fips_device *fips, const struct fips_link_params *params,
				const struct fips_key_params *key, struct netlink_ext_ack *extack);
int fips_link_set(struct fips_link *link, const struct fips_link_params *params,
		  struct netlink_ext_ack *extack);
int fips_link_set_key(struct fips_link *link, const struct fips_key_params *key,
		      struct netlink_ext_ack *extack);
int fips_link_swap(struct fips_link *link);
int fips_link_del_key(struct fips_link *link, u32 place);
void fips_link_del(struct fips_link *link);
void fips_link_del_transport(struct fips_device *fips, struct fips_transport *transport);
void fips_link_del_all(struct fips_device *fips);
void fips_link_gc(struct fips_device *fips);

#endif /* _FIPS_LINK_H */
