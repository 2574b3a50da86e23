/* SPDX-License-Identifier: MIT */
/*
 * A network of node objects in virtual time: a data plane per node that
 * behaves as the netlink family describes it (index first, key later; parked
 * frames; candidates; staging), and between them a transport that loses what
 * the test tells it to. One seed, one run.
 *
 * Nothing is encrypted: a frame carries the key it would be sealed with, and
 * "opens" if the receiver holds the same.
 */
#ifndef FAKENET_H
#define FAKENET_H

#include <fips/mmp.h>
#include <fips/replay.h>
#include "node.h"

#define FAKE_NODES		16
#define FAKE_TRANSPORTS		2
#define FAKE_PEERS		16
#define FAKE_PARK		8
#define FAKE_STAGE		16

struct fakenet;

enum fake_kind {
	FAKE_MSG1,
	FAKE_MSG2,
	FAKE_FRAME,	/* established */
	FAKE_MESH,	/* established: tree, filter, lookup */
	FAKE_SETUP,	/* established, these inside */
	FAKE_ACK,
	FAKE_MSG3,
	FAKE_DATA,
	FAKE_SMSG,	/* other session message */
	FAKE_REPORT,	/* metrics of a link */
	FAKE_SREPORT,	/* metrics of a session, path MTU */
	FAKE_OTHER,
};

struct fake_packet {
	u64 at;
	u64 seq;
	struct fips_taddr from;
	struct fips_taddr to;
	int src;		/* node that sent it, -1: the test */
	enum fake_kind kind;
	u8 *data;
	size_t len;
	struct fake_packet *next;
};

struct fake_slot {
	bool live;
	bool has_key;
	bool used;
	u32 local_index;
	u32 remote_index;
	u8 tx[FIPS_KEY_LEN];
	u8 rx[FIPS_KEY_LEN];
	u8 k_bit;
	u64 soft;
	u64 ctr;
	u64 opened;
	struct fips_replay replay;
	u64 base;			/* timestamps count from here */
	struct fips_mmp_rx mmp;
	struct fips_mmp_spin spin;
	struct fips_mmp_tx sent;
};

/* Totals of a link or session, and whether its next frame is told. */
struct fake_sums {
	u64 rx_packets;
	u64 rx_bytes;
	u64 tx_packets;
	u64 tx_bytes;
	bool quiet;
};

struct fake_park {
	u8 *data;
	size_t len;
	struct fips_taddr from;
	u64 until;
};

struct fake_link {
	u32 id;
	u32 transport_id;
	struct fips_node_addr peer;
	struct fips_taddr remote;
	u16 mtu;
	bool candidate;
	struct fake_slot slot;		/* current */
	struct fake_slot next_slot;
	struct fake_slot old_slot;
	u64 last_rx;
	struct fake_sums sums;
	bool congested;
	struct fake_park park[FAKE_PARK];
	unsigned int parked;
	struct fake_link *next;
};

struct fake_session {
	struct fips_node_addr remote;
	u8 ipv6[FIPS_IPV6_LEN];
	u16 path_mtu;
	u8 coords_count;
	size_t coords_len;
	u8 coords[2 * (2 + 64 * FIPS_NODE_ADDR_LEN)];
	struct fake_slot slot[3];
	unsigned int staged;
	u64 last_data;
	u64 last_rx;
	struct fake_sums sums;
	u16 seen_mtu;
	struct fake_park park[FAKE_PARK];
	unsigned int parked;
	struct fake_session *next;
};

struct fake_route {
	struct fips_node_addr dest;
	u32 link_id;	/* 0: unreachable */
	u64 until;
	u32 generation;
	struct fake_route *next;
};

/* A datagram that waits for a route. */
struct fake_held {
	struct fips_node_addr dest;
	u32 link_id;
	u8 *data;
	size_t len;
	struct fake_held *next;
};

/* Packets to an address that has no session. */
struct fake_miss {
	u8 ipv6[FIPS_IPV6_LEN];
	unsigned int staged;
	u64 unreachable_until;
	struct fake_miss *next;
};

struct fake_event {
	u64 at;
	u64 seq;
	int node;
	struct fips_event ev;
	u8 *data;
	struct fips_taddr addrs[2];
	struct fake_event *next;
};

struct fake_transport {
	u32 id;
	struct fips_taddr addr;
	bool up;
	bool accept;
};

struct fake_ctx {
	struct fakenet *net;
	int self;
};

struct fake_node {
	struct fake_ctx ctx;
	struct fips_node *node;
	struct fips_secrets *secrets;
	struct fips_keypair keypair;
	struct fips_node_timing timing;
	u64 wake;
	struct fake_transport transports[FAKE_TRANSPORTS];
	unsigned int n_transports;
	struct fips_peer_config peers[FAKE_PEERS];
	struct fips_peer_addr addrs[FAKE_PEERS];
	char addr_text[FAKE_PEERS][FIPS_TADDR_TEXT_MAX];
	size_t n_peers;
	struct fake_link *links;
	struct fake_session *sessions;
	struct fake_route *routes;
	struct fake_held *held;
	struct fake_miss *misses;
	/* what happened */
	unsigned int delivered;		/* Data messages that opened here */
	unsigned int icmp;		/* packets refused with ICMPv6 */
	unsigned int raw_out[2];	/* msg1, msg2 sent */
	unsigned int frames_out;
	unsigned int dropped_unknown;	/* unknown index */
	unsigned int dropped_auth;
	unsigned int dropped_session;	/* no session or no slot opens */
	unsigned int dropped_route;
	unsigned int circles;		/* would have gone back where they came from */
	unsigned int forwarded;
	unsigned int misses_asked;
	bool raw_fail;			/* raw_send() fails */
	int fail_link_new;		/* answer of link_new() */
	unsigned int acl_lines;		/* of the log */
};

