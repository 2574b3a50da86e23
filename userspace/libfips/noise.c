// SPDX-License-Identifier: MIT
/*
 * Noise IK and XK as FIPS runs them (spec 02).
 *
 * Each message is a list of tokens, the same list for the writer and the
 * reader. What a token mixes in is computed on a working copy that replaces
 * the state when the last token has passed.
 */
#include "noise.h"
#include "noise_trace.h"

#include <errno.h>
#include <sodium.h>

#define HASH_LEN	32
#define MSG_MAX		3	/* messages in the longest pattern */

/*
 * Deviation 2 (02 §3.1): in IK's msg2 the DH that upstream calls se is computed
 * from the same two keys as es. Set to false for the textbook, should the other
 * implementations ever turn to it.
 */
static const bool ik_msg2_repeats_es = true;

enum token {
	TOKEN_END,
	TOKEN_E,
	TOKEN_S,
	TOKEN_ES,
	TOKEN_EE,
	TOKEN_SS,
	TOKEN_SE,
	TOKEN_SE_IK,	/* see ik_msg2_repeats_es */
	TOKEN_EPOCH,
	TOKEN_CHECK,	/* reader: ask the caller about the static key */
};

struct message {
	size_t len;
	enum token tokens[7];
};

struct pattern {
	const char *name;
	unsigned int n_messages;
	struct message messages[MSG_MAX];
};

/* 02 §4, §5 */
static const struct pattern patterns[] = {
	[FIPS_NOISE_IK] = {
		.name = "Noise_IK_secp256k1_ChaChaPoly_SHA256",
		.n_messages = 2,
		.messages = {
			{ FIPS_NOISE_IK1_LEN, { TOKEN_E, TOKEN_ES, TOKEN_S, TOKEN_CHECK, TOKEN_SS,
						TOKEN_EPOCH } },
			{ FIPS_NOISE_IK2_LEN, { TOKEN_E, TOKEN_EE, TOKEN_SE_IK, TOKEN_EPOCH } },
		},
	},
	[FIPS_NOISE_XK] = {
		.name = "Noise_XK_secp256k1_ChaChaPoly_SHA256",
		.n_messages = 3,
		.messages = {
			{ FIPS_NOISE_XK1_LEN, { TOKEN_E, TOKEN_ES } },
			{ FIPS_NOISE_XK2_LEN, { TOKEN_E, TOKEN_EE, TOKEN_EPOCH } },
			{ FIPS_NOISE_XK3_LEN, { TOKEN_S, TOKEN_CHECK, TOKEN_SE, TOKEN_EPOCH } },
		},
	},
};

enum known {
	KNOWN_RE	= 1,
	KNOWN_RS	= 2,
	KNOWN_EPOCH	= 4,
};

/**
 * struct noise_state - what a message may change
 * @ck: chaining key
 * @h: transcript hash; never reaches a key or the wire (02 §3), kept for the vectors
 * @k: AEAD key
 * @n: its nonce
 * @e: own ephemeral secret
 * @es: the es output; IK needs it twice and it costs a multiplication
 * @re: remote ephemeral
 * @rs: remote static
 * @epoch: remote startup epoch
 * @known: which of the last three are valid
 * @turn: messages done
 */
struct noise_state {
	u8 ck[HASH_LEN];
	u8 h[HASH_LEN];
	u8 k[FIPS_KEY_LEN];
	u64 n;
	u8 e[FIPS_KEY_LEN];
	u8 es[HASH_LEN];
	u8 re[FIPS_PUB33_LEN];
	u8 rs[FIPS_PUB33_LEN];
	u8 epoch[FIPS_EPOCH_LEN];
	u8 known;
	u8 turn;
};

/**
 * struct fips_noise - one handshake; a cell of the locked slabs
 * @env: borrowed
 * @pattern: which
 * @initiator: our role
 * @now: state between messages
 * @next: working copy; zero outside of a call
 * @dh: DH output on its way into the chaining key
 * @prk: HKDF's intermediate values
 * @trace: tests only, see noise_trace.h
 * @trace_ctx: passed back
 */
