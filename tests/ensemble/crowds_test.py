"""Thousands of connections and sessions, from one address and from many: the memory that they cost
is bounded, the log stays short, and health checks, operators, peers and bystanders get in."""

import http.client
import re
import sys
import time

from bystander import PATIENT, beside
from conformance import Wire
from greedy import MIB, Crowd, bounded, frame, metric, unread_replies_of
from harness import Ensemble, run, until

MEMORY = {"memoryLimitBytes": 512 * MIB, "maxClientCnxns": 0, "maxSessionTimeout": 60_000}
# Of the server: 32 MiB of unfinished messages, 64 MiB of requests, 64 MiB that waits for clients.
ADDRESSES = 20


async def endless_messages():
    """1,000 connections with an endless message, and pings in between, keep what one budget allows"""
    async with Ensemble(1, **MEMORY) as ensemble:
        server = ensemble.servers[0]
        ping = frame(b"", opcode=9)
        piece = ping + frame(b" " * 1000, opcode=0, fin=False)
        for addresses in 1, ADDRESSES:
            crowd = Crowd(server, 1000, addresses).upgrade().connect(timeoutMs=60_000)
            begun = frame(b" " * 200_000, fin=False) + 100 * piece
            await bounded(server, crowd, begun, "unfinished", 64 * MIB)


async def unread_replies():
    """200 connections that do not read large replies keep what one budget allows"""
    async with Ensemble(1, **MEMORY) as ensemble:
        server = ensemble.servers[0]
        for addresses in 1, ADDRESSES:
            await unread_replies_of(server, 200, addresses)


async def requests_under_way():
    """1,000 requests of 1 MiB by one session take what one budget allows"""
    async with Ensemble(1, **MEMORY) as ensemble:
        server = ensemble.servers[0]
        wire = await Wire.open(server, timeoutMs=60_000)
        await wire.call({"op": "create", "path": "/held"})
        zxid = int((await wire.call({"op": "create", "path": "/written"}))["zxid"], 16)
        crowd = Crowd(server, 1).upgrade().connect(timeoutMs=60_000)
        # Replies wait behind one that waits for a later transaction.
        hold = {"id": "hold", "op": "get", "path": "/held",
                "consistency": {"atLeast": f"{zxid + 1_000_000:016x}"}}
        write = {"op": "set", "path": "/written", "data": "x" * (MIB - 1000)}
        await bounded(server, crowd, frame(hold) + frame(write) * 1000, "requests", 256 * MIB)


def lines(ensemble):
    return [len(server.log().splitlines()) for server in ensemble.servers]


def most_new(before, ensemble):
    return max(now - then for then, now in zip(before, lines(ensemble)))


async def expiring_sessions():
    """10,000 sessions that expire, and 10,000 broken greetings, write fewer than 100 lines"""
    async with Ensemble(3, maxClientCnxns=0, **PATIENT) as ensemble:
        leader = ensemble.leader()
        before = lines(ensemble)
        async with beside(leader, "10,000 sessions expire"):
            crowd = Crowd(leader, 10_000, ADDRESSES).upgrade().connect(timeoutMs=4000)
            crowd.close()
            expired = 'sessions_total{event="expired"}'
            await until(lambda: metric(leader, expired) >= 10_000, "10,000 sessions expire")
        written = most_new(before, ensemble)
        print(f"{written} lines for 10,000 sessions")
        assert written < 100, leader.log()
        await until(lambda: "more like it" in leader.log(), "the other lines are counted")

        before, began = lines(ensemble), time.monotonic()
        async with beside(leader, "10,000 broken greetings"):
            for number in range(100):
                crowd = Crowd(leader, 100, ADDRESSES, port=peer_port(leader))
                with_junk(crowd, bytes([number]) * 40)
                crowd.close()
        written, seconds = most_new(before, ensemble), time.monotonic() - began
        print(f"{written} lines for 10,000 greetings")
        assert written < max(100, 11 * seconds), leader.log()
        assert len({server.status()["epoch"] for server in ensemble.servers}) == 1


def with_junk(crowd, junk):
    for one in crowd.sockets:
        try:
            one.send(junk)
        except ConnectionError:
            pass


def peer_port(server):
    return int(re.search(rf"^server\.{server.id}=[^:]*:(\d+);", server.config.read_text(), re.M)[1])


def command(server, name):
    connection = http.client.HTTPConnection(server.host, server.web_port, timeout=10)
    connection.request("POST", f"/admin/{name}")
    return connection.getresponse().status


async def all_places_taken():
    """thousands of connections from many addresses keep no health check, operator or peer out"""
    async with Ensemble(3, maxCnxns=1000, maxClientCnxns=100, **PATIENT) as ensemble:
        leader, follower = ensemble.leader(), ensemble.followers()[0]
        epoch = leader.status()["epoch"]
        async with beside(leader, "all places taken"):
            crowds = [Crowd(leader, 3000, 60), Crowd(leader, 500, 20, port=peer_port(leader))]
            for path in ("/health/live", "/health/ready", "/status", "/metrics"):
                assert leader.http(path)[0] == 200, path
            # There is nothing to do: that is what the answer says.
            assert command(leader, f"level?to={leader.status()['level']}") == 409
            follower.kill()
            follower.start()
            await until(follower.ready, "a follower is admitted and synchronized")
            assert follower.status()["leader"] == leader.id
        assert leader.status()["epoch"] == epoch
        for crowd in crowds:
            crowd.close()


for test in (endless_messages, unread_replies, requests_under_way, expiring_sessions,
             all_places_taken):
    if test.__name__ in (sys.argv[1:] or [test.__name__]):
        run(test)
