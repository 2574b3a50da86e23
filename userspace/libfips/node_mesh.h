/* SPDX-License-Identifier: MIT */
/*
 * The part of the node that makes a mesh of links: tree, filters, coordinates,
 * routes and lookups. Included by node_internal.h; nothing here is for others.
 *
 *   node_tree.c        declarations in and out, parent choice
 *   node_filter.c      bloom filters in and out
 *   node_coords.c      coordinates of others, and the lists that sessions carry
 *   node_route.c       next hops, and what the data plane is told of them
 *   node_lookup.c      lookups of our own
 *   node_lookup_fwd.c  lookups of others
 *   node_rules.c       what differs between our rules and the reference's
 *   node_signal_out.c  error signals to the sources of what we can't forward
 */
#ifndef _LIBFIPS_NODE_MESH_H
#define _LIBFIPS_NODE_MESH_H

#include <uthash.h>
#include <utlist.h>

#include "bloom.h"
#include "bucket.h"
#include "coordcache.h"
#include "lookup_codec.h"
#include "nexthop.h"
#include "node.h"
#include "timer.h"
#include "tree.h"

/* Pacing of what leaves: buckets of this depth, changes within some ms go as one. */
#define NODE_PACE_BURST		8
#define NODE_TREE_GATHER_MS	5
#define NODE_FILTER_GATHER_MS	8
#define NODE_ROUTE_GATHER_MS	10
#define NODE_ROUTE_KEEP_MS	3000	/* while coordinates lost with the tree are sought */
#define NODE_WARM_GATHER_MS	20
#define NODE_WARM_BATCH		32	/* sessions told at once of our new place */
#define NODE_WARM_REPEAT_MS	1000
#define NODE_REPEAT_MS		2000	/* what has changed is said again: nobody acknowledges it */
#define NODE_REPEATS		3	/* of a filter, each after three times as long */
#define NODE_AGAIN_MAX_MS	16000	/* to a neighbour that shows that it lacks our announce */
#define NODE_FILTER_REFRESH_MS	20000	/* up to twice that */
#define NODE_TREE_IN_BURST	32	/* announces of one neighbour: a signature check each */
#define NODE_TREE_IN_RATE	8.0
#define NODE_FILTER_IN_BURST	16
#define NODE_FILTER_IN_RATE	4.0

/* Bounds, policy: the oldest goes. */
#define NODE_ROUTES		4096	/* the data plane forgets it, too: the next packet asks */
#define NODE_REQUESTS		4096	/* known lookup ids */
#define NODE_REQUESTS_PEER	512	/* of them brought by one neighbour */
#define NODE_LOOKUPS		1024	/* of our own; new ones are refused beyond */
#define NODE_LOOKUP_PACED	1024	/* (peer, origin, target) that are held back */
#define NODE_LOOKUP_REPEATS	4	/* of one question meanwhile: the tree moves */
#define NODE_RESPONSES		4	/* passed on for one id */
#define NODE_LOOKUP_BURST	256	/* requests of one neighbour */
#define NODE_LOOKUP_RATE	128.0
#define NODE_LOOKUP_HOPE_MS	10000	/* after the start neighbours may still come */
#define NODE_LOOKUP_WAIT_MS	3000	/* for a filter that knows the target */
#define NODE_MESH_LARGE		1900	/* from here on a filter's "no" is doubted */
#define NODE_FALLBACK		2	/* neighbours beside the tree that one request goes to */
#define NODE_FILTER_SURE	(1.0 / 4096)	/* a filter that errs no more often is believed */
#define NODE_SIGNALS		256	/* (source, destination) pairs that are held back */
#define NODE_SIGNAL_GAP_MS	100
#define NODE_SIGNAL_BURST	64
#define NODE_SIGNAL_RATE	64.0
#define NODE_MTU_FLOOR		256	/* smallest path MTU that is believed */

struct fips_node;
struct node_peer;

/**
 * struct node_rules - where nodes may differ though the wire is one; see node_rules.c
 * @cap_merged: an outgoing filter stays within the inbound cap
 * @repeat_filters: what may have been lost is sent again
 * @doubt_old_filters: those made before their sender became a child
 * @climb: lookups go through full filters
 * @direct: a neighbour that is the target is asked alone
 * @not_back: a request never returns to the neighbour that brought it
 * @wait_for_filter: a lookup begins though no filter has the target yet
 * @beside_own: own lookups, too, go to neighbours beside the tree
 * @beside: most of those
 * @pace_repeats: of one question meanwhile
 * @pace_each: (neighbour, origin, target) is one question, and not the target alone
 * @responses: passed on for one id, at most %NODE_RESPONSES
 * @filter_burst: filters to a neighbour at once
 * @filter_gather_ms: changes of so long go as one
 */
