// SPDX-License-Identifier: MIT
/*
 * Admission of msg1 (spec 03 §9): which class its source is in, two global
 * buckets as the reference has them, and below each a share of every single
 * source, so that one address can't lock all others out (03 §26 T1). Then the
 * memory of answered msg1s (03 §28.1 step 1): a repetition costs no
 * Diffie-Hellman, and a replay does nothing at all.
 */

#include <errno.h>
#include <stdlib.h>
#include <sodium.h>

#include "node_internal.h"

_Static_assert(crypto_shorthash_KEYBYTES <= 32, "one secret for both hashes");

/* Rate of the established class (03 §9.1, 12 §5.2); the caller's own values if it has some. */
void node_rate_known(const struct fips_node_timing *t, u32 burst, double rate, bool fixed,
		     struct fips_bucket_rate *out)
{
	u64 peers = t->limits.max_peers;
	u64 after = t->rekey.after_secs ? t->rekey.after_secs : 1;
	double derived;

	if (peers) {
		derived = (double)peers / (double)after *
			  (1.0 + (double)t->rate_limit.handshake_max_resends);
		if (derived < 1.0)
			derived = 1.0;
		if (!fixed || !burst)
			burst = peers > UINT32_MAX ? UINT32_MAX : (u32)peers;
		if (!fixed || !(rate > 0))
			rate = derived;
	}
	fips_bucket_rate_set(out, burst, rate);
}

static void admit_share(struct fips_bucket_rate *share, const struct fips_bucket_rate *whole,
			u64 burst_part)
{
	const u64 token = 1000000;

	share->burst = whole->burst / burst_part;
	if (share->burst < 4 * token)
		share->burst = whole->burst < 4 * token ? whole->burst : 4 * token;
	share->per_ms = (whole->per_ms + 1) / 2;
}

/* From the configuration; what is in the buckets stays. */
void node_admit_rates(struct fips_node *n)
{
	const struct fips_node_timing *t = &n->timing;
	struct node_admit *a = &n->admit;
	u32 burst = t->rate_limit.established_handshake_burst;
	double rate = t->rate_limit.established_handshake_rate;

	fips_bucket_rate_set(&a->stranger_rate, t->rate_limit.handshake_burst,
			     t->rate_limit.handshake_rate);
	if (!t->limits.max_peers) {	/* the stranger's values stand in for missing ones */
		burst = burst ? burst : t->rate_limit.handshake_burst;
		rate = rate > 0 ? rate : t->rate_limit.handshake_rate;
	}
	node_rate_known(t, burst, rate, true, &a->known_rate);
	admit_share(&a->stranger_share, &a->stranger_rate, 4);
	admit_share(&a->known_share, &a->known_rate, 8);
}

int node_admit_init(struct fips_node *n)
{
	struct node_admit *a = &n->admit;
	int ret = fips_random(&n->env.rng, a->secret, sizeof(a->secret));

	if (ret)
		return ret;
	node_admit_rates(n);
	fips_bucket_init(&a->stranger, &a->stranger_rate, 0);
	fips_bucket_init(&a->known, &a->known_rate, 0);
	return 0;
}

void node_admit_destroy(struct fips_node *n)
{
	struct node_source *s, *s_tmp;
	struct node_msg1 *m, *m_tmp;

	HASH_ITER(hh, n->admit.sources, s, s_tmp) {
		HASH_DEL(n->admit.sources, s);
		free(s);
	}
	HASH_ITER(hh, n->admit.msg1s, m, m_tmp)
		node_admit_forget(n, m);
	sodium_memzero(n->admit.secret, sizeof(n->admit.secret));
}

/* A configured address of a node we may dial, in numbers? */
static bool admit_configured(const struct fips_node *n, const struct fips_taddr *from)
{
	struct node_dial *d, *tmp;
	struct fips_taddr addr;
	size_t i;

	HASH_ITER(hh, n->dials, d, tmp) {
		for (i = 0; d->configured && i < d->addr_count; i++) {
			if (!fips_taddr_parse(&addr, d->addrs[i].addr) &&
			    fips_taddr_eq(&addr, from))
				return true;
		}
	}
	return false;
}

struct node_class node_admit_classify(const struct fips_node *n, u32 transport_id,
				      const struct fips_taddr *from)
{
	const struct node_link *l = node_link_on_path(n, transport_id, from);

	if (!l)
		return (struct node_class) { .known = admit_configured(n, from) };
	return (struct node_class) { .established = true, .known = true, .owner = l->peer.addr };
}

