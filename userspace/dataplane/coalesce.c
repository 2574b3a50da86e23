// SPDX-License-Identifier: MIT
#include "coalesce.h"
#include "csum.h"

#define FIPS_TCP_FIN		0x01
#define FIPS_TCP_SYN		0x02
#define FIPS_TCP_RST		0x04
#define FIPS_TCP_PSH		0x08
#define FIPS_TCP_ACK		0x10
#define FIPS_TCP_URG		0x20
#define FIPS_TCP_CWR		0x80

/**
 * struct fips_merge_pkt - a packet looked at
 * @ip6: packet
 * @len: its length
 * @type: what it could become part of
 * @hdr_len: all headers
 * @size: payload
 * @seq: TCP sequence number
 * @flags: TCP flags
 */
struct fips_merge_pkt {
	u8 *ip6;
	size_t len;
	enum fips_gso_type type;
	size_t hdr_len;
	size_t size;
	u32 seq;
	u8 flags;
};

static bool fips_merge_csum_ok(const struct fips_merge_pkt *p)
{
	size_t l4 = p->len - FIPS_IPV6_HDR_LEN;

	return fips_csum_fold(fips_csum(p->ip6 + FIPS_IPV6_HDR_LEN, l4,
					fips_csum_pseudo(p->ip6, (u32)l4, p->ip6[6]))) == 0xffff;
}

/* Find out what a packet is; false if it belongs to no flow at all. */
static bool fips_merge_parse(struct fips_merge_pkt *p, u8 *ip6, size_t len)
{
	const u8 *l4 = ip6 + FIPS_IPV6_HDR_LEN;

	*p = (struct fips_merge_pkt){ .ip6 = ip6, .len = len };
	if (ip6[6] == 6 && len >= FIPS_IPV6_HDR_LEN + 20) {
		p->type = FIPS_GSO_TCP;
		p->hdr_len = FIPS_IPV6_HDR_LEN + (size_t)(l4[12] >> 4) * 4;
		p->seq = (u32)fips_get_be16(l4 + 4) << 16 | fips_get_be16(l4 + 6);
		p->flags = l4[13];
	} else if (ip6[6] == 17 && len >= FIPS_IPV6_HDR_LEN + 8) {
		p->type = FIPS_GSO_UDP;
		p->hdr_len = FIPS_IPV6_HDR_LEN + 8;
	} else {
		return false;
	}
	p->size = len > p->hdr_len ? len - p->hdr_len : 0;
	return true;
}

/* Whether a packet may open or extend a super-packet. */
static bool fips_merge_eligible(const struct fips_merge *m, const struct fips_merge_pkt *p)
{
	const u8 *l4 = p->ip6 + FIPS_IPV6_HDR_LEN;

	if (!p->size)
		return false;
	if (p->type == FIPS_GSO_TCP)
		return p->hdr_len >= FIPS_IPV6_HDR_LEN + 20 && (p->flags & FIPS_TCP_ACK) &&
		       !(p->flags & (FIPS_TCP_SYN | FIPS_TCP_RST | FIPS_TCP_URG | FIPS_TCP_CWR)) &&
		       fips_merge_csum_ok(p);
	return m->udp && fips_get_be16(l4 + 4) == p->len - FIPS_IPV6_HDR_LEN &&
	       (l4[6] | l4[7]) && fips_merge_csum_ok(p);
}

static bool fips_merge_same_flow(const struct fips_merge_flow *f, const struct fips_merge_pkt *p)
{
	return f->type == p->type && !memcmp(f->ip6 + 8, p->ip6 + 8, 2 * FIPS_IPV6_LEN + 4);
}

/* Headers that must agree for the two to be one. */
static bool fips_merge_same_headers(const struct fips_merge_flow *f, const struct fips_merge_pkt *p)
{
	const u8 *a = f->ip6 + FIPS_IPV6_HDR_LEN, *b = p->ip6 + FIPS_IPV6_HDR_LEN;

	if (f->hdr_len != p->hdr_len || memcmp(f->ip6, p->ip6, 4) || f->ip6[7] != p->ip6[7])
		return false;
	if (f->type == FIPS_GSO_UDP)
		return true;
	/* What it acknowledges, window, options; flags but for PSH and FIN. */
	return !memcmp(a + 8, b + 8, 4) && a[12] == b[12] && !memcmp(a + 14, b + 14, 2) &&
	       !((a[13] ^ b[13]) & ~(FIPS_TCP_PSH | FIPS_TCP_FIN)) &&
	       !memcmp(a + 20, b + 20, f->hdr_len - FIPS_IPV6_HDR_LEN - 20);
}

