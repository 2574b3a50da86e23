// SPDX-License-Identifier: MIT
/* Authenticated neighbours that lie about the tree (spec 05 §15). */
#include <stdio.h>
#include <time.h>

#include "foe.h"

#define ROOT_NOBODY	0	/* smaller than everybody */

/* A node that nobody is; smaller first bytes make it root of everything. */
static struct fips_node_addr nobody(u8 first)
{
	struct fips_node_addr a;

	foe_random(&a, sizeof(a));
	a.b[0] = first;
	if (!first)
		a.b[1] = 0;
	return a;
}

/* Ourselves below the victim, as the honest do; then whatever comes. Return: entries. */
static u16 path_below(struct foe *f, struct fips_node_addr *path)
{
	path[0] = f->self.id.addr;
	memcpy(path + 1, f->path, f->path_count * sizeof(*path));
	return (u16)(f->path_count + 1);
}

static void tree_duplicates(struct foe *f, double seconds)
{
	struct fips_node_addr path[3 * FIPS_COORDS_DEPTH];
	struct foe_pace p;

	p = foe_pace_joined(f, seconds, 100);
	while (foe_pace_next(f, &p)) {
		u16 n = path_below(f, path);

		/* ourselves - the victim - ourselves - the victim - ... - root */
		memmove(path + 2, path, n * sizeof(*path));
		foe_announce(f, path, n + 2);
	}
}

static void tree_deep(struct foe *f, double seconds)
{
	struct fips_node_addr path[60];
	struct foe_pace p;
	u16 i;

	p = foe_pace_joined(f, seconds, 50);
	while (foe_pace_next(f, &p)) {
		/* 100 + 32 n bytes: 40 entries are what a frame of 1,472 bytes takes */
		path[0] = f->self.id.addr;
		for (i = 1; i < 40; i++)
			path[i] = nobody(i == 39 ? ROOT_NOBODY : 0x80);
		foe_announce(f, path, 40);
	}
}

/* The last entry is not the smallest. */
static void tree_crooked(struct foe *f, double seconds)
{
	struct fips_node_addr path[4];
	struct foe_pace p;

	p = foe_pace_joined(f, seconds, 100);
	while (foe_pace_next(f, &p)) {
		path[0] = f->self.id.addr;
		path[1] = nobody(ROOT_NOBODY);
		path[2] = nobody(0x70);
		path[3] = nobody(0x60);
		foe_announce(f, path, 4);
	}
}

static void tree_forged(struct foe *f, double seconds)
{
	struct fips_node_addr path[2];
	u8 sig[FIPS_SIG_LEN];
	struct foe_pace p;

	p = foe_pace_joined(f, seconds, 1000);
	while (foe_pace_next(f, &p)) {
		struct fips_tree_decl decl = { .sequence = ++f->tree_seq };

		path[0] = f->self.id.addr;
		path[1] = nobody(ROOT_NOBODY);
		decl.node = path[0];
		decl.parent = path[1];
		foe_random(sig, sizeof(sig));
		foe_announce_as(f, &decl, path, 2, sig);
	}
}

/* Our own sound signature over and over, with ancestries that it does not cover. */
static void tree_replayed(struct foe *f, double seconds)
{
	struct fips_node_addr path[3];
	struct fips_tree_decl decl;
	u8 sig[FIPS_SIG_LEN];
	struct foe_pace p;

	foe_join(f);
	foe_settle(f);
	path[0] = f->self.id.addr;
	path[1] = f->victim.id.addr;
	decl = (struct fips_tree_decl){
		.node = path[0],
		.parent = path[1],
		.sequence = ++f->tree_seq,
	};
	if (fips_tree_sign(&f->pk, &f->env.rng, f->self.secret, &decl, sig))
		foe_die("no signature");
	foe_begin(f);
	p = foe_pace(seconds, 1000);
	while (foe_pace_next(f, &p)) {
		path[2] = nobody(ROOT_NOBODY);
		foe_announce_as(f, &decl, path, 3, sig);
	}
}

/* In the name of an honest neighbour. */
static void tree_other(struct foe *f, double seconds)
{
	struct fips_node_addr path[2];
	struct foe_pace p;

	p = foe_pace_joined(f, seconds, 500);
	while (foe_pace_next(f, &p)) {
		path[0] = f->near.id.addr;
		path[1] = nobody(ROOT_NOBODY);
		foe_announce(f, path, 2);
	}
}

