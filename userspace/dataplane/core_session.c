// SPDX-License-Identifier: MIT
/*
 * Sessions: made by the node before its Setup or Ack leaves, so that what comes
 * ahead of the key finds a place to wait. Found by node address for datagrams,
 * by IPv6 address for packets of the local stack.
 */
#include <errno.h>
#include <stdlib.h>

#include "core_impl.h"

struct fips_session *fips_session_find(struct fips_core *c, const struct fips_node_addr *remote)
{
	struct fips_session *s;

	HASH_FIND(hh, c->sessions, remote, sizeof(*remote), s);
	return s;
}

struct fips_session *fips_session_find6(struct fips_core *c, const u8 *ipv6)
{
	struct fips_session *s;

	HASH_FIND(hh6, c->sessions6, ipv6, FIPS_IPV6_LEN, s);
	return s;
}

static int fips_session_coords(struct fips_session *s, const struct fips_dp_session *n)
{
	u8 *copy = NULL;

	if (n->coords_len > FIPS_COORDS_MAX)
		return -EINVAL;
	if (n->coords && n->coords_len) {
		copy = malloc(n->coords_len);
		if (!copy)
			return -ENOMEM;
		memcpy(copy, n->coords, n->coords_len);
	}
	free(s->coords);
	s->coords = copy;
	s->coords_len = copy ? n->coords_len : 0;
	atomic_store(&s->coords_count, copy ? n->coords_count : 0);
	return 0;
}

static void fips_session_slot_fill(struct fips_core *c, struct fips_session *s, u32 slot,
				   struct fips_epoch *e)
{
	fips_epoch_retire(c, fips_slot_get(&s->slot[slot]));
	fips_slot_set(&s->slot[slot], e);
}

/* What waited for this session may go: datagrams in, packets out. */
static void fips_session_release(struct fips_core *c, const struct fips_core_out *out, u64 now,
				 struct fips_session *s)
{
	struct fips_parked *list = NULL, **tail = &list, *p;
	u8 ipv6[FIPS_IPV6_LEN];

	memcpy(ipv6, s->ipv6, sizeof(ipv6));
	while ((p = fips_unpark(c, &s->parking))) {
		*tail = p;
		tail = &p->next;
		p->next = NULL;
	}
	while ((p = list)) {
		list = p->next;
		fips_rx_datagram(c, out, now, p->link_id, p->ce, p->data, p->len);
		free(p);
	}
	fips_stage_flush(c, out, now, FIPS_STAGE_PACKET, ipv6);
}

int fips_core_session_new(struct fips_core *c, const struct fips_core_out *out, u64 now,
			  const struct fips_dp_session *n)
{
	struct fips_epoch *e = NULL;
	struct fips_session *s;
	int err;

	fips_core_reap(c);
	if (n->key && n->key->slot >= FIPS_SLOTS)
		return -EINVAL;
	if (fips_session_find(c, &n->remote))
		return -EEXIST;
	if (HASH_COUNT(c->sessions) >= FIPS_MAX_SESSIONS)
		return -ENOSPC;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	err = fips_session_coords(s, n);
	if (!err && n->key)
		e = fips_epoch_new(c, n->key, now, &err);
	fips_node_addr_to_ipv6(&n->remote, s->ipv6);
	if (!err && fips_session_find6(c, s->ipv6))
		err = -EADDRINUSE;
	if (err) {
		fips_epoch_retire(c, e);
		free(s->coords);
		free(s);
		return err;
	}
	s->remote = n->remote;
	s->path_mtu = n->path_mtu;
	s->quiet = true;
	s->seen_mtu = FIPS_MTU_UNKNOWN;
	s->parking.tail = &s->parking.head;
	fips_store(&s->last_data, FIPS_NEVER);
	fips_store(&s->last_rx, FIPS_NEVER);
	if (e)
		fips_session_slot_fill(c, s, n->key->slot, e);
	HASH_ADD(hh, c->sessions, remote, sizeof(s->remote), s);
	HASH_ADD(hh6, c->sessions6, ipv6, sizeof(s->ipv6), s);
	if (e && e->has_key)
		fips_session_release(c, out, now, s);
	return 0;
}

