/* SPDX-License-Identifier: MIT */
/*
 * What the files of the node share. Nothing here is for others.
 *
 * Objects and who frees them:
 *   link     one handshake and what becomes of it; node_link_free()
 *   peer     authenticated neighbour, has one active link; node_peer_remove()
 *   dial     a node we may call: configured, or called by the operator
 *   session  end-to-end session with its handshakes; node_session_free()
 * Links and sessions refer to the others by node address, so that each may die first.
 *
 * Functions that may free an object take it last and say so.
 */
#ifndef _LIBFIPS_NODE_INTERNAL_H
#define _LIBFIPS_NODE_INTERNAL_H

#include <uthash.h>
#include <utlist.h>

#include "bucket.h"
#include "coords.h"
#include "fmp.h"
#include "fsp.h"
#include "index.h"
#include "node.h"
#include "node_mesh.h"
#include "node_mmp.h"
#include "noise.h"
#include "pathmtu.h"
#include "timer.h"

/* Fixed by spec 03 §24 and 08 §14 */
#define NODE_FIRST_RESEND_MS	1000
#define NODE_YOUNG_MS		30000	/* a crossing handshake is no rekey */
#define NODE_DRAIN_MS		10000	/* old keys stay for receive */
#define NODE_PATHS_PER_PEER	4

/*
 * Bounds of the tables that outsiders can grow. Policy everywhere: the oldest
 * of the same class goes, so that nobody takes the place of another class.
 */
#define NODE_MSG1_CACHE		1024	/* answered msg1s, least recently seen goes */
#define NODE_SOURCES		4096	/* source prefixes with a bucket, least recent goes */
#define NODE_CANDIDATES		1024	/* of strangers; as many again of those we know */
#define NODE_CANDIDATES_PREFIX	16	/* of strangers behind one source prefix */
#define NODE_CANDIDATES_PEER	2	/* of one node address */
#define NODE_STANDBY_PEER	4	/* old links of one peer that still receive */
#define NODE_HALF_OPEN		256	/* session handshakes as responder */
#define NODE_HALF_OPEN_VIA	64	/* of them brought by one neighbour */
#define NODE_HALF_OPEN_SRC	8	/* of them for one source */
#define NODE_SESSIONS		4096	/* new ones are refused beyond */

/*
 * Thousandths of one CPU that msg1s may cost us (node_admit.c). Reading one
 * is a Diffie-Hellman, answering it three more.
 */
#define NODE_CPU_READ		250	/* of strangers */
#define NODE_CPU_ANSWER		400	/* of strangers */
#define NODE_CPU_KNOWN		200	/* either, of known endpoints */
#define NODE_CPU_BURST_MS	100
#define NODE_DH_ANSWER		3
#define NODE_MSG1_GAP_MS	100	/* between answers to one and the same msg1 */

/* Ours */
#define NODE_MSG1_MEMORY_MS	600000	/* answered msg1s are known for so long */
#define NODE_HOLD_MS		2500	/* larger side waits for the smaller's handshake */
#define NODE_WAIT_LINK_MS	15000	/* packets wait for a link that is being dialled */
#define NODE_UNREACHABLE_MS	1000
#define NODE_TRANSIT_NO_MS	200	/* as long for others: each source is to hear of it */
#define NODE_PROOFS		2	/* repetitions, 1 and 3 s after new session keys */
#define NODE_MUTE_MS		10000	/* a far end that we talk to says nothing */
#define NODE_MUTE_CHECK_MS	5000
#define NODE_REKEY_MIN_AGE_MS	35000	/* the reference refuses before 30 s (02 §11.6) */
#define NODE_REKEY_JITTER_MS	15000	/* either way */
#define NODE_REKEY_PATIENCE_MS	45000	/* a reference that lost msg2 answers again after 31 s */
#define NODE_REKEY_DEAD_MS	40000	/* so long a silent peer is not given up meanwhile */
#define NODE_REKEY_PROBE_MS	250	/* second frame under new link keys */
#define NODE_REKEY_YIELD_MS	5000	/* an unproven rekey of the peer's keeps ours waiting */
#define NODE_REKEY_FORCE_MS	2000	/* data follows by then */
#define NODE_DEFEND_MS		3000	/* so long ours makes the larger address's wait */
#define NODE_REKEY_GAP_MS	3000	/* least age of a session's keys */
#define NODE_REKEY_RETRY_MS	31000	/* a refused Setup goes out no sooner (08 §18.2) */
#define NODE_MSG3_GAP_MS	250	/* between msg3s sent for duplicate Acks */
#define NODE_SOFT_LIMIT		((u64)1 << 60)
#define NODE_HARD_LIMIT		((u64)1 << 61)
#define NODE_MSG_ROOM		4096

