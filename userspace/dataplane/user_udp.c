// SPDX-License-Identifier: MIT
/*
 * Datagram sockets of the user data plane. Frames of one length to one endpoint
 * leave as one UDP_SEGMENT message, several such messages in one sendmmsg();
 * what comes is taken in UDP_GRO bundles, several in one recvmmsg(). Where the
 * kernel or the device can't, frames go one by one.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "user.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT		103
#endif
#ifndef UDP_GRO
#define UDP_GRO			104
#endif

#define FIPS_RUN_FRAMES		64	/* UDP_MAX_SEGMENTS of older kernels */
#define FIPS_RUN_BYTES		65487	/* largest UDP payload over IPv4, less some */
#define FIPS_RX_MSGS		16
#define FIPS_CONTROL		128	/* segment size, address, the daemon's RXQ_OVFL */
#define FIPS_RX_BYTES		65536

/* ------------------------------------------------------------- addresses */

union fips_sockaddr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static socklen_t fips_sockaddr_put(union fips_sockaddr *sa, const struct fips_taddr *a)
{
	memset(sa, 0, sizeof(*sa));
	if (a->kind == FIPS_TADDR_IPV4) {
		sa->in.sin_family = AF_INET;
		sa->in.sin_port = htons(a->port);
		memcpy(&sa->in.sin_addr, a->addr, 4);
		return sizeof(sa->in);
	}
	sa->in6.sin6_family = AF_INET6;
	sa->in6.sin6_port = htons(a->port);
	sa->in6.sin6_scope_id = a->scope;
	memcpy(&sa->in6.sin6_addr, a->addr, 16);
	return sizeof(sa->in6);
}

static void fips_sockaddr_get(const union fips_sockaddr *sa, struct fips_taddr *a)
{
	memset(a, 0, sizeof(*a));
	if (sa->sa.sa_family == AF_INET) {
		a->kind = FIPS_TADDR_IPV4;
		a->port = ntohs(sa->in.sin_port);
		memcpy(a->addr, &sa->in.sin_addr, 4);
	} else if (IN6_IS_ADDR_V4MAPPED(&sa->in6.sin6_addr)) {
		a->kind = FIPS_TADDR_IPV4;
		a->port = ntohs(sa->in6.sin6_port);
		memcpy(a->addr, sa->in6.sin6_addr.s6_addr + 12, 4);
	} else {
		a->kind = FIPS_TADDR_IPV6;
		a->port = ntohs(sa->in6.sin6_port);
		if (IN6_IS_ADDR_LINKLOCAL(&sa->in6.sin6_addr))
			a->scope = sa->in6.sin6_scope_id;
		memcpy(a->addr, &sa->in6.sin6_addr, 16);
	}
}

/* ------------------------------------------------------------- transports */

struct fips_utransport *fips_utransport_find(struct fips_user *u, u32 id)
{
	int i;

	for (i = 0; i < FIPS_USER_TRANSPORTS; i++)
		if (u->transports[i].id == id)
			return &u->transports[i];
	return NULL;
}

/* A wildcard socket must tell the address of ours that was meant. */
static void fips_utransport_pktinfo(int fd, int on)
{
	union fips_sockaddr sa;
	socklen_t len = sizeof(sa);

	if (getsockname(fd, &sa.sa, &len))
		return;
	if (sa.sa.sa_family == AF_INET && sa.in.sin_addr.s_addr == INADDR_ANY)
		setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	else if (sa.sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&sa.in6.sin6_addr))
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
}

int fips_utransport_add(struct fips_user *u, u32 id, int fd)
{
	struct fips_utransport *t = fips_utransport_find(u, 0);
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = id };
	int one = 1, off = 0;

	if (!id || fips_utransport_find(u, id))
		return -EEXIST;
	if (!t)
		return -ENOSPC;
	t->fd = fd;
	/* Setting it to 0 changes nothing and tells whether the option is there. */
	atomic_store(&t->segment, !setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &off, sizeof(off)));
	setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof(one));
	fips_utransport_pktinfo(fd, 1);
	if (epoll_ctl(u->epoll, EPOLL_CTL_ADD, fd, &ev))
		return -errno;
	t->id = id;
	return 0;
}

int fips_utransport_del(struct fips_user *u, u32 id)
{
	struct fips_utransport *t = id ? fips_utransport_find(u, id) : NULL;
	int zero = 0;

	if (!t)
		return -ENOENT;
	epoll_ctl(u->epoll, EPOLL_CTL_DEL, t->fd, NULL);
	setsockopt(t->fd, IPPROTO_UDP, UDP_GRO, &zero, sizeof(zero));
	fips_utransport_pktinfo(t->fd, 0);
	t->id = 0;
	t->fd = -1;
	return 0;
}

/* ---------------------------------------------------------------- sending */

u8 *fips_batch_room(struct fips_batch *b, size_t len)
{
	if (!b->arena) {
		b->arena = malloc(FIPS_BATCH_BYTES);
		if (!b->arena)
			return NULL;
	}
	if (b->used + len > FIPS_BATCH_BYTES || b->count == FIPS_BATCH_RUNS)
		fips_batch_flush(b);
	return b->arena + b->used;
}