int fips_core_session_set(struct fips_core *c, const struct fips_dp_session *n)
{
	struct fips_session *s = fips_session_find(c, &n->remote);

	if (!s)
		return -ENOENT;
	s->path_mtu = n->path_mtu;
	return fips_session_coords(s, n);
}

void fips_session_free(struct fips_core *c, struct fips_session *s)
{
	struct fips_staged *k;
	struct fips_parked *p;
	int i;

	for (i = 0; i < FIPS_SLOTS; i++)
		fips_epoch_retire(c, fips_slot_get(&s->slot[i]));
	while ((p = fips_unpark(c, &s->parking))) {
		fips_core_drop(c, FIPS_DROP_REASON_PARK_EXPIRED, 1);
		free(p);
	}
	while ((k = fips_stage_take(c, FIPS_STAGE_PACKET, s->ipv6))) {
		for (struct fips_staged *next; k; k = next) {
			next = k->next;
			fips_core_drop(c, FIPS_DROP_REASON_STAGE_EXPIRED, 1);
			free(k);
		}
	}
	HASH_DELETE(hh, c->sessions, s);
	HASH_DELETE(hh6, c->sessions6, s);
	free(s->coords);
	free(s);
}

int fips_core_session_del(struct fips_core *c, const struct fips_node_addr *remote)
{
	struct fips_session *s = fips_session_find(c, remote);

	if (!s)
		return -ENOENT;
	fips_session_free(c, s);
	fips_core_reap(c);
	return 0;
}

int fips_core_session_key_new(struct fips_core *c, const struct fips_core_out *out, u64 now,
			      const struct fips_node_addr *remote, const struct fips_dp_key *key)
{
	struct fips_session *s = fips_session_find(c, remote);
	struct fips_epoch *e;
	int err;

	if (!s)
		return -ENOENT;
	if (key->slot >= FIPS_SLOTS)
		return -EINVAL;
	fips_core_reap(c);
	e = fips_epoch_new(c, key, now, &err);
	if (!e)
		return err;
	fips_session_slot_fill(c, s, key->slot, e);
	if (e->has_key)
		fips_session_release(c, out, now, s);
	return 0;
}

int fips_core_session_key_swap(struct fips_core *c, u64 now, const struct fips_node_addr *remote)
{
	struct fips_session *s = fips_session_find(c, remote);

	if (!s || !fips_epoch_usable(fips_slot_get(&s->slot[FIPS_KEY_SLOT_NEXT]), now))
		return -ENOENT;
	fips_slots_promote(c, s->slot, now);
	fips_core_reap(c);
	return 0;
}

int fips_core_session_key_del(struct fips_core *c, const struct fips_node_addr *remote, u32 slot)
{
	struct fips_session *s = fips_session_find(c, remote);

	if (!s || slot >= FIPS_SLOTS || !fips_slot_get(&s->slot[slot]))
		return -ENOENT;
	fips_session_slot_fill(c, s, slot, NULL);
	fips_core_reap(c);
	return 0;
}

void fips_session_key_limit(const struct fips_core_out *out, struct fips_session *s)
{
	struct fips_event ev = { .type = FIPS_EV_SESSION_KEY_LIMIT };

	ev.session.remote = s->remote;
	ev.session.slot = FIPS_KEY_SLOT_CURRENT;
	fips_core_event(out, &ev);
}

int fips_core_session_get(struct fips_core *c, u64 now, const struct fips_node_addr *remote,
			  struct fips_dp_session_info *info)
{
	struct fips_session *s = fips_session_find(c, remote);
	struct fips_epoch *e;
	u64 last;

	if (!s)
		return -ENOENT;
	memset(info, 0, sizeof(*info));
	last = fips_load(&s->last_data);
	info->last_data_ms = last == FIPS_NEVER ? FIPS_NEVER : now - last;
	last = fips_load(&s->last_rx);
	info->last_rx_ms = last == FIPS_NEVER ? FIPS_NEVER : now - last;
	info->path_mtu = s->path_mtu;
	info->staged = fips_stage_count(c, FIPS_STAGE_PACKET, s->ipv6);
	e = fips_slot_get(&s->slot[FIPS_KEY_SLOT_CURRENT]);
	if (e) {
		info->tx_counter = fips_load(&e->tx_counter);
		info->k_bit = e->k_bit;
	}
	fips_stats_read(&s->stats, &info->stats);
	return 0;
}

