"""Network partitions of every shape, with servers in network namespaces; the history has no
violations."""

from faults import Faults
from harness import Ensemble, run
from network import Network
from load import Load


async def test():
    """an ensemble recovers from every partition: leader alone, follower alone, one way, bridge, all alone"""
    with Network(3) as network:
        async with Ensemble(3, network=network) as ensemble:
            async with Load(ensemble.servers, ensemble.directory, seed=3) as load:
                faults = Faults(ensemble, load, seed=3, network=network)
                await faults.isolate_leader()
                await faults.isolate_follower()
                await faults.bridge()
                await faults.drop_to_leader()
                await faults.drop_from_leader()
                await faults.drop_to_follower()
                await faults.isolate_all()


run(test)
