#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Two nodes in two namespaces, scenario by scenario.
#
#   run.sh [--list] [SCENARIO[/4|/6]...]
#
# LEFT and RIGHT pick the data planes; see selftests/lib/common.sh. Without
# arguments everything runs over IPv4, and what depends on it over IPv6, too.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
. "$here/../lib/common.sh"

all=(hello/4 hello/6 first/4 tcp/4 tcp/6 udp/4 udp/6 sizes/4 sizes/6 loss/4 reorder/4 duplicate/4
	restart/4 kill/4 roam/4 roam/6 bothdial/4 disconnect/4 silence/4 mmp/4 reload/4)

[ "$(id -u)" = 0 ] || { echo "run.sh: needs root (namespaces)" >&2; exit 2; }
[ -c /dev/net/tun ] || { echo "run.sh: no /dev/net/tun" >&2; exit 2; }
if [ "${1:-}" = --list ]; then
	printf '%s\n' "${all[@]}"
	exit 0
fi
[ $# -gt 0 ] || set -- "${all[@]}"

ktap_plan $#
for entry in "$@"; do
	name=${entry%/*}
	UNDERLAY=4
	[ "${entry#*/}" != 6 ] || UNDERLAY=6
	# shellcheck source=/dev/null
	. "$here/scenarios/$name.sh"
	ktap_test "$LEFT-$RIGHT $name IPv$UNDERLAY" scenario run_scenario
done
ktap_end
