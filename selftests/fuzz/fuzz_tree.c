// SPDX-License-Identifier: MIT
/*
 * TreeAnnounces of four liars to one node: any bytes, and well-formed ones
 * made of the input. After each, what the node believes must be sound.
 */
#include "fuzz.h"
#include "tree.h"

#define PEERS	4

/* A signature that begins with an odd byte is right. */
static bool fake_verify(void *ctx, const u8 *x, const u8 *digest, const u8 *sig)
{
	(void)ctx;
	(void)x;
	(void)digest;
	return sig[0] & 1;
}

static const struct fips_pk_ops verify_ops = { .verify = fake_verify };
static const struct fips_pk fake_pk = { &verify_ops, NULL };

static struct fips_node_addr peer_addr(u8 k)
{
	return (struct fips_node_addr) { { (u8)(0x40 + k * 0x20) } };
}

static void check_codec(const u8 *body, size_t len)
{
	struct fips_tree_announce a;
	struct fips_node_addr addr[70];
	struct fips_tree_meta meta[70];
	u8 buf[100 + 70 * 32];
	u32 i;

	if (fips_tree_announce_parse(body, len, &a) || a.count > 70)
		return;
	for (i = 0; i < a.count; i++) {
		addr[i] = *fips_tree_entry_addr(&a, i);
		fips_tree_entry_meta(&a, i, &meta[i]);
	}
	len = fips_tree_announce_len(a.count);
	FUZZ_CHECK(fips_tree_announce_build(buf, len - 1, &a.decl, addr, meta, a.count, a.sig) ==
		   -ENOSPC);
	FUZZ_CHECK(fips_tree_announce_build(buf, len, &a.decl, addr, meta, a.count, a.sig) ==
		   (int)len);
	FUZZ_CHECK(!memcmp(buf + 1, body, len - 1));
}

/* Never a path that loops, that is too long, or whose end is not its minimum. */
static void check_tree(const struct fips_tree *t, u16 max)
{
	struct fips_coords mine = fips_tree_coords(t), above;
	const struct fips_node_addr *parent = &fips_tree_decl(t)->parent;
	u16 i;

	FUZZ_CHECK(mine.count >= 1 && mine.count <= max);
	FUZZ_CHECK(fips_node_addr_eq(&mine.addr[0], &fips_tree_decl(t)->node));
	FUZZ_CHECK(!fips_coords_has_ancestor(&mine, &mine.addr[0]));
	for (i = 0; i < mine.count; i++)
		FUZZ_CHECK(fips_node_addr_cmp(&mine.addr[i], fips_tree_root(t)) >= 0);
	FUZZ_CHECK(fips_tree_is_root(t) == (mine.count == 1));
	FUZZ_CHECK(fips_node_addr_eq(parent, &mine.addr[mine.count > 1]));
	if (fips_tree_is_root(t))
		return;
	above = fips_tree_peer_coords(t, parent);
	FUZZ_CHECK(above.count == mine.count - 1);
	FUZZ_CHECK(!memcmp(above.addr, mine.addr + 1, above.count * sizeof(*above.addr)));
}

/* An announce of peer @k whose ancestry are small numbers; returns the bytes taken. */
static size_t make_announce(u8 k, const u8 *data, size_t size, u8 *buf, size_t *len)
{
	static const u8 sig[FIPS_SIG_LEN] = { 1 };
	struct fips_node_addr addr[72] = { 0 };
	struct fips_tree_meta meta[72] = { 0 };
	struct fips_tree_decl decl = { .sequence = data[0] };
	u16 count = (u16)(data[1] % 71 + 1), i;

	if (size < 2u + count)
		count = (u16)(size - 2 ? size - 2 : 1);
	addr[0] = peer_addr(k);
	for (i = 1; i < count; i++)
		addr[i].b[0] = data[2 + i - 1];
	decl.node = addr[0];
	decl.parent = addr[count > 1];
	*len = (size_t)fips_tree_announce_build(buf, 100 + 72 * 32, &decl, addr, meta, count, sig);
	return 2u + count - 1 < size ? 2u + count - 1 : size;
}

static void event(struct fips_tree *t, u8 op, const u8 *body, size_t len,
		  const struct fips_tree_now *now)
{
	struct fips_node_addr from = peer_addr(op % PEERS);
	struct fips_tree_decision d;

	switch (op / PEERS % 8) {
	case 0:
		fips_tree_peer_del(t, &from, now, &d);
		fips_tree_peer_add(t, &from);
		break;
	case 1:
		fips_tree_peer_reset(t, &from, now, &d);
		break;
	case 2:
		fips_tree_peer_cost(t, &from, 1.0 + op / 32);
		fips_tree_reevaluate(t, now, &d);
		break;
	default:
		fips_tree_receive(t, &from, NULL, &fake_pk, body, len, now, &d);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct fips_tree_cfg cfg = {
		.hysteresis = 0.2, .damp = { 300, 4, 600, 1200 }, .max_entries = 40 };
	const struct fips_node_addr self = { { 0x90 } };
	struct fips_tree_now now = { 0 };
	u8 buf[100 + 72 * 32], k;
	struct fips_tree *t;
	size_t used, len;

	if (fips_tree_new(&t, &cfg, &self, 1, 0))
		return 0;
	for (k = 0; k < PEERS; k++) {
		struct fips_node_addr addr = peer_addr(k);

		FUZZ_CHECK(!fips_tree_peer_add(t, &addr));
	}
	check_codec(data, size);
	event(t, 0xff, data, size, &now);
	check_tree(t, 40);
	while (size >= 4) {
		now.mono_ms += data[1];
		used = make_announce(data[0] % PEERS, data + 1, size - 1, buf, &len);
		check_codec(buf + 1, len - 1);
		event(t, data[0], buf + 1, len - 1, &now);
		check_tree(t, 40);
		data += 1 + used;
		size -= 1 + used;
	}
	fips_tree_free(t);
	return 0;
}
