// SPDX-License-Identifier: MIT
/* fipsctl show: the daemon's replies as tables. */
#include <stdio.h>
#include <string.h>

#include "fipsctl.h"
#include "reply.h"

static void cell_stats(struct fipsctl_table *t, const json_t *obj)
{
	const json_t *s = json_object_get(obj, "stats");
	char text[FIPSCTL_TEXT];

	fipsctl_table_cell(t, "%s", fipsctl_bytes(num(s, "bytes_sent"), text));
	fipsctl_table_cell(t, "%s", fipsctl_bytes(num(s, "bytes_recv"), text));
	fipsctl_table_cell(t, "%llu", (unsigned long long)num(s, "packets_sent"));
	fipsctl_table_cell(t, "%llu", (unsigned long long)num(s, "packets_recv"));
}

#define STATS_TITLES	">sent", ">received", ">packets out", ">packets in"

static void show_status(const json_t *d)
{
	const json_t *dp = json_object_get(d, "dataplane");
	char a[FIPSCTL_TEXT], b[FIPSCTL_TEXT];

	printf("%-14s fipsd %s, process %llu, %s for %s\n", "daemon", str(d, "version"),
	       (unsigned long long)num(d, "pid"), str(d, "state"),
	       fipsctl_duration(num(d, "uptime_secs") * 1000, a));
	printf("%-14s %s\n", "npub", str(d, "npub"));
	printf("%-14s %s\n", "node address", str(d, "node_addr"));
	printf("%-14s %s\n", "IPv6 address", str(d, "ipv6_addr"));
	printf("%-14s %s\n", "identity kept", yes(d, "persistent"));
	printf("%-14s %s (%s), IPv6 MTU of paths %llu bytes\n", "interface", str(d, "tun_name"),
	       str(d, "tun_state"), (unsigned long long)num(d, "effective_ipv6_mtu"));
	printf("%-14s %llu peers, %llu links, %llu sessions, %llu handshakes, %llu transports\n",
	       "counts", (unsigned long long)num(d, "peer_count"),
	       (unsigned long long)num(d, "link_count"),
	       (unsigned long long)num(d, "session_count"),
	       (unsigned long long)num(d, "connection_count"),
	       (unsigned long long)num(d, "transport_count"));
	if (dp) {
		printf("%-14s %s, sent %s, received %s\n", "data plane", str(dp, "provider"),
		       fipsctl_bytes(num(dp, "bytes_sent"), a),
		       fipsctl_bytes(num(dp, "bytes_recv"), b));
		fipsctl_print_counters("dropped", json_object_get(dp, "drops"));
	}
	if (json_object_get(d, "handshakes"))
		fipsctl_print_counters("refused", json_object_get(d, "handshakes"));
	printf("%-14s %s\n", "control socket", str(d, "control_socket"));
}

static void show_peers(const json_t *d)
{
	static const char *const titles[] = {
		"peer", "IPv6 address", "path", "direction", "state", ">last seen", STATS_TITLES,
		NULL
	};
	struct fipsctl_table *t = fipsctl_table_new(titles);
	char text[FIPSCTL_TEXT];
	json_t *p;
	size_t i;

	json_array_foreach(json_object_get(d, "peers"), i, p) {
		fipsctl_table_cell(t, "%s", str(p, "display_name"));
		fipsctl_table_cell(t, "%s", str(p, "ipv6_addr"));
		fipsctl_table_cell(t, "%s %s", str(p, "transport_type"), str(p, "transport_addr"));
		fipsctl_table_cell(t, "%s", str(p, "direction"));
		fipsctl_table_cell(t, "%s", str(p, "connectivity"));
		fipsctl_table_cell(t, "%s", fipsctl_ago(num(p, "last_seen_ms"), text));
		cell_stats(t, p);
	}
	fipsctl_table_print(t, "no peers");
}

static void show_links(const json_t *d)
{
	static const char *const titles[] = {
		">link", ">transport", "remote address", "direction", "state", ">made",
		STATS_TITLES, NULL
	};
	struct fipsctl_table *t = fipsctl_table_new(titles);
	char text[FIPSCTL_TEXT];
	json_t *l;
	size_t i;

	json_array_foreach(json_object_get(d, "links"), i, l) {
		fipsctl_table_cell(t, "%llu", (unsigned long long)num(l, "link_id"));
		fipsctl_table_cell(t, "%llu", (unsigned long long)num(l, "transport_id"));
		fipsctl_table_cell(t, "%s", str(l, "remote_addr"));
		fipsctl_table_cell(t, "%s", str(l, "direction"));
		fipsctl_table_cell(t, "%s", str(l, "state"));
		fipsctl_table_cell(t, "%s", fipsctl_ago(num(l, "created_at_ms"), text));
		cell_stats(t, l);
	}
	fipsctl_table_print(t, "no links");
}

