// SPDX-License-Identifier: MIT
/*
 * Messages of the kernel: the one place that reads the family's attributes.
 * Lengths are checked by policy even though the kernel sent them: the file is
 * fuzzed, and a newer module may send more.
 */
#include <errno.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include "fipsnl.h"

#define ATTRS_MAX	32
#define U8A	{ .type = NLA_U8 }
#define U16A	{ .type = NLA_U16 }
#define U32A	{ .type = NLA_U32 }
#define U64A	{ .minlen = 8, .maxlen = 8 }
#define BYTES(n)	{ .minlen = n, .maxlen = n }
#define NEST	{ .type = NLA_NESTED }

_Static_assert(FIPS_A_DEV_MAX < ATTRS_MAX && FIPS_A_TRANSPORT_MAX < ATTRS_MAX &&
	       FIPS_A_LINK_MAX < ATTRS_MAX && FIPS_A_SESSION_MAX < ATTRS_MAX &&
	       FIPS_A_ROUTE_MAX < ATTRS_MAX && FIPS_A_KEY_MAX < ATTRS_MAX &&
	       FIPS_A_MMP_MAX < ATTRS_MAX, "ATTRS_MAX");

static struct nla_policy dev_policy[FIPS_A_DEV_MAX + 1] = {
	[FIPS_A_DEV_IFINDEX] = U32A,
	[FIPS_A_DEV_NODE_ADDR] = BYTES(FIPS_NODE_ADDR_LEN),
	[FIPS_A_DEV_TRANSPORT_MTU] = U16A,
	[FIPS_A_DEV_DEFAULT_TTL] = U8A,
	[FIPS_A_DEV_LINGER] = U32A,
	[FIPS_A_DEV_INSTANCE] = U64A,
	[FIPS_A_DEV_OWNER_DATA] = { .maxlen = FIPS_OWNER_DATA_MAX },
	[FIPS_A_DEV_STATS] = NEST,
	[FIPS_A_DEV_TRANSPORTS] = U32A,
	[FIPS_A_DEV_LINKS] = U32A,
	[FIPS_A_DEV_SESSIONS] = U32A,
	[FIPS_A_DEV_ROUTES] = U32A,
};

static struct nla_policy transport_policy[FIPS_A_TRANSPORT_MAX + 1] = {
	[FIPS_A_TRANSPORT_IFINDEX] = U32A,
	[FIPS_A_TRANSPORT_ID] = U32A,
	[FIPS_A_TRANSPORT_TYPE] = U32A,
	[FIPS_A_TRANSPORT_FD] = U32A,
	[FIPS_A_TRANSPORT_MTU] = U16A,
	[FIPS_A_TRANSPORT_LOCAL_IPV4] = BYTES(4),
	[FIPS_A_TRANSPORT_LOCAL_IPV6] = BYTES(16),
	[FIPS_A_TRANSPORT_LOCAL_PORT] = BYTES(2),
	[FIPS_A_TRANSPORT_OWNER_DATA] = { .maxlen = FIPS_OWNER_DATA_MAX },
	[FIPS_A_TRANSPORT_REASON] = U32A,
	[FIPS_A_TRANSPORT_STATS] = NEST,
};

static struct nla_policy link_policy[FIPS_A_LINK_MAX + 1] = {
	[FIPS_A_LINK_IFINDEX] = U32A,
	[FIPS_A_LINK_ID] = U32A,
	[FIPS_A_LINK_TRANSPORT_ID] = U32A,
	[FIPS_A_LINK_PEER] = BYTES(FIPS_NODE_ADDR_LEN),
	[FIPS_A_LINK_REMOTE_IPV4] = BYTES(4),
	[FIPS_A_LINK_REMOTE_IPV6] = BYTES(16),
	[FIPS_A_LINK_REMOTE_SCOPE] = U32A,
	[FIPS_A_LINK_REMOTE_PORT] = BYTES(2),
	[FIPS_A_LINK_REMOTE_MAC] = BYTES(6),
	[FIPS_A_LINK_MTU] = U16A,
	[FIPS_A_LINK_STATE] = U32A,
	[FIPS_A_LINK_CONGESTED] = U8A,
	[FIPS_A_LINK_SLOT] = U32A,
	[FIPS_A_LINK_COUNTER] = U64A,
	[FIPS_A_LINK_TIMESTAMP] = U32A,
	[FIPS_A_LINK_FLAGS] = U8A,
	[FIPS_A_LINK_LAST_RX_MS] = U64A,
	[FIPS_A_LINK_AGE_MS] = U64A,
	[FIPS_A_LINK_OWNER_DATA] = { .maxlen = FIPS_OWNER_DATA_MAX },
	[FIPS_A_LINK_MMP] = NEST,
	[FIPS_A_LINK_STATS] = NEST,
};

