// SPDX-License-Identifier: MIT
/*
 * fips.yaml: the dialect, every kind of error with its place, defaults,
 * instances, legacy names, and the rules over the whole (spec 12).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fipsd/config.h"
#include "fipsd/config_diff.h"
#include "fipsd/config_doc.h"
#include "vectors_pk.h"

#define NPUB	"npub1sx42mj99aql52aklsg70y2jmr95u7uz2p40k769aw46ppjv302kqkhmu5r"
#define PEER	"peers:\n  - npub: " NPUB "\n"
#define PEER_AT(addr)	PEER "    addresses: [ { transport: udp, addr: '" addr "' } ]\n"

/* The configuration of the test at hand, and its messages. */
struct run {
	struct vec_crypto *c;
	struct fips_config *cfg;
	struct fips_report rep;
	int ret;
};

static int setup(void **state)
{
	struct run *r = calloc(1, sizeof(*r));
	void *c;

	assert_non_null(r);
	vec_crypto_setup(&c);
	r->c = c;
	*state = r;
	return 0;
}

static void forget(struct run *r)
{
	fips_report_clear(&r->rep);
	fips_config_free(r->cfg);
	r->cfg = NULL;
}

static int teardown(void **state)
{
	struct run *r = *state;
	void *c = r->c;

	forget(r);
	vec_crypto_teardown(&c);
	free(r);
	return 0;
}

static void load(struct run *r, const char *text)
{
	int ret;

	forget(r);
	r->cfg = fips_config_new();
	assert_non_null(r->cfg);
	r->ret = fips_config_load_text(r->cfg, "f.yaml", text, strlen(text), &r->rep);
	ret = fips_config_check(r->cfg, &r->c->pk, &r->rep);
	if (!r->ret)
		r->ret = ret;
	assert_int_equal(r->ret != 0, r->rep.errors != 0);
}

static void accept(struct run *r, const char *text)
{
	load(r, text);
	if (r->ret)
		fips_report_print(&r->rep, FIPS_REPORT_NOTE, stderr);
	assert_int_equal(r->ret, 0);
}

/* A message of @severity at @line:@col whose text has @part. */
static bool has(const struct run *r, enum fips_severity severity, unsigned int line,
		unsigned int col, const char *part)
{
	size_t i;

	for (i = 0; i < r->rep.count; i++) {
		const struct fips_message *m = &r->rep.msg[i];

		if (m->severity == severity && m->line == line && m->col == col &&
		    strstr(m->text, part))
			return true;
	}
	return false;
}

static void refuse(struct run *r, const char *text, unsigned int line, unsigned int col,
		   const char *part)
{
	load(r, text);
	if (!has(r, FIPS_REPORT_ERROR, line, col, part)) {
		fprintf(stderr, "expected %u:%u \"%s\" for:\n%s\ngot:\n", line, col, part, text);
		fips_report_print(&r->rep, FIPS_REPORT_NOTE, stderr);
	}
	assert_true(has(r, FIPS_REPORT_ERROR, line, col, part));
	assert_int_not_equal(r->ret, 0);
}

/* Taken as the reference takes it, but told. */
static void warned(struct run *r, const char *text, unsigned int line, unsigned int col,
		   const char *part)
{
	accept(r, text);
	assert_true(has(r, FIPS_REPORT_WARNING, line, col, part));
}

static void test_defaults(void **state)
{
	struct run *r = *state;
	struct fips_node_timing t;

	accept(r, "");
	fips_node_timing_defaults(&t);
	/* The table and libfips must not drift apart. */
	assert_memory_equal(&r->cfg->timing, &t, sizeof(t));
	assert_null(r->cfg->nsec);
	assert_false(r->cfg->persistent);
	assert_false(r->cfg->tun.enabled);
	assert_string_equal(r->cfg->tun.name, "fips0");
	assert_int_equal(r->cfg->tun.mtu, 1280);
	assert_true(r->cfg->control.enabled);
	assert_null(r->cfg->control.socket_path);
	assert_int_equal(r->cfg->dataplane, FIPS_DATAPLANE_AUTO);
	assert_int_equal(r->cfg->linger_secs, 600);
	assert_int_equal(r->cfg->attempt_timeouts_secs.n, 4);
	assert_int_equal(r->cfg->attempt_timeouts_secs.v[3], 8);
	assert_int_equal(r->cfg->nostr.stun_servers.n, 3);
	assert_string_equal(r->cfg->nostr.advert_relays.v[1], "wss://nos.lol");
	assert_string_equal(r->cfg->nostr.app, "fips-overlay-v1");
	assert_int_equal(r->cfg->nostr.policy, 1);
	assert_true(r->cfg->timing.bloom.max_inbound_fpr == 0.20);
	assert_int_equal(r->cfg->dns.port, 5354);
	assert_int_equal(r->cfg->udp.n + r->cfg->tcp.n + r->cfg->peers.n, 0);
}

