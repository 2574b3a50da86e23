// SPDX-License-Identifier: MIT
/*
 * Handshakes of sessions while they are under way, own ones and those of a
 * responder: repetition and patience (spec 08 §4.1, §4.2), and the bounds that
 * keep half-open ones from filling up memory (§13.1, §18 item 4).
 */

#include <errno.h>
#include <stdlib.h>

#include "node_internal.h"

#define HALF_DOUBT	2	/* repetitions without an answer */

/* A handshake less: what remains of its session? Frees one that has nothing left. */
static void half_settle(struct fips_node *n, struct node_session *s)
{
	switch (s->state) {
	case NODE_SESSION_ESTABLISHED:
	case NODE_SESSION_WAITING:
		return;
	case NODE_SESSION_INITIATING:
	case NODE_SESSION_AWAITING_MSG3:
		break;
	}
	if (s->own || s->halves) {
		node_session_enter(n, s, s->own ? NODE_SESSION_INITIATING :
						  NODE_SESSION_AWAITING_MSG3);
		return;
	}
	node_session_free(n, s);
}

static void half_expire(void *owner, struct fips_timer *t)
{
	struct node_half *h = node_container(t, struct node_half, expire);
	struct node_session *s = h->session;
	struct fips_node *n = owner;

	if (h == s->own && s->state == NODE_SESSION_INITIATING) {
		node_log(n, FIPS_LOG_DEBUG, "session handshake with %s timed out", s->id.npub);
		n->dp->unreachable(n->dp_ctx, s->id.ipv6, NODE_UNREACHABLE_MS);
		if (!node_peer_find(n, &s->remote))
			node_route_withdraw(n, &s->remote);
	}
	if (h == s->own && s->state == NODE_SESSION_ESTABLISHED) {
		node_session_rekey_failed(n, s);
		return;
	}
	node_half_free(n, h);
	half_settle(n, s);
}

/*
 * A half-open session stages our own packets, and nothing tells of them. If its initiator is not
 * the one it says to be (08 §17, squatting), or has forgotten that it asked, msg3 never comes:
 * ask for a session ourselves.
 */
void node_half_own_traffic(struct fips_node *n, struct node_session *s)
{
	struct fips_dp_session_info info = { .staged = 0 };
	struct node_identity *e;
	u8 ipv6[FIPS_IPV6_LEN];

	if (s->own || n->dp->session_get(n->dp_ctx, &s->remote, &info) || !info.staged)
		return;
	fips_node_addr_to_ipv6(&s->remote, ipv6);
	e = node_identity_by_ipv6(n, ipv6);
	if (!e || !fips_node_addr_eq(&e->id.addr, &s->remote))
		return;
	node_session_learn(n, s, &e->id);
	if (node_session_initiate(n, s) == -EHOSTUNREACH)
		node_lookup_start(n, &s->remote);
}

/* The lists of the message as they are now: it may be that we, or the tree, have moved. */
static void half_refresh(struct fips_node *n, struct node_half *h)
{
	u8 buf[NODE_MSG_ROOM - FIPS_DGRAM_HDR_LEN];
	struct fips_fsp_handshake hs;
	int len;
	u8 *msg;

	if (fips_fsp_handshake_parse(h->msg, h->len, &hs))
		return;
	hs.src = node_coords_own(n);
	if (hs.phase == FIPS_FSP_SETUP)
		hs.dst = node_coords_of(n, &h->session->remote);
	len = fips_fsp_handshake_build(buf, sizeof(buf), &hs);
	if (len < 0 || ((size_t)len == h->len && !memcmp(buf, h->msg, h->len)))
		return;
	msg = malloc((size_t)len);
	if (!msg)
		return;
	memcpy(msg, buf, (size_t)len);
	free(h->msg);
	h->msg = msg;
	h->len = (size_t)len;
}

/* Setup or Ack again; without a way there one is looked for. */
int node_half_send(struct fips_node *n, struct node_half *h)
{
	int ret;

	half_refresh(n, h);
	ret = node_session_send(n, &h->session->remote, h->msg, h->len);
	if (ret == -EHOSTUNREACH && h == h->session->own)
		node_lookup_start(n, &h->session->remote);
	return ret;
}

/*
 * Nobody answers ours. Perhaps the far end is not where we believe it, and the
 * one who noticed could not tell us: the answer to a lookup sends it again.
 */
