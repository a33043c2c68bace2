"""A client that asks for little, and asks all the time: while others ask for much, it must be
served as before.

It is a process of its own, so that the work of the test does not delay it. Its threads measure:

- requests: writes and reads of a small node, in turns, on one connection,
- health: GET /health/live, each time on a new connection,
- machine: the same writes and reads to a process that only syncs and replies, and turns of 10 ms of
  processor time. They show what the disk and the processors of the machine give to one process at
  that moment, whatever Zabkeeper does. Tests share the machine with others."""

import asyncio
import contextlib
import http.client
import json
import math
import os
import socket
import subprocess
import sys
import threading
import time

from rfc6455 import TEXT, frame

# A p99 may be this many times what it was before. Below FLOOR nothing is judged: that is a tenth
# of the silence after which an ensemble elects a leader by default.
TIMES = 3
FLOOR = 0.06
# Half of that silence. Nothing may take longer, beyond what the machine itself took.
SILENCE = 0.3

# Tests for every change judge so much more leniently: other machines do not do their work evenly.
# `tools/dev nightly` judges strictly.
LENIENCE = 1 if os.environ.get("ZABKEEPER_BYSTANDER") == "strict" else 4

# Keys of an ensemble: on a busy machine, a silence of 0.6 s is no proof that a server is to blame.
PATIENT = {"syncLimit": 12}  # three seconds, with the ticks of Ensemble

ENOUGH = 100  # samples of each kind, at least, for a p99
TURN = 0.01  # seconds of processor time
PAUSE = 0.004  # between two requests, so that a bystander takes little of the machine


# --- the process that measures

class Timings:
    """How long each operation of a kind took, since the last `take`."""

    def __init__(self):
        self.lock = threading.Lock()
        self.taken = {}
        self.under_way = {}
        self.failure = None

    def measure(self, kind, operation):
        began = time.monotonic()
        self.under_way[kind] = began
        operation()
        with self.lock:
            del self.under_way[kind]
            self.taken.setdefault(kind, []).append(time.monotonic() - began)

    def forever(self, *operations, pause):
        """Operations are (kind, function)."""
        try:
            while True:
                for kind, operation in operations:
                    self.measure(kind, operation)
                    time.sleep(pause)
        except Exception as error:  # of any kind: the test is told
            self.failure = f"{kind}: {error!r}"

    def take(self):
        with self.lock:
            taken, self.taken = self.taken, {}
            now = time.monotonic()
            late = {kind: now - began for kind, began in self.under_way.items()}
        return {"seconds": taken, "underWay": late, "failure": self.failure}

    def counts(self):
        with self.lock:
            return {"counts": {kind: len(all_) for kind, all_ in self.taken.items()},
                    "failure": self.failure}


