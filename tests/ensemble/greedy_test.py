"""Requests whose cost comes from a reply, an event or a state, and not from the request: each is
refused or bounded, others are served, and servers with little memory survive and start again."""

import asyncio

from conformance import Wire
from harness import Client, Ensemble, Refused, run
from little_memory import MIB, limited, restarted


async def filled(client, path, children, size):
    await client.call("create", path=path)
    for number in range(children):
        await client.call("create", path=f"{path}/{number}", data="x" * size)


async def refusal(client, op, **fields):
    try:
        await client.call(op, **fields)
    except Refused as refused:
        return refused.reply
    raise AssertionError(f"{op} is not refused")


async def lists_in_a_multi():
    """a multi of 999 lists of 8 MiB is refused, nothing of it is in the log, and servers restart"""
    ensemble = await limited(3)
    async with ensemble:
        client = await Client.open(ensemble.followers()[0])
        await filled(client, "/p", 8, MIB)
        epoch = ensemble.leader().status()["epoch"]
        before = ensemble.leader().status()["zxid"]
        lists = [{"op": "children", "path": "/p", "withData": True}] * 999
        reply = await refusal(client, "multi", ops=[{"op": "create", "path": "/x"}, *lists])
        assert reply["error"] == "TooLarge" and "maxReplyBytes" in reply["message"], reply
        assert ensemble.leader().status()["zxid"] == before
        assert (await client.call("exists", path="/x"))["stat"] is None
        # The same without a write is answered by this server alone.
        reply = await refusal(client, "multi", ops=lists)
        assert reply["error"] == "TooLarge" and reply["index"] == 1, reply
        assert ensemble.leader().status()["epoch"] == epoch
        await restarted(ensemble)


async def identities_in_a_multi():
    """a multi of 1,000 lists with details, by a client with many identities, is one transaction"""
    ensemble = await limited(3)
    async with ensemble:
        tokens = [{"scheme": "digest", "token": f"{n}:" + "x" * 900} for n in range(15)]
        client = await Client.open(ensemble.followers()[0], auth=tokens)
        await client.call("create", path="/p")
        lists = [{"op": "children", "path": "/p", "withStat": True}] * 999
        epoch = ensemble.leader().status()["epoch"]
        await client.call("multi", ops=[{"op": "create", "path": "/x"}, *lists])
        other = await Client.open(ensemble.leader())
        await other.call("set", path="/x", data="still written")
        assert ensemble.leader().status()["epoch"] == epoch
        await restarted(ensemble)


async def large_results():
    """a result that is too large to be kept (dedup) is a receipt, and other servers can be synced"""
    ensemble = await limited(3)
    async with ensemble:
        wire = await Wire.open(ensemble.followers()[0], dedup=True)
        await wire.send({"id": 1, "op": "create", "path": "/p", "data": "x" * MIB})
        await wire.next()
        reads = {"id": 2, "op": "multi", "ops": [{"op": "create", "path": "/y"}] +
                 [{"op": "get", "path": "/p"}] * 12}
        await wire.send(reads)
        reply = await wire.next()
        assert len(reply["results"]) == 13, reply
        await wire.send({**reads, "id": 2})
        again = await wire.next()
        assert again == {"id": 2, "zxid": reply["zxid"], "truncated": True}, again
        # Hundreds of such results take no memory.
        for number in range(3, 60):
            await wire.send({"id": number, "op": "multi", "ops": [{"op": "set", "path": "/y", "data": ""}] +
                             [{"op": "get", "path": "/p"}] * 12})
            assert len((await wire.next())["results"]) == 13
        await restarted(ensemble)


async def shared_events():
    """an event with 1 MiB for 2,000 watches of one session takes its data once"""
    ensemble = await limited(1)
    async with ensemble:
        server = ensemble.servers[0]
        writer = await Client.open(server)
        await writer.call("create", path="/p")
        wire = await Wire.open(server)
        for first in range(0, 2000, 500):
            await wire.send([{"id": n, "op": "watch", "path": "/p", "withData": True}
                             for n in range(first, first + 500)])
            await wire.several(500)
        wire.socket.transport.pause_reading()
        await writer.call("set", path="/p", data="x" * MIB)
        await writer.call("set", path="/p", data="y")
        assert server.running()
        wire.socket.transport.abort()


async def long_lists():
    """a list that is too long for one reply ends early, and the client goes on after it"""
    ensemble = await limited(1, maxReplyBytes=8 * MIB)
    async with ensemble:
        client = await Client.open(ensemble.servers[0])
        await filled(client, "/p", 12, MIB)
        names, fields = [], {}
        while True:
            reply = await client.call("children", path="/p", withData=True, **fields)
            names += [child["name"] for child in reply["children"]]
            if not reply["more"]:
                break
            fields = {"after": names[-1]}
        assert names == sorted(map(str, range(12))), names


async def heavy_frame():
    """while a frame of 600 lists of 20,000 children is answered, others are served, and nobody is
    elected"""
    async with Ensemble(3) as ensemble:
        leader = ensemble.leader()
        other = await Client.open(leader)
        await other.call("create", path="/p")
        for first in range(0, 20_000, 1000):
            await other.call("multi", ops=[{"op": "create", "path": f"/p/{number}"}
                                           for number in range(first, first + 1000)])
        epoch = leader.status()["epoch"]
        wire = await Wire.open(leader)
        await wire.send([{"id": n, "op": "children", "path": "/p"} for n in range(600)])

        async def read_all():
            for number in range(600):
                reply = await wire.next()
                assert reply["id"] == number and len(reply["children"]) == 20_000

        reading = asyncio.create_task(read_all())
        writes = 0
        while not reading.done():
            await other.call("set", path="/p", data=str(writes))
            writes += 1
        await reading
        print(f"{writes} writes of another client in between")
        assert writes >= 20, writes
        assert ensemble.leader().status()["epoch"] == epoch


for test in (lists_in_a_multi, identities_in_a_multi, large_results, shared_events, long_lists,
             heavy_frame):
    run(test)
