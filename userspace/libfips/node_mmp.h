/* SPDX-License-Identifier: MIT */
/*
 * Metrics in the node (spec 04): when reports leave, what those of others say,
 * and what follows from it: link cost, congestion marks, path MTU
 * notifications. Included by node_internal.h; nothing here is for others.
 *
 *   node_mmp.c          what both layers have in common
 *   node_mmp_link.c     of a peer
 *   node_mmp_session.c  of a session, and its path MTU
 *
 * Event-driven: the data plane says when something came (-active), the report
 * goes when its interval is over. Reports are no reason for reports, so a
 * quiet link or session stays quiet.
 */
#ifndef _LIBFIPS_NODE_MMP_H
#define _LIBFIPS_NODE_MMP_H

#include "mmp.h"
#include "node.h"
#include "timer.h"

#define NODE_MMP_GATHER_MS	100	/* a report waits so long for company */
#define NODE_MMP_REKEY_MS	500	/* look again while new keys wait (04 §8, b) */
#define NODE_MMP_COST_STEP	1.25	/* a cost that changed by less moves nobody at once */

struct node_peer;
struct node_session;

/**
 * struct node_mmp - metrics of a peer or session
 * @metrics: what its reports say
 * @sr: when a sender report may go
 * @rr: same for receiver reports
 * @timer: next look
 * @rx_quiet: frames that call for no report: reports of the other side, and filters that say
 *	nothing new
 * @tx_quiet: our own of these
 * @rr_told: frames both ways but for reports, when the last receiver report went
 * @sr_told: frames sent but for reports, when the last sender report went
 * @carry: totals of links that this one replaced
 * @former_packets: what the other side had counted before it first reported to us
 * @former_bytes: likewise
 * @spin_rtt_us: by the spin bit, 0 if there is none
 * @jitter_us: that we measure
 * @ce: frames that came with CE in this key epoch
 * @rx_packets: frames received in all
 * @rx_bytes: their bytes
 * @tx_packets: frames sent in all
 * @tx_bytes: their bytes
 * @logged: mono ms of the last line
 */
struct node_mmp {
	struct fips_mmp_metrics metrics;
	struct fips_mmp_timer sr;
	struct fips_mmp_timer rr;
	struct fips_timer timer;
	u64 rx_quiet;
	u64 tx_quiet;
	u64 rr_told;
	u64 sr_told;
	struct fips_mmp_report carry;
	u64 former_packets;
	u64 former_bytes;
	u64 spin_rtt_us;
	u32 jitter_us;
	u32 ce;
	u64 rx_packets;
	u64 rx_bytes;
	u64 tx_packets;
	u64 tx_bytes;
	u64 logged;
};

/* node_mmp.c */
void node_mmp_init(struct fips_node *n, struct node_mmp *m, enum fips_mmp_layer layer,
		   fips_timer_fn look);
/* Something came: look, but not before the interval is over. */
void node_mmp_wake(struct fips_node *n, struct node_mmp *m);
/* Take a report of the data plane in: totals of former links are added. */
void node_mmp_note(struct node_mmp *m, struct fips_mmp_report *r);
/* Which reports are due, FIPS_MMP_TAKE_*; the timer is set for those that are not yet. */
u32 node_mmp_due(struct fips_node *n, struct node_mmp *m, const struct fips_node_mmp_cfg *cfg,
		 const struct fips_mmp_report *r);
int node_mmp_build_sr(struct node_mmp *m, enum fips_mmp_layer layer,
		      const struct fips_mmp_report *r, u8 *buf, size_t room);
int node_mmp_build_rr(struct node_mmp *m, const struct fips_node_mmp_cfg *cfg,
		      enum fips_mmp_layer layer, const struct fips_mmp_report *r, u8 *buf,
		      size_t room);
/* One was handed to the data plane (@ret of that), or is not to go. */
void node_mmp_sent(struct fips_node *n, struct node_mmp *m, u32 which, int ret);
/* A receiver report of the other side. */
enum fips_mmp_outcome node_mmp_take_rr(struct fips_node *n, struct node_mmp *m,
				       const struct fips_mmp_rr *rr,
				       const struct fips_mmp_report *r);
/* Round-trip time known, or known to be too short to measure? */
bool node_mmp_measured(const struct node_mmp *m);
/* Cost of the link from averages (04 §17), 1 if it is not measured. */
double node_mmp_cost(const struct node_mmp *m);
bool node_mmp_log_due(struct fips_node *n, struct node_mmp *m,
		      const struct fips_node_mmp_cfg *cfg);
/* Fields of a log line, in the order of 04 §12. */
void node_mmp_line(const struct node_mmp *m, char *buf, size_t len);
void node_mmp_view(const struct node_mmp *m, const struct fips_node_mmp_cfg *cfg, bool initiator,
		   struct fips_mmp_view *v);

/* node_mmp_link.c */
void node_mmp_peer_new(struct fips_node *n, struct node_peer *p);
void node_mmp_peer_gone(struct fips_node *n, struct node_peer *p);
/* @p is about to leave its link for another. */
void node_mmp_link_changes(struct fips_node *n, struct node_peer *p);
void node_mmp_link_active(struct fips_node *n, u32 link_id);
void node_mmp_link_cutover(struct fips_node *n, struct node_peer *p);
void node_mmp_link_message(struct fips_node *n, struct node_peer *p, u32 slot, u8 type,
			   const u8 *body, size_t len);

/* node_mmp_session.c */
void node_mmp_session_new(struct fips_node *n, struct node_session *s);
void node_mmp_session_up(struct fips_node *n, struct node_session *s);
void node_mmp_session_gone(struct fips_node *n, struct node_session *s);
void node_mmp_session_active(struct fips_node *n, const struct fips_node_addr *remote,
			     u16 dgram_mtu);
void node_mmp_session_cutover(struct fips_node *n, struct node_session *s);
/* Any message that came up: reports and notifications. */
void node_mmp_session_message(struct fips_node *n, struct node_session *s,
			      const struct fips_event *ev);

#endif /* _LIBFIPS_NODE_MMP_H */
