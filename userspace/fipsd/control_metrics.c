// SPDX-License-Identifier: MIT
/* show_metrics: all families of counters at once; show_native_flows (spec 13 §5.14, §5.16). */
#include "control_json.h"
#include "control_show.h"
#include "daemon.h"

/* Nothing is open as long as there is no native API; clients rely on the keys. */
static json_t *native_stats(void)
{
	static const char *const names[] = {
		"flows_opened", "flows_accepted", "flows_closed", "flows_expired", "sent_datagrams",
		"sent_bytes", "received_datagrams", "received_bytes", "drop_no_port",
		"drop_backlog_full", "drop_too_many_flows", "drop_pending_queue_full",
		"drop_flow_queue_full", "drop_arrival_queue_full", "drop_listener_not_reading",
		"drop_listener_gone", "drop_oversize", NULL
	};
	json_t *obj = json_object();
	const char *const *name;

	for (name = names; *name; name++)
		put_int(obj, *name, 0);
	return obj;
}

json_t *fipsd_show_native_flows(struct fipsd *d)
{
	json_t *obj = json_object();

	(void)d;
	put(obj, "flows", json_array());
	put(obj, "listeners", json_array());
	put(obj, "stats", native_stats());
	return obj;
}

/* A family of another reply under its name here. */
static void move(json_t *to, const char *key, json_t *from, const char *old)
{
	json_object_set(to, key, json_object_get(from, old));
}

json_t *fipsd_show_metrics(struct fipsd *d)
{
	json_t *obj = json_object(), *routing = json_object();
	json_t *tree = fipsd_show_tree(d), *bloom = fipsd_show_bloom(d);

	fipsd_put_forwarding(d, obj);
	fipsd_show_routing_mesh(d, routing);
	move(obj, "lookup", routing, "lookup");
	move(obj, "discovery", routing, "discovery");
	move(obj, "errors", routing, "error_signals");
	move(obj, "tree", tree, "stats");
	move(obj, "bloom", bloom, "stats");
	put(obj, "congestion", fipsd_congestion(d));
	put(obj, "native", native_stats());
	json_decref(routing);
	json_decref(tree);
	json_decref(bloom);
	return obj;
}
