/* SPDX-License-Identifier: MIT */
/*
 * What surrounds the node of fuzz_node.c: its input, a curve and a clock that
 * cost nothing, and a data plane that only remembers which links there are.
 */
#ifndef SELFTESTS_FUZZ_NODE_WORLD_H
#define SELFTESTS_FUZZ_NODE_WORLD_H

#include "fuzz.h"
#include "node_internal.h"

#define IDENTITIES	8
#define LINKS		4096

/**
 * struct world - all of it
 * @in: input that is left
 * @left: its length
 * @draws: state of the random source
 * @now: time
 * @wake: when the node wants to be called
 * @pk: curve
 * @secrets: cells of handshakes and keys
 * @kp: identities; the last is the node's
 * @xk: session handshake of an identity with the node
 * @xk_env: what it borrows
 * @ack: last session message that the node sent to an identity
 * @ack_len: its length
 * @msg1: last msg1 that the node sent
 * @have_msg1: is there one?
 * @links: those of the data plane
 * @n_links: their number
 * @fails: bits: which calls fail
 * @node: the node
 */
struct world {
	const u8 *in;
	size_t left;
	u64 draws;
	struct fips_clock now;
	u64 wake;
	struct fips_pk pk;
	struct fips_secrets *secrets;
	struct fips_keypair kp[IDENTITIES + 1];
	struct fips_noise *xk[IDENTITIES];
	struct fips_noise_env xk_env[IDENTITIES];
	u8 ack[IDENTITIES][2048];
	size_t ack_len[IDENTITIES];
	u8 msg1[FIPS_MSG1_LEN];
	bool have_msg1;
	u32 links[LINKS];
	size_t n_links;
	u8 fails;
	struct fips_node *node;
};

/* ---- input ---- */

static u8 take8(struct world *w)
{
	if (!w->left)
		return 0;
	w->left--;
	return *w->in++;
}

static u16 take16(struct world *w)
{
	u16 hi = take8(w);

	return (u16)(hi << 8 | take8(w));
}

/* Up to 255 bytes, or what is left. */
static size_t take_bytes(struct world *w, u8 *buf)
{
	size_t len = take8(w), i;

	if (len > w->left)
		len = w->left;
	for (i = 0; i < len; i++)
		buf[i] = take8(w);
	return len;
}

/* One of the identities, the node, or nobody. */
static struct fips_node_addr take_addr(struct world *w)
{
	struct fips_node_addr a = { { 0 } };
	u8 which = take8(w);

	if (which % 16 <= IDENTITIES)
		return w->kp[which % 16].id.addr;
	a.b[0] = which;
	a.b[15] = take8(w);
	return a;
}

static struct fips_taddr take_taddr(struct world *w)
{
	struct fips_taddr a = { .kind = FIPS_TADDR_IPV4, .port = 2121 };

	a.addr[0] = 10;
	a.addr[3] = take8(w);
	return a;
}

static u32 take_link(struct world *w)
{
	u8 which = take8(w);

	return w->n_links ? w->links[which % w->n_links] : which;
}

/* ---- the surroundings ---- */

static int world_random(void *ctx, void *buf, size_t len)
{
	struct world *w = ctx;
	u8 *p = buf;
	size_t i;

	for (i = 0; i < len; i++) {
		w->draws = w->draws * 6364136223846793005ULL + 1442695040888963407ULL;
		p[i] = (u8)(w->draws >> 56);
	}
	if (len)
		p[0] &= 0x7f;	/* a sound scalar */
	return 0;
}

static int fake_sign(void *ctx, const u8 *sec, const u8 *digest, const u8 *aux, u8 *sig)
{
	(void)ctx;
	(void)sec;
	(void)aux;
	memcpy(sig, digest, 32);
	memcpy(sig + 32, digest, 32);
	return 0;
}

/* Good, whoever made it, when its first byte says so: the input must get past it, too. */
static bool fake_verify(void *ctx, const u8 *x, const u8 *digest, const u8 *sig)
{
	(void)ctx;
	(void)x;
	return sig[0] == 0xaa || !memcmp(sig, digest, 32);
}

static void ops_wake_at(void *ctx, u64 mono_ms)
{
	((struct world *)ctx)->wake = mono_ms;
}

