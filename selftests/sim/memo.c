// SPDX-License-Identifier: MIT
/*
 * Memoised public-key table; see memo.h. Two generations of a hash table: when
 * the young one is full the old one is forgotten, so memory is bounded and what
 * is in use stays. Forgetting costs time, never changes a result.
 */
#include "memo.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <uthash.h>

#include "queue.h"

#define MEMO_MAX	200000	/* entries of a generation */
#define MEMO_OUT	64

enum memo_kind {
	MEMO_PUBKEY,
	MEMO_POINT,
	MEMO_ECDH,
	MEMO_SIGN,
	MEMO_VERIFY,
};

/* Hash of kind and inputs, so that no secret is kept in the clear. */
struct memo_key {
	u8 b[16];
};

struct memo_entry {
	struct memo_key key;
	int ret;
	u8 out[MEMO_OUT];
	UT_hash_handle hh;
};

struct sim_memo {
	const struct fips_pk *real;
	struct memo_entry *young;
	struct memo_entry *old;
	u8 secret[16];
	u64 calls;
	u64 computed;
};

static void memo_clear(struct memo_entry **table)
{
	struct memo_entry *e, *tmp;

	HASH_ITER(hh, *table, e, tmp) {
		HASH_DEL(*table, e);
		free(e);
	}
}

static struct memo_key memo_key(const struct sim_memo *m, enum memo_kind kind, const u8 *a,
				size_t a_len, const u8 *b, size_t b_len, const u8 *c, size_t c_len)
{
	u8 buf[1 + 32 + 32 + 64];
	struct memo_key key;
	u8 *p = buf;

	*p++ = (u8)kind;
	memcpy(p, a, a_len);
	p += a_len;
	if (b_len)
		memcpy(p, b, b_len);
	p += b_len;
	if (c_len)
		memcpy(p, c, c_len);
	p += c_len;
	crypto_generichash(key.b, sizeof(key.b), buf, (size_t)(p - buf), m->secret,
			   sizeof(m->secret));
	return key;
}

static struct memo_entry *memo_find(struct sim_memo *m, const struct memo_key *key)
{
	struct memo_entry *e;

	m->calls++;
	HASH_FIND(hh, m->young, key, sizeof(*key), e);
	if (e)
		return e;
	HASH_FIND(hh, m->old, key, sizeof(*key), e);
	if (e) {
		HASH_DEL(m->old, e);
		HASH_ADD(hh, m->young, key, sizeof(e->key), e);
	}
	return e;
}

static void memo_put(struct sim_memo *m, const struct memo_key *key, int ret, const u8 *out,
		     size_t len)
{
	struct memo_entry *e;

	if (HASH_COUNT(m->young) >= MEMO_MAX) {
		memo_clear(&m->old);
		m->old = m->young;
		m->young = NULL;
	}
	e = sim_zalloc(1, sizeof(*e));
	e->key = *key;
	e->ret = ret;
	if (len)
		memcpy(e->out, out, len);
	HASH_ADD(hh, m->young, key, sizeof(e->key), e);
}

/* ---- the table ---- */

static bool memo_scalar_valid(void *ctx, const u8 *sec)
{
	struct sim_memo *m = ctx;

	return fips_pk_scalar_valid(m->real, sec);
}

static int memo_pubkey(void *ctx, const u8 *sec, u8 *pub33)
{
	struct sim_memo *m = ctx;
	struct memo_key key = memo_key(m, MEMO_PUBKEY, sec, 32, NULL, 0, NULL, 0);
	struct memo_entry *e = memo_find(m, &key);
	int ret;

	if (e) {
		if (!e->ret)
			memcpy(pub33, e->out, FIPS_PUB33_LEN);
		return e->ret;
	}
	m->computed++;
	ret = fips_pk_pubkey(m->real, sec, pub33);
	memo_put(m, &key, ret, pub33, ret ? 0 : FIPS_PUB33_LEN);
	return ret;
}

static int memo_lift_x(void *ctx, const u8 *x, u8 *pub33)
{
	struct sim_memo *m = ctx;

	return fips_pk_lift_x(m->real, x, pub33);
}