static struct nla_policy session_policy[FIPS_A_SESSION_MAX + 1] = {
	[FIPS_A_SESSION_IFINDEX] = U32A,
	[FIPS_A_SESSION_REMOTE] = BYTES(FIPS_NODE_ADDR_LEN),
	[FIPS_A_SESSION_IPV6] = BYTES(FIPS_IPV6_LEN),
	[FIPS_A_SESSION_PATH_MTU] = U16A,
	[FIPS_A_SESSION_COORDS_COUNT] = U8A,
	[FIPS_A_SESSION_SLOT] = U32A,
	[FIPS_A_SESSION_MSG_TYPE] = U8A,
	[FIPS_A_SESSION_COUNTER] = U64A,
	[FIPS_A_SESSION_TIMESTAMP] = U32A,
	[FIPS_A_SESSION_INNER_FLAGS] = U8A,
	[FIPS_A_SESSION_DGRAM_MTU] = U16A,
	[FIPS_A_SESSION_LINK_ID] = U32A,
	[FIPS_A_SESSION_LAST_DATA_MS] = U64A,
	[FIPS_A_SESSION_LAST_RX_MS] = U64A,
	[FIPS_A_SESSION_AGE_MS] = U64A,
	[FIPS_A_SESSION_STAGED] = U32A,
	[FIPS_A_SESSION_OWNER_DATA] = { .maxlen = FIPS_OWNER_DATA_MAX },
	[FIPS_A_SESSION_MMP] = NEST,
	[FIPS_A_SESSION_STATS] = NEST,
};

static struct nla_policy route_policy[FIPS_A_ROUTE_MAX + 1] = {
	[FIPS_A_ROUTE_IFINDEX] = U32A,
	[FIPS_A_ROUTE_DEST] = BYTES(FIPS_NODE_ADDR_LEN),
	[FIPS_A_ROUTE_LINK_ID] = U32A,
	[FIPS_A_ROUTE_UNREACHABLE_MS] = U32A,
	[FIPS_A_ROUTE_GENERATION] = U32A,
	[FIPS_A_ROUTE_LAST_USE_MS] = U64A,
};

static struct nla_policy key_policy[FIPS_A_KEY_MAX + 1] = {
	[FIPS_A_KEY_SLOT] = U32A,
	[FIPS_A_KEY_LOCAL_INDEX] = U32A,
	[FIPS_A_KEY_REMOTE_INDEX] = U32A,
	[FIPS_A_KEY_K_BIT] = U8A,
	[FIPS_A_KEY_TX_COUNTER] = U64A,
	[FIPS_A_KEY_RX_HIGHEST] = U64A,
	[FIPS_A_KEY_SOFT_LIMIT] = U64A,
	[FIPS_A_KEY_HARD_LIMIT] = U64A,
	[FIPS_A_KEY_LIFETIME_MS] = U32A,
};

static struct nla_policy stats_policy[FIPS_A_STATS_MAX + 1] = {
	[FIPS_A_STATS_RX_PACKETS] = U64A,
	[FIPS_A_STATS_RX_BYTES] = U64A,
	[FIPS_A_STATS_TX_PACKETS] = U64A,
	[FIPS_A_STATS_TX_BYTES] = U64A,
	[FIPS_A_STATS_TX_COPIES] = U64A,
	[FIPS_A_STATS_FORWARDED_PACKETS] = U64A,
	[FIPS_A_STATS_CE_PACKETS] = U64A,
	[FIPS_A_STATS_CE_DELIVERED_PACKETS] = U64A,
	[FIPS_A_STATS_CE_FORWARDED_PACKETS] = U64A,
	[FIPS_A_STATS_CE_MARKED_PACKETS] = U64A,
};

