// SPDX-License-Identifier: MIT
/*
 * The packet core as an object: its life, its device state, its counters and
 * its clockwork. Links, sessions, routes and the two packet walks have files of
 * their own.
 */
#include <stdlib.h>

#include "core_impl.h"

struct fips_core *fips_core_new(const struct fips_core_config *cfg)
{
	struct fips_core *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->cfg = *cfg;
	if (!c->cfg.stage_packets)
		c->cfg.stage_packets = 16;
	if (!c->cfg.stage_destinations)
		c->cfg.stage_destinations = 256;
	if (!c->cfg.stage_ms)
		c->cfg.stage_ms = 30000;
	c->transport_mtu = 1280;
	c->ttl = FIPS_DEFAULT_TTL;
	fips_node_addr_to_ipv6(&cfg->addr, c->ipv6);
	pthread_mutex_init(&c->stage_lock, NULL);
	return c;
}

void fips_core_free(struct fips_core *c)
{
	struct fips_session *s, *stmp;
	struct fips_link *l, *ltmp;

	if (!c)
		return;
	fips_routes_free(c);
	HASH_ITER(hh, c->sessions, s, stmp)
		fips_session_free(c, s);
	HASH_ITER(hh, c->links, l, ltmp)
		fips_link_free(c, l);
	fips_core_reap(c);
	fips_stage_free(c);
	pthread_mutex_destroy(&c->stage_lock);
	free(c);
}

/* Free what shared calls have unlinked. */
void fips_core_reap(struct fips_core *c)
{
	struct fips_epoch *e;
	int i;

	while ((e = c->dead)) {
		c->dead = e->dead;
		for (i = 0; i < FIPS_LANES; i++)
			fips_aead_wipe(&e->seal[i]);
		fips_aead_wipe(&e->open);
		explicit_bzero(e, sizeof(*e));
		free(e);
	}
}

void fips_core_event(const struct fips_core_out *out, struct fips_event *ev)
{
	out->ops->event(out->ctx, ev);
}

void fips_core_drop(struct fips_core *c, enum fips_drop_reason reason, u64 n)
{
	fips_count(&c->stats.drops[reason], n);
}

void fips_core_object_drop(struct fips_core *c, struct fips_stats *object,
			   enum fips_drop_reason reason)
{
	fips_core_drop(c, reason, 1);
	if (object)
		fips_count(&object->drops[reason], 1);
}

void fips_stats_read(struct fips_stats *s, struct fips_dp_stats *out)
{
	int i;

	out->rx_packets = fips_load(&s->rx_packets);
	out->rx_bytes = fips_load(&s->rx_bytes);
	out->tx_packets = fips_load(&s->tx_packets);
	out->tx_bytes = fips_load(&s->tx_bytes);
	out->forwarded = fips_load(&s->forwarded);
	out->ce_packets = fips_load(&s->ce_packets);
	out->ce_delivered = fips_load(&s->ce_delivered);
	out->ce_forwarded = fips_load(&s->ce_forwarded);
	out->ce_marked = fips_load(&s->ce_marked);
	for (i = 0; i < FIPS_DROP_REASONS; i++)
		out->drops[i] = fips_load(&s->drops[i]);
}

int fips_core_dev_set(struct fips_core *c, const struct fips_dp_dev *dev)
{
	c->cfg.addr = dev->addr;
	fips_node_addr_to_ipv6(&dev->addr, c->ipv6);
	c->transport_mtu = dev->transport_mtu;
	c->ttl = dev->ttl;
	return 0;
}

void fips_core_dev_get(struct fips_core *c, struct fips_dp_stats *st)
{
	fips_stats_read(&c->stats, st);
}

bool fips_core_wants_tick(struct fips_core *c)
{
	return atomic_load_explicit(&c->tick, memory_order_relaxed) &&
	       atomic_exchange(&c->tick, false);
}

static u64 fips_links_tick(struct fips_core *c, u64 now)
{
	struct fips_epoch *e, *tmp;
	u64 due, next = FIPS_NEVER;
	int i;

	HASH_ITER(hh, c->indices, e, tmp) {
		if (e->has_key && now >= e->dies_ms) {
			for (i = 0; i < FIPS_SLOTS; i++)
				if (fips_slot_get(&e->link->slot[i]) == e)
					fips_slot_set(&e->link->slot[i], NULL);
			fips_epoch_retire(c, e);
			continue;
		}
		due = fips_park_expire(c, &e->parking, now);
		if (e->dies_ms < due)
			due = e->dies_ms;
		if (due < next)
			next = due;
	}
	return next;
}

static u64 fips_sessions_tick(struct fips_core *c, u64 now)
{
	struct fips_session *s, *tmp;
	struct fips_epoch *e;
	u64 due, next = FIPS_NEVER;
	int i;

	HASH_ITER(hh, c->sessions, s, tmp) {
		due = fips_park_expire(c, &s->parking, now);
		for (i = 0; i < FIPS_SLOTS; i++) {
			e = fips_slot_get(&s->slot[i]);
			if (!e || e->dies_ms == FIPS_NEVER)
				continue;
			if (now >= e->dies_ms) {
				fips_slot_set(&s->slot[i], NULL);
				fips_epoch_retire(c, e);
			} else if (e->dies_ms < due) {
				due = e->dies_ms;
			}
		}
		if (due < next)
			next = due;
	}
	return next;
}

u64 fips_core_tick(struct fips_core *c, const struct fips_core_out *out, u64 now)
{
	u64 next, due;

	(void)out;
	atomic_store(&c->tick, false);
	next = fips_links_tick(c, now);
	due = fips_sessions_tick(c, now);
	if (due < next)
		next = due;
	due = fips_stage_expire(c, now);
	if (due < next)
		next = due;
	due = fips_routes_expire(c, now);
	if (due < next)
		next = due;
	due = fips_unreachable_expire(c, now);
	if (due < next)
		next = due;
	fips_core_reap(c);
	return next;
}
