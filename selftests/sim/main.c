// SPDX-License-Identifier: MIT
/* fipssim: the command line. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "queue.h"
#include "run.h"

static const char usage[] =
"fipssim: real FIPS nodes on a simulated network\n"
"\n"
"  fipssim [OPTION...]              one run\n"
"  fipssim swarm [OPTION...]        runs drawn from seeds\n"
"\n"
"Topology and time\n"
"  --seed S           decides everything that is drawn (1)\n"
"  --nodes N          (10)\n"
"  --topology T       line ring star grid tree er ba rgg, or a file of edges (tree)\n"
"  --degree D         mean degree of er, ba and rgg (4)\n"
"  --dial HOW         one, both or mix: which ends of an edge dial (mix)\n"
"  --names            peers are configured by host name\n"
"  --duration T       faults and traffic last so long (60s)\n"
"  --start-over T     nodes start within so much (1s)\n"
"  --no-settle        end there; don't heal and see that all pairs talk\n"
"  --both-ask         let both ends of a pair ping there, not only one\n"
"  --bound T          within so much after the heal (derived from the keys)\n"
"Wires\n"
"  --delay T --spread T --jitter T --loss P --dup P --reorder P --corrupt P --replay P\n"
"  --rate R --mtu N\n"
"Nodes\n"
"  --set KEY=VALUE    a key below node., as in the configuration file\n"
"  --faults FILE      schedule; --fault LINE adds to it\n"
"  --crypto HOW       memo (default): compute each function once; or real\n"
"Traffic\n"
"  --ping GAP         a ping somewhere every so often, 0s: none (100ms)\n"
"  --ping-size N      largest (1200)\n"
"  --flows N --flow-pps N --flow-size N\n"
"  --far              between any two nodes, not only neighbours\n"
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
"Exit status: 0 all invariants held, 1 one was broken, 2 usage.\n";

enum opt {
	OPT_SEED = 256,
	OPT_NODES,
	OPT_TOPOLOGY,
	OPT_DEGREE,
	OPT_DIAL,
	OPT_NAMES,
	OPT_DURATION,
	OPT_START_OVER,
	OPT_NO_SETTLE,
	OPT_BOTH_ASK,
	OPT_BOUND,
	OPT_DELAY,
	OPT_SPREAD,
	OPT_JITTER,
	OPT_LOSS,
	OPT_DUP,
	OPT_REORDER,
	OPT_CORRUPT,
	OPT_REPLAY,
	OPT_RATE,
	OPT_MTU,
	OPT_SET,
	OPT_FAULTS,
	OPT_FAULT,
	OPT_CRYPTO,
	OPT_PING,
	OPT_PING_SIZE,
	OPT_FLOWS,
	OPT_FLOW_PPS,
	OPT_FLOW_SIZE,
	OPT_FAR,
	OPT_LOSSLESS,
	OPT_JSON,
	OPT_TRACE,
	OPT_PLOT,
	OPT_PROGRESS,
	OPT_QUIET,
	OPT_RUNS,
	OPT_JOBS,
	OPT_SECONDS,
	OPT_SHOW,
	OPT_HELP,
};

static const struct option options[] = {
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "nodes", required_argument, NULL, OPT_NODES },
	{ "topology", required_argument, NULL, OPT_TOPOLOGY },
	{ "degree", required_argument, NULL, OPT_DEGREE },
	{ "dial", required_argument, NULL, OPT_DIAL },
	{ "names", no_argument, NULL, OPT_NAMES },
	{ "duration", required_argument, NULL, OPT_DURATION },
	{ "start-over", required_argument, NULL, OPT_START_OVER },
	{ "no-settle", no_argument, NULL, OPT_NO_SETTLE },
	{ "both-ask", no_argument, NULL, OPT_BOTH_ASK },
	{ "bound", required_argument, NULL, OPT_BOUND },
	{ "delay", required_argument, NULL, OPT_DELAY },
	{ "spread", required_argument, NULL, OPT_SPREAD },
	{ "jitter", required_argument, NULL, OPT_JITTER },
	{ "loss", required_argument, NULL, OPT_LOSS },
	{ "dup", required_argument, NULL, OPT_DUP },
	{ "reorder", required_argument, NULL, OPT_REORDER },
	{ "corrupt", required_argument, NULL, OPT_CORRUPT },
	{ "replay", required_argument, NULL, OPT_REPLAY },
	{ "rate", required_argument, NULL, OPT_RATE },
	{ "mtu", required_argument, NULL, OPT_MTU },
	{ "set", required_argument, NULL, OPT_SET },
	{ "faults", required_argument, NULL, OPT_FAULTS },
	{ "fault", required_argument, NULL, OPT_FAULT },
	{ "crypto", required_argument, NULL, OPT_CRYPTO },
	{ "ping", required_argument, NULL, OPT_PING },
	{ "ping-size", required_argument, NULL, OPT_PING_SIZE },
	{ "flows", required_argument, NULL, OPT_FLOWS },
	{ "flow-pps", required_argument, NULL, OPT_FLOW_PPS },
	{ "flow-size", required_argument, NULL, OPT_FLOW_SIZE },
	{ "far", no_argument, NULL, OPT_FAR },
	{ "lossless", no_argument, NULL, OPT_LOSSLESS },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "trace", optional_argument, NULL, OPT_TRACE },
	{ "plot", required_argument, NULL, OPT_PLOT },
	{ "progress", no_argument, NULL, OPT_PROGRESS },
	{ "quiet", no_argument, NULL, OPT_QUIET },
	{ "runs", required_argument, NULL, OPT_RUNS },
	{ "jobs", required_argument, NULL, OPT_JOBS },
	{ "seconds", required_argument, NULL, OPT_SECONDS },
	{ "show", no_argument, NULL, OPT_SHOW },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

/**
 * struct cli - what the command line said
 */
