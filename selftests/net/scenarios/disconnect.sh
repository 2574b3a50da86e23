# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The operator sends a peer away and calls it back.
#
#	a (fips0) ──── cable ──── b (fips0)        a dials, b listens
run_scenario() {
	both_up
	run ping_all a 3
	run ctl a disconnect "${NODE_NPUB[b]}"
	wait_for 3 unlinked a
	wait_for 3 unlinked b
	must_fail ping_once a
	run ctl a connect "${NODE_NPUB[b]}" "$(endpoint b)" udp
	wait_linked
	wait_for 10 ping_once a
	run ping_all a 3
	must_fail ctl a disconnect not-an-npub
}
