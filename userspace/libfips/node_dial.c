// SPDX-License-Identifier: MIT
/*
 * Peering (spec 03 §18, 10 §1.4): the configured peers, their addresses, which
 * transport an address is dialled on, several at once, and the retry schedule.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "node_internal.h"

struct node_dial *node_dial_find(const struct fips_node *n, const struct fips_node_addr *addr)
{
	struct node_dial *d;

	HASH_FIND(hh, n->dials, addr, sizeof(*addr), d);
	return d;
}

/* Is there hope for a link: an attempt, or a configured peer that will be dialled? */
bool node_dial_under_way(const struct fips_node *n, const struct fips_node_addr *addr)
{
	const struct node_dial *d = node_dial_find(n, addr);

	if (!d || n->draining)
		return false;
	return d->legs || d->queries || (d->configured && d->policy == FIPS_CONNECT_AUTO &&
					 d->addr_count && d->entry);
}

static void dial_addrs_free(struct node_addr_text *addrs, size_t count)
{
	size_t i;

	for (i = 0; addrs && i < count; i++) {
		free(addrs[i].transport);
		free(addrs[i].addr);
	}
	free(addrs);
}

static void dial_object_free(struct node_dial *d)
{
	dial_addrs_free(d->addrs, d->addr_count);
	free(d->alias);
	free(d);
}

static void dial_free(struct fips_node *n, struct node_dial *d)
{
	struct node_query *q, *tmp;

	DL_FOREACH_SAFE(n->queries, q, tmp) {
		if (!fips_node_addr_eq(&q->peer, &d->id.addr))
			continue;
		DL_DELETE(n->queries, q);
		free(q);
	}
	fips_timer_del(&n->timers, &d->retry);
	HASH_DEL(n->dials, d);
	node_identity_unpin(n, &d->id);
	dial_object_free(d);
}

/* A dial of the operator's lives as long as it has something under way. Frees @d. */
static void dial_put(struct fips_node *n, struct node_dial *d)
{
	if (!d->configured && !d->legs && !d->queries)
		dial_free(n, d);
}

/* ---- the retry schedule (03 §18.3) ---- */

static u64 dial_backoff(struct fips_node *n, u32 count)
{
	u64 cap = n->timing.retry.max_backoff_secs * 1000;
	u64 ms = n->timing.retry.base_interval_secs * 1000;
	u32 draw = 0;

	while (count-- && ms < cap)
		ms *= 2;
	if (ms > cap)
		ms = cap;
	/* Up to a tenth more, so that a mass restart does not stay in step (03 §28). */
	fips_random(&n->env.rng, &draw, sizeof(draw));
	return ms + (ms / 10) * (draw % 1024) / 1024;
}

static void dial_schedule(struct fips_node *n, struct node_dial *d, u64 delay)
{
	d->entry = true;
	d->due = n->now.mono_ms + delay;
	fips_timer_set(&n->timers, &d->retry, d->due);
}

static void dial_unschedule(struct fips_node *n, struct node_dial *d)
{
	d->entry = false;
	d->reconnect = false;
	d->count = 0;
	fips_timer_del(&n->timers, &d->retry);
}

static bool dial_automatic(const struct node_dial *d)
{
	return d->configured && d->policy == FIPS_CONNECT_AUTO;
}

/* Reflex "handshake failure". */
static void dial_failed(struct fips_node *n, struct node_dial *d)
{
	if (node_peer_find(n, &d->id.addr) || n->draining || !n->timing.retry.max_retries)
		return;
	if (d->entry) {
		d->count++;
		if (!d->reconnect && d->count > n->timing.retry.max_retries) {
			dial_unschedule(n, d);
			return;
		}
	} else {
		if (!dial_automatic(d))
			return;
		d->count = 1;
		d->reconnect = true;
	}
	dial_schedule(n, d, dial_backoff(n, d->count));
}

