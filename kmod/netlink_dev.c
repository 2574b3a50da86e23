// SPDX-License-Identifier: GPL-2.0-only
/* Netlink handlers of devices and routes. */

#include "device.h"
#include "link.h"
#include "netlink-gen.h"
#include "nl.h"
#include "owner.h"
#include "route.h"

static int fips_dev_set_node_addr(struct fips_device *fips, struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[FIPS_A_DEV_NODE_ADDR];

	if (fips->has_addr && !memcmp(fips->node_addr.b, nla_data(attr), FIPS_NODE_ADDR_LEN))
		return 0;
	if (fips->n_links || fips->n_sessions)
		return FIPS_NL_REFUSE(info, FIPS_A_DEV_NODE_ADDR, -EBUSY,
				      "node-addr can't change while links or sessions stand");
	WRITE_ONCE(fips->has_addr, false);
	synchronize_net();
	memcpy(fips->node_addr.b, nla_data(attr), FIPS_NODE_ADDR_LEN);
	fips_node_addr_to_ipv6(&fips->node_addr, fips->ipv6.s6_addr);
	/* Pairs with the acquire of readers. */
	smp_store_release(&fips->has_addr, true);
	return 0;
}

int fips_nl_dev_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fips_device *fips = fips_nl_dev(info);
	struct nlattr **attrs = info->attrs;
	int err;

	if (attrs[FIPS_A_DEV_NODE_ADDR]) {
		err = fips_dev_set_node_addr(fips, info);
		if (err)
			return err;
	}
	if (attrs[FIPS_A_DEV_OWNER_DATA]) {
		err = fips_set_owner_data(&fips->owner_data, &fips->owner_data_len,
					  nla_data(attrs[FIPS_A_DEV_OWNER_DATA]),
					  nla_len(attrs[FIPS_A_DEV_OWNER_DATA]));
		if (err)
			return err;
	}
	if (attrs[FIPS_A_DEV_TRANSPORT_MTU])
		WRITE_ONCE(fips->transport_mtu, nla_get_u16(attrs[FIPS_A_DEV_TRANSPORT_MTU]));
	if (attrs[FIPS_A_DEV_DEFAULT_TTL])
		WRITE_ONCE(fips->default_ttl, nla_get_u8(attrs[FIPS_A_DEV_DEFAULT_TTL]));
	if (attrs[FIPS_A_DEV_LINGER])
		fips->linger = nla_get_u32(attrs[FIPS_A_DEV_LINGER]);
	return 0;
}

static int fips_nl_put_counts(struct sk_buff *skb, const struct fips_device *fips)
{
	if (fips_nl_put_ifindex(skb, fips) ||
	    nla_put_u64_64bit(skb, FIPS_A_DEV_INSTANCE, fips->instance, FIPS_A_DEV_PAD) ||
	    nla_put_u32(skb, FIPS_A_DEV_TRANSPORTS, fips->n_transports) ||
	    nla_put_u32(skb, FIPS_A_DEV_LINKS, fips->n_links) ||
	    nla_put_u32(skb, FIPS_A_DEV_SESSIONS, fips->n_sessions) ||
	    nla_put_u32(skb, FIPS_A_DEV_ROUTES, fips->n_routes))
		return -EMSGSIZE;
	return 0;
}

int fips_nl_dev_own_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fips_device *fips = fips_nl_dev(info);
	struct nlattr **attrs = info->attrs;
	u32 data = info->snd_portid;
	struct fips_nl_reply reply;
	int err;

	if (attrs[FIPS_A_DEV_DATA_PORT]) {
		data = nla_get_u32(attrs[FIPS_A_DEV_DATA_PORT]);
		if (!data)
			return FIPS_NL_REFUSE(info, FIPS_A_DEV_DATA_PORT, -EINVAL,
					      "data-port 0 is the kernel's");
	}
	err = fips_nl_reply_new(&reply, info);
	if (err)
		return err;
	err = fips_owner_set(fips, genl_info_net(info), info->snd_portid, data,
			     attrs[FIPS_A_DEV_TAKEOVER], info->extack);
	if (!err)
		err = fips_nl_put_counts(reply.skb, fips);
	return fips_nl_reply_send(&reply, info, err);
}

