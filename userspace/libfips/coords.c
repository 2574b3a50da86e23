// SPDX-License-Identifier: MIT
/*
 * Coordinate lists (spec 08 §2.2).
 */
#include "coords.h"

#include <errno.h>

_Static_assert(sizeof(struct fips_node_addr) == FIPS_NODE_ADDR_LEN, "lists are borrowed");
_Static_assert(_Alignof(struct fips_node_addr) == 1, "lists are borrowed");

int fips_coords_parse(const u8 *buf, size_t len, bool may_be_empty, struct fips_coords *out)
{
	struct fips_coords coords;

	if (len < 2)
		return -EPROTO;
	coords.count = fips_get_le16(buf);
	if (len < fips_coords_size(&coords) || (!coords.count && !may_be_empty))
		return -EPROTO;
	coords.addr = coords.count ? (const struct fips_node_addr *)(buf + 2) : NULL;
	*out = coords;
	return (int)fips_coords_size(&coords);
}

int fips_coords_build(u8 *buf, size_t room, const struct fips_coords *coords)
{
	size_t len = fips_coords_size(coords);

	if (room < len)
		return -ENOSPC;
	fips_put_le16(buf, coords->count);
	if (coords->count)
		memcpy(buf + 2, coords->addr, len - 2);
	return (int)len;
}
