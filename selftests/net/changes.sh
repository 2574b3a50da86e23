#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Meshes in namespaces that change under traffic: what has to move moves in time,
# what need not move loses nothing.
#
#   changes.sh [--list] [TEST...]
#
# partition  two islands, and one mesh again
# newroot    a new root comes and goes, traffic between others goes on
# pathmtu    the middle link of five nodes takes smaller frames, then larger ones
# ecn        a bottleneck of 1 Mbit/s marks, TCP's ends see it
# messages   new keys every few seconds (300 messages), under traffic
# early      the first msg1 is repeated when nobody listens yet
# mixed      ours among the Rust nodes J (needs FIPS_REF_J)
# rekey35    new keys as the reference's harness has them: 35 s (not by default)

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/mesh.sh disable=SC1091
. "$here/../lib/mesh.sh"

# shellcheck disable=SC2034 # mesh_main's
all=(partition newroot pathmtu ecn messages early mixed)

# ---- helpers

# Ping in the background at 50 Hz; steady_end says whether each was answered.
steady() { # FROM TO SECONDS
	spawn "$1" "$WORK/steady-$1-$2" ping -6 -n -q -c $((50 * $3)) -i 0.02 -W 5 "${NODE_IP6[$2]}"
	STEADY["$1-$2"]=$SPAWNED
}

steady_end() {
	local pair file status=0

	for pair in "${!STEADY[@]}"; do
		file=$WORK/steady-$pair
		wait "${STEADY[$pair]}" || :
		echo "measured: pings $pair: $(grep transmitted "$file")"
		grep -qE '^([0-9]+) packets transmitted, \1 received' "$file" || status=1
	done
	STEADY=()
	[ $status = 0 ] || fail "pings lost"
}
declare -A STEADY=()

cable() { # EDGE up|down
	ip -n "$(ns "${1%-*}")" link set "to-${1#*-}" "$2"
	ip -n "$(ns "${1#*-}")" link set "to-${1%-*}" "$2"
}

# Milliseconds a command takes to become true, kept in $TOOK.
timed() { # SECONDS WHAT COMMAND...
	local limit=$1 what=$2 start=$EPOCHREALTIME

	shift 2
	wait_for "$limit" "$@"
	TOOK=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%d", (b - a) * 1000 }')
	echo "measured: $what after $TOOK ms"
}

# ---- two islands

topology_partition() {
	mesh n3-n1 n5-n3 n5-n1 n4-n2 n6-n4 n6-n2 n3-n4 n6-n5
}

islands() {
	mesh_settled n1 n1 n3 n5 && mesh_settled n2 n2 n4 n6
}

run_partition() {
	mesh_up
	reach_all 20
	wait_for 10 mesh_settled n1
	# Within each island nothing need ever be lost.
	steady n5 n1 20
	steady n6 n2 20
	cable n3-n4 down
	cable n6-n5 down
	timed 15 "two islands, a root each," islands
	reach_all 5 n1 n3 n5
	reach_all 5 n2 n4 n6
	must_fail reach n3 n4 1
	cable n3-n4 up
	cable n6-n5 up
	timed 15 "one root" mesh_settled n1
	timed 10 "then all 30 pairs" reach_all 10
	steady_end
}

# ---- a root that comes and goes

topology_newroot() {
	mesh n3-n2 n4-n3 n5-n3 n6-n2 n1-n6
}

run_newroot() {
	local rest=(n2 n3 n4 n5 n6)

	mesh_up "${rest[@]}"
	reach_all 20 "${rest[@]}"
	wait_for 10 mesh_settled n2 "${rest[@]}"
	steady n4 n5 20
	steady n4 n6 20
	steady n2 n5 20
	mesh_up n1
	timed 10 "the new root everywhere" mesh_settled n1
	sleep 3
	node_kill n1
	timed 15 "the old root again" mesh_settled n2 "${rest[@]}"
	steady_end
}

# ---- smaller frames in the middle of four hops

topology_pathmtu() {
	mesh n2-n1 n3-n2 n4-n3 n5-n4
}

# n3 gets a second socket, for small frames. What it sends n2 by it is small; n5 sends.
# 1,357 is the least that carries IPv6's 1,280: below it a stream that is open already
# stands still, as nothing tells TCP of less.
small_socket() {
	sed -i -e '/^  udp:/,/^    mtu:/d' -e 's/^transports:/&\
  udp:\
    large:\
      bind_addr: "0.0.0.0:2121"\
      mtu: 1472\
    small:\
      bind_addr: "0.0.0.0:2122"\
      mtu: 1400/' "$WORK/n3/fips.yaml"
}

session_mtu() { # NODE TO MTU
	holds "$1" sessions "any(.sessions[]; .remote_addr == \"${NODE_HEX[$2]}\"
		and .mmp.path_mtu == $3)"
}

