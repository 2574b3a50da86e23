// SPDX-License-Identifier: MIT
/* Sins: what each invariant must notice; see sim.h. */
#include <stdlib.h>

#include "aead.h"
#include "core_impl.h"
#include "sim.h"

#define SIN_AGAIN	(10 * SIM_MS)

const char *const sim_sin_names[SIM_SINS] = {
	[SIM_SIN_NONE] = "none",
	[SIM_SIN_RIGHT_NODE] = "right-node",
	[SIM_SIN_OWN_SOURCE] = "own-source",
	[SIM_SIN_ONCE] = "once",
	[SIM_SIN_PAYLOAD_INTACT] = "payload-intact",
	[SIM_SIN_NONCE_ONCE] = "nonce-once",
	[SIM_SIN_NO_LEAK_IN_PLANE] = "no-leak-in-plane",
	[SIM_SIN_TABLES_BOUNDED] = "tables-bounded",
	[SIM_SIN_NO_BUSY_LOOP] = "no-busy-loop",
	[SIM_SIN_NO_SECRET_LEFT] = "no-secret-left",
	[SIM_SIN_TALKS_AGAIN] = "talks-again",
	[SIM_SIN_ONE_ROOT] = "one-root",
	[SIM_SIN_LOSSLESS] = "lossless",
	[SIM_SIN_STAYS_SETTLED] = "stays-settled",
	[SIM_SIN_NODE_STARTS] = "node-starts",
	[SIM_SIN_NO_FORWARDING_LOOP] = "no-forwarding-loop",
	[SIM_SIN_COORDS] = "coords-are-ancestry",
	[SIM_SIN_COORDS_PARENT] = "coords-of-parent",
	[SIM_SIN_NO_LOOP] = "no-loop",
};

static void sin_nonce(void)
{
	static const u8 key[FIPS_KEY_LEN] = { 1 };
	u8 buf[32] = { 0 };
	struct fips_aead a = { 0 };

	if (fips_aead_init(&a, NULL, key))
		return;
	fips_aead_seal(&a, 7, NULL, 0, buf, buf, 8);
	fips_aead_seal(&a, 3, NULL, 0, buf, buf, 8);	/* below, but new */
	fips_aead_seal(&a, 7, NULL, 0, buf, buf, 8);
	fips_aead_wipe(&a);
}

static void sin_leak(struct sim *s)
{
	const struct fips_dp_link l = {
		.id = 1000000,
		.transport_id = SIM_TRANSPORT,
		.peer = s->nodes[0].kp.id.addr,
		.mtu = 1280,
	};
	struct fips_core_out out;

	if (sim_node_runs(&s->nodes[0]))
		fips_core_link_new(s->nodes[0].core,
				   sim_plane_out(&s->nodes[0], &out, FIPS_LANE_TX, SIM_TX_DATA),
				   1, &l);
}

static void sin_spin(struct sim *s, struct sim_timer *t)
{
	struct sim_node *n = &s->nodes[0];

	if (sim_node_runs(n) && !s->failure.name) {
		n->wake.fire(s, &n->wake);
		sim_timer_set(s, t, s->now);
	}
}

static void sin_again(struct sim *s, struct sim_timer *t)
{
	sim_sin_mesh(s, s->sin);
	sim_timer_set(s, t, s->now + SIN_AGAIN);
}

void sim_sin_commit(struct sim *s, enum sim_sin sin)
{
	static struct sim_timer spin, again;

	switch (sin) {
	case SIM_SIN_NONCE_ONCE:
		sin_nonce();
		return;
	case SIM_SIN_NO_LEAK_IN_PLANE:
		sin_leak(s);
		return;
	case SIM_SIN_TABLES_BOUNDED:
		if (s->nodes[0].core)
			s->nodes[0].core->staged_bytes += 5 << 20;
		return;
	case SIM_SIN_NO_BUSY_LOOP:
		spin = (struct sim_timer) { .fire = sin_spin };
		sim_timer_set(s, &spin, s->now);
		return;
	case SIM_SIN_NO_SECRET_LEFT:
		fips_secret_alloc(s->secrets, 32);
		return;
	default:
		s->sin = sin;
	}
	if (sin < SIM_SIN_NO_FORWARDING_LOOP)
		return;
	again = (struct sim_timer) { .fire = sin_again };
	sim_timer_set(s, &again, s->now);
}

bool sim_sin_unhealed(const struct sim *s)
{
	return s->sin == SIM_SIN_TALKS_AGAIN || s->sin == SIM_SIN_ONE_ROOT;
}

bool sim_sin_packet(struct sim_node *n, const u8 *ip6, size_t len)
{
	struct sim *s = n->sim;
	enum sim_sin sin = s->sin;
	u8 *copy;

	if (sin > SIM_SIN_PAYLOAD_INTACT && sin != SIM_SIN_LOSSLESS)
		return false;
	s->sin = SIM_SIN_NONE;
	if (sin == SIM_SIN_LOSSLESS)
		return true;
	copy = sim_alloc(len);
	memcpy(copy, ip6, len);
	switch (sin) {
	case SIM_SIN_RIGHT_NODE:
		n = &s->nodes[(n->idx + 1) % s->n_nodes];
		memcpy(copy + 24, n->kp.id.ipv6, FIPS_IPV6_LEN);
		break;
	case SIM_SIN_OWN_SOURCE:
		memcpy(copy + 8, n->kp.id.ipv6, FIPS_IPV6_LEN);
		break;
	case SIM_SIN_PAYLOAD_INTACT:
		copy[len - 1] ^= 1;
		break;
	default:
		sim_stack_receive(n, copy, len, true);
		break;
	}
	sim_stack_receive(n, copy, len, true);
	free(copy);
	return true;
}
