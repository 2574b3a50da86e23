// SPDX-License-Identifier: GPL-2.0-only
/*
 * Forward: a datagram of others has been opened; it gets its next hop's TTL
 * and path_mtu, and is sealed again (spec 07 §C).
 */
#include <linux/skbuff.h>
#include <fips/dgram.h>

#include "device.h"
#include "forward.h"
#include "input.h"
#include "link.h"
#include "netlink.h"
#include "output.h"
#include "route.h"
#include "stage.h"

#define FIPS_FORWARD_HEADROOM	(FIPS_FMP_HDR_LEN + FIPS_FMP_INNER_LEN - 1 + 8 + 40 + 16)

/**
 * fips_mirror_coords() - show the daemon the coordinates of a passing datagram
 * @fips: device
 * @link_id: link it came on
 * @skb: datagram, type byte first, linear; stays the caller's
 *
 * Those that it has seen a moment ago are passed over; others go through a
 * bucket of their own, so that a flood of them keeps nobody from asking for a route.
 *
 * Context: RCU read side, BH off.
 */
void fips_mirror_coords(struct fips_device *fips, u32 link_id, const struct sk_buff *skb)
{
	size_t off, len = fips_dgram_coords(skb->data, skb->len, &off);

	if (likely(!len) || len > FIPS_COORDS_MAX)
		return;
	/* Unlocked: at worst something is shown twice. */
	if (data_race(fips_seen_test(fips->stage->seen, skb->data, off, len, get_jiffies_64(), HZ)))
		return;
	fips_upcall_coords(fips, link_id, skb->data, len);
}

/* Larger than the next hop takes. Consumes @skb. */
static void fips_forward_too_big(struct fips_device *fips, u32 link_id, struct fips_link *link,
				 struct sk_buff *skb)
{
	fips_link_drop(link, FIPS_DROP_REASON_DGRAM_MTU);
	fips_upcall_mtu_exceeded(fips, skb->data + FIPS_DGRAM_DST_OFF, link_id, skb->data,
				 fips_dgram_header(skb->data, skb->len));
	kfree_skb(skb);
}

/*
 * It would go back where it came from: whoever sent it believes that we are
 * nearer, we believe the same of him, and only the TTL would end it. Consumes @skb.
 */
static void fips_forward_back(struct fips_device *fips, struct fips_link *link,
			      struct sk_buff *skb)
{
	unsigned long last = READ_ONCE(link->back_told);

	fips_link_drop(link, FIPS_DROP_REASON_DGRAM_BACK);
	if (time_after_eq(jiffies, last + HZ / 10) &&
	    cmpxchg(&link->back_told, last, jiffies) == last)
		fips_upcall_route_back(fips, skb->data + FIPS_DGRAM_DST_OFF, link->id, skb->data,
				       fips_dgram_header(skb->data, skb->len));
	kfree_skb(skb);
}

/**
 * fips_forward() - send a datagram of others on its way
 * @fips: device
 * @link_id: link it came on
 * @fmp_flags: flags byte of its frame
 * @skb: datagram, type byte first, at least %FIPS_DGRAM_HDR_LEN, linear, unshared; consumed
 *
 * Context: RCU read side, BH off.
 */
void fips_forward(struct fips_device *fips, u32 link_id, u8 fmp_flags, struct sk_buff *skb)
{
	struct fips_route *route;
	struct fips_link *link;
	unsigned int len;
	u16 mtu;
	u8 *p;

	p = skb->data;
	if (unlikely(p[FIPS_DGRAM_TTL_OFF] <= 1)) {
		fips_drop(fips, FIPS_DROP_REASON_DGRAM_TTL);
		goto drop;
	}
	route = fips_route_find(fips, p + FIPS_DGRAM_DST_OFF);
	link = route ? rcu_dereference(route->link) : NULL;
	if (unlikely(!link)) {
		if (route && fips_route_unreachable(route)) {
			fips_drop(fips, FIPS_DROP_REASON_NO_ROUTE);
			goto drop;
		}
		fips_stage_transit(fips, link_id, fmp_flags, skb);
		return;
	}
	if (unlikely(link->id == link_id)) {
		fips_forward_back(fips, link, skb);
		return;
	}
	fips_route_use(route);
	len = FIPS_FMP_OVERHEAD - 1 + skb->len;
	mtu = READ_ONCE(link->mtu);
	if (unlikely(len > mtu)) {
		fips_forward_too_big(fips, link_id, link, skb);
		return;
	}
	if (unlikely(skb_cow_head(skb, FIPS_FORWARD_HEADROOM) ||
		     (skb_tailroom(skb) < FIPS_TAG_LEN &&
		      pskb_expand_head(skb, 0, FIPS_TAG_LEN, GFP_ATOMIC)))) {
		fips_drop(fips, FIPS_DROP_REASON_TX_HEADROOM);
		goto drop;
	}
	p = skb->data;
	p[FIPS_DGRAM_TTL_OFF]--;
	if (fips_get_le16(p + FIPS_DGRAM_MTU_OFF) > mtu)
		fips_put_le16(p + FIPS_DGRAM_MTU_OFF, mtu);
	fmp_flags &= FIPS_FMP_FLAG_CE;
	if (unlikely(READ_ONCE(link->congested))) {
		fmp_flags |= FIPS_FMP_FLAG_CE;
		fips_dev_count(fips, FIPS_STAT_CE_MARKED, 1);
	}
	if (unlikely(fmp_flags))
		fips_dev_count(fips, FIPS_STAT_CE_FORWARDED, 1);
	fips_count(&link->counters, FIPS_STAT_FORWARDED, 1);
	fips_dev_count(fips, FIPS_STAT_FORWARDED, 1);
	fips_link_send(link, FIPS_KEY_SLOT_CURRENT, skb, fmp_flags);
	return;
drop:
	kfree_skb(skb);
}
