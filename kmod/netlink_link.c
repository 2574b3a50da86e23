// SPDX-License-Identifier: GPL-2.0-only
/* Netlink handlers of links. */

#include <net/ipv6.h>

#include "device.h"
#include "link.h"
#include "netlink-gen.h"
#include "nl.h"
#include "packet.h"
#include "transport.h"

static struct fips_link *fips_nl_link(struct genl_info *info)
{
	struct fips_link *link;

	if (FIPS_NL_MISSING(info, FIPS_A_LINK_ID, "id"))
		return ERR_PTR(-EINVAL);
	link = fips_link_find(fips_nl_dev(info), nla_get_u32(info->attrs[FIPS_A_LINK_ID]));
	if (!link) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[FIPS_A_LINK_ID],
				    "no link has this id");
		return ERR_PTR(-ENOENT);
	}
	return link;
}

static int fips_nl_link_ipv4(struct fips_link_params *params, struct genl_info *info)
{
	struct sockaddr_in *in4 = &params->ep.remote.in4;

	in4->sin_family = AF_INET;
	in4->sin_addr.s_addr = nla_get_in_addr(info->attrs[FIPS_A_LINK_REMOTE_IPV4]);
	if (ipv4_is_multicast(in4->sin_addr.s_addr) || ipv4_is_lbcast(in4->sin_addr.s_addr) ||
	    ipv4_is_zeronet(in4->sin_addr.s_addr))
		return FIPS_NL_REFUSE(info, FIPS_A_LINK_REMOTE_IPV4, -EADDRNOTAVAIL,
				      "remote-ipv4 is no unicast address");
	return 0;
}

static int fips_nl_link_ipv6(struct fips_link_params *params, struct genl_info *info)
{
	const struct nlattr *scope = info->attrs[FIPS_A_LINK_REMOTE_SCOPE];
	struct in6_addr addr = nla_get_in6_addr(info->attrs[FIPS_A_LINK_REMOTE_IPV6]);
	struct sockaddr_in6 *in6 = &params->ep.remote.in6;

	if (ipv6_addr_v4mapped(&addr)) {
		params->ep.remote.in4.sin_family = AF_INET;
		params->ep.remote.in4.sin_addr.s_addr = addr.s6_addr32[3];
		return 0;
	}
	if (ipv6_addr_any(&addr) || ipv6_addr_is_multicast(&addr))
		return FIPS_NL_REFUSE(info, FIPS_A_LINK_REMOTE_IPV6, -EADDRNOTAVAIL,
				      "remote-ipv6 is no unicast address");
	in6->sin6_family = AF_INET6;
	in6->sin6_addr = addr;
	if (!(ipv6_addr_type(&addr) & IPV6_ADDR_LINKLOCAL))
		return 0;
	if (!scope || !nla_get_u32(scope))
		return FIPS_NL_REFUSE(info, FIPS_A_LINK_REMOTE_IPV6, -EINVAL,
				      "a link-local remote-ipv6 needs remote-scope");
	in6->sin6_scope_id = nla_get_u32(scope);
	return 0;
}

static int fips_nl_link_remote(struct fips_link_params *params, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	int err;

	if (attrs[FIPS_A_LINK_REMOTE_MAC])
		return FIPS_NL_REFUSE(info, FIPS_A_LINK_REMOTE_MAC, -EINVAL,
				      "remote-mac is for transports of type ether");
	if (!attrs[FIPS_A_LINK_REMOTE_IPV4] && !attrs[FIPS_A_LINK_REMOTE_IPV6]) {
		if (attrs[FIPS_A_LINK_REMOTE_PORT])
			return FIPS_NL_REFUSE(info, FIPS_A_LINK_REMOTE_PORT, -EINVAL,
					      "remote-port needs remote-ipv4 or remote-ipv6");
		return 0;
	}
	if (attrs[FIPS_A_LINK_REMOTE_IPV4] && attrs[FIPS_A_LINK_REMOTE_IPV6])
		return FIPS_NL_REFUSE(info, FIPS_A_LINK_REMOTE_IPV6, -EINVAL,
				      "give either remote-ipv4 or remote-ipv6");
	if (FIPS_NL_MISSING(info, FIPS_A_LINK_REMOTE_PORT, "remote-port"))
		return -EINVAL;
	if (!nla_get_be16(attrs[FIPS_A_LINK_REMOTE_PORT]))
		return FIPS_NL_REFUSE(info, FIPS_A_LINK_REMOTE_PORT, -EINVAL, "remote-port is 0");

	err = attrs[FIPS_A_LINK_REMOTE_IPV4] ? fips_nl_link_ipv4(params, info) :
					       fips_nl_link_ipv6(params, info);
	/* Both families have their port in the same place. */
	params->ep.remote.in4.sin_port = nla_get_be16(attrs[FIPS_A_LINK_REMOTE_PORT]);
	params->has_remote = true;
	return err;
}

