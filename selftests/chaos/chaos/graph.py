# SPDX-License-Identifier: MIT
"""Who is a neighbour of whom: an edge is a pair (smaller, larger) of node numbers."""
import math
from collections import deque


def edge(a, b):
    return (a, b) if a < b else (b, a)


def connected(nodes, edges):
    """Do the edges hold all the nodes together? (Edges to others don't count.)"""
    nodes = set(nodes)
    return not nodes or len(reached(min(nodes), nodes, edges)) == len(nodes)


def reached(start, nodes, edges):
    seen, queue = {start}, deque([start])
    while queue:
        at = queue.popleft()
        for a, b in edges:
            if at in (a, b):
                far = b if at == a else a
                if far in nodes and far not in seen:
                    seen.add(far)
                    queue.append(far)
    return seen


def from_text(pairs):
    edges = set()
    for pair in pairs:
        a, b = (int(n) for n in pair.split("-"))
        edges.add(edge(a, b))
    return edges


def erdos_renyi(count, p, rng):
    return {(a, b) for a in range(1, count + 1) for b in range(a + 1, count + 1)
            if rng.random() < p}


def geometric(count, radius, rng):
    """Points in the unit square; who is nearer than the radius is a neighbour."""
    at = {n: (rng.random(), rng.random()) for n in range(1, count + 1)}
    return {(a, b) for a in at for b in at if a < b and math.dist(at[a], at[b]) < radius}


def draw(topology, count, rng):
    """The edges a scenario asks for; drawn ones again until they hold together."""
    kind = topology["kind"]
    if kind == "edges":
        return from_text(topology["edges"])
    if kind == "ring":
        return {edge(n, n % count + 1) for n in range(1, count + 1)}
    for _ in range(1000):
        if kind == "random":
            edges = erdos_renyi(count, topology["p"], rng)
        elif kind == "geometric":
            edges = geometric(count, topology["radius"], rng)
        else:
            raise ValueError(f"no topology {kind}")
        if connected(range(1, count + 1), edges):
            return edges
    raise ValueError("1,000 draws and none that holds together")


def dials(count, edges):
    """Who dials whom: each node its parent in a breadth-first tree from node 1, and
    the larger number the smaller along all other edges. A set of (dialler, listener)."""
    result, seen, queue = set(), {1}, deque([1])
    while queue:
        at = queue.popleft()
        for far in range(1, count + 1):
            if edge(at, far) in edges and far not in seen:
                seen.add(far)
                queue.append(far)
                result.add((far, at))
    done = {edge(a, b) for a, b in result}
    return result | {(b, a) for a, b in edges if (a, b) not in done}
