// SPDX-License-Identifier: MIT
/* The attacker as a session partner: XK by way of the victim. */
#include <errno.h>
#include <stdio.h>

#include "foe.h"

#define OPEN_MS		5000
#define AGAIN_MS	500

/* Where @addr may be, for coordinate lists: the victim, ourselves below it, or below us. */
static struct fips_coords coords_below(const struct foe *f, const struct fips_node_addr *addr,
				       struct fips_node_addr *path)
{
	u16 extra = 0;

	if (!fips_node_addr_eq(addr, &f->victim.id.addr))
		path[extra++] = *addr;
	if (extra && !fips_node_addr_eq(addr, &f->link.as))
		path[extra++] = f->link.as;
	memcpy(path + extra, f->path, f->path_count * sizeof(*path));
	return (struct fips_coords){ .addr = path, .count = (u16)(f->path_count + extra) };
}

/* A Setup of @src with @xk1, 33 bytes, as its Noise message. Return: its length. */
size_t foe_setup_build(struct foe *f, const struct fips_node_addr *src, const u8 *xk1, u8 *buf)
{
	struct fips_node_addr a[2 + FIPS_COORDS_DEPTH], b[2 + FIPS_COORDS_DEPTH];
	const struct fips_fsp_handshake hs = {
		.phase = FIPS_FSP_SETUP,
		.flags = FIPS_FSP_SETUP_REQUEST_ACK | FIPS_FSP_SETUP_BIDIRECTIONAL,
		.src = coords_below(f, src, a),
		.dst = coords_below(f, &f->victim.id.addr, b),
		.noise = xk1,
	};
	int n = fips_fsp_handshake_build(buf, FOE_ROOM, &hs);

	if (n < 0)
		foe_die("no Setup: %d", n);
	return (size_t)n;
}

static void session_msg3(struct foe *f, struct foe_session *s)
{
	u8 noise[FIPS_NOISE_MSG_MAX], buf[FOE_ROOM];
	const struct fips_fsp_handshake hs = { .phase = FIPS_FSP_MSG3, .noise = noise };
	int n;

	if (fips_noise_write(s->hs, noise, sizeof(noise)) < 0 ||
	    fips_noise_split(s->hs, &s->keys))
		foe_die("no msg3");
	n = fips_fsp_handshake_build(buf, sizeof(buf), &hs);
	if (n < 0)
		foe_die("no msg3: %d", n);
	foe_datagram(f, &f->self.id.addr, &s->remote.addr, 64, buf, (size_t)n);
	s->since = foe_now();
	s->up = true;
}

static void session_hear(struct foe *f, const u8 *msg, size_t len)
{
	struct foe_session *s = f->ctx;
	struct fips_link_message m;
	struct fips_fsp_handshake hs;

	if (!s || s->up || fips_link_message_parse(msg, len, &m) ||
	    m.type != FIPS_LINK_DATAGRAM ||
	    !fips_node_addr_eq(&m.datagram.src, &s->remote.addr) ||
	    fips_fsp_handshake_parse(m.datagram.payload, m.datagram.len, &hs) ||
	    hs.phase != FIPS_FSP_ACK)
		return;
	if (!fips_noise_read(s->hs, hs.noise, FIPS_NOISE_XK2_LEN, NULL))
		session_msg3(f, s);
}

/* An honest session with @who; false if it did not come about. */
bool foe_session_open(struct foe *f, struct foe_session *s, const struct foe_host *who)
{
	u8 xk1[FIPS_NOISE_MSG_MAX], buf[FOE_ROOM];
	u64 end = foe_now() + OPEN_MS, again = 0;
	size_t len;

	memset(s, 0, sizeof(*s));
	s->remote = who->id;
	f->ctx = s;
	f->hear = session_hear;
	if (fips_noise_initiator(&f->env, FIPS_NOISE_XK, who->id.x, &s->hs) ||
	    fips_noise_write(s->hs, xk1, sizeof(xk1)) < 0)
		foe_die("no session handshake");
	len = foe_setup_build(f, &f->self.id.addr, xk1, buf);
	while (!s->up && foe_now() < end) {
		if (foe_now() >= again) {
			foe_datagram(f, &f->self.id.addr, &who->id.addr, 64, buf, len);
			again = foe_now() + AGAIN_MS;
		}
		foe_pump(f, 2);
	}
	return s->up;
}

void foe_session_close(struct foe_session *s)
{
	fips_noise_free(s->hs);
	fips_noise_keys_wipe(&s->keys);
}

/* An encrypted message; @body is what follows the inner header. */
void foe_session_say(struct foe *f, struct foe_session *s, u8 type, const u8 *body, size_t len)
{
	struct fips_fsp_header hdr = { .counter = s->ctr++ };
	const struct fips_fsp_inner inner = {
		.timestamp = (u32)(foe_now() - s->since),
		.type = type,
		.body = body,
		.len = len,
	};
	u8 plain[FOE_ROOM], buf[FOE_ROOM];
	int n = fips_fsp_inner_build(plain, sizeof(plain), &inner);

	if (n > 0)
		n = fips_fsp_seal(s->keys.tx, &hdr, plain, (size_t)n, buf, sizeof(buf));
	if (n < 0)
		foe_die("session seal: %d", n);
	foe_datagram(f, &f->self.id.addr, &s->remote.addr, 64, buf, (size_t)n);
}
