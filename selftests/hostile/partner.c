// SPDX-License-Identifier: MIT
/* Session partners, and sources that the attacker invents for sessions (spec 08 §17). */
#include <stdio.h>

#include "foe.h"

/* A Setup of @src to @dst with a fresh ephemeral. */
static void setup_as(struct foe *f, const struct fips_node_addr *src, const struct foe_host *dst)
{
	u8 xk1[FIPS_NOISE_MSG_MAX], fsp[FOE_ROOM];
	struct fips_noise *hs;

	if (fips_noise_initiator(&f->env, FIPS_NOISE_XK, dst->id.x, &hs) ||
	    fips_noise_write(hs, xk1, sizeof(xk1)) < 0)
		foe_die("no Setup");
	fips_noise_free(hs);
	foe_datagram(f, src, &dst->id.addr, 64, fsp, foe_setup_build(f, src, xk1, fsp));
}

static void setup_flood(struct foe *f, double seconds)
{
	struct fips_node_addr src;
	struct foe_pace p;

	p = foe_pace_joined(f, seconds, 1000);
	while (foe_pace_next(f, &p)) {
		foe_random(&src, sizeof(src));
		setup_as(f, &src, &f->victim);
	}
}

/* In the name of the other: squats the half-open slot, and vetoes rekeys. */
static void setup_squat(struct foe *f, double seconds)
{
	struct foe_pace p;
	u32 i;

	p = foe_pace_joined(f, seconds, 100);
	for (i = 0; foe_pace_next(f, &p); i++) {
		if (i % 2)
			setup_as(f, &f->near.id.addr, &f->far);
		else
			setup_as(f, &f->far.id.addr, &f->near);
		setup_as(f, &f->near.id.addr, &f->victim);
	}
}

/* msg3s that are none, for handshakes that are and that are not. */
static void msg3_garbage(struct foe *f, double seconds)
{
	u8 noise[FIPS_NOISE_XK3_LEN], fsp[256];
	struct foe_pace p;
	u32 i;

	p = foe_pace_joined(f, seconds, 300);
	for (i = 0; foe_pace_next(f, &p); i++) {
		const struct fips_fsp_handshake hs = { .phase = FIPS_FSP_MSG3, .noise = noise };
		const struct fips_node_addr *src = i % 2 ? &f->near.id.addr : &f->self.id.addr;
		int n;

		if (i % 10 == 0)
			setup_as(f, src, &f->victim);
		foe_random(noise, sizeof(noise));
		n = fips_fsp_handshake_build(fsp, sizeof(fsp), &hs);
		if (n > 0)
			foe_datagram(f, src, &f->victim.id.addr, 64, fsp, (size_t)n);
	}
}

/* Acks to handshakes of others. */
static void ack_garbage(struct foe *f, double seconds)
{
	u8 noise[FIPS_NOISE_XK2_LEN], fsp[512];
	struct foe_pace p;

	p = foe_pace_joined(f, seconds, 300);
	while (foe_pace_next(f, &p)) {
		const struct fips_fsp_handshake hs = {
			.phase = FIPS_FSP_ACK,
			.src = { .addr = &f->near.id.addr, .count = 1 },
			.dst = { .addr = &f->victim.id.addr, .count = 1 },
			.noise = noise,
		};
		int n;

		foe_random(noise, sizeof(noise));
		memcpy(noise, f->self.id.pub33, FIPS_PUB33_LEN);
		n = fips_fsp_handshake_build(fsp, sizeof(fsp), &hs);
		if (n > 0)
			foe_datagram(f, &f->near.id.addr, &f->victim.id.addr, 64, fsp, (size_t)n);
	}
}

/*
 * The shim carries no addresses: the source of what is delivered is the session's.
 * A whole IPv6 packet with another source instead of a shim is the next best try.
 */
static void inner_spoof(struct foe *f, double seconds)
{
	struct foe_session s;
	struct foe_pace p;
	u8 body[4 + 100];
	u32 i;

	foe_join(f);
	foe_settle(f);
	if (!foe_session_open(f, &s, &f->victim))
		foe_die("no session");
	foe_begin(f);
	p = foe_pace(seconds, 1000);
	for (i = 0; foe_pace_next(f, &p); i++) {
		foe_random(body, sizeof(body));
		fips_put_le16(body, FIPS_PORT_IPV6);
		fips_put_le16(body + 2, FIPS_PORT_IPV6);
		body[4] = 0x60;
		memcpy(body + 4 + 8, f->near.id.ipv6, FIPS_IPV6_LEN);
		memcpy(body + 4 + 24, f->victim.id.ipv6, FIPS_IPV6_LEN);
		foe_session_say(f, &s, FIPS_FSP_DATA, body, i % 3 ? sizeof(body) : i % 12);
	}
	foe_session_close(&s);
}

