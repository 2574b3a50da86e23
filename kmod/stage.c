// SPDX-License-Identifier: GPL-2.0-only
/*
 * Staging: packets of the stack without a session, a key or a route, and
 * datagrams of others without a route. One upcall asks; the answer flushes
 * the queue or refuses it; nobody's answer ends it after a lifetime.
 *
 * Whoever queues looks once more under the queue's lock, whoever answers
 * publishes first and takes the queue's lock then: so no packet is left behind.
 */
#include <linux/icmpv6.h>
#include <linux/ipv6.h>
#include <linux/jhash.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <fips/wire.h>

#include "device.h"
#include "forward.h"
#include "ipv6.h"
#include "link.h"
#include "netlink.h"
#include "output.h"
#include "packet.h"
#include "route.h"
#include "session.h"
#include "stage.h"

#define FIPS_ICMP_INTERVAL	(HZ / 10)

/* No more memory for what waits? (A look, no reservation: CPUs may pass it together.) */
bool fips_stage_full(const struct fips_stage *stage, const struct sk_buff *skb)
{
	return atomic_read(&stage->bytes) + skb->truesize > FIPS_STAGE_BYTES;
}

/* @skb begins to wait. */
void fips_stage_wait(struct fips_stage *stage, const struct sk_buff *skb)
{
	atomic_inc(&stage->waiting);
	atomic_add(skb->truesize, &stage->bytes);
	if (!delayed_work_pending(&stage->work))
		schedule_delayed_work(&stage->work, HZ / 2);
}

/* @skb waits no longer. */
void fips_stage_done(struct fips_stage *stage, const struct sk_buff *skb)
{
	atomic_dec(&stage->waiting);
	atomic_sub(skb->truesize, &stage->bytes);
}

/* Nor does any of @queue. */
void fips_stage_done_all(struct fips_stage *stage, const struct sk_buff_head *queue)
{
	const struct sk_buff *skb;

	skb_queue_walk(queue, skb)
		fips_stage_done(stage, skb);
}

static u32 fips_stage_hash(const struct fips_stage *stage, u8 kind, const u8 *key)
{
	return jhash(key, FIPS_NODE_ADDR_LEN, stage->seed + kind) % FIPS_STAGE_BUCKETS;
}

static struct fips_stage_dest *fips_stage_find(struct fips_stage *stage, u8 kind, const u8 *key)
{
	struct fips_stage_dest *dest;

	lockdep_assert_held(&stage->lock);
	hlist_for_each_entry(dest, &stage->table[fips_stage_hash(stage, kind, key)], node)
		if (dest->kind == kind && !memcmp(dest->key, key, sizeof(dest->key)))
			return dest;
	return NULL;
}

static struct fips_stage_dest *fips_stage_add(struct fips_stage *stage, u8 kind, const u8 *key)
{
	struct fips_stage_dest *dest;

	lockdep_assert_held(&stage->lock);
	if (hlist_empty(&stage->free))
		return NULL;
	if (kind == FIPS_STAGE_TRANSIT) {
		if (stage->transit >= FIPS_STAGE_DESTS_TRANSIT)
			return NULL;
		stage->transit++;
	}
	dest = hlist_entry(stage->free.first, struct fips_stage_dest, node);
	hlist_del(&dest->node);
	dest->kind = kind;
	dest->unreachable = false;
	dest->asked = false;
	dest->until = jiffies + FIPS_STAGE_LIFETIME;
	memcpy(dest->key, key, sizeof(dest->key));
	hlist_add_head(&dest->node, &stage->table[fips_stage_hash(stage, kind, key)]);
	return dest;
}

/* Free the entry; its packets move to @queue. */
static void fips_stage_remove(struct fips_stage *stage, struct fips_stage_dest *dest,
			      struct sk_buff_head *queue)
{
	lockdep_assert_held(&stage->lock);
	fips_stage_done_all(stage, &dest->queue);
	skb_queue_splice_tail_init(&dest->queue, queue);
	if (dest->kind == FIPS_STAGE_TRANSIT)
		stage->transit--;
	hlist_del(&dest->node);
	dest->kind = FIPS_STAGE_FREE;
	hlist_add_head(&dest->node, &stage->free);
}

/* Put @skb on a queue under its lock; the oldest goes when there is no place. */
static void fips_stage_queue(struct fips_stage *stage, struct sk_buff_head *queue,
			     struct sk_buff *skb)
{
	struct sk_buff *old;

