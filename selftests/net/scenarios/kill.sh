# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Each side's daemon is killed without a word and started again.
#
#	a (fips0) ──── cable ──── b (fips0)        a dials, b listens
#
# With the kernel data plane traffic flows on without the daemon.
kill_and_start() { # NODE
	run ping_all a 3
	node_kill "$1"
	if [ "$(dataplane "$1")" = kernel ]; then
		run ping_all a 20 -i 0.01
	fi
	node_start "$1"
	node_wait "$1"
	wait_linked
	wait_for 15 ping_once a
	run ping_all a 3
	run ping_all b 3
}

run_scenario() {
	both_up
	kill_and_start b
	kill_and_start a
	run holds a status '.peer_count == 1 and .link_count == 1'
}
