// SPDX-License-Identifier: MIT
/*
 * The spanning tree (spec 05) in the node: declarations of the neighbours go
 * into the machine of tree.h, and what it decides is carried out here. Also the
 * beginning and end of all that the mesh keeps.
 *
 * Event-driven: an announce leaves some milliseconds after its reason, as long
 * as the neighbour's bucket has a token, and carries what is true by then.
 */

#include <errno.h>
#include <stdlib.h>

#include "node_internal.h"

#define TREE_OVERHEAD	(FIPS_FMP_HDR_LEN + 4 + FIPS_TAG_LEN + FIPS_TREE_MIN_LEN)

u64 node_jitter(struct fips_node *n, u64 range)
{
	u64 r = 0;

	if (!range || fips_random(&n->env.rng, &r, sizeof(r)))
		return 0;
	return r % range;
}

static struct fips_tree_now tree_now(const struct fips_node *n)
{
	return (struct fips_tree_now) {
		.mono_ms = n->now.mono_ms,
		.wall_s = n->now.wall_ms / 1000,
	};
}

static u64 tree_ms(u64 secs)
{
	return secs < FIPS_NEVER / 2000 ? secs * 1000 : FIPS_NEVER / 2;
}

static void tree_config(const struct fips_node *n, struct fips_tree_cfg *cfg)
{
	const struct fips_node_timing *t = &n->timing;
	u32 room = n->transport_mtu > TREE_OVERHEAD + FIPS_TREE_ENTRY_LEN ?
			   (n->transport_mtu - TREE_OVERHEAD) / FIPS_TREE_ENTRY_LEN : 1;

	*cfg = (struct fips_tree_cfg) {
		.hysteresis = t->tree.parent_hysteresis,
		.damp = {
			.hold_down_ms = tree_ms(t->tree.hold_down_secs),
			.flap_threshold = t->tree.flap_threshold,
			.flap_window_ms = tree_ms(t->tree.flap_window_secs),
			.dampening_ms = tree_ms(t->tree.flap_dampening_secs),
		},
		.max_entries = (u16)(room < FIPS_COORDS_DEPTH ? room : FIPS_COORDS_DEPTH),
	};
}

/* The longest announce follows the smallest MTU. */
void node_tree_configure(struct fips_node *n)
{
	struct fips_tree_cfg cfg;

	tree_config(n, &cfg);
	fips_tree_configure(n->mesh.tree, &cfg);
}

static void tree_sign(struct fips_node *n)
{
	u8 sig[FIPS_SIG_LEN];

	if (fips_tree_sign(n->env.pk, &n->env.rng, n->env.self->secret,
			   fips_tree_decl(n->mesh.tree), sig)) {
		n->counters.tree_sign_failed++;
		node_log(n, FIPS_LOG_ERROR, "the declaration could not be signed");
		return;
	}
	fips_tree_set_sig(n->mesh.tree, sig);
}

/* ---- announces ---- */

static void tree_announce(struct fips_node *n, struct node_peer *p, u64 delay);

static void tree_watch(struct fips_node *n, struct node_peer *p)
{
	u64 ms = (u64)NODE_REPEAT_MS << p->mesh.agains;

	fips_timer_set(&n->timers, &p->mesh.again,
		       n->now.mono_ms + (ms < NODE_AGAIN_MAX_MS ? ms : NODE_AGAIN_MAX_MS));
}

static void tree_announce_now(void *owner, struct fips_timer *t)
{
	struct node_peer *p = node_container(t, struct node_peer, mesh.announce_timer);
	struct fips_node *n = owner;
	u8 msg[FIPS_TREE_MIN_LEN + FIPS_COORDS_DEPTH * FIPS_TREE_ENTRY_LEN];
	u64 now = n->now.mono_ms;
	int len, ret;

	if (!fips_bucket_take(&p->mesh.announce, &n->mesh.announce_rate, now)) {
		n->counters.tree_rate_limited++;
		fips_timer_set(&n->timers, t, now + fips_bucket_wait(&p->mesh.announce,
								     &n->mesh.announce_rate, now));
		return;
	}
	len = fips_tree_build(n->mesh.tree, msg, sizeof(msg));
	ret = len < 0 ? len : node_link_xmit(n, p->link, msg, (size_t)len);
	if (ret) {
		n->counters.tree_send_failed++;
		fips_timer_set(&n->timers, t, now + 1000);	/* again */
		return;
	}
	n->counters.tree_sent++;
	tree_watch(n, p);
	node_filter_go(n);
}

