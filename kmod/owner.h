/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The owner of a device is a netlink socket: it alone may change things, and
 * upcalls go to it. When it closes, traffic lives on for fips_device.linger;
 * then everything that it installed or lent is let go.
 */
#ifndef _FIPS_OWNER_H
#define _FIPS_OWNER_H

#include <linux/rcupdate.h>
#include <linux/types.h>

struct fips_device;
struct net;
struct netlink_ext_ack;
struct work_struct;

/**
 * struct fips_owner - who owns a device
 * @net: namespace of the netlink sockets. Borrowed: the sockets hold it, and their end clears
 *	fips_device.owner before the namespace can go
 * @control: netlink port of the owner
 * @data: netlink port for data upcalls, 0 once it is closed; READ_ONCE()
 * @rcu: frees
 */
struct fips_owner {
	struct net *net;
	u32 control;
	u32 data;
	struct rcu_head rcu;
};

/* All under fips_device.lock. */
bool fips_owner_is(struct fips_device *fips, const struct net *net, u32 portid);
bool fips_owner_present(struct fips_device *fips);
int fips_owner_set(struct fips_device *fips, struct net *net, u32 control, u32 data, bool takeover,
		   struct netlink_ext_ack *extack);
void fips_owner_clear(struct fips_device *fips);

void fips_linger_work(struct work_struct *work);

int fips_owner_init(void);
void fips_owner_exit(void);

#endif /* _FIPS_OWNER_H */
