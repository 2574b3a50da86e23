// SPDX-License-Identifier: MIT
/*
 * Segmenting and coalescing against naive twins. A super-packet must leave as
 * the packets that a stack without offloads would have sent, and packets that
 * were merged must come apart again as they came.
 */
#include "coalesce.h"
#include "corenet.h"

#define MAX_SUPER	66000

/* ---- segmentation ---- */

/* Segment @i of a TCP or UDP super-packet, made the slow way. */
static size_t naive_segment(const u8 *super, size_t len, const struct fips_gso *gso, size_t i,
			    u8 *out)
{
	bool tcp = gso->type == FIPS_GSO_TCP;
	size_t hdr = tcp ? 40 + (size_t)(super[52] >> 4) * 4 : 48;
	size_t off = i * gso->size, n = len - hdr - off;
	bool last = n <= gso->size;

	if (!last)
		n = gso->size;
	memcpy(out, super, hdr);
	memcpy(out + hdr, super + hdr + off, n);
	fips_put_be16(out + 4, (u16)(hdr - 40 + n));
	if (tcp) {
		u32 seq = (u32)fips_get_be16(out + 44) << 16 | fips_get_be16(out + 46);

		fips_put_be32(out + 44, seq + (u32)off);
		if (!last)
			out[53] &= (u8)~0x09;
		if (i)
			out[53] &= (u8)~0x80;
	} else {
		fips_put_be16(out + 44, (u16)(8 + n));
	}
	cn_csum_set(out, hdr + n);
	return hdr + n;
}

static void cut_and_compare(struct cn *cn, const u8 *super, size_t len, const struct fips_gso *gso)
{
	u8 *copy = vec_exact(super, len), want[4096];
	bool tcp = gso->type == FIPS_GSO_TCP;
	size_t hdr = tcp ? 40 + (size_t)(super[52] >> 4) * 4 : 48;
	size_t count = (len - hdr + gso->size - 1) / gso->size, i, n;
	struct cn_item *it;

	/* What a stack leaves in the field must not matter but for the pseudo-header. */
	fips_core_packet(cn->n[0].c, &cn->n[0].out, cn->now, gso, copy, len);
	free(copy);
	assert_int_equal(cn->n[0].frames.n, count);
	cn_pump(cn);
	assert_int_equal(cn->n[1].packets.n, count);
	for (i = 0; i < count; i++) {
		it = cn_pop(&cn->n[1].packets);
		n = naive_segment(super, len, gso, i, want);
		assert_int_equal(it->len, n);
		assert_memory_equal(it->data, want, n);
		assert_true(cn_csum_ok(it->data, it->len));
		free(it);
	}
}

static void test_cut_tcp(void **state)
{
	struct fips_gso gso = { FIPS_GSO_TCP, 0, true, 40, 16 };
	u8 *p = malloc(MAX_SUPER);
	u64 seed = vec_seed("cut_tcp");
	size_t payload, len;
	struct cn cn;
	int i;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	for (i = 0; i < 300; i++) {
		/* Small sizes too: the header is then longer than what was sealed before it. */
		gso.size = (u16)(1 + vec_rand(&seed) % (i % 3 ? 1323 : 40));
		payload = 1 + vec_rand(&seed) % (gso.size < 100 ? 2000 : 65000 - 72);
		len = cn_tcp(&cn, p, 0, 1, (u32)vec_rand(&seed), (u8)vec_rand(&seed) & 0xfd,
			     payload);
		cut_and_compare(&cn, p, len, &gso);
	}
	assert_int_equal(cn_all_drops(&cn.n[0]) + cn_all_drops(&cn.n[1]), 0);
	cn_free(&cn);
	free(p);
}

static void test_cut_udp(void **state)
{
	struct fips_gso gso = { FIPS_GSO_UDP, 0, true, 40, 6 };
	u8 *p = malloc(MAX_SUPER);
	u64 seed = vec_seed("cut_udp");
	size_t payload, len;
	struct cn cn;
	int i;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	for (i = 0; i < 200; i++) {
		gso.size = (u16)(1 + vec_rand(&seed) % 1340);
		payload = gso.size + vec_rand(&seed) % (gso.size < 100 ? 2000 : 63000);
		len = cn_udp(&cn, p, 0, 1, payload);
		cut_and_compare(&cn, p, len, &gso);
	}
	cn_free(&cn);
	free(p);
}

