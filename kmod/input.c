// SPDX-License-Identifier: GPL-2.0-only
/*
 * Input: the receive walk. A datagram on a lent socket is told apart, opened
 * with the key of its index, and handed on: to a session and fips0, to the
 * next hop, or to the daemon. Lengths come before contents, authentication
 * before state; a frame that fails anywhere leaves nothing behind but a count.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <net/gro_cells.h>
#include <net/ip_tunnels.h>
#include <net/udp.h>
#include <fips/dgram.h>
#include <fips/shim.h>

#include "compat.h"
#include "crypto.h"
#include "device.h"
#include "forward.h"
#include "input.h"
#include "ipv6.h"
#include "link.h"
#include "netlink.h"
#include "output.h"
#include "packet.h"
#include "session.h"
#include "stage.h"
#include "transport.h"
#include "underlay.h"

#define FIPS_UNKNOWN_GAP	(HZ / 10)	/* between session-unknowns in the long run */
#define FIPS_UNKNOWN_BURST	16	/* far ends that come at once */
#define FIPS_STUN_LEN		20
#define FIPS_STUN_COOKIE	0x2112a442

/* Count, free, done. */
static void fips_input_drop(struct fips_device *fips, enum fips_drop_reason reason,
			    struct sk_buff *skb)
{
	fips_drop(fips, reason);
	kfree_skb(skb);
}

static void fips_input_link_drop(struct fips_link *link, enum fips_drop_reason reason,
				 struct sk_buff *skb)
{
	fips_link_drop(link, reason);
	kfree_skb(skb);
}

static void fips_input_session_drop(struct fips_session *session, enum fips_drop_reason reason,
				    struct sk_buff *skb)
{
	fips_session_drop(session, reason);
	kfree_skb(skb);
}

/*
 * The frame in one linear buffer that nobody else reads. Its network and
 * transport headers stay in front of it. Consumes @skb; NULL without memory.
 */
static struct sk_buff *fips_input_linear(struct fips_device *fips, struct sk_buff *skb)
{
	unsigned int hdrs = skb->data - skb_network_header(skb), len = skb->len;
	struct sk_buff *copy;

	if (likely(!skb_is_nonlinear(skb) && !skb_cloned(skb)))
		return skb;
	copy = alloc_skb(FIPS_HEADROOM + hdrs + len, GFP_ATOMIC);
	if (unlikely(!copy)) {
		fips_input_drop(fips, FIPS_DROP_REASON_TX_HEADROOM, skb);
		return NULL;
	}
	skb_reserve(copy, FIPS_HEADROOM);
	skb_reset_network_header(copy);
	if (unlikely(skb_copy_bits(skb, -(int)hdrs, skb_put(copy, hdrs + len), hdrs + len))) {
		kfree_skb(copy);
		fips_input_drop(fips, FIPS_DROP_REASON_RX_SHORT, skb);
		return NULL;
	}
	__skb_pull(copy, hdrs);
	skb_set_transport_header(copy, skb_transport_offset(skb));
	copy->dev = skb->dev;
	copy->skb_iif = skb->skb_iif;
	copy->pkt_type = skb->pkt_type;
	copy->protocol = skb->protocol;
	consume_skb(skb);
	return copy;
}

/*
 * Bring a rebuilt IPv6 packet to the stack. Consumes @skb.
 * GRO in front of the device merges what belongs together.
 */
