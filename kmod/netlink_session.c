// SPDX-License-Identifier: GPL-2.0-only
/* Netlink handlers of sessions. */

#include <net/ipv6.h>

#include "device.h"
#include "netlink-gen.h"
#include "nl.h"
#include "packet.h"
#include "session.h"

static struct fips_session *fips_nl_session(struct genl_info *info)
{
	struct fips_session *session;

	if (FIPS_NL_MISSING(info, FIPS_A_SESSION_REMOTE, "remote"))
		return ERR_PTR(-EINVAL);
	session = fips_session_find(fips_nl_dev(info),
				    nla_data(info->attrs[FIPS_A_SESSION_REMOTE]));
	if (!session) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[FIPS_A_SESSION_REMOTE],
				    "no session with this remote");
		return ERR_PTR(-ENOENT);
	}
	return session;
}

static int fips_nl_coords_list(const u8 **p, size_t *left)
{
	size_t len;

	if (*left < 2)
		return -EINVAL;
	len = 2 + (size_t)fips_get_le16(*p) * FIPS_NODE_ADDR_LEN;
	if (*left < len)
		return -EINVAL;
	*p += len;
	*left -= len;
	return 0;
}

/* Two lists and nothing behind them; or nothing at all, to forget them. */
static bool fips_nl_coords_ok(const struct nlattr *attr)
{
	const u8 *p = nla_data(attr);
	size_t left = nla_len(attr);

	return !left || (!fips_nl_coords_list(&p, &left) && !fips_nl_coords_list(&p, &left) &&
			 !left);
}

static int fips_nl_session_params(struct fips_session_params *params, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;

	memset(params, 0, sizeof(*params));
	if (attrs[FIPS_A_SESSION_REMOTE])
		params->remote = nla_data(attrs[FIPS_A_SESSION_REMOTE]);
	if (attrs[FIPS_A_SESSION_PATH_MTU]) {
		params->path_mtu = nla_get_u16(attrs[FIPS_A_SESSION_PATH_MTU]);
		if (params->path_mtu < FIPS_MTU_FLOOR)
			return FIPS_NL_REFUSE(info, FIPS_A_SESSION_PATH_MTU, -ERANGE,
					      "path-mtu is below 256");
	}
	if (attrs[FIPS_A_SESSION_COORDS]) {
		if (!fips_nl_coords_ok(attrs[FIPS_A_SESSION_COORDS]))
			return FIPS_NL_REFUSE(info, FIPS_A_SESSION_COORDS, -EINVAL,
					      "coords is not two coordinate lists");
		params->coords = nla_data(attrs[FIPS_A_SESSION_COORDS]);
		params->coords_len = nla_len(attrs[FIPS_A_SESSION_COORDS]);
	}
	params->coords_count = -1;
	if (attrs[FIPS_A_SESSION_COORDS_COUNT])
		params->coords_count = nla_get_u8(attrs[FIPS_A_SESSION_COORDS_COUNT]);
	return 0;
}

static int fips_nl_session_data(struct fips_session *session, const struct nlattr *attr)
{
	if (!attr)
		return 0;
	return fips_set_owner_data(&session->owner_data, &session->owner_data_len,
				   nla_data(attr), nla_len(attr));
}

int fips_nl_session_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fips_device *fips = fips_nl_dev(info);
	struct fips_session_params params;
	struct fips_session *session;
	struct fips_key_params key;
	bool has_key;
	int err;

	if (FIPS_NL_MISSING(info, FIPS_A_SESSION_REMOTE, "remote"))
		return -EINVAL;
	err = fips_nl_session_params(&params, info);
	if (err)
		return err;
	if (fips->has_addr && fips_node_addr_eq(params.remote, &fips->node_addr))
		return FIPS_NL_REFUSE(info, FIPS_A_SESSION_REMOTE, -EINVAL,
				      "remote is this node itself");
	err = fips_nl_parse_key(&key, info, FIPS_A_SESSION_KEY, &has_key);
	if (err)
		return err;
	session = fips_session_new(fips, &params, has_key ? &key : NULL, info->extack);
	if (IS_ERR(session))
		return PTR_ERR(session);
	err = fips_nl_session_data(session, info->attrs[FIPS_A_SESSION_OWNER_DATA]);
	if (err)
		fips_session_del(session);
	return err;
}

/* session-set with ipv6 alone: nobody knows which node has this address. */
static int fips_nl_session_unknown(struct fips_device *fips, struct genl_info *info)
{
	const struct nlattr *ms = info->attrs[FIPS_A_SESSION_UNREACHABLE_MS];
	struct fips_session *session;
	struct in6_addr ipv6;

	if (FIPS_NL_MISSING(info, FIPS_A_SESSION_IPV6, "remote or ipv6") ||
	    FIPS_NL_MISSING(info, FIPS_A_SESSION_UNREACHABLE_MS, "unreachable-ms"))
		return -EINVAL;
	ipv6 = nla_get_in6_addr(info->attrs[FIPS_A_SESSION_IPV6]);
	session = fips_session_find_ipv6(fips, &ipv6);
	if (session) {
		fips_session_set_unreachable(session, nla_get_u32(ms));
		return 0;
	}
	return fips_stage_unreachable(fips, &ipv6, nla_get_u32(ms));
}