enum node_link_state {
	NODE_LINK_DIALING,	/* msg1 sent */
	NODE_LINK_HELD,		/* msg2 came, the peer's own handshake should win (03 §28.1.7) */
	NODE_LINK_CANDIDATE,	/* msg2 sent, nothing proven (03 §28.1.3) */
	NODE_LINK_ACTIVE,	/* the link of its peer */
	NODE_LINK_STANDBY,	/* replaced; receives until the peer has left it */
	/* Rekey: guests in the slots of another link (node_rekey.c) */
	NODE_LINK_REKEY,	/* msg1 sent, its index is in the host's next slot */
	NODE_LINK_NEXT,		/* keys in the host's next slot, nothing proven */
	NODE_LINK_PREVIOUS,	/* the host's former index, drains in its previous slot */
};

struct node_path;
struct node_msg1;
struct node_dial;

/**
 * struct node_link - one handshake, as initiator or responder, and its keys in the data plane
 * @id: number in the data plane
 * @state: &enum node_link_state
 * @outbound: we sent msg1
 * @refresh: outbound: the peer had a link when we dialled, this one is to replace it
 * @early: DIALING: msg1 is to be sent again soon, for the peer may be starting, too
 * @probe: refresh: only to find out whether the peer is still the same
 * @asked: the peer asked for the current keys
 * @friendly: candidate: its node is configured or a peer
 * @transport_id: where
 * @remote: there
 * @mtu: largest frame
 * @our_index: in our tables
 * @their_index: valid when the keys are
 * @peer: who: proven, except for candidates
 * @epoch: their startup epoch, valid when the keys are
 * @k_bit: key-epoch bit of our frames
 * @created: mono ms
 * @created_wall: wall ms
 * @active_since: mono ms, of the current keys
 * @standby_since: mono ms
 * @noise: of an initiator until msg2 came
 * @msg1: to send again
 * @resends: times sent again
 * @resend: DIALING: when to
 * @expire: DIALING, HELD, CANDIDATE, STANDBY: end of that
 * @cache: candidate and what came of it: the answered msg1
 * @source: candidate: hash of the source prefix
 * @host: rekey: link whose slots it uses; such an object is not in the data plane itself
 * @guest: handshake that is to renew this link: REKEY or NEXT, or NULL
 * @old: its former keys: PREVIOUS, or NULL
 * @renewed: it has had a rekey
 * @used_up: the message count asks for a rekey
 * @path: table of endpoints
 * @path_prev: others on that endpoint
 * @path_next: same
 * @prev: all links, oldest first
 * @next: same
 * @hh: by @id
 */
struct node_link {
	u32 id;
	enum node_link_state state;
	bool outbound;
	bool refresh;
	bool early;
	bool probe;
	bool asked;
	bool friendly;
	u32 transport_id;
	struct fips_taddr remote;
	u16 mtu;
	u32 our_index;
	u32 their_index;
	struct fips_identity peer;
	u8 epoch[FIPS_EPOCH_LEN];
	u8 k_bit;
	u64 created;
	u64 created_wall;
	u64 active_since;
	u64 standby_since;
	struct fips_noise *noise;
	u8 msg1[FIPS_MSG1_LEN];
	u32 resends;
	struct fips_timer resend;
	struct fips_timer expire;
	struct node_msg1 *cache;
	u64 source;
	struct node_link *host;
	struct node_link *guest;
	struct node_link *old;
	bool renewed;
	bool used_up;
	struct node_path *path;
	struct node_link *path_prev;
	struct node_link *path_next;
	struct node_link *prev;
	struct node_link *next;
	UT_hash_handle hh;
};

