/* SPDX-License-Identifier: MIT */
/*
 * Codecs of the metrics reports (spec 04 §2.1, §2.2). Both layers carry the
 * same fields; the link has three reserved bytes in front, the session two.
 * (PathMtuNotification, §2.3, is with the other session messages in fsp.h.)
 *
 * Bodies begin behind the message type: of a link message that is
 * &struct fips_link_message.body, of a session message the inner body.
 */
#ifndef _LIBFIPS_MMP_REPORT_H
#define _LIBFIPS_MMP_REPORT_H

#include <fips/wire.h>

#define FIPS_MMP_SR_LEN		44	/* without the reserved bytes */
#define FIPS_MMP_RR_LEN		64

/**
 * enum fips_mmp_layer - whose metrics
 * @FIPS_MMP_LINK: of a link: reports are link messages
 * @FIPS_MMP_SESSION: of a session: reports are session messages
 */
enum fips_mmp_layer {
	FIPS_MMP_LINK,
	FIPS_MMP_SESSION,
};

static inline size_t fips_mmp_reserved(enum fips_mmp_layer layer)
{
	return layer == FIPS_MMP_LINK ? 3 : 2;
}

/**
 * struct fips_mmp_sr - SenderReport (04 §2.1)
 * @start_counter: counter of the first frame of the interval
 * @end_counter: of the last
 * @start_ts: its timestamp
 * @end_ts: likewise
 * @interval_bytes: saturating
 * @cum_packets: since the beginning
 * @cum_bytes: likewise
 */
struct fips_mmp_sr {
	u64 start_counter;
	u64 end_counter;
	u32 start_ts;
	u32 end_ts;
	u32 interval_bytes;
	u64 cum_packets;
	u64 cum_bytes;
};

/**
 * struct fips_mmp_rr - ReceiverReport (04 §2.2)
 * @highest: highest counter received
 * @cum_packets: since the beginning
 * @cum_bytes: likewise
 * @echo: timestamp of the newest frame, 0 = none
 * @dwell_ms: how long it was held
 * @max_burst: longest loss
 * @mean_burst: 8.8 fixed point
 * @jitter_us: microseconds
 * @ce: frames with CE
 * @owd_trend: microseconds a second; the reference's is noise (04 §4.5)
 * @burst_count: losses in the interval
 * @reorder: since the beginning of the epoch
 * @interval_packets: since the last report
 * @interval_bytes: likewise
 */
struct fips_mmp_rr {
	u64 highest;
	u64 cum_packets;
	u64 cum_bytes;
	u32 echo;
	u16 dwell_ms;
	u16 max_burst;
	u16 mean_burst;
	u32 jitter_us;
	u32 ce;
	s32 owd_trend;
	u32 burst_count;
	u32 reorder;
	u32 interval_packets;
	u32 interval_bytes;
};

/* Bytes behind a complete report are ignored. Return: 0 or -EPROTO. */
int fips_mmp_sr_parse(enum fips_mmp_layer layer, const u8 *body, size_t len,
		      struct fips_mmp_sr *out);
int fips_mmp_rr_parse(enum fips_mmp_layer layer, const u8 *body, size_t len,
		      struct fips_mmp_rr *out);

/*
 * The builders write a whole link message, type byte first, or the body of a
 * session message. Return: length or -ENOSPC.
 */
int fips_mmp_sr_build(enum fips_mmp_layer layer, u8 *buf, size_t room,
		      const struct fips_mmp_sr *sr);
int fips_mmp_rr_build(enum fips_mmp_layer layer, u8 *buf, size_t room,
		      const struct fips_mmp_rr *rr);

#endif /* _LIBFIPS_MMP_REPORT_H */
