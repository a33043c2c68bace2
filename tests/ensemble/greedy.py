"""Clients that ask for much. Each load is one function, for the tests of one case and for the
stress of all together (greedy_soak.py)."""

import asyncio
import contextlib
import json
import re
import select
import socket
import struct
import time

from bystander import beside
from conformance import Wire
from harness import TIMEOUT, until

MIB = 1 << 20


# --- over a WebSocket library, in JSON or CBOR

async def fill(wire, path, children, size):
    await wire.call({"op": "create", "path": path})
    for number in range(children):
        reply = await wire.call({"op": "create", "path": f"{path}/{number}",
                                 "data": wire.data("x" * size)})
        assert "path" in reply, reply


async def fill_quickly(wire, path, children):
    """Many empty children."""
    await wire.call({"op": "create", "path": path})
    for first in range(0, children, 1000):
        await wire.call({"op": "multi", "ops": [{"op": "create", "path": f"{path}/{number}"}
                                                for number in range(first, first + 1000)]})


async def lists_in_a_multi(wire, path, *writes):
    """999 lists of large nodes."""
    lists = [{"op": "children", "path": path, "withData": True}] * 999
    return await wire.call({"id": 1, "op": "multi", "ops": [*writes, *lists]})


IDENTITIES = [{"scheme": "digest", "token": f"{n}:" + "x" * 900} for n in range(15)]


async def details_in_a_multi(wire, path):
    """999 lists with details, which depend on the identities of the caller."""
    lists = [{"op": "children", "path": path, "withStat": True}] * 999
    return await wire.call({"id": 1, "op": "multi", "ops": [
        {"op": "set", "path": path, "data": wire.data("")}, *lists]})


async def large_result(wire, ident, written, read, times=12):
    """A write, whose result has the data of a large node many times."""
    return await wire.call({"id": ident, "op": "multi", "ops": [
        {"op": "set", "path": written, "data": wire.data(""), "create": True},
        *[{"op": "get", "path": read}] * times]})


async def watch_often(wire, path, count):
    """So many watches with data on one node."""
    for first in range(0, count, 500):
        await wire.send([{"id": n, "op": "watch", "path": path, "withData": True}
                         for n in range(first, min(first + 500, count))])
        replies = await wire.several(min(500, count - first))
        assert all("watch" in reply or "op" in reply for reply in replies), replies[-1]


async def list_all(wire, path):
    """The names in a list that is too long for one reply, and the number of replies."""
    names, replies, fields = [], 0, {}
    while True:
        reply = await wire.call({"op": "children", "path": path, "withData": True, **fields})
        if "children" not in reply:  # an error, or the session's end
            return reply
        names += [child["name"] for child in reply["children"]]
        replies += 1
        if not reply["more"]:
            return names, replies
        fields = {"after": names[-1]}


async def heavy_frame(wire, path, lists):
    """Lists of a large folder, in one frame. The bytes of the replies, which are not parsed."""
    await wire.send([{"id": n, "op": "children", "path": path} for n in range(lists)])
    return [len(await asyncio.wait_for(wire.socket.recv(), TIMEOUT)) for _ in range(lists)]


# --- over plain sockets, thousands of them

def frame(payload, *, opcode=1, fin=True, length=None):
    """A frame with a mask of zeros, which is quick to write."""
    payload = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    length = len(payload) if length is None else length
    head = bytes([fin << 7 | opcode])
    if length < 126:
        head += bytes([128 | length])
    else:
        short = length < 1 << 16
        head += struct.pack(">BH", 254, length) if short else struct.pack(">BQ", 255, length)
    return head + bytes(4) + payload


