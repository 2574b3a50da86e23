#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The matrix: our node beside both Rust nodes, cell by cell, in namespaces.
#
#   run.sh [--list] [--long] [PATTERN...]
#
# A cell is "KIND ITEM VARIANT"; PATTERNs are shell patterns of such names, as
# "J link *". J+M stands for meshes of both and ours. Cells run side by
# side, INTEROP_JOBS at a time (4), the longest first, each as a process of its own. The kinds are J and M where $FIPS_REF_J and $FIPS_REF_M
# name folders with their programs; cells of a kind that is not to be had are
# skipped by name, and ours plays its part, so that no cell rots.
#
# Environment: as in selftests/lib/node.sh and common.sh; LEFT picks our data plane
# Output: KTAP. Documentation/interop.rst has the table of the results.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
items=(rekey signals link tree session transit mix mmp ecn roam)
for file in rekey signals link tree session transit mmp ecn roam; do
	# shellcheck source=/dev/null
	. "$here/$file.sh"
done

jobs=${INTEROP_JOBS:-4}
long=''

# Are all kinds of a cell to be had? Says why not.
kinds_here() { # KIND: as J, or J+M
	local kind

	for kind in ${1//+/ }; do
		kind_here "$kind" || return
	done
}

# Kinds to play: J and M, both at once in mixes, and ours in the place of who is missing.
kinds() { # ITEM
	local kinds=(J M)

	[ "$1" != mix ] || kinds=(J+M)
	printf '%s\n' "${kinds[@]}"
	kinds_here J+M >/dev/null || echo ours
}

# All cells, "KIND ITEM VARIANT" a line. An item's own list comes from
# variants_ITEM, and from long_ITEM those that take over 60 s.
cells() {
	local kind item list

	for item in "${items[@]}"; do
		for kind in $(kinds "$item"); do
			list=variants_$item[@]
			# Without both there is little to mix.
			[ "$kind-$item" != ours-mix ] || list=variants_mix_ours[@]
			printf "$kind $item %s\n" "${!list}"
			[ -n "$long" ] || continue
			list=long_$item[@]
			[ -z "${!list:-}" ] || printf "$kind $item %s\n" "${!list}"
		done
	done
}

chosen() { # PATTERN...
	local cell pattern

	while read -r cell; do
		for pattern; do
			# shellcheck disable=SC2053 # a pattern it is
			[[ $cell != $pattern ]] || { echo "$cell"; break; }
		done
	done < <(cells)
}

# One cell, in this process; as a test its output is a log.
play() { # KIND ITEM VARIANT
	local why

	CELL_KIND=$1
	why=$(kinds_here "$1") || skip "$why"
	"mesh_${2/#tree/tree_cell}" "$3"
	scenario cell_body "play_$2" "$3"
}

label() { # KIND ITEM VARIANT
	echo "$LEFT $*"
}

start() { # CELL
	local log

	log=$KTAP_LOGS/$(tr -c 'A-Za-z0-9.\n-' _ <<<"$LEFT $1").log
	# shellcheck disable=SC2086 # three words
	KEEP_LOGS=${log%.log} "$0" --play $1 >"$log" 2>&1 </dev/null &
	running[$!]="$1" logs[$!]=$log begun[$!]=$SECONDS
}

reap() {
	local pid='' status=0

	wait -n -p pid "${!running[@]}" || status=$?
	ktap_result $status "$(label "${running[$pid]}")" "${logs[$pid]}" \
		$((SECONDS - ${begun[$pid]}))
	unset "running[$pid]"
}

case ${1:-} in
--play)
	shift
	play "$@"
	exit
	;;
--list)
	long=1
	cells
	exit
	;;
--long)
	long=1
	shift
	;;
esac

[ "$(id -u)" = 0 ] || { echo "run.sh: needs root (namespaces)" >&2; exit 2; }
[ -c /dev/net/tun ] || { echo "run.sh: no /dev/net/tun" >&2; exit 2; }
[ $# -gt 0 ] || set -- '*'
mapfile -t list < <(chosen "$@")
export KTAP_LOGS
declare -A running=() logs=() begun=()

ktap_plan ${#list[@]}
for kind in ours J M; do
	kind_here $kind >/dev/null && echo "# $(kind_version $kind)"
done
for cell in "${list[@]}"; do
	[ ${#running[@]} -lt "$jobs" ] || reap
	start "$cell"
done
while [ ${#running[@]} -gt 0 ]; do
	reap
done
ktap_end
