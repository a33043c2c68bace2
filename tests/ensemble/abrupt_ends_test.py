"""Clients that disappear while many requests and events are pending affect only their own
connections."""

import asyncio

from harness import Client, Ensemble, run


async def watch_and_disconnect(server, after):
    """Watches a node that changes all the time, sends many reads, and disconnects."""
    client = await Client.open(server, batch=True)
    await client.send("watch", path="/big", scope="node", withData=True)
    for number in range(after):
        await client.send("get", path="/big")
        if number % 3 == 0:
            await asyncio.sleep(0)
    await client.drop()


async def test():
    """a server survives clients that disconnect before their replies and events are sent"""
    async with Ensemble(1) as ensemble:
        server = ensemble.servers[0]
        steady = await Client.open(server)
        await steady.call("create", path="/big", data="x" * 2000)
        stop = asyncio.Event()

        async def change():
            while not stop.is_set():
                for future in [await steady.send("set", path="/big", data="y" * 2000)
                               for _ in range(20)]:
                    await future

        changing = asyncio.create_task(change())
        for round_ in range(40):
            await asyncio.gather(*(watch_and_disconnect(server, 1 + (5 * n + round_) % 37) for n in range(12)),
                                 return_exceptions=True)
            assert server.running(), "the server ended"
        stop.set()
        await changing
        assert (await steady.call("get", path="/big"))["data"] == "y" * 2000
        await steady.close()


run(test)
