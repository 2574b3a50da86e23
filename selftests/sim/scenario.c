// SPDX-License-Identifier: MIT
/* Scenarios: defaults, keys of the node, and the texts they are written in. */
#include <errno.h>
#include <stdlib.h>

#include "scenario.h"

void sim_scenario_defaults(struct sim_scenario *sc)
{
	*sc = (struct sim_scenario) {
		.seed = 1,
		.topo = { .kind = SIM_TOPO_TREE, .nodes = 10, .degree = 4 },
		.dial = SIM_DIAL_MIX,
		.duration = 60 * SIM_SEC,
		.start_over = SIM_SEC,
		.wire = { .delay = 5 * SIM_MS, .queue = 65536 },
		.delay_spread = 20 * SIM_MS,
		.plane = { .delay = 30 },
		.skew = 2 * SIM_SEC,
		.drift = 50,
		.mtu = 1280,
		.ping_gap = 100 * SIM_MS,
		.ping_size = 1200,
		.flow_pps = 50,
		.flow_size = 500,
		.far = true,
		.settle = true,
		.memo = true,
	};
	fips_node_timing_defaults(&sc->timing);
}

void sim_scenario_free(struct sim_scenario *sc)
{
	free(sc->faults);
	sc->faults = NULL;
}

/*
 * A dead link is noticed, the longest back-off (and its tenth) runs out, and one
 * handshake that began just before the heal may have to time out first.
 */
u64 sim_scenario_bound(const struct sim_scenario *sc)
{
	const struct fips_node_timing *t = &sc->timing;
	u64 backoff = t->retry.max_backoff_secs > t->retry.base_interval_secs ?
			      t->retry.max_backoff_secs : t->retry.base_interval_secs;
	u64 secs = t->link_dead_timeout_secs + backoff + backoff / 10 +
		   2 * t->rate_limit.handshake_timeout_secs + 20;

	return secs * SIM_SEC;
}

/* ---- keys ---- */

enum key_type {
	KEY_U64,
	KEY_U32,
	KEY_U8,
	KEY_BOOL,
	KEY_DOUBLE,
};

#define KEY(member, type)	{ #member, offsetof(struct fips_node_timing, member), type }

static const struct {
	const char *name;
	size_t off;
	enum key_type type;
} scenario_keys[] = {
	KEY(heartbeat_interval_secs, KEY_U64),
	KEY(link_dead_timeout_secs, KEY_U64),
	KEY(drain_timeout_secs, KEY_U64),
	KEY(limits.max_connections, KEY_U64),
	KEY(limits.max_peers, KEY_U64),
	KEY(limits.max_links, KEY_U64),
	KEY(limits.max_pending_inbound, KEY_U64),
	KEY(rate_limit.handshake_burst, KEY_U32),
	KEY(rate_limit.handshake_rate, KEY_DOUBLE),
	KEY(rate_limit.handshake_timeout_secs, KEY_U64),
	KEY(rate_limit.handshake_resend_interval_ms, KEY_U64),
	KEY(rate_limit.handshake_resend_backoff, KEY_DOUBLE),
	KEY(rate_limit.handshake_max_resends, KEY_U32),
	KEY(rate_limit.established_handshake_burst, KEY_U32),
	KEY(rate_limit.established_handshake_rate, KEY_DOUBLE),
	KEY(rate_limit.session_setup_burst, KEY_U32),
	KEY(rate_limit.session_setup_rate, KEY_DOUBLE),
	KEY(retry.max_retries, KEY_U32),
	KEY(retry.base_interval_secs, KEY_U64),
	KEY(retry.max_backoff_secs, KEY_U64),
	KEY(cache.coord_size, KEY_U64),
	KEY(cache.coord_ttl_secs, KEY_U64),
	KEY(cache.identity_size, KEY_U64),
	KEY(lookup.ttl, KEY_U8),
	KEY(lookup.recent_expiry_secs, KEY_U64),
	KEY(lookup.backoff_base_secs, KEY_U64),
	KEY(lookup.backoff_max_secs, KEY_U64),
	KEY(lookup.forward_min_interval_secs, KEY_U64),
	KEY(tree.announce_min_interval_ms, KEY_U64),
	KEY(tree.parent_hysteresis, KEY_DOUBLE),
	KEY(tree.hold_down_secs, KEY_U64),
	KEY(tree.reeval_interval_secs, KEY_U64),
	KEY(tree.flap_threshold, KEY_U32),
	KEY(tree.flap_window_secs, KEY_U64),
	KEY(tree.flap_dampening_secs, KEY_U64),
	KEY(bloom.update_debounce_ms, KEY_U64),
	KEY(bloom.max_inbound_fpr, KEY_DOUBLE),
	KEY(session.default_ttl, KEY_U8),
	KEY(session.pending_packets_per_dest, KEY_U64),
	KEY(session.pending_max_destinations, KEY_U64),
	KEY(session.idle_timeout_secs, KEY_U64),
	KEY(session.coords_warmup_packets, KEY_U8),
	KEY(session.coords_response_interval_ms, KEY_U64),
	KEY(rekey.enabled, KEY_BOOL),
	KEY(rekey.after_secs, KEY_U64),
	KEY(rekey.after_messages, KEY_U64),
};

