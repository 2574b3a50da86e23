// SPDX-License-Identifier: MIT
/*
 * The one table of every key of fips.yaml (spec 12 §5-§6): type, range,
 * default, and whether it is in force yet (CFG_LATER: it is not).
 *
 * Macro arguments: key, struct, field, default, and for numbers least and
 * greatest value. Defaults are YAML text; lists are separated by blanks.
 */
#include "config_table.h"

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
/* A compile error when the member is of another type. */
#define TYPE_OK(t, st, f)	__builtin_choose_expr(					\
	__builtin_types_compatible_p(t, __typeof__(((st *)0)->f)), 1, (void)0)
#define ROOT			struct fips_config

#define KEY_(ty, ct, k, st, f, d, fl)							\
	.name = k, .type = ty, .off = offsetof(st, f) + 0 * TYPE_OK(ct, st, f), .def = d,	\
	.flags = fl
#define NUM_(ty, ct, k, st, f, d, lo, hi, fl)						\
	{ KEY_(ty, ct, k, st, f, d, fl), .min = lo, .max = hi }
#define BOOL(k, st, f, d, fl)		{ KEY_(CFG_BOOL, bool, k, st, f, d, fl) }
#define U8(k, st, f, d, lo, hi, fl)	NUM_(CFG_U8, u8, k, st, f, d, lo, hi, fl)
#define U16(k, st, f, d, lo, hi, fl)	NUM_(CFG_U16, u16, k, st, f, d, lo, hi, fl)
#define U32(k, st, f, d, lo, hi, fl)	NUM_(CFG_U32, u32, k, st, f, d, lo, hi, fl)
#define U64(k, st, f, d, lo, hi, fl)	NUM_(CFG_U64, u64, k, st, f, d, lo, hi, fl)
#define F64(k, st, f, d, fl)		{ KEY_(CFG_F64, double, k, st, f, d, fl) }
#define STR(k, st, f, d, fl)		{ KEY_(CFG_STR, char *, k, st, f, d, fl) }
#define ENUM(k, st, f, w, d, fl)	{ KEY_(CFG_ENUM, u8, k, st, f, d, fl), .words = w }
#define STRLIST(k, st, f, d, fl)							\
	{ KEY_(CFG_STRLIST, struct fips_cfg_strlist, k, st, f, d, fl) }
#define U64LIST(k, st, f, d, fl)							\
	{ KEY_(CFG_U64LIST, struct fips_cfg_u64list, k, st, f, d, fl) }
#define MAP(k, s, fl)		{ .name = k, .type = CFG_MAP, .sub = s, .flags = fl }
#define ELEMS(k, st, f, s, fl)							\
	{ KEY_(CFG_ELEMS, struct fips_cfg_array, k, st, f, NULL, fl), .sub = s }
#define INSTANCES(k, f, s, fl)							\
	{ KEY_(CFG_INSTANCES, struct fips_cfg_array, k, ROOT, f, NULL, fl), .sub = s }

#define SECTION(s, keys_, ...)	static const struct cfg_section s = {		\
	.keys = keys_, .n = ARRAY_SIZE(keys_), __VA_ARGS__ }

#define MAX8	0xff
#define MAX16	0xffff
#define MAX32	0xffffffff
#define MAX64	(~(u64)0)

/* A link frame must hold msg1 and a session message of one byte. */
#define MTU_MIN	138
#define TUN_MIN	1280	/* RFC 8200 §5 */

/* ---- node ---- */

static const struct cfg_key identity_keys[] = {
	STR("nsec", ROOT, nsec, NULL, CFG_OPT | CFG_SECRET),
	BOOL("persistent", ROOT, persistent, "false", 0),
};
SECTION(identity, identity_keys);

static const struct cfg_key limits_keys[] = {
	U64("max_connections", ROOT, timing.limits.max_connections, "256", 0, MAX64, 0),
	U64("max_peers", ROOT, timing.limits.max_peers, "128", 0, MAX64, 0),
	U64("max_links", ROOT, timing.limits.max_links, "256", 0, MAX64, 0),
	U64("max_pending_inbound", ROOT, timing.limits.max_pending_inbound, "1000", 0, MAX64, 0),
};
SECTION(limits, limits_keys);

