// SPDX-License-Identifier: MIT
/* What the control socket shows of a node. Nothing here changes anything. */

#include "node_internal.h"

static u64 view_wall(const struct fips_clock *now, u64 mono)
{
	return mono > now->mono_ms ? now->wall_ms + (mono - now->mono_ms) :
				     now->wall_ms - (now->mono_ms - mono);
}

static bool view_is_leg(const struct node_link *l)
{
	return l->state == NODE_LINK_DIALING || l->state == NODE_LINK_CANDIDATE;
}

void fips_node_view(const struct fips_node *n, const struct fips_clock *now,
		    struct fips_node_view *v)
{
	const struct node_transport *t;
	const struct node_dial *d, *tmp;
	const struct node_link *l;

	(void)now;
	*v = (struct fips_node_view) {
		.self = &n->env.self->id,
		.draining = n->draining,
		.peers = HASH_COUNT(n->peers),
		.sessions = HASH_COUNT(n->sessions),
		.identities = n->n_identities,
		.transport_mtu = n->transport_mtu,
		.counters = n->counters,
	};
	DL_FOREACH(n->link_list, l) {
		v->legs += view_is_leg(l);
		v->links += !l->host;
	}
	LL_FOREACH(n->transports, t)
		v->transports++;
	HASH_ITER(hh, n->dials, d, tmp)
		v->retries += d->entry;
}

void fips_node_each_peer(const struct fips_node *n, const struct fips_clock *now,
			 void (*fn)(void *arg, const struct fips_peer_view *v), void *arg)
{
	const struct node_peer *p, *tmp;
	const struct node_dial *d;

	(void)now;
	HASH_ITER(hh, n->peers, p, tmp) {
		d = node_dial_find(n, &p->id.addr);
		struct fips_peer_view v = {
			.id = &p->id,
			.alias = d ? d->alias : NULL,
			.link_id = p->link->id,
			.transport_id = p->link->transport_id,
			.remote = p->link->remote,
			.outbound = p->link->outbound,
			.authenticated_wall_ms = p->authenticated_wall,
			.our_index = p->link->our_index,
			.k_bit = p->link->k_bit,
			.rekeying = p->link->guest,
			.draining = p->link->old,
			.congested = p->congested,
			.mtu = p->link->mtu,
			.has_filter = p->mesh.filter.known,
			.filter_sequence = p->mesh.filter.sequence,
			.is_parent = fips_tree_is_parent(n->mesh.tree, &p->id.addr),
			.is_child = fips_tree_is_child(n->mesh.tree, &p->id.addr),
		};

		node_mmp_view(&p->mmp, &n->timing.mmp, p->link->outbound, &v.mmp);
		v.has_tree_position = fips_tree_peer_coords(n->mesh.tree, &p->id.addr).count;
		v.has_depth = fips_tree_effective_depth(n->mesh.tree, &p->id.addr,
							&v.effective_depth);
		fn(arg, &v);
	}
}

void fips_node_each_leg(const struct fips_node *n, const struct fips_clock *now,
			void (*fn)(void *arg, const struct fips_leg_view *v), void *arg)
{
	const struct node_link *l;

	DL_FOREACH(n->link_list, l) {
		const struct fips_leg_view v = {
			.link_id = l->id,
			.transport_id = l->transport_id,
			.remote = l->remote,
			.outbound = l->outbound,
			.state = l->outbound ? "sent_msg1" : "received_msg1",
			.started_wall_ms = l->created_wall,
			.idle_ms = now->mono_ms - l->created,
			.resends = l->resends,
			.expected = l->outbound ? &l->peer : NULL,
		};

		if (view_is_leg(l))
			fn(arg, &v);
	}
}

void fips_node_each_link(const struct fips_node *n, const struct fips_clock *now,
			 void (*fn)(void *arg, const struct fips_link_view *v), void *arg)
{
	const struct node_link *l;

	(void)now;
	DL_FOREACH(n->link_list, l) {
		const struct fips_link_view v = {
			.link_id = l->id,
			.transport_id = l->transport_id,
			.remote = l->remote,
			.outbound = l->outbound,
			.state = view_is_leg(l) ? "connecting" : "connected",
			.created_wall_ms = l->created_wall,
		};

		if (!l->host)
			fn(arg, &v);
	}
}

static const char *view_session_state(const struct node_session *s)
{
	switch (s->state) {
	case NODE_SESSION_WAITING:
	case NODE_SESSION_INITIATING:
		return "initiating";
	case NODE_SESSION_AWAITING_MSG3:
		return "awaiting_msg3";
	case NODE_SESSION_ESTABLISHED:
		return "established";
	}
	return "";
}

static struct fips_session_view view_session(const struct fips_node *n,
					     const struct fips_clock *now,
					     const struct node_session *s)
{
	const struct node_dial *d = node_dial_find(n, &s->remote);
	struct fips_dp_session_info info = { .last_data_ms = FIPS_NEVER };
	struct fips_session_view v = {
		.remote = s->remote,
		.id = s->has_id ? &s->id : NULL,
		.alias = d ? d->alias : NULL,
		.state = view_session_state(s),
		.initiator = s->initiator || s->own,
		.last_activity_wall_ms = view_wall(now, s->activity),
		.started_wall_ms = s->established_wall,
		.k_bit = s->k_bit,
		.rekeying = s->state == NODE_SESSION_ESTABLISHED &&
			    (s->own || s->next_since),
		.draining = s->drain.armed,
		.observed_mtu = s->mtu.observed,
	};

	node_mmp_view(&s->mmp, &n->timing.session_mmp, s->initiator, &v.mmp);
	if (s->own)
		v.resends = s->own->resends;
	else if (s->halves)
		v.resends = s->halves->s_prev->resends;
	if (!s->installed || n->dp->session_get(n->dp_ctx, &s->remote, &info))
		return v;
	if (info.last_data_ms != FIPS_NEVER)
		v.last_activity_wall_ms = now->wall_ms - info.last_data_ms;
	if (s->state == NODE_SESSION_ESTABLISHED)
		v.k_bit = info.k_bit;
	v.warmup_remaining = node_session_warmup_left(n, s);
	return v;
}

void fips_node_each_session(const struct fips_node *n, const struct fips_clock *now,
			    void (*fn)(void *arg, const struct fips_session_view *v), void *arg)
{
	const struct node_session *s, *tmp;

	HASH_ITER(hh, n->sessions, s, tmp) {
		const struct fips_session_view v = view_session(n, now, s);

		fn(arg, &v);
	}
}

void fips_node_each_retry(const struct fips_node *n, const struct fips_clock *now,
			  void (*fn)(void *arg, const struct fips_retry_view *v), void *arg)
{
	const struct node_dial *d, *tmp;

	HASH_ITER(hh, n->dials, d, tmp) {
		const struct fips_retry_view v = {
			.addr = d->id.addr,
			.count = d->count,
			.due_wall_ms = view_wall(now, d->due),
			.auto_reconnect = d->reconnect,
		};

		if (d->entry)
			fn(arg, &v);
	}
}

void fips_node_each_identity(const struct fips_node *n, const struct fips_clock *now,
			     void (*fn)(void *arg, const struct fips_identity_view *v), void *arg)
{
	const struct node_identity *e, *tmp;

	(void)now;
	HASH_ITER(hh, n->identities, e, tmp) {
		const struct fips_identity_view v = {
			.id = &e->id,
			.last_seen_wall_ms = e->seen_wall,
		};

		fn(arg, &v);
	}
}
