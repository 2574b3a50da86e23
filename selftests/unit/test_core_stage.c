// SPDX-License-Identifier: MIT
/*
 * Packet core, what waits and what passes through: staging with its bounds,
 * misses asked once, refusals; transit datagrams with TTL, path MTU, CE and
 * coordinates.
 */
#include <errno.h>

#include "core_impl.h"
#include "corenet.h"

static void send_udp(struct cn *cn, unsigned int i, unsigned int j, size_t payload)
{
	u8 p[2048];

	cn_send(cn, i, p, cn_udp(cn, p, i, j, payload));
}

static void test_session_miss(void **state)
{
	struct fips_dp_key k = cn_key(0, 1, 0x80, FIPS_KEY_SLOT_CURRENT);
	struct fips_dp_session s = { .path_mtu = FIPS_MTU_UNKNOWN };
	struct cn_item *it;
	struct cn cn;
	int i;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_link(&cn, 0, 1);
	for (i = 0; i < 20; i++)
		send_udp(&cn, 0, 1, (size_t)i);
	it = cn_event(&cn.n[0], FIPS_EV_SESSION_MISS);
	assert_memory_equal(it->ev.miss.ipv6, cn.n[1].ipv6, 16);
	free(it);
	assert_int_equal(cn.n[0].events.n, 0);
	/* The oldest four went. */
	assert_int_equal(cn_drops(&cn.n[0], FIPS_DROP_REASON_STAGE_FULL), 4);
	/* A session without a key: they wait on, nobody is asked. */
	s.remote = cn.n[1].addr;
	assert_int_equal(fips_core_session_new(cn.n[0].c, &cn.n[0].out, cn.now, &s), 0);
	assert_int_equal(cn.n[0].events.n, 0);
	/* With a key the route is missing. */
	assert_int_equal(fips_core_session_key_new(cn.n[0].c, &cn.n[0].out, cn.now,
						   &cn.n[1].addr, &k), 0);
	it = cn_event(&cn.n[0], FIPS_EV_ROUTE_MISS);
	assert_memory_equal(it->ev.route.dest.b, cn.n[1].addr.b, 16);
	assert_int_equal(it->ev.route.link_id, 0);
	assert_int_equal(it->len, FIPS_DGRAM_HDR_LEN);
	assert_memory_equal(it->data + FIPS_DGRAM_SRC_OFF, cn.n[0].addr.b, 16);
	free(it);
	assert_int_equal(cn.n[0].events.n, 0);
	assert_int_equal(cn.n[0].frames.n, 0);
	cn_route(&cn, 0, 1, 1);
	assert_int_equal(cn.n[0].frames.n, 16);
	for (i = 4; i < 20; i++) {
		it = cn_pop(&cn.n[0].frames);
		assert_int_equal(it->len, 48 + i + FIPS_IPV6_OVERHEAD);
		free(it);
	}
	assert_int_equal(cn.n[0].c->staged_bytes, 0);
	cn_free(&cn);
}

static void test_ask_again(void **state)
{
	struct cn cn;

	(void)state;
	cn_init(&cn, 2, NULL);
	send_udp(&cn, 0, 1, 0);
	cn.now += 999;
	send_udp(&cn, 0, 1, 0);
	assert_int_equal(cn.n[0].events.n, 1);
	cn.now += 1;
	send_udp(&cn, 0, 1, 0);
	assert_int_equal(cn.n[0].events.n, 2);
	cn_free(&cn);
}

static void test_stage_destinations(void **state)
{
	struct fips_core_config bounds = { .stage_packets = 2, .stage_destinations = 10,
					   .stage_ms = 5000 };
	struct cn cn;
	u8 p[256];
	size_t len;
	int i;

	(void)state;
	cn_init(&cn, 2, &bounds);
	len = cn_udp(&cn, p, 0, 1, 10);
	for (i = 0; i < 15; i++) {
		p[39] = (u8)i;
		cn_send(&cn, 0, p, len);
	}
	assert_int_equal(cn.n[0].events.n, 10);
	assert_int_equal(cn_drops(&cn.n[0], FIPS_DROP_REASON_STAGE_DESTINATIONS), 5);
	assert_true(fips_core_wants_tick(cn.n[0].c));
	assert_int_equal(fips_core_tick(cn.n[0].c, &cn.n[0].out, cn.now + 4999), cn.now + 5000);
	assert_int_equal(fips_core_tick(cn.n[0].c, &cn.n[0].out, cn.now + 5000), FIPS_NEVER);
	assert_int_equal(cn_drops(&cn.n[0], FIPS_DROP_REASON_STAGE_EXPIRED), 10);
	assert_int_equal(cn.n[0].c->staged_bytes, 0);
	cn_free(&cn);
}

