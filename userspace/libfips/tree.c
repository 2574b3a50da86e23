// SPDX-License-Identifier: MIT
/*
 * The spanning tree (spec 05): announces in, decisions out.
 *
 * Order inside a change: set the parent, recompute the coordinates (which may
 * make us root after all), then sign, then announce (05 §16, T3).
 */
#include "tree.h"

#include <errno.h>
#include <stdlib.h>

#include "tree_internal.h"

#define MOVED	(FIPS_TREE_DO_SIGN | FIPS_TREE_DO_DROP_VIA_SELF | FIPS_TREE_DO_CLEAR_BACKOFF)

void fips_tree_configure(struct fips_tree *t, const struct fips_tree_cfg *cfg)
{
	t->cfg = *cfg;
	if (!t->cfg.max_entries || t->cfg.max_entries > FIPS_COORDS_DEPTH)
		t->cfg.max_entries = FIPS_COORDS_DEPTH;
	if (!(t->cfg.hysteresis > 0))	/* also NaN */
		t->cfg.hysteresis = 0;
	if (t->cfg.hysteresis > 1)
		t->cfg.hysteresis = 1;
}

/* Coordinates of a root: ourselves, with what the declaration says. */
static void set_root_path(struct fips_tree *t)
{
	t->decl.parent = t->decl.node;
	t->count = 1;
	t->path[0] = t->decl.node;
	t->meta[0] = (struct fips_tree_meta) { t->decl.sequence, t->decl.timestamp };
}

int fips_tree_new(struct fips_tree **out, const struct fips_tree_cfg *cfg,
		  const struct fips_node_addr *self, u64 sequence, u64 wall_s)
{
	struct fips_tree *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	fips_tree_configure(t, cfg);
	t->decl.node = *self;
	t->decl.sequence = sequence;
	t->decl.timestamp = wall_s;
	set_root_path(t);
	*out = t;
	return 0;
}

static void peer_free(struct fips_tree_peer *p)
{
	free(p->path);
	free(p);
}

void fips_tree_free(struct fips_tree *t)
{
	size_t i;

	if (!t)
		return;
	for (i = 0; i < t->peer_count; i++)
		peer_free(t->peers[i]);
	free(t->peers);
	free(t);
}

