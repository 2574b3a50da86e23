// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	netlink-spec/fips.yaml */
/* YNL-GEN kernel source */
/* To regenerate run: scripts/gen-netlink */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink-gen.h"

#include <uapi/linux/fips.h>

/* Integer value ranges */
static const struct netlink_range_validation fips_a_dev_linger_range = {
	.max	= 86400ULL,
};

static const struct netlink_range_validation fips_a_session_unreachable_ms_range = {
	.max	= 600000ULL,
};

static const struct netlink_range_validation fips_a_route_unreachable_ms_range = {
	.max	= 600000ULL,
};

/* Common nested types */
const struct nla_policy fips_key_nl_policy[FIPS_A_KEY_PAD + 1] = {
	[FIPS_A_KEY_SLOT] = NLA_POLICY_MAX(NLA_U32, 2),
	[FIPS_A_KEY_LOCAL_INDEX] = { .type = NLA_U32, },
	[FIPS_A_KEY_REMOTE_INDEX] = { .type = NLA_U32, },
	[FIPS_A_KEY_TX_KEY] = NLA_POLICY_EXACT_LEN(FIPS_AEAD_KEY_LEN),
	[FIPS_A_KEY_RX_KEY] = NLA_POLICY_EXACT_LEN(FIPS_AEAD_KEY_LEN),
	[FIPS_A_KEY_K_BIT] = NLA_POLICY_MAX(NLA_U8, 1),
	[FIPS_A_KEY_TX_COUNTER] = { .type = NLA_U64, },
	[FIPS_A_KEY_RX_HIGHEST] = { .type = NLA_U64, },
	[FIPS_A_KEY_SOFT_LIMIT] = { .type = NLA_U64, },
	[FIPS_A_KEY_HARD_LIMIT] = { .type = NLA_U64, },
	[FIPS_A_KEY_LIFETIME_MS] = { .type = NLA_U32, },
	[FIPS_A_KEY_HAS_KEY] = { .type = NLA_FLAG, },
	[FIPS_A_KEY_INITIATOR] = { .type = NLA_FLAG, },
};

/* FIPS_CMD_DEV_SET - do */
const struct nla_policy fips_dev_set_nl_policy[FIPS_A_DEV_OWNER_DATA + 1] = {
	[FIPS_A_DEV_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_DEV_NODE_ADDR] = NLA_POLICY_EXACT_LEN(FIPS_NODE_ADDR_LEN),
	[FIPS_A_DEV_TRANSPORT_MTU] = NLA_POLICY_MIN(NLA_U16, 138),
	[FIPS_A_DEV_DEFAULT_TTL] = NLA_POLICY_MIN(NLA_U8, 1),
	[FIPS_A_DEV_LINGER] = NLA_POLICY_FULL_RANGE(NLA_U32, &fips_a_dev_linger_range),
	[FIPS_A_DEV_OWNER_DATA] = NLA_POLICY_MAX_LEN(FIPS_OWNER_DATA_MAX),
};

/* FIPS_CMD_DEV_OWN - do */
const struct nla_policy fips_dev_own_nl_policy[FIPS_A_DEV_TAKEOVER + 1] = {
	[FIPS_A_DEV_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_DEV_DATA_PORT] = { .type = NLA_U32, },
	[FIPS_A_DEV_TAKEOVER] = { .type = NLA_FLAG, },
};