/* What was sent, lost or not; handshake packets whole. */
#define FAKE_SENT_BYTES		256
#define FAKE_SENT		16384

struct fake_sent {
	u64 at;
	int src;
	enum fake_kind kind;
	struct fips_taddr from;
	struct fips_taddr to;
	size_t len;
	u8 data[FAKE_SENT_BYTES];
};

struct fakenet {
	u64 now;
	u64 seq;
	u64 rng;
	struct fips_pk pk;
	struct fake_node nodes[FAKE_NODES];
	int n_nodes;
	struct fake_packet *wire;	/* sorted by time */
	struct fake_event *events;	/* sorted by time */
	u64 latency;
	u64 jitter;
	unsigned int loss_percent;
	/* true: lost */
	bool (*drop)(struct fakenet *net, const struct fake_packet *p);
	void *drop_arg;
	struct fake_sent *sent;		/* the first FAKE_SENT since it was set to 0 */
	unsigned int n_sent;
	bool verbose;
};

struct fakenet *fakenet_new(u64 seed);
/* Ends every node and checks that no secret is left. */
void fakenet_free(struct fakenet *net);

/* A node with an identity made of @key; not started yet, so that its timing can be changed. */
int fakenet_add(struct fakenet *net, u8 key);
/* Give it a transport; before or after start. */
void fakenet_transport(struct fakenet *net, int node, const char *addr);
void fakenet_start(struct fakenet *net, int node);
/* kill -9 and start again: new epoch, empty data plane. */
void fakenet_restart(struct fakenet *net, int node);
void fakenet_stop(struct fakenet *net, int node);
/* Node and transport at "10.0.0.@key:2121". */
int fakenet_simple(struct fakenet *net, u8 key);
/* A net of @count such nodes, keys from 1 on, that know each other's keys; none dials yet. */
struct fakenet *fakenet_strangers(u64 seed, int count);

/* Configure @peer (its first address) with @node; AUTO. Takes effect at once. */
void fakenet_peer(struct fakenet *net, int node, int peer);
void fakenet_peer_at(struct fakenet *net, int node, int peer, const char *addr,
		     enum fips_connect_policy policy, bool reconnect);
int fakenet_connect(struct fakenet *net, int node, int peer, const char *addr);

void fakenet_run(struct fakenet *net, u64 ms);
/* Until @cond holds, at most @ms. */
bool fakenet_until(struct fakenet *net, bool (*cond)(struct fakenet *net), u64 ms);

struct fips_clock fakenet_clock(const struct fakenet *net);
u32 fakenet_random(struct fakenet *net);
struct fips_rng fakenet_rng(struct fakenet *net);

/* A packet from nowhere. */
void fakenet_inject(struct fakenet *net, const char *from, const struct fips_taddr *to,
		    const u8 *data, size_t len);
void fakenet_inject_from(struct fakenet *net, const struct fips_taddr *from,
			 const struct fips_taddr *to, const u8 *data, size_t len);
/* A packet of the stack for @peer, or for any address. */
void fakenet_data(struct fakenet *net, int node, int peer);
void fakenet_data_to(struct fakenet *net, int node, const u8 *ipv6);
/* A link message of @node to @peer, as if it were its own. */
void fakenet_link_msg(struct fakenet *net, int node, int peer, const u8 *msg, size_t len);
/* The node's address changes under it. */
void fakenet_move(struct fakenet *net, int node, const char *addr);

/* Packets of a kind that @node sent (-1: any), and the time of number @nr since @since. */
unsigned int fakenet_count(const struct fakenet *net, int node, enum fake_kind kind);
const struct fake_sent *fakenet_sent(const struct fakenet *net, int node, enum fake_kind kind,
				     unsigned int nr);

/* Is @peer a peer of @node, and do their active links match? */
bool fakenet_has_peer(struct fakenet *net, int node, int peer);
bool fakenet_linked(struct fakenet *net, int a, int b);
/* Session state of @node with @peer, "" if there is none. */
const char *fakenet_session(struct fakenet *net, int node, int peer);
struct fake_session *fakenet_dp_session(struct fakenet *net, int node, int peer);
struct fake_link *fakenet_dp_link(struct fakenet *net, int node, int peer);
struct fips_node_view fakenet_view(struct fakenet *net, int node);
size_t fakenet_dp_links(struct fakenet *net, int node);
size_t fakenet_dp_sessions(struct fakenet *net, int node);
const struct fips_node_addr *fakenet_addr(struct fakenet *net, int node);
struct fips_taddr fakenet_taddr(struct fakenet *net, int node);

#endif /* FAKENET_H */
