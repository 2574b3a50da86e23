#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Names and access control as an operator meets them: `ping NAME.fips` through
# glibc, the responder's answers through dig, resolvers that fips-dns-setup
# tells about it, lists of who may be a neighbour, the mesh's firewall.
#
#   names.sh [--list] [SCENARIO...]
#
# dnsmasq, unbound and systemd-resolved are the real ones; unbound and
# systemd-resolved are unpacked, not installed (selftests/lib/unpack.sh). What
# stands for systemctl, nmcli and resolvconf is a script that starts them, or
# writes down how it was called.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
. "$here/../lib/common.sh"
# shellcheck source=../lib/box.sh
. "$here/../lib/box.sh"
# shellcheck source=../lib/unpack.sh
. "$here/../lib/unpack.sh"

all=(glibc answers hosts mesh_queries flood limit acl acl_restart dnsmasq unbound resolved others
	leftovers firewall)
SETUP=$FIPS_TOP/packaging/fips-dns-setup
NPUB_B=${NODE_NPUB[b]}

# Both nodes; a's daemon answers on DNS_PORT of DNS_BIND.
names_up() {
	box_start
	# shellcheck disable=SC2034,SC2154 # node.sh reads it
	NODE_DNS[a]=true
	node_conf b "$(endpoint b)"
	node_conf a "$(endpoint a)" "$(endpoint b)"
	sed -i -e "s/^  port: .*/  port: ${DNS_PORT:-5354}/" \
		-e "s/^  bind_addr: 127.0.0.1/  bind_addr: \"${DNS_BIND:-::1}\"/" \
		"$WORK/a/fips.yaml"
	mkdir -p "$WORK/a/etc/fips"
	echo "bee $NPUB_B" >"$WORK/a/etc/fips/hosts"
	node_start b
	node_start a
	node_wait b
	node_wait a
	wait_linked
}

ask() { # ARGUMENT...
	in_box a dig +noall +answer +timeout=2 +tries=2 "@${DNS_BIND:-::1}" -p "${DNS_PORT:-5354}" \
		"$@"
}

says() { # WANTED COMMAND...
	local want=$1 got

	shift
	got=$("$@" | tr -s '[:space:]' ' ')
	[ "${got% }" = "$want" ] || fail "$*: \"$got\" instead of \"$want\""
}

# Does a's answer to a show command say so?
shows() { # WHAT FILTER
	local got

	got=$(echo "{\"command\":\"show_$1\"}" | nc -UN "$WORK/a/control.sock")
	echo "$got"
	jq -e ".data | $2" <<<"$got" >/dev/null
}

status_of() { # DIG-ARGUMENT...
	ask +comments "$@" | sed -n 's/.*status: \([A-Z]*\),.*/\1/p'
}

# A name server for the rest of the world, of which .fips is no part.
WORLD=127.0.0.3
world_up() { # [NODE]
	box_spawn "${1:-a}" "$WORK/world" dnsmasq -k -C /dev/null --no-resolv --no-hosts --user=root \
		--listen-address="$WORLD" --bind-interfaces --pid-file= \
		--address=/example.org/9.9.9.9 --local=/#/
	wait_for 5 in_box a dig +short "@$WORLD" example.org
}

setup() { # [COMMAND]
	in_box a env FIPS_RUN="$WORK/a" FIPS_DNS_WAIT=5 PATH="$WORK/bin:$PATH" "$SETUP" "$@"
}

# Does the machine's resolver know both the mesh and the world?
both_worlds() {
	in_box a getent ahostsv6 bee.fips | grep -qi "^${NODE_IP6[b]} " || return
	in_box a getent ahostsv4 example.org | grep -q '^9.9.9.9 '
}

# ---- names

run_glibc() {
	DNS_PORT=53 names_up
	world_up
	box_file a /etc/nsswitch.conf 'hosts: files dns'
	box_file a /etc/resolv.conf 'nameserver 127.0.0.3'
	must_fail in_box a getent ahostsv6 bee.fips
	mkdir -p "$WORK/bin"
	for program in systemctl resolvconf; do	# this machine's own must not be asked
		printf '#!/bin/sh\nexit 1\n' >"$WORK/bin/$program"
	done
	chmod +x "$WORK/bin/systemctl"
	setup
	says resolv.conf setup status
	both_worlds
	# Nothing is known of the session yet: the first packet must not be refused.
	run in_box a ping -6 -c 3 -i 0.2 -W 5 "$NPUB_B.fips"
	run in_box a ping -6 -c 1 -W 5 bee.fips
	setup teardown
	says 'nameserver 127.0.0.3' in_box a cat /etc/resolv.conf
}

