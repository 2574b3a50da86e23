// SPDX-License-Identifier: MIT
/*
 * Answers of the zone `fips.`: a label is a host name or an npub. Names outside
 * are refused, so that a resolver that asks us by mistake asks somebody else,
 * where an NXDOMAIN would end its search (spec 09 §15.4).
 */
#include <ctype.h>
#include <errno.h>
#include <ldns/ldns.h>

#include "dns_answer.h"

#define HEADER_LEN	12
#define FLAG_QR		0x80	/* of byte 2 */
#define FLAG_TC		0x02	/* of byte 2 */
#define FLAG_Z		0x40	/* of byte 3 */
#define LABEL_MAX	63

const char *fipsd_dns_outcome_name(enum fipsd_dns_outcome outcome)
{
	static const char *const names[] = {
		[FIPSD_DNS_ANSWERED] = "answered",
		[FIPSD_DNS_NODATA] = "nodata",
		[FIPSD_DNS_NXDOMAIN] = "nxdomain",
		[FIPSD_DNS_REFUSED] = "refused",
		[FIPSD_DNS_MALFORMED] = "malformed",
		[FIPSD_DNS_LIMITED] = "limited",
		[FIPSD_DNS_FROM_MESH] = "from_mesh",
	};

	return names[outcome];
}

/* Where a name stands in relation to the zone. */
enum place {
	OUTSIDE,
	APEX,
	CHILD,		/* one label in front */
	DEEPER,
};

/* @name in wire format, without compression; @label of a CHILD. */
static enum place place_of(const u8 *name, size_t len, const char **label, size_t *label_len)
{
	size_t at = 0, depth = 0;
	const u8 *last = NULL;

	*label = NULL;
	*label_len = 0;
	while (at < len && name[at] && at + 1 + name[at] < len) {
		last = &name[at];
		if (!depth++) {
			*label = (const char *)last + 1;
			*label_len = *last;
		}
		at += 1u + name[at];
	}
	if (!last || *last != 4 || strncasecmp((const char *)last + 1, "fips", 4))
		return OUTSIDE;
	return depth == 1 ? APEX : depth == 2 ? CHILD : DEEPER;
}

/* One record, its data given as the text of a zone file would have it. */
static ldns_rr *record(const char *owner, u32 ttl, const char *data)
{
	char line[384];
	ldns_rr *rr = NULL;

	snprintf(line, sizeof(line), "%s %u IN %s", owner, ttl, data);
	if (ldns_rr_new_frm_str(&rr, line, 0, NULL, NULL) != LDNS_STATUS_OK)
		return NULL;
	return rr;
}

static ldns_rr *soa_record(const struct fipsd_dns_zone *zone)
{
	u32 ttl = zone->ttl < FIPSD_DNS_NEGATIVE_TTL ? zone->ttl : FIPSD_DNS_NEGATIVE_TTL;
	char data[96];

	snprintf(data, sizeof(data), "SOA fips. nobody.invalid. 1 3600 1200 604800 %u", ttl);
	return record("fips.", ttl, data);
}

static ldns_rr *aaaa_record(const ldns_rr *question, u32 ttl, const u8 *ipv6)
{
	ldns_rr *rr = ldns_rr_new();
	ldns_rdf *address = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_AAAA, FIPS_IPV6_LEN, ipv6);

	if (!rr || !address) {
		ldns_rr_free(rr);
		ldns_rdf_deep_free(address);
		return NULL;
	}
	ldns_rr_set_owner(rr, ldns_rdf_clone(ldns_rr_owner(question)));
	ldns_rr_set_type(rr, LDNS_RR_TYPE_AAAA);
	ldns_rr_set_class(rr, LDNS_RR_CLASS_IN);
	ldns_rr_set_ttl(rr, ttl);
	ldns_rr_push_rdf(rr, address);
	return rr;
}

/* The answer record of a resolved name, if the type has one. */
static enum fipsd_dns_outcome child_answer(const struct fipsd_dns_zone *zone,
					   const ldns_rr *question, const char *label, size_t len,
					   ldns_rr **rr)
{
	struct fips_identity id;

	if (!len || len > LABEL_MAX || memchr(label, '\0', len) ||
	    zone->resolve(zone->ctx, label, len, &id))
		return FIPSD_DNS_NXDOMAIN;
	if (ldns_rr_get_type(question) != LDNS_RR_TYPE_AAAA)
		return FIPSD_DNS_NODATA;
	/* First known, then told: the first packet may come right behind (09 §15.2). */
	if (!zone->learn(zone->ctx, &id))
		return FIPSD_DNS_LIMITED;
	*rr = aaaa_record(question, zone->ttl, id.ipv6);
	return *rr ? FIPSD_DNS_ANSWERED : FIPSD_DNS_LIMITED;
}

