// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ownership of a device: dev-own sets it, the end of the owner's netlink
 * socket clears it, linger_work cleans up behind it. Written under
 * fips_device.lock, read by upcalls under RCU.
 */

#include <linux/netlink.h>
#include <linux/notifier.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <net/net_namespace.h>

#include "device.h"
#include "owner.h"

static struct fips_owner *fips_owner_locked(struct fips_device *fips)
{
	return rcu_dereference_protected(fips->owner, lockdep_is_held(&fips->lock));
}

/**
 * fips_owner_is() - does this socket own the device?
 * @fips: device
 * @net: the socket's namespace
 * @portid: its port
 */
bool fips_owner_is(struct fips_device *fips, const struct net *net, u32 portid)
{
	const struct fips_owner *owner = fips_owner_locked(fips);

	return owner && owner->control == portid && net_eq(owner->net, net);
}

bool fips_owner_present(struct fips_device *fips)
{
	return fips_owner_locked(fips);
}

/**
 * fips_owner_set() - make a socket the owner
 * @fips: device
 * @net: namespace of the socket
 * @control: its port
 * @data: port for data upcalls
 * @takeover: keep what a former owner left
 * @extack: for the refusal
 *
 * The owner may call it again, to name another data port.
 */
int fips_owner_set(struct fips_device *fips, struct net *net, u32 control, u32 data, bool takeover,
		   struct netlink_ext_ack *extack)
{
	struct fips_owner *owner = fips_owner_locked(fips);

	if (owner) {
		if (!fips_owner_is(fips, net, control)) {
			NL_SET_ERR_MSG(extack, "another socket owns this device");
			return -EBUSY;
		}
		WRITE_ONCE(owner->data, data);
		return 0;
	}
	owner = kzalloc(sizeof(*owner), GFP_KERNEL);
	if (!owner)
		return -ENOMEM;
	owner->net = net;
	owner->control = control;
	owner->data = data;
	if (!takeover)
		fips_device_flush(fips);
	/* The work looks for an owner again, so it need not be waited for. */
	cancel_delayed_work(&fips->linger_work);
	rcu_assign_pointer(fips->owner, owner);
	netif_carrier_on(fips->dev);
	return 0;
}

/**
 * fips_owner_clear() - nobody owns the device any more
 * @fips: device
 */
void fips_owner_clear(struct fips_device *fips)
{
	struct fips_owner *owner = fips_owner_locked(fips);

	if (!owner)
		return;
	RCU_INIT_POINTER(fips->owner, NULL);
	kfree_rcu(owner, rcu);
}

/* End of linger: without a successor, let go of everything, the lent sockets too. */
void fips_linger_work(struct work_struct *work)
{
	struct fips_device *fips = container_of(to_delayed_work(work), struct fips_device,
						linger_work);

	mutex_lock(&fips->lock);
	if (!fips->dying && !fips_owner_present(fips)) {
		netif_carrier_off(fips->dev);
		fips_device_flush(fips);
	}
	mutex_unlock(&fips->lock);
}

static void fips_owner_released(struct fips_device *fips, const struct netlink_notify *notify)
{
	struct fips_owner *owner;

	mutex_lock(&fips->lock);
	owner = fips_owner_locked(fips);
	if (owner && net_eq(owner->net, notify->net)) {
		if (owner->control == notify->portid) {
			fips_owner_clear(fips);
			mod_delayed_work(system_long_wq, &fips->linger_work,
					 (unsigned long)fips->linger * HZ);
		} else if (owner->data == notify->portid) {
			WRITE_ONCE(owner->data, 0);
		}
	}
	mutex_unlock(&fips->lock);
}

/* Sockets close all the time: most owned nothing, and none of those shall wait for a mutex. */
static bool fips_owner_maybe(const struct netlink_notify *notify)
{
	const struct fips_owner *owner;
	struct fips_device *fips;
	bool found = false;

	rcu_read_lock();
	list_for_each_entry_rcu(fips, &fips_devices, list) {
		owner = rcu_dereference(fips->owner);
		if (owner && net_eq(owner->net, notify->net) &&
		    (owner->control == notify->portid ||
		     READ_ONCE(owner->data) == notify->portid))
			found = true;
	}
	rcu_read_unlock();
	return found;
}

static int fips_netlink_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	const struct netlink_notify *notify = ptr;
	struct fips_device *fips;

	if (event != NETLINK_URELEASE || notify->protocol != NETLINK_GENERIC ||
	    !fips_owner_maybe(notify))
		return NOTIFY_DONE;

	mutex_lock(&fips_devices_lock);
	list_for_each_entry(fips, &fips_devices, list)
		fips_owner_released(fips, notify);
	mutex_unlock(&fips_devices_lock);
	return NOTIFY_OK;
}

static struct notifier_block fips_netlink_notifier = {
	.notifier_call = fips_netlink_event,
};

int fips_owner_init(void)
{
	return netlink_register_notifier(&fips_netlink_notifier);
}

void fips_owner_exit(void)
{
	netlink_unregister_notifier(&fips_netlink_notifier);
}
