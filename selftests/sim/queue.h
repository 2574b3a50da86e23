/* SPDX-License-Identifier: MIT */
/*
 * What happens next: a binary heap of intrusive timers on virtual time. Of two
 * with the same instant the one armed first fires first.
 */
#ifndef SIM_QUEUE_H
#define SIM_QUEUE_H

#include <fips/types.h>

#define SIM_NEVER	(~(u64)0)

struct sim;
struct sim_timer;

typedef void (*sim_timer_fn)(struct sim *s, struct sim_timer *t);

/**
 * struct sim_timer - one thing to happen
 * @at: virtual microseconds
 * @seq: order of arming
 * @pos: place in the heap from 1 on, 0 = not armed
 * @fire: called once; may arm or free the timer
 */
struct sim_timer {
	u64 at;
	u64 seq;
	size_t pos;
	sim_timer_fn fire;
};

struct sim_queue {
	struct sim_timer **heap;	/* from 1 on */
	size_t n;
	size_t room;
	u64 seq;
};

void sim_queue_free(struct sim_queue *q);
/* Arm, or move if it is armed. */
void sim_queue_set(struct sim_queue *q, struct sim_timer *t, u64 at);
/* Disarm; nothing happens if it is not armed. */
void sim_queue_del(struct sim_queue *q, struct sim_timer *t);
/* Take the earliest, or NULL. */
struct sim_timer *sim_queue_pop(struct sim_queue *q);
u64 sim_queue_next(const struct sim_queue *q);

#define sim_container(ptr, type, member) \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))

/* malloc(), calloc(), realloc() that end the program when there is no memory. */
void *sim_alloc(size_t len);
void *sim_zalloc(size_t count, size_t len);
void *sim_realloc(void *mem, size_t count, size_t len);

#endif /* SIM_QUEUE_H */
