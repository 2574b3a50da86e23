// SPDX-License-Identifier: GPL-2.0-only
/*
 * Output: the send walk. A packet of the stack is checked (ipv6.c), cut into
 * segments once, and the list of them is sealed twice in place, each frame
 * in one buffer with head- and tailroom for every layer. Counters are taken
 * for the whole list, in order, before the first frame is sealed.
 */
#include <linux/if_arp.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <net/ip_tunnels.h>
#include <fips/shim.h>

#include "compat.h"
#include "crypto.h"
#include "device.h"
#include "ipv6.h"
#include "link.h"
#include "netlink.h"
#include "output.h"
#include "packet.h"
#include "route.h"
#include "session.h"
#include "stage.h"
#include "underlay.h"

/* Headers of a data message without the IPv6 header it replaces, and the underlay's. */
#define FIPS_HEADROOM_NEED	(FIPS_IPV6_OVERHEAD - 2 * FIPS_TAG_LEN + 8 + 40 + 16)

/**
 * fips_slot_for_sending() - slot that may seal now
 * @slots: of a link or session
 * @place: enum fips_key_slot
 * @err: -ENOKEY or -EKEYEXPIRED, written if there is none
 *
 * Return: slot or NULL.
 */
struct fips_slot *fips_slot_for_sending(const struct fips_slots *slots, u32 place, int *err)
{
	struct fips_slot *slot = fips_slots_get(slots, place);

	if (unlikely(!slot || !fips_slot_has_key(slot))) {
		*err = -ENOKEY;
		return NULL;
	}
	if (unlikely(fips_slot_expired(slot) || test_bit(FIPS_SLOT_HARD, &slot->flags))) {
		*err = -EKEYEXPIRED;
		return NULL;
	}
	return slot;
}

/**
 * fips_way_find() - keys, route and link for a session's messages
 * @way: written
 * @session: far end
 * @place: enum fips_key_slot of the session
 *
 * Return: 0; -ENOKEY, -EKEYEXPIRED; -EAGAIN if the route has to be asked for;
 * -EHOSTUNREACH if it was refused; -ENONET if the link has no key.
 */
int fips_way_find(struct fips_way *way, struct fips_session *session, u32 place)
{
	struct fips_route *route;
	int err;

	way->session = session;
	way->slot = fips_slot_for_sending(&session->slots, place, &err);
	if (unlikely(!way->slot))
		return err;
	route = fips_route_find(session->fips, session->remote.b);
	if (unlikely(!route))
		return -EAGAIN;
	way->link = rcu_dereference(route->link);
	if (unlikely(!way->link))
		return fips_route_unreachable(route) ? -EHOSTUNREACH : -EAGAIN;
	fips_route_use(route);
	way->link_slot = fips_slot_for_sending(&way->link->slots, FIPS_KEY_SLOT_CURRENT, &err);
	return way->link_slot ? 0 : -ENONET;
}

/*
 * Copy an inner packet into a right-sized linear buffer and finish its
 * checksum on the way. The copy pays for the original at its socket.
 * Consumes @skb; NULL without memory.
 */
static struct sk_buff *fips_skb_copy(struct fips_device *fips, struct sk_buff *skb)
{
	unsigned int len = skb->len;
	struct sk_buff *copy;

	copy = alloc_skb(FIPS_HEADROOM + len + FIPS_TAILROOM, GFP_ATOMIC);
	if (unlikely(!copy)) {
		fips_drop(fips, FIPS_DROP_REASON_TX_HEADROOM);
		kfree_skb(skb);
		return NULL;
	}
	skb_reserve(copy, FIPS_HEADROOM);
	skb_copy_and_csum_dev(skb, skb_put(copy, len));
	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		__sum16 *sum = (void *)copy->data + skb_checksum_start_offset(skb) +
			       skb->csum_offset;

