// SPDX-License-Identifier: MIT
/* The attacker as a neighbour: handshake, frames, announces. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#include "foe.h"

#define JOIN_MS		8000
#define SETTLE_MS	1500

/* A msg1 to the victim by @env's key. The handshake goes to @hs, or is dropped if that is NULL. */
size_t foe_msg1(struct foe *f, const struct fips_noise_env *env, u8 *msg1, u32 index,
		struct fips_noise **hs)
{
	u8 noise[FIPS_NOISE_MSG_MAX];
	struct fips_fmp_msg1 m = { .sender_idx = index, .noise = noise };
	struct fips_noise *h;

	if (fips_noise_initiator(env, FIPS_NOISE_IK, f->victim.id.x, &h) ||
	    fips_noise_write(h, noise, sizeof(noise)) < 0)
		foe_die("no msg1");
	if (hs)
		*hs = h;
	else
		fips_noise_free(h);
	return (size_t)fips_fmp_msg1_build(msg1, FIPS_MSG1_LEN, &m);
}

/* Is this the msg2 that we wait for? Then the link is up. */
static bool join_msg2(struct foe *f, struct fips_noise *hs, const u8 *buf, size_t len)
{
	struct fips_fmp_msg2 msg2;

	if (fips_fmp_msg2_parse(buf, len, &msg2) || msg2.receiver_idx != f->link.ours ||
	    fips_noise_read(hs, msg2.noise, FIPS_NOISE_IK2_LEN, NULL) ||
	    fips_noise_split(hs, &f->link.keys))
		return false;
	f->link.theirs = msg2.sender_idx;
	f->link.ctr = 0;
	f->link.since = foe_now();
	f->link.next_beat = 0;
	f->link.as = f->self.id.addr;
	f->link.up = true;
	return true;
}

