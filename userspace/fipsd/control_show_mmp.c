// SPDX-License-Identifier: MIT
/* Metrics as JSON: show_mmp, and what other replies have of them (spec 13 §5.3, §5.6, §5.8). */
#include "control_json.h"
#include "control_show.h"
#include "daemon.h"

struct mmp_walk {
	struct fipsd *d;
	struct fips_clock now;
	json_t *array;
};

/* Members that are known: absent and 0 are not the same to clients. */
static void put_known(json_t *obj, const struct fips_mmp_metrics *m, const char *index)
{
	double srtt_ms = (double)m->srtt.srtt / 1000.0;

	if (m->srtt.known)
		put_real(obj, "srtt_ms", srtt_ms);
	if (m->loss_trend.known)
		put_real(obj, "smoothed_loss", m->loss_trend.slow);
	if (m->etx_trend.known)
		put_real(obj, "smoothed_etx", m->etx_trend.slow);
	if (m->srtt.known && m->etx_trend.known)
		put_real(obj, index, fips_mmp_cost(m->etx_trend.slow, true, srtt_ms));
}

static void put_common(json_t *obj, const struct fips_mmp_metrics *m)
{
	put_real(obj, "loss_rate", 1.0 - m->forward);
	put_real(obj, "etx", m->etx);
}

static void put_delivery(json_t *obj, const struct fips_mmp_metrics *m)
{
	put_real(obj, "goodput_bps", m->goodput);
	put_real(obj, "delivery_ratio_forward", m->forward);
	put_real(obj, "delivery_ratio_reverse", m->reverse);
}

json_t *fipsd_mmp_peer(const struct fips_mmp_view *v)
{
	json_t *obj = json_object();

	put(obj, "mode", json_string(v->mode));
	put_common(obj, v->metrics);
	put_delivery(obj, v->metrics);
	put_known(obj, v->metrics, "lqi");
	return obj;
}

json_t *fipsd_mmp_session(const struct fips_mmp_view *v, u16 path_mtu)
{
	json_t *obj = json_object();

	put(obj, "mode", json_string(v->mode));
	put_common(obj, v->metrics);
	put_delivery(obj, v->metrics);
	put_int(obj, "path_mtu", path_mtu);
	put_known(obj, v->metrics, "sqi");
	return obj;
}

static void put_trend(json_t *obj, const char *key, const struct fips_mmp_ewma *e)
{
	double ratio = e->slow != 0 ? e->fast / e->slow : 1;

	if (!e->known)
		return;
	put(obj, key, json_string(ratio > 1.05 ? "rising" : ratio < 0.95 ? "falling" : "stable"));
}

/* What an operator asks of a peer that tells strange things; ours. */
static void put_reports(json_t *obj, const struct fips_mmp_view *v)
{
	const struct fips_mmp_metrics *m = v->metrics;
	json_t *r = json_object();

	put_int(r, "received", m->reports);
	put_int(r, "rtt_samples", m->rtt_samples);
	put_int(r, "rtt_zero", m->rtt_zero);
	put_int(r, "rtt_arith_fail", m->rtt_arith_fail);
	put_int(r, "absurd", m->absurd);
	put(obj, "reports", r);
	put_real(obj, "jitter_ms", v->jitter_us / 1000.0);
	if (v->spin_rtt_us)
		put_real(obj, "spin_rtt_ms", (double)v->spin_rtt_us / 1000.0);
}

static json_t *entry(struct mmp_walk *w, const char *key, const struct fips_node_addr *addr,
		     const struct fips_identity *id, const char *alias, const char *mode)
{
	char text[FIPS_NODE_ADDR_SIZE], name[80];
	json_t *obj = json_object(), *shown;

	fips_node_addr_format(addr, text);
	fipsd_display_name(w->d, addr, id, alias, name, sizeof(name));
	shown = json_string(name);
	put(obj, key, json_string(text));
	put(obj, "display_name", shown ? shown : json_string("?"));
	put(obj, "mode", json_string(mode));
	return obj;
}

static void add_peer(void *arg, const struct fips_peer_view *v)
{
	const struct fips_mmp_metrics *m = v->mmp.metrics;
	json_t *layer = json_object(), *obj;
	struct mmp_walk *w = arg;

	obj = entry(w, "peer", &v->id->addr, v->id, v->alias, v->mmp.mode);
	put_common(layer, m);
	put_delivery(layer, m);
	put(layer, "spin_bit_role", json_string(v->mmp.initiator ? "initiator" : "responder"));
	put_known(layer, m, "lqi");
	put_trend(layer, "rtt_trend", &m->rtt_trend);
	put_trend(layer, "loss_trend", &m->loss_trend);
	put_trend(layer, "goodput_trend", &m->goodput_trend);
	put_trend(layer, "jitter_trend", &m->jitter_trend);
	put_int(layer, "ecn_ce_count", v->mmp.ce);
	put(layer, "congested", json_boolean(v->congested));
	put_reports(layer, &v->mmp);
	put(obj, "link_layer", layer);
	json_array_append_new(w->array, obj);
}

static void add_session(void *arg, const struct fips_session_view *v)
{
	const struct fips_mmp_metrics *m = v->mmp.metrics;
	struct mmp_walk *w = arg;
	json_t *layer, *obj;

	if (strcmp(v->state, "established"))
		return;
	layer = json_object();
	obj = entry(w, "remote", &v->remote, v->id, v->alias, v->mmp.mode);
	put_common(layer, m);
	put_int(layer, "path_mtu", v->observed_mtu);
	put_known(layer, m, "sqi");
	put_trend(layer, "rtt_trend", &m->rtt_trend);
	put_trend(layer, "loss_trend", &m->loss_trend);
	put_trend(layer, "etx_trend", &m->etx_trend);
	put_reports(layer, &v->mmp);
	put(obj, "session_layer", layer);
	json_array_append_new(w->array, obj);
}

json_t *fipsd_show_mmp(struct fipsd *d)
{
	struct mmp_walk peers = { .d = d, .now = fipsd_clock(), .array = json_array() };
	struct mmp_walk sessions = { .d = d, .now = peers.now, .array = json_array() };
	json_t *obj = json_object();

	fips_node_each_peer(d->node, &peers.now, add_peer, &peers);
	fips_node_each_session(d->node, &sessions.now, add_session, &sessions);
	put(obj, "peers", peers.array);
	put(obj, "sessions", sessions.array);
	return obj;
}

/* Family "congestion" (spec 13 §5.16). */
json_t *fipsd_congestion(struct fipsd *d)
{
	struct fips_dp_stats s = { 0 };
	json_t *obj = json_object();
	u64 drops = 0;
	size_t i;

	if (d->prov->ops->dev_get(d->dp, &s))
		s = (struct fips_dp_stats) { 0 };
	for (i = 0; i < d->udps.n; i++)
		drops += d->udps.v[i].stats.kernel_drops;
	put_int(obj, "ce_forwarded", s.ce_forwarded);
	put_int(obj, "ce_received", s.ce_delivered);
	put_int(obj, "congestion_detected", s.ce_marked);
	put_int(obj, "kernel_drop_events", drops);
	return obj;
}
