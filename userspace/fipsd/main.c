// SPDX-License-Identifier: MIT
/*
 * fipsd(8): arguments, configuration, and then the daemon.
 */
#include <errno.h>
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "daemon.h"
#include "service.h"
#include "version.h"

enum action {
	RUN,
	CHECK,
	START,
	STOP,
	STATUS,
};

struct args {
	enum action action;
	const char *config;
};

static void usage(FILE *out)
{
	fputs("Usage: fipsd [-c FILE]               run in the foreground\n"
	      "       fipsd --check [-c FILE]       check the configuration and exit\n"
	      "       fipsd start [-c FILE]         run in the background, returns when ready\n"
	      "       fipsd stop [-c FILE]          stop it; returns when it is gone\n"
	      "       fipsd status [-c FILE]        exit code 0: running, 3: not running\n"
	      "\n"
	      "Options:\n"
	      "  -c, --config FILE   configuration (default: search /etc/fips/fips.yaml,\n"
	      "                      ~/.config/fips/fips.yaml, ~/.fips.yaml, ./fips.yaml)\n"
	      "      --check         only check the configuration\n"
	      "  -h, --help          this text\n"
	      "  -V                  version; --version also shows the target\n",
	      out);
}

static bool parse_command(const char *word, enum action *action)
{
	if (!strcmp(word, "start"))
		*action = START;
	else if (!strcmp(word, "stop"))
		*action = STOP;
	else if (!strcmp(word, "status"))
		*action = STATUS;
	else
		return false;
	return true;
}

/* Exit code, or -1 to go on. */
static int parse_args(struct args *a, int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check", no_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			a->config = optarg;
			break;
		case 'k':
			a->action = CHECK;
			break;
		case 'h':
			usage(stdout);
			return 0;
		case 'v':
		case 'V':
			fips_version_print("fips", c == 'v');
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind == argc)
		return -1;
	if (a->action == RUN && optind == argc - 1 && parse_command(argv[optind], &a->action))
		return -1;
	fprintf(stderr, "fipsd: unexpected argument \"%s\"\n", argv[optind]);
	usage(stderr);
	return 2;
}

static int random_bytes(void *ctx, void *buf, size_t len)
{
	(void)ctx;
	randombytes_buf(buf, len);
	return 0;
}

/* Errors go to stderr as they are; the rest is for the log. */
static int load(struct fips_config *cfg, const char *path, struct fips_report *rep)
{
	struct fips_rng rng = { .random = random_bytes };
	struct fips_pk pk;
	int ret = fips_pk_init(&pk, &rng);

	if (ret)
		return ret;
	ret = fips_config_find(cfg, path, &pk, rep);
	fips_pk_destroy(&pk);
	return ret;
}

static void log_report(const struct fipsd_log *log, const struct fips_report *rep)
{
	size_t i;

	for (i = 0; i < rep->count; i++)
		fipsd_log_line(log, rep->msg[i].severity == FIPS_REPORT_NOTE ? FIPS_LOG_INFO :
			       FIPS_LOG_WARN, rep->msg[i].text);
}

static void on_ready(void *ctx, int code)
{
	fipsd_service_ready(ctx, code);
}

static int run(struct fipsd *d, struct fipsd_service *s, const struct fips_report *rep)
{
	int ret;

#ifndef __SANITIZE_ADDRESS__	/* its leak check needs ptrace */
	/* No secrets in core dumps, no ptrace by others of our user. */
	prctl(PR_SET_DUMPABLE, 0);
#endif
	log_report(&d->log, rep);
	ret = fipsd_service_lock(s);
	if (ret == -EBUSY && s->ready_fd >= 0) {
		fprintf(stderr, "fipsd is already running (process %ld)\n",
			(long)fipsd_service_holder(s));
		fipsd_service_ready(s, 1);
		return 1;
	}
	if (ret)
		fipsd_log(&d->log, FIPS_LOG_WARN, "cannot lock %s: %s", s->pid_path,
			  strerror(-ret));
	d->ready = on_ready;
	d->ready_ctx = s;
	ret = fipsd_run(d);
	if (ret)
		fipsd_service_ready(s, ret);
	fipsd_service_unlock(s);
	return ret;
}

static void control_path(struct fipsd *d)
{
	if (d->cfg->control.socket_path)
		snprintf(d->control_path, sizeof(d->control_path), "%s",
			 d->cfg->control.socket_path);
	else
		fips_socket_path("control.sock", d->control_path);
}

static int act(struct args *a, struct fipsd *d, const struct fips_report *rep)
{
	struct fipsd_service s;
	int code;

	control_path(d);
	fipsd_service_init(&s, d->control_path);
	switch (a->action) {
	case STOP:
		return fipsd_service_stop(&s, (unsigned int)d->cfg->timing.drain_timeout_secs);
	case STATUS:
		return fipsd_service_status(&s);
	case START:
		code = fipsd_service_background(&s);
		if (code >= 0)
			return code;
		break;
	case RUN:
	case CHECK:
		break;
	}
	return run(d, &s, rep);
}

int main(int argc, char **argv)
{
	struct args args = { .action = RUN };
	struct fips_report *rep;
	struct fipsd *d;
	int ret;

	ret = parse_args(&args, argc, argv);
	if (ret >= 0)
		return ret;
	rep = calloc(1, sizeof(*rep));
	d = calloc(1, sizeof(*d));
	if (!rep || !d || sodium_init() < 0)
		return 1;
	d->cfg = fips_config_new();
	d->config_path = args.config;
	if (!d->cfg)
		return 1;
	ret = load(d->cfg, args.config, rep) ? 1 : 0;
	fipsd_log_init(&d->log, d->cfg->log_level);
	if (ret || args.action == CHECK)
		fips_report_print(rep, FIPS_REPORT_NOTE, stderr);
	if (ret)
		fprintf(stderr, "fipsd: failed to parse config file %s: %zu error%s\n",
			args.config ? args.config : "", rep->errors, rep->errors == 1 ? "" : "s");
	else if (args.action == CHECK)
		printf("configuration is fine\n");
	else
		ret = act(&args, d, rep);
	fips_report_clear(rep);
	fips_config_free(d->cfg);
	free(rep);
	free(d);
	return ret;
}
