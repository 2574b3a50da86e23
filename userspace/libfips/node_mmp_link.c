// SPDX-License-Identifier: MIT
/*
 * Metrics of a peer (spec 04): they stay when it changes its link, and what
 * they say becomes the cost of the link and its congestion mark.
 */

#include "node_internal.h"

static int link_read(struct fips_node *n, struct node_peer *p, u32 take, struct fips_mmp_report *r)
{
	int ret = n->dp->link_report(n->dp_ctx, p->link->id, take, r);

	if (!ret)
		node_mmp_note(&p->mmp, r);
	return ret;
}

/* Keys that wait for proof: the peer may be past them already (04 §8, b). */
static bool link_renewing(const struct node_peer *p)
{
	return p->link->guest && p->link->guest->state == NODE_LINK_NEXT;
}

static void link_send(struct fips_node *n, struct node_peer *p, u32 which, const u8 *msg, int len)
{
	if (len > 0)
		node_mmp_sent(n, &p->mmp, which, node_link_xmit(n, p->link, msg, (size_t)len));
}

static void link_log(struct fips_node *n, struct node_peer *p, const char *what)
{
	char line[200];

	node_mmp_line(&p->mmp, line, sizeof(line));
	node_log(n, FIPS_LOG_DEBUG, "MMP link %s %s %s", what, p->id.npub, line);
}

/* The interval of some report is over, or may be. */
static void link_look(void *owner, struct fips_timer *t)
{
	struct node_peer *p = node_container(t, struct node_peer, mmp.timer);
	u8 msg[1 + 3 + FIPS_MMP_RR_LEN];
	struct fips_mmp_report r;
	struct fips_node *n = owner;
	u32 due;

	if (link_renewing(p)) {
		fips_timer_set(&n->timers, t, n->now.mono_ms + NODE_MMP_REKEY_MS);
		return;
	}
	if (link_read(n, p, 0, &r))
		return;
	if (node_mmp_log_due(n, &p->mmp, &n->timing.mmp))
		link_log(n, p, "metrics");
	due = node_mmp_due(n, &p->mmp, &n->timing.mmp, &r);
	if (!due || link_read(n, p, due, &r))
		return;
	if (due & FIPS_MMP_TAKE_TX)
		link_send(n, p, FIPS_MMP_TAKE_TX, msg,
			  node_mmp_build_sr(&p->mmp, FIPS_MMP_LINK, &r, msg, sizeof(msg)));
	if (due & FIPS_MMP_TAKE_RX)
		link_send(n, p, FIPS_MMP_TAKE_RX, msg,
			  node_mmp_build_rr(&p->mmp, &n->timing.mmp, FIPS_MMP_LINK, &r, msg,
					    sizeof(msg)));
}

void node_mmp_peer_new(struct fips_node *n, struct node_peer *p)
{
	node_mmp_init(n, &p->mmp, FIPS_MMP_LINK, link_look);
}

void node_mmp_peer_gone(struct fips_node *n, struct node_peer *p)
{
	fips_timer_del(&n->timers, &p->mmp.timer);
	link_log(n, p, "teardown");
}

void node_mmp_link_changes(struct fips_node *n, struct node_peer *p)
{
	struct node_mmp *m = &p->mmp;
	struct fips_mmp_report r;

	if (link_read(n, p, 0, &r))
		return;
	m->carry = r;
	fips_mmp_metrics_cutover(&m->metrics, n->now.mono_ms);
	p->congested = false;	/* the new link is not marked */
}

void node_mmp_link_active(struct fips_node *n, u32 link_id)
{
	struct node_link *l = node_link_find(n, link_id);
	struct node_peer *p = l ? node_peer_find(n, &l->peer.addr) : NULL;

	if (p && p->link == l && !n->draining)
		node_mmp_wake(n, &p->mmp);
}

void node_mmp_link_cutover(struct fips_node *n, struct node_peer *p)
{
	fips_mmp_metrics_cutover(&p->mmp.metrics, n->now.mono_ms);
}

/* Transit datagrams over a bad link are marked (04 §10.2), by averages (§17). */
static void link_mark(struct fips_node *n, struct node_peer *p)
{
	const struct fips_mmp_metrics *m = &p->mmp.metrics;
	bool congested = n->timing.ecn.enabled &&
			 fips_mmp_congested(m, n->timing.ecn.loss_threshold,
					    n->timing.ecn.etx_threshold);

	if (congested == p->congested ||
	    n->dp->link_congested(n->dp_ctx, p->link->id, congested))
		return;
	p->congested = congested;
	n->counters.congestion_begun += congested;
	node_log(n, FIPS_LOG_DEBUG, "link to %s is %scongested", p->id.npub,
		 congested ? "" : "no longer ");
}

/* The first cost, and each that differs much, has parents looked at anew (05 §7.3). */
static void link_cost(struct fips_node *n, struct node_peer *p)
{
	double cost = node_mmp_cost(&p->mmp);
	bool moved;

	if (!node_mmp_measured(&p->mmp))
		return;
	moved = !p->told_cost || cost > p->told_cost * NODE_MMP_COST_STEP ||
		cost * NODE_MMP_COST_STEP < p->told_cost;
	if (moved)
		p->told_cost = cost;
	node_tree_cost(n, p, cost, moved);
}

static void link_rr(struct fips_node *n, struct node_peer *p, const u8 *body, size_t len)
{
	struct fips_mmp_report r;
	struct fips_mmp_rr rr;

	if (fips_mmp_rr_parse(FIPS_MMP_LINK, body, len, &rr)) {
		n->counters.mmp_decode_error++;
		return;
	}
	if (link_read(n, p, 0, &r))
		return;
	node_mmp_wake(n, &p->mmp);
	if (node_mmp_take_rr(n, &p->mmp, &rr, &r) == FIPS_MMP_ABSURD)
		return;
	link_mark(n, p);
	link_cost(n, p);
}

/**
 * node_mmp_link_message() - a report of a peer (04 §6)
 * @n: node
 * @p: peer, on its link
 * @slot: that opened the frame
 * @type: %FIPS_LINK_SENDER_REPORT or %FIPS_LINK_RECEIVER_REPORT
 * @body: behind the type
 * @len: its length
 */
void node_mmp_link_message(struct fips_node *n, struct node_peer *p, u32 slot, u8 type,
			   const u8 *body, size_t len)
{
	struct fips_mmp_sr sr;

	p->mmp.rx_quiet++;
	if (type == FIPS_LINK_SENDER_REPORT) {
		n->counters.mmp_decode_error += fips_mmp_sr_parse(FIPS_MMP_LINK, body, len, &sr)
						!= 0;
		return;
	}
	/* It is about an epoch that is over (04 §8). */
	if (slot != FIPS_KEY_SLOT_PREVIOUS)
		link_rr(n, p, body, len);
}
