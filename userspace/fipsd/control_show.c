// SPDX-License-Identifier: MIT
/*
 * What the node and its data plane are, as JSON. Members that nothing counts
 * yet have neutral values: clients rely on the keys.
 */
#include <unistd.h>

#include "../nl/names.h"
#include "control_json.h"
#include "control_show.h"
#include "daemon.h"
#include "version.h"

#define NAME_SIZE	80

/* Collects one array while the node walks its objects. */
struct walk {
	struct fipsd *d;
	struct fips_clock now;
	json_t *array;
};

static void put_addr(json_t *obj, const char *key, const struct fips_node_addr *addr)
{
	char text[FIPS_NODE_ADDR_SIZE];

	fips_node_addr_format(addr, text);
	put_str(obj, key, text);
}

static void put_ipv6(json_t *obj, const char *key, const u8 *ipv6)
{
	char text[FIPS_IPV6_TEXT_SIZE];

	fips_ipv6_format(ipv6, text);
	put_str(obj, key, text);
}

static void put_taddr(json_t *obj, const char *key, const struct fips_taddr *a)
{
	char text[FIPS_TADDR_TEXT_MAX];

	put_str(obj, key, fips_taddr_format(a, text));
}

static void put_name(struct fipsd *d, json_t *obj, const struct fips_node_addr *addr,
		     const struct fips_identity *id, const char *alias)
{
	char text[NAME_SIZE];

	fipsd_display_name(d, addr, id, alias, text, sizeof(text));
	put_str(obj, "display_name", text);
}

static void put_zeros(json_t *obj, const char *key, const char *const *names)
{
	json_t *family = json_object();

	for (; *names; names++)
		put_int(family, *names, 0);
	put(obj, key, family);
}

static const char *direction(bool outbound)
{
	return outbound ? "outbound" : "inbound";
}

/* An age in ms as an absolute time; 0 if it never happened. */
static u64 when(const struct walk *w, u64 age_ms)
{
	return age_ms == FIPS_NEVER || age_ms > w->now.wall_ms ? 0 : w->now.wall_ms - age_ms;
}

static json_t *stats_object(const struct fips_dp_stats *s)
{
	json_t *obj = json_object();

	put_int(obj, "packets_sent", s->tx_packets);
	put_int(obj, "packets_recv", s->rx_packets);
	put_int(obj, "bytes_sent", s->tx_bytes);
	put_int(obj, "bytes_recv", s->rx_bytes);
	return obj;
}

static json_t *drops_object(const struct fips_dp_stats *s)
{
	json_t *obj = json_object();
	u32 i;

	for (i = 0; i < FIPS_DROP_REASONS; i++)
		if (s->drops[i])
			put_int(obj, fips_drop_name(i), s->drops[i]);
	return obj;
}

static struct fips_dp_link_info link_info(struct fipsd *d, u32 id)
{
	struct fips_dp_link_info info = { .last_rx_ms = FIPS_NEVER };

	if (d->prov->ops->link_get(d->dp, id, &info))
		info = (struct fips_dp_link_info){ .last_rx_ms = FIPS_NEVER };
	return info;
}

static json_t *reply(const char *key, struct walk *w)
{
	json_t *obj = json_object();

	put(obj, key, w->array);
	return obj;
}

static struct walk walk_begin(struct fipsd *d)
{
	return (struct walk){ .d = d, .now = fipsd_clock(), .array = json_array() };
}

/* ---- families of later issues (spec 13 §5.16) ---- */

static const char *const forwarding_family[] = {
	"received_packets", "received_bytes", "decode_error_packets", "decode_error_bytes",
	"warm_malformed_packets", "warm_malformed_bytes", "ttl_exhausted_packets",
	"ttl_exhausted_bytes", "delivered_packets", "delivered_bytes", "forwarded_packets",
	"forwarded_bytes", "drop_no_route_packets", "drop_no_route_bytes",
	"drop_mtu_exceeded_packets", "drop_mtu_exceeded_bytes", "drop_send_error_packets",
	"drop_send_error_bytes", "originated_packets", "originated_bytes", "route_tree_up",
	"route_tree_down", "route_tree_down_cross", "route_crosslink_descend",
	"route_crosslink_ascend", "route_direct_peer", NULL
};

