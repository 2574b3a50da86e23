// SPDX-License-Identifier: MIT
/* Event queue; see queue.h. */
#include <stdio.h>
#include <stdlib.h>

#include "queue.h"

static void *alloc_checked(void *mem)
{
	if (!mem) {
		fputs("fipssim: out of memory\n", stderr);
		exit(3);
	}
	return mem;
}

void *sim_alloc(size_t len)
{
	return alloc_checked(malloc(len ? len : 1));
}

void *sim_zalloc(size_t count, size_t len)
{
	return alloc_checked(calloc(count ? count : 1, len));
}

void *sim_realloc(void *mem, size_t count, size_t len)
{
	return alloc_checked(reallocarray(mem, count ? count : 1, len));
}

static bool queue_before(const struct sim_timer *a, const struct sim_timer *b)
{
	return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

static void queue_put(struct sim_queue *q, size_t pos, struct sim_timer *t)
{
	q->heap[pos] = t;
	t->pos = pos;
}

static void queue_up(struct sim_queue *q, struct sim_timer *t, size_t pos)
{
	while (pos > 1 && queue_before(t, q->heap[pos / 2])) {
		queue_put(q, pos, q->heap[pos / 2]);
		pos /= 2;
	}
	queue_put(q, pos, t);
}

static void queue_down(struct sim_queue *q, struct sim_timer *t, size_t pos)
{
	size_t child;

	while ((child = 2 * pos) <= q->n) {
		if (child < q->n && queue_before(q->heap[child + 1], q->heap[child]))
			child++;
		if (!queue_before(q->heap[child], t))
			break;
		queue_put(q, pos, q->heap[child]);
		pos = child;
	}
	queue_put(q, pos, t);
}

void sim_queue_free(struct sim_queue *q)
{
	free(q->heap);
	*q = (struct sim_queue) { 0 };
}

void sim_queue_set(struct sim_queue *q, struct sim_timer *t, u64 at)
{
	sim_queue_del(q, t);
	if (q->n + 1 >= q->room) {
		q->room = q->room ? 2 * q->room : 1024;
		q->heap = sim_realloc(q->heap, q->room, sizeof(struct sim_timer *));
	}
	t->at = at;
	t->seq = q->seq++;
	queue_up(q, t, ++q->n);
}

void sim_queue_del(struct sim_queue *q, struct sim_timer *t)
{
	struct sim_timer *last;
	size_t pos = t->pos;

	if (!pos)
		return;
	t->pos = 0;
	last = q->heap[q->n--];
	if (last == t)
		return;
	if (pos > 1 && queue_before(last, q->heap[pos / 2]))
		queue_up(q, last, pos);
	else
		queue_down(q, last, pos);
}

struct sim_timer *sim_queue_pop(struct sim_queue *q)
{
	struct sim_timer *t = q->n ? q->heap[1] : NULL;

	if (t)
		sim_queue_del(q, t);
	return t;
}

u64 sim_queue_next(const struct sim_queue *q)
{
	return q->n ? q->heap[1]->at : SIM_NEVER;
}
