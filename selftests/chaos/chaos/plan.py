# SPDX-License-Identifier: MIT
"""What happens when: all faults of a run, drawn from its seed before it begins.

Nothing that the nodes do has a say, so a seed means the same faults in every run."""
import heapq
from dataclasses import dataclass, field

from . import graph
from .scenario import between, policy, rng


@dataclass(order=True)
class Event:
    """link edge policy | down edge bool | stop node how | start node ephemeral |
    connect a b | disconnect a b | stream from to seconds streams"""
    at: float
    what: str = field(compare=False)
    args: tuple = field(compare=False)

    def __str__(self):
        return f"{self.at:8.3f} {self.what} " + " ".join(str(a) for a in self.args)


class Plan:
    """The faults of a scenario; `events` in order, `edges` as they are in the end."""

    def __init__(self, sc, edges):
        self.sc = sc
        self.end = sc["duration"]
        self.nodes = set(range(1, sc["nodes"] + 1))
        self.edges = set(edges)
        self.down = set()  # links
        self.away = set()  # nodes
        self.streams = self.turn = 0
        self.events = []
        self.queue = []  # (time, number, function)
        self.number = 0
        draw = rng(sc, "links")
        self.base = {e: policy(draw, sc["links"]) for e in sorted(edges)}
        for name in ("netem", "flaps", "churn", "peers", "swap", "traffic"):
            if sc[name]:
                self.start(name)
        self.run()
        self.heal()

    def start(self, name):
        """One kind of fault, again and again."""
        draw, spec = rng(self.sc, name), self.sc[name]
        step = getattr(self, name)

        def again(at):
            step(at, draw, spec)
            self.later(at + between(draw, spec["interval"]), again)
        self.later(between(draw, spec["interval"]) if name != "traffic" else 0, again)

    def later(self, at, function):
        self.number += 1
        heapq.heappush(self.queue, (at, self.number, function))

    def add(self, at, what, *args):
        self.events.append(Event(round(at, 3), what, args))

    def run(self):
        while self.queue and self.queue[0][0] < self.end:
            at, _, function = heapq.heappop(self.queue)
            function(at)

    def heal(self):
        """At the end everything is there again, as good as at the beginning."""
        for edge in sorted(self.down):
            self.add(self.end, "down", edge, False)
        for edge in sorted(self.base):
            self.add(self.end, "link", edge, self.base[edge])
        for node in sorted(self.away):
            self.add(self.end, "start", node, False)
        self.events.sort()

    def holds(self, edges):
        """Would the nodes that are up hang together by these edges and links?"""
        return graph.connected(self.nodes - self.away, edges - self.down)

    # ---- faults

    def netem(self, at, draw, spec):
        edges = sorted(self.edges)
        for edge in sorted(draw.sample(edges, round(len(edges) * spec["share"]))):
            self.add(at, "link", edge,
                     {**self.base[edge], **policy(draw, draw.choice(spec["policies"]))})

    def flaps(self, at, draw, spec):
        edges = sorted(self.edges - self.down)
        edge = draw.choice(edges)
        if len(self.down) >= spec["max"]:
            return
        if spec.get("protect", True) and not self.holds(self.edges - {edge}):
            return
        self.down.add(edge)
        self.add(at, "down", edge, True)
        self.later(at + between(draw, spec["down"]), lambda then: self.up(then, edge))

    def up(self, at, edge):
        self.down.discard(edge)
        self.add(at, "down", edge, False)

    def churn(self, at, draw, spec):
        node = draw.choice(sorted(self.nodes - self.away))
        how = "KILL" if draw.random() < spec.get("kill", 0.5) else "TERM"
        ephemeral = draw.random() < spec.get("ephemeral", 0)
        gone = between(draw, spec["down"])
        if len(self.away) >= spec["max"]:
            return
        self.away.add(node)
        self.add(at, "stop", node, how)
        self.later(at + gone, lambda then: self.back(then, node, ephemeral))

    def back(self, at, node, ephemeral):
        self.away.discard(node)
        self.add(at, "start", node, ephemeral)

    def peers(self, at, draw, _spec):
        """One link less and one more, between nodes that are up."""
        up = sorted(self.nodes - self.away)
        old = draw.choice(sorted(self.edges))
        new = graph.edge(*draw.sample(up, 2))
        if new not in self.edges:
            self.edges.add(new)
            self.base.setdefault(new, policy(draw, self.sc["links"]))
            self.add(at, "link", new, self.base[new])
            self.add(at, "connect", *draw.sample(new, 2))
        if self.away.isdisjoint(old) and self.holds(self.edges - {old}):
            self.edges.discard(old)
            self.down.discard(old)
            self.add(at, "down", old, False)
            self.add(at, "disconnect", *old)

    def swap(self, at, _draw, spec):
        """The links take each other's place."""
        for i, edge in enumerate(sorted(graph.from_text(spec["links"]))):
            values = spec["values"][(i + self.turn) % len(spec["values"])]
            self.add(at, "link", edge, {**self.base[edge], **values})
        self.turn += 1

    def traffic(self, at, draw, spec):
        a, b = draw.sample(sorted(self.nodes), 2)
        seconds = min(between(draw, spec["duration"]), self.end - at)
        if self.streams >= spec["max"] or not self.away.isdisjoint((a, b)) or seconds < 2:
            return
        self.streams += 1
        self.add(at, "stream", a, b, round(seconds), spec.get("streams", 1))
        self.later(at + seconds, lambda then: self.ended())

    def ended(self):
        self.streams -= 1
