/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IPv6 adapter: what may enter and leave fips0, and what the stack is told
 * when it may not (spec 09).
 */
#ifndef _FIPS_IPV6_H
#define _FIPS_IPV6_H

#include <linux/skbuff.h>

struct fips_device;
struct fips_session;

bool fips_ipv6_tx_check(struct fips_device *fips, struct sk_buff *skb);
bool fips_ipv6_fits(const struct sk_buff *skb, unsigned int mtu);
bool fips_ipv6_is_syn(const struct sk_buff *skb);
bool fips_ipv6_clamp_mss(struct fips_session *session, struct sk_buff *skb);
void fips_icmpv6_too_big(struct fips_device *fips, const struct sk_buff *skb, u32 mtu);
void fips_icmpv6_unreachable(struct fips_device *fips, const struct sk_buff *skb);

#endif /* _FIPS_IPV6_H */