static struct nla_policy mmp_policy[FIPS_A_MMP_MAX + 1] = {
	[FIPS_A_MMP_TIMESTAMP] = U32A,
	[FIPS_A_MMP_RX_PACKETS] = U64A,
	[FIPS_A_MMP_RX_BYTES] = U64A,
	[FIPS_A_MMP_RX_HIGHEST] = U64A,
	[FIPS_A_MMP_RX_TIMESTAMP] = U32A,
	[FIPS_A_MMP_RX_DWELL_US] = U64A,
	[FIPS_A_MMP_RX_JITTER_US] = U32A,
	[FIPS_A_MMP_RX_CE] = U32A,
	[FIPS_A_MMP_RX_REORDER] = U32A,
	[FIPS_A_MMP_RX_INTERVAL_PACKETS] = U32A,
	[FIPS_A_MMP_RX_INTERVAL_BYTES] = U32A,
	[FIPS_A_MMP_RX_BURST_COUNT] = U32A,
	[FIPS_A_MMP_RX_BURST_MAX] = U16A,
	[FIPS_A_MMP_RX_BURST_TOTAL] = U64A,
	[FIPS_A_MMP_RX_OWD] = { .maxlen = FIPS_MMP_OWD_WINDOW * 8 },
	[FIPS_A_MMP_TX_PACKETS] = U64A,
	[FIPS_A_MMP_TX_BYTES] = U64A,
	[FIPS_A_MMP_TX_START_COUNTER] = U64A,
	[FIPS_A_MMP_TX_LAST_COUNTER] = U64A,
	[FIPS_A_MMP_TX_START_TIMESTAMP] = U32A,
	[FIPS_A_MMP_TX_LAST_TIMESTAMP] = U32A,
	[FIPS_A_MMP_TX_INTERVAL_BYTES] = U32A,
	[FIPS_A_MMP_SPIN_RTT_US] = U64A,
};

static struct nla_policy drop_policy[FIPS_A_DROP_MAX + 1] = {
	[FIPS_A_DROP_REASON] = U32A,
	[FIPS_A_DROP_COUNT] = U64A,
};

/* Attributes of a message by number; absent ones read as 0. */
struct attrs {
	struct nlattr *v[ATTRS_MAX];
};

static int parse(const struct nlmsghdr *nlh, struct attrs *a, int max, struct nla_policy *policy)
{
	memset(a, 0, sizeof(*a));
	return genlmsg_parse((struct nlmsghdr *)nlh, 0, a->v, max, policy) ? -EPROTO : 0;
}

static u8 get_u8(const struct attrs *a, int type)
{
	return a->v[type] ? nla_get_u8(a->v[type]) : 0;
}

static u16 get_u16(const struct attrs *a, int type)
{
	return a->v[type] ? nla_get_u16(a->v[type]) : 0;
}

static u32 get_u32(const struct attrs *a, int type)
{
	return a->v[type] ? nla_get_u32(a->v[type]) : 0;
}

static u64 get_u64(const struct attrs *a, int type)
{
	return a->v[type] ? nla_get_u64(a->v[type]) : 0;
}

static u64 get_age(const struct attrs *a, int type)
{
	return a->v[type] ? nla_get_u64(a->v[type]) : FIPS_NEVER;
}

static void get_bytes(const struct attrs *a, int type, void *out, size_t len)
{
	if (a->v[type])
		memcpy(out, nla_data(a->v[type]), len);
	else
		memset(out, 0, len);
}

static size_t get_owner_data(const struct attrs *a, int type, u8 *out)
{
	if (!a->v[type])
		return 0;
	memcpy(out, nla_data(a->v[type]), (size_t)nla_len(a->v[type]));
	return (size_t)nla_len(a->v[type]);
}

static void get_taddr(const struct attrs *a, int ipv4, int ipv6, int port, struct fips_taddr *out)
{
	memset(out, 0, sizeof(*out));
	if (a->v[ipv4]) {
		out->kind = FIPS_TADDR_IPV4;
		get_bytes(a, ipv4, out->addr, 4);
	} else if (a->v[ipv6]) {
		out->kind = FIPS_TADDR_IPV6;
		get_bytes(a, ipv6, out->addr, 16);
	} else {
		return;
	}
	if (a->v[port])
		out->port = fips_get_be16(nla_data(a->v[port]));
}

static void get_remote(const struct attrs *a, struct fips_taddr *out)
{
	get_taddr(a, FIPS_A_LINK_REMOTE_IPV4, FIPS_A_LINK_REMOTE_IPV6, FIPS_A_LINK_REMOTE_PORT,
		  out);
	if (out->kind == FIPS_TADDR_IPV6)
		out->scope = get_u32(a, FIPS_A_LINK_REMOTE_SCOPE);
	if (a->v[FIPS_A_LINK_REMOTE_MAC]) {
		out->kind = FIPS_TADDR_MAC;
		get_bytes(a, FIPS_A_LINK_REMOTE_MAC, out->addr, 6);
	}
}

