// SPDX-License-Identifier: MIT
/*
 * Bloom filters (spec 06) in the node: what the neighbours announced, and what
 * they hear from us. A filter is computed when it leaves, from what is true by
 * then; it is sent if it differs from the last one, and now and then anyway,
 * since nobody repeats a lost one (§15).
 */

#include <stdlib.h>

#include "node_internal.h"

static void filter_send_due(void *owner, struct fips_timer *t);

void node_filter_init(struct fips_node *n, u64 sequence)
{
	n->mesh.filter_seq = sequence;
	n->mesh.filter_max = fips_bloom_max_popcount(n->timing.bloom.max_inbound_fpr);
	n->mesh.filter_sure = fips_bloom_max_popcount(NODE_FILTER_SURE);
	n->mesh.size_stale = true;
	fips_bloom_key(&n->mesh.own_key, &n->env.self->id.addr);
	fips_timer_init(&n->mesh.filter_timer, filter_send_due);
}

/*
 * May its filter speak for its side of the tree? Not if it was made for a
 * neighbour beside the tree: such a one holds all the mesh.
 */
bool node_filter_counts(const struct fips_node *n, const struct node_peer *p)
{
	return p->mesh.filter.known && !p->mesh.outdated &&
	       fips_tree_is_tree_peer(n->mesh.tree, &p->id.addr);
}

/*
 * @p has become our child. If its filter has us, it is from before: a child's
 * own leaves its parent out. It would go up to the root as if all the mesh were
 * below us; the next one is on its way.
 */
void node_filter_child_new(struct fips_node *n, struct node_peer *p)
{
	p->mesh.outdated = n->rules->doubt_old_filters && p->mesh.filter.known &&
			   fips_bloom_contains(&p->mesh.filter.filter, &n->mesh.own_key);
	n->counters.bloom_outdated += p->mesh.outdated;
}

/* ---- out ---- */

/* Inbound filters of all tree peers. Return: their number; @at: the one of @to, or that number. */
static size_t filter_shares(const struct fips_node *n, const struct node_peer *to,
			    struct fips_bloom_share *shares, size_t *at)
{
	const struct node_peer *p, *tmp;
	size_t count = 0;
	bool found = false;

	HASH_ITER(hh, n->peers, p, tmp) {
		if (!node_filter_counts(n, p))
			continue;
		if (p == to) {
			*at = count;
			found = true;
		}
		shares[count++] = (struct fips_bloom_share) {
			.filter = &p->mesh.filter.filter,
			.popcount = p->mesh.filter.popcount,
			.parent = fips_tree_is_parent(n->mesh.tree, &p->id.addr),
		};
	}
	if (!found)
		*at = count;
	return count;
}

static int filter_xmit(struct fips_node *n, struct node_peer *p, const struct fips_bloom *f)
{
	u8 msg[FIPS_FILTER_LEN];
	int len = fips_filter_build(msg, sizeof(msg), ++n->mesh.filter_seq, f);

	return len < 0 ? len : node_link_xmit(n, p->link, msg, (size_t)len);
}

static void filter_refresh_later(struct fips_node *n, struct node_peer *p)
{
	u64 delay = NODE_REPEAT_MS;
	u8 i;

	if (!n->rules->repeat_filters)
		return;
	for (i = 0; i < p->mesh.repeats; i++)
		delay *= 3;
	if (p->mesh.repeats >= NODE_REPEATS)
		delay = NODE_FILTER_REFRESH_MS + node_jitter(n, NODE_FILTER_REFRESH_MS);
	fips_timer_set(&n->timers, &p->mesh.refresh, n->now.mono_ms + delay);
}

