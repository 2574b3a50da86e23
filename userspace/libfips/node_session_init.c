// SPDX-License-Identifier: MIT
/*
 * Sessions we ask for (spec 08 §4.1): Setup, Ack, Msg3, and Msg3 again until
 * the far end has shown that it got it (§18 item 1).
 */

#include <errno.h>

#include "node_internal.h"

static int init_setup(const struct fips_node *n, const struct node_session *s, const u8 *msg1,
		      u8 *buf, size_t room)
{
	const struct fips_fsp_handshake hs = {
		.phase = FIPS_FSP_SETUP,
		.src = node_coords_own(n),
		.dst = node_coords_of(n, &s->remote),
		.noise = msg1,
	};

	return fips_fsp_handshake_build(buf, room, &hs);
}

/*
 * Send the Setup; @h is not in the session yet. Return: length of the Setup in
 * @setup or a negative errno.
 */
static int init_send(struct fips_node *n, struct node_session *s, struct fips_noise *noise,
		     u8 *setup, size_t room, u8 *msg1)
{
	int len, ret = fips_noise_write(noise, msg1, FIPS_NOISE_MSG_MAX);

	if (ret < 0)
		return ret;
	len = init_setup(n, s, msg1, setup, room);
	if (len < 0)
		return len;
	ret = node_session_prepare(n, s);
	if (!ret)
		ret = node_session_send(n, &s->remote, setup, (size_t)len);
	return ret ? ret : len;
}

/* Send a Setup; the handshake becomes the session's own. */
static int init_begin(struct fips_node *n, struct node_session *s)
{
	u8 setup[NODE_COORDS_ROOM + 128], msg1[FIPS_NOISE_MSG_MAX];
	struct fips_noise *noise;
	struct node_half *h;
	int len, ret;

	/* The route first: a handshake that can't be sent is work for nothing (08 §18 item 8). */
	if (!node_route_peer(n, &s->remote))
		return -EHOSTUNREACH;
	ret = fips_noise_initiator(&n->env, FIPS_NOISE_XK, s->id.x, &noise);
	if (ret)
		return ret;
	len = init_send(n, s, noise, setup, sizeof(setup), msg1);
	if (len < 0) {
		fips_noise_free(noise);
		return len;
	}
	h = node_half_new(n, s, noise, msg1);	/* XK msg1 is the ephemeral */
	if (!h)
		return -ENOMEM;
	s->own = h;
	ret = node_half_keep(n, h, setup, (size_t)len);
	if (ret) {
		node_half_free(n, h);
		return ret;
	}
	return 0;
}

/**
 * node_session_initiate() - ask for a session
 * @n: node
 * @s: session with a known identity, without an own handshake
 *
 * Return: 0; a negative errno if it could not be sent: then the state is as before.
 */
int node_session_initiate(struct fips_node *n, struct node_session *s)
{
	int ret = init_begin(n, s);

	if (!ret)
		node_session_enter(n, s, NODE_SESSION_INITIATING);
	return ret;
}

/**
 * node_session_renew() - ask for new keys of an established session
 * @n: node
 * @s: session without an own handshake
 * @repeat: until an answer comes
 *
 * Without @repeat the Setup goes out once: a reference that has the session takes a second one
 * for another handshake (02 §12.5).
 *
 * Return: 0 or a negative errno.
 */
int node_session_renew(struct fips_node *n, struct node_session *s, bool repeat)
{
	int ret = init_begin(n, s);

	if (!ret && !repeat)
		fips_timer_del(&n->timers, &s->own->resend);
	return ret;
}

void node_session_send_msg3(struct fips_node *n, struct node_session *s)
{
	s->msg3_sent = n->now.mono_ms;
	if (node_session_send(n, &s->remote, s->msg3, s->msg3_len) == -EHOSTUNREACH) {
		s->msg3_sent = 0;
		node_lookup_start(n, &s->remote);	/* its end sends it once more */
	}
}

/*
 * A far end that still had a session takes ours for a rekey and goes on with
 * its old keys until it sees the new ones (02 §12.5). If we have no data, a
 * small frame shows them.
 */
static void init_prove(struct fips_node *n, const struct node_session *s)
{
	struct fips_dp_session_info info = { .tx_counter = 0 };

	if (!s->msg3_resends && !n->dp->session_get(n->dp_ctx, &s->remote, &info) &&
	    info.tx_counter)
		return;
	n->dp->session_xmit(n->dp_ctx, &s->remote, FIPS_KEY_SLOT_CURRENT, FIPS_FSP_COORDS_WARMUP,
			    true, NULL, 0);
}

void node_session_msg3_stop(struct fips_node *n, struct node_session *s)
{
	fips_timer_del(&n->timers, &s->msg3_timer);
	s->msg3_len = 0;
}