static int get_stats(const struct attrs *outer, int type, struct fipsnl_stats *s)
{
	struct attrs a = { 0 }, d;
	struct nlattr *drop;
	int left;

	memset(s, 0, sizeof(*s));
	if (!outer->v[type])
		return 0;
	if (nla_parse_nested(a.v, FIPS_A_STATS_MAX, outer->v[type], stats_policy))
		return -EPROTO;
	s->dp.rx_packets = get_u64(&a, FIPS_A_STATS_RX_PACKETS);
	s->dp.rx_bytes = get_u64(&a, FIPS_A_STATS_RX_BYTES);
	s->dp.tx_packets = get_u64(&a, FIPS_A_STATS_TX_PACKETS);
	s->dp.tx_bytes = get_u64(&a, FIPS_A_STATS_TX_BYTES);
	s->dp.forwarded = get_u64(&a, FIPS_A_STATS_FORWARDED_PACKETS);
	s->dp.ce_packets = get_u64(&a, FIPS_A_STATS_CE_PACKETS);
	s->dp.ce_delivered = get_u64(&a, FIPS_A_STATS_CE_DELIVERED_PACKETS);
	s->dp.ce_forwarded = get_u64(&a, FIPS_A_STATS_CE_FORWARDED_PACKETS);
	s->dp.ce_marked = get_u64(&a, FIPS_A_STATS_CE_MARKED_PACKETS);
	s->tx_copies = get_u64(&a, FIPS_A_STATS_TX_COPIES);
	nla_for_each_nested(drop, outer->v[type], left) {
		u32 reason;

		if (nla_type(drop) != FIPS_A_STATS_DROPS)
			continue;
		memset(&d, 0, sizeof(d));
		if (nla_parse_nested(d.v, FIPS_A_DROP_MAX, drop, drop_policy))
			return -EPROTO;
		reason = get_u32(&d, FIPS_A_DROP_REASON);
		if (reason < FIPS_DROP_REASONS)
			s->dp.drops[reason] = get_u64(&d, FIPS_A_DROP_COUNT);
	}
	return 0;
}

static void get_owd(const struct attrs *a, struct fips_mmp_report *r)
{
	const struct nlattr *owd = a->v[FIPS_A_MMP_RX_OWD];
	u32 pair[2], i;

	r->owd_len = owd ? (u32)nla_len(owd) / sizeof(pair) : 0;
	for (i = 0; i < r->owd_len; i++) {
		memcpy(pair, (const u8 *)nla_data(owd) + i * sizeof(pair), sizeof(pair));
		r->owd_us[i] = pair[0];
		r->owd_ts[i] = pair[1];
	}
}

static int get_mmp(const struct attrs *outer, int type, struct fips_mmp_report *r)
{
	struct attrs a = { 0 };

	memset(r, 0, sizeof(*r));
	if (!outer->v[type] ||
	    nla_parse_nested(a.v, FIPS_A_MMP_MAX, outer->v[type], mmp_policy))
		return -EPROTO;
	r->now_ts = get_u32(&a, FIPS_A_MMP_TIMESTAMP);
	r->has_rx = a.v[FIPS_A_MMP_RX_DATA];
	r->rx.cum_packets = get_u64(&a, FIPS_A_MMP_RX_PACKETS);
	r->rx.cum_bytes = get_u64(&a, FIPS_A_MMP_RX_BYTES);
	r->rx.highest = get_u64(&a, FIPS_A_MMP_RX_HIGHEST);
	r->rx.last_ts = get_u32(&a, FIPS_A_MMP_RX_TIMESTAMP);
	r->rx.dwell_us = get_u64(&a, FIPS_A_MMP_RX_DWELL_US);
	r->rx.jitter_us = get_u32(&a, FIPS_A_MMP_RX_JITTER_US);
	r->rx.ce = get_u32(&a, FIPS_A_MMP_RX_CE);
	r->rx.reorder = get_u32(&a, FIPS_A_MMP_RX_REORDER);
	r->rx.interval_packets = get_u32(&a, FIPS_A_MMP_RX_INTERVAL_PACKETS);
	r->rx.interval_bytes = get_u32(&a, FIPS_A_MMP_RX_INTERVAL_BYTES);
	r->rx.burst_count = get_u32(&a, FIPS_A_MMP_RX_BURST_COUNT);
	r->rx.burst_max = get_u16(&a, FIPS_A_MMP_RX_BURST_MAX);
	r->rx.burst_total = get_u64(&a, FIPS_A_MMP_RX_BURST_TOTAL);
	r->tx.has_data = a.v[FIPS_A_MMP_TX_DATA];
	r->tx.cum_packets = get_u64(&a, FIPS_A_MMP_TX_PACKETS);
	r->tx.cum_bytes = get_u64(&a, FIPS_A_MMP_TX_BYTES);
	r->tx.start_counter = get_u64(&a, FIPS_A_MMP_TX_START_COUNTER);
	r->tx.last_counter = get_u64(&a, FIPS_A_MMP_TX_LAST_COUNTER);
	r->tx.start_ts = get_u32(&a, FIPS_A_MMP_TX_START_TIMESTAMP);
	r->tx.last_ts = get_u32(&a, FIPS_A_MMP_TX_LAST_TIMESTAMP);
	r->tx.interval_bytes = get_u32(&a, FIPS_A_MMP_TX_INTERVAL_BYTES);
	r->spin_rtt_us = get_u64(&a, FIPS_A_MMP_SPIN_RTT_US);
	get_owd(&a, r);
	return 0;
}

