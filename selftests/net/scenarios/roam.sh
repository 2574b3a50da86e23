# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# A node gets another address in the middle of traffic; its peer follows.
#
#	a (fips0) ── 10.77.0.1, then .3 ──── 10.77.0.2 ── b (fips0)
followed() {
	holds b links "any(.links[]; .remote_addr | contains(\"$1\"))"
}

run_scenario() {
	local old=${UNDERLAY_4[a]} new=${UNDERLAY_4[c]}

	if [ "$UNDERLAY" = 6 ]; then
		old=${UNDERLAY_6[a]} new=${UNDERLAY_6[c]}
	fi
	node_up b "$(any_endpoint)"
	node_up a "$(any_endpoint)" "$(endpoint b)"
	wait_linked
	run ping_all a 3
	wait_for 5 followed "$old"
	underlay_add a c
	underlay_del a a
	wait_for 5 ping_once a
	wait_for 5 followed "$new"
	run ping_all b 5
	run tcp_copy b 100001
	run holds b status '.peer_count == 1 and .link_count == 1'
}