run_answers() {
	local npub=${NODE_NPUB[a]}

	names_up
	says "bee.fips. 300 IN AAAA ${NODE_IP6[b]}" ask bee.fips AAAA
	says "BEE.Fips. 300 IN AAAA ${NODE_IP6[b]}" ask BEE.Fips AAAA
	says "b.fips. 300 IN AAAA ${NODE_IP6[b]}" ask b.fips AAAA	# the peer's alias
	says "$npub.fips. 300 IN AAAA ${NODE_IP6[a]}" ask "$npub.fips" AAAA
	says "bee.fips. 300 IN AAAA ${NODE_IP6[b]}" ask +tcp bee.fips AAAA
	says "fips. 10 IN SOA fips. nobody.invalid. 1 3600 1200 604800 10" ask fips SOA
	for type in A ANY PTR SOA MX; do
		says NOERROR status_of +notcp bee.fips $type
		says '' ask +notcp bee.fips $type
		says NXDOMAIN status_of +notcp nobody.fips $type
		says REFUSED status_of +notcp example.org $type
	done
	says NXDOMAIN status_of sub.bee.fips AAAA
	shows dns '.running and .tcp and .hosts == 2 and .queries.answered >= 6'
}

run_hosts() {
	names_up
	says NXDOMAIN status_of new.fips AAAA
	box_file a /etc/fips/hosts "new $NPUB_B"
	says "new.fips. 300 IN AAAA ${NODE_IP6[b]}" ask new.fips AAAA
	says NXDOMAIN status_of bee.fips AAAA
	box_file a /etc/fips/hosts ''
	says NXDOMAIN status_of new.fips AAAA
	says "b.fips. 300 IN AAAA ${NODE_IP6[b]}" ask b.fips AAAA
}

# Whoever asks over the mesh gets nothing, also where the bind would let it.
run_mesh_queries() {
	DNS_BIND=:: names_up
	ping_all b 1
	must_fail in_ns b dig +short +timeout=1 +tries=1 "@${NODE_IP6[a]}" -p 5354 b.fips AAAA
	must_fail in_ns b dig +short +timeout=1 +tries=1 +tcp "@${NODE_IP6[a]}" -p 5354 b.fips AAAA
	says "${NODE_IP6[b]}" in_ns b dig +short "@${UNDERLAY_6[a]}" -p 5354 b.fips AAAA
	says "${NODE_IP6[b]}" in_ns b dig +short "@${UNDERLAY_4[a]}" -p 5354 b.fips AAAA
	says "${NODE_IP6[b]}" in_ns b dig +short +tcp "@${UNDERLAY_4[a]}" -p 5354 b.fips AAAA
	dns_counts '.from_mesh >= 2'
}

dns_counts() { # FILTER
	shows dns ".queries | $1"
}

# Idle and slow TCP clients beyond the bound, garbage, many queries: pings go on.
run_flood() {
	names_up
	ping_all a 2
	for _ in $(seq 60); do
		box_spawn a "$WORK/idle" busybox nc ::1 5354
	done
	box_spawn a "$WORK/garbage" timeout 3 sh -c \
		'while :; do head -c 400 /dev/urandom | busybox nc -u -w 1 ::1 5354; done'
	printf '%s AAAA\n' bee.fips nobody.fips "$NPUB_B.fips" example.org >"$WORK/queries"
	box_spawn a "$WORK/perf" dnsperf -s ::1 -p 5354 -d "$WORK/queries" -l 3
	ping_all a 40
	says "bee.fips. 300 IN AAAA ${NODE_IP6[b]}" ask +tcp bee.fips AAAA
	dns_counts '.answered > 100 and .refused > 20 and .nxdomain > 20'
}

# New nodes push nobody out of the identity cache before the answer about them expires.
run_limit() {
	NODE_EXTRA='  cache:
    identity_size: 20' names_up
	awk '$2 ~ /^npub1/ { print $2 ".fips AAAA" }' "$LIB/identities" >"$WORK/queries"
	in_box a dnsperf -s ::1 -p 5354 -d "$WORK/queries" -n 1 -t 1
	# A quarter of 20 and one; b is known, and no news.
	shows dns '.queries.answered == 6 and .queries.limited == 18'
	says "bee.fips. 300 IN AAAA ${NODE_IP6[b]}" ask bee.fips AAAA
	shows identity_cache '.entries | length >= 7'
}

# ---- access lists

log_has() { # NODE TEXT
	grep -qF "$2" "$WORK/$1/log"
}

