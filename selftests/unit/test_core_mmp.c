// SPDX-License-Identifier: MIT
/* Sums of the metrics in the user data plane's core, against what was sent. */
#include <errno.h>

#include "corenet.h"

#define PAYLOAD	100
/* UDP over IPv6 to FSP plaintext: inner header, ports, shim, UDP header. */
#define PLAIN	(FIPS_FSP_INNER_LEN + FIPS_FSP_PORTS_LEN + FIPS_SHIM_LEN + 8 + PAYLOAD)

static struct fips_mmp_report link_report(struct cn *cn, unsigned int i, unsigned int j, u32 take)
{
	struct fips_mmp_report r;

	assert_int_equal(fips_core_link_report(cn->n[i].c, cn->now, j + 1, take, &r), 0);
	return r;
}

static struct fips_mmp_report session_report(struct cn *cn, unsigned int i, unsigned int j,
					     u32 take)
{
	struct fips_mmp_report r;

	assert_int_equal(fips_core_session_report(cn->n[i].c, cn->now, &cn->n[j].addr, take, &r),
			 0);
	return r;
}

static void send_some(struct cn *cn, unsigned int n)
{
	u8 p[2048];
	size_t len;

	while (n--) {
		len = cn_udp(cn, p, 0, 1, PAYLOAD);
		cn_send(cn, 0, p, len);
		cn->now += 10;
		cn_pump(cn);
	}
}

/* What one side sent is what the other received, in both layers. */
static void test_sums_match(void **state)
{
	struct fips_mmp_report tx, rx;
	struct fips_dp_link_info info;
	struct cn cn;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	send_some(&cn, 20);
	assert_int_equal(cn.n[1].link_active, 1);
	assert_int_equal(cn.n[1].session_active, 1);

	tx = link_report(&cn, 0, 1, FIPS_MMP_TAKE_RX | FIPS_MMP_TAKE_TX);
	rx = link_report(&cn, 1, 0, FIPS_MMP_TAKE_RX | FIPS_MMP_TAKE_TX);
	assert_false(tx.has_rx);
	assert_true(tx.tx.has_data);
	assert_true(rx.has_rx);
	assert_false(rx.tx.has_data);
	assert_int_equal(tx.tx.cum_packets, 20);
	assert_int_equal(tx.tx.start_counter, 0);
	assert_int_equal(tx.tx.last_counter, 19);
	assert_int_equal(tx.tx.start_ts, 0);
	assert_int_equal(tx.tx.last_ts, 190);
	assert_int_equal(tx.tx.interval_bytes, tx.tx.cum_bytes);
	assert_int_equal(tx.now_ts, 200);
	assert_int_equal(rx.rx.cum_packets, 20);
	assert_int_equal(rx.rx.cum_bytes, tx.tx.cum_bytes);
	assert_int_equal(rx.rx.highest, 19);
	assert_int_equal(rx.rx.interval_packets, 20);
	assert_int_equal(rx.rx.interval_bytes, tx.tx.interval_bytes);
	assert_int_equal(rx.rx.last_ts, 190);
	assert_int_equal(rx.rx.dwell_us, 0);
	assert_int_equal(rx.rx.jitter_us, 0);
	assert_int_equal(rx.owd_len, 20);
	assert_int_equal(fips_core_link_get(cn.n[0].c, cn.now, 2, &info), 0);
	assert_int_equal(info.stats.tx_bytes, tx.tx.cum_bytes);

	/* 04 §4.1: the tag is sent, but not received; coordinates are neither. */
	tx = session_report(&cn, 0, 1, FIPS_MMP_TAKE_RX | FIPS_MMP_TAKE_TX);
	rx = session_report(&cn, 1, 0, FIPS_MMP_TAKE_RX | FIPS_MMP_TAKE_TX);
	assert_int_equal(tx.tx.cum_packets, 20);
	assert_int_equal(tx.tx.cum_bytes, 20 * (PLAIN + FIPS_TAG_LEN));
	assert_int_equal(rx.rx.cum_bytes, 20 * PLAIN);
	assert_int_equal(rx.rx.interval_bytes, 20 * PLAIN);
	assert_int_equal(rx.rx.highest, 19);
	cn_free(&cn);
}

