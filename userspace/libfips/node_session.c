// SPDX-License-Identifier: MIT
/*
 * Session objects (spec 08 §3, §4.4): one a remote node, with whatever
 * handshakes are under way, and its object in the data plane.
 */

#include <errno.h>
#include <stdlib.h>
#include <sodium.h>

#include "node_internal.h"

struct node_session *node_session_find(const struct fips_node *n,
				       const struct fips_node_addr *remote)
{
	struct node_session *s;

	HASH_FIND(hh, n->sessions, remote, sizeof(*remote), s);
	return s;
}

static void session_timer(void *owner, struct fips_timer *t);

/* 02 §12.1: old keys go 10 s after the new ones were first used. */
static void session_drained(void *owner, struct fips_timer *t)
{
	struct node_session *s = node_container(t, struct node_session, drain);
	struct fips_node *n = owner;
	u64 age = n->now.mono_ms - s->established, wait = 2 * age;

	if (s->proofs) {	/* the far end may not have moved */
		s->proofs--;
		node_session_prove(n, s, FIPS_KEY_SLOT_CURRENT);
		if (!s->proofs)
			wait = age < NODE_DRAIN_MS ? NODE_DRAIN_MS - age : 0;
		fips_timer_set(&n->timers, t, n->now.mono_ms + wait);
		return;
	}
	n->dp->session_key_del(n->dp_ctx, &s->remote, FIPS_KEY_SLOT_PREVIOUS);
}

/* NULL: no memory, or %NODE_SESSIONS are there already. */
struct node_session *node_session_new(struct fips_node *n, const struct fips_node_addr *remote)
{
	struct node_session *s;

	if (HASH_COUNT(n->sessions) >= NODE_SESSIONS)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->remote = *remote;
	s->activity = n->now.mono_ms;
	node_mmp_session_new(n, s);
	fips_timer_init(&s->timer, session_timer);
	fips_timer_init(&s->msg3_timer, node_session_msg3_timer);
	fips_timer_init(&s->drain, session_drained);
	fips_timer_init(&s->rekey, node_session_rekey_due);
	fips_timer_init(&s->mute, node_session_mute_check);
	HASH_ADD(hh, n->sessions, remote, sizeof(s->remote), s);
	return s;
}

void node_session_free(struct fips_node *n, struct node_session *s)
{
	node_half_drop_all(n, s);
	fips_timer_del(&n->timers, &s->timer);
	fips_timer_del(&n->timers, &s->msg3_timer);
	fips_timer_del(&n->timers, &s->drain);
	fips_timer_del(&n->timers, &s->rekey);
	fips_timer_del(&n->timers, &s->mute);
	node_mmp_session_gone(n, s);
	if (s->installed)
		n->dp->session_del(n->dp_ctx, &s->remote);
	if (s->has_id)
		node_identity_unpin(n, &s->id);
	HASH_DEL(n->sessions, s);
	sodium_memzero(s->msg3, sizeof(s->msg3));
	free(s);
}

void node_session_destroy(struct fips_node *n)
{
	struct node_session *s, *tmp;

	HASH_ITER(hh, n->sessions, s, tmp)
		node_session_free(n, s);
}

/* Its key is known: proven by msg3, or ours to know as the initiator. */
void node_session_learn(struct fips_node *n, struct node_session *s, const struct fips_identity *id)
{
	if (s->has_id)
		return;
	s->id = *id;
	s->has_id = true;
	node_identity_pin(n, id);
}

/*
 * Data either way keeps a session, nothing else does (08 §4.4). But until the far end has shown
 * that it has the keys there may be nothing to be idle of: its data, which made us ask, is then
 * still on a way that is longer than the timeout. Msg3 has a patience of its own.
 */
static void session_idle_check(struct fips_node *n, struct node_session *s)
{
	struct fips_dp_session_info info = { .last_data_ms = FIPS_NEVER };
	u64 idle = n->timing.session.idle_timeout_secs * 1000;
	u64 quiet = n->now.mono_ms - s->activity;

	if (!n->dp->session_get(n->dp_ctx, &s->remote, &info) && info.last_data_ms < quiet)
		quiet = info.last_data_ms;
	if (s->msg3_len && !s->confirmed) {
		fips_timer_set(&n->timers, &s->timer, n->now.mono_ms + idle);
		return;
	}
	if (quiet < idle) {
		s->activity = n->now.mono_ms - quiet;
		fips_timer_set(&n->timers, &s->timer, n->now.mono_ms + idle - quiet);
		return;
	}
	node_log(n, FIPS_LOG_DEBUG, "session with %s idle", s->id.npub);
	node_session_free(n, s);
}

