// SPDX-License-Identifier: MIT
/* Metrics of a session (spec 04, 08 §6.2) and its path MTU (08 §8). */

#include "node_internal.h"

static int session_read(struct fips_node *n, struct node_session *s, u32 take,
			struct fips_mmp_report *r)
{
	int ret = n->dp->session_report(n->dp_ctx, &s->remote, take, r);

	if (!ret)
		node_mmp_note(&s->mmp, r);
	return ret;
}

static void session_send(struct fips_node *n, struct node_session *s, u32 which, u8 type,
			 const u8 *body, int len)
{
	int ret;

	if (len <= 0)
		return;
	ret = n->dp->session_xmit(n->dp_ctx, &s->remote, FIPS_KEY_SLOT_CURRENT, type, false, body,
				  (size_t)len);
	node_mmp_sent(n, &s->mmp, which, ret);
}

static void session_log(struct fips_node *n, struct node_session *s, const char *what)
{
	char line[200];

	node_mmp_line(&s->mmp, line, sizeof(line));
	node_log(n, FIPS_LOG_DEBUG, "MMP session %s %s %s mtu=%u send_mtu=%u", what, s->id.npub,
		 line, s->mtu.observed, s->mtu.current);
}

static void session_notify_now(struct fips_node *n, struct node_session *s)
{
	u8 body[2];

	fips_put_le16(body, s->mtu.observed);
	if (n->dp->session_xmit(n->dp_ctx, &s->remote, FIPS_KEY_SLOT_CURRENT, FIPS_FSP_PATH_MTU,
				false, body, sizeof(body)))
		return;
	s->mmp.tx_quiet++;
	n->counters.path_mtu_sent++;
	fips_pathmtu_told(&s->mtu, n->now.mono_ms);
	s->mtu_told_at = s->mmp.rx_packets - s->mmp.rx_quiet;
}

/* In every mode; repeated while data comes, for the far end counts votes (08 §8.2). */
static void session_notify(struct fips_node *n, struct node_session *s)
{
	u64 due = fips_pathmtu_due(&s->mtu);

	if (due && s->mmp.rx_packets - s->mmp.rx_quiet == s->mtu_told_at)
		return;
	if (due <= n->now.mono_ms)
		session_notify_now(n, s);
}

/* The interval of some report is over, or may be. */
static void session_look(void *owner, struct fips_timer *t)
{
	struct node_session *s = node_container(t, struct node_session, mmp.timer);
	u8 body[2 + FIPS_MMP_RR_LEN];
	struct fips_mmp_report r;
	struct fips_node *n = owner;
	u32 due;

	if (s->state != NODE_SESSION_ESTABLISHED)
		return;
	if (s->next_since) {	/* as link_renewing() */
		fips_timer_set(&n->timers, t, n->now.mono_ms + NODE_MMP_REKEY_MS);
		return;
	}
	if (session_read(n, s, 0, &r))
		return;
	if (node_mmp_log_due(n, &s->mmp, &n->timing.session_mmp))
		session_log(n, s, "metrics");
	due = node_mmp_due(n, &s->mmp, &n->timing.session_mmp, &r);
	if (due && session_read(n, s, due, &r))
		return;
	if (due & FIPS_MMP_TAKE_TX)
		session_send(n, s, FIPS_MMP_TAKE_TX, FIPS_FSP_SENDER_REPORT, body,
			     node_mmp_build_sr(&s->mmp, FIPS_MMP_SESSION, &r, body,
					       sizeof(body)));
	if (due & FIPS_MMP_TAKE_RX)
		session_send(n, s, FIPS_MMP_TAKE_RX, FIPS_FSP_RECEIVER_REPORT, body,
			     node_mmp_build_rr(&s->mmp, &n->timing.session_mmp, FIPS_MMP_SESSION,
					       &r, body, sizeof(body)));
	session_notify(n, s);
}

