"""A network namespace for each server, all on one bridge. nftables drop packets between servers.

Clients are outside the namespaces, and reach every server even when the servers are cut off."""

import os
import shutil
import subprocess
import sys

SKIPPED = 77  # the exit status of a skipped test, for CTest


class Unavailable(Exception):
    """Network namespaces cannot be created here; the text has the reason."""


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
                raise Unavailable("only root can create network namespaces")
            for tool, package in ("ip", "iproute2"), ("nft", "nftables"):
                if not shutil.which(tool):
                    raise Unavailable(f"{tool} is missing: apt-get install {package}")
            self._create()
        except Unavailable as reason:
            self.__exit__()
            print(f"skipped: cannot create network namespaces: {reason}")
            sys.exit(SKIPPED)
        return self

    def _create(self):
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
                  set dropped { type ipv4_addr; }
                  chain input { type filter hook input priority 0; ip saddr @dropped drop; }
                }""")

    def __exit__(self, *_):
        for n in range(1, self.size + 1):
            subprocess.run(["ip", "netns", "delete", self.namespace(n)], capture_output=True)
            subprocess.run(["ip", "link", "delete", f"{self.tag}v{n}"], capture_output=True)
        subprocess.run(["ip", "link", "delete", f"{self.tag}b"], capture_output=True)

    def cut(self, a, b):
        """Drops packets from a to b. Packets from b to a still arrive."""
        command(*self.prefix(b), "nft", "add", "element", "ip", "zabkeeper", "dropped",
                f"{{ {self.subnet}.{a} }}")

    def cut_both(self, a, b):
        self.cut(a, b)
        self.cut(b, a)

    def isolate(self, n):
        for other in range(1, self.size + 1):
            if other != n:
                self.cut_both(n, other)

    def heal(self):
        for n in range(1, self.size + 1):
            command(*self.prefix(n), "nft", "flush", "set", "ip", "zabkeeper", "dropped")