static void session_timer(void *owner, struct fips_timer *t)
{
	struct node_session *s = node_container(t, struct node_session, timer);
	struct fips_node *n = owner;

	switch (s->state) {
	case NODE_SESSION_WAITING:
		n->dp->unreachable(n->dp_ctx, s->id.ipv6, NODE_UNREACHABLE_MS);
		node_session_free(n, s);
		return;
	case NODE_SESSION_ESTABLISHED:
		session_idle_check(n, s);
		return;
	case NODE_SESSION_AWAITING_MSG3:
		fips_timer_set(&n->timers, t, n->now.mono_ms + NODE_FIRST_RESEND_MS);
		node_half_own_traffic(n, s);
		return;
	case NODE_SESSION_INITIATING:
		return;
	}
}

/* The one place that changes the state of a session. */
void node_session_enter(struct fips_node *n, struct node_session *s, enum node_session_state state)
{
	u64 now = n->now.mono_ms;

	/* Another Setup puts off nothing. */
	if (state == NODE_SESSION_AWAITING_MSG3 && s->state == state)
		return;
	s->state = state;
	fips_timer_del(&n->timers, &s->timer);
	switch (state) {
	case NODE_SESSION_WAITING:
		fips_timer_set(&n->timers, &s->timer, now + NODE_WAIT_LINK_MS);
		return;
	case NODE_SESSION_AWAITING_MSG3:	/* for packets of ours */
		fips_timer_set(&n->timers, &s->timer, now + NODE_FIRST_RESEND_MS);
		return;
	case NODE_SESSION_INITIATING:
		return;		/* the handshake has the timers */
	case NODE_SESSION_ESTABLISHED:
		s->established = now;
		s->established_wall = n->now.wall_ms;
		s->activity = now;
		if (n->timing.session.idle_timeout_secs)
			fips_timer_set(&n->timers, &s->timer,
				       now + n->timing.session.idle_timeout_secs * 1000);
		node_owner_session(n, s);
		n->dp->unreachable(n->dp_ctx, s->id.ipv6, 0);
		node_session_rekey_arm(n, s, 0);
		fips_timer_set(&n->timers, &s->mute, now + NODE_MUTE_CHECK_MS);
		node_mmp_session_up(n, s);
		node_log(n, FIPS_LOG_INFO, "session with %s up (%s)", s->id.npub,
			 s->initiator ? "we asked" : "it asked");
		return;
	}
}

/* Tell path MTU, coordinates and how often they go along to the data plane. */
static int session_describe(struct fips_node *n, struct node_session *s, u8 coords_count,
			    int (*op)(void *dp, const struct fips_dp_session *s))
{
	u8 coords[NODE_COORDS_ROOM];
	int len = node_coords_lists(n, &s->remote, coords, sizeof(coords));
	const struct fips_dp_session desc = {
		.remote = s->remote,
		.path_mtu = s->mtu.current,
		.coords = coords,
		.coords_len = len < 0 ? 0 : (size_t)len,
		.coords_count = coords_count,
	};

	return len < 0 ? len : op(n->dp_ctx, &desc);
}

/* What the first link and the last lookup allow. */
static u16 session_first_mtu(struct fips_node *n, const struct node_session *s)
{
	const struct node_peer *p = node_route_peer(n, &s->remote);
	u16 mtu = p ? p->link->mtu : FIPS_MTU_UNKNOWN;
	struct fips_coord_info info;

	if (fips_coordcache_peek(&n->mesh.coords, &s->remote, n->now.mono_ms, &info) &&
	    info.path_mtu && info.path_mtu < mtu)
		mtu = info.path_mtu;
	return mtu;
}

/**
 * node_session_prepare() - make the session in the data plane, still without keys
 * @n: node
 * @s: session
 *
 * Before Setup or Ack leaves: what the peer sends right behind Msg3 is parked
 * until the key comes.
 *
 * Return: 0 or a negative errno.
 */
int node_session_prepare(struct fips_node *n, struct node_session *s)
{
	u8 count = n->timing.session.coords_warmup_packets;
	int ret;

	if (s->installed)
		return 0;
	fips_pathmtu_seed(&s->mtu, session_first_mtu(n, s));
	ret = session_describe(n, s, count, n->dp->session_new);
	if (ret == -EEXIST) {	/* left over from somebody before us */
		n->dp->session_del(n->dp_ctx, &s->remote);
		ret = session_describe(n, s, count, n->dp->session_new);
	}
	if (ret && ret != -EINPROGRESS)
		return ret;
	s->installed = true;
	if (!node_peer_find(n, &s->remote))
		node_route_offer(n, &s->remote);
	return 0;
}

