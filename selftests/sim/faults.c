// SPDX-License-Identifier: MIT
/*
 * The schedule of faults: text, one a line (Documentation/simulation.rst):
 *
 *	AT 10s crash 5
 *	FROM 10s TO 60s churn 0.5/s down 5s
 *
 * Every line is tried when the schedule is read, so that nothing is found wrong
 * in the middle of a run.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim.h"

static void faults_add(struct sim_faults *q, u64 at, const char *text)
{
	struct sim_fault *f;
	char *save = NULL, *w;

	if (q->n == q->room) {
		q->room = q->room ? 2 * q->room : 16;
		q->list = sim_realloc(q->list, q->room, sizeof(*q->list));
	}
	f = &q->list[q->n];
	*f = (struct sim_fault) { .at = at, .seq = q->n++ };
	f->line = strdup(text);
	f->words = strdup(text);
	if (!f->line || !f->words)
		exit(3);
	for (w = strtok_r(f->words, " \t\r", &save); w && f->argc < SIM_FAULT_ARGS;
	     w = strtok_r(NULL, " \t\r", &save))
		f->argv[f->argc++] = w;
	q->last = at > q->last ? at : q->last;
}

/* "churn 0.5/s [down 5s]": nodes crash at random and come back. */
static int faults_churn(struct sim *s, u64 from, u64 to, const char *text)
{
	char rate[32], down[32] = "5s", line[64];
	u64 milli, mean, at, rest;
	u32 node, dec = 0;
	unsigned int whole;
	int n;

	n = sscanf(text, "churn %31s down %31s", rate, down);
	if (n < 1 || sscanf(rate, "%u.%1u/s", &whole, &dec) < 1 || !strstr(rate, "/s") ||
	    sim_parse_time(down, &rest))
		return -EINVAL;
	milli = (u64)whole * 1000 + dec * 100;
	if (!milli || !s->n_nodes)
		return -EINVAL;
	mean = SIM_SEC * 1000 / milli;
	for (at = from; at < to; at += 1 + sim_rng_below(&s->faults.rng, 2 * mean)) {
		node = (u32)sim_rng_below(&s->faults.rng, s->n_nodes);
		snprintf(line, sizeof(line), "crash %u", node);
		faults_add(&s->faults, at, line);
		snprintf(line, sizeof(line), "restart %u", node);
		faults_add(&s->faults, at + 1 + sim_rng_below(&s->faults.rng, 2 * rest), line);
	}
	return 0;
}

/* One line, without comment and blanks in front. */
static int faults_line(struct sim *s, const char *line)
{
	char when[32], until[32];
	u64 from, to;
	int pos = 0;

	if (sscanf(line, "AT %31s %n", when, &pos) == 1 && pos) {
		if (sim_parse_time(when, &from) || !line[pos])
			return -EINVAL;
		faults_add(&s->faults, from, line + pos);
		return sim_fault_do(s, &s->faults.list[s->faults.n - 1], false);
	}
	if (sscanf(line, "FROM %31s TO %31s %n", when, until, &pos) == 2 && pos) {
		if (sim_parse_time(when, &from) || sim_parse_time(until, &to))
			return -EINVAL;
		return faults_churn(s, from, to, line + pos);
	}
	return -EINVAL;
}

static int faults_cmp(const void *pa, const void *pb)
{
	const struct sim_fault *a = pa, *b = pb;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

int sim_faults_load(struct sim *s, const char *text, char *why, size_t why_len)
{
	char *copy, *save = NULL, *line;
	unsigned int row = 0;
	int ret = 0;

	sim_rng_init(&s->faults.rng, s->sc->seed, SIM_STREAM_FAULTS, 0);
	if (!text)
		return 0;
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	for (line = strtok_r(copy, "\n;", &save); line && !ret;
	     line = strtok_r(NULL, "\n;", &save)) {
		row++;
		line[strcspn(line, "#")] = 0;
		line += strspn(line, " \t\r");
		if (*line)
			ret = faults_line(s, line);
		if (ret)
			snprintf(why, why_len, "faults, line %u: not understood: %.100s", row,
				 line);
	}
	free(copy);
	if (!ret && s->faults.n)
		qsort(s->faults.list, s->faults.n, sizeof(*s->faults.list), faults_cmp);
	return ret;
}

static void faults_fire(struct sim *s, struct sim_timer *t)
{
	struct sim_faults *q = &s->faults;
	struct sim_fault *f;

	while (q->next < q->n && q->list[q->next].at <= s->now) {
		f = &q->list[q->next++];
		sim_note(s, SIM_NOTE_FAULT, SIM_NOBODY, 0, 0, f->line, strlen(f->line));
		sim_fault_do(s, f, true);
	}
	if (q->next < q->n)
		sim_timer_set(s, t, q->list[q->next].at);
}

void sim_faults_start(struct sim *s)
{
	s->faults.timer.fire = faults_fire;
	if (s->faults.n)
		sim_timer_set(s, &s->faults.timer, s->faults.list[0].at);
}

void sim_faults_free(struct sim *s)
{
	u32 i;

	for (i = 0; i < s->faults.n; i++) {
		free(s->faults.list[i].line);
		free(s->faults.list[i].words);
	}
	free(s->faults.list);
	s->faults = (struct sim_faults) { 0 };
}
