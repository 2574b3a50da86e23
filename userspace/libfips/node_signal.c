// SPDX-License-Identifier: MIT
/*
 * Routing signals (spec 08 §5.6). A signal
 * is plain text from anywhere: it may cost a small frame or lower an MTU, no more.
 */

#include "node_internal.h"

static void signal_refused(struct fips_node *n, u8 type)
{
	n->counters.signal_unbound++;
	n->counters.session_unknown++;
	switch (type) {
	case FIPS_FSP_COORDS_REQUIRED:
		n->counters.signal_unbound_coords++;
		return;
	case FIPS_FSP_PATH_BROKEN:
		n->counters.signal_unbound_broken++;
		return;
	case FIPS_FSP_MTU_EXCEEDED:
		n->counters.signal_unbound_mtu++;
		return;
	}
}

/*
 * Only about destinations that we speak to ourselves: initiated or established,
 * and never about us, nor from the very node it complains of.
 */
static struct node_session *signal_gate(struct fips_node *n, const struct fips_datagram *dgram,
					const struct fips_fsp_signal_msg *sig)
{
	struct node_session *s = node_session_find(n, &sig->dst);

	if (fips_node_addr_eq(&sig->dst, &n->env.self->id.addr) ||
	    fips_node_addr_eq(&sig->dst, &dgram->src)) {
		n->counters.signal_forged++;
	} else if (s && (s->state == NODE_SESSION_ESTABLISHED || s->own)) {
		return s;
	}
	signal_refused(n, sig->type);
	return NULL;
}

/* One response in 2 s for each destination. */
static bool signal_admit(struct fips_node *n, struct node_session *s)
{
	u64 gap = n->timing.session.coords_response_interval_ms;

	if (s->warmup_sent && n->now.mono_ms - s->warmup_sent < gap)
		return false;
	s->warmup_sent = n->now.mono_ms ? n->now.mono_ms : 1;
	return true;
}

/* Our coordinates again, and a look for those of the far end. */
static void signal_coords(struct fips_node *n, struct node_session *s)
{
	n->counters.signal_coords_required++;
	if (signal_admit(n, s)) {
		if (s->state == NODE_SESSION_ESTABLISHED)
			n->dp->session_xmit(n->dp_ctx, &s->remote, FIPS_KEY_SLOT_CURRENT,
					    FIPS_FSP_COORDS_WARMUP, true, NULL, 0);
		if (!node_peer_find(n, &s->remote))
			node_lookup_start(n, &s->remote);
	}
	node_session_warm(n, s);
}

/*
 * What we know of the far end's place is wrong. Nothing vouches for the signal,
 * so it costs a lookup in 2 s at most; the warm-up comes with its answer.
 */
static void signal_broken(struct fips_node *n, struct node_session *s)
{
	n->counters.signal_path_broken++;
	fips_pathmtu_reset(&s->mtu);
	if (node_peer_find(n, &s->remote)) {
		signal_coords(n, s);
		return;
	}
	node_session_tell_mtu(n, s);
	if (!signal_admit(n, s))
		return;
	node_route_withdraw(n, &s->remote);
	if (node_lookup_start(n, &s->remote) == NODE_LOOKUP_REFUSED)
		node_session_warm(n, s);
}

void node_signal(struct fips_node *n, const struct fips_datagram *dgram)
{
	struct fips_fsp_signal_msg sig;
	struct node_session *s;

	if (fips_fsp_signal_parse(dgram->payload, dgram->len, &sig)) {
		n->counters.signal_malformed++;
		return;
	}
	s = signal_gate(n, dgram, &sig);
	if (!s)
		return;
	switch (sig.type) {
	case FIPS_FSP_COORDS_REQUIRED:
		signal_coords(n, s);
		return;
	case FIPS_FSP_PATH_BROKEN:
		signal_broken(n, s);
		return;
	case FIPS_FSP_MTU_EXCEEDED:
		n->counters.signal_mtu_exceeded++;
		n->counters.signal_mtu_below_floor += sig.mtu < FIPS_MTU_FLOOR;
		node_session_lower_mtu(n, s, sig.mtu);
		return;
	}
}

/**
 * node_session_lower_mtu() - a signal or a lookup says that the path carries no more
 * @n: node
 * @s: session
 * @mtu: claim; only ever lowers (08 §18 item 10)
 */
void node_session_lower_mtu(struct fips_node *n, struct node_session *s, u16 mtu)
{
	if (fips_pathmtu_exceeded(&s->mtu, mtu, FIPS_MTU_UNKNOWN) > 0)
		node_session_tell_mtu(n, s);
}
