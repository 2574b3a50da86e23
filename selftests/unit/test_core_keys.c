// SPDX-License-Identifier: MIT
/*
 * Packet core, keys: index first and key later, parking, candidates, slots and
 * their promotion, replay, limits, roaming, damaged frames, every drop counted.
 */
#include <errno.h>

#include "core_impl.h"
#include "corenet.h"

/* A small packet 0 -> 1 as a frame, not delivered. */
static struct cn_item *frame_of(struct cn *cn, size_t payload)
{
	u8 p[2048];

	cn_send(cn, 0, p, cn_udp(cn, p, 0, 1, payload));
	assert_int_equal(cn->n[0].frames.n, 1);
	return cn_pop(&cn->n[0].frames);
}

static void deliver(struct cn *cn, const struct cn_item *it)
{
	cn_recv(cn, 1, &cn->n[0].at, it->data, it->len);
}

static void test_damaged(void **state)
{
	struct cn_item *it;
	struct cn cn;
	u64 drops;
	size_t i, n;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	it = frame_of(&cn, 20);
	/* Every byte of the frame, flipped: the header too is authenticated. */
	for (i = 0; i < it->len; i++) {
		drops = cn_all_drops(&cn.n[1]);
		it->data[i] ^= 0x40;
		deliver(&cn, it);
		it->data[i] ^= 0x40;
		if (i) {
			assert_int_equal(cn_all_drops(&cn.n[1]), drops + 1);
			continue;
		}
		/* Another version: not a frame of ours, the daemon's. */
		free(cn_event(&cn.n[1], FIPS_EV_RAW));
	}
	/* Every length. */
	for (n = 0; n < it->len; n++) {
		drops = cn_all_drops(&cn.n[1]);
		cn_recv(&cn, 1, &cn.n[0].at, it->data, n);
		assert_int_equal(cn_all_drops(&cn.n[1]), drops + 1);
	}
	assert_int_equal(cn.n[1].packets.n, 0);
	assert_int_equal(cn.n[1].events.n, 0);
	assert_true(cn_drops(&cn.n[1], FIPS_DROP_REASON_RX_SHORT) == 32);
	assert_true(cn_drops(&cn.n[1], FIPS_DROP_REASON_RX_UNKNOWN_INDEX) == 4);
	/* After all this the genuine one is as good as before; a second time it is a replay. */
	deliver(&cn, it);
	assert_int_equal(cn.n[1].packets.n, 1);
	deliver(&cn, it);
	assert_int_equal(cn.n[1].packets.n, 1);
	assert_int_equal(cn_drops(&cn.n[1], FIPS_DROP_REASON_RX_REPLAY), 1);
	free(it);
	cn_free(&cn);
}

/* The window is 2,048 wide on both layers. */
static void test_replay_window(void **state)
{
	struct cn_item *old[3], *it;
	struct cn cn;
	u8 p[256];
	int i;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	for (i = 0; i < 3; i++)
		old[i] = frame_of(&cn, 10);
	for (i = 0; i < 2047; i++) {
		cn_send(&cn, 0, p, cn_udp(&cn, p, 0, 1, 0));
		it = cn_pop(&cn.n[0].frames);
		if (i == 2046)
			deliver(&cn, it);
		free(it);
	}
	cn_clear(&cn.n[1].packets);
	/* Highest is 2049: 0 and 1 have left, 2 is the last inside. */
	deliver(&cn, old[0]);
	deliver(&cn, old[1]);
	assert_int_equal(cn_drops(&cn.n[1], FIPS_DROP_REASON_RX_REPLAY), 2);
	deliver(&cn, old[2]);
	assert_int_equal(cn.n[1].packets.n, 1);
	for (i = 0; i < 3; i++)
		free(old[i]);
	cn_free(&cn);
}

