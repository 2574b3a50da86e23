// SPDX-License-Identifier: MIT
/* Choice of the next hop for a destination (spec 07 B). */

#include "nexthop.h"

static bool is_excluded(const struct fips_nexthop_query *q, const struct fips_nexthop_peer *p)
{
	return p->arrived && !q->as_reference;
}

static bool beats(const struct fips_nexthop_peer *a, u32 a_dist, const struct fips_nexthop_peer *b,
		  u32 b_dist, bool by_cost)
{
	if (by_cost && a->cost != b->cost)
		return a->cost < b->cost;
	if (a_dist != b_dist)
		return a_dist < b_dist;
	return fips_node_addr_cmp(&a->addr, &b->addr) < 0;
}

/* Step 4: the filters. */
static bool by_filter(const struct fips_nexthop_query *q, const struct fips_nexthop_peer *peers,
		      size_t n, u32 own, size_t *at)
{
	u32 best = FIPS_DISTANCE_INF;
	bool found = false;
	size_t i;

	for (i = 0; i < n; i++) {
		const struct fips_nexthop_peer *p = &peers[i];
		u32 dist;

		if (!p->can_send || !p->may_reach || is_excluded(q, p))
			continue;
		dist = fips_coords_distance(&p->coords, &q->coords);
		if (dist >= own || (found && !beats(p, dist, &peers[*at], best, true)))
			continue;
		found = true;
		best = dist;
		*at = i;
	}
	return found;
}

/* Step 5: distance alone. The reference looks at the link only after it has chosen. */
static enum fips_nexthop_result by_distance(const struct fips_nexthop_query *q,
					    const struct fips_nexthop_peer *peers, size_t n,
					    u32 own, size_t *at)
{
	bool found = false, closer = false;
	u32 best = FIPS_DISTANCE_INF;
	size_t i;

	for (i = 0; i < n; i++) {
		const struct fips_nexthop_peer *p = &peers[i];
		u32 dist = fips_coords_distance(&p->coords, &q->coords);

		if (dist >= own || is_excluded(q, p))
			continue;
		closer = true;
		if ((!p->can_send && !q->as_reference) ||
		    (found && !beats(p, dist, &peers[*at], best, false)))
			continue;
		found = true;
		best = dist;
		*at = i;
	}
	if (!closer)
		return FIPS_NEXTHOP_NO_CLOSER;
	return found && peers[*at].can_send ? FIPS_NEXTHOP_GREEDY : FIPS_NEXTHOP_NOT_SENDABLE;
}

enum fips_nexthop_result fips_nexthop(const struct fips_nexthop_query *q,
				      const struct fips_nexthop_peer *peers, size_t n, size_t *at)
{
	u32 own;
	size_t i;

	if (fips_node_addr_eq(&q->dest, &q->self))
		return FIPS_NEXTHOP_LOCAL;
	for (i = 0; i < n; i++) {
		if (!fips_node_addr_eq(&peers[i].addr, &q->dest) || !peers[i].can_send)
			continue;
		*at = i;
		return FIPS_NEXTHOP_DIRECT;
	}
	if (!q->coords.count)
		return FIPS_NEXTHOP_NO_COORDS;
	own = fips_coords_distance(&q->mine, &q->coords);
	if (by_filter(q, peers, n, own, at))
		return FIPS_NEXTHOP_BLOOM;
	if (own == FIPS_DISTANCE_INF)
		return FIPS_NEXTHOP_OTHER_ROOT;
	return by_distance(q, peers, n, own, at);
}
