// SPDX-License-Identifier: MIT
/* Pairing heap of timers; see timer.h. */

#include "timer.h"

static bool timer_before(const struct fips_timer *a, const struct fips_timer *b)
{
	return a->when != b->when ? a->when < b->when : a->seq < b->seq;
}

/* Both are roots without siblings. */
static struct fips_timer *timer_meld(struct fips_timer *a, struct fips_timer *b)
{
	struct fips_timer *tmp;

	if (!a)
		return b;
	if (!b)
		return a;
	if (timer_before(b, a)) {
		tmp = a;
		a = b;
		b = tmp;
	}
	b->next = a->child;
	if (b->next)
		b->next->prev = b;
	b->prev = a;
	a->child = b;
	return a;
}

/* One heap out of a list of siblings: pairs from the left, then the pairs from the right. */
static struct fips_timer *timer_merge(struct fips_timer *first)
{
	struct fips_timer *pairs = NULL, *root = NULL, *a, *b;

	while (first) {
		a = first;
		b = a->next;
		first = b ? b->next : NULL;
		a->next = NULL;
		a->prev = NULL;
		if (b) {
			b->next = NULL;
			b->prev = NULL;
		}
		a = timer_meld(a, b);
		a->next = pairs;
		pairs = a;
	}
	while (pairs) {
		a = pairs;
		pairs = a->next;
		a->next = NULL;
		root = timer_meld(root, a);
	}
	return root;
}

static void timer_unlink(struct fips_timer *t)
{
	if (t->prev->child == t)
		t->prev->child = t->next;
	else
		t->prev->next = t->next;
	if (t->next)
		t->next->prev = t->prev;
	t->prev = NULL;
	t->next = NULL;
}

void fips_timer_del(struct fips_timers *ts, struct fips_timer *t)
{
	struct fips_timer *rest;

	if (!t->armed)
		return;
	rest = timer_merge(t->child);
	t->child = NULL;
	if (ts->root == t) {
		ts->root = rest;
	} else {
		timer_unlink(t);
		ts->root = timer_meld(ts->root, rest);
	}
	t->armed = false;
}

void fips_timer_set(struct fips_timers *ts, struct fips_timer *t, u64 when)
{
	fips_timer_del(ts, t);
	t->when = when;
	t->seq = ts->seq++;
	t->armed = true;
	ts->root = timer_meld(ts->root, t);
}

void fips_timers_run(struct fips_timers *ts, void *owner, u64 now)
{
	struct fips_timer *t;

	while (ts->root && ts->root->when <= now) {
		t = ts->root;
		fips_timer_del(ts, t);
		t->fire(owner, t);
	}
}

u64 fips_timers_next(const struct fips_timers *ts)
{
	return ts->root ? ts->root->when : ~(u64)0;
}
