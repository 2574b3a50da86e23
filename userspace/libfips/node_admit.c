// SPDX-License-Identifier: MIT
/*
 * Admission of msg1 (spec 03 §9). There is no cookie on the wire: to tell a sound
 * msg1 from garbage costs a Diffie-Hellman, and to answer it three more. So what
 * is rationed is CPU: strangers have a share of it for being read and one for
 * being answered, known endpoints have theirs; and below those every source has
 * a part only, by address, by neighbourhood and by region, so that no single one
 * locks the others out (03 §26 T1). Answers are counted, too, by the configured
 * handshake_burst and handshake_rate of each address. Costs are nominal, as the
 * host measured them once: a node has no clock of its own.
 *
 * Then the memory of answered msg1s (03 §28.1 step 1): a repetition costs no
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

/* So many thousandths of one CPU; a token is a millisecond. */
static void admit_cpu(struct fips_bucket_rate *rate, u64 thousandths)
{
	fips_bucket_rate_set(rate, thousandths * NODE_CPU_BURST_MS / 1000 + 1,
			     (double)thousandths);
}

/* A part of what all have, for one source; small nodes' part still pays for a few handshakes. */
static void admit_part(struct fips_bucket_rate *part, const struct fips_bucket_rate *whole,
		       u64 divisor, u64 least)
{
	part->burst = whole->burst / divisor;
	if (part->burst < least)
		part->burst = least;
	part->per_ms = (whole->per_ms + divisor - 1) / divisor;
}

/* A neighbourhood may answer for four of its members, a region for sixteen. */
static void admit_levels(struct node_admit *a, const struct fips_node_timing *t)
{
	u64 least = 4 * (1 + NODE_DH_ANSWER) * a->dh;
	int i;

	for (i = 0; i < NODE_LEVELS; i++) {
		admit_part(&a->cpu_share[i], &a->read_rate, (u64)8 >> i, least << i);
		fips_bucket_rate_set(&a->answer_share[i],
				     (u64)t->rate_limit.handshake_burst << 2 * i,
				     t->rate_limit.handshake_rate * (double)(1 << 2 * i));
	}
}

/* From the configuration; what is in the buckets stays. */
void node_admit_rates(struct fips_node *n)
{
	const struct fips_node_timing *t = &n->timing;
	u32 burst = t->rate_limit.established_handshake_burst;
	double rate = t->rate_limit.established_handshake_rate;
	struct node_admit *a = &n->admit;

	a->dh = (u64)t->rate_limit.dh_cost_us * 1000;
	admit_cpu(&a->read_rate, NODE_CPU_READ);
	admit_cpu(&a->answer_rate, NODE_CPU_ANSWER);
	admit_cpu(&a->known_rate, NODE_CPU_KNOWN);
	admit_levels(a, t);
	admit_part(&a->known_cpu, &a->known_rate, 2, 0);
	if (!t->limits.max_peers) {	/* the stranger's values stand in for missing ones */
		burst = burst ? burst : t->rate_limit.handshake_burst;
		rate = rate > 0 ? rate : t->rate_limit.handshake_rate;
	}
	node_rate_known(t, burst, rate, true, &a->known_answers);
}

int node_admit_init(struct fips_node *n)
{
	struct node_admit *a = &n->admit;
	int ret = fips_random(&n->env.rng, a->secret, sizeof(a->secret));

	if (ret)
		return ret;
	node_admit_rates(n);
	fips_bucket_init(&a->read, &a->read_rate, 0);
	fips_bucket_init(&a->answer, &a->answer_rate, 0);
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

/*
 * Bytes of an address that a source, its neighbourhood and its region share:
 * IPv4 /32, /24, /16; IPv6 sites own a /64, their providers give out /48s. A MAC
 * is one source, and all of a cable are one neighbourhood.
 */
static size_t admit_prefix_len(const struct fips_taddr *from, int level)
{
	static const u8 v4[NODE_LEVELS] = { 4, 3, 2 }, v6[NODE_LEVELS] = { 8, 6, 4 };

	switch (from->kind) {
	case FIPS_TADDR_IPV4:
		return v4[level];
	case FIPS_TADDR_IPV6:
		return v6[level];
	default:
		return level ? 0 : sizeof(from->addr);
	}
}

static u64 admit_level_key(const struct fips_node *n, const struct fips_taddr *from, int level)
{
	u8 buf[2 + sizeof(from->addr)];
	size_t len = admit_prefix_len(from, level);

	buf[0] = from->kind;
	buf[1] = (u8)level;
	memcpy(buf + 2, from->addr, len);
	return admit_hash(n, buf, 2 + len);
}

/* The source itself: the port makes no difference. */
u64 node_admit_prefix(const struct fips_node *n, const struct fips_taddr *from)
{
	return admit_level_key(n, from, 0);
}

static struct node_source *admit_source(struct fips_node *n, u64 key,
					const struct fips_bucket_rate *cpu,
					const struct fips_bucket_rate *answers)
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
	fips_bucket_init(&s->cpu, cpu, n->now.mono_ms);
	fips_bucket_init(&s->answers, answers, n->now.mono_ms);
	HASH_ADD(hh, a->sources, key, sizeof(s->key), s);
	DL_APPEND(a->source_lru, s);
	return s;
}

