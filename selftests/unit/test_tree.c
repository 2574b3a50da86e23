// SPDX-License-Identifier: MIT
/*
 * The spanning tree of one node: codec, signature, evaluation and damping
 * against tree.json; the ladder step by step; a naive twin of the evaluation.
 */
#include "tree.h"

#include <math.h>
#include <sodium.h>

#include "tree_internal.h"
#include "vectors_mesh.h"
#include "vectors_pk.h"

static const struct fips_tree_cfg defaults = {
	.hysteresis = 0.2,
	.damp = {
		.hold_down_ms = 30000,
		.flap_threshold = 4,
		.flap_window_ms = 60000,
		.dampening_ms = 120000,
	},
};

static const struct fips_tree_now start = { 1000, 1700000000 };

/* A curve on which a signature is valid if its first byte is 1. */
static bool lazy_verify(void *ctx, const u8 *x, const u8 *digest, const u8 *sig)
{
	(void)ctx;
	(void)x;
	(void)digest;
	return sig[0] == 1;
}

static const struct fips_pk_ops lazy_ops = { .verify = lazy_verify };
static const struct fips_pk lazy = { &lazy_ops, NULL };
static const u8 lazy_sig[FIPS_SIG_LEN] = { 1 };

/* ---------------------------------------------------- codec and signature */

static void key_secret(u64 key, u8 sec[32])
{
	memset(sec, 0, 32);
	sec[31] = (u8)key;
}

static struct fips_identity key_identity(const struct vec_crypto *c, u64 key)
{
	struct fips_identity id;
	u8 sec[32], pub33[33];

	key_secret(key, sec);
	assert_int_equal(fips_pk_pubkey(&c->pk, sec, pub33), 0);
	assert_int_equal(fips_identity_from_pub33(&c->pk, pub33, &id), 0);
	return id;
}

/* Sign what a tree declares; with auxiliary randomness of 32 zero bytes. */
static void sign_decl(struct vec_crypto *c, u64 key, struct fips_tree *t)
{
	static const u8 zeros[32];
	u8 sec[32], sig[FIPS_SIG_LEN];

	key_secret(key, sec);
	c->random.fixed = zeros;
	c->random.left = sizeof(zeros);
	assert_int_equal(fips_tree_sign(&c->pk, &c->rng, sec, fips_tree_decl(t), sig), 0);
	fips_tree_set_sig(t, sig);
}

static void check_signature(const struct vec_crypto *c, const json_t *kase,
			    const struct fips_tree *t)
{
	struct fips_identity id = key_identity(c, vec_int(kase, "sender_key"));
	u8 preimage[FIPS_TREE_PREIMAGE_LEN], digest[32];

	fips_tree_preimage(preimage, fips_tree_decl(t));
	vec_expect(kase, "preimage_48", preimage, sizeof(preimage));
	crypto_hash_sha256(digest, preimage, sizeof(preimage));
	vec_expect(kase, "digest", digest, sizeof(digest));
	vec_expect(kase, "signature_aux_zero", t->signature, FIPS_SIG_LEN);
	assert_true(fips_tree_verify(&c->pk, id.x, fips_tree_decl(t), t->signature));
}

static void check_fields(const json_t *kase, const u8 *msg, size_t len)
{
	struct fips_tree_announce a;

	vec_expect(kase, "message_hex", msg, len);
	vec_expect_int(kase, "length", len);
	assert_int_equal(fips_tree_announce_parse(msg + 1, len - 1, &a), 0);
	vec_expect(kase, "sender", a.decl.node.b, 16);
	vec_expect(kase, "parent", a.decl.parent.b, 16);
	vec_expect_int(kase, "sequence", a.decl.sequence);
	vec_expect_int(kase, "timestamp", a.decl.timestamp);
	vec_expect(kase, "signature_aux_zero", a.sig, FIPS_SIG_LEN);
	assert_int_equal(len, fips_tree_announce_len(a.count));
	assert_true(fips_tree_ancestry_check(&a, true));
}

/* Root, child and grandchild are made by three trees that hear each other. */
static void test_valid_announces(void **state)
{
	struct vec_crypto *c = *state;
	json_t *root = vec_load("tree"), *kase;
	json_t *valid = vec_array(vec_get(root, "tree_announce"), "valid");
	struct fips_tree_decision d;
	struct fips_identity above;
	u8 msg[200];
	size_t i;
	int len = 0;

	assert_int_equal(json_array_size(valid), 3);
	json_array_foreach(valid, i, kase) {
		u64 key = vec_int(kase, "sender_key");
		struct fips_identity id = key_identity(c, key);
		const struct fips_tree_now now = { 0, vec_int(kase, "timestamp") };
		struct fips_tree *t;

		assert_int_equal(fips_tree_new(&t, &defaults, &id.addr,
					       vec_int(kase, "sequence") - (i > 0), now.wall_s), 0);
		assert_int_equal(fips_tree_build(t, msg, sizeof(msg)), -EAGAIN);
		if (i) {
			assert_int_equal(fips_tree_peer_add(t, &above.addr), 0);
			assert_int_equal(fips_tree_receive(t, &above.addr, above.x, &c->pk, msg + 1,
							   (size_t)len - 1, &now, &d),
					 FIPS_TREE_ACCEPTED);
			assert_int_equal(d.action, FIPS_TREE_SWITCH);
		}
		sign_decl(c, key, t);
		check_signature(c, kase, t);
		len = fips_tree_build(t, msg, sizeof(msg));
		check_fields(kase, msg, (size_t)len);
		assert_int_equal(fips_tree_build(t, msg, (size_t)len - 1), -ENOSPC);
		fips_tree_free(t);
		above = id;
	}
	json_decref(root);
}

static void expect_verdict(const json_t *kase, enum fips_tree_verdict verdict)
{
	static const char *const words[] = {
		[FIPS_TREE_ACCEPTED] = "accepted",
		[FIPS_TREE_DECODE_ERROR] = "decode_error",
		[FIPS_TREE_UNKNOWN_PEER] = "unknown_peer",
		[FIPS_TREE_ADDR_MISMATCH] = "addr_mismatch",
		[FIPS_TREE_SIG_FAILED] = "sig_failed",
		[FIPS_TREE_ANCESTRY_INVALID] = "ancestry_invalid",
		[FIPS_TREE_STALE] = "stale",
	};
	const char *is = words[verdict], *want = vec_str(kase, "expect");

	if (strncmp(is, want, strlen(is)) || !strchr(" ", want[strlen(is)]))
		fail_msg("%s: %s, not %s", vec_str(kase, "case"), is, want);
}

