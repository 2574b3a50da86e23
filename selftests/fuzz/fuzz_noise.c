// SPDX-License-Identifier: MIT
/*
 * A handshake in which one message is damaged.
 *
 * Byte 0 picks pattern and message, byte 1 how many bytes are cut off; the
 * rest is a mask over the true message, so that the fuzzer can leave the
 * seals alone and work on what it likes. A refused message must leave the
 * reader able to take the true one.
 */
#include "fuzz.h"
#include "noise.h"
#include "noise_trace.h"

struct side {
	struct fips_keypair kp;
	struct fips_noise_env env;
	struct fips_noise *hs;
	u8 next;
};

static const struct fips_pk pk = { &fake_ops, NULL };

static void side_init(struct side *s, struct fips_secrets *secrets, u8 first)
{
	u8 sec[32];

	memset(sec, first, sizeof(sec));
	memset(s, 0, sizeof(*s));
	FUZZ_CHECK(!fips_keypair_from_secret(&s->kp, &pk, secrets, sec));
	s->next = first;
	s->env.pk = &pk;
	s->env.secrets = secrets;
	s->env.rng.random = fake_random;
	s->env.rng.ctx = &s->next;
	s->env.self = &s->kp;
	memset(s->env.epoch, first, sizeof(s->env.epoch));
}

static void side_destroy(struct side *s)
{
	fips_noise_free(s->hs);
	fips_keypair_destroy(&s->kp);
}

/* Deliver a damaged copy, then the true one. */
static void deliver(struct fips_noise *to, const u8 *msg, size_t len, size_t cut, const u8 *mask,
		    size_t mask_len)
{
	struct fips_noise_values before, after;
	bool same = !cut, parity_only = false;
	u8 *copy = malloc(len);
	size_t i;
	int err;

	FUZZ_CHECK(copy);
	memcpy(copy, msg, len);
	for (i = 0; i < mask_len && i < len; i++)
		copy[i] ^= mask[i];
	if (memcmp(copy, msg, len))
		same = false;
	parity_only = !memcmp(copy + 1, msg + 1, len - 1) && copy[0] == (msg[0] ^ 1);
	fips_noise_peek(to, &before);
	err = fips_noise_read(to, copy, len - cut, NULL);
	free(copy);
	if (same)
		FUZZ_CHECK(!err);
	if (!err) {
		/* XK's msg1 seals nothing; a DH does not see the parity. */
		FUZZ_CHECK(same || (parity_only && !cut) || len == FIPS_NOISE_XK1_LEN);
		return;
	}
	fips_noise_peek(to, &after);
	FUZZ_CHECK(!memcmp(&before, &after, sizeof(before)));
	FUZZ_CHECK(!fips_noise_read(to, msg, len, NULL));
}

static void handshake(struct side *i, struct side *r, unsigned int target, const u8 *data,
		      size_t size)
{
	struct fips_noise_keys ki, kr;
	u8 msg[FIPS_NOISE_MSG_MAX];
	unsigned int m;
	int len;

	for (m = 0; fips_noise_next_len(i->hs); m++) {
		struct side *from = m % 2 ? r : i, *to = m % 2 ? i : r;

		len = fips_noise_write(from->hs, msg, sizeof(msg));
		FUZZ_CHECK(len > 0);
		if (m == target && size)
			deliver(to->hs, msg, (size_t)len, data[0] % len, data + 1, size - 1);
		else if (fips_noise_read(to->hs, msg, (size_t)len, NULL))
			return;		/* another ephemeral in XK's msg1 is found out here */
	}
	FUZZ_CHECK(fips_noise_done(i->hs) && fips_noise_done(r->hs));
	FUZZ_CHECK(!fips_noise_split(i->hs, &ki) && !fips_noise_split(r->hs, &kr));
	FUZZ_CHECK(!memcmp(ki.tx, kr.rx, 32) && !memcmp(ki.rx, kr.tx, 32));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fips_secrets *secrets;	/* kept: mapping costs most */
	enum fips_noise_pattern pattern;
	struct side i, r;

	if (!size)
		return 0;
	pattern = data[0] & 1 ? FIPS_NOISE_XK : FIPS_NOISE_IK;
	if (!secrets)
		FUZZ_CHECK(!fips_secrets_new(&secrets));
	side_init(&i, secrets, 0x10);
	side_init(&r, secrets, 0x61);
	FUZZ_CHECK(!fips_noise_initiator(&i.env, pattern, r.kp.id.x, &i.hs));
	FUZZ_CHECK(!fips_noise_responder(&r.env, pattern, &r.hs));
	handshake(&i, &r, data[0] >> 1 & 3, data + 1, size - 1);
	side_destroy(&i);
	side_destroy(&r);
	FUZZ_CHECK(!fips_secrets_used(secrets));
	return 0;
}
