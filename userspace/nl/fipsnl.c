// SPDX-License-Identifier: MIT
/*
 * Socket and request machinery. The owner's commands and its upcalls share one
 * socket (the kernel knows the owner by its port), so an answer may stand
 * behind upcalls: these are queued, in order.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "fipsnl.h"

#define BUF_SIZE	(128 * 1024)	/* a frame of 64 KiB and its attributes, or a dump's part */
#define MSG_SMALL	(8 * 1024)	/* coordinates and owner data fit */
#define MSG_LARGE	(72 * 1024)	/* a frame */
#define ANSWER_MS	5000

struct fipsnl_upcall {
	struct fipsnl_upcall *next;
	struct nlmsghdr nlh;	/* and the message behind it */
};

static int nle_errno(int err)
{
	switch (-err) {
	case NLE_OBJ_NOTFOUND:
		return -ENOENT;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	default:
		return -EIO;
	}
}

int fipsnl_open(struct fipsnl *nl, int rcvbuf)
{
	int one = 1, fd, ret;

	memset(nl, 0, sizeof(*nl));
	nl->buf = malloc(BUF_SIZE);
	nl->sk = nl_socket_alloc();
	if (!nl->buf || !nl->sk) {
		fipsnl_close(nl);
		return -ENOMEM;
	}
	ret = genl_connect(nl->sk);
	if (ret)
		goto fail;
	nl->family = genl_ctrl_resolve(nl->sk, FIPS_FAMILY_NAME);
	if (nl->family < 0) {
		ret = nl->family;
		goto fail;
	}
	nl->portid = nl_socket_get_local_port(nl->sk);
	fd = nl_socket_get_fd(nl->sk);
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	/* Without this an error would bring the request back, keys and all. */
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	if (rcvbuf && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &rcvbuf, sizeof(rcvbuf)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf));
	return 0;
fail:
	fipsnl_close(nl);
	return nle_errno(ret);
}

void fipsnl_close(struct fipsnl *nl)
{
	struct fipsnl_upcall *up;

	while ((up = nl->first)) {
		nl->first = up->next;
		free(up);
	}
	if (nl->sk)
		nl_socket_free(nl->sk);
	free(nl->buf);
	memset(nl, 0, sizeof(*nl));
}

int fipsnl_fd(const struct fipsnl *nl)
{
	return nl_socket_get_fd(nl->sk);
}

/* ---- upcalls ---- */

const struct nlmsghdr *fipsnl_upcall_header(const struct fipsnl_upcall *upcall)
{
	return &upcall->nlh;
}

void fipsnl_upcall_free(struct fipsnl_upcall *upcall)
{
	free(upcall);
}

static void upcall_keep(struct fipsnl *nl, const struct nlmsghdr *nlh)
{
	struct fipsnl_upcall *up;

	up = nl->pending < FIPSNL_PENDING_MAX ?
		     malloc(offsetof(struct fipsnl_upcall, nlh) + nlh->nlmsg_len) : NULL;
	if (!up) {
		nl->lost = true;
		return;
	}
	memcpy(&up->nlh, nlh, nlh->nlmsg_len);
	up->next = NULL;
	if (nl->first)
		nl->last->next = up;
	else
		nl->first = up;
	nl->last = up;
	nl->pending++;
}

/* One datagram into the buffer: its length or a negative errno. Only the kernel may speak. */
static ssize_t receive(struct fipsnl *nl)
{
	struct sockaddr_nl from = { 0 };
	socklen_t len = sizeof(from);
	ssize_t n;

	do {
		n = recvfrom(fipsnl_fd(nl), nl->buf, BUF_SIZE, MSG_DONTWAIT | MSG_TRUNC,
			     (struct sockaddr *)&from, &len);
	} while ((n < 0 && errno == EINTR) || (n >= 0 && from.nl_pid));
	if (n < 0) {
		if (errno == ENOBUFS)
			nl->lost = true;
		return -errno;
	}
	if (n > BUF_SIZE) {
		nl->lost = true;
		return -ENOBUFS;
	}
	return n;
}

static bool is_upcall(const struct fipsnl *nl, const struct nlmsghdr *nlh)
{
	return nlh->nlmsg_type == nl->family && !nlh->nlmsg_seq;
}

int fipsnl_next(struct fipsnl *nl, struct fipsnl_upcall **upcall)
{
	const struct nlmsghdr *nlh;
	ssize_t n;
	int left;

	if (!nl->first && !nl->lost) {
		n = receive(nl);
		if (n < 0 && n != -ENOBUFS)
			return (int)n;
		left = (int)n;
		for (nlh = (void *)nl->buf; n > 0 && nlmsg_ok(nlh, left);
		     nlh = nlmsg_next((struct nlmsghdr *)nlh, &left))
			if (is_upcall(nl, nlh))
				upcall_keep(nl, nlh);
	}
	/* What was lost came behind what is kept, or between: tell after. */
	if (!nl->first && nl->lost) {
		nl->lost = false;
		return -ENOBUFS;
	}
	*upcall = nl->first;
	if (!nl->first)
		return -EAGAIN;
	nl->first = nl->first->next;
	nl->pending--;
	return 0;
}

