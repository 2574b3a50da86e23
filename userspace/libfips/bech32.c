// SPDX-License-Identifier: MIT
/*
 * Bech32 for 32-byte keys (BIP-173), without the general case.
 *
 * Texts may be secrets, so nothing here branches or indexes memory by a symbol
 * longer than the alphabet's table, and copies are wiped.
 */
#include "bech32.h"

#include <errno.h>
#include <sodium.h>

#define HRP_LEN		4
#define CHECKSUM_LEN	6
#define DATA_LEN	52	/* 256 bits and four of padding, five a symbol */
#define TEXT_MAX	90	/* BIP-173's limit for any bech32 text */

#define CONST_BECH32	1u
#define CONST_BECH32M	0x2bc830a3u

static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static u32 polymod_step(u32 chk, u8 sym)
{
	static const u32 gen[5] = {
		0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3
	};
	u32 top = chk >> 25;
	int i;

	chk = (chk & 0x1ffffff) << 5 ^ sym;
	for (i = 0; i < 5; i++)
		chk ^= gen[i] & (0u - (top >> i & 1));
	return chk;
}

static u32 polymod_hrp(const char *hrp, size_t len)
{
	u32 chk = 1;
	size_t i;

	for (i = 0; i < len; i++)
		chk = polymod_step(chk, (u8)hrp[i] >> 5);
	chk = polymod_step(chk, 0);
	for (i = 0; i < len; i++)
		chk = polymod_step(chk, (u8)hrp[i] & 31);
	return chk;
}

static void pack_symbols(const u8 *key, u8 *sym)
{
	unsigned int acc = 0, bits = 0;
	size_t i, n = 0;

	for (i = 0; i < FIPS_KEY_LEN; i++) {
		acc = (acc << 8 | key[i]) & 0xfff;
		for (bits += 8; bits >= 5; bits -= 5)
			sym[n++] = acc >> (bits - 5) & 31;
	}
	sym[n] = (u8)(acc << (5 - bits) & 31);
}

void fips_bech32_encode_key(const char *hrp, const u8 *key, char *text)
{
	u8 sym[DATA_LEN];
	u32 chk = polymod_hrp(hrp, HRP_LEN);
	int i;

	pack_symbols(key, sym);
	memcpy(text, hrp, HRP_LEN);
	text += HRP_LEN;
	*text++ = '1';
	for (i = 0; i < DATA_LEN; i++) {
		chk = polymod_step(chk, sym[i]);
		*text++ = alphabet[sym[i]];
	}
	for (i = 0; i < CHECKSUM_LEN; i++)
		chk = polymod_step(chk, 0);
	chk ^= CONST_BECH32;
	for (i = 0; i < CHECKSUM_LEN; i++)
		*text++ = alphabet[chk >> 5 * (CHECKSUM_LEN - 1 - i) & 31];
	*text = '\0';
	sodium_memzero(sym, sizeof(sym));
}

/* Printable, one case only; a lower-case copy. */
static int to_lower(const char *text, size_t len, char *lower)
{
	bool has_lower = false, has_upper = false;
	size_t i;

	for (i = 0; i < len; i++) {
		lower[i] = text[i];
		if (text[i] < 33 || text[i] > 126)
			return -EINVAL;
		if (text[i] >= 'a' && text[i] <= 'z')
			has_lower = true;
		if (text[i] >= 'A' && text[i] <= 'Z') {
			has_upper = true;
			lower[i] = (char)(text[i] | 0x20);
		}
	}
	return has_lower && has_upper ? -EINVAL : 0;
}

static int symbol_of(char c)
{
	int i, sym = -1;

	for (i = 0; i < 32; i++)
		if (alphabet[i] == c)
			sym = i;
	return sym;
}

/* Symbols of the part behind the separator, checksum verified: bits of enum fips_bech32_lax. */
static int read_symbols(const char *lower, size_t hrp_len, size_t len, u8 *sym)
{
	u32 chk = polymod_hrp(lower, hrp_len);
	size_t i;
	int s;

	for (i = hrp_len + 1; i < len; i++) {
		s = symbol_of(lower[i]);
		if (s < 0)
			return -EINVAL;
		chk = polymod_step(chk, (u8)s);
		*sym++ = (u8)s;
	}
	if (chk == CONST_BECH32)
		return 0;
	return chk == CONST_BECH32M ? FIPS_BECH32_LAX_CHECKSUM : -EINVAL;
}

static void unpack_symbols(const u8 *sym, u8 *key)
{
	unsigned int acc = 0, bits = 0;
	size_t i, n = 0;

	for (i = 0; i < DATA_LEN; i++) {
		acc = (acc << 5 | sym[i]) & 0xfff;
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			key[n++] = (u8)(acc >> bits);
		}
	}
}

static int decode(const char *hrp, const char *lower, size_t len, u8 *sym, u8 *key)
{
	size_t hrp_len = len;
	int lax;

	/* The separator is the last '1'. */
	while (hrp_len && lower[hrp_len - 1] != '1')
		hrp_len--;
	if (hrp_len < 2 || len - hrp_len < CHECKSUM_LEN)
		return -EINVAL;
	hrp_len--;
	lax = read_symbols(lower, hrp_len, len, sym);
	if (lax < 0)
		return lax;
	if (hrp_len != HRP_LEN || memcmp(lower, hrp, HRP_LEN))
		return -EDOM;
	if (len != FIPS_BECH32_KEY_LEN)
		return -EMSGSIZE;
	unpack_symbols(sym, key);
	return lax | (sym[DATA_LEN - 1] & 0x0f ? FIPS_BECH32_LAX_PADDING : 0);
}

int fips_bech32_decode_key(const char *hrp, const char *text, size_t len, u8 *key)
{
	char lower[TEXT_MAX];
	u8 sym[TEXT_MAX];
	int ret;

	if (!len || len > TEXT_MAX)
		return -EINVAL;
	ret = to_lower(text, len, lower);
	if (!ret)
		ret = decode(hrp, lower, len, sym, key);
	sodium_memzero(lower, sizeof(lower));
	sodium_memzero(sym, sizeof(sym));
	return ret;
}
