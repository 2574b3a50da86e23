/* SPDX-License-Identifier: MIT */
/*
 * The spanning tree as a pure machine (spec 05): what the peers declared,
 * which of them is our parent, and what follows when that changes.
 *
 * Nothing is sent, signed or timed here. Each event returns a decision: what
 * changed and a list of things to do, in the order of the bits. After
 * %FIPS_TREE_DO_SIGN the declaration must be signed before it is announced
 * (fips_tree_set_sig()); until then there is no announce to send.
 *
 * Where we differ from the reference (05 §17, none of it visible on the wire):
 * a refreshed ancestry with the same addresses changes nothing; staleness is
 * checked before the signature; at most 64 ancestry entries and no address
 * twice; a peer whose link is not measured yet costs 1 when there is no other
 * way to a smaller root; a parent whose path leads through us, or to a larger
 * root than another's, is left at once, and paths through us say nothing about
 * roots; filters and look-ups are told of every change of the tree peers.
 * &struct fips_tree_cfg.as_reference takes all that back, for the vectors and
 * for the simulator's reference nodes.
 */
#ifndef _LIBFIPS_TREE_H
#define _LIBFIPS_TREE_H

#include "coords_math.h"
#include "tree_codec.h"
#include "tree_damp.h"

struct fips_tree;

/**
 * struct fips_tree_cfg - keys node.tree.* of spec 12
 * @hysteresis: how much better another parent must be; used within 0 to 1
 * @damp: hold-down and flap damping
 * @max_entries: longest ancestry of our own, itself included; what the smallest link
 *	carries, at most %FIPS_COORDS_DEPTH; 0 = that
 * @as_reference: do without our improvements
 */
struct fips_tree_cfg {
	double hysteresis;
	struct fips_tree_damp_cfg damp;
	u16 max_entries;
	bool as_reference;
};

/**
 * struct fips_tree_now - both clocks
 * @mono_ms: for all decisions
 * @wall_s: Unix seconds, only written into declarations
 */
struct fips_tree_now {
	u64 mono_ms;
	u64 wall_s;
};

/**
 * enum fips_tree_verdict - what became of a TreeAnnounce (05 §6); names are those of the counters
 * @FIPS_TREE_ACCEPTED: stored
 * @FIPS_TREE_DECODE_ERROR: malformed
 * @FIPS_TREE_UNKNOWN_PEER: not from a peer
 * @FIPS_TREE_ADDR_MISMATCH: about somebody else
 * @FIPS_TREE_SIG_FAILED: signature
 * @FIPS_TREE_ANCESTRY_INVALID: entries that don't fit
 * @FIPS_TREE_STALE: sequence not above the stored one
 * @FIPS_TREE_NO_MEMORY: sound, but not stored
 */
enum fips_tree_verdict {
	FIPS_TREE_ACCEPTED,
	FIPS_TREE_DECODE_ERROR,
	FIPS_TREE_UNKNOWN_PEER,
	FIPS_TREE_ADDR_MISMATCH,
	FIPS_TREE_SIG_FAILED,
	FIPS_TREE_ANCESTRY_INVALID,
	FIPS_TREE_STALE,
	FIPS_TREE_NO_MEMORY,
};

#define FIPS_TREE_VERDICTS	(FIPS_TREE_NO_MEMORY + 1)

/**
 * enum fips_tree_action - what was decided (05 §7)
 * @FIPS_TREE_NONE: all stays as it is
 * @FIPS_TREE_SWITCH: another parent
 * @FIPS_TREE_SELF_ROOT: we are root now
 * @FIPS_TREE_LOOP_DROP: the parent's path led through us (or got too long); recovered
 * @FIPS_TREE_ANCESTRY_UPDATE: same parent, another path
 * @FIPS_TREE_PARENT_LOST: the parent went away; recovered
 */
enum fips_tree_action {
	FIPS_TREE_NONE,
	FIPS_TREE_SWITCH,
	FIPS_TREE_SELF_ROOT,
	FIPS_TREE_LOOP_DROP,
	FIPS_TREE_ANCESTRY_UPDATE,
	FIPS_TREE_PARENT_LOST,
};

/* What is to be done, lowest bit first (05 §7.4). */
#define FIPS_TREE_DO_SIGN		0x01	/* the declaration changed */
#define FIPS_TREE_DO_DROP_VIA_SELF	0x02	/* cached coordinates whose path contains us */
#define FIPS_TREE_DO_DROP_OTHER_ROOTS	0x04	/* and those of another root */
#define FIPS_TREE_DO_CLEAR_BACKOFF	0x08	/* of look-ups */
#define FIPS_TREE_DO_ECHO		0x10	/* announce to the sender: its root is larger */
#define FIPS_TREE_DO_ANNOUNCE		0x20	/* to all peers; then there is no echo apart */
#define FIPS_TREE_DO_FILTERS		0x40	/* mark all peers' filters (06 §14, T9) */
#define FIPS_TREE_DO_CHECK_FILTERS	0x80	/* mark those that differ from the last sent */

/**
 * struct fips_tree_decision - outcome of an event
 * @action: what was decided
 * @todo: FIPS_TREE_DO_*
 * @flap_armed: a dampening episode began with it
 * @too_deep: a smaller root is too far away for our ancestry to fit into an announce
 */
