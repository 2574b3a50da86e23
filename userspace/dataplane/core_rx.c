// SPDX-License-Identifier: MIT
/*
 * From a transport to the local stack, the node or the next hop. A frame names
 * its key by index; a session message is tried under each live key. Nothing
 * changes state before it has authenticated (spec 03 §26).
 */
#include "core_impl.h"

#include <fips/shim.h>

static u32 fips_slot_of(fips_slot *slots, const struct fips_epoch *e)
{
	u32 i;

	for (i = 0; i < FIPS_SLOTS; i++)
		if (fips_slot_get(&slots[i]) == e)
			return i;
	return FIPS_NO_SLOT;
}

/* -------------------------------------------------------------- sessions */

/**
 * struct fips_fsp - a session message being received
 * @s: session of its source
 * @e: epoch that opened it
 * @slot: where @e was when it did
 * @link_id: link it came on
 * @ce: the frame's CE flag
 * @mtu: path_mtu of the datagram
 * @ctr: counter
 * @plain: inner header and body
 * @len: their length
 * @coords: bytes of coordinates in front of it
 */
struct fips_fsp {
	struct fips_session *s;
	struct fips_epoch *e;
	u32 slot;
	u32 link_id;
	bool ce;
	u8 k;
	u16 mtu;
	u64 ctr;
	u8 *plain;
	size_t len;
	size_t coords;
};

static void fips_session_park(struct fips_core *c, u64 now, struct fips_session *s, u32 link_id,
			      bool ce, const u8 *dgram, size_t len)
{
	struct fips_parked meta = { .since = now, .link_id = link_id, .ce = ce, .len = len };

	if (fips_park(c, &s->parking, &meta, dgram))
		fips_core_object_drop(c, &s->stats, FIPS_DROP_REASON_PARK_FULL);
}

/* A key is still to come: none is there yet, or a handshake is armed. */
static bool fips_session_armed(struct fips_session *s)
{
	struct fips_epoch *e;
	bool any = false;
	int i;

	for (i = 0; i < FIPS_SLOTS; i++) {
		e = fips_slot_get(&s->slot[i]);
		if (e && !e->has_key)
			return true;
		any |= !!e;
	}
	return !any;
}

/* Try the live epochs in the order of spec 02 §12.4. */
static bool fips_session_open(struct fips_fsp *m, u64 now, const u8 *hdr, u8 *text, size_t len,
			      bool *replayed)
{
	static const u8 orders[2][FIPS_SLOTS] = {
		{ FIPS_KEY_SLOT_CURRENT, FIPS_KEY_SLOT_NEXT, FIPS_KEY_SLOT_PREVIOUS },
		{ FIPS_KEY_SLOT_NEXT, FIPS_KEY_SLOT_CURRENT, FIPS_KEY_SLOT_PREVIOUS },
	};
	struct fips_epoch *cur = fips_slot_get(&m->s->slot[FIPS_KEY_SLOT_CURRENT]), *e;
	const u8 *order;
	int i;

	m->k = !!(hdr[1] & FIPS_FSP_FLAG_K);
	order = orders[cur && cur->k_bit != m->k];

	for (i = 0; i < FIPS_SLOTS; i++) {
		e = fips_slot_get(&m->s->slot[order[i]]);
		if (!fips_epoch_usable(e, now))
			continue;
		if (!fips_replay_check(&e->replay, m->ctr)) {
			*replayed = true;
			continue;
		}
		if (!fips_aead_open(&e->open, m->ctr, hdr, FIPS_FSP_HDR_LEN, text,
				    len - FIPS_TAG_LEN))
			continue;
		fips_replay_accept(&e->replay, m->ctr);
		m->e = e;
		m->slot = order[i];
		m->plain = text;
		m->len = len - FIPS_TAG_LEN;
		return true;
	}
	return false;
}

/* First message of an epoch: promote it if it was next, tell the node. */
static void fips_session_proven(struct fips_core *c, const struct fips_core_out *out, u64 now,
				struct fips_fsp *m)
{
	struct fips_event ev = { .type = FIPS_EV_SESSION_KEY_USED };