int fips_nl_session_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *ms = info->attrs[FIPS_A_SESSION_UNREACHABLE_MS];
	struct fips_session_params params;
	struct fips_session *session;
	int err;

	if (!info->attrs[FIPS_A_SESSION_REMOTE])
		return fips_nl_session_unknown(fips_nl_dev(info), info);
	session = fips_nl_session(info);
	if (IS_ERR(session))
		return PTR_ERR(session);
	if (info->attrs[FIPS_A_SESSION_IPV6])
		return FIPS_NL_REFUSE(info, FIPS_A_SESSION_IPV6, -EINVAL,
				      "give either remote or ipv6");
	err = fips_nl_session_params(&params, info);
	if (err)
		return err;
	err = fips_session_set(session, &params);
	if (err)
		return err;
	if (ms)
		fips_session_set_unreachable(session, nla_get_u32(ms));
	return fips_nl_session_data(session, info->attrs[FIPS_A_SESSION_OWNER_DATA]);
}

int fips_nl_session_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fips_session *session = fips_nl_session(info);

	if (IS_ERR(session))
		return PTR_ERR(session);
	fips_session_del(session);
	return 0;
}

static int fips_nl_put_session_ages(struct sk_buff *skb, struct fips_session *session)
{
	if ((READ_ONCE(session->has_data) &&
	     fips_nl_put_ms_since(skb, FIPS_A_SESSION_LAST_DATA_MS, READ_ONCE(session->last_data),
				  FIPS_A_SESSION_PAD)) ||
	    (READ_ONCE(session->has_rx) &&
	     fips_nl_put_ms_since(skb, FIPS_A_SESSION_LAST_RX_MS, READ_ONCE(session->last_rx),
				  FIPS_A_SESSION_PAD)) ||
	    fips_nl_put_ms_since(skb, FIPS_A_SESSION_AGE_MS, session->created,
				 FIPS_A_SESSION_PAD))
		return -EMSGSIZE;
	return 0;
}

static int fips_nl_put_session(struct sk_buff *skb, struct fips_session *session)
{
	int coords = atomic_read(&session->coords_count);
	struct fips_stats_sum sum;

	fips_counters_sum(&session->counters, &sum);
	if (fips_nl_put_ifindex(skb, session->fips) ||
	    nla_put(skb, FIPS_A_SESSION_REMOTE, FIPS_NODE_ADDR_LEN, session->remote.b) ||
	    nla_put_in6_addr(skb, FIPS_A_SESSION_IPV6, &session->ipv6) ||
	    nla_put_u16(skb, FIPS_A_SESSION_PATH_MTU, READ_ONCE(session->path_mtu)) ||
	    nla_put_u8(skb, FIPS_A_SESSION_COORDS_COUNT, clamp(coords, 0, U8_MAX)) ||
	    fips_nl_put_session_ages(skb, session) ||
	    nla_put_u32(skb, FIPS_A_SESSION_STAGED, skb_queue_len_lockless(&session->staged)) ||
	    (session->owner_data_len &&
	     nla_put(skb, FIPS_A_SESSION_OWNER_DATA, session->owner_data_len,
		     session->owner_data)) ||
	    fips_nl_put_keys(skb, FIPS_A_SESSION_KEY, &session->slots, false))
		return -EMSGSIZE;
	return fips_nl_put_stats(skb, FIPS_A_SESSION_STATS, &sum);
}

int fips_nl_session_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fips_session *session = fips_nl_session(info);
	struct fips_nl_reply reply;
	int err;

	if (IS_ERR(session))
		return PTR_ERR(session);
	err = fips_nl_reply_new(&reply, info);
	if (err)
		return err;
	return fips_nl_reply_send(&reply, info, fips_nl_put_session(reply.skb, session));
}

int fips_nl_session_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct fips_nl_dump *dump = fips_nl_dump(cb);
	struct fips_device *fips = fips_nl_dump_lock(cb);
	struct fips_session *session;
	void *hdr;

	if (IS_ERR(fips))
		return PTR_ERR(fips);
	if (dump->done)
		goto unlock;
	xa_for_each_start(&fips->sessions, dump->next, session, dump->next) {
		hdr = fips_nl_dump_put(skb, cb, FIPS_CMD_SESSION_GET);
		if (!hdr)
			break;
		if (fips_nl_put_session(skb, session)) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
	}
	dump->done = !session;
unlock:
	fips_nl_dev_unlock(fips);
	return skb->len;
}

/* The counters hold whole messages; the metrics count plaintext, sent ones with tag (04 §4). */
static void fips_nl_session_mmp(struct fips_session *session, u32 take,
				struct fips_mmp_report *report)
{
	const atomic64_t *stat = session->counters.stat;
	u64 rx = atomic64_read(&stat[FIPS_STAT_RX_PACKETS]);
	u64 tx = atomic64_read(&stat[FIPS_STAT_TX_PACKETS]);

