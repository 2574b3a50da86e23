# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# A cable that delivers frames twice: none comes out twice.
#
#	a (fips0) ── 50% come twice ── b (fips0)
run_scenario() {
	both_up
	netem a duplicate 50%
	netem b duplicate 50%
	run ping_all a 60 -i 0.01
	run tcp_copy a "${LOSSY_BYTES:-1000001}"
	netem_off a
	netem_off b
	# Copies don't count as received.
	wait_for 5 link_balanced
	linked a
	linked b
}
