// SPDX-License-Identifier: MIT
/*
 * Rekey of links and sessions: hitless with each message lost in turn, both at
 * once, at either address order, by time and by count, with forgeries and
 * replays between.
 */
#include "node_test.h"

#define AFTER	60

/* 100 packets/s each way for @ms; what did not arrive after one more second. */
static unsigned int traffic(const struct pair *p, u64 ms)
{
	unsigned int lost, sent = 0;
	u64 end = p->net->now + ms;

	p->net->nodes[p->small].delivered = 0;
	p->net->nodes[p->large].delivered = 0;
	while (p->net->now < end) {
		fakenet_data(p->net, p->small, p->large);
		fakenet_data(p->net, p->large, p->small);
		sent++;
		fakenet_run(p->net, 10);
	}
	fakenet_run(p->net, 1000);
	lost = 2 * sent - p->net->nodes[p->small].delivered - p->net->nodes[p->large].delivered;
	return lost;
}

/* This node takes longer to give a peer up. */
static int patient = -1;

/* Rekey at the node @who (-1: both); linked, with a session, at rest. */
static struct pair rekeying(u64 seed, int who, u64 after_secs, u64 after_messages)
{
	struct pair p = { .net = fakenet_new(seed) };
	char addr[FIPS_TADDR_TEXT_MAX];
	int i;

	for (i = 0; i < 2; i++) {
		fakenet_add(p.net, (u8)(i + 1));
		snprintf(addr, sizeof(addr), "10.0.0.%d:2121", i + 1);
		fakenet_transport(p.net, i, addr);
	}
	p.small = fips_node_addr_cmp(fakenet_addr(p.net, 0), fakenet_addr(p.net, 1)) > 0;
	p.large = !p.small;
	for (i = 0; i < 2; i++) {
		p.net->nodes[i].timing.rekey.enabled = who < 0 || (who ? p.large : p.small) == i;
		p.net->nodes[i].timing.rekey.after_secs = after_secs;
		p.net->nodes[i].timing.rekey.after_messages = after_messages;
		p.net->nodes[i].timing.link_dead_timeout_secs = i == patient ? 100 : 30;
		fakenet_start(p.net, i);
	}
	fakenet_peer(p.net, p.small, p.large);
	fakenet_data(p.net, p.small, p.large);
	fakenet_run(p.net, 500);
	assert_true(fakenet_linked(p.net, p.small, p.large));
	assert_string_equal(fakenet_session(p.net, p.large, p.small), "established");
	return p;
}

static struct fips_node_counters counters(const struct pair *p, int node)
{
	return fakenet_view(p->net, node).counters;
}

static bool keys_match(const struct pair *p)
{
	return sessions_match(p->net, p->small, p->large) &&
	       fakenet_dp_session(p->net, p->small, p->large)->slot[0].k_bit ==
	       fakenet_dp_session(p->net, p->large, p->small)->slot[0].k_bit;
}

/* Both ends agree on keys, K and that nothing is under way; and the old keys are gone. */
static void assert_settled(const struct pair *p)
{
	int i;

	fakenet_run(p->net, 12000);
	assert_true(fakenet_linked(p->net, p->small, p->large));
	assert_int_equal(fakenet_dp_link(p->net, p->small, p->large)->slot.k_bit,
			 fakenet_dp_link(p->net, p->large, p->small)->slot.k_bit);
	assert_true(keys_match(p));
	for (i = 0; i < 2; i++) {
		struct fake_link *l = fakenet_dp_link(p->net, i, !i);
		struct fake_session *s = fakenet_dp_session(p->net, i, !i);

		assert_int_equal(fakenet_dp_links(p->net, i), 1);
		assert_int_equal(fakenet_view(p->net, i).links, 1);
		assert_false(l->next_slot.live || l->old_slot.live);
		assert_false(s->slot[FIPS_KEY_SLOT_NEXT].live ||
			     s->slot[FIPS_KEY_SLOT_PREVIOUS].live);
	}
}

