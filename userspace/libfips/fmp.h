/* SPDX-License-Identifier: MIT */
/*
 * Codecs of the link layer (spec 03 §2, and the SessionDatagram of 08 §1).
 *
 * Parsers check lengths before contents and fill host-order structs that
 * borrow from the input. Results: 0; -EPROTO, the input is malformed and is
 * dropped; -ENOMSG, it is sound but of an unknown kind and is ignored.
 * Builders return the length written or -ENOSPC.
 */
#ifndef _LIBFIPS_FMP_H
#define _LIBFIPS_FMP_H

#include <fips/wire.h>

/**
 * struct fips_fmp_prefix - first four bytes of every link packet (03 §2.1)
 * @version: only 0 exists
 * @phase: &enum fips_fmp_phase
 * @flags: FIPS_FMP_FLAG_*, and reserved bits as received
 * @payload_len: meaning depends on @phase
 */
struct fips_fmp_prefix {
	u8 version;
	u8 phase;
	u8 flags;
	u16 payload_len;
};

/**
 * struct fips_fmp_msg1 - handshake packet of the initiator (03 §2.6)
 * @sender_idx: index the initiator wants to be addressed by
 * @noise: %FIPS_NOISE_IK1_LEN bytes, borrowed
 */
struct fips_fmp_msg1 {
	u32 sender_idx;
	const u8 *noise;
};

/**
 * struct fips_fmp_msg2 - answer of the responder (03 §2.6)
 * @sender_idx: the responder's index
 * @receiver_idx: echo of the initiator's
 * @noise: %FIPS_NOISE_IK2_LEN bytes, borrowed
 */
struct fips_fmp_msg2 {
	u32 sender_idx;
	u32 receiver_idx;
	const u8 *noise;
};

/**
 * struct fips_fmp_header - header of an established frame (03 §2.4)
 * @flags: FIPS_FMP_FLAG_*; reserved bits are ignored
 * @payload_len: plaintext length as the header says
 * @receiver_idx: whose
 * @counter: nonce
 */
struct fips_fmp_header {
	u8 flags;
	u16 payload_len;
	u32 receiver_idx;
	u64 counter;
};

/**
 * struct fips_fmp_inner - opened plaintext of a frame (03 §2.5)
 * @timestamp: ms since the sender's session start
 * @type: &enum fips_link_msg, or unknown
 * @msg: the message from its type byte on, borrowed
 * @len: its length, type byte included
 */
struct fips_fmp_inner {
	u32 timestamp;
	u8 type;
	const u8 *msg;
	size_t len;
};

/**
 * struct fips_datagram - SessionDatagram, link message 0x00 (08 §1)
 * @ttl: hops left
 * @path_mtu: smallest link so far
 * @src: chosen by the sender, authenticated by nothing but the session inside
 * @dst: destination
 * @payload: FSP message, borrowed
 * @len: its length
 */
struct fips_datagram {
	u8 ttl;
	u16 path_mtu;
	struct fips_node_addr src;
	struct fips_node_addr dst;
	const u8 *payload;
	size_t len;
};

/**
 * struct fips_link_message - any link message
 * @type: &enum fips_link_msg
 * @datagram: of 0x00
 * @reason: of 0x50, &enum fips_disconnect_reason; unknown codes read as Other
 * @body: after the type byte, for types whose codecs live elsewhere
 * @len: of @body
 */
struct fips_link_message {
	u8 type;
	union {
		struct fips_datagram datagram;
		u8 reason;
	};
	const u8 *body;
	size_t len;
};

int fips_fmp_prefix_parse(const u8 *buf, size_t len, struct fips_fmp_prefix *out);

/* These three look at their own header only; the payload_len is fips_classify()'s (03 §2.2). */
int fips_fmp_msg1_parse(const u8 *buf, size_t len, struct fips_fmp_msg1 *out);
int fips_fmp_msg2_parse(const u8 *buf, size_t len, struct fips_fmp_msg2 *out);
int fips_fmp_header_parse(const u8 *buf, size_t len, struct fips_fmp_header *out);

int fips_fmp_msg1_build(u8 *buf, size_t room, const struct fips_fmp_msg1 *msg1);
int fips_fmp_msg2_build(u8 *buf, size_t room, const struct fips_fmp_msg2 *msg2);
int fips_fmp_header_build(u8 *buf, size_t room, const struct fips_fmp_header *hdr);

/* Plaintext of a frame: timestamp, then a message of at least its type byte. */
int fips_fmp_inner_parse(const u8 *buf, size_t len, struct fips_fmp_inner *out);
int fips_fmp_inner_build(u8 *buf, size_t room, u32 timestamp, const u8 *msg, size_t len);

/**
 * fips_link_message_parse() - read a link message
 * @msg: from its type byte on
 * @len: type byte included
 * @out: borrows from @msg
 *
 * Bytes behind a complete message are ignored.
 *
 * Return: 0, -EPROTO (too short for its type) or -ENOMSG (unknown type).
 */
int fips_link_message_parse(const u8 *msg, size_t len, struct fips_link_message *out);

int fips_datagram_build(u8 *buf, size_t room, const struct fips_datagram *dgram);
int fips_disconnect_build(u8 *buf, size_t room, u8 reason);
int fips_heartbeat_build(u8 *buf, size_t room);
const char *fips_disconnect_reason_name(u8 reason);

/**
 * fips_fmp_seal() - build a whole established frame
 * @key: 32 bytes
 * @hdr: flags, index and counter; @hdr->payload_len is computed
 * @timestamp: of the inner header
 * @msg: message from its type byte on; must not lie in @buf
 * @len: its length
 * @buf: written
 * @room: its size
 *
 * Return: length of the frame, -ENOSPC, -EMSGSIZE or -EOVERFLOW (counter used up).
 */
int fips_fmp_seal(const u8 *key, const struct fips_fmp_header *hdr, u32 timestamp, const u8 *msg,
		  size_t len, u8 *buf, size_t room);

/**
 * fips_fmp_open() - open a whole established frame
 * @key: 32 bytes
 * @frame: frame
 * @len: its length
 * @plain: plaintext, @len - %FIPS_FMP_MIN_LEN bytes are written; may be @frame + %FIPS_FMP_HDR_LEN
 * @room: its size
 *
 * Return: plaintext length, -EPROTO (header, payload_len), -ENOSPC or -EBADMSG (tag).
 */
int fips_fmp_open(const u8 *key, const u8 *frame, size_t len, u8 *plain, size_t room);

#endif /* _LIBFIPS_FMP_H */
