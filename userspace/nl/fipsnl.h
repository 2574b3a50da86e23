/* SPDX-License-Identifier: MIT */
/*
 * The generic netlink family of fips.ko, seen from userspace. The one place
 * that builds its messages (fipsnl_build.c) and the one that reads them
 * (fipsnl_read.c); what calls this never sees an attribute.
 *
 * A socket is for one thread. Commands are synchronous: the kernel runs them
 * inside sendmsg(), and the answer is read at once; upcalls that arrive before
 * it are kept in order for fipsnl_next().
 */
#ifndef FIPS_NL_FIPSNL_H
#define FIPS_NL_FIPSNL_H

#include <libfips/event.h>

struct nl_msg;
struct nl_sock;
struct nlmsghdr;
struct fipsnl_upcall;

#define FIPSNL_PENDING_MAX	4096	/* upcalls kept while answers are awaited */

/**
 * struct fipsnl - a socket to the family
 * @sk: libnl's socket
 * @family: number of the family
 * @portid: the socket's address
 * @seq: of the last request
 * @buf: receive buffer
 * @first: upcalls kept, oldest first
 * @last: newest of them
 * @pending: their number
 * @lost: upcalls were lost since fipsnl_lost() was asked
 * @error: sentence of the last refusal
 */
struct fipsnl {
	struct nl_sock *sk;
	int family;
	u32 portid;
	u32 seq;
	u8 *buf;
	struct fipsnl_upcall *first;
	struct fipsnl_upcall *last;
	size_t pending;
	bool lost;
	char error[160];
};

/**
 * fipsnl_open() - connect; loads the module if it can be loaded
 * @nl: written; fipsnl_close() it
 * @rcvbuf: receive buffer in bytes, 0 for the system's default
 *
 * Return: 0; -ENOENT, there is no such family; another negative errno.
 */
int fipsnl_open(struct fipsnl *nl, int rcvbuf);
void fipsnl_close(struct fipsnl *nl);
int fipsnl_fd(const struct fipsnl *nl);

/**
 * fipsnl_next() - take an upcall
 * @nl: socket
 * @upcall: written; fipsnl_upcall_free() it
 *
 * Return: 0, -EAGAIN (none there) or -ENOBUFS (some were lost; go on).
 */
int fipsnl_next(struct fipsnl *nl, struct fipsnl_upcall **upcall);
void fipsnl_upcall_free(struct fipsnl_upcall *upcall);

/* Kept upcalls wait for fipsnl_next(), though the descriptor may not be readable? */
static inline bool fipsnl_has_pending(const struct fipsnl *nl)
{
	return nl->first || nl->lost;
}

/**
 * fipsnl_event() - an upcall as an event of the node
 * @upcall: borrowed by @ev
 * @ifindex: device that we own
 * @ev: written
 *
 * Return: 0; -ENOMSG, nothing for the node; -EPROTO, not understood.
 */
int fipsnl_event(const struct fipsnl_upcall *upcall, u32 ifindex, struct fips_event *ev);

/* ---- what the -get commands show ---- */

struct fipsnl_stats {
	struct fips_dp_stats dp;
	u64 tx_copies;
};

struct fipsnl_key {
	u32 slot;
	u32 local_index;
	u32 remote_index;
	u8 k_bit;
	bool has_key;
	u64 tx_counter;
	u64 rx_highest;
	u64 soft_limit;
	u64 hard_limit;
	u32 lifetime_ms;
};

#define FIPSNL_KEYS	3

struct fipsnl_dev {
	u32 ifindex;
	bool has_addr;
	struct fips_node_addr addr;
	u16 transport_mtu;
	u8 ttl;
	u32 linger;
	bool owned;
	u64 instance;
	u32 transports;
	u32 links;
	u32 sessions;
	u32 routes;
	size_t owner_len;
	u8 owner_data[FIPS_OWNER_DATA_MAX];
	struct fipsnl_stats stats;
};

struct fipsnl_transport {
	u32 ifindex;
	u32 id;
	u32 type;
	u16 mtu;
	struct fips_taddr local;
	u32 fd;			/* of transport-fd's answer */
	size_t owner_len;
	u8 owner_data[FIPS_OWNER_DATA_MAX];
	struct fipsnl_stats stats;
};

