// SPDX-License-Identifier: MIT
/* What a run has shown: gathered once, written as text or as JSON. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#include <fips/wire.h>

#include "memo.h"
#include "nonce.h"
#include "sim.h"

/**
 * struct report - numbers of a run
 */
struct report {
	u64 frames[SIM_TX_CLASSES];
	u64 bytes[SIM_TX_CLASSES];
	u64 types[256];
	u64 type_bytes[256];
	u64 drops[FIPS_DROP_REASONS];
	struct sim_counts honest, reference, liars;
	u32 references;
	u64 upcalls, upcalls_lost, ops, ops_failed;
	u64 lives;
	u64 control_bytes;
	u64 control_per_node_s;		/* thousandths of a byte */
	u32 joined;
	u32 *joins;
	u64 control_messages;
	u64 messages_per_node_s;	/* thousandths */
	u64 pings, pongs, refused, packets, delivered;
	struct sim_times newcomers;
};

static int report_u32_cmp(const void *pa, const void *pb)
{
	u32 a = *(const u32 *)pa, b = *(const u32 *)pb;

	return a < b ? -1 : a > b;
}

/* Value below which @percent of the sorted ones are. */
static u32 report_quantile(const u32 *v, u64 n, u32 percent)
{
	return n ? v[(n - 1) * percent / 100] : 0;
}

static void report_node(struct report *r, const struct sim_node *n)
{
	const struct sim_node_stats *st = n->st;
	u32 i;

	for (i = 0; i < SIM_TX_CLASSES; i++) {
		r->frames[i] += st->frames[i];
		r->bytes[i] += st->bytes[i];
	}
	for (i = 0; i < 256; i++) {
		r->types[i] += st->types[i];
		r->type_bytes[i] += st->type_bytes[i];
	}
	for (i = 0; i < FIPS_DROP_REASONS; i++)
		r->drops[i] += st->drops[i];
	sim_counts_sum(n->lies ? &r->liars : n->reference ? &r->reference : &r->honest,
		       &st->counts);
	r->references += n->reference;
	r->upcalls += st->upcalls;
	r->upcalls_lost += st->upcalls_lost;
	r->ops += st->ops;
	r->ops_failed += st->ops_failed;
	r->lives += n->life;
	if (st->joined != SIM_NEVER)
		r->joins[r->joined++] = (u32)((st->joined - st->started) / 1000);
}

static void report_packets(struct report *r, const struct sim *s)
{
	const struct sim_packet *p;
	u64 i;

	for (i = 0; i < s->traffic.n; i++) {
		p = &s->traffic.packets[i];
		r->packets++;
		r->delivered += p->seen;
		r->pings += !p->udp;
		r->pongs += p->back;
		r->refused += p->refused;
	}
}

static void report_sort(struct sim_times *t)
{
	if (t->n)
		qsort(t->v, t->n, sizeof(*t->v), report_u32_cmp);
}

static void report_gather(struct report *r, struct sim *s)
{
	u32 i;

	*r = (struct report) { .joins = sim_alloc(s->n_nodes * sizeof(u32)) };
	for (i = 0; i < s->n_nodes; i++)
		report_node(r, &s->nodes[i]);
	report_packets(r, s);
	r->control_bytes = r->bytes[SIM_TX_RAW] + r->bytes[SIM_TX_LINK] +
			   r->bytes[SIM_TX_SESSION];
	if (s->now && s->n_nodes)
		r->control_per_node_s = r->control_bytes * 1000 / s->n_nodes * SIM_SEC / s->now;
	r->control_messages = r->frames[SIM_TX_RAW] + r->frames[SIM_TX_LINK] +
			      r->frames[SIM_TX_SESSION];
	if (s->now && s->n_nodes)
		r->messages_per_node_s =
			r->control_messages * 1000 / s->n_nodes * SIM_SEC / s->now;
	sim_newcomers_times(s, &r->newcomers);
	report_sort(&r->newcomers);
	report_sort(&s->asks.times);
	if (r->joined)
		qsort(r->joins, r->joined, sizeof(u32), report_u32_cmp);
	report_sort(&s->traffic.rtt);
	report_sort(&s->traffic.first);
}

/* ---- text ---- */

static void text_tables(const struct sim_tables *m, FILE *out)
{
	fprintf(out, "largest tables  peers %" PRIu64 ", links %" PRIu64 ", handshakes %" PRIu64
		", sessions %" PRIu64 ", identities %" PRIu64 "\n", m->peers, m->links, m->legs,
		m->sessions, m->identities);
	fprintf(out, "  data plane    links %" PRIu64 ", keys %" PRIu64 ", sessions %" PRIu64
		", routes %" PRIu64 ", staged %" PRIu64 " (%" PRIu64
		" bytes), parked %" PRIu64 "\n", m->core_links, m->core_indices,
		m->core_sessions, m->core_routes, m->core_stages, m->core_staged_bytes,
		m->core_parked);
	if (m->depth)
		fprintf(out, "  mesh          routes %" PRIu64 ", lookups %" PRIu64
			", coordinates %" PRIu64 "\n", m->routes, m->requests, m->coords);
}

