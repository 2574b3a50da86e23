# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Nodes with an /etc and a /run of their own, for what reads and writes files
# there: hosts, access lists, resolvers. Comes behind common.sh.
#
# box_start writes $WORK/box, which FIPSD then is. Files below $WORK/NODE/etc
# are put into the box's /etc as it starts.

box_start() {
	FIPSD_REAL=$FIPSD
	cat >"$WORK/box" <<-END
	#!/bin/sh
	dir=\$(dirname "\$2")
	mkdir -p "\$dir/etc.up" "\$dir/etc.work" "\$dir/etc"
	mount -t overlay overlay \\
		-o "lowerdir=/etc,upperdir=\$dir/etc.up,workdir=\$dir/etc.work" /etc &&
	mount -t tmpfs tmpfs /run && mkdir -p /etc/fips && cp -r "\$dir/etc/." /etc/ &&
	exec "$FIPSD_REAL" "\$@"
	END
	chmod +x "$WORK/box"
	FIPSD=$WORK/box
}

# Run a command in the box of a node whose daemon runs.
in_box() { # NODE COMMAND...
	local node=$1

	shift
	nsenter -t "$(node_pid "$node")" -m -n -- "$@"
}

# Replace a file in a box at once, or remove it if the text is empty.
box_file() { # NODE PATH TEXT
	if [ -n "$3" ]; then
		# shellcheck disable=SC2016 # the inner shell expands them
		in_box "$1" sh -c 'mkdir -p "${1%/*}"; printf "%s\n" "$2" >"$1.t"; mv "$1.t" "$1"' \
			- "$2" "$3"
	else
		in_box "$1" rm -f "$2"
	fi
}

# Start a program in a box in the background; $SPAWNED is its PID.
box_spawn() { # NODE OUTPUT COMMAND...
	local node=$1 out=$2

	shift 2
	nsenter -t "$(node_pid "$node")" -m -n -- "$@" >>"$out" 2>&1 </dev/null &
	SPAWNED=$!
	echo "$SPAWNED" >>"$WORK/started"
}
