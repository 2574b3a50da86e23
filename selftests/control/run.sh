#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The control socket of a running node: the shape of every reply, the
# reference's tools against our daemon and ours against the reference's, rude
# clients under traffic, and fipstop in a real terminal (tmux).
#
#   run.sh [--list] [TEST...]
#
# FIPS_REF_J   folder of the reference's programs; without it those tests skip

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
. "$here/../lib/common.sh"

all=(shapes shapes_j their_fipsctl our_fipsctl probe probe_j tool completion fipstop fipstop_plain their_fipstop crowd)

ask() { # NODE COMMAND [PARAMS]; prints the reply
	printf '{"command":"%s","params":%s}\n' "$2" "${3:-null}" |
		nc -UN -w 6 "$WORK/$1/control.sock"
}

FIPS_BUILD_DIR=$(dirname "$FIPSCTL")

data() { # NODE COMMAND [PARAMS]; prints the data of a good reply
	ask "$@" | jq -e 'if .status == "ok" then .data else error(.message) end'
}

shape_names() {
	jq -r 'keys[] | select(test("^show_"))' "$here/shapes.json"
}

# Is each reply of its shape?
check_shapes() { # NODE
	local name params wrong status=0

	while read -r name; do
		params=null
		[ "$name" = "${name#* }" ] || params=${name#* }
		wrong=$(data "$1" "${name%% *}" "$params" | jq -r --arg shape "$name" \
			--argjson shapes "$(cat "$here/shapes.json")" -f "$here/shapes.jq")
		[ -z "$wrong" ] || { echo "FAIL: $wrong"; status=1; }
	done < <(shape_names)
	return $status
}

sampled() { # NODE
	data "$1" show_stats_peers | jq -e '.count == 1'
}

run_shapes() {
	both_up
	ping_all a 3
	wait_for 5 sampled a
	check_shapes a
	# Samples grow, newest last, and a short window is padded at its front.
	data a show_stats_history '{"metric":"peer_count","window":"1h"}' |
		jq -e '.values | length == 3600 and .[0] == null and .[-1] == 1.0'
	data a show_stats_history '{"metric":"peer_count","window":"0s"}' | jq -e '.values == []'
	data a show_stats_history "{\"metric\":\"bytes_in\",\"peer\":\"${NODE_NPUB[b]}\",\"window\":\"2s\"}" |
		jq -e '.unit == "bytes/s" and (.values | length == 2)'
	check_complaints
}

# Text of refusals: clients show it.
complaint() { # COMMAND PARAMS TEXT
	local said

	said=$(ask a "$1" "$2" | jq -r .message)
	[ "$said" = "$3" ] || fail "$1 $2: said '$said', not '$3'"
}

check_complaints() {
	local m='{"metric":"mesh_size"'

	complaint show_stats_history null "missing params for show_stats_history"
	complaint show_stats_history '{}' "missing 'metric' parameter"
	complaint show_stats_history '{"metric":"x"}' "unknown metric: x"
	complaint show_stats_history "$m,\"window\":\"\"}" "empty duration"
	complaint show_stats_history "$m,\"window\":\"s\"}" "invalid duration: s"
	complaint show_stats_history "$m,\"window\":\"1.5s\"}" "invalid duration: 1.5s"
	complaint show_stats_history "$m,\"window\":\"10x\"}" "unknown duration unit: x (expected s, m, h)"
	complaint show_stats_history "$m,\"window\":\"5ü\"}" "invalid duration: 5ü"
	complaint show_stats_history "$m,\"granularity\":\"2s\"}" "unknown granularity: 2s (expected 1s or 1m)"
	complaint show_stats_history "$m,\"peer\":\"${NODE_NPUB[b]}\"}" "unknown peer metric: mesh_size"
	complaint show_stats_history_all_peers '{"metric":"mesh_size"}' "unknown peer metric: mesh_size"
	complaint connect '{"npub":3}' "missing 'npub' parameter"
	complaint dance null "unknown command: dance"
}

need_j() {
	kind_here J || skip "no reference: set FIPS_REF_J to the folder of its programs"
}

# The shapes are right about the reference, too.
run_shapes_j() {
	need_j
	KIND["b"]=J
	both_up
	ping_all a 3
	check_shapes b
}

json_topics=(status peers links tree sessions bloom mmp cache connections transports routing
	identity-cache native-flows)

run_their_fipsctl() {
	local topic theirs=${FIPS_REF_J:-}/fipsctl sock

	need_j
	both_up
	sock=$WORK/a/control.sock
	for topic in "${json_topics[@]}"; do
		"$theirs" -s "$sock" show "$topic" | jq -e 'type == "object"' >/dev/null
	done
	"$theirs" -s "$sock" acl show | jq -e .effective_mode
	"$theirs" -s "$sock" stats list | jq -e '.metrics | length == 17'
	"$theirs" -s "$sock" stats metrics | jq -e .forwarding >/dev/null
	"$theirs" -s "$sock" stats peers | jq -e .count
	"$theirs" -s "$sock" stats history peer_count --window 10s --plot
	"$theirs" -s "$sock" disconnect "${NODE_NPUB[b]}" | jq -e .disconnected
	wait_for 3 unlinked a
	"$theirs" -s "$sock" connect "${NODE_NPUB[b]}" "$(endpoint b)" udp | jq -e '.refreshed == false'
	wait_linked
	must_fail "$theirs" -s "$sock" connect npub1bad "$(endpoint b)" udp
}

run_our_fipsctl() {
	local topic

	need_j
	KIND["a"]=J
	both_up
	for topic in "${json_topics[@]}"; do
		run ctl a show "$topic" >/dev/null
		ctl a show "$topic" --json | jq -e 'type == "object"' >/dev/null
	done
	run ctl a disconnect "${NODE_NPUB[b]}"
	wait_for 3 unlinked a
	run ctl a connect "${NODE_NPUB[b]}" "$(endpoint b)" udp
	wait_linked
}

# A probe of a peer, one of somebody who is nowhere, one that is cancelled.
probe_settled() { # NODE ID STATE
	data "$1" probe_poll "{\"probe_id\":$2}" >"$WORK/probe"
	jq -e ".state == \"$3\"" "$WORK/probe"
}

nobody=npub1sx42mj99aql52aklsg70y2jmr95u7uz2p40k769aw46ppjv302kqkhmu5r

run_probe() {
	local out status=0

	both_up
	# What is faster than a millisecond has no round trip: then the verdict is "partial".
	out=$(ctl a probe "${NODE_NPUB[b]}" --json) || status=$?
	jq -e '(.rtt.verdict == "ok" or .rtt.reason == "sub_millisecond") and .bloom.verdict == "skipped" and .path.next_hop.class == "direct_peer"
		and .session.established
		and .target.display_name == "b" and .cleanup.session_created_and_torn_down' <<<"$out" ||
		{ echo "$out"; fail "another report"; }
	says '^overall +(ok|partial)$' ctl a probe "${NODE_NPUB[b]}"
	# b still holds the session that the probe closed here: the first packet of a new one may be lost.
	wait_for 5 in_ns a ping -6 -n -c 1 -W 1 "${NODE_IP6[b]}"
	ping_all a 3
	out=$(ctl a probe "${NODE_NPUB[b]}" --json) || :
	jq -e '.session.verdict == "skipped" and .session.reason == "preexisting"
		and .cleanup.session_left_intact' <<<"$out"
	holds a sessions '.sessions | length == 1'

	out=$(ctl a probe "$nobody" --json) || status=$?
	[ $status = 1 ] || fail "status $status"
	jq -e '.overall == "failed" and .bloom.reason == "bloom_miss"
		and .rtt.reason == "not_reached"' <<<"$out" || { echo "$out"; fail "another report"; }

	complaint probe_start null "missing params for probe_start"
	complaint probe_start '{}' "missing 'npub' parameter"
	complaint probe_start "{\"npub\":\"${NODE_NPUB[a]}\"}" "cannot probe this node"
	complaint probe_poll '{"probe_id":77}' "unknown probe id: 77"
	complaint probe_poll '{}' "missing 'probe_id' parameter"
	data a probe_start "{\"npub\":\"$nobody\"}" >"$WORK/start"
	out=$(jq .probe_id "$WORK/start")
	probe_settled a "$out" running
	data a probe_cancel "{\"probe_id\":$out}" | jq -e .cancelled
	probe_settled a "$out" 'done'
	jq -e '.report.overall == "cancelled"' "$WORK/probe"
	complaint probe_poll "{\"probe_id\":$out}" "unknown probe id: $out"
	# Four at a time.
	for _ in 1 2 3 4; do
		data a probe_start "{\"npub\":\"$nobody\"}" >/dev/null
	done
	complaint probe_start "{\"npub\":\"$nobody\"}" "too many probes in flight"
}

# The reference's tool probes with our daemon, ours with its.
run_probe_j() {
	need_j
	KIND["b"]=J
	both_up
	says '^overall +(ok|partial)' "$FIPS_REF_J/fipsctl" -s "$WORK/a/control.sock" probe \
		"${NODE_NPUB[b]}"
	says '^overall +(ok|partial)' ctl b probe "${NODE_NPUB[a]}"
}

# What our tool says: every form of output, exit codes.
says() { # PATTERN COMMAND...
	local pattern=$1 out status=0

	shift
	out=$("$@" 2>&1) || status=$?
	grep -qE -- "$pattern" <<<"$out" && return
	echo "$out"
	fail "status $status, and no '$pattern' from: $*"
}

exits() { # STATUS COMMAND...
	local want=$1 status=0

	shift
	"$@" >/dev/null 2>&1 || status=$?
	[ $status = "$want" ] || fail "status $status, not $want, from: $*"
}

run_tool() {
	local topic pid

	both_up
	ping_all a 3
	wait_for 5 sampled a
	for topic in "${json_topics[@]}" listening-sockets; do
		exits 0 ctl a -t show "$topic"
		ctl a show "$topic" | jq -e 'type == "object"' >/dev/null	# no terminal: JSON
	done
	says '^npub +npub1' ctl a -t show status
	says '^b .* outbound +connected' ctl a -t show peers
	says '^bytes_in +bytes/s +node$' ctl a -t stats list
	says '^tree .*accepted' ctl a -t stats metrics
	says '^b +npub1.* yes ' ctl a -t stats peers
	says '^peer_count, peers, every 1 s' ctl a -t stats history peer_count --window 5s
	says '^peer_count \(peers\): 20 samples of 1 s, 20 s in all, [0-9]+ gaps' \
		ctl a stats history peer_count --window 20s --plot
	says '^min 0.000  max 1.000  last 1.000|^min 1.000  max 1.000  last 1.000' \
		ctl a stats history peer_count --window 20s --plot
	says '^srtt_ms \(ms\)' ctl a stats history srtt_ms --peer "${NODE_NPUB[b]}" --plot
	says '^IPv6 address +fd69:e08d' ctl a address "${NODE_NPUB[a]}"
	ctl a address --json "${NODE_NPUB[a]}" | jq -e ".node_addr == \"${NODE_HEX[a]}\""
	says '^ok +daemon' in_ns a "$FIPSCTL" -s "$WORK/a/control.sock" doctor
	says '^(ok|warning) +MTU' in_ns a "$FIPSCTL" -s "$WORK/a/control.sock" doctor
	in_ns a "$FIPSCTL" -s "$WORK/a/control.sock" doctor --json | jq -e 'length >= 8'
	says '^broken +daemon' "$FIPSCTL" -s "$WORK/nobody" doctor
	exits 1 "$FIPSCTL" -s "$WORK/nobody" show status
	exits 1 ctl a stats history nonsense
	exits 2 ctl a
	exits 2 ctl a dance
	exits 2 ctl a show
	exits 2 ctl a show everything
	exits 2 ctl a stats history
	exits 1 ctl a connect "${NODE_NPUB[b]}" "[fd00::1]:2121" udp

	# What changes is told as it changes.
	spawn a "$WORK/monitor" "$FIPSCTL" -s "$WORK/a/control.sock" monitor
	pid=$SPAWNED
	sleep 1
	ctl a disconnect "${NODE_NPUB[b]}"
	wait_for 5 grep -q 'peer      gone         b$' "$WORK/monitor"
	ctl a connect "${NODE_NPUB[b]}" "$(endpoint b)" udp
	wait_for 5 grep -q 'peer      connected    b$' "$WORK/monitor"
	kill -INT "$pid"
	wait "$pid"
}

# ---- fipstop in a terminal emulator

# The server of tmux is a daemon of its own: cleanup must end it.
tm() { # ARGUMENT...
	tmux -L "fips-$RUN" -f /dev/null "$@"
}

screen_open() { # WIDTH HEIGHT COMMAND
	command -v tmux >/dev/null || skip "no tmux"
	tm new-session -d -x "$1" -y "$2" "$3; sleep 60"
}

screen() {
	tm capture-pane -p
}

shows() { # PATTERN
	screen | grep -qE -- "$1"
}

# Press keys, and wait until the screen shows something.
press() { # PATTERN KEY...
	local pattern=$1

	shift
	[ $# = 0 ] || tm send-keys "$@"
	wait_for 5 shows "$pattern" || { screen; return 1; }
}

# No line is wider than the screen: nothing has wrapped.
fits() { # WIDTH HEIGHT
	[ "$(screen | wc -l)" -le "$2" ] || { screen; fail "more than $2 lines"; }
	! screen | LC_ALL=C.UTF-8 grep -qE "^.{$(($1 + 1))}" || { screen; fail "wider than $1"; }
}

run_fipstop() {
	both_up
	ping_all a 3
	wait_for 5 sampled a
	screen_open 80 24 "LC_ALL=C.UTF-8 $FIPS_BUILD_DIR/fipstop -s $WORK/a/control.sock -r 1"
	trap 'tm kill-server 2>/dev/null || :; cleanup' EXIT
	press 'fipstop  npub1sjlh2c3x9w7kjsqg2ay  running  1 peers'
	press 'npub +npub1sjlh2c3x9w7kjsqg2ay080n2lff2uvt325vpan33ke34rn8l5jcqawh57m$'
	press 'Listening for the mesh'
	press 'peer.*[▁▂▃▄▅▆▇█]'
	fits 80 24
	press '^ b +(child|parent|peer) +udp +out' Tab
	wait_for 20 shows '^ b +(child|parent|peer) +udp +out +[0-9.]+ ms' # reports take their time
	press 'Details' Down Enter
	press '"connectivity": "connected"'
	fits 80 24
	press 'Tab: next tab' Escape
	press '^ name\+? ' s
	press '^ \+ udp +up +10.77.0.1:2121' Tab
	press '\+- link 1, outbound +connected' Space
	press '^ \+ udp' c
	press '\+- link 1' e
	press '^ b +8e302c28 +established +initiator' Tab
	press 'this node \(69e08d65\)' Tab
	press '└─ b \(8e302c28\)'
	press 'own filter +sequence [0-9]' Tab
	press '^ b +full .*rtt[↑↓→]' Tab
	press 'coordinates of' Tab
	press 'peer_count \(peers\)' Tab
	press 'node, last 1h' Right
	press 'one metric, all peers, last 1h, srtt_ms' m
	press 'loss_rate$|loss_rate ' n
	press 'one peer, all metrics' m
	press 'No gateway here' Tab
	press 'Listening for the mesh' 1
	press 'Keys' '?'
	press 'Listening for the mesh' x
	press '/nobody-of-this-name' / n o b o d y - o f - t h i s - n a m e
	press 'nothing found' Enter
	# Larger, tiny, and back.
	tm resize-window -x 132 -y 43
	press 'address +fd69:e08d:65cc:3a6b:9c2c:2ac4:bd40:5e4b  69e08d65cc3a6b9c2c2ac4bd405e4b0e'
	fits 132 43
	tm resize-window -x 30 -y 6
	press 'fipstop'
	fits 30 6
	tm resize-window -x 80 -y 24
	press 'Listening for the mesh'
	# A peer is sent away only after a question.
	press '^ b ' 2
	press 'Disconnect npub1.*y/n' Home DC
	press '^ b ' n
	press 'no peers' DC y
	wait_for 3 unlinked a
	# The daemon goes, and comes back.
	node_stop a
	press 'disconnected: '
	node_start a
	press 'running  1 peers'
	tm send-keys q
	wait_for 5 not_running
}

not_running() {
	! shows 'Tab: next tab'
}

# Without colour and without UTF-8.
run_fipstop_plain() {
	both_up
	wait_for 5 sampled a
	trap 'tm kill-server 2>/dev/null || :; cleanup' EXIT
	screen_open 80 24 "NO_COLOR=1 LC_ALL=C $FIPS_BUILD_DIR/fipstop -s $WORK/a/control.sock -r 1"
	press 'running  1 peers'
	press '`- b \(8e302c28\)' 5
	press ' \*$' g
	! tm capture-pane -p -e | grep -q $'\033\\[3[0-8]' || fail "colour"
	fits 80 24
	tm send-keys q
}

# The reference's own shows what our daemon says, tab by tab.
run_their_fipstop() {
	local i

	need_j
	both_up
	ping_all a 3
	wait_for 5 sampled a
	trap 'tm kill-server 2>/dev/null || :; cleanup' EXIT
	screen_open 120 40 "LC_ALL=C.UTF-8 $FIPS_REF_J/fipstop -s $WORK/a/control.sock"
	press 'npub1sjlh2c3x'
	for i in Peers Transports Sessions Tree Filters Performance Routing Graphs Gateway; do
		tm send-keys Tab
		sleep 0.5
		screen
		wait_for 5 shows "$i"
	done
	tm send-keys g
	press 'peer_count|Peer Count|peers'
	tm send-keys q
}

# What bash offers behind words.
offers() { # WANTED WORD...
	local want=$1

	shift
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	_fipsctl
	[[ " ${COMPREPLY[*]} " = *" $want "* ]] || fail "no $want after: $* (${COMPREPLY[*]})"
}

run_completion() {
	# shellcheck source=/dev/null
	. "$FIPS_TOP/packaging/bash-completion/fipsctl"
	# shellcheck disable=SC2317 # what completes calls it
	fipsctl() { "$FIPSCTL" "$@" || :; }	# nobody answers; what is known without is offered
	offers show fipsctl ''
	offers peers fipsctl show p
	offers peers fipsctl -s /x show ''
	offers history fipsctl stats h
	offers --plot fipsctl stats history --p
	offers 1m fipsctl stats history x --granularity ''
	offers link fipsctl kernel show l
	offers udp fipsctl connect x y ''
}

# Microseconds of the median of 150 pings.
median() {
	in_ns a ping -6 -n -c 150 -i 0.01 "${NODE_IP6[b]}" | sed -n 's/.*time=\([0-9.]*\) ms/\1/p' |
		sort -n | awk '{ v[NR] = $1 } END { print int(v[int((NR + 1) / 2)] * 1000) }'
}

# A hundred requests by ten at a time, one that says nothing, one that never
# reads, one of garbage: the daemon answers, and traffic does not notice.
run_crowd() {
	local i pids=() quiet loud again bar

	both_up
	ping_all a 3
	quiet=$(median)
	spawn a /dev/null nc -U "$WORK/a/control.sock"		# stuck: says nothing
	for i in $(seq 10); do
		(
			for _ in $(seq 5); do
				ask a show_peers >/dev/null || :
				ask a show_status >/dev/null || :
			done
		) &
		pids+=($!)
	done
	(
		for i in $(seq 8); do
			head -c 3000 /dev/urandom | nc -UN -w 1 "$WORK/a/control.sock" >/dev/null || :
			head -c 9000 /dev/zero | nc -UN -w 1 "$WORK/a/control.sock" >/dev/null || :
		done
	) &
	pids+=($!)
	loud=$(median)
	for i in "${pids[@]}"; do
		wait "$i" || :
	done
	again=$(median)
	[ "$again" -lt "$quiet" ] || quiet=$again
	echo "median of pings: $quiet us, with a crowd at the control socket: $loud us"
	# The crowd's own processes need the processors, too.
	bar=$((quiet + 1000 * (SLOW + 2)))
	[ "$loud" -le $bar ] || fail "more than $bar us"
	data a show_status | jq -e '.state == "running"'
}

[ "$(id -u)" = 0 ] || { echo "run.sh: needs root (namespaces)" >&2; exit 2; }
if [ "${1:-}" = --list ]; then
	printf '%s\n' "${all[@]}"
	exit 0
fi
[ $# -gt 0 ] || set -- "${all[@]}"

ktap_plan $#
for name; do
	# shellcheck disable=SC2034 # node.sh's
	KIND=()
	ktap_test "control: $name" scenario "run_$name"
	# shellcheck disable=SC2153 # ktap.sh's
	grep -ah '^median' "$KTAP_LOGS/control_$name.log" 2>/dev/null | sed 's/^/# /' || :
done
ktap_end
