// SPDX-License-Identifier: GPL-2.0-only
/*
 * Underlay: sealed frames of one link leave on its lent UDP socket.
 *
 * Frames of one size travel together. Each gets its own IP and UDP header,
 * then they hang on the first one's frag_list as the stack's own GRO would have
 * left them (SKB_GSO_FRAGLIST): one route, one pass of the filters, one queue
 * operation, and whoever takes the list apart copies no byte. What is not fit
 * for a list (the route's MTU, a device with UDP segmentation in hardware, a
 * lone frame) goes by other means below.
 */
#include <linux/inetdevice.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/security.h>
#include <linux/udp.h>
#include <net/addrconf.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/route.h>
#include <net/udp.h>

#include "compat.h"
#include "device.h"
#include "link.h"
#include "transport.h"
#include "underlay.h"

/* Frames in one list: what GRO would build, too. */
#define FIPS_LIST_MAX	64

/**
 * struct fips_flow - where a list of frames goes, looked up once
 * @fips: device, for its counters
 * @sk: lent socket
 * @net: its namespace
 * @dst: route; the flow holds a reference
 * @v6: family
 * @saddr4: IPv4
 * @daddr4: IPv4
 * @saddr6: IPv6
 * @daddr6: IPv6
 * @sport: our port
 * @dport: the peer's port
 * @hops: TTL or hop limit
 * @tos: of the socket
 * @nocheck: no UDP checksum
 * @xnet: the device and the socket live in different namespaces
 * @room: largest frame that fits the route's MTU
 * @hdr_len: IP and UDP header
 */
struct fips_flow {
	struct fips_device *fips;
	struct sock *sk;
	struct net *net;
	struct dst_entry *dst;
	bool v6;
	union {
		struct {
			__be32 saddr4;
			__be32 daddr4;
		};
		struct {
			struct in6_addr saddr6;
			struct in6_addr daddr6;
		};
	};
	__be16 sport;
	__be16 dport;
	u8 hops;
	u8 tos;
	bool nocheck;
	bool xnet;
	unsigned int room;
	unsigned int hdr_len;
};

static int fips_flow_route4(struct fips_flow *flow, struct fips_link *link,
			    struct fips_endpoint *ep)
{
	struct flowi4 fl = {
		.saddr = ep->local.in4.s_addr ?: inet_sk(flow->sk)->inet_saddr,
		.daddr = ep->remote.in4.sin_addr.s_addr,
		.fl4_sport = flow->sport,
		.fl4_dport = flow->dport,
		.flowi4_oif = READ_ONCE(flow->sk->sk_bound_dev_if),
		.flowi4_mark = READ_ONCE(flow->sk->sk_mark),
		.flowi4_proto = IPPROTO_UDP,
	};
	struct rtable *rt;

	rt = dst_cache_get_ip4(&ep->dst_cache, &fl.saddr);
	if (likely(rt))
		goto found;
	security_sk_classify_flow(flow->sk, flowi4_to_flowi_common(&fl));
	if (ep->local.in4.s_addr &&
	    !inet_confirm_addr(flow->net, NULL, 0, fl.saddr, RT_SCOPE_HOST)) {
		fl.saddr = inet_sk(flow->sk)->inet_saddr;
		fips_link_forget_local(link, ep);
	}
	rt = ip_route_output_flow(flow->net, &fl, flow->sk);
	if (IS_ERR(rt))
		return PTR_ERR(rt);
	if (fips_is_device(rt->dst.dev)) {
		ip_rt_put(rt);
		return -ELOOP;
	}
	dst_cache_set_ip4(&ep->dst_cache, &rt->dst, fl.saddr);
found:
	flow->dst = &rt->dst;
	flow->saddr4 = fl.saddr;
	flow->daddr4 = fl.daddr;
	flow->hops = ip4_dst_hoplimit(flow->dst);
	flow->hdr_len = sizeof(struct iphdr) + sizeof(struct udphdr);
	return 0;
}

