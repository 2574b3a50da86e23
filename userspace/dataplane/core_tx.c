// SPDX-License-Identifier: MIT
/*
 * From the local stack to a link: checks, session, route, segmentation, and
 * both seals in one visit. A super-packet is cut where it lies: the header of
 * segment i is written over the tail of segment i - 1, which has been sealed
 * into its frame by then. The inner seal moves the bytes into the frame, the
 * outer one works there in place.
 */
#include "core_impl.h"
#include "csum.h"

#include <fips/shim.h>

#define FIPS_L4_HDR_MAX		256	/* extension headers and the transport header */
#define FIPS_NH_TCP		6
#define FIPS_NH_UDP		17
#define FIPS_TCP_SYN		0x02
#define FIPS_TCP_FIN_PSH	0x09
#define FIPS_TCP_CWR		0x80

/**
 * struct fips_path - how a packet goes out
 * @s: session
 * @fsp: its epoch to seal with
 * @fsp_aead: context of this lane
 * @l: link to the next hop
 * @fmp: its epoch
 * @fmp_aead: context of this lane
 * @to: endpoint
 * @mtu: largest frame on this path
 */
struct fips_path {
	struct fips_session *s;
	struct fips_epoch *fsp;
	struct fips_aead *fsp_aead;
	struct fips_link *l;
	struct fips_epoch *fmp;
	struct fips_aead *fmp_aead;
	struct fips_endpoint to;
	u32 mtu;
};

enum fips_path_state {
	FIPS_PATH_OK,
	FIPS_PATH_NO_SESSION,
	FIPS_PATH_NO_SESSION_KEY,
	FIPS_PATH_NO_ROUTE,
	FIPS_PATH_NO_LINK_KEY,
	FIPS_PATH_UNREACHABLE,
};

/* Counts of what one call sent. */
struct fips_tx_sum {
	u32 packets;
	u32 fsp_bytes;
	u32 fmp_bytes;
};

static enum fips_path_state fips_path_find(struct fips_core *c, const struct fips_core_out *out,
					   u64 now, const u8 *dst, struct fips_path *p)
{
	struct fips_route *r;

	if (c->unreachable && fips_is_unreachable(c, dst, now))
		return FIPS_PATH_UNREACHABLE;
	p->s = fips_session_find6(c, dst);
	if (!p->s)
		return FIPS_PATH_NO_SESSION;
	p->fsp = fips_slot_get(&p->s->slot[FIPS_KEY_SLOT_CURRENT]);
	if (!fips_epoch_usable(p->fsp, now))
		return FIPS_PATH_NO_SESSION_KEY;
	r = fips_route_find(c, &p->s->remote);
	if (!r || (!r->link && now >= r->until))
		return FIPS_PATH_NO_ROUTE;
	if (!r->link)
		return FIPS_PATH_UNREACHABLE;
	fips_route_use(r, now);
	p->l = r->link;
	p->fmp = fips_slot_get(&p->l->slot[FIPS_KEY_SLOT_CURRENT]);
	if (!fips_epoch_usable(p->fmp, now))
		return FIPS_PATH_NO_LINK_KEY;
	p->fsp_aead = fips_epoch_seal(c, p->fsp, out->lane);
	p->fmp_aead = fips_epoch_seal(c, p->fmp, out->lane);
	if (!p->fsp_aead || !p->fmp_aead)
		return FIPS_PATH_NO_LINK_KEY;
	p->mtu = fips_min32(c->transport_mtu, fips_min32(p->l->mtu, p->s->path_mtu));
	fips_link_endpoint(p->l, &p->to);
	return FIPS_PATH_OK;
}

static void fips_route_miss(struct fips_core *c, const struct fips_core_out *out,
			    const struct fips_session *s)
{
	struct fips_event ev = { .type = FIPS_EV_ROUTE_MISS };
	u8 hdr[FIPS_DGRAM_HDR_LEN];

	fips_put_dgram_hdr(hdr, c->ttl, FIPS_MTU_UNKNOWN, &c->cfg.addr, &s->remote);
	ev.route.dest = s->remote;
	ev.route.header = hdr;
	ev.route.len = sizeof(hdr);
	fips_core_event(out, &ev);
}

