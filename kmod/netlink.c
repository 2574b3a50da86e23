// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family: finding and locking the device of a request,
 * the owner check, wiping of keys, and what the handlers of all objects share.
 * Policies and the table of operations are generated (netlink-gen.c).
 */

#include <net/sock.h>

#include "compat.h"
#include "device.h"
#include "netlink-gen.h"
#include "netlink.h"
#include "nl.h"
#include "owner.h"

/* Every attribute set begins with the ifindex. */
static_assert((int)FIPS_A_TRANSPORT_IFINDEX == (int)FIPS_A_DEV_IFINDEX);
static_assert((int)FIPS_A_LINK_IFINDEX == (int)FIPS_A_DEV_IFINDEX);
static_assert((int)FIPS_A_SESSION_IFINDEX == (int)FIPS_A_DEV_IFINDEX);
static_assert((int)FIPS_A_ROUTE_IFINDEX == (int)FIPS_A_DEV_IFINDEX);

/* A device that this socket owns and that has moved to another namespace. */
static struct fips_device *fips_nl_find_owned(struct net *net, u32 portid, u32 ifindex)
{
	struct fips_device *fips, *found = NULL;

	mutex_lock(&fips_devices_lock);
	list_for_each_entry(fips, &fips_devices, list) {
		mutex_lock(&fips->lock);
		if (fips->dev->ifindex == ifindex && fips_owner_is(fips, net, portid)) {
			dev_hold(fips->dev);
			found = fips;
		}
		mutex_unlock(&fips->lock);
		if (found)
			break;
	}
	mutex_unlock(&fips_devices_lock);
	return found;
}

/**
 * fips_nl_dev_lock() - find, hold and lock the device of a request
 * @net: namespace of the requesting socket
 * @portid: its port
 * @attr: the ifindex attribute, NULL if missing
 * @extack: for refusals
 *
 * The device is looked for in the socket's namespace, and among those that the
 * socket owns wherever they went.
 *
 * Return: device, to be given back with fips_nl_dev_unlock(), or an error pointer.
 */
struct fips_device *fips_nl_dev_lock(struct net *net, u32 portid, const struct nlattr *attr,
				     struct netlink_ext_ack *extack)
{
	struct fips_device *fips;
	struct net_device *dev;

	if (!attr) {
		NL_SET_ERR_MSG(extack, "attribute ifindex is missing");
		return ERR_PTR(-EINVAL);
	}
	dev = dev_get_by_index(net, nla_get_u32(attr));
	if (dev && fips_is_device(dev)) {
		fips = netdev_priv(dev);
	} else {
		fips = fips_nl_find_owned(net, portid, nla_get_u32(attr));
		if (!fips) {
			NL_SET_ERR_MSG_ATTR(extack, attr,
					    "ifindex is no fips device of this namespace");
			dev_put(dev);
			return ERR_PTR(dev ? -EOPNOTSUPP : -ENODEV);
		}
		dev_put(dev);
	}
	mutex_lock(&fips->lock);
	if (fips->dying) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "the device of ifindex is being deleted");
		fips_nl_dev_unlock(fips);
		return ERR_PTR(-ENODEV);
	}
	return fips;
}

void fips_nl_dev_unlock(struct fips_device *fips)
{
	mutex_unlock(&fips->lock);
	dev_put(fips->dev);
}

/* Requests that anybody with CAP_NET_ADMIN may make. */
static bool fips_nl_open_to_all(u8 cmd)
{
	switch (cmd) {
	case FIPS_CMD_DEV_OWN:
	case FIPS_CMD_DEV_GET:
	case FIPS_CMD_TRANSPORT_GET:
	case FIPS_CMD_LINK_GET:
	case FIPS_CMD_SESSION_GET:
	case FIPS_CMD_ROUTE_GET:
		return true;
	default:
		return false;
	}
}

/* Attribute that carries keys in a request, 0 if none does. */
static int fips_nl_key_attr(u8 cmd)
{
	switch (cmd) {
	case FIPS_CMD_LINK_NEW:
	case FIPS_CMD_LINK_KEY_NEW:
		return FIPS_A_LINK_KEY;
	case FIPS_CMD_SESSION_NEW:
	case FIPS_CMD_SESSION_KEY_NEW:
		return FIPS_A_SESSION_KEY;
	default:
		return 0;
	}
}

