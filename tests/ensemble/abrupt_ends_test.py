"""Clients that vanish in the midst of a flood: that ends their connections, and nothing else."""

import asyncio

from harness import Client, Ensemble, run


async def vanish(server, after):
    """Watches a node that changes all the time, asks for much, and is gone."""
    client = await Client.open(server, batch=True)
    await client.ask("watch", path="/big", scope="node", withData=True)
    for number in range(after):
        await client.ask("get", path="/big")
        if number % 3 == 0:
            await asyncio.sleep(0)
    await client.drop()


async def test():
    """a server survives clients that are gone before their replies and events are"""
    async with Ensemble(1) as ensemble:
        server = ensemble.servers[0]
        steady = await Client.open(server)
        await steady.do("create", path="/big", data="x" * 2000)
        over = asyncio.Event()

        async def change():
            while not over.is_set():
                for future in [await steady.ask("set", path="/big", data="y" * 2000)
                               for _ in range(20)]:
                    await future

        changing = asyncio.create_task(change())
        for round_ in range(40):
            await asyncio.gather(*(vanish(server, 1 + (5 * n + round_) % 37) for n in range(12)),
                                 return_exceptions=True)
            assert server.running(), "the server ended"
        over.set()
        await changing
        assert (await steady.do("get", path="/big"))["data"] == "y" * 2000
        await steady.close()


run(test)