/* The one the wire can't refuse: a signed child of a root that does not exist. */
static void tree_fake_root(struct foe *f, double seconds)
{
	struct fips_node_addr path[2];
	struct foe_pace p;

	foe_join(f);
	foe_settle(f);
	path[0] = f->self.id.addr;
	path[1] = nobody(ROOT_NOBODY);
	foe_begin(f);
	foe_announce(f, path, 2);
	p = foe_pace(seconds, 20);
	while (foe_pace_next(f, &p))
		;
}

/* Another root that does not exist every 20 ms, and none in between. */
static void tree_root_flapping(struct foe *f, double seconds)
{
	struct fips_node_addr path[2];
	struct foe_pace p;
	u32 i;

	foe_join(f);
	foe_settle(f);
	path[0] = f->self.id.addr;
	foe_begin(f);
	p = foe_pace(seconds, 50);
	for (i = 0; foe_pace_next(f, &p); i++) {
		path[1] = nobody(ROOT_NOBODY);
		foe_announce(f, path, i % 2 ? 1 : 2);
	}
}

static void tree_sequence(struct foe *f, double seconds)
{
	struct fips_node_addr path[1 + FIPS_COORDS_DEPTH];
	struct foe_pace p;

	p = foe_pace_joined(f, seconds, 100);
	f->tree_seq = ~(u64)0 - 2;
	while (foe_pace_next(f, &p)) {
		foe_announce(f, path, path_below(f, path));
		if (f->tree_seq == ~(u64)0)
			f->tree_seq = 1000;
	}
}

/* Timestamps a thousand years away: nobody may believe them, nor stumble. */
static void tree_future(struct foe *f, double seconds)
{
	struct fips_node_addr path[1 + FIPS_COORDS_DEPTH];
	u8 sig[FIPS_SIG_LEN];
	struct foe_pace p;
	u32 i;

	p = foe_pace_joined(f, seconds, 100);
	for (i = 0; foe_pace_next(f, &p); i++) {
		u16 n = path_below(f, path);
		struct fips_tree_decl decl = {
			.node = path[0],
			.parent = path[1],
			.sequence = ++f->tree_seq,
			.timestamp = i % 2 ? ~(u64)0 : (u64)time(NULL) + 31557600000,
		};

		if (fips_tree_sign(&f->pk, &f->env.rng, f->self.secret, &decl, sig))
			foe_die("no signature");
		foe_announce_as(f, &decl, path, n, sig);
	}
}

/* Sound, new and changing announces as fast as they can be signed. */
static void tree_flood(struct foe *f, double seconds)
{
	struct fips_node_addr path[3];
	struct foe_pace p;
	u32 i;

	foe_join(f);
	foe_settle(f);
	path[0] = f->self.id.addr;
	foe_begin(f);
	p = foe_pace(seconds, 3000);
	for (i = 0; foe_pace_next(f, &p); i++) {
		path[1] = nobody(0xf0);
		path[2] = f->path_count ? f->path[f->path_count - 1] : path[1];
		foe_announce(f, path, 3);
	}
}

const struct foe_attack foe_tree_attacks[] = {
	{ "tree-loop", "peer", "tree .stats.ancestry_invalid", 3, tree_duplicates, false,
	  "ancestries that go round" },
	{ "tree-deep", "peer", "tree .stats.parked", 3, tree_deep, false,
	  "ancestries of 40 nodes that do not exist below a root that does not, 50 a second" },
	{ "tree-crooked", "peer", "tree .stats.ancestry_invalid", 3, tree_crooked, false,
	  "ancestries whose last entry is not the smallest" },
	{ "tree-forged", "peer", "tree .stats.sig_failed", 3, tree_forged, false,
	  "1,000 signatures a second that are none" },
	{ "tree-replayed", "peer", "tree .stats.stale", 3, tree_replayed, false,
	  "one sound signature with 1,000 ancestries a second that it does not cover" },
	{ "tree-other", "peer", "tree .stats.addr_mismatch", 3, tree_other, false,
	  "announces in another neighbour's name" },
	{ "tree-fake-root", "peer", "tree .stats.root_lowered", 5, tree_fake_root, false,
	  "a signed child of a root that does not exist" },
	{ "tree-root-flapping", "peer", "tree .stats.parked", 5, tree_root_flapping, false,
	  "another such root, or none, every 20 ms" },
	{ "tree-sequence", "peer", "tree .stats.stale", 3, tree_sequence, false,
	  "the largest sequences, and back" },
	{ "tree-future", "peer", "tree .stats.parked", 3, tree_future, false,
	  "timestamps from the future, 100 a second" },
	{ "tree-flood", "peer", "tree .stats.parked", 3, tree_flood, false,
	  "sound announces as fast as they can be signed" },
	{ .name = NULL },
};
