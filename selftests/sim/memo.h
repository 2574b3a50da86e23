/* SPDX-License-Identifier: MIT */
/*
 * Public-key cryptography that remembers: each pure function is computed once
 * for each input, and what one end has computed the other end finds: the shared
 * secret of a and B is that of b and A, and what was signed here verifies.
 */
#ifndef SIM_MEMO_H
#define SIM_MEMO_H

#include "pk.h"

struct sim_memo;

/**
 * sim_memo_new() - a table in front of another
 * @real: borrowed; must outlive @memo
 * @memo: table for the nodes
 *
 * Return: its memory; free with sim_memo_free().
 */
struct sim_memo *sim_memo_new(const struct fips_pk *real, struct fips_pk *memo);
void sim_memo_free(struct sim_memo *m);

/* Calls, and how many of them were computed. */
void sim_memo_stats(const struct sim_memo *m, u64 *calls, u64 *computed);

#endif /* SIM_MEMO_H */