/* No key stays behind in the request. */
static void fips_nl_wipe_keys(struct genl_info *info)
{
	int attrtype = fips_nl_key_attr(info->genlhdr->cmd);
	struct nlattr *nest, *attr;
	int rem, nest_rem;

	if (!attrtype)
		return;
	nlmsg_for_each_attr(nest, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(nest) != attrtype)
			continue;
		nla_for_each_nested(attr, nest, nest_rem) {
			if (nla_type(attr) == FIPS_A_KEY_TX_KEY ||
			    nla_type(attr) == FIPS_A_KEY_RX_KEY)
				memzero_explicit(nla_data(attr), nla_len(attr));
		}
	}
}

static int fips_nl_pre_doit(const struct fips_compat_genl_ops *ops, struct sk_buff *skb,
			    struct genl_info *info)
{
	struct net *net = genl_info_net(info);
	struct fips_device *fips;

	fips = fips_nl_dev_lock(net, info->snd_portid, info->attrs[FIPS_A_DEV_IFINDEX],
				info->extack);
	if (IS_ERR(fips)) {
		fips_nl_wipe_keys(info);
		return PTR_ERR(fips);
	}
	if (!fips_nl_open_to_all(info->genlhdr->cmd) &&
	    !fips_owner_is(fips, net, info->snd_portid)) {
		fips_nl_dev_unlock(fips);
		fips_nl_wipe_keys(info);
		return FIPS_NL_REFUSE(info, FIPS_A_DEV_IFINDEX, -EPERM,
				      "this socket does not own the device of ifindex");
	}
	info->user_ptr[0] = fips;
	return 0;
}

static void fips_nl_post_doit(const struct fips_compat_genl_ops *ops, struct sk_buff *skb,
			      struct genl_info *info)
{
	fips_nl_wipe_keys(info);
	fips_nl_dev_unlock(fips_nl_dev(info));
}

int fips_nl_reply_new(struct fips_nl_reply *reply, struct genl_info *info)
{
	reply->skb = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	if (!reply->skb)
		return -ENOMEM;
	reply->hdr = genlmsg_put_reply(reply->skb, info, &fips_nl_family, 0, info->genlhdr->cmd);
	if (!reply->hdr) {
		nlmsg_free(reply->skb);
		return -EMSGSIZE;
	}
	return 0;
}

/* Finish and send, or with an error free and pass it on. */
int fips_nl_reply_send(struct fips_nl_reply *reply, struct genl_info *info, int err)
{
	if (err) {
		nlmsg_free(reply->skb);
		return err;
	}
	genlmsg_end(reply->skb, reply->hdr);
	return genlmsg_reply(reply->skb, info);
}

/**
 * fips_nl_dump_lock() - device of a dump, for one message
 * @cb: dump; its ctx holds the place
 *
 * Dumps follow a key that an object keeps for life and go on from the next
 * greater one, so what lives through a dump is shown exactly once.
 */
struct fips_device *fips_nl_dump_lock(struct netlink_callback *cb)
{
	struct nlattr **attrs = fips_compat_dump_attrs(cb);

	return fips_nl_dev_lock(sock_net(cb->skb->sk), NETLINK_CB(cb->skb).portid,
				attrs ? attrs[FIPS_A_DEV_IFINDEX] : NULL, cb->extack);
}

void *fips_nl_dump_put(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &fips_nl_family,
			   NLM_F_MULTI, cmd);
}

static int fips_nl_check_key(const struct fips_key_params *key, struct nlattr *tb[],
			     struct netlink_ext_ack *extack)
{
	if (!tb[FIPS_A_KEY_SLOT]) {
		NL_SET_ERR_MSG(extack, "attribute slot of key is missing");
		return -EINVAL;
	}
	if (!tb[FIPS_A_KEY_TX_KEY] != !tb[FIPS_A_KEY_RX_KEY]) {
		NL_SET_ERR_MSG(extack, "tx-key and rx-key come together or not at all");
		return -EINVAL;
	}
	if (key->has_keys && !tb[FIPS_A_KEY_K_BIT]) {
		NL_SET_ERR_MSG(extack, "attribute k-bit of key is missing");
		return -EINVAL;
	}
	if (tb[FIPS_A_KEY_TX_COUNTER] || tb[FIPS_A_KEY_RX_HIGHEST] || tb[FIPS_A_KEY_HAS_KEY]) {
		NL_SET_ERR_MSG(extack, "tx-counter, rx-highest and has-key are read-only");
		return -EINVAL;
	}
	if (key->soft_limit > key->hard_limit) {
		NL_SET_ERR_MSG_ATTR(extack, tb[FIPS_A_KEY_SOFT_LIMIT] ?: tb[FIPS_A_KEY_HARD_LIMIT],
				    "soft-limit lies beyond hard-limit");
		return -ERANGE;
	}
	return 0;
}

