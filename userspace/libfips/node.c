// SPDX-License-Identifier: MIT
/*
 * The node: its beginning and end, the clock, and where each event goes.
 *
 * Every call from outside stores the time, lets due timers fire, does its work
 * and tells the surroundings when it wants to be called next.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sodium.h>

#include "node_internal.h"

#define NODE_DEFAULT_MTU	1280

void fips_node_timing_defaults(struct fips_node_timing *t)
{
	*t = (struct fips_node_timing) {
		.heartbeat_interval_secs = 10,
		.link_dead_timeout_secs = 30,
		.drain_timeout_secs = 2,
		.limits = {
			.max_connections = 256,
			.max_peers = 128,
			.max_links = 256,
			.max_pending_inbound = 1000,
		},
		.rate_limit = {
			.handshake_burst = 100,
			.dh_cost_us = 50,
			.handshake_rate = 10.0,
			.handshake_timeout_secs = 30,
			.handshake_resend_interval_ms = 1000,
			.handshake_resend_backoff = 2.0,
			.handshake_max_resends = 5,
			.handshake_early_ms = 200,
			.session_setup_burst = 64,
			.session_setup_rate = 16.0,
		},
		.retry = {
			.max_retries = 5,
			.base_interval_secs = 5,
			.max_backoff_secs = 300,
		},
		.cache = {
			.coord_size = 50000,
			.coord_ttl_secs = 300,
			.identity_size = 10000,
		},
		.lookup = {
			.ttl = 64,
			.attempts = 4,
			.attempt_timeouts_secs = { 1, 2, 4, 8 },
			.recent_expiry_secs = 10,
			.forward_min_interval_secs = 2,
		},
		.tree = {
			.announce_min_interval_ms = 500,
			.parent_hysteresis = 0.2,
			.hold_down_secs = 30,
			.reeval_interval_secs = 60,
			.flap_threshold = 4,
			.flap_window_secs = 60,
			.flap_dampening_secs = 120,
		},
		.bloom = { .update_debounce_ms = 500, .max_inbound_fpr = 0.20 },
		.session = {
			.default_ttl = FIPS_DEFAULT_TTL,
			.pending_packets_per_dest = 16,
			.pending_max_destinations = 256,
			.idle_timeout_secs = 90,
			.coords_warmup_packets = 5,
			.coords_response_interval_ms = 2000,
		},
		.rekey = { .enabled = true, .after_secs = 120, .after_messages = 65536 },
		.mmp = { .mode = FIPS_MMP_FULL, .log_interval_secs = 30, .owd_window_size = 32 },
		.session_mmp = {
			.mode = FIPS_MMP_FULL, .log_interval_secs = 30, .owd_window_size = 32,
		},
		.ecn = { .enabled = true, .loss_threshold = 0.05, .etx_threshold = 3.0 },
	};
}

void node_log(const struct fips_node *n, enum fips_log_level level, const char *fmt, ...)
{
	char line[256];
	va_list ap;

	if (!n->ops->log)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	n->ops->log(n->ctx, level, line);
}

struct node_transport *node_transport_find(const struct fips_node *n, u32 id)
{
	struct node_transport *t;

	LL_SEARCH_SCALAR(n->transports, t, info.id, id);
	return t;
}

/* Time from repetition number @resends to the next (03 §6.2, 08 §4.1). */
u64 node_resend_delay(const struct fips_node *n, u32 resends)
{
	double ms = (double)n->timing.rate_limit.handshake_resend_interval_ms;

	while (resends-- && ms < 1e9)
		ms *= n->timing.rate_limit.handshake_resend_backoff;
	if (!(ms >= 1))
		return 1;
	return ms < 1e9 ? (u64)ms : 1000000000;
}

u64 node_handshake_timeout(const struct fips_node *n)
{
	u64 secs = n->timing.rate_limit.handshake_timeout_secs;

	return secs ? secs * 1000 : 1000;
}

/* Tell the device what it must know of us. */
int node_dev_set(struct fips_node *n)
{
	const struct fips_dp_dev dev = {
		.addr = n->env.self->id.addr,
		.transport_mtu = n->transport_mtu,
		.ttl = n->timing.session.default_ttl,
	};
	int ret = n->dp->dev_set(n->dp_ctx, &dev);

	return ret == -EINPROGRESS ? 0 : ret;
}

