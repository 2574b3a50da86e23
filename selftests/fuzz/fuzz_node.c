// SPDX-License-Identifier: MIT
/*
 * A whole node under a sequence of events: handshakes of eight identities that
 * may be sound or not, link and session messages, signals, timers, upcalls out
 * of order, data plane ops that fail, commands. The curve costs nothing (see
 * fuzz.h), signatures are good when the input says so, and the data plane only
 * remembers which links and sessions there are.
 *
 * Broken are: any sanitizer's rule; an op about a link that is not there; more
 * objects than their bounds; what is left when the node is gone.
 */
#include "node_world.h"

#define EVENTS	256

/* ---- events ---- */

static void happen(struct world *w, const struct fips_event *ev)
{
	fips_node_event(w->node, &w->now, ev);
}

static struct fips_noise_env env_of(struct world *w, u8 who, u8 epoch)
{
	return (struct fips_noise_env){
		.pk = &w->pk,
		.secrets = w->secrets,
		.rng = { world_random, w },
		.self = &w->kp[who],
		.epoch = { 1, who, epoch },
	};
}

static void raw(struct world *w, const u8 *data, size_t len)
{
	struct fips_event ev = { .type = FIPS_EV_RAW };

	ev.raw.transport_id = 1;
	ev.raw.from = take_taddr(w);
	ev.raw.data = data;
	ev.raw.len = len;
	happen(w, &ev);
}

/* A sound msg1 of an identity, perhaps with one byte wrong. */
static void do_msg1(struct world *w)
{
	u8 who = take8(w) % IDENTITIES, noise[FIPS_NOISE_MSG_MAX], buf[FIPS_MSG1_LEN];
	struct fips_noise_env env = env_of(w, who, take8(w) & 3);
	struct fips_fmp_msg1 msg1 = { .sender_idx = take8(w), .noise = noise };
	struct fips_noise *hs;
	u8 spoil = take8(w);

	FUZZ_CHECK(!fips_noise_initiator(&env, FIPS_NOISE_IK, w->kp[IDENTITIES].id.x, &hs));
	FUZZ_CHECK(fips_noise_write(hs, noise, sizeof(noise)) > 0);
	fips_noise_free(hs);
	fips_fmp_msg1_build(buf, sizeof(buf), &msg1);
	if (spoil > 200)
		buf[(spoil - 200) * 2] ^= 1;
	raw(w, buf, sizeof(buf));
}

/* The answer to the last msg1 of the node, if it was for this identity. */
static void do_msg2(struct world *w)
{
	u8 who = take8(w) % IDENTITIES, noise[FIPS_NOISE_MSG_MAX], buf[FIPS_MSG2_LEN];
	struct fips_noise_env env = env_of(w, who, take8(w) & 3);
	struct fips_fmp_msg2 msg2 = { .sender_idx = take8(w), .noise = noise };
	struct fips_fmp_msg1 msg1;
	struct fips_noise *hs;

	if (!w->have_msg1 || fips_fmp_msg1_parse(w->msg1, sizeof(w->msg1), &msg1) ||
	    fips_noise_responder(&env, FIPS_NOISE_IK, &hs))
		return;
	if (!fips_noise_read(hs, msg1.noise, FIPS_NOISE_IK1_LEN, NULL) &&
	    fips_noise_write(hs, noise, sizeof(noise)) > 0) {
		msg2.receiver_idx = msg1.sender_idx;
		fips_fmp_msg2_build(buf, sizeof(buf), &msg2);
		raw(w, buf, sizeof(buf));
	}
	fips_noise_free(hs);
}

static void link_msg(struct world *w, const u8 *msg, size_t len)
{
	struct fips_event ev = { .type = FIPS_EV_LINK_MSG };

	ev.link_msg.id = take_link(w);
	ev.link_msg.slot = take8(w) % 3;
	ev.link_msg.msg = msg;
	ev.link_msg.len = len;
	if (len)
		happen(w, &ev);
}

static void do_link_bytes(struct world *w)
{
	u8 buf[256];

	link_msg(w, buf, take_bytes(w, buf));
}

static void do_tree(struct world *w)
{
	struct fips_node_addr path[80];
	struct fips_tree_meta meta[80] = { { 0 } };
	struct fips_tree_decl decl;
	u8 msg[4096], sig[FIPS_SIG_LEN] = { take8(w) & 1 ? 0xaa : 0 };
	u16 count = 1 + take8(w) % 79, i;
	int len;

	for (i = 0; i < count; i++)
		path[i] = take_addr(w);
	decl = (struct fips_tree_decl){
		.node = path[0],
		.parent = path[count > 1],
		.sequence = take8(w) & 1 ? take16(w) : ~(u64)take8(w),
	};
	meta[0].sequence = decl.sequence;
	len = fips_tree_announce_build(msg, sizeof(msg), &decl, path, meta, count, sig);
	if (len > 0)
		link_msg(w, msg, (size_t)len);
}

