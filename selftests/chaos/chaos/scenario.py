# SPDX-License-Identifier: MIT
"""A scenario: a YAML file, what it leaves out, and its short form."""
import random

import yaml

# Every key with what holds without it; Documentation/building-and-testing.rst tells
# what they mean. None: no such fault, or nothing to hold to.
DEFAULTS = {
    "name": "", "seed": 1, "duration": 60, "nodes": 0, "topology": None, "kinds": {},
    "node": {}, "udp": {}, "links": {}, "police": None, "warmup": 30,
    "netem": None, "flaps": None, "churn": None, "peers": None, "swap": None, "traffic": None,
    "expect": {}, "short": {},
}
EXPECT = {"errors": 0, "converge": 30, "reporting": None, "roots": None, "parented": None,
          "sessions": None, "congestion": None, "announces_30s": None, "switches": None,
          "uncongested": False}
FAULT_KEYS = {
    "netem": {"interval", "share", "policies"}, "flaps": {"interval", "down", "max", "protect"},
    "churn": {"interval", "down", "max", "ephemeral", "kill"}, "peers": {"interval"},
    "swap": {"links", "interval", "values"},
    "traffic": {"interval", "max", "streams", "duration", "rate"},
}


class BadScenario(Exception):
    pass


def merge(base, over):
    """Mappings key by key, all else as a whole."""
    if isinstance(base, dict) and isinstance(over, dict):
        return {**base, **{k: merge(base.get(k), v) for k, v in over.items()}}
    return over


def check(data, known, what):
    unknown = set(data) - set(known)
    if unknown:
        raise BadScenario(f"{what}: unknown keys {sorted(unknown)}")


def load(path, seconds=None):
    """Read a scenario. Fewer seconds than its duration: the short form holds."""
    with open(path, encoding="utf-8") as f:
        data = yaml.safe_load(f)
    check(data, DEFAULTS, path)
    full = data.get("duration", DEFAULTS["duration"])
    if seconds and seconds < full:
        data = merge(data, data.get("short", {}))
    if seconds:
        data["duration"] = seconds
    sc = merge(DEFAULTS, data)
    sc["expect"] = merge(EXPECT, sc["expect"])
    check(sc["expect"], EXPECT, f"{path}: expect")
    for fault, keys in FAULT_KEYS.items():
        if sc[fault]:
            check(sc[fault], keys, f"{path}: {fault}")
    if not sc["topology"] or not sc["nodes"]:
        raise BadScenario(f"{path}: needs topology and nodes")
    return sc


def rng(sc, purpose):
    """A generator of its own for each purpose: one fault more leaves the others alone."""
    return random.Random(f"{sc['seed']}:{purpose}")


def between(draw, value):
    """A number, or one drawn from [least, most]."""
    return draw.uniform(*value) if isinstance(value, list) else value


def policy(draw, links):
    """What one link is like: rate is one of a list, all else a number from a range."""
    return {key: draw.choice(value) if key == "rate" and isinstance(value, list)
            else round(between(draw, value), 3) for key, value in links.items()}


def kinds(sc):
    """{node: kind}: `kinds` says how many nodes are J and how many M; the rest is ours."""
    nodes = list(range(1, sc["nodes"] + 1))
    rng(sc, "kinds").shuffle(nodes)
    result = {n: "ours" for n in nodes}
    for kind, count in sorted(sc["kinds"].items()):
        for _ in range(count):
            result[nodes.pop()] = kind
    return result
