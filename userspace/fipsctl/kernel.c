// SPDX-License-Identifier: MIT
/* fipsctl kernel show: what fips.ko has, straight over netlink. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../libfips/identity.h"
#include "../nl/fipsnl.h"
#include "../nl/names.h"
#include "fipsctl.h"

/* Devices first, then each one's objects: @array or @table gets a row an object. */
struct show {
	struct fipsnl nl;
	json_t *array;
	struct fipsctl_table *table;
	u32 *ifindex;
	size_t devs;
	char ifname[IF_NAMESIZE];
};

static const char *addr_text(const struct fips_node_addr *addr, char *buf)
{
	fips_node_addr_format(addr, buf);
	return buf;
}

static const char *name_of(struct show *s, u32 ifindex)
{
	if (!if_indextoname(ifindex, s->ifname))
		snprintf(s->ifname, sizeof(s->ifname), "%u", ifindex);
	return s->ifname;
}

static json_t *object(struct show *s, u32 ifindex)
{
	json_t *obj = json_object();

	json_object_set_new(obj, "device", json_string(name_of(s, ifindex)));
	json_object_set_new(obj, "ifindex", json_integer(ifindex));
	json_array_append_new(s->array, obj);
	return obj;
}

static void put_str(json_t *obj, const char *key, const char *text)
{
	json_object_set_new(obj, key, json_string(text));
}

static void put_int(json_t *obj, const char *key, u64 value)
{
	json_object_set_new(obj, key, json_integer((json_int_t)value));
}

static void put_age(json_t *obj, const char *key, u64 ms)
{
	json_object_set_new(obj, key, ms == FIPS_NEVER ? json_null() :
			    json_integer((json_int_t)ms));
}

static void put_taddr(json_t *obj, const char *key, const struct fips_taddr *a)
{
	char text[FIPS_TADDR_TEXT_MAX];

	put_str(obj, key, fips_taddr_format(a, text));
}

static void put_stats(json_t *obj, const struct fipsnl_stats *s)
{
	json_t *stats = json_object(), *drops = json_object();
	u32 i;

	put_int(stats, "rx_packets", s->dp.rx_packets);
	put_int(stats, "rx_bytes", s->dp.rx_bytes);
	put_int(stats, "tx_packets", s->dp.tx_packets);
	put_int(stats, "tx_bytes", s->dp.tx_bytes);
	put_int(stats, "tx_copies", s->tx_copies);
	put_int(stats, "forwarded_packets", s->dp.forwarded);
	put_int(stats, "ce_packets", s->dp.ce_packets);
	for (i = 0; i < FIPS_DROP_REASONS; i++)
		if (s->dp.drops[i])
			put_int(drops, fips_drop_name(i), s->dp.drops[i]);
	json_object_set_new(stats, "drops", drops);
	json_object_set_new(obj, "stats", stats);
}

static void put_keys(json_t *obj, const struct fipsnl_key *key, size_t n, bool with_index)
{
	json_t *keys = json_array();
	size_t i;

	for (i = 0; i < n; i++) {
		json_t *k = json_object();

		put_str(k, "slot", fips_key_slot_name(key[i].slot));
		if (with_index) {
			put_int(k, "local_index", key[i].local_index);
			put_int(k, "remote_index", key[i].remote_index);
		}
		put_int(k, "k_bit", key[i].k_bit);
		json_object_set_new(k, "has_key", json_boolean(key[i].has_key));
		put_int(k, "tx_counter", key[i].tx_counter);
		put_int(k, "rx_highest", key[i].rx_highest);
		put_int(k, "lifetime_ms", key[i].lifetime_ms);
		json_array_append_new(keys, k);
	}
	json_object_set_new(obj, "keys", keys);
}

static u64 drops_total(const struct fipsnl_stats *s)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < FIPS_DROP_REASONS; i++)
		sum += s->dp.drops[i];
	return sum;
}

static void cell_stats(struct show *s, const struct fipsnl_stats *stats)
{
	char text[FIPSCTL_TEXT];

	fipsctl_table_cell(s->table, "%s", fipsctl_bytes(stats->dp.tx_bytes, text));
	fipsctl_table_cell(s->table, "%s", fipsctl_bytes(stats->dp.rx_bytes, text));
	fipsctl_table_cell(s->table, "%llu", (unsigned long long)drops_total(stats));
}

static void cell_age(struct show *s, u64 ms)
{
	char text[FIPSCTL_TEXT];

	fipsctl_table_cell(s->table, "%s", ms == FIPS_NEVER ? "never" : fipsctl_duration(ms, text));
}

#define STATS_TITLES	">sent", ">received", ">dropped"

/* ---- objects ---- */

