// SPDX-License-Identifier: MIT
/*
 * ChaCha20-Poly1305 through libgcrypt or, with an engine, through Intel's
 * multi-buffer library. Contexts are kept for the life of a key; only the nonce
 * changes from frame to frame.
 */
#include <errno.h>
#include <gcrypt.h>
#include <string.h>

#include "aead.h"
#include "aead_engine.h"

int fips_aead_init(struct fips_aead *a, struct fips_aead_engine *engine, const u8 *key)
{
	if (engine) {
		a->engine = engine;
		memcpy(a->key, key, FIPS_KEY_LEN);
		a->loaded = true;
		return 0;
	}
	/* The library asks for this before its first use; repeating it is harmless. */
	if (!gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P)) {
		gcry_check_version(NULL);
		gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
		gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
	}
	if (gcry_cipher_open(&a->hd, GCRY_CIPHER_CHACHA20, GCRY_CIPHER_MODE_POLY1305, 0)) {
		a->hd = NULL;
		return -EOPNOTSUPP;
	}
	if (gcry_cipher_setkey(a->hd, key, FIPS_KEY_LEN)) {
		fips_aead_wipe(a);
		return -EOPNOTSUPP;
	}
	a->loaded = true;
	return 0;
}

void fips_aead_wipe(struct fips_aead *a)
{
	/* gcry_cipher_close() wipes the context. */
	if (a->hd)
		gcry_cipher_close(a->hd);
	explicit_bzero(a, sizeof(*a));
}

static void fips_gcrypt_begin(struct fips_aead *a, const u8 *nonce, const u8 *ad, size_t ad_len)
{
	gcry_cipher_setiv(a->hd, nonce, FIPS_NONCE_LEN);
	gcry_cipher_authenticate(a->hd, ad, ad_len);
}

static void fips_gcrypt_seal(struct fips_aead *a, const u8 *nonce, const u8 *ad, size_t ad_len,
			     u8 *out, const u8 *in, size_t len)
{
	fips_gcrypt_begin(a, nonce, ad, ad_len);
	if (in == out)
		gcry_cipher_encrypt(a->hd, out, len, NULL, 0);
	else
		gcry_cipher_encrypt(a->hd, out, len, in, len);
	gcry_cipher_gettag(a->hd, out + len, FIPS_TAG_LEN);
}

static bool fips_gcrypt_open(struct fips_aead *a, const u8 *nonce, const u8 *ad, size_t ad_len,
			     u8 *buf, size_t len)
{
	fips_gcrypt_begin(a, nonce, ad, ad_len);
	gcry_cipher_decrypt(a->hd, buf, len, NULL, 0);
	if (!gcry_cipher_checktag(a->hd, buf + len, FIPS_TAG_LEN))
		return true;
	/* A stream cipher: the same key stream once more gives the ciphertext back. */
	fips_gcrypt_begin(a, nonce, ad, ad_len);
	gcry_cipher_encrypt(a->hd, buf, len, NULL, 0);
	return false;
}

static bool fips_engine_open(struct fips_aead *a, const u8 *nonce, const u8 *ad, size_t ad_len,
			     u8 *buf, size_t len)
{
	u8 tag[FIPS_TAG_LEN], diff = 0;
	int i;

	fips_engine_crypt(a->engine, a->key, false, nonce, ad, ad_len, buf, buf, len, tag);
	for (i = 0; i < FIPS_TAG_LEN; i++)
		diff |= tag[i] ^ buf[len + i];
	if (!diff)
		return true;
	fips_engine_crypt(a->engine, a->key, true, nonce, ad, ad_len, buf, buf, len, tag);
	return false;
}

void fips_aead_seal(struct fips_aead *a, u64 ctr, const u8 *ad, size_t ad_len, u8 *out,
		    const u8 *in, size_t len)
{
	u8 nonce[FIPS_NONCE_LEN];

	fips_put_nonce(nonce, ctr);
	if (a->engine)
		fips_engine_crypt(a->engine, a->key, true, nonce, ad, ad_len, out, in, len,
				  out + len);
	else
		fips_gcrypt_seal(a, nonce, ad, ad_len, out, in, len);
}

bool fips_aead_open(struct fips_aead *a, u64 ctr, const u8 *ad, size_t ad_len, u8 *buf, size_t len)
{
	u8 nonce[FIPS_NONCE_LEN];

	fips_put_nonce(nonce, ctr);
	if (a->engine)
		return fips_engine_open(a, nonce, ad, ad_len, buf, len);
	return fips_gcrypt_open(a, nonce, ad, ad_len, buf, len);
}