static void fips_nl_fill_key(struct fips_key_params *key, struct nlattr *tb[])
{
	memset(key, 0, sizeof(*key));
	if (tb[FIPS_A_KEY_SLOT])
		key->place = nla_get_u32(tb[FIPS_A_KEY_SLOT]);
	if (tb[FIPS_A_KEY_LOCAL_INDEX]) {
		key->local_index = nla_get_u32(tb[FIPS_A_KEY_LOCAL_INDEX]);
		key->has_index = true;
	}
	if (tb[FIPS_A_KEY_REMOTE_INDEX]) {
		key->remote_index = nla_get_u32(tb[FIPS_A_KEY_REMOTE_INDEX]);
		key->has_remote = true;
	}
	if (tb[FIPS_A_KEY_TX_KEY] && tb[FIPS_A_KEY_RX_KEY]) {
		key->tx_key = nla_data(tb[FIPS_A_KEY_TX_KEY]);
		key->rx_key = nla_data(tb[FIPS_A_KEY_RX_KEY]);
		key->has_keys = true;
	}
	if (tb[FIPS_A_KEY_K_BIT])
		key->k_bit = nla_get_u8(tb[FIPS_A_KEY_K_BIT]);
	key->hard_limit = FIPS_COUNTER_NEVER;
	if (tb[FIPS_A_KEY_HARD_LIMIT])
		key->hard_limit = nla_get_u64(tb[FIPS_A_KEY_HARD_LIMIT]);
	/* Without a soft limit the last sixteenth is told, so that a hard limit never surprises. */
	key->soft_limit = key->hard_limit - (key->hard_limit >> 4);
	if (tb[FIPS_A_KEY_SOFT_LIMIT])
		key->soft_limit = nla_get_u64(tb[FIPS_A_KEY_SOFT_LIMIT]);
	if (tb[FIPS_A_KEY_LIFETIME_MS])
		key->lifetime_ms = nla_get_u32(tb[FIPS_A_KEY_LIFETIME_MS]);
	key->initiator = tb[FIPS_A_KEY_INITIATOR];
}

/**
 * fips_nl_parse_key() - the key nest of a request
 * @key: written
 * @info: request
 * @attrtype: attribute that holds the nest
 * @given: written, was there one? NULL if there must be one
 */
int fips_nl_parse_key(struct fips_key_params *key, struct genl_info *info, int attrtype,
		      bool *given)
{
	struct nlattr *tb[FIPS_A_KEY_MAX + 1], *attr;
	int rem, n = 0, err;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem)
		n += nla_type(attr) == attrtype;
	if (given)
		*given = n;
	if (!n && given)
		return 0;
	if (!n) {
		NL_SET_ERR_MSG(info->extack, "attribute key is missing");
		return -EINVAL;
	}
	if (n > 1)
		return FIPS_NL_REFUSE(info, attrtype, -EINVAL, "only one key at a time");

	err = nla_parse_nested(tb, FIPS_A_KEY_MAX, info->attrs[attrtype], fips_key_nl_policy,
			       info->extack);
	if (err)
		return err;
	fips_nl_fill_key(key, tb);
	return fips_nl_check_key(key, tb, info->extack);
}

static int fips_nl_put_key(struct sk_buff *skb, int attrtype, const struct fips_slot *slot,
			   u32 place, bool with_index)
{
	struct nlattr *nest = nla_nest_start(skb, attrtype);
	u64 left = 0;

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u32(skb, FIPS_A_KEY_SLOT, place) ||
	    (with_index && nla_put_u32(skb, FIPS_A_KEY_LOCAL_INDEX, slot->local_index)))
		return -EMSGSIZE;
	if (!fips_slot_has_key(slot))
		goto end;
	if (slot->mortal && time_before(jiffies, slot->expires))
		left = jiffies_to_msecs(slot->expires - jiffies);
	if (nla_put_flag(skb, FIPS_A_KEY_HAS_KEY) ||
	    (with_index && nla_put_u32(skb, FIPS_A_KEY_REMOTE_INDEX, slot->remote_index)) ||
	    nla_put_u8(skb, FIPS_A_KEY_K_BIT, slot->k_bit) ||
	    nla_put_u64_64bit(skb, FIPS_A_KEY_TX_COUNTER, atomic64_read(&slot->tx_counter),
			      FIPS_A_KEY_PAD) ||
	    nla_put_u64_64bit(skb, FIPS_A_KEY_RX_HIGHEST, READ_ONCE(slot->rx.hi),
			      FIPS_A_KEY_PAD) ||
	    nla_put_u64_64bit(skb, FIPS_A_KEY_SOFT_LIMIT, slot->soft_limit, FIPS_A_KEY_PAD) ||
	    nla_put_u64_64bit(skb, FIPS_A_KEY_HARD_LIMIT, slot->hard_limit, FIPS_A_KEY_PAD) ||
	    (slot->mortal && nla_put_u32(skb, FIPS_A_KEY_LIFETIME_MS, left)))
		return -EMSGSIZE;
