# SPDX-License-Identifier: MIT
"""What touches the machine: namespaces, cables (selftests/net/wire.c), nodes and their
control sockets. Nodes of every kind are configured by selftests/lib/node.sh."""
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.."))
NODE_SH = f"{TOP}/selftests/lib/node.sh"
PORT = 2121
NOWHERE = f"192.0.2.1:{PORT}"  # for peers that are known, but not dialled


class Failed(Exception):
    """The machine did not do what it was told."""


def program(name):
    """Where make has put a program: in FIPS_BUILD, build/ or, ours alone, elsewhere."""
    for build in (os.environ.get("FIPS_BUILD"), f"{TOP}/build"):
        if build and os.access(f"{build}/{name}", os.X_OK):
            return f"{build}/{name}"
    raise Failed(f"no program {name}: run make userspace net-programs")


def sh(*command, **kw):
    done = subprocess.run(command, text=True, capture_output=True, check=False, **kw)
    if done.returncode:
        raise Failed(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()


class Node:
    """One node: who it is, and its process."""

    def __init__(self, number, kind, who):
        self.number, self.kind, self.who = number, kind, who
        self.name = f"n{number}"
        self.proc = None  # None: not started, or stopped on purpose
        self.births = 1  # identities it has had
        self.started = 0.0  # Unix time of its last start
        self.known_since = 0.0  # Unix time from which configurations hold its identity

    def endpoint(self):
        return f"10.79.0.{self.number}:{PORT}"

    def knows(self, far):
        """Does its configuration have the other's present public key?"""
        return self is not far and self.started >= far.known_since


def kind_program(kind):
    """A kind's daemon; Failed says why there is none."""
    env = {**os.environ, "FIPSD": program("fipsd"), "FIPSCTL": program("fipsctl")}
    return sh("bash", NODE_SH, "program", kind, env=env)


class Net:
    """Namespaces with cables between them, and nodes in them."""

    def __init__(self, nodes, seed):
        self.nodes = nodes  # {number: Node}
        self.dir = tempfile.mkdtemp(prefix=f"fips-chaos-{os.getpid()}-")
        self.log = open(f"{self.dir}/stderr", "a", encoding="utf-8")
        self.programs = {kind: kind_program(kind) for kind in {n.kind for n in nodes.values()}}
        self.others = []  # programs of traffic and measurement
        self.wire = None
        for node in nodes.values():
            os.mkdir(f"{self.dir}/{node.name}")
            sh("ip", "netns", "add", self.ns(node))
        self.cables(seed)

    def cables(self, seed):
        self.wire = subprocess.Popen(
            [program("net/wire"), "-s", str(seed)] + [self.ns(n) for n in self.nodes.values()],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True)
        if self.wire.stdout.readline().strip() != "ready":
            raise Failed("wire did not start")
        for node in self.nodes.values():
            # No IPv6 chatter on the cable; TCP that can tell congestion.
            sh("ip", "netns", "exec", self.ns(node), "sh", "-c",
               "echo 1 >/proc/sys/net/ipv6/conf/u0/disable_ipv6; "
               "echo 1 >/proc/sys/net/ipv4/tcp_ecn; ip link set lo up; "
               f"ip address add 10.79.0.{node.number}/24 dev u0; ip link set u0 up")

    def ns(self, node):
        return f"fips-{os.getpid()}-{node.name}"

    def close(self):
        """Everything that was started ends, whatever state it is in."""
        for proc in self.others + [n.proc for n in self.nodes.values() if n.proc]:
            proc.kill()
            proc.wait()
        if self.wire:
            self.wire.stdin.close()
            self.wire.wait()
        for node in self.nodes.values():
            if os.path.exists(f"/run/netns/{self.ns(node)}"):
                sh("ip", "netns", "del", self.ns(node))
        self.log.close()

    def forget(self):
        shutil.rmtree(self.dir)

    # ---- cables

    def tell_wire(self, *lines):
        self.wire.stdin.write("".join(line + "\n" for line in lines))
        self.wire.stdin.flush()

    def link(self, edge, policy):
        """What a link is like, in both directions."""
        words = " ".join(f"{k}={v}" for k, v in policy.items())
        self.tell_wire(*(f"link {a} {b} {words}" for a, b in (edge, edge[::-1])))

    def cut(self, edge, down):
        self.tell_wire(*(f"down {a} {b} {int(down)}" for a, b in (edge, edge[::-1])))

    def police(self, spec):
        self.tell_wire(*(f"police {n} {spec['rate']} {spec['burst']}" for n in self.nodes))

    def counts(self):
        """What became of all packets."""
        self.tell_wire("count")
        sums = [0] * 5
        for line in iter(self.wire.stdout.readline, "end\n"):
            sums = [s + int(n) for s, n in zip(sums, line.split()[2:])]
        return dict(zip(("sent", "lost", "overflow", "policed", "delivered"), sums))

    # ---- nodes

    def configure(self, node, dials, extra, udp):
        """Write a node's fips.yaml: it dials the numbers in `dials`, and knows everybody."""
        env = {**os.environ, "NY_SECRET": node.who.secret, "NY_BIND": f"0.0.0.0:{PORT}",
               "NY_SOCKET": self.control(node), "NY_EXTRA": extra, "NY_UDP": udp}
        peers = [f"{far.who.npub} {far.name} auto_connect {far.endpoint()}\n"
                 if far.number in dials else f"{far.who.npub} {far.name} manual {NOWHERE}\n"
                 for far in self.nodes.values() if far is not node]
        text = sh("bash", NODE_SH, "yaml", node.kind, env=env, input="".join(peers))
        with open(f"{self.dir}/{node.name}/fips.yaml", "w", encoding="utf-8") as f:
            f.write(text + "\n")

    def control(self, node):
        return f"{self.dir}/{node.name}/control.sock"

    def start(self, node):
        with open(f"{self.dir}/{node.name}/log", "a", encoding="utf-8") as log:
            node.proc = subprocess.Popen(
                ["ip", "netns", "exec", self.ns(node), self.programs[node.kind], "-c",
                 f"{self.dir}/{node.name}/fips.yaml"], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env={**os.environ, "NO_COLOR": "1"})
        node.started = time.time()

    def stop(self, node, how):
        """SIGKILL or SIGTERM. Return: why the end was a bad one, or None."""
        proc, node.proc = node.proc, None
        proc.send_signal(getattr(signal, f"SIG{how}"))
        try:
            status = proc.wait(10)
        except subprocess.TimeoutExpired:
            proc.kill()
            proc.wait()
            return f"{node.name} did not end within 10 s of SIG{how}"
        return f"{node.name} ended with status {status}" if how == "TERM" and status else None

    def ask(self, node, command, **params):
        """A control command. Return: its data; raises OSError or Failed."""
        request = {"command": command, **({"params": params} if params else {})}
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(5)
            s.connect(self.control(node))
            s.sendall(json.dumps(request).encode() + b"\n")
            answer = b""
            while part := s.recv(65536):
                answer += part
        reply = json.loads(answer)
        if reply["status"] != "ok":
            raise Failed(f"{node.name}: {command}: {reply.get('message')}")
        return reply["data"]

    # ---- programs in namespaces

    def run(self, node, *command, out=subprocess.DEVNULL):
        proc = subprocess.Popen(["ip", "netns", "exec", self.ns(node), *command], stdout=out,
                                stderr=self.log, stdin=subprocess.DEVNULL, text=True)
        self.others.append(proc)
        return proc

    def first_pings(self, seconds, pairs):
        """Ping along pairs (from, to) until each has answered.

        Return: ({(from, to): Unix time of the answer}, [pairs without one])."""
        procs, answers, missing = [], {}, []
        gap = max(200, 20 * len(self.nodes))  # ms: the pings are not what fills the cables
        for node in self.nodes.values():
            far = [b for a, b in pairs if a is node]
            if far:
                procs.append((node, far, self.run(
                    node, program("net/firstping"), str(seconds), str(gap),
                    *[f.who.ip6 for f in far], out=subprocess.PIPE)))
        for node, far, proc in procs:
            at = dict(line.split() for line in proc.communicate()[0].splitlines())
            self.others.remove(proc)
            for f in far:
                if f.who.ip6 in at:
                    answers[node.name, f.name] = float(at[f.who.ip6])
                else:
                    missing.append((node.name, f.name))
        return answers, missing