static void text_times(const char *what, const struct sim_times *t, FILE *out)
{
	if (t->n)
		fprintf(out, "%-15s %" PRIu64 "; median %u us, 95 %% %u us, longest %u us\n", what,
			t->n, report_quantile(t->v, t->n, 50), report_quantile(t->v, t->n, 95),
			report_quantile(t->v, t->n, 100));
}

/* @missed: a lookup that no filter let begin is one that has failed, too. */
static void text_lookups(const char *what, const struct sim_ask_sums *a,
			 const struct sim_counts *c, FILE *out)
{
	const struct fips_lookup_counters *l = &c->node.lookup;

	if (!a->asked && !l->req_bloom_miss)
		return;
	fprintf(out, "%-15s %" PRIu64 ", found %" PRIu64 ", known otherwise %" PRIu64
		", cut off %" PRIu64 ", nobody to ask %" PRIu64 "; requests sent %" PRIu64
		", passed on %" PRIu64 ", timed out %" PRIu64 "\n", what, a->asked, a->found,
		a->moot, a->cut, l->req_bloom_miss, l->req_initiated, l->req_forwarded,
		l->resp_timed_out);
}

static void text_mesh(const struct report *r, struct sim *s, FILE *out)
{
	const struct fips_node_counters *m = &r->honest.node;

	if (s->checks.tables.depth)
		fprintf(out, "tree            settled at %" PRIu64 " ms, depth %" PRIu64 "\n",
			s->checks.tree / 1000, s->checks.tables.depth);
	text_lookups("lookups", &s->asks.own, &r->honest, out);
	if (r->references)
		fprintf(out, "by the reference's rules: %u nodes\n", r->references);
	text_lookups("  their lookups", &s->asks.reference, &r->reference, out);
	if (s->liars)
		fprintf(out, "lies            %" PRIu64 "\n", s->lies);
	text_times("found after", &s->asks.times, out);
	if (s->newcomers.n)
		fprintf(out, "newcomers       %u\n", s->newcomers.n);
	text_times("  answered", &r->newcomers, out);
	if (s->checks.stretch)
		fprintf(out, "stretch         %" PRIu64 ".%03" PRIu64 " over %" PRIu64 " paths\n",
			s->checks.stretch / 1000, s->checks.stretch % 1000,
			s->checks.stretch_pairs);
	if (m->rekey_completed || m->session_rekey_completed)
		fprintf(out, "rekeys          links %" PRIu64 ", sessions %" PRIu64 "\n",
			m->rekey_completed, m->session_rekey_completed);
}

static void text_traffic(const struct report *r, struct sim *s, FILE *out)
{
	const struct sim_traffic *t = &s->traffic;
	u32 i;

	fprintf(out, "packets         %" PRIu64 " sent, %" PRIu64 " delivered; %" PRIu64
		" pings, %" PRIu64 " answered, %" PRIu64 " refused\n", r->packets, r->delivered,
		r->pings, r->pongs, r->refused);
	text_times("round trip", &t->rtt, out);
	text_times("first answer", &t->first, out);
	fprintf(out, "frames         ");
	for (i = 0; i < SIM_TX_CLASSES; i++)
		fprintf(out, " %s %" PRIu64 "%s", sim_tx_names[i], r->frames[i],
			i + 1 < SIM_TX_CLASSES ? "," : "\n");
	fprintf(out, "control         %" PRIu64 ".%03" PRIu64 " bytes, %" PRIu64 ".%03" PRIu64
		" messages a node and second\n", r->control_per_node_s / 1000,
		r->control_per_node_s % 1000, r->messages_per_node_s / 1000,
		r->messages_per_node_s % 1000);
	fprintf(out, "lost           ");
	for (i = 0; i < SIM_LOSSES; i++)
		fprintf(out, " %s %" PRIu64 "%s", sim_loss_names[i], s->lost[i],
			i + 1 < SIM_LOSSES ? "," : "\n");
	fprintf(out, "dropped        ");
	for (i = 0; i < FIPS_DROP_REASONS; i++)
		if (r->drops[i])
			fprintf(out, " %s %" PRIu64, sim_drop_names[i], r->drops[i]);
	fputc('\n', out);
}