static void fips_input_deliver(struct fips_session *session, u8 fmp_flags, struct sk_buff *skb)
{
	struct fips_device *fips = session->fips;
	u8 *shim = skb->data, *ip6 = shim + FIPS_SHIM_LEN - FIPS_IPV6_HDR_LEN;
	unsigned int len = skb->len;

	if (unlikely(len < FIPS_SHIM_LEN ||
		     !fips_shim_expand(ip6, shim, len - FIPS_SHIM_LEN, session->ipv6.s6_addr,
				       fips->ipv6.s6_addr))) {
		fips_input_session_drop(session, FIPS_DROP_REASON_SHIM_FORMAT, skb);
		return;
	}
	__skb_push(skb, FIPS_IPV6_HDR_LEN - FIPS_SHIM_LEN);
	if (unlikely(!netif_running(fips->dev))) {
		fips_input_session_drop(session, FIPS_DROP_REASON_NO_TUNNEL, skb);
		return;
	}
	if (unlikely(fmp_flags & FIPS_FMP_FLAG_CE)) {
		fips_ecn_mark_ce(ip6);
		fips_dev_count(fips, FIPS_STAT_CE_DELIVERED, 1);
	}

	skb_orphan(skb);
	skb_scrub_packet(skb, !net_eq(dev_net(skb->dev), dev_net(fips->dev)));
	skb_clear_hash(skb);
	skb->dev = fips->dev;
	skb->protocol = htons(ETH_P_IPV6);
	skb->ip_summed = CHECKSUM_NONE;
	skb->csum_valid = 0;
	skb->csum_complete_sw = 0;
	skb->encapsulation = 0;
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb_reset_transport_header(skb);
	skb_reset_mac_len(skb);
	if (unlikely(fips_ipv6_is_syn(skb)) && !fips_ipv6_clamp_mss(session, skb)) {
		fips_input_session_drop(session, FIPS_DROP_REASON_TX_HEADROOM, skb);
		return;
	}
	dev_sw_netstats_rx_add(fips->dev, skb->len);
	gro_cells_receive(&fips->gro_cells, skb);
}

/**
 * struct fips_fsp - an encrypted session message on its way through
 * @hdr: header, the associated data
 * @text: ciphertext, later the inner header
 * @len: of @text, the tag included, later without
 * @ctr: counter
 * @path_mtu: of the datagram
 * @place: slot that opened it
 * @key_seq: of the session, before the slots are tried
 * @now_us: when it came
 * @ce: its frame's CE flag
 */
struct fips_fsp {
	u8 *hdr;
	u8 *text;
	unsigned int len;
	u64 ctr;
	u16 path_mtu;
	u32 place;
	unsigned int key_seq;
	u64 now_us;
	bool ce;
};

/* Metrics of a message (spec 04 §4.2); an old epoch is no part of them. Under @slot->lock. */
static void fips_fsp_measure(struct fips_slot *slot, const struct fips_fsp *fsp)
{
	const struct fips_mmp_frame frame = {
		.counter = fsp->ctr,
		.now_us = fsp->now_us,
		.timestamp = fips_get_le32(fsp->text),
		.bytes = fsp->len,
		.ce = fsp->ce,
	};

	if (unlikely(READ_ONCE(slot->place) == FIPS_KEY_SLOT_PREVIOUS))
		return;
	fips_mmp_rx_frame(&slot->mmp, &frame);
	fips_mmp_spin_rx(&slot->spin, fsp->ctr, fsp->text[5] & 1, fsp->now_us);
}

/*
 * Try one slot.
 * Return: 0 (opened, counter taken), or the reason why not.
 */
static int fips_fsp_try(struct fips_session *session, struct fips_fsp *fsp, u32 place,
			struct fips_slot **slotp)
{
	struct fips_slot *slot = fips_slots_get(&session->slots, place);
	bool fresh;

