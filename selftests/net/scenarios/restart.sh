# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Each side is stopped and started; the other follows, and traffic goes on.
#
#	a (fips0) ──── cable ──── b (fips0)        a dials, b listens
restart() { # NODE
	run ping_all a 3
	node_stop "$1"
	node_leaves_nothing "$1"
	# A Disconnect tells the other side at once.
	wait_for 3 unlinked "$(other "$1")"
	node_start "$1"
	node_wait "$1"
	wait_linked
	wait_for 10 ping_once a
	run ping_all b 3
}

run_scenario() {
	# shellcheck disable=SC2034 # node_conf reads it
	DRAIN=1
	both_up
	restart b
	restart a
	run holds a status '.peer_count == 1 and .link_count == 1'
}
