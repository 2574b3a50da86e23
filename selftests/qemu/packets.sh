#!/bin/bash
# SPDX-License-Identifier: MIT
#
# In a guest, the module loaded: the packet path alone, with the fixed keys of
# nlpeer and no daemon. b is a transit node; its links use IPv4 and IPv6.
#
#   ns a ------- ab, ba ------- ns b ------- bc, cb ------- ns c
#   10.7.1.1                10.7.1.2
#   node 1                   node 2  fd07:2::2     fd07:2::3  node 3
#
# No test but the last leaves anything changed.
#
#   packets.sh [SLOW=N] [TEST...]       SLOW multiplies the waiting by N / 4

set -euo pipefail

while [[ "${1:-}" == *=* ]]; do
	export "${1?}"
	shift
done
slow=$((${SLOW:-4} / 4))

# shellcheck source=../lib/ktap.sh
. /fips/selftests/lib/ktap.sh
export KTAP_LOGS=$OUT

addr=([1]=$(nlpeer address 1) [2]=$(nlpeer address 2) [3]=$(nlpeer address 3))
declare -A node=([a]=1 [b]=2 [c]=3)

in_ns() {
	ip netns exec "$@"
}

wait_for() { # SECONDS COMMAND...
	local end=$((SECONDS + $1 * slow))

	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || fail "gave up on: $*" || return
		usleep 50000
	done
}

topology() {
	local ns

	for ns in a b c; do
		ip netns add $ns
		ip -n $ns link set lo up
		in_ns $ns sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
	done
	ip link add ab netns a type veth peer name ba netns b
	ip link add bc netns b type veth peer name cb netns c
	ip -n a addr add 10.7.1.1/24 dev ab
	ip -n b addr add 10.7.1.2/24 dev ba
	ip -n b addr add fd07:2::2/64 dev bc nodad
	ip -n c addr add fd07:2::3/64 dev cb nodad
	ip -n a link set ab up
	ip -n b link set ba up
	ip -n b link set bc up
	ip -n c link set cb up
	for ns in a b c; do
		ip -n $ns link add fips0 type fips
		ip -n $ns link set fips0 mtu 1395 up
		ip -n $ns addr add "${addr[${node[$ns]}]}/128" dev fips0
		ip -n $ns route add fd00::/8 dev fips0
	done
}

peers() {
	for ns in a b c; do
		mkfifo /tmp/$ns.in
	done
	in_ns a nlpeer fips0 1 2121 1472 link 2 10.7.1.2 2121 session 2 session 3 \
		route 2 via 2 route 3 via 2 <>/tmp/a.in >"$OUT/a.upcalls" &
	in_ns b nlpeer fips0 2 2121 1472 link 1 10.7.1.1 2121 link 3 fd07:2::3 2121 \
		session 1 session 3 <>/tmp/b.in >"$OUT/b.upcalls" &
	in_ns c nlpeer fips0 3 2121 1472 link 2 fd07:2::2 2121 session-bare 1 session 2 \
		route 1 via 2 route 2 via 2 <>/tmp/c.in >"$OUT/c.upcalls" &
	for ns in a b c; do
		wait_for 10 grep -q ready "$OUT/$ns.upcalls"
	done
}

tell() { # NS COMMAND...
	echo "${*:2}" >"/tmp/$1.in"
}

count() { # NS COUNTER
	in_ns "$1" ethtool -S fips0 | awk -v c="$2:" '$1 == c { print $2 }'
}

# The counter has grown by at least N since it was OLD.
grew() { # NS COUNTER OLD N
	[ "$(count "$1" "$2")" -ge $(($3 + $4)) ]
}

# A file there, and its checksum back.
transfer() { # FROM TO BYTES
	local from=$1 to=$2

	head -c "$3" /dev/urandom >/tmp/sent
	# Its input stays open: at the end of it nc would leave.
	in_ns "$to" busybox nc -l -p 9000 < <(sleep 1000) >/tmp/got &
	wait_for 5 eval "in_ns $to ss -ltn | grep -q :9000"
	in_ns "$from" timeout $((60 * slow)) bash -c "cat /tmp/sent >/dev/tcp/${addr[${node[$to]}]}/9000"
	wait_for 20 cmp /tmp/sent /tmp/got
	pkill sleep || :
	pkill busybox || :
	wait
}

