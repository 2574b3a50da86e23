// SPDX-License-Identifier: MIT
/* fipsctl stats, acl: figures over time, counters, and who may come (spec 13 §6, §9). */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "fipsctl.h"
#include "reply.h"

/* ---- list, metrics, peers ---- */

static void stats_list(const json_t *d)
{
	static const char *const titles[] = { "metric", "unit", "of", NULL };
	struct fipsctl_table *t = fipsctl_table_new(titles);
	json_t *m;
	size_t i;

	json_array_foreach(json_object_get(d, "metrics"), i, m) {
		fipsctl_table_cell(t, "%s", str(m, "name"));
		fipsctl_table_cell(t, "%s", str(m, "unit"));
		fipsctl_table_cell(t, "%s", str(m, "scope"));
	}
	fipsctl_table_print(t, "no metrics");
	printf("\nkept: %llu s by the second, %llu min by the minute\n",
	       (unsigned long long)num(d, "fast_ring_seconds"),
	       (unsigned long long)num(d, "slow_ring_minutes"));
}

static void stats_metrics(const json_t *d)
{
	static const char *const families[] = {
		"forwarding", "lookup", "tree", "bloom", "congestion", "errors", "native", NULL
	};
	const char *const *f;

	for (f = families; *f; f++)
		fipsctl_print_counters(*f, json_object_get(d, *f));
}

static void stats_peers(const json_t *d)
{
	static const char *const titles[] = {
		"peer", "npub", "here", ">first seen", ">last contact", NULL
	};
	struct fipsctl_table *t = fipsctl_table_new(titles);
	char text[FIPSCTL_TEXT];
	json_t *p;
	size_t i;

	json_array_foreach(json_object_get(d, "peers"), i, p) {
		fipsctl_table_cell(t, "%s", str(p, "display_name"));
		fipsctl_table_cell(t, "%s", str(p, "npub"));
		fipsctl_table_cell(t, "%s", yes(p, "is_active"));
		fipsctl_table_cell(t, "%s ago",
				   fipsctl_duration(num(p, "first_seen_secs_ago") * 1000, text));
		fipsctl_table_cell(t, "%s ago",
				   fipsctl_duration(num(p, "last_contact_secs_ago") * 1000, text));
	}
	fipsctl_table_print(t, "no peer was seen yet");
}

/* ---- history ---- */

struct plot {
	double min;
	double max;
	double last;
	size_t n;
	size_t gaps;
	bool has_last;
};

static struct plot measure(const json_t *values)
{
	struct plot p = { .n = json_array_size(values) };
	json_t *v;
	size_t i;

	json_array_foreach(values, i, v) {
		double x = json_number_value(v);

		p.has_last = json_is_number(v);
		if (!p.has_last) {
			p.gaps++;
			continue;
		}
		if (p.gaps == i || x < p.min)
			p.min = x;
		if (p.gaps == i || x > p.max)
			p.max = x;
		p.last = x;
	}
	return p;
}

static void print_spark(const json_t *values, const struct plot *p)
{
	static const char *const blocks[] = {
		"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"
	};
	json_t *v;
	size_t i;

	json_array_foreach(values, i, v) {
		int level = 3;

		if (!json_is_number(v)) {
			putchar(' ');
			continue;
		}
		if (p->max > p->min)
			level = (int)(7 * (json_number_value(v) - p->min) / (p->max - p->min) +
				      0.5);
		fputs(blocks[level], stdout);
	}
	putchar('\n');
}

static void print_plot(const json_t *d)
{
	const json_t *values = json_object_get(d, "values");
	unsigned long long step = num(d, "granularity_seconds");
	struct plot p = measure(values);

	if (!p.n) {
		printf("no data yet\n");
		return;
	}
	printf("%s (%s): %zu samples of %llu s, %llu s in all, %zu gaps\n",
	       str(d, "metric"), str(d, "unit"), p.n, step, step * p.n, p.gaps);
	printf("min %.3f  max %.3f  last ", p.min, p.max);
	printf(p.has_last ? "%.3f\n" : "-\n", p.last);
	print_spark(values, &p);
}

