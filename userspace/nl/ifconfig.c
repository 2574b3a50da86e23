// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/route.h>
#include <netlink/route/rule.h>
#include <stdio.h>
#include <unistd.h>

#include "ifconfig.h"

#define FIPS_RULE_PRIO		5265
#define FIPS_MESH_PREFIX	8

static const u8 fips_mesh[FIPS_IPV6_LEN] = { 0xfd };

/* libnl's errors as errno; those we can meet. */
static int fips_nl_errno(int err)
{
	switch (-err) {
	case NLE_SUCCESS:
		return 0;
	case NLE_EXIST:
		return -EEXIST;
	case NLE_NODEV:
	case NLE_OBJ_NOTFOUND:
		return -ENODEV;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_AF_NOSUPPORT:
		return -EAFNOSUPPORT;
	case NLE_BUSY:
		return -EBUSY;
	default:
		return -EINVAL;
	}
}

static struct nl_sock *fips_nl_open(void)
{
	struct nl_sock *sk = nl_socket_alloc();

	if (sk && nl_connect(sk, NETLINK_ROUTE)) {
		nl_socket_free(sk);
		return NULL;
	}
	return sk;
}

bool fips_ifconfig_ipv6_disabled(void)
{
	int fd = open("/proc/sys/net/ipv6/conf/all/disable_ipv6", O_RDONLY | O_CLOEXEC);
	char c = '1';

	/* No such file: the kernel has no IPv6 at all. */
	if (fd < 0)
		return errno == ENOENT;
	if (read(fd, &c, 1) != 1)
		c = '0';
	close(fd);
	return c == '1';
}

int fips_ifconfig_delete(const char *name, const char *kind, char *why, size_t why_len)
{
	struct nl_sock *sk;
	struct rtnl_link *link = NULL;
	const char *type;
	int err;

	if (!if_nametoindex(name))
		return 0;
	sk = fips_nl_open();
	if (!sk)
		return -ENOMEM;
	err = fips_nl_errno(rtnl_link_get_kernel(sk, 0, name, &link));
	if (!err) {
		type = rtnl_link_get_type(link);
		if (!type || strcmp(type, kind)) {
			snprintf(why, why_len, "interface %s exists and is of kind %s, not %s",
				 name, type ? type : "none", kind);
			err = -EEXIST;
		} else {
			err = fips_nl_errno(rtnl_link_delete(sk, link));
			if (err)
				snprintf(why, why_len, "interface %s can't be removed: %s", name,
					 strerror(-err));
		}
	}
	if (link)
		rtnl_link_put(link);
	nl_socket_free(sk);
	return err == -ENODEV ? 0 : err;
}

static int fips_link_change(struct nl_sock *sk, int ifindex, u16 mtu, bool up)
{
	struct rtnl_link *orig = rtnl_link_alloc(), *want = rtnl_link_alloc();
	int err = -NLE_NOMEM;

	if (orig && want) {
		rtnl_link_set_ifindex(orig, ifindex);
		rtnl_link_set_mtu(want, mtu);
		if (up)
			rtnl_link_set_flags(want, IFF_UP);
		err = rtnl_link_change(sk, orig, want, 0);
	}
	if (orig)
		rtnl_link_put(orig);
	if (want)
		rtnl_link_put(want);
	return fips_nl_errno(err);
}

static int fips_addr_add(struct nl_sock *sk, int ifindex, const u8 *ipv6)
{
	struct nl_addr *local = nl_addr_build(AF_INET6, ipv6, FIPS_IPV6_LEN);
	struct rtnl_addr *addr = rtnl_addr_alloc();
	int err = -NLE_NOMEM;

	if (local && addr) {
		nl_addr_set_prefixlen(local, 128);
		rtnl_addr_set_ifindex(addr, ifindex);
		rtnl_addr_set_flags(addr, IFA_F_NODAD);
		rtnl_addr_set_local(addr, local);
		err = rtnl_addr_add(sk, addr, 0);
		if (err == -NLE_EXIST)
			err = 0;
	}
	if (addr)
		rtnl_addr_put(addr);
	if (local)
		nl_addr_put(local);
	return fips_nl_errno(err);
}

static struct nl_addr *fips_mesh_addr(void)
{
	struct nl_addr *a = nl_addr_build(AF_INET6, fips_mesh, FIPS_IPV6_LEN);

