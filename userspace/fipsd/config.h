/* SPDX-License-Identifier: MIT */
/*
 * Configuration (spec 12): fips.yaml as a struct. The keys, their types, ranges
 * and defaults stand in one table, config_keys.c; loading, defaults, freeing
 * and error messages all walk it.
 *
 * Life: fips_config_new(), fips_config_load() of each file from low to high
 * precedence, fips_config_check() once, then only readers, fips_config_free().
 */
#ifndef FIPSD_CONFIG_H
#define FIPSD_CONFIG_H

#include "../libfips/node.h"

#include "config_report.h"

#define FIPS_LINGER_MAX		86400

struct fips_cfg_strlist {
	char **v;
	size_t n;
};

struct fips_cfg_u64list {
	u64 *v;
	size_t n;
};

/* A growing array of table-driven elements (instances, peers, addresses). */
struct fips_cfg_array {
	void *v;
	size_t n;
};

/**
 * struct fips_cfg_mark - where in which file something was written
 * @file: path, owned by the configuration, or NULL (a default)
 * @line: from 1
 * @col: from 1
 */
struct fips_cfg_mark {
	const char *file;
	unsigned int line;
	unsigned int col;
};

/* First member of every array element. @uid keys the marks of its fields. */
struct fips_cfg_elem {
	u32 uid;
	struct fips_cfg_mark mark;
	char *name;		/* of an instance; NULL for the unnamed one, and for peers */
};

struct fips_cfg_udp {
	struct fips_cfg_elem e;
	char *bind_addr;
	u16 mtu;
	u64 recv_buf_size;
	u64 send_buf_size;
	bool advertise_on_nostr;
	bool public;
	char *external_addr;
	bool outbound_only;
	bool accept_connections;
};

struct fips_cfg_ethernet {
	struct fips_cfg_elem e;
	char *interface;
	u16 ethertype;
	u16 mtu;		/* 0: the interface's - 3 */
	u64 recv_buf_size;
	u64 send_buf_size;
	bool listen;
	bool announce;
	bool auto_connect;
	bool accept_connections;
	u64 beacon_interval_secs;
};

struct fips_cfg_tcp {
	struct fips_cfg_elem e;
	char *bind_addr;
	u16 mtu;
	u64 connect_timeout_ms;
	bool nodelay;
	u64 keepalive_secs;
	u64 recv_buf_size;
	u64 send_buf_size;
	u64 max_inbound_connections;
	bool advertise_on_nostr;
	char *external_addr;
};

struct fips_cfg_tor {
	struct fips_cfg_elem e;
	char *mode;
	char *socks5_addr;
	u64 connect_timeout_ms;
	u16 mtu;
	char *control_addr;
	char *control_auth;
	char *cookie_path;
	u64 max_inbound_connections;
	bool has_directory_service;
	char *hostname_file;
	char *directory_bind_addr;
	bool advertise_on_nostr;
	u16 advertised_port;
};

struct fips_cfg_nym {
	struct fips_cfg_elem e;
	char *socks5_addr;
	u64 connect_timeout_ms;
	u16 mtu;
	u64 startup_timeout_secs;
};

struct fips_cfg_ble {
	struct fips_cfg_elem e;
	char *adapter;
	u16 psm;
	u16 mtu;
	u64 max_connections;
	u64 connect_timeout_ms;
	bool advertise;
	bool scan;
	bool auto_connect;
	bool accept_connections;
	u64 probe_cooldown_secs;
};

struct fips_cfg_addr {
	struct fips_cfg_elem e;
	char *transport;
	char *addr;
	u8 priority;
};

struct fips_cfg_peer {
	struct fips_cfg_elem e;
	char *npub;
	char *alias;
	struct fips_cfg_array addresses;	/* struct fips_cfg_addr */
	u8 connect_policy;			/* enum fips_connect_policy */
	bool auto_reconnect;
	bool via_nostr;
	bool usable;				/* set by the check: @npub decodes (12 §6.8) */
	struct fips_identity id;		/* of @npub, if so */
};

struct fips_cfg_forward {
	struct fips_cfg_elem e;
	u16 listen_port;
	u8 proto;
	char *target;
};

struct fips_cfg_nostr {
	bool enabled;
	bool advertise;
	struct fips_cfg_strlist advert_relays;
	struct fips_cfg_strlist dm_relays;
	struct fips_cfg_strlist stun_servers;
	bool share_local_candidates;
	char *app;
	u64 signal_ttl_secs;
	u8 policy;
	u64 open_discovery_max_pending;
	u64 max_concurrent_incoming_offers;
	u64 max_concurrent_offers_per_npub;
	u64 advert_cache_max_entries;
	u64 seen_sessions_max_entries;
	u64 attempt_timeout_secs;
	u64 replay_window_secs;
	u64 punch_start_delay_ms;
	u64 punch_interval_ms;
	u64 punch_duration_ms;
	u64 advert_ttl_secs;
	u64 advert_refresh_secs;
	u64 startup_sweep_delay_secs;
	u64 startup_sweep_max_age_secs;
	u32 failure_streak_threshold;
	u64 extended_cooldown_secs;
	u64 warn_log_interval_secs;
	u64 failure_state_max_entries;
	u64 protocol_mismatch_cooldown_secs;
};

