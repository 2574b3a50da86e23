// SPDX-License-Identifier: MIT
/* What each tab asks for (spec 13 §9.2). */
#include <stdio.h>
#include <string.h>

#include "fipstop.h"

#define ASKED	4

static const char *const asked[TABS][ASKED] = {
	[TAB_NODE] = { "show_listening_sockets" },
	[TAB_PEERS] = { "show_peers", "show_links", "show_transports" },
	[TAB_TRANSPORTS] = { "show_transports", "show_links", "show_peers" },
	[TAB_SESSIONS] = { "show_sessions" },
	[TAB_TREE] = { "show_tree", "show_peers", "show_cache" },
	[TAB_FILTERS] = { "show_bloom", "show_peers" },
	[TAB_PERFORMANCE] = { "show_mmp" },
	[TAB_ROUTING] = { "show_routing", "show_cache" },
	[TAB_GRAPHS] = { "show_stats_list", "show_stats_peers" },
};

static void ask(struct top *t, const struct fipsctl *ctl, const char *command, json_t *params)
{
	json_t *reply = fipsctl_request(ctl, command, params);

	if (reply)
		json_object_set_new(t->data, command, reply);
}

static json_t *window_params(const struct top *t)
{
	const char *granularity, *window = top_window(t, &granularity);

	return json_pack("{s:s, s:s}", "window", window, "granularity", granularity);
}

static void ask_graphs(struct top *t)
{
	json_t *params = window_params(t);
	const char *peer = top_graph_peer(t);

	if (t->mode == GRAPH_METRIC) {
		json_object_set_new(params, "metric", json_string(top_graph_metric(t)));
		ask(t, &t->ctl, "show_stats_history_all_peers", params);
		return;
	}
	if (t->mode == GRAPH_PEER && peer)
		json_object_set_new(params, "peer", json_string(peer));
	ask(t, &t->ctl, "show_stats_all_history", params);
}

void top_fetch(struct top *t)
{
	size_t i;

	json_object_clear(t->data);
	t->why[0] = '\0';
	ask(t, &t->ctl, "show_status", NULL);
	t->connected = top_get(t, "show_status");
	if (t->connected)
		for (i = 0; i < ASKED && asked[t->tab][i]; i++)
			ask(t, &t->ctl, asked[t->tab][i], NULL);
	if (t->connected && t->tab == TAB_GRAPHS)
		ask_graphs(t);
	if (t->tab == TAB_GATEWAY) {
		t->gateway_why[0] = '\0';
		ask(t, &t->gateway, "show_gateway", NULL);
		if (top_get(t, "show_gateway"))
			ask(t, &t->gateway, "show_mappings", NULL);
	}
}

const json_t *top_get(const struct top *t, const char *command)
{
	return json_object_get(t->data, command);
}

void top_disconnect(struct top *t, const char *npub)
{
	json_t *reply = fipsctl_request(&t->ctl, "disconnect", json_pack("{s:s}", "npub", npub));

	snprintf(t->message, sizeof(t->message), "%.60s", reply ? "disconnected" : t->why);
	json_decref(reply);
}
