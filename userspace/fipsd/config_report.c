// SPDX-License-Identifier: MIT
/*
 * Messages of a configuration run. Without memory a message is only counted:
 * the verdict stays right.
 */
#include <stdlib.h>
#include <string.h>

#include "config.h"

static const char *const severity_names[] = {
	[FIPS_REPORT_NOTE] = "note",
	[FIPS_REPORT_WARNING] = "warning",
	[FIPS_REPORT_ERROR] = "error",
};

static char *report_text(const struct fips_cfg_mark *at, const char *key, const char *fmt,
			 va_list ap)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	if (at && at->file && at->line)
		fprintf(out, "%s:%u:%u: ", at->file, at->line, at->col);
	else if (at && at->file)
		fprintf(out, "%s: ", at->file);
	if (key && *key)
		fprintf(out, "%s: ", key);
	vfprintf(out, fmt, ap);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

void fips_report_add(struct fips_report *rep, enum fips_severity severity,
		     const struct fips_cfg_mark *at, const char *key, const char *fmt, ...)
{
	struct fips_message *m;
	va_list ap;

	if (severity == FIPS_REPORT_ERROR)
		rep->errors++;
	if (rep->count == FIPS_REPORT_MAX) {
		rep->dropped++;
		return;
	}
	m = &rep->msg[rep->count];
	va_start(ap, fmt);
	m->text = report_text(at, key, fmt, ap);
	va_end(ap);
	if (!m->text) {
		rep->dropped++;
		return;
	}
	m->severity = severity;
	m->line = at ? at->line : 0;
	m->col = at ? at->col : 0;
	rep->count++;
}

void fips_report_join(struct fips_report *rep, struct fips_report *from)
{
	size_t i;

	rep->errors += from->errors;
	rep->dropped += from->dropped;
	for (i = 0; i < from->count; i++) {
		if (rep->count == FIPS_REPORT_MAX) {
			rep->dropped++;
			free(from->msg[i].text);
			continue;
		}
		rep->msg[rep->count++] = from->msg[i];
	}
	memset(from, 0, sizeof(*from));
}

void fips_report_clear(struct fips_report *rep)
{
	size_t i;

	for (i = 0; i < rep->count; i++)
		free(rep->msg[i].text);
	memset(rep, 0, sizeof(*rep));
}

void fips_report_print(const struct fips_report *rep, enum fips_severity least, FILE *out)
{
	size_t i;

	for (i = 0; i < rep->count; i++)
		if (rep->msg[i].severity >= least)
			fprintf(out, "%s: %s\n", severity_names[rep->msg[i].severity],
				rep->msg[i].text);
	if (rep->dropped)
		fprintf(out, "error: %zu more messages\n", rep->dropped);
}
