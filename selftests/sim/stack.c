// SPDX-License-Identifier: MIT
/*
 * The IPv6 stacks of the hosts: pings that are answered and UDP packets that
 * are counted. Every packet has a number, which its whole payload is made of,
 * so that a delivery proves what was sent, by whom and to whom.
 */
#include <inttypes.h>
#include <stdlib.h>

#include <utlist.h>

#include "core_impl.h"
#include "csum.h"
#include "mesh.h"

#define STACK_ICMP	58
#define STACK_UDP	17
#define STACK_L4_LEN	8	/* both */
#define STACK_MIN	(FIPS_IPV6_HDR_LEN + STACK_L4_LEN + 8)
#define STACK_HOST_US	10	/* what a host needs to answer */

#define ECHO_REQUEST	128
#define ECHO_REPLY	129

/* Payload of packet @nr: its number, then what follows from it. */
static void stack_fill(u8 *p, size_t len, u64 nr)
{
	struct sim_rng r = { .s = nr };

	fips_put_le64(p, nr);
	sim_rng_bytes(&r, p + 8, len - 8);
}

static bool stack_check(const u8 *p, size_t len, u64 nr)
{
	struct sim_rng r = { .s = nr };
	u8 word[8];
	size_t n;

	for (p += 8, len -= 8; len; p += n, len -= n) {
		n = len < sizeof(word) ? len : sizeof(word);
		fips_put_le64(word, sim_rng_next(&r));
		if (memcmp(p, word, n))
			return false;
	}
	return true;
}

static void stack_header(u8 *ip6, const u8 *src, const u8 *dst, u8 proto, size_t len)
{
	memset(ip6, 0, FIPS_IPV6_HDR_LEN + STACK_L4_LEN);
	ip6[0] = 0x60;
	fips_put_be16(ip6 + 4, (u16)(len - FIPS_IPV6_HDR_LEN));
	ip6[6] = proto;
	ip6[7] = 64;
	memcpy(ip6 + 8, src, FIPS_IPV6_LEN);
	memcpy(ip6 + 24, dst, FIPS_IPV6_LEN);
}

static void stack_csum(u8 *ip6, size_t len, size_t at)
{
	u16 plen = (u16)(len - FIPS_IPV6_HDR_LEN);
	u8 *l4 = ip6 + FIPS_IPV6_HDR_LEN;

	fips_csum_store(l4 + at, fips_csum(l4, plen, fips_csum_pseudo(ip6, plen, ip6[6])));
}

static bool stack_has_key(struct sim_node *n, const struct sim_node *to)
{
	struct fips_session *s = fips_session_find(n->core, &to->kp.id.addr);

	return s && fips_epoch_usable(fips_slot_get(&s->slot[FIPS_KEY_SLOT_CURRENT]),
				      sim_node_mono_ms(n));
}

/* A session, and a link or a route there and back: nothing has to wait. */
static bool stack_linked(struct sim *s, u32 src, u32 dst)
{
	struct sim_node *a = &s->nodes[src], *b = &s->nodes[dst];
	struct sim_edge *e = sim_edge_find(s, src, dst);

	if (!stack_has_key(a, b) || !stack_has_key(b, a))
		return false;
	return (e && sim_edge_linked(s, e)) ||
	       (sim_mesh_hops(s, src, dst) && sim_mesh_hops(s, dst, src));
}

static u64 stack_new(struct sim *s, u32 src, u32 dst, u32 size, bool udp)
{
	struct sim_traffic *t = &s->traffic;

	if (t->n == t->room) {
		t->room = t->room ? 2 * t->room : 256;
		t->packets = sim_realloc(t->packets, t->room, sizeof(*t->packets));
	}
	t->packets[t->n] = (struct sim_packet) {
		.src = src,
		.dst = dst,
		.sent = s->now,
		.size = (u16)size,
		.udp = udp,
		.first = !fips_session_find(s->nodes[src].core, &s->nodes[dst].kp.id.addr),
		.linked = s->sc->lossless && stack_linked(s, src, dst),
	};
	return t->n++;
}

