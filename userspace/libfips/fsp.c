// SPDX-License-Identifier: MIT
/*
 * Codecs of the session layer (spec 08 §2).
 */
#include "fsp.h"

#include <errno.h>
#include "noise.h"

int fips_fsp_kind(const u8 *buf, size_t len)
{
	if (len < FIPS_PREFIX_LEN || fips_prefix_version(buf) != FIPS_VERSION_0)
		return -EPROTO;
	switch (fips_prefix_phase(buf)) {
	case FIPS_FSP_ESTABLISHED:
		return buf[1] & FIPS_FSP_FLAG_U ? FIPS_FSP_KIND_SIGNAL : FIPS_FSP_KIND_ENCRYPTED;
	case FIPS_FSP_SETUP:
	case FIPS_FSP_ACK:
	case FIPS_FSP_MSG3:
		return FIPS_FSP_KIND_HANDSHAKE;
	default:
		return -ENOMSG;
	}
}

/**
 * struct handshake_codec - what differs between the three handshake messages
 * @noise_len: length of the XK message; 0 = no such phase
 * @has_coords: two lists, neither empty
 */
struct handshake_codec {
	u8 noise_len;
	bool has_coords;
};

static const struct handshake_codec *handshake_codec(u8 phase)
{
	static const struct handshake_codec codecs[] = {
		[FIPS_FSP_SETUP] = { FIPS_NOISE_XK1_LEN, true },
		[FIPS_FSP_ACK] = { FIPS_NOISE_XK2_LEN, true },
		[FIPS_FSP_MSG3] = { FIPS_NOISE_XK3_LEN, false },
	};

	return phase <= FIPS_FSP_MSG3 ? &codecs[phase] : &codecs[FIPS_FSP_ESTABLISHED];
}

size_t fips_fsp_noise_len(u8 phase)
{
	return handshake_codec(phase)->noise_len;
}

/* Source, then destination. Return: bytes consumed or -EPROTO. */
static int coords_pair_parse(const u8 *buf, size_t len, bool may_be_empty,
			     struct fips_coords *src, struct fips_coords *dst)
{
	int n = fips_coords_parse(buf, len, may_be_empty, src);
	int m;

	if (n < 0)
		return n;
	m = fips_coords_parse(buf + n, len - (size_t)n, may_be_empty, dst);
	return m < 0 ? m : n + m;
}

static int coords_pair_build(u8 *buf, size_t room, const struct fips_coords *src,
			     const struct fips_coords *dst)
{
	int n = fips_coords_build(buf, room, src);
	int m;

	if (n < 0)
		return n;
	m = fips_coords_build(buf + n, room - (size_t)n, dst);
	return m < 0 ? m : n + m;
}

int fips_fsp_handshake_parse(const u8 *buf, size_t len, struct fips_fsp_handshake *out)
{
	struct fips_fsp_handshake hs = { 0 };
	const struct handshake_codec *codec;
	size_t off = FIPS_PREFIX_LEN + 1;
	int n;

	if (fips_fsp_kind(buf, len) != FIPS_FSP_KIND_HANDSHAKE || len < off)
		return -EPROTO;
	hs.phase = fips_prefix_phase(buf);
	hs.flags = buf[FIPS_PREFIX_LEN];
	codec = handshake_codec(hs.phase);
	if (codec->has_coords) {
		n = coords_pair_parse(buf + off, len - off, false, &hs.src, &hs.dst);
		if (n < 0)
			return n;
		off += (size_t)n;
	}
	if (len - off < 2 || fips_get_le16(buf + off) != codec->noise_len ||
	    len - off - 2 < codec->noise_len)
		return -EPROTO;
	hs.noise = buf + off + 2;
	*out = hs;
	return 0;
}