struct cli {
	struct sim_scenario sc;
	struct sim_swarm swarm;
	struct sim_output out;
	bool json;
	bool quiet;
	bool help;
};

/* Arguments that are one number or one time or share. */
static const struct {
	enum opt opt;
	char kind;	/* t: time, p: ppm, u: u32, h: u16, q: u64 */
	size_t off;
} scalar_opts[] = {
	{ OPT_SEED, 'q', offsetof(struct cli, sc.seed) },
	{ OPT_NODES, 'u', offsetof(struct cli, sc.topo.nodes) },
	{ OPT_DEGREE, 'u', offsetof(struct cli, sc.topo.degree) },
	{ OPT_DURATION, 't', offsetof(struct cli, sc.duration) },
	{ OPT_START_OVER, 't', offsetof(struct cli, sc.start_over) },
	{ OPT_BOUND, 't', offsetof(struct cli, sc.bound) },
	{ OPT_DELAY, 't', offsetof(struct cli, sc.wire.delay) },
	{ OPT_SPREAD, 't', offsetof(struct cli, sc.delay_spread) },
	{ OPT_JITTER, 't', offsetof(struct cli, sc.wire.jitter) },
	{ OPT_LOSS, 'p', offsetof(struct cli, sc.wire.loss) },
	{ OPT_DUP, 'p', offsetof(struct cli, sc.wire.dup) },
	{ OPT_REORDER, 'p', offsetof(struct cli, sc.wire.reorder) },
	{ OPT_CORRUPT, 'p', offsetof(struct cli, sc.wire.corrupt) },
	{ OPT_REPLAY, 'p', offsetof(struct cli, sc.wire.replay) },
	{ OPT_RATE, 'q', offsetof(struct cli, sc.wire.rate) },
	{ OPT_MTU, 'h', offsetof(struct cli, sc.mtu) },
	{ OPT_PING, 't', offsetof(struct cli, sc.ping_gap) },
	{ OPT_PING_SIZE, 'u', offsetof(struct cli, sc.ping_size) },
	{ OPT_FLOWS, 'u', offsetof(struct cli, sc.flows) },
	{ OPT_FLOW_PPS, 'u', offsetof(struct cli, sc.flow_pps) },
	{ OPT_FLOW_SIZE, 'u', offsetof(struct cli, sc.flow_size) },
	{ OPT_RUNS, 'q', offsetof(struct cli, swarm.runs) },
	{ OPT_JOBS, 'u', offsetof(struct cli, swarm.jobs) },
	{ OPT_SECONDS, 'u', offsetof(struct cli, swarm.seconds) },
};

static int cli_scalar(struct cli *c, int opt, const char *arg)
{
	void *p;
	size_t i;
	u64 v;
	u32 ppm;

	for (i = 0; i < sizeof(scalar_opts) / sizeof(scalar_opts[0]); i++)
		if ((int)scalar_opts[i].opt == opt)
			break;
	if (i == sizeof(scalar_opts) / sizeof(scalar_opts[0]))
		return -ENOENT;
	p = (char *)c + scalar_opts[i].off;
	switch (scalar_opts[i].kind) {
	case 't':
		return sim_parse_time(arg, p);
	case 'p':
		if (sim_parse_ppm(arg, &ppm))
			return -EINVAL;
		*(u32 *)p = ppm;
		return 0;
	case 'q':
		return sim_parse_size(arg, p);
	default:
		if (sim_parse_size(arg, &v) || v > (scalar_opts[i].kind == 'h' ? 65535 : UINT32_MAX))
			return -EINVAL;
		if (scalar_opts[i].kind == 'h')
			*(u16 *)p = (u16)v;
		else
			*(u32 *)p = (u32)v;
		return 0;
	}
}

static int cli_topology(struct cli *c, const char *arg)
{
	if (!sim_topo_parse(arg, &c->sc.topo.kind))
		return 0;
	c->sc.topo.kind = SIM_TOPO_FILE;
	c->sc.topo.file = arg;
	return access(arg, R_OK) ? -EINVAL : 0;
}