struct fips_noise {
	const struct fips_noise_env *env;
	const struct pattern *pattern;
	bool initiator;
	struct noise_state now;
	struct noise_state next;
	u8 dh[HASH_LEN];
	u8 prk[HASH_LEN];
	fips_noise_trace_fn trace;
	void *trace_ctx;
};

_Static_assert(sizeof(struct fips_noise) <= FIPS_SECRET_MAX, "a handshake fits a cell");

/* A message being written (out set) or read (in set). */
struct cursor {
	const u8 *in;
	u8 *out;
	const struct fips_noise_check *check;
};

static void noise_trace(struct fips_noise *hs, enum fips_noise_op op, const u8 *in, size_t in_len,
			const u8 *out, size_t out_len)
{
	struct fips_noise_step step;

	if (!hs->trace)
		return;
	step = (struct fips_noise_step) {
		.op = op,
		.in = in,
		.in_len = in_len,
		.out = out,
		.out_len = out_len,
		.ck = hs->next.ck,
		.h = hs->next.h,
		.k = hs->next.k,
		.n = hs->next.n,
	};
	hs->trace(hs->trace_ctx, &step);
}

static void hmac(const u8 *key, const u8 *data, size_t len, u8 tail, u8 *out)
{
	crypto_auth_hmacsha256_state st;

	crypto_auth_hmacsha256_init(&st, key, HASH_LEN);
	crypto_auth_hmacsha256_update(&st, data, len);
	if (tail)
		crypto_auth_hmacsha256_update(&st, &tail, 1);
	crypto_auth_hmacsha256_final(&st, out);
	sodium_memzero(&st, sizeof(st));
}

/* HKDF2 of 02 §2. @out1 may be @ck. @prk is scratch in locked memory and comes back wiped. */
static void hkdf2(const u8 *ck, const u8 *ikm, size_t len, u8 *prk, u8 *out1, u8 *out2)
{
	hmac(ck, ikm, len, 0, prk);
	hmac(prk, NULL, 0, 1, out1);
	hmac(prk, out1, HASH_LEN, 2, out2);
	sodium_memzero(prk, HASH_LEN);
}

static void mix_hash(struct fips_noise *hs, const u8 *data, size_t len)
{
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, hs->next.h, HASH_LEN);
	crypto_hash_sha256_update(&st, data, len);
	crypto_hash_sha256_final(&st, hs->next.h);
	noise_trace(hs, FIPS_NOISE_OP_MIX_HASH, data, len, hs->next.h, HASH_LEN);
}

static void mix_key(struct fips_noise *hs, const u8 *ikm)
{
	struct noise_state *st = &hs->next;

	hkdf2(st->ck, ikm, HASH_LEN, hs->prk, st->ck, st->k);
	st->n = 0;
	noise_trace(hs, FIPS_NOISE_OP_MIX_KEY, ikm, HASH_LEN, st->ck, HASH_LEN);
}

/* EncryptAndHash; the AAD is empty (02 §3.1 deviation 1). */
static void seal_and_hash(struct fips_noise *hs, const u8 *plain, size_t len, u8 *out)
{
	struct noise_state *st = &hs->next;
	u8 nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

	fips_put_nonce(nonce, st->n);
	crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain, len, NULL, 0, NULL, nonce,
						  st->k);
	noise_trace(hs, FIPS_NOISE_OP_SEAL, plain, len, out, len + FIPS_TAG_LEN);
	st->n++;
	mix_hash(hs, out, len + FIPS_TAG_LEN);
}