		if (!*sum)
			*sum = CSUM_MANGLED_0;
	}
	skb_reset_network_header(copy);
	copy->dev = skb->dev;
	copy->protocol = skb->protocol;
	copy->priority = skb->priority;
	copy->mark = skb->mark;
	skb_copy_hash(copy, skb);
	swap(copy->truesize, skb->truesize);
	swap(copy->destructor, skb->destructor);
	swap(copy->sk, skb->sk);
	consume_skb(skb);
	fips_dev_count(fips, FIPS_STAT_TX_COPIES, 1);
	return copy;
}

/*
 * skb_segment() leaves each segment the headroom of the whole and no tailroom:
 * move the packet down in its buffer if that yields what copying would.
 */
static void fips_skb_shift(struct sk_buff *skb)
{
	unsigned int by = FIPS_TAILROOM - skb_tailroom(skb);

	memmove(skb->data - by, skb->data, skb->len);
	skb->data -= by;
	skb_set_tail_pointer(skb, skb->len);
	skb_reset_network_header(skb);
}

/*
 * Make one inner packet ready for sealing: linear, unshared, with room and a
 * finished checksum. Consumes @skb; returns it, a copy, or NULL.
 */
static struct sk_buff *fips_skb_prepare(struct fips_device *fips, struct sk_buff *skb)
{
	bool ours = !skb_is_nonlinear(skb) && !skb_cloned(skb);

	if (unlikely(!ours || skb_headroom(skb) < FIPS_HEADROOM_NEED ||
		     skb_headroom(skb) + skb_tailroom(skb) < FIPS_HEADROOM_NEED + FIPS_TAILROOM))
		return fips_skb_copy(fips, skb);
	if (skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_help(skb)) {
		fips_drop(fips, FIPS_DROP_REASON_TX_HEADROOM);
		kfree_skb(skb);
		return NULL;
	}
	if (skb_tailroom(skb) < FIPS_TAILROOM)
		fips_skb_shift(skb);
	return skb;
}

/*
 * Cut a packet into a list of frames ready for sealing; a packet that is none
 * for segmentation becomes a list of one. Consumes @skb.
 */
static void fips_skb_segment(struct fips_device *fips, struct sk_buff *skb,
			     struct fips_frames *frames)
{
	struct sk_buff *segs, *next, **tail = &frames->head;

	frames->n = 0;
	frames->bytes = 0;
	if (skb_is_gso(skb)) {
		segs = skb_gso_segment(skb, 0);
		if (IS_ERR_OR_NULL(segs)) {
			fips_drop(fips, FIPS_DROP_REASON_TX_HEADROOM);
			kfree_skb(skb);
			frames->head = NULL;
			return;
		}
		consume_skb(skb);
	} else {
		skb_mark_not_on_list(skb);
		segs = skb;
	}
	skb_list_walk_safe(segs, skb, next) {
		skb_mark_not_on_list(skb);
		skb = fips_skb_prepare(fips, skb);
		if (unlikely(!skb))
			continue;
		*tail = skb;
		tail = &skb->next;
		frames->n++;
		frames->bytes += skb->len;
	}
	*tail = NULL;
}

/* Inner IPv6 header to ports and shim: the body of a Data message for port 256. */
static void fips_put_shim(struct sk_buff *skb)
{
	u8 *ip6 = skb->data, *ports;

	__skb_pull(skb, FIPS_IPV6_HDR_LEN);
	ports = __skb_push(skb, FIPS_SHIM_LEN + FIPS_FSP_PORTS_LEN);
	fips_shim_put(ports + FIPS_FSP_PORTS_LEN, ip6);
	fips_put_le16(ports, FIPS_PORT_IPV6);
	fips_put_le16(ports + 2, FIPS_PORT_IPV6);
}

/**
 * struct fips_seal - what the frames of one list have in common
 * @ctr: next session counter
 * @link_ctr: next link counter
 * @ts: session timestamp
 * @link_ts: link timestamp
 * @path_mtu: for the datagram header
 * @type: session message type
 * @flags: session header flags
 * @coords: to prepend, or NULL
 */
struct fips_seal {
	u64 ctr;
	u64 link_ctr;
	u32 ts;
	u32 link_ts;
	u16 path_mtu;
	u8 type;
	u8 flags;
	const struct fips_coords *coords;
};