/**
 * struct node_peer - an authenticated neighbour
 * @id: who
 * @epoch: its startup epoch
 * @link: active link, never NULL
 * @authenticated_wall: when it became one
 * @heartbeat: next one (03 §14.1)
 * @dead: when its silence is to be judged (03 §14.2)
 * @nudge: early heartbeats that prove our keys to a responder
 * @nudges: sent
 * @rekey: when our rekey is due
 * @setup_new: limiter of session setups for strangers (08 §13.1)
 * @setup_known: for established sessions
 * @mesh: tree, filter and lookups
 * @mmp: metrics
 * @congested: the data plane marks what goes over @link
 * @told_cost: cost that parent choice and routes looked at last, 0 = none
 * @hh: by node address
 */
struct node_peer {
	struct fips_identity id;
	u8 epoch[FIPS_EPOCH_LEN];
	struct node_link *link;
	u64 authenticated_wall;
	struct fips_timer heartbeat;
	struct fips_timer dead;
	struct fips_timer nudge;
	unsigned int nudges;
	struct fips_timer rekey;
	struct fips_bucket setup_new;
	struct fips_bucket setup_known;
	struct node_mesh_peer mesh;
	struct node_mmp mmp;
	bool congested;
	double told_cost;
	UT_hash_handle hh;
};

/* One address of a dial; both texts are owned. */
struct node_addr_text {
	char *transport;
	char *addr;
	u8 priority;
};

/**
 * struct node_dial - a node that may be dialled
 * @id: whom
 * @alias: display name or NULL
 * @addrs: by priority
 * @addr_count: number of @addrs
 * @policy: only AUTO dials by itself
 * @auto_reconnect: dial again when the link died
 * @configured: false: made by the operator's connect, goes when nothing is under way
 * @legs: handshakes in flight
 * @queries: host names being looked up
 * @entry: is there a retry entry (03 §18.3)?
 * @reconnect: its flag
 * @count: its count
 * @due: its instant
 * @retry: its timer
 * @hh: by node address
 */
struct node_dial {
	struct fips_identity id;
	char *alias;
	struct node_addr_text *addrs;
	size_t addr_count;
	enum fips_connect_policy policy;
	bool auto_reconnect;
	bool configured;
	unsigned int legs;
	unsigned int queries;
	bool entry;
	bool reconnect;
	u32 count;
	u64 due;
	struct fips_timer retry;
	UT_hash_handle hh;
};

/* A host name on its way through the resolver. */
struct node_query {
	u32 id;
	struct fips_node_addr peer;
	enum fips_transport_kind kind;
	struct node_query *prev;
	struct node_query *next;
};

struct node_transport {
	struct fips_transport_info info;
	struct node_transport *next;
};

/**
 * struct node_identity - identity cache (01 §8): IPv6 to key
 * @id: what is known
 * @pins: users; only unpinned ones are forgotten
 * @seen_wall: last use
 * @prev: unpinned ones, least recently used first
 * @next: same
 * @hh: by the 15 bytes that an IPv6 address carries
 */
struct node_identity {
	struct fips_identity id;
	unsigned int pins;
	u64 seen_wall;
	struct node_identity *prev;
	struct node_identity *next;
	UT_hash_handle hh;
};

/* ---- admission (node_admit.c) ---- */

#define NODE_MSG1_HASH_LEN	16

/**
 * struct node_msg1 - a msg1 that was answered (03 §28.1 step 1)
 * @hash: keyed hash of its bytes
 * @msg2: the answer
 * @link: whose; NULL when that is gone: then a repetition is a replay and dropped
 * @seen: mono ms of the first time
 * @answered: mono ms of the last answer
 * @prev: least recently answered first
 * @next: same
 * @hh: by @hash
 */
struct node_msg1 {
	u8 hash[NODE_MSG1_HASH_LEN];
	u8 msg2[FIPS_MSG2_LEN];
	struct node_link *link;
	u64 seen;
	u64 answered;
	struct node_msg1 *prev;
	struct node_msg1 *next;
	UT_hash_handle hh;
};

/**
 * struct node_source - what one source, or all of a prefix, may still cost us
 * @key: keyed hash of it
 * @cpu: its share of the CPU, 1 token = 1 ms
 * @answers: its handshakes
 * @prev: least recent first
 * @next: same
 * @hh: by @key
 */
