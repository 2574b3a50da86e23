// SPDX-License-Identifier: MIT
/*
 * Renewal of a link's keys (spec 02 §11, 03 §23): an ordinary handshake on the
 * path of the link, whose keys go into the next slot of that same link. It keeps
 * its number, routes and statistics.
 *
 * Nothing moves before it is proven: the initiator sends a frame under the new
 * keys right behind msg2 and moves when one comes back; the responder moves with
 * the first frame it opens. The former keys receive for 10 s more.
 *
 * The handshake is a struct node_link, the guest of the link. As it succeeds,
 * the two exchange their indices, and the guest stands for the former keys.
 */

#include <errno.h>

#include "node_internal.h"

/* Time from one rekey to the next, of links and sessions alike. */
u64 node_rekey_interval(struct fips_node *n)
{
	u64 ms = n->timing.rekey.after_secs, draw = 0;

	if (ms > FIPS_NEVER / 4000)
		return FIPS_NEVER / 4;
	ms *= 1000;
	if (fips_random(&n->env.rng, &draw, sizeof(draw)))
		return ms;
	ms += draw % (2 * NODE_REKEY_JITTER_MS + 1);
	return ms > NODE_REKEY_JITTER_MS ? ms - NODE_REKEY_JITTER_MS : 0;
}

/* Send counter at which the data plane says that a key has done its share. */
u64 node_rekey_soft_limit(const struct fips_node *n)
{
	u64 count = n->timing.rekey.after_messages;

	return n->timing.rekey.enabled && count < NODE_SOFT_LIMIT ? count : NODE_SOFT_LIMIT;
}

/* The link has new keys, or another one has taken its place: when do we act? */
void node_rekey_arm(struct fips_node *n, struct node_peer *p)
{
	u64 wait;

	fips_timer_del(&n->timers, &p->rekey);
	if (n->draining || !(n->timing.rekey.enabled || p->link->used_up))
		return;
	wait = p->link->used_up ? 0 : node_rekey_interval(n);
	if (wait < NODE_REKEY_MIN_AGE_MS)
		wait = NODE_REKEY_MIN_AGE_MS;
	fips_timer_set(&n->timers, &p->rekey, p->link->active_since + wait);
}

/* The keys have sealed as many frames as they should. */
void node_rekey_limit(struct fips_node *n, struct node_peer *p)
{
	p->link->used_up = true;
	if (!p->link->guest)
		node_rekey_arm(n, p);
}

/* We have asked, and may have to wait long for the answer (02 §11.6). */
bool node_rekey_in_flight(const struct fips_node *n, const struct node_peer *p)
{
	const struct node_link *g = p->link->guest;

	return g && g->state == NODE_LINK_REKEY &&
	       n->now.mono_ms - g->created < NODE_REKEY_DEAD_MS;
}

/*
 * Both at once: the handshake of the smaller address goes on (02 §11.3). Not
 * for ever: who never answers ours may still come by its own.
 */
bool node_rekey_defends(struct fips_node *n, const struct node_peer *p)
{
	const struct node_link *g = p->link->guest;

	if (!g || !g->outbound || fips_node_addr_cmp(&n->env.self->id.addr, &p->id.addr) > 0 ||
	    n->now.mono_ms - g->created >= NODE_REKEY_MIN_AGE_MS)
		return false;
	n->counters.rekey_tiebreak++;
	return true;
}

/* Free the guest; ours, if it was one, is tried again after @ms. */
static void rekey_give_up(struct fips_node *n, struct node_link *g, u64 ms)
{
	struct node_peer *p = node_peer_find(n, &g->peer.addr);

	if (g->outbound && p && !n->draining)
		fips_timer_set(&n->timers, &p->rekey, n->now.mono_ms + ms);
	node_link_free(n, g);
}

/**
 * node_rekey_host() - link whose next slot may take the keys of a peer's handshake
 * @n: node
 * @p: peer
 *
 * If both have asked, only the larger address comes here (node_rekey_defends()): it yields. Should
 * the msg1 be a replay, ours goes on after a while.
 *
 * Return: its link; NULL if the slot is taken.
 */
struct node_link *node_rekey_host(struct fips_node *n, struct node_peer *p)
{
	struct node_link *g = p->link->guest;

	if (g && g->state == NODE_LINK_REKEY) {
		n->counters.rekey_yielded++;
		rekey_give_up(n, g, NODE_REKEY_YIELD_MS);
	}
	return p->link->guest ? NULL : p->link;
}