static void test_raw(void **state)
{
	static const u8 stun[20] = { 0x11, 1 };
	static const u8 phase[20] = { 0x07 };
	u8 msg1[FIPS_MSG1_LEN] = { 0x01, 0, 110, 0 };
	struct cn_item *it;
	struct cn cn;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_recv(&cn, 1, &cn.n[0].at, msg1, sizeof(msg1));
	it = cn_event(&cn.n[1], FIPS_EV_RAW);
	assert_int_equal(it->len, sizeof(msg1));
	assert_memory_equal(it->data, msg1, sizeof(msg1));
	assert_int_equal(it->ev.raw.transport_id, 1);
	assert_true(fips_taddr_eq(&it->ev.raw.from, &cn.n[0].at.addr));
	free(it);
	cn_recv(&cn, 1, &cn.n[0].at, msg1, sizeof(msg1) - 1);
	free(cn_event(&cn.n[1], FIPS_EV_RAW));
	cn_recv(&cn, 1, &cn.n[0].at, stun, sizeof(stun));
	free(cn_event(&cn.n[1], FIPS_EV_RAW));
	cn_recv(&cn, 1, &cn.n[0].at, phase, sizeof(phase));
	free(cn_event(&cn.n[1], FIPS_EV_RAW));
	assert_int_equal(cn_all_drops(&cn.n[1]), 0);
	cn_free(&cn);
}

/* Take the responder's link down to an index without keys. */
static void unkey(struct cn *cn, bool candidate)
{
	struct fips_dp_key k = cn_key(1, 0, 0, FIPS_KEY_SLOT_CURRENT);
	struct fips_dp_link l = { .id = 1, .transport_id = 1, .mtu = CN_MTU, .key = &k,
				  .candidate = candidate };

	assert_int_equal(fips_core_link_del(cn->n[1].c, 1), 0);
	k.has_key = false;
	l.peer = cn->n[0].addr;
	l.remote = cn->n[0].at.addr;
	assert_int_equal(fips_core_link_new(cn->n[1].c, &cn->n[1].out, cn->now, &l), 0);
}

/* Frames right behind msg2, before the key: sixteen wait, and come in order. */
static void test_park_link(void **state)
{
	struct fips_dp_key k = cn_key(1, 0, 0, FIPS_KEY_SLOT_CURRENT);
	struct cn_item *it;
	struct cn cn;
	int i;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	unkey(&cn, false);
	for (i = 0; i < FIPS_PARK_EACH + 2; i++) {
		it = frame_of(&cn, 10 + (size_t)i);
		deliver(&cn, it);
		free(it);
	}
	assert_int_equal(cn.n[1].packets.n, 0);
	assert_int_equal(cn_drops(&cn.n[1], FIPS_DROP_REASON_PARK_FULL), 2);
	assert_int_equal(fips_core_link_key_new(cn.n[1].c, &cn.n[1].out, cn.now, 1, &k), 0);
	assert_int_equal(cn.n[1].packets.n, FIPS_PARK_EACH);
	for (i = 0; i < FIPS_PARK_EACH; i++) {
		it = cn_pop(&cn.n[1].packets);
		assert_int_equal(it->len, 48 + 10 + i);
		free(it);
	}
	cn_free(&cn);
}

static void test_park_expires(void **state)
{
	struct fips_dp_key k = cn_key(1, 0, 0, FIPS_KEY_SLOT_CURRENT);
	struct cn_item *it;
	struct cn cn;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	unkey(&cn, false);
	it = frame_of(&cn, 10);
	deliver(&cn, it);
	assert_true(fips_core_wants_tick(cn.n[1].c));
	assert_int_equal(fips_core_tick(cn.n[1].c, &cn.n[1].out, cn.now + 1999), cn.now + 2000);
	assert_int_equal(cn_drops(&cn.n[1], FIPS_DROP_REASON_PARK_EXPIRED), 0);
	assert_int_equal(fips_core_tick(cn.n[1].c, &cn.n[1].out, cn.now + 2000), FIPS_NEVER);
	assert_int_equal(cn_drops(&cn.n[1], FIPS_DROP_REASON_PARK_EXPIRED), 1);
	assert_int_equal(fips_core_link_key_new(cn.n[1].c, &cn.n[1].out, cn.now, 1, &k), 0);
	assert_int_equal(cn.n[1].packets.n, 0);
	/* A removed link takes its parked frames along, counted. */
	unkey(&cn, false);
	deliver(&cn, it);
	assert_int_equal(fips_core_link_del(cn.n[1].c, 1), 0);
	assert_int_equal(cn_drops(&cn.n[1], FIPS_DROP_REASON_PARK_EXPIRED), 2);
	free(it);
	cn_free(&cn);
}

