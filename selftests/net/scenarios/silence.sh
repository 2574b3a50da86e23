# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The cable is pulled: both sides notice by themselves, and come back.
#
#	a (fips0) ──── ╳ ──── b (fips0)        a dials, b listens
run_scenario() {
	# shellcheck disable=SC2034 # node_conf reads it
	LINK_DEAD=$((3 * SLOW))
	both_up
	run ping_all a 3
	ip -n "$(ns a)" link set u0 down
	wait_for 10 unlinked a
	wait_for 10 unlinked b
	ip -n "$(ns a)" link set u0 up
	# IPv6 addresses leave with the interface.
	ip -n "$(ns a)" address replace "${UNDERLAY_6[a]}/64" dev u0 nodad
	wait_for 15 linked a
	wait_for 15 linked b
	wait_for 10 ping_once a
	run ping_all a 3
}
