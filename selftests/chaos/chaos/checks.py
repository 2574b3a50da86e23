# SPDX-License-Identifier: MIT
"""What is true at the end of a run: the nodes' own answers, and their logs."""
import re

from .hands import Failed

ERROR = re.compile(r"\bERROR\b")
CRASH = re.compile(r"panicked|AddressSanitizer|LeakSanitizer|runtime error:|Assertion .* failed")
TOPICS = ("status", "tree", "bloom", "routing", "sessions")


def snapshot(net):
    """{name: {topic: answer}} of all nodes that answer."""
    result = {}
    for node in net.nodes.values():
        try:
            result[node.name] = {topic: net.ask(node, f"show_{topic}") for topic in TOPICS}
        except (OSError, Failed, ValueError) as why:
            print(f"{node.name} does not answer: {why}")
    return result


def announces(net):
    """Filter announces sent so far, by node."""
    return {name: snap["bloom"]["stats"]["sent"] for name, snap in snapshot(net).items()}


def summary(snaps):
    """The figures that scenarios make demands on."""
    trees = [s["tree"] for s in snaps.values()]
    congestion = [s["routing"]["congestion"] for s in snaps.values()]
    return {
        "reporting": len(snaps),
        "roots": len({t["root"] for t in trees}),
        "parented": sum(t["parent"] != t["my_node_addr"] for t in trees),
        "sessions": sum(x["state"] == "established"
                        for s in snaps.values() for x in s["sessions"]["sessions"]),
        "switches": sum(t["stats"]["parent_switches"] for t in trees),
        "congestion": {key: sum(c[key] > 0 for c in congestion)
                       for key in ("congestion_detected", "ce_forwarded", "ce_received")},
    }


def logs(net):
    """Lines of the nodes' logs that must not be there: (errors, crashes)."""
    errors, crashes = [], []
    for node in net.nodes.values():
        with open(f"{net.dir}/{node.name}/log", encoding="utf-8", errors="replace") as f:
            for line in f:
                if CRASH.search(line):
                    crashes.append(f"{node.name}: {line.rstrip()}")
                elif ERROR.search(line):
                    errors.append(f"{node.name}: {line.rstrip()}")
    return errors, crashes


class Verdict:
    """What was held against what; `failed` says what was not as it should be."""

    def __init__(self, expect):
        self.expect = expect
        self.failed = []

    def hold(self, true, sentence):
        print(("holds: " if true else "FAIL: ") + sentence)
        if not true:
            self.failed.append(sentence)

    def at_least(self, key, value):
        if self.expect[key] is not None:
            self.hold(value >= self.expect[key], f"{key}: {value}, at least {self.expect[key]}")

    def at_most(self, key, value):
        if self.expect[key] is not None:
            self.hold(value <= self.expect[key], f"{key}: {value}, at most {self.expect[key]}")

    def figures(self, sums):
        self.at_least("reporting", sums["reporting"])
        self.at_most("roots", sums["roots"])
        self.at_least("parented", sums["parented"])
        self.at_least("sessions", sums["sessions"])
        self.at_least("switches", sums["switches"])
        for key, nodes in sums["congestion"].items():
            if self.expect["congestion"]:
                self.hold(nodes >= self.expect["congestion"],
                          f"{key}: on {nodes} nodes, at least {self.expect['congestion']}")
        if self.expect["uncongested"]:
            self.hold(sums["congestion"]["congestion_detected"] == 0, "nobody marks congestion")

    def announces(self, before, after):
        if self.expect["announces_30s"] is not None:
            name, most = max(((n, after[n] - before.get(n, 0)) for n in after),
                             key=lambda pair: pair[1])
            self.hold(most <= self.expect["announces_30s"],
                      f"filter announces in the last 30 s: {most} of {name}, "
                      f"at most {self.expect['announces_30s']}")
