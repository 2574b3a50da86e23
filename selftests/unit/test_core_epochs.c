// SPDX-License-Identifier: MIT
/*
 * Packet core, three session slots live (spec 02 §12.4, 08 §9.4): messages of
 * every epoch in any order and with either K, forgeries and replays between.
 * Every genuine message opens, once, and no failed trial spoils it.
 */
#include "core_impl.h"
#include "corenet.h"

#define EPOCHS		12
#define EACH		24	/* messages an epoch */

/* A message from node 0 to node 1 as a datagram, its type byte first. */
struct msg {
	bool data;
	bool used;
	size_t len;
	u8 b[256];
};

struct bench {
	struct cn cn;
	struct fips_aead link;
	struct msg msg[EPOCHS][EACH];
	u32 rng;
};

static u32 draw(struct bench *b, u32 n)
{
	b->rng = b->rng * 1664525 + 1013904223;
	return (b->rng >> 8) % n;
}

static struct fips_dp_key epoch_key(unsigned int i, unsigned int j, unsigned int epoch, u32 slot)
{
	struct fips_dp_key k = cn_key(i, j, (u8)(0x80 + epoch), slot);

	k.k_bit = epoch & 1;
	return k;
}

/* What node 0 sent last, out of its frame. */
static void take(struct bench *b, struct msg *m)
{
	struct cn_item *it = cn_pop(&b->cn.n[0].frames);

	assert_non_null(it);
	assert_true(fips_aead_open(&b->link, fips_get_le64(it->data + FIPS_FMP_CTR_OFF), it->data,
				   FIPS_FMP_HDR_LEN, it->data + FIPS_FMP_HDR_LEN,
				   it->len - FIPS_FMP_MIN_LEN));
	m->len = it->len - FIPS_LINK_OVERHEAD;
	assert_in_range(m->len, 1, sizeof(m->b));
	memcpy(m->b, it->data + FIPS_DGRAM_OFF, m->len);
	free(it);
}

/* Data and warm-ups, with one K and the other: it is no more than a hint. */
static void make(struct bench *b, unsigned int epoch)
{
	struct fips_dp_key k = epoch_key(0, 1, epoch, FIPS_KEY_SLOT_CURRENT);
	struct cn_node *n = &b->cn.n[0];
	struct fips_session *s = fips_session_find(n->c, &b->cn.n[1].addr);
	unsigned int i;
	u8 p[256];

	assert_int_equal(fips_core_session_key_new(n->c, &n->out, b->cn.now, &b->cn.n[1].addr, &k),
			 0);
	for (i = 0; i < EACH; i++) {
		struct msg *m = &b->msg[epoch][i];

		fips_slot_get(&s->slot[FIPS_KEY_SLOT_CURRENT])->k_bit = i & 1;
		m->data = i % 3;
		if (m->data)
			cn_send(&b->cn, 0, p, cn_udp(&b->cn, p, 0, 1, i));
		else
			assert_int_equal(fips_core_session_xmit(n->c, &n->out, b->cn.now,
								&b->cn.n[1].addr,
								FIPS_KEY_SLOT_CURRENT,
								FIPS_FSP_COORDS_WARMUP, false,
								NULL, 0), 0);
		take(b, m);
		/* K on a CoordsWarmup, too: for M it is no hint. */
		assert_int_equal(m->b[FIPS_DGRAM_HDR_LEN + 1] & FIPS_FSP_FLAG_K,
				 i & 1 ? FIPS_FSP_FLAG_K : 0);
	}
}

static void install(struct bench *b, unsigned int epoch, u32 slot)
{
	struct fips_dp_key k = epoch_key(1, 0, epoch, slot);
	struct cn_node *n = &b->cn.n[1];

	assert_int_equal(fips_core_session_key_new(n->c, &n->out, b->cn.now, &b->cn.n[0].addr, &k),
			 0);
}

static void begin(struct bench *b, u32 seed)
{
	struct fips_dp_key k = cn_key(1, 0, 0, 0);
	unsigned int i;

	memset(b, 0, sizeof(*b));
	b->rng = seed;
	cn_init(&b->cn, 2, NULL);
	cn_pair(&b->cn, 0, 1);
	assert_int_equal(fips_aead_init(&b->link, NULL, k.rx), 0);
	for (i = 0; i < EPOCHS; i++)
		make(b, i);
	install(b, 0, FIPS_KEY_SLOT_PREVIOUS);
	install(b, 1, FIPS_KEY_SLOT_CURRENT);
	install(b, 2, FIPS_KEY_SLOT_NEXT);
}

static void end(struct bench *b)
{
	fips_aead_wipe(&b->link);
	cn_free(&b->cn);
}

static void arrive(struct bench *b, const struct msg *m, int flip)
{
	struct cn_node *n = &b->cn.n[1];
	u8 buf[4 + sizeof(m->b)];

	memcpy(buf + 4, m->b, m->len);
	if (flip >= 0)
		buf[4 + flip] ^= (u8)(1 << draw(b, 8));
	fips_rx_datagram(n->c, &n->out, b->cn.now, 1, false, buf + 4, m->len);
}

