// SPDX-License-Identifier: MIT
/* Network of nodes in virtual time; see fakenet.h. */

#undef NDEBUG	/* the asserts here do work */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sodium.h>
#include <utlist.h>

#include "fakenet.h"
#include "fmp.h"
#include "fsp.h"

#define START_MS	1000000
#define FRAME_MAX	4400
#define PARK_MS		2000
#define WALL_OFFSET	UINT64_C(1700000000000)

/* ---- randomness, clock ---- */

static u64 rng_next(struct fakenet *net)
{
	u64 z = (net->rng += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static int rng_bytes(void *ctx, void *buf, size_t len)
{
	struct fakenet *net = ctx;
	u8 *p = buf;

	while (len--)
		*p++ = (u8)rng_next(net);
	return 0;
}

struct fips_rng fakenet_rng(struct fakenet *net)
{
	return (struct fips_rng) { .random = rng_bytes, .ctx = net };
}

u32 fakenet_random(struct fakenet *net)
{
	return (u32)rng_next(net);
}

struct fips_clock fakenet_clock(const struct fakenet *net)
{
	return (struct fips_clock) { .mono_ms = net->now, .wall_ms = net->now + WALL_OFFSET };
}

static struct fake_node *node_of(void *ctx)
{
	struct fake_ctx *c = ctx;

	return &c->net->nodes[c->self];
}

static struct fakenet *net_of(const struct fake_node *f)
{
	return f->ctx.net;
}

/* ---- events to a node ---- */

static int event_cmp(const struct fake_event *a, const struct fake_event *b)
{
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

static struct fake_event *event_new(struct fake_node *f, enum fips_event_type type)
{
	struct fakenet *net = net_of(f);
	struct fake_event *e = calloc(1, sizeof(*e));

	assert(e);
	e->at = net->now;
	e->seq = net->seq++;
	e->node = f->ctx.self;
	e->ev.type = type;
	return e;
}

static void event_post(struct fake_node *f, struct fake_event *e)
{
	struct fakenet *net = net_of(f);

	LL_INSERT_INORDER(net->events, e, event_cmp);
}

static u8 *copy_of(const u8 *data, size_t len)
{
	u8 *p = malloc(len ? len : 1);

	assert(p);
	if (len)
		memcpy(p, data, len);
	return p;
}

static void event_link(struct fake_node *f, enum fips_event_type type, const struct fake_link *l,
		       u32 slot)
{
	struct fake_event *e = event_new(f, type);

	e->ev.link.id = l->id;
	e->ev.link.slot = slot;
	e->ev.link.transport_id = l->transport_id;
	e->ev.link.remote = l->remote;
	event_post(f, e);
}

/* ---- the wire ---- */

static int packet_cmp(const struct fake_packet *a, const struct fake_packet *b)
{
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

/*
 * Frame: header 16, most of the key 28, timestamp 4, link message. Session message inside:
 * header 12, key 28, timestamp 4, type, then coordinates or body.
 */
#define KEY_LEN		(FIPS_KEY_LEN - 4)
#define FRAME_KEY	FIPS_FMP_HDR_LEN
#define FRAME_TS	(FRAME_KEY + KEY_LEN)
#define FRAME_MSG	(FRAME_TS + 4)
#define SMSG_KEY	FIPS_FSP_HDR_LEN
#define SMSG_TS		(SMSG_KEY + KEY_LEN)
#define SMSG_TYPE	(SMSG_TS + 4)

static enum fake_kind packet_kind(const u8 *data, size_t len)
{
	const u8 *fsp;

	if (!len)
		return FAKE_OTHER;
	if (data[0] == FIPS_FMP_MSG1)
		return FAKE_MSG1;
	if (data[0] == FIPS_FMP_MSG2)
		return FAKE_MSG2;
	if (data[0] != FIPS_FMP_ESTABLISHED || len <= FRAME_MSG)
		return FAKE_OTHER;
	if (data[FRAME_MSG] >= FIPS_LINK_TREE_ANNOUNCE &&
	    data[FRAME_MSG] <= FIPS_LINK_LOOKUP_RESPONSE)
		return FAKE_MESH;
	if (data[FRAME_MSG] == FIPS_LINK_SENDER_REPORT ||
	    data[FRAME_MSG] == FIPS_LINK_RECEIVER_REPORT)
		return FAKE_REPORT;
	if (data[FRAME_MSG] != FIPS_LINK_DATAGRAM || len < FRAME_MSG + FIPS_DGRAM_HDR_LEN + 4)
		return FAKE_FRAME;
	fsp = data + FRAME_MSG + FIPS_DGRAM_HDR_LEN;
	switch (fsp[0]) {
	case FIPS_FSP_SETUP:
		return FAKE_SETUP;
	case FIPS_FSP_ACK:
		return FAKE_ACK;
	case FIPS_FSP_MSG3:
		return FAKE_MSG3;
	}
	if (fsp[1] & FIPS_FSP_FLAG_U || len <= FRAME_MSG + FIPS_DGRAM_HDR_LEN + SMSG_TYPE)
		return FAKE_OTHER;
	switch (fsp[SMSG_TYPE]) {
	case FIPS_FSP_DATA:
		return FAKE_DATA;
	case FIPS_FSP_SENDER_REPORT:
	case FIPS_FSP_RECEIVER_REPORT:
	case FIPS_FSP_PATH_MTU:
		return FAKE_SREPORT;
	default:
		return FAKE_SMSG;
	}
}

static void wire_record(struct fakenet *net, const struct fake_packet *p)
{
	struct fake_sent *r = &net->sent[net->n_sent];

	if (net->n_sent == FAKE_SENT)
		return;
	net->n_sent++;
	r->at = net->now;
	r->src = p->src;
	r->kind = p->kind;
	r->from = p->from;
	r->to = p->to;
	r->len = p->len;
	memcpy(r->data, p->data, p->len < FAKE_SENT_BYTES ? p->len : FAKE_SENT_BYTES);
}

const struct fake_sent *fakenet_sent(const struct fakenet *net, int node, enum fake_kind kind,
				     unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < net->n_sent; i++) {
		if (net->sent[i].kind == kind && (node < 0 || net->sent[i].src == node) && !nr--)
			return &net->sent[i];
	}
	return NULL;
}

unsigned int fakenet_count(const struct fakenet *net, int node, enum fake_kind kind)
{
	unsigned int count = 0;

	while (fakenet_sent(net, node, kind, count))
		count++;
	return count;
}

static void wire_put(struct fakenet *net, int src, const struct fips_taddr *from,
		     const struct fips_taddr *to, const u8 *data, size_t len)
{
	struct fake_packet *p = calloc(1, sizeof(*p));

	assert(p);
	p->at = net->now + net->latency;
	if (net->jitter)
		p->at += rng_next(net) % net->jitter;
	p->seq = net->seq++;
	p->from = *from;
	p->to = *to;
	p->src = src;
	p->data = copy_of(data, len);
	p->len = len;
	p->kind = packet_kind(data, len);
	wire_record(net, p);
	if ((src >= 0 && net->loss_percent && rng_next(net) % 100 < net->loss_percent) ||
	    (net->drop && net->drop(net, p))) {
		free(p->data);
		free(p);
		return;
	}
	LL_INSERT_INORDER(net->wire, p, packet_cmp);
}

static struct fake_transport *transport_of(struct fake_node *f, u32 id)
{
	unsigned int i;

	for (i = 0; i < f->n_transports; i++) {
		if (f->transports[i].id == id && f->transports[i].up)
			return &f->transports[i];
	}
	return NULL;
}

/* ---- data plane: links ---- */

static struct fake_link *link_find(const struct fake_node *f, u32 id)
{
	struct fake_link *l;

	LL_SEARCH_SCALAR(f->links, l, id, id);
	return l;
}

static void slot_set(struct fake_slot *slot, const struct fips_dp_key *key, u64 now)
{
	*slot = (struct fake_slot) {
		.live = true,
		.has_key = key->has_key,
		.local_index = key->local_index,
		.remote_index = key->remote_index,
		.k_bit = key->k_bit,
		.soft = key->soft_limit,
	};
	memcpy(slot->tx, key->tx, FIPS_KEY_LEN);
	memcpy(slot->rx, key->rx, FIPS_KEY_LEN);
	fips_replay_init(&slot->replay);
	slot->base = now;
	slot->spin.initiator = key->initiator;
}

/* ---- metrics, as both data planes add them up ---- */

static u32 slot_timestamp(const struct fakenet *net, const struct fake_slot *slot)
{
	return (u32)(net->now - slot->base);
}

static void slot_renewed(const struct fakenet *net, struct fake_slot *slot)
{
	slot->base = net->now;
	slot->mmp.grace_until_us = net->now * 1000 + FIPS_MMP_GRACE_US;
}

static void sums_received(const struct fakenet *net, struct fake_sums *sums,
			  struct fake_slot *slot, bool old, u64 ctr, u32 ts, bool spin, size_t len)
{
	const struct fips_mmp_frame frame = {
		.counter = ctr,
		.now_us = net->now * 1000,
		.timestamp = ts,
		.bytes = (u32)len,
	};

	sums->rx_packets++;
	sums->rx_bytes += len;
	if (old)
		return;
	fips_mmp_rx_frame(&slot->mmp, &frame);
	fips_mmp_spin_rx(&slot->spin, ctr, spin, net->now * 1000);
}

static int sums_report(const struct fakenet *net, struct fake_sums *sums, struct fake_slot *slot,
		       u32 take, struct fips_mmp_report *r)
{
	memset(r, 0, sizeof(*r));
	if (slot->has_key) {
		fips_mmp_report_rx(&slot->mmp, &slot->spin, take & FIPS_MMP_TAKE_RX,
				   net->now * 1000, r);
		r->now_ts = slot_timestamp(net, slot);
		r->tx = slot->sent;
		if (take & FIPS_MMP_TAKE_TX)
			fips_mmp_tx_take(&slot->sent, &r->tx);
	}
	r->rx.cum_packets = sums->rx_packets;
	r->rx.cum_bytes = sums->rx_bytes;
	r->tx.cum_packets = sums->tx_packets;
	r->tx.cum_bytes = sums->tx_bytes;
	sums->quiet = true;
	return 0;
}

static void sums_sent(const struct fakenet *net, struct fake_sums *sums, struct fake_slot *slot,
		      size_t len)
{
	sums->tx_packets++;
	sums->tx_bytes += len;
	fips_mmp_tx_frame(&slot->sent, slot->ctr - 1, slot_timestamp(net, slot), (u32)len);
}

static void park_clear(struct fake_park *park, unsigned int *count)
{
	while (*count)
		free(park[--*count].data);
}

static void park_add(struct fakenet *net, struct fake_park *park, unsigned int *count,
		     const struct fips_taddr *from, const u8 *data, size_t len)
{
	if (*count == FAKE_PARK)
		return;
	park[*count].data = copy_of(data, len);
	park[*count].len = len;
	park[*count].from = *from;
	park[*count].until = net->now + PARK_MS;
	++*count;
}

static int dp_dev_set(void *dp, const struct fips_dp_dev *dev)
{
	(void)dp;
	assert(dev->transport_mtu);
	return 0;
}

static int dp_link_new(void *dp, const struct fips_dp_link *link)
{
	struct fake_node *f = node_of(dp);
	struct fake_link *l;

	if (f->fail_link_new)
		return f->fail_link_new;
	assert(!link_find(f, link->id));
	assert(transport_of(f, link->transport_id));
	assert(link->key);
	l = calloc(1, sizeof(*l));
	assert(l);
	l->id = link->id;
	l->transport_id = link->transport_id;
	l->peer = link->peer;
	l->remote = link->remote;
	l->mtu = link->mtu;
	l->candidate = link->candidate;
	l->last_rx = FIPS_NEVER;
	l->sums.quiet = true;
	slot_set(&l->slot, link->key, net_of(f)->now);
	LL_APPEND(f->links, l);
	return 0;
}

static int dp_link_move(void *dp, u32 id, u32 transport_id, const struct fips_taddr *remote)
{
	struct fake_link *l = link_find(node_of(dp), id);

	if (!l)
		return -ENOENT;
	l->transport_id = transport_id;
	l->remote = *remote;
	return 0;
}

static int dp_link_del(void *dp, u32 id)
{
	struct fake_node *f = node_of(dp);
	struct fake_link *l = link_find(f, id);
	struct fake_route *r, *tmp;

	if (!l)
		return -ENOENT;
	LL_FOREACH_SAFE(f->routes, r, tmp) {
		if (r->link_id == id) {
			LL_DELETE(f->routes, r);
			free(r);
		}
	}
	park_clear(l->park, &l->parked);
	LL_DELETE(f->links, l);
	free(l);
	return 0;
}

static void link_receive(struct fake_node *f, struct fake_link *l, const struct fips_taddr *from,
			 const u8 *data, size_t len);

static struct fake_slot *link_slot(struct fake_link *l, u32 slot)
{
	struct fake_slot *const slots[] = {
		[FIPS_KEY_SLOT_CURRENT] = &l->slot,
		[FIPS_KEY_SLOT_NEXT] = &l->next_slot,
		[FIPS_KEY_SLOT_PREVIOUS] = &l->old_slot,
	};

	assert(slot < 3);
	return slots[slot];
}

/* The slot that an index names, or NULL. */
static struct fake_slot *index_find(struct fake_node *f, u32 index, struct fake_link **link)
{
	struct fake_link *l;
	u32 i;

	LL_FOREACH(f->links, l) {
		for (i = 0; i < 3; i++) {
			*link = l;
			if (link_slot(l, i)->live && link_slot(l, i)->local_index == index)
				return link_slot(l, i);
		}
	}
	return NULL;
}

static void link_promote(const struct fakenet *net, struct fake_link *l)
{
	l->old_slot = l->slot;
	l->slot = l->next_slot;
	slot_renewed(net, &l->slot);
	l->next_slot = (struct fake_slot) { .live = false };
}

static int dp_link_key_new(void *dp, u32 id, const struct fips_dp_key *key)
{
	struct fake_node *f = node_of(dp);
	struct fake_link *l = link_find(f, id), *other;
	struct fake_slot *s = index_find(f, key->local_index, &other);
	struct fake_park park[FAKE_PARK];
	unsigned int i, n;

	if (!l)
		return -ENOENT;
	assert(!s || s == link_slot(l, key->slot));
	slot_set(link_slot(l, key->slot), key, net_of(f)->now);
	if (!key->has_key)
		return 0;
	n = l->parked;
	memcpy(park, l->park, sizeof(park));
	l->parked = 0;
	for (i = 0; i < n; i++) {
		if (park[i].until >= net_of(f)->now)
			link_receive(f, l, &park[i].from, park[i].data, park[i].len);
		free(park[i].data);
	}
	return 0;
}

static int dp_link_key_swap(void *dp, u32 id)
{
	struct fake_link *l = link_find(node_of(dp), id);

	if (!l || !l->next_slot.has_key)
		return -ENOENT;
	link_promote(net_of(node_of(dp)), l);
	return 0;
}

static int dp_link_key_del(void *dp, u32 id, u32 slot)
{
	struct fake_link *l = link_find(node_of(dp), id);

	if (!l || !link_slot(l, slot)->live)
		return -ENOENT;
	*link_slot(l, slot) = (struct fake_slot) { .live = false };
	return 0;
}

static int link_send(struct fake_node *f, struct fake_link *l, struct fake_slot *s,
		     const void *msg, size_t len)
{
	struct fake_transport *t = transport_of(f, l->transport_id);
	u8 frame[FRAME_MAX];

	assert(len && FRAME_MSG + len <= sizeof(frame));
	if (!s->has_key)
		return -ENOKEY;
	if (!t)
		return -ENODEV;
	fips_put_fmp_hdr(frame, (s->k_bit ? FIPS_FMP_FLAG_K : 0) |
				(s->spin.bit ? FIPS_FMP_FLAG_SP : 0), (u16)(len + 4),
			 s->remote_index, s->ctr++);
	fips_put_le32(frame + FRAME_TS, slot_timestamp(net_of(f), s));
	sums_sent(net_of(f), &l->sums, s, FRAME_MSG + len);
	if (s->soft && s->ctr == s->soft)
		event_link(f, FIPS_EV_LINK_KEY_LIMIT, l, FIPS_KEY_SLOT_CURRENT);
	memcpy(frame + FRAME_KEY, s->tx, KEY_LEN);
	memcpy(frame + FRAME_MSG, msg, len);
	f->frames_out++;
	wire_put(net_of(f), f->ctx.self, &t->addr, &l->remote, frame, FRAME_MSG + len);
	return 0;
}

static int dp_link_xmit(void *dp, u32 id, u32 slot, const void *msg, size_t len)
{
	struct fake_node *f = node_of(dp);
	struct fake_link *l = link_find(f, id);

	return l ? link_send(f, l, link_slot(l, slot), msg, len) : -ENOENT;
}

static u64 since(const struct fake_node *f, u64 at)
{
	return at == FIPS_NEVER ? FIPS_NEVER : net_of(f)->now - at;
}

static int dp_link_get(void *dp, u32 id, struct fips_dp_link_info *info)
{
	struct fake_node *f = node_of(dp);
	struct fake_link *l = link_find(f, id);

	if (!l)
		return -ENOENT;
	*info = (struct fips_dp_link_info) {
		.last_rx_ms = since(f, l->last_rx),
		.remote = l->remote,
		.tx_counter = l->slot.ctr,
	};
	return 0;
}

static int dp_link_report(void *dp, u32 id, u32 take, struct fips_mmp_report *r)
{
	struct fake_node *f = node_of(dp);
	struct fake_link *l = link_find(f, id);

	return l ? sums_report(net_of(f), &l->sums, &l->slot, take, r) : -ENOENT;
}

static int dp_link_congested(void *dp, u32 id, bool congested)
{
	struct fake_link *l = link_find(node_of(dp), id);

	if (!l)
		return -ENOENT;
	l->congested = congested;
	return 0;
}

/* ---- data plane: sessions ---- */

static struct fake_session *session_find(const struct fake_node *f,
					 const struct fips_node_addr *remote)
{
	struct fake_session *s;

	LL_FOREACH(f->sessions, s) {
		if (fips_node_addr_eq(&s->remote, remote))
			return s;
	}
	return NULL;
}

static struct fake_miss *miss_get(struct fake_node *f, const u8 *ipv6)
{
	struct fake_miss *m;

	LL_FOREACH(f->misses, m) {
		if (!memcmp(m->ipv6, ipv6, FIPS_IPV6_LEN))
			return m;
	}
	m = calloc(1, sizeof(*m));
	assert(m);
	memcpy(m->ipv6, ipv6, FIPS_IPV6_LEN);
	LL_PREPEND(f->misses, m);
	return m;
}

static void session_describe(struct fake_session *s, const struct fips_dp_session *desc)
{
	s->path_mtu = desc->path_mtu;
	if (!desc->coords)
		return;
	assert(desc->coords_len <= sizeof(s->coords));
	memcpy(s->coords, desc->coords, desc->coords_len);
	s->coords_len = desc->coords_len;
	s->coords_count = desc->coords_count;
}

static int dp_session_new(void *dp, const struct fips_dp_session *desc)
{
	struct fake_node *f = node_of(dp);
	struct fake_session *s = session_find(f, &desc->remote);
	struct fake_miss *m;

	if (s)
		return -EEXIST;
	s = calloc(1, sizeof(*s));
	assert(s);
	s->remote = desc->remote;
	fips_node_addr_to_ipv6(&s->remote, s->ipv6);
	s->last_data = FIPS_NEVER;
	s->last_rx = FIPS_NEVER;
	s->sums.quiet = true;
	s->seen_mtu = FIPS_MTU_UNKNOWN;
	session_describe(s, desc);
	LL_APPEND(f->sessions, s);
	m = miss_get(f, s->ipv6);
	s->staged = m->staged;
	m->staged = 0;
	return 0;
}

static int dp_session_set(void *dp, const struct fips_dp_session *desc)
{
	struct fake_session *s = session_find(node_of(dp), &desc->remote);

	if (!s)
		return -ENOENT;
	session_describe(s, desc);
	return 0;
}

static int dp_session_del(void *dp, const struct fips_node_addr *remote)
{
	struct fake_node *f = node_of(dp);
	struct fake_session *s = session_find(f, remote);

	if (!s)
		return -ENOENT;
	park_clear(s->park, &s->parked);
	LL_DELETE(f->sessions, s);
	free(s);
	return 0;
}

static void event_dgram(struct fake_node *f, enum fips_event_type type, const u8 *msg, size_t len,
			u32 link_id)
{
	struct fake_event *e = event_new(f, type);

	e->data = copy_of(msg, len);
	memcpy(&e->ev.route.dest, msg + FIPS_DGRAM_DST_OFF, FIPS_NODE_ADDR_LEN);
	e->ev.route.link_id = link_id;
	e->ev.route.header = e->data;
	e->ev.route.len = len;
	event_post(f, e);
}

static struct fake_route *route_find(struct fake_node *f, const struct fips_node_addr *dest)
{
	struct fake_route *r;

	LL_FOREACH(f->routes, r) {
		if (fips_node_addr_eq(&r->dest, dest))
			return r;
	}
	return NULL;
}

static void hold(struct fake_node *f, const struct fips_node_addr *dest, const u8 *msg, size_t len,
		 u32 link_id)
{
	struct fake_held *h;
	unsigned int count = 0;

	LL_FOREACH(f->held, h)
		count += fips_node_addr_eq(&h->dest, dest);
	if (count == FAKE_STAGE) {
		f->dropped_route++;
		return;
	}
	h = calloc(1, sizeof(*h));
	assert(h);
	h->dest = *dest;
	h->link_id = link_id;
	h->data = copy_of(msg, len);
	h->len = len;
	LL_APPEND(f->held, h);
	if (count)
		return;
	f->misses_asked++;
	event_dgram(f, FIPS_EV_ROUTE_MISS, msg, len, link_id);
}

/* A datagram on its way; @msg is changed. */
static int forward(struct fake_node *f, u8 *msg, size_t len, u32 link_id)
{
	struct fips_node_addr dest;
	struct fake_route *r;
	struct fake_link *l;

	memcpy(&dest, msg + FIPS_DGRAM_DST_OFF, sizeof(dest));
	r = route_find(f, &dest);
	if (!r || (!r->link_id && r->until <= net_of(f)->now)) {
		hold(f, &dest, msg, len, link_id);
		return 0;
	}
	l = r->link_id ? link_find(f, r->link_id) : NULL;
	if (!l) {
		f->dropped_route++;
		return -EHOSTUNREACH;
	}
	if (l->id == link_id) {
		f->circles++;
		event_dgram(f, FIPS_EV_ROUTE_BACK, msg, len, link_id);
		return -ELOOP;
	}
	if (FIPS_FMP_HDR_LEN + 4 + len + FIPS_TAG_LEN > l->mtu) {
		if (link_id)
			event_dgram(f, FIPS_EV_MTU_EXCEEDED, msg, len, link_id);
		return -EMSGSIZE;
	}
	if (fips_get_le16(msg + FIPS_DGRAM_MTU_OFF) > l->mtu)
		fips_put_le16(msg + FIPS_DGRAM_MTU_OFF, l->mtu);
	f->forwarded += link_id != 0;
	return link_send(f, l, &l->slot, msg, len);
}

static void release(struct fake_node *f, const struct fips_node_addr *dest)
{
	struct fake_held *h, *tmp, *list = NULL;

	LL_FOREACH_SAFE(f->held, h, tmp) {
		if (!fips_node_addr_eq(&h->dest, dest))
			continue;
		LL_DELETE(f->held, h);
		LL_APPEND(list, h);
	}
	LL_FOREACH_SAFE(list, h, tmp) {
		forward(f, h->data, h->len, h->link_id);
		free(h->data);
		free(h);
	}
}

static int session_send(struct fake_node *f, struct fake_session *s, u32 slot, u8 type, bool cp,
			const void *body, size_t body_len)
{
	struct fake_slot *k = &s->slot[slot];
	u8 msg[FIPS_DGRAM_HDR_LEN + SMSG_TYPE + 1 + sizeof(s->coords)];
	u8 fsp[SMSG_TYPE + 1 + sizeof(s->coords)];
	size_t room = sizeof(fsp) - SMSG_TYPE - 1;
	struct fips_datagram dgram = {
		.ttl = 64,
		.path_mtu = FIPS_MTU_UNKNOWN,
		.src = f->keypair.id.addr,
		.dst = s->remote,
		.payload = fsp,
		.len = SMSG_TYPE + 1,
	};
	int len;

	if (!k->has_key)
		return -ENOKEY;
	if (k->soft && k->ctr + 1 == k->soft) {
		struct fake_event *limit = event_new(f, FIPS_EV_SESSION_KEY_LIMIT);

		limit->ev.session.remote = s->remote;
		limit->ev.session.slot = slot;
		event_post(f, limit);
	}
	if (type == FIPS_FSP_DATA && s->coords_count) {
		s->coords_count--;
		cp = true;
	}
	fips_put_fsp_hdr(fsp, (k->k_bit ? FIPS_FSP_FLAG_K : 0) | (cp ? FIPS_FSP_FLAG_CP : 0), 7,
			 k->ctr++);
	memcpy(fsp + SMSG_KEY, k->tx, KEY_LEN);
	fips_put_le32(fsp + SMSG_TS, slot_timestamp(net_of(f), k));
	fsp[SMSG_TYPE] = type;
	assert(body_len <= room && !(cp && body_len));
	if (body_len)
		memcpy(fsp + SMSG_TYPE + 1, body, body_len);
	dgram.len += body_len;
	sums_sent(net_of(f), &s->sums, k, dgram.len);
	if (cp) {
		memcpy(fsp + SMSG_TYPE + 1, s->coords, s->coords_len);
		dgram.len += s->coords_len;
	}
	len = fips_datagram_build(msg, sizeof(msg), &dgram);
	assert(len > 0);
	if (type == FIPS_FSP_DATA)
		s->last_data = net_of(f)->now;
	return forward(f, msg, (size_t)len, 0);
}

static void session_flush(struct fake_node *f, struct fake_session *s)
{
	while (s->staged && s->slot[FIPS_KEY_SLOT_CURRENT].has_key) {
		s->staged--;
		session_send(f, s, FIPS_KEY_SLOT_CURRENT, FIPS_FSP_DATA, false, NULL, 0);
	}
}

static void session_receive(struct fake_node *f, struct fake_session *s, u32 link_id, u16 mtu,
			    const u8 *fsp, size_t len);

static int dp_session_key_new(void *dp, const struct fips_node_addr *remote,
			      const struct fips_dp_key *key)
{
	struct fake_node *f = node_of(dp);
	struct fake_session *s = session_find(f, remote);
	struct fake_park park[FAKE_PARK];
	unsigned int i, n;

	if (!s)
		return -ENOENT;
	slot_set(&s->slot[key->slot], key, net_of(f)->now);
	n = s->parked;
	memcpy(park, s->park, sizeof(park));
	s->parked = 0;
	for (i = 0; i < n; i++) {
		if (park[i].until >= net_of(f)->now)
			session_receive(f, s, 0, FIPS_MTU_UNKNOWN, park[i].data, park[i].len);
		free(park[i].data);
	}
	session_flush(f, s);
	return 0;
}

static void session_promote(const struct fakenet *net, struct fake_session *s)
{
	s->slot[FIPS_KEY_SLOT_PREVIOUS] = s->slot[FIPS_KEY_SLOT_CURRENT];
	s->slot[FIPS_KEY_SLOT_CURRENT] = s->slot[FIPS_KEY_SLOT_NEXT];
	s->slot[FIPS_KEY_SLOT_NEXT] = (struct fake_slot) { .live = false };
	slot_renewed(net, &s->slot[FIPS_KEY_SLOT_CURRENT]);
}

static int dp_session_key_swap(void *dp, const struct fips_node_addr *remote)
{
	struct fake_session *s = session_find(node_of(dp), remote);

	if (!s || !s->slot[FIPS_KEY_SLOT_NEXT].has_key)
		return -ENOENT;
	session_promote(net_of(node_of(dp)), s);
	return 0;
}

static int dp_session_key_del(void *dp, const struct fips_node_addr *remote, u32 slot)
{
	struct fake_session *s = session_find(node_of(dp), remote);

	if (!s || !s->slot[slot].live)
		return -ENOENT;
	s->slot[slot] = (struct fake_slot) { .live = false };
	return 0;
}

static int dp_session_xmit(void *dp, const struct fips_node_addr *remote, u32 slot, u8 msg_type,
			   bool with_coords, const void *body, size_t len)
{
	struct fake_node *f = node_of(dp);
	struct fake_session *s = session_find(f, remote);

	return s ? session_send(f, s, slot, msg_type, with_coords, body, len) : -ENOENT;
}

static int dp_session_get(void *dp, const struct fips_node_addr *remote,
			  struct fips_dp_session_info *info)
{
	struct fake_node *f = node_of(dp);
	struct fake_session *s = session_find(f, remote);

	if (!s)
		return -ENOENT;
	*info = (struct fips_dp_session_info) {
		.last_data_ms = since(f, s->last_data),
		.last_rx_ms = since(f, s->last_rx),
		.path_mtu = s->path_mtu,
		.staged = s->staged,
		.tx_counter = s->slot[FIPS_KEY_SLOT_CURRENT].ctr,
		.k_bit = s->slot[FIPS_KEY_SLOT_CURRENT].k_bit,
	};
	return 0;
}

static int dp_session_report(void *dp, const struct fips_node_addr *remote, u32 take,
			     struct fips_mmp_report *r)
{
	struct fake_node *f = node_of(dp);
	struct fake_session *s = session_find(f, remote);

	return s ? sums_report(net_of(f), &s->sums, &s->slot[FIPS_KEY_SLOT_CURRENT], take, r) :
		   -ENOENT;
}

static int dp_unreachable(void *dp, const u8 *ipv6, u32 ms)
{
	struct fake_node *f = node_of(dp);
	struct fake_miss *m = miss_get(f, ipv6);
	struct fake_session *s;

	m->unreachable_until = net_of(f)->now + ms;
	if (!ms)	/* reachable again */
		return 0;
	f->icmp += m->staged;
	m->staged = 0;
	LL_FOREACH(f->sessions, s) {
		if (memcmp(s->ipv6, ipv6, FIPS_IPV6_LEN))
			continue;
		f->icmp += s->staged;
		s->staged = 0;
	}
	return 0;
}

/* ---- data plane: routes ---- */

static int dp_route_del(void *dp, const struct fips_node_addr *dest)
{
	struct fake_node *f = node_of(dp);
	struct fake_route *r = route_find(f, dest);

	if (!r)
		return -ENOENT;
	LL_DELETE(f->routes, r);
	free(r);
	return 0;
}

static struct fake_route *route_make(struct fake_node *f, const struct fips_node_addr *dest)
{
	struct fake_route *r;

	dp_route_del(&f->ctx, dest);
	r = calloc(1, sizeof(*r));
	assert(r);
	r->dest = *dest;
	LL_PREPEND(f->routes, r);
	return r;
}

static int dp_route_set(void *dp, const struct fips_node_addr *dest, u32 link_id, u32 generation)
{
	struct fake_node *f = node_of(dp);
	struct fake_route *r;

	assert(link_find(f, link_id));
	r = route_make(f, dest);
	r->link_id = link_id;
	r->generation = generation;
	release(f, dest);
	return 0;
}

static int dp_route_unreachable(void *dp, const struct fips_node_addr *dest, u32 ms)
{
	struct fake_node *f = node_of(dp);

	route_make(f, dest)->until = net_of(f)->now + ms;
	release(f, dest);
	return 0;
}

static int dp_route_flush(void *dp, u32 older_than)
{
	struct fake_node *f = node_of(dp);
	struct fake_route *r, *tmp;

	LL_FOREACH_SAFE(f->routes, r, tmp) {
		if (r->generation >= older_than)
			continue;
		LL_DELETE(f->routes, r);
		free(r);
	}
	return 0;
}

static int dp_dev_get(void *dp, struct fips_dp_stats *stats)
{
	(void)dp;
	*stats = (struct fips_dp_stats) { .rx_packets = 0 };
	return 0;
}

static const struct fips_dp_ops fake_dp_ops = {
	.name = "fake",
	.dev_set = dp_dev_set,
	.link_new = dp_link_new,
	.link_move = dp_link_move,
	.link_del = dp_link_del,
	.link_key_new = dp_link_key_new,
	.link_key_swap = dp_link_key_swap,
	.link_key_del = dp_link_key_del,
	.link_xmit = dp_link_xmit,
	.link_get = dp_link_get,
	.link_report = dp_link_report,
	.link_congested = dp_link_congested,
	.session_new = dp_session_new,
	.session_set = dp_session_set,
	.session_del = dp_session_del,
	.session_key_new = dp_session_key_new,
	.session_key_swap = dp_session_key_swap,
	.session_key_del = dp_session_key_del,
	.session_xmit = dp_session_xmit,
	.session_get = dp_session_get,
	.session_report = dp_session_report,
	.unreachable = dp_unreachable,
	.route_set = dp_route_set,
	.route_unreachable = dp_route_unreachable,
	.route_del = dp_route_del,
	.route_flush = dp_route_flush,
	.dev_get = dp_dev_get,
};

/* ---- data plane: receive ---- */

/* The slot that opens it, or -1. */
static int session_open(struct fake_session *s, const u8 *fsp)
{
	u64 ctr = fips_get_le64(fsp + FIPS_FSP_CTR_OFF);
	int i;

	for (i = 0; i < 3; i++) {
		struct fake_slot *k = &s->slot[i];

		if (!k->has_key || memcmp(k->rx, fsp + SMSG_KEY, KEY_LEN))
			continue;
		k->opened++;
		return fips_replay_accept(&k->replay, ctr) ? i : -1;
	}
	return -1;
}

static void session_used(struct fake_node *f, struct fake_session *s, u32 slot)
{
	struct fake_event *e;

	if (s->slot[slot].used)
		return;
	s->slot[slot].used = true;
	e = event_new(f, FIPS_EV_SESSION_KEY_USED);
	e->ev.session.remote = s->remote;
	e->ev.session.slot = slot;
	event_post(f, e);
	if (slot == FIPS_KEY_SLOT_NEXT)
		session_promote(net_of(f), s);
}

static void session_measure(struct fake_node *f, struct fake_session *s, u32 slot, u16 mtu,
			    const u8 *fsp, size_t len)
{
	struct fake_event *e;

	if (fsp[1] & FIPS_FSP_FLAG_CP)	/* coordinates are no part of the message */
		len = SMSG_TYPE + 1;
	sums_received(net_of(f), &s->sums, &s->slot[slot], slot == FIPS_KEY_SLOT_PREVIOUS,
		      fips_get_le64(fsp + FIPS_FSP_CTR_OFF), fips_get_le32(fsp + SMSG_TS), false,
		      len);
	if (!s->sums.quiet && mtu == s->seen_mtu)
		return;
	s->sums.quiet = false;
	s->seen_mtu = mtu;
	e = event_new(f, FIPS_EV_SESSION_ACTIVE);
	e->ev.session.remote = s->remote;
	e->ev.session.dgram_mtu = mtu;
	event_post(f, e);
}

static void session_receive(struct fake_node *f, struct fake_session *s, u32 link_id, u16 mtu,
			    const u8 *fsp, size_t len)
{
	static const struct fips_taddr none;
	struct fake_event *e;
	int slot;

	if (len <= SMSG_TYPE)
		return;
	slot = session_open(s, fsp);
	if (slot < 0) {
		if (!s->slot[FIPS_KEY_SLOT_CURRENT].has_key)
			park_add(net_of(f), s->park, &s->parked, &none, fsp, len);
		else
			f->dropped_session++;
		return;
	}
	s->last_rx = net_of(f)->now;
	session_measure(f, s, (u32)slot, mtu, fsp, len);
	session_used(f, s, (u32)slot);
	if (fsp[SMSG_TYPE] == FIPS_FSP_DATA) {
		s->last_data = net_of(f)->now;
		f->delivered++;
		return;
	}
	e = event_new(f, FIPS_EV_SESSION_MSG);
	e->ev.session_msg.remote = s->remote;
	e->ev.session_msg.msg_type = fsp[SMSG_TYPE];
	e->ev.session_msg.link_id = link_id;
	e->ev.session_msg.slot = (u32)slot;
	e->ev.session_msg.dgram_mtu = mtu;
	e->data = copy_of(fsp + SMSG_TYPE + 1, len - SMSG_TYPE - 1);
	e->ev.session_msg.body = e->data;
	e->ev.session_msg.len = len - SMSG_TYPE - 1;
	event_post(f, e);
}

/* Shown as it would be without the key in the middle. */
static void coords_seen(struct fake_node *f, const u8 *msg, size_t len, u32 link_id)
{
	const u8 *fsp = msg + FIPS_DGRAM_HDR_LEN;
	size_t cut = SMSG_TYPE + 1 - FIPS_FSP_HDR_LEN, head = FIPS_DGRAM_HDR_LEN + FIPS_FSP_HDR_LEN;
	u8 buf[FRAME_MAX];

	if (len < FIPS_DGRAM_HDR_LEN + FIPS_PREFIX_LEN)
		return;
	if (fsp[0] == FIPS_FSP_SETUP || fsp[0] == FIPS_FSP_ACK) {
		event_dgram(f, FIPS_EV_COORDS, msg, len, link_id);
		return;
	}
	if (fsp[0] || (fsp[1] & (FIPS_FSP_FLAG_U | FIPS_FSP_FLAG_CP)) != FIPS_FSP_FLAG_CP ||
	    len < head + cut)
		return;
	memcpy(buf, msg, head);
	memcpy(buf + head, msg + head + cut, len - head - cut);
	event_dgram(f, FIPS_EV_COORDS, buf, len - cut, link_id);
}

static void transit(struct fake_node *f, const struct fake_link *l, const u8 *msg, size_t len)
{
	u8 *copy = copy_of(msg, len);

	coords_seen(f, msg, len, l->id);
	if (copy[FIPS_DGRAM_TTL_OFF] > 1) {
		copy[FIPS_DGRAM_TTL_OFF]--;
		forward(f, copy, len, l->id);
	}
	free(copy);
}

static void link_deliver(struct fake_node *f, const struct fake_link *l, u32 slot, const u8 *msg,
			 size_t len)
{
	struct fips_link_message m;
	struct fake_session *s;
	struct fake_event *e;

	if (msg[0] == FIPS_LINK_DATAGRAM && !fips_link_message_parse(msg, len, &m) &&
	    !fips_node_addr_eq(&m.datagram.dst, &f->keypair.id.addr)) {
		transit(f, l, msg, len);
		return;
	}
	if (msg[0] == FIPS_LINK_DATAGRAM && !fips_link_message_parse(msg, len, &m) &&
	    fips_fsp_kind(m.datagram.payload, m.datagram.len) == FIPS_FSP_KIND_ENCRYPTED) {
		coords_seen(f, msg, len, l->id);
		s = session_find(f, &m.datagram.src);
		if (s) {
			session_receive(f, s, l->id, m.datagram.path_mtu, m.datagram.payload,
					m.datagram.len);
			return;
		}
		f->dropped_session++;
		e = event_new(f, FIPS_EV_SESSION_UNKNOWN);
		e->ev.session.remote = m.datagram.src;
		event_post(f, e);
		return;
	}
	e = event_new(f, FIPS_EV_LINK_MSG);
	e->data = copy_of(msg, len);
	e->ev.link_msg.id = l->id;
	e->ev.link_msg.slot = slot;
	e->ev.link_msg.msg = e->data;
	e->ev.link_msg.len = len;
	event_post(f, e);
}

static void link_receive(struct fake_node *f, struct fake_link *l, const struct fips_taddr *from,
			 const u8 *data, size_t len)
{
	u64 ctr = fips_get_le64(data + FIPS_FMP_CTR_OFF);
	struct fake_link *owner;
	struct fake_slot *s = index_find(f, fips_get_le32(data + FIPS_FMP_IDX_OFF), &owner);
	bool newest;
	u32 place;

	if (!s || !s->has_key) {
		park_add(net_of(f), l->park, &l->parked, from, data, len);
		return;
	}
	newest = s == &l->slot && (!s->used || ctr > s->replay.hi);
	if (memcmp(data + FRAME_KEY, s->rx, KEY_LEN) ||
	    !fips_replay_accept(&s->replay, ctr)) {
		f->dropped_auth++;
		return;
	}
	l->last_rx = net_of(f)->now;
	place = s == &l->old_slot ? FIPS_KEY_SLOT_PREVIOUS : FIPS_KEY_SLOT_CURRENT;
	sums_received(net_of(f), &l->sums, s, s == &l->old_slot, ctr,
		      fips_get_le32(data + FRAME_TS), data[1] & FIPS_FMP_FLAG_SP, len);
	if (l->candidate) {
		l->candidate = false;
		event_link(f, FIPS_EV_LINK_CONFIRMED, l, FIPS_KEY_SLOT_CURRENT);
	}
	if (!s->used) {
		s->used = true;
		event_link(f, FIPS_EV_LINK_KEY_USED, l, s == &l->next_slot ? FIPS_KEY_SLOT_NEXT :
							 s == &l->slot ? FIPS_KEY_SLOT_CURRENT :
									 FIPS_KEY_SLOT_PREVIOUS);
	}
	if (s == &l->next_slot) {
		link_promote(net_of(f), l);
		s = &l->slot;
		newest = true;
	}
	if (newest && !fips_taddr_eq(&l->remote, from)) {
		l->remote = *from;
		event_link(f, FIPS_EV_LINK_FLOAT, l, FIPS_KEY_SLOT_CURRENT);
	}
	if (l->sums.quiet)
		event_link(f, FIPS_EV_LINK_ACTIVE, l, place);
	l->sums.quiet = false;
	link_deliver(f, l, place, data + FRAME_MSG, len - FRAME_MSG);
}

static void node_receive(struct fake_node *f, const struct fake_transport *t,
			 const struct fake_packet *p)
{
	struct fake_event *e;
	struct fake_link *l;
	u32 index;

	if (p->len < 4 || (p->data[0] & 15) != FIPS_FMP_ESTABLISHED) {
		e = event_new(f, FIPS_EV_RAW);
		e->data = copy_of(p->data, p->len);
		e->ev.raw.transport_id = t->id;
		e->ev.raw.from = p->from;
		e->ev.raw.data = e->data;
		e->ev.raw.len = p->len;
		event_post(f, e);
		return;
	}
	if (p->len <= FRAME_MSG)
		return;
	index = fips_get_le32(p->data + FIPS_FMP_IDX_OFF);
	if (index_find(f, index, &l))
		link_receive(f, l, &p->from, p->data, p->len);
	else
		f->dropped_unknown++;
}

static void wire_deliver(struct fakenet *net, const struct fake_packet *p)
{
	unsigned int k;
	int i;

	for (i = 0; i < net->n_nodes; i++) {
		struct fake_node *f = &net->nodes[i];

		for (k = 0; f->node && k < f->n_transports; k++) {
			struct fake_transport *t = &f->transports[k];

			if (t->up && fips_taddr_eq(&t->addr, &p->to)) {
				node_receive(f, t, p);
				return;
			}
		}
	}
}

/* ---- surroundings of a node ---- */

static void ops_wake_at(void *ctx, u64 mono_ms)
{
	node_of(ctx)->wake = mono_ms;
}

static int ops_raw_send(void *ctx, u32 transport_id, const struct fips_taddr *to, const void *data,
			size_t len)
{
	struct fake_node *f = node_of(ctx);
	struct fake_transport *t = transport_of(f, transport_id);

	if (!t || f->raw_fail)
		return -ENETUNREACH;
	f->raw_out[*(const u8 *)data == FIPS_FMP_MSG1 ? 0 : 1]++;
	wire_put(net_of(f), f->ctx.self, &t->addr, to, data, len);
	return 0;
}

/* "nodeN": first address of node N; others don't exist. Answers after 50 ms. */
static int ops_resolve(void *ctx, u32 query, const char *host, u16 port)
{
	struct fake_node *f = node_of(ctx);
	struct fake_event *e = event_new(f, FIPS_EV_RESOLVED);
	int peer;

	(void)port;
	e->at += 50;
	e->ev.resolved.query = query;
	if (sscanf(host, "node%d", &peer) == 1 && peer < net_of(f)->n_nodes) {
		e->addrs[0] = net_of(f)->nodes[peer].transports[0].addr;
		e->ev.resolved.addrs = e->addrs;
		e->ev.resolved.count = 1;
	} else {
		e->ev.resolved.err = -ENOENT;
	}
	event_post(f, e);
	return 0;
}

static void ops_log(void *ctx, enum fips_log_level level, const char *line)
{
	struct fake_node *f = node_of(ctx);

	f->acl_lines += !strncmp(line, "Rejected peer by ACL peer=npub1", 31);
	if (net_of(f)->verbose)
		fprintf(stderr, "%8llu node %d <%d> %s\n",
			(unsigned long long)(net_of(f)->now - START_MS), f->ctx.self, level, line);
}

static const struct fips_node_ops fake_node_ops = {
	.wake_at = ops_wake_at,
	.raw_send = ops_raw_send,
	.resolve = ops_resolve,
	.log = ops_log,
};

/* ---- life ---- */

struct fakenet *fakenet_new(u64 seed)
{
	struct fakenet *net = calloc(1, sizeof(*net));
	struct fips_rng rng;

	assert(net && sodium_init() >= 0);
	net->sent = calloc(FAKE_SENT, sizeof(*net->sent));
	assert(net->sent);
	net->verbose = getenv("FAKENET_VERBOSE");
	net->now = START_MS;
	net->rng = seed;
	net->latency = 10;
	rng = fakenet_rng(net);
	assert(!fips_pk_init(&net->pk, &rng));
	return net;
}

static void node_dp_clear(struct fake_node *f)
{
	struct fake_held *h;
	struct fake_miss *m, *tmp;

	while (f->links)
		dp_link_del(&f->ctx, f->links->id);
	while (f->sessions)
		dp_session_del(&f->ctx, &f->sessions->remote);
	while (f->routes)
		dp_route_del(&f->ctx, &f->routes->dest);
	while ((h = f->held)) {
		LL_DELETE(f->held, h);
		free(h->data);
		free(h);
	}
	LL_FOREACH_SAFE(f->misses, m, tmp)
		free(m);
	f->misses = NULL;
}

static void events_forget(struct fakenet *net, int node)
{
	struct fake_event *e, *tmp;

	LL_FOREACH_SAFE(net->events, e, tmp) {
		if (node >= 0 && e->node != node)
			continue;
		LL_DELETE(net->events, e);
		free(e->data);
		free(e);
	}
}

void fakenet_stop(struct fakenet *net, int node)
{
	struct fake_node *f = &net->nodes[node];

	if (!f->node)
		return;
	fips_node_free(f->node);
	f->node = NULL;
	f->wake = FIPS_NEVER;
	assert(fips_secrets_used(f->secrets) == 1);	/* the identity itself */
	node_dp_clear(f);
	events_forget(net, node);
}

void fakenet_free(struct fakenet *net)
{
	struct fake_packet *p, *tmp;
	int i;

	for (i = 0; i < net->n_nodes; i++) {
		struct fake_node *f = &net->nodes[i];

		fakenet_stop(net, i);
		fips_keypair_destroy(&f->keypair);
		assert(!fips_secrets_used(f->secrets));
		fips_secrets_destroy(f->secrets);
	}
	LL_FOREACH_SAFE(net->wire, p, tmp) {
		free(p->data);
		free(p);
	}
	events_forget(net, -1);
	fips_pk_destroy(&net->pk);
	free(net->sent);
	free(net);
}

int fakenet_add(struct fakenet *net, u8 key)
{
	struct fake_node *f = &net->nodes[net->n_nodes];
	u8 sec[32];

	assert(net->n_nodes < FAKE_NODES);
	memset(sec, key, sizeof(sec));
	f->ctx = (struct fake_ctx) { .net = net, .self = net->n_nodes };
	f->wake = FIPS_NEVER;
	assert(!fips_secrets_new(&f->secrets));
	assert(!fips_keypair_from_secret(&f->keypair, &net->pk, f->secrets, sec));
	fips_node_timing_defaults(&f->timing);
	/* These have tests of their own. */
	f->timing.rekey.enabled = false;
	f->timing.rate_limit.handshake_early_ms = 0;
	f->timing.mmp.mode = FIPS_MMP_MINIMAL;
	f->timing.session_mmp.mode = FIPS_MMP_MINIMAL;
	return net->n_nodes++;
}

static void transport_announce(struct fake_node *f, const struct fake_transport *t, bool up)
{
	struct fips_event ev = {
		.type = up ? FIPS_EV_TRANSPORT_UP : FIPS_EV_TRANSPORT_DOWN,
		.transport = {
			.id = t->id,
			.kind = FIPS_TRANSPORT_UDP,
			.family = t->addr.kind,
			.mtu = 1280,
			.accept = t->accept,
			.local = t->addr,
		},
	};
	struct fips_clock now = fakenet_clock(net_of(f));

	fips_node_event(f->node, &now, &ev);
}

void fakenet_transport(struct fakenet *net, int node, const char *addr)
{
	struct fake_node *f = &net->nodes[node];
	struct fake_transport *t = &f->transports[f->n_transports++];

	assert(f->n_transports <= FAKE_TRANSPORTS);
	t->id = f->n_transports;
	t->up = true;
	t->accept = true;
	assert(!fips_taddr_parse(&t->addr, addr));
	if (f->node)
		transport_announce(f, t, true);
}

static void peers_apply(struct fakenet *net, struct fake_node *f)
{
	struct fips_clock now = fakenet_clock(net);

	if (f->node)
		assert(!fips_node_set_peers(f->node, &now, f->peers, f->n_peers));
}

void fakenet_start(struct fakenet *net, int node)
{
	struct fake_node *f = &net->nodes[node];
	struct fips_node_setup setup = {
		.keypair = &f->keypair,
		.pk = &net->pk,
		.secrets = f->secrets,
		.rng = fakenet_rng(net),
		.timing = f->timing,
		.ops = &fake_node_ops,
		.ctx = &f->ctx,
		.dp = &fake_dp_ops,
		.dp_ctx = &f->ctx,
	};
	unsigned int i;

	assert(!f->node);
	assert(!fips_node_new(&setup, &f->node));
	peers_apply(net, f);
	for (i = 0; i < f->n_transports; i++) {
		if (f->transports[i].up)
			transport_announce(f, &f->transports[i], true);
	}
}

void fakenet_restart(struct fakenet *net, int node)
{
	fakenet_stop(net, node);
	fakenet_start(net, node);
}

int fakenet_simple(struct fakenet *net, u8 key)
{
	int node = fakenet_add(net, key);
	char addr[FIPS_TADDR_TEXT_MAX];

	snprintf(addr, sizeof(addr), "10.0.0.%u:2121", key);
	fakenet_transport(net, node, addr);
	fakenet_start(net, node);
	return node;
}

struct fakenet *fakenet_strangers(u64 seed, int count)
{
	struct fakenet *net = fakenet_new(seed);
	struct fips_clock now;
	int i, j;

	for (i = 0; i < count; i++)
		fakenet_simple(net, (u8)(i + 1));
	now = fakenet_clock(net);
	for (i = 0; i < count; i++)
		for (j = 0; j < count; j++)
			if (i != j)
				fips_node_learn(net->nodes[i].node, &now,
						&net->nodes[j].keypair.id);
	return net;
}

void fakenet_peer_at(struct fakenet *net, int node, int peer, const char *addr,
		     enum fips_connect_policy policy, bool reconnect)
{
	struct fake_node *f = &net->nodes[node];
	size_t i = f->n_peers++;

	assert(i < FAKE_PEERS);
	snprintf(f->addr_text[i], sizeof(f->addr_text[i]), "%s", addr);
	f->addrs[i] = (struct fips_peer_addr) {
		.transport = "udp", .addr = f->addr_text[i], .priority = 100,
	};
	f->peers[i] = (struct fips_peer_config) {
		.id = net->nodes[peer].keypair.id,
		.addrs = &f->addrs[i],
		.addr_count = 1,
		.policy = policy,
		.auto_reconnect = reconnect,
	};
	peers_apply(net, f);
}

void fakenet_peer(struct fakenet *net, int node, int peer)
{
	char text[FIPS_TADDR_TEXT_MAX];

	fips_taddr_format(&net->nodes[peer].transports[0].addr, text);
	fakenet_peer_at(net, node, peer, text, FIPS_CONNECT_AUTO, true);
}

int fakenet_connect(struct fakenet *net, int node, int peer, const char *addr)
{
	const struct fips_peer_addr a = { .transport = "udp", .addr = addr, .priority = 100 };
	struct fips_clock now = fakenet_clock(net);
	char why[128];

	return fips_node_connect(net->nodes[node].node, &now, &net->nodes[peer].keypair.id, &a, why,
				 sizeof(why));
}

void fakenet_move(struct fakenet *net, int node, const char *addr)
{
	assert(!fips_taddr_parse(&net->nodes[node].transports[0].addr, addr));
}

/* ---- time ---- */

static u64 net_next(const struct fakenet *net)
{
	u64 at = FIPS_NEVER;
	int i;

	if (net->events && net->events->at < at)
		at = net->events->at;
	if (net->wire && net->wire->at < at)
		at = net->wire->at;
	for (i = 0; i < net->n_nodes; i++) {
		if (net->nodes[i].wake < at)
			at = net->nodes[i].wake;
	}
	return at;
}

static void net_event(struct fakenet *net)
{
	struct fips_clock now = fakenet_clock(net);
	struct fake_event *e = net->events;

	LL_DELETE(net->events, e);
	if (net->nodes[e->node].node)
		fips_node_event(net->nodes[e->node].node, &now, &e->ev);
	free(e->data);
	free(e);
}

static void net_packet(struct fakenet *net)
{
	struct fake_packet *p = net->wire;

	LL_DELETE(net->wire, p);
	wire_deliver(net, p);
	free(p->data);
	free(p);
}

static void net_timer(struct fakenet *net)
{
	const struct fips_event ev = { .type = FIPS_EV_TIMER };
	struct fips_clock now = fakenet_clock(net);
	int i;

	for (i = 0; i < net->n_nodes; i++) {
		struct fake_node *f = &net->nodes[i];

		if (f->wake > net->now)
			continue;
		f->wake = FIPS_NEVER;
		fips_node_event(f->node, &now, &ev);
		return;
	}
}

static void net_step(struct fakenet *net)
{
	if (net->events && net->events->at <= net->now)
		net_event(net);
	else if (net->wire && net->wire->at <= net->now)
		net_packet(net);
	else
		net_timer(net);
}

bool fakenet_until(struct fakenet *net, bool (*cond)(struct fakenet *net), u64 ms)
{
	u64 end = net->now + ms, next;

	for (;;) {
		if (cond && cond(net))
			return true;
		next = net_next(net);
		if (next > end) {
			net->now = end;
			return false;
		}
		if (next > net->now)
			net->now = next;
		net_step(net);
	}
}

void fakenet_run(struct fakenet *net, u64 ms)
{
	fakenet_until(net, NULL, ms);
}

/* ---- what tests do and ask ---- */

void fakenet_inject_from(struct fakenet *net, const struct fips_taddr *from,
			 const struct fips_taddr *to, const u8 *data, size_t len)
{
	wire_put(net, -1, from, to, data, len);
}

void fakenet_inject(struct fakenet *net, const char *from, const struct fips_taddr *to,
		    const u8 *data, size_t len)
{
	struct fips_taddr addr;

	assert(!fips_taddr_parse(&addr, from));
	wire_put(net, -1, &addr, to, data, len);
}

void fakenet_data_to(struct fakenet *net, int node, const u8 *ipv6)
{
	struct fake_node *f = &net->nodes[node];
	struct fake_session *s;
	struct fake_miss *m;
	struct fake_event *e;

	LL_FOREACH(f->sessions, s) {
		if (memcmp(s->ipv6, ipv6, FIPS_IPV6_LEN))
			continue;
		if (s->slot[FIPS_KEY_SLOT_CURRENT].has_key)
			session_send(f, s, FIPS_KEY_SLOT_CURRENT, FIPS_FSP_DATA, false, NULL, 0);
		else if (s->staged < FAKE_STAGE)
			s->staged++;
		return;
	}
	m = miss_get(f, ipv6);
	if (m->unreachable_until > net->now) {
		f->icmp++;
		return;
	}
	if (m->staged < FAKE_STAGE)
		m->staged++;
	if (m->staged > 1)
		return;
	e = event_new(f, FIPS_EV_SESSION_MISS);
	memcpy(e->ev.miss.ipv6, ipv6, FIPS_IPV6_LEN);
	event_post(f, e);
}

void fakenet_data(struct fakenet *net, int node, int peer)
{
	fakenet_data_to(net, node, net->nodes[peer].keypair.id.ipv6);
}

struct fake_link *fakenet_dp_link(struct fakenet *net, int node, int peer)
{
	struct fake_node *f = &net->nodes[node];
	struct fake_route *r;

	LL_FOREACH(f->routes, r) {
		if (fips_node_addr_eq(&r->dest, fakenet_addr(net, peer)))
			return link_find(f, r->link_id);
	}
	return NULL;
}

void fakenet_link_msg(struct fakenet *net, int node, int peer, const u8 *msg, size_t len)
{
	struct fake_link *l = fakenet_dp_link(net, node, peer);

	assert(l);
	assert(!link_send(&net->nodes[node], l, &l->slot, msg, len));
}

bool fakenet_has_peer(struct fakenet *net, int node, int peer)
{
	return fakenet_dp_link(net, node, peer);
}

bool fakenet_linked(struct fakenet *net, int a, int b)
{
	struct fake_link *x = fakenet_dp_link(net, a, b), *y = fakenet_dp_link(net, b, a);

	return x && y && x->slot.has_key && y->slot.has_key &&
	       x->slot.remote_index == y->slot.local_index &&
	       y->slot.remote_index == x->slot.local_index &&
	       !memcmp(x->slot.tx, y->slot.rx, FIPS_KEY_LEN) &&
	       !memcmp(x->slot.rx, y->slot.tx, FIPS_KEY_LEN);
}

struct fake_session *fakenet_dp_session(struct fakenet *net, int node, int peer)
{
	return session_find(&net->nodes[node], fakenet_addr(net, peer));
}

struct session_query {
	const struct fips_node_addr *addr;
	const char *state;
};

static void session_query(void *arg, const struct fips_session_view *v)
{
	struct session_query *q = arg;

	if (fips_node_addr_eq(&v->remote, q->addr))
		q->state = v->state;
}

const char *fakenet_session(struct fakenet *net, int node, int peer)
{
	struct session_query q = { .addr = fakenet_addr(net, peer), .state = "" };
	struct fips_clock now = fakenet_clock(net);

	fips_node_each_session(net->nodes[node].node, &now, session_query, &q);
	return q.state;
}

struct fips_node_view fakenet_view(struct fakenet *net, int node)
{
	struct fips_clock now = fakenet_clock(net);
	struct fips_node_view v;

	fips_node_view(net->nodes[node].node, &now, &v);
	return v;
}

size_t fakenet_dp_links(struct fakenet *net, int node)
{
	struct fake_link *l;
	size_t n;

	LL_COUNT(net->nodes[node].links, l, n);
	return n;
}

size_t fakenet_dp_sessions(struct fakenet *net, int node)
{
	struct fake_session *s;
	size_t n;

	LL_COUNT(net->nodes[node].sessions, s, n);
	return n;
}

const struct fips_node_addr *fakenet_addr(struct fakenet *net, int node)
{
	return &net->nodes[node].keypair.id.addr;
}

struct fips_taddr fakenet_taddr(struct fakenet *net, int node)
{
	return net->nodes[node].transports[0].addr;
}
