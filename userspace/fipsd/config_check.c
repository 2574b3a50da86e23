// SPDX-License-Identifier: MIT
/*
 * Rules over the whole configuration (spec 12 §8). Ranges of single keys stand
 * in the key table; here is what takes two keys to see.
 */
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config_table.h"

#define CLOCK_SKEW_SECS	120	/* both clocks 60 s off */

struct check {
	struct fips_config *cfg;
	struct fips_report *rep;
	const struct fips_pk *pk;
};

static void at_root(struct check *c, enum fips_severity sev, size_t off, const char *key,
		    const char *text)
{
	fips_report_add(c->rep, sev, cfg_marks_find(c->cfg, 0, off), key, "%s", text);
}

static const struct fips_cfg_mark *elem_mark(struct check *c, const struct fips_cfg_elem *e,
					     size_t off)
{
	const struct fips_cfg_mark *at = cfg_marks_find(c->cfg, e->uid, off);

	return at ? at : &e->mark;
}

static void instance_key(char *buf, size_t size, const char *type, const struct fips_cfg_elem *e,
			 const char *key)
{
	snprintf(buf, size, "transports.%s%s%s.%s", type, e->name ? "." : "",
		 e->name ? e->name : "", key);
}

/* Text that may be an IP address of the loopback (rule 6). */
static bool is_loopback(const char *host, size_t len)
{
	char text[64];

	if (len >= sizeof(text))
		return false;
	if (len > 1 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	}
	memcpy(text, host, len);
	text[len] = '\0';
	return !strncmp(text, "127.", 4) || !strcmp(text, "::1") ||
	       !strcmp(text, "0:0:0:0:0:0:0:1") || !strcasecmp(text, "localhost");
}

/* "host:port", "[v6]:port": length of the host part, or 0. */
static size_t host_len(const char *addr)
{
	const char *colon = strrchr(addr, ':');

	return colon ? (size_t)(colon - addr) : 0;
}

static bool port_valid(const char *text)
{
	struct cfg_scalar s = { text, strlen(text), true };
	u64 port;

	return strspn(text, "0123456789") == s.len && !cfg_uint(&s, 65535, &port) && port;
}

/* Numeric endpoint, or name and port. */
static bool endpoint_valid(const char *addr)
{
	struct fips_taddr numeric;
	size_t len = host_len(addr);
	size_t i;

	if (!fips_taddr_parse(&numeric, addr))
		return numeric.port;
	if (!len || len > 253 || !port_valid(addr + len + 1))
		return false;
	for (i = 0; i < len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._",
			    addr[i]))
			return false;
	/* 300.1.2.3 is not a name */
	return strspn(addr, "0123456789.") < len;
}

/* ---- transports ---- */

static void check_bind(struct check *c, const struct fips_cfg_udp *udp)
{
	const struct fips_cfg_mark *at = elem_mark(c, &udp->e, offsetof(struct fips_cfg_udp,
									bind_addr));
	struct fips_taddr bind;
	char key[128];

	if (!udp->bind_addr)
		return;
	instance_key(key, sizeof(key), "udp", &udp->e, "bind_addr");
	if (udp->outbound_only)
		fips_report_add(c->rep, FIPS_REPORT_WARNING, at, key,
				"ignored, because outbound_only is set");
	else if (fips_taddr_parse(&bind, udp->bind_addr) || bind.kind == FIPS_TADDR_MAC)
		fips_report_add(c->rep, FIPS_REPORT_WARNING, at, key,
				"\"%s\" is no numeric address with a port, can't start; %s",
				udp->bind_addr, "expected 0.0.0.0:2121 or [::]:2121");
}

static bool udp_advertised(const struct fips_cfg_udp *udp)
{
	return udp->advertise_on_nostr && !udp->outbound_only;
}

