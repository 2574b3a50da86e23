// SPDX-License-Identifier: MIT
/*
 * What the mesh firewall does to a port, read from nft's JSON (spec 16 §2). Only
 * rules of a plain shape are understood; a port that another one mentions is
 * "unknown" unless a plain rule decides it.
 */
#include <string.h>

#include "listening.h"

enum fit {
	FIT_NO,
	FIT_YES,
	FIT_PERHAPS,	/* a condition that we don't know */
};

/* What is to be judged, and what the rule at hand has said so far. */
struct judged {
	const char *proto;
	unsigned int port;
	bool names_port;
	enum fit fit;
	const char *verdict;
};

static bool value_has(const json_t *v, const char *text, json_int_t number);

static bool list_has(const json_t *list, const char *text, json_int_t number)
{
	json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
		if (value_has(v, text, number))
			return true;
	return false;
}

/* A single value, a set or a range: of ports (@number), or of words (@text). */
static bool value_has(const json_t *v, const char *text, json_int_t number)
{
	const json_t *range = json_object_get(v, "range"), *set = json_object_get(v, "set");

	if (json_is_array(v))
		return list_has(v, text, number);
	if (set)
		return value_has(set, text, number);
	if (range)
		return !text && json_integer_value(json_array_get(range, 0)) <= number &&
		       json_integer_value(json_array_get(range, 1)) >= number;
	if (json_is_string(v))
		return text && !strcmp(json_string_value(v), text);
	return !text && json_is_integer(v) && json_integer_value(v) == number;
}

static bool is_text(const json_t *obj, const char *key, const char *text)
{
	const char *is = json_string_value(json_object_get(obj, key));

	return is && !strcmp(is, text);
}

static enum fit fit_if(bool yes)
{
	return yes ? FIT_YES : FIT_NO;
}

static enum fit match(struct judged *j, const json_t *m)
{
	const json_t *left = json_object_get(m, "left"), *right = json_object_get(m, "right");
	const json_t *payload = json_object_get(left, "payload");
	const json_t *meta = json_object_get(left, "meta");
	const char *proto = json_string_value(json_object_get(payload, "protocol"));
	bool equal = is_text(m, "op", "==") || is_text(m, "op", "in");

	if (is_text(payload, "field", "dport") && proto) {
		j->names_port = true;
		if (strcmp(proto, j->proto) && strcmp(proto, "th"))
			return FIT_NO;
		return equal ? fit_if(value_has(right, NULL, j->port)) : FIT_PERHAPS;
	}
	if (equal && is_text(meta, "key", "l4proto"))
		return fit_if(value_has(right, j->proto, 0));
	if (equal && is_text(meta, "key", "iifname"))
		return FIT_YES;
	return FIT_PERHAPS;
}

static void judge_expr(struct judged *j, const json_t *expr)
{
	static const char *const verdicts[] = {
		"accept", "drop", "reject", "jump", "goto", "return", "queue", "continue", NULL
	};
	const json_t *m = json_object_get(expr, "match");
	const char *const *v;
	enum fit fit;

	if (m) {
		fit = match(j, m);
		if (fit == FIT_NO || (fit == FIT_PERHAPS && j->fit == FIT_YES))
			j->fit = fit;
		return;
	}
	for (v = verdicts; *v; v++)
		if (json_object_get(expr, *v))
			j->verdict = *v;
}

/* NULL: the rule says nothing of this port. */
static const char *judge_rule(const json_t *rule, const char *proto, unsigned int port)
{
	struct judged j = { .proto = proto, .port = port, .fit = FIT_YES };
	const json_t *exprs = json_object_get(rule, "expr");
	json_t *expr;
	size_t i;

	json_array_foreach(exprs, i, expr)
		judge_expr(&j, expr);
	if (!j.verdict || j.fit == FIT_NO)
		return NULL;
	/* Rules for established flows, pings and other interfaces name no port. */
	if (!j.names_port && (j.fit != FIT_YES || strcmp(j.verdict, "drop")))
		return NULL;
	if (j.fit == FIT_YES && (!strcmp(j.verdict, "accept") || !strcmp(j.verdict, "drop")))
		return j.verdict;
	return "unknown";
}

const char *fips_firewall_verdict(const json_t *ruleset, const char *proto, unsigned int port)
{
	const json_t *list = json_object_get(ruleset, "nftables");
	const char *verdict, *doubt = NULL;
	json_t *item;
	size_t i;

	if (!list)
		return "no_firewall";
	json_array_foreach(list, i, item) {
		const json_t *rule = json_object_get(item, "rule");

		if (!rule || !is_text(rule, "chain", "inbound"))
			continue;
		verdict = judge_rule(rule, proto, port);
		if (verdict && strcmp(verdict, "unknown"))
			return verdict[0] == 'd' && doubt ? doubt : verdict;
		doubt = verdict ? verdict : doubt;
	}
	return doubt ? doubt : "drop";
}
