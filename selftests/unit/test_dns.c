// SPDX-License-Identifier: MIT
/*
 * The `.fips` responder: what each query gets (spec 09 §10), and what can't be
 * read, cut at every length; then the sockets: UDP, TCP, rude clients.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "fipsd/dns.h"
#include "fipsd/hosts.h"

#define NPUB_A	"npub1sjlh2c3x9w7kjsqg2ay080n2lff2uvt325vpan33ke34rn8l5jcqawh57m"
#define NPUB_B	"npub1tdwa4vjrjl33pcjdpf2t4p027nl86xrx24g4d3avg4vwvayr3g8qhd84le"
#define IPV6_A	"fd69:e08d:65cc:3a6b:9c2c:2ac4:bd40:5e4b"
#define IPV6_B	"fd8e:302c:287e:b48d:6268:122f:da76:b77"

enum {
	T_A = 1,
	T_NS = 2,
	T_SOA = 6,
	T_PTR = 12,
	T_TXT = 16,
	T_AAAA = 28,
	T_HTTPS = 65,
	T_ANY = 255,
	NOERROR = 0,
	NXDOMAIN = 3,
	REFUSED = 5,
};

struct world {
	struct fips_pk pk;
	struct fips_hosts hosts;
	unsigned int learnt;
	struct fips_identity last;
	bool full;
	struct fipsd_dns_zone zone;
	u8 query[FIPSD_DNS_QUERY_MAX + 1];
	size_t len;
	u8 reply[FIPSD_DNS_REPLY_MAX];
	size_t reply_len;
};

static int no_random(void *ctx, void *buf, size_t len)
{
	(void)ctx;
	memset(buf, 7, len);
	return 0;
}

static int resolve(void *ctx, const char *label, size_t len, struct fips_identity *id)
{
	struct world *w = ctx;

	return fips_hosts_resolve(&w->hosts, &w->pk, label, len, id);
}

static bool learn(void *ctx, const struct fips_identity *id)
{
	struct world *w = ctx;

	if (w->full)
		return false;
	w->learnt++;
	w->last = *id;
	return true;
}

static void world_init(struct world *w)
{
	static const struct fips_rng rng = { .random = no_random };
	struct fips_identity id;

	memset(w, 0, sizeof(*w));
	assert_int_equal(fips_pk_init(&w->pk, &rng), 0);
	assert_true(fips_identity_from_npub(&w->pk, NPUB_B, strlen(NPUB_B), &id) >= 0);
	assert_int_equal(fips_hosts_add(&w->hosts, "Bob", &id), 0);
	w->zone = (struct fipsd_dns_zone){ resolve, learn, w, 300 };
}

static void world_end(struct world *w)
{
	fips_hosts_clear(&w->hosts);
	fips_pk_destroy(&w->pk);
}

/* ---- messages ---- */

static void put16(u8 *p, unsigned int v)
{
	p[0] = (u8)(v >> 8);
	p[1] = (u8)v;
}

static unsigned int get16(const u8 *p)
{
	return (unsigned int)p[0] << 8 | p[1];
}

static void header(struct world *w, unsigned int questions)
{
	memset(w->query, 0, 12);
	put16(w->query, 0x1234);
	w->query[2] = 0x01;	/* RD */
	put16(w->query + 4, questions);
	w->len = 12;
}

static void question(struct world *w, const char *name, unsigned int type, unsigned int class)
{
	const char *dot;

	for (; *name; name = *dot ? dot + 1 : dot) {
		size_t len;

		dot = strchrnul(name, '.');
		len = (size_t)(dot - name);
		w->query[w->len++] = (u8)len;
		memcpy(w->query + w->len, name, len);
		w->len += len;
	}
	w->query[w->len++] = 0;
	put16(w->query + w->len, type);
	put16(w->query + w->len + 2, class);
	w->len += 4;
}

