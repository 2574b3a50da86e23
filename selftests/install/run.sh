#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What `make install` puts where, what `make uninstall` leaves, how exposed the
# unit is, and whether the daemon runs with the powers that the unit gives it.
#
#   run.sh

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
. "$here/../lib/common.sh"

DEST=$(mktemp -d "${TMPDIR:-/tmp}/fips-install-XXXXXX")
trap 'rm -rf "$DEST"' EXIT

install_to() { # MAKE-ARGUMENT...
	make -s -C "$FIPS_TOP" O="$(dirname "$FIPSD")" DESTDIR="$DEST" PREFIX=/usr "$@"
}

mode_is() { # MODE PATH
	[ "$(stat -c %a "$DEST$2")" = "$1" ] || fail "$2 has mode $(stat -c %a "$DEST$2")"
}

run_install() {
	install_to install
	(cd "$DEST" && find . ! -type d | sort)
	mode_is 755 /usr/sbin/fipsd
	mode_is 755 /usr/bin/fipsctl
	mode_is 755 /usr/bin/fipstop
	mode_is 600 /etc/fips/fips.yaml
	mode_is 644 /etc/fips/fips.nft
	[ -d "$DEST/etc/fips/fips.d" ]
	"$DEST/usr/bin/fips" -V
	"$DEST/usr/bin/fips" --check -c "$DEST/etc/fips/fips.yaml"
	! grep -rl '@[A-Z]*@' "$DEST/usr/lib" "$DEST/etc" || fail "a placeholder is left"
	for page in fipsd.8 fipsctl.8 fipstop.8 fips.yaml.5; do
		[ -s "$DEST/usr/share/man/man${page##*.}/$page" ] || fail "no $page"
	done
	# The operator's file stays, whatever comes.
	echo "# mine" >>"$DEST/etc/fips/fips.yaml"
	install_to install
	grep -q '^# mine' "$DEST/etc/fips/fips.yaml"
	install_to uninstall
	[ "$(cd "$DEST" && find . ! -type d | sort | xargs)" = "./etc/fips/fips.nft ./etc/fips/fips.yaml" ] ||
		{ find "$DEST" ! -type d; fail "something is left"; }
}

run_unit() {
	local unit=$DEST/fips.service level

	command -v systemd-analyze >/dev/null || skip "no systemd-analyze"
	sed 's,@SBINDIR@/fipsd,/bin/true,' "$FIPS_TOP/packaging/systemd/fips.service" >"$unit"
	systemd-analyze security --offline=true --no-pager "$unit" >"$DEST/security" ||
		{ cat "$DEST/security"; skip "this systemd-analyze can't look at files"; }
	level=$(sed -n 's/^.*exposure level for fips.service: \([0-9.]*\).*/\1/p' "$DEST/security")
	echo "exposure $level"
	awk -v level="$level" 'BEGIN { exit level > 0 && level <= 2.8 ? 0 : 1 }' || fail "above 2.8"
}

# As the unit runs it: root's user id, but three capabilities and no more to be had.
run_powers() {
	command -v setpriv >/dev/null || skip "no setpriv"
	cat >"$WORK/fipsd" <<-END
	#!/bin/sh
	exec setpriv --no-new-privs --inh-caps -all \
		--bounding-set -all,+net_admin,+net_raw,+net_bind_service "$FIPSD" "\$@"
	END
	chmod 755 "$WORK/fipsd"
	FIPSD=$WORK/fipsd
	both_up
	grep '^CapEff' "/proc/$(node_pid a)/status"
	ping_all a 3
	holds a status '.state == "running" and .tun_state == "active"'
	run ctl a reload
}

[ "$(id -u)" = 0 ] || { echo "run.sh: needs root" >&2; exit 2; }
ktap_plan 3
ktap_test "install and uninstall" run_install
ktap_test "exposure of the unit" run_unit
ktap_test "the daemon with the unit's capabilities" scenario run_powers
ktap_end
