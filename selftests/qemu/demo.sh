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
echo
echo "The module goes, and takes everything with it:"
modprobe -r fips
[ ! -e /sys/module/fips ]
echo "   modprobe -r fips: done"
