# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# A mesh of nodes in network namespaces, cable by cable, on the host or in a guest.
#
# EDGES is a list of cables, "n2-n1 n3-n1": the first end dials the second, so a
# node that stands first once has one bootstrap peer. n1 has the smallest
# node_addr of all and becomes the root, n2 would be next. PLANE[n3]=kernel picks
# a node's data plane (default: LEFT). All nodes know each other's public keys,
# as a resolver would tell them, but dial only along the cables.
#
# Environment: as in common.sh, whose functions take these nodes, too

# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

declare -A PLANE=() MESH_DIALS=() MESH_UNDERLAY=()
EDGES=()

# Twenty nodes, drawn once: one bootstrap peer each, and 17 cables more.
# shellcheck disable=SC2034 # scenarios use it
MESH_RANDOM=(n2-n1 n3-n2 n4-n2 n5-n3 n6-n2 n7-n6 n8-n6 n9-n5 n10-n3 n11-n3 n12-n7 n13-n11
	n14-n12 n15-n11 n16-n13 n17-n15 n18-n12 n19-n11 n20-n14 n7-n5 n20-n18 n11-n7
	n18-n4 n14-n3 n17-n16 n20-n5 n17-n14 n11-n1 n19-n2 n12-n2 n16-n12 n19-n1 n13-n8
	n8-n7 n17-n12 n9-n2)

mesh_identities() {
	local addr npub ip6 secret i=0

	while read -r addr npub ip6 secret; do
		[ "${addr:0:1}" != '#' ] || continue
		i=$((i + 1))
		NODE_HEX["n$i"]=$addr NODE_NPUB["n$i"]=$npub
		NODE_IP6["n$i"]=$ip6 NODE_SECRET["n$i"]=$secret
	done <"$LIB/identities"
}
mesh_identities

# What mesh this is; before `scenario`.
mesh() { # EDGE...
	local edge

	EDGES=("$@")
	mapfile -t NODES < <(printf '%s\n' "${@%-*}" "${@#*-}" | sort -uV)
	MESH_DIALS=() MESH_UNDERLAY=()
	for edge; do
		MESH_DIALS[${edge%-*}]+="${edge#*-} "
	done
}

dataplane() { # NODE
	echo "${PLANE[$1]:-$LEFT}"
}

# Namespaces, and a cable for each edge: 10.78.I.1 dials 10.78.I.2.
#
#	+--- n2 ---+                     +--- n1 ---+
#	|    to-n1 |10.78.0.1___10.78.0.2| to-n2    |
#	+----------+                     +----------+
topology() {
	local node edge i=0

	for node in "${NODES[@]}"; do
		ip netns add "$(ns "$node")"
		ip -n "$(ns "$node")" link set lo up
	done
	for edge in "${EDGES[@]}"; do
		mesh_cable "${edge%-*}" "${edge#*-}" "$i"
		i=$((i + 1))
	done
}

mesh_cable() { # DIALLER LISTENER NUMBER
	local a b

	a=$(ns "$1") b=$(ns "$2")
	ip -n "$a" -batch - <<-END
	link add to-$2 type veth peer name to-$1 netns $b
	address add 10.78.$3.1/24 dev to-$2
	link set to-$2 up
	END
	ip -n "$b" -batch - <<-END
	address add 10.78.$3.2/24 dev to-$1
	link set to-$1 up
	END
	MESH_UNDERLAY[$1-$2]=10.78.$3.2:2121
}

# Write a node's fips.yaml.
mesh_conf() { # NODE
	local node=$1 far

	node_conf "$node" 0.0.0.0:2121
	for far in "${NODES[@]}"; do
		if [[ " ${MESH_DIALS[$node]:-} " = *" $far "* ]]; then
			conf_peer "$node" "$far" "${MESH_UNDERLAY[$node-$far]}"
		elif [ "$far" != "$node" ]; then
			conf_peer "$node" "$far" 192.0.2.1:2121 manual
		fi
	done
}

