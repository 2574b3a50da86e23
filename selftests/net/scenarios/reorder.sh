# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# A cable that delivers in another order: the replay window takes it all.
#
#	a (fips0) ── 25% overtake 5 ms ── b (fips0)
run_scenario() {
	both_up
	run ping_all a 1
	netem a delay 5ms reorder 25% 50%
	netem b delay 5ms 2ms
	run ping_all a 100 -i 0.002
	run tcp_copy a "${LOSSY_BYTES:-1000001}"
	run tcp_copy b 100001
	netem_off a
	netem_off b
	wait_for 5 link_balanced
}
