// SPDX-License-Identifier: MIT
/*
 * The real public-key table, over libsecp256k1.
 *
 * The context is created and blinded once and only read after that, which is
 * what makes the calls safe from several threads.
 */
#include "pk.h"

#include <errno.h>
#include <secp256k1.h>
#include <secp256k1_ecdh.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>
#include <sodium.h>

static bool pk_scalar_valid(void *ctx, const u8 *sec)
{
	return secp256k1_ec_seckey_verify(ctx, sec);
}

static void pk_serialize(void *ctx, const secp256k1_pubkey *point, u8 *pub33)
{
	size_t len = FIPS_PUB33_LEN;

	secp256k1_ec_pubkey_serialize(ctx, pub33, &len, point, SECP256K1_EC_COMPRESSED);
}

static int pk_pubkey(void *ctx, const u8 *sec, u8 *pub33)
{
	secp256k1_pubkey point;

	if (!secp256k1_ec_pubkey_create(ctx, &point, sec))
		return -EINVAL;
	pk_serialize(ctx, &point, pub33);
	return 0;
}

static int pk_lift_x(void *ctx, const u8 *x, u8 *pub33)
{
	secp256k1_xonly_pubkey point;

	if (!secp256k1_xonly_pubkey_parse(ctx, &point, x))
		return -EINVAL;
	pub33[0] = 0x02;
	memcpy(pub33 + 1, x, FIPS_KEY_LEN);
	return 0;
}

/* Compressed only: the library would also take other prefixes at other lengths. */
static bool pk_parse(void *ctx, const u8 *pub33, secp256k1_pubkey *point)
{
	return (pub33[0] == 0x02 || pub33[0] == 0x03) &&
	       secp256k1_ec_pubkey_parse(ctx, point, pub33, FIPS_PUB33_LEN);
}

static bool pk_point_valid(void *ctx, const u8 *pub33)
{
	secp256k1_pubkey point;

	return pk_parse(ctx, pub33, &point);
}

/* Not the library's default, which hashes the compressed point (02 §2.1). */
static int pk_hash_x(unsigned char *out, const unsigned char *x32, const unsigned char *y32,
		     void *data)
{
	(void)y32;
	(void)data;
	crypto_hash_sha256(out, x32, FIPS_KEY_LEN);
	return 1;
}

static int pk_ecdh(void *ctx, const u8 *sec, const u8 *pub33, u8 *out)
{
	secp256k1_pubkey point;

	if (!pk_parse(ctx, pub33, &point))
		return -EINVAL;
	return secp256k1_ecdh(ctx, out, &point, sec, pk_hash_x, NULL) ? 0 : -EINVAL;
}

static int pk_sign(void *ctx, const u8 *sec, const u8 *digest, const u8 *aux, u8 *sig)
{
	secp256k1_keypair pair;
	int ok;

	ok = secp256k1_keypair_create(ctx, &pair, sec) &&
	     secp256k1_schnorrsig_sign32(ctx, sig, digest, &pair, aux);
	sodium_memzero(&pair, sizeof(pair));
	return ok ? 0 : -EINVAL;
}

static bool pk_verify(void *ctx, const u8 *x, const u8 *digest, const u8 *sig)
{
	secp256k1_xonly_pubkey point;

	return secp256k1_xonly_pubkey_parse(ctx, &point, x) &&
	       secp256k1_schnorrsig_verify(ctx, sig, digest, FIPS_KEY_LEN, &point);
}

static void pk_destroy(void *ctx)
{
	secp256k1_context_destroy(ctx);
}

static const struct fips_pk_ops pk_secp256k1 = {
	.scalar_valid = pk_scalar_valid,
	.pubkey = pk_pubkey,
	.lift_x = pk_lift_x,
	.point_valid = pk_point_valid,
	.ecdh = pk_ecdh,
	.sign = pk_sign,
	.verify = pk_verify,
	.destroy = pk_destroy,
};

int fips_pk_init(struct fips_pk *pk, const struct fips_rng *rng)
{
	secp256k1_context *ctx;
	u8 seed[32];
	int err;

	if (sodium_init() < 0)
		return -ENOMEM;
	err = fips_random(rng, seed, sizeof(seed));
	if (err)
		return err;
	ctx = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
	if (!ctx || !secp256k1_context_randomize(ctx, seed)) {
		secp256k1_context_destroy(ctx);
		err = -ENOMEM;
	} else {
		pk->ops = &pk_secp256k1;
		pk->ctx = ctx;
	}
	sodium_memzero(seed, sizeof(seed));
	return err;
}

void fips_pk_destroy(struct fips_pk *pk)
{
	if (pk->ops && pk->ops->destroy)
		pk->ops->destroy(pk->ctx);
	pk->ops = NULL;
	pk->ctx = NULL;
}

int fips_pk_new_secret(const struct fips_pk *pk, const struct fips_rng *rng, u8 *sec, u8 *pub33)
{
	int tries, err;

	/* One draw in 2^128 misses; a source that keeps missing is broken. */
	for (tries = 0; tries < 16; tries++) {
		err = fips_random(rng, sec, FIPS_KEY_LEN);
		if (err)
			break;
		err = fips_pk_pubkey(pk, sec, pub33);
		if (!err)
			return 0;
	}
	sodium_memzero(sec, FIPS_KEY_LEN);
	return err == -EINVAL ? -EIO : err;
}

int fips_pk_sign_data(const struct fips_pk *pk, const struct fips_rng *rng, const u8 *sec,
		      const void *data, size_t len, u8 *sig)
{
	u8 digest[crypto_hash_sha256_BYTES], aux[32];
	int err;

	err = fips_random(rng, aux, sizeof(aux));
	if (err)
		return err;
	crypto_hash_sha256(digest, data, len);
	err = pk->ops->sign(pk->ctx, sec, digest, aux, sig);
	sodium_memzero(aux, sizeof(aux));
	return err;
}

bool fips_pk_verify_data(const struct fips_pk *pk, const u8 *x, const void *data, size_t len,
			 const u8 *sig)
{
	u8 digest[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(digest, data, len);
	return pk->ops->verify(pk->ctx, x, digest, sig);
}