/* DecryptAndHash; @len is the plaintext's. */
static int open_and_hash(struct fips_noise *hs, const u8 *sealed, size_t len, u8 *out)
{
	struct noise_state *st = &hs->next;
	u8 nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

	fips_put_nonce(nonce, st->n);
	if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed, len + FIPS_TAG_LEN,
						      NULL, 0, nonce, st->k))
		return -EBADMSG;
	noise_trace(hs, FIPS_NOISE_OP_SEAL, out, len, sealed, len + FIPS_TAG_LEN);
	st->n++;
	mix_hash(hs, sealed, len + FIPS_TAG_LEN);
	return 0;
}

static int dh_and_mix(struct fips_noise *hs, const u8 *sec, const u8 *pub33)
{
	if (fips_pk_ecdh(hs->env->pk, sec, pub33, hs->dh))
		return -EIO;
	mix_key(hs, hs->dh);
	return 0;
}

static int token_e(struct fips_noise *hs, struct cursor *cur)
{
	struct noise_state *st = &hs->next;
	const struct fips_pk *pk = hs->env->pk;
	int err;

	if (cur->out) {
		err = fips_pk_new_secret(pk, &hs->env->rng, st->e, cur->out);
		if (err)
			return err;
		mix_hash(hs, cur->out, FIPS_PUB33_LEN);
		cur->out += FIPS_PUB33_LEN;
		return 0;
	}
	if (!fips_pk_point_valid(pk, cur->in))
		return -EPROTO;
	memcpy(st->re, cur->in, FIPS_PUB33_LEN);
	st->known |= KNOWN_RE;
	mix_hash(hs, cur->in, FIPS_PUB33_LEN);
	cur->in += FIPS_PUB33_LEN;
	return 0;
}

static int token_s(struct fips_noise *hs, struct cursor *cur)
{
	struct noise_state *st = &hs->next;
	int err;

	if (cur->out) {
		seal_and_hash(hs, hs->env->self->id.pub33, FIPS_PUB33_LEN, cur->out);
		cur->out += FIPS_PUB33_LEN + FIPS_TAG_LEN;
		return 0;
	}
	err = open_and_hash(hs, cur->in, FIPS_PUB33_LEN, st->rs);
	if (err)
		return err;
	if (!fips_pk_point_valid(hs->env->pk, st->rs))
		return -EPROTO;
	st->known |= KNOWN_RS;
	cur->in += FIPS_PUB33_LEN + FIPS_TAG_LEN;
	return 0;
}

static int token_epoch(struct fips_noise *hs, struct cursor *cur)
{
	struct noise_state *st = &hs->next;
	int err;

	if (cur->out) {
		seal_and_hash(hs, hs->env->epoch, FIPS_EPOCH_LEN, cur->out);
		cur->out += FIPS_EPOCH_LEN + FIPS_TAG_LEN;
		return 0;
	}
	err = open_and_hash(hs, cur->in, FIPS_EPOCH_LEN, st->epoch);
	if (err)
		return err;
	st->known |= KNOWN_EPOCH;
	cur->in += FIPS_EPOCH_LEN + FIPS_TAG_LEN;
	return 0;
}

static int token_es(struct fips_noise *hs)
{
	struct noise_state *st = &hs->next;
	const u8 *sec = hs->initiator ? st->e : hs->env->self->secret;
	const u8 *pub33 = hs->initiator ? st->rs : st->re;

	if (fips_pk_ecdh(hs->env->pk, sec, pub33, st->es))
		return -EIO;
	mix_key(hs, st->es);
	return 0;
}

static int token_se(struct fips_noise *hs)
{
	struct noise_state *st = &hs->next;

	if (hs->initiator)
		return dh_and_mix(hs, hs->env->self->secret, st->re);
	return dh_and_mix(hs, st->e, st->rs);
}

static int token_se_ik(struct fips_noise *hs)
{
	if (!ik_msg2_repeats_es)
		return token_se(hs);
	mix_key(hs, hs->next.es);
	return 0;
}

static int token_check(struct fips_noise *hs, struct cursor *cur)
{
	if (!cur->check)
		return 0;
	return cur->check->check(cur->check->ctx, hs->next.rs);
}

