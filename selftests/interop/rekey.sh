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

# shellcheck disable=SC2034,SC2154 # what run.sh reads, and what lib.sh sets

variants_rekey=(ours-begin theirs-begin both-begin)
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
	get "$X" status ".rekeys.$1 | .completed + .promoted"
}

# When keys have changed, in seconds of the epoch, as our node's log has it.
rekey_times() {
	local line

	grep -aE 'new (link|session) keys' "$WORK/$X/log" | cut -d' ' -f1 | while read -r line; do
		date -d "$line" +%s.%N
	done
}

# Pings that never came back, and the longest silence between two answers in ms; both
# first within 2 s of a change of keys, then away from any. A busy machine has silences
# of its own, and loses what its queues don't hold.
rekey_verdict() { # FILE
	awk '
	NR == FNR { keys[NR] = $1 + 0; next }
	match($0, /icmp_seq=[0-9]+/) {
		seq = substr($0, RSTART + 9, RLENGTH - 9) + 0
		t = substr($1, 2) + 0
		close_by = 0
		for (k in keys)
			close_by += t > keys[k] - 2 && last < keys[k] + 2
		where = close_by ? "near" : "far"
		if (last && t - last > gap[where])
			gap[where] = t - last
		if (seq > next_seq && next_seq)
			lost[where] += seq - next_seq
		if (seq >= next_seq)
			next_seq = seq + 1
		last = t
	}
	END { printf "%d %d %d %d\n", lost["near"], lost["far"], gap["near"] * 1000,
			gap["far"] * 1000 }' <(rekey_times) "$1"
}

play_rekey() { # VARIANT
	local ours=100000 theirs=100000 times=1 seconds lost lost_far near far pings stream

	case $1 in
	ours*) ours=35 ;;
	theirs*) theirs=35 ;;
	both*) ours=35 theirs=35 ;;
	esac
	[ "${1%-4}" = "$1" ] || times=4
	seconds=$((times * 50 + 5))
	rekey_conf "$X" $ours
	rekey_conf "$T" $theirs
	for node in $X $T; do
		node_start "$node"
	done
	for node in $X $T; do
		node_wait "$node"
	done
	talk "$X" "$T"
	spawn "$T" "$WORK/iperf-server" iperf3 -s -1 -p 5201
	wait_for 5 listening "$T" 5201
	spawn "$X" "$WORK/iperf-client" iperf3 -c "${NODE_IP6[$T]}" -p 5201 -t "$seconds" -b 5M
	stream=$SPAWNED
	spawn "$X" "$WORK/pings" ping -6 -n -D -i 0.01 -w "$seconds" "${NODE_IP6[$T]}"
	pings=$SPAWNED
	wait "$pings" || :
	wait "$stream" || fail "the TCP stream broke" || return
	tail -n 3 "$WORK/pings"
	read -r lost lost_far near far < <(rekey_verdict "$WORK/pings")
	echo "NOTE near a rekey $lost pings lost and at most $near ms silence;" \
		"elsewhere $lost_far and $far ms"
	echo "NOTE rekeys: $(get "$X" status '.rekeys | tostring')"
	[ "$(rekeys link)" -ge "$times" ] || fail "$(rekeys link) link rekeys, not $times" || return
	[ "$(rekeys session)" -ge "$times" ] ||
		fail "$(rekeys session) session rekeys, not $times" || return
	[ "$lost" -le "$lost_far" ] || fail "$lost pings lost at a rekey" || return
	[ "$near" -le $((200 + 2 * far)) ] ||
		fail "$near ms without an answer at a rekey" || return
	peer_is "$X" "$T" '.connectivity == "connected"'
}