static void test_empty_documents(void **state)
{
	static const char *const texts[] = {
		"", "\n\n", "# only a comment\n", "---\n", "--- {}\n", "{}", "node:\n",
		"node:\n  rendezvous:\n    # commented\npeers:\n", "tun:\ndns:\n", "gateway:\n",
		"gateway: ~\n", "\xef\xbb\xbfnode: {}\n",
	};
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		accept(*state, texts[i]);
}

static void test_null(void **state)
{
	struct run *r = *state;

	accept(r, "node: { log_level: null, identity: { nsec: ~ }, drain_timeout_secs: }\n");
	assert_int_equal(r->cfg->timing.drain_timeout_secs, 2);
	assert_string_equal(r->cfg->log_level, "info");
	/* A path called "null" is nobody's wish. */
	accept(r, "node: { control: { socket_path: null }, native_api: { socket_path: '' } }\n");
	assert_null(r->cfg->control.socket_path);
	accept(r, "node: { control: { socket_path: 21210 } }\n");
	assert_string_equal(r->cfg->control.socket_path, "21210");
	/* Quoted, it is text. */
	accept(r, "tun: { name: 'null' }\n");
	assert_string_equal(r->cfg->tun.name, "null");
	refuse(r, "node: ~\n", 1, 7, "node");
	refuse(r, "peers: null\n", 1, 8, "peers: \"null\"");
	refuse(r, "node:\n  rekey: null\n", 2, 10, "node.rekey");
	refuse(r, "node: { tick_interval_secs: ~ }\n", 1, 29, "whole number");
	refuse(r, "transports:\n  udp:\n", 2, 7, "transports.udp: nothing");
}

static void test_bool(void **state)
{
	static const char *const yes[] = { "true", "True", "TRUE" };
	static const char *const no[] = { "false", "False", "FALSE" };
	static const char *const bad[] = {
		"yes", "on", "1", "'true'", "\"true\"", "tRUE", "null", "", "[]", "{}"
	};
	struct run *r = *state;
	char text[64];
	size_t i;

	for (i = 0; i < 3; i++) {
		snprintf(text, sizeof(text), "tun: { enabled: %s }\n", yes[i]);
		accept(r, text);
		assert_true(r->cfg->tun.enabled);
		snprintf(text, sizeof(text), "dns: { enabled: %s }\n", no[i]);
		accept(r, text);
		assert_false(r->cfg->dns.enabled);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "dns:\n  enabled: %s\n", bad[i]);
		load(r, text);
		assert_int_equal(r->rep.errors, 1);
		assert_non_null(strstr(r->rep.msg[r->rep.count - 1].text, "true or false"));
	}
}

static void test_integers(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		u64 value;
	} cases[] = {
		{ "0", true, 0 }, { "7", true, 7 }, { "+7", true, 7 }, { "0x1F", true, 31 },
		{ "0o17", true, 15 }, { "0b101", true, 5 }, { "-0", false, 0 },
		{ "18446744073709551615", true, ~(u64)0 }, { "18446744073709551616", false, 0 },
		{ "0xffffffffffffffff", true, ~(u64)0 }, { "0x10000000000000000", false, 0 },
		{ "-1", false, 0 }, { "007", false, 0 }, { "1_000", false, 0 }, { "1.0", false, 0 },
		{ "1e3", false, 0 }, { "'7'", false, 0 }, { "0x", false, 0 }, { "0o8", false, 0 },
		{ "0b2", false, 0 }, { "+", false, 0 }, { "true", false, 0 }, { "++1", false, 0 },
	};
	struct run *r = *state;
	char text[80];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "node:\n  base_rtt_ms: %s\n", cases[i].text);
		if (!cases[i].ok) {
			refuse(r, text, 2, 16, "node.base_rtt_ms");
			continue;
		}
		accept(r, text);
		assert_true(r->cfg->base_rtt_ms == cases[i].value);
	}
	/* Widths */
	accept(r, "node: { lookup: { ttl: 255 } }\n");
	refuse(r, "node: { lookup: { ttl: 256 } }\n", 1, 24, "from 0 to 255");
	accept(r, "dns: { port: 65535, ttl: 4294967295 }\n");
	refuse(r, "dns: { port: 65536 }\n", 1, 14, "65535");
	refuse(r, "dns: { ttl: 4294967296 }\n", 1, 13, "4294967295");
}

