// SPDX-License-Identifier: MIT
/*
 * Identities and their texts (spec 01).
 */
#include "identity.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sodium.h>

#define HRP_NPUB	"npub"
#define HRP_NSEC	"nsec"
#define NSEC_PREFIX	"nsec1"
#define NPUB_PREFIX	"npub1"
#define PREFIX_LEN	5
#define HOSTNAME_MAX	63

void fips_node_addr_from_x(const u8 *x, struct fips_node_addr *addr)
{
	u8 digest[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(digest, x, FIPS_KEY_LEN);
	memcpy(addr->b, digest, FIPS_NODE_ADDR_LEN);
}

/* All forms of a key that is known to be a point. */
static void identity_fill(struct fips_identity *id, const u8 *pub33)
{
	memcpy(id->pub33, pub33, FIPS_PUB33_LEN);
	memcpy(id->x, pub33 + 1, FIPS_KEY_LEN);
	fips_node_addr_from_x(id->x, &id->addr);
	fips_node_addr_to_ipv6(&id->addr, id->ipv6);
	fips_bech32_encode_key(HRP_NPUB, id->x, id->npub);
}

int fips_identity_from_x(const struct fips_pk *pk, const u8 *x, struct fips_identity *id)
{
	u8 pub33[FIPS_PUB33_LEN];

	if (fips_pk_lift_x(pk, x, pub33))
		return -EINVAL;
	identity_fill(id, pub33);
	return 0;
}

int fips_identity_from_pub33(const struct fips_pk *pk, const u8 *pub33, struct fips_identity *id)
{
	if (!fips_pk_point_valid(pk, pub33))
		return -EINVAL;
	identity_fill(id, pub33);
	return 0;
}

int fips_identity_from_npub(const struct fips_pk *pk, const char *text, size_t len,
			    struct fips_identity *id)
{
	u8 x[FIPS_KEY_LEN];
	int lax = fips_bech32_decode_key(HRP_NPUB, text, len, x);

	if (lax < 0)
		return lax;
	return fips_identity_from_x(pk, x, id) ? -ERANGE : lax;
}

int fips_keypair_from_secret(struct fips_keypair *kp, const struct fips_pk *pk,
			     struct fips_secrets *secrets, const u8 *sec)
{
	u8 pub33[FIPS_PUB33_LEN];
	u8 *cell;

	if (fips_pk_pubkey(pk, sec, pub33))
		return -ERANGE;
	cell = fips_secret_alloc(secrets, FIPS_KEY_LEN);
	if (!cell)
		return -ENOMEM;
	memcpy(cell, sec, FIPS_KEY_LEN);
	kp->secret = cell;
	kp->secrets = secrets;
	identity_fill(&kp->id, pub33);
	return 0;
}

int fips_keypair_generate(struct fips_keypair *kp, const struct fips_pk *pk,
			  struct fips_secrets *secrets, const struct fips_rng *rng)
{
	u8 pub33[FIPS_PUB33_LEN];
	u8 *cell = fips_secret_alloc(secrets, FIPS_KEY_LEN);
	int err;

	if (!cell)
		return -ENOMEM;
	err = fips_pk_new_secret(pk, rng, cell, pub33);
	if (err) {
		fips_secret_free(secrets, cell);
		return err;
	}
	kp->secret = cell;
	kp->secrets = secrets;
	identity_fill(&kp->id, pub33);
	return 0;
}

void fips_keypair_destroy(struct fips_keypair *kp)
{
	fips_secret_free(kp->secrets, kp->secret);
	kp->secret = NULL;
}

static int scalar_check(const struct fips_pk *pk, u8 *sec)
{
	if (fips_pk_scalar_valid(pk, sec))
		return 0;
	sodium_memzero(sec, FIPS_KEY_LEN);
	return -ERANGE;
}

int fips_nsec_parse(const struct fips_pk *pk, const char *text, size_t len, u8 *sec)
{
	int lax = fips_bech32_decode_key(HRP_NSEC, text, len, sec);
	int err;

	if (lax < 0)
		return lax;
	err = scalar_check(pk, sec);
	return err ? err : lax;
}

int fips_secret_parse(const struct fips_pk *pk, const char *text, size_t len, u8 *sec)
{
	/* Exactly this case: an upper-case nsec goes down the hex path and fails (01 §3). */
	if (len >= PREFIX_LEN && !memcmp(text, NSEC_PREFIX, PREFIX_LEN))
		return fips_nsec_parse(pk, text, len, sec);
	if (len != 2 * FIPS_KEY_LEN || fips_hex_parse(text, len, sec, FIPS_KEY_LEN))
		return -EINVAL;
	return scalar_check(pk, sec);
}

const char *fips_key_strerror(int err)
{
	switch (err) {
	case -EINVAL:
		return "is neither sound bech32 nor 64 hexadecimal digits";
	case -EDOM:
		return "is bech32 text with another prefix";
	case -EMSGSIZE:
		return "is bech32 text that does not hold 32 bytes";
	case -ERANGE:
		return "is out of range: no key of the curve has this value";
	default:
		return "could not be read";
	}
}

void fips_nsec_format(const u8 *sec, char nsec[static FIPS_NSEC_SIZE])
{
	fips_bech32_encode_key(HRP_NSEC, sec, nsec);
}

bool fips_ipv6_is_fips(const u8 *bytes, size_t len)
{
	return len == FIPS_IPV6_LEN && bytes[0] == 0xfd;
}

void fips_npub_shorten(const char *npub, char text[static FIPS_SHORT_NPUB_SIZE])
{
	memcpy(text, npub, PREFIX_LEN + 4);
	memcpy(text + PREFIX_LEN + 4, "...", 3);
	memcpy(text + PREFIX_LEN + 7, npub + FIPS_BECH32_KEY_LEN - 4, 4);
	text[FIPS_SHORT_NPUB_SIZE - 1] = '\0';
}

void fips_node_addr_format(const struct fips_node_addr *addr,
			   char text[static FIPS_NODE_ADDR_SIZE])
{
	fips_hex_format(addr->b, FIPS_NODE_ADDR_LEN, text);
}

int fips_node_addr_parse(const char *text, size_t len, struct fips_node_addr *addr)
{
	return fips_hex_parse(text, len, addr->b, FIPS_NODE_ADDR_LEN);
}

void fips_node_addr_shorten(const struct fips_node_addr *addr,
			    char text[static FIPS_SHORT_ADDR_SIZE])
{
	fips_hex_format(addr->b, 4, text);
	memcpy(text + 8, "...", 4);
}

void fips_ipv6_format(const u8 *ipv6, char text[static FIPS_IPV6_TEXT_SIZE])
{
	inet_ntop(AF_INET6, ipv6, text, FIPS_IPV6_TEXT_SIZE);
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A name that looked like a key would hide that key's node. */
static bool starts_like_npub(const char *name, size_t len)
{
	size_t i;

	if (len < PREFIX_LEN)
		return false;
	for (i = 0; i < PREFIX_LEN; i++)
		if ((name[i] | 0x20) != (NPUB_PREFIX[i] | 0x20))
			return false;
	return true;
}

bool fips_hostname_valid(const char *name, size_t len)
{
	size_t i;

	if (!len || len > HOSTNAME_MAX || name[0] == '-' || name[len - 1] == '-')
		return false;
	for (i = 0; i < len; i++)
		if (!is_alnum(name[i]) && name[i] != '-')
			return false;
	return !starts_like_npub(name, len);
}

void fips_hex_format(const u8 *bytes, size_t len, char *text)
{
	sodium_bin2hex(text, 2 * len + 1, bytes, len);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int fips_hex_parse(const char *text, size_t text_len, u8 *bytes, size_t len)
{
	int bad = 0, hi, lo;
	size_t i;

	if (text_len != 2 * len)
		return -EINVAL;
	for (i = 0; i < len; i++) {
		hi = hex_digit(text[2 * i]);
		lo = hex_digit(text[2 * i + 1]);
		bad |= hi | lo;
		bytes[i] = (u8)(((unsigned int)hi << 4 | (unsigned int)lo) & 0xff);
	}
	if (bad >= 0)
		return 0;
	sodium_memzero(bytes, len);
	return -EINVAL;
}
