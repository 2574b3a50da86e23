// SPDX-License-Identifier: MIT
/*
 * Codecs of the link layer (spec 03 §2).
 */
#include "fmp.h"

#include <errno.h>
#include "noise.h"

int fips_fmp_prefix_parse(const u8 *buf, size_t len, struct fips_fmp_prefix *out)
{
	if (len < FIPS_PREFIX_LEN)
		return -EPROTO;
	out->version = fips_prefix_version(buf);
	out->phase = fips_prefix_phase(buf);
	out->flags = buf[1];
	out->payload_len = fips_get_le16(buf + 2);
	return 0;
}

/* A handshake packet has one length and no flags (03 §2.3). */
static bool is_handshake(const u8 *buf, size_t len, u8 phase, size_t want)
{
	return len == want && buf[0] == phase && !buf[1];
}

int fips_fmp_msg1_parse(const u8 *buf, size_t len, struct fips_fmp_msg1 *out)
{
	if (!is_handshake(buf, len, FIPS_FMP_MSG1, FIPS_MSG1_LEN))
		return -EPROTO;
	out->sender_idx = fips_get_le32(buf + 4);
	out->noise = buf + 8;
	return 0;
}

int fips_fmp_msg2_parse(const u8 *buf, size_t len, struct fips_fmp_msg2 *out)
{
	if (!is_handshake(buf, len, FIPS_FMP_MSG2, FIPS_MSG2_LEN))
		return -EPROTO;
	out->sender_idx = fips_get_le32(buf + 4);
	out->receiver_idx = fips_get_le32(buf + 8);
	out->noise = buf + 12;
	return 0;
}

int fips_fmp_header_parse(const u8 *buf, size_t len, struct fips_fmp_header *out)
{
	if (len < FIPS_FMP_MIN_LEN || buf[0] != FIPS_FMP_ESTABLISHED)
		return -EPROTO;
	out->flags = buf[1];
	out->payload_len = fips_get_le16(buf + 2);
	out->receiver_idx = fips_get_le32(buf + FIPS_FMP_IDX_OFF);
	out->counter = fips_get_le64(buf + FIPS_FMP_CTR_OFF);
	return 0;
}

int fips_fmp_msg1_build(u8 *buf, size_t room, const struct fips_fmp_msg1 *msg1)
{
	if (room < FIPS_MSG1_LEN)
		return -ENOSPC;
	fips_put_prefix(buf, FIPS_FMP_MSG1, 0, FIPS_MSG1_LEN - FIPS_PREFIX_LEN);
	fips_put_le32(buf + 4, msg1->sender_idx);
	memcpy(buf + 8, msg1->noise, FIPS_NOISE_IK1_LEN);
	return FIPS_MSG1_LEN;
}

int fips_fmp_msg2_build(u8 *buf, size_t room, const struct fips_fmp_msg2 *msg2)
{
	if (room < FIPS_MSG2_LEN)
		return -ENOSPC;
	fips_put_prefix(buf, FIPS_FMP_MSG2, 0, FIPS_MSG2_LEN - FIPS_PREFIX_LEN);
	fips_put_le32(buf + 4, msg2->sender_idx);
	fips_put_le32(buf + 8, msg2->receiver_idx);
	memcpy(buf + 12, msg2->noise, FIPS_NOISE_IK2_LEN);
	return FIPS_MSG2_LEN;
}

int fips_fmp_header_build(u8 *buf, size_t room, const struct fips_fmp_header *hdr)
{
	if (room < FIPS_FMP_HDR_LEN)
		return -ENOSPC;
	fips_put_fmp_hdr(buf, hdr->flags, hdr->payload_len, hdr->receiver_idx, hdr->counter);
	return FIPS_FMP_HDR_LEN;
}

int fips_fmp_inner_parse(const u8 *buf, size_t len, struct fips_fmp_inner *out)
{
	if (len < FIPS_FMP_INNER_LEN)
		return -EPROTO;
	out->timestamp = fips_get_le32(buf);
	out->type = buf[4];
	out->msg = buf + 4;
	out->len = len - 4;
	return 0;
}

int fips_fmp_inner_build(u8 *buf, size_t room, u32 timestamp, const u8 *msg, size_t len)
{
	if (!len)
		return -EINVAL;
	if (room < 4 || room - 4 < len)
		return -ENOSPC;
	fips_put_le32(buf, timestamp);
	memcpy(buf + 4, msg, len);
	return (int)len + 4;
}

static void datagram_read(const u8 *msg, size_t len, struct fips_link_message *out)
{
	struct fips_datagram *dgram = &out->datagram;

	dgram->ttl = msg[FIPS_DGRAM_TTL_OFF];
	dgram->path_mtu = fips_get_le16(msg + FIPS_DGRAM_MTU_OFF);
	memcpy(dgram->src.b, msg + FIPS_DGRAM_SRC_OFF, FIPS_NODE_ADDR_LEN);
	memcpy(dgram->dst.b, msg + FIPS_DGRAM_DST_OFF, FIPS_NODE_ADDR_LEN);
	dgram->payload = msg + FIPS_DGRAM_HDR_LEN;
	dgram->len = len - FIPS_DGRAM_HDR_LEN;
}

static void disconnect_read(const u8 *msg, size_t len, struct fips_link_message *out)
{
	(void)len;
	out->reason = msg[1] <= FIPS_DISC_TIMEOUT ? msg[1] : FIPS_DISC_OTHER;
}

/**
 * struct link_codec - one type of link message (03 §2.5)
 * @type: &enum fips_link_msg
 * @min: shortest sound message, type byte included
 * @read: its codec; NULL if the body is handed on as it is
 */