/* Compute and compare, and send what differs. The bucket is asked only then. */
static void filter_send(struct fips_node *n, struct node_peer *p, struct fips_bloom_share *shares,
			u64 *next)
{
	struct node_mesh_peer *m = &p->mesh;
	u64 now = n->now.mono_ms;
	struct fips_bloom_out out;
	size_t count, at;
	bool fresh;

	count = filter_shares(n, p, shares, &at);
	fips_bloom_merge(&out, &n->mesh.own_key, shares, count, at,
			 n->rules->cap_merged ? n->mesh.filter_max : 0);
	fresh = !m->sent || !fips_bloom_eq(m->sent, &out.filter);
	if (!m->force && !fresh) {
		m->pending = false;
		return;
	}
	if (!fips_bucket_take(&m->filter_out, &n->mesh.filter_rate, now)) {
		u64 when = now + fips_bucket_wait(&m->filter_out, &n->mesh.filter_rate, now);

		n->counters.bloom_debounced++;
		*next = when < *next ? when : *next;
		return;
	}
	if (!m->sent)
		m->sent = malloc(sizeof(*m->sent));
	if (!m->sent || filter_xmit(n, p, &out.filter)) {
		n->counters.bloom_send_failed++;
		*next = now + 1000 < *next ? now + 1000 : *next;
		return;
	}
	n->counters.bloom_sent++;
	n->counters.bloom_left_out += out.left_out;
	if (fresh)
		m->repeats = 0;
	else
		p->mmp.tx_quiet++;	/* an idle link stays idle */
	*m->sent = out.filter;
	m->pending = false;
	m->force = false;
	filter_refresh_later(n, p);
}

static void filter_send_due(void *owner, struct fips_timer *t)
{
	struct fips_node *n = owner;
	struct fips_bloom_share *shares;
	struct node_peer *p, *tmp;
	u64 next = FIPS_NEVER;

	if (n->draining || !n->peers)
		return;
	shares = calloc(HASH_COUNT(n->peers), sizeof(*shares));
	if (!shares) {
		fips_timer_set(&n->timers, t, n->now.mono_ms + 1000);
		return;
	}
	HASH_ITER(hh, n->peers, p, tmp) {
		/* A filter never overtakes a tree announce: the receiver needs that first. */
		if (p->mesh.pending && !p->mesh.announce_timer.armed)
			filter_send(n, p, shares, &next);
	}
	free(shares);
	if (next != FIPS_NEVER)
		fips_timer_set(&n->timers, t, next);
}

static void filter_wake(struct fips_node *n, u64 delay)
{
	u64 when = n->now.mono_ms + delay;

	if (!n->mesh.filter_timer.armed || n->mesh.filter_timer.when > when)
		fips_timer_set(&n->timers, &n->mesh.filter_timer, when);
}

void node_filter_go(struct fips_node *n)
{
	filter_wake(n, 0);
}

/* @p is to hear what has changed; with @force also if nothing has. */
void node_filter_mark(struct fips_node *n, struct node_peer *p, bool force)
{
	p->mesh.pending = true;
	p->mesh.force |= force;
	filter_wake(n, n->rules->filter_gather_ms);
}

void node_filter_mark_all(struct fips_node *n, const struct node_peer *but, bool force)
{
	struct node_peer *p, *tmp;

	HASH_ITER(hh, n->peers, p, tmp) {
		if (p != but)
			node_filter_mark(n, p, force);
	}
}

static void filter_refresh(void *owner, struct fips_timer *t)
{
	struct node_peer *p = node_container(t, struct node_peer, mesh.refresh);

	if (p->mesh.repeats < NODE_REPEATS)
		p->mesh.repeats++;
	node_filter_mark(owner, p, true);
}

/* ---- in ---- */

/* It says what we know and believe. @was: what the peer announced before. */
static bool filter_is_repeated(const struct node_peer *p, const struct fips_bloom_peer *was)
{
	return was->known && !was->over && !p->mesh.outdated &&
		fips_bloom_eq(&was->filter, &p->mesh.filter.filter);
}

static void filter_take(struct fips_node *n, struct node_peer *p, const u8 *body, size_t len)
{
	const struct fips_bloom_peer was = p->mesh.filter;

	switch (fips_bloom_receive(&p->mesh.filter, body, len, n->mesh.filter_max)) {
	case FIPS_BLOOM_ACCEPTED:
		n->counters.bloom_accepted++;
		if (filter_is_repeated(p, &was)) {
			p->mmp.rx_quiet++;
			return;
		}
		p->mesh.outdated = false;
		n->mesh.size_stale = true;
		node_filter_mark_all(n, p, false);
		node_lookup_filters(n);
		node_route_changed(n);
		return;
	case FIPS_BLOOM_DECODE_ERROR:
		n->counters.bloom_decode_error++;
		return;
	case FIPS_BLOOM_NON_V1:
		n->counters.bloom_non_v1++;
		return;
	case FIPS_BLOOM_STALE:
		n->counters.bloom_stale++;
		return;
	case FIPS_BLOOM_FILL_EXCEEDED:
		n->counters.bloom_fill_exceeded++;
		if (!was.over)
			node_log(n, FIPS_LOG_WARN, "filter of %s is too full", p->id.npub);
		node_lookup_filters(n);
		return;
	}
}