/* Coordinates are prepended anew (08 §7). */
void node_session_warm(struct fips_node *n, struct node_session *s)
{
	session_describe(n, s, n->timing.session.coords_warmup_packets, n->dp->session_set);
}

/* Messages that still carry coordinates: the first ones under a key do. */
u8 node_session_warmup_left(const struct fips_node *n, const struct node_session *s)
{
	struct fips_dp_session_info info = { .tx_counter = 0 };
	u8 warmup = n->timing.session.coords_warmup_packets;

	if (!s->installed || n->dp->session_get(n->dp_ctx, &s->remote, &info) ||
	    info.tx_counter >= warmup)
		return 0;
	return (u8)(warmup - info.tx_counter);
}

/* The path MTU has changed; the warm-up goes on where it is. */
void node_session_tell_mtu(struct fips_node *n, struct node_session *s)
{
	session_describe(n, s, node_session_warmup_left(n, s), n->dp->session_set);
}

/**
 * node_session_install() - hand the keys of a finished handshake to the data plane
 * @n: node
 * @s: session
 * @noise: finished
 *
 * The first handshake makes the current slot, a later one the next slot with K
 * flipped, which the data plane promotes when a message opens under it.
 *
 * Return: 0 or a negative errno.
 */
int node_session_install(struct fips_node *n, struct node_session *s,
			 const struct fips_noise *noise)
{
	bool first = s->state != NODE_SESSION_ESTABLISHED;
	struct {
		struct fips_noise_keys keys;
		struct fips_dp_key key;
	} *cell = fips_secret_alloc(n->env.secrets, sizeof(*cell));
	struct fips_dp_session_info info;
	int ret;

	if (!cell)
		return -ENOMEM;
	ret = fips_noise_split(noise, &cell->keys);
	if (ret)
		goto out;
	/* A responder's K follows the initiator's: what the last install said may be past. */
	if (!first && !n->dp->session_get(n->dp_ctx, &s->remote, &info))
		s->k_bit = info.k_bit;
	cell->key.slot = first ? FIPS_KEY_SLOT_CURRENT : FIPS_KEY_SLOT_NEXT;
	cell->key.has_key = true;
	memcpy(cell->key.tx, cell->keys.tx, FIPS_KEY_LEN);
	memcpy(cell->key.rx, cell->keys.rx, FIPS_KEY_LEN);
	cell->key.k_bit = first ? 0 : !s->k_bit;
	cell->key.initiator = s->initiator;
	cell->key.soft_limit = node_rekey_soft_limit(n);
	cell->key.hard_limit = NODE_HARD_LIMIT;
	ret = n->dp->session_key_new(n->dp_ctx, &s->remote, &cell->key);
	if (ret == -EINPROGRESS)
		ret = 0;
	if (!ret && first)
		s->k_bit = 0;
out:
	fips_secret_free(n->env.secrets, cell);
	return ret;
}

/* A datagram of our own: a handshake message or a signal (08 §6.3). */
int node_datagram_send(struct fips_node *n, const struct fips_node_addr *dst, const u8 *payload,
		       size_t len)
{
	const struct node_peer *p = node_route_or_kept(n, dst);
	u8 buf[NODE_MSG_ROOM];
	struct fips_datagram dgram = {
		.ttl = n->timing.session.default_ttl,
		.src = n->env.self->id.addr,
		.dst = *dst,
		.payload = payload,
		.len = len,
	};
	int ret;

	if (!p)
		return -EHOSTUNREACH;
	dgram.path_mtu = p->link->mtu;
	ret = fips_datagram_build(buf, sizeof(buf), &dgram);
	if (ret < 0)
		return ret;
	return node_link_xmit(n, p->link, buf, (size_t)ret);
}

int node_session_send(struct fips_node *n, const struct fips_node_addr *remote, const u8 *msg,
		      size_t len)
{
	return node_datagram_send(n, remote, msg, len);
}

/* The remote was a direct peer and its link is gone or it was restarted (08 §4.4). */
void node_session_gone(struct fips_node *n, const struct fips_node_addr *remote)
{
	struct node_session *s = node_session_find(n, remote);

	if (s)
		node_session_free(n, s);
}
