// SPDX-License-Identifier: MIT
/*
 * Outbound handshakes (spec 03 §6, §8): msg1, its repetitions, msg2, and who
 * wins when the other side has dialled as well (§10.2, §28.1 step 7).
 */

#include <errno.h>

#include "node_internal.h"

static int leg_send(struct fips_node *n, const struct node_link *l)
{
	return n->ops->raw_send(n->ctx, l->transport_id, &l->remote, l->msg1, sizeof(l->msg1));
}

/* Handshake and msg1 of a link that has its index. */
int node_leg_build(struct fips_node *n, struct node_link *l)
{
	u8 buf[FIPS_NOISE_MSG_MAX];
	struct fips_fmp_msg1 msg1 = { .sender_idx = l->our_index, .noise = buf };
	int ret = fips_noise_initiator(&n->env, FIPS_NOISE_IK, l->peer.x, &l->noise);

	if (ret)
		return ret;
	ret = fips_noise_write(l->noise, buf, sizeof(buf));
	if (ret < 0)
		return ret;
	ret = fips_fmp_msg1_build(l->msg1, sizeof(l->msg1), &msg1);
	return ret < 0 ? ret : 0;
}

/* The index is registered before msg1 leaves: the peer may speak right behind its msg2. */
static int leg_register(struct fips_node *n, const struct node_link *l)
{
	const struct fips_dp_key key = {
		.slot = FIPS_KEY_SLOT_CURRENT,
		.local_index = l->our_index,
	};
	const struct fips_dp_link link = {
		.id = l->id,
		.transport_id = l->transport_id,
		.peer = l->peer.addr,
		.remote = l->remote,
		.mtu = l->mtu,
		.key = &key,
	};

	return n->dp->link_new(n->dp_ctx, &link);
}

/**
 * node_leg_start() - send msg1 to one endpoint
 * @n: node
 * @d: whom
 * @t: transport to use
 * @to: endpoint
 *
 * Return: 0 or a negative errno (nothing is left behind).
 */
int node_leg_start(struct fips_node *n, struct node_dial *d, const struct node_transport *t,
		   const struct fips_taddr *to)
{
	struct node_link *l;
	int ret;

	if (!node_acl_allows(n, &d->id, NODE_ACL_OUTBOUND_CONNECT))
		return -EACCES;
	l = node_link_new(n, t->info.id, to, &d->id);
	if (!l)
		return -ENOMEM;
	l->outbound = true;
	l->refresh = node_peer_find(n, &d->id.addr);
	ret = node_leg_build(n, l);
	if (!ret)
		ret = leg_register(n, l);
	if (ret == -EINPROGRESS)
		ret = 0;
	if (!ret)
		ret = leg_send(n, l);
	if (ret) {
		node_link_free(n, l);
		return ret;
	}
	node_link_enter(n, l, NODE_LINK_DIALING);
	d->legs++;
	return 0;
}

/* The silence that made us ask is over. */
static bool leg_answered_otherwise(const struct fips_node *n, const struct node_link *l)
{
	const struct node_peer *p = l->probe ? node_peer_find(n, &l->peer.addr) : NULL;
	u64 silent;

	return p && node_link_heard(n, p->link, &silent) && silent < n->now.mono_ms - l->created;
}

/* 03 §6.2. A repetition that could not be sent does not count. */
void node_leg_resend(void *owner, struct fips_timer *t)
{
	struct node_link *l = node_container(t, struct node_link, resend);
	struct fips_node *n = owner;

	if (l->host) {
		node_rekey_timer(n, l);
		return;
	}
	if (l->early) {		/* beside the schedule */
		l->early = false;
		leg_send(n, l);
		fips_timer_set(&n->timers, t, l->created + NODE_FIRST_RESEND_MS);
		return;
	}
	if (leg_answered_otherwise(n, l)) {
		const struct fips_node_addr peer = l->peer.addr;

		node_link_free(n, l);
		node_dial_leg_done(n, &peer, false);
		return;
	}
	if (l->resends >= n->timing.rate_limit.handshake_max_resends)
		return;
	if (leg_send(n, l)) {
		fips_timer_set(&n->timers, t, n->now.mono_ms + NODE_FIRST_RESEND_MS);
		return;
	}
	l->resends++;
	fips_timer_set(&n->timers, t, n->now.mono_ms + node_resend_delay(n, l->resends));
}