/* Session message body to sealed message inside its datagram. */
static void fips_seal_session(struct sk_buff *skb, const struct fips_way *way,
			      const struct fips_seal *seal)
{
	struct fips_device *fips = way->session->fips;
	unsigned int len;
	u8 *text, *p;

	text = __skb_push(skb, FIPS_FSP_INNER_LEN);
	fips_put_le32(text, seal->ts);
	text[4] = seal->type;
	text[5] = fips_slot_spin(way->slot);
	len = skb->len;
	__skb_put(skb, FIPS_TAG_LEN);
	if (unlikely(seal->coords))
		memcpy(__skb_push(skb, seal->coords->len), seal->coords->data, seal->coords->len);
	p = __skb_push(skb, FIPS_FSP_HDR_LEN);
	fips_put_fsp_hdr(p, seal->flags, len, seal->ctr);
	fips_crypto_seal(text, len, p, FIPS_FSP_HDR_LEN, skb_headroom(skb), seal->ctr,
			 way->slot->tx_key);

	p = __skb_push(skb, FIPS_DGRAM_HDR_LEN);
	p[0] = FIPS_LINK_DATAGRAM;
	p[FIPS_DGRAM_TTL_OFF] = READ_ONCE(fips->default_ttl);
	fips_put_le16(p + FIPS_DGRAM_MTU_OFF, seal->path_mtu);
	memcpy(p + FIPS_DGRAM_SRC_OFF, fips->node_addr.b, FIPS_NODE_ADDR_LEN);
	memcpy(p + FIPS_DGRAM_DST_OFF, way->session->remote.b, FIPS_NODE_ADDR_LEN);
}

/* Link message, type byte first, to sealed frame. */
static void fips_seal_link(struct sk_buff *skb, const struct fips_slot *slot, u8 flags, u64 ctr,
			   u32 ts)
{
	unsigned int len;
	u8 *text, *p;

	text = __skb_push(skb, FIPS_FMP_INNER_LEN - 1);
	fips_put_le32(text, ts);
	len = skb->len;
	__skb_put(skb, FIPS_TAG_LEN);
	p = __skb_push(skb, FIPS_FMP_HDR_LEN);
	flags |= (slot->k_bit ? FIPS_FMP_FLAG_K : 0) |
		 (fips_slot_spin(slot) ? FIPS_FMP_FLAG_SP : 0);
	fips_put_fmp_hdr(p, flags, len, slot->remote_index, ctr);
	fips_crypto_seal(text, len, p, FIPS_FMP_HDR_LEN, skb_headroom(skb), ctr, slot->tx_key);
}

/* Keep the first @n frames, drop the rest for their key's limit. */
static void fips_frames_cut(struct fips_link *link, struct fips_frames *frames, unsigned int n)
{
	struct sk_buff **tail = &frames->head, *skb;
	unsigned int i;

	for (i = 0; i < n; i++)
		tail = &(*tail)->next;
	fips_link_drop_n(link, FIPS_DROP_REASON_KEY_LIMIT, frames->n - n);
	kfree_skb_list(*tail);
	*tail = NULL;
	frames->n = n;
	frames->bytes = 0;
	for (skb = frames->head; skb; skb = skb->next)
		frames->bytes += skb->len;
}

/* Counters for all frames, as many as both keys grant. */
static void fips_way_counters(const struct fips_way *way, struct fips_frames *frames,
			      struct fips_seal *seal)
{
	unsigned int n;

	n = fips_slot_take_counters(way->slot, frames->n, &seal->ctr);
	if (unlikely(fips_slot_soft_limit(way->slot)))
		fips_upcall_session_key_limit(way->session, way->slot->place,
					      atomic64_read(&way->slot->tx_counter));
	if (likely(n))
		n = fips_slot_take_counters(way->link_slot, n, &seal->link_ctr);
	if (unlikely(fips_slot_soft_limit(way->link_slot)))
		fips_upcall_link_key_limit(way->link, way->link_slot->place,
					   atomic64_read(&way->link_slot->tx_counter));
	if (unlikely(n < frames->n))
		fips_frames_cut(way->link, frames, n);
}

