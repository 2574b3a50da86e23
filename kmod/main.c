// SPDX-License-Identifier: GPL-2.0-only
/* FIPS data plane: module entry and exit. */

#include <linux/module.h>
#include <linux/rcupdate.h>
#include <net/genetlink.h>
#include <net/rtnetlink.h>

#include "device.h"
#include "netlink.h"
#include "owner.h"

static int __init fips_init(void)
{
	int err;

	err = fips_owner_init();
	if (err)
		return err;
	err = fips_netlink_init();
	if (err)
		goto err_owner;
	err = fips_device_init();
	if (err)
		goto err_netlink;
	return 0;

err_netlink:
	fips_netlink_exit();
err_owner:
	fips_owner_exit();
	return err;
}

static void __exit fips_exit(void)
{
	fips_device_exit();
	fips_netlink_exit();
	fips_owner_exit();
	/* Slots, links and sessions are freed by call_rcu(). */
	rcu_barrier();
}

module_init(fips_init);
module_exit(fips_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("FIPS mesh data plane");
MODULE_ALIAS_RTNL_LINK(KBUILD_MODNAME);
MODULE_ALIAS_GENL_FAMILY(KBUILD_MODNAME);
