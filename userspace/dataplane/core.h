/* SPDX-License-Identifier: MIT */
/*
 * The packet core: what happens to a packet, apart from where it comes from
 * and goes to (architecture §5). Framing, AEAD, replay windows, key slots,
 * session, link and route tables, staging, parking and the IPv6 adapter as
 * functions on buffers and tables: no thread, no socket, no clock. The user
 * data plane, the simulator and the fuzzers run this same code; its meaning is
 * that of netlink-spec/fips.yaml.
 *
 * Locking. Two kinds of calls:
 *   shared     fips_core_packet() from one thread and fips_core_frame() from
 *              another may run side by side;
 *   exclusive  everything else: nobody else is inside the core.
 * The caller sees to it, with a rwlock (the user provider) or by having one
 * thread (the simulator). Inside: tables change in exclusive calls only; what
 * shared calls change is atomic, belongs to the receiving side alone, or is
 * under the staging lock; what they unlink is freed in the next exclusive call.
 */
#ifndef FIPS_CORE_H
#define FIPS_CORE_H

#include "dataplane.h"
#include "event.h"

struct fips_core;

/* Who calls: each lane has AEAD contexts of its own. Exclusive calls may use any. */
enum fips_lane {
	FIPS_LANE_TX,		/* fips_core_packet() */
	FIPS_LANE_RX,		/* fips_core_frame() */
	FIPS_LANES,
};

/**
 * struct fips_endpoint - where a frame goes to or came from
 * @transport_id: transport
 * @addr: endpoint inside it
 * @local: our own address there, if the socket has several; port 0, may be of no kind
 */
struct fips_endpoint {
	u32 transport_id;
	struct fips_taddr addr;
	struct fips_taddr local;
};

/**
 * struct fips_core_out_ops - what a call gives out
 * @room: memory for a frame of @len bytes to @to, or NULL; valid until frame()
 * @frame: the frame in the memory of the last room() is sealed and ready
 * @packet: an IPv6 packet for the local stack; if @stable the memory is that of the frame given
 *	to fips_core_frame() and lives as long, else it ends with the call
 * @event: pointers in it are borrowed
 *
 * None may call back into the core.
 */
struct fips_core_out_ops {
	u8 *(*room)(void *ctx, const struct fips_endpoint *to, size_t len);
	void (*frame)(void *ctx, const struct fips_endpoint *to, u8 *frame, size_t len);
	void (*packet)(void *ctx, u8 *ip6, size_t len, bool stable);
	void (*event)(void *ctx, const struct fips_event *ev);
};

/**
 * struct fips_core_out - one caller's outlet
 * @ops: its functions
 * @ctx: passed to them
 * @lane: AEAD contexts to use
 */
struct fips_core_out {
	const struct fips_core_out_ops *ops;
	void *ctx;
	enum fips_lane lane;
};

enum fips_gso_type {
	FIPS_GSO_NONE,
	FIPS_GSO_TCP,
	FIPS_GSO_UDP,
};

/**
 * struct fips_gso - what the local stack left undone in a packet
 * @type: segment it into packets of this kind
 * @size: payload bytes of each
 * @csum: the transport checksum at @csum_start + @csum_offset holds only the pseudo-header's sum
 * @csum_start: offset of the transport header
 * @csum_offset: offset of the checksum in it
 */
struct fips_gso {
	enum fips_gso_type type;
	u16 size;
	bool csum;
	u16 csum_start;
	u16 csum_offset;
};

/**
 * struct fips_core_config - bounds, 0 = default
 * @addr: own node address
 * @engine: accelerators, one a lane, or NULL; borrowed for the core's life
 * @stage_packets: packets that wait for one destination (16)
 * @stage_destinations: destinations with waiting packets (256)
 * @stage_ms: how long they wait (30,000)
 */
struct fips_core_config {
	struct fips_node_addr addr;
	struct fips_aead_engine *engine[FIPS_LANES];
	u32 stage_packets;
	u32 stage_destinations;
	u32 stage_ms;
};

struct fips_core *fips_core_new(const struct fips_core_config *cfg);
void fips_core_free(struct fips_core *c);

/**
 * fips_core_packet() - a packet (or super-packet) of the local stack
 * @c: core
 * @out: outlet
 * @now: monotonic milliseconds
 * @gso: what is left to do, or NULL
 * @ip6: packet; its memory is scratch afterwards
 * @len: its length
 *
 * Shared.
 */
void fips_core_packet(struct fips_core *c, const struct fips_core_out *out, u64 now,
		      const struct fips_gso *gso, u8 *ip6, size_t len);

