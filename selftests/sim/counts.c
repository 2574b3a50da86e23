// SPDX-License-Identifier: MIT
/* Counters of nodes by name; see counts.h. */
#include "counts.h"

#include "sim.h"

#define NODE(name)	{ #name, offsetof(struct sim_counts, node.name) }
#define TREE(name, member)	{ "tree_" name, offsetof(struct sim_counts, tree.member) }
#define COORDS(name)	{ "coords_" #name, offsetof(struct sim_counts, coords.name) }

static const struct {
	const char *name;
	size_t off;
} counts_names[] = {
	NODE(payload_len_mismatch),
	NODE(link_malformed),
	NODE(link_unknown),
	NODE(session_malformed),
	NODE(signal_malformed),
	NODE(coords_malformed),
	NODE(handshake_bad_state),
	NODE(handshake_unknown_connection),
	NODE(msg1_rate_limited),
	NODE(msg1_replayed),
	NODE(msg2_ignored),
	NODE(candidates_evicted),
	NODE(candidates_expired),
	NODE(peer_restarts),
	NODE(peers_lost),
	NODE(session_unknown),
	NODE(session_bad_state),
	NODE(session_addr_mismatch),
	NODE(session_ack_failed),
	NODE(session_msg3_failed),
	NODE(session_setup_rate_limited),
	NODE(signal_unbound),
	NODE(signal_forged),
	NODE(signal_unbound_coords),
	NODE(signal_unbound_broken),
	NODE(signal_unbound_mtu),
	NODE(signal_coords_required),
	NODE(signal_path_broken),
	NODE(signal_mtu_exceeded),
	NODE(signal_mtu_below_floor),
	NODE(signals_sent),
	NODE(mmp_decode_error),
	NODE(mmp_absurd),
	NODE(mmp_stale),
	NODE(session_no_port),
	NODE(path_mtu_sent),
	NODE(path_mtu_below_floor),
	NODE(congestion_begun),
	NODE(tree_sent),
	NODE(tree_rate_limited),
	NODE(tree_send_failed),
	NODE(tree_sign_failed),
	NODE(tree_too_deep),
	NODE(tree_parked),
	NODE(tree_root_lowered),
	NODE(bloom_received),
	NODE(bloom_accepted),
	NODE(bloom_decode_error),
	NODE(bloom_non_v1),
	NODE(bloom_stale),
	NODE(bloom_fill_exceeded),
	NODE(bloom_parked),
	NODE(bloom_sent),
	NODE(bloom_debounced),
	NODE(bloom_send_failed),
	NODE(bloom_outdated),
	NODE(bloom_left_out),
	NODE(lookup_unasked),
	NODE(lookup_again),
	NODE(lookup_mtu_below_floor),
	NODE(acl_outbound_connect),
	NODE(acl_inbound_handshake),
	NODE(acl_outbound_handshake),
	NODE(acl_promotion),
	NODE(acl_reload),
	NODE(rekey_started),
	NODE(rekey_completed),
	NODE(rekey_abandoned),
	NODE(rekey_promoted),
	NODE(rekey_expired),
	NODE(rekey_tiebreak),
	NODE(rekey_yielded),
	NODE(session_rekey_started),
	NODE(session_rekey_completed),
	NODE(session_rekey_abandoned),
	NODE(session_rekey_promoted),
	NODE(session_rekey_expired),
	NODE(session_rekey_tiebreak),
	NODE(session_rekey_yielded),
	NODE(lookup.req_received),
	NODE(lookup.req_decode_error),
	NODE(lookup.req_duplicate),
	NODE(lookup.req_dedup_cache_full),
	NODE(lookup.req_target_is_us),
	NODE(lookup.req_forwarded),
	NODE(lookup.req_ttl_exhausted),
	NODE(lookup.req_initiated),
	NODE(lookup.req_deduplicated),
	NODE(lookup.req_backoff_suppressed),
	NODE(lookup.req_forward_rate_limited),
	NODE(lookup.req_bloom_miss),
	NODE(lookup.req_no_tree_peer),
	NODE(lookup.req_fallback_forwarded),
	NODE(lookup.resp_received),
	NODE(lookup.resp_decode_error),
	NODE(lookup.resp_forwarded),
	NODE(lookup.resp_identity_miss),
	NODE(lookup.resp_proof_failed),
	NODE(lookup.resp_no_route),
	NODE(lookup.resp_accepted),
	NODE(lookup.resp_timed_out),
	TREE("received", received),
	TREE("accepted", verdict[FIPS_TREE_ACCEPTED]),
	TREE("decode_error", verdict[FIPS_TREE_DECODE_ERROR]),
	TREE("unknown_peer", verdict[FIPS_TREE_UNKNOWN_PEER]),
	TREE("addr_mismatch", verdict[FIPS_TREE_ADDR_MISMATCH]),
	TREE("sig_failed", verdict[FIPS_TREE_SIG_FAILED]),
	TREE("ancestry_invalid", verdict[FIPS_TREE_ANCESTRY_INVALID]),
	TREE("stale", verdict[FIPS_TREE_STALE]),
	TREE("no_memory", verdict[FIPS_TREE_NO_MEMORY]),
	TREE("loop_detected", loop_detected),
	TREE("ancestry_changed", ancestry_changed),
	TREE("parent_switches", parent_switches),
	TREE("parent_losses", parent_losses),
	TREE("flap_dampened", flap_dampened),
	COORDS(hits),
	COORDS(misses),
	COORDS(expired),
	COORDS(evicted),
	COORDS(share_evicted),
	COORDS(refused),
	COORDS(kept),
	COORDS(displaced),
};

#define COUNTS	(sizeof(counts_names) / sizeof(counts_names[0]))

/* One added later must get its name. */
_Static_assert(COUNTS * sizeof(u64) == sizeof(struct sim_counts), "counter without a name");

void sim_counts_add(struct sim_counts *c, struct sim_node *n)
{
	struct fips_clock now = sim_node_clock(n);
	struct sim_counts more;
	struct fips_mesh_view m;
	struct fips_node_view v;

	fips_node_view(n->node, &now, &v);
	fips_node_mesh_view(n->node, &now, &m);
	more.node = v.counters;
	more.tree = *m.tree;
	more.coords = *m.coord_stats;
	sim_counts_sum(c, &more);
}

void sim_counts_sum(struct sim_counts *c, const struct sim_counts *more)
{
	u64 *sum = (u64 *)c;
	const u64 *v = (const u64 *)more;
	size_t i;

	for (i = 0; i < COUNTS; i++)
		sum[i] += v[i];
}

json_t *sim_counts_json(const struct sim_counts *c)
{
	json_t *o = json_object();
	size_t i;
	u64 v;

	for (i = 0; i < COUNTS; i++) {
		memcpy(&v, (const char *)c + counts_names[i].off, sizeof(v));
		if (v)
			json_object_set_new(o, counts_names[i].name, json_integer((json_int_t)v));
	}
	return o;
}