int fips_fsp_handshake_build(u8 *buf, size_t room, const struct fips_fsp_handshake *hs)
{
	const struct handshake_codec *codec = handshake_codec(hs->phase);
	size_t len = FIPS_PREFIX_LEN + 1 + 2 + codec->noise_len;
	u8 *p = buf + FIPS_PREFIX_LEN;

	if (!codec->noise_len || (codec->has_coords && (!hs->src.count || !hs->dst.count)))
		return -EINVAL;
	if (codec->has_coords)
		len += fips_coords_size(&hs->src) + fips_coords_size(&hs->dst);
	if (len - FIPS_PREFIX_LEN > 65535)
		return -EMSGSIZE;
	if (room < len)
		return -ENOSPC;
	fips_put_prefix(buf, hs->phase, 0, (u16)(len - FIPS_PREFIX_LEN));
	*p++ = hs->flags;
	if (codec->has_coords)
		p += coords_pair_build(p, (size_t)(buf + room - p), &hs->src, &hs->dst);
	fips_put_le16(p, codec->noise_len);
	memcpy(p + 2, hs->noise, codec->noise_len);
	return (int)len;
}

int fips_fsp_header_parse(const u8 *buf, size_t len, struct fips_fsp_header *out)
{
	struct fips_fsp_header hdr = { 0 };
	size_t off = FIPS_FSP_HDR_LEN;
	int n;

	if (len < FIPS_FSP_MIN_LEN || fips_fsp_kind(buf, len) != FIPS_FSP_KIND_ENCRYPTED)
		return -EPROTO;
	hdr.flags = buf[1];
	hdr.payload_len = fips_get_le16(buf + 2);
	hdr.counter = fips_get_le64(buf + FIPS_FSP_CTR_OFF);
	if (hdr.flags & FIPS_FSP_FLAG_CP) {
		n = coords_pair_parse(buf + off, len - off, true, &hdr.src, &hdr.dst);
		if (n < 0)
			return n;
		off += (size_t)n;
	}
	if (len - off < FIPS_TAG_LEN)
		return -EPROTO;
	hdr.sealed = buf + off;
	hdr.sealed_len = len - off;
	*out = hdr;
	return 0;
}

int fips_fsp_inner_parse(const u8 *buf, size_t len, struct fips_fsp_inner *out)
{
	if (len < FIPS_FSP_INNER_LEN)
		return -EPROTO;
	out->timestamp = fips_get_le32(buf);
	out->type = buf[4];
	out->flags = buf[5];
	out->body = buf + FIPS_FSP_INNER_LEN;
	out->len = len - FIPS_FSP_INNER_LEN;
	return 0;
}

int fips_fsp_data_parse(const u8 *body, size_t len, struct fips_fsp_data *out)
{
	if (len < FIPS_FSP_PORTS_LEN)
		return -EPROTO;
	out->src_port = fips_get_le16(body);
	out->dst_port = fips_get_le16(body + 2);
	out->payload = body + FIPS_FSP_PORTS_LEN;
	out->len = len - FIPS_FSP_PORTS_LEN;
	return 0;
}

int fips_fsp_path_mtu_parse(const u8 *body, size_t len, u16 *mtu)
{
	if (len < 2)
		return -EPROTO;
	*mtu = fips_get_le16(body);
	return 0;
}

static int inner_header_build(u8 *buf, size_t room, u32 timestamp, u8 type, u8 flags,
			      size_t body_len)
{
	if (room < FIPS_FSP_INNER_LEN || room - FIPS_FSP_INNER_LEN < body_len)
		return -ENOSPC;
	fips_put_le32(buf, timestamp);
	buf[4] = type;
	buf[5] = flags;
	return FIPS_FSP_INNER_LEN + (int)body_len;
}

int fips_fsp_inner_build(u8 *buf, size_t room, const struct fips_fsp_inner *inner)
{
	int len = inner_header_build(buf, room, inner->timestamp, inner->type, inner->flags,
				     inner->len);

	if (len > FIPS_FSP_INNER_LEN)
		memcpy(buf + FIPS_FSP_INNER_LEN, inner->body, inner->len);
	return len;
}

