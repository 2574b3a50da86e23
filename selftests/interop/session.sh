# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# 3. Sessions both ways, by address and by name: ICMPv6, TCP, UDP, every length.
#
#	X (ours) ---- T (theirs)

# shellcheck disable=SC2154 # lib.sh's

variants_session=(ours-ask theirs-ask both-ask)

mesh_session() { # VARIANT
	X=n1 T=n2
	[ "$1" != theirs-ask ] || X=n2 T=n1
	mesh n2-n1
	theirs $T
	NODE_DNS=([n1]=true [n2]=true)
}

# The resolver of a namespace, for one command: the node's own.
by_name() { # NODE COMMAND...
	local node=$1

	shift
	echo "nameserver 127.0.0.1" >"$WORK/resolv.conf"
	# shellcheck disable=SC2016 # the inner shell expands them
	in_ns "$node" unshare -m sh -c 'mount --bind "$0" /etc/resolv.conf && exec "$@"' \
		"$WORK/resolv.conf" "$@"
}

# Does a node of ours answer DNS at all?
answers_dns() { # NODE
	! grep -qa 'dns.enabled: known, but not in force' "$WORK/$1/log"
}

session_by_name() { # FROM TO
	if ! answers_dns "$1"; then
		echo "NOTE $1 ($(node_label "$1")) has no DNS: not asked by name"
		return
	fi
	run by_name "$1" ping -6 -n -c 3 -i 0.2 -W 5 "$2.fips"
	run by_name "$1" ping -6 -n -c 3 -i 0.2 -W 5 "${NODE_NPUB[$2]}.fips"
}

session_sizes() { # FROM TO
	local size

	for size in 0 1 2 7 8 15 16 17 63 64 65 255 256 511 512 1000 1232 1233 \
		$((E_PING - 2)) $((E_PING - 1)) "$E_PING"; do
		pings "$1" "$2" 2 -M "do" -s "$size"
	done
	# A longer one goes in fragments, once the stack has been told.
	wait_for 10 in_ns "$1" ping -6 -n -c 1 -W 1 -s 4000 "${NODE_IP6[$2]}"
}

session_udp() { # FROM TO LENGTH
	TO[$1]=$2
	run iperf "$1" -u -b $(($3 * 8 * 200)) -l "$3" -t 1
	echo "$(iperf_get .end.sum.packets) datagrams of $3 bytes," \
		"$(iperf_get .end.sum.lost_packets) lost"
	run test "$(iperf_get '.end.sum.packets > 10')" = true
	run test "$(iperf_get .end.sum.lost_packets)" = 0
}

echo_requests() { # NODE
	# shellcheck disable=SC2016 # awk's, not the shell's
	in_ns "$1" awk '$1 == "Icmp6InEchos" { print $2 }' /proc/net/snmp6
}

session_first() { # VARIANT
	local pid

	case $1 in
	ours-ask) pings $X $T 3 ;;
	theirs-ask)
		# M sends what waited for the session twice; that is counted, and theirs.
		in_ns $T ping -6 -n -c 3 -i 0.2 -W 10 "${NODE_IP6[$X]}" | tee "$WORK/first"
		grep -q ' 3 received' "$WORK/first"
		echo "NOTE $X has received $(echo_requests $X) requests of 3"
		;;
	both-ask)
		in_ns $T ping -6 -n -c 3 -i 0.2 -W 10 "${NODE_IP6[$X]}" &
		pid=$!
		in_ns $X ping -6 -n -c 3 -i 0.2 -W 10 "${NODE_IP6[$T]}"
		wait $pid
		;;
	esac
}

play_session() { # VARIANT
	local from to

	mesh_up
	wait_up $X $T
	step "first packets: $1"
	session_first "$1"
	for from in $X $T; do
		to=$T
		[ "$from" = $X ] || to=$X
		step "$from ($(node_label "$from")) to $to ($(node_label "$to"))"
		pings "$from" "$to" 20 -i 0.02
		session_by_name "$from" "$to"
		session_sizes "$from" "$to" >"$WORK/sizes" || { tail -n 20 "$WORK/sizes"; return 1; }
		copy "$from" "$to" $((${TCP_BYTES:-3000000} + 1))
		session_udp "$from" "$to" 16
		session_udp "$from" "$to" $((E_MTU - 48))
	done
}
