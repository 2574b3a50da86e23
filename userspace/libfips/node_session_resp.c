// SPDX-License-Identifier: MIT
/*
 * Sessions others ask for (spec 08 §4.2, §9.3). Several handshakes of one
 * source live side by side, told apart by the ephemeral of their msg1, and the
 * first whose msg3 authenticates wins: a Setup proves nothing (§17, §18 item 4).
 */

#include <errno.h>

#include "node_internal.h"

static struct node_half *resp_find(const struct node_session *s, const u8 *eph)
{
	struct node_half *h;

	DL_FOREACH2(s->halves, h, s_next) {
		if (!memcmp(h->eph, eph, sizeof(h->eph)))
			return h;
	}
	return NULL;
}

/* 08 §13.1: per neighbour, since @src is anybody's claim. */
static bool resp_admit(struct fips_node *n, struct node_peer *via, const struct node_session *s)
{
	if (s && s->state == NODE_SESSION_ESTABLISHED)
		return fips_bucket_take(&via->setup_known, &n->setup_known_rate, n->now.mono_ms);
	return fips_bucket_take(&via->setup_new, &n->setup_new_rate, n->now.mono_ms);
}

/*
 * Simultaneous open (08 §4.3): the smaller address stays the initiator and lets
 * the other's Setup pass by. The larger answers, but keeps its own handshake
 * alive: that Setup may be a forgery.
 */
static bool resp_we_initiate(const struct fips_node *n, const struct node_session *s)
{
	return s->own && fips_node_addr_cmp(&n->env.self->id.addr, &s->remote) < 0;
}

/* The Ack: our coordinates, and the Setup's source list verbatim, never empty (trap 5). */
static int resp_ack(const struct fips_node *n, const struct fips_fsp_handshake *setup,
		    struct fips_noise *noise, u8 *buf, size_t room)
{
	u8 msg2[FIPS_NOISE_MSG_MAX];
	const struct fips_fsp_handshake ack = {
		.phase = FIPS_FSP_ACK,
		.src = node_coords_own(n),
		.dst = setup->src,
		.noise = msg2,
	};
	int ret = fips_noise_write(noise, msg2, sizeof(msg2));

	return ret < 0 ? ret : fips_fsp_handshake_build(buf, room, &ack);
}

/* Answer one Setup. On failure nothing stays. */
static int resp_answer(struct fips_node *n, struct node_session *s, const struct node_peer *via,
		       const struct fips_fsp_handshake *setup)
{
	u8 ack[NODE_MSG_ROOM - FIPS_DGRAM_HDR_LEN];
	struct fips_noise *noise;
	struct node_half *h;
	int len, ret = fips_noise_responder(&n->env, FIPS_NOISE_XK, &noise);

	if (ret)
		return ret;
	h = node_half_new(n, s, noise, setup->noise);
	if (!h)
		return -ENOMEM;
	ret = fips_noise_read(noise, setup->noise, FIPS_NOISE_XK1_LEN, NULL);
	if (ret)
		goto err;
	len = resp_ack(n, setup, noise, ack, sizeof(ack));
	ret = len < 0 ? len : node_session_prepare(n, s);
	if (ret)
		goto err;
	ret = node_session_send(n, &s->remote, ack, (size_t)len);
	if (!ret)
		ret = node_half_keep(n, h, ack, (size_t)len);
	if (ret)
		goto err;
	node_half_make_room(n, s, &via->id.addr);
	node_half_enlist(n, h, &via->id.addr);
	return 0;
err:
	node_half_free(n, h);
	return ret;
}

/**
 * node_session_setup() - a Setup for us (08 §5.2)
 * @n: node
 * @via: neighbour that brought it
 * @src: who says to have sent it
 * @hs: decoded
 */
void node_session_setup(struct fips_node *n, struct node_peer *via,
			const struct fips_node_addr *src, const struct fips_fsp_handshake *hs)
{
	struct node_session *s = node_session_find(n, src);
	struct node_half *h = s ? resp_find(s, hs->noise) : NULL;

	if (!resp_admit(n, via, s)) {
		n->counters.session_setup_rate_limited++;
		return;
	}
	if (h) {	/* trap 13: the identical Ack for an identical Setup */
		node_half_send(n, h);
		return;
	}
	if (s && s->state == NODE_SESSION_ESTABLISHED &&
	    !memcmp(s->done_eph, hs->noise, sizeof(s->done_eph)))
		return;		/* a late copy of the one that was answered */
	if (s && (node_session_rekey_defends(n, s) || resp_we_initiate(n, s)))
		return;
	if (!node_route_peer(n, src))
		return;		/* no way back */
	if (!s)
		s = node_session_new(n, src);
	if (!s)
		return;
	if (resp_answer(n, s, via, hs)) {
		if (!s->has_id && !s->halves)
			node_session_free(n, s);
		return;
	}
	if (!s->own && s->state != NODE_SESSION_ESTABLISHED)
		node_session_enter(n, s, NODE_SESSION_AWAITING_MSG3);
}