/*
 * Does what it declares show that it can't have our newest announce? It has said
 * nothing, or holds on to a larger root, or is our child by an old path.
 */
static bool tree_lacks_ours(const struct fips_node *n, const struct node_peer *p)
{
	struct fips_coords own = fips_tree_coords(n->mesh.tree);
	struct fips_coords its = fips_tree_peer_coords(n->mesh.tree, &p->id.addr);

	if (!its.count || fips_node_addr_cmp(fips_coords_root(&its), fips_coords_root(&own)) > 0)
		return true;
	if (!fips_tree_is_child(n->mesh.tree, &p->id.addr))
		return false;
	its.addr++;
	its.count--;
	return !fips_coords_eq(&its, &own);
}

/* Once more in any case, and then as long as it lacks it. */
static void tree_again(void *owner, struct fips_timer *t)
{
	struct node_peer *p = node_container(t, struct node_peer, mesh.again);
	struct fips_node *n = owner;

	if (n->draining || (p->mesh.agains && !tree_lacks_ours(n, p)))
		return;
	if (p->mesh.agains < 8)
		p->mesh.agains++;
	tree_announce(n, p, 0);
}

/* Each neighbour gets the newest state, once. */
static void tree_announce(struct fips_node *n, struct node_peer *p, u64 delay)
{
	u64 when = n->now.mono_ms + delay;

	if (p->mesh.announce_timer.armed && p->mesh.announce_timer.when <= when)
		return;
	if (p->mesh.announce_timer.armed && !fips_bucket_ready(&p->mesh.announce,
							       &n->mesh.announce_rate,
							       n->now.mono_ms))
		return;		/* it waits for a token */
	fips_timer_set(&n->timers, &p->mesh.announce_timer, when);
}

static void tree_announce_all(struct fips_node *n)
{
	struct node_peer *p, *tmp;

	HASH_ITER(hh, n->peers, p, tmp) {
		p->mesh.agains = 0;
		tree_announce(n, p, NODE_TREE_GATHER_MS);
	}
}

/* ---- decisions ---- */

static const char *tree_action_name(enum fips_tree_action action)
{
	switch (action) {
	case FIPS_TREE_NONE:
		return "nothing";
	case FIPS_TREE_SWITCH:
		return "another parent";
	case FIPS_TREE_SELF_ROOT:
		return "root";
	case FIPS_TREE_LOOP_DROP:
		return "the parent's path led through us";
	case FIPS_TREE_ANCESTRY_UPDATE:
		return "another path of the parent";
	case FIPS_TREE_PARENT_LOST:
		return "the parent is gone";
	}
	return "";
}

static void tree_report(struct fips_node *n, const struct fips_tree_decision *d)
{
	char root[FIPS_SHORT_ADDR_SIZE];
	struct fips_coords own = fips_tree_coords(n->mesh.tree);

	fips_node_addr_shorten(fips_tree_root(n->mesh.tree), root);
	node_log(n, d->action == FIPS_TREE_LOOP_DROP ? FIPS_LOG_WARN : FIPS_LOG_DEBUG,
		 "tree: %s; depth %d, root %s", tree_action_name(d->action), own.count - 1,
		 root);
	if (d->flap_armed)
		node_log(n, FIPS_LOG_WARN, "tree: the parent changes too often, held for %llu s",
			 (unsigned long long)n->timing.tree.flap_dampening_secs);
}

/* When a veto ends, what it held back is looked at. */
static void tree_watch_veto(struct fips_node *n)
{
	u64 end = fips_tree_veto_end(n->mesh.tree, n->now.mono_ms);

	if (end > n->now.mono_ms)
		fips_timer_set(&n->timers, &n->mesh.veto_timer, end);
}

/* Carry out a decision, in the order of 05 §7.4. @from: whose message led to it, or NULL. */
static void tree_apply(struct fips_node *n, const struct fips_tree_decision *d,
		       struct node_peer *from)
{
	struct node_mesh *m = &n->mesh;

