/* SPDX-License-Identifier: MIT */
/*
 * Codecs of the session layer (spec 08 §2).
 *
 * Results as in fmp.h. A version other than 0 is refused everywhere.
 */
#ifndef _LIBFIPS_FSP_H
#define _LIBFIPS_FSP_H

#include <fips/wire.h>
#include "coords.h"

/**
 * enum fips_fsp_kind - what a message is, by its prefix
 * @FIPS_FSP_KIND_ENCRYPTED: fips_fsp_header_parse()
 * @FIPS_FSP_KIND_SIGNAL: fips_fsp_signal_parse()
 * @FIPS_FSP_KIND_HANDSHAKE: fips_fsp_handshake_parse()
 */
enum fips_fsp_kind {
	FIPS_FSP_KIND_ENCRYPTED,
	FIPS_FSP_KIND_SIGNAL,
	FIPS_FSP_KIND_HANDSHAKE,
};

#define FIPS_FSP_SETUP_REQUEST_ACK	0x01
#define FIPS_FSP_SETUP_BIDIRECTIONAL	0x02

/**
 * struct fips_fsp_handshake - SessionSetup, SessionAck or SessionMsg3 (08 §2.3-§2.5)
 * @phase: &enum fips_fsp_phase
 * @flags: session flags of a Setup (FIPS_FSP_SETUP_*); reserved in the others
 * @src: sender's coordinates; not in Msg3
 * @dst: receiver's coordinates; not in Msg3
 * @noise: XK message, borrowed; its length follows from @phase, see fips_fsp_noise_len()
 */
struct fips_fsp_handshake {
	u8 phase;
	u8 flags;
	struct fips_coords src;
	struct fips_coords dst;
	const u8 *noise;
};

/**
 * struct fips_fsp_header - an encrypted message, still sealed (08 §2.6)
 * @flags: FIPS_FSP_FLAG_*; reserved bits as received
 * @payload_len: plaintext length as the header says
 * @counter: nonce
 * @src: with CP: sender's coordinates, authenticated by nothing; count 0 = absent
 * @dst: with CP: receiver's
 * @sealed: ciphertext and tag, borrowed
 * @sealed_len: at least the tag
 */
struct fips_fsp_header {
	u8 flags;
	u16 payload_len;
	u64 counter;
	struct fips_coords src;
	struct fips_coords dst;
	const u8 *sealed;
	size_t sealed_len;
};

/**
 * struct fips_fsp_inner - opened plaintext (08 §2.6)
 * @timestamp: ms since the sender's session start
 * @type: &enum fips_fsp_msg, or unknown
 * @flags: %FIPS_FSP_INNER_SPIN
 * @body: borrowed
 * @len: its length
 */
struct fips_fsp_inner {
	u32 timestamp;
	u8 type;
	u8 flags;
	const u8 *body;
	size_t len;
};

/**
 * struct fips_fsp_data - body of a Data message
 * @src_port: sending service
 * @dst_port: receiving service
 * @payload: borrowed
 * @len: its length
 */
struct fips_fsp_data {
	u16 src_port;
	u16 dst_port;
	const u8 *payload;
	size_t len;
};

/**
 * struct fips_fsp_signal_msg - plaintext routing signal (08 §2.7)
 * @type: %FIPS_FSP_COORDS_REQUIRED, %FIPS_FSP_PATH_BROKEN or %FIPS_FSP_MTU_EXCEEDED
 * @dst: the destination it is about
 * @reporter: router that says so
 * @coords: of PathBroken: last known coordinates of @dst, may be absent
 * @mtu: of MtuExceeded
 */
struct fips_fsp_signal_msg {
	u8 type;
	struct fips_node_addr dst;
	struct fips_node_addr reporter;
	struct fips_coords coords;
	u16 mtu;
};

/* Return: &enum fips_fsp_kind, -EPROTO (short, version) or -ENOMSG (unknown phase). */
int fips_fsp_kind(const u8 *buf, size_t len);

/* Length of the XK message that a phase carries; 0 for other phases. */
size_t fips_fsp_noise_len(u8 phase);

/* Bytes behind the Noise message are ignored. */
int fips_fsp_handshake_parse(const u8 *buf, size_t len, struct fips_fsp_handshake *out);
/* Return: length, -ENOSPC, -EINVAL (phase, or a list is empty) or -EMSGSIZE. */
int fips_fsp_handshake_build(u8 *buf, size_t room, const struct fips_fsp_handshake *hs);

int fips_fsp_header_parse(const u8 *buf, size_t len, struct fips_fsp_header *out);
int fips_fsp_inner_parse(const u8 *buf, size_t len, struct fips_fsp_inner *out);
int fips_fsp_data_parse(const u8 *body, size_t len, struct fips_fsp_data *out);
int fips_fsp_path_mtu_parse(const u8 *body, size_t len, u16 *mtu);

/* Plaintexts, inner header included. Return: length or -ENOSPC. */
int fips_fsp_inner_build(u8 *buf, size_t room, const struct fips_fsp_inner *inner);
int fips_fsp_data_build(u8 *buf, size_t room, u32 timestamp, u8 inner_flags,
			const struct fips_fsp_data *data);
int fips_fsp_path_mtu_build(u8 *buf, size_t room, u32 timestamp, u8 inner_flags, u16 mtu);
int fips_fsp_warmup_build(u8 *buf, size_t room, u32 timestamp, u8 inner_flags);

/* Return: 0, -EPROTO or -ENOMSG (unknown type). */
int fips_fsp_signal_parse(const u8 *buf, size_t len, struct fips_fsp_signal_msg *out);
/* Return: length, -EINVAL (type), -ENOSPC or -EMSGSIZE. */
int fips_fsp_signal_build(u8 *buf, size_t room, const struct fips_fsp_signal_msg *sig);
const char *fips_fsp_signal_name(u8 type);

/**
 * fips_fsp_seal() - build a whole encrypted message
 * @key: 32 bytes
 * @hdr: flags and counter, with CP also the lists; payload_len and sealed are computed
 * @plain: plaintext, inner header included; must not lie in @buf
 * @len: its length
 * @buf: written
 * @room: its size
 *
 * Return: length, -ENOSPC, -EMSGSIZE or -EOVERFLOW (counter used up).
 */
int fips_fsp_seal(const u8 *key, const struct fips_fsp_header *hdr, const u8 *plain, size_t len,
		  u8 *buf, size_t room);

/**
 * fips_fsp_open() - open a message
 * @key: 32 bytes
 * @msg: message that @hdr was parsed from
 * @hdr: its header
 * @plain: written; may be the place of the ciphertext
 * @room: its size
 *
 * Return: plaintext length, -EPROTO (payload_len lies), -ENOSPC or -EBADMSG (tag).
 */
int fips_fsp_open(const u8 *key, const u8 *msg, const struct fips_fsp_header *hdr, u8 *plain,
		  size_t room);

#endif /* _LIBFIPS_FSP_H */
