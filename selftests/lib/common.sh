# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Nodes in network namespaces, two unless mesh.sh says otherwise, for scripts that run on the
# host (user data plane) and in guests (kernel and user data plane). Every name carries the PID
# of the run, nothing waits for a fixed time, and what is cleaned up is only
# what was started.
#
# Environment:
#   LEFT, RIGHT     data plane of nodes a and b: user (default) or kernel
#   UNDERLAY        4 (default) or 6: what the nodes talk over
#   SLOW            factor for all time limits (guests under emulation)
#   FIPSD, FIPSCTL  the programs, default from FIPS_BUILD (build/) or the PATH
#   KEEP_LOGS       prefix of files that keep the whole logs of a failed scenario's nodes

# Two libraries may need this one.
! declare -F scenario >/dev/null || return 0

LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
FIPS_TOP=$(cd "$LIB/../.." && pwd)
# shellcheck source=ktap.sh
. "$LIB/ktap.sh"
# shellcheck source=node.sh
. "$LIB/node.sh"

LEFT=${LEFT:-user}
RIGHT=${RIGHT:-user}
UNDERLAY=${UNDERLAY:-4}
SLOW=${SLOW:-1}
NODES=(a b)
RUN=$$
WORK=''

find_program() { # NAME
	local build=${FIPS_BUILD:-$FIPS_TOP/build}

	if [ -x "$build/$1" ]; then
		echo "$build/$1"
	else
		command -v "$1" || { echo "no program $1: run make" >&2; return 1; }
	fi
}
FIPSD=${FIPSD:-$(find_program fipsd)}
FIPSCTL=${FIPSCTL:-$(find_program fipsctl)}

# The reference's static identities A and B (spec 17 §1.1); B's key has odd parity.
declare -A NODE_SECRET=(
	[a]=0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20
	[b]=b102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1fb0
)
declare -A NODE_NPUB=(
	[a]=npub1sjlh2c3x9w7kjsqg2ay080n2lff2uvt325vpan33ke34rn8l5jcqawh57m
	[b]=npub1tdwa4vjrjl33pcjdpf2t4p027nl86xrx24g4d3avg4vwvayr3g8qhd84le
)
declare -A NODE_IP6=(
	[a]=fd69:e08d:65cc:3a6b:9c2c:2ac4:bd40:5e4b
	[b]=fd8e:302c:287e:b48d:6268:122f:da76:b77
)
declare -A NODE_HEX=(
	[a]=69e08d65cc3a6b9c2c2ac4bd405e4b0e
	[b]=8e302c287eb48d6268122fda760b7727
)
declare -Ar UNDERLAY_4=([a]=10.77.0.1 [b]=10.77.0.2 [c]=10.77.0.3)
declare -Ar UNDERLAY_6=([a]=2001:db8:77::1 [b]=2001:db8:77::2 [c]=2001:db8:77::3)
# Frames of 1,472 bytes: what fits IPv4 and Ethernet, and the reference's test value.
TRANSPORT_MTU=${TRANSPORT_MTU:-1472}
# Largest IPv6 packet through fips0 (spec 09 §8.2), and the echo that fills it.
E_MTU=$((TRANSPORT_MTU - 77))
# shellcheck disable=SC2034 # scenarios use it
E_PING=$((E_MTU - 48))

# ---- waiting

# Poll until a command succeeds. Its last try is shown when it never does.
wait_for() { # SECONDS COMMAND...
	local limit=$(($1 * SLOW)) end

	shift
	end=$((SECONDS + limit + 1))
	until "$@" >/dev/null 2>&1; do
		if [ "$SECONDS" -ge "$end" ]; then
			echo "FAIL: not in $limit s: $*"
			"$@" || :
			return 1
		fi
		pause
	done
}

# 50 ms, without a process: those are dear under emulation.
exec {pause_fd}<> <(:)
pause() {
	read -rt 0.05 -u "$pause_fd" || :
}

gone() { # PID
	! kill -0 "$1" 2>/dev/null
}

# ---- namespaces

ns() { # NODE
	echo "fips-$RUN-$1"
}

