# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What scripts/demo shows of a mesh: it grows, forwards, renews its keys and heals. Everything shown
# is checked as well. PLANE, which mesh.sh explains, says whose packets go where.
#
# Comes after demo.sh and its pairs: mesh.sh has another topology.

# shellcheck source=mesh.sh
. "$(dirname "${BASH_SOURCE[0]}")/mesh.sh"

# shellcheck disable=SC2034 # common.sh reads it
QUIET=1

# The ring n1 n2 n3 n4 n5 with a tail at n1 and one at n3; one bootstrap peer each.
#
#	        n2 ---- n3 ---- n7
#	       /         |
#	n6 -- n1         |
#	       \         |
#	        n5 ---- n4
# shellcheck disable=SC2034 # who sources this reads it
MESH_DEMO=(n2-n1 n3-n2 n4-n3 n5-n4 n1-n5 n6-n1 n7-n3)

# Completed and promoted rekeys of all nodes.
rekeys() { # link|session
	local node sum=0

	for node in "${NODES[@]}"; do
		sum=$((sum + $(get "$node" status ".rekeys.$1 | .completed + .promoted")))
	done
	echo $sum
}

# Ping from n6 to n7 in the background, ten a second, into $WORK/pings.
start_pings() {
	rm -f "$WORK/pings"
	spawn n6 "$WORK/pings" ping -6 -n -i 0.1 -W $((5 * SLOW)) "${NODE_IP6[n7]}"
	PINGS=$SPAWNED
}

stop_pings() {
	kill -INT "$PINGS"
	wait "$PINGS" || :
	tail -n 2 "$WORK/pings" | head -n 1 | sed 's/^/   /'
}

# Pings that were sent and never answered.
pings_lost() {
	sed -nE 's/^([0-9]+) packets transmitted, ([0-9]+) received.*/\1 \2/p' "$WORK/pings" |
		awk '{ print $1 - $2 }'
}

mesh_grows() {
	local start=$EPOCHREALTIME

	mesh_up
	wait_for 20 mesh_settled n1
	reach n6 n7 20
	printf '%s: n6 has reached n7, 4 hops away, %s s after the first node was started.\n\n' \
		"Cold start" "$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')"
	mesh_tree | sed 's/^/   /'
	shown_ctl n3 show tree
	shown_ctl n3 show bloom
	reach_all 30
	echo
	echo "All $((${#NODES[@]} * (${#NODES[@]} - 1))) pairs answer each other's pings."
}

mesh_forwards() {
	shown n6 ping -6 -n -q -c 10 -i 0.1 "${NODE_IP6[n7]}"
	mesh_speed n6 n7
	if [ "$(dataplane n2)" = kernel ]; then
		shown n2 fipsctl kernel show route
		shown n2 ethtool -S fips0 | grep -E 'forward|# |NIC' || :
	fi
}

mesh_speed() { # FROM TO
	spawn "$2" "$WORK/iperf-server" iperf3 -s -1 -p 5201
	wait_for 5 listening "$2" 5201
	in_ns "$1" iperf3 -c "${NODE_IP6[$2]}" -p 5201 -t 3 -J >"$WORK/iperf.json"
	printf '\n%s# iperf3 -c %s\n   %s Mbit/s through n1, n2 and n3\n' "$1" "${NODE_IP6[$2]}" \
		"$(iperf_get '.end.sum_received.bits_per_second / 1e6 * 10 | round / 10')"
	[ "$(iperf_get '.end.sum_received.bytes > 100000')" = true ]
}

# Have the keys of some links and of the session n6 - n7 been renewed since?
renewed() { # LINK-REKEYS SESSION-REKEYS
	[ "$(rekeys link)" -gt "$1" ] && [ "$(rekeys session)" -gt "$2" ]
}

mesh_renews() {
	local link session

	link=$(rekeys link) session=$(rekeys session)
	start_pings
	wait_for 60 renewed "$link" "$session"
	stop_pings
	printf '   meanwhile, new keys: %s on links, %s on sessions; pings lost: %s\n' \
		$(($(rekeys link) - link)) $(($(rekeys session) - session)) "$(pings_lost)"
	[ "$(pings_lost)" = 0 ]
}

answered() { # NODE NUMBER
	[ "$(echo_replies "$1")" -ge "$2" ]
}

mesh_heals() {
	local start replies

	replies=$(echo_replies n6)
	start_pings
	wait_for 10 answered n6 $((replies + 10))
	node_kill n2
	start=$EPOCHREALTIME
	[ "$(dataplane n2)" = user ] || ip -n "$(ns n2)" link del fips0
	reach n6 n7 30
	printf '   n6 reaches n7 again %s s after n2 died.\n\n' \
		"$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')"
	stop_pings
	mesh_tree n1 n3 n4 n5 n6 n7 | sed 's/^/   /'
}

demo_mesh() {
	say "Seven nodes; each knows one other to dial. Nobody tells them who is where, who leads or" \
		"which way to go: they elect a root, take their places in its tree, and tell each other" \
		"in bloom filters whom they can reach."
	mesh_grows
	say "n1, n2 and n3 forward what n6 and n7 say to each other, and can't read it."
	mesh_forwards
	say "Links and sessions get new keys while a ping runs at 10 a second (here every 16 to 31" \
		"seconds, so this takes as long):"
	mesh_renews
	say "Now n2 is killed, in the middle of the way, while the ping runs. The way over n5 and n4 is" \
		"left; n3 and all behind it must find a new place in the tree."
	mesh_heals
	say "All nodes end."
}