struct node_source {
	u64 key;
	struct fips_bucket cpu;
	struct fips_bucket answers;
	struct node_source *prev;
	struct node_source *next;
	UT_hash_handle hh;
};

#define NODE_LEVELS	3	/* a source, its neighbourhood, its region */

/**
 * struct node_admit - who may cost us a handshake
 * @secret: key of the hashes, so that collisions can't be prepared
 * @dh: cost of a Diffie-Hellman in millionths of a ms
 * @read: CPU for reading the msg1s of all strangers
 * @answer: CPU for answering them
 * @known: CPU for both, of all that come from known endpoints
 * @read_rate: rates of these three
 * @answer_rate: same
 * @known_rate: same
 * @cpu_share: CPU of a source at each level
 * @answer_share: handshakes of a source at each level
 * @known_cpu: CPU of one known endpoint
 * @known_answers: handshakes of one known endpoint
 * @msg1s: answered msg1s, at most %NODE_MSG1_CACHE
 * @msg1_lru: same, in order
 * @sources: at most %NODE_SOURCES
 * @source_lru: same, in order
 */
struct node_admit {
	u8 secret[32];
	u64 dh;
	struct fips_bucket read;
	struct fips_bucket answer;
	struct fips_bucket known;
	struct fips_bucket_rate read_rate;
	struct fips_bucket_rate answer_rate;
	struct fips_bucket_rate known_rate;
	struct fips_bucket_rate cpu_share[NODE_LEVELS];
	struct fips_bucket_rate answer_share[NODE_LEVELS];
	struct fips_bucket_rate known_cpu;
	struct fips_bucket_rate known_answers;
	struct node_msg1 *msg1s;
	struct node_msg1 *msg1_lru;
	struct node_source *sources;
	struct node_source *source_lru;
};

/**
 * struct node_class - what the source of a msg1 says (03 §9.2)
 * @established: it is the endpoint of a peer's link or of a handshake of ours
 * @known: that, or the address of a configured peer
 * @owner: whose endpoint it is, valid with @established
 */
struct node_class {
	bool established;
	bool known;
	struct fips_node_addr owner;
};

/* ---- sessions (node_session*.c) ---- */

enum node_session_state {
	NODE_SESSION_WAITING,		/* packets wait until a link is there */
	NODE_SESSION_INITIATING,
	NODE_SESSION_AWAITING_MSG3,
	NODE_SESSION_ESTABLISHED,
};

struct node_session;

/**
 * struct node_half - one session handshake, own or of a responder
 * @session: belongs to
 * @noise: handshake
 * @eph: ephemeral of its msg1, which tells handshakes of one source apart
 * @via: responder: neighbour that brought it
 * @msg: Setup or Ack, to be sent again
 * @len: its length
 * @resends: times sent again
 * @created: mono ms
 * @resend: when to
 * @expire: end of patience
 * @s_prev: of one session, oldest first
 * @s_next: same
 * @prev: all of responders, oldest first
 * @next: same
 */
struct node_half {
	struct node_session *session;
	struct fips_noise *noise;
	u8 eph[FIPS_PUB33_LEN];
	struct fips_node_addr via;
	u8 *msg;
	size_t len;
	u32 resends;
	u64 created;
	struct fips_timer resend;
	struct fips_timer expire;
	struct node_half *s_prev;
	struct node_half *s_next;
	struct node_half *prev;
	struct node_half *next;
};