/*
 * Seal a list of message bodies for the session and the link, and send it.
 * Consumes the frames; each is linear, unshared, and has the room.
 */
static int fips_way_send(const struct fips_way *way, struct fips_frames *frames,
			 struct fips_seal *seal)
{
	u64 session_bytes = frames->bytes;
	ktime_t now = ktime_get();
	struct sk_buff *skb;

	fips_way_counters(way, frames, seal);
	if (unlikely(!frames->n))
		return -EKEYEXPIRED;
	seal->ts = fips_slot_timestamp(way->slot, now);
	seal->link_ts = fips_slot_timestamp(way->link_slot, now);
	fips_slot_sent(way->slot, seal->ctr, seal->ts);
	fips_slot_sent(way->link_slot, seal->link_ctr, seal->link_ts);
	if (unlikely(seal->coords))
		atomic64_add(frames->n * seal->coords->len, &way->session->tx_coords);
	seal->path_mtu = READ_ONCE(way->link->mtu);
	session_bytes = 0;
	frames->bytes = 0;
	for (skb = frames->head; skb; skb = skb->next) {
		fips_seal_session(skb, way, seal);
		seal->ctr++;
		session_bytes += skb->len - FIPS_DGRAM_HDR_LEN;
		fips_seal_link(skb, way->link_slot, 0, seal->link_ctr++, seal->link_ts);
		frames->bytes += skb->len;
	}
	fips_count_tx(&way->session->counters, frames->n, session_bytes);
	fips_count_tx(&way->link->counters, frames->n, frames->bytes);
	fips_dev_count_tx(way->link->fips, frames->n, frames->bytes);
	return fips_underlay_send(way->link, frames);
}

/* The first hop bounds the path (spec 08 §8.2). */
static void fips_way_lower_mtu(const struct fips_way *way)
{
	u16 mtu = READ_ONCE(way->link->mtu);

	if (likely(READ_ONCE(way->session->path_mtu) <= mtu))
		return;
	spin_lock(&way->session->slots.lock);
	if (way->session->path_mtu > mtu)
		WRITE_ONCE(way->session->path_mtu, mtu);
	spin_unlock(&way->session->slots.lock);
}

/* An empty buffer for a message of @len bytes body. */
static struct sk_buff *fips_skb_alloc(unsigned int len, unsigned int coords, gfp_t gfp)
{
	struct sk_buff *skb = alloc_skb(FIPS_HEADROOM + coords + len + FIPS_TAILROOM, gfp);

	if (likely(skb)) {
		skb_reserve(skb, FIPS_HEADROOM + coords);
		skb_reset_network_header(skb);
	}
	return skb;
}

/* Standalone CoordsWarmup ahead of a message that has no room for them. */
static void fips_way_send_warmup(const struct fips_way *way, const struct fips_coords *coords)
{
	struct fips_seal seal = {
		.type = FIPS_FSP_COORDS_WARMUP,
		.flags = FIPS_FSP_FLAG_CP,	/* never with K: spec 08 §6.2 */
		.coords = coords,
	};
	struct fips_frames frames = { .n = 1 };

	frames.head = fips_skb_alloc(0, coords->len, GFP_ATOMIC);
	if (frames.head)
		fips_way_send(way, &frames, &seal);
}

/*
 * While coordinates are due, messages go one by one: with them if they fit,
 * else behind a CoordsWarmup of their own (spec 08 §6.1). Takes what it sends
 * off the list.
 */
static void fips_way_send_coords(const struct fips_way *way, struct fips_frames *frames,
				 struct fips_seal *seal)
{
	const struct fips_coords *coords = rcu_dereference(way->session->coords);
	unsigned int mtu = READ_ONCE(way->session->fips->transport_mtu);
	struct fips_frames one;
	struct fips_seal once;