#if IS_ENABLED(CONFIG_IPV6)
static int fips_flow_route6(struct fips_flow *flow, struct fips_link *link,
			    struct fips_endpoint *ep)
{
	struct flowi6 fl = {
		.saddr = ep->local.in6,
		.daddr = ep->remote.in6.sin6_addr,
		.fl6_sport = flow->sport,
		.fl6_dport = flow->dport,
		.flowi6_oif = ep->remote.in6.sin6_scope_id ?: READ_ONCE(flow->sk->sk_bound_dev_if),
		.flowi6_mark = READ_ONCE(flow->sk->sk_mark),
		.flowi6_proto = IPPROTO_UDP,
	};
	struct dst_entry *dst;

	if (ipv6_addr_any(&fl.saddr))
		fl.saddr = inet6_sk(flow->sk)->saddr;
	dst = dst_cache_get_ip6(&ep->dst_cache, &fl.saddr);
	if (likely(dst))
		goto found;
	security_sk_classify_flow(flow->sk, flowi6_to_flowi_common(&fl));
	if (!ipv6_addr_any(&ep->local.in6) && !ipv6_chk_addr(flow->net, &fl.saddr, NULL, 0)) {
		fl.saddr = inet6_sk(flow->sk)->saddr;
		fips_link_forget_local(link, ep);
	}
	dst = ip6_dst_lookup_flow(flow->net, flow->sk, &fl, NULL);
	if (IS_ERR(dst))
		return PTR_ERR(dst);
	if (fips_is_device(dst->dev)) {
		dst_release(dst);
		return -ELOOP;
	}
	dst_cache_set_ip6(&ep->dst_cache, dst, &fl.saddr);
found:
	flow->v6 = true;
	flow->dst = dst;
	flow->saddr6 = fl.saddr;
	flow->daddr6 = fl.daddr;
	flow->hops = ip6_dst_hoplimit(dst);
	flow->hdr_len = sizeof(struct ipv6hdr) + sizeof(struct udphdr);
	return 0;
}
#else
static int fips_flow_route6(struct fips_flow *flow, struct fips_link *link,
			    struct fips_endpoint *ep)
{
	return -EAFNOSUPPORT;
}
#endif

/* Fill @flow; a reference to the route stays in it on success. */
static int fips_flow_init(struct fips_flow *flow, struct fips_link *link, struct fips_endpoint *ep)
{
	struct sock *sk = ep->transport->sk;
	int err;

	if (unlikely(READ_ONCE(ep->transport->dead) || !sk))
		return -ENODEV;
	flow->fips = link->fips;
	flow->sk = sk;
	flow->net = sock_net(sk);
	flow->v6 = false;
	flow->sport = inet_sk(sk)->inet_sport;
	flow->tos = READ_ONCE(inet_sk(sk)->tos);
	flow->xnet = !net_eq(flow->net, dev_net(link->fips->dev));
	switch (ep->remote.sa.sa_family) {
	case AF_INET:
		flow->dport = ep->remote.in4.sin_port;
		flow->nocheck = sk->sk_no_check_tx;
		err = fips_flow_route4(flow, link, ep);
		break;
	case AF_INET6:
		flow->dport = ep->remote.in6.sin6_port;
		flow->nocheck = udp_get_no_check6_tx(sk);
		err = fips_flow_route6(flow, link, ep);
		break;
	default:
		return -EAFNOSUPPORT;
	}
	if (err)
		return err;
	flow->room = max_t(int, dst_mtu(flow->dst) - (int)flow->hdr_len, 0);
	return 0;
}

/* UDP header of @len bytes in all; the checksum is the caller's affair. Moves skb->data. */
static struct udphdr *fips_flow_push_udp(const struct fips_flow *flow, struct sk_buff *skb,
					 unsigned int len)
{
	struct udphdr *uh = __skb_push(skb, sizeof(*uh));

	skb_reset_transport_header(skb);
	uh->source = flow->sport;
	uh->dest = flow->dport;
	uh->len = htons(len);
	uh->check = 0;
	return uh;
}

