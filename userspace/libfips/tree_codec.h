/* SPDX-License-Identifier: MIT */
/* Codec and signature of the TreeAnnounce (spec 05 §4, §5). */
#ifndef _LIBFIPS_TREE_CODEC_H
#define _LIBFIPS_TREE_CODEC_H

#include "pk.h"

#define FIPS_TREE_VERSION	1
#define FIPS_TREE_ENTRY_LEN	32
#define FIPS_TREE_MIN_LEN	100	/* without entries, type byte included */
#define FIPS_TREE_PREIMAGE_LEN	48

static inline size_t fips_tree_announce_len(size_t entries)
{
	return FIPS_TREE_MIN_LEN + entries * FIPS_TREE_ENTRY_LEN;
}

/**
 * struct fips_tree_meta - what an ancestry entry carries beside its address; nobody decides on it
 * @sequence: of the declaration it was copied from
 * @timestamp: likewise
 */
struct fips_tree_meta {
	u64 sequence;
	u64 timestamp;
};

/**
 * struct fips_tree_decl - what a node signs: "this is my parent"
 * @node: who; in the message it is the first entry's address
 * @parent: its parent, itself when it is root
 * @sequence: rises with every change
 * @timestamp: Unix seconds, for display
 */
struct fips_tree_decl {
	struct fips_node_addr node;
	struct fips_node_addr parent;
	u64 sequence;
	u64 timestamp;
};

/**
 * struct fips_tree_announce - a TreeAnnounce
 * @decl: declaration
 * @count: entries, at least 1
 * @entries: @count entries as on the wire, borrowed
 * @sig: %FIPS_SIG_LEN bytes, borrowed
 */
struct fips_tree_announce {
	struct fips_tree_decl decl;
	u16 count;
	const u8 *entries;
	const u8 *sig;
};

/**
 * fips_tree_announce_parse() - read a TreeAnnounce
 * @body: behind the type byte
 * @len: its length; bytes behind the signature are ignored
 * @out: borrows from @body
 *
 * Return: 0 or -EPROTO.
 */
int fips_tree_announce_parse(const u8 *body, size_t len, struct fips_tree_announce *out);

static inline const struct fips_node_addr *
fips_tree_entry_addr(const struct fips_tree_announce *a, u32 i)
{
	return (const struct fips_node_addr *)(a->entries + (size_t)i * FIPS_TREE_ENTRY_LEN);
}

static inline void fips_tree_entry_meta(const struct fips_tree_announce *a, u32 i,
					struct fips_tree_meta *meta)
{
	const u8 *p = a->entries + (size_t)i * FIPS_TREE_ENTRY_LEN + FIPS_NODE_ADDR_LEN;

	meta->sequence = fips_get_le64(p);
	meta->timestamp = fips_get_le64(p + 8);
}

/**
 * fips_tree_announce_build() - write a TreeAnnounce
 * @buf: the whole message, type byte first
 * @room: its size
 * @decl: declaration
 * @addr: @count addresses, our own first
 * @meta: what belongs to them; the first must repeat @decl
 * @count: entries
 * @sig: %FIPS_SIG_LEN bytes
 *
 * Return: length or -ENOSPC.
 */
int fips_tree_announce_build(u8 *buf, size_t room, const struct fips_tree_decl *decl,
			     const struct fips_node_addr *addr, const struct fips_tree_meta *meta,
			     u16 count, const u8 *sig);

/* The 48 bytes that are hashed and signed; the ancestry is not among them (05 §5). */
void fips_tree_preimage(u8 preimage[static FIPS_TREE_PREIMAGE_LEN],
			const struct fips_tree_decl *decl);
int fips_tree_sign(const struct fips_pk *pk, const struct fips_rng *rng, const u8 *sec,
		   const struct fips_tree_decl *decl, u8 *sig);
bool fips_tree_verify(const struct fips_pk *pk, const u8 *x, const struct fips_tree_decl *decl,
		      const u8 *sig);

/**
 * fips_tree_ancestry_check() - do the entries fit the declaration? (05 §6, rules 1 to 4)
 * @a: announce
 * @strict: also refuse more than 64 entries and addresses that occur twice (05 §17)
 */
bool fips_tree_ancestry_check(const struct fips_tree_announce *a, bool strict);

#endif /* _LIBFIPS_TREE_CODEC_H */
