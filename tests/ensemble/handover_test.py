"""SIGTERM of the leader: it hands over to a follower that has everything, and nobody elects."""

import asyncio

from harness import Client, Ensemble, run, until


async def test():
    """a leader that is stopped hands over, and every server may be stopped in turn"""
    async with Ensemble(3) as ensemble:
        client = await Client.open(ensemble.followers()[0])
        await client.do("create", path="/turns", ephemeral=False)
        await client.close()
        written = 0
        for _ in range(3):
            leader = ensemble.leader()
            others = [s for s in ensemble.servers if s is not leader]
            epoch = leader.status()["epoch"]
            writer = await Client.open(others[0])
            stop = asyncio.Event()

            async def write():
                nonlocal written
                while not stop.is_set():
                    await writer.do("set", path="/turns", data=str(written))
                    written += 1

            writing = asyncio.create_task(write())
            before = written
            await until(lambda: written > before, "writes go on")
            leader.signal(15)
            assert await asyncio.to_thread(leader.process.wait) == 0
            after = written
            await until(lambda: written > after or writing.done(), "writes go on with a new leader")
            stop.set()
            await writing
            await writer.close()

            said = (leader.directory / f"{leader.id}.log").read_text(errors="replace")
            farewell = said[said.rindex("shutting down"):]
            assert "following" in farewell, f"it did not hand over: {farewell}"
            assert ensemble.leader().status()["epoch"] == epoch + 1
            leader.start()
            await ensemble.all_ready()
        print(f"{written} writes, none refused, over three hand-overs")


run(test)
