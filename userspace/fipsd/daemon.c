// SPDX-License-Identifier: MIT
/*
 * Life of the daemon. Everything runs on one loop and one thread; the node's
 * ops are called from inside fips_node_event() and never call back into it.
 */
#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "daemon.h"
#include "notify.h"
#include "reload.h"
#include "version.h"

#define DRAIN_POLL_MS	20
#define SLOW_MS		200
#define SLOW_LOG_MS	10000

struct fips_clock fipsd_clock(void)
{
	struct timespec mono, wall;

	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_REALTIME, &wall);
	return (struct fips_clock){
		.mono_ms = (u64)mono.tv_sec * 1000 + (u64)mono.tv_nsec / 1000000,
		.wall_ms = (u64)wall.tv_sec * 1000 + (u64)wall.tv_nsec / 1000000,
	};
}

const char *fipsd_state_name(const struct fipsd *d)
{
	static const char *const names[] = {
		[FIPSD_CREATED] = "created",
		[FIPSD_STARTING] = "starting",
		[FIPSD_RUNNING] = "running",
		[FIPSD_DEGRADED] = "degraded",
		[FIPSD_DRAINING] = "draining",
		[FIPSD_FAILED] = "failed",
		[FIPSD_STOPPED] = "stopped",
	};

	return names[d->state];
}

void fipsd_display_name(const struct fipsd *d, const struct fips_node_addr *addr,
			const struct fips_identity *id, const char *alias, char *buf, size_t size)
{
	const struct fips_host *host = fips_hosts_by_addr(&d->hosts, addr);
	char npub[FIPS_SHORT_NPUB_SIZE], hex[FIPS_SHORT_ADDR_SIZE];

	fips_node_addr_shorten(addr, hex);
	if (id)
		fips_npub_shorten(id->npub, npub);
	snprintf(buf, size, "%s", host ? host->name : alias ? alias : id ? npub : hex);
}

static int rng_random(void *ctx, void *buf, size_t len)
{
	(void)ctx;
	randombytes_buf(buf, len);
	return 0;
}

/* ---- node ops ---- */

/* Everything waits while a callback runs: say so when one took long. */
static void measure(struct fipsd *d, const struct fips_clock *began, const char *what, int detail)
{
	u64 now = fipsd_clock().mono_ms, took = now - began->mono_ms;

	if (took < SLOW_MS || now - d->slow_logged < SLOW_LOG_MS)
		return;
	d->slow_logged = now;
	fipsd_log(&d->log, FIPS_LOG_WARN, "%s %d kept the loop for %llu ms", what, detail,
		  (unsigned long long)took);
}

static void daemon_event(void *ctx, const struct fips_event *ev)
{
	struct fipsd *d = ctx;
	struct fips_clock now = fipsd_clock();

	if (!d->node)
		return;
	fips_node_event(d->node, &now, ev);
	measure(d, &now, "event", ev->type);
}

static void on_wake(uv_timer_t *timer)
{
	struct fipsd *d = timer->data;
	struct fips_event ev = { .type = FIPS_EV_TIMER };
	struct fips_clock now = fipsd_clock();

	/* libuv's clock may be a hair ahead of ours. */
	if (now.mono_ms < d->wake_at) {
		uv_timer_start(&d->wake, on_wake, d->wake_at - now.mono_ms, 0);
		return;
	}
	d->wake_at = FIPS_NEVER;
	fips_node_event(d->node, &now, &ev);
	measure(d, &now, "timer", 0);
}

static void op_wake_at(void *ctx, u64 mono_ms)
{
	struct fipsd *d = ctx;
	u64 now = fipsd_clock().mono_ms;

	d->wake_at = mono_ms;
	if (mono_ms == FIPS_NEVER) {
		uv_timer_stop(&d->wake);
		return;
	}
	/* The loop's cached time may be old when a callback takes long. */
	uv_update_time(&d->loop);
	uv_timer_start(&d->wake, on_wake, mono_ms > now ? mono_ms - now : 0, 0);
}

static int op_raw_send(void *ctx, u32 transport_id, const struct fips_taddr *to, const void *data,
		       size_t len)
{
	struct fipsd *d = ctx;

	return fipsd_udp_send(&d->udps, transport_id, to, data, len);
}

static int op_resolve(void *ctx, u32 query, const char *host, u16 port)
{
	struct fipsd *d = ctx;

	return fipsd_resolver_ask(&d->resolver, query, host, port);
}

