/* SPDX-License-Identifier: MIT */
/*
 * UDP transports (spec 10 §2): sockets that the daemon opens and binds and then
 * lends to the data plane. What the provider leaves on them, handshakes, is
 * read here.
 */
#ifndef FIPSD_UDP_H
#define FIPSD_UDP_H

#include <uv.h>

#include "../libfips/provider.h"
#include "config.h"
#include "log.h"

/* States of spec 10 §1.6 */
enum fipsd_transport_state {
	FIPSD_TRANSPORT_CONFIGURED,
	FIPSD_TRANSPORT_STARTING,
	FIPSD_TRANSPORT_UP,
	FIPSD_TRANSPORT_DOWN,
	FIPSD_TRANSPORT_FAILED,
};

/* Counters of spec 13 §5.11; handshakes only, the provider counts the rest. */
struct fipsd_udp_stats {
	u64 packets_sent;
	u64 bytes_sent;
	u64 packets_recv;
	u64 bytes_recv;
	u64 send_errors;
	u64 recv_errors;
	u64 mtu_exceeded;
	u64 kernel_drops;
};

/**
 * struct fipsd_udp - one socket, one transport of the node
 * @info: as the node knows it
 * @fd: socket, or -1
 * @state: life cycle
 * @stats: handshake traffic
 * @poll: reads, unless the provider does
 */
struct fipsd_udp {
	struct fips_transport_info info;
	int fd;
	enum fipsd_transport_state state;
	struct fipsd_udp_stats stats;
	struct fipsd_udps *set;
	uv_poll_t *poll;
};

/**
 * struct fipsd_udps - all of them
 * @loop: borrowed
 * @log: borrowed
 * @prov: provider to lend to
 * @dp: its state
 * @event: to the node
 * @ctx: passed to @event
 * @v: transports in the order of their ids
 * @n: their number
 * @failed: instances that could not start
 */
struct fipsd_udps {
	uv_loop_t *loop;
	const struct fipsd_log *log;
	const struct fips_provider *prov;
	void *dp;
	void (*event)(void *ctx, const struct fips_event *ev);
	void *ctx;
	struct fipsd_udp *v;
	size_t n;
	size_t failed;
};

/**
 * fipsd_udps_start() - open every configured instance
 * @set: first six members set, the rest zero
 * @cfg: configuration
 *
 * An instance that fails is logged and counted, and the others go on.
 *
 * Return: number of transports that are up, or -ENOMEM.
 */
int fipsd_udps_start(struct fipsd_udps *set, const struct fips_config *cfg);

/* Take the sockets back and close them. */
void fipsd_udps_stop(struct fipsd_udps *set);

/* State and counters into the log. */
void fipsd_udps_dump(const struct fipsd_udps *set);

/* Send a handshake. 0 or a negative errno. */
int fipsd_udp_send(struct fipsd_udps *set, u32 id, const struct fips_taddr *to, const void *data,
		   size_t len);

struct fipsd_udp *fipsd_udp_find(const struct fipsd_udps *set, u32 id);
const char *fipsd_transport_state_name(enum fipsd_transport_state state);

#endif /* FIPSD_UDP_H */
