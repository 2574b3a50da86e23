# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Programs of Debian packages that must not be installed on the machine that
# tests: systemd-resolved would take its resolv.conf over, unbound its port 53.
#
# Environment:
#   FIPS_NO_INSTALL=1   fetch nothing; what was unpacked before is used

UNPACKED=${FIPS_BUILD:-$FIPS_TOP/build}/unpacked

# Unpack packages into one folder and print it; not again if it is there.
unpack() { # NAME PACKAGE[=VERSION]...
	local dir=$UNPACKED/$1 tmp package

	shift
	if [ ! -d "$dir" ]; then
		[ -z "${FIPS_NO_INSTALL:-}" ] || { echo "FIPS_NO_INSTALL is set" >&2; return 1; }
		mkdir -p "$UNPACKED"
		tmp=$(mktemp -d "$UNPACKED/new-XXXXXX")
		chmod 755 "$tmp"
		(cd "$tmp" && apt-get -qq -o APT::Sandbox::User=root download "$@") >&2 || {
			rm -rf "$tmp"
			return 1
		}
		for package in "$tmp"/*.deb; do
			dpkg-deb -x "$package" "$tmp" && rm "$package"
		done
		# Another run may have been faster.
		mv -T "$tmp" "$dir" 2>/dev/null || rm -rf "$tmp"
	fi
	echo "$dir"
}

# The version that apt would install.
candidate() { # PACKAGE
	apt-cache policy "$1" | sed -n 's/^ *Candidate: *//p'
}
