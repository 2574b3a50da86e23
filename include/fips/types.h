/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Fixed-width types and byte-order helpers for the code that kernel and
 * userspace share. Nothing in include/fips/ may depend on more than this.
 */
#ifndef _FIPS_TYPES_H
#define _FIPS_TYPES_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/string.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;
#endif

#define FIPS_NODE_ADDR_LEN	16
#define FIPS_IPV6_LEN		16
#define FIPS_KEY_LEN		32
#define FIPS_TAG_LEN		16

/**
 * struct fips_node_addr - routing identifier of a node (spec 01 §2)
 * @b: first 16 bytes of SHA-256 over the x-only public key; ordered by memcmp
 */
struct fips_node_addr {
	u8 b[FIPS_NODE_ADDR_LEN];
};

static inline int fips_node_addr_cmp(const struct fips_node_addr *a, const struct fips_node_addr *b)
{
	return memcmp(a->b, b->b, FIPS_NODE_ADDR_LEN);
}

static inline bool fips_node_addr_eq(const struct fips_node_addr *a, const struct fips_node_addr *b)
{
	return !fips_node_addr_cmp(a, b);
}

/**
 * fips_node_addr_to_ipv6() - FIPS address of a node: fd, then 15 bytes (spec 01 §2)
 * @addr: node address
 * @ipv6: 16 bytes, written
 */
static inline void fips_node_addr_to_ipv6(const struct fips_node_addr *addr, u8 *ipv6)
{
	ipv6[0] = 0xfd;
	memcpy(ipv6 + 1, addr->b, FIPS_IPV6_LEN - 1);
}

/* Byte-wise so that neither alignment nor host order matters. */
static inline u16 fips_get_le16(const u8 *p)
{
	return (u16)(p[0] | p[1] << 8);
}

static inline u32 fips_get_le32(const u8 *p)
{
	return (u32)p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

static inline u64 fips_get_le64(const u8 *p)
{
	return (u64)fips_get_le32(p) | (u64)fips_get_le32(p + 4) << 32;
}

static inline void fips_put_le16(u8 *p, u16 v)
{
	p[0] = (u8)(v & 0xff);
	p[1] = (u8)(v >> 8);
}

static inline void fips_put_le32(u8 *p, u32 v)
{
	fips_put_le16(p, (u16)v);
	fips_put_le16(p + 2, (u16)(v >> 16));
}

static inline void fips_put_le64(u8 *p, u64 v)
{
	fips_put_le32(p, (u32)v);
	fips_put_le32(p + 4, (u32)(v >> 32));
}

static inline u16 fips_get_be16(const u8 *p)
{
	return (u16)(p[0] << 8 | p[1]);
}

static inline void fips_put_be16(u8 *p, u16 v)
{
	p[0] = (u8)(v >> 8);
	p[1] = (u8)v;
}

static inline void fips_put_be32(u8 *p, u32 v)
{
	fips_put_be16(p, (u16)(v >> 16));
	fips_put_be16(p + 2, (u16)v);
}

#endif /* _FIPS_TYPES_H */