static void test_floats(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		double value;
	} cases[] = {
		{ "2", true, 2 }, { "2.5", true, 2.5 }, { ".5", true, 0.5 }, { "1.", true, 1 },
		{ "-1.5", true, -1.5 }, { "1e3", true, 1000 }, { "1E-1", true, 0.1 },
		{ "0x10", true, 16 }, { ".inf", false, 0 }, { "-.inf", false, 0 },
		{ ".nan", false, 0 }, { "inf", false, 0 }, { "'1.5'", false, 0 },
		{ "1.5x", false, 0 }, { ".", false, 0 }, { "1e", false, 0 }, { "null", false, 0 },
		{ "01.5", false, 0 },
	};
	struct run *r = *state;
	char text[80];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "node: { ecn: { etx_threshold: %s } }\n",
			 cases[i].text);
		if (!cases[i].ok) {
			refuse(r, text, 1, 31, "node.ecn.etx_threshold");
			continue;
		}
		accept(r, text);
		assert_true(fabs(r->cfg->timing.ecn.etx_threshold - cases[i].value) < 1e-9);
	}
}

static void test_text_inside_transports(void **state)
{
	struct run *r = *state;

	refuse(r, "transports: { ethernet: { interface: 123 } }\n", 1, 38,
	       "transports.ethernet.interface");
	refuse(r, "transports: { ethernet: { interface: true } }\n", 1, 38, "expected text");
	accept(r, "transports: { ethernet: { interface: '123' } }\n");
	accept(r, "transports: { ethernet: { interface: eth0 } }\n");
	refuse(r, "transports: { udp: { 1: {} } }\n", 1, 22, "name of an instance");
	accept(r, "tun: { name: 123 }\n");
	assert_string_equal(r->cfg->tun.name, "123");
}

static void test_enums(void **state)
{
	struct run *r = *state;

	accept(r, "node: { mmp: { mode: minimal }, dataplane: user }\n");
	assert_int_equal(r->cfg->timing.mmp.mode, 2);
	assert_int_equal(r->cfg->dataplane, FIPS_DATAPLANE_USER);
	refuse(r, "node: { mmp: { mode: Full } }\n", 1, 22, "one of full, lightweight, minimal");
	refuse(r, "node: { dataplane: hardware }\n", 1, 20, "one of auto, kernel, user");
}

static void test_lists(void **state)
{
	struct run *r = *state;

	accept(r, "node: { rendezvous: { nostr: { advert_relays: [ 'wss://a', wss://b ] } } }\n");
	assert_int_equal(r->cfg->nostr.advert_relays.n, 2);
	assert_int_equal(r->cfg->nostr.dm_relays.n, 3);
	accept(r, "node: { rendezvous: { nostr: { advert_relays: [] } } }\n");
	assert_int_equal(r->cfg->nostr.advert_relays.n, 0);
	refuse(r, "node: { lookup: { attempt_timeouts_secs: [] } }\n", 1, 42, "at least one");
	refuse(r, "node: { lookup: { attempt_timeouts_secs: [ 1, x ] } }\n", 1, 47, "\"x\"");
	refuse(r, "node: { lookup: { attempt_timeouts_secs: 3 } }\n", 1, 42, "list");
	refuse(r, "peers: [ x ]\n", 1, 10, "peers[0]: expected a mapping");
}

static void test_strict_and_lax(void **state)
{
	struct run *r = *state;

	accept(r, "node:\n  rate_limits: 3\nfoo: 1\ntransports: { carrier_pigeon: {} }\n");
	assert_true(has(r, FIPS_REPORT_WARNING, 2, 3, "did you mean rate_limit?"));
	assert_true(has(r, FIPS_REPORT_WARNING, 3, 1, "foo: unknown key, ignored"));
	assert_true(has(r, FIPS_REPORT_WARNING, 4, 15, "carrier_pigeon"));
	refuse(r, "transports:\n  udp:\n    bind_adr: 0.0.0.0:1\n", 3, 5,
	       "transports.udp.bind_adr: unknown key; did you mean bind_addr?");
	refuse(r, "node: { rendezvous: { nostr: { relays: [] } } }\n", 1, 32, "unknown key");
	accept(r, "node: { rendezvous: { lan: { relays: [] } } }\n");
	refuse(r, "transports: { tor: { directory_service: { port: 1 } } }\n", 1, 43, "unknown");
	refuse(r, PEER "    color: red\n", 3, 5, "peers[0].color");
	refuse(r, PEER "    addresses:\n      - { transport: udp, addr: 'a:1', seen_at_ms: 3 }\n",
	       4, 40, "peers[0].addresses[0].seen_at_ms");
}