	if (n->draining)
		return;
	if (d->action != FIPS_TREE_NONE)
		tree_report(n, d);
	if (d->too_deep)
		n->counters.tree_too_deep++;
	if (d->todo & FIPS_TREE_DO_SIGN)
		tree_sign(n);
	if (d->todo & FIPS_TREE_DO_DROP_VIA_SELF)
		m->swept |= fips_coordcache_drop_via(&m->coords, &n->env.self->id.addr) != 0;
	if (d->todo & FIPS_TREE_DO_DROP_OTHER_ROOTS)
		m->swept |= fips_coordcache_drop_other_roots(&m->coords,
							     fips_tree_root(m->tree)) != 0;
	if (d->todo & FIPS_TREE_DO_CLEAR_BACKOFF)
		node_lookup_clear_backoff(n);
	if (d->todo & FIPS_TREE_DO_ECHO && from)
		tree_announce(n, from, 0);
	if (d->todo & FIPS_TREE_DO_ANNOUNCE)
		tree_announce_all(n);
	if (d->todo & FIPS_TREE_DO_FILTERS)
		node_filter_mark_all(n, NULL, true);
	else if (d->todo & FIPS_TREE_DO_CHECK_FILTERS)
		node_filter_mark_all(n, NULL, false);
	if (d->action != FIPS_TREE_NONE) {
		node_session_path_changed(n);
		node_lookup_filters(n);	/* other neighbours may be asked now */
	}
	node_route_changed(n);
	tree_watch_veto(n);
}

/* 05 §6, and what follows from it. */
static void tree_take(struct fips_node *n, struct node_peer *p, const u8 *body, size_t len)
{
	const struct fips_node_addr before = *fips_tree_root(n->mesh.tree);
	bool was_child = fips_tree_is_child(n->mesh.tree, &p->id.addr);
	struct fips_tree_now now = tree_now(n);
	struct fips_tree_decision d;
	enum fips_tree_verdict v;

	v = fips_tree_receive(n->mesh.tree, &p->id.addr, p->id.x, n->env.pk, body, len, &now, &d);
	switch (v) {
	case FIPS_TREE_ACCEPTED:
		n->counters.tree_root_lowered +=
			fips_node_addr_cmp(fips_tree_root(n->mesh.tree), &before) < 0;
		if (!was_child && fips_tree_is_child(n->mesh.tree, &p->id.addr))
			node_filter_child_new(n, p);
		tree_apply(n, &d, p);
		return;
	case FIPS_TREE_SIG_FAILED:
	case FIPS_TREE_ANCESTRY_INVALID:
		node_log(n, FIPS_LOG_WARN, "tree: bad announce of %s", p->id.npub);
		return;
	case FIPS_TREE_DECODE_ERROR:
	case FIPS_TREE_UNKNOWN_PEER:
	case FIPS_TREE_ADDR_MISMATCH:
	case FIPS_TREE_STALE:
	case FIPS_TREE_NO_MEMORY:
		return;
	}
}

static void tree_unhold(void *owner, struct fips_timer *t)
{
	struct node_peer *p = node_container(t, struct node_peer, mesh.held_timer);
	struct fips_node *n = owner;
	u8 *body = p->mesh.held;

	if (!body)
		return;
	fips_bucket_take(&p->mesh.announce_in, &n->mesh.tree_in_rate, n->now.mono_ms);
	p->mesh.held = NULL;
	tree_take(n, p, body, p->mesh.held_len);
	free(body);
}

/* Behind the version; what is too short is older than all. */
static u64 tree_sequence(const u8 *body, size_t len)
{
	return len < 9 ? 0 : fips_get_le64(body + 1);
}

/**
 * node_tree_message() - a TreeAnnounce
 * @n: node
 * @p: who sent it
 * @body: behind the type byte
 * @len: its length
 *
 * Each costs a signature check, and may move the whole tree: over the limit the
 * newest is kept for later. Honest neighbours stay far below it.
 */
