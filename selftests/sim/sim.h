/* SPDX-License-Identifier: MIT */
/*
 * The simulator: real nodes (libfips) on real packet cores, a simulated wire
 * between them, one virtual time, one seed. See Documentation/simulation.rst.
 *
 * Everything runs on one thread from one queue. Nothing here depends on the
 * order of pointers or on floating point.
 */
#ifndef SIM_H
#define SIM_H

#include <uthash.h>

#include "clock.h"
#include "core.h"
#include "counts.h"
#include "queue.h"
#include "rng.h"
#include "scenario.h"

struct sim;
struct sim_node;
struct sim_frame;
struct sim_flow;
struct sim_reply;

#define SIM_TRANSPORT	1	/* the one transport of each node */
#define SIM_PORT	2121
#define SIM_NOBODY	(~(u32)0)

/* ---- the event log (note.c) ---- */

enum sim_note {
	SIM_NOTE_START,		/* a life of a node begins; a: its number */
	SIM_NOTE_STOP,		/* and ends */
	SIM_NOTE_TIMER,		/* the node's wish to be woken is fulfilled */
	SIM_NOTE_EVENT,		/* an event for the node; a: type, b: link or length */
	SIM_NOTE_EVENT_LOST,
	SIM_NOTE_OP,		/* a command of the node; a: which, b: answer */
	SIM_NOTE_SEND,		/* a frame leaves; a: destination, b: length */
	SIM_NOTE_RECV,		/* and arrives; a: source, b: length */
	SIM_NOTE_LOSS,		/* or does not; a: destination, b: why */
	SIM_NOTE_PING,		/* a packet of the stack; a: destination, b: its number */
	SIM_NOTE_DELIVERY,	/* a: source, b: number */
	SIM_NOTE_REPLY,
	SIM_NOTE_REFUSED,	/* ICMPv6 error of the own data plane */
	SIM_NOTE_LOG,		/* a line of the node */
	SIM_NOTE_FAULT,		/* a line of the schedule */
	SIM_NOTE_CHECK,		/* a look at everything; a: peers in all */
	SIM_NOTES,
};

/**
 * struct sim_log - the event log
 * @h: digest of all notes so far
 * @count: their number
 * @out: where they are written, or NULL
 */
struct sim_log {
	u64 h[2];
	u64 count;
	FILE *out;
};

/* Note something; @bytes count for the digest, texts are shown. */
void sim_note(struct sim *s, enum sim_note what, u32 node, u64 a, u64 b, const void *bytes,
	      size_t len);

/* Why a data plane dropped something: readable log only. */
void sim_note_drop(struct sim_node *n, const char *why);

/* ---- wires (wire.c) ---- */

enum sim_loss {
	SIM_LOSS_DICE,
	SIM_LOSS_CUT,
	SIM_LOSS_QUEUE,
	SIM_LOSS_MTU,
	SIM_LOSS_NO_WIRE,	/* to somebody who is no neighbour */
	SIM_LOSS_MOVED,		/* to an endpoint the node has left */
	SIM_LOSS_DOWN,		/* the node is not running */
	SIM_LOSSES,
};

extern const char *const sim_loss_names[SIM_LOSSES];

/**
 * struct sim_half - one direction of a wire
 * @cfg: as it is now
 * @cut: it carries nothing
 * @busy: rate limit: until when the line is occupied
 * @last: when the newest frame arrives, so that jitter alone does not reorder
 * @rng: stream
 * @frames: carried
 * @bytes: same
 */
struct sim_half {
	struct sim_wire_cfg cfg;
	bool cut;
	u64 busy;
	u64 last;
	struct sim_rng rng;
	u64 frames;
	u64 bytes;
};

/**
 * struct sim_edge - a wire and the configured peering over it
 * @end: nodes; the first is the smaller number
 * @dial: does this end dial the other?
 * @base: half[].cfg at the start and after a heal
 * @half: [0] from end[0] to end[1], [1] back
 */
struct sim_edge {
	u32 end[2];
	bool dial[2];
	struct sim_wire_cfg base;
	struct sim_half half[2];
};

