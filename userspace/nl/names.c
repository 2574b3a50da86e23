// SPDX-License-Identifier: MIT
#include <uapi/linux/fips.h>

#include "names.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static const char *const drops[] = {
	[FIPS_DROP_REASON_RX_SHORT] = "rx_short",
	[FIPS_DROP_REASON_RX_LENGTH] = "rx_length",
	[FIPS_DROP_REASON_RX_UNKNOWN_INDEX] = "rx_unknown_index",
	[FIPS_DROP_REASON_RX_REPLAY] = "rx_replay",
	[FIPS_DROP_REASON_RX_AUTH] = "rx_auth",
	[FIPS_DROP_REASON_RX_INNER_SHORT] = "rx_inner_short",
	[FIPS_DROP_REASON_RX_KEY_EXPIRED] = "rx_key_expired",
	[FIPS_DROP_REASON_PARK_FULL] = "park_full",
	[FIPS_DROP_REASON_PARK_EXPIRED] = "park_expired",
	[FIPS_DROP_REASON_DGRAM_SHORT] = "dgram_short",
	[FIPS_DROP_REASON_DGRAM_TTL] = "dgram_ttl",
	[FIPS_DROP_REASON_DGRAM_MTU] = "dgram_mtu",
	[FIPS_DROP_REASON_DGRAM_BACK] = "dgram_back",
	[FIPS_DROP_REASON_SESSION_UNKNOWN] = "session_unknown",
	[FIPS_DROP_REASON_SESSION_NO_KEY] = "session_no_key",
	[FIPS_DROP_REASON_SESSION_SHORT] = "session_short",
	[FIPS_DROP_REASON_SESSION_COORDS] = "session_coords",
	[FIPS_DROP_REASON_SESSION_AUTH] = "session_auth",
	[FIPS_DROP_REASON_SESSION_REPLAY] = "session_replay",
	[FIPS_DROP_REASON_SESSION_INNER_SHORT] = "session_inner_short",
	[FIPS_DROP_REASON_SHIM_FORMAT] = "shim_format",
	[FIPS_DROP_REASON_SHIM_NOT_OURS] = "shim_not_ours",
	[FIPS_DROP_REASON_NO_TUNNEL] = "no_tunnel",
	[FIPS_DROP_REASON_TX_NOT_IPV6] = "tx_not_ipv6",
	[FIPS_DROP_REASON_TX_NOT_MESH] = "tx_not_mesh",
	[FIPS_DROP_REASON_TX_SOURCE] = "tx_source",
	[FIPS_DROP_REASON_TX_TOO_BIG] = "tx_too_big",
	[FIPS_DROP_REASON_TX_UNREACHABLE] = "tx_unreachable",
	[FIPS_DROP_REASON_STAGE_FULL] = "stage_full",
	[FIPS_DROP_REASON_STAGE_DESTINATIONS] = "stage_destinations",
	[FIPS_DROP_REASON_STAGE_EXPIRED] = "stage_expired",
	[FIPS_DROP_REASON_NO_ROUTE] = "no_route",
	[FIPS_DROP_REASON_NO_KEY] = "no_key",
	[FIPS_DROP_REASON_KEY_LIMIT] = "key_limit",
	[FIPS_DROP_REASON_TX_HEADROOM] = "tx_headroom",
	[FIPS_DROP_REASON_TX_ROUTE] = "tx_route",
	[FIPS_DROP_REASON_TX_ERROR] = "tx_error",
	[FIPS_DROP_REASON_UPCALL_CONTROL] = "upcall_control",
	[FIPS_DROP_REASON_UPCALL_DATA] = "upcall_data",
	[FIPS_DROP_REASON_NO_OWNER] = "no_owner",
};

const char *fips_drop_name(u32 reason)
{
	return reason < ARRAY_SIZE(drops) ? drops[reason] : NULL;
}

const char *fips_key_slot_name(u32 slot)
{
	static const char *const names[] = { "current", "next", "previous" };

	return slot < ARRAY_SIZE(names) ? names[slot] : "?";
}

const char *fips_link_state_name(u32 state)
{
	static const char *const names[] = { "dialing", "candidate", "established" };

	return state < ARRAY_SIZE(names) ? names[state] : "?";
}

const char *fips_transport_type_name(u32 type)
{
	static const char *const names[] = { "?", "udp", "ether", "stream", "relay" };

	return type < ARRAY_SIZE(names) ? names[type] : "?";
}