/* The key nests of a link or session; the attribute may repeat. */
static int get_keys(const struct nlmsghdr *nlh, int type, struct fipsnl_key *key, size_t *n)
{
	struct genlmsghdr *gh = nlmsg_data(nlh);
	struct nlattr *attr = genlmsg_attrdata(gh, 0);
	int left = genlmsg_attrlen(gh, 0);
	struct attrs a;

	*n = 0;
	for (; nla_ok(attr, left) && *n < FIPSNL_KEYS; attr = nla_next(attr, &left)) {
		if (nla_type(attr) != type)
			continue;
		memset(&a, 0, sizeof(a));
		if (nla_parse_nested(a.v, FIPS_A_KEY_MAX, attr, key_policy))
			return -EPROTO;
		key[(*n)++] = (struct fipsnl_key){
			.slot = get_u32(&a, FIPS_A_KEY_SLOT),
			.local_index = get_u32(&a, FIPS_A_KEY_LOCAL_INDEX),
			.remote_index = get_u32(&a, FIPS_A_KEY_REMOTE_INDEX),
			.k_bit = get_u8(&a, FIPS_A_KEY_K_BIT),
			.has_key = a.v[FIPS_A_KEY_HAS_KEY],
			.tx_counter = get_u64(&a, FIPS_A_KEY_TX_COUNTER),
			.rx_highest = get_u64(&a, FIPS_A_KEY_RX_HIGHEST),
			.soft_limit = get_u64(&a, FIPS_A_KEY_SOFT_LIMIT),
			.hard_limit = get_u64(&a, FIPS_A_KEY_HARD_LIMIT),
			.lifetime_ms = get_u32(&a, FIPS_A_KEY_LIFETIME_MS),
		};
	}
	return 0;
}

/* ---- objects ---- */

int fipsnl_read_dev(const struct nlmsghdr *nlh, struct fipsnl_dev *dev)
{
	struct attrs a;

	if (parse(nlh, &a, FIPS_A_DEV_MAX, dev_policy))
		return -EPROTO;
	memset(dev, 0, sizeof(*dev));
	dev->ifindex = get_u32(&a, FIPS_A_DEV_IFINDEX);
	dev->has_addr = a.v[FIPS_A_DEV_NODE_ADDR];
	get_bytes(&a, FIPS_A_DEV_NODE_ADDR, dev->addr.b, FIPS_NODE_ADDR_LEN);
	dev->transport_mtu = get_u16(&a, FIPS_A_DEV_TRANSPORT_MTU);
	dev->ttl = get_u8(&a, FIPS_A_DEV_DEFAULT_TTL);
	dev->linger = get_u32(&a, FIPS_A_DEV_LINGER);
	dev->owned = a.v[FIPS_A_DEV_OWNED];
	dev->instance = get_u64(&a, FIPS_A_DEV_INSTANCE);
	dev->transports = get_u32(&a, FIPS_A_DEV_TRANSPORTS);
	dev->links = get_u32(&a, FIPS_A_DEV_LINKS);
	dev->sessions = get_u32(&a, FIPS_A_DEV_SESSIONS);
	dev->routes = get_u32(&a, FIPS_A_DEV_ROUTES);
	dev->owner_len = get_owner_data(&a, FIPS_A_DEV_OWNER_DATA, dev->owner_data);
	return get_stats(&a, FIPS_A_DEV_STATS, &dev->stats);
}

int fipsnl_read_transport(const struct nlmsghdr *nlh, struct fipsnl_transport *t)
{
	struct attrs a;

	if (parse(nlh, &a, FIPS_A_TRANSPORT_MAX, transport_policy))
		return -EPROTO;
	memset(t, 0, sizeof(*t));
	t->ifindex = get_u32(&a, FIPS_A_TRANSPORT_IFINDEX);
	t->id = get_u32(&a, FIPS_A_TRANSPORT_ID);
	t->type = get_u32(&a, FIPS_A_TRANSPORT_TYPE);
	t->mtu = get_u16(&a, FIPS_A_TRANSPORT_MTU);
	t->fd = get_u32(&a, FIPS_A_TRANSPORT_FD);
	get_taddr(&a, FIPS_A_TRANSPORT_LOCAL_IPV4, FIPS_A_TRANSPORT_LOCAL_IPV6,
		  FIPS_A_TRANSPORT_LOCAL_PORT, &t->local);
	t->owner_len = get_owner_data(&a, FIPS_A_TRANSPORT_OWNER_DATA, t->owner_data);
	return get_stats(&a, FIPS_A_TRANSPORT_STATS, &t->stats);
}

