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
#include <poll.h>
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
#define FIPS_RUN_BYTES		65487	/* largest UDP payload over IPv4, less some options */
#define FIPS_SEND_WAIT_MS	10
#define FIPS_RX_MSGS		16
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

static bool fips_udp_wait(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, FIPS_SEND_WAIT_MS) == 1;
}

/* One frame, or a whole run with @size set; 0 or a negative errno. */
static int fips_udp_send(int fd, const struct fips_run *r, u8 *p, u32 len, u16 size)
{
	char control[CMSG_SPACE(sizeof(u16))] __attribute__((aligned(8))) = { 0 };
	struct iovec iov = { p, len };
	union fips_sockaddr sa;
	struct msghdr m = { .msg_name = &sa, .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;
	int tries;

	m.msg_namelen = fips_sockaddr_put(&sa, &r->to.addr);
	if (size) {
		m.msg_control = control;
		m.msg_controllen = sizeof(control);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = IPPROTO_UDP;
		c->cmsg_type = UDP_SEGMENT;
		c->cmsg_len = CMSG_LEN(sizeof(size));
		memcpy(CMSG_DATA(c), &size, sizeof(size));
	}
	for (tries = 0; tries < 3; tries++) {
		if (sendmsg(fd, &m, MSG_DONTWAIT) >= 0)
			return 0;
		/* An error of an earlier datagram, or a full buffer: once more. */
		if (errno != EINTR && errno != ECONNREFUSED &&
		    !((errno == EAGAIN || errno == ENOBUFS) && fips_udp_wait(fd)))
			break;
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

static void fips_run_send(struct fips_user *u, const struct fips_run *r)
{
	struct fips_utransport *t = fips_utransport_find(u, r->to.transport_id);
	u32 off, len;
	int err;

	if (!t || !r->to.transport_id) {
		fips_core_drop(u->core, FIPS_DROP_REASON_TX_ROUTE, r->count);
		return;
	}
	if (r->count > 1 && atomic_load_explicit(&t->segment, memory_order_relaxed)) {
		err = fips_udp_send(t->fd, r, r->start, r->len, (u16)r->size);
		/* EINVAL, EMSGSIZE: too large for this route; EIO: no checksums in hardware. */
		if (err == -EIO || err == -ENOPROTOOPT)
			atomic_store(&t->segment, false);
		else if (err != -EINVAL && err != -EMSGSIZE)
			goto out;
	}
	for (off = 0; off < r->len; off += len) {
		len = r->len - off < r->size ? r->len - off : r->size;
		err = fips_udp_send(t->fd, r, r->start + off, len, 0);
		if (err)
			fips_run_failed(u, err, 1);
	}
	return;
out:
	if (err)
		fips_run_failed(u, err, r->count);
}

void fips_batch_flush(struct fips_batch *b)
{
	u32 i;

	for (i = 0; i < b->count; i++)
		fips_run_send(b->u, &b->run[i]);
	b->count = 0;
	b->used = 0;
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
	char control[FIPS_RX_MSGS][64] __attribute__((aligned(8)));
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

/* Length of the frames in a bundle, or 0 if it is a single one. */
static size_t fips_rx_segment(struct msghdr *m)
{
	struct cmsghdr *c;
	int size;

	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != IPPROTO_UDP || c->cmsg_type != UDP_GRO)
			continue;
		memcpy(&size, CMSG_DATA(c), sizeof(size));
		return size > 0 ? (size_t)size : 0;
	}
	return 0;
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
		fips_rx_bundle(u, now, &from, b->iov[i].iov_base, b->msg[i].msg_len,
			       fips_rx_segment(m));
	}
	fips_outlet_flush(&u->rx);
	return n;
}