# Another link takes the place of n3's to n2. (A second path would do without the gap,
# but nobody takes one within a link's first 30 s.)
move_link() { # INSTANCE
	ctl n3 disconnect "${NODE_NPUB[n2]}"
	ctl n3 connect "${NODE_NPUB[n2]}" "${MESH_UNDERLAY[n3-n2]}" "udp/$1"
}

# Bytes that have arrived so far.
arrived() {
	stat -c %s "$WORK/got"
}

run_pathmtu() {
	local node sender before

	for node in "${NODES[@]}"; do
		mesh_conf "$node"
	done
	small_socket
	for node in "${NODES[@]}"; do
		node_start "$node"
	done
	reach n5 n1 20
	spawn n1 "$WORK/got" busybox nc -l -p 5000
	wait_for 5 listening n1 5000
	# shellcheck disable=SC2016 # the inner shell expands them
	spawn n5 "$WORK/nc" bash -c 'while :; do head -c 50000 /dev/zero; sleep 0.05; done \
		>"/dev/tcp/$0/5000"' "${NODE_IP6[n1]}"
	sender=$SPAWNED
	sleep 2
	wait_for 5 session_mtu n5 n1 1472
	move_link small
	timed 15 "the smaller path MTU at the source" session_mtu n5 n1 1400
	before=$(arrived)
	sleep 2
	[ "$(arrived)" -gt "$before" ] || fail "TCP stands still on the smaller path"
	# n3 has told n5, n5's node its own stack, and that keeps it.
	holds n5 routing '.error_signals.mtu_exceeded >= 1'
	in_ns n5 ip -6 route get "${NODE_IP6[n1]}" | grep "mtu $((1400 - 77)) "
	move_link large
	timed 60 "the larger path MTU at the source" session_mtu n5 n1 1472
	before=$(arrived)
	sleep 1
	[ "$(arrived)" -gt "$before" ] || fail "TCP stands still on the larger path"
	kill "$sender"
}

# ---- a bottleneck that marks

topology_ecn() {
	mesh n2-n1 n3-n1
}

snmp6() { # NODE COUNTER
	# shellcheck disable=SC2016 # awk's, not the shell's
	in_ns "$1" awk -v c="$2" '$1 == c { print $2 }' /proc/net/snmp6
}

tcp_ext() { # NODE COUNTER
	# shellcheck disable=SC2016 # awk's, not the shell's
	in_ns "$1" awk -v c="$2" '$1 == "TcpExt:" && !n { n = split($0, name); next }
		$1 == "TcpExt:" { for (i = 1; i <= n; i++) if (name[i] == c) print $i }' \
		/proc/net/netstat
}

marked() {
	local detected forwarded received ce ece

	detected=$(get n1 routing .congestion.congestion_detected)
	forwarded=$(get n1 routing .congestion.ce_forwarded)
	received=$(get n3 routing .congestion.ce_received)
	ce=$(snmp6 n3 Ip6InCEPkts)
	ece=$(tcp_ext n2 TCPDeliveredCE)
	echo "measured: marked by n1 $detected, forwarded $forwarded; n3 took $received off the" \
		"mesh, its IPv6 saw $ce; n2's TCP heard of $ece"
	for n in "$detected" "$forwarded" "$received" "$ce" "$ece"; do
		[ "$n" -gt 0 ] || fail "no marks somewhere on the way" || return
	done
}

