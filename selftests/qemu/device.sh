#!/bin/bash
# SPDX-License-Identifier: MIT
#
# In a guest, the module installed and not loaded: the netdevice as people
# handle it with iproute2 and ethtool, without any daemon.

set -euo pipefail

# shellcheck source=../lib/ktap.sh
. /fips/selftests/lib/ktap.sh
KTAP_LOGS=$OUT

loaded() {
	[ -e /sys/module/fips ]
}

autoload_by_kind() {
	must_fail loaded
	run ip link add fips0 type fips
	loaded
	run ip -d link show fips0
	ip -j -d link show fips0 | jq -e '.[0].linkinfo.info_kind == "fips"'
	run ip link del fips0
	run modprobe -r fips
	must_fail loaded
}

autoload_by_family() {
	must_fail loaded
	# libnl asks the controller for the name, and the kernel loads its module.
	fipsctl kernel show dev || :
	loaded
	run modprobe -r fips
}

up_and_down() {
	run ip link add fips0 type fips
	run ip link set fips0 up
	# No owner has come: no carrier.
	run test "$(cat /sys/class/net/fips0/carrier)" = 0
	run ip -s link show fips0
	run ip link set fips0 down
	run ip link del fips0
	must_fail ip link show fips0
}

mtu_range() {
	local mtu

	run ip link add fips0 type fips
	run ip link set fips0 mtu 1280
	for mtu in 0 67 70000; do
		must_fail ip link set fips0 mtu $mtu 2>&1 | tee "$OUT/mtu"
		# The refusal says why, not only EINVAL.
		grep -qi 'error:.*mtu' "$OUT/mtu"
	done
	run ip link del fips0
}

ethtool_works() {
	run ip link add fips0 type fips
	run ethtool -i fips0 | tee /dev/stderr | grep -q '^driver: fips'
	run ethtool -S fips0 | tee /dev/stderr | grep -q 'rx[-_]replay'
	ethtool -S fips0 | awk -F: '/:/ && $2 ~ /[0-9]/ { n++; sum += $2 } END { exit !(n > 30 && sum == 0) }'
	run ip link del fips0
}

move_between_namespaces() {
	ip netns add one
	ip netns add two
	run ip -n one link add fips0 type fips
	run ip -n one link set fips0 netns two
	run ip -n two link show fips0
	run ip -n two link set fips0 up
	run ip -n two link set fips0 netns one name moved
	run ip netns del one
	run ip netns del two
	# The device died with its namespace: the module is free again.
	wait_gone
}

wait_gone() {
	local i

	for i in $(seq 200); do
		modprobe -r fips 2>/dev/null && return
		sleep 0.1
	done
	fail "the module is still in use"
}

many_devices() {
	local i

	for i in $(seq 20); do
		ip link add "f$i" type fips
	done
	run test "$(ip -j link show type fips | jq length)" = 20
	run modprobe -r fips
	run test "$(ip -j link show | jq '[.[] | select(.ifname | startswith("f"))] | length')" = 0
}

user_namespace() {
	# An ordinary user's own network namespace is enough.
	modprobe fips
	run unshare -r -n bash -c 'ip link add fips0 type fips && ip link set fips0 up &&
		ip -d link show fips0'
	wait_gone
}

create_delete_race() {
	local i pids=()

	modprobe fips
	for i in 1 2 3 4; do
		(
			for _ in $(seq 10); do
				ip link add "r$i" type fips
				ip link set "r$i" up
				ip link del "r$i"
			done
		) &
		pids+=($!)
	done
	wait "${pids[@]}"
	wait_gone
}

tracepoints() {
	modprobe fips
	ls /sys/kernel/tracing/events/fips
	run test -d /sys/kernel/tracing/events/fips/fips_drop
	modprobe -r fips
}

tests=(autoload_by_kind autoload_by_family up_and_down mtu_range ethtool_works
	move_between_namespaces many_devices user_namespace create_delete_race tracepoints)
ktap_plan ${#tests[@]}
for name in "${tests[@]}"; do
	ktap_test "device ${name//_/ }" "$name"
	ip link del fips0 2>/dev/null || :
done
ktap_end