static void put_forwarding(struct fipsd *d, json_t *obj)
{
	struct fips_dp_stats s = { 0 };
	json_t *family;

	put_zeros(obj, "forwarding", forwarding_family);
	if (d->prov->ops->dev_get(d->dp, &s))
		return;
	family = json_object_get(obj, "forwarding");
	put_int(family, "forwarded_packets", s.forwarded);
	put_int(family, "ttl_exhausted_packets", s.drops[FIPS_DROP_REASON_DGRAM_TTL]);
	put_int(family, "drop_no_route_packets", s.drops[FIPS_DROP_REASON_NO_ROUTE]);
	put_int(family, "drop_mtu_exceeded_packets", s.drops[FIPS_DROP_REASON_DGRAM_MTU]);
	put_int(family, "drop_send_error_packets", s.drops[FIPS_DROP_REASON_TX_ERROR]);
}

/* ---- show_status ---- */

static void put_sparklines(json_t *obj)
{
	static const char *const names[] = {
		"mesh_size", "tree_depth", "peer_count", "bytes_in", "bytes_out", "loss_rate", NULL
	};
	json_t *lines = json_object();
	const char *const *name;

	for (name = names; *name; name++)
		put(lines, *name, json_array());
	put(obj, "sparklines", lines);
}

/* Ours, beyond the reference: the data plane and its drops. */
static void put_dataplane(struct fipsd *d, json_t *obj)
{
	struct fips_dp_stats s = { 0 };
	json_t *dp;

	if (d->prov->ops->dev_get(d->dp, &s))
		memset(&s, 0, sizeof(s));
	dp = stats_object(&s);
	put_str(dp, "provider", d->prov->name);
	put(dp, "drops", drops_object(&s));
	put(obj, "dataplane", dp);
}

static void put_exe(json_t *obj)
{
	char path[512];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	path[n > 0 ? n : 0] = '\0';
	put_str(obj, "exe_path", n > 0 ? path : "-");
}

static void put_handshakes(json_t *obj, const struct fips_node_counters *c)
{
	json_t *h = json_object();

	put_int(h, "payload_len_mismatch", c->payload_len_mismatch);
	put_int(h, "link_malformed", c->link_malformed);
	put_int(h, "link_unknown", c->link_unknown);
	put_int(h, "handshake_bad_state", c->handshake_bad_state);
	put_int(h, "handshake_unknown_connection", c->handshake_unknown_connection);
	put_int(h, "msg1_rate_limited", c->msg1_rate_limited);
	put_int(h, "msg1_replayed", c->msg1_replayed);
	put_int(h, "msg2_ignored", c->msg2_ignored);
	put_int(h, "candidates_evicted", c->candidates_evicted);
	put_int(h, "candidates_expired", c->candidates_expired);
	put_int(h, "peer_restarts", c->peer_restarts);
	put_int(h, "peers_lost", c->peers_lost);
	put_int(h, "session_unknown", c->session_unknown);
	put_int(h, "session_malformed", c->session_malformed);
	put_int(h, "signal_malformed", c->signal_malformed);
	put_int(h, "session_bad_state", c->session_bad_state);
	put_int(h, "session_addr_mismatch", c->session_addr_mismatch);
	put_int(h, "session_ack_failed", c->session_ack_failed);
	put_int(h, "session_msg3_failed", c->session_msg3_failed);
	put_int(h, "session_setup_rate_limited", c->session_setup_rate_limited);
	put(obj, "handshakes", h);
}

/* What reports, and other messages of sessions, were refused for. */
static void put_refused(json_t *obj, const struct fips_node_counters *c)
{
	json_t *m = json_object();

	put_int(m, "decode_error", c->mmp_decode_error);
	put_int(m, "absurd", c->mmp_absurd);
	put_int(m, "stale", c->mmp_stale);
	put(obj, "mmp", m);
	put_int(obj, "session_no_port", c->session_no_port);
}

static void put_rekeys(json_t *obj, const struct fips_node_counters *c)
{
	json_t *link = json_object(), *session = json_object(), *r = json_object();

	put_int(link, "started", c->rekey_started);
	put_int(link, "completed", c->rekey_completed);
	put_int(link, "abandoned", c->rekey_abandoned);
	put_int(link, "promoted", c->rekey_promoted);
	put_int(link, "expired", c->rekey_expired);
	put_int(link, "tiebreak", c->rekey_tiebreak);
	put_int(link, "yielded", c->rekey_yielded);
	put_int(session, "started", c->session_rekey_started);
	put_int(session, "completed", c->session_rekey_completed);
	put_int(session, "abandoned", c->session_rekey_abandoned);
	put_int(session, "promoted", c->session_rekey_promoted);
	put_int(session, "expired", c->session_rekey_expired);
	put_int(session, "tiebreak", c->session_rekey_tiebreak);
	put_int(session, "yielded", c->session_rekey_yielded);
	put(r, "link", link);
	put(r, "session", session);
	put(obj, "rekeys", r);
}