int fips_fsp_data_build(u8 *buf, size_t room, u32 timestamp, u8 inner_flags,
			const struct fips_fsp_data *data)
{
	u8 *body = buf + FIPS_FSP_INNER_LEN;
	int len = inner_header_build(buf, room, timestamp, FIPS_FSP_DATA, inner_flags,
				     data->len + FIPS_FSP_PORTS_LEN);

	if (len < 0)
		return len;
	fips_put_le16(body, data->src_port);
	fips_put_le16(body + 2, data->dst_port);
	if (data->len)
		memcpy(body + FIPS_FSP_PORTS_LEN, data->payload, data->len);
	return len;
}

int fips_fsp_path_mtu_build(u8 *buf, size_t room, u32 timestamp, u8 inner_flags, u16 mtu)
{
	int len = inner_header_build(buf, room, timestamp, FIPS_FSP_PATH_MTU, inner_flags, 2);

	if (len > 0)
		fips_put_le16(buf + FIPS_FSP_INNER_LEN, mtu);
	return len;
}

int fips_fsp_warmup_build(u8 *buf, size_t room, u32 timestamp, u8 inner_flags)
{
	return inner_header_build(buf, room, timestamp, FIPS_FSP_COORDS_WARMUP, inner_flags, 0);
}

/* After the prefix: type, reserved, destination, reporter, then what the type adds (08 §2.7) */
#define SIG_DST_OFF	(FIPS_PREFIX_LEN + 2)
#define SIG_REP_OFF	(SIG_DST_OFF + FIPS_NODE_ADDR_LEN)
#define SIG_HDR_LEN	(SIG_REP_OFF + FIPS_NODE_ADDR_LEN)

/**
 * struct signal_codec - one routing signal
 * @name: as in the specification
 * @read: what follows the common part: bytes consumed or -EPROTO
 * @size: length of the same
 * @write: write it; there is room
 */
struct signal_codec {
	const char *name;
	int (*read)(const u8 *buf, size_t len, struct fips_fsp_signal_msg *out);
	size_t (*size)(const struct fips_fsp_signal_msg *sig);
	void (*write)(u8 *buf, const struct fips_fsp_signal_msg *sig);
};

static int coords_required_read(const u8 *buf, size_t len, struct fips_fsp_signal_msg *out)
{
	(void)buf;
	(void)len;
	(void)out;
	return 0;
}

static size_t coords_required_size(const struct fips_fsp_signal_msg *sig)
{
	(void)sig;
	return 0;
}

static void coords_required_write(u8 *buf, const struct fips_fsp_signal_msg *sig)
{
	(void)buf;
	(void)sig;
}

static int path_broken_read(const u8 *buf, size_t len, struct fips_fsp_signal_msg *out)
{
	return fips_coords_parse(buf, len, true, &out->coords);
}

static size_t path_broken_size(const struct fips_fsp_signal_msg *sig)
{
	return fips_coords_size(&sig->coords);
}

static void path_broken_write(u8 *buf, const struct fips_fsp_signal_msg *sig)
{
	fips_coords_build(buf, path_broken_size(sig), &sig->coords);
}

static int mtu_exceeded_read(const u8 *buf, size_t len, struct fips_fsp_signal_msg *out)
{
	return fips_fsp_path_mtu_parse(buf, len, &out->mtu);
}

static size_t mtu_exceeded_size(const struct fips_fsp_signal_msg *sig)
{
	(void)sig;
	return 2;
}

static void mtu_exceeded_write(u8 *buf, const struct fips_fsp_signal_msg *sig)
{
	fips_put_le16(buf, sig->mtu);
}

static const struct signal_codec *signal_codec(u8 type)
{
	static const struct signal_codec codecs[] = {
		{ "CoordsRequired", coords_required_read, coords_required_size,
		  coords_required_write },
		{ "PathBroken", path_broken_read, path_broken_size, path_broken_write },
		{ "MtuExceeded", mtu_exceeded_read, mtu_exceeded_size, mtu_exceeded_write },
	};

	if (type < FIPS_FSP_COORDS_REQUIRED || type > FIPS_FSP_MTU_EXCEEDED)
		return NULL;
	return &codecs[type - FIPS_FSP_COORDS_REQUIRED];
}

