// SPDX-License-Identifier: MIT
/*
 * Many trees that announce to each other over reliable links: the root
 * election of tree.json, and random meshes under churn. Links keep their
 * order, but which link is next is drawn.
 */
#include <sodium.h>

#include "tree.h"
#include "vectors_mesh.h"
#include "vectors_pk.h"

#define NODES_MAX	90
#define LINKS_MAX	400
#define STEPS_MAX	400000

/**
 * struct message - an announce on its way
 * @next: behind it
 * @len: of @body
 * @body: behind the type byte
 */
struct message {
	struct message *next;
	size_t len;
	u8 body[];
};

/**
 * struct wire - one direction of a link
 * @from: sender
 * @to: receiver
 * @up: does it exist?
 * @head: first message
 * @tail: last message
 */
struct wire {
	int from;
	int to;
	bool up;
	struct message *head;
	struct message *tail;
};

/**
 * struct mesh - the world
 * @n: nodes
 * @tree: their trees; NULL if a node is down
 * @id: their identities
 * @wires: two for each link
 * @wire_count: how many
 * @rng: draws
 * @now: both clocks
 * @c: the curve, or NULL: then any signature is right
 * @sent: announces
 * @as_reference: of the next node
 * @max_entries: likewise
 */
struct mesh {
	int n;
	struct fips_tree *tree[NODES_MAX];
	struct fips_identity id[NODES_MAX];
	struct wire wires[LINKS_MAX];
	int wire_count;
	u64 rng;
	struct fips_tree_now now;
	struct vec_crypto *c;
	u64 sent;
	bool as_reference;
	u16 max_entries;
};

static bool any_verify(void *ctx, const u8 *x, const u8 *digest, const u8 *sig)
{
	(void)ctx;
	(void)x;
	(void)digest;
	(void)sig;
	return true;
}

static const struct fips_pk_ops any_ops = { .verify = any_verify };
static const struct fips_pk any = { &any_ops, NULL };

static void sign_node(struct mesh *m, int k)
{
	u8 sec[32] = { 0 }, sig[FIPS_SIG_LEN] = { 0 };

	sec[31] = (u8)(k + 1);
	if (m->c)
		assert_int_equal(fips_tree_sign(&m->c->pk, &m->c->rng, sec,
						fips_tree_decl(m->tree[k]), sig), 0);
	fips_tree_set_sig(m->tree[k], sig);
}

static void announce(struct mesh *m, struct wire *w)
{
	u8 buf[3000];
	int len = fips_tree_build(m->tree[w->from], buf, sizeof(buf));
	struct message *msg;

	assert_true(len > 0);
	msg = malloc(sizeof(*msg) + (size_t)len);
	assert_non_null(msg);
	msg->next = NULL;
	msg->len = (size_t)len - 1;
	memcpy(msg->body, buf + 1, msg->len);
	if (w->tail)
		w->tail->next = msg;
	else
		w->head = msg;
	w->tail = msg;
	m->sent++;
}

static void announce_all(struct mesh *m, int k)
{
	int i;

	for (i = 0; i < m->wire_count; i++) {
		if (m->wires[i].up && m->wires[i].from == k)
			announce(m, &m->wires[i]);
	}
}

static struct wire *wire_between(struct mesh *m, int from, int to)
{
	int i;

	for (i = 0; i < m->wire_count; i++) {
		if (m->wires[i].from == from && m->wires[i].to == to)
			return &m->wires[i];
	}
	return NULL;
}

/* In the order of the bits, as the node will do it. */
static void obey(struct mesh *m, int k, const struct fips_tree_decision *d, struct wire *back)
{
	if (d->todo & FIPS_TREE_DO_SIGN)
		sign_node(m, k);
	if (d->todo & FIPS_TREE_DO_ECHO)
		announce(m, back);
	if (d->todo & FIPS_TREE_DO_ANNOUNCE)
		announce_all(m, k);
}

static void flush(struct wire *w)
{
	struct message *msg;

	while ((msg = w->head)) {
		w->head = msg->next;
		free(msg);
	}
	w->tail = NULL;
}

static void deliver(struct mesh *m, struct wire *w)
{
	struct message *msg = w->head;
	struct fips_tree_decision d;
	enum fips_tree_verdict verdict;

	w->head = msg->next;
	if (!w->head)
		w->tail = NULL;
	m->now.mono_ms += vec_rand(&m->rng) % 5;
	verdict = fips_tree_receive(m->tree[w->to], &m->id[w->from].addr, m->id[w->from].x,
				    m->c ? &m->c->pk : &any, msg->body, msg->len, &m->now, &d);
	assert_true(verdict == FIPS_TREE_ACCEPTED || verdict == FIPS_TREE_STALE);
	obey(m, w->to, &d, wire_between(m, w->to, w->from));
	free(msg);
}

