/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * AEAD of both layers on linear memory: ChaCha20-Poly1305 with the 16-byte
 * (link) or 12-byte (session) header as associated data and the counter as
 * nonce (spec 02 §9).
 */
#ifndef _FIPS_CRYPTO_H
#define _FIPS_CRYPTO_H

#include <linux/compiler.h>
#include <linux/types.h>

#define FIPS_CRYPTO_BLOCK	64	/* ChaCha20 */

void fips_crypto_seal(u8 *text, size_t len, const u8 *hdr, size_t hdr_len, size_t room, u64 ctr,
		      const u8 *key);
bool __must_check fips_crypto_open(u8 *text, size_t len, const u8 *hdr, size_t hdr_len, u64 ctr,
				   const u8 *key);

#endif /* _FIPS_CRYPTO_H */
