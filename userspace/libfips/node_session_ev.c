// SPDX-License-Identifier: MIT
/* What reaches the session layer from below: datagrams for us, misses, key events. */

#include <errno.h>

#include "node_internal.h"

static void session_handshake(struct fips_node *n, struct node_peer *via,
			      const struct fips_datagram *dgram)
{
	struct fips_fsp_handshake hs;

	if (fips_fsp_handshake_parse(dgram->payload, dgram->len, &hs)) {
		n->counters.session_malformed++;
		return;
	}
	if (hs.phase != FIPS_FSP_MSG3)	/* the way back (08 §5.0) */
		node_coords_learn(n, via, &dgram->src, &hs.src);
	switch (hs.phase) {
	case FIPS_FSP_SETUP:
		node_session_setup(n, via, &dgram->src, &hs);
		return;
	case FIPS_FSP_ACK:
		node_session_ack(n, &dgram->src, &hs);
		return;
	case FIPS_FSP_MSG3:
		node_session_msg3(n, &dgram->src, &hs);
		return;
	}
}

/**
 * node_session_datagram() - a SessionDatagram that the data plane left to us (08 §5.1)
 * @n: node
 * @via: neighbour that brought it; @dgram->src is only its claim
 * @dgram: decoded
 */
void node_session_datagram(struct fips_node *n, struct node_peer *via,
			   const struct fips_datagram *dgram)
{
	if (!fips_node_addr_eq(&dgram->dst, &n->env.self->id.addr) ||
	    fips_node_addr_eq(&dgram->src, &n->env.self->id.addr))
		return;
	switch (fips_fsp_kind(dgram->payload, dgram->len)) {
	case FIPS_FSP_KIND_HANDSHAKE:
		session_handshake(n, via, dgram);
		return;
	case FIPS_FSP_KIND_SIGNAL:
		node_signal(n, dgram);
		return;
	case FIPS_FSP_KIND_ENCRYPTED:	/* the data plane has no session for it */
		n->counters.session_unknown++;
		return;
	default:
		n->counters.session_malformed++;
		return;
	}
}

static void session_refuse(struct fips_node *n, struct node_session *s)
{
	n->dp->unreachable(n->dp_ctx, s->id.ipv6, NODE_UNREACHABLE_MS);
	node_session_free(n, s);
}

/* Ask for a session, or wait for the coordinates or the link that it needs: is there hope? */
static bool session_ask(struct fips_node *n, struct node_session *s)
{
	int ret = node_session_initiate(n, s);

	if (!ret)
		return true;
	if (ret != -EHOSTUNREACH || (node_lookup_start(n, &s->remote) != NODE_LOOKUP_GOING &&
				     !node_dial_under_way(n, &s->remote)))
		return false;
	if (s->state != NODE_SESSION_WAITING || !s->timer.armed)
		node_session_enter(n, s, NODE_SESSION_WAITING);
	return true;
}

/* Ask, or say no. Frees @s if it says no. */
static void session_want(struct fips_node *n, struct node_session *s)
{
	if (!session_ask(n, s))
		session_refuse(n, s);
}

/**
 * node_session_found() - a lookup has ended well
 * @n: node
 * @remote: whose coordinates are in the cache now
 * @path_mtu: smallest link on the way, 0 = not known
 */
void node_session_found(struct fips_node *n, const struct fips_node_addr *remote, u16 path_mtu)
{
	struct node_session *s = node_session_find(n, remote);

	if (!s)
		return;
	if (s->state == NODE_SESSION_WAITING) {
		node_session_initiate(n, s);	/* without a way it goes on waiting */
		return;
	}
	node_route_offer(n, remote);
	if (s->own)	/* again, and now by a way that leads there */
		fips_timer_set(&n->timers, &s->own->resend, n->now.mono_ms);
	if (!s->installed)
		return;
	if (path_mtu)
		node_session_lower_mtu(n, s, path_mtu);
	node_session_warm(n, s);
	if (s->msg3_len && n->now.mono_ms - s->msg3_sent >= NODE_MSG3_GAP_MS)
		node_session_send_msg3(n, s);
}

/* It has not: nobody answers for @remote. */
void node_session_not_found(struct fips_node *n, const struct fips_node_addr *remote)
{
	struct node_session *s = node_session_find(n, remote);

	if (!s || (s->state == NODE_SESSION_WAITING && node_dial_under_way(n, remote)))
		return;
	if (s->state == NODE_SESSION_WAITING)
		session_refuse(n, s);
	else if (!node_route_offer(n, remote))
		node_route_refuse(n, remote);
}