static_assert(offsetof(struct sockaddr_in, sin_port) == offsetof(struct sockaddr_in6, sin6_port));

static int fips_nl_link_params(struct fips_link_params *params, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	int err;
	u32 id;

	memset(params, 0, sizeof(*params));
	params->id = nla_get_u32(attrs[FIPS_A_LINK_ID]);
	if (attrs[FIPS_A_LINK_TRANSPORT_ID]) {
		id = nla_get_u32(attrs[FIPS_A_LINK_TRANSPORT_ID]);
		params->transport = fips_transport_find(fips_nl_dev(info), id);
		if (!params->transport)
			return FIPS_NL_REFUSE(info, FIPS_A_LINK_TRANSPORT_ID, -ENOENT,
					      "no transport has this transport-id");
	}
	err = fips_nl_link_remote(params, info);
	if (err)
		return err;
	params->ep.transport = params->transport;
	if (attrs[FIPS_A_LINK_PEER])
		params->peer = nla_data(attrs[FIPS_A_LINK_PEER]);
	if (attrs[FIPS_A_LINK_MTU])
		params->mtu = nla_get_u16(attrs[FIPS_A_LINK_MTU]);
	params->candidate = attrs[FIPS_A_LINK_CANDIDATE];
	return 0;
}

static int fips_nl_link_data(struct fips_link *link, const struct nlattr *attr)
{
	if (!attr)
		return 0;
	return fips_set_owner_data(&link->owner_data, &link->owner_data_len, nla_data(attr),
				   nla_len(attr));
}

int fips_nl_link_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fips_link_params params;
	struct fips_key_params key;
	struct fips_link *link;
	bool has_key;
	int err;

	if (FIPS_NL_MISSING(info, FIPS_A_LINK_ID, "id") ||
	    FIPS_NL_MISSING(info, FIPS_A_LINK_TRANSPORT_ID, "transport-id"))
		return -EINVAL;
	err = fips_nl_link_params(&params, info);
	if (err)
		return err;
	err = fips_nl_parse_key(&key, info, FIPS_A_LINK_KEY, &has_key);
	if (err)
		return err;
	if (has_key && key.place != FIPS_KEY_SLOT_CURRENT)
		return FIPS_NL_REFUSE(info, FIPS_A_LINK_KEY, -EINVAL,
				      "a link's first key goes into slot current");
	if (params.candidate && !(has_key && key.has_keys))
		return FIPS_NL_REFUSE(info, FIPS_A_LINK_CANDIDATE, -EINVAL,
				      "a candidate needs a key with tx-key and rx-key");
	link = fips_link_new(fips_nl_dev(info), &params, has_key ? &key : NULL, info->extack);
	if (IS_ERR(link))
		return PTR_ERR(link);
	err = fips_nl_link_data(link, info->attrs[FIPS_A_LINK_OWNER_DATA]);
	if (err)
		fips_link_del(link);
	return err;
}

int fips_nl_link_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fips_link *link = fips_nl_link(info);
	struct fips_link_params params;
	int err;

	if (IS_ERR(link))
		return PTR_ERR(link);
	err = fips_nl_link_params(&params, info);
	if (err)
		return err;
	err = fips_link_set(link, &params, info->extack);
	if (err)
		return err;
	if (info->attrs[FIPS_A_LINK_CONGESTED])
		WRITE_ONCE(link->congested, nla_get_u8(info->attrs[FIPS_A_LINK_CONGESTED]));
	return fips_nl_link_data(link, info->attrs[FIPS_A_LINK_OWNER_DATA]);
}

int fips_nl_link_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fips_link *link = fips_nl_link(info);

	if (IS_ERR(link))
		return PTR_ERR(link);
	fips_link_del(link);
	return 0;
}