static const char *tun_state(const struct fipsd *d)
{
	if (!d->cfg->tun.enabled)
		return "disabled";
	return d->tun_failed ? "failed" : "active";
}

json_t *fipsd_show_status(struct fipsd *d)
{
	const struct fips_identity *id = &d->keypair.id;
	struct fips_clock now = fipsd_clock();
	struct fips_node_view view;
	json_t *obj = json_object(), *counts;
	bool tun = d->cfg->tun.enabled && !d->tun_failed;

	fips_node_view(d->node, &now, &view);
	put_str(obj, "version", fips_version());
	put_str(obj, "npub", id->npub);
	put_addr(obj, "node_addr", &id->addr);
	put_ipv6(obj, "ipv6_addr", id->ipv6);
	put_str(obj, "state", fipsd_state_name(d));
	put_bool(obj, "is_leaf_only", d->cfg->leaf_only);
	fipsd_show_status_mesh(d, obj);
	put_int(obj, "peer_count", view.peers);
	put_int(obj, "session_count", view.sessions);
	put_int(obj, "link_count", view.links);
	put_int(obj, "transport_count", view.transports);
	put_int(obj, "connection_count", view.legs);
	put_str(obj, "tun_state", tun_state(d));
	put_str(obj, "tun_name", tun ? d->cfg->tun.name : "-");
	if (view.transport_mtu < FIPS_IPV6_OVERHEAD)
		view.transport_mtu = FIPS_IPV6_OVERHEAD;
	put_int(obj, "effective_ipv6_mtu", view.transport_mtu - FIPS_IPV6_OVERHEAD);
	put_str(obj, "control_socket", d->control_path);
	put_int(obj, "pid", (u64)getpid());
	put_exe(obj);
	put_int(obj, "uptime_secs", (now.mono_ms - d->started.mono_ms) / 1000);
	put_bool(obj, "persistent", d->key_source != FIPS_KEY_EPHEMERAL);
	counts = json_object();
	if (d->udps.n)
		put_int(counts, "udp", view.peers);
	put(obj, "transport_peer_counts", counts);
	put_forwarding(d, obj);
	put_sparklines(obj);
	put_dataplane(d, obj);
	put_handshakes(obj, &view.counters);
	put_refused(obj, &view.counters);
	put_rekeys(obj, &view.counters);
	return obj;
}

/* ---- show_peers ---- */

static json_t *no_traversal(void)
{
	json_t *obj = json_object();

	put_int(obj, "consecutive_failures", 0);
	put_bool(obj, "in_cooldown", false);
	put(obj, "cooldown_until_ms", json_null());
	put(obj, "last_observed_skew_ms", json_null());
	return obj;
}

static void add_peer(void *arg, const struct fips_peer_view *v)
{
	struct walk *w = arg;
	struct fips_dp_link_info info = link_info(w->d, v->link_id);
	json_t *obj = json_object();
	char index[9];

	put_addr(obj, "node_addr", &v->id->addr);
	put_str(obj, "npub", v->id->npub);
	put_name(w->d, obj, &v->id->addr, v->id, v->alias);
	put_ipv6(obj, "ipv6_addr", v->id->ipv6);
	put_str(obj, "connectivity", "connected");
	put_int(obj, "link_id", v->link_id);
	put_int(obj, "authenticated_at_ms", v->authenticated_wall_ms);
	put_int(obj, "last_seen_ms", info.last_rx_ms == FIPS_NEVER ?
		v->authenticated_wall_ms : when(w, info.last_rx_ms));
	put_bool(obj, "has_tree_position", v->has_tree_position);
	put_bool(obj, "has_bloom_filter", v->has_filter);
	put_bool(obj, "is_parent", v->is_parent);
	put_bool(obj, "is_child", v->is_child);
	put_int(obj, "filter_sequence", v->filter_sequence);
	put_taddr(obj, "transport_addr", &v->remote);
	put_str(obj, "direction", direction(v->outbound));
	put_str(obj, "transport_type", "udp");
	put(obj, "effective_depth", v->has_depth ? json_real(v->effective_depth) : json_null());
	put(obj, "stats", stats_object(&info.stats));
	put_int(obj, "replay_suppressed", info.stats.drops[FIPS_DROP_REASON_RX_REPLAY]);
	put_int(obj, "consecutive_decrypt_failures", 0);
	put(obj, "nostr_traversal", no_traversal());
	snprintf(index, sizeof(index), "%08x", v->our_index);
	put_str(obj, "our_session_index", index);
	put_bool(obj, "current_k_bit", v->k_bit);
	put(obj, "mmp", fipsd_mmp_peer(&v->mmp));
	if (v->rekeying)
		put_bool(obj, "rekey_in_progress", true);
	if (v->draining)
		put_bool(obj, "rekey_draining", true);
	put(obj, "drops", drops_object(&info.stats));
	json_array_append_new(w->array, obj);
}

