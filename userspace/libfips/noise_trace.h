/* SPDX-License-Identifier: MIT */
/*
 * A look inside of handshakes, for tests that compare every intermediate value
 * with the vectors. It shows secrets: nothing else may include it.
 */
#ifndef _LIBFIPS_NOISE_TRACE_H
#define _LIBFIPS_NOISE_TRACE_H

#include "noise.h"

enum fips_noise_op {
	FIPS_NOISE_OP_MIX_HASH,
	FIPS_NOISE_OP_MIX_KEY,
	FIPS_NOISE_OP_SEAL,	/* also reported by the reader, same values */
};

/**
 * struct fips_noise_step - one step of a message, with the state after it
 * @op: which
 * @in: what was mixed in (for MIX_KEY the DH output), or the plaintext
 * @in_len: its length
 * @out: new h, new ck, or the ciphertext
 * @out_len: its length
 * @ck: chaining key
 * @h: transcript hash
 * @k: AEAD key
 * @n: nonce that the step used (SEAL), or the next one
 */
struct fips_noise_step {
	enum fips_noise_op op;
	const u8 *in;
	size_t in_len;
	const u8 *out;
	size_t out_len;
	const u8 *ck;
	const u8 *h;
	const u8 *k;
	u64 n;
};

typedef void (*fips_noise_trace_fn)(void *ctx, const struct fips_noise_step *step);

struct fips_noise_values {
	u8 ck[32];
	u8 h[32];
	u8 k[32];
	u64 n;
};

void fips_noise_set_trace(struct fips_noise *hs, fips_noise_trace_fn trace, void *ctx);
void fips_noise_peek(const struct fips_noise *hs, struct fips_noise_values *out);

#endif /* _LIBFIPS_NOISE_TRACE_H */