static bool join_wait(struct foe *f, struct fips_noise *hs, u64 until)
{
	struct pollfd p = { .fd = f->fd, .events = POLLIN };
	u8 buf[FOE_FRAME];
	u64 now;
	ssize_t n;

	while ((now = foe_now()) < until) {
		if (poll(&p, 1, (int)(until - now)) <= 0)
			continue;
		n = recv(f->fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (n > 0 && join_msg2(f, hs, buf, (size_t)n))
			return true;
	}
	return false;
}

/* Become a neighbour of the victim, as an honest initiator does (03 §6.2). */
void foe_join(struct foe *f)
{
	static const u64 resends[] = { 1000, 3000, 7000, JOIN_MS };
	u64 start = foe_now();
	u8 msg1[FIPS_MSG1_LEN];
	struct fips_noise *hs;
	bool ok = false;
	size_t i;

	f->link.ours = foe_random32();
	f->link.up = false;
	foe_msg1(f, &f->env, msg1, f->link.ours, &hs);
	for (i = 0; i < sizeof(resends) / sizeof(resends[0]) && !ok; i++) {
		foe_send_raw(f, msg1, sizeof(msg1));
		ok = join_wait(f, hs, start + resends[i]);
	}
	fips_noise_free(hs);
	if (!ok)
		foe_die("the victim does not answer");
}

size_t foe_link_seal(struct foe *f, const u8 *msg, size_t len, u8 *frame)
{
	const struct fips_fmp_header hdr = {
		.receiver_idx = f->link.theirs,
		.counter = f->link.ctr++,
	};
	int n = fips_fmp_seal(f->link.keys.tx, &hdr, (u32)(foe_now() - f->link.since), msg, len,
			      frame, FOE_FRAME);

	if (n < 0)
		foe_die("seal: %d", n);
	return (size_t)n;
}

void foe_link_send(struct foe *f, const u8 *msg, size_t len)
{
	u8 frame[FOE_FRAME];

	foe_send_raw(f, frame, foe_link_seal(f, msg, len, frame));
}

/* Where the victim says it is. */
static void learn_path(struct foe *f, const u8 *body, size_t len)
{
	struct fips_tree_announce a;
	u16 i;

	if (fips_tree_announce_parse(body, len, &a) || a.count > FIPS_COORDS_DEPTH)
		return;
	for (i = 0; i < a.count; i++)
		f->path[i] = *fips_tree_entry_addr(&a, i);
	f->path_count = a.count;
}

void foe_link_receive(struct foe *f, const u8 *frame, size_t len)
{
	u8 plain[FOE_FRAME];
	struct fips_fmp_inner inner;
	int n;

	if (len < FIPS_FMP_MIN_LEN || fips_get_le32(frame + FIPS_FMP_IDX_OFF) != f->link.ours)
		return;
	n = fips_fmp_open(f->link.keys.rx, frame, len, plain, sizeof(plain));
	if (n < 0 || fips_fmp_inner_parse(plain, (size_t)n, &inner))
		return;
	if (inner.type == FIPS_LINK_TREE_ANNOUNCE)
		learn_path(f, inner.msg + 1, inner.len - 1);
	if (f->hear)
		f->hear(f, inner.msg, inner.len);
}

/* ---- announces ---- */

void foe_announce_as(struct foe *f, const struct fips_tree_decl *decl,
		     const struct fips_node_addr *path, u16 count, const u8 *sig)
{
	static struct fips_tree_meta meta[1024];
	u8 msg[FOE_FRAME];
	int n;
	u16 i;

	for (i = 0; i < count; i++)
		meta[i] = (struct fips_tree_meta){ decl->sequence, decl->timestamp };
	n = fips_tree_announce_build(msg, FOE_ROOM, decl, path, meta, count, sig);
	if (n > 0)
		foe_link_send(f, msg, (size_t)n);
}

/* A signed TreeAnnounce: @path from us to the root. */
void foe_announce(struct foe *f, const struct fips_node_addr *path, u16 count)
{
	struct fips_tree_decl decl = {
		.node = path[0],
		.parent = path[count > 1],
		.sequence = ++f->tree_seq,
		.timestamp = (u64)time(NULL),
	};
	u8 sig[FIPS_SIG_LEN];

	if (fips_tree_sign(&f->pk, &f->env.rng, f->self.secret, &decl, sig))
		foe_die("no signature");
	foe_announce_as(f, &decl, path, count, sig);
}

void foe_filter(struct foe *f, const struct fips_bloom *bloom, u8 hash_count)
{
	u8 msg[FIPS_FILTER_LEN];

	if (fips_filter_build(msg, sizeof(msg), ++f->filter_seq, bloom) < 0)
		foe_die("no filter");
	msg[9] = hash_count;
	foe_link_send(f, msg, sizeof(msg));
}

void foe_filter_own(struct foe *f)
{
	struct fips_bloom bloom = { { 0 } };
	struct fips_bloom_key key;

	fips_bloom_key(&key, &f->self.id.addr);
	fips_bloom_insert(&bloom, &key);
	foe_filter(f, &bloom, FIPS_BLOOM_HASHES);
}

/* An honest place in the tree: below the victim. */
void foe_settle(struct foe *f)
{
	struct fips_node_addr path[1 + FIPS_COORDS_DEPTH];
	u64 end = foe_now() + SETTLE_MS;

	f->path_count = 0;
	while (!f->path_count && foe_now() < end)
		foe_pump(f, 10);
	path[0] = f->self.id.addr;
	memcpy(path + 1, f->path, f->path_count * sizeof(*path));
	if (f->path_count && f->path_count < FIPS_COORDS_DEPTH)
		foe_announce(f, path, f->path_count + 1);
	foe_filter_own(f);
	foe_pump(f, 100);
}

struct foe_pace foe_pace_joined(struct foe *f, double seconds, u32 per_second)
{
	foe_join(f);
	foe_settle(f);
	foe_begin(f);
	return foe_pace(seconds, per_second);
}

/* A SessionDatagram that says to be from @src. */
void foe_datagram(struct foe *f, const struct fips_node_addr *src,
		  const struct fips_node_addr *dst, u8 ttl, const u8 *fsp, size_t len)
{
	const struct fips_datagram d = {
		.ttl = ttl,
		.path_mtu = 1472,
		.src = *src,
		.dst = *dst,
		.payload = fsp,
		.len = len,
	};
	u8 msg[FOE_FRAME];
	int n = fips_datagram_build(msg, FOE_ROOM, &d);

	if (n > 0)
		foe_link_send(f, msg, (size_t)n);
}
