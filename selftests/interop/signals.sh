# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# 5. Lookups through them and through us; what nodes in the middle say when they can't
# pass something on (CoordsRequired, PathBroken, MtuExceeded); far ends that start over.
#
#	n1 (X) ---- n2 (M) ---- n3 ---- n4 (F)
#
# "through-theirs": the middle is theirs and the ends are ours; "through-ours" the
# other way round.

# shellcheck disable=SC2154 # lib.sh's

# shellcheck disable=SC2034 # run.sh's
variants_signals=(lookup-through-theirs lookup-through-ours broken-through-theirs
	broken-through-ours coords-through-theirs coords-through-ours mtu-through-theirs
	mtu-through-ours far-restart-ours far-restart-theirs)

mesh_signals() { # VARIANT
	X=n1 F=n4
	mesh n2-n1 n2-n3 n4-n3
	case $1 in
	*through-theirs) theirs n2 n3 ;;
	*through-ours) theirs n1 n4 ;;
	far-restart-*) theirs n1 ;;
	esac
}

# Has a count grown beyond what it was?
grown() { # NODE WHAT FILTER BEFORE
	[ "$(count "$1" "$2" "$3")" -gt "$4" ]
}

# M calls the family by its older name.
looked_up_through() { # NODE
	grown "$1" routing '.discovery.req_forwarded' 0 &&
		grown "$1" routing '.discovery.resp_forwarded' 0
}

signals_lookup() {
	wait_for 5 looked_up_through n2
	wait_for 5 looked_up_through n3
	run holds $X cache '.count > 0'
}

# Ping all the time, so that somebody in the middle has something to complain about.
background_pings() { # FROM TO
	spawn "$1" "$WORK/pings" ping -6 -n -i 0.1 "${NODE_IP6[$2]}"
	PINGS=$SPAWNED
}

background_end() {
	kill -INT "$PINGS"
	wait "$PINGS" || :
	tail -n 2 "$WORK/pings"
}

# After something in the middle has changed: one stops asking, and both are heard.
talk_again() { # SECONDS
	reach $X $F "$1"
	background_end
	talk $X $F 5
}

# The node at n1 if it is theirs.
theirs_node() {
	[ "$(node_kind n1)" = ours ] || echo n1
}

# J asks once after a PathBroken; what its established session finds no route for later
# it drops without asking again, until the session is idle (90 s). Nothing that we send
# from the middle changes that: others still get through.
signals_j_is_stuck() {
	run grep -a 'Failed to send TUN packet via session.*no route to destination' \
		"$WORK/$X/log" | tail -n 1
	echo "NOTE J: drops what its session has no route for, without a lookup, until idle"
	background_end
	talk n2 $F
	talk n2 $X
}

signals_broken() {
	local before

	before=$(count $X routing .error_signals.path_broken)
	background_pings $X $F
	node_kill n3
	[ "$(dataplane n3)" = user ] || ip -n "$(ns n3)" link del fips0 2>/dev/null || :
	step "n3 is dead: n2 must notice, and tell $X"
	wait_for 25 grown $X routing .error_signals.path_broken "$before"
	step "n3 comes back"
	node_start n3
	node_wait n3
	if [ "$CELL_KIND-$X" = "J-$(theirs_node)" ] && ! reach $X $F 20; then
		signals_j_is_stuck
		return
	fi
	talk_again 40
}

# The middle starts over and knows nobody's coordinates; what the ends still send has
# none. Who declares himself anew first decides whether a signal is needed at all.
signals_coords() {
	background_pings $X $F
	node_kill n2
	node_start n2
	node_wait n2
	talk_again 40
	echo "NOTE signals at $X: $(get $X routing '.error_signals | tostring')"
}

path_mtu_is() { # NODE PEER MTU
	holds "$1" sessions "any(.sessions[]; .npub == \"${NODE_NPUB[$2]}\" and
		.mmp.path_mtu == $3)"
}

# The first size that is too long for the path; the stack must hear of it.
too_big() { # FROM TO SIZE
	local out

	out=$(in_ns "$1" ping -6 -n -c 1 -W 1 -M "do" -s "$3" "${NODE_IP6[$2]}" 2>&1) || :
	grep -iE 'too big|too long' <<<"$out"
}

# Packets that just fit. The Rust nodes put coordinates into the first five after a
# signal by the MTU of their own transport, not of the path, so those may be too long.
fill_path() { # FROM TO SIZE
	wait_for 10 in_ns "$1" ping -6 -n -c 1 -W 1 -M "do" -s "$3" "${NODE_IP6[$2]}"
	pings "$1" "$2" 3 -M "do" -s "$3"
}

signals_mtu() {
	local fits=$((1400 - 77 - 48))

	step "the middle takes 1,400 bytes a frame from now on, the ends 1,472"
	node_stop n2
	NODE_MTU[n2]=1400
	mesh_conf n2
	node_start n2
	node_wait n2
	talk $X $F 30
	wait_for 40 too_big $X $F $((fits + 1))
	echo "NOTE signals at $X: $(get $X routing '.error_signals | tostring')"
	path_mtu_is $X $F 1400 || get $X sessions -c '.sessions[] | [.npub, .mmp.path_mtu]'
	fill_path $X $F "$fits"
	wait_for 30 too_big $F $X $((fits + 1))
	fill_path $F $X "$fits"
	copy $X $F 300001
	copy $F $X 300001
}

# A far end starts over. Its session is gone; the other end's is not, and what it
# sends nobody understands. Who starts over is pinged, and pings itself.
signals_far_restart() { # NODE OTHER
	step "$1 ($(node_label "$1")) is killed and starts over, $2 goes on sending"
	node_kill "$1"
	node_start "$1"
	node_wait "$1"
	talk "$2" "$1" 45
	step "again, and it is $1 that sends"
	node_kill "$1"
	node_start "$1"
	node_wait "$1"
	talk "$1" "$2" 30
}

play_signals() { # VARIANT
	mesh_up
	talk $X $F 30
	case $1 in
	lookup-*) signals_lookup ;;
	broken-*) signals_broken ;;
	coords-*) signals_coords ;;
	mtu-*) signals_mtu ;;
	far-restart-ours) signals_far_restart $F $X ;;
	far-restart-theirs) signals_far_restart $X $F ;;
	esac
}
