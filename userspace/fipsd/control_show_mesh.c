// SPDX-License-Identifier: MIT
/* The mesh as JSON: show_tree, show_bloom, show_cache (spec 13 §5.5, §5.7, §5.9). */
#include <math.h>

#include "control_json.h"
#include "control_show.h"
#include "daemon.h"

struct mesh_walk {
	struct fipsd *d;
	struct fips_clock now;
	json_t *array;
	u64 age_sum;
	u64 expired;
};

static json_t *addr_text(const struct fips_node_addr *addr)
{
	char text[FIPS_NODE_ADDR_SIZE];

	fips_node_addr_format(addr, text);
	return json_string(text);
}

static json_t *coords_array(const struct fips_coords *c)
{
	json_t *array = json_array();
	u16 i;

	for (i = 0; i < c->count; i++)
		json_array_append_new(array, addr_text(&c->addr[i]));
	return array;
}

static json_t *name_of(struct fipsd *d, const struct fips_node_addr *addr,
		       const struct fips_identity *id, const char *alias)
{
	char text[80];
	json_t *name;

	fipsd_display_name(d, addr, id, alias, text, sizeof(text));
	name = json_string(text);
	return name ? name : json_string("?");
}

/* ---- show_tree ---- */

static void add_tree_peer(void *arg, const struct fips_mesh_peer_view *v)
{
	struct mesh_walk *w = arg;
	json_t *obj = json_object();

	put(obj, "node_addr", addr_text(&v->id->addr));
	put(obj, "display_name", name_of(w->d, &v->id->addr, v->id, v->alias));
	if (v->coords.count) {
		put_int(obj, "depth", v->coords.count - 1U);
		put(obj, "root", addr_text(fips_coords_root(&v->coords)));
		put(obj, "coords", coords_array(&v->coords));
		put(obj, "distance_to_us", v->distance == FIPS_DISTANCE_INF ?
			json_null() : json_integer(v->distance));
	}
	json_array_append_new(w->array, obj);
}

static json_t *tree_stats(const struct fips_tree_stats *t, const struct fips_node_counters *c)
{
	json_t *s = json_object();

	put_int(s, "received", t->received);
	put_int(s, "decode_error", t->verdict[FIPS_TREE_DECODE_ERROR]);
	put_int(s, "unknown_peer", t->verdict[FIPS_TREE_UNKNOWN_PEER]);
	put_int(s, "addr_mismatch", t->verdict[FIPS_TREE_ADDR_MISMATCH]);
	put_int(s, "sig_failed", t->verdict[FIPS_TREE_SIG_FAILED]);
	put_int(s, "stale", t->verdict[FIPS_TREE_STALE]);
	put_int(s, "ancestry_invalid", t->verdict[FIPS_TREE_ANCESTRY_INVALID]);
	put_int(s, "accepted", t->verdict[FIPS_TREE_ACCEPTED]);
	put_int(s, "loop_detected", t->loop_detected);
	put_int(s, "ancestry_changed", t->ancestry_changed);
	put_int(s, "sent", c->tree_sent);
	put_int(s, "rate_limited", c->tree_rate_limited);
	put_int(s, "send_failed", c->tree_send_failed);
	put_int(s, "outbound_sign_failed", c->tree_sign_failed);
	put_int(s, "parent_switches", t->parent_switches);
	put_int(s, "parent_losses", t->parent_losses);
	put_int(s, "flap_dampened", t->flap_dampened);
	put_int(s, "too_deep", c->tree_too_deep);
	put_int(s, "parked", c->tree_parked);
	put_int(s, "root_lowered", c->tree_root_lowered);
	return s;
}

json_t *fipsd_show_tree(struct fipsd *d)
{
	struct mesh_walk w = { .d = d, .now = fipsd_clock(), .array = json_array() };
	const struct fips_node_addr *root;
	struct fips_node_view view;
	struct fips_mesh_view v;
	json_t *obj = json_object();

	fips_node_view(d->node, &w.now, &view);
	fips_node_mesh_view(d->node, &w.now, &v);
	root = fips_coords_root(&v.coords);
	put(obj, "my_node_addr", addr_text(&d->keypair.id.addr));
	put(obj, "root", addr_text(root));
	put(obj, "root_npub", v.is_root ? json_string(d->keypair.id.npub) : json_null());
	put(obj, "is_root", json_boolean(v.is_root));
	put_int(obj, "depth", v.coords.count - 1U);
	put(obj, "my_coords", coords_array(&v.coords));
	put(obj, "parent", addr_text(&v.parent));
	put(obj, "parent_display_name", name_of(d, &v.parent, NULL, NULL));
	put_int(obj, "declaration_sequence", v.sequence);
	put(obj, "declaration_signed", json_true());
	fips_node_each_mesh_peer(d->node, add_tree_peer, &w);
	put_int(obj, "peer_tree_count", json_array_size(w.array));
	put(obj, "peers", w.array);
	put(obj, "stats", tree_stats(v.tree, &view.counters));
	return obj;
}