static void fips_tx_stage(struct fips_core *c, const struct fips_core_out *out, u64 now,
			  const struct fips_gso *gso, const u8 *ip6, size_t len,
			  const struct fips_path *p, enum fips_path_state why)
{
	struct fips_staged meta = { .since = now, .gso = *gso, .len = len };
	struct fips_event ev = { .type = FIPS_EV_SESSION_MISS };

	memcpy(ev.miss.ipv6, ip6 + 24, FIPS_IPV6_LEN);
	if (!fips_stage_put(c, FIPS_STAGE_PACKET, ip6 + 24, &meta, ip6))
		return;
	if (why == FIPS_PATH_NO_SESSION)
		fips_core_event(out, &ev);
	else if (why == FIPS_PATH_NO_ROUTE)
		fips_route_miss(c, out, p->s);
}

/*
 * One Data message, or with @plain_len of an inner header alone a CoordsWarmup:
 * @plain is the text after the FSP header, with room in front for nothing.
 */
static bool fips_tx_emit(struct fips_core *c, const struct fips_core_out *out, u64 now,
			 struct fips_path *p, u8 *plain, size_t plain_len, bool cp, u64 fsp_ctr,
			 u64 fmp_ctr, struct fips_tx_sum *sum)
{
	size_t clen = cp ? p->s->coords_len : 0;
	size_t fsp_len = FIPS_FSP_HDR_LEN + clen + plain_len + FIPS_TAG_LEN;
	size_t dgram_len = FIPS_DGRAM_HDR_LEN + fsp_len;
	size_t flen = FIPS_LINK_OVERHEAD + dgram_len;
	u8 *f = out->ops->room(out->ctx, &p->to, flen);
	u8 flags = cp ? FIPS_FSP_FLAG_CP : 0, *fsp;

	if (!f) {
		fips_core_object_drop(c, &p->l->stats, FIPS_DROP_REASON_TX_HEADROOM);
		return false;
	}
	if (p->fsp->k_bit)
		flags |= FIPS_FSP_FLAG_K;
	fsp = f + FIPS_FSP_OFF;
	fips_put_fsp_hdr(fsp, flags, (u16)plain_len, fsp_ctr);
	if (cp) {
		memcpy(fsp + FIPS_FSP_HDR_LEN, p->s->coords, clen);
		fips_count(&p->s->tx_coords, clen);
	}
	plain[5] = fips_epoch_spin(p->fsp);
	fips_epoch_sent(p->fsp, fsp_ctr, fips_get_le32(plain));
	fips_epoch_sent(p->fmp, fmp_ctr, fips_epoch_timestamp(p->fmp, now));
	fips_aead_seal(p->fsp_aead, fsp_ctr, fsp, FIPS_FSP_HDR_LEN, fsp + FIPS_FSP_HDR_LEN + clen,
		       plain, plain_len);
	fips_put_le32(f + FIPS_FMP_HDR_LEN, fips_epoch_timestamp(p->fmp, now));
	fips_put_dgram_hdr(f + FIPS_DGRAM_OFF, c->ttl, p->l->mtu, &c->cfg.addr, &p->s->remote);
	fips_link_seal(p->fmp, p->fmp_aead, 0, fmp_ctr, f, f + FIPS_FMP_HDR_LEN, 4 + dgram_len);
	out->ops->frame(out->ctx, &p->to, f, flen);
	sum->packets++;
	sum->fsp_bytes += fsp_len;
	sum->fmp_bytes += flen;
	return true;
}

/* Reserve @n counters of both keys; how many there were. */
static u32 fips_tx_take(struct fips_core *c, const struct fips_core_out *out, struct fips_path *p,
			u32 n, u64 *fsp_ctr, u64 *fmp_ctr)
{
	bool limit = false;
	u32 got;

	got = fips_epoch_take(p->fsp, n, fsp_ctr, &limit);
	if (limit)
		fips_session_key_limit(out, p->s);
	if (got) {
		limit = false;
		got = fips_epoch_take(p->fmp, got, fmp_ctr, &limit);
		if (limit)
			fips_link_key_limit(out, p->l);
	}
	if (got < n) {
		fips_core_drop(c, FIPS_DROP_REASON_KEY_LIMIT, n - got);
		fips_count(&p->s->stats.drops[FIPS_DROP_REASON_KEY_LIMIT], n - got);
	}
	return got;
}

static void fips_tx_warmup(struct fips_core *c, const struct fips_core_out *out, u64 now,
			   struct fips_path *p, struct fips_tx_sum *sum)
{
	u8 plain[FIPS_FSP_INNER_LEN] = { 0 };
	u64 fsp_ctr, fmp_ctr;