static void key_store(struct fips_node_timing *t, size_t off, enum key_type type, double v)
{
	void *p = (char *)t + off;

	switch (type) {
	case KEY_U64:
		*(u64 *)p = (u64)v;
		return;
	case KEY_U32:
		*(u32 *)p = (u32)v;
		return;
	case KEY_U8:
		*(u8 *)p = (u8)v;
		return;
	case KEY_BOOL:
		*(bool *)p = v > 0;
		return;
	case KEY_DOUBLE:
		*(double *)p = v;
		return;
	}
}

int sim_scenario_set(struct sim_scenario *sc, const char *assignment)
{
	const char *eq = strchr(assignment, '=');
	char *end;
	double v;
	size_t i;

	if (!eq)
		return -EINVAL;
	v = strtod(eq + 1, &end);
	if (end == eq + 1 || *end || v < 0)
		return -EINVAL;
	for (i = 0; i < sizeof(scenario_keys) / sizeof(scenario_keys[0]); i++) {
		if (strlen(scenario_keys[i].name) != (size_t)(eq - assignment) ||
		    strncmp(scenario_keys[i].name, assignment, (size_t)(eq - assignment)))
			continue;
		key_store(&sc->timing, scenario_keys[i].off, scenario_keys[i].type, v);
		sc->limits |= !strncmp(assignment, "limits.", 7);
		return 0;
	}
	return -EINVAL;
}

static double key_load(const struct fips_node_timing *t, size_t off, enum key_type type)
{
	const void *p = (const char *)t + off;

	switch (type) {
	case KEY_U64:
		return (double)*(const u64 *)p;
	case KEY_U32:
		return *(const u32 *)p;
	case KEY_U8:
		return *(const u8 *)p;
	case KEY_BOOL:
		return *(const bool *)p;
	case KEY_DOUBLE:
		return *(const double *)p;
	}
	return 0;
}

void sim_scenario_print_keys(const struct sim_scenario *sc, FILE *out)
{
	struct fips_node_timing t;
	double v;
	size_t i;

	fips_node_timing_defaults(&t);
	for (i = 0; i < sizeof(scenario_keys) / sizeof(scenario_keys[0]); i++) {
		v = key_load(&sc->timing, scenario_keys[i].off, scenario_keys[i].type);
		if (v > key_load(&t, scenario_keys[i].off, scenario_keys[i].type) ||
		    v < key_load(&t, scenario_keys[i].off, scenario_keys[i].type))
			fprintf(out, " --set %s=%.17g", scenario_keys[i].name, v);
	}
}

/* ---- texts ---- */

/* "12.5" in units of 10^-6; the rest of the text. */
static const char *parse_micro(const char *text, u64 *v)
{
	u64 unit = 1000000;
	char *end;

	if (*text < '0' || *text > '9')
		return NULL;
	*v = strtoull(text, &end, 10);
	if (*v > UINT64_MAX / 1000000 / 1000000)
		return NULL;
	*v *= unit;
	if (*end != '.')
		return end;
	for (end++; *end >= '0' && *end <= '9'; end++) {
		unit /= 10;
		*v += (u64)(*end - '0') * unit;
	}
	return end;
}

int sim_parse_time(const char *text, u64 *us)
{
	const char *unit = parse_micro(text, us);

	if (!unit)
		return -EINVAL;
	if (!strcmp(unit, "s"))
		return 0;
	if (!strcmp(unit, "m"))
		*us *= 60;
	else if (!strcmp(unit, "ms"))
		*us /= 1000;
	else if (!strcmp(unit, "us"))
		*us /= 1000000;
	else
		return -EINVAL;
	return 0;
}

int sim_parse_ppm(const char *text, u32 *ppm)
{
	const char *unit;
	u64 v;

	unit = parse_micro(text, &v);
	if (!unit)
		return -EINVAL;
	if (!strcmp(unit, "%"))
		v /= 100;
	else if (!strcmp(unit, "ppm"))
		v /= 1000000;
	else
		return -EINVAL;
	if (v > 1000000)
		return -EINVAL;
	*ppm = (u32)v;
	return 0;
}

int sim_parse_size(const char *text, u64 *v)
{
	u64 unit = 1;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	*v = strtoull(text, &end, 10);
	switch (*end) {
	case 'k':
		unit = 1000;
		break;
	case 'm':
		unit = 1000000;
		break;
	case 'g':
		unit = 1000000000;
		break;
	}
	end += unit > 1;
	if (*v > UINT64_MAX / unit || (*end && strcmp(end, "bit") && strcmp(end, "b")))
		return -EINVAL;
	*v *= unit;
	return 0;
}
