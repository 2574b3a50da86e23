# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# One line a test, in the kernel's TAP dialect. A test is a command that runs in
# a subshell of its own: it fails with any status but 0, and skips with 4 when a
# line of its output starts with "SKIP". Its output is kept, and shown when it
# failed.
#
# KTAP_AGAIN=1: what failed runs once more, for tests in real time on machines that
# others share. It says so in its line, and the first log is kept as LOG.first.

KTAP_SKIP=4
KTAP_LOGS=${KTAP_LOGS:-$(mktemp -d)}
mkdir -p "$KTAP_LOGS"
ktap_count=0 ktap_failed=0 ktap_skipped=0 ktap_repeated=0

ktap_plan() { # NUMBER
	echo "TAP version 13"
	echo "1..$1"
}

# Leave a test early; only inside ktap_test.
skip() { # REASON
	echo "SKIP $*"
	exit "$KTAP_SKIP"
}

fail() { # REASON
	echo "FAIL: $*"
	return 1
}

# Show each command of a test as it runs.
run() {
	[ -n "${QUIET:-}" ] || echo "+ $*"
	"$@"
}

# A command that must not succeed.
must_fail() {
	echo "+ must fail: $*"
	if "$@"; then
		fail "it succeeded"
		return
	fi
}

# The end of a log, as TAP comments.
ktap_show() { # FILE
	{
		grep -a '^FAIL' "$1" || :
		tail -n "${KTAP_LINES:-60}" "$1"
	} | tr -d '\000\r' | cut -c 1-300 | sed 's/^/# /'
}

# Whether a test that ended so is to run once more.
ktap_again() { # STATUS LOG
	[ -n "${KTAP_AGAIN:-}" ] && [ "$1" != 0 ] && [ ! -e "$2.first" ] || return 1
	[ "$1" != "$KTAP_SKIP" ] || ! grep -q '^SKIP' "$2" || return 1
	mv "$2" "$2.first"
}

ktap_result() { # STATUS NAME LOG SECONDS
	local status=$1 name=$2 log=$3 seconds=$4 note=''

	ktap_count=$((ktap_count + 1))
	if [ -e "$log.first" ]; then
		ktap_repeated=$((ktap_repeated + 1))
		note=", at the second attempt; $(grep -a '^FAIL' "$log.first" | tail -n 1 | cut -c 1-120)" || :
	fi
	if [ "$status" = 0 ]; then
		echo "ok $ktap_count - $name ($seconds s$note)"
	elif [ "$status" = "$KTAP_SKIP" ] && grep -q '^SKIP' "$log"; then
		ktap_skipped=$((ktap_skipped + 1))
		echo "ok $ktap_count - $name # $(grep '^SKIP' "$log" | tail -n 1)"
	else
		ktap_failed=$((ktap_failed + 1))
		ktap_show "$log"
		echo "not ok $ktap_count - $name (status $status, $seconds s, log $log)"
	fi
}

# Run a command in a subshell, its output into a log; the status is in ktap_status.
ktap_logged() { # LOG COMMAND...
	local log=$1

	shift
	set +e
	(
		set -euo pipefail
		"$@"
	) >"$log" 2>&1 </dev/null
	ktap_status=$?
	set -e
}

# Must not be called where the shell ignores errexit (if, &&, ||).
ktap_test() { # NAME COMMAND...
	local name=$1 log start=$SECONDS

	shift
	log=$KTAP_LOGS/$(tr -cs 'A-Za-z0-9._\n-' '_' <<<"$name").log
	rm -f "$log.first"
	ktap_logged "$log" "$@"
	if ktap_again "$ktap_status" "$log"; then
		ktap_logged "$log" "$@"
	fi
	ktap_result "$ktap_status" "$name" "$log" $((SECONDS - start))
}

ktap_end() {
	echo "# $((ktap_count - ktap_failed - ktap_skipped)) passed, $ktap_failed failed," \
		"$ktap_skipped skipped; $ktap_repeated took a second attempt"
	[ "$ktap_failed" = 0 ]
}