	if (FIPS_OVERHEAD + p->s->coords_len > p->mtu ||
	    !fips_tx_take(c, out, p, 1, &fsp_ctr, &fmp_ctr))
		return;
	fips_put_le32(plain, fips_epoch_timestamp(p->fsp, now));
	plain[4] = FIPS_FSP_COORDS_WARMUP;
	fips_tx_emit(c, out, now, p, plain, sizeof(plain), true, fsp_ctr, fmp_ctr, sum);
}

/* Spec 08 §6.1: whether this message carries coordinates; if it can't, they go ahead of it. */
static bool fips_tx_coords(struct fips_core *c, const struct fips_core_out *out, u64 now,
			   struct fips_path *p, size_t ip6_len, struct fips_tx_sum *sum)
{
	u32 left = atomic_load_explicit(&p->s->coords_count, memory_order_relaxed);

	do {
		if (!left)
			return false;
	} while (!atomic_compare_exchange_weak(&p->s->coords_count, &left, left - 1));
	if (FIPS_IPV6_OVERHEAD + ip6_len + p->s->coords_len <= c->transport_mtu)
		return true;
	fips_tx_warmup(c, out, now, p, sum);
	return false;
}

/* Inner header, ports and shim in front of @l4; the shim comes from @ip6. */
static u8 *fips_tx_plain(u8 *l4, const u8 *ip6, u32 timestamp)
{
	u8 *plain = l4 - FIPS_DATA_HDR_LEN;

	/* The shim reads @ip6 first: the two may overlap. */
	fips_shim_put(plain + FIPS_FSP_INNER_LEN + FIPS_FSP_PORTS_LEN, ip6);
	fips_put_le32(plain, timestamp);
	plain[4] = FIPS_FSP_DATA;
	plain[5] = 0;
	fips_put_le16(plain + FIPS_FSP_INNER_LEN, FIPS_PORT_IPV6);
	fips_put_le16(plain + FIPS_FSP_INNER_LEN + 2, FIPS_PORT_IPV6);
	return plain;
}

static void fips_tx_one(struct fips_core *c, const struct fips_core_out *out, u64 now,
			const struct fips_gso *gso, u8 *ip6, size_t len, struct fips_path *p,
			struct fips_tx_sum *sum)
{
	u64 fsp_ctr, fmp_ctr;
	size_t start = gso->csum_start;
	u8 *plain;
	bool cp;

	/* The field holds the pseudo-header's sum and is summed with the rest. */
	if (gso->csum)
		fips_csum_store(ip6 + start + gso->csum_offset,
				fips_csum(ip6 + start, len - start, 0));
	cp = fips_tx_coords(c, out, now, p, len, sum);
	if (!fips_tx_take(c, out, p, 1, &fsp_ctr, &fmp_ctr))
		return;
	plain = fips_tx_plain(ip6 + FIPS_IPV6_HDR_LEN, ip6, fips_epoch_timestamp(p->fsp, now));
	fips_tx_emit(c, out, now, p, plain, ip6 + len - plain, cp, fsp_ctr, fmp_ctr, sum);
}

/**
 * struct fips_cut - a super-packet being segmented
 * @ip6: its IPv6 header
 * @hdr: headers after the IPv6 header, as the first segment has them
 * @hdr_len: their length
 * @l4: offset of the transport header in @hdr
 * @l4_len: length of the transport header
 * @proto: upper-layer protocol
 * @pseudo: sum of the addresses and the protocol
 * @seq: TCP sequence number of the first byte
 */
struct fips_cut {
	u8 ip6[FIPS_IPV6_HDR_LEN];
	u8 hdr[FIPS_L4_HDR_MAX];
	size_t hdr_len;
	size_t l4;
	size_t l4_len;
	u8 proto;
	u64 pseudo;
	u32 seq;
};

static bool fips_cut_init(struct fips_cut *k, const struct fips_gso *gso, const u8 *ip6, size_t len)
{
	const u8 *l4 = ip6 + gso->csum_start;

	if (!gso->size || gso->csum_start < FIPS_IPV6_HDR_LEN ||
	    (size_t)gso->csum_start + (gso->type == FIPS_GSO_TCP ? 20 : 8) > len)
		return false;
	k->l4 = gso->csum_start - FIPS_IPV6_HDR_LEN;
	k->proto = gso->type == FIPS_GSO_TCP ? FIPS_NH_TCP : FIPS_NH_UDP;
	k->l4_len = gso->type == FIPS_GSO_TCP ? (size_t)(l4[12] >> 4) * 4 : 8;
	k->hdr_len = k->l4 + k->l4_len;
	if (k->l4_len < (gso->type == FIPS_GSO_TCP ? 20 : 8) || k->hdr_len > sizeof(k->hdr) ||
	    FIPS_IPV6_HDR_LEN + k->hdr_len >= len)
		return false;
	memcpy(k->ip6, ip6, sizeof(k->ip6));
	memcpy(k->hdr, ip6 + FIPS_IPV6_HDR_LEN, k->hdr_len);
	k->pseudo = fips_csum_pseudo(ip6, 0, k->proto);
	k->seq = (u32)fips_get_be16(l4 + 4) << 16 | fips_get_be16(l4 + 6);
	return true;
}

