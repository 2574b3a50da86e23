// SPDX-License-Identifier: MIT
/*
 * Tabs Tree, Filters, Routing. The tree is drawn from all coordinates that this
 * node has heard of: its own, its peers', and those of far nodes in its cache.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../fipsctl/reply.h"
#include "fipstop.h"

#define TREE_NODES	2048
#define TREE_DEPTH	64

struct node {
	char addr[33];
	const char *name;	/* or NULL */
	const char *note;
	const json_t *obj;
	int parent;		/* index, -1: a root */
};

struct tree {
	struct node *v;
	int n;
};

static int node_of(struct tree *tr, const char *addr)
{
	int i;

	for (i = 0; i < tr->n; i++)
		if (!strcmp(tr->v[i].addr, addr))
			return i;
	if (tr->n == TREE_NODES)
		return -1;
	snprintf(tr->v[i].addr, sizeof(tr->v[i].addr), "%.32s", addr);
	tr->v[i].parent = -1;
	return tr->n++;
}

/* Coordinates: the node first, its root last. */
static void take(struct tree *tr, const json_t *coords, const char *name, const char *note,
		 const json_t *obj)
{
	int child = -1, at;
	size_t i;

	for (i = json_array_size(coords); i-- > 0;) {
		at = node_of(tr, json_string_value(json_array_get(coords, i)));
		if (at < 0)
			return;
		if (child >= 0 && tr->v[at].parent < 0)
			tr->v[at].parent = child;
		child = at;
	}
	if (child < 0)
		return;
	tr->v[child].name = name;
	if (note && !tr->v[child].note)
		tr->v[child].note = note;
	if (!tr->v[child].obj)
		tr->v[child].obj = obj;
}

/* Lines before a child: those of its parent go on or have ended, then its own branch. */
static void branch(const struct top *t, const char *prefix, bool last, char *out, size_t size)
{
	const char *fork = t->utf8 ? "├─ " : "+- ", *end = t->utf8 ? "└─ " : "`- ";
	size_t len = strlen(prefix), f = strlen(fork), e = strlen(end);
	const char *go_on = "";

	if (len >= e && !strcmp(prefix + len - e, end)) {
		len -= e;
		go_on = "   ";
	} else if (len >= f) {
		len -= f;
		go_on = t->utf8 ? "│  " : "|  ";
	}
	snprintf(out, size, "%.*s%s%s", (int)len, prefix, go_on, last ? end : fork);
}

static void draw(struct top *t, const struct tree *tr, int at, const char *prefix, int depth)
{
	const struct node *n = &tr->v[at];
	int i, left = 0;
	struct top_line *l;
	char below[TOP_LINE];

	for (i = 0; i < tr->n; i++)
		left += tr->v[i].parent == at;
	l = top_add(t, !n->note ? STYLE_NORMAL : !strcmp(n->note, "this node") ? STYLE_GOOD :
		    STYLE_HEAD, " %.300s%s%s%.8s%s%s%s", prefix, n->name ? n->name : "",
		    n->name ? " (" : "", n->addr, n->name ? ")" : "", n->note ? "  <- " : "",
		    n->note ? n->note : "");
	snprintf(l->key, sizeof(l->key), "%s", n->addr);
	l->obj = n->obj;
	if (depth == TREE_DEPTH)
		return;
	for (i = 0; i < tr->n; i++) {
		if (tr->v[i].parent != at)
			continue;
		branch(t, prefix, !--left, below, sizeof(below));
		draw(t, tr, i, below, depth + 1);
	}
}

static void draw_tree(struct top *t, const json_t *d)
{
	const json_t *peers = json_object_get(d, "peers"), *p;
	const json_t *cache = json_object_get(top_get(t, "show_cache"), "entries");
	struct tree tr = { .v = calloc(TREE_NODES, sizeof(struct node)) };
	size_t i;
	int k;

	if (!tr.v)
		return;
	take(&tr, json_object_get(d, "my_coords"), "this node", "this node",
	     top_get(t, "show_status"));
	for (i = 0; i < json_array_size(peers); i++) {
		p = json_array_get(peers, i);
		take(&tr, json_object_get(p, "coords"), str(p, "display_name"),
		     strcmp(str(p, "node_addr"), str(d, "parent")) ? "peer" : "parent", p);
	}
	for (i = 0; i < json_array_size(cache); i++) {
		p = json_array_get(cache, i);
		take(&tr, json_object_get(p, "coords"), str(p, "display_name"), NULL, p);
	}
	for (k = 0; k < tr.n; k++)
		if (tr.v[k].parent < 0)
			draw(t, &tr, k, "", 0);
	free(tr.v);
}

void top_tab_tree(struct top *t)
{
	const json_t *d = top_get(t, "show_tree");

	if (!d)
		return;
	top_fact(t, "position", "depth %llu, parent %s, root %.8s%s",
		 (unsigned long long)num(d, "depth"), str(d, "parent_display_name"), str(d, "root"),
		 json_is_true(json_object_get(d, "is_root")) ? " (this node)" : "");
	top_fact(t, "declaration", "sequence %llu, %llu peers have a place",
		 (unsigned long long)num(d, "declaration_sequence"),
		 (unsigned long long)num(d, "peer_tree_count"));
	top_counters(t, "counters", json_object_get(d, "stats"));
	top_add(t, STYLE_NORMAL, "%s", "");
	top_add(t, STYLE_HEAD, " The mesh, as far as it is known here");
	draw_tree(t, d);
}

