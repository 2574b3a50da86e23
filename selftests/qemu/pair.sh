#!/bin/bash
# SPDX-License-Identifier: MIT
#
# In a guest: the scenarios of selftests/net for one pair of data planes.
#
#   pair.sh [NAME=VALUE...] [SCENARIO...]       LEFT, RIGHT, SLOW

set -euo pipefail

while [[ "${1:-}" == *=* ]]; do
	export "${1?}"
	shift
done

# Emulation is slow: smaller files, lower rates.
export TCP_BYTES=1000000 LOSSY_BYTES=200001 UDP_PPS=100 IPERF_SECS=1 ROUNDS=2 KTAP_LOGS=$OUT
exec /fips/selftests/net/run.sh "$@"
