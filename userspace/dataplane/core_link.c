// SPDX-License-Identifier: MIT
/*
 * Links: made and removed by the node, found by number here and by index in
 * core_rx.c. An index belongs to one key epoch of one link, unique in the node
 * (spec 03 §3), so that a frame names its key.
 */
#include <errno.h>
#include <stdlib.h>

#include "core_impl.h"

struct fips_link *fips_link_find(struct fips_core *c, u32 id)
{
	struct fips_link *l;

	HASH_FIND(hh, c->links, &id, sizeof(id), l);
	return l;
}

void fips_link_endpoint(struct fips_link *l, struct fips_endpoint *to)
{
	pthread_mutex_lock(&l->lock);
	*to = l->to;
	pthread_mutex_unlock(&l->lock);
}

static int fips_link_slot_fill(struct fips_core *c, struct fips_link *l, u64 now,
			       const struct fips_dp_key *key)
{
	struct fips_epoch *e, *other;
	int err;

	HASH_FIND(hh, c->indices, &key->local_index, sizeof(u32), other);
	if (other && (other->link != l || fips_slot_get(&l->slot[key->slot]) != other))
		return -EEXIST;
	if (other && !other->has_key && key->has_key)
		return fips_epoch_install(c, other, key, now);
	e = fips_epoch_new(c, key, now, &err);
	if (!e)
		return err;
	fips_epoch_retire(c, fips_slot_get(&l->slot[key->slot]));
	e->link = l;
	HASH_ADD(hh, c->indices, local_index, sizeof(u32), e);
	fips_slot_set(&l->slot[key->slot], e);
	return 0;
}

/* Frames that came before the key now count as coming. */
static void fips_link_unpark(struct fips_core *c, const struct fips_core_out *out, u64 now,
			     struct fips_epoch *e)
{
	struct fips_parked *list = NULL, **tail = &list, *p;

	/* First all out, then in: opening one may retire @e. */
	while ((p = fips_unpark(c, &e->parking))) {
		*tail = p;
		tail = &p->next;
		p->next = NULL;
	}
	while ((p = list)) {
		list = p->next;
		fips_core_frame(c, out, now, &p->from, p->data, p->len);
		free(p);
	}
}

int fips_core_link_key_new(struct fips_core *c, const struct fips_core_out *out, u64 now, u32 id,
			   const struct fips_dp_key *key)
{
	struct fips_link *l = fips_link_find(c, id);
	int err;

	if (!l)
		return -ENOENT;
	if (key->slot >= FIPS_SLOTS)
		return -EINVAL;
	fips_core_reap(c);
	err = fips_link_slot_fill(c, l, now, key);
	if (!err && key->has_key)
		fips_link_unpark(c, out, now, fips_slot_get(&l->slot[key->slot]));
	return err;
}

int fips_core_link_new(struct fips_core *c, const struct fips_core_out *out, u64 now,
		       const struct fips_dp_link *n)
{
	struct fips_link *l;
	int err = 0;

	(void)out;
	fips_core_reap(c);
	if (!n->id || n->mtu < FIPS_OVERHEAD || (n->key && n->key->slot >= FIPS_SLOTS))
		return -EINVAL;
	if (fips_link_find(c, n->id))
		return -EEXIST;
	if (HASH_COUNT(c->links) >= FIPS_MAX_LINKS)
		return -ENOSPC;
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->id = n->id;
	l->peer = n->peer;
	l->mtu = n->mtu;
	l->candidate = n->candidate;
	l->quiet = true;
	l->to.transport_id = n->transport_id;
	l->to.addr = n->remote;
	fips_store(&l->last_rx, FIPS_NEVER);
	pthread_mutex_init(&l->lock, NULL);
	HASH_ADD(hh, c->links, id, sizeof(l->id), l);
	if (n->key)
		err = fips_link_slot_fill(c, l, now, n->key);
	if (err)
		fips_link_free(c, l);
	return err;
}

