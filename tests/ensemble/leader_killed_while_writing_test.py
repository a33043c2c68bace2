"""No acknowledged write is lost when a leader is killed with -9 under writes."""

import asyncio

from harness import Client, Ensemble, Refused, run, until


async def write_on(ensemble, name, acknowledged, stop):
    """Creates /w/NAME-N one after the other, at any server that answers, and records the
    acknowledged paths. A write without a reply is not repeated with the same number."""
    number, at = 0, 0
    client = None
    while not stop.is_set():
        try:
            if client is None:
                at += 1
                server = ensemble.servers[at % len(ensemble.servers)]
                client = await Client.open(server)
            number += 1
            path = f"/w/{name}-{number}"
            await client.call("create", path=path, data=str(number))
            acknowledged.append(path)
        except (OSError, Refused, ConnectionError, asyncio.TimeoutError):
            client = None
        except Exception as error:  # a failed handshake has many exceptions
            if "websockets" not in type(error).__module__:
                raise
            client = None


async def test():
    """no acknowledged write is lost when the leader is killed, and the other servers continue"""
    async with Ensemble(3) as ensemble:
        first = await Client.open(ensemble.servers[0])
        await first.call("create", path="/w")
        for server in ensemble.servers:
            client = await Client.open(server)
            await client.call("create", path=f"/through-{server.id}")
            await client.close()

        acknowledged, stop = [], asyncio.Event()
        writers = [asyncio.create_task(write_on(ensemble, name, acknowledged, stop))
                   for name in "abcd"]
        await until(lambda: len(acknowledged) > 200, "writes are acknowledged")
        leader = ensemble.leader()
        leader.kill()
        before = len(acknowledged)
        await until(lambda: len(acknowledged) > before + 200, "the other servers acknowledge writes")
        assert ensemble.leader() is not leader

        leader.start()
        await ensemble.all_ready()
        before = len(acknowledged)
        await until(lambda: len(acknowledged) > before + 100, "writes continue")
        stop.set()
        await asyncio.gather(*writers)

        for server in ensemble.servers:
            client = await Client.open(server)
            await client.call("sync", path="/")
            names = set((await client.call("children", path="/w"))["children"])
            lost = [path for path in acknowledged if path.removeprefix("/w/") not in names]
            assert not lost, f"server {server.id} lost {len(lost)} acknowledged writes: {lost[:5]}"
            await client.close()
        print(f"{len(acknowledged)} acknowledged writes, all on all three servers")


run(test)
