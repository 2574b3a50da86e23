/* SPDX-License-Identifier: MIT */
/*
 * The protocol node: sans-IO (architecture §5). No sockets, clocks, threads,
 * globals or randomness of its own: (clock, event) in, calls on fips_node_ops
 * out. One thread at a time may call into a node; ops are called from inside
 * fips_node_event() and the command functions and must not call back.
 */
#ifndef FIPS_NODE_H
#define FIPS_NODE_H

#include "acl.h"
#include "bloom.h"
#include "coordcache.h"
#include "event.h"
#include "identity.h"
#include "mmp.h"
#include "pk.h"
#include "secret.h"
#include "tree.h"

struct fips_node;

enum fips_log_level {
	FIPS_LOG_ERROR,
	FIPS_LOG_WARN,
	FIPS_LOG_INFO,
	FIPS_LOG_DEBUG,
	FIPS_LOG_TRACE,
};

/**
 * struct fips_node_ops - what a node asks of its surroundings
 * @wake_at: deliver FIPS_EV_TIMER at this monotonic instant; replaces the last wish, FIPS_NEVER
 *	is none
 * @raw_send: send a handshake packet; 0 or negative errno
 * @resolve: look a host name up, FIPS_EV_RESOLVED answers @query; 0 or negative errno
 * @log: one line, without a newline
 */
struct fips_node_ops {
	void (*wake_at)(void *ctx, u64 mono_ms);
	int (*raw_send)(void *ctx, u32 transport_id, const struct fips_taddr *to, const void *data,
			size_t len);
	int (*resolve)(void *ctx, u32 query, const char *host, u16 port);
	void (*log)(void *ctx, enum fips_log_level level, const char *line);
};

#define FIPS_LOOKUP_ATTEMPTS_MAX	16

/**
 * struct fips_node_mmp_cfg - metrics of one layer (spec 04 §3)
 * @mode: &enum fips_mmp_mode
 * @log_interval_secs: between two lines of the log
 * @owd_window_size: samples of the delay trend, at most %FIPS_MMP_OWD_WINDOW
 */
struct fips_node_mmp_cfg {
	u8 mode;
	u64 log_interval_secs;
	u64 owd_window_size;
};

/* The `node.*` keys that drive parts 03 to 08, by their names in spec 12. */
struct fips_node_timing {
	u64 heartbeat_interval_secs;
	u64 link_dead_timeout_secs;
	u64 drain_timeout_secs;
	struct {
		u64 max_connections;
		u64 max_peers;
		u64 max_links;
		u64 max_pending_inbound;
	} limits;
	struct {
		u32 handshake_burst;
		double handshake_rate;
		u64 handshake_timeout_secs;
		u64 handshake_resend_interval_ms;
		double handshake_resend_backoff;
		u32 handshake_max_resends;
		u64 handshake_early_ms;	/* no key: msg1 once more so soon; 0: not */
		u32 established_handshake_burst;	/* 0: derived (spec 12 §5.2) */
		double established_handshake_rate;	/* 0: derived */
		u32 dh_cost_us;		/* CPU of one Diffie-Hellman, as the host measured it */
		u32 session_setup_burst;
		double session_setup_rate;
	} rate_limit;
	struct {
		u32 max_retries;
		u64 base_interval_secs;
		u64 max_backoff_secs;
	} retry;
	struct {
		u64 coord_size;
		u64 coord_ttl_secs;
		u64 identity_size;
	} cache;
	struct {
		u8 ttl;
		u32 attempts;	/* entries of the next, at least 1 */
		u64 attempt_timeouts_secs[FIPS_LOOKUP_ATTEMPTS_MAX];
		u64 recent_expiry_secs;
		u64 backoff_base_secs;
		u64 backoff_max_secs;
		u64 forward_min_interval_secs;
	} lookup;
	struct {
		u64 announce_min_interval_ms;
		double parent_hysteresis;
		u64 hold_down_secs;
		u64 reeval_interval_secs;
		u32 flap_threshold;
		u64 flap_window_secs;
		u64 flap_dampening_secs;
	} tree;
	struct {
		u64 update_debounce_ms;
		double max_inbound_fpr;
	} bloom;
	struct {
		u8 default_ttl;
		u64 pending_packets_per_dest;
		u64 pending_max_destinations;
		u64 idle_timeout_secs;
		u8 coords_warmup_packets;
		u64 coords_response_interval_ms;
	} session;
	struct {
		bool enabled;
		u64 after_secs;
		u64 after_messages;
	} rekey;
	struct fips_node_mmp_cfg mmp;
	struct fips_node_mmp_cfg session_mmp;
	struct {
		bool enabled;
		double loss_threshold;
		double etx_threshold;
	} ecn;
};