class Requests:
    """One connection and session. Replies come one at a time, because requests do."""

    def __init__(self, port, path):
        self.path = path
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(f"GET /v1 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
                            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
        self.bytes = self.socket.makefile("rb")
        assert b" 101 " in self.bytes.readline()
        while self.bytes.readline() != b"\r\n":
            pass
        self.call(op="connect", timeoutMs=10_000)
        self.count = 0

    def call(self, **request):
        self.socket.sendall(frame(TEXT, json.dumps(request).encode()))
        while True:
            first, length = self.bytes.read(2)
            if length >= 126:
                length = int.from_bytes(self.bytes.read(2 if length == 126 else 8), "big")
            payload = self.bytes.read(length)
            if first & 0xF == TEXT:
                break
            if first & 0xF == 8:
                raise ConnectionError(f"closed: {payload}")
        reply = json.loads(payload)
        if "error" in reply:
            raise RuntimeError(f"{request}: {reply}")
        return reply

    def write(self):
        self.count += 1
        self.call(op="set", path=self.path, data=str(self.count), create=True)

    def read(self):
        assert self.call(op="get", path=self.path)["data"] == str(self.count), "not the last write"


class Machine:
    """A child process that does what it is asked, and replies."""

    def __init__(self, directory):
        self.socket, others = socket.socketpair()
        if os.fork() == 0:
            self.socket.close()
            with contextlib.suppress(ConnectionError):
                self._serve(others, directory)
            os._exit(0)
        others.close()

    @staticmethod
    def _serve(others, directory):
        file = os.open(f"{directory}/bystander-{os.getpid()}", os.O_CREAT | os.O_RDWR, 0o600)
        os.pwrite(file, bytes(1 << 16), 0)
        while asked := others.recv(1):
            if asked == b"w":
                os.pwrite(file, os.urandom(512), 0)
                os.fdatasync(file)
            elif asked == b"t":
                end = time.thread_time() + TURN
                while time.thread_time() < end:
                    pass
            others.send(asked)

    def ask(self, what):
        self.socket.send(what)
        assert self.socket.recv(1) == what


def is_alive(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/health/live")
    response = connection.getresponse()
    assert response.status == 200, response.status
    response.read()
    connection.close()


def main(port, directory, path):
    machine, processor = Machine(directory), Machine(directory)  # before there are threads
    requests = Requests(port, path)
    timings = Timings()
    for operations, pause in (
            ([("write", requests.write), ("read", requests.read)], PAUSE),
            ([("machine write", lambda: machine.ask(b"w")),
              ("machine read", lambda: machine.ask(b"r"))], PAUSE),
            ([("machine turn", lambda: processor.ask(b"t"))], 10 * PAUSE),
            ([("health", lambda: is_alive(port))], 2 * PAUSE)):
        threading.Thread(target=timings.forever, args=operations, kwargs={"pause": pause},
                         daemon=True).start()
    for line in sys.stdin:
        print(json.dumps(timings.take() if line == "take\n" else timings.counts()), flush=True)
    os._exit(0)


# --- for tests

class Figures:
    """Of one kind, in seconds."""

    def __init__(self, seconds, under_way=0):
        self.count = len(seconds)
        ordered = sorted(seconds) or [0]
        self.p50, self.p99 = (ordered[math.ceil(len(ordered) * part) - 1] for part in (0.5, 0.99))
        self.longest = max(ordered[-1], under_way)

    def __str__(self):
        return f"{1e3 * self.p50:.1f} {1e3 * self.p99:.1f} {1e3 * self.longest:.0f}"


def complaints(before, now, lenience=1):
    """Compares the figures of a phase with those before it, both by kind. What the machine took
    excuses as much: a slower disk, and turns that take longer than their processor time."""
    stretch = max(1, now["machine turn"].p99 / TURN)
    stall = max(now["machine write"].longest, now["machine read"].longest)
    for kind, machine in (("write", "machine write"), ("read", "machine read"),
                          ("health", "machine read")):
        slower = max(1, now[machine].p99 / before[machine].p99)
        allowed = max(TIMES * before[kind].p99 * slower, lenience * FLOOR * stretch)
        if now[kind].p99 > allowed:
            yield f"p99 of {kind} is {now[kind].p99:.3f} s, and at most {allowed:.3f} s is allowed"
        allowed = lenience * SILENCE * stretch + stall
        if now[kind].longest > allowed:
            yield (f"the longest {kind} took {now[kind].longest:.3f} s, and at most {allowed:.3f} s"
                   " is allowed")


class Bystander:
    """`async with Bystander(server) as bystander`: measures a baseline first. Then
    `async with bystander.beside("what happens")` for each phase, which fails at its end if the
    bystander was served much worse."""

    KINDS = ("write", "read", "health", "machine write", "machine read", "machine turn")

    def __init__(self, server, path="/bystander"):
        self.server, self.path = server, path
        self.before = None

    async def __aenter__(self):
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-B", __file__, str(self.server.web_port), str(self.server.directory),
            self.path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=1 << 26)
        await self._ask("take")  # the first requests warm everything up
        while await self.has_few():
            pass
        self.before = await self.figures()
        self._print("before")
        return self

    async def __aexit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()

    async def _ask(self, what):
        self.process.stdin.write(f"{what}\n".encode())
        line = await self.process.stdout.readline()
        assert line, "the bystander has ended: its error is above"
        answer = json.loads(line)
        assert not answer["failure"], f"the bystander is not served: {answer['failure']}"
        return answer

    async def has_few(self):
        """Whether the phase has too few samples: a test repeats its load while it has."""
        await asyncio.sleep(0.02)
        counts = (await self._ask("count"))["counts"]
        return any(counts.get(kind, 0) < ENOUGH for kind in self.KINDS[:-1])

    async def figures(self):
        """By kind, since the last call."""
        answer = await self._ask("take")
        return {kind: Figures(answer["seconds"].get(kind, []), answer["underWay"].get(kind, 0))
                for kind in self.KINDS}

    @contextlib.asynccontextmanager
    async def beside(self, what):
        await self._ask("take")
        yield self
        while await self.has_few():
            pass
        now = await self.figures()
        self._print(what, now)
        found = list(complaints(self.before, now, LENIENCE))
        assert not found, f"{what}: {'; '.join(found)}"

    def _print(self, what, now=None):
        figures = now or self.before
        print(f"bystander {what}: p50 p99 longest in ms,", ", ".join(
            f"{kind} {figures[kind]}" for kind in self.KINDS), flush=True)


@contextlib.asynccontextmanager
async def beside(server, what):
    """A bystander for one phase."""
    async with Bystander(server) as bystander, bystander.beside(what):
        yield bystander


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