static u64 stack_send(struct sim *s, u32 src, u32 dst, u32 size, bool udp)
{
	struct sim_node *n = &s->nodes[src], *to = &s->nodes[dst];
	struct fips_clock now = sim_node_clock(n);
	u8 *ip6, *l4;
	u64 nr;

	size = size < STACK_MIN ? STACK_MIN : size;
	nr = stack_new(s, src, dst, size, udp);
	sim_note(s, SIM_NOTE_PING, src, dst, nr, NULL, 0);
	fips_node_learn(n->node, &now, &to->kp.id);
	ip6 = sim_alloc(size);
	l4 = ip6 + FIPS_IPV6_HDR_LEN;
	stack_header(ip6, n->kp.id.ipv6, to->kp.id.ipv6, udp ? STACK_UDP : STACK_ICMP, size);
	stack_fill(l4 + STACK_L4_LEN, size - FIPS_IPV6_HDR_LEN - STACK_L4_LEN, nr);
	if (udp) {
		fips_put_be16(l4, 9);
		fips_put_be16(l4 + 2, 9);
		fips_put_be16(l4 + 4, (u16)(size - FIPS_IPV6_HDR_LEN));
		stack_csum(ip6, size, 6);
	} else {
		l4[0] = ECHO_REQUEST;
		stack_csum(ip6, size, 2);
	}
	sim_plane_packet(n, ip6, size);
	free(ip6);
	return nr;
}

u64 sim_ping(struct sim *s, u32 src, u32 dst, u32 size)
{
	return stack_send(s, src, dst, size, false);
}

u64 sim_udp(struct sim *s, u32 src, u32 dst, u32 size)
{
	return stack_send(s, src, dst, size, true);
}

/* ---- answers ---- */

/* An echo reply that a host is about to send. */
struct sim_reply {
	struct sim_timer t;
	struct sim_reply *prev;
	struct sim_reply *next;
	u32 node;
	u32 life;
	size_t len;
	u8 ip6[];
};

static void stack_reply_send(struct sim *s, struct sim_timer *t)
{
	struct sim_reply *r = sim_container(t, struct sim_reply, t);
	struct sim_node *n = &s->nodes[r->node];

	DL_DELETE(s->traffic.replies, r);
	if (sim_node_runs(n) && n->life == r->life)
		sim_plane_packet(n, r->ip6, r->len);
	free(r);
}

static void stack_reply(struct sim_node *n, const u8 *ip6, size_t len)
{
	struct sim_reply *r = sim_alloc(sizeof(*r) + len);
	u8 *l4 = r->ip6 + FIPS_IPV6_HDR_LEN;

	*r = (struct sim_reply) {
		.t.fire = stack_reply_send,
		.node = n->idx,
		.life = n->life,
		.len = len,
	};
	memcpy(r->ip6, ip6, len);
	memcpy(r->ip6 + 8, ip6 + 24, FIPS_IPV6_LEN);
	memcpy(r->ip6 + 24, ip6 + 8, FIPS_IPV6_LEN);
	r->ip6[7] = 64;
	l4[0] = ECHO_REPLY;
	memset(l4 + 2, 0, 2);
	stack_csum(r->ip6, len, 2);
	DL_APPEND(n->sim->traffic.replies, r);
	sim_timer_set(n->sim, &r->t, n->sim->now + STACK_HOST_US);
}

void sim_stack_flush(struct sim *s)
{
	struct sim_reply *r;

	while ((r = s->traffic.replies)) {
		DL_DELETE(s->traffic.replies, r);
		sim_timer_del(s, &r->t);
		free(r);
	}
}

/* ---- deliveries ---- */

void sim_times_add(struct sim_times *t, u64 us)
{
	if (t->n == t->room) {
		t->room = t->room ? 2 * t->room : 256;
		t->v = sim_realloc(t->v, t->room, sizeof(*t->v));
	}
	t->v[t->n++] = us > UINT32_MAX ? UINT32_MAX : (u32)us;
}

