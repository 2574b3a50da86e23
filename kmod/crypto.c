// SPDX-License-Identifier: GPL-2.0-only
/*
 * AEAD of both layers, in place on linear memory.
 *
 * The linear calls of lib/crypto check the tag before they decrypt, so that a
 * failed trial leaves the frame as it was and the next key can be tried. The
 * scatter-list calls do not: they must not be used here.
 */
#include <crypto/chacha20poly1305.h>
#include <linux/build_bug.h>

#include <fips/wire.h>

#include "crypto.h"

static_assert(CHACHA20POLY1305_KEY_SIZE == FIPS_KEY_LEN);
static_assert(CHACHA20POLY1305_AUTHTAG_SIZE == FIPS_TAG_LEN);

/**
 * fips_crypto_seal() - encrypt in place and append the tag
 * @text: plaintext, with %FIPS_TAG_LEN writable bytes behind it
 * @len: its length without the tag
 * @hdr: finished frame header, authenticated as it stands
 * @hdr_len: its length
 * @ctr: counter, never used with @key before
 * @key: sending key
 *
 * Context: any that may use the FPU or fall back to the generic code.
 */
void fips_crypto_seal(u8 *text, size_t len, const u8 *hdr, size_t hdr_len, u64 ctr, const u8 *key)
{
	chacha20poly1305_encrypt(text, text, len, hdr, hdr_len, ctr, key);
}

/**
 * fips_crypto_open() - check the tag and decrypt in place
 * @text: ciphertext with its tag
 * @len: its length, the tag included
 * @hdr: frame header as received
 * @hdr_len: its length
 * @ctr: counter from the header
 * @key: receiving key
 *
 * Return: true if it authenticated; otherwise @text is unchanged.
 */
bool fips_crypto_open(u8 *text, size_t len, const u8 *hdr, size_t hdr_len, u64 ctr, const u8 *key)
{
	return chacha20poly1305_decrypt(text, text, len, hdr, hdr_len, ctr, key);
}
