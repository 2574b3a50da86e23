#!/bin/bash
# SPDX-License-Identifier: MIT
#
# In a guest: netlink robustness, memory back where it was, upcalls in order.

set -euo pipefail

nltest
nlevents
