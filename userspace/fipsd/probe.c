// SPDX-License-Identifier: MIT
/* Steps of a probe (spec 13 §7.3). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control_json.h"
#include "probe_impl.h"

#define KEPT_MS		30000	/* a finished one that nobody asks for */

u64 probe_tick_ms(const struct fipsd *d)
{
	u64 secs = d->cfg->tick_interval_secs;

	return (secs > 3600 ? 3600 : secs) * 1000;
}

u64 probe_discovery_ms(const struct fipsd *d)
{
	const struct fips_cfg_u64list *list = &d->cfg->attempt_timeouts_secs;
	u64 ms = 2 * probe_tick_ms(d);
	size_t i;

	for (i = 0; i < list->n; i++)
		ms += (list->v[i] > 3600 ? 3600 : list->v[i]) * 1000;
	return ms;
}

static u64 stage_budget(const struct fipsd *d, enum probe_stage stage)
{
	u64 t = probe_tick_ms(d);

	switch (stage) {
	case PROBE_BLOOM:
		return 2 * t;
	case PROBE_DISCOVERY:
		return probe_discovery_ms(d);
	case PROBE_SESSION:
		return 3 * t > 5000 ? 3 * t : 5000;
	case PROBE_RTT:
		return 4 * t > 3000 ? 4 * t : 3000;
	case PROBE_PATH:
	case PROBE_STAGES:
		break;
	}
	return 0;
}

static u64 whole_budget(const struct fipsd *d)
{
	u64 ms = 0;
	int i;

	for (i = 0; i < PROBE_STAGES; i++)
		ms += stage_budget(d, i);
	return ms;
}

/* ---- stages: each returns true when it has settled ---- */

static bool settle(struct probe *p, const char *verdict, const char *reason)
{
	struct probe_outcome *o = &p->out[p->stage];

	o->verdict = verdict;
	o->reason = reason;
	o->ended = fipsd_clock().mono_ms;
	return true;
}

static bool over(const struct fipsd *d, const struct probe *p)
{
	return fipsd_clock().mono_ms - p->out[p->stage].began >= stage_budget(d, p->stage);
}

/* As if a packet waited: the node looks for the target, and opens a session. */
static void knock(struct fipsd *d, struct probe *p)
{
	struct fips_event ev = { .type = FIPS_EV_SESSION_MISS };
	struct fips_clock now = fipsd_clock();

	memcpy(ev.miss.ipv6, p->target.ipv6, sizeof(ev.miss.ipv6));
	fips_node_learn(d->node, &now, &p->target);
	fips_node_event(d->node, &now, &ev);
	p->opened = !p->preexisting;
}

static bool step_bloom(struct fipsd *d, struct probe *p, bool first)
{
	struct fips_clock now = fipsd_clock();
	struct fips_node_view view;

	if (first && p->look.coords)
		return settle(p, "skipped", "cached");
	if (first && p->look.direct)
		return settle(p, "skipped", "direct_peer");
	if (first) {
		knock(d, p);
		p->issued = true;
		return false;
	}
	if (p->look.coords || (p->look.lookup && p->look.attempt))
		return settle(p, "ok", NULL);
	fips_node_view(d->node, &now, &view);
	if (!view.peers)
		return settle(p, "failed", "no_tree_peers");
	if (!p->look.lookup)
		return settle(p, "failed", "backoff_suppressed");
	return over(d, p) ? settle(p, "failed", "bloom_miss") : false;
}

static bool step_discovery(struct fipsd *d, struct probe *p)
{
	if (!p->issued)
		return settle(p, "skipped", p->out[PROBE_BLOOM].reason);
	if (p->look.coords)
		return settle(p, "ok", NULL);
	if (!p->look.lookup || over(d, p))
		return settle(p, "failed", "bloom_unconfirmed");
	return false;
}

static bool step_path(struct probe *p)
{
	if (p->look.direct && !p->look.coords)
		return settle(p, "skipped", "direct_peer");
	if (p->look.hop)
		return settle(p, "ok", NULL);
	if (p->look.hop_why && !strcmp(p->look.hop_why, "disjoint_trees"))
		return settle(p, "failed", "disjoint_trees");
	return settle(p, "failed", "no_next_hop");
}

