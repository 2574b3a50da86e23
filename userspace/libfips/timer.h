/* SPDX-License-Identifier: MIT */
/*
 * Timers of a node: an intrusive pairing heap, so that arming one never fails.
 * Timers with the same instant fire in the order in which they were armed.
 */
#ifndef _LIBFIPS_TIMER_H
#define _LIBFIPS_TIMER_H

#include <fips/types.h>

struct fips_timer;

typedef void (*fips_timer_fn)(void *owner, struct fips_timer *t);

/**
 * struct fips_timer - one deadline; part of the object it belongs to
 * @when: monotonic ms
 * @seq: order of arming
 * @armed: is it in a heap?
 * @fire: called once when due; may arm it again and may free the object
 * @child: first child
 * @next: next sibling
 * @prev: previous sibling, or the parent if this is its first child
 */
struct fips_timer {
	u64 when;
	u64 seq;
	bool armed;
	fips_timer_fn fire;
	struct fips_timer *child;
	struct fips_timer *next;
	struct fips_timer *prev;
};

/**
 * struct fips_timers - the heap
 * @root: earliest, or NULL
 * @seq: next order number
 */
struct fips_timers {
	struct fips_timer *root;
	u64 seq;
};

static inline void fips_timer_init(struct fips_timer *t, fips_timer_fn fire)
{
	*t = (struct fips_timer) { .fire = fire };
}

/* Arm, or move if it is armed. */
void fips_timer_set(struct fips_timers *ts, struct fips_timer *t, u64 when);
/* Disarm; nothing happens if it is not armed. */
void fips_timer_del(struct fips_timers *ts, struct fips_timer *t);

/* Fire what is due at @now, in order. What a callback arms for @now or earlier fires, too. */
void fips_timers_run(struct fips_timers *ts, void *owner, u64 now);

/* Earliest instant, ~0 if nothing is armed. */
u64 fips_timers_next(const struct fips_timers *ts);

#endif /* _LIBFIPS_TIMER_H */
