#!/bin/bash
# SPDX-License-Identifier: MIT
#
# In a guest: netlink robustness, memory back where it was, upcalls in order, three key slots at once.

set -euo pipefail

nltest
nlevents
nlepochs
