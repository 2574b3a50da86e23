/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters. A device counts per CPU; a link or session, which sees a whole
 * list of frames at a time, in atomics. Every drop has a reason of the uAPI
 * and is counted at the device, and at the link or session it belongs to.
 */
#ifndef _FIPS_STATS_H
#define _FIPS_STATS_H

#include <linux/atomic.h>
#include <linux/jiffies.h>
#include <linux/u64_stats_sync.h>

#include <uapi/linux/fips.h>

struct fips_device;
struct fips_link;
struct fips_session;
struct net_device;
struct rtnl_link_stats64;
struct sk_buff;

#define FIPS_DROP_REASONS	(FIPS_DROP_REASON_MAX + 1)

/**
 * enum fips_stat - what is counted besides drops; order of the uAPI's stats set
 * @FIPS_STAT_RX_PACKETS: authenticated frames or messages
 * @FIPS_STAT_RX_BYTES: their bytes, headers and tags included
 * @FIPS_STAT_TX_PACKETS: sealed and handed down
 * @FIPS_STAT_TX_BYTES: their bytes, headers and tags included
 * @FIPS_STAT_TX_COPIES: copied for want of head- or tailroom
 * @FIPS_STAT_FORWARDED: transit datagrams
 * @FIPS_STAT_CE: frames that came with CE
 * @FIPS_STAT_CE_DELIVERED: packets for the stack that came with CE
 * @FIPS_STAT_CE_FORWARDED: transit datagrams that left with CE
 * @FIPS_STAT_CE_MARKED: those whose next hop is congested
 * @FIPS_STATS: number of counters
 */
enum fips_stat {
	FIPS_STAT_RX_PACKETS,
	FIPS_STAT_RX_BYTES,
	FIPS_STAT_TX_PACKETS,
	FIPS_STAT_TX_BYTES,
	FIPS_STAT_TX_COPIES,
	FIPS_STAT_FORWARDED,
	FIPS_STAT_CE,
	FIPS_STAT_CE_DELIVERED,
	FIPS_STAT_CE_FORWARDED,
	FIPS_STAT_CE_MARKED,
	FIPS_STATS
};

/**
 * struct fips_pcpu_stats - counters of a device on one CPU
 * @stat: see enum fips_stat
 * @drops: see enum fips_drop_reason
 * @syncp: writers run with BH off
 */
struct fips_pcpu_stats {
	u64_stats_t stat[FIPS_STATS];
	u64_stats_t drops[FIPS_DROP_REASONS];
	struct u64_stats_sync syncp;
};

/**
 * struct fips_counters - counters of a link or session
 * @stat: see enum fips_stat
 * @drops: see enum fips_drop_reason
 */
struct fips_counters {
	atomic64_t stat[FIPS_STATS];
	atomic64_t drops[FIPS_DROP_REASONS];
};

/**
 * struct fips_stats_sum - counters read at one moment
 * @stat: see enum fips_stat
 * @drops: see enum fips_drop_reason
 */
struct fips_stats_sum {
	u64 stat[FIPS_STATS];
	u64 drops[FIPS_DROP_REASONS];
};

/* Any context. Each also takes the sum of a whole list: packets and bytes in one call. */
void fips_dev_count(struct fips_device *fips, enum fips_stat stat, u64 n);
void fips_dev_count_rx(struct fips_device *fips, u64 packets, u64 bytes);
void fips_dev_count_tx(struct fips_device *fips, u64 packets, u64 bytes);

/* Note the time of something frequent: writes the line only once a jiffy. */
static inline void fips_stamp(unsigned long *stamp)
{
	unsigned long now = jiffies;

	if (READ_ONCE(*stamp) != now)
		WRITE_ONCE(*stamp, now);
}

static inline void fips_count(struct fips_counters *c, enum fips_stat stat, u64 n)
{
	atomic64_add(n, &c->stat[stat]);
}

static inline void fips_count_rx(struct fips_counters *c, u64 packets, u64 bytes)
{
	atomic64_add(packets, &c->stat[FIPS_STAT_RX_PACKETS]);
	atomic64_add(bytes, &c->stat[FIPS_STAT_RX_BYTES]);
}

static inline void fips_count_tx(struct fips_counters *c, u64 packets, u64 bytes)
{
	atomic64_add(packets, &c->stat[FIPS_STAT_TX_PACKETS]);
	atomic64_add(bytes, &c->stat[FIPS_STAT_TX_BYTES]);
}

/**
 * fips_drop() - count a drop, and trace it
 * @fips: device
 * @reason: why
 *
 * Counts only: the skb stays the caller's to free. Any context.
 */
void fips_drop(struct fips_device *fips, enum fips_drop_reason reason);
void fips_drop_n(struct fips_device *fips, enum fips_drop_reason reason, u64 n);

/* The same, counted at the device and at the object. */
void fips_link_drop_n(struct fips_link *link, enum fips_drop_reason reason, u64 n);
void fips_session_drop_n(struct fips_session *session, enum fips_drop_reason reason, u64 n);

static inline void fips_link_drop(struct fips_link *link, enum fips_drop_reason reason)
{
	fips_link_drop_n(link, reason, 1);
}

static inline void fips_session_drop(struct fips_session *session, enum fips_drop_reason reason)
{
	fips_session_drop_n(session, reason, 1);
}

void fips_dev_sum(struct fips_device *fips, struct fips_stats_sum *sum);
void fips_counters_sum(const struct fips_counters *c, struct fips_stats_sum *sum);
void fips_get_stats64(struct net_device *dev, struct rtnl_link_stats64 *stats);

extern const char fips_drop_names[FIPS_DROP_REASONS][32];

#endif /* _FIPS_STATS_H */
