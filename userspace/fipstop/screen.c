// SPDX-License-Identifier: MIT
/* Lines on the screen: title, tabs, the lines of a tab, a detail pane, one line of help. */
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "../fipsctl/reply.h"
#include "fipstop.h"

#define TOP_ROWS	2	/* title, tabs */

bool top_screen_begin(struct top *t)
{
	static const short colours[] = {
		[STYLE_HEAD] = COLOR_CYAN,
		[STYLE_GOOD] = COLOR_GREEN,
		[STYLE_WARN] = COLOR_YELLOW,
		[STYLE_BAD] = COLOR_RED,
		[STYLE_GRAPH] = COLOR_BLUE,
	};
	const char *no_colour = getenv("NO_COLOR");
	short i;

	setlocale(LC_ALL, "");
	t->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	if (!newterm(NULL, stdout, stdin))
		return false;
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	curs_set(0);
	t->colour = has_colors() && !(no_colour && *no_colour);
	if (!t->colour)
		return true;
	start_color();
	use_default_colors();
	for (i = STYLE_HEAD; i <= STYLE_GRAPH; i++)
		if (i != STYLE_DIM)
			init_pair(i, colours[i], -1);
	return true;
}

void top_screen_end(void)
{
	endwin();
}

int top_screen_width(void)
{
	return COLS > 20 ? COLS : 20;
}

int top_screen_height(void)
{
	return LINES;
}

static attr_t look(const struct top *t, enum top_style style)
{
	attr_t attr = style == STYLE_HEAD ? A_BOLD : style == STYLE_DIM ? A_DIM : A_NORMAL;

	if (style == STYLE_BAD && !t->colour)
		attr |= A_BOLD;
	if (t->colour && style != STYLE_NORMAL && style != STYLE_DIM)
		attr |= COLOR_PAIR(style);
	return attr;
}

/* As much of a text as fits; the rest of the line gets its look, too. */
static void put(int y, const char *text, attr_t attr)
{
	wchar_t wide[TOP_LINE];
	size_t n = mbstowcs(wide, text, TOP_LINE - 1), i;
	int width = 0;

	if (y < 0 || y >= LINES)
		return;
	if (n == (size_t)-1) {
		for (n = 0; text[n] && n < TOP_LINE - 1; n++)
			wide[n] = (unsigned char)text[n] < 0x7f ? (unsigned char)text[n] : L'?';
	}
	for (i = 0; i < n; i++) {
		int w = wcwidth(wide[i]);

		if (w < 0) {
			wide[i] = L'?';
			w = 1;
		}
		if (width + w > COLS)
			break;
		width += w;
	}
	attrset(attr);
	move(y, 0);
	clrtoeol();
	addnwstr(wide, (int)i);
	for (; attr & A_REVERSE && width < COLS; width++)
		addch(' ');
	attrset(A_NORMAL);
}

static void draw_title(const struct top *t)
{
	const json_t *d = top_get(t, "show_status");
	char line[TOP_LINE], stamp[16];
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%H:%M:%S", &tm);
	if (t->connected)
		snprintf(line, sizeof(line), " fipstop  %.24s  %s  %llu peers  %s", str(d, "npub"),
			 str(d, "state"), (unsigned long long)num(d, "peer_count"), stamp);
	else
		snprintf(line, sizeof(line), " fipstop  disconnected: %s", t->why);
	put(0, line, A_REVERSE | (t->connected ? 0 : look(t, STYLE_BAD)));
}

static void draw_tabs(const struct top *t)
{
	int i;

	move(1, 0);
	clrtoeol();
	for (i = 0; i < TABS; i++) {
		attrset(i == (int)t->tab ? A_REVERSE | A_BOLD : A_NORMAL);
		addstr(top_tab_names[i]);
		attrset(A_NORMAL);
		addch(' ');
	}
}

/* Index of the selected line, or -1. */
static int selected(const struct top *t)
{
	const char *key = t->place[t->tab].selected;
	size_t i;

	for (i = 0; *key && i < t->lines.n; i++)
		if (!strcmp(t->lines.v[i].key, key))
			return (int)i;
	return -1;
}

