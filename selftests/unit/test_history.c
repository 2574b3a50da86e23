// SPDX-License-Identifier: MIT
/* The statistics history (spec 13 §6), and what a firewall's rules say to a port. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fipsd/history.h"
#include "fipsd/listening.h"

#define TICK	1000

struct world {
	struct fips_history *h;
	u64 now;
	double node[FIPS_NODE_METRICS];
	double peer[FIPS_PEER_METRICS];
	struct fips_identity id;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->h = fips_history_new();
	w->now = 5000;
	w->id.addr.b[0] = 1;
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	fips_history_free(w->h);
	free(w);
	return 0;
}

static void tick(struct world *w, bool peer)
{
	fips_history_begin(w->h, w->now, TICK);
	fips_history_node(w->h, w->node);
	if (peer)
		assert_true(fips_history_peer(w->h, &w->id, w->peer));
	fips_history_end(w->h);
	w->now += TICK;
}

static double newest(struct world *w, int peer, int metric, bool slow)
{
	double v;

	fips_history_values(w->h, peer, metric, slow, &v, 1);
	return v;
}

static void test_axis(void **state)
{
	struct world *w = *state;
	double v[5];

	fips_history_values(w->h, -1, 0, false, v, 5);
	assert_true(isnan(v[0]) && isnan(v[4]));
	w->node[FIPS_NM_PEER_COUNT] = 3;
	tick(w, false);
	w->node[FIPS_NM_PEER_COUNT] = 4;
	tick(w, false);
	fips_history_values(w->h, -1, FIPS_NM_PEER_COUNT, false, v, 5);
	assert_true(isnan(v[2]) && v[3] == 3 && v[4] == 4);
}

/* Node counters: the first is 0 and so is a fall; a peer's first and a fall are gaps. */
static void test_counters(void **state)
{
	struct world *w = *state;

	w->node[FIPS_NM_BYTES_IN] = 1000;
	w->peer[FIPS_PM_BYTES_IN] = 1000;
	tick(w, true);
	assert_true(newest(w, -1, FIPS_NM_BYTES_IN, false) == 0);
	assert_true(isnan(newest(w, 0, FIPS_PM_BYTES_IN, false)));
	w->node[FIPS_NM_BYTES_IN] = 1500;
	w->peer[FIPS_PM_BYTES_IN] = 1500;
	tick(w, true);
	assert_true(newest(w, -1, FIPS_NM_BYTES_IN, false) == 500);
	assert_true(newest(w, 0, FIPS_PM_BYTES_IN, false) == 500);
	w->node[FIPS_NM_BYTES_IN] = 10;
	w->peer[FIPS_PM_BYTES_IN] = 10;
	tick(w, true);
	assert_true(newest(w, -1, FIPS_NM_BYTES_IN, false) == 0);
	assert_true(isnan(newest(w, 0, FIPS_PM_BYTES_IN, false)));
	/* Away for a tick: a gap, and the counter begins anew. */
	tick(w, false);
	assert_true(isnan(newest(w, 0, FIPS_PM_BYTES_IN, false)));
	tick(w, true);
	assert_true(isnan(newest(w, 0, FIPS_PM_BYTES_IN, false)));
}

/* A stall of ten ticks leaves nine gaps, and what came meanwhile is divided by its time. */
static void test_stall(void **state)
{
	struct world *w = *state;
	double v[12];
	int i;

	tick(w, true);
	w->now += 9 * TICK;
	w->node[FIPS_NM_BYTES_OUT] = 10000;
	tick(w, true);
	fips_history_values(w->h, -1, FIPS_NM_BYTES_OUT, false, v, 12);
	assert_true(v[1] == 0 && v[11] == 1000);
	for (i = 2; i < 11; i++)
		assert_true(isnan(v[i]));
	/* Slower ticks are no stall. */
	fips_history_begin(w->h, w->now + 9 * TICK, 10 * TICK);
	assert_int_equal(fips_history_pushes(w->h), 12);
}

static void test_minutes(void **state)
{
	struct world *w = *state;
	double v[3];
	int i;

	for (i = 0; i < 120; i++) {
		w->node[FIPS_NM_TREE_DEPTH] = i;
		w->node[FIPS_NM_BYTES_IN] += 60;
		w->node[FIPS_NM_PARENT_SWITCHES] += i >= 60;
		w->peer[FIPS_PM_SRTT_MS] = i & 1 ? 10 : NAN;
		tick(w, i >= 60);
	}
	fips_history_values(w->h, -1, FIPS_NM_TREE_DEPTH, true, v, 3);
	assert_true(isnan(v[0]) && v[1] == 59 && v[2] == 119);		/* last */
	assert_true(newest(w, -1, FIPS_NM_BYTES_IN, true) == 60);	/* mean */
	assert_true(newest(w, -1, FIPS_NM_PARENT_SWITCHES, true) == 60);	/* sum */
	fips_history_values(w->h, 0, FIPS_PM_SRTT_MS, true, v, 3);
	assert_true(isnan(v[1]) && v[2] == 10);				/* gaps are skipped */
	fips_history_values(w->h, 0, FIPS_PM_LOSS_RATE, true, v, 3);
	assert_true(isnan(v[1]) && v[2] == 0);
}