/* By time, in turn by the one and the other: number, routes and K of the link. */
static void by_time(void **state)
{
	int who;

	(void)state;
	for (who = 0; who < 2; who++) {
		struct pair p = rekeying(who + 1, who, AFTER, 1000000);
		int a = pair_a(&p, who), b = pair_b(&p, who);
		u32 ids[2] = { fakenet_dp_link(p.net, a, b)->id, fakenet_dp_link(p.net, b, a)->id };

		assert_int_equal(traffic(&p, 44000), 0);
		assert_int_equal(counters(&p, a).rekey_started, 0);
		assert_int_equal(counters(&p, a).session_rekey_started, 0);
		assert_int_equal(traffic(&p, 33000), 0);
		assert_int_equal(counters(&p, a).rekey_completed, 1);
		assert_int_equal(counters(&p, b).rekey_promoted, 1);
		assert_int_equal(counters(&p, a).session_rekey_completed, 1);
		assert_int_equal(counters(&p, b).session_rekey_promoted, 1);
		assert_int_equal(fakenet_dp_link(p.net, a, b)->id, ids[0]);
		assert_int_equal(fakenet_dp_link(p.net, b, a)->id, ids[1]);
		assert_int_equal(fakenet_dp_link(p.net, a, b)->slot.k_bit, 1);
		assert_int_equal(fakenet_dp_session(p.net, b, a)->slot[0].k_bit, 1);
		assert_settled(&p);
		assert_int_equal(traffic(&p, 600000), 0);
		assert_in_range(counters(&p, a).rekey_completed, 8, 14);
		assert_int_equal(counters(&p, b).rekey_promoted, counters(&p, a).rekey_completed);
		assert_in_range(counters(&p, a).session_rekey_completed, 8, 14);
		assert_int_equal(counters(&p, a).session_rekey_abandoned, 0);
		assert_int_equal(counters(&p, b).rekey_started, 0);
		fakenet_free(p.net);
	}
}

/* Both have it due: one wins, whoever it is, and nothing is lost. */
static void both_at_once(void **state)
{
	u64 seed;

	(void)state;
	for (seed = 0; seed < 24; seed++) {
		struct pair p = rekeying(100 + seed, -1, seed & 1 ? 16 : 40, 1000000);
		struct fips_node_counters a, b;

		p.net->latency = 10 + 40 * (seed % 5);
		p.net->jitter = seed % 3 * 30;
		assert_int_equal(traffic(&p, 150000), 0);
		a = counters(&p, p.small);
		b = counters(&p, p.large);
		assert_in_range(a.rekey_completed + b.rekey_completed, 2, 5);
		assert_int_equal(a.rekey_completed, b.rekey_promoted);
		assert_int_equal(b.rekey_completed, a.rekey_promoted);
		assert_true(a.session_rekey_completed + b.session_rekey_completed >= 2);
		assert_true(fakenet_linked(p.net, p.small, p.large));
		assert_true(keys_match(&p));
		fakenet_free(p.net);
	}
}

struct nth {
	enum fake_kind kind;
	int src;
	unsigned int left;	/* so many are lost */
	unsigned int skip;	/* after so many that are not */
	bool armed;
};

static bool drop_nth(struct fakenet *net, const struct fake_packet *p)
{
	struct nth *d = net->drop_arg;

	if (!d->armed || p->src != d->src || p->kind != d->kind)
		return false;
	if (d->skip) {
		d->skip--;
		return false;
	}
	if (!d->left)
		return false;
	d->left--;
	return true;
}

/* The first, second, third of each kind that takes part, and bursts of them. */
static void each_message_lost(void **state)
{
	static const enum fake_kind kinds[] = {
		FAKE_MSG1, FAKE_MSG2, FAKE_SETUP, FAKE_ACK, FAKE_MSG3, FAKE_SMSG, FAKE_FRAME,
	};
	unsigned int i, burst, skip, who, src;

	(void)state;
	for (i = 0; i < 7; i++)
	for (burst = 1; burst <= 3; burst++)
	for (skip = 0; skip < 2; skip++)
	for (who = 0; who < 2; who++)
	for (src = 0; src < 2; src++) {
		struct pair p = rekeying(i + 50, (int)who, AFTER, 1000000);
		int a = pair_a(&p, (int)who), b = pair_b(&p, (int)who);
		struct nth d = { kinds[i], src ? a : b, burst, skip, true };

		fakenet_run(p.net, 40000);
		p.net->drop = drop_nth;
		p.net->drop_arg = &d;
		assert_int_equal(traffic(&p, 40000), 0);
		/* a Setup is repeated after 31 s only */
		assert_int_equal(traffic(&p, 40000 + burst * 32000), 0);
		assert_true(counters(&p, a).rekey_completed >= 1);
		assert_true(counters(&p, a).session_rekey_completed >= 1);
		assert_int_equal(counters(&p, a).peer_restarts, 0);
		assert_true(fakenet_linked(p.net, a, b));
		assert_true(keys_match(&p));
		fakenet_free(p.net);
	}
}