int fipsnl_read_link(const struct nlmsghdr *nlh, struct fipsnl_link *link)
{
	struct attrs a;
	int ret;

	if (parse(nlh, &a, FIPS_A_LINK_MAX, link_policy))
		return -EPROTO;
	memset(link, 0, sizeof(*link));
	link->ifindex = get_u32(&a, FIPS_A_LINK_IFINDEX);
	link->id = get_u32(&a, FIPS_A_LINK_ID);
	link->transport_id = get_u32(&a, FIPS_A_LINK_TRANSPORT_ID);
	get_bytes(&a, FIPS_A_LINK_PEER, link->peer.b, FIPS_NODE_ADDR_LEN);
	get_remote(&a, &link->remote);
	link->mtu = get_u16(&a, FIPS_A_LINK_MTU);
	link->state = get_u32(&a, FIPS_A_LINK_STATE);
	link->congested = get_u8(&a, FIPS_A_LINK_CONGESTED);
	link->last_rx_ms = get_age(&a, FIPS_A_LINK_LAST_RX_MS);
	link->age_ms = get_u64(&a, FIPS_A_LINK_AGE_MS);
	link->owner_len = get_owner_data(&a, FIPS_A_LINK_OWNER_DATA, link->owner_data);
	ret = get_keys(nlh, FIPS_A_LINK_KEY, link->key, &link->keys);
	return ret ? ret : get_stats(&a, FIPS_A_LINK_STATS, &link->stats);
}

int fipsnl_read_session(const struct nlmsghdr *nlh, struct fipsnl_session *s)
{
	struct attrs a;
	int ret;

	if (parse(nlh, &a, FIPS_A_SESSION_MAX, session_policy))
		return -EPROTO;
	memset(s, 0, sizeof(*s));
	s->ifindex = get_u32(&a, FIPS_A_SESSION_IFINDEX);
	get_bytes(&a, FIPS_A_SESSION_REMOTE, s->remote.b, FIPS_NODE_ADDR_LEN);
	get_bytes(&a, FIPS_A_SESSION_IPV6, s->ipv6, FIPS_IPV6_LEN);
	s->path_mtu = get_u16(&a, FIPS_A_SESSION_PATH_MTU);
	s->coords_count = get_u8(&a, FIPS_A_SESSION_COORDS_COUNT);
	s->last_data_ms = get_age(&a, FIPS_A_SESSION_LAST_DATA_MS);
	s->last_rx_ms = get_age(&a, FIPS_A_SESSION_LAST_RX_MS);
	s->age_ms = get_u64(&a, FIPS_A_SESSION_AGE_MS);
	s->staged = get_u32(&a, FIPS_A_SESSION_STAGED);
	s->owner_len = get_owner_data(&a, FIPS_A_SESSION_OWNER_DATA, s->owner_data);
	ret = get_keys(nlh, FIPS_A_SESSION_KEY, s->key, &s->keys);
	return ret ? ret : get_stats(&a, FIPS_A_SESSION_STATS, &s->stats);
}

int fipsnl_read_link_report(const struct nlmsghdr *nlh, struct fips_mmp_report *report)
{
	struct attrs a;

	if (parse(nlh, &a, FIPS_A_LINK_MAX, link_policy))
		return -EPROTO;
	return get_mmp(&a, FIPS_A_LINK_MMP, report);
}

int fipsnl_read_session_report(const struct nlmsghdr *nlh, struct fips_mmp_report *report)
{
	struct attrs a;

	if (parse(nlh, &a, FIPS_A_SESSION_MAX, session_policy))
		return -EPROTO;
	return get_mmp(&a, FIPS_A_SESSION_MMP, report);
}

int fipsnl_read_route(const struct nlmsghdr *nlh, struct fipsnl_route *route)
{
	struct attrs a;

	if (parse(nlh, &a, FIPS_A_ROUTE_MAX, route_policy))
		return -EPROTO;
	memset(route, 0, sizeof(*route));
	route->ifindex = get_u32(&a, FIPS_A_ROUTE_IFINDEX);
	get_bytes(&a, FIPS_A_ROUTE_DEST, route->dest.b, FIPS_NODE_ADDR_LEN);
	route->link_id = get_u32(&a, FIPS_A_ROUTE_LINK_ID);
	route->unreachable_ms = get_u32(&a, FIPS_A_ROUTE_UNREACHABLE_MS);
	route->generation = get_u32(&a, FIPS_A_ROUTE_GENERATION);
	route->last_use_ms = get_age(&a, FIPS_A_ROUTE_LAST_USE_MS);
	return 0;
}

