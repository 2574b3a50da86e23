// SPDX-License-Identifier: MIT
/*
 * Netlink robustness of fips.ko: refusals with their sentences, messages that
 * no sane client sends, many objects, ownership, and memory back where it was.
 * Runs in a guest as root, with the module loaded. Output: KTAP.
 */

#include "nlclient.h"

#include <fcntl.h>
#include <linux/udp.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define DEV	"nltest0"
#define MANY	10000

static struct nlc owner;
static unsigned int ifindex;
static unsigned int failures, number;
static bool failed;

/* Note a failure; the test goes on. */
#define EXPECT(cond, ...) do {							\
	if (!(cond)) {								\
		printf("# line %d: " #cond ": ", __LINE__);			\
		printf(__VA_ARGS__);						\
		printf("\n");							\
		failed = true;							\
	}									\
} while (0)

static void run(const char *fmt, const char *arg)
{
	char cmd[256];

	snprintf(cmd, sizeof(cmd), fmt, arg);
	if (system(cmd)) {
		printf("# failed: %s\n", cmd);
		failed = true;
	}
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void device_up(void)
{
	run("ip link add %s type fips", DEV);
	run("ip link set %s up", "lo");
	run("ip link set %s up", DEV);
	ifindex = if_nametoindex(DEV);
	nlc_open(&owner);
}

static void device_down(void)
{
	nlc_close(&owner);
	run("ip link del %s", DEV);
}

static void own(void)
{
	int err = nlc_own(&owner, ifindex, false);

	EXPECT(!err, "%s: %s", strerror(-err), owner.extack);
	err = nlc_dev_node(&owner, ifindex, 1);
	EXPECT(!err, "%s: %s", strerror(-err), owner.extack);
}

static void get_u32(struct nlmsghdr *nlh, void *arg, int attr)
{
	struct nlattr *a = nlmsg_find_attr(nlh, GENL_HDRLEN, attr);

	*(unsigned int *)arg = a ? nla_get_u32(a) : 0;
}

static void get_transports(struct nlmsghdr *nlh, void *arg)
{
	get_u32(nlh, arg, FIPS_A_DEV_TRANSPORTS);
}

static void get_links(struct nlmsghdr *nlh, void *arg)
{
	get_u32(nlh, arg, FIPS_A_DEV_LINKS);
}

static unsigned int dev_count(nlc_fn fn)
{
	unsigned int n = ~0U;
	struct nlc c;

	nlc_open(&c);
	nlc_call(&c, nlc_dev_msg(&c, FIPS_CMD_DEV_GET, ifindex), fn, &n);
	nlc_close(&c);
	return n;
}

static struct sockaddr_in6 loopback(uint16_t port)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	to.sin6_addr = in6addr_loopback;
	return to;
}

/* --- refusals --- */

