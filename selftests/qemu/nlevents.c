// SPDX-License-Identifier: MIT
/*
 * Events of fips.ko: two devices of one namespace talk over the loopback with
 * keys set by hand, and both owners' sockets are read: which upcalls come, in
 * which order, with what in them. Runs in a guest as root. Output: KTAP.
 */

#include "nlside.h"

#define HEARTBEAT "\x51"

/* A heartbeat that came to @s, opened by @slot with @counter. */
static void expect_heartbeat_at(struct side *s, int slot, long counter, int line)
{
	struct nlmsghdr *nlh = expect_event_at(s, FIPS_CMD_LINK_MSG, line);

	EXPECT(bytes_are(nlh, FIPS_A_LINK_MESSAGE, HEARTBEAT, 1), "from line %d", line);
	EXPECT(u32_of(nlh, FIPS_A_LINK_SLOT) == slot, "slot %ld from line %d",
	       u32_of(nlh, FIPS_A_LINK_SLOT), line);
	EXPECT(u64_of(nlh, FIPS_A_LINK_COUNTER) == counter, "counter %ld from line %d",
	       u64_of(nlh, FIPS_A_LINK_COUNTER), line);
}

#define expect_heartbeat(s, slot, counter) expect_heartbeat_at(s, slot, counter, __LINE__)

/* --- requests --- */

static int link_xmit(struct side *s, struct side *to, uint32_t slot)
{
	struct nl_msg *msg = link_msg(s, to, FIPS_CMD_LINK_XMIT);

	nla_put_u32(msg, FIPS_A_LINK_SLOT, slot);
	nla_put(msg, FIPS_A_LINK_MESSAGE, 1, HEARTBEAT);
	return nlc_call(&s->c, msg, NULL, NULL);
}

static int link_key(struct side *s, struct side *to, unsigned int epoch, uint32_t slot)
{
	struct nl_msg *msg = link_msg(s, to, FIPS_CMD_LINK_KEY_NEW);

	nlc_put_key(msg, FIPS_A_LINK_KEY, 'l', s->node, to->node, epoch, slot);
	return nlc_call(&s->c, msg, NULL, NULL);
}

/* Just the index of an epoch, ahead of its keys. */
static int link_index(struct side *s, struct side *to, unsigned int epoch, uint32_t slot)
{
	struct nl_msg *msg = link_msg(s, to, FIPS_CMD_LINK_KEY_NEW);
	struct nlattr *nest = nla_nest_start(msg, FIPS_A_LINK_KEY);

	nla_put_u32(msg, FIPS_A_KEY_SLOT, slot);
	nla_put_u32(msg, FIPS_A_KEY_LOCAL_INDEX, nlc_index(s->node, to->node, epoch));
	nla_nest_end(msg, nest);
	return nlc_call(&s->c, msg, NULL, NULL);
}

/* A key with limits or an end. */
static int link_key_limited(struct side *s, struct side *to, unsigned int epoch, uint64_t soft,
			    uint64_t hard, uint32_t lifetime_ms)
{
	struct nl_msg *msg = link_msg(s, to, FIPS_CMD_LINK_KEY_NEW);
	uint8_t key[FIPS_AEAD_KEY_LEN];
	struct nlattr *nest = nla_nest_start(msg, FIPS_A_LINK_KEY);

	nla_put_u32(msg, FIPS_A_KEY_SLOT, FIPS_KEY_SLOT_CURRENT);
	nla_put_u32(msg, FIPS_A_KEY_LOCAL_INDEX, nlc_index(s->node, to->node, epoch));
	nla_put_u32(msg, FIPS_A_KEY_REMOTE_INDEX, nlc_index(to->node, s->node, epoch));
	nla_put_u8(msg, FIPS_A_KEY_K_BIT, epoch & 1);
	nlc_key(key, 'l', s->node, to->node, epoch);
	nla_put(msg, FIPS_A_KEY_TX_KEY, sizeof(key), key);
	nlc_key(key, 'l', to->node, s->node, epoch);
	nla_put(msg, FIPS_A_KEY_RX_KEY, sizeof(key), key);
	if (hard) {
		nla_put_u64(msg, FIPS_A_KEY_SOFT_LIMIT, soft);
		nla_put_u64(msg, FIPS_A_KEY_HARD_LIMIT, hard);
	}
	if (lifetime_ms)
		nla_put_u32(msg, FIPS_A_KEY_LIFETIME_MS, lifetime_ms);
	nla_nest_end(msg, nest);
	return nlc_call(&s->c, msg, NULL, NULL);
}