/* ---- upcalls ---- */

static int transport_event(const struct attrs *a, struct fips_event *ev)
{
	ev->type = FIPS_EV_TRANSPORT_DOWN;
	ev->transport.id = get_u32(a, FIPS_A_TRANSPORT_ID);
	return ev->transport.id ? 0 : -EPROTO;
}

static int link_event(u8 cmd, const struct attrs *a, struct fips_event *ev)
{
	const struct nlattr *msg = a->v[FIPS_A_LINK_MESSAGE];

	if (!a->v[FIPS_A_LINK_ID])
		return -EPROTO;
	if (cmd == FIPS_CMD_LINK_MSG) {
		if (!msg)
			return -EPROTO;
		ev->type = FIPS_EV_LINK_MSG;
		ev->link_msg.id = get_u32(a, FIPS_A_LINK_ID);
		ev->link_msg.slot = get_u32(a, FIPS_A_LINK_SLOT);
		ev->link_msg.counter = get_u64(a, FIPS_A_LINK_COUNTER);
		ev->link_msg.timestamp = get_u32(a, FIPS_A_LINK_TIMESTAMP);
		ev->link_msg.flags = get_u8(a, FIPS_A_LINK_FLAGS);
		ev->link_msg.msg = nla_data(msg);
		ev->link_msg.len = (size_t)nla_len(msg);
		return 0;
	}
	ev->type = cmd == FIPS_CMD_LINK_CONFIRMED ? FIPS_EV_LINK_CONFIRMED :
		   cmd == FIPS_CMD_LINK_FLOAT ? FIPS_EV_LINK_FLOAT :
		   cmd == FIPS_CMD_LINK_ACTIVE ? FIPS_EV_LINK_ACTIVE :
		   cmd == FIPS_CMD_LINK_KEY_USED ? FIPS_EV_LINK_KEY_USED : FIPS_EV_LINK_KEY_LIMIT;
	ev->link.id = get_u32(a, FIPS_A_LINK_ID);
	ev->link.slot = get_u32(a, FIPS_A_LINK_SLOT);
	ev->link.transport_id = get_u32(a, FIPS_A_LINK_TRANSPORT_ID);
	get_remote(a, &ev->link.remote);
	return 0;
}

static int session_event(u8 cmd, const struct attrs *a, struct fips_event *ev)
{
	const struct nlattr *msg = a->v[FIPS_A_SESSION_MESSAGE];

	if (cmd == FIPS_CMD_SESSION_MISS) {
		if (!a->v[FIPS_A_SESSION_IPV6])
			return -EPROTO;
		ev->type = FIPS_EV_SESSION_MISS;
		get_bytes(a, FIPS_A_SESSION_IPV6, ev->miss.ipv6, FIPS_IPV6_LEN);
		return 0;
	}
	if (!a->v[FIPS_A_SESSION_REMOTE])
		return -EPROTO;
	if (cmd != FIPS_CMD_SESSION_MSG) {
		ev->type = cmd == FIPS_CMD_SESSION_UNKNOWN ? FIPS_EV_SESSION_UNKNOWN :
			   cmd == FIPS_CMD_SESSION_ACTIVE ? FIPS_EV_SESSION_ACTIVE :
			   cmd == FIPS_CMD_SESSION_KEY_USED ? FIPS_EV_SESSION_KEY_USED :
							      FIPS_EV_SESSION_KEY_LIMIT;
		get_bytes(a, FIPS_A_SESSION_REMOTE, ev->session.remote.b, FIPS_NODE_ADDR_LEN);
		ev->session.slot = get_u32(a, FIPS_A_SESSION_SLOT);
		ev->session.dgram_mtu = get_u16(a, FIPS_A_SESSION_DGRAM_MTU);
		return 0;
	}
	ev->type = FIPS_EV_SESSION_MSG;
	get_bytes(a, FIPS_A_SESSION_REMOTE, ev->session_msg.remote.b, FIPS_NODE_ADDR_LEN);
	ev->session_msg.slot = get_u32(a, FIPS_A_SESSION_SLOT);
	ev->session_msg.msg_type = get_u8(a, FIPS_A_SESSION_MSG_TYPE);
	ev->session_msg.counter = get_u64(a, FIPS_A_SESSION_COUNTER);
	ev->session_msg.timestamp = get_u32(a, FIPS_A_SESSION_TIMESTAMP);
	ev->session_msg.inner_flags = get_u8(a, FIPS_A_SESSION_INNER_FLAGS);
	ev->session_msg.dgram_mtu = get_u16(a, FIPS_A_SESSION_DGRAM_MTU);
	ev->session_msg.link_id = get_u32(a, FIPS_A_SESSION_LINK_ID);
	ev->session_msg.body = msg ? nla_data(msg) : NULL;
	ev->session_msg.len = msg ? (size_t)nla_len(msg) : 0;
	return 0;
}