/* Rule 1 */
static void check_advertise(struct check *c, const char *type, const struct fips_cfg_elem *e,
			    size_t off)
{
	char key[128];

	if (c->cfg->nostr.enabled)
		return;
	instance_key(key, sizeof(key), type, e, "advertise_on_nostr");
	fips_report_add(c->rep, FIPS_REPORT_ERROR, elem_mark(c, e, off), key,
			"needs node.rendezvous.nostr.enabled: true");
}

static void check_transports(struct check *c)
{
	struct fips_config *cfg = c->cfg;
	bool behind_nat = false;
	size_t i;

	for (i = 0; i < cfg->udp.n; i++) {
		struct fips_cfg_udp *udp = fips_cfg_udp(cfg, i);

		check_bind(c, udp);
		if (!udp_advertised(udp))
			continue;
		check_advertise(c, "udp", &udp->e,
				offsetof(struct fips_cfg_udp, advertise_on_nostr));
		behind_nat |= !udp->public;
	}
	for (i = 0; i < cfg->tcp.n; i++)
		if (fips_cfg_tcp(cfg, i)->advertise_on_nostr)
			check_advertise(c, "tcp", &fips_cfg_tcp(cfg, i)->e,
					offsetof(struct fips_cfg_tcp, advertise_on_nostr));
	for (i = 0; i < cfg->tor.n; i++)
		if (fips_cfg_tor(cfg, i)->advertise_on_nostr)
			check_advertise(c, "tor", &fips_cfg_tor(cfg, i)->e,
					offsetof(struct fips_cfg_tor, advertise_on_nostr));
	/* Rule 4 */
	if (cfg->nostr.enabled && behind_nat && !cfg->nostr.dm_relays.n)
		at_root(c, FIPS_REPORT_ERROR, offsetof(struct fips_config, nostr.dm_relays),
			"node.rendezvous.nostr.dm_relays",
			"empty, but an advertised UDP transport is not public; expected a relay");
	if (cfg->nostr.enabled && behind_nat && !cfg->nostr.stun_servers.n)
		at_root(c, FIPS_REPORT_ERROR, offsetof(struct fips_config, nostr.stun_servers),
			"node.rendezvous.nostr.stun_servers",
			"empty, but an advertised UDP transport is not public; expected a server");
}

/* ---- peers ---- */

static bool udp_instance_exists(const struct fips_config *cfg, const char *name)
{
	size_t i;

	for (i = 0; i < cfg->udp.n; i++) {
		const char *is = fips_cfg_udp(cfg, i)->e.name;

		if (is && !strcmp(is, name))
			return true;
	}
	return false;
}

/* "udp/name": rule 7. Half-empty texts are plain types. */
static void check_qualified(struct check *c, const struct fips_cfg_addr *a, const char *path)
{
	const struct fips_cfg_mark *at = elem_mark(c, &a->e, offsetof(struct fips_cfg_addr,
								      transport));
	const char *slash = strchr(a->transport, '/');
	struct fips_taddr numeric;
	char key[128];

	if (!slash || slash == a->transport || !slash[1])
		return;
	snprintf(key, sizeof(key), "%s.transport", path);
	if (slash - a->transport != 3 || strncmp(a->transport, "udp", 3))
		fips_report_add(c->rep, FIPS_REPORT_ERROR, at, key,
				"\"%s\": only udp can name an instance; expected udp/NAME",
				a->transport);
	else if (!udp_instance_exists(c->cfg, slash + 1))
		fips_report_add(c->rep, FIPS_REPORT_ERROR, at, key,
				"\"%s\": there is no transports.udp.%s", a->transport, slash + 1);
	else if (fips_taddr_parse(&numeric, a->addr))	/* 10 §1.4 rule 4 */
		fips_report_add(c->rep, FIPS_REPORT_WARNING, at, key,
				"never dialled: with an instance the address must be numeric");
}

static bool transport_is(const char *transport, const char *type)
{
	size_t len = strlen(type);

	return !strncmp(transport, type, len) && (!transport[len] || transport[len] == '/');
}