static const struct {
	uint8_t cmd;
	const char *name;
} commands[] = {
	{ FIPS_CMD_DEV_SET, "dev-set" },
	{ FIPS_CMD_DEV_OWN, "dev-own" },
	{ FIPS_CMD_DEV_GET, "dev-get" },
	{ FIPS_CMD_TRANSPORT_NEW, "transport-new" },
	{ FIPS_CMD_TRANSPORT_SET, "transport-set" },
	{ FIPS_CMD_TRANSPORT_DEL, "transport-del" },
	{ FIPS_CMD_TRANSPORT_GET, "transport-get" },
	{ FIPS_CMD_TRANSPORT_FD, "transport-fd" },
	{ FIPS_CMD_TRANSPORT_XMIT, "transport-xmit" },
	{ FIPS_CMD_LINK_NEW, "link-new" },
	{ FIPS_CMD_LINK_SET, "link-set" },
	{ FIPS_CMD_LINK_DEL, "link-del" },
	{ FIPS_CMD_LINK_GET, "link-get" },
	{ FIPS_CMD_LINK_REPORT, "link-report" },
	{ FIPS_CMD_LINK_KEY_NEW, "link-key-new" },
	{ FIPS_CMD_LINK_KEY_SWAP, "link-key-swap" },
	{ FIPS_CMD_LINK_KEY_DEL, "link-key-del" },
	{ FIPS_CMD_LINK_XMIT, "link-xmit" },
	{ FIPS_CMD_SESSION_NEW, "session-new" },
	{ FIPS_CMD_SESSION_SET, "session-set" },
	{ FIPS_CMD_SESSION_DEL, "session-del" },
	{ FIPS_CMD_SESSION_GET, "session-get" },
	{ FIPS_CMD_SESSION_REPORT, "session-report" },
	{ FIPS_CMD_SESSION_KEY_NEW, "session-key-new" },
	{ FIPS_CMD_SESSION_KEY_SWAP, "session-key-swap" },
	{ FIPS_CMD_SESSION_KEY_DEL, "session-key-del" },
	{ FIPS_CMD_SESSION_XMIT, "session-xmit" },
	{ FIPS_CMD_ROUTE_SET, "route-set" },
	{ FIPS_CMD_ROUTE_DEL, "route-del" },
	{ FIPS_CMD_ROUTE_FLUSH, "route-flush" },
	{ FIPS_CMD_ROUTE_GET, "route-get" },
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void missing_attributes(void)
{
	int err;

	for (size_t i = 0; i < N_COMMANDS; i++) {
		/* Nothing at all. */
		err = nlc_call(&owner, nlc_msg(&owner, commands[i].cmd, 0), NULL, NULL);
		EXPECT(err == -EINVAL && strstr(owner.extack, "ifindex"), "%s: %d %s",
		       commands[i].name, err, owner.extack);
		/* Just the device. */
		err = nlc_call(&owner, nlc_dev_msg(&owner, commands[i].cmd, ifindex), NULL, NULL);
		switch (commands[i].cmd) {
		case FIPS_CMD_DEV_SET:
		case FIPS_CMD_DEV_OWN:
		case FIPS_CMD_DEV_GET:
		case FIPS_CMD_ROUTE_FLUSH:
			EXPECT(!err, "%s: %d %s", commands[i].name, err, owner.extack);
			break;
		default:
			EXPECT(err == -EINVAL && strstr(owner.extack, "missing"), "%s: %d %s",
			       commands[i].name, err, owner.extack);
		}
	}
}

static void strangers_refused(void)
{
	struct nlc other;
	int err;

	nlc_open(&other);
	err = nlc_own(&other, ifindex, false);
	EXPECT(err == -EBUSY && other.extack[0], "%d %s", err, other.extack);
	err = nlc_own(&other, ifindex, true);
	EXPECT(err == -EBUSY, "%d", err);
	for (size_t i = 0; i < N_COMMANDS; i++) {
		err = nlc_call(&other, nlc_dev_msg(&other, commands[i].cmd, ifindex), NULL, NULL);
		if (commands[i].cmd == FIPS_CMD_DEV_OWN || strstr(commands[i].name, "-get"))
			continue;
		EXPECT(err == -EPERM && strstr(other.extack, "own"), "%s: %d %s",
		       commands[i].name, err, other.extack);
	}
	err = nlc_call(&other, nlc_dev_msg(&other, FIPS_CMD_DEV_GET, 1), NULL, NULL);
	EXPECT(err == -EOPNOTSUPP && other.extack[0], "lo: %d %s", err, other.extack);
	err = nlc_call(&other, nlc_dev_msg(&other, FIPS_CMD_DEV_GET, 99999), NULL, NULL);
	EXPECT(err == -ENODEV && other.extack[0], "none: %d %s", err, other.extack);
	nlc_close(&other);
}

/* Every attribute with every wrong length: nothing may be taken, nothing may crash. */
static void wrong_lengths(void)
{
	uint8_t bytes[600] = { 0 };
	struct nl_msg *msg;

	for (size_t i = 0; i < N_COMMANDS; i++) {
		for (int attr = 1; attr < 30; attr++) {
			for (int len = 0; len < 40; len++) {
				msg = nlc_dev_msg(&owner, commands[i].cmd, ifindex);
				nla_put(msg, attr, len, bytes);
				nlc_call(&owner, msg, NULL, NULL);
			}
			msg = nlc_dev_msg(&owner, commands[i].cmd, ifindex);
			nla_put(msg, attr, sizeof(bytes), bytes);
			nlc_call(&owner, msg, NULL, NULL);
		}
	}
	EXPECT(dev_count(get_links) == 0, "links came into being");
	EXPECT(dev_count(get_transports) == 0, "transports came into being");
}

static void expect_transport(int fd, int want, const char *what)
{
	int err = nlc_transport(&owner, ifindex, 7, fd, 1472);

	EXPECT(err == want, "%s: %d %s", what, err, owner.extack);
	EXPECT(!want || owner.extack[0], "%s: no sentence", what);
}

static void bad_sockets(void)
{
	struct sockaddr_in6 to = loopback(9);
	int fd, encap = UDP_ENCAP_ESPINUDP;

	expect_transport(999, -EBADF, "closed");
	fd = open("/dev/null", O_RDWR);
	expect_transport(fd, -ENOTSOCK, "file");
	close(fd);
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	expect_transport(fd, -EPROTONOSUPPORT, "tcp");
	close(fd);
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	expect_transport(fd, -EPROTONOSUPPORT, "unix");
	close(fd);
	fd = socket(AF_INET6, SOCK_RAW, IPPROTO_UDP);
	expect_transport(fd, -EPROTONOSUPPORT, "raw");
	close(fd);
	fd = socket(AF_INET6, SOCK_DGRAM, 0);
	expect_transport(fd, -ENOTCONN, "unbound");
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		nlc_die("connect");
	expect_transport(fd, -EISCONN, "connected");
	close(fd);
	fd = nlc_udp(AF_INET, 0);
	if (!setsockopt(fd, IPPROTO_UDP, UDP_ENCAP, &encap, sizeof(encap)))
		expect_transport(fd, -EBUSY, "encap");
	close(fd);
}

static int transport_del(unsigned int id)
{
	struct nl_msg *msg = nlc_dev_msg(&owner, FIPS_CMD_TRANSPORT_DEL, ifindex);

	nla_put_u32(msg, FIPS_A_TRANSPORT_ID, id);
	return nlc_call(&owner, msg, NULL, NULL);
}

static void sockets_lent_and_returned(void)
{
	int fd = nlc_udp(AF_INET6, 0), err;

	expect_transport(fd, 0, "good");
	err = nlc_transport(&owner, ifindex, 8, fd, 1472);
	EXPECT(err == -EBUSY && owner.extack[0], "twice: %d %s", err, owner.extack);
	expect_transport(nlc_udp(AF_INET, 0), -EEXIST, "same id");
	EXPECT(!transport_del(7), "%s", owner.extack);
	EXPECT(transport_del(7) == -ENOENT && owner.extack[0], "%s", owner.extack);
	expect_transport(fd, 0, "again");
	close(fd);
	EXPECT(dev_count(get_transports) == 1, "the device holds it");
	EXPECT(!transport_del(7), "%s", owner.extack);
}

static void get_fd(struct nlmsghdr *nlh, void *arg)
{
	get_u32(nlh, arg, FIPS_A_TRANSPORT_FD);
}

static void descriptor_comes_back(void)
{
	int fd = nlc_udp(AF_INET6, 0), got = -1;
	struct nl_msg *msg;
	struct stat a, b;

	expect_transport(fd, 0, "lend");
	fstat(fd, &a);
	close(fd);
	msg = nlc_dev_msg(&owner, FIPS_CMD_TRANSPORT_FD, ifindex);
	nla_put_u32(msg, FIPS_A_TRANSPORT_ID, 7);
	EXPECT(!nlc_call(&owner, msg, get_fd, &got), "%s", owner.extack);
	EXPECT(got >= 0 && !fstat(got, &b) && a.st_ino == b.st_ino, "another socket");
	EXPECT(fcntl(got, F_GETFD) & FD_CLOEXEC, "not close-on-exec");
	close(got);
	EXPECT(!transport_del(7), "%s", owner.extack);
}

/* Handshakes and garbage stay on the daemon's queue, established frames do not. */
static void receive_hook(void)
{
	uint8_t msg1[114] = { 0x01, 0, 110, 0 }, frame[40] = { 0, 0, 8, 0 }, buf[200];
	struct sockaddr_in6 to;
	socklen_t len = sizeof(to);
	int fd = nlc_udp(AF_INET6, 0), tx = nlc_udp(AF_INET6, 0);
	struct timeval tv = { .tv_sec = 5 };

	expect_transport(fd, 0, "lend");
	getsockname(fd, (struct sockaddr *)&to, &len);
	to.sin6_addr = in6addr_loopback;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	sendto(tx, frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to));
	sendto(tx, msg1, sizeof(msg1), 0, (struct sockaddr *)&to, sizeof(to));
	sendto(tx, "\x40stun?", 6, 0, (struct sockaddr *)&to, sizeof(to));
	EXPECT(recv(fd, buf, sizeof(buf), 0) == sizeof(msg1), "msg1");
	EXPECT(recv(fd, buf, sizeof(buf), 0) == 6, "probe");
	EXPECT(recv(fd, buf, sizeof(buf), MSG_DONTWAIT) < 0, "frame on the queue");
	EXPECT(!transport_del(7), "%s", owner.extack);
	/* Detached: everything is the daemon's again. */
	sendto(tx, frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to));
	EXPECT(recv(fd, buf, sizeof(buf), 0) == sizeof(frame), "frame after transport-del");
	close(fd);
	close(tx);
}

