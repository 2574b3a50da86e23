// SPDX-License-Identifier: MIT
/* Tabs Node and Gateway. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../fipsctl/reply.h"
#include "fipstop.h"

static void sparklines(struct top *t, const json_t *d)
{
	static const struct {
		const char *key;
		const char *name;
		bool bytes;
	} lines[] = {
		{ "bytes_in", "in", true },
		{ "bytes_out", "out", true },
		{ "peer_count", "peers", false },
		{ "mesh_size", "mesh size", false },
		{ "tree_depth", "depth", false },
		{ "loss_rate", "loss", false },
	};
	const json_t *all = json_object_get(d, "sparklines");
	char spark[160], text[FIPSCTL_TEXT];
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const json_t *v = json_object_get(all, lines[i].key);
		double last = json_number_value(json_array_get(v, json_array_size(v) - 1));

		top_spark(t, v, 30, spark, sizeof(spark));
		if (lines[i].bytes)
			top_add(t, STYLE_GRAPH, " %-14s %s  %s/s", lines[i].name, spark,
				fipsctl_bytes((uint64_t)last, text));
		else
			top_add(t, STYLE_GRAPH, " %-14s %s  %g", lines[i].name, spark, last);
	}
}

static void sockets(struct top *t)
{
	static const char *const titles[] = {
		"proto", "address", ">port", ">process", "name", "firewall", NULL
	};
	const json_t *d = top_get(t, "show_listening_sockets"), *s;
	char key[TOP_KEY];
	size_t i;

	top_add(t, STYLE_NORMAL, "%s", "");
	top_add(t, STYLE_HEAD, " Listening for the mesh%s", !d ||
		json_is_true(json_object_get(d, "firewall_active")) ? "" : " (no firewall)");
	top_grid(t, titles);
	for (i = 0; i < json_array_size(json_object_get(d, "sockets")); i++) {
		bool open;

		s = json_array_get(json_object_get(d, "sockets"), i);
		open = !strcmp(str(s, "filter"), "accept") ||
		       !strcmp(str(s, "filter"), "no_firewall");
		top_cell(t, "%s", str(s, "proto"));
		top_cell(t, "%s", str(s, "local_addr"));
		top_num(t, (double)num(s, "port"), "%llu", (unsigned long long)num(s, "port"));
		top_num(t, top_real(s, "pid"), "%llu", (unsigned long long)num(s, "pid"));
		top_cell(t, "%s", str(s, "process"));
		top_cell(t, "%s", str(s, "filter"));
		snprintf(key, sizeof(key), "%s %llu %llu", str(s, "proto"),
			 (unsigned long long)num(s, "port"), (unsigned long long)num(s, "pid"));
		top_row(t, key, s, open ? STYLE_WARN : STYLE_NORMAL, 0);
	}
	top_grid_end(t, "nobody");
}

void top_tab_node(struct top *t)
{
	const json_t *d = top_get(t, "show_status"), *dp = json_object_get(d, "dataplane");
	char a[FIPSCTL_TEXT], b[FIPSCTL_TEXT];
	double size = top_real(d, "estimated_mesh_size");

	top_fact(t, "npub", "%s", str(d, "npub"));
	top_fact(t, "address", "%s  %s", str(d, "ipv6_addr"), str(d, "node_addr"));
	top_fact(t, "state", "%s for %s, version %s, process %llu", str(d, "state"),
		 fipsctl_duration(num(d, "uptime_secs") * 1000, a), str(d, "version"),
		 (unsigned long long)num(d, "pid"));
	top_fact(t, "interface", "%s (%s), IPv6 MTU of paths %llu", str(d, "tun_name"),
		 str(d, "tun_state"), (unsigned long long)num(d, "effective_ipv6_mtu"));
	top_fact(t, "counts", "%llu peers, %llu links, %llu sessions, %llu handshakes",
		 (unsigned long long)num(d, "peer_count"), (unsigned long long)num(d, "link_count"),
		 (unsigned long long)num(d, "session_count"),
		 (unsigned long long)num(d, "connection_count"));
	if (isnan(size))
		top_fact(t, "mesh", "size not known yet, root %.8s%s", str(d, "root"),
			 json_is_true(json_object_get(d, "is_root")) ? " (this node)" : "");
	else
		top_fact(t, "mesh", "about %.0f nodes, root %.8s%s", size, str(d, "root"),
			 json_is_true(json_object_get(d, "is_root")) ? " (this node)" : "");
	if (dp)
		top_fact(t, "data plane", "%s, sent %s, received %s", str(dp, "provider"),
			 fipsctl_bytes(num(dp, "bytes_sent"), a),
			 fipsctl_bytes(num(dp, "bytes_recv"), b));
	top_counters(t, "forwarding", json_object_get(d, "forwarding"));
	sparklines(t, d);
	sockets(t);
}

/* ---- gateway ---- */

static void pool(struct top *t, const json_t *d)
{
	uint64_t total = num(d, "pool_total"), used = num(d, "pool_allocated");
	unsigned int percent = total ? (unsigned int)(100 * used / total) : 0, i;
	char bar[64] = "";

	for (i = 0; i < 50; i++)
		bar[i] = i < percent / 2 ? '#' : '.';
	bar[i] = '\0';
	top_add(t, percent > 90 ? STYLE_BAD : percent > 70 ? STYLE_WARN : STYLE_GOOD,
		" %-14s [%s] %u %% of %llu", "pool", bar, percent, (unsigned long long)total);
}

void top_tab_gateway(struct top *t)
{
	static const char *const titles[] = {
		"name", "virtual address", "mesh address", "state", ">sessions", ">age", NULL
	};
	const json_t *d = top_get(t, "show_gateway");
	const json_t *list = json_object_get(top_get(t, "show_mappings"), "mappings"), *m;
	char text[FIPSCTL_TEXT];
	size_t i;

	if (!d) {
		top_add(t, STYLE_DIM, " No gateway here: %s", t->gateway_why);
		return;
	}
	pool(t, d);
	top_fact(t, "network", "%s on %s", str(d, "pool_cidr"), str(d, "lan_interface"));
	top_fact(t, "names", "%s, asks %s", str(d, "dns_listen"), str(d, "dns_upstream"));
	top_grid(t, titles);
	for (i = 0; i < json_array_size(list); i++) {
		m = json_array_get(list, i);
		top_cell(t, "%s", str(m, "dns_name"));
		top_cell(t, "%s", str(m, "virtual_ip"));
		top_cell(t, "%s", str(m, "mesh_addr"));
		top_cell(t, "%s", str(m, "state"));
		top_num(t, top_real(m, "sessions"), "%llu", (unsigned long long)num(m, "sessions"));
		top_num(t, top_real(m, "age_secs"), "%s",
			fipsctl_duration(num(m, "age_secs") * 1000, text));
		top_row(t, str(m, "virtual_ip"), m, STYLE_NORMAL, 0);
	}
	top_grid_end(t, "no mappings");
}