/* Reflex "link dead". */
void node_dial_link_dead(struct fips_node *n, const struct fips_node_addr *addr)
{
	struct node_dial *d = node_dial_find(n, addr);

	if (!d || n->draining || !dial_automatic(d) || !d->auto_reconnect)
		return;
	d->count = d->entry ? d->count + 1 : 0;
	d->reconnect = true;
	dial_schedule(n, d, dial_backoff(n, d->count));
}

void node_dial_connected(struct fips_node *n, const struct fips_node_addr *addr)
{
	struct node_dial *d = node_dial_find(n, addr);

	if (d)
		dial_unschedule(n, d);
}

/* A handshake of @addr is over. All attempts of one dial together count as one failure. */
void node_dial_leg_done(struct fips_node *n, const struct fips_node_addr *addr, bool failed)
{
	struct node_dial *d = node_dial_find(n, addr);

	if (!d || !d->legs)
		return;
	d->legs--;
	if (failed && !d->legs && !d->queries)
		dial_failed(n, d);
	dial_put(n, d);
}

/* ---- one address ---- */

static int dial_kind(const char *text, size_t len, enum fips_transport_kind *kind)
{
	static const char *const names[] = {
		[FIPS_TRANSPORT_UDP] = "udp",
		[FIPS_TRANSPORT_TCP] = "tcp",
		[FIPS_TRANSPORT_ETHERNET] = "ethernet",
		[FIPS_TRANSPORT_TOR] = "tor",
		[FIPS_TRANSPORT_BLE] = "ble",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strlen(names[i]) == len && !memcmp(names[i], text, len)) {
			*kind = (enum fips_transport_kind)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* "type" or "type/instance" (10 §1.3); an empty half makes it a type that nothing has. */
static int dial_parse_transport(const char *text, enum fips_transport_kind *kind,
				const char **instance)
{
	const char *slash = strchr(text, '/');

	*instance = NULL;
	if (slash && slash != text && slash[1])
		*instance = slash + 1;
	return dial_kind(text, *instance ? (size_t)(slash - text) : strlen(text), kind);
}

/* 10 §1.4: lowest id of the kind, the family and, if one is named, the instance. */
static const struct node_transport *dial_transport(const struct fips_node *n,
						   enum fips_transport_kind kind,
						   const char *instance, u8 family)
{
	const struct node_transport *t;

	LL_FOREACH(n->transports, t) {
		if (t->info.kind != kind || t->info.family != family)
			continue;
		if (!instance || !strcmp(t->info.name, instance))
			return t;
	}
	return NULL;
}

/* May one more handshake be started (03 §9.4)? Candidates of strangers take no place here. */
static bool dial_budget(const struct fips_node *n, const struct node_dial *d)
{
	u64 links = n->timing.limits.max_links, conns = n->timing.limits.max_connections;
	u64 dialing = 0, used = HASH_COUNT(n->peers);
	struct node_link *l;

	DL_FOREACH(n->link_list, l)
		dialing += l->state == NODE_LINK_DIALING || l->state == NODE_LINK_HELD;
	if (d->legs + d->queries >= NODE_PATHS_PER_PEER)
		return false;
	if ((conns && dialing >= conns) || (links && used + dialing >= links))
		return false;
	return node_peer_find(n, &d->id.addr) || node_peer_room(n, &d->id.addr);
}

static int dial_endpoint(struct fips_node *n, struct node_dial *d, const struct node_transport *t,
			 const struct fips_taddr *to)
{
	if (node_link_dialing(n, t->info.id, to, &d->id.addr))
		return -EALREADY;
	if (!dial_budget(n, d))
		return -ENOSPC;
	return node_leg_start(n, d, t, to);
}

/* "host:port" with a name; the port is checked here, the name by whoever resolves it. */
static int dial_resolve(struct fips_node *n, struct node_dial *d, enum fips_transport_kind kind,
			const char *addr)
{
	const char *colon = strrchr(addr, ':');
	struct node_query *q;
	unsigned long port;
	char host[256], *end;
	int ret;

	if (!colon || colon == addr || (size_t)(colon - addr) >= sizeof(host))
		return -EINVAL;
	port = strtoul(colon + 1, &end, 10);
	if (colon[1] < '0' || colon[1] > '9' || *end || !port || port > 65535)
		return -EINVAL;
	if (!dial_budget(n, d))
		return -ENOSPC;
	memcpy(host, addr, (size_t)(colon - addr));
	host[colon - addr] = 0;
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	q->id = ++n->next_query;
	q->peer = d->id.addr;
	q->kind = kind;
	ret = n->ops->resolve(n->ctx, q->id, host, (u16)port);
	if (ret) {
		free(q);
		return ret;
	}
	DL_APPEND(n->queries, q);
	d->queries++;
	return 0;
}

/* Dial one address. 0, -EALREADY, or why not. */
static int dial_address(struct fips_node *n, struct node_dial *d, const char *transport,
			const char *addr)
{
	const struct node_transport *t;
	enum fips_transport_kind kind;
	const char *instance;
	struct fips_taddr to;

	if (dial_parse_transport(transport, &kind, &instance))
		return -EPROTONOSUPPORT;
	if (kind != FIPS_TRANSPORT_UDP)
		return -EPROTONOSUPPORT;
	if (fips_taddr_parse(&to, addr)) {
		if (instance)	/* 10 §1.4 rule 4 */
			return -EINVAL;
		return dial_resolve(n, d, kind, addr);
	}
	t = dial_transport(n, kind, instance, to.kind);
	return t ? dial_endpoint(n, d, t, &to) : -ENODEV;
}

/* 03 §18.2: every address at once, as far as the budget goes. */
static void dial_start(struct fips_node *n, struct node_dial *d)
{
	bool any = false;
	size_t i;
	int ret;

	for (i = 0; i < d->addr_count; i++) {
		ret = dial_address(n, d, d->addrs[i].transport, d->addrs[i].addr);
		if (ret == -EACCES)
			break;
		if (!ret || ret == -EALREADY)
			any = true;
		else
			node_log(n, FIPS_LOG_DEBUG, "%s at %s %s: %s", d->id.npub,
				 d->addrs[i].transport, d->addrs[i].addr, strerror(-ret));
	}
	if (!any && d->addr_count)
		dial_failed(n, d);
}

/* A peer has become silent: ask at its addresses whether it is still the same. */
void node_dial_probe(struct fips_node *n, const struct fips_node_addr *addr)
{
	struct node_dial *d = node_dial_find(n, addr);
	struct node_link *l;

	if (!d || !dial_automatic(d) || !d->auto_reconnect || n->draining || d->legs || d->queries)
		return;
	dial_start(n, d);
	DL_FOREACH(n->link_list, l) {
		if (l->state == NODE_LINK_DIALING && fips_node_addr_eq(&l->peer.addr, addr))
			l->probe = true;
	}
}

static void dial_retry(void *owner, struct fips_timer *t)
{
	struct node_dial *d = node_container(t, struct node_dial, retry);
	struct fips_node *n = owner;

	if (node_peer_find(n, &d->id.addr)) {
		dial_unschedule(n, d);
		return;
	}
	if (!d->legs && !d->queries) {
		/* Not due again while the legs live; a failure reschedules. */
		dial_schedule(n, d, node_handshake_timeout(n) + NODE_FIRST_RESEND_MS);
		dial_start(n, d);
		return;
	}
	dial_schedule(n, d, NODE_FIRST_RESEND_MS);
}

/* A transport more: addresses that nothing could reach may be dialled now. */
void node_dial_transport_up(struct fips_node *n)
{
	struct node_dial *d, *tmp;

	if (n->draining)
		return;
	HASH_ITER(hh, n->dials, d, tmp) {
		if (dial_automatic(d) && !node_peer_find(n, &d->id.addr) &&
		    (!d->entry || d->reconnect))
			dial_start(n, d);
	}
}

/* The first usable address of each family (03 §18.2 leaves the choice among them open). */
void node_dial_resolved(struct fips_node *n, const struct fips_event *ev)
{
	const struct node_transport *t;
	enum fips_transport_kind kind;
	struct node_query *q;
	struct node_dial *d;
	u8 families = 0;
	size_t i;

	DL_SEARCH_SCALAR(n->queries, q, id, ev->resolved.query);
	if (!q)
		return;
	d = node_dial_find(n, &q->peer);
	kind = q->kind;
	DL_DELETE(n->queries, q);
	free(q);
	if (!d)
		return;
	d->queries--;
	for (i = 0; !n->draining && !ev->resolved.err && i < ev->resolved.count; i++) {
		const struct fips_taddr *to = &ev->resolved.addrs[i];

		if (to->kind > FIPS_TADDR_MAC || families & 1u << to->kind)
			continue;
		t = dial_transport(n, kind, NULL, to->kind);
		if (t && !dial_endpoint(n, d, t, to))
			families |= (u8)(1u << to->kind);
	}
	if (!d->legs && !d->queries)
		dial_failed(n, d);
	dial_put(n, d);
}

/* ---- configuration ---- */

static int dial_addr_cmp(const void *a, const void *b)
{
	const struct node_addr_text *x = a, *y = b;

	return (int)x->priority - (int)y->priority;
}

/* Stable, few elements: insertion. */
static void dial_sort(struct node_addr_text *addrs, size_t count)
{
	struct node_addr_text tmp;
	size_t i, k;

	for (i = 1; i < count; i++) {
		tmp = addrs[i];
		for (k = i; k && dial_addr_cmp(&addrs[k - 1], &tmp) > 0; k--)
			addrs[k] = addrs[k - 1];
		addrs[k] = tmp;
	}
}

static int dial_copy_addrs(struct node_dial *d, const struct fips_peer_addr *addrs, size_t count)
{
	size_t i, k;

	d->addrs = calloc(count ? count : 1, sizeof(*d->addrs));
	if (!d->addrs)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		struct node_addr_text *a = &d->addrs[d->addr_count];

		for (k = 0; k < d->addr_count; k++) {
			if (!strcmp(d->addrs[k].transport, addrs[i].transport) &&
			    !strcmp(d->addrs[k].addr, addrs[i].addr))
				break;
		}
		if (k < d->addr_count)	/* twice the same */
			continue;
		d->addr_count++;
		a->priority = addrs[i].priority;
		a->transport = strdup(addrs[i].transport);
		a->addr = strdup(addrs[i].addr);
		if (!a->transport || !a->addr)
			return -ENOMEM;
	}
	dial_sort(d->addrs, d->addr_count);
	return 0;
}

static struct node_dial *dial_object(const struct fips_identity *id)
{
	struct node_dial *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->id = *id;
	fips_timer_init(&d->retry, dial_retry);
	return d;
}

static struct node_dial *dial_from_config(const struct fips_peer_config *cfg)
{
	struct node_dial *d = dial_object(&cfg->id);

	if (!d)
		return NULL;
	d->configured = true;
	d->policy = cfg->policy;
	d->auto_reconnect = cfg->auto_reconnect;
	d->alias = cfg->alias ? strdup(cfg->alias) : NULL;
	if ((cfg->alias && !d->alias) || dial_copy_addrs(d, cfg->addrs, cfg->addr_count)) {
		dial_object_free(d);
		return NULL;
	}
	return d;
}

static bool dial_same_addrs(const struct node_dial *a, const struct node_dial *b)
{
	size_t i;

	if (a->addr_count != b->addr_count)
		return false;
	for (i = 0; i < a->addr_count; i++) {
		if (strcmp(a->addrs[i].transport, b->addrs[i].transport) ||
		    strcmp(a->addrs[i].addr, b->addrs[i].addr) ||
		    a->addrs[i].priority != b->addrs[i].priority)
			return false;
	}
	return true;
}

static void dial_insert(struct fips_node *n, struct node_dial *d)
{
	HASH_ADD(hh, n->dials, id.addr, sizeof(d->id.addr), d);
	node_identity_pin(n, &d->id);
}

/* Take over a configuration; @d is consumed. New or changed peers that are AUTO are dialled. */
static void dial_apply(struct fips_node *n, struct node_dial *d)
{
	struct node_dial *old = node_dial_find(n, &d->id.addr);
	bool dial = !old || !old->configured || old->policy != d->policy ||
		    !dial_same_addrs(old, d);
	struct node_dial tmp;

	if (old) {
		tmp = *old;
		old->alias = d->alias;
		old->addrs = d->addrs;
		old->addr_count = d->addr_count;
		old->policy = d->policy;
		old->auto_reconnect = d->auto_reconnect;
		old->configured = true;
		d->alias = tmp.alias;
		d->addrs = tmp.addrs;
		d->addr_count = tmp.addr_count;
		dial_object_free(d);
		d = old;
	} else {
		dial_insert(n, d);
	}
	if (!dial_automatic(d))
		dial_unschedule(n, d);
	else if (dial && !n->draining && !node_peer_find(n, &d->id.addr) && n->transports)
		dial_start(n, d);
}

static bool dial_listed(const struct node_dial *d, const struct fips_peer_config *peers,
			size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (fips_node_addr_eq(&peers[i].id.addr, &d->id.addr))
			return true;
	}
	return false;
}