/**
 * struct node_session - what is known about the session with one node
 * @remote: far end
 * @id: it, valid with @has_id
 * @has_id: false for a responder until msg3
 * @installed: the data plane has it
 * @initiator: role in the first handshake
 * @confirmed: an inbound message authenticated
 * @probing: our rekey: keys are in the next slot, msg3 is retained, nothing proven
 * @used_up: the message count asks for a rekey
 * @state: &enum node_session_state
 * @k_bit: key-epoch bit of the current slot
 * @own: our handshake while INITIATING
 * @halves: handshakes as responder, at most %NODE_HALF_OPEN_SRC
 * @half_count: number of @halves
 * @msg3: retained until @confirmed (08 §18.1)
 * @msg3_len: 0: nothing retained
 * @msg3_resends: times sent again by the timer
 * @msg3_sent: mono ms of the last time
 * @seen_msg3: responder: the msg3 that made the newest keys, to know a repetition
 * @done_eph: ephemeral of the msg1 that made them, for the same reason
 * @established: mono ms, of the current keys
 * @next_since: mono ms: keys of a rekey came into the next slot, 0 = it is empty
 * @established_wall: wall ms
 * @activity: mono ms, lower bound of the last Data
 * @warm: CoordsWarmups that are to tell the far end of our new place
 * @warmup_sent: mono ms of the last CoordsWarmup sent for a signal, 0 = never
 * @mtu: path MTU, both ways
 * @mtu_told_at: frames received, but for reports, when we notified last
 * @mmp: metrics
 * @timer: WAITING: end of it; ESTABLISHED: idle check
 * @msg3_timer: next repetition
 * @drain: PREVIOUS slot goes
 * @rekey: when our rekey is due
 * @proofs: messages under new keys that are still to be sent for their own sake
 * @mute: when the far end's silence is to be judged
 * @mute_tx: send counter at the last time
 * @hh: by @remote
 */
struct node_session {
	struct fips_node_addr remote;
	struct fips_identity id;
	bool has_id;
	bool installed;
	bool initiator;
	bool confirmed;
	bool probing;
	bool used_up;
	enum node_session_state state;
	u8 k_bit;
	struct node_half *own;
	struct node_half *halves;
	unsigned int half_count;
	u8 msg3[FIPS_PREFIX_LEN + 3 + FIPS_NOISE_XK3_LEN];
	size_t msg3_len;
	u32 msg3_resends;
	u64 msg3_sent;
	u8 seen_msg3[FIPS_NOISE_XK3_LEN];
	u8 done_eph[FIPS_PUB33_LEN];
	u64 established;
	u64 next_since;
	u64 established_wall;
	u64 activity;
	u8 warm;
	u64 warmup_sent;
	struct fips_pathmtu mtu;
	u64 mtu_told_at;
	struct node_mmp mmp;
	struct fips_timer timer;
	struct fips_timer msg3_timer;
	struct fips_timer drain;
	struct fips_timer rekey;
	u8 proofs;
	struct fips_timer mute;
	u64 mute_tx;
	UT_hash_handle hh;
};

/* When the lists are asked (03 §17.5). */
enum node_acl_when {
	NODE_ACL_OUTBOUND_CONNECT,
	NODE_ACL_INBOUND_HANDSHAKE,
	NODE_ACL_OUTBOUND_HANDSHAKE,
	NODE_ACL_PROMOTION,
	NODE_ACL_RELOAD,
};

/**
 * struct node_acl_log - lines about the rejected
 * @bucket: how many more
 * @skipped: lines that were one too many
 * @begun: @bucket has been filled
 */
struct node_acl_log {
	struct fips_bucket bucket;
	u64 skipped;
	bool begun;
};

/**
 * struct fips_node - the node
 * @now: of the call that is running
 */
struct fips_node {
	struct fips_clock now;
	const struct fips_node_ops *ops;
	void *ctx;
	const struct fips_dp_ops *dp;
	void *dp_ctx;
	struct fips_node_timing timing;
	const struct node_rules *rules;
	struct fips_noise_env env;
	struct fips_timers timers;
	u64 wake;
	bool draining;
	u16 transport_mtu;
	u32 next_link;
	u32 next_query;
	struct fips_indices indices;
	struct node_transport *transports;	/* by id */
	struct node_link *links;
	struct node_link *link_list;
	size_t n_links;
	struct node_path *paths;
	struct node_peer *peers;
	struct node_dial *dials;
	struct node_query *queries;
	struct node_admit admit;
	struct fips_acl acl;
	struct node_acl_log acl_log;
	struct node_identity *identities;
	struct node_identity *identity_lru;
	size_t n_identities;
	struct node_session *sessions;
	struct node_half *half_list;
	size_t n_halves;
	struct fips_bucket_rate setup_new_rate;
	struct fips_bucket_rate setup_known_rate;
	struct node_mesh mesh;
	struct fips_node_counters counters;
};