/* Super-packets are large: bytes are bounded, too. */
static void test_stage_bytes(void **state)
{
	struct fips_gso gso = { FIPS_GSO_TCP, 1000, true, 40, 16 };
	u8 *p = malloc(70000);
	struct cn cn;
	size_t len;
	int i, j;

	(void)state;
	cn_init(&cn, 2, NULL);
	len = cn_tcp(&cn, p, 0, 1, 0, 0x10, 64000);
	for (i = 0; i < 20; i++) {
		for (j = 0; j < 16; j++) {
			p[39] = (u8)i;
			fips_core_packet(cn.n[0].c, &cn.n[0].out, cn.now, &gso, p, len);
		}
	}
	assert_true(cn.n[0].c->staged_bytes <= FIPS_STAGE_BYTES);
	assert_true(cn.n[0].c->staged_bytes > FIPS_STAGE_BYTES - 70000);
	assert_true(cn_drops(&cn.n[0], FIPS_DROP_REASON_STAGE_FULL) >= 200);
	free(p);
	cn_free(&cn);
}

static void test_unreachable(void **state)
{
	struct cn cn;

	(void)state;
	cn_init(&cn, 2, NULL);
	send_udp(&cn, 0, 1, 0);
	send_udp(&cn, 0, 1, 1);
	assert_int_equal(fips_core_unreachable(cn.n[0].c, &cn.n[0].out, cn.now, cn.n[1].ipv6,
					       1000), 0);
	/* Both are refused; one answer within 100 ms. */
	assert_int_equal(cn_drops(&cn.n[0], FIPS_DROP_REASON_TX_UNREACHABLE), 2);
	assert_int_equal(cn.n[0].packets.n, 1);
	assert_int_equal(cn.n[0].packets.head->data[40], 1);
	cn.now += 999;
	send_udp(&cn, 0, 1, 0);
	assert_int_equal(cn.n[0].packets.n, 2);
	assert_int_equal(cn.n[0].events.n, 1);
	cn.now += 1;
	send_udp(&cn, 0, 1, 0);
	assert_int_equal(cn.n[0].events.n, 2);
	fips_core_tick(cn.n[0].c, &cn.n[0].out, cn.now);
	assert_null(cn.n[0].c->unreachable);
	cn_free(&cn);
}

static void test_route_unreachable(void **state)
{
	struct cn cn;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_link(&cn, 0, 1);
	cn_session(&cn, 0, 1);
	send_udp(&cn, 0, 1, 0);
	free(cn_event(&cn.n[0], FIPS_EV_ROUTE_MISS));
	assert_int_equal(fips_core_route_unreachable(cn.n[0].c, &cn.n[0].out, cn.now,
						     &cn.n[1].addr, 1000), 0);
	assert_int_equal(cn.n[0].packets.n, 1);
	assert_int_equal(cn_drops(&cn.n[0], FIPS_DROP_REASON_TX_UNREACHABLE), 1);
	cn.now += 1000;
	send_udp(&cn, 0, 1, 0);
	free(cn_event(&cn.n[0], FIPS_EV_ROUTE_MISS));
	/* The node's own messages wait for the same answer. */
	assert_int_equal(fips_core_session_xmit(cn.n[0].c, &cn.n[0].out, cn.now, &cn.n[1].addr, 0,
						FIPS_FSP_PATH_MTU, false, "ab", 2), 0);
	free(cn_event(&cn.n[0], FIPS_EV_ROUTE_MISS));
	assert_int_equal(cn.n[0].frames.n, 0);
	cn_route(&cn, 0, 1, 1);
	assert_int_equal(cn.n[0].frames.n, 2);
	/* A link that goes takes its routes along. */
	assert_int_equal(fips_core_link_del(cn.n[0].c, 2), 0);
	send_udp(&cn, 0, 1, 0);
	free(cn_event(&cn.n[0], FIPS_EV_ROUTE_MISS));
	cn_free(&cn);
}