/* Nobody answers: nothing is lost, and it is tried again until somebody does. */
static void never_answered(void **state)
{
	static const enum fake_kind kinds[] = { FAKE_MSG1, FAKE_MSG2, FAKE_SETUP, FAKE_ACK,
						FAKE_MSG3 };
	unsigned int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		struct pair p = rekeying(i + 70, 0, AFTER, 1000000);
		struct nth d = { kinds[i], i == 1 || i == 3 ? p.large : p.small, 1000, 0, true };
		struct fips_node_counters c;

		p.net->drop = drop_nth;
		p.net->drop_arg = &d;
		assert_int_equal(traffic(&p, 200000), 0);
		c = counters(&p, p.small);
		if (i < 2)
			assert_in_range(c.rekey_abandoned, 2, 4);
		else
			assert_in_range(c.session_rekey_abandoned, 2, 4);
		p.net->drop = NULL;
		assert_int_equal(traffic(&p, 80000), 0);
		c = counters(&p, p.small);
		assert_true(c.rekey_completed >= 1 && c.session_rekey_completed >= 1);
		assert_int_equal(fakenet_dp_links(p.net, p.small), 1);
		assert_int_equal(fakenet_dp_links(p.net, p.large), 1);
		fakenet_free(p.net);
	}
}

/* 10 % loss and reordering on everything: keys and K still agree at the end. */
static void random_loss(void **state)
{
	u64 seed;

	(void)state;
	for (seed = 0; seed < 20; seed++) {
		struct pair p = rekeying(200 + seed, -1, 16, 1000);

		p.net->loss_percent = 10;
		p.net->jitter = 60;
		traffic(&p, 120000);
		p.net->loss_percent = 0;
		p.net->jitter = 0;
		assert_int_equal(traffic(&p, 60000), 0);
		assert_true(fakenet_linked(p.net, p.small, p.large));
		assert_true(keys_match(&p));
		assert_int_equal(counters(&p, p.small).peer_restarts, 0);
		fakenet_free(p.net);
	}
}

/* Sessions every few seconds; links as often as the reference would permit. */
static void by_count(void **state)
{
	int who;

	(void)state;
	for (who = -1; who < 2; who++) {
		struct pair p = rekeying(300, who, 1000000, 500);
		struct fips_node_counters a, b;
		u64 links, sessions;

		assert_int_equal(traffic(&p, 120000), 0);
		a = counters(&p, p.small);
		b = counters(&p, p.large);
		links = a.rekey_completed + b.rekey_completed;
		sessions = a.session_rekey_completed + b.session_rekey_completed;
		assert_int_equal(links, 3);
		assert_in_range(sessions, 18, 26);
		assert_true(keys_match(&p));
		fakenet_free(p.net);
	}
}

/* An old msg1 again while a rekey is under way, and while its keys wait. */
static void replayed_msg1(void **state)
{
	int who;

	(void)state;
	for (who = 0; who < 2; who++) {
		struct pair p = rekeying(400 + who, who, AFTER, 1000000);
		int a = pair_a(&p, who), b = pair_b(&p, who);
		struct fips_taddr at_a = fakenet_taddr(p.net, a), at_b = fakenet_taddr(p.net, b);
		unsigned int seen = fakenet_count(p.net, -1, FAKE_MSG1), i;

		while (fakenet_count(p.net, -1, FAKE_MSG1) == seen)
			fakenet_run(p.net, 1);
		for (i = 0; i <= seen; i++) {
			const struct fake_sent *s = fakenet_sent(p.net, -1, FAKE_MSG1, i);

			fakenet_inject_from(p.net, &at_a, &at_b, s->data, s->len);
			fakenet_inject_from(p.net, &at_b, &at_a, s->data, s->len);
		}
		assert_int_equal(traffic(&p, 20000), 0);
		assert_int_equal(counters(&p, a).rekey_completed, 1);
		/* and all of them when it is over */
		for (i = 0; i <= seen; i++) {
			const struct fake_sent *s = fakenet_sent(p.net, -1, FAKE_MSG1, i);

			fakenet_inject_from(p.net, &at_a, &at_b, s->data, s->len);
			fakenet_inject_from(p.net, &at_b, &at_a, s->data, s->len);
		}
		assert_int_equal(traffic(&p, 15000), 0);
		assert_true(fakenet_linked(p.net, a, b));
		assert_true(keys_match(&p));
		fakenet_free(p.net);
	}
}

/* A msg1 that nobody stands behind must not stop ours for long. */
static void unproven_msg1_delays_little(void **state)
{
	struct pair p = rekeying(410, 0, AFTER, 1000000);
	struct nth d = { FAKE_FRAME, p.large, 1000, 0, true };
	struct fips_event ev = { .type = FIPS_EV_LINK_KEY_LIMIT };
	struct fips_clock now;

	(void)state;
	fakenet_run(p.net, 41000);
	/* the larger asks, but its frames under the new keys are lost */
	p.net->drop = drop_nth;
	p.net->drop_arg = &d;
	now = fakenet_clock(p.net);
	ev.link.id = fakenet_dp_link(p.net, p.large, p.small)->id;
	fips_node_event(p.net->nodes[p.large].node, &now, &ev);
	assert_int_equal(traffic(&p, 1000), 0);
	d.left = 0;
	ev.link.id = fakenet_dp_link(p.net, p.small, p.large)->id;
	now = fakenet_clock(p.net);
	fips_node_event(p.net->nodes[p.small].node, &now, &ev);
	assert_int_equal(traffic(&p, 8000), 0);
	assert_true(counters(&p, p.small).rekey_completed +
		    counters(&p, p.large).rekey_completed >= 1);
	assert_true(fakenet_linked(p.net, p.small, p.large));
	fakenet_free(p.net);
}

