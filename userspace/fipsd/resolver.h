/* SPDX-License-Identifier: MIT */
/*
 * Host names to endpoints on libuv's threads: the loop never waits for DNS.
 */
#ifndef FIPSD_RESOLVER_H
#define FIPSD_RESOLVER_H

#include <uv.h>

#include "../libfips/event.h"

#define FIPSD_RESOLVE_MAX	64	/* questions at once */
#define FIPSD_RESOLVE_ADDRS	16	/* answers passed on */

struct fipsd_query;

/**
 * struct fipsd_resolver - questions in flight
 * @loop: borrowed
 * @answer: FIPS_EV_RESOLVED, on the loop's thread
 * @ctx: passed to @answer
 * @queries: list
 * @count: their number
 */
struct fipsd_resolver {
	uv_loop_t *loop;
	void (*answer)(void *ctx, const struct fips_event *ev);
	void *ctx;
	struct fipsd_query *queries;
	size_t count;
};

void fipsd_resolver_init(struct fipsd_resolver *r, uv_loop_t *loop,
			 void (*answer)(void *ctx, const struct fips_event *ev), void *ctx);

/* 0: @answer comes later, with @query. -EBUSY, -ENOMEM, or libuv's error. */
int fipsd_resolver_ask(struct fipsd_resolver *r, u32 query, const char *host, u16 port);

/* No answer comes any more; requests end as the loop runs on. */
void fipsd_resolver_stop(struct fipsd_resolver *r);

/* A socket address as a transport address; false for other families. */
bool fipsd_taddr_from_sockaddr(struct fips_taddr *out, const struct sockaddr *sa);
/* 0 for what is no IP endpoint. */
socklen_t fipsd_taddr_to_sockaddr(const struct fips_taddr *a, struct sockaddr_storage *ss);

#endif /* FIPSD_RESOLVER_H */
