"""All servers are killed with -9 at once; what was acknowledged is there when they come back."""

import asyncio

from harness import Client, Ensemble, run


async def test():
    """every acknowledged write survives the end of all servers"""
    async with Ensemble(3) as ensemble:
        client = await Client.open(ensemble.followers()[0])
        await client.do("create", path="/kept")
        acknowledged = []

        async def note(future, path):
            try:
                if "error" not in await future:
                    acknowledged.append(path)
            except ConnectionError:
                pass

        notes = []
        for number in range(3000):  # pipelined, so that the end comes in the middle of them
            path = f"/kept/{number}"
            future = await client.ask("create", path=path, data="x" * 100)
            notes.append(asyncio.create_task(note(future, path)))
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
        await asyncio.gather(*notes)

        for server in ensemble.servers:
            server.start()
        await ensemble.all_ready()
        for server in ensemble.servers:
            again = await Client.open(server)
            await again.do("sync", path="/")
            names = set((await again.do("children", path="/kept"))["children"])
            lost = [path for path in acknowledged if path.removeprefix("/kept/") not in names]
            assert not lost, f"server {server.id} lost {len(lost)}: {lost[:5]}"
            await again.close()
        print(f"{len(acknowledged)} acknowledged writes survived")


run(test)