	while (!skb_queue_empty(queue) && (skb_queue_len(queue) >= FIPS_STAGED_MAX ||
					   fips_stage_full(stage, skb))) {
		old = __skb_dequeue(queue);
		fips_stage_done(stage, old);
		kfree_skb(old);
		fips_drop(stage->fips, FIPS_DROP_REASON_STAGE_FULL);
	}
	if (unlikely(fips_stage_full(stage, skb))) {
		kfree_skb(skb);
		fips_drop(stage->fips, FIPS_DROP_REASON_STAGE_FULL);
		return;
	}
	__skb_queue_tail(queue, skb);
	fips_stage_wait(stage, skb);
}

/* Nobody has been asked, or nobody has answered for a while. */
static bool fips_stage_wants_asking(const struct fips_stage_dest *dest)
{
	return !dest->asked || time_after(jiffies, dest->asked_at + FIPS_STAGE_ASK_AGAIN);
}

/*
 * Queue @skb at @dest.
 * Return: should the daemon be asked?
 */
static bool fips_stage_enqueue(struct fips_stage *stage, struct fips_stage_dest *dest,
			       struct sk_buff *skb)
{
	bool ask = fips_stage_wants_asking(dest);

	fips_stage_queue(stage, &dest->queue, skb);
	if (ask) {
		dest->asked = true;
		dest->asked_at = jiffies;
	}
	return ask;
}

/* The upcall was lost: the next packet asks again. */
static void fips_stage_unask(struct fips_stage *stage, u8 kind, const u8 *key)
{
	struct fips_stage_dest *dest;

	spin_lock_bh(&stage->lock);
	dest = fips_stage_find(stage, kind, key);
	if (dest)
		dest->asked = false;
	spin_unlock_bh(&stage->lock);
}

/**
 * fips_stage_icmp_ok() - may an ICMPv6 error about a destination go now?
 * @fips: device
 * @daddr: destination of the offending packet
 * @type: of the error
 */
bool fips_stage_icmp_ok(struct fips_device *fips, const struct in6_addr *daddr, u8 type)
{
	struct fips_stage *stage = fips->stage;
	unsigned long *sent = &stage->icmp_sent[fips_stage_hash(stage, type, daddr->s6_addr)];
	unsigned long last = READ_ONCE(*sent), now = jiffies | 1;

	if (last && time_before(now, last + FIPS_ICMP_INTERVAL))
		return false;
	return cmpxchg(sent, last, now) == last;
}

/* Drop a packet of the stack and say so. Consumes @skb. */
static void fips_stage_refuse(struct fips_device *fips, struct sk_buff *skb,
			      enum fips_drop_reason reason)
{
	fips_drop(fips, reason);
	fips_icmpv6_unreachable(fips, skb);
	kfree_skb(skb);
}

static void fips_stage_refuse_all(struct fips_device *fips, struct sk_buff_head *queue,
				  enum fips_drop_reason reason)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(queue)))
		fips_stage_refuse(fips, skb, reason);
}

/**
 * fips_stage_unknown() - a packet of the stack for an address without a session
 * @fips: device
 * @skb: checked packet; consumed
 *
 * Context: RCU read side, BH off.
 */
void fips_stage_unknown(struct fips_device *fips, struct sk_buff *skb)
{
	struct fips_stage *stage = fips->stage;
	struct in6_addr daddr = ipv6_hdr(skb)->daddr;
	enum fips_drop_reason reason = FIPS_DROP_REASON_STAGE_DESTINATIONS;
	struct fips_session *session;
	struct fips_stage_dest *dest;
	bool ask;

	spin_lock_bh(&stage->lock);
	session = fips_session_find_ipv6(fips, &daddr);
	if (unlikely(session)) {
		spin_unlock_bh(&stage->lock);
		fips_output(session, skb, true);
		return;
	}
	dest = fips_stage_find(stage, FIPS_STAGE_IPV6, daddr.s6_addr);
	if (dest && dest->unreachable) {
		reason = FIPS_DROP_REASON_TX_UNREACHABLE;
		goto refuse;
	}
	if (!dest)
		dest = fips_stage_add(stage, FIPS_STAGE_IPV6, daddr.s6_addr);
	if (!dest)
		goto refuse;
	skb_orphan(skb);
	ask = fips_stage_enqueue(stage, dest, skb);
	spin_unlock_bh(&stage->lock);
	if (ask && !fips_upcall_session_miss(fips, &daddr))
		fips_stage_unask(stage, FIPS_STAGE_IPV6, daddr.s6_addr);
	return;
refuse:
	spin_unlock_bh(&stage->lock);
	fips_stage_refuse(fips, skb, reason);
}