static void expect_link(struct nl_msg *msg, int want, const char *word)
{
	int err = nlc_call(&owner, msg, NULL, NULL);

	EXPECT(err == want, "%s: %d %s", word, err, owner.extack);
	EXPECT(!want || strstr(owner.extack, word), "%s: %s", word, owner.extack);
}

static void bad_links(void)
{
	struct sockaddr_in6 to = loopback(2121), any = { .sin6_port = htons(1) };
	int fd = nlc_udp(AF_INET6, 0), fd4 = nlc_udp(AF_INET, 0);
	struct nl_msg *msg;

	expect_transport(fd, 0, "lend");
	EXPECT(!nlc_transport(&owner, ifindex, 4, fd4, 1472), "%s", owner.extack);
	expect_link(nlc_link_msg(&owner, ifindex, 99, 2, &to), -ENOENT, "transport-id");
	expect_link(nlc_link_msg(&owner, ifindex, 7, 2, &any), -EADDRNOTAVAIL, "remote-ipv6");
	expect_link(nlc_link_msg(&owner, ifindex, 4, 2, &to), -EAFNOSUPPORT, "remote-ipv6");

	msg = nlc_link_msg(&owner, ifindex, 7, 2, &to);
	nla_put_flag(msg, FIPS_A_LINK_CANDIDATE);
	expect_link(msg, -EINVAL, "candidate");
	msg = nlc_link_msg(&owner, ifindex, 7, 2, &to);
	nlc_put_key(msg, FIPS_A_LINK_KEY, 'l', 1, 2, 0, FIPS_KEY_SLOT_NEXT);
	expect_link(msg, -EINVAL, "current");
	msg = nlc_link_msg(&owner, ifindex, 7, 2, &to);
	nlc_put_key(msg, FIPS_A_LINK_KEY, 'l', 1, 2, 0, FIPS_KEY_SLOT_CURRENT);
	nlc_put_key(msg, FIPS_A_LINK_KEY, 'l', 1, 2, 1, FIPS_KEY_SLOT_NEXT);
	expect_link(msg, -EINVAL, "key");
	msg = nlc_link_msg(&owner, ifindex, 7, 2, &to);
	nlc_put_key(msg, FIPS_A_LINK_KEY, 's', 1, 2, 0, FIPS_KEY_SLOT_CURRENT);
	expect_link(msg, -EINVAL, "remote-index");
	EXPECT(dev_count(get_links) == 0, "a refused link stands");

	EXPECT(!nlc_link(&owner, ifindex, 7, 1, 2, &to), "%s", owner.extack);
	/* Another address on the transport that it has. */
	msg = nlc_dev_msg(&owner, FIPS_CMD_LINK_SET, ifindex);
	nla_put_u32(msg, FIPS_A_LINK_ID, 2);
	nla_put(msg, FIPS_A_LINK_REMOTE_IPV6, 16, &to.sin6_addr);
	nla_put_u16(msg, FIPS_A_LINK_REMOTE_PORT, htons(2122));
	expect_link(msg, 0, "address alone");
	expect_link(nlc_link_msg(&owner, ifindex, 7, 2, &to), -EEXIST, "id");
	/* Another link with the index of the first. */
	msg = nlc_link_msg(&owner, ifindex, 7, 3, &to);
	nlc_put_key(msg, FIPS_A_LINK_KEY, 'l', 1, 2, 0, FIPS_KEY_SLOT_CURRENT);
	expect_link(msg, -EEXIST, "local-index");
	EXPECT(dev_count(get_links) == 1, "links");
	/* A transport takes its links along. */
	EXPECT(!transport_del(7), "%s", owner.extack);
	EXPECT(!transport_del(4), "%s", owner.extack);
	EXPECT(dev_count(get_links) == 0, "links outlive their transport");
	close(fd);
	close(fd4);
}