void sim_wire_init(struct sim *s);
/* Memory for a frame to be sent by sim_wire_send(). */
struct sim_frame *sim_frame_new(size_t len);
u8 *sim_frame_data(struct sim_frame *f);
/* Takes the frame. */
void sim_wire_send(struct sim_node *n, const struct fips_taddr *to, struct sim_frame *f);
/* Frees what is still under way. */
void sim_wire_flush(struct sim *s);
struct sim_edge *sim_edge_find(struct sim *s, u32 a, u32 b);
static inline u32 sim_edge_other(const struct sim_edge *e, u32 node)
{
	return e->end[0] == node ? e->end[1] : e->end[0];
}

/* ---- nodes (life.c) ---- */

/* What a frame is for, as far as its sender's side knows. */
enum sim_tx_class {
	SIM_TX_DATA,		/* packets of the stack */
	SIM_TX_TRANSIT,		/* forwarded, or answered by the data plane */
	SIM_TX_RAW,		/* msg1, msg2 */
	SIM_TX_LINK,		/* link messages of the node */
	SIM_TX_SESSION,		/* session messages of the node */
	SIM_TX_CLASSES,
};

extern const char *const sim_tx_names[SIM_TX_CLASSES];
extern const char *const sim_drop_names[FIPS_DROP_REASONS];

/**
 * struct sim_node_stats - what one node did, all lives together
 * @frames: sent, by class
 * @bytes: same
 * @types: link messages of the node by type: frames
 * @type_bytes: same
 * @upcalls: events delivered
 * @upcalls_lost: on their way
 * @ops: commands
 * @ops_failed: those that answered an error other than -EINPROGRESS
 * @drops: of the packet cores
 * @started: when the first life began
 * @counts: what the node has counted itself
 * @joined: when it had a first peer
 */
struct sim_node_stats {
	u64 frames[SIM_TX_CLASSES];
	u64 bytes[SIM_TX_CLASSES];
	u32 types[256];
	u64 type_bytes[256];
	u64 upcalls;
	u64 upcalls_lost;
	u64 ops;
	u64 ops_failed;
	u64 drops[FIPS_DROP_REASONS];
	struct sim_counts counts;
	u64 started;
	u64 joined;
};

struct sim_upcall;
struct sim_ask;
struct sim_loop;

/**
 * struct sim_upcalls - events on their way to a node (upcall.c)
 * @head: by the time at which they are due
 * @tail: last
 * @count: waiting, by class
 * @lost: a control event was lost
 * @due: fires when the first is due
 */
struct sim_upcalls {
	struct sim_upcall *head;
	struct sim_upcall *tail;
	u32 count[3];
	bool lost;
	struct sim_timer due;
};

/**
 * struct sim_node - a node and its surroundings
 * @sim: the simulation
 * @idx: its number
 * @life: lives so far
 * @port: of its transport now; it moves when the node does
 * @dying: ops do nothing any more
 * @edges: numbers of its edges, in the order of the neighbours
 * @n_edges: their number
 * @kp: identity, the same in all lives
 * @clock: clocks
 * @node: libfips, NULL while it is not running
 * @core: packet core, NULL while it is not running
 * @plane: how badly the two talk
 * @reference: it goes by the reference's rules
 * @lies: set of enum sim_lie
 * @lie: the next thing that it says too much
 * @rng: the node's own randomness
 * @rng_up: of its upcalls
 * @rng_op: of its ops
 * @rng_names: of its resolver
 * @rng_lies: of its lies
 * @wake: the node's own timer
 * @tick: the packet core's
 * @drained: end of a graceful stop
 * @upcalls: events to it
 * @class: what is being sent
 * @type: link message type being sent
 * @room: frame being filled
 * @spin_at: instant of the last timer event
 * @spins: timer events at that instant
 * @died: datagrams to it whose TTL has run out
 * @st: statistics
 * @hh6: by IPv6 address
 */
