// SPDX-License-Identifier: MIT
/*
 * Noise IK and XK: every value of noise-ik.json and noise-xk.json in both
 * roles, the known mistakes, and what tampering may and may not do.
 */
#include <secp256k1.h>
#include <secp256k1_ecdh.h>
#include <sodium.h>

#include "fmp.h"
#include "fsp.h"
#include "noise.h"
#include "noise_trace.h"
#include "vectors_pk.h"

#define MSG_MAX		3
#define N_STEPS		32

/* ---------------------------------------------------------------- two sides */

struct side {
	struct vec_crypto *c;
	struct vec_rng random;
	struct fips_keypair kp;
	struct fips_noise_env env;
	struct fips_noise *hs;
	u8 ephemeral[FIPS_KEY_LEN];
};

/* Both ends of one handshake, and the messages between them. */
struct pair {
	enum fips_noise_pattern pattern;
	unsigned int n_messages;
	struct side i;
	struct side r;
	u8 msg[MSG_MAX][FIPS_NOISE_MSG_MAX];
	size_t len[MSG_MAX];
};

static void side_init(struct side *s, struct vec_crypto *c, const u8 *secret, const u8 *ephemeral,
		      const u8 *epoch)
{
	memset(s, 0, sizeof(*s));
	s->c = c;
	memcpy(s->ephemeral, ephemeral, FIPS_KEY_LEN);
	s->random.fixed = s->ephemeral;
	s->random.left = FIPS_KEY_LEN;
	assert_int_equal(fips_keypair_from_secret(&s->kp, &c->pk, c->secrets, secret), 0);
	s->env.pk = &c->pk;
	s->env.secrets = c->secrets;
	s->env.rng.random = vec_rng_random;
	s->env.rng.ctx = &s->random;
	s->env.self = &s->kp;
	memcpy(s->env.epoch, epoch, FIPS_EPOCH_LEN);
}

static void side_destroy(struct side *s)
{
	fips_noise_free(s->hs);
	s->hs = NULL;
	fips_keypair_destroy(&s->kp);
}

static void pair_start(struct pair *p)
{
	p->n_messages = p->pattern == FIPS_NOISE_IK ? 2 : 3;
	assert_int_equal(fips_noise_initiator(&p->i.env, p->pattern, p->r.kp.id.x, &p->i.hs), 0);
	assert_int_equal(fips_noise_responder(&p->r.env, p->pattern, &p->r.hs), 0);
}

static void pair_init(struct pair *p, struct vec_crypto *c, enum fips_noise_pattern pattern)
{
	static const u8 sec_i[32] = { [0] = 0x01, [31] = 0x20 };
	static const u8 sec_r[32] = { [0] = 0xb1, [31] = 0xb0 };
	static const u8 eph_i[32] = { [0] = 0x11, [31] = 0x11 };
	static const u8 eph_r[32] = { [0] = 0x22, [31] = 0x22 };
	static const u8 epoch_i[8] = { 0, 1, 2, 3, 4, 5, 6, 7 };
	static const u8 epoch_r[8] = { 8, 9, 10, 11, 12, 13, 14, 15 };

	memset(p, 0, sizeof(*p));
	p->pattern = pattern;
	side_init(&p->i, c, sec_i, eph_i, epoch_i);
	side_init(&p->r, c, sec_r, eph_r, epoch_r);
	pair_start(p);
}

static void pair_destroy(struct pair *p)
{
	side_destroy(&p->i);
	side_destroy(&p->r);
}

static struct side *writer_of(struct pair *p, unsigned int m)
{
	return m % 2 ? &p->r : &p->i;
}

static struct side *reader_of(struct pair *p, unsigned int m)
{
	return m % 2 ? &p->i : &p->r;
}

static void pair_write(struct pair *p, unsigned int m)
{
	int len = fips_noise_write(writer_of(p, m)->hs, p->msg[m], sizeof(p->msg[m]));

	assert_true(len > 0);
	p->len[m] = (size_t)len;
}

static int pair_read(struct pair *p, unsigned int m)
{
	return fips_noise_read(reader_of(p, m)->hs, p->msg[m], p->len[m], NULL);
}

static void pair_run(struct pair *p, unsigned int n_messages)
{
	unsigned int m;

	for (m = 0; m < n_messages; m++) {
		pair_write(p, m);
		assert_int_equal(pair_read(p, m), 0);
	}
}

/* ----------------------------------------------------------------- vectors */

/* The steps one side made in one message, copied. */
struct steps {
	size_t n;
	struct {
		enum fips_noise_op op;
		u8 in[64], out[64], ck[32], h[32], k[32];
		size_t in_len, out_len;
		u64 nonce;
	} step[N_STEPS];
};

static void steps_record(void *ctx, const struct fips_noise_step *step)
{
	struct steps *s = ctx;

	assert_true(s->n < N_STEPS);
	assert_true(step->in_len <= 64 && step->out_len <= 64);
	s->step[s->n].op = step->op;
	s->step[s->n].in_len = step->in_len;
	s->step[s->n].out_len = step->out_len;
	s->step[s->n].nonce = step->n;
	memcpy(s->step[s->n].in, step->in, step->in_len);
	memcpy(s->step[s->n].out, step->out, step->out_len);
	memcpy(s->step[s->n].ck, step->ck, 32);
	memcpy(s->step[s->n].h, step->h, 32);
	memcpy(s->step[s->n].k, step->k, 32);
	s->n++;
}