static void check_negative(const struct vec_crypto *c, const json_t *kase, bool as_reference)
{
	struct fips_identity self = key_identity(c, 5);
	struct fips_identity id = key_identity(c, vec_int(kase, "sender_key"));
	struct vec_bytes msg = vec_hex(kase, "message_hex");
	struct fips_tree_cfg cfg = defaults;
	struct fips_tree_decision d;
	enum fips_tree_verdict verdict;
	struct fips_tree *t;
	bool malformed;

	cfg.as_reference = as_reference;
	assert_int_equal(fips_tree_new(&t, &cfg, &self.addr, 1, 0), 0);
	verdict = fips_tree_receive(t, &id.addr, id.x, &c->pk, msg.p + 1, msg.len - 1, &start, &d);
	malformed = verdict == FIPS_TREE_DECODE_ERROR;
	assert_true(malformed || verdict == FIPS_TREE_UNKNOWN_PEER);
	assert_int_equal(malformed, !strcmp(vec_str(kase, "expect"), "decode_error"));
	assert_int_equal(fips_tree_peer_add(t, &id.addr), 0);
	verdict = fips_tree_receive(t, &id.addr, id.x, &c->pk, msg.p + 1, msg.len - 1, &start, &d);
	expect_verdict(kase, verdict);
	assert_int_equal(fips_tree_stats(t)->received, 2);
	assert_int_equal(fips_tree_stats(t)->verdict[verdict], malformed ? 2 : 1);
	if (verdict != FIPS_TREE_ACCEPTED) {
		assert_int_equal(d.action, FIPS_TREE_NONE);
		assert_int_equal(d.todo, 0);
		assert_int_equal(fips_tree_peer_coords(t, &id.addr).count, 0);
	}
	fips_tree_free(t);
	free(msg.p);
}

/* How a broken message is made: signed declarations, and what was done to them afterwards. */
struct recipe {
	const char *name;
	u64 sender;
	u64 parent;		/* 0: the address of all zeros */
	u64 timestamp;
	u16 count;
	u64 key[3];		/* of the entries; sequences are 2, but 1 for key 2 and for zeros */
	size_t at;		/* a byte to change … */
	u8 to;			/* … into this */
	int longer;		/* by so many bytes */
};

#define TS	1700000000

static const struct recipe recipes[] = {
	{ "version byte 2", 1, 2, TS, 2, { 1, 2 }, 1, 2, 0 },
	{ "ancestry_count 0", 1, 2, TS, 0, { 0 }, 0, 0x10, 0 },
	{ "ancestry_count larger than data", 1, 2, TS, 2, { 1, 2 }, 34, 5, 0 },
	{ "truncated by one byte", 1, 2, TS + 5, 2, { 1, 2 }, 0, 0x10, -1 },
	{ "one trailing byte", 1, 2, TS + 5, 2, { 1, 2 }, 0, 0x10, 1 },
	{ "signature bit flipped", 1, 2, TS + 5, 2, { 1, 2 }, 163, 0, 0 },
	{ "sequence altered after signing", 1, 2, TS + 5, 2, { 1, 2 }, 2, 3, 0 },
	{ "first entry is another node (sent by child)", 1, 2, TS, 2, { 6, 2 }, 0, 0x10, 0 },
	{ "root declaration with two entries", 1, 1, TS, 2, { 1, 2 }, 0, 0x10, 0 },
	{ "non-root declaration with one entry", 1, 2, TS, 1, { 1 }, 0, 0x10, 0 },
	{ "second entry is not the signed parent", 6, 1, TS, 3, { 6, 4, 2 }, 0, 0x10, 0 },
	{ "last entry is not the minimum", 1, 6, TS, 2, { 1, 6 }, 0, 0x10, 0 },
	{ "forged root of all zeros, parent signed as that root", 1, 0, TS, 2, { 1, 0 }, 0, 0x10,
	  0 },
	{ "altered ancestry metadata, same addresses", 1, 2, TS + 5, 2, { 1, 2 }, 0, 0x10, 0 },
};

static struct fips_node_addr addr_of_key(const struct vec_crypto *c, u64 key)
{
	struct fips_identity id;

	if (!key)
		return short_addr(0);
	id = key_identity(c, key);
	return id.addr;
}

/* Unchanged but for what the recipe says; returns the length. */
static size_t cook(struct vec_crypto *c, const struct recipe *r, u8 *buf, size_t room)
{
	static const u8 zeros[32];
	struct fips_tree_decl decl = {
		.node = addr_of_key(c, r->sender), .parent = addr_of_key(c, r->parent),
		.sequence = 2, .timestamp = r->timestamp };
	struct fips_node_addr addr[3];
	struct fips_tree_meta meta[3];
	u8 sec[32], sig[FIPS_SIG_LEN];
	int len;
	u16 i;

	for (i = 0; i < r->count; i++) {
		addr[i] = addr_of_key(c, r->key[i]);
		meta[i].sequence = r->key[i] == 2 || !r->key[i] ? 1 : 2;
		meta[i].timestamp = i ? TS : r->timestamp;
	}
	if (strstr(r->name, "metadata"))
		meta[1] = (struct fips_tree_meta) { 77, 88 };
	key_secret(r->sender, sec);
	c->random.fixed = zeros;
	c->random.left = sizeof(zeros);
	assert_int_equal(fips_tree_sign(&c->pk, &c->rng, sec, &decl, sig), 0);
	len = fips_tree_announce_build(buf, room, &decl, addr, meta, r->count, sig);
	assert_true(len > 0);
	return (size_t)(len + r->longer);
}

static void check_recipe(struct vec_crypto *c, const json_t *kase, const struct recipe *r)
{
	struct vec_bytes msg = vec_hex(kase, "message_hex");
	u8 buf[300] = { 0 }, flip;
	size_t len = cook(c, r, buf, sizeof(buf));

	vec_expect_str(kase, "case", r->name);
	vec_expect_int(kase, "sender_key", r->sender);
	assert_int_equal(msg.len, len);
	flip = msg.p[r->at] ^ buf[r->at];
	buf[r->at] = r->to;
	/* One bit of the signature, and a byte behind it, may be any. */
	if (r->at == 163) {
		assert_true(flip && !(flip & (flip - 1)));
		buf[r->at] = msg.p[r->at];
	}
	if (r->longer > 0)
		buf[len - 1] = msg.p[len - 1];
	assert_memory_equal(msg.p, buf, len);
	free(msg.p);
}

static void test_negative_announces(void **state)
{
	struct vec_crypto *c = *state;
	json_t *root = vec_load("tree"), *kase;
	json_t *negative = vec_array(vec_get(root, "tree_announce"), "negative");
	size_t i;

	assert_int_equal(json_array_size(negative), sizeof(recipes) / sizeof(recipes[0]));
	json_array_foreach(negative, i, kase) {
		check_recipe(c, kase, &recipes[i]);
		check_negative(c, kase, false);
		check_negative(c, kase, true);
	}
	json_decref(root);
}

