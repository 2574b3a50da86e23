/* SPDX-License-Identifier: MIT */
/*
 * The daemon: owns the loop and everything that hangs on it, starts the
 * subsystems in order and stops them in reverse.
 */
#ifndef FIPSD_DAEMON_H
#define FIPSD_DAEMON_H

#include <uv.h>

#include "../libfips/keyfile.h"
#include "../libfips/provider.h"
#include "config.h"
#include "control.h"
#include "hosts.h"
#include "log.h"
#include "names.h"
#include "resolver.h"
#include "udp.h"

/* States of show_status (spec 13 §5.2) */
enum fipsd_state {
	FIPSD_CREATED,
	FIPSD_STARTING,
	FIPSD_RUNNING,
	FIPSD_DEGRADED,
	FIPSD_DRAINING,
	FIPSD_FAILED,
	FIPSD_STOPPED,
};

/**
 * struct fipsd - one daemon, one node
 *
 * @ready: called once the node runs, with 0, or when the start failed, with an exit code
 */
struct fipsd {
	uv_loop_t loop;
	struct fipsd_log log;
	struct fips_config *cfg;	/* replaced by a reload: keep no pointer into it */
	const char *config_path;	/* of -c, or NULL */
	char control_path[FIPS_PATH_SIZE];
	enum fipsd_state state;
	bool tun_failed;
	struct fips_clock started;

	struct fips_rng rng;
	struct fips_pk pk;
	struct fips_secrets *secrets;
	struct fips_keypair keypair;
	enum fips_key_source key_source;
	struct fips_hosts hosts;
	struct fipsd_names *names;

	const struct fips_provider *prov;
	void *dp;
	struct fips_node *node;
	struct fipsd_udps udps;
	struct fipsd_resolver resolver;
	struct fipsd_control *control;

	uv_timer_t wake;
	uv_timer_t drain;
	uv_signal_t sigterm;
	uv_signal_t sigint;
	uv_signal_t sighup;
	uv_signal_t sigusr1;
	u64 wake_at;
	u64 drain_until;
	u64 hosts_checked;	/* monotonic ms */
	u64 slow_logged;

	void (*ready)(void *ctx, int code);
	void *ready_ctx;
};

/**
 * fipsd_run() - start, run until a signal, stop
 * @d: @cfg, @config_path, @log, @control_path, @ready set, the rest zero
 *
 * Return: exit code (spec 12 §11).
 */
int fipsd_run(struct fipsd *d);

struct fips_clock fipsd_clock(void);
u32 fipsd_dh_cost_us(const struct fips_pk *pk, const struct fips_keypair *self);
const char *fipsd_state_name(const struct fipsd *d);

/* Text of spec 13 §5.1; @id and @alias may be NULL. */
void fipsd_display_name(const struct fipsd *d, const struct fips_node_addr *addr,
			const struct fips_identity *id, const char *alias, char *buf, size_t size);

#endif /* FIPSD_DAEMON_H */
