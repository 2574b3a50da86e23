// SPDX-License-Identifier: MIT
/*
 * What each key means, for fips.yaml(5). Types, ranges and defaults are the key
 * table's (config_keys.c); a test sees to it that both name the same keys.
 * "*" stands for a name: of an instance, or a list's element.
 */
#include <string.h>

#include "config_doc.h"

#define D(path_, text_)	{ path_, text_ }

static const struct fips_config_doc docs[] = {
	D("node", "The node itself."),
	D("node.leaf_only", "Take part as a leaf: carry nothing for others."),
	D("node.tick_interval_secs", "Period of sampling and of looking at files that may change."),
	D("node.base_rtt_ms", "Round trip assumed before any was measured."),
	D("node.heartbeat_interval_secs", "A heartbeat on every link so often."),
	D("node.link_dead_timeout_secs", "Silence after which a peer is given up."),
	D("node.drain_timeout_secs",
	  "How long a stopping node waits for its peers to go; 0 leaves at once."),
	D("node.log_level",
	  "*trace*, *debug*, *info*, *warn* or *error*; anything else is *info*. The "
	  "environment variable RUST_LOG wins."),
	D("node.dataplane",
	  "Ours. *kernel*: the module moves the packets. *user*: the daemon does. *auto*: the "
	  "kernel where the module is loaded or can be."),
	D("node.linger_secs",
	  "Ours. Seconds that the kernel's traffic outlives a daemon that died; 0 ends it at "
	  "once."),

	D("node.identity", "Who the node is."),
	D("node.identity.nsec",
	  "The secret key, *nsec1...* or 64 hexadecimal digits. Wins over key files."),
	D("node.identity.persistent",
	  "Keep the identity in *fips.key* beside the configuration file, and make it if it "
	  "is not there. Otherwise each start has a new identity."),

	D("node.limits", "Bounds on what others can make the node hold."),
	D("node.limits.max_connections", "Handshakes and connections at once; 0 is unlimited."),
	D("node.limits.max_peers", "Peers; 0 is unlimited."),
	D("node.limits.max_links", "Links; 0 is unlimited."),
	D("node.limits.max_pending_inbound", "Inbound handshakes in progress."),

	D("node.rate_limit", "Token buckets, and the repetition of handshakes."),
	D("node.rate_limit.handshake_burst", "First handshakes of strangers, at once."),
	D("node.rate_limit.handshake_rate", "The same, each second."),
	D("node.rate_limit.handshake_timeout_secs", "A handshake not done by then is given up."),
	D("node.rate_limit.handshake_resend_interval_ms", "When its message is first repeated."),
	D("node.rate_limit.handshake_resend_backoff", "How much longer each repetition waits."),
	D("node.rate_limit.handshake_max_resends", "Repetitions."),
	D("node.rate_limit.established_handshake_burst",
	  "Handshakes of those we know, at once. Unset: **limits.max_peers**."),
	D("node.rate_limit.established_handshake_rate",
	  "The same, each second. Unset: what all peers together need for their rekeys."),
	D("node.rate_limit.session_setup_burst", "Session setups of one neighbour, at once."),
	D("node.rate_limit.session_setup_rate", "The same, each second."),

	D("node.retry", "When a peer is dialled again."),
	D("node.retry.max_retries",
	  "Attempts for a peer that was never reached; 0 dials once and no more."),
	D("node.retry.base_interval_secs", "First wait; each failure doubles it."),
	D("node.retry.max_backoff_secs", "Longest wait."),

	D("node.cache", "What is remembered of nodes that are no peers."),
	D("node.cache.coord_size", "Coordinates of so many nodes."),
	D("node.cache.coord_ttl_secs", "How long they are believed."),
	D("node.cache.identity_size", "Keys of so many nodes, by their IPv6 address."),

	D("node.lookup", "Questions for a node's coordinates."),
	D("node.lookup.ttl", "Hops that a question travels."),
	D("node.lookup.attempt_timeouts_secs", "One attempt each, and how long it is waited for."),
	D("node.lookup.recent_expiry_secs", "How long a question is known as one seen before."),
	D("node.lookup.backoff_base_secs",
	  "After a failure the target is not asked for again so long; 0 is off."),
	D("node.lookup.backoff_max_secs", "Longest such pause; 0 is off."),
	D("node.lookup.forward_min_interval_secs",
	  "Questions of others for one target are passed on so often."),

	D("node.rendezvous", "Finding peers."),
	D("node.rendezvous.nostr", "Finding peers through nostr relays, and traversal of NAT."),
	D("node.rendezvous.nostr.enabled", "Use relays at all."),
	D("node.rendezvous.nostr.advertise", "Publish where this node can be reached."),
	D("node.rendezvous.nostr.advert_relays", "Relays for adverts."),
	D("node.rendezvous.nostr.dm_relays", "Relays for offers and answers."),
	D("node.rendezvous.nostr.stun_servers", "Servers that tell our address."),
	D("node.rendezvous.nostr.share_local_candidates",
	  "Tell addresses of the own network, too."),
	D("node.rendezvous.nostr.app", "Tag of the adverts; nodes with another one are not found."),
	D("node.rendezvous.nostr.signal_ttl_secs",
	  "How long an offer lives; 120 s and more below **replay_window_secs**."),
	D("node.rendezvous.nostr.policy",
	  "Whom to find: nobody, the peers of this file, or everybody."),
	D("node.rendezvous.nostr.open_discovery_max_pending", "Nodes dialled at once when open."),
	D("node.rendezvous.nostr.max_concurrent_incoming_offers", "Offers of others at once."),
	D("node.rendezvous.nostr.max_concurrent_offers_per_npub", "Of one node at once."),
	D("node.rendezvous.nostr.advert_cache_max_entries", "Adverts remembered."),
	D("node.rendezvous.nostr.seen_sessions_max_entries", "Offers remembered, against replay."),
	D("node.rendezvous.nostr.attempt_timeout_secs", "One traversal may take so long."),
	D("node.rendezvous.nostr.replay_window_secs", "Older offers are refused."),
	D("node.rendezvous.nostr.punch_start_delay_ms", "From the answer to the first punch."),
	D("node.rendezvous.nostr.punch_interval_ms", "Between two punches."),
	D("node.rendezvous.nostr.punch_duration_ms", "Punching ends by then."),
	D("node.rendezvous.nostr.advert_ttl_secs", "How long our advert is valid."),
	D("node.rendezvous.nostr.advert_refresh_secs", "How often it is published."),
	D("node.rendezvous.nostr.startup_sweep_delay_secs", "From the start to the first search."),
	D("node.rendezvous.nostr.startup_sweep_max_age_secs", "Older adverts are passed over."),
	D("node.rendezvous.nostr.failure_streak_threshold",
	  "So many failures in a row, then a rest."),
	D("node.rendezvous.nostr.extended_cooldown_secs", "How long that rest is."),
	D("node.rendezvous.nostr.warn_log_interval_secs", "The log tells of one node so often."),
	D("node.rendezvous.nostr.failure_state_max_entries",
	  "Nodes whose failures are remembered."),
	D("node.rendezvous.nostr.protocol_mismatch_cooldown_secs",
	  "A node of another version is left alone so long."),
	D("node.rendezvous.lan", "Finding peers in the own network, by mDNS."),
	D("node.rendezvous.lan.enabled", "Look, and be seen."),
	D("node.rendezvous.lan.service_type", "Name of the service."),
	D("node.rendezvous.lan.scope", "Only nodes with the same text are found."),

	D("node.tree", "The spanning tree."),
	D("node.tree.announce_min_interval_ms", "Announces to one peer, at most so often."),
	D("node.tree.parent_hysteresis", "How much better, as a fraction, a new parent must be."),
	D("node.tree.hold_down_secs", "No other change of parent so long after one."),
	D("node.tree.reeval_interval_secs", "The parent is looked at again so often; 0 is off."),
	D("node.tree.flap_threshold", "So many changes in the window are flapping."),
	D("node.tree.flap_window_secs", "That window."),
	D("node.tree.flap_dampening_secs", "Who flaps keeps its parent so long."),

	D("node.bloom", "Filters: who is behind which peer."),
	D("node.bloom.update_debounce_ms", "Filters to one peer, at most so often."),
	D("node.bloom.max_inbound_fpr",
	  "A peer's filter with more false positives than this is refused."),

	D("node.session", "End-to-end sessions."),
	D("node.session.default_ttl", "Hops of our packets."),
	D("node.session.pending_packets_per_dest", "Packets that wait for one session."),
	D("node.session.pending_max_destinations", "Sessions that packets may wait for."),
	D("node.session.idle_timeout_secs", "Idle ones end; 0: never."),
	D("node.session.coords_warmup_packets", "Packets that carry coordinates, at the start."),
	D("node.session.coords_response_interval_ms",
	  "Requests for coordinates are answered so often."),

#define MMP(s, what)										\
	D("node." s, what),									\
	D("node." s ".mode",									\
	  "*full*: all reports; *lightweight*: fewer; *minimal*: none but what is needed."),	\
	D("node." s ".log_interval_secs", "The log tells the figures so often."),		\
	D("node." s ".owd_window_size", "Samples of the trend of delays.")
	MMP("mmp", "Metrics of links."),
	MMP("session_mmp", "Metrics of sessions."),

	D("node.ecn", "Marking of packets when a link is congested."),
	D("node.ecn.enabled", "Mark at all."),
	D("node.ecn.loss_threshold", "Loss, as a fraction, that is congestion."),
	D("node.ecn.etx_threshold", "Transmissions a packet needs that are congestion."),

	D("node.rekey", "New keys for links and sessions."),
	D("node.rekey.enabled", "Make them by ourselves; a peer's wish is always met."),
	D("node.rekey.after_secs", "Age at which keys are replaced, give or take 15 s."),
	D("node.rekey.after_messages", "Or so many packets under them."),

	D("node.control", "The socket of **fipsctl**\\(8)."),
	D("node.control.enabled", "Have one."),
	D("node.control.socket_path",
	  "Unset: */run/fips/control.sock* if */run/fips* exists, else "
	  "*$XDG_RUNTIME_DIR/fips/control.sock*, else */tmp/fips-control.sock*."),
	D("node.native_api", "Datagrams by npub and port, for programs."),
	D("node.native_api.enabled", "Have it."),
	D("node.native_api.socket_path", "As for **control**, but *api.sock*."),
	D("node.native_api.pending_per_flow", "Datagrams that wait for a flow to be accepted."),
	D("node.native_api.backlog", "Flows that wait for a listener."),
	D("node.native_api.max_flows", "Flows at once."),
	D("node.native_api.debug_commands", "Commands for tests."),
	D("node.buffers", "Queues of the Rust node; ours has others."),
	D("node.buffers.packet_channel", "Packets from transports."),
	D("node.buffers.tun_channel", "Packets from the interface."),
	D("node.buffers.dns_channel", "Names asked for."),

	D("tun", "The interface that carries IPv6 to the other nodes."),
	D("tun.enabled", "Have one."),
	D("tun.name", "Its name, 1 to 15 characters."),
	D("tun.mtu",
	  "Largest IPv6 packet. What transports can't carry is answered with Packet Too Big."),

	D("dns", "Names under *.fips*."),
	D("dns.enabled", "Answer queries for *NAME.fips*, over UDP and TCP."),
	D("dns.bind_addr", "Address to answer at; queries out of the mesh get no answer anywhere."),
	D("dns.port", "Port; 0: any free one. 53 lets a plain resolv.conf use it."),
	D("dns.ttl", "Seconds that an answer may be kept."),

	D("transports",
	  "What carries the links. Each is one block, or a map of names to blocks. At least "
	  "one must start."),
#define BUFFERS(t)										\
	D("transports." t ".*.recv_buf_size", "Receive buffer of a socket, bytes."),		\
	D("transports." t ".*.send_buf_size", "Send buffer, bytes.")
	D("transports.udp", "UDP."),
	D("transports.udp.*.bind_addr",
	  "Address and port, *[::]:2121* for IPv6. Unset: 0.0.0.0:2121."),
	D("transports.udp.*.mtu",
	  "Largest frame. 1472 fits Ethernet under IPv4, 1452 under IPv6."),
	BUFFERS("udp"),
	D("transports.udp.*.advertise_on_nostr", "Publish this transport."),
	D("transports.udp.*.public",
	  "It can be reached as it is; otherwise others must punch through a NAT."),
	D("transports.udp.*.external_addr", "What to publish, if not the address that is bound."),
	D("transports.udp.*.outbound_only", "Bind any free port, accept nobody, publish nothing."),
	D("transports.udp.*.accept_connections", "Answer handshakes of strangers."),
	D("transports.ethernet", "Frames of Ethernet, without IP."),
	D("transports.ethernet.*.interface", "On which interface."),
	D("transports.ethernet.*.ethertype", "Type of the frames."),
	D("transports.ethernet.*.mtu", "Largest frame; 0 or unset: the interface's less 3."),
	BUFFERS("ethernet"),
	D("transports.ethernet.*.listen", "Hear beacons."),
	D("transports.ethernet.*.announce", "Send beacons."),
	D("transports.ethernet.*.auto_connect", "Dial who sends beacons."),
	D("transports.ethernet.*.accept_connections", "Answer handshakes of strangers."),
	D("transports.ethernet.*.beacon_interval_secs", "A beacon so often; below 10 is 10."),
	D("transports.tcp", "TCP."),
	D("transports.tcp.*.bind_addr", "Address and port; unset: only dial."),
	D("transports.tcp.*.mtu", "Largest frame."),
	D("transports.tcp.*.connect_timeout_ms", "How long a connection may take to be made."),
	D("transports.tcp.*.nodelay", "Send small frames at once."),
	D("transports.tcp.*.keepalive_secs", "Probe idle connections so often; 0 is off."),
	BUFFERS("tcp"),
	D("transports.tcp.*.max_inbound_connections", "Unset: **node.limits.max_connections**."),
	D("transports.tcp.*.advertise_on_nostr", "Publish this transport."),
	D("transports.tcp.*.external_addr", "What to publish, if not the address that is bound."),
	D("transports.tor", "Tor."),
	D("transports.tor.*.mode",
	  "*socks5*: only dial; *control_port*, *directory*: be a hidden service, too."),
	D("transports.tor.*.socks5_addr", "Tor's proxy."),
	D("transports.tor.*.connect_timeout_ms", "How long a connection may take to be made."),
	D("transports.tor.*.mtu", "Largest frame."),
	D("transports.tor.*.control_addr", "Tor's control port, a path or host:port."),
	D("transports.tor.*.control_auth", "*cookie*, *cookie:PATH* or *password:TEXT*."),
	D("transports.tor.*.cookie_path", "Where Tor's cookie is."),
	D("transports.tor.*.max_inbound_connections", "Connections of others at once."),
	D("transports.tor.*.directory_service", "For *mode: directory* only."),
	D("transports.tor.*.directory_service.hostname_file",
	  "Where Tor wrote the service's name."),
	D("transports.tor.*.directory_service.bind_addr", "Where Tor brings the connections."),
	D("transports.tor.*.advertise_on_nostr", "Publish this transport."),
	D("transports.tor.*.advertised_port", "With this port."),
	D("transports.nym", "Nym's mixnet; only dials."),
	D("transports.nym.*.socks5_addr", "Its proxy."),
	D("transports.nym.*.connect_timeout_ms", "How long a connection may take to be made."),
	D("transports.nym.*.mtu", "Largest frame."),
	D("transports.nym.*.startup_timeout_secs", "How long the proxy may take to be there."),
	D("transports.ble", "Bluetooth Low Energy."),
	D("transports.ble.*.adapter", "Which adapter."),
	D("transports.ble.*.psm", "Channel number."),
	D("transports.ble.*.mtu", "Largest frame."),
	D("transports.ble.*.max_connections", "At once."),
	D("transports.ble.*.connect_timeout_ms", "How long a connection may take to be made."),
	D("transports.ble.*.advertise", "Be seen."),
	D("transports.ble.*.scan", "Look for others."),
	D("transports.ble.*.auto_connect", "Dial who is seen."),
	D("transports.ble.*.accept_connections", "Answer handshakes of strangers."),
	D("transports.ble.*.probe_cooldown_secs", "Try one device again so late."),

	D("peers", "Whom to dial: a list."),
	D("peers.*.npub", "Who. A peer whose npub can't be read is left out."),
	D("peers.*.alias",
	  "A name to show; if it can be a host name, it is one under *.fips*, too."),
	D("peers.*.addresses", "Where: a list. All are dialled at once, as far as limits allow."),
	D("peers.*.addresses.*.transport", "*udp*, or *udp/NAME* for one instance."),
	D("peers.*.addresses.*.addr", "*host:port*, or what the transport calls an address."),
	D("peers.*.addresses.*.priority", "Lower is dialled first."),
	D("peers.*.connect_policy",
	  "*auto_connect* is dialled at the start and whenever it is gone; the others are "
	  "not."),
	D("peers.*.auto_reconnect", "Dial again when the link died."),
	D("peers.*.via_nostr", "Find it through relays."),

	D("gateway", "A LAN's way into the mesh; needs **pool** and **lan_interface**."),
	D("gateway.enabled", "Be one."),
	D("gateway.pool", "IPv6 prefix to give names of the mesh addresses from."),
	D("gateway.lan_interface", "Where the LAN is."),
	D("gateway.dns", "Its names."),
	D("gateway.dns.listen", "Address and port."),
	D("gateway.dns.upstream", "Whom it asks."),
	D("gateway.dns.ttl", "Seconds that an answer may be kept."),
	D("gateway.pool_grace_period", "Seconds before an address is used anew."),
	D("gateway.conntrack", "Lives of translated connections."),
	D("gateway.conntrack.tcp_established", "Seconds."),
	D("gateway.conntrack.udp_timeout", "Seconds, until an answer came."),
	D("gateway.conntrack.udp_assured", "Seconds, after that."),
	D("gateway.conntrack.icmp_timeout", "Seconds."),
	D("gateway.port_forwards", "Ports of this node that lead into the LAN: a list."),
	D("gateway.port_forwards.*.listen_port", "Port."),
	D("gateway.port_forwards.*.proto", "Of which protocol."),
	D("gateway.port_forwards.*.target", "*[address]:port*, in numbers."),
};

const struct fips_config_doc *fips_config_docs(size_t *n)
{
	*n = sizeof(docs) / sizeof(docs[0]);
	return docs;
}

const char *fips_config_doc(const char *path)
{
	size_t i;

	for (i = 0; i < sizeof(docs) / sizeof(docs[0]); i++)
		if (!strcmp(docs[i].path, path))
			return docs[i].text;
	return NULL;
}
