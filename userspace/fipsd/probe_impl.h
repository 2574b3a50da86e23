/* SPDX-License-Identifier: MIT */
/* What the steps of a probe (probe.c) and its report (probe_report.c) share. */
#ifndef FIPSD_PROBE_IMPL_H
#define FIPSD_PROBE_IMPL_H

#include "daemon.h"
#include "coords_math.h"
#include "fsp.h"
#include "nexthop.h"
#include "probe.h"

enum probe_stage {
	PROBE_BLOOM,
	PROBE_DISCOVERY,
	PROBE_PATH,
	PROBE_SESSION,
	PROBE_RTT,
	PROBE_STAGES,
};

/* Outcome of a stage; words as in the report. NULL verdict: pending. */
struct probe_outcome {
	const char *verdict;
	const char *reason;
	u64 began;	/* monotonic ms, 0: not yet */
	u64 ended;
};

/**
 * struct probe_look - what is to be seen of the target at a step
 * @lookup: a lookup is under way, of so many @attempt (0: no filter knows it yet)
 * @hop_why: why there is no next hop, or NULL
 */
struct probe_look {
	bool coords;
	struct fips_coords theirs;
	struct fips_coords ours;
	bool direct;
	bool lookup;
	u32 attempt;
	bool session;
	bool established;
	u64 session_since;	/* wall ms */
	bool data;		/* somebody has used the session */
	u16 path_mtu;
	struct fips_mmp_metrics mmp;
	bool hop;
	struct fips_nexthop_peer next;
	bool next_parent;
	bool next_child;
	const char *hop_why;
};

struct probe {
	struct probe *next_probe;
	u64 id;
	struct fips_identity target;
	bool identity_cached;
	bool coords_cached;
	bool preexisting;	/* there was a session */
	bool issued;		/* a lookup */
	bool opened;		/* a session */
	bool torn_down;
	const char *left_why;
	u64 began;
	u64 ended;		/* the last stage; 0: running */
	bool done;		/* cleaned up */
	u64 done_at;
	bool cancelled;
	enum probe_stage stage;
	struct probe_outcome out[PROBE_STAGES];
	u32 warmups;
	u64 warmed_at;
	struct fips_mmp_metrics base;	/* of the session when its stage began */
	u64 since;			/* look.session_since when it was established */
	struct probe_look look;		/* the last one */
};

u64 probe_tick_ms(const struct fipsd *d);
u64 probe_discovery_ms(const struct fipsd *d);
const char *probe_overall(const struct probe *p);
json_t *probe_report(struct fipsd *d, const struct probe *p);
void probe_look(struct fipsd *d, struct probe *p);

#endif /* FIPSD_PROBE_IMPL_H */