static void test_duplicates(void **state)
{
	struct run *r = *state;

	refuse(r, "tun:\n  mtu: 1280\n  mtu: 1300\n", 3, 3, "tun.mtu: given twice");
	refuse(r, "node: {}\nnode: {}\n", 2, 1, "node: given twice");
	refuse(r, "transports: { ethernet: { interface: a, listen: true, discovery: true } }\n", 1,
	       55, "given twice");
	/* Of instances the last wins, and what is unknown is ignored anyway. */
	accept(r, "transports: { udp: { a: { mtu: 1000 }, a: { mtu: 1100 } } }\nfoo: 1\nfoo: 2\n");
	assert_int_equal(r->cfg->udp.n, 1);
	assert_int_equal(fips_cfg_udp(r->cfg, 0)->mtu, 1100);
}

static void test_instances(void **state)
{
	struct run *r = *state;
	struct fips_cfg_udp *udp;

	accept(r, "transports: { udp: {} }\n");
	assert_int_equal(r->cfg->udp.n, 1);
	udp = fips_cfg_udp(r->cfg, 0);
	assert_null(udp->e.name);
	assert_null(udp->bind_addr);
	assert_int_equal(udp->mtu, 1280);
	assert_int_equal(udp->recv_buf_size, 2097152);
	assert_true(udp->accept_connections);

	accept(r, "transports:\n  udp:\n    main: { bind_addr: '0.0.0.0:1' }\n"
		  "    mtu: { mtu: 1400 }\n");	/* a name like a field's */
	assert_int_equal(r->cfg->udp.n, 2);
	assert_string_equal(fips_cfg_udp(r->cfg, 0)->e.name, "main");
	assert_string_equal(fips_cfg_udp(r->cfg, 1)->e.name, "mtu");
	assert_int_equal(fips_cfg_udp(r->cfg, 1)->mtu, 1400);

	/* No instance, since interface is required */
	accept(r, "transports: { ethernet: {} }\n");
	assert_int_equal(r->cfg->ethernet.n, 0);
	accept(r, "transports: { ethernet: { lan: { interface: eth0, discovery: false } } }\n");
	assert_int_equal(r->cfg->ethernet.n, 1);
	/* The real reason is told, in the form that was meant. */
	refuse(r, "transports: { udp: { main: { mtu: x } } }\n", 1, 35, "transports.udp.main.mtu");
	refuse(r, "transports: { udp: { mtu: x } }\n", 1, 27, "transports.udp.mtu");
	refuse(r, "transports: { ethernet: { mtu: 1000 } }\n", 1, 25,
	       "transports.ethernet.interface: missing");
	refuse(r, "transports: { udp: [] }\n", 1, 20, "mapping");
}

static void test_legacy(void **state)
{
	struct run *r = *state;

	accept(r, "node:\n  discovery: { ttl: 7, backoff_base_secs: 3, stranger: 1 }\n"
		  "  lookup: { ttl: 9, backoff_max_secs: 5 }\n");
	assert_int_equal(r->cfg->timing.lookup.ttl, 7);	/* the old name wins */
	assert_int_equal(r->cfg->timing.lookup.backoff_base_secs, 3);
	assert_int_equal(r->cfg->timing.lookup.backoff_max_secs, 5);
	assert_true(has(r, FIPS_REPORT_WARNING, 2, 14, "node.discovery: old name"));

	accept(r, "node:\n  discovery: { nostr: { attempt_timeout_secs: 3 } }\n"
		  "  rendezvous: { nostr: { attempt_timeout_secs: 4, app: mine } }\n");
	assert_int_equal(r->cfg->nostr.attempt_timeout_secs, 3);
	assert_string_equal(r->cfg->nostr.app, "fips-overlay-v1");	/* replaced whole */
	accept(r, "node:\n  discovery: { lan: { enabled: true } }\n");
	assert_true(r->cfg->lan.enabled);
	refuse(r, "node: { discovery: { nostr: { x: 1 } } }\n", 1, 31, "node.discovery.nostr.x");

	accept(r, "node: { discovery: ~ }\n");
	assert_false(has(r, FIPS_REPORT_WARNING, 1, 20, "old name"));
	accept(r, "transports: { ethernet: { interface: e, discovery: false } }\n");
}