static void print_values(const json_t *d)
{
	const json_t *values = json_object_get(d, "values");
	json_t *v;
	size_t i;

	printf("%s, %s, every %llu s, oldest first\n", str(d, "metric"), str(d, "unit"),
	       (unsigned long long)num(d, "granularity_seconds"));
	json_array_foreach(values, i, v) {
		if (json_is_number(v))
			printf("%.3f\n", json_number_value(v));
		else
			printf("-\n");
	}
}

static int finish(const struct fipsctl *ctl, json_t *data, void (*table)(const json_t *data))
{
	if (!data)
		return FIPSCTL_FAILED;
	if (ctl->json)
		fipsctl_print_json(data);
	else
		table(data);
	json_decref(data);
	return 0;
}

static int history(const struct fipsctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "peer", required_argument, NULL, 'p' },
		{ "window", required_argument, NULL, 'w' },
		{ "granularity", required_argument, NULL, 'g' },
		{ "plot", no_argument, NULL, 'l' },
		{ 0 }
	};
	json_t *params = json_pack("{s:s, s:s}", "window", "10m", "granularity", "1s"), *data;
	char npub[FIPSCTL_NPUB];
	bool plot = false;
	int c, ret = 0;

	optind = 0;	/* another line than before: begin anew */
	while (!ret && (c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'p' && fipsctl_find_peer(optarg, npub))
			json_object_set_new(params, "peer", json_string(npub));
		else if (c == 'p')
			ret = FIPSCTL_FAILED;
		else if (c == 'w' || c == 'g')
			json_object_set_new(params, c == 'w' ? "window" : "granularity",
					    json_string(optarg));
		else if (c == 'l')
			plot = true;
		else
			ret = FIPSCTL_USAGE;
	}
	if (!ret && optind != argc - 1)
		ret = fipsctl_usage("one METRIC is asked for (see: fipsctl stats list)", NULL);
	if (ret) {
		json_decref(params);
		return ret;
	}
	json_object_set_new(params, "metric", json_string(argv[optind]));
	data = fipsctl_request(ctl, "show_stats_history", params);
	if (data && plot) {
		print_plot(data);
		json_decref(data);
		return 0;
	}
	return finish(ctl, data, print_values);
}

int fipsctl_stats(const struct fipsctl *ctl, int argc, char **argv)
{
	static const struct {
		const char *word;
		const char *command;
		void (*table)(const json_t *data);
	} topics[] = {
		{ "list", "show_stats_list", stats_list },
		{ "metrics", "show_metrics", stats_metrics },
		{ "peers", "show_stats_peers", stats_peers },
	};
	size_t i;

	if (argc && !strcmp(argv[0], "history"))
		return history(ctl, argc, argv);
	for (i = 0; argc == 1 && i < sizeof(topics) / sizeof(topics[0]); i++)
		if (!strcmp(argv[0], topics[i].word))
			return finish(ctl, fipsctl_request(ctl, topics[i].command, NULL),
				      topics[i].table);
	return fipsctl_usage("stats takes list, metrics, peers or history METRIC", NULL);
}

/* ---- acl ---- */

static void print_entries(const char *what, const json_t *d, const char *key)
{
	json_t *e;
	size_t i;

	printf("%-14s", what);
	json_array_foreach(json_object_get(d, key), i, e)
		printf("%s%s", i ? ", " : " ", json_string_value(e));
	printf("%s\n", i ? "" : " nobody");
}

static void acl_table(const json_t *d)
{
	printf("%-14s %s, others: %s\n", "mode", str(d, "effective_mode"),
	       str(d, "default_decision"));
	printf("%-14s %s, %s\n", "files", str(d, "allow_file"), str(d, "deny_file"));
	if (json_is_true(json_object_get(d, "allow_all")))
		printf("%-14s everybody\n", "allowed");
	else
		print_entries("allowed", d, "allow_file_entries");
	if (json_is_true(json_object_get(d, "deny_all")))
		printf("%-14s everybody else\n", "denied");
	else
		print_entries("denied", d, "deny_file_entries");
}

int fipsctl_acl(const struct fipsctl *ctl, int argc, char **argv)
{
	if (argc != 1 || strcmp(argv[0], "show"))
		return fipsctl_usage("acl takes show", NULL);
	return finish(ctl, fipsctl_request(ctl, "show_acl", NULL), acl_table);
}
