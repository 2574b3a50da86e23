/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Underlay: sealed frames of one link leave on its lent UDP socket, a whole
 * list with one route look-up and one trip down the stack.
 */
#ifndef _FIPS_UNDERLAY_H
#define _FIPS_UNDERLAY_H

#include <linux/types.h>

struct fips_link;
struct fips_transport;
struct sk_buff;

/**
 * struct fips_frames - a list of frames on its way down
 * @head: first frame, the rest by skb->next
 * @n: frames
 * @bytes: their length together
 */
struct fips_frames {
	struct sk_buff *head;
	unsigned int n;
	u64 bytes;
};

int fips_underlay_send(struct fips_link *link, struct fips_frames *frames);
void fips_underlay_heard(struct fips_link *link, struct fips_slot *slot,
			 struct fips_transport *transport, const struct sk_buff *skb);

#endif /* _FIPS_UNDERLAY_H */
