/* SPDX-License-Identifier: MIT */
/*
 * Noise IK (links) and XK (sessions) with the deviations of spec 02, and the
 * AEAD of established frames.
 *
 * A handshake object lives in locked memory and works on a copy: a message
 * that is refused, for whatever reason, leaves no trace, and the next one is
 * read as if it had never come (02 §6).
 */
#ifndef _LIBFIPS_NOISE_H
#define _LIBFIPS_NOISE_H

#include <fips/wire.h>
#include "identity.h"

enum fips_noise_pattern {
	FIPS_NOISE_IK,
	FIPS_NOISE_XK,
};

/* The longest handshake message */
#define FIPS_NOISE_MSG_MAX	FIPS_NOISE_IK1_LEN

/**
 * struct fips_noise_env - what all handshakes of a node share; must outlive them
 * @pk: curve
 * @secrets: where handshakes live
 * @rng: ephemeral secrets come from here, 32 bytes a draw
 * @self: our static key
 * @epoch: our startup epoch (02 §7)
 */
struct fips_noise_env {
	const struct fips_pk *pk;
	struct fips_secrets *secrets;
	struct fips_rng rng;
	const struct fips_keypair *self;
	u8 epoch[FIPS_EPOCH_LEN];
};

/**
 * struct fips_noise_keys - transport keys; wipe with fips_noise_keys_wipe()
 * @tx: we seal with it
 * @rx: we open with it
 */
struct fips_noise_keys {
	u8 tx[FIPS_KEY_LEN];
	u8 rx[FIPS_KEY_LEN];
};

/**
 * struct fips_noise_check - a say of the caller on the initiator's identity
 * @check: called by the responder's read as soon as the static key is known (02 §4 step 1.3,
 *         §5 step 3.1), before the remaining DHs are spent on it; 0 to go on, else a negative
 *         errno, which the read returns. Nothing is proven yet: no state may change here
 * @ctx: passed back
 */
struct fips_noise_check {
	int (*check)(void *ctx, const u8 *pub33);
	void *ctx;
};

struct fips_noise;

/**
 * fips_noise_initiator() - start as the sender of msg1
 * @env: borrowed
 * @pattern: IK or XK
 * @remote_x: x-only key of the responder, 32 bytes
 * @out: the handshake, given to the caller
 *
 * Return: 0, -EINVAL (@remote_x is no point), -ENOMEM.
 */
int fips_noise_initiator(const struct fips_noise_env *env, enum fips_noise_pattern pattern,
			 const u8 *remote_x, struct fips_noise **out);

/* Start as the receiver of msg1. Return: 0 or -ENOMEM. */
int fips_noise_responder(const struct fips_noise_env *env, enum fips_noise_pattern pattern,
			 struct fips_noise **out);

/* Wipes everything. NULL is fine. */
void fips_noise_free(struct fips_noise *hs);

/**
 * fips_noise_write() - write the message that is due
 * @hs: handshake
 * @buf: written on success
 * @room: its size; %FIPS_NOISE_MSG_MAX is always enough
 *
 * Return: length of the message; -EINVAL (not our turn), -ENOSPC, -EIO (curve),
 * or the error of the random source. On error the handshake stays as it was.
 */
int fips_noise_write(struct fips_noise *hs, u8 *buf, size_t room);

/**
 * fips_noise_read() - read the message that is due
 * @hs: handshake
 * @msg: message
 * @len: must be exact
 * @check: may be NULL
 *
 * Return: 0; -EINVAL (not the peer's turn), -EMSGSIZE (wrong length), -EPROTO (a key that is no
 * point), -EBADMSG (a tag is wrong), or what @check said. On error the handshake stays as it was.
 */
int fips_noise_read(struct fips_noise *hs, const u8 *msg, size_t len,
		    const struct fips_noise_check *check);

/* All messages written and read? */
bool fips_noise_done(const struct fips_noise *hs);

/* Length of the message that is due, 0 if none is. */
size_t fips_noise_next_len(const struct fips_noise *hs);

/**
 * fips_noise_split() - transport keys of a finished handshake (02 §8)
 * @hs: handshake; still to be freed
 * @keys: written
 *
 * Return: 0 or -EINVAL (not finished).
 */
int fips_noise_split(const struct fips_noise *hs, struct fips_noise_keys *keys);
void fips_noise_keys_wipe(struct fips_noise_keys *keys);

/* The peer's static key: 33 bytes, true parity if it came in a message; NULL before that. */
const u8 *fips_noise_remote_static(const struct fips_noise *hs);
/* The peer's ephemeral: 33 bytes, NULL before it is known. */
const u8 *fips_noise_remote_ephemeral(const struct fips_noise *hs);
/* The peer's startup epoch: 8 bytes, NULL before it is known. */
const u8 *fips_noise_remote_epoch(const struct fips_noise *hs);

/**
 * fips_noise_seal() - ChaCha20-Poly1305 of an established frame (02 §9)
 * @key: 32 bytes
 * @ctr: counter, used once a key
 * @aad: header
 * @aad_len: its length
 * @plain: plaintext; may be @out
 * @len: at most 65535 - 16
 * @out: @len + 16 bytes, written
 *
 * Return: 0, -EMSGSIZE or -EOVERFLOW (the counter that is never used).
 */
int fips_noise_seal(const u8 *key, u64 ctr, const u8 *aad, size_t aad_len, const u8 *plain,
		    size_t len, u8 *out);

/**
 * fips_noise_open() - the other way
 * @key: 32 bytes
 * @ctr: counter of the header
 * @aad: header as it came
 * @aad_len: its length
 * @sealed: ciphertext and tag; may be @out
 * @len: with the tag
 * @out: @len - 16 bytes, written
 *
 * Return: 0 or -EBADMSG; then @out is zeros, so where another key may still be
 * tried it can't be @sealed.
 */
int fips_noise_open(const u8 *key, u64 ctr, const u8 *aad, size_t aad_len, const u8 *sealed,
		    size_t len, u8 *out);

#endif /* _LIBFIPS_NOISE_H */