/* ---- show_bloom ---- */

static json_t *estimate(const struct fipsd *d, u32 popcount)
{
	double count;

	if (!fips_bloom_estimate(popcount, d->cfg->timing.bloom.max_inbound_fpr, &count))
		return json_null();
	return json_real(count);
}

static void add_filter(void *arg, const struct fips_mesh_peer_view *v)
{
	struct mesh_walk *w = arg;
	json_t *obj = json_object();

	put(obj, "peer", addr_text(&v->id->addr));
	put(obj, "display_name", name_of(w->d, &v->id->addr, v->id, v->alias));
	put(obj, "has_filter", json_boolean(v->filter->known));
	put_int(obj, "filter_sequence", v->filter->sequence);
	if (v->filter->known) {
		put(obj, "estimated_count", estimate(w->d, v->filter->popcount));
		put_int(obj, "set_bits", v->filter->popcount);
		put(obj, "fill_ratio", json_real((double)v->filter->popcount / FIPS_BLOOM_BITS));
	}
	json_array_append_new(w->array, obj);
}

static json_t *bloom_stats(const struct fips_node_counters *c)
{
	json_t *s = json_object();

	put_int(s, "received", c->bloom_received);
	put_int(s, "decode_error", c->bloom_decode_error);
	put_int(s, "invalid", 0);
	put_int(s, "non_v1", c->bloom_non_v1);
	put_int(s, "unknown_peer", 0);
	put_int(s, "stale", c->bloom_stale);
	put_int(s, "fill_exceeded", c->bloom_fill_exceeded);
	put_int(s, "accepted", c->bloom_accepted);
	put_int(s, "sent", c->bloom_sent);
	put_int(s, "debounce_suppressed", c->bloom_debounced);
	put_int(s, "send_failed", c->bloom_send_failed);
	put_int(s, "parked", c->bloom_parked);
	put_int(s, "left_out", c->bloom_left_out);
	put_int(s, "outdated", c->bloom_outdated);
	return s;
}

json_t *fipsd_show_bloom(struct fipsd *d)
{
	struct mesh_walk w = { .d = d, .now = fipsd_clock(), .array = json_array() };
	struct fips_node_view view;
	struct fips_mesh_view v;
	json_t *obj = json_object();
	u32 up;

	fips_node_view(d->node, &w.now, &view);
	fips_node_mesh_view(d->node, &w.now, &v);
	up = v.uptree ? fips_bloom_popcount(v.uptree) : 0;
	put(obj, "own_node_addr", addr_text(&d->keypair.id.addr));
	put(obj, "is_leaf_only", json_boolean(d->cfg->leaf_only));
	put_int(obj, "sequence", v.filter_sequence);
	put_int(obj, "leaf_dependent_count", 0);
	put(obj, "leaf_dependents", json_array());
	fips_node_each_mesh_peer(d->node, add_filter, &w);
	put(obj, "peer_filters", w.array);
	put(obj, "uptree_fill_ratio", up ? json_real((double)up / FIPS_BLOOM_BITS) : json_null());
	put(obj, "uptree_estimated_count", up ? estimate(d, up) : json_null());
	put(obj, "stats", bloom_stats(&view.counters));
	return obj;
}

/* ---- show_cache ---- */

static void add_coord(void *arg, const struct fips_coord_view *v)
{
	struct mesh_walk *w = arg;
	u8 ipv6[FIPS_IPV6_LEN];
	char text[FIPS_IPV6_TEXT_SIZE];
	json_t *obj = json_object();

	fips_node_addr_to_ipv6(&v->info.addr, ipv6);
	fips_ipv6_format(ipv6, text);
	put(obj, "node_addr", addr_text(&v->info.addr));
	put(obj, "display_name", name_of(w->d, &v->info.addr, NULL, NULL));
	put(obj, "ipv6_addr", json_string(text));
	put_int(obj, "depth", v->info.coords.count - 1U);
	put(obj, "coords", coords_array(&v->info.coords));
	put_int(obj, "age_ms", v->age_ms);
	put_int(obj, "last_used_ms", v->last_used_wall_ms);
	if (v->info.path_mtu)
		put_int(obj, "path_mtu", v->info.path_mtu);
	w->age_sum += v->age_ms;
	w->expired += w->now.mono_ms > v->info.expires_ms;
	json_array_append_new(w->array, obj);
}