static void init_schedule_msg3(struct fips_node *n, struct node_session *s)
{
	u64 end = s->established + node_handshake_timeout(n);
	u64 next = n->now.mono_ms + (s->msg3_resends ? node_resend_delay(n, s->msg3_resends) :
						       NODE_FIRST_RESEND_MS);

	if (s->msg3_resends >= n->timing.rate_limit.handshake_max_resends || next > end)
		next = end;
	fips_timer_set(&n->timers, &s->msg3_timer, next);
}

/*
 * Nothing has come under the new keys: perhaps msg3 was lost. After the
 * handshake timeout the session is given up; the next packet asks for a new one.
 */
void node_session_msg3_timer(void *owner, struct fips_timer *t)
{
	struct node_session *s = node_container(t, struct node_session, msg3_timer);
	struct fips_dp_session_info info = { .last_rx_ms = FIPS_NEVER };
	struct fips_node *n = owner;

	if (s->probing) {
		node_session_rekey_timer(n, s);
		return;
	}
	if (!n->dp->session_get(n->dp_ctx, &s->remote, &info) && info.last_rx_ms != FIPS_NEVER) {
		node_session_key_used(n, &s->remote, FIPS_KEY_SLOT_CURRENT);
		return;
	}
	if (n->now.mono_ms >= s->established + node_handshake_timeout(n)) {
		node_log(n, FIPS_LOG_DEBUG, "session with %s was never confirmed", s->id.npub);
		node_session_free(n, s);
		return;
	}
	node_session_send_msg3(n, s);
	s->msg3_resends++;
	init_prove(n, s);
	init_schedule_msg3(n, s);
}

static int init_msg3(struct node_session *s, struct fips_noise *noise)
{
	u8 buf[FIPS_NOISE_MSG_MAX];
	const struct fips_fsp_handshake hs = { .phase = FIPS_FSP_MSG3, .noise = buf };
	int ret = fips_noise_write(noise, buf, sizeof(buf));

	if (ret < 0)
		return ret;
	ret = fips_fsp_handshake_build(s->msg3, sizeof(s->msg3), &hs);
	if (ret < 0)
		return ret;
	s->msg3_len = (size_t)ret;
	return 0;
}

/* A duplicate Ack: the far end waits for msg3. An Ack is easily forged, hence the gap. */
static void init_ack_again(struct fips_node *n, struct node_session *s)
{
	if (!s->msg3_len || s->state != NODE_SESSION_ESTABLISHED) {
		n->counters.session_bad_state++;
		return;
	}
	if (n->now.mono_ms - s->msg3_sent >= NODE_MSG3_GAP_MS)
		node_session_send_msg3(n, s);
}

/*
 * Ours is through. If the far end is the smaller address its handshakes stay: where both have
 * answered the other before their own Ack came, both are through, and it will stand by its own
 * (08 §4.3). Its msg3 then counts as that of a rekey, and ours to it as nothing.
 */
static void init_through(struct fips_node *n, struct node_session *s)
{
	if (fips_node_addr_cmp(&n->env.self->id.addr, &s->remote) < 0)
		node_half_drop_all(n, s);
	else
		node_half_free(n, s->own);
}

/* 08 §5.3. An Ack that does not authenticate leaves the handshake as it was. */
void node_session_ack(struct fips_node *n, const struct fips_node_addr *src,
		      const struct fips_fsp_handshake *hs)
{
	struct node_session *s = node_session_find(n, src);
	int ret;

	if (!s) {
		n->counters.session_unknown++;
		return;
	}
	if (!s->own) {
		init_ack_again(n, s);
		return;
	}
	if (fips_noise_read(s->own->noise, hs->noise, FIPS_NOISE_XK2_LEN, NULL)) {
		n->counters.session_ack_failed++;
		return;
	}
	ret = init_msg3(s, s->own->noise);
	if (!ret && s->state == NODE_SESSION_ESTABLISHED) {
		node_session_rekey_ack(n, s);
		return;
	}
	if (!ret) {
		/* Ahead of the keys: they set staged packets free, which must not overtake it. */
		node_session_send_msg3(n, s);
		ret = node_session_install(n, s, s->own->noise);
	}
	if (ret && s->state == NODE_SESSION_ESTABLISHED) {
		node_session_rekey_failed(n, s);
		return;
	}
	if (ret) {
		node_log(n, FIPS_LOG_WARN, "session with %s failed: %d", s->id.npub, ret);
		node_session_free(n, s);
		return;
	}
	init_through(n, s);
	s->initiator = true;
	s->confirmed = false;
	s->msg3_resends = 0;
	node_session_enter(n, s, NODE_SESSION_ESTABLISHED);
	init_prove(n, s);
	init_schedule_msg3(n, s);
}
