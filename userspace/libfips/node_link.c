// SPDX-License-Identifier: MIT
/*
 * Link objects: one handshake each, with its number in the data plane, its
 * index and its place in the table of endpoints.
 */

#include <errno.h>
#include <stdlib.h>
#include <sodium.h>

#include "node_internal.h"

struct path_key {
	u32 transport_id;
	struct fips_taddr remote;
};

/* Links that share an endpoint; bounded by the links. */
struct node_path {
	struct path_key key;
	struct node_link *links;
	UT_hash_handle hh;
};

static struct node_path *path_find(const struct fips_node *n, u32 transport_id,
				   const struct fips_taddr *remote)
{
	struct path_key key = { .transport_id = transport_id, .remote = *remote };
	struct node_path *path;

	HASH_FIND(hh, n->paths, &key, sizeof(key), path);
	return path;
}

static void path_leave(struct fips_node *n, struct node_link *l)
{
	struct node_path *path = l->path;

	if (!path)
		return;
	DL_DELETE2(path->links, l, path_prev, path_next);
	l->path = NULL;
	if (path->links)
		return;
	HASH_DEL(n->paths, path);
	free(path);
}

static int path_join(struct fips_node *n, struct node_link *l)
{
	struct node_path *path = path_find(n, l->transport_id, &l->remote);

	if (!path) {
		path = calloc(1, sizeof(*path));
		if (!path)
			return -ENOMEM;
		path->key.transport_id = l->transport_id;
		path->key.remote = l->remote;
		HASH_ADD(hh, n->paths, key, sizeof(path->key), path);
	}
	DL_APPEND2(path->links, l, path_prev, path_next);
	l->path = path;
	return 0;
}

static void link_expire(void *owner, struct fips_timer *t);

static struct node_link *link_alloc(struct fips_node *n, u32 transport_id,
				    const struct fips_taddr *remote,
				    const struct fips_identity *peer)
{
	const struct node_transport *t = node_transport_find(n, transport_id);
	struct node_link *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->transport_id = transport_id;
	l->remote = *remote;
	l->mtu = t ? t->info.mtu : n->transport_mtu;
	l->peer = *peer;
	l->created = n->now.mono_ms;
	l->created_wall = n->now.wall_ms;
	fips_timer_init(&l->resend, node_leg_resend);
	fips_timer_init(&l->expire, link_expire);
	return l;
}

/* It has an index: into the tables. Frees it if it can't be. */
static struct node_link *link_publish(struct fips_node *n, struct node_link *l, u32 id)
{
	if (path_join(n, l)) {
		fips_index_release(&n->indices, l->our_index);
		free(l);
		return NULL;
	}
	l->id = id;
	if (id > n->next_link)
		n->next_link = id;
	HASH_ADD(hh, n->links, id, sizeof(l->id), l);
	DL_APPEND(n->link_list, l);
	n->n_links++;
	return l;
}

/**
 * node_link_new() - link object in state DIALING with an index; the data plane knows nothing yet
 * @n: node
 * @transport_id: where
 * @remote: endpoint
 * @peer: who is (said to be) there
 *
 * Return: the link or NULL (memory, or no index to be had).
 */
struct node_link *node_link_new(struct fips_node *n, u32 transport_id,
				const struct fips_taddr *remote, const struct fips_identity *peer)
{
	struct node_link *l = link_alloc(n, transport_id, remote, peer);

	if (!l)
		return NULL;
	if (fips_index_alloc(&n->indices, &n->env.rng, l, &l->our_index)) {
		free(l);
		return NULL;
	}
	return link_publish(n, l, n->next_link + 1);
}

/* The same for a link that the data plane has already (takeover), with its number and index. */
struct node_link *node_link_adopt(struct fips_node *n, const struct fips_saved_link *saved,
				  const struct fips_identity *peer)
{
	struct node_link *l = link_alloc(n, saved->transport_id, &saved->remote, peer);

	if (!l)
		return NULL;
	if (fips_index_take(&n->indices, l, saved->local_index)) {
		free(l);
		return NULL;
	}
	l->mtu = saved->mtu;
	l->our_index = saved->local_index;
	l->their_index = saved->remote_index;
	l->k_bit = saved->k_bit;
	return link_publish(n, l, saved->id);
}