static void do_filter(struct world *w)
{
	struct fips_bloom b = { { 0 } };
	struct fips_bloom_key key;
	struct fips_node_addr a;
	u8 msg[FIPS_FILTER_LEN], n = take8(w) % 16;

	memset(b.bits, take8(w), take16(w) % sizeof(b.bits));
	while (n--) {
		a = take_addr(w);
		fips_bloom_key(&key, &a);
		fips_bloom_insert(&b, &key);
	}
	fips_filter_build(msg, sizeof(msg), take16(w), &b);
	msg[9] = take8(w) & 3 ? FIPS_BLOOM_HASHES : 255;
	link_msg(w, msg, sizeof(msg));
}

static void do_lookup(struct world *w)
{
	struct fips_node_addr path[4];
	u8 msg[512], proof[FIPS_SIG_LEN] = { take8(w) & 1 ? 0xaa : 0 }, i;
	struct fips_lookup_request req = { .id = take8(w), .ttl = take8(w) };
	struct fips_lookup_response resp = { .id = req.id, .path_mtu = take16(w), .proof = proof };
	int len;

	for (i = 0; i < 4; i++)
		path[i] = take_addr(w);
	req.target = path[0];
	resp.target = path[0];
	req.origin = path[1];
	req.coords.addr = path;
	req.coords.count = 4;
	resp.coords = req.coords;
	len = take8(w) & 1 ? fips_lookup_request_build(msg, sizeof(msg), &req) :
			     fips_lookup_response_build(msg, sizeof(msg), &resp);
	if (len > 0)
		link_msg(w, msg, (size_t)len);
}

static void datagram(struct world *w, const struct fips_node_addr *src, const u8 *fsp, size_t len)
{
	const struct fips_datagram d = {
		.ttl = take8(w),
		.path_mtu = take16(w),
		.src = *src,
		.dst = w->kp[IDENTITIES].id.addr,
		.payload = fsp,
		.len = len,
	};
	u8 msg[2048];
	int n = fips_datagram_build(msg, sizeof(msg), &d);

	if (n > 0)
		link_msg(w, msg, (size_t)n);
}

static void do_setup(struct world *w)
{
	u8 who = take8(w) % IDENTITIES, noise[FIPS_NOISE_MSG_MAX], fsp[1024];
	struct fips_node_addr path[3] = { w->kp[who].id.addr, take_addr(w), take_addr(w) };
	const struct fips_fsp_handshake hs = {
		.phase = FIPS_FSP_SETUP,
		.src = { path, 3 },
		.dst = { path + 1, 2 },
		.noise = noise,
	};
	int n;

	fips_noise_free(w->xk[who]);
	w->xk[who] = NULL;
	w->xk_env[who] = env_of(w, who, 0);
	if (fips_noise_initiator(&w->xk_env[who], FIPS_NOISE_XK, w->kp[IDENTITIES].id.x,
				 &w->xk[who]) ||
	    fips_noise_write(w->xk[who], noise, sizeof(noise)) < 0)
		return;
	n = fips_fsp_handshake_build(fsp, sizeof(fsp), &hs);
	if (n > 0)
		datagram(w, &path[0], fsp, (size_t)n);
}

static void do_msg3(struct world *w)
{
	u8 who = take8(w) % IDENTITIES, noise[FIPS_NOISE_MSG_MAX], fsp[256];
	struct fips_fsp_handshake hs;
	int n;

	if (!w->xk[who] || fips_fsp_handshake_parse(w->ack[who], w->ack_len[who], &hs) ||
	    hs.phase != FIPS_FSP_ACK ||
	    fips_noise_read(w->xk[who], hs.noise, FIPS_NOISE_XK2_LEN, NULL) ||
	    fips_noise_write(w->xk[who], noise, sizeof(noise)) < 0)
		return;
	hs = (struct fips_fsp_handshake){ .phase = FIPS_FSP_MSG3, .noise = noise };
	n = fips_fsp_handshake_build(fsp, sizeof(fsp), &hs);
	if (n > 0)
		datagram(w, &w->kp[who].id.addr, fsp, (size_t)n);
}

static void do_datagram_bytes(struct world *w)
{
	struct fips_node_addr src = take_addr(w);
	u8 fsp[256];

	datagram(w, &src, fsp, take_bytes(w, fsp));
}

static void do_signal(struct world *w)
{
	const struct fips_fsp_signal_msg s = {
		.type = (u8)(FIPS_FSP_COORDS_REQUIRED + take8(w) % 3),
		.dst = take_addr(w),
		.reporter = take_addr(w),
		.mtu = take16(w),
	};
	struct fips_node_addr src = take_addr(w);
	u8 fsp[128];
	int n = fips_fsp_signal_build(fsp, sizeof(fsp), &s);

	if (n > 0)
		datagram(w, &src, fsp, (size_t)n);
}