/* Until nothing is on the way; it must end. */
static void settle(struct mesh *m)
{
	int steps, i, busy;

	for (steps = 0; steps < STEPS_MAX; steps++) {
		struct wire *pick = NULL;

		for (i = 0, busy = 0; i < m->wire_count; i++) {
			if (!m->wires[i].head)
				continue;
			busy++;
			if (vec_rand(&m->rng) % (u64)busy == 0)
				pick = &m->wires[i];
		}
		if (!pick)
			return;
		deliver(m, pick);
	}
	fail_msg("the mesh goes on for ever");
}

static void node_up(struct mesh *m, int k)
{
	const struct fips_tree_cfg cfg = {
		.hysteresis = 0.2,
		.damp = { 30000, 4, 60000, 120000 },
		.as_reference = m->as_reference,
		.max_entries = m->max_entries,
	};

	assert_int_equal(fips_tree_new(&m->tree[k], &cfg, &m->id[k].addr, 1, m->now.wall_s), 0);
	sign_node(m, k);
}

static void half_up(struct mesh *m, int from, int to)
{
	struct wire *w = wire_between(m, from, to);

	if (!w) {
		assert_true(m->wire_count < LINKS_MAX);
		w = &m->wires[m->wire_count++];
		*w = (struct wire) { .from = from, .to = to };
	}
	w->up = true;
	assert_int_equal(fips_tree_peer_add(m->tree[from], &m->id[to].addr), 0);
}

static void link_up(struct mesh *m, int a, int b)
{
	struct wire *w = wire_between(m, a, b);

	if (a == b || !m->tree[a] || !m->tree[b] || (w && w->up))
		return;
	half_up(m, a, b);
	half_up(m, b, a);
	announce(m, wire_between(m, a, b));
	announce(m, wire_between(m, b, a));
}

static void half_down(struct mesh *m, int from, int to)
{
	struct wire *w = wire_between(m, from, to);
	struct fips_tree_decision d;

	flush(w);
	w->up = false;
	fips_tree_peer_del(m->tree[from], &m->id[to].addr, &m->now, &d);
	obey(m, from, &d, NULL);
}

static void link_down(struct mesh *m, int a, int b)
{
	struct wire *w = wire_between(m, a, b);

	if (!w || !w->up)
		return;
	w->up = false;
	wire_between(m, b, a)->up = false;
	flush(wire_between(m, b, a));
	half_down(m, a, b);
	half_down(m, b, a);
}

static void node_down(struct mesh *m, int k)
{
	int i;

	for (i = 0; i < m->wire_count; i++) {
		if (m->wires[i].from == k)
			link_down(m, k, m->wires[i].to);
	}
	fips_tree_free(m->tree[k]);
	m->tree[k] = NULL;
}

static void mesh_free(struct mesh *m)
{
	int i;

	for (i = 0; i < m->wire_count; i++)
		flush(&m->wires[i]);
	for (i = 0; i < m->n; i++)
		fips_tree_free(m->tree[i]);
	free(m);
}

static struct mesh *mesh_new(u64 seed, int n)
{
	struct mesh *m = calloc(1, sizeof(*m));
	int i;

	assert_non_null(m);
	assert_true(n <= NODES_MAX);
	m->n = n;
	m->rng = seed;
	m->now.wall_s = 1700000000;
	for (i = 0; i < n; i++) {
		u64 r = vec_rand(&m->rng);

		memcpy(m->id[i].addr.b, &r, sizeof(r));
		m->id[i].addr.b[15] = (u8)i;
	}
	return m;
}

/* Number of the node with this address. */
static int node_of(const struct mesh *m, const struct fips_node_addr *addr)
{
	int i;

	for (i = 0; i < m->n; i++) {
		if (fips_node_addr_eq(&m->id[i].addr, addr))
			return i;
	}
	fail_msg("nobody has this address");
	return -1;
}

/* Smallest address that links lead to from @k. */
static int smallest_reachable(struct mesh *m, int k)
{
	bool seen[NODES_MAX] = { 0 }, more = true;
	int best = k, i;

	seen[k] = true;
	while (more) {
		more = false;
		for (i = 0; i < m->wire_count; i++) {
			const struct wire *w = &m->wires[i];

			if (!w->up || !seen[w->from] || seen[w->to])
				continue;
			seen[w->to] = true;
			more = true;
			if (fips_node_addr_cmp(&m->id[w->to].addr, &m->id[best].addr) < 0)
				best = w->to;
		}
	}
	return best;
}

