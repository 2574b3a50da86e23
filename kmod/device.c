// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fips netdevice: made and deleted by rtnl, so it follows its network
 * namespace. ndo_init builds the tables, ndo_uninit kills all objects and lets
 * lent sockets go, the destructor frees what RCU readers might still have used.
 */

#include <linux/ethtool.h>
#include <linux/if_arp.h>
#include <linux/inetdevice.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/rculist.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/ip_tunnels.h>
#include <net/rtnetlink.h>

#include "compat.h"
#include "device.h"
#include "link.h"
#include "owner.h"
#include "packet.h"
#include "route.h"
#include "session.h"
#include "slot.h"
#include "transport.h"

#define FIPS_GC_INTERVAL	(5 * HZ)

/* Orders writers of fips_devices; see device.h for its place in the lock order. */
DEFINE_MUTEX(fips_devices_lock);
LIST_HEAD(fips_devices);

/**
 * fips_set_owner_data() - replace the owner data of an object
 * @data: pointer to replace
 * @len: its length
 * @new_data: bytes to copy
 * @new_len: how many, 0 for none
 *
 * Return: 0 or -ENOMEM.
 */
int fips_set_owner_data(u8 **data, u16 *len, const void *new_data, u16 new_len)
{
	u8 *copy = NULL;

	if (new_len) {
		copy = kmemdup(new_data, new_len, GFP_KERNEL_ACCOUNT);
		if (!copy)
			return -ENOMEM;
	}
	kfree(*data);
	*data = copy;
	*len = new_len;
	return 0;
}

/**
 * fips_device_flush() - remove all that an owner has installed or lent
 * @fips: device
 *
 * One RCU wait, however many objects there are.
 */
void fips_device_flush(struct fips_device *fips)
{
	lockdep_assert_held(&fips->lock);
	might_sleep();

	fips_session_del_all(fips);
	fips_link_del_all(fips);
	fips_route_flush(fips, true, 0);
	fips_packet_flush(fips);
	fips_transport_del_all(fips);
	fips_set_owner_data(&fips->owner_data, &fips->owner_data_len, NULL, 0);
}

void fips_device_kick_gc(struct fips_device *fips)
{
	lockdep_assert_held(&fips->lock);

	if (!fips->dying)
		queue_delayed_work(system_power_efficient_wq, &fips->gc_work, FIPS_GC_INTERVAL);
}

static void fips_gc_work(struct work_struct *work)
{
	struct fips_device *fips = container_of(to_delayed_work(work), struct fips_device,
						gc_work);

	mutex_lock(&fips->lock);
	fips_link_gc(fips);
	fips_session_gc(fips);
	fips_route_gc(fips);
	if (fips->n_links || fips->n_sessions || fips->n_routes)
		fips_device_kick_gc(fips);
	mutex_unlock(&fips->lock);
}

/* --- netdevice --- */

static int fips_tables_init(struct fips_device *fips)
{
	int err;

	err = fips_index_init(fips);
	if (err)
		return err;
	fips_link_init(fips);
	err = fips_session_init(fips);
	if (err)
		goto err_index;
	err = fips_route_init(fips);
	if (err)
		goto err_session;
	err = fips_packet_init(fips);
	if (err)
		goto err_route;
	return 0;

err_route:
	fips_route_uninit(fips);
err_session:
	fips_session_uninit(fips);
err_index:
	fips_link_uninit(fips);
	fips_index_uninit(fips);
	return err;
}

static void fips_tables_uninit(struct fips_device *fips)
{
	fips_packet_uninit(fips);
	fips_route_uninit(fips);
	fips_session_uninit(fips);
	fips_link_uninit(fips);
	fips_index_uninit(fips);
}

static int fips_dev_init(struct net_device *dev)
{
	struct fips_device *fips = netdev_priv(dev);
	int err = -ENOMEM, i;

	fips->dev = dev;
	mutex_init(&fips->lock);
	INIT_LIST_HEAD(&fips->list);
	INIT_LIST_HEAD(&fips->transports);
	INIT_DELAYED_WORK(&fips->linger_work, fips_linger_work);
	INIT_DELAYED_WORK(&fips->gc_work, fips_gc_work);
	for (i = 0; i < FIPS_DATA_CLASSES; i++) {
		spin_lock_init(&fips->data_limit[i].lock);
		fips->data_limit[i].tokens = FIPS_DATA_RATE;
		fips->data_limit[i].refilled = jiffies;
	}
	fips->instance = get_random_u64();
	fips->transport_mtu = FIPS_TRANSPORT_MTU_DEFAULT;
	fips->default_ttl = FIPS_DEFAULT_TTL;
	fips->linger = FIPS_LINGER_DEFAULT;

	fips->stats = netdev_alloc_pcpu_stats(struct fips_pcpu_stats);
	if (!fips->stats)
		return err;
	dev->tstats = netdev_alloc_pcpu_stats(struct pcpu_sw_netstats);
	if (!dev->tstats)
		goto err_stats;
	err = gro_cells_init(&fips->gro_cells, dev);
	if (err)
		goto err_tstats;
	err = fips_tables_init(fips);
	if (err)
		goto err_gro_cells;

	netif_carrier_off(dev);
	mutex_lock(&fips_devices_lock);
	list_add_tail_rcu(&fips->list, &fips_devices);
	mutex_unlock(&fips_devices_lock);
	return 0;

err_gro_cells:
	gro_cells_destroy(&fips->gro_cells);
err_tstats:
	free_percpu(dev->tstats);
err_stats:
	free_percpu(fips->stats);
	return err;
}

