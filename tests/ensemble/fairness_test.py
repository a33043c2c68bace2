"""A client that floods a server, and clients that never read: others are served, and memory is
bounded."""

import asyncio
import json

from conformance import Wire
from harness import Client, Ensemble, run, until

FRAME = 200  # requests in one frame of the flood, so that the server is slower than the client


async def flood(server, counts, stop):
    """Sends writes as fast as the connection accepts them; the server has to stop reading."""
    wire = await Wire.open(server, batch=True)

    async def count():
        while True:
            counts["flood"] += (await wire.socket.recv()).count('"zxid"')

    counting = asyncio.create_task(count())
    request = {"op": "set", "path": "/flooded", "data": "x" * 100}
    frame = json.dumps([{"id": n, **request} for n in range(FRAME)])
    while not stop.is_set():
        await wire.send(frame)
    counting.cancel()
    await asyncio.gather(counting, return_exceptions=True)
    await wire.drop()


async def modest(server, counts, name, stop):
    client = await Client.open(server)
    while not stop.is_set():
        await client.call("set", path="/modest", data=name)
        counts[name] += 1
    await client.close()


async def flooded():
    """while one session floods its server with writes, the writes of other sessions are served"""
    async with Ensemble(3) as ensemble:
        setup = await Client.open(ensemble.servers[0])
        for path in "/flooded", "/modest":
            await setup.call("create", path=path)
        for server in ensemble.leader(), ensemble.followers()[0]:
            counts = dict.fromkeys(["flood", "a", "b", "c"], 0)
            stop = asyncio.Event()
            tasks = [asyncio.create_task(flood(server, counts, stop))]
            tasks += [asyncio.create_task(modest(server, counts, name, stop)) for name in "abc"]
            await until(lambda: counts["flood"] >= 30000, "30000 writes of the flood are answered")
            counts = dict(counts)
            stop.set()
            await asyncio.gather(*tasks)
            print(counts)
            # If each write had to wait for all outstanding requests of the flood, it would be 30.
            for name in "abc":
                assert counts[name] >= 60, counts


def resident_mib(server):
    with open(f"/proc/{server.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


async def unread():
    """clients that send many requests and never read do not delay others, and use little memory"""
    async with Ensemble(1) as ensemble:
        server = ensemble.servers[0]
        steady = await Client.open(server)
        await steady.call("create", path="/big", data="x" * 500_000)
        await steady.call("create", path="/modest")
        before = resident_mib(server)
        slow = []
        for _ in range(4):
            wire = await Wire.open(server)
            wire.socket.transport.pause_reading()
            await wire.send({"id": 1, "op": "watch", "path": "/big", "withData": True})
            await wire.send([{"id": n, "op": "get", "path": "/big"} for n in range(2, 400)])
            slow.append(wire)
        highest = 0
        for number in range(60):  # each write is an event of half a MiB for every slow client
            await steady.call("set", path="/big", data=chr(97 + number % 26) * 500_000)
            highest = max(highest, resident_mib(server))
        counts = {"a": 0}
        stop = asyncio.Event()
        task = asyncio.create_task(modest(server, counts, "a", stop))
        await until(lambda: counts["a"] >= 200, "another client is served")
        stop.set()
        await task
        # Each may have 16 MiB pending. They requested 800 MiB, and events of 120 MiB.
        print(f"resident: {before:.0f} MiB before, at most {highest:.0f} MiB")
        assert highest - before < 200, (before, highest)
        for wire in slow:
            wire.socket.transport.abort()


run(flooded)
run(unread)