	if (m->slot == FIPS_KEY_SLOT_NEXT)
		fips_slots_promote(c, m->s->slot, now);
	if (m->e->proven)
		return;
	m->e->proven = true;
	ev.session.remote = m->s->remote;
	ev.session.slot = m->slot;
	fips_core_event(out, &ev);
}

/*
 * The K of an epoch is what its initiator makes it. A peer that has started over
 * begins with 0 while we take its handshake for a rekey and flip ours; M drops
 * whatever has another K than its own (spec 02 §12.4 has it as a hint). The
 * reference's CoordsWarmup never carries K.
 */
static void fips_session_follow_k(struct fips_fsp *m)
{
	if (m->slot != FIPS_KEY_SLOT_PREVIOUS && !m->e->spin.initiator &&
	    m->plain[4] != FIPS_FSP_COORDS_WARMUP && m->e->k_bit != m->k)
		m->e->k_bit = m->k;
}

static void fips_session_up(const struct fips_core_out *out, struct fips_fsp *m)
{
	struct fips_event ev = { .type = FIPS_EV_SESSION_MSG };

	ev.session_msg.remote = m->s->remote;
	ev.session_msg.slot = m->slot;
	ev.session_msg.msg_type = m->plain[4];
	ev.session_msg.counter = m->ctr;
	ev.session_msg.timestamp = fips_get_le32(m->plain);
	ev.session_msg.inner_flags = m->plain[5];
	ev.session_msg.dgram_mtu = m->mtu;
	ev.session_msg.link_id = m->link_id;
	ev.session_msg.body = m->plain + FIPS_FSP_INNER_LEN;
	ev.session_msg.len = m->len - FIPS_FSP_INNER_LEN;
	fips_core_event(out, &ev);
}

static void fips_session_data(struct fips_core *c, const struct fips_core_out *out, u64 now,
			      struct fips_fsp *m)
{
	u8 *body = m->plain + FIPS_FSP_INNER_LEN, *shim, *ip6;
	size_t len = m->len - FIPS_FSP_INNER_LEN, rest;

	if (len < FIPS_FSP_PORTS_LEN) {
		fips_core_object_drop(c, &m->s->stats, FIPS_DROP_REASON_SESSION_INNER_SHORT);
		return;
	}
	fips_store(&m->s->last_data, now);
	if (fips_get_le16(body + 2) != FIPS_PORT_IPV6) {
		fips_session_up(out, m);
		return;
	}
	shim = body + FIPS_FSP_PORTS_LEN;
	len -= FIPS_FSP_PORTS_LEN;
	rest = len - FIPS_SHIM_LEN;
	ip6 = shim + FIPS_SHIM_LEN - FIPS_IPV6_HDR_LEN;
	if (len < FIPS_SHIM_LEN || !fips_shim_expand(ip6, shim, rest, m->s->ipv6, c->ipv6)) {
		fips_core_object_drop(c, &m->s->stats, FIPS_DROP_REASON_SHIM_FORMAT);
		return;
	}
	if (m->ce) {
		fips_ecn_mark_ce(ip6);
		fips_count_rx(&c->stats.ce_delivered, 1);
	}
	if (ip6[6] == 6)
		fips_mss_clamp(ip6, FIPS_IPV6_HDR_LEN + rest, fips_mss_max(c, m->s->ipv6));
	out->ops->packet(out->ctx, ip6, FIPS_IPV6_HDR_LEN + rest, true);
}

/* Spec 04 §4.2; an old epoch is no part of it. */
static void fips_session_measure(struct fips_fsp *m, u64 now)
{
	const struct fips_mmp_frame frame = {
		.counter = m->ctr,
		.now_us = now * 1000,
		.timestamp = fips_get_le32(m->plain),
		.bytes = (u32)m->len,
		.ce = m->ce,
	};

	if (m->slot != FIPS_KEY_SLOT_PREVIOUS)
		fips_epoch_measure(m->e, &frame, m->plain[5] & 1);
}

