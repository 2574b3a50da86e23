/* SPDX-License-Identifier: MIT */
/*
 * A small client of the "fips" netlink family for guest tests: one request at
 * a time, the answer parsed by hand, so that tests can see every error with
 * its extack sentence and send what no sane client would.
 */
#ifndef FIPS_SELFTESTS_NLCLIENT_H
#define FIPS_SELFTESTS_NLCLIENT_H

#include <arpa/inet.h>
#include <errno.h>
#include <uapi/linux/fips.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef void (*nlc_fn)(struct nlmsghdr *nlh, void *arg);

/**
 * struct nlc - a client
 * @sk: its socket
 * @family: number of the fips family
 * @seq: of the last request
 * @extack: sentence of the last refusal, empty without one
 * @upcall: called for messages that answer no request, may be NULL
 * @upcall_arg: for it
 */
struct nlc {
	struct nl_sock *sk;
	int family;
	uint32_t seq;
	char extack[256];
	nlc_fn upcall;
	void *upcall_arg;
};

static inline void nlc_die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(2);
}

static inline int nlc_fd(const struct nlc *c)
{
	return nl_socket_get_fd(c->sk);
}

static inline void nlc_open(struct nlc *c)
{
	int one = 1;

	memset(c, 0, sizeof(*c));
	c->sk = nl_socket_alloc();
	if (!c->sk || genl_connect(c->sk))
		nlc_die("genl_connect");
	c->family = genl_ctrl_resolve(c->sk, FIPS_FAMILY_NAME);
	if (c->family < 0) {
		fprintf(stderr, "no netlink family fips\n");
		exit(2);
	}
	setsockopt(nlc_fd(c), SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(nlc_fd(c), SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	nl_socket_set_buffer_size(c->sk, 1 << 20, 1 << 20);
	c->seq = 1000;
}

static inline void nlc_close(struct nlc *c)
{
	nl_socket_free(c->sk);
	c->sk = NULL;
}

/* A request; put attributes with nla_put*(), then nlc_call(). */
static inline struct nl_msg *nlc_msg(struct nlc *c, uint8_t cmd, int flags)
{
	struct nl_msg *msg = nlmsg_alloc_size(70000);

	if (!msg || !genlmsg_put(msg, NL_AUTO_PORT, ++c->seq, c->family, 0,
				 flags | NLM_F_REQUEST | NLM_F_ACK, cmd, FIPS_FAMILY_VERSION))
		nlc_die("nlmsg_alloc");
	return msg;
}

static inline void nlc_parse_error(struct nlc *c, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = NLMSG_DATA(nlh);
	size_t off = sizeof(*err), left = nlh->nlmsg_len - NLMSG_HDRLEN;
	struct nlattr *attr;
	int rem;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		off += err->msg.nlmsg_len - NLMSG_HDRLEN;
	if (off > left)
		return;
	nla_for_each_attr(attr, (struct nlattr *)((char *)err + off), (int)(left - off), rem) {
		if (nla_type(attr) == NLMSGERR_ATTR_MSG)
			snprintf(c->extack, sizeof(c->extack), "%.*s", nla_len(attr),
				 (char *)nla_data(attr));
		else if (nla_type(attr) == NLMSGERR_ATTR_MISS_TYPE && !c->extack[0])
			snprintf(c->extack, sizeof(c->extack), "missing attribute %u",
				 nla_get_u32(attr));
	}
}

/* Read once and hand out what came. 1: goes on, 0 or less: result of request @seq. */
static inline int nlc_receive(struct nlc *c, uint32_t seq, nlc_fn fn, void *arg)
{
	static char buf[1 << 17];
	struct nlmsghdr *nlh;
	ssize_t n;

	n = recv(nlc_fd(c), buf, sizeof(buf), 0);
	if (n < 0)
		return errno == EINTR ? 1 : -errno;
	for (nlh = (struct nlmsghdr *)buf; NLMSG_OK(nlh, n); nlh = NLMSG_NEXT(nlh, n)) {
		if (nlh->nlmsg_seq != seq || !seq) {
			if (c->upcall && nlh->nlmsg_type == c->family)
				c->upcall(nlh, c->upcall_arg);
		} else if (nlh->nlmsg_type == NLMSG_ERROR) {
			nlc_parse_error(c, nlh);
			return ((struct nlmsgerr *)NLMSG_DATA(nlh))->error;
		} else if (nlh->nlmsg_type == NLMSG_DONE) {
			return *(int *)NLMSG_DATA(nlh);
		} else if (fn) {
			fn(nlh, arg);
		}
	}
	return 1;
}

/**
 * nlc_call() - send a request and wait for its end
 * @c: client
 * @msg: request, freed
 * @fn: called for each message of the answer, may be NULL
 * @arg: for it
 *
 * Return: 0 or a negative errno; c->extack says more.
 */
static inline int nlc_call(struct nlc *c, struct nl_msg *msg, nlc_fn fn, void *arg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	uint32_t seq = nlh->nlmsg_seq;
	int ret;

	c->extack[0] = 0;
	nlh->nlmsg_pid = nl_socket_get_local_port(c->sk);
	ret = send(nlc_fd(c), nlh, nlh->nlmsg_len, 0) < 0 ? -errno : 1;
	nlmsg_free(msg);
	while (ret > 0)
		ret = nlc_receive(c, seq, fn, arg);
	return ret;
}

/* --- the requests that tests need, with keys and addresses made from small numbers --- */

static inline void nlc_node(uint8_t *addr, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < FIPS_NODE_ADDR_LEN; i += 4) {
		addr[i] = n >> 24;
		addr[i + 1] = n >> 16;
		addr[i + 2] = n >> 8;
		addr[i + 3] = n;
	}
}

static inline void nlc_node_ipv6(struct in6_addr *ipv6, unsigned int n)
{
	uint8_t addr[FIPS_NODE_ADDR_LEN];

	nlc_node(addr, n);
	ipv6->s6_addr[0] = 0xfd;
	memcpy(ipv6->s6_addr + 1, addr, 15);
}

/* Key of what @from sends to @to in an epoch; @layer keeps link and session apart. */
static inline void nlc_key(uint8_t *key, char layer, unsigned int from, unsigned int to,
			   unsigned int epoch)
{
	memset(key, layer, FIPS_AEAD_KEY_LEN);
	memcpy(key, &from, sizeof(from));
	memcpy(key + 8, &to, sizeof(to));
	memcpy(key + 16, &epoch, sizeof(epoch));
}

static inline uint32_t nlc_index(unsigned int local, unsigned int remote, unsigned int epoch)
{
	return epoch << 24 | (local & 0xff) << 16 | (remote & 0xffff);
}

static inline struct nl_msg *nlc_dev_msg(struct nlc *c, uint8_t cmd, unsigned int ifindex)
{
	struct nl_msg *msg = nlc_msg(c, cmd, 0);

	nla_put_u32(msg, FIPS_A_DEV_IFINDEX, ifindex);
	return msg;
}

static inline struct nl_msg *nlc_dump_msg(struct nlc *c, uint8_t cmd, unsigned int ifindex)
{
	struct nl_msg *msg = nlc_msg(c, cmd, NLM_F_DUMP);

	if (ifindex)
		nla_put_u32(msg, FIPS_A_DEV_IFINDEX, ifindex);
	return msg;
}

static inline int nlc_own(struct nlc *c, unsigned int ifindex, bool takeover)
{
	struct nl_msg *msg = nlc_dev_msg(c, FIPS_CMD_DEV_OWN, ifindex);

	if (takeover)
		nla_put_flag(msg, FIPS_A_DEV_TAKEOVER);
	return nlc_call(c, msg, NULL, NULL);
}

static inline int nlc_dev_node(struct nlc *c, unsigned int ifindex, unsigned int node)
{
	struct nl_msg *msg = nlc_dev_msg(c, FIPS_CMD_DEV_SET, ifindex);
	uint8_t addr[FIPS_NODE_ADDR_LEN];

	nlc_node(addr, node);
	nla_put(msg, FIPS_A_DEV_NODE_ADDR, sizeof(addr), addr);
	return nlc_call(c, msg, NULL, NULL);
}

static inline int nlc_dev_mtu(struct nlc *c, unsigned int ifindex, uint16_t mtu)
{
	struct nl_msg *msg = nlc_dev_msg(c, FIPS_CMD_DEV_SET, ifindex);

	nla_put_u16(msg, FIPS_A_DEV_TRANSPORT_MTU, mtu);
	return nlc_call(c, msg, NULL, NULL);
}

static inline int nlc_linger(struct nlc *c, unsigned int ifindex, unsigned int seconds)
{
	struct nl_msg *msg = nlc_dev_msg(c, FIPS_CMD_DEV_SET, ifindex);

	nla_put_u32(msg, FIPS_A_DEV_LINGER, seconds);
	return nlc_call(c, msg, NULL, NULL);
}

static inline int nlc_transport(struct nlc *c, unsigned int ifindex, unsigned int id, int fd,
				uint16_t mtu)
{
	struct nl_msg *msg = nlc_dev_msg(c, FIPS_CMD_TRANSPORT_NEW, ifindex);

	nla_put_u32(msg, FIPS_A_TRANSPORT_ID, id);
	nla_put_u32(msg, FIPS_A_TRANSPORT_TYPE, FIPS_TRANSPORT_TYPE_UDP);
	nla_put_u32(msg, FIPS_A_TRANSPORT_FD, fd);
	nla_put_u16(msg, FIPS_A_TRANSPORT_MTU, mtu);
	return nlc_call(c, msg, NULL, NULL);
}

/* The key nest of a link (layer 'l') or session ('s') between two nodes. */
static inline void nlc_put_key(struct nl_msg *msg, int attr, char layer, unsigned int local,
			       unsigned int remote, unsigned int epoch, uint32_t slot)
{
	struct nlattr *nest = nla_nest_start(msg, attr);
	uint8_t key[FIPS_AEAD_KEY_LEN];

	nla_put_u32(msg, FIPS_A_KEY_SLOT, slot);
	nlc_key(key, layer, local, remote, epoch);
	nla_put(msg, FIPS_A_KEY_TX_KEY, sizeof(key), key);
	nlc_key(key, layer, remote, local, epoch);
	nla_put(msg, FIPS_A_KEY_RX_KEY, sizeof(key), key);
	nla_put_u8(msg, FIPS_A_KEY_K_BIT, epoch & 1);
	if (layer == 'l') {
		nla_put_u32(msg, FIPS_A_KEY_LOCAL_INDEX, nlc_index(local, remote, epoch));
		nla_put_u32(msg, FIPS_A_KEY_REMOTE_INDEX, nlc_index(remote, local, epoch));
	}
	nla_nest_end(msg, nest);
}

/* link-new without key: id is the remote node's number. */
static inline struct nl_msg *nlc_link_msg(struct nlc *c, unsigned int ifindex,
					  unsigned int transport, unsigned int remote,
					  const struct sockaddr_in6 *to)
{
	struct nl_msg *msg = nlc_dev_msg(c, FIPS_CMD_LINK_NEW, ifindex);
	uint8_t addr[FIPS_NODE_ADDR_LEN];

	nla_put_u32(msg, FIPS_A_LINK_ID, remote);
	nla_put_u32(msg, FIPS_A_LINK_TRANSPORT_ID, transport);
	nlc_node(addr, remote);
	nla_put(msg, FIPS_A_LINK_PEER, sizeof(addr), addr);
	nla_put(msg, FIPS_A_LINK_REMOTE_IPV6, 16, &to->sin6_addr);
	nla_put_u16(msg, FIPS_A_LINK_REMOTE_PORT, to->sin6_port);
	if (to->sin6_scope_id)
		nla_put_u32(msg, FIPS_A_LINK_REMOTE_SCOPE, to->sin6_scope_id);
	return msg;
}

static inline int nlc_link(struct nlc *c, unsigned int ifindex, unsigned int transport,
			   unsigned int local, unsigned int remote, const struct sockaddr_in6 *to)
{
	struct nl_msg *msg = nlc_link_msg(c, ifindex, transport, remote, to);

	nlc_put_key(msg, FIPS_A_LINK_KEY, 'l', local, remote, 0, FIPS_KEY_SLOT_CURRENT);
	return nlc_call(c, msg, NULL, NULL);
}

static inline struct nl_msg *nlc_session_msg(struct nlc *c, uint8_t cmd, unsigned int ifindex,
					     unsigned int remote)
{
	struct nl_msg *msg = nlc_dev_msg(c, cmd, ifindex);
	uint8_t addr[FIPS_NODE_ADDR_LEN];

	nlc_node(addr, remote);
	nla_put(msg, FIPS_A_SESSION_REMOTE, sizeof(addr), addr);
	return msg;
}

static inline int nlc_session(struct nlc *c, unsigned int ifindex, unsigned int local,
			      unsigned int remote)
{
	struct nl_msg *msg = nlc_session_msg(c, FIPS_CMD_SESSION_NEW, ifindex, remote);

	nlc_put_key(msg, FIPS_A_SESSION_KEY, 's', local, remote, 0, FIPS_KEY_SLOT_CURRENT);
	return nlc_call(c, msg, NULL, NULL);
}

static inline int nlc_route(struct nlc *c, unsigned int ifindex, unsigned int dest,
			    unsigned int link)
{
	struct nl_msg *msg = nlc_dev_msg(c, FIPS_CMD_ROUTE_SET, ifindex);
	uint8_t addr[FIPS_NODE_ADDR_LEN];

	nlc_node(addr, dest);
	nla_put(msg, FIPS_A_ROUTE_DEST, sizeof(addr), addr);
	nla_put_u32(msg, FIPS_A_ROUTE_LINK_ID, link);
	return nlc_call(c, msg, NULL, NULL);
}

/* Bound UDP socket, dual-stack when @family is AF_INET6. Port 0: any. */
static inline int nlc_udp(int family, uint16_t port)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in in4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0), zero = 0;

	if (fd < 0)
		nlc_die("socket");
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	if (bind(fd, family == AF_INET ? (struct sockaddr *)&in4 : (struct sockaddr *)&in6,
		 family == AF_INET ? sizeof(in4) : sizeof(in6)))
		nlc_die("bind");
	return fd;
}

#endif /* FIPS_SELFTESTS_NLCLIENT_H */