struct node_rules {
	bool cap_merged;
	bool repeat_filters;
	bool doubt_old_filters;
	bool climb;
	bool direct;
	bool not_back;
	bool wait_for_filter;
	bool beside_own;
	u32 beside;
	u32 pace_repeats;
	bool pace_each;
	u32 responses;
	u32 filter_burst;
	u64 filter_gather_ms;
};

extern const struct node_rules node_rules[];

/**
 * struct node_mesh_peer - what the mesh keeps of a neighbour; part of struct node_peer
 * @announce: limiter of tree announces
 * @announce_timer: next one is due
 * @again: whether it shows that it got ours is to be looked at
 * @agains: announces without a reason of ours since the last one with
 * @filter_out: limiter of filters
 * @announce_in: limiter of its announces
 * @held: newest TreeAnnounce over the limit, or NULL
 * @held_len: its length
 * @held_timer: when that is looked at
 * @filter_in: limiter of its filters
 * @filter: what it announced
 * @outdated: @filter was made before it became our child, and is none of a child
 * @sent: filter that it got last, or NULL
 * @pending: it is to get a filter, if that differs from @sent
 * @force: it is to get one anyway
 * @refresh: next one without a reason
 * @repeats: how many were without
 * @parked: newest FilterAnnounce over the limit, or NULL
 * @parked_timer: when that is looked at
 * @coords: coordinates that came by way of it
 * @requests: limiter of its lookups
 * @n_requests: ids of them that are known
 */
struct node_mesh_peer {
	struct fips_bucket announce;
	struct fips_timer announce_timer;
	struct fips_timer again;
	u8 agains;
	struct fips_bucket filter_out;
	struct fips_bucket announce_in;
	u8 *held;
	size_t held_len;
	struct fips_timer held_timer;
	struct fips_bucket filter_in;
	struct fips_bloom_peer filter;
	bool outdated;
	struct fips_bloom *sent;
	bool pending;
	bool force;
	struct fips_timer refresh;
	u8 repeats;
	u8 *parked;
	struct fips_timer parked_timer;
	struct fips_coord_source coords;
	struct fips_bucket requests;
	u32 n_requests;
};

/**
 * struct node_route - what the data plane was told about a destination that is no peer
 * @dest: destination
 * @via: next hop
 * @link_id: link to it; 0: there is none until @until
 * @arrived: the question came with a datagram of @from
 * @from: that neighbour
 * @until: mono ms; with a link: how long it may be used without coordinates, 0 = no end
 * @prev: oldest first
 * @next: same
 * @hh: by @dest
 */
struct node_route {
	struct fips_node_addr dest;
	struct fips_node_addr via;
	u32 link_id;
	bool arrived;
	struct fips_node_addr from;
	u64 until;
	struct node_route *prev;
	struct node_route *next;
	UT_hash_handle hh;
};

/**
 * struct node_lookup - a node that we look for
 * @target: whom
 * @attempt: requests sent; 0: no filter knows it yet
 * @failed: given up; new lookups are suppressed until @timer
 * @failures: in a row
 * @started: mono ms
 * @sent: mono ms of the last request
 * @timer: next step
 * @hh: by @target
 */
struct node_lookup {
	struct fips_node_addr target;
	u32 attempt;
	bool failed;
	u32 failures;
	u64 started;
	u64 sent;
	struct fips_timer timer;
	UT_hash_handle hh;
};

/**
 * struct node_request - a lookup id that was seen
 * @id: random number of the request
 * @own: we asked
 * @target: for whom
 * @from: neighbour that brought it, unless @own
 * @seen: mono ms
 * @responses: how many were passed on
 * @responder: neighbours that they came from
 * @prev: oldest first
 * @next: same
 * @hh: by @id
 */
struct node_request {
	u64 id;
	bool own;
	struct fips_node_addr target;
	struct fips_node_addr from;
	u64 seen;
	u32 responses;
	struct fips_node_addr responder[NODE_RESPONSES];
	struct node_request *prev;
	struct node_request *next;
	UT_hash_handle hh;
};

/* Who asked for whom by way of which neighbour. */
struct node_asked {
	struct fips_node_addr from;
	struct fips_node_addr origin;
	struct fips_node_addr target;
};

struct node_paced {
	struct node_asked key;
	u64 at;
	u32 count;
	struct node_paced *prev;
	struct node_paced *next;
	UT_hash_handle hh;
};

/* A place of the table of signals; a newer pair takes it. */
struct node_signalled {
	u64 pair;
	u64 at;
};