/* Both sides up, a dials, b is the responder with a candidate. Nothing was sent. */
static void pair(void)
{
	struct nl_msg *msg;

	side_up(&a, false);
	side_up(&b, false);
	OK(&a, nlc_link(&a.c, a.ifindex, 1, a.node, b.node, &b.addr));
	msg = nlc_link_msg(&b.c, b.ifindex, 1, a.node, &a.addr);
	nlc_put_key(msg, FIPS_A_LINK_KEY, 'l', b.node, a.node, 0, FIPS_KEY_SLOT_CURRENT);
	nla_put_flag(msg, FIPS_A_LINK_CANDIDATE);
	OK(&b, nlc_call(&b.c, msg, NULL, NULL));
}

/* And the first frame both ways, its events eaten. */
static void linked(void)
{
	pair();
	OK(&a, link_xmit(&a, &b, FIPS_KEY_SLOT_CURRENT));
	while (next_event(&b, 300))
		;
	OK(&b, link_xmit(&b, &a, FIPS_KEY_SLOT_CURRENT));
	while (next_event(&a, 300))
		;
}

static void unpair(void)
{
	side_down(&a);
	side_down(&b);
}

static void get_state(struct nlmsghdr *nlh, void *arg)
{
	*(long *)arg = u32_of(nlh, FIPS_A_LINK_STATE);
}

static long link_state(struct side *s, struct side *to)
{
	long state = -1;

	nlc_call(&s->c, link_msg(s, to, FIPS_CMD_LINK_GET), get_state, &state);
	return state;
}

/* --- links --- */

static void candidate_is_confirmed(void)
{
	pair();
	EXPECT(link_state(&a, &b) == FIPS_LINK_STATE_ESTABLISHED, "%ld", link_state(&a, &b));
	EXPECT(link_state(&b, &a) == FIPS_LINK_STATE_CANDIDATE, "%ld", link_state(&b, &a));
	OK(&a, link_xmit(&a, &b, FIPS_KEY_SLOT_CURRENT));
	/* The order is the contract. */
	expect_event(&b, FIPS_CMD_LINK_CONFIRMED);
	EXPECT(u32_of(expect_event(&b, FIPS_CMD_LINK_KEY_USED), FIPS_A_LINK_SLOT) ==
	       FIPS_KEY_SLOT_CURRENT, "slot");
	expect_event(&b, FIPS_CMD_LINK_ACTIVE);
	expect_heartbeat(&b, FIPS_KEY_SLOT_CURRENT, 0);
	EXPECT(link_state(&b, &a) == FIPS_LINK_STATE_ESTABLISHED, "%ld", link_state(&b, &a));
	/* Answer: the initiator has nothing to confirm. */
	OK(&b, link_xmit(&b, &a, FIPS_KEY_SLOT_CURRENT));
	expect_event(&a, FIPS_CMD_LINK_KEY_USED);
	expect_event(&a, FIPS_CMD_LINK_ACTIVE);
	expect_heartbeat(&a, FIPS_KEY_SLOT_CURRENT, 0);
	/* The second frame is just a frame. */
	OK(&a, link_xmit(&a, &b, FIPS_KEY_SLOT_CURRENT));
	expect_heartbeat(&b, FIPS_KEY_SLOT_CURRENT, 1);
	expect_silence(&b);
	expect_silence(&a);
	unpair();
}