/* Many indices without keys: the total is bounded as well. */
static void test_park_total(void **state)
{
	struct fips_dp_link l = { .transport_id = 1, .mtu = CN_MTU };
	struct fips_dp_key k = { 0 };
	u8 f[64] = { 0 };
	struct cn cn;
	u32 i, j;

	(void)state;
	cn_init(&cn, 1, NULL);
	l.key = &k;
	fips_put_le16(f + 2, sizeof(f) - 32);
	for (i = 0; i < 200; i++) {
		l.id = i + 1;
		k.local_index = i;
		assert_int_equal(fips_core_link_new(cn.n[0].c, &cn.n[0].out, cn.now, &l), 0);
		fips_put_le32(f + 4, i);
		for (j = 0; j < 8; j++)
			cn_recv(&cn, 0, &cn.n[0].at, f, sizeof(f));
	}
	assert_int_equal(cn.n[0].c->parked, FIPS_PARK_TOTAL);
	assert_int_equal(cn_drops(&cn.n[0], FIPS_DROP_REASON_PARK_FULL),
			 200 * 8 - FIPS_PARK_TOTAL);
	assert_int_equal(fips_core_tick(cn.n[0].c, &cn.n[0].out, cn.now + 5000), FIPS_NEVER);
	assert_int_equal(cn.n[0].c->parked, 0);
	cn_free(&cn);
}

/* A session before its key: datagrams wait for it, packets as well. */
static void test_park_session(void **state)
{
	struct fips_dp_key k = cn_key(1, 0, 0x80, FIPS_KEY_SLOT_CURRENT);
	struct fips_dp_session s = { .path_mtu = FIPS_MTU_UNKNOWN };
	struct cn_item *it;
	struct cn cn;
	u8 p[256];
	int i;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	assert_int_equal(fips_core_session_del(cn.n[1].c, &cn.n[0].addr), 0);
	it = frame_of(&cn, 10);
	deliver(&cn, it);
	free(it);
	assert_int_equal(cn_drops(&cn.n[1], FIPS_DROP_REASON_SESSION_UNKNOWN), 1);
	s.remote = cn.n[0].addr;
	assert_int_equal(fips_core_session_new(cn.n[1].c, &cn.n[1].out, cn.now, &s), 0);
	for (i = 0; i < FIPS_PARK_EACH + 1; i++) {
		it = frame_of(&cn, 10 + (size_t)i);
		deliver(&cn, it);
		free(it);
	}
	assert_int_equal(cn_drops(&cn.n[1], FIPS_DROP_REASON_PARK_FULL), 1);
	cn_send(&cn, 1, p, cn_udp(&cn, p, 1, 0, 5));
	assert_int_equal(cn.n[1].frames.n, 0);
	assert_int_equal(fips_core_session_key_new(cn.n[1].c, &cn.n[1].out, cn.now,
						   &cn.n[0].addr, &k), 0);
	assert_int_equal(cn.n[1].packets.n, FIPS_PARK_EACH);
	assert_int_equal(cn.n[1].frames.n, 1);
	assert_int_equal(cn_pump(&cn), 1);
	assert_int_equal(cn.n[0].packets.n, 1);
	cn_free(&cn);
}

/* While a rekey is armed, what no key opens waits for the new one; otherwise it is dropped. */
static void test_park_rekey(void **state)
{
	struct fips_dp_key k;
	struct cn_item *it;
	struct cn cn;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	k = cn_key(0, 1, 0x81, FIPS_KEY_SLOT_CURRENT);
	k.k_bit = 1;
	assert_int_equal(fips_core_session_key_new(cn.n[0].c, &cn.n[0].out, cn.now,
						   &cn.n[1].addr, &k), 0);
	it = frame_of(&cn, 10);
	deliver(&cn, it);
	free(it);
	assert_int_equal(cn_drops(&cn.n[1], FIPS_DROP_REASON_SESSION_AUTH), 1);
	k = cn_key(1, 0, 0x81, FIPS_KEY_SLOT_NEXT);
	k.has_key = false;
	assert_int_equal(fips_core_session_key_new(cn.n[1].c, &cn.n[1].out, cn.now,
						   &cn.n[0].addr, &k), 0);
	it = frame_of(&cn, 10);
	deliver(&cn, it);
	free(it);
	assert_int_equal(cn_drops(&cn.n[1], FIPS_DROP_REASON_SESSION_AUTH), 1);
	k.has_key = true;
	k.k_bit = 1;
	assert_int_equal(fips_core_session_key_new(cn.n[1].c, &cn.n[1].out, cn.now,
						   &cn.n[0].addr, &k), 0);
	assert_int_equal(cn.n[1].packets.n, 1);
	cn_free(&cn);
}