static void fips_session_active(const struct fips_core_out *out, u64 now, struct fips_fsp *m)
{
	struct fips_event ev = { .type = FIPS_EV_SESSION_ACTIVE };
	struct fips_session *s = m->s;

	if (!s->quiet && (m->mtu == s->seen_mtu || now - s->told < FIPS_MTU_EVENT_GAP_MS))
		return;
	s->quiet = false;
	s->seen_mtu = m->mtu;
	s->told = now;
	ev.session.remote = s->remote;
	ev.session.dgram_mtu = m->mtu;
	fips_core_event(out, &ev);
}

static void fips_session_opened(struct fips_core *c, const struct fips_core_out *out, u64 now,
				struct fips_fsp *m, size_t fsp_len)
{
	struct fips_session *s = m->s;
	bool had_key = fips_slot_get(&s->slot[FIPS_KEY_SLOT_CURRENT]);

	fips_session_proven(c, out, now, m);
	fips_count_rx(&s->stats.rx_packets, 1);
	fips_count_rx(&s->stats.rx_bytes, fsp_len);
	fips_count_rx(&s->rx_coords, m->coords);
	if (m->ce)
		fips_count_rx(&s->stats.ce_packets, 1);
	fips_store(&s->last_rx, now);
	if (m->len >= FIPS_FSP_INNER_LEN) {
		fips_session_follow_k(m);
		fips_session_measure(m, now);
	}
	fips_session_active(out, now, m);
	if (m->len < FIPS_FSP_INNER_LEN)
		fips_core_object_drop(c, &s->stats, FIPS_DROP_REASON_SESSION_INNER_SHORT);
	else if (m->plain[4] == FIPS_FSP_DATA)
		fips_session_data(c, out, now, m);
	else
		fips_session_up(out, m);
	if (!had_key && fips_slot_get(&s->slot[FIPS_KEY_SLOT_CURRENT]))
		fips_stage_flush(c, out, now, FIPS_STAGE_PACKET, s->ipv6);
}

/*
 * The far end believes in a session that is gone here, and its own data may
 * keep it alive for ever: tell the node, which knows whether to ask anew.
 */
static void fips_session_unknown(struct fips_core *c, const struct fips_core_out *out, u64 now,
				 u32 link_id, const struct fips_node_addr *src)
{
	struct fips_event ev = { .type = FIPS_EV_SESSION_UNKNOWN };
	struct fips_link *l = fips_link_find(c, link_id);
	u64 paid;

	if (!l)
		return;
	/* Many far ends are behind one link, and their sessions may have ended at one time. */
	paid = l->unknown_paid > now ? l->unknown_paid : now;
	if (paid - now >= FIPS_UNKNOWN_BURST * FIPS_UNKNOWN_GAP_MS)
		return;
	l->unknown_paid = paid + FIPS_UNKNOWN_GAP_MS;
	ev.session.remote = *src;
	fips_core_event(out, &ev);
}

/* An encrypted message to us; @dgram is complete and its FSP header is there. */
static void fips_session_rx(struct fips_core *c, const struct fips_core_out *out, u64 now,
			    u32 link_id, bool ce, u8 *dgram, size_t len)
{
	struct fips_fsp m = { .link_id = link_id, .ce = ce };
	u8 *fsp = dgram + FIPS_DGRAM_HDR_LEN, *text = fsp + FIPS_FSP_HDR_LEN;
	size_t fsp_len = len - FIPS_DGRAM_HDR_LEN, text_len = fsp_len - FIPS_FSP_HDR_LEN, clen;
	struct fips_node_addr src;
	bool replayed = false;

	memcpy(src.b, dgram + FIPS_DGRAM_SRC_OFF, sizeof(src.b));
	m.s = fips_session_find(c, &src);
	m.mtu = fips_get_le16(dgram + FIPS_DGRAM_MTU_OFF);
	m.ctr = fips_get_le64(fsp + FIPS_FSP_CTR_OFF);
	if (!m.s) {
		fips_session_unknown(c, out, now, link_id, &src);
		fips_core_drop(c, FIPS_DROP_REASON_SESSION_UNKNOWN, 1);
		return;
	}
	if (fsp[1] & FIPS_FSP_FLAG_CP) {
		clen = fips_coords_len(text, text_len);
		if (!clen || text_len - clen < FIPS_TAG_LEN) {
			fips_core_object_drop(c, &m.s->stats, FIPS_DROP_REASON_SESSION_COORDS);
			return;
		}
		text += clen;
		text_len -= clen;
		m.coords = clen;
	}
	if (fips_session_open(&m, now, fsp, text, text_len, &replayed)) {
		fips_session_opened(c, out, now, &m, fsp_len);
		return;
	}
	if (replayed)
		fips_core_object_drop(c, &m.s->stats, FIPS_DROP_REASON_SESSION_REPLAY);
	else if (fips_session_armed(m.s))
		fips_session_park(c, now, m.s, link_id, ce, dgram, len);
	else
		fips_core_object_drop(c, &m.s->stats, FIPS_DROP_REASON_SESSION_AUTH);
}

