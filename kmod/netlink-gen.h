/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	netlink-spec/fips.yaml */
/* YNL-GEN kernel header */
/* To regenerate run: scripts/gen-netlink */

#ifndef _LINUX_FIPS_GEN_H
#define _LINUX_FIPS_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/fips.h>

/* Common nested types */
extern const struct nla_policy fips_key_nl_policy[FIPS_A_KEY_PAD + 1];

extern const struct nla_policy fips_dev_set_nl_policy[FIPS_A_DEV_OWNER_DATA + 1];

extern const struct nla_policy fips_dev_own_nl_policy[FIPS_A_DEV_TAKEOVER + 1];

extern const struct nla_policy fips_dev_get_nl_policy[FIPS_A_DEV_IFINDEX + 1];

extern const struct nla_policy fips_transport_new_nl_policy[FIPS_A_TRANSPORT_OWNER_DATA + 1];

extern const struct nla_policy fips_transport_set_nl_policy[FIPS_A_TRANSPORT_OWNER_DATA + 1];

extern const struct nla_policy fips_transport_del_nl_policy[FIPS_A_TRANSPORT_ID + 1];

extern const struct nla_policy fips_transport_get_nl_policy[FIPS_A_TRANSPORT_ID + 1];

extern const struct nla_policy fips_transport_fd_nl_policy[FIPS_A_TRANSPORT_ID + 1];

extern const struct nla_policy fips_transport_xmit_nl_policy[FIPS_A_TRANSPORT_FRAME + 1];

extern const struct nla_policy fips_link_new_nl_policy[FIPS_A_LINK_OWNER_DATA + 1];

extern const struct nla_policy fips_link_set_nl_policy[FIPS_A_LINK_OWNER_DATA + 1];

extern const struct nla_policy fips_link_del_nl_policy[FIPS_A_LINK_ID + 1];

extern const struct nla_policy fips_link_get_nl_policy[FIPS_A_LINK_ID + 1];

extern const struct nla_policy fips_link_report_nl_policy[FIPS_A_LINK_TAKE + 1];

extern const struct nla_policy fips_link_key_new_nl_policy[FIPS_A_LINK_KEY + 1];

extern const struct nla_policy fips_link_key_swap_nl_policy[FIPS_A_LINK_ID + 1];

extern const struct nla_policy fips_link_key_del_nl_policy[FIPS_A_LINK_SLOT + 1];

extern const struct nla_policy fips_link_xmit_nl_policy[FIPS_A_LINK_MESSAGE + 1];

extern const struct nla_policy fips_session_new_nl_policy[FIPS_A_SESSION_OWNER_DATA + 1];

extern const struct nla_policy fips_session_set_nl_policy[FIPS_A_SESSION_OWNER_DATA + 1];

extern const struct nla_policy fips_session_del_nl_policy[FIPS_A_SESSION_REMOTE + 1];

extern const struct nla_policy fips_session_get_nl_policy[FIPS_A_SESSION_REMOTE + 1];

extern const struct nla_policy fips_session_report_nl_policy[FIPS_A_SESSION_TAKE + 1];

extern const struct nla_policy fips_session_key_new_nl_policy[FIPS_A_SESSION_KEY + 1];

extern const struct nla_policy fips_session_key_swap_nl_policy[FIPS_A_SESSION_REMOTE + 1];

extern const struct nla_policy fips_session_key_del_nl_policy[FIPS_A_SESSION_SLOT + 1];

extern const struct nla_policy fips_session_xmit_nl_policy[FIPS_A_SESSION_WITH_COORDS + 1];

extern const struct nla_policy fips_route_set_nl_policy[FIPS_A_ROUTE_GENERATION + 1];

extern const struct nla_policy fips_route_del_nl_policy[FIPS_A_ROUTE_DEST + 1];

extern const struct nla_policy fips_route_flush_nl_policy[FIPS_A_ROUTE_GENERATION + 1];

extern const struct nla_policy fips_route_get_nl_policy[FIPS_A_ROUTE_DEST + 1];

/* Ops table for fips */
extern const struct genl_ops fips_nl_ops[31];

int fips_nl_dev_set_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_dev_own_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_dev_get_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_dev_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int fips_nl_transport_new_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_transport_set_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_transport_del_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_transport_get_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_transport_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb);
int fips_nl_transport_fd_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_transport_xmit_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_link_new_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_link_set_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_link_del_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_link_get_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_link_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int fips_nl_link_report_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_link_key_new_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_link_key_swap_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_link_key_del_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_link_xmit_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_session_new_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_session_set_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_session_del_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_session_get_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_session_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int fips_nl_session_report_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_session_key_new_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_session_key_swap_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_session_key_del_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_session_xmit_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_route_set_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_route_del_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_route_flush_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_route_get_doit(struct sk_buff *skb, struct genl_info *info);
int fips_nl_route_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);

enum {
	FIPS_NLGRP_MONITOR,
};

#endif /* _LINUX_FIPS_GEN_H */