#define node_container(ptr, type, member) \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))

/* node.c */
__attribute__((format(printf, 3, 4)))
void node_log(const struct fips_node *n, enum fips_log_level level, const char *fmt, ...);
/* First and last statement of every call from outside. */
void node_enter(struct fips_node *n, const struct fips_clock *now);
void node_leave(struct fips_node *n);
struct node_transport *node_transport_find(const struct fips_node *n, u32 id);
u64 node_resend_delay(const struct fips_node *n, u32 resends);
u64 node_handshake_timeout(const struct fips_node *n);
int node_dev_set(struct fips_node *n);
const char *node_name(const struct fips_node *n, const struct fips_node_addr *addr,
		      char text[static FIPS_SHORT_ADDR_SIZE]);

/* node_acl.c. Counts and logs a "no". */
bool node_acl_allows(struct fips_node *n, const struct fips_identity *id, enum node_acl_when when);

/* node_link.c */
struct node_link *node_link_new(struct fips_node *n, u32 transport_id,
				const struct fips_taddr *remote, const struct fips_identity *peer);
struct node_link *node_link_adopt(struct fips_node *n, const struct fips_saved_link *saved,
				  const struct fips_identity *peer);
void node_link_free(struct fips_node *n, struct node_link *l);
int node_link_install(struct fips_node *n, struct node_link *l, const struct fips_noise *noise);
void node_link_moved(struct fips_node *n, struct node_link *l, u32 transport_id,
		     const struct fips_taddr *remote);
void node_link_enter(struct fips_node *n, struct node_link *l, enum node_link_state state);
struct node_link *node_link_find(const struct fips_node *n, u32 id);
struct node_link *node_link_on_path(const struct fips_node *n, u32 transport_id,
				    const struct fips_taddr *remote);
struct node_link *node_link_of_peer(const struct fips_node *n, const struct fips_node_addr *peer,
				    enum node_link_state state);
bool node_link_dialing(const struct fips_node *n, u32 transport_id, const struct fips_taddr *remote,
		       const struct fips_node_addr *peer);
bool node_link_heard(const struct fips_node *n, const struct node_link *l, u64 *silent);
int node_link_xmit(struct fips_node *n, const struct node_link *l, const void *msg, size_t len);
void node_link_heartbeat(struct fips_node *n, const struct node_link *l);

/* node_config.c: another configuration for a running node */
void node_setup_rates(struct fips_node *n);

/* node_admit.c */
int node_admit_init(struct fips_node *n);
void node_admit_rates(struct fips_node *n);
void node_admit_destroy(struct fips_node *n);
struct node_class node_admit_classify(const struct fips_node *n, u32 transport_id,
				      const struct fips_taddr *from);
bool node_admit_read(struct fips_node *n, const struct node_class *class, u32 transport_id,
		     const struct fips_taddr *from);
bool node_admit_answer(struct fips_node *n, const struct node_class *class, u32 transport_id,
		       const struct fips_taddr *from);
u64 node_admit_prefix(const struct fips_node *n, const struct fips_taddr *from);
struct node_msg1 *node_admit_seen(struct fips_node *n, const u8 *msg1);
struct node_msg1 *node_admit_remember(struct fips_node *n, const u8 *msg1, const u8 *msg2,
				      struct node_link *l);
void node_admit_forget(struct fips_node *n, struct node_msg1 *m);
void node_rate_known(const struct fips_node_timing *t, u32 burst, double rate, bool fixed_burst,
		     struct fips_bucket_rate *out);

/* node_leg.c */
int node_leg_start(struct fips_node *n, struct node_dial *d, const struct node_transport *t,
		   const struct fips_taddr *to);
void node_leg_msg2(struct fips_node *n, u32 transport_id, const struct fips_taddr *from,
		   const u8 *data, size_t len);
void node_leg_fail(struct fips_node *n, struct node_link *l);
void node_leg_hold_over(struct fips_node *n, struct node_link *l);
void node_leg_cancel(struct fips_node *n, const struct fips_node_addr *peer);
void node_leg_cancel_refresh(struct fips_node *n, const struct fips_node_addr *peer);
void node_leg_resend(void *owner, struct fips_timer *t);
int node_leg_build(struct fips_node *n, struct node_link *l);

