// SPDX-License-Identifier: MIT
/*
 * Any text as an npub, an nsec, a secret and a key file.
 */
#include <ctype.h>

#include "fuzz.h"
#include "keyfile.h"

static const struct fips_pk pk = { &fake_ops, NULL };

/* What was decoded is what its text says. */
static void check_text(const char *hrp, const char *text, size_t len, const u8 *key, int lax)
{
	char again[FIPS_BECH32_KEY_LEN + 1];
	size_t i, same = 0;

	FUZZ_CHECK(len == FIPS_BECH32_KEY_LEN && lax >= 0 && lax <= 3);
	fips_bech32_encode_key(hrp, key, again);
	for (i = 0; i < len && again[i] == tolower((unsigned char)text[i]); i++)
		same++;
	/* Other padding shows from the last symbol of the data, another checksum behind it. */
	if (lax & FIPS_BECH32_LAX_PADDING)
		FUZZ_CHECK(same == 56);
	else if (lax)
		FUZZ_CHECK(same >= 57 && same < len);
	else
		FUZZ_CHECK(same == len);
}

static void fuzz_hrp(const char *hrp, const char *text, size_t len)
{
	u8 key[32];
	int lax = fips_bech32_decode_key(hrp, text, len, key);

	if (lax >= 0)
		check_text(hrp, text, len, key, lax);
}

static void fuzz_keyfile(const char *text, size_t len)
{
	static struct fips_secrets *secrets;	/* kept: mapping costs most */
	struct fips_keyfile_env env = { .pk = &pk };
	struct fips_keypair kp;
	u8 next = 1, sec[32];
	int ret;

	env.rng.random = fake_random;
	env.rng.ctx = &next;
	if (!secrets)
		FUZZ_CHECK(!fips_secrets_new(&secrets));
	env.secrets = secrets;
	ret = fips_keyfile_parse(&env, "fips.key", text, len, &kp);
	if (!ret)
		fips_keypair_destroy(&kp);
	else
		FUZZ_CHECK(env.error[0]);
	/* A file is at least as lenient as the option. */
	if (fips_secret_parse(&pk, text, len, sec) >= 0)
		FUZZ_CHECK(!ret);
	FUZZ_CHECK(!fips_secrets_used(secrets));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct fips_identity id;

	fuzz_hrp("npub", text, size);
	fuzz_hrp("nsec", text, size);
	if (fips_identity_from_npub(&pk, text, size, &id) >= 0)
		FUZZ_CHECK(id.ipv6[0] == 0xfd && id.npub[FIPS_BECH32_KEY_LEN] == '\0');
	fuzz_keyfile(text, size);
	fips_hostname_valid(text, size);
	return 0;
}