void node_tree_message(struct fips_node *n, struct node_peer *p, const u8 *body, size_t len)
{
	struct node_mesh_peer *m = &p->mesh;
	u64 now = n->now.mono_ms;
	u8 *held;

	if (!m->held && fips_bucket_take(&m->announce_in, &n->mesh.tree_in_rate, now)) {
		tree_take(n, p, body, len);
		return;
	}
	n->counters.tree_parked++;
	if (m->held && tree_sequence(body, len) < tree_sequence(m->held, m->held_len))
		return;
	held = realloc(m->held, len ? len : 1);
	if (!held)
		return;
	if (!m->held)
		fips_timer_set(&n->timers, &m->held_timer,
			       now + fips_bucket_wait(&m->announce_in, &n->mesh.tree_in_rate, now));
	memcpy(held, body, len);
	m->held = held;
	m->held_len = len;
}

static void tree_look_again(struct fips_node *n)
{
	struct fips_tree_now now = tree_now(n);
	struct fips_tree_decision d;

	fips_tree_reevaluate(n->mesh.tree, &now, &d);
	if (d.action != FIPS_TREE_NONE || d.todo)
		tree_apply(n, &d, NULL);
}

static void tree_veto_end(void *owner, struct fips_timer *t)
{
	(void)t;
	tree_look_again(owner);
}

static void tree_period(struct fips_node *n)
{
	u64 ms = tree_ms(n->timing.tree.reeval_interval_secs);

	fips_timer_del(&n->timers, &n->mesh.tree_timer);
	if (!ms)
		return;
	fips_timer_set(&n->timers, &n->mesh.tree_timer, n->now.mono_ms + ms +
		       node_jitter(n, ms / 4));
}

/*
 * 05 §7.3, §9.3; with jitter, and also for who has but one neighbour (§17). An
 * announce that nothing calls for needs no repetition.
 */
static void tree_periodic(void *owner, struct fips_timer *t)
{
	struct fips_node *n = owner;
	struct node_peer *p, *tmp;

	(void)t;
	tree_period(n);
	tree_look_again(n);
	HASH_ITER(hh, n->peers, p, tmp) {
		if (!p->mesh.agains)
			p->mesh.agains = 1;
		tree_announce(n, p, NODE_TREE_GATHER_MS);
	}
}

void node_tree_cost(struct fips_node *n, struct node_peer *p, double cost, bool look)
{
	fips_tree_peer_cost(n->mesh.tree, &p->id.addr, cost);
	if (!look)
		return;
	tree_look_again(n);
	node_route_changed(n);
}

/* For next hops: what is not measured costs 1. */
double node_link_cost(const struct fips_node *n, const struct node_peer *p)
{
	(void)n;
	return node_mmp_cost(&p->mmp);
}

/* ---- life ---- */

static double tree_per_second(u64 interval_ms)
{
	return interval_ms ? 1000.0 / (double)interval_ms : 1e6;
}

static void mesh_rates(struct fips_node *n)
{
	const struct fips_node_timing *t = &n->timing;
	struct node_mesh *m = &n->mesh;

	fips_bucket_rate_set(&m->announce_rate, NODE_PACE_BURST,
			     tree_per_second(t->tree.announce_min_interval_ms));
	fips_bucket_rate_set(&m->filter_rate, n->rules->filter_burst,
			     tree_per_second(t->bloom.update_debounce_ms));
	fips_bucket_rate_set(&m->tree_in_rate, NODE_TREE_IN_BURST, NODE_TREE_IN_RATE);
	fips_bucket_rate_set(&m->filter_in_rate, NODE_FILTER_IN_BURST, NODE_FILTER_IN_RATE);
	fips_bucket_rate_set(&m->request_rate, NODE_LOOKUP_BURST, NODE_LOOKUP_RATE);
	fips_bucket_rate_set(&m->signal_rate, NODE_SIGNAL_BURST, NODE_SIGNAL_RATE);
}

/* The configuration is another one. */
void node_mesh_timing(struct fips_node *n)
{
	mesh_rates(n);
	n->mesh.filter_max = fips_bloom_max_popcount(n->timing.bloom.max_inbound_fpr);
	node_tree_configure(n);
	if (n->peers)
		tree_period(n);
}

