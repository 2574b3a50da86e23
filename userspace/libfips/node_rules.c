// SPDX-License-Identifier: MIT
/*
 * What a node does by which rules. The wire is the same; the reference's rules
 * (06 §5 to §7, 07 D) are there so that a simulator can show how ours get on
 * with nodes that go by them. No configuration leads to them.
 */

#include "node_internal.h"

const struct node_rules node_rules[] = {
	[FIPS_RULES_OWN] = {
		.cap_merged = true,
		.repeat_filters = true,
		.doubt_old_filters = true,
		.climb = true,
		.direct = true,
		.not_back = true,
		.wait_for_filter = true,
		.beside_own = true,
		.beside = NODE_FALLBACK,
		.pace_repeats = NODE_LOOKUP_REPEATS,
		.pace_each = true,
		.responses = NODE_RESPONSES,
		.filter_burst = NODE_PACE_BURST,
		.filter_gather_ms = NODE_FILTER_GATHER_MS,
	},
	[FIPS_RULES_REFERENCE] = {
		.beside = NODE_RECIPIENTS,
		.pace_repeats = 1,
		.responses = 1,
		.filter_burst = 1,
		.filter_gather_ms = 500,	/* its tick is 1 s */
	},
};