static int node_init(struct fips_node *n, const struct fips_node_setup *setup)
{
	u64 epoch = 0;
	int ret;

	n->ops = setup->ops;
	n->ctx = setup->ctx;
	n->dp = setup->dp;
	n->dp_ctx = setup->dp_ctx;
	n->timing = setup->timing;
	n->rules = &node_rules[setup->rules];
	n->wake = FIPS_NEVER;
	n->transport_mtu = NODE_DEFAULT_MTU;
	n->env = (struct fips_noise_env) {
		.pk = setup->pk,
		.secrets = setup->secrets,
		.rng = setup->rng,
		.self = setup->keypair,
	};
	memcpy(n->env.epoch, setup->epoch, sizeof(n->env.epoch));
	while (!memcmp(n->env.epoch, &epoch, sizeof(epoch))) {
		ret = fips_random(&n->env.rng, n->env.epoch, sizeof(n->env.epoch));
		if (ret)
			return ret;
	}
	node_setup_rates(n);
	ret = node_admit_init(n);
	if (!ret)
		ret = node_mesh_init(n, setup);
	if (!ret)
		ret = node_dev_set(n);
	return ret ? ret : node_owner_dev(n);
}

int fips_node_new(const struct fips_node_setup *setup, struct fips_node **out)
{
	struct fips_node *n = calloc(1, sizeof(*n));
	int ret;

	if (!n)
		return -ENOMEM;
	ret = node_init(n, setup);
	if (ret) {
		fips_node_free(n);
		return ret;
	}
	*out = n;
	return 0;
}

void fips_node_free(struct fips_node *n)
{
	struct node_transport *t, *t_tmp;
	struct node_peer *p, *p_tmp;

	if (!n)
		return;
	n->draining = true;	/* nothing is dialled again */
	HASH_ITER(hh, n->peers, p, p_tmp)
		node_peer_remove(n, p, "the node ends", false);
	node_session_destroy(n);
	node_mesh_destroy(n);
	while (n->link_list)
		node_link_free(n, n->link_list);
	node_dial_destroy(n);
	node_admit_destroy(n);
	node_identity_destroy(n);
	fips_acl_clear(&n->acl);
	LL_FOREACH_SAFE(n->transports, t, t_tmp)
		free(t);
	sodium_memzero(n, sizeof(*n));
	free(n);
}

/* ---- entry and exit of every call ---- */

void node_enter(struct fips_node *n, const struct fips_clock *now)
{
	if (now->mono_ms >= n->now.mono_ms)	/* it does not run backwards */
		n->now = *now;
	if (!n->mesh.born)
		n->mesh.born = n->now.mono_ms;
	fips_timers_run(&n->timers, n, n->now.mono_ms);
}

void node_leave(struct fips_node *n)
{
	u64 next;

	fips_timers_run(&n->timers, n, n->now.mono_ms);
	next = fips_timers_next(&n->timers);
	if (next == n->wake)
		return;
	n->wake = next;
	n->ops->wake_at(n->ctx, next);
}

/* ---- events ---- */

static void node_raw(struct fips_node *n, const struct fips_event *ev)
{
	const u8 *data = ev->raw.data;

	switch (fips_classify(data, ev->raw.len)) {
	case FIPS_FRAME_HANDSHAKE:
		if (fips_prefix_phase(data) == FIPS_FMP_MSG1)
			node_candidate_msg1(n, ev->raw.transport_id, &ev->raw.from, data,
					    ev->raw.len);
		else
			node_leg_msg2(n, ev->raw.transport_id, &ev->raw.from, data, ev->raw.len);
		return;
	case FIPS_FRAME_LENGTH:
		n->counters.payload_len_mismatch++;
		return;
	case FIPS_FRAME_ESTABLISHED:
	case FIPS_FRAME_SHORT:
	case FIPS_FRAME_VERSION:
	case FIPS_FRAME_PHASE:
		return;
	}
}

/* Smallest MTU of all transports (09 §8.1); the device hears of it if it changed. */
static void node_transports_changed(struct fips_node *n)
{
	const struct node_transport *t;
	u16 mtu = n->transports ? UINT16_MAX : NODE_DEFAULT_MTU;

	LL_FOREACH(n->transports, t)
		mtu = t->info.mtu < mtu ? t->info.mtu : mtu;
	if (mtu == n->transport_mtu)
		return;
	n->transport_mtu = mtu;
	node_tree_configure(n);
	node_dev_set(n);
}

