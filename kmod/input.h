/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Input: from a frame on a transport to a packet on fips0, a message for the
 * daemon or a frame to the next hop. Context of all: RCU read side, BH off.
 */
#ifndef _FIPS_INPUT_H
#define _FIPS_INPUT_H

#include <linux/types.h>

struct fips_device;
struct fips_session;
struct fips_transport;
struct sk_buff;

void fips_input_frame(struct fips_transport *transport, struct sk_buff *skb);
void fips_input_session(struct fips_session *session, u32 link_id, u8 fmp_flags,
			struct sk_buff *skb);

#endif /* _FIPS_INPUT_H */
