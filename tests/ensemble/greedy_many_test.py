"""Many greedy clients that ask for the same at the same time: the cost is bounded, and others are
served meanwhile.

usage: greedy_many_test.py [CASE]..."""

import asyncio
import sys

import greedy
from bystander import beside
from conformance import Wire
from greedy import MIB, Crowd, frame
from harness import TIMEOUT, Ensemble, run


async def events_for_many_sessions():
    """an event with 1 MiB for 1,000 sessions with 100 watches each takes its data once"""
    async with Ensemble(1, maxClientCnxns=0, memoryLimitBytes=512 * MIB) as ensemble:
        server = ensemble.servers[0]
        writer = await Wire.open(server)
        await writer.call({"op": "create", "path": "/p"})
        crowd = Crowd(server, 1000, addresses=20).upgrade().connect()
        watches = [{"id": n, "op": "watch", "path": "/p", "withData": True} for n in range(100)]
        crowd.send(frame(watches))
        crowd.receive_count(b'"watch":', 100)
        before = server.resident()
        async with beside(server, "events for many sessions"):
            for data in ("x" * MIB, "y"):
                await writer.call({"op": "set", "path": "/p", "data": writer.data(data)})
            grown = server.resident() - before
        print(f"{grown >> 20} MiB for {crowd.closed_by_server()} closed connections")
        assert grown < 128 * MIB, grown  # what may wait is 64 MiB
        crowd.close()


async def lists_by_many():
    """eight clients that list 100 MiB get it in parts or are refused, and take little memory"""
    async with Ensemble(1, memoryLimitBytes=512 * MIB) as ensemble:
        server = ensemble.servers[0]
        wires = [await Wire.open(server) for _ in range(8)]
        await greedy.fill(wires[0], "/p", 100, MIB)
        before = server.resident()
        highest = before
        async with beside(server, "lists by eight clients"):
            listing = [asyncio.create_task(greedy.list_all(wire, "/p")) for wire in wires]
            while not all(task.done() for task in listing):
                highest = max(highest, server.resident())
                await asyncio.sleep(0.01)
        refused = [task.result() for task in listing if isinstance(task.result(), dict)]
        assert {reply["error"] for reply in refused} <= {"Overloaded"}, refused
        complete = [task.result() for task in listing if isinstance(task.result(), tuple)]
        assert complete and all(len(names) == 100 and parts > 5 for names, parts in complete)
        print(f"{highest - before >> 20} MiB, {len(complete)} complete, {len(refused)} overloaded")
        assert highest - before < 128 * MIB, highest - before


async def large_writes():
    """100 clients that write 1 MiB at the same time are served, or refused as overloaded"""
    async with Ensemble(1, maxClientCnxns=0, maxSessionTimeout=60_000,
                        memoryLimitBytes=512 * MIB) as ensemble:
        server = ensemble.servers[0]
        wire = await Wire.open(server, timeoutMs=60_000)
        await wire.call({"op": "create", "path": "/all"})
        crowd = Crowd(server, 100, 20).upgrade().connect(timeoutMs=60_000)
        write = frame({"op": "set", "path": "/all", "data": "x" * (MIB - 1000)})
        async with beside(server, "100 sessions with 2 MiB each"):
            sent = crowd.send_what_fits(2 * write, seconds=TIMEOUT, patience=TIMEOUT)
            assert sent == 200 * len(write), "the server does not read everything"
        replies = crowd.receive_messages(2)
        done = sum('"stat"' in reply for reply in replies)
        refused = sum('"Overloaded"' in reply for reply in replies)
        print(f"{done} done, {refused} refused")
        assert done + refused == 200 and done > 0, (done, refused)
        stat = (await wire.call({"op": "exists", "path": "/all"}))["stat"]
        assert stat["version"] == done, (stat, done)
        crowd.close()


async def unread_replies():
    """1,000 connections that do not read large replies keep what one budget allows"""
    async with Ensemble(1, maxClientCnxns=0, maxSessionTimeout=60_000,
                        memoryLimitBytes=512 * MIB) as ensemble:
        await greedy.unread_replies_of(ensemble.servers[0], 1000, 20)


for test in (events_for_many_sessions, lists_by_many, large_writes, unread_replies):
    if test.__name__ in (sys.argv[1:] or [test.__name__]):
        run(test)
