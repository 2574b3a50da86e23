// SPDX-License-Identifier: GPL-2.0-only
/*
 * AEAD of both layers, in place on linear memory: RFC 8439 put together from
 * the ChaCha20 and Poly1305 of lib/crypto.
 *
 * chacha20poly1305_encrypt() and _decrypt() there compute the same, and the
 * KUnit suite compares. They spend a generic ChaCha block on each Poly1305 key
 * and five short updates on each tag, a fifth of a full frame's instructions
 * where ChaCha20 has SIMD. Here the key's block is computed in one run with
 * the text, in the headroom in front of it, or else as the first of two blocks,
 * which SIMD takes; header, text and lengths go in as few updates as they can.
 *
 * Opening checks the tag before it decrypts, so that a failed trial leaves the
 * frame as it was and the next key can be tried.
 */
#include <crypto/poly1305.h>
#include <linux/build_bug.h>
#include <linux/string.h>
#include <fips/wire.h>

#include "compat.h"
#include "crypto.h"

static_assert(POLY1305_KEY_SIZE <= FIPS_CRYPTO_BLOCK);
static_assert(POLY1305_DIGEST_SIZE == FIPS_TAG_LEN);

/* Tag over header and ciphertext, each padded to 16 bytes, and both lengths. */
static void fips_crypto_tag(u8 *tag, const u8 *text, size_t len, const u8 *hdr, size_t hdr_len,
			    const u8 *poly_key)
{
	size_t whole = round_down(len, POLY1305_BLOCK_SIZE), rest = len - whole;
	size_t pad = rest ? POLY1305_BLOCK_SIZE : 0;
	u8 block[POLY1305_BLOCK_SIZE] = {}, tail[2 * POLY1305_BLOCK_SIZE] = {};
	struct poly1305_desc_ctx poly;

	poly1305_init(&poly, poly_key);
	if (hdr_len == POLY1305_BLOCK_SIZE && hdr + hdr_len == text) {
		poly1305_update(&poly, hdr, hdr_len + whole);
	} else {
		memcpy(block, hdr, hdr_len);
		poly1305_update(&poly, block, sizeof(block));
		poly1305_update(&poly, text, whole);
	}
	memcpy(tail, text + whole, rest);
	fips_put_le64(tail + pad, hdr_len);
	fips_put_le64(tail + pad + 8, len);
	poly1305_update(&poly, tail, pad + POLY1305_BLOCK_SIZE);
	poly1305_final(&poly, tag);
}

/* First half of block 0: the key of the tag. */
static void fips_crypto_poly_key(u8 *blocks, u64 ctr, const u8 *key)
{
	memset(blocks, 0, 2 * FIPS_CRYPTO_BLOCK);
	fips_compat_chacha20(blocks, blocks, 2 * FIPS_CRYPTO_BLOCK, key, ctr, 0);
}

/**
 * fips_crypto_seal() - encrypt in place and append the tag
 * @text: plaintext, with %FIPS_TAG_LEN writable bytes behind it
 * @len: its length without the tag
 * @hdr: finished frame header, authenticated as it stands
 * @hdr_len: its length, up to 16
 * @room: bytes in front of @hdr that may be overwritten
 * @ctr: counter, never used with @key before
 * @key: sending key
 *
 * Fastest if @hdr ends where @text begins and @hdr_len + @room is at least
 * %FIPS_CRYPTO_BLOCK.
 *
 * Context: any; in those that may not use the FPU the generic code runs.
 */
void fips_crypto_seal(u8 *text, size_t len, const u8 *hdr, size_t hdr_len, size_t room, u64 ctr,
		      const u8 *key)
{
	u8 blocks[2 * FIPS_CRYPTO_BLOCK], saved[POLY1305_BLOCK_SIZE];

	if (likely(hdr + hdr_len == text && hdr_len + room >= FIPS_CRYPTO_BLOCK)) {
		u8 *front = text - FIPS_CRYPTO_BLOCK;

		memcpy(saved, hdr, hdr_len);
		memset(front, 0, FIPS_CRYPTO_BLOCK);
		fips_compat_chacha20(front, front, FIPS_CRYPTO_BLOCK + len, key, ctr, 0);
		memcpy(blocks, front, POLY1305_KEY_SIZE);
		memset(front, 0, FIPS_CRYPTO_BLOCK);
		memcpy(text - hdr_len, saved, hdr_len);
	} else {
		fips_crypto_poly_key(blocks, ctr, key);
		fips_compat_chacha20(text, text, len, key, ctr, 1);
	}
	fips_crypto_tag(text + len, text, len, hdr, hdr_len, blocks);
	memzero_explicit(blocks, sizeof(blocks));
}

/**
 * fips_crypto_open() - check the tag and decrypt in place
 * @text: ciphertext with its tag
 * @len: its length, the tag included, at least %FIPS_TAG_LEN
 * @hdr: frame header as received
 * @hdr_len: its length, up to 16
 * @ctr: counter from the header
 * @key: receiving key
 *
 * Return: true if it authenticated; otherwise @text is unchanged.
 */
bool fips_crypto_open(u8 *text, size_t len, const u8 *hdr, size_t hdr_len, u64 ctr, const u8 *key)
{
	u8 blocks[2 * FIPS_CRYPTO_BLOCK], tag[FIPS_TAG_LEN];
	bool ok;

	len -= FIPS_TAG_LEN;
	fips_crypto_poly_key(blocks, ctr, key);
	fips_crypto_tag(tag, text, len, hdr, hdr_len, blocks);
	memzero_explicit(blocks, sizeof(blocks));
	ok = !crypto_memneq(tag, text + len, FIPS_TAG_LEN);
	if (likely(ok))
		fips_compat_chacha20(text, text, len, key, ctr, 1);
	return ok;
}