void fips_stage_adopt(struct fips_session *session)
{
	struct fips_stage *stage = session->fips->stage;
	struct fips_stage_dest *dest;
	struct sk_buff_head queue;
	struct sk_buff *skb;

	__skb_queue_head_init(&queue);
	spin_lock_bh(&stage->lock);
	dest = fips_stage_find(stage, FIPS_STAGE_IPV6, session->ipv6.s6_addr);
	if (dest)
		fips_stage_remove(stage, dest, &queue);
	spin_unlock_bh(&stage->lock);
	if (skb_queue_empty(&queue))
		return;
	spin_lock_bh(&session->staged.lock);
	if (skb_queue_empty(&session->staged))
		session->staged_since = jiffies;
	while ((skb = __skb_dequeue(&queue)))
		fips_stage_queue(stage, &session->staged, skb);
	spin_unlock_bh(&session->staged.lock);
}

int fips_stage_unreachable(struct fips_device *fips, const struct in6_addr *ipv6, u32 ms)
{
	struct fips_stage *stage = fips->stage;
	struct fips_stage_dest *dest;
	struct sk_buff_head queue;
	int err = 0;

	__skb_queue_head_init(&queue);
	spin_lock_bh(&stage->lock);
	dest = fips_stage_find(stage, FIPS_STAGE_IPV6, ipv6->s6_addr);
	if (dest && (ms || dest->unreachable))
		fips_stage_remove(stage, dest, &queue);
	if (ms) {
		dest = fips_stage_add(stage, FIPS_STAGE_IPV6, ipv6->s6_addr);
		if (dest) {
			dest->unreachable = true;
			dest->until = jiffies + msecs_to_jiffies(ms);
			if (!delayed_work_pending(&stage->work))
				schedule_delayed_work(&stage->work, HZ / 2);
		} else {
			err = -ENOSPC;
		}
	}
	spin_unlock_bh(&stage->lock);
	fips_stage_refuse_all(fips, &queue, FIPS_DROP_REASON_TX_UNREACHABLE);
	return err;
}

/* Ask for the route to the session's far end, once in a while. */
static void fips_stage_ask_route(struct fips_session *session)
{
	struct fips_device *fips = session->fips;
	unsigned long last = READ_ONCE(session->route_asked), now = jiffies | 1;
	u8 header[FIPS_DGRAM_HDR_LEN] = { FIPS_LINK_DATAGRAM };

	if ((last && time_before(now, last + FIPS_STAGE_ASK_AGAIN)) ||
	    cmpxchg(&session->route_asked, last, now) != last)
		return;
	header[FIPS_DGRAM_TTL_OFF] = READ_ONCE(fips->default_ttl);
	fips_put_le16(header + FIPS_DGRAM_MTU_OFF, FIPS_MTU_UNKNOWN);
	memcpy(header + FIPS_DGRAM_SRC_OFF, fips->node_addr.b, FIPS_NODE_ADDR_LEN);
	memcpy(header + FIPS_DGRAM_DST_OFF, session->remote.b, FIPS_NODE_ADDR_LEN);
	if (!fips_upcall_route_miss(fips, session->remote.b, 0, header, sizeof(header)))
		WRITE_ONCE(session->route_asked, 0);
}

/**
 * fips_stage_session() - a packet of the stack that its session can't send now
 * @session: far end
 * @skb: checked packet; consumed
 * @why: what fips_way_find() said
 * @may_stage: keep it if waiting can help
 *
 * Context: RCU read side, BH off.
 */
void fips_stage_session(struct fips_session *session, struct sk_buff *skb, int why, bool may_stage)
{
	struct fips_stage *stage = session->fips->stage;
	struct fips_way way;

	if (fips_session_unreachable(session)) {
		fips_session_drop(session, FIPS_DROP_REASON_TX_UNREACHABLE);
		goto unreachable;
	}
	switch (why) {
	case -EHOSTUNREACH:
		fips_session_drop(session, FIPS_DROP_REASON_NO_ROUTE);
		goto unreachable;
	case -EKEYEXPIRED:
		fips_session_drop(session, FIPS_DROP_REASON_KEY_LIMIT);
		goto drop;
	case -ENONET:
		fips_session_drop(session, FIPS_DROP_REASON_NO_KEY);
		goto drop;
	}
	if (!may_stage) {
		fips_session_drop(session, why == -EAGAIN ? FIPS_DROP_REASON_NO_ROUTE :
							    FIPS_DROP_REASON_NO_KEY);
		goto drop;
	}
	skb_orphan(skb);
	spin_lock_bh(&session->staged.lock);
	if (unlikely(READ_ONCE(session->slots.dead))) {
		spin_unlock_bh(&session->staged.lock);
		goto drop;
	}
	if (unlikely(!fips_way_find(&way, session, FIPS_KEY_SLOT_CURRENT))) {
		spin_unlock_bh(&session->staged.lock);
		fips_output(session, skb, false);
		return;
	}
	if (skb_queue_empty(&session->staged))
		session->staged_since = jiffies;
	fips_stage_queue(stage, &session->staged, skb);
	spin_unlock_bh(&session->staged.lock);
	if (why == -EAGAIN)
		fips_stage_ask_route(session);
	return;
unreachable:
	fips_icmpv6_unreachable(session->fips, skb);
drop:
	kfree_skb(skb);
}

