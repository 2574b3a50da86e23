# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# A cable that loses frames: handshakes are repeated, TCP delivers all the same.
#
#	a (fips0) ── 20% loss, then 3% ── b (fips0)
run_scenario() {
	netem a loss 20%
	netem b loss 20%
	node_up b "$(endpoint b)"
	node_up a "$(endpoint a)" "$(endpoint b)"
	wait_for 30 linked a
	wait_for 30 linked b
	wait_for 30 ping_once a
	netem a loss 3%
	netem b loss 3%
	run tcp_copy a "${LOSSY_BYTES:-1000001}"
	run tcp_copy b 100001
	linked a
	linked b
	netem_off a
	netem_off b
	wait_for 5 ping_once a
	run ping_all a 10
}
