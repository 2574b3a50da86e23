#!/bin/bash
# SPDX-License-Identifier: MIT
#
# In a guest with the module, nlpeer and wg, best with --icount: throughput of plain veth,
# WireGuard and FIPS, in one run and so in the same guest time.
#
#   guest-bench.sh [veth] [wg] [fips] [fips6] [J] [M]       (default veth wg fips, J and M if there)
#
# J and M are the Rust nodes, where the guest has their programs as /opt/J/fips
# and /opt/M/fips.
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

# One side's file for a Rust node; the identities are the specification's examples.
ref_config() { # LOCAL NSEC REMOTE NPUB
	cat <<-EOF
	node:
	  identity: { nsec: "$2" }
	  control: { socket_path: "/tmp/ref-$1.sock" }
	tun: { enabled: true, name: fips0, mtu: 1395 }
	dns: { enabled: false }
	transports:
	  udp: { bind_addr: "$1:2121", mtu: 1472 }
	peers:
	  - npub: $4
	    addresses:
	      - { transport: udp, addr: "$3:2121" }
	EOF
}

nsec_a=0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20
nsec_b=2122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f40
npub_a=npub1sjlh2c3x9w7kjsqg2ay080n2lff2uvt325vpan33ke34rn8l5jcqawh57m
npub_b=npub1ypam5u9uvccfh2jc9f4vzg8a2ttgqfk9ra3jd7xvah9a9sdhawpq4cvgqv
ref_b=fd8e:a69f:afc4:9aa7:503d:a643:af5f:e45

setup_ref() { # PROGRAM
	ref_config 10.7.0.1 $nsec_a 10.7.0.2 $npub_b >/tmp/ref-a.yaml
	ref_config 10.7.0.2 $nsec_b 10.7.0.1 $npub_a >/tmp/ref-b.yaml
	for ns in a b; do
		in_ns $ns "$1" -c /tmp/ref-$ns.yaml >/tmp/ref-$ns.log 2>&1 &
	done
}

end_ref() {
	local ns

	for ns in a b; do
		# What is left in the namespace but iperf3 is the node.
		ip netns pids $ns | while read -r pid; do
			[ "$(cat "/proc/$pid/comm")" = iperf3 ] || kill "$pid"
		done
	done
	wait
}

if [ $# = 0 ]; then
	set -- veth wg fips
	for ref in J M; do
		[ ! -x /opt/$ref/fips ] || set -- "$@" $ref
	done
fi
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
	J | M)
		setup_ref "/opt/$what/fips"
		measure "$what" $ref_b
		end_ref
		;;
	esac
done
[ -z "${OUT:-}" ] || printf '%s\n' "${results[@]}" | jq -s . >"$OUT/bench.json"
