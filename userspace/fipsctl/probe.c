// SPDX-License-Identifier: MIT
/* fipsctl probe: can a node be reached, and where does it fail (spec 13 §7.3, §9.1). */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fipsctl.h"
#include "reply.h"

#define POLL_MS		250
#define SPARE_MS	5000

static const char *const stages[] = { "bloom", "discovery", "path", "session", "rtt" };

#define STAGES	(sizeof(stages) / sizeof(stages[0]))

static bool settled(const json_t *stage)
{
	const char *v = str(stage, "verdict");

	return strcmp(v, "pending") && strcmp(v, "running");
}

/* Rows of stages that have settled since the last time. */
static void print_rows(const json_t *report, size_t *shown)
{
	for (; *shown < STAGES; (*shown)++) {
		const json_t *s = json_object_get(report, stages[*shown]);
		const json_t *hop = json_object_get(s, "next_hop");
		char text[FIPSCTL_TEXT];

		if (!settled(s))
			return;
		printf("%-10s %-8s", stages[*shown], str(s, "verdict"));
		if (json_object_get(s, "reason") && !json_is_null(json_object_get(s, "reason")))
			printf(" %s", str(s, "reason"));
		if (json_is_object(hop))
			printf(" via %s", str(hop, "display_name"));
		if (json_is_integer(json_object_get(s, "tree_distance")))
			printf(", %llu hops in the tree",
			       (unsigned long long)num(s, "tree_distance"));
		if (json_object_get(s, "rtt_ms"))
			printf(" %llu ms", (unsigned long long)num(s, "rtt_ms"));
		if (json_is_integer(json_object_get(s, "elapsed_ms")))
			printf(" (%s)", fipsctl_duration(num(s, "elapsed_ms"), text));
		putchar('\n');
		fflush(stdout);
	}
}

static json_t *id_params(const json_t *start)
{
	return json_pack("{s:O}", "probe_id", json_object_get(start, "probe_id"));
}

/* The final report, or NULL after a message. */
static json_t *follow(const struct fipsctl *ctl, const json_t *start, uint64_t ceiling)
{
	struct timespec nap = { .tv_nsec = POLL_MS * 1000000L };
	json_t *reply, *report = NULL;
	size_t shown = 0;
	uint64_t slept;

	for (slept = 0; slept <= ceiling; slept += POLL_MS) {
		reply = fipsctl_request(ctl, "probe_poll", id_params(start));
		if (!reply)
			return NULL;
		report = json_object_get(reply, "report");
		if (!ctl->json)
			print_rows(report, &shown);
		if (!strcmp(str(reply, "state"), "done")) {
			json_incref(report);
			json_decref(reply);
			return report;
		}
		json_decref(reply);
		nanosleep(&nap, NULL);
	}
	json_decref(fipsctl_request(ctl, "probe_cancel", id_params(start)));
	fprintf(stderr, "fipsctl: the probe does not end\n");
	return NULL;
}

static int run(const struct fipsctl *ctl, const char *npub, uint64_t timeout_secs)
{
	json_t *start = fipsctl_request(ctl, "probe_start", json_pack("{s:s}", "npub", npub));
	json_t *report;
	bool ok;

	if (!start)
		return FIPSCTL_FAILED;
	report = follow(ctl, start, timeout_secs ? timeout_secs * 1000 :
			num(start, "budget_ms") + SPARE_MS);
	json_decref(start);
	if (!report)
		return FIPSCTL_FAILED;
	ok = !strcmp(str(report, "overall"), "ok");
	if (ctl->json)
		fipsctl_print_json(report);
	else
		printf("%-10s %s\n", "overall", str(report, "overall"));
	json_decref(report);
	return ok ? 0 : FIPSCTL_FAILED;
}

int fipsctl_probe(const struct fipsctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "timeout", required_argument, NULL, 't' },
		{ 0 }
	};
	char *line[8] = { "probe" }, npub[FIPSCTL_NPUB];
	uint64_t timeout = 0;
	int c, i;

	for (i = 0; i < argc && i < 6; i++)
		line[i + 1] = argv[i];
	optind = 0;
	while ((c = getopt_long(i + 1, line, "", options, NULL)) != -1) {
		if (c != 't')
			return FIPSCTL_USAGE;
		timeout = strtoull(optarg, NULL, 10);
	}
	if (optind != i)
		return fipsctl_usage("probe takes TARGET", NULL);
	if (!fipsctl_find_peer(line[optind], npub))
		return FIPSCTL_FAILED;
	return run(ctl, npub, timeout);
}
