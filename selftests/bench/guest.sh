# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Parts of the benches that run in a guest with the module, nlpeer and wg: namespaces and
# cables, WireGuard and FIPS on top of them, one measured TCP stream. Sourced.

SECONDS_TCP=${SECONDS_TCP:-4}

in_ns() { # NS COMMAND...
	ip netns exec "$@"
}

# Until a command succeeds.
until_ok() { # COMMAND...
	local n=0

	until "$@" >/dev/null 2>&1; do
		[ $((n += 1)) -lt 200 ] || { echo "gave up on: $*" >&2; return 1; }
		usleep 50000
	done
}

namespaces() { # NS...
	local ns

	for ns; do
		ip netns add "$ns"
		ip -n "$ns" link set lo up
	done
}

# A veth pair; each end is named after its own namespace and the other's.
cable() { # NS ADDRESS NS ADDRESS
	ip link add "$1$3" netns "$1" type veth peer name "$3$1" netns "$3"
	ip -n "$1" addr add "$2/24" dev "$1$3"
	ip -n "$3" addr add "$4/24" dev "$3$1"
	ip -n "$1" link set dev "$1$3" up
	ip -n "$3" link set dev "$3$1" up
}

# Prints the Mbit/s of one TCP stream from namespace a, once the address answers.
tcp_mbit() { # ADDRESS
	until_ok in_ns a ping -c 1 -W 1 "$1"
	in_ns a iperf3 -c "$1" -t "$SECONDS_TCP" -J >/tmp/tcp.json
	jq '.end.sum_received.bits_per_second / 1e4 | round / 100' /tmp/tcp.json
}

# ---- WireGuard: wg0 in each namespace

wg_keys() { # NS...
	local ns

	umask 077
	modprobe wireguard
	for ns; do
		wg genkey >"/tmp/$ns.key"
		wg pubkey <"/tmp/$ns.key" >"/tmp/$ns.pub"
	done
}

wg_up() { # NS ADDRESS
	ip -n "$1" link add wg0 type wireguard
	in_ns "$1" wg set wg0 private-key "/tmp/$1.key" listen-port 51820
	ip -n "$1" addr add "$2/24" dev wg0
	ip -n "$1" link set wg0 up
}

wg_peer() { # NS PEER ENDPOINT ALLOWED
	in_ns "$1" wg set wg0 peer "$(cat "/tmp/$2.pub")" endpoint "$3:51820" allowed-ips "$4"
}

wg_down() { # NS...
	local ns

	for ns; do
		ip -n "$ns" link del wg0
	done
}

# ---- FIPS: fips0 in each namespace, nlpeer for its daemon, UDP port 2121

# What nlpeer says is in /tmp/peer.NS; it reads further commands from our input.
fips_up() { # NS NODE MTU COMMAND...
	ip -n "$1" link add fips0 type fips
	ip -n "$1" link set fips0 mtu $(($3 - 77)) up
	in_ns "$1" nlpeer fips0 "$2" 2121 "$3" "${@:4}" <&0 >"/tmp/peer.$1" &
	until_ok grep -q ready "/tmp/peer.$1"
	ip -n "$1" addr add "$(nlpeer address "$2")/128" dev fips0 nodad
	ip -n "$1" route add fd00::/8 dev fips0
}

# Shows the counters that are not zero, and removes everything.
fips_down() { # NS...
	local ns

	for ns; do
		in_ns "$ns" ethtool -S fips0 | sed 's/: 0$//; /: /!d' | sed "s/^/# $ns/" || :
		ip -n "$ns" link del fips0
	done
	pkill nlpeer || :
	wait
}