struct link_codec {
	u8 type;
	u8 min;
	void (*read)(const u8 *msg, size_t len, struct fips_link_message *out);
};

static const struct link_codec link_codecs[] = {
	{ FIPS_LINK_DATAGRAM,		FIPS_DGRAM_HDR_LEN,	datagram_read },
	{ FIPS_LINK_SENDER_REPORT,	48,			NULL },
	{ FIPS_LINK_RECEIVER_REPORT,	68,			NULL },
	{ FIPS_LINK_TREE_ANNOUNCE,	1,			NULL },
	{ FIPS_LINK_FILTER_ANNOUNCE,	1,			NULL },
	{ FIPS_LINK_LOOKUP_REQUEST,	1,			NULL },
	{ FIPS_LINK_LOOKUP_RESPONSE,	1,			NULL },
	{ FIPS_LINK_DISCONNECT,		2,			disconnect_read },
	{ FIPS_LINK_HEARTBEAT,		1,			NULL },
};

int fips_link_message_parse(const u8 *msg, size_t len, struct fips_link_message *out)
{
	const struct link_codec *codec;
	size_t i;

	if (!len)
		return -EPROTO;
	for (i = 0; i < sizeof(link_codecs) / sizeof(link_codecs[0]); i++) {
		codec = &link_codecs[i];
		if (codec->type != msg[0])
			continue;
		if (len < codec->min)
			return -EPROTO;
		out->type = codec->type;
		out->body = msg + 1;
		out->len = len - 1;
		if (codec->read)
			codec->read(msg, len, out);
		return 0;
	}
	return -ENOMSG;
}

int fips_datagram_build(u8 *buf, size_t room, const struct fips_datagram *dgram)
{
	if (room < FIPS_DGRAM_HDR_LEN || room - FIPS_DGRAM_HDR_LEN < dgram->len)
		return -ENOSPC;
	buf[0] = FIPS_LINK_DATAGRAM;
	buf[FIPS_DGRAM_TTL_OFF] = dgram->ttl;
	fips_put_le16(buf + FIPS_DGRAM_MTU_OFF, dgram->path_mtu);
	memcpy(buf + FIPS_DGRAM_SRC_OFF, dgram->src.b, FIPS_NODE_ADDR_LEN);
	memcpy(buf + FIPS_DGRAM_DST_OFF, dgram->dst.b, FIPS_NODE_ADDR_LEN);
	if (dgram->len)
		memcpy(buf + FIPS_DGRAM_HDR_LEN, dgram->payload, dgram->len);
	return FIPS_DGRAM_HDR_LEN + (int)dgram->len;
}

int fips_disconnect_build(u8 *buf, size_t room, u8 reason)
{
	if (room < 2)
		return -ENOSPC;
	buf[0] = FIPS_LINK_DISCONNECT;
	buf[1] = reason;
	return 2;
}

int fips_heartbeat_build(u8 *buf, size_t room)
{
	if (room < 1)
		return -ENOSPC;
	buf[0] = FIPS_LINK_HEARTBEAT;
	return 1;
}

const char *fips_disconnect_reason_name(u8 reason)
{
	static const char *const names[] = {
		[FIPS_DISC_SHUTDOWN] = "Shutdown",
		[FIPS_DISC_RESTART] = "Restart",
		[FIPS_DISC_PROTOCOL_ERROR] = "ProtocolError",
		[FIPS_DISC_TRANSPORT_FAILURE] = "TransportFailure",
		[FIPS_DISC_RESOURCE_EXHAUSTION] = "ResourceExhaustion",
		[FIPS_DISC_SECURITY_VIOLATION] = "SecurityViolation",
		[FIPS_DISC_CONFIG_CHANGE] = "ConfigurationChange",
		[FIPS_DISC_TIMEOUT] = "Timeout",
	};

	return reason <= FIPS_DISC_TIMEOUT ? names[reason] : "Other";
}

int fips_fmp_seal(const u8 *key, const struct fips_fmp_header *hdr, u32 timestamp, const u8 *msg,
		  size_t len, u8 *buf, size_t room)
{
	u8 *plain = buf + FIPS_FMP_HDR_LEN;
	int plain_len, err;

	if (len > 65535 - FIPS_TAG_LEN - 4)
		return -EMSGSIZE;
	if (room < FIPS_FMP_MIN_LEN)
		return -ENOSPC;
	plain_len = fips_fmp_inner_build(plain, room - FIPS_FMP_MIN_LEN, timestamp, msg, len);
	if (plain_len < 0)
		return plain_len;
	fips_put_fmp_hdr(buf, hdr->flags, (u16)plain_len, hdr->receiver_idx, hdr->counter);
	err = fips_noise_seal(key, hdr->counter, buf, FIPS_FMP_HDR_LEN, plain, (size_t)plain_len,
			      plain);
	return err ? err : plain_len + FIPS_FMP_MIN_LEN;
}

int fips_fmp_open(const u8 *key, const u8 *frame, size_t len, u8 *plain, size_t room)
{
	struct fips_fmp_header hdr;
	int err = fips_fmp_header_parse(frame, len, &hdr);

	if (err)
		return err;
	if (hdr.payload_len != len - FIPS_FMP_MIN_LEN)
		return -EPROTO;
	if (room < hdr.payload_len)
		return -ENOSPC;
	err = fips_noise_open(key, hdr.counter, frame, FIPS_FMP_HDR_LEN, frame + FIPS_FMP_HDR_LEN,
			      len - FIPS_FMP_HDR_LEN, plain);
	return err ? err : hdr.payload_len;
}