static void filter_unpark(void *owner, struct fips_timer *t)
{
	struct node_peer *p = node_container(t, struct node_peer, mesh.parked_timer);
	struct fips_node *n = owner;
	u8 *body = p->mesh.parked;

	if (!body)
		return;
	fips_bucket_take(&p->mesh.filter_in, &n->mesh.filter_in_rate, n->now.mono_ms);
	p->mesh.parked = NULL;
	filter_take(n, p, body, FIPS_FILTER_LEN - 1);
	free(body);
}

/**
 * node_filter_message() - a FilterAnnounce (06 §5)
 * @n: node
 * @p: who sent it
 * @body: behind the type byte
 * @len: its length
 *
 * Over the limit the newest is kept for later: the sender won't repeat it.
 */
void node_filter_message(struct fips_node *n, struct node_peer *p, const u8 *body, size_t len)
{
	struct node_mesh_peer *m = &p->mesh;
	u64 now = n->now.mono_ms;

	n->counters.bloom_received++;
	if (len != FIPS_FILTER_LEN - 1) {
		n->counters.bloom_decode_error++;
		return;
	}
	if (!m->parked && fips_bucket_take(&m->filter_in, &n->mesh.filter_in_rate, now)) {
		filter_take(n, p, body, len);
		return;
	}
	n->counters.bloom_parked++;
	if (!m->parked) {
		m->parked = malloc(len);
		if (!m->parked)
			return;
		fips_timer_set(&n->timers, &m->parked_timer,
			       now + fips_bucket_wait(&m->filter_in, &n->mesh.filter_in_rate, now));
	}
	memcpy(m->parked, body, len);
}

/* ---- size of the mesh (06 §9) ---- */

bool node_filter_size(struct fips_node *n, double *size)
{
	struct node_mesh *m = &n->mesh;
	const struct node_peer *p, *tmp;
	struct fips_bloom all = { .bits = { 0 } };
	bool any = false;

	if (m->size_stale) {
		HASH_ITER(hh, n->peers, p, tmp) {
			if (!p->mesh.filter.known)
				continue;
			fips_bloom_or(&all, &p->mesh.filter.filter);
			any = true;
		}
		fips_bloom_insert(&all, &m->own_key);
		m->size_known = any && fips_bloom_estimate(fips_bloom_popcount(&all),
							   n->timing.bloom.max_inbound_fpr,
							   &m->size);
		m->size_stale = false;
	}
	*size = m->size;
	return m->size_known;
}

/* Too many nodes for filters to say "no" in good faith? */
bool node_filter_large(struct fips_node *n)
{
	const struct node_peer *p, *tmp;
	double size;

	if (node_filter_size(n, &size))
		return size > NODE_MESH_LARGE;
	HASH_ITER(hh, n->peers, p, tmp) {
		if (p->mesh.filter.known || p->mesh.filter.over)
			return true;	/* it is too full to say */
	}
	return false;
}

/* ---- life ---- */

void node_filter_peer_new(struct fips_node *n, struct node_peer *p)
{
	struct node_mesh_peer *m = &p->mesh;
	u64 now = n->now.mono_ms;

	fips_bucket_init(&m->filter_out, &n->mesh.filter_rate, now);
	fips_bucket_init(&m->filter_in, &n->mesh.filter_in_rate, now);
	fips_timer_init(&m->refresh, filter_refresh);
	fips_timer_init(&m->parked_timer, filter_unpark);
}

void node_filter_peer_gone(struct fips_node *n, struct node_peer *p)
{
	fips_timer_del(&n->timers, &p->mesh.refresh);
	fips_timer_del(&n->timers, &p->mesh.parked_timer);
	free(p->mesh.parked);
	free(p->mesh.sent);
	p->mesh.parked = NULL;
	p->mesh.sent = NULL;
	n->mesh.size_stale = true;
}
