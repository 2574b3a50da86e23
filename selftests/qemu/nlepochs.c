// SPDX-License-Identifier: MIT
/*
 * fips.ko with three session slots live (spec 02 §12.4, 08 §9.4): messages of
 * every epoch in any order and with either K, forgeries and replays between.
 * Every genuine message opens, once, and no failed trial spoils it. Messages are
 * sealed here and sent as datagrams of a link. Runs in a guest as root. Output:
 * KTAP. The user provider's twin is selftests/unit/test_core_epochs.c.
 */

#include <sched.h>

#include <fips/shim.h>

#include "aead.h"
#include "nlside.h"

#define EPOCHS	10
#define EACH	12	/* messages an epoch: its counters */
#define PORT	9999
#define FSP	FIPS_DGRAM_HDR_LEN
#define PLAIN	(FSP + FIPS_FSP_HDR_LEN)

/* A message from a to b as a datagram, its type byte first. */
struct msg {
	uint8_t type;
	bool used;
	size_t len;
	uint8_t b[256];
};

static struct msg msgs[EPOCHS][EACH];
static struct in6_addr from6, to6;
static unsigned int forged, replayed;
static uint32_t rng;
static int udp;

static uint32_t draw(uint32_t n)
{
	rng = rng * 1664525 + 1013904223;
	return (rng >> 8) % n;
}

/* --- messages --- */

static uint32_t sum16(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t i;

	for (i = 0; i < len; i++)
		sum += i & 1 ? p[i] : p[i] << 8;
	return sum;
}

/* A UDP packet behind its shim; its length. The payload names the message. */
static size_t put_packet(uint8_t *p, unsigned int epoch, unsigned int i)
{
	uint8_t ip6[FIPS_IPV6_HDR_LEN] = { 0x60, [6] = IPPROTO_UDP, [7] = 64 };
	uint8_t *u = p + FIPS_FSP_PORTS_LEN + FIPS_SHIM_LEN;
	uint32_t sum;

	fips_put_le16(p, FIPS_PORT_IPV6);
	fips_put_le16(p + 2, FIPS_PORT_IPV6);
	fips_shim_put(p + FIPS_FSP_PORTS_LEN, ip6);
	fips_put_be16(u, 40000);
	fips_put_be16(u + 2, PORT);
	fips_put_be16(u + 4, 10);
	fips_put_be16(u + 6, 0);
	u[8] = epoch;
	u[9] = i;
	sum = sum16(IPPROTO_UDP + 10, &from6, 16);
	sum = sum16(sum16(sum, &to6, 16), u, 10);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	fips_put_be16(u + 6, ~sum);
	return FIPS_FSP_PORTS_LEN + FIPS_SHIM_LEN + 10;
}

/* Data, a report, a warm-up by turns; K set and not, but never of a warm-up (02 §9). */
static void make(unsigned int epoch, unsigned int i, struct fips_aead *aead)
{
	static const uint8_t types[] = {
		FIPS_FSP_DATA, FIPS_FSP_RECEIVER_REPORT, FIPS_FSP_COORDS_WARMUP
	};
	struct msg *m = &msgs[epoch][i];
	uint8_t *plain = m->b + PLAIN;
	size_t len = FIPS_FSP_INNER_LEN;

	memset(m, 0, sizeof(*m));
	m->type = types[i % 3];
	m->b[FIPS_DGRAM_TTL_OFF] = 9;
	fips_put_le16(m->b + FIPS_DGRAM_MTU_OFF, 1472);
	nlc_node(m->b + FIPS_DGRAM_SRC_OFF, a.node);
	nlc_node(m->b + FIPS_DGRAM_DST_OFF, b.node);
	fips_put_le32(plain, epoch * 1000 + i);
	plain[4] = m->type;
	if (m->type == FIPS_FSP_DATA)
		len += put_packet(plain + len, epoch, i);
	else if (m->type == FIPS_FSP_RECEIVER_REPORT)
		plain[len++] = i;
	fips_put_fsp_hdr(m->b + FSP, m->type != FIPS_FSP_COORDS_WARMUP && i / 3 & 1 ?
			 FIPS_FSP_FLAG_K : 0, len, i);
	fips_aead_seal(aead, i, m->b + FSP, FIPS_FSP_HDR_LEN, plain, plain, len);
	m->len = PLAIN + len + FIPS_TAG_LEN;
}

static void make_all(void)
{
	uint8_t key[FIPS_AEAD_KEY_LEN];
	unsigned int epoch, i;

	for (epoch = 0; epoch < EPOCHS; epoch++) {
		struct fips_aead aead = { 0 };

		nlc_key(key, 's', a.node, b.node, epoch);
		if (fips_aead_init(&aead, NULL, key))
			nlc_die("fips_aead_init");
		for (i = 0; i < EACH; i++)
			make(epoch, i, &aead);
		fips_aead_wipe(&aead);
	}
}

