#!/bin/bash
# SPDX-License-Identifier: MIT
#
# In a guest, the module installed and not loaded: what may happen to a kernel
# data plane while it works. Two kernel nodes as in selftests/lib/common.sh.
#
#   stress.sh [NAME=VALUE...]

set -euo pipefail

while [[ "${1:-}" == *=* ]]; do
	export "${1?}"
	shift
done
export LEFT=kernel RIGHT=kernel KTAP_LOGS=$OUT

# shellcheck source=../lib/common.sh
. /fips/selftests/lib/common.sh

# Traffic in both directions until it is told to end.
load_start() {
	spawn b "$WORK/iperf-server" iperf3 -s -p 5201
	wait_for 5 listening b 5201
	spawn a "$WORK/iperf-client" iperf3 -c "${NODE_IP6[b]}" -p 5201 -t 1000
	spawn a "$WORK/flood" ping -6 -f -q -s 900 "${NODE_IP6[b]}"
	wait_for 10 load_runs
}

load_runs() {
	holds a links '.links[0].stats.packets_sent > 300'
}

module_gone() {
	modprobe -r fips 2>/dev/null || rmmod fips
	[ ! -e /sys/module/fips ]
}

# The module goes in the middle of everything; the daemons may live or end, not hang.
unload_under_load() {
	local node

	both_up
	ping_all a 2
	load_start
	wait_for 10 module_gone
	for node in a b; do
		kill -TERM "$(node_pid $node)" 2>/dev/null || :
		wait_for 10 gone "$(node_pid $node)"
		rm "$WORK/$node/pid"
	done
}

# The first death of a namespace is its processes', the second is its own. The
# cable's end in this namespace tells: it goes when its other end does.
witness() { # NODE
	ip link del "w-$1" 2>/dev/null || :
	ip link add "w-$1" type veth peer name wit netns "$(ns "$1")"
}

witness_gone() { # NODE
	! ip link show "w-$1" 2>/dev/null
}

namespaces_die() { # the daemons are killed under load, the namespaces removed
	local node

	for node in a b; do
		witness $node
		# No TCP: a connection that nobody closes holds its namespace for minutes.
		spawn $node "$WORK/flood" ping -6 -f -q -s 900 "${NODE_IP6[$(other $node)]}"
	done
	wait_for 10 load_runs
	for node in a b; do
		node_kill $node
		ip netns del "$(ns $node)"
	done
	while read -r pid; do
		kill -KILL "$pid" 2>/dev/null || :
	done <"$WORK/started"
}

namespace_death_at_once() {
	LINGER=0
	both_up
	ping_all a 2
	namespaces_die
	wait_for 10 witness_gone a
	wait_for 10 witness_gone b
	wait_for 10 module_gone
}

namespace_death_after_linger() {
	LINGER=$((3 * SLOW))
	both_up
	ping_all a 2
	namespaces_die
	# shellcheck disable=SC2034 # wait_for multiplies by SLOW
	wait_for 20 witness_gone a
	wait_for 20 witness_gone b
	wait_for 10 module_gone
}

# Without a daemon traffic goes on until linger ends, and then stops for good.
linger_ends() {
	export LINGER=$((3 * SLOW))
	both_up
	ping_all a 2
	node_kill a
	ping_all a 20 -i 0.01
	run test "$(in_ns a cat /sys/class/net/fips0/carrier)" = 1
	wait_for 10 carrier_off
	must_fail ping_once a
}

carrier_off() {
	[ "$(in_ns a cat /sys/class/net/fips0/carrier)" = 0 ]
}

# 1 kHz of pings while the daemon dies and a new one takes its device over.
takeover() {
	local count=$((5000 + 5000 * SLOW)) pid

	LINK_DEAD=60
	both_up
	ping_all a 2
	spawn a "$WORK/ping" ping -6 -n -q -i 0.001 -c "$count" "${NODE_IP6[b]}"
	pid=$SPAWNED
	wait_for 10 load_runs
	node_kill a
	node_start a
	node_wait a
	wait_linked
	must_fail gone "$pid" # or the pings would prove nothing
	kill -INT "$pid"
	wait "$pid" || :
	cat "$WORK/ping"
	grep -qE '^([0-9]+) packets transmitted, \1 received' "$WORK/ping" ||
		fail "frames were lost"
	must_fail grep duplicates "$WORK/ping"
	# The peer must not have seen a restart.
	run holds b status '.peer_count == 1'
	must_fail grep -iE 'restart' "$WORK/b/log"
	in_session a
}

# A stopped daemon, and misses without end: what the peer has to say to it
# still arrives, for control and data upcalls have sockets of their own.
control_upcalls_survive_misses() {
	export LINK_DEAD=120
	both_up
	ping_all a 2
	run kill -STOP "$(node_pid a)"
	# shellcheck disable=SC2016 # the inner shell expands it
	in_ns a bash -c 'for i in $(seq 3000); do
		echo x >"/dev/udp/fd00:1:2:3:4:5:$((i / 100)):$((i % 100 + 1))/9"
	done' 2>/dev/null || :
	in_ns a ethtool -S fips0 | grep -iE 'upcall|stage' || :
	run ctl b disconnect "${NODE_NPUB[a]}"
	wait_for 3 unlinked b
	run kill -CONT "$(node_pid a)"
	# a dials again by itself: what counts is that it heard the Disconnect.
	wait_for 10 heard_disconnect
	wait_linked
	wait_for 10 ping_once a
	ping_all a 3
}

heard_disconnect() {
	grep -q 'gone: ConfigurationChange' "$WORK/a/log"
}

# Devices come and go while their daemons are busy.
device_deleted_under_load() {
	both_up
	ping_all a 2
	load_start
	run ip -n "$(ns a)" link del fips0
	for node in a b; do
		kill -TERM "$(node_pid $node)" 2>/dev/null || :
		wait_for 10 gone "$(node_pid $node)"
		rm "$WORK/$node/pid"
	done
}

counters_and_traces() {
	local trace=/sys/kernel/tracing

	both_up
	echo 1 >$trace/events/fips/enable
	ping_all a 5
	echo 0 >$trace/events/fips/enable
	head -n 40 $trace/trace
	in_ns a ip -s link show fips0
	in_ns a ethtool -S fips0
	for what in dev transport link session route; do
		run in_ns a "$FIPSCTL" kernel show $what
		in_ns a "$FIPSCTL" kernel show $what --json | jq .
	done
	run test "$(in_ns a cat /sys/class/net/fips0/statistics/rx_packets)" -ge 5
}

tests=(counters_and_traces takeover control_upcalls_survive_misses linger_ends
	namespace_death_at_once namespace_death_after_linger device_deleted_under_load
	unload_under_load unload_under_load)
ktap_plan ${#tests[@]}
for name in "${tests[@]}"; do
	ktap_test "stress ${name//_/ }" scenario "$name"
done
ktap_end
