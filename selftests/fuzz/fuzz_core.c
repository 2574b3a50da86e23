// SPDX-License-Identifier: MIT
/*
 * Fuzzer for the packet core: a script of frames from transports and packets
 * from the stack. Besides raw frames (which hardly ever authenticate) it seals
 * what the fuzzer wrote as link message or session message, so that everything
 * behind the AEAD is reached as well.
 *
 * Script: records of op u8, length u16 LE, bytes.
 */
#include <stdlib.h>

#include "coalesce.h"
#include "core_impl.h"

enum op {
	OP_FRAME,	/* as received */
	OP_LINK_MSG,	/* sealed for the link: message from the type byte on */
	OP_SESSION_MSG,	/* sealed for both: flags u8, coordinates' length u8, they, text */
	OP_PACKET,	/* from the stack */
	OP_GSO,		/* type u8, size u16, csum_start u16, csum_offset u8, packet */
	OP_MERGE,	/* towards the stack, through the coalescer */
	OP_TIME,	/* milliseconds pass */
	OP_COUNT,
};

struct world {
	struct fips_core *c;
	struct fips_core_out out;
	struct fips_merge merge;
	struct fips_aead link, session;
	u64 now;
	u64 ctr;
	u8 *room;
};

static u8 *room(void *ctx, const struct fips_endpoint *to, size_t len)
{
	struct world *w = ctx;

	(void)to;
	free(w->room);
	w->room = malloc(len);
	return w->room;
}

static void frame(void *ctx, const struct fips_endpoint *to, u8 *f, size_t len)
{
	struct world *w = ctx;

	(void)to;
	if (f != w->room || fips_classify(f, len) != FIPS_FRAME_ESTABLISHED)
		abort();
}

static void packet(void *ctx, u8 *ip6, size_t len, bool stable)
{
	(void)ctx;
	(void)stable;
	if (len < FIPS_IPV6_HDR_LEN || ip6[0] >> 4 != 6)
		abort();
}

static void event(void *ctx, const struct fips_event *ev)
{
	(void)ctx;
	(void)ev;
}

static void merged(void *ctx, struct iovec *iov, int n, const struct fips_gso *gso, bool verified)
{
	volatile u8 sink;
	int i;
	size_t k;

	(void)ctx;
	(void)gso;
	(void)verified;
	/* Every byte named must be there to read. */
	for (i = 1; i < n; i++)
		for (k = 0; k < iov[i].iov_len; k++)
			sink = ((u8 *)iov[i].iov_base)[k];
	(void)sink;
}

static const struct fips_core_out_ops out_ops = { room, frame, packet, event };

static void start(struct world *w)
{
	struct fips_core_config cfg = { .addr = { { 0xaa } } };
	struct fips_dp_dev dev = { .addr = cfg.addr, .transport_mtu = 1472, .ttl = 64 };
	struct fips_node_addr peer = { { 0xbb } }, other = { { 0xcc } };
	struct fips_dp_key k = { .has_key = true, .local_index = 1, .remote_index = 2 };
	struct fips_dp_link l = { .id = 1, .transport_id = 1, .peer = peer, .mtu = 1472,
				  .candidate = true, .key = &k };
	struct fips_dp_session s = { .remote = peer, .path_mtu = 1400, .key = &k,
				     .coords = "\0\0\0\0", .coords_len = 4, .coords_count = 2 };

	memset(w, 0, sizeof(*w));
	w->now = 1000;
	w->c = fips_core_new(&cfg);
	w->out = (struct fips_core_out){ &out_ops, w, FIPS_LANE_RX };
	w->merge.write = merged;
	w->merge.udp = true;
	fips_aead_init(&w->link, NULL, k.rx);
	fips_aead_init(&w->session, NULL, k.rx);
	fips_core_dev_set(w->c, &dev);
	fips_core_link_new(w->c, &w->out, w->now, &l);
	fips_core_session_new(w->c, &w->out, w->now, &s);
	fips_core_route_set(w->c, &w->out, w->now, &peer, 1, 1);
	fips_core_route_set(w->c, &w->out, w->now, &other, 1, 1);
	k = (struct fips_dp_key){ .slot = FIPS_KEY_SLOT_NEXT, .local_index = 3 };
	fips_core_link_key_new(w->c, &w->out, w->now, 1, &k);
}

static void do_frame(struct world *w, const u8 *p, size_t len)
{
	struct fips_endpoint from = { .transport_id = 1 };
	u8 *copy = malloc(len);

	memcpy(copy, p, len);
	fips_core_frame(w->c, &w->out, w->now, &from, copy, len);
	free(copy);
}