/* A guest gives back the slot that it still holds. */
static void link_dp_del(struct fips_node *n, struct node_link *l)
{
	struct node_link *host = l->host;

	if (!host) {
		n->dp->link_del(n->dp_ctx, l->id);
	} else if (host->guest == l) {
		n->dp->link_key_del(n->dp_ctx, host->id, FIPS_KEY_SLOT_NEXT);
		host->guest = NULL;
	} else if (host->old == l) {
		n->dp->link_key_del(n->dp_ctx, host->id, FIPS_KEY_SLOT_PREVIOUS);
		host->old = NULL;
	}
}

/*
 * Forget a link, and its guests, here and in the data plane. Who counts on it (peer, dial) must
 * know already.
 */
void node_link_free(struct fips_node *n, struct node_link *l)
{
	if (l->guest)
		node_link_free(n, l->guest);
	if (l->old)
		node_link_free(n, l->old);
	link_dp_del(n, l);
	fips_timer_del(&n->timers, &l->resend);
	fips_timer_del(&n->timers, &l->expire);
	if (l->cache)
		l->cache->link = NULL;
	fips_noise_free(l->noise);
	fips_index_release(&n->indices, l->our_index);
	path_leave(n, l);
	HASH_DEL(n->links, l);
	DL_DELETE(n->link_list, l);
	n->n_links--;
	free(l);
}

/**
 * node_link_install() - hand the keys of a finished handshake to the data plane
 * @n: node
 * @l: link; @l->their_index and @l->k_bit are set
 * @noise: finished
 *
 * As responder the link is made with its keys, as a candidate; those of a rekey
 * go into the next slot of its host. No copy of the keys stays behind.
 *
 * Return: 0 or a negative errno.
 */
int node_link_install(struct fips_node *n, struct node_link *l, const struct fips_noise *noise)
{
	struct {
		struct fips_noise_keys keys;
		struct fips_dp_key key;
	} *cell = fips_secret_alloc(n->env.secrets, sizeof(*cell));
	struct fips_dp_link link;
	int ret;

	if (!cell)
		return -ENOMEM;
	ret = fips_noise_split(noise, &cell->keys);
	if (ret)
		goto out;
	cell->key.slot = l->host ? FIPS_KEY_SLOT_NEXT : FIPS_KEY_SLOT_CURRENT;
	cell->key.local_index = l->our_index;
	cell->key.remote_index = l->their_index;
	cell->key.has_key = true;
	memcpy(cell->key.tx, cell->keys.tx, FIPS_KEY_LEN);
	memcpy(cell->key.rx, cell->keys.rx, FIPS_KEY_LEN);
	cell->key.k_bit = l->k_bit;
	cell->key.initiator = l->host ? l->host->outbound : l->outbound;
	cell->key.soft_limit = node_rekey_soft_limit(n);
	cell->key.hard_limit = NODE_HARD_LIMIT;
	if (l->outbound || l->host) {
		ret = n->dp->link_key_new(n->dp_ctx, l->host ? l->host->id : l->id, &cell->key);
		goto out;
	}
	link = (struct fips_dp_link) {
		.id = l->id,
		.transport_id = l->transport_id,
		.peer = l->peer.addr,
		.remote = l->remote,
		.mtu = l->mtu,
		.candidate = true,
		.key = &cell->key,
	};
	ret = n->dp->link_new(n->dp_ctx, &link);
out:
	fips_secret_free(n->env.secrets, cell);
	return ret;
}

/* The far end is somewhere else now; the data plane knows or is told by the caller. */
void node_link_moved(struct fips_node *n, struct node_link *l, u32 transport_id,
		     const struct fips_taddr *remote)
{
	const struct node_transport *t = node_transport_find(n, transport_id);

	path_leave(n, l);
	l->transport_id = transport_id;
	l->remote = *remote;
	if (t)
		l->mtu = t->info.mtu;
	if (path_join(n, l))
		node_log(n, FIPS_LOG_WARN, "link %u: no memory for its endpoint", l->id);
}