/* Place of @addr among the sorted peers, or where it belongs. */
static size_t peer_place(const struct fips_tree *t, const struct fips_node_addr *addr)
{
	size_t low = 0, high = t->peer_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (fips_node_addr_cmp(&t->peers[mid]->addr, addr) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct fips_tree_peer *fips_tree_peer_find(const struct fips_tree *t,
					   const struct fips_node_addr *addr)
{
	size_t at = peer_place(t, addr);

	if (at == t->peer_count || !fips_node_addr_eq(&t->peers[at]->addr, addr))
		return NULL;
	return t->peers[at];
}

static int peers_grow(struct fips_tree *t)
{
	size_t room = t->peer_room ? 2 * t->peer_room : 4;
	struct fips_tree_peer **peers;

	if (t->peer_count < t->peer_room)
		return 0;
	peers = realloc(t->peers, room * sizeof(struct fips_tree_peer *));
	if (!peers)
		return -ENOMEM;
	t->peers = peers;
	t->peer_room = room;
	return 0;
}

int fips_tree_peer_add(struct fips_tree *t, const struct fips_node_addr *addr)
{
	size_t at = peer_place(t, addr);
	struct fips_tree_peer *p;

	if (fips_tree_peer_find(t, addr))
		return -EEXIST;
	if (peers_grow(t))
		return -ENOMEM;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->addr = *addr;
	memmove(t->peers + at + 1, t->peers + at,
		(t->peer_count - at) * sizeof(struct fips_tree_peer *));
	t->peers[at] = p;
	t->peer_count++;
	return 0;
}

void fips_tree_peer_cost(struct fips_tree *t, const struct fips_node_addr *addr, double cost)
{
	struct fips_tree_peer *p = fips_tree_peer_find(t, addr);

	if (!p)
		return;
	t->measured += !p->measured;
	p->measured = true;
	p->cost = cost;
}

static void next_declaration(struct fips_tree *t, const struct fips_tree_now *now)
{
	t->decl.sequence++;
	t->decl.timestamp = now->wall_s;
	t->is_signed = false;
}

/* 05 §7.6. The parent is @p; its root may turn out to be larger than ourselves (T4). */
static void recompute(struct fips_tree *t, const struct fips_tree_peer *p)
{
	if (!p->count || p->count >= FIPS_COORDS_DEPTH)
		return;
	if (fips_node_addr_cmp(&t->decl.node, fips_tree_peer_root(p)) <= 0) {
		set_root_path(t);
		return;
	}
	memcpy(t->path + 1, p->path, p->count * sizeof(*p->path));
	memcpy(t->meta + 1, p->meta, p->count * sizeof(*p->meta));
	t->meta[0] = (struct fips_tree_meta) { t->decl.sequence, t->decl.timestamp };
	t->count = (u16)(p->count + 1);
}

static void set_parent(struct fips_tree *t, const struct fips_tree_peer *p,
		       const struct fips_tree_now *now, struct fips_tree_decision *out)
{
	bool flap = fips_tree_is_root(t) || !fips_node_addr_eq(&t->decl.parent, &p->addr);

	next_declaration(t, now);
	t->decl.parent = p->addr;
	out->flap_armed = fips_tree_damp_set(&t->damp, &t->cfg.damp, now->mono_ms, flap);
	t->stats.flap_dampened += out->flap_armed;
	recompute(t, p);
}

static void become_root(struct fips_tree *t, const struct fips_tree_now *now)
{
	next_declaration(t, now);
	set_root_path(t);
}

/* Evaluation with the veto applied: the parent to take, or NULL. */
static const struct fips_tree_peer *better_parent(const struct fips_tree *t, bool veto)
{
	const struct fips_tree_peer *best = NULL;

	switch (fips_tree_evaluate(t, &best)) {
	case FIPS_TREE_MANDATORY:
		return best;
	case FIPS_TREE_DISCRETIONARY:
		return veto ? NULL : best;
	case FIPS_TREE_STAY:
		break;
	}
	return NULL;
}

static bool veto_now(const struct fips_tree *t, const struct fips_tree_now *now)
{
	return fips_tree_damp_veto(&t->damp, &t->cfg.damp, now->mono_ms);
}

/* Rows 1 and 2 of the ladder (05 §7). */
static void step_up(struct fips_tree *t, const struct fips_tree_now *now,
		    struct fips_tree_decision *out)
{
	const struct fips_tree_peer *p = better_parent(t, veto_now(t, now));
	const struct fips_node_addr *root;

	if (p) {
		set_parent(t, p, now, out);
		out->action = FIPS_TREE_SWITCH;
		out->todo |= MOVED | FIPS_TREE_DO_ANNOUNCE | FIPS_TREE_DO_FILTERS;
		t->stats.parent_switches++;
		return;
	}
	root = fips_tree_best_root(t);
	if (fips_tree_is_root(t) || (root && fips_node_addr_cmp(&t->decl.node, root) > 0))
		return;
	become_root(t, now);
	out->action = FIPS_TREE_SELF_ROOT;
	out->todo |= FIPS_TREE_DO_SIGN | FIPS_TREE_DO_DROP_OTHER_ROOTS |
		     FIPS_TREE_DO_CLEAR_BACKOFF | FIPS_TREE_DO_ANNOUNCE | FIPS_TREE_DO_FILTERS;
	t->stats.parent_switches++;
}

/* 05 §7.5 */
static void recover(struct fips_tree *t, const struct fips_tree_now *now,
		    struct fips_tree_decision *out)
{
	const struct fips_tree_peer *p = better_parent(t, veto_now(t, now));

	if (p)
		set_parent(t, p, now, out);
	else
		become_root(t, now);
	out->todo |= MOVED | FIPS_TREE_DO_DROP_OTHER_ROOTS | FIPS_TREE_DO_ANNOUNCE;
	if (!t->cfg.as_reference)
		out->todo |= FIPS_TREE_DO_FILTERS;
}

static bool same_path(const struct fips_tree *t, const struct fips_tree_peer *p)
{
	const struct fips_coords ours = { t->path + 1, (u16)(t->count - 1) };
	const struct fips_coords theirs = fips_tree_peer_path(p);

	return fips_coords_eq(&ours, &theirs);
}

/* Row 4: our parent @p announced again. */
static void update_ancestry(struct fips_tree *t, const struct fips_tree_peer *p,
			    const struct fips_tree_now *now, struct fips_tree_decision *out)
{
	bool same = same_path(t, p);

	if (same && !t->cfg.as_reference) {
		/* Sequences and timestamps of ancestors are passed on, nothing else is new. */
		memcpy(t->meta + 1, p->meta, p->count * sizeof(*p->meta));
		return;
	}
	set_parent(t, p, now, out);
	out->action = FIPS_TREE_ANCESTRY_UPDATE;
	out->todo |= MOVED;
	if (same)
		return;
	out->todo |= FIPS_TREE_DO_ANNOUNCE | FIPS_TREE_DO_CHECK_FILTERS;
	t->stats.ancestry_changed++;
}

/* The whole ladder after an accepted announce of @from (05 §7). */
static void climb(struct fips_tree *t, const struct fips_tree_peer *from,
		  const struct fips_tree_now *now, struct fips_tree_decision *out)
{
	bool looped = fips_tree_is_parent(t, &from->addr) && fips_tree_unusable(t, from);

	if (!looped || t->cfg.as_reference)
		step_up(t, now, out);
	if (out->action != FIPS_TREE_NONE || !fips_tree_is_parent(t, &from->addr))
		return;
	if (!looped) {
		update_ancestry(t, from, now, out);
		return;
	}
	t->stats.loop_detected++;
	recover(t, now, out);
	out->action = FIPS_TREE_LOOP_DROP;
}

static int store(struct fips_tree_peer *p, const struct fips_tree_announce *a)
{
	size_t addr_len = a->count * sizeof(struct fips_node_addr);
	struct fips_node_addr *path;
	u32 i;

	/* Addresses have no alignment and a length of 16, so metadata may follow them. */
	path = malloc(addr_len + a->count * sizeof(struct fips_tree_meta));
	if (!path)
		return -ENOMEM;
	free(p->path);
	p->path = path;
	p->meta = (struct fips_tree_meta *)((u8 *)path + addr_len);
	p->count = a->count;
	p->decl = a->decl;
	for (i = 0; i < a->count; i++) {
		path[i] = *fips_tree_entry_addr(a, i);
		fips_tree_entry_meta(a, i, &p->meta[i]);
	}
	return 0;
}

/* 05 §6, steps 3 to 8; @peer is written as far as it is known. */
static enum fips_tree_verdict examine(const struct fips_tree *t, const struct fips_node_addr *from,
				      const u8 *x, const struct fips_pk *pk,
				      const struct fips_tree_announce *a,
				      struct fips_tree_peer **peer)
{
	bool strict = !t->cfg.as_reference, stale;

	*peer = fips_tree_peer_find(t, from);
	if (!*peer)
		return FIPS_TREE_UNKNOWN_PEER;
	if (!fips_node_addr_eq(&a->decl.node, from))
		return FIPS_TREE_ADDR_MISMATCH;
	stale = (*peer)->count && a->decl.sequence <= (*peer)->decl.sequence;
	if (strict && stale)
		return FIPS_TREE_STALE;
	if (!fips_tree_verify(pk, x, &a->decl, a->sig))
		return FIPS_TREE_SIG_FAILED;
	if (!fips_tree_ancestry_check(a, strict))
		return FIPS_TREE_ANCESTRY_INVALID;
	return stale ? FIPS_TREE_STALE : FIPS_TREE_ACCEPTED;
}

static enum fips_tree_verdict accept(struct fips_tree *t, struct fips_tree_peer *p,
				     const struct fips_tree_announce *a,
				     const struct fips_tree_now *now,
				     struct fips_tree_decision *out)
{
	bool was_child = fips_tree_is_child(t, &p->addr), echo;

	if (store(p, a))
		return FIPS_TREE_NO_MEMORY;
	echo = fips_node_addr_cmp(fips_tree_peer_root(p), fips_tree_root(t)) > 0;
	climb(t, p, now, out);
	/* The reference echoes first, and the change then waits for its limiter (05 §9.3). */
	if (echo && !(out->todo & FIPS_TREE_DO_ANNOUNCE))
		out->todo |= FIPS_TREE_DO_ECHO;
	if (was_child != fips_tree_is_child(t, &p->addr) && !t->cfg.as_reference)
		out->todo |= FIPS_TREE_DO_CHECK_FILTERS;
	out->too_deep = fips_tree_passed_over(t);
	return FIPS_TREE_ACCEPTED;
}

enum fips_tree_verdict fips_tree_receive(struct fips_tree *t, const struct fips_node_addr *from,
					 const u8 *x, const struct fips_pk *pk, const u8 *body,
					 size_t len, const struct fips_tree_now *now,
					 struct fips_tree_decision *out)
{
	enum fips_tree_verdict verdict = FIPS_TREE_DECODE_ERROR;
	struct fips_tree_announce a;
	struct fips_tree_peer *p;

	memset(out, 0, sizeof(*out));
	t->stats.received++;
	if (!fips_tree_announce_parse(body, len, &a))
		verdict = examine(t, from, x, pk, &a, &p);
	if (verdict == FIPS_TREE_ACCEPTED)
		verdict = accept(t, p, &a, now, out);
	t->stats.verdict[verdict]++;
	return verdict;
}

void fips_tree_reevaluate(struct fips_tree *t, const struct fips_tree_now *now,
			  struct fips_tree_decision *out)
{
	memset(out, 0, sizeof(*out));
	step_up(t, now, out);
	out->too_deep = fips_tree_passed_over(t);
}

/* After the declaration of a peer is gone: who was it? */
static void forgotten(struct fips_tree *t, const struct fips_node_addr *addr, bool was_tree_peer,
		      const struct fips_tree_now *now, struct fips_tree_decision *out)
{
	if (!fips_tree_is_root(t) && fips_node_addr_eq(&t->decl.parent, addr)) {
		t->stats.parent_losses++;
		recover(t, now, out);
		out->action = FIPS_TREE_PARENT_LOST;
	}
	/* The reference marks all of them on every removal; T9 asks for it only with the parent. */
	if (was_tree_peer || t->cfg.as_reference)
		out->todo |= FIPS_TREE_DO_CHECK_FILTERS;
}

void fips_tree_peer_del(struct fips_tree *t, const struct fips_node_addr *addr,
			const struct fips_tree_now *now, struct fips_tree_decision *out)
{
	struct fips_tree_peer *p = fips_tree_peer_find(t, addr);
	const struct fips_node_addr gone = *addr;
	bool was_tree_peer;
	size_t at;

	memset(out, 0, sizeof(*out));
	if (!p)
		return;
	was_tree_peer = fips_tree_is_tree_peer(t, &gone);
	at = peer_place(t, &gone);
	t->measured -= p->measured;
	t->peer_count--;
	memmove(t->peers + at, t->peers + at + 1,
		(t->peer_count - at) * sizeof(struct fips_tree_peer *));
	peer_free(p);
	forgotten(t, &gone, was_tree_peer, now, out);
}

void fips_tree_peer_reset(struct fips_tree *t, const struct fips_node_addr *addr,
			  const struct fips_tree_now *now, struct fips_tree_decision *out)
{
	struct fips_tree_peer *p = fips_tree_peer_find(t, addr);
	bool was_tree_peer;

	memset(out, 0, sizeof(*out));
	if (!p)
		return;
	was_tree_peer = fips_tree_is_tree_peer(t, addr);
	free(p->path);
	p->path = NULL;
	p->meta = NULL;
	p->count = 0;
	forgotten(t, &p->addr, was_tree_peer, now, out);
}

u64 fips_tree_veto_end(const struct fips_tree *t, u64 now_ms)
{
	return fips_tree_damp_end(&t->damp, &t->cfg.damp, now_ms);
}

const struct fips_tree_decl *fips_tree_decl(const struct fips_tree *t)
{
	return &t->decl;
}

void fips_tree_set_sig(struct fips_tree *t, const u8 *sig)
{
	memcpy(t->signature, sig, FIPS_SIG_LEN);
	t->is_signed = true;
}

int fips_tree_build(const struct fips_tree *t, u8 *buf, size_t room)
{
	if (!t->is_signed)
		return -EAGAIN;
	return fips_tree_announce_build(buf, room, &t->decl, t->path, t->meta, t->count,
					t->signature);
}