static void show_sessions(const json_t *d)
{
	static const char *const titles[] = {
		"with", "node address", "state", "role", ">path MTU", ">last activity",
		STATS_TITLES, NULL
	};
	struct fipsctl_table *t = fipsctl_table_new(titles);
	char text[FIPSCTL_TEXT];
	json_t *s;
	size_t i;

	json_array_foreach(json_object_get(d, "sessions"), i, s) {
		uint64_t mtu = num(s, "path_mtu");

		fipsctl_table_cell(t, "%s", str(s, "display_name"));
		fipsctl_table_cell(t, "%s", str(s, "remote_addr"));
		fipsctl_table_cell(t, "%s", str(s, "state"));
		fipsctl_table_cell(t, "%s", json_is_true(json_object_get(s, "is_initiator")) ?
				   "initiator" : "responder");
		if (mtu && mtu < 65535)
			fipsctl_table_cell(t, "%llu B", (unsigned long long)mtu);
		else
			fipsctl_table_cell(t, "unknown");
		fipsctl_table_cell(t, "%s", fipsctl_ago(num(s, "last_activity_ms"), text));
		cell_stats(t, s);
	}
	fipsctl_table_print(t, "no sessions");
}

static void show_connections(const json_t *d)
{
	static const char *const titles[] = {
		">link", "direction", "state", "expected peer", ">started", ">idle", ">resends",
		NULL
	};
	struct fipsctl_table *t = fipsctl_table_new(titles);
	char text[FIPSCTL_TEXT];
	json_t *c;
	size_t i;

	json_array_foreach(json_object_get(d, "connections"), i, c) {
		fipsctl_table_cell(t, "%llu", (unsigned long long)num(c, "link_id"));
		fipsctl_table_cell(t, "%s", str(c, "direction"));
		fipsctl_table_cell(t, "%s", str(c, "handshake_state"));
		fipsctl_table_cell(t, "%s", str(c, "expected_peer"));
		fipsctl_table_cell(t, "%s", fipsctl_ago(num(c, "started_at_ms"), text));
		fipsctl_table_cell(t, "%s", fipsctl_duration(num(c, "idle_ms"), text));
		fipsctl_table_cell(t, "%llu", (unsigned long long)num(c, "resend_count"));
	}
	fipsctl_table_print(t, "no handshakes in progress");
}

static void show_transports(const json_t *d)
{
	static const char *const titles[] = {
		">id", "type", "name", "state", ">MTU", "local address", STATS_TITLES, ">errors",
		NULL
	};
	struct fipsctl_table *t = fipsctl_table_new(titles);
	json_t *x;
	size_t i;

	json_array_foreach(json_object_get(d, "transports"), i, x) {
		const json_t *s = json_object_get(x, "stats");

		fipsctl_table_cell(t, "%llu", (unsigned long long)num(x, "transport_id"));
		fipsctl_table_cell(t, "%s", str(x, "type"));
		fipsctl_table_cell(t, "%s", str(x, "name"));
		fipsctl_table_cell(t, "%s", str(x, "state"));
		fipsctl_table_cell(t, "%llu B", (unsigned long long)num(x, "mtu"));
		fipsctl_table_cell(t, "%s", str(x, "local_addr"));
		cell_stats(t, x);
		fipsctl_table_cell(t, "%llu", (unsigned long long)(num(s, "send_errors") +
								  num(s, "recv_errors")));
	}
	fipsctl_table_print(t, "no transports");
}

static void show_routing(const json_t *d)
{
	static const char *const titles[] = { "retry of", ">failed", "next try", "kept up", NULL };
	struct fipsctl_table *t = fipsctl_table_new(titles);
	json_t *r;
	size_t i;

	printf("%-14s %llu\n", "identities", (unsigned long long)num(d, "identity_cache_entries"));
	printf("%-14s %llu, %zu looked for now\n", "coordinates",
	       (unsigned long long)num(d, "coord_cache_entries"),
	       json_array_size(json_object_get(d, "pending_lookups")));
	fipsctl_print_counters("lookups", json_object_get(d, "lookup"));
	fipsctl_print_counters("error signals", json_object_get(d, "error_signals"));
	fipsctl_print_counters("forwarding", json_object_get(d, "forwarding"));
	printf("\n");
	json_array_foreach(json_object_get(d, "retries"), i, r) {
		fipsctl_table_cell(t, "%s", str(r, "display_name"));
		fipsctl_table_cell(t, "%llu", (unsigned long long)num(r, "retry_count"));
		fipsctl_table_cell(t, "%llu", (unsigned long long)num(r, "retry_after_ms"));
		fipsctl_table_cell(t, "%s", yes(r, "auto_reconnect"));
	}
	fipsctl_table_print(t, "no retries scheduled");
}

