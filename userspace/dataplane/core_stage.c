// SPDX-License-Identifier: MIT
/*
 * Staging: what waits for an answer of the node, as packets wait for a
 * neighbour entry. Bounded in packets for a destination, in destinations, in
 * bytes and in time. Both lanes may stage, so the tables are under a lock.
 */
#include <stdlib.h>

#include "core_impl.h"

static struct fips_stage *fips_stage_find(struct fips_core *c, enum fips_stage_kind kind,
					  const u8 *addr)
{
	struct fips_stage_key key = { .kind = kind };
	struct fips_stage *s;

	memcpy(key.addr, addr, sizeof(key.addr));
	HASH_FIND(hh, c->stages, &key, sizeof(key), s);
	return s;
}

/* Others get half of the destinations at most: the rest stays for our own packets. */
static struct fips_stage *fips_stage_make(struct fips_core *c, enum fips_stage_kind kind,
					  const u8 *addr, bool transit)
{
	struct fips_stage *s = fips_stage_find(c, kind, addr);

	if (s)
		return s;
	if (HASH_COUNT(c->stages) >= c->cfg.stage_destinations ||
	    (transit && c->stages_transit >= c->cfg.stage_destinations / 2))
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->key.kind = kind;
	memcpy(s->key.addr, addr, sizeof(s->key.addr));
	s->transit = transit;
	c->stages_transit += transit;
	s->tail = &s->head;
	s->asked = FIPS_NEVER;
	HASH_ADD(hh, c->stages, key, sizeof(s->key), s);
	return s;
}

/* @s holds nothing. */
static void fips_stage_del(struct fips_core *c, struct fips_stage *s)
{
	c->stages_transit -= s->transit;
	HASH_DEL(c->stages, s);
	free(s);
}

static struct fips_staged *fips_stage_pop(struct fips_core *c, struct fips_stage *s)
{
	struct fips_staged *k = s->head;

	s->head = k->next;
	if (!s->head)
		s->tail = &s->head;
	s->n--;
	c->staged_bytes -= k->len;
	return k;
}

static void fips_stage_drop(struct fips_core *c, struct fips_stage *s, enum fips_drop_reason why)
{
	free(fips_stage_pop(c, s));
	fips_core_drop(c, why, 1);
}

bool fips_stage_put(struct fips_core *c, enum fips_stage_kind kind, const u8 *addr,
		    const struct fips_staged *meta, const u8 *data)
{
	struct fips_staged *k = malloc(sizeof(*k) + meta->len);
	struct fips_stage *s;
	bool ask = false;

	if (!k) {
		fips_core_drop(c, FIPS_DROP_REASON_STAGE_FULL, 1);
		return false;
	}
	*k = *meta;
	k->next = NULL;
	memcpy(k->data, data, meta->len);
	pthread_mutex_lock(&c->stage_lock);
	s = fips_stage_make(c, kind, addr, meta->link_id);
	if (!s) {
		fips_core_drop(c, FIPS_DROP_REASON_STAGE_DESTINATIONS, 1);
		free(k);
		goto out;
	}
	if (s->n && (s->n >= c->cfg.stage_packets || c->staged_bytes + k->len > FIPS_STAGE_BYTES))
		fips_stage_drop(c, s, FIPS_DROP_REASON_STAGE_FULL);
	*s->tail = k;
	s->tail = &k->next;
	s->n++;
	c->staged_bytes += k->len;
	ask = s->asked == FIPS_NEVER || k->since >= s->asked + FIPS_ASK_AGAIN_MS;
	if (ask)
		s->asked = k->since;
	while (c->staged_bytes > FIPS_STAGE_BYTES && s->n > 1)
		fips_stage_drop(c, s, FIPS_DROP_REASON_STAGE_FULL);
	if (c->staged_bytes > FIPS_STAGE_BYTES) {
		/* Others hold all the room: this one goes, its question stays. */
		fips_stage_drop(c, s, FIPS_DROP_REASON_STAGE_FULL);
	}
	if (!s->n)
		fips_stage_del(c, s);
	atomic_store(&c->tick, true);
out:
	pthread_mutex_unlock(&c->stage_lock);
	return ask;
}

struct fips_staged *fips_stage_take(struct fips_core *c, enum fips_stage_kind kind, const u8 *addr)
{
	struct fips_staged *list = NULL;
	struct fips_stage *s;

	pthread_mutex_lock(&c->stage_lock);
	s = fips_stage_find(c, kind, addr);
	if (s) {
		list = s->head;
		while (s->head)
			fips_stage_pop(c, s);
		fips_stage_del(c, s);
	}
	pthread_mutex_unlock(&c->stage_lock);
	return list;
}

u32 fips_stage_count(struct fips_core *c, enum fips_stage_kind kind, const u8 *addr)
{
	struct fips_stage *s;
	u32 n;

	pthread_mutex_lock(&c->stage_lock);
	s = fips_stage_find(c, kind, addr);
	n = s ? s->n : 0;
	pthread_mutex_unlock(&c->stage_lock);
	return n;
}

void fips_stage_flush(struct fips_core *c, const struct fips_core_out *out, u64 now,
		      enum fips_stage_kind kind, const u8 *addr)
{
	struct fips_staged *list = fips_stage_take(c, kind, addr), *k;

	while ((k = list)) {
		list = k->next;
		if (kind == FIPS_STAGE_PACKET)
			fips_core_packet(c, out, now, &k->gso, k->data, k->len);
		else
			fips_forward(c, out, now, k->data, k->len, k->ce, k->link_id);
		free(k);
	}
}

u64 fips_stage_expire(struct fips_core *c, u64 now)
{
	struct fips_stage *s, *tmp;
	u64 next = FIPS_NEVER;

	pthread_mutex_lock(&c->stage_lock);
	HASH_ITER(hh, c->stages, s, tmp) {
		while (s->head && now >= s->head->since + c->cfg.stage_ms)
			fips_stage_drop(c, s, FIPS_DROP_REASON_STAGE_EXPIRED);
		if (!s->head)
			fips_stage_del(c, s);
		else if (s->head->since + c->cfg.stage_ms < next)
			next = s->head->since + c->cfg.stage_ms;
	}
	pthread_mutex_unlock(&c->stage_lock);
	return next;
}

void fips_stage_free(struct fips_core *c)
{
	struct fips_stage *s, *tmp;

	HASH_ITER(hh, c->stages, s, tmp) {
		while (s->head)
			free(fips_stage_pop(c, s));
		fips_stage_del(c, s);
	}
}