/* Fill with the defaults of spec 12 §5. */
void fips_node_timing_defaults(struct fips_node_timing *t);

enum fips_connect_policy {
	FIPS_CONNECT_AUTO,
	FIPS_CONNECT_ON_DEMAND,
	FIPS_CONNECT_MANUAL,
};

/**
 * struct fips_peer_addr - one address of a configured peer (spec 12 §6.8)
 * @transport: "type" or "type/instance"
 * @addr: the operator's text
 * @priority: lower is dialled first
 */
struct fips_peer_addr {
	const char *transport;
	const char *addr;
	u8 priority;
};

/**
 * struct fips_peer_config - a configured peer
 * @id: who
 * @alias: display name, or NULL
 * @addrs: where
 * @addr_count: number of @addrs
 * @policy: only AUTO is dialled
 * @auto_reconnect: dial again after the link died
 */
struct fips_peer_config {
	struct fips_identity id;
	const char *alias;
	const struct fips_peer_addr *addrs;
	size_t addr_count;
	enum fips_connect_policy policy;
	bool auto_reconnect;
};

/**
 * enum fips_rules - by whose rules a node goes where the wire leaves a choice
 * @FIPS_RULES_OWN: ours
 * @FIPS_RULES_REFERENCE: the reference's filters and lookups (06 §5 to §7, 07 D), for simulations
 */
enum fips_rules {
	FIPS_RULES_OWN,
	FIPS_RULES_REFERENCE,
};

/**
 * struct fips_node_setup - what a node is made of
 * @keypair: own identity; borrowed, must outlive the node
 * @pk: public-key table; borrowed
 * @secrets: locked slab; borrowed
 * @rng: random source
 * @epoch: startup epoch, or all zero to draw one
 * @wall_ms: Unix time, for the first declaration; a successor (with @epoch) counts on from it
 * @timing: copied
 * @rules: of filters and lookups
 * @ops: borrowed
 * @ctx: passed to @ops
 * @dp: data plane; borrowed
 * @dp_ctx: passed to @dp
 */
struct fips_node_setup {
	const struct fips_keypair *keypair;
	const struct fips_pk *pk;
	struct fips_secrets *secrets;
	struct fips_rng rng;
	u8 epoch[FIPS_EPOCH_LEN];
	u64 wall_ms;
	struct fips_node_timing timing;
	enum fips_rules rules;
	const struct fips_node_ops *ops;
	void *ctx;
	const struct fips_dp_ops *dp;
	void *dp_ctx;
};

/**
 * fips_node_new() - make a node; it does nothing until an event comes
 * @setup: see there
 * @out: written on success; free with fips_node_free()
 *
 * Return: 0, -ENOMEM or what a data plane op answered.
 */
int fips_node_new(const struct fips_node_setup *setup, struct fips_node **out);
void fips_node_free(struct fips_node *n);

/* The one way in. */
void fips_node_event(struct fips_node *n, const struct fips_clock *now,
		     const struct fips_event *ev);