static int keep_x(unsigned char *out, const unsigned char *x32, const unsigned char *y32,
		  void *data)
{
	(void)y32;
	(void)data;
	memcpy(out, x32, 32);
	return 1;
}

/* The x coordinate itself, which the library never shows. */
static void raw_ecdh(const struct side *a, const u8 *sec, const u8 *pub33, u8 *x)
{
	secp256k1_pubkey point;

	assert_true(secp256k1_ec_pubkey_parse(a->c->pk.ctx, &point, pub33, 33));
	assert_true(secp256k1_ecdh(a->c->pk.ctx, x, &point, sec, keep_x, NULL));
}

static void check_dh(struct pair *p, const json_t *vec)
{
	const char *token = vec_str(vec, "token");
	u8 x[32], out[32], pub33[33];

	if (!strcmp(token, "ss")) {
		raw_ecdh(&p->i, p->i.kp.secret, p->r.kp.id.pub33, x);
	} else if (!strcmp(token, "ee")) {
		assert_int_equal(fips_pk_pubkey(&p->i.c->pk, p->r.ephemeral, pub33), 0);
		raw_ecdh(&p->i, p->i.ephemeral, pub33, x);
	} else if (!strcmp(token, "se")) {
		assert_int_equal(fips_pk_pubkey(&p->i.c->pk, p->r.ephemeral, pub33), 0);
		raw_ecdh(&p->i, p->i.kp.secret, pub33, x);
	} else {
		/* es, and what IK's msg2 has in place of se */
		if (strcmp(token, "es"))
			assert_non_null(strstr(token, "= es again"));
		raw_ecdh(&p->i, p->i.ephemeral, p->r.kp.id.pub33, x);
	}
	vec_expect(vec, "shared_point_x", x, 32);
	crypto_hash_sha256(out, x, 32);
	vec_expect(vec, "dh_output", out, 32);
}

static void check_step(struct pair *p, const struct steps *s, size_t i, const json_t *vec)
{
	const char *op = vec_str(vec, "op");

	assert_true(i < s->n);
	if (!strcmp(op, "MixHash")) {
		assert_int_equal(s->step[i].op, FIPS_NOISE_OP_MIX_HASH);
		vec_expect(vec, "input", s->step[i].in, s->step[i].in_len);
		vec_expect(vec, "h", s->step[i].h, 32);
	} else if (!strcmp(op, "MixKey")) {
		assert_int_equal(s->step[i].op, FIPS_NOISE_OP_MIX_KEY);
		vec_expect(vec, "dh_output", s->step[i].in, s->step[i].in_len);
		vec_expect(vec, "ck", s->step[i].ck, 32);
		vec_expect(vec, "k", s->step[i].k, 32);
		vec_expect_int(vec, "n_reset_to", s->step[i].nonce);
		check_dh(p, vec);
	} else {
		assert_string_equal(op, "EncryptAndHash");
		assert_int_equal(s->step[i].op, FIPS_NOISE_OP_SEAL);
		vec_expect(vec, "k", s->step[i].k, 32);
		vec_expect_int(vec, "n", s->step[i].nonce);
		vec_expect_str(vec, "aad", "");
		vec_expect(vec, "plaintext", s->step[i].in, s->step[i].in_len);
		vec_expect(vec, "ciphertext", s->step[i].out, s->step[i].out_len);
	}
}

/* The pre-message is the first step of msg1's list in the vectors, but happens at creation. */
static void check_premessage(const struct pair *p, const struct fips_noise *hs, const json_t *vec)
{
	struct fips_noise_values v;
	u8 even[33] = { 0x02 };

	memcpy(even + 1, p->r.kp.id.x, 32);
	fips_noise_peek(hs, &v);
	vec_expect_str(vec, "op", "MixHash");
	vec_expect(vec, "input", even, 33);
	vec_expect(vec, "h", v.h, 32);
}

static void check_steps(struct pair *p, unsigned int m, const struct steps *s, const json_t *kase)
{
	char key[32];
	json_t *list;
	size_t skip = m == 0, i;

	snprintf(key, sizeof(key), "steps_msg%u", m + 1);
	list = vec_array(kase, key);
	assert_int_equal(json_array_size(list), s->n + skip);
	for (i = 0; i < s->n; i++)
		check_step(p, s, i, json_array_get(list, i + skip));
}

static void check_initial(const json_t *kase, enum fips_noise_pattern pattern)
{
	const json_t *init = vec_get(kase, "initial_state");
	const char *name = vec_str(init, "protocol_name");
	u8 h[32];

	assert_string_equal(name, pattern == FIPS_NOISE_IK ?
			    "Noise_IK_secp256k1_ChaChaPoly_SHA256" :
			    "Noise_XK_secp256k1_ChaChaPoly_SHA256");
	vec_expect_int(init, "protocol_name_len", strlen(name));
	crypto_hash_sha256(h, (const u8 *)name, strlen(name));
	vec_expect(init, "ck0_h0", h, 32);
}

static void check_static(const json_t *vec, const struct fips_keypair *kp)
{
	char text[FIPS_NODE_ADDR_SIZE];

	vec_expect(vec, "public_compressed", kp->id.pub33, 33);
	vec_expect(vec, "x_only", kp->id.x, 32);
	vec_expect_str(vec, "parity", kp->id.pub33[0] == 2 ? "even" : "odd");
	vec_expect_str(vec, "npub", kp->id.npub);
	fips_node_addr_format(&kp->id.addr, text);
	vec_expect_str(vec, "node_addr", text);
}