static void check_addr(struct check *c, const struct fips_cfg_addr *a, const char *path)
{
	const struct fips_cfg_mark *at = elem_mark(c, &a->e, offsetof(struct fips_cfg_addr, addr));
	char key[128];

	if (!a->transport || !a->addr)
		return;		/* reported as missing */
	check_qualified(c, a, path);
	snprintf(key, sizeof(key), "%s.addr", path);
	if (transport_is(a->transport, "udp") && !strcmp(a->addr, "nat"))
		fips_report_add(c->rep, FIPS_REPORT_NOTE, at, key,
				"known, but not in force in this version");
	else if ((transport_is(a->transport, "udp") || transport_is(a->transport, "tcp")) &&
		 !endpoint_valid(a->addr))
		fips_report_add(c->rep, FIPS_REPORT_WARNING, at, key,
				"\"%s\" is no endpoint, never dialled; %s", a->addr,
				"expected host:port, 192.0.2.1:2121 or [2001:db8::1]:2121");
	if (!transport_is(a->transport, "udp")) {
		snprintf(key, sizeof(key), "%s.transport", path);
		fips_report_add(c->rep, FIPS_REPORT_NOTE,
				elem_mark(c, &a->e, offsetof(struct fips_cfg_addr, transport)), key,
				"transport \"%s\" is not in force in this version", a->transport);
	}
}

static void check_npub(struct check *c, struct fips_cfg_peer *peer, const char *path)
{
	char key[128];
	int ret;

	if (!peer->npub)
		return;
	ret = fips_identity_from_npub(c->pk, peer->npub, strlen(peer->npub), &peer->id);
	peer->usable = ret >= 0;
	if (peer->usable)
		return;
	snprintf(key, sizeof(key), "%s.npub", path);
	fips_report_add(c->rep, FIPS_REPORT_WARNING,
			elem_mark(c, &peer->e, offsetof(struct fips_cfg_peer, npub)), key,
			"\"%.80s\" is no npub (%s), peer left out; expected npub1 and 58 more",
			peer->npub, fips_key_strerror(ret));
}

static void check_alias(struct check *c, const struct fips_cfg_peer *peer, const char *path)
{
	char key[128];

	if (!peer->alias || fips_hostname_valid(peer->alias, strlen(peer->alias)))
		return;
	snprintf(key, sizeof(key), "%s.alias", path);
	fips_report_add(c->rep, FIPS_REPORT_WARNING,
			elem_mark(c, &peer->e, offsetof(struct fips_cfg_peer, alias)), key,
			"\"%.80s\" can't be a host name, it is only displayed", peer->alias);
}

static void check_peer(struct check *c, struct fips_cfg_peer *peer, size_t index)
{
	const struct fips_cfg_mark *at;
	char path[64], sub[96];
	size_t i;

	snprintf(path, sizeof(path), "peers[%zu]", index);
	check_npub(c, peer, path);
	check_alias(c, peer, path);
	if (peer->via_nostr && !c->cfg->nostr.enabled) {	/* rule 2 */
		at = elem_mark(c, &peer->e, offsetof(struct fips_cfg_peer, via_nostr));
		snprintf(sub, sizeof(sub), "%s.via_nostr", path);
		fips_report_add(c->rep, FIPS_REPORT_ERROR, at, sub,
				"needs node.rendezvous.nostr.enabled: true");
	}
	if (!peer->via_nostr && !peer->addresses.n) {		/* rule 3 */
		at = elem_mark(c, &peer->e, offsetof(struct fips_cfg_peer, addresses));
		snprintf(sub, sizeof(sub), "%s.addresses", path);
		fips_report_add(c->rep, FIPS_REPORT_ERROR, at, sub,
				"no address to dial; expected one, or via_nostr: true");
	}
	for (i = 0; i < peer->addresses.n; i++) {
		snprintf(sub, sizeof(sub), "%s.addresses[%zu]", path, i);
		check_addr(c, fips_cfg_addr(peer, i), sub);
	}
}

