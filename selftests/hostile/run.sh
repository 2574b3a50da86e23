#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A scripted peer attacks a running node while two honest ones ping each other
# through it, 20 times a second.
#
#   run.sh [--list] [ATTACK...]
#
# Each attack is one test. The attacked node passes when the honest pings lose
# no more than 1 % while it lasts and none later than 5 s after it, its memory is
# back within 64 MiB, its CPU at rest within 5 s, fipsctl answers within 1 s all
# the time, and the counter that names the attack has moved.
#
# Environment:
#   ARENAS=N     that many attacks side by side (default 4)
#   STRETCH=N    attacks last so many times longer (default 1)
#   HOSTILE      the attacker, default from FIPS_BUILD
#   VICTIM=J|M   attack a Rust node (FIPS_REF_J, FIPS_REF_M). Its falls are told, they are no
#                failures of this tree; counters are not asked for
#   VERDICTS=F   one line an attack goes there, too: name, status, measurements

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=arena.sh disable=SC1091
. "$here/arena.sh"

ARENAS=${ARENAS:-4}
STRETCH=${STRETCH:-1}
VICTIM=${VICTIM:-ours}
VERDICTS=${VERDICTS:-/dev/null}

PING_MS=50
REST_PERCENT=15		# of a core, over a second
RSS_KIB=65536
CTL_MS=1000
JOIN_MS=5000

# ---- measuring

cpu_ticks() { # PID
	awk '{ print $14 + $15 }' "/proc/$1/stat"
}

rss_kib() { # PID
	awk '$1 == "VmRSS:" { print $2 }' "/proc/$1/status"
}

counter() { # "WHAT FILTER"
	[ "$VICTIM" = ours ] || { echo 0; return; }
	get r "${1%% *}" "${1#* } // 0"
}

now_ms() {
	echo $((${EPOCHREALTIME/./} / 1000))
}

# How long fipsctl takes; keeps the longest in $slowest. On a busy machine a process may
# wait for its turn that long: only what is slow thrice in a row is the node's.
ask_ctl() {
	local start took best=99999

	for _ in 1 2 3; do
		start=$(now_ms)
		ctl r show status --json >/dev/null || continue
		took=$(($(now_ms) - start))
		[ $took -ge $best ] || best=$took
		[ $best -gt $CTL_MS ] || break
	done
	[ $best -le "$slowest" ] || slowest=$best
}

# Pings lost of those sent between two times (seconds, with fraction), from ping's log.
# An unanswered one was sent where its neighbours say.
lost() { # LOG FROM TO; prints LOST SENT
	awk -v from="$2" -v to="$3" -v gap=$PING_MS '
	match($0, /icmp_seq=[0-9]+/) && match($0, /time=[0-9.]+/) {
		rtt = substr($0, RSTART + 5, RLENGTH - 5)
		match($0, /icmp_seq=[0-9]+/)
		seq = substr($0, RSTART + 9, RLENGTH - 9) + 0
		sent[seq] = substr($1, 2) - rtt / 1000
		if (seq > last)
			last = seq
	}
	/ packets transmitted/ { all = $1 }
	END {
		for (seq = 1; seq <= last; seq++)
			if (seq in sent) { base = seq; at = sent[seq]; break }
		for (seq = 1; seq <= (all > last ? all : last); seq++) {
			if (seq in sent) { base = seq; at = sent[seq] }
			when = at + (seq - base) * gap / 1000
			if (when < from || when > to)
				continue
			n++
			miss += !(seq in sent)
		}
		print miss + 0, n + 0
	}' "$1"
}

# ---- one attack

# Newcomers, one configured and one that nobody knows, must get in meanwhile.
start_joins() { # DIRECTORY
	local dir=$1

	HOSTILE_BIND=10.79.0.21:2121 spawn x "$dir/join-known" "$HOSTILE" join "${NODE_SECRET[j]}"
	join_pids=("$SPAWNED")
	HOSTILE_BIND=10.79.0.22:2121 spawn x "$dir/join-new" "$HOSTILE" join
	join_pids+=("$SPAWNED")
}