/* Also for upcalls: any context under RCU. */
int fips_nl_put_endpoint(struct sk_buff *skb, const struct fips_endpoint *ep)
{
	const struct sockaddr_in6 *in6 = &ep->remote.in6;

	if (nla_put_u32(skb, FIPS_A_LINK_TRANSPORT_ID, ep->transport->id))
		return -EMSGSIZE;
	switch (ep->remote.sa.sa_family) {
	case AF_INET:
		if (nla_put_in_addr(skb, FIPS_A_LINK_REMOTE_IPV4,
				    ep->remote.in4.sin_addr.s_addr) ||
		    nla_put_be16(skb, FIPS_A_LINK_REMOTE_PORT, ep->remote.in4.sin_port))
			return -EMSGSIZE;
		break;
	case AF_INET6:
		if (nla_put_in6_addr(skb, FIPS_A_LINK_REMOTE_IPV6, &in6->sin6_addr) ||
		    nla_put_be16(skb, FIPS_A_LINK_REMOTE_PORT, in6->sin6_port) ||
		    (in6->sin6_scope_id &&
		     nla_put_u32(skb, FIPS_A_LINK_REMOTE_SCOPE, in6->sin6_scope_id)))
			return -EMSGSIZE;
		break;
	}
	return 0;
}

static int fips_nl_put_link(struct sk_buff *skb, struct fips_link *link)
{
	struct fips_stats_sum sum;
	int err;

	fips_counters_sum(&link->counters, &sum);
	if (fips_nl_put_ifindex(skb, link->fips) ||
	    nla_put_u32(skb, FIPS_A_LINK_ID, link->id) ||
	    nla_put(skb, FIPS_A_LINK_PEER, FIPS_NODE_ADDR_LEN, link->peer.b) ||
	    nla_put_u16(skb, FIPS_A_LINK_MTU, READ_ONCE(link->mtu)) ||
	    nla_put_u32(skb, FIPS_A_LINK_STATE, READ_ONCE(link->state)) ||
	    nla_put_u8(skb, FIPS_A_LINK_CONGESTED, READ_ONCE(link->congested)) ||
	    (READ_ONCE(link->has_rx) &&
	     fips_nl_put_ms_since(skb, FIPS_A_LINK_LAST_RX_MS, READ_ONCE(link->last_rx),
				  FIPS_A_LINK_PAD)) ||
	    fips_nl_put_ms_since(skb, FIPS_A_LINK_AGE_MS, link->created, FIPS_A_LINK_PAD) ||
	    (link->owner_data_len && nla_put(skb, FIPS_A_LINK_OWNER_DATA, link->owner_data_len,
					     link->owner_data)) ||
	    fips_nl_put_keys(skb, FIPS_A_LINK_KEY, &link->slots, true) ||
	    fips_nl_put_stats(skb, FIPS_A_LINK_STATS, &sum))
		return -EMSGSIZE;
	rcu_read_lock();
	err = fips_nl_put_endpoint(skb, rcu_dereference(link->endpoint));
	rcu_read_unlock();
	return err;
}

int fips_nl_link_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fips_link *link = fips_nl_link(info);
	struct fips_nl_reply reply;
	int err;

	if (IS_ERR(link))
		return PTR_ERR(link);
	err = fips_nl_reply_new(&reply, info);
	if (err)
		return err;
	return fips_nl_reply_send(&reply, info, fips_nl_put_link(reply.skb, link));
}

int fips_nl_link_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct fips_nl_dump *dump = fips_nl_dump(cb);
	struct fips_device *fips = fips_nl_dump_lock(cb);
	struct fips_link *link;
	void *hdr;

	if (IS_ERR(fips))
		return PTR_ERR(fips);
	if (dump->done)
		goto unlock;
	xa_for_each_start(&fips->links, dump->next, link, dump->next) {
		hdr = fips_nl_dump_put(skb, cb, FIPS_CMD_LINK_GET);
		if (!hdr)
			break;
		if (fips_nl_put_link(skb, link)) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
	}
	dump->done = !link;
unlock:
	fips_nl_dev_unlock(fips);
	return skb->len;
}

/* Of a link the metrics' totals are the counters. */
static void fips_nl_link_mmp(struct fips_link *link, u32 take, struct fips_mmp_report *report)
{
	const atomic64_t *stat = link->counters.stat;

	memset(report, 0, sizeof(*report));
	fips_slots_report(&link->slots, take, report);
	report->rx.cum_packets = atomic64_read(&stat[FIPS_STAT_RX_PACKETS]);
	report->rx.cum_bytes = atomic64_read(&stat[FIPS_STAT_RX_BYTES]);
	report->tx.cum_packets = atomic64_read(&stat[FIPS_STAT_TX_PACKETS]);
	report->tx.cum_bytes = atomic64_read(&stat[FIPS_STAT_TX_BYTES]);
	fips_nl_sr_bytes(report, take, &link->sr_bytes);
}

