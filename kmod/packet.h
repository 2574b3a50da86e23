/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the packet path (crypto, input, output, forward, ipv6, stage, park)
 * offers to the objects. Everything the objects offer to it stands in their
 * own headers.
 */
#ifndef _FIPS_PACKET_H
#define _FIPS_PACKET_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/types.h>

struct fips_device;
struct fips_link;
struct fips_session;
struct in6_addr;
struct sock;

/* Set up and tear down fips_device.stage and whatever else is per device. Process context. */
int fips_packet_init(struct fips_device *fips);
/* Called after all objects are gone and one grace period is over; frees. */
void fips_packet_uninit(struct fips_device *fips);
/* Drop all that is staged or parked without an object (linger's end, ndo_stop, flush). */
void fips_packet_flush(struct fips_device *fips);

/* ndo_start_xmit of the device. */
netdev_tx_t fips_xmit(struct sk_buff *skb, struct net_device *dev);

/**
 * fips_udp_rcv() - encap_rcv of a lent UDP socket
 * @sk: socket; rcu_dereference_sk_user_data(sk) is the struct fips_transport, or NULL
 * @skb: datagram, data at its UDP header
 *
 * Return: 0 if consumed; 1 to leave it (data at the UDP header) on the socket's queue.
 */
int fips_udp_rcv(struct sock *sk, struct sk_buff *skb);

/**
 * fips_link_xmit_msg() - seal a control message and send it
 * @link: link
 * @place: enum fips_key_slot to seal with
 * @msg: link message, type byte first
 * @len: its length, at least 1
 *
 * Context: process, under fips_device.lock; takes RCU and BH itself.
 * Return: 0, -ENOKEY (slot without key), -EKEYEXPIRED (limit or lifetime),
 * -EMSGSIZE, -ENOMEM, -EHOSTUNREACH, or what the transport said.
 */
int fips_link_xmit_msg(struct fips_link *link, u32 place, const u8 *msg, size_t len);

/**
 * fips_session_xmit_msg() - seal a session message and send it
 * @session: session
 * @place: enum fips_key_slot to seal with
 * @msg_type: type for the inner header
 * @with_coords: with CP flag and the session's coordinates
 * @body: after the inner header
 * @len: of @body
 *
 * Context and return as fips_link_xmit_msg(); -EHOSTUNREACH without a route.
 */
int fips_session_xmit_msg(struct fips_session *session, u32 place, u8 msg_type, bool with_coords,
			  const u8 *body, size_t len);

/* Keys or a route are there, or both may be: send what is staged. Process or softirq, RCU. */
void fips_session_flush_staged(struct fips_session *session);
/* Nobody will answer: refuse what is staged with ICMPv6. */
void fips_session_fail_staged(struct fips_session *session);
/* The session dies: free quietly. */
void fips_session_purge(struct fips_session *session);

/* session-new: packets staged for its address before it existed become the session's. */
void fips_stage_adopt(struct fips_session *session);
/* session-set with ipv6 alone: refuse what is staged there and new packets, 0 ms: forget it. */
int fips_stage_unreachable(struct fips_device *fips, const struct in6_addr *ipv6, u32 ms);

/* A route was set, or (link NULL) marked unreachable: flush or refuse what waits for it. */
void fips_route_resolved(struct fips_device *fips, const u8 *node_addr, bool reachable);

/* A slot of the link got its keys: open what is parked. Process context, fips_device.lock. */
void fips_link_unpark(struct fips_link *link);
void fips_session_unpark(struct fips_session *session);
/* The link dies: free quietly. */
void fips_link_purge(struct fips_link *link);

#endif /* _FIPS_PACKET_H */
