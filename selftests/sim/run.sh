#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Tests of the simulator, and of the protocol in it.
#
#   run.sh [--list] [TEST...]
#
# Environment:
#   FIPS_BUILD      folder of fipssim (build/)
#   FIPS_BUILD_O0   folder of one built with -O0 (build/O0/); without it that test is skipped
#   FIPS_BUILD_SAN  folder of one built with sanitizers, for half of the swarm; may be missing
#   SWARM_RUNS      most runs of the swarm (1000)
#   SWARM_SECONDS   time for them (60, 0 = no limit)
#   SWARM_SEED      first seed (1)
#   SIM_NODES       nodes of the large mesh (1000)

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
# shellcheck source=../lib/ktap.sh
. "$here/../lib/ktap.sh"

sim=${FIPS_BUILD:-$top/build}/fipssim
sim_o0=${FIPS_BUILD_O0:-$top/build/O0}/fipssim
sim_san=${FIPS_BUILD_SAN:-$top/build-sanitize}/fipssim
work=$(mktemp -d "${TMPDIR:-/tmp}/fipssim-XXXXXX")
trap 'rm -rf "$work"' EXIT

# A run with a little of everything in it.
busy=(--nodes 30 --topology ba --seed 7 --duration 30s --names --flows 3
	--loss 5% --dup 5% --reorder 5% --corrupt 1% --replay 5%
	--fault "AT 4s upcalls all loss 2% late 20ms reorder; AT 4s ops all fail 1% late 50ms"
	--fault "AT 5s crash 3; AT 9s restart 3; AT 6s partition 0..9; AT 15s heal"
	--fault "AT 11s move 4; AT 12s clock 5 step -300s; AT 13s garbage 1 100"
	--fault "FROM 16s TO 28s churn 0.5/s down 2s")

busy_run() { # PROGRAM TRACE OPTION...
	local program=$1 trace=$2

	shift 2
	"$program" "${busy[@]}" --trace="$trace" "$@"
}

digest() {
	sed -n 's/^log *//p' "$1"
}

test_same_seed_same_log() {
	busy_run "$sim" "$work/a" >"$work/a.txt"
	busy_run "$sim" "$work/b" >"$work/b.txt"
	cmp "$work/a" "$work/b"
	cmp "$work/a.txt" "$work/b.txt"
	wc -l "$work/a"
	"$sim" "${busy[@]}" --seed 8 >"$work/c.txt"
	[ "$(digest "$work/a.txt")" != "$(digest "$work/c.txt")" ]
}

test_same_log_without_optimization() {
	[ -x "$sim_o0" ] || skip "no $sim_o0 (make sim O=build/O0 OPT='-O0 -g' HARDEN=-fPIE)"
	busy_run "$sim" "$work/a" >"$work/a.txt"
	busy_run "$sim_o0" "$work/b" >"$work/b.txt"
	cmp "$work/a" "$work/b"
	cmp "$work/a.txt" "$work/b.txt"
}

test_memo_changes_nothing() {
	busy_run "$sim" "$work/a" --crypto memo >"$work/a.txt"
	busy_run "$sim" "$work/b" --crypto real >"$work/b.txt"
	grep ^memo "$work/a.txt"
	cmp "$work/a" "$work/b"
	[ "$(digest "$work/a.txt")" = "$(digest "$work/b.txt")" ]
}

# Each invariant must bark when the simulator itself breaks it.
test_invariants_notice() {
	local sin status

	for sin in right-node own-source once payload-intact nonce-once no-leak-in-plane \
		tables-bounded no-busy-loop no-secret-left lossless; do
		status=0
		"$sim" --quiet --nodes 4 --duration 20s --lossless --fault "AT 5s sin $sin" \
			2>"$work/err" || status=$?
		cat "$work/err"
		[ $status = 1 ]
		grep -q "invariant $sin broken" "$work/err"
	done
	for sin in talks-again one-root; do
		status=0
		"$sim" --quiet --nodes 4 --duration 20s \
			--fault "AT 5s partition 0..1; AT 5s sin $sin" 2>"$work/err" || status=$?
		cat "$work/err"
		[ $status = 1 ]
		grep -q "invariant $sin broken" "$work/err"
	done
}

test_calm_mesh_loses_nothing() {
	local seed

	for seed in 1 2 3 4 5; do
		run "$sim" --lossless --nodes 12 --topology er --seed $seed --duration 200s \
			--ping 50ms --flows 2
	done
}

# What a failed run prints runs the same again.
test_command_is_complete() {
	local seed

	for seed in 5 6 7 8 9; do
		"$sim" swarm --runs 1 --seed $seed --show >"$work/a"
		eval "\"$sim\" $(sed -n '1s/^fipssim //p' "$work/a")" >"$work/b"
		[ -n "$(digest "$work/a")" ]
		[ "$(digest "$work/a")" = "$(digest "$work/b")" ]
	done
}

