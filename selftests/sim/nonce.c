// SPDX-License-Identifier: MIT
/* Watch over keys and counters; see nonce.h. */
#include "nonce.h"

#include <inttypes.h>
#include <stdlib.h>

#include "aead.h"
#include "sim.h"

#define NONCE_GAPS	64	/* skipped ranges kept for a key */

struct nonce_gap {
	u64 from;
	u64 to;		/* first one behind */
};

/**
 * struct nonce_key - a key that has sealed
 * @id: its first 16 bytes; keys are random, so they tell it apart
 * @next: above all counters used
 * @gaps: below @next and not used
 * @n_gaps: number of @gaps
 */
struct nonce_key {
	u8 id[16];
	u64 next;
	struct nonce_gap *gaps;
	u32 n_gaps;
	UT_hash_handle hh;
};

static struct {
	struct sim *sim;
	struct nonce_key *keys;
} watch;

int __real_fips_aead_init(struct fips_aead *a, struct fips_aead_engine *engine, const u8 *key);
void __real_fips_aead_seal(struct fips_aead *a, u64 ctr, const u8 *ad, size_t ad_len, u8 *out,
			   const u8 *in, size_t len);
int __wrap_fips_aead_init(struct fips_aead *a, struct fips_aead_engine *engine, const u8 *key);
void __wrap_fips_aead_seal(struct fips_aead *a, u64 ctr, const u8 *ad, size_t ad_len, u8 *out,
			   const u8 *in, size_t len);

void sim_nonce_watch(struct sim *s)
{
	sim_nonce_stop();
	watch.sim = s;
}

void sim_nonce_stop(void)
{
	struct nonce_key *k, *tmp;

	HASH_ITER(hh, watch.keys, k, tmp) {
		HASH_DEL(watch.keys, k);
		free(k->gaps);
		free(k);
	}
	watch.sim = NULL;
}

u64 sim_nonce_keys(void)
{
	return HASH_COUNT(watch.keys);
}

static struct nonce_key *nonce_key(const u8 *key)
{
	struct nonce_key *k;

	HASH_FIND(hh, watch.keys, key, sizeof(k->id), k);
	if (k)
		return k;
	k = sim_zalloc(1, sizeof(*k));
	memcpy(k->id, key, sizeof(k->id));
	HASH_ADD(hh, watch.keys, id, sizeof(k->id), k);
	return k;
}

static void nonce_skip(struct nonce_key *k, u64 to)
{
	if (!k->gaps)
		k->gaps = sim_alloc(NONCE_GAPS * sizeof(*k->gaps));
	if (k->n_gaps == NONCE_GAPS)	/* the oldest counts as used: stricter, never laxer */
		memmove(k->gaps, k->gaps + 1, --k->n_gaps * sizeof(*k->gaps));
	k->gaps[k->n_gaps++] = (struct nonce_gap) { k->next, to };
}

/* A counter below the highest: in a gap it is new, and splits it. */
static bool nonce_fill(struct nonce_key *k, u64 ctr)
{
	struct nonce_gap *g;
	u32 i;

	for (i = 0; i < k->n_gaps; i++) {
		g = &k->gaps[i];
		if (ctr < g->from || ctr >= g->to)
			continue;
		if (ctr == g->from) {
			g->from++;
		} else {
			/* Only the lower half stays; the rest counts as used. */
			g->to = ctr;
		}
		return true;
	}
	return false;
}

static void nonce_use(const u8 *key, u64 ctr)
{
	struct nonce_key *k = nonce_key(key);

	if (ctr < k->next) {
		if (!nonce_fill(k, ctr))
			sim_fail(watch.sim, "nonce-once",
				 "key %02x%02x%02x%02x seals counter %" PRIu64 " again", key[0],
				 key[1], key[2], key[3], ctr);
		return;
	}
	if (ctr > k->next)
		nonce_skip(k, ctr);
	k->next = ctr + 1;
}

int __wrap_fips_aead_init(struct fips_aead *a, struct fips_aead_engine *engine, const u8 *key)
{
	int ret = __real_fips_aead_init(a, engine, key);

	/* The member is used with an accelerator only; fips_aead_wipe() clears it. */
	if (!ret)
		memcpy(a->key, key, FIPS_KEY_LEN);
	return ret;
}

void __wrap_fips_aead_seal(struct fips_aead *a, u64 ctr, const u8 *ad, size_t ad_len, u8 *out,
			   const u8 *in, size_t len)
{
	if (watch.sim)
		nonce_use(a->key, ctr);
	__real_fips_aead_seal(a, ctr, ad, ad_len, out, in, len);
}