/* The leg is lost; frees it. */
void node_leg_fail(struct fips_node *n, struct node_link *l)
{
	const struct fips_node_addr peer = l->peer.addr;

	node_link_free(n, l);
	node_dial_leg_done(n, &peer, true);
}

/* Another path won: the siblings are not waited for. Frees them. */
void node_leg_cancel(struct fips_node *n, const struct fips_node_addr *peer)
{
	struct node_link *l;

	while ((l = node_link_of_peer(n, peer, NODE_LINK_DIALING))) {
		node_link_free(n, l);
		node_dial_leg_done(n, peer, false);
	}
}

/* The link that they were to replace is gone: the retry schedule takes over. Frees them. */
void node_leg_cancel_refresh(struct fips_node *n, const struct fips_node_addr *peer)
{
	struct node_link *l, *tmp;

	DL_FOREACH_SAFE(n->link_list, l, tmp) {
		if (l->state != NODE_LINK_DIALING || !l->refresh ||
		    !fips_node_addr_eq(&l->peer.addr, peer))
			continue;
		node_link_free(n, l);
		node_dial_leg_done(n, peer, false);
	}
}

enum leg_verdict {
	LEG_PROMOTE,
	LEG_KEEP_OTHER,	/* our handshake is given up */
	LEG_HOLD,	/* until the peer's own handshake has had its chance */
};

/* Has the peer's own handshake come through while @l was under way? */
static bool leg_overtaken(const struct node_peer *p, const struct node_link *l)
{
	return !l->refresh || (p->link->asked && p->link->active_since >= l->created);
}

/* Is there a handshake of the peer's that may still come through, beside the link or in it? */
static bool leg_may_be_overtaken(const struct fips_node *n, const struct node_peer *p,
				 const struct node_link *l)
{
	const struct node_link *g = p ? p->link->guest : NULL;

	return node_link_of_peer(n, &l->peer.addr, NODE_LINK_CANDIDATE) ||
	       (g && !g->outbound && g->state == NODE_LINK_NEXT);
}

/*
 * 03 §10.2, §28.1 step 7: of two handshakes that cross, that of the smaller
 * node address survives, be they the first ones or to refresh a link. The
 * peer's may be a candidate that never proves itself (a replayed msg1 makes
 * one), hence hold and not drop.
 */
static enum leg_verdict leg_decide(struct fips_node *n, const struct node_link *l)
{
	const struct node_peer *p = node_peer_find(n, &l->peer.addr);
	bool smaller = fips_node_addr_cmp(&n->env.self->id.addr, &l->peer.addr) < 0;

	if (smaller || (p && memcmp(p->epoch, l->epoch, sizeof(l->epoch))))
		return LEG_PROMOTE;
	if (p && leg_overtaken(p, l))
		return LEG_KEEP_OTHER;
	return leg_may_be_overtaken(n, p, l) ? LEG_HOLD : LEG_PROMOTE;
}

/*
 * The peer's handshake has had its chance, or the link that was silent has spoken again: then the
 * peer may have dropped the keys of @l, which it never saw in use.
 */
void node_leg_hold_over(struct fips_node *n, struct node_link *l)
{
	const struct node_peer *p = node_peer_find(n, &l->peer.addr);

	if (p && !memcmp(p->epoch, l->epoch, sizeof(l->epoch)) &&
	    (leg_overtaken(p, l) || leg_answered_otherwise(n, l)))
		node_link_enter(n, l, NODE_LINK_STANDBY);
	else
		node_peer_promote(n, l);
}