static void find_keys(struct nlmsghdr *nlh, void *arg)
{
	uint8_t key[FIPS_AEAD_KEY_LEN];

	for (char layer = 'l'; layer <= 's'; layer += 's' - 'l') {
		nlc_key(key, layer, 1, 2, 0);
		if (memmem(nlh, nlh->nlmsg_len, key, sizeof(key)))
			*(bool *)arg = true;
		nlc_key(key, layer, 2, 1, 0);
		if (memmem(nlh, nlh->nlmsg_len, key, sizeof(key)))
			*(bool *)arg = true;
	}
}

static void keys_stay_inside(void)
{
	struct sockaddr_in6 to = loopback(2121);
	int fd = nlc_udp(AF_INET6, 0);
	bool leaked = false;

	expect_transport(fd, 0, "lend");
	EXPECT(!nlc_link(&owner, ifindex, 7, 1, 2, &to), "%s", owner.extack);
	EXPECT(!nlc_session(&owner, ifindex, 1, 2), "%s", owner.extack);
	EXPECT(!nlc_call(&owner, nlc_dump_msg(&owner, FIPS_CMD_LINK_GET, ifindex), find_keys,
			 &leaked), "%s", owner.extack);
	EXPECT(!nlc_call(&owner, nlc_dump_msg(&owner, FIPS_CMD_SESSION_GET, ifindex), find_keys,
			 &leaked), "%s", owner.extack);
	EXPECT(!nlc_call(&owner, nlc_session_msg(&owner, FIPS_CMD_SESSION_GET, ifindex, 2),
			 find_keys, &leaked), "%s", owner.extack);
	EXPECT(!leaked, "a key came back");
	EXPECT(!nlc_call(&owner, nlc_session_msg(&owner, FIPS_CMD_SESSION_DEL, ifindex, 2), NULL,
			 NULL), "%s", owner.extack);
	EXPECT(!transport_del(7), "%s", owner.extack);
	close(fd);
}