static void get_rx(struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *stats = nlmsg_find_attr(nlh, GENL_HDRLEN, FIPS_A_LINK_STATS), *rx;

	rx = stats ? nla_find(nla_data(stats), nla_len(stats), FIPS_A_STATS_RX_PACKETS) : NULL;
	*(long *)arg = rx ? (long)nla_get_u64(rx) : -1;
}

static long report(struct side *s, struct side *to)
{
	long rx = -1;

	OK(s, nlc_call(&s->c, link_msg(s, to, FIPS_CMD_LINK_REPORT), get_rx, &rx));
	return rx;
}

static void report_clears_and_arms(void)
{
	linked();
	EXPECT(report(&b, &a) == 1, "first");
	EXPECT(report(&b, &a) == 0, "second");
	OK(&a, link_xmit(&a, &b, FIPS_KEY_SLOT_CURRENT));
	expect_event(&b, FIPS_CMD_LINK_ACTIVE);
	expect_heartbeat(&b, FIPS_KEY_SLOT_CURRENT, 1);
	OK(&a, link_xmit(&a, &b, FIPS_KEY_SLOT_CURRENT));
	expect_heartbeat(&b, FIPS_KEY_SLOT_CURRENT, 2);
	EXPECT(report(&b, &a) == 2, "third");
	unpair();
}

/* An attribute of the nest mmp of a link-report; 0 without it. */
static uint64_t mmp_of(struct nlmsghdr *nlh, int type)
{
	struct nlattr *mmp = nlmsg_find_attr(nlh, GENL_HDRLEN, FIPS_A_LINK_MMP), *a;
	uint64_t value = 0;

	a = mmp ? nla_find(nla_data(mmp), nla_len(mmp), type) : NULL;
	if (a)
		memcpy(&value, nla_data(a), nla_len(a) < 8 ? nla_len(a) : 8);
	return value;
}

static bool mmp_has(struct nlmsghdr *nlh, int type)
{
	struct nlattr *mmp = nlmsg_find_attr(nlh, GENL_HDRLEN, FIPS_A_LINK_MMP);

	return mmp && nla_find(nla_data(mmp), nla_len(mmp), type);
}

static void keep_reply(struct nlmsghdr *nlh, void *arg)
{
	memcpy(arg, nlh, nlh->nlmsg_len < 4096 ? nlh->nlmsg_len : 4096);
}

/* What link-report says when it ends the intervals @take. */
static struct nlmsghdr *sums(struct side *s, struct side *to, uint8_t take)
{
	static char buf[2][4096];
	static int turn;
	struct nl_msg *msg = link_msg(s, to, FIPS_CMD_LINK_REPORT);

	turn = !turn;
	memset(buf[turn], 0, sizeof(buf[turn]));
	nla_put_u8(msg, FIPS_A_LINK_TAKE, take);
	OK(s, nlc_call(&s->c, msg, keep_reply, buf[turn]));
	return (struct nlmsghdr *)buf[turn];
}