static struct vec_bytes grandchild(void)
{
	json_t *root = vec_load("tree");
	struct vec_bytes msg = vec_hex(json_array_get(vec_array(vec_get(root, "tree_announce"),
								"valid"), 2), "message_hex");

	json_decref(root);
	return msg;
}

static void test_lengths(void **state)
{
	struct vec_bytes msg = grandchild();
	struct fips_tree_announce a;
	size_t len;

	(void)state;
	for (len = 1; len <= msg.len; len++) {
		u8 *exact = vec_exact(msg.p + 1, len - 1);

		assert_int_equal(fips_tree_announce_parse(exact, len - 1, &a),
				 len == msg.len ? 0 : -EPROTO);
		free(exact);
	}
	for (len = 0; len < msg.len; len++) {
		const struct fips_tree_decl decl = { 0 };
		const struct fips_node_addr addr[3] = { 0 };
		const struct fips_tree_meta meta[3] = { 0 };
		u8 *exact = malloc(len);

		assert_int_equal(fips_tree_announce_build(exact, len, &decl, addr, meta, 3,
							  lazy_sig), -ENOSPC);
		free(exact);
	}
	free(msg.p);
}

/* What a flip of each bit does, with the real curve. */
static enum fips_tree_verdict flip_verdict(size_t at)
{
	if (at == 1 || at == 34 || at == 35)
		return FIPS_TREE_DECODE_ERROR;	/* version, count */
	if (at >= 36 && at < 52)
		return FIPS_TREE_ADDR_MISMATCH;
	if (at < 34 || at >= 132)
		return FIPS_TREE_SIG_FAILED;
	if (at >= 68 && at < 84)
		return FIPS_TREE_ANCESTRY_INVALID;	/* the parent's entry */
	return FIPS_TREE_ACCEPTED;	/* metadata, and the root's address: see below */
}

static void test_flips(void **state)
{
	struct vec_crypto *c = *state;
	struct fips_identity self = key_identity(c, 5), id = key_identity(c, 6);
	struct vec_bytes msg = grandchild();
	struct fips_tree_decision d;
	struct fips_tree *t;
	size_t bit;

	for (bit = 8; bit < msg.len * 8; bit++) {
		size_t at = bit / 8;
		enum fips_tree_verdict verdict;

		assert_int_equal(fips_tree_new(&t, &defaults, &self.addr, 1, 0), 0);
		assert_int_equal(fips_tree_peer_add(t, &id.addr), 0);
		msg.p[at] ^= (u8)(1 << bit % 8);
		verdict = fips_tree_receive(t, &id.addr, id.x, &c->pk, msg.p + 1, msg.len - 1,
					    &start, &d);
		/* Nobody signs the root's address; it must stay the smallest. */
		if (at == 100 && verdict == FIPS_TREE_ANCESTRY_INVALID)
			assert_true(msg.p[at] >= 0x13);
		/* Fewer entries may still be a message, with the signature elsewhere. */
		else if (at == 34 && verdict == FIPS_TREE_SIG_FAILED)
			assert_true(msg.p[at] < 3);
		else if (verdict != flip_verdict(at))
			fail_msg("byte %zu bit %zu: verdict %d", at, bit % 8, verdict);
		msg.p[at] ^= (u8)(1 << bit % 8);
		fips_tree_free(t);
	}
	free(msg.p);
}

/* ------------------------------------------------------------ evaluation */

/* What peer @addr announced, stored without any message. */
static void plant(struct fips_tree *t, const struct fips_node_addr *addr,
		  const struct fips_coords *path)
{
	struct fips_tree_peer *p;

	assert_int_equal(fips_tree_peer_add(t, addr), 0);
	p = fips_tree_peer_find(t, addr);
	p->count = path->count;
	p->path = calloc(path->count, sizeof(*p->path) + sizeof(*p->meta));
	assert_non_null(p->path);
	memcpy(p->path, path->addr, path->count * sizeof(*path->addr));
	p->meta = (struct fips_tree_meta *)(p->path + path->count);
	p->decl = (struct fips_tree_decl) {
		.node = *addr, .parent = path->addr[path->count > 1], .sequence = 1 };
}

/* The state a case of the vectors describes, whether it can come about or not. */
static struct fips_tree *planted(const json_t *kase, bool as_reference)
{
	struct fips_node_addr self = vec_addr(kase, "self"), root = vec_addr(kase, "current_root");
	struct fips_tree_cfg cfg = defaults;
	struct fips_tree *t;
	const char *key;
	json_t *val;

	cfg.hysteresis = vec_real(kase, "hysteresis");
	cfg.as_reference = as_reference;
	assert_int_equal(fips_tree_new(&t, &cfg, &self, 1, 0), 0);
	t->decl.parent = vec_addr(kase, "current_parent");
	if (!fips_node_addr_eq(&root, &self)) {
		t->path[t->count++] = t->decl.parent;
		if (!fips_node_addr_eq(&root, &t->decl.parent))
			t->path[t->count++] = root;
	}
	json_object_foreach(vec_get(kase, "peers"), key, val) {
		struct fips_node_addr store[FIPS_COORDS_DEPTH], addr = { { 0 } };
		struct fips_coords path = vec_coords_of(val, store);

		addr.b[0] = (u8)strtoul(key, NULL, 16);
		plant(t, &addr, &path);
	}
	json_object_foreach(vec_get(kase, "costs"), key, val) {
		struct fips_node_addr addr = { { (u8)strtoul(key, NULL, 16) } };

		fips_tree_peer_cost(t, &addr, json_number_value(val));
	}
	if (vec_bool(kase, "veto_active")) {
		t->damp.has_set = true;
		t->damp.last_set = start.mono_ms;
	}
	return t;
}

/* Cases in which we decide differently, on purpose. */
static bool is_deviation(const char *name)
{
	/* Not measured is better than another root (issue 4 §4). */
	return strstr(name, "only peer on the best root is unmeasured") ||
	       /* No parent and nothing but a loop: a state that recovery never leaves behind. */
	       strstr(name, "loop candidate rejected");
}

static const char *reason(const struct fips_tree *t)
{
	const struct fips_tree_peer *best = NULL;

	switch (fips_tree_evaluate(t, &best)) {
	case FIPS_TREE_MANDATORY:
		if (!fips_tree_is_root(t) && !fips_tree_peer_find(t, &t->decl.parent))
			return "mandatory: parent gone";
		return "mandatory: better root";
	case FIPS_TREE_DISCRETIONARY:
		return fips_tree_damp_veto(&t->damp, &t->cfg.damp, start.mono_ms) ?
			       "discretionary candidate suppressed by veto" : "discretionary";
	case FIPS_TREE_STAY:
		break;
	}
	return fips_tree_best_root(t) && !fips_tree_is_root(t) &&
	       fips_node_addr_cmp(&t->decl.node, fips_tree_best_root(t)) <= 0 ?
		       "self is smallest visible" : "";
}