static void check_ephemeral(struct vec_crypto *c, const json_t *vec, const u8 *sec)
{
	u8 pub33[33];

	assert_int_equal(fips_pk_pubkey(&c->pk, sec, pub33), 0);
	vec_expect(vec, "public_compressed", pub33, 33);
	vec_expect_str(vec, "parity", pub33[0] == 2 ? "even" : "odd");
}

static void side_from(struct side *s, struct vec_crypto *c, const json_t *in, const char *who)
{
	u8 sec[32], eph[32], epoch[8];
	const json_t *v_static, *v_eph;
	char key[40];

	snprintf(key, sizeof(key), "%s_static", who);
	v_static = vec_get(in, key);
	snprintf(key, sizeof(key), "%s_ephemeral", who);
	v_eph = vec_get(in, key);
	snprintf(key, sizeof(key), "%s_epoch", who);
	vec_hex_into(v_static, "secret", sec, 32);
	vec_hex_into(v_eph, "secret", eph, 32);
	vec_hex_into(in, key, epoch, 8);
	side_init(s, c, sec, eph, epoch);
	check_static(v_static, &s->kp);
	check_ephemeral(c, v_eph, eph);
}

/* Message @m in both roles, step by step. */
static void run_message(struct pair *p, unsigned int m, const json_t *kase)
{
	struct side *w = writer_of(p, m), *r = reader_of(p, m);
	struct steps ws = { 0 }, rs = { 0 };
	char key[32];

	fips_noise_set_trace(w->hs, steps_record, &ws);
	fips_noise_set_trace(r->hs, steps_record, &rs);
	pair_write(p, m);
	snprintf(key, sizeof(key), "noise_msg%u", m + 1);
	vec_expect(kase, key, p->msg[m], p->len[m]);
	assert_int_equal(pair_read(p, m), 0);
	check_steps(p, m, &ws, kase);
	check_steps(p, m, &rs, kase);
}

static void check_result(struct pair *p, const json_t *kase, struct fips_noise_keys *ki)
{
	const json_t *res = vec_get(kase, "result");
	struct fips_noise_keys kr;
	struct fips_noise_values v;
	struct side *side[2] = { &p->i, &p->r };
	int i;

	for (i = 0; i < 2; i++) {
		assert_true(fips_noise_done(side[i]->hs));
		fips_noise_peek(side[i]->hs, &v);
		vec_expect(res, "final_ck", v.ck, 32);
		vec_expect(res, "handshake_hash_h", v.h, 32);
		assert_memory_equal(fips_noise_remote_epoch(side[i]->hs),
				    side[!i]->env.epoch, 8);
		assert_memory_equal(fips_noise_remote_static(side[i]->hs) + 1,
				    side[!i]->kp.id.x, 32);
	}
	/* Only the responder learns the true parity. */
	assert_memory_equal(fips_noise_remote_static(p->r.hs), p->i.kp.id.pub33, 33);
	assert_int_equal(fips_noise_remote_static(p->i.hs)[0], 2);
	assert_int_equal(fips_noise_split(p->i.hs, ki), 0);
	assert_int_equal(fips_noise_split(p->r.hs, &kr), 0);
	vec_expect(res, "key_initiator_to_responder", ki->tx, 32);
	vec_expect(res, "key_responder_to_initiator", ki->rx, 32);
	assert_memory_equal(ki->tx, kr.rx, 32);
	assert_memory_equal(ki->rx, kr.tx, 32);
}

static const u8 *frame_key(const json_t *f, const struct fips_noise_keys *ki)
{
	const char *sender = vec_str(f, "sender");
	const u8 *key = ki->rx;

	if (!strcmp(sender, "initiator"))
		key = ki->tx;
	else
		assert_string_equal(sender, "responder");
	vec_expect(f, "key", key, 32);
	return key;
}

static void check_nonce(const json_t *f, u64 ctr)
{
	u8 nonce[12];

	fips_put_nonce(nonce, ctr);
	vec_expect(f, "nonce", nonce, 12);
}

static u32 idx_of(const json_t *obj, const char *key)
{
	const char *text = vec_str(obj, key);

	assert_int_equal(strlen(text), 8);
	return (u32)strtoul(text, NULL, 16);
}

/* --------------------------------------------------------------------- IK */

static void check_ik_wire(struct pair *p, const json_t *kase, const json_t *in)
{
	struct fips_fmp_msg1 m1 = { .noise = p->msg[0] };
	struct fips_fmp_msg2 m2 = { .noise = p->msg[1] };
	u8 buf[FIPS_MSG1_LEN];

	m1.sender_idx = idx_of(in, "initiator_sender_idx");
	m2.sender_idx = idx_of(in, "responder_sender_idx");
	m2.receiver_idx = m1.sender_idx;
	assert_int_equal(fips_fmp_msg1_build(buf, sizeof(buf), &m1), FIPS_MSG1_LEN);
	vec_expect(kase, "fmp_wire_msg1", buf, FIPS_MSG1_LEN);
	assert_int_equal(fips_fmp_msg2_build(buf, sizeof(buf), &m2), FIPS_MSG2_LEN);
	vec_expect(kase, "fmp_wire_msg2", buf, FIPS_MSG2_LEN);
}

