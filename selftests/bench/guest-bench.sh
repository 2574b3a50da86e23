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

# shellcheck source=guest.sh
. /fips/selftests/bench/guest.sh

SECONDS_UDP=${SECONDS_UDP:-2}
results=()

result() {
	echo "RESULT $1 $2 $3"
	results+=("$(jq -n --arg w "$1" --arg k "$2" --argjson v "$3" '{what: $w, kind: $k, value: $v}')")
}

namespaces a b
cable a 10.7.0.1 b 10.7.0.2
ip -n a addr add fd07::1/64 dev ab nodad
ip -n b addr add fd07::2/64 dev ba nodad
in_ns b iperf3 -s -D

measure() { # NAME ADDRESS
	echo "# $1"
	result "$1" tcp "$(tcp_mbit "$2")"
	in_ns a iperf3 -c "$2" -t "$SECONDS_UDP" -u -b 0 -l 64 -J >/tmp/udp.json
	result "$1" udp64 "$(jq '.end.sum | (.packets - .lost_packets) / .seconds | round' /tmp/udp.json)"
}

bench_wg() {
	wg_keys a b
	wg_up a 10.8.0.1
	wg_up b 10.8.0.2
	wg_peer a b 10.7.0.2 10.8.0.0/24
	wg_peer b a 10.7.0.1 10.8.0.0/24
	measure wireguard 10.8.0.2
	wg_down a b
}

bench_fips() { # NAME LOCAL_A LOCAL_B MTU
	modprobe fips
	fips_up a 1 "$4" link 2 "$3" 2121 session 2 route 2 via 2
	fips_up b 2 "$4" link 1 "$2" 2121 session 1 route 1 via 1
	measure "$1" "$(nlpeer address 2)"
	fips_down a b
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
	wg) bench_wg ;;
	fips) bench_fips fips 10.7.0.1 10.7.0.2 1472 ;;
	fips6) bench_fips fips6 fd07::1 fd07::2 1452 ;;
	J | M)
		setup_ref "/opt/$what/fips"
		measure "$what" $ref_b
		end_ref
		;;
	esac
done
[ -z "${OUT:-}" ] || printf '%s\n' "${results[@]}" | jq -s . >"$OUT/bench.json"