	if (!slot || !fips_slot_has_key(slot) || fips_slot_expired(slot))
		return FIPS_DROP_REASON_SESSION_NO_KEY;
	/* Unlocked: a hint that spares the AEAD; accept decides. */
	if (!data_race(fips_replay_check(&slot->rx, fsp->ctr)))
		return FIPS_DROP_REASON_SESSION_REPLAY;
	if (!fips_crypto_open(fsp->text, fsp->len, fsp->hdr, FIPS_FSP_HDR_LEN, fsp->ctr,
			      slot->rx_key))
		return FIPS_DROP_REASON_SESSION_AUTH;
	fsp->len -= FIPS_TAG_LEN;
	spin_lock(&slot->lock);
	fresh = fips_replay_accept(&slot->rx, fsp->ctr);
	if (likely(fresh && fsp->len >= FIPS_FSP_INNER_LEN)) {
		if (likely(slot->rx.hi == fsp->ctr))
			slot->rx_timestamp = fips_get_le32(fsp->text);
		fips_fsp_measure(slot, fsp);
	}
	spin_unlock(&slot->lock);
	*slotp = slot;
	fsp->place = place;
	return fresh ? 0 : FIPS_DROP_REASON_SESSION_REPLAY;
}

/*
 * Open with any live slot, in the order of spec 02 §12.4.
 * Return: 0 or the drop reason that tells most.
 */
static int fips_fsp_open(struct fips_session *session, struct fips_fsp *fsp,
			 struct fips_slot **slotp)
{
	static const u8 orders[2][FIPS_KEY_SLOTS] = {
		{ FIPS_KEY_SLOT_CURRENT, FIPS_KEY_SLOT_NEXT, FIPS_KEY_SLOT_PREVIOUS },
		{ FIPS_KEY_SLOT_NEXT, FIPS_KEY_SLOT_CURRENT, FIPS_KEY_SLOT_PREVIOUS },
	};
	bool k = fsp->hdr[1] & FIPS_FSP_FLAG_K;
	const u8 *order = orders[k != READ_ONCE(session->slots.current_k)];
	int why, worst = FIPS_DROP_REASON_SESSION_NO_KEY;
	unsigned int i;

	*slotp = NULL;
	for (i = 0; i < FIPS_KEY_SLOTS; i++) {
		why = fips_fsp_try(session, fsp, order[i], slotp);
		if (!why || *slotp)
			return why;
		if (why == FIPS_DROP_REASON_SESSION_REPLAY ||
		    worst == FIPS_DROP_REASON_SESSION_NO_KEY)
			worst = why;
	}
	return worst;
}

/* No slot opens it: would a key that is on its way? Consumes @skb. */
static void fips_input_no_key(struct fips_session *session, const struct fips_fsp *fsp, int why,
			      u32 link_id, u8 fmp_flags, struct sk_buff *skb)
{
	bool k = fsp->hdr[1] & FIPS_FSP_FLAG_K, wait;

	/* None at all, or the K bit of an epoch that we don't have yet. */
	wait = why == FIPS_DROP_REASON_SESSION_NO_KEY ||
	       (why == FIPS_DROP_REASON_SESSION_AUTH && k != READ_ONCE(session->slots.current_k) &&
		!fips_slots_get(&session->slots, FIPS_KEY_SLOT_NEXT));
	if (!wait) {
		fips_input_session_drop(session, why, skb);
		return;
	}
	switch (fips_park_session(session, fsp->key_seq, link_id, fmp_flags, skb)) {
	case 0:
		return;
	case -EAGAIN:	/* as often as keys are installed in the meantime */
		fips_input_session(session, link_id, fmp_flags, skb);
		return;
	default:
		fips_input_session_drop(session, FIPS_DROP_REASON_PARK_FULL, skb);
	}
}