/* A swap of crossing handshakes keeps K (03 §10.4), a replacement of an old link toggles it. */
static u8 leg_k_bit(const struct fips_node *n, const struct node_link *l)
{
	const struct node_peer *p = node_peer_find(n, &l->peer.addr);

	if (!p || memcmp(p->epoch, l->epoch, sizeof(l->epoch)))
		return 0;
	if (l->refresh && n->now.mono_ms - p->link->active_since >= NODE_YOUNG_MS)
		return !p->link->k_bit;
	return p->link->k_bit;
}

/* The peer answers from @from: that is its path (03 §8 step 5). */
static int leg_adopt_path(struct fips_node *n, struct node_link *l, u32 transport_id,
			  const struct fips_taddr *from)
{
	if (l->transport_id == transport_id && fips_taddr_eq(&l->remote, from))
		return 0;
	node_link_moved(n, l, transport_id, from);
	return n->dp->link_move(n->dp_ctx, l->id, transport_id, from);
}

/* msg2 has authenticated. Frees @l unless it becomes a link. */
static void leg_complete(struct fips_node *n, struct node_link *l)
{
	const struct fips_node_addr peer = l->peer.addr;
	enum leg_verdict verdict = leg_decide(n, l);
	struct fips_noise *noise = l->noise;
	int ret;

	if (verdict == LEG_KEEP_OTHER) {
		node_log(n, FIPS_LOG_DEBUG, "%s: its own handshake won", l->peer.npub);
		node_link_free(n, l);
		node_dial_leg_done(n, &peer, false);
		return;
	}
	l->k_bit = leg_k_bit(n, l);
	ret = node_link_install(n, l, noise);
	fips_noise_free(noise);
	l->noise = NULL;
	if (ret && ret != -EINPROGRESS) {
		node_log(n, FIPS_LOG_WARN, "%s: the data plane refused the link: %d", l->peer.npub,
			 ret);
		node_leg_fail(n, l);
		return;
	}
	if (verdict == LEG_HOLD)
		node_link_enter(n, l, NODE_LINK_HELD);
	else
		node_peer_promote(n, l);
	node_dial_leg_done(n, &peer, false);
}

/**
 * node_leg_msg2() - an answer came (03 §8)
 * @n: node
 * @transport_id: arrived on
 * @from: source
 * @data: packet
 * @len: its length
 *
 * A msg2 that does not authenticate changes nothing: the genuine one may follow (§26 T4).
 */
void node_leg_msg2(struct fips_node *n, u32 transport_id, const struct fips_taddr *from,
		   const u8 *data, size_t len)
{
	struct fips_fmp_msg2 msg2;
	struct node_link *l;

	if (fips_fmp_msg2_parse(data, len, &msg2)) {
		n->counters.handshake_bad_state++;
		return;
	}
	l = fips_index_find(&n->indices, msg2.receiver_idx);
	if (!l || (l->state != NODE_LINK_DIALING && l->state != NODE_LINK_REKEY)) {
		n->counters.handshake_unknown_connection++;
		return;
	}
	if (fips_noise_read(l->noise, msg2.noise, FIPS_NOISE_IK2_LEN, NULL)) {
		n->counters.msg2_ignored++;
		node_log(n, FIPS_LOG_DEBUG, "%s: a msg2 did not authenticate", l->peer.npub);
		return;
	}
	l->their_index = msg2.sender_idx;
	memcpy(l->epoch, fips_noise_remote_epoch(l->noise), sizeof(l->epoch));
	if (!node_acl_allows(n, &l->peer, NODE_ACL_OUTBOUND_HANDSHAKE)) {
		n->counters.handshake_bad_state++;
		if (l->host)
			node_link_free(n, l);
		else
			node_leg_fail(n, l);
		return;
	}
	if (l->host) {
		node_rekey_msg2(n, l);	/* moves nothing (03 §13) */
		return;
	}
	if (leg_adopt_path(n, l, transport_id, from)) {
		node_leg_fail(n, l);
		return;
	}
	leg_complete(n, l);
}