void top_tab_filters(struct top *t)
{
	static const char *const titles[] = {
		"from", ">sequence", ">bits set", ">full", ">nodes behind it", NULL
	};
	const json_t *d = top_get(t, "show_bloom"), *list = json_object_get(d, "peer_filters"), *p;
	double nodes = top_real(d, "uptree_estimated_count");
	size_t i;

	if (isnan(nodes))
		top_fact(t, "own filter", "sequence %llu", (unsigned long long)num(d, "sequence"));
	else
		top_fact(t, "own filter", "sequence %llu, tells the parent of %.0f nodes",
			 (unsigned long long)num(d, "sequence"), nodes);
	top_counters(t, "counters", json_object_get(d, "stats"));
	top_add(t, STYLE_NORMAL, "%s", "");
	top_grid(t, titles);
	for (i = 0; i < json_array_size(list); i++) {
		p = json_array_get(list, i);
		top_cell(t, "%.30s", str(p, "display_name"));
		top_num(t, top_real(p, "filter_sequence"), "%.0f", top_real(p, "filter_sequence"));
		top_num(t, top_real(p, "set_bits"), "%.0f", top_real(p, "set_bits"));
		top_num(t, top_real(p, "fill_ratio"), "%.1f %%", 100 * top_real(p, "fill_ratio"));
		top_num(t, top_real(p, "estimated_count"), "%.0f", top_real(p, "estimated_count"));
		top_row(t, str(p, "peer"), p, STYLE_NORMAL, 0);
	}
	top_grid_end(t, "no peers");
}

static void lookups(struct top *t, const json_t *d)
{
	static const char *const titles[] = { "looked for", ">attempt", ">age", NULL };
	static const char *const retry_titles[] = { "dialled again", ">failed", "kept up", NULL };
	const json_t *list = json_object_get(d, "pending_lookups"), *e;
	char text[FIPSCTL_TEXT];
	size_t i;

	top_grid(t, titles);
	for (i = 0; i < json_array_size(list); i++) {
		e = json_array_get(list, i);
		top_cell(t, "%s", str(e, "display_name"));
		top_num(t, top_real(e, "attempt"), "%.0f", top_real(e, "attempt"));
		top_num(t, top_real(e, "age_ms"), "%s", fipsctl_duration(num(e, "age_ms"), text));
		top_row(t, str(e, "target"), e, STYLE_NORMAL, 0);
	}
	top_grid_end(t, "nobody is looked for");
	list = json_object_get(d, "retries");
	top_grid(t, retry_titles);
	for (i = 0; i < json_array_size(list); i++) {
		e = json_array_get(list, i);
		top_cell(t, "%s", str(e, "display_name"));
		top_num(t, top_real(e, "retry_count"), "%.0f", top_real(e, "retry_count"));
		top_cell(t, "%s", yes(e, "auto_reconnect"));
		top_row(t, str(e, "node_addr"), e, STYLE_WARN, 0);
	}
	top_grid_end(t, "nobody waits to be dialled");
}

static void cached(struct top *t)
{
	static const char *const titles[] = {
		"coordinates of", "IPv6 address", ">depth", ">path MTU", ">age", NULL
	};
	const json_t *list = json_object_get(top_get(t, "show_cache"), "entries"), *e;
	char text[FIPSCTL_TEXT];
	size_t i;

	top_grid(t, titles);
	for (i = 0; i < json_array_size(list); i++) {
		e = json_array_get(list, i);
		top_cell(t, "%.24s", str(e, "display_name"));
		top_cell(t, "%s", str(e, "ipv6_addr"));
		top_num(t, top_real(e, "depth"), "%.0f", top_real(e, "depth"));
		top_num(t, top_real(e, "path_mtu"), "%.0f", top_real(e, "path_mtu"));
		top_num(t, top_real(e, "age_ms"), "%s", fipsctl_duration(num(e, "age_ms"), text));
		top_row(t, str(e, "node_addr"), e, STYLE_NORMAL, 0);
	}
	top_grid_end(t, "no coordinates known");
}

void top_tab_routing(struct top *t)
{
	const json_t *d = top_get(t, "show_routing");

	top_fact(t, "caches", "%llu coordinates, %llu identities, %llu requests seen lately",
		 (unsigned long long)num(d, "coord_cache_entries"),
		 (unsigned long long)num(d, "identity_cache_entries"),
		 (unsigned long long)num(d, "recent_requests"));
	top_counters(t, "forwarding", json_object_get(d, "forwarding"));
	top_counters(t, "lookups", json_object_get(d, "lookup"));
	top_counters(t, "error signals", json_object_get(d, "error_signals"));
	top_counters(t, "congestion", json_object_get(d, "congestion"));
	top_add(t, STYLE_NORMAL, "%s", "");
	lookups(t, d);
	top_add(t, STYLE_NORMAL, "%s", "");
	cached(t);
}
