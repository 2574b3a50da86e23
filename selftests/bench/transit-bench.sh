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

SECONDS_TCP=${SECONDS_TCP:-4}
declare -A result

report() { # WHAT KIND VALUE
	echo "RESULT $1 $2 $3"
	result[$1.$2]=$3
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

cable() { # NS ADDRESS NS ADDRESS
	ip link add "$1$3" netns "$1" type veth peer name "$3$1" netns "$3"
	ip -n "$1" addr add "$2/24" dev "$1$3"
	ip -n "$3" addr add "$4/24" dev "$3$1"
	ip -n "$1" link set dev "$1$3" up
	ip -n "$3" link set dev "$3$1" up
}

measure() { # WHAT KIND ADDRESS
	until_ok in_ns a ping -c 1 -W 1 "$3"
	in_ns a iperf3 -c "$3" -t "$SECONDS_TCP" -J >/tmp/tcp.json
	report "$1" "$2_mbit" \
		"$(jq '.end.sum_received.bits_per_second / 1e4 | round / 100' /tmp/tcp.json)"
}

hop() { # WHAT
	report "$1" hop_ns_byte "$(awk -v d="${result[$1.direct_mbit]}" \
		-v v="${result[$1.via_mbit]}" 'BEGIN { printf "%.2f", 8000 / v - 8000 / d }')"
}

for ns in a r b; do
	ip netns add $ns
	ip -n $ns link set lo up
done
cable a 10.7.1.1 r 10.7.1.2
cable r 10.7.2.2 b 10.7.2.3
cable a 10.7.3.1 b 10.7.3.3
in_ns r sysctl -qw net.ipv4.ip_forward=1
in_ns b iperf3 -s -D
until_ok in_ns a ping -c 1 -W 1 10.7.3.3

# --- WireGuard ---

wg_up() { # NS ADDRESS
	ip -n "$1" link add wg0 type wireguard
	in_ns "$1" wg set wg0 private-key "/tmp/$1.key" listen-port 51820
	ip -n "$1" addr add "$2/24" dev wg0
	ip -n "$1" link set wg0 up
}

wg_peer() { # NS PEER ENDPOINT ALLOWED
	in_ns "$1" wg set wg0 peer "$(cat "/tmp/$2.pub")" endpoint "$3:51820" allowed-ips "$4"
}

wg_down() { # NS...
	local ns

	for ns; do
		ip -n "$ns" link del wg0
	done
}

bench_wg() {
	local ns

	umask 077
	modprobe wireguard
	for ns in a r b; do
		wg genkey >/tmp/$ns.key
		wg pubkey </tmp/$ns.key >/tmp/$ns.pub
	done
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

# --- FIPS ---

fips_up() { # NS NODE COMMAND...
	ip -n "$1" link add fips0 type fips
	ip -n "$1" link set fips0 mtu $((1472 - 77)) up
	in_ns "$1" nlpeer fips0 "$2" 2121 1472 "${@:3}" <&0 >"/tmp/peer.$1" &
	until_ok grep -q ready "/tmp/peer.$1"
	ip -n "$1" addr add "$(nlpeer address "$2")/128" dev fips0 nodad
	ip -n "$1" route add fd00::/8 dev fips0
}

fips_down() { # NS...
	local ns

	for ns; do
		in_ns "$ns" ethtool -S fips0 | sed 's/: 0$//; /: /!d' | sed "s/^/# $ns/" || :
		ip -n "$ns" link del fips0
	done
	pkill nlpeer || :
	wait
}

bench_fips() {
	local before

	modprobe fips
	fips_up a 1 link 3 10.7.3.3 2121 session 3 route 3 via 3
	fips_up b 3 link 1 10.7.3.1 2121 session 1 route 1 via 1
	measure fips direct "$(nlpeer address 3)"
	fips_down a b
	fips_up a 1 link 2 10.7.1.2 2121 session 3 route 3 via 2
	fips_up r 2 link 1 10.7.1.1 2121 link 3 10.7.2.3 2121 route 1 via 1 route 3 via 3
	fips_up b 3 link 2 10.7.2.2 2121 session 1 route 1 via 2
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
	fips_up a 1 link 2 10.7.1.2 2121 <>/tmp/a.in
	fips_up r 2 link 1 10.7.1.1 2121 link 3 10.7.2.3 2121 <>/tmp/r.in
	fips_up b 3 link 2 10.7.2.2 2121
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
