// SPDX-License-Identifier: MIT
/*
 * Packet core, IPv6 side: two cores exchange packets, the bytes are those of
 * ipv6-shim.json; ICMPv6, MSS clamp, MTU arithmetic, ECN, coordinates.
 */
#include <sodium.h>

#include "core_impl.h"
#include "corenet.h"

static json_t *shim_vectors(void **state)
{
	return *state;
}

static int setup(void **state)
{
	*state = vec_load("ipv6-shim");
	return 0;
}

static int teardown(void **state)
{
	json_decref(*state);
	return 0;
}

static void test_exchange(void **state)
{
	struct fips_dp_session_info si;
	struct fips_dp_link_info li;
	struct fips_dp_stats st;
	struct cn_item *it;
	struct cn cn;
	u8 p[2048];
	size_t len, payload;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	for (payload = 0; payload <= CN_MTU - 77 - 48; payload++) {
		len = cn_udp(&cn, p, 0, 1, payload);
		cn_send(&cn, 0, p, len);
		assert_int_equal(cn.n[0].frames.n, 1);
		assert_int_equal(cn.n[0].frames.head->len, len + FIPS_IPV6_OVERHEAD);
		assert_int_equal(cn_pump(&cn), 1);
		it = cn_pop(&cn.n[1].packets);
		assert_non_null(it);
		assert_int_equal(it->len, len);
		assert_memory_equal(it->data, p, len);
		free(it);
	}
	free(cn_event(&cn.n[1], FIPS_EV_LINK_KEY_USED));
	free(cn_event(&cn.n[1], FIPS_EV_SESSION_KEY_USED));
	assert_int_equal(cn.n[1].events.n, 0);
	assert_int_equal(cn_all_drops(&cn.n[0]) + cn_all_drops(&cn.n[1]), 0);
	cn.now += 7;
	fips_core_dev_get(cn.n[1].c, &st);
	assert_int_equal(st.rx_packets, payload);
	assert_int_equal(fips_core_link_get(cn.n[1].c, cn.now, 1, &li), 0);
	assert_int_equal(li.last_rx_ms, 7);
	assert_int_equal(li.stats.rx_packets, payload);
	assert_int_equal(li.stats.rx_bytes, st.rx_bytes);
	assert_int_equal(fips_core_session_get(cn.n[1].c, cn.now, &cn.n[0].addr, &si), 0);
	assert_int_equal(si.last_data_ms, 7);
	assert_int_equal(si.stats.rx_packets, payload);
	assert_int_equal(fips_core_session_get(cn.n[0].c, cn.now, &cn.n[1].addr, &si), 0);
	assert_int_equal(si.tx_counter, payload);
	assert_int_equal(si.last_rx_ms, FIPS_NEVER);
	cn_free(&cn);
}

/* Open a link frame of node 0 to node 1 with libsodium; the datagram in it. */
static size_t open_frame(const struct cn_item *f, u8 *dgram)
{
	struct fips_dp_key k = cn_key(0, 1, 0, 0);
	u8 nonce[12], plain[2048];
	unsigned long long n;

	fips_put_nonce(nonce, fips_get_le64(f->data + 8));
	assert_int_equal(crypto_aead_chacha20poly1305_ietf_decrypt(plain, &n, NULL, f->data + 16,
								   f->len - 16, f->data, 16, nonce,
								   k.tx), 0);
	memcpy(dgram, plain + 4, n - 4);
	return n - 4;
}

static void skip_counters(struct cn *cn, u64 n)
{
	while (n--)
		assert_int_equal(fips_core_session_xmit(cn->n[0].c, &cn->n[0].out, cn->now,
							&cn->n[1].addr, 0, FIPS_FSP_SENDER_REPORT,
							false, "x", 1), 0);
	cn_clear(&cn->n[0].frames);
}

/* "Same plaintext" as the first: the vector leaves the timestamp out there. */
static u64 timestamp_of(const json_t *msgs, size_t i)
{
	return vec_int(json_array_get(msgs, i == 1 ? 0 : i), "timestamp");
}

