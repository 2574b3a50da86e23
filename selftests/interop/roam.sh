# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# 9. Another address in the middle of a stream: theirs follows ours, ours follows theirs.
#
#	n2 ── 10.78.0.1, then .9 ──── 10.78.0.2 ── n1        n2 dials

# shellcheck disable=SC2154 # lib.sh's

# shellcheck disable=SC2034 # run.sh's
variants_roam=(ours-moves theirs-moves)

mesh_roam() { # VARIANT
	mesh n2-n1
	case $1 in
	ours-moves) theirs n1 ;;
	theirs-moves) theirs n2 ;;
	esac
}

followed() {
	peer_is n1 n2 '.transport_addr | startswith("10.78.0.9:")'
}

play_roam() { # VARIANT
	local since lost bar=60

	mesh_up
	wait_up n1 n2
	talk n2 n1
	in_ns n2 sh -c 'echo 1 >/proc/sys/net/ipv4/conf/all/promote_secondaries'
	since=$(peer_since n1 n2)
	spawn n2 "$WORK/stream" ping -6 -n -i 0.05 -c 200 -W 2 "${NODE_IP6[n1]}"
	lost=$SPAWNED
	sleep 2
	ip -n "$(ns n2)" address add 10.78.0.9/24 dev to-n1
	ip -n "$(ns n2)" address del 10.78.0.1/24 dev to-n1
	wait_for 15 followed
	wait "$lost" || :
	tail -n 3 "$WORK/stream"
	lost=$(sed -nE 's/^([0-9]+) packets transmitted, ([0-9]+) received.*/\1 \2/p' "$WORK/stream" |
		awk '{ print $1 - $2 }')
	echo "NOTE $lost of 200 pings lost on the way"
	[ "$(peer_since n1 n2)" = "$since" ] || echo "NOTE the link was made anew"
	# J's socket keeps the address that it was connected from until the link is dead.
	[ "$1-$CELL_KIND" != theirs-moves-J ] || bar=180
	[ "$lost" -le $bar ] || fail "$lost of 200 pings lost"
	talk n1 n2
	copy n2 n1 300001
	holds n1 status '.peer_count == 1'
}