static void mtu_lies(struct foe *f, double seconds)
{
	static const u16 lies[] = { 0, 100, 255, 256, 65535, 1 };
	struct foe_session s;
	struct foe_pace p;
	u8 body[2];
	u32 i;

	foe_join(f);
	foe_settle(f);
	if (!foe_session_open(f, &s, &f->victim))
		foe_die("no session");
	foe_begin(f);
	p = foe_pace(seconds, 500);
	for (i = 0; foe_pace_next(f, &p); i++) {
		fips_put_le16(body, lies[i % 6]);
		foe_session_say(f, &s, FIPS_FSP_PATH_MTU, body, sizeof(body));
	}
	foe_session_close(&s);
}

/* Data to every FSP port, and UDP packets to every port behind the shim. */
static void port_scan(struct foe *f, double seconds)
{
	struct foe_session s;
	struct foe_pace p;
	u8 body[4 + FIPS_SHIM_LEN + 8];
	u32 i;

	foe_join(f);
	foe_settle(f);
	if (!foe_session_open(f, &s, &f->victim))
		foe_die("no session");
	foe_begin(f);
	p = foe_pace(seconds, 3000);
	for (i = 0; foe_pace_next(f, &p); i++) {
		memset(body, 0, sizeof(body));
		fips_put_le16(body, 40000);
		fips_put_le16(body + 2, (u16)(i & 1 ? FIPS_PORT_IPV6 : i));
		body[4 + 5] = 17;	/* next header; hop limit */
		body[4 + 6] = 64;
		body[4 + FIPS_SHIM_LEN + 2] = (u8)(i >> 8);
		body[4 + FIPS_SHIM_LEN + 3] = (u8)i;
		body[4 + FIPS_SHIM_LEN + 5] = 8;
		foe_session_say(f, &s, FIPS_FSP_DATA, body, sizeof(body));
	}
	foe_session_close(&s);
}

/* Sessions of ever new identities, complete ones, all by way of one link. */
static void session_flood(struct foe *f, double seconds)
{
	struct fips_keypair neighbour, other;
	struct foe_session s;
	struct foe_pace p;

	foe_join(f);
	foe_settle(f);
	neighbour = f->self;
	foe_begin(f);
	p = foe_pace(seconds, 100);
	while (foe_pace_next(f, &p)) {
		if (fips_keypair_generate(&other, &f->pk, f->secrets, &f->env.rng))
			foe_die("no key");
		f->self = other;
		foe_session_open(f, &s, &f->victim);
		foe_session_close(&s);
		f->self = neighbour;
		fips_keypair_destroy(&other);
	}
	f->ctx = NULL;
}

const struct foe_attack foe_session_attacks[] = {
	{ "setup-flood", "session", "status .handshakes.session_setup_rate_limited", 3,
	  setup_flood, false, "1,000 Setups a second of sources that do not exist" },
	{ "setup-squat", "session", "status .handshakes.session_setup_rate_limited", 4,
	  setup_squat, false, "Setups of the honest nodes to each other and to the victim" },
	{ "msg3-garbage", "session", "status .handshakes.session_msg3_failed", 3, msg3_garbage,
	  false, "msg3s that are none, for half-open handshakes" },
	{ "ack-garbage", "session", "status .handshakes.session_unknown", 3, ack_garbage, false,
	  "Acks in a neighbour's name" },
	{ "inner-spoof", "session", "status .dataplane.drops.shim_format", 3, inner_spoof, false,
	  "whole IPv6 packets of another source in a session" },
	{ "mtu-lies", "session", "routing .error_signals.path_mtu_notif_below_floor", 3, mtu_lies,
	  false, "path MTUs of 0 to 65535, 500 a second" },
	{ "port-scan", "session", "status .session_no_port", 3, port_scan, false,
	  "every port, 3,000 a second" },
	{ "session-flood", "session", "status .handshakes.session_setup_rate_limited", 5,
	  session_flood, false, "complete sessions of ever new identities over one link" },
	{ .name = NULL },
};