/* The session of the vectors between A and B, at its first interesting counter. */
static void vector_session(struct cn *cn, const json_t *v, u8 k_bit)
{
	struct fips_dp_key k = { .has_key = true, .k_bit = k_bit };
	struct fips_dp_session s = { .path_mtu = 1280, .key = &k };
	struct vec_bytes coords;

	cn_init(cn, 2, NULL);
	cn_link(cn, 0, 1);
	cn_route(cn, 0, 1, 1);
	vec_hex_into(v, "key", k.tx, 32);
	memset(k.rx, 0xaa, 32);
	coords = vec_hex(json_array_get(vec_array(v, "messages"), 1), "coords_bytes");
	s.coords = coords.p;
	s.coords_len = coords.len;
	s.remote = cn->n[1].addr;
	assert_int_equal(fips_core_session_new(cn->n[0].c, &cn->n[0].out, cn->now, &s), 0);
	vec_hex_into(v, "key", k.rx, 32);
	memset(k.tx, 0xaa, 32);
	s.remote = cn->n[0].addr;
	s.coords = NULL;
	assert_int_equal(fips_core_session_new(cn->n[1].c, &cn->n[1].out, cn->now, &s), 0);
	free(coords.p);
}

static void set_link_mtu(struct cn *cn, u16 mtu)
{
	struct fips_dp_dev dev = { .addr = cn->n[0].addr, .transport_mtu = mtu, .ttl = 64 };

	assert_int_equal(fips_core_dev_set(cn->n[0].c, &dev), 0);
	fips_link_find(cn->n[0].c, 2)->mtu = mtu;
}

static void test_fsp_established(void **state)
{
	const json_t *v = vec_get(shim_vectors(state), "fsp_established");
	const json_t *msgs = vec_array(v, "messages"), *m;
	struct vec_bytes pkt = vec_hex(json_array_get(vec_array(shim_vectors(state),
								"shim_roundtrip"), 0),
				       "ipv6_packet");
	struct fips_session *s;
	struct cn_item *it;
	u8 d[2048];
	struct cn cn;
	size_t n, i;

	assert_int_equal(json_array_size(msgs), 4);
	vector_session(&cn, v, 0);
	set_link_mtu(&cn, 1280);
	skip_counters(&cn, vec_int(json_array_get(msgs, 0), "counter"));
	s = fips_session_find(cn.n[0].c, &cn.n[1].addr);
	for (i = 0; i < 3; i++) {
		m = json_array_get(msgs, i);
		cn.now = 1000000 + timestamp_of(msgs, i);
		atomic_store(&s->coords_count, vec_int(m, "flags") & 1);
		if (i < 2)
			cn_send(&cn, 0, pkt.p, pkt.len);
		else
			fips_core_session_xmit(cn.n[0].c, &cn.n[0].out, cn.now, &cn.n[1].addr, 0,
					       FIPS_FSP_COORDS_WARMUP, true, NULL, 0);
		assert_int_equal(cn.n[0].frames.n, 1);
		n = open_frame(cn.n[0].frames.head, d);
		vec_expect(m, "fsp_message", d + 36, n - 36);
		if (!i) {
			vec_expect(m, "session_datagram", d, n);
			vec_expect_int(m, "link_frame_len", cn.n[0].frames.head->len);
		}
		cn_pump(&cn);
		if (i < 2) {
			it = cn_pop(&cn.n[1].packets);
			assert_non_null(it);
			assert_int_equal(it->len, pkt.len);
			assert_memory_equal(it->data, pkt.p, pkt.len);
			free(it);
		}
	}
	cn_free(&cn);
	m = json_array_get(msgs, 3);
	vector_session(&cn, v, 1);
	skip_counters(&cn, vec_int(m, "counter"));
	cn.now = 1000000 + timestamp_of(msgs, 3);
	fips_put_le16(d, 1280);
	fips_core_session_xmit(cn.n[0].c, &cn.n[0].out, cn.now, &cn.n[1].addr, 0,
			       FIPS_FSP_PATH_MTU, false, d, 2);
	n = open_frame(cn.n[0].frames.head, d);
	vec_expect(m, "fsp_message", d + 36, n - 36);
	cn_free(&cn);
	free(pkt.p);
}

