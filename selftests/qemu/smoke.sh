#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A guest script that shows what the harness offers, and whether it notices:
#   smoke.sh [pass|fail|skip|panic|hang|warn|silent|stuck|stop]

set -euo pipefail

case ${1:-pass} in
pass)
	echo "TAP version 13"
	echo "1..3"
	ip netns add left
	ip netns add right
	ip -n left link add veth0 type veth peer name veth0 netns right
	for side in left right; do
		ip -n "$side" link set veth0 up
	done
	ip -n left address add 192.0.2.1/24 dev veth0
	ip -n right address add 192.0.2.2/24 dev veth0
	ip netns exec left ping -q -c 3 -i 0.01 192.0.2.2 >/dev/null
	echo "ok 1 ping across a veth pair"

	ip -n left link add wg0 type wireguard
	echo "ok 2 WireGuard's module loads by itself"

	tc -n left qdisc add dev veth0 root netem loss 1%
	echo "ok 3 netem"
	uname -r >"$OUT/release"
	;;
fail)
	echo "not ok 1 as asked"
	exit 1
	;;
skip)
	echo "ok 1 # SKIP as asked"
	exit 4
	;;
panic)
	echo c >/proc/sysrq-trigger
	;;
hang)
	sleep 100000
	;;
warn)
	# Words that the kernel would use; /dev/kmsg takes them from anybody.
	echo "<4>WARNING: CPU: 0 PID: 1 at smoke.sh" >/dev/kmsg
	;;
silent)
	# Below the console's level: only in the guest's own log.
	echo "<6>unregister_netdevice: waiting for smoke0" >/dev/kmsg
	;;
stuck)
	# A process that holds on to the output must not hold the guest.
	trap '' TERM HUP
	sleep 100000 &
	echo "ok 1 left a process behind" | tee /dev/stderr
	;;
stop)
	poweroff -f
	;;
esac