struct sim_node {
	struct sim *sim;
	u32 idx;
	u32 life;
	u16 port;
	bool dying;
	u32 *edges;
	u32 n_edges;
	struct fips_keypair kp;
	struct sim_clock clock;
	struct fips_node *node;
	struct fips_core *core;
	struct sim_plane_cfg plane;
	bool reference;
	u64 lies;
	struct sim_timer lie;
	struct sim_rng rng;
	struct sim_rng rng_up;
	struct sim_rng rng_op;
	struct sim_rng rng_names;
	struct sim_rng rng_lies;
	struct sim_timer wake;
	struct sim_timer tick;
	struct sim_timer drained;
	struct sim_upcalls upcalls;
	enum sim_tx_class class;
	u8 type;
	struct sim_frame *room;
	u64 spin_at;
	u32 spins;
	u64 died;
	struct sim_node_stats *st;
	UT_hash_handle hh6;
};

void sim_nodes_init(struct sim *s);
void sim_nodes_free(struct sim *s);
void sim_node_start(struct sim_node *n);
/* Its timer "wake" fires for the first time. */
void sim_node_born(struct sim *s, struct sim_timer *t);
/* kill -9; it can be started again. */
void sim_node_kill(struct sim_node *n);
/* Say goodbye, then end. */
void sim_node_drain(struct sim_node *n);
/* Another port, as behind a NAT that forgot; until it restarts, or all settles. */
void sim_node_move(struct sim_node *n);
static inline bool sim_node_runs(const struct sim_node *n)
{
	return n->node;
}
static inline bool sim_node_honest(const struct sim_node *n)
{
	return n->node && !n->lies;
}

/* Deliver an event to the node now. */
void sim_node_event(struct sim_node *n, const struct fips_event *ev);
struct fips_taddr sim_node_taddr(const struct sim_node *n);
/* Node and port of an endpoint; SIM_NOBODY. */
u32 sim_taddr_node(const struct fips_taddr *a);
struct sim_node *sim_node_by_ipv6(struct sim *s, const u8 *ipv6);
struct sim_node *sim_node_by_addr(struct sim *s, const struct fips_node_addr *addr);
u64 sim_node_mono_ms(const struct sim_node *n);
struct fips_clock sim_node_clock(const struct sim_node *n);

/* ---- data plane provider (provider.c, plane.c) ---- */

extern const struct fips_dp_ops sim_dp_ops;
/* A packet of the node's IPv6 stack. */
void sim_plane_packet(struct sim_node *n, u8 *ip6, size_t len);
/* A frame from the wire. */
void sim_plane_frame(struct sim_node *n, const struct fips_taddr *from, u8 *frame, size_t len);
/* Around every call into the core. */
const struct fips_core_out *sim_plane_out(struct sim_node *n, struct fips_core_out *out,
					  enum fips_lane lane, enum sim_tx_class class);
void sim_plane_after(struct sim_node *n);
void sim_plane_tick(struct sim *s, struct sim_timer *t);

/* ---- upcalls (upcall.c) ---- */

void sim_upcalls_init(struct sim_node *n);
/* Copy an event for the node, due when its data plane's delays say so. */
void sim_upcall(struct sim_node *n, const struct fips_event *ev);
/* The same, no earlier than in @delay microseconds, never lost. */
void sim_upcall_later(struct sim_node *n, const struct fips_event *ev, u64 delay);
void sim_upcalls_clear(struct sim_node *n);

/* ---- the hosts' IPv6 stacks and their traffic (stack.c, traffic.c) ---- */

/**
 * struct sim_packet - a packet that was given to a node's data plane
 * @src: node
 * @dst: node
 * @sent: virtual time
 * @answered: same, if @back
 * @size: bytes
 * @udp: a flow's packet; otherwise a ping
 * @seen: it has been delivered
 * @back: ping: the answer has been delivered
 * @refused: an ICMPv6 error came
 * @first: there was no session yet
 * @linked: the two were neighbours with a link and a session when it was sent
 */