static void test_anchors(void **state)
{
	struct run *r = *state;
	bool found = false;
	char *text;
	size_t len, i;

	accept(r, "node:\n  mmp: &m { mode: minimal }\n  session_mmp: *m\n");
	assert_int_equal(r->cfg->timing.session_mmp.mode, 2);
	/* Merge keys are not expanded. */
	accept(r, "base: &b { mtu: 1400 }\ntun: { <<: *b }\n");
	assert_int_equal(r->cfg->tun.mtu, 1280);
	assert_true(has(r, FIPS_REPORT_WARNING, 2, 8, "<<"));
	/* A thousand peers of a thousand addresses each, in a few kilobytes. */
	text = malloc(64 * 1024);
	assert_non_null(text);
	len = (size_t)sprintf(text, "a: &a { transport: udp, addr: 'h:1' }\nb: &b [");
	for (i = 0; i < 2000; i++)
		len += (size_t)sprintf(text + len, "*a,");
	len += (size_t)sprintf(text + len, "]\npeers: [ &p { npub: x, addresses: *b },");
	for (i = 0; i < 2000; i++)
		len += (size_t)sprintf(text + len, "*p,");
	sprintf(text + len, "]\n");
	load(r, text);
	free(text);
	assert_int_not_equal(r->ret, 0);
	for (i = 0; i < r->rep.count; i++)
		found |= !!strstr(r->rep.msg[i].text, "aliases expand to too much");
	assert_true(found);
}

static void test_syntax(void **state)
{
	struct run *r = *state;

	refuse(r, "node: [\n", 2, 1, "not YAML");
	refuse(r, "node:\n\tx: 1\n", 2, 1, "not YAML");
	refuse(r, "node: {}\n---\ntun: {}\n", 2, 1, "second YAML document");
	refuse(r, "node: *nobody\n", 1, 7, "not YAML");
	load(r, "just text\n");
	assert_int_not_equal(r->ret, 0);
	load(r, "node: \xff\xfe\n");
	assert_int_not_equal(r->ret, 0);
	load(r, "? [a]\n: 1\n");
	assert_true(has(r, FIPS_REPORT_ERROR, 1, 3, "a key must be text"));
	refuse(r, "tun: { name: \"a\\0b\" }\n", 1, 14, "expected text");
}

static void test_many_errors(void **state)
{
	struct run *r = *state;

	load(r, "node:\n  limits: { max_peers: x }\ntun:\n  mtu: 99\n  enabled: yes\n"
		"transports: { udp: { mtu: 1 } }\n");
	assert_int_equal(r->rep.errors, 4);
	assert_string_equal(r->rep.msg[0].text,
			    "f.yaml:2:24: node.limits.max_peers: \"x\" is not accepted here; "
			    "expected a whole number, at least 0");
}

static void test_secrets_are_not_shown(void **state)
{
	struct run *r = *state;
	size_t i;

	load(r, "node: { identity: { nsec: hunter2 } }\n"
		"transports: { tor: { control_auth: 12345678 } }\n");
	assert_true(has(r, FIPS_REPORT_ERROR, 1, 27, "node.identity.nsec"));
	for (i = 0; i < r->rep.count; i++) {
		assert_null(strstr(r->rep.msg[i].text, "hunter2"));
		assert_null(strstr(r->rep.msg[i].text, "12345678"));
	}
}

static void test_later_keys(void **state)
{
	struct run *r = *state;

	accept(r, "node: { mmp: { log_interval_secs: 3 }, ecn: { enabled: false } }\n");
	assert_int_equal(r->rep.count, 0);
	assert_int_equal(r->cfg->timing.mmp.log_interval_secs, 3);
	assert_false(r->cfg->timing.ecn.enabled);
	accept(r, "node: { buffers: { tun_channel: 3 } }\n");
	assert_true(has(r, FIPS_REPORT_NOTE, 1, 33, "not in force"));
	accept(r, "transports: { tcp: {}, udp: {} }\n");
	assert_true(has(r, FIPS_REPORT_NOTE, 1, 20, "transports.tcp: known, but not in force"));
	assert_int_equal(r->rep.count, 1);
}

