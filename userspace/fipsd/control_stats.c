// SPDX-License-Identifier: MIT
/* Statistics history as JSON (spec 13 §6.3). */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "control_json.h"
#include "control_stats.h"
#include "daemon.h"

/* A request: what is asked for, of whom, how much of it. */
struct query {
	struct fipsd *d;
	const json_t *params;
	char *why;
	size_t why_len;
	const char *peer_text;	/* or NULL */
	struct fips_node_addr addr;
	int peer;		/* handle, or -1 */
	u64 window;		/* seconds */
	bool slow;
};

__attribute__((format(printf, 2, 0)))
static int refuse(struct query *q, const char *fmt, const char *arg)
{
	snprintf(q->why, q->why_len, fmt, arg);
	return -EINVAL;
}

/* Of the wrong type is as good as absent. */
static const char *text_of(const struct query *q, const char *name)
{
	return json_string_value(json_object_get(q->params, name));
}

/* A number, and its unit as the last character. */
static int parse_window(struct query *q)
{
	const char *text = text_of(q, "window");
	u64 factor, n = 0;
	size_t len;

	text = text ? text : "10m";
	len = strlen(text);
	if (!len)
		return refuse(q, "empty duration", "");
	if (len < 2 || len > 12 || strspn(text, "0123456789") < len - 1)
		return refuse(q, "invalid duration: %.40s", text);
	switch (text[len - 1]) {
	case 's':
		factor = 1;
		break;
	case 'm':
		factor = 60;
		break;
	case 'h':
		factor = 3600;
		break;
	default:
		return refuse(q, "unknown duration unit: %s (expected s, m, h)", text + len - 1);
	}
	n = strtoull(text, NULL, 10);
	q->window = n * factor;
	return 0;
}

static int parse_granularity(struct query *q)
{
	const char *text = text_of(q, "granularity");

	text = text ? text : "1s";
	q->slow = !strcmp(text, "1m");
	if (q->slow || !strcmp(text, "1s"))
		return 0;
	return refuse(q, "unknown granularity: %.40s (expected 1s or 1m)", text);
}

/* An npub, or the hexadecimal address of somebody who is gone. */
static int parse_peer(struct query *q)
{
	struct fips_identity id;
	const char *text = text_of(q, "peer");
	int ret;

	q->peer = -1;
	q->peer_text = text;
	if (!text || !fips_node_addr_parse(text, strlen(text), &q->addr))
		return 0;
	ret = fips_identity_from_npub(&q->d->pk, text, strlen(text), &id);
	if (ret < 0)
		return refuse(q, "invalid peer npub: %s", fips_key_strerror(ret));
	q->addr = id.addr;
	return 0;
}

static int find_peer(struct query *q)
{
	char name[80];

	if (!q->peer_text)
		return 0;
	q->peer = fips_history_find(q->d->history, &q->addr);
	if (q->peer >= 0)
		return 0;
	fipsd_display_name(q->d, &q->addr, NULL, NULL, name, sizeof(name));
	return refuse(q, "peer not tracked in stats history: %s", name);
}

static int parse(struct query *q)
{
	int ret = parse_window(q);

	return ret ? ret : parse_granularity(q);
}

static json_t *values(const struct query *q, int peer, int metric)
{
	u64 n = q->window / (q->slow ? 60 : 1);
	u64 room = q->slow ? FIPS_HISTORY_SLOW : FIPS_HISTORY_FAST;
	json_t *array = json_array();
	double *v;
	size_t i;

	n = n > room ? room : n;
	v = calloc(n + 1, sizeof(*v));
	if (!v)
		return array;
	fips_history_values(q->d->history, peer, metric, q->slow, v, n);
	for (i = 0; i < n; i++)
		json_array_append_new(array, isfinite(v[i]) ? json_real(v[i]) : json_null());
	free(v);
	return array;
}