/**
 * struct node_mesh - of the node
 * @born: mono ms of the first event
 * @tree: spanning tree
 * @tree_timer: periodic look at it
 * @veto_timer: end of a veto on parent switches
 * @announce_rate: of tree announces to a neighbour
 * @filter_rate: of filters to a neighbour
 * @tree_in_rate: of announces from a neighbour
 * @filter_in_rate: of filters from a neighbour
 * @filter_timer: filters are due
 * @filter_seq: sequence of the newest filter
 * @filter_max: most bits of a filter
 * @filter_sure: most bits of one whose hits are believed
 * @own_key: own address in filters
 * @size_known: does @size hold?
 * @size_stale: filters came since
 * @size: estimated nodes
 * @coords: coordinates of others
 * @hops: scratch for the choice of a next hop
 * @hop_room: its places
 * @routes: at most %NODE_ROUTES
 * @route_list: same, oldest first
 * @route_timer: routes are to be looked at again
 * @generation: of routes
 * @swept: coordinates went for a change of the tree
 * @warm_timer: sessions are to be told of our new place
 * @lookups: at most %NODE_LOOKUPS
 * @request_rate: of lookups of one neighbour
 * @requests: at most %NODE_REQUESTS
 * @request_list: same, oldest first
 * @paced: at most %NODE_LOOKUP_PACED
 * @paced_list: same, oldest first
 * @signal_rate: of signals
 * @signal_bucket: for all
 * @signalled: pairs that got one
 * @secret: key of hashes
 */
struct node_mesh {
	u64 born;
	struct fips_tree *tree;
	struct fips_timer tree_timer;
	struct fips_timer veto_timer;
	struct fips_bucket_rate announce_rate;
	struct fips_bucket_rate filter_rate;
	struct fips_bucket_rate tree_in_rate;
	struct fips_bucket_rate filter_in_rate;
	struct fips_timer filter_timer;
	u64 filter_seq;
	u32 filter_max;
	u32 filter_sure;
	struct fips_bloom_key own_key;
	bool size_known;
	bool size_stale;
	double size;
	struct fips_coordcache coords;
	struct fips_nexthop_peer *hops;
	size_t hop_room;
	struct node_route *routes;
	struct node_route *route_list;
	struct fips_timer route_timer;
	u32 generation;
	bool swept;
	struct fips_timer warm_timer;
	struct node_lookup *lookups;
	struct fips_bucket_rate request_rate;
	struct node_request *requests;
	struct node_request *request_list;
	struct node_paced *paced;
	struct node_paced *paced_list;
	struct fips_bucket_rate signal_rate;
	struct fips_bucket signal_bucket;
	struct node_signalled signalled[NODE_SIGNALS];
	u8 secret[16];
};

/* node_tree.c */
int node_mesh_init(struct fips_node *n, const struct fips_node_setup *setup);
void node_mesh_destroy(struct fips_node *n);
void node_mesh_peer_new(struct fips_node *n, struct node_peer *p);
void node_mesh_peer_up(struct fips_node *n, struct node_peer *p);
/* It is in no table any more. */
void node_mesh_peer_gone(struct fips_node *n, struct node_peer *p);
void node_tree_message(struct fips_node *n, struct node_peer *p, const u8 *body, size_t len);
/* Cost of a link as it is measured; @look: parent and routes are to be chosen anew. */
void node_tree_cost(struct fips_node *n, struct node_peer *p, double cost, bool look);
void node_tree_configure(struct fips_node *n);
void node_mesh_timing(struct fips_node *n);
double node_link_cost(const struct fips_node *n, const struct node_peer *p);
u64 node_jitter(struct fips_node *n, u64 range);

/* node_filter.c */
void node_filter_init(struct fips_node *n, u64 sequence);
void node_filter_peer_new(struct fips_node *n, struct node_peer *p);
void node_filter_peer_gone(struct fips_node *n, struct node_peer *p);
void node_filter_mark(struct fips_node *n, struct node_peer *p, bool force);
void node_filter_mark_all(struct fips_node *n, const struct node_peer *but, bool force);
/* A tree announce left: a filter that waited for it may follow. */
void node_filter_go(struct fips_node *n);
void node_filter_message(struct fips_node *n, struct node_peer *p, const u8 *body, size_t len);
bool node_filter_counts(const struct fips_node *n, const struct node_peer *p);
void node_filter_child_new(struct fips_node *n, struct node_peer *p);
bool node_filter_size(struct fips_node *n, double *size);
bool node_filter_large(struct fips_node *n);

/* node_coords.c */
#define NODE_COORDS_ROOM	(2 * (2 + FIPS_COORDS_DEPTH * FIPS_NODE_ADDR_LEN))