/* The tree or filters have changed: those that wait may have a way now. */
void node_session_retry(struct fips_node *n)
{
	struct node_session *s, *tmp;

	HASH_ITER(hh, n->sessions, s, tmp) {
		if (s->state == NODE_SESSION_WAITING)
			session_want(n, s);
	}
}

/* Is it still in the data plane? If not, what we believe of it is worth nothing. */
static bool session_lost(struct fips_node *n, const struct node_session *s)
{
	struct fips_dp_session_info info;

	return s->installed && n->dp->session_get(n->dp_ctx, &s->remote, &info) == -ENOENT;
}

/**
 * node_session_miss() - packets wait for a session (08 §11)
 * @n: node
 * @ipv6: destination
 */
void node_session_miss(struct fips_node *n, const u8 *ipv6)
{
	struct node_identity *e = node_identity_by_ipv6(n, ipv6);
	struct node_session *s;

	if (!e || n->draining || fips_node_addr_eq(&e->id.addr, &n->env.self->id.addr)) {
		n->dp->unreachable(n->dp_ctx, ipv6, NODE_UNREACHABLE_MS);
		return;
	}
	s = node_session_find(n, &e->id.addr);
	if (s && session_lost(n, s)) {
		s->installed = false;
		node_session_free(n, s);
		s = NULL;
	}
	if (s && s->state != NODE_SESSION_AWAITING_MSG3)
		return;		/* under way */
	if (!s)
		s = node_session_new(n, &e->id.addr);
	if (!s) {
		n->dp->unreachable(n->dp_ctx, ipv6, NODE_UNREACHABLE_MS);
		return;
	}
	node_session_learn(n, s, &e->id);
	if (s->state == NODE_SESSION_AWAITING_MSG3)
		node_session_initiate(n, s);	/* beside the half-open one: it may be forged */
	else
		session_want(n, s);
}

/*
 * The far end has a session that is gone here (we were idle longer, gave it up,
 * or were restarted), and may not notice: its own data keeps it alive (08 §4.4).
 * Ask it anew; to it that is a rekey. Who sent the message is not proven, so
 * only nodes whose key is known are asked, and none twice at a time.
 */
void node_session_unknown(struct fips_node *n, const struct fips_node_addr *remote)
{
	struct node_identity *e;
	struct node_session *s;
	u8 ipv6[FIPS_IPV6_LEN];

	fips_node_addr_to_ipv6(remote, ipv6);
	e = node_identity_by_ipv6(n, ipv6);
	if (n->draining || !e || !fips_node_addr_eq(&e->id.addr, remote) ||
	    fips_node_addr_eq(remote, &n->env.self->id.addr) || node_session_find(n, remote))
		return;
	s = node_session_new(n, remote);
	if (!s)
		return;
	node_session_learn(n, s, &e->id);
	if (!session_ask(n, s))
		node_session_free(n, s);
}

/* A link to the node itself is there. */
void node_session_link_up(struct fips_node *n, const struct fips_node_addr *peer)
{
	struct node_session *s = node_session_find(n, peer);
	u8 ipv6[FIPS_IPV6_LEN];

	/* A refusal must not outlive its reason. */
	fips_node_addr_to_ipv6(peer, ipv6);
	n->dp->unreachable(n->dp_ctx, ipv6, 0);
	if (s && s->state == NODE_SESSION_WAITING)
		session_want(n, s);
}

/* Authenticated messages other than Data to port 256. What has no owner yet is dropped. */
void node_session_message(struct fips_node *n, const struct fips_event *ev)
{
	struct node_session *s = node_session_find(n, &ev->session_msg.remote);

	if (!s) {
		n->counters.session_unknown++;
		return;
	}
	node_mmp_session_message(n, s, ev);
}

/**
 * node_session_key_used() - a slot authenticated its first message
 * @n: node
 * @remote: of the session
 * @slot: %FIPS_KEY_SLOT_NEXT: it has become the current one
 */
void node_session_key_used(struct fips_node *n, const struct fips_node_addr *remote, u32 slot)
{
	struct node_session *s = node_session_find(n, remote);
	bool first;

	if (!s || s->state != NODE_SESSION_ESTABLISHED || slot == FIPS_KEY_SLOT_PREVIOUS)
		return;
	first = !s->confirmed;
	s->confirmed = true;
	if (first)
		s->activity = n->now.mono_ms;
	if (slot == FIPS_KEY_SLOT_NEXT) {
		node_session_cutover(n, s);
		return;
	}
	if (s->probing)
		return;
	node_session_msg3_stop(n, s);
	/*
	 * A far end that still had a session moves with our first message, and that may have
	 * overtaken msg3 on the way up to its node. By now it has the keys.
	 */
	if (first && s->initiator)
		node_session_prove(n, s, FIPS_KEY_SLOT_CURRENT);
}