static void half_doubt(struct fips_node *n, const struct node_half *h)
{
	if (h == h->session->own && h->resends == HALF_DOUBT &&
	    !node_peer_find(n, &h->session->remote))
		node_lookup_start(n, &h->session->remote);
}

/* We have moved: the answer would go to where we were. */
void node_half_moved(struct fips_node *n, struct node_half *h)
{
	if (h->resends < 2)
		fips_timer_set(&n->timers, &h->resend, n->now.mono_ms + NODE_ROUTE_GATHER_MS);
}

static void half_resend(void *owner, struct fips_timer *t)
{
	struct node_half *h = node_container(t, struct node_half, resend);
	struct fips_node *n = owner;

	if (h->resends >= n->timing.rate_limit.handshake_max_resends)
		return;
	if (!node_half_send(n, h)) {
		h->resends++;
		half_doubt(n, h);
		fips_timer_set(&n->timers, t,
			       n->now.mono_ms + node_resend_delay(n, h->resends));
	} else {
		fips_timer_set(&n->timers, t, n->now.mono_ms + NODE_FIRST_RESEND_MS);
	}
}

/* @noise is the handshake's from now on, also on failure. */
struct node_half *node_half_new(struct fips_node *n, struct node_session *s,
				struct fips_noise *noise, const u8 *eph)
{
	struct node_half *h = calloc(1, sizeof(*h));

	if (!h) {
		fips_noise_free(noise);
		return NULL;
	}
	h->session = s;
	h->noise = noise;
	h->created = n->now.mono_ms;
	memcpy(h->eph, eph, sizeof(h->eph));
	fips_timer_init(&h->resend, half_resend);
	fips_timer_init(&h->expire, half_expire);
	return h;
}

/* The message went out: keep it and the handshake. 0 or -ENOMEM. */
int node_half_keep(struct fips_node *n, struct node_half *h, const u8 *msg, size_t len)
{
	h->msg = malloc(len);
	if (!h->msg)
		return -ENOMEM;
	memcpy(h->msg, msg, len);
	h->len = len;
	fips_timer_set(&n->timers, &h->resend, h->created + NODE_FIRST_RESEND_MS);
	fips_timer_set(&n->timers, &h->expire, h->created + node_handshake_timeout(n));
	return 0;
}

/* As responder: into the lists and their bounds. */
void node_half_enlist(struct fips_node *n, struct node_half *h, const struct fips_node_addr *via)
{
	h->via = *via;
	DL_APPEND2(h->session->halves, h, s_prev, s_next);
	h->session->half_count++;
	DL_APPEND(n->half_list, h);
	n->n_halves++;
}

/* Frees @h, never its session. */
void node_half_free(struct fips_node *n, struct node_half *h)
{
	struct node_session *s = h->session;
	struct node_half *found;

	if (s->own == h) {
		s->own = NULL;
	} else {
		DL_FOREACH2(s->halves, found, s_next) {
			if (found == h)
				break;
		}
		if (found) {
			DL_DELETE2(s->halves, h, s_prev, s_next);
			s->half_count--;
			DL_DELETE(n->half_list, h);
			n->n_halves--;
		}
	}
	fips_timer_del(&n->timers, &h->resend);
	fips_timer_del(&n->timers, &h->expire);
	fips_noise_free(h->noise);
	free(h->msg);
	free(h);
}

void node_half_drop_all(struct fips_node *n, struct node_session *s)
{
	if (s->own)
		node_half_free(n, s->own);
	while (s->halves)
		node_half_free(n, s->halves);
}

/* The oldest goes: a genuine one is finished after a round trip. */
static void half_evict(struct fips_node *n, struct node_half *h, const struct node_session *keep)
{
	struct node_session *s = h->session;

	node_half_free(n, h);
	if (s != keep)
		half_settle(n, s);
}

/* Keep every bound before one more handshake of @s comes in by @via. */
void node_half_make_room(struct fips_node *n, struct node_session *s,
			 const struct fips_node_addr *via)
{
	struct node_half *h, *oldest = NULL;
	unsigned int count = 0;

	if (s->half_count >= NODE_HALF_OPEN_SRC) {
		half_evict(n, s->halves, s);
		return;
	}
	DL_FOREACH(n->half_list, h) {
		if (!fips_node_addr_eq(&h->via, via))
			continue;
		oldest = oldest ? oldest : h;
		count++;
	}
	if (count >= NODE_HALF_OPEN_VIA)
		half_evict(n, oldest, s);
	else if (n->n_halves >= NODE_HALF_OPEN)
		half_evict(n, n->half_list, s);
}
