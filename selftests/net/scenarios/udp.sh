# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# UDP: every datagram arrives, small ones and ones that fill the path.
#
#	a (fips0) ──── cable ──── b (fips0)
run_scenario() {
	local length

	both_up
	run ping_all a 1
	for length in 16 64 1000 $((E_MTU - 48)); do
		run iperf a -u -b $((length * 8 * ${UDP_PPS:-500})) -l "$length" -t 1
		echo "$(iperf_get .end.sum.packets) datagrams of $length bytes," \
			"$(iperf_get .end.sum.lost_packets) lost"
		run test "$(iperf_get '.end.sum.packets > 10')" = true
		run test "$(iperf_get .end.sum.lost_packets)" = 0
	done
	wait_for 5 link_balanced
}