struct sim_packet {
	u32 src;
	u32 dst;
	u64 sent;
	u64 answered;
	u16 size;
	bool udp;
	bool seen;
	bool back;
	bool refused;
	bool first;
	bool linked;
};

/**
 * struct sim_times - durations in microseconds, in order of arrival until they are sorted
 */
struct sim_times {
	u32 *v;
	u64 n;
	u64 room;
};

/* Append to them. */
void sim_times_add(struct sim_times *t, u64 us);

/**
 * struct sim_ask_sums - lookups of some nodes
 * @asked: begun
 * @found: answered
 * @moot: the place has become known otherwise
 * @cut: just begun when the run ended
 */
struct sim_ask_sums {
	u64 asked;
	u64 found;
	u64 moot;
	u64 cut;
};

/**
 * struct sim_asks - lookups (asks.c)
 * @open: by who asks for whom
 * @own: of nodes by our rules
 * @reference: of nodes by the reference's
 * @times: it took
 */
struct sim_asks {
	struct sim_ask *open;
	struct sim_ask_sums own;
	struct sim_ask_sums reference;
	struct sim_times times;
};

/* A link message of @n on its way out, if it is a request of its own. */
void sim_ask_request(struct sim_node *n, const u8 *msg, size_t len);
/* Is this link message for @n the answer to a lookup that is open? */
struct sim_ask *sim_ask_response(struct sim_node *n, const u8 *msg, size_t len);
/* And @n has believed it. */
void sim_ask_answered(struct sim_node *n, struct sim_ask *a);
/* The run is over; nodes still live. */
void sim_asks_end(struct sim *s);
void sim_asks_free(struct sim *s);

/* ---- newcomers (newcomers.c) ---- */

#define SIM_NEWCOMER_PING	84

/**
 * struct sim_newcomers - see newcomers.c
 * @rng: stream
 * @ping: first packet of each
 * @n: that have started
 */
struct sim_newcomers {
	struct sim_rng rng;
	u64 *ping;
	u32 n;
};

void sim_newcomers_init(struct sim *s);
/* How long their pings took, of those that were answered. */
void sim_newcomers_times(struct sim *s, struct sim_times *t);

/* ---- loops of routes (loops.c) ---- */

/**
 * struct sim_loops - those that exist
 * @table: by destination and node
 * @looks: so far
 */
struct sim_loops {
	struct sim_loop *table;
	u64 looks;
};

/* The TTL of this frame's datagram has run out at @n. */
void sim_loops_died(struct sim_node *n, const u8 *frame, size_t len);
void sim_loops_check(struct sim *s);
void sim_loops_free(struct sim *s);

/* ---- liars (lies.c) ---- */

/* What it says is changed (lies.c), or it says more than it should (lies_more.c). */
enum sim_lie {
	SIM_LIE_TREE_ROOT,	/* has the smallest of all roots, which nobody else knows */
	SIM_LIE_TREE_DEPTH,	/* is the root's child */
	SIM_LIE_TREE_FORGED,	/* a signature that is none */
	SIM_LIE_TREE_OTHER,	/* speaks for somebody else */
	SIM_LIE_TREE_LAST,	/* the last sequence there is */
	SIM_LIE_TREE_LONG,	/* as many ancestors as fit */
	SIM_LIE_TREE_SWING,	/* another depth each time */
	SIM_LIE_TREE_FLOOD,	/* an announce every 50 ms */
	SIM_LIE_FILTER_FULL,	/* knows everybody */
	SIM_LIE_FILTER_FILL,	/* knows most, just within the cap */
	SIM_LIE_FILTER_K255,	/* the cap is computed with 255 hashes */
	SIM_LIE_FILTER_K1,	/* elements of one bit */
	SIM_LIE_FILTER_EMPTY,	/* knows nobody */
	SIM_LIE_FILTER_CLAIM,	/* knows exactly everybody */
	SIM_LIE_FILTER_LAST,	/* the last sequence there is */
	SIM_LIE_FILTER_FLOOD,	/* a filter every 50 ms */
	SIM_LIE_LOOKUP_SWALLOW,	/* passes no lookup on */
	SIM_LIE_LOOKUP_FORGE,	/* answers that it passes on say something else */
	SIM_LIE_LOOKUP_MTU,	/* they say that no packet fits */
	SIM_LIE_LOOKUP_GARBAGE,	/* answers at once whatever it is asked */
	SIM_LIE_LOOKUP_REPLAY,	/* says again what was answered before */
	SIM_LIE_LOOKUP_ECHO,	/* gives requests back */
	SIM_LIE_LOOKUP_FLOOD,	/* asks for one target all the time */
	SIM_LIE_COORDS_POISON,	/* others are behind it, say datagrams of theirs */
	SIM_LIE_COORDS_FILL,	/* so are many that nobody knows */
	SIM_LIE_SIGNALS,	/* destinations are lost, say signals of nobody */
	SIM_LIE_SOURCES,	/* datagrams of others to nowhere */
	SIM_LIE_SETUPS,		/* sessions with nobody */
	SIM_LIE_ACKS,		/* answers to nothing, and third messages */
	SIM_LIE_MTU,		/* the path carries nothing */
	SIM_LIE_REPORTS,	/* metrics are noise */
	SIM_LIE_LOSS,		/* half of what comes is lost, say its reports */
	SIM_LIE_BLACKHOLE,	/* passes no datagram on */
	SIM_LIES,
};

