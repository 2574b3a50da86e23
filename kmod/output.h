/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Output: from a packet of the stack, or a message of the daemon, to sealed
 * frames. All functions take RCU and BH-off for granted and work in any
 * softirq or worker.
 */
#ifndef _FIPS_OUTPUT_H
#define _FIPS_OUTPUT_H

#include <linux/skbuff.h>
#include <linux/types.h>

struct fips_device;
struct fips_link;
struct fips_session;
struct fips_slot;

/**
 * struct fips_cb - what a frame carries while it waits (skb->cb)
 * @since: jiffies when it began to wait
 * @id: parked frames of a link: transport; of a session or in transit: link it came on
 * @place: parked messages of a session: unused
 * @fmp_flags: flags byte of the link frame
 */
struct fips_cb {
	unsigned long since;
	u32 id;
	u8 fmp_flags;
};

#define FIPS_CB(skb)	((struct fips_cb *)(skb)->cb)
static_assert(sizeof(struct fips_cb) <= sizeof_field(struct sk_buff, cb));

/**
 * struct fips_way - everything a session's message needs to leave
 * @session: far end
 * @slot: its key epoch
 * @link: next hop
 * @link_slot: its key epoch
 */
struct fips_way {
	struct fips_session *session;
	struct fips_slot *slot;
	struct fips_link *link;
	struct fips_slot *link_slot;
};

struct fips_slot *fips_slot_for_sending(const struct fips_slots *slots, u32 place, int *err);
int fips_way_find(struct fips_way *way, struct fips_session *session, u32 place);
int fips_link_send(struct fips_link *link, u32 place, struct sk_buff *skb, u8 flags);
void fips_output(struct fips_session *session, struct sk_buff *skb, bool may_stage);

#endif /* _FIPS_OUTPUT_H */