/* Metrics: what one side has sent the other has received; a look ends no interval. */
static void report_sums(void)
{
	struct nlmsghdr *tx, *rx;
	uint64_t bytes;
	int i;

	linked();
	for (i = 0; i < 9; i++) {
		OK(&a, link_xmit(&a, &b, FIPS_KEY_SLOT_CURRENT));
		usleep(20000);
	}
	tx = sums(&a, &b, 0);
	bytes = mmp_of(tx, FIPS_A_MMP_TX_BYTES);
	EXPECT(mmp_of(tx, FIPS_A_MMP_TX_PACKETS) == 10 && bytes == 10 * (16 + 4 + 1 + 16),
	       "%llu bytes", (unsigned long long)bytes);
	EXPECT(mmp_of(tx, FIPS_A_MMP_TX_START_COUNTER) == 0 &&
	       mmp_of(tx, FIPS_A_MMP_TX_LAST_COUNTER) == 9, "counters sent");
	EXPECT(mmp_of(tx, FIPS_A_MMP_TX_LAST_TIMESTAMP) >= 180, "timestamp sent");
	rx = sums(&b, &a, 1);
	EXPECT(mmp_has(rx, FIPS_A_MMP_RX_DATA), "nothing received");
	EXPECT(mmp_of(rx, FIPS_A_MMP_RX_PACKETS) == 10 &&
	       mmp_of(rx, FIPS_A_MMP_RX_BYTES) == bytes &&
	       mmp_of(rx, FIPS_A_MMP_RX_INTERVAL_BYTES) == bytes, "received");
	EXPECT(mmp_of(rx, FIPS_A_MMP_RX_HIGHEST) == 9, "highest");
	EXPECT(mmp_of(rx, FIPS_A_MMP_RX_TIMESTAMP) == mmp_of(tx, FIPS_A_MMP_TX_LAST_TIMESTAMP),
	       "timestamps differ");
	EXPECT(mmp_of(rx, FIPS_A_MMP_RX_BURST_COUNT) == 0, "losses");
	tx = sums(&a, &b, 3);
	EXPECT(mmp_has(tx, FIPS_A_MMP_TX_DATA), "a look has ended the interval");
	tx = sums(&a, &b, 3);
	EXPECT(!mmp_has(tx, FIPS_A_MMP_TX_DATA), "the interval goes on");
	rx = sums(&b, &a, 3);
	EXPECT(!mmp_has(rx, FIPS_A_MMP_RX_DATA) && mmp_of(rx, FIPS_A_MMP_RX_PACKETS) == 10,
	       "second report");
	unpair();
}

/* The peer speaks under an epoch whose keys we are still computing. */
static void frame_before_its_key(void)
{
	linked();
	OK(&b, link_index(&b, &a, 1, FIPS_KEY_SLOT_NEXT));
	OK(&a, link_key(&a, &b, 1, FIPS_KEY_SLOT_NEXT));
	OK(&a, link_xmit(&a, &b, FIPS_KEY_SLOT_NEXT));
	OK(&a, link_xmit(&a, &b, FIPS_KEY_SLOT_NEXT));
	expect_silence(&b);
	OK(&b, link_key(&b, &a, 1, FIPS_KEY_SLOT_NEXT));
	EXPECT(u32_of(expect_event(&b, FIPS_CMD_LINK_KEY_USED), FIPS_A_LINK_SLOT) ==
	       FIPS_KEY_SLOT_NEXT, "promotion");
	expect_heartbeat(&b, FIPS_KEY_SLOT_CURRENT, 0);
	expect_heartbeat(&b, FIPS_KEY_SLOT_CURRENT, 1);
	/* b has cut over and tells so by using the new epoch: a follows. */
	OK(&b, link_xmit(&b, &a, FIPS_KEY_SLOT_CURRENT));
	EXPECT(u32_of(expect_event(&a, FIPS_CMD_LINK_KEY_USED), FIPS_A_LINK_SLOT) ==
	       FIPS_KEY_SLOT_NEXT, "promotion");
	expect_heartbeat(&a, FIPS_KEY_SLOT_CURRENT, 0);
	/* The old epoch drains. */
	OK(&a, link_xmit(&a, &b, FIPS_KEY_SLOT_PREVIOUS));
	expect_heartbeat(&b, FIPS_KEY_SLOT_PREVIOUS, 1);
	unpair();
}