/**
 * fips_node_set_peers() - replace the configured peers
 * @n: node
 * @now: time
 * @peers: copied, with all text
 * @count: number of @peers
 *
 * Peers that are new and AUTO are dialled; links of those that are gone stay.
 *
 * Return: 0 or -ENOMEM (nothing changed).
 */
int fips_node_set_peers(struct fips_node *n, const struct fips_clock *now,
			const struct fips_peer_config *peers, size_t count);

/**
 * fips_node_set_timing() - other values for a running node
 * @n: node
 * @now: time
 * @t: copied, but for @cache.coord_size and @cache.coord_ttl_secs, which stay
 *
 * Nothing established is dropped; keys in use are renewed by the new age.
 */
void fips_node_set_timing(struct fips_node *n, const struct fips_clock *now,
			  const struct fips_node_timing *t);

/**
 * fips_node_connect() - operator's connect (spec 13): dial once, no auto-reconnect
 * @n: node
 * @now: time
 * @id: whom
 * @addr: where
 * @why: written with a sentence on failure
 * @why_len: size of @why
 *
 * Return: 0 (dialling), 1 (dialling although connected: refreshed), negative errno.
 */
int fips_node_connect(struct fips_node *n, const struct fips_clock *now,
		      const struct fips_identity *id, const struct fips_peer_addr *addr, char *why,
		      size_t why_len);

/* Operator's disconnect: Disconnect(0x06), no redial. 0 or -ENOENT. */
int fips_node_disconnect(struct fips_node *n, const struct fips_clock *now,
			 const struct fips_node_addr *addr);

/**
 * fips_node_set_acl() - replace the access lists (spec 03 §17)
 * @n: node
 * @now: time
 * @acl: copied
 *
 * Peers that are now denied get a Disconnect and are gone; all others keep
 * their links. Configured peers that have none are dialled.
 *
 * Return: 0 or -ENOMEM (the old lists stay).
 */
int fips_node_set_acl(struct fips_node *n, const struct fips_clock *now,
		      const struct fips_acl *acl);

/* Is the key in the identity cache? Does not count as a use of it. */
bool fips_node_knows(const struct fips_node *n, const struct fips_identity *id);

/* Make a key known to the identity cache (DNS answers, hosts). */
void fips_node_learn(struct fips_node *n, const struct fips_clock *now,
		     const struct fips_identity *id);

/**
 * fips_node_drain() - graceful shutdown (spec 03 §20): Disconnect(0) to every peer, dial no more
 * @n: node
 * @now: time
 *
 * Return: true if there was any peer to tell.
 */
bool fips_node_drain(struct fips_node *n, const struct fips_clock *now);

/* ---- Takeover: a data plane that outlived its daemon is full of links already. ---- */

/**
 * struct fips_saved_link - a link as the data plane has it
 * @id: its number
 * @transport_id: transport, known to the node by FIPS_EV_TRANSPORT_UP
 * @remote: the peer's endpoint
 * @mtu: largest frame
 * @established: a frame has authenticated, or we were the initiator with keys
 * @local_index: of the current slot
 * @remote_index: of the current slot
 * @k_bit: of the current slot
 * @owner: owner data
 * @owner_len: its length
 */
struct fips_saved_link {
	u32 id;
	u32 transport_id;
	struct fips_taddr remote;
	u16 mtu;
	bool established;
	u32 local_index;
	u32 remote_index;
	u8 k_bit;
	const void *owner;
	size_t owner_len;
};

/**
 * struct fips_saved_session - a session as the data plane has it
 * @remote: far end
 * @path_mtu: largest frame of the path
 * @has_key: the current slot has keys
 * @k_bit: of the current slot
 * @owner: owner data
 * @owner_len: its length
 */
struct fips_saved_session {
	struct fips_node_addr remote;
	u16 path_mtu;
	bool has_key;
	u8 k_bit;
	const void *owner;
	size_t owner_len;
};