static void check_ik_frame(const json_t *f, const struct fips_noise_keys *ki)
{
	struct fips_fmp_header hdr = { .flags = (u8)vec_int(f, "flags") };
	struct vec_bytes plain = vec_hex(f, "plaintext");
	const u8 *key = frame_key(f, ki);
	u8 buf[128], back[128];
	int len;

	hdr.receiver_idx = idx_of(f, "receiver_idx");
	hdr.counter = vec_int(f, "counter");
	check_nonce(f, hdr.counter);
	len = fips_fmp_seal(key, &hdr, fips_get_le32(plain.p), plain.p + 4, plain.len - 4, buf,
			    sizeof(buf));
	assert_true(len > 0);
	vec_expect(f, "frame", buf, (size_t)len);
	vec_expect(f, "header_aad", buf, FIPS_FMP_HDR_LEN);
	assert_int_equal(fips_fmp_open(key, buf, (size_t)len, back, sizeof(back)), plain.len);
	assert_memory_equal(back, plain.p, plain.len);
	buf[1] ^= 1;	/* the flags are authenticated */
	assert_int_equal(fips_fmp_open(key, buf, (size_t)len, back, sizeof(back)), -EBADMSG);
	free(plain.p);
}

/* A second, naive HKDF and AEAD, to compute what the mistakes would give. */
static void naive_hkdf(const u8 *ck, const u8 *ikm, size_t len, u8 *t1, u8 *t2)
{
	u8 prk[32], buf[33];

	crypto_auth_hmacsha256_state st;

	crypto_auth_hmacsha256_init(&st, ck, 32);
	crypto_auth_hmacsha256_update(&st, ikm, len);
	crypto_auth_hmacsha256_final(&st, prk);
	buf[0] = 1;
	crypto_auth_hmacsha256(t1, buf, 1, prk);
	memcpy(buf, t1, 32);
	buf[32] = 2;
	crypto_auth_hmacsha256(t2, buf, 33, prk);
}

static void naive_seal(const u8 *k, u8 n, const u8 *aad, size_t aad_len, const u8 *plain,
		       size_t len, u8 *out)
{
	u8 nonce[12] = { [4] = n };

	crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain, len, aad, aad_len, NULL, nonce,
						  k);
}

static json_t *step_of(const json_t *kase, const char *list, const char *op, int nth)
{
	json_t *v;
	size_t i;

	json_array_foreach(vec_array(kase, list), i, v)
		if (!strcmp(vec_str(v, "op"), op) && !nth--)
			return v;
	fail_msg("no step %s in %s", op, list);
	return NULL;
}

#define TEXTBOOK_SE "msg2_uses_textbook_se_DH(initiator_static,responder_ephemeral)__encrypted_epoch"

static void check_ik_mistakes(struct pair *p, const json_t *kase)
{
	const json_t *d = vec_get(kase, "diagnostics_if_you_see_these_you_have_the_named_bug");
	const u8 *pub_i = p->i.kp.id.pub33;
	u8 h[32], ck[32], k[32], ck4[32], k1[32], k2[32], x[32], pub33[33], dh[32], sealed[64];

	/* AAD = h */
	vec_hex_into(step_of(kase, "steps_msg1", "MixHash", 1), "h", h, 32);
	vec_hex_into(step_of(kase, "steps_msg1", "MixKey", 0), "k", k, 32);
	naive_seal(k, 0, h, 32, pub_i, 33, sealed);
	vec_expect(d, "aad_is_h_instead_of_empty__encrypted_static", sealed, 49);
	vec_expect_not(d, "aad_is_h_instead_of_empty__encrypted_static", p->msg[0] + 33, 49);
	/* raw x in place of SHA256(x) */
	raw_ecdh(&p->i, p->i.ephemeral, p->r.kp.id.pub33, x);
	vec_hex_into(vec_get(kase, "initial_state"), "ck0_h0", ck, 32);
	naive_hkdf(ck, x, 32, ck4, k);
	naive_seal(k, 0, NULL, 0, pub_i, 33, sealed);
	vec_expect(d, "dh_is_raw_x_not_sha256_of_x__encrypted_static", sealed, 49);
	vec_expect_not(d, "dh_is_raw_x_not_sha256_of_x__encrypted_static", p->msg[0] + 33, 49);
	/* the textbook's se in msg2 */
	vec_hex_into(step_of(kase, "steps_msg2", "MixKey", 0), "ck", ck, 32);
	assert_int_equal(fips_pk_pubkey(&p->i.c->pk, p->r.ephemeral, pub33), 0);
	assert_int_equal(fips_pk_ecdh(&p->i.c->pk, p->i.kp.secret, pub33, dh), 0);
	naive_hkdf(ck, dh, 32, ck4, k);
	naive_seal(k, 0, NULL, 0, p->r.env.epoch, 8, sealed);
	vec_expect(d, TEXTBOOK_SE, sealed, 24);
	vec_expect_not(d, TEXTBOOK_SE, p->msg[1] + 33, 24);
	naive_hkdf(ck4, NULL, 0, k1, k2);
	vec_expect(d, "msg2_uses_textbook_se__key_initiator_to_responder", k1, 32);
}

static void run_case(struct pair *p, struct vec_crypto *c, const json_t *kase)
{
	const json_t *in = vec_get(kase, "inputs");
	unsigned int m;

	side_from(&p->i, c, in, "initiator");
	side_from(&p->r, c, in, "responder");
	pair_start(p);
	check_initial(kase, p->pattern);
	check_premessage(p, p->i.hs, json_array_get(vec_array(kase, "steps_msg1"), 0));
	check_premessage(p, p->r.hs, json_array_get(vec_array(kase, "steps_msg1"), 0));
	for (m = 0; m < p->n_messages; m++)
		run_message(p, m, kase);
}

