// SPDX-License-Identifier: GPL-2.0-only
/* Netlink handlers of transports. */

#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/net.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>

#include "device.h"
#include "netlink-gen.h"
#include "nl.h"
#include "transport.h"

static struct fips_transport *fips_nl_transport(struct genl_info *info)
{
	struct fips_transport *transport;

	if (FIPS_NL_MISSING(info, FIPS_A_TRANSPORT_ID, "id"))
		return ERR_PTR(-EINVAL);
	transport = fips_transport_find(fips_nl_dev(info),
					nla_get_u32(info->attrs[FIPS_A_TRANSPORT_ID]));
	if (!transport) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[FIPS_A_TRANSPORT_ID],
				    "no transport has this id");
		return ERR_PTR(-ENOENT);
	}
	return transport;
}

static int fips_nl_transport_data(struct fips_transport *transport, const struct nlattr *attr)
{
	if (!attr)
		return 0;
	return fips_set_owner_data(&transport->owner_data, &transport->owner_data_len,
				   nla_data(attr), nla_len(attr));
}

int fips_nl_transport_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fips_device *fips = fips_nl_dev(info);
	struct nlattr **attrs = info->attrs;
	struct fips_transport *transport;
	int err;
	u32 id;

	if (FIPS_NL_MISSING(info, FIPS_A_TRANSPORT_ID, "id") ||
	    FIPS_NL_MISSING(info, FIPS_A_TRANSPORT_TYPE, "type") ||
	    FIPS_NL_MISSING(info, FIPS_A_TRANSPORT_MTU, "mtu"))
		return -EINVAL;
	id = nla_get_u32(attrs[FIPS_A_TRANSPORT_ID]);
	if (fips_transport_find(fips, id))
		return FIPS_NL_REFUSE(info, FIPS_A_TRANSPORT_ID, -EEXIST,
				      "a transport with this id exists");
	if (nla_get_u32(attrs[FIPS_A_TRANSPORT_TYPE]) != FIPS_TRANSPORT_TYPE_UDP)
		return FIPS_NL_REFUSE(info, FIPS_A_TRANSPORT_TYPE, -EOPNOTSUPP,
				      "this kernel module carries type udp only");
	if (attrs[FIPS_A_TRANSPORT_LOWER_IFINDEX])
		return FIPS_NL_REFUSE(info, FIPS_A_TRANSPORT_LOWER_IFINDEX, -EINVAL,
				      "lower-ifindex is for type ether");
	if (FIPS_NL_MISSING(info, FIPS_A_TRANSPORT_FD, "fd"))
		return -EINVAL;

	transport = fips_transport_new_udp(fips, id, nla_get_u32(attrs[FIPS_A_TRANSPORT_FD]),
					   nla_get_u16(attrs[FIPS_A_TRANSPORT_MTU]), info->extack);
	if (IS_ERR(transport))
		return PTR_ERR(transport);
	err = fips_nl_transport_data(transport, attrs[FIPS_A_TRANSPORT_OWNER_DATA]);
	if (err)
		fips_transport_del(fips, transport);
	return err;
}

int fips_nl_transport_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fips_transport *transport = fips_nl_transport(info);
	struct nlattr **attrs = info->attrs;

	if (IS_ERR(transport))
		return PTR_ERR(transport);
	if (attrs[FIPS_A_TRANSPORT_MTU])
		WRITE_ONCE(transport->mtu, nla_get_u16(attrs[FIPS_A_TRANSPORT_MTU]));
	return fips_nl_transport_data(transport, attrs[FIPS_A_TRANSPORT_OWNER_DATA]);
}

int fips_nl_transport_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fips_transport *transport = fips_nl_transport(info);

	if (IS_ERR(transport))
		return PTR_ERR(transport);
	fips_transport_del(fips_nl_dev(info), transport);
	return 0;
}

static int fips_nl_put_local(struct sk_buff *skb, const struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);

	if (nla_put_be16(skb, FIPS_A_TRANSPORT_LOCAL_PORT, inet->inet_sport))
		return -EMSGSIZE;
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6)
		return nla_put_in6_addr(skb, FIPS_A_TRANSPORT_LOCAL_IPV6, &sk->sk_v6_rcv_saddr);
