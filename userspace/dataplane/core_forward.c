// SPDX-License-Identifier: MIT
/*
 * Datagrams on their way (spec 07 C): the common tail of transit traffic and of
 * session messages that the node sends itself. Bulk data of the local stack has
 * a shorter way in core_tx.c.
 */
#include <fips/dgram.h>

#include "core_impl.h"

void fips_put_dgram_hdr(u8 *p, u8 ttl, u16 mtu, const struct fips_node_addr *src,
			const struct fips_node_addr *dst)
{
	p[0] = FIPS_LINK_DATAGRAM;
	p[FIPS_DGRAM_TTL_OFF] = ttl;
	fips_put_le16(p + FIPS_DGRAM_MTU_OFF, mtu);
	memcpy(p + FIPS_DGRAM_SRC_OFF, src->b, sizeof(src->b));
	memcpy(p + FIPS_DGRAM_DST_OFF, dst->b, sizeof(dst->b));
}

static void fips_forward_event(const struct fips_core_out *out, enum fips_event_type type,
			       const u8 *dgram, size_t len, u32 link_id)
{
	struct fips_event ev = { .type = type };

	memcpy(ev.route.dest.b, dgram + FIPS_DGRAM_DST_OFF, sizeof(ev.route.dest.b));
	ev.route.link_id = link_id;
	ev.route.header = dgram;
	ev.route.len = fips_dgram_header(dgram, len);
	fips_core_event(out, &ev);
}

static void fips_forward_stage(struct fips_core *c, const struct fips_core_out *out, u64 now,
			       const u8 *dgram, size_t len, bool ce, u32 link_id)
{
	struct fips_staged meta = { .since = now, .ce = ce, .link_id = link_id, .len = len };

	if (fips_stage_put(c, FIPS_STAGE_DGRAM, dgram + FIPS_DGRAM_DST_OFF, &meta, dgram))
		fips_forward_event(out, FIPS_EV_ROUTE_MISS, dgram, len, link_id);
}

static void fips_forward_seal(struct fips_core *c, const struct fips_core_out *out, u64 now,
			      struct fips_link *l, u8 *dgram, size_t len, bool ce)
{
	struct fips_epoch *e = fips_slot_get(&l->slot[FIPS_KEY_SLOT_CURRENT]);
	size_t flen = FIPS_LINK_OVERHEAD + len;
	struct fips_aead *aead;
	struct fips_endpoint to;
	bool limit;
	u64 ctr;
	u32 ts;
	u8 *f;

	aead = fips_epoch_usable(e, now) ? fips_epoch_seal(c, e, out->lane) : NULL;
	if (!aead) {
		fips_core_object_drop(c, &l->stats, FIPS_DROP_REASON_NO_KEY);
		return;
	}
	if (!fips_epoch_take(e, 1, &ctr, &limit)) {
		fips_core_object_drop(c, &l->stats, FIPS_DROP_REASON_KEY_LIMIT);
		return;
	}
	fips_link_endpoint(l, &to);
	f = out->ops->room(out->ctx, &to, flen);
	if (!f) {
		fips_core_object_drop(c, &l->stats, FIPS_DROP_REASON_TX_HEADROOM);
		return;
	}
	ts = fips_epoch_timestamp(e, now);
	fips_epoch_sent(e, ctr, ts);
	fips_put_le32(dgram - 4, ts);
	fips_link_seal(e, aead, ce ? FIPS_FMP_FLAG_CE : 0, ctr, f, dgram - 4, 4 + len);
	out->ops->frame(out->ctx, &to, f, flen);
	fips_count(&l->stats.tx_packets, 1);
	fips_count(&l->stats.tx_bytes, flen);
	fips_count(&c->stats.tx_packets, 1);
	fips_count(&c->stats.tx_bytes, flen);
	if (limit)
		fips_link_key_limit(out, l);
}

/*
 * It would go back where it came from: whoever sent it believes that we are
 * nearer, we believe the same of him, and only the TTL would end it.
 */
static void fips_forward_back(struct fips_core *c, const struct fips_core_out *out, u64 now,
			      struct fips_link *l, const u8 *dgram, size_t len)
{
	fips_core_object_drop(c, &l->stats, FIPS_DROP_REASON_DGRAM_BACK);
	if (l->back_told && now - l->back_told < FIPS_BACK_GAP_MS)
		return;
	l->back_told = now;
	fips_forward_event(out, FIPS_EV_ROUTE_BACK, dgram, len, l->id);
}

void fips_forward(struct fips_core *c, const struct fips_core_out *out, u64 now, u8 *dgram,
		  size_t len, bool ce, u32 link_id)
{
	struct fips_node_addr dest;
	struct fips_route *r;
	u16 mtu;

	memcpy(dest.b, dgram + FIPS_DGRAM_DST_OFF, sizeof(dest.b));
	r = fips_route_find(c, &dest);
	if (!r || (!r->link && now >= r->until)) {
		fips_forward_stage(c, out, now, dgram, len, ce, link_id);
		return;
	}
	if (!r->link) {
		fips_core_drop(c, FIPS_DROP_REASON_NO_ROUTE, 1);
		return;
	}
	if (r->link->id == link_id) {
		fips_forward_back(c, out, now, r->link, dgram, len);
		return;
	}
	fips_route_use(r, now);
	mtu = r->link->mtu;
	if (FIPS_LINK_OVERHEAD + len > mtu) {
		fips_core_object_drop(c, &r->link->stats, FIPS_DROP_REASON_DGRAM_MTU);
		if (link_id)
			fips_forward_event(out, FIPS_EV_MTU_EXCEEDED, dgram, len, link_id);
		return;
	}
	if (mtu < fips_get_le16(dgram + FIPS_DGRAM_MTU_OFF))
		fips_put_le16(dgram + FIPS_DGRAM_MTU_OFF, mtu);
	if (link_id) {
		fips_count(&c->stats.forwarded, 1);
		if (r->link->congested) {
			fips_count(&c->stats.ce_marked, 1);
			ce = true;
		}
	}
	if (ce)
		fips_count(&c->stats.ce_forwarded, 1);
	fips_forward_seal(c, out, now, r->link, dgram, len, ce);
}

/*
 * Those that the node has seen a moment ago are passed over; others are
 * limited, so that a flood of them takes no more than its share of the node.
 */
void fips_mirror_coords(struct fips_core *c, const struct fips_core_out *out, u64 now,
			const u8 *dgram, size_t len, u32 link_id)
{
	bool seen, ok = false;
	size_t off, end = fips_dgram_coords(dgram, len, &off);

	if (!end || end > FIPS_COORDS_MAX)
		return;
	pthread_mutex_lock(&c->stage_lock);
	seen = fips_seen_test(c->seen, dgram, off, end, now + 1, 1000);
	if (!seen) {
		if (c->coords_second != now / 1000) {
			c->coords_second = now / 1000;
			c->coords_sent = 0;
		}
		ok = c->coords_sent++ < FIPS_COORDS_PER_SEC;
	}
	pthread_mutex_unlock(&c->stage_lock);
	if (ok)
		fips_forward_event(out, FIPS_EV_COORDS, dgram, len, link_id);
	else if (!seen)
		fips_core_drop(c, FIPS_DROP_REASON_UPCALL_DATA, 1);
}