void sim_report_text(struct sim *s, FILE *out)
{
	struct report r;
	u64 calls, computed;

	report_gather(&r, s);
	fprintf(out, "seed            %" PRIu64 "\n", s->sc->seed);
	fprintf(out, "nodes           %u, %u edges, %" PRIu64 " lives\n", s->n_nodes, s->n_edges,
		r.lives);
	fprintf(out, "time            %" PRIu64 ".%06" PRIu64 " s, %" PRIu64 " events\n",
		s->now / SIM_SEC, s->now % SIM_SEC, s->events);
	fprintf(out, "joined          %u; median %u ms, 95 %% %u ms, last %u ms after its start\n",
		r.joined, report_quantile(r.joins, r.joined, 50),
		report_quantile(r.joins, r.joined, 95), report_quantile(r.joins, r.joined, 100));
	if (s->checks.converged)
		fprintf(out, "all linked      %" PRIu64 " ms\n", s->checks.converged / 1000);
	if (s->settle && s->checks.settled)
		fprintf(out, "settled         %u pairs, %" PRIu64 " ms after the last heal\n",
			s->checks.pairs, s->checks.settled / 1000);
	text_mesh(&r, s, out);
	text_traffic(&r, s, out);
	text_tables(&s->checks.tables, out);
	fprintf(out, "upcalls         %" PRIu64 ", lost %" PRIu64 "; ops %" PRIu64 ", failed %"
		PRIu64 "\n", r.upcalls, r.upcalls_lost, r.ops, r.ops_failed);
	if (s->memo) {
		sim_memo_stats(s->memo, &calls, &computed);
		fprintf(out, "memo            %" PRIu64 " calls, %" PRIu64 " computed\n", calls,
			computed);
	}
	fprintf(out, "log             %016" PRIx64 "%016" PRIx64 ", %" PRIu64 " notes\n",
		s->log.h[0], s->log.h[1], s->log.count);
	free(r.joins);
	free(r.newcomers.v);
}

/* ---- JSON ---- */

static json_t *json_u64(u64 v)
{
	return json_integer((json_int_t)v);
}

static json_t *json_quantiles(const u32 *v, u64 n)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "count", json_u64(n),
			 "median", json_u64(report_quantile(v, n, 50)),
			 "p95", json_u64(report_quantile(v, n, 95)),
			 "max", json_u64(report_quantile(v, n, 100)));
}

static json_t *json_classes(const struct report *r)
{
	json_t *o = json_object();
	u32 i;

	for (i = 0; i < SIM_TX_CLASSES; i++)
		json_object_set_new(o, sim_tx_names[i],
				    json_pack("{s:o, s:o}", "frames", json_u64(r->frames[i]),
					      "bytes", json_u64(r->bytes[i])));
	return o;
}

static json_t *json_types(const struct report *r)
{
	json_t *o = json_object();
	char name[8];
	u32 i;

	for (i = 0; i < 256; i++) {
		if (!r->types[i])
			continue;
		snprintf(name, sizeof(name), "0x%02x", i);
		json_object_set_new(o, name,
				    json_pack("{s:o, s:o}", "frames", json_u64(r->types[i]),
					      "bytes", json_u64(r->type_bytes[i])));
	}
	return o;
}

static json_t *json_named(const char *const *names, const u64 *v, u32 n)
{
	json_t *o = json_object();
	u32 i;

	for (i = 0; i < n; i++)
		if (v[i])
			json_object_set_new(o, names[i], json_u64(v[i]));
	return o;
}

static json_t *json_tables(const struct sim_tables *m)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "depth", json_u64(m->depth), "lookups", json_u64(m->requests),
			 "coordinates", json_u64(m->coords),
			 "peers", json_u64(m->peers), "links", json_u64(m->links),
			 "handshakes", json_u64(m->legs), "sessions", json_u64(m->sessions),
			 "identities", json_u64(m->identities),
			 "plane_links", json_u64(m->core_links),
			 "plane_sessions", json_u64(m->core_sessions),
			 "plane_routes", json_u64(m->core_routes),
			 "staged", json_u64(m->core_stages),
			 "staged_bytes", json_u64(m->core_staged_bytes),
			 "parked", json_u64(m->core_parked));
}

static u64 report_converged(const struct sim *s)
{
	if (!s->checks.tree || !s->checks.converged)
		return 0;
	return s->checks.tree > s->checks.converged ? s->checks.tree : s->checks.converged;
}

static json_t *json_lookups(const struct sim_ask_sums *a, const struct sim_counts *c)
{
	const struct fips_lookup_counters *l = &c->node.lookup;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "started", json_u64(a->asked),
			 "found", json_u64(a->found),
			 "moot", json_u64(a->moot),
			 "cut_off", json_u64(a->cut),
			 "unasked", json_u64(l->req_bloom_miss),
			 "requests", json_u64(l->req_initiated),
			 "timed_out", json_u64(l->resp_timed_out),
			 "forwarded", json_u64(l->req_forwarded));
}

