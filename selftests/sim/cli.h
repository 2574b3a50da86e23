/* SPDX-License-Identifier: MIT */
/* The command line: parsed into a scenario, and written back from one. */
#ifndef SIM_CLI_H
#define SIM_CLI_H

#include "run.h"

/**
 * struct sim_cli - what the command line said
 */
struct sim_cli {
	struct sim_scenario sc;
	struct sim_swarm swarm;
	struct sim_output out;
	bool json;
	bool quiet;
	bool help;
};

/* 0, or 2 after a complaint on stderr. */
int sim_cli_parse(struct sim_cli *c, int argc, char **argv);

/* The command that runs this scenario. */
void sim_cli_print(const struct sim_scenario *sc, FILE *out);

#endif /* SIM_CLI_H */
