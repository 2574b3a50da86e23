/* SPDX-License-Identifier: MIT */
/* One run from scenario to verdict, and many of them. */
#ifndef SIM_RUN_H
#define SIM_RUN_H

#include "scenario.h"

/**
 * struct sim_output - what to write about a run
 * @text: report, or NULL
 * @json: report, or NULL
 * @plot: path of a picture, or NULL
 */
struct sim_output {
	FILE *text;
	FILE *json;
	const char *plot;
};

/* 0: all invariants held; 1: one did not; 2: the scenario is no good. */
int sim_run_scenario(const struct sim_scenario *sc, const struct sim_output *out);

/**
 * struct sim_swarm - runs of drawn scenarios
 * @runs: how many
 * @seed: of the first; the next ones count on
 * @jobs: processes side by side
 * @seconds: start no new run after so much real time, 0 = no limit
 * @memo: as in the scenario
 * @show: print the scenario
 * @trace: event log of the runs, or NULL
 */
struct sim_swarm {
	u64 runs;
	u64 seed;
	u32 jobs;
	u32 seconds;
	bool memo;
	bool show;
	FILE *trace;
};

/* 0: all held; 1: some did not. */
int sim_swarm_run(const struct sim_swarm *sw);

#endif /* SIM_RUN_H */