enum fips_cfg_dataplane {
	FIPS_DATAPLANE_AUTO,
	FIPS_DATAPLANE_KERNEL,
	FIPS_DATAPLANE_USER,
};

/**
 * struct fips_config - the effective configuration
 *
 * Members are named as the keys; those of libfips live in @timing already.
 */
struct fips_config {
	struct fips_node_timing timing;

	char *nsec;			/* wiped by fips_config_wipe_secrets() */
	bool persistent;
	bool leaf_only;
	u64 tick_interval_secs;
	u64 base_rtt_ms;
	char *log_level;
	u8 dataplane;			/* enum fips_cfg_dataplane; ours */
	u32 linger_secs;		/* ours */

	struct fips_cfg_u64list attempt_timeouts_secs;	/* also in @timing.lookup, cut */
	struct fips_cfg_nostr nostr;
	struct {
		bool enabled;
		char *service_type;
		char *scope;
	} lan;
	struct {
		bool enabled;
		char *socket_path;	/* NULL: automatic */
	} control;
	struct {
		bool enabled;
		char *socket_path;
		u64 pending_per_flow;
		u64 backlog;
		u64 max_flows;
		bool debug_commands;
	} native_api;
	struct {
		u64 packet_channel;
		u64 tun_channel;
		u64 dns_channel;
	} buffers;

	struct {
		bool enabled;
		char *name;
		u16 mtu;
	} tun;
	struct {
		bool enabled;
		char *bind_addr;
		u16 port;
		u32 ttl;
	} dns;

	/* An empty array of instances with @has_… false was never mentioned. */
	struct fips_cfg_array udp;	/* struct fips_cfg_udp */
	struct fips_cfg_array ethernet;
	struct fips_cfg_array tcp;
	struct fips_cfg_array tor;
	struct fips_cfg_array nym;
	struct fips_cfg_array ble;
	struct fips_cfg_array peers;	/* struct fips_cfg_peer */

	struct {
		bool present;
		bool enabled;
		char *pool;
		char *lan_interface;
		char *dns_listen;
		char *dns_upstream;
		u32 dns_ttl;
		u64 pool_grace_period;
		u64 tcp_established;
		u64 udp_timeout;
		u64 udp_assured;
		u64 icmp_timeout;
		struct fips_cfg_array port_forwards;
	} gateway;

	/* Not keys: */
	char *dir;			/* of the highest file, for key files (spec 12 §9) */
	struct fips_cfg_marks *marks;
};

static inline struct fips_cfg_udp *fips_cfg_udp(const struct fips_config *cfg, size_t i)
{
	return (struct fips_cfg_udp *)cfg->udp.v + i;
}

static inline struct fips_cfg_tcp *fips_cfg_tcp(const struct fips_config *cfg, size_t i)
{
	return (struct fips_cfg_tcp *)cfg->tcp.v + i;
}

static inline struct fips_cfg_tor *fips_cfg_tor(const struct fips_config *cfg, size_t i)
{
	return (struct fips_cfg_tor *)cfg->tor.v + i;
}

static inline struct fips_cfg_peer *fips_cfg_peer(const struct fips_config *cfg, size_t i)
{
	return (struct fips_cfg_peer *)cfg->peers.v + i;
}

static inline struct fips_cfg_addr *fips_cfg_addr(const struct fips_cfg_peer *peer, size_t i)
{
	return (struct fips_cfg_addr *)peer->addresses.v + i;
}

/* The defaults of the table. NULL without memory. */
struct fips_config *fips_config_new(void);

/* Secret text is wiped. NULL is fine. */
void fips_config_free(struct fips_config *cfg);

/* Wipe the nsec, once the key pair is made. */
void fips_config_wipe_secrets(struct fips_config *cfg);

/**
 * fips_config_load() - put one file on top of what is there
 * @cfg: configuration
 * @path: file
 * @rep: gets errors, warnings and notes
 *
 * What the file mentions replaces what @cfg holds, mapping by mapping; a
 * transport type and the peers are replaced whole.
 *
 * Return: 0; -EINVAL, see @rep; another negative errno if the file can't be read (also in @rep).
 */
int fips_config_load(struct fips_config *cfg, const char *path, struct fips_report *rep);

/* The same from memory; @name stands for the path in messages. @text is wiped by the caller. */
int fips_config_load_text(struct fips_config *cfg, const char *name, const char *text, size_t len,
			  struct fips_report *rep);

/**
 * fips_config_check() - what only the whole configuration shows (spec 12 §8)
 * @cfg: configuration; the identities of its peers are filled in
 * @pk: to decode npubs
 * @rep: gets every violation, not just the first
 *
 * Return: 0 or -EINVAL.
 */
int fips_config_check(struct fips_config *cfg, const struct fips_pk *pk, struct fips_report *rep);

/* Can an interface have this name? */
bool fips_config_ifname_valid(const char *name);

/**
 * fips_config_find() - the files of explicit or search mode, loaded and checked
 * @cfg: fresh configuration
 * @path: the -c argument, or NULL for search mode (spec 12 §3)
 * @pk: to decode npubs
 * @rep: messages
 *
 * Return: 0 or a negative errno, explained in @rep.
 */
int fips_config_find(struct fips_config *cfg, const char *path, const struct fips_pk *pk,
		     struct fips_report *rep);

#endif /* FIPSD_CONFIG_H */
