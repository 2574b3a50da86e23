# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Both dial at once, again and again: one link comes of it, and it works.
#
#	a (fips0) ──── cable ──── b (fips0)        a dials b, b dials a
#
# Where netem is at hand, a long cable makes sure that the first messages cross.
one_link() { # NODE
	holds "$1" status '.peer_count == 1' &&
		holds "$1" links '[.links[] | select(.state == "connected")] | length == 1'
}

long_cable() {
	tc -n "$(ns a)" qdisc replace dev u0 root netem delay 400ms || :
	tc -n "$(ns b)" qdisc replace dev u0 root netem delay 400ms || :
}

short_cable() {
	tc -n "$(ns a)" qdisc del dev u0 root || :
	tc -n "$(ns b)" qdisc del dev u0 root || :
}

run_scenario() {
	local round rounds=${ROUNDS:-3}

	node_conf a "$(endpoint a)" "$(endpoint b)"
	node_conf b "$(endpoint b)" "$(endpoint a)"
	for round in $(seq "$rounds"); do
		echo "round $round"
		long_cable
		node_start a
		node_start b
		node_wait a
		node_wait b
		wait_linked
		short_cable
		wait_for 5 ping_once a
		run ping_all a 5
		run ping_all b 5
		# The link that lost receives until its peer has left it: 10 s and half a heartbeat.
		wait_for 20 one_link a
		wait_for 20 one_link b
		node_stop a
		node_stop b
	done
}