end:
	nla_nest_end(skb, nest);
	return 0;
}

/* All slots of a link or session, without the keys. */
int fips_nl_put_keys(struct sk_buff *skb, int attrtype, struct fips_slots *slots, bool with_index)
{
	struct fips_slot *slot;
	int err = 0;
	u32 place;

	rcu_read_lock();
	for (place = 0; place < FIPS_KEY_SLOTS && !err; place++) {
		slot = fips_slots_get(slots, place);
		if (slot)
			err = fips_nl_put_key(skb, attrtype, slot, place, with_index);
	}
	rcu_read_unlock();
	return err;
}

static int fips_nl_put_drop(struct sk_buff *skb, u32 reason, u64 count)
{
	struct nlattr *nest = nla_nest_start(skb, FIPS_A_STATS_DROPS);

	if (!nest || nla_put_u32(skb, FIPS_A_DROP_REASON, reason) ||
	    nla_put_u64_64bit(skb, FIPS_A_DROP_COUNT, count, FIPS_A_DROP_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* enum fips_stat follows the attributes. */
static_assert(FIPS_A_STATS_RX_PACKETS + FIPS_STAT_CE_MARKED == FIPS_A_STATS_CE_MARKED_PACKETS);

int fips_nl_put_stats(struct sk_buff *skb, int attrtype, const struct fips_stats_sum *sum)
{
	struct nlattr *nest = nla_nest_start(skb, attrtype);
	u32 i;

	if (!nest)
		return -EMSGSIZE;
	for (i = 0; i < FIPS_STATS; i++) {
		if (nla_put_u64_64bit(skb, FIPS_A_STATS_RX_PACKETS + i, sum->stat[i],
				      FIPS_A_STATS_PAD))
			return -EMSGSIZE;
	}
	for (i = 0; i < FIPS_DROP_REASONS; i++) {
		if (sum->drops[i] && fips_nl_put_drop(skb, i, sum->drops[i]))
			return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

int fips_nl_put_ifindex(struct sk_buff *skb, const struct fips_device *fips)
{
	return nla_put_u32(skb, FIPS_A_DEV_IFINDEX, fips->dev->ifindex);
}

int fips_nl_put_ms_since(struct sk_buff *skb, int attrtype, unsigned long since, int pad)
{
	return nla_put_u64_64bit(skb, attrtype, jiffies64_to_msecs(jiffies - since), pad);
}

/* What came since the last report; the next one counts from here. */
void fips_nl_take_interval(struct fips_stats_sum *reported, const struct fips_counters *counters,
			   struct fips_stats_sum *interval)
{
	struct fips_stats_sum now;
	unsigned int i;

	fips_counters_sum(counters, &now);
	for (i = 0; i < FIPS_STATS; i++)
		interval->stat[i] = now.stat[i] - reported->stat[i];
	for (i = 0; i < FIPS_DROP_REASONS; i++)
		interval->drops[i] = now.drops[i] - reported->drops[i];
	*reported = now;
}

static const struct genl_multicast_group fips_nl_mcgrps[] = {
	[FIPS_NLGRP_MONITOR] = { .name = FIPS_MCGRP_MONITOR, .flags = GENL_MCAST_CAP_NET_ADMIN },
};

struct genl_family fips_nl_family __ro_after_init = {
	.name		= FIPS_FAMILY_NAME,
	.version	= FIPS_FAMILY_VERSION,
	.module		= THIS_MODULE,
	.netnsok	= true,
	.parallel_ops	= true,
	.pre_doit	= fips_nl_pre_doit,
	.post_doit	= fips_nl_post_doit,
	.ops		= fips_nl_ops,
	.n_ops		= ARRAY_SIZE(fips_nl_ops),
	.resv_start_op	= __FIPS_CMD_MAX,
	.mcgrps		= fips_nl_mcgrps,
	.n_mcgrps	= ARRAY_SIZE(fips_nl_mcgrps),
};

int __init fips_netlink_init(void)
{
	return genl_register_family(&fips_nl_family);
}

void fips_netlink_exit(void)
{
	genl_unregister_family(&fips_nl_family);
}
