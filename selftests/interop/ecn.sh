# SPDX-License-Identifier: MIT
variants_ecn=()
