/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A session is end-to-end with a remote node. session-new makes it, before its
 * keys are there; RCU readers find it by node address (received messages) and
 * by IPv6 address (packets of the stack). It dies as links do.
 */
#ifndef _FIPS_SESSION_H
#define _FIPS_SESSION_H

#include <linux/in6.h>
#include <linux/rcupdate.h>
#include <linux/rhashtable-types.h>
#include <linux/skbuff.h>
#include <fips/types.h>

#include "slot.h"
#include "stats.h"

struct fips_device;
struct netlink_ext_ack;

#define FIPS_SESSIONS_MAX	65536
#define FIPS_STAGED_MAX		16	/* packets a destination holds for its session or route */

/**
 * struct fips_coords - both coordinate lists as on the wire
 * @rcu: frees
 * @len: bytes
 * @data: source list, then destination list
 */
struct fips_coords {
	struct rcu_head rcu;
	u16 len;
	u8 data[];
};

enum fips_session_flags {
	FIPS_SESSION_ACTIVE,	/* session-active is due with the next message */
};

/**
 * struct fips_session - a far end
 * @fips: device. Immutable
 * @remote: node address. Immutable
 * @ipv6: its FIPS address. Immutable
 * @addr_node: in fips_device.session_addrs
 * @ipv6_node: in fips_device.session_ipv6s
 * @serial: place in fips_device.sessions, which dumps follow. Immutable
 * @slots: key epochs; its lock also covers @path_mtu
 * @last_event: jiffies of the last session-active; bounds those for a flapping MTU
 * @key_seq: counts installed keys; who parks a message compares it under @parked.lock
 * @path_mtu: largest frame of the path, %FIPS_MTU_UNKNOWN at first; READ_ONCE()
 * @seen_mtu: dgram path_mtu last told to the daemon; READ_ONCE()
 * @coords: to prepend, RCU; written under fips_device.lock
 * @coords_count: messages that still carry them; fips_session_take_coords()
 * @unreachable_until: jiffies, if @unreachable; READ_ONCE()
 * @unreachable: refuse packets until then
 * @flags: enum fips_session_flags bits
 * @staged: packets of the stack that wait for a key or a route; its own lock
 * @staged_since: jiffies of the first packet in @staged; under staged.lock
 * @route_asked: jiffies of the last route-miss for it, 0 for none
 * @parked: messages that no slot opens while a handshake may be armed; its own lock
 * @last_data: jiffies of the last data either way, if @has_data; WRITE_ONCE()
 * @last_rx: jiffies of the last authenticated message, if @has_rx; WRITE_ONCE()
 * @has_data: data went
 * @has_rx: a message came
 * @created: jiffies
 * @counters: since the beginning
 * @rx_coords: bytes of coordinates in @counters, received
 * @tx_coords: sent
 * @reported: @counters at the last session-report, under fips_device.lock
 * @sr_bytes: bytes sent up to the last report that ended the sending interval, likewise
 * @owner_data: under fips_device.lock
 * @owner_data_len: under fips_device.lock
 * @rcu: frees
 */
struct fips_session {
	struct fips_device *fips;
	struct fips_node_addr remote;
	struct in6_addr ipv6;
	struct rhash_head addr_node;
	struct rhash_head ipv6_node;
	u32 serial;
	struct fips_slots slots;
	unsigned int key_seq;
	u16 path_mtu;
	u16 seen_mtu;
	unsigned long last_event;
	struct fips_coords __rcu *coords;
	atomic_t coords_count;
	unsigned long unreachable_until;
	bool unreachable;
	unsigned long flags;
	struct sk_buff_head staged;
	unsigned long staged_since;
	unsigned long route_asked;
	struct sk_buff_head parked;
	unsigned long last_data;
	unsigned long last_rx;
	bool has_data;
	bool has_rx;
	unsigned long created;
	struct fips_counters counters;
	atomic64_t rx_coords;
	atomic64_t tx_coords;
	struct fips_stats_sum reported;
	u64 sr_bytes;
	u8 *owner_data;
	u16 owner_data_len;
	struct rcu_head rcu;
};

/* Look-ups. Context: RCU read side or fips_device.lock. Return: session or NULL. */
struct fips_session *fips_session_find(struct fips_device *fips, const u8 *node_addr);
struct fips_session *fips_session_find_ipv6(struct fips_device *fips, const struct in6_addr *ipv6);

static inline bool fips_session_unreachable(const struct fips_session *session)
{
	return READ_ONCE(session->unreachable) &&
	       time_before(jiffies, READ_ONCE(session->unreachable_until));
}

/* May the next message carry coordinates? Takes one off the count if so. */
static inline bool fips_session_take_coords(struct fips_session *session)
{
	return atomic_read(&session->coords_count) > 0 &&
	       atomic_dec_if_positive(&session->coords_count) >= 0;
}

/* Data went, in or out. Any context. */
static inline void fips_session_data(struct fips_session *session)
{
	fips_stamp(&session->last_data);
	if (!READ_ONCE(session->has_data))
		WRITE_ONCE(session->has_data, true);
}

/**
 * fips_session_rx() - a message of the session has authenticated
 * @session: session
 * @slot: slot that opened it
 * @n: messages
 * @bytes: their bytes
 * @dgram_mtu: path_mtu of the last one's datagram
 *
 * As fips_link_rx(): counts, notes liveness, promotes next on its first
 * message, raises session-key-used and session-active.
 *
 * Context: RCU read side, BH off, no lock held.
 */
void fips_session_rx(struct fips_session *session, struct fips_slot *slot, u64 n, u64 bytes,
		     u16 dgram_mtu);

/* Everything below: process context, under fips_device.lock. */

/**
 * struct fips_session_params - session-new and session-set, parsed
 * @remote: far end
 * @path_mtu: 0 if not given
 * @coords: NULL if not given
 * @coords_len: bytes
 * @coords_count: -1 if not given
 */
struct fips_session_params {
	const struct fips_node_addr *remote;
	u16 path_mtu;
	const u8 *coords;
	u16 coords_len;
	int coords_count;
};

int fips_session_init(struct fips_device *fips);
void fips_session_uninit(struct fips_device *fips);
struct fips_session *fips_session_new(struct fips_device *fips,
				      const struct fips_session_params *params,
				      const struct fips_key_params *key,
				      struct netlink_ext_ack *extack);
int fips_session_set(struct fips_session *session, const struct fips_session_params *params);
int fips_session_set_key(struct fips_session *session, const struct fips_key_params *key,
			 struct netlink_ext_ack *extack);
void fips_session_set_unreachable(struct fips_session *session, u32 ms);
int fips_session_swap(struct fips_session *session);
int fips_session_del_key(struct fips_session *session, u32 place);
void fips_session_del(struct fips_session *session);
void fips_session_del_all(struct fips_device *fips);
void fips_session_gc(struct fips_device *fips);

#endif /* _FIPS_SESSION_H */