void fips_batch_frame(struct fips_batch *b, const struct fips_endpoint *to, u8 *frame, size_t len)
{
	struct fips_run *r = b->count ? &b->run[b->count - 1] : NULL;

	b->used += (u32)len;
	if (r && r->open && len <= r->size && r->count < FIPS_RUN_FRAMES &&
	    r->len + len <= FIPS_RUN_BYTES && !memcmp(&r->to, to, sizeof(*to))) {
		r->len += (u32)len;
		r->count++;
		r->open = len == r->size;
		return;
	}
	/* room() has made sure of a free place. */
	r = &b->run[b->count++];
	*r = (struct fips_run){
		.to = *to,
		.start = frame,
		.len = (u32)len,
		.size = (u32)len,
		.count = 1,
		.open = true,
	};
}

static void *fips_cmsg_add(struct msghdr *m, int level, int type, size_t len)
{
	struct cmsghdr *c = (struct cmsghdr *)((char *)m->msg_control + m->msg_controllen);

	m->msg_controllen += CMSG_SPACE(len);
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	return CMSG_DATA(c);
}

static void fips_cmsg_source(struct msghdr *m, const struct fips_taddr *local)
{
	struct in6_pktinfo v6 = { 0 };
	struct in_pktinfo v4 = { 0 };

	if (local->kind == FIPS_TADDR_IPV4) {
		memcpy(&v4.ipi_spec_dst, local->addr, 4);
		memcpy(fips_cmsg_add(m, IPPROTO_IP, IP_PKTINFO, sizeof(v4)), &v4, sizeof(v4));
	} else if (local->kind == FIPS_TADDR_IPV6) {
		memcpy(&v6.ipi6_addr, local->addr, 16);
		v6.ipi6_ifindex = local->scope;
		memcpy(fips_cmsg_add(m, IPPROTO_IPV6, IPV6_PKTINFO, sizeof(v6)), &v6, sizeof(v6));
	}
}

/* One frame, or a whole run with @size set; 0 or a negative errno. */
static int fips_udp_send(int fd, const struct fips_run *r, u8 *p, u32 len, u16 size)
{
	char control[FIPS_CONTROL] __attribute__((aligned(8))) = { 0 };
	struct iovec iov = { p, len };
	union fips_sockaddr sa;
	struct msghdr m = { .msg_name = &sa, .msg_iov = &iov, .msg_iovlen = 1 };
	size_t plain;
	int tries;

	m.msg_namelen = fips_sockaddr_put(&sa, &r->to.addr);
	m.msg_control = control;
	if (size)
		memcpy(fips_cmsg_add(&m, IPPROTO_UDP, UDP_SEGMENT, sizeof(size)), &size,
		       sizeof(size));
	plain = m.msg_controllen;
	fips_cmsg_source(&m, &r->to.local);
	for (tries = 0; tries < 3; tries++) {
		if (!m.msg_controllen)
			m.msg_control = NULL;
		if (sendmsg(fd, &m, MSG_DONTWAIT) >= 0)
			return 0;
		/* ECONNREFUSED is about an earlier datagram: once more. */
		if (errno == EINTR || errno == ECONNREFUSED)
			continue;
		/* Our address there may be gone: then from any. */
		if (m.msg_controllen == plain || errno == EAGAIN || errno == EMSGSIZE)
			break;
		m.msg_controllen = plain;
	}
	return -errno;
}

static void fips_run_failed(struct fips_user *u, int err, u32 n)
{
	switch (-err) {
	case ENETUNREACH:
	case EHOSTUNREACH:
	case EADDRNOTAVAIL:
		fips_core_drop(u->core, FIPS_DROP_REASON_TX_ROUTE, n);
		return;
	default:
		fips_core_drop(u->core, FIPS_DROP_REASON_TX_ERROR, n);
	}
}

/* Frames one by one, from the first that is left; -EAGAIN if the socket's buffer is full. */
static int fips_run_singly(struct fips_user *u, int fd, struct fips_run *r)
{
	u32 len;
	int err;

	while (r->len) {
		len = r->len < r->size ? r->len : r->size;
		err = fips_udp_send(fd, r, r->start, len, 0);
		if (err == -EAGAIN)
			return err;
		if (err)
			fips_run_failed(u, err, 1);
		r->start += len;
		r->len -= len;
		r->count--;
	}
	return 0;
}

/* A run; 0 when it is done with, or -EAGAIN. */
static int fips_run_send(struct fips_user *u, struct fips_utransport *t, struct fips_run *r)
{
	int err;

	if (r->count == 1 || !atomic_load_explicit(&t->segment, memory_order_relaxed))
		return fips_run_singly(u, t->fd, r);
	err = fips_udp_send(t->fd, r, r->start, r->len, (u16)r->size);
	switch (-err) {
	case 0:
	case EAGAIN:
		return err;
	case EIO:		/* this device sums nothing itself */
	case ENOPROTOOPT:
		atomic_store(&t->segment, false);
		return fips_run_singly(u, t->fd, r);
	case EINVAL:		/* frames larger than this route's MTU */
	case EMSGSIZE:
		return fips_run_singly(u, t->fd, r);
	default:
		fips_run_failed(u, err, r->count);
		return 0;
	}
}

