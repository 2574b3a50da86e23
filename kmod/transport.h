/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A transport carries frames of many links: a UDP socket that the daemon has
 * lent. transport-new makes it; it stands in the device's list (writers under
 * fips_device.lock) and hangs on the socket's sk_user_data (RCU readers).
 * Endpoints of links point to it, so it is freed one grace period after its
 * last link went.
 */
#ifndef _FIPS_TRANSPORT_H
#define _FIPS_TRANSPORT_H

#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

#include "stats.h"

struct file;
struct fips_device;
struct netlink_ext_ack;
struct sock;

#define FIPS_TRANSPORTS_MAX	64

/**
 * struct fips_transport - one lent socket (later: lower device, stream, relay)
 * @fips: device. Immutable
 * @id: the owner's number. Immutable
 * @type: enum fips_transport_type. Immutable
 * @file: counted; keeps the socket when the daemon is gone. Immutable
 * @sk: the file's socket, %FIPS_TRANSPORT_TYPE_UDP only. Immutable
 * @mtu: largest link frame; READ_ONCE()
 * @dead: detached, no link may move here; READ_ONCE()
 * @list: in fips_device.transports, under fips_device.lock
 * @owner_data: under fips_device.lock
 * @owner_data_len: under fips_device.lock
 * @counters: traffic
 * @rcu: frees
 */
struct fips_transport {
	struct fips_device *fips;
	u32 id;
	u32 type;
	struct file *file;
	struct sock *sk;
	u16 mtu;
	bool dead;
	struct list_head list;
	u8 *owner_data;
	u16 owner_data_len;
	struct fips_counters counters;
	struct rcu_head rcu;
};

/* Everything below: process context, under fips_device.lock unless noted. */
struct fips_transport *fips_transport_find(struct fips_device *fips, u32 id);
struct fips_transport *fips_transport_new_udp(struct fips_device *fips, u32 id, int fd, u16 mtu,
					      struct netlink_ext_ack *extack);
void fips_transport_del(struct fips_device *fips, struct fips_transport *transport);
void fips_transport_del_all(struct fips_device *fips);

#endif /* _FIPS_TRANSPORT_H */