static const struct cfg_key rate_limit_keys[] = {
	U32("handshake_burst", ROOT, timing.rate_limit.handshake_burst, "100", 0, MAX32, 0),
	F64("handshake_rate", ROOT, timing.rate_limit.handshake_rate, "10.0", 0),
	U64("handshake_timeout_secs", ROOT, timing.rate_limit.handshake_timeout_secs, "30", 0,
	    MAX64, 0),
	U64("handshake_resend_interval_ms", ROOT, timing.rate_limit.handshake_resend_interval_ms,
	    "1000", 0, MAX64, 0),
	F64("handshake_resend_backoff", ROOT, timing.rate_limit.handshake_resend_backoff, "2.0", 0),
	U32("handshake_max_resends", ROOT, timing.rate_limit.handshake_max_resends, "5", 0, MAX32,
	    0),
	U32("established_handshake_burst", ROOT, timing.rate_limit.established_handshake_burst, "0",
	    1, MAX32, CFG_OPT),
	F64("established_handshake_rate", ROOT, timing.rate_limit.established_handshake_rate, "0",
	    CFG_OPT | CFG_POSITIVE),
	U32("session_setup_burst", ROOT, timing.rate_limit.session_setup_burst, "64", 1, MAX32, 0),
	F64("session_setup_rate", ROOT, timing.rate_limit.session_setup_rate, "16.0", CFG_POSITIVE),
};
SECTION(rate_limit, rate_limit_keys);

static const struct cfg_key retry_keys[] = {
	U32("max_retries", ROOT, timing.retry.max_retries, "5", 0, MAX32, 0),
	U64("base_interval_secs", ROOT, timing.retry.base_interval_secs, "5", 0, MAX64, 0),
	U64("max_backoff_secs", ROOT, timing.retry.max_backoff_secs, "300", 0, MAX64, 0),
};
SECTION(retry, retry_keys);

static const struct cfg_key cache_keys[] = {
	U64("coord_size", ROOT, timing.cache.coord_size, "50000", 0, MAX64, CFG_RESTART),
	U64("coord_ttl_secs", ROOT, timing.cache.coord_ttl_secs, "300", 0, MAX64,
	    CFG_RESTART),
	U64("identity_size", ROOT, timing.cache.identity_size, "10000", 0, MAX64, 0),
};
SECTION(cache, cache_keys);

static const struct cfg_key lookup_keys[] = {
	U8("ttl", ROOT, timing.lookup.ttl, "64", 0, MAX8, 0),
	U64LIST("attempt_timeouts_secs", ROOT, attempt_timeouts_secs, "1 2 4 8", CFG_NONEMPTY),
	U64("recent_expiry_secs", ROOT, timing.lookup.recent_expiry_secs, "10", 0, MAX64, 0),
	U64("backoff_base_secs", ROOT, timing.lookup.backoff_base_secs, "0", 0, MAX64, 0),
	U64("backoff_max_secs", ROOT, timing.lookup.backoff_max_secs, "0", 0, MAX64, 0),
	U64("forward_min_interval_secs", ROOT, timing.lookup.forward_min_interval_secs, "2", 0,
	    MAX64, 0),
};
SECTION(lookup, lookup_keys);

static const char *const nostr_policies[] = { "disabled", "configured_only", "open", NULL };
#define RELAYS "wss://relay.damus.io wss://nos.lol wss://offchain.pub"
#define STUNS "stun:stun.l.google.com:19302 stun:stun.cloudflare.com:3478 " \
	"stun:global.stun.twilio.com:3478"
#define N(k, d)	U64(#k, ROOT, nostr.k, d, 0, MAX64, CFG_LATER)