static void test_candidate(void **state)
{
	struct fips_dp_key k = cn_key(1, 0, 0, FIPS_KEY_SLOT_CURRENT);
	struct cn_item *it;
	struct cn cn;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	unkey(&cn, true);
	assert_int_equal(fips_core_link_key_new(cn.n[1].c, &cn.n[1].out, cn.now, 1, &k), 0);
	assert_int_equal(fips_core_link_xmit(cn.n[0].c, &cn.n[0].out, cn.now, 2, 0, "\x51", 1), 0);
	it = cn_pop(&cn.n[0].frames);
	assert_int_equal(it->len, 37);
	/* A forgery confirms nothing. */
	it->data[20] ^= 1;
	deliver(&cn, it);
	assert_int_equal(cn.n[1].events.n, 0);
	it->data[20] ^= 1;
	deliver(&cn, it);
	free(it);
	it = cn_event(&cn.n[1], FIPS_EV_LINK_CONFIRMED);
	assert_int_equal(it->ev.link.id, 1);
	free(it);
	free(cn_event(&cn.n[1], FIPS_EV_LINK_KEY_USED));
	it = cn_event(&cn.n[1], FIPS_EV_LINK_MSG);
	assert_int_equal(it->ev.link_msg.id, 1);
	assert_int_equal(it->len, 1);
	assert_int_equal(it->data[0], 0x51);
	free(it);
	assert_int_equal(cn.n[1].events.n, 0);
	cn_free(&cn);
}

/* Link rekey: the index picks the slot, the first frame promotes, the old one drains. */
static void test_link_rekey(void **state)
{
	struct fips_dp_key k;
	struct cn_item *old, *it;
	struct cn cn;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	old = frame_of(&cn, 1);
	k = cn_key(1, 0, 1, FIPS_KEY_SLOT_NEXT);
	k.k_bit = 1;
	assert_int_equal(fips_core_link_key_new(cn.n[1].c, &cn.n[1].out, cn.now, 1, &k), 0);
	k = cn_key(0, 1, 1, FIPS_KEY_SLOT_NEXT);
	k.k_bit = 1;
	assert_int_equal(fips_core_link_key_new(cn.n[0].c, &cn.n[0].out, cn.now, 2, &k), 0);
	/* Next can be probed while data stays on current. */
	assert_int_equal(fips_core_link_xmit(cn.n[0].c, &cn.n[0].out, cn.now, 2, 1, "\x51", 1), 0);
	it = cn_pop(&cn.n[0].frames);
	assert_int_equal(it->data[1] & FIPS_FMP_FLAG_K, 1);
	cn.now += 500;
	deliver(&cn, it);
	free(it);
	it = cn_event(&cn.n[1], FIPS_EV_LINK_KEY_USED);
	assert_int_equal(it->ev.link.slot, FIPS_KEY_SLOT_NEXT);
	free(it);
	free(cn_event(&cn.n[1], FIPS_EV_LINK_MSG));
	/* The answer comes under the new key, its timestamps start anew. */
	assert_int_equal(fips_core_link_xmit(cn.n[1].c, &cn.n[1].out, cn.now, 1, 0, "\x51", 1), 0);
	assert_int_equal(cn_pump(&cn), 1);
	it = cn_event(&cn.n[0], FIPS_EV_LINK_KEY_USED);
	assert_int_equal(it->ev.link.slot, FIPS_KEY_SLOT_NEXT);
	free(it);
	it = cn_event(&cn.n[0], FIPS_EV_LINK_MSG);
	assert_int_equal(it->ev.link_msg.timestamp, 0);
	assert_int_equal(it->ev.link_msg.flags & FIPS_FMP_FLAG_K, 1);
	free(it);
	/* What was under way under the old key still counts. */
	deliver(&cn, old);
	assert_int_equal(cn.n[1].packets.n, 1);
	assert_int_equal(fips_core_link_key_del(cn.n[1].c, 1, FIPS_KEY_SLOT_PREVIOUS), 0);
	deliver(&cn, old);
	assert_int_equal(cn_drops(&cn.n[1], FIPS_DROP_REASON_RX_UNKNOWN_INDEX), 1);
	assert_int_equal(fips_core_link_key_swap(cn.n[1].c, cn.now, 1), -ENOENT);
	free(old);
	cn_free(&cn);
}

