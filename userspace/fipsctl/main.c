// SPDX-License-Identifier: MIT
/* fipsctl(8): arguments and dispatch. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "../fipsd/paths.h"
#include "../fipsd/version.h"
#include "fipsctl.h"

static void usage(FILE *out)
{
	fputs("Usage: fipsctl [-s SOCKET] [--json] COMMAND\n"
	      "\n"
	      "Commands:\n"
	      "  show TOPIC                      status, peers, links, sessions, connections,\n"
	      "                                  transports, routing, identity-cache, tree,\n"
	      "                                  bloom, mmp, cache, native-flows\n"
	      "  connect PEER ADDRESS TRANSPORT  dial a peer: npub or host name, host:port, udp\n"
	      "  disconnect PEER                 send it away\n"
	      "  reload                          read the configuration again\n"
	      "  kernel show OBJECT              dev, transport, link, session, route of fips.ko,\n"
	      "                                  straight from the kernel\n"
	      "  keygen [-d DIR] [-f] [-s]       make an identity: files in DIR (/etc/fips),\n"
	      "                                  -f overwrites, -s prints it instead\n"
	      "\n"
	      "Options:\n"
	      "  -s, --socket PATH   the daemon's control socket\n"
	      "  -j, --json          JSON instead of tables (after the command, too)\n"
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
static int parse_options(struct fipsctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "+s:jhV", options, NULL)) != -1) {
		switch (c) {
		case 's':
			ctl->socket = optarg;
			break;
		case 'j':
			ctl->json = true;
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

/* --json is welcome behind the command, too. */
static int take_json(struct fipsctl *ctl, int argc, char **argv)
{
	int i, n = 0;

	for (i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "--json") || !strcmp(argv[i], "-j"))
			ctl->json = true;
		else
			argv[n++] = argv[i];
	}
	argv[n] = NULL;
	return n;
}

int main(int argc, char **argv)
{
	char path[FIPS_PATH_SIZE];
	struct fipsctl ctl = { .socket = path };
	const char *command;
	int ret;

	fips_socket_path("control.sock", path);
	ret = parse_options(&ctl, argc, argv);
	if (ret >= 0)
		return ret;
	argc -= optind;
	argv += optind;
	if (!argc) {
		usage(stderr);
		return FIPSCTL_USAGE;
	}
	command = argv[0];
	if (!strcmp(command, "keygen"))
		return fipsctl_keygen(argc, argv);
	argc = take_json(&ctl, argc, argv);
	if (!strcmp(command, "show"))
		return fipsctl_show(&ctl, argc - 1, argv + 1);
	if (!strcmp(command, "connect"))
		return fipsctl_connect(&ctl, argc - 1, argv + 1);
	if (!strcmp(command, "disconnect"))
		return fipsctl_disconnect(&ctl, argc - 1, argv + 1);
	if (!strcmp(command, "kernel"))
		return fipsctl_kernel(&ctl, argc - 1, argv + 1);
	if (!strcmp(command, "reload"))
		return fipsctl_reload(&ctl, argc - 1, argv + 1);
	return fipsctl_usage("unknown command", command);
}