static void do_session(struct world *w)
{
	struct fips_event ev = { .type = FIPS_EV_SESSION_MSG };
	u8 body[256];

	ev.session_msg.remote = take_addr(w);
	ev.session_msg.slot = take8(w) % 3;
	ev.session_msg.msg_type = take8(w);
	ev.session_msg.dgram_mtu = take16(w);
	ev.session_msg.link_id = take_link(w);
	ev.session_msg.body = body;
	ev.session_msg.len = take_bytes(w, body);
	happen(w, &ev);
}

static void do_session_upcall(struct world *w)
{
	static const enum fips_event_type types[] = {
		FIPS_EV_SESSION_UNKNOWN, FIPS_EV_SESSION_ACTIVE, FIPS_EV_SESSION_KEY_USED,
		FIPS_EV_SESSION_KEY_LIMIT,
	};
	struct fips_event ev = { .type = types[take8(w) % 4] };

	ev.session.remote = take_addr(w);
	ev.session.slot = take8(w) % 3;
	ev.session.dgram_mtu = take16(w);
	happen(w, &ev);
}

static void do_link_upcall(struct world *w)
{
	static const enum fips_event_type types[] = {
		FIPS_EV_LINK_CONFIRMED, FIPS_EV_LINK_CONFIRMED, FIPS_EV_LINK_FLOAT,
		FIPS_EV_LINK_ACTIVE, FIPS_EV_LINK_KEY_USED, FIPS_EV_LINK_KEY_LIMIT,
	};
	struct fips_event ev = { .type = types[take8(w) % 6] };

	ev.link.id = take_link(w);
	ev.link.slot = take8(w) % 3;
	ev.link.transport_id = 1;
	ev.link.remote = take_taddr(w);
	happen(w, &ev);
}

static void do_route(struct world *w)
{
	static const enum fips_event_type types[] = {
		FIPS_EV_ROUTE_MISS, FIPS_EV_MTU_EXCEEDED, FIPS_EV_ROUTE_BACK, FIPS_EV_COORDS,
	};
	struct fips_event ev = { .type = types[take8(w) % 4] };
	u8 header[256] = { 0 };

	ev.route.dest = take_addr(w);
	ev.route.link_id = take8(w) & 1 ? take_link(w) : 0;
	ev.route.header = header;
	ev.route.len = take_bytes(w, header);
	if (ev.route.len >= FIPS_DGRAM_HDR_LEN || !ev.route.link_id)
		happen(w, &ev);
}

static void do_miss(struct world *w)
{
	struct fips_event ev = { .type = FIPS_EV_SESSION_MISS };
	struct fips_node_addr a = take_addr(w);

	fips_node_addr_to_ipv6(&a, ev.miss.ipv6);
	happen(w, &ev);
}

static void do_time(struct world *w)
{
	const struct fips_event ev = { .type = FIPS_EV_TIMER };
	u64 ms = take16(w);

	if (ms & 1)	/* to the next timer */
		w->now.mono_ms = w->wake != FIPS_NEVER && w->wake > w->now.mono_ms ? w->wake :
				 w->now.mono_ms;
	else
		w->now.mono_ms += ms;
	w->now.wall_ms = 1700000000000 + w->now.mono_ms;
	happen(w, &ev);
}

static void do_odd(struct world *w)
{
	struct fips_event ev = { .type = FIPS_EV_RESYNC };
	struct fips_taddr addr = take_taddr(w);
	u8 which = take8(w) % 4;

	if (which == 1) {
		ev.type = FIPS_EV_OP_RESULT;
		ev.op.link_id = take8(w) & 1 ? take_link(w) : 0;
		ev.op.remote = take_addr(w);
		ev.op.err = -(int)(take8(w) % 40);
	} else if (which == 2) {
		ev.type = FIPS_EV_RESOLVED;
		ev.resolved.query = take8(w);
		ev.resolved.addrs = &addr;
		ev.resolved.count = take8(w) & 1;
		ev.resolved.err = ev.resolved.count ? 0 : -ENOENT;
	} else if (which == 3) {
		u8 buf[256];
		size_t len = take_bytes(w, buf);

		raw(w, buf, len);
		return;
	}
	happen(w, &ev);
}

static void do_transport(struct world *w)
{
	struct fips_event ev = { .type = take8(w) & 1 ? FIPS_EV_TRANSPORT_UP :
						       FIPS_EV_TRANSPORT_DOWN };

	ev.transport = (struct fips_transport_info){
		.id = 1,
		.kind = FIPS_TRANSPORT_UDP,
		.family = FIPS_TADDR_IPV4,
		.mtu = (u16)(600 + take8(w) * 4),
		.accept = take8(w) & 3,
	};
	happen(w, &ev);
}

