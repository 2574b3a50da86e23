/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fips netdevice: rtnl creates and deletes it, one daemon owns it. All
 * objects hang on it and die with it. fips_device.lock serialises
 * configuration; the packet path takes no lock of the device.
 *
 * Lock order: rtnl, fips_devices_lock, fips_device.lock, fips_slots.lock,
 * fips_slot.lock, queue locks.
 */
#ifndef _FIPS_DEVICE_H
#define _FIPS_DEVICE_H

#include <linux/ethtool.h>
#include <linux/in6.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/rhashtable-types.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/gro_cells.h>
#include <fips/wire.h>

#include "stats.h"

struct fips_owner;
struct fips_stage;

/* Room that the packet path wants in front of and behind an inner packet. */
#define FIPS_HEADROOM	(FIPS_FMP_HDR_LEN + FIPS_FMP_INNER_LEN + FIPS_DGRAM_HDR_LEN + \
			 FIPS_FSP_HDR_LEN + FIPS_FSP_INNER_LEN + FIPS_FSP_PORTS_LEN + \
			 FIPS_SHIM_LEN + 8 /* UDP */ + 40 /* IPv6 */ + LL_MAX_HEADER)
#define FIPS_TAILROOM	(2 * FIPS_TAG_LEN)

/* The interface's MTU counts inner IPv6 packets. */
#define FIPS_MTU_MIN		IPV6_MIN_MTU
#define FIPS_MTU_MAX		(65535 - FIPS_IPV6_OVERHEAD)
#define FIPS_MTU_DEFAULT	IPV6_MIN_MTU
#define FIPS_TRANSPORT_MTU_DEFAULT	(IPV6_MIN_MTU + FIPS_IPV6_OVERHEAD)
#define FIPS_LINGER_DEFAULT	600	/* seconds */
#define FIPS_DATA_RATE		256	/* data upcalls of a class a second, and at once */

/**
 * enum fips_data_class - what data upcalls are about; none starves another
 * @FIPS_DATA_OWN: packets of our own stack
 * @FIPS_DATA_TRANSIT: what peers sent
 * @FIPS_DATA_COORDS: coordinates that came by
 * @FIPS_DATA_CLASSES: number of classes
 */
enum fips_data_class {
	FIPS_DATA_OWN,
	FIPS_DATA_TRANSIT,
	FIPS_DATA_COORDS,
	FIPS_DATA_CLASSES
};

/**
 * struct fips_data_limit - token bucket of one class of data upcalls
 * @lock: covers it
 * @tokens: upcalls left
 * @refilled: jiffies
 */
struct fips_data_limit {
	spinlock_t lock;	/* the bucket */
	unsigned int tokens;
	unsigned long refilled;
};

/**
 * struct fips_device - private part of a fips netdevice
 * @dev: the netdevice. Immutable
 * @list: in the module's list of devices, RCU; writers under fips_devices_lock
 * @instance: random, for userspace to tell a device from its predecessor. Immutable
 * @lock: serialises configuration: every netlink command, the owner's end, linger, gc
 * @dying: unregistered, refuse everything; under @lock
 * @node_addr: own address; changes only without sessions and links. Valid once @has_addr
 * @ipv6: own FIPS address. Valid once @has_addr
 * @has_addr: smp_load_acquire()
 * @transport_mtu: smallest frame size among the transports; READ_ONCE()
 * @default_ttl: TTL of datagrams that start here; READ_ONCE()
 * @linger: seconds that objects outlive their owner, under @lock
 * @owner: RCU; written under @lock
 * @linger_work: flushes when @linger is over
 * @gc_work: ages routes and erases expired keys
 * @owner_data: under @lock
 * @owner_data_len: under @lock
 * @transports: struct fips_transport.list, under @lock
 * @n_transports: under @lock
 * @indices: local index to slot of a link
 * @links: id to link; RCU readers, writers under @lock
 * @n_links: under @lock
 * @session_addrs: node address to session
 * @session_ipv6s: IPv6 address to session
 * @sessions: serial to session, for dumps: creation order; under @lock
 * @session_serial: where the next serial is looked for
 * @n_sessions: under @lock
 * @routes: node address to route
 * @route_serials: serial to route, for dumps and eviction: creation order; under @lock
 * @route_serial: where the next serial is looked for
 * @route_evict: where the search for a victim goes on
 * @n_routes: under @lock
 * @stage: staging and parking, the packet path's own (packet.h)
 * @data_limit: token buckets of data upcalls
 * @gro_cells: in front of the device, for received packets
 * @stats: per CPU
 */
struct fips_device {
	struct net_device *dev;
	struct list_head list;
	u64 instance;

	struct mutex lock;	/* configuration */
	bool dying;

	struct fips_node_addr node_addr;
	struct in6_addr ipv6;
	bool has_addr;
	u16 transport_mtu;
	u8 default_ttl;

	u32 linger;
	struct fips_owner __rcu *owner;
	struct delayed_work linger_work;
	struct delayed_work gc_work;
	u8 *owner_data;
	u16 owner_data_len;

	struct list_head transports;
	unsigned int n_transports;

	struct rhashtable indices;
	struct xarray links;
	unsigned int n_links;

	struct rhashtable session_addrs;
	struct rhashtable session_ipv6s;
	struct xarray sessions;
	u32 session_serial;
	unsigned int n_sessions;

	struct rhashtable routes;
	struct xarray route_serials;
	u32 route_serial;
	unsigned long route_evict;
	unsigned int n_routes;

	struct fips_stage *stage;

	struct fips_data_limit data_limit[FIPS_DATA_CLASSES];

	struct gro_cells gro_cells;
	struct fips_pcpu_stats __percpu *stats;
};

extern const struct ethtool_ops fips_ethtool_ops;	/* stats.c */
extern struct mutex fips_devices_lock;
extern struct list_head fips_devices;

/* Is this a fips device? (A frame routed back into one would loop.) Any context. */
bool fips_is_device(const struct net_device *dev);

/* There is something to age: see that gc_work runs. Under fips_device.lock. */
void fips_device_kick_gc(struct fips_device *fips);

/* The device knows who it is: node_addr and ipv6 may be read. */
static inline bool fips_has_addr(const struct fips_device *fips)
{
	/* Pairs with the release when dev-set has written both. */
	return smp_load_acquire(&fips->has_addr);
}

void fips_device_flush(struct fips_device *fips);
int fips_set_owner_data(u8 **data, u16 *len, const void *new_data, u16 new_len);

int fips_device_init(void);
void fips_device_exit(void);

#endif /* _FIPS_DEVICE_H */