/* What a msg3 must show: that the key behind it belongs to the source address. */
struct resp_claim {
	struct fips_node *n;
	const struct node_session *s;
	struct fips_identity id;
};

static int resp_check(void *ctx, const u8 *pub33)
{
	struct resp_claim *c = ctx;

	if (fips_identity_from_pub33(c->n->env.pk, pub33, &c->id))
		return -EINVAL;
	if (!fips_node_addr_eq(&c->id.addr, &c->s->remote))
		return -EACCES;
	if (c->s->has_id && memcmp(c->id.x, c->s->id.x, FIPS_KEY_LEN))
		return -EACCES;
	return 0;
}

/*
 * Which handshake does it finish? Newest first. A msg3 that fits none leaves all
 * as they were; one that fits but names another address ends its own.
 */
static struct node_half *resp_match(struct fips_node *n, struct node_session *s, const u8 *noise,
				    struct resp_claim *claim)
{
	const struct fips_noise_check check = { .check = resp_check, .ctx = claim };
	struct node_half *h = s->halves ? s->halves->s_prev : NULL, *next;
	unsigned int left = s->half_count;
	int ret;

	for (; left; left--, h = next) {
		next = h->s_prev;
		ret = fips_noise_read(h->noise, noise, FIPS_NOISE_XK3_LEN, &check);
		if (!ret)
			return h;
		if (ret == -EACCES) {
			n->counters.session_addr_mismatch++;
			node_half_free(n, h);
			return NULL;
		}
	}
	n->counters.session_msg3_failed++;
	return NULL;
}

/*
 * One small message of ours proves to the initiator that msg3 came, so that it
 * stops repeating it; data of ours may be a long time coming.
 */
void node_session_prove(struct fips_node *n, struct node_session *s, u32 slot)
{
	s->msg3_sent = n->now.mono_ms;
	n->dp->session_xmit(n->dp_ctx, &s->remote, slot, FIPS_FSP_COORDS_WARMUP,
			    true, NULL, 0);
}

/* A msg3 whose keys are in use: our proof was lost. */
static bool resp_repeated(struct fips_node *n, struct node_session *s, const u8 *noise)
{
	if (s->state != NODE_SESSION_ESTABLISHED ||
	    memcmp(s->seen_msg3, noise, sizeof(s->seen_msg3)))
		return false;
	if (n->now.mono_ms - s->msg3_sent >= NODE_MSG3_GAP_MS)
		node_session_prove(n, s, s->next_since && !s->probing ? FIPS_KEY_SLOT_NEXT :
							FIPS_KEY_SLOT_CURRENT);
	return true;
}

/* Keys are there. The first ones make the session, others wait in the next slot. */
static void resp_finish(struct fips_node *n, struct node_session *s, struct node_half *h,
			const u8 *msg3, const struct fips_identity *id)
{
	bool first = s->state != NODE_SESSION_ESTABLISHED;
	int ret;

	if (!first && !node_session_rekey_pending(n, s)) {
		node_half_free(n, h);
		return;
	}
	ret = node_session_install(n, s, h->noise);
	if (ret) {
		if (!first)
			s->next_since = 0;
		node_log(n, FIPS_LOG_WARN, "session with %s failed: %d", id->npub, ret);
		node_half_free(n, h);
		if (first && !s->own && !s->halves)
			node_session_free(n, s);
		return;
	}
	memcpy(s->seen_msg3, msg3, sizeof(s->seen_msg3));
	memcpy(s->done_eph, h->eph, sizeof(s->done_eph));
	if (!first) {
		node_half_free(n, h);
		node_session_rekey_probe(n, s);
		return;
	}
	node_half_drop_all(n, s);
	node_session_learn(n, s, id);
	s->initiator = false;
	s->confirmed = false;
	node_session_enter(n, s, NODE_SESSION_ESTABLISHED);
	node_session_prove(n, s, FIPS_KEY_SLOT_CURRENT);
}

/* 08 §5.4 */
void node_session_msg3(struct fips_node *n, const struct fips_node_addr *src,
		       const struct fips_fsp_handshake *hs)
{
	struct node_session *s = node_session_find(n, src);
	struct resp_claim claim = { .n = n, .s = s };
	struct node_half *h;

	if (!s) {
		n->counters.session_unknown++;
		return;
	}
	if (resp_repeated(n, s, hs->noise))
		return;
	if (!s->halves) {
		n->counters.session_bad_state++;
		return;
	}
	h = resp_match(n, s, hs->noise, &claim);
	if (h) {
		resp_finish(n, s, h, hs->noise, &claim.id);
		return;
	}
	if (!s->own && !s->halves && s->state == NODE_SESSION_AWAITING_MSG3)
		node_session_free(n, s);
}