/* The selection is kept in sight, and the end at the bottom. */
static void settle_scroll(struct top *t, int rows)
{
	struct top_place *p = &t->place[t->tab];
	int at = selected(t);
	size_t max = t->lines.n > (size_t)rows ? t->lines.n - (size_t)rows : 0;

	if (at >= 0 && (size_t)at < p->scroll)
		p->scroll = (size_t)at;
	if (at >= 0 && (size_t)at >= p->scroll + (size_t)rows)
		p->scroll = (size_t)at - (size_t)rows + 1;
	if (p->scroll > max)
		p->scroll = max;
}

static void draw_lines(struct top *t, int from, int rows)
{
	struct top_place *p = &t->place[t->tab];
	int i, at = selected(t);

	settle_scroll(t, rows);
	for (i = 0; i < rows; i++) {
		size_t n = p->scroll + (size_t)i;

		if (n < t->lines.n)
			put(from + i, t->lines.v[n].text, look(t, t->lines.v[n].style) |
			    ((int)n == at ? A_REVERSE : 0));
		else
			put(from + i, "", A_NORMAL);
	}
}

/* Everything that is known of the selected thing. */
static void draw_detail(struct top *t, int from, int rows)
{
	struct top_place *p = &t->place[t->tab];
	int at = selected(t), i;
	const json_t *obj = at >= 0 ? t->lines.v[at].obj : NULL;
	char *text = obj ? json_dumps(obj, JSON_INDENT(2) | JSON_SORT_KEYS) : NULL, *line, *save;
	size_t n = 0;

	put(from, " Details (f: focus, Esc: close)", look(t, STYLE_HEAD) |
	    (t->focus_detail ? A_REVERSE : 0));
	for (i = 1; i < rows; i++)
		put(from + i, "", A_NORMAL);
	i = 1;
	for (line = text ? strtok_r(text, "\n", &save) : NULL; line && i < rows;
	     line = strtok_r(NULL, "\n", &save))
		if (n++ >= p->detail_scroll)
			put(from + i++, line, A_NORMAL);
	free(text);
}

static void draw_help(void)
{
	static const char *const lines[] = {
		" Keys", "",
		"  Tab, Shift-Tab       next and previous tab; 1 to 9 and 0 go straight there; g: graphs",
		"  Up, Down, j, k       select a row, or scroll; PgUp, PgDn, Home, End",
		"  Enter, Esc           open and close the details; f: scroll them",
		"  s, S                 sort by the next column; the other way round",
		"  /                    search; Enter finds the next",
		"  Del                  on Peers: send the peer away (asks first)",
		"  Space, Right, Left   on Transports: open and close; e, c: all of them",
		"                       on Graphs: next and previous window",
		"  m, n, N              on Graphs: mode, next and previous metric or peer",
		"  r                    refresh now",
		"  ?, q                 this help; quit", "",
		" Any key goes back.", NULL
	};
	int i;

	for (i = 0; lines[i]; i++)
		put(TOP_ROWS + i, lines[i], i ? A_NORMAL : A_BOLD);
	for (; TOP_ROWS + i < LINES - 1; i++)
		put(TOP_ROWS + i, "", A_NORMAL);
}

static void draw_bottom(const struct top *t)
{
	char line[TOP_LINE];

	if (*t->confirm)
		snprintf(line, sizeof(line), " Disconnect %.20s...? y/n", t->confirm);
	else if (t->searching)
		snprintf(line, sizeof(line), " /%s", t->search);
	else if (*t->message)
		snprintf(line, sizeof(line), " %s", t->message);
	else
		snprintf(line, sizeof(line), " ?: help  q: quit  Tab: next tab  Enter: details  %s",
			 "s: sort  /: search");
	put(LINES - 1, line, A_REVERSE);
}

void top_draw(struct top *t)
{
	int rows = LINES - TOP_ROWS - 1, detail = 0;

	if (rows < 1)
		rows = 1;
	if (t->place[t->tab].detail)
		detail = rows * 6 / 10;
	draw_title(t);
	draw_tabs(t);
	if (t->help) {
		draw_help();
	} else {
		draw_lines(t, TOP_ROWS, rows - detail);
		if (detail)
			draw_detail(t, TOP_ROWS + rows - detail, detail);
	}
	draw_bottom(t);
	refresh();
}
