// SPDX-License-Identifier: MIT
/* The network device of the kernel provider, through rtnetlink. */
#include <errno.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <stdio.h>

#include "kernel.h"

#define KIND	"fips"

static int existing_kind(struct nl_sock *sk, const char *name, char *why, size_t why_len)
{
	struct rtnl_link *link = NULL;
	const char *kind;
	int ret = -EEXIST;

	if (rtnl_link_get_kernel(sk, 0, name, &link))
		return 0;
	kind = rtnl_link_get_type(link);
	if (!kind || strcmp(kind, KIND)) {
		snprintf(why, why_len, "interface %s exists and is of kind \"%s\"", name,
			 kind ? kind : "none");
		ret = -EBUSY;
	}
	rtnl_link_put(link);
	return ret;
}

static int link_add(struct nl_sock *sk, const char *name, u16 mtu, char *why, size_t why_len)
{
	struct rtnl_link *link = rtnl_link_alloc();
	int ret;

	if (!link)
		return -ENOMEM;
	rtnl_link_set_name(link, name);
	rtnl_link_set_mtu(link, mtu);
	ret = rtnl_link_set_type(link, KIND);
	if (!ret)
		ret = rtnl_link_add(sk, link, NLM_F_CREATE | NLM_F_EXCL);
	rtnl_link_put(link);
	if (!ret)
		return 0;
	snprintf(why, why_len, "interface %s can't be made: %s", name, nl_geterror(ret));
	switch (-ret) {
	case NLE_PERM:
		return -EPERM;
	case NLE_OPNOTSUPP:
		return -EOPNOTSUPP;
	default:
		return -EIO;
	}
}

int kernel_device_new(const char *name, u16 mtu, char *why, size_t why_len)
{
	struct nl_sock *sk = nl_socket_alloc();
	int ret;

	if (!sk || nl_connect(sk, NETLINK_ROUTE)) {
		snprintf(why, why_len, "no rtnetlink socket");
		if (sk)
			nl_socket_free(sk);
		return -ENOMEM;
	}
	ret = existing_kind(sk, name, why, why_len);
	if (!ret)
		ret = link_add(sk, name, mtu, why, why_len);
	nl_socket_free(sk);
	return ret;
}
