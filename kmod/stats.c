// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters and how ip and ethtool see them. Netlink fills its own nest from
 * fips_dev_sum() and fips_counters_sum().
 */

#include <linux/ethtool.h>
#include <linux/module.h>
#include <linux/netdevice.h>

#include "device.h"
#include "link.h"
#include "session.h"
#include "stats.h"
#include "trace.h"

static const char fips_stat_names[FIPS_STATS][ETH_GSTRING_LEN] = {
	[FIPS_STAT_RX_PACKETS] = "rx_frames",
	[FIPS_STAT_RX_BYTES] = "rx_frame_bytes",
	[FIPS_STAT_TX_PACKETS] = "tx_frames",
	[FIPS_STAT_TX_BYTES] = "tx_frame_bytes",
	[FIPS_STAT_TX_COPIES] = "tx_copies",
	[FIPS_STAT_FORWARDED] = "forwarded",
	[FIPS_STAT_CE] = "rx_ce",
	[FIPS_STAT_CE_DELIVERED] = "rx_ce_delivered",
	[FIPS_STAT_CE_FORWARDED] = "forwarded_ce",
	[FIPS_STAT_CE_MARKED] = "forwarded_ce_marked",
};

const char fips_drop_names[FIPS_DROP_REASONS][ETH_GSTRING_LEN] = {
	[FIPS_DROP_REASON_RX_SHORT] = "drop_rx_short",
	[FIPS_DROP_REASON_RX_LENGTH] = "drop_rx_length",
	[FIPS_DROP_REASON_RX_UNKNOWN_INDEX] = "drop_rx_unknown_index",
	[FIPS_DROP_REASON_RX_REPLAY] = "drop_rx_replay",
	[FIPS_DROP_REASON_RX_AUTH] = "drop_rx_auth",
	[FIPS_DROP_REASON_RX_INNER_SHORT] = "drop_rx_inner_short",
	[FIPS_DROP_REASON_RX_KEY_EXPIRED] = "drop_rx_key_expired",
	[FIPS_DROP_REASON_PARK_FULL] = "drop_park_full",
	[FIPS_DROP_REASON_PARK_EXPIRED] = "drop_park_expired",
	[FIPS_DROP_REASON_DGRAM_SHORT] = "drop_dgram_short",
	[FIPS_DROP_REASON_DGRAM_TTL] = "drop_dgram_ttl",
	[FIPS_DROP_REASON_DGRAM_MTU] = "drop_dgram_mtu",
	[FIPS_DROP_REASON_DGRAM_BACK] = "drop_dgram_back",
	[FIPS_DROP_REASON_SESSION_UNKNOWN] = "drop_session_unknown",
	[FIPS_DROP_REASON_SESSION_NO_KEY] = "drop_session_no_key",
	[FIPS_DROP_REASON_SESSION_SHORT] = "drop_session_short",
	[FIPS_DROP_REASON_SESSION_COORDS] = "drop_session_coords",
	[FIPS_DROP_REASON_SESSION_AUTH] = "drop_session_auth",
	[FIPS_DROP_REASON_SESSION_REPLAY] = "drop_session_replay",
	[FIPS_DROP_REASON_SESSION_INNER_SHORT] = "drop_session_inner_short",
	[FIPS_DROP_REASON_SHIM_FORMAT] = "drop_shim_format",
	[FIPS_DROP_REASON_SHIM_NOT_OURS] = "drop_shim_not_ours",
	[FIPS_DROP_REASON_NO_TUNNEL] = "drop_no_tunnel",
	[FIPS_DROP_REASON_TX_NOT_IPV6] = "drop_tx_not_ipv6",
	[FIPS_DROP_REASON_TX_NOT_MESH] = "drop_tx_not_mesh",
	[FIPS_DROP_REASON_TX_SOURCE] = "drop_tx_source",
	[FIPS_DROP_REASON_TX_TOO_BIG] = "drop_tx_too_big",
	[FIPS_DROP_REASON_TX_UNREACHABLE] = "drop_tx_unreachable",
	[FIPS_DROP_REASON_STAGE_FULL] = "drop_stage_full",
	[FIPS_DROP_REASON_STAGE_DESTINATIONS] = "drop_stage_destinations",
	[FIPS_DROP_REASON_STAGE_EXPIRED] = "drop_stage_expired",
	[FIPS_DROP_REASON_NO_ROUTE] = "drop_no_route",
	[FIPS_DROP_REASON_NO_KEY] = "drop_no_key",
	[FIPS_DROP_REASON_KEY_LIMIT] = "drop_key_limit",
	[FIPS_DROP_REASON_TX_HEADROOM] = "drop_tx_headroom",
	[FIPS_DROP_REASON_TX_ROUTE] = "drop_tx_route",
	[FIPS_DROP_REASON_TX_ERROR] = "drop_tx_error",
	[FIPS_DROP_REASON_UPCALL_CONTROL] = "drop_upcall_control",
	[FIPS_DROP_REASON_UPCALL_DATA] = "drop_upcall_data",
	[FIPS_DROP_REASON_NO_OWNER] = "drop_no_owner",
};

static_assert(FIPS_DROP_REASON_MAX == FIPS_DROP_REASON_NO_OWNER);

/* Upcalls that got lost are no packets of the interface. */
static bool fips_drop_is_packet(u32 reason)
{
	return reason < FIPS_DROP_REASON_UPCALL_CONTROL;
}

static bool fips_drop_is_tx(u32 reason)
{
	return reason >= FIPS_DROP_REASON_TX_NOT_IPV6;
}

