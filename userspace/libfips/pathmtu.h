/* SPDX-License-Identifier: MIT */
/*
 * Path MTU of a session (spec 08 §8) and the store of what is known about the
 * path to a destination (09 §8.3). All values are sizes of whole link frames.
 *
 * Better than the reference (08 §18, items 10 to 12): a decrease clears the
 * pending increase, so that the path may recover to the same value; the
 * destination compares with what it last told, not with the other direction;
 * MtuExceeded only ever lowers.
 */
#ifndef _LIBFIPS_PATHMTU_H
#define _LIBFIPS_PATHMTU_H

#include <fips/wire.h>

#include "addrtable.h"

#define FIPS_PATHMTU_INTERVAL_MS	10000	/* least time between notifications */
#define FIPS_PATHMTU_CONFIRM		3	/* equal reports that make an increase */

/**
 * struct fips_pathmtu - both ends of one session's path
 * @current: largest frame our direction carries, as far as known
 * @pending: larger value that was reported, 0 = none
 * @count: times in a row, saturating
 * @first_ms: first of them
 * @interval_ms: of notifications
 * @observed: path_mtu of the newest datagram that came
 * @told: value of our last notification, valid with @has_told
 * @told_ms: when
 * @has_told: was there one?
 */
struct fips_pathmtu {
	u16 current;
	u16 pending;
	u8 count;
	u64 first_ms;
	u64 interval_ms;
	u16 observed;
	u16 told;
	u64 told_ms;
	bool has_told;
};

void fips_pathmtu_init(struct fips_pathmtu *p);

/* Source: a datagram leaves with this path_mtu, or one could. True if @p->current fell. */
bool fips_pathmtu_seed(struct fips_pathmtu *p, u16 mtu);

/**
 * fips_pathmtu_notified() - source: a PathMtuNotification (08 §8.2)
 * @p: state
 * @mtu: as received
 * @now_ms: monotonic
 *
 * Return: 1 if @p->current changed, 0 if not, -ERANGE below %FIPS_MTU_FLOOR (ignored).
 */
int fips_pathmtu_notified(struct fips_pathmtu *p, u16 mtu, u64 now_ms);

/**
 * fips_pathmtu_exceeded() - source: an admitted MtuExceeded
 * @p: state
 * @mtu: as received
 * @largest_sent: largest frame sent to this destination lately, %FIPS_MTU_UNKNOWN if not known
 *
 * Nobody can have refused what was not sent.
 *
 * Return: as fips_pathmtu_notified().
 */
int fips_pathmtu_exceeded(struct fips_pathmtu *p, u16 mtu, u16 largest_sent);

/* Source: the path is broken, begin anew. What we observe as destination stays. */
void fips_pathmtu_reset(struct fips_pathmtu *p);

/* After a receiver report, once there is a round-trip time. */
void fips_pathmtu_set_srtt(struct fips_pathmtu *p, s64 srtt_us);

/* Destination: path_mtu of an authenticated message. True if a notification is due at once. */
bool fips_pathmtu_observe(struct fips_pathmtu *p, u16 mtu);
/* When the next notification is due: 0 = at once, ~0 = never as it stands. */
u64 fips_pathmtu_due(const struct fips_pathmtu *p);
/* A notification with @p->observed goes out. */
void fips_pathmtu_told(struct fips_pathmtu *p, u64 now_ms);

struct fips_mtu_entry;

/**
 * struct fips_mtu_store - largest frame for each destination
 * @table: by the 15 address bytes that an IPv6 address holds
 * @oldest: entry that was written first
 * @newest: entry that was written last
 * @capacity: most entries; the one that was written first makes room
 * @ttl_ms: life of what a look-up taught, 0 = no end
 */
struct fips_mtu_store {
	struct fips_addrtable table;
	struct fips_mtu_entry *oldest;
	struct fips_mtu_entry *newest;
	u32 capacity;
	u64 ttl_ms;
};

/* @key: %FIPS_ADDRTABLE_KEY_LEN random bytes. Return: 0 or -ENOMEM. */
int fips_mtu_store_init(struct fips_mtu_store *s, u32 capacity, u64 ttl_ms, const u8 *key);
void fips_mtu_store_fini(struct fips_mtu_store *s);

/* What is known, %FIPS_MTU_UNKNOWN if nothing. Only bytes 0 to 14 of @addr count. */
u16 fips_mtu_store_get(const struct fips_mtu_store *s, const struct fips_node_addr *addr,
		       u64 now_ms);

/**
 * fips_mtu_store_seed() - the destination is a direct peer
 * @s: store
 * @addr: the peer
 * @mtu: of the link
 * @transport_id: that carries it, not 0; a seed from another one than before also loosens
 *
 * Also to be called for direct peers after a release or an expiry.
 *
 * Return: 0 or -ENOMEM.
 */
int fips_mtu_store_seed(struct fips_mtu_store *s, const struct fips_node_addr *addr, u16 mtu,
			u32 transport_id);

/* A verified LookupResponse: tightens, and expires. Return: 0, -ERANGE (floor) or -ENOMEM. */
int fips_mtu_store_learn(struct fips_mtu_store *s, const struct fips_node_addr *addr, u16 mtu,
			 u64 now_ms);
/* MtuExceeded, or an effective change by a notification: tightens, and stays. Likewise. */
int fips_mtu_store_hold(struct fips_mtu_store *s, const struct fips_node_addr *addr, u16 mtu);

/* Path broken, session gone. True if there was an entry: seed it again if it is a direct peer. */
bool fips_mtu_store_release(struct fips_mtu_store *s, const struct fips_node_addr *addr);

/**
 * fips_mtu_store_expire() - forget one entry that a look-up taught too long ago
 * @s: store
 * @now_ms: now
 * @addr: written: seed it again if it is a direct peer (byte 15 is 0)
 *
 * Return: false if there is none (left).
 */
bool fips_mtu_store_expire(struct fips_mtu_store *s, u64 now_ms, struct fips_node_addr *addr);

#endif /* _LIBFIPS_PATHMTU_H */
