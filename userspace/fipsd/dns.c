// SPDX-License-Identifier: MIT
/*
 * The responder's life, and its UDP side: a batch of queries in, a batch of
 * replies out, then the loop has its turn. A flood costs the flooder's own
 * queries: the socket's queue is full, and nothing else waits for it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "dns_internal.h"

#define BATCH		32
#define CONTROL_MAX	CMSG_SPACE(sizeof(struct in6_pktinfo))

struct batch {
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	struct sockaddr_storage from[BATCH];
	union {
		char buf[CONTROL_MAX];
		struct cmsghdr align;
	} control[BATCH];
	u8 query[BATCH][FIPSD_DNS_UDP_QUERY];
	u8 reply[BATCH][FIPSD_DNS_REPLY_MAX];
};

size_t dns_serve(struct fipsd_dns *dns, const void *query, size_t len, size_t max, u8 *reply)
{
	size_t reply_len;

	dns->count[fipsd_dns_answer(&dns->zone, query, len, max, reply, &reply_len)]++;
	return reply_len;
}

/* ---- UDP ---- */

static bool mesh_address(const struct fipsd_dns *dns, const struct in6_addr *to)
{
	return !memcmp(to, dns->mesh_ipv6, FIPS_IPV6_LEN);
}

/*
 * Did it come in over the mesh (09 §10.1)? Also the machine's own queries to
 * its own FIPS address: Linux says the same of them.
 */
static bool from_mesh(const struct fipsd_dns *dns, struct msghdr *msg)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			return mesh_address(dns, &info.ipi6_addr) ||
			       (dns->mesh_ifindex && info.ipi6_ifindex == dns->mesh_ifindex);
		}
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			return dns->mesh_ifindex &&
			       (unsigned int)info.ipi_ifindex == dns->mesh_ifindex;
		}
	}
	return false;
}

static void batch_init(struct batch *b)
{
	size_t i;

	memset(b->msg, 0, sizeof(b->msg));
	for (i = 0; i < BATCH; i++) {
		b->iov[i] = (struct iovec){ b->query[i], sizeof(b->query[i]) };
		b->msg[i].msg_hdr.msg_name = &b->from[i];
		b->msg[i].msg_hdr.msg_namelen = sizeof(b->from[i]);
		b->msg[i].msg_hdr.msg_iov = &b->iov[i];
		b->msg[i].msg_hdr.msg_iovlen = 1;
		b->msg[i].msg_hdr.msg_control = &b->control[i];
		b->msg[i].msg_hdr.msg_controllen = sizeof(b->control[i]);
	}
}

/*
 * Make the reply of message @i, and put it at @to in the batch. It leaves from
 * where the query went: the packet info is sent back as it came.
 */
static bool batch_answer(struct fipsd_dns *dns, struct batch *b, int i, int to)
{
	struct msghdr *msg = &b->msg[i].msg_hdr;
	size_t len;

	if (msg->msg_flags & MSG_TRUNC) {
		dns->count[FIPSD_DNS_MALFORMED]++;
		return false;
	}
	if (from_mesh(dns, msg)) {
		dns->count[FIPSD_DNS_FROM_MESH]++;
		return false;
	}
	len = dns_serve(dns, b->query[i], b->msg[i].msg_len, FIPSD_DNS_UDP_MAX, b->reply[i]);
	if (!len)
		return false;
	b->iov[i] = (struct iovec){ b->reply[i], len };
	b->msg[to] = b->msg[i];
	return true;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	static struct batch b;	/* one loop, one thread; 150 KiB are much for a stack */
	struct fipsd_dns *dns = poll->data;
	int i, n, replies = 0, sent;

	(void)events;
	if (status < 0)
		return;
	batch_init(&b);
	n = recvmmsg(dns->fd, b.msg, BATCH, MSG_DONTWAIT, NULL);
	for (i = 0; i < n; i++)
		replies += batch_answer(dns, &b, i, replies);
	/* One that can't be sent must not hold up those behind it. */
	for (i = 0; i < replies; i += sent > 0 ? sent : 1)
		sent = sendmmsg(dns->fd, b.msg + i, (unsigned int)(replies - i), MSG_DONTWAIT);
}

/* ---- start ---- */

static int parse_bind(const char *text, u16 port, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *sin6 = (void *)ss;
	struct sockaddr_in *sin = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET6, text, &sin6->sin6_addr) == 1) {
		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = htons(port);
		return 0;
	}
	if (inet_pton(AF_INET, text, &sin->sin_addr) == 1) {
		sin->sin_family = AF_INET;
		sin->sin_port = htons(port);
		return 0;
	}
	return -EINVAL;
}