/* The numbers are those of spec 12 §8. */
static void test_rules(void **state)
{
	struct run *r = *state;

	/* 1 */
	refuse(r, "transports: { udp: { advertise_on_nostr: true } }\n", 1, 42, "nostr.enabled");
	accept(r, "transports: { udp: { advertise_on_nostr: true, outbound_only: true } }\n");
	refuse(r, "transports: { tcp: { advertise_on_nostr: true } }\n", 1, 42, "nostr.enabled");
	refuse(r, "transports: { tor: { advertise_on_nostr: true } }\n", 1, 42, "nostr.enabled");
	refuse(r, PEER "    via_nostr: true\n", 3, 16, "nostr.enabled");		/* 2 */
	refuse(r, PEER, 2, 5, "peers[0].addresses: no address");			/* 3 */
	refuse(r, "node: { rendezvous: { nostr: { enabled: true, dm_relays: [] } } }\n" /* 4 */
	       "transports: { udp: { advertise_on_nostr: true } }\n", 1, 58, "dm_relays");
	accept(r, "node: { rendezvous: { nostr: { enabled: true, dm_relays: [] } } }\n"
	       "transports: { udp: { advertise_on_nostr: true, public: true } }\n");
	refuse(r, "node: { native_api: { backlog: 0 } }\n", 1, 32, "at least 1");	/* 5 */
	refuse(r, "node: { native_api: { pending_per_flow: 65 } }\n", 1, 41, "1 to 64");
	refuse(r, "transports: { udp: { bind_addr: '127.0.0.1:1' } }\n"		/* 6 */
	       PEER_AT("10.0.0.1:1"), 1, 33, "reaches only this host");
	refuse(r, "transports: { udp: { bind_addr: '[::1]:1' } }\n" PEER_AT("h.example:1"), 1, 33,
	       "reaches only this host");
	accept(r, "transports: { udp: { bind_addr: '127.0.0.1:1' } }\n" PEER_AT("127.0.0.9:1"));
	accept(r, "transports: { udp: { bind_addr: '127.0.0.1:1' } }\n" PEER_AT("localhost:1"));
	accept(r, "transports: { udp: { bind_addr: '127.0.0.1:1', outbound_only: true } }\n"
	       PEER_AT("10.0.0.1:1"));
	accept(r, "transports: { udp: { x: { bind_addr: '127.0.0.1:1' } } }\n" PEER
	       "    addresses: [ { transport: udp/x, addr: '10.0.0.1:1' } ]\n");
	refuse(r, PEER "    addresses: [ { transport: udp/x, addr: 'a:1' } ]\n", 3, 31,	/* 7 */
	       "there is no transports.udp.x");
	refuse(r, PEER "    addresses: [ { transport: tcp/x, addr: 'a:1' } ]\n", 3, 31, "only udp");
	accept(r, "transports: { udp: { x: {} } }\n" PEER
	       "    addresses: [ { transport: udp/x, addr: 'a.example:1' } ]\n");
	assert_true(has(r, FIPS_REPORT_WARNING, 4, 31, "must be numeric"));
	refuse(r, "node: { rekey: { after_messages: 0 } }\n", 1, 34, "at least 1");	/* 8 */
	refuse(r, "node: { rekey: { enabled: false, after_secs: 15 } }\n", 1, 46, "at least 16");
	accept(r, "node: { rekey: { after_secs: 16 } }\n");
	refuse(r, "node: { rate_limit: { established_handshake_burst: 0 } }\n", 1, 52, "1"); /* 9 */
	refuse(r, "node: { rate_limit: { established_handshake_rate: 0 } }\n", 1, 51, "above 0");
	refuse(r, "node: { rate_limit: { session_setup_burst: 0 } }\n", 1, 44, "1");
	refuse(r, "node: { rate_limit: { session_setup_rate: -1 } }\n", 1, 43, "above 0");
	refuse(r, "node: { rendezvous: { nostr: { signal_ttl_secs: 180 } } }\n", 1, 49,	/* 10 */
	       "replay_window_secs");
	accept(r, "node: { rendezvous: { nostr: { signal_ttl_secs: 179 } } }\n");
	refuse(r, "node: { rendezvous: { nostr: { signal_ttl_secs: 18446744073709551615 } } }\n", 1,
	       49, "replay_window_secs");
	refuse(r, "node: { rendezvous: { nostr: { max_concurrent_offers_per_npub: 0 } } }\n", 1, 64,
	       "1");									/* 11 */
	refuse(r, "node: { rendezvous: { nostr: { max_concurrent_offers_per_npub: "
	       "2305843009213693952 } } }\n", 1, 64, "2305843009213693951");
}

/* What would crash or cripple the reference (spec 12 §8, second list) */
static void test_more_rules(void **state)
{
	struct run *r = *state;

	refuse(r, "node: { tick_interval_secs: 0 }\n", 1, 29, "at least 1");
	refuse(r, "node: { buffers: { tun_channel: 0 } }\n", 1, 33, "at least 1");
	refuse(r, "node: { bloom: { max_inbound_fpr: 1.5 } }\n", 1, 35, "up to 1");
	refuse(r, "node: { bloom: { max_inbound_fpr: 0 } }\n", 1, 35, "above 0");
	accept(r, "node: { bloom: { max_inbound_fpr: 1 } }\n");
	refuse(r, "transports: { udp: { mtu: 137 } }\n", 1, 27, "138");
	refuse(r, "tun: { mtu: 1279 }\n", 1, 13, "1280");
	refuse(r, "transports: { ethernet: { interface: e, beacon_interval_secs: 0 } }\n", 1, 63,
	       "1");
	warned(r, "tun: { name: 'much-too-long-name' }\n", 1, 14, "interface name");
	warned(r, "tun: { name: 'a/b' }\n", 1, 14, "interface name");
	warned(r, "transports: { udp: { bind_addr: 'localhost:1' } }\n", 1, 33, "numeric address");
	refuse(r, "gateway: { enabled: false }\n", 1, 10, "gateway.pool: missing");
	accept(r, "gateway: { pool: 'fd01::/112', lan_interface: eth0 }\n");
}

