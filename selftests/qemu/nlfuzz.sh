#!/bin/bash
# SPDX-License-Identifier: MIT
#
# In a guest, the module loaded: netlink fuzz while traffic flows.
#
#   nlfuzz.sh [NAME=VALUE...]       FUZZ_SECS (default 20), SEED (default: the time), SLOW

set -euo pipefail

while [[ "${1:-}" == *=* ]]; do
	export "${1?}"
	shift
done
export KTAP_LOGS=$OUT SEED=${SEED:-$(date +%s)}

# shellcheck source=../lib/common.sh
. /fips/selftests/lib/common.sh

declare -A ADDR=([a]=$(nlpeer address 1) [b]=$(nlpeer address 2))

device() { # NODE
	in_ns "$1" ip link add fips0 type fips
	in_ns "$1" ip link set fips0 mtu 1395 up
	in_ns "$1" ip address add "${ADDR[$1]}/128" dev fips0
	in_ns "$1" ip route add fd00::/8 dev fips0
}

fuzz() {
	device a
	device b
	spawn a "$WORK/pings" ping -6 -n -i 0.05 "${ADDR[b]}"
	spawn b "$WORK/pings" ping -6 -n -i 0.05 -s 1300 "${ADDR[a]}"
	run in_ns a nlfuzz "${FUZZ_SECS:-20}" "$SEED" "$(ns b)" \
		"ping -6 -n -c 20 -i 0.05 -W $((5 * SLOW)) ${ADDR[b]} | grep ' 0% packet loss'"
	echo "$(grep -c 'bytes from' "$WORK/pings") pings were answered meanwhile"
	grep -q 'bytes from' "$WORK/pings" || fail "no traffic"
}

echo "# nlfuzz SEED=$SEED"
ktap_plan 1
ktap_test "nlfuzz ${FUZZ_SECS:-20} s" scenario fuzz
ktap_end