static void check_evaluation(const json_t *kase, bool as_reference)
{
	struct fips_tree *t = planted(kase, as_reference);
	const char *name = vec_str(kase, "name"), *want = vec_str(kase, "action"), *is = "none";
	struct fips_tree_decision d;

	if (as_reference)
		vec_expect_str(kase, "why", reason(t));
	fips_tree_reevaluate(t, &start, &d);
	if (d.action == FIPS_TREE_SWITCH)
		is = "switch";
	else if (d.action == FIPS_TREE_SELF_ROOT)
		is = "self_root";
	else
		assert_int_equal(d.action, FIPS_TREE_NONE);
	if (!as_reference && is_deviation(name)) {
		assert_string_not_equal(is, want);
		fips_tree_free(t);
		return;
	}
	if (strcmp(is, want))
		fail_msg("%s: %s, not %s", name, is, want);
	assert_int_equal(vec_is_null(kase, "target"), d.action != FIPS_TREE_SWITCH);
	if (d.action == FIPS_TREE_SWITCH) {
		struct fips_node_addr target = vec_addr(kase, "target");

		assert_addr_equal(&t->decl.parent, &target);
		assert_addr_equal(&t->path[1], &target);
	}
	fips_tree_free(t);
}

static void test_evaluation_vectors(void **state)
{
	json_t *root = vec_load("tree"), *kase;
	int deviations = 0;
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(vec_array(root, "parent_evaluation")), 18);
	json_array_foreach(vec_array(root, "parent_evaluation"), i, kase) {
		check_evaluation(kase, true);
		check_evaluation(kase, false);
		deviations += is_deviation(vec_str(kase, "name"));
	}
	assert_int_equal(deviations, 2);
	json_decref(root);
}

/* 05 §7.1 word for word, for the reference's rules. */
static enum fips_tree_kind naive_evaluate(const struct fips_tree *t,
					  const struct fips_tree_peer **best)
{
	const struct fips_node_addr *root = NULL, *mine = &t->path[t->count - 1];
	const struct fips_tree_peer *p, *parent = NULL;
	bool is_root = !memcmp(mine, &t->decl.node, 16), any_cost = false;
	double cur;
	size_t i;
	u32 j;

	for (i = 0; i < t->peer_count; i++) {
		p = t->peers[i];
		any_cost |= p->measured;
		if (p->count && !memcmp(&p->addr, &t->decl.parent, 16))
			parent = p;
		if (p->count && (!root || memcmp(&p->path[p->count - 1], root, 16) < 0))
			root = &p->path[p->count - 1];
	}
	*best = NULL;
	if (!root || memcmp(&t->decl.node, root, 16) <= 0)
		return FIPS_TREE_STAY;
	for (i = 0; i < t->peer_count; i++) {
		double eff, eff_best;

		p = t->peers[i];
		if (!p->count || memcmp(&p->path[p->count - 1], root, 16))
			continue;
		for (j = 0; j < p->count && memcmp(&p->path[j], &t->decl.node, 16); j++)
			;
		if (j < p->count || (any_cost && !p->measured))
			continue;
		eff = p->count - 1 + (any_cost ? p->cost : 1.0);
		eff_best = *best ? (*best)->count - 1 + (any_cost ? (*best)->cost : 1.0) : 0;
		if (!*best || eff < eff_best ||
		    (eff == eff_best && memcmp(&p->addr, &(*best)->addr, 16) < 0))
			*best = p;
	}
	if (!*best || (!is_root && *best == parent))
		return FIPS_TREE_STAY;
	if (is_root || !parent || memcmp(root, mine, 16) < 0)
		return FIPS_TREE_MANDATORY;
	cur = any_cost ? (double)INFINITY : 1.0;
	cur = parent->count - 1 + (parent->measured ? parent->cost : cur);
	p = *best;
	return p->count - 1 + (any_cost ? p->cost : 1.0) < cur * (1 - t->cfg.hysteresis) ?
		       FIPS_TREE_DISCRETIONARY : FIPS_TREE_STAY;
}

static struct fips_tree *random_tree(u64 *rng)
{
	struct fips_tree_cfg cfg = defaults;
	struct fips_node_addr self = short_addr((u8)(vec_rand(rng) % 12));
	u64 n = vec_rand(rng) % 7, i, j;
	struct fips_tree *t;

	cfg.as_reference = true;
	cfg.hysteresis = (double)(vec_rand(rng) % 6) / 5;
	assert_int_equal(fips_tree_new(&t, &cfg, &self, 1, 0), 0);
	for (i = 0; i < n; i++) {
		struct fips_node_addr addr = short_addr((u8)(20 + vec_rand(rng) % 10)), path[5];
		struct fips_coords c = { path, (u16)(1 + vec_rand(rng) % 5) };

		if (fips_tree_peer_find(t, &addr))
			continue;
		path[0] = addr;
		for (j = 1; j < c.count; j++)
			path[j] = short_addr((u8)(vec_rand(rng) % 16));
		path[c.count - 1] = short_addr((u8)(vec_rand(rng) % 3));
		plant(t, &addr, &c);
		if (vec_rand(rng) % 3)
			fips_tree_peer_cost(t, &addr, 1.0 + (double)(vec_rand(rng) % 8) / 4);
	}
	if (vec_rand(rng) % 3 && t->peer_count) {
		struct fips_tree_peer *p = t->peers[vec_rand(rng) % t->peer_count];

		t->decl.parent = vec_rand(rng) % 5 ? p->addr : short_addr(99);
		t->path[1] = t->decl.parent;
		t->path[2] = short_addr((u8)(vec_rand(rng) % 4));
		t->count = 3;
	}
	return t;
}

static void test_evaluation_twin(void **state)
{
	u64 rng = vec_seed(__func__);
	int kinds[3] = { 0 }, i;

	(void)state;
	for (i = 0; i < 20000; i++) {
		const struct fips_tree_peer *best = NULL, *want_best;
		struct fips_tree *t = random_tree(&rng);
		enum fips_tree_kind want = naive_evaluate(t, &want_best);
		enum fips_tree_kind kind = fips_tree_evaluate(t, &best);

		assert_int_equal(kind, want);
		if (kind != FIPS_TREE_STAY)
			assert_ptr_equal(best, want_best);
		kinds[kind]++;
		fips_tree_free(t);
	}
	assert_true(kinds[0] > 1000 && kinds[1] > 200 && kinds[2] > 1000);
}

/* --------------------------------------------------------------- damping */