static void test_peers(void **state)
{
	struct run *r = *state;
	struct fips_cfg_peer *peer;

	accept(r, PEER "    alias: box\n    connect_policy: manual\n    auto_reconnect: false\n"
	       "    addresses:\n      - { transport: udp, addr: 'h.example:1', priority: 5 }\n"
	       "      - { transport: udp, addr: '[2001:db8::1]:2121' }\n");
	assert_int_equal(r->cfg->peers.n, 1);
	peer = fips_cfg_peer(r->cfg, 0);
	assert_string_equal(peer->alias, "box");
	assert_int_equal(peer->connect_policy, FIPS_CONNECT_MANUAL);
	assert_false(peer->auto_reconnect);
	assert_int_equal(peer->addresses.n, 2);
	assert_int_equal(fips_cfg_addr(peer, 0)->priority, 5);
	assert_int_equal(fips_cfg_addr(peer, 1)->priority, 100);
	assert_int_equal(peer->id.addr.b[0], 0x1b);

	refuse(r, "peers: [ { addresses: [] } ]\n", 1, 10, "peers[0].npub: missing");
	warned(r, "peers: [ { npub: npub1bad, addresses: [ { transport: udp, addr: 'a:1' } ] } ]\n",
	       1, 18, "is no npub");
	assert_false(fips_cfg_peer(r->cfg, 0)->usable);
	warned(r, PEER_AT("nowhere"), 3, 42, "no endpoint");
	warned(r, PEER_AT("host:0"), 3, 42, "no endpoint");
	warned(r, PEER_AT("host:65536"), 3, 42, "no endpoint");
	warned(r, PEER_AT("300.1.1.1:5"), 3, 42, "no endpoint");
	warned(r, PEER_AT("[::1:5"), 3, 42, "no endpoint");
	accept(r, PEER_AT("nat"));
	accept(r, PEER_AT("[fe80::1%2]:5"));
	accept(r, PEER "    addresses: [ { transport: ble, addr: 'hci0/AA:BB:CC:DD:EE:FF' } ]\n");
	accept(r, PEER "    alias: 'not a host'\n"
	       "    addresses: [ { transport: udp, addr: 'a:1' } ]\n");
	assert_true(has(r, FIPS_REPORT_WARNING, 3, 12, "only displayed"));
}

static void test_merge(void **state)
{
	static const char low[] = "node: { log_level: debug, limits: { max_peers: 5 } }\n"
				  "tun: { enabled: true }\ntransports: { udp: { mtu: 1300 } }\n";
	static const char high[] = "node: { limits: { max_links: 6 } }\ntun: { enabled: false }\n"
				   "transports: { udp: { a: {} } }\n";
	struct run *r = *state;

	r->cfg = fips_config_new();
	assert_int_equal(fips_config_load_text(r->cfg, "low", low, strlen(low), &r->rep), 0);
	assert_int_equal(fips_config_load_text(r->cfg, "high", high, strlen(high), &r->rep), 0);
	assert_string_equal(r->cfg->log_level, "debug");
	assert_int_equal(r->cfg->timing.limits.max_peers, 5);
	assert_int_equal(r->cfg->timing.limits.max_links, 6);
	assert_false(r->cfg->tun.enabled);
	assert_int_equal(r->cfg->udp.n, 1);
	assert_string_equal(fips_cfg_udp(r->cfg, 0)->e.name, "a");
}

static void test_files(void **state)
{
	struct run *r = *state;
	char dir[] = "/tmp/fips-config-XXXXXX", path[64], huge[64];
	int fd;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/fips.yaml", dir);
	r->cfg = fips_config_new();
	assert_int_equal(fips_config_find(r->cfg, path, &r->c->pk, &r->rep), -ENOENT);
	assert_non_null(strstr(r->rep.msg[0].text, path));
	forget(r);

	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "tun: { mtu: 1400 }\n", 19), 19);
	r->cfg = fips_config_new();
	assert_int_equal(fips_config_find(r->cfg, path, &r->c->pk, &r->rep), 0);
	assert_int_equal(r->cfg->tun.mtu, 1400);
	assert_string_equal(r->cfg->dir, dir);
	forget(r);

	/* Larger than any configuration, but all of it comment. */
	memset(huge, '#', sizeof(huge));
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, huge, sizeof(huge), 1024 * 1024), sizeof(huge));
	close(fd);
	r->cfg = fips_config_new();
	assert_int_equal(fips_config_find(r->cfg, path, &r->c->pk, &r->rep), -EFBIG);
	unlink(path);
	rmdir(dir);
}