static int ops_raw_send(void *ctx, u32 transport_id, const struct fips_taddr *to, const void *data,
			size_t len)
{
	struct world *w = ctx;

	(void)transport_id;
	(void)to;
	if (len == FIPS_MSG1_LEN) {
		memcpy(w->msg1, data, len);
		w->have_msg1 = true;
	}
	return w->fails & 1 ? -ENETUNREACH : 0;
}

static int ops_resolve(void *ctx, u32 query, const char *host, u16 port)
{
	(void)query;
	(void)host;
	(void)port;
	return ((struct world *)ctx)->fails & 2 ? -EAGAIN : 0;
}

static void ops_log(void *ctx, enum fips_log_level level, const char *line)
{
	(void)ctx;
	(void)level;
	FUZZ_CHECK(strlen(line) < 4096);
}

static const struct fips_node_ops node_ops = {
	.wake_at = ops_wake_at,
	.raw_send = ops_raw_send,
	.resolve = ops_resolve,
	.log = ops_log,
};

/* ---- the data plane ---- */

static size_t dp_find(const struct world *w, u32 id)
{
	size_t i;

	for (i = 0; i < w->n_links; i++)
		if (w->links[i] == id)
			return i;
	return LINKS;
}

static int dp_result(const struct world *w)
{
	return w->fails & 4 ? -ENOMEM : w->fails & 8 ? -EINPROGRESS : 0;
}

static int dp_dev_set(void *dp, const struct fips_dp_dev *dev)
{
	(void)dp;
	(void)dev;
	return 0;
}

static int dp_link_new(void *dp, const struct fips_dp_link *link)
{
	struct world *w = dp;

	if (w->fails & 4)
		return -ENOMEM;
	FUZZ_CHECK(link->id && dp_find(w, link->id) == LINKS && w->n_links < LINKS);
	w->links[w->n_links++] = link->id;
	return dp_result(w);
}

static int dp_link_del(void *dp, u32 id)
{
	struct world *w = dp;
	size_t at = dp_find(w, id);

	if (at == LINKS)
		return -ENOENT;
	w->links[at] = w->links[--w->n_links];
	return 0;
}

static int dp_link_move(void *dp, u32 id, u32 transport_id, const struct fips_taddr *remote)
{
	(void)transport_id;
	(void)remote;
	return dp_find(dp, id) == LINKS ? -ENOENT : dp_result(dp);
}

static int dp_link_key_new(void *dp, u32 id, const struct fips_dp_key *key)
{
	(void)key;
	return dp_find(dp, id) == LINKS ? -ENOENT : dp_result(dp);
}

static int dp_link_key_swap(void *dp, u32 id)
{
	return dp_find(dp, id) == LINKS ? -ENOENT : dp_result(dp);
}

static int dp_link_key_del(void *dp, u32 id, u32 slot)
{
	(void)slot;
	return dp_find(dp, id) == LINKS ? -ENOENT : 0;
}

/* What goes to an identity as a SessionAck is what its half of the handshake needs. */
static int dp_link_xmit(void *dp, u32 id, u32 slot, const void *msg, size_t len)
{
	struct world *w = dp;
	struct fips_link_message m;
	int i;

	(void)slot;
	if (dp_find(w, id) == LINKS)
		return -ENOENT;
	FUZZ_CHECK(len && len <= 65535);
	if (fips_link_message_parse(msg, len, &m) || m.type != FIPS_LINK_DATAGRAM)
		return dp_result(w);
	for (i = 0; i < IDENTITIES; i++)
		if (fips_node_addr_eq(&m.datagram.dst, &w->kp[i].id.addr) &&
		    m.datagram.len <= sizeof(w->ack[i])) {
			memcpy(w->ack[i], m.datagram.payload, m.datagram.len);
			w->ack_len[i] = m.datagram.len;
		}
	return dp_result(w);
}

static int dp_link_get(void *dp, u32 id, struct fips_dp_link_info *info)
{
	const struct world *w = dp;

	if (dp_find(w, id) == LINKS)
		return -ENOENT;
	*info = (struct fips_dp_link_info){ .last_rx_ms = w->fails & 16 ? FIPS_NEVER : 500 };
	return 0;
}

