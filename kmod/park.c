// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parking: the peer may speak right behind msg2 or Msg3, before its key is
 * here. A few frames a link or session wait up to two seconds for it. The
 * newest is the one that goes when there is no place: what a stranger sends
 * can displace at most what a retry brings back.
 */
#include <linux/skbuff.h>

#include "device.h"
#include "input.h"
#include "link.h"
#include "output.h"
#include "packet.h"
#include "session.h"
#include "stage.h"
#include "transport.h"

static bool fips_park_enqueue(struct fips_stage *stage, struct sk_buff_head *queue,
			      struct sk_buff *skb, u32 id, u8 fmp_flags)
{
	lockdep_assert_held(&queue->lock);
	if (skb_queue_len(queue) >= FIPS_PARKED_MAX || fips_stage_full(stage, skb))
		return false;
	if (atomic_inc_return(&stage->parked) > FIPS_PARK_TOTAL) {
		atomic_dec(&stage->parked);
		return false;
	}
	FIPS_CB(skb)->since = jiffies;
	FIPS_CB(skb)->id = id;
	FIPS_CB(skb)->fmp_flags = fmp_flags;
	__skb_queue_tail(queue, skb);
	fips_stage_wait(stage, skb);
	return true;
}

static void fips_park_take(struct fips_stage *stage, struct sk_buff_head *from,
			   struct sk_buff_head *queue)
{
	__skb_queue_head_init(queue);
	spin_lock_bh(&from->lock);
	skb_queue_splice_tail_init(from, queue);
	spin_unlock_bh(&from->lock);
	fips_stage_done_all(stage, queue);
	atomic_sub(skb_queue_len(queue), &stage->parked);
}

/**
 * fips_park_link() - a frame came before its key
 * @link: link
 * @slot: slot of its index, without a key a moment ago
 * @transport: transport it came on
 * @skb: frame, data at its header; consumed unless the key has come
 *
 * Context: RCU read side, BH off.
 * Return: false if the key is there now: open the frame.
 */
bool fips_park_link(struct fips_link *link, struct fips_slot *slot,
		    const struct fips_transport *transport, struct sk_buff *skb)
{
	bool parked;

	skb_orphan(skb);
	skb_dst_drop(skb);
	spin_lock(&link->parked.lock);
	if (fips_slot_has_key(slot)) {
		spin_unlock(&link->parked.lock);
		return false;
	}
	parked = !READ_ONCE(link->slots.dead) &&
		 fips_park_enqueue(link->fips->stage, &link->parked, skb, transport->id, 0);
	spin_unlock(&link->parked.lock);
	if (!parked) {
		fips_link_drop(link, FIPS_DROP_REASON_PARK_FULL);
		kfree_skb(skb);
	}
	return true;
}

/**
 * fips_park_session() - no slot opens a message, but a handshake may be armed
 * @session: session
 * @key_seq: of the session, read before the slots were tried
 * @link_id: link it came on
 * @fmp_flags: flags byte of its frame
 * @skb: datagram, type byte first, linear
 *
 * Context: RCU read side, BH off.
 * Return: 0 if it is parked. Otherwise it stays the caller's: -EAGAIN, a key has
 * come meanwhile, try again; -ENOBUFS, too many wait.
 */
int fips_park_session(struct fips_session *session, unsigned int key_seq, u32 link_id,
		      u8 fmp_flags, struct sk_buff *skb)
{
	int err = 0;

	spin_lock(&session->parked.lock);
	if (READ_ONCE(session->key_seq) != key_seq)
		err = -EAGAIN;
	else if (READ_ONCE(session->slots.dead) ||
		 !fips_park_enqueue(session->fips->stage, &session->parked, skb, link_id,
				    fmp_flags))
		err = -ENOBUFS;
	spin_unlock(&session->parked.lock);
	return err;
}

void fips_link_unpark(struct fips_link *link)
{
	struct fips_device *fips = link->fips;
	struct fips_transport *transport;
	struct sk_buff_head queue;
	struct sk_buff *skb;

	lockdep_assert_held(&fips->lock);
	/* No look without the lock: who parks looks for the key under it. */
	fips_park_take(fips->stage, &link->parked, &queue);
	rcu_read_lock();
	local_bh_disable();
	while ((skb = __skb_dequeue(&queue))) {
		transport = fips_transport_find(fips, FIPS_CB(skb)->id);
		if (transport)
			fips_input_frame(transport, skb);
		else
			kfree_skb(skb);
	}
	local_bh_enable();
	rcu_read_unlock();
}

void fips_session_unpark(struct fips_session *session)
{
	struct sk_buff_head queue;
	struct sk_buff *skb;

	/* No look without the lock: who parks compares key_seq under it. */
	fips_park_take(session->fips->stage, &session->parked, &queue);
	rcu_read_lock();
	local_bh_disable();
	while ((skb = __skb_dequeue(&queue)))
		fips_input_session(session, FIPS_CB(skb)->id, FIPS_CB(skb)->fmp_flags, skb);
	local_bh_enable();
	rcu_read_unlock();
}

void fips_link_purge(struct fips_link *link)
{
	struct sk_buff_head queue;

	fips_park_take(link->fips->stage, &link->parked, &queue);
	__skb_queue_purge(&queue);
}

/* Free what has waited too long in one queue. Return: how many. */
static unsigned int fips_park_expire_queue(struct fips_stage *stage, struct sk_buff_head *queue)
{
	struct sk_buff *skb;
	unsigned int n = 0;

	spin_lock_bh(&queue->lock);
	while ((skb = skb_peek(queue)) &&
	       time_after(jiffies, FIPS_CB(skb)->since + FIPS_PARK_LIFETIME)) {
		__skb_unlink(skb, queue);
		fips_stage_done(stage, skb);
		kfree_skb(skb);
		n++;
	}
	spin_unlock_bh(&queue->lock);
	atomic_sub(n, &stage->parked);
	return n;
}

/**
 * fips_park_expire() - end what has waited for a key for too long
 * @fips: device
 *
 * Context: process, under fips_device.lock.
 */
void fips_park_expire(struct fips_device *fips)
{
	struct fips_session *session;
	struct fips_link *link;
	unsigned long i;
	unsigned int n;

	lockdep_assert_held(&fips->lock);
	xa_for_each(&fips->links, i, link) {
		if (skb_queue_empty_lockless(&link->parked))
			continue;
		n = fips_park_expire_queue(fips->stage, &link->parked);
		if (n)
			fips_link_drop_n(link, FIPS_DROP_REASON_PARK_EXPIRED, n);
	}
	xa_for_each(&fips->sessions, i, session) {
		if (skb_queue_empty_lockless(&session->parked))
			continue;
		n = fips_park_expire_queue(fips->stage, &session->parked);
		if (n)
			fips_session_drop_n(session, FIPS_DROP_REASON_PARK_EXPIRED, n);
	}
}