/* --- both ends --- */

/* A link from a to b, the address of b, and a socket for what gets through. */
static void sides_up(void)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_port = htons(PORT) };
	char text[INET6_ADDRSTRLEN];

	nlc_node_ipv6(&from6, a.node);
	nlc_node_ipv6(&to6, b.node);
	side_up(&a, false);
	side_up(&b, false);
	run("ip -6 addr add %s/128 dev nlb nodad", inet_ntop(AF_INET6, &to6, text, sizeof(text)));
	OK(&a, nlc_link(&a.c, a.ifindex, 1, a.node, b.node, &b.addr));
	OK(&b, nlc_link(&b.c, b.ifindex, 1, b.node, a.node, &a.addr));
	udp = socket(AF_INET6, SOCK_DGRAM, 0);
	at.sin6_addr = to6;
	if (udp < 0 || bind(udp, (struct sockaddr *)&at, sizeof(at)))
		nlc_die("bind");
}

/* The session of b anew: epoch 0 previous, 1 current, 2 next. */
static void begin(uint32_t seed)
{
	unsigned int epoch, i;

	rng = seed;
	for (epoch = 0; epoch < EPOCHS; epoch++)
		for (i = 0; i < EACH; i++)
			msgs[epoch][i].used = false;
	forged = 0;
	replayed = 0;
	OK(&b, nlc_session(&b.c, b.ifindex, b.node, a.node));
	OK(&b, session_key(&b, &a, 1, FIPS_KEY_SLOT_NEXT));
	OK(&b, nlc_call(&b.c, nlc_session_msg(&b.c, FIPS_CMD_SESSION_KEY_SWAP, b.ifindex, a.node),
			NULL, NULL));
	OK(&b, session_key(&b, &a, 2, FIPS_KEY_SLOT_NEXT));
}

static void get_drops(struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *stats = nlmsg_find_attr(nlh, GENL_HDRLEN, FIPS_A_SESSION_STATS), *drop, *n;
	int left;

	if (!stats)
		return;
	nla_for_each_nested(drop, stats, left) {
		if (nla_type(drop) != FIPS_A_STATS_DROPS)
			continue;
		n = nla_find(nla_data(drop), nla_len(drop), FIPS_A_DROP_COUNT);
		*(unsigned int *)arg += n ? nla_get_u64(n) : 0;
	}
}

/* What the session has dropped, for whatever reason. */
static unsigned int drops(void)
{
	unsigned int n = 0;

	OK(&b, nlc_call(&b.c, nlc_session_msg(&b.c, FIPS_CMD_SESSION_GET, b.ifindex, a.node),
			get_drops, &n));
	return n;
}

/* All that was forged or repeated is dropped, once each, and nothing else came. */
static void end(void)
{
	uint8_t buf[16];
	int i;

	/* The last one may still wait for the kernel's thread. */
	for (i = 0; i < 500 && drops() < forged + replayed; i++)
		usleep(10000);
	EXPECT(drops() == forged + replayed, "%u dropped, %u forged, %u again", drops(), forged,
	       replayed);
	EXPECT(recv(udp, buf, sizeof(buf), MSG_DONTWAIT) < 0, "a packet too many");
	while (b.head != b.tail)
		EXPECT(genlmsg_hdr(next_event(&b, 0))->cmd != FIPS_CMD_SESSION_MSG,
		       "a message too many");
	OK(&b, nlc_call(&b.c, nlc_session_msg(&b.c, FIPS_CMD_SESSION_DEL, b.ifindex, a.node), NULL,
			NULL));
}

/* --- arrivals --- */

static void arrive(const uint8_t *dgram, size_t len)
{
	struct nl_msg *msg = link_msg(&a, &b, FIPS_CMD_LINK_XMIT);

	nla_put_u32(msg, FIPS_A_LINK_SLOT, FIPS_KEY_SLOT_CURRENT);
	nla_put(msg, FIPS_A_LINK_MESSAGE, len, dgram);
	OK(&a, nlc_call(&a.c, msg, NULL, NULL));
}

/* Some byte of what is authenticated, behind the prefix, has another value. */
static void forge(const struct msg *m)
{
	uint8_t copy[sizeof(m->b)];
	uint32_t from = FSP + FIPS_FSP_CTR_OFF;

	memcpy(copy, m->b, m->len);
	copy[from + draw(m->len - from)] ^= 1 << draw(8);
	arrive(copy, m->len);
	forged++;
}

