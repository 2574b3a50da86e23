/* SPDX-License-Identifier: MIT */
/*
 * Transport addresses: where a frame comes from or goes to inside one
 * transport (spec 10 §1.3), in canonical binary form so that two spellings of
 * one endpoint compare equal. The text forms are the operator's.
 */
#ifndef FIPS_TADDR_H
#define FIPS_TADDR_H

#include <fips/types.h>

enum fips_taddr_kind {
	FIPS_TADDR_NONE,
	FIPS_TADDR_IPV4,
	FIPS_TADDR_IPV6,
	FIPS_TADDR_MAC,
};

#define FIPS_TADDR_TEXT_MAX	80

/**
 * struct fips_taddr - endpoint inside a transport
 * @kind: enum fips_taddr_kind
 * @pad: 0, so that memcmp() compares addresses
 * @port: UDP or TCP port, host order; 0 for a MAC
 * @scope: interface index of a link-local IPv6 address, else 0
 * @addr: 4, 16 or 6 bytes as on the wire, the rest 0
 */
struct fips_taddr {
	u8 kind;
	u8 pad;
	u16 port;
	u32 scope;
	u8 addr[16];
};

static inline bool fips_taddr_eq(const struct fips_taddr *a, const struct fips_taddr *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/**
 * fips_taddr_parse() - numeric "a.b.c.d:port" or "[v6%scope]:port" (scope numeric)
 * @out: address, written on success; IPv4-mapped IPv6 becomes IPv4
 * @text: NUL-terminated
 *
 * Return: 0, or -EINVAL when @text is no numeric endpoint (it may be a host name).
 */
int fips_taddr_parse(struct fips_taddr *out, const char *text);

/**
 * fips_taddr_format() - text of an address, in the form fips_taddr_parse() takes
 * @a: address
 * @buf: %FIPS_TADDR_TEXT_MAX bytes
 *
 * Return: @buf.
 */
const char *fips_taddr_format(const struct fips_taddr *a, char *buf);

#endif /* FIPS_TADDR_H */