/* The stack sends nothing any more; frames may still come in, until the sockets are let go. */
static void fips_dev_uninit(struct net_device *dev)
{
	struct fips_device *fips = netdev_priv(dev);

	mutex_lock(&fips_devices_lock);
	list_del_rcu(&fips->list);
	mutex_unlock(&fips_devices_lock);

	mutex_lock(&fips->lock);
	fips->dying = true;
	fips_owner_clear(fips);
	fips_device_flush(fips);
	mutex_unlock(&fips->lock);

	/* They see @dying, and take no lock but ours. */
	cancel_delayed_work_sync(&fips->linger_work);
	cancel_delayed_work_sync(&fips->gc_work);
	gro_cells_destroy(&fips->gro_cells);
}

static void fips_dev_destruct(struct net_device *dev)
{
	struct fips_device *fips = netdev_priv(dev);

	/* Objects that call_rcu() frees look at the device. */
	rcu_barrier();
	fips_tables_uninit(fips);
	free_percpu(dev->tstats);
	free_percpu(fips->stats);
}

static int fips_dev_open(struct net_device *dev)
{
	struct in_device *dev_v4 = __in_dev_get_rtnl(dev);
	struct inet6_dev *dev_v6 = __in6_dev_get(dev);

	/* The mesh is a star around each node: redirects would be nonsense. */
	if (dev_v4)
		IN_DEV_CONF_SET(dev_v4, SEND_REDIRECTS, false);
	/* Addresses follow from keys, the kernel makes none up. */
	if (dev_v6)
		dev_v6->cnf.addr_gen_mode = IN6_ADDR_GEN_MODE_NONE;
	return 0;
}

static int fips_dev_stop(struct net_device *dev)
{
	struct fips_device *fips = netdev_priv(dev);

	mutex_lock(&fips->lock);
	fips_packet_flush(fips);
	mutex_unlock(&fips->lock);
	return 0;
}

static const struct net_device_ops fips_netdev_ops = {
	.ndo_init		= fips_dev_init,
	.ndo_uninit		= fips_dev_uninit,
	.ndo_open		= fips_dev_open,
	.ndo_stop		= fips_dev_stop,
	.ndo_start_xmit		= fips_xmit,
	.ndo_get_stats64	= fips_get_stats64,
};

bool fips_is_device(const struct net_device *dev)
{
	return dev->netdev_ops == &fips_netdev_ops;
}

static const struct device_type fips_device_type = { .name = KBUILD_MODNAME };

static void fips_setup(struct net_device *dev)
{
	const netdev_features_t features = NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HW_CSUM |
					   NETIF_F_RXCSUM | NETIF_F_GSO |
					   NETIF_F_GSO_SOFTWARE | NETIF_F_HIGHDMA;

	dev->netdev_ops = &fips_netdev_ops;
	dev->ethtool_ops = &fips_ethtool_ops;
	dev->header_ops = &ip_tunnel_header_ops;
	dev->priv_destructor = fips_dev_destruct;
	dev->needs_free_netdev = true;
	SET_NETDEV_DEVTYPE(dev, &fips_device_type);

	dev->type = ARPHRD_NONE;
	dev->flags = IFF_POINTOPOINT | IFF_NOARP;
	dev->priv_flags |= IFF_NO_QUEUE;
	dev->hard_header_len = 0;
	dev->addr_len = 0;
	dev->needed_headroom = FIPS_HEADROOM;
	dev->needed_tailroom = FIPS_TAILROOM;
	dev->mtu = FIPS_MTU_DEFAULT;
	dev->min_mtu = FIPS_MTU_MIN;
	dev->max_mtu = FIPS_MTU_MAX;

	fips_compat_set_lltx(dev);
	dev->features |= features;
	dev->hw_features |= features;
	dev->hw_enc_features |= features;
	/* ICMPv6 errors about what was staged want the route of the packet. */
	netif_keep_dst(dev);
}

static int fips_validate(struct nlattr *tb[], struct nlattr *data[],
			 struct netlink_ext_ack *extack)
{
	if (tb[IFLA_ADDRESS]) {
		NL_SET_ERR_MSG_ATTR(extack, tb[IFLA_ADDRESS],
				    "a fips device has no hardware address");
		return -EINVAL;
	}
	return 0;
}

static int fips_newlink(FIPS_COMPAT_NEWLINK_ARGS)
{
	return register_netdevice(dev);
}

static struct rtnl_link_ops fips_link_ops __read_mostly = {
	.kind		= KBUILD_MODNAME,
	.priv_size	= sizeof(struct fips_device),
	.setup		= fips_setup,
	.validate	= fips_validate,
	.newlink	= fips_newlink,
};

int __init fips_device_init(void)
{
	return rtnl_link_register(&fips_link_ops);
}

/* Deletes the devices of all namespaces. */
void fips_device_exit(void)
{
	rtnl_link_unregister(&fips_link_ops);
}
