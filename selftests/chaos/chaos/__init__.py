# SPDX-License-Identifier: MIT
"""Chaos: scenarios of faults on meshes of real nodes in network namespaces."""