in_ns() { # NODE COMMAND...
	local name=fips-$RUN-$1

	shift
	ip netns exec "$name" "$@"
}

# Start a program in the background; $SPAWNED is its own PID (a function in the
# background would be a shell around it). It ends with the scenario at the latest.
spawn() { # NODE OUTPUT COMMAND...
	local name=fips-$RUN-$1 out=$2

	shift 2
	ip netns exec "$name" "$@" >>"$out" 2>>"$WORK/stderr" </dev/null &
	SPAWNED=$!
	echo "$SPAWNED" >>"$WORK/started"
}

# a and b with a cable between them, both address families on it.
#
#	+--- fips-PID-a ---+               +--- fips-PID-b ---+
#	| fips0   fd69:... |               | fips0   fd8e:... |
#	|                  |               |                  |
#	| u0   10.77.0.1/24|_______________|10.77.0.2/24   u0 |
#	|      2001:db8:77::1/64           2001:db8:77::2/64  |
#	+------------------+               +------------------+
topology() {
	local node

	for node in a b; do
		ip netns add "$(ns $node)"
		ip -n "$(ns $node)" link set lo up
		# A second address of a subnet stays when the first one goes.
		in_ns $node sh -c 'echo 1 >/proc/sys/net/ipv4/conf/all/promote_secondaries'
	done
	ip -n "$(ns a)" link add u0 type veth peer name u0 netns "$(ns b)"
	for node in a b; do
		ip -n "$(ns $node)" link set u0 up
		underlay_add $node $node
	done
}

# Give a node's cable the addresses of a name in UNDERLAY_4 and _6.
underlay_add() { # NODE ADDRESS-NAME
	ip -n "$(ns "$1")" address add "${UNDERLAY_4[$2]}/24" dev u0
	ip -n "$(ns "$1")" address add "${UNDERLAY_6[$2]}/64" dev u0 nodad
}

underlay_del() { # NODE ADDRESS-NAME
	ip -n "$(ns "$1")" address del "${UNDERLAY_4[$2]}/24" dev u0
	ip -n "$(ns "$1")" address del "${UNDERLAY_6[$2]}/64" dev u0
}

# An underlay address as the configuration writes it, with the port.
endpoint() { # ADDRESS-NAME [PORT]
	if [ "$UNDERLAY" = 6 ]; then
		echo "[${UNDERLAY_6[$1]}]:${2:-2121}"
	else
		echo "${UNDERLAY_4[$1]}:${2:-2121}"
	fi
}

any_endpoint() {
	if [ "$UNDERLAY" = 6 ]; then echo '[::]:2121'; else echo '0.0.0.0:2121'; fi
}

netem() { # NODE PARAMETERS...
	local node=$1

	shift
	run tc -n "$(ns "$node")" qdisc replace dev u0 root netem "$@" || {
		echo "SKIP no netem in this kernel"
		return "$KTAP_SKIP"
	}
}

netem_off() { # NODE
	run tc -n "$(ns "$1")" qdisc del dev u0 root
}

# ---- the pair

dataplane() { # NODE
	if [ "$1" = a ]; then echo "$LEFT"; else echo "$RIGHT"; fi
}

other() { # NODE
	if [ "$1" = a ]; then echo b; else echo a; fi
}

# b listens, a dials; returns when link and addresses are there.
both_up() {
	node_up b "$(endpoint b)"
	node_up a "$(endpoint a)" "$(endpoint b)"
	wait_linked
}

linked() { # NODE
	holds "$1" peers "any(.peers[]; .npub == \"${NODE_NPUB[$(other "$1")]}\"
		and .connectivity == \"connected\")"
}

wait_linked() {
	wait_for 10 linked a
	wait_for 10 linked b
}

unlinked() { # NODE
	holds "$1" peers '.peers == []'
}

in_session() { # NODE
	holds "$1" sessions "any(.sessions[]; .remote_addr == \"${NODE_HEX[$(other "$1")]}\"
		and .state == \"established\")"
}

# ---- traffic

echo_replies() { # NODE
	# shellcheck disable=SC2016 # awk's, not the shell's
	in_ns "$1" awk '$1 == "Icmp6InEchoReplies" { print $2 }' /proc/net/snmp6
}