struct node_link *node_link_find(const struct fips_node *n, u32 id)
{
	struct node_link *l;

	HASH_FIND(hh, n->links, &id, sizeof(id), l);
	return l;
}

/*
 * Whose endpoint is it (03 §9.2, §9.3)? Only links that say something about an
 * endpoint count: a candidate proves nothing.
 */
struct node_link *node_link_on_path(const struct fips_node *n, u32 transport_id,
				    const struct fips_taddr *remote)
{
	struct node_path *path = path_find(n, transport_id, remote);
	struct node_link *l, *leg = NULL;

	if (!path)
		return NULL;
	DL_FOREACH2(path->links, l, path_next) {
		if (l->state == NODE_LINK_ACTIVE)
			return l;
		if (l->state == NODE_LINK_DIALING || l->state == NODE_LINK_HELD)
			leg = l;
	}
	return leg;
}

/* Oldest link of a node in a state. The list is short: links are bounded. */
struct node_link *node_link_of_peer(const struct fips_node *n, const struct fips_node_addr *peer,
				    enum node_link_state state)
{
	struct node_link *l;

	DL_FOREACH(n->link_list, l) {
		if (l->state == state && fips_node_addr_eq(&l->peer.addr, peer))
			return l;
	}
	return NULL;
}

bool node_link_dialing(const struct fips_node *n, u32 transport_id, const struct fips_taddr *remote,
		       const struct fips_node_addr *peer)
{
	struct node_path *path = path_find(n, transport_id, remote);
	struct node_link *l;

	if (!path)
		return false;
	DL_FOREACH2(path->links, l, path_next) {
		if (l->state == NODE_LINK_DIALING && fips_node_addr_eq(&l->peer.addr, peer))
			return true;
	}
	return false;
}

/* Has a frame of it authenticated? @silent: for how long none has; may be NULL. */
bool node_link_heard(const struct fips_node *n, const struct node_link *l, u64 *silent)
{
	struct fips_dp_link_info info = { .last_rx_ms = FIPS_NEVER };

	if (n->dp->link_get(n->dp_ctx, l->id, &info) || info.last_rx_ms == FIPS_NEVER)
		return false;
	if (silent)
		*silent = info.last_rx_ms;
	return true;
}

int node_link_xmit(struct fips_node *n, const struct node_link *l, const void *msg, size_t len)
{
	return n->dp->link_xmit(n->dp_ctx, l->id, FIPS_KEY_SLOT_CURRENT, msg, len);
}

void node_link_heartbeat(struct fips_node *n, const struct node_link *l)
{
	u8 msg[1];
	int len = fips_heartbeat_build(msg, sizeof(msg));

	if (len > 0)
		node_link_xmit(n, l, msg, (size_t)len);
}

/*
 * Do we speak on one link and the peer on another? Where each side sees its own
 * handshake through last they would stay apart: then the larger address follows.
 */
static bool link_apart(const struct fips_node *n, const struct node_link *l, u64 silent)
{
	const struct node_peer *p = node_peer_find(n, &l->peer.addr);
	u64 other;

	if (!p || fips_node_addr_cmp(&n->env.self->id.addr, &l->peer.addr) < 0)
		return false;
	return !node_link_heard(n, p->link, &other) || other >= silent + NODE_DRAIN_MS;
}

/*
 * STANDBY: the old link goes when the peer has left it. One that still uses it
 * may have nothing to send but heartbeats, so the silence must be longer than theirs.
 */
static void link_standby_check(struct fips_node *n, struct node_link *l)
{
	u64 patience = NODE_DRAIN_MS + n->timing.heartbeat_interval_secs * 500;
	u64 silent;

	if (!node_link_heard(n, l, &silent) || silent >= n->now.mono_ms - l->standby_since ||
	    silent >= patience) {
		node_link_free(n, l);
		return;
	}
	if (link_apart(n, l, silent)) {
		node_peer_go_back(n, node_peer_find(n, &l->peer.addr), l);
		return;
	}
	fips_timer_set(&n->timers, &l->expire, n->now.mono_ms + patience - silent);
}

