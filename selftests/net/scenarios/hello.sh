# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Two nodes find each other, agree on keys, and answer pings by address.
#
#	a (fips0) ──── cable ──── b (fips0)        a dials, b listens
run_scenario() {
	both_up
	for node in a b; do
		run test "$(get $node status .npub)" = "${NODE_NPUB[$node]}"
		run test "$(get $node status .ipv6_addr)" = "${NODE_IP6[$node]}"
		run test "$(get $node status .tun_state)" = active
		ip -n "$(ns $node)" -d link show fips0
	done
	run holds a peers '.peers[0].direction == "outbound"'
	run holds b peers '.peers[0].direction == "inbound"'

	# The first packet waits for the session and is not lost.
	run ping_all a 10
	run ping_all b 10
	wait_for 5 in_session a
	wait_for 5 in_session b
	run holds a status '.peer_count == 1 and .link_count == 1 and .session_count == 1'
	wait_for 5 link_balanced
}