static void row_dev(void *arg, const struct fipsnl_dev *d)
{
	char addr[FIPS_NODE_ADDR_SIZE] = "-";
	struct show *s = arg;
	json_t *obj;

	if (d->has_addr)
		addr_text(&d->addr, addr);
	if (s->table) {
		fipsctl_table_cell(s->table, "%s", name_of(s, d->ifindex));
		fipsctl_table_cell(s->table, "%s", addr);
		fipsctl_table_cell(s->table, "%s", d->owned ? "yes" : "no");
		fipsctl_table_cell(s->table, "%u s", d->linger);
		fipsctl_table_cell(s->table, "%u B", d->transport_mtu);
		fipsctl_table_cell(s->table, "%u", d->transports);
		fipsctl_table_cell(s->table, "%u", d->links);
		fipsctl_table_cell(s->table, "%u", d->sessions);
		fipsctl_table_cell(s->table, "%u", d->routes);
		cell_stats(s, &d->stats);
		return;
	}
	obj = object(s, d->ifindex);
	put_str(obj, "node_addr", addr);
	json_object_set_new(obj, "owned", json_boolean(d->owned));
	put_int(obj, "instance", d->instance);
	put_int(obj, "linger_secs", d->linger);
	put_int(obj, "transport_mtu", d->transport_mtu);
	put_int(obj, "default_ttl", d->ttl);
	put_int(obj, "transports", d->transports);
	put_int(obj, "links", d->links);
	put_int(obj, "sessions", d->sessions);
	put_int(obj, "routes", d->routes);
	put_int(obj, "owner_data_bytes", d->owner_len);
	put_stats(obj, &d->stats);
}

static void row_transport(void *arg, const struct fipsnl_transport *t)
{
	char text[FIPS_TADDR_TEXT_MAX];
	struct show *s = arg;
	json_t *obj;

	if (s->table) {
		fipsctl_table_cell(s->table, "%s", name_of(s, t->ifindex));
		fipsctl_table_cell(s->table, "%u", t->id);
		fipsctl_table_cell(s->table, "%s", fips_transport_type_name(t->type));
		fipsctl_table_cell(s->table, "%u B", t->mtu);
		fipsctl_table_cell(s->table, "%s", fips_taddr_format(&t->local, text));
		cell_stats(s, &t->stats);
		return;
	}
	obj = object(s, t->ifindex);
	put_int(obj, "id", t->id);
	put_str(obj, "type", fips_transport_type_name(t->type));
	put_int(obj, "mtu", t->mtu);
	put_taddr(obj, "local", &t->local);
	put_stats(obj, &t->stats);
}

static void row_link(void *arg, const struct fipsnl_link *l)
{
	char text[FIPS_TADDR_TEXT_MAX], addr[FIPS_NODE_ADDR_SIZE];
	struct show *s = arg;
	json_t *obj;

	addr_text(&l->peer, addr);
	if (s->table) {
		fipsctl_table_cell(s->table, "%s", name_of(s, l->ifindex));
		fipsctl_table_cell(s->table, "%u", l->id);
		fipsctl_table_cell(s->table, "%s", addr);
		fipsctl_table_cell(s->table, "%s", fips_taddr_format(&l->remote, text));
		fipsctl_table_cell(s->table, "%s", fips_link_state_name(l->state));
		fipsctl_table_cell(s->table, "%u B", l->mtu);
		cell_age(s, l->last_rx_ms);
		cell_stats(s, &l->stats);
		return;
	}
	obj = object(s, l->ifindex);
	put_int(obj, "id", l->id);
	put_int(obj, "transport_id", l->transport_id);
	put_str(obj, "peer", addr);
	put_taddr(obj, "remote", &l->remote);
	put_int(obj, "mtu", l->mtu);
	put_str(obj, "state", fips_link_state_name(l->state));
	json_object_set_new(obj, "congested", json_boolean(l->congested));
	put_age(obj, "last_rx_ms", l->last_rx_ms);
	put_age(obj, "age_ms", l->age_ms);
	put_keys(obj, l->key, l->keys, true);
	put_stats(obj, &l->stats);
}

static void row_session(void *arg, const struct fipsnl_session *x)
{
	char ipv6[FIPS_IPV6_TEXT_SIZE], addr[FIPS_NODE_ADDR_SIZE];
	struct show *s = arg;
	json_t *obj;

	addr_text(&x->remote, addr);
	fips_ipv6_format(x->ipv6, ipv6);
	if (s->table) {
		fipsctl_table_cell(s->table, "%s", name_of(s, x->ifindex));
		fipsctl_table_cell(s->table, "%s", ipv6);
		fipsctl_table_cell(s->table, "%s", x->keys && x->key[0].has_key ? "yes" : "no");
		fipsctl_table_cell(s->table, x->path_mtu == FIPS_MTU_UNKNOWN ? "unknown" : "%u B",
				   x->path_mtu);
		fipsctl_table_cell(s->table, "%u", x->staged);
		cell_age(s, x->last_data_ms);
		cell_stats(s, &x->stats);
		return;
	}
	obj = object(s, x->ifindex);
	put_str(obj, "remote", addr);
	put_str(obj, "ipv6", ipv6);
	put_int(obj, "path_mtu", x->path_mtu);
	put_int(obj, "coords_count", x->coords_count);
	put_int(obj, "staged", x->staged);
	put_age(obj, "last_data_ms", x->last_data_ms);
	put_age(obj, "last_rx_ms", x->last_rx_ms);
	put_age(obj, "age_ms", x->age_ms);
	put_keys(obj, x->key, x->keys, false);
	put_stats(obj, &x->stats);
}