static int token_run(struct fips_noise *hs, enum token token, struct cursor *cur)
{
	struct noise_state *st = &hs->next;

	switch (token) {
	case TOKEN_E:
		return token_e(hs, cur);
	case TOKEN_S:
		return token_s(hs, cur);
	case TOKEN_ES:
		return token_es(hs);
	case TOKEN_EE:
		return dh_and_mix(hs, st->e, st->re);
	case TOKEN_SS:
		return dh_and_mix(hs, hs->env->self->secret, st->rs);
	case TOKEN_SE:
		return token_se(hs);
	case TOKEN_SE_IK:
		return token_se_ik(hs);
	case TOKEN_EPOCH:
		return token_epoch(hs, cur);
	case TOKEN_CHECK:
		return token_check(hs, cur);
	case TOKEN_END:
		break;
	}
	return 0;
}

/* Run the due message on the copy; keep it only if every token passed. */
static int message_run(struct fips_noise *hs, struct cursor *cur)
{
	const struct message *msg = &hs->pattern->messages[hs->now.turn];
	const enum token *token;
	int err = 0;

	hs->next = hs->now;
	for (token = msg->tokens; *token != TOKEN_END && !err; token++)
		err = token_run(hs, *token, cur);
	if (!err) {
		hs->next.turn++;
		hs->now = hs->next;
	}
	sodium_memzero(&hs->next, sizeof(hs->next));
	sodium_memzero(hs->dh, sizeof(hs->dh));
	return err;
}

bool fips_noise_done(const struct fips_noise *hs)
{
	return hs->now.turn == hs->pattern->n_messages;
}

size_t fips_noise_next_len(const struct fips_noise *hs)
{
	return fips_noise_done(hs) ? 0 : hs->pattern->messages[hs->now.turn].len;
}

/* Messages alternate and the initiator sends the first. */
static bool our_turn(const struct fips_noise *hs)
{
	return (hs->now.turn % 2 == 0) == hs->initiator;
}

int fips_noise_write(struct fips_noise *hs, u8 *buf, size_t room)
{
	struct cursor cur = { 0 };
	u8 msg[FIPS_NOISE_MSG_MAX];
	size_t len = fips_noise_next_len(hs);
	int err;

	if (!len || !our_turn(hs))
		return -EINVAL;
	if (room < len)
		return -ENOSPC;
	cur.out = msg;
	err = message_run(hs, &cur);
	if (err)
		return err;
	memcpy(buf, msg, len);
	return (int)len;
}

int fips_noise_read(struct fips_noise *hs, const u8 *msg, size_t len,
		    const struct fips_noise_check *check)
{
	struct cursor cur = { .in = msg, .check = check };

	if (fips_noise_done(hs) || our_turn(hs))
		return -EINVAL;
	if (len != fips_noise_next_len(hs))
		return -EMSGSIZE;
	return message_run(hs, &cur);
}

static int noise_new(const struct fips_noise_env *env, enum fips_noise_pattern pattern,
		     bool initiator, struct fips_noise **out)
{
	const struct pattern *p = &patterns[pattern];
	struct fips_noise *hs = fips_secret_alloc(env->secrets, sizeof(*hs));

	if (!hs)
		return -ENOMEM;
	hs->env = env;
	hs->pattern = p;
	hs->initiator = initiator;
	crypto_hash_sha256(hs->now.h, (const u8 *)p->name, strlen(p->name));
	memcpy(hs->now.ck, hs->now.h, HASH_LEN);
	*out = hs;
	return 0;
}

/* Pre-message: the responder's static key in its even form, whatever its parity (deviation 5). */
static void noise_premessage(struct fips_noise *hs, const u8 *x)
{
	u8 even[FIPS_PUB33_LEN];

	even[0] = 0x02;
	memcpy(even + 1, x, FIPS_KEY_LEN);
	hs->next = hs->now;
	mix_hash(hs, even, sizeof(even));
	hs->now = hs->next;
	sodium_memzero(&hs->next, sizeof(hs->next));
}