static void test_icmp(void **state)
{
	const json_t *list = vec_array(shim_vectors(state), "icmpv6"), *v;
	u8 buf[FIPS_ICMP_MAX], hash[32], *orig;
	struct vec_bytes o;
	struct cn cn;
	size_t n, i, len;

	cn_init(&cn, 2, NULL);
	v = json_array_get(list, 0);
	o = vec_hex(v, "original");
	n = fips_icmp_unreachable(buf, cn.n[0].ipv6, o.p, o.len);
	vec_expect(v, "icmp", buf, n);
	vec_expect_int(v, "len", n);
	free(o.p);

	v = json_array_get(list, 1);
	len = vec_int(v, "original_len");
	orig = malloc(len);
	cn_udp(&cn, orig, 0, 1, len - 48);
	for (i = 0; i < len - 48; i++)
		orig[48 + i] = (u8)i;
	cn_csum_set(orig, len);
	crypto_hash_sha256(hash, orig, len);
	vec_expect(v, "original_sha256", hash, 32);
	n = fips_icmp_too_big(buf, 1203, orig, len);
	vec_expect_int(v, "len", n);
	vec_expect(v, "icmp_first_56", buf, 56);
	crypto_hash_sha256(hash, buf, n);
	vec_expect(v, "icmp_sha256", hash, 32);
	free(orig);
	cn_free(&cn);
}

static void test_icmp_forbidden(void **state)
{
	u8 buf[FIPS_ICMP_MAX], p[100];
	struct cn cn;
	size_t len;

	(void)state;
	cn_init(&cn, 2, NULL);
	len = cn_udp(&cn, p, 0, 1, 0);
	assert_int_not_equal(fips_icmp_unreachable(buf, cn.n[0].ipv6, p, len), 0);
	assert_int_equal(fips_icmp_unreachable(buf, cn.n[0].ipv6, p, 39), 0);
	/* Destination multicast: no unreachable, but a Packet Too Big. */
	p[24] = 0xff;
	assert_int_equal(fips_icmp_unreachable(buf, cn.n[0].ipv6, p, len), 0);
	assert_int_not_equal(fips_icmp_too_big(buf, 1203, p, len), 0);
	p[24] = 0xfd;
	/* ICMPv6: errors no, information yes. */
	p[6] = 58;
	p[40] = 127;
	assert_int_equal(fips_icmp_unreachable(buf, cn.n[0].ipv6, p, len), 0);
	assert_int_equal(fips_icmp_too_big(buf, 1203, p, len), 0);
	p[40] = 128;
	assert_int_not_equal(fips_icmp_unreachable(buf, cn.n[0].ipv6, p, len), 0);
	/* Source unspecified or multicast. */
	p[8] = 0xff;
	assert_int_equal(fips_icmp_unreachable(buf, cn.n[0].ipv6, p, len), 0);
	memset(p + 8, 0, 16);
	assert_int_equal(fips_icmp_unreachable(buf, cn.n[0].ipv6, p, len), 0);
	p[0] = 0x40;
	assert_int_equal(fips_icmp_too_big(buf, 1203, p, len), 0);
	cn_free(&cn);
}

static void test_mss_clamp(void **state)
{
	const json_t *list = vec_array(shim_vectors(state), "tcp_mss_clamp"), *v;
	struct vec_bytes b;
	size_t i, n;
	u8 *p;

	json_array_foreach(list, i, v) {
		b = vec_hex(v, "before");
		assert_int_equal(fips_mss_clamp(b.p, b.len, (u16)vec_int(v, "max_mss")),
				 vec_bool(v, "modified"));
		vec_expect(v, "after", b.p, b.len);
		free(b.p);
	}
	/* Every truncation and every option length must stay inside the packet. */
	b = vec_hex(json_array_get(list, 0), "before");
	for (n = 0; n <= b.len; n++) {
		p = vec_exact(b.p, n);
		if (n >= 40)
			fips_mss_clamp(p, n, 500);
		free(p);
	}
	for (n = 0; n < 256; n++) {
		p = vec_exact(b.p, b.len);
		p[61] = (u8)n;
		fips_mss_clamp(p, b.len, 500);
		p[52] = (u8)n;
		fips_mss_clamp(p, b.len, 500);
		free(p);
	}
	free(b.p);
}

