// SPDX-License-Identifier: MIT
/* The command line; see cli.h. One table says how scenarios are read and written. */
#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

enum kind {
	KIND_TIME,	/* u64 microseconds */
	KIND_PPM,	/* u32 */
	KIND_U64,
	KIND_U32,
	KIND_U16,
	KIND_FLAG,	/* bool, set to true */
	KIND_CLEAR,	/* bool, set to false */
	KIND_OTHER,	/* cli_other() */
};

/**
 * struct cli_opt - an option
 * @name: without the dashes
 * @kind: what it takes
 * @off: where it goes in struct sim_cli
 */
struct cli_opt {
	const char *name;
	enum kind kind;
	size_t off;
};

#define SC(name, kind, member)	{ name, kind, offsetof(struct sim_cli, sc.member) }
#define OUT(name, kind, member)	{ name, kind, offsetof(struct sim_cli, member) }

/* What a scenario is made of; the order is that of sim_cli_print(). */
static const struct cli_opt scenario_opts[] = {
	SC("seed", KIND_U64, seed),
	SC("nodes", KIND_U32, topo.nodes),
	SC("degree", KIND_U32, topo.degree),
	SC("newcomers", KIND_U32, topo.newcomers),
	SC("reference", KIND_PPM, reference),
	SC("names", KIND_FLAG, names),
	SC("duration", KIND_TIME, duration),
	SC("start-over", KIND_TIME, start_over),
	SC("no-settle", KIND_CLEAR, settle),
	SC("both-ask", KIND_FLAG, both_ask),
	SC("bound", KIND_TIME, bound),
	SC("delay", KIND_TIME, wire.delay),
	SC("spread", KIND_TIME, delay_spread),
	SC("jitter", KIND_TIME, wire.jitter),
	SC("loss", KIND_PPM, wire.loss),
	SC("dup", KIND_PPM, wire.dup),
	SC("reorder", KIND_PPM, wire.reorder),
	SC("corrupt", KIND_PPM, wire.corrupt),
	SC("replay", KIND_PPM, wire.replay),
	SC("rate", KIND_U64, wire.rate),
	SC("queue", KIND_U32, wire.queue),
	SC("wire-mtu", KIND_U32, wire.mtu),
	SC("upcall-delay", KIND_TIME, plane.delay),
	SC("upcall-late", KIND_TIME, plane.late),
	SC("upcall-reorder", KIND_FLAG, plane.reorder),
	SC("upcall-loss", KIND_PPM, plane.loss),
	SC("op-fail", KIND_PPM, plane.op_fail),
	SC("op-late", KIND_TIME, plane.op_late),
	SC("skew", KIND_TIME, skew),
	SC("drift", KIND_U32, drift),
	SC("mtu", KIND_U16, mtu),
	SC("ping", KIND_TIME, ping_gap),
	SC("ping-from", KIND_TIME, ping_from),
	SC("ping-size", KIND_U32, ping_size),
	SC("flows", KIND_U32, flows),
	SC("flow-pps", KIND_U32, flow_pps),
	SC("flow-size", KIND_U32, flow_size),
	SC("near", KIND_CLEAR, far),
	SC("lossless", KIND_FLAG, lossless),
};

static const struct cli_opt other_opts[] = {
	OUT("topology", KIND_OTHER, sc),
	OUT("dial", KIND_OTHER, sc),
	OUT("set", KIND_OTHER, sc),
	OUT("faults", KIND_OTHER, sc),
	OUT("fault", KIND_OTHER, sc),
	OUT("crypto", KIND_OTHER, sc),
	OUT("trace", KIND_OTHER, sc),
	OUT("plot", KIND_OTHER, out),
	OUT("progress", KIND_FLAG, sc.progress),
	OUT("json", KIND_FLAG, json),
	OUT("quiet", KIND_FLAG, quiet),
	OUT("help", KIND_FLAG, help),
	OUT("show", KIND_FLAG, swarm.show),
	OUT("runs", KIND_U64, swarm.runs),
	OUT("jobs", KIND_U32, swarm.jobs),
	OUT("seconds", KIND_U32, swarm.seconds),
};

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static const char *const dial_names[] = {
	[SIM_DIAL_ONE] = "one",
	[SIM_DIAL_BOTH] = "both",
	[SIM_DIAL_MIX] = "mix",
};

/* ---- reading ---- */

static int cli_number(const char *arg, u64 max, u64 *v)
{
	return sim_parse_size(arg, v) || *v > max ? -EINVAL : 0;
}

static int cli_store(struct sim_cli *c, const struct cli_opt *o, const char *arg)
{
	void *p = (char *)c + o->off;
	int ret = 0;
	u64 v;

	switch (o->kind) {
	case KIND_TIME:
		return sim_parse_time(arg, p);
	case KIND_PPM:
		return sim_parse_ppm(arg, p);
	case KIND_U64:
		return sim_parse_size(arg, p);
	case KIND_U32:
		ret = cli_number(arg, UINT32_MAX, &v);
		if (!ret)
			*(u32 *)p = (u32)v;
		return ret;
	case KIND_U16:
		ret = cli_number(arg, UINT16_MAX, &v);
		if (!ret)
			*(u16 *)p = (u16)v;
		return ret;
	case KIND_FLAG:
	case KIND_CLEAR:
		*(bool *)p = o->kind == KIND_FLAG;
		return 0;
	case KIND_OTHER:
		break;
	}
	return -EINVAL;
}

static int cli_topology(struct sim_cli *c, const char *arg)
{
	if (!sim_topo_parse(arg, &c->sc.topo.kind))
		return 0;
	c->sc.topo.kind = SIM_TOPO_FILE;
	c->sc.topo.file = arg;
	return access(arg, R_OK) ? -errno : 0;
}

