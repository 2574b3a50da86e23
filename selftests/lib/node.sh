# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# One node in a namespace: its configuration, its start, its end, and questions
# to it, whoever wrote it. The one place that knows how to run each kind:
#
#   ours   fipsd of this tree (default); dataplane() says whose packet path
#   J, M   `fips` of the folders $FIPS_REF_J and $FIPS_REF_M: the Rust nodes
#
# KIND[n3]=J picks a node's kind. All kinds read the same fips.yaml, listen on
# the same control socket and are asked with our fipsctl; `ctl_own` takes the
# kind's own one. Everything else in selftests/lib works with every kind.
#
# Environment:
#   FIPS_REF_J, FIPS_REF_M  folders with `fips` and `fipsctl`
#   FIPSD, FIPSCTL          ours
#   HEARTBEAT, LINK_DEAD, DRAIN, LINGER, TUN_MTU, LOG_LEVEL, NODE_EXTRA  see node_conf

declare -A KIND=() NODE_MTU=() NODE_DNS=()

node_kind() { # NODE
	echo "${KIND[$1]:-ours}"
}

# Is a kind to be had? Says why not.
kind_here() { # KIND
	local folder=FIPS_REF_$1

	[ "$1" != ours ] || return 0
	[ -n "${!folder:-}" ] || { echo "no $folder given"; return 1; }
	[ -x "${!folder}/fips" ] || { echo "no program ${!folder}/fips"; return 1; }
}

kind_program() { # KIND fips|fipsctl
	local folder=FIPS_REF_$1

	case $1-$2 in
	ours-fips) echo "$FIPSD" ;;
	ours-fipsctl) echo "$FIPSCTL" ;;
	*) echo "${!folder}/$2" ;;
	esac
}

# What a kind calls itself: name, version, revision.
kind_version() { # KIND
	echo "$1: $("$(kind_program "$1" fips)" -V)"
}

# A node as a table names it: ours-user, ours-kernel, J, M.
node_label() { # NODE
	local kind=${KIND[$1]:-ours}

	if [ "$kind" = ours ]; then echo "ours-$(dataplane "$1")"; else echo "$kind"; fi
}

# What a kind needs below `node:` to behave as a node in a test. As shipped, M asks
# the LAN for peers, and mutes a destination for 30 s and more after one lookup
# that failed; it knows these keys by their older names alone.
kind_conf() { # KIND
	[ "$1" = M ] || return 0
	cat <<-END
	  discovery:
	    backoff_base_secs: 0
	    lan:
	      enabled: false
	END
}

# Print a fips.yaml: short timers, so that nobody waits in a test. Keys that are
# only ours the others ignore. NY_SECRET, NY_SOCKET and NY_BIND say who it is and
# where, NY_PLANE whose packet path (ours), NY_MTU what a frame may have, NY_EXTRA
# adds lines below `node:`, NY_UDP below `udp:`. Peers come on stdin, "NPUB ALIAS POLICY ENDPOINT" a line.
node_yaml() { # KIND
	cat <<-END
	node:
	  identity:
	    nsec: "$NY_SECRET"
	  dataplane: ${NY_PLANE:-user}
	  linger_secs: ${LINGER:-60}
	  log_level: ${LOG_LEVEL:-debug}
	  heartbeat_interval_secs: ${HEARTBEAT:-${SLOW:-1}}
	  link_dead_timeout_secs: ${LINK_DEAD:-$((5 * ${SLOW:-1}))}
	  drain_timeout_secs: ${DRAIN:-0}
	  retry:
	    base_interval_secs: 1
	    max_backoff_secs: 2
	  control:
	    socket_path: "$NY_SOCKET"
	$(kind_conf "$1")
	${NY_EXTRA:-}
	tun:
	  enabled: true
	  name: fips0
	  mtu: ${TUN_MTU:-1500}
	dns:
	  enabled: ${NY_DNS:-false}
	  bind_addr: 127.0.0.1
	  port: 53
	transports:
	  udp:
	    bind_addr: "$NY_BIND"
	    mtu: ${NY_MTU:-1472}
	${NY_UDP:-}
	peers:
	END
	yaml_peers
}

