// SPDX-License-Identifier: MIT
/*
 * Peers: authenticated neighbours (spec 03 §10.1, §14, §15). One link each,
 * and behind it for a while the links it replaced.
 */

#include <errno.h>
#include <stdlib.h>

#include "node_internal.h"

struct node_peer *node_peer_find(const struct fips_node *n, const struct fips_node_addr *addr)
{
	struct node_peer *p;

	HASH_FIND(hh, n->peers, addr, sizeof(*addr), p);
	return p;
}

/* Somebody the operator named, or a neighbour already? */
bool node_peer_friend(const struct fips_node *n, const struct fips_node_addr *addr)
{
	return node_peer_find(n, addr) || node_dial_find(n, addr);
}

/*
 * Room for one more (03 §9.4)? Strangers must leave the places of configured
 * peers that are not here yet.
 */
bool node_peer_room(const struct fips_node *n, const struct fips_node_addr *addr)
{
	u64 used = HASH_COUNT(n->peers);
	struct node_dial *d, *tmp;

	if (!n->timing.limits.max_peers)
		return true;
	if (!node_peer_friend(n, addr)) {
		HASH_ITER(hh, n->dials, d, tmp)
			used += d->configured && !node_peer_find(n, &d->id.addr);
	}
	return used < n->timing.limits.max_peers;
}

static u64 peer_dead_timeout(const struct fips_node *n)
{
	u64 ms = n->timing.link_dead_timeout_secs * 1000;

	return ms ? ms : 1000;	/* 0 means "always dead" (03 §14.2), not "busy loop" */
}

/* How long has nothing authenticated, on the link or on those it replaced? */
static u64 peer_silence(const struct fips_node *n, const struct node_peer *p)
{
	u64 silent = n->now.mono_ms - p->link->active_since, heard;
	struct node_link *l;

	DL_FOREACH(n->link_list, l) {
		if (l != p->link && (l->state != NODE_LINK_STANDBY ||
				     !fips_node_addr_eq(&l->peer.addr, &p->id.addr)))
			continue;
		if (node_link_heard(n, l, &heard) && heard < silent)
			silent = heard;
	}
	return silent;
}

/*
 * A heartbeat and a half without a frame: the peer may have been restarted and
 * have nobody to dial. A handshake on the side finds out before the link is
 * given up, and to a peer that is well it is no more than a rekey.
 */
static u64 peer_probe_after(const struct fips_node *n)
{
	u64 ms = n->timing.heartbeat_interval_secs * 1500;

	return ms && ms < peer_dead_timeout(n) ? ms : peer_dead_timeout(n);
}

static void peer_dead_check(void *owner, struct fips_timer *t)
{
	struct node_peer *p = node_container(t, struct node_peer, dead);
	struct fips_node *n = owner;
	u64 timeout = peer_dead_timeout(n), probe = peer_probe_after(n);
	u64 silent = peer_silence(n, p);

	if (silent >= probe && node_rekey_in_flight(n, p)) {
		/* It asks already, and a lost msg2 costs 31 s of silence (02 §11.6). */
		fips_timer_set(&n->timers, t, n->now.mono_ms + NODE_FIRST_RESEND_MS);
		return;
	}
	if (silent >= timeout) {
		n->counters.peers_lost++;
		node_peer_remove(n, p, "link dead", true);
		return;
	}
	if (silent < probe) {
		fips_timer_set(&n->timers, t, n->now.mono_ms + probe - silent);
		return;
	}
	fips_timer_set(&n->timers, t, n->now.mono_ms + timeout - silent);
	node_dial_probe(n, &p->id.addr);
}

/* 03 §14.1: whatever else is sent. */
static void peer_heartbeat(void *owner, struct fips_timer *t)
{
	struct node_peer *p = node_container(t, struct node_peer, heartbeat);
	struct fips_node *n = owner;
	u64 interval = n->timing.heartbeat_interval_secs * 1000;

	node_link_heartbeat(n, p->link);
	fips_timer_set(&n->timers, t, n->now.mono_ms + (interval ? interval : 1000));
}

/*
 * Our first frame is what makes a candidate of the other side a link
 * (03 §28.1 step 5). Should it get lost, the next heartbeat is far away.
 */
static void peer_nudge(void *owner, struct fips_timer *t)
{
	struct node_peer *p = node_container(t, struct node_peer, nudge);
	struct fips_node *n = owner;

	if (node_link_heard(n, p->link, NULL) || p->nudges >= 4)
		return;
	p->nudges++;
	node_link_heartbeat(n, p->link);
	fips_timer_set(&n->timers, t, n->now.mono_ms + ((u64)NODE_FIRST_RESEND_MS << p->nudges));
}

/* A frame authenticated: the other side has our keys. */
void node_peer_proved(struct fips_node *n, struct node_peer *p)
{
	fips_timer_del(&n->timers, &p->nudge);
}

static struct node_peer *peer_new(struct fips_node *n, const struct node_link *l)
{
	struct node_peer *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->id = l->peer;
	memcpy(p->epoch, l->epoch, sizeof(p->epoch));
	p->authenticated_wall = n->now.wall_ms;
	fips_timer_init(&p->heartbeat, peer_heartbeat);
	fips_timer_init(&p->dead, peer_dead_check);
	fips_timer_init(&p->nudge, peer_nudge);
	fips_timer_init(&p->rekey, node_rekey_due);
	fips_bucket_init(&p->setup_new, &n->setup_new_rate, n->now.mono_ms);
	fips_bucket_init(&p->setup_known, &n->setup_known_rate, n->now.mono_ms);
	HASH_ADD(hh, n->peers, id.addr, sizeof(p->id.addr), p);
	node_mesh_peer_new(n, p);
	node_mmp_peer_new(n, p);
	node_identity_pin(n, &p->id);
	return p;
}

