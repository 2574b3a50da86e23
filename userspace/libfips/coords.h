/* SPDX-License-Identifier: MIT */
/*
 * Coordinate lists: count u16, then count node addresses, self first, root
 * last (spec 08 §2.2).
 */
#ifndef _LIBFIPS_COORDS_H
#define _LIBFIPS_COORDS_H

#include <fips/types.h>

/**
 * struct fips_coords - a list; parsed ones borrow from the message
 * @addr: elements (struct fips_node_addr has no alignment)
 * @count: how many; 0 means "absent"
 */
struct fips_coords {
	const struct fips_node_addr *addr;
	u16 count;
};

static inline size_t fips_coords_size(const struct fips_coords *coords)
{
	return 2 + (size_t)coords->count * FIPS_NODE_ADDR_LEN;
}

/**
 * fips_coords_parse() - read one list
 * @buf: message from the list on
 * @len: bytes left in the message, which is what bounds the depth
 * @may_be_empty: is a count of 0 allowed here?
 * @out: borrows from @buf
 *
 * Return: bytes consumed or -EPROTO.
 */
int fips_coords_parse(const u8 *buf, size_t len, bool may_be_empty, struct fips_coords *out);

/* Return: bytes written or -ENOSPC. */
int fips_coords_build(u8 *buf, size_t room, const struct fips_coords *coords);

#endif /* _LIBFIPS_COORDS_H */
