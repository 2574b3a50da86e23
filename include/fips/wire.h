/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Numbers of the wire: link frames (FMP, spec 03 §2), datagrams and
 * end-to-end messages (FSP, spec 08 §2), the IPv6 shim (spec 09 §2).
 *
 * Offsets and sizes only; the accessors of the frames that both data planes
 * parse stand at the end. All integers on the wire are little-endian.
 */
#ifndef _FIPS_WIRE_H
#define _FIPS_WIRE_H

#include <fips/types.h>

#define FIPS_VERSION_0		0

/* Common prefix, FMP and FSP alike: ver/phase, flags, payload_len u16 */
#define FIPS_PREFIX_LEN		4

enum fips_fmp_phase {
	FIPS_FMP_ESTABLISHED	= 0x0,
	FIPS_FMP_MSG1		= 0x1,
	FIPS_FMP_MSG2		= 0x2,
};

/* FMP established: prefix, receiver_idx u32, counter u64 | ciphertext | tag */
#define FIPS_FMP_IDX_OFF	4
#define FIPS_FMP_CTR_OFF	8
#define FIPS_FMP_HDR_LEN	16
#define FIPS_FMP_INNER_LEN	5	/* timestamp u32, msg_type u8 */
#define FIPS_FMP_MIN_LEN	(FIPS_FMP_HDR_LEN + FIPS_TAG_LEN)
#define FIPS_FMP_OVERHEAD	(FIPS_FMP_HDR_LEN + FIPS_FMP_INNER_LEN + FIPS_TAG_LEN)

#define FIPS_FMP_FLAG_K		0x01
#define FIPS_FMP_FLAG_CE	0x02
#define FIPS_FMP_FLAG_SP	0x04

#define FIPS_MSG1_LEN		114
#define FIPS_MSG2_LEN		69
#define FIPS_NOISE_IK1_LEN	106
#define FIPS_NOISE_IK2_LEN	57
#define FIPS_NOISE_XK1_LEN	33
#define FIPS_NOISE_XK2_LEN	57
#define FIPS_NOISE_XK3_LEN	73
#define FIPS_EPOCH_LEN		8

enum fips_link_msg {
	FIPS_LINK_DATAGRAM		= 0x00,
	FIPS_LINK_SENDER_REPORT		= 0x01,
	FIPS_LINK_RECEIVER_REPORT	= 0x02,
	FIPS_LINK_TREE_ANNOUNCE		= 0x10,
	FIPS_LINK_FILTER_ANNOUNCE	= 0x20,
	FIPS_LINK_LOOKUP_REQUEST	= 0x30,
	FIPS_LINK_LOOKUP_RESPONSE	= 0x31,
	FIPS_LINK_DISCONNECT		= 0x50,
	FIPS_LINK_HEARTBEAT		= 0x51,
};

enum fips_disconnect_reason {
	FIPS_DISC_SHUTDOWN		= 0x00,
	FIPS_DISC_RESTART		= 0x01,
	FIPS_DISC_PROTOCOL_ERROR	= 0x02,
	FIPS_DISC_TRANSPORT_FAILURE	= 0x03,
	FIPS_DISC_RESOURCE_EXHAUSTION	= 0x04,
	FIPS_DISC_SECURITY_VIOLATION	= 0x05,
	FIPS_DISC_CONFIG_CHANGE		= 0x06,
	FIPS_DISC_TIMEOUT		= 0x07,
	FIPS_DISC_OTHER			= 0xff,
};

/* SessionDatagram as link message: type 0x00, ttl, path_mtu u16, src, dest | payload */
#define FIPS_DGRAM_TTL_OFF	1
#define FIPS_DGRAM_MTU_OFF	2
#define FIPS_DGRAM_SRC_OFF	4
#define FIPS_DGRAM_DST_OFF	20
#define FIPS_DGRAM_HDR_LEN	36	/* with the type byte */

enum fips_fsp_phase {
	FIPS_FSP_ESTABLISHED	= 0x0,
	FIPS_FSP_SETUP		= 0x1,
	FIPS_FSP_ACK		= 0x2,
	FIPS_FSP_MSG3		= 0x3,
};

/* FSP encrypted: prefix, counter u64 | [coordinates] | ciphertext | tag */
#define FIPS_FSP_CTR_OFF	4
#define FIPS_FSP_HDR_LEN	12
#define FIPS_FSP_INNER_LEN	6	/* timestamp u32, msg_type u8, inner_flags u8 */
#define FIPS_FSP_MIN_LEN	(FIPS_FSP_HDR_LEN + FIPS_TAG_LEN)
#define FIPS_FSP_PORTS_LEN	4	/* src_port u16, dst_port u16 of Data */

#define FIPS_FSP_FLAG_CP	0x01
#define FIPS_FSP_FLAG_K		0x02
#define FIPS_FSP_FLAG_U		0x04

#define FIPS_FSP_INNER_SPIN	0x01

enum fips_fsp_msg {
	FIPS_FSP_DATA			= 0x10,
	FIPS_FSP_SENDER_REPORT		= 0x11,
	FIPS_FSP_RECEIVER_REPORT	= 0x12,
	FIPS_FSP_PATH_MTU		= 0x13,
	FIPS_FSP_COORDS_WARMUP		= 0x14,
};

enum fips_fsp_signal {
	FIPS_FSP_COORDS_REQUIRED	= 0x20,
	FIPS_FSP_PATH_BROKEN		= 0x21,
	FIPS_FSP_MTU_EXCEEDED		= 0x22,
};

