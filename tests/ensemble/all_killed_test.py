"""All servers are killed with -9 at once; acknowledged writes exist after the restart."""

import asyncio

from harness import Client, Ensemble, run


async def test():
    """every acknowledged write survives kill -9 of all servers"""
    async with Ensemble(3) as ensemble:
        client = await Client.open(ensemble.followers()[0])
        await client.call("create", path="/kept")
        acknowledged = []

        async def record(future, path):
            try:
                if "error" not in await future:
                    acknowledged.append(path)
            except ConnectionError:
                pass

        records = []
        for number in range(3000):  # pipelined, so that some are pending at the kill
            path = f"/kept/{number}"
            future = await client.send("create", path=path, data="x" * 100)
            records.append(asyncio.create_task(record(future, path)))
            if len(acknowledged) > 500:
                break
            if number % 50 == 0:
                await asyncio.sleep(0)
        while len(acknowledged) <= 500:
            await asyncio.sleep(0.001)
        for server in ensemble.servers:
            server.process.kill()
        for server in ensemble.servers:
            server.process.wait()
        await asyncio.gather(*records)

        for server in ensemble.servers:
            server.start()
        await ensemble.all_ready()
        for server in ensemble.servers:
            again = await Client.open(server)
            await again.call("sync", path="/")
            names = set((await again.call("children", path="/kept"))["children"])
            lost = [path for path in acknowledged if path.removeprefix("/kept/") not in names]
            assert not lost, f"server {server.id} lost {len(lost)}: {lost[:5]}"
            await again.close()
        print(f"{len(acknowledged)} acknowledged writes survived")


run(test)
