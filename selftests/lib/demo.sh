# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What scripts/demo shows of one pair of nodes, on the host and in the guest.
# Everything shown is checked as well: what isn't true ends the demo.
#
# Environment: LEFT, RIGHT, SLOW as in common.sh

# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

QUIET=1

say() { # a paragraph
	printf '\n'
	fold -s -w 78 <<<"$*"
}

title() {
	printf '\n=== %s ===\n\n' "$*"
}

# Show a command of a node as one would type it, and what it says.
shown() { # NODE COMMAND...
	local node=$1

	shift
	printf '\n%s# %s\n' "$node" "$*"
	in_ns "$node" "$@" 2>&1 | sed 's/^/   /'
	return "${PIPESTATUS[0]}"
}

# The same for fipsctl, without the socket's path, which nobody types.
shown_ctl() { # NODE ARGUMENT...
	local node=$1

	shift
	printf '\n%s# fipsctl %s\n' "$node" "$*"
	ctl "$node" "$@" 2>&1 | sed 's/^/   /'
	return "${PIPESTATUS[0]}"
}

plane_in_words() { # NODE
	if [ "$(dataplane "$1")" = kernel ]; then
		echo "kernel module (fips.ko)"
	else
		echo "user space (inside fipsd)"
	fi
}

show_identities() {
	local node

	for node in a b; do
		printf 'Node %s   packets go through: %s\n' "$node" "$(plane_in_words $node)"
		printf '         public key:  %s\n' "$(get $node status .npub)"
		printf '         address:     %s\n' "$(get $node status .ipv6_addr)"
		printf '         underlay:    %s (UDP)\n' "$(endpoint $node)"
	done
}

show_speed() { # FROM
	iperf "$1" -t 3
	printf '\n%s# iperf3 -c %s\n   %s Mbit/s received by %s\n' "$1" "${NODE_IP6[$(other "$1")]}" \
		"$(iperf_get '.end.sum_received.bits_per_second / 1e6 * 10 | round / 10')" \
		"$(other "$1")"
	[ "$(iperf_get '.end.sum_received.bytes > 100000')" = true ]
}

show_counters() {
	local node what

	for node in a b; do
		shown_ctl $node show links
		shown_ctl $node show sessions
		if [ "$(dataplane $node)" = kernel ]; then
			for what in dev link session; do
				shown $node fipsctl kernel show $what
			done
		fi
	done
}

demo_pair() {
	local start=$EPOCHREALTIME

	both_up
	show_identities
	say "Node a knows b's key and where to find it, and has dialled. The two have proved to" \
		"each other who they are (Noise IK) and share keys: that is a link."
	shown_ctl a show peers
	printf '\n   (up %s ms after the first daemon was started)\n' \
		"$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%d", (b - a) * 1000 }')"

	say "Now a sends to b's address, which is made of b's public key. The first packet" \
		"waits while the two ends agree on a second pair of keys, end to end: a session."
	shown a ping -n -c 5 -i 0.2 "${NODE_IP6[b]}"
	wait_for 5 in_session a
	shown_ctl a show sessions
	shown b ping -n -q -c 5 -i 0.2 "${NODE_IP6[a]}"

	say "A file of $((${TCP_BYTES:-4000000} / 1000)) kB goes through, and arrives as it was:"
	printf '   %s\n' "$(tcp_copy a "${TCP_BYTES:-4000000}" | tail -n 1)"
	say "And as fast as this machine goes:"
	show_speed a
	show_speed b

	say "What the nodes have counted:"
	show_counters
	wait_for 5 link_balanced
	say "Every frame that one side has sent has reached the other. Both daemons end now," \
		"and take their interface, routes and keys with them."
}

# One show from set-up to a clean end, or the demo is over.
demo() { # TITLE [FUNCTION]
	title "$1"
	set +e
	(
		set -euo pipefail
		scenario "${2:-demo_pair}"
	)
	local status=$?
	set -e
	[ $status = 0 ] || {
		echo "The demo failed here: what is above is not what it should be." >&2
		return 1
	}
}