/* The peer was restarted and answers our rekey as a newcomer. */
static void restarted_peer_answers(void **state)
{
	struct pair p = rekeying(420, 0, AFTER, 1000000);
	struct nth d = { FAKE_MSG2, p.large, 1, 0, true };

	(void)state;
	p.net->drop = drop_nth;
	p.net->drop_arg = &d;
	while (d.left)
		fakenet_run(p.net, 1);
	fakenet_restart(p.net, p.large);
	fakenet_run(p.net, 5000);
	assert_true(fakenet_linked(p.net, p.small, p.large));
	assert_int_equal(counters(&p, p.small).peer_restarts, 1);
	assert_int_equal(counters(&p, p.small).rekey_abandoned, 1);
	assert_int_equal(fakenet_dp_links(p.net, p.small), 1);
	fakenet_free(p.net);
}

/* Silence of 33 s in a rekey is survived; without one the link dies after 30. */
static void patience_while_asking(void **state)
{
	struct pair p = rekeying(430, 0, AFTER, 1000000);
	unsigned int seen;
	u32 id;

	(void)state;
	patient = p.large;
	fakenet_free(p.net);
	p = rekeying(430, 0, AFTER, 1000000);
	patient = -1;
	seen = fakenet_count(p.net, -1, FAKE_MSG1);
	id = fakenet_dp_link(p.net, p.small, p.large)->id;
	while (fakenet_count(p.net, -1, FAKE_MSG1) == seen)
		fakenet_run(p.net, 1);
	p.net->drop = drop_all;
	fakenet_run(p.net, 27000);
	p.net->drop = NULL;
	fakenet_run(p.net, 10000);
	assert_int_equal(fakenet_dp_link(p.net, p.small, p.large)->id, id);
	assert_int_equal(counters(&p, p.small).rekey_completed, 1);
	assert_int_equal(traffic(&p, 100), 0);
	assert_settled(&p);
	p.net->drop = drop_all;
	fakenet_run(p.net, 31000);
	assert_int_equal(fakenet_view(p.net, p.small).peers, 0);
	fakenet_free(p.net);
}

static bool wait_event_lost(struct fakenet *net)
{
	struct fake_event *e = net->events;

	for (; e; e = e->next) {
		if ((e->ev.type == FIPS_EV_LINK_KEY_USED ||
		     e->ev.type == FIPS_EV_SESSION_KEY_USED) &&
		    (e->ev.type == FIPS_EV_LINK_KEY_USED ? e->ev.link.slot :
							    e->ev.session.slot) ==
			    FIPS_KEY_SLOT_NEXT)
			e->ev.type = FIPS_EV_TIMER;
	}
	return false;
}

/* Word of the promotions gets lost: both ends find out by themselves. */
static void lost_upcalls(void **state)
{
	struct pair p = rekeying(440, 0, AFTER, 1000000);

	(void)state;
	fakenet_until(p.net, wait_event_lost, 79000);
	assert_int_equal(counters(&p, p.small).rekey_completed, 1);
	assert_int_equal(traffic(&p, 40000), 0);
	assert_int_equal(counters(&p, p.large).rekey_promoted,
			 counters(&p, p.small).rekey_completed);	/* there may be a second */
	assert_true(fakenet_linked(p.net, p.small, p.large));
	fakenet_free(p.net);
}

/* Off: never ours, but the peer's is answered. */
static void disabled(void **state)
{
	struct pair p = rekeying(450, 1, 16, 100);

	(void)state;
	assert_int_equal(traffic(&p, 80000), 0);
	assert_int_equal(counters(&p, p.small).rekey_started, 0);
	assert_int_equal(counters(&p, p.small).session_rekey_started, 0);
	assert_true(counters(&p, p.small).rekey_promoted >= 2);
	assert_true(counters(&p, p.small).session_rekey_promoted >= 2);
	fakenet_free(p.net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_time),
		cmocka_unit_test(both_at_once),
		cmocka_unit_test(each_message_lost),
		cmocka_unit_test(never_answered),
		cmocka_unit_test(random_loss),
		cmocka_unit_test(by_count),
		cmocka_unit_test(replayed_msg1),
		cmocka_unit_test(unproven_msg1_delays_little),
		cmocka_unit_test(restarted_peer_answers),
		cmocka_unit_test(patience_while_asking),
		cmocka_unit_test(lost_upcalls),
		cmocka_unit_test(disabled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
