"""The memory that clients cause stays within budgets, and others are served meanwhile."""

import asyncio
import json
import os
import re
import socket

from bystander import Bystander, beside
from conformance import Wire
from greedy import Crowd
from harness import Ensemble, run, until
from programs import GREATEST
from rfc6455 import TEXT, frame

MIB = 1 << 20
CLIENTS = 100
# The budgets of one address: 2 MiB of unfinished messages, 4 MiB of requests, 4 MiB of queued
# messages.
SMALL = {"memoryLimitBytes": 64 * MIB, "maxDataBytes": 65536}
NODE = "n" * 60_000


def rss(server):
    status = open(f"/proc/{server.process.pid}/status").read()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024


def metric(server, name, **labels):
    inside = ",".join(f'{k}="{v}"' for k, v in labels.items())
    line = f"zabkeeper_{name}" + (f"{{{inside}}}" if inside else "")
    found = re.search(re.escape(line) + r" (\d+)", server.http("/metrics")[1])
    assert found, line
    return int(found[1])


def used_bytes(server, budget):
    return metric(server, "budget_used_bytes", budget=budget)


def measures(server, budget, measure):
    return metric(server, "budget_measures_total", budget=budget, measure=measure)


def upgraded(server):
    """A blocking socket with a small receive buffer, upgraded, with a session."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect(("127.0.0.1", server.web_port))
    raw.settimeout(10)
    raw.sendall(f"GET /v1 HTTP/1.1\r\nHost: 127.0.0.1:{server.web_port}\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += raw.recv(4096)
    assert b" 101 " in answer.split(b"\r\n")[0], answer
    raw.sendall(frame(TEXT, b'{"op":"connect"}'))
    while b"connected" not in answer:
        answer += raw.recv(4096)
    return raw


def send_what_fits(raw, data):
    """Sends until the server does not read any more."""
    raw.settimeout(0.02)
    try:
        raw.sendall(data)
    except TimeoutError:
        pass


async def is_served(wire):
    reply = await wire.call({"op": "set", "path": "/small", "data": "x" * 500})
    assert "error" not in reply, reply
    reply = await wire.call({"op": "get", "path": "/small"})
    assert reply["data"] == "x" * 500, reply


async def greedy_clients(server, wire, sent, budget, *, grown_max, used_max, not_read_min):
    """Many connections send the same message and read nothing. Checks the memory that they cost."""
    before = rss(server)
    greedy = []
    for n in range(CLIENTS):
        greedy.append(upgraded(server))
        send_what_fits(greedy[-1], sent)
        if n % 20 == 0:
            await is_served(wire)
    grown = rss(server) - before
    assert grown < grown_max, f"{grown} bytes for {CLIENTS} clients"
    used = used_bytes(server, budget)
    assert MIB <= used <= used_max, used
    assert measures(server, budget, "not_read") >= not_read_min
    assert server.ready()
    for raw in greedy:
        raw.close()
    for each in ("unfinished", "requests", "waiting", "watches"):
        await until(lambda: used_bytes(server, each) == 0, f"the budget {each} is given back")


async def unfinished_messages(server, wire):
    """Each of many connections begins a message of 500 KiB, and does not end it."""
    begun = frame(TEXT, b" " * 400_000, length=500_000)
    await greedy_clients(server, wire, begun, "unfinished",
                         grown_max=12 * MIB, used_max=3 * MIB, not_read_min=CLIENTS / 2)


async def unread_replies(server, wire):
    """Each of many connections asks for 6 MB, and reads nothing."""
    asked = json.dumps([{"id": n, "op": "get", "path": "/node"} for n in range(100)]).encode()
    await greedy_clients(server, wire, frame(TEXT, asked), "waiting",
                         grown_max=24 * MIB, used_max=6 * MIB, not_read_min=1)


async def outstanding_requests(server, wire):
    """Clients send more writes than may be outstanding: each is done, or refused with Overloaded."""
    writers = [await Wire.open(server) for _ in range(10)]
    for n, writer in enumerate(writers):
        await writer.send({"op": "create", "path": f"/w{n}"})
        await writer.send(*[{"id": i, "op": "set", "path": f"/w{n}", "data": NODE}
                            for i in range(40)])
    done = 0
    for n, writer in enumerate(writers):
        replies = (await writer.several(41))[1:]
        assert [r["id"] for r in replies] == list(range(40)), replies
        assert {r.get("error", "Overloaded") for r in replies} == {"Overloaded"}, replies
        done = sum("stat" in r for r in replies)
        stat = (await wire.call({"op": "exists", "path": f"/w{n}"}))["stat"]
        assert stat["version"] == done, (stat, done)
        await is_served(wire)
    assert done > 0
    await until(lambda: used_bytes(server, "requests") == 0, "no request is charged any more")


async def much_is_read(server, wire):
    """A client that reads its replies gets all of them."""
    await wire.send([{"id": n, "op": "get", "path": "/node"} for n in range(500)])
    replies = await wire.several(500)
    assert [r["id"] for r in replies] == list(range(500))
    errors = [r for r in replies if "error" in r]
    assert not errors, (len(errors), errors[0])
    assert metric(server, "client_too_slow_total") == 0


async def budgets():
    async with Ensemble(1, **SMALL) as ensemble:
        server = ensemble.servers[0]
        wire = await Wire.open(server)
        for path, data in (("/small", ""), ("/node", NODE)):
            await wire.call({"op": "create", "path": path, "data": data})
        assert metric(server, "memory_limit_bytes") == 64 * MIB
        async with Bystander(server) as bystander:
            for phase in much_is_read, outstanding_requests, unfinished_messages, unread_replies:
                async with bystander.beside(phase.__name__.replace("_", " ")):
                    await phase(server, wire)
        await is_served(wire)
        server.terminate()
        server.start()
        await ensemble.all_ready()


async def filled(wire, server):
    """Creates nodes of 1 KB until the server refuses one; returns the number of nodes."""
    count = 0
    while True:
        await wire.send([{"op": "create", "path": f"/fill/{n}", "data": "d" * 1000}
                         for n in range(count, count + 100)])
        replies = await wire.several(100)
        count += sum("stat" in reply for reply in replies)
        errors = {reply.get("error") for reply in replies} - {None}
        if errors:
            assert errors == {"Overloaded"}, errors
            message = next(reply["message"] for reply in replies if "error" in reply)
            assert "Nothing was done" in message and "Delete nodes, or raise memoryLimitBytes" in message, message
            return count
        assert count < 100_000, "the state has no limit"


async def full_tree():
    """A full tree refuses writes that enlarge it, serves everything else, and is complete after a restart."""
    async with Ensemble(1, **SMALL) as ensemble:
        server = ensemble.servers[0]
        await until(lambda: server.status()["level"] == GREATEST, "the ensemble has the level of this error")
        wire = await Wire.open(server)
        await wire.call({"op": "create", "path": "/fill"})
        before = rss(server)
        count = await filled(wire, server)
        state, limit = metric(server, "state_bytes"), metric(server, "state_limit_bytes")
        assert limit == 32 * MIB and limit * 0.95 < state <= limit, (state, limit)
        grown = rss(server) - before
        print(f"{count} nodes, {state >> 10} KiB by the estimate, {grown >> 10} KiB of resident memory")
        assert metric(server, "commands_overloaded_total") > 0

        reply = await wire.call({"op": "children", "path": "/fill", "limit": 3})
        assert len(reply["children"]) == 3, reply
        for request in ({"op": "set", "path": "/fill/0", "data": "d" * 60_000},
                        {"op": "create", "path": "/more", "data": "d" * 60_000}):
            reply = await wire.call(request)
            assert reply["error"] == "Overloaded", reply
        for request in ({"op": "set", "path": "/fill/0", "data": ""},
                        {"op": "delete", "path": "/fill/1"}):
            reply = await wire.call(request)
            assert "error" not in reply, reply
        assert (await wire.call({"op": "exists", "path": "/more"}))["stat"] is None

        server.kill()  # the log is replayed
        server.start()
        await ensemble.all_ready()
        assert limit * 0.95 < metric(server, "state_bytes") <= limit
        wire = await Wire.open(server)  # a client can connect, and delete nodes
        assert (await wire.call({"op": "get", "path": "/fill/2"}))["data"] == "d" * 1000
        await wire.send([{"op": "delete", "path": f"/fill/{n}"} for n in range(2, 102)])
        assert not [reply for reply in await wire.several(100) if "error" in reply]
        reply = await wire.call({"op": "create", "path": "/more", "data": "d" * 60_000})
        assert "error" not in reply, reply


async def sessions():
    """The sessions of an address are limited, connected or not. An open session can be resumed."""
    async with Ensemble(1, maxClientSessions=3, tickTime=2000) as ensemble:
        server = ensemble.servers[0]
        wires = [await Wire.open(server, timeoutMs=40_000) for _ in range(3)]
        wires[0].socket.transport.abort()  # its session stays open

        async def refused():
            wire = await Wire.to(server)
            return await wire.call({"op": "connect"})

        reply = await refused()
        assert (reply["op"], reply["error"]) == ("connect", "TooManySessions"), reply
        assert "maxClientSessions=3" in reply["message"], reply
        resumed = await Wire.open(server, timeoutMs=40_000, **wires[0].credentials)
        assert resumed.connected["resumed"]
        assert (await refused())["error"] == "TooManySessions"
        assert metric(server, "client_errors_total", error="TooManySessions") == 2
        await wires[1].call({"op": "close"})
        await Wire.open(server)
    async with Ensemble(1, clientSessionsPerSecond=1) as ensemble:
        server = ensemble.servers[0]
        last = None
        for _ in range(200):  # the limit is ten at once, and then one a second
            wire = await Wire.to(server)
            last = await wire.call({"op": "connect"})
            wire.socket.transport.abort()
            if last["op"] == "connect":
                break
        assert last.get("error") == "TooManySessions" and "clientSessionsPerSecond=1" in last["message"], last
    async with Ensemble(1, maxSessions=2, tickTime=2000) as ensemble:
        server = ensemble.servers[0]
        await until(lambda: server.status()["level"] == GREATEST, "the ensemble has the level of this error")
        held = [await Wire.open(server) for _ in range(2)]
        wire = await Wire.to(server)
        reply = await wire.call({"op": "connect"})
        assert reply["error"] == "TooManySessions" and "maxSessions=2" in reply["message"], reply
        await held[0].call({"op": "close"})
        await Wire.open(server)


def connect(server):
    return socket.create_connection(("127.0.0.1", server.web_port), timeout=10)


async def places():
    """Health checks and commands are answered while an address has more connections than its limit."""
    async with Ensemble(1, maxClientCnxns=3) as ensemble:
        server = ensemble.servers[0]
        async with beside(server, "300 connections without a place"):
            idle = [connect(server) for _ in range(300)]
            for path in ("/health/live", "/health/ready", "/status", "/metrics"):
                assert server.http(path)[0] == 200, path
            refused = await Wire.to(server)
            reply = await refused.next()
            assert (reply["op"], reply["error"]) == ("connect", "TooManyConnections"), reply
        for one in idle:
            one.close()


async def open_files():
    """Connections do not take the file descriptors that the log needs."""
    async with Ensemble(1, start=False, logSegmentBytes=65536, maxDataBytes=65536) as ensemble:
        server = ensemble.servers[0]
        server.prefix = ["prlimit", "--nofile=128"]
        server.start()
        await ensemble.all_ready()
        wire = await Wire.open(server)
        await wire.call({"op": "create", "path": "/a"})
        async with beside(server, "open files"):
            idle = [connect(server) for _ in range(200)]
            for n in range(30):  # each begins a new file of the log
                reply = await wire.call({"op": "set", "path": "/a", "data": NODE})
                assert "error" not in reply, reply
            assert server.ready()
        files = len(os.listdir(f"/proc/{server.process.pid}/fd"))
        assert files < 128, files
        assert server.running() and "too few for maxCnxns" in server.log(), server.log()
        for one in idle:
            one.close()


async def memory_is_given_back():
    """A server that is idle after greedy clients have left gives its memory back to the system."""
    async with Ensemble(1, memoryLimitBytes=2048 * MIB) as ensemble:
        server = ensemble.servers[0]
        before = rss(server)
        crowd = Crowd(server, 100, addresses=20).upgrade().connect()
        crowd.send_what_fits(frame(TEXT, b" " * 900_000, length=1_000_000))
        grown = rss(server) - before
        assert grown > 50 * MIB, grown
        crowd.close()
        await until(lambda: rss(server) - before < grown / 4,
                    f"most of {grown >> 20} resident MiB is given back")
        print(f"{grown >> 20} MiB for 100 clients, {rss(server) - before >> 20} MiB afterwards")


async def test():
    """the memory that clients cause stays within budgets, and bystanders are served"""
    await asyncio.wait_for(budgets(), 120)
    await asyncio.wait_for(full_tree(), 120)
    await asyncio.wait_for(sessions(), 60)
    await memory_is_given_back()
    await places()
    await open_files()


run(test)