static bool step_session(struct fipsd *d, struct probe *p, bool first)
{
	if (first && !p->preexisting && !p->look.session)
		knock(d, p);
	if (p->look.established) {
		p->since = p->look.session_since;
		return settle(p, p->preexisting ? "skipped" : "ok",
			      p->preexisting ? "preexisting" : NULL);
	}
	return over(d, p) ? settle(p, "failed", "handshake_timeout") : false;
}

static void warm(struct fipsd *d, struct probe *p)
{
	p->warmed_at = fipsd_clock().mono_ms;
	if (!d->prov->ops->session_xmit(d->dp, &p->target.addr, FIPS_KEY_SLOT_CURRENT,
					FIPS_FSP_COORDS_WARMUP, true, NULL, 0))
		p->warmups++;
}

static bool step_rtt(struct fipsd *d, struct probe *p, bool first)
{
	const struct fips_mmp_metrics *m = &p->look.mmp, *base = &p->base;
	u64 again = probe_tick_ms(d) > 1000 ? probe_tick_ms(d) : 1000;

	if (first) {
		p->base = p->look.mmp;
		warm(d, p);
		return false;
	}
	if (m->rtt_samples > base->rtt_samples)
		return settle(p, "ok", NULL);
	if (p->warmups < 2 && m->reports == base->reports &&
	    fipsd_clock().mono_ms - p->warmed_at >= again)
		warm(d, p);
	if (!over(d, p))
		return false;
	return settle(p, "failed", m->rtt_arith_fail > base->rtt_arith_fail ?
		      "bad_timestamp_echo" : m->rtt_zero > base->rtt_zero ? "sub_millisecond" :
		      m->reports > base->reports ? "no_echo" : "no_report");
}

static bool step_stage(struct fipsd *d, struct probe *p)
{
	struct probe_outcome *o = &p->out[p->stage];
	bool first = !o->began;

	if (first)
		o->began = fipsd_clock().mono_ms;
	switch (p->stage) {
	case PROBE_BLOOM:
		return step_bloom(d, p, first);
	case PROBE_DISCOVERY:
		return step_discovery(d, p);
	case PROBE_PATH:
		return step_path(p);
	case PROBE_SESSION:
		return step_session(d, p, first);
	case PROBE_RTT:
		return step_rtt(d, p, first);
	case PROBE_STAGES:
		break;
	}
	return true;
}

/* ---- a step, and the end ---- */

/* A session of ours goes again, unless somebody has found use for it. */
static void clean_up(struct fipsd *d, struct probe *p)
{
	struct fips_clock now = fipsd_clock();

	p->done = true;
	p->done_at = now.mono_ms;
	if (!p->look.session)
		return;
	if (p->preexisting || !p->opened)
		p->left_why = "preexisting";
	else if (p->since && p->look.session_since != p->since)
		p->left_why = "replaced";
	else if (p->look.data)
		p->left_why = "adopted_by_traffic";
	else
		p->torn_down = !fips_node_end_session(d->node, &now, &p->target.addr);
}

/* Later stages of a probe that stopped have never begun. */
static void stop_probe(struct probe *p)
{
	for (; p->stage < PROBE_STAGES; p->stage++)
		settle(p, "skipped", "not_reached");
}

static void step(struct fipsd *d, struct probe *p)
{
	probe_look(d, p);
	if (p->ended) {		/* the tick of grace is over */
		clean_up(d, p);
		return;
	}
	while (p->stage < PROBE_STAGES && step_stage(d, p)) {
		bool failed = !strcmp(p->out[p->stage].verdict, "failed");
		bool fatal = failed && p->stage != PROBE_PATH;

		p->stage++;
		if (fatal)
			stop_probe(p);
		else
			probe_look(d, p);
	}
	if (p->stage == PROBE_STAGES)
		p->ended = fipsd_clock().mono_ms;
}

static void probe_drop(struct fipsd *d, struct probe *gone)
{
	struct probe **at;

	for (at = &d->probes; *at; at = &(*at)->next_probe)
		if (*at == gone) {
			*at = gone->next_probe;
			free(gone);
			return;
		}
}

void fipsd_probes_tick(struct fipsd *d)
{
	u64 now = fipsd_clock().mono_ms;
	struct probe *p, *next;

	for (p = d->probes; p; p = next) {
		next = p->next_probe;
		if (!p->done)
			step(d, p);
		else if (now - p->done_at > KEPT_MS)
			probe_drop(d, p);
	}
}