static void test_ik_vectors(void **state)
{
	json_t *root = vec_load("noise-ik"), *kase, *f;
	size_t i, j;

	assert_int_equal(json_array_size(vec_array(root, "cases")), 2);
	json_array_foreach(vec_array(root, "cases"), i, kase) {
		struct pair p = { .pattern = FIPS_NOISE_IK };
		struct fips_noise_keys ki;

		run_case(&p, *state, kase);
		check_ik_wire(&p, kase, vec_get(kase, "inputs"));
		check_result(&p, kase, &ki);
		assert_int_equal(json_array_size(vec_array(kase, "transport_frames")), 4);
		json_array_foreach(vec_array(kase, "transport_frames"), j, f)
			check_ik_frame(f, &ki);
		check_ik_mistakes(&p, kase);
		pair_destroy(&p);
	}
	json_decref(root);
}

/* --------------------------------------------------------------------- XK */

static struct fips_coords coords_from(const json_t *in, const char *key,
				      struct fips_node_addr *addr)
{
	struct fips_coords coords = { .addr = addr };
	json_t *v;
	size_t i;

	json_array_foreach(vec_array(in, key), i, v) {
		struct vec_bytes b = vec_unhex(json_string_value(v));

		assert_int_equal(b.len, FIPS_NODE_ADDR_LEN);
		memcpy(addr[coords.count++].b, b.p, FIPS_NODE_ADDR_LEN);
		free(b.p);
	}
	return coords;
}

static void check_xk_wire(struct pair *p, const json_t *kase, const json_t *in)
{
	struct fips_node_addr a_i[4], a_r[4];
	struct fips_coords c_i = coords_from(in, "initiator_coords", a_i);
	struct fips_coords c_r = coords_from(in, "responder_coords", a_r);
	struct fips_fsp_handshake hs = { .phase = FIPS_FSP_SETUP, .src = c_i, .dst = c_r };
	u8 buf[512];
	int len;

	hs.noise = p->msg[0];
	len = fips_fsp_handshake_build(buf, sizeof(buf), &hs);
	vec_expect(kase, "fsp_session_setup", buf, (size_t)len);
	hs = (struct fips_fsp_handshake) { .phase = FIPS_FSP_ACK, .src = c_r, .dst = c_i };
	hs.noise = p->msg[1];
	len = fips_fsp_handshake_build(buf, sizeof(buf), &hs);
	vec_expect(kase, "fsp_session_ack", buf, (size_t)len);
	hs = (struct fips_fsp_handshake) { .phase = FIPS_FSP_MSG3, .noise = p->msg[2] };
	len = fips_fsp_handshake_build(buf, sizeof(buf), &hs);
	vec_expect(kase, "fsp_session_msg3", buf, (size_t)len);
}

static void check_xk_frame(const json_t *f, const json_t *in, const struct fips_noise_keys *ki)
{
	struct fips_fsp_header hdr = { .flags = (u8)vec_int(f, "flags") }, back;
	struct vec_bytes plain = vec_hex(f, "plaintext");
	const u8 *key = frame_key(f, ki);
	struct fips_node_addr a_i[4], a_r[4];
	u8 buf[256], opened[256];
	int len;

	hdr.counter = vec_int(f, "counter");
	check_nonce(f, hdr.counter);
	hdr.src = coords_from(in, "initiator_coords", a_i);
	hdr.dst = coords_from(in, "responder_coords", a_r);
	len = fips_fsp_seal(key, &hdr, plain.p, plain.len, buf, sizeof(buf));
	assert_true(len > 0);
	vec_expect(f, "fsp_payload", buf, (size_t)len);
	vec_expect(f, "header_aad", buf, FIPS_FSP_HDR_LEN);
	assert_int_equal(fips_fsp_header_parse(buf, (size_t)len, &back), 0);
	if (hdr.flags & FIPS_FSP_FLAG_CP) {
		vec_expect(f, "cleartext_coords_not_authenticated", buf + FIPS_FSP_HDR_LEN,
			   (size_t)(back.sealed - buf) - FIPS_FSP_HDR_LEN);
		buf[FIPS_FSP_HDR_LEN + 2] ^= 0xff;	/* and so it opens all the same */
	}
	assert_int_equal(fips_fsp_open(key, buf, &back, opened, sizeof(opened)), plain.len);
	assert_memory_equal(opened, plain.p, plain.len);
	free(plain.p);
}

static void check_xk_mistakes(struct pair *p, const json_t *kase)
{
	const json_t *d = vec_get(kase, "diagnostics_if_you_see_these_you_have_the_named_bug");
	u8 h[32], k[32], sealed[64];

	vec_hex_into(step_of(kase, "steps_msg2", "MixKey", 0), "k", k, 32);
	vec_hex_into(step_of(kase, "steps_msg2", "MixHash", 0), "h", h, 32);
	naive_seal(k, 0, h, 32, p->r.env.epoch, 8, sealed);
	vec_expect(d, "aad_is_h_instead_of_empty__msg2_encrypted_epoch", sealed, 24);
	vec_expect_not(d, "aad_is_h_instead_of_empty__msg2_encrypted_epoch", p->msg[1] + 33, 24);
	naive_seal(k, 0, NULL, 0, p->i.kp.id.pub33, 33, sealed);
	vec_expect(d, "msg3_static_encrypted_with_n_0_instead_of_1", sealed, 49);
	vec_expect_not(d, "msg3_static_encrypted_with_n_0_instead_of_1", p->msg[2], 49);
}