extern const char *const sim_lie_names[SIM_LIES];
bool sim_lies(const struct sim_node *n, enum sim_lie lie);
/* Change a link message in place, up to @room bytes; false: it is not sent at all. */
bool sim_lie_link(struct sim_node *n, u8 *msg, size_t *len, size_t room);
void sim_lie_session(struct sim_node *n, u8 type, u8 *body, size_t len);
/* lies_more.c: from now on it says more; and what it makes of an event; false: it ignores it. */
void sim_lie_start(struct sim_node *n);
bool sim_lie_event(struct sim_node *n, const struct fips_event *ev);
/* A liar's own message to a neighbour, as it is. */
void sim_lie_send(struct sim_node *n, u32 link_id, const void *msg, size_t len);

/**
 * struct sim_traffic - all packets
 * @packets: by number
 * @n: given to a data plane
 * @room: size of @packets
 * @gap: timer of the random pings
 * @rng: stream
 * @flows: CBR flows
 * @n_flows: their number
 * @rtt: round-trip times of pings
 * @first: of those that had to wait for a session
 * @icmp: errors by the own data plane
 * @replies: answers that hosts are about to send
 */
struct sim_traffic {
	struct sim_packet *packets;
	u64 n;
	u64 room;
	struct sim_timer gap;
	struct sim_rng rng;
	struct sim_flow **flows;
	u32 n_flows;
	struct sim_times rtt;
	struct sim_times first;
	u64 icmp;
	struct sim_reply *replies;
};

void sim_traffic_init(struct sim *s);
void sim_traffic_free(struct sim *s);
void sim_traffic_stop(struct sim *s);
/* Constant bit rate from now until @until. */
void sim_flow_start(struct sim *s, u32 src, u32 dst, u32 pps, u32 size, u64 until);
/* One ping; its number. @src must run. */
u64 sim_ping(struct sim *s, u32 src, u32 dst, u32 size);
u64 sim_udp(struct sim *s, u32 src, u32 dst, u32 size);
/* Hosts forget the answers they were about to send. */
void sim_stack_flush(struct sim *s);
/* A packet for the host of @n. @stable: from the mesh, not from its own data plane. */
void sim_stack_receive(struct sim_node *n, const u8 *ip6, size_t len, bool stable);

/* ---- faults (faults.c, fault_cmd.c) ---- */

#define SIM_FAULT_ARGS	12

/**
 * struct sim_fault - one line of the schedule
 * @at: when
 * @seq: its place among those of one instant
 * @line: for the log
 * @words: @line in words, NUL-separated
 * @argv: they
 * @argc: their number
 */
struct sim_fault {
	u64 at;
	u32 seq;
	char *line;
	char *words;
	char *argv[SIM_FAULT_ARGS];
	int argc;
};