/* IP header in front of the UDP header; the stack fills in total length and checksum. */
static void fips_flow_push_ip(const struct fips_flow *flow, struct sk_buff *skb, bool df)
{
	if (flow->v6) {
		struct ipv6hdr *ip6h = __skb_push(skb, sizeof(*ip6h));

		ip6_flow_hdr(ip6h, flow->tos, 0);
		ip6h->payload_len = htons(skb->len - sizeof(*ip6h));
		ip6h->nexthdr = IPPROTO_UDP;
		ip6h->hop_limit = flow->hops;
		ip6h->saddr = flow->saddr6;
		ip6h->daddr = flow->daddr6;
		skb->protocol = htons(ETH_P_IPV6);
	} else {
		struct iphdr *iph = __skb_push(skb, sizeof(*iph));

		iph->version = 4;
		iph->ihl = sizeof(*iph) >> 2;
		iph->tos = flow->tos;
		iph->frag_off = df ? htons(IP_DF) : 0;
		iph->ttl = flow->hops;
		iph->protocol = IPPROTO_UDP;
		iph->saddr = flow->saddr4;
		iph->daddr = flow->daddr4;
		skb->protocol = htons(ETH_P_IP);
	}
	skb_reset_network_header(skb);
}

/* Finished checksum over the UDP header and linear payload. */
static void fips_flow_checksum(const struct fips_flow *flow, struct udphdr *uh, unsigned int len)
{
	__wsum csum;

	if (flow->nocheck)
		return;
	csum = csum_partial(uh, len, 0);
	if (flow->v6)
		uh->check = csum_ipv6_magic(&flow->saddr6, &flow->daddr6, len, IPPROTO_UDP, csum);
	else
		uh->check = csum_tcpudp_magic(flow->saddr4, flow->daddr4, len, IPPROTO_UDP, csum);
	if (!uh->check)
		uh->check = CSUM_MANGLED_0;
}

/* Nothing of the inner packet may be seen below. */
static void fips_flow_scrub(const struct fips_flow *flow, struct sk_buff *skb)
{
	skb_scrub_packet(skb, flow->xnet);
	skb_clear_hash_if_not_l4(skb);
	skb->mark = READ_ONCE(flow->sk->sk_mark);
	skb->encapsulation = 0;
	skb->ip_summed = CHECKSUM_NONE;
	skb_set_queue_mapping(skb, 0);
}

/* Hand @skb, complete with its headers, to the stack. Consumes it. */
static int fips_flow_out(const struct fips_flow *flow, struct sk_buff *skb)
{
	int err;

	memset(skb->cb, 0, sizeof(skb->cb));
	skb_dst_set(skb, dst_clone(flow->dst));
	if (flow->v6) {
		err = ip6_local_out(flow->net, flow->sk, skb);
	} else {
		__ip_select_ident(flow->net, ip_hdr(skb), skb_shinfo(skb)->gso_segs ?: 1);
		err = ip_local_out(flow->net, flow->sk, skb);
	}
	return err > 0 ? net_xmit_errno(err) : err;
}

/* One frame. Consumes @skb. */
static int fips_flow_send_one(const struct fips_flow *flow, struct sk_buff *skb)
{
	bool fits = skb->len <= flow->room;
	unsigned int len = skb->len + sizeof(struct udphdr);

	if (skb_cow_head(skb, flow->hdr_len + LL_RESERVED_SPACE(flow->dst->dev))) {
		fips_drop(flow->fips, FIPS_DROP_REASON_TX_HEADROOM);
		kfree_skb(skb);
		return -ENOMEM;
	}
	fips_flow_scrub(flow, skb);
	fips_flow_push_udp(flow, skb, len);
	if (flow->v6)
		udp6_set_csum(flow->nocheck, skb, &flow->saddr6, &flow->daddr6, len);
	else
		udp_set_csum(flow->nocheck, skb, flow->saddr4, flow->daddr4, len);
	skb->ignore_df = !fits;
	fips_flow_push_ip(flow, skb, fits);
	return fips_flow_out(flow, skb);
}

/*
 * May @skb become a part of a list whose first frame is @len bytes long? The
 * lower layers write into its headroom without asking again.
 */
static bool fips_flow_listable(const struct fips_flow *flow, const struct sk_buff *skb,
			       unsigned int len)
{
	return skb->len <= len && !skb_is_nonlinear(skb) && !skb_cloned(skb) &&
	       skb_headroom(skb) >= flow->hdr_len + LL_RESERVED_SPACE(flow->dst->dev);
}