ping_ok() { # NS NODE [ARGUMENT...]
	local ns=$1 to=$2

	shift 2
	run in_ns "$ns" ping -6 -n -c 3 -i 0.2 -W $((5 * slow)) "$@" "${addr[$to]}"
}

# What waits for a route or a key leaves when it comes: none of three pings is lost.
late_answers() {
	local pings=3

	in_ns b ping -6 -n -c 3 -i 0.2 -W $((8 * slow)) "${addr[1]}" >/tmp/ping.out &
	wait_for 5 grep -q route-miss "$OUT/b.upcalls"
	tell b route 1 via 1
	wait $!
	run grep " 0% packet loss" /tmp/ping.out
	# In transit the route is missing, then at the far end the session's key. A frame waits
	# two seconds for a key, which a slow guest may miss: then a later one must get through.
	[ $slow = 1 ] || pings=20
	in_ns a ping -6 -n -c $pings -i 0.2 -W $((8 * slow)) "${addr[3]}" >/tmp/ping.out &
	wait_for 5 eval "[ \$(grep -c route-miss '$OUT/b.upcalls') -ge 2 ]"
	tell b route 3 via 3
	wait_for 5 eval "[ \$(count c rx_frames) -ge 3 ]"
	tell c session-key 1 0 0
	wait $!
	[ $slow -gt 1 ] || run grep " 0% packet loss" /tmp/ping.out
}

# The daemon says that nobody is there.
unreachable() {
	tell c unreachable 2 600000
	sleep 0.3
	in_ns c ping -6 -n -c 2 -i 0.3 -W 2 "${addr[2]}" >/tmp/ping.out || :
	tell c unreachable 2 0
	run grep "No route" /tmp/ping.out
	ping_ok c 2
}

# New keys under traffic: the initiator swaps, the far end follows its first frame.
rekey() {
	local epoch

	in_ns a ping -6 -n -c 60 -i 0.05 -W $((5 * slow)) "${addr[3]}" >/tmp/ping.out &
	for epoch in 1 2 3; do
		tell c session-key 1 $epoch 1
		tell b link-key 1 $epoch 1
		sleep 0.2
		tell a session-key 3 $epoch 1 session-swap 3
		tell a link-key 2 $epoch 1 link-swap 2
		sleep 0.3
	done
	wait $!
	run grep " 0% packet loss" /tmp/ping.out
	run test "$(grep -c session-key-used "$OUT/c.upcalls")" -ge 4
	run test "$(grep -c link-key-used "$OUT/b.upcalls")" -ge 5
	transfer a c 300000
}

neighbour() {
	ping_ok a 2
	ping_ok b 1 -s 1347
	ping_ok a 2 -s 4000
}

transit() {
	local old

	old=$(count b forwarded)
	ping_ok a 3
	ping_ok c 1 -s 1347
	run grew b forwarded "$old" 12
}

# Datagrams at the end of their TTL go no further, and their TTL is one less behind us.
transit_ttl() {
	local dropped forwarded

	dropped=$(count b drop_dgram_ttl)
	forwarded=$(count b forwarded)
	tell a dgram 2 1 3 3 0 40 dgram 2 1 3 3 1 40 dgram 2 1 3 3 2 40
	wait_for 5 grew b forwarded "$forwarded" 1
	run test "$(count b drop_dgram_ttl)" = $((dropped + 2))
	run test "$(count b forwarded)" = $((forwarded + 1))
}

# Nothing goes back over the link it came on, and the daemon hears of it now and then.
transit_back() {
	local dropped forwarded told

	tell b route 50 via 1
	dropped=$(count b drop_dgram_back)
	forwarded=$(count b forwarded)
	told=$(grep -c route-back "$OUT/b.upcalls" || :)
	tell a "dgram 2 1 50 50 9 40 dgram 2 1 50 50 9 40 dgram 2 1 50 50 9 40"
	wait_for 5 grew b drop_dgram_back "$dropped" 3
	run test "$(count b forwarded)" = "$forwarded"
	told=$(($(grep -c route-back "$OUT/b.upcalls") - told))
	run test $told -ge 1 -a $told -le 3
	# For others the route is right.
	tell c dgram 2 3 50 50 9 40
	wait_for 5 grew b forwarded "$forwarded" 1
}