/* Do what a line says, or only see whether it says something; 0 or -EINVAL. */
int sim_fault_do(struct sim *s, const struct sim_fault *f, bool act);

/**
 * struct sim_faults - the schedule
 * @list: by time
 * @n: number
 * @room: size of @list
 * @last: virtual time of the last one
 * @next: first one that has not happened
 * @timer: fires for it
 * @rng: stream
 */
struct sim_faults {
	struct sim_fault *list;
	u32 n;
	u32 room;
	u64 last;
	u32 next;
	struct sim_timer timer;
	struct sim_rng rng;
};

/* Read a schedule; 0, or -EINVAL with a sentence in @why. */
int sim_faults_load(struct sim *s, const char *text, char *why, size_t why_len);
void sim_faults_start(struct sim *s);
void sim_faults_free(struct sim *s);
/* Every wire and every data plane as at the start; who is dead stays dead. */
void sim_heal(struct sim *s);

/* ---- invariants (check.c, settle.c, mesh.c, nonce.c) ---- */

/**
 * struct sim_failure - the first invariant that was broken
 * @name: which, NULL = none
 * @text: how
 * @at: when
 */
struct sim_failure {
	const char *name;
	char text[768];
	u64 at;
};

/*
 * Sins that the simulator itself commits when a schedule says "sin NAME", so that
 * a test can see each watch bark.
 */
enum sim_sin {
	SIM_SIN_NONE,
	SIM_SIN_RIGHT_NODE,	/* deliver the next packet to another node */
	SIM_SIN_OWN_SOURCE,	/* with another node's address */
	SIM_SIN_ONCE,		/* twice */
	SIM_SIN_PAYLOAD_INTACT,	/* changed */
	SIM_SIN_NONCE_ONCE,	/* seal with a used counter */
	SIM_SIN_NO_LEAK_IN_PLANE,	/* leave a link in a data plane */
	SIM_SIN_TABLES_BOUNDED,	/* claim more waiting bytes than allowed */
	SIM_SIN_NO_BUSY_LOOP,	/* wake a node for ever */
	SIM_SIN_NO_SECRET_LEFT,	/* forget a secret */
	SIM_SIN_TALKS_AGAIN,	/* heal nothing, and don't look at the tree */
	SIM_SIN_ONE_ROOT,	/* heal nothing */
	SIM_SIN_LOSSLESS,	/* lose a packet */
	SIM_SIN_STAYS_SETTLED,	/* cut a wire when all have talked */
	SIM_SIN_NODE_STARTS,	/* no randomness for a node */
	/* again and again, for the nodes mend these */
	SIM_SIN_NO_FORWARDING_LOOP,	/* routes in a circle */
	SIM_SIN_COORDS,		/* coordinates without the parent */
	SIM_SIN_COORDS_PARENT,	/* coordinates that are not the parent's */
	SIM_SIN_NO_LOOP,	/* the parent twice in them */
	SIM_SINS,
};

extern const char *const sim_sin_names[SIM_SINS];
bool sim_sin_unhealed(const struct sim *s);
void sim_sin_commit(struct sim *s, enum sim_sin sin);
/* sin_mesh.c: one of those that are committed again and again, once. */
void sim_sin_mesh(struct sim *s, enum sim_sin sin);
/* A packet that is about to be delivered; true if it has been dealt with. */
bool sim_sin_packet(struct sim_node *n, const u8 *ip6, size_t len);

__attribute__((format(printf, 3, 4)))
void sim_fail(struct sim *s, const char *invariant, const char *fmt, ...);

/**
 * struct sim_tables - largest tables seen in any node
 */
struct sim_tables {
	u64 peers, legs, links, sessions, identities;
	u64 core_links, core_indices, core_sessions, core_routes, core_stages, core_parked;
	u64 core_staged_bytes;
	u64 depth, routes, requests, coords;
};