class Crowd:
    """So many connections to a server, from so many addresses of loopback. They read only what
    they must."""

    def __init__(self, server, count, addresses=1, port=None):
        self.server, self.sockets = server, []
        for number in range(count):
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
            one.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
            one.bind((f"127.0.{1 + number % addresses // 250}.{1 + number % addresses % 250}", 0))
            one.settimeout(30)
            one.connect(("127.0.0.1", port or server.web_port))
            self.sockets.append(one)

    def upgrade(self):
        self.send(f"GET /v1 HTTP/1.1\r\nHost: 127.0.0.1:{self.server.web_port}\r\n"
                  "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
        self.receive(b"\r\n\r\n", b" 101 ")
        return self

    def connect(self, **fields):
        """Opens a session on each connection."""
        self.send(frame({"op": "connect", **fields}))
        self.receive(b"}", b'"connected"')
        return self

    def send(self, data):
        for one in self.sockets:
            one.sendall(data)

    def receive(self, end, expected):
        """On each connection, everything up to `end`, which has what is expected."""
        for one in self.sockets:
            received = b""
            while not received.endswith(end):
                part = one.recv(4096)
                if not part:
                    raise ConnectionError(f"closed by the server: {received}")
                received += part
            assert expected in received, received

    def receive_count(self, part, count):
        """On each connection, so many times a part of a message."""
        for one in self.sockets:
            received = b""
            while received.count(part) < count:
                more = one.recv(1 << 16)
                if not more:
                    raise ConnectionError(f"closed by the server: {received[-200:]}")
                received += more

    def send_what_fits(self, data, seconds=10, patience=0.2):
        """Sends on all connections as long as the server reads from some of them. `patience` is the
        time in which it reads nothing. Returns how many bytes the system took."""
        left = {one.fileno(): (one, memoryview(data)) for one in self.sockets}
        poll = select.poll()
        for number, (one, _) in left.items():
            one.setblocking(False)
            poll.register(number, select.POLLOUT)
        deadline = time.monotonic() + seconds
        while left and time.monotonic() < deadline:
            ready = poll.poll(patience * 1000)
            if not ready:
                break
            for number, _ in ready:
                one, rest = left[number]
                try:
                    rest = rest[one.send(rest):]
                except BlockingIOError:
                    continue
                except ConnectionError:
                    rest = b""
                left[number] = (one, rest)
                if not rest:
                    poll.unregister(number)
                    del left[number]
        return len(data) * len(self.sockets) - sum(len(rest) for _, rest in left.values())

    def receive_messages(self, each):
        """So many messages from each connection, as text."""
        messages = []
        for one in self.sockets:
            one.settimeout(TIMEOUT)
            reader = one.makefile("rb")
            for _ in range(each):
                first = 0x89  # a ping, which is left out
                while first == 0x89:
                    first, length = reader.read(2)
                    if length >= 126:
                        length = int.from_bytes(reader.read(2 if length == 126 else 8), "big")
                    payload = reader.read(length)
                assert first == 0x81, (first, payload)
                messages.append(payload.decode())
        return messages

    def closed_by_server(self):
        """How many connections the server has ended. Reads what it sent."""
        closed = 0
        for one in self.sockets:
            one.setblocking(False)
            try:
                while one.recv(1 << 16):
                    pass
                closed += 1
            except BlockingIOError:
                pass
            except ConnectionError:
                closed += 1
        return closed

    def close(self):
        for one in self.sockets:
            with contextlib.suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.close()


def metric(server, name):
    found = re.search(rf"^zabkeeper_{re.escape(name)} (\d+)", server.http("/metrics")[1], re.M)
    assert found, name
    return int(found[1])


def used(server, budget):
    return metric(server, f'budget_used_bytes{{budget="{budget}"}}')


async def bounded(server, crowd, sent, budget, grown_max):
    """A crowd that sends more than the server may keep, or asks for more. Closes the crowd."""
    before = server.resident()
    limit = metric(server, f'budget_limit_bytes{{budget="{budget}"}}')
    async with beside(server, f"{len(crowd.sockets)} connections, {budget}"):
        crowd.send_what_fits(sent, seconds=4)
        kept = await until(lambda: (now := used(server, budget)) >= limit / 64 and now,
                           f"much of {budget} is used")
        grown = server.resident() - before
    print(f"{budget}: {kept >> 20} of {limit >> 20} MiB are used, {grown >> 20} MiB resident,"
          f" {crowd.closed_by_server()} closed")
    assert kept <= limit, (kept, limit)
    assert grown < grown_max, grown
    crowd.close()
    await until(lambda: used(server, budget) == 0, f"the budget {budget} is given back")


async def unread_replies_of(server, count, addresses):
    """Each connection asks for 6 MB, and reads nothing."""
    wire = await Wire.open(server, timeoutMs=60_000)
    await wire.call({"op": "set", "path": "/node", "data": "n" * 60_000, "create": True})
    asked = frame([{"id": n, "op": "get", "path": "/node"} for n in range(100)])
    crowd = Crowd(server, count, addresses).upgrade().connect(timeoutMs=60_000)
    await bounded(server, crowd, asked, "waiting", 160 * MIB)
    await wire.drop()