static void test_route_flush(void **state)
{
	struct fips_core *c;
	struct cn cn;

	(void)state;
	cn_init(&cn, 3, NULL);
	cn_link(&cn, 0, 1);
	c = cn.n[0].c;
	assert_int_equal(fips_core_route_set(c, &cn.n[0].out, cn.now, &cn.n[1].addr, 2, 5), 0);
	assert_int_equal(fips_core_route_set(c, &cn.n[0].out, cn.now, &cn.n[2].addr, 2, 6), 0);
	fips_core_route_flush(c, 6);
	assert_null(fips_route_find(c, &cn.n[1].addr));
	assert_non_null(fips_route_find(c, &cn.n[2].addr));
	assert_int_equal(fips_core_route_del(c, &cn.n[2].addr), 0);
	assert_int_equal(fips_core_route_del(c, &cn.n[2].addr), -ENOENT);
	cn_free(&cn);
}

/* A full route table gives up refusals first, then the least used of the oldest. */
static void test_route_bound(void **state)
{
	struct fips_node_addr a = { { 0 } };
	struct fips_core *c;
	struct cn cn;
	u32 i;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_link(&cn, 0, 1);
	c = cn.n[0].c;
	for (i = 0; i < FIPS_MAX_ROUTES; i++) {
		fips_put_le32(a.b, i);
		assert_int_equal(fips_core_route_set(c, &cn.n[0].out, cn.now, &a, 2, 1), 0);
	}
	fips_put_le32(a.b, 2);
	assert_int_equal(fips_core_route_unreachable(c, &cn.n[0].out, cn.now, &a, 5000), 0);
	cn.now++;
	fips_put_le32(a.b, 0);
	fips_route_use(fips_route_find(c, &a), cn.now);
	for (; i < FIPS_MAX_ROUTES + 2; i++) {
		fips_put_le32(a.b, i);
		assert_int_equal(fips_core_route_set(c, &cn.n[0].out, cn.now, &a, 2, 1), 0);
		assert_int_equal(HASH_COUNT(c->routes), FIPS_MAX_ROUTES);
		fips_put_le32(a.b, 2);
		assert_null(fips_route_find(c, &a));
		fips_put_le32(a.b, 1);
		assert_true(!fips_route_find(c, &a) == (i > FIPS_MAX_ROUTES));
	}
	fips_put_le32(a.b, 0);
	assert_non_null(fips_route_find(c, &a));
	cn_free(&cn);
}

/* ---- transit: 0 - 1 - 2, session 0 <-> 2 ---- */

static void chain(struct cn *cn)
{
	cn_init(cn, 3, NULL);
	cn_link(cn, 0, 1);
	cn_link(cn, 1, 2);
	cn_session(cn, 0, 2);
	cn_route(cn, 0, 2, 1);
	cn_route(cn, 1, 2, 2);
	cn_route(cn, 1, 0, 0);
	cn_route(cn, 2, 0, 1);
}

static void test_transit(void **state)
{
	struct cn_item *it;
	struct cn cn;
	u8 p[2048];
	size_t len;

	(void)state;
	chain(&cn);
	fips_link_find(cn.n[1].c, 3)->mtu = 1300;
	len = cn_udp(&cn, p, 0, 2, 100);
	cn_send(&cn, 0, p, len);
	assert_int_equal(cn_pump(&cn), 2);
	it = cn_pop(&cn.n[2].packets);
	assert_non_null(it);
	assert_int_equal(it->len, len);
	assert_memory_equal(it->data, p, len);
	free(it);
	/* The node at the end hears what the path carries. */
	fips_core_session_xmit(cn.n[0].c, &cn.n[0].out, cn.now, &cn.n[2].addr, 0,
			       FIPS_FSP_PATH_MTU, false, "ab", 2);
	cn_pump(&cn);
	cn_clear(&cn.n[1].events);
	free(cn_event(&cn.n[2], FIPS_EV_LINK_KEY_USED));
	free(cn_event(&cn.n[2], FIPS_EV_SESSION_KEY_USED));
	it = cn_event(&cn.n[2], FIPS_EV_SESSION_MSG);
	assert_int_equal(it->ev.session_msg.dgram_mtu, 1300);
	assert_int_equal(it->ev.session_msg.link_id, 2);
	assert_int_equal(it->ev.session_msg.msg_type, FIPS_FSP_PATH_MTU);
	assert_memory_equal(it->data, "ab", 2);
	free(it);
	/* Too large for the second link. */
	send_udp(&cn, 0, 2, 1300 - 77 - 48);
	cn_pump(&cn);
	assert_int_equal(cn.n[2].packets.n, 1);
	send_udp(&cn, 0, 2, 1300 - 77 - 48 + 1);
	cn_pump(&cn);
	assert_int_equal(cn.n[2].packets.n, 1);
	assert_int_equal(cn_drops(&cn.n[1], FIPS_DROP_REASON_DGRAM_MTU), 1);
	it = cn_event(&cn.n[1], FIPS_EV_MTU_EXCEEDED);
	assert_memory_equal(it->ev.route.dest.b, cn.n[2].addr.b, 16);
	assert_int_equal(it->ev.route.link_id, 1);
	assert_int_equal(it->len, FIPS_DGRAM_HDR_LEN + FIPS_PREFIX_LEN);
	free(it);
	cn_free(&cn);
}