static void test_mss_rule(void **state)
{
	struct fips_dp_session s;
	struct cn cn;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	s = (struct fips_dp_session){ .remote = cn.n[1].addr, .path_mtu = FIPS_MTU_UNKNOWN };
	/* Unknown path: cold; known: its ceiling, at most the node's; the cliff: cold. */
	assert_int_equal(fips_mss_max(cn.n[0].c, cn.n[1].ipv6), 1143);
	s.path_mtu = 1472;
	fips_core_session_set(cn.n[0].c, &s);
	assert_int_equal(fips_mss_max(cn.n[0].c, cn.n[1].ipv6), 1335);
	s.path_mtu = 9000;
	fips_core_session_set(cn.n[0].c, &s);
	assert_int_equal(fips_mss_max(cn.n[0].c, cn.n[1].ipv6), 1335);
	s.path_mtu = 247;
	fips_core_session_set(cn.n[0].c, &s);
	assert_int_equal(fips_mss_max(cn.n[0].c, cn.n[1].ipv6), 110);
	s.path_mtu = 137;
	fips_core_session_set(cn.n[0].c, &s);
	assert_int_equal(fips_mss_max(cn.n[0].c, cn.n[1].ipv6), 1143);
	cn_free(&cn);
}

/* A SYN is clamped on its way out and on its way in. */
static void test_mss_walk(void **state)
{
	const json_t *v = json_array_get(vec_array(shim_vectors(state), "tcp_mss_clamp"), 0);
	struct vec_bytes b = vec_hex(v, "before");
	struct fips_gso gso = { .csum = true, .csum_start = 40, .csum_offset = 16 };
	struct cn_item *it;
	struct cn cn;

	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	cn_send(&cn, 0, b.p, b.len);
	cn_pump(&cn);
	it = cn_pop(&cn.n[1].packets);
	vec_expect(v, "after", it->data, it->len);
	free(it);
	/* The same with the checksum left to us. */
	memset(b.p + 56, 0x55, 2);
	fips_core_packet(cn.n[0].c, &cn.n[0].out, cn.now, &gso, b.p, b.len);
	cn_pump(&cn);
	it = cn_pop(&cn.n[1].packets);
	vec_expect(v, "after", it->data, it->len);
	free(it);
	free(b.p);
	cn_free(&cn);
}

static void test_effective_mtu(void **state)
{
	const json_t *mtus = vec_get(shim_vectors(state), "effective_mtu"), *v;
	const json_t *rows = vec_array(mtus, "rows");
	u8 p[4096];
	struct cn cn;
	size_t i, len, e;
	u16 mtu;

	vec_expect_int(vec_get(mtus, "overhead"), "FIPS_IPV6_OVERHEAD", FIPS_IPV6_OVERHEAD);
	json_array_foreach(rows, i, v) {
		mtu = (u16)vec_int(v, "transport_mtu");
		e = vec_int(v, "effective_ipv6_mtu");
		cn_init(&cn, 2, NULL);
		cn_pair(&cn, 0, 1);
		set_link_mtu(&cn, mtu);
		len = cn_udp(&cn, p, 0, 1, e - 48);
		cn_send(&cn, 0, p, len);
		assert_int_equal(cn.n[0].frames.n, 1);
		assert_int_equal(cn.n[0].frames.head->len, mtu);
		assert_int_equal(cn.n[0].packets.n, 0);
		len = cn_udp(&cn, p, 0, 1, e - 48 + 1);
		cn_send(&cn, 0, p, len);
		assert_int_equal(cn.n[0].frames.n, 1);
		assert_int_equal(cn_drops(&cn.n[0], FIPS_DROP_REASON_TX_TOO_BIG), 1);
		assert_int_equal(cn.n[0].packets.n, 1);
		assert_int_equal(cn.n[0].packets.head->data[40], 2);
		assert_int_equal(fips_get_be16(cn.n[0].packets.head->data + 46), e);
		/* Another within 100 ms says nothing more. */
		cn_send(&cn, 0, p, len);
		assert_int_equal(cn.n[0].packets.n, 1);
		cn.now += 100;
		cn_send(&cn, 0, p, len);
		assert_int_equal(cn.n[0].packets.n, 2);
		cn_free(&cn);
	}
}

