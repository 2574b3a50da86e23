#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Configurations that a node must take or refuse (file `cases`), told to
# `fipsd --check` and, when FIPS_REF_J names its folder, to the reference, which
# has to agree with what the file says of it.
#
#   run.sh

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
. "$here/../lib/common.sh"

WORK=$(mktemp -d "${TMPDIR:-/tmp}/fips-config-XXXXXX")
trap 'rm -rf "$WORK"' EXIT

# One file a case, and "VERDICT FILE NAME" a line of $WORK/list.
awk -v dir="$WORK" '
	/^=== / {
		if (file) close(file)
		file = dir "/" ++n ".yaml"
		verdict = $2
		sub(/^=== [a-z]+ /, "")
		print verdict, file, $0 > (dir "/list")
		printf "" > file
		next
	}
	file { print > file }' "$here/cases"

ours() { # FILE
	"$FIPSD" --check -c "$1" >/dev/null 2>&1
}

# The reference has no check: it is started where it can't do harm, and what
# it says after it has read everything is awaited.
theirs() { # FILE
	local dir log pid taken=1

	dir=$(mktemp -d "$WORK/j-XXXXXX")
	log=$dir/log
	cp "$1" "$dir/fips.yaml"
	: >"$log"
	HOME=$dir XDG_RUNTIME_DIR=$dir unshare -n "$FIPS_REF_J/fips" -c "$dir/fips.yaml" \
		>"$log" 2>&1 </dev/null &
	pid=$!
	while kill -0 $pid 2>/dev/null; do
		! grep -q 'state: created' "$log" || break
		pause
	done
	! grep -q 'state: created' "$log" || taken=0
	kill -KILL $pid 2>/dev/null || :
	wait $pid 2>/dev/null || :
	return $taken
}

# Does a program's verdict on every case equal the file's? Each difference is a line.
compare() { # PROGRAM VERDICTS-THAT-ACCEPT
	local verdict file name want got bad=0

	while read -r verdict file name; do
		want=refuses got=refuses
		[[ " $2 " != *" $verdict "* ]] || want=takes
		! "$1" "$file" || got=takes
		[ $want != $got ] || continue
		echo "FAIL: $1 $got it: $name"
		bad=1
	done <"$WORK/list"
	echo "$(wc -l <"$WORK/list") configurations"
	return $bad
}

compare_theirs() {
	[ -n "${FIPS_REF_J:-}" ] || skip "no reference: set FIPS_REF_J to the folder of its programs"
	compare theirs "accept stricter"
}

ktap_plan 2
ktap_test "configurations: our verdicts" compare ours "accept looser"
ktap_test "configurations: the reference's verdicts" compare_theirs
ktap_end
