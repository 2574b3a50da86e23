# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# 1. A link comes about, whoever dials; each side ends and comes back, told or
# untold; each side sends the other away.
#
#	X (ours) ---- T (theirs) ---- F (ours)
#
# F is there because a peer that is not ours never repeats a filter, and ignores a
# sequence that it has seen: after each restart F and X must find each other through T.

# shellcheck disable=SC2154 # lib.sh's

variants_link=(ours-dials theirs-dial both-dial both-dial-larger)

mesh_link() { # VARIANT
	X=n2 T=n1 F=n3
	case $1 in
	ours-dials) mesh n2-n1 n3-n1 ;;
	theirs-dial) mesh n1-n2 n3-n1 ;;
	both-dial-larger)
		mesh n2-n1 n3-n1
		also_dials n2-n1
		;;
	both-dial)
		X=n1 T=n2
		mesh n2-n1 n3-n2
		also_dials n2-n1
		;;
	esac
	theirs $T
}

# What is true of a link that works.
link_works() {
	wait_up $X $T
	wait_up $F $T
	talk $X $F
	reach $X $T 10
	reach $T $X 10
}

link_restart() { # NODE clean|kill
	step "$1 ($(node_label "$1")) restarts, $2"
	if [ "$2" = clean ]; then
		node_stop "$1"
		# A Disconnect tells the neighbour at once.
		if [ "$1" = $X ]; then wait_for 3 no_peer $T $X; else wait_for 3 no_peer $X $T; fi
	else
		node_kill "$1"
	fi
	node_start "$1"
	node_wait "$1"
	link_works
}

link_disconnect() { # NODE PEER
	local since

	step "$1 ($(node_label "$1")) sends $2 away"
	since=$(peer_since "$2" "$1")
	run ctl "$1" disconnect "${NODE_NPUB[$2]}"
	wait_for 3 peer_renewed "$2" "$1" "$since"
	# Who has sent a peer away does not dial it again by himself; the other may.
	run ctl "$1" connect "${NODE_NPUB[$2]}" "$(link_endpoint "$1" "$2")" udp
	link_works
}

link_endpoint() { # FROM TO
	local own=${MESH_UNDERLAY[$1-$2]:-} back=${MESH_UNDERLAY[$2-$1]:-}

	# The dialler's end of a cable is .1, the other's .2.
	echo "${own:-${back/%.2:2121/.1:2121}}"
}

play_link() {
	mesh_up
	link_works
	link_restart $T clean
	link_restart $X clean
	link_restart $T kill
	link_restart $X kill
	link_disconnect $X $T
	link_disconnect $T $X
	holds $X status '.peer_count == 1'
}
