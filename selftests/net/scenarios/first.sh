# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Packets sent while link and session are still being made wait, and none is
# lost: over a long cable the handshake takes as long as ten of them.
#
#	a (fips0) ── 100 ms each way ── b (fips0)        a dials, b listens
run_scenario() {
	local round trace=/sys/kernel/tracing

	netem a delay 100ms
	netem b delay 100ms
	[ ! -d $trace/events/fips ] || echo 1 >$trace/events/fips/fips_drop/enable
	for round in 1 2 3; do
		echo "round $round"
		both_up
		if ! ping_all a 10; then
			for node in a b; do
				in_ns $node ethtool -S fips0 | grep -v ': 0$' || :
			done
			[ ! -d $trace/events/fips ] || grep -v '^#' $trace/trace | tail -n 30
			return 1
		fi
		node_stop a
		node_stop b
	done
}