/* Session rekey: trial over the epochs, promotion, drain, K on the wire. */
static void test_session_rekey(void **state)
{
	struct fips_dp_key k;
	struct cn_item *old, *it;
	struct cn cn;
	u8 p[256];

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	old = frame_of(&cn, 1);
	k = cn_key(1, 0, 0x81, FIPS_KEY_SLOT_NEXT);
	k.k_bit = 1;
	assert_int_equal(fips_core_session_key_new(cn.n[1].c, &cn.n[1].out, cn.now,
						   &cn.n[0].addr, &k), 0);
	k = cn_key(0, 1, 0x81, FIPS_KEY_SLOT_NEXT);
	k.k_bit = 1;
	assert_int_equal(fips_core_session_key_new(cn.n[0].c, &cn.n[0].out, cn.now,
						   &cn.n[1].addr, &k), 0);
	assert_int_equal(fips_core_session_key_swap(cn.n[0].c, cn.now, &cn.n[1].addr), 0);
	it = frame_of(&cn, 2);
	deliver(&cn, it);
	free(it);
	assert_int_equal(cn.n[1].packets.n, 1);
	free(cn_event(&cn.n[1], FIPS_EV_LINK_KEY_USED));
	it = cn_event(&cn.n[1], FIPS_EV_SESSION_KEY_USED);
	assert_int_equal(it->ev.session.slot, FIPS_KEY_SLOT_NEXT);
	free(it);
	/* Under the old key, now previous; and back under the new one. */
	deliver(&cn, old);
	assert_int_equal(cn.n[1].packets.n, 2);
	cn_send(&cn, 1, p, cn_udp(&cn, p, 1, 0, 3));
	cn_pump(&cn);
	assert_int_equal(cn.n[0].packets.n, 1);
	free(old);
	cn_free(&cn);
}

static u8 k_of(struct cn *cn, unsigned int i)
{
	struct fips_dp_session_info info;

	assert_int_equal(fips_core_session_get(cn->n[i].c, cn->now, &cn->n[!i].addr, &info), 0);
	return info.k_bit;
}

/*
 * Node 0 has started over: its K is 0, and node 1 has flipped its own. M would hear
 * no answer. Who answers follows who asked, never the other way round.
 */
static void test_session_follows_k(void **state)
{
	struct fips_dp_key k;
	struct cn cn;
	u8 p[256];

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	k = cn_key(1, 0, 0x81, FIPS_KEY_SLOT_NEXT);
	k.k_bit = 1;
	assert_int_equal(fips_core_session_key_new(cn.n[1].c, &cn.n[1].out, cn.now,
						   &cn.n[0].addr, &k), 0);
	k = cn_key(0, 1, 0x81, FIPS_KEY_SLOT_CURRENT);
	k.initiator = true;
	assert_int_equal(fips_core_session_key_new(cn.n[0].c, &cn.n[0].out, cn.now,
						   &cn.n[1].addr, &k), 0);
	/* A warm-up has no K: it promotes and says nothing. */
	assert_int_equal(fips_core_session_xmit(cn.n[0].c, &cn.n[0].out, cn.now, &cn.n[1].addr,
						FIPS_KEY_SLOT_CURRENT, FIPS_FSP_COORDS_WARMUP,
						false, NULL, 0), 0);
	cn_pump(&cn);
	assert_int_equal(k_of(&cn, 1), 1);
	cn_send(&cn, 1, p, cn_udp(&cn, p, 1, 0, 3));
	cn_pump(&cn);
	assert_int_equal(cn.n[0].packets.n, 1);
	assert_int_equal(k_of(&cn, 0), 0);
	cn_send(&cn, 0, p, cn_udp(&cn, p, 0, 1, 3));
	cn_pump(&cn);
	assert_int_equal(cn.n[1].packets.n, 1);
	assert_int_equal(k_of(&cn, 1), 0);
	cn_free(&cn);
}