static void peer_use_link(struct fips_node *n, struct node_peer *p, struct node_link *l)
{
	u64 now = n->now.mono_ms;

	if (p->link) {
		node_mmp_link_changes(n, p);
		node_rekey_cancel(n, p->link);
		node_link_enter(n, p->link, NODE_LINK_STANDBY);
	}
	p->link = l;
	node_link_enter(n, l, NODE_LINK_ACTIVE);
	node_rekey_arm(n, p);
	n->dp->route_set(n->dp_ctx, &p->id.addr, l->id, n->mesh.generation);
	peer_heartbeat(n, &p->heartbeat);
	fips_timer_set(&n->timers, &p->dead, now + peer_probe_after(n));
	p->nudges = 0;
	if (l->outbound)
		fips_timer_set(&n->timers, &p->nudge, now + NODE_FIRST_RESEND_MS);
	node_mesh_peer_up(n, p);
}

/**
 * node_peer_promote() - a link has proven itself (03 §10.1, §28.1 step 5)
 * @n: node
 * @l: link with keys; freed on failure
 *
 * A peer that is here already and has another epoch was restarted: what
 * belonged to its former life goes. With the same epoch the new link takes
 * over and the old one still receives.
 *
 * Return: 0, -EUSERS or -ENOMEM.
 */
int node_peer_promote(struct fips_node *n, struct node_link *l)
{
	struct node_peer *p = node_peer_find(n, &l->peer.addr);

	if (p && memcmp(p->epoch, l->epoch, sizeof(p->epoch))) {
		n->counters.peer_restarts++;
		node_peer_remove(n, p, "restarted", false);
		p = NULL;
	}
	if (!p) {
		if (!node_acl_allows(n, &l->peer, NODE_ACL_PROMOTION) ||
		    !node_peer_room(n, &l->peer.addr)) {
			n->counters.handshake_bad_state++;
			node_link_free(n, l);
			return -EUSERS;
		}
		p = peer_new(n, l);
		if (!p) {
			node_link_free(n, l);
			return -ENOMEM;
		}
		node_log(n, FIPS_LOG_INFO, "peer %s up (%s)", p->id.npub,
			 l->outbound ? "we dialled" : "it dialled");
	} else {
		node_log(n, FIPS_LOG_DEBUG, "peer %s on a new link", p->id.npub);
	}
	peer_use_link(n, p, l);
	l->asked = !l->outbound;
	node_dial_connected(n, &p->id.addr);
	if (l->outbound)
		node_leg_cancel(n, &p->id.addr);
	node_session_link_up(n, &p->id.addr);
	return 0;
}

/* The peer has never left @l, a link that we had replaced: we return to it. */
void node_peer_go_back(struct fips_node *n, struct node_peer *p, struct node_link *l)
{
	node_log(n, FIPS_LOG_DEBUG, "peer %s stays on its link", p->id.npub);
	/* before the other one joins the old ones, of which the oldest may have to go */
	node_link_enter(n, l, NODE_LINK_ACTIVE);
	peer_use_link(n, p, l);
}

void node_peer_disconnect(struct fips_node *n, const struct node_peer *p, u8 reason)
{
	u8 msg[2];
	int len = fips_disconnect_build(msg, sizeof(msg), reason);

	if (len > 0)
		node_link_xmit(n, p->link, msg, (size_t)len);
}

static void peer_free_links(struct fips_node *n, const struct node_peer *p)
{
	struct node_link *l;

	/* One may take others along: from the front again. */
	while ((l = node_link_of_peer(n, &p->id.addr, NODE_LINK_ACTIVE)) ||
	       (l = node_link_of_peer(n, &p->id.addr, NODE_LINK_STANDBY)))
		node_link_free(n, l);
}

/**
 * node_peer_remove() - the common end (03 §14.3)
 * @n: node
 * @p: peer; freed
 * @why: for the log
 * @reflex: dial again, if it is one of those
 *
 * The end-to-end session with that very node goes too.
 */
void node_peer_remove(struct fips_node *n, struct node_peer *p, const char *why, bool reflex)
{
	const struct fips_node_addr addr = p->id.addr;

	node_log(n, FIPS_LOG_INFO, "peer %s gone: %s", p->id.npub, why);
	n->dp->route_del(n->dp_ctx, &addr);
	peer_free_links(n, p);
	fips_timer_del(&n->timers, &p->heartbeat);
	fips_timer_del(&n->timers, &p->dead);
	fips_timer_del(&n->timers, &p->nudge);
	fips_timer_del(&n->timers, &p->rekey);
	node_mmp_peer_gone(n, p);
	HASH_DEL(n->peers, p);
	node_mesh_peer_gone(n, p);
	node_identity_unpin(n, &p->id);
	free(p);
	node_session_gone(n, &addr);
	if (!reflex)
		return;
	node_leg_cancel_refresh(n, &addr);
	node_dial_link_dead(n, &addr);
}
