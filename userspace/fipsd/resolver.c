// SPDX-License-Identifier: MIT
/*
 * getaddrinfo() in libuv's thread pool. The list holds what may still be
 * answered; a stopped resolver lets go of its requests, which free themselves.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "resolver.h"

struct fipsd_query {
	uv_getaddrinfo_t req;
	struct fipsd_resolver *r;	/* NULL: nobody waits any more */
	struct fipsd_query *next;
	u32 query;
	u16 port;
};

void fipsd_resolver_init(struct fipsd_resolver *r, uv_loop_t *loop,
			 void (*answer)(void *ctx, const struct fips_event *ev), void *ctx)
{
	memset(r, 0, sizeof(*r));
	r->loop = loop;
	r->answer = answer;
	r->ctx = ctx;
}

bool fipsd_taddr_from_sockaddr(struct fips_taddr *out, const struct sockaddr *sa)
{
	static const u8 mapped[12] = { [10] = 0xff, [11] = 0xff };
	const struct sockaddr_in6 *sin6 = (const void *)sa;
	const struct sockaddr_in *sin = (const void *)sa;

	memset(out, 0, sizeof(*out));
	if (sa->sa_family == AF_INET) {
		out->kind = FIPS_TADDR_IPV4;
		out->port = ntohs(sin->sin_port);
		memcpy(out->addr, &sin->sin_addr, 4);
		return true;
	}
	if (sa->sa_family != AF_INET6)
		return false;
	out->port = ntohs(sin6->sin6_port);
	if (!memcmp(&sin6->sin6_addr, mapped, sizeof(mapped))) {
		out->kind = FIPS_TADDR_IPV4;
		memcpy(out->addr, sin6->sin6_addr.s6_addr + 12, 4);
		return true;
	}
	out->kind = FIPS_TADDR_IPV6;
	memcpy(out->addr, &sin6->sin6_addr, 16);
	if (IN6_IS_ADDR_LINKLOCAL(&sin6->sin6_addr))
		out->scope = sin6->sin6_scope_id;
	return true;
}

socklen_t fipsd_taddr_to_sockaddr(const struct fips_taddr *a, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *sin6 = (void *)ss;
	struct sockaddr_in *sin = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	if (a->kind == FIPS_TADDR_IPV4) {
		sin->sin_family = AF_INET;
		sin->sin_port = htons(a->port);
		memcpy(&sin->sin_addr, a->addr, 4);
		return sizeof(*sin);
	}
	if (a->kind == FIPS_TADDR_IPV6) {
		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = htons(a->port);
		sin6->sin6_scope_id = a->scope;
		memcpy(&sin6->sin6_addr, a->addr, 16);
		return sizeof(*sin6);
	}
	return 0;
}

static void query_unlink(struct fipsd_query *q)
{
	struct fipsd_query **p;

	for (p = &q->r->queries; *p; p = &(*p)->next)
		if (*p == q) {
			*p = q->next;
			q->r->count--;
			return;
		}
}

static int status_errno(int status)
{
	switch (status) {
	case 0:
		return 0;
	case UV_EAI_NONAME:
	case UV_EAI_NODATA:
		return -ENOENT;
	case UV_EAI_MEMORY:
		return -ENOMEM;
	default:
		return -EAGAIN;
	}
}

static void on_answer(uv_getaddrinfo_t *req, int status, struct addrinfo *res)
{
	struct fipsd_query *q = (struct fipsd_query *)req;
	struct fips_taddr addrs[FIPSD_RESOLVE_ADDRS];
	struct fips_event ev = { .type = FIPS_EV_RESOLVED };
	struct addrinfo *ai;
	size_t n = 0;

	if (q->r) {
		for (ai = status ? NULL : res; ai && n < FIPSD_RESOLVE_ADDRS; ai = ai->ai_next)
			if (fipsd_taddr_from_sockaddr(&addrs[n], ai->ai_addr))
				addrs[n++].port = q->port;
		ev.resolved.query = q->query;
		ev.resolved.err = status ? status_errno(status) : n ? 0 : -ENOENT;
		ev.resolved.addrs = addrs;
		ev.resolved.count = n;
		query_unlink(q);
		q->r->answer(q->r->ctx, &ev);
	}
	uv_freeaddrinfo(res);
	free(q);
}

int fipsd_resolver_ask(struct fipsd_resolver *r, u32 query, const char *host, u16 port)
{
	static const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_DGRAM,
	};
	struct fipsd_query *q;
	int ret;

	if (r->count >= FIPSD_RESOLVE_MAX)
		return -EBUSY;
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	q->r = r;
	q->query = query;
	q->port = port;
	ret = uv_getaddrinfo(r->loop, &q->req, on_answer, host, NULL, &hints);
	if (ret) {
		free(q);
		return ret;
	}
	q->next = r->queries;
	r->queries = q;
	r->count++;
	return 0;
}

void fipsd_resolver_stop(struct fipsd_resolver *r)
{
	struct fipsd_query *q, *next;

	for (q = r->queries; q; q = next) {
		next = q->next;
		q->r = NULL;
		uv_cancel((uv_req_t *)&q->req);
	}
	r->queries = NULL;
	r->count = 0;
}