struct differences {
	char text[512];
};

static void on_difference(void *arg, const char *key, bool restart)
{
	struct differences *d = arg;

	strcat(d->text, restart ? "!" : "");
	strcat(d->text, key);
	strcat(d->text, " ");
}

/* What changed, what of it stays, and whose memory is whose (the sanitizer looks on). */
static void differ(struct run *r, const char *old, const char *now, const char *want)
{
	struct differences d = { "" };
	struct fips_config *running;

	accept(r, old);
	running = r->cfg;
	r->cfg = NULL;
	accept(r, now);
	fips_config_diff(running, r->cfg, on_difference, &d);
	assert_string_equal(d.text, want);
	fips_config_free(running);
}

static void test_differences(void **state)
{
	struct run *r = *state;

	differ(r, "", "", "");
	differ(r, "node: { log_level: info }\n", "", "");	/* the default */
	differ(r, "", "node: { log_level: warn }\n", "node.log_level ");
	assert_string_equal(r->cfg->log_level, "warn");
	differ(r, "tun: { name: a, mtu: 1300 }\n", "tun: { name: b, mtu: 1300 }\n", "!tun.name ");
	assert_string_equal(r->cfg->tun.name, "a");			/* it stays */
	differ(r, "transports: { udp: { mtu: 1300 } }\n",
	       "transports: { udp: { x: {}, y: {} } }\n", "!transports.udp ");
	assert_int_equal(r->cfg->udp.n, 1);
	assert_int_equal(fips_cfg_udp(r->cfg, 0)->mtu, 1300);
	differ(r, "transports: { udp: { a: {} } }\n", "transports: { udp: { b: {} } }\n",
	       "!transports.udp ");
	differ(r, "transports: { udp: { a: {} } }\n", "transports: { udp: { a: {} } }\n", "");
	differ(r, PEER_AT("a:1"), PEER_AT("b:1"), "peers ");
	assert_string_equal(fips_cfg_addr(fips_cfg_peer(r->cfg, 0), 0)->addr, "b:1");
	differ(r, "node: { lookup: { attempt_timeouts_secs: [ 1, 2 ] } }\n",
	       "node: { lookup: { attempt_timeouts_secs: [ 1, 3 ] } }\n",
	       "node.lookup.attempt_timeouts_secs ");
	differ(r, "node: { rekey: { after_secs: 60 }, cache: { coord_size: 5 } }\n", "",
	       "!node.cache.coord_size node.rekey.after_secs ");
	assert_int_equal(r->cfg->timing.cache.coord_size, 5);
	/* Not in force: nobody can have it changed. */
	differ(r, "transports: { tcp: {} }\n", "node: { buffers: { tun_channel: 3 } }\n", "");
	differ(r, "", "gateway: { pool: 'fd01::/112', lan_interface: x }\n", "");
}

static void key_has_doc(void *arg, const char *path, bool section)
{
	size_t *keys = arg;

	(void)section;
	if (!fips_config_doc(path))
		fprintf(stderr, "no text for %s\n", path);
	assert_non_null(fips_config_doc(path));
	(*keys)++;
}

/* The manual page has a sentence for each key, and none for a key that is gone. */
static void test_documented(void **state)
{
	size_t keys = 0, docs;

	(void)state;
	fips_config_each_key(key_has_doc, &keys);
	fips_config_docs(&docs);
	assert_int_equal(keys, docs);
	assert_true(keys > 200);
}

static void test_shipped_file(void **state)
{
	struct run *r = *state;

	r->cfg = fips_config_new();
	if (fips_config_load(r->cfg, "packaging/fips.yaml", &r->rep) == -ENOENT)
		skip();		/* not run from the top of the tree */
	assert_int_equal(r->rep.errors, 0);
	assert_true(r->cfg->persistent && r->cfg->tun.enabled);
	assert_int_equal(r->cfg->udp.n, 1);
}

int main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_defaults), T(test_empty_documents), T(test_null), T(test_bool),
		T(test_integers), T(test_floats), T(test_text_inside_transports), T(test_enums),
		T(test_lists), T(test_strict_and_lax), T(test_duplicates), T(test_instances),
		T(test_legacy), T(test_anchors), T(test_syntax), T(test_many_errors),
		T(test_secrets_are_not_shown), T(test_later_keys), T(test_rules),
		T(test_more_rules), T(test_peers), T(test_merge), T(test_files),
		T(test_differences), T(test_documented), T(test_shipped_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
