// SPDX-License-Identifier: MIT
/*
 * show_acl (spec 13 §5.17) and our show_dns.
 */
#include <stdlib.h>

#include "control_json.h"
#include "control_show.h"
#include "daemon.h"

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Texts of one file, sorted, none twice. NULL without memory. */
static json_t *sorted(const struct fipsd_acl_file *file, bool npubs)
{
	const char **v = malloc((file->n + 1) * sizeof(*v));
	json_t *list = json_array();
	size_t i;

	for (i = 0; v && i < file->n; i++)
		v[i] = npubs ? file->v[i].npub : file->v[i].token;
	if (v)
		qsort(v, file->n, sizeof(*v), compare);
	for (i = 0; v && i < file->n; i++)
		if (!i || strcmp(v[i - 1], v[i]))
			json_array_append_new(list, json_string(v[i]));
	free(v);
	return list;
}

/* Ours: how often, by when. */
static json_t *rejected(struct fipsd *d)
{
	struct fips_clock now = fipsd_clock();
	json_t *obj = json_object();
	struct fips_node_view v;

	fips_node_view(d->node, &now, &v);
	put_int(obj, "outbound_connect", v.counters.acl_outbound_connect);
	put_int(obj, "inbound_handshake", v.counters.acl_inbound_handshake);
	put_int(obj, "outbound_handshake", v.counters.acl_outbound_handshake);
	put_int(obj, "promotion", v.counters.acl_promotion);
	put_int(obj, "reload", v.counters.acl_reload);
	return obj;
}

json_t *fipsd_show_acl(struct fipsd *d)
{
	const struct fipsd_acl *acl = fipsd_names_acl(d);
	const struct fips_acl *lists = &acl->acl;
	json_t *obj = json_object();

	put_str(obj, "allow_file", acl->allow.path);
	put_str(obj, "deny_file", acl->deny.path);
	put_bool(obj, "enforcement_active", fips_acl_active(lists));
	put_str(obj, "effective_mode", fips_acl_mode(lists));
	put_str(obj, "default_decision", lists->deny.all && !lists->allow.all ? "deny" : "allow");
	put_bool(obj, "allow_all", lists->allow.all);
	put_bool(obj, "deny_all", lists->deny.all);
	put(obj, "allow_file_entries", sorted(&acl->allow, false));
	put(obj, "deny_file_entries", sorted(&acl->deny, false));
	put(obj, "allow_entries", sorted(&acl->allow, true));
	put(obj, "deny_entries", sorted(&acl->deny, true));
	put(obj, "rejected", rejected(d));
	return obj;
}

json_t *fipsd_show_dns(struct fipsd *d)
{
	const struct fipsd_dns *dns = fipsd_names_dns(d);
	json_t *obj = json_object(), *queries;
	struct fipsd_dns_view v;
	size_t i;

	put_bool(obj, "enabled", d->cfg->dns.enabled);
	put_bool(obj, "running", dns);
	put_int(obj, "hosts", d->hosts.n);
	if (!dns)
		return obj;
	fipsd_dns_view(dns, &v);
	put_str(obj, "listen", v.local);
	put_bool(obj, "tcp", v.tcp);
	put_int(obj, "tcp_clients", v.clients);
	put_int(obj, "ttl", d->cfg->dns.ttl);
	queries = json_object();
	for (i = 0; i < FIPSD_DNS_OUTCOMES; i++)
		put_int(queries, fipsd_dns_outcome_name((enum fipsd_dns_outcome)i), v.count[i]);
	put(obj, "queries", queries);
	return obj;
}