static json_t *series(const struct query *q, int metric)
{
	const struct fips_metric *m = q->peer < 0 ? &fips_node_metrics[metric] :
						    &fips_peer_metrics[metric];
	json_t *obj = json_object();

	put_str(obj, "metric", m->name);
	put_str(obj, "unit", m->unit);
	put_int(obj, "granularity_seconds", q->slow ? 60 : 1);
	put(obj, "values", values(q, q->peer, metric));
	return obj;
}

/* ---- peers: those that are here first, then by name ---- */

struct entry {
	int peer;
	bool active;
	char name[80];
};

static int entry_cmp(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->active != y->active)
		return x->active ? -1 : 1;
	return strcmp(x->name, y->name);
}

static struct entry *sorted(struct fipsd *d, int *n)
{
	struct fips_history_peer info;
	struct entry *v;
	int i;

	*n = fips_history_count(d->history);
	v = calloc((size_t)*n + 1, sizeof(*v));
	if (!v) {
		*n = 0;
		return NULL;
	}
	for (i = 0; i < *n; i++) {
		fips_history_info(d->history, i, &info);
		v[i].peer = i;
		v[i].active = info.active;
		fipsd_display_name(d, &info.id->addr, info.id, NULL, v[i].name, sizeof(v[i].name));
	}
	qsort(v, (size_t)*n, sizeof(*v), entry_cmp);
	return v;
}

static json_t *entry_json(struct fipsd *d, const struct entry *e, struct fips_history_peer *info)
{
	char text[FIPS_NODE_ADDR_SIZE];
	json_t *obj = json_object();

	fips_history_info(d->history, e->peer, info);
	fips_node_addr_format(&info->id->addr, text);
	put_str(obj, "node_addr", text);
	put_str(obj, "display_name", e->name);
	put_bool(obj, "is_active", e->active);
	return obj;
}

json_t *fipsd_show_stats_peers(struct fipsd *d)
{
	json_t *obj = json_object(), *array = json_array();
	u64 now = fipsd_clock().mono_ms;
	struct fips_history_peer info;
	struct entry *v;
	int i, n;

	v = sorted(d, &n);
	for (i = 0; i < n; i++) {
		json_t *e = entry_json(d, &v[i], &info);

		put_str(e, "npub", info.id->npub);
		put_int(e, "first_seen_secs_ago", (now - info.first_ms) / 1000);
		put_int(e, "last_contact_secs_ago", (now - info.last_ms) / 1000);
		json_array_append_new(array, e);
	}
	free(v);
	put(obj, "peers", array);
	put_int(obj, "count", (u64)n);
	return obj;
}

/* ---- commands ---- */

static void list_metrics(json_t *array, const struct fips_metric *list, int n, const char *scope)
{
	int i;

	for (i = 0; i < n; i++)
		json_array_append_new(array, json_pack("{s:s, s:s, s:s}", "name", list[i].name,
						       "unit", list[i].unit, "scope", scope));
}

json_t *fipsd_show_stats_list(struct fipsd *d)
{
	json_t *obj = json_object(), *array = json_array();

	(void)d;
	list_metrics(array, fips_node_metrics, FIPS_NODE_METRICS, "node");
	list_metrics(array, fips_peer_metrics, FIPS_PEER_METRICS, "peer");
	put(obj, "metrics", array);
	put_int(obj, "fast_ring_seconds", FIPS_HISTORY_FAST);
	put_int(obj, "slow_ring_minutes", FIPS_HISTORY_SLOW);
	put_int(obj, "peer_retention_seconds", FIPS_HISTORY_RETENTION);
	return obj;
}

static int metric_param(struct query *q, const char *command, const char **name)
{
	*name = text_of(q, "metric");
	if (!q->params)
		return refuse(q, "missing params for %s", command);
	return *name ? 0 : refuse(q, "missing '%s' parameter", "metric");
}