/* Everything staged at the session moves to @queue. */
static void fips_stage_take(struct fips_session *session, struct sk_buff_head *queue)
{
	__skb_queue_head_init(queue);
	spin_lock_bh(&session->staged.lock);
	fips_stage_done_all(session->fips->stage, &session->staged);
	skb_queue_splice_tail_init(&session->staged, queue);
	spin_unlock_bh(&session->staged.lock);
}

void fips_session_flush_staged(struct fips_session *session)
{
	struct sk_buff_head queue;
	struct sk_buff *skb;

	if (skb_queue_empty_lockless(&session->staged))
		return;
	fips_stage_take(session, &queue);
	WRITE_ONCE(session->route_asked, 0);
	rcu_read_lock();
	local_bh_disable();
	while ((skb = __skb_dequeue(&queue)))
		fips_output(session, skb, true);
	local_bh_enable();
	rcu_read_unlock();
}

static void fips_session_refuse_staged(struct fips_session *session, enum fips_drop_reason reason)
{
	struct sk_buff_head queue;

	fips_stage_take(session, &queue);
	fips_stage_refuse_all(session->fips, &queue, reason);
}

void fips_session_fail_staged(struct fips_session *session)
{
	fips_session_refuse_staged(session, FIPS_DROP_REASON_TX_UNREACHABLE);
}

void fips_session_purge(struct fips_session *session)
{
	struct fips_stage *stage = session->fips->stage;
	struct sk_buff_head queue;

	fips_stage_take(session, &queue);
	__skb_queue_purge(&queue);
	spin_lock_bh(&session->parked.lock);
	skb_queue_splice_tail_init(&session->parked, &queue);
	spin_unlock_bh(&session->parked.lock);
	fips_stage_done_all(stage, &queue);
	atomic_sub(skb_queue_len(&queue), &stage->parked);
	__skb_queue_purge(&queue);
}

/**
 * fips_stage_transit() - a datagram of others without a route
 * @fips: device
 * @link_id: link it came on
 * @fmp_flags: flags byte of its frame
 * @skb: datagram, type byte first, linear; consumed
 *
 * Context: RCU read side, BH off.
 */
void fips_stage_transit(struct fips_device *fips, u32 link_id, u8 fmp_flags, struct sk_buff *skb)
{
	struct fips_stage *stage = fips->stage;
	const u8 *key = skb->data + FIPS_DGRAM_DST_OFF;
	struct fips_stage_dest *dest;
	struct fips_route *route;

	FIPS_CB(skb)->id = link_id;
	FIPS_CB(skb)->fmp_flags = fmp_flags;
	spin_lock_bh(&stage->lock);
	route = fips_route_find(fips, key);
	if (unlikely(route && rcu_access_pointer(route->link))) {
		spin_unlock_bh(&stage->lock);
		fips_forward(fips, link_id, fmp_flags, skb);
		return;
	}
	dest = fips_stage_find(stage, FIPS_STAGE_TRANSIT, key);
	if (!dest)
		dest = fips_stage_add(stage, FIPS_STAGE_TRANSIT, key);
	if (!dest) {
		spin_unlock_bh(&stage->lock);
		fips_drop(fips, FIPS_DROP_REASON_STAGE_DESTINATIONS);
		kfree_skb(skb);
		return;
	}
	/* While the datagram is still ours to read. A question that got lost is asked again. */
	if (fips_stage_wants_asking(dest)) {
		dest->asked = fips_upcall_route_miss(fips, key, link_id, skb->data,
						     fips_dgram_header(skb->data, skb->len));
		dest->asked_at = jiffies;
	}
	fips_stage_queue(stage, &dest->queue, skb);
	spin_unlock_bh(&stage->lock);
}