/* Peers that are gone lose retry entry and alias; their links stay (03 §18.3). */
static void dial_forget_missing(struct fips_node *n, const struct fips_peer_config *peers,
				size_t count)
{
	struct node_dial *d, *tmp;

	HASH_ITER(hh, n->dials, d, tmp) {
		if (!d->configured || dial_listed(d, peers, count))
			continue;
		dial_unschedule(n, d);
		d->configured = false;
		free(d->alias);
		d->alias = NULL;
		dial_put(n, d);
	}
}

/* All copies are made before anything changes: -ENOMEM leaves the old configuration. */
int node_dial_configure(struct fips_node *n, const struct fips_peer_config *peers, size_t count)
{
	struct node_dial **fresh = calloc(count ? count : 1, sizeof(*fresh));
	size_t i;

	if (!fresh)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		fresh[i] = dial_from_config(&peers[i]);
		if (!fresh[i])
			goto err;
	}
	dial_forget_missing(n, peers, count);
	for (i = 0; i < count; i++) {
		if (fips_node_addr_eq(&fresh[i]->id.addr, &n->env.self->id.addr))
			dial_object_free(fresh[i]);	/* ourselves */
		else
			dial_apply(n, fresh[i]);
	}
	free(fresh);
	return 0;
err:
	while (i--)
		dial_object_free(fresh[i]);
	free(fresh);
	return -ENOMEM;
}

