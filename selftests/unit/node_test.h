/* SPDX-License-Identifier: MIT */
/* What the tests of the node have in common. */
#ifndef NODE_TEST_H
#define NODE_TEST_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <errno.h>

#include "fakenet.h"
#include "fmp.h"
#include "fsp.h"
#include "noise.h"

/* Two nodes, 0 has the smaller address. */
struct pair {
	struct fakenet *net;
	int small;
	int large;
};

static inline struct pair pair_new(u64 seed)
{
	struct pair p = { .net = fakenet_new(seed) };

	p.small = fakenet_simple(p.net, 1);
	p.large = fakenet_simple(p.net, 2);
	if (fips_node_addr_cmp(fakenet_addr(p.net, p.small), fakenet_addr(p.net, p.large)) > 0) {
		p.small = 1;
		p.large = 0;
	}
	return p;
}

/* Who dials: @dialer 0 the smaller, 1 the larger. */
static inline int pair_a(const struct pair *p, int dialer)
{
	return dialer ? p->large : p->small;
}

static inline int pair_b(const struct pair *p, int dialer)
{
	return dialer ? p->small : p->large;
}

/* Linked, no session yet; the smaller dials. */
static inline struct pair pair_linked(u64 seed)
{
	struct pair p = pair_new(seed);

	fakenet_peer(p.net, p.small, p.large);
	fakenet_run(p.net, 1000);
	assert_true(fakenet_linked(p.net, p.small, p.large));
	p.net->n_sent = 0;
	return p;
}

/* Do two nodes speak under the same keys? */
static inline bool sessions_match(struct fakenet *net, int a, int b)
{
	struct fake_session *x = fakenet_dp_session(net, a, b), *y = fakenet_dp_session(net, b, a);

	return x && y && x->slot[0].has_key && y->slot[0].has_key &&
	       !memcmp(x->slot[0].tx, y->slot[0].rx, FIPS_KEY_LEN) &&
	       !memcmp(x->slot[0].rx, y->slot[0].tx, FIPS_KEY_LEN);
}

/* The data plane of @node says that its session with @peer is no more. */
static inline void session_forget(struct fakenet *net, int node, int peer)
{
	struct fips_event ev = { .type = FIPS_EV_OP_RESULT, .op.err = -EIO };
	struct fips_clock now = fakenet_clock(net);

	ev.op.remote = *fakenet_addr(net, peer);
	fips_node_event(net->nodes[node].node, &now, &ev);
	assert_string_equal(fakenet_session(net, node, peer), "");
}

/* Loss by number: packet i of a kind of a node is lost if bit i of its mask is set. */
struct loss_plan {
	u32 mask[FAKE_NODES][FAKE_OTHER + 1];
	unsigned int seen[FAKE_NODES][FAKE_OTHER + 1];
};

static inline bool loss_plan_drop(struct fakenet *net, const struct fake_packet *p)
{
	struct loss_plan *plan = net->drop_arg;
	unsigned int nr;

	if (p->src < 0)
		return false;
	nr = plan->seen[p->src][p->kind]++;
	return nr < 32 && plan->mask[p->src][p->kind] >> nr & 1;
}

static inline void loss_plan_use(struct fakenet *net, struct loss_plan *plan)
{
	net->drop = loss_plan_drop;
	net->drop_arg = plan;
}

static inline bool drop_all(struct fakenet *net, const struct fake_packet *p)
{
	(void)net;
	return p->src >= 0;
}

/* Assert that packet @nr of a kind went out @ms after @start. */
#define assert_sent_at(net, node, kind, nr, start, ms) do {				\
	const struct fake_sent *_s = fakenet_sent(net, node, kind, nr);			\
	assert_non_null(_s);								\
	assert_int_equal(_s->at - (start), ms);						\
} while (0)

/* A stranger that speaks the protocol by hand. */
struct stranger {
	struct fips_secrets *secrets;
	struct fips_keypair kp;
	struct fips_noise_env env;
	struct fips_noise *noise;
};

static inline void stranger_new(struct stranger *s, struct fakenet *net, u32 key)
{
	u8 sec[32] = { 0x55 };

	fips_put_le32(sec + 20, key);
	assert_int_equal(fips_secrets_new(&s->secrets), 0);
	assert_int_equal(fips_keypair_from_secret(&s->kp, &net->pk, s->secrets, sec), 0);
	s->env = (struct fips_noise_env) {
		.pk = &net->pk,
		.secrets = s->secrets,
		.rng = fakenet_rng(net),
		.self = &s->kp,
		.epoch = { 1, 2, 3, (u8)key },
	};
	s->noise = NULL;
}

static inline void stranger_free(struct stranger *s)
{
	fips_noise_free(s->noise);
	fips_keypair_destroy(&s->kp);
	fips_secrets_destroy(s->secrets);
}

/* A msg1 for @node, %FIPS_MSG1_LEN bytes. */
static inline void stranger_msg1(struct stranger *s, struct fakenet *net, int node, u32 index,
				 u8 *out)
{
	u8 buf[FIPS_NOISE_MSG_MAX];
	struct fips_fmp_msg1 msg1 = { .sender_idx = index, .noise = buf };

	fips_noise_free(s->noise);
	assert_int_equal(fips_noise_initiator(&s->env, FIPS_NOISE_IK,
					      net->nodes[node].keypair.id.x, &s->noise), 0);
	assert_int_equal(fips_noise_write(s->noise, buf, sizeof(buf)), FIPS_NOISE_IK1_LEN);
	assert_int_equal(fips_fmp_msg1_build(out, FIPS_MSG1_LEN, &msg1), FIPS_MSG1_LEN);
}

#endif /* NODE_TEST_H */
