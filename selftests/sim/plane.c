// SPDX-License-Identifier: MIT
/*
 * The data plane of a simulated node: its packet core, as the user provider has
 * it, without threads, sockets and TUN. What the core gives out goes to the
 * wire, to the host's stack and, as upcalls, to the node.
 */
#include <stdlib.h>

#include "sim.h"

#define PLANE_TICK	(50 * SIM_MS)	/* as in the user provider */

const char *const sim_tx_names[SIM_TX_CLASSES] = {
	[SIM_TX_DATA] = "data",
	[SIM_TX_TRANSIT] = "transit",
	[SIM_TX_RAW] = "handshake",
	[SIM_TX_LINK] = "link",
	[SIM_TX_SESSION] = "session",
};

static u8 *plane_room(void *ctx, const struct fips_endpoint *to, size_t len)
{
	struct sim_node *n = ctx;

	(void)to;
	free(n->room);
	n->room = sim_frame_new(len);
	return sim_frame_data(n->room);
}

static void plane_frame(void *ctx, const struct fips_endpoint *to, u8 *frame, size_t len)
{
	struct sim_node *n = ctx;
	struct sim_frame *f = n->room;

	(void)frame;
	n->room = NULL;
	if (n->dying) {
		free(f);
		return;
	}
	n->st->frames[n->class]++;
	n->st->bytes[n->class] += len;
	if (n->class == SIM_TX_LINK) {
		n->st->types[n->type]++;
		n->st->type_bytes[n->type] += len;
	}
	sim_wire_send(n, &to->addr, f);
}

static void plane_packet(void *ctx, u8 *ip6, size_t len, bool stable)
{
	struct sim_node *n = ctx;

	if (!n->dying)
		sim_stack_receive(n, ip6, len, stable);
}

static void plane_event(void *ctx, const struct fips_event *ev)
{
	sim_upcall(ctx, ev);
}

static const struct fips_core_out_ops plane_out = {
	.room = plane_room,
	.frame = plane_frame,
	.packet = plane_packet,
	.event = plane_event,
};

const struct fips_core_out *sim_plane_out(struct sim_node *n, struct fips_core_out *out,
					  enum fips_lane lane, enum sim_tx_class class)
{
	n->class = class;
	*out = (struct fips_core_out) { .ops = &plane_out, .ctx = n, .lane = lane };
	return out;
}

void sim_plane_after(struct sim_node *n)
{
	u64 at = n->sim->now + PLANE_TICK;

	if (!fips_core_wants_tick(n->core))
		return;
	if (!n->tick.pos || n->tick.at > at)
		sim_timer_set(n->sim, &n->tick, at);
}

void sim_plane_tick(struct sim *s, struct sim_timer *t)
{
	struct sim_node *n = sim_container(t, struct sim_node, tick);
	struct fips_core_out out;
	u64 next, at;

	next = fips_core_tick(n->core, sim_plane_out(n, &out, FIPS_LANE_TX, SIM_TX_TRANSIT),
			      sim_node_mono_ms(n));
	if (next == FIPS_NEVER)
		return;
	at = sim_clock_when(&n->clock, s->now, next);
	sim_timer_set(s, t, at > s->now + PLANE_TICK ? at : s->now + PLANE_TICK);
}

void sim_plane_packet(struct sim_node *n, u8 *ip6, size_t len)
{
	struct fips_core_out out;

	fips_core_packet(n->core, sim_plane_out(n, &out, FIPS_LANE_TX, SIM_TX_DATA),
			 sim_node_mono_ms(n), NULL, ip6, len);
	sim_plane_after(n);
}

void sim_plane_frame(struct sim_node *n, const struct fips_taddr *from, u8 *frame, size_t len)
{
	const struct fips_endpoint at = { .transport_id = SIM_TRANSPORT, .addr = *from };
	struct fips_core_out out;

	fips_core_frame(n->core, sim_plane_out(n, &out, FIPS_LANE_RX, SIM_TX_TRANSIT),
			sim_node_mono_ms(n), &at, frame, len);
	sim_plane_after(n);
}