/* ---- requests ---- */

struct nl_msg *fipsnl_request(struct fipsnl *nl, u8 cmd, int flags)
{
	bool frame = cmd == FIPS_CMD_LINK_XMIT || cmd == FIPS_CMD_SESSION_XMIT;
	struct nl_msg *msg = nlmsg_alloc_size(frame ? MSG_LARGE : MSG_SMALL);

	if (!msg)
		return NULL;
	if (!++nl->seq)		/* 0 marks upcalls */
		nl->seq = 1;
	if (!genlmsg_put(msg, nl->portid, nl->seq, nl->family, 0,
			 NLM_F_REQUEST | (flags ? flags : NLM_F_ACK), cmd, FIPS_FAMILY_VERSION)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/* The kernel's sentence from an error message. */
static void read_extack(struct fipsnl *nl, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = nlmsg_data(nlh);
	size_t skip = sizeof(*err);
	struct nlattr *attr;
	int left;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += NLMSG_ALIGN(err->msg.nlmsg_len) - sizeof(err->msg);
	if (skip > (size_t)nlmsg_datalen(nlh))
		return;
	attr = (struct nlattr *)((char *)nlmsg_data(nlh) + skip);
	left = nlmsg_datalen(nlh) - (int)skip;
	for (; nla_ok(attr, left); attr = nla_next(attr, &left))
		if (nla_type(attr) == NLMSGERR_ATTR_MSG)
			snprintf(nl->error, sizeof(nl->error), "%.*s", nla_len(attr),
				 (const char *)nla_data(attr));
}

/* 1: the answer is complete with *err; 0: more is to come. */
static int take_answer(struct fipsnl *nl, const struct nlmsghdr *nlh, fipsnl_reply_fn reply,
		       void *arg, int *err)
{
	if (is_upcall(nl, nlh)) {
		upcall_keep(nl, nlh);
		return 0;
	}
	if (nlh->nlmsg_seq != nl->seq)
		return 0;	/* answer of a request that was given up */
	if (nlh->nlmsg_type == NLMSG_ERROR) {
		if (nlmsg_datalen(nlh) < (int)sizeof(struct nlmsgerr))
			return 0;
		*err = ((const struct nlmsgerr *)nlmsg_data(nlh))->error;
		read_extack(nl, nlh);
		return 1;
	}
	if (nlh->nlmsg_type == NLMSG_DONE) {
		*err = nlmsg_datalen(nlh) >= (int)sizeof(int) ? *(const int *)nlmsg_data(nlh) : 0;
		return 1;
	}
	if (nlh->nlmsg_type == nl->family && reply && !*err)
		*err = reply(nlh, arg);
	return 0;
}

static int wait_readable(struct fipsnl *nl)
{
	struct pollfd p = { .fd = fipsnl_fd(nl), .events = POLLIN };
	int n;

	do {
		n = poll(&p, 1, ANSWER_MS);
	} while (n < 0 && errno == EINTR);
	return n > 0 ? 0 : -ETIMEDOUT;
}

static int read_answer(struct fipsnl *nl, fipsnl_reply_fn reply, void *arg)
{
	int err = 0, reply_err = 0, left, done = 0;

	while (!done) {
		ssize_t n = receive(nl);
		const struct nlmsghdr *nlh = (void *)nl->buf;

		if (n == -EAGAIN) {
			/* Overrun may have swallowed the answer itself: it was there by now. */
			if (nl->lost || wait_readable(nl))
				return -ENOBUFS;
			continue;
		}
		if (n == -ENOBUFS)
			continue;
		if (n < 0)
			return (int)n;
		for (left = (int)n; !done && nlmsg_ok(nlh, left);
		     nlh = nlmsg_next((struct nlmsghdr *)nlh, &left)) {
			done = take_answer(nl, nlh, reply, arg, &err);
			if (!done && err) {
				reply_err = err;
				err = 0;
			}
		}
	}
	return err ? err : reply_err;
}

int fipsnl_call(struct fipsnl *nl, struct nl_msg *msg, fipsnl_reply_fn reply, void *arg)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct nlmsghdr *nlh;
	ssize_t n;

	nl->error[0] = '\0';
	nlh = nlmsg_hdr(msg);
	do {
		n = sendto(fipsnl_fd(nl), nlh, nlh->nlmsg_len, 0, (struct sockaddr *)&kernel,
			   sizeof(kernel));
	} while (n < 0 && errno == EINTR);
	n = n < 0 ? -errno : 0;
	explicit_bzero(nlh, nlh->nlmsg_len);	/* keys */
	nlmsg_free(msg);
	return n ? (int)n : read_answer(nl, reply, arg);
}