static void test_xk_vectors(void **state)
{
	json_t *root = vec_load("noise-xk"), *kase, *f;
	size_t i, j;

	assert_int_equal(json_array_size(vec_array(root, "cases")), 2);
	json_array_foreach(vec_array(root, "cases"), i, kase) {
		struct pair p = { .pattern = FIPS_NOISE_XK };
		const json_t *in = vec_get(kase, "inputs");
		struct fips_noise_keys ki;

		run_case(&p, *state, kase);
		check_xk_wire(&p, kase, in);
		check_result(&p, kase, &ki);
		assert_int_equal(json_array_size(vec_array(kase, "transport_frames")), 4);
		json_array_foreach(vec_array(kase, "transport_frames"), j, f)
			check_xk_frame(f, in, &ki);
		check_xk_mistakes(&p, kase);
		pair_destroy(&p);
	}
	json_decref(root);
}

/* --------------------------------------------------------------- behaviour */

static const enum fips_noise_pattern both[] = { FIPS_NOISE_IK, FIPS_NOISE_XK };

static bool is_ephemeral_at(enum fips_noise_pattern pattern, unsigned int m, size_t at)
{
	return at < FIPS_PUB33_LEN && !(pattern == FIPS_NOISE_XK && m == 2);
}

/* A flipped parity is no change at all to a DH (02 §16). */
static bool is_parity_bit(enum fips_noise_pattern pattern, unsigned int m, size_t at, u8 bit)
{
	return is_ephemeral_at(pattern, m, at) && at == 0 && bit == 1;
}

/* What a message does to its reader when one bit is wrong: nothing. */
static void tamper_message(struct vec_crypto *c, enum fips_noise_pattern pattern, unsigned int m)
{
	struct fips_noise_values before, after;
	struct pair p;
	size_t at;
	u8 bit;
	int ret;

	pair_init(&p, c, pattern);
	pair_run(&p, m);
	pair_write(&p, m);
	fips_noise_peek(reader_of(&p, m)->hs, &before);
	for (at = 0; at < p.len[m]; at++) {
		for (bit = 1; bit; bit = (u8)(bit << 1)) {
			if (is_parity_bit(pattern, m, at, bit))
				continue;
			p.msg[m][at] ^= bit;
			ret = pair_read(&p, m);
			p.msg[m][at] ^= bit;
			assert_true(ret == -EBADMSG || ret == -EPROTO);
			if (!is_ephemeral_at(pattern, m, at))
				assert_int_equal(ret, -EBADMSG);
		}
		fips_noise_peek(reader_of(&p, m)->hs, &after);
		assert_memory_equal(&before, &after, sizeof(before));
	}
	/* The true message still does. */
	assert_int_equal(pair_read(&p, m), 0);
	for (m++; m < p.n_messages; m++) {
		pair_write(&p, m);
		assert_int_equal(pair_read(&p, m), 0);
	}
	pair_destroy(&p);
}

static void test_tampering(void **state)
{
	unsigned int i, m;

	/* XK's msg1 seals nothing: the two tests below are about it. */
	for (i = 0; i < 2; i++)
		for (m = both[i] == FIPS_NOISE_XK; m < (both[i] == FIPS_NOISE_IK ? 2u : 3u); m++)
			tamper_message(*state, both[i], m);
}

static void test_bad_points(void **state)
{
	static const u8 prefix[] = { 0x00, 0x01, 0x04, 0x05, 0x06, 0x07, 0x82, 0xff };
	unsigned int i, m;
	size_t j;

	for (i = 0; i < 2; i++) {
		struct pair p;

		pair_init(&p, *state, both[i]);
		for (m = 0; m < 2; m++) {
			u8 good[FIPS_PUB33_LEN];

			pair_write(&p, m);
			memcpy(good, p.msg[m], sizeof(good));
			for (j = 0; j < sizeof(prefix); j++) {
				p.msg[m][0] = prefix[j];
				assert_int_equal(pair_read(&p, m), -EPROTO);
			}
			p.msg[m][0] = 0x02;
			memset(p.msg[m] + 1, 0xff, 32);	/* x >= p */
			assert_int_equal(pair_read(&p, m), -EPROTO);
			memset(p.msg[m] + 1, 0, 32);
			p.msg[m][32] = 5;		/* not on the curve */
			assert_int_equal(pair_read(&p, m), -EPROTO);
			memcpy(p.msg[m], good, sizeof(good));
			assert_int_equal(pair_read(&p, m), 0);
		}
		pair_destroy(&p);
	}
}

/* A wrong but valid ephemeral in XK's msg1 comes out at msg2, on the initiator's side. */
static void test_xk_msg1_swapped(void **state)
{
	struct vec_crypto *c = *state;
	struct pair p;
	u8 sec[32] = { [31] = 7 };

	pair_init(&p, c, FIPS_NOISE_XK);
	pair_write(&p, 0);
	assert_int_equal(fips_pk_pubkey(&c->pk, sec, p.msg[0]), 0);
	assert_int_equal(pair_read(&p, 0), 0);
	pair_write(&p, 1);
	assert_int_equal(pair_read(&p, 1), -EBADMSG);
	pair_destroy(&p);
}

