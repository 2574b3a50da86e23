// SPDX-License-Identifier: GPL-2.0-only
/*
 * Routes: exact match from a node to the link that leads there, set by the
 * daemon. Bounded: a full table gives up the least recently used of a sample.
 * Entries that nobody uses age.
 */

#include <linux/rhashtable.h>
#include <linux/slab.h>

#include "device.h"
#include "link.h"
#include "packet.h"
#include "route.h"

#define FIPS_ROUTE_SAMPLE	32	/* entries looked at for a victim */

static const struct rhashtable_params fips_route_params = {
	.key_len = sizeof_field(struct fips_route, dest),
	.key_offset = offsetof(struct fips_route, dest),
	.head_offset = offsetof(struct fips_route, node),
	.automatic_shrinking = true,
};

int fips_route_init(struct fips_device *fips)
{
	xa_init_flags(&fips->route_serials, XA_FLAGS_ALLOC1);
	return rhashtable_init(&fips->routes, &fips_route_params);
}

void fips_route_uninit(struct fips_device *fips)
{
	rhashtable_destroy(&fips->routes);
	xa_destroy(&fips->route_serials);
}

struct fips_route *fips_route_find(struct fips_device *fips, const u8 *node_addr)
{
	return rhashtable_lookup_fast(&fips->routes, node_addr, fips_route_params);
}

/* Is @a of less use than @b? A refusal is nothing to a way that works. */
static bool fips_route_before(const struct fips_route *a, const struct fips_route *b)
{
	bool a_leads = rcu_access_pointer(a->link), b_leads = rcu_access_pointer(b->link);

	if (a_leads != b_leads)
		return b_leads;
	return time_before(READ_ONCE(a->last_use), READ_ONCE(b->last_use));
}

/* The entry of least use among the next few, going round. */
static void fips_route_evict(struct fips_device *fips)
{
	struct fips_route *route, *victim = NULL;
	unsigned long serial = fips->route_evict;
	int i;

	for (i = 0; i < FIPS_ROUTE_SAMPLE; i++) {
		route = xa_find_after(&fips->route_serials, &serial, ULONG_MAX, XA_PRESENT);
		if (!route) {
			serial = 0;
			continue;
		}
		if (!victim || fips_route_before(route, victim))
			victim = route;
	}
	fips->route_evict = serial;
	if (victim)
		fips_route_del(fips, victim);
}

static struct fips_route *fips_route_new(struct fips_device *fips, const u8 *dest)
{
	struct fips_route *route;
	int err;

	if (fips->n_routes >= FIPS_ROUTES_MAX)
		fips_route_evict(fips);

	route = kzalloc(sizeof(*route), GFP_KERNEL_ACCOUNT);
	if (!route)
		return ERR_PTR(-ENOMEM);
	memcpy(route->dest.b, dest, FIPS_NODE_ADDR_LEN);
	INIT_LIST_HEAD(&route->link_list);
	route->last_use = jiffies;
	err = xa_alloc_cyclic(&fips->route_serials, &route->serial, route, xa_limit_32b,
			      &fips->route_serial, GFP_KERNEL);
	if (err < 0)
		goto err_free;
	return route;

err_free:
	kfree(route);
	return ERR_PTR(err);
}

/**
 * fips_route_set() - set or replace the route to a node
 * @fips: device
 * @dest: node address
 * @link: next hop, or NULL: unreachable
 * @unreachable_ms: without @link, how long
 * @generation: stamp, NULL to keep it
 *
 * What waits for the route is sent, or refused.
 */
int fips_route_set(struct fips_device *fips, const u8 *dest, struct fips_link *link,
		   u32 unreachable_ms, const u32 *generation)
{
	struct fips_route *route;
	bool new;
	int err;

	lockdep_assert_held(&fips->lock);

	route = fips_route_find(fips, dest);
	new = !route;
	if (new) {
		route = fips_route_new(fips, dest);
		if (IS_ERR(route))
			return PTR_ERR(route);
	}
	if (generation)
		route->generation = *generation;
	WRITE_ONCE(route->unreachable_until, jiffies + msecs_to_jiffies(unreachable_ms));
	rcu_assign_pointer(route->link, link);
	list_del_init(&route->link_list);
	if (link)
		list_add_tail(&route->link_list, &link->routes);
	if (new) {
		err = rhashtable_lookup_insert_fast(&fips->routes, &route->node, fips_route_params);
		if (err)
			goto err_free;
		fips->n_routes++;
		fips_device_kick_gc(fips);
	}
	fips_route_resolved(fips, dest, link);
	return 0;

err_free:
	list_del(&route->link_list);
	xa_erase(&fips->route_serials, route->serial);
	kfree(route);
	return err;
}

/**
 * fips_route_del() - forget a route
 * @fips: device
 * @route: route, freed after a grace period
 */
void fips_route_del(struct fips_device *fips, struct fips_route *route)
{
	lockdep_assert_held(&fips->lock);

	rhashtable_remove_fast(&fips->routes, &route->node, fips_route_params);
	xa_erase(&fips->route_serials, route->serial);
	list_del(&route->link_list);
	fips->n_routes--;
	kfree_rcu(route, rcu);
}

/**
 * fips_route_del_link() - a link dies: forget the routes through it
 * @link: link
 */
void fips_route_del_link(struct fips_link *link)
{
	struct fips_route *route, *tmp;

	list_for_each_entry_safe(route, tmp, &link->routes, link_list)
		fips_route_del(link->fips, route);
}

/**
 * fips_route_flush() - forget many routes
 * @fips: device
 * @all: all of them
 * @generation: else those with a smaller one
 */
void fips_route_flush(struct fips_device *fips, bool all, u32 generation)
{
	struct fips_route *route;
	unsigned long serial;

	lockdep_assert_held(&fips->lock);

	xa_for_each(&fips->route_serials, serial, route) {
		if (all || route->generation < generation)
			fips_route_del(fips, route);
		cond_resched();
	}
}

/**
 * fips_route_gc() - forget routes that nobody uses, and refusals that are over
 * @fips: device
 */
void fips_route_gc(struct fips_device *fips)
{
	struct fips_route *route;
	unsigned long serial;

	lockdep_assert_held(&fips->lock);

	xa_for_each(&fips->route_serials, serial, route) {
		if (fips_route_unreachable(route))
			continue;
		if (!rcu_access_pointer(route->link) ||
		    time_after(jiffies, READ_ONCE(route->last_use) + FIPS_ROUTE_MAX_IDLE))
			fips_route_del(fips, route);
		cond_resched();
	}
}