struct fipsnl_link {
	u32 ifindex;
	u32 id;
	u32 transport_id;
	struct fips_node_addr peer;
	struct fips_taddr remote;
	u16 mtu;
	u32 state;
	bool congested;
	struct fipsnl_key key[FIPSNL_KEYS];
	size_t keys;
	u64 last_rx_ms;		/* FIPS_NEVER if none */
	u64 age_ms;
	size_t owner_len;
	u8 owner_data[FIPS_OWNER_DATA_MAX];
	struct fipsnl_stats stats;
};

struct fipsnl_session {
	u32 ifindex;
	struct fips_node_addr remote;
	u8 ipv6[FIPS_IPV6_LEN];
	u16 path_mtu;
	u8 coords_count;
	struct fipsnl_key key[FIPSNL_KEYS];
	size_t keys;
	u64 last_data_ms;
	u64 last_rx_ms;
	u64 age_ms;
	u32 staged;
	size_t owner_len;
	u8 owner_data[FIPS_OWNER_DATA_MAX];
	struct fipsnl_stats stats;
};

struct fipsnl_route {
	u32 ifindex;
	struct fips_node_addr dest;
	u32 link_id;		/* 0: unreachable */
	u32 unreachable_ms;
	u32 generation;
	u64 last_use_ms;
};

/**
 * struct fipsnl_visitor - what a dump calls for each object; only the one asked for is needed
 */
struct fipsnl_visitor {
	void (*dev)(void *arg, const struct fipsnl_dev *dev);
	void (*transport)(void *arg, const struct fipsnl_transport *transport);
	void (*link)(void *arg, const struct fipsnl_link *link);
	void (*session)(void *arg, const struct fipsnl_session *session);
	void (*route)(void *arg, const struct fipsnl_route *route);
};

/* All 0 or a negative errno; nl->error then has the kernel's sentence, or "". */

int fipsnl_dump_devs(struct fipsnl *nl, const struct fipsnl_visitor *v, void *arg);
int fipsnl_dump_transports(struct fipsnl *nl, u32 ifindex, const struct fipsnl_visitor *v,
			   void *arg);
int fipsnl_dump_links(struct fipsnl *nl, u32 ifindex, const struct fipsnl_visitor *v, void *arg);
int fipsnl_dump_sessions(struct fipsnl *nl, u32 ifindex, const struct fipsnl_visitor *v,
			 void *arg);
int fipsnl_dump_routes(struct fipsnl *nl, u32 ifindex, const struct fipsnl_visitor *v, void *arg);

int fipsnl_dev_get(struct fipsnl *nl, u32 ifindex, struct fipsnl_dev *dev);
int fipsnl_transport_get(struct fipsnl *nl, u32 ifindex, u32 id, struct fipsnl_transport *t);
int fipsnl_link_get(struct fipsnl *nl, u32 ifindex, u32 id, struct fipsnl_link *link);
int fipsnl_session_get(struct fipsnl *nl, u32 ifindex, const struct fips_node_addr *remote,
		       struct fipsnl_session *session);

/* ---- commands; arguments as in libfips/dataplane.h ---- */

/* Become the owner: control upcalls come to @nl, data upcalls to @data_port. */
int fipsnl_dev_own(struct fipsnl *nl, u32 ifindex, u32 data_port, bool takeover);
int fipsnl_dev_set(struct fipsnl *nl, u32 ifindex, const struct fips_dp_dev *dev);
int fipsnl_dev_set_linger(struct fipsnl *nl, u32 ifindex, u32 linger);
int fipsnl_dev_set_owner_data(struct fipsnl *nl, u32 ifindex, const void *data, size_t len);

int fipsnl_transport_new(struct fipsnl *nl, u32 ifindex, const struct fips_transport_info *info,
			 int fd);
int fipsnl_transport_del(struct fipsnl *nl, u32 ifindex, u32 id);
/* A descriptor of the lent socket, the caller's to close; or a negative errno. */
int fipsnl_transport_fd(struct fipsnl *nl, u32 ifindex, u32 id);

int fipsnl_link_new(struct fipsnl *nl, u32 ifindex, const struct fips_dp_link *link);
int fipsnl_link_move(struct fipsnl *nl, u32 ifindex, u32 id, u32 transport_id,
		     const struct fips_taddr *remote);
