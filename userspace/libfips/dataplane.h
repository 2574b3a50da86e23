/* SPDX-License-Identifier: MIT */
/*
 * The data plane as the node sees it: one ops table, several providers
 * (kernel: generic netlink to fips.ko; user: threads, TUN and sockets in this
 * process; sim: the packet core on virtual time). It mirrors the netlink
 * family (netlink-spec/fips.yaml) command by command.
 *
 * Order: what a provider is told takes effect in the order told, also against
 * node_ops->raw_send(): an index registered before a msg1 is sent is known when
 * the msg2 arrives. (Generic netlink runs a command inside sendmsg(), so the
 * kernel provider gets this for nothing.)
 *
 * Failure: an op returns 0 or a negative errno at once. A provider that can
 * only tell later returns -EINPROGRESS and raises FIPS_EV_OP_RESULT.
 */
#ifndef FIPS_DATAPLANE_H
#define FIPS_DATAPLANE_H

#include <fips/mmp.h>
#include <fips/wire.h>
#include <uapi/linux/fips.h>

#include "taddr.h"

#define FIPS_DROP_REASONS	(FIPS_DROP_REASON_NO_OWNER + 1)
#define FIPS_NEVER		(~(u64)0)

/**
 * struct fips_dp_dev - what the device must know about its node
 * @addr: own node address
 * @transport_mtu: smallest frame size among the transports (spec 09 §8.1)
 * @ttl: TTL of datagrams that start here
 */
struct fips_dp_dev {
	struct fips_node_addr addr;
	u16 transport_mtu;
	u8 ttl;
};

/**
 * struct fips_dp_key - one key epoch of a link or session
 * @slot: FIPS_KEY_SLOT_*
 * @local_index: link only; the index the peer puts into its frames
 * @remote_index: link only; the index we put into ours; valid with @has_key
 * @has_key: @tx and @rx are there; without it only the index is registered
 * @tx: sending key
 * @rx: receiving key
 * @k_bit: key-epoch bit to send
 * @initiator: turn the spin bit (spec 04 §7), else reflect it
 * @soft_limit: send counter that raises FIPS_EV_KEY_LIMIT, 0 = none
 * @hard_limit: send counter from which nothing is sealed, 0 = 2^64-1
 * @lifetime_ms: time to the last instant of use, 0 = no end
 *
 * The provider copies the keys; the caller wipes its own.
 */
struct fips_dp_key {
	u32 slot;
	u32 local_index;
	u32 remote_index;
	bool has_key;
	u8 tx[FIPS_KEY_LEN];
	u8 rx[FIPS_KEY_LEN];
	u8 k_bit;
	bool initiator;
	u64 soft_limit;
	u64 hard_limit;
	u32 lifetime_ms;
};

/**
 * struct fips_dp_link - a link to make
 * @id: the node's number of it, from 1, never reused while the node runs
 * @transport_id: transport that carries it
 * @peer: node address of the peer
 * @remote: the peer's endpoint
 * @mtu: largest frame
 * @candidate: as responder: announce FIPS_EV_LINK_CONFIRMED with the first frame
 * @key: first epoch (index with or without keys), or NULL
 */
struct fips_dp_link {
	u32 id;
	u32 transport_id;
	struct fips_node_addr peer;
	struct fips_taddr remote;
	u16 mtu;
	bool candidate;
	const struct fips_dp_key *key;
};

/**
 * struct fips_dp_session - a session to make or change
 * @remote: node address of the far end
 * @path_mtu: largest frame the whole path carries, %FIPS_MTU_UNKNOWN if not known
 * @coords: both coordinate lists as on the wire, or NULL
 * @coords_len: their length in bytes
 * @coords_count: messages that still carry them
 * @key: first epoch, or NULL
 */
struct fips_dp_session {
	struct fips_node_addr remote;
	u16 path_mtu;
	const void *coords;
	size_t coords_len;
	u8 coords_count;
	const struct fips_dp_key *key;
};

/**
 * struct fips_dp_stats - traffic of an object since it was made
 * @rx_packets: authenticated frames or messages
 * @rx_bytes: their bytes, headers and tags included
 * @tx_packets: frames or messages sealed and handed down
 * @tx_bytes: their bytes
 * @forwarded: device: transit datagrams
 * @ce_packets: frames that arrived with CE
 * @ce_delivered: device: packets for the stack that arrived with CE
 * @ce_forwarded: device: transit datagrams that left with CE
 * @ce_marked: device: those of them whose next hop is congested
 * @drops: packets by FIPS_DROP_REASON_*
 */
struct fips_dp_stats {
	u64 rx_packets;
	u64 rx_bytes;
	u64 tx_packets;
	u64 tx_bytes;
	u64 forwarded;
	u64 ce_packets;
	u64 ce_delivered;
	u64 ce_forwarded;
	u64 ce_marked;
	u64 drops[FIPS_DROP_REASONS];
};