/* --------------------------------------------------------------- datagrams */

static void fips_transit(struct fips_core *c, const struct fips_core_out *out, u64 now,
			 u32 link_id, bool ce, u8 *dgram, size_t len)
{
	u8 ttl = dgram[FIPS_DGRAM_TTL_OFF];

	fips_mirror_coords(c, out, now, dgram, len, link_id);
	if (ttl <= 1) {
		fips_core_drop(c, FIPS_DROP_REASON_DGRAM_TTL, 1);
		return;
	}
	dgram[FIPS_DGRAM_TTL_OFF] = ttl - 1;
	fips_forward(c, out, now, dgram, len, ce, link_id);
}

static void fips_link_up(const struct fips_core_out *out, u32 link_id, u32 slot, u64 ctr,
			 u32 timestamp, u8 flags, const u8 *msg, size_t len)
{
	struct fips_event ev = { .type = FIPS_EV_LINK_MSG };

	ev.link_msg.id = link_id;
	ev.link_msg.slot = slot;
	ev.link_msg.counter = ctr;
	ev.link_msg.timestamp = timestamp;
	ev.link_msg.flags = flags;
	ev.link_msg.msg = msg;
	ev.link_msg.len = len;
	fips_core_event(out, &ev);
}

/* Encrypted, and to be handled here; the rest is the node's (handshakes, signals). */
static bool fips_fsp_is_encrypted(const u8 *fsp)
{
	return fips_prefix_version(fsp) == FIPS_VERSION_0 &&
	       fips_prefix_phase(fsp) == FIPS_FSP_ESTABLISHED && !(fsp[1] & FIPS_FSP_FLAG_U);
}

void fips_rx_datagram(struct fips_core *c, const struct fips_core_out *out, u64 now, u32 link_id,
		      bool ce, u8 *dgram, size_t len)
{
	const u8 *fsp = dgram + FIPS_DGRAM_HDR_LEN;
	size_t fsp_len = len - FIPS_DGRAM_HDR_LEN;

	if (len < FIPS_DGRAM_HDR_LEN) {
		fips_core_drop(c, FIPS_DROP_REASON_DGRAM_SHORT, 1);
		return;
	}
	if (memcmp(dgram + FIPS_DGRAM_DST_OFF, c->cfg.addr.b, FIPS_NODE_ADDR_LEN)) {
		fips_transit(c, out, now, link_id, ce, dgram, len);
		return;
	}
	if (fsp_len < FIPS_PREFIX_LEN) {
		fips_core_drop(c, FIPS_DROP_REASON_SESSION_SHORT, 1);
		return;
	}
	if (!fips_fsp_is_encrypted(fsp)) {
		fips_link_up(out, link_id, FIPS_KEY_SLOT_CURRENT, 0, 0, ce ? FIPS_FMP_FLAG_CE : 0,
			     dgram, len);
		return;
	}
	if (fsp_len < FIPS_FSP_MIN_LEN) {
		fips_core_drop(c, FIPS_DROP_REASON_SESSION_SHORT, 1);
		return;
	}
	if (fsp[1] & FIPS_FSP_FLAG_CP)
		fips_mirror_coords(c, out, now, dgram, len, link_id);
	fips_session_rx(c, out, now, link_id, ce, dgram, len);
}

/* ------------------------------------------------------------------- links */

