// SPDX-License-Identifier: MIT
/* Lines and tables of a tab. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "fipstop.h"

struct cell {
	char text[TOP_CELL];
	double value;	/* NAN: sorts as text */
	bool figure;
};

struct row {
	struct cell cell[TOP_COLUMNS];
	char key[TOP_KEY];
	const json_t *obj;
	enum top_style style;
	int group;
	size_t order;
};

struct top_grid {
	const char *const *titles;
	size_t columns;
	size_t at;
	struct row *rows;
	size_t n;
	size_t room;
	int sort;
	bool reverse;
};

/* ---- lines ---- */

void top_lines_clear(struct top *t)
{
	t->lines.n = 0;
}

/* A name from the network must not move the cursor. */
static void tame(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

static struct top_line *line_new(struct top *t, enum top_style style)
{
	struct top_lines *l = &t->lines;

	if (l->n == l->room) {
		l->room = l->room ? 2 * l->room : 128;
		l->v = realloc(l->v, l->room * sizeof(*l->v));
		if (!l->v)
			abort();
	}
	l->v[l->n] = (struct top_line){ .style = style };
	return &l->v[l->n++];
}

struct top_line *top_add(struct top *t, enum top_style style, const char *fmt, ...)
{
	struct top_line *l = line_new(t, style);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(l->text, sizeof(l->text), fmt, ap);
	va_end(ap);
	tame(l->text);
	return l;
}

void top_fact(struct top *t, const char *name, const char *fmt, ...)
{
	char text[TOP_LINE - 32];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	top_add(t, STYLE_NORMAL, " %-14s %s", name, text);
}

void top_counters(struct top *t, const char *name, const json_t *counters)
{
	size_t width = (size_t)top_screen_width(), used = 0;
	char text[TOP_LINE - 32] = "", one[64];
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)counters, key, value) {
		int len;

		if (!json_integer_value(value))
			continue;
		len = snprintf(one, sizeof(one), "%s %lld  ", key,
			       (long long)json_integer_value(value));
		if (used && used + (size_t)len + 18 > width) {
			top_fact(t, name, "%s", text);
			name = "";
			used = 0;
		}
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s", one);
		if (used >= sizeof(text) - 64)
			break;
	}
	if (used || *name)
		top_fact(t, name, "%s", used ? text : "nothing yet");
}

double top_real(const json_t *obj, const char *key)
{
	const json_t *v = json_object_get(obj, key);

	return json_is_number(v) ? json_number_value(v) : NAN;
}

void top_spark(const struct top *t, const json_t *values, size_t n, char *buf, size_t size)
{
	static const char *const blocks[] = {
		"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"
	};
	size_t have = json_array_size(values), i, used = 0;
	double max = 0, v;

	n = n < have ? n : have;
	for (i = have - n; i < have; i++) {
		v = json_number_value(json_array_get(values, i));
		max = v > max ? v : max;
	}
	buf[0] = '\0';
	for (i = have - n; i < have && used + 4 < size; i++) {
		int level;

		v = json_number_value(json_array_get(values, i));
		level = max > 0 ? (int)(7 * v / max + 0.5) : 0;
		if (t->utf8)
			used += (size_t)snprintf(buf + used, size - used, "%s", blocks[level]);
		else
			used += (size_t)snprintf(buf + used, size - used, "%c", "_.,-~=*#"[level]);
	}
}

/* ---- tables ---- */

void top_grid(struct top *t, const char *const *titles)
{
	struct top_grid *g = calloc(1, sizeof(*g));

	if (!g)
		abort();
	g->titles = titles;
	while (titles[g->columns])
		g->columns++;
	g->sort = t->place[t->tab].sort;
	g->reverse = t->place[t->tab].reverse;
	t->grid = g;
}

static struct cell *cell_new(struct top *t)
{
	struct top_grid *g = t->grid;

	if (g->n == g->room) {
		g->room = g->room ? 2 * g->room : 64;
		g->rows = realloc(g->rows, g->room * sizeof(*g->rows));
		if (!g->rows)
			abort();
	}
	if (!g->at)
		g->rows[g->n] = (struct row){ .order = g->n };
	return &g->rows[g->n].cell[g->at++];
}

void top_cell(struct top *t, const char *fmt, ...)
{
	struct cell *c = cell_new(t);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->text, sizeof(c->text), fmt, ap);
	va_end(ap);
	tame(c->text);
}

