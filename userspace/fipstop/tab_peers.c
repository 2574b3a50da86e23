// SPDX-License-Identifier: MIT
/* Tabs Peers, Transports, Sessions, Performance. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../fipsctl/reply.h"
#include "fipstop.h"

static bool truth(const json_t *obj, const char *key)
{
	return json_is_true(json_object_get(obj, key));
}

static void cell_bytes(struct top *t, const json_t *obj, const char *key, const char *per)
{
	double v = top_real(obj, key);
	char text[FIPSCTL_TEXT];

	top_num(t, v, "%s%s", fipsctl_bytes(isnan(v) || v < 0 ? 0 : (uint64_t)v, text), per);
}

static void cell_real(struct top *t, const json_t *obj, const char *key, double scale,
		      const char *fmt_unit)
{
	top_num(t, top_real(obj, key) * scale, "%.1f%s", top_real(obj, key) * scale, fmt_unit);
}

/* ---- peers ---- */

static int peer_group(const json_t *p)
{
	return truth(p, "is_parent") ? 0 : truth(p, "is_child") ? 1 : 2;
}

static enum top_style peer_style(const json_t *p)
{
	double loss = top_real(json_object_get(p, "mmp"), "loss_rate");

	if (strcmp(str(p, "connectivity"), "connected"))
		return STYLE_BAD;
	if (loss > 0.05)
		return STYLE_WARN;
	return truth(p, "is_parent") ? STYLE_GOOD : STYLE_NORMAL;
}

static void peer_row(struct top *t, const json_t *p)
{
	static const char *const roles[] = { "parent", "child", "peer" };
	const json_t *m = json_object_get(p, "mmp"), *s = json_object_get(p, "stats");

	top_cell(t, "%.18s", str(p, "display_name"));
	top_cell(t, "%s", roles[peer_group(p)]);
	top_cell(t, "%s", str(p, "transport_type"));
	top_cell(t, "%s", !strcmp(str(p, "direction"), "inbound") ? "in" : "out");
	cell_real(t, m, "srtt_ms", 1, " ms");
	cell_real(t, m, "loss_rate", 100, " %");
	top_num(t, top_real(m, "lqi"), "%.2f", top_real(m, "lqi"));
	top_num(t, top_real(p, "effective_depth"), "%.1f", top_real(p, "effective_depth"));
	cell_bytes(t, m, "goodput_bps", "/s");
	top_num(t, top_real(s, "packets_sent"), "%.0f", top_real(s, "packets_sent"));
	top_num(t, top_real(s, "packets_recv"), "%.0f", top_real(s, "packets_recv"));
	top_row(t, str(p, "npub"), p, peer_style(p), peer_group(p));
}

void top_tab_peers(struct top *t)
{
	static const char *const titles[] = {
		"name", "is", "over", "dir", ">SRTT", ">loss", ">LQI", ">depth", ">goodput",
		">sent", ">received", NULL
	};
	const json_t *list = json_object_get(top_get(t, "show_peers"), "peers");
	size_t i;

	top_grid(t, titles);
	for (i = 0; i < json_array_size(list); i++)
		peer_row(t, json_array_get(list, i));
	top_grid_end(t, "no peers");
}

/* ---- transports: a tree of them and their links ---- */

static const char *link_peer(struct top *t, uint64_t link_id)
{
	const json_t *list = json_object_get(top_get(t, "show_peers"), "peers"), *p;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		p = json_array_get(list, i);
		if (num(p, "link_id") == link_id)
			return str(p, "display_name");
	}
	return "-";
}

static void traffic(struct top *t, const json_t *obj)
{
	const json_t *s = json_object_get(obj, "stats");

	cell_bytes(t, s, "bytes_sent", "");
	cell_bytes(t, s, "bytes_recv", "");
	top_num(t, top_real(s, "packets_sent"), "%.0f", top_real(s, "packets_sent"));
	top_num(t, top_real(s, "packets_recv"), "%.0f", top_real(s, "packets_recv"));
}

static void transport_links(struct top *t, uint64_t id, int group)
{
	const json_t *list = json_object_get(top_get(t, "show_links"), "links"), *l;
	char key[TOP_KEY];
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		l = json_array_get(list, i);
		if (num(l, "transport_id") != id)
			continue;
		top_cell(t, "  +- link %llu, %s", (unsigned long long)num(l, "link_id"),
			 str(l, "direction"));
		top_cell(t, "%s", str(l, "state"));
		top_cell(t, "%s", str(l, "remote_addr"));
		top_cell(t, "%.20s", link_peer(t, num(l, "link_id")));
		traffic(t, l);
		snprintf(key, sizeof(key), "link %llu", (unsigned long long)num(l, "link_id"));
		top_row(t, key, l, STYLE_NORMAL, group);
	}
}