test_bad_schedules_are_refused() {
	local line

	for line in "AT 5 crash 1" "AT 5s crash 99" "AT 5s loss 0-1 5" "AT 5s partition 3..1" \
		"AT 5s what" "crash 1" "AT 5s clock 1 step" "FROM 1s TO 2s churn 5"; do
		run must_fail "$sim" --quiet --nodes 4 --topology ring --duration 1s --fault "$line"
	done
}

test_reports() {
	"$sim" "${busy[@]}" --json --plot "$work/p.svg" >"$work/r.json"
	jq -e '.nodes == 30 and .broken == null and .answered > 0 and .log != ""' "$work/r.json"
	grep -c '<circle' "$work/p.svg"
	[ "$(tail -n 1 "$work/p.svg")" = '</svg>' ]
}

# ---- what a mesh must do

# Each shape comes together, every pair talks, the tree is what it must be.
test_topologies() {
	local topology seed

	for topology in line ring star grid tree er ba rgg; do
		for seed in 1 2 3; do
			run "$sim" --quiet --nodes 24 --topology $topology --seed $seed \
				--duration 40s
		done
	done
}

# 70 in a line don't fit into one tree; neighbours don't suffer from that.
test_deeper_than_the_wire() {
	run "$sim" --quiet --nodes 70 --topology line --near --duration 60s
}

test_partition_and_merge() {
	local seed

	for seed in 1 2 3; do
		run "$sim" --quiet --nodes 24 --topology er --seed $seed --duration 150s \
			--fault "AT 20s partition 0..11; AT 100s heal"
		run "$sim" --quiet --nodes 24 --topology grid --seed $seed --duration 90s \
			--fault "AT 20s partition 0..7; AT 22s partition 8..15; AT 60s heal"
	done
}

test_churn() {
	local seed

	for seed in 1 2 3; do
		run "$sim" --quiet --nodes 24 --topology ba --seed $seed --duration 120s \
			--fault "FROM 10s TO 110s churn 0.3/s down 5s"
	done
}

# Both kinds of keys are renewed under traffic between any two, and nothing is lost.
test_rekeys_lose_nothing() {
	local topology

	for topology in tree ring er grid; do
		QUIET=1 run "$sim" --lossless --nodes 12 --topology $topology --duration 200s --ping 50ms \
			--flows 2 --set rekey.after_messages=500 --json >"$work/r.json"
		jq -c '{rekeys, packets, delivered, broken}' "$work/r.json"
		jq -e '.rekeys.links > 10 and .rekeys.sessions > 50' "$work/r.json"
	done
}

# Every lie of 05 §15, 06 §13, 07 J, 04 §15 and 08 §17, the counter of honest nodes that names
# it, and when it begins: a change of the root or a claim shows best once all is settled.
lies="tree-root tree_root_lowered 20s
tree-depth lookup.req_duplicate
tree-forged tree_sig_failed
tree-other tree_addr_mismatch
tree-last lookup.req_bloom_miss
tree-swing lookup.req_duplicate
tree-flood tree_parked
filter-full bloom_fill_exceeded
filter-fill lookup.req_fallback_forwarded
filter-k255 bloom_non_v1
filter-k1 bloom_non_v1
filter-empty lookup.req_bloom_miss
filter-claim bloom_has_us 20s
filter-last bloom_stale
filter-flood bloom_parked
lookup-swallow lookup.resp_timed_out
lookup-forge lookup.resp_proof_failed
lookup-mtu lookup_mtu_below_floor
lookup-garbage lookup.resp_proof_failed
lookup-replay lookup_unasked
lookup-echo lookup.req_duplicate
lookup-flood lookup.req_forward_rate_limited
coords-poison session_bad_state
coords-fill coords_share_evicted
signals signal_unbound
sources signals_sent
setups session_setup_rate_limited
acks session_ack_failed
mtu path_mtu_below_floor
reports mmp_absurd
loss congestion_begun
blackhole session_bad_state"

liar_run() { # SEED FAULT
	QUIET=1 run "$sim" --nodes 24 --topology ba --degree 6 --seed "$1" --duration 60s \
		--fault "$2" --json >"$work/r.json"
}

counter() { # FILE NAME
	jq --arg name "$2" '.counters.honest[$name] // 0' "$1"
}

# Two liars in each of two meshes; together their counter is above that of the truth. A single
# one may lie to nobody whom it matters to.
liar_seen() { # LIE COUNTER BEGIN
	local seed liar truth=0 seen=0

	for seed in 1 2; do
		for liar in 0 3; do
			liar_run $seed "AT $3 lie $liar $1"
			jq -e '.lies > 0' "$work/r.json" >/dev/null
			seen=$((seen + $(counter "$work/r.json" "$2")))
			truth=$((truth + $(counter "$work/truth$seed.json" "$2")))
		done
	done
	echo "$1: $2 $truth -> $seen"
	[ "$seen" -gt "$truth" ]
}