/* FIPS_CMD_DEV_GET - do */
const struct nla_policy fips_dev_get_nl_policy[FIPS_A_DEV_IFINDEX + 1] = {
	[FIPS_A_DEV_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* FIPS_CMD_TRANSPORT_NEW - do */
const struct nla_policy fips_transport_new_nl_policy[FIPS_A_TRANSPORT_OWNER_DATA + 1] = {
	[FIPS_A_TRANSPORT_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_TRANSPORT_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_TRANSPORT_TYPE] = NLA_POLICY_RANGE(NLA_U32, 1, 4),
	[FIPS_A_TRANSPORT_FD] = { .type = NLA_U32, },
	[FIPS_A_TRANSPORT_MTU] = NLA_POLICY_MIN(NLA_U16, 138),
	[FIPS_A_TRANSPORT_LOWER_IFINDEX] = { .type = NLA_U32, },
	[FIPS_A_TRANSPORT_OWNER_DATA] = NLA_POLICY_MAX_LEN(FIPS_OWNER_DATA_MAX),
};

/* FIPS_CMD_TRANSPORT_SET - do */
const struct nla_policy fips_transport_set_nl_policy[FIPS_A_TRANSPORT_OWNER_DATA + 1] = {
	[FIPS_A_TRANSPORT_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_TRANSPORT_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_TRANSPORT_MTU] = NLA_POLICY_MIN(NLA_U16, 138),
	[FIPS_A_TRANSPORT_OWNER_DATA] = NLA_POLICY_MAX_LEN(FIPS_OWNER_DATA_MAX),
};

/* FIPS_CMD_TRANSPORT_DEL - do */
const struct nla_policy fips_transport_del_nl_policy[FIPS_A_TRANSPORT_ID + 1] = {
	[FIPS_A_TRANSPORT_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_TRANSPORT_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* FIPS_CMD_TRANSPORT_GET - do */
const struct nla_policy fips_transport_get_nl_policy[FIPS_A_TRANSPORT_ID + 1] = {
	[FIPS_A_TRANSPORT_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_TRANSPORT_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* FIPS_CMD_TRANSPORT_FD - do */
const struct nla_policy fips_transport_fd_nl_policy[FIPS_A_TRANSPORT_ID + 1] = {
	[FIPS_A_TRANSPORT_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_TRANSPORT_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* FIPS_CMD_TRANSPORT_XMIT - do */
const struct nla_policy fips_transport_xmit_nl_policy[FIPS_A_TRANSPORT_FRAME + 1] = {
	[FIPS_A_TRANSPORT_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_TRANSPORT_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_TRANSPORT_FRAME] = { .type = NLA_BINARY, },
};

/* FIPS_CMD_LINK_NEW - do */
const struct nla_policy fips_link_new_nl_policy[FIPS_A_LINK_OWNER_DATA + 1] = {
	[FIPS_A_LINK_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_LINK_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_LINK_TRANSPORT_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_LINK_PEER] = NLA_POLICY_EXACT_LEN(FIPS_NODE_ADDR_LEN),
	[FIPS_A_LINK_REMOTE_IPV4] = { .type = NLA_BE32, },
	[FIPS_A_LINK_REMOTE_IPV6] = NLA_POLICY_EXACT_LEN(16),
	[FIPS_A_LINK_REMOTE_SCOPE] = { .type = NLA_U32, },
	[FIPS_A_LINK_REMOTE_PORT] = { .type = NLA_BE16, },
	[FIPS_A_LINK_REMOTE_MAC] = NLA_POLICY_EXACT_LEN(6),
	[FIPS_A_LINK_MTU] = NLA_POLICY_MIN(NLA_U16, 138),
	[FIPS_A_LINK_CANDIDATE] = { .type = NLA_FLAG, },
	[FIPS_A_LINK_KEY] = NLA_POLICY_NESTED(fips_key_nl_policy),
	[FIPS_A_LINK_OWNER_DATA] = NLA_POLICY_MAX_LEN(FIPS_OWNER_DATA_MAX),
};

/* FIPS_CMD_LINK_SET - do */
const struct nla_policy fips_link_set_nl_policy[FIPS_A_LINK_OWNER_DATA + 1] = {
	[FIPS_A_LINK_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_LINK_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_LINK_TRANSPORT_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_LINK_PEER] = NLA_POLICY_EXACT_LEN(FIPS_NODE_ADDR_LEN),
	[FIPS_A_LINK_REMOTE_IPV4] = { .type = NLA_BE32, },
	[FIPS_A_LINK_REMOTE_IPV6] = NLA_POLICY_EXACT_LEN(16),
	[FIPS_A_LINK_REMOTE_SCOPE] = { .type = NLA_U32, },
	[FIPS_A_LINK_REMOTE_PORT] = { .type = NLA_BE16, },
	[FIPS_A_LINK_REMOTE_MAC] = NLA_POLICY_EXACT_LEN(6),
	[FIPS_A_LINK_MTU] = NLA_POLICY_MIN(NLA_U16, 138),
	[FIPS_A_LINK_CONGESTED] = NLA_POLICY_MAX(NLA_U8, 1),
	[FIPS_A_LINK_OWNER_DATA] = NLA_POLICY_MAX_LEN(FIPS_OWNER_DATA_MAX),
};

/* FIPS_CMD_LINK_DEL - do */
const struct nla_policy fips_link_del_nl_policy[FIPS_A_LINK_ID + 1] = {
	[FIPS_A_LINK_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_LINK_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* FIPS_CMD_LINK_GET - do */
const struct nla_policy fips_link_get_nl_policy[FIPS_A_LINK_ID + 1] = {
	[FIPS_A_LINK_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_LINK_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* FIPS_CMD_LINK_REPORT - do */
const struct nla_policy fips_link_report_nl_policy[FIPS_A_LINK_TAKE + 1] = {
	[FIPS_A_LINK_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_LINK_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_LINK_TAKE] = NLA_POLICY_MAX(NLA_U8, 3),
};

/* FIPS_CMD_LINK_KEY_NEW - do */
const struct nla_policy fips_link_key_new_nl_policy[FIPS_A_LINK_KEY + 1] = {
	[FIPS_A_LINK_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_LINK_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_LINK_KEY] = NLA_POLICY_NESTED(fips_key_nl_policy),
};

/* FIPS_CMD_LINK_KEY_SWAP - do */
const struct nla_policy fips_link_key_swap_nl_policy[FIPS_A_LINK_ID + 1] = {
	[FIPS_A_LINK_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_LINK_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* FIPS_CMD_LINK_KEY_DEL - do */
const struct nla_policy fips_link_key_del_nl_policy[FIPS_A_LINK_SLOT + 1] = {
	[FIPS_A_LINK_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_LINK_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_LINK_SLOT] = NLA_POLICY_MAX(NLA_U32, 2),
};

/* FIPS_CMD_LINK_XMIT - do */
const struct nla_policy fips_link_xmit_nl_policy[FIPS_A_LINK_MESSAGE + 1] = {
	[FIPS_A_LINK_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_LINK_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_LINK_SLOT] = NLA_POLICY_MAX(NLA_U32, 2),
	[FIPS_A_LINK_MESSAGE] = { .type = NLA_BINARY, },
};

/* FIPS_CMD_SESSION_NEW - do */
const struct nla_policy fips_session_new_nl_policy[FIPS_A_SESSION_OWNER_DATA + 1] = {
	[FIPS_A_SESSION_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_SESSION_REMOTE] = NLA_POLICY_EXACT_LEN(FIPS_NODE_ADDR_LEN),
	[FIPS_A_SESSION_PATH_MTU] = { .type = NLA_U16, },
	[FIPS_A_SESSION_COORDS] = NLA_POLICY_MAX_LEN(FIPS_COORDS_MAX),
	[FIPS_A_SESSION_COORDS_COUNT] = { .type = NLA_U8, },
	[FIPS_A_SESSION_KEY] = NLA_POLICY_NESTED(fips_key_nl_policy),
	[FIPS_A_SESSION_OWNER_DATA] = NLA_POLICY_MAX_LEN(FIPS_OWNER_DATA_MAX),
};

/* FIPS_CMD_SESSION_SET - do */
const struct nla_policy fips_session_set_nl_policy[FIPS_A_SESSION_OWNER_DATA + 1] = {
	[FIPS_A_SESSION_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_SESSION_REMOTE] = NLA_POLICY_EXACT_LEN(FIPS_NODE_ADDR_LEN),
	[FIPS_A_SESSION_IPV6] = NLA_POLICY_EXACT_LEN(16),
	[FIPS_A_SESSION_PATH_MTU] = { .type = NLA_U16, },
	[FIPS_A_SESSION_UNREACHABLE_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &fips_a_session_unreachable_ms_range),
	[FIPS_A_SESSION_COORDS] = NLA_POLICY_MAX_LEN(FIPS_COORDS_MAX),
	[FIPS_A_SESSION_COORDS_COUNT] = { .type = NLA_U8, },
	[FIPS_A_SESSION_OWNER_DATA] = NLA_POLICY_MAX_LEN(FIPS_OWNER_DATA_MAX),
};

/* FIPS_CMD_SESSION_DEL - do */
const struct nla_policy fips_session_del_nl_policy[FIPS_A_SESSION_REMOTE + 1] = {
	[FIPS_A_SESSION_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_SESSION_REMOTE] = NLA_POLICY_EXACT_LEN(FIPS_NODE_ADDR_LEN),
};

/* FIPS_CMD_SESSION_GET - do */
const struct nla_policy fips_session_get_nl_policy[FIPS_A_SESSION_REMOTE + 1] = {
	[FIPS_A_SESSION_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_SESSION_REMOTE] = NLA_POLICY_EXACT_LEN(FIPS_NODE_ADDR_LEN),
};

/* FIPS_CMD_SESSION_REPORT - do */
const struct nla_policy fips_session_report_nl_policy[FIPS_A_SESSION_TAKE + 1] = {
	[FIPS_A_SESSION_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_SESSION_REMOTE] = NLA_POLICY_EXACT_LEN(FIPS_NODE_ADDR_LEN),
	[FIPS_A_SESSION_TAKE] = NLA_POLICY_MAX(NLA_U8, 3),
};

/* FIPS_CMD_SESSION_KEY_NEW - do */
const struct nla_policy fips_session_key_new_nl_policy[FIPS_A_SESSION_KEY + 1] = {
	[FIPS_A_SESSION_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_SESSION_REMOTE] = NLA_POLICY_EXACT_LEN(FIPS_NODE_ADDR_LEN),
	[FIPS_A_SESSION_KEY] = NLA_POLICY_NESTED(fips_key_nl_policy),
};

/* FIPS_CMD_SESSION_KEY_SWAP - do */
const struct nla_policy fips_session_key_swap_nl_policy[FIPS_A_SESSION_REMOTE + 1] = {
	[FIPS_A_SESSION_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_SESSION_REMOTE] = NLA_POLICY_EXACT_LEN(FIPS_NODE_ADDR_LEN),
};

/* FIPS_CMD_SESSION_KEY_DEL - do */
const struct nla_policy fips_session_key_del_nl_policy[FIPS_A_SESSION_SLOT + 1] = {
	[FIPS_A_SESSION_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_SESSION_REMOTE] = NLA_POLICY_EXACT_LEN(FIPS_NODE_ADDR_LEN),
	[FIPS_A_SESSION_SLOT] = NLA_POLICY_MAX(NLA_U32, 2),
};

/* FIPS_CMD_SESSION_XMIT - do */
const struct nla_policy fips_session_xmit_nl_policy[FIPS_A_SESSION_WITH_COORDS + 1] = {
	[FIPS_A_SESSION_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_SESSION_REMOTE] = NLA_POLICY_EXACT_LEN(FIPS_NODE_ADDR_LEN),
	[FIPS_A_SESSION_SLOT] = NLA_POLICY_MAX(NLA_U32, 2),
	[FIPS_A_SESSION_MSG_TYPE] = { .type = NLA_U8, },
	[FIPS_A_SESSION_WITH_COORDS] = { .type = NLA_FLAG, },
	[FIPS_A_SESSION_MESSAGE] = { .type = NLA_BINARY, },
};

/* FIPS_CMD_ROUTE_SET - do */
const struct nla_policy fips_route_set_nl_policy[FIPS_A_ROUTE_GENERATION + 1] = {
	[FIPS_A_ROUTE_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_ROUTE_DEST] = NLA_POLICY_EXACT_LEN(FIPS_NODE_ADDR_LEN),
	[FIPS_A_ROUTE_LINK_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_ROUTE_UNREACHABLE_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &fips_a_route_unreachable_ms_range),
	[FIPS_A_ROUTE_GENERATION] = { .type = NLA_U32, },
};

/* FIPS_CMD_ROUTE_DEL - do */
const struct nla_policy fips_route_del_nl_policy[FIPS_A_ROUTE_DEST + 1] = {
	[FIPS_A_ROUTE_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_ROUTE_DEST] = NLA_POLICY_EXACT_LEN(FIPS_NODE_ADDR_LEN),
};

/* FIPS_CMD_ROUTE_FLUSH - do */
const struct nla_policy fips_route_flush_nl_policy[FIPS_A_ROUTE_GENERATION + 1] = {
	[FIPS_A_ROUTE_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_ROUTE_GENERATION] = { .type = NLA_U32, },
};

/* FIPS_CMD_ROUTE_GET - do */
const struct nla_policy fips_route_get_nl_policy[FIPS_A_ROUTE_DEST + 1] = {
	[FIPS_A_ROUTE_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FIPS_A_ROUTE_DEST] = NLA_POLICY_EXACT_LEN(FIPS_NODE_ADDR_LEN),
};

/* Ops table for fips */
const struct genl_ops fips_nl_ops[31] = {
	{
		.cmd		= FIPS_CMD_DEV_SET,
		.doit		= fips_nl_dev_set_doit,
		.policy		= fips_dev_set_nl_policy,
		.maxattr	= FIPS_A_DEV_OWNER_DATA,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_DEV_OWN,
		.doit		= fips_nl_dev_own_doit,
		.policy		= fips_dev_own_nl_policy,
		.maxattr	= FIPS_A_DEV_TAKEOVER,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_DEV_GET,
		.doit		= fips_nl_dev_get_doit,
		.dumpit		= fips_nl_dev_get_dumpit,
		.policy		= fips_dev_get_nl_policy,
		.maxattr	= FIPS_A_DEV_IFINDEX,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_TRANSPORT_NEW,
		.doit		= fips_nl_transport_new_doit,
		.policy		= fips_transport_new_nl_policy,
		.maxattr	= FIPS_A_TRANSPORT_OWNER_DATA,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_TRANSPORT_SET,
		.doit		= fips_nl_transport_set_doit,
		.policy		= fips_transport_set_nl_policy,
		.maxattr	= FIPS_A_TRANSPORT_OWNER_DATA,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_TRANSPORT_DEL,
		.doit		= fips_nl_transport_del_doit,
		.policy		= fips_transport_del_nl_policy,
		.maxattr	= FIPS_A_TRANSPORT_ID,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_TRANSPORT_GET,
		.doit		= fips_nl_transport_get_doit,
		.dumpit		= fips_nl_transport_get_dumpit,
		.policy		= fips_transport_get_nl_policy,
		.maxattr	= FIPS_A_TRANSPORT_ID,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_TRANSPORT_FD,
		.doit		= fips_nl_transport_fd_doit,
		.policy		= fips_transport_fd_nl_policy,
		.maxattr	= FIPS_A_TRANSPORT_ID,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_TRANSPORT_XMIT,
		.doit		= fips_nl_transport_xmit_doit,
		.policy		= fips_transport_xmit_nl_policy,
		.maxattr	= FIPS_A_TRANSPORT_FRAME,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_LINK_NEW,
		.doit		= fips_nl_link_new_doit,
		.policy		= fips_link_new_nl_policy,
		.maxattr	= FIPS_A_LINK_OWNER_DATA,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_LINK_SET,
		.doit		= fips_nl_link_set_doit,
		.policy		= fips_link_set_nl_policy,
		.maxattr	= FIPS_A_LINK_OWNER_DATA,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_LINK_DEL,
		.doit		= fips_nl_link_del_doit,
		.policy		= fips_link_del_nl_policy,
		.maxattr	= FIPS_A_LINK_ID,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_LINK_GET,
		.doit		= fips_nl_link_get_doit,
		.dumpit		= fips_nl_link_get_dumpit,
		.policy		= fips_link_get_nl_policy,
		.maxattr	= FIPS_A_LINK_ID,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_LINK_REPORT,
		.doit		= fips_nl_link_report_doit,
		.policy		= fips_link_report_nl_policy,
		.maxattr	= FIPS_A_LINK_TAKE,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_LINK_KEY_NEW,
		.doit		= fips_nl_link_key_new_doit,
		.policy		= fips_link_key_new_nl_policy,
		.maxattr	= FIPS_A_LINK_KEY,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_LINK_KEY_SWAP,
		.doit		= fips_nl_link_key_swap_doit,
		.policy		= fips_link_key_swap_nl_policy,
		.maxattr	= FIPS_A_LINK_ID,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_LINK_KEY_DEL,
		.doit		= fips_nl_link_key_del_doit,
		.policy		= fips_link_key_del_nl_policy,
		.maxattr	= FIPS_A_LINK_SLOT,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_LINK_XMIT,
		.doit		= fips_nl_link_xmit_doit,
		.policy		= fips_link_xmit_nl_policy,
		.maxattr	= FIPS_A_LINK_MESSAGE,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_SESSION_NEW,
		.doit		= fips_nl_session_new_doit,
		.policy		= fips_session_new_nl_policy,
		.maxattr	= FIPS_A_SESSION_OWNER_DATA,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_SESSION_SET,
		.doit		= fips_nl_session_set_doit,
		.policy		= fips_session_set_nl_policy,
		.maxattr	= FIPS_A_SESSION_OWNER_DATA,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_SESSION_DEL,
		.doit		= fips_nl_session_del_doit,
		.policy		= fips_session_del_nl_policy,
		.maxattr	= FIPS_A_SESSION_REMOTE,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_SESSION_GET,
		.doit		= fips_nl_session_get_doit,
		.dumpit		= fips_nl_session_get_dumpit,
		.policy		= fips_session_get_nl_policy,
		.maxattr	= FIPS_A_SESSION_REMOTE,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_SESSION_REPORT,
		.doit		= fips_nl_session_report_doit,
		.policy		= fips_session_report_nl_policy,
		.maxattr	= FIPS_A_SESSION_TAKE,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_SESSION_KEY_NEW,
		.doit		= fips_nl_session_key_new_doit,
		.policy		= fips_session_key_new_nl_policy,
		.maxattr	= FIPS_A_SESSION_KEY,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_SESSION_KEY_SWAP,
		.doit		= fips_nl_session_key_swap_doit,
		.policy		= fips_session_key_swap_nl_policy,
		.maxattr	= FIPS_A_SESSION_REMOTE,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_SESSION_KEY_DEL,
		.doit		= fips_nl_session_key_del_doit,
		.policy		= fips_session_key_del_nl_policy,
		.maxattr	= FIPS_A_SESSION_SLOT,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_SESSION_XMIT,
		.doit		= fips_nl_session_xmit_doit,
		.policy		= fips_session_xmit_nl_policy,
		.maxattr	= FIPS_A_SESSION_WITH_COORDS,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_ROUTE_SET,
		.doit		= fips_nl_route_set_doit,
		.policy		= fips_route_set_nl_policy,
		.maxattr	= FIPS_A_ROUTE_GENERATION,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_ROUTE_DEL,
		.doit		= fips_nl_route_del_doit,
		.policy		= fips_route_del_nl_policy,
		.maxattr	= FIPS_A_ROUTE_DEST,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_ROUTE_FLUSH,
		.doit		= fips_nl_route_flush_doit,
		.policy		= fips_route_flush_nl_policy,
		.maxattr	= FIPS_A_ROUTE_GENERATION,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= FIPS_CMD_ROUTE_GET,
		.doit		= fips_nl_route_get_doit,
		.dumpit		= fips_nl_route_get_dumpit,
		.policy		= fips_route_get_nl_policy,
		.maxattr	= FIPS_A_ROUTE_DEST,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
};

static const struct genl_multicast_group fips_nl_mcgrps[] = {
	[FIPS_NLGRP_MONITOR] = { "monitor", },
};
