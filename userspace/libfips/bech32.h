/* SPDX-License-Identifier: MIT */
/*
 * Bech32 as Nostr uses it for 32-byte keys (BIP-173, NIP-19; spec 01 §3).
 */
#ifndef _LIBFIPS_BECH32_H
#define _LIBFIPS_BECH32_H

#include <fips/types.h>

/* "npub1" or "nsec1", 52 symbols, 6 of checksum */
#define FIPS_BECH32_KEY_LEN	63

/**
 * enum fips_bech32_lax - what a strict decoder would have refused
 * @FIPS_BECH32_LAX_CHECKSUM: bech32m checksum
 * @FIPS_BECH32_LAX_PADDING: the four padding bits are not zero
 *
 * The other implementations accept both and emit neither (spec 01 §3, §13).
 */
enum fips_bech32_lax {
	FIPS_BECH32_LAX_CHECKSUM	= 1,
	FIPS_BECH32_LAX_PADDING		= 2,
};

/**
 * fips_bech32_encode_key() - text of a 32-byte key
 * @hrp: "npub" or "nsec" (4 characters)
 * @key: 32 bytes
 * @text: %FIPS_BECH32_KEY_LEN + 1 bytes, written and NUL-terminated
 */
void fips_bech32_encode_key(const char *hrp, const u8 *key, char *text);

/**
 * fips_bech32_decode_key() - key of a text
 * @hrp: the prefix that must be there; compared without case
 * @text: text, need not be NUL-terminated; all lower or all upper case
 * @len: its length
 * @key: 32 bytes, written only on success
 *
 * Return: 0 or bits of &enum fips_bech32_lax, else
 * -EINVAL (not bech32: length, character, case, checksum),
 * -EDOM (sound bech32, but another prefix), -EMSGSIZE (sound, not 32 bytes).
 */
int fips_bech32_decode_key(const char *hrp, const char *text, size_t len, u8 *key);

#endif /* _LIBFIPS_BECH32_H */