/* Give node 1 a datagram over the link from node 0. */
static void inject(struct cn *cn, const u8 *dgram, size_t len)
{
	assert_int_equal(fips_core_link_xmit(cn->n[0].c, &cn->n[0].out, cn->now, 2, 0, dgram, len),
			 0);
	cn_pump(cn);
}

static void test_transit_ttl(void **state)
{
	u8 d[FIPS_DGRAM_HDR_LEN + 40] = { 0 };
	struct cn_item *it;
	struct cn cn;
	int ttl;

	(void)state;
	chain(&cn);
	/* A signal: goes through untouched but for TTL and MTU, the node at the end gets it. */
	d[36] = 0;
	d[37] = FIPS_FSP_FLAG_U;
	for (ttl = 0; ttl < 4; ttl++) {
		fips_put_dgram_hdr(d, (u8)ttl, 1000, &cn.n[0].addr, &cn.n[2].addr);
		inject(&cn, d, sizeof(d));
	}
	assert_int_equal(cn_drops(&cn.n[1], FIPS_DROP_REASON_DGRAM_TTL), 2);
	free(cn_event(&cn.n[2], FIPS_EV_LINK_KEY_USED));
	for (ttl = 2; ttl < 4; ttl++) {
		it = cn_event(&cn.n[2], FIPS_EV_LINK_MSG);
		assert_int_equal(it->len, sizeof(d));
		assert_int_equal(it->data[FIPS_DGRAM_TTL_OFF], ttl - 1);
		assert_int_equal(fips_get_le16(it->data + FIPS_DGRAM_MTU_OFF), 1000);
		assert_memory_equal(it->data + 4, d + 4, sizeof(d) - 4);
		free(it);
	}
	assert_int_equal(cn.n[2].events.n, 0);
	cn_free(&cn);
}

static void test_transit_short(void **state)
{
	u8 d[FIPS_DGRAM_HDR_LEN + FIPS_FSP_MIN_LEN] = { 0 };
	struct cn cn;
	size_t n;

	(void)state;
	chain(&cn);
	fips_put_dgram_hdr(d, 9, 1000, &cn.n[0].addr, &cn.n[1].addr);
	for (n = 1; n < sizeof(d); n++)
		inject(&cn, d, n);
	assert_int_equal(cn_drops(&cn.n[1], FIPS_DROP_REASON_DGRAM_SHORT), 35);
	assert_int_equal(cn_drops(&cn.n[1], FIPS_DROP_REASON_SESSION_SHORT), 28);
	inject(&cn, d, sizeof(d));
	assert_int_equal(cn_drops(&cn.n[1], FIPS_DROP_REASON_SESSION_UNKNOWN), 1);
	cn_free(&cn);
}