# Start nodes, all at once, and wait until they run. Default: all.
mesh_up() { # [NODE...]
	local node

	[ $# -gt 0 ] || set -- "${NODES[@]}"
	for node; do
		mesh_conf "$node"
		node_start "$node"
	done
	for node; do
		node_wait "$node"
	done
}

# Do all nodes (or those given) agree on a root, and have all but it a parent?
mesh_settled() { # ROOT [NODE...]
	local root=$1 node

	shift
	[ $# -gt 0 ] || set -- "${NODES[@]}"
	for node; do
		holds "$node" tree ".root == \"${NODE_HEX[$root]}\"" || return
	done
}

# Ping until it is answered, at most SECONDS.
reach() { # FROM TO SECONDS
	local limit=$((SECONDS + $3 * SLOW))

	until in_ns "$1" ping -6 -n -q -c 1 -i 0.2 -w 1 "${NODE_IP6[$2]}" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$limit" ] || { echo "FAIL: $1 does not reach $2"; return 1; }
		pause
	done
}

# Every node reaches every other, all of them trying at once.
reach_all() { # SECONDS [NODE...]
	local limit=$1 from to pids=() pid status=0

	shift
	[ $# -gt 0 ] || set -- "${NODES[@]}"
	for from; do
		for to; do
			[ "$from" != "$to" ] || continue
			reach "$from" "$to" "$limit" &
			pids+=($!)
		done
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || status=1
	done
	return $status
}

# ---- first answers

# "FROM TO..." for each node: to all others of those given. Default: all.
everybody() { # [NODE...]
	local from

	[ $# -gt 0 ] || set -- "${NODES[@]}"
	for from; do
		printf '%s' "$from"
		printf ' %s' "$@" | sed "s/ $from\\b//"
		echo
	done
}

# Ping from nodes to nodes until each has answered, in the background: one process a node, each
# repeats every FIRST_GAP ms what has no answer yet. first_pings_end() waits for them.
#
# A line "FROM TO..." a node.
first_pings() { # SECONDS LINE...
	local seconds=$1 from to line far program

	program=$(find_program net/firstping 2>/dev/null || find_program firstping)
	FIRST_PIDS=()
	rm -f "$WORK"/*.first
	shift
	for line; do
		read -r from to <<<"$line"
		far=()
		for to in $to; do
			far+=("${NODE_IP6[$to]}")
		done
		spawn "$from" "$WORK/$from.first" "$program" $((seconds * SLOW)) \
			"${FIRST_GAP:-200}" "${far[@]}"
		FIRST_PIDS+=("$SPAWNED")
	done
}

# Keeps in $TOOK the milliseconds from START (as $EPOCHREALTIME has it) to the last first answer.
first_pings_end() { # START
	local pid missing=0

	for pid in "${FIRST_PIDS[@]}"; do
		wait "$pid" || missing=$((missing + 1))
	done
	TOOK=$(cat "$WORK"/*.first | awk -v start="$1" '
		$2 - start > max { max = $2 - start }
		END { printf "%d", max * 1000 }')
	echo "all $(cat "$WORK"/*.first | wc -l) pairs answered after $TOOK ms"
	[ $missing = 0 ] || fail "$missing nodes miss answers"
}

# First answers of a mesh that is there; see first_pings().
all_answer() { # SECONDS LINE...
	local start=$EPOCHREALTIME

	first_pings "$@"
	first_pings_end "$start"
}

# First answers of nodes that start now, from the start of the first one.
cold_start() { # SECONDS LINE...
	local from start

	for from in "${NODES[@]}"; do
		mesh_conf "$from"
	done
	first_pings "$@"
	start=$EPOCHREALTIME
	for from in "${NODES[@]}"; do
		node_start "$from"
	done
	first_pings_end "$start"
}

# The tree as the nodes tell it, from its root down.
#
#	n1
#	+- n2
#	|  +- n3
#	+- n6
mesh_tree() { # [NODE...]
	local node parent
	declare -A below=()

	[ $# -gt 0 ] || set -- "${NODES[@]}"
	for node; do
		parent=$(get "$node" tree .parent)
		[ "$parent" != "${NODE_HEX[$node]}" ] || parent=root
		below[$parent]+="$node "
	done
	for node in ${below[root]:-}; do
		mesh_branch "$node" '' ''
	done
}

mesh_branch() { # NODE PREFIX PREFIX-OF-CHILDREN; reads the caller's `below`
	local children child left

	printf '%s%s (%s)\n' "$2" "$1" "$(node_label "$1")"
	read -ra children <<<"${below[${NODE_HEX[$1]}]:-}"
	left=${#children[@]}
	for child in "${children[@]}"; do
		left=$((left - 1))
		if [ $left -gt 0 ]; then
			mesh_branch "$child" "$3+- " "$3|  "
		else
			mesh_branch "$child" "$3+- " "$3   "
		fi
	done
}

# ---- a script of tests, each with a topology_NAME and a run_NAME

# Run the tests that the arguments name, or those in `all`. What a test measured is
# the last line of its log that starts with "all" or "measured".
# shellcheck disable=SC2154 # all is the script's
mesh_main() { # SUITE [--list] [TEST...]
	local suite=$1 name

	shift
	[ "$(id -u)" = 0 ] || { echo "$0: needs root (namespaces)" >&2; exit 2; }
	[ -c /dev/net/tun ] || { echo "$0: no /dev/net/tun" >&2; exit 2; }
	if [ "${1:-}" = --list ]; then
		printf '%s\n' "${all[@]}"
		exit 0
	fi
	[ $# -gt 0 ] || set -- "${all[@]}"
	# Start and end are told by the measured line; single steps would drown it.
	# shellcheck disable=SC2034 # common.sh's
	QUIET=1
	ktap_plan $#
	for name; do
		# shellcheck disable=SC2034 # node_yaml's
		NODE_EXTRA='' KIND=()
		"topology_$name"
		ktap_test "$LEFT $suite $name" scenario "run_$name"
		grep -ahE '^(all [0-9]* pairs|measured)' "$KTAP_LOGS"/*"${suite}_$name"* 2>/dev/null |
			tail -n 3 | sed 's/^/# /' || :
	done
	ktap_end
}