static void run_flap(const json_t *kase)
{
	struct fips_tree_damp_cfg cfg = {
		.hold_down_ms = vec_int(kase, "hold_down_ms"),
		.flap_threshold = (u32)vec_int(kase, "threshold"),
		.flap_window_ms = vec_int(kase, "window_ms"),
		.dampening_ms = vec_int(kase, "dampening_ms"),
	};
	struct fips_tree_damp d = { 0 };
	json_t *step;
	size_t i;

	json_array_foreach(vec_array(kase, "trace"), i, step) {
		u64 now = vec_int(step, "t_ms");
		const char *event = vec_str(step, "event");

		if (!strcmp(event, "query")) {
			vec_expect_bool(step, "hold_down", fips_tree_damp_held(&d, &cfg, now));
			vec_expect_bool(step, "dampened", fips_tree_damp_dampened(&d, now));
			vec_expect_bool(step, "veto", fips_tree_damp_veto(&d, &cfg, now));
			vec_expect_bool(step, "veto", fips_tree_damp_end(&d, &cfg, now) > now);
			now = fips_tree_damp_end(&d, &cfg, now);
			assert_false(fips_tree_damp_veto(&d, &cfg, now));
			continue;
		}
		assert_true(!strcmp(event, "switch") || !strcmp(event, "refresh"));
		vec_expect_bool(step, "armed",
				fips_tree_damp_set(&d, &cfg, now, !strcmp(event, "switch")));
		vec_expect_int(step, "count", d.count);
	}
}

static void test_flap_vectors(void **state)
{
	json_t *root = vec_load("tree"), *kase;
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(vec_array(root, "flap")), 3);
	json_array_foreach(vec_array(root, "flap"), i, kase)
		run_flap(kase);
	json_decref(root);
}

static void test_damp_bounds(void **state)
{
	struct fips_tree_damp_cfg cfg = { .flap_threshold = 1, .dampening_ms = ~0ull };
	struct fips_tree_damp d = { 0 };
	const u64 year = 365ull * 24 * 3600 * 1000;

	(void)state;
	assert_true(fips_tree_damp_set(&d, &cfg, 5, true));
	assert_false(fips_tree_damp_held(&d, &cfg, 5));
	assert_true(fips_tree_damp_dampened(&d, 5 + year - 1));
	assert_false(fips_tree_damp_dampened(&d, 5 + year));
	d = (struct fips_tree_damp) { 0 };
	assert_true(fips_tree_damp_set(&d, &cfg, ~0ull - 1, true));
	assert_int_equal(d.until, ~0ull);
	cfg.hold_down_ms = ~0ull;
	assert_true(fips_tree_damp_held(&d, &cfg, ~0ull));
	assert_int_equal(fips_tree_damp_end(&d, &cfg, ~0ull - 1), ~0ull);
}

/* -------------------------------------------------------------- the ladder */

struct rig {
	struct fips_tree *t;
	struct fips_tree_now now;
	struct fips_tree_decision d;
};

static void rig_new(struct rig *r, u8 self, bool as_reference)
{
	struct fips_node_addr addr = short_addr(self);
	struct fips_tree_cfg cfg = defaults;

	memset(r, 0, sizeof(*r));
	cfg.as_reference = as_reference;
	r->now = start;
	assert_int_equal(fips_tree_new(&r->t, &cfg, &addr, 1, start.wall_s), 0);
}

static void add_peer(struct rig *r, u8 peer)
{
	struct fips_node_addr addr = short_addr(peer);

	assert_int_equal(fips_tree_peer_add(r->t, &addr), 0);
	assert_int_equal(fips_tree_peer_add(r->t, &addr), -EEXIST);
}

static enum fips_tree_verdict receive(struct rig *r, u64 sequence, const u8 *path, u16 count,
				      u8 sig)
{
	struct fips_node_addr addr[200];
	struct fips_tree_meta meta[200];
	struct fips_tree_decl decl = { .sequence = sequence, .timestamp = 7 };
	u8 buf[8192], sigs[FIPS_SIG_LEN] = { sig };
	u16 i;
	int len;

	for (i = 0; i < count; i++) {
		addr[i] = short_addr(path[i]);
		meta[i] = (struct fips_tree_meta) { sequence + i, 1000u * i };
	}
	decl.node = addr[0];
	decl.parent = addr[count > 1];
	len = fips_tree_announce_build(buf, sizeof(buf), &decl, addr, meta, count, sigs);
	assert_true(len > 0);
	return fips_tree_receive(r->t, &addr[0], NULL, &lazy, buf + 1, (size_t)len - 1, &r->now,
				 &r->d);
}

#define HEAR(r, sequence, ...) receive(r, sequence, (const u8[]){ __VA_ARGS__ }, \
				       sizeof((const u8[]){ __VA_ARGS__ }), 1)

/* Coordinates, declaration and what an announce would say belong together. */
static void expect_path(const struct rig *r, const u8 *path, u16 count)
{
	struct fips_coords c = fips_tree_coords(r->t);
	struct fips_node_addr addr;
	u16 i;

	assert_int_equal(c.count, count);
	for (i = 0; i < count; i++) {
		addr = short_addr(path[i]);
		assert_addr_equal(&c.addr[i], &addr);
	}
	assert_addr_equal(fips_tree_root(r->t), &c.addr[count - 1]);
	assert_addr_equal(&fips_tree_decl(r->t)->parent, &c.addr[count > 1]);
	assert_int_equal(fips_tree_is_root(r->t), count == 1);
	assert_int_equal(r->t->meta[0].sequence, fips_tree_decl(r->t)->sequence);
	assert_int_equal(r->t->meta[0].timestamp, fips_tree_decl(r->t)->timestamp);
}

#define EXPECT_PATH(r, ...) expect_path(r, (const u8[]){ __VA_ARGS__ }, \
					sizeof((const u8[]){ __VA_ARGS__ }))

#define MOVED (FIPS_TREE_DO_SIGN | FIPS_TREE_DO_DROP_VIA_SELF | FIPS_TREE_DO_CLEAR_BACKOFF)