/* Sessions of many far ends behind one link have ended here: each is told of, within bounds. */
static void test_unknown_sources(void **state)
{
	u8 d[FIPS_DGRAM_HDR_LEN + FIPS_FSP_MIN_LEN] = { 0 };
	struct fips_node_addr src = { .b = { 9 } };
	struct cn_item *it;
	struct cn cn;
	u8 i;

	(void)state;
	chain(&cn);
	for (i = 0; i < FIPS_UNKNOWN_BURST + 4; i++) {
		src.b[1] = i;
		fips_put_dgram_hdr(d, 9, 1000, &src, &cn.n[1].addr);
		inject(&cn, d, sizeof(d));
	}
	assert_int_equal(cn_drops(&cn.n[1], FIPS_DROP_REASON_SESSION_UNKNOWN),
			 FIPS_UNKNOWN_BURST + 4);
	free(cn_event(&cn.n[1], FIPS_EV_LINK_KEY_USED));
	for (i = 0; i < FIPS_UNKNOWN_BURST; i++) {
		it = cn_event(&cn.n[1], FIPS_EV_SESSION_UNKNOWN);
		assert_int_equal(it->ev.session.remote.b[1], i);
		free(it);
	}
	assert_int_equal(cn.n[1].events.n, 0);
	cn.now += FIPS_UNKNOWN_GAP_MS;
	inject(&cn, d, sizeof(d));
	inject(&cn, d, sizeof(d));
	free(cn_event(&cn.n[1], FIPS_EV_SESSION_UNKNOWN));
	assert_int_equal(cn.n[1].events.n, 0);
	cn_free(&cn);
}

static void test_transit_miss(void **state)
{
	struct cn_item *it;
	struct cn cn;

	(void)state;
	chain(&cn);
	fips_core_route_del(cn.n[1].c, &cn.n[2].addr);
	send_udp(&cn, 0, 2, 10);
	send_udp(&cn, 0, 2, 11);
	cn_pump(&cn);
	free(cn_event(&cn.n[1], FIPS_EV_LINK_KEY_USED));
	it = cn_event(&cn.n[1], FIPS_EV_ROUTE_MISS);
	assert_int_equal(it->ev.route.link_id, 1);
	assert_memory_equal(it->ev.route.dest.b, cn.n[2].addr.b, 16);
	assert_int_equal(it->data[FIPS_DGRAM_TTL_OFF], 63);
	free(it);
	assert_int_equal(cn.n[1].events.n, 0);
	cn_route(&cn, 1, 2, 2);
	cn_pump(&cn);
	assert_int_equal(cn.n[2].packets.n, 2);
	fips_core_route_unreachable(cn.n[1].c, &cn.n[1].out, cn.now, &cn.n[2].addr, 500);
	send_udp(&cn, 0, 2, 10);
	cn_pump(&cn);
	assert_int_equal(cn_drops(&cn.n[1], FIPS_DROP_REASON_NO_ROUTE), 1);
	cn_free(&cn);
}

/* Coordinates in transit go up, once a second each, up to a rate. */
static void test_transit_mirror(void **state)
{
	u8 d[FIPS_DGRAM_HDR_LEN + 44] = { 0 };
	struct cn_item *it;
	struct cn cn;
	int i;

	(void)state;
	chain(&cn);
	fips_put_dgram_hdr(d, 9, 1000, &cn.n[0].addr, &cn.n[2].addr);
	d[36] = FIPS_FSP_SETUP;
	d[41] = 1;	/* one source coordinate, none of the destination */
	inject(&cn, d, sizeof(d));
	free(cn_event(&cn.n[1], FIPS_EV_LINK_KEY_USED));
	it = cn_event(&cn.n[1], FIPS_EV_COORDS);
	assert_int_equal(it->ev.route.link_id, 1);
	assert_int_equal(it->len, 36 + 5 + 2 + 16 + 2);
	assert_memory_equal(it->data + 36, d + 36, it->len - 36);
	free(it);
	/* The same lists again, in another message: nothing new. */
	d[70]++;
	inject(&cn, d, sizeof(d));
	assert_int_equal(cn.n[1].events.n, 0);
	cn.now += 1000;
	inject(&cn, d, sizeof(d));
	free(cn_event(&cn.n[1], FIPS_EV_COORDS));
	/* Others: as many as the node shall bear. */
	cn.now += 1000;
	for (i = 0; i < 2 * FIPS_COORDS_PER_SEC; i++) {
		fips_put_le16(d + 43, (u16)(i + 1));
		inject(&cn, d, sizeof(d));
	}
	assert_int_equal(cn.n[1].events.n, FIPS_COORDS_PER_SEC);
	assert_int_equal(cn_drops(&cn.n[1], FIPS_DROP_REASON_UPCALL_DATA), FIPS_COORDS_PER_SEC);
	cn.now += 1000;
	d[50]++;
	inject(&cn, d, sizeof(d));
	assert_int_equal(cn.n[1].events.n, FIPS_COORDS_PER_SEC + 1);
	/* Lists that end beyond the message are none. */
	d[41] = 200;
	inject(&cn, d, sizeof(d));
	assert_int_equal(cn.n[1].events.n, FIPS_COORDS_PER_SEC + 1);
	assert_int_equal(cn.n[2].events.n, 2 * FIPS_COORDS_PER_SEC + 6);
	cn_free(&cn);
}

