// SPDX-License-Identifier: MIT
/*
 * What the daemon knows about names. An answer of the responder makes the node
 * known before it is sent; how many new ones a flood of queries can bring in is
 * bounded, so that none is pushed out before its time to live is over.
 */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../libfips/bucket.h"
#include "daemon.h"
#include "paths.h"

/**
 * struct fipsd_names - names of one daemon
 * @tick: looks at the files
 * @acl: access lists
 * @dns: responder, or NULL
 * @dns_failed: there should be one
 * @endpoint_path: where it is told to the resolver's set-up; empty: not
 * @fresh: how many more unknown nodes may be learnt
 * @fresh_rate: see @fresh
 * @hosts_changed: since the access lists were read
 */
struct fipsd_names {
	uv_timer_t tick;
	struct fipsd_acl acl;
	struct fipsd_dns *dns;
	bool dns_failed;
	char endpoint_path[FIPS_PATH_SIZE + 8];
	struct fips_bucket fresh;
	struct fips_bucket_rate fresh_rate;
	bool hosts_changed;
};

static void names_warn(void *ctx, const char *sentence)
{
	const struct fipsd *d = ctx;

	fipsd_log_line(&d->log, FIPS_LOG_WARN, sentence);
}

/* ---- hosts ---- */

/* Aliases first: the file overrides them (spec 12 §10). */
static int hosts_load(struct fipsd *d)
{
	size_t i;

	d->hosts.warn = names_warn;
	d->hosts.ctx = d;
	for (i = 0; i < d->cfg->peers.n; i++) {
		struct fips_cfg_peer *peer = fips_cfg_peer(d->cfg, i);

		if (peer->usable && peer->alias)
			fips_hosts_add(&d->hosts, peer->alias, &peer->id);
	}
	return fips_hosts_load(&d->hosts, &d->pk, FIPS_HOSTS_FILE);
}

static int hosts_again(struct fipsd *d)
{
	d->names->hosts_changed = true;
	fips_hosts_clear(&d->hosts);
	return hosts_load(d);
}

static void hosts_look(struct fipsd *d)
{
	if (!fips_hosts_stale(&d->hosts, FIPS_HOSTS_FILE))
		return;
	hosts_again(d);
	fipsd_log(&d->log, FIPS_LOG_INFO, "%s read again: %zu names", FIPS_HOSTS_FILE, d->hosts.n);
}

void fipsd_hosts_refresh(struct fipsd *d)
{
	u64 now = fipsd_clock().mono_ms;

	if (now - d->hosts_checked < d->cfg->tick_interval_secs * 1000)
		return;
	d->hosts_checked = now;
	hosts_look(d);
}

int fipsd_hosts_reload(struct fipsd *d)
{
	int ret = hosts_again(d);

	return ret ? ret : fipsd_acl_reload(d);
}

/* ---- access lists ---- */

static int acl_apply(struct fipsd *d)
{
	struct fips_clock now = fipsd_clock();
	const struct fips_acl *acl = &d->names->acl.acl;

	if (fips_acl_active(acl))
		fipsd_log(&d->log, FIPS_LOG_INFO,
			  "access lists: %s, %zu allowed and %zu denied by name",
			  fips_acl_mode(acl), acl->allow.n, acl->deny.n);
	return fips_node_set_acl(d->node, &now, acl);
}

int fipsd_acl_reload(struct fipsd *d)
{
	struct fipsd_names *names = d->names;
	bool was_active = fips_acl_active(&names->acl.acl);
	int ret;

	names->hosts_changed = false;
	ret = fipsd_acl_load(&names->acl, &d->hosts, &d->pk, false);
	if (ret)
		return ret;
	if (was_active && !fips_acl_active(&names->acl.acl))
		fipsd_log(&d->log, FIPS_LOG_INFO, "access lists: none any more");
	return acl_apply(d);
}

const struct fipsd_acl *fipsd_names_acl(const struct fipsd *d)
{
	return &d->names->acl;
}

/* ---- responder ---- */

static int dns_resolve(void *ctx, const char *label, size_t len, struct fips_identity *id)
{
	struct fipsd *d = ctx;

	hosts_look(d);
	return fips_hosts_resolve(&d->hosts, &d->pk, label, len, id);
}

static bool dns_learn(void *ctx, const struct fips_identity *id)
{
	struct fips_clock now = fipsd_clock();
	struct fipsd *d = ctx;
	struct fipsd_names *names = d->names;

	if (!fips_node_knows(d->node, id) &&
	    !fips_bucket_take(&names->fresh, &names->fresh_rate, now.mono_ms))
		return false;
	fips_node_learn(d->node, &now, id);
	return true;
}

