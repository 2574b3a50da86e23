// SPDX-License-Identifier: MIT
/*
 * Every message type, cut at every length and with bytes behind it, from an
 * authenticated neighbour or far end, into a node: each cut one is counted where
 * its table line says, and afterwards everybody still talks.
 */

#include "mmp_report.h"
#include "node_internal.h"
#include "node_test.h"
#include "tree_codec.h"

#define ROOM		4096
#define MORE		40	/* bytes behind a message */

/* How a message reaches the node. */
enum way {
	LINK,		/* behind the frame's header */
	INSIDE,		/* in a SessionDatagram from the far end */
	SESSION,	/* opened by the data plane; the first byte is its type */
	TRANSIT,	/* header of a datagram that passes, with coordinates */
	RAW,		/* from the socket */
};

struct victim {
	struct fakenet *net;
	struct fips_node *n;	/* 0; 1 is its neighbour, 2 is behind that */
};

/**
 * struct malformed - a message type
 * @build: a sound one; its length
 * @way: how it comes
 * @counter: in struct fips_node_counters: of those that were cut; %TREE: the tree's
 * @sound: from this length on it is none of the cut ones, 0 = only the whole one is
 * @exact: bytes behind it make it malformed, too
 * @cut_only: the whole one would end the link
 */
struct malformed {
	const char *name;
	size_t (*build)(const struct victim *v, u8 *buf);
	enum way way;
	size_t counter;
	size_t sound;
	bool exact;
	bool cut_only;
};

#define TREE		((size_t)-1)
#define COUNTER(name)	offsetof(struct fips_node_counters, name)

static size_t length(int len)
{
	assert_true(len > 0);
	return (size_t)len;
}

static const struct fips_node_addr *addr_of(const struct victim *v, int node)
{
	return fakenet_addr(v->net, node);
}

/* ---- messages ---- */

static size_t build_tree(const struct victim *v, u8 *buf)
{
	return length(fips_tree_build(v->net->nodes[1].node->mesh.tree, buf, ROOM));
}

static size_t build_filter(const struct victim *v, u8 *buf)
{
	const struct fips_bloom f = { .bits = { 1 } };

	(void)v;
	return length(fips_filter_build(buf, ROOM, 1, &f));
}

static size_t build_request(const struct victim *v, u8 *buf)
{
	const struct fips_lookup_request req = {
		.id = 5,
		.target = *addr_of(v, 0),
		.origin = *addr_of(v, 2),
		.ttl = 9,
		.coords = node_coords_own(v->net->nodes[2].node),
	};

	return length(fips_lookup_request_build(buf, ROOM, &req));
}

static size_t build_response(const struct victim *v, u8 *buf)
{
	static const u8 proof[FIPS_SIG_LEN];
	const struct fips_lookup_response resp = {
		.id = 6,
		.target = *addr_of(v, 2),
		.path_mtu = 1280,
		.coords = node_coords_own(v->net->nodes[2].node),
		.proof = proof,
	};

	return length(fips_lookup_response_build(buf, ROOM, &resp));
}

static size_t build_link_sr(const struct victim *v, u8 *buf)
{
	const struct fips_mmp_sr sr = { .end_counter = 1 };

	(void)v;
	return length(fips_mmp_sr_build(FIPS_MMP_LINK, buf, ROOM, &sr));
}

static size_t build_link_rr(const struct victim *v, u8 *buf)
{
	const struct fips_mmp_rr rr = { .highest = 1 };

	(void)v;
	return length(fips_mmp_rr_build(FIPS_MMP_LINK, buf, ROOM, &rr));
}

static size_t build_disconnect(const struct victim *v, u8 *buf)
{
	(void)v;
	return length(fips_disconnect_build(buf, ROOM, 0));
}

static size_t build_heartbeat(const struct victim *v, u8 *buf)
{
	(void)v;
	return length(fips_heartbeat_build(buf, ROOM));
}

static size_t build_datagram(const struct victim *v, u8 *buf)
{
	const struct fips_datagram dgram = {
		.ttl = 64,
		.path_mtu = 1280,
		.src = *addr_of(v, 2),
		.dst = *addr_of(v, 0),
	};

	return length(fips_datagram_build(buf, ROOM, &dgram));
}

static size_t build_handshake(const struct victim *v, u8 *buf, u8 phase)
{
	static const u8 noise[256] = { 1 };
	const struct fips_fsp_handshake hs = {
		.phase = phase,
		.src = node_coords_own(v->net->nodes[2].node),
		.dst = node_coords_own(v->n),
		.noise = noise,
	};

	return length(fips_fsp_handshake_build(buf, ROOM, &hs));
}

