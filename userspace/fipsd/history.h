/* SPDX-License-Identifier: MIT */
/*
 * Statistics history (spec 13 §6): a sample of every metric a tick, for an hour,
 * and one a minute, for a day. All series share one axis of time. A gap is NAN.
 */
#ifndef FIPSD_HISTORY_H
#define FIPSD_HISTORY_H

#include "../libfips/identity.h"

#define FIPS_HISTORY_FAST	3600
#define FIPS_HISTORY_SLOW	1440
#define FIPS_HISTORY_RETENTION	86400	/* seconds after the last contact with a peer */
#define FIPS_HISTORY_PEERS	256	/* the one gone longest makes room */

enum fips_node_metric {
	FIPS_NM_MESH_SIZE,
	FIPS_NM_TREE_DEPTH,
	FIPS_NM_PEER_COUNT,
	FIPS_NM_PARENT_SWITCHES,
	FIPS_NM_BYTES_IN,
	FIPS_NM_BYTES_OUT,
	FIPS_NM_PACKETS_IN,
	FIPS_NM_PACKETS_OUT,
	FIPS_NM_LOSS_RATE,
	FIPS_NM_ACTIVE_SESSIONS,
	FIPS_NODE_METRICS,
};

enum fips_peer_metric {
	FIPS_PM_SRTT_MS,
	FIPS_PM_LOSS_RATE,
	FIPS_PM_BYTES_IN,
	FIPS_PM_BYTES_OUT,
	FIPS_PM_PACKETS_IN,
	FIPS_PM_PACKETS_OUT,
	FIPS_PM_ECN_CE,
	FIPS_PEER_METRICS,
};

/* How a minute becomes one sample; gaps are skipped. */
enum fips_reduce {
	FIPS_REDUCE_LAST,
	FIPS_REDUCE_MEAN,
	FIPS_REDUCE_SUM,
};

struct fips_metric {
	const char *name;
	const char *unit;
	enum fips_reduce reduce;
	bool counter;	/* sampled as what it grew by a second */
};

extern const struct fips_metric fips_node_metrics[FIPS_NODE_METRICS];
extern const struct fips_metric fips_peer_metrics[FIPS_PEER_METRICS];

/* Index of a name in a list of @n, or -1. */
int fips_metric_find(const struct fips_metric *list, int n, const char *name);

struct fips_history;

/* What is known of a peer. */
struct fips_history_peer {
	const struct fips_identity *id;
	bool active;
	u64 first_ms;	/* monotonic */
	u64 last_ms;
};

struct fips_history *fips_history_new(void);
void fips_history_free(struct fips_history *h);

/**
 * fips_history_begin() - a tick
 * @h: history
 * @now_ms: monotonic
 * @tick_ms: how far ticks are apart when none is late; late ones leave gaps
 */
void fips_history_begin(struct fips_history *h, u64 now_ms, u64 tick_ms);

/* Raw values, counters as they stand; NAN is not known. Once a tick. */
void fips_history_node(struct fips_history *h, const double *raw);
/* For each peer that is there. False without memory. */
bool fips_history_peer(struct fips_history *h, const struct fips_identity *id, const double *raw);
/* Peers that were not named get gaps; every 60th time a minute is made. */
void fips_history_end(struct fips_history *h);

/* Peer by address, as a handle for fips_history_values(), or -1. */
int fips_history_find(const struct fips_history *h, const struct fips_node_addr *addr);
/* Handles are 0 .. count - 1 until the next tick. */
int fips_history_count(const struct fips_history *h);
void fips_history_info(const struct fips_history *h, int peer, struct fips_history_peer *info);

/**
 * fips_history_values() - the newest values of a series, padded with gaps at the front
 * @h: history
 * @peer: handle, or -1: the node
 * @metric: index in its list
 * @slow: minutes, not ticks
 * @out: @n values, oldest first
 * @n: how many
 */
void fips_history_values(const struct fips_history *h, int peer, int metric, bool slow, double *out,
			 size_t n);

/* Samples taken so far. */
u64 fips_history_pushes(const struct fips_history *h);

#endif /* FIPSD_HISTORY_H */
