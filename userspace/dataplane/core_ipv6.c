// SPDX-License-Identifier: MIT
/*
 * IPv6 adapter (spec 09): ICMPv6 errors to the local stack, MSS clamp.
 */
#include "core_impl.h"
#include "csum.h"

#define FIPS_NH_TCP		6
#define FIPS_NH_ICMPV6		58
#define FIPS_TCP_SYN		0x02
#define FIPS_MSS_COLD		1143
#define FIPS_ICMP_QUOTE		1232
#define FIPS_ICMP_HDR_LEN	8

static u16 fips_mss_ceiling(u32 mtu)
{
	return mtu > FIPS_IPV6_OVERHEAD + 60 ? (u16)(mtu - FIPS_IPV6_OVERHEAD - 60) : 0;
}

u16 fips_mss_max(struct fips_core *c, const u8 *ipv6)
{
	struct fips_session *s = fips_session_find6(c, ipv6);
	u16 global = fips_mss_ceiling(c->transport_mtu);
	u16 known = 0;

	if (s && s->path_mtu != FIPS_MTU_UNKNOWN)
		known = fips_mss_ceiling(s->path_mtu);
	if (!known)
		known = FIPS_MSS_COLD;
	return known < global ? known : global;
}

static void fips_tcp_csum(u8 *ip6, size_t len)
{
	u16 plen = fips_get_be16(ip6 + 4);
	u8 *tcp = ip6 + FIPS_IPV6_HDR_LEN;

	if (!plen || plen > len - FIPS_IPV6_HDR_LEN)
		return;
	memset(tcp + 16, 0, 2);
	fips_csum_store(tcp + 16, fips_csum(tcp, plen, fips_csum_pseudo(ip6, plen, FIPS_NH_TCP)));
}

bool fips_mss_clamp(u8 *ip6, size_t len, u16 max)
{
	u8 *tcp = ip6 + FIPS_IPV6_HDR_LEN;
	size_t end, i;

	if (!max || len < FIPS_IPV6_HDR_LEN + 20 || ip6[0] >> 4 != 6 || ip6[6] != FIPS_NH_TCP ||
	    !(tcp[13] & FIPS_TCP_SYN))
		return false;
	end = (size_t)(tcp[12] >> 4) * 4;
	if (end < 20 || end > len - FIPS_IPV6_HDR_LEN)
		return false;
	for (i = 20; i < end && tcp[i]; ) {
		if (tcp[i] == 1) {
			i++;
			continue;
		}
		if (i + 2 > end || tcp[i + 1] < 2 || i + tcp[i + 1] > end)
			return false;
		if (tcp[i] == 2 && tcp[i + 1] == 4) {
			if (fips_get_be16(tcp + i + 2) <= max)
				return false;
			fips_put_be16(tcp + i + 2, max);
			fips_tcp_csum(ip6, len);
			return true;
		}
		i += tcp[i + 1];
	}
	return false;
}

static bool fips_icmp_permitted(const u8 *orig, size_t len, bool multicast_too)
{
	static const u8 unspecified[FIPS_IPV6_LEN];

	if (len < FIPS_IPV6_HDR_LEN || orig[0] >> 4 != 6)
		return false;
	if (!memcmp(orig + 8, unspecified, sizeof(unspecified)) || orig[8] == 0xff)
		return false;
	if (orig[24] == 0xff && !multicast_too)
		return false;
	return orig[6] != FIPS_NH_ICMPV6 || len == FIPS_IPV6_HDR_LEN || orig[40] >= 128;
}

static size_t fips_icmp_build(u8 *buf, u8 type, u32 word, const u8 *src, const u8 *orig, size_t len)
{
	size_t quote = len < FIPS_ICMP_QUOTE ? len : FIPS_ICMP_QUOTE;
	u16 plen = (u16)(FIPS_ICMP_HDR_LEN + quote);
	u8 *icmp = buf + FIPS_IPV6_HDR_LEN;

	memset(buf, 0, FIPS_IPV6_HDR_LEN + FIPS_ICMP_HDR_LEN);
	buf[0] = 0x60;
	fips_put_be16(buf + 4, plen);
	buf[6] = FIPS_NH_ICMPV6;
	buf[7] = 64;
	memcpy(buf + 8, src, FIPS_IPV6_LEN);
	memcpy(buf + 24, orig + 8, FIPS_IPV6_LEN);
	icmp[0] = type;
	fips_put_be32(icmp + 4, word);
	memcpy(icmp + FIPS_ICMP_HDR_LEN, orig, quote);
	fips_csum_store(icmp + 2,
			fips_csum(icmp, plen, fips_csum_pseudo(buf, plen, FIPS_NH_ICMPV6)));
	return FIPS_IPV6_HDR_LEN + plen;
}

size_t fips_icmp_unreachable(u8 *buf, const u8 *own, const u8 *orig, size_t len)
{
	if (!fips_icmp_permitted(orig, len, false))
		return 0;
	return fips_icmp_build(buf, 1, 0, own, orig, len);
}

size_t fips_icmp_too_big(u8 *buf, u32 mtu, const u8 *orig, size_t len)
{
	if (!fips_icmp_permitted(orig, len, true))
		return 0;
	/* Spec 09 §6.2: the source is the far end, Linux once ignored a local one. */
	return fips_icmp_build(buf, 2, mtu, orig + 24, orig, len);
}

/*
 * One error of a kind in 100 ms for a destination. (The reference limits Packet
 * Too Big by source; with one local address that would starve all destinations
 * but the first.)
 */
static bool fips_icmp_allow(struct fips_core *c, u64 now, u8 type, const u8 *dst)
{
	u32 h = type, i;
	u64 *last;
	bool ok;

	for (i = 0; i < FIPS_IPV6_LEN; i++)
		h = (h ^ dst[i]) * 16777619;
	last = &c->icmp[(h >> 16) % FIPS_ICMP_SLOTS];
	pthread_mutex_lock(&c->stage_lock);
	ok = !*last || now >= *last + FIPS_ICMP_GAP_MS;
	if (ok)
		*last = now;
	pthread_mutex_unlock(&c->stage_lock);
	return ok;
}

void fips_send_unreachable(struct fips_core *c, const struct fips_core_out *out, u64 now,
			   const u8 *orig, size_t len)
{
	u8 buf[FIPS_ICMP_MAX];
	size_t n = fips_icmp_unreachable(buf, c->ipv6, orig, len);

	if (n && fips_icmp_allow(c, now, 1, orig + 24))
		out->ops->packet(out->ctx, buf, n, false);
}

void fips_send_too_big(struct fips_core *c, const struct fips_core_out *out, u64 now, u32 mtu,
		       const u8 *orig, size_t len)
{
	u8 buf[FIPS_ICMP_MAX];
	size_t n = fips_icmp_too_big(buf, mtu, orig, len);

	if (n && fips_icmp_allow(c, now, 2, orig + 24))
		out->ops->packet(out->ctx, buf, n, false);
}
