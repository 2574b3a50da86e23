/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Replay window of 2,048 counters (spec 02 §10.1), one for both data planes
 * and both layers.
 *
 * The bitmap is circular (RFC 6479): a forward step clears only the words it
 * passes and nothing is shifted. One spare word makes the window exact: every
 * counter from @hi - 2047 to @hi has a bit of its own however @hi is aligned.
 *
 * The caller serialises: check, open the AEAD, then accept under the slot's
 * lock, where accept repeats the check.
 */
#ifndef _FIPS_REPLAY_H
#define _FIPS_REPLAY_H

#include <fips/wire.h>

#define FIPS_REPLAY_WORDS	(FIPS_REPLAY_WINDOW / 64 + 1)

/**
 * struct fips_replay - which counters of one receive key were seen
 * @hi: highest accepted counter, 0 at first
 * @bits: circular bitmap; the bit of counter c is bit c % 64 of word (c / 64) % FIPS_REPLAY_WORDS
 */
struct fips_replay {
	u64 hi;
	u64 bits[FIPS_REPLAY_WORDS];
};

static inline void fips_replay_init(struct fips_replay *r)
{
	memset(r, 0, sizeof(*r));
}

/* A u32 modulus: 64-bit division is not for kernels of 32-bit machines. */
static inline u32 fips_replay_word(u64 ctr)
{
	/* 2^32 mod 33 = 4, so the halves can be reduced apart. */
	u32 hi = (u32)(ctr >> 38), lo = (u32)(ctr >> 6);

	return ((hi % FIPS_REPLAY_WORDS) * 4 + lo % FIPS_REPLAY_WORDS) % FIPS_REPLAY_WORDS;
}

/**
 * fips_replay_check() - may this counter still be accepted?
 * @r: window
 * @ctr: counter of a frame that has not been opened yet
 *
 * Return: true if @ctr is ahead of the window or an unseen place inside it.
 */
static inline bool fips_replay_check(const struct fips_replay *r, u64 ctr)
{
	if (ctr > r->hi)
		return true;
	if (r->hi - ctr >= FIPS_REPLAY_WINDOW)
		return false;
	return !(r->bits[fips_replay_word(ctr)] >> (ctr & 63) & 1);
}

/**
 * fips_replay_accept() - note the counter of an authenticated frame
 * @r: window
 * @ctr: its counter
 *
 * Return: false if it was seen (or left the window) since fips_replay_check().
 */
static inline bool fips_replay_accept(struct fips_replay *r, u64 ctr)
{
	u64 step, i;

	if (!fips_replay_check(r, ctr))
		return false;
	if (ctr > r->hi) {
		step = (ctr >> 6) - (r->hi >> 6);
		if (step > FIPS_REPLAY_WORDS)
			step = FIPS_REPLAY_WORDS;
		for (i = 0; i < step; i++)
			r->bits[fips_replay_word(ctr - (i << 6))] = 0;
		r->hi = ctr;
	}
	r->bits[fips_replay_word(ctr)] |= (u64)1 << (ctr & 63);
	return true;
}

#endif /* _FIPS_REPLAY_H */
