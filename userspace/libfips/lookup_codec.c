// SPDX-License-Identifier: MIT
/* Codecs of LookupRequest and LookupResponse (spec 07 D). */

#include "lookup_codec.h"

#include <errno.h>
#include <fips/wire.h>

/* Offsets in the messages, type byte included. */
#define ID_OFF		1
#define TARGET_OFF	9
#define ORIGIN_OFF	25
#define MIN_MTU_OFF	42

int fips_lookup_request_parse(const u8 *body, size_t len, struct fips_lookup_request *out)
{
	struct fips_coords coords;

	if (len < FIPS_LOOKUP_REQ_HDR - 1 ||
	    fips_coords_parse(body + FIPS_LOOKUP_REQ_HDR - 1, len - (FIPS_LOOKUP_REQ_HDR - 1),
			      false, &coords) < 0)
		return -EPROTO;
	out->id = fips_get_le64(body + ID_OFF - 1);
	memcpy(out->target.b, body + TARGET_OFF - 1, FIPS_NODE_ADDR_LEN);
	memcpy(out->origin.b, body + ORIGIN_OFF - 1, FIPS_NODE_ADDR_LEN);
	out->ttl = body[FIPS_LOOKUP_TTL_OFF - 1];
	out->min_mtu = fips_get_le16(body + MIN_MTU_OFF - 1);
	out->coords = coords;
	return 0;
}

int fips_lookup_response_parse(const u8 *body, size_t len, struct fips_lookup_response *out)
{
	struct fips_coords coords;
	int used;

	if (len < FIPS_LOOKUP_RESP_HDR - 1 + FIPS_SIG_LEN)
		return -EPROTO;
	len -= FIPS_LOOKUP_RESP_HDR - 1 + FIPS_SIG_LEN;
	used = fips_coords_parse(body + FIPS_LOOKUP_RESP_HDR - 1, len, false, &coords);
	if (used < 0)
		return -EPROTO;
	out->id = fips_get_le64(body + ID_OFF - 1);
	memcpy(out->target.b, body + TARGET_OFF - 1, FIPS_NODE_ADDR_LEN);
	out->path_mtu = fips_get_le16(body + FIPS_LOOKUP_MTU_OFF - 1);
	out->coords = coords;
	out->proof = body + FIPS_LOOKUP_RESP_HDR - 1 + used;
	return 0;
}

int fips_lookup_request_build(u8 *buf, size_t room, const struct fips_lookup_request *req)
{
	size_t len = FIPS_LOOKUP_REQ_HDR + fips_coords_size(&req->coords);

	if (!req->coords.count)
		return -EINVAL;
	if (room < len)
		return -ENOSPC;
	buf[0] = FIPS_LINK_LOOKUP_REQUEST;
	fips_put_le64(buf + ID_OFF, req->id);
	memcpy(buf + TARGET_OFF, req->target.b, FIPS_NODE_ADDR_LEN);
	memcpy(buf + ORIGIN_OFF, req->origin.b, FIPS_NODE_ADDR_LEN);
	buf[FIPS_LOOKUP_TTL_OFF] = req->ttl;
	fips_put_le16(buf + MIN_MTU_OFF, req->min_mtu);
	fips_coords_build(buf + FIPS_LOOKUP_REQ_HDR, room - FIPS_LOOKUP_REQ_HDR, &req->coords);
	return (int)len;
}

int fips_lookup_response_build(u8 *buf, size_t room, const struct fips_lookup_response *resp)
{
	size_t len = FIPS_LOOKUP_RESP_HDR + fips_coords_size(&resp->coords) + FIPS_SIG_LEN;

	if (!resp->coords.count)
		return -EINVAL;
	if (room < len)
		return -ENOSPC;
	buf[0] = FIPS_LINK_LOOKUP_RESPONSE;
	fips_put_le64(buf + ID_OFF, resp->id);
	memcpy(buf + TARGET_OFF, resp->target.b, FIPS_NODE_ADDR_LEN);
	fips_put_le16(buf + FIPS_LOOKUP_MTU_OFF, resp->path_mtu);
	fips_coords_build(buf + FIPS_LOOKUP_RESP_HDR, room - FIPS_LOOKUP_RESP_HDR, &resp->coords);
	memcpy(buf + len - FIPS_SIG_LEN, resp->proof, FIPS_SIG_LEN);
	return (int)len;
}

int fips_lookup_preimage(u8 *buf, size_t room, u64 id, const struct fips_node_addr *target,
			 const struct fips_coords *coords)
{
	size_t head = 8 + FIPS_NODE_ADDR_LEN;
	int len;

	if (room < head)
		return -ENOSPC;
	fips_put_le64(buf, id);
	memcpy(buf + 8, target->b, FIPS_NODE_ADDR_LEN);
	len = fips_coords_build(buf + head, room - head, coords);
	return len < 0 ? len : (int)head + len;
}

int fips_lookup_sign(const struct fips_pk *pk, const struct fips_rng *rng, const u8 *sec,
		     const struct fips_lookup_response *resp, u8 *proof)
{
	u8 preimage[FIPS_LOOKUP_PREIMAGE_MAX];
	int len = fips_lookup_preimage(preimage, sizeof(preimage), resp->id, &resp->target,
				       &resp->coords);

	if (len < 0)
		return -E2BIG;
	return fips_pk_sign_data(pk, rng, sec, preimage, (size_t)len, proof);
}

bool fips_lookup_verify(const struct fips_pk *pk, const u8 *x,
			const struct fips_lookup_response *resp)
{
	u8 preimage[FIPS_LOOKUP_PREIMAGE_MAX];
	int len = fips_lookup_preimage(preimage, sizeof(preimage), resp->id, &resp->target,
				       &resp->coords);

	return len > 0 && fips_pk_verify_data(pk, x, preimage, (size_t)len, resp->proof);
}
