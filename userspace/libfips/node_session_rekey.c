// SPDX-License-Identifier: MIT
/*
 * Renewal of a session's keys (spec 02 §12, 08 §9): a whole XK handshake beside
 * the session, its keys in the next slot, and make before break: small messages
 * under the new keys go both ways while data stays where it is, and the first
 * that opens moves a side over. If none comes, the keys are dropped and nothing
 * is lost.
 */

#include <errno.h>

#include "node_internal.h"

/* Second message under new keys: the first may have overtaken msg3 on the way up. */
#define PROBE_MS	100

/* When is our next one due? Not before an instant. */
void node_session_rekey_arm(struct fips_node *n, struct node_session *s, u64 not_before)
{
	u64 wait, at;

	fips_timer_del(&n->timers, &s->rekey);
	if (n->draining || !(n->timing.rekey.enabled || s->used_up))
		return;
	wait = s->used_up ? 0 : node_rekey_interval(n);
	if (wait < NODE_REKEY_GAP_MS)
		wait = NODE_REKEY_GAP_MS;
	at = s->established + wait;
	fips_timer_set(&n->timers, &s->rekey, at > not_before ? at : not_before);
}

void node_session_rekey_limit(struct fips_node *n, const struct fips_node_addr *remote)
{
	struct node_session *s = node_session_find(n, remote);

	if (!s || s->state != NODE_SESSION_ESTABLISHED)
		return;
	s->used_up = true;
	if (!s->own && !s->probing)
		node_session_rekey_arm(n, s, 0);
}

/* Keys of the far end wait for its first message: so long we don't ask ourselves. */
static u64 session_next_patience(const struct fips_node *n)
{
	u64 idle = n->timing.session.idle_timeout_secs * 1000;

	return idle ? idle : 90000;
}

void node_session_rekey_due(void *owner, struct fips_timer *t)
{
	struct node_session *s = node_container(t, struct node_session, rekey);
	struct fips_node *n = owner;
	u64 now = n->now.mono_ms;

	if (n->draining || s->state != NODE_SESSION_ESTABLISHED || s->own || s->probing)
		return;
	if (s->next_since && now - s->next_since < session_next_patience(n)) {
		fips_timer_set(&n->timers, t, s->next_since + session_next_patience(n));
		return;
	}
	if (!s->confirmed || s->msg3_len || node_session_renew(n, s, false)) {
		fips_timer_set(&n->timers, t, now + NODE_FIRST_RESEND_MS);
		return;
	}
	n->counters.session_rekey_started++;
}

/*
 * Keys are in use and nothing is under way. Keys of the far end that wait for its first message
 * no longer count: it may use them, and what shows that got lost.
 */
static bool session_settled(const struct fips_node *n, const struct node_session *s)
{
	return s->state == NODE_SESSION_ESTABLISHED && !s->own && !s->probing && !s->msg3_len &&
	       (!s->next_since || n->now.mono_ms - s->next_since >= NODE_MUTE_MS);
}

/* They make room for ours. */
static void session_next_drop(struct fips_node *n, struct node_session *s)
{
	if (!s->next_since)
		return;
	n->dp->session_key_del(n->dp_ctx, &s->remote, FIPS_KEY_SLOT_NEXT);
	n->counters.session_rekey_expired++;
	s->next_since = 0;
}

/*
 * We talk and nothing comes back, not even a report: the far end may have lost
 * the session, and may not know our key to ask for another (08 §10). Ask
 * ourselves, by the way and by the coordinates of today.
 */
void node_session_mute_check(void *owner, struct fips_timer *t)
{
	struct node_session *s = node_container(t, struct node_session, mute);
	struct fips_dp_session_info info = { .last_rx_ms = FIPS_NEVER };
	struct fips_node *n = owner;
	bool talked;

	fips_timer_set(&n->timers, t, n->now.mono_ms + NODE_MUTE_CHECK_MS);
	if (n->draining || n->dp->session_get(n->dp_ctx, &s->remote, &info))
		return;
	talked = info.tx_counter != s->mute_tx;
	s->mute_tx = info.tx_counter;
	if (!talked || !session_settled(n, s) || info.last_rx_ms < NODE_MUTE_MS ||
	    n->now.mono_ms - s->established < NODE_MUTE_MS)
		return;
	if (!node_peer_find(n, &s->remote))
		node_lookup_start(n, &s->remote);
	if (node_session_renew(n, s, true))
		return;
	session_next_drop(n, s);
	n->counters.session_rekey_started++;
}

/* Ours came to nothing; the session is as before. */
static void session_rekey_stop(struct fips_node *n, struct node_session *s, u64 not_before)
{
	if (s->own)
		node_half_free(n, s->own);
	if (s->probing)
		node_session_msg3_stop(n, s);
	s->probing = false;
	node_session_rekey_arm(n, s, not_before);
}

/* No Ack came in time. */
void node_session_rekey_failed(struct fips_node *n, struct node_session *s)
{
	n->counters.session_rekey_abandoned++;
	session_rekey_stop(n, s, s->own->created + NODE_REKEY_RETRY_MS);
}

/*
 * Is a handshake of ours under way that may cross one of the far end's? What is a session's first
 * handshake to us, a far end that still has the session takes for a rekey. Not for long: it may
 * have lost the session, and then it asks because it can't answer.
 */
