/* SPDX-License-Identifier: MIT */
/*
 * Bulk ChaCha20-Poly1305 (RFC 8439) of the user data plane, behind one door.
 *
 * Measured before choosing (AMD EPYC with AVX-512, one core, in place, context
 * kept, CPU time in ns, seal/open):
 *
 *	bytes   ipsec-mb   libgcrypt   libcrypto 3.0   libsodium
 *	   64    155        261/245      404/417          353
 *	 1280    495        730/597      797/809        3,121
 *	 1400    524        937/802      993/1,013      3,417
 *
 * So libgcrypt is the one that is always there, and Intel's multi-buffer library
 * is used where the machine has AVX-512 IFMA and the library is installed. It is
 * loaded by hand, so that nobody else pays for its 12 MiB.
 */
#ifndef FIPS_AEAD_H
#define FIPS_AEAD_H

#include <fips/wire.h>

struct fips_aead_engine;

/**
 * struct fips_aead - one key, loaded and ready
 * @engine: accelerator to use, or NULL
 * @hd: context of libgcrypt, without @engine
 * @key: with @engine
 * @loaded: fips_aead_init() has been called
 *
 * One thread at a time, and no two with the same @engine at the same time.
 */
struct fips_aead {
	struct fips_aead_engine *engine;
	struct gcry_cipher_handle *hd;
	u8 key[FIPS_KEY_LEN];
	bool loaded;
};

/**
 * fips_aead_engine_new() - an accelerator for one thread
 *
 * Return: given; NULL if this machine has none, which is no error.
 */
struct fips_aead_engine *fips_aead_engine_new(void);

/* After the last fips_aead that uses it. NULL is fine. */
void fips_aead_engine_free(struct fips_aead_engine *e);

/**
 * fips_aead_init() - load a key
 * @a: zeroed, or wiped with fips_aead_wipe()
 * @engine: borrowed, or NULL
 * @key: %FIPS_KEY_LEN bytes
 *
 * Return: 0, or -EOPNOTSUPP if the library refuses the cipher.
 */
int fips_aead_init(struct fips_aead *a, struct fips_aead_engine *engine, const u8 *key);

/* Wipe and free; a zeroed @a is fine. */
void fips_aead_wipe(struct fips_aead *a);

/**
 * fips_aead_seal() - encrypt and authenticate
 * @a: loaded key
 * @ctr: counter, becomes the nonce (spec 02 §2)
 * @ad: associated data
 * @ad_len: its length
 * @out: @len + %FIPS_TAG_LEN bytes, written; may be @in, must not overlap it otherwise
 * @in: plaintext
 * @len: its length
 */
void fips_aead_seal(struct fips_aead *a, u64 ctr, const u8 *ad, size_t ad_len, u8 *out,
		    const u8 *in, size_t len);

/**
 * fips_aead_open() - check and decrypt in place
 * @a: loaded key
 * @ctr: counter
 * @ad: associated data
 * @ad_len: its length
 * @buf: ciphertext, then the tag
 * @len: length of the ciphertext, without the tag
 *
 * Return: true if the tag is right. If it is not, @buf is as it was before, so
 * that another key can be tried.
 */
bool fips_aead_open(struct fips_aead *a, u64 ctr, const u8 *ad, size_t ad_len, u8 *buf,
		    size_t len);

#endif /* FIPS_AEAD_H */
