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

# ---- twenty nodes, drawn once

topology_random() {
	mesh "${MESH_RANDOM[@]}"
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