/* A checksum left to us, without segmentation; the field holds the pseudo-header's sum. */
static void test_csum_only(void **state)
{
	struct fips_gso gso = { FIPS_GSO_NONE, 0, true, 40, 6 };
	struct cn_item *it;
	u8 p[2048], want[2048];
	size_t payload, len;
	struct cn cn;
	u32 sum;
	size_t i;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	for (payload = 0; payload < 1300; payload++) {
		len = cn_udp(&cn, p, 0, 1, payload);
		memcpy(want, p, len);
		for (sum = (u32)len - 40 + 17, i = 8; i < 40; i += 2)
			sum += fips_get_be16(p + i);
		while (sum >> 16)
			sum = (sum & 0xffff) + (sum >> 16);
		fips_put_be16(p + 46, (u16)sum);
		fips_core_packet(cn.n[0].c, &cn.n[0].out, cn.now, &gso, p, len);
		cn_pump(&cn);
		it = cn_pop(&cn.n[1].packets);
		assert_int_equal(it->len, len);
		assert_memory_equal(it->data, want, len);
		free(it);
	}
	cn_free(&cn);
}

/* Super-packets that can't be: refused and counted, never read beyond. */
static void test_cut_refused(void **state)
{
	struct fips_gso gso = { FIPS_GSO_TCP, 1000, true, 40, 16 };
	u8 p[4096], *copy;
	size_t len, n;
	struct cn cn;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	len = cn_tcp(&cn, p, 0, 1, 1, 0x10, 3000);
	for (n = 40; n <= 72; n++) {
		copy = vec_exact(p, n);
		fips_core_packet(cn.n[0].c, &cn.n[0].out, cn.now, &gso, copy, n);
		free(copy);
	}
	assert_int_equal(cn.n[0].frames.n, 0);
	gso.size = 0;
	fips_core_packet(cn.n[0].c, &cn.n[0].out, cn.now, &gso, p, len);
	gso.size = 1000;
	gso.csum_start = 0;
	fips_core_packet(cn.n[0].c, &cn.n[0].out, cn.now, &gso, p, len);
	gso.csum_start = 4000;
	fips_core_packet(cn.n[0].c, &cn.n[0].out, cn.now, &gso, p, len);
	gso.csum_start = 40;
	p[52] = 0x10;
	fips_core_packet(cn.n[0].c, &cn.n[0].out, cn.now, &gso, p, len);
	assert_int_equal(cn.n[0].frames.n, 0);
	/* Segments that do not fit the path. */
	len = cn_tcp(&cn, p, 0, 1, 1, 0x10, 3000);
	gso.size = CN_MTU - 77 - 72 + 1;
	fips_core_packet(cn.n[0].c, &cn.n[0].out, cn.now, &gso, p, len);
	assert_int_equal(cn_drops(&cn.n[0], FIPS_DROP_REASON_TX_TOO_BIG), 1);
	gso.size--;
	fips_core_packet(cn.n[0].c, &cn.n[0].out, cn.now, &gso, p, len);
	assert_int_equal(cn.n[0].frames.n, 3);
	cn_free(&cn);
}

/* ---- coalescing ---- */

struct sink {
	struct cn_list in;		/* what went in, apart */
	unsigned int writes;
	unsigned int packets;
};

/* Take a written packet apart again; each piece must be the next of some flow that went in. */
static void sink_match(struct sink *s, const u8 *p, size_t len)
{
	struct cn_item **at, *it;

	for (at = &s->in.head; (it = *at); at = &it->next)
		if (it->len == len && !memcmp(it->data, p, len))
			break;
	if (!it)
		fail_msg("a packet came out that did not go in, or changed (%zu bytes)", len);
	/* Nothing of the same flow may be left in front of it. */
	for (struct cn_item *o = s->in.head; o != it; o = o->next)
		if (o->data[6] == p[6] && !memcmp(o->data + 8, p + 8, 36))
			fail_msg("a packet overtook its own flow");
	*at = it->next;
	if (!*at)
		s->in.tail = at;
	s->in.n--;
	free(it);
	s->packets++;
}