	if (a)
		nl_addr_set_prefixlen(a, FIPS_MESH_PREFIX);
	return a;
}

static int fips_route_add(struct nl_sock *sk, int ifindex)
{
	struct rtnl_route *route = rtnl_route_alloc();
	struct rtnl_nexthop *nh = rtnl_route_nh_alloc();
	struct nl_addr *dst = fips_mesh_addr();
	int err = -NLE_NOMEM;

	if (route && nh && dst) {
		rtnl_route_set_family(route, AF_INET6);
		rtnl_route_set_table(route, RT_TABLE_MAIN);
		rtnl_route_set_scope(route, RT_SCOPE_UNIVERSE);
		rtnl_route_set_protocol(route, RTPROT_STATIC);
		rtnl_route_set_dst(route, dst);
		rtnl_route_nh_set_ifindex(nh, ifindex);
		rtnl_route_add_nexthop(route, nh);
		nh = NULL;
		err = rtnl_route_add(sk, route, NLM_F_REPLACE);
	}
	if (nh)
		rtnl_route_nh_free(nh);
	if (route)
		rtnl_route_put(route);
	if (dst)
		nl_addr_put(dst);
	return fips_nl_errno(err);
}

static struct rtnl_rule *fips_rule(void)
{
	struct rtnl_rule *rule = rtnl_rule_alloc();
	struct nl_addr *dst = fips_mesh_addr();

	if (rule && dst) {
		rtnl_rule_set_family(rule, AF_INET6);
		rtnl_rule_set_prio(rule, FIPS_RULE_PRIO);
		rtnl_rule_set_dst(rule, dst);
		rtnl_rule_set_table(rule, RT_TABLE_MAIN);
		rtnl_rule_set_action(rule, FR_ACT_TO_TBL);
	} else if (rule) {
		rtnl_rule_put(rule);
		rule = NULL;
	}
	if (dst)
		nl_addr_put(dst);
	return rule;
}

static int fips_rule_add(struct nl_sock *sk)
{
	struct rtnl_rule *rule = fips_rule();
	int err;

	if (!rule)
		return -ENOMEM;
	err = fips_nl_errno(rtnl_rule_add(sk, rule, NLM_F_EXCL));
	rtnl_rule_put(rule);
	/* One that a killed daemon has left is ours to remove. */
	return err == -EEXIST ? 0 : err;
}

int fips_ifconfig_up(const char *name, const u8 *ipv6, u16 mtu, bool *ruled, char *why,
		     size_t why_len)
{
	struct nl_sock *sk = fips_nl_open();
	int ifindex = (int)if_nametoindex(name), err;
	const char *what;

	*ruled = false;
	if (!sk || !ifindex) {
		snprintf(why, why_len, "interface %s: %s", name,
			 ifindex ? "no rtnetlink socket" : "it is gone");
		if (sk)
			nl_socket_free(sk);
		return ifindex ? -ENOMEM : -ENODEV;
	}
	what = "address";
	err = fips_addr_add(sk, ifindex, ipv6);
	if (!err) {
		what = "MTU or state";
		err = fips_link_change(sk, ifindex, mtu, true);
	}
	if (!err) {
		what = "route fd00::/8";
		err = fips_route_add(sk, ifindex);
	}
	if (err)
		snprintf(why, why_len, "interface %s: its %s can't be set: %s", name, what,
			 strerror(-err));
	else
		*ruled = !fips_rule_add(sk);
	nl_socket_free(sk);
	return err;
}

int fips_ifconfig_mtu(const char *name, u16 mtu)
{
	struct nl_sock *sk = fips_nl_open();
	int ifindex = (int)if_nametoindex(name), err = -ENODEV;

	if (sk && ifindex)
		err = fips_link_change(sk, ifindex, mtu, false);
	if (sk)
		nl_socket_free(sk);
	return err;
}

void fips_ifconfig_down(void)
{
	struct nl_sock *sk = fips_nl_open();
	struct rtnl_rule *rule = fips_rule();

	if (sk && rule)
		rtnl_rule_delete(sk, rule, 0);
	if (rule)
		rtnl_rule_put(rule);
	if (sk)
		nl_socket_free(sk);
}
