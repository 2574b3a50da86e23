// SPDX-License-Identifier: MIT
/*
 * LookupRequest, LookupResponse, the proof, and the datagrams of tree.json
 * (error signals, forwarding).
 */
#include "lookup_codec.h"

#include <sodium.h>

#include "fmp.h"
#include "fsp.h"
#include "vectors_mesh.h"
#include "vectors_pk.h"

/* The vectors write the id most significant digit first. */
static u64 id_of(const json_t *lookup)
{
	u8 b[8];
	u64 id = 0;
	int i;

	vec_hex_into(vec_get(lookup, "request"), "request_id", b, sizeof(b));
	for (i = 0; i < 8; i++)
		id = id << 8 | b[i];
	return id;
}

static void test_request_vector(void **state)
{
	json_t *root = vec_load("tree"), *lookup = vec_get(root, "lookup");
	json_t *kase = vec_get(lookup, "request");
	struct fips_node_addr store[FIPS_COORDS_DEPTH];
	struct fips_lookup_request req = {
		.id = id_of(lookup),
		.target = vec_addr(kase, "target"),
		.origin = vec_addr(kase, "origin"),
		.ttl = (u8)vec_int(kase, "ttl"),
		.min_mtu = (u16)vec_int(kase, "min_mtu"),
		.coords = vec_coords(kase, "origin_coords", store),
	}, back;
	u8 buf[200];
	int len;

	(void)state;
	len = fips_lookup_request_build(buf, sizeof(buf), &req);
	vec_expect_int(kase, "length", (u64)len);
	vec_expect(kase, "message_hex", buf, (size_t)len);
	assert_int_equal(fips_lookup_request_parse(buf + 1, (size_t)len - 1, &back), 0);
	assert_true(back.id == req.id);
	assert_addr_equal(&back.target, &req.target);
	assert_addr_equal(&back.origin, &req.origin);
	assert_int_equal(back.ttl, req.ttl);
	assert_int_equal(back.min_mtu, req.min_mtu);
	assert_true(fips_coords_eq(&back.coords, &req.coords));
	assert_int_equal(buf[FIPS_LOOKUP_TTL_OFF], req.ttl);
	json_decref(root);
}

static void load_response(const json_t *lookup, struct fips_node_addr *store, const u8 *proof,
			  struct fips_lookup_response *resp)
{
	json_t *kase = vec_get(lookup, "response");

	*resp = (struct fips_lookup_response) {
		.id = id_of(lookup),
		.target = vec_addr(vec_get(lookup, "request"), "target"),
		.path_mtu = (u16)vec_int(kase, "path_mtu"),
		.coords = vec_coords(kase, "target_coords", store),
		.proof = proof,
	};
}

static void key_three(const struct vec_crypto *c, u8 sec[32], struct fips_identity *id)
{
	u8 pub33[33];

	memset(sec, 0, 32);
	sec[31] = 3;
	assert_int_equal(fips_pk_pubkey(&c->pk, sec, pub33), 0);
	assert_int_equal(fips_identity_from_pub33(&c->pk, pub33, id), 0);
}

static void test_response_vector(void **state)
{
	static const u8 zeros[32];
	struct vec_crypto *c = *state;
	json_t *root = vec_load("tree"), *lookup = vec_get(root, "lookup");
	json_t *kase = vec_get(lookup, "response");
	struct fips_node_addr store[FIPS_COORDS_DEPTH];
	u8 sec[32], proof[FIPS_SIG_LEN], buf[200], digest[32];
	struct fips_lookup_response resp, back;
	struct fips_identity id;
	int len;

	key_three(c, sec, &id);
	load_response(lookup, store, proof, &resp);
	assert_addr_equal(&id.addr, &resp.target);
	len = fips_lookup_preimage(buf, sizeof(buf), resp.id, &resp.target, &resp.coords);
	vec_expect(kase, "proof_preimage", buf, (size_t)len);
	crypto_hash_sha256(digest, buf, (size_t)len);
	vec_expect(kase, "proof_digest", digest, sizeof(digest));
	c->random.fixed = zeros;
	c->random.left = sizeof(zeros);
	assert_int_equal(fips_lookup_sign(&c->pk, &c->rng, sec, &resp, proof), 0);
	vec_expect(kase, "proof_aux_zero", proof, sizeof(proof));
	len = fips_lookup_response_build(buf, sizeof(buf), &resp);
	vec_expect_int(kase, "length", (u64)len);
	vec_expect(kase, "message_hex", buf, (size_t)len);
	assert_int_equal(fips_lookup_response_parse(buf + 1, (size_t)len - 1, &back), 0);
	assert_true(back.id == resp.id && back.path_mtu == resp.path_mtu);
	assert_addr_equal(&back.target, &resp.target);
	assert_true(fips_coords_eq(&back.coords, &resp.coords));
	assert_memory_equal(back.proof, proof, sizeof(proof));
	assert_true(fips_lookup_verify(&c->pk, id.x, &back));
	assert_int_equal(fips_get_le16(buf + FIPS_LOOKUP_MTU_OFF), resp.path_mtu);
	json_decref(root);
}

