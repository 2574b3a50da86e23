# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# TCP both ways: a file arrives as it was sent, and a stream runs at speed.
#
#	a (fips0) ──── cable ──── b (fips0)
run_scenario() {
	both_up
	run tcp_copy a $((${TCP_BYTES:-4000000} + 1))
	run tcp_copy b 70001
	run iperf a -t "${IPERF_SECS:-2}"
	echo "a to b: $(iperf_get '.end.sum_received.bits_per_second / 1e6 | floor') Mbit/s"
	run iperf a -t "${IPERF_SECS:-2}" -R
	echo "b to a: $(iperf_get '.end.sum_received.bits_per_second / 1e6 | floor') Mbit/s"
	run iperf a -t 1 -P 4
	wait_for 5 link_balanced || fail "frames got lost on a cable that loses none"
}
