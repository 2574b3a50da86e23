// SPDX-License-Identifier: MIT
/* fipssim: real FIPS nodes on a simulated network. */
#include <stdlib.h>
#include <unistd.h>

#include "cli.h"

static const char usage[] =
"fipssim: real FIPS nodes on a simulated network\n"
"\n"
"  fipssim [OPTION...]              one run\n"
"  fipssim swarm [OPTION...]        runs of scenarios drawn from seeds\n"
"\n"
"Topology and time\n"
"  --seed S           decides everything that is drawn (1)\n"
"  --nodes N          (10)\n"
"  --topology T       line ring star grid tree er ba rgg, or a file of edges (tree)\n"
"  --degree D         mean degree of er, ba and rgg (4)\n"
"  --reference P      share of nodes that go by the reference's rules for filters and lookups (0%)\n"
"  --newcomers K      so many more start later, each beside one, and ping a random node\n"
"  --dial HOW         one, both or mix: which ends of an edge dial (mix)\n"
"  --names            peers are configured by host name\n"
"  --duration T       faults and traffic last so long (60s)\n"
"  --start-over T     nodes start within so much (1s)\n"
"  --no-settle        end there; don't heal and see that all pairs talk\n"
"  --both-ask         let both ends of a pair ping there, not only one\n"
"  --bound T          within so much after the heal (derived from the keys)\n"
"Wires\n"
"  --delay T --spread T --jitter T --loss P --dup P --reorder P --corrupt P --replay P\n"
"  --rate BITS --queue BYTES --wire-mtu N\n"
"Nodes\n"
"  --set KEY=VALUE    a key below node., as in the configuration file\n"
"  --mtu N --skew T --drift PPM\n"
"  --upcall-delay T --upcall-late T --upcall-reorder --upcall-loss P --op-fail P --op-late T\n"
"  --faults FILE      schedule; --fault LINE adds to it\n"
"  --crypto HOW       memo: compute each function once (default), or real\n"
"Traffic\n"
"  --ping GAP         a ping somewhere every so often, 0s: none (100ms)\n"
"  --ping-from T      no earlier (0s)\n"
"  --ping-size N      largest (1200)\n"
"  --flows N --flow-pps N --flow-size N\n"
"  --near             between neighbours only, not any two nodes\n"
"  --lossless         every ping between linked neighbours must be answered\n"
"Output\n"
"  --json             report as JSON\n"
"  --trace[=FILE]     readable event log\n"
"  --plot FILE.svg    picture of the mesh at the end\n"
"  --progress         tell how far it is (default on a terminal)\n"
"  --quiet            no report\n"
"Swarm\n"
"  --runs K --jobs N --seconds N --show\n"
"\n"
"T is 10s, 1.5s, 200ms, 30us or 2m; P is 5% or 300ppm.\n"
"Exit status: 0 all invariants held, 1 one was broken, 2 usage.\n";

static int main_swarm(struct sim_cli *c)
{
	c->swarm.seed = c->sc.seed;
	c->swarm.memo = c->sc.memo;
	c->swarm.trace = c->sc.trace;
	if (!c->swarm.jobs)
		c->swarm.jobs = (u32)sysconf(_SC_NPROCESSORS_ONLN);
	return sim_swarm_run(&c->swarm);
}

int main(int argc, char **argv)
{
	struct sim_cli c = { .swarm.runs = 100 };
	bool swarm = argc > 1 && !strcmp(argv[1], "swarm");
	int ret;

	sim_scenario_defaults(&c.sc);
	c.sc.progress = isatty(STDERR_FILENO);
	ret = sim_cli_parse(&c, argc - swarm, argv + swarm);
	if (!ret && c.help) {
		fputs(usage, stdout);
	} else if (!ret && swarm) {
		ret = main_swarm(&c);
	} else if (!ret) {
		c.out.json = c.json ? stdout : NULL;
		c.out.text = c.json || c.quiet ? NULL : stdout;
		ret = sim_run_scenario(&c.sc, &c.out);
	}
	sim_scenario_free(&c.sc);
	if (c.sc.trace && c.sc.trace != stdout && fclose(c.sc.trace))
		ret = ret ? ret : 2;
	return ret;
}
