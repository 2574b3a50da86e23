/* SPDX-License-Identifier: MIT */
/*
 * Two devices of one namespace that talk over the loopback with keys set by
 * hand, their owners' sockets read, for tests that print KTAP.
 */
#ifndef FIPS_SELFTESTS_NLSIDE_H
#define FIPS_SELFTESTS_NLSIDE_H

#include "nlclient.h"

#include <poll.h>

#define QUEUE	256

/* A device with its owner, and what was heard. */
struct side {
	const char *name;
	unsigned int node;
	unsigned int ifindex;
	int fd;
	struct sockaddr_in6 addr;
	struct nlc c;
	struct nlmsghdr *queue[QUEUE];
	unsigned int head, tail;
};

static struct side a = { .name = "nla", .node = 1 }, b = { .name = "nlb", .node = 2 };
static unsigned int number, failures;
static bool failed;

#define EXPECT(cond, ...) do {							\
	if (!(cond)) {								\
		printf("# line %d: %s: ", __LINE__, #cond);			\
		printf(__VA_ARGS__);						\
		printf("\n");							\
		failed = true;							\
	}									\
} while (0)

static inline int run(const char *fmt, const char *arg)
{
	char cmd[256];

	snprintf(cmd, sizeof(cmd), fmt, arg);
	return system(cmd);
}

/* --- events --- */

static inline void hear(struct nlmsghdr *nlh, void *arg)
{
	struct side *s = arg;
	struct nlmsghdr *copy = malloc(nlh->nlmsg_len);

	if (!copy || s->head - s->tail == QUEUE)
		nlc_die("too many events");
	memcpy(copy, nlh, nlh->nlmsg_len);
	s->queue[s->head++ % QUEUE] = copy;
}

/* Next event within @ms, NULL if none comes. Valid until the one after the next. */
static inline struct nlmsghdr *next_event(struct side *s, int ms)
{
	struct pollfd pfd = { .fd = nlc_fd(&s->c), .events = POLLIN };
	static struct nlmsghdr *last;

	while (s->head == s->tail) {
		if (poll(&pfd, 1, ms) <= 0)
			return NULL;
		nlc_receive(&s->c, 0, NULL, NULL);
	}
	free(last);
	last = s->queue[s->tail++ % QUEUE];
	return last;
}

static inline struct nlmsghdr *expect_event_at(struct side *s, uint8_t cmd, int line)
{
	struct nlmsghdr *nlh = next_event(s, 5000);
	int got = nlh ? genlmsg_hdr(nlh)->cmd : -1;

	if (got == cmd)
		return nlh;
	printf("# line %d: %s: event %d, not %u\n", line, s->name, got, cmd);
	failed = true;
	return NULL;
}

#define expect_event(s, cmd) expect_event_at(s, cmd, __LINE__)

static inline void expect_silence_at(struct side *s, int line)
{
	struct nlmsghdr *nlh = next_event(s, 300);

	if (!nlh)
		return;
	printf("# line %d: %s: unexpected event %u\n", line, s->name, genlmsg_hdr(nlh)->cmd);
	failed = true;
}

#define expect_silence(s) expect_silence_at(s, __LINE__)

static inline long u32_of(struct nlmsghdr *nlh, int attr)
{
	struct nlattr *at = nlh ? nlmsg_find_attr(nlh, GENL_HDRLEN, attr) : NULL;

	if (!at)
		return -1;
	return nla_len(at) == 2 ? nla_get_u16(at) : nla_len(at) == 1 ? nla_get_u8(at) :
							    (long)nla_get_u32(at);
}

static inline long u64_of(struct nlmsghdr *nlh, int attr)
{
	struct nlattr *at = nlh ? nlmsg_find_attr(nlh, GENL_HDRLEN, attr) : NULL;

	return at ? (long)nla_get_u64(at) : -1;
}

static inline bool bytes_are(struct nlmsghdr *nlh, int attr, const void *want, int len)
{
	struct nlattr *at = nlh ? nlmsg_find_attr(nlh, GENL_HDRLEN, attr) : NULL;

	return at && nla_len(at) == len && !memcmp(nla_data(at), want, len);
}

/* --- requests --- */

static inline void ok_at(struct side *s, int err, int line)
{
	if (!err)
		return;
	printf("# line %d: %s: %s: %s\n", line, s->name, strerror(-err), s->c.extack);
	failed = true;
}

#define OK(s, err) ok_at(s, err, __LINE__)

static inline void side_up(struct side *s, bool takeover)
{
	socklen_t len = sizeof(s->addr);

	if (!s->ifindex) {
		run("ip link add %s type fips", s->name);
		run("ip link set %s up", s->name);
		s->ifindex = if_nametoindex(s->name);
	}
	nlc_open(&s->c);
	s->c.upcall = hear;
	s->c.upcall_arg = s;
	OK(s, nlc_own(&s->c, s->ifindex, takeover));
	if (takeover)
		return;
	OK(s, nlc_dev_node(&s->c, s->ifindex, s->node));
	s->fd = nlc_udp(AF_INET6, 0);
	getsockname(s->fd, (struct sockaddr *)&s->addr, &len);
	s->addr.sin6_addr = in6addr_loopback;
	OK(s, nlc_transport(&s->c, s->ifindex, 1, s->fd, 1472));
}

static inline void side_down(struct side *s)
{
	nlc_close(&s->c);
	close(s->fd);
	while (s->head != s->tail)
		free(s->queue[s->tail++ % QUEUE]);
}

static inline struct nl_msg *link_msg(struct side *s, struct side *to, uint8_t cmd)
{
	struct nl_msg *msg = nlc_dev_msg(&s->c, cmd, s->ifindex);

	nla_put_u32(msg, FIPS_A_LINK_ID, to->node);
	return msg;
}

static inline int session_key(struct side *s, struct side *to, unsigned int epoch, uint32_t slot)
{
	struct nl_msg *msg = nlc_session_msg(&s->c, FIPS_CMD_SESSION_KEY_NEW, s->ifindex,
					     to->node);

	nlc_put_key(msg, FIPS_A_SESSION_KEY, 's', s->node, to->node, epoch, slot);
	return nlc_call(&s->c, msg, NULL, NULL);
}

static inline void test(void (*fn)(void), const char *name)
{
	failed = false;
	fn();
	printf("%sok %u %s\n", failed ? "not " : "", ++number, name);
	failures += failed;
}

#endif /* FIPS_SELFTESTS_NLSIDE_H */
