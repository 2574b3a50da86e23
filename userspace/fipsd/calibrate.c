// SPDX-License-Identifier: MIT
/* What public-key cryptography costs on this machine. */
#include <time.h>

#include "daemon.h"

#define ROUNDS		8
#define LEAST_US	5
#define MOST_US		20000

static u64 cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (u64)ts.tv_sec * 1000000 + (u64)ts.tv_nsec / 1000;
}

/*
 * CPU time of one Diffie-Hellman in microseconds, for the admission of handshakes.
 * A measurement that is out of all reason (a virtual machine that was stopped
 * meanwhile) is cut: the node lives with it until its end.
 */
u32 fipsd_dh_cost_us(const struct fips_pk *pk, const struct fips_keypair *self)
{
	u8 out[FIPS_KEY_LEN];
	u64 start = cpu_us(), us;
	int i;

	for (i = 0; i < ROUNDS; i++)
		if (fips_pk_ecdh(pk, self->secret, self->id.pub33, out))
			return MOST_US;
	us = (cpu_us() - start) / ROUNDS;
	return us < LEAST_US ? LEAST_US : us > MOST_US ? MOST_US : (u32)us;
}