/* As initiator: the index stands, msg2 is on its way, frames overtake it. */
static void dialing_link_parks(void)
{
	struct nlattr *nest;
	struct nl_msg *msg;

	side_up(&a, false);
	side_up(&b, false);
	msg = nlc_link_msg(&a.c, a.ifindex, 1, b.node, &b.addr);
	nest = nla_nest_start(msg, FIPS_A_LINK_KEY);
	nla_put_u32(msg, FIPS_A_KEY_SLOT, FIPS_KEY_SLOT_CURRENT);
	nla_put_u32(msg, FIPS_A_KEY_LOCAL_INDEX, nlc_index(a.node, b.node, 0));
	nla_nest_end(msg, nest);
	OK(&a, nlc_call(&a.c, msg, NULL, NULL));
	EXPECT(link_state(&a, &b) == FIPS_LINK_STATE_DIALING, "%ld", link_state(&a, &b));
	EXPECT(link_xmit(&a, &b, FIPS_KEY_SLOT_CURRENT) == -ENOKEY, "sent without key");

	OK(&b, nlc_link(&b.c, b.ifindex, 1, b.node, a.node, &a.addr));
	OK(&b, link_xmit(&b, &a, FIPS_KEY_SLOT_CURRENT));
	expect_silence(&a);
	OK(&a, link_key(&a, &b, 0, FIPS_KEY_SLOT_CURRENT));
	expect_event(&a, FIPS_CMD_LINK_KEY_USED);
	expect_event(&a, FIPS_CMD_LINK_ACTIVE);
	expect_heartbeat(&a, FIPS_KEY_SLOT_CURRENT, 0);
	EXPECT(link_state(&a, &b) == FIPS_LINK_STATE_ESTABLISHED, "%ld", link_state(&a, &b));
	unpair();
}

static void limits_of_a_key(void)
{
	int err = 0;

	linked();
	OK(&b, link_key(&b, &a, 1, FIPS_KEY_SLOT_NEXT));
	OK(&a, link_key_limited(&a, &b, 1, 2, 4, 0));
	OK(&a, link_xmit(&a, &b, FIPS_KEY_SLOT_CURRENT));
	expect_silence(&a);
	OK(&a, link_xmit(&a, &b, FIPS_KEY_SLOT_CURRENT));
	EXPECT(u64_of(expect_event(&a, FIPS_CMD_LINK_KEY_LIMIT), FIPS_A_LINK_COUNTER) == 2,
	       "counter");
	OK(&a, link_xmit(&a, &b, FIPS_KEY_SLOT_CURRENT));
	OK(&a, link_xmit(&a, &b, FIPS_KEY_SLOT_CURRENT));
	err = link_xmit(&a, &b, FIPS_KEY_SLOT_CURRENT);
	EXPECT(err == -EKEYEXPIRED && a.c.extack[0], "%d %s", err, a.c.extack);
	/* Told once. */
	expect_silence(&a);

	/* An end in time. */
	OK(&a, link_key_limited(&a, &b, 2, 0, 0, 200));
	OK(&a, link_xmit(&a, &b, FIPS_KEY_SLOT_CURRENT));
	usleep(400000);
	err = link_xmit(&a, &b, FIPS_KEY_SLOT_CURRENT);
	EXPECT(err == -EKEYEXPIRED || err == -ENOKEY, "%d %s", err, a.c.extack);
	unpair();
}

static void peer_moves(void)
{
	struct sockaddr_in6 moved;
	socklen_t len = sizeof(moved);
	struct nlmsghdr *nlh;
	struct nl_msg *msg;
	int fd;

	linked();
	fd = nlc_udp(AF_INET6, 0);
	getsockname(fd, (struct sockaddr *)&moved, &len);
	OK(&a, nlc_transport(&a.c, a.ifindex, 2, fd, 1472));
	msg = link_msg(&a, &b, FIPS_CMD_LINK_SET);
	nla_put_u32(msg, FIPS_A_LINK_TRANSPORT_ID, 2);
	OK(&a, nlc_call(&a.c, msg, NULL, NULL));
	OK(&a, link_xmit(&a, &b, FIPS_KEY_SLOT_CURRENT));
	nlh = expect_event(&b, FIPS_CMD_LINK_FLOAT);
	EXPECT(nlh && u32_of(nlh, FIPS_A_LINK_REMOTE_PORT) == moved.sin6_port, "port %ld",
	       u32_of(nlh, FIPS_A_LINK_REMOTE_PORT));
	expect_heartbeat(&b, FIPS_KEY_SLOT_CURRENT, 1);
	/* The answer goes to the new place: it comes in by the new transport. */
	OK(&b, link_xmit(&b, &a, FIPS_KEY_SLOT_CURRENT));
	expect_heartbeat(&a, FIPS_KEY_SLOT_CURRENT, 1);
	/* An old transport can go without the link. */
	msg = nlc_dev_msg(&a.c, FIPS_CMD_TRANSPORT_DEL, a.ifindex);
	nla_put_u32(msg, FIPS_A_TRANSPORT_ID, 1);
	OK(&a, nlc_call(&a.c, msg, NULL, NULL));
	EXPECT(link_state(&a, &b) == FIPS_LINK_STATE_ESTABLISHED, "%ld", link_state(&a, &b));
	close(fd);
	unpair();
}