void fips_route_resolved(struct fips_device *fips, const u8 *node_addr, bool reachable)
{
	struct fips_stage *stage = fips->stage;
	struct fips_stage_dest *dest;
	struct fips_session *session;
	struct sk_buff_head queue;
	struct sk_buff *skb;

	__skb_queue_head_init(&queue);
	spin_lock_bh(&stage->lock);
	dest = fips_stage_find(stage, FIPS_STAGE_TRANSIT, node_addr);
	if (dest)
		fips_stage_remove(stage, dest, &queue);
	spin_unlock_bh(&stage->lock);

	rcu_read_lock();
	local_bh_disable();
	while ((skb = __skb_dequeue(&queue))) {
		if (reachable) {
			fips_forward(fips, FIPS_CB(skb)->id, FIPS_CB(skb)->fmp_flags, skb);
		} else {
			fips_drop(fips, FIPS_DROP_REASON_NO_ROUTE);
			kfree_skb(skb);
		}
	}
	session = fips_session_find(fips, node_addr);
	if (session && reachable)
		fips_session_flush_staged(session);
	else if (session)
		fips_session_refuse_staged(session, FIPS_DROP_REASON_NO_ROUTE);
	local_bh_enable();
	rcu_read_unlock();
}

/* End of the table's entries whose time is over, or of all. */
static void fips_stage_expire(struct fips_stage *stage, bool all)
{
	struct sk_buff_head ipv6, transit;
	struct fips_stage_dest *dest;
	unsigned int i;

	__skb_queue_head_init(&ipv6);
	__skb_queue_head_init(&transit);
	spin_lock_bh(&stage->lock);
	for (i = 0; i < FIPS_STAGE_DESTS; i++) {
		dest = &stage->dests[i];
		if (dest->kind != FIPS_STAGE_FREE && (all || time_after(jiffies, dest->until)))
			fips_stage_remove(stage, dest,
					  dest->kind == FIPS_STAGE_IPV6 ? &ipv6 : &transit);
	}
	spin_unlock_bh(&stage->lock);
	if (!all)
		fips_stage_refuse_all(stage->fips, &ipv6, FIPS_DROP_REASON_STAGE_EXPIRED);
	else
		__skb_queue_purge(&ipv6);
	if (!all)
		fips_drop_n(stage->fips, FIPS_DROP_REASON_STAGE_EXPIRED, skb_queue_len(&transit));
	__skb_queue_purge(&transit);
}

/* Is anything in the table, packets or not? */
static bool fips_stage_busy(struct fips_stage *stage)
{
	bool busy = atomic_read(&stage->waiting) > 0;
	unsigned int i;

	spin_lock_bh(&stage->lock);
	for (i = 0; i < FIPS_STAGE_DESTS && !busy; i++)
		busy = stage->dests[i].kind != FIPS_STAGE_FREE;
	spin_unlock_bh(&stage->lock);
	return busy;
}

static void fips_stage_work(struct work_struct *work)
{
	struct fips_stage *stage = container_of(to_delayed_work(work), struct fips_stage, work);
	struct fips_device *fips = stage->fips;
	struct fips_session *session;
	unsigned long i;

	fips_stage_expire(stage, false);
	if (atomic_read(&stage->waiting) > 0) {
		mutex_lock(&fips->lock);
		xa_for_each(&fips->sessions, i, session)
			if (!skb_queue_empty_lockless(&session->staged) &&
			    time_after(jiffies, session->staged_since + FIPS_STAGE_LIFETIME))
				fips_session_refuse_staged(session,
							   FIPS_DROP_REASON_STAGE_EXPIRED);
		if (atomic_read(&stage->parked) > 0)
			fips_park_expire(fips);
		mutex_unlock(&fips->lock);
	}
	if (fips_stage_busy(stage))
		schedule_delayed_work(&stage->work, HZ / 2);
}

void fips_packet_flush(struct fips_device *fips)
{
	fips_stage_expire(fips->stage, true);
}

int fips_packet_init(struct fips_device *fips)
{
	struct fips_stage *stage;
	unsigned int i;

	stage = kvzalloc(sizeof(*stage), GFP_KERNEL_ACCOUNT);
	if (!stage)
		return -ENOMEM;
	stage->fips = fips;
	spin_lock_init(&stage->lock);
	stage->seed = get_random_u32();
	INIT_DELAYED_WORK(&stage->work, fips_stage_work);
	for (i = 0; i < FIPS_STAGE_DESTS; i++) {
		__skb_queue_head_init(&stage->dests[i].queue);
		hlist_add_head(&stage->dests[i].node, &stage->free);
	}
	fips->stage = stage;
	return 0;
}

void fips_packet_uninit(struct fips_device *fips)
{
	if (!fips->stage)
		return;
	cancel_delayed_work_sync(&fips->stage->work);
	fips_stage_expire(fips->stage, true);
	kvfree(fips->stage);
	fips->stage = NULL;
}