/* Every bit of a response but those of path_mtu is under the proof. */
static void test_response_flips(void **state)
{
	struct vec_crypto *c = *state;
	json_t *root = vec_load("tree");
	struct vec_bytes msg = vec_hex(vec_get(vec_get(root, "lookup"), "response"), "message_hex");
	struct fips_lookup_response resp;
	struct fips_identity id;
	u8 sec[32];
	size_t bit;

	key_three(c, sec, &id);
	for (bit = 8; bit < msg.len * 8; bit++) {
		bool mtu = bit / 8 == FIPS_LOOKUP_MTU_OFF || bit / 8 == FIPS_LOOKUP_MTU_OFF + 1;

		msg.p[bit / 8] ^= (u8)(1 << bit % 8);
		if (!fips_lookup_response_parse(msg.p + 1, msg.len - 1, &resp))
			assert_int_equal(fips_lookup_verify(&c->pk, id.x, &resp), mtu);
		else
			assert_true(bit / 8 == 27 || bit / 8 == 28);
		msg.p[bit / 8] ^= (u8)(1 << bit % 8);
	}
	free(msg.p);
	json_decref(root);
}

static void test_request_flips(void **state)
{
	json_t *root = vec_load("tree");
	struct vec_bytes msg = vec_hex(vec_get(vec_get(root, "lookup"), "request"), "message_hex");
	struct fips_lookup_request req;
	u8 buf[200];
	size_t bit;
	int len;

	(void)state;
	for (bit = 8; bit < msg.len * 8; bit++) {
		msg.p[bit / 8] ^= (u8)(1 << bit % 8);
		if (!fips_lookup_request_parse(msg.p + 1, msg.len - 1, &req)) {
			len = fips_lookup_request_build(buf, sizeof(buf), &req);
			assert_memory_equal(buf, msg.p, (size_t)len);
			assert_int_equal(len == (int)msg.len, bit / 8 != 44);
		} else {
			assert_true(bit / 8 == 44 || bit / 8 == 45);
		}
		msg.p[bit / 8] ^= (u8)(1 << bit % 8);
	}
	free(msg.p);
	json_decref(root);
}

/* Every length of both messages, trailing bytes included. */
static void test_lengths(void **state)
{
	static const char *const names[] = { "request", "response" };
	json_t *root = vec_load("tree");
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct vec_bytes msg = vec_hex(vec_get(vec_get(root, "lookup"), names[i]),
					       "message_hex");
		struct fips_lookup_response resp;
		struct fips_lookup_request req;
		u8 *longer = calloc(1, msg.len + 20);
		size_t len;
		int n;

		memcpy(longer, msg.p, msg.len);
		for (len = 1; len < msg.len + 20; len++) {
			u8 *exact = vec_exact(longer + 1, len - 1);

			n = i ? fips_lookup_response_parse(exact, len - 1, &resp) :
				fips_lookup_request_parse(exact, len - 1, &req);
			assert_int_equal(n, len < msg.len ? -EPROTO : 0);
			free(exact);
		}
		n = i ? fips_lookup_response_parse(msg.p + 1, msg.len - 1, &resp) :
			fips_lookup_request_parse(msg.p + 1, msg.len - 1, &req);
		assert_int_equal(n, 0);
		for (len = 0; len < msg.len; len++) {
			u8 *exact = malloc(len);

			n = i ? fips_lookup_response_build(exact, len, &resp) :
				fips_lookup_request_build(exact, len, &req);
			assert_int_equal(n, -ENOSPC);
			free(exact);
		}
		free(longer);
		free(msg.p);
	}
	json_decref(root);
}

static void test_bounds(void **state)
{
	struct vec_crypto *c = *state;
	struct fips_node_addr *many = calloc(65535, sizeof(*many));
	u8 sec[32], proof[FIPS_SIG_LEN], buf[100];
	struct fips_lookup_response resp = { .coords = { many, 64 }, .proof = proof };
	struct fips_lookup_request req = { 0 };
	struct fips_identity id;
	size_t len;

	assert_non_null(many);
	key_three(c, sec, &id);
	assert_int_equal(fips_lookup_sign(&c->pk, &c->rng, sec, &resp, proof), 0);
	assert_true(fips_lookup_verify(&c->pk, id.x, &resp));
	resp.coords.count = 65;
	assert_int_equal(fips_lookup_sign(&c->pk, &c->rng, sec, &resp, proof), -E2BIG);
	assert_false(fips_lookup_verify(&c->pk, id.x, &resp));
	resp.coords.count = 65535;
	assert_false(fips_lookup_verify(&c->pk, id.x, &resp));
	resp.coords.count = 0;
	assert_int_equal(fips_lookup_response_build(buf, sizeof(buf), &resp), -EINVAL);
	assert_int_equal(fips_lookup_request_build(buf, sizeof(buf), &req), -EINVAL);
	resp.coords.count = 2;
	for (len = 0; len < 58; len++)
		assert_int_equal(fips_lookup_preimage(buf, len, 1, &resp.target, &resp.coords),
				 -ENOSPC);
	assert_int_equal(fips_lookup_preimage(buf, 58, 1, &resp.target, &resp.coords), 58);
	c->random.fail = -EIO;
	assert_int_equal(fips_lookup_sign(&c->pk, &c->rng, sec, &resp, proof), -EIO);
	free(many);
}