# The next hop takes less: the daemon hears of it, smaller ones go on.
transit_too_big() {
	local dropped forwarded told

	tell b link-mtu 3 1000
	dropped=$(count b drop_dgram_mtu)
	forwarded=$(count b forwarded)
	told=$(grep -c mtu-exceeded "$OUT/b.upcalls" || :)
	# 36 bytes of link frame and 36 of header besides the payload
	tell a dgram 2 1 3 3 9 929 dgram 2 1 3 3 9 928
	wait_for 5 grew b forwarded "$forwarded" 1
	tell b link-mtu 3 1472
	run test "$(count b drop_dgram_mtu)" = $((dropped + 1))
	run test "$(count b forwarded)" = $((forwarded + 1))
	run test $(($(grep -c mtu-exceeded "$OUT/b.upcalls") - told)) = 1
}

# Datagrams to nowhere: one question, a refusal that holds for its time.
transit_refused() {
	local dropped asked staged

	staged=$(count b drop_stage_full)
	asked=$(grep -c route-miss "$OUT/b.upcalls" || :)
	tell a "$(printf 'dgram 2 1 51 51 9 40 %.0s' 1 2 3 4 5 6 7 8 9)"
	tell a "$(printf 'dgram 2 1 51 51 9 40 %.0s' 1 2 3 4 5 6 7 8 9)"
	wait_for 5 grew b drop_stage_full "$staged" 2
	run test "$(count b drop_stage_full)" = $((staged + 2))
	asked=$(($(grep -c route-miss "$OUT/b.upcalls") - asked))
	run test $asked -ge 1 -a $asked -le 2
	dropped=$(count b drop_no_route)
	tell b route-unreachable 51 $((2000 * slow))
	wait_for 5 grew b drop_no_route "$dropped" 16
	asked=$(grep -c route-miss "$OUT/b.upcalls")
	tell a "$(printf 'dgram 2 1 51 51 9 40 %.0s' 1 2 3 4 5 6 7 8 9)"
	wait_for 5 grew b drop_no_route "$dropped" 25
	run test "$(grep -c route-miss "$OUT/b.upcalls")" = "$asked"
	sleep $((2 * slow)).2
	tell a dgram 2 1 51 51 9 40
	wait_for 5 eval "[ \$(grep -c route-miss '$OUT/b.upcalls') = $((asked + 1)) ]"
	# What waits goes when there is a way.
	dropped=$(count b forwarded)
	tell b route 51 via 3
	wait_for 5 grew b forwarded "$dropped" 1
}

# What waited has gone on; a slow guest may have let some of it grow too old.
all_left() { # FORWARDED-BEFORE EXPIRED-BEFORE N
	[ $slow -gt 1 ] || { grew b forwarded "$1" "$3"; return; }
	[ $(($(count b forwarded) + $(count b drop_stage_expired))) -ge $(($1 + $2 + $3)) ]
}

# A flood to many places: half of the destinations are ours, and so are their questions.
transit_flood() {
	local dropped misses expired

	dropped=$(count b drop_stage_destinations)
	expired=$(count b drop_stage_expired)
	tell a dgram 2 1 1000 1299 9 40
	wait_for 10 grew b drop_stage_destinations "$dropped" 172
	run test "$(count b drop_stage_destinations)" = $((dropped + 172))
	misses=$(grep -c session-miss "$OUT/b.upcalls" || :)
	in_ns b ping -6 -n -c 1 -W 1 fd98::1 >/dev/null || :
	run test "$(grep -c session-miss "$OUT/b.upcalls")" -gt "$misses"
	run test "$(count b drop_stage_destinations)" = $((dropped + 172))
	dropped=$(count b forwarded)
	tell b route-set 1000 1299 via 3
	wait_for 10 all_left "$dropped" "$expired" 128
	ping_ok a 3
}

# Congestion on the next hop shows at the far end.
transit_congested() {
	local marked

	marked=$(count c rx_ce)
	tell b link-congested 3 1
	ping_ok a 3
	tell b link-congested 3 0
	run grew c rx_ce "$marked" 3
	marked=$(count c rx_ce)
	ping_ok a 3
	run test "$(count c rx_ce)" = "$marked"
}

tcp() {
	local forged

	forged=$(count c drop_session_auth) # what the tests of transit sent
	transfer a b 3000000
	transfer b a 500001
	transfer a c 1000000
	transfer c a 1000000
	run test "$(count a drop_rx_auth)" = 0
	run test "$(count c drop_session_auth)" = "$forged"
}