/* The link is replaced as a whole. */
void node_rekey_cancel(struct fips_node *n, struct node_link *host)
{
	if (host->guest)
		node_link_free(n, host->guest);
}

static int rekey_send(struct fips_node *n, const struct node_link *g)
{
	return n->ops->raw_send(n->ctx, g->host->transport_id, &g->host->remote, g->msg1,
				sizeof(g->msg1));
}

/* The index is known before msg1 leaves: the peer may speak right behind its msg2. */
static int rekey_begin(struct fips_node *n, struct node_link *g)
{
	struct fips_dp_key key = { .slot = FIPS_KEY_SLOT_NEXT, .local_index = g->our_index };
	int ret = node_leg_build(n, g);

	if (!ret)
		ret = n->dp->link_key_new(n->dp_ctx, g->host->id, &key);
	if (!ret || ret == -EINPROGRESS)
		ret = rekey_send(n, g);
	return ret;
}

static void rekey_start(struct fips_node *n, struct node_peer *p)
{
	struct node_link *host = p->link, *g;

	g = node_link_new(n, host->transport_id, &host->remote, &p->id);
	if (!g) {
		fips_timer_set(&n->timers, &p->rekey, n->now.mono_ms + NODE_FIRST_RESEND_MS);
		return;
	}
	g->outbound = true;
	g->host = host;
	host->guest = g;
	if (rekey_begin(n, g)) {
		rekey_give_up(n, g, NODE_FIRST_RESEND_MS);
		return;
	}
	node_link_enter(n, g, NODE_LINK_REKEY);
	n->counters.rekey_started++;
}

/* Is the peer there? A rekey with one that is silent would only delay its end. */
static bool rekey_peer_alive(const struct fips_node *n, const struct node_peer *p)
{
	u64 silent;

	return node_link_heard(n, p->link, &silent) &&
	       silent < n->timing.heartbeat_interval_secs * 1000 + 2000;
}

/* Timer: the keys are old, or used up. */
void node_rekey_due(void *owner, struct fips_timer *t)
{
	struct node_peer *p = node_container(t, struct node_peer, rekey);
	struct fips_node *n = owner;
	struct node_link *g = p->link->guest;

	if (n->draining || (g && g->outbound))
		return;
	if (!rekey_peer_alive(n, p)) {
		fips_timer_set(&n->timers, t, n->now.mono_ms + NODE_FIRST_RESEND_MS);
		return;
	}
	if (g) {
		/* Its msg1 may be a replay: an honest peer speaks after a round trip. */
		if (n->now.mono_ms - g->created < NODE_REKEY_YIELD_MS) {
			fips_timer_set(&n->timers, t, g->created + NODE_REKEY_YIELD_MS);
			return;
		}
		node_rekey_expired(n, g);
		if (n->now.mono_ms == p->link->active_since)
			return;		/* it was in use already */
	}
	rekey_start(n, p);
}

/* A frame of ours under the new keys makes the responder move. */
static void rekey_probe(struct fips_node *n, const struct node_link *g)
{
	u8 msg[1];
	int len = fips_heartbeat_build(msg, sizeof(msg));

	if (len > 0)
		n->dp->link_xmit(n->dp_ctx, g->host->id, FIPS_KEY_SLOT_NEXT, msg, (size_t)len);
}

/* The next slot has become the current one. */
static void rekey_cutover(struct fips_node *n, struct node_peer *p, struct node_link *g)
{
	struct node_link *host = g->host, *older = host->old;
	u32 index = host->our_index;

	host->old = g;
	host->guest = NULL;
	if (older)	/* its slot is taken by now */
		node_link_free(n, older);
	host->our_index = g->our_index;
	host->their_index = g->their_index;
	host->k_bit = g->k_bit;
	g->our_index = index;
	fips_index_give(&n->indices, host, host->our_index);
	fips_index_give(&n->indices, g, g->our_index);
	host->active_since = n->now.mono_ms;
	host->renewed = true;
	host->asked = !g->outbound;
	host->used_up = false;
	if (g->cache)
		g->cache->link = NULL;
	g->cache = NULL;
	node_link_enter(n, g, NODE_LINK_PREVIOUS);
	node_owner_link(n, host);
	node_rekey_arm(n, p);
	node_mmp_link_cutover(n, p);
	if (g->outbound)
		n->counters.rekey_completed++;
	else
		n->counters.rekey_promoted++;
	node_log(n, FIPS_LOG_DEBUG, "%s: new link keys (%s)", p->id.npub,
		 g->outbound ? "ours" : "its");
	node_link_heartbeat(n, host);	/* so that the other side moves, too */
}