/**
 * struct admit - all buckets that a msg1 draws on
 * @n: node
 * @levels: valid entries of the next three
 * @source: buckets of its source
 * @cpu: their rates
 * @answers: same
 */
struct admit {
	struct fips_node *n;
	int levels;
	struct node_source *source[NODE_LEVELS];
	const struct fips_bucket_rate *cpu[NODE_LEVELS];
	const struct fips_bucket_rate *answers[NODE_LEVELS];
};

/* A known endpoint is itself; a stranger is one of many in its prefixes. */
static bool admit_find(struct admit *m, struct fips_node *n, const struct node_class *class,
		       u32 transport_id, const struct fips_taddr *from)
{
	struct node_admit *a = &n->admit;
	u64 key;
	int i;

	*m = (struct admit){ .n = n, .levels = class->known ? 1 : NODE_LEVELS };
	for (i = 0; i < m->levels; i++) {
		m->cpu[i] = class->known ? &a->known_cpu : &a->cpu_share[i];
		m->answers[i] = class->known ? &a->known_answers : &a->answer_share[i];
		key = class->known ? admit_hash(n, (const u8 *)from, sizeof(*from)) ^ transport_id :
				     admit_level_key(n, from, i);
		m->source[i] = admit_source(n, key, m->cpu[i], m->answers[i]);
		if (!m->source[i])
			return false;
	}
	return true;
}

/* @cost: millionths of a ms of CPU, from @all's bucket and from each of its source. */
static bool admit_spend_cpu(struct admit *m, struct fips_bucket *all,
			    const struct fips_bucket_rate *all_rate, u64 cost)
{
	u64 now = m->n->now.mono_ms;
	int i;

	if (!fips_bucket_affords(all, all_rate, now, cost))
		return false;
	for (i = 0; i < m->levels; i++)
		if (!fips_bucket_affords(&m->source[i]->cpu, m->cpu[i], now, cost))
			return false;
	fips_bucket_spend(all, cost);
	for (i = 0; i < m->levels; i++)
		fips_bucket_spend(&m->source[i]->cpu, cost);
	return true;
}

/* May a msg1 be read? Takes what that costs, or nothing. */
bool node_admit_read(struct fips_node *n, const struct node_class *class, u32 transport_id,
		     const struct fips_taddr *from)
{
	struct node_admit *a = &n->admit;
	struct admit m;

	if (!admit_find(&m, n, class, transport_id, from))
		return false;
	return admit_spend_cpu(&m, class->known ? &a->known : &a->read,
			       class->known ? &a->known_rate : &a->read_rate, a->dh);
}

/* May it be answered, now that its identity is known (and not proven)? */
bool node_admit_answer(struct fips_node *n, const struct node_class *class, u32 transport_id,
		       const struct fips_taddr *from)
{
	struct node_admit *a = &n->admit;
	u64 now = n->now.mono_ms;
	struct admit m;
	int i;

	if (!admit_find(&m, n, class, transport_id, from))
		return false;
	for (i = 0; i < m.levels; i++)
		if (!fips_bucket_ready(&m.source[i]->answers, m.answers[i], now))
			return false;
	if (!admit_spend_cpu(&m, class->known ? &a->known : &a->answer,
			     class->known ? &a->known_rate : &a->answer_rate,
			     NODE_DH_ANSWER * a->dh))
		return false;
	for (i = 0; i < m.levels; i++)
		fips_bucket_take(&m.source[i]->answers, m.answers[i], now);
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
	m->answered = n->now.mono_ms;
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
