"""One client's flood, and clients that never read: others are served all the same, from bounded memory."""

import asyncio
import json

from conformance import Wire
from harness import Client, Ensemble, run, until

FRAME = 200  # requests of the flood in one frame: cheap to make, so that the server is what is slow


async def flood(server, counts, stop):
    """Sends writes for as long as the connection takes them; the server has to stop reading."""
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
        await client.do("set", path="/modest", data=name)
        counts[name] += 1
    await client.close()


async def flooded():
    """while one session floods its server with writes, each of the others gets its turn"""
    async with Ensemble(3) as ensemble:
        setup = await Client.open(ensemble.servers[0])
        for path in "/flooded", "/modest":
            await setup.do("create", path=path)
        for server in ensemble.leader(), ensemble.followers()[0]:
            counts = dict.fromkeys(["flood", "a", "b", "c"], 0)
            stop = asyncio.Event()
            tasks = [asyncio.create_task(flood(server, counts, stop))]
            tasks += [asyncio.create_task(modest(server, counts, name, stop)) for name in "abc"]
            await until(lambda: counts["flood"] >= 30000, "the flood has had its share")
            counts = dict(counts)
            stop.set()
            await asyncio.gather(*tasks)
            print(counts)
            # In a queue behind all that the flood may have outstanding, it would be 30.
            for name in "abc":
                assert counts[name] >= 60, counts


def resident_mib(server):
    with open(f"/proc/{server.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


async def unread():
    """clients that ask for much and never read cost the others nothing, and the server little memory"""
    async with Ensemble(1) as ensemble:
        server = ensemble.servers[0]
        steady = await Client.open(server)
        await steady.do("create", path="/big", data="x" * 500_000)
        await steady.do("create", path="/modest")
        before = resident_mib(server)
        deaf = []
        for _ in range(4):
            wire = await Wire.open(server)
            wire.socket.transport.pause_reading()
            await wire.send({"id": 1, "op": "watch", "path": "/big", "withData": True})
            await wire.send([{"id": n, "op": "get", "path": "/big"} for n in range(2, 400)])
            deaf.append(wire)
        greatest = 0
        for number in range(60):  # each is an event of half a MiB for all of them
            await steady.do("set", path="/big", data=chr(97 + number % 26) * 500_000)
            greatest = max(greatest, resident_mib(server))
        counts = {"a": 0}
        stop = asyncio.Event()
        task = asyncio.create_task(modest(server, counts, "a", stop))
        await until(lambda: counts["a"] >= 200, "the others are served")
        stop.set()
        await task
        # 16 MiB may wait for each; 800 MiB were asked for, and 120 more to be told of.
        print(f"resident: {before:.0f} MiB before, at most {greatest:.0f} MiB")
        assert greatest - before < 200, (before, greatest)
        for wire in deaf:
            wire.socket.transport.abort()


run(flooded)
run(unread)