static void test_switch_and_root(void **state)
{
	struct rig r;

	(void)state;
	rig_new(&r, 5, false);
	add_peer(&r, 3);
	add_peer(&r, 7);
	EXPECT_PATH(&r, 5);
	fips_tree_set_sig(r.t, lazy_sig);
	r.now.wall_s = 1800000000;
	assert_int_equal(HEAR(&r, 1, 3), FIPS_TREE_ACCEPTED);
	assert_int_equal(r.d.action, FIPS_TREE_SWITCH);
	assert_int_equal(r.d.todo, MOVED | FIPS_TREE_DO_ANNOUNCE | FIPS_TREE_DO_FILTERS);
	EXPECT_PATH(&r, 5, 3);
	assert_int_equal(fips_tree_decl(r.t)->sequence, 2);
	assert_int_equal(fips_tree_decl(r.t)->timestamp, 1800000000);
	assert_int_equal(r.t->meta[1].sequence, 1);
	/* The old signature is of the old declaration. */
	assert_false(r.t->is_signed);
	/* A larger root is told who is smaller. */
	assert_int_equal(HEAR(&r, 1, 7), FIPS_TREE_ACCEPTED);
	assert_int_equal(r.d.action, FIPS_TREE_NONE);
	assert_int_equal(r.d.todo, FIPS_TREE_DO_ECHO);
	/* The root above went away: the parent says it is under a larger one than we are. */
	assert_int_equal(HEAR(&r, 2, 3, 1), FIPS_TREE_ACCEPTED);
	EXPECT_PATH(&r, 5, 3, 1);
	assert_int_equal(fips_tree_stats(r.t)->parent_switches, 1);
	fips_tree_free(r.t);

	rig_new(&r, 2, false);
	add_peer(&r, 3);
	assert_int_equal(HEAR(&r, 1, 3, 0), FIPS_TREE_ACCEPTED);
	EXPECT_PATH(&r, 2, 3, 0);
	assert_int_equal(HEAR(&r, 2, 3), FIPS_TREE_ACCEPTED);
	assert_int_equal(r.d.action, FIPS_TREE_SELF_ROOT);
	assert_int_equal(r.d.todo, FIPS_TREE_DO_SIGN |
			 FIPS_TREE_DO_DROP_OTHER_ROOTS | FIPS_TREE_DO_CLEAR_BACKOFF |
			 FIPS_TREE_DO_ANNOUNCE | FIPS_TREE_DO_FILTERS);
	EXPECT_PATH(&r, 2);
	assert_int_equal(fips_tree_stats(r.t)->parent_switches, 2);
	fips_tree_free(r.t);
}

static void test_ancestry_update(void **state)
{
	struct rig r, ref;
	u64 end;

	(void)state;
	rig_new(&r, 5, false);
	rig_new(&ref, 5, true);
	add_peer(&r, 3);
	add_peer(&ref, 3);
	HEAR(&r, 1, 3, 1);
	HEAR(&ref, 1, 3, 1);
	end = fips_tree_veto_end(r.t, r.now.mono_ms);
	assert_int_equal(end, 31000);
	r.now.mono_ms = 20000;
	ref.now.mono_ms = 20000;
	/* The same path with other numbers: nothing for us, a new sequence for the reference. */
	assert_int_equal(HEAR(&r, 9, 3, 1), FIPS_TREE_ACCEPTED);
	assert_int_equal(r.d.action, FIPS_TREE_NONE);
	assert_int_equal(r.d.todo, 0);
	assert_int_equal(fips_tree_decl(r.t)->sequence, 2);
	assert_int_equal(r.t->meta[2].sequence, 10);
	assert_int_equal(fips_tree_veto_end(r.t, r.now.mono_ms), end);
	assert_int_equal(HEAR(&ref, 9, 3, 1), FIPS_TREE_ACCEPTED);
	assert_int_equal(ref.d.action, FIPS_TREE_ANCESTRY_UPDATE);
	assert_int_equal(ref.d.todo, MOVED);
	assert_int_equal(fips_tree_decl(ref.t)->sequence, 3);
	assert_int_equal(fips_tree_veto_end(ref.t, ref.now.mono_ms), 50000);
	/* A swap in the middle must be passed on. */
	assert_int_equal(HEAR(&r, 10, 3, 8, 1), FIPS_TREE_ACCEPTED);
	assert_int_equal(r.d.action, FIPS_TREE_ANCESTRY_UPDATE);
	assert_int_equal(r.d.todo, MOVED | FIPS_TREE_DO_ANNOUNCE | FIPS_TREE_DO_CHECK_FILTERS);
	EXPECT_PATH(&r, 5, 3, 8, 1);
	HEAR(&r, 11, 3, 9, 1);
	EXPECT_PATH(&r, 5, 3, 9, 1);
	assert_int_equal(fips_tree_stats(r.t)->ancestry_changed, 2);
	assert_int_equal(r.t->damp.count, 1);
	fips_tree_free(r.t);
	fips_tree_free(ref.t);
}

/* A parent whose path leads through us. */
static void test_loop(void **state)
{
	struct rig r;
	int ref;

	(void)state;
	for (ref = 0; ref < 2; ref++) {
		rig_new(&r, 5, ref);
		add_peer(&r, 3);
		add_peer(&r, 4);
		HEAR(&r, 1, 3, 1, 0);
		HEAR(&r, 1, 4, 2, 1, 0);
		EXPECT_PATH(&r, 5, 3, 1, 0);
		assert_int_equal(HEAR(&r, 2, 3, 7, 5, 1, 0), FIPS_TREE_ACCEPTED);
		assert_int_equal(r.d.action, FIPS_TREE_LOOP_DROP);
		assert_int_equal(r.d.todo, MOVED | FIPS_TREE_DO_DROP_OTHER_ROOTS |
				 FIPS_TREE_DO_ANNOUNCE | (ref ? 0 : FIPS_TREE_DO_FILTERS));
		assert_int_equal(fips_tree_stats(r.t)->loop_detected, 1);
		assert_int_equal(fips_tree_stats(r.t)->parent_switches, 1);
		/* The reference is held down, and root for a round; we move on at once. */
		if (ref)
			EXPECT_PATH(&r, 5);
		else
			EXPECT_PATH(&r, 5, 4, 2, 1, 0);
		assert_int_equal(HEAR(&r, 2, 4, 2, 1, 0), FIPS_TREE_ACCEPTED);
		EXPECT_PATH(&r, 5, 4, 2, 1, 0);
		fips_tree_free(r.t);
	}
}

/* Only a loop leads to the smallest root: it must not keep us from the next one. */
static void test_loopy_root(void **state)
{
	struct rig r;

	(void)state;
	rig_new(&r, 9, false);
	add_peer(&r, 3);
	add_peer(&r, 4);
	HEAR(&r, 1, 3, 9, 0);
	assert_int_equal(r.d.action, FIPS_TREE_NONE);
	assert_int_equal(r.d.todo, FIPS_TREE_DO_CHECK_FILTERS);
	HEAR(&r, 1, 4, 1);
	assert_int_equal(r.d.action, FIPS_TREE_SWITCH);
	EXPECT_PATH(&r, 9, 4, 1);
	fips_tree_free(r.t);
}

static void del_peer(struct rig *r, u8 peer)
{
	struct fips_node_addr addr = short_addr(peer);

	fips_tree_peer_del(r->t, &addr, &r->now, &r->d);
}

