# SPDX-License-Identifier: MIT
"""One run of a scenario: warm-up, faults, and the proof that all is well again."""
import time

import yaml

from . import checks, graph
from .hands import Failed, Net, Node
from .identity import identity
from .plan import Plan
from .scenario import kinds, rng
from .traffic import Traffic

TRAILING = 30  # seconds over which filter announces are counted


def below(key_values, indent):
    """A mapping as lines below a key of fips.yaml."""
    if not key_values:
        return ""
    text = yaml.safe_dump(key_values, default_flow_style=False)
    return "\n".join(" " * indent + line for line in text.splitlines())


class Run:
    def __init__(self, sc):
        self.sc = sc
        edges = graph.draw(sc["topology"], sc["nodes"], rng(sc, "topology"))
        self.plan = Plan(sc, edges)
        self.edges = set(edges)
        self.dials = graph.dials(sc["nodes"], edges)
        self.kinds = kinds(sc)
        self.verdict = checks.Verdict(sc["expect"])
        self.crashed = []
        self.before = {}
        self.late = 0.0  # how far behind its plan the run was at worst

    def open(self):
        """Namespaces and cables; afterwards close() is due."""
        names = {n: identity(self.sc["name"], f"n{n}") for n in range(1, self.sc["nodes"] + 1)}
        self.net = Net({n: Node(n, self.kinds[n], who) for n, who in names.items()},
                       self.sc["seed"])
        self.traffic = Traffic(self.net, (self.sc["traffic"] or {}).get("rate"))
        everyone = {(a, b) for a in names for b in names if a < b}
        for edge in sorted(everyone - self.edges):
            self.net.cut(edge, True)
        for edge in sorted(self.edges):
            self.net.link(edge, self.plan.base[edge])
        if self.sc["police"]:
            self.net.police(self.sc["police"])

    def configure(self, node, dials):
        self.net.configure(node, dials, below(self.sc["node"], 2), below(self.sc["udp"], 4))

    def start(self):
        for node in self.net.nodes.values():
            self.configure(node, {b for a, b in self.dials if a == node.number})
        for node in self.net.nodes.values():
            self.net.start(node)

    # ---- reaching everybody

    def converge(self, seconds, since, key):
        """All pairs that can (the pinger knows the other's key) reach each other."""
        nodes = self.net.nodes.values()
        pairs = [(a, b) for a in nodes for b in nodes if a.knows(b)]
        answers, missing = self.net.first_pings(seconds, pairs)
        took = sorted(at - since for at in answers.values()) or [0]
        self.verdict.hold(not missing, f"{key}: {len(answers)} of {len(pairs)} pairs answer, half "
                          f"after {took[len(took) // 2]:.2f} s, all but 5 % after "
                          f"{took[len(took) * 19 // 20]:.2f} s, the last after {took[-1]:.2f} s; "
                          f"bound {seconds} s")
        if missing:
            print("without an answer:", " ".join(f"{a}>{b}" for a, b in missing[:60]))

    # ---- faults

    def link(self, edge, policy):
        self.net.link(edge, policy)

    def down(self, edge, down):
        self.net.cut(edge, down)

    def stop(self, number, how):
        self.bad_end(self.net.stop(self.net.nodes[number], how))

    def bad_end(self, why):
        if why:
            self.crashed.append(why)
            print(why)

    def start_again(self, number, ephemeral):
        """A node comes back, perhaps as another one, and dials all its neighbours."""
        node = self.net.nodes[number]
        if ephemeral:
            node.births += 1
            node.who = identity(self.sc["name"], f"{node.name} {node.births}")
            node.known_since = time.time()
        self.configure(node, {a + b - number for a, b in self.edges if number in (a, b)})
        self.net.start(node)

    def connect(self, a, b):
        self.edges.add(graph.edge(a, b))
        self.net.cut((a, b), False)
        far = self.net.nodes[b]
        self.ask(a, "connect", npub=far.who.npub, address=far.endpoint(), transport="udp")

    def disconnect(self, a, b):
        """Both sides let go, or the dialler would come back."""
        self.edges.discard(graph.edge(a, b))
        self.ask(a, "disconnect", npub=self.net.nodes[b].who.npub)
        self.ask(b, "disconnect", npub=self.net.nodes[a].who.npub)

    def ask(self, number, command, **params):
        """A node that is busy starting, or has no such peer, is no error."""
        try:
            self.net.ask(self.net.nodes[number], command, **params)
        except (OSError, Failed, ValueError) as why:
            print(f"  {why}")

    def stream(self, a, b, seconds, streams):
        self.traffic.start(self.net.nodes[a], self.net.nodes[b], seconds, streams)

    def do(self, event):
        print(event)
        getattr(self, {"start": "start_again"}.get(event.what, event.what))(*event.args)

    def look_after(self):
        """Between the faults: streams that end, nodes that have died."""
        self.traffic.tick()
        for node in self.net.nodes.values():
            if node.proc and node.proc.poll() is not None:
                self.bad_end(f"{node.name} died, status {node.proc.returncode}")
                node.proc = None

    def play(self):
        """All events at their time."""
        begin = time.monotonic()
        events = list(self.plan.events)
        counting = self.sc["expect"]["announces_30s"] is not None
        sample_at = self.sc["duration"] - TRAILING if counting else None
        while True:
            now = time.monotonic() - begin
            if sample_at is not None and now >= sample_at:
                self.before, sample_at = checks.announces(self.net), None
            while events and events[0].at <= now:
                self.late = max(self.late, time.monotonic() - begin - events[0].at)
                self.do(events.pop(0))
            self.look_after()
            if not events and now >= self.sc["duration"]:
                return
            coming = events[0].at if events else self.sc["duration"]
            time.sleep(min(0.25, max(0.005, coming - now)))

    # ---- the whole

    def run(self):
        began = time.time()
        self.start()
        self.converge(self.sc["warmup"], began, "start")
        self.play()
        healed = time.time()
        if self.before:
            self.verdict.announces(self.before, checks.announces(self.net))
        self.traffic.tick(everything=True)
        self.converge(self.sc["expect"]["converge"], healed, "converge")
        self.look_after()
        sums = checks.summary(checks.snapshot(self.net))
        self.verdict.figures(sums)
        print("packets on all cables:", self.net.counts())
        print(f"streams: {self.traffic.finished} finished, {self.traffic.failed} not, "
              f"{self.traffic.bytes / 1e6:.1f} MB; {sums}; {self.late:.1f} s late at most")
        for node in self.net.nodes.values():
            if node.proc:
                self.bad_end(self.net.stop(node, "TERM"))
        errors, crashes = checks.logs(self.net)
        self.verdict.at_most("errors", len(errors))
        for line in (errors + crashes)[:20]:
            print(line)
        self.crashed += crashes
        self.verdict.hold(not self.crashed, f"{len(self.crashed)} crashes and bad ends")
