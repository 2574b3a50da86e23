/* SPDX-License-Identifier: MIT */
/*
 * What can happen to a node. Everything the node knows of the world comes
 * through fips_node_event(); pointers in an event are borrowed for the call.
 */
#ifndef FIPS_EVENT_H
#define FIPS_EVENT_H

#include "dataplane.h"

/**
 * struct fips_clock - the time of an event
 * @mono_ms: monotonic; all timers run on it
 * @wall_ms: Unix time; only shown or put on the wire
 */
struct fips_clock {
	u64 mono_ms;
	u64 wall_ms;
};

enum fips_event_type {
	FIPS_EV_TIMER,		/* the instant asked for by wake_at() has come */
	FIPS_EV_RAW,		/* a frame that is not established (msg1, msg2) came in */
	FIPS_EV_TRANSPORT_UP,
	FIPS_EV_TRANSPORT_DOWN,
	FIPS_EV_RESOLVED,	/* answer to node_ops->resolve() */
	FIPS_EV_OP_RESULT,	/* a data plane op failed after it returned -EINPROGRESS */
	FIPS_EV_LINK_MSG,	/* authenticated link message the data plane does not handle */
	FIPS_EV_LINK_CONFIRMED,	/* first frame of a candidate; comes before its message */
	FIPS_EV_LINK_FLOAT,	/* the peer moved */
	FIPS_EV_LINK_ACTIVE,	/* first frame since link_report() */
	FIPS_EV_LINK_KEY_USED,
	FIPS_EV_LINK_KEY_LIMIT,
	FIPS_EV_SESSION_MSG,	/* authenticated session message, other than port 256 Data */
	FIPS_EV_SESSION_MISS,	/* packets wait for a session to an IPv6 address */
	FIPS_EV_SESSION_UNKNOWN,	/* the far end has a session that we have lost */
	FIPS_EV_SESSION_ACTIVE,	/* first message since session_report(), or another path MTU */
	FIPS_EV_SESSION_KEY_USED,
	FIPS_EV_SESSION_KEY_LIMIT,
	FIPS_EV_ROUTE_MISS,	/* packets wait for a route */
	FIPS_EV_MTU_EXCEEDED,	/* a transit datagram did not fit */
	FIPS_EV_ROUTE_BACK,	/* a transit datagram would have gone back where it came from */
	FIPS_EV_COORDS,		/* coordinates seen in transit */
	FIPS_EV_RESYNC,		/* upcalls were lost: compare with the data plane */
};

enum fips_transport_kind {
	FIPS_TRANSPORT_UDP,
	FIPS_TRANSPORT_TCP,
	FIPS_TRANSPORT_ETHERNET,
	FIPS_TRANSPORT_TOR,
	FIPS_TRANSPORT_BLE,
};

/**
 * struct fips_transport_info - one transport instance (spec 10 §1)
 * @id: from 1, in creation order
 * @kind: what it is
 * @name: instance name, "" for the unnamed one
 * @family: FIPS_TADDR_IPV4 or FIPS_TADDR_IPV6: what its socket is bound to
 * @mtu: largest frame
 * @accept: inbound handshakes of strangers are welcome
 * @local: bound endpoint
 */
struct fips_transport_info {
	u32 id;
	enum fips_transport_kind kind;
	char name[32];
	u8 family;
	u16 mtu;
	bool accept;
	struct fips_taddr local;
};

/* One thing that happened; the type tells which member of the union is valid. */
struct fips_event {
	enum fips_event_type type;
	union {
		struct {
			u32 transport_id;
			struct fips_taddr from;
			const u8 *data;
			size_t len;
		} raw;
		struct fips_transport_info transport;	/* UP; DOWN: only id */
		struct {
			u32 query;
			int err;		/* 0 or negative errno */
			const struct fips_taddr *addrs;	/* best first */
			size_t count;
		} resolved;
		struct {
			u32 link_id;		/* 0: it was about @remote */
			struct fips_node_addr remote;
			int err;
		} op;
		struct {
			u32 id;
			u32 slot;
			u64 counter;
			u32 timestamp;
			u8 flags;
			const u8 *msg;		/* from the type byte on */
			size_t len;
		} link_msg;
		struct {
			u32 id;
			u32 slot;		/* KEY_USED, KEY_LIMIT */
			u32 transport_id;	/* FLOAT */
			struct fips_taddr remote;	/* FLOAT */
		} link;
		struct {
			struct fips_node_addr remote;
			u32 slot;
			u8 msg_type;
			u64 counter;
			u32 timestamp;
			u8 inner_flags;
			u16 dgram_mtu;
			u32 link_id;
			const u8 *body;
			size_t len;
		} session_msg;
		struct {
			u8 ipv6[FIPS_IPV6_LEN];
		} miss;
		struct {
			struct fips_node_addr remote;
			u32 slot;
			u16 dgram_mtu;		/* ACTIVE: of the message's datagram */
		} session;
		struct {
			struct fips_node_addr dest;
			u32 link_id;		/* arrived on, 0 = ours */
			const u8 *header;
			size_t len;
		} route;
	};
};

#endif /* FIPS_EVENT_H */
