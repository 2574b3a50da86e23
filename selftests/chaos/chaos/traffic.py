# SPDX-License-Identifier: MIT
"""iperf3 streams across the mesh, begun and ended while the faults go on."""
import json
import subprocess
import time

LISTEN_SECONDS = 0.5  # what a server gets to come up


class Stream:
    def __init__(self, net, a, b, seconds, streams, port, rate):
        self.net, self.a = net, a
        self.path = f"{net.dir}/iperf-{port}.json"
        self.server = net.run(b, "iperf3", "-s", "-1", "-p", str(port))
        self.client = None
        self.command = ["iperf3", "-c", b.who.ip6, "-p", str(port), "-t", str(seconds), "-P",
                        str(streams), "--connect-timeout", "5000", "-J"]
        if rate:
            self.command += ["-b", str(rate)]
        self.begin = time.monotonic() + LISTEN_SECONDS
        self.due = self.begin + seconds + 10

    def tick(self, now):
        """Return: is it over?"""
        if not self.client and now >= self.begin:
            with open(self.path, "w", encoding="utf-8") as out:
                self.client = self.net.run(self.a, *self.command, out=out)
        return now >= self.due or (self.client and self.client.poll() is not None)

    def end(self):
        """Return: bytes that arrived, or None if it did not get to its end."""
        for proc in (self.client, self.server):
            if proc:
                end(proc)
                self.net.others.remove(proc)
        try:
            with open(self.path, encoding="utf-8") as f:
                return json.load(f)["end"]["sum_received"]["bytes"]
        except (OSError, ValueError, KeyError):
            return None


def end(proc):
    if proc.poll() is None:
        proc.terminate()
    try:
        proc.wait(2)
    except subprocess.TimeoutExpired:
        proc.kill()
        proc.wait()


class Traffic:
    """All streams of a run; one that fails is counted and no error."""

    def __init__(self, net, rate):
        self.net, self.rate = net, rate
        self.port = 20000
        self.running = []
        self.bytes = self.finished = self.failed = 0

    def start(self, a, b, seconds, streams):
        if not a.proc or not b.proc:
            self.failed += 1
            return
        self.port += 1
        self.running.append(Stream(self.net, a, b, seconds, streams, self.port, self.rate))

    def tick(self, everything=False):
        """Take the results of streams that are over, or end all."""
        now = time.monotonic()
        over = [s for s in self.running if s.tick(now) or everything]
        self.running = [s for s in self.running if s not in over]
        for stream in over:
            got = stream.end()
            if got is None:
                self.failed += 1
            else:
                self.finished += 1
                self.bytes += got