static size_t build_setup(const struct victim *v, u8 *buf)
{
	return build_handshake(v, buf, FIPS_FSP_SETUP);
}

static size_t build_ack(const struct victim *v, u8 *buf)
{
	return build_handshake(v, buf, FIPS_FSP_ACK);
}

static size_t build_msg3(const struct victim *v, u8 *buf)
{
	return build_handshake(v, buf, FIPS_FSP_MSG3);
}

static size_t build_signal(const struct victim *v, u8 *buf, u8 type)
{
	const struct fips_fsp_signal_msg sig = {
		.type = type,
		.dst = *addr_of(v, 1),
		.reporter = *addr_of(v, 1),
		.coords = node_coords_own(v->net->nodes[1].node),
		.mtu = 1200,
	};

	return length(fips_fsp_signal_build(buf, ROOM, &sig));
}

static size_t build_required(const struct victim *v, u8 *buf)
{
	return build_signal(v, buf, FIPS_FSP_COORDS_REQUIRED);
}

static size_t build_broken(const struct victim *v, u8 *buf)
{
	return build_signal(v, buf, FIPS_FSP_PATH_BROKEN);
}

static size_t build_exceeded(const struct victim *v, u8 *buf)
{
	return build_signal(v, buf, FIPS_FSP_MTU_EXCEEDED);
}

static size_t build_session_sr(const struct victim *v, u8 *buf)
{
	const struct fips_mmp_sr sr = { .end_counter = 1 };

	(void)v;
	buf[0] = FIPS_FSP_SENDER_REPORT;
	return 1 + length(fips_mmp_sr_build(FIPS_MMP_SESSION, buf + 1, ROOM - 1, &sr));
}

static size_t build_session_rr(const struct victim *v, u8 *buf)
{
	const struct fips_mmp_rr rr = { .highest = 1 };

	(void)v;
	buf[0] = FIPS_FSP_RECEIVER_REPORT;
	return 1 + length(fips_mmp_rr_build(FIPS_MMP_SESSION, buf + 1, ROOM - 1, &rr));
}

static size_t build_path_mtu(const struct victim *v, u8 *buf)
{
	(void)v;
	buf[0] = FIPS_FSP_PATH_MTU;
	fips_put_le16(buf + 1, 1280);
	return 3;
}

static size_t build_warmup(const struct victim *v, u8 *buf)
{
	(void)v;
	buf[0] = FIPS_FSP_COORDS_WARMUP;
	return 1;
}

static size_t build_transit_setup(const struct victim *v, u8 *buf)
{
	size_t len = build_datagram(v, buf);

	return len + build_setup(v, buf + len);
}

/* Coordinates in front of an encrypted message. */
static size_t build_transit_cp(const struct victim *v, u8 *buf)
{
	struct fips_coords a = node_coords_own(v->net->nodes[2].node), b = node_coords_own(v->n);
	size_t len = build_datagram(v, buf);

	fips_put_prefix(buf + len, FIPS_FSP_ESTABLISHED, FIPS_FSP_FLAG_CP, 100);
	memset(buf + len + FIPS_PREFIX_LEN, 0, FIPS_FSP_HDR_LEN - FIPS_PREFIX_LEN);
	len += FIPS_FSP_HDR_LEN;
	len += length(fips_coords_build(buf + len, ROOM - len, &a));
	return len + length(fips_coords_build(buf + len, ROOM - len, &b));
}

static size_t build_msg1(const struct victim *v, u8 *buf)
{
	static const u8 noise[256] = { 2 };
	const struct fips_fmp_msg1 msg1 = { .sender_idx = 7, .noise = noise };

	(void)v;
	return length(fips_fmp_msg1_build(buf, ROOM, &msg1));
}

static size_t build_msg2(const struct victim *v, u8 *buf)
{
	static const u8 noise[256] = { 3 };
	const struct fips_fmp_msg2 msg2 = { .sender_idx = 7, .receiver_idx = 8, .noise = noise };

	(void)v;
	return length(fips_fmp_msg2_build(buf, ROOM, &msg2));
}