static void do_command(struct world *w)
{
	static const struct fips_peer_addr addrs[] = {
		{ "udp", "10.0.0.7:2121", 1 }, { "udp", "host.example:2121", 2 },
	};
	struct fips_peer_config peers[2] = {
		{ .id = w->kp[take8(w) % IDENTITIES].id, .alias = "a", .addrs = addrs,
		  .addr_count = 2, .policy = take8(w) % 3, .auto_reconnect = true },
		{ .id = w->kp[take8(w) % IDENTITIES].id, .addrs = addrs, .addr_count = 1 },
	};
	char why[100];

	switch (take8(w) % 5) {
	case 0:
		fips_node_set_peers(w->node, &w->now, peers, 1 + (take8(w) & 1));
		return;
	case 1:
		fips_node_connect(w->node, &w->now, &peers[0].id, &addrs[take8(w) & 1], why,
				  sizeof(why));
		return;
	case 2:
		fips_node_disconnect(w->node, &w->now, &peers[0].id.addr);
		return;
	case 3:
		fips_node_learn(w->node, &w->now, &peers[0].id);
		return;
	default:
		if (take8(w) == 7)
			fips_node_drain(w->node, &w->now);
	}
}

static void do_fails(struct world *w)
{
	w->fails = take8(w);
}

static void (*const actions[])(struct world *w) = {
	do_msg1, do_link_upcall, do_msg2, do_link_bytes, do_tree, do_filter, do_lookup, do_setup,
	do_msg3, do_datagram_bytes, do_signal, do_session, do_session_upcall, do_route, do_miss,
	do_time, do_odd, do_transport, do_command, do_fails,
};

/* ---- a run ---- */

static void check(const struct world *w)
{
	struct fips_node_view v;

	fips_node_view(w->node, &w->now, &v);
	FUZZ_CHECK(v.sessions <= NODE_SESSIONS);
	FUZZ_CHECK(w->node->n_halves <= NODE_HALF_OPEN);
	FUZZ_CHECK(v.peers <= w->node->timing.limits.max_peers);
	FUZZ_CHECK(v.links + v.legs <= LINKS);
	FUZZ_CHECK(w->wake == FIPS_NEVER || w->wake <= w->now.mono_ms + (u64)400 * 86400000);
}

static void world_begin(struct world *w, struct fips_pk_ops *ops)
{
	struct fips_node_setup setup = { .pk = &w->pk, .ops = &node_ops, .dp = &dp_ops };
	u8 sec[32] = { 0x11 };
	int i;

	*ops = fake_ops;
	ops->sign = fake_sign;
	ops->verify = fake_verify;
	w->pk = (struct fips_pk){ .ops = ops };
	w->now = (struct fips_clock){ 1000, 1700000001000 };
	w->wake = FIPS_NEVER;
	FUZZ_CHECK(!fips_secrets_new(&w->secrets));
	for (i = 0; i <= IDENTITIES; i++) {
		sec[7] = (u8)(i + 1);
		FUZZ_CHECK(!fips_keypair_from_secret(&w->kp[i], &w->pk, w->secrets, sec));
	}
	setup.keypair = &w->kp[IDENTITIES];
	setup.secrets = w->secrets;
	setup.rng = (struct fips_rng){ world_random, w };
	setup.wall_ms = w->now.wall_ms;
	fips_node_timing_defaults(&setup.timing);
	setup.ctx = w;
	setup.dp_ctx = w;
	FUZZ_CHECK(!fips_node_new(&setup, &w->node));
}

static void world_end(struct world *w)
{
	int i;

	w->fails = 0;
	fips_node_free(w->node);
	FUZZ_CHECK(!w->n_links);
	for (i = 0; i < IDENTITIES; i++)
		fips_noise_free(w->xk[i]);
	for (i = 0; i <= IDENTITIES; i++)
		fips_keypair_destroy(&w->kp[i]);
	FUZZ_CHECK(!fips_secrets_used(w->secrets));
	fips_secrets_destroy(w->secrets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t n_actions = sizeof(actions) / sizeof(actions[0]);
	const struct fips_event up = {
		.type = FIPS_EV_TRANSPORT_UP,
		.transport = { .id = 1, .family = FIPS_TADDR_IPV4, .mtu = 1472, .accept = true },
	};
	static struct world w;
	struct fips_pk_ops ops;
	int i;

	memset(&w, 0, sizeof(w));
	w.in = data;
	w.left = size;
	world_begin(&w, &ops);
	happen(&w, &up);
	for (i = 0; i < EVENTS && w.left; i++) {
		actions[take8(&w) % n_actions](&w);
		check(&w);
	}
	world_end(&w);
	return 0;
}