static enum fipsd_dns_outcome answer(struct world *w)
{
	return fipsd_dns_answer(&w->zone, w->query, w->len, FIPSD_DNS_UDP_MAX, w->reply,
				&w->reply_len);
}

static enum fipsd_dns_outcome ask(struct world *w, const char *name, unsigned int type)
{
	header(w, 1);
	question(w, name, type, 1);
	return answer(w);
}

/* Flags of every reply: QR and AA (not when refused), nothing echoed but id and opcode. */
static void check_reply(const struct world *w, unsigned int rcode, unsigned int answers,
			unsigned int authority)
{
	size_t question_len = w->len - 12;

	assert_true(w->reply_len >= 12 + question_len);
	assert_int_equal(get16(w->reply), 0x1234);
	assert_int_equal(get16(w->reply + 2), (rcode == REFUSED ? 0x8000 : 0x8400) | rcode);
	assert_int_equal(get16(w->reply + 4), 1);
	assert_int_equal(get16(w->reply + 6), answers);
	assert_int_equal(get16(w->reply + 8), authority);
	assert_int_equal(get16(w->reply + 10), 0);
	assert_memory_equal(w->reply + 12, w->query + 12, question_len);
}

/* The record behind the question: pointer to it, AAAA, IN, TTL, 16 bytes (09 §17). */
static void check_aaaa(const struct world *w, unsigned int ttl, const char *ipv6)
{
	const u8 *rr = w->reply + w->len;
	u8 addr[16];

	check_reply(w, NOERROR, 1, 0);
	assert_int_equal(w->reply_len, w->len + 28);
	assert_int_equal(get16(rr), 0xc00c);
	assert_int_equal(get16(rr + 2), T_AAAA);
	assert_int_equal(get16(rr + 4), 1);
	assert_int_equal(get16(rr + 6) << 16 | get16(rr + 8), ttl);
	assert_int_equal(get16(rr + 10), 16);
	assert_int_equal(inet_pton(AF_INET6, ipv6, addr), 1);
	assert_memory_equal(rr + 12, addr, 16);
}

/* ---- answers ---- */

static void names_and_npubs(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	assert_int_equal(ask(&w, "bob.fips", T_AAAA), FIPSD_DNS_ANSWERED);
	check_aaaa(&w, 300, IPV6_B);
	assert_int_equal(w.learnt, 1);
	assert_string_equal(w.last.npub, NPUB_B);
	assert_int_equal(ask(&w, NPUB_A ".fips", T_AAAA), FIPSD_DNS_ANSWERED);
	check_aaaa(&w, 300, IPV6_A);
	assert_int_equal(w.learnt, 2);
	/* A host name is found before anything is decoded. */
	w.zone.ttl = 0;
	assert_int_equal(ask(&w, NPUB_B ".fips", T_AAAA), FIPSD_DNS_ANSWERED);
	check_aaaa(&w, 0, IPV6_B);
	world_end(&w);
}

/* Resolvers mix the case of names (0x20); the question comes back as it was. */
static void case_does_not_matter(void **state)
{
	char name[] = NPUB_A ".FiPs";
	struct world w;
	size_t i;

	(void)state;
	world_init(&w);
	assert_int_equal(ask(&w, "BoB.fIPS", T_AAAA), FIPSD_DNS_ANSWERED);
	check_aaaa(&w, 300, IPV6_B);
	for (i = 0; i < sizeof(name); i += 3)
		if (name[i] >= 'a' && name[i] <= 'z')
			name[i] -= 'a' - 'A';
	assert_int_equal(ask(&w, name, T_AAAA), FIPSD_DNS_ANSWERED);
	check_aaaa(&w, 300, IPV6_A);
	world_end(&w);
}