static int fips_nl_put_dev(struct sk_buff *skb, struct fips_device *fips)
{
	struct fips_stats_sum sum;

	fips_dev_sum(fips, &sum);
	if (fips_nl_put_counts(skb, fips) ||
	    (fips->has_addr && nla_put(skb, FIPS_A_DEV_NODE_ADDR, FIPS_NODE_ADDR_LEN,
				       fips->node_addr.b)) ||
	    nla_put_u16(skb, FIPS_A_DEV_TRANSPORT_MTU, fips->transport_mtu) ||
	    nla_put_u8(skb, FIPS_A_DEV_DEFAULT_TTL, fips->default_ttl) ||
	    nla_put_u32(skb, FIPS_A_DEV_LINGER, fips->linger) ||
	    (fips_owner_present(fips) && nla_put_flag(skb, FIPS_A_DEV_OWNED)) ||
	    (fips->owner_data_len && nla_put(skb, FIPS_A_DEV_OWNER_DATA, fips->owner_data_len,
					     fips->owner_data)))
		return -EMSGSIZE;
	return fips_nl_put_stats(skb, FIPS_A_DEV_STATS, &sum);
}

int fips_nl_dev_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fips_nl_reply reply;
	int err;

	err = fips_nl_reply_new(&reply, info);
	if (err)
		return err;
	return fips_nl_reply_send(&reply, info, fips_nl_put_dev(reply.skb, fips_nl_dev(info)));
}

/* Device of a namespace with the smallest ifindex from @next on. */
static struct fips_device *fips_dev_next(const struct net *net, unsigned long next)
{
	struct fips_device *fips, *found = NULL;

	lockdep_assert_held(&fips_devices_lock);

	list_for_each_entry(fips, &fips_devices, list) {
		if (!net_eq(dev_net(fips->dev), net) || fips->dev->ifindex < next)
			continue;
		if (!found || fips->dev->ifindex < found->dev->ifindex)
			found = fips;
	}
	return found;
}

int fips_nl_dev_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct fips_nl_dump *dump = fips_nl_dump(cb);
	struct fips_device *fips;
	void *hdr;
	int err;

	mutex_lock(&fips_devices_lock);
	while ((fips = fips_dev_next(sock_net(cb->skb->sk), dump->next))) {
		hdr = fips_nl_dump_put(skb, cb, FIPS_CMD_DEV_GET);
		if (!hdr)
			break;
		mutex_lock(&fips->lock);
		err = fips_nl_put_dev(skb, fips);
		mutex_unlock(&fips->lock);
		if (err) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
		dump->next = fips->dev->ifindex + 1;
	}
	mutex_unlock(&fips_devices_lock);
	return skb->len;
}

/* --- routes --- */

static const u8 *fips_nl_dest(struct genl_info *info)
{
	if (FIPS_NL_MISSING(info, FIPS_A_ROUTE_DEST, "dest"))
		return NULL;
	return nla_data(info->attrs[FIPS_A_ROUTE_DEST]);
}