static int node_transport_cmp(const struct node_transport *a, const struct node_transport *b)
{
	return a->info.id < b->info.id ? -1 : a->info.id > b->info.id;
}

static void node_transport_up(struct fips_node *n, const struct fips_transport_info *info)
{
	struct node_transport *t = node_transport_find(n, info->id);

	if (!t) {
		t = calloc(1, sizeof(*t));
		if (!t)
			return;
		t->info = *info;
		LL_INSERT_INORDER(n->transports, t, node_transport_cmp);
	} else {
		t->info = *info;
	}
	node_transports_changed(n);
	node_dial_transport_up(n);
}

/* Whatever went over @l is lost. Frees it, and more. */
static void node_link_lost(struct fips_node *n, struct node_link *l, const char *why)
{
	struct node_peer *p;

	switch (l->state) {
	case NODE_LINK_DIALING:
		node_leg_fail(n, l);
		return;
	case NODE_LINK_ACTIVE:
		p = node_peer_find(n, &l->peer.addr);
		if (p)
			node_peer_remove(n, p, why, true);
		return;
	case NODE_LINK_HELD:
	case NODE_LINK_CANDIDATE:
	case NODE_LINK_STANDBY:
	case NODE_LINK_REKEY:
	case NODE_LINK_NEXT:
	case NODE_LINK_PREVIOUS:
		node_link_free(n, l);
		return;
	}
}

static void node_transport_down(struct fips_node *n, u32 id)
{
	struct node_transport *t = node_transport_find(n, id);
	struct node_link *l;

	if (!t)
		return;
	LL_DELETE(n->transports, t);
	free(t);
	do {
		DL_SEARCH_SCALAR(n->link_list, l, transport_id, id);
		if (l)
			node_link_lost(n, l, "its transport is down");
	} while (l);
	node_transports_changed(n);
}

/* A message that is none; those with a counter of their own parse, whatever their body. */
static void node_link_refused(struct fips_node *n, const u8 *msg, size_t len, int why)
{
	if (len && (msg[0] == FIPS_LINK_SENDER_REPORT || msg[0] == FIPS_LINK_RECEIVER_REPORT))
		n->counters.mmp_decode_error++;
	else if (why == -ENOMSG)
		n->counters.link_unknown++;
	else
		n->counters.link_malformed++;
}

static void node_link_msg(struct fips_node *n, const struct fips_event *ev)
{
	struct node_link *l = node_link_find(n, ev->link_msg.id);
	struct fips_link_message msg;
	struct node_peer *p;
	int ret;

	if (!l)
		return;
	if (l->state == NODE_LINK_CANDIDATE) {
		node_candidate_confirm(n, l);	/* its own event got lost */
		l = node_link_find(n, ev->link_msg.id);
	}
	p = l ? node_peer_find(n, &l->peer.addr) : NULL;
	if (!p)
		return;
	if (l == p->link)
		node_peer_proved(n, p);
	ret = fips_link_message_parse(ev->link_msg.msg, ev->link_msg.len, &msg);
	if (ret) {
		node_link_refused(n, ev->link_msg.msg, ev->link_msg.len, ret);
		return;
	}
	switch (msg.type) {
	case FIPS_LINK_DATAGRAM:
		node_session_datagram(n, p, &msg.datagram);
		return;
	case FIPS_LINK_DISCONNECT:
		/* 03 §15: whatever the reason */
		node_peer_remove(n, p, fips_disconnect_reason_name(msg.reason), true);
		return;
	case FIPS_LINK_TREE_ANNOUNCE:
		node_tree_message(n, p, msg.body, msg.len);
		return;
	case FIPS_LINK_FILTER_ANNOUNCE:
		node_filter_message(n, p, msg.body, msg.len);
		return;
	case FIPS_LINK_LOOKUP_REQUEST:
		node_lookup_request(n, p, msg.body, msg.len);
		return;
	case FIPS_LINK_LOOKUP_RESPONSE:
		node_lookup_response(n, p, msg.body, msg.len);
		return;
	case FIPS_LINK_SENDER_REPORT:
	case FIPS_LINK_RECEIVER_REPORT:
		if (l == p->link)
			node_mmp_link_message(n, p, ev->link_msg.slot, msg.type, msg.body,
					      msg.len);
		return;
	default:	/* heartbeat */
		return;
	}
}

