#!/bin/bash
# SPDX-License-Identifier: MIT
#
# In a guest: cells of selftests/interop with the kernel data plane in our nodes,
# and the Rust nodes that were carried in under /ref.
#
#   interop.sh [NAME=VALUE...] [PATTERN...]       SLOW

set -euo pipefail

while [[ "${1:-}" == *=* ]]; do
	export "${1?}"
	shift
done
export KTAP_LOGS=$OUT LEFT=${LEFT:-kernel} WIRE=/usr/bin/wire INTEROP_JOBS=${INTEROP_JOBS:-2}
# Emulation is slow: smaller files, and nobody dead too early.
export TCP_BYTES=300000 HEARTBEAT=1 LINK_DEAD=8
for kind in J M; do
	[ ! -x /ref/$kind/fips ] || export "FIPS_REF_$kind=/ref/$kind"
done
exec /fips/selftests/interop/run.sh "$@"
