#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The chaos scenarios, two at a time, one test each.
#
#   run.sh [--list] [--seconds N] [SCENARIO...]
#
# plan and wire look at the tools themselves. --seconds: how long the faults of each
# last (default 60, "whole": as long as the scenario says). The mixed scenarios need
# FIPS_REF_J or FIPS_REF_M and skip without. LANES: how many run side by side
# (default 2).

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/ktap.sh disable=SC1091
. "$here/../lib/ktap.sh"

# The long ones first: the lanes end together. A mix follows a plus sign.
# maelstrom is in the whole run only: pairs that stay silent beyond its bound are not understood yet.
all=(plan wire churn-mixed maelstrom-sparse congestion-stress bloom-storm tcp-mesh
	ethernet-mesh ecn-on ecn-off churn-mixed+J=4 churn-mixed+M=4)
seconds=60

while [ $# -gt 0 ]; do
	case $1 in
	--list)
		printf '%s\n' "${all[@]}"
		exit 0
		;;
	--seconds)
		seconds=$2
		shift
		;;
	*) break ;;
	esac
	shift
done
[ "$(id -u)" = 0 ] || { echo "run.sh: needs root (namespaces)" >&2; exit 2; }
[ -c /dev/net/tun ] || { echo "run.sh: no /dev/net/tun" >&2; exit 2; }
[ "$seconds" != whole ] || all+=(maelstrom)
[ $# -gt 0 ] || set -- "${all[@]}"
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

# Play one scenario; its output and status are left in files.
play() { # NAME[+MIX]
	local options=() status=0

	[ "$seconds" = whole ] || options+=(--seconds "$seconds")
	[ "${1#*+}" = "$1" ] || options+=(--mix "${1#*+}")
	"$here/play" "${options[@]}" "$here/scenarios/${1%%+*}.yaml" >"$results/$1.log" 2>&1 ||
		status=$?
	echo $status >"$results/$1.tmp"
	mv "$results/$1.tmp" "$results/$1.status"
}
export -f play
export here results seconds

# The lanes run on while the tests wait for their results in order.
printf '%s\n' "$@" | grep -vxE 'plan|wire' | xargs -P "${LANES:-2}" -I{} bash -c 'play {}' &

# Asked a second time (a failed test may be tried again) it plays once more.
played() { # NAME
	[ ! -f "$results/$1.told" ] || play "$1"
	until [ -f "$results/$1.status" ]; do
		sleep 0.5
	done
	touch "$results/$1.told"
	cat "$results/$1.log"
	return "$(cat "$results/$1.status")"
}

ktap_plan $#
for name; do
	if [ "$name" = plan ] || [ "$name" = wire ]; then
		ktap_test "chaos $name" "$here/check-$name"
		continue
	fi
	ktap_test "chaos $name" played "$name"
	grep -a '^holds: \(start\|converge\)' "$results/$name.log" | sed 's/^/# /' || :
done
ktap_end
