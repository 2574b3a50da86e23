// SPDX-License-Identifier: MIT
/*
 * Events on their way from a data plane to its node. Bounded by class as the
 * user provider's are; late, out of order and lost when the seed says so. Lost
 * control events are made up for by FIPS_EV_RESYNC, as both providers do.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "sim.h"

enum upcall_class {
	UPCALL_CONTROL,
	UPCALL_DATA,
	UPCALL_RAW,
	UPCALL_CLASSES,
};

static const u32 upcall_limit[UPCALL_CLASSES] = {
	[UPCALL_CONTROL] = 4096,
	[UPCALL_DATA] = 512,
	[UPCALL_RAW] = 512,
};

static const char *const upcall_names[] = {
	[FIPS_EV_TIMER] = "timer",
	[FIPS_EV_RAW] = "raw",
	[FIPS_EV_TRANSPORT_UP] = "transport-up",
	[FIPS_EV_TRANSPORT_DOWN] = "transport-down",
	[FIPS_EV_RESOLVED] = "resolved",
	[FIPS_EV_OP_RESULT] = "op-result",
	[FIPS_EV_LINK_MSG] = "link-msg",
	[FIPS_EV_LINK_CONFIRMED] = "link-confirmed",
	[FIPS_EV_LINK_FLOAT] = "link-float",
	[FIPS_EV_LINK_ACTIVE] = "link-active",
	[FIPS_EV_LINK_KEY_USED] = "link-key-used",
	[FIPS_EV_LINK_KEY_LIMIT] = "link-key-limit",
	[FIPS_EV_SESSION_MSG] = "session-msg",
	[FIPS_EV_SESSION_MISS] = "session-miss",
	[FIPS_EV_SESSION_UNKNOWN] = "session-unknown",
	[FIPS_EV_SESSION_ACTIVE] = "session-active",
	[FIPS_EV_SESSION_KEY_USED] = "session-key-used",
	[FIPS_EV_SESSION_KEY_LIMIT] = "session-key-limit",
	[FIPS_EV_ROUTE_MISS] = "route-miss",
	[FIPS_EV_MTU_EXCEEDED] = "mtu-exceeded",
	[FIPS_EV_ROUTE_BACK] = "route-back",
	[FIPS_EV_COORDS] = "coords",
	[FIPS_EV_RESYNC] = "resync",
};

/**
 * struct sim_upcall - an event and the bytes it points to
 */
struct sim_upcall {
	struct sim_upcall *next;
	u64 due;
	enum upcall_class class;
	struct fips_event ev;
	_Alignas(8) u8 data[];
};

static enum upcall_class upcall_class(enum fips_event_type type)
{
	switch (type) {
	case FIPS_EV_RAW:
		return UPCALL_RAW;
	case FIPS_EV_SESSION_MISS:
	case FIPS_EV_SESSION_UNKNOWN:
	case FIPS_EV_ROUTE_MISS:
	case FIPS_EV_MTU_EXCEEDED:
	case FIPS_EV_ROUTE_BACK:
	case FIPS_EV_COORDS:
		return UPCALL_DATA;
	default:
		return UPCALL_CONTROL;
	}
}

/* The bytes an event points to, or NULL. */
static const void *upcall_bytes(const struct fips_event *ev, size_t *len)
{
	*len = 0;
	switch (ev->type) {
	case FIPS_EV_RAW:
		*len = ev->raw.len;
		return ev->raw.data;
	case FIPS_EV_LINK_MSG:
		*len = ev->link_msg.len;
		return ev->link_msg.msg;
	case FIPS_EV_SESSION_MSG:
		*len = ev->session_msg.len;
		return ev->session_msg.body;
	case FIPS_EV_ROUTE_MISS:
	case FIPS_EV_MTU_EXCEEDED:
	case FIPS_EV_ROUTE_BACK:
	case FIPS_EV_COORDS:
		*len = ev->route.len;
		return ev->route.header;
	case FIPS_EV_RESOLVED:
		*len = ev->resolved.count * sizeof(*ev->resolved.addrs);
		return ev->resolved.addrs;
	default:
		return NULL;
	}
}