run_acl() {
	names_up
	box_file a /etc/fips/peers.allow 'somebody-else # not here'
	box_file a /etc/fips/peers.deny "bee # a name of the hosts file"
	wait_for 5 unlinked a
	wait_for 5 unlinked b
	wait_for 5 log_has a "Rejected peer by ACL peer=b npub=$NPUB_B context=reload decision=denylist match"
	log_has a 'peers.allow:1: "somebody-else" is neither an npub nor a known name'
	shows acl ".effective_mode == \"denylist\" and .deny_file_entries == [\"bee\"]
		and .deny_entries == [\"$NPUB_B\"] and .allow_file_entries == []
		and .enforcement_active and .default_decision == \"allow\" and .rejected.reload == 1"
	# It dials us, and gets silence; we are told to dial it, and say no.
	ctl b connect "${NODE_NPUB[a]}" "$(endpoint a)" udp || :
	wait_for 5 log_has a "context=inbound_handshake decision=denylist match"
	must_fail ctl a connect "$NPUB_B" "$(endpoint b)" udp 2>"$WORK/refused"
	grep -F "access denied: peer $NPUB_B rejected by ACL: denylist match" "$WORK/refused"
	unlinked a
	# Allowed again, by its npub, while everybody else is denied.
	box_file a /etc/fips/peers.allow "$NPUB_B"
	box_file a /etc/fips/peers.deny ALL
	wait_linked
	# A change that is none to it does not touch its link.
	id=$(get a peers '.peers[0].link_id')
	box_file a /etc/fips/peers.allow "$NPUB_B # still"
	sleep 2
	says "$id" get a peers '.peers[0].link_id'
	box_file a /etc/fips/peers.allow ''
	wait_for 5 unlinked a
	box_file a /etc/fips/peers.deny ''
	wait_linked
}

# In force from the first packet; a deny file that can't be read lets nobody in.
run_acl_restart() {
	names_up
	node_stop a
	mkdir -p "$WORK/a/etc/fips/peers.deny"
	node_start a
	node_wait a
	wait_for 5 log_has a "context=outbound_connect decision=denylist match"
	unlinked a
	in_box a rmdir /etc/fips/peers.deny
	wait_linked
}

# ---- resolvers

# A systemctl that knows the services $WORK/services/NAME, shell scripts that
# are told start and stop. It writes down what it is asked.
services_up() {
	mkdir -p "$WORK/bin" "$WORK/services"
	cat >"$WORK/bin/systemctl" <<-END
	#!/bin/bash
	echo "systemctl \$*" >>"$WORK/calls"
	for service; do :; done
	case \$1 in
	is-active) [ -x "$WORK/services/\$service" ] ;;
	restart) "$WORK/services/\$service" ;;
	--version) echo "systemd \${FAKE_SYSTEMD:-252} (stand-in)" ;;
	esac
	END
	chmod +x "$WORK/bin/systemctl"
	: >"$WORK/calls"
	: >"$WORK/stderr"
}

# A service whose (re)start runs a command; it ends with the scenario.
service() { # NAME COMMAND
	cat >"$WORK/services/$1" <<-END
	#!/bin/bash
	[ ! -e "$WORK/services/$1.pid" ] || {
		pid=\$(cat "$WORK/services/$1.pid")
		kill "\$pid"
		while kill -0 "\$pid" 2>/dev/null; do sleep 0.02; done
	}
	$2 >>"$WORK/$1.log" 2>&1 </dev/null &
	echo \$! >"$WORK/services/$1.pid"
	echo \$! >>"$WORK/started"
	END
	chmod +x "$WORK/services/$1"
	in_box a "$WORK/services/$1"
}

calls() { # PATTERN
	grep -c "$1" "$WORK/calls" || :
}

# Set-up, use, set-up again (nothing to do), teardown.
resolver_round() { # BACKEND SERVICE FILE
	wait_for 10 in_box a getent ahostsv4 example.org
	must_fail in_box a getent ahostsv6 bee.fips
	setup
	says "$1" setup status
	wait_for 10 both_worlds
	run in_box a ping -6 -c 1 -W 5 "$NPUB_B.fips"
	setup
	[ "$(calls "restart $2")" = 1 ] || fail "restarted without need"
	in_box a cat "$3"
	setup teardown
	must_fail in_box a test -e "$3"
	wait_for 10 in_box a getent ahostsv4 example.org
	must_fail in_box a getent ahostsv6 bee.fips
	[ "$(calls "restart $2")" = 2 ]
}