int fipsd_stats_history(struct fipsd *d, const json_t *params, json_t **data, char *why,
			size_t why_len)
{
	struct query q = { .d = d, .params = params, .why = why, .why_len = why_len };
	const char *name;
	int ret, metric;

	ret = metric_param(&q, "show_stats_history", &name);
	ret = ret ? ret : parse(&q);
	ret = ret ? ret : parse_peer(&q);
	if (ret)
		return ret;
	metric = q.peer_text ? fips_metric_find(fips_peer_metrics, FIPS_PEER_METRICS, name) :
			       fips_metric_find(fips_node_metrics, FIPS_NODE_METRICS, name);
	if (metric < 0)
		return refuse(&q, q.peer_text ? "unknown peer metric: %.80s" :
			      "unknown metric: %.80s", name);
	ret = find_peer(&q);
	if (!ret)
		*data = series(&q, metric);
	return ret;
}

int fipsd_stats_all_history(struct fipsd *d, const json_t *params, json_t **data, char *why,
			    size_t why_len)
{
	struct query q = { .d = d, .params = params, .why = why, .why_len = why_len };
	json_t *array, *obj;
	int i, n, ret;

	ret = parse(&q);
	ret = ret ? ret : parse_peer(&q);
	ret = ret ? ret : find_peer(&q);
	if (ret)
		return ret;
	array = json_array();
	obj = json_object();
	n = q.peer < 0 ? (int)FIPS_NODE_METRICS : (int)FIPS_PEER_METRICS;
	for (i = 0; i < n; i++)
		json_array_append_new(array, series(&q, i));
	put(obj, "series", array);
	put_int(obj, "granularity_seconds", q.slow ? 60 : 1);
	put_int(obj, "window_seconds", q.window);
	put(obj, "peer", q.peer_text ? json_string(q.peer_text) : json_null());
	*data = obj;
	return 0;
}

int fipsd_stats_all_peers(struct fipsd *d, const json_t *params, json_t **data, char *why,
			  size_t why_len)
{
	struct query q = { .d = d, .params = params, .why = why, .why_len = why_len };
	struct fips_history_peer info;
	json_t *array, *obj;
	struct entry *v;
	const char *name;
	int ret, metric, i, n;

	ret = metric_param(&q, "show_stats_history_all_peers", &name);
	ret = ret ? ret : parse(&q);
	if (ret)
		return ret;
	metric = fips_metric_find(fips_peer_metrics, FIPS_PEER_METRICS, name);
	if (metric < 0)
		return refuse(&q, "unknown peer metric: %.80s", name);
	array = json_array();
	obj = json_object();
	v = sorted(d, &n);
	for (i = 0; i < n; i++) {
		json_t *e = entry_json(d, &v[i], &info);

		put(e, "values", values(&q, v[i].peer, metric));
		json_array_append_new(array, e);
	}
	free(v);
	put_str(obj, "metric", name);
	put_str(obj, "unit", fips_peer_metrics[metric].unit);
	put_int(obj, "granularity_seconds", q.slow ? 60 : 1);
	put_int(obj, "window_seconds", q.window);
	put(obj, "peers", array);
	*data = obj;
	return 0;
}

/* The last samples, not padded (spec 13 §5.2). */
void fipsd_put_sparklines(struct fipsd *d, json_t *obj)
{
	static const int metrics[] = {
		FIPS_NM_MESH_SIZE, FIPS_NM_TREE_DEPTH, FIPS_NM_PEER_COUNT, FIPS_NM_BYTES_IN,
		FIPS_NM_BYTES_OUT, FIPS_NM_LOSS_RATE
	};
	u64 n = d->history ? fips_history_pushes(d->history) : 0;
	json_t *lines = json_object();
	struct query q = { .d = d };
	size_t i;

	q.window = n > FIPSD_SPARKLINE ? FIPSD_SPARKLINE : n;
	for (i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++)
		put(lines, fips_node_metrics[metrics[i]].name,
		    d->history ? values(&q, -1, metrics[i]) : json_array());
	put(obj, "sparklines", lines);
}
