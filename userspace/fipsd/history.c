// SPDX-License-Identifier: MIT
/*
 * Rings grow as they fill: a young daemon with few peers needs little. A sample
 * stands at (its number - the number at the series' birth) modulo the ring's
 * size, so that a peer that came late costs nothing for the time before.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "history.h"

#define MINUTE	60	/* fast samples */

struct ring {
	float *v;
	u32 room;	/* values that @v has place for */
	u64 born;	/* number of the first sample */
};

struct series {
	struct ring fast;
	struct ring slow;
	double before;	/* counter at the last tick, or NAN */
};

struct peer {
	struct fips_identity id;
	u64 first_ms;
	u64 last_ms;
	bool seen;	/* this tick */
	bool active;	/* at the last tick */
	struct series s[FIPS_PEER_METRICS];
};

struct fips_history {
	struct series node[FIPS_NODE_METRICS];
	struct peer **peers;
	int n;
	u64 fast;	/* samples begun */
	u64 slow;
	u64 now_ms;
	double secs;	/* since the last tick */
};

const struct fips_metric fips_node_metrics[FIPS_NODE_METRICS] = {
	[FIPS_NM_MESH_SIZE] = { "mesh_size", "nodes", FIPS_REDUCE_LAST, false },
	[FIPS_NM_TREE_DEPTH] = { "tree_depth", "hops", FIPS_REDUCE_LAST, false },
	[FIPS_NM_PEER_COUNT] = { "peer_count", "peers", FIPS_REDUCE_LAST, false },
	[FIPS_NM_PARENT_SWITCHES] = { "parent_switches", "events/s", FIPS_REDUCE_SUM, true },
	[FIPS_NM_BYTES_IN] = { "bytes_in", "bytes/s", FIPS_REDUCE_MEAN, true },
	[FIPS_NM_BYTES_OUT] = { "bytes_out", "bytes/s", FIPS_REDUCE_MEAN, true },
	[FIPS_NM_PACKETS_IN] = { "packets_in", "packets/s", FIPS_REDUCE_MEAN, true },
	[FIPS_NM_PACKETS_OUT] = { "packets_out", "packets/s", FIPS_REDUCE_MEAN, true },
	[FIPS_NM_LOSS_RATE] = { "loss_rate", "fraction", FIPS_REDUCE_MEAN, false },
	[FIPS_NM_ACTIVE_SESSIONS] = { "active_sessions", "sessions", FIPS_REDUCE_LAST, false },
};

const struct fips_metric fips_peer_metrics[FIPS_PEER_METRICS] = {
	[FIPS_PM_SRTT_MS] = { "srtt_ms", "ms", FIPS_REDUCE_MEAN, false },
	[FIPS_PM_LOSS_RATE] = { "loss_rate", "fraction", FIPS_REDUCE_MEAN, false },
	[FIPS_PM_BYTES_IN] = { "bytes_in", "bytes/s", FIPS_REDUCE_MEAN, true },
	[FIPS_PM_BYTES_OUT] = { "bytes_out", "bytes/s", FIPS_REDUCE_MEAN, true },
	[FIPS_PM_PACKETS_IN] = { "packets_in", "packets/s", FIPS_REDUCE_MEAN, true },
	[FIPS_PM_PACKETS_OUT] = { "packets_out", "packets/s", FIPS_REDUCE_MEAN, true },
	[FIPS_PM_ECN_CE] = { "ecn_ce", "events/s", FIPS_REDUCE_SUM, true },
};

int fips_metric_find(const struct fips_metric *list, int n, const char *name)
{
	int i;

	for (i = 0; i < n; i++)
		if (!strcmp(list[i].name, name))
			return i;
	return -1;
}

/* ---- rings ---- */

static void ring_put(struct ring *r, u32 size, u64 number, double value)
{
	u64 at = (number - r->born) % size;

	if (at >= r->room) {
		u32 room = r->room ? 2 * r->room : 64;
		float *v;

		room = room > size ? size : room;
		v = realloc(r->v, room * sizeof(*v));
		if (!v || at >= room) {	/* without memory the past goes, not the daemon */
			r->born = number + 1;
			r->v = v ? v : r->v;
			return;
		}
		r->v = v;
		r->room = room;
	}
	r->v[at] = (float)value;
}