/* Header, coordinates and sealed text of a message into @p; its length. */
static size_t fips_fsp_put(struct fips_session *s, struct fips_epoch *e, struct fips_aead *aead,
			   u64 now, u64 ctr, u8 *p, u8 msg_type, bool cp, const void *body,
			   size_t len)
{
	size_t plain_len = FIPS_FSP_INNER_LEN + len;
	u8 *plain = p + FIPS_FSP_HDR_LEN + (cp ? s->coords_len : 0);
	u8 flags = cp ? FIPS_FSP_FLAG_CP : 0;
	u32 ts = fips_epoch_timestamp(e, now);

	fips_epoch_sent(e, ctr, ts);
	if (cp)
		fips_count(&s->tx_coords, s->coords_len);
	/* On a CoordsWarmup, too: M takes our proof of new keys by it only (spec 02 §12.5). */
	if (e->k_bit)
		flags |= FIPS_FSP_FLAG_K;
	fips_put_fsp_hdr(p, flags, (u16)plain_len, ctr);
	if (cp)
		memcpy(p + FIPS_FSP_HDR_LEN, s->coords, s->coords_len);
	fips_put_le32(plain, ts);
	plain[4] = msg_type;
	plain[5] = fips_epoch_spin(e);
	if (len)
		memcpy(plain + FIPS_FSP_INNER_LEN, body, len);
	fips_aead_seal(aead, ctr, p, FIPS_FSP_HDR_LEN, plain, plain, plain_len);
	return plain + plain_len + FIPS_TAG_LEN - p;
}

int fips_core_session_xmit(struct fips_core *c, const struct fips_core_out *out, u64 now,
			   const struct fips_node_addr *remote, u32 slot, u8 msg_type,
			   bool with_coords, const void *body, size_t len)
{
	struct fips_session *s = fips_session_find(c, remote);
	struct fips_epoch *e;
	struct fips_aead *aead;
	size_t mlen, max;
	bool limit;
	u64 ctr;
	u8 *buf;

	if (!s || slot >= FIPS_SLOTS)
		return -ENOENT;
	if (with_coords && !s->coords)
		return -ENODATA;
	max = FIPS_DGRAM_HDR_LEN + FIPS_FSP_MIN_LEN + FIPS_FSP_INNER_LEN + s->coords_len + len;
	if (max > FIPS_FRAME_MAX - FIPS_LINK_OVERHEAD)
		return -EMSGSIZE;
	e = fips_slot_get(&s->slot[slot]);
	aead = fips_epoch_usable(e, now) ? fips_epoch_seal(c, e, out->lane) : NULL;
	if (!aead) {
		fips_core_object_drop(c, &s->stats, FIPS_DROP_REASON_NO_KEY);
		return -ENOKEY;
	}
	buf = malloc(4 + max);
	if (!buf)
		return -ENOMEM;
	if (!fips_epoch_take(e, 1, &ctr, &limit)) {
		free(buf);
		fips_core_object_drop(c, &s->stats, FIPS_DROP_REASON_KEY_LIMIT);
		return -EOVERFLOW;
	}
	fips_put_dgram_hdr(buf + 4, c->ttl, FIPS_MTU_UNKNOWN, &c->cfg.addr, &s->remote);
	mlen = fips_fsp_put(s, e, aead, now, ctr, buf + 4 + FIPS_DGRAM_HDR_LEN, msg_type,
			    with_coords, body, len);
	fips_count(&s->stats.tx_packets, 1);
	fips_count(&s->stats.tx_bytes, mlen);
	fips_forward(c, out, now, buf + 4, FIPS_DGRAM_HDR_LEN + mlen, false, 0);
	free(buf);
	if (limit)
		fips_session_key_limit(out, s);
	return 0;
}