	if (!coords)
		return;
	while (frames->head && fips_session_take_coords(way->session)) {
		one.head = frames->head;
		one.n = 1;
		one.bytes = one.head->len;
		frames->head = one.head->next;
		frames->n--;
		frames->bytes -= one.bytes;
		skb_mark_not_on_list(one.head);
		once = *seal;
		if (FIPS_OVERHEAD + one.head->len + coords->len <= mtu &&
		    !skb_cow_head(one.head, FIPS_HEADROOM + coords->len)) {
			once.coords = coords;
			once.flags |= FIPS_FSP_FLAG_CP;
		} else {
			fips_way_send_warmup(way, coords);
		}
		fips_way_send(way, &one, &once);
	}
}

/* Send one packet of the stack, which may be a large one. Consumes @skb. */
static void fips_way_send_packet(const struct fips_way *way, struct sk_buff *skb)
{
	struct fips_seal seal = {
		.type = FIPS_FSP_DATA,
		.flags = READ_ONCE(way->slot->k_bit) ? FIPS_FSP_FLAG_K : 0,
	};
	struct fips_device *fips = way->session->fips;
	struct fips_frames frames;

	fips_skb_segment(fips, skb, &frames);
	if (unlikely(!frames.head))
		return;
	dev_sw_netstats_tx_add(fips->dev, frames.n, frames.bytes);
	for (skb = frames.head; skb; skb = skb->next)
		fips_put_shim(skb);
	frames.bytes -= frames.n * (FIPS_IPV6_HDR_LEN - FIPS_SHIM_LEN - FIPS_FSP_PORTS_LEN);
	fips_way_lower_mtu(way);
	fips_session_data(way->session);
	if (unlikely(atomic_read(&way->session->coords_count) > 0))
		fips_way_send_coords(way, &frames, &seal);
	if (likely(frames.head))
		fips_way_send(way, &frames, &seal);
}

/**
 * fips_output() - send a checked packet of the stack to a session
 * @session: far end
 * @skb: IPv6 packet, data at its header; GSO or not
 * @may_stage: keep it while a key or a route is missing; else drop it
 *
 * Consumes @skb.
 *
 * Context: RCU read side, BH off.
 */
void fips_output(struct fips_session *session, struct sk_buff *skb, bool may_stage)
{
	struct fips_device *fips = session->fips;
	struct fips_way way;
	unsigned int mtu;
	int err;

	err = fips_way_find(&way, session, FIPS_KEY_SLOT_CURRENT);
	if (unlikely(err || fips_session_unreachable(session))) {
		fips_stage_session(session, skb, err, may_stage);
		return;
	}
	mtu = min(READ_ONCE(session->path_mtu), READ_ONCE(way.link->mtu));
	mtu = max_t(int, (int)mtu - FIPS_IPV6_OVERHEAD, 0);
	if (unlikely(!fips_ipv6_fits(skb, mtu))) {
		fips_session_drop(session, FIPS_DROP_REASON_TX_TOO_BIG);
		fips_icmpv6_too_big(fips, skb, mtu);
		kfree_skb(skb);
		return;
	}
	fips_way_send_packet(&way, skb);
}

/**
 * fips_xmit() - ndo_start_xmit of a fips device
 * @skb: packet; consumed
 * @dev: the device
 *
 * Context: BH off.
 */
netdev_tx_t fips_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct fips_device *fips = netdev_priv(dev);
	struct fips_session *session;

	rcu_read_lock();
	if (unlikely(!fips_ipv6_tx_check(fips, skb))) {
		kfree_skb(skb);
		goto out;
	}
	/* Segments inherit what hangs on the skb: let go of it first. */
	skb_scrub_packet(skb, false);
	session = fips_session_find_ipv6(fips, &ipv6_hdr(skb)->daddr);
	if (unlikely(!session)) {
		fips_stage_unknown(fips, skb);
		goto out;
	}
	if (unlikely(fips_ipv6_is_syn(skb)) && !fips_ipv6_clamp_mss(session, skb)) {
		fips_drop(fips, FIPS_DROP_REASON_TX_HEADROOM);
		kfree_skb(skb);
		goto out;
	}
	fips_output(session, skb, true);
out:
	rcu_read_unlock();
	return NETDEV_TX_OK;
}