static int key_cmd(uint8_t cmd, unsigned int epoch, uint32_t slot)
{
	struct nl_msg *msg = nlc_dev_msg(&owner, cmd, ifindex);

	nla_put_u32(msg, FIPS_A_LINK_ID, 2);
	if (cmd == FIPS_CMD_LINK_KEY_NEW)
		nlc_put_key(msg, FIPS_A_LINK_KEY, 'l', 1, 2, epoch, slot);
	if (cmd == FIPS_CMD_LINK_KEY_DEL)
		nla_put_u32(msg, FIPS_A_LINK_SLOT, slot);
	return nlc_call(&owner, msg, NULL, NULL);
}

/* Which epochs stand in which slots: found[slot] = epoch + 1. */
static void get_slots(struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *attr, *slot, *index;
	unsigned int *found = arg;
	int rem;

	nlmsg_for_each_attr(attr, nlh, GENL_HDRLEN, rem) {
		if (nla_type(attr) != FIPS_A_LINK_KEY)
			continue;
		slot = nla_find(nla_data(attr), nla_len(attr), FIPS_A_KEY_SLOT);
		index = nla_find(nla_data(attr), nla_len(attr), FIPS_A_KEY_LOCAL_INDEX);
		if (slot && index && nla_get_u32(slot) < 3)
			found[nla_get_u32(slot)] = (nla_get_u32(index) >> 24) + 1;
	}
}

static void expect_slots(unsigned int cur, unsigned int next, unsigned int prev)
{
	struct nl_msg *msg = nlc_dev_msg(&owner, FIPS_CMD_LINK_GET, ifindex);
	unsigned int found[3] = { 0 };

	nla_put_u32(msg, FIPS_A_LINK_ID, 2);
	EXPECT(!nlc_call(&owner, msg, get_slots, found), "%s", owner.extack);
	EXPECT(found[0] == cur && found[1] == next && found[2] == prev,
	       "slots %u %u %u, not %u %u %u", found[0], found[1], found[2], cur, next, prev);
}

static void key_slots(void)
{
	struct sockaddr_in6 to = loopback(2121);
	int fd = nlc_udp(AF_INET6, 0);

	expect_transport(fd, 0, "lend");
	EXPECT(!nlc_link(&owner, ifindex, 7, 1, 2, &to), "%s", owner.extack);
	expect_slots(1, 0, 0);
	EXPECT(key_cmd(FIPS_CMD_LINK_KEY_SWAP, 0, 0) == -ENOENT && owner.extack[0], "no next");
	EXPECT(!key_cmd(FIPS_CMD_LINK_KEY_NEW, 1, FIPS_KEY_SLOT_NEXT), "%s", owner.extack);
	expect_slots(1, 2, 0);
	EXPECT(!key_cmd(FIPS_CMD_LINK_KEY_SWAP, 0, 0), "%s", owner.extack);
	expect_slots(2, 0, 1);
	EXPECT(!key_cmd(FIPS_CMD_LINK_KEY_NEW, 2, FIPS_KEY_SLOT_NEXT), "%s", owner.extack);
	EXPECT(!key_cmd(FIPS_CMD_LINK_KEY_SWAP, 0, 0), "%s", owner.extack);
	expect_slots(3, 0, 2);
	/* The index of the epoch that fell out is free again. */
	EXPECT(!key_cmd(FIPS_CMD_LINK_KEY_NEW, 0, FIPS_KEY_SLOT_NEXT), "%s", owner.extack);
	EXPECT(key_cmd(FIPS_CMD_LINK_KEY_NEW, 2, FIPS_KEY_SLOT_NEXT) == -EEXIST, "index twice");
	EXPECT(!key_cmd(FIPS_CMD_LINK_KEY_DEL, 0, FIPS_KEY_SLOT_NEXT), "%s", owner.extack);
	EXPECT(!key_cmd(FIPS_CMD_LINK_KEY_DEL, 0, FIPS_KEY_SLOT_PREVIOUS), "%s", owner.extack);
	EXPECT(key_cmd(FIPS_CMD_LINK_KEY_DEL, 0, FIPS_KEY_SLOT_PREVIOUS) == -ENOENT, "empty");
	expect_slots(3, 0, 0);
	EXPECT(!transport_del(7), "%s", owner.extack);
	close(fd);
}

/* --- messages that no sane client sends --- */

static void send_raw(const void *buf, size_t len)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	char answer[8192];

	sendto(nlc_fd(&owner), buf, len, 0, (struct sockaddr *)&kernel, sizeof(kernel));
	while (recv(nlc_fd(&owner), answer, sizeof(answer), MSG_DONTWAIT) > 0)
		;
}

static void truncated_messages(void)
{
	struct sockaddr_in6 to = loopback(2121);
	int fd = nlc_udp(AF_INET6, 0);
	struct nlmsghdr *nlh;
	struct nl_msg *msg;
	uint32_t full;

	expect_transport(fd, 0, "lend");
	msg = nlc_link_msg(&owner, ifindex, 7, 2, &to);
	nlc_put_key(msg, FIPS_A_LINK_KEY, 'l', 1, 2, 0, FIPS_KEY_SLOT_CURRENT);
	nlh = nlmsg_hdr(msg);
	nlh->nlmsg_pid = nl_socket_get_local_port(owner.sk);
	full = nlh->nlmsg_len;
	for (uint32_t len = 0; len < full; len++) {
		/* The header tells the truth, then it lies. */
		nlh->nlmsg_len = len;
		send_raw(nlh, len);
		nlh->nlmsg_len = full;
		send_raw(nlh, len);
	}
	nlmsg_free(msg);
	EXPECT(!transport_del(7), "%s", owner.extack);
	close(fd);
}

