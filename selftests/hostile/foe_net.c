// SPDX-License-Identifier: MIT
/* Packets: own and spoofed ones, and those of others on the victim's cable. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "foe.h"

int foe_raw_open(void)
{
	return socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
}

int foe_tap_open(const char *ifname)
{
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(ifname),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));

	if (fd < 0 || !ll.sll_ifindex || bind(fd, (struct sockaddr *)&ll, sizeof(ll)))
		foe_die("no ear on %s: %s", ifname, strerror(errno));
	return fd;
}

/* "IP:PORT" */
bool foe_parse_endpoint(struct sockaddr_in *at, const char *text)
{
	char ip[INET_ADDRSTRLEN];
	const char *colon = strchr(text, ':');

	if (!colon || (size_t)(colon - text) >= sizeof(ip))
		return false;
	memcpy(ip, text, (size_t)(colon - text));
	ip[colon - text] = '\0';
	at->sin_family = AF_INET;
	at->sin_port = htons((u16)strtoul(colon + 1, NULL, 10));
	return inet_pton(AF_INET, ip, &at->sin_addr) == 1;
}

/* A socket on "IP:PORT". */
int foe_udp(const char *endpoint)
{
	struct sockaddr_in sa = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (!foe_parse_endpoint(&sa, endpoint) || bind(fd, (struct sockaddr *)&sa, sizeof(sa))) {
		close(fd);
		return -EADDRNOTAVAIL;
	}
	return fd;
}

bool foe_same_endpoint(const struct sockaddr_in *a, const struct sockaddr_in *b)
{
	return a->sin_addr.s_addr == b->sin_addr.s_addr && a->sin_port == b->sin_port;
}

/* From our own socket to the victim. */
void foe_send_raw(struct foe *f, const void *buf, size_t len)
{
	f->sent++;
	if (sendto(f->fd, buf, len, 0, (struct sockaddr *)&f->victim.at,
		   sizeof(f->victim.at)) < 0 && errno != ECONNREFUSED && errno != ENOBUFS)
		foe_die("send: %s", strerror(errno));
}

/* @ip and @port: the source to pretend, host order. UDP's checksum may be absent over IPv4. */
void foe_spoof_at(struct foe *f, u32 ip, u16 port, const struct sockaddr_in *to, const void *buf,
		  size_t len)
{
	struct {
		struct iphdr ip;
		struct udphdr udp;
		u8 data[FOE_FRAME];
	} __attribute__((packed)) p = {
		.ip = {
			.version = 4,
			.ihl = 5,
			.ttl = 64,
			.protocol = IPPROTO_UDP,
			.saddr = htonl(ip),
			.daddr = to->sin_addr.s_addr,
		},
		.udp = { .source = htons(port), .dest = to->sin_port },
	};

	if (len > sizeof(p.data))
		foe_die("packet too large");
	p.udp.len = htons((u16)(sizeof(p.udp) + len));
	memcpy(p.data, buf, len);
	f->sent++;
	if (sendto(f->raw, &p, sizeof(p.ip) + sizeof(p.udp) + len, 0, (struct sockaddr *)to,
		   sizeof(*to)) < 0 && errno != ENOBUFS)
		foe_die("spoofed send: %s", strerror(errno));
}

void foe_spoof(struct foe *f, u32 ip, u16 port, const void *buf, size_t len)
{
	foe_spoof_at(f, ip, port, &f->victim.at, buf, len);
}

static bool tap_parse(struct foe_packet *p, const u8 *frame, size_t len)
{
	struct ether_header eth;
	struct iphdr ip;
	struct udphdr udp;
	size_t off = sizeof(eth) + sizeof(ip);

	if (len < off + sizeof(udp))
		return false;
	memcpy(&eth, frame, sizeof(eth));
	memcpy(&ip, frame + sizeof(eth), sizeof(ip));
	if (eth.ether_type != htons(ETHERTYPE_IP) || ip.protocol != IPPROTO_UDP || ip.ihl != 5)
		return false;
	memcpy(&udp, frame + off, sizeof(udp));
	p->from = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = udp.source,
					.sin_addr.s_addr = ip.saddr };
	p->to = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = udp.dest,
				      .sin_addr.s_addr = ip.daddr };
	off += sizeof(udp);
	p->len = len - off < sizeof(p->data) ? len - off : sizeof(p->data);
	memcpy(p->data, frame + off, p->len);
	return true;
}

/* The next UDP packet on the cable; false when it is too late for one. */
bool foe_tap_next(struct foe *f, struct foe_packet *p, u64 until_ms)
{
	static u8 frame[65536];
	u64 now;

	while ((now = foe_now()) < until_ms) {
		struct pollfd fd = { .fd = f->tap, .events = POLLIN };
		ssize_t n;

		if (poll(&fd, 1, (int)(until_ms - now)) <= 0)
			continue;
		n = recv(f->tap, frame, sizeof(frame), MSG_DONTWAIT);
		if (n > 0 && tap_parse(p, frame, (size_t)n))
			return true;
	}
	return false;
}