# Until the attacker is done: ask fipsctl, and let newcomers come when it has begun.
watch_attack() { # PID DIRECTORY JOINS
	local pid=$1 dir=$2 joins=$3 i

	until gone "$pid"; do
		! grep -q ^begin "$dir/attack" || ask_ctl
		if [ "$joins" = 1 ] && [ ${#join_pids[@]} = 0 ] && grep -q ^begin "$dir/attack"; then
			for i in 1 2 3 4 5 6; do pause; done
			start_joins "$dir"
		fi
		for i in 1 2 3 4; do pause; done
	done
	wait "$pid"
}

# CPU at rest within 5 s; prints how many seconds that took and the last percentage.
rest() { # PID
	local before after i

	for i in 1 2 3 4 5; do
		before=$(cpu_ticks "$1")
		for _ in {1..20}; do pause; done
		after=$(cpu_ticks "$1")
		[ $((after - before)) -gt $REST_PERCENT ] || break
	done
	echo "$i $((after - before))"
}

verdict() { # PROBLEM...
	local problem

	for problem; do
		echo "FAIL: $problem"
	done
	[ $# = 0 ]
}

judge() { # NAME DIRECTORY COUNTER JOINS; uses the measurements of attack()
	local dir=$2 joins=$4 problems=() who ms

	read -r lost_in sent_in < <(lost "$dir/ping" "$begin" "$end")
	read -r lost_then sent_then < <(lost "$dir/ping" "$end" "$late")
	read -r lost_late sent_late < <(lost "$dir/ping" "$late" "$over")
	[ "$sent_in" -gt 0 ] && [ "$sent_late" -gt 0 ] || problems+=("no pings were sent")
	[ $((lost_in * 100)) -lt $((sent_in + 100)) ] ||
		problems+=("$lost_in of $sent_in pings lost during the attack")
	[ "$lost_late" = 0 ] || problems+=("$lost_late of $sent_late pings lost 5 s after it")
	[ $((rss_after - rss_before)) -le $RSS_KIB ] ||
		problems+=("memory grew from $rss_before to $rss_after KiB")
	[ "$rest_percent" -le $REST_PERCENT ] || problems+=("CPU still at $rest_percent % after 5 s")
	[ "$slowest" -le $CTL_MS ] || problems+=("fipsctl took $slowest ms")
	[ "$VICTIM" != ours ] || [ "$count_after" -gt "$count_before" ] || problems+=("$3 does not name it")
	if [ "$joins" = 1 ]; then
		for who in known new; do
			ms=$(cat "$dir/join-$who" 2>/dev/null || :)
			[ "${ms:-99999}" -le $JOIN_MS ] || problems+=("$who newcomer: ${ms:-not} ms")
			joined+=" $who:${ms:-no}ms"
		done
	fi
	verdict "${problems[@]}"
}

attack() { # NAME COUNTER SECONDS JOINS
	local name=$1 counter=$2 seconds=$3 joins=$4 dir=$WORK/$1 pid ping_pid slowest=0 status=0
	local begin end late over rss_before rss_after count_before count_after r_pid
	local rest_seconds rest_percent join_pids=() joined='' lost_in lost_then lost_late
	local sent_in sent_then sent_late

	mkdir -p "$dir"
	r_pid=$(node_pid r)
	wait_for 20 ping_through
	rss_before=$(rss_kib "$r_pid") count_before=$(counter "$counter")
	spawn a "$dir/ping" env --default-signal=INT ping -6 -n -D -i 0.05 "${NODE_IP6[b]}"
	ping_pid=$SPAWNED
	for _ in {1..8}; do pause; done
	spawn x "$dir/attack" "$HOSTILE" attack "$name" $((seconds * STRETCH))
	pid=$SPAWNED
	watch_attack "$pid" "$dir" "$joins" || { cat "$dir/attack" "$WORK/stderr"; fail "attacker"; return; }
	count_after=$(counter "$counter")
	begin=$(sed -n 's/^begin //p' "$dir/attack") end=$(sed -n 's/^end //p' "$dir/attack")
	late=$(awk "BEGIN { printf \"%.3f\", $end + 5 }")
	read -r rest_seconds rest_percent < <(rest "$r_pid")
	for pid in "${join_pids[@]}"; do
		wait "$pid" || :
	done
	over=$(awk "BEGIN { printf \"%.3f\", $end + 6.5 }")
	while [ "$(now_ms)" -lt $((${end/./} + 7000)) ]; do pause; done
	kill -INT "$ping_pid"
	wait "$ping_pid" || :
	! gone "$r_pid" || { fail "the node died"; return; }
	rss_after=$(rss_kib "$r_pid")
	judge "$name" "$dir" "$counter" "$joins" || status=$?
	echo "lost $lost_in/$sent_in, then $lost_then/$sent_then, late $lost_late/$sent_late;" \
		"RSS $rss_before -> $rss_after KiB; at rest after $rest_seconds s ($rest_percent %);" \
		"fipsctl $slowest ms; ${counter#* } $count_before -> $count_after;$joined" \
		"$(sed -n 's/^sent //p' "$dir/attack") packets" | tee -a "$dir/sum"
	return $status
}

# ---- all of them

reasons() { # LOG
	grep -a '^FAIL: ' "$1" | cut -c 7- | sort -u | paste -sd ';' | cut -c 1-200
}

# One attack, in an arena that is opened if there is none; one whose node fell is closed.
assault() { # LOG NAME COUNTER SECONDS JOINS
	local log=$1 status=0

	shift
	: >"$log"
	if [ -z "$fresh" ]; then
		arena_open >>"$log" 2>&1 || status=$?
		fresh=1
	fi
	if [ $status = 0 ]; then
		(
			set -euo pipefail
			attack "$@"
		) >>"$log" 2>&1 </dev/null || status=$?
	fi
	if [ $status != 0 ]; then
		arena_close >>"$log" 2>&1 || :
		fresh=''
	fi
	return $status
}

outcome() { # STATUS LOG TITLE
	local again=''

	[ ! -e "$2.first" ] || again="at the second attempt; $(reasons "$2.first"); "
	if [ "$1" = 0 ]; then
		echo "ok - $VICTIM: $3 ($again$(tail -n 1 "$2"))"
	elif [ "$VICTIM" != ours ]; then
		echo "ok - $VICTIM: $3: it falls: $(reasons "$2")"
	else
		grep -a '^FAIL' "$2" | sed 's/^/# /' || :
		tail -n 12 "$2" | cut -c 1-300 | sed 's/^/# /'
		echo "not ok - $VICTIM: $3 (log $2)"
	fi
}

# One arena after the other takes its share of the attacks; a node that fell gets a new one.
arena() { # NUMBER "LINE"...
	local line name class counter seconds joins what log status fresh=''

	RUN=$$.$1
	shift
	for line; do
		IFS=$'\t' read -r name class counter seconds joins what <<<"$line"
		log=$KTAP_LOGS/$name.log
		rm -f "$log.first"
		status=0
		assault "$log" "$name" "$counter" "$seconds" "$joins" || status=$?
		if [ "$VICTIM" = ours ] && ktap_again $status "$log"; then
			status=0
			assault "$log" "$name" "$counter" "$seconds" "$joins" || status=$?
		fi
		outcome $status "$log" "$class: $name: $what"
		echo "$name $status $(tail -n 1 "$log")" >>"$VERDICTS"
	done
	[ -z "$fresh" ] || arena_close
}

main() {
	local lines=() line pids=() i status=0

	while IFS= read -r line; do
		[ $# = 0 ] || [[ " $* " = *" ${line%%$'\t'*} "* ]] || continue
		lines+=("$line")
	done < <("$HOSTILE" list)
	[ ${#lines[@]} -gt 0 ] || { echo "no such attack: $*" >&2; return 2; }
	ktap_plan ${#lines[@]}
	line=$(kind_here "$VICTIM") || {
		printf "ok - $VICTIM: %s # SKIP $line\n" "${lines[@]%%$'\t'*}"
		return 0
	}
	for ((i = 0; i < ARENAS && i < ${#lines[@]}; i++)); do
		(
			set +e
			trap 'arena_close >/dev/null 2>&1' EXIT
			trap 'exit 130' INT TERM
			share=()
			for ((k = i; k < ${#lines[@]}; k += ARENAS)); do
				share+=("${lines[k]}")
			done
			arena "$i" "${share[@]}"
		) &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || status=1
	done
	return $status
}

if [ "${1:-}" = --list ]; then
	"$HOSTILE" list | cut -f 1
	exit
fi
main "$@"