static void other_types_have_no_data(void **state)
{
	static const unsigned int types[] = { T_A, T_NS, T_SOA, T_PTR, T_TXT, T_HTTPS, T_ANY, 0,
					      65535 };
	struct world w;
	size_t i;

	(void)state;
	world_init(&w);
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		assert_int_equal(ask(&w, "bob.fips", types[i]), FIPSD_DNS_NODATA);
		check_reply(&w, NOERROR, 0, 1);
		assert_int_equal(ask(&w, "nobody.fips", types[i]), FIPSD_DNS_NXDOMAIN);
		check_reply(&w, NXDOMAIN, 0, 1);
	}
	assert_int_equal(w.learnt, 0);	/* only an AAAA is a wish to talk */
	world_end(&w);
}

static void what_is_not_there(void **state)
{
	static const char *const names[] = {
		"nobody.fips", "a.bob.fips", "a.b.c.fips", "bo.fips", "bob1.fips",
		/* a bad checksum, and a key that is no point of the curve */
		"npub1sjlh2c3x9w7kjsqg2ay080n2lff2uvt325vpan33ke34rn8l5jcqawh57q.fips",
		"npub1lllllllllllllllllllllllllllllllllllllllllllllllllllsq7lrjw.fips",
		"npub1.fips", "nsec1.fips", "bob .fips",
	};
	struct world w;
	size_t i;

	(void)state;
	world_init(&w);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(ask(&w, names[i], T_AAAA), FIPSD_DNS_NXDOMAIN);
		check_reply(&w, NXDOMAIN, 0, 1);
	}
	/* A zero byte is none of a C string's. */
	header(&w, 1);
	question(&w, "bobx.fips", T_AAAA, 1);
	w.query[12 + 4] = 0;
	assert_int_equal(answer(&w), FIPSD_DNS_NXDOMAIN);
	assert_int_equal(w.learnt, 0);
	world_end(&w);
}

/* "No" may be remembered for a moment only: the SOA's TTL and minimum. */
static void negative_ttl(void **state)
{
	static const u32 ttls[][2] = { { 300, 10 }, { 10, 10 }, { 3, 3 }, { 0, 0 } };
	struct world w;
	size_t i;

	(void)state;
	world_init(&w);
	for (i = 0; i < sizeof(ttls) / sizeof(ttls[0]); i++) {
		const u8 *end;

		w.zone.ttl = ttls[i][0];
		ask(&w, "nobody.fips", T_AAAA);
		end = w.reply + w.reply_len;
		assert_int_equal(get16(end - 4) << 16 | get16(end - 2), ttls[i][1]);
	}
	world_end(&w);
}

static void apex_and_outside(void **state)
{
	static const char *const outside[] = {
		"", "example.org", "bob", "fips.org", "bob.fips.org", "xfips", "fipsx", "org",
		"7.7.b.0.ip6.arpa", "bob.fip",
	};
	struct world w;
	size_t i;

	(void)state;
	world_init(&w);
	assert_int_equal(ask(&w, "fips", T_SOA), FIPSD_DNS_ANSWERED);
	check_reply(&w, NOERROR, 1, 0);
	assert_int_equal(ask(&w, "FIPS", T_AAAA), FIPSD_DNS_NODATA);
	check_reply(&w, NOERROR, 0, 1);
	for (i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
		assert_int_equal(ask(&w, outside[i], i % 2 ? T_PTR : T_AAAA), FIPSD_DNS_REFUSED);
		check_reply(&w, REFUSED, 0, 0);
	}
	world_end(&w);
}

/* Class and opcode are not looked at; the opcode comes back, the class of a record is IN. */
static void class_and_opcode(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	header(&w, 1);
	question(&w, "bob.fips", T_AAAA, 3);
	assert_int_equal(answer(&w), FIPSD_DNS_ANSWERED);
	check_aaaa(&w, 300, IPV6_B);
	w.query[2] = 0x10;	/* STATUS */
	assert_int_equal(answer(&w), FIPSD_DNS_ANSWERED);
	assert_int_equal(w.reply[2], 0x94);
	world_end(&w);
}

