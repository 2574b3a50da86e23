// SPDX-License-Identifier: MIT
/*
 * Any bytes as reports of both layers, then the input as a run of frames and
 * reports; estimates stay in their ranges and sums agree with each other.
 */
#include "fuzz.h"
#include "mmp.h"
#include "pathmtu.h"

static void fuzz_codecs(enum fips_mmp_layer layer, const u8 *body, size_t len)
{
	size_t res = fips_mmp_reserved(layer), head = layer == FIPS_MMP_LINK;
	struct fips_mmp_sr sr;
	struct fips_mmp_rr rr;
	u8 buf[68];
	int n;

	if (!fips_mmp_sr_parse(layer, body, len, &sr)) {
		n = fips_mmp_sr_build(layer, buf, sizeof(buf), &sr);
		FUZZ_CHECK(n == (int)(head + res + FIPS_MMP_SR_LEN));
		FUZZ_CHECK(!memcmp(buf + head + res, body + res, FIPS_MMP_SR_LEN));
	}
	if (!fips_mmp_rr_parse(layer, body, len, &rr)) {
		n = fips_mmp_rr_build(layer, buf, sizeof(buf), &rr);
		FUZZ_CHECK(n == (int)(head + res + FIPS_MMP_RR_LEN));
		/* But for the reserved bytes in the middle. */
		FUZZ_CHECK(!memcmp(buf + head + res, body + res, 34));
		FUZZ_CHECK(!memcmp(buf + head + res + 36, body + res + 36, FIPS_MMP_RR_LEN - 36));
	}
}

static void check_metrics(const struct fips_mmp_metrics *m)
{
	FUZZ_CHECK(m->forward >= 0 && m->forward <= 1 && m->reverse >= 0 && m->reverse <= 1);
	FUZZ_CHECK(m->etx >= 1 && m->etx <= FIPS_MMP_ETX_MAX && m->goodput >= 0);
	FUZZ_CHECK(m->srtt.srtt >= 0 && m->srtt.rttvar >= 0);
	FUZZ_CHECK(fips_mmp_metrics_cost(m) >= 1);
}

/* Reports back to back. */
static void fuzz_reports(const u8 *data, size_t size)
{
	struct fips_mmp_timer t;
	struct fips_mmp_metrics m;
	struct fips_mmp_rr rr;
	u64 now = 0;

	fips_mmp_metrics_init(&m);
	fips_mmp_timer_init(&t, FIPS_MMP_LINK, 1);
	for (; size >= 68; data += 68, size -= 68) {
		now += data[0];
		FUZZ_CHECK(!fips_mmp_rr_parse(FIPS_MMP_SESSION, data, 66, &rr));
		if (data[66] < 16)
			fips_mmp_metrics_cutover(&m, now);
		fips_mmp_metrics_rr(&m, &rr, NULL, now, (u32)data[67] << data[66] % 24);
		fips_mmp_metrics_reverse(&m, rr.cum_bytes, rr.cum_packets);
		fips_mmp_timer_update(&t, m.srtt.srtt);
		FUZZ_CHECK(t.interval_ms >= 200 && t.interval_ms <= 5000);
		check_metrics(&m);
	}
}

/* Four bytes a frame: operation, step of the counter, of the clock, of the timestamp. */
static void fuzz_frames(const u8 *data, size_t size)
{
	struct fips_mmp_rx rx = { 0 };
	struct fips_mmp_rx_sums sums;
	u32 us[FIPS_MMP_OWD_WINDOW], ts[FIPS_MMP_OWD_WINDOW], n;
	struct fips_mmp_frame f = { .bytes = 100 };
	struct fips_mmp_rr rr;
	u64 packets = 0;

	for (; size >= 4; data += 4, size -= 4) {
		f.counter += (u64)(s64)(int8_t)data[1] << data[0] % 64;
		f.now_us += (u64)data[2] << data[0] % 32;
		f.timestamp += data[3];
		f.ce = data[0] & 1;
		if (data[0] > 250) {
			fips_mmp_rx_cutover(&rx, f.now_us);
		} else if (data[0] > 240) {
			fips_mmp_rx_old(&rx, 100);
			packets++;
		} else if (data[0] > 220) {
			if (!fips_mmp_rx_take(&rx, f.now_us, &sums))
				continue;
			fips_mmp_rr_fill(&rr, &sums);
			FUZZ_CHECK(rr.cum_packets == packets && rr.max_burst <= sums.burst_total);
			FUZZ_CHECK(sums.interval_packets && sums.interval_packets <= packets);
		} else {
			fips_mmp_rx_frame(&rx, &f);
			packets++;
			FUZZ_CHECK(rx.has_data && rx.highest >= f.counter);
		}
		FUZZ_CHECK(rx.cum_packets == packets && rx.cum_bytes == packets * 100);
		n = fips_mmp_rx_owd(&rx, us, ts);
		FUZZ_CHECK(n <= FIPS_MMP_OWD_WINDOW);
		fips_mmp_owd_trend(us, ts, n);
	}
}

static void fuzz_path_mtu(const u8 *data, size_t size)
{
	struct fips_pathmtu p;
	u64 now = 0;
	u16 v;

	fips_pathmtu_init(&p);
	for (; size >= 4; data += 4, size -= 4) {
		v = fips_get_le16(data);
		now += (u64)data[2] << 7;
		if (data[3] < 128)
			fips_pathmtu_notified(&p, v, now);
		else if (data[3] < 160)
			fips_pathmtu_exceeded(&p, v, FIPS_MTU_UNKNOWN);
		else if (data[3] < 200)
			fips_pathmtu_observe(&p, v);
		else if (now >= fips_pathmtu_due(&p))
			fips_pathmtu_told(&p, now);
		FUZZ_CHECK(p.current >= FIPS_MTU_FLOOR);
		FUZZ_CHECK(!p.pending || p.pending > p.current);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_codecs(FIPS_MMP_LINK, data, size);
	fuzz_codecs(FIPS_MMP_SESSION, data, size);
	fuzz_reports(data, size);
	fuzz_frames(data, size);
	fuzz_path_mtu(data, size);
	return 0;
}
