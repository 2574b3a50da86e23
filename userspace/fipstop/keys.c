// SPDX-License-Identifier: MIT
/* Keys (spec 13 §9.2). */
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <stdlib.h>
#include <string.h>

#include "fipstop.h"

#define ESC	27
#define PAGE	10

const char *const top_tab_names[TABS] = {
	"Node", "Peers", "Transports", "Sessions", "Tree", "Filters", "Performance", "Routing",
	"Graphs", "Gateway",
};

void top_build(struct top *t)
{
	static void (*const build[TABS])(struct top *t) = {
		top_tab_node, top_tab_peers, top_tab_transports, top_tab_sessions, top_tab_tree,
		top_tab_filters, top_tab_performance, top_tab_routing, top_tab_graphs,
		top_tab_gateway,
	};

	top_lines_clear(t);
	if (!t->connected && t->tab != TAB_GATEWAY)
		top_add(t, STYLE_DIM, " The daemon does not answer at %s; trying again.",
			t->ctl.socket);
	else
		build[t->tab](t);
}

static void renew(struct top *t)
{
	top_fetch(t);
	top_build(t);
}

static void go(struct top *t, int tab)
{
	t->tab = (enum top_tab)((tab + TABS) % TABS);
	t->focus_detail = false;
	renew(t);
}

/* ---- rows ---- */

static int at_key(const struct top *t, const char *key)
{
	size_t i;

	for (i = 0; *key && i < t->lines.n; i++)
		if (!strcmp(t->lines.v[i].key, key))
			return (int)i;
	return -1;
}

static void choose(struct top *t, int at)
{
	struct top_place *p = &t->place[t->tab];

	if (strcmp(p->selected, t->lines.v[at].key))
		p->detail_scroll = 0;
	memcpy(p->selected, t->lines.v[at].key, sizeof(p->selected));
}

static bool has_rows(const struct top *t)
{
	size_t i;

	for (i = 0; i < t->lines.n; i++)
		if (*t->lines.v[i].key)
			return true;
	return false;
}

/* @steps rows that can be selected, up or down; as far as there are. */
static void move_by(struct top *t, int steps)
{
	struct top_place *p = &t->place[t->tab];
	int at = at_key(t, p->selected), dir = steps < 0 ? -1 : 1, best = at, i;

	if (p->detail && t->focus_detail) {
		if (steps < 0 && p->detail_scroll < (size_t)-steps)
			p->detail_scroll = 0;
		else
			p->detail_scroll += (size_t)steps;
		return;
	}
	if (!has_rows(t)) {
		p->scroll = steps < 0 && p->scroll < (size_t)-steps ? 0 : p->scroll + (size_t)steps;
		return;
	}
	if (at < 0)
		i = dir > 0 ? 0 : (int)t->lines.n - 1;
	else
		i = at + dir;
	for (steps = abs(steps); steps && i >= 0 && i < (int)t->lines.n; i += dir)
		if (*t->lines.v[i].key) {
			best = i;
			steps--;
		}
	if (best >= 0)
		choose(t, best);
	/* Above the first row there may be text that nobody can select. */
	if (dir < 0 && steps)
		p->scroll = 0;
}

static void find_next(struct top *t)
{
	int at = at_key(t, t->place[t->tab].selected), n = (int)t->lines.n, i;

	for (i = 1; *t->search && i <= n; i++) {
		const struct top_line *l = &t->lines.v[(at + n + i) % n];

		if (*l->key && strcasestr(l->text, t->search)) {
			choose(t, (at + n + i) % n);
			return;
		}
	}
	snprintf(t->message, sizeof(t->message), "nothing found: %s", t->search);
}

static void key_search(struct top *t, int key)
{
	size_t len = strlen(t->search);

	if (key == '\r' || key == '\n' || key == KEY_ENTER) {
		t->searching = false;
		find_next(t);
	} else if (key == ESC) {
		t->searching = false;
	} else if ((key == KEY_BACKSPACE || key == 127 || key == 8) && len) {
		t->search[len - 1] = '\0';
	} else if (key >= ' ' && key < 127 && len + 1 < sizeof(t->search)) {
		t->search[len] = (char)key;
		t->search[len + 1] = '\0';
	}
}

/* ---- tabs of their own ---- */

static void toggle(struct top *t, bool open, bool close)
{
	const char *key = t->place[TAB_TRANSPORTS].selected;
	char *found, mark[TOP_KEY];

	if (strncmp(key, "transport ", 10))
		return;
	snprintf(mark, sizeof(mark), "%s", key + strlen("transport"));
	found = strstr(t->open, mark);
	if (found && close)
		memmove(found, found + strlen(mark), strlen(found + strlen(mark)) + 1);
	else if (!found && open)
		strncat(t->open, mark, sizeof(t->open) - strlen(t->open) - 1);
}