#endif
	return nla_put_in_addr(skb, FIPS_A_TRANSPORT_LOCAL_IPV4, inet->inet_rcv_saddr);
}

static int fips_nl_put_transport(struct sk_buff *skb, struct fips_transport *transport)
{
	struct fips_stats_sum sum;

	fips_counters_sum(&transport->counters, &sum);
	if (fips_nl_put_ifindex(skb, transport->fips) ||
	    nla_put_u32(skb, FIPS_A_TRANSPORT_ID, transport->id) ||
	    nla_put_u32(skb, FIPS_A_TRANSPORT_TYPE, transport->type) ||
	    nla_put_u16(skb, FIPS_A_TRANSPORT_MTU, transport->mtu) ||
	    (transport->sk && fips_nl_put_local(skb, transport->sk)) ||
	    (transport->owner_data_len &&
	     nla_put(skb, FIPS_A_TRANSPORT_OWNER_DATA, transport->owner_data_len,
		     transport->owner_data)))
		return -EMSGSIZE;
	return fips_nl_put_stats(skb, FIPS_A_TRANSPORT_STATS, &sum);
}

int fips_nl_transport_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fips_transport *transport = fips_nl_transport(info);
	struct fips_nl_reply reply;
	int err;

	if (IS_ERR(transport))
		return PTR_ERR(transport);
	err = fips_nl_reply_new(&reply, info);
	if (err)
		return err;
	return fips_nl_reply_send(&reply, info, fips_nl_put_transport(reply.skb, transport));
}

/* Transports are few: the one with the smallest id from @next on, by looking at all. */
static struct fips_transport *fips_transport_next(struct fips_device *fips, unsigned long next)
{
	struct fips_transport *transport, *found = NULL;

	list_for_each_entry(transport, &fips->transports, list) {
		if (transport->id >= next && (!found || transport->id < found->id))
			found = transport;
	}
	return found;
}

int fips_nl_transport_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct fips_nl_dump *dump = fips_nl_dump(cb);
	struct fips_device *fips = fips_nl_dump_lock(cb);
	struct fips_transport *transport;
	void *hdr;

	if (IS_ERR(fips))
		return PTR_ERR(fips);
	while ((transport = fips_transport_next(fips, dump->next))) {
		hdr = fips_nl_dump_put(skb, cb, FIPS_CMD_TRANSPORT_GET);
		if (!hdr)
			break;
		if (fips_nl_put_transport(skb, transport)) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
		dump->next = (unsigned long)transport->id + 1;
	}
	fips_nl_dev_unlock(fips);
	return skb->len;
}

/* The caller gets a descriptor of its own; the device keeps its file. */
int fips_nl_transport_fd_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fips_transport *transport = fips_nl_transport(info);
	struct fips_nl_reply reply;
	int fd, err;

	if (IS_ERR(transport))
		return PTR_ERR(transport);
	if (!transport->file)
		return FIPS_NL_REFUSE(info, FIPS_A_TRANSPORT_ID, -ENOTSOCK,
				      "the transport of this id has no socket");
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	err = fips_nl_reply_new(&reply, info);
	if (err)
		goto err_fd;
	if (fips_nl_put_ifindex(reply.skb, transport->fips) ||
	    nla_put_u32(reply.skb, FIPS_A_TRANSPORT_ID, transport->id) ||
	    nla_put_u32(reply.skb, FIPS_A_TRANSPORT_FD, fd))
		err = -EMSGSIZE;
	err = fips_nl_reply_send(&reply, info, err);
	if (err)
		goto err_fd;
	fd_install(fd, get_file(transport->file));
	return 0;

err_fd:
	put_unused_fd(fd);
	return err;
}

int fips_nl_transport_xmit_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fips_transport *transport = fips_nl_transport(info);

	if (IS_ERR(transport))
		return PTR_ERR(transport);
	if (FIPS_NL_MISSING(info, FIPS_A_TRANSPORT_FRAME, "frame"))
		return -EINVAL;
	return FIPS_NL_REFUSE(info, FIPS_A_TRANSPORT_ID, -EOPNOTSUPP,
			      "frames of this transport go over its own socket");
}
