/* SPDX-License-Identifier: MIT */
/*
 * Packet cores in one thread and in virtual time: what each gives out is kept,
 * and carried to the others only when the test says so. Endpoint of node i is
 * 10.0.0.(i+1):2121 on transport 1.
 */
#ifndef CORENET_H
#define CORENET_H

#include "core.h"
#include "vectors.h"

#define CN_NODES	4
#define CN_MTU		1472

/* Something that came out: a frame, a packet or an event's bytes. */
struct cn_item {
	struct cn_item *next;
	struct fips_endpoint to;	/* frame */
	struct fips_event ev;		/* event; its pointer leads to @data */
	size_t len;
	u8 data[];
};

struct cn_list {
	struct cn_item *head, **tail;
	unsigned int n;
};

struct cn_node {
	struct fips_core *c;
	struct fips_core_out out;
	struct fips_node_addr addr;
	u8 ipv6[16];
	struct fips_endpoint at;
	struct cn_list frames, packets, events;
	unsigned int link_active, session_active;	/* events of those kinds, not in @events */
	struct cn_item *room;
	bool no_room;		/* room() fails */
};

struct cn {
	u64 now;
	struct cn_node n[CN_NODES];
	unsigned int count;
};

/* @count nodes without links; node 0 and 1 are A and B of the vectors. */
void cn_init(struct cn *cn, unsigned int count, const struct fips_core_config *bounds);
void cn_free(struct cn *cn);

/* A key for link or session @i <-> @j as seen by @i; @salt makes epochs differ. */
struct fips_dp_key cn_key(unsigned int i, unsigned int j, u8 salt, u32 slot);
/* Link with keys between two nodes, both sides; link ids are 1 + number of the other. */
void cn_link(struct cn *cn, unsigned int i, unsigned int j);
void cn_session(struct cn *cn, unsigned int i, unsigned int j);
void cn_route(struct cn *cn, unsigned int i, unsigned int dest, unsigned int via);
/* Link, session and route between two neighbours. */
void cn_pair(struct cn *cn, unsigned int i, unsigned int j);

/* A UDP packet from i to j with @payload bytes; its length. */
size_t cn_udp(struct cn *cn, u8 *p, unsigned int i, unsigned int j, size_t payload);
/* A TCP segment. */
size_t cn_tcp(struct cn *cn, u8 *p, unsigned int i, unsigned int j, u32 seq, u8 flags,
	      size_t payload);
/* Whether the transport checksum of a packet is right. */
bool cn_csum_ok(const u8 *p, size_t len);
void cn_csum_set(u8 *p, size_t len);

void cn_send(struct cn *cn, unsigned int i, const u8 *p, size_t len);
/* A frame of @from arrives at node @i. */
void cn_recv(struct cn *cn, unsigned int i, const struct fips_endpoint *from, const u8 *f,
	     size_t len);
/* Carry all frames that wait, until none is left; how many. */
unsigned int cn_pump(struct cn *cn);

struct cn_item *cn_pop(struct cn_list *l);
void cn_clear(struct cn_list *l);
/* The next event must be of this type; free() it. */
struct cn_item *cn_event(struct cn_node *n, enum fips_event_type type);
u64 cn_drops(struct cn_node *n, enum fips_drop_reason reason);
/* All drops of a node together. */
u64 cn_all_drops(struct cn_node *n);

#endif /* CORENET_H */