static int cli_dial(struct cli *c, const char *arg)
{
	static const char *const names[] = {
		[SIM_DIAL_ONE] = "one",
		[SIM_DIAL_BOTH] = "both",
		[SIM_DIAL_MIX] = "mix",
	};
	u32 i;

	for (i = 0; i < 3; i++) {
		if (!strcmp(arg, names[i])) {
			c->sc.dial = (enum sim_dial)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int cli_fault(struct cli *c, const char *text)
{
	char *all;

	if (asprintf(&all, "%s\n%s", c->sc.faults ? c->sc.faults : "", text) < 0)
		return -ENOMEM;
	free(c->sc.faults);
	c->sc.faults = all;
	return 0;
}

static int cli_faults(struct cli *c, const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t room = 0;
	ssize_t len;
	int ret;

	if (!f)
		return -errno;
	len = getdelim(&text, &room, 0, f);
	fclose(f);
	ret = len > 0 ? cli_fault(c, text) : 0;
	free(text);
	return ret;
}

static int cli_trace(struct cli *c, const char *path)
{
	c->sc.trace = path ? fopen(path, "w") : stdout;
	return c->sc.trace ? 0 : -errno;
}

static int cli_option(struct cli *c, int opt, const char *arg)
{
	int ret = cli_scalar(c, opt, arg);

	if (ret != -ENOENT)
		return ret;
	switch (opt) {
	case OPT_TOPOLOGY:
		return cli_topology(c, arg);
	case OPT_DIAL:
		return cli_dial(c, arg);
	case OPT_NAMES:
		c->sc.names = true;
		return 0;
	case OPT_NO_SETTLE:
		c->sc.settle = false;
		return 0;
	case OPT_BOTH_ASK:
		c->sc.both_ask = true;
		return 0;
	case OPT_SET:
		return sim_scenario_set(&c->sc, arg);
	case OPT_FAULTS:
		return cli_faults(c, arg);
	case OPT_FAULT:
		return cli_fault(c, arg);
	case OPT_CRYPTO:
		c->sc.memo = !strcmp(arg, "memo");
		return c->sc.memo || !strcmp(arg, "real") ? 0 : -EINVAL;
	case OPT_FAR:
		c->sc.far = true;
		return 0;
	case OPT_LOSSLESS:
		c->sc.lossless = true;
		return 0;
	case OPT_JSON:
		c->json = true;
		return 0;
	case OPT_TRACE:
		return cli_trace(c, arg);
	case OPT_PLOT:
		c->out.plot = arg;
		return 0;
	case OPT_PROGRESS:
		c->sc.progress = true;
		return 0;
	case OPT_QUIET:
		c->quiet = true;
		return 0;
	case OPT_SHOW:
		c->swarm.show = true;
		return 0;
	case OPT_HELP:
		c->help = true;
		return 0;
	default:
		return -EINVAL;
	}
}

static int cli_parse(struct cli *c, int argc, char **argv)
{
	int opt, idx, ret;

	while ((opt = getopt_long(argc, argv, "", options, &idx)) != -1) {
		if (opt == '?')
			return 2;
		ret = cli_option(c, opt, optarg);
		if (ret) {
			fprintf(stderr, "fipssim: --%s %s: %s\n", options[idx].name,
				optarg ? optarg : "", ret == -EINVAL ? "not understood" :
									strerror(-ret));
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "fipssim: %s: what?\n", argv[optind]);
		return 2;
	}
	return 0;
}

/* The same command as text, for who wants to see a failure again. */
static char *cli_again(int argc, char **argv)
{
	size_t len = 0;
	char *text;
	FILE *f = open_memstream(&text, &len);
	int i;

	if (!f)
		exit(3);
	fputs("fipssim", f);
	for (i = 1; i < argc; i++)
		fprintf(f, strpbrk(argv[i], " '\"*$;#") ? " '%s'" : " %s", argv[i]);
	fclose(f);
	return text;
}

static int cli_swarm(struct cli *c)
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
	struct cli c = { .swarm.runs = 100 };
	bool swarm = argc > 1 && !strcmp(argv[1], "swarm");
	char *again = cli_again(argc, argv);
	int ret;

	sim_scenario_defaults(&c.sc);
	c.sc.progress = isatty(STDERR_FILENO);
	ret = cli_parse(&c, argc - swarm, argv + swarm);
	if (!ret && c.help) {
		fputs(usage, stdout);
	} else if (!ret && swarm) {
		ret = cli_swarm(&c);
	} else if (!ret) {
		c.out.again = again;
		c.out.json = c.json ? stdout : NULL;
		c.out.text = c.json || c.quiet ? NULL : stdout;
		ret = sim_run_scenario(&c.sc, &c.out);
	}
	sim_scenario_free(&c.sc);
	free(again);
	if (c.sc.trace && c.sc.trace != stdout && fclose(c.sc.trace))
		ret = ret ? ret : 2;
	return ret;
}
