/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Upcalls: what the packet path tells the owner. All may be called from any
 * context under RCU with BH off; they allocate atomically, never block, and
 * count what is lost (upcall-control, upcall-data, no-owner). Events without
 * payload also go to the monitor group.
 */
#ifndef _FIPS_NETLINK_H
#define _FIPS_NETLINK_H

#include <linux/types.h>

struct fips_device;
struct fips_endpoint;
struct fips_link;
struct fips_session;
struct fips_slot;
struct fips_transport;
struct in6_addr;

int fips_netlink_init(void);
void fips_netlink_exit(void);

/* Control class: the owner's first socket. */
void fips_upcall_transport_closed(struct fips_transport *transport, int reason);
void fips_upcall_transport_frame(struct fips_transport *transport, const u8 *frame, size_t len);

/* @place: enum fips_key_slot; @flags: flags byte of the frame; @msg: type byte first */
void fips_upcall_link_msg(struct fips_link *link, u32 place, u64 counter, u32 timestamp, u8 flags,
			  const u8 *msg, size_t len);

/* Raised by fips_link_rx(), fips_link_float(): not for the packet path itself. */
void fips_upcall_link_confirmed(struct fips_link *link);
void fips_upcall_link_active(struct fips_link *link);
void fips_upcall_link_key_used(struct fips_link *link, u32 place);
void fips_upcall_link_float(struct fips_link *link, const struct fips_endpoint *ep);

/* After fips_slot_soft_limit(); @counter: the send counter reached */
void fips_upcall_link_key_limit(struct fips_link *link, u32 place, u64 counter);
void fips_upcall_session_key_limit(struct fips_session *session, u32 place, u64 counter);

/**
 * struct fips_session_msg - an opened session message for the daemon
 * @place: slot that opened it
 * @counter: of the message
 * @timestamp: the sender's
 * @msg_type: spec 08 §2.6
 * @inner_flags: spin bit
 * @dgram_mtu: path_mtu of the datagram
 * @link_id: link it came on, 0 if none
 * @body: after the inner header
 * @len: of @body
 */
struct fips_session_msg {
	u32 place;
	u64 counter;
	u32 timestamp;
	u8 msg_type;
	u8 inner_flags;
	u16 dgram_mtu;
	u32 link_id;
	const u8 *body;
	size_t len;
};

void fips_upcall_session_msg(struct fips_session *session, const struct fips_session_msg *msg);

/* Raised by fips_session_rx(). */
void fips_upcall_session_active(struct fips_session *session, u16 dgram_mtu);
void fips_upcall_session_key_used(struct fips_session *session, u32 place);

/* Data class: the owner's second socket, rate-limited. Return: was it sent? */
bool fips_upcall_session_miss(struct fips_device *fips, const struct in6_addr *ipv6);
/* @src: node address of a far end whose session is not here */
bool fips_upcall_session_unknown(struct fips_link *link, const u8 *src);
bool fips_upcall_route_miss(struct fips_device *fips, const u8 *dest, u32 link_id,
			    const u8 *header, size_t len);
bool fips_upcall_mtu_exceeded(struct fips_device *fips, const u8 *dest, u32 link_id,
			      const u8 *header, size_t len);
bool fips_upcall_route_back(struct fips_device *fips, const u8 *dest, u32 link_id,
			    const u8 *header, size_t len);
bool fips_upcall_coords(struct fips_device *fips, u32 link_id, const u8 *header, size_t len);

#endif /* _FIPS_NETLINK_H */
