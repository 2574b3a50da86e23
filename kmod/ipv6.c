// SPDX-License-Identifier: GPL-2.0-only
/*
 * IPv6 adapter: checks of outgoing packets, ICMPv6 errors, the MSS clamp.
 *
 * The errors are built here and not by the stack: Packet Too Big has to come
 * from the far end's address, or Linux would take it for its own (spec 09 §6.2).
 */
#include <linux/icmpv6.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include <net/tcp.h>
#include <fips/wire.h>

#include "compat.h"
#include "device.h"
#include "ipv6.h"
#include "link.h"
#include "route.h"
#include "session.h"
#include "stage.h"

/* An ICMPv6 error quotes the packet up to the minimum MTU (RFC 4443 §2.4 c). */
#define FIPS_ICMPV6_QUOTE	(IPV6_MIN_MTU - sizeof(struct ipv6hdr) - sizeof(struct icmp6hdr))

/* May @skb be answered with an error at all (spec 09 §6.1)? */
static bool fips_icmpv6_allowed(const struct sk_buff *skb, bool too_big)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	const u8 *type;
	u8 buf;

	if (ipv6_addr_any(&ip6h->saddr) || ipv6_addr_is_multicast(&ip6h->saddr))
		return false;
	if (!too_big && ipv6_addr_is_multicast(&ip6h->daddr))
		return false;
	if (ip6h->nexthdr != IPPROTO_ICMPV6)
		return true;
	type = skb_header_pointer(skb, sizeof(*ip6h), 1, &buf);
	return type && *type & ICMPV6_INFOMSG_MASK;
}

static void fips_icmpv6_send(struct fips_device *fips, const struct sk_buff *skb, u8 type,
			     u32 info, const struct in6_addr *saddr)
{
	unsigned int quote = min_t(unsigned int, skb->len, FIPS_ICMPV6_QUOTE);
	unsigned int len = sizeof(struct icmp6hdr) + quote;
	struct icmp6hdr *icmp;
	struct ipv6hdr *ip6h;
	struct sk_buff *err;

	if (!fips_icmpv6_allowed(skb, type == ICMPV6_PKT_TOOBIG) ||
	    !fips_stage_icmp_ok(fips, &ipv6_hdr(skb)->daddr, type))
		return;
	err = alloc_skb(NET_SKB_PAD + sizeof(*ip6h) + len, GFP_ATOMIC);
	if (!err)
		return;
	skb_reserve(err, NET_SKB_PAD);
	skb_reset_mac_header(err);
	skb_reset_network_header(err);
	ip6h = skb_put(err, sizeof(*ip6h));
	ip6_flow_hdr(ip6h, 0, 0);
	ip6h->payload_len = htons(len);
	ip6h->nexthdr = IPPROTO_ICMPV6;
	ip6h->hop_limit = 64;
	ip6h->saddr = *saddr;
	ip6h->daddr = ipv6_hdr(skb)->saddr;
	skb_set_transport_header(err, sizeof(*ip6h));
	icmp = skb_put_zero(err, sizeof(*icmp));
	icmp->icmp6_type = type;
	icmp->icmp6_dataun.un_data32[0] = htonl(info);
	if (skb_copy_bits(skb, 0, skb_put(err, quote), quote)) {
		kfree_skb(err);
		return;
	}
	icmp->icmp6_cksum = csum_ipv6_magic(&ip6h->saddr, &ip6h->daddr, len, IPPROTO_ICMPV6,
					    csum_partial(icmp, len, 0));
	err->dev = fips->dev;
	err->protocol = htons(ETH_P_IPV6);
	netif_rx(err);
}

/**
 * fips_icmpv6_too_big() - Packet Too Big, from the far end's address
 * @fips: device
 * @skb: IPv6 packet, data at its header; stays the caller's
 * @mtu: that would have fitted
 *
 * Context: any. Rate-limited a destination.
 */
void fips_icmpv6_too_big(struct fips_device *fips, const struct sk_buff *skb, u32 mtu)
{
	fips_icmpv6_send(fips, skb, ICMPV6_PKT_TOOBIG, mtu, &ipv6_hdr(skb)->daddr);
}

/**
 * fips_icmpv6_unreachable() - Destination Unreachable, no route
 * @fips: device
 * @skb: IPv6 packet, data at its header; stays the caller's
 *
 * Context: any. Rate-limited a destination.
 */
void fips_icmpv6_unreachable(struct fips_device *fips, const struct sk_buff *skb)
{
	if (fips_has_addr(fips))
		fips_icmpv6_send(fips, skb, ICMPV6_DEST_UNREACH, 0, &fips->ipv6);
}

/**
 * fips_ipv6_fits() - is a packet, or each of its segments, at most @mtu long?
 * @skb: IPv6 packet, GSO or not
 * @mtu: bytes with the IPv6 header
 */
bool fips_ipv6_fits(const struct sk_buff *skb, unsigned int mtu)
{
	return skb_is_gso(skb) ? skb_gso_validate_network_len(skb, mtu) : skb->len <= mtu;
}

/**
 * fips_ipv6_tx_check() - checks of a packet before its session is known (spec 09 §5)
 * @fips: device
 * @skb: packet of the stack; its data may move, the caller frees it on false
 *
 * Counts the drop and tells the stack.
 *
 * Return: may it go?
 */