struct fips_coords node_coords_own(const struct fips_node *n);
/* Those of @dest, from wherever they are known; our own if they are not (08 §4.1). */
struct fips_coords node_coords_of(const struct fips_node *n, const struct fips_node_addr *dest);
int node_coords_lists(const struct fips_node *n, const struct fips_node_addr *dest, u8 *buf,
		      size_t room);
void node_coords_learn(struct fips_node *n, struct node_peer *via,
		       const struct fips_node_addr *addr, const struct fips_coords *coords);
/* Coordinates in a datagram that passed by; @hdr begins with its type byte. */
void node_coords_seen(struct fips_node *n, u32 link_id, const u8 *hdr, size_t len);

/* node_route.c */
struct node_peer *node_route_next(struct fips_node *n, const struct fips_node_addr *dest,
				  const struct fips_node_addr *from,
				  enum fips_nexthop_result *result);
/* Next hop for what we send ourselves, or NULL. */
struct node_peer *node_route_peer(struct fips_node *n, const struct fips_node_addr *dest);
/* The same, or what the data plane still goes by while new coordinates are sought. */
struct node_peer *node_route_or_kept(struct fips_node *n, const struct fips_node_addr *dest);
/* Do the coordinates that we have lead anywhere? */
bool node_route_known(struct fips_node *n, const struct fips_node_addr *dest);
void node_route_miss(struct fips_node *n, const struct fips_event *ev);
void node_route_mtu(struct fips_node *n, const struct fips_event *ev);
void node_route_back(struct fips_node *n, const struct fips_event *ev);
/* Tell the data plane about @dest, if there is a way; false if there is none. */
bool node_route_offer(struct fips_node *n, const struct fips_node_addr *dest);
void node_route_refuse(struct fips_node *n, const struct fips_node_addr *dest);
/* Coordinates of @dest are new. */
void node_route_learned(struct fips_node *n, const struct fips_node_addr *dest);
/* Tree, filters or links have changed. */
void node_route_changed(struct fips_node *n);
/* It does not work: the next packet asks. */
void node_route_withdraw(struct fips_node *n, const struct fips_node_addr *dest);
void node_route_forget(struct fips_node *n, const struct fips_node_addr *dest);
void node_route_timer(void *owner, struct fips_timer *t);
void node_route_destroy(struct fips_node *n);

/* node_lookup.c */
enum node_lookup_start {
	NODE_LOOKUP_GOING,	/* sent, or one is under way */
	NODE_LOOKUP_REFUSED,	/* not now */
};

enum node_lookup_start node_lookup_start(struct fips_node *n, const struct fips_node_addr *target);
void node_lookup_filters(struct fips_node *n);
void node_lookup_clear_backoff(struct fips_node *n);
void node_lookup_answer(struct fips_node *n, const struct fips_lookup_response *resp);
void node_lookup_stop(struct fips_node *n, const struct fips_node_addr *target);
void node_lookup_destroy(struct fips_node *n);

/* node_lookup_fwd.c */
#define NODE_RECIPIENTS		16	/* of one request */

size_t node_lookup_recipients(struct fips_node *n, const struct fips_node_addr *target,
			      const struct fips_node_addr *from,
			      struct node_peer *out[static NODE_RECIPIENTS]);
struct node_request *node_request_add(struct fips_node *n, u64 id,
				      const struct fips_node_addr *target, struct node_peer *from);
void node_lookup_request(struct fips_node *n, struct node_peer *p, const u8 *body, size_t len);
void node_lookup_response(struct fips_node *n, struct node_peer *p, const u8 *body, size_t len);
void node_request_peer_gone(struct fips_node *n, struct node_peer *p);
void node_request_destroy(struct fips_node *n);

/* node_signal_out.c */
void node_signal_no_route(struct fips_node *n, const u8 *hdr, size_t len);
void node_signal_mtu(struct fips_node *n, const u8 *hdr, size_t len, u16 mtu);

/* node_session_warm.c: our place and theirs have changed */
void node_session_path_changed(struct fips_node *n);
void node_session_warm_timer(void *owner, struct fips_timer *t);
void node_session_coords_learned(struct fips_node *n, const struct fips_node_addr *remote);

/* node_session_ev.c */
void node_session_found(struct fips_node *n, const struct fips_node_addr *remote, u16 path_mtu);
void node_session_not_found(struct fips_node *n, const struct fips_node_addr *remote);
void node_session_retry(struct fips_node *n);
int node_datagram_send(struct fips_node *n, const struct fips_node_addr *dst, const u8 *payload,
		       size_t len);

#endif /* _LIBFIPS_NODE_MESH_H */