static void test_limits(void **state)
{
	struct fips_dp_key k = cn_key(0, 1, 5, FIPS_KEY_SLOT_CURRENT);
	struct fips_gso gso = { FIPS_GSO_TCP, 1000, true, 40, 16 };
	u8 *p = malloc(20000);
	struct cn_item *it;
	struct cn cn;
	int i;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	k.soft_limit = 5;
	k.hard_limit = 10;
	assert_int_equal(fips_core_link_key_new(cn.n[0].c, &cn.n[0].out, cn.now, 2, &k), 0);
	for (i = 0; i < 4; i++)
		cn_send(&cn, 0, p, cn_udp(&cn, p, 0, 1, 0));
	assert_int_equal(cn.n[0].events.n, 0);
	cn_send(&cn, 0, p, cn_udp(&cn, p, 0, 1, 0));
	it = cn_event(&cn.n[0], FIPS_EV_LINK_KEY_LIMIT);
	assert_int_equal(it->ev.link.id, 2);
	free(it);
	/* A super-packet across the hard limit: what fits goes, the rest is counted. */
	fips_core_packet(cn.n[0].c, &cn.n[0].out, cn.now, &gso, p,
			 cn_tcp(&cn, p, 0, 1, 0, 0x10, 8000));
	assert_int_equal(cn.n[0].frames.n, 10);
	assert_int_equal(cn_drops(&cn.n[0], FIPS_DROP_REASON_KEY_LIMIT), 3);
	cn_send(&cn, 0, p, cn_udp(&cn, p, 0, 1, 0));
	assert_int_equal(cn.n[0].frames.n, 10);
	assert_int_equal(fips_core_link_xmit(cn.n[0].c, &cn.n[0].out, cn.now, 2, 0, "\x51", 1),
			 -EOVERFLOW);
	assert_int_equal(cn.n[0].events.n, 0);
	/* 2^64-1 is never sealed with. */
	k = cn_key(0, 1, 6, FIPS_KEY_SLOT_CURRENT);
	assert_int_equal(fips_core_link_key_new(cn.n[0].c, &cn.n[0].out, cn.now, 2, &k), 0);
	fips_store(&fips_slot_get(&fips_link_find(cn.n[0].c, 2)->slot[0])->tx_counter,
		   FIPS_COUNTER_NEVER - 1);
	cn_clear(&cn.n[0].frames);
	cn_send(&cn, 0, p, cn_udp(&cn, p, 0, 1, 0));
	cn_send(&cn, 0, p, cn_udp(&cn, p, 0, 1, 0));
	assert_int_equal(cn.n[0].frames.n, 1);
	free(p);
	cn_free(&cn);
}

static void test_lifetime(void **state)
{
	struct fips_dp_key k = cn_key(1, 0, 1, FIPS_KEY_SLOT_CURRENT);
	struct fips_dp_key k0 = cn_key(0, 1, 1, FIPS_KEY_SLOT_CURRENT);
	struct cn_item *it;
	struct cn cn;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	k.lifetime_ms = 10000;
	assert_int_equal(fips_core_link_key_new(cn.n[1].c, &cn.n[1].out, cn.now, 1, &k), 0);
	assert_int_equal(fips_core_link_key_new(cn.n[0].c, &cn.n[0].out, cn.now, 2, &k0), 0);
	it = frame_of(&cn, 1);
	assert_int_equal(fips_core_tick(cn.n[1].c, &cn.n[1].out, cn.now), cn.now + 10000);
	cn.now += 10000;
	deliver(&cn, it);
	assert_int_equal(cn_drops(&cn.n[1], FIPS_DROP_REASON_RX_KEY_EXPIRED), 1);
	assert_int_equal(fips_core_link_xmit(cn.n[1].c, &cn.n[1].out, cn.now, 1, 0, "\x51", 1),
			 -ENOKEY);
	/* Nothing but the age of routes is left to look at. */
	assert_int_equal(fips_core_tick(cn.n[1].c, &cn.n[1].out, cn.now), cn.n[1].c->route_gc);
	deliver(&cn, it);
	assert_int_equal(cn_drops(&cn.n[1], FIPS_DROP_REASON_RX_UNKNOWN_INDEX), 1);
	free(it);
	cn_free(&cn);
}