int fips_batch_send(struct fips_batch *b)
{
	struct fips_utransport *t;
	struct fips_run *r;

	for (; b->sent < b->count; b->sent++) {
		r = &b->run[b->sent];
		t = r->to.transport_id ? fips_utransport_find(b->u, r->to.transport_id) : NULL;
		if (!t)
			fips_core_drop(b->u->core, FIPS_DROP_REASON_TX_ROUTE, r->count);
		else if (fips_run_send(b->u, t, r))
			return t->fd;
	}
	b->count = 0;
	b->sent = 0;
	b->used = 0;
	return -1;
}

void fips_batch_flush(struct fips_batch *b)
{
	while (fips_batch_send(b) >= 0) {
		fips_core_drop(b->u->core, FIPS_DROP_REASON_TX_ERROR, b->run[b->sent].count);
		b->sent++;
	}
}

/* -------------------------------------------------------------- receiving */

/**
 * struct fips_rxbuf - where bundles are received; worker rx's
 * @mem: their memory; what no frame has touched is not resident
 */
struct fips_rxbuf {
	u8 *mem;
	struct mmsghdr msg[FIPS_RX_MSGS];
	struct iovec iov[FIPS_RX_MSGS];
	union fips_sockaddr from[FIPS_RX_MSGS];
	char control[FIPS_RX_MSGS][FIPS_CONTROL] __attribute__((aligned(8)));
};

struct fips_rxbuf *fips_rxbuf_new(void)
{
	struct fips_rxbuf *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->mem = mmap(NULL, (size_t)FIPS_RX_MSGS * FIPS_RX_BYTES, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (b->mem == MAP_FAILED) {
		free(b);
		return NULL;
	}
	return b;
}

void fips_rxbuf_free(struct fips_rxbuf *b)
{
	if (!b)
		return;
	munmap(b->mem, (size_t)FIPS_RX_MSGS * FIPS_RX_BYTES);
	free(b);
}

static void fips_rxbuf_arm(struct fips_rxbuf *b)
{
	int i;

	for (i = 0; i < FIPS_RX_MSGS; i++) {
		b->iov[i] = (struct iovec){ b->mem + (size_t)i * FIPS_RX_BYTES, FIPS_RX_BYTES };
		b->msg[i].msg_hdr = (struct msghdr){
			.msg_name = &b->from[i],
			.msg_namelen = sizeof(b->from[i]),
			.msg_iov = &b->iov[i],
			.msg_iovlen = 1,
			.msg_control = b->control[i],
			.msg_controllen = sizeof(b->control[i]),
		};
	}
}

/* What the kernel says beside a bundle: length of its frames (0: a single one), our address. */
static size_t fips_rx_control(struct msghdr *m, struct fips_taddr *local)
{
	struct in6_pktinfo v6;
	struct in_pktinfo v4;
	struct cmsghdr *c;
	int size = 0;

	memset(local, 0, sizeof(*local));
	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
			memcpy(&size, CMSG_DATA(c), sizeof(size));
		} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&v4, CMSG_DATA(c), sizeof(v4));
			local->kind = FIPS_TADDR_IPV4;
			memcpy(local->addr, &v4.ipi_spec_dst, 4);
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&v6, CMSG_DATA(c), sizeof(v6));
			local->kind = FIPS_TADDR_IPV6;
			memcpy(local->addr, &v6.ipi6_addr, 16);
			if (IN6_IS_ADDR_LINKLOCAL(&v6.ipi6_addr))
				local->scope = v6.ipi6_ifindex;
		}
	}
	return size > 0 ? (size_t)size : 0;
}

static void fips_rx_bundle(struct fips_user *u, u64 now, const struct fips_endpoint *from,
			   u8 *p, size_t len, size_t size)
{
	size_t n;

	if (!size)
		size = len;
	do {
		n = len < size ? len : size;
		fips_core_frame(u->core, &u->rx.out, now, from, p, n);
		p += n;
		len -= n;
	} while (len);
}

int fips_udp_receive(struct fips_user *u, struct fips_rxbuf *b, struct fips_utransport *t, u64 now)
{
	struct fips_endpoint from = { .transport_id = t->id };
	struct msghdr *m;
	size_t size;
	int n, i;

	fips_rxbuf_arm(b);
	n = recvmmsg(t->fd, b->msg, FIPS_RX_MSGS, MSG_DONTWAIT, NULL);
	for (i = 0; i < n; i++) {
		m = &b->msg[i].msg_hdr;
		if (m->msg_flags & MSG_TRUNC) {
			fips_core_drop(u->core, FIPS_DROP_REASON_RX_LENGTH, 1);
			continue;
		}
		fips_sockaddr_get(&b->from[i], &from.addr);
		size = fips_rx_control(m, &from.local);
		fips_rx_bundle(u, now, &from, b->iov[i].iov_base, b->msg[i].msg_len, size);
	}
	fips_outlet_flush(&u->rx);
	return n;
}