/* node_candidate.c */
void node_candidate_msg1(struct fips_node *n, u32 transport_id, const struct fips_taddr *from,
			 const u8 *data, size_t len);
void node_candidate_confirm(struct fips_node *n, struct node_link *l);

/* node_rekey.c: renewal of a link's keys */
u64 node_rekey_interval(struct fips_node *n);
u64 node_rekey_soft_limit(const struct fips_node *n);
void node_rekey_due(void *owner, struct fips_timer *t);
void node_rekey_arm(struct fips_node *n, struct node_peer *p);
void node_rekey_limit(struct fips_node *n, struct node_peer *p);
void node_rekey_timer(struct fips_node *n, struct node_link *g);
void node_rekey_expired(struct fips_node *n, struct node_link *g);
void node_rekey_msg2(struct fips_node *n, struct node_link *g);
void node_rekey_key_used(struct fips_node *n, struct node_peer *p);
void node_rekey_cancel(struct fips_node *n, struct node_link *host);
bool node_rekey_in_flight(const struct fips_node *n, const struct node_peer *p);
bool node_rekey_defends(struct fips_node *n, const struct node_peer *p);
struct node_link *node_rekey_host(struct fips_node *n, struct node_peer *p);

/* node_peer.c */
struct node_peer *node_peer_find(const struct fips_node *n, const struct fips_node_addr *addr);
bool node_peer_room(const struct fips_node *n, const struct fips_node_addr *addr);
bool node_peer_friend(const struct fips_node *n, const struct fips_node_addr *addr);
int node_peer_promote(struct fips_node *n, struct node_link *l);
void node_peer_go_back(struct fips_node *n, struct node_peer *p, struct node_link *l);
void node_peer_disconnect(struct fips_node *n, const struct node_peer *p, u8 reason);
void node_peer_remove(struct fips_node *n, struct node_peer *p, const char *why, bool reflex);
void node_peer_proved(struct fips_node *n, struct node_peer *p);

/* node_dial.c */
struct node_dial *node_dial_find(const struct fips_node *n, const struct fips_node_addr *addr);
bool node_dial_under_way(const struct fips_node *n, const struct fips_node_addr *addr);
void node_dial_leg_done(struct fips_node *n, const struct fips_node_addr *addr, bool failed);
void node_dial_connected(struct fips_node *n, const struct fips_node_addr *addr);
void node_dial_link_dead(struct fips_node *n, const struct fips_node_addr *addr);
int node_dial_path(struct fips_node *n, const struct fips_identity *id, u32 transport_id,
		   const struct fips_taddr *to);
int node_dial_configure(struct fips_node *n, const struct fips_peer_config *peers, size_t count);
int node_dial_once(struct fips_node *n, const struct fips_identity *id,
		   const struct fips_peer_addr *addr);
void node_dial_probe(struct fips_node *n, const struct fips_node_addr *addr);
void node_dial_transport_up(struct fips_node *n);
void node_dial_resolved(struct fips_node *n, const struct fips_event *ev);
void node_dial_stop(struct fips_node *n);
void node_dial_destroy(struct fips_node *n);

/* node_identity.c */
struct node_identity *node_identity_add(struct fips_node *n, const struct fips_identity *id);
void node_identity_pin(struct fips_node *n, const struct fips_identity *id);
void node_identity_unpin(struct fips_node *n, const struct fips_identity *id);
struct node_identity *node_identity_by_ipv6(struct fips_node *n, const u8 *ipv6);
bool node_identity_known(const struct fips_node *n, const struct fips_identity *id);
void node_identity_destroy(struct fips_node *n);

/* node_session.c */
struct node_session *node_session_find(const struct fips_node *n,
				       const struct fips_node_addr *remote);
struct node_session *node_session_new(struct fips_node *n, const struct fips_node_addr *remote);
void node_session_free(struct fips_node *n, struct node_session *s);
void node_session_enter(struct fips_node *n, struct node_session *s,
			enum node_session_state state);
int node_session_prepare(struct fips_node *n, struct node_session *s);
int node_session_install(struct fips_node *n, struct node_session *s,
			 const struct fips_noise *noise);