replied() { # NODE NUMBER
	[ "$(echo_replies "$1")" = "$2" ]
}

# Pings from one node to the other; every one must be answered, once each. The
# stack's own counter is asked: ping leaves two round trips after its last
# packet, which is too early for answers that had to wait for a handshake.
ping_all() { # FROM COUNT [PING-ARGUMENT...]
	local from=$1 count=$2 to out before

	shift 2
	to=$(other "$from")
	before=$(echo_replies "$from")
	out=$(in_ns "$from" ping -6 -n -c "$count" -i 0.05 -W $((15 * SLOW)) "$@" \
		"${NODE_IP6[$to]}") || :
	tail -n 3 <<<"$out"
	grep -q "^$count packets transmitted" <<<"$out" ||
		{ echo "$out"; fail "ping $from to $to"; return; }
	wait_for 5 replied "$from" $((before + count)) || { echo "$out"; fail "pings lost"; return; }
	! grep -qE 'DUP|damaged' <<<"$out" || { echo "$out"; fail "pings twice, or damaged"; }
}

# Is the other node there at all? (for wait_for)
ping_once() { # FROM
	in_ns "$1" ping -6 -n -q -c 1 -W 1 "${NODE_IP6[$(other "$1")]}"
}

# Carry a file of random bytes over TCP; what arrives must be the same.
tcp_copy() { # FROM BYTES
	local from=$1 bytes=$2 to sum got pid

	to=$(other "$from")
	head -c "$bytes" /dev/urandom >"$WORK/sent"
	rm -f "$WORK/got"
	spawn "$to" "$WORK/got" busybox nc -l -p 5000
	pid=$SPAWNED
	wait_for 5 listening "$to" 5000
	# shellcheck disable=SC2016 # the inner shell expands them
	in_ns "$from" timeout $((60 * SLOW)) bash -c \
		'cat "$1" >"/dev/tcp/$2/5000"' - "$WORK/sent" "${NODE_IP6[$to]}"
	wait "$pid"
	sum=$(sha256sum <"$WORK/sent") got=$(sha256sum <"$WORK/got")
	[ "$sum" = "$got" ] || fail "$(stat -c %s "$WORK/got") bytes of $bytes, or wrong ones"
	echo "$bytes bytes from $from to $to, SHA-256 the same"
}

# Does anybody listen on a TCP port? /proc knows without ss.
listening() { # NODE PORT
	in_ns "$1" grep -qE "^ *[0-9]+: [0-9A-F]+:$(printf %04X "$2") [0-9A-F:]+ 0A" \
		/proc/net/tcp /proc/net/tcp6
}

# iperf3 from one node to the other, the result as JSON in $WORK/iperf.json.
iperf() { # FROM ARGUMENT...
	local from=$1 to pid

	shift
	to=$(other "$from")
	spawn "$to" "$WORK/iperf-server" iperf3 -s -1 -p 5201
	pid=$SPAWNED
	wait_for 5 listening "$to" 5201
	if ! in_ns "$from" timeout $((60 * SLOW)) iperf3 -c "${NODE_IP6[$to]}" -p 5201 -J "$@" \
		>"$WORK/iperf.json"; then
		jq -r .error "$WORK/iperf.json" || :
		fail "iperf3 $from to $to $*"
		return
	fi
	wait "$pid"
}

iperf_get() { # FILTER
	jq -r "$1" "$WORK/iperf.json"
}

# ---- counters

# UDP datagrams that a node's kernel has dropped because a socket was full.
socket_drops() { # NODE
	# shellcheck disable=SC2016 # awk's, not the shell's
	in_ns "$1" awk '$1 == "Udp:" && !col {
			for (i = 2; i <= NF; i++) if ($i == "RcvbufErrors") col = i; next }
		$1 == "Udp:" { sum += $col }
		$1 == "Udp6RcvbufErrors" { sum += $2 }
		END { print sum + 0 }' /proc/net/snmp /proc/net/snmp6
}

link_counts() { # NODE; prints frames sent and received
	get "$1" links '.links[0].stats | "\(.packets_sent) \(.packets_recv)"'
}

