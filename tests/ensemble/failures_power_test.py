"""Power that is lost: whatever was not synced is gone, of one server and of all at once."""

import asyncio
import signal

from faults import Faults
from harness import Client, Ensemble, run
from recording import Load


async def lost():
    """every acknowledged write survives power losses of the leader, a follower, and of all at once"""
    async with Ensemble(3, start=False) as ensemble:
        for server in ensemble.servers:
            Faults.powered(server)
            server.start()
        await ensemble.all_ready()
        async with Load(ensemble.servers, ensemble.directory, seed=4) as load:
            faults = Faults(ensemble, load, seed=4)
            await faults.power_loss_of_all()  # drops everything unsynced; the later ones any part of it
            await faults.power_loss_of_leader()
            await faults.power_loss_of_follower()
            await faults.power_loss_of_all()


async def at_every_sync():
    """power that is lost in the first, second, third… sync of a server's life leaves one that starts"""
    async with Ensemble(1, start=False) as ensemble:
        server = ensemble.servers[0]
        acknowledged = []
        for number in range(1, 16):
            Faults.powered(server, keep=number)
            server.environment["ZABKEEPER_POWER_AT"] = str(number)
            server.start()
            ended = asyncio.create_task(asyncio.to_thread(server.process.wait))
            while not ended.done():
                try:
                    client = await Client.open(server)
                    for _ in range(20):
                        path = f"/n{number}-{len(acknowledged)}"
                        await client.do("create", path=path)
                        acknowledged.append(path[1:])
                except Exception:  # the server is not there yet, or is gone
                    await asyncio.sleep(0.01)
            assert ended.result() == -signal.SIGKILL, server.log()
        server.environment = {}
        server.start()
        await ensemble.all_ready()
        client = await Client.open(server)
        missing = set(acknowledged) - set((await client.do("children", path="/"))["children"])
        assert acknowledged and not missing, missing
        print(f"{len(acknowledged)} acknowledged writes, all there after 15 power losses")


async def lying():
    """a disk that says it has synced and has not does lose writes: the loss of power is real"""
    async with Ensemble(1, start=False) as ensemble:
        server = ensemble.servers[0]
        Faults.powered(server)
        server.environment["ZABKEEPER_POWER_LIES"] = "1"
        server.start()
        await ensemble.all_ready()
        client = await Client.open(server)
        await client.do("create", path="/lost")
        server.signal(signal.SIGUSR1)
        assert server.process.wait() == -signal.SIGKILL
        server.environment = {}
        server.start()
        await ensemble.all_ready()
        again = await Client.open(server)
        assert (await again.do("exists", path="/lost"))["stat"] is None


run(lost)
run(at_every_sync)
run(lying)
