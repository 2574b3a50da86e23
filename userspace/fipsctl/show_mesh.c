// SPDX-License-Identifier: MIT
/* fipsctl show tree, bloom, cache: what a node knows of the mesh. */
#include <stdio.h>
#include <string.h>

#include "fipsctl.h"
#include "reply.h"

void fipsctl_print_counters(const char *what, const json_t *counters)
{
	const char *key, *sep = " ";
	json_t *value;

	printf("%-14s", what);
	json_object_foreach((json_t *)counters, key, value) {
		if (!json_integer_value(value))
			continue;
		printf("%s%s %llu", sep, key, (unsigned long long)json_integer_value(value));
		sep = ", ";
	}
	printf("%s\n", *sep == ' ' ? " none" : "");
}

/* What a peer is in the tree, seen from us. */
static const char *role(const json_t *d, const json_t *peer)
{
	const json_t *coords = json_object_get(peer, "coords");
	const char *above = json_string_value(json_array_get(coords, 1));

	if (!coords)
		return "silent";
	if (!strcmp(str(peer, "node_addr"), str(d, "parent")))
		return "parent";
	return above && !strcmp(above, str(d, "my_node_addr")) ? "child" : "peer";
}

void fipsctl_show_tree(const json_t *d)
{
	static const char *const titles[] = {
		"peer", "node address", "is our", ">depth", ">hops to it", "root", NULL
	};
	struct fipsctl_table *t = fipsctl_table_new(titles);
	bool is_root = json_is_true(json_object_get(d, "is_root"));
	const json_t *hop;
	json_t *p;
	size_t i;

	printf("%-14s %s%s\n", "root", str(d, "root"), is_root ? " (this node)" : "");
	printf("%-14s %llu\n", "depth", (unsigned long long)num(d, "depth"));
	printf("%-14s %s\n", "parent", is_root ? "-" : str(d, "parent_display_name"));
	printf("%-14s", "coordinates");
	json_array_foreach(json_object_get(d, "my_coords"), i, hop)
		printf("%s%.8s", i ? " < " : " ", json_string_value(hop));
	printf("\n%-14s sequence %llu, %llu changes of parent\n\n", "declaration",
	       (unsigned long long)num(d, "declaration_sequence"),
	       (unsigned long long)num(json_object_get(d, "stats"), "parent_switches"));
	json_array_foreach(json_object_get(d, "peers"), i, p) {
		bool silent = !json_object_get(p, "coords");

		fipsctl_table_cell(t, "%s", str(p, "display_name"));
		fipsctl_table_cell(t, "%s", str(p, "node_addr"));
		fipsctl_table_cell(t, "%s", role(d, p));
		fipsctl_table_cell(t, silent ? "-" : "%llu", (unsigned long long)num(p, "depth"));
		fipsctl_table_cell(t, silent ? "-" : "%llu",
				   (unsigned long long)num(p, "distance_to_us"));
		fipsctl_table_cell(t, "%.8s", str(p, "root"));
	}
	fipsctl_table_print(t, "no peers");
}

void fipsctl_show_bloom(const json_t *d)
{
	static const char *const titles[] = {
		"from", ">sequence", ">bits set", ">full", ">nodes behind it", NULL
	};
	struct fipsctl_table *t = fipsctl_table_new(titles);
	json_t *p, *estimate;
	size_t i;

	printf("%-14s sequence %llu\n", "own filter", (unsigned long long)num(d, "sequence"));
	fipsctl_print_counters("filters", json_object_get(d, "stats"));
	printf("\n");
	json_array_foreach(json_object_get(d, "peer_filters"), i, p) {
		bool known = json_is_true(json_object_get(p, "has_filter"));

		estimate = json_object_get(p, "estimated_count");
		fipsctl_table_cell(t, "%s", str(p, "display_name"));
		fipsctl_table_cell(t, "%llu", (unsigned long long)num(p, "filter_sequence"));
		fipsctl_table_cell(t, known ? "%llu" : "-", (unsigned long long)num(p, "set_bits"));
		fipsctl_table_cell(t, known ? "%.1f %%" : "-",
				   100 * json_real_value(json_object_get(p, "fill_ratio")));
		fipsctl_table_cell(t, json_is_number(estimate) ? "%.0f" : "-",
				   json_number_value(estimate));
	}
	fipsctl_table_print(t, "no peers");
}

void fipsctl_show_cache(const json_t *d)
{
	static const char *const titles[] = {
		"node", "IPv6 address", ">depth", ">path MTU", ">age", NULL
	};
	struct fipsctl_table *t = fipsctl_table_new(titles);
	char text[FIPSCTL_TEXT];
	json_t *e;
	size_t i;

	printf("%llu of at most %llu nodes' coordinates, kept for %s\n\n",
	       (unsigned long long)num(d, "count"), (unsigned long long)num(d, "max_entries"),
	       fipsctl_duration(num(d, "default_ttl_ms"), text));
	json_array_foreach(json_object_get(d, "entries"), i, e) {
		fipsctl_table_cell(t, "%s", str(e, "display_name"));
		fipsctl_table_cell(t, "%s", str(e, "ipv6_addr"));
		fipsctl_table_cell(t, "%llu", (unsigned long long)num(e, "depth"));
		fipsctl_table_cell(t, num(e, "path_mtu") ? "%llu B" : "-",
				   (unsigned long long)num(e, "path_mtu"));
		fipsctl_table_cell(t, "%s", fipsctl_duration(num(e, "age_ms"), text));
	}
	fipsctl_table_print(t, "no coordinates known");
}