/* The first of several is answered; an OPT is not. */
static void several_questions_and_edns(void **state)
{
	static const u8 opt[] = { 0, 0, 41, 0x10, 0, 0, 0, 0x80, 0, 0, 0 };
	struct world w;

	(void)state;
	world_init(&w);
	header(&w, 2);
	question(&w, "bob.fips", T_AAAA, 1);
	question(&w, "example.org", T_A, 1);
	assert_int_equal(answer(&w), FIPSD_DNS_ANSWERED);
	assert_int_equal(get16(w.reply + 4), 2);
	assert_int_equal(get16(w.reply + 6), 1);

	header(&w, 1);
	question(&w, "bob.fips", T_AAAA, 1);
	put16(w.query + 10, 1);
	memcpy(w.query + w.len, opt, sizeof(opt));
	w.len += sizeof(opt);
	assert_int_equal(answer(&w), FIPSD_DNS_ANSWERED);
	assert_int_equal(get16(w.reply + 10), 0);
	world_end(&w);
}

static void too_long_is_cut(void **state)
{
	char name[32];
	struct world w;
	int i;

	(void)state;
	world_init(&w);
	header(&w, 60);
	for (i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "q%d.w%d", i, i);
		question(&w, name, T_A, 1);
	}
	assert_int_equal(answer(&w), FIPSD_DNS_REFUSED);
	assert_int_equal(w.reply_len, 12);
	assert_int_equal(get16(w.reply + 2), 0x8205);	/* TC */
	assert_int_equal(get16(w.reply + 4), 0);
	world_end(&w);
}

/* ---- what can't be read ---- */

static void never_answered(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	header(&w, 0);
	assert_int_equal(answer(&w), FIPSD_DNS_MALFORMED);
	assert_int_equal(w.reply_len, 0);
	header(&w, 1);
	question(&w, "bob.fips", T_AAAA, 1);
	w.query[2] |= 0x80;	/* an answer: two responders would talk for ever */
	assert_int_equal(answer(&w), FIPSD_DNS_MALFORMED);
	w.query[2] = 0;
	w.query[3] = 0x40;	/* reserved */
	assert_int_equal(answer(&w), FIPSD_DNS_MALFORMED);
	assert_int_equal(w.reply_len, 0);
	w.query[3] = 0;
	assert_int_equal(answer(&w), FIPSD_DNS_ANSWERED);
	w.len = sizeof(w.query);
	assert_int_equal(answer(&w), FIPSD_DNS_MALFORMED);
	assert_int_equal(w.learnt, 1);
	world_end(&w);
}

/* Cut at every length; the copy is exact, so that ASan sees a byte too far. */
static void cut_at_every_length(void **state)
{
	struct world w;
	size_t len;

	(void)state;
	world_init(&w);
	header(&w, 1);
	question(&w, NPUB_A ".fips", T_AAAA, 1);
	for (len = 0; len < w.len; len++) {
		u8 *copy = malloc(len ? len : 1);

		assert_non_null(copy);
		memcpy(copy, w.query, len);
		assert_int_equal(fipsd_dns_answer(&w.zone, copy, len, FIPSD_DNS_UDP_MAX, w.reply,
						  &w.reply_len), FIPSD_DNS_MALFORMED);
		assert_int_equal(w.reply_len, 0);
		free(copy);
	}
	/* Sections that the header promises and that aren't there */
	for (len = 6; len <= 10; len += 2) {
		header(&w, 1);
		question(&w, "bob.fips", T_AAAA, 1);
		put16(w.query + len, 1);
		assert_int_equal(answer(&w), FIPSD_DNS_MALFORMED);
	}
	world_end(&w);
}

