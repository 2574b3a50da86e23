// SPDX-License-Identifier: MIT
/*
 * Peers that lie: the node is the real one, but what it tells its neighbours is
 * changed on the way into its data plane, and signed with its own key where a
 * liar would. Each lie is one that the specification lists (05 §15, 06 §13, 07 J,
 * 04 §15, 08 §17).
 */
#include <stdlib.h>

#include "bloom.h"
#include "fsp.h"
#include "lookup_codec.h"
#include "mesh.h"
#include "mmp_report.h"
#include "tree_codec.h"

#define SIM_FILTER_HASHES_OFF	9	/* of a FilterAnnounce */

const char *const sim_lie_names[SIM_LIES] = {
	[SIM_LIE_TREE_ROOT] = "tree-root",
	[SIM_LIE_TREE_DEPTH] = "tree-depth",
	[SIM_LIE_TREE_FORGED] = "tree-forged",
	[SIM_LIE_TREE_OTHER] = "tree-other",
	[SIM_LIE_TREE_LAST] = "tree-last",
	[SIM_LIE_TREE_LONG] = "tree-long",
	[SIM_LIE_TREE_SWING] = "tree-swing",
	[SIM_LIE_TREE_FLOOD] = "tree-flood",
	[SIM_LIE_FILTER_FULL] = "filter-full",
	[SIM_LIE_FILTER_FILL] = "filter-fill",
	[SIM_LIE_FILTER_K255] = "filter-k255",
	[SIM_LIE_FILTER_K1] = "filter-k1",
	[SIM_LIE_FILTER_EMPTY] = "filter-empty",
	[SIM_LIE_FILTER_CLAIM] = "filter-claim",
	[SIM_LIE_FILTER_LAST] = "filter-last",
	[SIM_LIE_FILTER_FLOOD] = "filter-flood",
	[SIM_LIE_LOOKUP_SWALLOW] = "lookup-swallow",
	[SIM_LIE_LOOKUP_FORGE] = "lookup-forge",
	[SIM_LIE_LOOKUP_MTU] = "lookup-mtu",
	[SIM_LIE_LOOKUP_GARBAGE] = "lookup-garbage",
	[SIM_LIE_LOOKUP_REPLAY] = "lookup-replay",
	[SIM_LIE_LOOKUP_ECHO] = "lookup-echo",
	[SIM_LIE_LOOKUP_FLOOD] = "lookup-flood",
	[SIM_LIE_COORDS_POISON] = "coords-poison",
	[SIM_LIE_COORDS_FILL] = "coords-fill",
	[SIM_LIE_SIGNALS] = "signals",
	[SIM_LIE_SOURCES] = "sources",
	[SIM_LIE_SETUPS] = "setups",
	[SIM_LIE_ACKS] = "acks",
	[SIM_LIE_MTU] = "mtu",
	[SIM_LIE_REPORTS] = "reports",
	[SIM_LIE_LOSS] = "loss",
	[SIM_LIE_BLACKHOLE] = "blackhole",
};

#define LIE(name)	(UINT64_C(1) << SIM_LIE_##name)
#define LIES_OF_TREE	(LIE(TREE_ROOT) | LIE(TREE_DEPTH) | LIE(TREE_FORGED) | LIE(TREE_OTHER) | \
			 LIE(TREE_LAST) | LIE(TREE_LONG) | LIE(TREE_SWING))
#define LIE_DEEP	34	/* entries of the longest announce at MTU 1280 */
#define LIE_TREE_SEQUENCE_OFF	2
#define LIE_TREE_ENTRIES_OFF	36
#define LIE_RESP_MTU_OFF	25
#define LIE_SMALL_MTU	100	/* below what is believed */

static int lie_random(void *ctx, void *buf, size_t len)
{
	sim_rng_bytes(ctx, buf, len);
	return 0;
}

bool sim_lies(const struct sim_node *n, enum sim_lie lie)
{
	return n->lies & UINT64_C(1) << lie;
}

/* Ancestors that nobody knows, down to the smallest. */
static void lie_ancestors(struct sim_node *n, struct fips_node_addr *path, u16 count)
{
	u16 i;

	for (i = 1; i + 1 < count; i++)
		sim_rng_bytes(&n->rng_lies, path[i].b, sizeof(path[i].b));
	memset(&path[count - 1], 0, sizeof(path[0]));
}

/* How many ancestors it has now, itself included; what was the last is known. */
static u16 lie_depth(struct sim_node *n, struct fips_node_addr *path,
		     const struct fips_node_addr *root)
{
	if (sim_lies(n, SIM_LIE_TREE_LONG)) {
		lie_ancestors(n, path, LIE_DEEP);
		return LIE_DEEP;
	}
	if (sim_lies(n, SIM_LIE_TREE_SWING)) {
		u16 count = (u16)(2 + sim_rng_below(&n->rng_lies, 6));

		lie_ancestors(n, path, count);
		path[count - 1] = *root;
		return count;
	}
	/* Nobody is smaller than zero. */
	if (sim_lies(n, SIM_LIE_TREE_DEPTH))
		path[1] = *root;
	return 2;
}

/* A declaration of its own, signed as it should be, with ancestors that it has invented. */
static size_t lie_tree_path(struct sim_node *n, u8 *msg, size_t len, size_t room,
			    struct fips_tree_announce *a)
{
	const struct fips_rng rng = { .random = lie_random, .ctx = &n->rng_lies };
	struct fips_node_addr path[LIE_DEEP] = { n->kp.id.addr };
	struct fips_tree_meta meta[LIE_DEEP] = { 0 };
	u8 sig[FIPS_SIG_LEN];
	u16 count;
	int ret;

