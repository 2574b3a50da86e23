/* SPDX-License-Identifier: GPL-2.0-only */
/* Forward: datagrams of others, opened, routed and sealed again in one visit. */
#ifndef _FIPS_FORWARD_H
#define _FIPS_FORWARD_H

#include <linux/types.h>

struct fips_device;
struct sk_buff;

void fips_forward(struct fips_device *fips, u32 link_id, u8 fmp_flags, struct sk_buff *skb);
void fips_mirror_coords(struct fips_device *fips, u32 link_id, const struct sk_buff *skb);

#endif /* _FIPS_FORWARD_H */