static void json_mesh(json_t *o, struct sim *s, const struct report *r)
{
	const struct fips_node_counters *m = &r->honest.node;

	json_object_set_new(o, "converged_ms", report_converged(s) ?
			    json_u64(report_converged(s) / 1000) : json_null());
	json_object_set_new(o, "newcomers", json_pack("{s:o, s:o}",
						      "started", json_u64(s->newcomers.n),
						      "answer_us",
						      json_quantiles(r->newcomers.v,
								     r->newcomers.n)));
	json_object_set_new(o, "tree_ms", s->checks.tree ? json_u64(s->checks.tree / 1000) :
							   json_null());
	json_object_set_new(o, "lookups", json_lookups(&s->asks.own, &r->honest));
	json_object_set_new(o, "reference", json_pack("{s:o, s:o}", "nodes",
						      json_u64(r->references), "lookups",
						      json_lookups(&s->asks.reference,
								   &r->reference)));
	json_object_set_new(o, "lookup_latency_us",
			    json_quantiles(s->asks.times.v, s->asks.times.n));
	/* What all of them cost, answers apart. */
	json_object_set_new(o, "lookup_requests",
			    json_u64(r->types[FIPS_LINK_LOOKUP_REQUEST]));
	json_object_set_new(o, "lies", json_u64(s->lies));
	json_object_set_new(o, "rekeys",
			    json_pack("{s:o, s:o}", "links", json_u64(m->rekey_completed),
				      "sessions", json_u64(m->session_rekey_completed)));
	json_object_set_new(o, "counters", json_pack("{s:o, s:o, s:o}",
						     "honest", sim_counts_json(&r->honest),
						     "reference",
						     sim_counts_json(&r->reference),
						     "liars", sim_counts_json(&r->liars)));
	json_object_set_new(o, "stretch_milli", json_u64(s->checks.stretch));
}

static void json_put(json_t *o, struct sim *s, const struct report *r)
{
	char digest[33];

	snprintf(digest, sizeof(digest), "%016" PRIx64 "%016" PRIx64, s->log.h[0], s->log.h[1]);
	json_object_set_new(o, "seed", json_u64(s->sc->seed));
	json_object_set_new(o, "topology", json_string(sim_topo_names[s->sc->topo.kind]));
	json_object_set_new(o, "nodes", json_u64(s->n_nodes));
	json_object_set_new(o, "edges", json_u64(s->n_edges));
	json_object_set_new(o, "lives", json_u64(r->lives));
	json_object_set_new(o, "time_us", json_u64(s->now));
	json_object_set_new(o, "events", json_u64(s->events));
	json_object_set_new(o, "join_ms", json_quantiles(r->joins, r->joined));
	json_object_set_new(o, "linked_ms", s->checks.converged ?
			    json_u64(s->checks.converged / 1000) : json_null());
	json_object_set_new(o, "settled_ms", s->settle ? json_u64(s->checks.settled / 1000) :
							 json_null());
	json_object_set_new(o, "packets", json_u64(r->packets));
	json_object_set_new(o, "delivered", json_u64(r->delivered));
	json_object_set_new(o, "pings", json_u64(r->pings));
	json_object_set_new(o, "answered", json_u64(r->pongs));
	json_object_set_new(o, "refused", json_u64(r->refused));
	json_object_set_new(o, "rtt_us", json_quantiles(s->traffic.rtt.v, s->traffic.rtt.n));
	json_object_set_new(o, "first_answer_us",
			    json_quantiles(s->traffic.first.v, s->traffic.first.n));
	json_mesh(o, s, r);
	json_object_set_new(o, "frames", json_classes(r));
	json_object_set_new(o, "link_messages", json_types(r));
	json_object_set_new(o, "control_millibytes_per_node_s", json_u64(r->control_per_node_s));
	json_object_set_new(o, "control_millimessages_per_node_s",
			    json_u64(r->messages_per_node_s));
	json_object_set_new(o, "lost", json_named(sim_loss_names, s->lost, SIM_LOSSES));
	json_object_set_new(o, "dropped", json_named(sim_drop_names, r->drops, FIPS_DROP_REASONS));
	json_object_set_new(o, "largest", json_tables(&s->checks.tables));
	json_object_set_new(o, "keys", json_u64(sim_nonce_keys()));
	json_object_set_new(o, "log", json_string(digest));
	json_object_set_new(o, "broken", s->failure.name ? json_string(s->failure.name) :
							   json_null());
}

void sim_report_json(struct sim *s, FILE *out)
{
	json_t *o = json_object();
	struct report r;

	report_gather(&r, s);
	json_put(o, s, &r);
	json_dumpf(o, out, JSON_INDENT(2));
	fputc('\n', out);
	json_decref(o);
	free(r.joins);
	free(r.newcomers.v);
}
