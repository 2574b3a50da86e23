# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# 6. What both sides measure on a link of 20 ms and 5 % loss each way, under 100 pings
# a second, as the tool of each shows it: within 20 % of the truth. For a minute in
# "long"; the short form takes 20 s, and gives losses more room.

# shellcheck disable=SC2154 # lib.sh's

# shellcheck disable=SC2034 # run.sh's
variants_mmp=(ours-root theirs-root)
# shellcheck disable=SC2034 # run.sh's
long_mmp=(ours-root-60 theirs-root-60)

mesh_mmp() { # VARIANT
	X=n1 T=n2
	[ "${1%-60}" != theirs-root ] || X=n2 T=n1
	mesh n2-n1
	theirs $T
	wire_cell
	WIRE_PLAN=("link 1 2 delay=20 loss=5" "link 2 1 delay=20 loss=5")
}

# What a node's own tool shows of its one link. Only ours has to be told to write JSON.
shown() { # NODE JQ-ARGUMENT...
	local node=$1 json=()

	shift
	[ "$(node_kind "$node")" != ours ] || json=(--json)
	ctl_own "$node" show mmp "${json[@]}" | jq "$@"
}

link_layer() { # NODE FILTER
	shown "$1" -r ".peers[0].link_layer | $2 // 0"
}

# The median round trip of a ping's answers, in ms: what the cable and the machine take.
median_rtt() { # FILE
	sed -nE 's/.* time=([0-9.]+) ms/\1/p' "$1" | sort -n |
		awk '{ t[NR] = $1 } END { print t[int((NR + 1) / 2)] }'
}

# Is a value within so many percent of what is true? Says what it is.
near() { # WHAT VALUE TRUTH PERCENT
	awk -v what="$1" -v v="$2" -v t="$3" -v p="$4" 'BEGIN {
		print what ": " v ", in truth " t
		exit !(v >= t * (1 - p / 100) && v <= t * (1 + p / 100))
	}' || fail "$1 is $2, not within $4 % of $3"
}

play_mmp() { # VARIANT
	local seconds=20 room=80 node rtt

	if [ "${1%-60}" != "$1" ]; then
		seconds=60 room=35
	fi
	mesh_up
	wait_up $X $T
	reach $X $T 20
	in_ns $X ping -6 -n -i 0.01 -c $((seconds * 100)) -W 2 "${NODE_IP6[$T]}" >"$WORK/pings" || :
	tail -n 3 "$WORK/pings"
	rtt=$(median_rtt "$WORK/pings")
	for node in $X $T; do
		step "$node ($(node_label $node))"
		shown $node -c '.peers[0].link_layer'
		near srtt "$(link_layer $node .srtt_ms)" "$rtt" 20
		near loss "$(link_layer $node .smoothed_loss)" 0.05 $room
		near etx "$(link_layer $node .smoothed_etx)" 1.108 20
		near delivery "$(link_layer $node .delivery_ratio_forward)" 0.95 20
	done
}