static int udp_open(struct fipsd_dns *dns)
{
	socklen_t len = sizeof(dns->local);
	int off = 0, on = 1;

	dns->fd = socket(dns->local.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (dns->fd < 0)
		return -errno;
	if (dns->local.ss_family == AF_INET6 &&
	    (setsockopt(dns->fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) ||
	     setsockopt(dns->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on))))
		return -errno;
	if (dns->local.ss_family == AF_INET &&
	    setsockopt(dns->fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)))
		return -errno;
	if (bind(dns->fd, (struct sockaddr *)&dns->local, len) ||
	    getsockname(dns->fd, (struct sockaddr *)&dns->local, &len))
		return -errno;
	return 0;
}

static void on_poll_closed(uv_handle_t *handle)
{
	dns_put(handle->data);
}

void dns_put(struct fipsd_dns *dns)
{
	if (!--dns->handles && dns->stopped)
		free(dns);
}

static int dns_open(struct fipsd_dns *dns, const struct fipsd_dns_setup *setup)
{
	int ret = udp_open(dns);

	if (ret)
		return ret;
	ret = uv_poll_init(setup->loop, &dns->poll, dns->fd);
	if (ret)
		return ret;
	dns->poll.data = dns;
	dns->handles = 1;
	ret = dns_tcp_start(dns, setup->loop);
	if (ret)
		fipsd_log(dns->log, FIPS_LOG_WARN, "DNS responder: no TCP: %s", uv_strerror(ret));
	uv_poll_start(&dns->poll, UV_READABLE, on_readable);
	return 0;
}

int fipsd_dns_start(struct fipsd_dns **out, const struct fipsd_dns_setup *setup, char *why,
		    size_t why_len)
{
	struct fipsd_dns *dns = calloc(1, sizeof(*dns));
	struct fipsd_dns_view v;
	int ret;

	if (!dns)
		return -ENOMEM;
	dns->fd = -1;
	dns->zone = setup->zone;
	dns->log = setup->log;
	dns->mesh_ifindex = if_nametoindex(setup->mesh_ifname);
	memcpy(dns->mesh_ipv6, setup->mesh_ipv6, sizeof(dns->mesh_ipv6));
	ret = parse_bind(setup->bind_addr, setup->port, &dns->local);
	if (ret)
		snprintf(why, why_len, "\"%.60s\" is no IP address", setup->bind_addr);
	else
		ret = dns_open(dns, setup);
	if (ret) {
		if (ret != -EINVAL)
			snprintf(why, why_len, "%s port %u: %s", setup->bind_addr, setup->port,
				 strerror(-ret));
		if (dns->fd >= 0)
			close(dns->fd);
		free(dns);
		return ret;
	}
	fipsd_dns_view(dns, &v);
	fipsd_log(dns->log, FIPS_LOG_INFO, "DNS responder started bind=%s", v.local);
	*out = dns;
	return 0;
}

void fipsd_dns_stop(struct fipsd_dns *dns)
{
	if (!dns)
		return;
	dns->stopped = true;
	dns_tcp_stop(dns);
	uv_poll_stop(&dns->poll);
	uv_close((uv_handle_t *)&dns->poll, on_poll_closed);
	close(dns->fd);
	dns->fd = -1;
}

/* ---- views ---- */

static u16 local_port(const struct fipsd_dns *dns)
{
	/* The port stands at the same place in both. */
	return ntohs(((const struct sockaddr_in *)(const void *)&dns->local)->sin_port);
}

static void local_text(const struct fipsd_dns *dns, char text[static INET6_ADDRSTRLEN])
{
	const struct sockaddr_in6 *sin6 = (const void *)&dns->local;
	const struct sockaddr_in *sin = (const void *)&dns->local;

	if (dns->local.ss_family == AF_INET6)
		inet_ntop(AF_INET6, &sin6->sin6_addr, text, INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET, &sin->sin_addr, text, INET6_ADDRSTRLEN);
}

void fipsd_dns_view(const struct fipsd_dns *dns, struct fipsd_dns_view *v)
{
	char text[INET6_ADDRSTRLEN];

	local_text(dns, text);
	snprintf(v->local, sizeof(v->local), dns->local.ss_family == AF_INET6 ? "[%s]:%u" : "%s:%u",
		 text, local_port(dns));
	v->tcp = dns->tcp_open;
	v->clients = dns->n_clients;
	memcpy(v->count, dns->count, sizeof(v->count));
}

void fipsd_dns_endpoint(const struct fipsd_dns *dns, char addr[static 46], u16 *port)
{
	local_text(dns, addr);
	*port = local_port(dns);
	/* A wildcard is no address to ask at. */
	if (!strcmp(addr, "::"))
		strcpy(addr, "::1");
	else if (!strcmp(addr, "0.0.0.0"))
		strcpy(addr, "127.0.0.1");
}