# A bulk transfer is segmented once and sealed where it lies.
lists_copy_nothing() {
	local copies frames

	copies=$(count a tx_copies)
	frames=$(count a tx_frames)
	transfer a b 1000000
	run test $(($(count a tx_copies) - copies)) -lt $((($(count a tx_frames) - frames) / 10))
}

# Larger than the path: the stack hears of it, once for the link, once for the path.
too_big() {
	local old

	ip -n a link set fips0 mtu 1500
	old=$(count a drop_tx_too_big)
	in_ns a ping -6 -n -c 2 -i 0.2 -W 2 -M "do" -s 1440 "${addr[2]}" || :
	run grew a drop_tx_too_big "$old" 1
	run in_ns a ip -6 route get "${addr[2]}" >/tmp/route
	run grep "mtu 1395" /tmp/route
	transfer a b 300000
	ip -n a link set fips0 mtu 1395
	in_ns a ip -6 route flush cache
}

not_for_the_mesh() {
	local old

	ip -n a route add 2001:db8::/32 dev fips0
	old=$(count a drop_tx_not_mesh)
	in_ns a ping -6 -n -c 1 -W 1 2001:db8::1 >/tmp/ping.out || :
	run grep "No route" /tmp/ping.out
	run grew a drop_tx_not_mesh "$old" 1
	ip -n a route del 2001:db8::/32 dev fips0
	old=$(count a drop_tx_source)
	ip -n a addr add fd12::1/128 dev fips0
	in_ns a ping -6 -n -c 1 -W 1 -I fd12::1 "${addr[2]}" || :
	run grew a drop_tx_source "$old" 1
	ip -n a addr del fd12::1/128 dev fips0
}

# Nobody answers for the address: one upcall, bounded staging, an error at the end.
unanswered() {
	local old misses

	misses=$(grep -c session-miss "$OUT/a.upcalls" || :)
	old=$(count a drop_stage_full)
	in_ns a ping -6 -n -i 0.05 -c 40 -w 20 fd99::1 >/tmp/ping.out || :
	cat /tmp/ping.out
	run grew a drop_stage_full "$old" 20
	run grep -qi "unreachable\|no route" /tmp/ping.out
	misses=$(($(grep -c session-miss "$OUT/a.upcalls") - misses))
	run test "$misses" -ge 1
	run test "$misses" -le 10
}

# What loss, reordering and duplication in the underlay leave over.
bad_underlay() {
	local old

	old=$(count b drop_rx_replay)
	tc -n a qdisc add dev ab root netem delay 5ms 2ms loss 2% duplicate 5%
	transfer a b 300000
	transfer a c 300000
	tc -n a qdisc del dev ab root
	run grew b drop_rx_replay "$old" 1
}

# A tap clones every frame: nobody may write into what others read.
tapped() {
	local side

	ip -n b link add tap0 type dummy
	ip -n b link set tap0 up
	for side in ingress egress; do
		tc -n b qdisc replace dev ba clsact
		tc -n b filter add dev ba $side matchall action mirred egress mirror dev tap0
	done
	transfer a b 500000
	transfer b a 500000
	transfer c a 500000
	tc -n b qdisc del dev ba clsact
	ip -n b link del tap0
}

# The underlay is too small: the frames are fragmented there.
small_underlay() {
	ip -n a link set ab mtu 1300
	ip -n b link set ba mtu 1300
	ip -n b link set bc mtu 1300
	ip -n c link set cb mtu 1300
	ping_ok a 2 -s 1347
	transfer a c 300000
	ip -n a link set ab mtu 1500
	ip -n b link set ba mtu 1500
	ip -n b link set bc mtu 1500
	ip -n c link set cb mtu 1500
}

offloads_set() { # FEATURE... (all on or off)
	in_ns a ethtool -K ab "$@" || :
	in_ns b ethtool -K ba "$@" || :
	in_ns b ethtool -K bc "$@" || :
	in_ns c ethtool -K cb "$@" || :
}

offloads_ok() {
	offloads_set "$@"
	ping_ok a 3
	transfer a b 500000
	transfer c a 500000
}

# Every way a list of frames can leave.
no_list_offload() {
	offloads_ok tx-gso-list off
	offloads_set tx-gso-list on
}

