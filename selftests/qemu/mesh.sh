#!/bin/bash
# SPDX-License-Identifier: MIT
#
# In a guest: real daemons in one mesh, with the kernel data plane in every node,
# or kernel and user mixed.
#
#   mesh.sh [NAME=VALUE...] [TEST...]       SLOW, LEFT (plane of all nodes: kernel)
#
# five   the five nodes of spec 17 §2.1, n1..n5 for A..E: all pairs, TCP through
#        transit nodes, one of them vanishes and comes back
# chain  n1 - n2 - n3: pings, TCP and what the middle one counts
# rekey  a chain whose links and sessions get new keys under pings
# kuk    a chain of kernel, user, kernel
# uku    a chain of user, kernel, user

set -euo pipefail

while [[ "${1:-}" == *=* ]]; do
	export "${1?}"
	shift
done
export KTAP_LOGS=$OUT LEFT=${LEFT:-kernel}
# What reports each second costs is nothing to the cure of a dead neighbour.
export HEARTBEAT=1 LINK_DEAD=$((SLOW > 1 ? 8 : 4))

# shellcheck source=../lib/mesh.sh
. /fips/selftests/lib/mesh.sh

declare -A TO=()

# The pair that common.sh's traffic goes between.
other() { # NODE
	echo "${TO[$1]}"
}

pings() { # FROM TO COUNT [ARGUMENT...]
	TO[$1]=$2
	ping_all "$1" "${@:3}"
}

copy() { # FROM TO BYTES
	TO[$1]=$2
	tcp_copy "$1" "$3"
}

peers_are() { # NODE NUMBER
	holds "$1" peers "[.peers[] | select(.connectivity == \"connected\")] | length == $2"
}

# A counter of a node's device; 0 where the kernel has none.
count() { # NODE COUNTER
	{ in_ns "$1" ethtool -S fips0 2>/dev/null || :; } |
		awk -v c="$2:" '$1 == c { n = $2 } END { print n + 0 }'
}

# The daemon is gone, and with it whatever its kernel would go on forwarding.
vanish() { # NODE
	node_kill "$1"
	ip -n "$(ns "$1")" link del fips0 2>/dev/null || :
}

five() {
	local most=n4 rest

	mesh_up
	for node in "n1 2" "n2 1" "n3 3" "n4 3" "n5 3"; do
		# shellcheck disable=SC2086 # two words
		wait_for 15 peers_are $node
	done
	wait_for 10 mesh_settled n1
	mesh_tree
	reach_all 15
	pings n2 n1 10
	copy n2 n1 300000
	copy n1 n2 300000
	# Whichever of n4 and n5 carries the traffic goes; the other takes over.
	[ "$(count n4 forwarded)" -ge "$(count n5 forwarded)" ] || most=n5
	echo "forwarded: n3 $(count n3 forwarded), n4 $(count n4 forwarded), n5 $(count n5 forwarded)"
	run test "$(count n3 forwarded)" -gt 100
	run test "$(count $most forwarded)" -gt 100
	read -ra rest <<<"${NODES[*]/$most}"
	vanish $most
	reach n2 n1 20
	reach_all 10 "${rest[@]}"
	pings n2 n1 10
	copy n2 n1 100000
	node_start $most
	node_wait $most
	reach_all 20
}

chain() {
	local before

	mesh_up
	reach n1 n3 10
	pings n1 n3 20
	pings n3 n1 5 -s "$E_PING"
	before=$(count n2 forwarded)
	copy n1 n3 500000
	copy n3 n1 500000
	[ "$(dataplane n2)" != kernel ] || run test $(($(count n2 forwarded) - before)) -gt 700
	run test "$(count n2 drop_dgram_back)" = 0
	run test "$(count n2 drop_stage_full)" = 0
}

rekey() {
	local node

	mesh_up
	reach n1 n3 10
	# A link is 35 s old before its keys change: the reference refuses younger ones.
	pings n1 n3 850
	for node in "${NODES[@]}"; do
		get "$node" status '.rekeys | tostring'
	done
	run holds n1 status '.rekeys.session.completed + .rekeys.session.promoted >= 1'
	run wait_for 5 holds n2 status '.rekeys.link.completed + .rekeys.link.promoted >= 2'
	copy n1 n3 300000
}

# shellcheck disable=SC2034 # PLANE is mesh.sh's
mesh_test() { # TEST
	local chain=(n1-n2 n3-n2)

	case $1 in
	five)
		mesh n1-n4 n1-n5 n3-n4 n2-n3 n4-n5 n3-n5
		scenario five
		return
		;;
	rekey)
		# shellcheck disable=SC2034 # node_conf() writes it
		NODE_EXTRA="$(printf '  rekey:\n    after_secs: 16\n    after_messages: 150')"
		mesh "${chain[@]}"
		scenario rekey
		return
		;;
	chain) PLANE=() ;;
	kuk) PLANE=([n1]=kernel [n2]=user [n3]=kernel) ;;
	uku) PLANE=([n1]=user [n2]=kernel [n3]=user) ;;
	*) fail "no test $1" || return ;;
	esac
	mesh "${chain[@]}"
	scenario chain
}

[ $# -gt 0 ] || set -- five chain rekey kuk uku
ktap_plan $#
for arg; do
	ktap_test "mesh $arg" mesh_test "$arg"
done
ktap_end