void fips_link_free(struct fips_core *c, struct fips_link *l)
{
	int i;

	for (i = 0; i < FIPS_SLOTS; i++)
		fips_epoch_retire(c, fips_slot_get(&l->slot[i]));
	HASH_DEL(c->links, l);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

int fips_core_link_move(struct fips_core *c, u32 id, const struct fips_endpoint *to)
{
	struct fips_link *l = fips_link_find(c, id);

	if (!l)
		return -ENOENT;
	pthread_mutex_lock(&l->lock);
	l->to = *to;
	pthread_mutex_unlock(&l->lock);
	return 0;
}

int fips_core_link_del(struct fips_core *c, u32 id)
{
	struct fips_link *l = fips_link_find(c, id);

	if (!l)
		return -ENOENT;
	fips_routes_del_link(c, l);
	fips_link_free(c, l);
	fips_core_reap(c);
	return 0;
}

void fips_core_links_del(struct fips_core *c, u32 transport_id)
{
	struct fips_link *l, *tmp;

	HASH_ITER(hh, c->links, l, tmp)
		if (l->to.transport_id == transport_id)
			fips_core_link_del(c, l->id);
}

int fips_core_link_key_swap(struct fips_core *c, u64 now, u32 id)
{
	struct fips_link *l = fips_link_find(c, id);

	if (!l || !fips_epoch_usable(fips_slot_get(&l->slot[FIPS_KEY_SLOT_NEXT]), now))
		return -ENOENT;
	fips_slots_promote(c, l->slot, now);
	fips_core_reap(c);
	return 0;
}

int fips_core_link_key_del(struct fips_core *c, u32 id, u32 slot)
{
	struct fips_link *l = fips_link_find(c, id);
	struct fips_epoch *e;

	if (!l || slot >= FIPS_SLOTS)
		return -ENOENT;
	e = fips_slot_get(&l->slot[slot]);
	if (!e)
		return -ENOENT;
	fips_slot_set(&l->slot[slot], NULL);
	fips_epoch_retire(c, e);
	fips_core_reap(c);
	return 0;
}

void fips_link_seal(struct fips_epoch *e, struct fips_aead *aead, u8 flags, u64 ctr, u8 *frame,
		    const u8 *plain, size_t len)
{
	if (e->k_bit)
		flags |= FIPS_FMP_FLAG_K;
	if (fips_epoch_spin(e))
		flags |= FIPS_FMP_FLAG_SP;
	fips_put_fmp_hdr(frame, flags, (u16)len, e->remote_index, ctr);
	fips_aead_seal(aead, ctr, frame, FIPS_FMP_HDR_LEN, frame + FIPS_FMP_HDR_LEN, plain, len);
}

void fips_link_key_limit(const struct fips_core_out *out, struct fips_link *l)
{
	struct fips_event ev = { .type = FIPS_EV_LINK_KEY_LIMIT };

	ev.link.id = l->id;
	ev.link.slot = FIPS_KEY_SLOT_CURRENT;
	fips_core_event(out, &ev);
}

int fips_core_link_xmit(struct fips_core *c, const struct fips_core_out *out, u64 now, u32 id,
			u32 slot, const void *msg, size_t len)
{
	struct fips_link *l = fips_link_find(c, id);
	size_t flen = FIPS_LINK_OVERHEAD + len;
	struct fips_endpoint to;
	struct fips_epoch *e;
	struct fips_aead *aead;
	bool limit;
	u64 ctr;
	u32 ts;
	u8 *f;

	if (!l || slot >= FIPS_SLOTS)
		return -ENOENT;
	if (!len || flen > l->mtu)
		return len ? -EMSGSIZE : -EINVAL;
	e = fips_slot_get(&l->slot[slot]);
	aead = fips_epoch_usable(e, now) ? fips_epoch_seal(c, e, out->lane) : NULL;
	if (!aead) {
		fips_core_object_drop(c, &l->stats, FIPS_DROP_REASON_NO_KEY);
		return -ENOKEY;
	}
	if (!fips_epoch_take(e, 1, &ctr, &limit)) {
		fips_core_object_drop(c, &l->stats, FIPS_DROP_REASON_KEY_LIMIT);
		return -EOVERFLOW;
	}
	fips_link_endpoint(l, &to);
	f = out->ops->room(out->ctx, &to, flen);
	if (!f)
		return -ENOBUFS;
	ts = fips_epoch_timestamp(e, now);
	fips_epoch_sent(e, ctr, ts);
	fips_put_le32(f + FIPS_FMP_HDR_LEN, ts);
	memcpy(f + FIPS_DGRAM_OFF, msg, len);
	fips_link_seal(e, aead, 0, ctr, f, f + FIPS_FMP_HDR_LEN, 4 + len);
	out->ops->frame(out->ctx, &to, f, flen);
	fips_count(&l->stats.tx_packets, 1);
	fips_count(&l->stats.tx_bytes, flen);
	fips_count(&c->stats.tx_packets, 1);
	fips_count(&c->stats.tx_bytes, flen);
	if (limit)
		fips_link_key_limit(out, l);
	return 0;
}

int fips_core_link_get(struct fips_core *c, u64 now, u32 id, struct fips_dp_link_info *info)
{
	struct fips_link *l = fips_link_find(c, id);
	struct fips_epoch *e;
	u64 last;

	if (!l)
		return -ENOENT;
	memset(info, 0, sizeof(*info));
	last = fips_load(&l->last_rx);
	info->last_rx_ms = last == FIPS_NEVER ? FIPS_NEVER : now - last;
	info->remote = l->to.addr;
	e = fips_slot_get(&l->slot[FIPS_KEY_SLOT_CURRENT]);
	if (e)
		info->tx_counter = fips_load(&e->tx_counter);
	fips_stats_read(&l->stats, &info->stats);
	return 0;
}