/* An opened message: to the stack or to the daemon. Consumes @skb. */
static void fips_fsp_dispatch(struct fips_session *session, const struct fips_fsp *fsp,
			      u32 link_id, u8 fmp_flags, struct sk_buff *skb)
{
	struct fips_session_msg msg = {
		.place = fsp->place,
		.counter = fsp->ctr,
		.timestamp = fips_get_le32(fsp->text),
		.msg_type = fsp->text[4],
		.inner_flags = fsp->text[5],
		.dgram_mtu = fsp->path_mtu,
		.link_id = link_id,
		.body = fsp->text + FIPS_FSP_INNER_LEN,
		.len = fsp->len - FIPS_FSP_INNER_LEN,
	};

	if (msg.msg_type == FIPS_FSP_DATA) {
		if (unlikely(msg.len < FIPS_FSP_PORTS_LEN)) {
			fips_input_session_drop(session, FIPS_DROP_REASON_SESSION_INNER_SHORT, skb);
			return;
		}
		fips_session_data(session);
		if (likely(fips_get_le16(msg.body + 2) == FIPS_PORT_IPV6)) {
			__skb_pull(skb, msg.body + FIPS_FSP_PORTS_LEN - skb->data);
			__skb_trim(skb, msg.len - FIPS_FSP_PORTS_LEN);
			fips_input_deliver(session, fmp_flags, skb);
			return;
		}
	}
	fips_upcall_session_msg(session, &msg);
	consume_skb(skb);
}

/*
 * The K of an epoch is what its initiator makes it. A peer that has started over
 * begins with 0 while the daemon takes its handshake for a rekey and flips ours; M
 * drops whatever has another K than its own (spec 02 §12.4 has it as a hint). The
 * reference's CoordsWarmup never carries K. Races with the next message are harmless.
 */
static void fips_fsp_follow_k(struct fips_session *session, struct fips_slot *slot,
			      const struct fips_fsp *fsp)
{
	u8 k = !!(fsp->hdr[1] & FIPS_FSP_FLAG_K);

	if (likely(slot->spin.initiator || READ_ONCE(slot->k_bit) == k) ||
	    fsp->place != FIPS_KEY_SLOT_CURRENT || fsp->text[4] == FIPS_FSP_COORDS_WARMUP)
		return;
	WRITE_ONCE(slot->k_bit, k);
	WRITE_ONCE(session->slots.current_k, k);
}

/**
 * fips_input_session() - an encrypted session message
 * @session: session of its source
 * @link_id: link it came on
 * @fmp_flags: flags byte of its frame
 * @skb: SessionDatagram to us, type byte first, linear, unshared, of sufficient
 *	length for an encrypted message; consumed
 */
void fips_input_session(struct fips_session *session, u32 link_id, u8 fmp_flags,
			struct sk_buff *skb)
{
	struct fips_fsp fsp = { .hdr = skb->data + FIPS_DGRAM_HDR_LEN };
	unsigned int len = skb->len - FIPS_DGRAM_HDR_LEN, off = FIPS_FSP_HDR_LEN, coords;
	struct fips_slot *slot;
	int why;

	if (unlikely(fsp.hdr[1] & FIPS_FSP_FLAG_CP)) {
		coords = fips_coords_len(fsp.hdr + off, len - off);
		if (!coords) {
			fips_input_session_drop(session, FIPS_DROP_REASON_SESSION_COORDS, skb);
			return;
		}
		off += coords;
		if (len < off + FIPS_TAG_LEN) {
			fips_input_session_drop(session, FIPS_DROP_REASON_SESSION_SHORT, skb);
			return;
		}
	}
	fsp.text = fsp.hdr + off;
	fsp.len = len - off;
	fsp.ctr = fips_get_le64(fsp.hdr + FIPS_FSP_CTR_OFF);
	fsp.path_mtu = fips_get_le16(skb->data + FIPS_DGRAM_MTU_OFF);
	fsp.now_us = ktime_to_us(ktime_get());
	fsp.ce = fmp_flags & FIPS_FMP_FLAG_CE;
	/* Pairs with the release in fips_session_set_key(). */
	fsp.key_seq = smp_load_acquire(&session->key_seq);
	why = fips_fsp_open(session, &fsp, &slot);
	if (unlikely(why)) {
		if (slot)
			fips_input_session_drop(session, why, skb);
		else
			fips_input_no_key(session, &fsp, why, link_id, fmp_flags, skb);
		return;
	}
	fips_session_rx(session, slot, 1, len, fsp.path_mtu);
	/* That may have promoted it. */
	fsp.place = READ_ONCE(slot->place);
	if (unlikely(fmp_flags & FIPS_FMP_FLAG_CE))
		fips_count(&session->counters, FIPS_STAT_CE, 1);
	if (unlikely(fsp.hdr[1] & FIPS_FSP_FLAG_CP)) {
		atomic64_add(off - FIPS_FSP_HDR_LEN, &session->rx_coords);
		fips_mirror_coords(session->fips, link_id, skb);
	}
	if (unlikely(fsp.len < FIPS_FSP_INNER_LEN)) {
		fips_input_session_drop(session, FIPS_DROP_REASON_SESSION_INNER_SHORT, skb);
		return;
	}
	fips_fsp_follow_k(session, slot, &fsp);
	fips_fsp_dispatch(session, &fsp, link_id, fmp_flags, skb);
}