void fips_dev_count(struct fips_device *fips, enum fips_stat stat, u64 n)
{
	struct fips_pcpu_stats *s;

	local_bh_disable();
	s = this_cpu_ptr(fips->stats);
	u64_stats_update_begin(&s->syncp);
	u64_stats_add(&s->stat[stat], n);
	u64_stats_update_end(&s->syncp);
	local_bh_enable();
}

static void fips_dev_count_pair(struct fips_device *fips, enum fips_stat stat, u64 packets,
				u64 bytes)
{
	struct fips_pcpu_stats *s;

	local_bh_disable();
	s = this_cpu_ptr(fips->stats);
	u64_stats_update_begin(&s->syncp);
	u64_stats_add(&s->stat[stat], packets);
	u64_stats_add(&s->stat[stat + 1], bytes);
	u64_stats_update_end(&s->syncp);
	local_bh_enable();
}

void fips_dev_count_rx(struct fips_device *fips, u64 packets, u64 bytes)
{
	fips_dev_count_pair(fips, FIPS_STAT_RX_PACKETS, packets, bytes);
}

void fips_dev_count_tx(struct fips_device *fips, u64 packets, u64 bytes)
{
	fips_dev_count_pair(fips, FIPS_STAT_TX_PACKETS, packets, bytes);
}

void fips_drop_n(struct fips_device *fips, enum fips_drop_reason reason, u64 n)
{
	struct fips_pcpu_stats *s;

	trace_fips_drop(fips, reason, n);
	local_bh_disable();
	s = this_cpu_ptr(fips->stats);
	u64_stats_update_begin(&s->syncp);
	u64_stats_add(&s->drops[reason], n);
	u64_stats_update_end(&s->syncp);
	local_bh_enable();
}

void fips_drop(struct fips_device *fips, enum fips_drop_reason reason)
{
	fips_drop_n(fips, reason, 1);
}

void fips_link_drop_n(struct fips_link *link, enum fips_drop_reason reason, u64 n)
{
	atomic64_add(n, &link->counters.drops[reason]);
	fips_drop_n(link->fips, reason, n);
}

void fips_session_drop_n(struct fips_session *session, enum fips_drop_reason reason, u64 n)
{
	atomic64_add(n, &session->counters.drops[reason]);
	fips_drop_n(session->fips, reason, n);
}

static void fips_pcpu_add(const struct fips_pcpu_stats *s, struct fips_stats_sum *sum)
{
	struct fips_stats_sum one;
	unsigned int start, i;

	do {
		start = u64_stats_fetch_begin(&s->syncp);
		for (i = 0; i < FIPS_STATS; i++)
			one.stat[i] = u64_stats_read(&s->stat[i]);
		for (i = 0; i < FIPS_DROP_REASONS; i++)
			one.drops[i] = u64_stats_read(&s->drops[i]);
	} while (u64_stats_fetch_retry(&s->syncp, start));

	for (i = 0; i < FIPS_STATS; i++)
		sum->stat[i] += one.stat[i];
	for (i = 0; i < FIPS_DROP_REASONS; i++)
		sum->drops[i] += one.drops[i];
}

/**
 * fips_dev_sum() - counters of a device over all CPUs
 * @fips: device
 * @sum: written
 */
void fips_dev_sum(struct fips_device *fips, struct fips_stats_sum *sum)
{
	int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu)
		fips_pcpu_add(per_cpu_ptr(fips->stats, cpu), sum);
}

/**
 * fips_counters_sum() - counters of a link, session or transport
 * @c: counters
 * @sum: written
 */
void fips_counters_sum(const struct fips_counters *c, struct fips_stats_sum *sum)
{
	unsigned int i;

	for (i = 0; i < FIPS_STATS; i++)
		sum->stat[i] = atomic64_read(&c->stat[i]);
	for (i = 0; i < FIPS_DROP_REASONS; i++)
		sum->drops[i] = atomic64_read(&c->drops[i]);
}

/* ndo_get_stats64: inner packets, and the drops of both directions. */
void fips_get_stats64(struct net_device *dev, struct rtnl_link_stats64 *stats)
{
	struct fips_device *fips = netdev_priv(dev);
	struct fips_stats_sum sum;
	u32 i;

	dev_get_tstats64(dev, stats);
	fips_dev_sum(fips, &sum);
	for (i = 0; i < FIPS_DROP_REASONS; i++) {
		if (!fips_drop_is_packet(i))
			continue;
		if (fips_drop_is_tx(i))
			stats->tx_dropped += sum.drops[i];
		else
			stats->rx_dropped += sum.drops[i];
	}
}

static void fips_get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	strscpy(info->driver, KBUILD_MODNAME, sizeof(info->driver));
}

static int fips_get_sset_count(struct net_device *dev, int sset)
{
	return sset == ETH_SS_STATS ? FIPS_STATS + FIPS_DROP_REASONS : -EOPNOTSUPP;
}

static void fips_get_strings(struct net_device *dev, u32 sset, u8 *buf)
{
	if (sset != ETH_SS_STATS)
		return;
	memcpy(buf, fips_stat_names, sizeof(fips_stat_names));
	memcpy(buf + sizeof(fips_stat_names), fips_drop_names, sizeof(fips_drop_names));
}

static void fips_get_ethtool_stats(struct net_device *dev, struct ethtool_stats *stats, u64 *data)
{
	struct fips_stats_sum sum;

	fips_dev_sum(netdev_priv(dev), &sum);
	memcpy(data, sum.stat, sizeof(sum.stat));
	memcpy(data + FIPS_STATS, sum.drops, sizeof(sum.drops));
}

const struct ethtool_ops fips_ethtool_ops = {
	.get_drvinfo		= fips_get_drvinfo,
	.get_link		= ethtool_op_get_link,
	.get_sset_count		= fips_get_sset_count,
	.get_strings		= fips_get_strings,
	.get_ethtool_stats	= fips_get_ethtool_stats,
};
