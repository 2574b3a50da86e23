// SPDX-License-Identifier: MIT
/*
 * Floods of msg1: garbage that costs the victim a Diffie-Hellman each, and
 * sound ones of identities that nobody has seen. The sound ones are made
 * before the attack begins: they cost the attacker more than the victim.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "foe.h"

#define RATE		3000
#define SPREAD		0x0a630000	/* 10.99.0.0/16 */

enum source {
	FROM_ONE,
	FROM_PORTS,
	FROM_SPREAD,
	FROM_WORLD,
};

/* A point, so that the Diffie-Hellman is done, and then a tag that fails. */
static void make_garbage(struct foe *f, u8 *msg1)
{
	fips_put_prefix(msg1, FIPS_FMP_MSG1, 0, FIPS_MSG1_LEN - FIPS_PREFIX_LEN);
	foe_random(msg1 + 4, FIPS_MSG1_LEN - 4);
	memcpy(msg1 + 8, f->self.id.pub33, FIPS_PUB33_LEN);
}

static void make_valid(struct foe *f, u8 *msg1)
{
	foe_new_self(f);
	foe_msg1(f, &f->env, msg1, foe_random32(), NULL);
}

static void send_from(struct foe *f, enum source source, u32 i, const u8 *msg1)
{
	switch (source) {
	case FROM_ONE:
		foe_send_raw(f, msg1, FIPS_MSG1_LEN);
		return;
	case FROM_PORTS:
		foe_spoof(f, SPREAD + 1, (u16)(10000 + i % 10000), msg1, FIPS_MSG1_LEN);
		return;
	case FROM_SPREAD:
		foe_spoof(f, SPREAD + foe_random32() % 65536, 2121, msg1, FIPS_MSG1_LEN);
		return;
	case FROM_WORLD:	/* 16.0.0.0 to 79.255.255.255 */
		foe_spoof(f, 0x10000000 + foe_random32() % 0x40000000, 2121, msg1,
			  FIPS_MSG1_LEN);
		return;
	}
}

static void flood(struct foe *f, double seconds, enum source source,
		  void (*make)(struct foe *f, u8 *msg1))
{
	size_t count = (size_t)(seconds * RATE), i;
	u8 (*pool)[FIPS_MSG1_LEN];
	struct foe_pace p;

	/* Long floods repeat themselves: 30,000 are 10 s of work to make. */
	if (count > 30000)
		count = 30000;
	pool = malloc(count * sizeof(*pool));
	if (!pool)
		foe_die("no memory");
	setpriority(PRIO_PROCESS, 0, 19);
	for (i = 0; i < count; i++)
		make(f, pool[i]);
	foe_begin(f);
	p = foe_pace(seconds, RATE);
	for (i = 0; foe_pace_next(f, &p); i++)
		send_from(f, source, (u32)i, pool[i % count]);
	free(pool);
}

#define FLOOD(name, source, make)				\
static void name(struct foe *f, double seconds)			\
{								\
	flood(f, seconds, source, make);			\
}

FLOOD(garbage_one, FROM_ONE, make_garbage)
FLOOD(garbage_ports, FROM_PORTS, make_garbage)
FLOOD(garbage_spread, FROM_SPREAD, make_garbage)
FLOOD(garbage_world, FROM_WORLD, make_garbage)
FLOOD(valid_one, FROM_ONE, make_valid)
FLOOD(valid_ports, FROM_PORTS, make_valid)
FLOOD(valid_spread, FROM_SPREAD, make_valid)
FLOOD(valid_world, FROM_WORLD, make_valid)

const struct foe_attack foe_flood_attacks[] = {
	{ "msg1-garbage-one", "stranger", "status .handshakes.msg1_rate_limited", 6, garbage_one,
	  true, "3,000 garbage msg1s a second from one address" },
	{ "msg1-garbage-ports", "stranger", "status .handshakes.msg1_rate_limited", 6,
	  garbage_ports, true, "the same from 10,000 ports of one address" },
	{ "msg1-garbage-spread", "stranger", "status .handshakes.msg1_rate_limited", 6,
	  garbage_spread, true, "the same from 65,536 spoofed addresses of a region" },
	{ "msg1-garbage-world", "stranger", "status .handshakes.handshake_bad_state", 6,
	  garbage_world, true, "the same from spoofed addresses everywhere" },
	{ "msg1-valid-one", "stranger", "status .handshakes.msg1_rate_limited", 6, valid_one, true,
	  "3,000 sound msg1s a second, each of a fresh identity, from one address" },
	{ "msg1-valid-ports", "stranger", "status .handshakes.msg1_rate_limited", 6, valid_ports,
	  true, "the same from 10,000 ports of one address" },
	{ "msg1-valid-spread", "stranger", "status .handshakes.msg1_rate_limited", 6,
	  valid_spread, true, "the same from 65,536 spoofed addresses of a region" },
	{ "msg1-valid-world", "stranger", "status .handshakes.candidates_evicted", 6,
	  valid_world, true, "the same from spoofed addresses everywhere" },
	{ .name = NULL },
};