static const struct cfg_key nostr_keys[] = {
	BOOL("enabled", ROOT, nostr.enabled, "false", CFG_LATER),
	BOOL("advertise", ROOT, nostr.advertise, "true", CFG_LATER),
	STRLIST("advert_relays", ROOT, nostr.advert_relays, RELAYS, CFG_LATER),
	STRLIST("dm_relays", ROOT, nostr.dm_relays, RELAYS, CFG_LATER),
	STRLIST("stun_servers", ROOT, nostr.stun_servers, STUNS, CFG_LATER),
	BOOL("share_local_candidates", ROOT, nostr.share_local_candidates, "false", CFG_LATER),
	STR("app", ROOT, nostr.app, "fips-overlay-v1", CFG_LATER),
	N(signal_ttl_secs, "120"),
	ENUM("policy", ROOT, nostr.policy, nostr_policies, "configured_only", CFG_LATER),
	N(open_discovery_max_pending, "64"),
	N(max_concurrent_incoming_offers, "16"),
	U64("max_concurrent_offers_per_npub", ROOT, nostr.max_concurrent_offers_per_npub, "4", 1,
	    ((u64)1 << 61) - 1, CFG_LATER),
	N(advert_cache_max_entries, "2048"),
	N(seen_sessions_max_entries, "2048"),
	N(attempt_timeout_secs, "10"),
	N(replay_window_secs, "300"),
	N(punch_start_delay_ms, "2000"),
	N(punch_interval_ms, "200"),
	N(punch_duration_ms, "10000"),
	N(advert_ttl_secs, "3600"),
	N(advert_refresh_secs, "1800"),
	N(startup_sweep_delay_secs, "5"),
	N(startup_sweep_max_age_secs, "3600"),
	U32("failure_streak_threshold", ROOT, nostr.failure_streak_threshold, "5", 0, MAX32,
	    CFG_LATER),
	N(extended_cooldown_secs, "1800"),
	N(warn_log_interval_secs, "300"),
	N(failure_state_max_entries, "4096"),
	N(protocol_mismatch_cooldown_secs, "86400"),
};
SECTION(nostr, nostr_keys, .strict = true);

static const struct cfg_key lan_keys[] = {
	BOOL("enabled", ROOT, lan.enabled, "false", CFG_LATER),
	STR("service_type", ROOT, lan.service_type, "_fips._udp.local.", CFG_LATER),
	STR("scope", ROOT, lan.scope, NULL, CFG_LATER | CFG_OPT),
};
SECTION(lan, lan_keys);

static const struct cfg_key rendezvous_keys[] = {
	MAP("nostr", &nostr, 0),
	MAP("lan", &lan, 0),
};
SECTION(rendezvous, rendezvous_keys);

/* The names of older releases (spec 12 §3.4) */
static const struct cfg_key discovery_keys[] = {
	U8("ttl", ROOT, timing.lookup.ttl, "64", 0, MAX8, 0),
	U64LIST("attempt_timeouts_secs", ROOT, attempt_timeouts_secs, "1 2 4 8", CFG_NONEMPTY),
	U64("recent_expiry_secs", ROOT, timing.lookup.recent_expiry_secs, "10", 0, MAX64, 0),
	U64("backoff_base_secs", ROOT, timing.lookup.backoff_base_secs, "0", 0, MAX64, 0),
	U64("backoff_max_secs", ROOT, timing.lookup.backoff_max_secs, "0", 0, MAX64, 0),
	U64("forward_min_interval_secs", ROOT, timing.lookup.forward_min_interval_secs, "2", 0,
	    MAX64, 0),
	MAP("nostr", &nostr, CFG_RESET | CFG_OPT),
	MAP("lan", &lan, CFG_RESET | CFG_OPT),
};
SECTION(discovery, discovery_keys);

static const struct cfg_key tree_keys[] = {
	U64("announce_min_interval_ms", ROOT, timing.tree.announce_min_interval_ms, "500", 0,
	    MAX64, 0),
	F64("parent_hysteresis", ROOT, timing.tree.parent_hysteresis, "0.2", 0),
	U64("hold_down_secs", ROOT, timing.tree.hold_down_secs, "30", 0, MAX64, 0),
	U64("reeval_interval_secs", ROOT, timing.tree.reeval_interval_secs, "60", 0, MAX64, 0),
	U32("flap_threshold", ROOT, timing.tree.flap_threshold, "4", 0, MAX32, 0),
	U64("flap_window_secs", ROOT, timing.tree.flap_window_secs, "60", 0, MAX64, 0),
	U64("flap_dampening_secs", ROOT, timing.tree.flap_dampening_secs, "120", 0, MAX64, 0),
};
SECTION(tree, tree_keys);

static const struct cfg_key bloom_keys[] = {
	U64("update_debounce_ms", ROOT, timing.bloom.update_debounce_ms, "500", 0, MAX64, 0),
	F64("max_inbound_fpr", ROOT, timing.bloom.max_inbound_fpr, "0.20", CFG_FRACTION),
};
SECTION(bloom, bloom_keys);