/* A smaller path MTU than the link's decides, a larger one doesn't. */
static void test_path_mtu(void **state)
{
	struct fips_dp_session s = { .path_mtu = 600 };
	struct cn cn;
	u8 p[2048];

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	s.remote = cn.n[1].addr;
	fips_core_session_set(cn.n[0].c, &s);
	cn_send(&cn, 0, p, cn_udp(&cn, p, 0, 1, 600 - 77 - 48));
	assert_int_equal(cn.n[0].frames.n, 1);
	cn_send(&cn, 0, p, cn_udp(&cn, p, 0, 1, 600 - 77 - 48 + 1));
	assert_int_equal(cn.n[0].frames.n, 1);
	assert_int_equal(fips_get_be16(cn.n[0].packets.head->data + 46), 600 - 77);
	cn_free(&cn);
}

static void test_coords_piggyback(void **state)
{
	const json_t *rows = vec_array(shim_vectors(state), "coords_piggyback"), *v;
	struct fips_dp_session s = { .path_mtu = FIPS_MTU_UNKNOWN, .coords_count = 2 };
	u8 p[2048], coords[400], d[2048];
	struct cn_item *it;
	size_t i, max, n;
	struct cn cn;

	json_array_foreach(rows, i, v) {
		cn_init(&cn, 2, NULL);
		cn_pair(&cn, 0, 1);
		set_link_mtu(&cn, (u16)vec_int(v, "transport_mtu"));
		memset(coords, 1, sizeof(coords));
		n = vec_int(v, "src_entries");
		fips_put_le16(coords, (u16)n);
		fips_put_le16(coords + 2 + 16 * n, (u16)vec_int(v, "dest_entries"));
		s.remote = cn.n[1].addr;
		s.coords = coords;
		s.coords_len = vec_int(v, "coords_bytes");
		assert_int_equal(s.coords_len, 4 + 16 * (n + vec_int(v, "dest_entries")));
		fips_core_session_set(cn.n[0].c, &s);
		max = vec_int(v, "max_ipv6_packet_with_coords");
		vec_expect_int(v, "max_shim_payload", max - 33);
		/* The largest that fits carries them itself. */
		cn_send(&cn, 0, p, cn_udp(&cn, p, 0, 1, max - 48));
		assert_int_equal(cn.n[0].frames.n, 1);
		n = open_frame(cn.n[0].frames.head, d);
		assert_int_equal(d[37] & FIPS_FSP_FLAG_CP, 1);
		assert_memory_equal(d + 48, coords, s.coords_len);
		/* One byte more: a CoordsWarmup goes ahead. The third goes without. */
		cn_send(&cn, 0, p, cn_udp(&cn, p, 0, 1, max - 48 + 1));
		cn_send(&cn, 0, p, cn_udp(&cn, p, 0, 1, 0));
		assert_int_equal(cn.n[0].frames.n, 4);
		assert_int_equal(cn_pump(&cn), 4);
		assert_int_equal(cn.n[1].packets.n, 3);
		free(cn_event(&cn.n[1], FIPS_EV_LINK_KEY_USED));
		it = cn_event(&cn.n[1], FIPS_EV_COORDS);
		assert_memory_equal(it->data + 48, coords, s.coords_len);
		free(it);
		free(cn_event(&cn.n[1], FIPS_EV_SESSION_KEY_USED));
		/* The same coordinates again are no news. */
		it = cn_event(&cn.n[1], FIPS_EV_SESSION_MSG);
		assert_int_equal(it->ev.session_msg.msg_type, FIPS_FSP_COORDS_WARMUP);
		assert_int_equal(it->len, 0);
		free(it);
		assert_int_equal(cn.n[1].events.n, 0);
		cn_free(&cn);
	}
}