int fips_noise_initiator(const struct fips_noise_env *env, enum fips_noise_pattern pattern,
			 const u8 *remote_x, struct fips_noise **out)
{
	u8 pub33[FIPS_PUB33_LEN];
	struct fips_noise *hs;
	int err;

	if (fips_pk_lift_x(env->pk, remote_x, pub33))
		return -EINVAL;
	err = noise_new(env, pattern, true, &hs);
	if (err)
		return err;
	memcpy(hs->now.rs, pub33, FIPS_PUB33_LEN);
	hs->now.known |= KNOWN_RS;
	noise_premessage(hs, remote_x);
	*out = hs;
	return 0;
}

int fips_noise_responder(const struct fips_noise_env *env, enum fips_noise_pattern pattern,
			 struct fips_noise **out)
{
	struct fips_noise *hs;
	int err = noise_new(env, pattern, false, &hs);

	if (err)
		return err;
	noise_premessage(hs, env->self->id.x);
	*out = hs;
	return 0;
}

void fips_noise_free(struct fips_noise *hs)
{
	if (hs)
		fips_secret_free(hs->env->secrets, hs);
}

int fips_noise_split(const struct fips_noise *hs, struct fips_noise_keys *keys)
{
	u8 prk[HASH_LEN];
	u8 *first = hs->initiator ? keys->tx : keys->rx;
	u8 *second = hs->initiator ? keys->rx : keys->tx;

	if (!fips_noise_done(hs))
		return -EINVAL;
	hkdf2(hs->now.ck, NULL, 0, prk, first, second);
	return 0;
}

void fips_noise_keys_wipe(struct fips_noise_keys *keys)
{
	sodium_memzero(keys, sizeof(*keys));
}

const u8 *fips_noise_remote_static(const struct fips_noise *hs)
{
	return hs->now.known & KNOWN_RS ? hs->now.rs : NULL;
}

const u8 *fips_noise_remote_ephemeral(const struct fips_noise *hs)
{
	return hs->now.known & KNOWN_RE ? hs->now.re : NULL;
}

const u8 *fips_noise_remote_epoch(const struct fips_noise *hs)
{
	return hs->now.known & KNOWN_EPOCH ? hs->now.epoch : NULL;
}

void fips_noise_set_trace(struct fips_noise *hs, fips_noise_trace_fn trace, void *ctx)
{
	hs->trace = trace;
	hs->trace_ctx = ctx;
}

void fips_noise_peek(const struct fips_noise *hs, struct fips_noise_values *out)
{
	memcpy(out->ck, hs->now.ck, HASH_LEN);
	memcpy(out->h, hs->now.h, HASH_LEN);
	memcpy(out->k, hs->now.k, FIPS_KEY_LEN);
	out->n = hs->now.n;
}

int fips_noise_seal(const u8 *key, u64 ctr, const u8 *aad, size_t aad_len, const u8 *plain,
		    size_t len, u8 *out)
{
	u8 nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

	if (ctr == FIPS_COUNTER_NEVER)
		return -EOVERFLOW;
	if (len > 65535 - FIPS_TAG_LEN)
		return -EMSGSIZE;
	fips_put_nonce(nonce, ctr);
	crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain, len, aad, aad_len, NULL, nonce,
						  key);
	return 0;
}

int fips_noise_open(const u8 *key, u64 ctr, const u8 *aad, size_t aad_len, const u8 *sealed,
		    size_t len, u8 *out)
{
	u8 nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

	if (len < FIPS_TAG_LEN)
		return -EBADMSG;
	fips_put_nonce(nonce, ctr);
	if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed, len, aad, aad_len,
						      nonce, key))
		return -EBADMSG;
	return 0;
}