/* Headers of the segment whose payload of @n bytes at offset @off lies at @data. */
static u8 *fips_cut_segment(struct fips_cut *k, const struct fips_gso *gso, u8 *data, size_t off,
			    size_t n, bool last)
{
	u8 *hdr = data - k->hdr_len;
	u8 *l4 = hdr + k->l4;
	u8 len[8] = { 0 }, *csum = l4 + (gso->type == FIPS_GSO_TCP ? 16 : 6);

	memcpy(hdr, k->hdr, k->hdr_len);
	if (gso->type == FIPS_GSO_TCP) {
		fips_put_be32(l4 + 4, k->seq + (u32)off);
		if (!last)
			l4[13] &= (u8)~FIPS_TCP_FIN_PSH;
		if (off)
			l4[13] &= (u8)~FIPS_TCP_CWR;
	} else {
		fips_put_be16(l4 + 4, (u16)(k->l4_len + n));
	}
	memset(csum, 0, 2);
	fips_put_be32(len, (u32)(k->l4_len + n));
	fips_csum_store(csum, fips_csum(l4, k->l4_len + n, fips_csum(len, 8, k->pseudo)));
	return hdr;
}

static void fips_tx_cut(struct fips_core *c, const struct fips_core_out *out, u64 now,
			const struct fips_gso *gso, u8 *ip6, size_t len, struct fips_path *p,
			struct fips_tx_sum *sum)
{
	size_t total, off, n;
	u64 fsp_ctr, fmp_ctr;
	struct fips_cut k;
	u8 *data, *plain;
	u32 got, i;
	bool cp;

	if (!fips_cut_init(&k, gso, ip6, len)) {
		fips_core_drop(c, FIPS_DROP_REASON_TX_HEADROOM, 1);
		return;
	}
	data = ip6 + FIPS_IPV6_HDR_LEN + k.hdr_len;
	total = ip6 + len - data;
	for (off = 0; off < total && atomic_load(&p->s->coords_count); off += n) {
		n = fips_min32(gso->size, total - off);
		plain = fips_cut_segment(&k, gso, data + off, off, n, off + n == total);
		cp = fips_tx_coords(c, out, now, p, FIPS_IPV6_HDR_LEN + k.hdr_len + n, sum);
		if (!fips_tx_take(c, out, p, 1, &fsp_ctr, &fmp_ctr))
			return;
		plain = fips_tx_plain(plain, k.ip6, fips_epoch_timestamp(p->fsp, now));
		fips_tx_emit(c, out, now, p, plain, data + off + n - plain, cp, fsp_ctr, fmp_ctr,
			     sum);
	}
	got = (u32)((total - off + gso->size - 1) / gso->size);
	if (off < total)
		got = fips_tx_take(c, out, p, got, &fsp_ctr, &fmp_ctr);
	for (i = 0; off < total && i < got; off += n, i++) {
		n = fips_min32(gso->size, total - off);
		plain = fips_cut_segment(&k, gso, data + off, off, n, off + n == total);
		plain = fips_tx_plain(plain, k.ip6, fips_epoch_timestamp(p->fsp, now));
		fips_tx_emit(c, out, now, p, plain, data + off + n - plain, false, fsp_ctr + i,
			     fmp_ctr + i, sum);
	}
}

static void fips_tx_count(struct fips_core *c, struct fips_path *p, u64 now,
			  const struct fips_tx_sum *sum)
{
	if (!sum->packets)
		return;
	fips_count(&p->s->stats.tx_packets, sum->packets);
	fips_count(&p->s->stats.tx_bytes, sum->fsp_bytes);
	fips_count(&p->l->stats.tx_packets, sum->packets);
	fips_count(&p->l->stats.tx_bytes, sum->fmp_bytes);
	fips_count(&c->stats.tx_packets, sum->packets);
	fips_count(&c->stats.tx_bytes, sum->fmp_bytes);
	fips_store(&p->s->last_data, now);
}