static void test_parent_lost(void **state)
{
	struct rig r;

	(void)state;
	rig_new(&r, 5, false);
	add_peer(&r, 3);
	add_peer(&r, 4);
	add_peer(&r, 6);
	HEAR(&r, 1, 3, 0);
	HEAR(&r, 1, 4, 8, 0);
	HEAR(&r, 1, 6, 5, 3, 0);
	assert_int_equal(r.d.todo, FIPS_TREE_DO_CHECK_FILTERS);
	/* Held down, but a lost parent is mandatory. */
	del_peer(&r, 3);
	assert_int_equal(r.d.action, FIPS_TREE_PARENT_LOST);
	assert_int_equal(r.d.todo, MOVED | FIPS_TREE_DO_DROP_OTHER_ROOTS | FIPS_TREE_DO_ANNOUNCE |
			 FIPS_TREE_DO_FILTERS | FIPS_TREE_DO_CHECK_FILTERS);
	EXPECT_PATH(&r, 5, 4, 8, 0);
	assert_int_equal(r.t->damp.count, 2);
	/* The child alone is left, and its path is our own: root (T5). */
	del_peer(&r, 4);
	assert_int_equal(r.d.action, FIPS_TREE_PARENT_LOST);
	EXPECT_PATH(&r, 5);
	assert_int_equal(fips_tree_stats(r.t)->parent_losses, 2);
	/* Somebody else's end moves nothing; a child's changes the filters. */
	del_peer(&r, 6);
	assert_int_equal(r.d.action, FIPS_TREE_NONE);
	assert_int_equal(r.d.todo, FIPS_TREE_DO_CHECK_FILTERS);
	del_peer(&r, 6);
	assert_int_equal(r.d.todo, 0);
	fips_tree_free(r.t);
}

static void test_stale_and_restart(void **state)
{
	struct fips_node_addr three = short_addr(3);
	struct rig r;

	(void)state;
	rig_new(&r, 5, false);
	add_peer(&r, 3);
	assert_int_equal(HEAR(&r, 7, 3, 0), FIPS_TREE_ACCEPTED);
	assert_int_equal(HEAR(&r, 7, 3, 1), FIPS_TREE_STALE);
	assert_int_equal(HEAR(&r, 6, 3, 1), FIPS_TREE_STALE);
	/* Before the signature is looked at. */
	assert_int_equal(receive(&r, 7, (const u8[]){ 3, 1 }, 2, 0), FIPS_TREE_STALE);
	assert_int_equal(receive(&r, 8, (const u8[]){ 3, 1 }, 2, 0), FIPS_TREE_SIG_FAILED);
	EXPECT_PATH(&r, 5, 3, 0);
	assert_int_equal(HEAR(&r, ~0ull, 3, 0), FIPS_TREE_ACCEPTED);
	assert_int_equal(HEAR(&r, 0, 3, 0), FIPS_TREE_STALE);
	/* A restart is noticed on a link that stays (T6). */
	fips_tree_peer_reset(r.t, &three, &r.now, &r.d);
	assert_int_equal(r.d.action, FIPS_TREE_PARENT_LOST);
	EXPECT_PATH(&r, 5);
	assert_int_equal(fips_tree_peer_coords(r.t, &three).count, 0);
	assert_int_equal(HEAR(&r, 1, 3, 0), FIPS_TREE_ACCEPTED);
	EXPECT_PATH(&r, 5, 3, 0);
	assert_int_equal(fips_tree_stats(r.t)->verdict[FIPS_TREE_STALE], 4);
	three = short_addr(77);
	fips_tree_peer_reset(r.t, &three, &r.now, &r.d);
	assert_int_equal(r.d.todo, 0);
	fips_tree_free(r.t);
}

/* Hold-down and damping stop discretionary switches only, and end by themselves. */
static void test_veto(void **state)
{
	struct fips_node_addr three = short_addr(3), four = short_addr(4);
	struct rig r;

	(void)state;
	rig_new(&r, 5, false);
	add_peer(&r, 3);
	add_peer(&r, 4);
	fips_tree_peer_cost(r.t, &three, 6.0);
	fips_tree_peer_cost(r.t, &four, 1.0);
	HEAR(&r, 1, 3, 0);
	HEAR(&r, 1, 4, 0);
	assert_int_equal(r.d.action, FIPS_TREE_NONE);
	r.now.mono_ms = fips_tree_veto_end(r.t, r.now.mono_ms) - 1;
	fips_tree_reevaluate(r.t, &r.now, &r.d);
	assert_int_equal(r.d.action, FIPS_TREE_NONE);
	r.now.mono_ms++;
	fips_tree_reevaluate(r.t, &r.now, &r.d);
	assert_int_equal(r.d.action, FIPS_TREE_SWITCH);
	assert_false(r.d.flap_armed);
	EXPECT_PATH(&r, 5, 4, 0);
	/* Mandatory ones go on: the third and the fourth arm the episode. */
	HEAR(&r, 2, 4);
	EXPECT_PATH(&r, 5, 3, 0);
	assert_false(r.d.flap_armed);
	HEAR(&r, 2, 3);
	EXPECT_PATH(&r, 5, 3);
	HEAR(&r, 3, 4, 0);
	EXPECT_PATH(&r, 5, 4, 0);
	assert_true(r.d.flap_armed);
	assert_int_equal(fips_tree_stats(r.t)->flap_dampened, 1);
	assert_int_equal(fips_tree_veto_end(r.t, r.now.mono_ms), r.now.mono_ms + 120000);
	fips_tree_free(r.t);
}

static void test_unmeasured(void **state)
{
	struct fips_node_addr three = short_addr(3), four = short_addr(4);
	double depth;
	struct rig r;

	(void)state;
	rig_new(&r, 5, false);
	add_peer(&r, 3);
	add_peer(&r, 4);
	assert_false(fips_tree_effective_depth(r.t, &three, &depth));
	fips_tree_peer_cost(r.t, &three, 2.0);
	/* Somebody is measured, but the only way to a smaller root is not: go. */
	HEAR(&r, 1, 4, 0);
	EXPECT_PATH(&r, 5, 4, 0);
	assert_false(fips_tree_effective_depth(r.t, &four, &depth));
	/* The same root from a measured peer: once the hold-down is over. */
	HEAR(&r, 1, 3, 0);
	EXPECT_PATH(&r, 5, 4, 0);
	assert_true(fips_tree_effective_depth(r.t, &three, &depth) && depth == 3.0);
	fips_tree_peer_cost(r.t, &four, 2.5);
	r.now.mono_ms += 30000;
	fips_tree_reevaluate(r.t, &r.now, &r.d);
	EXPECT_PATH(&r, 5, 4, 0);
	fips_tree_peer_cost(r.t, &four, 2.8);
	fips_tree_reevaluate(r.t, &r.now, &r.d);
	EXPECT_PATH(&r, 5, 3, 0);
	/* No way out: the parent goes, the other link was never measured. */
	fips_tree_free(r.t);
	rig_new(&r, 5, false);
	add_peer(&r, 3);
	add_peer(&r, 4);
	HEAR(&r, 1, 3, 0);
	HEAR(&r, 1, 4, 0);
	fips_tree_peer_cost(r.t, &three, 2.0);
	del_peer(&r, 3);
	EXPECT_PATH(&r, 5, 4, 0);
	assert_int_equal(r.t->measured, 0);
	fips_tree_free(r.t);
}