void top_tab_transports(struct top *t)
{
	static const char *const titles[] = {
		"transport", "state", "address", "peer", ">sent", ">received", ">out", ">in", NULL
	};
	const json_t *list = json_object_get(top_get(t, "show_transports"), "transports"), *x;
	char key[TOP_KEY], mark[32];
	size_t i;

	top_grid(t, titles);
	for (i = 0; i < json_array_size(list); i++) {
		bool open, up;

		x = json_array_get(list, i);
		snprintf(mark, sizeof(mark), " %llu ", (unsigned long long)num(x, "transport_id"));
		open = strstr(t->open, mark);
		up = !strcmp(str(x, "state"), "up");
		top_cell(t, "%c %s%s%s", open ? '-' : '+', str(x, "type"),
			 json_object_get(x, "name") ? "/" : "",
			 json_object_get(x, "name") ? str(x, "name") : "");
		top_cell(t, "%s", str(x, "state"));
		top_cell(t, "%s", str(x, "local_addr"));
		top_cell(t, "MTU %llu", (unsigned long long)num(x, "mtu"));
		traffic(t, x);
		snprintf(key, sizeof(key), "transport%s", mark);
		top_row(t, key, x, up ? STYLE_GOOD : STYLE_BAD, (int)(2 * i));
		if (open)
			transport_links(t, num(x, "transport_id"), (int)(2 * i + 1));
	}
	top_grid_end(t, "no transports");
}

/* ---- sessions ---- */

void top_tab_sessions(struct top *t)
{
	static const char *const titles[] = {
		"name", "remote", "state", "role", ">SRTT", ">loss", ">SQI", ">path MTU",
		">last activity", NULL
	};
	const json_t *list = json_object_get(top_get(t, "show_sessions"), "sessions"), *s, *m;
	char text[FIPSCTL_TEXT];
	size_t i;

	top_grid(t, titles);
	for (i = 0; i < json_array_size(list); i++) {
		s = json_array_get(list, i);
		m = json_object_get(s, "mmp");
		top_cell(t, "%.18s", str(s, "display_name"));
		top_cell(t, "%.8s", str(s, "remote_addr"));
		top_cell(t, "%s", str(s, "state"));
		top_cell(t, "%s", truth(s, "is_initiator") ? "initiator" : "responder");
		cell_real(t, m, "srtt_ms", 1, " ms");
		cell_real(t, m, "loss_rate", 100, " %");
		top_num(t, top_real(m, "sqi"), "%.2f", top_real(m, "sqi"));
		top_num(t, top_real(m, "path_mtu"), "%.0f", top_real(m, "path_mtu"));
		top_num(t, (double)num(s, "last_activity_ms"), "%s",
			fipsctl_ago(num(s, "last_activity_ms"), text));
		top_row(t, str(s, "remote_addr"), s, strcmp(str(s, "state"), "established") ?
			STYLE_WARN : STYLE_NORMAL, 0);
	}
	top_grid_end(t, "no sessions");
}

/* ---- performance ---- */

static const char *arrow(const struct top *t, const json_t *m, const char *key)
{
	const char *trend = str(m, key);

	if (!strcmp(trend, "rising"))
		return t->utf8 ? "↑" : "^";
	if (!strcmp(trend, "falling"))
		return t->utf8 ? "↓" : "v";
	return *trend == 's' ? (t->utf8 ? "→" : "=") : " ";
}

static void layer(struct top *t, const json_t *list, const char *who, const char *key, bool link)
{
	static const char *const link_titles[] = {
		"name", "mode", ">SRTT", ">loss", ">ETX", ">LQI", ">goodput", "trends", NULL
	};
	static const char *const session_titles[] = {
		"name", "mode", ">SRTT", ">loss", ">ETX", ">SQI", ">path MTU", "trends", NULL
	};
	const char *index = link ? "lqi" : "sqi";
	char id[TOP_KEY];
	size_t i;

	top_add(t, STYLE_HEAD, " %s", link ? "Links" : "Sessions");
	top_grid(t, link ? link_titles : session_titles);
	for (i = 0; i < json_array_size(list); i++) {
		const json_t *e = json_array_get(list, i), *m = json_object_get(e, key);

		top_cell(t, "%.24s", str(e, "display_name"));
		top_cell(t, "%s", str(e, "mode"));
		cell_real(t, m, "srtt_ms", 1, " ms");
		cell_real(t, m, "loss_rate", 100, " %");
		top_num(t, top_real(m, "etx"), "%.2f", top_real(m, "etx"));
		top_num(t, top_real(m, index), "%.2f", top_real(m, index));
		if (link)
			cell_bytes(t, m, "goodput_bps", "/s");
		else
			top_num(t, top_real(m, "path_mtu"), "%.0f", top_real(m, "path_mtu"));
		top_cell(t, "rtt%s loss%s %s%s", arrow(t, m, "rtt_trend"),
			 arrow(t, m, "loss_trend"), link ? "goodput" : "etx",
			 arrow(t, m, link ? "goodput_trend" : "etx_trend"));
		snprintf(id, sizeof(id), "%c %.70s", link ? 'l' : 's', str(e, who));
		top_row(t, id, e, top_real(m, "loss_rate") > 0.05 ? STYLE_WARN : STYLE_NORMAL, 0);
	}
	top_grid_end(t, link ? "no links" : "no sessions");
}

void top_tab_performance(struct top *t)
{
	const json_t *d = top_get(t, "show_mmp");

	layer(t, json_object_get(d, "peers"), "peer", "link_layer", true);
	top_add(t, STYLE_NORMAL, "%s", "");
	layer(t, json_object_get(d, "sessions"), "remote", "session_layer", false);
}