/* Coordinates in front of a message are no part of it. */
static void test_coords(void **state)
{
	static const u8 lists[2 * (2 + FIPS_NODE_ADDR_LEN)] = { [0] = 1, [18] = 1 };
	struct fips_dp_session desc = { .path_mtu = FIPS_MTU_UNKNOWN, .coords = lists,
					.coords_len = sizeof(lists), .coords_count = 3 };
	struct fips_mmp_report r;
	struct cn cn;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	desc.remote = cn.n[1].addr;
	assert_int_equal(fips_core_session_set(cn.n[0].c, &desc), 0);
	send_some(&cn, 5);
	assert_int_equal(fips_core_session_xmit(cn.n[0].c, &cn.n[0].out, cn.now, &cn.n[1].addr,
						FIPS_KEY_SLOT_CURRENT, FIPS_FSP_COORDS_WARMUP,
						true, NULL, 0), 0);
	cn_pump(&cn);
	r = session_report(&cn, 0, 1, 0);
	assert_int_equal(r.tx.cum_bytes, 5 * (PLAIN + FIPS_TAG_LEN) + FIPS_FSP_INNER_LEN +
			 FIPS_TAG_LEN);
	r = session_report(&cn, 1, 0, 0);
	assert_int_equal(r.rx.cum_packets, 6);
	assert_int_equal(r.rx.cum_bytes, 5 * PLAIN + FIPS_FSP_INNER_LEN);
	cn_free(&cn);
}

/* Each direction has an interval of its own, and a look ends none; each report arms the event. */
static void test_intervals(void **state)
{
	struct fips_mmp_report r;
	struct cn cn;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	send_some(&cn, 3);
	r = link_report(&cn, 0, 1, FIPS_MMP_TAKE_RX);
	assert_true(r.tx.has_data);
	r = link_report(&cn, 0, 1, FIPS_MMP_TAKE_TX);
	assert_true(r.tx.has_data);
	assert_int_equal(r.tx.last_counter, 2);
	r = link_report(&cn, 0, 1, 0);
	assert_false(r.tx.has_data);
	assert_int_equal(r.tx.interval_bytes, 0);
	r = link_report(&cn, 1, 0, 0);
	assert_int_equal(r.rx.interval_packets, 3);
	r = link_report(&cn, 1, 0, FIPS_MMP_TAKE_RX);
	assert_int_equal(r.rx.interval_packets, 3);
	r = link_report(&cn, 1, 0, FIPS_MMP_TAKE_RX);
	assert_false(r.has_rx);
	assert_int_equal(r.rx.cum_packets, 3);
	cn.now += 50;
	send_some(&cn, 2);
	assert_int_equal(cn.n[1].link_active, 2);
	assert_int_equal(cn.n[1].session_active, 1);	/* nobody asked for another */
	r = link_report(&cn, 0, 1, FIPS_MMP_TAKE_TX);
	assert_int_equal(r.tx.start_counter, 3);
	assert_int_equal(r.tx.start_ts, 80);
	assert_int_equal(r.tx.last_counter, 4);
	cn_free(&cn);
}

/* Lost and late frames (04 §4.3), CE, and a dwell. */
static void test_losses(void **state)
{
	struct cn_item *f[8], *it;
	struct fips_mmp_report r;
	static const u8 order[] = { 0, 1, 4, 5, 3, 7 };
	struct cn cn;
	u8 p[2048];
	size_t i;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	for (i = 0; i < 8; i++) {
		cn_send(&cn, 0, p, cn_udp(&cn, p, 0, 1, PAYLOAD));
		f[i] = cn_pop(&cn.n[0].frames);
	}
	for (i = 0; i < sizeof(order); i++) {
		it = f[order[i]];
		cn_recv(&cn, 1, &cn.n[0].at, it->data, it->len);
		cn_recv(&cn, 1, &cn.n[0].at, it->data, it->len);	/* a replay is nothing */
	}
	for (i = 0; i < 8; i++)
		free(f[i]);
	cn.now += 7;
	r = link_report(&cn, 1, 0, FIPS_MMP_TAKE_RX);
	assert_int_equal(r.rx.cum_packets, 6);
	assert_int_equal(r.rx.highest, 7);
	assert_int_equal(r.rx.reorder, 1);
	assert_int_equal(r.rx.burst_count, 2);
	assert_int_equal(r.rx.burst_max, 2);
	assert_int_equal(r.rx.burst_total, 3);
	assert_int_equal(r.rx.dwell_us, 7000);
	r = session_report(&cn, 1, 0, FIPS_MMP_TAKE_RX);
	assert_int_equal(r.rx.reorder, 1);
	assert_int_equal(r.rx.burst_total, 3);
	cn_free(&cn);
}

/* The bit travels: the initiator turns it, the responder reflects it (04 §7). */
static void test_spin(void **state)
{
	struct fips_dp_key key;
	struct fips_mmp_report r;
	struct cn cn;
	u8 p[2048];
	int i;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	key = cn_key(0, 1, 9, FIPS_KEY_SLOT_NEXT);
	key.initiator = true;
	assert_int_equal(fips_core_link_key_new(cn.n[0].c, &cn.n[0].out, cn.now, 2, &key), 0);
	key = cn_key(1, 0, 9, FIPS_KEY_SLOT_NEXT);
	assert_int_equal(fips_core_link_key_new(cn.n[1].c, &cn.n[1].out, cn.now, 1, &key), 0);
	assert_int_equal(fips_core_link_key_swap(cn.n[0].c, cn.now, 2), 0);
	for (i = 0; i < 6; i++) {
		cn_send(&cn, 0, p, cn_udp(&cn, p, 0, 1, PAYLOAD));
		cn.now += 20;
		cn_pump(&cn);
		cn_send(&cn, 1, p, cn_udp(&cn, p, 1, 0, PAYLOAD));
		cn.now += 20;
		cn_pump(&cn);
	}
	r = link_report(&cn, 0, 1, 0);
	assert_int_equal(r.spin_rtt_us, 40000);
	r = link_report(&cn, 1, 0, 0);
	assert_int_equal(r.spin_rtt_us, 0);
	cn_free(&cn);
}

