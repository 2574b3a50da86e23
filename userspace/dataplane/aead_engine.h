/* SPDX-License-Identifier: MIT */
/* Between aead.c and the accelerator it may use. */
#ifndef FIPS_AEAD_ENGINE_H
#define FIPS_AEAD_ENGINE_H

#include <fips/types.h>

#define FIPS_NONCE_LEN		12

struct fips_aead_engine;

/* Encrypt or decrypt @in to @out (the same or apart) and compute the tag over the ciphertext. */
void fips_engine_crypt(struct fips_aead_engine *e, const u8 *key, bool seal, const u8 *nonce,
		       const u8 *ad, size_t ad_len, u8 *out, const u8 *in, size_t len, u8 *tag);

#endif /* FIPS_AEAD_ENGINE_H */