/**
 * struct fips_dp_link_info - state of a link
 * @last_rx_ms: milliseconds since a frame authenticated, %FIPS_NEVER if none has
 * @remote: the peer's endpoint now
 * @tx_counter: next send counter of the current key
 * @stats: traffic
 */
struct fips_dp_link_info {
	u64 last_rx_ms;
	struct fips_taddr remote;
	u64 tx_counter;
	struct fips_dp_stats stats;
};

/**
 * struct fips_dp_session_info - state of a session
 * @last_data_ms: milliseconds since Data went either way, %FIPS_NEVER if none has
 * @last_rx_ms: milliseconds since a message authenticated, %FIPS_NEVER if none has
 * @path_mtu: largest frame the path carries
 * @staged: packets that wait
 * @tx_counter: next send counter of the current key
 * @k_bit: key-epoch bit of the current key: a responder's follows its initiator's
 * @stats: traffic
 */
struct fips_dp_session_info {
	u64 last_data_ms;
	u64 last_rx_ms;
	u16 path_mtu;
	u32 staged;
	u64 tx_counter;
	u8 k_bit;
	struct fips_dp_stats stats;
};

/*
 * struct fips_dp_ops - what a data plane can be told
 *
 * All are called from the node's thread; none calls back into the node: what a
 * provider has to say comes as an event later. 0 or a negative errno.
 */
struct fips_dp_ops {
	const char *name;	/* "kernel", "user", "sim" */

	int (*dev_set)(void *dp, const struct fips_dp_dev *dev);

	int (*link_new)(void *dp, const struct fips_dp_link *link);
	/* Move the link: transport and endpoint. */
	int (*link_move)(void *dp, u32 id, u32 transport_id, const struct fips_taddr *remote);
	int (*link_del)(void *dp, u32 id);
	int (*link_key_new)(void *dp, u32 id, const struct fips_dp_key *key);
	int (*link_key_swap)(void *dp, u32 id);
	int (*link_key_del)(void *dp, u32 id, u32 slot);
	/* @msg: type byte first, without the timestamp; the provider adds it. */
	int (*link_xmit)(void *dp, u32 id, u32 slot, const void *msg, size_t len);
	int (*link_get)(void *dp, u32 id, struct fips_dp_link_info *info);
	/*
	 * The metrics' sums; @take (FIPS_MMP_TAKE_*) says which intervals end. The first frame
	 * after it raises FIPS_EV_LINK_ACTIVE.
	 */
	int (*link_report)(void *dp, u32 id, u32 take, struct fips_mmp_report *report);
	/* Mark what is forwarded over it with CE, or no longer. */
	int (*link_congested)(void *dp, u32 id, bool congested);

	int (*session_new)(void *dp, const struct fips_dp_session *s);
	/* Takes @path_mtu, @coords, @coords_count; @key is not looked at. */
	int (*session_set)(void *dp, const struct fips_dp_session *s);
	int (*session_del)(void *dp, const struct fips_node_addr *remote);
	int (*session_key_new)(void *dp, const struct fips_node_addr *remote,
			       const struct fips_dp_key *key);
	int (*session_key_swap)(void *dp, const struct fips_node_addr *remote);
	int (*session_key_del)(void *dp, const struct fips_node_addr *remote, u32 slot);
	int (*session_xmit)(void *dp, const struct fips_node_addr *remote, u32 slot, u8 msg_type,
			    bool with_coords, const void *body, size_t len);
	int (*session_get)(void *dp, const struct fips_node_addr *remote,
			   struct fips_dp_session_info *info);
	/* As link_report(); FIPS_EV_SESSION_ACTIVE. */
	int (*session_report)(void *dp, const struct fips_node_addr *remote, u32 take,
			      struct fips_mmp_report *report);
	/* Refuse packets to @ipv6 with ICMPv6, staged ones and new ones for @ms; 0: no longer. */
	int (*unreachable)(void *dp, const u8 *ipv6, u32 ms);

	int (*route_set)(void *dp, const struct fips_node_addr *dest, u32 link_id, u32 generation);
	int (*route_unreachable)(void *dp, const struct fips_node_addr *dest, u32 ms);
	int (*route_del)(void *dp, const struct fips_node_addr *dest);
	int (*route_flush)(void *dp, u32 older_than);

	/* Device totals. */
	int (*dev_get)(void *dp, struct fips_dp_stats *stats);

	/*
	 * Owner data: opaque bytes that a successor of this process finds (at most 512, nothing
	 * secret). All three or none; a data plane that dies with the process has none.
	 */
	int (*dev_owner)(void *dp, const void *data, size_t len);
	int (*link_owner)(void *dp, u32 id, const void *data, size_t len);
	int (*session_owner)(void *dp, const struct fips_node_addr *remote, const void *data,
			     size_t len);
};

#endif /* FIPS_DATAPLANE_H */
