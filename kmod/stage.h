/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Staging and parking: packets that wait for an answer of the daemon, as
 * packets wait for a neighbour entry. All is bounded and has an end.
 */
#ifndef _FIPS_STAGE_H
#define _FIPS_STAGE_H

#include <linux/jiffies.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <fips/dgram.h>

struct fips_device;
struct fips_link;
struct fips_session;
struct fips_slot;
struct fips_transport;
struct in6_addr;

#define FIPS_STAGE_DESTS	256
#define FIPS_STAGE_DESTS_TRANSIT	128	/* of them, for others; the rest stays ours */
#define FIPS_STAGE_BUCKETS	64
#define FIPS_STAGE_LIFETIME	(15 * HZ)	/* a look-up's attempts: 1 + 2 + 4 + 8 s */
#define FIPS_STAGE_ASK_AGAIN	(2 * HZ)
#define FIPS_STAGE_BYTES	(16 << 20)	/* of all that waits, a device */
#define FIPS_PARK_TOTAL		1024
#define FIPS_PARK_LIFETIME	(2 * HZ)

enum fips_stage_kind {
	FIPS_STAGE_FREE,
	FIPS_STAGE_IPV6,	/* packets of the stack, key is the destination address */
	FIPS_STAGE_TRANSIT,	/* datagrams of others, key is the destination node */
};

/**
 * struct fips_stage_dest - a destination that nobody has answered for yet
 * @node: in a bucket, or in the list of free ones
 * @kind: enum fips_stage_kind
 * @unreachable: refuse everything until @until
 * @asked: an upcall went at @asked_at
 * @key: address
 * @until: jiffies; end of the entry
 * @asked_at: jiffies
 * @queue: packets
 */
struct fips_stage_dest {
	struct hlist_node node;
	u8 kind;
	bool unreachable;
	bool asked;
	u8 key[FIPS_NODE_ADDR_LEN];
	unsigned long until;
	unsigned long asked_at;
	struct sk_buff_head queue;
};

/**
 * struct fips_stage - staging of one device
 * @fips: device
 * @lock: covers all but the counts; BH off; outside of the queues' locks
 * @seed: of the hash
 * @transit: destinations in use for datagrams of others
 * @free: unused destinations
 * @table: destinations by kind and key
 * @icmp_sent: jiffies of the last ICMPv6 error, by hash of its destination
 * @seen: coordinates shown to the daemon; without the lock
 * @waiting: skbs that lie in any queue; while there are some, @work runs
 * @bytes: their memory
 * @parked: of them, frames and messages without a key
 * @work: ends what has waited too long
 * @dests: the entries
 */
struct fips_stage {
	struct fips_device *fips;
	spinlock_t lock; /* see above */
	u32 seed;
	unsigned int transit;
	struct hlist_head free;
	struct hlist_head table[FIPS_STAGE_BUCKETS];
	unsigned long icmp_sent[FIPS_STAGE_BUCKETS];
	struct fips_seen seen[FIPS_SEEN];
	atomic_t waiting;
	atomic_t bytes;
	atomic_t parked;
	struct delayed_work work;
	struct fips_stage_dest dests[FIPS_STAGE_DESTS];
};

bool fips_stage_icmp_ok(struct fips_device *fips, const struct in6_addr *daddr, u8 type);
void fips_stage_unknown(struct fips_device *fips, struct sk_buff *skb);
void fips_stage_session(struct fips_session *session, struct sk_buff *skb, int why,
			bool may_stage);
void fips_stage_transit(struct fips_device *fips, u32 link_id, u8 fmp_flags, struct sk_buff *skb);

bool fips_park_link(struct fips_link *link, struct fips_slot *slot,
		    const struct fips_transport *transport, struct sk_buff *skb);
int fips_park_session(struct fips_session *session, unsigned int key_seq, u32 link_id,
		      u8 fmp_flags, struct sk_buff *skb);
void fips_park_expire(struct fips_device *fips);

bool fips_stage_full(const struct fips_stage *stage, const struct sk_buff *skb);
void fips_stage_wait(struct fips_stage *stage, const struct sk_buff *skb);
void fips_stage_done(struct fips_stage *stage, const struct sk_buff *skb);
void fips_stage_done_all(struct fips_stage *stage, const struct sk_buff_head *queue);

#endif /* _FIPS_STAGE_H */
