// SPDX-License-Identifier: MIT
/* fipstop(8): arguments, and the loop of waiting for keys and asking again. */
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../fipsd/paths.h"
#include "../fipsd/version.h"
#include "fipstop.h"

static void usage(FILE *out)
{
	fputs("Usage: fipstop [-s SOCKET] [-r SECONDS]\n"
	      "\n"
	      "  -s, --socket PATH          the daemon's control socket\n"
	      "      --gateway-socket PATH  the gateway's\n"
	      "  -r, --refresh SECONDS      ask so often (2)\n"
	      "  -h, --help                 this text; ? shows the keys\n"
	      "  -V                         version; --version also shows the target\n",
	      out);
}

/* Exit code, or -1 to go on. */
static int parse(struct top *t, int argc, char **argv)
{
	static const struct option options[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "gateway-socket", required_argument, NULL, 'g' },
		{ "refresh", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "s:r:hV", options, NULL)) != -1) {
		switch (c) {
		case 's':
			t->ctl.socket = optarg;
			break;
		case 'g':
			t->gateway.socket = optarg;
			break;
		case 'r':
			t->refresh_secs = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		case 'h':
			usage(stdout);
			return 0;
		case 'v':
		case 'V':
			fips_version_print("fipstop", c == 'v');
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind == argc)
		return -1;
	usage(stderr);
	return 2;
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void run(struct top *t)
{
	long period = (long)t->refresh_secs * 1000, due = now_ms();
	int key;

	while (!t->quit) {
		if (now_ms() >= due) {
			top_fetch(t);
			top_build(t);
			due = now_ms() + period;
		}
		top_draw(t);
		timeout((int)(due > now_ms() ? due - now_ms() : 0));
		key = getch();
		if (key != ERR)
			top_key(t, key);
	}
}

int main(int argc, char **argv)
{
	char path[FIPS_PATH_SIZE], gateway[FIPS_PATH_SIZE];
	struct top *t = calloc(1, sizeof(*t));
	int i, ret;

	if (!t)
		return 1;
	fips_socket_path("control.sock", path);
	fips_socket_path("gateway.sock", gateway);
	t->ctl = (struct fipsctl){ .socket = path, .why = t->why, .why_len = sizeof(t->why) };
	t->gateway = (struct fipsctl){ .socket = gateway, .why = t->gateway_why,
				       .why_len = sizeof(t->gateway_why) };
	t->refresh_secs = 2;
	t->window = 1;
	for (i = 0; i < TABS; i++)
		t->place[i].sort = -1;
	ret = parse(t, argc, argv);
	if (ret >= 0) {
		free(t);
		return ret;
	}
	if (!t->refresh_secs)
		t->refresh_secs = 1;
	t->data = json_object();
	set_escdelay(50);
	if (!t->data || !top_screen_begin(t)) {
		fprintf(stderr, "fipstop: this terminal can't be set up (TERM)\n");
		return 1;
	}
	run(t);
	top_screen_end();
	json_decref(t->data);
	free(t->lines.v);
	free(t);
	return 0;
}