# The mesh around each liar keeps talking, and shows that there is one.
test_liars() {
	local lie name begin seed

	for seed in 1 2; do
		liar_run $seed "AT 0s heal"
		cp "$work/r.json" "$work/truth$seed.json"
	done
	while read -r lie name begin; do
		liar_seen "$lie" "$name" "${begin:-0s}"
	done <<<"$lies"
}

# A black hole that attracts: a child of the root who knows everybody, and passes nothing on.
test_black_hole() {
	local seed liar

	for seed in 1 2; do
		for liar in 0 3; do
			liar_run $seed "AT 0s lie $liar blackhole; AT 0s lie $liar tree-depth; AT 0s lie $liar filter-claim"
			jq -e '.lies > 100' "$work/r.json"
		done
	done
}

# A path so long that not all can follow it: told, though nobody is protected from it yet.
test_too_long_a_tree() {
	"$sim" --nodes 24 --topology ba --degree 6 --duration 60s --no-settle \
		--fault "AT 0s lie 0 tree-long" --json >"$work/r.json"
	[ "$(counter "$work/r.json" tree_too_deep)" -gt 0 ]
}

# 50 nodes come one by one to a mesh of 100, 20 ms a hop: first ping to a random node.
test_newcomers_are_quick() {
	local seed

	for seed in 3 4 5; do
		QUIET=1 run "$sim" --nodes 100 --topology er --degree 4 --delay 20ms --spread 0s \
			--duration 60s --newcomers 50 --seed $seed --ping 0s --no-settle --json \
			>"$work/r.json"
		jq -c .newcomers "$work/r.json"
		jq -e '.newcomers.answer_us | .count >= 45 and .median < 1000000' "$work/r.json"
	done
}

# A large mesh becomes one tree, and everybody is found in it.
test_large_mesh() {
	local began=$SECONDS nodes=${SIM_NODES:-1000}

	QUIET=1 run "$sim" --nodes "$nodes" --topology ba --duration 75s --ping-from 45s --ping 10ms \
		--no-settle --progress --json >"$work/r.json"
	jq -c '{nodes, converged_ms, lookups, control_millibytes_per_node_s, largest}' "$work/r.json"
	jq -e '.converged_ms != null and .converged_ms < 10000' "$work/r.json"
	jq -e '.lookups | .found >= 0.999 * (.started - .moot - .cut_off + .unasked)' \
		"$work/r.json"
	jq -e '.lookup_requests <= 30 * .lookups.started' "$work/r.json"
	[ "$nodes" -gt 1000 ] || [ $((SECONDS - began)) -lt 120 ]
}

# Seeds that once broke something: options in a file, with the story as comment.
test_kept_seeds() {
	local file args=() found=0

	for file in "$here"/seeds/*.args; do
		[ -f "$file" ] || continue
		found=$((found + 1))
		eval "args=($(sed 's/^#.*//' "$file"))"
		if grep -q '^# TODO' "$file"; then
			"$sim" "${args[@]}" >"$work/out" 2>&1 && fail "$file holds now: drop its TODO"
			sed -n 's/^# TODO/known:/p' "$file"
		else
			run "$sim" "${args[@]}"
		fi
	done
	echo "$found seeds"
}

swarm() { # PROGRAM SEED SECONDS
	run "$1" swarm --runs "${SWARM_RUNS:-1000}" --seed "$2" --seconds "$3"
}

test_swarm() {
	swarm "$sim" "${SWARM_SEED:-1}" "${SWARM_SECONDS:-60}"
}

test_swarm_sanitized() {
	[ -x "$sim_san" ] || skip "no $sim_san (make sim SANITIZE=1)"
	swarm "$sim_san" $((${SWARM_SEED:-1} + 1000000)) "${SWARM_SECONDS:-60}"
}

all=(same_seed_same_log same_log_without_optimization memo_changes_nothing invariants_notice
	command_is_complete
	calm_mesh_loses_nothing bad_schedules_are_refused reports topologies
	deeper_than_the_wire partition_and_merge churn rekeys_lose_nothing liars black_hole
	too_long_a_tree
	newcomers_are_quick large_mesh kept_seeds swarm swarm_sanitized)

if [ "${1:-}" = --list ]; then
	printf '%s\n' "${all[@]}"
	exit 0
fi
[ -x "$sim" ] || { echo "run.sh: no $sim: run make sim" >&2; exit 2; }
[ $# -gt 0 ] || set -- "${all[@]}"
ktap_plan $#
for name in "$@"; do
	ktap_test "${name//_/ }" "test_$name"
done
ktap_end
