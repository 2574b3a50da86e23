# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# 7. New keys for link and session, begun by ours, by theirs, by both, under a TCP
# stream and a ping at 100 Hz: no answer is lost, and none waits over 200 ms.
#
#	n2 ---- n1 ---- n3          n1 is ours, n2 theirs, n3 ours
#
# Between 20 and 50 s after the handshake: after_secs 35, and the jitter of 15 s. J
# refuses a link younger than 30 s, no Rust node loads after_secs of 15 or less.

# shellcheck disable=SC2154 # lib.sh's

# shellcheck disable=SC2034 # run.sh's
variants_rekey=(ours-begin theirs-begin both-begin)
# shellcheck disable=SC2034 # run.sh's
long_rekey=(ours-begin-4 theirs-begin-4 both-begin-4)

mesh_rekey() { # VARIANT
	X=n1 T=n2
	mesh n2-n1
	theirs $T
}

# The configuration differs by who may begin; REKEY[node] are its seconds.
rekey_conf() { # NODE SECONDS
	NODE_EXTRA="  rekey:
    after_secs: $2
    after_messages: 100000000"
	mesh_conf "$1"
}

# Rekeys of links and sessions that a node of ours has seen to the end.
rekeys() { # link|session
	get $X status ".rekeys.$1 | .completed + .promoted"
}

# When keys have changed, in seconds of the epoch, as our node's log has it.
rekey_times() {
	local line

	grep -aE 'new (link|session) keys' "$WORK/$X/log" | cut -d' ' -f1 | while read -r line; do
		date -d "$line" +%s.%N
	done
}

# What never came of SENT pings, and the longest silence between two answers: near a
# change of keys (2 s), and at all, in ms. A busy machine has silences of its own.
rekey_verdict() { # FILE SENT
	awk -v sent="$2" '
	NR == FNR { keys[NR] = $1 + 0; next }
	/icmp_seq=/ {
		t = substr($1, 2) + 0
		n++
		if (last && t - last > gap)
			gap = t - last
		for (k in keys)
			if (last && t - last > near && t > keys[k] - 2 && last < keys[k] + 2)
				near = t - last
		last = t
	}
	END { printf "%d %d %d\n", sent - n, near * 1000, gap * 1000 }' <(rekey_times) "$1"
}

play_rekey() { # VARIANT
	local ours=100000 theirs=100000 times=1 seconds sent lost near gap pings stream

	case $1 in
	ours*) ours=35 ;;
	theirs*) theirs=35 ;;
	both*) ours=35 theirs=35 ;;
	esac
	[ "${1%-4}" = "$1" ] || times=4
	seconds=$((times * 50 + 5))
	rekey_conf $X $ours
	rekey_conf $T $theirs
	for node in $X $T; do
		node_start $node
	done
	for node in $X $T; do
		node_wait $node
	done
	talk $X $T
	spawn $T "$WORK/iperf-server" iperf3 -s -1 -p 5201
	wait_for 5 listening $T 5201
	spawn $X "$WORK/iperf-client" iperf3 -c "${NODE_IP6[$T]}" -p 5201 -t "$seconds" -b 5M
	stream=$SPAWNED
	spawn $X "$WORK/pings" ping -6 -n -D -i 0.01 -w "$seconds" "${NODE_IP6[$T]}"
	pings=$SPAWNED
	wait "$pings" || :
	wait "$stream" || fail "the TCP stream broke" || return
	tail -n 3 "$WORK/pings"
	sent=$(sed -nE 's/^([0-9]+) packets transmitted.*/\1/p' "$WORK/pings")
	read -r lost near gap < <(rekey_verdict "$WORK/pings" "$sent")
	echo "NOTE $lost of $sent pings lost, longest silence $near ms near a rekey, $gap ms at all"
	echo "NOTE rekeys: $(get $X status '.rekeys | tostring')"
	[ "$(rekeys link)" -ge "$times" ] || fail "$(rekeys link) link rekeys, not $times" || return
	[ "$(rekeys session)" -ge "$times" ] ||
		fail "$(rekeys session) session rekeys, not $times" || return
	# The last one may still be on its way when the time is over.
	[ "$lost" -le 1 ] || fail "$lost pings lost" || return
	[ "$near" -le 200 ] || [ "$near" -lt "$gap" ] ||
		fail "$near ms without an answer" || return
	peer_is $X $T '.connectivity == "connected"'
}
