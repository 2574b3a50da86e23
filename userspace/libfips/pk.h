/* SPDX-License-Identifier: MIT */
/*
 * Public-key cryptography behind a table: libsecp256k1 in the daemon,
 * memoised or faked in the simulator and the fuzzers (spec 01 §2, §6; 02 §2.1).
 */
#ifndef _LIBFIPS_PK_H
#define _LIBFIPS_PK_H

#include <fips/types.h>

#define FIPS_PUB33_LEN		33
#define FIPS_SIG_LEN		64

/**
 * struct fips_rng - where random bytes come from
 * @random: fill @buf with @len bytes; 0 or a negative errno
 * @ctx: passed back
 */
struct fips_rng {
	int (*random)(void *ctx, void *buf, size_t len);
	void *ctx;
};

static inline int fips_random(const struct fips_rng *rng, void *buf, size_t len)
{
	return rng->random(rng->ctx, buf, len);
}

/**
 * struct fips_pk_ops - what the protocol needs of secp256k1
 * @scalar_valid: is 1 <= @sec < n? (01 §1)
 * @pubkey: compressed point of a secret, true parity; -EINVAL if @sec is no scalar
 * @lift_x: even point of an x-only key; -EINVAL if there is none (01 §2.2)
 * @point_valid: prefix 02 or 03, x < p, on the curve?
 * @ecdh: SHA256(x of @sec * @pub33), parity does not matter (02 §2.1); -EINVAL
 * @sign: BIP-340 over a 32-byte digest with auxiliary randomness; -EINVAL
 * @verify: BIP-340, x-only key
 * @destroy: end of the context; may be NULL
 *
 * All are safe to call from several threads at once, except @destroy.
 */
struct fips_pk_ops {
	bool (*scalar_valid)(void *ctx, const u8 *sec);
	int (*pubkey)(void *ctx, const u8 *sec, u8 *pub33);
	int (*lift_x)(void *ctx, const u8 *x, u8 *pub33);
	bool (*point_valid)(void *ctx, const u8 *pub33);
	int (*ecdh)(void *ctx, const u8 *sec, const u8 *pub33, u8 *out);
	int (*sign)(void *ctx, const u8 *sec, const u8 *digest, const u8 *aux, u8 *sig);
	bool (*verify)(void *ctx, const u8 *x, const u8 *digest, const u8 *sig);
	void (*destroy)(void *ctx);
};

struct fips_pk {
	const struct fips_pk_ops *ops;
	void *ctx;
};

/**
 * fips_pk_init() - libsecp256k1, its context built and blinded once
 * @pk: written; fips_pk_destroy() it
 * @rng: 32 bytes for the blinding
 *
 * Return: 0, -ENOMEM or the error of @rng.
 */
int fips_pk_init(struct fips_pk *pk, const struct fips_rng *rng);
void fips_pk_destroy(struct fips_pk *pk);

static inline bool fips_pk_scalar_valid(const struct fips_pk *pk, const u8 *sec)
{
	return pk->ops->scalar_valid(pk->ctx, sec);
}

static inline int fips_pk_pubkey(const struct fips_pk *pk, const u8 *sec, u8 *pub33)
{
	return pk->ops->pubkey(pk->ctx, sec, pub33);
}

static inline int fips_pk_lift_x(const struct fips_pk *pk, const u8 *x, u8 *pub33)
{
	return pk->ops->lift_x(pk->ctx, x, pub33);
}

static inline bool fips_pk_point_valid(const struct fips_pk *pk, const u8 *pub33)
{
	return pk->ops->point_valid(pk->ctx, pub33);
}

static inline int fips_pk_ecdh(const struct fips_pk *pk, const u8 *sec, const u8 *pub33, u8 *out)
{
	return pk->ops->ecdh(pk->ctx, sec, pub33, out);
}

/**
 * fips_pk_new_secret() - draw a scalar, again until it is valid
 * @pk: the table
 * @rng: 32 bytes a try
 * @sec: 32 bytes, written; in locked memory, please
 * @pub33: its compressed point
 *
 * Return: 0, the error of @rng, or -EIO if it never gives a scalar (then @sec is wiped).
 */
int fips_pk_new_secret(const struct fips_pk *pk, const struct fips_rng *rng, u8 *sec, u8 *pub33);

/**
 * fips_pk_sign_data() - BIP-340 over SHA256(data), as all FIPS messages are signed (01 §6)
 * @pk: the table
 * @rng: 32 bytes of auxiliary randomness
 * @sec: secret
 * @data: serialised fields
 * @len: their length
 * @sig: %FIPS_SIG_LEN bytes, written
 *
 * Return: 0, -EINVAL or the error of @rng.
 */
int fips_pk_sign_data(const struct fips_pk *pk, const struct fips_rng *rng, const u8 *sec,
		      const void *data, size_t len, u8 *sig);
bool fips_pk_verify_data(const struct fips_pk *pk, const u8 *x, const void *data, size_t len,
			 const u8 *sig);

#endif /* _LIBFIPS_PK_H */