void top_num(struct top *t, double value, const char *fmt, ...)
{
	struct cell *c = cell_new(t);
	va_list ap;

	c->value = value;
	c->figure = true;
	if (isnan(value)) {
		strcpy(c->text, "-");
		return;
	}
	va_start(ap, fmt);
	vsnprintf(c->text, sizeof(c->text), fmt, ap);
	va_end(ap);
}

void top_row(struct top *t, const char *key, const json_t *obj, enum top_style style, int group)
{
	struct row *r = &t->grid->rows[t->grid->n++];

	snprintf(r->key, sizeof(r->key), "%s", key);
	r->obj = obj;
	r->style = style;
	r->group = group;
	t->grid->at = 0;
}

/* Columns; unknown figures come last, whichever way. */
static int cell_cmp(const struct cell *a, const struct cell *b, bool reverse)
{
	int c;

	if (a->figure && b->figure) {
		if (isnan(a->value) || isnan(b->value))
			return isnan(a->value) - isnan(b->value);
		c = (a->value > b->value) - (a->value < b->value);
	} else {
		c = strcmp(a->text, b->text);
	}
	return reverse ? -c : c;
}

static int row_cmp(const void *a, const void *b, void *arg)
{
	const struct row *x = a, *y = b;
	const struct top_grid *g = arg;
	int c = 0;

	if (x->group != y->group)
		return x->group - y->group;
	if (g->sort >= 0)
		c = cell_cmp(&x->cell[g->sort], &y->cell[g->sort], g->reverse);
	return c ? c : (x->order > y->order) - (x->order < y->order);
}

static size_t columns_of(const char *text)
{
	wchar_t wide[TOP_CELL];
	size_t n = mbstowcs(wide, text, TOP_CELL - 1);
	int w;

	if (n == (size_t)-1)
		return strlen(text);
	wide[n < TOP_CELL - 1 ? n : TOP_CELL - 1] = 0;
	w = wcswidth(wide, TOP_CELL);
	return w < 0 ? n : (size_t)w;
}

static void put_cell(char *line, size_t size, const char *text, size_t width, bool right)
{
	size_t used = strlen(line), pad = width > columns_of(text) ? width - columns_of(text) : 0;

	snprintf(line + used, size - used, " %*s%s%*s", right ? (int)pad : 0, "", text,
		 right ? 0 : (int)pad, "");
}

static void put_titles(struct top *t, const size_t *width)
{
	struct top_line *l = line_new(t, STYLE_HEAD);
	const struct top_grid *g = t->grid;
	char title[TOP_CELL];
	size_t c;

	for (c = 0; c < g->columns; c++) {
		bool right = g->titles[c][0] == '>';

		snprintf(title, sizeof(title), "%s%s", g->titles[c] + right,
			 (int)c != g->sort ? "" : g->reverse ? "-" : "+");
		put_cell(l->text, sizeof(l->text), title, width[c], right);
	}
}

static void grid_widths(const struct top_grid *g, size_t *width)
{
	size_t c, r;

	for (c = 0; c < g->columns; c++) {
		width[c] = strlen(g->titles[c]) - (g->titles[c][0] == '>') + ((int)c == g->sort);
		for (r = 0; r < g->n; r++)
			if (columns_of(g->rows[r].cell[c].text) > width[c])
				width[c] = columns_of(g->rows[r].cell[c].text);
	}
}

void top_grid_end(struct top *t, const char *none)
{
	size_t width[TOP_COLUMNS], r, c;
	struct top_grid *g = t->grid;

	if (g->sort >= (int)g->columns)
		t->place[t->tab].sort = -1;
	g->sort = t->place[t->tab].sort;
	if (g->n)
		qsort_r(g->rows, g->n, sizeof(*g->rows), row_cmp, g);
	grid_widths(g, width);
	put_titles(t, width);
	for (r = 0; r < g->n; r++) {
		struct top_line *l = line_new(t, g->rows[r].style);

		for (c = 0; c < g->columns; c++)
			put_cell(l->text, sizeof(l->text), g->rows[r].cell[c].text, width[c],
				 g->titles[c][0] == '>');
		memcpy(l->key, g->rows[r].key, sizeof(l->key));
		l->obj = g->rows[r].obj;
	}
	if (!g->n)
		top_add(t, STYLE_DIM, " %s", none);
	free(g->rows);
	free(g);
	t->grid = NULL;
}