static void fips_link_park(struct fips_core *c, u64 now, struct fips_epoch *e,
			   const struct fips_endpoint *from, const u8 *frame, size_t len)
{
	struct fips_parked meta = { .since = now, .from = *from, .len = len };

	if (fips_park(c, &e->parking, &meta, frame))
		fips_core_object_drop(c, &e->link->stats, FIPS_DROP_REASON_PARK_FULL);
}

/* First frame of an epoch: confirm the link, promote, tell the node, in this order. */
static void fips_link_proven(struct fips_core *c, const struct fips_core_out *out, u64 now,
			     struct fips_epoch *e, u32 slot)
{
	struct fips_link *l = e->link;
	struct fips_event ev = { .type = FIPS_EV_LINK_CONFIRMED };

	ev.link.id = l->id;
	ev.link.slot = slot;
	if (l->candidate) {
		l->candidate = false;
		fips_core_event(out, &ev);
	}
	if (slot == FIPS_KEY_SLOT_NEXT)
		fips_slots_promote(c, l->slot, now);
	if (e->proven)
		return;
	e->proven = true;
	ev.type = FIPS_EV_LINK_KEY_USED;
	fips_core_event(out, &ev);
}

/* The endpoint follows the newest frame of the newest proven epoch (architecture §2). */
static void fips_link_roam(const struct fips_core_out *out, struct fips_link *l,
			   const struct fips_epoch *e, const struct fips_endpoint *from)
{
	struct fips_epoch *cur = fips_slot_get(&l->slot[FIPS_KEY_SLOT_CURRENT]);
	struct fips_event ev = { .type = FIPS_EV_LINK_FLOAT };
	bool moved;

	if (e != cur && cur && cur->proven)
		return;
	moved = l->to.transport_id != from->transport_id ||
		!fips_taddr_eq(&l->to.addr, &from->addr);
	if (!moved && fips_taddr_eq(&l->to.local, &from->local))
		return;
	pthread_mutex_lock(&l->lock);
	l->to = *from;
	pthread_mutex_unlock(&l->lock);
	/* Another address of ours is nothing to tell. */
	if (!moved)
		return;
	ev.link.id = l->id;
	ev.link.transport_id = from->transport_id;
	ev.link.remote = from->addr;
	fips_core_event(out, &ev);
}

/* Spec 04 §4.2; an old epoch is no part of it. */
static void fips_link_measure(struct fips_epoch *e, u32 slot, u64 now, const u8 *frame, size_t len)
{
	const struct fips_mmp_frame mmp = {
		.counter = fips_get_le64(frame + FIPS_FMP_CTR_OFF),
		.now_us = now * 1000,
		.timestamp = fips_get_le32(frame + FIPS_FMP_HDR_LEN),
		.bytes = (u32)len,
		.ce = frame[1] & FIPS_FMP_FLAG_CE,
	};

	if (slot != FIPS_KEY_SLOT_PREVIOUS && len >= FIPS_FMP_MIN_LEN + FIPS_FMP_INNER_LEN)
		fips_epoch_measure(e, &mmp, frame[1] & FIPS_FMP_FLAG_SP);
}

static void fips_link_active(const struct fips_core_out *out, struct fips_link *l)
{
	struct fips_event ev = { .type = FIPS_EV_LINK_ACTIVE };

	if (!l->quiet)
		return;
	l->quiet = false;
	ev.link.id = l->id;
	fips_core_event(out, &ev);
}