int fips_nl_link_report_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fips_link *link = fips_nl_link(info);
	struct nlattr *take = info->attrs[FIPS_A_LINK_TAKE];
	struct fips_mmp_report report;
	struct fips_stats_sum interval;
	struct fips_nl_reply reply;
	struct fips_slot *slot;
	int err;

	if (IS_ERR(link))
		return PTR_ERR(link);
	err = fips_nl_reply_new(&reply, info);
	if (err)
		return err;
	if (fips_nl_put_ifindex(reply.skb, link->fips) ||
	    nla_put_u32(reply.skb, FIPS_A_LINK_ID, link->id) ||
	    (READ_ONCE(link->has_rx) &&
	     fips_nl_put_ms_since(reply.skb, FIPS_A_LINK_LAST_RX_MS, READ_ONCE(link->last_rx),
				  FIPS_A_LINK_PAD)))
		err = -EMSGSIZE;
	rcu_read_lock();
	slot = fips_slots_get(&link->slots, FIPS_KEY_SLOT_CURRENT);
	if (slot && (nla_put_u64_64bit(reply.skb, FIPS_A_LINK_COUNTER, READ_ONCE(slot->rx.hi),
				       FIPS_A_LINK_PAD) ||
		     nla_put_u32(reply.skb, FIPS_A_LINK_TIMESTAMP,
				 READ_ONCE(slot->rx_timestamp))))
		err = -EMSGSIZE;
	rcu_read_unlock();
	if (!err) {
		/* First the flag: a frame in between raises an event rather than none. */
		set_bit(FIPS_LINK_ACTIVE, &link->flags);
		fips_nl_link_mmp(link, fips_nl_take(take), &report);
		err = fips_nl_put_mmp(reply.skb, FIPS_A_LINK_MMP, &report);
	}
	if (!err && !take) {
		fips_nl_take_interval(&link->reported, &link->counters, &interval);
		err = fips_nl_put_stats(reply.skb, FIPS_A_LINK_STATS, &interval);
	}
	return fips_nl_reply_send(&reply, info, err);
}

int fips_nl_link_key_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fips_link *link = fips_nl_link(info);
	struct fips_key_params key;
	int err;

	if (IS_ERR(link))
		return PTR_ERR(link);
	err = fips_nl_parse_key(&key, info, FIPS_A_LINK_KEY, NULL);
	if (err)
		return err;
	return fips_link_set_key(link, &key, info->extack);
}

int fips_nl_link_key_swap_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fips_link *link = fips_nl_link(info);
	int err;

	if (IS_ERR(link))
		return PTR_ERR(link);
	err = fips_link_swap(link);
	if (err)
		return FIPS_NL_REFUSE(info, FIPS_A_LINK_ID, err,
				      "slot next of the link of this id has no keys");
	return 0;
}

int fips_nl_link_key_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fips_link *link = fips_nl_link(info);
	int err;

	if (IS_ERR(link))
		return PTR_ERR(link);
	if (FIPS_NL_MISSING(info, FIPS_A_LINK_SLOT, "slot"))
		return -EINVAL;
	err = fips_link_del_key(link, nla_get_u32(info->attrs[FIPS_A_LINK_SLOT]));
	if (err)
		return FIPS_NL_REFUSE(info, FIPS_A_LINK_SLOT, err, "slot is empty");
	return 0;
}

int fips_nl_link_xmit_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fips_link *link = fips_nl_link(info);
	const struct nlattr *msg, *slot;
	int err;

	if (IS_ERR(link))
		return PTR_ERR(link);
	if (FIPS_NL_MISSING(info, FIPS_A_LINK_MESSAGE, "message"))
		return -EINVAL;
	msg = info->attrs[FIPS_A_LINK_MESSAGE];
	slot = info->attrs[FIPS_A_LINK_SLOT];
	if (!nla_len(msg))
		return FIPS_NL_REFUSE(info, FIPS_A_LINK_MESSAGE, -EINVAL, "message is empty");
	err = fips_link_xmit_msg(link, slot ? nla_get_u32(slot) : FIPS_KEY_SLOT_CURRENT,
				 nla_data(msg), nla_len(msg));
	if (err)
		NL_SET_ERR_MSG_ATTR(info->extack, msg, "message could not be sent");
	return err;
}
