"""The largest transactions that clients can cause, one of each kind: servers with little memory
apply them, have equally many nodes, and replay them when they start again."""

import subprocess

from conformance import Wire
from harness import BIN, Client, Refused, run, until
from little_memory import MIB, limited, restarted

DATA = 4 * MIB  # maxDataBytes
PATH = 4096  # bytes of a path
NODES = 10_000  # that one transaction creates or deletes
OPS = 1000  # of a multi
TICK = 4000  # a server that reads 8 MiB is silent meanwhile, also where others use the processor


def long_path(parent, number):
    return f"{parent}/{number:05}-".ljust(PATH, "x")


def largest_acl():
    return ([{"scheme": "world", "id": "anyone", "perms": "cdrwa"}] +
            [{"scheme": "digest", "id": f"{n}:".ljust(120, "h"), "perms": "r"} for n in range(63)])


async def multi(client, ops):
    return await client.call("multi", ops=list(ops))


async def created(client, parent, count, **fields):
    """Nodes with paths of the greatest length."""
    await client.call("create", path=parent)
    for first in range(0, count, 200):
        await multi(client, ({"op": "create", "path": long_path(parent, number), **fields}
                             for number in range(first, first + 200)))


async def serves_equally(ensemble):
    """Every server has equally many nodes, also after all were killed and started again."""
    async def counts():
        result = []
        for server in ensemble.servers:
            client = await Client.open(server)
            await client.call("sync", path="/")
            result.append((await client.call("count", path="/"))["count"])
            await client.close()
        return result

    before = await counts()
    assert before[0] == before[1] == before[2], before
    await restarted(ensemble)
    assert await counts() == before
    client = await Client.open(ensemble.leader())
    await client.call("set", path="/last", data="written", create=True)


async def data():
    """the data of one node, and of the nodes of a multi whose frame is full"""
    ensemble = await limited(3, maxDataBytes=DATA, tickTime=TICK)
    async with ensemble:
        client = await Client.open(ensemble.followers()[0])
        await client.call("create", path=long_path("", 0), data="x" * DATA, acl=largest_acl())
        await client.call("set", path=long_path("", 0), data="y" * DATA)
        await client.call("delete", path=long_path("", 0))
        each = "z" * (2 * DATA // OPS - 100)
        await multi(client, ({"op": "create", "path": f"/{n}", "data": each} for n in range(OPS)))
        await multi(client, ({"op": "set", "path": f"/{n}", "data": ""} for n in range(OPS)))
        await client.call("setAcl", path="/0", acl=largest_acl())
        await serves_equally(ensemble)


async def nodes():
    """10,000 nodes that one transaction creates, or deletes, with paths of 4 KiB"""
    ensemble = await limited(3, tickTime=TICK)
    async with ensemble:
        client = await Client.open(ensemble.followers()[0])
        await multi(client, ({"op": "create", "parents": True,
                              "path": f"/{n:03}" + "/x" * 124} for n in range(NODES // 125)))
        try:
            await multi(client, ({"op": "create", "parents": True, "path": f"/m{n:03}" + "/x" * 127}
                                 for n in range(OPS)))
            raise AssertionError("128,000 nodes are created")
        except Refused as refused:
            assert refused.reply["error"] == "TooLarge", refused.reply
        await created(client, "/many", NODES)
        await multi(client, ({"op": "check", "path": long_path("/many", n), "version": 0}
                             for n in range(500)))
        await client.call("delete", path="/many", recursive=True)
        await created(client, "/due", OPS, ttlMs=3000)

        async def reaped():
            return not (await client.call("children", path="/due"))["children"]
        while not await reaped():
            pass
        await serves_equally(ensemble)


async def sessions():
    """10,000 ephemeral nodes of a session that ends, and what a session keeps"""
    ensemble = await limited(3, tickTime=TICK)
    async with ensemble:
        one, other = ensemble.followers()
        owner = await Client.open(one)
        await created(owner, "/owned", NODES, ephemeral=True)
        await owner.drop()
        await owner.connect(other)
        await owner.close()

        wire = await Wire.open(one, dedup=True)
        missing = {"id": 1, "op": "multi", "ops": [
            {"op": "check", "path": long_path("/none", 0), "version": 0}] + [
            {"op": "check", "path": "/", "version": 0}] * (OPS - 1)}
        await wire.send(missing)
        refusal = await wire.next()
        assert refusal["error"] == "NoNode", refusal["error"]
        await wire.send({"id": 2, "op": "create", "path": "/kept", "data": "x" * MIB})
        await wire.next()
        await wire.send({"id": 3, "op": "multi", "ops": [{"op": "create", "path": "/y"}] +
                         [{"op": "get", "path": "/kept"}] * 3})
        assert len((await wire.next())["results"]) == 4

        tokens = [{"scheme": "digest", "token": f"{n}:" + "x" * 900} for n in range(15)]
        known = await Client.open(one, auth=tokens)
        await multi(known, [{"op": "set", "path": "/y", "data": ""}] +
                    [{"op": "children", "path": "/y", "withStat": True}] * (OPS - 1))
        for level in (0, 2):
            urls = ensemble.urls()
            subprocess.run([BIN / "zab", "--server", urls, "cluster", "level", str(level)],
                           check=True)
            await until(lambda level=level: all(server.status()["level"] == level
                                                for server in ensemble.servers),
                        f"all servers are at level {level}")
        await serves_equally(ensemble)


for test in (data, nodes, sessions):
    run(test)
