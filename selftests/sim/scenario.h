/* SPDX-License-Identifier: MIT */
/*
 * What a run is made of: everything that decides it, so that the same scenario
 * gives the same run.
 */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include <stdio.h>

#include "node.h"
#include "topo.h"

#define SIM_MS		UINT64_C(1000)
#define SIM_SEC		UINT64_C(1000000)

/**
 * struct sim_wire_cfg - one direction of a wire
 * @delay: microseconds
 * @jitter: up to so much more
 * @loss: lost, ppm (as all that follow)
 * @dup: delivered twice
 * @reorder: may be overtaken
 * @corrupt: one bit flips
 * @replay: comes once more up to 20 s later, every second time from another address
 * @rate: bits per second, 0 = no limit
 * @queue: bytes that wait before it
 * @mtu: largest frame
 */
struct sim_wire_cfg {
	u64 delay;
	u64 jitter;
	u32 loss;
	u32 dup;
	u32 reorder;
	u32 corrupt;
	u32 replay;
	u64 rate;
	u32 queue;
	u32 mtu;
};

/**
 * struct sim_plane_cfg - how badly a node hears from its data plane
 * @delay: microseconds an upcall takes at least
 * @late: up to so much more
 * @reorder: later ones may overtake
 * @loss: upcalls lost, ppm; lost control upcalls raise FIPS_EV_RESYNC
 * @op_fail: ops that fail at once, ppm
 * @op_late: results of ops are told up to so much later, 0 = at once
 */
struct sim_plane_cfg {
	u64 delay;
	u64 late;
	bool reorder;
	u32 loss;
	u32 op_fail;
	u64 op_late;
};

enum sim_dial {
	SIM_DIAL_ONE,	/* the later node dials the earlier one */
	SIM_DIAL_BOTH,
	SIM_DIAL_MIX,	/* one side, the other or both, by the seed */
};

/**
 * struct sim_scenario - a run
 * @seed: decides all that is drawn
 * @topo: who is beside whom
 * @dial: who calls
 * @names: peers are configured with host names, to be resolved
 * @duration: virtual microseconds, faults and traffic included
 * @start_over: nodes start within so much
 * @wire: every wire
 * @delay_spread: each wire's delay is drawn from @wire.delay to so much more
 * @plane: every node's data plane
 * @skew: wall clocks are off by up to so much
 * @drift: clocks drift by up to so many ppm
 * @mtu: of the transports
 * @timing: every node's
 * @reference: such a share of the nodes goes by the reference's rules, ppm
 * @limits: keep its limits even where a node has more neighbours
 * @ping_gap: one ping somewhere every so often, 0 = none
 * @ping_from: the first one no earlier
 * @ping_size: IPv6 packet of a ping at most
 * @flows: CBR flows
 * @flow_pps: packets per second of each
 * @flow_size: IPv6 packet size
 * @far: traffic between any two nodes, not only neighbours
 * @faults: schedule, text, or NULL
 * @settle: heal at the end and see that all talk again
 * @both_ask: there, both ends ping in turn, which hides that one has forgotten the other
 * @bound: within so much, 0 = derived from @timing
 * @lossless: every ping between linked neighbours must come back
 * @memo: each public-key operation is computed once
 * @trace: readable event log, or NULL
 * @progress: tell how far a long run is
 */
struct sim_scenario {
	u64 seed;
	struct sim_topo_spec topo;
	enum sim_dial dial;
	bool names;
	u64 duration;
	u64 start_over;
	struct sim_wire_cfg wire;
	u64 delay_spread;
	struct sim_plane_cfg plane;
	u64 skew;
	u32 drift;
	u16 mtu;
	struct fips_node_timing timing;
	u32 reference;
	bool limits;
	u64 ping_gap;
	u64 ping_from;
	u32 ping_size;
	u32 flows;
	u32 flow_pps;
	u32 flow_size;
	bool far;
	char *faults;
	bool settle;
	bool both_ask;
	u64 bound;
	bool lossless;
	bool memo;
	FILE *trace;
	bool progress;
};

void sim_scenario_defaults(struct sim_scenario *sc);
void sim_scenario_free(struct sim_scenario *sc);
/* Draw a small one for the swarm. */
void sim_scenario_draw(struct sim_scenario *sc, u64 seed);
/* Set a node key ("rekey.after_secs=10"); 0 or -EINVAL. */
int sim_scenario_set(struct sim_scenario *sc, const char *assignment);
/* Those that are not the defaults, as " --set KEY=VALUE". */
void sim_scenario_print_keys(const struct sim_scenario *sc, FILE *out);
/* Virtual microseconds within which neighbours talk again after the last fault. */
u64 sim_scenario_bound(const struct sim_scenario *sc);

/* "10s", "1.5s", "200ms", "30us", "2m"; 0 or -EINVAL. */
int sim_parse_time(const char *text, u64 *us);
/* "10%", "0.5%", "300ppm"; 0 or -EINVAL. */
int sim_parse_ppm(const char *text, u32 *ppm);
/* "64k", "1m", "1500", with an optional unit such as "bit" behind; 0 or -EINVAL. */
int sim_parse_size(const char *text, u64 *v);

#endif /* SIM_SCENARIO_H */