/**
 * struct fips_fmp - an opened link frame
 * @link: link it came on
 * @place: slot that opened it
 * @ctr: counter
 * @ts: sender's timestamp
 * @flags: flags byte
 */
struct fips_fmp {
	struct fips_link *link;
	u32 place;
	u64 ctr;
	u32 ts;
	u8 flags;
};

static void fips_input_upcall(const struct fips_fmp *fmp, struct sk_buff *skb)
{
	fips_upcall_link_msg(fmp->link, fmp->place, fmp->ctr, fmp->ts, fmp->flags, skb->data,
			     skb->len);
	consume_skb(skb);
}

/*
 * The far end believes in a session that is gone here, and its own data may
 * keep it alive for ever: tell the daemon, which knows whether to ask anew.
 */
static void fips_input_unknown(struct fips_link *link, const u8 *src)
{
	unsigned long old = READ_ONCE(link->unknown_paid), now = jiffies, paid = old;

	if (paid - now > FIPS_UNKNOWN_BURST * FIPS_UNKNOWN_GAP)
		paid = now;	/* long ago */
	/* Many far ends are behind one link, and their sessions may have ended at one time. */
	if (paid - now > (FIPS_UNKNOWN_BURST - 1) * FIPS_UNKNOWN_GAP ||
	    cmpxchg(&link->unknown_paid, old, paid + FIPS_UNKNOWN_GAP) != old)
		return;
	fips_upcall_session_unknown(link, src);
}

/* A SessionDatagram to us. Consumes @skb. */
static void fips_input_local(const struct fips_fmp *fmp, struct sk_buff *skb)
{
	struct fips_device *fips = fmp->link->fips;
	const u8 *p = skb->data + FIPS_DGRAM_HDR_LEN;
	unsigned int len = skb->len - FIPS_DGRAM_HDR_LEN;
	struct fips_session *session;

	if (unlikely(len < FIPS_PREFIX_LEN || fips_prefix_version(p) != FIPS_VERSION_0)) {
		fips_input_link_drop(fmp->link, FIPS_DROP_REASON_SESSION_SHORT, skb);
		return;
	}
	/* Handshakes and signals, which nothing authenticates here, are the daemon's. */
	if (unlikely(fips_prefix_phase(p) != FIPS_FSP_ESTABLISHED || p[1] & FIPS_FSP_FLAG_U)) {
		fips_input_upcall(fmp, skb);
		return;
	}
	if (unlikely(len < FIPS_FSP_MIN_LEN)) {
		fips_input_link_drop(fmp->link, FIPS_DROP_REASON_SESSION_SHORT, skb);
		return;
	}
	session = fips_session_find(fips, skb->data + FIPS_DGRAM_SRC_OFF);
	if (unlikely(!session)) {
		fips_input_unknown(fmp->link, skb->data + FIPS_DGRAM_SRC_OFF);
		fips_input_link_drop(fmp->link, FIPS_DROP_REASON_SESSION_UNKNOWN, skb);
		return;
	}
	fips_input_session(session, fmp->link->id, fmp->flags, skb);
}