/**
 * fips_node_saved_epoch() - startup epoch of the predecessor, for struct fips_node_setup
 * @owner: owner data of the device
 * @len: its length
 * @epoch: %FIPS_EPOCH_LEN bytes, written
 *
 * Return: false if the device has none.
 */
bool fips_node_saved_epoch(const void *owner, size_t len, u8 *epoch);

/**
 * fips_node_restore_link() - take a link over
 * @n: node, with its transports up and before fips_node_set_peers()
 * @now: time
 * @saved: the link; oldest (smallest id) first, since the newest one of a peer is used
 *
 * Return: 0; a negative errno if it was of no use: then it is gone from the data plane.
 */
int fips_node_restore_link(struct fips_node *n, const struct fips_clock *now,
			   const struct fips_saved_link *saved);

/* The same for a session; after the links. */
int fips_node_restore_session(struct fips_node *n, const struct fips_clock *now,
			      const struct fips_saved_session *saved);

/* ---- Views for the control socket; strings and pointers are valid until the next call. ---- */

/**
 * struct fips_mmp_view - metrics of a peer or session (spec 13 §5.8)
 * @mode: what we send: "full", "lightweight", "minimal"
 * @initiator: role in the spin bit
 * @metrics: what its reports say; borrowed
 * @spin_rtt_us: by the spin bit, 0 if there is none
 * @jitter_us: that we measure
 * @ce: frames that came with CE in this key epoch
 */
struct fips_mmp_view {
	const char *mode;
	bool initiator;
	const struct fips_mmp_metrics *metrics;
	u64 spin_rtt_us;
	u32 jitter_us;
	u32 ce;
};

struct fips_peer_view {
	const struct fips_identity *id;
	const char *alias;		/* or NULL */
	u32 link_id;
	u32 transport_id;
	struct fips_taddr remote;
	bool outbound;
	u64 authenticated_wall_ms;
	u32 our_index;
	u16 mtu;
	bool has_tree_position;
	bool has_filter;
	bool is_parent;
	bool is_child;
	bool has_depth;
	double effective_depth;
	u64 filter_sequence;
	u8 k_bit;
	bool rekeying;			/* new keys are being made, or wait for proof */
	bool draining;			/* old keys still receive */
	bool congested;			/* what we forward over it gets CE */
	struct fips_mmp_view mmp;
};

/* A handshake in progress (show_connections) */
struct fips_leg_view {
	u32 link_id;
	u32 transport_id;
	struct fips_taddr remote;
	bool outbound;
	const char *state;		/* "initial", "sent_msg1", "received_msg1" */
	u64 started_wall_ms;
	u64 idle_ms;
	u32 resends;
	const struct fips_identity *expected;	/* or NULL */
};

struct fips_link_view {
	u32 link_id;
	u32 transport_id;
	struct fips_taddr remote;
	bool outbound;
	const char *state;		/* "connecting", "connected" */
	u64 created_wall_ms;
};

struct fips_session_view {
	struct fips_node_addr remote;
	const struct fips_identity *id;	/* NULL while a responder waits for msg3 */
	const char *alias;
	const char *state;		/* "initiating", "awaiting_msg3", "established" */
	bool initiator;
	u64 last_activity_wall_ms;
	u64 started_wall_ms;		/* of the established session */
	u32 resends;
	u8 warmup_remaining;
	u8 k_bit;
	bool rekeying;
	bool draining;
	u16 observed_mtu;		/* of the far end's datagrams, 65535 if none came */
	struct fips_mmp_view mmp;
};

/* Retry schedule (show_routing) */
struct fips_retry_view {
	struct fips_node_addr addr;
	u32 count;
	u64 due_wall_ms;
	bool auto_reconnect;
};

struct fips_identity_view {
	const struct fips_identity *id;
	u64 last_seen_wall_ms;
};

