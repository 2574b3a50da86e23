# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# 8. A link that loses a fifth makes the node before it mark what it forwards with CE;
# the far end counts it, and its host's packets (ECT) carry it.
#
#	n1 ---- n2 ---- n3          n2 marks on its way to n3

# shellcheck disable=SC2154 # lib.sh's

# shellcheck disable=SC2034 # run.sh's
variants_ecn=(ours-marks theirs-marks)

mesh_ecn() { # VARIANT
	mesh n1-n2 n3-n2
	case $1 in
	ours-marks) theirs n1 n3 ;;
	theirs-marks) theirs n2 ;;
	esac
	wire_cell
	WIRE_PLAN=("link 1 2 delay=2" "link 2 1 delay=2" "link 2 3 delay=2" "link 3 2 delay=2"
		"down 1 3 1" "down 3 1 1")
}

ce_seen() { # NODE
	[ "$(count "$1" routing .congestion.ce_received)" -gt 0 ]
}

play_ecn() {
	mesh_up
	talk n1 n3
	[ "$(count n3 routing .congestion.ce_received)" = 0 ] || fail "CE on a clean link" || return
	wire "link 2 3 delay=2 loss=20"
	# ECT(0), 50 a second: enough to be measured and to be marked.
	spawn n1 "$WORK/pings" ping -6 -n -i 0.02 -Q 2 "${NODE_IP6[n3]}"
	wait_for 40 ce_seen n3
	echo "NOTE n3 has received $(count n3 routing .congestion.ce_received) with CE," \
		"n2 forwarded $(count n2 routing .congestion.ce_forwarded)"
	grep -c . "$WORK/pings"
}