/* Does its socket pay by truesize for @skb? (Others hold a reference a packet.) */
static bool fips_skb_is_charged(const struct sk_buff *skb)
{
	if (skb->destructor == sock_wfree)
		return true;
	/* tcp_wfree() can't be named here */
	return skb->destructor && skb->destructor != sock_edemux && sk_fullsock(skb->sk) &&
	       sk_is_tcp(skb->sk);
}

/*
 * The list's first frame answers for the memory of all, so that the socket
 * that sent them stays held back until the last one has left.
 */
static void fips_flow_charge(struct sk_buff *head, struct sk_buff *skb)
{
	if (skb->sk == head->sk && skb->destructor == head->destructor &&
	    fips_skb_is_charged(skb)) {
		skb->destructor = NULL;
		skb->sk = NULL;
	} else {
		skb_orphan(skb);
		skb_orphan(head);
	}
	head->truesize += skb->truesize;
}

/*
 * Send the first @n frames from *@list, all as long as the first but for the
 * last, as one. Consumes them and advances *@list.
 */
static int fips_flow_send_list(const struct fips_flow *flow, struct sk_buff **list, unsigned int n)
{
	struct sk_buff *head = *list, *skb, *next, **tail = &skb_shinfo(head)->frag_list;
	bool hw = !(flow->dst->dev->features & NETIF_F_GSO_FRAGLIST) &&
		  flow->dst->dev->features & NETIF_F_GSO_UDP_L4 && !flow->nocheck;
	unsigned int size = head->len, total = head->len, i;
	struct udphdr *uh;

	skb = head->next;
	for (i = 1; i < n; i++, skb = next) {
		next = skb->next;
		fips_flow_scrub(flow, skb);
		if (!hw) {
			unsigned int len = skb->len + sizeof(*uh);

			uh = fips_flow_push_udp(flow, skb, len);
			fips_flow_checksum(flow, uh, len);
			fips_flow_push_ip(flow, skb, true);
			__skb_pull(skb, flow->hdr_len);
			skb->ip_summed = CHECKSUM_UNNECESSARY;
		}
		fips_flow_charge(head, skb);
		total += skb->len;
		*tail = skb;
		tail = &skb->next;
		skb->prev = NULL;
	}
	*tail = NULL;
	*list = skb;
	skb_mark_not_on_list(head);

	fips_flow_scrub(flow, head);
	skb_shinfo(head)->gso_size = size;
	skb_shinfo(head)->gso_segs = n;
	skb_shinfo(head)->gso_type = SKB_GSO_UDP_L4;
	uh = fips_flow_push_udp(flow, head, size + sizeof(*uh));
	if (!hw) {
		skb_shinfo(head)->gso_type |= SKB_GSO_FRAGLIST;
		fips_flow_checksum(flow, uh, size + sizeof(*uh));
		head->ip_summed = CHECKSUM_UNNECESSARY;
	} else if (flow->v6) {
		udp6_set_csum(false, head, &flow->saddr6, &flow->daddr6, total + sizeof(*uh));
	} else {
		udp_set_csum(false, head, flow->saddr4, flow->daddr4, total + sizeof(*uh));
	}
	if (hw) {
		head->ip_summed = CHECKSUM_PARTIAL;
		head->csum_start = skb_transport_header(head) - head->head;
		head->csum_offset = offsetof(struct udphdr, check);
	}
	uh->len = htons(total + sizeof(*uh));
	head->len += total - size;
	head->data_len = total - size;
	fips_flow_push_ip(flow, head, true);
	return fips_flow_out(flow, head);
}

/* How many frames from @list on may leave together? */
static unsigned int fips_flow_run(const struct fips_flow *flow, const struct sk_buff *list)
{
	unsigned int len = list->len, total = 0, n = 0;
	const struct sk_buff *skb;

	if (!list->next || len > flow->room)
		return 1;
	for (skb = list; skb && n < FIPS_LIST_MAX; skb = skb->next) {
		total += skb->len;
		if (!fips_flow_listable(flow, skb, len) ||
		    total + flow->hdr_len > GSO_LEGACY_MAX_SIZE - 1)
			break;
		n++;
		if (skb->len < len)
			break;
	}
	return max(n, 1U);
}

