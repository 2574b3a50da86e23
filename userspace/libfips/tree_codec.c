// SPDX-License-Identifier: MIT
/* Codec and signature of the TreeAnnounce (spec 05 §4, §5). */

#include "tree_codec.h"

#include <errno.h>
#include <fips/wire.h>

#include "coords_math.h"

/* Offsets in the message, type byte included. */
#define VERSION_OFF	1
#define SEQUENCE_OFF	2
#define TIMESTAMP_OFF	10
#define PARENT_OFF	18
#define COUNT_OFF	34
#define ENTRIES_OFF	36

int fips_tree_announce_parse(const u8 *body, size_t len, struct fips_tree_announce *out)
{
	struct fips_tree_announce a;

	if (len < FIPS_TREE_MIN_LEN - 1 || body[VERSION_OFF - 1] != FIPS_TREE_VERSION)
		return -EPROTO;
	a.count = fips_get_le16(body + COUNT_OFF - 1);
	if (!a.count || len < fips_tree_announce_len(a.count) - 1)
		return -EPROTO;
	a.entries = body + ENTRIES_OFF - 1;
	a.sig = a.entries + (size_t)a.count * FIPS_TREE_ENTRY_LEN;
	a.decl.node = *fips_tree_entry_addr(&a, 0);
	memcpy(a.decl.parent.b, body + PARENT_OFF - 1, FIPS_NODE_ADDR_LEN);
	a.decl.sequence = fips_get_le64(body + SEQUENCE_OFF - 1);
	a.decl.timestamp = fips_get_le64(body + TIMESTAMP_OFF - 1);
	*out = a;
	return 0;
}

int fips_tree_announce_build(u8 *buf, size_t room, const struct fips_tree_decl *decl,
			     const struct fips_node_addr *addr, const struct fips_tree_meta *meta,
			     u16 count, const u8 *sig)
{
	size_t len = fips_tree_announce_len(count);
	u8 *p = buf + ENTRIES_OFF;
	u16 i;

	if (room < len)
		return -ENOSPC;
	buf[0] = FIPS_LINK_TREE_ANNOUNCE;
	buf[VERSION_OFF] = FIPS_TREE_VERSION;
	fips_put_le64(buf + SEQUENCE_OFF, decl->sequence);
	fips_put_le64(buf + TIMESTAMP_OFF, decl->timestamp);
	memcpy(buf + PARENT_OFF, decl->parent.b, FIPS_NODE_ADDR_LEN);
	fips_put_le16(buf + COUNT_OFF, count);
	for (i = 0; i < count; i++, p += FIPS_TREE_ENTRY_LEN) {
		memcpy(p, addr[i].b, FIPS_NODE_ADDR_LEN);
		fips_put_le64(p + FIPS_NODE_ADDR_LEN, meta[i].sequence);
		fips_put_le64(p + FIPS_NODE_ADDR_LEN + 8, meta[i].timestamp);
	}
	memcpy(p, sig, FIPS_SIG_LEN);
	return (int)len;
}

void fips_tree_preimage(u8 preimage[static FIPS_TREE_PREIMAGE_LEN],
			const struct fips_tree_decl *decl)
{
	memcpy(preimage, decl->node.b, FIPS_NODE_ADDR_LEN);
	memcpy(preimage + 16, decl->parent.b, FIPS_NODE_ADDR_LEN);
	fips_put_le64(preimage + 32, decl->sequence);
	fips_put_le64(preimage + 40, decl->timestamp);
}

int fips_tree_sign(const struct fips_pk *pk, const struct fips_rng *rng, const u8 *sec,
		   const struct fips_tree_decl *decl, u8 *sig)
{
	u8 preimage[FIPS_TREE_PREIMAGE_LEN];

	fips_tree_preimage(preimage, decl);
	return fips_pk_sign_data(pk, rng, sec, preimage, sizeof(preimage), sig);
}

bool fips_tree_verify(const struct fips_pk *pk, const u8 *x, const struct fips_tree_decl *decl,
		      const u8 *sig)
{
	u8 preimage[FIPS_TREE_PREIMAGE_LEN];

	fips_tree_preimage(preimage, decl);
	return fips_pk_verify_data(pk, x, preimage, sizeof(preimage), sig);
}

static bool has_duplicate(const struct fips_tree_announce *a)
{
	u32 i, j;

	for (i = 1; i < a->count; i++) {
		for (j = 0; j < i; j++) {
			if (fips_node_addr_eq(fips_tree_entry_addr(a, i),
					      fips_tree_entry_addr(a, j)))
				return true;
		}
	}
	return false;
}

bool fips_tree_ancestry_check(const struct fips_tree_announce *a, bool strict)
{
	const struct fips_node_addr *last = fips_tree_entry_addr(a, a->count - 1u);
	u32 i;

	if (fips_node_addr_eq(&a->decl.parent, &a->decl.node))
		return a->count == 1;
	if (a->count < 2 || !fips_node_addr_eq(fips_tree_entry_addr(a, 1), &a->decl.parent))
		return false;
	for (i = 0; i + 1 < a->count; i++) {
		if (fips_node_addr_cmp(fips_tree_entry_addr(a, i), last) < 0)
			return false;
	}
	return !strict || (a->count <= FIPS_COORDS_DEPTH && !has_duplicate(a));
}
