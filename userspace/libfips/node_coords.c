// SPDX-License-Identifier: MIT
/*
 * Coordinates (spec 07 A): what passing datagrams and answers say goes into the
 * cache, each list only under its own first address; and the two lists that
 * session messages carry.
 */

#include <errno.h>

#include "node_internal.h"

struct fips_coords node_coords_own(const struct fips_node *n)
{
	return fips_tree_coords(n->mesh.tree);
}

struct fips_coords node_coords_of(const struct fips_node *n, const struct fips_node_addr *dest)
{
	struct fips_coords coords = { .count = 0 };
	struct fips_coord_info info;

	if (node_peer_find(n, dest))
		coords = fips_tree_peer_coords(n->mesh.tree, dest);
	if (!coords.count && fips_coordcache_peek(&n->mesh.coords, dest, n->now.mono_ms, &info))
		coords = info.coords;
	return coords.count ? coords : node_coords_own(n);
}

/* Both lists as a message carries them. Return: length or -ENOSPC. */
int node_coords_lists(const struct fips_node *n, const struct fips_node_addr *dest, u8 *buf,
		      size_t room)
{
	const struct fips_coords own = node_coords_own(n), theirs = node_coords_of(n, dest);
	int a = fips_coords_build(buf, room, &own), b;

	if (a < 0)
		return a;
	b = fips_coords_build(buf + a, room - (size_t)a, &theirs);
	return b < 0 ? b : a + b;
}

static bool coords_known(const struct fips_node *n, const struct fips_node_addr *addr,
			 const struct fips_coords *coords)
{
	struct fips_coord_info info;

	return fips_coordcache_peek(&n->mesh.coords, addr, n->now.mono_ms, &info) &&
	       fips_coords_eq(&info.coords, coords);
}

/**
 * node_coords_learn() - somebody says where @addr is; nothing vouches for it
 * @n: node
 * @via: neighbour that brought it, or NULL
 * @addr: whom it is about
 * @coords: where; may be absent
 */
void node_coords_learn(struct fips_node *n, struct node_peer *via,
		       const struct fips_node_addr *addr, const struct fips_coords *coords)
{
	const struct fips_coord_write w = {
		.addr = addr,
		.coords = *coords,
		.source = via ? &via->mesh.coords : NULL,
	};
	bool known;
	int ret;

	if (!coords->count || fips_node_addr_eq(addr, &n->env.self->id.addr))
		return;
	known = coords_known(n, addr, coords);
	ret = fips_coordcache_put(&n->mesh.coords, &w, n->now.mono_ms);
	if (ret == -EEXIST && !known && !node_route_known(n, addr)) {
		/* What was proven a moment ago leads nowhere: the tree has moved since. */
		fips_coordcache_del(&n->mesh.coords, addr);
		ret = fips_coordcache_put(&n->mesh.coords, &w, n->now.mono_ms);
	}
	if (ret)
		return;
	node_route_learned(n, addr);
	if (!known)
		node_session_coords_learned(n, addr);
}

/* Where the lists begin in an FSP message, and whether they may be absent; 0: it has none. */
static size_t coords_offset(const u8 *fsp, size_t len, bool *may_be_empty)
{
	if (len < FIPS_PREFIX_LEN || fips_prefix_version(fsp) != FIPS_VERSION_0)
		return 0;
	*may_be_empty = false;
	switch (fips_prefix_phase(fsp)) {
	case FIPS_FSP_ESTABLISHED:
		*may_be_empty = true;
		if ((fsp[1] & (FIPS_FSP_FLAG_U | FIPS_FSP_FLAG_CP)) != FIPS_FSP_FLAG_CP)
			return 0;
		return len >= FIPS_FSP_HDR_LEN ? FIPS_FSP_HDR_LEN : 0;
	case FIPS_FSP_SETUP:
	case FIPS_FSP_ACK:
		return len > FIPS_PREFIX_LEN ? FIPS_PREFIX_LEN + 1 : 0;
	default:
		return 0;
	}
}

/* Both lists of a datagram from @off on. */
static int coords_read(const u8 *hdr, size_t len, size_t off, bool may_be_empty,
		       struct fips_coords *a, struct fips_coords *b)
{
	int used = fips_coords_parse(hdr + off, len - off, may_be_empty, a);

	if (used < 0)
		return used;
	off += (size_t)used;
	used = fips_coords_parse(hdr + off, len - off, may_be_empty, b);
	return used < 0 ? used : 0;
}

void node_coords_seen(struct fips_node *n, u32 link_id, const u8 *hdr, size_t len)
{
	struct node_link *l = node_link_find(n, link_id);
	struct fips_node_addr src, dst;
	struct fips_coords a, b;
	struct node_peer *via;
	bool may_be_empty;
	size_t off;

	if (len <= FIPS_DGRAM_HDR_LEN)
		return;
	off = coords_offset(hdr + FIPS_DGRAM_HDR_LEN, len - FIPS_DGRAM_HDR_LEN, &may_be_empty);
	if (!off)
		return;
	if (coords_read(hdr, len, off + FIPS_DGRAM_HDR_LEN, may_be_empty, &a, &b)) {
		n->counters.coords_malformed++;
		return;
	}
	via = l ? node_peer_find(n, &l->peer.addr) : NULL;
	memcpy(&src, hdr + FIPS_DGRAM_SRC_OFF, sizeof(src));
	memcpy(&dst, hdr + FIPS_DGRAM_DST_OFF, sizeof(dst));
	node_coords_learn(n, via, &src, &a);
	node_coords_learn(n, via, &dst, &b);
}