static struct node_dial *dial_get(struct fips_node *n, const struct fips_identity *id)
{
	struct node_dial *d = node_dial_find(n, &id->addr);

	if (d)
		return d;
	d = dial_object(id);
	if (d)
		dial_insert(n, d);
	return d;
}

/* The operator's connect: one address, no retry entry is made. 0 or why not. */
int node_dial_once(struct fips_node *n, const struct fips_identity *id,
		   const struct fips_peer_addr *addr)
{
	struct node_dial *d = dial_get(n, id);
	int ret;

	if (!d)
		return -ENOMEM;
	ret = dial_address(n, d, addr->transport, addr->addr);
	dial_put(n, d);
	return ret == -EALREADY ? 0 : ret;
}

/* A new handshake on a known path, to replace keys that are used up. */
int node_dial_path(struct fips_node *n, const struct fips_identity *id, u32 transport_id,
		   const struct fips_taddr *to)
{
	const struct node_transport *t = node_transport_find(n, transport_id);
	struct node_dial *d = t ? dial_get(n, id) : NULL;
	int ret;

	if (!d)
		return -ENODEV;
	ret = dial_endpoint(n, d, t, to);
	dial_put(n, d);
	return ret;
}

/* Drain: dial no more (03 §20). */
void node_dial_stop(struct fips_node *n)
{
	struct node_dial *d, *tmp;

	HASH_ITER(hh, n->dials, d, tmp)
		dial_unschedule(n, d);
}

void node_dial_destroy(struct fips_node *n)
{
	struct node_dial *d, *tmp;

	HASH_ITER(hh, n->dials, d, tmp)
		dial_free(n, d);
}