static int cli_dial(struct sim_cli *c, const char *arg)
{
	u32 i;

	for (i = 0; i < COUNT(dial_names); i++) {
		if (!strcmp(arg, dial_names[i])) {
			c->sc.dial = (enum sim_dial)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int cli_fault(struct sim_cli *c, const char *text)
{
	char *all;

	if (asprintf(&all, "%s%s\n", c->sc.faults ? c->sc.faults : "", text) < 0)
		return -ENOMEM;
	free(c->sc.faults);
	c->sc.faults = all;
	return 0;
}

static int cli_faults(struct sim_cli *c, const char *path)
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

static int cli_other(struct sim_cli *c, const char *name, const char *arg)
{
	if (!strcmp(name, "topology"))
		return cli_topology(c, arg);
	if (!strcmp(name, "dial"))
		return cli_dial(c, arg);
	if (!strcmp(name, "set"))
		return sim_scenario_set(&c->sc, arg);
	if (!strcmp(name, "faults"))
		return cli_faults(c, arg);
	if (!strcmp(name, "fault"))
		return cli_fault(c, arg);
	if (!strcmp(name, "crypto")) {
		c->sc.memo = !strcmp(arg, "memo");
		return c->sc.memo || !strcmp(arg, "real") ? 0 : -EINVAL;
	}
	if (!strcmp(name, "trace")) {
		c->sc.trace = arg ? fopen(arg, "w") : stdout;
		return c->sc.trace ? 0 : -errno;
	}
	c->out.plot = arg;
	return 0;
}

static void cli_getopt(struct option *o, const struct cli_opt *from, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		o[i].name = from[i].name;
		o[i].has_arg = from[i].kind == KIND_FLAG || from[i].kind == KIND_CLEAR ?
				       no_argument : required_argument;
		if (!strcmp(from[i].name, "trace"))
			o[i].has_arg = optional_argument;
	}
}

static int cli_option(struct sim_cli *c, size_t i, const char *arg)
{
	const struct cli_opt *o = i < COUNT(scenario_opts) ? &scenario_opts[i] :
						&other_opts[i - COUNT(scenario_opts)];
	int ret;

	ret = o->kind == KIND_OTHER ? cli_other(c, o->name, arg) : cli_store(c, o, arg);
	if (!ret)
		return 0;
	fprintf(stderr, "fipssim: --%s %s: %s\n", o->name, arg ? arg : "",
		ret == -EINVAL ? "not understood" : strerror(-ret));
	return 2;
}

int sim_cli_parse(struct sim_cli *c, int argc, char **argv)
{
	struct option options[COUNT(scenario_opts) + COUNT(other_opts) + 1] = { 0 };
	int idx = 0, ret = 0, opt;

	cli_getopt(options, scenario_opts, COUNT(scenario_opts));
	cli_getopt(options + COUNT(scenario_opts), other_opts, COUNT(other_opts));
	while (!ret && (opt = getopt_long(argc, argv, "", options, &idx)) != -1)
		ret = opt == '?' ? 2 : cli_option(c, (size_t)idx, optarg);
	if (!ret && optind < argc) {
		fprintf(stderr, "fipssim: %s: what?\n", argv[optind]);
		ret = 2;
	}
	return ret;
}

/* ---- writing ---- */

static u64 cli_load(const struct sim_cli *c, const struct cli_opt *o)
{
	const void *p = (const char *)c + o->off;

	switch (o->kind) {
	case KIND_TIME:
	case KIND_U64:
		return *(const u64 *)p;
	case KIND_PPM:
	case KIND_U32:
		return *(const u32 *)p;
	case KIND_U16:
		return *(const u16 *)p;
	case KIND_FLAG:
	case KIND_CLEAR:
		return *(const bool *)p;
	case KIND_OTHER:
		break;
	}
	return 0;
}

static void cli_print_opt(const struct cli_opt *o, u64 v, FILE *out)
{
	fprintf(out, " --%s", o->name);
	switch (o->kind) {
	case KIND_TIME:
		fprintf(out, " %" PRIu64 "%s", v % 1000 ? v : v / 1000, v % 1000 ? "us" : "ms");
		return;
	case KIND_PPM:
		fprintf(out, " %" PRIu64 "ppm", v);
		return;
	case KIND_FLAG:
	case KIND_CLEAR:
	case KIND_OTHER:
		return;
	default:
		fprintf(out, " %" PRIu64, v);
	}
}

/* Line by line; the shell takes them in single quotes. */
static void cli_print_faults(const char *faults, FILE *out)
{
	const char *end;

	for (; faults && *faults; faults = *end ? end + 1 : end) {
		end = strchrnul(faults, '\n');
		if (end > faults)
			fprintf(out, " --fault '%.*s'", (int)(end - faults), faults);
	}
}

void sim_cli_print(const struct sim_scenario *sc, FILE *out)
{
	struct sim_cli c = { .sc = *sc }, d = { 0 };
	size_t i;

	sim_scenario_defaults(&d.sc);
	fputs("fipssim", out);
	for (i = 0; i < COUNT(scenario_opts); i++)
		if (cli_load(&c, &scenario_opts[i]) != cli_load(&d, &scenario_opts[i]))
			cli_print_opt(&scenario_opts[i], cli_load(&c, &scenario_opts[i]), out);
	fprintf(out, " --topology %s --dial %s", sc->topo.kind == SIM_TOPO_FILE ? sc->topo.file :
		sim_topo_names[sc->topo.kind], dial_names[sc->dial]);
	if (!sc->memo)
		fputs(" --crypto real", out);
	sim_scenario_print_keys(sc, out);
	cli_print_faults(sc->faults, out);
	fputc('\n', out);
}