/* --- sessions --- */

static int session_xmit(struct side *s, struct side *to, uint32_t slot, const char *body)
{
	struct nl_msg *msg = nlc_session_msg(&s->c, FIPS_CMD_SESSION_XMIT, s->ifindex, to->node);

	nla_put_u32(msg, FIPS_A_SESSION_SLOT, slot);
	nla_put_u8(msg, FIPS_A_SESSION_MSG_TYPE, 0x12);
	nla_put(msg, FIPS_A_SESSION_MESSAGE, strlen(body), body);
	return nlc_call(&s->c, msg, NULL, NULL);
}

static void expect_report_at(struct side *s, int slot, const char *body, int line)
{
	struct nlmsghdr *nlh = expect_event_at(s, FIPS_CMD_SESSION_MSG, line);

	EXPECT(bytes_are(nlh, FIPS_A_SESSION_MESSAGE, body, strlen(body)), "from line %d", line);
	EXPECT(u32_of(nlh, FIPS_A_SESSION_SLOT) == slot, "slot %ld from line %d",
	       u32_of(nlh, FIPS_A_SESSION_SLOT), line);
	EXPECT(u32_of(nlh, FIPS_A_SESSION_MSG_TYPE) == 0x12, "type, from line %d", line);
}

#define expect_report(s, slot, body) expect_report_at(s, slot, body, __LINE__)

static void session_messages(void)
{
	struct nl_msg *msg;
	int err;

	linked();
	OK(&a, nlc_session(&a.c, a.ifindex, a.node, b.node));
	err = session_xmit(&a, &b, FIPS_KEY_SLOT_CURRENT, "lost");
	EXPECT(err == -EHOSTUNREACH && a.c.extack[0], "%d %s", err, a.c.extack);
	OK(&a, nlc_route(&a.c, a.ifindex, b.node, b.node));
	OK(&b, nlc_route(&b.c, b.ifindex, a.node, a.node));

	/* The session stands, its key comes later than the first message. */
	msg = nlc_session_msg(&b.c, FIPS_CMD_SESSION_NEW, b.ifindex, a.node);
	OK(&b, nlc_call(&b.c, msg, NULL, NULL));
	OK(&a, session_xmit(&a, &b, FIPS_KEY_SLOT_CURRENT, "early"));
	expect_silence(&b);
	OK(&b, session_key(&b, &a, 0, FIPS_KEY_SLOT_CURRENT));
	expect_event(&b, FIPS_CMD_SESSION_KEY_USED);
	expect_event(&b, FIPS_CMD_SESSION_ACTIVE);
	expect_report(&b, FIPS_KEY_SLOT_CURRENT, "early");
	OK(&a, session_xmit(&a, &b, FIPS_KEY_SLOT_CURRENT, "in time"));
	expect_report(&b, FIPS_KEY_SLOT_CURRENT, "in time");

	/* The next epoch is probed while current stays in use. */
	OK(&b, session_key(&b, &a, 1, FIPS_KEY_SLOT_NEXT));
	OK(&a, session_key(&a, &b, 1, FIPS_KEY_SLOT_NEXT));
	OK(&a, session_xmit(&a, &b, FIPS_KEY_SLOT_NEXT, "probe"));
	EXPECT(u32_of(expect_event(&b, FIPS_CMD_SESSION_KEY_USED), FIPS_A_SESSION_SLOT) ==
	       FIPS_KEY_SLOT_NEXT, "promotion");
	expect_report(&b, FIPS_KEY_SLOT_CURRENT, "probe");
	OK(&a, session_xmit(&a, &b, FIPS_KEY_SLOT_CURRENT, "old"));
	expect_report(&b, FIPS_KEY_SLOT_PREVIOUS, "old");
	unpair();
}

