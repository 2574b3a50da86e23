// SPDX-License-Identifier: GPL-2.0-only
/*
 * Upcalls and events. A control upcall goes to the owner's first socket, a
 * data upcall to its second one and through the token bucket of its kind. The bound of
 * both is the socket's receive buffer; what does not fit is counted. Events
 * without payload are shown to the monitor group of the device's namespace.
 */

#include <net/sock.h>

#include "compat.h"
#include "device.h"
#include "link.h"
#include "netlink-gen.h"
#include "netlink.h"
#include "nl.h"
#include "owner.h"
#include "session.h"
#include "transport.h"

#define FIPS_ATTR_MAX	(U16_MAX - NLA_HDRLEN)

enum fips_upcall_class {
	FIPS_UPCALL_CONTROL,
	FIPS_UPCALL_DATA,
};

/**
 * struct fips_upcall - a message to the owner under construction
 * @fips: device
 * @class: socket it goes to
 * @limit: data: bucket it takes from
 * @monitor: shown to the monitor group too
 * @skb: message
 * @hdr: its genetlink header
 */
struct fips_upcall {
	struct fips_device *fips;
	enum fips_upcall_class class;
	enum fips_data_class limit;
	bool monitor;
	struct sk_buff *skb;
	void *hdr;
};

static void fips_upcall_lost(struct fips_upcall *up)
{
	fips_drop(up->fips, up->class == FIPS_UPCALL_DATA ? FIPS_DROP_REASON_UPCALL_DATA :
							    FIPS_DROP_REASON_UPCALL_CONTROL);
}

/* Take one token. They come back evenly, up to the burst. */
static bool fips_upcall_allowed(struct fips_data_limit *limit)
{
	unsigned long now = jiffies, add;
	bool ok;

	spin_lock_bh(&limit->lock);
	add = min(now - limit->refilled, (unsigned long)HZ) * FIPS_DATA_RATE / HZ;
	if (add) {
		limit->tokens = min_t(unsigned long, FIPS_DATA_RATE, limit->tokens + add);
		limit->refilled = now;
	}
	ok = limit->tokens;
	if (ok)
		limit->tokens--;
	spin_unlock_bh(&limit->lock);
	return ok;
}

/*
 * Begin a message with room for @payload bytes of long attributes. Nothing is
 * built when nobody would read it. False: lost and counted.
 */
static bool fips_upcall_begin(struct fips_upcall *up, u8 cmd, size_t payload)
{
	struct fips_device *fips = up->fips;
	bool owned = rcu_access_pointer(fips->owner);

	up->monitor = up->monitor && genl_has_listeners(&fips_nl_family, dev_net(fips->dev),
							FIPS_NLGRP_MONITOR);
	if (!owned) {
		fips_drop(fips, FIPS_DROP_REASON_NO_OWNER);
		if (!up->monitor)
			return false;
	}
	if ((up->class == FIPS_UPCALL_DATA && !fips_upcall_allowed(&fips->data_limit[up->limit])) ||
	    payload > FIPS_ATTR_MAX) {
		fips_upcall_lost(up);
		return false;
	}
	/* 256 bytes hold the short attributes of every upcall. */
	up->skb = genlmsg_new(256 + nla_total_size(payload), GFP_ATOMIC);
	if (!up->skb)
		goto lost;
	up->hdr = genlmsg_put(up->skb, 0, 0, &fips_nl_family, 0, cmd);
	if (!up->hdr || fips_nl_put_ifindex(up->skb, fips)) {
		nlmsg_free(up->skb);
		goto lost;
	}
	return true;

lost:
	fips_upcall_lost(up);
	return false;
}

/* Send, or with an error of construction count it as lost. */
static bool fips_upcall_end(struct fips_upcall *up, int err)
{
	struct fips_device *fips = up->fips;
	struct fips_owner *owner;
	struct sk_buff *copy;
	u32 portid = 0;

	if (WARN_ON_ONCE(err)) {
		nlmsg_free(up->skb);
		fips_upcall_lost(up);
		return false;
	}
	genlmsg_end(up->skb, up->hdr);

	if (up->monitor) {
		copy = skb_copy(up->skb, GFP_ATOMIC);
		if (copy)
			genlmsg_multicast_netns(&fips_nl_family, dev_net(fips->dev), copy, 0,
						FIPS_NLGRP_MONITOR, GFP_ATOMIC);
	}

	rcu_read_lock();
	owner = rcu_dereference(fips->owner);
	if (owner)
		portid = up->class == FIPS_UPCALL_DATA ? READ_ONCE(owner->data) : owner->control;
	if (portid)
		err = genlmsg_unicast(owner->net, up->skb, portid);
	else
		nlmsg_free(up->skb);
	rcu_read_unlock();
	if (!owner)
		return false;
	if (err || !portid) {
		fips_upcall_lost(up);
		return false;
	}
	return true;
}

/* --- transports --- */

static int fips_put_transport(struct fips_upcall *up, const struct fips_transport *transport)
{
	return nla_put_u32(up->skb, FIPS_A_TRANSPORT_ID, transport->id);
}

