"""Power losses of one server and of all at once: writes that were not synced are lost."""

import asyncio
import signal

from faults import Faults
from harness import Client, Ensemble, run
from load import Load


async def lost():
    """every acknowledged write survives power losses of the leader, a follower, and of all at once"""
    async with Ensemble(3, start=False) as ensemble:
        for server in ensemble.servers:
            Faults.with_power_loss(server)
            server.start()
        await ensemble.all_ready()
        async with Load(ensemble.servers, ensemble.directory, seed=4) as load:
            faults = Faults(ensemble, load, seed=4)
            await faults.power_loss_of_all()  # keeps no unsynced write; the later ones keep some
            await faults.power_loss_of_leader()
            await faults.power_loss_of_follower()
            await faults.power_loss_of_all()


async def at_every_sync():
    """a power loss in the first, second, ... fifteenth sync leaves a log that a server starts from"""
    async with Ensemble(1, start=False) as ensemble:
        server = ensemble.servers[0]
        acknowledged = []
        for number in range(1, 16):
            Faults.with_power_loss(server, keep=number)
            server.environment["ZABKEEPER_POWER_AT"] = str(number)
            server.start()
            ended = asyncio.create_task(asyncio.to_thread(server.process.wait))
            while not ended.done():
                try:
                    client = await Client.open(server)
                    for _ in range(20):
                        path = f"/n{number}-{len(acknowledged)}"
                        await client.call("create", path=path)
                        acknowledged.append(path[1:])
                except Exception:  # the server has not started yet, or has ended
                    await asyncio.sleep(0.01)
            assert ended.result() == -signal.SIGKILL, server.log()
        server.environment = {}
        server.start()
        await ensemble.all_ready()
        client = await Client.open(server)
        missing = set(acknowledged) - set((await client.call("children", path="/"))["children"])
        assert acknowledged and not missing, missing
        print(f"{len(acknowledged)} acknowledged writes, all exist after 15 power losses")


async def without_sync():
    """the simulated power loss loses the writes of a disk that does not sync"""
    async with Ensemble(1, start=False) as ensemble:
        server = ensemble.servers[0]
        Faults.with_power_loss(server)
        server.environment["ZABKEEPER_POWER_LIES"] = "1"
        server.start()
        await ensemble.all_ready()
        client = await Client.open(server)
        await client.call("create", path="/lost")
        server.signal(signal.SIGURG)
        assert server.process.wait() == -signal.SIGKILL
        server.environment = {}
        server.start()
        await ensemble.all_ready()
        again = await Client.open(server)
        assert (await again.call("exists", path="/lost"))["stat"] is None


run(lost)
run(at_every_sync)
run(without_sync)