	count = lie_depth(n, path, fips_tree_entry_addr(a, a->count - 1u));
	if (fips_node_addr_eq(&path[count - 1], &path[0]))
		return len;
	meta[0] = (struct fips_tree_meta) { a->decl.sequence, a->decl.timestamp };
	a->decl.parent = path[1];
	if (fips_tree_sign(&n->sim->pk, &rng, n->kp.secret, &a->decl, sig))
		return len;
	ret = fips_tree_announce_build(msg, room, &a->decl, path, meta, count, sig);
	return ret > 0 ? (size_t)ret : len;
}

size_t sim_lie_announce(struct sim_node *n, u64 sequence, const struct sim_mesh_view *v, u8 *msg,
			size_t room)
{
	const struct fips_rng rng = { .random = lie_random, .ctx = &n->rng_lies };
	struct fips_tree_meta meta[SIM_MESH_DEPTH] = { 0 };
	const struct fips_tree_decl decl = {
		.node = n->kp.id.addr,
		.parent = v->parent,
		.sequence = sequence,
		.timestamp = sim_node_clock(n).wall_ms / 1000,
	};
	u8 sig[FIPS_SIG_LEN];
	int ret;

	meta[0] = (struct fips_tree_meta) { sequence, decl.timestamp };
	if (fips_tree_sign(&n->sim->pk, &rng, n->kp.secret, &decl, sig))
		return 0;
	ret = fips_tree_announce_build(msg, room, &decl, v->coords, meta, (u16)v->depth, sig);
	return ret > 0 ? (size_t)ret : 0;
}

static size_t lie_tree(struct sim_node *n, u8 *msg, size_t len, size_t room)
{
	const struct fips_rng rng = { .random = lie_random, .ctx = &n->rng_lies };
	struct fips_tree_announce a;

	if (!(n->lies & LIES_OF_TREE) || fips_tree_announce_parse(msg + 1, len - 1, &a))
		return len;
	if (sim_lies(n, SIM_LIE_TREE_FORGED)) {	/* the truth, but somebody else's signature */
		msg[len - 1] ^= 1;
		return len;
	}
	if (sim_lies(n, SIM_LIE_TREE_OTHER)) {
		msg[LIE_TREE_ENTRIES_OFF] ^= 1;
		return len;
	}
	if (sim_lies(n, SIM_LIE_TREE_LAST)) {
		a.decl.sequence = UINT64_MAX;
		fips_put_le64(msg + LIE_TREE_SEQUENCE_OFF, a.decl.sequence);
		if (fips_tree_sign(&n->sim->pk, &rng, n->kp.secret, &a.decl,
				   msg + (a.sig - msg)))
			return len;
		return len;
	}
	return lie_tree_path(n, msg, len, room, &a);
}

/* @permille of the bits, all ones included. */
static void lie_fill(struct sim_node *n, u8 *bits, u32 permille)
{
	u32 i;

	for (i = 0; i < FIPS_BLOOM_BITS; i++)
		if (sim_rng_below(&n->rng_lies, 1000) < permille)
			bits[i / 8] |= (u8)(1 << i % 8);
}

static void lie_claim(struct sim_node *n, u8 *bits)
{
	struct fips_bloom_key key;
	struct fips_bloom f;
	u32 i;

	memcpy(f.bits, bits, sizeof(f.bits));
	for (i = 0; i < n->sim->n_nodes; i++) {
		fips_bloom_key(&key, &n->sim->nodes[i].kp.id.addr);
		fips_bloom_insert(&f, &key);
	}
	memcpy(bits, f.bits, sizeof(f.bits));
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
	if (sim_lies(n, SIM_LIE_FILTER_K1))
		msg[SIM_FILTER_HASHES_OFF] = 1;
	if (sim_lies(n, SIM_LIE_FILTER_CLAIM))
		lie_claim(n, bits);
	if (sim_lies(n, SIM_LIE_FILTER_LAST))
		memset(msg + 1, 0xff, 8);
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
	if (sim_lies(n, SIM_LIE_LOOKUP_MTU))
		fips_put_le16(msg + LIE_RESP_MTU_OFF, LIE_SMALL_MTU);
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

/* Of all that came, half is missing. */
static void lie_loss(u8 *msg, size_t len)
{
	struct fips_mmp_rr rr;
	u8 buf[256];
	int ret;

	if (fips_mmp_rr_parse(FIPS_MMP_LINK, msg + 1, len - 1, &rr))
		return;
	rr.cum_packets /= 2;
	rr.cum_bytes /= 2;
	rr.interval_packets /= 2;
	ret = fips_mmp_rr_build(FIPS_MMP_LINK, buf, sizeof(buf), &rr);
	if (ret > 0 && (size_t)ret <= len)
		memcpy(msg, buf, (size_t)ret);
}

bool sim_lie_link(struct sim_node *n, u8 *msg, size_t *len, size_t room)
{
	if (!*len)
		return true;
	switch (msg[0]) {
	case FIPS_LINK_TREE_ANNOUNCE:
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
		else if (sim_lies(n, SIM_LIE_LOSS) && msg[0] == FIPS_LINK_RECEIVER_REPORT)
			lie_loss(msg, *len);
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
	if (sim_lies(n, SIM_LIE_MTU) && type == FIPS_FSP_PATH_MTU && len >= 2) {
		fips_put_le16(body, LIE_SMALL_MTU);
		n->sim->lies++;
	}
}