static void broken_names(void **state)
{
	static const u8 loops[][6] = {
		{ 0xc0, 12, 0, 28, 0, 1 },	/* points at itself */
		{ 0xc0, 14, 0xc0, 12, 0, 1 },	/* in a circle */
		{ 0xff, 0xff, 0, 28, 0, 1 },	/* behind the end */
		{ 0x40, 1, 0, 28, 0, 1 },	/* a label type that is none */
		{ 0x3f, 'a', 0, 28, 0, 1 },	/* longer than what is there */
	};
	struct world w;
	size_t i;

	(void)state;
	world_init(&w);
	for (i = 0; i < sizeof(loops) / sizeof(loops[0]); i++) {
		header(&w, 1);
		memcpy(w.query + 12, loops[i], 6);
		w.len = 18;
		assert_int_equal(answer(&w), FIPSD_DNS_MALFORMED);
	}
	/* 256 bytes of labels are too many. */
	header(&w, 1);
	for (i = 0; i < 130; i++) {
		w.query[w.len++] = 1;
		w.query[w.len++] = 'a';
	}
	memcpy(w.query + w.len, "\0\0\x1c\0\1", 5);
	w.len += 5;
	assert_int_equal(answer(&w), FIPSD_DNS_MALFORMED);
	world_end(&w);
}

static void too_many_new_ones(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	w.full = true;
	assert_int_equal(ask(&w, "bob.fips", T_AAAA), FIPSD_DNS_LIMITED);
	assert_int_equal(w.reply_len, 0);
	assert_int_equal(ask(&w, "bob.fips", T_A), FIPSD_DNS_NODATA);
	world_end(&w);
}

/* ---- sockets ---- */

struct server {
	struct world w;
	uv_loop_t loop;
	struct fipsd_log log;
	struct fipsd_dns *dns;
	struct sockaddr_in6 addr;
};

static void server_start(struct server *s, const char *addr)
{
	static const u8 mesh[16] = { 0xfd, 1 };
	struct fipsd_dns_setup setup = {
		.loop = &s->loop,
		.log = &s->log,
		.bind_addr = addr,
		.mesh_ifname = "none",
		.mesh_ipv6 = mesh,
	};
	char why[128], text[46];
	u16 port;

	world_init(&s->w);
	s->log.level = FIPS_LOG_ERROR;
	setup.zone = s->w.zone;
	assert_int_equal(uv_loop_init(&s->loop), 0);
	assert_int_equal(fipsd_dns_start(&s->dns, &setup, why, sizeof(why)), 0);
	fipsd_dns_endpoint(s->dns, text, &port);
	assert_string_equal(text, "::1");
	assert_true(port);
	s->addr = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(port) };
	s->addr.sin6_addr = in6addr_loopback;
}

static void server_stop(struct server *s)
{
	fipsd_dns_stop(s->dns);
	uv_run(&s->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&s->loop), 0);
	world_end(&s->w);
}

static int client(const struct server *s, int type)
{
	int fd = socket(AF_INET6, type, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&s->addr, sizeof(s->addr)), 0);
	return fd;
}

/* Let the server run until there is something to read. */
static ssize_t receive(struct server *s, int fd, void *buf, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int tries;

	for (tries = 0; tries < 2000 && poll(&p, 1, 1) != 1; tries++)
		uv_run(&s->loop, UV_RUN_NOWAIT);
	return recv(fd, buf, size, MSG_DONTWAIT);
}

static void udp_on_any_address(void **state)
{
	static const char *const binds[] = { "::1", "::" };
	struct server s;
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < 2; i++) {
		server_start(&s, binds[i]);
		fd = client(&s, SOCK_DGRAM);
		header(&s.w, 1);
		question(&s.w, "bob.fips", T_AAAA, 1);
		assert_true(write(fd, s.w.query, 5) == 5);	/* garbage first */
		assert_int_equal(write(fd, s.w.query, s.w.len), s.w.len);
		s.w.reply_len = (size_t)receive(&s, fd, s.w.reply, sizeof(s.w.reply));
		check_aaaa(&s.w, 300, IPV6_B);
		close(fd);
		server_stop(&s);
	}
}

