/* SPDX-License-Identifier: MIT */
/*
 * fipstop(8): a daemon's replies on a terminal (spec 13 §9.2). Each tab turns
 * JSON into lines; drawing, scrolling, selecting and searching know only lines.
 */
#ifndef FIPSTOP_H
#define FIPSTOP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../fipsctl/fipsctl.h"

#define TOP_LINE	512	/* bytes of a line */
#define TOP_CELL	96
#define TOP_COLUMNS	12
#define TOP_KEY		80

enum top_style {
	STYLE_NORMAL,
	STYLE_HEAD,
	STYLE_DIM,
	STYLE_GOOD,
	STYLE_WARN,
	STYLE_BAD,
	STYLE_GRAPH,
};

enum top_tab {
	TAB_NODE,
	TAB_PEERS,
	TAB_TRANSPORTS,
	TAB_SESSIONS,
	TAB_TREE,
	TAB_FILTERS,
	TAB_PERFORMANCE,
	TAB_ROUTING,
	TAB_GRAPHS,
	TAB_GATEWAY,
	TABS,
};

/**
 * struct top_line - one line of a tab
 * @text: UTF-8
 * @style: how it looks
 * @key: of what it is about, so that a selection survives a refresh; "" can't be selected
 * @obj: borrowed from the data at hand, for the detail pane; or NULL
 */
struct top_line {
	char text[TOP_LINE];
	enum top_style style;
	char key[TOP_KEY];
	const json_t *obj;
};

struct top_lines {
	struct top_line *v;
	size_t n;
	size_t room;
};

struct top_grid;

/* What a tab remembers while another is shown. */
struct top_place {
	char selected[TOP_KEY];
	size_t scroll;
	int sort;	/* column, or -1: as it came */
	bool reverse;
	bool detail;
	size_t detail_scroll;
};

enum top_graph_mode {
	GRAPH_NODE,
	GRAPH_METRIC,	/* one metric of all peers */
	GRAPH_PEER,	/* all metrics of one peer */
	GRAPH_MODES,
};

/**
 * struct top - the program
 * @ctl: daemon's socket; its @why gets what went wrong
 * @gateway: the gateway's socket
 * @data: reply of each command by name, until the next refresh
 */
struct top {
	struct fipsctl ctl;
	struct fipsctl gateway;
	char why[256];
	char gateway_why[256];
	unsigned int refresh_secs;
	bool connected;
	bool utf8;
	bool colour;
	bool quit;
	json_t *data;

	enum top_tab tab;
	struct top_place place[TABS];
	struct top_lines lines;
	struct top_grid *grid;

	bool help;
	bool focus_detail;
	char confirm[TOP_KEY];		/* npub that is about to be disconnected, or "" */
	char message[128];
	bool searching;
	char search[40];

	char open[512];			/* transports whose links are shown: " 1 2 " */
	enum top_graph_mode mode;
	unsigned int window;		/* index in the list of windows */
	unsigned int selector;		/* which metric or peer */
};

/* ---- data.c ---- */

/* Ask for what the tab at hand shows. */
void top_fetch(struct top *t);
/* A reply, or NULL. */
const json_t *top_get(const struct top *t, const char *command);
void top_disconnect(struct top *t, const char *npub);

/* ---- lines.c ---- */

void top_lines_clear(struct top *t);
struct top_line *top_add(struct top *t, enum top_style style, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* "name   text": a fact. */
void top_fact(struct top *t, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Counters that are not 0, wrapped to the width. */
void top_counters(struct top *t, const char *name, const json_t *counters);

/* A table: titles ('>' aligns right), then cells row by row, then the end of it. */
void top_grid(struct top *t, const char *const *titles);
void top_cell(struct top *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A figure: @value sorts, NAN is shown as "-". */
void top_num(struct top *t, double value, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* @group sorts before any column. */
void top_row(struct top *t, const char *key, const json_t *obj, enum top_style style, int group);
void top_grid_end(struct top *t, const char *none);

double top_real(const json_t *obj, const char *key);	/* NAN if it is not there */
/* Eight levels of a block, or of ASCII. @n values, the last ones of the array. */
void top_spark(const struct top *t, const json_t *values, size_t n, char *buf, size_t size);

/* ---- tabs ---- */

void top_tab_node(struct top *t);
void top_tab_peers(struct top *t);
void top_tab_transports(struct top *t);
void top_tab_sessions(struct top *t);
void top_tab_tree(struct top *t);
void top_tab_filters(struct top *t);
void top_tab_performance(struct top *t);
void top_tab_routing(struct top *t);
void top_tab_graphs(struct top *t);
void top_tab_gateway(struct top *t);

/* Window of the graphs: text for the request, and seconds a sample. */
const char *top_window(const struct top *t, const char **granularity);
const char *top_graph_metric(const struct top *t);
const char *top_graph_peer(const struct top *t);
/* Steps in a direction; they wrap. */
void top_graph_window(struct top *t, int step);
void top_graph_select(struct top *t, int step);

/* ---- screen.c ---- */

bool top_screen_begin(struct top *t);
void top_screen_end(void);
int top_screen_width(void);
int top_screen_height(void);
void top_draw(struct top *t);

/* ---- keys.c ---- */

void top_key(struct top *t, int key);
/* Lines of the tab at hand, from the data at hand. */
void top_build(struct top *t);
extern const char *const top_tab_names[TABS];

#endif /* FIPSTOP_H */