static void node_link_event(struct fips_node *n, const struct fips_event *ev)
{
	struct node_link *l = node_link_find(n, ev->link.id);
	struct node_peer *p;

	if (!l)
		return;
	p = node_peer_find(n, &l->peer.addr);
	switch (ev->type) {
	case FIPS_EV_LINK_CONFIRMED:
		node_candidate_confirm(n, l);
		return;
	case FIPS_EV_LINK_FLOAT:
		node_link_moved(n, l, ev->link.transport_id, &ev->link.remote);
		return;
	case FIPS_EV_LINK_KEY_USED:
		if (!p || p->link != l)
			return;
		node_peer_proved(n, p);
		if (ev->link.slot == FIPS_KEY_SLOT_NEXT)
			node_rekey_key_used(n, p);
		return;
	case FIPS_EV_LINK_KEY_LIMIT:
		if (p && p->link == l)
			node_rekey_limit(n, p);
		return;
	default:
		return;
	}
}

static void node_op_result(struct fips_node *n, const struct fips_event *ev)
{
	struct node_link *l = ev->op.link_id ? node_link_find(n, ev->op.link_id) : NULL;

	if (!ev->op.err)
		return;
	node_log(n, FIPS_LOG_WARN, "the data plane failed: %d", ev->op.err);
	if (l)
		node_link_lost(n, l, "the data plane failed");
	else if (!ev->op.link_id)
		node_session_gone(n, &ev->op.remote);
}

/* Upcalls were lost. Ask for what they would have said, and drop what is not there. */
static void node_resync(struct fips_node *n)
{
	struct fips_dp_session_info sinfo;
	struct fips_dp_link_info linfo;
	struct node_session *s, *s_tmp;
	struct node_link *l;
	u32 id;

	for (id = 1; id <= n->next_link; id++) {
		l = node_link_find(n, id);
		if (!l || l->host)
			continue;
		if (n->dp->link_get(n->dp_ctx, id, &linfo) == -ENOENT)
			node_link_lost(n, l, "not in the data plane");
		else if (l->state == NODE_LINK_CANDIDATE && node_link_heard(n, l, NULL))
			node_candidate_confirm(n, l);
	}
	HASH_ITER(hh, n->sessions, s, s_tmp) {
		if (!s->installed)
			continue;
		sinfo.last_rx_ms = FIPS_NEVER;
		if (n->dp->session_get(n->dp_ctx, &s->remote, &sinfo) == -ENOENT)
			node_session_free(n, s);
		else if (s->msg3_len && !s->probing && sinfo.last_rx_ms != FIPS_NEVER)
			node_session_key_used(n, &s->remote, FIPS_KEY_SLOT_CURRENT);
	}
}

static void node_dispatch(struct fips_node *n, const struct fips_event *ev)
{
	switch (ev->type) {
	case FIPS_EV_TIMER:
		return;		/* they have fired by now */
	case FIPS_EV_RAW:
		node_raw(n, ev);
		return;
	case FIPS_EV_TRANSPORT_UP:
		node_transport_up(n, &ev->transport);
		return;
	case FIPS_EV_TRANSPORT_DOWN:
		node_transport_down(n, ev->transport.id);
		return;
	case FIPS_EV_RESOLVED:
		node_dial_resolved(n, ev);
		return;
	case FIPS_EV_OP_RESULT:
		node_op_result(n, ev);
		return;
	case FIPS_EV_LINK_MSG:
		node_link_msg(n, ev);
		return;
	case FIPS_EV_LINK_CONFIRMED:
	case FIPS_EV_LINK_FLOAT:
	case FIPS_EV_LINK_KEY_USED:
	case FIPS_EV_LINK_KEY_LIMIT:
		node_link_event(n, ev);
		return;
	case FIPS_EV_LINK_ACTIVE:
		node_mmp_link_active(n, ev->link.id);
		return;
	case FIPS_EV_SESSION_ACTIVE:
		node_mmp_session_active(n, &ev->session.remote, ev->session.dgram_mtu);
		return;
	case FIPS_EV_SESSION_MSG:
		node_session_message(n, ev);
		return;
	case FIPS_EV_SESSION_MISS:
		node_session_miss(n, ev->miss.ipv6);
		return;
	case FIPS_EV_SESSION_UNKNOWN:
		node_session_unknown(n, &ev->session.remote);
		return;
	case FIPS_EV_SESSION_KEY_USED:
		node_session_key_used(n, &ev->session.remote, ev->session.slot);
		return;
	case FIPS_EV_SESSION_KEY_LIMIT:
		node_session_rekey_limit(n, &ev->session.remote);
		return;
	case FIPS_EV_ROUTE_MISS:
		node_route_miss(n, ev);
		return;
	case FIPS_EV_MTU_EXCEEDED:
		node_route_mtu(n, ev);
		return;
	case FIPS_EV_ROUTE_BACK:
		node_route_back(n, ev);
		return;
	case FIPS_EV_COORDS:
		node_coords_seen(n, ev->route.link_id, ev->route.header, ev->route.len);
		return;
	case FIPS_EV_RESYNC:
		node_resync(n);
		return;
	}
}