/**
 * struct sim_checks - the watch over everything
 * @timer: next look
 * @tables: largest seen
 * @converged: when every wire that may carry a link had one, 0 = not yet
 * @tree: when the tree was what it must be, 0 = not yet
 * @tree_bad: since when it is not, after it had to be; 0 = it is
 * @settled: time from the last heal until all pairs had talked
 * @pairs: that had to
 * @stretch: thousandths: hops of the routes at the end over the shortest
 * @stretch_pairs: pairs with a route
 */
struct sim_checks {
	struct sim_timer timer;
	struct sim_tables tables;
	u64 converged;
	u64 tree;
	u64 tree_bad;
	u64 settled;
	u32 pairs;
	u64 stretch;
	u64 stretch_pairs;
};

void sim_checks_start(struct sim *s);
/* Are the two ends each other's peers? */
bool sim_edge_linked(struct sim *s, const struct sim_edge *e);
/* Is this node the peer of that one, as it sees it? */
bool sim_node_has_peer(struct sim_node *n, const struct sim_node *other);
/* Heal, wait, and see that all pairs talk; begins at the end of the run. */
void sim_settle_start(struct sim *s);
void sim_settle_free(struct sim *s);
void sim_settle_stretch(struct sim *s, u64 *stretch, u64 *pairs);

/* ---- the engine (engine.c) ---- */

struct sim_settle;
struct sim_memo;

/**
 * struct sim - a simulation
 * @sc: scenario, borrowed
 * @now: virtual microseconds
 * @queue: what happens next
 * @done: nothing more is to happen
 * @failure: what broke
 * @liars: some node lies
 * @lies: messages that they have changed or swallowed
 * @quiet: since when nothing has happened to the mesh
 * @sin: one to commit when there is an occasion
 * @log: event log
 * @topo: graph
 * @edges: wires
 * @nodes: nodes
 * @by_ipv6: nodes by IPv6 address
 * @pk: public-key table
 * @memo: its memory, or NULL
 * @secrets: one locked slab for all
 * @frames: in flight
 * @lost: frames lost, by reason
 * @frames_in_flight: number of @frames
 * @events: fired so far
 * @end: end of the run
 * @traffic: see there, as all that follow
 */
struct sim {
	const struct sim_scenario *sc;
	u64 now;
	struct sim_queue queue;
	bool done;
	struct sim_failure failure;
	bool liars;
	u64 lies;
	u64 quiet;
	enum sim_sin sin;
	struct sim_log log;
	struct sim_topo topo;
	struct sim_edge *edges;
	u32 n_edges;
	struct sim_node *nodes;
	u32 n_nodes;
	struct sim_node *by_ipv6;
	struct fips_pk pk;
	struct sim_memo *memo;
	struct fips_secrets *secrets;
	struct sim_frame *frames;
	u64 lost[SIM_LOSSES];
	u64 frames_in_flight;
	u64 events;
	struct sim_timer end;
	struct sim_traffic traffic;
	struct sim_asks asks;
	struct sim_newcomers newcomers;
	struct sim_loops loops;
	struct sim_faults faults;
	struct sim_checks checks;
	struct sim_settle *settle;
	u64 mono_start;		/* real time, for the progress line */
};

/* Make everything; 0, or a negative errno with a sentence in @why. */
int sim_new(struct sim **out, const struct sim_scenario *sc, char *why, size_t why_len);
/* Until the end or the first broken invariant. */
void sim_run(struct sim *s);
/* Ends every node; the last invariants are checked here. */
void sim_finish(struct sim *s);
void sim_free(struct sim *s);

static inline void sim_timer_set(struct sim *s, struct sim_timer *t, u64 at)
{
	sim_queue_set(&s->queue, t, at > s->now ? at : s->now);
}

static inline void sim_timer_del(struct sim *s, struct sim_timer *t)
{
	sim_queue_del(&s->queue, t);
}

/* ---- reports (report.c, plot.c) ---- */

void sim_report_text(struct sim *s, FILE *out);
void sim_report_json(struct sim *s, FILE *out);
int sim_plot(struct sim *s, const char *path);

#endif /* SIM_H */