/* Opened: a packet, or a message and, first of its epoch, word of that. */
static bool opened(struct bench *b, const struct msg *m)
{
	struct cn_node *n = &b->cn.n[1];
	struct cn_item *it;
	bool yes = false;

	if (m->data) {
		yes = n->packets.n == 1;
		cn_clear(&n->packets);
	}
	while ((it = cn_pop(&n->events))) {
		if (it->ev.type == FIPS_EV_SESSION_MSG)
			yes = !m->data;
		else
			assert_int_equal(it->ev.type, FIPS_EV_SESSION_KEY_USED);
		free(it);
	}
	return yes;
}

/* A forgery of @m: some byte of what is authenticated has another value. */
static void forge(struct bench *b, const struct msg *m)
{
	u64 drops = cn_all_drops(&b->cn.n[1]);
	int from = FIPS_DGRAM_HDR_LEN + FIPS_FSP_CTR_OFF;

	arrive(b, m, from + (int)draw(b, (u32)m->len - (u32)from));
	assert_false(opened(b, m));
	assert_int_equal(cn_all_drops(&b->cn.n[1]), drops + 1);
}

/* Message @i of an epoch, with forgeries before and a replay behind. */
static void try(struct bench *b, unsigned int epoch, unsigned int i)
{
	struct msg *m = &b->msg[epoch][i];
	u64 drops;

	forge(b, m);
	forge(b, m);
	arrive(b, m, -1);
	assert_true(opened(b, m));
	m->used = true;
	drops = cn_all_drops(&b->cn.n[1]);
	arrive(b, m, -1);
	assert_false(opened(b, m));
	assert_int_equal(cn_all_drops(&b->cn.n[1]), drops + 1);
}

/* Some message of the epoch that has not arrived yet; false: none. */
static bool try_some(struct bench *b, unsigned int epoch)
{
	unsigned int first = draw(b, EACH), i;

	for (i = 0; i < EACH; i++) {
		if (b->msg[epoch][(first + i) % EACH].used)
			continue;
		try(b, epoch, (first + i) % EACH);
		return true;
	}
	return false;
}

/* Epochs roll by: the next is promoted by its first message, and another one installed. */
static void any_order(void **state)
{
	struct bench *b = malloc(sizeof(*b));
	unsigned int cur, steps;
	u32 seed;

	(void)state;
	for (seed = 1; seed <= 40; seed++) {
		begin(b, seed);
		for (cur = 1; cur < EPOCHS - 1; cur++) {
			for (steps = draw(b, 12); steps; steps--)
				try_some(b, cur - draw(b, 2));
			assert_true(try_some(b, cur + 1));
			if (cur + 2 < EPOCHS)
				install(b, cur + 2, FIPS_KEY_SLOT_NEXT);
		}
		assert_int_equal(cn_drops(&b->cn.n[1], FIPS_DROP_REASON_PARK_FULL), 0);
		end(b);
	}
	free(b);
}

/* Every permutation of one message a slot, every K: all three open while the slots are there. */
static void every_permutation(void **state)
{
	static const u8 orders[6][3] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
	};
	struct bench *b = malloc(sizeof(*b));
	unsigned int o, ks, i, epoch;
	struct msg *m;

	(void)state;
	for (o = 0; o < 6; o++)
	for (ks = 0; ks < 27; ks++) {
		unsigned int pick[3] = { ks % 3, ks / 3 % 3, ks / 9 };

		begin(b, ks);
		for (i = 0; i < 3; i++) {
			epoch = orders[o][i];
			m = &b->msg[epoch][pick[epoch]];	/* warm-up, K, no K */
			forge(b, m);
			arrive(b, m, -1);
			/* the oldest has left its slot when the newest was promoted */
			if (epoch || !b->msg[2][pick[2]].used)
				assert_true(opened(b, m));
			else
				assert_false(opened(b, m));
			m->used = true;
		}
		end(b);
	}
	free(b);
}

/* The next keys expire or are taken back: nothing else is touched. */
static void next_is_dropped(void **state)
{
	struct bench *b = malloc(sizeof(*b));
	struct cn_node *n;

	(void)state;
	begin(b, 5);
	n = &b->cn.n[1];
	try(b, 0, 1);
	try(b, 1, 1);
	assert_int_equal(fips_core_session_key_del(n->c, &b->cn.n[0].addr, FIPS_KEY_SLOT_NEXT), 0);
	arrive(b, &b->msg[2][1], -1);
	assert_false(opened(b, &b->msg[2][1]));
	try(b, 1, 2);
	try(b, 0, 2);
	install(b, 3, FIPS_KEY_SLOT_NEXT);
	try(b, 3, 1);
	try(b, 1, 4);
	arrive(b, &b->msg[0][4], -1);
	assert_false(opened(b, &b->msg[0][4]));
	end(b);
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order),
		cmocka_unit_test(every_permutation),
		cmocka_unit_test(next_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