static void put_random(struct nl_msg *msg, int depth)
{
	uint8_t bytes[80];
	struct nlattr *nest;
	int type = random() % 28, len = random() % 4 ? random() % 20 : random() % 80;

	if (depth < 3 && random() % 5 == 0) {
		nest = random() % 2 ? nla_nest_start(msg, type) :
				      nla_nest_start(msg, type | NLA_F_NET_BYTEORDER);
		for (int i = random() % 6; nest && i > 0; i--)
			put_random(msg, depth + 1);
		if (nest)
			nla_nest_end(msg, nest);
		return;
	}
	for (int i = 0; i < len; i++)
		bytes[i] = random() % 3 ? random() : random() % 4;
	switch (random() % 6) {
	case 0:
		len = 4;
		break;
	case 1:
		len = 16;
		break;
	case 2:
		len = 32;
		break;
	}
	nla_put(msg, type, len, bytes);
}

static void random_messages(void)
{
	struct sockaddr_in6 to = loopback(2121);
	int fd = nlc_udp(AF_INET6, 0);
	unsigned int seed = time(NULL);
	struct nl_msg *msg;

	printf("# seed %u\n", seed);
	srandom(seed);
	for (int i = 0; i < 1000; i++) {
		/* Now and then something stands that can be hit. */
		if (i % 100 == 0) {
			own();
			nlc_transport(&owner, ifindex, 1, fd, 1472);
			nlc_link(&owner, ifindex, 1, 1, 2, &to);
			nlc_session(&owner, ifindex, 1, 2);
			nlc_route(&owner, ifindex, 2, 2);
		}
		msg = nlc_msg(&owner, random() % (FIPS_CMD_MAX + 3),
			      random() % 8 ? 0 : NLM_F_DUMP);
		if (random() % 10)
			nla_put_u32(msg, FIPS_A_DEV_IFINDEX, ifindex);
		if (random() % 2)
			nla_put_u32(msg, 2, random() % 4);
		for (int n = random() % 8; n > 0; n--)
			put_random(msg, 0);
		nlmsg_hdr(msg)->nlmsg_pid = nl_socket_get_local_port(owner.sk);
		send_raw(nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len);
		nlmsg_free(msg);
	}
	close(fd);
}

/* --- many objects --- */

struct seen {
	unsigned int total;
	unsigned int twice;
	uint8_t bits[MANY + 200];
	int attr;
};

static void see(struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *a;
	struct seen *seen = arg;
	unsigned int n = 0;
	uint8_t *p;

	a = nlmsg_find_attr(nlh, GENL_HDRLEN, seen->attr);
	if (!a)
		return;
	p = nla_data(a);
	n = nla_len(a) == 4 ? nla_get_u32(a) : (unsigned int)p[2] << 8 | p[3];
	seen->total++;
	if (n < sizeof(seen->bits) && seen->bits[n]++)
		seen->twice++;
}

static void dump_all(uint8_t cmd, int attr, unsigned int want)
{
	static struct seen seen;
	int err;

	memset(&seen, 0, sizeof(seen));
	seen.attr = attr;
	err = nlc_call(&owner, nlc_dump_msg(&owner, cmd, ifindex), see, &seen);
	EXPECT(!err && seen.total == want && !seen.twice, "err %d, %u shown, %u twice", err,
	       seen.total, seen.twice);
}

/* Between the messages of a dump others come and go; what stays is shown once. */
static void dump_under_change(unsigned int many)
{
	static struct seen seen;
	struct sockaddr_in6 to = loopback(2121);
	struct nl_msg *msg;
	struct nlc reader;
	uint32_t seq;
	int ret = 1;

	memset(&seen, 0, sizeof(seen));
	seen.attr = FIPS_A_LINK_ID;
	nlc_open(&reader);
	msg = nlc_dump_msg(&reader, FIPS_CMD_LINK_GET, ifindex);
	seq = nlmsg_hdr(msg)->nlmsg_seq;
	send(nlc_fd(&reader), nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len, 0);
	nlmsg_free(msg);
	for (unsigned int i = 0; ret > 0; i++) {
		ret = nlc_receive(&reader, seq, see, &seen);
		/* Odd ones below 2,000 go, new ones above come. */
		if (i < 1000) {
			msg = nlc_dev_msg(&owner, FIPS_CMD_LINK_DEL, ifindex);
			nla_put_u32(msg, FIPS_A_LINK_ID, 2 * i + 1);
			nlc_call(&owner, msg, NULL, NULL);
		}
		if (i < 100)
			nlc_call(&owner, nlc_link_msg(&owner, ifindex, 7, MANY + 1 + i, &to),
				 NULL, NULL);
	}
	nlc_close(&reader);
	EXPECT(!ret && !seen.twice, "err %d, %u twice", ret, seen.twice);
	for (unsigned int id = 2; id <= many; id += 2)
		EXPECT(seen.bits[id] == 1, "link %u shown %u times", id, seen.bits[id]);
}

