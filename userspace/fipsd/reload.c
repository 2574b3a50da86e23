// SPDX-License-Identifier: MIT
/*
 * The configuration while the daemon runs. Order of a reload: the file is read
 * and checked beside the old configuration; what can't change is put back into
 * the new one; then the new one is the daemon's, and everybody is told.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "config_diff.h"
#include "daemon.h"
#include "notify.h"
#include "reload.h"

/* ---- peers ---- */

static size_t fill_addrs(const struct fips_cfg_peer *peer, struct fips_peer_addr *out)
{
	size_t i;

	for (i = 0; i < peer->addresses.n; i++) {
		const struct fips_cfg_addr *a = fips_cfg_addr(peer, i);

		out[i] = (struct fips_peer_addr){ a->transport, a->addr, a->priority };
	}
	return i;
}

int fipsd_peers_apply(struct fipsd *d, const struct fips_config *cfg)
{
	struct fips_clock now = fipsd_clock();
	struct fips_peer_config *peers;
	struct fips_peer_addr *pa;
	size_t i, n = 0, addrs = 0;
	int ret = -ENOMEM;

	for (i = 0; i < cfg->peers.n; i++)
		addrs += fips_cfg_peer(cfg, i)->addresses.n;
	peers = calloc(cfg->peers.n + 1, sizeof(*peers));
	pa = calloc(addrs + 1, sizeof(*pa));
	for (i = 0, addrs = 0; peers && pa && i < cfg->peers.n; i++) {
		const struct fips_cfg_peer *peer = fips_cfg_peer(cfg, i);

		if (!peer->usable)
			continue;
		peers[n++] = (struct fips_peer_config){
			.id = peer->id,
			.alias = peer->alias,
			.addrs = &pa[addrs],
			.addr_count = peer->addresses.n,
			.policy = peer->connect_policy,
			.auto_reconnect = peer->auto_reconnect,
		};
		addrs += fill_addrs(peer, &pa[addrs]);
	}
	if (peers && pa)
		ret = fips_node_set_peers(d->node, &now, peers, n);
	free(peers);
	free(pa);
	return ret;
}

/* ---- values ---- */

void fipsd_timing(const struct fipsd *d, const struct fips_config *cfg, struct fips_node_timing *t)
{
	const struct fips_cfg_u64list *list = &cfg->attempt_timeouts_secs;
	u32 i;

	*t = cfg->timing;
	for (i = 0; i < list->n && i < FIPS_LOOKUP_ATTEMPTS_MAX; i++)
		t->lookup.attempt_timeouts_secs[i] = list->v[i];
	if (i)
		t->lookup.attempts = i;
	if (list->n > FIPS_LOOKUP_ATTEMPTS_MAX)
		fipsd_log(&d->log, FIPS_LOG_WARN,
			  "lookup.attempt_timeouts_secs: only the first %d are used",
			  FIPS_LOOKUP_ATTEMPTS_MAX);
	t->rate_limit.dh_cost_us = fipsd_dh_cost_us(&d->pk, &d->keypair);
}

/* ---- hooks: everybody who keeps something of the configuration ---- */

static int apply_log(struct fipsd *d, const struct fips_config *old)
{
	(void)old;
	fipsd_log_set_level(&d->log, d->cfg->log_level);
	return 0;
}

static int apply_timing(struct fipsd *d, const struct fips_config *old)
{
	struct fips_clock now = fipsd_clock();
	struct fips_node_timing t;

	(void)old;
	fipsd_timing(d, d->cfg, &t);
	fips_node_set_timing(d->node, &now, &t);
	return 0;
}

static int apply_hosts(struct fipsd *d, const struct fips_config *old)
{
	(void)old;
	return fipsd_hosts_reload(d);
}

static int apply_peers(struct fipsd *d, const struct fips_config *old)
{
	(void)old;
	return fipsd_peers_apply(d, d->cfg);
}

/* In this order: names before the peers that have them, rates before who is dialled. */
static const struct {
	const char *what;
	int (*apply)(struct fipsd *d, const struct fips_config *old);
} hooks[] = {
	{ "log level", apply_log },
	{ "rates and limits", apply_timing },
	{ "hosts and access lists", apply_hosts },
	{ "dns", fipsd_dns_reload },
	{ "peers", apply_peers },
};

