#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Meshes of nodes in namespaces, from a cold start: how long until pings are
# answered, and whether any is lost to a rekey. Times are measured and shown;
# the limits are for a machine that does much else besides.
#
#   mesh.sh [--list] [SCENARIO...]
#
# LEFT picks the data plane; see selftests/lib/common.sh.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/mesh.sh disable=SC1091
. "$here/../lib/mesh.sh"

# shellcheck disable=SC2034 # mesh_main's
all=(line static random chain rekey)

FIRSTPING=$(find_program net/firstping)

# Ping from nodes to nodes from before their start until each has answered; prints and keeps in
# $TOOK the milliseconds from the start of the first node to the last answer.
#
# A line "FROM TO..." a node.
cold_start() { # SECONDS LINE...
	local seconds=$1 from to start line pids=() pid missing=0 far
	shift

	for line; do
		read -r from to <<<"$line"
		far=()
		for to in $to; do
			far+=("${NODE_IP6[$to]}")
		done
		spawn "$from" "$WORK/$from.first" "$FIRSTPING" $((seconds * SLOW)) 200 "${far[@]}"
		pids+=("$SPAWNED")
	done
	for from in "${NODES[@]}"; do
		mesh_conf "$from"
	done
	start=$EPOCHREALTIME
	for from in "${NODES[@]}"; do
		node_start "$from"
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || missing=$((missing + 1))
	done
	TOOK=$(cat "$WORK"/*.first | awk -v start="$start" '
		$2 - start > max { max = $2 - start }
		END { printf "%d", max * 1000 }')
	echo "all $(cat "$WORK"/*.first | wc -l) pairs answered after $TOOK ms"
	[ $missing = 0 ] || fail "$missing nodes miss answers after $seconds s"
}

# Each node to all others.
everybody() {
	local from

	for from in "${NODES[@]}"; do
		printf '%s' "$from"
		printf ' %s' "${NODES[@]}" | sed "s/ $from\\b//"
		echo
	done
}

within() { # MILLISECONDS
	[ "$TOOK" -le $(($1 * SLOW)) ] || fail "$TOOK ms, not $1"
}

# ---- A - R - B: the first ping may wait for links, tree, filters, a lookup and a session.

topology_line() {
	mesh n2-n1 n3-n1
}

run_line() {
	cold_start 20 "n2 n3"
	within 1500
}

# ---- five nodes as the reference's "static mesh": A n1, B n2, C n3, D n4, E n5

topology_static() {
	mesh n1-n4 n1-n5 n3-n4 n2-n3 n4-n5 n3-n5
}

run_static() {
	local lines

	mapfile -t lines < <(everybody)
	cold_start 30 "${lines[@]}"
	within 3000
	wait_for 10 mesh_settled n1
	mesh_tree
}

# ---- twenty nodes, drawn once: one bootstrap peer each, and 17 cables more

topology_random() {
	mesh n2-n1 n3-n2 n4-n2 n5-n3 n6-n2 n7-n6 n8-n6 n9-n5 n10-n3 n11-n3 n12-n7 n13-n11 \
		n14-n12 n15-n11 n16-n13 n17-n15 n18-n12 n19-n11 n20-n14 n7-n5 n20-n18 n11-n7 \
		n18-n4 n14-n3 n17-n16 n20-n5 n17-n14 n11-n1 n19-n2 n12-n2 n16-n12 n19-n1 n13-n8 \
		n8-n7 n17-n12 n9-n2
}

run_random() {
	local lines

	mapfile -t lines < <(everybody)
	cold_start 60 "${lines[@]}"
	within 8000
	wait_for 10 mesh_settled n1
	mesh_tree
}

# ---- twenty nodes in a row, the root in the middle of nowhere

topology_chain() {
	local i edges=()

	for i in {2..20}; do
		edges+=("n$i-n$((i - 1))")
	done
	mesh "${edges[@]}"
}

run_chain() {
	local lines

	mapfile -t lines < <(everybody)
	cold_start 60 "${lines[@]}"
	within 12000
	wait_for 10 mesh_settled n1
}

# ---- new keys for links and sessions under traffic that goes through a third node

topology_rekey() {
	mesh n2-n1 n3-n1
	# shellcheck disable=SC2034 # node_conf's
	NODE_EXTRA="  rekey:
    after_secs: 16"
}

renewed() { # NODE FILTER NUMBER
	[ "$(get "$1" status "$2")" -ge "$3" ]
}

run_rekey() {
	local out count=2250

	mesh_up
	reach n2 n3 10
	out=$(in_ns n2 ping -6 -n -q -c $count -i 0.02 -W 5 "${NODE_IP6[n3]}") || :
	tail -n 3 <<<"$out"
	get n2 status .rekeys
	grep -q "^$count packets transmitted, $count received" <<<"$out" || fail "pings lost"
	wait_for 5 renewed n2 '.rekeys.session | .completed + .promoted' 1
	wait_for 20 renewed n2 '.rekeys.link | .completed + .promoted' 1
}

mesh_main mesh "$@"
