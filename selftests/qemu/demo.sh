#!/bin/bash
# SPDX-License-Identifier: MIT
#
# In a guest: the part of scripts/demo that needs the kernel module.

set -euo pipefail

export SLOW=4 TCP_BYTES=1000000
# shellcheck source=../lib/demo.sh
. /fips/selftests/lib/demo.sh

echo "This is Linux $(uname -r) in the guest. The module is loaded:"
lsmod | sed -n '1p; /^fips/p' | sed 's/^/   /'
lsmod | grep -q ^fips

# shellcheck disable=SC2034 # demo.sh reads them
LEFT=kernel RIGHT=kernel
demo "Two nodes, both with the kernel data plane"
# shellcheck disable=SC2034 # read by the library
# shellcheck disable=SC2034 # demo.sh reads them
LEFT=kernel RIGHT=user
demo "A mixed pair: a in the kernel, b in user space"

# shellcheck source=../lib/demo-mesh.sh
. /fips/selftests/lib/demo-mesh.sh
# shellcheck disable=SC2034 # read by the library
PLANE=([n1]=kernel [n2]=kernel [n3]=kernel [n4]=user [n5]=user [n6]=user [n7]=kernel)
export HEARTBEAT=1 LINK_DEAD=5 NODE_EXTRA=$'  rekey:\n    after_secs: 16'
mesh "${MESH_DEMO[@]}"
demo "A mesh of seven, in the kernel and in user space" demo_mesh
echo
echo "The module goes, and takes everything with it:"
modprobe -r fips
[ ! -e /sys/module/fips ]
echo "   modprobe -r fips: done"
