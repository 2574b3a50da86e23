// SPDX-License-Identifier: GPL-2.0-only
/* What link-report and session-report have in common: the metrics' sums. */

#include "netlink-gen.h"
#include "nl.h"

/**
 * fips_nl_take() - which intervals a report ends
 * @attr: attribute take, or NULL
 *
 * Return: FIPS_MMP_TAKE_* bits.
 */
u32 fips_nl_take(const struct nlattr *attr)
{
	return attr ? nla_get_u8(attr) : FIPS_MMP_TAKE_RX | FIPS_MMP_TAKE_TX;
}

/**
 * fips_nl_sr_bytes() - bytes of the sending interval
 * @report: with the total of bytes sent
 * @take: FIPS_MMP_TAKE_* bits
 * @sr_bytes: that total where the interval began
 */
void fips_nl_sr_bytes(struct fips_mmp_report *report, u32 take, u64 *sr_bytes)
{
	report->tx.interval_bytes = min_t(u64, report->tx.cum_bytes - *sr_bytes, U32_MAX);
	if (take & FIPS_MMP_TAKE_TX && report->tx.has_data)
		*sr_bytes = report->tx.cum_bytes;
}

static int fips_nl_put_u64(struct sk_buff *skb, int attrtype, u64 value)
{
	return nla_put_u64_64bit(skb, attrtype, value, FIPS_A_MMP_PAD);
}

static int fips_nl_put_owd(struct sk_buff *skb, const struct fips_mmp_report *report)
{
	struct nlattr *attr;
	u32 *pairs, i;

	attr = nla_reserve(skb, FIPS_A_MMP_RX_OWD, report->owd_len * 2 * sizeof(u32));
	if (!attr)
		return -EMSGSIZE;
	pairs = nla_data(attr);
	for (i = 0; i < report->owd_len; i++) {
		pairs[2 * i] = report->owd_us[i];
		pairs[2 * i + 1] = report->owd_ts[i];
	}
	return 0;
}

static int fips_nl_put_mmp_rx(struct sk_buff *skb, const struct fips_mmp_report *report)
{
	const struct fips_mmp_rx_sums *rx = &report->rx;

	if ((report->has_rx && nla_put_flag(skb, FIPS_A_MMP_RX_DATA)) ||
	    fips_nl_put_u64(skb, FIPS_A_MMP_RX_PACKETS, rx->cum_packets) ||
	    fips_nl_put_u64(skb, FIPS_A_MMP_RX_BYTES, rx->cum_bytes) ||
	    fips_nl_put_u64(skb, FIPS_A_MMP_RX_HIGHEST, rx->highest) ||
	    nla_put_u32(skb, FIPS_A_MMP_RX_TIMESTAMP, rx->last_ts) ||
	    fips_nl_put_u64(skb, FIPS_A_MMP_RX_DWELL_US, rx->dwell_us) ||
	    nla_put_u32(skb, FIPS_A_MMP_RX_JITTER_US, rx->jitter_us) ||
	    nla_put_u32(skb, FIPS_A_MMP_RX_CE, rx->ce) ||
	    nla_put_u32(skb, FIPS_A_MMP_RX_REORDER, rx->reorder) ||
	    nla_put_u32(skb, FIPS_A_MMP_RX_INTERVAL_PACKETS, rx->interval_packets) ||
	    nla_put_u32(skb, FIPS_A_MMP_RX_INTERVAL_BYTES, rx->interval_bytes) ||
	    nla_put_u32(skb, FIPS_A_MMP_RX_BURST_COUNT, rx->burst_count) ||
	    nla_put_u16(skb, FIPS_A_MMP_RX_BURST_MAX, rx->burst_max) ||
	    fips_nl_put_u64(skb, FIPS_A_MMP_RX_BURST_TOTAL, rx->burst_total))
		return -EMSGSIZE;
	return fips_nl_put_owd(skb, report);
}

static int fips_nl_put_mmp_tx(struct sk_buff *skb, const struct fips_mmp_tx *tx)
{
	if ((tx->has_data && nla_put_flag(skb, FIPS_A_MMP_TX_DATA)) ||
	    fips_nl_put_u64(skb, FIPS_A_MMP_TX_PACKETS, tx->cum_packets) ||
	    fips_nl_put_u64(skb, FIPS_A_MMP_TX_BYTES, tx->cum_bytes) ||
	    fips_nl_put_u64(skb, FIPS_A_MMP_TX_START_COUNTER, tx->start_counter) ||
	    fips_nl_put_u64(skb, FIPS_A_MMP_TX_LAST_COUNTER, tx->last_counter) ||
	    nla_put_u32(skb, FIPS_A_MMP_TX_START_TIMESTAMP, tx->start_ts) ||
	    nla_put_u32(skb, FIPS_A_MMP_TX_LAST_TIMESTAMP, tx->last_ts) ||
	    nla_put_u32(skb, FIPS_A_MMP_TX_INTERVAL_BYTES, tx->interval_bytes))
		return -EMSGSIZE;
	return 0;
}

/**
 * fips_nl_put_mmp() - the sums as a nest
 * @skb: message
 * @attrtype: attribute of the nest
 * @report: sums
 *
 * Return: 0 or -EMSGSIZE.
 */
int fips_nl_put_mmp(struct sk_buff *skb, int attrtype, const struct fips_mmp_report *report)
{
	struct nlattr *nest = nla_nest_start(skb, attrtype);

	if (!nest || nla_put_u32(skb, FIPS_A_MMP_TIMESTAMP, report->now_ts) ||
	    fips_nl_put_mmp_rx(skb, report) || fips_nl_put_mmp_tx(skb, &report->tx) ||
	    (report->spin_rtt_us &&
	     fips_nl_put_u64(skb, FIPS_A_MMP_SPIN_RTT_US, report->spin_rtt_us)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}
