/* SPDX-License-Identifier: MIT */
/*
 * Invariant "nonce-once": no key ever seals two messages with one counter, in
 * no life of no node. The linker puts these in front of the packet core's AEAD
 * (--wrap in the Makefile), so every seal of every link and session is seen.
 */
#ifndef SIM_NONCE_H
#define SIM_NONCE_H

#include <fips/types.h>

struct sim;

/* Watch for @s from now on; one simulation at a time. */
void sim_nonce_watch(struct sim *s);
/* End the watch and forget all keys. */
void sim_nonce_stop(void);
/* Keys that have sealed something. */
u64 sim_nonce_keys(void);

#endif /* SIM_NONCE_H */