static bool memo_point_valid(void *ctx, const u8 *pub33)
{
	struct sim_memo *m = ctx;
	struct memo_key key = memo_key(m, MEMO_POINT, pub33, FIPS_PUB33_LEN, NULL, 0, NULL, 0);
	struct memo_entry *e = memo_find(m, &key);
	bool ok;

	if (e)
		return e->ret;
	m->computed++;
	ok = fips_pk_point_valid(m->real, pub33);
	memo_put(m, &key, ok, NULL, 0);
	return ok;
}

/* Parity does not matter, and neither does who computes it. */
static int memo_ecdh(void *ctx, const u8 *sec, const u8 *pub33, u8 *out)
{
	struct sim_memo *m = ctx;
	struct memo_entry *e;
	struct memo_key key;
	u8 own[FIPS_PUB33_LEN];
	bool first;
	int ret;

	if (pub33[0] != 0x02 && pub33[0] != 0x03)
		return fips_pk_ecdh(m->real, sec, pub33, out);
	if (memo_pubkey(ctx, sec, own))
		return -EINVAL;
	first = memcmp(own + 1, pub33 + 1, 32) < 0;
	key = memo_key(m, MEMO_ECDH, first ? own + 1 : pub33 + 1, 32,
		       first ? pub33 + 1 : own + 1, 32, NULL, 0);
	e = memo_find(m, &key);
	if (e) {
		if (!e->ret)
			memcpy(out, e->out, FIPS_KEY_LEN);
		return e->ret;
	}
	m->computed++;
	ret = fips_pk_ecdh(m->real, sec, pub33, out);
	memo_put(m, &key, ret, out, ret ? 0 : FIPS_KEY_LEN);
	return ret;
}

static void memo_signed(struct sim_memo *m, const u8 *x, const u8 *digest, const u8 *sig, bool ok)
{
	struct memo_key key = memo_key(m, MEMO_VERIFY, x, 32, digest, 32, sig, FIPS_SIG_LEN);

	memo_put(m, &key, ok, NULL, 0);
}

static int memo_sign(void *ctx, const u8 *sec, const u8 *digest, const u8 *aux, u8 *sig)
{
	struct sim_memo *m = ctx;
	struct memo_key key = memo_key(m, MEMO_SIGN, sec, 32, digest, 32, aux, 32);
	struct memo_entry *e = memo_find(m, &key);
	u8 own[FIPS_PUB33_LEN];
	int ret;

	if (e) {
		if (!e->ret)
			memcpy(sig, e->out, FIPS_SIG_LEN);
		return e->ret;
	}
	m->computed++;
	ret = m->real->ops->sign(m->real->ctx, sec, digest, aux, sig);
	memo_put(m, &key, ret, sig, ret ? 0 : FIPS_SIG_LEN);
	if (!ret && !memo_pubkey(ctx, sec, own))
		memo_signed(m, own + 1, digest, sig, true);
	return ret;
}

static bool memo_verify(void *ctx, const u8 *x, const u8 *digest, const u8 *sig)
{
	struct sim_memo *m = ctx;
	struct memo_key key = memo_key(m, MEMO_VERIFY, x, 32, digest, 32, sig, FIPS_SIG_LEN);
	struct memo_entry *e = memo_find(m, &key);
	bool ok;

	if (e)
		return e->ret;
	m->computed++;
	ok = m->real->ops->verify(m->real->ctx, x, digest, sig);
	memo_put(m, &key, ok, NULL, 0);
	return ok;
}

static const struct fips_pk_ops memo_ops = {
	.scalar_valid = memo_scalar_valid,
	.pubkey = memo_pubkey,
	.lift_x = memo_lift_x,
	.point_valid = memo_point_valid,
	.ecdh = memo_ecdh,
	.sign = memo_sign,
	.verify = memo_verify,
};

struct sim_memo *sim_memo_new(const struct fips_pk *real, struct fips_pk *memo)
{
	struct sim_memo *m = sim_zalloc(1, sizeof(*m));

	m->real = real;
	memcpy(m->secret, "fipssim memo key", sizeof(m->secret));
	*memo = (struct fips_pk) { .ops = &memo_ops, .ctx = m };
	return m;
}

void sim_memo_free(struct sim_memo *m)
{
	if (!m)
		return;
	memo_clear(&m->young);
	memo_clear(&m->old);
	free(m);
}

void sim_memo_stats(const struct sim_memo *m, u64 *calls, u64 *computed)
{
	*calls = m->calls;
	*computed = m->computed;
}