/* By the names of spec 07 I. */
struct fips_lookup_counters {
	u64 req_received;
	u64 req_decode_error;
	u64 req_duplicate;
	u64 req_dedup_cache_full;
	u64 req_target_is_us;
	u64 req_forwarded;
	u64 req_ttl_exhausted;
	u64 req_initiated;
	u64 req_deduplicated;
	u64 req_backoff_suppressed;
	u64 req_forward_rate_limited;
	u64 req_bloom_miss;
	u64 req_no_tree_peer;
	u64 req_fallback_forwarded;
	u64 resp_received;
	u64 resp_decode_error;
	u64 resp_forwarded;
	u64 resp_identity_miss;
	u64 resp_proof_failed;
	u64 resp_no_route;
	u64 resp_accepted;
	u64 resp_timed_out;
};

/* Handshake, transport and session counters by the names of specs 03 §25 and 08 §15, and ours. */
struct fips_node_counters {
	u64 payload_len_mismatch;
	u64 link_malformed;		/* messages of peers: too short */
	u64 link_unknown;		/* of no type that we know */
	u64 session_malformed;		/* datagrams for us that are no session message */
	u64 signal_malformed;
	u64 coords_malformed;		/* lists in passing datagrams (07 A) */
	u64 handshake_bad_state;
	u64 handshake_unknown_connection;
	u64 msg1_rate_limited;		/* a share of CPU or the rate of its source is used up */
	u64 msg1_replayed;		/* answered from the cache, no Diffie-Hellman */
	u64 acl_outbound_connect;	/* rejected by ACL, by when */
	u64 acl_inbound_handshake;
	u64 acl_outbound_handshake;
	u64 acl_promotion;
	u64 acl_reload;
	u64 msg2_ignored;		/* did not authenticate; the attempt goes on */
	u64 candidates_evicted;
	u64 candidates_expired;
	u64 peer_restarts;
	u64 peers_lost;			/* they fell silent */
	u64 session_unknown;
	u64 session_bad_state;
	u64 session_addr_mismatch;
	u64 session_ack_failed;
	u64 session_msg3_failed;
	u64 session_setup_rate_limited;
	u64 signal_unbound;
	u64 signal_forged;
	u64 signal_unbound_coords;
	u64 signal_unbound_broken;
	u64 signal_unbound_mtu;
	u64 signal_coords_required;
	u64 signal_path_broken;
	u64 signal_mtu_exceeded;
	u64 signal_mtu_below_floor;
	u64 signals_sent;
	u64 mmp_decode_error;
	u64 mmp_absurd;			/* reports of what was never sent */
	u64 mmp_stale;
	u64 session_no_port;		/* Data for a port that nobody listens on */
	u64 path_mtu_sent;
	u64 path_mtu_below_floor;
	u64 congestion_begun;		/* a link became congested */
	u64 tree_sent;
	u64 tree_rate_limited;
	u64 tree_send_failed;
	u64 tree_sign_failed;
	u64 tree_too_deep;		/* a smaller root is out of reach */
	u64 tree_parked;		/* over the inbound limit, looked at later */
	u64 tree_root_lowered;		/* a neighbour told of a root smaller than ours */
	u64 bloom_received;
	u64 bloom_accepted;
	u64 bloom_decode_error;
	u64 bloom_non_v1;
	u64 bloom_stale;
	u64 bloom_fill_exceeded;
	u64 bloom_parked;		/* over the inbound limit, looked at later */
	u64 bloom_sent;
	u64 bloom_debounced;
	u64 bloom_send_failed;
	u64 bloom_outdated;		/* of new children, made before they were */
	u64 bloom_left_out;		/* shares that did not fit under the cap */
	u64 lookup_unasked;		/* responses that nobody asked for */
	u64 lookup_again;		/* responses beyond the first of a neighbour */
	u64 lookup_mtu_below_floor;
	struct fips_lookup_counters lookup;
	u64 rekey_started;		/* link: our msg1 went out */
	u64 rekey_completed;		/* ours: in use, shown by the peer or after a wait */
	u64 rekey_abandoned;		/* ours: no answer */
	u64 rekey_promoted;		/* the peer's: in use */
	u64 rekey_expired;		/* the peer's: it never used the keys */
	u64 rekey_tiebreak;		/* the peer's, refused for ours */
	u64 rekey_yielded;		/* ours, given up for the peer's */
	u64 session_rekey_started;
	u64 session_rekey_completed;
	u64 session_rekey_abandoned;
	u64 session_rekey_promoted;
	u64 session_rekey_expired;	/* the far end's: replaced before it was used */
	u64 session_rekey_tiebreak;
	u64 session_rekey_yielded;
};