int fips_nl_route_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fips_device *fips = fips_nl_dev(info);
	struct nlattr **attrs = info->attrs;
	const u8 *dest = fips_nl_dest(info);
	struct fips_link *link = NULL;
	u32 ms = 0, generation;

	if (!dest)
		return -EINVAL;
	if (!attrs[FIPS_A_ROUTE_LINK_ID] == !attrs[FIPS_A_ROUTE_UNREACHABLE_MS]) {
		NL_SET_ERR_MSG(info->extack, "give either link-id or unreachable-ms");
		return -EINVAL;
	}
	if (attrs[FIPS_A_ROUTE_LINK_ID]) {
		link = fips_link_find(fips, nla_get_u32(attrs[FIPS_A_ROUTE_LINK_ID]));
		if (!link)
			return FIPS_NL_REFUSE(info, FIPS_A_ROUTE_LINK_ID, -ENOENT,
					      "no link has this link-id");
	} else {
		ms = nla_get_u32(attrs[FIPS_A_ROUTE_UNREACHABLE_MS]);
	}
	if (attrs[FIPS_A_ROUTE_GENERATION])
		generation = nla_get_u32(attrs[FIPS_A_ROUTE_GENERATION]);
	return fips_route_set(fips, dest, link, ms,
			      attrs[FIPS_A_ROUTE_GENERATION] ? &generation : NULL);
}

int fips_nl_route_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fips_device *fips = fips_nl_dev(info);
	const u8 *dest = fips_nl_dest(info);
	struct fips_route *route;

	if (!dest)
		return -EINVAL;
	route = fips_route_find(fips, dest);
	if (!route)
		return FIPS_NL_REFUSE(info, FIPS_A_ROUTE_DEST, -ENOENT, "no route to this dest");
	fips_route_del(fips, route);
	return 0;
}

int fips_nl_route_flush_doit(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[FIPS_A_ROUTE_GENERATION];

	fips_route_flush(fips_nl_dev(info), !attr, attr ? nla_get_u32(attr) : 0);
	return 0;
}

static int fips_nl_put_route(struct sk_buff *skb, struct fips_device *fips,
			     struct fips_route *route)
{
	unsigned long until = READ_ONCE(route->unreachable_until);
	const struct fips_link *link;
	int err;

	if (fips_nl_put_ifindex(skb, fips) ||
	    nla_put(skb, FIPS_A_ROUTE_DEST, FIPS_NODE_ADDR_LEN, route->dest.b) ||
	    nla_put_u32(skb, FIPS_A_ROUTE_GENERATION, route->generation) ||
	    fips_nl_put_ms_since(skb, FIPS_A_ROUTE_LAST_USE_MS, READ_ONCE(route->last_use),
				 FIPS_A_ROUTE_PAD))
		return -EMSGSIZE;
	link = rcu_dereference_protected(route->link, lockdep_is_held(&fips->lock));
	if (link)
		err = nla_put_u32(skb, FIPS_A_ROUTE_LINK_ID, link->id);
	else
		err = nla_put_u32(skb, FIPS_A_ROUTE_UNREACHABLE_MS, time_before(jiffies, until) ?
				  jiffies_to_msecs(until - jiffies) : 0);
	return err;
}

int fips_nl_route_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fips_device *fips = fips_nl_dev(info);
	const u8 *dest = fips_nl_dest(info);
	struct fips_nl_reply reply;
	struct fips_route *route;
	int err;

	if (!dest)
		return -EINVAL;
	route = fips_route_find(fips, dest);
	if (!route)
		return FIPS_NL_REFUSE(info, FIPS_A_ROUTE_DEST, -ENOENT, "no route to this dest");
	err = fips_nl_reply_new(&reply, info);
	if (err)
		return err;
	return fips_nl_reply_send(&reply, info, fips_nl_put_route(reply.skb, fips, route));
}

int fips_nl_route_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct fips_nl_dump *dump = fips_nl_dump(cb);
	struct fips_device *fips = fips_nl_dump_lock(cb);
	struct fips_route *route;
	void *hdr;

	if (IS_ERR(fips))
		return PTR_ERR(fips);
	if (dump->done)
		goto unlock;
	xa_for_each_start(&fips->route_serials, dump->next, route, dump->next) {
		hdr = fips_nl_dump_put(skb, cb, FIPS_CMD_ROUTE_GET);
		if (!hdr)
			break;
		if (fips_nl_put_route(skb, fips, route)) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
	}
	dump->done = !route;
unlock:
	fips_nl_dev_unlock(fips);
	return skb->len;
}
