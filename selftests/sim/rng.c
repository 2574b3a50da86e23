// SPDX-License-Identifier: MIT
/* Random streams; see rng.h. */
#include "rng.h"

static u64 rng_mix(u64 z)
{
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

void sim_rng_init(struct sim_rng *r, u64 seed, enum sim_stream stream, u64 index)
{
	u64 z = rng_mix(seed + UINT64_C(0x9e3779b97f4a7c15));

	z = rng_mix(z ^ ((u64)stream + 1) * UINT64_C(0xd1342543de82ef95));
	r->s = rng_mix(z + index * UINT64_C(0xa0761d6478bd642f));
}

u64 sim_rng_next(struct sim_rng *r)
{
	r->s += UINT64_C(0x9e3779b97f4a7c15);
	return rng_mix(r->s);
}

u64 sim_rng_below(struct sim_rng *r, u64 n)
{
	return (u64)((__uint128_t)sim_rng_next(r) * n >> 64);
}

u64 sim_rng_between(struct sim_rng *r, u64 lo, u64 hi)
{
	return lo + sim_rng_below(r, hi - lo + 1);
}

bool sim_rng_chance(struct sim_rng *r, u32 ppm)
{
	if (!ppm)
		return false;
	return ppm >= SIM_PPM || sim_rng_below(r, SIM_PPM) < ppm;
}

void sim_rng_bytes(struct sim_rng *r, void *buf, size_t len)
{
	u8 *p = buf, word[8];
	size_t n;

	for (; len; p += n, len -= n) {
		fips_put_le64(word, sim_rng_next(r));
		n = len < sizeof(word) ? len : sizeof(word);
		memcpy(p, word, n);
	}
}
