"""Servers in network namespaces that do not hear each other, in every shape; the history stays in order."""

from faults import Faults
from harness import Ensemble, run
from network import Network
from recording import Load


async def test():
    """partitions: leader alone, follower alone, one way, a bridge, everybody alone; and healing"""
    with Network(3) as network:
        async with Ensemble(3, network=network) as ensemble:
            async with Load(ensemble.servers, ensemble.directory, seed=3) as load:
                faults = Faults(ensemble, load, seed=3, network=network)
                await faults.isolate_leader()
                await faults.isolate_follower()
                await faults.bridge()
                await faults.deaf_leader()
                await faults.mute_leader()
                await faults.deaf_follower()
                await faults.apart()


run(test)
