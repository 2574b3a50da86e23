// SPDX-License-Identifier: MIT
/*
 * Tab Graphs: series as plots, one above the other. Two by four dots a character
 * where the terminal speaks UTF-8 (braille), else one star a column.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../fipsctl/reply.h"
#include "fipstop.h"

#define PLOT_ROWS	4
#define PLOT_MAX	200	/* columns */

static const struct {
	const char *window;
	const char *granularity;
} windows[] = {
	{ "1m", "1s" }, { "10m", "1s" }, { "1h", "1s" }, { "24h", "1m" },
};

#define WINDOWS	(sizeof(windows) / sizeof(windows[0]))

const char *top_window(const struct top *t, const char **granularity)
{
	*granularity = windows[t->window].granularity;
	return windows[t->window].window;
}

void top_graph_window(struct top *t, int step)
{
	t->window = (t->window + WINDOWS + (unsigned int)step) % WINDOWS;
}

void top_graph_select(struct top *t, int step)
{
	t->selector += (unsigned int)step;
}

/* The metrics of peers, as the daemon lists them. */
const char *top_graph_metric(const struct top *t)
{
	const json_t *list = json_object_get(top_get(t, "show_stats_list"), "metrics"), *m;
	const char *found = "srtt_ms";
	unsigned int n = 0, k = 0;
	size_t i;

	for (i = 0; i < json_array_size(list); i++)
		n += !strcmp(str(json_array_get(list, i), "scope"), "peer");
	for (i = 0; n && i < json_array_size(list); i++) {
		m = json_array_get(list, i);
		if (!strcmp(str(m, "scope"), "peer") && k++ == t->selector % n)
			found = str(m, "name");
	}
	return found;
}

const char *top_graph_peer(const struct top *t)
{
	const json_t *list = json_object_get(top_get(t, "show_stats_peers"), "peers");
	size_t n = json_array_size(list);

	return n ? str(json_array_get(list, t->selector % n), "npub") : NULL;
}

struct plot {
	double column[2 * PLOT_MAX];	/* NAN: nothing known */
	size_t dots;
	double min;
	double max;
	double last;
};

/* Many samples to one dot: their mean. Few: each stands for several dots. */
static void squeeze(struct plot *p, const json_t *values, size_t dots)
{
	size_t n = json_array_size(values), i, k;

	p->dots = dots;
	p->min = NAN;
	p->max = NAN;
	p->last = NAN;
	for (i = 0; i < dots; i++) {
		size_t from = i * n / dots, to = (i + 1) * n / dots;
		double sum = 0;
		int count = 0;

		to = to > from ? to : from + 1;
		for (k = from; k < to && k < n; k++) {
			const json_t *v = json_array_get(values, k);

			if (!json_is_number(v))
				continue;
			sum += json_number_value(v);
			count++;
		}
		p->column[i] = count ? sum / count : NAN;
		if (!count)
			continue;
		p->last = p->column[i];
		p->min = isnan(p->min) || p->last < p->min ? p->last : p->min;
		p->max = isnan(p->max) || p->last > p->max ? p->last : p->max;
	}
}

/* Height of a dot from below, or -1. */
static int height(const struct plot *p, size_t i, int rows)
{
	double top = p->max > 0 ? p->max : 1;

	if (i >= p->dots || isnan(p->column[i]))
		return -1;
	return (int)((rows - 1) * (p->column[i] > 0 ? p->column[i] / top : 0) + 0.5);
}

static void braille(const struct plot *p, int row, char *out)
{
	static const unsigned char bits[2][4] = { { 0x40, 0x04, 0x02, 0x01 },
						  { 0x80, 0x20, 0x10, 0x08 } };
	size_t i;
	int side, k;

	for (i = 0; 2 * i < p->dots; i++) {
		unsigned int dots = 0;

		for (side = 0; side < 2; side++)
			for (k = 0; k < 4; k++)
				if (height(p, 2 * i + (size_t)side, 4 * PLOT_ROWS) >= 4 * row + k)
					dots |= bits[side][k];
		/* U+2800 and on */
		*out++ = (char)0xe2;
		*out++ = (char)(0xa0 + (dots >> 6));
		*out++ = (char)(0x80 + (dots & 0x3f));
	}
	*out = '\0';
}

static void stars(const struct plot *p, int row, char *out)
{
	size_t i;

	for (i = 0; i < p->dots; i++)
		*out++ = height(p, i, PLOT_ROWS) >= row ? '*' : ' ';
	*out = '\0';
}

static void plot(struct top *t, const char *name, const char *unit, const json_t *values)
{
	size_t width = (size_t)top_screen_width() - 4;
	char line[3 * PLOT_MAX + 1];
	struct plot p;
	int row;

	width = width > 150 ? 150 : width;
	squeeze(&p, values, t->utf8 ? 2 * width : width);
	if (isnan(p.last))
		top_add(t, STYLE_HEAD, " %s (%s)  nothing known", name, unit);
	else
		top_add(t, STYLE_HEAD, " %s (%s)  min %.6g  max %.6g  last %.6g", name, unit, p.min,
			p.max, p.last);
	for (row = PLOT_ROWS - 1; row >= 0; row--) {
		if (t->utf8)
			braille(&p, row, line);
		else
			stars(&p, row, line);
		top_add(t, STYLE_GRAPH, "  %s", line);
	}
}

void top_tab_graphs(struct top *t)
{
	static const char *const modes[] = {
		"node", "one metric, all peers", "one peer, all metrics"
	};
	const json_t *d = top_get(t, t->mode == GRAPH_METRIC ? "show_stats_history_all_peers" :
				  "show_stats_all_history"), *e, *list;
	const char *peer = t->mode == GRAPH_PEER ? top_graph_peer(t) : NULL;
	size_t i;

	top_add(t, STYLE_NORMAL, " %s, last %s%s%s   m: mode  n: next  left/right: window",
		modes[t->mode], windows[t->window].window, t->mode == GRAPH_METRIC ? ", " : "",
		t->mode == GRAPH_METRIC ? top_graph_metric(t) : "");
	if (peer)
		top_fact(t, "peer", "%s", peer);
	if (!d) {
		top_add(t, STYLE_DIM, " %s", t->why);
		return;
	}
	list = json_object_get(d, t->mode == GRAPH_METRIC ? "peers" : "series");
	for (i = 0; i < json_array_size(list); i++) {
		e = json_array_get(list, i);
		plot(t, str(e, t->mode == GRAPH_METRIC ? "display_name" : "metric"),
		     str(t->mode == GRAPH_METRIC ? d : e, "unit"), json_object_get(e, "values"));
	}
	if (!i)
		top_add(t, STYLE_DIM, " no peer was seen yet");
}