	memset(report, 0, sizeof(*report));
	fips_slots_report(&session->slots, take, report);
	report->rx.cum_packets = rx;
	report->rx.cum_bytes = atomic64_read(&stat[FIPS_STAT_RX_BYTES]) - rx * FIPS_FSP_MIN_LEN -
			       atomic64_read(&session->rx_coords);
	report->tx.cum_packets = tx;
	report->tx.cum_bytes = atomic64_read(&stat[FIPS_STAT_TX_BYTES]) - tx * FIPS_FSP_HDR_LEN -
			       atomic64_read(&session->tx_coords);
	fips_nl_sr_bytes(report, take, &session->sr_bytes);
}

int fips_nl_session_report_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fips_session *session = fips_nl_session(info);
	struct nlattr *take = info->attrs[FIPS_A_SESSION_TAKE];
	struct fips_mmp_report report;
	struct fips_stats_sum interval;
	struct fips_nl_reply reply;
	struct fips_slot *slot;
	int err;

	if (IS_ERR(session))
		return PTR_ERR(session);
	err = fips_nl_reply_new(&reply, info);
	if (err)
		return err;
	if (fips_nl_put_ifindex(reply.skb, session->fips) ||
	    nla_put(reply.skb, FIPS_A_SESSION_REMOTE, FIPS_NODE_ADDR_LEN, session->remote.b) ||
	    nla_put_u16(reply.skb, FIPS_A_SESSION_DGRAM_MTU, READ_ONCE(session->seen_mtu)) ||
	    (READ_ONCE(session->has_rx) &&
	     fips_nl_put_ms_since(reply.skb, FIPS_A_SESSION_LAST_RX_MS,
				  READ_ONCE(session->last_rx), FIPS_A_SESSION_PAD)))
		err = -EMSGSIZE;
	rcu_read_lock();
	slot = fips_slots_get(&session->slots, FIPS_KEY_SLOT_CURRENT);
	if (slot && (nla_put_u64_64bit(reply.skb, FIPS_A_SESSION_COUNTER, READ_ONCE(slot->rx.hi),
				       FIPS_A_SESSION_PAD) ||
		     nla_put_u32(reply.skb, FIPS_A_SESSION_TIMESTAMP,
				 READ_ONCE(slot->rx_timestamp))))
		err = -EMSGSIZE;
	rcu_read_unlock();
	if (!err) {
		/* First the flag: a message in between raises an event rather than none. */
		set_bit(FIPS_SESSION_ACTIVE, &session->flags);
		fips_nl_session_mmp(session, fips_nl_take(take), &report);
		err = fips_nl_put_mmp(reply.skb, FIPS_A_SESSION_MMP, &report);
	}
	if (!err && !take) {
		fips_nl_take_interval(&session->reported, &session->counters, &interval);
		err = fips_nl_put_stats(reply.skb, FIPS_A_SESSION_STATS, &interval);
	}
	return fips_nl_reply_send(&reply, info, err);
}

int fips_nl_session_key_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fips_session *session = fips_nl_session(info);
	struct fips_key_params key;
	int err;

	if (IS_ERR(session))
		return PTR_ERR(session);
	err = fips_nl_parse_key(&key, info, FIPS_A_SESSION_KEY, NULL);
	if (err)
		return err;
	return fips_session_set_key(session, &key, info->extack);
}

int fips_nl_session_key_swap_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fips_session *session = fips_nl_session(info);
	int err;

	if (IS_ERR(session))
		return PTR_ERR(session);
	err = fips_session_swap(session);
	if (err)
		return FIPS_NL_REFUSE(info, FIPS_A_SESSION_REMOTE, err,
				      "slot next of the session with this remote is empty");
	return 0;
}

int fips_nl_session_key_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fips_session *session = fips_nl_session(info);
	int err;

	if (IS_ERR(session))
		return PTR_ERR(session);
	if (FIPS_NL_MISSING(info, FIPS_A_SESSION_SLOT, "slot"))
		return -EINVAL;
	err = fips_session_del_key(session, nla_get_u32(info->attrs[FIPS_A_SESSION_SLOT]));
	if (err)
		return FIPS_NL_REFUSE(info, FIPS_A_SESSION_SLOT, err, "slot is empty");
	return 0;
}

int fips_nl_session_xmit_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct fips_session *session = fips_nl_session(info);
	const struct nlattr *msg, *slot;
	int err;

	if (IS_ERR(session))
		return PTR_ERR(session);
	if (FIPS_NL_MISSING(info, FIPS_A_SESSION_MSG_TYPE, "msg-type"))
		return -EINVAL;
	msg = info->attrs[FIPS_A_SESSION_MESSAGE];
	slot = info->attrs[FIPS_A_SESSION_SLOT];
	err = fips_session_xmit_msg(session, slot ? nla_get_u32(slot) : FIPS_KEY_SLOT_CURRENT,
				    nla_get_u8(info->attrs[FIPS_A_SESSION_MSG_TYPE]),
				    info->attrs[FIPS_A_SESSION_WITH_COORDS],
				    msg ? nla_data(msg) : NULL, msg ? nla_len(msg) : 0);
	if (err)
		NL_SET_ERR_MSG(info->extack, "message could not be sent");
	return err;
}
