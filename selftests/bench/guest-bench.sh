#!/bin/bash
# SPDX-License-Identifier: MIT
#
# In a guest with the module, nlpeer and wg, best with --icount: throughput of plain veth,
# WireGuard and FIPS, in one run and so in the same guest time.
#
#   guest-bench.sh [veth] [wg] [fips] [fips6]       (default veth wg fips)
#
#   ns a --- veth, MTU 1500 --- ns b
#   10.7.0.1                    10.7.0.2     underlay, and fd07::1, fd07::2
#   fd...                       fd...        FIPS;  10.8.0.1, 10.8.0.2 WireGuard
#
# One TCP stream for SECONDS, then 64-byte UDP as fast as it goes. Each result
# is a line "RESULT what tcp Mbit/s" or "RESULT what udp64 packets/s received";
# $OUT/bench.json has them all.

set -euo pipefail

SECONDS_TCP=${SECONDS_TCP:-4} SECONDS_UDP=${SECONDS_UDP:-2}
results=()

result() {
	echo "RESULT $1 $2 $3"
	results+=("$(jq -n --arg w "$1" --arg k "$2" --argjson v "$3" '{what: $w, kind: $k, value: $v}')")
}

in_ns() {
	ip netns exec "$@"
}

# Until a command succeeds.
until_ok() {
	local n=0

	until "$@" >/dev/null 2>&1; do
		[ $((n += 1)) -lt 200 ] || { echo "gave up on: $*" >&2; return 1; }
		usleep 50000
	done
}

ip netns add a
ip netns add b
ip link add ua netns a type veth peer name ub netns b
ip -n a addr add 10.7.0.1/24 dev ua
ip -n b addr add 10.7.0.2/24 dev ub
ip -n a addr add fd07::1/64 dev ua nodad
ip -n b addr add fd07::2/64 dev ub nodad
for ns in a b; do
	ip -n $ns link set lo up
	ip -n $ns link set u$ns up
done
in_ns b iperf3 -s -D
until_ok in_ns a ping -c 1 -W 1 10.7.0.2

# measure NAME ADDRESS
measure() {
	echo "# $1"
	until_ok in_ns a ping -c 1 -W 1 "$2"
	in_ns a iperf3 -c "$2" -t "$SECONDS_TCP" -J >/tmp/tcp.json
	result "$1" tcp "$(jq '.end.sum_received.bits_per_second / 1e4 | round / 100' /tmp/tcp.json)"
	in_ns a iperf3 -c "$2" -t "$SECONDS_UDP" -u -b 0 -l 64 -J >/tmp/udp.json
	result "$1" udp64 "$(jq '.end.sum | (.packets - .lost_packets) / .seconds | round' /tmp/udp.json)"
}

setup_wg() {
	umask 077
	modprobe wireguard
	for ns in a b; do
		wg genkey >/tmp/$ns.key
		wg pubkey </tmp/$ns.key >/tmp/$ns.pub
		ip -n $ns link add wg0 type wireguard
	done
	in_ns a wg set wg0 private-key /tmp/a.key listen-port 51820 \
		peer "$(cat /tmp/b.pub)" endpoint 10.7.0.2:51820 allowed-ips 10.8.0.0/24
	in_ns b wg set wg0 private-key /tmp/b.key listen-port 51820 \
		peer "$(cat /tmp/a.pub)" endpoint 10.7.0.1:51820 allowed-ips 10.8.0.0/24
	ip -n a addr add 10.8.0.1/24 dev wg0
	ip -n b addr add 10.8.0.2/24 dev wg0
	ip -n a link set wg0 up
	ip -n b link set wg0 up
}

addr_a=$(nlpeer address 1)
addr_b=$(nlpeer address 2)

# setup_fips DEV LOCAL_A LOCAL_B MTU
setup_fips() {
	local local_a=$2 local_b=$3

	modprobe fips
	for ns in a b; do
		ip -n $ns link add "$1" type fips
		ip -n $ns link set "$1" mtu $(($4 - 77)) up
	done
	in_ns a nlpeer "$1" 1 2121 "$4" link 2 "$local_b" 2121 session 2 route 2 via 2 >/tmp/peer.a &
	in_ns b nlpeer "$1" 2 2121 "$4" link 1 "$local_a" 2121 session 1 route 1 via 1 >/tmp/peer.b &
	until_ok grep -q ready /tmp/peer.a
	until_ok grep -q ready /tmp/peer.b
	ip -n a addr add "$addr_a/128" dev "$1" nodad
	ip -n b addr add "$addr_b/128" dev "$1" nodad
	ip -n a route add fd00::/8 dev "$1"
	ip -n b route add fd00::/8 dev "$1"
}

end_fips() {
	for ns in a b; do
		in_ns $ns ethtool -S "$1" | sed 's/: 0$//; /: /!d' | sed "s/^/# $ns/" || :
		ip -n $ns link del "$1"
	done
	pkill nlpeer || :
	wait
}

[ $# -gt 0 ] || set -- veth wg fips
for what; do
	case $what in
	veth) measure veth 10.7.0.2 ;;
	wg)
		setup_wg
		measure wireguard 10.8.0.2
		ip -n a link del wg0
		ip -n b link del wg0
		;;
	fips)
		setup_fips fips0 10.7.0.1 10.7.0.2 1472
		measure fips "$addr_b"
		end_fips fips0
		;;
	fips6)
		setup_fips fips0 fd07::1 fd07::2 1452
		measure fips6 "$addr_b"
		end_fips fips0
		;;
	esac
done
[ -z "${OUT:-}" ] || printf '%s\n' "${results[@]}" | jq -s . >"$OUT/bench.json"
