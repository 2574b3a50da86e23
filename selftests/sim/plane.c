// SPDX-License-Identifier: MIT
/*
 * The data plane of a simulated node: its packet core, as the user provider has
 * it, without threads, sockets and TUN. What the core gives out goes to the
 * wire, to the host's stack and, as upcalls, to the node.
 */
#include <stdlib.h>

#include "core_impl.h"
#include "sim.h"

#define PLANE_TICK	(50 * SIM_MS)	/* as in the user provider */

const char *const sim_tx_names[SIM_TX_CLASSES] = {
	[SIM_TX_DATA] = "data",
	[SIM_TX_TRANSIT] = "transit",
	[SIM_TX_RAW] = "handshake",
	[SIM_TX_LINK] = "link",
	[SIM_TX_SESSION] = "session",
};

const char *const sim_drop_names[FIPS_DROP_REASONS] = {
	[FIPS_DROP_REASON_RX_SHORT] = "rx-short",
	[FIPS_DROP_REASON_RX_LENGTH] = "rx-length",
	[FIPS_DROP_REASON_RX_UNKNOWN_INDEX] = "rx-unknown-index",
	[FIPS_DROP_REASON_RX_REPLAY] = "rx-replay",
	[FIPS_DROP_REASON_RX_AUTH] = "rx-auth",
	[FIPS_DROP_REASON_RX_INNER_SHORT] = "rx-inner-short",
	[FIPS_DROP_REASON_RX_KEY_EXPIRED] = "rx-key-expired",
	[FIPS_DROP_REASON_PARK_FULL] = "park-full",
	[FIPS_DROP_REASON_PARK_EXPIRED] = "park-expired",
	[FIPS_DROP_REASON_DGRAM_SHORT] = "dgram-short",
	[FIPS_DROP_REASON_DGRAM_TTL] = "dgram-ttl",
	[FIPS_DROP_REASON_DGRAM_MTU] = "dgram-mtu",
	[FIPS_DROP_REASON_DGRAM_BACK] = "dgram-back",
	[FIPS_DROP_REASON_SESSION_UNKNOWN] = "session-unknown",
	[FIPS_DROP_REASON_SESSION_NO_KEY] = "session-no-key",
	[FIPS_DROP_REASON_SESSION_SHORT] = "session-short",
	[FIPS_DROP_REASON_SESSION_COORDS] = "session-coords",
	[FIPS_DROP_REASON_SESSION_AUTH] = "session-auth",
	[FIPS_DROP_REASON_SESSION_REPLAY] = "session-replay",
	[FIPS_DROP_REASON_SESSION_INNER_SHORT] = "session-inner-short",
	[FIPS_DROP_REASON_SHIM_FORMAT] = "shim-format",
	[FIPS_DROP_REASON_SHIM_NOT_OURS] = "shim-not-ours",
	[FIPS_DROP_REASON_NO_TUNNEL] = "no-tunnel",
	[FIPS_DROP_REASON_TX_NOT_IPV6] = "tx-not-ipv6",
	[FIPS_DROP_REASON_TX_NOT_MESH] = "tx-not-mesh",
	[FIPS_DROP_REASON_TX_SOURCE] = "tx-source",
	[FIPS_DROP_REASON_TX_TOO_BIG] = "tx-too-big",
	[FIPS_DROP_REASON_TX_UNREACHABLE] = "tx-unreachable",
	[FIPS_DROP_REASON_STAGE_FULL] = "stage-full",
	[FIPS_DROP_REASON_STAGE_DESTINATIONS] = "stage-destinations",
	[FIPS_DROP_REASON_STAGE_EXPIRED] = "stage-expired",
	[FIPS_DROP_REASON_NO_ROUTE] = "no-route",
	[FIPS_DROP_REASON_NO_KEY] = "no-key",
	[FIPS_DROP_REASON_KEY_LIMIT] = "key-limit",
	[FIPS_DROP_REASON_TX_HEADROOM] = "tx-headroom",
	[FIPS_DROP_REASON_TX_ROUTE] = "tx-route",
	[FIPS_DROP_REASON_TX_ERROR] = "tx-error",
	[FIPS_DROP_REASON_UPCALL_CONTROL] = "upcall-control",
	[FIPS_DROP_REASON_UPCALL_DATA] = "upcall-data",
	[FIPS_DROP_REASON_NO_OWNER] = "no-owner",
};

/* In the readable log only: a drop changes nothing that the digest does not know already. */
static void plane_drops(struct sim_node *n, const struct fips_dp_stats *before)
{
	struct fips_dp_stats st;
	u32 i;

	fips_core_dev_get(n->core, &st);
	for (i = 0; i < FIPS_DROP_REASONS; i++)
		if (st.drops[i] != before->drops[i])
			sim_note_drop(n, sim_drop_names[i]);
}

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
	if (n->class == SIM_TX_TRANSIT && sim_lies(n, SIM_LIE_BLACKHOLE)) {
		n->sim->lies++;
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
	struct fips_dp_stats st;

	if (n->sim->log.out)
		fips_core_dev_get(n->core, &st);
	fips_core_packet(n->core, sim_plane_out(n, &out, FIPS_LANE_TX, SIM_TX_DATA),
			 sim_node_mono_ms(n), NULL, ip6, len);
	if (n->sim->log.out)
		plane_drops(n, &st);
	sim_plane_after(n);
}

void sim_plane_frame(struct sim_node *n, const struct fips_taddr *from, u8 *frame, size_t len)
{
	const struct fips_endpoint at = { .transport_id = SIM_TRANSPORT, .addr = *from };
	fips_counter *ttl = &n->core->stats.drops[FIPS_DROP_REASON_DGRAM_TTL];
	u64 died = fips_load(ttl);
	struct fips_core_out out;
	struct fips_dp_stats st;

	if (n->sim->log.out)
		fips_core_dev_get(n->core, &st);
	fips_core_frame(n->core, sim_plane_out(n, &out, FIPS_LANE_RX, SIM_TX_TRANSIT),
			sim_node_mono_ms(n), &at, frame, len);
	if (n->sim->log.out)
		plane_drops(n, &st);
	if (fips_load(ttl) != died)
		sim_loops_died(n, frame, len);
	sim_plane_after(n);
}
