// SPDX-License-Identifier: MIT
/*
 * Metrics (spec 04 §4): sums of the key epoch in use, frame by frame, and what
 * the node reads of them. Totals follow from an object's traffic counters.
 */
#include <errno.h>

#include "core_impl.h"

void fips_epoch_measure(struct fips_epoch *e, const struct fips_mmp_frame *frame, bool spin)
{
	fips_mmp_rx_frame(&e->mmp, frame);
	fips_mmp_spin_rx(&e->spin, frame->counter, spin, frame->now_us);
	atomic_store_explicit(&e->spin_bit, e->spin.bit, memory_order_relaxed);
}

/* The sending interval begins with the counter at @e->mark. */
static void fips_epoch_report_tx(struct fips_epoch *e, bool take, struct fips_mmp_tx *tx)
{
	u64 next = fips_load(&e->tx_counter);

	tx->has_data = next > e->mark;
	tx->start_counter = e->mark;
	tx->start_ts = (u32)fips_load(&e->mark_timestamp);
	tx->last_counter = next ? next - 1 : 0;
	tx->last_ts = (u32)fips_load(&e->tx_timestamp);
	if (take && tx->has_data)
		e->mark = next;
}

static void fips_slots_report(fips_slot *slots, u64 now, u32 take, struct fips_mmp_report *r)
{
	struct fips_epoch *e = fips_slot_get(&slots[FIPS_KEY_SLOT_CURRENT]);

	if (!e || !e->has_key)
		return;
	fips_mmp_report_rx(&e->mmp, &e->spin, take & FIPS_MMP_TAKE_RX, now * 1000, r);
	r->now_ts = fips_epoch_timestamp(e, now);
	fips_epoch_report_tx(e, take & FIPS_MMP_TAKE_TX, &r->tx);
}

static void fips_report_bytes(struct fips_mmp_report *r, u32 take, u64 *sr_bytes)
{
	u64 bytes = r->tx.cum_bytes - *sr_bytes;

	r->tx.interval_bytes = bytes > UINT32_MAX ? UINT32_MAX : (u32)bytes;
	if (take & FIPS_MMP_TAKE_TX && r->tx.has_data)
		*sr_bytes = r->tx.cum_bytes;
}

int fips_core_link_report(struct fips_core *c, u64 now, u32 id, u32 take,
			  struct fips_mmp_report *r)
{
	struct fips_link *l = fips_link_find(c, id);

	if (!l)
		return -ENOENT;
	memset(r, 0, sizeof(*r));
	fips_slots_report(l->slot, now, take, r);
	r->rx.cum_packets = fips_load(&l->stats.rx_packets);
	r->rx.cum_bytes = fips_load(&l->stats.rx_bytes);
	r->tx.cum_packets = fips_load(&l->stats.tx_packets);
	r->tx.cum_bytes = fips_load(&l->stats.tx_bytes);
	fips_report_bytes(r, take, &l->sr_bytes);
	l->quiet = true;
	return 0;
}

/* The counters hold whole messages; the metrics count plaintext, sent ones with tag. */
int fips_core_session_report(struct fips_core *c, u64 now, const struct fips_node_addr *remote,
			     u32 take, struct fips_mmp_report *r)
{
	struct fips_session *s = fips_session_find(c, remote);

	if (!s)
		return -ENOENT;
	memset(r, 0, sizeof(*r));
	fips_slots_report(s->slot, now, take, r);
	r->rx.cum_packets = fips_load(&s->stats.rx_packets);
	r->rx.cum_bytes = fips_load(&s->stats.rx_bytes) - fips_load(&s->rx_coords) -
			  r->rx.cum_packets * FIPS_FSP_MIN_LEN;
	r->tx.cum_packets = fips_load(&s->stats.tx_packets);
	r->tx.cum_bytes = fips_load(&s->stats.tx_bytes) - fips_load(&s->tx_coords) -
			  r->tx.cum_packets * FIPS_FSP_HDR_LEN;
	fips_report_bytes(r, take, &s->sr_bytes);
	s->quiet = true;
	return 0;
}

int fips_core_link_congested(struct fips_core *c, u32 id, bool congested)
{
	struct fips_link *l = fips_link_find(c, id);

	if (!l)
		return -ENOENT;
	l->congested = congested;
	return 0;
}