/**
 * node_mesh_init() - begin alone, as our own root
 * @n: node, otherwise complete
 * @setup: what it is made of
 *
 * A successor counts on from the time: it can't know how far its predecessor got.
 *
 * Return: 0 or a negative errno.
 */
int node_mesh_init(struct fips_node *n, const struct fips_node_setup *setup)
{
	static const u8 no_epoch[FIPS_EPOCH_LEN];
	bool successor = memcmp(setup->epoch, no_epoch, sizeof(no_epoch));
	u64 sequence = successor ? setup->wall_ms / 1000 : 0;
	u64 size = n->timing.cache.coord_size;
	struct node_mesh *m = &n->mesh;
	struct fips_tree_cfg cfg;
	int ret;

	fips_timer_init(&m->tree_timer, tree_periodic);
	fips_timer_init(&m->veto_timer, tree_veto_end);
	fips_timer_init(&m->route_timer, node_route_timer);
	fips_timer_init(&m->warm_timer, node_session_warm_timer);
	mesh_rates(n);
	fips_bucket_init(&m->signal_bucket, &m->signal_rate, 0);
	m->generation = 1;
	ret = fips_random(&n->env.rng, m->secret, sizeof(m->secret));
	if (ret)
		return ret;
	size = size < 1 ? 1 : size > 1000000 ? 1000000 : size;
	ret = fips_coordcache_init(&m->coords, (u32)size, 0,
				   tree_ms(n->timing.cache.coord_ttl_secs), m->secret);
	if (ret)
		return ret;
	tree_config(n, &cfg);
	ret = fips_tree_new(&m->tree, &cfg, &n->env.self->id.addr, sequence + 1,
			    setup->wall_ms / 1000);
	if (ret)
		return ret;
	tree_sign(n);
	node_filter_init(n, sequence);
	return 0;
}

void node_mesh_destroy(struct fips_node *n)
{
	struct node_mesh *m = &n->mesh;

	if (!m->tree)
		return;
	node_lookup_destroy(n);
	node_request_destroy(n);
	node_route_destroy(n);
	fips_coordcache_fini(&m->coords);
	fips_tree_free(m->tree);
}

/* Before the first link of @p is used. */
void node_mesh_peer_new(struct fips_node *n, struct node_peer *p)
{
	struct node_mesh_peer *m = &p->mesh;
	u64 now = n->now.mono_ms;

	fips_timer_init(&m->announce_timer, tree_announce_now);
	fips_timer_init(&m->again, tree_again);
	fips_timer_init(&m->held_timer, tree_unhold);
	fips_bucket_init(&m->announce_in, &n->mesh.tree_in_rate, now);
	fips_bucket_init(&m->announce, &n->mesh.announce_rate, now);
	fips_bucket_init(&m->requests, &n->mesh.request_rate, now);
	node_filter_peer_new(n, p);
	if (fips_tree_peer_add(n->mesh.tree, &p->id.addr))
		node_log(n, FIPS_LOG_WARN, "no memory for the tree position of %s", p->id.npub);
	if (n->timing.tree.reeval_interval_secs && !n->mesh.tree_timer.armed)
		tree_period(n);
}

/* A link of @p, the first or another, has taken over. */
void node_mesh_peer_up(struct fips_node *n, struct node_peer *p)
{
	if (n->draining)
		return;
	p->mesh.agains = 0;
	tree_announce(n, p, 0);
	node_filter_mark(n, p, true);
	node_lookup_clear_backoff(n);
	node_route_forget(n, &p->id.addr);	/* it is a peer now, and no destination far away */
	node_route_changed(n);
}

void node_mesh_peer_gone(struct fips_node *n, struct node_peer *p)
{
	struct fips_tree_now now = tree_now(n);
	struct fips_tree_decision d;

	fips_timer_del(&n->timers, &p->mesh.announce_timer);
	fips_timer_del(&n->timers, &p->mesh.again);
	fips_timer_del(&n->timers, &p->mesh.held_timer);
	free(p->mesh.held);
	p->mesh.held = NULL;
	node_filter_peer_gone(n, p);
	node_request_peer_gone(n, p);
	fips_coordcache_source_fini(&p->mesh.coords);
	fips_tree_peer_del(n->mesh.tree, &p->id.addr, &now, &d);
	tree_apply(n, &d, NULL);
}