static bool session_ours_under_way(const struct fips_node *n, const struct node_session *s)
{
	u64 since;

	if (s->own)
		since = s->own->created;
	else if (s->probing)
		since = s->next_since;
	else if (s->msg3_len && !s->confirmed)
		since = s->established;
	else
		return false;
	return n->now.mono_ms - since < NODE_DEFEND_MS;
}

/*
 * Both at once: the smaller address's goes on. The larger answers as well and
 * keeps its own alive, for the Setup may be forged (08 §17).
 */
bool node_session_rekey_defends(struct fips_node *n, struct node_session *s)
{
	if (s->state != NODE_SESSION_ESTABLISHED || !session_ours_under_way(n, s) ||
	    fips_node_addr_cmp(&n->env.self->id.addr, &s->remote) > 0)
		return false;
	n->counters.session_rekey_tiebreak++;
	return true;
}

/* One small message under the next keys. */
void node_session_rekey_probe(struct fips_node *n, struct node_session *s)
{
	node_session_prove(n, s, FIPS_KEY_SLOT_NEXT);
}

/**
 * node_session_rekey_ack() - an Ack of our rekey has authenticated, msg3 is built
 * @n: node
 * @s: session
 */
void node_session_rekey_ack(struct fips_node *n, struct node_session *s)
{
	int ret;

	if (s->next_since && n->now.mono_ms - s->next_since < session_next_patience(n)) {
		/* Theirs is through already, and they may have moved. */
		n->counters.session_rekey_yielded++;
		s->msg3_len = 0;
		session_rekey_stop(n, s, n->now.mono_ms + NODE_REKEY_RETRY_MS);
		return;
	}
	node_session_send_msg3(n, s);
	ret = node_session_install(n, s, s->own->noise);
	if (ret) {
		node_log(n, FIPS_LOG_WARN, "new keys with %s failed: %d", s->id.npub, ret);
		n->counters.session_rekey_abandoned++;
		s->msg3_len = 0;
		session_rekey_stop(n, s, n->now.mono_ms + NODE_REKEY_RETRY_MS);
		return;
	}
	n->counters.session_rekey_expired += s->next_since != 0;
	node_half_free(n, s->own);
	s->next_since = n->now.mono_ms;
	s->probing = true;
	s->msg3_resends = 0;
	node_session_rekey_probe(n, s);
	fips_timer_set(&n->timers, &s->msg3_timer, n->now.mono_ms + PROBE_MS);
}

/* Nothing has come under the new keys yet. */
void node_session_rekey_timer(struct fips_node *n, struct node_session *s)
{
	u64 now = n->now.mono_ms, end = s->next_since + node_handshake_timeout(n), next;

	if (now >= end) {
		/* -ENOENT: promoted, and word of it got lost */
		if (n->dp->session_key_del(n->dp_ctx, &s->remote, FIPS_KEY_SLOT_NEXT) == -ENOENT) {
			node_session_cutover(n, s);
			return;
		}
		s->next_since = 0;
		n->counters.session_rekey_abandoned++;
		session_rekey_stop(n, s, now + NODE_REKEY_RETRY_MS);
		return;
	}
	if (now - s->next_since >= NODE_FIRST_RESEND_MS) {
		node_session_send_msg3(n, s);
		s->msg3_resends++;
	}
	node_session_rekey_probe(n, s);
	next = s->msg3_resends ? now + node_resend_delay(n, s->msg3_resends) :
				 s->next_since + NODE_FIRST_RESEND_MS;
	if (s->msg3_resends >= n->timing.rate_limit.handshake_max_resends || next > end)
		next = end;
	fips_timer_set(&n->timers, &s->msg3_timer, next);
}

/**
 * node_session_rekey_pending() - a msg3 of the far end's rekey has authenticated
 * @n: node
 * @s: session
 *
 * Return: whether its keys may go into the next slot; ours there give way if it is the smaller.
 */
bool node_session_rekey_pending(struct fips_node *n, struct node_session *s)
{
	bool smaller = fips_node_addr_cmp(&n->env.self->id.addr, &s->remote) < 0;

	if (s->probing && smaller && session_ours_under_way(n, s))
		return false;
	if (s->probing) {
		n->counters.session_rekey_yielded++;
		session_rekey_stop(n, s, n->now.mono_ms + NODE_REKEY_RETRY_MS);
	} else if (s->next_since) {
		n->counters.session_rekey_expired++;
	}
	s->next_since = n->now.mono_ms;
	return true;
}

/* The data plane has promoted the next slot. */
void node_session_cutover(struct fips_node *n, struct node_session *s)
{
	u64 now = n->now.mono_ms;

	if (s->probing) {
		n->counters.session_rekey_completed++;
	} else {
		n->counters.session_rekey_promoted++;
		n->counters.session_rekey_yielded += !!s->own;
	}
	node_log(n, FIPS_LOG_DEBUG, "%s: new session keys (%s)", s->id.npub,
		 s->probing ? "ours" : "its");
	node_session_msg3_stop(n, s);
	s->k_bit = !s->k_bit;
	s->next_since = 0;
	s->used_up = false;
	s->established = now;
	s->established_wall = n->now.wall_ms;
	session_rekey_stop(n, s, 0);
	node_owner_session(n, s);
	node_mmp_session_cutover(n, s);
	/* So that the other side moves, too; again, for it may have nothing to send itself. */
	s->proofs = NODE_PROOFS;
	node_session_prove(n, s, FIPS_KEY_SLOT_CURRENT);
	fips_timer_set(&n->timers, &s->drain, now + NODE_FIRST_RESEND_MS);
}