/* Coordinates are our address and then the parent's, along links that exist. */
static void check_node(struct mesh *m, int k)
{
	struct fips_coords mine = fips_tree_coords(m->tree[k]), above, rest;
	struct wire *w;
	int parent;

	assert_addr_equal(&mine.addr[0], &m->id[k].addr);
	if (fips_tree_is_root(m->tree[k])) {
		assert_int_equal(mine.count, 1);
		return;
	}
	parent = node_of(m, &fips_tree_decl(m->tree[k])->parent);
	w = wire_between(m, k, parent);
	assert_true(w && w->up);
	above = fips_tree_coords(m->tree[parent]);
	rest = (struct fips_coords) { mine.addr + 1, (u16)(mine.count - 1) };
	assert_true(fips_coords_eq(&rest, &above));
	assert_true(fips_tree_is_child(m->tree[parent], &m->id[k].addr));
	assert_true(fips_tree_is_tree_peer(m->tree[k], &m->id[parent].addr));
}

static void check_mesh(struct mesh *m)
{
	int k;

	for (k = 0; k < m->n; k++) {
		if (!m->tree[k])
			continue;
		check_node(m, k);
		assert_addr_equal(fips_tree_root(m->tree[k]),
				  &m->id[smallest_reachable(m, k)].addr);
	}
}

/* ------------------------------------------------------------ the vectors */

static int node_named(const struct mesh *m, const json_t *text)
{
	struct fips_node_addr addr = vec_addr_of(text);

	return node_of(m, &addr);
}

static void load_nodes(struct mesh *m, const json_t *election)
{
	json_t *row;
	size_t i;

	json_array_foreach(vec_array(election, "nodes"), i, row) {
		u8 sec[32] = { 0 }, pub33[33];

		sec[31] = (u8)vec_int(row, "secret_key");
		assert_int_equal(sec[31], i + 1);
		assert_int_equal(fips_pk_pubkey(&m->c->pk, sec, pub33), 0);
		assert_int_equal(fips_identity_from_pub33(&m->c->pk, pub33, &m->id[i]), 0);
		vec_expect(row, "xonly", m->id[i].x, 32);
		vec_expect(row, "node_addr", m->id[i].addr.b, 16);
		node_up(m, (int)i);
	}
}

static void check_converged(struct mesh *m, const json_t *election)
{
	struct fips_node_addr store[FIPS_COORDS_DEPTH], root = vec_addr(election, "root"), parent;
	json_t *row;
	size_t i;

	assert_int_equal(json_array_size(vec_array(election, "converged")), m->n);
	json_array_foreach(vec_array(election, "converged"), i, row) {
		int k = node_named(m, vec_get(row, "node_addr"));
		struct fips_coords mine = fips_tree_coords(m->tree[k]);
		struct fips_coords want = vec_coords(row, "coords", store);

		assert_true(fips_coords_eq(&mine, &want));
		vec_expect_int(row, "depth", (u64)mine.count - 1);
		parent = vec_addr(row, "parent");
		assert_addr_equal(&fips_tree_decl(m->tree[k])->parent, &parent);
		assert_addr_equal(fips_tree_root(m->tree[k]), &root);
	}
	json_array_foreach(vec_array(election, "distances"), i, row) {
		struct fips_coords a, b;

		a = fips_tree_coords(m->tree[node_named(m, vec_get(row, "a"))]);
		b = fips_tree_coords(m->tree[node_named(m, vec_get(row, "b"))]);
		vec_expect_int(row, "distance", fips_coords_distance(&a, &b));
	}
}

static void run_election(struct vec_crypto *c, const json_t *election, u64 seed, bool as_reference)
{
	json_t *order = vec_array(election, "ascending_order_of_node_addr"), *row;
	struct mesh *m = mesh_new(seed, (int)json_array_size(vec_array(election, "nodes")));
	struct fips_node_addr last = { { 0 } }, addr;
	size_t i;

	m->c = c;
	m->as_reference = as_reference;
	load_nodes(m, election);
	assert_int_equal(json_array_size(order), m->n);
	json_array_foreach(order, i, row) {
		addr = vec_addr_of(row);
		node_of(m, &addr);
		assert_true(fips_node_addr_cmp(&last, &addr) < 0);
		last = addr;
	}
	assert_int_equal(json_array_size(vec_array(election, "links")), 5);
	json_array_foreach(vec_array(election, "links"), i, row)
		link_up(m, node_named(m, json_array_get(row, 0)),
			node_named(m, json_array_get(row, 1)));
	settle(m);
	check_mesh(m);
	check_converged(m, election);
	mesh_free(m);
}