/* The message comes out: a packet for the socket, or an upcall. */
static bool opened(const struct msg *m, unsigned int epoch, unsigned int i)
{
	struct pollfd p = { .fd = udp, .events = POLLIN };
	struct nlmsghdr *nlh;
	uint8_t buf[16];

	if (m->type == FIPS_FSP_DATA)
		return poll(&p, 1, 5000) == 1 && recv(udp, buf, sizeof(buf), 0) == 2 &&
		       buf[0] == epoch && buf[1] == i;
	while ((nlh = next_event(&b, 5000))) {
		if (genlmsg_hdr(nlh)->cmd != FIPS_CMD_SESSION_MSG)
			continue;
		return u32_of(nlh, FIPS_A_SESSION_MSG_TYPE) == m->type &&
		       u64_of(nlh, FIPS_A_SESSION_COUNTER) == i &&
		       u32_of(nlh, FIPS_A_SESSION_TIMESTAMP) == epoch * 1000 + i;
	}
	return false;
}

/* A message with forgeries before and itself again behind. */
static void try(unsigned int epoch, unsigned int i)
{
	struct msg *m = &msgs[epoch][i];

	forge(m);
	forge(m);
	arrive(m->b, m->len);
	EXPECT(opened(m, epoch, i), "epoch %u, message %u, type %x", epoch, i, m->type);
	m->used = true;
	arrive(m->b, m->len);
	replayed++;
}

/* One that has lost its key. */
static void too_late(unsigned int epoch, unsigned int i)
{
	arrive(msgs[epoch][i].b, msgs[epoch][i].len);
	forged++;
}

/* Some message of the epoch that has not arrived yet. */
static void try_some(unsigned int epoch)
{
	unsigned int first = draw(EACH), i;

	for (i = 0; i < EACH; i++) {
		if (msgs[epoch][(first + i) % EACH].used)
			continue;
		try(epoch, (first + i) % EACH);
		return;
	}
}

/* --- tests --- */

/* Epochs roll by: the next is promoted by its first message, and another one installed. */
static void any_order(void)
{
	unsigned int cur, steps;
	uint32_t seed;

	for (seed = 1; seed <= 5 && !failed; seed++) {
		begin(seed);
		for (cur = 1; cur < EPOCHS - 1 && !failed; cur++) {
			for (steps = draw(10); steps; steps--)
				try_some(cur - draw(2));
			try_some(cur + 1);
			if (cur + 2 < EPOCHS)
				OK(&b, session_key(&b, &a, cur + 2, FIPS_KEY_SLOT_NEXT));
		}
		end();
	}
}

/* One message a slot in every order, of every type and K, as long as its slot is there. */
static void every_permutation(void)
{
	static const uint8_t orders[6][3] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
	};
	unsigned int o, ks, i;

	for (o = 0; o < 6; o++) {
		for (ks = 0; ks < 27 && !failed; ks++) {
			/* plain data, warm-up, report with K; or report, data with K, warm-up */
			unsigned int odd = o & 1;
			unsigned int pick[3] = {
				ks % 3 * 2 + odd, ks / 3 % 3 * 2 + odd, ks / 9 * 2 + odd
			};

			begin(ks);
			for (i = 0; i < 3; i++) {
				unsigned int epoch = orders[o][i];

				if (!epoch && msgs[2][pick[2]].used)
					too_late(epoch, pick[epoch]);
				else
					try(epoch, pick[epoch]);
			}
			end();
		}
	}
}

/* The next keys are taken back: nothing else is touched. */
static void next_is_dropped(void)
{
	struct nl_msg *msg;

	begin(5);
	try(0, 1);
	try(1, 1);
	msg = nlc_session_msg(&b.c, FIPS_CMD_SESSION_KEY_DEL, b.ifindex, a.node);
	nla_put_u32(msg, FIPS_A_SESSION_SLOT, FIPS_KEY_SLOT_NEXT);
	OK(&b, nlc_call(&b.c, msg, NULL, NULL));
	too_late(2, 1);
	try(1, 2);
	try(0, 2);
	OK(&b, session_key(&b, &a, 3, FIPS_KEY_SLOT_NEXT));
	try(3, 1);
	try(1, 4);
	too_late(0, 4);
	end();
}

#define TEST(fn) test(fn, "nlepochs " #fn)

int main(void)
{
	cpu_set_t one;

	/* What is sent in order arrives in order when one CPU does it all. */
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		nlc_die("sched_setaffinity");
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n1..3\n");
	sides_up();
	make_all();
	TEST(any_order);
	TEST(every_permutation);
	TEST(next_is_dropped);
	side_down(&a);
	side_down(&b);
	run("ip link del %s", a.name);
	run("ip link del %s", b.name);
	return failures ? 1 : 0;
}