static void op_log(void *ctx, enum fips_log_level level, const char *line)
{
	struct fipsd *d = ctx;

	fipsd_log_line(&d->log, level, line);
}

static const struct fips_node_ops node_ops = {
	.wake_at = op_wake_at,
	.raw_send = op_raw_send,
	.resolve = op_resolve,
	.log = op_log,
};

static void prov_log(void *ctx, int level, const char *line)
{
	op_log(ctx, (enum fips_log_level)level, line);
}

/* ---- identity ---- */

static void keyfile_warn(void *ctx, const char *sentence)
{
	struct fipsd *d = ctx;

	fipsd_log_line(&d->log, FIPS_LOG_WARN, sentence);
}

static int identity_init(struct fipsd *d)
{
	static const char *const sources[] = {
		[FIPS_KEY_FROM_CONFIG] = "from the configuration",
		[FIPS_KEY_FROM_FILE] = "from fips.key",
		[FIPS_KEY_CREATED] = "new, kept in fips.key",
		[FIPS_KEY_EPHEMERAL] = "new, for this run only",
	};
	struct fips_keyfile_env env = { .pk = &d->pk, .warn = keyfile_warn, .ctx = d };
	struct fips_keyfile_config kc = {
		.nsec = d->cfg->nsec,
		.persistent = d->cfg->persistent,
		.dir = d->cfg->dir,
	};
	int ret;

	ret = fips_secrets_new(&d->secrets);
	if (ret)
		return ret;
	env.secrets = d->secrets;
	env.rng = d->rng;
	ret = fips_keyfile_resolve(&env, &kc, &d->keypair, &d->key_source);
	if (ret) {
		fipsd_log(&d->log, FIPS_LOG_ERROR, "no identity: %s", env.error);
		return ret;
	}
	fipsd_log(&d->log, FIPS_LOG_INFO, "identity %s (%s)", d->keypair.id.npub,
		  sources[d->key_source]);
	if (!fips_secrets_locked(d->secrets))
		fipsd_log(&d->log, FIPS_LOG_WARN,
			  "secrets can't be locked into memory (RLIMIT_MEMLOCK)");
	return 0;
}

static void identity_stop(struct fipsd *d)
{
	if (d->keypair.secrets)
		fips_keypair_destroy(&d->keypair);
	fips_secrets_destroy(d->secrets);
	d->secrets = NULL;
}

/* ---- data plane ---- */

static int dataplane_try(struct fipsd *d, const struct fips_provider *prov, bool tun, char *why,
			 size_t why_len)
{
	struct fips_provider_host host = { .event = daemon_event, .log = prov_log, .ctx = d };
	struct fips_provider_config pc = {
		.ifname = d->cfg->tun.name,
		.tun_enabled = tun,
		.mtu = d->cfg->tun.mtu,
		.linger = d->cfg->linger_secs,
		.addr = d->keypair.id.addr,
	};
	int ret;

	memcpy(pc.ipv6, d->keypair.id.ipv6, sizeof(pc.ipv6));
	snprintf(why, why_len, "no reason given");
	ret = prov->open(&d->dp, &d->loop, &pc, &host, why, why_len);
	if (!ret)
		d->prov = prov;
	return ret;
}

static int dataplane_init(struct fipsd *d)
{
	bool tun = d->cfg->tun.enabled && fips_config_ifname_valid(d->cfg->tun.name);
	char why[256];
	int ret = -ENODEV;

	d->tun_failed = d->cfg->tun.enabled && !tun;

	if (d->cfg->dataplane != FIPS_DATAPLANE_USER) {
		ret = dataplane_try(d, &fips_provider_kernel, tun, why, sizeof(why));
		if (ret)
			fipsd_log(&d->log, d->cfg->dataplane == FIPS_DATAPLANE_AUTO ?
				  FIPS_LOG_INFO : FIPS_LOG_ERROR, "no kernel data plane: %s", why);
	}
	if (ret && d->cfg->dataplane != FIPS_DATAPLANE_KERNEL) {
		ret = dataplane_try(d, &fips_provider_user, tun, why, sizeof(why));
		if (ret && tun) {
			fipsd_log(&d->log, FIPS_LOG_WARN, "going on without %s: %s",
				  d->cfg->tun.name, why);
			d->tun_failed = true;
			ret = dataplane_try(d, &fips_provider_user, false, why, sizeof(why));
		}
		if (ret)
			fipsd_log(&d->log, FIPS_LOG_ERROR, "no user data plane: %s", why);
	}
	if (!ret)
		fipsd_log(&d->log, FIPS_LOG_INFO, "data plane: %s%s%s", d->prov->name,
			  tun && !d->tun_failed ? ", interface " : "",
			  tun && !d->tun_failed ? d->cfg->tun.name : "");
	return ret;
}