static void upcall_point(struct fips_event *ev, void *bytes)
{
	switch (ev->type) {
	case FIPS_EV_RAW:
		ev->raw.data = bytes;
		return;
	case FIPS_EV_LINK_MSG:
		ev->link_msg.msg = bytes;
		return;
	case FIPS_EV_SESSION_MSG:
		ev->session_msg.body = bytes;
		return;
	case FIPS_EV_ROUTE_MISS:
	case FIPS_EV_MTU_EXCEEDED:
	case FIPS_EV_ROUTE_BACK:
	case FIPS_EV_COORDS:
		ev->route.header = bytes;
		return;
	case FIPS_EV_RESOLVED:
		ev->resolved.addrs = bytes;
		return;
	default:
		return;
	}
}

static struct sim_upcall *upcall_new(const struct fips_event *ev, u64 due)
{
	struct sim_upcall *u;
	const void *bytes;
	size_t len;

	bytes = upcall_bytes(ev, &len);
	u = sim_alloc(sizeof(*u) + len);
	u->next = NULL;
	u->due = due;
	u->class = upcall_class(ev->type);
	u->ev = *ev;
	if (len)
		memcpy(u->data, bytes, len);
	upcall_point(&u->ev, u->data);
	return u;
}

/* Something of the event for the log. */
static u64 upcall_what(const struct fips_event *ev)
{
	switch (ev->type) {
	case FIPS_EV_RAW:
		return ev->raw.len;
	case FIPS_EV_LINK_MSG:
		return (u64)ev->link_msg.id << 8 | (ev->link_msg.len ? ev->link_msg.msg[0] : 0);
	case FIPS_EV_LINK_CONFIRMED:
	case FIPS_EV_LINK_FLOAT:
	case FIPS_EV_LINK_ACTIVE:
	case FIPS_EV_LINK_KEY_USED:
	case FIPS_EV_LINK_KEY_LIMIT:
		return ev->link.id;
	case FIPS_EV_SESSION_MSG:
		return ev->session_msg.msg_type;
	case FIPS_EV_OP_RESULT:
		return (u64)(s64)ev->op.err;
	case FIPS_EV_ROUTE_MISS:
	case FIPS_EV_MTU_EXCEEDED:
	case FIPS_EV_ROUTE_BACK:
	case FIPS_EV_COORDS:
		return fips_get_le64(ev->route.dest.b);
	default:
		return 0;
	}
}

/* For the log: number of the node that it is about, or the event's. */
static u64 upcall_who(struct sim *s, const struct fips_event *ev)
{
	const struct sim_node *far = NULL;

	switch (ev->type) {
	case FIPS_EV_SESSION_MSG:
		far = sim_node_by_addr(s, &ev->session_msg.remote);
		break;
	case FIPS_EV_SESSION_MISS:
		far = sim_node_by_ipv6(s, ev->miss.ipv6);
		break;
	case FIPS_EV_SESSION_UNKNOWN:
	case FIPS_EV_SESSION_ACTIVE:
	case FIPS_EV_SESSION_KEY_USED:
	case FIPS_EV_SESSION_KEY_LIMIT:
		far = sim_node_by_addr(s, &ev->session.remote);
		break;
	case FIPS_EV_ROUTE_MISS:
	case FIPS_EV_MTU_EXCEEDED:
	case FIPS_EV_ROUTE_BACK:
	case FIPS_EV_COORDS:
		far = sim_node_by_addr(s, &ev->route.dest);
		break;
	default:
		break;
	}
	return far ? far->idx : ev->type;
}

static void upcall_note(struct sim_node *n, enum sim_note what, const struct fips_event *ev)
{
	const char *name = ev->type < sizeof(upcall_names) / sizeof(upcall_names[0]) &&
				   upcall_names[ev->type] ? upcall_names[ev->type] : "?";

	sim_note(n->sim, what, n->idx, upcall_who(n->sim, ev), upcall_what(ev), name,
		 strlen(name));
}