static void do_link_msg(struct world *w, const u8 *p, size_t len)
{
	u8 *f = malloc(FIPS_FMP_MIN_LEN + 4 + len);

	fips_put_fmp_hdr(f, 0, (u16)(4 + len), 1, w->ctr);
	memset(f + FIPS_FMP_HDR_LEN, 0, 4);
	memcpy(f + FIPS_FMP_HDR_LEN + 4, p, len);
	fips_aead_seal(&w->link, w->ctr++, f, FIPS_FMP_HDR_LEN, f + FIPS_FMP_HDR_LEN,
		       f + FIPS_FMP_HDR_LEN, 4 + len);
	do_frame(w, f, FIPS_FMP_MIN_LEN + 4 + len);
	free(f);
}

static void do_session_msg(struct world *w, const u8 *p, size_t len)
{
	struct fips_node_addr own = { { 0xaa } }, peer = { { 0xbb } };
	size_t clen, text;
	u8 *d, *fsp;

	if (len < 2)
		return;
	clen = p[1] < len - 2 ? p[1] : len - 2;
	text = len - 2 - clen;
	d = malloc(FIPS_DGRAM_HDR_LEN + FIPS_FSP_MIN_LEN + clen + text);
	fips_put_dgram_hdr(d, 9, 1300, &peer, &own);
	fsp = d + FIPS_DGRAM_HDR_LEN;
	fips_put_fsp_hdr(fsp, p[0], (u16)text, w->ctr);
	memcpy(fsp + FIPS_FSP_HDR_LEN, p + 2, clen + text);
	fips_aead_seal(&w->session, w->ctr, fsp, FIPS_FSP_HDR_LEN, fsp + FIPS_FSP_HDR_LEN + clen,
		       fsp + FIPS_FSP_HDR_LEN + clen, text);
	do_link_msg(w, d, FIPS_DGRAM_HDR_LEN + FIPS_FSP_MIN_LEN + clen + text);
	free(d);
}

/* Most packets should get past the address checks. */
static u8 *own_packet(struct world *w, const u8 *p, size_t len)
{
	u8 *copy = malloc(len);

	memcpy(copy, p, len);
	if (len >= FIPS_IPV6_HDR_LEN && copy[0] & 1) {
		copy[0] = 0x60;
		memcpy(copy + 8, w->c->ipv6, FIPS_IPV6_LEN);
		memset(copy + 24, 0, FIPS_IPV6_LEN);
		copy[24] = 0xfd;
		copy[25] = copy[1] & 1 ? 0xbb : 0xdd;
	}
	return copy;
}

static void do_packet(struct world *w, const u8 *p, size_t len, const struct fips_gso *gso)
{
	u8 *copy = own_packet(w, p, len);

	fips_core_packet(w->c, &w->out, w->now, gso, copy, len);
	free(copy);
}

static void do_gso(struct world *w, const u8 *p, size_t len)
{
	struct fips_gso gso;

	if (len < 6)
		return;
	gso.type = p[0] % 3;
	gso.csum = gso.type || p[0] & 0x80;
	gso.size = fips_get_le16(p + 1);
	gso.csum_start = p[0] & 0x40 ? fips_get_le16(p + 3) : 40;
	gso.csum_offset = p[0] & 0x40 ? p[5] : gso.type == FIPS_GSO_UDP ? 6 : 16;
	do_packet(w, p + 6, len - 6, &gso);
}

/* Chops the bytes into a few packets of one memory, as in a receive buffer. */
static void do_merge(struct world *w, const u8 *p, size_t len)
{
	u8 *copy = malloc(len), *at = copy;
	size_t n;

	memcpy(copy, p, len);
	while (len >= FIPS_IPV6_HDR_LEN + 1) {
		n = FIPS_IPV6_HDR_LEN + at[0];
		if (n > len)
			n = len;
		at[0] = 0x60;
		fips_merge_add(&w->merge, at, n);
		at += n;
		len -= n;
	}
	fips_merge_flush(&w->merge);
	free(copy);
}

static void step(struct world *w, u8 op, const u8 *p, size_t len)
{
	switch ((enum op)(op % OP_COUNT)) {
	case OP_FRAME:
		do_frame(w, p, len);
		break;
	case OP_LINK_MSG:
		do_link_msg(w, p, len);
		break;
	case OP_SESSION_MSG:
		do_session_msg(w, p, len);
		break;
	case OP_PACKET:
		do_packet(w, p, len, NULL);
		break;
	case OP_GSO:
		do_gso(w, p, len);
		break;
	case OP_MERGE:
		do_merge(w, p, len);
		break;
	case OP_TIME:
		w->now += len ? p[0] * 100U : 1;
		fips_core_tick(w->c, &w->out, w->now);
		break;
	case OP_COUNT:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w;
	size_t len;
	u8 op;

	start(&w);
	while (size >= 3) {
		op = data[0];
		len = fips_get_le16(data + 1);
		data += 3;
		size -= 3;
		if (len > size)
			len = size;
		step(&w, op, data, len);
		data += len;
		size -= len;
	}
	fips_core_free(w.c);
	fips_aead_wipe(&w.link);
	fips_aead_wipe(&w.session);
	free(w.room);
	return 0;
}
