// SPDX-License-Identifier: MIT
/*
 * Liars that say more than they should: messages every few milliseconds to all
 * their neighbours, and answers to what they hear. See lies.c for those that
 * change what they say anyway.
 */
#include "bloom.h"
#include "fmp.h"
#include "fsp.h"
#include "lookup_codec.h"
#include "mesh.h"
#include "node.h"

#define LIE_EVERY	(50 * SIM_MS)
#define LIE_ROOM	2048

/**
 * struct lie_to - a neighbour that is lied to
 * @n: the liar
 * @link_id: its link
 * @addr: the neighbour
 * @other: some other node of the mesh
 */
struct lie_to {
	struct sim_node *n;
	u32 link_id;
	struct fips_node_addr addr;
	const struct sim_node *other;
};

void sim_lie_send(struct sim_node *n, u32 link_id, const void *msg, size_t len)
{
	struct fips_core_out out;

	sim_plane_out(n, &out, FIPS_LANE_TX, SIM_TX_LINK);
	n->type = *(const u8 *)msg;
	n->sim->lies++;
	fips_core_link_xmit(n->core, &out, sim_node_mono_ms(n), link_id, FIPS_KEY_SLOT_CURRENT,
			    msg, len);
	sim_plane_after(n);
}

static struct fips_node_addr lie_nobody(struct sim_node *n)
{
	struct fips_node_addr a;

	sim_rng_bytes(&n->rng_lies, a.b, sizeof(a.b));
	return a;
}

/* Where @who is: right behind the liar. */
static struct fips_coords lie_coords(struct sim_node *n, const struct fips_node_addr *who,
				     struct fips_node_addr path[3])
{
	struct sim_mesh_view v;

	path[0] = *who;
	path[1] = n->kp.id.addr;
	sim_mesh_view(n, &v);
	path[2] = v.coords[v.depth - 1];
	return (struct fips_coords) { .count = fips_node_addr_eq(&path[1], &path[2]) ? 2 : 3,
				      .addr = path };
}

/* A datagram of @src for @dst. */
static void lie_datagram(const struct lie_to *t, const struct fips_node_addr *src,
			 const struct fips_node_addr *dst, const u8 *payload, int len)
{
	const struct fips_datagram dgram = {
		.ttl = 64,
		.path_mtu = 1280,
		.src = *src,
		.dst = *dst,
		.payload = payload,
		.len = (size_t)len,
	};
	u8 msg[LIE_ROOM];

	len = len > 0 ? fips_datagram_build(msg, sizeof(msg), &dgram) : len;
	if (len > 0)
		sim_lie_send(t->n, t->link_id, msg, (size_t)len);
}

/* ---- what it says ---- */

/* A declaration or a filter of its own, again and again: the newest, one higher. */
static void lie_flood_tree(const struct lie_to *t)
{
	struct sim_mesh_view v;
	struct fips_mesh_view m;
	struct fips_clock now = sim_node_clock(t->n);
	u8 msg[LIE_ROOM];
	size_t len;

	fips_node_mesh_view(t->n->node, &now, &m);
	sim_mesh_view(t->n, &v);
	len = sim_lie_announce(t->n, m.sequence + UINT64_C(1000000) + t->n->sim->lies, &v, msg,
			       sizeof(msg));
	if (len)
		sim_lie_send(t->n, t->link_id, msg, len);
}

static void lie_flood_filter(const struct lie_to *t)
{
	struct fips_bloom f = { .bits = { 0 } };
	struct fips_bloom_key key;
	u8 msg[FIPS_FILTER_LEN];

	fips_bloom_key(&key, &t->n->kp.id.addr);
	fips_bloom_insert(&f, &key);
	f.bits[t->n->sim->lies % FIPS_BLOOM_BYTES] |= 1;
	if (fips_filter_build(msg, sizeof(msg), UINT64_C(1000000) + t->n->sim->lies, &f) > 0)
		sim_lie_send(t->n, t->link_id, msg, sizeof(msg));
}

