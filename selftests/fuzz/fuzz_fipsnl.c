// SPDX-License-Identifier: MIT
/*
 * Any bytes as a message of the kernel module: objects and upcalls.
 */
#include <linux/genetlink.h>
#include <linux/netlink.h>

#include "fuzz.h"
#include "nl/fipsnl.h"

/* What an event borrows lies inside the message. */
static void check_inside(const struct nlmsghdr *nlh, const void *p, size_t len)
{
	const u8 *begin = (const u8 *)nlh, *end = begin + nlh->nlmsg_len;

	if (p)
		FUZZ_CHECK((const u8 *)p >= begin && (const u8 *)p + len <= end);
	else
		FUZZ_CHECK(!len);
}

static void fuzz_event(const struct nlmsghdr *nlh)
{
	struct fips_event ev;

	if (fipsnl_read_event(nlh, 3, &ev))
		return;
	switch (ev.type) {
	case FIPS_EV_LINK_MSG:
		check_inside(nlh, ev.link_msg.msg, ev.link_msg.len);
		break;
	case FIPS_EV_SESSION_MSG:
		check_inside(nlh, ev.session_msg.body, ev.session_msg.len);
		break;
	case FIPS_EV_ROUTE_MISS:
	case FIPS_EV_MTU_EXCEEDED:
	case FIPS_EV_ROUTE_BACK:
	case FIPS_EV_COORDS:
		check_inside(nlh, ev.route.header, ev.route.len);
		break;
	default:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fipsnl_transport transport;
	struct fipsnl_session session;
	struct fipsnl_route route;
	struct fipsnl_link link;
	struct fipsnl_dev dev;
	struct nlmsghdr *nlh;

	if (size > 65536)
		return 0;
	nlh = malloc(sizeof(*nlh) + size);
	FUZZ_CHECK(nlh);
	memset(nlh, 0, sizeof(*nlh));
	nlh->nlmsg_len = (u32)(sizeof(*nlh) + size);
	memcpy(nlh + 1, data, size);
	fuzz_event(nlh);
	/* The readers of objects are called for messages with a whole header only. */
	if (size >= sizeof(struct genlmsghdr)) {
		fipsnl_read_dev(nlh, &dev);
		fipsnl_read_transport(nlh, &transport);
		fipsnl_read_link(nlh, &link);
		fipsnl_read_session(nlh, &session);
		fipsnl_read_route(nlh, &route);
	}
	free(nlh);
	return 0;
}