static const struct malformed messages[] = {
	{ "TreeAnnounce", build_tree, LINK, TREE, 0, false, false },
	{ "FilterAnnounce", build_filter, LINK, COUNTER(bloom_decode_error), 0, true, false },
	{ "LookupRequest", build_request, LINK, COUNTER(lookup.req_decode_error), 0, false, false },
	{ "LookupResponse", build_response, LINK, COUNTER(lookup.resp_decode_error), 0, false,
	  false },
	{ "SenderReport", build_link_sr, LINK, COUNTER(mmp_decode_error), 0, false, false },
	{ "ReceiverReport", build_link_rr, LINK, COUNTER(mmp_decode_error), 0, false, false },
	{ "Disconnect", build_disconnect, LINK, COUNTER(link_malformed), 0, false, true },
	{ "Heartbeat", build_heartbeat, LINK, COUNTER(link_malformed), 0, false, false },
	{ "SessionDatagram", build_datagram, LINK, COUNTER(link_malformed), 0, false, true },
	{ "SessionSetup", build_setup, INSIDE, COUNTER(session_malformed), 0, false, false },
	{ "SessionAck", build_ack, INSIDE, COUNTER(session_malformed), 0, false, false },
	{ "SessionMsg3", build_msg3, INSIDE, COUNTER(session_malformed), 0, false, false },
	{ "CoordsRequired", build_required, INSIDE, COUNTER(signal_malformed), 0, false, false },
	{ "PathBroken", build_broken, INSIDE, COUNTER(signal_malformed), 0, false, false },
	{ "MtuExceeded", build_exceeded, INSIDE, COUNTER(signal_malformed), 0, false, false },
	{ "SenderReport of a session", build_session_sr, SESSION, COUNTER(mmp_decode_error), 0,
	  false, false },
	{ "ReceiverReport of a session", build_session_rr, SESSION, COUNTER(mmp_decode_error), 0,
	  false, false },
	{ "PathMtuNotification", build_path_mtu, SESSION, COUNTER(mmp_decode_error), 0, false,
	  false },
	{ "CoordsWarmup", build_warmup, SESSION, COUNTER(mmp_decode_error), 1, false, false },
	{ "Setup in transit", build_transit_setup, TRANSIT, COUNTER(coords_malformed), 0, false,
	  false },
	{ "coordinates in transit", build_transit_cp, TRANSIT, COUNTER(coords_malformed), 0, false,
	  false },
	{ "msg1", build_msg1, RAW, COUNTER(payload_len_mismatch), 0, true, false },
	{ "msg2", build_msg2, RAW, COUNTER(payload_len_mismatch), 0, true, false },
};

/* ---- how they come ---- */

/* In memory of exactly their size, so that a sanitizer sees who reads on. */
static void feed_link(const struct victim *v, const u8 *msg, size_t len)
{
	struct fips_event ev = { .type = FIPS_EV_LINK_MSG };
	struct fips_clock now = fakenet_clock(v->net);

	ev.link_msg.id = fakenet_dp_link(v->net, 0, 1)->id;
	ev.link_msg.slot = FIPS_KEY_SLOT_CURRENT;
	ev.link_msg.msg = msg;
	ev.link_msg.len = len;
	fips_node_event(v->n, &now, &ev);
}

static void feed_inside(const struct victim *v, const u8 *msg, size_t len)
{
	size_t head;
	u8 *whole;

	whole = malloc(ROOM);
	assert_non_null(whole);
	head = build_datagram(v, whole);
	whole = realloc(whole, head + len);
	assert_non_null(whole);
	memcpy(whole + head, msg, len);
	feed_link(v, whole, head + len);
	free(whole);
}

static void feed_session(const struct victim *v, const u8 *msg, size_t len)
{
	struct fips_event ev = { .type = FIPS_EV_SESSION_MSG };
	struct fips_clock now = fakenet_clock(v->net);

	ev.session_msg.remote = *addr_of(v, 2);
	ev.session_msg.slot = FIPS_KEY_SLOT_CURRENT;
	ev.session_msg.dgram_mtu = 1280;
	ev.session_msg.msg_type = msg[0];
	ev.session_msg.body = msg + 1;
	ev.session_msg.len = len - 1;
	fips_node_event(v->n, &now, &ev);
}

static void feed_transit(const struct victim *v, const u8 *msg, size_t len)
{
	struct fips_event ev = { .type = FIPS_EV_COORDS };
	struct fips_clock now = fakenet_clock(v->net);

	ev.route.link_id = fakenet_dp_link(v->net, 0, 1)->id;
	ev.route.header = msg;
	ev.route.len = len;
	fips_node_event(v->n, &now, &ev);
}

static void feed_raw(const struct victim *v, const u8 *msg, size_t len)
{
	struct fips_event ev = { .type = FIPS_EV_RAW };
	struct fips_clock now = fakenet_clock(v->net);

	ev.raw.transport_id = v->net->nodes[0].transports[0].id;
	ev.raw.from = fakenet_taddr(v->net, 1);
	ev.raw.data = msg;
	ev.raw.len = len;
	fips_node_event(v->n, &now, &ev);
}