static int dp_link_report(void *dp, u32 id, u32 take, struct fips_mmp_report *report)
{
	(void)take;
	memset(report, 0, sizeof(*report));
	return dp_find(dp, id) == LINKS ? -ENOENT : 0;
}

static int dp_link_congested(void *dp, u32 id, bool congested)
{
	(void)congested;
	return dp_find(dp, id) == LINKS ? -ENOENT : 0;
}

static int dp_session(void *dp, const struct fips_dp_session *s)
{
	(void)s;
	return dp_result(dp);
}

static int dp_session_del(void *dp, const struct fips_node_addr *remote)
{
	(void)dp;
	(void)remote;
	return 0;
}

static int dp_session_key_new(void *dp, const struct fips_node_addr *remote,
			      const struct fips_dp_key *key)
{
	(void)remote;
	(void)key;
	return dp_result(dp);
}

static int dp_session_key_swap(void *dp, const struct fips_node_addr *remote)
{
	(void)remote;
	return dp_result(dp);
}

static int dp_session_key_del(void *dp, const struct fips_node_addr *remote, u32 slot)
{
	(void)dp;
	(void)remote;
	(void)slot;
	return 0;
}

static int dp_session_xmit(void *dp, const struct fips_node_addr *remote, u32 slot, u8 msg_type,
			   bool with_coords, const void *body, size_t len)
{
	(void)remote;
	(void)slot;
	(void)msg_type;
	(void)with_coords;
	FUZZ_CHECK(body || !len);
	return dp_result(dp);
}

static int dp_session_get(void *dp, const struct fips_node_addr *remote,
			  struct fips_dp_session_info *info)
{
	const struct world *w = dp;

	(void)remote;
	*info = (struct fips_dp_session_info){
		.last_data_ms = w->fails & 16 ? FIPS_NEVER : 500,
		.last_rx_ms = w->fails & 16 ? FIPS_NEVER : 500,
		.tx_counter = w->draws % 1000,
	};
	return 0;
}

static int dp_session_report(void *dp, const struct fips_node_addr *remote, u32 take,
			     struct fips_mmp_report *report)
{
	(void)dp;
	(void)remote;
	(void)take;
	memset(report, 0, sizeof(*report));
	return 0;
}

static int dp_unreachable(void *dp, const u8 *ipv6, u32 ms)
{
	(void)dp;
	(void)ipv6;
	(void)ms;
	return 0;
}

static int dp_route_set(void *dp, const struct fips_node_addr *dest, u32 link_id, u32 generation)
{
	(void)dest;
	(void)generation;
	FUZZ_CHECK((((struct world *)dp)->fails & 12) || dp_find(dp, link_id) != LINKS);
	return 0;
}

static int dp_route_unreachable(void *dp, const struct fips_node_addr *dest, u32 ms)
{
	(void)dp;
	(void)dest;
	(void)ms;
	return 0;
}

static int dp_route_flush(void *dp, u32 older_than)
{
	(void)dp;
	(void)older_than;
	return 0;
}

static int dp_dev_get(void *dp, struct fips_dp_stats *stats)
{
	(void)dp;
	memset(stats, 0, sizeof(*stats));
	return 0;
}

static const struct fips_dp_ops dp_ops = {
	.name = "fuzz",
	.dev_set = dp_dev_set,
	.link_new = dp_link_new,
	.link_move = dp_link_move,
	.link_del = dp_link_del,
	.link_key_new = dp_link_key_new,
	.link_key_swap = dp_link_key_swap,
	.link_key_del = dp_link_key_del,
	.link_xmit = dp_link_xmit,
	.link_get = dp_link_get,
	.link_report = dp_link_report,
	.link_congested = dp_link_congested,
	.session_new = dp_session,
	.session_set = dp_session,
	.session_del = dp_session_del,
	.session_key_new = dp_session_key_new,
	.session_key_swap = dp_session_key_swap,
	.session_key_del = dp_session_key_del,
	.session_xmit = dp_session_xmit,
	.session_get = dp_session_get,
	.session_report = dp_session_report,
	.unreachable = dp_unreachable,
	.route_set = dp_route_set,
	.route_unreachable = dp_route_unreachable,
	.route_del = dp_session_del,
	.route_flush = dp_route_flush,
	.dev_get = dp_dev_get,
};

#endif /* SELFTESTS_FUZZ_NODE_WORLD_H */
