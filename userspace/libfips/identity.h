/* SPDX-License-Identifier: MIT */
/*
 * Identities: everything derived from a key pair, and its texts (spec 01 §2-§3, §6).
 */
#ifndef _LIBFIPS_IDENTITY_H
#define _LIBFIPS_IDENTITY_H

#include "bech32.h"
#include "pk.h"
#include "secret.h"

#define FIPS_NPUB_SIZE		(FIPS_BECH32_KEY_LEN + 1)
#define FIPS_NSEC_SIZE		(FIPS_BECH32_KEY_LEN + 1)
#define FIPS_NODE_ADDR_SIZE	33	/* text with NUL */
#define FIPS_SHORT_NPUB_SIZE	17
#define FIPS_SHORT_ADDR_SIZE	12
#define FIPS_IPV6_TEXT_SIZE	46

/**
 * struct fips_identity - the public side of a node, all forms computed once
 * @x: x-only key; this is the identity, compare by it or by @addr, never by @pub33 (01 §2.2)
 * @pub33: compressed; true parity where it is known, else the even form
 * @addr: SHA256(@x)[0..16]
 * @ipv6: fd, then 15 bytes of @addr
 * @npub: text
 */
struct fips_identity {
	u8 x[FIPS_KEY_LEN];
	u8 pub33[FIPS_PUB33_LEN];
	struct fips_node_addr addr;
	u8 ipv6[FIPS_IPV6_LEN];
	char npub[FIPS_NPUB_SIZE];
};

/**
 * struct fips_keypair - our own identity
 * @id: public side, @id.pub33 with true parity
 * @secret: scalar, in a cell of @secrets
 * @secrets: borrowed
 */
struct fips_keypair {
	struct fips_identity id;
	u8 *secret;
	struct fips_secrets *secrets;
};

/**
 * fips_identity_from_x() - identity of an x-only key (beacons, BLE, adverts)
 * @pk: for the curve check
 * @x: 32 bytes
 * @id: written on success
 *
 * Return: 0 or -EINVAL (not a point).
 */
int fips_identity_from_x(const struct fips_pk *pk, const u8 *x, struct fips_identity *id);

/* The same for a compressed key of a handshake; keeps its parity. */
int fips_identity_from_pub33(const struct fips_pk *pk, const u8 *pub33, struct fips_identity *id);

/**
 * fips_identity_from_npub() - identity of an npub text (01 §3)
 * @pk: for the curve check
 * @text: text, exact: nothing is trimmed
 * @len: its length
 * @id: written on success
 *
 * Return: as fips_bech32_decode_key(), or -ERANGE (a key that is no point).
 */
int fips_identity_from_npub(const struct fips_pk *pk, const char *text, size_t len,
			    struct fips_identity *id);

/**
 * fips_keypair_from_secret() - take a scalar over
 * @kp: written on success; fips_keypair_destroy() it
 * @pk: the curve
 * @secrets: where the copy goes; must outlive @kp
 * @sec: scalar; copied, the caller wipes its own
 *
 * Return: 0, -ERANGE (no scalar) or -ENOMEM.
 */
int fips_keypair_from_secret(struct fips_keypair *kp, const struct fips_pk *pk,
			     struct fips_secrets *secrets, const u8 *sec);

/* Return: 0, -ENOMEM or the error of @rng. */
int fips_keypair_generate(struct fips_keypair *kp, const struct fips_pk *pk,
			  struct fips_secrets *secrets, const struct fips_rng *rng);
void fips_keypair_destroy(struct fips_keypair *kp);

/**
 * fips_secret_parse() - secret of node.identity.nsec or of a key file: nsec1… or 64 hex digits
 * @pk: for the range check
 * @text: text, exact
 * @len: its length
 * @sec: 32 bytes, written on success; in locked memory, please
 *
 * Return: 0 or bits of &enum fips_bech32_lax, else -EINVAL (neither form),
 * -EDOM (bech32 with another prefix), -EMSGSIZE (not 32 bytes), -ERANGE (zero or beyond the order).
 */
int fips_secret_parse(const struct fips_pk *pk, const char *text, size_t len, u8 *sec);

/* The nsec-only decoder (01 §3): any case, no hex. Results as fips_secret_parse(). */
int fips_nsec_parse(const struct fips_pk *pk, const char *text, size_t len, u8 *sec);

/* A sentence without a full stop for a failed parse of @what ("npub", "secret key"). */
const char *fips_key_strerror(int err);

void fips_nsec_format(const u8 *sec, char nsec[static FIPS_NSEC_SIZE]);
void fips_node_addr_from_x(const u8 *x, struct fips_node_addr *addr);
bool fips_ipv6_is_fips(const u8 *bytes, size_t len);

/* npub1sjlh...h57m (01 §3.1) */
void fips_npub_shorten(const char *npub, char text[static FIPS_SHORT_NPUB_SIZE]);
void fips_node_addr_format(const struct fips_node_addr *addr,
			   char text[static FIPS_NODE_ADDR_SIZE]);
int fips_node_addr_parse(const char *text, size_t len, struct fips_node_addr *addr);
/* 69e08d65... */
void fips_node_addr_shorten(const struct fips_node_addr *addr,
			    char text[static FIPS_SHORT_ADDR_SIZE]);
void fips_ipv6_format(const u8 *ipv6, char text[static FIPS_IPV6_TEXT_SIZE]);

/* May this be the host name of a node? (01 §9.2) */
bool fips_hostname_valid(const char *name, size_t len);

/* Hexadecimal, lower case out, any case in; @text gets 2 * @len + 1 bytes. 0 or -EINVAL. */
void fips_hex_format(const u8 *bytes, size_t len, char *text);
int fips_hex_parse(const char *text, size_t text_len, u8 *bytes, size_t len);

#endif /* _LIBFIPS_IDENTITY_H */
