// SPDX-License-Identifier: MIT
/* Tables for people: columns as wide as their widest cell, figures with units. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fipsctl.h"

struct fipsctl_table {
	const char *const *titles;
	size_t columns;
	char (*cells)[FIPSCTL_CELL];
	size_t n;
	size_t room;
	size_t width[FIPSCTL_COLUMNS];
};

static const char *title(const struct fipsctl_table *t, size_t col)
{
	return t->titles[col] + (t->titles[col][0] == '>');
}

struct fipsctl_table *fipsctl_table_new(const char *const *titles)
{
	struct fipsctl_table *t = calloc(1, sizeof(*t));

	if (!t)
		abort();
	t->titles = titles;
	for (; titles[t->columns]; t->columns++)
		t->width[t->columns] = strlen(title(t, t->columns));
	return t;
}

/* Characters, not bytes: aliases may be UTF-8. */
static size_t display_width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

void fipsctl_table_cell(struct fipsctl_table *t, const char *fmt, ...)
{
	size_t col = t->n % t->columns;
	va_list ap;
	char *p;

	if (t->n == t->room) {
		t->room = t->room ? 2 * t->room : 128;
		t->cells = realloc(t->cells, t->room * sizeof(*t->cells));
		if (!t->cells)
			abort();
	}
	va_start(ap, fmt);
	vsnprintf(t->cells[t->n], FIPSCTL_CELL, fmt, ap);
	va_end(ap);
	/* A name from the network must not move the cursor. */
	for (p = t->cells[t->n]; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	if (display_width(t->cells[t->n]) > t->width[col])
		t->width[col] = display_width(t->cells[t->n]);
	t->n++;
}

static void print_cell(const struct fipsctl_table *t, size_t col, const char *text)
{
	int pad = (int)(t->width[col] - display_width(text));

	if (t->titles[col][0] == '>')
		printf("%s%*s%s", col ? "  " : "", pad, "", text);
	else if (col + 1 == t->columns)
		printf("%s%s", col ? "  " : "", text);
	else
		printf("%s%s%*s", col ? "  " : "", text, pad, "");
}

void fipsctl_table_print(struct fipsctl_table *t, const char *none)
{
	size_t i;

	if (!t->n)
		printf("%s\n", none);
	for (i = 0; t->n && i < t->columns; i++)
		print_cell(t, i, title(t, i));
	if (t->n)
		putchar('\n');
	for (i = 0; i < t->n; i++) {
		print_cell(t, i % t->columns, t->cells[i]);
		if (i % t->columns == t->columns - 1)
			putchar('\n');
	}
	free(t->cells);
	free(t);
}

const char *fipsctl_bytes(uint64_t bytes, char *buf)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	double v = (double)bytes;
	size_t i = 0;

	for (; v >= 1024 && i < 5; i++)
		v /= 1024;
	snprintf(buf, FIPSCTL_TEXT, i ? "%.1f %s" : "%.0f %s", v, units[i]);
	return buf;
}

const char *fipsctl_duration(uint64_t ms, char *buf)
{
	uint64_t s = ms / 1000;

	if (s < 10)
		snprintf(buf, FIPSCTL_TEXT, "%.1f s", (double)ms / 1000);
	else if (s < 120)
		snprintf(buf, FIPSCTL_TEXT, "%u s", (unsigned int)s);
	else if (s < 7200)
		snprintf(buf, FIPSCTL_TEXT, "%u min %u s", (unsigned int)(s / 60),
			 (unsigned int)(s % 60));
	else if (s < 172800)
		snprintf(buf, FIPSCTL_TEXT, "%u h %u min", (unsigned int)(s / 3600),
			 (unsigned int)(s / 60 % 60));
	else
		snprintf(buf, FIPSCTL_TEXT, "%u d %u h", (unsigned int)(s / 86400),
			 (unsigned int)(s / 3600 % 24));
	return buf;
}

const char *fipsctl_ago(uint64_t wall_ms, char *buf)
{
	struct timespec now;
	uint64_t ms;

	if (!wall_ms) {
		snprintf(buf, FIPSCTL_TEXT, "never");
		return buf;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	fipsctl_duration(ms > wall_ms ? ms - wall_ms : 0, buf);
	strncat(buf, " ago", FIPSCTL_TEXT - strlen(buf) - 1);
	return buf;
}
