/* SPDX-License-Identifier: MIT */
/* Choice of the next hop for a destination (spec 07 B, L). */
#ifndef _LIBFIPS_NEXTHOP_H
#define _LIBFIPS_NEXTHOP_H

#include "coords_math.h"

/**
 * struct fips_nexthop_peer - a direct peer as a candidate
 * @addr: who
 * @coords: from its last TreeAnnounce, count 0 if there was none
 * @cost: of the link, 1 if it is not measured
 * @can_send: link is up
 * @may_reach: its filter contains the destination
 * @arrived: the datagram came from it
 */
struct fips_nexthop_peer {
	struct fips_node_addr addr;
	struct fips_coords coords;
	double cost;
	bool can_send;
	bool may_reach;
	bool arrived;
};

/**
 * enum fips_nexthop_result - outcome
 * @FIPS_NEXTHOP_LOCAL: the destination is us
 * @FIPS_NEXTHOP_DIRECT: the destination is a peer
 * @FIPS_NEXTHOP_BLOOM: the cheapest peer that is closer and whose filter knows it
 * @FIPS_NEXTHOP_GREEDY: the closest peer
 * @FIPS_NEXTHOP_NO_COORDS: coordinates are needed
 * @FIPS_NEXTHOP_OTHER_ROOT: it lives under another root
 * @FIPS_NEXTHOP_NO_CLOSER: no peer is closer than we are
 * @FIPS_NEXTHOP_NOT_SENDABLE: one is, but its link is not up
 */
enum fips_nexthop_result {
	FIPS_NEXTHOP_LOCAL,
	FIPS_NEXTHOP_DIRECT,
	FIPS_NEXTHOP_BLOOM,
	FIPS_NEXTHOP_GREEDY,
	FIPS_NEXTHOP_NO_COORDS,
	FIPS_NEXTHOP_OTHER_ROOT,
	FIPS_NEXTHOP_NO_CLOSER,
	FIPS_NEXTHOP_NOT_SENDABLE,
};

static inline bool fips_nexthop_found(enum fips_nexthop_result r)
{
	return r >= FIPS_NEXTHOP_DIRECT && r <= FIPS_NEXTHOP_GREEDY;
}

/**
 * struct fips_nexthop_query - where to?
 * @self: own address
 * @mine: own coordinates
 * @dest: destination
 * @coords: its coordinates from the cache, count 0 on a miss
 * @as_reference: don't exclude the peer it came from, and no second choice in the greedy step
 */
struct fips_nexthop_query {
	struct fips_node_addr self;
	struct fips_coords mine;
	struct fips_node_addr dest;
	struct fips_coords coords;
	bool as_reference;
};

/**
 * fips_nexthop() - choose
 * @q: query
 * @peers: all direct peers, in any order
 * @n: how many
 * @at: index of the next hop, written if fips_nexthop_found()
 *
 * (cost, distance, address) among peers whose filter knows the destination,
 * else (distance, address); always strictly closer than we are.
 */
enum fips_nexthop_result fips_nexthop(const struct fips_nexthop_query *q,
				      const struct fips_nexthop_peer *peers, size_t n, size_t *at);

#endif /* _LIBFIPS_NEXTHOP_H */
