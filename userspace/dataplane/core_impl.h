/* SPDX-License-Identifier: MIT */
/*
 * Inside the packet core: its objects and what its files share. See core.h for
 * "shared" and "exclusive".
 */
#ifndef FIPS_CORE_IMPL_H
#define FIPS_CORE_IMPL_H

#include <pthread.h>
#include <stdatomic.h>
#include <uthash.h>

#include <fips/dgram.h>
#include <fips/mmp.h>
#include <fips/replay.h>

#include "aead.h"
#include "core.h"

#define FIPS_SLOTS		3
#define FIPS_MAX_LINKS		16384
#define FIPS_MAX_SESSIONS	16384
#define FIPS_MAX_ROUTES		65536
#define FIPS_MAX_UNREACHABLE	256
#define FIPS_PARK_EACH		16
#define FIPS_PARK_TOTAL		1024
#define FIPS_PARK_MS		2000
#define FIPS_STAGE_BYTES	(4 << 20)
#define FIPS_ASK_AGAIN_MS	1000
#define FIPS_COORDS_PER_SEC	256
#define FIPS_BACK_GAP_MS	100
#define FIPS_ROUTE_IDLE_MS	600000
#define FIPS_ROUTE_GC_MS	60000
#define FIPS_ROUTE_SAMPLE	32
#define FIPS_UNKNOWN_GAP_MS	100	/* between session-unknowns of a link, in the long run */
#define FIPS_UNKNOWN_BURST	16	/* far ends that come at once */
#define FIPS_MTU_EVENT_GAP_MS	100	/* transit nodes write that field */
#define FIPS_ICMP_SLOTS		64
#define FIPS_ICMP_GAP_MS	100
#define FIPS_ICMP_MAX		1280
#define FIPS_NO_SLOT		(~(u32)0)

/* Where things lie in the frame of a Data message without coordinates. */
#define FIPS_DGRAM_OFF		(FIPS_FMP_HDR_LEN + 4)
#define FIPS_FSP_OFF		(FIPS_DGRAM_OFF + FIPS_DGRAM_HDR_LEN)
#define FIPS_DATA_HDR_LEN	(FIPS_FSP_INNER_LEN + FIPS_FSP_PORTS_LEN + FIPS_SHIM_LEN)

/* Bytes a link adds to a datagram, its type byte included in the latter. */
#define FIPS_LINK_OVERHEAD	(FIPS_FMP_HDR_LEN + 4 + FIPS_TAG_LEN)

typedef _Atomic u64 fips_counter;

/* Traffic of an object as in struct fips_dp_stats; any thread. */
struct fips_stats {
	fips_counter rx_packets;
	fips_counter rx_bytes;
	fips_counter tx_packets;
	fips_counter tx_bytes;
	fips_counter forwarded;
	fips_counter ce_packets;
	fips_counter ce_delivered;
	fips_counter ce_forwarded;
	fips_counter ce_marked;
	fips_counter drops[FIPS_DROP_REASONS];
};

static inline void fips_count(fips_counter *c, u64 n)
{
	atomic_fetch_add_explicit(c, n, memory_order_relaxed);
}