static void lie_flood_lookup(const struct lie_to *t)
{
	struct fips_node_addr path[3];
	struct fips_lookup_request req = {
		.target = t->other->kp.id.addr,
		.origin = t->n->kp.id.addr,
		.ttl = 64,
		.coords = lie_coords(t->n, &t->n->kp.id.addr, path),
	};
	u8 msg[LIE_ROOM];
	u32 i;
	int len;

	for (i = 0; i < 8; i++) {
		req.id = sim_rng_next(&t->n->rng_lies);
		len = fips_lookup_request_build(msg, sizeof(msg), &req);
		if (len > 0)
			sim_lie_send(t->n, t->link_id, msg, (size_t)len);
	}
}

static int lie_handshake(const struct lie_to *t, u8 phase, const struct fips_node_addr *src,
			 const struct fips_node_addr *dst, u8 *buf, size_t room)
{
	struct fips_node_addr a[3], b[3];
	u8 noise[256];
	const struct fips_fsp_handshake hs = {
		.phase = phase,
		.src = lie_coords(t->n, src, a),
		.dst = lie_coords(t->n, dst, b),
		.noise = noise,
	};

	sim_rng_bytes(&t->n->rng_lies, noise, sizeof(noise));
	noise[0] = 2;	/* a point of the curve, every second time */
	return fips_fsp_handshake_build(buf, room, &hs);
}

/* @src says that it is behind the liar, and so is @dst. */
static void lie_setup(const struct lie_to *t, const struct fips_node_addr *src,
		      const struct fips_node_addr *dst)
{
	u8 buf[LIE_ROOM];

	lie_datagram(t, src, dst, buf,
		     lie_handshake(t, FIPS_FSP_SETUP, src, dst, buf, sizeof(buf)));
}

static void lie_poison(const struct lie_to *t)
{
	struct sim_node *far = &t->n->sim->nodes[sim_rng_below(&t->n->rng_lies,
							       t->n->sim->n_nodes)];

	lie_setup(t, &t->other->kp.id.addr, &far->kp.id.addr);
}

static void lie_fill_coords(const struct lie_to *t)
{
	struct fips_node_addr a, b;
	u32 i;

	for (i = 0; i < 16; i++) {
		a = lie_nobody(t->n);
		b = lie_nobody(t->n);
		lie_setup(t, &a, &b);
	}
}

static void lie_setups(const struct lie_to *t)
{
	struct fips_node_addr a;
	u32 i;

	for (i = 0; i < 16; i++) {
		a = lie_nobody(t->n);
		lie_setup(t, &a, &t->addr);
	}
}

static void lie_acks(const struct lie_to *t)
{
	u8 phase = t->n->sim->lies & 1 ? FIPS_FSP_ACK : FIPS_FSP_MSG3;
	u8 buf[LIE_ROOM];

	lie_datagram(t, &t->other->kp.id.addr, &t->addr, buf,
		     lie_handshake(t, phase, &t->other->kp.id.addr, &t->addr, buf, sizeof(buf)));
}

static void lie_signals(const struct lie_to *t)
{
	static const u8 types[] = { FIPS_FSP_COORDS_REQUIRED, FIPS_FSP_PATH_BROKEN,
				    FIPS_FSP_MTU_EXCEEDED };
	const struct fips_fsp_signal_msg sig = {
		.type = types[t->n->sim->lies % 3],
		.dst = t->other->kp.id.addr,
		.reporter = t->n->kp.id.addr,
		.mtu = 100,
	};
	u8 buf[LIE_ROOM];

	lie_datagram(t, &t->n->kp.id.addr, &t->addr, buf,
		     fips_fsp_signal_build(buf, sizeof(buf), &sig));
}

static void lie_sources(const struct lie_to *t)
{
	const struct fips_node_addr nobody = lie_nobody(t->n);
	u8 buf[64] = { 0 };

	fips_put_prefix(buf, FIPS_FSP_ESTABLISHED, 0, sizeof(buf) - FIPS_FSP_MIN_LEN);
	lie_datagram(t, &t->other->kp.id.addr, &nobody, buf, sizeof(buf));
}

/* ---- when ---- */