/* The endpoint follows the newest frame only, and never a forged or a replayed one. */
static void test_roaming(void **state)
{
	struct fips_endpoint moved, spoofed;
	struct cn_item *a, *b, *it;
	struct cn cn;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	moved = cn.n[0].at;
	moved.addr.port = 7777;
	spoofed = cn.n[0].at;
	spoofed.addr.port = 6666;
	a = frame_of(&cn, 1);
	b = frame_of(&cn, 1);
	b->data[30] ^= 1;
	cn_recv(&cn, 1, &spoofed, b->data, b->len);
	b->data[30] ^= 1;
	cn_recv(&cn, 1, &moved, b->data, b->len);
	free(cn_event(&cn.n[1], FIPS_EV_LINK_KEY_USED));
	it = cn_event(&cn.n[1], FIPS_EV_LINK_FLOAT);
	assert_int_equal(it->ev.link.remote.port, 7777);
	free(it);
	/* Older, overtaken: data counts, the path stays. Replayed: nothing. */
	cn_recv(&cn, 1, &spoofed, a->data, a->len);
	cn_recv(&cn, 1, &spoofed, b->data, b->len);
	free(cn_event(&cn.n[1], FIPS_EV_SESSION_KEY_USED));
	assert_int_equal(cn.n[1].events.n, 0);
	assert_int_equal(cn.n[1].packets.n, 2);
	assert_int_equal(fips_core_link_xmit(cn.n[1].c, &cn.n[1].out, cn.now, 1, 0, "\x51", 1), 0);
	assert_int_equal(cn.n[1].frames.head->to.addr.port, 7777);
	cn_clear(&cn.n[1].frames);
	/* The node moves it, too. */
	assert_int_equal(fips_core_link_move(cn.n[1].c, 1, &cn.n[0].at), 0);
	assert_int_equal(fips_core_link_xmit(cn.n[1].c, &cn.n[1].out, cn.now, 1, 0, "\x51", 1), 0);
	assert_int_equal(cn.n[1].frames.head->to.addr.port, 2121);
	free(a);
	free(b);
	cn_free(&cn);
}

/* Another address of ours: the answer leaves from there, the node is not told. */
static void test_local_address(void **state)
{
	struct fips_endpoint from;
	struct cn_item *it;
	struct cn cn;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	from = cn.n[0].at;
	from.local = (struct fips_taddr){ .kind = FIPS_TADDR_IPV4, .addr = { 10, 0, 0, 77 } };
	it = frame_of(&cn, 1);
	cn_recv(&cn, 1, &from, it->data, it->len);
	free(it);
	free(cn_event(&cn.n[1], FIPS_EV_LINK_KEY_USED));
	free(cn_event(&cn.n[1], FIPS_EV_SESSION_KEY_USED));
	assert_int_equal(cn.n[1].events.n, 0);
	assert_int_equal(fips_core_link_xmit(cn.n[1].c, &cn.n[1].out, cn.now, 1, 0, "\x51", 1), 0);
	assert_int_equal(cn.n[1].frames.head->to.local.addr[3], 77);
	cn_free(&cn);
}