static void feed(const struct victim *v, enum way how, const u8 *msg, size_t len)
{
	static void (*const feeds[])(const struct victim *v, const u8 *msg, size_t len) = {
		[LINK] = feed_link,
		[INSIDE] = feed_inside,
		[SESSION] = feed_session,
		[TRANSIT] = feed_transit,
		[RAW] = feed_raw,
	};
	u8 *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, msg, len);
	feeds[how](v, copy, len);
	free(copy);
}

/* ---- what is counted ---- */

static u64 counted(const struct victim *v, size_t counter)
{
	struct fips_node_counters c = fakenet_view(v->net, 0).counters;
	u64 value;

	if (counter == TREE)
		return fips_tree_stats(v->n->mesh.tree)->verdict[FIPS_TREE_DECODE_ERROR];
	memcpy(&value, (const char *)&c + counter, sizeof(value));
	return value;
}

/* All counters of what can't be read: each message may add one, to one of them. */
static u64 refused(const struct victim *v)
{
	struct fips_node_counters c = fakenet_view(v->net, 0).counters;

	return c.payload_len_mismatch + c.link_malformed + c.link_unknown + c.session_malformed +
	       c.signal_malformed + c.coords_malformed + c.mmp_decode_error +
	       c.bloom_decode_error + c.lookup.req_decode_error + c.lookup.resp_decode_error +
	       counted(v, TREE);
}

/* Where the data plane looks first, or a message may lack its lists, not each cut one counts. */
static void expect(const struct malformed *m, u64 got, bool bad, size_t len)
{
	bool loose = m->way == TRANSIT || m->way == RAW;

	if (bad && loose ? got > 1 : got != bad)
		fail_msg("%s of %d bytes was counted %d times", m->name, (int)len, (int)got);
}

static void check(const struct victim *v, const struct malformed *m)
{
	u64 before, first = counted(v, m->counter);
	size_t size, len, whole;
	u8 buf[ROOM];

	size = m->build(v, buf);
	assert_true(size + MORE <= sizeof(buf));
	memset(buf + size, 0xa5, MORE);
	whole = m->sound ? m->sound : size;
	for (len = m->way == SESSION; len <= size + MORE; len++) {
		if (m->cut_only && len >= size)
			break;
		before = refused(v);
		feed(v, m->way, buf, len);
		expect(m, refused(v) - before, len < whole || (m->exact && len > size), len);
		/* so that no limiter has a say */
		fakenet_run(v->net, 300);
	}
	if (whole > 1 && counted(v, m->counter) == first)
		fail_msg("%s: its counter stood still", m->name);
}

static void assert_talks(struct fakenet *net, int a, int b)
{
	unsigned int before = net->nodes[b].delivered, i;

	for (i = 0; i < 50 && net->nodes[b].delivered == before; i++) {
		fakenet_data(net, a, b);
		fakenet_run(net, 200);
	}
	if (net->nodes[b].delivered == before)
		fail_msg("%d does not reach %d", a, b);
}

static void every_message_at_every_length(void **state)
{
	struct victim v;
	size_t i;
	int a, b;

	(void)state;
	for (i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		v.net = fakenet_strangers(90 + i, 3);
		v.n = v.net->nodes[0].node;
		fakenet_peer(v.net, 0, 1);
		fakenet_peer(v.net, 1, 2);
		fakenet_run(v.net, 1000);
		assert_talks(v.net, 0, 2);
		check(&v, &messages[i]);
		for (a = 0; a < 3; a++)
			for (b = 0; b < 3; b++)
				if (a != b)
					assert_talks(v.net, a, b);
		fakenet_free(v.net);
	}
}

/* Types that nobody knows: counted, at any length, and nothing else. */
static void unknown_types(void **state)
{
	struct victim v = { .net = fakenet_strangers(89, 3) };
	u8 msg[MORE] = { 0 };
	u64 before, reports;
	int type;

	(void)state;
	v.n = v.net->nodes[0].node;
	fakenet_peer(v.net, 0, 1);
	fakenet_peer(v.net, 1, 2);
	fakenet_run(v.net, 1000);
	assert_talks(v.net, 0, 2);
	for (type = 0x52; type < 0x100; type++) {
		msg[0] = (u8)type;
		before = counted(&v, COUNTER(link_unknown));
		feed(&v, LINK, msg, 1 + (size_t)type % (MORE - 1));
		assert_int_equal(counted(&v, COUNTER(link_unknown)) - before, 1);
		reports = refused(&v);
		feed(&v, SESSION, msg, 1 + (size_t)type % (MORE - 1));
		assert_int_equal(refused(&v), reports);
	}
	assert_talks(v.net, 0, 2);
	assert_talks(v.net, 2, 0);
	fakenet_free(v.net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_at_every_length),
		cmocka_unit_test(unknown_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