void node_mmp_session_new(struct fips_node *n, struct node_session *s)
{
	node_mmp_init(n, &s->mmp, FIPS_MMP_SESSION, session_look);
	fips_pathmtu_init(&s->mtu);
}

/* Established: what came with the handshake may wait to be told. */
void node_mmp_session_up(struct fips_node *n, struct node_session *s)
{
	node_mmp_wake(n, &s->mmp);
}

void node_mmp_session_gone(struct fips_node *n, struct node_session *s)
{
	fips_timer_del(&n->timers, &s->mmp.timer);
	if (s->state == NODE_SESSION_ESTABLISHED)
		session_log(n, s, "teardown");
}

static void session_observe(struct fips_node *n, struct node_session *s, u16 mtu)
{
	bool urgent = mtu && fips_pathmtu_observe(&s->mtu, mtu) && s->mtu.has_told;

	/* Less than it was told cannot wait; the first time can. */
	if (urgent && s->state == NODE_SESSION_ESTABLISHED && !s->next_since)
		session_notify_now(n, s);
}

void node_mmp_session_active(struct fips_node *n, const struct fips_node_addr *remote,
			     u16 dgram_mtu)
{
	struct node_session *s = node_session_find(n, remote);

	if (!s || n->draining)
		return;
	session_observe(n, s, dgram_mtu);
	node_mmp_wake(n, &s->mmp);
}

void node_mmp_session_cutover(struct fips_node *n, struct node_session *s)
{
	fips_mmp_metrics_cutover(&s->mmp.metrics, n->now.mono_ms);
}

static void session_rr(struct fips_node *n, struct node_session *s, const u8 *body, size_t len)
{
	struct fips_mmp_report r;
	struct fips_mmp_rr rr;

	if (fips_mmp_rr_parse(FIPS_MMP_SESSION, body, len, &rr)) {
		n->counters.mmp_decode_error++;
		return;
	}
	if (session_read(n, s, 0, &r))
		return;
	node_mmp_wake(n, &s->mmp);
	if (node_mmp_take_rr(n, &s->mmp, &rr, &r) == FIPS_MMP_ABSURD)
		return;
	if (s->mmp.metrics.srtt.known)
		fips_pathmtu_set_srtt(&s->mtu, s->mmp.metrics.srtt.srtt);
}

static void session_notified(struct fips_node *n, struct node_session *s, const u8 *body,
			     size_t len)
{
	u16 mtu;
	int ret;

	if (fips_fsp_path_mtu_parse(body, len, &mtu)) {
		n->counters.mmp_decode_error++;
		return;
	}
	ret = fips_pathmtu_notified(&s->mtu, mtu, n->now.mono_ms);
	if (ret < 0)
		n->counters.path_mtu_below_floor++;
	else if (ret)
		node_session_tell_mtu(n, s);
}

void node_mmp_session_message(struct fips_node *n, struct node_session *s,
			      const struct fips_event *ev)
{
	const u8 *body = ev->session_msg.body;
	size_t len = ev->session_msg.len;
	struct fips_mmp_sr sr;

	session_observe(n, s, ev->session_msg.dgram_mtu);
	switch (ev->session_msg.msg_type) {
	case FIPS_FSP_SENDER_REPORT:
		s->mmp.rx_quiet++;
		n->counters.mmp_decode_error += fips_mmp_sr_parse(FIPS_MMP_SESSION, body, len, &sr)
						!= 0;
		return;
	case FIPS_FSP_RECEIVER_REPORT:
		s->mmp.rx_quiet++;
		if (ev->session_msg.slot != FIPS_KEY_SLOT_PREVIOUS)
			session_rr(n, s, body, len);
		return;
	case FIPS_FSP_PATH_MTU:
		s->mmp.rx_quiet++;
		session_notified(n, s, body, len);
		return;
	case FIPS_FSP_DATA:
		n->counters.session_no_port++;
		return;
	default:
		return;
	}
}