static int route_event(u8 cmd, const struct attrs *a, struct fips_event *ev)
{
	const struct nlattr *header = a->v[FIPS_A_ROUTE_HEADER];

	if (cmd != FIPS_CMD_COORDS && !a->v[FIPS_A_ROUTE_DEST])
		return -EPROTO;
	ev->type = cmd == FIPS_CMD_COORDS ? FIPS_EV_COORDS :
		   cmd == FIPS_CMD_ROUTE_MISS ? FIPS_EV_ROUTE_MISS :
		   cmd == FIPS_CMD_ROUTE_BACK ? FIPS_EV_ROUTE_BACK : FIPS_EV_MTU_EXCEEDED;
	get_bytes(a, FIPS_A_ROUTE_DEST, ev->route.dest.b, FIPS_NODE_ADDR_LEN);
	ev->route.link_id = get_u32(a, FIPS_A_ROUTE_LINK_ID);
	ev->route.header = header ? nla_data(header) : NULL;
	ev->route.len = header ? (size_t)nla_len(header) : 0;
	return 0;
}

int fipsnl_event(const struct fipsnl_upcall *upcall, u32 ifindex, struct fips_event *ev)
{
	return fipsnl_read_event(fipsnl_upcall_header(upcall), ifindex, ev);
}

int fipsnl_read_event(const struct nlmsghdr *nlh, u32 ifindex, struct fips_event *ev)
{
	struct genlmsghdr *gh = nlmsg_data(nlh);
	struct attrs a;

	memset(ev, 0, sizeof(*ev));
	if (!genlmsg_valid_hdr((struct nlmsghdr *)nlh, 0))
		return -EPROTO;
	switch (gh->cmd) {
	case FIPS_CMD_TRANSPORT_CLOSED:
		if (parse(nlh, &a, FIPS_A_TRANSPORT_MAX, transport_policy))
			return -EPROTO;
		break;
	case FIPS_CMD_LINK_MSG:
	case FIPS_CMD_LINK_CONFIRMED:
	case FIPS_CMD_LINK_FLOAT:
	case FIPS_CMD_LINK_ACTIVE:
	case FIPS_CMD_LINK_KEY_USED:
	case FIPS_CMD_LINK_KEY_LIMIT:
		if (parse(nlh, &a, FIPS_A_LINK_MAX, link_policy))
			return -EPROTO;
		break;
	case FIPS_CMD_SESSION_MSG:
	case FIPS_CMD_SESSION_MISS:
	case FIPS_CMD_SESSION_UNKNOWN:
	case FIPS_CMD_SESSION_ACTIVE:
	case FIPS_CMD_SESSION_KEY_USED:
	case FIPS_CMD_SESSION_KEY_LIMIT:
		if (parse(nlh, &a, FIPS_A_SESSION_MAX, session_policy))
			return -EPROTO;
		break;
	case FIPS_CMD_ROUTE_MISS:
	case FIPS_CMD_MTU_EXCEEDED:
	case FIPS_CMD_ROUTE_BACK:
	case FIPS_CMD_COORDS:
		if (parse(nlh, &a, FIPS_A_ROUTE_MAX, route_policy))
			return -EPROTO;
		break;
	default:
		return -ENOMSG;
	}
	if (get_u32(&a, FIPS_A_DEV_IFINDEX) != ifindex)
		return -ENOMSG;
	if (gh->cmd == FIPS_CMD_TRANSPORT_CLOSED)
		return transport_event(&a, ev);
	if (gh->cmd >= FIPS_CMD_LINK_MSG && gh->cmd <= FIPS_CMD_LINK_KEY_LIMIT)
		return link_event(gh->cmd, &a, ev);
	if (gh->cmd >= FIPS_CMD_SESSION_MSG && gh->cmd <= FIPS_CMD_SESSION_KEY_LIMIT)
		return session_event(gh->cmd, &a, ev);
	return route_event(gh->cmd, &a, ev);
}
