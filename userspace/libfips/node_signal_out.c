// SPDX-License-Identifier: MIT
/*
 * Error signals (spec 07 E) to the sources of datagrams that can't go on. Paced
 * for each pair of source and destination and in all; a signal is never
 * answered with a signal.
 */

#include <sodium.h>

#include "node_internal.h"

_Static_assert(crypto_shorthash_KEYBYTES == sizeof(((struct node_mesh *)0)->secret), "key");

/* 07 E.2, step 1. Different pairs may share a place; then the newer one goes out. */
static bool signal_admit(struct fips_node *n, const u8 *hdr)
{
	struct node_mesh *m = &n->mesh;
	struct node_signalled *s;
	u64 pair = 0;

	crypto_shorthash((u8 *)&pair, hdr + FIPS_DGRAM_SRC_OFF, 2 * FIPS_NODE_ADDR_LEN, m->secret);
	s = &m->signalled[pair % NODE_SIGNALS];
	if (s->pair == pair && n->now.mono_ms - s->at < NODE_SIGNAL_GAP_MS)
		return false;
	if (!fips_bucket_take(&m->signal_bucket, &m->signal_rate, n->now.mono_ms))
		return false;
	*s = (struct node_signalled) { .pair = pair, .at = n->now.mono_ms };
	return true;
}

static bool signal_is_signal(const u8 *hdr, size_t len)
{
	const u8 *fsp = hdr + FIPS_DGRAM_HDR_LEN;

	return len >= FIPS_DGRAM_HDR_LEN + FIPS_PREFIX_LEN &&
	       fips_prefix_phase(fsp) == FIPS_FSP_ESTABLISHED && fsp[1] & FIPS_FSP_FLAG_U;
}

static void signal_send(struct fips_node *n, const u8 *hdr, size_t len,
			struct fips_fsp_signal_msg *sig)
{
	u8 buf[64 + FIPS_COORDS_DEPTH * FIPS_NODE_ADDR_LEN];
	struct fips_node_addr src;
	int ret;

	if (len < FIPS_DGRAM_HDR_LEN || signal_is_signal(hdr, len) || !signal_admit(n, hdr))
		return;
	memcpy(&src, hdr + FIPS_DGRAM_SRC_OFF, sizeof(src));
	if (fips_node_addr_eq(&src, &n->env.self->id.addr))
		return;
	memcpy(&sig->dst, hdr + FIPS_DGRAM_DST_OFF, sizeof(sig->dst));
	sig->reporter = n->env.self->id.addr;
	ret = fips_fsp_signal_build(buf, sizeof(buf), sig);
	if (ret > 0 && !node_datagram_send(n, &src, buf, (size_t)ret))
		n->counters.signals_sent++;
}

void node_signal_no_route(struct fips_node *n, const u8 *hdr, size_t len)
{
	struct fips_fsp_signal_msg sig = { .type = FIPS_FSP_COORDS_REQUIRED };
	struct fips_coord_info info;
	struct fips_node_addr dst;

	if (len < FIPS_DGRAM_HDR_LEN)
		return;
	memcpy(&dst, hdr + FIPS_DGRAM_DST_OFF, sizeof(dst));
	if (fips_coordcache_peek(&n->mesh.coords, &dst, n->now.mono_ms, &info)) {
		sig.type = FIPS_FSP_PATH_BROKEN;
		sig.coords = info.coords;
	}
	signal_send(n, hdr, len, &sig);
}

void node_signal_mtu(struct fips_node *n, const u8 *hdr, size_t len, u16 mtu)
{
	struct fips_fsp_signal_msg sig = { .type = FIPS_FSP_MTU_EXCEEDED, .mtu = mtu };

	signal_send(n, hdr, len, &sig);
}