/* @end: number of the next sample. */
static double ring_get(const struct ring *r, u32 size, u64 end, u64 number)
{
	u64 at = (number - r->born) % size;

	if (number >= end || number < r->born || end - number > size || at >= r->room)
		return NAN;
	return (double)r->v[at];
}

static void series_begin(struct series *s, const struct fips_history *h)
{
	s->fast.born = h->fast;
	s->slow.born = h->slow;
	s->before = NAN;
}

static void series_free(struct series *s)
{
	free(s->fast.v);
	free(s->slow.v);
}

static double reduce(const struct series *s, const struct fips_metric *m, u64 end)
{
	double sum = 0, last = NAN, v;
	u64 i, first = end > MINUTE ? end - MINUTE : 0;
	int n = 0;

	for (i = first; i < end; i++) {
		v = ring_get(&s->fast, FIPS_HISTORY_FAST, end, i);
		if (isnan(v))
			continue;
		last = v;
		sum += v;
		n++;
	}
	if (!n || m->reduce == FIPS_REDUCE_LAST)
		return last;
	return m->reduce == FIPS_REDUCE_SUM ? sum : sum / n;
}

/* What a counter grew by; the peer's first or fallen one is a gap, the node's is 0. */
static double rate(struct series *s, double raw, double secs, double otherwise)
{
	double v = otherwise;

	if (!isnan(s->before) && raw >= s->before)
		v = (raw - s->before) / secs;
	s->before = raw;
	return isnan(raw) ? NAN : v;
}

static void series_put(struct fips_history *h, struct series *s, const struct fips_metric *m,
		       double raw, double otherwise)
{
	double v = m->counter ? rate(s, raw, h->secs, otherwise) : raw;

	ring_put(&s->fast, FIPS_HISTORY_FAST, h->fast - 1, v);
}

/* ---- a tick ---- */

struct fips_history *fips_history_new(void)
{
	struct fips_history *h = calloc(1, sizeof(*h));
	int i;

	for (i = 0; h && i < FIPS_NODE_METRICS; i++)
		series_begin(&h->node[i], h);
	return h;
}

static void peer_free(struct peer *p)
{
	int i;

	for (i = 0; i < FIPS_PEER_METRICS; i++)
		series_free(&p->s[i]);
	free(p);
}

void fips_history_free(struct fips_history *h)
{
	int i;

	if (!h)
		return;
	for (i = 0; i < h->n; i++)
		peer_free(h->peers[i]);
	for (i = 0; i < FIPS_NODE_METRICS; i++)
		series_free(&h->node[i]);
	free(h->peers);
	free(h);
}

/* All series of one owner, to gaps or to minutes. */
static void each_series(struct fips_history *h,
			void (*fn)(struct fips_history *h, struct series *s,
				   const struct fips_metric *m))
{
	int i, k;

	for (i = 0; i < FIPS_NODE_METRICS; i++)
		fn(h, &h->node[i], &fips_node_metrics[i]);
	for (i = 0; i < h->n; i++)
		for (k = 0; k < FIPS_PEER_METRICS; k++)
			fn(h, &h->peers[i]->s[k], &fips_peer_metrics[k]);
}

static void put_gap(struct fips_history *h, struct series *s, const struct fips_metric *m)
{
	(void)m;
	ring_put(&s->fast, FIPS_HISTORY_FAST, h->fast - 1, NAN);
}

static void put_minute(struct fips_history *h, struct series *s, const struct fips_metric *m)
{
	ring_put(&s->slow, FIPS_HISTORY_SLOW, h->slow - 1, reduce(s, m, h->fast));
}

static void minute(struct fips_history *h)
{
	if (h->fast % MINUTE)
		return;
	h->slow++;
	each_series(h, put_minute);
}

void fips_history_begin(struct fips_history *h, u64 now_ms, u64 tick_ms)
{
	u64 gone = h->now_ms ? now_ms - h->now_ms : tick_ms, late = gone / tick_ms;
	int i;

	h->secs = (double)(gone ? gone : 1) / 1000;
	h->now_ms = now_ms;
	/* The axis is time: what a stall swallowed stays empty. */
	for (late = late > FIPS_HISTORY_FAST ? FIPS_HISTORY_FAST : late; late > 1; late--) {
		h->fast++;
		each_series(h, put_gap);
		minute(h);
	}
	h->fast++;
	for (i = 0; i < h->n; i++)
		h->peers[i]->seen = false;
}