static void test_parity_of_ephemeral_is_free(void **state)
{
	struct fips_noise_keys ki, kr;
	struct pair p;

	pair_init(&p, *state, FIPS_NOISE_IK);
	pair_write(&p, 0);
	p.msg[0][0] ^= 1;
	assert_int_equal(pair_read(&p, 0), 0);
	pair_write(&p, 1);
	assert_int_equal(pair_read(&p, 1), 0);
	assert_int_equal(fips_noise_split(p.i.hs, &ki), 0);
	assert_int_equal(fips_noise_split(p.r.hs, &kr), 0);
	assert_memory_equal(ki.tx, kr.rx, 32);
	pair_destroy(&p);
}

static void test_every_length(void **state)
{
	unsigned int i, m;
	size_t len;

	for (i = 0; i < 2; i++) {
		struct pair p;

		pair_init(&p, *state, both[i]);
		for (m = 0; m < p.n_messages; m++) {
			pair_write(&p, m);
			for (len = 0; len <= FIPS_NOISE_MSG_MAX + 1; len++) {
				u8 *exact = calloc(1, len ? len : 1);

				memcpy(exact, p.msg[m], len < p.len[m] ? len : p.len[m]);
				if (len != p.len[m])
					assert_int_equal(fips_noise_read(reader_of(&p, m)->hs,
									 exact, len, NULL),
							 -EMSGSIZE);
				free(exact);
			}
			assert_int_equal(pair_read(&p, m), 0);
		}
		pair_destroy(&p);
	}
}

static void test_roles_and_order(void **state)
{
	u8 buf[FIPS_NOISE_MSG_MAX] = { 0 };
	struct fips_noise_keys keys;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct pair p;

		pair_init(&p, *state, both[i]);
		assert_int_equal(fips_noise_write(p.r.hs, buf, sizeof(buf)), -EINVAL);
		assert_int_equal(fips_noise_read(p.i.hs, buf, 57, NULL), -EINVAL);
		assert_int_equal(fips_noise_split(p.i.hs, &keys), -EINVAL);
		assert_int_equal(fips_noise_write(p.i.hs, buf, fips_noise_next_len(p.i.hs) - 1),
				 -ENOSPC);
		assert_null(fips_noise_remote_ephemeral(p.i.hs));
		assert_null(fips_noise_remote_epoch(p.i.hs));
		assert_null(fips_noise_remote_static(p.r.hs));
		pair_run(&p, p.n_messages);
		assert_int_equal(fips_noise_write(p.i.hs, buf, sizeof(buf)), -EINVAL);
		assert_int_equal(fips_noise_write(p.r.hs, buf, sizeof(buf)), -EINVAL);
		assert_int_equal(fips_noise_read(p.i.hs, buf, 57, NULL), -EINVAL);
		assert_int_equal(fips_noise_read(p.r.hs, buf, 57, NULL), -EINVAL);
		assert_int_equal(fips_noise_next_len(p.i.hs), 0);
		assert_memory_equal(fips_noise_remote_ephemeral(p.r.hs), p.msg[0], 33);
		assert_memory_equal(fips_noise_remote_ephemeral(p.i.hs), p.msg[1], 33);
		pair_destroy(&p);
	}
}

/* -------------------------------------------------------------- check hook */

struct asked {
	int answer;
	unsigned int times;
	u8 pub33[33];
};

static int ask(void *ctx, const u8 *pub33)
{
	struct asked *a = ctx;

	a->times++;
	memcpy(a->pub33, pub33, 33);
	return a->answer;
}

/* A curve that counts multiplications. */
struct counting {
	struct fips_pk real;
	unsigned int ecdh;
};

static int counting_ecdh(void *ctx, const u8 *sec, const u8 *pub33, u8 *out)
{
	struct counting *n = ctx;

	n->ecdh++;
	return fips_pk_ecdh(&n->real, sec, pub33, out);
}

static bool counting_point_valid(void *ctx, const u8 *pub33)
{
	return fips_pk_point_valid(&((struct counting *)ctx)->real, pub33);
}

static int counting_pubkey(void *ctx, const u8 *sec, u8 *pub33)
{
	return fips_pk_pubkey(&((struct counting *)ctx)->real, sec, pub33);
}

static const struct fips_pk_ops counting_ops = {
	.ecdh = counting_ecdh,
	.point_valid = counting_point_valid,
	.pubkey = counting_pubkey,
};

static void check_hook(struct vec_crypto *c, enum fips_noise_pattern pattern)
{
	unsigned int m = pattern == FIPS_NOISE_IK ? 0 : 2;
	struct asked asked = { .answer = -EACCES };
	struct fips_noise_check check = { ask, &asked };
	struct counting counting = { .real = c->pk };
	struct fips_pk pk = { &counting_ops, &counting };
	struct pair p;

	pair_init(&p, c, pattern);
	pair_run(&p, m);
	pair_write(&p, m);
	p.r.env.pk = &pk;
	assert_int_equal(fips_noise_read(p.r.hs, p.msg[m], p.len[m], &check), -EACCES);
	assert_int_equal(asked.times, 1);
	assert_memory_equal(asked.pub33, p.i.kp.id.pub33, 33);
	/* Refused before the DH that follows; nothing learned stays. */
	assert_int_equal(counting.ecdh, pattern == FIPS_NOISE_IK ? 1 : 0);
	assert_null(fips_noise_remote_static(p.r.hs));
	asked.answer = 0;
	assert_int_equal(fips_noise_read(p.r.hs, p.msg[m], p.len[m], &check), 0);
	assert_int_equal(asked.times, 2);
	counting.ecdh = 0;
	if (pattern == FIPS_NOISE_IK) {
		/* es is not computed a second time. */
		pair_write(&p, 1);
		assert_int_equal(counting.ecdh, 1);
	}
	/* Never asked about a message whose seal is broken. */
	pair_destroy(&p);
	pair_init(&p, c, pattern);
	pair_run(&p, m);
	pair_write(&p, m);
	p.msg[m][p.len[m] - 25] ^= 1;	/* last byte of the static's tag */
	asked.times = 0;
	assert_int_equal(fips_noise_read(p.r.hs, p.msg[m], p.len[m], &check), -EBADMSG);
	assert_int_equal(asked.times, 0);
	pair_destroy(&p);
}