/* CE of the last hop marks what is ECN-capable. */
static void test_ecn(void **state)
{
	const json_t *list = vec_array(shim_vectors(state), "ecn_ce_mark"), *v;
	struct vec_bytes b;
	struct cn_item *it;
	size_t i, n, len;
	u8 d[2048], f[2048], *plain;
	struct fips_epoch *e;
	struct cn cn;
	u64 ce = 0;

	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	e = fips_slot_get(&fips_link_find(cn.n[0].c, 2)->slot[0]);
	json_array_foreach(list, i, v) {
		b = vec_hex(v, "before");
		cn_send(&cn, 0, b.p, b.len);
		it = cn_pop(&cn.n[0].frames);
		n = open_frame(it, d);
		/* Seal it once more with CE, as a forwarder would. */
		plain = f + FIPS_FMP_HDR_LEN;
		memset(plain, 0, 4);
		memcpy(plain + 4, d, n);
		fips_link_seal(e, &e->seal[0], FIPS_FMP_FLAG_CE, 1000 + i, f, plain, 4 + n);
		len = FIPS_LINK_OVERHEAD + n;
		free(it);
		cn_recv(&cn, 1, &cn.n[0].at, f, len);
		it = cn_pop(&cn.n[1].packets);
		assert_non_null(it);
		vec_expect(v, "after", it->data, it->len);
		free(it);
		free(b.p);
		ce++;
	}
	assert_int_equal(fips_load(&cn.n[1].c->stats.ce_packets), ce);
	cn_free(&cn);
}

/* What the local stack must not send. */
static void test_tx_refused(void **state)
{
	struct fips_gso gso = { .csum = true, .csum_start = 40, .csum_offset = 60 };
	struct cn cn;
	u8 p[256];
	size_t len;

	(void)state;
	cn_init(&cn, 2, NULL);
	cn_pair(&cn, 0, 1);
	len = cn_udp(&cn, p, 0, 1, 10);
	cn_send(&cn, 0, p, 39);
	p[0] = 0x45;
	cn_send(&cn, 0, p, len);
	p[0] = 0x60;
	fips_core_packet(cn.n[0].c, &cn.n[0].out, cn.now, &gso, p, len);
	assert_int_equal(cn_drops(&cn.n[0], FIPS_DROP_REASON_TX_NOT_IPV6), 3);
	p[24] = 0xff;
	cn_send(&cn, 0, p, len);
	assert_int_equal(cn.n[0].packets.n, 0);
	p[24] = 0x20;
	cn_send(&cn, 0, p, len);
	assert_int_equal(cn_drops(&cn.n[0], FIPS_DROP_REASON_TX_NOT_MESH), 2);
	assert_int_equal(cn.n[0].packets.n, 1);
	assert_int_equal(cn.n[0].packets.head->data[40], 1);
	assert_memory_equal(cn.n[0].packets.head->data + 8, cn.n[0].ipv6, 16);
	p[24] = 0xfd;
	p[23] ^= 1;
	cn_send(&cn, 0, p, len);
	assert_int_equal(cn_drops(&cn.n[0], FIPS_DROP_REASON_TX_SOURCE), 1);
	assert_int_equal(cn.n[0].frames.n, 0);
	p[23] ^= 1;
	cn.n[0].no_room = true;
	cn_send(&cn, 0, p, len);
	assert_int_equal(cn_drops(&cn.n[0], FIPS_DROP_REASON_TX_HEADROOM), 1);
	cn_free(&cn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exchange),
		cmocka_unit_test(test_fsp_established),
		cmocka_unit_test(test_icmp),
		cmocka_unit_test(test_icmp_forbidden),
		cmocka_unit_test(test_mss_clamp),
		cmocka_unit_test(test_mss_rule),
		cmocka_unit_test(test_mss_walk),
		cmocka_unit_test(test_effective_mtu),
		cmocka_unit_test(test_path_mtu),
		cmocka_unit_test(test_coords_piggyback),
		cmocka_unit_test(test_ecn),
		cmocka_unit_test(test_tx_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
