/* SPDX-License-Identifier: MIT */
/*
 * Receive offload in userspace: consecutive packets of one TCP or UDP flow
 * become one super-packet for the local stack. Nothing waits: whoever feeds it
 * flushes at the end of what came in one go.
 *
 * Only packets whose checksum is right are merged, by the rules of the kernel's
 * own GRO, so that segmenting gives back what came. Packets stay where they lie
 * (an I/O vector names the pieces); their headers are changed in place.
 */
#ifndef FIPS_COALESCE_H
#define FIPS_COALESCE_H

#include <sys/uio.h>

#include "core.h"

#define FIPS_MERGE_FLOWS	8
#define FIPS_MERGE_PIECES	64

/**
 * struct fips_merge_flow - a super-packet that grows
 * @type: %FIPS_GSO_TCP or %FIPS_GSO_UDP
 * @ip6: first packet; its headers become those of the super-packet
 * @hdr_len: its headers
 * @size: payload of every packet but the last
 * @len: bytes so far
 * @seq: TCP: the next sequence number
 * @closed: a shorter packet or PSH ended it
 * @pieces: packets so far
 * @iov: one more in front, for the virtio-net header
 */
struct fips_merge_flow {
	enum fips_gso_type type;
	u8 *ip6;
	size_t hdr_len;
	size_t size;
	size_t len;
	u32 seq;
	bool closed;
	u32 pieces;
	struct iovec iov[1 + FIPS_MERGE_PIECES];
};

/**
 * struct fips_merge - flows of one batch
 * @udp: the device takes UDP super-packets
 * @write: a packet to write; @iov[0] is free for the device's header; @gso says what it is, its
 *	checksum is right or, with gso->csum, partial
 * @ctx: for @write
 * @count: flows open
 * @flow: they, oldest first
 */
struct fips_merge {
	bool udp;
	void (*write)(void *ctx, struct iovec *iov, int n, const struct fips_gso *gso,
		      bool verified);
	void *ctx;
	u32 count;
	struct fips_merge_flow flow[FIPS_MERGE_FLOWS];
};

/**
 * fips_merge_add() - a packet for the local stack
 * @m: batch
 * @ip6: packet; its memory is used until fips_merge_flush()
 * @len: its length
 */
void fips_merge_add(struct fips_merge *m, u8 *ip6, size_t len);

/* Write everything that is open. */
void fips_merge_flush(struct fips_merge *m);

#endif /* FIPS_COALESCE_H */