json_t *fipsd_show_cache(struct fipsd *d)
{
	struct mesh_walk w = { .d = d, .now = fipsd_clock(), .array = json_array() };
	u64 max = d->cfg->timing.cache.coord_size;
	json_t *obj = json_object();
	size_t count;

	fips_node_each_coord(d->node, &w.now, add_coord, &w);
	count = json_array_size(w.array);
	put_int(obj, "count", count);
	put_int(obj, "max_entries", max);
	put(obj, "fill_ratio", json_real(max ? (double)count / (double)max : 0));
	put_int(obj, "default_ttl_ms", d->cfg->timing.cache.coord_ttl_secs * 1000);
	put_int(obj, "expired", w.expired);
	put_int(obj, "avg_age_ms", count ? w.age_sum / count : 0);
	put(obj, "entries", w.array);
	return obj;
}

/* ---- show_routing: its part of it ---- */

static void add_lookup(void *arg, const struct fips_lookup_view *v)
{
	struct mesh_walk *w = arg;
	json_t *obj = json_object();

	put(obj, "target", addr_text(&v->target));
	put(obj, "display_name", name_of(w->d, &v->target, NULL, NULL));
	put_int(obj, "initiated_ms", v->started_wall_ms);
	put_int(obj, "last_sent_ms", v->sent_wall_ms);
	put_int(obj, "attempt", v->attempt);
	put_int(obj, "age_ms", v->age_ms);
	json_array_append_new(w->array, obj);
}

static json_t *lookup_stats(const struct fips_node_counters *all)
{
	const struct fips_lookup_counters *c = &all->lookup;
	json_t *s = json_object();

#define PUT(name)	put_int(s, #name, c->name)
	PUT(req_received);
	PUT(req_decode_error);
	PUT(req_duplicate);
	PUT(req_dedup_cache_full);
	PUT(req_target_is_us);
	PUT(req_forwarded);
	PUT(req_ttl_exhausted);
	PUT(req_initiated);
	PUT(req_deduplicated);
	PUT(req_backoff_suppressed);
	PUT(req_forward_rate_limited);
	PUT(req_bloom_miss);
	PUT(req_no_tree_peer);
	PUT(req_fallback_forwarded);
	PUT(resp_received);
	PUT(resp_decode_error);
	PUT(resp_forwarded);
	PUT(resp_identity_miss);
	PUT(resp_proof_failed);
	PUT(resp_no_route);
	PUT(resp_accepted);
	PUT(resp_timed_out);
#undef PUT
	put_int(s, "resp_unasked", all->lookup_unasked);
	put_int(s, "resp_again", all->lookup_again);
	return s;
}

static json_t *coord_stats(const struct fips_coord_stats *c)
{
	json_t *s = json_object();

	put_int(s, "evicted", c->evicted);
	put_int(s, "share_evicted", c->share_evicted);
	put_int(s, "refused", c->refused);
	put_int(s, "kept", c->kept);
	put_int(s, "displaced", c->displaced);
	return s;
}

void fipsd_show_routing_mesh(struct fipsd *d, json_t *obj)
{
	struct mesh_walk w = { .d = d, .now = fipsd_clock(), .array = json_array() };
	const struct fips_node_counters *c;
	struct fips_node_view view;
	struct fips_mesh_view v;
	json_t *s = json_object();

	fips_node_view(d->node, &w.now, &view);
	fips_node_mesh_view(d->node, &w.now, &v);
	c = &view.counters;
	fips_node_each_lookup(d->node, &w.now, add_lookup, &w);
	put_int(obj, "coord_cache_entries", v.coord_entries);
	put_int(obj, "recent_requests", v.requests);
	put(obj, "pending_lookups", w.array);
	put(obj, "lookup", lookup_stats(c));
	put(obj, "discovery", lookup_stats(c));
	put(obj, "coords", coord_stats(v.coord_stats));
	put_int(s, "coords_required", c->signal_coords_required);
	put_int(s, "path_broken", c->signal_path_broken);
	put_int(s, "mtu_exceeded", c->signal_mtu_exceeded);
	put_int(s, "path_mtu_notif_below_floor", c->path_mtu_below_floor);
	put_int(s, "mtu_exceeded_below_floor", c->signal_mtu_below_floor);
	put_int(s, "lookup_resp_mtu_below_floor", c->lookup_mtu_below_floor);
	put_int(s, "unbound_coords", c->signal_unbound_coords);
	put_int(s, "unbound_broken", c->signal_unbound_broken);
	put_int(s, "unbound_mtu", c->signal_unbound_mtu);
	put_int(s, "unbound_forged", c->signal_forged);
	put_int(s, "sent", c->signals_sent);
	put(obj, "error_signals", s);
}

/* What show_status has of it. */
void fipsd_show_status_mesh(struct fipsd *d, json_t *obj)
{
	struct fips_clock now = fipsd_clock();
	struct fips_mesh_view v;

	fips_node_mesh_view(d->node, &now, &v);
	put(obj, "is_root", json_boolean(v.is_root));
	put(obj, "root", addr_text(fips_coords_root(&v.coords)));
	put(obj, "estimated_mesh_size", v.size_known ?
		json_integer((json_int_t)floor(v.size + 0.5)) : json_null());
}