/* Sorted by time; equal ones in the order they came. */
static void upcall_insert(struct sim_upcalls *q, struct sim_upcall *u)
{
	struct sim_upcall **p = &q->head;

	if (q->tail && q->tail->due <= u->due)
		p = &q->tail->next;
	while (*p && (*p)->due <= u->due)
		p = &(*p)->next;
	u->next = *p;
	*p = u;
	if (!u->next)
		q->tail = u;
}

static void upcall_push(struct sim_node *n, const struct fips_event *ev, u64 due)
{
	struct sim_upcalls *q = &n->upcalls;
	struct sim_upcall *u = upcall_new(ev, due);

	upcall_insert(q, u);
	q->count[u->class]++;
	sim_timer_set(n->sim, &q->due, q->head->due);
}

static void upcall_lost(struct sim_node *n, const struct fips_event *ev)
{
	const struct fips_event resync = { .type = FIPS_EV_RESYNC };
	enum upcall_class class = upcall_class(ev->type);
	struct sim_upcalls *q = &n->upcalls;

	n->st->upcalls_lost++;
	upcall_note(n, SIM_NOTE_EVENT_LOST, ev);
	fips_core_drop(n->core, class == UPCALL_CONTROL ? FIPS_DROP_REASON_UPCALL_CONTROL :
							  FIPS_DROP_REASON_UPCALL_DATA, 1);
	if (class != UPCALL_CONTROL || q->lost)
		return;
	q->lost = true;
	sim_upcall_later(n, &resync, n->plane.delay + n->plane.late);
}

void sim_upcall(struct sim_node *n, const struct fips_event *ev)
{
	enum upcall_class class = upcall_class(ev->type);
	struct sim_upcalls *q = &n->upcalls;
	u64 due = n->sim->now + n->plane.delay;

	if (n->dying)
		return;
	if (q->count[class] >= upcall_limit[class] || sim_rng_chance(&n->rng_up, n->plane.loss)) {
		upcall_lost(n, ev);
		return;
	}
	if (n->plane.late)
		due += sim_rng_below(&n->rng_up, n->plane.late);
	if (!n->plane.reorder && q->tail && q->tail->due > due)
		due = q->tail->due;
	upcall_push(n, ev, due);
}

void sim_upcall_later(struct sim_node *n, const struct fips_event *ev, u64 delay)
{
	if (!n->dying)
		upcall_push(n, ev, n->sim->now + delay);
}

/* Has it found its first peer? Asked only until it has. */
static void upcall_joined(struct sim_node *n)
{
	struct fips_clock now = sim_node_clock(n);
	struct fips_node_view v;

	if (n->st->joined != SIM_NEVER)
		return;
	fips_node_view(n->node, &now, &v);
	if (v.peers)
		n->st->joined = n->sim->now;
}

static void upcall_due(struct sim *s, struct sim_timer *t)
{
	struct sim_upcalls *q = sim_container(t, struct sim_upcalls, due);
	struct sim_node *n = sim_container(q, struct sim_node, upcalls);
	struct sim_upcall *u;

	while ((u = q->head) && u->due <= s->now) {
		q->head = u->next;
		if (!q->head)
			q->tail = NULL;
		q->count[u->class]--;
		if (u->ev.type == FIPS_EV_RESYNC)
			q->lost = false;
		n->st->upcalls++;
		upcall_note(n, SIM_NOTE_EVENT, &u->ev);
		sim_node_event(n, &u->ev);
		upcall_joined(n);
		free(u);
	}
	if (q->head)
		sim_timer_set(s, t, q->head->due);
}

void sim_upcalls_init(struct sim_node *n)
{
	n->upcalls.due.fire = upcall_due;
}

void sim_upcalls_clear(struct sim_node *n)
{
	struct sim_upcalls *q = &n->upcalls;
	struct sim_upcall *u;

	while ((u = q->head)) {
		q->head = u->next;
		free(u);
	}
	q->tail = NULL;
	memset(q->count, 0, sizeof(q->count));
	q->lost = false;
	sim_timer_del(n->sim, &q->due);
}
