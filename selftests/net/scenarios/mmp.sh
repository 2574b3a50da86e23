# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Metrics: both ends measure link and session, and what they show agrees with what was sent.
#
#	a (fips0) ──── cable ──── b (fips0)
run_scenario() {
	local node

	both_up
	run ping_all a 40 -i 0.1
	for node in a b; do
		# Too near to be measured or a round trip: either way reports came and made sense.
		wait_for 10 holds $node mmp '.peers[0].link_layer.reports | .rtt_samples + .rtt_zero > 0'
		wait_for 10 holds $node mmp \
			'.sessions[0].session_layer.reports | .rtt_samples + .rtt_zero > 0'
		run holds $node mmp '[.. | .absurd? // 0] | add == 0'
		run holds $node mmp '.peers[0].link_layer | .loss_rate == 0 and .etx == 1'
		run holds $node mmp '.peers[0].link_layer.srtt_ms // 0 | . < 100'
		run holds $node peers '.peers[0].mmp | .mode == "full" and .etx == 1'
		run holds $node sessions '.sessions[0].mmp.path_mtu >= 1280'
		run holds $node routing '.congestion.ce_forwarded == 0'
	done
	wait_for 10 holds a mmp ".sessions[0].session_layer.path_mtu == $(get b sessions \
		'.sessions[0].mmp.path_mtu')"
	# Netem needs the kernel's; where it is there, the trip is what was made.
	if netem a delay 40ms 2>/dev/null; then
		run ping_all a 60 -i 0.2
		wait_for 20 holds a mmp '.peers[0].link_layer.srtt_ms | . > 30 and . < 60'
		wait_for 20 holds b mmp '.peers[0].link_layer.srtt_ms | . > 30 and . < 60'
		netem_off a
	fi
	wait_for 5 link_balanced
}