static void row_route(void *arg, const struct fipsnl_route *r)
{
	char addr[FIPS_NODE_ADDR_SIZE];
	struct show *s = arg;
	json_t *obj;

	addr_text(&r->dest, addr);
	if (s->table) {
		fipsctl_table_cell(s->table, "%s", name_of(s, r->ifindex));
		fipsctl_table_cell(s->table, "%s", addr);
		if (r->link_id)
			fipsctl_table_cell(s->table, "link %u", r->link_id);
		else
			fipsctl_table_cell(s->table, "unreachable for %u ms", r->unreachable_ms);
		fipsctl_table_cell(s->table, "%u", r->generation);
		cell_age(s, r->last_use_ms);
		return;
	}
	obj = object(s, r->ifindex);
	put_str(obj, "dest", addr);
	if (r->link_id)
		put_int(obj, "link_id", r->link_id);
	else
		put_int(obj, "unreachable_ms", r->unreachable_ms);
	put_int(obj, "generation", r->generation);
	put_age(obj, "last_use_ms", r->last_use_ms);
}

/* ---- dispatch ---- */

static const char *const dev_titles[] = {
	"device", "node address", "owned", ">linger", ">MTU", ">transports", ">links", ">sessions",
	">routes", STATS_TITLES, NULL
};

static const char *const transport_titles[] = {
	"device", ">id", "type", ">MTU", "local address", STATS_TITLES, NULL
};

static const char *const link_titles[] = {
	"device", ">id", "peer", "remote address", "state", ">MTU", ">last frame", STATS_TITLES,
	NULL
};

static const char *const session_titles[] = {
	"device", "with", "keys", ">path MTU", ">staged", ">last data", STATS_TITLES, NULL
};

static const char *const route_titles[] = {
	"device", "destination", "next hop", ">generation", ">last use", NULL
};

static const struct {
	const char *word;
	const char *const *titles;
	const char *none;
	int (*dump)(struct fipsnl *nl, u32 ifindex, const struct fipsnl_visitor *v, void *arg);
} objects[] = {
	{ "dev", dev_titles, "no fips devices", NULL },
	{ "transport", transport_titles, "no transports", fipsnl_dump_transports },
	{ "link", link_titles, "no links", fipsnl_dump_links },
	{ "session", session_titles, "no sessions", fipsnl_dump_sessions },
	{ "route", route_titles, "no routes", fipsnl_dump_routes },
};

static const struct fipsnl_visitor rows = {
	.dev = row_dev,
	.transport = row_transport,
	.link = row_link,
	.session = row_session,
	.route = row_route,
};

static void note_dev(void *arg, const struct fipsnl_dev *dev)
{
	struct show *s = arg;
	u32 *v = realloc(s->ifindex, (s->devs + 1) * sizeof(*v));

	if (!v)
		abort();
	s->ifindex = v;
	v[s->devs++] = dev->ifindex;
}

static int show_all(struct show *s, size_t what)
{
	static const struct fipsnl_visitor devs = { .dev = note_dev };
	int ret;
	size_t i;

	if (!objects[what].dump)
		return fipsnl_dump_devs(&s->nl, &rows, s);
	ret = fipsnl_dump_devs(&s->nl, &devs, s);
	for (i = 0; !ret && i < s->devs; i++)
		ret = objects[what].dump(&s->nl, s->ifindex[i], &rows, s);
	return ret;
}

static int show(const struct fipsctl *ctl, size_t what)
{
	struct show s = { 0 };
	int ret = fipsnl_open(&s.nl, 0);

	if (ret) {
		fprintf(stderr, "fipsctl: %s\n", ret == -ENOENT ?
			"the kernel has no \"fips\" family: the module fips is not loaded" :
			strerror(-ret));
		return FIPSCTL_FAILED;
	}
	if (ctl->json)
		s.array = json_array();
	else
		s.table = fipsctl_table_new(objects[what].titles);
	ret = show_all(&s, what);
	if (ret)
		fprintf(stderr, "fipsctl: %s\n", *s.nl.error ? s.nl.error : strerror(-ret));
	if (s.table)
		fipsctl_table_print(s.table, ret ? "" : objects[what].none);
	else
		fipsctl_print_json(s.array);
	json_decref(s.array);
	free(s.ifindex);
	fipsnl_close(&s.nl);
	return ret ? FIPSCTL_FAILED : 0;
}

int fipsctl_kernel(const struct fipsctl *ctl, int argc, char **argv)
{
	size_t i;

	if (argc != 2 || strcmp(argv[0], "show"))
		return fipsctl_usage("expected: kernel show dev|transport|link|session|route",
				     NULL);
	for (i = 0; i < sizeof(objects) / sizeof(objects[0]); i++)
		if (!strcmp(argv[1], objects[i].word))
			return show(ctl, i);
	return fipsctl_usage("unknown object", argv[1]);
}
