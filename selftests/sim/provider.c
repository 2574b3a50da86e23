// SPDX-License-Identifier: MIT
/*
 * The provider "sim": struct fips_dp_ops over a node's packet core. Commands
 * take effect at once and in order, as generic netlink's do; that they failed
 * may be told late, and they fail when the seed says so.
 */
#include <errno.h>

#include "sim.h"

#define OP_FAILED	(-ENOMEM)	/* what a failure that was drawn looks like */
#define OP_LIE_ROOM	4096	/* longest message that a liar changes */

/**
 * struct op - a command in progress
 * @n: node
 * @out: the core's outlet
 * @now: its clock
 * @name: for the log
 * @link_id: what it is about
 * @remote: or this
 */
struct op {
	struct sim_node *n;
	struct fips_core_out out;
	u64 now;
	const char *name;
	u32 link_id;
	const struct fips_node_addr *remote;
};

static struct op op_begin(void *dp, const char *name)
{
	struct op o = { .n = dp, .name = name };

	o.now = sim_node_mono_ms(o.n);
	/* Commands send packets that waited for them; the two that differ say so. */
	sim_plane_out(o.n, &o.out, FIPS_LANE_TX, SIM_TX_DATA);
	o.n->st->ops += !o.n->dying;
	return o;
}

/* Fail it without doing it? Not while the node is being freed. */
static bool op_fails(struct op *o)
{
	return sim_rng_chance(&o->n->rng_op, o->n->plane.op_fail);
}

/* For the log: number of the node at the far end, or of the link. */
static u64 op_what(const struct op *o)
{
	const struct sim_node *far = o->remote ? sim_node_by_addr(o->n->sim, o->remote) : NULL;

	return far ? far->idx : o->link_id;
}

static int op_note(struct op *o, int ret)
{
	if (o->n->dying)
		return ret;
	if (ret < 0)
		o->n->st->ops_failed++;
	sim_note(o->n->sim, SIM_NOTE_OP, o->n->idx, op_what(o), (u64)(s64)ret, o->name,
		 strlen(o->name));
	sim_plane_after(o->n);
	return ret;
}

/* A command whose result netlink may tell late; success is never told. */
static int op_settle(struct op *o, int ret)
{
	struct fips_event ev = { .type = FIPS_EV_OP_RESULT };

	op_note(o, ret);
	if (o->n->dying || !o->n->plane.op_late)
		return ret;
	if (ret) {
		ev.op.link_id = o->link_id;
		if (o->remote)
			ev.op.remote = *o->remote;
		ev.op.err = ret;
		sim_upcall_later(o->n, &ev, sim_rng_below(&o->n->rng_op, o->n->plane.op_late));
	}
	return -EINPROGRESS;
}

static int sim_dev_set(void *dp, const struct fips_dp_dev *dev)
{
	struct op o = op_begin(dp, "dev-set");

	return op_note(&o, fips_core_dev_set(o.n->core, dev));
}

static int sim_link_new(void *dp, const struct fips_dp_link *link)
{
	struct op o = op_begin(dp, "link-new");

	o.link_id = link->id;
	return op_settle(&o, op_fails(&o) ? OP_FAILED :
			 fips_core_link_new(o.n->core, &o.out, o.now, link));
}

static int sim_link_move(void *dp, u32 id, u32 transport_id, const struct fips_taddr *remote)
{
	const struct fips_endpoint to = { .transport_id = transport_id, .addr = *remote };
	struct op o = op_begin(dp, "link-move");

	o.link_id = id;
	return op_note(&o, fips_core_link_move(o.n->core, id, &to));
}

static int sim_link_del(void *dp, u32 id)
{
	struct op o = op_begin(dp, "link-del");

	o.link_id = id;
	return op_note(&o, fips_core_link_del(o.n->core, id));
}

static int sim_link_key_new(void *dp, u32 id, const struct fips_dp_key *key)
{
	struct op o = op_begin(dp, "link-key-new");

	o.link_id = id;
	return op_settle(&o, op_fails(&o) ? OP_FAILED :
			 fips_core_link_key_new(o.n->core, &o.out, o.now, id, key));
}

