// SPDX-License-Identifier: MIT
/*
 * Codecs of the metrics reports (spec 04 §2).
 */
#include "mmp_report.h"

#include <errno.h>

int fips_mmp_sr_parse(enum fips_mmp_layer layer, const u8 *body, size_t len,
		      struct fips_mmp_sr *out)
{
	const u8 *p;

	if (len < fips_mmp_reserved(layer) + FIPS_MMP_SR_LEN)
		return -EPROTO;
	p = body + fips_mmp_reserved(layer);
	out->start_counter = fips_get_le64(p);
	out->end_counter = fips_get_le64(p + 8);
	out->start_ts = fips_get_le32(p + 16);
	out->end_ts = fips_get_le32(p + 20);
	out->interval_bytes = fips_get_le32(p + 24);
	out->cum_packets = fips_get_le64(p + 28);
	out->cum_bytes = fips_get_le64(p + 36);
	return 0;
}

int fips_mmp_rr_parse(enum fips_mmp_layer layer, const u8 *body, size_t len,
		      struct fips_mmp_rr *out)
{
	const u8 *p;

	if (len < fips_mmp_reserved(layer) + FIPS_MMP_RR_LEN)
		return -EPROTO;
	p = body + fips_mmp_reserved(layer);
	out->highest = fips_get_le64(p);
	out->cum_packets = fips_get_le64(p + 8);
	out->cum_bytes = fips_get_le64(p + 16);
	out->echo = fips_get_le32(p + 24);
	out->dwell_ms = fips_get_le16(p + 28);
	out->max_burst = fips_get_le16(p + 30);
	out->mean_burst = fips_get_le16(p + 32);
	/* two reserved bytes */
	out->jitter_us = fips_get_le32(p + 36);
	out->ce = fips_get_le32(p + 40);
	out->owd_trend = (s32)fips_get_le32(p + 44);
	out->burst_count = fips_get_le32(p + 48);
	out->reorder = fips_get_le32(p + 52);
	out->interval_packets = fips_get_le32(p + 56);
	out->interval_bytes = fips_get_le32(p + 60);
	return 0;
}

/* Type byte of a link message and the reserved bytes; returns where the fields begin. */
static int begin(enum fips_mmp_layer layer, u8 type, u8 *buf, size_t room, size_t len)
{
	size_t head = fips_mmp_reserved(layer) + (layer == FIPS_MMP_LINK);

	if (room < head + len)
		return -ENOSPC;
	memset(buf, 0, head + len);
	if (layer == FIPS_MMP_LINK)
		buf[0] = type;
	return (int)head;
}

int fips_mmp_sr_build(enum fips_mmp_layer layer, u8 *buf, size_t room,
		      const struct fips_mmp_sr *sr)
{
	int head = begin(layer, FIPS_LINK_SENDER_REPORT, buf, room, FIPS_MMP_SR_LEN);
	u8 *p;

	if (head < 0)
		return head;
	p = buf + head;
	fips_put_le64(p, sr->start_counter);
	fips_put_le64(p + 8, sr->end_counter);
	fips_put_le32(p + 16, sr->start_ts);
	fips_put_le32(p + 20, sr->end_ts);
	fips_put_le32(p + 24, sr->interval_bytes);
	fips_put_le64(p + 28, sr->cum_packets);
	fips_put_le64(p + 36, sr->cum_bytes);
	return head + FIPS_MMP_SR_LEN;
}

int fips_mmp_rr_build(enum fips_mmp_layer layer, u8 *buf, size_t room,
		      const struct fips_mmp_rr *rr)
{
	int head = begin(layer, FIPS_LINK_RECEIVER_REPORT, buf, room, FIPS_MMP_RR_LEN);
	u8 *p;

	if (head < 0)
		return head;
	p = buf + head;
	fips_put_le64(p, rr->highest);
	fips_put_le64(p + 8, rr->cum_packets);
	fips_put_le64(p + 16, rr->cum_bytes);
	fips_put_le32(p + 24, rr->echo);
	fips_put_le16(p + 28, rr->dwell_ms);
	fips_put_le16(p + 30, rr->max_burst);
	fips_put_le16(p + 32, rr->mean_burst);
	fips_put_le32(p + 36, rr->jitter_us);
	fips_put_le32(p + 40, rr->ce);
	fips_put_le32(p + 44, (u32)rr->owd_trend);
	fips_put_le32(p + 48, rr->burst_count);
	fips_put_le32(p + 52, rr->reorder);
	fips_put_le32(p + 56, rr->interval_packets);
	fips_put_le32(p + 60, rr->interval_bytes);
	return head + FIPS_MMP_RR_LEN;
}
