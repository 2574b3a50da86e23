/* SPDX-License-Identifier: MIT */
/*
 * How the daemon brings up and tears down a data plane. The node sees only
 * struct fips_dp_ops; transports and the device are the daemon's.
 */
#ifndef FIPS_PROVIDER_H
#define FIPS_PROVIDER_H

#include "event.h"

struct fips_node;

/**
 * struct fips_provider_host - what a provider asks of the daemon
 * @event: deliver an event to the node; on the loop's thread only
 * @log: one line; level as in node.h; any thread
 * @ctx: passed back
 */
struct fips_provider_host {
	void (*event)(void *ctx, const struct fips_event *ev);
	void (*log)(void *ctx, int level, const char *line);
	void *ctx;
};

/**
 * struct fips_provider_config - what to bring up
 * @ifname: `tun.name`
 * @tun_enabled: without it the kernel provider still makes its device, but gives it no address
 * @mtu: `tun.mtu`
 * @linger: seconds that kernel traffic outlives the daemon
 * @addr: own node address
 * @ipv6: own FIPS address
 */
struct fips_provider_config {
	const char *ifname;
	bool tun_enabled;
	u16 mtu;
	u32 linger;
	struct fips_node_addr addr;
	u8 ipv6[FIPS_IPV6_LEN];
};

/**
 * struct fips_provider - a data plane as the daemon handles it
 * @name: "kernel" or "user"
 * @ops: for the node
 * @owns_receive: the provider reads lent datagram sockets and raises FIPS_EV_RAW itself;
 *	otherwise the daemon reads what is left on them
 * @open: make the device, addresses and routes; @loop is a uv_loop_t; @why gets a sentence on
 *	failure
 * @transport_add: lend a bound datagram socket; it stays the daemon's to close after transport_del
 * @transport_del: take it back
 * @inherited: what a predecessor left is still at work; its startup epoch is written. NULL (as
 *	the next two): this data plane never outlives its daemon
 * @transport_take: descriptor of the socket a predecessor lent as @info->id, if it is bound to
 *	@info->local (any port for 0) and fits; else -ENOENT, and nothing of a predecessor stands
 *	in the way any more
 * @restore: hand inherited links and sessions to the node, whose transports are up
 * @close: undo everything; the device goes away
 *
 * All on the loop's thread. 0 or a negative errno.
 */
struct fips_provider {
	const char *name;
	const struct fips_dp_ops *ops;
	bool owns_receive;
	int (*open)(void **dp, void *loop, const struct fips_provider_config *cfg,
		    const struct fips_provider_host *host, char *why, size_t why_len);
	int (*transport_add)(void *dp, const struct fips_transport_info *info, int fd);
	int (*transport_del)(void *dp, u32 id);
	bool (*inherited)(void *dp, u8 *epoch);
	int (*transport_take)(void *dp, struct fips_transport_info *info);
	void (*restore)(void *dp, struct fips_node *n, const struct fips_clock *now);
	void (*close)(void *dp);
};

extern const struct fips_provider fips_provider_user;
extern const struct fips_provider fips_provider_kernel;

#endif /* FIPS_PROVIDER_H */