static const struct cfg_key session_keys[] = {
	U8("default_ttl", ROOT, timing.session.default_ttl, "64", 0, MAX8, 0),
	U64("pending_packets_per_dest", ROOT, timing.session.pending_packets_per_dest, "16", 0,
	    MAX64, 0),
	U64("pending_max_destinations", ROOT, timing.session.pending_max_destinations, "256", 0,
	    MAX64, 0),
	U64("idle_timeout_secs", ROOT, timing.session.idle_timeout_secs, "90", 0, MAX64, 0),
	U8("coords_warmup_packets", ROOT, timing.session.coords_warmup_packets, "5", 0, MAX8, 0),
	U64("coords_response_interval_ms", ROOT, timing.session.coords_response_interval_ms, "2000",
	    0, MAX64, 0),
};
SECTION(session, session_keys);

static const char *const mmp_modes[] = { "full", "lightweight", "minimal", NULL };

#define MMP_KEYS(m)										\
	ENUM("mode", ROOT, timing.m.mode, mmp_modes, "full", 0),				\
	U64("log_interval_secs", ROOT, timing.m.log_interval_secs, "30", 0, MAX64, 0),	\
	U64("owd_window_size", ROOT, timing.m.owd_window_size, "32", 0, MAX64, 0)

static const struct cfg_key mmp_keys[] = { MMP_KEYS(mmp) };
SECTION(mmp, mmp_keys);
static const struct cfg_key session_mmp_keys[] = { MMP_KEYS(session_mmp) };
SECTION(session_mmp, session_mmp_keys);

static const struct cfg_key ecn_keys[] = {
	BOOL("enabled", ROOT, timing.ecn.enabled, "true", 0),
	F64("loss_threshold", ROOT, timing.ecn.loss_threshold, "0.05", 0),
	F64("etx_threshold", ROOT, timing.ecn.etx_threshold, "3.0", 0),
};
SECTION(ecn, ecn_keys);

static const struct cfg_key rekey_keys[] = {
	BOOL("enabled", ROOT, timing.rekey.enabled, "true", 0),
	U64("after_secs", ROOT, timing.rekey.after_secs, "120", 16, MAX64, 0),
	U64("after_messages", ROOT, timing.rekey.after_messages, "65536", 1, MAX64, 0),
};
SECTION(rekey, rekey_keys);

static const struct cfg_key control_keys[] = {
	BOOL("enabled", ROOT, control.enabled, "true", 0),
	STR("socket_path", ROOT, control.socket_path, NULL, CFG_AUTO),
};
SECTION(control, control_keys);

static const struct cfg_key native_api_keys[] = {
	BOOL("enabled", ROOT, native_api.enabled, "false", CFG_LATER),
	STR("socket_path", ROOT, native_api.socket_path, NULL, CFG_LATER | CFG_AUTO),
	U64("pending_per_flow", ROOT, native_api.pending_per_flow, "16", 1, 64, CFG_LATER),
	U64("backlog", ROOT, native_api.backlog, "16", 1, MAX64, CFG_LATER),
	U64("max_flows", ROOT, native_api.max_flows, "256", 0, MAX64, CFG_LATER),
	BOOL("debug_commands", ROOT, native_api.debug_commands, "false", CFG_LATER),
};
SECTION(native_api, native_api_keys);

static const struct cfg_key buffers_keys[] = {
	U64("packet_channel", ROOT, buffers.packet_channel, "1024", 1, MAX64, CFG_LATER),
	U64("tun_channel", ROOT, buffers.tun_channel, "1024", 1, MAX64, CFG_LATER),
	U64("dns_channel", ROOT, buffers.dns_channel, "64", 1, MAX64, CFG_LATER),
};
SECTION(buffers, buffers_keys);

static const char *const dataplanes[] = { "auto", "kernel", "user", NULL };