/* For counters of the receiving side, which has one writer. */
static inline void fips_count_rx(fips_counter *c, u64 n)
{
	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

static inline u64 fips_load(fips_counter *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

static inline void fips_store(fips_counter *c, u64 v)
{
	atomic_store_explicit(c, v, memory_order_relaxed);
}

/**
 * struct fips_parked - a frame or datagram that came before its key
 * @next: younger one
 * @since: when it came
 * @from: frame: where from
 * @link_id: datagram: link it came on
 * @ce: datagram: the frame's CE flag
 * @len: bytes
 * @data: from the frame's first byte, or from the datagram's type byte
 */
struct fips_parked {
	struct fips_parked *next;
	u64 since;
	struct fips_endpoint from;
	u32 link_id;
	bool ce;
	size_t len;
	u8 data[];
};

/* Frames that wait for one key, oldest first; receiving side. */
struct fips_parking {
	struct fips_parked *head, **tail;
	u32 n;
};

/**
 * struct fips_epoch - one key epoch of a link or session
 * @local_index: links: the index in frames to us
 * @remote_index: links: the index in frames to the peer
 * @has_key: keys are there
 * @k_bit: key-epoch bit
 * @soft: send counter that raises one event, 0 = none
 * @hard: send counter from which nothing is sealed
 * @dies_ms: last instant of use, %FIPS_NEVER = none
 * @tx_key: sending key, for contexts made later
 * @seal: sending contexts, one a lane; the lane's own
 * @tx_counter: next send counter, any thread
 * @ts_base: timestamps count from here
 * @tx_timestamp: of the newest frame sent, any thread
 * @mark: first counter of the sending interval of the metrics; exclusive calls
 * @mark_timestamp: of the frame that had it, any thread
 * @open: receiving context; receiving side
 * @replay: receiving side
 * @mmp: receive sums of this epoch, receiving side; totals are in the owner's @stats
 * @spin: spin bit of this epoch, receiving side
 * @spin_bit: the bit to send, any thread
 * @proven: a frame has authenticated; receiving side
 * @link: links: whose; NULL for sessions
 * @parking: links: frames that wait for the keys; receiving side
 * @hh: links: in the core's index table
 * @dead: next on the core's list of unlinked epochs
 *
 * All but the marked is immutable once published. Unlinked ones live until the
 * next exclusive call.
 */
struct fips_epoch {
	u32 local_index;
	u32 remote_index;
	bool has_key;
	u8 k_bit;
	u64 soft;
	u64 hard;
	u64 dies_ms;
	u8 tx_key[FIPS_KEY_LEN];
	struct fips_aead seal[FIPS_LANES];
	fips_counter tx_counter;
	fips_counter ts_base;
	fips_counter tx_timestamp;
	u64 mark;
	fips_counter mark_timestamp;
	struct fips_aead open;
	struct fips_replay replay;
	struct fips_mmp_rx mmp;
	struct fips_mmp_spin spin;
	atomic_bool spin_bit;
	bool proven;
	struct fips_link *link;
	struct fips_parking parking;
	UT_hash_handle hh;
	struct fips_epoch *dead;
};

/* The slots of a link or session: written by the receiving side and exclusive calls. */
typedef struct fips_epoch *_Atomic fips_slot;

static inline struct fips_epoch *fips_slot_get(fips_slot *s)
{
	return atomic_load_explicit(s, memory_order_acquire);
}

static inline void fips_slot_set(fips_slot *s, struct fips_epoch *e)
{
	atomic_store_explicit(s, e, memory_order_release);
}

/**
 * struct fips_link - a neighbour
 * @id: the node's number
 * @peer: its address
 * @mtu: largest frame
 * @candidate: nothing has authenticated yet; receiving side
 * @slot: key epochs
 * @lock: protects @to against its reader on the sending side
 * @to: endpoint; changed by the receiving side and exclusive calls
 * @last_rx: when a frame authenticated, %FIPS_NEVER = never
 * @congested: mark what is forwarded with CE
 * @quiet: the next frame raises FIPS_EV_LINK_ACTIVE; receiving side and exclusive calls
 * @sr_bytes: bytes sent up to the last report that ended the sending interval
 * @unknown_paid: session-unknowns are paid for up to then, %FIPS_UNKNOWN_GAP_MS each; receiver
 * @back_told: when a datagram that would go back was last told of; receiving side
 * @stats: traffic
 * @hh: in the core's table
 */
struct fips_link {
	u32 id;
	struct fips_node_addr peer;
	u16 mtu;
	bool candidate;
	fips_slot slot[FIPS_SLOTS];
	pthread_mutex_t lock;
	struct fips_endpoint to;
	fips_counter last_rx;
	bool congested;
	bool quiet;
	u64 sr_bytes;
	u64 unknown_paid;
	u64 back_told;
	struct fips_stats stats;
	UT_hash_handle hh;
};

/**
 * struct fips_session - a far end
 * @remote: its address
 * @ipv6: its FIPS address
 * @path_mtu: largest frame of the path
 * @coords: both coordinate lists, or NULL
 * @coords_len: their length
 * @coords_count: messages that still carry them, any thread
 * @slot: key epochs
 * @last_data: when Data went either way, %FIPS_NEVER = never
 * @last_rx: when a message authenticated, %FIPS_NEVER = never
 * @rx_coords: bytes of coordinates in @stats, received
 * @tx_coords: sent
 * @quiet: the next message raises FIPS_EV_SESSION_ACTIVE; receiving side and exclusive calls
 * @seen_mtu: path_mtu that the node was told last; receiving side
 * @told: when that was; receiving side
 * @sr_bytes: bytes sent up to the last report that ended the sending interval
 * @parking: datagrams that no key opens yet; receiving side
 * @stats: traffic
 * @hh: by node address
 * @hh6: by IPv6 address
 */
struct fips_session {
	struct fips_node_addr remote;
	u8 ipv6[FIPS_IPV6_LEN];
	u16 path_mtu;
	u8 *coords;
	size_t coords_len;
	_Atomic u32 coords_count;
	fips_slot slot[FIPS_SLOTS];
	fips_counter last_data;
	fips_counter last_rx;
	fips_counter rx_coords;
	fips_counter tx_coords;
	bool quiet;
	u16 seen_mtu;
	u64 told;
	u64 sr_bytes;
	struct fips_parking parking;
	struct fips_stats stats;
	UT_hash_handle hh;
	UT_hash_handle hh6;
};

/**
 * struct fips_route - next hop to a destination
 * @dest: destination
 * @link: link, or NULL while unreachable
 * @until: end of unreachable
 * @generation: stamp for route_flush
 * @last_use: when something went this way, any thread
 * @hh: in the core's table
 */
struct fips_route {
	struct fips_node_addr dest;
	struct fips_link *link;
	u64 until;
	u32 generation;
	fips_counter last_use;
	UT_hash_handle hh;
};

/* A destination that the node told to refuse. Changed in exclusive calls. */
struct fips_unreachable {
	u8 ipv6[FIPS_IPV6_LEN];
	u64 until;
	UT_hash_handle hh;
};

enum fips_stage_kind {
	FIPS_STAGE_PACKET,	/* IPv6 packets, key: IPv6 address */
	FIPS_STAGE_DGRAM,	/* datagrams, key: node address */
};

/**
 * struct fips_staged - a packet or datagram that waits for an answer
 * @next: younger one
 * @since: when it came
 * @gso: packet: what is left to do
 * @ce: datagram: CE flag
 * @link_id: datagram: link it came on, 0 = ours
 * @len: bytes
 * @headroom: for the timestamp that goes in front of a datagram
 * @data: the packet, or the datagram from its type byte on
 */
struct fips_staged {
	struct fips_staged *next;
	u64 since;
	struct fips_gso gso;
	bool ce;
	u32 link_id;
	size_t len;
	u8 headroom[4];
	u8 data[];
};

struct fips_stage_key {
	u8 kind;
	u8 addr[16];
};

/**
 * struct fips_stage - a destination with waiting packets
 * @key: kind and address
 * @transit: made for a datagram of others
 * @head: oldest
 * @tail: where the next one goes
 * @n: how many
 * @asked: when the node was asked, %FIPS_NEVER if it was not
 * @hh: in the core's table
 */
struct fips_stage {
	struct fips_stage_key key;
	bool transit;
	struct fips_staged *head, **tail;
	u32 n;
	u64 asked;
	UT_hash_handle hh;
};

/**
 * struct fips_core - one node's packet core
 * @cfg: bounds
 * @ipv6: own FIPS address
 * @transport_mtu: smallest frame among the transports
 * @ttl: of datagrams that start here
 * @links: by id
 * @indices: epochs of links by local index; receiving side and exclusive calls
 * @sessions: by node address
 * @sessions6: the same by IPv6 address
 * @routes: by destination
 * @route_gc: when to look for those that nobody uses; exclusive calls
 * @unreachable: destinations to refuse
 * @stage_lock: protects @stages to @coords_sent
 * @stages: destinations with waiting packets
 * @stages_transit: how many of them hold datagrams of others
 * @staged_bytes: their sum
 * @icmp: last ICMPv6 error by hash of its cause
 * @seen: coordinates shown to the node
 * @coords_second: second of the last mirrored coordinates
 * @coords_sent: how many went up in it
 * @parked: frames parked in all; receiving side
 * @dead: unlinked epochs; receiving side and exclusive calls
 * @tick: something waits for fips_core_tick()
 * @stats: device totals
 */
struct fips_core {
	struct fips_core_config cfg;
	u8 ipv6[FIPS_IPV6_LEN];
	u16 transport_mtu;
	u8 ttl;
	struct fips_link *links;
	struct fips_epoch *indices;
	struct fips_session *sessions;
	struct fips_session *sessions6;
	struct fips_route *routes;
	u64 route_gc;
	struct fips_unreachable *unreachable;
	pthread_mutex_t stage_lock;
	struct fips_stage *stages;
	u32 stages_transit;
	size_t staged_bytes;
	u64 icmp[FIPS_ICMP_SLOTS];
	struct fips_seen seen[FIPS_SEEN];
	u64 coords_second;
	u32 coords_sent;
	u32 parked;
	struct fips_epoch *dead;
	atomic_bool tick;
	struct fips_stats stats;
};

/* core.c */
void fips_core_reap(struct fips_core *c);
void fips_core_object_drop(struct fips_core *c, struct fips_stats *object,
			   enum fips_drop_reason reason);
void fips_stats_read(struct fips_stats *s, struct fips_dp_stats *out);
void fips_core_event(const struct fips_core_out *out, struct fips_event *ev);

/* core_epoch.c */
/* A new epoch with what @key holds, or NULL with *err. */
struct fips_epoch *fips_epoch_new(struct fips_core *c, const struct fips_dp_key *key, u64 now,
				  int *err);
/* Add the keys of @key to an epoch that has but an index. */
int fips_epoch_install(struct fips_core *c, struct fips_epoch *e, const struct fips_dp_key *key,
		       u64 now);
/* Take it out of the index table and put it on the dead list; NULL is fine. */
void fips_epoch_retire(struct fips_core *c, struct fips_epoch *e);
/* next becomes current, current becomes previous. The caller owns the slots. */
void fips_slots_promote(struct fips_core *c, fips_slot *slots, u64 now);
/* Reserve up to @n send counters from *@first on; how many there were. */
u32 fips_epoch_take(struct fips_epoch *e, u32 n, u64 *first, bool *limit);
/* Sealing context of a lane, or NULL. */
struct fips_aead *fips_epoch_seal(struct fips_core *c, struct fips_epoch *e, enum fips_lane lane);

static inline bool fips_epoch_usable(const struct fips_epoch *e, u64 now)
{
	return e && e->has_key && now < e->dies_ms;
}

static inline u32 fips_epoch_timestamp(struct fips_epoch *e, u64 now)
{
	return (u32)(now - fips_load(&e->ts_base));
}

/* A frame sealed under @e, for the metrics. */
static inline void fips_epoch_sent(struct fips_epoch *e, u64 ctr, u32 timestamp)
{
	fips_store(&e->tx_timestamp, timestamp);
	if (ctr == e->mark)
		fips_store(&e->mark_timestamp, timestamp);
}

/* What its frames say in their spin bit. */
static inline bool fips_epoch_spin(struct fips_epoch *e)
{
	return atomic_load_explicit(&e->spin_bit, memory_order_relaxed);
}

/* core_mmp.c */
/* An authenticated frame, @counter to @ce set; the receiving side calls. */
void fips_epoch_measure(struct fips_epoch *e, const struct fips_mmp_frame *frame, bool spin);

int fips_park(struct fips_core *c, struct fips_parking *p, const struct fips_parked *meta,
	      const u8 *data);
struct fips_parked *fips_unpark(struct fips_core *c, struct fips_parking *p);
/* Drop those older than @before; when the next is due, or FIPS_NEVER. */
u64 fips_park_expire(struct fips_core *c, struct fips_parking *p, u64 now);

/* core_link.c */
struct fips_link *fips_link_find(struct fips_core *c, u32 id);
void fips_link_free(struct fips_core *c, struct fips_link *l);
/* Seal @plain (of @len bytes, room for the tag behind it in the frame) into @frame. */
void fips_link_seal(struct fips_epoch *e, struct fips_aead *aead, u8 flags, u64 ctr, u8 *frame,
		    const u8 *plain, size_t len);
void fips_link_endpoint(struct fips_link *l, struct fips_endpoint *to);
void fips_link_key_limit(const struct fips_core_out *out, struct fips_link *l);

/* core_session.c */
struct fips_session *fips_session_find(struct fips_core *c, const struct fips_node_addr *remote);
struct fips_session *fips_session_find6(struct fips_core *c, const u8 *ipv6);
void fips_session_free(struct fips_core *c, struct fips_session *s);
void fips_session_key_limit(const struct fips_core_out *out, struct fips_session *s);

/* core_route.c */
struct fips_route *fips_route_find(struct fips_core *c, const struct fips_node_addr *dest);
void fips_routes_del_link(struct fips_core *c, struct fips_link *l);
void fips_routes_free(struct fips_core *c);
/* Forget those that nobody uses; when to look again. */
u64 fips_routes_expire(struct fips_core *c, u64 now);
/* Whether the node told to refuse this address. */
bool fips_is_unreachable(struct fips_core *c, const u8 *ipv6, u64 now);
u64 fips_unreachable_expire(struct fips_core *c, u64 now);

/* core_stage.c */
/* Keep a packet or datagram; true if the node should be asked now. */
bool fips_stage_put(struct fips_core *c, enum fips_stage_kind kind, const u8 *addr,
		    const struct fips_staged *meta, const u8 *data);
/* All that waits for @addr; the caller frees each. */
struct fips_staged *fips_stage_take(struct fips_core *c, enum fips_stage_kind kind, const u8 *addr);
u32 fips_stage_count(struct fips_core *c, enum fips_stage_kind kind, const u8 *addr);
void fips_stage_flush(struct fips_core *c, const struct fips_core_out *out, u64 now,
		      enum fips_stage_kind kind, const u8 *addr);
u64 fips_stage_expire(struct fips_core *c, u64 now);
void fips_stage_free(struct fips_core *c);

/* core_forward.c */
/*
 * Route a datagram and hand it to its link. @dgram starts with the type byte
 * and is at its final TTL; four bytes before it are scratch. @link_id is the
 * link it came on, 0 if it is ours.
 */
void fips_forward(struct fips_core *c, const struct fips_core_out *out, u64 now, u8 *dgram,
		  size_t len, bool ce, u32 link_id);
/* Mirror coordinates of a datagram up, if it carries any. */
void fips_mirror_coords(struct fips_core *c, const struct fips_core_out *out, u64 now,
			const u8 *dgram, size_t len, u32 link_id);
void fips_put_dgram_hdr(u8 *p, u8 ttl, u16 mtu, const struct fips_node_addr *src,
			const struct fips_node_addr *dst);

/* core_rx.c */
void fips_rx_datagram(struct fips_core *c, const struct fips_core_out *out, u64 now, u32 link_id,
		      bool ce, u8 *dgram, size_t len);

/* core_ipv6.c */
/* Largest TCP segment towards (or from) an address (spec 09 §7). */
u16 fips_mss_max(struct fips_core *c, const u8 *ipv6);
/* Clamp the MSS of a SYN; false if nothing changed. */
bool fips_mss_clamp(u8 *ip6, size_t len, u16 max);
/*
 * Build an ICMPv6 error about @orig into @buf (FIPS_ICMP_MAX bytes); its
 * length, or 0 if none is permitted. @own is the source of unreachables.
 */
size_t fips_icmp_unreachable(u8 *buf, const u8 *own, const u8 *orig, size_t len);
size_t fips_icmp_too_big(u8 *buf, u32 mtu, const u8 *orig, size_t len);
/* The same, rate-limited and sent to the local stack. */
void fips_send_unreachable(struct fips_core *c, const struct fips_core_out *out, u64 now,
			   const u8 *orig, size_t len);
void fips_send_too_big(struct fips_core *c, const struct fips_core_out *out, u64 now, u32 mtu,
		       const u8 *orig, size_t len);

/* Note that the route is in use: writes the line no more than once a millisecond. */
static inline void fips_route_use(struct fips_route *r, u64 now)
{
	if (fips_load(&r->last_use) != now)
		fips_store(&r->last_use, now);
}

static inline u32 fips_min32(u32 a, u32 b)
{
	return a < b ? a : b;
}

#endif /* FIPS_CORE_IMPL_H */