no_segmentation_offload() {
	offloads_ok tx-gso-list off tx-udp-segmentation off
	offloads_set tx-gso-list on tx-udp-segmentation on
}

no_scatter() {
	offloads_ok sg off
	offloads_set sg on tx-scatter-gather-fraglist on tx-gso-list on tx-udp-segmentation on
}

no_checksum_offload() {
	offloads_ok tx off rx off
	offloads_set tx on rx on sg on tx-scatter-gather-fraglist on tx-gso-list on \
		tx-udp-segmentation on
}

# Through a bridge and a VLAN, where each frame's headroom has to do.
stacked() {
	ip -n a link add br0 type bridge
	ip -n a link set ab master br0
	ip -n a link set br0 up
	ip -n a link add link br0 name br0.7 type vlan id 7
	ip -n b link add link ba name ba.7 type vlan id 7
	ip -n a addr flush dev ab
	ip -n b addr flush dev ba
	ip -n a addr add 10.7.1.1/24 dev br0.7
	ip -n b addr add 10.7.1.2/24 dev ba.7
	ip -n a link set br0.7 up
	ip -n b link set ba.7 up
	ping_ok a 2
	transfer a b 500000
	transfer b a 500000
	ip -n a link del br0
	ip -n b link del ba.7
	ip -n a addr add 10.7.1.1/24 dev ab
	ip -n b addr add 10.7.1.2/24 dev ba
	ping_ok a 2
}

# The peer moves to another address; its link follows, and so does the answer.
roaming() {
	ip -n a addr flush dev ab
	ip -n a addr add 10.7.1.77/24 dev ab
	ping_ok a 2
	wait_for 5 grep -q link-float "$OUT/b.upcalls"
	ip -n a addr flush dev ab
	ip -n a addr add 10.7.1.1/24 dev ab
	ping_ok a 2
}

# A flood of small packets.
udp_flood() {
	in_ns b iperf3 -s -1 -D
	wait_for 5 eval "in_ns b ss -ltn | grep -q :5201"
	run in_ns a iperf3 -c "${addr[2]}" -u -b 2M -l 64 -t 3 --get-server-output
}

# An underlay route that leads back into the mesh must not loop.
loop() {
	local old

	old=$(count a drop_tx_route)
	ip -n a addr add 10.99.0.1/32 dev fips0
	ip -n a route add 10.7.1.2/32 dev fips0
	in_ns a ping -6 -n -c 2 -i 0.2 -W 1 "${addr[2]}" || :
	run grew a drop_tx_route "$old" 1
	ip -n a route del 10.7.1.2/32 dev fips0
	ip -n a addr del 10.99.0.1/32 dev fips0
	ping_ok a 2
}

# Once more in another namespace than the sockets'.
moved_device() {
	ip netns add far
	ip -n far link set lo up
	ip -n a link set fips0 netns far
	ip -n far link set fips0 up
	ip -n far addr add "${addr[1]}/128" dev fips0
	ip -n far route add fd00::/8 dev fips0
	run in_ns far ping -6 -n -c 3 -i 0.2 -W 5 "${addr[2]}"
	run in_ns far ping -6 -n -c 3 -i 0.2 -W 5 -s 1347 "${addr[3]}"
}

# The last: everything goes in the middle of traffic.
unload() {
	in_ns b iperf3 -s -D
	wait_for 5 eval "in_ns b ss -ltn | grep -q :5201"
	in_ns c timeout 60 iperf3 -c "${addr[2]}" -t 50 >/dev/null 2>&1 &
	in_ns c timeout 60 ping -6 -f -q -s 900 "${addr[2]}" >/dev/null 2>&1 &
	sleep 2
	run rmmod fips
}

tests=(late_answers unreachable neighbour transit transit_ttl transit_back transit_too_big
	transit_refused transit_flood transit_congested tcp lists_copy_nothing rekey too_big not_for_the_mesh unanswered bad_underlay tapped
	small_underlay no_list_offload no_segmentation_offload no_scatter no_checksum_offload
	stacked roaming udp_flood loop moved_device unload)
[ $# = 0 ] || tests=("$@")
topology
peers
ktap_plan ${#tests[@]}
for name in "${tests[@]}"; do
	ktap_test "packets ${name//_/ }" "$name"
done
for ns in a b c far; do
	in_ns $ns ethtool -S fips0 2>/dev/null | sed "/: 0$/d; s/^/# $ns/" || :
done
ktap_end