static const struct cfg_key node_keys[] = {
	MAP("identity", &identity, CFG_RESTART),
	BOOL("leaf_only", ROOT, leaf_only, "false", CFG_LATER),
	U64("tick_interval_secs", ROOT, tick_interval_secs, "1", 1, MAX64, CFG_LATER),
	U64("base_rtt_ms", ROOT, base_rtt_ms, "100", 0, MAX64, CFG_LATER),
	U64("heartbeat_interval_secs", ROOT, timing.heartbeat_interval_secs, "10", 0, MAX64, 0),
	U64("link_dead_timeout_secs", ROOT, timing.link_dead_timeout_secs, "30", 0, MAX64, 0),
	U64("drain_timeout_secs", ROOT, timing.drain_timeout_secs, "2", 0, MAX64, CFG_OPT),
	STR("log_level", ROOT, log_level, "info", CFG_OPT),
	ENUM("dataplane", ROOT, dataplane, dataplanes, "auto", CFG_RESTART),
	U32("linger_secs", ROOT, linger_secs, "600", 0, FIPS_LINGER_MAX, CFG_RESTART),
	MAP("limits", &limits, 0),
	MAP("rate_limit", &rate_limit, 0),
	MAP("retry", &retry, 0),
	MAP("cache", &cache, 0),
	MAP("lookup", &lookup, 0),
	MAP("rendezvous", &rendezvous, 0),
	MAP("tree", &tree, 0),
	MAP("bloom", &bloom, 0),
	MAP("session", &session, 0),
	MAP("mmp", &mmp, 0),
	MAP("session_mmp", &session_mmp, 0),
	MAP("ecn", &ecn, 0),
	MAP("rekey", &rekey, 0),
	MAP("control", &control, CFG_RESTART),
	MAP("native_api", &native_api, 0),
	MAP("buffers", &buffers, 0),
	MAP("discovery", &discovery, CFG_LEGACY | CFG_OPT),
};
SECTION(node, node_keys);

/* ---- tun, dns ---- */

static const struct cfg_key tun_keys[] = {
	BOOL("enabled", ROOT, tun.enabled, "false", 0),
	STR("name", ROOT, tun.name, "fips0", CFG_OPT),
	U16("mtu", ROOT, tun.mtu, "1280", TUN_MIN, MAX16, CFG_OPT),
};
SECTION(tun, tun_keys);

static const struct cfg_key dns_keys[] = {
	BOOL("enabled", ROOT, dns.enabled, "true", 0),
	STR("bind_addr", ROOT, dns.bind_addr, "::1", CFG_OPT),
	U16("port", ROOT, dns.port, "5354", 0, MAX16, CFG_OPT),
	U32("ttl", ROOT, dns.ttl, "300", 0, MAX32, CFG_OPT),
};
SECTION(dns, dns_keys);

/* ---- transports ---- */

#define INSTANCE(s, keys_, st)	SECTION(s, keys_, .strict = true, .typed = true, .size = sizeof(st))
#define BUFS(st)	\
	U64("recv_buf_size", st, recv_buf_size, "2097152", 0, MAX64, CFG_OPT),	\
	U64("send_buf_size", st, send_buf_size, "2097152", 0, MAX64, CFG_OPT)

#define UDP struct fips_cfg_udp
static const struct cfg_key udp_keys[] = {
	STR("bind_addr", UDP, bind_addr, NULL, CFG_OPT),
	U16("mtu", UDP, mtu, "1280", MTU_MIN, MAX16, CFG_OPT),
	BUFS(UDP),
	BOOL("advertise_on_nostr", UDP, advertise_on_nostr, "false", CFG_OPT | CFG_LATER),
	BOOL("public", UDP, public, "false", CFG_OPT | CFG_LATER),
	STR("external_addr", UDP, external_addr, NULL, CFG_OPT | CFG_LATER),
	BOOL("outbound_only", UDP, outbound_only, "false", CFG_OPT),
	BOOL("accept_connections", UDP, accept_connections, "true", CFG_OPT),
};
INSTANCE(udp, udp_keys, UDP);

#define ETH struct fips_cfg_ethernet
static const struct cfg_key ethernet_keys[] = {
	STR("interface", ETH, interface, NULL, CFG_REQUIRED),
	U16("ethertype", ETH, ethertype, "0x2121", 0, MAX16, CFG_OPT),
	U16("mtu", ETH, mtu, "0", MTU_MIN, MAX16, CFG_OPT),
	BUFS(ETH),
	{ KEY_(CFG_BOOL, bool, "listen", ETH, listen, "true", CFG_OPT), .alias = "discovery" },
	BOOL("announce", ETH, announce, "false", CFG_OPT),
	BOOL("auto_connect", ETH, auto_connect, "false", CFG_OPT),
	BOOL("accept_connections", ETH, accept_connections, "false", CFG_OPT),
	U64("beacon_interval_secs", ETH, beacon_interval_secs, "30", 1, MAX64, CFG_OPT),
};
INSTANCE(ethernet, ethernet_keys, ETH);