static enum fipsd_dns_outcome decide(const struct fipsd_dns_zone *zone, const ldns_rr *question,
				     ldns_rr **rr)
{
	const ldns_rdf *owner = ldns_rr_owner(question);
	const char *label;
	size_t len;

	*rr = NULL;
	switch (place_of(ldns_rdf_data(owner), ldns_rdf_size(owner), &label, &len)) {
	case OUTSIDE:
		return FIPSD_DNS_REFUSED;
	case DEEPER:
		return FIPSD_DNS_NXDOMAIN;
	case CHILD:
		return child_answer(zone, question, label, len, rr);
	case APEX:
		break;
	}
	if (ldns_rr_get_type(question) != LDNS_RR_TYPE_SOA)
		return FIPSD_DNS_NODATA;
	*rr = soa_record(zone);
	return *rr ? FIPSD_DNS_ANSWERED : FIPSD_DNS_NODATA;
}

/* All questions, as they came: the first one was answered, none may be missing. */
static bool copy_questions(ldns_pkt *reply, const ldns_pkt *query)
{
	const ldns_rr_list *list = ldns_pkt_question(query);
	size_t i;

	for (i = 0; i < ldns_rr_list_rr_count(list); i++) {
		ldns_rr *rr = ldns_rr_clone(ldns_rr_list_rr(list, i));

		if (!ldns_pkt_push_rr(reply, LDNS_SECTION_QUESTION, rr)) {
			ldns_rr_free(rr);
			return false;
		}
	}
	return true;
}

/* What belongs to an outcome: the answer, or the SOA that says how long "no" holds. */
static bool add_records(const struct fipsd_dns_zone *zone, ldns_pkt *reply,
			enum fipsd_dns_outcome outcome, ldns_rr *rr)
{
	ldns_pkt_section section = LDNS_SECTION_ANSWER;

	if (outcome == FIPSD_DNS_REFUSED)
		return true;
	if (outcome != FIPSD_DNS_ANSWERED) {
		section = LDNS_SECTION_AUTHORITY;
		rr = soa_record(zone);
	}
	if (rr && ldns_pkt_push_rr(reply, section, rr))
		return true;
	ldns_rr_free(rr);
	return false;
}

/* @rr is taken over. NULL without memory. */
static ldns_pkt *make_reply(const struct fipsd_dns_zone *zone, const ldns_pkt *query,
			    enum fipsd_dns_outcome outcome, ldns_rr *rr)
{
	ldns_pkt *reply = ldns_pkt_new();

	if (!reply) {
		ldns_rr_free(rr);
		return NULL;
	}
	ldns_pkt_set_id(reply, ldns_pkt_id(query));
	ldns_pkt_set_opcode(reply, ldns_pkt_get_opcode(query));
	ldns_pkt_set_qr(reply, true);
	ldns_pkt_set_aa(reply, outcome != FIPSD_DNS_REFUSED);
	ldns_pkt_set_rcode(reply, outcome == FIPSD_DNS_NXDOMAIN ? LDNS_RCODE_NXDOMAIN :
			   outcome == FIPSD_DNS_REFUSED ? LDNS_RCODE_REFUSED :
			   LDNS_RCODE_NOERROR);
	if (!add_records(zone, reply, outcome, rr) || !copy_questions(reply, query)) {
		ldns_pkt_free(reply);
		return NULL;
	}
	return reply;
}

/* Too long for its transport: the header alone, with the bit that says "ask by TCP". */
static size_t cut(u8 *reply)
{
	memset(reply + 4, 0, HEADER_LEN - 4);
	reply[2] |= FLAG_TC;
	return HEADER_LEN;
}

/* Bytes written to @out, 0 without memory. */
static size_t write_reply(const ldns_pkt *pkt, size_t max, u8 *out)
{
	u8 *wire = NULL;
	size_t len = 0;

	if (ldns_pkt2wire(&wire, pkt, &len) != LDNS_STATUS_OK || len < HEADER_LEN) {
		free(wire);
		return 0;
	}
	if (len > max) {
		memcpy(out, wire, HEADER_LEN);
		len = cut(out);
	} else {
		memcpy(out, wire, len);
	}
	free(wire);
	return len;
}

enum fipsd_dns_outcome fipsd_dns_answer(const struct fipsd_dns_zone *zone, const void *query,
					size_t query_len, size_t max,
					u8 reply[static FIPSD_DNS_REPLY_MAX], size_t *reply_len)
{
	enum fipsd_dns_outcome outcome = FIPSD_DNS_MALFORMED;
	ldns_pkt *pkt = NULL, *answer;
	const u8 *head = query;
	ldns_rr *rr;

	*reply_len = 0;
	if (query_len < HEADER_LEN || query_len > FIPSD_DNS_QUERY_MAX || head[2] & FLAG_QR ||
	    head[3] & FLAG_Z || ldns_wire2pkt(&pkt, query, query_len) != LDNS_STATUS_OK)
		return outcome;
	if (ldns_rr_list_rr_count(ldns_pkt_question(pkt))) {
		outcome = decide(zone, ldns_rr_list_rr(ldns_pkt_question(pkt), 0), &rr);
		answer = outcome == FIPSD_DNS_LIMITED ? NULL :
			 make_reply(zone, pkt, outcome, rr);
		if (answer)
			*reply_len = write_reply(answer, max, reply);
		ldns_pkt_free(answer);
	}
	ldns_pkt_free(pkt);
	return outcome;
}