#define FIPS_PORT_IPV6		256
#define FIPS_SHIM_LEN		7
#define FIPS_SHIM_FORMAT_0	0x00
#define FIPS_IPV6_HDR_LEN	40

/* Frame bytes around an FSP message body, and around an IPv6 packet (spec 09 §8.2) */
#define FIPS_OVERHEAD		106
#define FIPS_IPV6_OVERHEAD	77
#define FIPS_MTU_FLOOR		256	/* remote path_mtu claims below this are ignored */
#define FIPS_MTU_UNKNOWN	65535
#define FIPS_DEFAULT_TTL	64

#define FIPS_REPLAY_WINDOW	2048
#define FIPS_COUNTER_NEVER	(~(u64)0)	/* 2^64-1 is never sealed with (spec 02 §9) */

static inline u8 fips_prefix_version(const u8 *p)
{
	return p[0] >> 4;
}

static inline u8 fips_prefix_phase(const u8 *p)
{
	return p[0] & 0x0f;
}

static inline void fips_put_prefix(u8 *p, u8 phase, u8 flags, u16 payload_len)
{
	p[0] = phase;
	p[1] = flags;
	fips_put_le16(p + 2, payload_len);
}

/**
 * fips_put_fmp_hdr() - header of an established link frame (spec 03 §2.4)
 * @p: %FIPS_FMP_HDR_LEN bytes, written
 * @flags: FIPS_FMP_FLAG_*
 * @plain_len: plaintext length, the inner header included
 * @idx: receiver index, as the peer chose it
 * @ctr: send counter
 */
static inline void fips_put_fmp_hdr(u8 *p, u8 flags, u16 plain_len, u32 idx, u64 ctr)
{
	fips_put_prefix(p, FIPS_FMP_ESTABLISHED, flags, plain_len);
	fips_put_le32(p + FIPS_FMP_IDX_OFF, idx);
	fips_put_le64(p + FIPS_FMP_CTR_OFF, ctr);
}

/**
 * fips_put_fsp_hdr() - header of an encrypted session message (spec 08 §2.6)
 * @p: %FIPS_FSP_HDR_LEN bytes, written
 * @flags: FIPS_FSP_FLAG_*
 * @plain_len: plaintext length, the inner header included, without coordinates
 * @ctr: send counter
 */
static inline void fips_put_fsp_hdr(u8 *p, u8 flags, u16 plain_len, u64 ctr)
{
	fips_put_prefix(p, FIPS_FSP_ESTABLISHED, flags, plain_len);
	fips_put_le64(p + FIPS_FSP_CTR_OFF, ctr);
}

/**
 * fips_put_nonce() - AEAD nonce of a counter: four zero bytes, then u64 LE (spec 02 §2)
 * @nonce: 12 bytes, written
 * @ctr: counter
 */
static inline void fips_put_nonce(u8 *nonce, u64 ctr)
{
	fips_put_le32(nonce, 0);
	fips_put_le64(nonce + 4, ctr);
}

/**
 * enum fips_frame_class - what the single dispatch point makes of a datagram
 * @FIPS_FRAME_ESTABLISHED: header complete and consistent, look the index up
 * @FIPS_FRAME_HANDSHAKE: msg1 or msg2 of the right length, for the control plane
 * @FIPS_FRAME_SHORT: fewer than 4 bytes, or an established frame below 32
 * @FIPS_FRAME_VERSION: version nibble is not 0 (may be STUN or a punch probe)
 * @FIPS_FRAME_LENGTH: payload_len does not match
 * @FIPS_FRAME_PHASE: unknown phase
 */
enum fips_frame_class {
	FIPS_FRAME_ESTABLISHED,
	FIPS_FRAME_HANDSHAKE,
	FIPS_FRAME_SHORT,
	FIPS_FRAME_VERSION,
	FIPS_FRAME_LENGTH,
	FIPS_FRAME_PHASE,
};

/**
 * fips_classify() - the checks before phase dispatch (spec 03 §2.2, §4.1; 10 §1.7)
 * @p: at least the first 4 bytes of the datagram (less only if @len is less)
 * @len: length of the whole datagram
 */
static inline enum fips_frame_class fips_classify(const u8 *p, size_t len)
{
	u16 payload_len;

	if (len < FIPS_PREFIX_LEN)
		return FIPS_FRAME_SHORT;
	if (fips_prefix_version(p) != FIPS_VERSION_0)
		return FIPS_FRAME_VERSION;
	payload_len = fips_get_le16(p + 2);
	switch (fips_prefix_phase(p)) {
	case FIPS_FMP_ESTABLISHED:
		if (len < FIPS_FMP_MIN_LEN)
			return FIPS_FRAME_SHORT;
		return payload_len == len - FIPS_FMP_MIN_LEN ? FIPS_FRAME_ESTABLISHED :
							       FIPS_FRAME_LENGTH;
	case FIPS_FMP_MSG1:
		return len == FIPS_MSG1_LEN && payload_len == FIPS_MSG1_LEN - FIPS_PREFIX_LEN ?
			       FIPS_FRAME_HANDSHAKE : FIPS_FRAME_LENGTH;
	case FIPS_FMP_MSG2:
		return len == FIPS_MSG2_LEN && payload_len == FIPS_MSG2_LEN - FIPS_PREFIX_LEN ?
			       FIPS_FRAME_HANDSHAKE : FIPS_FRAME_LENGTH;
	default:
		return FIPS_FRAME_PHASE;
	}
}

#endif /* _FIPS_WIRE_H */
