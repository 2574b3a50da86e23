# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Where attacks take place: a and b talk through r, and x is the network itself,
# a bridge with an address and an ear: it sees everything and may say that it is anybody.
#
#	a ___           ___ b
#	     \___ x ___/
#	          |
#	          r
#
#	a 10.79.0.1   r 10.79.0.2   b 10.79.0.3   x 10.79.0.9
#	newcomers 10.79.0.21 (configured at r) and .22; .30 is dialled by r, and silent:
#	that is c, whom a looks for in vain all the time
#	10.99.0.0/16 is where spoofed packets say to come from

# shellcheck source=../lib/mesh.sh disable=SC1091
. "$(dirname "${BASH_SOURCE[0]}")/../lib/mesh.sh"

HOSTILE=${HOSTILE:-$(find_program hostile)}
QUIET=1
declare -Ar ARENA_IP=([a]=10.79.0.1 [r]=10.79.0.2 [b]=10.79.0.3)

# Who is who; r is not the root, so that it has a parent to lose.
arena_identity() { # NAME MESH-NAME
	NODE_SECRET[$1]=${NODE_SECRET[$2]} NODE_NPUB[$1]=${NODE_NPUB[$2]}
	NODE_IP6[$1]=${NODE_IP6[$2]} NODE_HEX[$1]=${NODE_HEX[$2]}
}

arena_cable() { # NODE
	local node=$1

	ip -n "$(ns x)" link add "p-$node" type veth peer name u0 netns "$(ns "$node")"
	ip -n "$(ns x)" link set "p-$node" master br0 up
	ip -n "$(ns "$node")" link set lo up
	ip -n "$(ns "$node")" link set u0 up
	ip -n "$(ns "$node")" address add "${ARENA_IP[$node]}/24" dev u0
	ip -n "$(ns "$node")" route add default via 10.79.0.9
}

topology() {
	local node ip

	for node in x a r b; do
		ip netns add "$(ns $node)"
	done
	ip -n "$(ns x)" link set lo up
	ip -n "$(ns x)" link add br0 type bridge forward_delay 0 mcast_snooping 0
	ip -n "$(ns x)" link set br0 up
	for ip in 9 21 22 30; do
		ip -n "$(ns x)" address add "10.79.0.$ip/24" dev br0
	done
	for node in a r b; do
		arena_cable $node
	done
}

arena_confs() {
	node_conf a 0.0.0.0:2121
	conf_peer a r 10.79.0.2:2121
	conf_peer a b 192.0.2.1:2121 manual
	conf_peer a c 192.0.2.1:2121 manual
	node_conf b 0.0.0.0:2121
	conf_peer b r 10.79.0.2:2121
	conf_peer b a 192.0.2.1:2121 manual
	node_conf r 0.0.0.0:2121
	conf_peer r c 10.79.0.30:2121
	conf_peer r j 10.79.0.21:2121 manual
}

ping_through() {
	in_ns a ping -6 -n -q -c 3 -i 0.05 -W 1 "${NODE_IP6[b]}" | grep -q ' 0% packet loss'
}

# Nodes up, handshakes on tape: a's twice, of a process that was and of one that is.
arena_start() {
	local node

	: >"$WORK/tape"
	spawn x "$WORK/tape-log" "$HOSTILE" tape "$WORK/tape"
	arena_confs
	for node in r a b; do
		node_start $node
	done
	wait_for 20 ping_through
	node_kill a
	ip -n "$(ns a)" link del fips0 2>/dev/null || :
	node_start a
	wait_for 20 ping_through
	spawn a /dev/null ping -6 -n -q -i 0.5 "${NODE_IP6[c]}"
}

arena_open() {
	NODES=(a r b x)
	arena_identity a n2
	arena_identity r n3
	arena_identity b n4
	arena_identity c n9
	arena_identity j n10
	KIND[r]=$VICTIM
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/fips-$RUN-XXXXXX")
	export HOSTILE_VICTIM="10.79.0.2:2121 ${NODE_NPUB[r]}"
	export HOSTILE_NEAR="10.79.0.1:2121 ${NODE_NPUB[a]}"
	export HOSTILE_FAR="10.79.0.3:2121 ${NODE_NPUB[b]}"
	export HOSTILE_GONE="10.79.0.30:2121 ${NODE_NPUB[c]}"
	export HOSTILE_TAP=p-r HOSTILE_TAPE=$WORK/tape HOSTILE_BIND=10.79.0.9:0
	topology
	(
		set -euo pipefail
		arena_start
	)
}

arena_close() {
	[ -n "$WORK" ] || return 0
	cleanup
	cp "$WORK/r/log" "$KTAP_LOGS/r-$RUN.log" 2>/dev/null || :
	rm -rf "$WORK"
	WORK=''
}