/* In whatever order the messages come. */
static void test_root_election(void **state)
{
	json_t *root = vec_load("tree"), *election = vec_get(root, "root_election");
	u64 rng = vec_seed(__func__);
	int i;

	for (i = 0; i < 10; i++)
		run_election(*state, election, vec_rand(&rng), i % 2);
	json_decref(root);
}

/* ----------------------------------------------------------- random meshes */

static void random_cost(struct mesh *m)
{
	int i = (int)(vec_rand(&m->rng) % (u64)m->wire_count), k = m->wires[i].from;
	double cost = 1.0 + (double)(vec_rand(&m->rng) % 400) / 100;
	struct fips_tree_decision d;

	if (!m->wires[i].up)
		return;
	fips_tree_peer_cost(m->tree[k], &m->id[m->wires[i].to].addr, cost);
	fips_tree_reevaluate(m->tree[k], &m->now, &d);
	obey(m, k, &d, NULL);
}

static void random_event(struct mesh *m)
{
	int a = (int)(vec_rand(&m->rng) % (u64)m->n), b = (int)(vec_rand(&m->rng) % (u64)m->n);

	switch (vec_rand(&m->rng) % 8) {
	case 0:
		if (m->tree[a])
			node_down(m, a);
		break;
	case 1:
		if (!m->tree[a]) {
			node_up(m, a);
			link_up(m, a, b);
		}
		break;
	case 2:
	case 3:
		link_down(m, a, b);
		break;
	case 4:
	case 5:
		link_up(m, a, b);
		break;
	default:
		random_cost(m);
	}
}

static void run_random(u64 seed, bool as_reference)
{
	u64 rng = seed;
	int n = 3 + (int)(vec_rand(&rng) % 20), i, round, kill;
	struct mesh *m = mesh_new(vec_rand(&rng), n);

	m->as_reference = as_reference;
	for (i = 0; i < n; i++) {
		node_up(m, i);
		if (i)
			link_up(m, i, (int)(vec_rand(&m->rng) % (u64)i));
	}
	for (i = 0; i < n; i++)
		link_up(m, (int)(vec_rand(&m->rng) % (u64)n), (int)(vec_rand(&m->rng) % (u64)n));
	settle(m);
	check_mesh(m);
	for (round = 0; round < 20; round++) {
		for (kill = (int)(vec_rand(&m->rng) % 4); kill >= 0; kill--)
			random_event(m);
		settle(m);
		check_mesh(m);
		m->now.mono_ms += vec_rand(&m->rng) % 20000;
	}
	mesh_free(m);
}

static void test_random_meshes(void **state)
{
	u64 rng = vec_seed(__func__);
	int i;

	(void)state;
	for (i = 0; i < 150; i++)
		run_random(vec_rand(&rng), false);
}

/* A line longer than an announce can tell: who can't attach is alone, nobody else suffers. */
static void test_long_line(void **state)
{
	struct mesh *m = mesh_new(vec_seed(__func__), 80);
	int i;

	(void)state;
	m->max_entries = 35;
	for (i = 0; i < 80; i++) {
		m->id[i].addr = (struct fips_node_addr) { { (u8)i } };
		node_up(m, i);
		if (i)
			link_up(m, i, i - 1);
	}
	settle(m);
	for (i = 0; i < 80; i++) {
		struct fips_coords mine = fips_tree_coords(m->tree[i]);

		check_node(m, i);
		assert_int_equal(mine.count, i % 35 + 1);
		assert_int_equal(fips_tree_root(m->tree[i])->b[0], i / 35 * 35);
	}
	/* It breaks in two, and the part with the root gone has its own. */
	link_down(m, 20, 21);
	settle(m);
	for (i = 21; i < 56; i++)
		assert_int_equal(fips_tree_root(m->tree[i])->b[0], 21);
	mesh_free(m);
}

/* Control messages of a cold start stay in proportion: nobody announces for ever. */
static void test_announces_of_a_start(void **state)
{
	struct mesh *m = mesh_new(vec_seed(__func__), 60);
	int i;

	(void)state;
	for (i = 0; i < 60; i++)
		node_up(m, i);
	for (i = 1; i < 60; i++) {
		link_up(m, i, (int)(vec_rand(&m->rng) % (u64)i));
		link_up(m, i, (int)(vec_rand(&m->rng) % (u64)i));
	}
	settle(m);
	check_mesh(m);
	print_message("# %llu announces over %d links\n", (unsigned long long)m->sent,
		      m->wire_count / 2);
	assert_true(m->sent < 60ull * (u64)m->wire_count);
	mesh_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		vec_crypto_test(test_root_election),
		cmocka_unit_test(test_random_meshes),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_announces_of_a_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