void fipsd_probes_free(struct fipsd *d)
{
	while (d->probes)
		probe_drop(d, d->probes);
}

/* ---- commands ---- */

static void known(void *arg, const struct fips_identity_view *v)
{
	struct probe *p = arg;

	p->identity_cached |= fips_node_addr_eq(&v->id->addr, &p->target.addr);
}

static unsigned int unfinished(const struct fipsd *d)
{
	const struct probe *p;
	unsigned int n = 0;

	for (p = d->probes; p; p = p->next_probe)
		n += !p->done;
	return n;
}

static int probe_new(struct fipsd *d, const struct fips_identity *id, struct probe **out)
{
	struct fips_clock now = fipsd_clock();
	struct probe *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->target = *id;
	p->began = now.mono_ms;
	fips_node_each_identity(d->node, &now, known, p);
	probe_look(d, p);
	p->coords_cached = p->look.coords;
	p->preexisting = p->look.session;
	p->id = ++d->last_probe;
	p->next_probe = d->probes;
	d->probes = p;
	*out = p;
	return 0;
}

int fipsd_probe_start(struct fipsd *d, const json_t *params, json_t **data, char *why,
		      size_t why_len)
{
	const char *npub = json_string_value(json_object_get(params, "npub"));
	char name[80], addr[FIPS_NODE_ADDR_SIZE];
	struct fips_identity id;
	struct probe *p;
	int ret;

	snprintf(why, why_len, "%s", !params ? "missing params for probe_start" :
		 "missing 'npub' parameter");
	if (!npub)
		return -EINVAL;
	ret = fips_identity_from_npub(&d->pk, npub, strlen(npub), &id);
	snprintf(why, why_len, "invalid peer npub: %s", ret < 0 ? fips_key_strerror(ret) : "");
	if (ret < 0)
		return ret;
	snprintf(why, why_len, "cannot probe this node");
	if (fips_node_addr_eq(&id.addr, &d->keypair.id.addr))
		return -EINVAL;
	snprintf(why, why_len, "too many probes in flight");
	if (unfinished(d) >= FIPSD_PROBES_MAX)
		return -EBUSY;
	ret = probe_new(d, &id, &p);
	if (ret)
		return ret;
	step(d, p);
	fips_node_addr_format(&id.addr, addr);
	fipsd_display_name(d, &id.addr, &id, NULL, name, sizeof(name));
	*data = json_pack("{s:I, s:s, s:s, s:s, s:I}", "probe_id", (json_int_t)p->id, "npub",
			  id.npub, "node_addr", addr, "display_name", name, "budget_ms",
			  (json_int_t)whole_budget(d));
	return 0;
}

static struct probe *probe_find(struct fipsd *d, const char *command, const json_t *params,
				char *why, size_t why_len)
{
	const json_t *id = json_object_get(params, "probe_id");
	struct probe *p;

	if (!params)
		snprintf(why, why_len, "missing params for %s", command);
	else if (!json_is_integer(id))
		snprintf(why, why_len, "missing 'probe_id' parameter");
	else
		snprintf(why, why_len, "unknown probe id: %lld",
			 (long long)json_integer_value(id));
	for (p = json_is_integer(id) ? d->probes : NULL; p; p = p->next_probe)
		if ((json_int_t)p->id == json_integer_value(id))
			return p;
	return NULL;
}

int fipsd_probe_poll(struct fipsd *d, const json_t *params, json_t **data, char *why,
		     size_t why_len)
{
	struct probe *p = probe_find(d, "probe_poll", params, why, why_len);

	if (!p)
		return -ENOENT;
	*data = json_object();
	put_str(*data, "state", p->done ? "done" : "running");
	put(*data, "report", probe_report(d, p));
	if (p->done)
		probe_drop(d, p);
	return 0;
}

int fipsd_probe_cancel(struct fipsd *d, const json_t *params, json_t **data, char *why,
		       size_t why_len)
{
	struct probe *p = probe_find(d, "probe_cancel", params, why, why_len);

	if (!p)
		return -ENOENT;
	if (!p->done) {
		p->cancelled = true;
		stop_probe(p);
		p->ended = fipsd_clock().mono_ms;
		step(d, p);
	}
	*data = json_pack("{s:I, s:b}", "probe_id", (json_int_t)p->id, "cancelled", 1);
	return 0;
}
