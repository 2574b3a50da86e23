// SPDX-License-Identifier: MIT
/* Canonical transport addresses and their text. Numeric only: nothing here asks DNS. */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "taddr.h"

static int taddr_port(const char *text, u16 *port)
{
	unsigned long v;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	v = strtoul(text, &end, 10);
	if (*end || v > 65535)
		return -EINVAL;
	*port = (u16)v;
	return 0;
}

static int taddr_scope(char *host, u32 *scope)
{
	char *pct = strchr(host, '%'), *end;
	unsigned long v;

	*scope = 0;
	if (!pct)
		return 0;
	*pct++ = 0;
	if (*pct < '0' || *pct > '9')
		return -EINVAL;
	v = strtoul(pct, &end, 10);
	if (*end || v > UINT32_MAX)
		return -EINVAL;
	*scope = (u32)v;
	return 0;
}

static int taddr_parse_v6(struct fips_taddr *out, char *host)
{
	static const u8 mapped[12] = { [10] = 0xff, [11] = 0xff };
	u8 v6[16];

	if (taddr_scope(host, &out->scope) || inet_pton(AF_INET6, host, v6) != 1)
		return -EINVAL;
	if (!memcmp(v6, mapped, sizeof(mapped))) {
		out->kind = FIPS_TADDR_IPV4;
		out->scope = 0;
		memcpy(out->addr, v6 + 12, 4);
		return 0;
	}
	out->kind = FIPS_TADDR_IPV6;
	memcpy(out->addr, v6, sizeof(v6));
	return 0;
}

int fips_taddr_parse(struct fips_taddr *out, const char *text)
{
	char host[FIPS_TADDR_TEXT_MAX];
	struct fips_taddr a = { 0 };
	const char *colon = strrchr(text, ':');
	size_t len;

	if (!colon || taddr_port(colon + 1, &a.port))
		return -EINVAL;
	len = (size_t)(colon - text);
	if (!len || len >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = 0;
	if (host[0] == '[') {
		if (host[len - 1] != ']')
			return -EINVAL;
		host[len - 1] = 0;
		if (taddr_parse_v6(&a, host + 1))
			return -EINVAL;
	} else {
		a.kind = FIPS_TADDR_IPV4;
		if (inet_pton(AF_INET, host, a.addr) != 1)
			return -EINVAL;
	}
	*out = a;
	return 0;
}

const char *fips_taddr_format(const struct fips_taddr *a, char *buf)
{
	char ip[INET6_ADDRSTRLEN];

	switch ((enum fips_taddr_kind)a->kind) {
	case FIPS_TADDR_IPV4:
		inet_ntop(AF_INET, a->addr, ip, sizeof(ip));
		snprintf(buf, FIPS_TADDR_TEXT_MAX, "%s:%u", ip, a->port);
		return buf;
	case FIPS_TADDR_IPV6:
		inet_ntop(AF_INET6, a->addr, ip, sizeof(ip));
		if (a->scope)
			snprintf(buf, FIPS_TADDR_TEXT_MAX, "[%s%%%u]:%u", ip, a->scope, a->port);
		else
			snprintf(buf, FIPS_TADDR_TEXT_MAX, "[%s]:%u", ip, a->port);
		return buf;
	case FIPS_TADDR_MAC:
		snprintf(buf, FIPS_TADDR_TEXT_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", a->addr[0],
			 a->addr[1], a->addr[2], a->addr[3], a->addr[4], a->addr[5]);
		return buf;
	case FIPS_TADDR_NONE:
		break;
	}
	snprintf(buf, FIPS_TADDR_TEXT_MAX, "none");
	return buf;
}
