/* SPDX-License-Identifier: MIT */
/* Randomness for the commands that need no daemon. */
#ifndef FIPSCTL_RNG_H
#define FIPSCTL_RNG_H

#include <sodium.h>

#include "../libfips/pk.h"

static inline int fipsctl_random(void *ctx, void *buf, size_t len)
{
	(void)ctx;
	randombytes_buf(buf, len);
	return 0;
}

#endif /* FIPSCTL_RNG_H */
