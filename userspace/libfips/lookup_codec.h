/* SPDX-License-Identifier: MIT */
/* Codecs of LookupRequest and LookupResponse, and the response's proof (spec 07 D). */
#ifndef _LIBFIPS_LOOKUP_CODEC_H
#define _LIBFIPS_LOOKUP_CODEC_H

#include "coords_math.h"
#include "pk.h"

#define FIPS_LOOKUP_REQ_HDR	44	/* before the coordinates, type byte included */
#define FIPS_LOOKUP_RESP_HDR	27
#define FIPS_LOOKUP_TTL_OFF	41	/* of a request */
#define FIPS_LOOKUP_MTU_OFF	25	/* path_mtu of a response */

/* Longest proof preimage that is signed or verified here. */
#define FIPS_LOOKUP_PREIMAGE_MAX \
	(8 + FIPS_NODE_ADDR_LEN + 2 + FIPS_COORDS_DEPTH * FIPS_NODE_ADDR_LEN)

/**
 * struct fips_lookup_request - "where is @target?" (07 D.1)
 * @id: random
 * @target: whom it looks for
 * @origin: who asks
 * @ttl: hops left; unlike datagrams, 0 is sent
 * @min_mtu: always sent as 0, ignored
 * @coords: of @origin, at least one entry, borrowed; nobody uses them
 */
struct fips_lookup_request {
	u64 id;
	struct fips_node_addr target;
	struct fips_node_addr origin;
	u8 ttl;
	u16 min_mtu;
	struct fips_coords coords;
};

/**
 * struct fips_lookup_response - "I am here" (07 D.2)
 * @id: of the request
 * @target: who answers
 * @path_mtu: smallest link on the way back; no part of the proof
 * @coords: of @target, at least one entry, borrowed
 * @proof: %FIPS_SIG_LEN bytes, borrowed
 */
struct fips_lookup_response {
	u64 id;
	struct fips_node_addr target;
	u16 path_mtu;
	struct fips_coords coords;
	const u8 *proof;
};

/* @body: behind the type byte; bytes behind the message are ignored. Return: 0 or -EPROTO. */
int fips_lookup_request_parse(const u8 *body, size_t len, struct fips_lookup_request *out);
int fips_lookup_response_parse(const u8 *body, size_t len, struct fips_lookup_response *out);

/* The whole message with its type byte. Return: length, -EINVAL (no coordinates) or -ENOSPC. */
int fips_lookup_request_build(u8 *buf, size_t room, const struct fips_lookup_request *req);
int fips_lookup_response_build(u8 *buf, size_t room, const struct fips_lookup_response *resp);

/* What is signed: id, target, coordinates with their count. Return: length or -ENOSPC. */
int fips_lookup_preimage(u8 *buf, size_t room, u64 id, const struct fips_node_addr *target,
			 const struct fips_coords *coords);

/**
 * fips_lookup_sign() - proof of our own response
 * @pk: the curve
 * @rng: auxiliary randomness
 * @sec: our secret
 * @resp: everything but the proof
 * @proof: %FIPS_SIG_LEN bytes, written
 *
 * Return: 0, -E2BIG (more than %FIPS_COORDS_DEPTH coordinates) or an error of the parts.
 */
int fips_lookup_sign(const struct fips_pk *pk, const struct fips_rng *rng, const u8 *sec,
		     const struct fips_lookup_response *resp, u8 *proof);
/* @x: the target's key. More than %FIPS_COORDS_DEPTH coordinates never verify. */
bool fips_lookup_verify(const struct fips_pk *pk, const u8 *x,
			const struct fips_lookup_response *resp);

#endif /* _LIBFIPS_LOOKUP_CODEC_H */