/* @from is NULL unless the frame is the newest of its epoch. */
static void fips_link_opened(struct fips_core *c, const struct fips_core_out *out, u64 now,
			     struct fips_epoch *e, const struct fips_endpoint *from, u8 *frame,
			     size_t len)
{
	u8 *plain = frame + FIPS_FMP_HDR_LEN, *msg = plain + 4;
	size_t msg_len = len - FIPS_LINK_OVERHEAD;
	struct fips_link *l = e->link;
	u32 slot = fips_slot_of(l->slot, e);
	bool ce = frame[1] & FIPS_FMP_FLAG_CE;

	fips_link_proven(c, out, now, e, slot);
	if (from)
		fips_link_roam(out, l, e, from);
	fips_count_rx(&l->stats.rx_packets, 1);
	fips_count_rx(&l->stats.rx_bytes, len);
	fips_count_rx(&c->stats.rx_packets, 1);
	fips_count_rx(&c->stats.rx_bytes, len);
	if (ce) {
		fips_count_rx(&l->stats.ce_packets, 1);
		fips_count_rx(&c->stats.ce_packets, 1);
	}
	fips_store(&l->last_rx, now);
	fips_link_measure(e, slot, now, frame, len);
	fips_link_active(out, l);
	if (len < FIPS_FMP_MIN_LEN + FIPS_FMP_INNER_LEN)
		fips_core_object_drop(c, &l->stats, FIPS_DROP_REASON_RX_INNER_SHORT);
	else if (msg[0] == FIPS_LINK_DATAGRAM)
		fips_rx_datagram(c, out, now, l->id, ce, msg, msg_len);
	else
		fips_link_up(out, l->id, slot, fips_get_le64(frame + FIPS_FMP_CTR_OFF),
			     fips_get_le32(plain), frame[1], msg, msg_len);
}

static void fips_link_rx(struct fips_core *c, const struct fips_core_out *out, u64 now,
			 const struct fips_endpoint *from, u8 *frame, size_t len)
{
	u32 index = fips_get_le32(frame + FIPS_FMP_IDX_OFF);
	u64 ctr = fips_get_le64(frame + FIPS_FMP_CTR_OFF);
	struct fips_epoch *e;
	bool newest;

	HASH_FIND(hh, c->indices, &index, sizeof(index), e);
	if (!e) {
		fips_core_drop(c, FIPS_DROP_REASON_RX_UNKNOWN_INDEX, 1);
		return;
	}
	if (!e->has_key) {
		fips_link_park(c, now, e, from, frame, len);
		return;
	}
	if (now >= e->dies_ms) {
		fips_core_object_drop(c, &e->link->stats, FIPS_DROP_REASON_RX_KEY_EXPIRED);
		return;
	}
	if (!fips_replay_check(&e->replay, ctr)) {
		fips_core_object_drop(c, &e->link->stats, FIPS_DROP_REASON_RX_REPLAY);
		return;
	}
	if (!fips_aead_open(&e->open, ctr, frame, FIPS_FMP_HDR_LEN, frame + FIPS_FMP_HDR_LEN,
			    len - FIPS_FMP_MIN_LEN)) {
		fips_core_object_drop(c, &e->link->stats, FIPS_DROP_REASON_RX_AUTH);
		return;
	}
	newest = !e->proven || ctr > e->replay.hi;
	fips_replay_accept(&e->replay, ctr);
	fips_link_opened(c, out, now, e, newest ? from : NULL, frame, len);
}

/* Everything that is no established frame is the daemon's: handshakes, STUN, punch probes. */
static void fips_rx_raw(const struct fips_core_out *out, const struct fips_endpoint *from,
			const u8 *frame, size_t len)
{
	struct fips_event ev = { .type = FIPS_EV_RAW };

	ev.raw.transport_id = from->transport_id;
	ev.raw.from = from->addr;
	ev.raw.data = frame;
	ev.raw.len = len;
	fips_core_event(out, &ev);
}

void fips_core_frame(struct fips_core *c, const struct fips_core_out *out, u64 now,
		     const struct fips_endpoint *from, u8 *frame, size_t len)
{
	switch (fips_classify(frame, len)) {
	case FIPS_FRAME_ESTABLISHED:
		fips_link_rx(c, out, now, from, frame, len);
		return;
	case FIPS_FRAME_SHORT:
		fips_core_drop(c, FIPS_DROP_REASON_RX_SHORT, 1);
		return;
	case FIPS_FRAME_LENGTH:
		if (fips_prefix_phase(frame) == FIPS_FMP_ESTABLISHED)
			fips_core_drop(c, FIPS_DROP_REASON_RX_LENGTH, 1);
		else
			fips_rx_raw(out, from, frame, len);
		return;
	case FIPS_FRAME_HANDSHAKE:
	case FIPS_FRAME_VERSION:
	case FIPS_FRAME_PHASE:
		fips_rx_raw(out, from, frame, len);
		return;
	}
}
