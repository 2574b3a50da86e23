// SPDX-License-Identifier: MIT
/*
 * Any bytes as a query for the responder, and as an access list and hosts file.
 */
#include "fipsd/acl_file.h"
#include "fipsd/dns_answer.h"
#include "fuzz.h"

static const struct fips_pk pk = { &fake_ops, NULL };
static struct fips_hosts hosts;

static int resolve(void *ctx, const char *label, size_t len, struct fips_identity *id)
{
	(void)ctx;
	FUZZ_CHECK(len && len <= 63 && !memchr(label, '\0', len));
	return fips_hosts_resolve(&hosts, &pk, label, len, id);
}

static bool learn(void *ctx, const struct fips_identity *id)
{
	bool *learnt = ctx;

	FUZZ_CHECK(!*learnt && id->ipv6[0] == 0xfd);
	*learnt = true;
	return true;
}

/* Header of every reply: same id, QR, opcode of the query, no RA, no RD, no Z. */
static void check_reply(const u8 *query, const u8 *reply, size_t len,
			enum fipsd_dns_outcome outcome)
{
	FUZZ_CHECK(len >= 12 && len <= FIPSD_DNS_UDP_MAX);
	FUZZ_CHECK(reply[0] == query[0] && reply[1] == query[1]);
	FUZZ_CHECK((reply[2] & 0xf8) == (0x80 | (query[2] & 0x78)));
	FUZZ_CHECK(!(reply[2] & 1) && !(reply[3] & 0xf0));
	FUZZ_CHECK((reply[3] & 15) == (outcome == FIPSD_DNS_NXDOMAIN ? 3 :
				       outcome == FIPSD_DNS_REFUSED ? 5 : 0));
}

static void fuzz_query(const u8 *data, size_t size)
{
	static u8 reply[FIPSD_DNS_REPLY_MAX], again[FIPSD_DNS_REPLY_MAX];
	bool learnt = false;
	struct fipsd_dns_zone zone = { resolve, learn, &learnt, 300 };
	size_t len, len_again;
	enum fipsd_dns_outcome outcome;

	outcome = fipsd_dns_answer(&zone, data, size, FIPSD_DNS_UDP_MAX, reply, &len);
	if (outcome == FIPSD_DNS_MALFORMED)
		FUZZ_CHECK(!len && !learnt);
	else if (len)
		check_reply(data, reply, len, outcome);
	/* A reply is never answered. */
	learnt = false;
	if (len)
		FUZZ_CHECK(fipsd_dns_answer(&zone, reply, len, FIPSD_DNS_UDP_MAX, again,
					    &len_again) == FIPSD_DNS_MALFORMED && !len_again);
}

static void fuzz_acl(const char *text, size_t size)
{
	struct fipsd_acl acl = { .allow.path = "allow", .deny.path = "deny" };

	FUZZ_CHECK(!fipsd_acl_parse(&acl, &acl.deny, &hosts, &pk, text, size));
	FUZZ_CHECK(!acl.acl.allow.n && !acl.acl.allow.all && acl.acl.deny.n <= acl.deny.n);
	fipsd_acl_clear(&acl);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char npub[] =
		"npub1sjlh2c3x9w7kjsqg2ay080n2lff2uvt325vpan33ke34rn8l5jcqawh57m";
	struct fips_identity id;

	if (!hosts.n) {
		FUZZ_CHECK(fips_identity_from_npub(&pk, npub, sizeof(npub) - 1, &id) >= 0);
		FUZZ_CHECK(!fips_hosts_add(&hosts, "a", &id));
	}
	fuzz_query(data, size);
	fuzz_acl((const char *)data, size);
	return 0;
}