# Do counts of frames agree: sent by one side (before and after), received by the
# other in between? What is missing must have been dropped at a full socket (a
# burst beyond what the machine can take), where the kernel counts once what
# segmentation offload made of up to 64 frames.
counts_agree() { # SENT-BEFORE RECEIVED SENT-AFTER DROPPED
	[ "$2" -le "$3" ] && [ $(($2 + $4 * 64)) -ge "$1" ]
}

# All frames that one side sent the other has received. Heartbeats go on
# meanwhile: a is read before and after b.
link_balanced() {
	local a1 a2 b drops_a drops_b

	a1=$(link_counts a)
	b=$(link_counts b)
	a2=$(link_counts a)
	drops_a=$(socket_drops a)
	drops_b=$(socket_drops b)
	echo "a sent/received $a1, b $b, a again $a2; dropped at full sockets: $drops_a, $drops_b"
	[ -n "$a1" ] && [ -n "$b" ] && [ -n "$a2" ] || return
	counts_agree "${a1% *}" "${b#* }" "${a2% *}" "$drops_b" || return
	# b's frames: a has at most what b had sent, and after it all of that.
	[ "${a1#* }" -le "${b% *}" ] && [ $((${a2#* } + drops_a * 64)) -ge "${b% *}" ]
}

# ---- start and end of a scenario

# Everything this run has started ends, whatever state it is in.
cleanup() {
	local node pid name

	if [ -f "$WORK/started" ]; then
		while read -r pid; do
			kill -KILL "$pid" 2>/dev/null || :
			wait "$pid" 2>/dev/null || : # or bash tells how it died
		done <"$WORK/started"
	fi
	for node in "${NODES[@]}"; do
		name=$(ns "$node")
		[ -e "/run/netns/$name" ] || continue
		ip -n "$name" link del fips0 2>/dev/null || :
		ip netns del "$name" || :
	done
}

# What a failed scenario leaves to read.
post_mortem() {
	local node

	for node in "${NODES[@]}"; do
		[ -d "$WORK/$node" ] || continue
		echo "---- $(node_label "$node") of $node, end of its log:"
		tail -n 25 "$WORK/$node/log" 2>/dev/null || :
		[ -z "${KEEP_LOGS:-}" ] || cp "$WORK/$node/log" "$KEEP_LOGS-$node.log" || :
		[ -S "$WORK/$node/control.sock" ] || continue
		for what in peers links sessions; do
			ctl "$node" show $what --json 2>&1 | jq -c . | head -c 1500 || :
		done
	done
}

nothing_left() {
	local node

	for node in "${NODES[@]}"; do
		[ ! -e "/run/netns/$(ns "$node")" ] || fail "namespace $(ns "$node") is left" || return
	done
}

# After a stop of both nodes the namespaces are as they were before. (What theirs
# leave is theirs: M a routing rule.)
node_leaves_nothing() { # NODE
	[ "$(node_kind "$1")" = ours ] || return 0
	! ip -n "$(ns "$1")" link show fips0 2>/dev/null || fail "fips0 of $1 is left" || return
	! ip -n "$(ns "$1")" -6 rule show | grep -q fd00::/8 ||
		fail "a routing rule of $1 is left" || return
	! ip -n "$(ns "$1")" -6 route show table all | grep -q fips0 ||
		fail "a route of $1 is left" || return
	[ ! -e "$WORK/$1/control.sock" ] || fail "the control socket of $1 is left"
}

# Stop what still runs, the proper way, and look for leftovers.
scenario_end() {
	local node

	for node in "${NODES[@]}"; do
		[ -f "$WORK/$node/pid" ] || continue
		node_stop "$node"
		node_leaves_nothing "$node"
	done
	cleanup
	nothing_left
}

# Run a function between set-up and proof of a clean end (inside ktap_test).
scenario() { # FUNCTION ARGUMENT...
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/fips-$RUN-XXXXXX")
	trap 'status=$?; [ $status = 0 ] || [ $status = $KTAP_SKIP ] || post_mortem; cleanup; rm -rf "$WORK"' EXIT
	trap 'exit 130' INT TERM
	topology
	"$@"
	scenario_end
}