const char *fips_fsp_signal_name(u8 type)
{
	const struct signal_codec *codec = signal_codec(type);

	return codec ? codec->name : "unknown";
}

int fips_fsp_signal_parse(const u8 *buf, size_t len, struct fips_fsp_signal_msg *out)
{
	struct fips_fsp_signal_msg sig = { 0 };
	const struct signal_codec *codec;
	int n;

	if (fips_fsp_kind(buf, len) != FIPS_FSP_KIND_SIGNAL || len <= FIPS_PREFIX_LEN)
		return -EPROTO;
	codec = signal_codec(buf[FIPS_PREFIX_LEN]);
	if (!codec)
		return -ENOMSG;
	if (len < SIG_HDR_LEN)
		return -EPROTO;
	sig.type = buf[FIPS_PREFIX_LEN];
	memcpy(sig.dst.b, buf + SIG_DST_OFF, FIPS_NODE_ADDR_LEN);
	memcpy(sig.reporter.b, buf + SIG_REP_OFF, FIPS_NODE_ADDR_LEN);
	n = codec->read(buf + SIG_HDR_LEN, len - SIG_HDR_LEN, &sig);
	if (n < 0)
		return n;
	*out = sig;
	return 0;
}

int fips_fsp_signal_build(u8 *buf, size_t room, const struct fips_fsp_signal_msg *sig)
{
	const struct signal_codec *codec = signal_codec(sig->type);
	size_t len;

	if (!codec)
		return -EINVAL;
	len = SIG_HDR_LEN + codec->size(sig);
	if (len - FIPS_PREFIX_LEN > 65535)
		return -EMSGSIZE;
	if (room < len)
		return -ENOSPC;
	fips_put_prefix(buf, FIPS_FSP_ESTABLISHED, FIPS_FSP_FLAG_U, (u16)(len - FIPS_PREFIX_LEN));
	buf[FIPS_PREFIX_LEN] = sig->type;
	buf[FIPS_PREFIX_LEN + 1] = 0;
	memcpy(buf + SIG_DST_OFF, sig->dst.b, FIPS_NODE_ADDR_LEN);
	memcpy(buf + SIG_REP_OFF, sig->reporter.b, FIPS_NODE_ADDR_LEN);
	codec->write(buf + SIG_HDR_LEN, sig);
	return (int)len;
}

int fips_fsp_seal(const u8 *key, const struct fips_fsp_header *hdr, const u8 *plain, size_t len,
		  u8 *buf, size_t room)
{
	size_t off = FIPS_FSP_HDR_LEN;
	int n, err;

	if (len > 65535 - FIPS_TAG_LEN)
		return -EMSGSIZE;
	if (room < off)
		return -ENOSPC;
	fips_put_fsp_hdr(buf, hdr->flags, (u16)len, hdr->counter);
	if (hdr->flags & FIPS_FSP_FLAG_CP) {
		n = coords_pair_build(buf + off, room - off, &hdr->src, &hdr->dst);
		if (n < 0)
			return n;
		off += (size_t)n;
	}
	if (room - off < len + FIPS_TAG_LEN)
		return -ENOSPC;
	err = fips_noise_seal(key, hdr->counter, buf, FIPS_FSP_HDR_LEN, plain, len, buf + off);
	return err ? err : (int)(off + len + FIPS_TAG_LEN);
}

int fips_fsp_open(const u8 *key, const u8 *msg, const struct fips_fsp_header *hdr, u8 *plain,
		  size_t room)
{
	size_t len = hdr->sealed_len - FIPS_TAG_LEN;
	int err;

	/* Authenticated anyway; a mismatch can't come from a sound sender (08 §2.1). */
	if (hdr->payload_len != len)
		return -EPROTO;
	if (room < len)
		return -ENOSPC;
	err = fips_noise_open(key, hdr->counter, msg, FIPS_FSP_HDR_LEN, hdr->sealed,
			      hdr->sealed_len, plain);
	return err ? err : (int)len;
}