run_dnsmasq() {
	names_up
	world_up
	services_up
	in_box a mkdir -p /etc/dnsmasq.d
	box_file a /etc/nsswitch.conf 'hosts: files dns'
	box_file a /etc/resolv.conf 'nameserver 127.0.0.1'
	service dnsmasq "dnsmasq -k -C /dev/null -7 /etc/dnsmasq.d,.t,.fips-new --no-resolv \
		--server=127.0.0.3 --listen-address=127.0.0.1 --bind-interfaces --user=root \
		--stop-dns-rebind --pid-file="
	resolver_round dnsmasq dnsmasq /etc/dnsmasq.d/fips.conf
}

run_unbound() {
	local dir

	dir=$(unpack unbound unbound) || skip "no unbound to be had"
	names_up
	world_up
	services_up
	box_file a /etc/nsswitch.conf 'hosts: files dns'
	box_file a /etc/resolv.conf 'nameserver 127.0.0.1'
	in_box a mkdir -p /etc/unbound/unbound.conf.d
	box_file a /etc/unbound/unbound.conf 'server:
    username: ""
    chroot: ""
    directory: "/etc/unbound"
    pidfile: ""
    use-syslog: no
    interface: 127.0.0.1
    do-not-query-localhost: no
    use-caps-for-id: yes
    private-address: fd00::/8
forward-zone:
    name: "."
    forward-addr: 127.0.0.3
include: "/etc/unbound/unbound.conf.d/*.conf"'
	service unbound "$dir/usr/sbin/unbound -d -c /etc/unbound/unbound.conf"
	resolver_round unbound unbound /etc/unbound/unbound.conf.d/fips.conf
}

run_resolved() {
	local dir version

	version=$(candidate systemd-resolved)
	dir=$(unpack systemd-resolved "systemd-resolved=$version" "libsystemd-shared=$version") ||
		skip "no systemd-resolved to be had"
	names_up
	WORLD=${UNDERLAY_4[b]} world_up b
	services_up
	in_box a sh -c 'echo systemd-resolve:x:991:991::/:/bin/false >>/etc/passwd
		echo systemd-resolve:x:991: >>/etc/group
		mkdir -p /run/systemd/resolve && chown 991:991 /run/systemd/resolve'
	box_file a /etc/nsswitch.conf 'hosts: files dns'
	box_file a /etc/resolv.conf 'nameserver 127.0.0.53'
	# As networkd tells what DHCP said: the world is asked over its link.
	box_file a "/run/systemd/netif/links/$(in_box a cat /sys/class/net/u0/ifindex)" \
		"ADMIN_STATE=configured
OPER_STATE=routable
DNS=${UNDERLAY_4[b]}
DNS_DEFAULT_ROUTE=yes
LLMNR=no
MDNS=no"
	service systemd-resolved "env LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu/systemd \
		$dir/lib/systemd/systemd-resolved"
	resolver_round global-drop-in systemd-resolved /etc/systemd/resolved.conf.d/fips.conf
	must_fail in_box a test -e /etc/dnssec-trust-anchors.d/fips.negative
	# Servers for everything beside ours: resolved takes turns, so the operator is told.
	box_file a /etc/systemd/resolved.conf.d/world.conf "[Resolve]
DNS=${UNDERLAY_4[b]}"
	setup 2>"$WORK/said"
	grep 'world.conf names DNS servers' "$WORK/said"
}

# What can't run here is written down as it was called.
run_others() {
	names_up
	services_up
	touch "$WORK/services/systemd-resolved" "$WORK/services/NetworkManager"
	printf '#!/bin/sh\nexit 0\n' >"$WORK/services/systemd-resolved"
	chmod +x "$WORK/services/systemd-resolved"
	FAKE_SYSTEMD=258 setup
	says dns-delegate setup status
	says '[Delegate] DNS=[::1]:5354 Domains=fips' in_box a cat \
		/etc/systemd/dns-delegate.d/fips.dns-delegate
	# Another resolver the next time: the former choice is taken back.
	rm "$WORK/services/systemd-resolved"
	chmod +x "$WORK/services/NetworkManager"
	printf '#!/bin/sh\necho "nmcli $*" >>%s/calls\n' "$WORK" >"$WORK/bin/nmcli"
	chmod +x "$WORK/bin/nmcli"
	in_box a mkdir -p /etc/NetworkManager/dnsmasq.d
	box_file a /etc/NetworkManager/NetworkManager.conf '[main]
dns=dnsmasq'
	setup
	says nm-dnsmasq setup status
	must_fail in_box a test -e /etc/systemd/dns-delegate.d/fips.dns-delegate
	says 'server=/fips/::1#5354 rebind-domain-ok=/fips/' in_box a cat \
		/etc/NetworkManager/dnsmasq.d/fips.conf
	rm "$WORK/services/NetworkManager"
	[ "$(calls 'nmcli general reload')" = 1 ]
	# A resolver that can't be told anything about ports: the operator is told.
	setup 2>"$WORK/said"
	grep 'set dns.port: 53' "$WORK/said"
	says none setup status
	must_fail in_box a test -e /etc/NetworkManager/dnsmasq.d/fips.conf
	# With the port it can: resolvconf before resolv.conf.
	echo '::1 53' >"$WORK/a/dns"
	cat >"$WORK/bin/resolvconf" <<-END
	#!/bin/sh
	echo "resolvconf \$* \$([ "\$1" != -a ] || cat)" >>$WORK/calls
	mkdir -p /run/resolvconf/interface
	case \$1 in -a) touch /run/resolvconf/interface/\$2 ;; -d) rm /run/resolvconf/interface/\$2 ;; esac
	END
	chmod +x "$WORK/bin/resolvconf"
	setup
	says resolvconf setup status
	setup teardown
	says 'resolvconf -a lo.fips nameserver ::1 resolvconf -d lo.fips' \
		grep '^resolvconf' "$WORK/calls"
}

