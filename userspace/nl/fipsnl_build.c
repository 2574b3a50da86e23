// SPDX-License-Identifier: MIT
/* Requests: the one place that builds the family's attributes. */
#include <errno.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "fipsnl.h"

/* Begin a request about a device. All families have the ifindex as attribute 1. */
static struct nl_msg *begin(struct fipsnl *nl, u8 cmd, int flags, u32 ifindex)
{
	struct nl_msg *msg = fipsnl_request(nl, cmd, flags);

	if (msg && ifindex && nla_put_u32(msg, FIPS_A_DEV_IFINDEX, ifindex)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

_Static_assert((int)FIPS_A_DEV_IFINDEX == (int)FIPS_A_TRANSPORT_IFINDEX &&
	       (int)FIPS_A_DEV_IFINDEX == (int)FIPS_A_LINK_IFINDEX &&
	       (int)FIPS_A_DEV_IFINDEX == (int)FIPS_A_SESSION_IFINDEX &&
	       (int)FIPS_A_DEV_IFINDEX == (int)FIPS_A_ROUTE_IFINDEX, "one number for all");

/* Send, or give up a message that could not be built. */
static int finish(struct fipsnl *nl, struct nl_msg *msg, int err, fipsnl_reply_fn reply, void *arg)
{
	if (err) {
		explicit_bzero(nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len);
		nlmsg_free(msg);
		nl->error[0] = '\0';
		return -EMSGSIZE;
	}
	return fipsnl_call(nl, msg, reply, arg);
}

static int put_addr(struct nl_msg *msg, int type, const struct fips_node_addr *addr)
{
	return nla_put(msg, type, FIPS_NODE_ADDR_LEN, addr->b);
}

static int put_be16(struct nl_msg *msg, int type, u16 value)
{
	u8 wire[2];

	fips_put_be16(wire, value);
	return nla_put(msg, type, sizeof(wire), wire);
}

static int put_remote(struct nl_msg *msg, const struct fips_taddr *a)
{
	int err;

	switch (a->kind) {
	case FIPS_TADDR_IPV4:
		err = nla_put(msg, FIPS_A_LINK_REMOTE_IPV4, 4, a->addr);
		break;
	case FIPS_TADDR_IPV6:
		err = nla_put(msg, FIPS_A_LINK_REMOTE_IPV6, 16, a->addr);
		if (!err && a->scope)
			err = nla_put_u32(msg, FIPS_A_LINK_REMOTE_SCOPE, a->scope);
		break;
	case FIPS_TADDR_MAC:
		return nla_put(msg, FIPS_A_LINK_REMOTE_MAC, 6, a->addr);
	default:
		return 0;
	}
	return err ? err : put_be16(msg, FIPS_A_LINK_REMOTE_PORT, a->port);
}

static int put_key(struct nl_msg *msg, int type, const struct fips_dp_key *key, bool with_index)
{
	struct nlattr *nest = nla_nest_start(msg, type | NLA_F_NESTED);
	int err;

	if (!nest)
		return -EMSGSIZE;
	err = nla_put_u32(msg, FIPS_A_KEY_SLOT, key->slot);
	if (!err && with_index)
		err = nla_put_u32(msg, FIPS_A_KEY_LOCAL_INDEX, key->local_index);
	if (!err && with_index && key->has_key)
		err = nla_put_u32(msg, FIPS_A_KEY_REMOTE_INDEX, key->remote_index);
	if (!err && key->has_key)
		err = nla_put(msg, FIPS_A_KEY_TX_KEY, FIPS_KEY_LEN, key->tx);
	if (!err && key->has_key)
		err = nla_put(msg, FIPS_A_KEY_RX_KEY, FIPS_KEY_LEN, key->rx);
	if (!err)
		err = nla_put_u8(msg, FIPS_A_KEY_K_BIT, key->k_bit);
	if (!err && key->initiator)
		err = nla_put_flag(msg, FIPS_A_KEY_INITIATOR);
	if (!err && key->soft_limit)
		err = nla_put_u64(msg, FIPS_A_KEY_SOFT_LIMIT, key->soft_limit);
	if (!err && key->hard_limit)
		err = nla_put_u64(msg, FIPS_A_KEY_HARD_LIMIT, key->hard_limit);
	if (!err && key->lifetime_ms)
		err = nla_put_u32(msg, FIPS_A_KEY_LIFETIME_MS, key->lifetime_ms);
	nla_nest_end(msg, nest);
	return err;
}

static int put_bytes(struct nl_msg *msg, int type, const void *data, size_t len)
{
	if (len > FIPS_FRAME_MAX - NLA_HDRLEN)
		return -EMSGSIZE;
	return nla_put(msg, type, (int)len, data);
}

/* ---- device ---- */

int fipsnl_dev_own(struct fipsnl *nl, u32 ifindex, u32 data_port, bool takeover)
{
	struct nl_msg *msg = begin(nl, FIPS_CMD_DEV_OWN, 0, ifindex);
	int err;

	if (!msg)
		return -ENOMEM;
	err = nla_put_u32(msg, FIPS_A_DEV_DATA_PORT, data_port);
	if (!err && takeover)
		err = nla_put_flag(msg, FIPS_A_DEV_TAKEOVER);
	return finish(nl, msg, err, NULL, NULL);
}

int fipsnl_dev_set(struct fipsnl *nl, u32 ifindex, const struct fips_dp_dev *dev)
{
	struct nl_msg *msg = begin(nl, FIPS_CMD_DEV_SET, 0, ifindex);
	int err;

	if (!msg)
		return -ENOMEM;
	err = put_addr(msg, FIPS_A_DEV_NODE_ADDR, &dev->addr);
	if (!err && dev->transport_mtu)
		err = nla_put_u16(msg, FIPS_A_DEV_TRANSPORT_MTU, dev->transport_mtu);
	if (!err && dev->ttl)
		err = nla_put_u8(msg, FIPS_A_DEV_DEFAULT_TTL, dev->ttl);
	return finish(nl, msg, err, NULL, NULL);
}

int fipsnl_dev_set_linger(struct fipsnl *nl, u32 ifindex, u32 linger)
{
	struct nl_msg *msg = begin(nl, FIPS_CMD_DEV_SET, 0, ifindex);

	if (!msg)
		return -ENOMEM;
	return finish(nl, msg, nla_put_u32(msg, FIPS_A_DEV_LINGER, linger), NULL, NULL);
}

int fipsnl_dev_set_owner_data(struct fipsnl *nl, u32 ifindex, const void *data, size_t len)
{
	struct nl_msg *msg = begin(nl, FIPS_CMD_DEV_SET, 0, ifindex);

	if (!msg)
		return -ENOMEM;
	return finish(nl, msg, put_bytes(msg, FIPS_A_DEV_OWNER_DATA, data, len), NULL, NULL);
}

/* ---- transports ---- */

int fipsnl_transport_new(struct fipsnl *nl, u32 ifindex, const struct fips_transport_info *info,
			 int fd, const void *owner_data, size_t owner_len)
{
	struct nl_msg *msg = begin(nl, FIPS_CMD_TRANSPORT_NEW, 0, ifindex);
	int err;

	if (!msg)
		return -ENOMEM;
	err = nla_put_u32(msg, FIPS_A_TRANSPORT_ID, info->id);
	if (!err)
		err = nla_put_u32(msg, FIPS_A_TRANSPORT_TYPE, FIPS_TRANSPORT_TYPE_UDP);
	if (!err)
		err = nla_put_u32(msg, FIPS_A_TRANSPORT_FD, (u32)fd);
	if (!err)
		err = nla_put_u16(msg, FIPS_A_TRANSPORT_MTU, info->mtu);
	if (!err && owner_len)
		err = put_bytes(msg, FIPS_A_TRANSPORT_OWNER_DATA, owner_data, owner_len);
	return finish(nl, msg, err, NULL, NULL);
}

static int transport_request(struct fipsnl *nl, u8 cmd, u32 ifindex, u32 id, fipsnl_reply_fn reply,
			     void *arg)
{
	struct nl_msg *msg = begin(nl, cmd, 0, ifindex);

	if (!msg)
		return -ENOMEM;
	return finish(nl, msg, nla_put_u32(msg, FIPS_A_TRANSPORT_ID, id), reply, arg);
}

int fipsnl_transport_del(struct fipsnl *nl, u32 ifindex, u32 id)
{
	return transport_request(nl, FIPS_CMD_TRANSPORT_DEL, ifindex, id, NULL, NULL);
}

static int reply_transport(const struct nlmsghdr *nlh, void *arg)
{
	return fipsnl_read_transport(nlh, arg);
}

int fipsnl_transport_fd(struct fipsnl *nl, u32 ifindex, u32 id)
{
	struct fipsnl_transport t = { .fd = ~0U };
	int ret = transport_request(nl, FIPS_CMD_TRANSPORT_FD, ifindex, id, reply_transport, &t);

	return ret ? ret : (int)t.fd;
}

int fipsnl_transport_get(struct fipsnl *nl, u32 ifindex, u32 id, struct fipsnl_transport *t)
{
	return transport_request(nl, FIPS_CMD_TRANSPORT_GET, ifindex, id, reply_transport, t);
}

/* ---- links ---- */

int fipsnl_link_new(struct fipsnl *nl, u32 ifindex, const struct fips_dp_link *link)
{
	struct nl_msg *msg = begin(nl, FIPS_CMD_LINK_NEW, 0, ifindex);
	int err;

	if (!msg)
		return -ENOMEM;
	err = nla_put_u32(msg, FIPS_A_LINK_ID, link->id);
	if (!err)
		err = nla_put_u32(msg, FIPS_A_LINK_TRANSPORT_ID, link->transport_id);
	if (!err)
		err = put_addr(msg, FIPS_A_LINK_PEER, &link->peer);
	if (!err)
		err = put_remote(msg, &link->remote);
	if (!err && link->mtu)
		err = nla_put_u16(msg, FIPS_A_LINK_MTU, link->mtu);
	if (!err && link->candidate)
		err = nla_put_flag(msg, FIPS_A_LINK_CANDIDATE);
	if (!err && link->key)
		err = put_key(msg, FIPS_A_LINK_KEY, link->key, true);
	return finish(nl, msg, err, NULL, NULL);
}

static struct nl_msg *link_begin(struct fipsnl *nl, u8 cmd, u32 ifindex, u32 id)
{
	struct nl_msg *msg = begin(nl, cmd, 0, ifindex);

	if (msg && nla_put_u32(msg, FIPS_A_LINK_ID, id)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

int fipsnl_link_set_owner_data(struct fipsnl *nl, u32 ifindex, u32 id, const void *data, size_t len)
{
	struct nl_msg *msg = link_begin(nl, FIPS_CMD_LINK_SET, ifindex, id);

	return msg ? finish(nl, msg, put_bytes(msg, FIPS_A_LINK_OWNER_DATA, data, len), NULL,
			    NULL) : -ENOMEM;
}

int fipsnl_link_move(struct fipsnl *nl, u32 ifindex, u32 id, u32 transport_id,
		     const struct fips_taddr *remote)
{
	struct nl_msg *msg = link_begin(nl, FIPS_CMD_LINK_SET, ifindex, id);
	int err;

	if (!msg)
		return -ENOMEM;
	err = nla_put_u32(msg, FIPS_A_LINK_TRANSPORT_ID, transport_id);
	if (!err)
		err = put_remote(msg, remote);
	return finish(nl, msg, err, NULL, NULL);
}

int fipsnl_link_del(struct fipsnl *nl, u32 ifindex, u32 id)
{
	struct nl_msg *msg = link_begin(nl, FIPS_CMD_LINK_DEL, ifindex, id);

	return msg ? fipsnl_call(nl, msg, NULL, NULL) : -ENOMEM;
}

int fipsnl_link_key_new(struct fipsnl *nl, u32 ifindex, u32 id, const struct fips_dp_key *key)
{
	struct nl_msg *msg = link_begin(nl, FIPS_CMD_LINK_KEY_NEW, ifindex, id);

	return msg ? finish(nl, msg, put_key(msg, FIPS_A_LINK_KEY, key, true), NULL, NULL) :
		     -ENOMEM;
}

int fipsnl_link_key_swap(struct fipsnl *nl, u32 ifindex, u32 id)
{
	struct nl_msg *msg = link_begin(nl, FIPS_CMD_LINK_KEY_SWAP, ifindex, id);

	return msg ? fipsnl_call(nl, msg, NULL, NULL) : -ENOMEM;
}

int fipsnl_link_key_del(struct fipsnl *nl, u32 ifindex, u32 id, u32 slot)
{
	struct nl_msg *msg = link_begin(nl, FIPS_CMD_LINK_KEY_DEL, ifindex, id);

	return msg ? finish(nl, msg, nla_put_u32(msg, FIPS_A_LINK_SLOT, slot), NULL, NULL) :
		     -ENOMEM;
}

int fipsnl_link_xmit(struct fipsnl *nl, u32 ifindex, u32 id, u32 slot, const void *data,
		     size_t len)
{
	struct nl_msg *msg = link_begin(nl, FIPS_CMD_LINK_XMIT, ifindex, id);
	int err;

	if (!msg)
		return -ENOMEM;
	err = nla_put_u32(msg, FIPS_A_LINK_SLOT, slot);
	if (!err)
		err = put_bytes(msg, FIPS_A_LINK_MESSAGE, data, len);
	return finish(nl, msg, err, NULL, NULL);
}

static int reply_link(const struct nlmsghdr *nlh, void *arg)
{
	return fipsnl_read_link(nlh, arg);
}

int fipsnl_link_get(struct fipsnl *nl, u32 ifindex, u32 id, struct fipsnl_link *link)
{
	struct nl_msg *msg = link_begin(nl, FIPS_CMD_LINK_GET, ifindex, id);

	return msg ? fipsnl_call(nl, msg, reply_link, link) : -ENOMEM;
}

static int reply_link_report(const struct nlmsghdr *nlh, void *arg)
{
	return fipsnl_read_link_report(nlh, arg);
}

int fipsnl_link_report(struct fipsnl *nl, u32 ifindex, u32 id, u32 take,
		       struct fips_mmp_report *report)
{
	struct nl_msg *msg = link_begin(nl, FIPS_CMD_LINK_REPORT, ifindex, id);

	return msg ? finish(nl, msg, nla_put_u8(msg, FIPS_A_LINK_TAKE, (u8)take),
			    reply_link_report, report) : -ENOMEM;
}

int fipsnl_link_congested(struct fipsnl *nl, u32 ifindex, u32 id, bool congested)
{
	struct nl_msg *msg = link_begin(nl, FIPS_CMD_LINK_SET, ifindex, id);

	return msg ? finish(nl, msg, nla_put_u8(msg, FIPS_A_LINK_CONGESTED, congested), NULL,
			    NULL) : -ENOMEM;
}

/* ---- sessions ---- */

static struct nl_msg *session_begin(struct fipsnl *nl, u8 cmd, u32 ifindex,
				    const struct fips_node_addr *remote)
{
	struct nl_msg *msg = begin(nl, cmd, 0, ifindex);

	if (msg && put_addr(msg, FIPS_A_SESSION_REMOTE, remote)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static int put_session(struct nl_msg *msg, const struct fips_dp_session *s)
{
	int err = 0;

	if (s->path_mtu)
		err = nla_put_u16(msg, FIPS_A_SESSION_PATH_MTU, s->path_mtu);
	/* Nothing in it: forget the coordinates. */
	if (!err)
		err = put_bytes(msg, FIPS_A_SESSION_COORDS, s->coords,
				s->coords ? s->coords_len : 0);
	if (!err)
		err = nla_put_u8(msg, FIPS_A_SESSION_COORDS_COUNT, s->coords_count);
	return err;
}

int fipsnl_session_new(struct fipsnl *nl, u32 ifindex, const struct fips_dp_session *s)
{
	struct nl_msg *msg = session_begin(nl, FIPS_CMD_SESSION_NEW, ifindex, &s->remote);
	int err;

	if (!msg)
		return -ENOMEM;
	err = put_session(msg, s);
	if (!err && s->key)
		err = put_key(msg, FIPS_A_SESSION_KEY, s->key, false);
	return finish(nl, msg, err, NULL, NULL);
}

int fipsnl_session_set(struct fipsnl *nl, u32 ifindex, const struct fips_dp_session *s)
{
	struct nl_msg *msg = session_begin(nl, FIPS_CMD_SESSION_SET, ifindex, &s->remote);

	return msg ? finish(nl, msg, put_session(msg, s), NULL, NULL) : -ENOMEM;
}

int fipsnl_session_set_owner_data(struct fipsnl *nl, u32 ifindex,
				  const struct fips_node_addr *remote, const void *data, size_t len)
{
	struct nl_msg *msg = session_begin(nl, FIPS_CMD_SESSION_SET, ifindex, remote);

	return msg ? finish(nl, msg, put_bytes(msg, FIPS_A_SESSION_OWNER_DATA, data, len), NULL,
			    NULL) : -ENOMEM;
}

int fipsnl_session_del(struct fipsnl *nl, u32 ifindex, const struct fips_node_addr *remote)
{
	struct nl_msg *msg = session_begin(nl, FIPS_CMD_SESSION_DEL, ifindex, remote);

	return msg ? fipsnl_call(nl, msg, NULL, NULL) : -ENOMEM;
}

int fipsnl_session_key_new(struct fipsnl *nl, u32 ifindex, const struct fips_node_addr *remote,
			   const struct fips_dp_key *key)
{
	struct nl_msg *msg = session_begin(nl, FIPS_CMD_SESSION_KEY_NEW, ifindex, remote);

	return msg ? finish(nl, msg, put_key(msg, FIPS_A_SESSION_KEY, key, false), NULL, NULL) :
		     -ENOMEM;
}

int fipsnl_session_key_swap(struct fipsnl *nl, u32 ifindex, const struct fips_node_addr *remote)
{
	struct nl_msg *msg = session_begin(nl, FIPS_CMD_SESSION_KEY_SWAP, ifindex, remote);

	return msg ? fipsnl_call(nl, msg, NULL, NULL) : -ENOMEM;
}

int fipsnl_session_key_del(struct fipsnl *nl, u32 ifindex, const struct fips_node_addr *remote,
			   u32 slot)
{
	struct nl_msg *msg = session_begin(nl, FIPS_CMD_SESSION_KEY_DEL, ifindex, remote);

	return msg ? finish(nl, msg, nla_put_u32(msg, FIPS_A_SESSION_SLOT, slot), NULL, NULL) :
		     -ENOMEM;
}

int fipsnl_session_xmit(struct fipsnl *nl, u32 ifindex, const struct fips_node_addr *remote,
			u32 slot, u8 msg_type, bool with_coords, const void *body, size_t len)
{
	struct nl_msg *msg = session_begin(nl, FIPS_CMD_SESSION_XMIT, ifindex, remote);
	int err;

	if (!msg)
		return -ENOMEM;
	err = nla_put_u32(msg, FIPS_A_SESSION_SLOT, slot);
	if (!err)
		err = nla_put_u8(msg, FIPS_A_SESSION_MSG_TYPE, msg_type);
	if (!err && with_coords)
		err = nla_put_flag(msg, FIPS_A_SESSION_WITH_COORDS);
	if (!err)
		err = put_bytes(msg, FIPS_A_SESSION_MESSAGE, body, len);
	return finish(nl, msg, err, NULL, NULL);
}

static int reply_session(const struct nlmsghdr *nlh, void *arg)
{
	return fipsnl_read_session(nlh, arg);
}

int fipsnl_session_get(struct fipsnl *nl, u32 ifindex, const struct fips_node_addr *remote,
		       struct fipsnl_session *session)
{
	struct nl_msg *msg = session_begin(nl, FIPS_CMD_SESSION_GET, ifindex, remote);

	return msg ? fipsnl_call(nl, msg, reply_session, session) : -ENOMEM;
}

static int reply_session_report(const struct nlmsghdr *nlh, void *arg)
{
	return fipsnl_read_session_report(nlh, arg);
}

int fipsnl_session_report(struct fipsnl *nl, u32 ifindex, const struct fips_node_addr *remote,
			  u32 take, struct fips_mmp_report *report)
{
	struct nl_msg *msg = session_begin(nl, FIPS_CMD_SESSION_REPORT, ifindex, remote);

	return msg ? finish(nl, msg, nla_put_u8(msg, FIPS_A_SESSION_TAKE, (u8)take),
			    reply_session_report, report) : -ENOMEM;
}

int fipsnl_unreachable(struct fipsnl *nl, u32 ifindex, const u8 *ipv6, u32 ms)
{
	struct nl_msg *msg = begin(nl, FIPS_CMD_SESSION_SET, 0, ifindex);
	int err;

	if (!msg)
		return -ENOMEM;
	err = nla_put(msg, FIPS_A_SESSION_IPV6, FIPS_IPV6_LEN, ipv6);
	if (!err)
		err = nla_put_u32(msg, FIPS_A_SESSION_UNREACHABLE_MS, ms);
	return finish(nl, msg, err, NULL, NULL);
}

/* ---- routes ---- */

static struct nl_msg *route_begin(struct fipsnl *nl, u8 cmd, u32 ifindex,
				  const struct fips_node_addr *dest)
{
	struct nl_msg *msg = begin(nl, cmd, 0, ifindex);

	if (msg && put_addr(msg, FIPS_A_ROUTE_DEST, dest)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

int fipsnl_route_set(struct fipsnl *nl, u32 ifindex, const struct fips_node_addr *dest,
		     u32 link_id, u32 generation)
{
	struct nl_msg *msg = route_begin(nl, FIPS_CMD_ROUTE_SET, ifindex, dest);
	int err;

	if (!msg)
		return -ENOMEM;
	err = nla_put_u32(msg, FIPS_A_ROUTE_LINK_ID, link_id);
	if (!err)
		err = nla_put_u32(msg, FIPS_A_ROUTE_GENERATION, generation);
	return finish(nl, msg, err, NULL, NULL);
}

int fipsnl_route_unreachable(struct fipsnl *nl, u32 ifindex, const struct fips_node_addr *dest,
			     u32 ms)
{
	struct nl_msg *msg = route_begin(nl, FIPS_CMD_ROUTE_SET, ifindex, dest);

	return msg ? finish(nl, msg, nla_put_u32(msg, FIPS_A_ROUTE_UNREACHABLE_MS, ms), NULL,
			    NULL) : -ENOMEM;
}

int fipsnl_route_del(struct fipsnl *nl, u32 ifindex, const struct fips_node_addr *dest)
{
	struct nl_msg *msg = route_begin(nl, FIPS_CMD_ROUTE_DEL, ifindex, dest);

	return msg ? fipsnl_call(nl, msg, NULL, NULL) : -ENOMEM;
}

int fipsnl_route_flush(struct fipsnl *nl, u32 ifindex, u32 older_than)
{
	struct nl_msg *msg = begin(nl, FIPS_CMD_ROUTE_FLUSH, 0, ifindex);

	return msg ? finish(nl, msg, nla_put_u32(msg, FIPS_A_ROUTE_GENERATION, older_than), NULL,
			    NULL) : -ENOMEM;
}

/* ---- reading objects ---- */

static int reply_dev(const struct nlmsghdr *nlh, void *arg)
{
	return fipsnl_read_dev(nlh, arg);
}

int fipsnl_dev_get(struct fipsnl *nl, u32 ifindex, struct fipsnl_dev *dev)
{
	struct nl_msg *msg = begin(nl, FIPS_CMD_DEV_GET, 0, ifindex);

	return msg ? fipsnl_call(nl, msg, reply_dev, dev) : -ENOMEM;
}

struct dump {
	const struct fipsnl_visitor *v;
	void *arg;
};

static int dump_dev(const struct nlmsghdr *nlh, void *arg)
{
	struct dump *d = arg;
	struct fipsnl_dev dev;
	int ret = fipsnl_read_dev(nlh, &dev);

	if (!ret)
		d->v->dev(d->arg, &dev);
	return ret;
}

static int dump_transport(const struct nlmsghdr *nlh, void *arg)
{
	struct dump *d = arg;
	struct fipsnl_transport transport;
	int ret = fipsnl_read_transport(nlh, &transport);

	if (!ret)
		d->v->transport(d->arg, &transport);
	return ret;
}

static int dump_link(const struct nlmsghdr *nlh, void *arg)
{
	struct dump *d = arg;
	struct fipsnl_link link;
	int ret = fipsnl_read_link(nlh, &link);

	if (!ret)
		d->v->link(d->arg, &link);
	return ret;
}

static int dump_session(const struct nlmsghdr *nlh, void *arg)
{
	struct dump *d = arg;
	struct fipsnl_session session;
	int ret = fipsnl_read_session(nlh, &session);

	if (!ret)
		d->v->session(d->arg, &session);
	return ret;
}

static int dump_route(const struct nlmsghdr *nlh, void *arg)
{
	struct dump *d = arg;
	struct fipsnl_route route;
	int ret = fipsnl_read_route(nlh, &route);

	if (!ret)
		d->v->route(d->arg, &route);
	return ret;
}

static int dump(struct fipsnl *nl, u8 cmd, u32 ifindex, fipsnl_reply_fn each,
		const struct fipsnl_visitor *v, void *arg)
{
	struct nl_msg *msg = begin(nl, cmd, NLM_F_DUMP, ifindex);
	struct dump d = { .v = v, .arg = arg };

	return msg ? fipsnl_call(nl, msg, each, &d) : -ENOMEM;
}

int fipsnl_dump_devs(struct fipsnl *nl, const struct fipsnl_visitor *v, void *arg)
{
	return dump(nl, FIPS_CMD_DEV_GET, 0, dump_dev, v, arg);
}

int fipsnl_dump_transports(struct fipsnl *nl, u32 ifindex, const struct fipsnl_visitor *v,
			   void *arg)
{
	return dump(nl, FIPS_CMD_TRANSPORT_GET, ifindex, dump_transport, v, arg);
}

int fipsnl_dump_links(struct fipsnl *nl, u32 ifindex, const struct fipsnl_visitor *v, void *arg)
{
	return dump(nl, FIPS_CMD_LINK_GET, ifindex, dump_link, v, arg);
}

int fipsnl_dump_sessions(struct fipsnl *nl, u32 ifindex, const struct fipsnl_visitor *v,
			 void *arg)
{
	return dump(nl, FIPS_CMD_SESSION_GET, ifindex, dump_session, v, arg);
}

int fipsnl_dump_routes(struct fipsnl *nl, u32 ifindex, const struct fipsnl_visitor *v, void *arg)
{
	return dump(nl, FIPS_CMD_ROUTE_GET, ifindex, dump_route, v, arg);
}