/* ---- node ---- */

static int node_init(struct fipsd *d)
{
	struct fips_node_setup setup = {
		.keypair = &d->keypair,
		.pk = &d->pk,
		.secrets = d->secrets,
		.rng = d->rng,
		.wall_ms = fipsd_clock().wall_ms,
		.ops = &node_ops,
		.ctx = d,
		.dp = d->prov->ops,
		.dp_ctx = d->dp,
	};
	int ret;

	fipsd_timing(d, d->cfg, &setup.timing);
	if (d->prov->inherited)
		d->prov->inherited(d->dp, setup.epoch);
	ret = fips_node_new(&setup, &d->node);
	if (ret)
		fipsd_log(&d->log, FIPS_LOG_ERROR, "cannot make the node: %s", strerror(-ret));
	return ret;
}

static int transports_init(struct fipsd *d)
{
	struct fips_clock now = fipsd_clock();
	int up;

	d->udps = (struct fipsd_udps){
		.loop = &d->loop,
		.log = &d->log,
		.prov = d->prov,
		.dp = d->dp,
		.event = daemon_event,
		.ctx = d,
	};
	up = fipsd_udps_start(&d->udps, d->cfg);
	if (up > 0) {
		if (d->prov->restore)
			d->prov->restore(d->dp, d->node, &now);
		return 0;
	}
	fipsd_log(&d->log, FIPS_LOG_ERROR, "no operational transports%s",
		  d->cfg->udp.n ? "" : ": the configuration has no transports.udp section");
	return -ENODEV;
}

static int control_init(struct fipsd *d)
{
	char why[256];
	int ret;

	if (!d->cfg->control.enabled)
		return 0;
	ret = fipsd_control_start(&d->control, d, d->control_path, why, sizeof(why));
	if (ret)
		fipsd_log(&d->log, FIPS_LOG_WARN, "no control socket: %s", why);
	return 0;	/* the daemon runs without one (spec 13 §3) */
}

/* ---- stop ---- */

static void finish(struct fipsd *d)
{
	uv_stop(&d->loop);
}

static void on_drain(uv_timer_t *timer)
{
	struct fipsd *d = timer->data;
	struct fips_clock now = fipsd_clock();
	struct fips_node_view view;

	fips_node_view(d->node, &now, &view);
	if (!view.peers || now.mono_ms >= d->drain_until)
		finish(d);
}

static void on_signal(uv_signal_t *sig, int signum)
{
	struct fipsd *d = sig->data;
	struct fips_clock now = fipsd_clock();

	if (d->state == FIPSD_DRAINING) {
		finish(d);
		return;
	}
	fipsd_log(&d->log, FIPS_LOG_INFO, "%s, stopping", strsignal(signum));
	fipsd_notify("STOPPING=1");
	d->state = FIPSD_DRAINING;
	if (!fips_node_drain(d->node, &now) || !d->cfg->timing.drain_timeout_secs) {
		finish(d);
		return;
	}
	d->drain_until = now.mono_ms + d->cfg->timing.drain_timeout_secs * 1000;
	uv_timer_start(&d->drain, on_drain, 0, DRAIN_POLL_MS);
}

static void on_reload(uv_signal_t *sig, int signum)
{
	struct fipsd *d = sig->data;
	char why[512];

	(void)signum;
	if (d->state != FIPSD_DRAINING)
		fipsd_reload(d, NULL, why, sizeof(why));
}

static void on_dump(uv_signal_t *sig, int signum)
{
	struct fipsd *d = sig->data;
	struct fips_clock now = fipsd_clock();
	struct fips_node_view v;

	(void)signum;
	fips_node_view(d->node, &now, &v);
	fipsd_log(&d->log, FIPS_LOG_INFO,
		  "dump: node %s: peers %zu, handshakes %zu, links %zu, sessions %zu, keys %zu",
		  fipsd_state_name(d), v.peers, v.legs, v.links, v.sessions, v.identities);
	fipsd_log(&d->log, FIPS_LOG_INFO,
		  "dump: data plane %s, %zu names asked, %zu hosts, %zu control clients",
		  d->prov->name, d->resolver.count, d->hosts.n,
		  d->control ? fipsd_control_clients(d->control) : 0);
	fipsd_udps_dump(&d->udps);
}

