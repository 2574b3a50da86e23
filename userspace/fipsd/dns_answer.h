/* SPDX-License-Identifier: MIT */
/*
 * One DNS query, one answer (spec 09 §10): no sockets, no clock.
 */
#ifndef FIPSD_DNS_ANSWER_H
#define FIPSD_DNS_ANSWER_H

#include "../libfips/identity.h"

#define FIPSD_DNS_QUERY_MAX	4096	/* longer queries are not looked at */
#define FIPSD_DNS_REPLY_MAX	4096
#define FIPSD_DNS_UDP_QUERY	1232	/* longer datagrams are cut, and fail */
#define FIPSD_DNS_UDP_MAX	512	/* of a reply over UDP: there is no OPT in it */
#define FIPSD_DNS_NEGATIVE_TTL	10	/* seconds a "no" may be remembered: hosts files change */

/* What came of a query; also the index of its counter. */
enum fipsd_dns_outcome {
	FIPSD_DNS_ANSWERED,	/* one AAAA, or the SOA */
	FIPSD_DNS_NODATA,	/* the name is there, the type is not */
	FIPSD_DNS_NXDOMAIN,
	FIPSD_DNS_REFUSED,	/* not below .fips */
	FIPSD_DNS_MALFORMED,	/* dropped */
	FIPSD_DNS_LIMITED,	/* dropped: too many new names */
	FIPSD_DNS_FROM_MESH,	/* dropped: came in over the mesh's interface */
	FIPSD_DNS_OUTCOMES,
};

/**
 * struct fipsd_dns_zone - who knows the names
 * @resolve: the node of a label (any case, any bytes but NUL); 0 or a negative errno
 * @learn: a node is about to be answered; false: don't, there are too many
 * @ctx: passed to both
 * @ttl: seconds, of AAAA records
 */
struct fipsd_dns_zone {
	int (*resolve)(void *ctx, const char *label, size_t len, struct fips_identity *id);
	bool (*learn)(void *ctx, const struct fips_identity *id);
	void *ctx;
	u32 ttl;
};

/**
 * fipsd_dns_answer() - answer a query
 * @zone: names
 * @query: message
 * @query_len: its length in bytes, any
 * @max: bytes that the reply may have, at most %FIPSD_DNS_REPLY_MAX; what is longer is cut (TC)
 * @reply: %FIPSD_DNS_REPLY_MAX bytes, written
 * @reply_len: written; 0: nothing is to be sent
 *
 * Return: what came of it.
 */
enum fipsd_dns_outcome fipsd_dns_answer(const struct fipsd_dns_zone *zone, const void *query,
					size_t query_len, size_t max,
					u8 reply[static FIPSD_DNS_REPLY_MAX], size_t *reply_len);

const char *fipsd_dns_outcome_name(enum fipsd_dns_outcome outcome);

#endif /* FIPSD_DNS_ANSWER_H */