/* Frames of the old epoch are bytes and packets, no more (04 §8). */
static void test_cutover(void **state)
{
	struct fips_mmp_report r;
	struct fips_dp_key key;
	struct cn_item *late;
	struct cn cn;
	u8 p[2048];

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	send_some(&cn, 10);
	cn_send(&cn, 0, p, cn_udp(&cn, p, 0, 1, PAYLOAD));
	late = cn_pop(&cn.n[0].frames);
	key = cn_key(0, 1, 9, FIPS_KEY_SLOT_NEXT);
	fips_core_link_key_new(cn.n[0].c, &cn.n[0].out, cn.now, 2, &key);
	key = cn_key(1, 0, 9, FIPS_KEY_SLOT_NEXT);
	fips_core_link_key_new(cn.n[1].c, &cn.n[1].out, cn.now, 1, &key);
	fips_core_link_key_swap(cn.n[0].c, cn.now, 2);
	send_some(&cn, 2);
	cn_recv(&cn, 1, &cn.n[0].at, late->data, late->len);
	free(late);
	r = link_report(&cn, 1, 0, FIPS_MMP_TAKE_RX);
	assert_int_equal(r.rx.highest, 1);
	assert_int_equal(r.rx.reorder, 0);
	assert_int_equal(r.rx.interval_packets, 2);
	assert_int_equal(r.rx.cum_packets, 13);
	r = link_report(&cn, 0, 1, FIPS_MMP_TAKE_TX);
	assert_int_equal(r.tx.start_counter, 0);
	assert_int_equal(r.tx.last_counter, 1);
	assert_int_equal(r.tx.cum_packets, 13);
	cn_free(&cn);
}

/* Transit: CE is relayed, and set where the next hop is congested (04 §10.1). */
static void test_congested(void **state)
{
	struct fips_dp_stats st;
	struct cn_item *it;
	struct cn cn;
	u8 p[2048];
	int i;

	(void)state;
	cn_init(&cn, 3, NULL);
	cn_link(&cn, 0, 2);
	cn_link(&cn, 2, 1);
	cn_session(&cn, 0, 1);
	cn_route(&cn, 0, 1, 2);
	cn_route(&cn, 2, 1, 1);
	assert_int_equal(fips_core_link_congested(cn.n[2].c, 9, true), -ENOENT);
	for (i = 0; i < 2; i++) {
		assert_int_equal(fips_core_link_congested(cn.n[2].c, 2, i), 0);
		cn_udp(&cn, p, 0, 1, PAYLOAD);
		p[1] |= 0x20;	/* ECT(0) */
		cn_send(&cn, 0, p, FIPS_IPV6_HDR_LEN + 8 + PAYLOAD);
		cn_pump(&cn);
		it = cn_pop(&cn.n[1].packets);
		assert_non_null(it);
		assert_int_equal(it->data[1] >> 4 & 3, i ? 3 : 2);
		free(it);
	}
	fips_core_dev_get(cn.n[2].c, &st);
	assert_int_equal(st.forwarded, 2);
	assert_int_equal(st.ce_marked, 1);
	assert_int_equal(st.ce_forwarded, 1);
	fips_core_dev_get(cn.n[1].c, &st);
	assert_int_equal(st.ce_delivered, 1);
	assert_int_equal(session_report(&cn, 1, 0, 0).rx.ce, 1);
	/* What starts here is never marked. */
	assert_int_equal(fips_core_link_congested(cn.n[0].c, 3, true), 0);
	send_some(&cn, 1);
	assert_int_equal(fips_core_session_xmit(cn.n[0].c, &cn.n[0].out, cn.now, &cn.n[1].addr,
						FIPS_KEY_SLOT_CURRENT, FIPS_FSP_PATH_MTU, false,
						"xx", 2), 0);
	cn_pump(&cn);
	assert_int_equal(link_report(&cn, 2, 0, 0).rx.cum_packets, 4);
	assert_int_equal(link_report(&cn, 2, 0, 0).rx.ce, 0);
	cn_free(&cn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums_match),
		cmocka_unit_test(test_coords),
		cmocka_unit_test(test_intervals),
		cmocka_unit_test(test_losses),
		cmocka_unit_test(test_spin),
		cmocka_unit_test(test_cutover),
		cmocka_unit_test(test_congested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