static void link_candidate_expired(struct fips_node *n, struct node_link *l)
{
	/* The confirmation may have been lost on its way up. */
	if (node_link_heard(n, l, NULL)) {
		node_candidate_confirm(n, l);
		return;
	}
	n->counters.candidates_expired++;
	node_link_free(n, l);
}

static void link_expire(void *owner, struct fips_timer *t)
{
	struct node_link *l = node_container(t, struct node_link, expire);
	struct fips_node *n = owner;

	switch (l->state) {
	case NODE_LINK_DIALING:
		node_log(n, FIPS_LOG_DEBUG, "handshake with %s timed out", l->peer.npub);
		node_leg_fail(n, l);
		return;
	case NODE_LINK_HELD:
		node_leg_hold_over(n, l);
		return;
	case NODE_LINK_CANDIDATE:
		link_candidate_expired(n, l);
		return;
	case NODE_LINK_STANDBY:
		link_standby_check(n, l);
		return;
	case NODE_LINK_REKEY:
	case NODE_LINK_NEXT:
		node_rekey_expired(n, l);
		return;
	case NODE_LINK_PREVIOUS:
		node_link_free(n, l);
		return;
	case NODE_LINK_ACTIVE:	/* keys from before us (takeover) */
		n->dp->link_key_del(n->dp_ctx, l->id, FIPS_KEY_SLOT_PREVIOUS);
		return;
	}
}

/* Too many old links of one peer: the oldest goes. */
static void link_standby_bound(struct fips_node *n, const struct node_link *l)
{
	struct node_link *i, *oldest = NULL;
	unsigned int count = 0;

	DL_FOREACH(n->link_list, i) {
		if (i->state != NODE_LINK_STANDBY || i == l ||
		    !fips_node_addr_eq(&i->peer.addr, &l->peer.addr))
			continue;
		if (!oldest)
			oldest = i;
		count++;
	}
	if (count >= NODE_STANDBY_PEER)
		node_link_free(n, oldest);
}

/* The one place that changes the state of a link, and arms what that state waits for. */
void node_link_enter(struct fips_node *n, struct node_link *l, enum node_link_state state)
{
	u64 now = n->now.mono_ms;

	l->state = state;
	fips_timer_del(&n->timers, &l->resend);
	fips_timer_del(&n->timers, &l->expire);
	switch (state) {
	case NODE_LINK_DIALING:
		l->early = n->timing.rate_limit.handshake_early_ms != 0;
		fips_timer_set(&n->timers, &l->resend, now + (l->early ?
			       n->timing.rate_limit.handshake_early_ms : NODE_FIRST_RESEND_MS));
		fips_timer_set(&n->timers, &l->expire, now + node_handshake_timeout(n));
		return;
	case NODE_LINK_HELD:
		fips_timer_set(&n->timers, &l->expire, now + NODE_HOLD_MS);
		return;
	case NODE_LINK_CANDIDATE:
		fips_timer_set(&n->timers, &l->expire, now + node_handshake_timeout(n));
		return;
	case NODE_LINK_ACTIVE:
		l->active_since = now;
		node_owner_link(n, l);
		return;
	case NODE_LINK_STANDBY:
		l->standby_since = now;
		fips_timer_set(&n->timers, &l->expire, now + NODE_DRAIN_MS);
		link_standby_bound(n, l);
		return;
	case NODE_LINK_REKEY:
		fips_timer_set(&n->timers, &l->resend, now + NODE_FIRST_RESEND_MS);
		fips_timer_set(&n->timers, &l->expire, now + NODE_REKEY_PATIENCE_MS);
		return;
	case NODE_LINK_NEXT:
		if (l->outbound)
			fips_timer_set(&n->timers, &l->resend, now + NODE_REKEY_PROBE_MS);
		/* As responder for as long as an initiator repeats its msg1. */
		fips_timer_set(&n->timers, &l->expire, now + (l->outbound ?
			       NODE_REKEY_FORCE_MS : NODE_REKEY_PATIENCE_MS));
		return;
	case NODE_LINK_PREVIOUS:
		fips_timer_set(&n->timers, &l->expire, now + NODE_DRAIN_MS);
		return;
	}
}
