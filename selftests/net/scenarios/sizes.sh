# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Sizes: each length around the edges passes, the first one too long is answered
# with Packet Too Big, and after that the stack sends what fits.
#
#	a (fips0) ──── cable ──── b (fips0)        E = 1472 - 77 = 1395 (spec 09 §8.2)

too_big_answered() {
	local out

	out=$(in_ns a ping -6 -n -c 1 -W 1 -M "do" -s $((E_PING + 1)) "${NODE_IP6[b]}" 2>&1) || :
	echo "$out"
	grep -qiE "(packet too big|message too long).*mtu[ =:]*$E_MTU" <<<"$out"
}

learnt_mtu() {
	ip -n "$(ns a)" -6 route get "${NODE_IP6[b]}" | grep -q "mtu $E_MTU"
}

run_scenario() {
	local size

	both_up
	run ping_all a 1
	for size in 0 1 2 3 7 8 15 16 17 31 32 33 63 64 65 100 255 256 511 512 1000 1023 1024 \
		1232 1233 1280 $((E_PING - 16)) $((E_PING - 2)) $((E_PING - 1)) "$E_PING"; do
		run ping_all a 2 -M "do" -s "$size" >>"$WORK/sizes" || { cat "$WORK/sizes"; return 1; }
	done
	run ping_all b 2 -M "do" -s "$E_PING"

	wait_for 5 too_big_answered
	wait_for 5 learnt_mtu
	# Longer ones go in fragments now.
	wait_for 5 in_ns a ping -6 -n -c 1 -W 1 -s 4000 "${NODE_IP6[b]}"
	run ping_all a 3 -s 4000
	run ping_all a 2 -s 30001
	run tcp_copy a 500001
}