#define TCP struct fips_cfg_tcp
static const struct cfg_key tcp_keys[] = {
	STR("bind_addr", TCP, bind_addr, NULL, CFG_OPT),
	U16("mtu", TCP, mtu, "1400", MTU_MIN, MAX16, CFG_OPT),
	U64("connect_timeout_ms", TCP, connect_timeout_ms, "5000", 0, MAX64, CFG_OPT),
	BOOL("nodelay", TCP, nodelay, "true", CFG_OPT),
	U64("keepalive_secs", TCP, keepalive_secs, "30", 0, MAX64, CFG_OPT),
	BUFS(TCP),
	U64("max_inbound_connections", TCP, max_inbound_connections, NULL, 0, MAX64, CFG_OPT),
	BOOL("advertise_on_nostr", TCP, advertise_on_nostr, "false", CFG_OPT),
	STR("external_addr", TCP, external_addr, NULL, CFG_OPT),
};
INSTANCE(tcp, tcp_keys, TCP);

#define TOR struct fips_cfg_tor
static const struct cfg_key directory_keys[] = {
	STR("hostname_file", TOR, hostname_file, "/var/lib/tor/fips_onion_service/hostname",
	    CFG_OPT),
	STR("bind_addr", TOR, directory_bind_addr, "127.0.0.1:8443", CFG_OPT),
};
SECTION(directory, directory_keys, .strict = true, .typed = true);

static const struct cfg_key tor_keys[] = {
	STR("mode", TOR, mode, "socks5", CFG_OPT),
	STR("socks5_addr", TOR, socks5_addr, "127.0.0.1:9050", CFG_OPT),
	U64("connect_timeout_ms", TOR, connect_timeout_ms, "120000", 0, MAX64, CFG_OPT),
	U16("mtu", TOR, mtu, "1400", MTU_MIN, MAX16, CFG_OPT),
	STR("control_addr", TOR, control_addr, "/run/tor/control", CFG_OPT),
	STR("control_auth", TOR, control_auth, "cookie", CFG_OPT | CFG_SECRET),
	STR("cookie_path", TOR, cookie_path, "/var/run/tor/control.authcookie", CFG_OPT),
	U64("max_inbound_connections", TOR, max_inbound_connections, "64", 0, MAX64, CFG_OPT),
	{ .name = "directory_service", .type = CFG_MAP, .sub = &directory, .flags = CFG_OPT,
	  .present = offsetof(TOR, has_directory_service) },
	BOOL("advertise_on_nostr", TOR, advertise_on_nostr, "false", CFG_OPT),
	U16("advertised_port", TOR, advertised_port, "443", 0, MAX16, CFG_OPT),
};
INSTANCE(tor, tor_keys, TOR);

#define NYM struct fips_cfg_nym
static const struct cfg_key nym_keys[] = {
	STR("socks5_addr", NYM, socks5_addr, "127.0.0.1:1080", CFG_OPT),
	U64("connect_timeout_ms", NYM, connect_timeout_ms, "300000", 0, MAX64, CFG_OPT),
	U16("mtu", NYM, mtu, "1400", MTU_MIN, MAX16, CFG_OPT),
	U64("startup_timeout_secs", NYM, startup_timeout_secs, "120", 0, MAX64, CFG_OPT),
};
INSTANCE(nym, nym_keys, NYM);

#define BLE struct fips_cfg_ble
static const struct cfg_key ble_keys[] = {
	STR("adapter", BLE, adapter, "hci0", CFG_OPT),
	U16("psm", BLE, psm, "0x0085", 0, MAX16, CFG_OPT),
	U16("mtu", BLE, mtu, "2048", MTU_MIN, MAX16, CFG_OPT),
	U64("max_connections", BLE, max_connections, "7", 0, MAX64, CFG_OPT),
	U64("connect_timeout_ms", BLE, connect_timeout_ms, "10000", 0, MAX64, CFG_OPT),
	BOOL("advertise", BLE, advertise, "true", CFG_OPT),
	BOOL("scan", BLE, scan, "true", CFG_OPT),
	BOOL("auto_connect", BLE, auto_connect, "false", CFG_OPT),
	BOOL("accept_connections", BLE, accept_connections, "true", CFG_OPT),
	U64("probe_cooldown_secs", BLE, probe_cooldown_secs, "30", 0, MAX64, CFG_OPT),
};
INSTANCE(ble, ble_keys, BLE);