run_ecn() {
	local node

	mesh_up
	for node in n2 n3; do
		in_ns $node sh -c 'echo 1 >/proc/sys/net/ipv4/tcp_ecn'
	done
	reach n2 n3 10
	run tc -n "$(ns n1)" qdisc add dev to-n3 root handle 1: htb default 1
	run tc -n "$(ns n1)" class add dev to-n3 parent 1: classid 1:1 htb rate 1mbit quantum 1500
	run tc -n "$(ns n1)" qdisc add dev to-n3 parent 1:1 pfifo limit 8
	spawn n3 "$WORK/iperf-server" iperf3 -s -1 -p 5201
	wait_for 5 listening n3 5201
	in_ns n2 iperf3 -c "${NODE_IP6[n3]}" -p 5201 -t 15 -P 8 | tail -n 4
	marked
}

# ---- keys that wear out quickly

topology_messages() {
	mesh n2-n1 n3-n1
	# shellcheck disable=SC2034 # node_conf's
	NODE_EXTRA="  rekey:
    after_messages: 300"
}

renewed() { # NODE KIND NUMBER
	local times

	times=$(get "$1" status ".rekeys.$2 | .completed + .promoted")
	echo "measured: $1 has renewed $2 keys $times times"
	[ "$times" -ge "$3" ]
}

run_messages() {
	mesh_up
	reach n2 n3 10
	steady n2 n3 30
	steady n3 n1 30
	steady_end
	renewed n2 session 3
	# Not within 30 s of the last one: J would refuse.
	wait_for 15 renewed n2 link 1
}

topology_rekey35() {
	mesh n1-n4 n1-n5 n3-n4 n2-n3 n4-n5 n3-n5
	# shellcheck disable=SC2034 # node_conf's
	NODE_EXTRA="  rekey:
    after_secs: 35"
}

run_rekey35() {
	mesh_up
	reach_all 20
	steady n2 n1 120
	steady n5 n2 120
	steady_end
	renewed n2 session 2
	renewed n2 link 2
}

# ---- nobody listens yet

topology_early() {
	mesh n2-n1
}

# Microseconds between the first two datagrams that came to n1.
first_gap() {
	awk '!first { first = $1; next } { printf "%d\n", ($1 - first) * 1e6; exit }' "$WORK/seen"
}

two_seen() {
	[ "$(wc -l <"$WORK/seen")" -ge 2 ]
}

run_early() {
	local gap

	spawn n1 "$WORK/seen" tcpdump -l -n -tt -i to-n2 udp dst port 2121
	wait_for 5 grep -q 'listening on' "$WORK/stderr"
	mesh_up n2
	wait_for 5 two_seen
	gap=$(first_gap)
	echo "measured: msg1 again after $gap us"
	[ "$gap" -le $((250000 * SLOW)) ] || fail "$gap us, not 250,000"
	mesh_up n1
	reach n2 n1 10
}

# ---- among others

topology_mixed() {
	mesh n2-n1 n3-n1 n4-n2 n5-n3 n6-n4 n6-n5 n7-n6 n8-n3
	# shellcheck disable=SC2034 # node.sh's
	KIND=([n2]=J [n3]=J [n6]=J)
}

run_mixed() {
	kind_here J >/dev/null || skip "$(kind_here J)"
	mesh_up
	# J moves filters one tick a hop, and asks once more after 1, 2, 4 and 8 s.
	local start=$SECONDS
	reach_all 60
	echo "measured: all 56 pairs after $((SECONDS - start)) s"
	wait_for 10 mesh_settled n1
	mesh_tree
}

mesh_main changes "$@"