/* Packets for nobody: one question a destination, on the data socket. */
static void misses_on_the_data_socket(void)
{
	struct sockaddr_in6 nobody = { .sin6_family = AF_INET6, .sin6_port = htons(9) };
	struct in6_addr own;
	struct side data = { .name = "data" };
	char text[INET6_ADDRSTRLEN];
	struct nlmsghdr *nlh;
	struct nl_msg *msg;
	int fd, one = 1;

	side_up(&a, false);
	nlc_open(&data.c);
	data.c.upcall = hear;
	data.c.upcall_arg = &data;
	msg = nlc_dev_msg(&a.c, FIPS_CMD_DEV_OWN, a.ifindex);
	nla_put_u32(msg, FIPS_A_DEV_DATA_PORT, nl_socket_get_local_port(data.c.sk));
	OK(&a, nlc_call(&a.c, msg, NULL, NULL));
	nlc_node_ipv6(&own, a.node);
	run("ip -6 addr add %s/128 dev nla", inet_ntop(AF_INET6, &own, text, sizeof(text)));
	run("ip -6 route replace fd00::/8 dev %s", a.name);
	nlc_node_ipv6(&nobody.sin6_addr, 9);
	fd = socket(AF_INET6, SOCK_DGRAM, 0);
	setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &one, sizeof(one));
	EXPECT(!connect(fd, (struct sockaddr *)&nobody, sizeof(nobody)), "%s", strerror(errno));
	for (int i = 0; i < 3; i++)
		EXPECT(send(fd, "x", 1, 0) == 1, "%s", strerror(errno));
	nlh = expect_event(&data, FIPS_CMD_SESSION_MISS);
	EXPECT(bytes_are(nlh, FIPS_A_SESSION_IPV6, &nobody.sin6_addr, 16), "address");
	expect_silence(&a);
	/* The answer: no such node. The sender hears of it. */
	msg = nlc_dev_msg(&a.c, FIPS_CMD_SESSION_SET, a.ifindex);
	nla_put(msg, FIPS_A_SESSION_IPV6, 16, &nobody.sin6_addr);
	nla_put_u32(msg, FIPS_A_SESSION_UNREACHABLE_MS, 5000);
	OK(&a, nlc_call(&a.c, msg, NULL, NULL));
	/* Destination Unreachable, always code 0 (spec 09 §6). */
	EXPECT(send(fd, "x", 1, 0) < 0 && errno == ENETUNREACH, "no ICMPv6 error: %s",
	       strerror(errno));
	close(fd);
	nlc_close(&data.c);
	side_down(&a);
}

/* --- owners --- */

static void owner_dies_and_another_comes(void)
{
	linked();
	OK(&b, nlc_linger(&b.c, b.ifindex, 600));
	nlc_close(&b.c);
	/* Nobody reads it, but the link lives. */
	OK(&a, link_xmit(&a, &b, FIPS_KEY_SLOT_CURRENT));
	side_up(&b, true);
	OK(&a, link_xmit(&a, &b, FIPS_KEY_SLOT_CURRENT));
	expect_heartbeat(&b, FIPS_KEY_SLOT_CURRENT, 2);
	unpair();
}

/* The device moves to another namespace: its owner still reaches it, others there do not. */
static void owner_follows_its_device(void)
{
	struct nlc c;
	int err;

	linked();
	EXPECT(!run("ip netns add %s", "nlevents"), "netns");
	EXPECT(!run("ip link set %s netns nlevents", a.name), "netns");
	OK(&a, link_xmit(&a, &b, FIPS_KEY_SLOT_CURRENT));
	expect_heartbeat(&b, FIPS_KEY_SLOT_CURRENT, 1);
	OK(&b, link_xmit(&b, &a, FIPS_KEY_SLOT_CURRENT));
	expect_heartbeat(&a, FIPS_KEY_SLOT_CURRENT, 1);
	nlc_open(&c);
	err = nlc_call(&c, nlc_dev_msg(&c, FIPS_CMD_DEV_GET, a.ifindex), NULL, NULL);
	EXPECT(err == -ENODEV && c.extack[0], "%d %s", err, c.extack);
	nlc_close(&c);
	EXPECT(!run("ip -n nlevents link set %s netns 1", a.name), "netns");
	EXPECT(!run("ip netns del %s", "nlevents"), "netns");
	unpair();
	a.ifindex = if_nametoindex(a.name);
	run("ip link set %s up", a.name);
}