/**
 * fips_link_send() - seal one link message and send it
 * @link: link
 * @place: enum fips_key_slot
 * @skb: message, type byte first, with headroom for frame and underlay and
 *	tailroom for a tag, linear and unshared; consumed
 * @flags: FIPS_FMP_FLAG_CE or 0
 *
 * Context: RCU read side, BH off.
 * Return: 0, -ENOKEY, -EKEYEXPIRED or what the underlay said.
 */
int fips_link_send(struct fips_link *link, u32 place, struct sk_buff *skb, u8 flags)
{
	struct fips_frames frames = { .head = skb, .n = 1 };
	struct fips_slot *slot;
	u64 ctr;
	u32 ts;
	int err;

	skb_mark_not_on_list(skb);
	slot = fips_slot_for_sending(&link->slots, place, &err);
	if (unlikely(!slot)) {
		fips_link_drop(link, err == -ENOKEY ? FIPS_DROP_REASON_NO_KEY :
						      FIPS_DROP_REASON_KEY_LIMIT);
		kfree_skb(skb);
		return err;
	}
	if (unlikely(!fips_slot_take_counters(slot, 1, &ctr))) {
		fips_link_drop(link, FIPS_DROP_REASON_KEY_LIMIT);
		kfree_skb(skb);
		return -EKEYEXPIRED;
	}
	if (unlikely(fips_slot_soft_limit(slot)))
		fips_upcall_link_key_limit(link, slot->place, atomic64_read(&slot->tx_counter));
	ts = fips_slot_timestamp(slot, ktime_get());
	fips_slot_sent(slot, ctr, ts);
	fips_seal_link(skb, slot, flags, ctr, ts);
	frames.bytes = skb->len;
	fips_count_tx(&link->counters, 1, skb->len);
	fips_dev_count_tx(link->fips, 1, skb->len);
	return fips_underlay_send(link, &frames);
}

int fips_link_xmit_msg(struct fips_link *link, u32 place, const u8 *msg, size_t len)
{
	struct sk_buff *skb;
	int err;

	if (len + FIPS_FMP_OVERHEAD - 1 > READ_ONCE(link->mtu))
		return -EMSGSIZE;
	skb = fips_skb_alloc(len, 0, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	skb->dev = link->fips->dev;
	__skb_put_data(skb, msg, len);
	rcu_read_lock();
	local_bh_disable();
	err = fips_link_send(link, place, skb, 0);
	local_bh_enable();
	rcu_read_unlock();
	return err;
}

int fips_session_xmit_msg(struct fips_session *session, u32 place, u8 msg_type, bool with_coords,
			  const u8 *body, size_t len)
{
	struct fips_seal seal = { .type = msg_type };
	struct fips_frames frames = { .n = 1, .bytes = len };
	struct fips_way way;
	struct sk_buff *skb;
	unsigned int coords;
	int err;

	rcu_read_lock();
	local_bh_disable();
	err = fips_way_find(&way, session, place);
	if (err) {
		err = err == -EAGAIN ? -EHOSTUNREACH : err == -ENONET ? -ENOKEY : err;
		goto out;
	}
	if (with_coords)
		seal.coords = rcu_dereference(session->coords);
	coords = seal.coords ? seal.coords->len : 0;
	err = -EMSGSIZE;
	if (FIPS_OVERHEAD + coords + len > READ_ONCE(way.link->mtu))
		goto out;
	err = -ENOMEM;
	skb = fips_skb_alloc(len, coords, GFP_ATOMIC);
	if (!skb)
		goto out;
	skb->dev = session->fips->dev;
	__skb_put_data(skb, body, len);
	if (seal.coords)
		seal.flags |= FIPS_FSP_FLAG_CP;
	/* On a CoordsWarmup, too: M takes our proof of new keys by nothing else (02 §12.5). */
	if (READ_ONCE(way.slot->k_bit))
		seal.flags |= FIPS_FSP_FLAG_K;
	if (msg_type == FIPS_FSP_DATA)
		fips_session_data(session);
	frames.head = skb;
	err = fips_way_send(&way, &frames, &seal);
out:
	local_bh_enable();
	rcu_read_unlock();
	return err;
}