static bool fips_merge_extends(const struct fips_merge_flow *f, const struct fips_merge_pkt *p)
{
	return !f->closed && f->pieces < FIPS_MERGE_PIECES && p->size <= f->size &&
	       f->len + p->size <= 65535 && (f->type == FIPS_GSO_UDP || f->seq == p->seq) &&
	       fips_merge_same_headers(f, p);
}

static void fips_merge_finish(struct fips_merge *m, struct fips_merge_flow *f)
{
	struct fips_gso gso = { 0 };
	u16 l4 = (u16)(f->len - FIPS_IPV6_HDR_LEN), v;
	u8 *h = f->ip6 + FIPS_IPV6_HDR_LEN;

	if (f->pieces > 1) {
		gso.type = f->type;
		gso.size = (u16)f->size;
		gso.csum = true;
		gso.csum_start = FIPS_IPV6_HDR_LEN;
		gso.csum_offset = f->type == FIPS_GSO_TCP ? 16 : 6;
		fips_put_be16(f->ip6 + 4, l4);
		if (f->type == FIPS_GSO_UDP)
			fips_put_be16(h + 4, l4);
		v = fips_csum_fold(fips_csum_pseudo(f->ip6, l4, f->ip6[6]));
		memcpy(h + gso.csum_offset, &v, 2);
	}
	m->write(m->ctx, f->iov, 1 + (int)f->pieces, &gso, true);
}

/* Write a flow and forget it; the order of the others stays. */
static void fips_merge_close(struct fips_merge *m, u32 i)
{
	fips_merge_finish(m, &m->flow[i]);
	m->count--;
	if (i < m->count)
		memmove(&m->flow[i], &m->flow[i + 1], (m->count - i) * sizeof(m->flow[0]));
}

static void fips_merge_open(struct fips_merge *m, const struct fips_merge_pkt *p)
{
	struct fips_merge_flow *f;

	if (m->count == FIPS_MERGE_FLOWS)
		fips_merge_close(m, 0);
	f = &m->flow[m->count++];
	f->type = p->type;
	f->ip6 = p->ip6;
	f->hdr_len = p->hdr_len;
	f->size = p->size;
	f->len = p->len;
	f->seq = p->seq + (u32)p->size;
	f->closed = p->flags & (FIPS_TCP_PSH | FIPS_TCP_FIN);
	f->pieces = 1;
	f->iov[1] = (struct iovec){ p->ip6, p->len };
}

static void fips_merge_append(struct fips_merge_flow *f, const struct fips_merge_pkt *p)
{
	f->iov[++f->pieces] = (struct iovec){ p->ip6 + p->hdr_len, p->size };
	f->len += p->size;
	f->seq += (u32)p->size;
	if (p->type == FIPS_GSO_TCP)
		f->ip6[FIPS_IPV6_HDR_LEN + 13] |= p->flags & (FIPS_TCP_PSH | FIPS_TCP_FIN);
	if (p->size < f->size || (p->flags & (FIPS_TCP_PSH | FIPS_TCP_FIN)))
		f->closed = true;
}

static void fips_merge_single(struct fips_merge *m, u8 *ip6, size_t len)
{
	static const struct fips_gso none;
	struct iovec iov[2] = { { 0 }, { ip6, len } };

	m->write(m->ctx, iov, 2, &none, false);
}

void fips_merge_add(struct fips_merge *m, u8 *ip6, size_t len)
{
	struct fips_merge_pkt p;
	bool eligible;
	u32 i;

	if (!fips_merge_parse(&p, ip6, len)) {
		fips_merge_single(m, ip6, len);
		return;
	}
	eligible = fips_merge_eligible(m, &p);
	for (i = 0; i < m->count; i++) {
		if (!fips_merge_same_flow(&m->flow[i], &p))
			continue;
		if (eligible && fips_merge_extends(&m->flow[i], &p)) {
			fips_merge_append(&m->flow[i], &p);
			return;
		}
		/* Never overtake one's own flow. */
		fips_merge_close(m, i);
		break;
	}
	if (eligible)
		fips_merge_open(m, &p);
	else
		fips_merge_single(m, ip6, len);
}

void fips_merge_flush(struct fips_merge *m)
{
	u32 i;

	for (i = 0; i < m->count; i++)
		fips_merge_finish(m, &m->flow[i]);
	m->count = 0;
}