/* An ancestry that would not fit into our announce. */
static void test_too_deep(void **state)
{
	u8 path[66];
	struct rig r;
	u16 i;

	(void)state;
	rig_new(&r, 200, false);
	add_peer(&r, 100);
	add_peer(&r, 7);
	for (i = 0; i < 66; i++)
		path[i] = (u8)(100 - i);
	/* 64 entries are taken from others, 63 are what we can add to. */
	assert_int_equal(receive(&r, 1, path, 66, 1), FIPS_TREE_ANCESTRY_INVALID);
	assert_int_equal(receive(&r, 1, path, 65, 1), FIPS_TREE_ANCESTRY_INVALID);
	assert_int_equal(receive(&r, 1, path, 64, 1), FIPS_TREE_ACCEPTED);
	assert_int_equal(r.d.action, FIPS_TREE_NONE);
	assert_true(r.d.too_deep);
	EXPECT_PATH(&r, 200);
	/* Another root that is near is better than none. */
	HEAR(&r, 1, 7, 6, 5);
	assert_int_equal(r.d.action, FIPS_TREE_SWITCH);
	EXPECT_PATH(&r, 200, 7, 6, 5);
	fips_tree_free(r.t);

	rig_new(&r, 200, false);
	add_peer(&r, 100);
	assert_int_equal(receive(&r, 1, path, 63, 1), FIPS_TREE_ACCEPTED);
	assert_false(r.d.too_deep);
	assert_int_equal(fips_tree_coords(r.t).count, 64);
	/* It grows under us. */
	assert_int_equal(receive(&r, 2, path, 64, 1), FIPS_TREE_ACCEPTED);
	assert_int_equal(r.d.action, FIPS_TREE_LOOP_DROP);
	assert_true(r.d.too_deep);
	EXPECT_PATH(&r, 200);
	fips_tree_free(r.t);
}

/* A smaller link: fewer entries; addresses twice are refused. */
static void test_strictness(void **state)
{
	struct fips_tree_cfg cfg = defaults;
	struct rig r;

	(void)state;
	rig_new(&r, 9, false);
	cfg.max_entries = 3;
	fips_tree_configure(r.t, &cfg);
	add_peer(&r, 3);
	HEAR(&r, 1, 3, 2, 1);
	assert_true(r.d.too_deep);
	EXPECT_PATH(&r, 9);
	HEAR(&r, 2, 3, 2);
	EXPECT_PATH(&r, 9, 3, 2);
	assert_int_equal(HEAR(&r, 3, 3, 4, 4, 2), FIPS_TREE_ANCESTRY_INVALID);
	assert_int_equal(HEAR(&r, 3, 3, 4, 3, 2), FIPS_TREE_ANCESTRY_INVALID);
	assert_int_equal(HEAR(&r, 3, 3, 2, 4, 2), FIPS_TREE_ANCESTRY_INVALID);
	assert_int_equal(HEAR(&r, 3, 3, 3), FIPS_TREE_ANCESTRY_INVALID);
	assert_int_equal(HEAR(&r, 3, 4, 2), FIPS_TREE_UNKNOWN_PEER);
	fips_tree_free(r.t);
	rig_new(&r, 9, true);
	add_peer(&r, 3);
	assert_int_equal(HEAR(&r, 3, 3, 4, 4, 2), FIPS_TREE_ACCEPTED);
	fips_tree_free(r.t);
}

/* Children come and go: the filters hear of it (06 §15). */
static void test_children(void **state)
{
	struct fips_node_addr eight = short_addr(8), three = short_addr(3);
	struct rig r;

	(void)state;
	rig_new(&r, 5, false);
	add_peer(&r, 3);
	add_peer(&r, 8);
	HEAR(&r, 1, 3);
	assert_int_equal(HEAR(&r, 1, 8, 5, 3), FIPS_TREE_ACCEPTED);
	assert_int_equal(r.d.todo, FIPS_TREE_DO_CHECK_FILTERS);
	assert_true(fips_tree_is_child(r.t, &eight) && !fips_tree_is_child(r.t, &three));
	assert_true(fips_tree_is_parent(r.t, &three) && !fips_tree_is_parent(r.t, &eight));
	assert_true(fips_tree_is_tree_peer(r.t, &three) && fips_tree_is_tree_peer(r.t, &eight));
	HEAR(&r, 2, 8, 5, 3);
	assert_int_equal(r.d.todo, 0);
	HEAR(&r, 3, 8, 3);
	assert_int_equal(r.d.todo, FIPS_TREE_DO_CHECK_FILTERS);
	assert_false(fips_tree_is_tree_peer(r.t, &eight));
	fips_tree_free(r.t);
}

/* The parent's root became larger than we are: no path that doesn't end in its minimum (T4). */
static void test_demotion(void **state)
{
	struct rig r;

	(void)state;
	rig_new(&r, 5, true);
	add_peer(&r, 7);
	HEAR(&r, 1, 7, 1);
	EXPECT_PATH(&r, 5, 7, 1);
	HEAR(&r, 2, 7, 6);
	EXPECT_PATH(&r, 5);
	assert_int_equal(r.d.action, FIPS_TREE_SELF_ROOT);
	fips_tree_free(r.t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		vec_crypto_test(test_valid_announces),
		vec_crypto_test(test_negative_announces),
		cmocka_unit_test(test_lengths),
		vec_crypto_test(test_flips),
		cmocka_unit_test(test_evaluation_vectors),
		cmocka_unit_test(test_evaluation_twin),
		cmocka_unit_test(test_flap_vectors),
		cmocka_unit_test(test_damp_bounds),
		cmocka_unit_test(test_switch_and_root),
		cmocka_unit_test(test_ancestry_update),
		cmocka_unit_test(test_loop),
		cmocka_unit_test(test_loopy_root),
		cmocka_unit_test(test_parent_lost),
		cmocka_unit_test(test_stale_and_restart),
		cmocka_unit_test(test_veto),
		cmocka_unit_test(test_unmeasured),
		cmocka_unit_test(test_too_deep),
		cmocka_unit_test(test_strictness),
		cmocka_unit_test(test_children),
		cmocka_unit_test(test_demotion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
