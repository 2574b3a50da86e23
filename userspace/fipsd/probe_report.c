// SPDX-License-Identifier: MIT
/* Report of a probe as JSON (spec 13 §7.3). */
#include <string.h>

#include "control_json.h"
#include "probe_impl.h"

static json_t *addr_json(const struct fips_node_addr *addr)
{
	char text[FIPS_NODE_ADDR_SIZE];

	fips_node_addr_format(addr, text);
	return json_string(text);
}

static json_t *coords_json(const struct fips_coords *c)
{
	json_t *array = json_array();
	u16 i;

	for (i = 0; i < c->count; i++)
		json_array_append_new(array, addr_json(&c->addr[i]));
	return array;
}

static bool verdict_is(const struct probe *p, enum probe_stage stage, const char *verdict)
{
	return p->out[stage].verdict && !strcmp(p->out[stage].verdict, verdict);
}

const char *probe_overall(const struct probe *p)
{
	if (p->cancelled)
		return "cancelled";
	if (!p->ended)
		return "running";
	if (verdict_is(p, PROBE_BLOOM, "failed") || verdict_is(p, PROBE_DISCOVERY, "failed") ||
	    verdict_is(p, PROBE_SESSION, "failed"))
		return "failed";
	return verdict_is(p, PROBE_RTT, "ok") ? "ok" : "partial";
}

static json_t *stage_json(const struct probe *p, enum probe_stage stage)
{
	const struct probe_outcome *o = &p->out[stage];
	json_t *obj = json_object();

	put_str(obj, "verdict", o->verdict ? o->verdict : o->began ? "running" : "pending");
	put(obj, "reason", o->reason ? json_string(o->reason) : json_null());
	put(obj, "detail", json_null());
	put(obj, "elapsed_ms", o->began && o->ended ?
	    json_integer((json_int_t)(o->ended - o->began)) : json_null());
	return obj;
}

static json_t *discovery_json(struct fipsd *d, const struct probe *p)
{
	const struct fips_cfg_u64list *list = &d->cfg->attempt_timeouts_secs;
	json_t *obj = stage_json(p, PROBE_DISCOVERY), *array = json_array();
	const char *source = p->coords_cached ? "cache" : p->look.coords ? "lookup" :
			     p->look.direct ? "direct_peer" : NULL;
	size_t i;

	for (i = 0; i < list->n; i++)
		json_array_append_new(array, json_integer((json_int_t)list->v[i]));
	put(obj, "source", source ? json_string(source) : json_null());
	put(obj, "attempts", p->look.lookup ? json_integer(p->look.attempt) : json_null());
	put(obj, "attempt_timeouts_secs", array);
	return obj;
}

static json_t *hop_json(struct fipsd *d, const struct probe_look *l)
{
	const char *class = l->next_parent ? "tree_up" : "crosslink_ascend";
	bool walk = l->next_parent || l->next_child;
	json_t *obj;
	char name[80];

	if (!l->hop)
		return json_null();
	if (l->next_child)
		class = fips_coords_has_ancestor(&l->theirs, &l->next.addr) ? "tree_down" :
									      "tree_down_cross";
	else if (!l->next_parent && l->next.coords.count > l->ours.count)
		class = "crosslink_descend";
	if (l->direct)
		class = "direct_peer";
	obj = json_object();
	fipsd_display_name(d, &l->next.addr, NULL, NULL, name, sizeof(name));
	put(obj, "node_addr", addr_json(&l->next.addr));
	put_str(obj, "display_name", name);
	put_str(obj, "class", class);
	put_bool(obj, "direct_peer", l->direct);
	put_bool(obj, "leaves_tree_walk", !walk);
	return obj;
}

