/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A route is the daemon's answer to "which link leads to this node": an exact
 * match, cached until it is deleted, flushed by generation, loses its link or
 * goes unused. Writers hold fips_device.lock, readers RCU.
 */
#ifndef _FIPS_ROUTE_H
#define _FIPS_ROUTE_H

#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/rhashtable-types.h>
#include <fips/types.h>

#include "stats.h"

struct fips_device;
struct fips_link;

#define FIPS_ROUTES_MAX		1048576	/* some 150 bytes each */
#define FIPS_ROUTE_MAX_IDLE	(600 * HZ)	/* unused entries go after this */

/**
 * struct fips_route - next hop to a node
 * @node: in fips_device.routes
 * @serial: place in fips_device.route_serials, which dumps follow. Immutable
 * @link_list: in fips_link.routes, under fips_device.lock
 * @dest: destination. Immutable
 * @link: next hop, NULL if unreachable; valid under RCU
 * @unreachable_until: jiffies; @link is NULL and packets are refused until then; READ_ONCE()
 * @generation: of the last route-set
 * @last_use: jiffies; fips_route_use()
 * @rcu: frees
 */
struct fips_route {
	struct rhash_head node;
	u32 serial;
	struct list_head link_list;
	struct fips_node_addr dest;
	struct fips_link __rcu *link;
	unsigned long unreachable_until;
	u32 generation;
	unsigned long last_use;
	struct rcu_head rcu;
};

/**
 * fips_route_find() - route to a node
 * @fips: device
 * @node_addr: 16 bytes
 *
 * Context: RCU read side or fips_device.lock.
 * Return: route or NULL (a miss). rcu_dereference(route->link) may be NULL:
 * fips_route_unreachable() then tells "refused for a time" from a miss.
 */
struct fips_route *fips_route_find(struct fips_device *fips, const u8 *node_addr);

static inline bool fips_route_unreachable(const struct fips_route *route)
{
	return !rcu_access_pointer(route->link) &&
	       time_before(jiffies, READ_ONCE(route->unreachable_until));
}

static inline void fips_route_use(struct fips_route *route)
{
	fips_stamp(&route->last_use);
}

/* Everything below: process context, under fips_device.lock. */
int fips_route_init(struct fips_device *fips);
void fips_route_uninit(struct fips_device *fips);
int fips_route_set(struct fips_device *fips, const u8 *dest, struct fips_link *link,
		   u32 unreachable_ms, const u32 *generation);
void fips_route_del(struct fips_device *fips, struct fips_route *route);
void fips_route_del_link(struct fips_link *link);
void fips_route_flush(struct fips_device *fips, bool all, u32 generation);
void fips_route_gc(struct fips_device *fips);

#endif /* _FIPS_ROUTE_H */
