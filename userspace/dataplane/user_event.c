// SPDX-License-Identifier: MIT
/*
 * Events on their way from a worker to the loop. Bounded by class, so that a
 * flood of misses or of garbage can't push out what the node must not miss; if
 * even control events are lost, the node is told to compare.
 */
#include <errno.h>
#include <stdlib.h>

#include "user.h"

/**
 * struct fips_uevent - an event and the bytes it points to
 */
struct fips_uevent {
	struct fips_uevent *next;
	enum fips_uevent_class class;
	struct fips_event ev;
	u8 data[];
};

static const u32 fips_uevent_limit[FIPS_UEVENT_CLASSES] = {
	[FIPS_UEVENT_CONTROL] = 4096,
	[FIPS_UEVENT_DATA] = 512,
	[FIPS_UEVENT_RAW] = 512,
};

int fips_uevents_init(struct fips_uevents *q)
{
	q->tail = &q->head;
	return -pthread_mutex_init(&q->lock, NULL);
}

void fips_uevents_free(struct fips_uevents *q)
{
	struct fips_uevent *e;

	while ((e = q->head)) {
		q->head = e->next;
		free(e);
	}
	pthread_mutex_destroy(&q->lock);
}

static enum fips_uevent_class fips_uevent_class(enum fips_event_type type)
{
	switch (type) {
	case FIPS_EV_RAW:
		return FIPS_UEVENT_RAW;
	case FIPS_EV_SESSION_MISS:
	case FIPS_EV_SESSION_UNKNOWN:
	case FIPS_EV_ROUTE_MISS:
	case FIPS_EV_MTU_EXCEEDED:
	case FIPS_EV_ROUTE_BACK:
	case FIPS_EV_COORDS:
		return FIPS_UEVENT_DATA;
	default:
		return FIPS_UEVENT_CONTROL;
	}
}

/* The pointer of an event that has one, else NULL. */
static const u8 **fips_uevent_bytes(struct fips_event *ev, size_t *len)
{
	*len = 0;
	switch (ev->type) {
	case FIPS_EV_RAW:
		*len = ev->raw.len;
		return &ev->raw.data;
	case FIPS_EV_LINK_MSG:
		*len = ev->link_msg.len;
		return &ev->link_msg.msg;
	case FIPS_EV_SESSION_MSG:
		*len = ev->session_msg.len;
		return &ev->session_msg.body;
	case FIPS_EV_ROUTE_MISS:
	case FIPS_EV_MTU_EXCEEDED:
	case FIPS_EV_ROUTE_BACK:
	case FIPS_EV_COORDS:
		*len = ev->route.len;
		return &ev->route.header;
	default:
		return NULL;
	}
}

static struct fips_uevent *fips_uevent_new(const struct fips_event *ev)
{
	struct fips_event copy = *ev;
	struct fips_uevent *e;
	const u8 **bytes;
	size_t len;

	bytes = fips_uevent_bytes(&copy, &len);
	e = malloc(sizeof(*e) + len);
	if (!e)
		return NULL;
	if (len)
		memcpy(e->data, *bytes, len);
	e->next = NULL;
	e->class = fips_uevent_class(ev->type);
	e->ev = copy;
	bytes = fips_uevent_bytes(&e->ev, &len);
	if (bytes)
		*bytes = e->data;
	return e;
}

static void fips_uevent_lost(struct fips_user *u, enum fips_uevent_class class)
{
	fips_core_drop(u->core,
		       class == FIPS_UEVENT_CONTROL ? FIPS_DROP_REASON_UPCALL_CONTROL :
						      FIPS_DROP_REASON_UPCALL_DATA, 1);
}

void fips_uevents_push(struct fips_user *u, const struct fips_event *ev)
{
	enum fips_uevent_class class = fips_uevent_class(ev->type);
	struct fips_uevents *q = &u->events;
	struct fips_uevent *e = fips_uevent_new(ev);
	bool ok = false;

	pthread_mutex_lock(&q->lock);
	if (e && q->count[class] < fips_uevent_limit[class]) {
		*q->tail = e;
		q->tail = &e->next;
		q->count[class]++;
		ok = true;
	} else if (class == FIPS_UEVENT_CONTROL) {
		q->lost = true;
	}
	pthread_mutex_unlock(&q->lock);
	if (!ok) {
		free(e);
		fips_uevent_lost(u, class);
	}
	uv_async_send(&u->handles->async);
}

void fips_uevents_deliver(struct fips_user *u)
{
	const struct fips_event resync = { .type = FIPS_EV_RESYNC };
	struct fips_uevents *q = &u->events;
	struct fips_uevent *list, *e;
	bool lost;

	pthread_mutex_lock(&q->lock);
	list = q->head;
	q->head = NULL;
	q->tail = &q->head;
	memset(q->count, 0, sizeof(q->count));
	lost = q->lost;
	q->lost = false;
	pthread_mutex_unlock(&q->lock);
	while ((e = list)) {
		list = e->next;
		u->host.event(u->host.ctx, &e->ev);
		free(e);
	}
	if (lost)
		u->host.event(u->host.ctx, &resync);
}
