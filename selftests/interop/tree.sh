# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# 2. Ours as child, parent and root of theirs; another root comes and goes; filters
# both ways; what both think the size of the mesh is.
#
#	n1 ---- n2 ---- n3 ---- n4         n1 has the smallest node_addr

# shellcheck disable=SC2154 # lib.sh's

variants_tree=(child parent root change)

mesh_tree_cell() { # VARIANT
	case $1 in
	child) X=n2 T=n1 F=n3 ;;
	parent) X=n2 T=n3 F=n1 ;;
	root | change) X=n1 T=n2 F=n3 ;;
	esac
	mesh n2-n1 n3-n2
	theirs $T
	if [ "$1" = change ]; then
		X=n2 T=n3 F=n4
		KIND=()
		mesh n1-n3 n3-n2 n4-n3
		theirs n1 n3
	fi
}

# Does a node have that parent, and do both agree on it?
child_of() { # CHILD PARENT
	holds "$1" tree ".parent == \"${NODE_HEX[$2]}\" and .is_root == false" &&
		peer_is "$1" "$2" .is_parent && peer_is "$2" "$1" .is_child
}

is_root() { # NODE
	holds "$1" tree ".is_root and .root == \"${NODE_HEX[$1]}\" and .depth == 0"
}

# Filters have come both ways.
filters_exchanged() { # NODE NODE
	peer_is "$1" "$2" '.has_bloom_filter and .filter_sequence > 0' &&
		peer_is "$2" "$1" '.has_bloom_filter and .filter_sequence > 0'
}

mesh_size_is() { # NODE NUMBER
	holds "$1" status ".estimated_mesh_size == $2"
}

everybody_counts() { # NUMBER NODE...
	local number=$1 node

	shift
	for node; do
		wait_for 20 mesh_size_is "$node" "$number"
	done
}

play_tree() { # VARIANT
	if [ "$1" = change ]; then
		play_tree_change
		return
	fi
	mesh_up
	wait_for 20 mesh_settled n1
	wait_for 10 is_root n1
	wait_for 10 child_of n2 n1
	wait_for 10 child_of n3 n2
	wait_for 10 filters_exchanged n1 n2
	wait_for 10 filters_exchanged n2 n3
	talk n1 n3
	talk $X $T
	everybody_counts 3 n1 n2 n3
}

play_tree_change() {
	step "three nodes, the root is ours"
	mesh_up n2 n3 n4
	wait_for 20 mesh_settled n2 n2 n3 n4
	talk n2 n4
	step "one of theirs with a smaller address comes: it is the root now"
	mesh_up n1
	wait_for 20 mesh_settled n1
	talk n1 n2
	talk n2 n4
	everybody_counts 4 "${NODES[@]}"
	step "it dies: ours is the root again"
	node_kill n1
	wait_for 40 mesh_settled n2 n2 n3 n4
	talk n2 n4
	step "and it comes back"
	node_start n1
	node_wait n1
	wait_for 20 mesh_settled n1
	talk n1 n2
	talk n2 n4
}