static int sim_link_key_swap(void *dp, u32 id)
{
	struct op o = op_begin(dp, "link-key-swap");

	o.link_id = id;
	return op_note(&o, fips_core_link_key_swap(o.n->core, o.now, id));
}

static int sim_link_key_del(void *dp, u32 id, u32 slot)
{
	struct op o = op_begin(dp, "link-key-del");

	o.link_id = id;
	return op_note(&o, fips_core_link_key_del(o.n->core, id, slot));
}

static int sim_link_xmit(void *dp, u32 id, u32 slot, const void *msg, size_t len)
{
	struct op o = op_begin(dp, "link-xmit");
	u8 lie[OP_LIE_ROOM];

	if (o.n->dying)
		return 0;
	o.link_id = id;
	o.n->class = SIM_TX_LINK;
	o.n->type = len ? *(const u8 *)msg : 0;
	sim_ask_request(o.n, msg, len);
	if (o.n->lies && len <= sizeof(lie)) {
		size_t told = len;

		memcpy(lie, msg, len);
		if (!sim_lie_link(o.n, lie, &told, sizeof(lie))) {
			o.n->sim->lies++;
			return op_note(&o, 0);
		}
		o.n->sim->lies += told != len || memcmp(lie, msg, len);
		msg = lie;
		len = told;
	}
	return op_note(&o, op_fails(&o) ? OP_FAILED :
		       fips_core_link_xmit(o.n->core, &o.out, o.now, id, slot, msg, len));
}

static int sim_link_get(void *dp, u32 id, struct fips_dp_link_info *info)
{
	struct op o = op_begin(dp, "link-get");

	o.link_id = id;
	return op_note(&o, fips_core_link_get(o.n->core, o.now, id, info));
}

static int sim_link_report(void *dp, u32 id, u32 take, struct fips_mmp_report *report)
{
	struct op o = op_begin(dp, "link-report");

	o.link_id = id;
	return op_note(&o, fips_core_link_report(o.n->core, o.now, id, take, report));
}

static int sim_link_congested(void *dp, u32 id, bool congested)
{
	struct op o = op_begin(dp, "link-congested");

	o.link_id = id;
	return op_note(&o, fips_core_link_congested(o.n->core, id, congested));
}

static int sim_session_report(void *dp, const struct fips_node_addr *remote, u32 take,
			      struct fips_mmp_report *report)
{
	struct op o = op_begin(dp, "session-report");

	o.remote = remote;
	return op_note(&o, fips_core_session_report(o.n->core, o.now, remote, take, report));
}

static int sim_session_new(void *dp, const struct fips_dp_session *session)
{
	struct op o = op_begin(dp, "session-new");

	o.remote = &session->remote;
	return op_settle(&o, op_fails(&o) ? OP_FAILED :
			 fips_core_session_new(o.n->core, &o.out, o.now, session));
}

static int sim_session_set(void *dp, const struct fips_dp_session *session)
{
	struct op o = op_begin(dp, "session-set");

	o.remote = &session->remote;
	return op_note(&o, fips_core_session_set(o.n->core, session));
}

static int sim_session_del(void *dp, const struct fips_node_addr *remote)
{
	struct op o = op_begin(dp, "session-del");

	o.remote = remote;
	return op_note(&o, fips_core_session_del(o.n->core, remote));
}

static int sim_session_key_new(void *dp, const struct fips_node_addr *remote,
			       const struct fips_dp_key *key)
{
	struct op o = op_begin(dp, "session-key-new");

	o.remote = remote;
	return op_settle(&o, op_fails(&o) ? OP_FAILED :
			 fips_core_session_key_new(o.n->core, &o.out, o.now, remote, key));
}

static int sim_session_key_swap(void *dp, const struct fips_node_addr *remote)
{
	struct op o = op_begin(dp, "session-key-swap");

	o.remote = remote;
	return op_note(&o, fips_core_session_key_swap(o.n->core, o.now, remote));
}

