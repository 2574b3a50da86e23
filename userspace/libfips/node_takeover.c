// SPDX-License-Identifier: MIT
/*
 * Takeover (architecture §2): a data plane that outlives its daemon keeps for
 * each object what a successor can't see otherwise. Keys and counters never
 * leave the data plane, so no nonce can repeat and nothing secret is written.
 *
 * What is under way is lost: handshakes start anew, candidates are dropped. Keys
 * that wait in a next slot may still be promoted by the peer (node_rekey_key_used()),
 * and those in a previous slot drain anew, for nobody knows their age.
 */

#include <errno.h>

#include "node_internal.h"

#define OWNER_VERSION	1
#define OWNER_FLAG_OURS	0x01	/* link: we dialled; session: we asked */

/* Device: version, startup epoch */
#define OWNER_DEV_LEN	(1 + FIPS_EPOCH_LEN)
/* Link: version, flags, static key, the peer's startup epoch, wall ms of its beginning */
#define OWNER_LINK_LEN	(2 + FIPS_PUB33_LEN + FIPS_EPOCH_LEN + 8)
/* Session: version, flags, static key, wall ms of its beginning */
#define OWNER_SESSION_LEN	(2 + FIPS_PUB33_LEN + 8)

/* The epoch must survive, or every peer would take us for restarted. */
int node_owner_dev(struct fips_node *n)
{
	u8 blob[OWNER_DEV_LEN] = { OWNER_VERSION };

	if (!n->dp->dev_owner)
		return 0;
	memcpy(blob + 1, n->env.epoch, FIPS_EPOCH_LEN);
	return n->dp->dev_owner(n->dp_ctx, blob, sizeof(blob));
}

/* A link has keys and an owner now. */
void node_owner_link(struct fips_node *n, const struct node_link *l)
{
	u8 blob[OWNER_LINK_LEN] = { OWNER_VERSION, l->outbound ? OWNER_FLAG_OURS : 0 };

	if (!n->dp->link_owner)
		return;
	memcpy(blob + 2, l->peer.pub33, FIPS_PUB33_LEN);
	memcpy(blob + 2 + FIPS_PUB33_LEN, l->epoch, FIPS_EPOCH_LEN);
	fips_put_le64(blob + OWNER_LINK_LEN - 8, l->created_wall);
	n->dp->link_owner(n->dp_ctx, l->id, blob, sizeof(blob));
}

void node_owner_session(struct fips_node *n, const struct node_session *s)
{
	u8 blob[OWNER_SESSION_LEN] = { OWNER_VERSION, s->initiator ? OWNER_FLAG_OURS : 0 };

	if (!n->dp->session_owner)
		return;
	memcpy(blob + 2, s->id.pub33, FIPS_PUB33_LEN);
	fips_put_le64(blob + OWNER_SESSION_LEN - 8, s->established_wall);
	n->dp->session_owner(n->dp_ctx, &s->remote, blob, sizeof(blob));
}

bool fips_node_saved_epoch(const void *owner, size_t len, u8 *epoch)
{
	const u8 *blob = owner;

	if (len != OWNER_DEV_LEN || blob[0] != OWNER_VERSION)
		return false;
	memcpy(epoch, blob + 1, FIPS_EPOCH_LEN);
	return true;
}

static struct node_link *takeover_link(struct fips_node *n, const struct fips_saved_link *saved)
{
	const u8 *blob = saved->owner;
	struct fips_identity id;
	struct node_link *l;

	if (!saved->established || saved->owner_len != OWNER_LINK_LEN || blob[0] != OWNER_VERSION ||
	    !node_transport_find(n, saved->transport_id) || node_link_find(n, saved->id) ||
	    fips_identity_from_pub33(n->env.pk, blob + 2, &id))
		return NULL;
	l = node_link_adopt(n, saved, &id);
	if (!l)
		return NULL;
	l->outbound = blob[1] & OWNER_FLAG_OURS;
	l->renewed = true;	/* nothing crosses it any more: a msg1 is a rekey */
	memcpy(l->epoch, blob + 2 + FIPS_PUB33_LEN, FIPS_EPOCH_LEN);
	l->created_wall = fips_get_le64(blob + OWNER_LINK_LEN - 8);
	return l;
}

int fips_node_restore_link(struct fips_node *n, const struct fips_clock *now,
			   const struct fips_saved_link *saved)
{
	struct node_link *l;
	int ret;

	node_enter(n, now);
	if (saved->id > n->next_link)
		n->next_link = saved->id;	/* numbers are never used twice */
	l = takeover_link(n, saved);
	if (l)
		ret = node_peer_promote(n, l);
	else
		ret = -EINVAL;
	if (!ret)
		fips_timer_set(&n->timers, &l->expire, n->now.mono_ms + NODE_DRAIN_MS);
	if (!l)
		n->dp->link_del(n->dp_ctx, saved->id);
	node_leave(n);
	return ret;
}

static struct node_session *takeover_session(struct fips_node *n,
					     const struct fips_saved_session *saved)
{
	const u8 *blob = saved->owner;
	struct fips_identity id;
	struct node_session *s;

	if (!saved->has_key || saved->owner_len != OWNER_SESSION_LEN ||
	    blob[0] != OWNER_VERSION || node_session_find(n, &saved->remote) ||
	    fips_identity_from_pub33(n->env.pk, blob + 2, &id) ||
	    !fips_node_addr_eq(&id.addr, &saved->remote))
		return NULL;
	s = node_session_new(n, &saved->remote);
	if (!s)
		return NULL;
	node_session_learn(n, s, &id);
	s->installed = true;
	s->initiator = blob[1] & OWNER_FLAG_OURS;
	s->confirmed = true;
	s->k_bit = saved->k_bit;
	fips_pathmtu_seed(&s->mtu, saved->path_mtu);
	node_session_enter(n, s, NODE_SESSION_ESTABLISHED);
	s->established_wall = fips_get_le64(blob + OWNER_SESSION_LEN - 8);
	fips_timer_set(&n->timers, &s->drain, n->now.mono_ms + NODE_DRAIN_MS);
	return s;
}

int fips_node_restore_session(struct fips_node *n, const struct fips_clock *now,
			      const struct fips_saved_session *saved)
{
	int ret = 0;

	node_enter(n, now);
	if (!takeover_session(n, saved)) {
		n->dp->session_del(n->dp_ctx, &saved->remote);
		ret = -EINVAL;
	}
	node_leave(n);
	return ret;
}
