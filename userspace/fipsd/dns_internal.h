/* SPDX-License-Identifier: MIT */
/* Shared by dns.c (life, UDP) and dns_tcp.c. */
#ifndef FIPSD_DNS_INTERNAL_H
#define FIPSD_DNS_INTERNAL_H

#include <netinet/in.h>

#include "dns.h"

struct dns_client;

/**
 * struct fipsd_dns - a responder
 * @fd: UDP socket, or -1
 * @local: address of both sockets
 * @mesh_ifindex: 0: the interface isn't there, nothing is filtered by it
 * @tcp_open: @tcp was initialised and isn't closed
 * @handles: open libuv handles; the last one frees the responder
 * @count: queries by outcome
 */
struct fipsd_dns {
	struct fipsd_dns_zone zone;
	struct fipsd_log *log;
	uv_poll_t poll;
	uv_tcp_t tcp;
	int fd;
	struct sockaddr_storage local;
	unsigned int mesh_ifindex;
	u8 mesh_ipv6[FIPS_IPV6_LEN];
	bool tcp_open;
	bool stopped;
	unsigned int handles;
	struct dns_client *clients;
	size_t n_clients;
	u64 count[FIPSD_DNS_OUTCOMES];
};

/* Bytes of the reply, 0 for none; counts. */
size_t dns_serve(struct fipsd_dns *dns, const void *query, size_t len, size_t max, u8 *reply);

/* A handle is closed. May free @dns. */
void dns_put(struct fipsd_dns *dns);

/* dns_tcp.c. On failure there is no TCP, and that is all. */
int dns_tcp_start(struct fipsd_dns *dns, uv_loop_t *loop);
void dns_tcp_stop(struct fipsd_dns *dns);

#endif /* FIPSD_DNS_INTERNAL_H */