static u64 admit_hash(const struct fips_node *n, const u8 *buf, size_t len)
{
	u8 out[crypto_shorthash_BYTES];

	crypto_shorthash(out, buf, len, n->admit.secret);
	return fips_get_le64(out);
}

/* IPv6 sites own a /64, so that is one source; an IPv4 address and a MAC are one each. */
u64 node_admit_prefix(const struct fips_node *n, const struct fips_taddr *from)
{
	u8 buf[1 + sizeof(from->addr)];
	size_t len = from->kind == FIPS_TADDR_IPV6 ? 8 : sizeof(from->addr);

	buf[0] = from->kind;
	memcpy(buf + 1, from->addr, len);
	return admit_hash(n, buf, 1 + len);
}

static struct node_source *admit_source(struct fips_node *n, u64 key,
					const struct fips_bucket_rate *share)
{
	struct node_admit *a = &n->admit;
	struct node_source *s;

	HASH_FIND(hh, a->sources, &key, sizeof(key), s);
	if (s) {
		DL_DELETE(a->source_lru, s);
		DL_APPEND(a->source_lru, s);
		return s;
	}
	if (HASH_COUNT(a->sources) >= NODE_SOURCES) {
		s = a->source_lru;
		DL_DELETE(a->source_lru, s);
		HASH_DEL(a->sources, s);
		free(s);
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->key = key;
	fips_bucket_init(&s->bucket, share, n->now.mono_ms);
	HASH_ADD(hh, a->sources, key, sizeof(s->key), s);
	DL_APPEND(a->source_lru, s);
	return s;
}

/* Take a token of the class and of the source's share in it, or of neither. */
bool node_admit_take(struct fips_node *n, const struct node_class *class, u32 transport_id,
		     const struct fips_taddr *from)
{
	struct node_admit *a = &n->admit;
	const struct fips_bucket_rate *rate = class->known ? &a->known_rate : &a->stranger_rate;
	const struct fips_bucket_rate *share = class->known ? &a->known_share : &a->stranger_share;
	struct fips_bucket *bucket = class->known ? &a->known : &a->stranger;
	u64 now = n->now.mono_ms, key;
	struct node_source *s;

	/* A known endpoint is itself; among strangers the port makes no difference. */
	key = class->known ? admit_hash(n, (const u8 *)from, sizeof(*from)) ^ transport_id :
			     node_admit_prefix(n, from);
	s = admit_source(n, key, share);
	if (!s || !fips_bucket_ready(&s->bucket, share, now) ||
	    !fips_bucket_take(bucket, rate, now))
		return false;
	fips_bucket_take(&s->bucket, share, now);
	return true;
}

static void admit_hash_msg1(const struct fips_node *n, const u8 *msg1,
			    u8 hash[static NODE_MSG1_HASH_LEN])
{
	crypto_generichash(hash, NODE_MSG1_HASH_LEN, msg1, FIPS_MSG1_LEN, n->admit.secret,
			   sizeof(n->admit.secret));
}

struct node_msg1 *node_admit_seen(struct fips_node *n, const u8 *msg1)
{
	u8 hash[NODE_MSG1_HASH_LEN];
	struct node_msg1 *m;

	admit_hash_msg1(n, msg1, hash);
	HASH_FIND(hh, n->admit.msg1s, hash, sizeof(hash), m);
	return m;
}

/* NULL if there is no memory: then the answer is not given either. */
struct node_msg1 *node_admit_remember(struct fips_node *n, const u8 *msg1, const u8 *msg2,
				      struct node_link *l)
{
	struct node_admit *a = &n->admit;
	struct node_msg1 *m;

	while (a->msg1_lru && (HASH_COUNT(a->msg1s) >= NODE_MSG1_CACHE ||
			       n->now.mono_ms - a->msg1_lru->seen > NODE_MSG1_MEMORY_MS))
		node_admit_forget(n, a->msg1_lru);
	m = calloc(1, sizeof(*m));
	if (!m)
		return NULL;
	admit_hash_msg1(n, msg1, m->hash);
	memcpy(m->msg2, msg2, sizeof(m->msg2));
	m->seen = n->now.mono_ms;
	m->link = l;
	l->cache = m;
	HASH_ADD(hh, a->msg1s, hash, sizeof(m->hash), m);
	DL_APPEND(a->msg1_lru, m);
	return m;
}

void node_admit_forget(struct fips_node *n, struct node_msg1 *m)
{
	if (m->link)
		m->link->cache = NULL;
	HASH_DEL(n->admit.msg1s, m);
	DL_DELETE(n->admit.msg1_lru, m);
	free(m);
}