static void sink_write(void *ctx, struct iovec *iov, int n, const struct fips_gso *gso,
		       bool verified)
{
	static u8 super[MAX_SUPER], one[MAX_SUPER];
	struct sink *s = ctx;
	size_t len = 0, hdr, i, k;

	s->writes++;
	for (k = 1; k < (size_t)n; k++) {
		memcpy(super + len, iov[k].iov_base, iov[k].iov_len);
		len += iov[k].iov_len;
	}
	assert_true(len <= 65535 + 40);
	if (gso->type == FIPS_GSO_NONE) {
		if (verified)
			assert_true(cn_csum_ok(super, len));
		sink_match(s, super, len);
		return;
	}
	assert_true(gso->csum);
	assert_int_equal(fips_get_be16(super + 4), len - 40);
	hdr = gso->type == FIPS_GSO_TCP ? 40 + (size_t)(super[52] >> 4) * 4 : 48;
	if (gso->type == FIPS_GSO_UDP)
		assert_int_equal(fips_get_be16(super + 44), len - 40);
	assert_true(len - hdr > gso->size);
	for (i = 0; i * gso->size < len - hdr; i++)
		sink_match(s, one, naive_segment(super, len, gso, i, one));
}

static void feed(struct fips_merge *m, struct sink *s, u8 **mem, const u8 *p, size_t len)
{
	struct cn_item *it = calloc(1, sizeof(*it) + len);

	it->len = len;
	memcpy(it->data, p, len);
	*s->in.tail = it;
	s->in.tail = &it->next;
	s->in.n++;
	memcpy(*mem, p, len);
	fips_merge_add(m, *mem, len);
	*mem += len;
}

static void sink_init(struct fips_merge *m, struct sink *s, bool udp)
{
	memset(m, 0, sizeof(*m));
	memset(s, 0, sizeof(*s));
	s->in.tail = &s->in.head;
	m->udp = udp;
	m->write = sink_write;
	m->ctx = s;
}

static void test_merge_stream(void **state)
{
	u8 *mem = malloc(1 << 20), *at = mem, p[2048];
	struct fips_merge m;
	struct sink s;
	struct cn cn;
	int i;

	(void)state;
	cn_init(&cn, 2, NULL);
	sink_init(&m, &s, true);
	for (i = 0; i < 40; i++)
		feed(&m, &s, &at, p, cn_tcp(&cn, p, 0, 1, 0xffff0000 + (u32)i * 1300,
					    i == 39 ? 0x18 : 0x10, i == 39 ? 7 : 1300));
	assert_int_equal(s.writes, 0);
	fips_merge_flush(&m);
	assert_int_equal(s.writes, 1);
	assert_int_equal(s.packets, 40);
	/* 65,535 is the end of a super-packet. */
	for (i = 0; i < 100; i++)
		feed(&m, &s, &at, p, cn_tcp(&cn, p, 0, 1, (u32)i * 1300, 0x10, 1300));
	fips_merge_flush(&m);
	assert_int_equal(s.packets, 140);
	assert_int_equal(s.writes, 3);
	/* UDP, with a short one at the end. */
	at = mem;
	for (i = 0; i < 10; i++)
		feed(&m, &s, &at, p, cn_udp(&cn, p, 0, 1, i == 9 ? 3 : 1000));
	fips_merge_flush(&m);
	assert_int_equal(s.writes, 4);
	m.udp = false;
	for (i = 0; i < 10; i++)
		feed(&m, &s, &at, p, cn_udp(&cn, p, 0, 1, 1000));
	fips_merge_flush(&m);
	assert_int_equal(s.writes, 14);
	assert_int_equal(s.in.n, 0);
	cn_free(&cn);
	free(mem);
}