# A crash, or the reference before us, left its files: the next start takes them back.
run_leftovers() {
	names_up
	services_up
	rm -f "$WORK/bin/resolvconf"
	for file in /etc/systemd/resolved.conf.d/fips.conf /etc/dnsmasq.d/fips.conf \
		/etc/unbound/unbound.conf.d/fips.conf; do
		box_file a $file 'something old'
	done
	box_file a /etc/systemd/resolved.conf.d/other.conf '# not ours'
	box_file a /etc/resolv.conf "nameserver 192.0.2.53
# fips-dns-setup: the next line is for names below .fips
nameserver ::1
search example.org"
	setup
	for file in /etc/systemd/resolved.conf.d/fips.conf /etc/dnsmasq.d/fips.conf \
		/etc/unbound/unbound.conf.d/fips.conf; do
		must_fail in_box a test -e $file
	done
	in_box a test -e /etc/systemd/resolved.conf.d/other.conf
	says 'nameserver 192.0.2.53 search example.org' in_box a cat /etc/resolv.conf
	# The daemon was killed: its file is there, and whatever it answers, nothing hangs.
	node_stop a
	[ ! -e "$WORK/a/dns" ]
}

# ---- firewall

answers_on() { # PORT; b asks a
	in_ns b timeout 2 bash -c ": </dev/tcp/${NODE_IP6[a]}/$1"
}

run_firewall() {
	names_up
	in_box a mkdir -p /etc/fips/fips.d
	box_file a /etc/fips/fips.nft "$(cat "$FIPS_TOP/packaging/fips.nft")"
	for port in 22 80; do
		spawn a "$WORK/listen" nc -6 -lk "$port"
		wait_for 5 listening a $port
	done
	spawn b "$WORK/listen" nc -6 -lk 80
	wait_for 5 listening b 80
	answers_on 80
	box_file a /etc/fips/fips.d/ssh-from-all.nft 'tcp dport 22 accept'
	run in_box a nft -f /etc/fips/fips.nft
	answers_on 22
	must_fail answers_on 80
	ping_all b 2
	ping_all a 2
	# What we ask ourselves is answered; other interfaces are nobody's business.
	in_box a timeout 5 bash -c ": </dev/tcp/${NODE_IP6[b]}/80"
	in_ns b timeout 5 bash -c ": </dev/tcp/${UNDERLAY_6[a]}/80"
	# A mistake in one file leaves the rules of before in force.
	box_file a /etc/fips/fips.d/bad.nft 'tcp dport nonsense'
	must_fail in_box a nft -f /etc/fips/fips.nft
	must_fail answers_on 80
	box_file a /etc/fips/fips.d/bad.nft ''
	box_file a /etc/fips/fips.d/web.nft 'tcp dport 80 accept'
	run in_box a nft -f /etc/fips/fips.nft
	answers_on 80
	in_box a nft delete table inet fips
}

[ "$(id -u)" = 0 ] || { echo "names.sh: needs root (namespaces)" >&2; exit 2; }
if [ "${1:-}" = --list ]; then
	printf '%s\n' "${all[@]}"
	exit 0
fi
[ $# -gt 0 ] || set -- "${all[@]}"

ktap_plan $#
for name in "$@"; do
	ktap_test "$LEFT-$RIGHT names: $name" scenario "run_$name"
done
ktap_end
