// SPDX-License-Identifier: MIT
/*
 * Dispatch of control commands (spec 13 §4.1, §5, §7).
 */
#include <errno.h>

#include "control_show.h"
#include "daemon.h"
#include "reload.h"

#define TIMEOUT_MS	5000

static const struct {
	const char *name;
	json_t *(*show)(struct fipsd *d);
} shows[] = {
	{ "show_status", fipsd_show_status },
	{ "show_peers", fipsd_show_peers },
	{ "show_links", fipsd_show_links },
	{ "show_sessions", fipsd_show_sessions },
	{ "show_connections", fipsd_show_connections },
	{ "show_transports", fipsd_show_transports },
	{ "show_routing", fipsd_show_routing },
	{ "show_identity_cache", fipsd_show_identity_cache },
	{ "show_tree", fipsd_show_tree },
	{ "show_bloom", fipsd_show_bloom },
	{ "show_cache", fipsd_show_cache },
	{ "show_mmp", fipsd_show_mmp },
	{ "show_acl", fipsd_show_acl },
	{ "show_dns", fipsd_show_dns },
};

/* A text parameter, or NULL and the message. */
static const char *text_param(const char *command, const json_t *params, const char *name,
			      char *why, size_t why_len)
{
	const json_t *value = json_object_get(params, name);

	if (!params)
		snprintf(why, why_len, "missing params for %s", command);
	else if (!json_is_string(value))
		snprintf(why, why_len, "missing '%s' parameter", name);
	else
		return json_string_value(value);
	return NULL;
}

static int command_connect(struct fipsd *d, const json_t *params, json_t **data, char *why,
			   size_t why_len)
{
	const char *npub, *address, *transport;
	struct fips_clock now = fipsd_clock();
	struct fips_peer_addr addr = { .priority = 100 };
	struct fips_identity id;
	char reason[256] = "";
	int ret;

	npub = text_param("connect", params, "npub", why, why_len);
	address = npub ? text_param("connect", params, "address", why, why_len) : NULL;
	transport = address ? text_param("connect", params, "transport", why, why_len) : NULL;
	if (!transport)
		return -EINVAL;
	ret = fips_identity_from_npub(&d->pk, npub, strlen(npub), &id);
	if (ret < 0) {
		snprintf(why, why_len, "invalid peer npub '%.100s': %s", npub,
			 fips_key_strerror(ret));
		return ret;
	}
	addr.transport = transport;
	addr.addr = address;
	ret = fips_node_connect(d->node, &now, &id, &addr, reason, sizeof(reason));
	if (ret < 0) {
		snprintf(why, why_len, "%s", *reason ? reason : strerror(-ret));
		return ret;
	}
	*data = json_pack("{s:s, s:s, s:s, s:b}", "npub", npub, "address", address, "transport",
			  transport, "refreshed", ret == 1);
	return 0;
}

static int command_disconnect(struct fipsd *d, const json_t *params, json_t **data, char *why,
			      size_t why_len)
{
	const char *npub = text_param("disconnect", params, "npub", why, why_len);
	struct fips_clock now = fipsd_clock();
	struct fips_identity id;
	int ret;

	if (!npub)
		return -EINVAL;
	ret = fips_identity_from_npub(&d->pk, npub, strlen(npub), &id);
	if (ret < 0) {
		snprintf(why, why_len, "invalid npub '%.100s': %s", npub, fips_key_strerror(ret));
		return ret;
	}
	ret = fips_node_disconnect(d->node, &now, &id.addr);
	if (ret) {
		snprintf(why, why_len, "peer not found: %s", npub);
		return ret;
	}
	*data = json_pack("{s:s, s:b}", "npub", npub, "disconnected", 1);
	return 0;
}

static int command_reload(struct fipsd *d, json_t **data, char *why, size_t why_len)
{
	if (d->state != FIPSD_DRAINING)
		return fipsd_reload(d, data, why, why_len);
	snprintf(why, why_len, "node shutting down");
	return -ESHUTDOWN;
}

static int dispatch(void *ctx, const char *name, const json_t *params, json_t **data, char *why,
		    size_t why_len)
{
	struct fipsd *d = ctx;
	size_t i;

	fipsd_hosts_refresh(d);
	for (i = 0; i < sizeof(shows) / sizeof(shows[0]); i++)
		if (!strcmp(name, shows[i].name)) {
			*data = shows[i].show(d);
			return 0;
		}
	if (!strcmp(name, "connect"))
		return command_connect(d, params, data, why, why_len);
	if (!strcmp(name, "disconnect"))
		return command_disconnect(d, params, data, why, why_len);
	if (!strcmp(name, "reload"))
		return command_reload(d, data, why, why_len);
	snprintf(why, why_len, "unknown command: %.200s", name);
	return -EOPNOTSUPP;
}

static const struct fipsd_control_ops ops = {
	.command = dispatch,
};

int fipsd_control_start(struct fipsd_control **out, struct fipsd *d, const char *path, char *why,
			size_t why_len)
{
	return fipsd_control_listen(out, &d->loop, path, &ops, d, TIMEOUT_MS, why, why_len);
}