static int sim_session_key_del(void *dp, const struct fips_node_addr *remote, u32 slot)
{
	struct op o = op_begin(dp, "session-key-del");

	o.remote = remote;
	return op_note(&o, fips_core_session_key_del(o.n->core, remote, slot));
}

static int sim_session_xmit(void *dp, const struct fips_node_addr *remote, u32 slot, u8 msg_type,
			    bool with_coords, const void *body, size_t len)
{
	struct op o = op_begin(dp, "session-xmit");
	u8 lie[OP_LIE_ROOM];

	if (o.n->dying)
		return 0;
	if (o.n->lies && len && len <= sizeof(lie)) {
		memcpy(lie, body, len);
		sim_lie_session(o.n, msg_type, lie, len);
		body = lie;
	}
	o.remote = remote;
	o.n->class = SIM_TX_SESSION;
	return op_note(&o, op_fails(&o) ? OP_FAILED :
		       fips_core_session_xmit(o.n->core, &o.out, o.now, remote, slot, msg_type,
					      with_coords, body, len));
}

static int sim_session_get(void *dp, const struct fips_node_addr *remote,
			   struct fips_dp_session_info *info)
{
	struct op o = op_begin(dp, "session-get");

	o.remote = remote;
	return op_note(&o, fips_core_session_get(o.n->core, o.now, remote, info));
}

static int sim_unreachable(void *dp, const u8 *ipv6, u32 ms)
{
	struct op o = op_begin(dp, "unreachable");

	return op_note(&o, fips_core_unreachable(o.n->core, &o.out, o.now, ipv6, ms));
}

static int sim_route_set(void *dp, const struct fips_node_addr *dest, u32 link_id, u32 generation)
{
	struct op o = op_begin(dp, "route-set");

	o.remote = dest;
	o.link_id = link_id;
	return op_note(&o, op_fails(&o) ? OP_FAILED :
		       fips_core_route_set(o.n->core, &o.out, o.now, dest, link_id, generation));
}

static int sim_route_unreachable(void *dp, const struct fips_node_addr *dest, u32 ms)
{
	struct op o = op_begin(dp, "route-unreachable");

	o.remote = dest;
	return op_note(&o, fips_core_route_unreachable(o.n->core, &o.out, o.now, dest, ms));
}

static int sim_route_del(void *dp, const struct fips_node_addr *dest)
{
	struct op o = op_begin(dp, "route-del");

	o.remote = dest;
	return op_note(&o, fips_core_route_del(o.n->core, dest));
}

static int sim_route_flush(void *dp, u32 older_than)
{
	struct op o = op_begin(dp, "route-flush");

	return op_note(&o, fips_core_route_flush(o.n->core, older_than));
}

static int sim_dev_get(void *dp, struct fips_dp_stats *stats)
{
	struct op o = op_begin(dp, "dev-get");

	fips_core_dev_get(o.n->core, stats);
	return op_note(&o, 0);
}

const struct fips_dp_ops sim_dp_ops = {
	.name = "sim",
	.dev_set = sim_dev_set,
	.link_new = sim_link_new,
	.link_move = sim_link_move,
	.link_del = sim_link_del,
	.link_key_new = sim_link_key_new,
	.link_key_swap = sim_link_key_swap,
	.link_key_del = sim_link_key_del,
	.link_xmit = sim_link_xmit,
	.link_get = sim_link_get,
	.link_report = sim_link_report,
	.link_congested = sim_link_congested,
	.session_new = sim_session_new,
	.session_set = sim_session_set,
	.session_del = sim_session_del,
	.session_key_new = sim_session_key_new,
	.session_key_swap = sim_session_key_swap,
	.session_key_del = sim_session_key_del,
	.session_xmit = sim_session_xmit,
	.session_get = sim_session_get,
	.session_report = sim_session_report,
	.unreachable = sim_unreachable,
	.route_set = sim_route_set,
	.route_unreachable = sim_route_unreachable,
	.route_del = sim_route_del,
	.route_flush = sim_route_flush,
	.dev_get = sim_dev_get,
};
