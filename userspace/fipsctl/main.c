// SPDX-License-Identifier: MIT
/* fipsctl(8): arguments and dispatch. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../fipsd/paths.h"
#include "../fipsd/version.h"
#include "fipsctl.h"

struct args {
	const char *socket;
	bool json;
	bool table;
};

static void usage(FILE *out)
{
	fputs("Usage: fipsctl [-s SOCKET] [--json|--table] COMMAND\n"
	      "\n"
	      "Commands:\n"
	      "  show TOPIC                      status, peers, links, sessions, connections,\n"
	      "                                  transports, routing, identity-cache, tree,\n"
	      "                                  bloom, mmp, cache, native-flows, listening-sockets\n"
	      "  stats list|metrics|peers        what is measured, counters, peers seen\n"
	      "  stats history METRIC [--peer P] [--window 10m] [--granularity 1s|1m] [--plot]\n"
	      "  acl show                        who may be a peer\n"
	      "  connect PEER ADDRESS TRANSPORT  dial a peer: npub or host name, host:port, udp\n"
	      "  disconnect PEER                 send it away\n"
	      "  reload                          read the configuration again\n"
	      "  monitor                         tell what changes, until Ctrl-C\n"
	      "  probe TARGET [--timeout SECS]   can a node be reached, and where does it fail\n"
	      "  doctor                          look at everything a node needs\n"
	      "  address PEER                    node address and IPv6 address of a key\n"
	      "  kernel show OBJECT              dev, transport, link, session, route of fips.ko,\n"
	      "                                  straight from the kernel\n"
	      "  keygen [-d DIR] [-f] [-s]       make an identity: files in DIR (/etc/fips),\n"
	      "                                  -f overwrites, -s prints it instead\n"
	      "\n"
	      "Options:\n"
	      "  -s, --socket PATH   the daemon's control socket\n"
	      "  -j, --json          JSON, as it is when the output is no terminal\n"
	      "  -t, --table         tables in any case\n"
	      "  -h, --help          this text\n"
	      "  -V                  version; --version also shows the target\n",
	      out);
}

int fipsctl_usage(const char *complaint, const char *word)
{
	fprintf(stderr, "fipsctl: %s%s%s%s\n", complaint, word ? " \"" : "", word ? word : "",
		word ? "\"" : "");
	fprintf(stderr, "Try: fipsctl --help\n");
	return FIPSCTL_USAGE;
}

/* Exit code, or -1 to go on at optind. */
static int parse_options(struct args *args, int argc, char **argv)
{
	static const struct option options[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "table", no_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "+s:jthV", options, NULL)) != -1) {
		switch (c) {
		case 's':
			args->socket = optarg;
			break;
		case 'j':
			args->json = true;
			break;
		case 't':
			args->table = true;
			break;
		case 'h':
			usage(stdout);
			return 0;
		case 'v':
		case 'V':
			fips_version_print("fipsctl", c == 'v');
			return 0;
		default:
			return fipsctl_usage("see above", NULL);
		}
	}
	return -1;
}

/* --json and --table are welcome behind the command, too. */
static int take_format(struct args *args, int argc, char **argv)
{
	int i, n = 0;

	for (i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "--json") || !strcmp(argv[i], "-j"))
			args->json = true;
		else if (!strcmp(argv[i], "--table") || !strcmp(argv[i], "-t"))
			args->table = true;
		else
			argv[n++] = argv[i];
	}
	argv[n] = NULL;
	return n;
}

static const struct {
	const char *word;
	int (*run)(const struct fipsctl *ctl, int argc, char **argv);
	bool tables;	/* for people: JSON only if asked for */
} commands[] = {
	{ "show", fipsctl_show, false },
	{ "stats", fipsctl_stats, false },
	{ "acl", fipsctl_acl, false },
	{ "connect", fipsctl_connect, false },
	{ "disconnect", fipsctl_disconnect, false },
	{ "reload", fipsctl_reload, true },
	{ "monitor", fipsctl_monitor, true },
	{ "probe", fipsctl_probe, true },
	{ "doctor", fipsctl_doctor, true },
	{ "address", fipsctl_address, true },
	{ "kernel", fipsctl_kernel, true },
};

/* Scripts written for the reference's tool read JSON from a pipe. */
static bool wants_json(const struct args *args, bool tables)
{
	if (args->json || args->table)
		return args->json;
	return !tables && !isatty(STDOUT_FILENO);
}

int main(int argc, char **argv)
{
	char path[FIPS_PATH_SIZE];
	struct args args = { .socket = path };
	struct fipsctl ctl = { 0 };
	size_t i;
	int ret;

	fips_socket_path("control.sock", path);
	ret = parse_options(&args, argc, argv);
	if (ret >= 0)
		return ret;
	argc -= optind;
	argv += optind;
	if (!argc) {
		usage(stderr);
		return FIPSCTL_USAGE;
	}
	if (!strcmp(argv[0], "keygen"))
		return fipsctl_keygen(argc, argv);
	argc = take_format(&args, argc, argv);
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(argv[0], commands[i].word))
			continue;
		ctl.socket = args.socket;
		ctl.json = wants_json(&args, commands[i].tables);
		return commands[i].run(&ctl, argc - 1, argv + 1);
	}
	return fipsctl_usage("unknown command", argv[0]);
}