/* What the stack may send at all; false after the packet was dropped. */
static bool fips_tx_check(struct fips_core *c, const struct fips_core_out *out, u64 now,
			  const struct fips_gso *gso, const u8 *ip6, size_t len)
{
	if (len < FIPS_IPV6_HDR_LEN || ip6[0] >> 4 != 6 || len > 65535 + FIPS_IPV6_HDR_LEN ||
	    (gso->csum && (gso->csum_start < FIPS_IPV6_HDR_LEN ||
			   (size_t)gso->csum_start + gso->csum_offset + 2 > len))) {
		fips_core_drop(c, FIPS_DROP_REASON_TX_NOT_IPV6, 1);
		return false;
	}
	if (ip6[24] != 0xfd) {
		fips_core_drop(c, FIPS_DROP_REASON_TX_NOT_MESH, 1);
		fips_send_unreachable(c, out, now, ip6, len);
		return false;
	}
	if (memcmp(ip6 + 8, c->ipv6, FIPS_IPV6_LEN)) {
		fips_core_drop(c, FIPS_DROP_REASON_TX_SOURCE, 1);
		return false;
	}
	return true;
}

static bool fips_tx_fits(struct fips_core *c, const struct fips_core_out *out, u64 now,
			 const struct fips_gso *gso, const u8 *ip6, size_t len, u32 frame_mtu)
{
	u32 mtu = frame_mtu > FIPS_IPV6_OVERHEAD ? frame_mtu - FIPS_IPV6_OVERHEAD : 0;
	size_t one = len;

	if (gso->type != FIPS_GSO_NONE) {
		one = gso->csum_start + (gso->type == FIPS_GSO_UDP ? 8 : 20) + (size_t)gso->size;
		if (gso->type == FIPS_GSO_TCP && (size_t)gso->csum_start + 12 < len)
			one += (size_t)(ip6[gso->csum_start + 12] >> 4) * 4 - 20;
		if (one > len)
			one = len;
	}
	if (one <= mtu)
		return true;
	fips_core_drop(c, FIPS_DROP_REASON_TX_TOO_BIG, 1);
	fips_send_too_big(c, out, now, mtu, ip6, len);
	return false;
}

/*
 * The clamp sums the whole packet again, so a partial checksum is finished by it
 * too: only one of the two may happen.
 */
static bool fips_tx_clamp(struct fips_core *c, u8 *ip6, size_t len)
{
	if (ip6[6] != FIPS_NH_TCP || len < FIPS_IPV6_HDR_LEN + 20 || !(ip6[53] & FIPS_TCP_SYN))
		return false;
	return fips_mss_clamp(ip6, len, fips_mss_max(c, ip6 + 24));
}

void fips_core_packet(struct fips_core *c, const struct fips_core_out *out, u64 now,
		      const struct fips_gso *gso, u8 *ip6, size_t len)
{
	static const struct fips_gso none;
	struct fips_path p = { 0 };
	struct fips_tx_sum sum = { 0 };
	enum fips_path_state state;

	gso = gso ? gso : &none;
	if (!fips_tx_check(c, out, now, gso, ip6, len) ||
	    !fips_tx_fits(c, out, now, gso, ip6, len, c->transport_mtu))
		return;
	state = fips_path_find(c, out, now, ip6 + 24, &p);
	switch (state) {
	case FIPS_PATH_OK:
		break;
	case FIPS_PATH_NO_SESSION:
	case FIPS_PATH_NO_SESSION_KEY:
	case FIPS_PATH_NO_ROUTE:
		fips_tx_stage(c, out, now, gso, ip6, len, &p, state);
		return;
	case FIPS_PATH_NO_LINK_KEY:
		fips_core_object_drop(c, &p.l->stats, FIPS_DROP_REASON_NO_KEY);
		return;
	case FIPS_PATH_UNREACHABLE:
		fips_core_drop(c, FIPS_DROP_REASON_TX_UNREACHABLE, 1);
		fips_send_unreachable(c, out, now, ip6, len);
		return;
	}
	if (!fips_tx_fits(c, out, now, gso, ip6, len, p.mtu))
		return;
	if (gso->type != FIPS_GSO_NONE)
		fips_tx_cut(c, out, now, gso, ip6, len, &p, &sum);
	else
		fips_tx_one(c, out, now, fips_tx_clamp(c, ip6, len) ? &none : gso, ip6, len, &p,
			    &sum);
	fips_tx_count(c, &p, now, &sum);
}