void fips_upcall_transport_closed(struct fips_transport *transport, int reason)
{
	struct fips_upcall up = { .fips = transport->fips, .monitor = true };

	if (!fips_upcall_begin(&up, FIPS_CMD_TRANSPORT_CLOSED, 0))
		return;
	fips_upcall_end(&up, fips_put_transport(&up, transport) ?:
			nla_put_s32(up.skb, FIPS_A_TRANSPORT_REASON, reason));
}

void fips_upcall_transport_frame(struct fips_transport *transport, const u8 *frame, size_t len)
{
	struct fips_upcall up = { .fips = transport->fips };

	if (!fips_upcall_begin(&up, FIPS_CMD_TRANSPORT_FRAME, len))
		return;
	fips_upcall_end(&up, fips_put_transport(&up, transport) ?:
			nla_put(up.skb, FIPS_A_TRANSPORT_FRAME, len, frame));
}

/* --- links --- */

static bool fips_link_upcall_begin(struct fips_upcall *up, struct fips_link *link, u8 cmd,
				   size_t payload)
{
	up->fips = link->fips;
	if (!fips_upcall_begin(up, cmd, payload))
		return false;
	/* There is room: fips_upcall_end() would tell. */
	nla_put_u32(up->skb, FIPS_A_LINK_ID, link->id);
	return true;
}

void fips_upcall_link_msg(struct fips_link *link, u32 place, u64 counter, u32 timestamp, u8 flags,
			  const u8 *msg, size_t len)
{
	struct fips_upcall up = {};

	if (!fips_link_upcall_begin(&up, link, FIPS_CMD_LINK_MSG, len))
		return;
	fips_upcall_end(&up, nla_put_u32(up.skb, FIPS_A_LINK_SLOT, place) ?:
			nla_put_u64_64bit(up.skb, FIPS_A_LINK_COUNTER, counter,
					  FIPS_A_LINK_PAD) ?:
			nla_put_u32(up.skb, FIPS_A_LINK_TIMESTAMP, timestamp) ?:
			nla_put_u8(up.skb, FIPS_A_LINK_FLAGS, flags) ?:
			nla_put(up.skb, FIPS_A_LINK_MESSAGE, len, msg));
}

void fips_upcall_link_confirmed(struct fips_link *link)
{
	struct fips_upcall up = { .monitor = true };

	if (fips_link_upcall_begin(&up, link, FIPS_CMD_LINK_CONFIRMED, 0))
		fips_upcall_end(&up, 0);
}

void fips_upcall_link_active(struct fips_link *link)
{
	struct fips_upcall up = { .monitor = true };

	if (fips_link_upcall_begin(&up, link, FIPS_CMD_LINK_ACTIVE, 0))
		fips_upcall_end(&up, 0);
}

void fips_upcall_link_float(struct fips_link *link, const struct fips_endpoint *ep)
{
	struct fips_upcall up = { .monitor = true };

	if (fips_link_upcall_begin(&up, link, FIPS_CMD_LINK_FLOAT, 0))
		fips_upcall_end(&up, fips_nl_put_endpoint(up.skb, ep));
}

void fips_upcall_link_key_used(struct fips_link *link, u32 place)
{
	struct fips_upcall up = { .monitor = true };

	if (fips_link_upcall_begin(&up, link, FIPS_CMD_LINK_KEY_USED, 0))
		fips_upcall_end(&up, nla_put_u32(up.skb, FIPS_A_LINK_SLOT, place));
}

void fips_upcall_link_key_limit(struct fips_link *link, u32 place, u64 counter)
{
	struct fips_upcall up = { .monitor = true };

	if (!fips_link_upcall_begin(&up, link, FIPS_CMD_LINK_KEY_LIMIT, 0))
		return;
	fips_upcall_end(&up, nla_put_u32(up.skb, FIPS_A_LINK_SLOT, place) ?:
			nla_put_u64_64bit(up.skb, FIPS_A_LINK_COUNTER, counter,
					  FIPS_A_LINK_PAD));
}

/* --- sessions --- */

static bool fips_session_upcall_begin(struct fips_upcall *up, struct fips_session *session,
				      u8 cmd, size_t payload)
{
	up->fips = session->fips;
	if (!fips_upcall_begin(up, cmd, payload))
		return false;
	nla_put(up->skb, FIPS_A_SESSION_REMOTE, FIPS_NODE_ADDR_LEN, session->remote.b);
	return true;
}

void fips_upcall_session_msg(struct fips_session *session, const struct fips_session_msg *msg)
{
	struct fips_upcall up = {};

	if (!fips_session_upcall_begin(&up, session, FIPS_CMD_SESSION_MSG, msg->len))
		return;
	fips_upcall_end(&up, nla_put_u32(up.skb, FIPS_A_SESSION_SLOT, msg->place) ?:
			nla_put_u8(up.skb, FIPS_A_SESSION_MSG_TYPE, msg->msg_type) ?:
			nla_put_u64_64bit(up.skb, FIPS_A_SESSION_COUNTER, msg->counter,
					  FIPS_A_SESSION_PAD) ?:
			nla_put_u32(up.skb, FIPS_A_SESSION_TIMESTAMP, msg->timestamp) ?:
			nla_put_u8(up.skb, FIPS_A_SESSION_INNER_FLAGS, msg->inner_flags) ?:
			nla_put_u16(up.skb, FIPS_A_SESSION_DGRAM_MTU, msg->dgram_mtu) ?:
			nla_put_u32(up.skb, FIPS_A_SESSION_LINK_ID, msg->link_id) ?:
			nla_put(up.skb, FIPS_A_SESSION_MESSAGE, msg->len, msg->body));
}