/* An authenticated link message, type byte first. Consumes @skb. */
static void fips_input_message(const struct fips_fmp *fmp, struct sk_buff *skb)
{
	struct fips_device *fips = fmp->link->fips;

	if (skb->data[0] != FIPS_LINK_DATAGRAM) {
		fips_input_upcall(fmp, skb);
		return;
	}
	if (unlikely(skb->len < FIPS_DGRAM_HDR_LEN)) {
		fips_input_link_drop(fmp->link, FIPS_DROP_REASON_DGRAM_SHORT, skb);
		return;
	}
	if (likely(fips_has_addr(fips) &&
		   !memcmp(skb->data + FIPS_DGRAM_DST_OFF, fips->node_addr.b,
			   FIPS_NODE_ADDR_LEN))) {
		fips_input_local(fmp, skb);
		return;
	}
	fips_mirror_coords(fips, fmp->link->id, skb);
	fips_forward(fips, fmp->link->id, fmp->flags, skb);
}

/* Metrics of a frame (spec 04 §4.2); an old epoch is no part of them. Under @slot->lock. */
static void fips_fmp_measure(struct fips_slot *slot, u64 ctr, const u8 *hdr, unsigned int len,
			     u64 now_us)
{
	const struct fips_mmp_frame frame = {
		.counter = ctr,
		.now_us = now_us,
		.timestamp = fips_get_le32(hdr + FIPS_FMP_HDR_LEN),
		.bytes = len,
		.ce = hdr[1] & FIPS_FMP_FLAG_CE,
	};

	if (unlikely(READ_ONCE(slot->place) == FIPS_KEY_SLOT_PREVIOUS))
		return;
	fips_mmp_rx_frame(&slot->mmp, &frame);
	fips_mmp_spin_rx(&slot->spin, ctr, hdr[1] & FIPS_FMP_FLAG_SP, now_us);
}

/*
 * Check, open and strip one established frame.
 * Return: 0, or the drop reason; the skb stays the caller's.
 */
static int fips_fmp_open(struct fips_fmp *fmp, struct fips_slot *slot, struct sk_buff *skb,
			 bool *newest)
{
	u8 *hdr = skb->data, *text = hdr + FIPS_FMP_HDR_LEN;
	unsigned int len = skb->len - FIPS_FMP_HDR_LEN;
	bool fresh;

	if (unlikely(!fips_crypto_open(text, len, hdr, FIPS_FMP_HDR_LEN, fmp->ctr, slot->rx_key)))
		return FIPS_DROP_REASON_RX_AUTH;
	len -= FIPS_TAG_LEN;
	spin_lock(&slot->lock);
	fresh = fips_replay_accept(&slot->rx, fmp->ctr);
	*newest = fresh && slot->rx.hi == fmp->ctr;
	if (likely(fresh && len >= FIPS_FMP_INNER_LEN)) {
		if (likely(*newest))
			slot->rx_timestamp = fips_get_le32(text);
		fips_fmp_measure(slot, fmp->ctr, hdr, skb->len, ktime_to_us(ktime_get()));
	}
	spin_unlock(&slot->lock);
	if (unlikely(!fresh))
		return FIPS_DROP_REASON_RX_REPLAY;
	fmp->flags = hdr[1];
	__skb_pull(skb, FIPS_FMP_HDR_LEN);
	__skb_trim(skb, len);
	return 0;
}

/**
 * fips_input_frame() - an established frame of a transport
 * @transport: transport it came on
 * @skb: frame, data at its header (%FIPS_FMP_HDR_LEN bytes in the linear part),
 *	of consistent length; network and transport header are the underlay's; consumed
 */
