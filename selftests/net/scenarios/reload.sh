# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The configuration changes under traffic: by SIGHUP and by fipsctl. Nothing is
# lost, what can't change is named, and a file with a mistake changes nothing.
#
#	a (fips0) ──── cable ──── b (fips0)        a dials, b listens
retries() { # NODE NUMBER
	holds "$1" routing ".retries | length == $2"
}

dialled() { # NODE; anybody but the one it has
	holds "$1" connections 'any(.connections[]; .expected_peer != null)'
}

log_has() { # NODE TEXT
	grep -q -- "$2" "$WORK/$1/log"
}

run_scenario() {
	local file=$WORK/a/fips.yaml pid out before

	both_up
	run ping_all a 3
	spawn a "$WORK/ping" ping -6 -n -q -c 60 -i 0.05 -W 5 "${NODE_IP6[b]}"
	pid=$SPAWNED
	before=$(get a links '.links[0].link_id')

	# Rates, the log level and one more peer; the interface's size can't.
	cp "$file" "$WORK/good"
	sed -i 's/log_level: debug/log_level: info/; s/^  mtu: .*/  mtu: 1400/;
		s/heartbeat_interval_secs: .*/heartbeat_interval_secs: 3/' "$file"
	cat >>"$file" <<-END
	  - npub: npub1sx42mj99aql52aklsg70y2jmr95u7uz2p40k769aw46ppjv302kqkhmu5r
	    alias: attic
	    addresses: [ { transport: udp, addr: "$(endpoint b 9)" } ]
	END
	out=$(ctl a reload --json)
	echo "$out"
	jq -e '.restart == ["tun.mtu"] and (.changed | sort) ==
		["node.heartbeat_interval_secs", "node.log_level", "peers"]' <<<"$out"
	run log_has a "tun.mtu needs a restart"
	wait_for 5 dialled a
	# Asked again it says the same of what still waits for the restart.
	ctl a reload --json | jq -e '.restart == ["tun.mtu"] and .changed == []'

	# A mistake, with its place.
	echo "peers: 3" >>"$file"
	must_fail ctl a reload
	out=$(ctl a reload 2>&1) || :
	grep -q "fips.yaml:[0-9]*:1: peers: given twice" <<<"$out"
	run node_running a

	# Back by SIGHUP, and without any peer: the link of the one we have stays.
	sed '/^peers:/,$d' "$WORK/good" >"$file"
	run kill -HUP "$(node_pid a)"
	wait_for 5 log_has a 'reload: peers changed'
	wait_for 5 retries a 0
	wait "$pid" || :
	tail -n 3 "$WORK/ping"
	grep -q '60 packets transmitted, 60 received' "$WORK/ping"
	linked a
	[ "$(get a links '.links[0].link_id')" = "$before" ] || fail "another link"

	# Another address of the same peer is dialled when the link is gone.
	cp "$WORK/good" "$file"
	run ctl a reload
	ctl a show peers --json | jq -e '.peers | length == 1'
}