/* The whole node at a glance */
struct fips_node_view {
	const struct fips_identity *self;
	bool draining;
	size_t peers, legs, links, sessions, transports, identities, retries;
	u16 transport_mtu;
	struct fips_node_counters counters;
};

void fips_node_view(const struct fips_node *n, const struct fips_clock *now,
		    struct fips_node_view *v);

/* Our place in the mesh (show_tree, show_bloom); pointers are borrowed until the next call. */
struct fips_mesh_view {
	struct fips_coords coords;
	struct fips_node_addr parent;	/* ourselves when root */
	bool is_root;
	u64 sequence;
	const struct fips_tree_stats *tree;
	u64 filter_sequence;
	u32 filter_max;
	const struct fips_bloom *uptree;	/* filter the parent got last, or NULL */
	bool size_known;
	double size;
	size_t routes;
	size_t requests;
	u32 coord_entries;
	const struct fips_coord_stats *coord_stats;
};

/* A neighbour's */
struct fips_mesh_peer_view {
	const struct fips_identity *id;
	const char *alias;
	struct fips_coords coords;	/* count 0: it declared none */
	u32 distance;			/* or FIPS_DISTANCE_INF */
	bool is_parent;
	bool is_child;
	bool has_depth;
	double effective_depth;
	const struct fips_bloom_peer *filter;
};

struct fips_lookup_view {
	struct fips_node_addr target;
	u32 attempt;
	u64 started_wall_ms;
	u64 sent_wall_ms;
	u64 age_ms;
};

struct fips_coord_view {
	struct fips_coord_info info;
	u64 age_ms;
	u64 last_used_wall_ms;
};

void fips_node_mesh_view(struct fips_node *n, const struct fips_clock *now,
			 struct fips_mesh_view *v);
void fips_node_each_mesh_peer(const struct fips_node *n,
			      void (*fn)(void *arg, const struct fips_mesh_peer_view *v),
			      void *arg);
void fips_node_each_lookup(const struct fips_node *n, const struct fips_clock *now,
			   void (*fn)(void *arg, const struct fips_lookup_view *v), void *arg);
void fips_node_each_coord(const struct fips_node *n, const struct fips_clock *now,
			  void (*fn)(void *arg, const struct fips_coord_view *v), void *arg);

/* Each calls @fn for every object; @fn must not change the node. */
void fips_node_each_peer(const struct fips_node *n, const struct fips_clock *now,
			 void (*fn)(void *arg, const struct fips_peer_view *v), void *arg);
void fips_node_each_leg(const struct fips_node *n, const struct fips_clock *now,
			void (*fn)(void *arg, const struct fips_leg_view *v), void *arg);
void fips_node_each_link(const struct fips_node *n, const struct fips_clock *now,
			 void (*fn)(void *arg, const struct fips_link_view *v), void *arg);
void fips_node_each_session(const struct fips_node *n, const struct fips_clock *now,
			    void (*fn)(void *arg, const struct fips_session_view *v), void *arg);
void fips_node_each_retry(const struct fips_node *n, const struct fips_clock *now,
			  void (*fn)(void *arg, const struct fips_retry_view *v), void *arg);
void fips_node_each_identity(const struct fips_node *n, const struct fips_clock *now,
			     void (*fn)(void *arg, const struct fips_identity_view *v), void *arg);

#endif /* FIPS_NODE_H */