static void open_all(struct top *t)
{
	size_t i;

	t->open[0] = '\0';
	for (i = 0; i < t->lines.n; i++)
		if (!strncmp(t->lines.v[i].key, "transport ", 10))
			strncat(t->open, t->lines.v[i].key + strlen("transport"),
				sizeof(t->open) - strlen(t->open) - 1);
}

static bool key_transports(struct top *t, int key)
{
	if ((key == ' ' || key == KEY_RIGHT) && at_key(t, t->place[t->tab].selected) < 0)
		move_by(t, 1);
	if (key == ' ')
		toggle(t, true, true);
	else if (key == KEY_RIGHT)
		toggle(t, true, false);
	else if (key == KEY_LEFT)
		toggle(t, false, true);
	else if (key == 'e')
		open_all(t);
	else if (key == 'c')
		t->open[0] = '\0';
	else
		return false;
	top_build(t);
	return true;
}

static bool key_graphs(struct top *t, int key)
{
	if (key == KEY_RIGHT || key == ' ')
		top_graph_window(t, 1);
	else if (key == KEY_LEFT)
		top_graph_window(t, -1);
	else if (key == 'm')
		t->mode = (t->mode + 1) % GRAPH_MODES;
	else if (key == 'n')
		top_graph_select(t, 1);
	else if (key == 'N')
		top_graph_select(t, -1);
	else
		return false;
	renew(t);
	return true;
}

static bool key_peers(struct top *t, int key)
{
	const char *npub = t->place[TAB_PEERS].selected;

	if (key != KEY_DC || at_key(t, npub) < 0)
		return false;
	memcpy(t->confirm, npub, sizeof(t->confirm));
	return true;
}

static void key_confirm(struct top *t, int key)
{
	char npub[TOP_KEY];

	memcpy(npub, t->confirm, sizeof(npub));
	t->confirm[0] = '\0';
	if (key != 'y' && key != 'Y')
		return;
	top_disconnect(t, npub);
	renew(t);
}

/* ---- keys that mean the same everywhere ---- */

static void sort_next(struct top *t)
{
	struct top_place *p = &t->place[t->tab];

	p->sort++;	/* beyond the last one the table makes it -1: as it came */
	top_build(t);
}

static void key_escape(struct top *t)
{
	struct top_place *p = &t->place[t->tab];

	if (p->detail)
		p->detail = false;
	else
		p->selected[0] = '\0';
	t->focus_detail = false;
}

static bool key_move(struct top *t, int key)
{
	if (key == KEY_UP || key == 'k')
		move_by(t, -1);
	else if (key == KEY_DOWN || key == 'j')
		move_by(t, 1);
	else if (key == KEY_PPAGE)
		move_by(t, -PAGE);
	else if (key == KEY_NPAGE)
		move_by(t, PAGE);
	else if (key == KEY_HOME)
		move_by(t, -100000);
	else if (key == KEY_END)
		move_by(t, 100000);
	else
		return false;
	return true;
}

static bool key_tab(struct top *t, int key)
{
	if (key == '\t')
		go(t, (int)t->tab + 1);
	else if (key == KEY_BTAB)
		go(t, (int)t->tab - 1);
	else if (key == 'g')
		go(t, TAB_GRAPHS);
	else if (key >= '0' && key <= '9')
		go(t, key == '0' ? TAB_GATEWAY : key - '1');
	else
		return false;
	return true;
}

static void key_other(struct top *t, int key)
{
	struct top_place *p = &t->place[t->tab];

	switch (key) {
	case 'q':
	case 3:
		t->quit = true;
		return;
	case '?':
		t->help = true;
		return;
	case '/':
		t->searching = true;
		t->search[0] = '\0';
		return;
	case 's':
		sort_next(t);
		return;
	case 'S':
		p->reverse = !p->reverse;
		top_build(t);
		return;
	case 'r':
		renew(t);
		return;
	case 'f':
		t->focus_detail = p->detail && !t->focus_detail;
		return;
	case ESC:
		key_escape(t);
		return;
	case '\r':
	case KEY_ENTER:
		p->detail = at_key(t, p->selected) >= 0;
		return;
	}
}

void top_key(struct top *t, int key)
{
	t->message[0] = '\0';
	if (key == KEY_RESIZE) {
		top_build(t);
		return;
	}
	if (t->help) {
		t->help = false;
		return;
	}
	if (*t->confirm) {
		key_confirm(t, key);
		return;
	}
	if (t->searching) {
		key_search(t, key);
		return;
	}
	if (t->tab == TAB_TRANSPORTS && key_transports(t, key))
		return;
	if (t->tab == TAB_GRAPHS && key_graphs(t, key))
		return;
	if (t->tab == TAB_PEERS && key_peers(t, key))
		return;
	if (!key_move(t, key) && !key_tab(t, key))
		key_other(t, key);
}