/* ---- reload ---- */

struct outcome {
	struct fipsd *d;
	json_t *changed;
	json_t *restart;
};

static void on_difference(void *arg, const char *key, bool restart)
{
	struct outcome *o = arg;

	json_array_append_new(restart ? o->restart : o->changed, json_string(key));
	if (restart)
		fipsd_log(&o->d->log, FIPS_LOG_WARN, "reload: %s needs a restart, it stays as it was",
			  key);
	else
		fipsd_log(&o->d->log, FIPS_LOG_INFO, "reload: %s changed", key);
}

/* The secret itself is long gone: does the file's make the same node? */
static bool same_identity(const struct fipsd *d, const struct fips_config *cfg)
{
	struct fips_keypair kp;
	u8 sec[32];
	bool same = false;

	if (!cfg->nsec)
		return d->key_source != FIPS_KEY_FROM_CONFIG;
	if (fips_secret_parse(&d->pk, cfg->nsec, strlen(cfg->nsec), sec) >= 0 &&
	    !fips_keypair_from_secret(&kp, &d->pk, d->secrets, sec)) {
		same = !strcmp(kp.id.npub, d->keypair.id.npub);
		fips_keypair_destroy(&kp);
	}
	explicit_bzero(sec, sizeof(sec));
	return same;
}

static void take(struct fipsd *d, struct fips_config *cfg, struct outcome *o)
{
	struct fips_config *old = d->cfg;
	size_t i;

	if (!same_identity(d, cfg))
		on_difference(o, "node.identity.nsec", true);
	fips_config_wipe_secrets(cfg);
	fips_config_diff(old, cfg, on_difference, o);
	d->cfg = cfg;
	for (i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++) {
		int ret = hooks[i].apply(d, old);

		if (ret)
			fipsd_log(&d->log, FIPS_LOG_WARN, "reload: %s: %s", hooks[i].what,
				  strerror(-ret));
	}
	fips_config_free(old);
}

/* All messages to the log, the mistakes to the caller. */
static void tell(struct fipsd *d, const struct fips_report *rep, char *why, size_t why_len)
{
	size_t i, used = 0;

	for (i = 0; i < rep->count; i++) {
		const struct fips_message *m = &rep->msg[i];

		if (m->severity == FIPS_REPORT_NOTE)
			continue;
		fipsd_log_line(&d->log, m->severity == FIPS_REPORT_ERROR ? FIPS_LOG_ERROR :
			       FIPS_LOG_WARN, m->text);
		if (m->severity == FIPS_REPORT_ERROR && used < why_len)
			used += (size_t)snprintf(why + used, why_len - used, "%s%s",
						 used ? "; " : "", m->text);
	}
}

static void notify_begin(void)
{
	struct timespec ts;
	char text[80];

	clock_gettime(CLOCK_MONOTONIC, &ts);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu",
		 (unsigned long long)ts.tv_sec * 1000000 + (unsigned long long)ts.tv_nsec / 1000);
	fipsd_notify(text);
}

int fipsd_reload(struct fipsd *d, json_t **out, char *why, size_t why_len)
{
	struct outcome o = { .d = d, .changed = json_array(), .restart = json_array() };
	struct fips_report *rep = calloc(1, sizeof(*rep));
	struct fips_config *cfg = fips_config_new();
	int ret = rep && cfg && o.changed && o.restart ? 0 : -ENOMEM;

	notify_begin();
	snprintf(why, why_len, "%s", ret ? strerror(-ret) : "");
	if (!ret)
		ret = fips_config_find(cfg, d->config_path, &d->pk, rep);
	if (rep)
		tell(d, rep, why, why_len);
	if (!ret) {
		take(d, cfg, &o);
		fipsd_log(&d->log, FIPS_LOG_INFO, "configuration reloaded");
	} else {
		fipsd_log(&d->log, FIPS_LOG_ERROR, "reload failed, nothing has changed");
		fips_config_free(cfg);
	}
	if (!ret && out)
		*out = json_pack("{s:O, s:O}", "changed", o.changed, "restart", o.restart);
	json_decref(o.changed);
	json_decref(o.restart);
	if (rep)
		fips_report_clear(rep);
	free(rep);
	fipsd_notify("READY=1");
	return ret;
}