# Lines "NPUB ALIAS POLICY ENDPOINT" as entries below `peers:`. No process for any of
# them: a mesh has hundreds of these, and a guest is slow.
yaml_peers() {
	local npub alias policy endpoint

	while read -r npub alias policy endpoint; do
		printf '  - npub: "%s"\n    alias: %s\n    connect_policy: %s\n' \
			"$npub" "$alias" "$policy"
		printf '    addresses:\n      - transport: udp\n        addr: "%s"\n' "$endpoint"
	done
}

# Write a node's fips.yaml. BIND is an endpoint; DIAL is an endpoint of the other
# node, or nothing. NODE_MTU[n3] is for one node what TRANSPORT_MTU is for all.
node_conf() { # NODE BIND [DIAL]
	local node=$1 dial=${3:-} dir=$WORK/$1

	mkdir -p "$dir"
	NY_SECRET=${NODE_SECRET[$node]} NY_SOCKET=$dir/control.sock NY_BIND=$2 \
		NY_PLANE=$(dataplane "$node") NY_MTU=${NODE_MTU[$node]:-$TRANSPORT_MTU} \
		NY_EXTRA=${NODE_EXTRA:-} NY_DNS=${NODE_DNS[$node]:-false} \
		node_yaml "$(node_kind "$node")" </dev/null >"$dir/fips.yaml"
	[ -z "$dial" ] || conf_peer "$node" "$(other "$node")" "$dial"
}

# Give a node's fips.yaml one more peer, which it dials unless POLICY is manual.
conf_peer() { # NODE PEER ENDPOINT [POLICY]
	yaml_peers <<<"${NODE_NPUB[$2]} $2 ${4:-auto_connect} $3" >>"$WORK/$1/fips.yaml"
}

node_start() { # NODE
	local dir=$WORK/$1

	# shellcheck disable=SC2016 # the inner shell expands them
	spawn "$1" "$dir/log" env NO_COLOR=1 sh -c 'exec "$0" -c "$1" 2>&1' \
		"$(kind_program "${KIND[$1]:-ours}" fips)" "$dir/fips.yaml"
	echo "$SPAWNED" >"$dir/pid"
	[ -n "${QUIET:-}" ] || echo "+ node $1 ($(node_label "$1")) started, pid $SPAWNED"
}

node_pid() { # NODE
	cat "$WORK/$1/pid"
}

ctl() { # NODE ARGUMENT...
	local node=$1

	shift
	"$FIPSCTL" -s "$WORK/$node/control.sock" "$@"
}

# The same with the tool that came with the node.
ctl_own() { # NODE ARGUMENT...
	local node=$1

	shift
	"$(kind_program "${KIND[$node]:-ours}" fipsctl)" -s "$WORK/$node/control.sock" "$@"
}

# A value out of a control answer: `get a status .npub`.
get() { # NODE WHAT FILTER [JQ-ARGUMENT...]
	local node=$1 what=$2 filter=$3

	shift 3
	ctl "$node" show "$what" --json | jq -r "$@" "$filter"
}

# Is what a control answer says true? `holds a status '.peer_count == 1'`
holds() { # NODE WHAT FILTER [JQ-ARGUMENT...]
	get "$@" -e
}

node_running() { # NODE
	gone "$(node_pid "$1")" && return 1
	holds "$1" status '.state == "running"'
}

node_wait() { # NODE
	wait_for 10 node_running "$1"
}

node_up() { # NODE BIND [DIAL]
	node_conf "$@"
	node_start "$1"
	node_wait "$1"
}

# Ask a node to end; it must do so soon, and say 0 (1 is what sanitizers say).
node_stop() { # NODE
	local pid status=0

	pid=$(node_pid "$1")
	run kill -TERM "$pid"
	wait_for 10 gone "$pid"
	wait "$pid" || status=$?
	rm "$WORK/$1/pid"
	[ "$status" = 0 ] || fail "$(node_label "$1") of $1 ended with status $status"
}

node_kill() { # NODE
	local pid

	pid=$(node_pid "$1")
	run kill -KILL "$pid"
	wait "$pid" 2>/dev/null || :
	rm "$WORK/$1/pid"
}

node_main() { # yaml|program|tool KIND
	kind_here "$2" || return 4
	case $1 in
	yaml) node_yaml "$2" ;;
	program) kind_program "$2" fips ;;
	tool) kind_program "$2" fipsctl ;;
	*) return 2 ;;
	esac
}

[ "${BASH_SOURCE[0]}" != "$0" ] || node_main "$@"