/* Nothing goes back over the link it came on; the node hears of it now and then. */
static void test_transit_back(void **state)
{
	struct cn_item *it;
	struct cn cn;
	int i;

	(void)state;
	chain(&cn);
	send_udp(&cn, 0, 2, 10);
	cn_pump(&cn);
	free(cn_event(&cn.n[1], FIPS_EV_LINK_KEY_USED));
	cn_route(&cn, 1, 2, 0);
	for (i = 0; i < 5; i++) {
		send_udp(&cn, 0, 2, 10);
		assert_int_equal(cn_pump(&cn), 1);
	}
	assert_int_equal(cn_drops(&cn.n[1], FIPS_DROP_REASON_DGRAM_BACK), 5);
	it = cn_event(&cn.n[1], FIPS_EV_ROUTE_BACK);
	assert_int_equal(it->ev.route.link_id, 1);
	assert_memory_equal(it->ev.route.dest.b, cn.n[2].addr.b, 16);
	assert_int_equal(it->len, FIPS_DGRAM_HDR_LEN + FIPS_PREFIX_LEN);
	free(it);
	assert_int_equal(cn.n[1].events.n, 0);
	cn.now += FIPS_BACK_GAP_MS;
	send_udp(&cn, 0, 2, 10);
	cn_pump(&cn);
	free(cn_event(&cn.n[1], FIPS_EV_ROUTE_BACK));
	/* Our own datagrams go that way. */
	cn_session(&cn, 1, 2);
	send_udp(&cn, 1, 2, 10);
	assert_int_equal(cn.n[1].frames.n, 1);
	cn_clear(&cn.n[1].frames);
	/* Another way, and all goes on. */
	cn_route(&cn, 1, 2, 2);
	send_udp(&cn, 0, 2, 10);
	assert_int_equal(cn_pump(&cn), 2);
	cn_free(&cn);
}

/* A flood to nowhere takes no more than half of the destinations. */
static void test_transit_destinations(void **state)
{
	struct fips_core_config bounds = { .stage_destinations = 8 };
	u8 d[FIPS_DGRAM_HDR_LEN + 40] = { 0 };
	struct fips_node_addr to;
	struct cn cn;
	u8 i;

	(void)state;
	cn_init(&cn, 4, &bounds);
	cn_link(&cn, 0, 1);
	for (i = 0; i < 8; i++) {
		memset(to.b, i, sizeof(to.b));
		fips_put_dgram_hdr(d, 9, 1000, &cn.n[0].addr, &to);
		inject(&cn, d, sizeof(d));
	}
	assert_int_equal(cn_drops(&cn.n[1], FIPS_DROP_REASON_STAGE_DESTINATIONS), 4);
	assert_int_equal(cn.n[1].c->stages_transit, 4);
	send_udp(&cn, 1, 3, 0);
	assert_int_equal(cn_drops(&cn.n[1], FIPS_DROP_REASON_STAGE_DESTINATIONS), 4);
	/* An answer makes room, and so does time. */
	memset(to.b, 2, sizeof(to.b));
	fips_core_route_unreachable(cn.n[1].c, &cn.n[1].out, cn.now, &to, 1000);
	assert_int_equal(cn_drops(&cn.n[1], FIPS_DROP_REASON_NO_ROUTE), 1);
	assert_int_equal(cn.n[1].c->stages_transit, 3);
	/* It holds for its time: no question, nothing staged. */
	cn_clear(&cn.n[1].events);
	fips_put_dgram_hdr(d, 9, 1000, &cn.n[0].addr, &to);
	inject(&cn, d, sizeof(d));
	cn.now += 999;
	inject(&cn, d, sizeof(d));
	assert_int_equal(cn_drops(&cn.n[1], FIPS_DROP_REASON_NO_ROUTE), 3);
	assert_int_equal(cn.n[1].events.n, 0);
	cn.now += 1;
	inject(&cn, d, sizeof(d));
	free(cn_event(&cn.n[1], FIPS_EV_ROUTE_MISS));
	cn.now += 30000;
	fips_core_tick(cn.n[1].c, &cn.n[1].out, cn.now);
	assert_int_equal(cn.n[1].c->stages_transit, 0);
	cn_free(&cn);
}