/**
 * fips_underlay_send() - send sealed frames to the peer of a link
 * @link: link
 * @frames: frames, in order; linear, data at the link header; emptied
 *
 * Consumes the frames in any case and counts what is lost.
 *
 * Context: RCU read side, BH off.
 * Return: 0 or the last error.
 */
int fips_underlay_send(struct fips_link *link, struct fips_frames *frames)
{
	struct fips_endpoint *ep = rcu_dereference(link->endpoint);
	struct sk_buff *list = frames->head;
	struct fips_flow flow;
	unsigned int n;
	int err, ret = 0;

	err = ep ? fips_flow_init(&flow, link, ep) : -ENODEV;
	if (unlikely(err)) {
		fips_link_drop_n(link, FIPS_DROP_REASON_TX_ROUTE, frames->n);
		kfree_skb_list(list);
		return err;
	}
	fips_count_tx(&ep->transport->counters, frames->n, frames->bytes);
	while (list) {
		n = fips_flow_run(&flow, list);
		if (n > 1) {
			err = fips_flow_send_list(&flow, &list, n);
		} else {
			struct sk_buff *skb = list;

			list = skb->next;
			skb_mark_not_on_list(skb);
			err = fips_flow_send_one(&flow, skb);
		}
		if (unlikely(err)) {
			fips_link_drop_n(link, FIPS_DROP_REASON_TX_ERROR, n);
			ret = err;
		}
	}
	dst_release(flow.dst);
	return ret;
}

/* Is @skb from where the endpoint says, and did it come to where it says? */
static bool fips_endpoint_is(const struct fips_endpoint *ep, const struct fips_transport *transport,
			     const struct sk_buff *skb)
{
	const struct udphdr *uh = udp_hdr(skb);

	if (ep->transport != transport)
		return false;
	if (ip_hdr(skb)->version == 4)
		return ep->remote.sa.sa_family == AF_INET &&
		       ep->remote.in4.sin_addr.s_addr == ip_hdr(skb)->saddr &&
		       ep->remote.in4.sin_port == uh->source &&
		       ep->local.in4.s_addr == ip_hdr(skb)->daddr;
	return ep->remote.sa.sa_family == AF_INET6 &&
	       ipv6_addr_equal(&ep->remote.in6.sin6_addr, &ipv6_hdr(skb)->saddr) &&
	       ep->remote.in6.sin6_port == uh->source &&
	       ipv6_addr_equal(&ep->local.in6, &ipv6_hdr(skb)->daddr);
}

/**
 * fips_underlay_heard() - the newest authenticated frame says where the peer is
 * @link: link
 * @slot: slot that opened it
 * @transport: transport it came on
 * @skb: the frame; its network and transport headers are those of the underlay
 *
 * Context: RCU read side, BH off.
 */
void fips_underlay_heard(struct fips_link *link, struct fips_slot *slot,
			 struct fips_transport *transport, const struct sk_buff *skb)
{
	const struct fips_endpoint *ep = rcu_dereference(link->endpoint);
	struct fips_endpoint now = {};

	if (likely(ep && fips_endpoint_is(ep, transport, skb)))
		return;
	/* A group or broadcast address is none to send from. */
	if (skb->pkt_type != PACKET_HOST && skb->pkt_type != PACKET_LOOPBACK)
		return;
	now.transport = transport;
	now.local_ifindex = skb->dev->ifindex;
	if (ip_hdr(skb)->version == 4) {
		now.remote.in4.sin_family = AF_INET;
		now.remote.in4.sin_port = udp_hdr(skb)->source;
		now.remote.in4.sin_addr.s_addr = ip_hdr(skb)->saddr;
		now.local.in4.s_addr = ip_hdr(skb)->daddr;
	} else {
		now.remote.in6.sin6_family = AF_INET6;
		now.remote.in6.sin6_port = udp_hdr(skb)->source;
		now.remote.in6.sin6_addr = ipv6_hdr(skb)->saddr;
		now.remote.in6.sin6_scope_id = ipv6_iface_scope_id(&ipv6_hdr(skb)->saddr,
								   skb->dev->ifindex);
		now.local.in6 = ipv6_hdr(skb)->daddr;
	}
	fips_link_float(link, slot, &now);
}