/* An old epoch that drains does not drag the path back. */
static void test_roaming_old_epoch(void **state)
{
	struct fips_endpoint moved;
	struct fips_dp_key k;
	struct cn_item *old;
	struct cn cn;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	moved = cn.n[0].at;
	moved.addr.port = 7777;
	old = frame_of(&cn, 1);
	k = cn_key(1, 0, 1, FIPS_KEY_SLOT_NEXT);
	fips_core_link_key_new(cn.n[1].c, &cn.n[1].out, cn.now, 1, &k);
	k = cn_key(0, 1, 1, FIPS_KEY_SLOT_NEXT);
	fips_core_link_key_new(cn.n[0].c, &cn.n[0].out, cn.now, 2, &k);
	fips_core_link_xmit(cn.n[0].c, &cn.n[0].out, cn.now, 2, 1, "\x51", 1);
	cn_pump(&cn);
	cn_clear(&cn.n[1].events);
	cn_recv(&cn, 1, &moved, old->data, old->len);
	assert_int_equal(cn.n[1].packets.n, 1);
	free(cn_event(&cn.n[1], FIPS_EV_LINK_KEY_USED));
	free(cn_event(&cn.n[1], FIPS_EV_SESSION_KEY_USED));
	assert_int_equal(cn.n[1].events.n, 0);
	free(old);
	cn_free(&cn);
}

static void test_refusals(void **state)
{
	struct fips_dp_key k = cn_key(0, 1, 0, FIPS_KEY_SLOT_CURRENT);
	struct fips_dp_link l = { .id = 7, .transport_id = 1, .mtu = CN_MTU, .key = &k };
	struct fips_dp_session s = { 0 };
	struct fips_core *c;
	struct cn cn;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	c = cn.n[0].c;
	/* An index is unique in the node. */
	assert_int_equal(fips_core_link_new(c, &cn.n[0].out, cn.now, &l), -EEXIST);
	assert_null(fips_link_find(c, 7));
	l.id = 2;
	assert_int_equal(fips_core_link_new(c, &cn.n[0].out, cn.now, &l), -EEXIST);
	l.id = 0;
	assert_int_equal(fips_core_link_new(c, &cn.n[0].out, cn.now, &l), -EINVAL);
	k.slot = 3;
	assert_int_equal(fips_core_link_key_new(c, &cn.n[0].out, cn.now, 2, &k), -EINVAL);
	assert_int_equal(fips_core_link_key_new(c, &cn.n[0].out, cn.now, 9, &k), -ENOENT);
	assert_int_equal(fips_core_link_key_del(c, 2, 1), -ENOENT);
	assert_int_equal(fips_core_link_del(c, 9), -ENOENT);
	assert_int_equal(fips_core_link_xmit(c, &cn.n[0].out, cn.now, 2, 1, "\x51", 1), -ENOKEY);
	assert_int_equal(fips_core_link_xmit(c, &cn.n[0].out, cn.now, 2, 0, "\x51", 0), -EINVAL);
	s.remote = cn.n[1].addr;
	assert_int_equal(fips_core_session_new(c, &cn.n[0].out, cn.now, &s), -EEXIST);
	s.remote.b[15] ^= 1;	/* another node with the same IPv6 address */
	assert_int_equal(fips_core_session_new(c, &cn.n[0].out, cn.now, &s), -EADDRINUSE);
	assert_int_equal(fips_core_session_set(c, &s), -ENOENT);
	assert_int_equal(fips_core_session_del(c, &s.remote), -ENOENT);
	assert_int_equal(fips_core_session_xmit(c, &cn.n[0].out, cn.now, &cn.n[1].addr, 0,
						FIPS_FSP_COORDS_WARMUP, true, NULL, 0), -ENODATA);
	assert_int_equal(fips_core_route_set(c, &cn.n[0].out, cn.now, &s.remote, 9, 1), -ENOENT);
	assert_int_equal(fips_core_route_del(c, &s.remote), -ENOENT);
	assert_int_equal(cn_drops(&cn.n[0], FIPS_DROP_REASON_NO_KEY), 1);
	cn_free(&cn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_replay_window),
		cmocka_unit_test(test_raw),
		cmocka_unit_test(test_park_link),
		cmocka_unit_test(test_park_expires),
		cmocka_unit_test(test_park_total),
		cmocka_unit_test(test_park_session),
		cmocka_unit_test(test_park_rekey),
		cmocka_unit_test(test_candidate),
		cmocka_unit_test(test_link_rekey),
		cmocka_unit_test(test_session_rekey),
		cmocka_unit_test(test_session_follows_k),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_lifetime),
		cmocka_unit_test(test_roaming),
		cmocka_unit_test(test_local_address),
		cmocka_unit_test(test_roaming_old_epoch),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