/* What nobody uses ages; refusals end. */
static void test_route_age(void **state)
{
	struct fips_core *c;
	struct cn cn;

	(void)state;
	chain(&cn);
	c = cn.n[1].c;
	fips_core_route_unreachable(c, &cn.n[1].out, cn.now, &cn.n[1].addr, 1000);
	assert_int_equal(HASH_COUNT(c->routes), 3);
	assert_int_equal(fips_core_tick(c, &cn.n[1].out, cn.now), cn.now + FIPS_ROUTE_GC_MS);
	cn.now += FIPS_ROUTE_GC_MS;
	fips_core_tick(c, &cn.n[1].out, cn.now);
	assert_int_equal(HASH_COUNT(c->routes), 2);
	send_udp(&cn, 0, 2, 10);
	cn_pump(&cn);
	cn.now += FIPS_ROUTE_IDLE_MS;
	fips_core_tick(c, &cn.n[1].out, cn.now);
	assert_non_null(fips_route_find(c, &cn.n[2].addr));
	assert_null(fips_route_find(c, &cn.n[0].addr));
	cn.now += FIPS_ROUTE_GC_MS;
	assert_int_equal(fips_core_tick(c, &cn.n[1].out, cn.now), FIPS_NEVER);
	assert_null(c->routes);
	cn_free(&cn);
}

/* Congestion on the first hop shows at the end; the second link adds nothing. */
static void test_transit_ce(void **state)
{
	u8 d[FIPS_DGRAM_HDR_LEN + 40] = { 0 }, f[200], *plain = f + FIPS_FMP_HDR_LEN;
	struct fips_epoch *e;
	struct cn_item *it;
	struct cn cn;
	int ce;

	(void)state;
	chain(&cn);
	e = fips_slot_get(&fips_link_find(cn.n[0].c, 2)->slot[0]);
	d[37] = FIPS_FSP_FLAG_U;
	fips_put_dgram_hdr(d, 9, 1000, &cn.n[0].addr, &cn.n[2].addr);
	for (ce = 0; ce < 2; ce++) {
		memset(plain, 0, 4);
		memcpy(plain + 4, d, sizeof(d));
		fips_link_seal(e, &e->seal[0], ce ? FIPS_FMP_FLAG_CE : 0, (u64)ce, f, plain,
			       4 + sizeof(d));
		cn_recv(&cn, 1, &cn.n[0].at, f, FIPS_LINK_OVERHEAD + sizeof(d));
		cn_pump(&cn);
		if (!ce)
			free(cn_event(&cn.n[2], FIPS_EV_LINK_KEY_USED));
		it = cn_event(&cn.n[2], FIPS_EV_LINK_MSG);
		assert_int_equal(it->ev.link_msg.flags, ce ? FIPS_FMP_FLAG_CE : 0);
		free(it);
	}
	cn_free(&cn);
}

/* A node whose links are gone has nothing left; freeing it in any state leaks nothing. */
static void test_free_busy(void **state)
{
	struct cn cn;

	(void)state;
	chain(&cn);
	send_udp(&cn, 0, 1, 5);
	fips_core_links_del(cn.n[1].c, 1);
	send_udp(&cn, 0, 2, 5);
	cn_pump(&cn);
	assert_int_equal(cn_drops(&cn.n[1], FIPS_DROP_REASON_RX_UNKNOWN_INDEX), 1);
	cn_free(&cn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session_miss),
		cmocka_unit_test(test_ask_again),
		cmocka_unit_test(test_stage_destinations),
		cmocka_unit_test(test_stage_bytes),
		cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_route_unreachable),
		cmocka_unit_test(test_route_flush),
		cmocka_unit_test(test_route_bound),
		cmocka_unit_test(test_transit),
		cmocka_unit_test(test_transit_ttl),
		cmocka_unit_test(test_transit_short),
		cmocka_unit_test(test_unknown_sources),
		cmocka_unit_test(test_transit_miss),
		cmocka_unit_test(test_transit_mirror),
		cmocka_unit_test(test_transit_ce),
		cmocka_unit_test(test_transit_back),
		cmocka_unit_test(test_transit_destinations),
		cmocka_unit_test(test_route_age),
		cmocka_unit_test(test_free_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