/* Round and round: the rings hold what they should, at every length. */
static void test_wrap(void **state)
{
	struct world *w = *state;
	double *v = calloc(FIPS_HISTORY_FAST + 1, sizeof(*v));
	int i, k;

	assert_non_null(v);
	for (i = 0; i < 2 * FIPS_HISTORY_FAST + 77; i++) {
		w->node[FIPS_NM_MESH_SIZE] = i;
		w->peer[FIPS_PM_SRTT_MS] = i;
		tick(w, i >= 100);
	}
	fips_history_values(w->h, -1, FIPS_NM_MESH_SIZE, false, v, FIPS_HISTORY_FAST + 1);
	assert_true(isnan(v[0]));
	for (k = 1; k <= FIPS_HISTORY_FAST; k++)
		assert_true(v[k] == i - 1 - FIPS_HISTORY_FAST + k);
	fips_history_values(w->h, 0, FIPS_PM_SRTT_MS, false, v, FIPS_HISTORY_FAST);
	for (k = 0; k < FIPS_HISTORY_FAST; k++)
		assert_true(v[k] == i - FIPS_HISTORY_FAST + k);
	free(v);
}

static void test_peers(void **state)
{
	struct fips_history_peer info;
	struct world *w = *state;
	int i;

	for (i = 0; i < FIPS_HISTORY_PEERS; i++) {
		w->id.addr.b[1] = (u8)i;
		w->id.addr.b[2] = (u8)(i >> 8);
		tick(w, true);
	}
	assert_int_equal(fips_history_count(w->h), FIPS_HISTORY_PEERS);
	/* One more: the one gone longest makes room. */
	w->id.addr.b[3] = 1;
	tick(w, true);
	assert_int_equal(fips_history_count(w->h), FIPS_HISTORY_PEERS);
	i = fips_history_find(w->h, &w->id.addr);
	assert_in_range(i, 0, FIPS_HISTORY_PEERS - 1);
	fips_history_info(w->h, i, &info);
	assert_true(info.active);
	w->id.addr = (struct fips_node_addr){ .b = { 1 } };
	assert_int_equal(fips_history_find(w->h, &w->id.addr), -1);
	/* A day later nobody is left. */
	w->now += (u64)FIPS_HISTORY_RETENTION * 1000 + TICK;
	tick(w, false);
	assert_int_equal(fips_history_count(w->h), 0);
}

/* ---- firewall ---- */

#define M_DPORT(proto, v)	\
	"{\"match\":{\"op\":\"==\",\"left\":{\"payload\":{\"protocol\":\"" proto	\
	"\",\"field\":\"dport\"}},\"right\":" v "}},"
#define M_SADDR	\
	"{\"match\":{\"op\":\"==\",\"left\":{\"payload\":{\"protocol\":\"ip6\","	\
	"\"field\":\"saddr\"}},\"right\":\"fd00::1\"}},"
#define M_IIF	\
	"{\"match\":{\"op\":\"!=\",\"left\":{\"meta\":{\"key\":\"iifname\"}},"	\
	"\"right\":\"fips0\"}},"
#define RULE(m, v)	"{\"rule\":{\"chain\":\"inbound\",\"expr\":[" m "{\"" v "\":null}]}},"
#define SET(rules)	"{\"nftables\":[{\"metainfo\":{}},{\"table\":{}}," RULE(M_IIF, "return") \
	rules "{\"rule\":{\"chain\":\"inbound\",\"expr\":[{\"counter\":{}},{\"drop\":null}]}}]}"

#define SSH	M_DPORT("tcp", "22")

static const char *verdict(const char *rules, const char *proto, unsigned int port)
{
	json_t *set = json_loads(rules, 0, NULL);
	const char *v;

	assert_non_null(set);
	v = fips_firewall_verdict(set, proto, port);
	json_decref(set);
	return v;
}

static void test_firewall(void **state)
{
	(void)state;
	assert_string_equal(fips_firewall_verdict(NULL, "tcp", 22), "no_firewall");
	assert_string_equal(verdict(SET(""), "tcp", 22), "drop");
	assert_string_equal(verdict(SET(RULE(SSH, "accept")), "tcp", 22), "accept");
	assert_string_equal(verdict(SET(RULE(SSH, "accept")), "udp", 22), "drop");
	assert_string_equal(verdict(SET(RULE(SSH, "accept")), "tcp", 23), "drop");
	assert_string_equal(verdict(SET(RULE(M_DPORT("th", "{\"set\":[5,{\"range\":[20,30]}]}"),
					     "accept")), "udp", 25), "accept");
	assert_string_equal(verdict(SET(RULE(M_DPORT("udp", "{\"range\":[20,30]}"), "accept")),
				    "udp", 31), "drop");
	assert_string_equal(verdict(SET(RULE(M_SADDR SSH, "accept")), "tcp", 22),
			    "unknown");
	assert_string_equal(verdict(SET(RULE(SSH, "reject")), "tcp", 22), "unknown");
	/* A plain rule further down decides. */
	assert_string_equal(verdict(SET(RULE(M_SADDR SSH, "accept")
					RULE(SSH, "accept")), "tcp", 22), "accept");
	assert_string_equal(verdict(SET(RULE(M_SADDR, "accept")), "tcp", 22), "drop");
}

int main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_axis), T(test_counters), T(test_stall), T(test_minutes), T(test_wrap),
		T(test_peers), cmocka_unit_test(test_firewall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