/**
 * node_rekey_msg2() - the answer to our msg1 has authenticated
 * @n: node
 * @g: guest, state REKEY; may be freed
 */
void node_rekey_msg2(struct fips_node *n, struct node_link *g)
{
	struct node_peer *p = node_peer_find(n, &g->peer.addr);
	int ret;

	if (memcmp(g->epoch, p->epoch, sizeof(g->epoch))) {
		/* Restarted: it wants a new link, and this one goes with the old peer. */
		n->counters.rekey_abandoned++;
		rekey_give_up(n, g, NODE_REKEY_MIN_AGE_MS);
		node_dial_path(n, &p->id, p->link->transport_id, &p->link->remote);
		return;
	}
	g->k_bit = !g->host->k_bit;
	ret = node_link_install(n, g, g->noise);
	fips_noise_free(g->noise);
	g->noise = NULL;
	if (ret && ret != -EINPROGRESS) {
		node_log(n, FIPS_LOG_WARN, "%s: the data plane refused new keys: %d", p->id.npub,
			 ret);
		n->counters.rekey_abandoned++;
		rekey_give_up(n, g, NODE_REKEY_YIELD_MS);
		return;
	}
	g->resends = 0;
	node_link_enter(n, g, NODE_LINK_NEXT);
	rekey_probe(n, g);
}

/* Timer of a guest: msg1 again; or once more a frame under the new keys. */
void node_rekey_timer(struct fips_node *n, struct node_link *g)
{
	u64 next = NODE_FIRST_RESEND_MS;

	if (g->state == NODE_LINK_NEXT) {
		rekey_probe(n, g);
		next = (u64)NODE_REKEY_PROBE_MS << ++g->resends;
	} else if (!rekey_send(n, g)) {
		/* Beyond the last of 03 §6.2: a reference that cut over answers after 31 s. */
		g->resends++;
		next = g->resends < n->timing.rate_limit.handshake_max_resends ?
		       node_resend_delay(n, g->resends) : 2 * NODE_FIRST_RESEND_MS;
	}
	fips_timer_set(&n->timers, &g->resend, n->now.mono_ms + next);
}

/* An initiator's wait for proof is over: the peer has the keys, for it answered. */
static void rekey_force(struct fips_node *n, struct node_peer *p, struct node_link *g)
{
	int ret = n->dp->link_key_swap(n->dp_ctx, g->host->id);

	if (ret && ret != -ENOENT && ret != -EINPROGRESS) {
		n->counters.rekey_abandoned++;
		rekey_give_up(n, g, NODE_FIRST_RESEND_MS);
		return;
	}
	rekey_cutover(n, p, g);	/* -ENOENT: promoted, and word of it got lost */
}

/* The time of a guest is over. May free it. */
void node_rekey_expired(struct fips_node *n, struct node_link *g)
{
	struct node_peer *p = node_peer_find(n, &g->peer.addr);

	if (g->state == NODE_LINK_REKEY) {
		n->counters.rekey_abandoned++;
		rekey_give_up(n, g, NODE_FIRST_RESEND_MS);
		return;
	}
	if (g->outbound) {
		rekey_force(n, p, g);
		return;
	}
	/* Word of the promotion may have been lost. */
	if (n->dp->link_key_del(n->dp_ctx, g->host->id, FIPS_KEY_SLOT_NEXT) == -ENOENT) {
		rekey_cutover(n, p, g);
		return;
	}
	n->counters.rekey_expired++;
	node_link_free(n, g);
}

/* The data plane has promoted the next slot of @p's link. */
void node_rekey_key_used(struct fips_node *n, struct node_peer *p)
{
	struct node_link *g = p->link->guest;

	if (g && g->state == NODE_LINK_NEXT) {
		rekey_cutover(n, p, g);
		return;
	}
	/* Keys from before us (takeover): only the data plane knows the index. */
	p->link->k_bit = !p->link->k_bit;
	p->link->active_since = n->now.mono_ms;
	p->link->renewed = true;
	fips_timer_set(&n->timers, &p->link->expire, n->now.mono_ms + NODE_DRAIN_MS);
	node_rekey_arm(n, p);
}