static void get_lost(struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *stats = nlmsg_find_attr(nlh, GENL_HDRLEN, FIPS_A_DEV_STATS), *at, *reason;
	int rem;

	if (!stats)
		return;
	nla_for_each_nested(at, stats, rem) {
		if (nla_type(at) != FIPS_A_STATS_DROPS)
			continue;
		reason = nla_find(nla_data(at), nla_len(at), FIPS_A_DROP_REASON);
		if (reason && nla_get_u32(reason) == FIPS_DROP_REASON_UPCALL_CONTROL)
			*(long *)arg = (long)nla_get_u64(nla_find(nla_data(at), nla_len(at),
								  FIPS_A_DROP_COUNT));
	}
}

/* A socket that is not read fills up: what is lost is counted, what follows arrives. */
static void full_socket_is_counted(void)
{
	long lost = 0;
	int small = 4096, n = 400;
	struct nlc c;

	linked();
	setsockopt(nlc_fd(&b.c), SOL_SOCKET, SO_RCVBUFFORCE, &small, sizeof(small));
	for (int i = 0; i < n; i++)
		OK(&a, link_xmit(&a, &b, FIPS_KEY_SLOT_CURRENT));
	nlc_open(&c);
	nlc_call(&c, nlc_dev_msg(&c, FIPS_CMD_DEV_GET, b.ifindex), get_lost, &lost);
	nlc_close(&c);
	EXPECT(lost > 0 && lost < n, "%ld of %d", lost, n);
	while (next_event(&b, 100))
		;
	OK(&a, link_xmit(&a, &b, FIPS_KEY_SLOT_CURRENT));
	expect_heartbeat(&b, FIPS_KEY_SLOT_CURRENT, n + 1);
	unpair();
}

static void monitor_hears_no_secrets(void)
{
	struct side mon = { .name = "monitor" };
	int group;

	pair();
	nlc_open(&mon.c);
	mon.c.upcall = hear;
	mon.c.upcall_arg = &mon;
	group = genl_ctrl_resolve_grp(mon.c.sk, FIPS_FAMILY_NAME, FIPS_MCGRP_MONITOR);
	EXPECT(group > 0 && !nl_socket_add_membership(mon.c.sk, group), "no group");
	OK(&a, link_xmit(&a, &b, FIPS_KEY_SLOT_CURRENT));
	expect_event(&mon, FIPS_CMD_LINK_CONFIRMED);
	expect_event(&mon, FIPS_CMD_LINK_KEY_USED);
	expect_event(&mon, FIPS_CMD_LINK_ACTIVE);
	/* Messages are the owner's alone. */
	expect_silence(&mon);
	nlc_close(&mon.c);
	unpair();
}

#define TEST(fn) test(fn, "nlevents " #fn)

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n1..13\n");
	TEST(candidate_is_confirmed);
	TEST(report_clears_and_arms);
	TEST(report_sums);
	TEST(frame_before_its_key);
	TEST(dialing_link_parks);
	TEST(limits_of_a_key);
	TEST(peer_moves);
	TEST(session_messages);
	TEST(misses_on_the_data_socket);
	TEST(owner_dies_and_another_comes);
	TEST(owner_follows_its_device);
	TEST(full_socket_is_counted);
	TEST(monitor_hears_no_secrets);
	run("ip link del %s", a.name);
	run("ip link del %s", b.name);
	return failures ? 1 : 0;
}
