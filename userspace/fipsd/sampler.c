// SPDX-License-Identifier: MIT
/* Fills the history: what the node, the data plane and the peers say each tick. */
#include <errno.h>
#include <math.h>

#include "daemon.h"
#include "probe.h"
#include "sampler.h"

struct tick {
	struct fipsd *d;
	double loss_sum;
	int loss_n;
};

static void sample_peer(void *arg, const struct fips_peer_view *v)
{
	const struct fips_mmp_metrics *m = v->mmp.metrics;
	struct fips_dp_link_info info;
	struct tick *t = arg;
	bool known = !t->d->prov->ops->link_get(t->d->dp, v->link_id, &info);
	const double raw[FIPS_PEER_METRICS] = {
		[FIPS_PM_SRTT_MS] = m->srtt.known ? (double)m->srtt.srtt / 1000.0 : NAN,
		[FIPS_PM_LOSS_RATE] = m->reports ? 1.0 - m->forward : NAN,
		[FIPS_PM_BYTES_IN] = known ? (double)info.stats.rx_bytes : NAN,
		[FIPS_PM_BYTES_OUT] = known ? (double)info.stats.tx_bytes : NAN,
		[FIPS_PM_PACKETS_IN] = known ? (double)info.stats.rx_packets : NAN,
		[FIPS_PM_PACKETS_OUT] = known ? (double)info.stats.tx_packets : NAN,
		[FIPS_PM_ECN_CE] = v->mmp.ce,
	};

	if (m->reports) {
		t->loss_sum += 1.0 - m->forward;
		t->loss_n++;
	}
	fips_history_peer(t->d->history, v->id, raw);
}

static void sample_node(struct tick *t, const struct fips_clock *now)
{
	struct fips_dp_stats s = { 0 };
	struct fips_node_view view;
	struct fips_mesh_view mesh;
	struct fipsd *d = t->d;

	fips_node_view(d->node, now, &view);
	fips_node_mesh_view(d->node, now, &mesh);
	if (d->prov->ops->dev_get(d->dp, &s))
		s = (struct fips_dp_stats){ 0 };
	const double raw[FIPS_NODE_METRICS] = {
		[FIPS_NM_MESH_SIZE] = mesh.size_known ? floor(mesh.size + 0.5) : 0,
		[FIPS_NM_TREE_DEPTH] = mesh.coords.count - 1,
		[FIPS_NM_PEER_COUNT] = (double)view.peers,
		[FIPS_NM_PARENT_SWITCHES] = (double)mesh.tree->parent_switches,
		[FIPS_NM_BYTES_IN] = (double)s.rx_bytes,
		[FIPS_NM_BYTES_OUT] = (double)s.tx_bytes,
		[FIPS_NM_PACKETS_IN] = (double)s.rx_packets,
		[FIPS_NM_PACKETS_OUT] = (double)s.tx_packets,
		[FIPS_NM_LOSS_RATE] = t->loss_n ? t->loss_sum / t->loss_n : 0,
		[FIPS_NM_ACTIVE_SESSIONS] = (double)view.sessions,
	};

	fips_history_node(d->history, raw);
}

/* Whoever wants a sample a year gets one a day. */
static u64 tick_ms(const struct fipsd *d)
{
	u64 secs = d->cfg->tick_interval_secs;

	return (secs > 86400 ? 86400 : secs) * 1000;
}

static void on_tick(uv_timer_t *timer)
{
	struct fipsd *d = timer->data;
	struct fips_clock now = fipsd_clock();
	struct tick t = { .d = d };

	fips_history_begin(d->history, now.mono_ms, tick_ms(d));
	fips_node_each_peer(d->node, &now, sample_peer, &t);
	sample_node(&t, &now);
	fips_history_end(d->history);
	fipsd_probes_tick(d);
}

int fipsd_sampler_start(struct fipsd *d)
{
	u64 ms = tick_ms(d);

	d->history = fips_history_new();
	if (!d->history)
		return -ENOMEM;
	return uv_timer_start(&d->tick, on_tick, ms, ms);
}

void fipsd_sampler_stop(struct fipsd *d)
{
	uv_timer_stop(&d->tick);
	fipsd_probes_free(d);
	fips_history_free(d->history);
	d->history = NULL;
}