static bool dials_abroad(const struct fips_config *cfg)
{
	size_t i, j;

	for (i = 0; i < cfg->peers.n; i++) {
		struct fips_cfg_peer *peer = fips_cfg_peer(cfg, i);

		for (j = 0; j < peer->addresses.n; j++) {
			struct fips_cfg_addr *a = fips_cfg_addr(peer, j);

			if (a->transport && a->addr && !strcmp(a->transport, "udp") &&
			    !is_loopback(a->addr, host_len(a->addr)))
				return true;
		}
	}
	return false;
}

/* Rule 6 */
static void check_loopback(struct check *c)
{
	const struct fips_cfg_mark *at;
	char key[128];
	size_t i;

	if (!dials_abroad(c->cfg))
		return;
	for (i = 0; i < c->cfg->udp.n; i++) {
		struct fips_cfg_udp *udp = fips_cfg_udp(c->cfg, i);

		if (!udp->bind_addr || udp->outbound_only ||
		    !is_loopback(udp->bind_addr, host_len(udp->bind_addr)))
			continue;
		instance_key(key, sizeof(key), "udp", &udp->e, "bind_addr");
		at = elem_mark(c, &udp->e, offsetof(struct fips_cfg_udp, bind_addr));
		fips_report_add(c->rep, FIPS_REPORT_ERROR, at, key,
				"\"%s\" reaches only this host, but a peer is elsewhere; %s",
				udp->bind_addr, "expected 0.0.0.0:2121");
	}
}

/* ---- the rest ---- */

bool fips_config_ifname_valid(const char *name)
{
	return name[0] && strlen(name) < IFNAMSIZ && !strpbrk(name, "/ \t\n:%") &&
	       strcmp(name, ".") && strcmp(name, "..");
}

static void check_node(struct check *c)
{
	struct fips_config *cfg = c->cfg;
	u64 ttl = cfg->nostr.signal_ttl_secs;

	/* Rule 10 */
	if (ttl > ~(u64)0 - CLOCK_SKEW_SECS ||
	    ttl + CLOCK_SKEW_SECS >= cfg->nostr.replay_window_secs)
		at_root(c, FIPS_REPORT_ERROR, offsetof(struct fips_config, nostr.signal_ttl_secs),
			"node.rendezvous.nostr.signal_ttl_secs",
			"must be more than 120 s below replay_window_secs");
	if (!fips_config_ifname_valid(cfg->tun.name))
		at_root(c, FIPS_REPORT_WARNING, offsetof(struct fips_config, tun.name), "tun.name",
			"no interface name; expected 1 to 15 characters without / : % or blanks");
}

static void check_secret(struct check *c)
{
	const char *nsec = c->cfg->nsec;
	char text[128];
	u8 sec[32];
	int ret;

	if (!nsec)
		return;
	ret = fips_secret_parse(c->pk, nsec, strlen(nsec), sec);
	explicit_bzero(sec, sizeof(sec));
	if (ret >= 0)
		return;
	snprintf(text, sizeof(text), "no secret key (%s); expected nsec1... or 64 hex digits",
		 fips_key_strerror(ret));
	at_root(c, FIPS_REPORT_ERROR, offsetof(struct fips_config, nsec), "node.identity.nsec",
		text);
}

int fips_config_check(struct fips_config *cfg, const struct fips_pk *pk, struct fips_report *rep)
{
	struct check c = { .cfg = cfg, .rep = rep, .pk = pk };
	size_t errors = rep->errors, i;

	check_node(&c);
	check_secret(&c);
	check_transports(&c);
	for (i = 0; i < cfg->peers.n; i++)
		check_peer(&c, fips_cfg_peer(cfg, i), i);
	check_loopback(&c);
	return rep->errors > errors ? -EINVAL : 0;
}
