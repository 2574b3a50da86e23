#!/bin/bash
# SPDX-License-Identifier: MIT
#
# In a guest with the module, nlpeer and wg, run with --icount: what a middle hop costs.
#
#   transit-bench.sh [wg] [fips] [routes]       (default wg fips)
#
#       10.7.1.1 --- 10.7.1.2   10.7.2.2 --- 10.7.2.3
#   ns a                     ns r                     ns b
#       10.7.3.1 ------------------------------ 10.7.3.3
#
# One TCP stream from a to b for SECONDS_TCP, once over the cable between them and
# once by way of r, which forwards inside the kernel: between two FIPS links, or from a
# WireGuard peer to another. On one CPU that counts instructions, the times for a byte
# add up: what it takes longer by way of r is the middle hop (with its cable).
#
# routes: what a datagram costs r, and a route its memory, with 10^3 to 10^6 of them.
#
# Results are lines "RESULT what kind value"; $OUT/transit.json has them as
#   {"wireguard": {"direct_mbit", "via_mbit", "hop_ns_byte"}, "fips": {..., "upcalls"},
#    "ratio": FIPS hop / WireGuard hop}
# upcalls is what the daemon of r heard during the measurement.

set -euo pipefail

# shellcheck source=guest.sh
. /fips/selftests/bench/guest.sh

declare -A result

report() { # WHAT KIND VALUE
	echo "RESULT $1 $2 $3"
	result[$1.$2]=$3
}

measure() { # WHAT KIND ADDRESS
	report "$1" "$2_mbit" "$(tcp_mbit "$3")"
}

hop() { # WHAT
	report "$1" hop_ns_byte "$(awk -v d="${result[$1.direct_mbit]}" \
		-v v="${result[$1.via_mbit]}" 'BEGIN { printf "%.2f", 8000 / v - 8000 / d }')"
}

namespaces a r b
cable a 10.7.1.1 r 10.7.1.2
cable r 10.7.2.2 b 10.7.2.3
cable a 10.7.3.1 b 10.7.3.3
in_ns r sysctl -qw net.ipv4.ip_forward=1
in_ns b iperf3 -s -D
until_ok in_ns a ping -c 1 -W 1 10.7.3.3

bench_wg() {
	wg_keys a r b
	wg_up a 10.8.0.1
	wg_up b 10.8.0.3
	wg_peer a b 10.7.3.3 10.8.0.0/24
	wg_peer b a 10.7.3.1 10.8.0.0/24
	measure wireguard direct 10.8.0.3
	wg_down a b
	wg_up a 10.8.0.1
	wg_up r 10.8.0.2
	wg_up b 10.8.0.3
	wg_peer a r 10.7.1.2 10.8.0.0/24
	wg_peer r a 10.7.1.1 10.8.0.1/32
	wg_peer r b 10.7.2.3 10.8.0.3/32
	wg_peer b r 10.7.2.2 10.8.0.0/24
	measure wireguard via 10.8.0.3
	wg_down a r b
	hop wireguard
}

bench_fips() {
	local before

	modprobe fips
	fips_up a 1 1472 link 3 10.7.3.3 2121 session 3 route 3 via 3
	fips_up b 3 1472 link 1 10.7.3.1 2121 session 1 route 1 via 1
	measure fips direct "$(nlpeer address 3)"
	fips_down a b
	fips_up a 1 1472 link 2 10.7.1.2 2121 session 3 route 3 via 2
	fips_up r 2 1472 link 1 10.7.1.1 2121 link 3 10.7.2.3 2121 route 1 via 1 route 3 via 3
	fips_up b 3 1472 link 2 10.7.2.2 2121 session 1 route 1 via 2
	until_ok in_ns a ping -c 1 -W 1 "$(nlpeer address 3)"
	before=$(wc -l </tmp/peer.r)
	measure fips via "$(nlpeer address 3)"
	report fips upcalls $(($(wc -l </tmp/peer.r) - before))
	fips_down a r b
	hop fips
}

# --- the route cache ---

forwarded() {
	in_ns r ethtool -S fips0 | awk '$1 == "forwarded:" { print $2 }'
}

kernel_kib() {
	awk '/^(Slab|Percpu|VmallocUsed):/ { n += $2 } END { print n }' /proc/meminfo
}

# Send datagrams to COUNT nodes, FIRST and following, and that TIMES; nanoseconds for each.
pour() { # FIRST COUNT TIMES
	local end=$(($(forwarded) + $2 * $3)) from i line=''

	for ((i = 0; i < $3; i++)); do
		line+="dgram 2 1 $1 $(($1 + $2 - 1)) 9 100 "
	done
	from=$(date +%s%N)
	echo "$line" >/tmp/a.in
	until [ "$(forwarded)" -ge $end ]; do
		usleep 1000
	done
	echo $((($(date +%s%N) - from) / ($2 * $3)))
}

bench_routes() {
	local n have=0 kib first=1000000

	modprobe fips
	mkfifo /tmp/a.in /tmp/r.in
	fips_up a 1 1472 link 2 10.7.1.2 2121 <>/tmp/a.in
	fips_up r 2 1472 link 1 10.7.1.1 2121 link 3 10.7.2.3 2121 <>/tmp/r.in
	fips_up b 3 1472 link 2 10.7.2.2 2121
	for n in 1000 10000 100000 1000000; do
		kib=$(kernel_kib)
		echo "route-set $((first + have)) $((first + n - 1)) via 3 say routes-$n" >/tmp/r.in
		until grep -q "routes-$n" /tmp/peer.r; do
			usleep 100000
		done
		report routes "bytes_$n" $((($(kernel_kib) - kib) * 1024 / (n - have)))
		have=$n
		report routes "ns_dgram_$n" "$(pour $((first + n / 2)) 500 20)"
	done
	fips_down a r b
}

[ $# -gt 0 ] || set -- wg fips
for what; do
	"bench_$what"
done
if [ -n "${result[fips.hop_ns_byte]:-}" ] && [ -n "${result[wireguard.hop_ns_byte]:-}" ]; then
	echo "RESULT ratio hop $(awk -v f="${result[fips.hop_ns_byte]}" \
		-v w="${result[wireguard.hop_ns_byte]}" 'BEGIN { printf "%.3f", f / w }')"
fi
[ -n "${OUT:-}" ] || exit 0
for key in "${!result[@]}"; do
	jq -n --arg w "${key%%.*}" --arg k "${key#*.}" --argjson v "${result[$key]}" \
		'{($w): {($k): $v}}'
done | jq -s 'reduce .[] as $x ({}; . * $x) |
	if .fips and .wireguard then .ratio = .fips.hop_ns_byte / .wireguard.hop_ns_byte
	else . end' >"$OUT/transit.json"