int fipsnl_link_del(struct fipsnl *nl, u32 ifindex, u32 id);
int fipsnl_link_key_new(struct fipsnl *nl, u32 ifindex, u32 id, const struct fips_dp_key *key);
int fipsnl_link_key_swap(struct fipsnl *nl, u32 ifindex, u32 id);
int fipsnl_link_key_del(struct fipsnl *nl, u32 ifindex, u32 id, u32 slot);
int fipsnl_link_xmit(struct fipsnl *nl, u32 ifindex, u32 id, u32 slot, const void *msg,
		     size_t len);

int fipsnl_link_report(struct fipsnl *nl, u32 ifindex, u32 id, u32 take,
		       struct fips_mmp_report *report);
int fipsnl_link_congested(struct fipsnl *nl, u32 ifindex, u32 id, bool congested);
int fipsnl_link_set_owner_data(struct fipsnl *nl, u32 ifindex, u32 id, const void *data,
			       size_t len);

int fipsnl_session_new(struct fipsnl *nl, u32 ifindex, const struct fips_dp_session *s);
int fipsnl_session_set_owner_data(struct fipsnl *nl, u32 ifindex,
				  const struct fips_node_addr *remote, const void *data,
				  size_t len);
int fipsnl_session_set(struct fipsnl *nl, u32 ifindex, const struct fips_dp_session *s);
int fipsnl_session_del(struct fipsnl *nl, u32 ifindex, const struct fips_node_addr *remote);
int fipsnl_session_key_new(struct fipsnl *nl, u32 ifindex, const struct fips_node_addr *remote,
			   const struct fips_dp_key *key);
int fipsnl_session_key_swap(struct fipsnl *nl, u32 ifindex, const struct fips_node_addr *remote);
int fipsnl_session_key_del(struct fipsnl *nl, u32 ifindex, const struct fips_node_addr *remote,
			   u32 slot);
int fipsnl_session_xmit(struct fipsnl *nl, u32 ifindex, const struct fips_node_addr *remote,
			u32 slot, u8 msg_type, bool with_coords, const void *body, size_t len);
int fipsnl_session_report(struct fipsnl *nl, u32 ifindex, const struct fips_node_addr *remote,
			  u32 take, struct fips_mmp_report *report);
int fipsnl_unreachable(struct fipsnl *nl, u32 ifindex, const u8 *ipv6, u32 ms);

int fipsnl_route_set(struct fipsnl *nl, u32 ifindex, const struct fips_node_addr *dest,
		     u32 link_id, u32 generation);
int fipsnl_route_unreachable(struct fipsnl *nl, u32 ifindex, const struct fips_node_addr *dest,
			     u32 ms);
int fipsnl_route_del(struct fipsnl *nl, u32 ifindex, const struct fips_node_addr *dest);
int fipsnl_route_flush(struct fipsnl *nl, u32 ifindex, u32 older_than);

/* ---- shared by the fipsnl_*.c ---- */

typedef int (*fipsnl_reply_fn)(const struct nlmsghdr *nlh, void *arg);

/* A request of @cmd, or NULL without memory. @flags: NLM_F_DUMP or 0. */
struct nl_msg *fipsnl_request(struct fipsnl *nl, u8 cmd, int flags);
/* Send, wipe and free @msg, read answers up to the ACK; @reply may be NULL. */
int fipsnl_call(struct fipsnl *nl, struct nl_msg *msg, fipsnl_reply_fn reply, void *arg);

const struct nlmsghdr *fipsnl_upcall_header(const struct fipsnl_upcall *upcall);
int fipsnl_read_event(const struct nlmsghdr *nlh, u32 ifindex, struct fips_event *ev);
int fipsnl_read_dev(const struct nlmsghdr *nlh, struct fipsnl_dev *dev);
int fipsnl_read_transport(const struct nlmsghdr *nlh, struct fipsnl_transport *transport);
int fipsnl_read_link(const struct nlmsghdr *nlh, struct fipsnl_link *link);
int fipsnl_read_session(const struct nlmsghdr *nlh, struct fipsnl_session *session);
int fipsnl_read_link_report(const struct nlmsghdr *nlh, struct fips_mmp_report *report);
int fipsnl_read_session_report(const struct nlmsghdr *nlh, struct fips_mmp_report *report);
int fipsnl_read_route(const struct nlmsghdr *nlh, struct fipsnl_route *route);

#endif /* FIPS_NL_FIPSNL_H */
