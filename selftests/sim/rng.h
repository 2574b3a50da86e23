/* SPDX-License-Identifier: MIT */
/*
 * The simulator's randomness: splitmix64, one stream for each purpose and
 * index, all from one seed. A draw more in one place moves nothing elsewhere.
 */
#ifndef SIM_RNG_H
#define SIM_RNG_H

#include <fips/types.h>

#define SIM_PPM		1000000u	/* probabilities are parts in a million */

enum sim_stream {
	SIM_STREAM_KEYS,
	SIM_STREAM_TOPOLOGY,
	SIM_STREAM_EDGES,	/* who dials, properties of the wires */
	SIM_STREAM_START,
	SIM_STREAM_CLOCK,
	SIM_STREAM_NODE,	/* a node's own random source; index: node and life */
	SIM_STREAM_WIRE,	/* index: half of an edge */
	SIM_STREAM_UPCALL,	/* index: node */
	SIM_STREAM_OPS,		/* index: node */
	SIM_STREAM_RESOLVER,	/* index: node */
	SIM_STREAM_TRAFFIC,
	SIM_STREAM_FAULTS,
	SIM_STREAM_SETTLE,
	SIM_STREAM_SCENARIO,
	SIM_STREAM_PLOT,
	SIM_STREAM_LIES,	/* index: node */
	SIM_STREAM_NEWCOMERS,
	SIM_STREAM_RULES,
};

struct sim_rng {
	u64 s;
};

void sim_rng_init(struct sim_rng *r, u64 seed, enum sim_stream stream, u64 index);
u64 sim_rng_next(struct sim_rng *r);
/* Uniform in [0, @n); 0 if @n is 0. */
u64 sim_rng_below(struct sim_rng *r, u64 n);
/* Uniform in [@lo, @hi]. */
u64 sim_rng_between(struct sim_rng *r, u64 lo, u64 hi);
/* True @ppm times in a million; draws nothing if that is never or always. */
bool sim_rng_chance(struct sim_rng *r, u32 ppm);
void sim_rng_bytes(struct sim_rng *r, void *buf, size_t len);

#endif /* SIM_RNG_H */