void fips_upcall_session_active(struct fips_session *session, u16 dgram_mtu)
{
	struct fips_upcall up = { .monitor = true };

	if (fips_session_upcall_begin(&up, session, FIPS_CMD_SESSION_ACTIVE, 0))
		fips_upcall_end(&up, nla_put_u16(up.skb, FIPS_A_SESSION_DGRAM_MTU, dgram_mtu));
}

void fips_upcall_session_key_used(struct fips_session *session, u32 place)
{
	struct fips_upcall up = { .monitor = true };

	if (fips_session_upcall_begin(&up, session, FIPS_CMD_SESSION_KEY_USED, 0))
		fips_upcall_end(&up, nla_put_u32(up.skb, FIPS_A_SESSION_SLOT, place));
}

void fips_upcall_session_key_limit(struct fips_session *session, u32 place, u64 counter)
{
	struct fips_upcall up = { .monitor = true };

	if (!fips_session_upcall_begin(&up, session, FIPS_CMD_SESSION_KEY_LIMIT, 0))
		return;
	fips_upcall_end(&up, nla_put_u32(up.skb, FIPS_A_SESSION_SLOT, place) ?:
			nla_put_u64_64bit(up.skb, FIPS_A_SESSION_COUNTER, counter,
					  FIPS_A_SESSION_PAD));
}

/* --- data class --- */

bool fips_upcall_session_miss(struct fips_device *fips, const struct in6_addr *ipv6)
{
	struct fips_upcall up = { .fips = fips, .class = FIPS_UPCALL_DATA };

	return fips_upcall_begin(&up, FIPS_CMD_SESSION_MISS, 0) &&
	       fips_upcall_end(&up, nla_put_in6_addr(up.skb, FIPS_A_SESSION_IPV6, ipv6));
}

bool fips_upcall_session_unknown(struct fips_link *link, const u8 *src)
{
	struct fips_upcall up = {
		.fips = link->fips,
		.class = FIPS_UPCALL_DATA,
		.limit = FIPS_DATA_TRANSIT,
	};

	return fips_upcall_begin(&up, FIPS_CMD_SESSION_UNKNOWN, 0) &&
	       fips_upcall_end(&up, nla_put(up.skb, FIPS_A_SESSION_REMOTE, FIPS_NODE_ADDR_LEN,
					    src) ?:
			       nla_put_u32(up.skb, FIPS_A_SESSION_LINK_ID, link->id));
}

static bool fips_upcall_route(struct fips_device *fips, u8 cmd, const u8 *dest, u32 link_id,
			      const u8 *header, size_t len)
{
	struct fips_upcall up = {
		.fips = fips,
		.class = FIPS_UPCALL_DATA,
		.limit = cmd == FIPS_CMD_COORDS ? FIPS_DATA_COORDS :
			 link_id ? FIPS_DATA_TRANSIT : FIPS_DATA_OWN,
	};
	int err = 0;

	len = min_t(size_t, len, FIPS_COORDS_MAX);
	if (!fips_upcall_begin(&up, cmd, len))
		return false;
	if (dest)
		err = nla_put(up.skb, FIPS_A_ROUTE_DEST, FIPS_NODE_ADDR_LEN, dest);
	if (!err && link_id)
		err = nla_put_u32(up.skb, FIPS_A_ROUTE_LINK_ID, link_id);
	if (!err && len)
		err = nla_put(up.skb, FIPS_A_ROUTE_HEADER, len, header);
	return fips_upcall_end(&up, err);
}

bool fips_upcall_route_miss(struct fips_device *fips, const u8 *dest, u32 link_id,
			    const u8 *header, size_t len)
{
	return fips_upcall_route(fips, FIPS_CMD_ROUTE_MISS, dest, link_id, header, len);
}

bool fips_upcall_mtu_exceeded(struct fips_device *fips, const u8 *dest, u32 link_id,
			      const u8 *header, size_t len)
{
	return fips_upcall_route(fips, FIPS_CMD_MTU_EXCEEDED, dest, link_id, header, len);
}

bool fips_upcall_route_back(struct fips_device *fips, const u8 *dest, u32 link_id,
			    const u8 *header, size_t len)
{
	return fips_upcall_route(fips, FIPS_CMD_ROUTE_BACK, dest, link_id, header, len);
}

bool fips_upcall_coords(struct fips_device *fips, u32 link_id, const u8 *header, size_t len)
{
	return fips_upcall_route(fips, FIPS_CMD_COORDS, NULL, link_id, header, len);
}