json_t *fipsd_show_peers(struct fipsd *d)
{
	struct walk w = walk_begin(d);

	fips_node_each_peer(d->node, &w.now, add_peer, &w);
	return reply("peers", &w);
}

/* ---- show_links, show_connections ---- */

static void add_link(void *arg, const struct fips_link_view *v)
{
	struct walk *w = arg;
	struct fips_dp_link_info info = link_info(w->d, v->link_id);
	json_t *obj = json_object(), *stats = stats_object(&info.stats);

	put_int(obj, "link_id", v->link_id);
	put_int(obj, "transport_id", v->transport_id);
	put_taddr(obj, "remote_addr", &v->remote);
	put_str(obj, "direction", direction(v->outbound));
	put_str(obj, "state", v->state);
	put_int(obj, "created_at_ms", v->created_wall_ms);
	put_int(stats, "last_recv_ms", when(w, info.last_rx_ms));
	put(obj, "stats", stats);
	json_array_append_new(w->array, obj);
}

json_t *fipsd_show_links(struct fipsd *d)
{
	struct walk w = walk_begin(d);

	fips_node_each_link(d->node, &w.now, add_link, &w);
	return reply("links", &w);
}

static void add_leg(void *arg, const struct fips_leg_view *v)
{
	struct walk *w = arg;
	json_t *obj = json_object();

	put_int(obj, "link_id", v->link_id);
	put_str(obj, "direction", direction(v->outbound));
	put_str(obj, "handshake_state", v->state);
	put_int(obj, "started_at_ms", v->started_wall_ms);
	put_int(obj, "idle_ms", v->idle_ms);
	put_int(obj, "resend_count", v->resends);
	if (v->expected)
		put_str(obj, "expected_peer", v->expected->npub);
	put_taddr(obj, "remote_addr", &v->remote);
	json_array_append_new(w->array, obj);
}

json_t *fipsd_show_connections(struct fipsd *d)
{
	struct walk w = walk_begin(d);

	fips_node_each_leg(d->node, &w.now, add_leg, &w);
	return reply("connections", &w);
}

/* ---- show_sessions ---- */

static void add_session(void *arg, const struct fips_session_view *v)
{
	struct fips_dp_session_info info = { .last_data_ms = FIPS_NEVER };
	struct walk *w = arg;
	json_t *obj = json_object();
	bool established = !strcmp(v->state, "established");

	if (w->d->prov->ops->session_get(w->d->dp, &v->remote, &info))
		info = (struct fips_dp_session_info){ .last_data_ms = FIPS_NEVER };
	put_addr(obj, "remote_addr", &v->remote);
	put_name(w->d, obj, &v->remote, v->id, v->alias);
	put_str(obj, "npub", v->id ? v->id->npub : "");
	put_str(obj, "state", v->state);
	put_bool(obj, "is_initiator", v->initiator);
	put_int(obj, "last_activity_ms", info.last_data_ms == FIPS_NEVER ?
		v->last_activity_wall_ms : when(w, info.last_data_ms));
	put(obj, "stats", stats_object(&info.stats));
	if (established) {
		put_int(obj, "session_start_ms", v->started_wall_ms);
		put_bool(obj, "current_k_bit", v->k_bit);
		put_int(obj, "coords_warmup_remaining", v->warmup_remaining);
		put_bool(obj, "is_draining", v->draining);
		put(obj, "mmp", fipsd_mmp_session(&v->mmp, info.path_mtu));
		if (v->rekeying)
			put_bool(obj, "rekey_in_progress", true);
	} else {
		put_int(obj, "resend_count", v->resends);
	}
	put_int(obj, "path_mtu", info.path_mtu);
	put_int(obj, "staged", info.staged);
	put(obj, "drops", drops_object(&info.stats));
	json_array_append_new(w->array, obj);
}

json_t *fipsd_show_sessions(struct fipsd *d)
{
	struct walk w = walk_begin(d);

	fips_node_each_session(d->node, &w.now, add_session, &w);
	return reply("sessions", &w);
}

/* ---- show_transports ---- */

struct transport_sum {
	struct fipsd *d;
	u32 id;
	struct fipsd_udp_stats s;
};

