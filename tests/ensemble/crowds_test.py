"""Thousands of connections, from one address and from many: the memory that they cost is bounded,
and a bystander is served.

usage: crowds_test.py [CASE]..."""

import sys

from conformance import Wire
from greedy import MIB, Crowd, bounded, frame, unread_replies_of
from harness import Ensemble, run

MEMORY = {"memoryLimitBytes": 512 * MIB, "maxClientCnxns": 0, "maxSessionTimeout": 60_000}
# Of the server: 32 MiB of unfinished messages, 64 MiB of requests, 64 MiB that waits for clients.
ADDRESSES = 20


async def endless_messages():
    """1,000 connections with an endless message, and pings in between, keep what a budget allows"""
    async with Ensemble(1, **MEMORY) as ensemble:
        server = ensemble.servers[0]
        ping = frame(b"", opcode=9)
        piece = ping + frame(b" " * 1000, opcode=0, fin=False)
        for addresses in 1, ADDRESSES:
            crowd = Crowd(server, 1000, addresses).upgrade().connect(timeoutMs=60_000)
            begun = frame(b" " * 200_000, fin=False) + 100 * piece
            await bounded(server, crowd, begun, "unfinished", 64 * MIB)


async def unread_replies():
    """50 connections that do not read large replies keep what one budget allows"""
    async with Ensemble(1, **MEMORY) as ensemble:
        server = ensemble.servers[0]
        for addresses in 1, ADDRESSES:
            await unread_replies_of(server, 50, addresses)


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


for test in (endless_messages, unread_replies, requests_under_way):
    if test.__name__ in (sys.argv[1:] or [test.__name__]):
        run(test)