/* One difference in a second segment, and it must stay a packet of its own. */
static void test_merge_refused(void **state)
{
	static const struct {
		const char *what;
		int off;
		u8 xor;
		bool fix;	/* set the checksum again */
	} t[] = {
		{ "nothing", 40, 0, true },
		{ "traffic class", 0, 0x01, true },
		{ "flow label", 3, 0x01, true },
		{ "hop limit", 7, 0x01, true },
		{ "port", 43, 0x01, true },
		{ "sequence", 47, 0x01, true },
		{ "ack number", 51, 0x01, true },
		{ "SYN", 53, 0x02, true },
		{ "RST", 53, 0x04, true },
		{ "URG", 53, 0x20, true },
		{ "ECE", 53, 0x40, true },
		{ "CWR", 53, 0x80, true },
		{ "no ACK", 53, 0x10, true },
		{ "window", 55, 0x01, true },
		{ "urgent pointer", 59, 0x01, false },
		{ "option", 67, 0x01, true },
		{ "checksum", 56, 0x01, false },
		{ "payload", 80, 0x01, false },
	};
	u8 *mem = malloc(1 << 16), *at, p[2048];
	struct fips_merge m;
	struct sink s;
	struct cn cn;
	size_t i, len;

	(void)state;
	cn_init(&cn, 2, NULL);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		at = mem;
		sink_init(&m, &s, true);
		feed(&m, &s, &at, p, cn_tcp(&cn, p, 0, 1, 1000, 0x10, 500));
		len = cn_tcp(&cn, p, 0, 1, 1500, 0x10, 500);
		p[t[i].off] ^= t[i].xor;
		if (t[i].fix)
			cn_csum_set(p, len);
		feed(&m, &s, &at, p, len);
		fips_merge_flush(&m);
		if (s.writes != (i ? 2 : 1))
			fail_msg("%s: %u writes", t[i].what, s.writes);
		assert_int_equal(s.packets, 2);
	}
	cn_free(&cn);
	free(mem);
}

/* Random flows, sizes, gaps and junk: all comes out, whole, no flow out of order. */
static void test_merge_random(void **state)
{
	u8 *mem = malloc(4 << 20), *at, p[2048];
	u64 seed = vec_seed("merge_random"), r;
	u32 seq[12] = { 0 };
	struct fips_merge m;
	struct sink s;
	struct cn cn;
	size_t len, n;
	int round, i, f;

	(void)state;
	cn_init(&cn, 2, NULL);
	sink_init(&m, &s, true);
	for (round = 0; round < 50; round++) {
		at = mem;
		for (i = 0; i < 400; i++) {
			r = vec_rand(&seed);
			f = (int)(r % 12);
			n = (r >> 8) % 10 ? 600 : (r >> 16) % 700;
			if ((r >> 32) % 20 == 0)
				len = cn_udp(&cn, p, 0, 1, n);
			else
				len = cn_tcp(&cn, p, 0, 1, seq[f],
					     (r >> 40) % 15 ? 0x10 : 0x18, n);
			if (p[6] == 6) {
				seq[f] += (u32)n;
				p[41] = (u8)f;
				if ((r >> 44) % 50 == 0)
					seq[f] += 10;
			}
			cn_csum_set(p, len);
			if ((r >> 50) % 40 == 0)
				p[len - 1] ^= 1;
			feed(&m, &s, &at, p, len);
			if ((r >> 56) % 30 == 0)
				fips_merge_flush(&m);
		}
		fips_merge_flush(&m);
		assert_int_equal(s.in.n, 0);
	}
	assert_true(s.writes < s.packets * 9 / 10);
	cn_free(&cn);
	free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut_tcp),
		cmocka_unit_test(test_cut_udp),
		cmocka_unit_test(test_csum_only),
		cmocka_unit_test(test_cut_refused),
		cmocka_unit_test(test_merge_stream),
		cmocka_unit_test(test_merge_refused),
		cmocka_unit_test(test_merge_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