/* @from and @to are who must have sent and must get it, @seen whether it came already. */
static bool stack_genuine(struct sim_node *n, const u8 *ip6, u32 from, u32 to, bool seen, u64 nr)
{
	struct sim *s = n->sim;
	struct sim_node *src = sim_node_by_ipv6(s, ip6 + 8);

	if (n->idx != to)
		sim_fail(s, "right-node", "packet %" PRIu64 " for n%u was delivered to n%u", nr,
			 to, n->idx);
	else if (!src || src->idx != from)
		sim_fail(s, "own-source", "packet %" PRIu64 " of n%u came to n%u as of n%d", nr,
			 from, to, src ? (int)src->idx : -1);
	else if (seen)
		sim_fail(s, "once", "packet %" PRIu64 " n%u to n%u was delivered twice", nr, from,
			 to);
	else
		return true;
	return false;
}

static void stack_deliver(struct sim_node *n, const u8 *ip6, size_t len, struct sim_packet *p,
			  u64 nr)
{
	u8 type = ip6[FIPS_IPV6_HDR_LEN];
	struct sim *s = n->sim;

	if (p->udp || type == ECHO_REQUEST) {
		if (!stack_genuine(n, ip6, p->src, p->dst, p->seen, nr))
			return;
		p->seen = true;
		sim_note(s, SIM_NOTE_DELIVERY, n->idx, p->src, nr, NULL, 0);
		if (!p->udp)
			stack_reply(n, ip6, len);
		return;
	}
	if (!stack_genuine(n, ip6, p->dst, p->src, p->back, nr))
		return;
	p->back = true;
	p->answered = s->now;
	sim_times_add(&s->traffic.rtt, s->now - p->sent);
	if (p->first)
		sim_times_add(&s->traffic.first, s->now - p->sent);
	sim_note(s, SIM_NOTE_REPLY, n->idx, p->dst, nr, NULL, 0);
}

/* The packet that @ip6 is, or NULL after a complaint. */
static struct sim_packet *stack_find(struct sim_node *n, const u8 *ip6, size_t len, u64 *nr)
{
	const u8 *l4 = ip6 + FIPS_IPV6_HDR_LEN;
	struct sim *s = n->sim;
	struct sim_packet *p;
	bool udp;

	if (len < STACK_MIN || ip6[0] >> 4 != 6 ||
	    fips_get_be16(ip6 + 4) != len - FIPS_IPV6_HDR_LEN) {
		sim_fail(s, "payload-intact", "n%u got no IPv6 packet", n->idx);
		return NULL;
	}
	*nr = fips_get_le64(l4 + STACK_L4_LEN);
	udp = ip6[6] == STACK_UDP;
	p = *nr < s->traffic.n ? &s->traffic.packets[*nr] : NULL;
	if (!p || p->size != len || p->udp != udp || (!udp && ip6[6] != STACK_ICMP) ||
	    (!udp && l4[0] != ECHO_REQUEST && l4[0] != ECHO_REPLY) ||
	    !stack_check(l4 + STACK_L4_LEN, len - FIPS_IPV6_HDR_LEN - STACK_L4_LEN, *nr) ||
	    memcmp(ip6 + 24, n->kp.id.ipv6, FIPS_IPV6_LEN)) {
		sim_fail(s, "payload-intact", "n%u got what nobody sent", n->idx);
		return NULL;
	}
	return p;
}

/* An error by the own data plane, quoting the packet. */
static void stack_refused(struct sim_node *n, const u8 *ip6, size_t len)
{
	const u8 *quote = ip6 + FIPS_IPV6_HDR_LEN + STACK_L4_LEN;
	struct sim *s = n->sim;
	u64 nr;

	s->traffic.icmp++;
	if (len < FIPS_IPV6_HDR_LEN + STACK_L4_LEN + STACK_MIN)
		return;
	nr = fips_get_le64(quote + FIPS_IPV6_HDR_LEN + STACK_L4_LEN);
	if (nr >= s->traffic.n)
		return;
	s->traffic.packets[nr].refused = true;
	sim_note(s, SIM_NOTE_REFUSED, n->idx, ip6[FIPS_IPV6_HDR_LEN], nr, NULL, 0);
}

void sim_stack_receive(struct sim_node *n, const u8 *ip6, size_t len, bool stable)
{
	struct sim_packet *p;
	u64 nr;

	if (!stable) {
		stack_refused(n, ip6, len);
		return;
	}
	if (n->sim->sin && sim_sin_packet(n, ip6, len))
		return;
	p = stack_find(n, ip6, len, &nr);
	if (p)
		stack_deliver(n, ip6, len, p, nr);
}