/* ---- all of it ---- */

static int loop_init(struct fipsd *d)
{
	int ret = uv_loop_init(&d->loop);

	if (ret)
		return ret;
	uv_timer_init(&d->loop, &d->wake);
	uv_timer_init(&d->loop, &d->drain);
	uv_signal_init(&d->loop, &d->sigterm);
	uv_signal_init(&d->loop, &d->sigint);
	uv_signal_init(&d->loop, &d->sighup);
	uv_signal_init(&d->loop, &d->sigusr1);
	d->wake.data = d;
	d->drain.data = d;
	d->sigterm.data = d;
	d->sigint.data = d;
	d->sighup.data = d;
	d->sigusr1.data = d;
	d->wake_at = FIPS_NEVER;
	fipsd_resolver_init(&d->resolver, &d->loop, daemon_event, d);
	return 0;
}

static void loop_stop(struct fipsd *d)
{
	uv_close((uv_handle_t *)&d->wake, NULL);
	uv_close((uv_handle_t *)&d->drain, NULL);
	uv_close((uv_handle_t *)&d->sigterm, NULL);
	uv_close((uv_handle_t *)&d->sigint, NULL);
	uv_close((uv_handle_t *)&d->sighup, NULL);
	uv_close((uv_handle_t *)&d->sigusr1, NULL);
	uv_run(&d->loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&d->loop))
		fipsd_log(&d->log, FIPS_LOG_WARN, "a handle was left on the loop");
}

static int start(struct fipsd *d)
{
	int ret;

	d->state = FIPSD_STARTING;
	d->started = fipsd_clock();
	d->rng.random = rng_random;
	ret = fips_pk_init(&d->pk, &d->rng);
	if (ret)
		return ret;
	ret = identity_init(d);
	fips_config_wipe_secrets(d->cfg);
	if (ret)
		return ret;
	ret = fipsd_names_init(d);
	if (!ret)
		ret = dataplane_init(d);
	if (!ret)
		ret = node_init(d);
	if (!ret)
		ret = transports_init(d);
	if (!ret)
		ret = fipsd_names_start(d);
	if (!ret)
		ret = fipsd_peers_apply(d, d->cfg);
	if (!ret)
		ret = control_init(d);
	if (ret)
		return ret;
	uv_signal_start(&d->sigterm, on_signal, SIGTERM);
	uv_signal_start(&d->sigint, on_signal, SIGINT);
	uv_signal_start(&d->sighup, on_reload, SIGHUP);
	uv_signal_start(&d->sigusr1, on_dump, SIGUSR1);
	d->state = d->tun_failed || d->udps.failed || fipsd_names_failed(d) ?
		   FIPSD_DEGRADED : FIPSD_RUNNING;
	return 0;
}

static void stop(struct fipsd *d)
{
	if (d->control)
		fipsd_control_stop(d->control);
	d->control = NULL;
	fipsd_names_stop(d);
	fipsd_resolver_stop(&d->resolver);
	uv_timer_stop(&d->wake);
	uv_timer_stop(&d->drain);
	fips_node_free(d->node);
	d->node = NULL;
	if (d->prov) {
		fipsd_udps_stop(&d->udps);
		d->prov->close(d->dp);
	}
	identity_stop(d);
	if (d->pk.ops)
		fips_pk_destroy(&d->pk);
}

int fipsd_run(struct fipsd *d)
{
	char ipv6[FIPS_IPV6_TEXT_SIZE];
	int ret;

	fipsd_log(&d->log, FIPS_LOG_INFO, "fipsd %s", fips_version());
	/* libuv writes to control clients that have left. */
	signal(SIGPIPE, SIG_IGN);
	if (sodium_init() < 0 || loop_init(d))
		return 1;
	ret = start(d);
	if (!ret) {
		fips_ipv6_format(d->keypair.id.ipv6, ipv6);
		fipsd_log(&d->log, FIPS_LOG_INFO, "node %s, address %s", fipsd_state_name(d), ipv6);
		fipsd_notify("READY=1");
		if (d->ready)
			d->ready(d->ready_ctx, 0);
		uv_run(&d->loop, UV_RUN_DEFAULT);
	} else {
		d->state = FIPSD_FAILED;
	}
	stop(d);
	loop_stop(d);
	if (!ret)
		fipsd_log(&d->log, FIPS_LOG_INFO, "stopped");
	d->state = FIPSD_STOPPED;
	return ret ? 1 : 0;
}
