"""A network namespace for each server, all on one bridge; who hears whom is decided by nftables.

Clients stay outside, and reach every server whatever is cut between the servers."""

import os
import shutil
import subprocess
import sys

SKIPPED = 77  # what CTest takes for "skipped"


class Unavailable(Exception):
    """Namespaces cannot be made here: why."""


def command(*words, text=None):
    done = subprocess.run(words, capture_output=True, text=True, input=text)
    if done.returncode != 0:
        raise Unavailable(f"{' '.join(words)}: {done.stderr.strip()}")


class Network:
    """`with Network(3) as network: async with Ensemble(3, network=network)`."""

    def __init__(self, size):
        self.size = size
        self.tag = f"zk{os.getpid()}"
        self.subnet = f"10.{200 + os.getpid() // 250 % 50}.{os.getpid() % 250}"
        self.hosts = [f"{self.subnet}.{n}" for n in range(1, size + 1)]

    def namespace(self, n):
        return f"{self.tag}-{n}"

    def prefix(self, n):
        return ["ip", "netns", "exec", self.namespace(n)]

    def __enter__(self):
        try:
            if os.geteuid() != 0:
                raise Unavailable("only root may make network namespaces")
            for tool, package in ("ip", "iproute2"), ("nft", "nftables"):
                if not shutil.which(tool):
                    raise Unavailable(f"there is no {tool}: apt-get install {package}")
            self._make()
        except Unavailable as reason:
            self.__exit__()
            print(f"skipped: no network namespaces here: {reason}")
            sys.exit(SKIPPED)
        return self

    def _make(self):
        bridge = f"{self.tag}b"
        command("ip", "link", "add", bridge, "type", "bridge")
        command("ip", "address", "add", f"{self.subnet}.254/24", "dev", bridge)
        command("ip", "link", "set", bridge, "up")
        for n in range(1, self.size + 1):
            command("ip", "netns", "add", self.namespace(n))
            command("ip", "link", "add", f"{self.tag}v{n}", "type", "veth", "peer", "name", "eth0",
                    "netns", self.namespace(n))
            command("ip", "link", "set", f"{self.tag}v{n}", "master", bridge, "up")
            inside = ["ip", "-n", self.namespace(n)]
            command(*inside, "address", "add", f"{self.subnet}.{n}/24", "dev", "eth0")
            command(*inside, "link", "set", "eth0", "up")
            command(*inside, "link", "set", "lo", "up")
            command(*self.prefix(n), "nft", "-f", "-", text="""
                table ip zabkeeper {
                  set deaf { type ipv4_addr; }
                  chain hear { type filter hook input priority 0; ip saddr @deaf drop; }
                }""")

    def __exit__(self, *_):
        for n in range(1, self.size + 1):
            subprocess.run(["ip", "netns", "delete", self.namespace(n)], capture_output=True)
            subprocess.run(["ip", "link", "delete", f"{self.tag}v{n}"], capture_output=True)
        subprocess.run(["ip", "link", "delete", f"{self.tag}b"], capture_output=True)

    def cut(self, a, b):
        """What a sends does not reach b any more; the other direction is left alone."""
        command(*self.prefix(b), "nft", "add", "element", "ip", "zabkeeper", "deaf",
                f"{{ {self.subnet}.{a} }}")

    def part(self, a, b):
        self.cut(a, b)
        self.cut(b, a)

    def isolate(self, n):
        for other in range(1, self.size + 1):
            if other != n:
                self.part(n, other)

    def heal(self):
        for n in range(1, self.size + 1):
            command(*self.prefix(n), "nft", "flush", "set", "ip", "zabkeeper", "deaf")