void fips_node_event(struct fips_node *n, const struct fips_clock *now, const struct fips_event *ev)
{
	node_enter(n, now);
	if (ev->type == FIPS_EV_TIMER)
		n->wake = FIPS_NEVER;	/* that wish is fulfilled */
	node_dispatch(n, ev);
	node_leave(n);
}

/* ---- commands ---- */

int fips_node_set_peers(struct fips_node *n, const struct fips_clock *now,
			const struct fips_peer_config *peers, size_t count)
{
	int ret;

	node_enter(n, now);
	ret = node_dial_configure(n, peers, count);
	node_leave(n);
	return ret;
}

static const char *node_connect_why(int err)
{
	switch (err) {
	case -ENODEV:
		return "no transport of that kind and address family is up";
	case -EPROTONOSUPPORT:
		return "unknown or unsupported transport type";
	case -EINVAL:
		return "the address is not understood";
	case -ENOSPC:
		return "too many handshakes, links or peers";
	case -ELOOP:
		return "that is this node itself";
	case -ESHUTDOWN:
		return "the node is shutting down";
	default:
		return strerror(-err);
	}
}

int fips_node_connect(struct fips_node *n, const struct fips_clock *now,
		      const struct fips_identity *id, const struct fips_peer_addr *addr, char *why,
		      size_t why_len)
{
	bool connected;
	int ret;

	node_enter(n, now);
	connected = node_peer_find(n, &id->addr);
	if (fips_node_addr_eq(&id->addr, &n->env.self->id.addr))
		ret = -ELOOP;
	else if (n->draining)
		ret = -ESHUTDOWN;
	else
		ret = node_dial_once(n, id, addr);
	if (ret == -EACCES && why_len)
		snprintf(why, why_len, "access denied: peer %s rejected by ACL: %s", id->npub,
			 fips_acl_verdict_name(fips_acl_decide(&n->acl, &id->addr)));
	else if (ret && why_len)
		snprintf(why, why_len, "%s", node_connect_why(ret));
	node_leave(n);
	return ret ? ret : connected;
}

int fips_node_disconnect(struct fips_node *n, const struct fips_clock *now,
			 const struct fips_node_addr *addr)
{
	struct node_peer *p;

	node_enter(n, now);
	p = node_peer_find(n, addr);
	if (p) {
		node_peer_disconnect(n, p, FIPS_DISC_CONFIG_CHANGE);
		node_dial_connected(n, addr);	/* no retry entry stays */
		node_leg_cancel(n, addr);
		p = node_peer_find(n, addr);
		node_peer_remove(n, p, "operator", false);
	}
	node_leave(n);
	return p ? 0 : -ENOENT;
}

bool fips_node_knows(const struct fips_node *n, const struct fips_identity *id)
{
	return fips_node_addr_eq(&id->addr, &n->env.self->id.addr) || node_identity_known(n, id);
}

void fips_node_learn(struct fips_node *n, const struct fips_clock *now,
		     const struct fips_identity *id)
{
	node_enter(n, now);
	if (!fips_node_addr_eq(&id->addr, &n->env.self->id.addr))
		node_identity_add(n, id);
	node_leave(n);
}

bool fips_node_drain(struct fips_node *n, const struct fips_clock *now)
{
	struct node_peer *p, *tmp;
	struct node_link *l;
	bool any;

	node_enter(n, now);
	any = n->peers;
	if (!n->draining) {
		n->draining = true;
		node_dial_stop(n);
		HASH_ITER(hh, n->peers, p, tmp)
			node_peer_disconnect(n, p, FIPS_DISC_SHUTDOWN);
		do {
			DL_SEARCH_SCALAR(n->link_list, l, state, NODE_LINK_DIALING);
			if (l)
				node_leg_fail(n, l);
		} while (l);
	}
	node_leave(n);
	return any;
}