/* Several queries at once and in pieces; then one that can't be read ends it. */
static void tcp_in_pieces(void **state)
{
	struct server s;
	u8 out[256], in[512];
	size_t i, len, want;
	ssize_t n;
	int fd;

	(void)state;
	server_start(&s, "::1");
	fd = client(&s, SOCK_STREAM);
	header(&s.w, 1);
	question(&s.w, "bob.fips", T_AAAA, 1);
	for (i = 0, len = 0; i < 3; i++) {
		put16(out + len, (unsigned int)s.w.len);
		memcpy(out + len + 2, s.w.query, s.w.len);
		len += 2 + s.w.len;
	}
	for (i = 0; i < len; i++) {
		assert_int_equal(write(fd, out + i, 1), 1);
		uv_run(&s.loop, UV_RUN_NOWAIT);
	}
	want = 3 * (2 + s.w.len + 28);
	for (len = 0; len < want; len += (size_t)n) {
		n = receive(&s, fd, in + len, sizeof(in) - len);
		assert_true(n > 0);
	}
	assert_int_equal(len, want);
	s.w.reply_len = get16(in);
	memcpy(s.w.reply, in + 2, s.w.reply_len);
	check_aaaa(&s.w, 300, IPV6_B);
	assert_int_equal(write(fd, "\0\4abcd", 6), 6);
	assert_int_equal(receive(&s, fd, in, sizeof(in)), 0);
	close(fd);
	server_stop(&s);
}

/* A full house: the oldest goes, the newest is served. */
static void tcp_is_bounded(void **state)
{
	struct fipsd_dns_view v;
	struct server s;
	int fds[FIPSD_DNS_TCP_CLIENTS + 8];
	size_t i;
	u8 byte;

	(void)state;
	server_start(&s, "::1");
	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		fds[i] = client(&s, SOCK_STREAM);
		uv_run(&s.loop, UV_RUN_NOWAIT);
	}
	assert_int_equal(receive(&s, fds[0], &byte, 1), 0);
	fipsd_dns_view(s.dns, &v);
	assert_true(v.tcp);
	assert_int_equal(v.clients, FIPSD_DNS_TCP_CLIENTS);
	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		close(fds[i]);
	server_stop(&s);
}

static void bad_binds(void **state)
{
	static const u8 mesh[16];
	struct fipsd_log log = { .level = FIPS_LOG_ERROR };
	struct fipsd_dns_setup setup = {
		.log = &log,
		.bind_addr = "localhost",
		.mesh_ifname = "none",
		.mesh_ipv6 = mesh,
	};
	struct fipsd_dns *dns;
	uv_loop_t loop;
	char why[128];

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	setup.loop = &loop;
	assert_int_equal(fipsd_dns_start(&dns, &setup, why, sizeof(why)), -EINVAL);
	setup.bind_addr = "2001:db8::1";
	assert_int_equal(fipsd_dns_start(&dns, &setup, why, sizeof(why)), -EADDRNOTAVAIL);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_npubs),
		cmocka_unit_test(case_does_not_matter),
		cmocka_unit_test(other_types_have_no_data),
		cmocka_unit_test(what_is_not_there),
		cmocka_unit_test(negative_ttl),
		cmocka_unit_test(apex_and_outside),
		cmocka_unit_test(class_and_opcode),
		cmocka_unit_test(several_questions_and_edns),
		cmocka_unit_test(too_long_is_cut),
		cmocka_unit_test(never_answered),
		cmocka_unit_test(cut_at_every_length),
		cmocka_unit_test(broken_names),
		cmocka_unit_test(too_many_new_ones),
		cmocka_unit_test(udp_on_any_address),
		cmocka_unit_test(tcp_in_pieces),
		cmocka_unit_test(tcp_is_bounded),
		cmocka_unit_test(bad_binds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
