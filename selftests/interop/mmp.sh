# SPDX-License-Identifier: MIT
variants_mmp=()