/* ------------------------------------------------- other sections of tree.json */

static void check_signal(const json_t *signals, const char *name, struct fips_fsp_signal_msg sig)
{
	struct fips_fsp_signal_msg back;
	u8 buf[300];
	int len;

	sig.dst = vec_addr(vec_get(signals, "fields"), "dest_addr");
	sig.reporter = vec_addr(vec_get(signals, "fields"), "reporter");
	len = fips_fsp_signal_build(buf, sizeof(buf), &sig);
	vec_expect(signals, name, buf, (size_t)len);
	assert_int_equal(fips_fsp_signal_parse(buf, (size_t)len, &back), 0);
	assert_int_equal(back.type, sig.type);
	assert_addr_equal(&back.dst, &sig.dst);
	assert_addr_equal(&back.reporter, &sig.reporter);
	assert_true(fips_coords_eq(&back.coords, &sig.coords));
	assert_int_equal(back.mtu, sig.mtu);
}

static void test_error_signals(void **state)
{
	json_t *root = vec_load("tree"), *signals = vec_get(root, "error_signals"), *dgram;
	struct fips_node_addr store[FIPS_COORDS_DEPTH];
	struct fips_coords coords = vec_coords(vec_get(vec_get(root, "lookup"), "response"),
					       "target_coords", store);
	struct vec_bytes payload = vec_hex(signals, "coords_required");
	struct fips_datagram d;
	u8 buf[200];
	int len;

	(void)state;
	check_signal(signals, "coords_required",
		     (struct fips_fsp_signal_msg) { .type = FIPS_FSP_COORDS_REQUIRED });
	check_signal(signals, "path_broken_with_coords",
		     (struct fips_fsp_signal_msg) {
			     .type = FIPS_FSP_PATH_BROKEN, .coords = coords });
	check_signal(signals, "path_broken_empty",
		     (struct fips_fsp_signal_msg) { .type = FIPS_FSP_PATH_BROKEN });
	check_signal(signals, "mtu_exceeded_1280",
		     (struct fips_fsp_signal_msg) { .type = FIPS_FSP_MTU_EXCEEDED, .mtu = 1280 });
	dgram = vec_get(signals, "as_session_datagram");
	vec_expect_str(dgram, "src", "reporter");
	d = (struct fips_datagram) {
		.ttl = (u8)vec_int(dgram, "ttl"),
		.path_mtu = (u16)vec_int(dgram, "path_mtu"),
		.src = vec_addr(vec_get(signals, "fields"), "reporter"),
		.dst = vec_addr(dgram, "dest"),
		.payload = payload.p,
		.len = payload.len,
	};
	len = fips_datagram_build(buf, sizeof(buf), &d);
	vec_expect(dgram, "message_hex", buf, (size_t)len);
	free(payload.p);
	json_decref(root);
}

/* The bytes of a forwarded datagram; who forwards is tested with the data planes. */
static void check_forwarding(const json_t *row)
{
	struct vec_bytes in = vec_hex(row, "in_hex");
	struct fips_link_message msg;
	struct fips_datagram *d = &msg.datagram;
	u8 buf[200];
	u64 mtu;
	int len;

	assert_int_equal(fips_link_message_parse(in.p, in.len, &msg), 0);
	vec_expect_int(row, "in_ttl", d->ttl);
	vec_expect_int(row, "in_path_mtu", d->path_mtu);
	vec_expect_str(row, "if_addressed_to_us", "deliver (TTL not checked)");
	mtu = vec_int(row, "out_link_mtu");
	if (d->ttl <= 1) {
		vec_expect_str(row, "transit", "drop ttl_exhausted");
		assert_int_equal(mtu, 1280);
	} else {
		d->ttl--;
		d->path_mtu = d->path_mtu < mtu ? d->path_mtu : (u16)mtu;
		len = fips_datagram_build(buf, sizeof(buf), d);
		vec_expect(row, "transit", buf, (size_t)len);
	}
	free(in.p);
}

static void test_forwarding(void **state)
{
	json_t *root = vec_load("tree"), *row;
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(vec_array(root, "forwarding")), 4);
	json_array_foreach(vec_array(root, "forwarding"), i, row)
		check_forwarding(row);
	json_decref(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_vector),
		vec_crypto_test(test_response_vector),
		vec_crypto_test(test_response_flips),
		cmocka_unit_test(test_request_flips),
		cmocka_unit_test(test_lengths),
		vec_crypto_test(test_bounds),
		cmocka_unit_test(test_error_signals),
		cmocka_unit_test(test_forwarding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