void fips_history_node(struct fips_history *h, const double *raw)
{
	int i;

	for (i = 0; i < FIPS_NODE_METRICS; i++)
		series_put(h, &h->node[i], &fips_node_metrics[i], raw[i], 0);
}

int fips_history_find(const struct fips_history *h, const struct fips_node_addr *addr)
{
	int i;

	for (i = 0; i < h->n; i++)
		if (fips_node_addr_eq(&h->peers[i]->id.addr, addr))
			return i;
	return -1;
}

static void peer_drop(struct fips_history *h, int i)
{
	peer_free(h->peers[i]);
	h->peers[i] = h->peers[--h->n];
}

/* Room for one more: the one gone longest goes. False if all are here. */
static bool peer_room(struct fips_history *h)
{
	int i, oldest = -1;

	if (h->n < FIPS_HISTORY_PEERS)
		return true;
	for (i = 0; i < h->n; i++)
		if (!h->peers[i]->active && !h->peers[i]->seen &&
		    (oldest < 0 || h->peers[i]->last_ms < h->peers[oldest]->last_ms))
			oldest = i;
	if (oldest < 0)
		return false;
	peer_drop(h, oldest);
	return true;
}

static struct peer *peer_new(struct fips_history *h, const struct fips_identity *id)
{
	struct peer **v, *p;
	int i;

	if (!peer_room(h))
		return NULL;
	v = realloc(h->peers, (size_t)(h->n + 1) * sizeof(struct peer *));
	if (!v)
		return NULL;
	h->peers = v;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->id = *id;
	p->first_ms = h->now_ms;
	h->fast--;	/* born with the sample of this tick */
	for (i = 0; i < FIPS_PEER_METRICS; i++)
		series_begin(&p->s[i], h);
	h->fast++;
	v[h->n++] = p;
	return p;
}

bool fips_history_peer(struct fips_history *h, const struct fips_identity *id, const double *raw)
{
	int i = fips_history_find(h, &id->addr);
	struct peer *p = i < 0 ? peer_new(h, id) : h->peers[i];

	if (!p)
		return false;
	p->seen = true;
	p->last_ms = h->now_ms;
	for (i = 0; i < FIPS_PEER_METRICS; i++)
		series_put(h, &p->s[i], &fips_peer_metrics[i], raw[i], NAN);
	return true;
}

void fips_history_end(struct fips_history *h)
{
	int i, k;

	for (i = h->n - 1; i >= 0; i--) {
		struct peer *p = h->peers[i];

		p->active = p->seen;
		for (k = 0; !p->seen && k < FIPS_PEER_METRICS; k++) {
			put_gap(h, &p->s[k], NULL);
			p->s[k].before = NAN;
		}
		if (h->now_ms - p->last_ms > (u64)FIPS_HISTORY_RETENTION * 1000)
			peer_drop(h, i);
	}
	minute(h);
}

/* ---- reading ---- */

int fips_history_count(const struct fips_history *h)
{
	return h->n;
}

void fips_history_info(const struct fips_history *h, int peer, struct fips_history_peer *info)
{
	const struct peer *p = h->peers[peer];

	*info = (struct fips_history_peer){
		.id = &p->id,
		.active = p->active,
		.first_ms = p->first_ms,
		.last_ms = p->last_ms,
	};
}

void fips_history_values(const struct fips_history *h, int peer, int metric, bool slow, double *out,
			 size_t n)
{
	const struct series *s = peer < 0 ? &h->node[metric] : &h->peers[peer]->s[metric];
	u64 end = slow ? h->slow : h->fast;
	size_t i;

	for (i = 0; i < n; i++) {
		size_t back = n - i;	/* 1: the newest */

		if (back > end)
			out[i] = NAN;
		else if (slow)
			out[i] = ring_get(&s->slow, FIPS_HISTORY_SLOW, end, end - back);
		else
			out[i] = ring_get(&s->fast, FIPS_HISTORY_FAST, end, end - back);
	}
}

u64 fips_history_pushes(const struct fips_history *h)
{
	return h->fast;
}