/**
 * fips_core_frame() - a datagram from a transport
 * @c: core
 * @out: outlet; what is no established frame goes up as FIPS_EV_RAW
 * @now: monotonic milliseconds
 * @from: where it came from
 * @frame: datagram, opened in place
 * @len: its length
 *
 * Shared, one thread at a time.
 */
void fips_core_frame(struct fips_core *c, const struct fips_core_out *out, u64 now,
		     const struct fips_endpoint *from, u8 *frame, size_t len);

/* Count packets lost outside. Shared. */
void fips_core_drop(struct fips_core *c, enum fips_drop_reason reason, u64 n);

/* Whether a shared call left something for fips_core_tick() to do; clears. Shared. */
bool fips_core_wants_tick(struct fips_core *c);

/**
 * fips_core_tick() - expire and free what is due
 * @c: core
 * @out: outlet
 * @now: monotonic milliseconds
 *
 * Exclusive. Return: when to call again, %FIPS_NEVER if nothing waits.
 */
u64 fips_core_tick(struct fips_core *c, const struct fips_core_out *out, u64 now);

/*
 * The commands, as in struct fips_dp_ops. All exclusive; 0 or a negative errno.
 */
int fips_core_dev_set(struct fips_core *c, const struct fips_dp_dev *dev);
void fips_core_dev_get(struct fips_core *c, struct fips_dp_stats *st);

int fips_core_link_new(struct fips_core *c, const struct fips_core_out *out, u64 now,
		       const struct fips_dp_link *l);
int fips_core_link_move(struct fips_core *c, u32 id, const struct fips_endpoint *to);
int fips_core_link_del(struct fips_core *c, u32 id);
/* All links of a transport. */
void fips_core_links_del(struct fips_core *c, u32 transport_id);
int fips_core_link_key_new(struct fips_core *c, const struct fips_core_out *out, u64 now, u32 id,
			   const struct fips_dp_key *key);
int fips_core_link_key_swap(struct fips_core *c, u64 now, u32 id);
int fips_core_link_key_del(struct fips_core *c, u32 id, u32 slot);
int fips_core_link_xmit(struct fips_core *c, const struct fips_core_out *out, u64 now, u32 id,
			u32 slot, const void *msg, size_t len);
int fips_core_link_get(struct fips_core *c, u64 now, u32 id, struct fips_dp_link_info *info);
int fips_core_link_report(struct fips_core *c, u64 now, u32 id, u32 take,
			  struct fips_mmp_report *report);
int fips_core_link_congested(struct fips_core *c, u32 id, bool congested);

int fips_core_session_new(struct fips_core *c, const struct fips_core_out *out, u64 now,
			  const struct fips_dp_session *s);
int fips_core_session_set(struct fips_core *c, const struct fips_dp_session *s);
int fips_core_session_del(struct fips_core *c, const struct fips_node_addr *remote);
int fips_core_session_key_new(struct fips_core *c, const struct fips_core_out *out, u64 now,
			      const struct fips_node_addr *remote, const struct fips_dp_key *key);
int fips_core_session_key_swap(struct fips_core *c, u64 now, const struct fips_node_addr *remote);
int fips_core_session_key_del(struct fips_core *c, const struct fips_node_addr *remote, u32 slot);
int fips_core_session_xmit(struct fips_core *c, const struct fips_core_out *out, u64 now,
			   const struct fips_node_addr *remote, u32 slot, u8 msg_type,
			   bool with_coords, const void *body, size_t len);
int fips_core_session_get(struct fips_core *c, u64 now, const struct fips_node_addr *remote,
			  struct fips_dp_session_info *info);
int fips_core_session_report(struct fips_core *c, u64 now, const struct fips_node_addr *remote,
			     u32 take, struct fips_mmp_report *report);
int fips_core_unreachable(struct fips_core *c, const struct fips_core_out *out, u64 now,
			  const u8 *ipv6, u32 ms);

int fips_core_route_set(struct fips_core *c, const struct fips_core_out *out, u64 now,
			const struct fips_node_addr *dest, u32 link_id, u32 generation);
int fips_core_route_unreachable(struct fips_core *c, const struct fips_core_out *out, u64 now,
				const struct fips_node_addr *dest, u32 ms);
int fips_core_route_del(struct fips_core *c, const struct fips_node_addr *dest);
int fips_core_route_flush(struct fips_core *c, u32 older_than);

#endif /* FIPS_CORE_H */