static long kernel_memory(void)
{
	static const char *const fields[] = { "Slab:", "Percpu:", "VmallocUsed:", "PageTables:" };
	char line[128];
	long sum = 0, kib;
	FILE *f = fopen("/proc/meminfo", "r");

	while (f && fgets(line, sizeof(line), f)) {
		for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
			if (!strncmp(line, fields[i], strlen(fields[i])) &&
			    sscanf(strchr(line, ':') + 1, "%ld", &kib) == 1)
				sum += kib;
	}
	if (f)
		fclose(f);
	return sum;
}

static void many_made(unsigned int n)
{
	struct sockaddr_in6 to = loopback(2121);
	struct nl_msg *msg;
	int err = 0;

	for (unsigned int i = 1; i <= n && !err; i++) {
		msg = nlc_link_msg(&owner, ifindex, 7, i, &to);
		nlc_put_key(msg, FIPS_A_LINK_KEY, 'l', 1, i, 0, FIPS_KEY_SLOT_CURRENT);
		err = nlc_call(&owner, msg, NULL, NULL) ?: nlc_session(&owner, ifindex, 1, i + 1) ?:
		      nlc_route(&owner, ifindex, i, i);
		EXPECT(!err, "object %u: %d %s", i, err, owner.extack);
	}
}

/* A debug kernel keeps freed memory in quarantine and is slow; kmemleak looks for leaks there. */
static bool debug_kernel(void)
{
	return !access("/sys/kernel/debug/kmemleak", F_OK);
}

static void many_objects(void)
{
	unsigned int many = debug_kernel() ? MANY / 10 : MANY;
	long before, full, after = 0;
	double t[4];
	int fd, i;

	/* Once for caches that stay, once to measure. */
	for (int round = 0; round < 2; round++) {
		unsigned int n = round ? many : many / 5;

		before = kernel_memory();
		fd = nlc_udp(AF_INET6, 0);
		expect_transport(fd, 0, "lend");
		close(fd);
		t[0] = now();
		many_made(n);
		t[1] = now();
		full = kernel_memory();
		dump_all(FIPS_CMD_LINK_GET, FIPS_A_LINK_ID, n);
		dump_all(FIPS_CMD_SESSION_GET, FIPS_A_SESSION_REMOTE, n);
		dump_all(FIPS_CMD_ROUTE_GET, FIPS_A_ROUTE_DEST, n);
		t[2] = now();
		if (round)
			dump_under_change(many);
		/* A new owner without takeover flushes everything in one go. */
		nlc_close(&owner);
		nlc_open(&owner);
		t[2] = round ? now() : t[2];
		own();
		t[3] = now();
		EXPECT(dev_count(get_links) == 0, "links left");
		EXPECT(dev_count(get_transports) == 0, "transports left");
	}
	/* Memory comes back with RCU's callbacks, which take their time under emulation. */
	for (i = 0; i < 200 && !debug_kernel(); i++) {
		after = kernel_memory();
		if (after < before + (full - before) / 20)
			break;
		usleep(100000);
	}
	printf("# %u links, sessions and routes: ", many);
	printf("made in %.2f s, shown in %.2f s, flushed in %.2f s\n", t[1] - t[0], t[2] - t[1],
	       t[3] - t[2]);
	printf("# memory: %ld KiB before, %ld KiB full", before, full);
	if (debug_kernel())
		printf(", after: kmemleak tells\n");
	else
		printf(", %ld KiB after\n", after);
	EXPECT(debug_kernel() || after < before + (full - before) / 20, "memory is lost");
	EXPECT(t[3] - t[2] < 15, "the flush took %.1f s", t[3] - t[2]);
}

/* --- ownership --- */

static void wait_transports(unsigned int want, double seconds)
{
	double end = now() + seconds;

	while (dev_count(get_transports) != want && now() < end)
		usleep(20000);
	EXPECT(dev_count(get_transports) == want, "not %u transports after %.0f s", want, seconds);
}

static void takeover_and_flush(void)
{
	struct sockaddr_in6 to = loopback(2121);
	int fd = nlc_udp(AF_INET6, 0);

	EXPECT(!nlc_linger(&owner, ifindex, 600), "%s", owner.extack);
	expect_transport(fd, 0, "lend");
	EXPECT(!nlc_link(&owner, ifindex, 7, 1, 2, &to), "%s", owner.extack);
	close(fd);
	nlc_close(&owner);
	EXPECT(dev_count(get_links) == 1, "gone with the owner");
	nlc_open(&owner);
	EXPECT(!nlc_own(&owner, ifindex, true), "%s", owner.extack);
	EXPECT(dev_count(get_links) == 1, "gone with takeover");
	nlc_close(&owner);
	nlc_open(&owner);
	EXPECT(!nlc_own(&owner, ifindex, false), "%s", owner.extack);
	EXPECT(dev_count(get_links) == 0, "stands after a flush");
	EXPECT(dev_count(get_transports) == 0, "stands after a flush");
	own();
}