int node_session_send(struct fips_node *n, const struct fips_node_addr *remote, const u8 *msg,
		      size_t len);
void node_session_learn(struct fips_node *n, struct node_session *s,
			const struct fips_identity *id);
void node_session_warm(struct fips_node *n, struct node_session *s);
u8 node_session_warmup_left(const struct fips_node *n, const struct node_session *s);
void node_session_tell_mtu(struct fips_node *n, struct node_session *s);
void node_session_destroy(struct fips_node *n);

/* node_session_half.c: handshakes of a session */
/* Packets of ours wait behind a half-open session? */
void node_half_own_traffic(struct fips_node *n, struct node_session *s);
struct node_half *node_half_new(struct fips_node *n, struct node_session *s,
				struct fips_noise *noise, const u8 *eph);
void node_half_free(struct fips_node *n, struct node_half *h);
void node_half_drop_all(struct fips_node *n, struct node_session *s);
int node_half_send(struct fips_node *n, struct node_half *h);
void node_half_moved(struct fips_node *n, struct node_half *h);
int node_half_keep(struct fips_node *n, struct node_half *h, const u8 *msg, size_t len);
void node_half_make_room(struct fips_node *n, struct node_session *s,
			 const struct fips_node_addr *via);
void node_half_enlist(struct fips_node *n, struct node_half *h, const struct fips_node_addr *via);

/* node_session_init.c, node_session_resp.c, node_session_ev.c */
int node_session_initiate(struct fips_node *n, struct node_session *s);
int node_session_renew(struct fips_node *n, struct node_session *s, bool repeat);
void node_session_send_msg3(struct fips_node *n, struct node_session *s);
void node_session_ack(struct fips_node *n, const struct fips_node_addr *src,
		      const struct fips_fsp_handshake *hs);
void node_session_msg3_stop(struct fips_node *n, struct node_session *s);
void node_session_msg3_timer(void *owner, struct fips_timer *t);
void node_session_prove(struct fips_node *n, struct node_session *s, u32 slot);
void node_session_setup(struct fips_node *n, struct node_peer *via,
			const struct fips_node_addr *src, const struct fips_fsp_handshake *hs);
void node_session_msg3(struct fips_node *n, const struct fips_node_addr *src,
		       const struct fips_fsp_handshake *hs);
void node_session_datagram(struct fips_node *n, struct node_peer *via,
			   const struct fips_datagram *dgram);
void node_session_miss(struct fips_node *n, const u8 *ipv6);
void node_session_unknown(struct fips_node *n, const struct fips_node_addr *remote);
void node_session_message(struct fips_node *n, const struct fips_event *ev);
void node_session_key_used(struct fips_node *n, const struct fips_node_addr *remote, u32 slot);
void node_session_link_up(struct fips_node *n, const struct fips_node_addr *peer);
void node_session_gone(struct fips_node *n, const struct fips_node_addr *remote);

/* node_session_rekey.c */
void node_session_mute_check(void *owner, struct fips_timer *t);
void node_session_rekey_due(void *owner, struct fips_timer *t);
void node_session_rekey_arm(struct fips_node *n, struct node_session *s, u64 not_before);
void node_session_rekey_limit(struct fips_node *n, const struct fips_node_addr *remote);
void node_session_rekey_probe(struct fips_node *n, struct node_session *s);
void node_session_rekey_timer(struct fips_node *n, struct node_session *s);
void node_session_rekey_failed(struct fips_node *n, struct node_session *s);
void node_session_rekey_ack(struct fips_node *n, struct node_session *s);
bool node_session_rekey_defends(struct fips_node *n, struct node_session *s);
bool node_session_rekey_pending(struct fips_node *n, struct node_session *s);
void node_session_cutover(struct fips_node *n, struct node_session *s);

/* node_signal.c */
void node_signal(struct fips_node *n, const struct fips_datagram *dgram);
void node_session_lower_mtu(struct fips_node *n, struct node_session *s, u16 mtu);

/* node_takeover.c: what a successor has to know */
int node_owner_dev(struct fips_node *n);
void node_owner_link(struct fips_node *n, const struct node_link *l);
void node_owner_session(struct fips_node *n, const struct node_session *s);

#endif /* _LIBFIPS_NODE_INTERNAL_H */