/* Half of the cache within one time to live: what was answered is still there. */
static void dns_limit(struct fipsd *d)
{
	u64 half = d->cfg->timing.cache.identity_size / 2 + 1;
	u32 ttl = d->cfg->dns.ttl ? d->cfg->dns.ttl : 1;

	fips_bucket_rate_set(&d->names->fresh_rate, half / 2 + 1, (double)half / 2 / ttl);
	fips_bucket_init(&d->names->fresh, &d->names->fresh_rate, fipsd_clock().mono_ms);
}

/* For fips-dns-setup: one line, "ADDRESS PORT". */
static void endpoint_write(struct fipsd *d)
{
	char path[FIPS_PATH_SIZE], tmp[FIPS_PATH_SIZE + 16], addr[46];
	bool made;
	FILE *out;
	u16 port;

	snprintf(path, sizeof(path), "%s", d->control_path);
	snprintf(d->names->endpoint_path, sizeof(d->names->endpoint_path), "%s/dns",
		 dirname(path));
	snprintf(tmp, sizeof(tmp), "%s.new", d->names->endpoint_path);
	fipsd_dns_endpoint(d->names->dns, addr, &port);
	out = fips_make_parents(tmp, &made) ? NULL : fopen(tmp, "we");
	if (out)
		fprintf(out, "%s %u\n", addr, port);
	if (!out || fclose(out) || rename(tmp, d->names->endpoint_path))
		fipsd_log(&d->log, FIPS_LOG_WARN, "cannot write %s: %s", d->names->endpoint_path,
			  strerror(errno));
}

static void dns_stop(struct fipsd *d)
{
	struct fipsd_names *names = d->names;

	if (*names->endpoint_path)
		unlink(names->endpoint_path);
	*names->endpoint_path = '\0';
	fipsd_dns_stop(names->dns);
	names->dns = NULL;
}

static void dns_start(struct fipsd *d)
{
	struct fipsd_dns_setup setup = {
		.loop = &d->loop,
		.log = &d->log,
		.bind_addr = d->cfg->dns.bind_addr,
		.port = d->cfg->dns.port,
		.mesh_ifname = d->cfg->tun.name,
		.mesh_ipv6 = d->keypair.id.ipv6,
		.zone = { dns_resolve, dns_learn, d, d->cfg->dns.ttl },
	};
	char why[256];
	int ret;

	d->names->dns_failed = false;
	if (!d->cfg->dns.enabled)
		return;
	dns_limit(d);
	ret = fipsd_dns_start(&d->names->dns, &setup, why, sizeof(why));
	if (ret) {
		fipsd_log(&d->log, FIPS_LOG_WARN, "no DNS responder: %s", why);
		d->names->dns_failed = true;
		return;
	}
	endpoint_write(d);
}

int fipsd_dns_reload(struct fipsd *d, const struct fips_config *old)
{
	const struct fips_config *now = d->cfg;

	if (old->dns.enabled == now->dns.enabled && old->dns.port == now->dns.port &&
	    old->dns.ttl == now->dns.ttl && !strcmp(old->dns.bind_addr, now->dns.bind_addr))
		return 0;
	dns_stop(d);
	dns_start(d);
	return d->names->dns_failed ? -EADDRNOTAVAIL : 0;
}

const struct fipsd_dns *fipsd_names_dns(const struct fipsd *d)
{
	return d->names->dns;
}

/* ---- life ---- */

static void on_tick(uv_timer_t *timer)
{
	struct fipsd *d = timer->data;

	hosts_look(d);
	if (d->names->hosts_changed || fipsd_acl_stale(&d->names->acl))
		fipsd_acl_reload(d);
}

int fipsd_names_init(struct fipsd *d)
{
	struct fipsd_names *names = calloc(1, sizeof(*names));

	if (!names)
		return -ENOMEM;
	d->names = names;
	names->acl.allow.path = FIPS_ACL_ALLOW_FILE;
	names->acl.deny.path = FIPS_ACL_DENY_FILE;
	names->acl.warn = names_warn;
	names->acl.ctx = d;
	uv_timer_init(&d->loop, &names->tick);
	names->tick.data = d;
	hosts_load(d);
	return 0;
}

int fipsd_names_start(struct fipsd *d)
{
	u64 tick = d->cfg->tick_interval_secs ? d->cfg->tick_interval_secs * 1000 : 1000;
	int ret;

	fipsd_acl_load(&d->names->acl, &d->hosts, &d->pk, true);
	ret = acl_apply(d);
	if (ret)
		return ret;
	dns_start(d);
	uv_timer_start(&d->names->tick, on_tick, tick, tick);
	return 0;
}

bool fipsd_names_failed(const struct fipsd *d)
{
	return d->names->dns_failed;
}

static void on_tick_closed(uv_handle_t *handle)
{
	/* The timer is the first member. */
	free(handle);
}

void fipsd_names_stop(struct fipsd *d)
{
	if (!d->names)
		return;
	dns_stop(d);
	fipsd_acl_clear(&d->names->acl);
	fips_hosts_clear(&d->hosts);
	uv_close((uv_handle_t *)&d->names->tick, on_tick_closed);
	d->names = NULL;
}