static void sum_link(void *arg, const struct fips_link_view *v)
{
	struct transport_sum *sum = arg;
	struct fips_dp_link_info info;

	if (v->transport_id != sum->id)
		return;
	info = link_info(sum->d, v->link_id);
	sum->s.packets_sent += info.stats.tx_packets;
	sum->s.bytes_sent += info.stats.tx_bytes;
	sum->s.packets_recv += info.stats.rx_packets;
	sum->s.bytes_recv += info.stats.rx_bytes;
}

static json_t *transport_object(struct walk *w, const struct fipsd_udp *udp)
{
	struct transport_sum sum = { .d = w->d, .id = udp->info.id, .s = udp->stats };
	json_t *obj = json_object(), *stats = json_object();

	/* Handshakes are ours, the traffic of live links is the data plane's. */
	fips_node_each_link(w->d->node, &w->now, sum_link, &sum);
	put_int(obj, "transport_id", udp->info.id);
	put_str(obj, "type", "udp");
	put_str(obj, "state", fipsd_transport_state_name(udp->state));
	put_int(obj, "mtu", udp->info.mtu);
	if (*udp->info.name)
		put_str(obj, "name", udp->info.name);
	if (udp->state == FIPSD_TRANSPORT_UP)
		put_taddr(obj, "local_addr", &udp->info.local);
	put_int(stats, "packets_sent", sum.s.packets_sent);
	put_int(stats, "bytes_sent", sum.s.bytes_sent);
	put_int(stats, "packets_recv", sum.s.packets_recv);
	put_int(stats, "bytes_recv", sum.s.bytes_recv);
	put_int(stats, "send_errors", sum.s.send_errors);
	put_int(stats, "recv_errors", sum.s.recv_errors);
	put_int(stats, "mtu_exceeded", sum.s.mtu_exceeded);
	put_int(stats, "kernel_drops", sum.s.kernel_drops);
	put(obj, "stats", stats);
	return obj;
}

json_t *fipsd_show_transports(struct fipsd *d)
{
	struct walk w = walk_begin(d);
	size_t i;

	for (i = 0; i < d->udps.n; i++)
		json_array_append_new(w.array, transport_object(&w, &d->udps.v[i]));
	return reply("transports", &w);
}

/* ---- show_routing, show_identity_cache ---- */

static void add_retry(void *arg, const struct fips_retry_view *v)
{
	struct walk *w = arg;
	json_t *obj = json_object();

	put_addr(obj, "node_addr", &v->addr);
	put_name(w->d, obj, &v->addr, NULL, NULL);
	put_int(obj, "retry_count", v->count);
	put_int(obj, "retry_after_ms", v->due_wall_ms);
	put_bool(obj, "auto_reconnect", v->auto_reconnect);
	json_array_append_new(w->array, obj);
}

json_t *fipsd_show_routing(struct fipsd *d)
{
	struct walk w = walk_begin(d);
	struct fips_node_view view;
	json_t *obj;

	fips_node_each_retry(d->node, &w.now, add_retry, &w);
	fips_node_view(d->node, &w.now, &view);
	obj = reply("retries", &w);
	put_int(obj, "identity_cache_entries", view.identities);
	put_int(obj, "pending_tun_destinations", 0);
	put_int(obj, "pending_tun_packets", 0);
	fipsd_show_routing_mesh(d, obj);
	put_forwarding(d, obj);
	put(obj, "congestion", fipsd_congestion(d));
	return obj;
}

static void add_identity(void *arg, const struct fips_identity_view *v)
{
	struct walk *w = arg;
	json_t *obj = json_object();

	put_addr(obj, "node_addr", &v->id->addr);
	put_str(obj, "npub", v->id->npub);
	put_name(w->d, obj, &v->id->addr, v->id, NULL);
	put_ipv6(obj, "ipv6_addr", v->id->ipv6);
	put_int(obj, "last_seen_ms", v->last_seen_wall_ms);
	put_int(obj, "age_ms", w->now.wall_ms > v->last_seen_wall_ms ?
		w->now.wall_ms - v->last_seen_wall_ms : 0);
	json_array_append_new(w->array, obj);
}

json_t *fipsd_show_identity_cache(struct fipsd *d)
{
	struct walk w = walk_begin(d);
	json_t *obj;

	fips_node_each_identity(d->node, &w.now, add_identity, &w);
	obj = reply("entries", &w);
	put_int(obj, "count", json_array_size(w.array));
	put_int(obj, "max_entries", d->cfg->timing.cache.identity_size);
	return obj;
}
