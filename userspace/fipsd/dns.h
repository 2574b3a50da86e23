/* SPDX-License-Identifier: MIT */
/*
 * The `.fips` responder: UDP and TCP on one port (spec 09 §10).
 */
#ifndef FIPSD_DNS_H
#define FIPSD_DNS_H

#include <uv.h>

#include "dns_answer.h"
#include "log.h"

#define FIPSD_DNS_TCP_CLIENTS	32
#define FIPSD_DNS_TCP_IDLE_MS	5000

struct fipsd_dns;

/**
 * struct fipsd_dns_setup - what a responder is made of
 * @loop: borrowed
 * @log: borrowed
 * @bind_addr: IPv4 or IPv6 address
 * @port: 0: the kernel chooses
 * @mesh_ifname: queries that come in over this interface are dropped
 * @mesh_ipv6: so are those that are sent to this address
 * @zone: copied
 */
struct fipsd_dns_setup {
	uv_loop_t *loop;
	struct fipsd_log *log;
	const char *bind_addr;
	u16 port;
	const char *mesh_ifname;
	const u8 *mesh_ipv6;
	struct fipsd_dns_zone zone;
};

/**
 * struct fipsd_dns_view - for the control socket
 * @local: "[::1]:5354"
 * @tcp: TCP is served, too
 * @clients: of TCP, now
 * @count: queries by their outcome
 */
struct fipsd_dns_view {
	char local[64];
	bool tcp;
	size_t clients;
	u64 count[FIPSD_DNS_OUTCOMES];
};

/**
 * fipsd_dns_start() - listen and answer
 * @out: written on success; end it with fipsd_dns_stop()
 * @setup: see there
 * @why: a sentence on failure
 * @why_len: size of @why
 *
 * Return: 0, -EINVAL (no address) or what bind(2) says. No TCP is only warned about.
 */
int fipsd_dns_start(struct fipsd_dns **out, const struct fipsd_dns_setup *setup, char *why,
		    size_t why_len);

/* Its memory goes as the loop runs on. NULL is fine. */
void fipsd_dns_stop(struct fipsd_dns *dns);

void fipsd_dns_view(const struct fipsd_dns *dns, struct fipsd_dns_view *v);

/* Where a resolver on this machine asks: an address without brackets, and the port. */
void fipsd_dns_endpoint(const struct fipsd_dns *dns, char addr[static 46], u16 *port);

#endif /* FIPSD_DNS_H */