bool fips_ipv6_tx_check(struct fips_device *fips, struct sk_buff *skb)
{
	unsigned int mtu = max_t(int, READ_ONCE(fips->transport_mtu) - FIPS_IPV6_OVERHEAD, 0);

	skb_reset_network_header(skb);
	if (unlikely(skb->protocol != htons(ETH_P_IPV6) ||
		     !pskb_may_pull(skb, sizeof(struct ipv6hdr)) || ipv6_hdr(skb)->version != 6)) {
		fips_drop(fips, FIPS_DROP_REASON_TX_NOT_IPV6);
		return false;
	}
	if (unlikely(ipv6_hdr(skb)->daddr.s6_addr[0] != 0xfd)) {
		fips_drop(fips, FIPS_DROP_REASON_TX_NOT_MESH);
		fips_icmpv6_unreachable(fips, skb);
		return false;
	}
	/* The far end puts our address there: with another one no checksum would match. */
	if (unlikely(!fips_has_addr(fips) ||
		     !ipv6_addr_equal(&ipv6_hdr(skb)->saddr, &fips->ipv6))) {
		fips_drop(fips, FIPS_DROP_REASON_TX_SOURCE);
		return false;
	}
	if (unlikely(!fips_ipv6_fits(skb, mtu))) {
		fips_drop(fips, FIPS_DROP_REASON_TX_TOO_BIG);
		fips_icmpv6_too_big(fips, skb, mtu);
		return false;
	}
	return true;
}

/**
 * fips_ipv6_is_syn() - does the packet open a TCP connection?
 * @skb: IPv6 packet, data at its header
 */
bool fips_ipv6_is_syn(const struct sk_buff *skb)
{
	const u8 *flags;
	u8 buf;

	if (ipv6_hdr(skb)->nexthdr != IPPROTO_TCP)
		return false;
	flags = skb_header_pointer(skb, sizeof(struct ipv6hdr) + 13, 1, &buf);
	return flags && *flags & TCPHDR_SYN;
}

/* Largest segment for packets between us and the far end (spec 09 §7), 0 for none. */
static unsigned int fips_ipv6_max_mss(const struct fips_session *session)
{
	unsigned int hdrs = FIPS_IPV6_OVERHEAD + sizeof(struct ipv6hdr) + sizeof(struct tcphdr);
	unsigned int path = READ_ONCE(session->path_mtu);
	unsigned int all = READ_ONCE(session->fips->transport_mtu);
	const struct fips_route *route;
	const struct fips_link *link;

	/* A direct neighbour's link is the path. */
	route = path == FIPS_MTU_UNKNOWN ? fips_route_find(session->fips, session->remote.b) : NULL;
	link = route ? rcu_dereference(route->link) : NULL;
	if (link && fips_node_addr_eq(&link->peer, &session->remote))
		path = READ_ONCE(link->mtu);
	if (path == FIPS_MTU_UNKNOWN || path <= hdrs)
		path = IPV6_MIN_MTU;
	path = min(path, all);
	return path > hdrs ? path - hdrs : 0;
}

/**
 * fips_ipv6_clamp_mss() - lower the MSS option of a SYN to what the path carries
 * @session: far end
 * @skb: IPv6 packet for which fips_ipv6_is_syn() holds; its data may move
 *
 * Return: false without memory, the packet is then unchanged.
 */
bool fips_ipv6_clamp_mss(struct fips_session *session, struct sk_buff *skb)
{
	unsigned int max = fips_ipv6_max_mss(session), off = sizeof(struct ipv6hdr), hlen, i;
	struct tcphdr *tcph;
	__be16 new, old;
	u8 *opt;

	if (!max || skb->len < off + sizeof(*tcph))
		return true;
	if (skb_ensure_writable(skb, off + sizeof(*tcph)))
		return false;
	hlen = ((struct tcphdr *)(skb->data + off))->doff * 4;
	if (hlen < sizeof(*tcph) || skb->len < off + hlen)
		return true;
	if (skb_ensure_writable(skb, off + hlen))
		return false;
	tcph = (void *)(skb->data + off);
	opt = (void *)tcph;
	for (i = sizeof(*tcph); i < hlen && opt[i] != TCPOPT_EOL; ) {
		if (opt[i] == TCPOPT_NOP) {
			i++;
			continue;
		}
		if (i + 1 >= hlen || opt[i + 1] < 2 || i + opt[i + 1] > hlen)
			break;
		if (opt[i] == TCPOPT_MSS && opt[i + 1] == TCPOLEN_MSS) {
			if (fips_get_be16(opt + i + 2) <= max)
				break;
			memcpy(&old, opt + i + 2, sizeof(old));
			new = htons(max);
			memcpy(opt + i + 2, &new, sizeof(new));
			if (i & 1) {	/* the checksum's words straddle the option's */
				old = (__force __be16)swab16((__force u16)old);
				new = (__force __be16)swab16((__force u16)new);
			}
			inet_proto_csum_replace2(&tcph->check, skb, old, new, false);
			break;
		}
		i += opt[i + 1];
	}
	return true;
}