static json_t *path_json(struct fipsd *d, const struct probe *p)
{
	const struct probe_look *l = &p->look;
	u32 distance = l->coords ? fips_coords_distance(&l->ours, &l->theirs) : FIPS_DISTANCE_INF;
	const struct fips_node_addr *lca = l->coords ? fips_coords_lca(&l->ours, &l->theirs) : NULL;
	int depth = lca ? fips_coords_lca_depth(&l->ours, &l->theirs) : -1;
	json_t *obj = stage_json(p, PROBE_PATH);

	put_bool(obj, "computed_locally", true);
	put_bool(obj, "observed", false);
	put_bool(obj, "coords_known", l->coords);
	put(obj, "our_coords", coords_json(&l->ours));
	put(obj, "their_coords", coords_json(&l->theirs));
	put(obj, "our_depth", l->ours.count ? json_integer(l->ours.count - 1) : json_null());
	put(obj, "their_depth", l->coords ? json_integer(l->theirs.count - 1) : json_null());
	put(obj, "same_root", l->coords ? json_boolean(lca) : json_null());
	put(obj, "lca", lca ? addr_json(lca) : json_null());
	put(obj, "lca_depth", lca ? json_integer(depth) : json_null());
	put(obj, "tree_hops_up", lca ? json_integer(l->ours.count - 1 - depth) : json_null());
	put(obj, "tree_hops_down", lca ? json_integer(l->theirs.count - 1 - depth) : json_null());
	put(obj, "tree_distance", distance == FIPS_DISTANCE_INF ? json_null() :
	    json_integer(distance));
	put(obj, "next_hop", hop_json(d, l));
	put(obj, "no_hop_reason", l->hop_why ? json_string(l->hop_why) : json_null());
	return obj;
}

static json_t *session_json(const struct probe *p)
{
	json_t *obj = stage_json(p, PROBE_SESSION);

	put_bool(obj, "preexisting", p->preexisting);
	put_bool(obj, "established", p->look.established);
	if (p->look.path_mtu && p->look.path_mtu < 65535)
		put_int(obj, "path_mtu", p->look.path_mtu);
	return obj;
}

static json_t *rtt_json(const struct probe *p)
{
	const struct fips_mmp_metrics *m = &p->look.mmp, *base = &p->base;
	json_t *obj = stage_json(p, PROBE_RTT);

	if (m->rtt_samples > base->rtt_samples)
		put_int(obj, "rtt_ms", m->last_rtt_ms);
	if (m->srtt.known)
		put_real(obj, "srtt_ms", (double)m->srtt.srtt / 1000.0);
	put_int(obj, "reports_seen", m->reports - base->reports);
	put_int(obj, "samples", m->rtt_samples - base->rtt_samples);
	put_int(obj, "zero_samples", m->rtt_zero - base->rtt_zero);
	put_int(obj, "arith_failures", m->rtt_arith_fail - base->rtt_arith_fail);
	return obj;
}

static json_t *cleanup_json(const struct probe *p)
{
	json_t *obj = json_object();

	put_bool(obj, "session_created_and_torn_down", p->torn_down);
	put_bool(obj, "session_left_intact", p->left_why);
	put(obj, "left_intact_reason", p->left_why ? json_string(p->left_why) : json_null());
	put_bool(obj, "lookup_issued", p->issued);
	put_bool(obj, "coords_were_cached", p->coords_cached);
	put_bool(obj, "identity_was_cached", p->identity_cached);
	put_int(obj, "warmups_sent", p->warmups);
	return obj;
}

json_t *probe_report(struct fipsd *d, const struct probe *p)
{
	u64 end = p->ended ? p->ended : fipsd_clock().mono_ms;
	json_t *obj = json_object(), *target = json_object(), *bloom;
	char name[80], ipv6[FIPS_IPV6_TEXT_SIZE];

	fipsd_display_name(d, &p->target.addr, &p->target, NULL, name, sizeof(name));
	fips_ipv6_format(p->target.ipv6, ipv6);
	put_str(target, "npub", p->target.npub);
	put(target, "node_addr", addr_json(&p->target.addr));
	put_str(target, "display_name", name);
	put_str(target, "ipv6_addr", ipv6);
	bloom = stage_json(p, PROBE_BLOOM);
	put(bloom, "fanout", json_null());
	put_int(obj, "probe_id", p->id);
	put(obj, "target", target);
	put_str(obj, "overall", probe_overall(p));
	put_int(obj, "elapsed_ms", end - p->began);
	put_int(obj, "tick_ms", probe_tick_ms(d));
	put(obj, "bloom", bloom);
	put(obj, "discovery", discovery_json(d, p));
	put(obj, "path", path_json(d, p));
	put(obj, "session", session_json(p));
	put(obj, "rtt", rtt_json(p));
	put(obj, "cleanup", cleanup_json(p));
	return obj;
}