static const struct cfg_key transports_keys[] = {
	INSTANCES("udp", udp, &udp, CFG_RESTART),
	INSTANCES("ethernet", ethernet, &ethernet, CFG_LATER),
	INSTANCES("tcp", tcp, &tcp, CFG_LATER),
	INSTANCES("tor", tor, &tor, CFG_LATER),
	INSTANCES("nym", nym, &nym, CFG_LATER),
	INSTANCES("ble", ble, &ble, CFG_LATER),
};
SECTION(transports, transports_keys, .typed = true);

/* ---- peers ---- */

#define ADDR struct fips_cfg_addr
static const struct cfg_key addr_keys[] = {
	STR("transport", ADDR, transport, NULL, CFG_REQUIRED),
	STR("addr", ADDR, addr, NULL, CFG_REQUIRED),
	U8("priority", ADDR, priority, "100", 0, MAX8, 0),
};
SECTION(addr, addr_keys, .strict = true, .size = sizeof(ADDR));

/* In the order of enum fips_connect_policy */
static const char *const policies[] = { "auto_connect", "on_demand", "manual", NULL };

#define PEER struct fips_cfg_peer
static const struct cfg_key peer_keys[] = {
	STR("npub", PEER, npub, NULL, CFG_REQUIRED),
	STR("alias", PEER, alias, NULL, CFG_OPT),
	ELEMS("addresses", PEER, addresses, &addr, 0),
	ENUM("connect_policy", PEER, connect_policy, policies, "auto_connect", 0),
	BOOL("auto_reconnect", PEER, auto_reconnect, "true", 0),
	BOOL("via_nostr", PEER, via_nostr, "false", CFG_LATER),
};
SECTION(peer, peer_keys, .strict = true, .size = sizeof(PEER));

/* ---- gateway ---- */

static const char *const protos[] = { "tcp", "udp", NULL };

#define FORWARD struct fips_cfg_forward
static const struct cfg_key forward_keys[] = {
	U16("listen_port", FORWARD, listen_port, NULL, 0, MAX16, CFG_REQUIRED),
	ENUM("proto", FORWARD, proto, protos, "tcp", CFG_REQUIRED),
	STR("target", FORWARD, target, NULL, CFG_REQUIRED),
};
SECTION(forward, forward_keys, .size = sizeof(FORWARD));

static const struct cfg_key gw_dns_keys[] = {
	STR("listen", ROOT, gateway.dns_listen, "[::1]:5353", CFG_OPT),
	STR("upstream", ROOT, gateway.dns_upstream, "[::1]:5354", CFG_OPT),
	U32("ttl", ROOT, gateway.dns_ttl, "60", 0, MAX32, CFG_OPT),
};
SECTION(gw_dns, gw_dns_keys);

static const struct cfg_key conntrack_keys[] = {
	U64("tcp_established", ROOT, gateway.tcp_established, "432000", 0, MAX64, CFG_OPT),
	U64("udp_timeout", ROOT, gateway.udp_timeout, "30", 0, MAX64, CFG_OPT),
	U64("udp_assured", ROOT, gateway.udp_assured, "180", 0, MAX64, CFG_OPT),
	U64("icmp_timeout", ROOT, gateway.icmp_timeout, "30", 0, MAX64, CFG_OPT),
};
SECTION(conntrack, conntrack_keys);

static const struct cfg_key gateway_keys[] = {
	BOOL("enabled", ROOT, gateway.enabled, "false", 0),
	STR("pool", ROOT, gateway.pool, NULL, CFG_REQUIRED),
	STR("lan_interface", ROOT, gateway.lan_interface, NULL, CFG_REQUIRED),
	MAP("dns", &gw_dns, 0),
	U64("pool_grace_period", ROOT, gateway.pool_grace_period, "60", 0, MAX64, CFG_OPT),
	MAP("conntrack", &conntrack, 0),
	ELEMS("port_forwards", ROOT, gateway.port_forwards, &forward, 0),
};
SECTION(gateway, gateway_keys);

static const struct cfg_key root_keys[] = {
	MAP("node", &node, 0),
	MAP("tun", &tun, CFG_RESTART),
	MAP("dns", &dns, 0),
	MAP("transports", &transports, 0),
	ELEMS("peers", ROOT, peers, &peer, 0),
	{ .name = "gateway", .type = CFG_MAP, .sub = &gateway, .flags = CFG_OPT | CFG_LATER,
	  .present = offsetof(ROOT, gateway.present) },
};

const struct cfg_section fips_cfg_root = {
	.keys = root_keys,
	.n = ARRAY_SIZE(root_keys),
};
