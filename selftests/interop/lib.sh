# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What the cells of the matrix share: who plays whom, and what they ask of nodes.
#
# Each cell is a mesh of mesh.sh. X is the node of ours that is looked at, T one of
# theirs next to it, F a far one; which of n1, n2... they are says who is the root.
#
# Variables: CELL_KIND, the kind of theirs

# shellcheck source=../lib/mesh.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/mesh.sh"

declare -A TO=()
X='' T='' F=''

# Short timers. A cell that needs others sets them before the nodes start.
export HEARTBEAT=${HEARTBEAT:-1} LINK_DEAD=${LINK_DEAD:-$((5 * SLOW))} DRAIN=${DRAIN:-1}

# The pair that common.sh's traffic goes between.
other() { # NODE
	echo "${TO[$1]}"
}

# ---- cables with delay and loss

# A cell's mesh over wire (selftests/net/wire.c) instead of veths: all nodes on one
# net, node N at 10.79.0.N, and each direction with a delay and losses of its own.
WIRE=${WIRE:-$(find_program net/wire)}

wire_cell() {
	local edge

	topology() { wire_topology; }
	for edge in "${EDGES[@]}"; do
		MESH_UNDERLAY[$edge]=10.79.0.${edge#*-n}:2121
	done
}

wire_topology() {
	local node names=()

	for node in "${NODES[@]}"; do
		ip netns add "$(ns "$node")"
		ip -n "$(ns "$node")" link set lo up
		names+=("$(ns "$node")")
	done
	mkfifo "$WORK/wire"
	"$WIRE" "${names[@]}" <"$WORK/wire" >"$WORK/wire.out" 2>>"$WORK/stderr" &
	echo $! >>"$WORK/started"
	exec {WIRE_FD}>"$WORK/wire"
	wait_for 5 grep -q ready "$WORK/wire.out"
	for node in "${NODES[@]}"; do
		ip -n "$(ns "$node")" address add "10.79.0.${node#n}/24" dev u0
		ip -n "$(ns "$node")" link set u0 up
	done
	wire "${WIRE_PLAN[@]}"
}

# Commands for the wire, each an argument.
wire() { # COMMAND...
	printf '%s\n' "$@" >&"$WIRE_FD"
}

# Say what comes next; the log of a cell reads as a list of these.
step() { # TEXT...
	echo "== $* (after $((SECONDS - CELL_START)) s)"
}

theirs() { # NODE...
	local node

	for node; do
		# shellcheck disable=SC2034 # node.sh's
		KIND[$node]=$CELL_KIND
	done
}

# One more dialler for a cable that mesh() has: the other end, too.
also_dials() { # LISTENER-DIALLER: what mesh() was given
	local near=${1#*-} far=${1%-*} i=0 edge

	MESH_DIALS[$near]+="$far "
	for edge in "${EDGES[@]}"; do
		[ "$edge" != "$1" ] || MESH_UNDERLAY[$near-$far]=10.78.$i.1:2121
		i=$((i + 1))
	done
}

# ---- what a node says of a neighbour

peer_is() { # NODE PEER FILTER
	holds "$1" peers "any(.peers[]; .npub == \"${NODE_NPUB[$2]}\" and ($3))"
}

up_between() { # NODE NODE
	peer_is "$1" "$2" '.connectivity == "connected"' &&
		peer_is "$2" "$1" '.connectivity == "connected"'
}

wait_up() { # NODE NODE [SECONDS]
	wait_for "${3:-20}" up_between "$1" "$2"
}

no_peer() { # NODE PEER
	! peer_is "$1" "$2" '.connectivity == "connected"'
}

# When the link to a peer came about, in ms; 0 without one.
peer_since() { # NODE PEER
	get "$1" peers "[.peers[] | select(.npub == \"${NODE_NPUB[$2]}\") |
		.authenticated_at_ms][0] // 0"
}

peer_renewed() { # NODE PEER SINCE
	local now

	now=$(peer_since "$1" "$2")
	[ "$now" = 0 ] || [ "$now" -gt "$3" ]
}

# A number out of a node's counters: `count n2 routing .lookup.req_forwarded`.
count() { # NODE WHAT FILTER
	get "$1" "$2" "$3 // 0"
}

# ---- traffic

# Pings with every answer, once each.
pings() { # FROM TO COUNT [ARGUMENT...]
	TO[$1]=$2
	run ping_all "$1" "${@:3}"
}

copy() { # FROM TO BYTES
	TO[$1]=$2
	run tcp_copy "$1" "$3"
}

# Both ways, from the first answer on without a loss.
talk() { # NODE NODE [SECONDS]
	reach "$1" "$2" "${3:-20}"
	reach "$2" "$1" 10
	pings "$1" "$2" 5
	pings "$2" "$1" 5
}

# ---- the end of a cell

# Nobody of theirs has panicked or reported an error because of us.
logs_clean() {
	local node bad

	for node in "${NODES[@]}"; do
		[ -f "$WORK/$node/log" ] || continue
		bad=$(grep -aE '^[^ ]+ +ERROR |panicked' "$WORK/$node/log" | head -n 5) || :
		[ -z "$bad" ] || { echo "$bad"; fail "$(node_label "$node") of $node complains"; return; }
	done
}

# Which node was what, for who reads the log.
cast() {
	local node

	for node in "${NODES[@]}"; do
		echo "$node: $(node_label "$node")"
	done
}

cell_body() { # FUNCTION ARGUMENT...
	CELL_START=$SECONDS
	cast
	"$@"
	logs_clean
}