void fips_input_frame(struct fips_transport *transport, struct sk_buff *skb)
{
	struct fips_device *fips = transport->fips;
	unsigned int len = skb->len;
	struct fips_slot *slot;
	struct fips_fmp fmp;
	bool newest;
	int why;

	slot = fips_index_find(fips, fips_get_le32(skb->data + FIPS_FMP_IDX_OFF));
	if (unlikely(!slot)) {
		fips_input_drop(fips, FIPS_DROP_REASON_RX_UNKNOWN_INDEX, skb);
		return;
	}
	fmp.link = slot->link;
	if (unlikely(!fips_slot_has_key(slot)) && fips_park_link(fmp.link, slot, transport, skb))
		return;
	if (unlikely(fips_slot_expired(slot))) {
		fips_input_link_drop(fmp.link, FIPS_DROP_REASON_RX_KEY_EXPIRED, skb);
		return;
	}
	fmp.ctr = fips_get_le64(skb->data + FIPS_FMP_CTR_OFF);
	/* Unlocked: a hint that spares the AEAD; accept decides. */
	if (unlikely(!data_race(fips_replay_check(&slot->rx, fmp.ctr)))) {
		fips_input_link_drop(fmp.link, FIPS_DROP_REASON_RX_REPLAY, skb);
		return;
	}
	skb = fips_input_linear(fips, skb);
	if (unlikely(!skb))
		return;
	why = fips_fmp_open(&fmp, slot, skb, &newest);
	if (unlikely(why)) {
		fips_input_link_drop(fmp.link, why, skb);
		return;
	}
	fips_count_rx(&transport->counters, 1, len);
	fips_dev_count_rx(fips, 1, len);
	fips_link_rx(fmp.link, slot, 1, len);
	/* After a promotion, so that the newest slot is the one that has just proven itself. */
	if (newest)
		fips_underlay_heard(fmp.link, slot, transport, skb);
	fmp.place = READ_ONCE(slot->place);
	if (unlikely(fmp.flags & FIPS_FMP_FLAG_CE)) {
		fips_count(&fmp.link->counters, FIPS_STAT_CE, 1);
		fips_dev_count(fips, FIPS_STAT_CE, 1);
	}
	if (unlikely(skb->len < FIPS_FMP_INNER_LEN)) {
		fips_input_link_drop(fmp.link, FIPS_DROP_REASON_RX_INNER_SHORT, skb);
		return;
	}
	fmp.ts = fips_get_le32(skb->data);
	__skb_pull(skb, FIPS_FMP_INNER_LEN - 1);
	fips_input_message(&fmp, skb);
}

/* STUN begins with zero bits, too; its cookie tells. @p: UDP payload, @len bytes, 16 readable */
static bool fips_input_is_stun(const u8 *p, unsigned int len)
{
	return len >= FIPS_STUN_LEN && fips_get_le32(p + 4) == swab32(FIPS_STUN_COOKIE);
}

int fips_udp_rcv(struct sock *sk, struct sk_buff *skb)
{
	struct fips_transport *transport = rcu_dereference_sk_user_data(sk);
	unsigned int len = skb->len - sizeof(struct udphdr);
	enum fips_frame_class class;
	const u8 *p;

	if (unlikely(!transport ||
		     !pskb_may_pull(skb, sizeof(struct udphdr) +
					 min_t(unsigned int, len, FIPS_FMP_HDR_LEN))))
		return 1;
	p = skb->data + sizeof(struct udphdr);
	class = fips_classify(p, len);
	if (likely(class == FIPS_FRAME_ESTABLISHED)) {
		__skb_pull(skb, sizeof(struct udphdr));
		fips_input_frame(transport, skb);
		return 0;
	}
	/* What can only be an established frame gone wrong is not for the daemon's queue. */
	if (class == FIPS_FRAME_SHORT ||
	    (class == FIPS_FRAME_LENGTH && fips_prefix_phase(p) == FIPS_FMP_ESTABLISHED)) {
		if (fips_input_is_stun(p, len))
			return 1;
		fips_input_drop(transport->fips, class == FIPS_FRAME_SHORT ?
				FIPS_DROP_REASON_RX_SHORT : FIPS_DROP_REASON_RX_LENGTH, skb);
		return 0;
	}
	return 1;
}
