// SPDX-License-Identifier: MIT
/*
 * What sessions do when places in the tree change (spec 08 §7, §18 item 14). Ours
 * is told to the far end of each at once, in a message of its own, for we may
 * have no data for it; and the next data carries it, too. What the far end
 * tells us goes along with our next data, for the sake of those on the way.
 */

#include "node_internal.h"

/* Once now and once for the loss of that. */
#define WARM_COUNT	2

/**
 * node_session_path_changed() - we are somewhere else in the tree
 * @n: node
 *
 * More changes may follow at once, and there may be many sessions: hence later, and in batches.
 */
void node_session_path_changed(struct fips_node *n)
{
	struct node_session *s, *tmp;

	HASH_ITER(hh, n->sessions, s, tmp) {
		if (s->installed)
			s->warm = WARM_COUNT;
		if (s->own)
			node_half_moved(n, s->own);
	}
	if (n->sessions)
		fips_timer_set(&n->timers, &n->mesh.warm_timer,
			       n->now.mono_ms + NODE_WARM_GATHER_MS);
}

/* The change may have cost us the far end's coordinates, and it may have no news of its own. */
static void warm_seek(struct fips_node *n, const struct node_session *s)
{
	struct fips_coord_info info;

	if (!node_peer_find(n, &s->remote) &&
	    !fips_coordcache_peek(&n->mesh.coords, &s->remote, n->now.mono_ms, &info))
		node_lookup_start(n, &s->remote);
}

static void warm_one(struct fips_node *n, struct node_session *s)
{
	if (s->warm == WARM_COUNT)
		node_session_warm(n, s);
	else
		warm_seek(n, s);
	s->warm--;
	if (s->state == NODE_SESSION_ESTABLISHED)
		n->dp->session_xmit(n->dp_ctx, &s->remote, FIPS_KEY_SLOT_CURRENT,
				    FIPS_FSP_COORDS_WARMUP, true, NULL, 0);
}

/* A batch of those that have the most left to say. Return: did it say all? */
static bool warm_batch(struct fips_node *n, u8 level)
{
	struct node_session *s, *tmp;
	unsigned int room = NODE_WARM_BATCH;

	HASH_ITER(hh, n->sessions, s, tmp) {
		if (s->warm != level)
			continue;
		if (!room--)
			return false;
		warm_one(n, s);
	}
	return true;
}

static u8 warm_level(const struct fips_node *n)
{
	const struct node_session *s, *tmp;
	u8 level = 0;

	HASH_ITER(hh, n->sessions, s, tmp)
		level = s->warm > level ? s->warm : level;
	return level;
}

void node_session_warm_timer(void *owner, struct fips_timer *t)
{
	struct fips_node *n = owner;
	u8 level = warm_level(n);

	if (!level)
		return;
	if (!warm_batch(n, level))
		fips_timer_set(&n->timers, t, n->now.mono_ms + NODE_ROUTE_GATHER_MS);
	else if (level > 1)
		fips_timer_set(&n->timers, t, n->now.mono_ms + NODE_WARM_REPEAT_MS);
}

/* The far end is: our next data says so to those on the way, who may still believe otherwise. */
void node_session_coords_learned(struct fips_node *n, const struct fips_node_addr *remote)
{
	struct node_session *s = node_session_find(n, remote);

	if (s && s->installed)
		node_session_warm(n, s);
}