static const struct {
	enum sim_lie lie;
	void (*say)(const struct lie_to *t);
} lies_more[] = {
	{ SIM_LIE_TREE_FLOOD, lie_flood_tree },
	{ SIM_LIE_FILTER_FLOOD, lie_flood_filter },
	{ SIM_LIE_LOOKUP_FLOOD, lie_flood_lookup },
	{ SIM_LIE_COORDS_POISON, lie_poison },
	{ SIM_LIE_COORDS_FILL, lie_fill_coords },
	{ SIM_LIE_SIGNALS, lie_signals },
	{ SIM_LIE_SOURCES, lie_sources },
	{ SIM_LIE_SETUPS, lie_setups },
	{ SIM_LIE_ACKS, lie_acks },
};

static void lie_peer(void *arg, const struct fips_peer_view *v)
{
	struct sim_node *n = arg;
	struct lie_to t = { .n = n, .link_id = v->link_id, .addr = v->id->addr };
	u32 i;

	t.other = &n->sim->nodes[sim_rng_below(&n->rng_lies, n->sim->n_nodes)];
	for (i = 0; i < sizeof(lies_more) / sizeof(lies_more[0]); i++)
		if (sim_lies(n, lies_more[i].lie))
			lies_more[i].say(&t);
}

static void lie_fire(struct sim *s, struct sim_timer *t)
{
	struct sim_node *n = sim_container(t, struct sim_node, lie);
	struct fips_clock now;

	sim_timer_set(s, t, s->now + LIE_EVERY);
	if (!sim_node_runs(n) || s->settle)
		return;
	now = sim_node_clock(n);
	fips_node_each_peer(n->node, &now, lie_peer, n);
}

void sim_lie_start(struct sim_node *n)
{
	u32 i;

	n->sim->liars = true;
	n->lie.fire = lie_fire;
	for (i = 0; i < sizeof(lies_more) / sizeof(lies_more[0]); i++)
		if (sim_lies(n, lies_more[i].lie))
			sim_timer_set(n->sim, &n->lie, n->sim->now + LIE_EVERY);
}

/* ---- what it makes of what it hears ---- */

/* "It is right behind me", with a proof that is none. */
static void lie_garbage(struct sim_node *n, u32 link_id, const struct fips_lookup_request *req)
{
	struct fips_node_addr path[3];
	u8 proof[FIPS_SIG_LEN], msg[LIE_ROOM];
	const struct fips_lookup_response resp = {
		.id = req->id,
		.target = req->target,
		.path_mtu = 1280,
		.coords = lie_coords(n, &req->target, path),
		.proof = proof,
	};
	int len;

	sim_rng_bytes(&n->rng_lies, proof, sizeof(proof));
	len = fips_lookup_response_build(msg, sizeof(msg), &resp);
	if (len > 0)
		sim_lie_send(n, link_id, msg, (size_t)len);
}

bool sim_lie_event(struct sim_node *n, const struct fips_event *ev)
{
	struct fips_lookup_request req;
	const u8 *msg = ev->link_msg.msg;
	size_t len = ev->link_msg.len;

	if (ev->type == FIPS_EV_ROUTE_MISS && ev->route.link_id &&
	    sim_lies(n, SIM_LIE_BLACKHOLE)) {
		n->sim->lies++;
		return false;
	}
	if (ev->type != FIPS_EV_LINK_MSG || !len)
		return true;
	if (msg[0] == FIPS_LINK_LOOKUP_REQUEST && sim_lies(n, SIM_LIE_LOOKUP_ECHO))
		sim_lie_send(n, ev->link_msg.id, msg, len);
	if (msg[0] == FIPS_LINK_LOOKUP_REQUEST && sim_lies(n, SIM_LIE_LOOKUP_GARBAGE) &&
	    !fips_lookup_request_parse(msg + 1, len - 1, &req))
		lie_garbage(n, ev->link_msg.id, &req);
	/* To him who has it from elsewhere, or has sent it himself: nobody asked for it. */
	if (msg[0] == FIPS_LINK_LOOKUP_RESPONSE && sim_lies(n, SIM_LIE_LOOKUP_REPLAY)) {
		u8 again[LIE_ROOM];

		memcpy(again, msg, len < sizeof(again) ? len : 0);
		again[1] ^= 0x55;
		if (len < sizeof(again))
			sim_lie_send(n, ev->link_msg.id, again, len);
	}
	return true;
}
