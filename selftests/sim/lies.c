// SPDX-License-Identifier: MIT
/*
 * Peers that lie: the node is the real one, but what it tells its neighbours is
 * changed on the way into its data plane, and signed with its own key where a
 * liar would. Each lie is one that the specification lists (05 §15, 06 §13, 07 J,
 * 04 §15).
 */
#include <stdlib.h>

#include "bloom.h"
#include "lookup_codec.h"
#include "mesh.h"
#include "tree_codec.h"

#define SIM_FILTER_HASHES_OFF	9	/* of a FilterAnnounce */

const char *const sim_lie_names[SIM_LIES] = {
	[SIM_LIE_TREE_ROOT] = "tree-root",
	[SIM_LIE_TREE_DEPTH] = "tree-depth",
	[SIM_LIE_TREE_FORGED] = "tree-forged",
	[SIM_LIE_FILTER_FULL] = "filter-full",
	[SIM_LIE_FILTER_FILL] = "filter-fill",
	[SIM_LIE_FILTER_K255] = "filter-k255",
	[SIM_LIE_FILTER_EMPTY] = "filter-empty",
	[SIM_LIE_LOOKUP_SWALLOW] = "lookup-swallow",
	[SIM_LIE_LOOKUP_FORGE] = "lookup-forge",
	[SIM_LIE_REPORTS] = "reports",
};

static int lie_random(void *ctx, void *buf, size_t len)
{
	sim_rng_bytes(ctx, buf, len);
	return 0;
}

bool sim_lies(const struct sim_node *n, enum sim_lie lie)
{
	return n->lies & 1u << lie;
}

/* A declaration of its own, signed as it should be, with ancestors that it has invented. */
static size_t lie_tree(struct sim_node *n, u8 *msg, size_t len, size_t room)
{
	const struct fips_rng rng = { .random = lie_random, .ctx = &n->rng_lies };
	struct fips_node_addr path[2] = { n->kp.id.addr };
	struct fips_tree_meta meta[2] = { 0 };
	struct fips_tree_announce a;
	u8 sig[FIPS_SIG_LEN];
	int ret;

	if (fips_tree_announce_parse(msg + 1, len - 1, &a) || !a.count)
		return len;
	if (sim_lies(n, SIM_LIE_TREE_FORGED)) {	/* the truth, but somebody else's signature */
		msg[len - 1] ^= 1;
		return len;
	}
	/* Nobody is smaller than zero. */
	if (sim_lies(n, SIM_LIE_TREE_DEPTH))
		path[1] = *fips_tree_entry_addr(&a, a.count - 1u);
	if (fips_node_addr_eq(&path[1], &path[0]))
		return len;
	meta[0] = (struct fips_tree_meta) { a.decl.sequence, a.decl.timestamp };
	meta[1] = meta[0];
	a.decl.parent = path[1];
	if (fips_tree_sign(&n->sim->pk, &rng, n->kp.secret, &a.decl, sig))
		return len;
	ret = fips_tree_announce_build(msg, room, &a.decl, path, meta, 2, sig);
	return ret > 0 ? (size_t)ret : len;
}

/* @permille of the bits, all ones included. */
static void lie_fill(struct sim_node *n, u8 *bits, u32 permille)
{
	u32 i;

	for (i = 0; i < FIPS_BLOOM_BITS; i++)
		if (sim_rng_below(&n->rng_lies, 1000) < permille)
			bits[i / 8] |= (u8)(1 << i % 8);
}

static void lie_filter(struct sim_node *n, u8 *msg, size_t len)
{
	u8 *bits = msg + FIPS_FILTER_LEN - FIPS_BLOOM_BYTES;
	struct fips_filter f;

	if (len != FIPS_FILTER_LEN || fips_filter_parse(msg + 1, len - 1, &f))
		return;
	if (sim_lies(n, SIM_LIE_FILTER_EMPTY))
		memset(bits, 0, FIPS_BLOOM_BYTES);
	if (sim_lies(n, SIM_LIE_FILTER_FULL))
		memset(bits, 0xff, FIPS_BLOOM_BYTES);
	if (sim_lies(n, SIM_LIE_FILTER_FILL))
		lie_fill(n, bits, 650);
	if (sim_lies(n, SIM_LIE_FILTER_K255)) {
		lie_fill(n, bits, 994);
		msg[SIM_FILTER_HASHES_OFF] = 255;
	}
}

/* Somebody's request or answer that it should pass on; false: it does not. */
static bool lie_lookup(struct sim_node *n, u8 *msg, size_t len)
{
	struct fips_lookup_response resp;
	struct fips_lookup_request req;
	bool ours;

	if (msg[0] == FIPS_LINK_LOOKUP_REQUEST) {
		ours = !fips_lookup_request_parse(msg + 1, len - 1, &req) &&
		       fips_node_addr_eq(&req.origin, &n->kp.id.addr);
		return ours || !sim_lies(n, SIM_LIE_LOOKUP_SWALLOW);
	}
	if (fips_lookup_response_parse(msg + 1, len - 1, &resp) ||
	    fips_node_addr_eq(&resp.target, &n->kp.id.addr))
		return true;
	if (sim_lies(n, SIM_LIE_LOOKUP_FORGE))
		msg[FIPS_LOOKUP_RESP_HDR + 2 + FIPS_NODE_ADDR_LEN - 1] ^= 0x55;
	return !sim_lies(n, SIM_LIE_LOOKUP_SWALLOW);
}

/* Numbers of a report, the reserved bytes in front left alone. */
static void lie_report(struct sim_node *n, u8 *body, size_t len)
{
	if (len > 4)
		sim_rng_bytes(&n->rng_lies, body + 4, len - 4);
}

bool sim_lie_link(struct sim_node *n, u8 *msg, size_t *len, size_t room)
{
	if (!*len)
		return true;
	switch (msg[0]) {
	case FIPS_LINK_TREE_ANNOUNCE:
		if (sim_lies(n, SIM_LIE_TREE_ROOT) || sim_lies(n, SIM_LIE_TREE_DEPTH) ||
		    sim_lies(n, SIM_LIE_TREE_FORGED))
			*len = lie_tree(n, msg, *len, room);
		return true;
	case FIPS_LINK_FILTER_ANNOUNCE:
		lie_filter(n, msg, *len);
		return true;
	case FIPS_LINK_LOOKUP_REQUEST:
	case FIPS_LINK_LOOKUP_RESPONSE:
		return lie_lookup(n, msg, *len);
	case FIPS_LINK_SENDER_REPORT:
	case FIPS_LINK_RECEIVER_REPORT:
		if (sim_lies(n, SIM_LIE_REPORTS))
			lie_report(n, msg + 1, *len - 1);
		return true;
	default:
		return true;
	}
}

void sim_lie_session(struct sim_node *n, u8 type, u8 *body, size_t len)
{
	if (sim_lies(n, SIM_LIE_REPORTS) &&
	    (type == FIPS_FSP_SENDER_REPORT || type == FIPS_FSP_RECEIVER_REPORT))
		lie_report(n, body, len);
}