static void test_check_hook(void **state)
{
	check_hook(*state, FIPS_NOISE_IK);
	check_hook(*state, FIPS_NOISE_XK);
}

/* ---------------------------------------------------------------- failures */

static void test_random_failure_leaves_state(void **state)
{
	unsigned int i;
	u8 first[FIPS_NOISE_MSG_MAX];

	for (i = 0; i < 2; i++) {
		struct pair p;

		pair_init(&p, *state, both[i]);
		p.i.random.fail = -EAGAIN;
		memset(first, 0xee, sizeof(first));
		assert_int_equal(fips_noise_write(p.i.hs, first, sizeof(first)), -EAGAIN);
		assert_int_equal(first[0], 0xee);
		p.i.random.fail = 0;
		pair_run(&p, p.n_messages);
		assert_true(fips_noise_done(p.r.hs));
		pair_destroy(&p);
	}
}

/* A source that gives zero, then the order, then something good. */
static void test_ephemeral_out_of_range_is_redrawn(void **state)
{
	static const u8 order[32] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xfe, 0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c,
		0xd0, 0x36, 0x41, 0x41
	};
	struct vec_crypto *c = *state;
	u8 draws[96] = { 0 }, pub33[33];
	struct pair p;

	memcpy(draws + 32, order, 32);
	draws[95] = 5;
	pair_init(&p, c, FIPS_NOISE_IK);
	p.i.random.fixed = draws;
	p.i.random.left = sizeof(draws);
	pair_write(&p, 0);
	assert_int_equal(fips_pk_pubkey(&c->pk, draws + 64, pub33), 0);
	assert_memory_equal(p.msg[0], pub33, 33);
	pair_destroy(&p);
}

static void test_wrong_responder(void **state)
{
	struct vec_crypto *c = *state;
	u8 not_a_point[32] = { [31] = 5 };
	struct fips_noise *hs;
	struct pair p;

	pair_init(&p, c, FIPS_NOISE_IK);
	assert_int_equal(fips_noise_initiator(&p.i.env, FIPS_NOISE_IK, not_a_point, &hs), -EINVAL);
	/* msg1 for somebody else */
	assert_int_equal(fips_noise_initiator(&p.i.env, FIPS_NOISE_IK, p.i.kp.id.x, &hs), 0);
	assert_int_equal(fips_noise_write(hs, p.msg[0], FIPS_NOISE_MSG_MAX), 106);
	p.len[0] = 106;
	assert_int_equal(pair_read(&p, 0), -EBADMSG);
	fips_noise_free(hs);
	pair_destroy(&p);
}

/* ---------------------------------------------------------------- transport */

static void test_aead_limits(void **state)
{
	static u8 plain[65536], sealed[65536 + 16], back[65536];
	const u8 key[32] = { 1 };
	u8 aad[16] = { 2 };

	(void)state;
	assert_int_equal(fips_noise_seal(key, ~(u64)0, aad, 16, plain, 5, sealed), -EOVERFLOW);
	assert_int_equal(fips_noise_seal(key, ~(u64)0 - 1, aad, 16, plain, 5, sealed), 0);
	assert_int_equal(fips_noise_open(key, ~(u64)0 - 1, aad, 16, sealed, 21, back), 0);
	/* Receivers don't special-case the last counter. */
	assert_int_equal(fips_noise_open(key, ~(u64)0, aad, 16, sealed, 21, back), -EBADMSG);
	assert_int_equal(fips_noise_seal(key, 0, aad, 16, plain, 65520, sealed), -EMSGSIZE);
	assert_int_equal(fips_noise_seal(key, 0, aad, 16, plain, 65519, sealed), 0);
	assert_int_equal(fips_noise_open(key, 0, aad, 16, sealed, 65535, back), 0);
	assert_int_equal(fips_noise_open(key, 0, aad, 16, sealed, 15, back), -EBADMSG);
	assert_int_equal(fips_noise_open(key, 0, aad, 16, sealed, 0, back), -EBADMSG);
	/* In place, both ways */
	memset(plain, 0x5a, 100);
	memcpy(back, plain, 100);
	assert_int_equal(fips_noise_seal(key, 9, aad, 16, back, 100, back), 0);
	assert_int_equal(fips_noise_open(key, 9, aad, 16, back, 116, back), 0);
	assert_memory_equal(back, plain, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		vec_crypto_test(test_ik_vectors),
		vec_crypto_test(test_xk_vectors),
		vec_crypto_test(test_tampering),
		vec_crypto_test(test_bad_points),
		vec_crypto_test(test_xk_msg1_swapped),
		vec_crypto_test(test_parity_of_ephemeral_is_free),
		vec_crypto_test(test_every_length),
		vec_crypto_test(test_roles_and_order),
		vec_crypto_test(test_check_hook),
		vec_crypto_test(test_random_failure_leaves_state),
		vec_crypto_test(test_ephemeral_out_of_range_is_redrawn),
		vec_crypto_test(test_wrong_responder),
		cmocka_unit_test(test_aead_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