static void show_identity_cache(const json_t *d)
{
	static const char *const titles[] = { "name", "npub", "IPv6 address", ">last seen", NULL };
	struct fipsctl_table *t = fipsctl_table_new(titles);
	char text[FIPSCTL_TEXT];
	json_t *e;
	size_t i;

	json_array_foreach(json_object_get(d, "entries"), i, e) {
		fipsctl_table_cell(t, "%s", str(e, "display_name"));
		fipsctl_table_cell(t, "%s", str(e, "npub"));
		fipsctl_table_cell(t, "%s", str(e, "ipv6_addr"));
		fipsctl_table_cell(t, "%s", fipsctl_ago(num(e, "last_seen_ms"), text));
	}
	fipsctl_table_print(t, "no identities known");
}

/* A real member with a unit; "-" while it is not known. */
static void cell_real(struct fipsctl_table *t, const json_t *obj, const char *key, double scale,
		      const char *unit)
{
	const json_t *v = json_object_get(obj, key);

	if (json_is_number(v))
		fipsctl_table_cell(t, "%.2f%s", json_number_value(v) * scale, unit);
	else
		fipsctl_table_cell(t, "-");
}

static void mmp_table(const json_t *list, const char *layer, const char *index, const char *none)
{
	const char *const titles[] = {
		"name", "mode", ">round trip", ">loss", ">ETX", index[0] == 'l' ? ">LQI" : ">SQI",
		">jitter", NULL
	};
	struct fipsctl_table *t = fipsctl_table_new(titles);
	json_t *e, *m;
	size_t i;

	json_array_foreach(list, i, e) {
		m = json_object_get(e, layer);
		fipsctl_table_cell(t, "%s", str(e, "display_name"));
		fipsctl_table_cell(t, "%s", str(e, "mode"));
		cell_real(t, m, "srtt_ms", 1, " ms");
		cell_real(t, m, "smoothed_loss", 100, " %");
		cell_real(t, m, "etx", 1, "");
		cell_real(t, m, index, 1, "");
		cell_real(t, m, "jitter_ms", 1, " ms");
	}
	fipsctl_table_print(t, none);
}

static void show_mmp(const json_t *d)
{
	mmp_table(json_object_get(d, "peers"), "link_layer", "lqi", "no peers");
	puts("");
	mmp_table(json_object_get(d, "sessions"), "session_layer", "sqi", "no sessions");
}

static void show_listening(const json_t *d)
{
	static const char *const titles[] = {
		"proto", "address", ">port", ">process", "name", "firewall", NULL
	};
	struct fipsctl_table *t = fipsctl_table_new(titles);
	json_t *s;
	size_t i;

	json_array_foreach(json_object_get(d, "sockets"), i, s) {
		fipsctl_table_cell(t, "%s", str(s, "proto"));
		fipsctl_table_cell(t, "%s", str(s, "local_addr"));
		fipsctl_table_cell(t, "%llu", (unsigned long long)num(s, "port"));
		fipsctl_table_cell(t, "%llu", (unsigned long long)num(s, "pid"));
		fipsctl_table_cell(t, "%s", str(s, "process"));
		fipsctl_table_cell(t, "%s", str(s, "filter"));
	}
	fipsctl_table_print(t, "nobody listens for the mesh");
}

/* Without a table the reply is shown as JSON. */
static const struct {
	const char *word;
	const char *command;
	void (*table)(const json_t *data);
} topics[] = {
	{ "status", "show_status", show_status },
	{ "peers", "show_peers", show_peers },
	{ "links", "show_links", show_links },
	{ "sessions", "show_sessions", show_sessions },
	{ "connections", "show_connections", show_connections },
	{ "transports", "show_transports", show_transports },
	{ "routing", "show_routing", show_routing },
	{ "identity-cache", "show_identity_cache", show_identity_cache },
	{ "tree", "show_tree", fipsctl_show_tree },
	{ "bloom", "show_bloom", fipsctl_show_bloom },
	{ "mmp", "show_mmp", show_mmp },
	{ "cache", "show_cache", fipsctl_show_cache },
	{ "native-flows", "show_native_flows", NULL },
	{ "listening-sockets", "show_listening_sockets", show_listening },
};

int fipsctl_show(const struct fipsctl *ctl, int argc, char **argv)
{
	json_t *data;
	size_t i;

	if (argc != 1)
		return fipsctl_usage("show takes one topic", NULL);
	for (i = 0; i < sizeof(topics) / sizeof(topics[0]); i++)
		if (!strcmp(argv[0], topics[i].word))
			break;
	if (i == sizeof(topics) / sizeof(topics[0]))
		return fipsctl_usage("unknown topic", argv[0]);
	data = fipsctl_request(ctl, topics[i].command, NULL);
	if (!data)
		return FIPSCTL_FAILED;
	if (ctl->json || !topics[i].table)
		fipsctl_print_json(data);
	else
		topics[i].table(data);
	json_decref(data);
	return 0;
}