static void linger(void)
{
	for (unsigned int seconds = 0; seconds < 2; seconds++) {
		EXPECT(!nlc_linger(&owner, ifindex, seconds), "%s", owner.extack);
		expect_transport(nlc_udp(AF_INET6, 0), 0, "lend");
		nlc_close(&owner);
		wait_transports(0, 20);
		nlc_open(&owner);
		own();
	}
}

/* In a namespace of its own: a device, an owner, a lent socket; then the end. */
static void die_with_socket(int ready)
{
	unsigned int index;
	struct nlc c;

	if (unshare(CLONE_NEWNET) || system("ip link add " DEV " type fips"))
		_exit(1);
	index = if_nametoindex(DEV);
	nlc_open(&c);
	if (nlc_own(&c, index, false) || nlc_linger(&c, index, 1) ||
	    nlc_transport(&c, index, 1, nlc_udp(AF_INET6, 2121), 1472))
		_exit(2);
	if (write(ready, "", 1) != 1)
		_exit(3);
	/* The witness follows us here, and goes with the namespace. */
	while (!if_nametoindex("wit0"))
		usleep(10000);
	_exit(0);
}

/* A namespace whose processes are gone dies, though the device holds one of its sockets. */
static void namespace_dies(void)
{
	char pid_text[16], byte;
	int status, fds[2];
	pid_t pid;

	run("ip link add %s type veth peer name wit1", "wit0");
	if (pipe(fds))
		nlc_die("pipe");
	pid = fork();
	if (!pid)
		die_with_socket(fds[1]);
	close(fds[1]);
	EXPECT(read(fds[0], &byte, 1) == 1, "child is not ready");
	close(fds[0]);
	snprintf(pid_text, sizeof(pid_text), "%d", pid);
	run("ip link set wit0 netns %s", pid_text);
	waitpid(pid, &status, 0);
	EXPECT(WIFEXITED(status) && !WEXITSTATUS(status), "child: %x", status);
	for (int i = 0; i < 300 && if_nametoindex("wit1"); i++)
		usleep(100000);
	EXPECT(!if_nametoindex("wit1"), "the namespace lives on");
}

static void many_owners(void)
{
	pid_t pids[4];
	int status;

	/* Processes fight for the device, each makes and leaves objects. */
	nlc_close(&owner);
	for (int p = 0; p < 4; p++) {
		pids[p] = fork();
		if (pids[p])
			continue;
		for (int i = 0; i < 50; i++) {
			struct sockaddr_in6 to = loopback(2121);
			struct nlc c;

			nlc_open(&c);
			if (!nlc_own(&c, ifindex, i & 1)) {
				nlc_linger(&c, ifindex, 0);
				nlc_transport(&c, ifindex, p + 1, nlc_udp(AF_INET6, 0), 1472);
				for (unsigned int l = 1; l < 20; l++)
					nlc_link(&c, ifindex, p + 1, p + 1, l, &to);
			}
			nlc_call(&c, nlc_dump_msg(&c, FIPS_CMD_LINK_GET, ifindex), NULL, NULL);
			nlc_close(&c);
		}
		_exit(0);
	}
	for (int p = 0; p < 4; p++) {
		waitpid(pids[p], &status, 0);
		EXPECT(!status, "child %d: %x", p, status);
	}
	wait_transports(0, 20);
	nlc_open(&owner);
	own();
}

/* --- main --- */

static void test(void (*fn)(void), const char *name)
{
	failed = false;
	fn();
	printf("%sok %u %s\n", failed ? "not " : "", ++number, name);
	fflush(stdout);
	failures += failed;
}

#define TEST(fn) test(fn, "nltest " #fn)

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n1..17\n");
	device_up();
	own();
	TEST(missing_attributes);
	TEST(strangers_refused);
	TEST(wrong_lengths);
	TEST(bad_sockets);
	TEST(sockets_lent_and_returned);
	TEST(descriptor_comes_back);
	TEST(receive_hook);
	TEST(bad_links);
	TEST(keys_stay_inside);
	TEST(key_slots);
	TEST(truncated_messages);
	TEST(random_messages);
	/* Whatever the random messages left goes. */
	device_down();
	device_up();
	own();
	TEST(takeover_and_flush);
	TEST(linger);
	TEST(namespace_dies);
	TEST(many_owners);
	TEST(many_objects);
	device_down();
	printf("# %u passed, %u failed\n", number - failures, failures);
	return failures ? 1 : 0;
}