struct fips_tree_decision {
	enum fips_tree_action action;
	u32 todo;
	bool flap_armed;
	bool too_deep;
};

/**
 * struct fips_tree_stats - counters of the family "tree" (05 §14) that begin here
 * @received: TreeAnnounces
 * @verdict: by &enum fips_tree_verdict
 * @loop_detected: loops
 * @ancestry_changed: same parent, another path
 * @parent_switches: switches and falls to root, recoveries apart
 * @parent_losses: parents that went away
 * @flap_dampened: episodes
 */
struct fips_tree_stats {
	u64 received;
	u64 verdict[FIPS_TREE_VERDICTS];
	u64 loop_detected;
	u64 ancestry_changed;
	u64 parent_switches;
	u64 parent_losses;
	u64 flap_dampened;
};

/**
 * fips_tree_new() - a node alone, its own root
 * @out: written; fips_tree_free() it
 * @cfg: configuration, copied
 * @self: own address
 * @sequence: of the first declaration; 1, or higher after a takeover
 * @wall_s: Unix seconds
 *
 * The first declaration has yet to be signed.
 *
 * Return: 0 or -ENOMEM.
 */
int fips_tree_new(struct fips_tree **out, const struct fips_tree_cfg *cfg,
		  const struct fips_node_addr *self, u64 sequence, u64 wall_s);
void fips_tree_free(struct fips_tree *t);
/* Takes effect with the next event. */
void fips_tree_configure(struct fips_tree *t, const struct fips_tree_cfg *cfg);

/* A peer became active. Return: 0, -EEXIST or -ENOMEM. */
int fips_tree_peer_add(struct fips_tree *t, const struct fips_node_addr *addr);

/**
 * fips_tree_peer_del() - a peer is gone
 * @t: tree
 * @addr: which; nothing happens if it is none
 * @now: now
 * @out: decision, always written
 */
void fips_tree_peer_del(struct fips_tree *t, const struct fips_node_addr *addr,
			const struct fips_tree_now *now, struct fips_tree_decision *out);

/* A peer restarted but keeps its link (05 §16, T6): as if it had left and come. */
void fips_tree_peer_reset(struct fips_tree *t, const struct fips_node_addr *addr,
			  const struct fips_tree_now *now, struct fips_tree_decision *out);

/* Cost of the link once it has a round-trip time; nothing is evaluated yet. */
void fips_tree_peer_cost(struct fips_tree *t, const struct fips_node_addr *addr, double cost);

/**
 * fips_tree_receive() - a TreeAnnounce (05 §6, §7)
 * @t: tree
 * @from: authenticated address of the sender
 * @x: its x-only key, from the handshake
 * @pk: the curve
 * @body: message behind the type byte
 * @len: its length
 * @now: now
 * @out: decision, always written
 */
enum fips_tree_verdict fips_tree_receive(struct fips_tree *t, const struct fips_node_addr *from,
					 const u8 *x, const struct fips_pk *pk, const u8 *body,
					 size_t len, const struct fips_tree_now *now,
					 struct fips_tree_decision *out);

/**
 * fips_tree_reevaluate() - look again: first round-trip time, period, end of a veto (05 §7.3)
 * @t: tree
 * @now: now
 * @out: decision, always written
 */
void fips_tree_reevaluate(struct fips_tree *t, const struct fips_tree_now *now,
			  struct fips_tree_decision *out);

/* When a veto on discretionary switches ends; @now_ms if there is none. */
u64 fips_tree_veto_end(const struct fips_tree *t, u64 now_ms);

/* Our declaration as it is to be signed, and the place of its signature. */
const struct fips_tree_decl *fips_tree_decl(const struct fips_tree *t);
void fips_tree_set_sig(struct fips_tree *t, const u8 *sig);

/* Our TreeAnnounce. Return: length, -ENOSPC, or -EAGAIN if it is not signed. */
int fips_tree_build(const struct fips_tree *t, u8 *buf, size_t room);

/* Our coordinates, borrowed until the next event. */
struct fips_coords fips_tree_coords(const struct fips_tree *t);
const struct fips_node_addr *fips_tree_root(const struct fips_tree *t);
bool fips_tree_is_root(const struct fips_tree *t);

/* Coordinates of a peer, count 0 if it declared none; borrowed until the next event. */
struct fips_coords fips_tree_peer_coords(const struct fips_tree *t,
					 const struct fips_node_addr *addr);
/* Is it our parent or our child? (05 §11) */
bool fips_tree_is_tree_peer(const struct fips_tree *t, const struct fips_node_addr *addr);
bool fips_tree_is_parent(const struct fips_tree *t, const struct fips_node_addr *addr);
bool fips_tree_is_child(const struct fips_tree *t, const struct fips_node_addr *addr);

/* Depth plus cost; false if there is none to show (05 §14). */
bool fips_tree_effective_depth(const struct fips_tree *t, const struct fips_node_addr *addr,
			       double *depth);
const struct fips_tree_stats *fips_tree_stats(const struct fips_tree *t);

#endif /* _LIBFIPS_TREE_H */
