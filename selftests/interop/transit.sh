# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# 4. Transit: through ours between theirs, and through theirs between ours; chains
# and the five-node mesh of the reference (spec 17 §2.1) in mixes of all three.

# shellcheck disable=SC2154 # lib.sh's

# shellcheck disable=SC2034 # run.sh's
variants_transit=(theirs-ours-theirs ours-theirs-ours)
# A letter a node, n1 first: o is ours.
# shellcheck disable=SC2034 # run.sh's
variants_mix=(chain-oJoMo chain-JoMoJ chain-MJoJM chain-oMJMo mesh-oJMoJ mesh-JoJMo mesh-MoMoJ
	mesh-JMoJM mesh-MJooo)
# shellcheck disable=SC2034 # run.sh's
variants_mix_ours=(chain-oJoMo mesh-oJMoJ)

mesh_transit() { # VARIANT
	mesh n1-n2 n3-n2
	case $1 in
	theirs-ours-theirs) theirs n1 n3 ;;
	ours-theirs-ours) theirs n2 ;;
	esac
}

play_transit() {
	mesh_up
	reach_all 20
	talk n1 n3
	pings n1 n3 2 -M "do" -s "$E_PING"
	pings n3 n1 2 -M "do" -s "$E_PING"
	copy n1 n3 1000001
	copy n3 n1 1000001
	wait_for 10 holds n2 status '.peer_count == 2'
}

# Who is who, by letters; where a kind is not to be had, ours plays its part.
mesh_mix() { # VARIANT
	local letters=${1#*-} i kind

	case $1 in
	chain-*) mesh n2-n1 n3-n2 n4-n3 n5-n4 ;;
	mesh-*) mesh n1-n4 n1-n5 n3-n4 n2-n3 n4-n5 n3-n5 ;;
	esac
	for ((i = 0; i < ${#letters}; i++)); do
		kind=${letters:i:1}
		if [ "$kind" != o ] && [ "$CELL_KIND" != ours ]; then
			KIND[n$((i + 1))]=$kind
		fi
	done
}

play_mix() {
	mesh_up
	wait_for 30 mesh_settled n1
	mesh_tree
	reach_all 30
	pings n1 n5 5
	pings n5 n1 5
	copy n1 n5 300001
	copy n5 n2 300001
}
