// SPDX-License-Identifier: MIT
/*
 * Key epochs: made by the node's key commands, promoted by the first frame they
 * open or by the node, retired when another takes their place. Also the parking
 * of frames that came ahead of their key (architecture §2).
 */
#include <errno.h>
#include <stdlib.h>

#include "core_impl.h"

int fips_epoch_install(struct fips_core *c, struct fips_epoch *e, const struct fips_dp_key *key,
		       u64 now)
{
	int err;

	if (!key->has_key)
		return 0;
	err = fips_aead_init(&e->open, c->cfg.engine[FIPS_LANE_RX], key->rx);
	if (!err)
		err = fips_aead_init(&e->seal[FIPS_LANE_TX], c->cfg.engine[FIPS_LANE_TX],
				     key->tx);
	if (err) {
		fips_aead_wipe(&e->open);
		return err;
	}
	memcpy(e->tx_key, key->tx, FIPS_KEY_LEN);
	e->remote_index = key->remote_index;
	e->k_bit = key->k_bit & 1;
	e->soft = key->soft_limit;
	e->hard = key->hard_limit ? key->hard_limit : FIPS_COUNTER_NEVER;
	e->dies_ms = key->lifetime_ms ? now + key->lifetime_ms : FIPS_NEVER;
	fips_store(&e->ts_base, now);
	e->spin.initiator = key->initiator;
	e->has_key = true;
	return 0;
}

struct fips_epoch *fips_epoch_new(struct fips_core *c, const struct fips_dp_key *key, u64 now,
				  int *err)
{
	struct fips_epoch *e = calloc(1, sizeof(*e));

	*err = -ENOMEM;
	if (!e)
		return NULL;
	e->local_index = key->local_index;
	e->dies_ms = FIPS_NEVER;
	e->parking.tail = &e->parking.head;
	*err = fips_epoch_install(c, e, key, now);
	if (*err) {
		free(e);
		return NULL;
	}
	return e;
}

void fips_epoch_retire(struct fips_core *c, struct fips_epoch *e)
{
	struct fips_parked *p;

	if (!e)
		return;
	if (e->link)
		HASH_DELETE(hh, c->indices, e);
	while ((p = fips_unpark(c, &e->parking))) {
		fips_core_drop(c, FIPS_DROP_REASON_PARK_EXPIRED, 1);
		free(p);
	}
	e->dead = c->dead;
	c->dead = e;
	atomic_store(&c->tick, true);
}

void fips_slots_promote(struct fips_core *c, fips_slot *slots, u64 now)
{
	struct fips_epoch *prev = fips_slot_get(&slots[FIPS_KEY_SLOT_PREVIOUS]);
	struct fips_epoch *next = fips_slot_get(&slots[FIPS_KEY_SLOT_NEXT]);

	/* The peer's timestamps begin anew, too: no jitter for a while. */
	next->mmp.grace_until_us = now * 1000 + FIPS_MMP_GRACE_US;
	fips_store(&next->ts_base, now);
	fips_slot_set(&slots[FIPS_KEY_SLOT_PREVIOUS],
		      fips_slot_get(&slots[FIPS_KEY_SLOT_CURRENT]));
	fips_slot_set(&slots[FIPS_KEY_SLOT_CURRENT], next);
	fips_slot_set(&slots[FIPS_KEY_SLOT_NEXT], NULL);
	fips_epoch_retire(c, prev);
}

u32 fips_epoch_take(struct fips_epoch *e, u32 n, u64 *first, bool *limit)
{
	u64 cur = fips_load(&e->tx_counter);
	u64 got;

	do {
		if (cur >= e->hard)
			return 0;
		got = e->hard - cur;
		if (got > n)
			got = n;
	} while (!atomic_compare_exchange_weak_explicit(&e->tx_counter, &cur, cur + got,
							memory_order_relaxed,
							memory_order_relaxed));
	*first = cur;
	*limit = e->soft && cur < e->soft && cur + got >= e->soft;
	return (u32)got;
}

struct fips_aead *fips_epoch_seal(struct fips_core *c, struct fips_epoch *e, enum fips_lane lane)
{
	struct fips_aead *a = &e->seal[lane];

	/* A lane makes only its own context, so there is nothing to lock. */
	if (!a->loaded && fips_aead_init(a, c->cfg.engine[lane], e->tx_key))
		return NULL;
	return a;
}

int fips_park(struct fips_core *c, struct fips_parking *p, const struct fips_parked *meta,
	      const u8 *data)
{
	struct fips_parked *k;

	if (p->n >= FIPS_PARK_EACH || c->parked >= FIPS_PARK_TOTAL)
		return -ENOSPC;
	k = malloc(sizeof(*k) + meta->len);
	if (!k)
		return -ENOMEM;
	*k = *meta;
	k->next = NULL;
	memcpy(k->data, data, meta->len);
	*p->tail = k;
	p->tail = &k->next;
	p->n++;
	c->parked++;
	atomic_store(&c->tick, true);
	return 0;
}

struct fips_parked *fips_unpark(struct fips_core *c, struct fips_parking *p)
{
	struct fips_parked *k = p->head;

	if (!k)
		return NULL;
	p->head = k->next;
	if (!p->head)
		p->tail = &p->head;
	p->n--;
	c->parked--;
	return k;
}

u64 fips_park_expire(struct fips_core *c, struct fips_parking *p, u64 now)
{
	while (p->head) {
		if (now < p->head->since + FIPS_PARK_MS)
			return p->head->since + FIPS_PARK_MS;
		free(fips_unpark(c, p));
		fips_core_drop(c, FIPS_DROP_REASON_PARK_EXPIRED, 1);
	}
	return FIPS_NEVER;
}
