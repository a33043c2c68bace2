"""Conditions of writes: clients of three servers write at the same time, and only those succeed whose
conditions hold."""

import asyncio

from harness import Client, Ensemble, Refused, run, until
from programs import GREATEST, set_level

MISSING = {"if": [{"path": "/counter", "exists": False}]}


async def refusal(client, op, **fields):
    try:
        reply = await client.call(op, **fields)
    except Refused as refused:
        return refused.reply
    raise AssertionError(f"not refused: {reply}")


async def only_one_creates(clients):
    """All clients create the same node, or count in it if it is there. Each reads and writes what it read."""
    first = await asyncio.gather(*(
        client.call("multi", ops=[{"op": "create", "path": "/counter", "data": "0"}],
                    **{"else": [{"op": "get", "path": "/counter"}]}, **MISSING)
        for client in clients))
    assert sorted(reply["branch"] for reply in first) == ["else"] * (len(clients) - 1) + ["ops"], first

    async def count(client, times):
        while times:
            seen = await client.call("get", path="/counter")
            condition = {"path": "/counter", "mzxid": seen["stat"]["mzxid"]}
            try:
                await client.call("set", path="/counter", data=str(int(seen["data"]) + 1),
                                  **{"if": [condition]})
                times -= 1
            except Refused as refused:
                assert refused.reply["error"] == "ConditionFailed", refused.reply
                assert refused.reply["condition"] == 0 and refused.reply["found"]["exists"]

    await asyncio.gather(*(count(client, 10) for client in clients))
    total = (await clients[0].call("get", path="/counter", consistency="linearizable"))["data"]
    assert total == str(10 * len(clients)), total


async def a_lost_lock_stops_the_writes_of_its_holder(holder, other):
    lock = await holder.call("create", path="/lock", ephemeral=True)
    held = {"if": [{"path": "/lock", "czxid": lock["stat"]["czxid"],
                    "ephemeralOwner": holder.session}]}
    await holder.call("create", path="/guarded", data="1", **held)
    await other.call("delete", path="/lock")
    await other.call("create", path="/lock", ephemeral=True)
    reply = await refusal(holder, "set", path="/guarded", data="2", **held)
    assert reply["error"] == "ConditionFailed" and "code" not in reply, reply
    assert reply["condition"] == 0 and reply["found"] == {
        "exists": True, "version": 0, "ephemeralOwner": other.session}, reply
    assert (await other.call("get", path="/guarded", consistency="linearizable"))["data"] == "1"


async def results_are_kept_at_every_level(ensemble):
    """a repeated write gets its result again, also after the level was lowered"""
    client = await Client.open(ensemble.followers()[0], dedup=True)
    other = {"else": [{"op": "delete", "path": "/guarded"}], **MISSING}
    done = await client.call("multi", ops=[], **other)
    refused = await refusal(client, "delete", path="/", **MISSING)
    assert done["branch"] == "else" and refused["error"] == "ConditionFailed", (done, refused)

    async def again():
        await client.drop()
        await client.connect(ensemble.leader(), dedup=True)
        client._last_id = done["id"] - 1
        return await client.call("multi", ops=[], **other), await refusal(client, "delete", path="/", **MISSING)

    same = await again()
    assert same[0]["branch"] == "else" and same[1]["found"] == refused["found"], same
    await set_level(ensemble, 2)
    former = await again()
    assert former[0]["truncated"] and former[0]["zxid"] <= done["zxid"], former
    assert former[1]["error"] == "BadVersion", former
    for server in ensemble.servers:
        fresh = await Client.open(server)
        reply = await refusal(fresh, "create", path="/x", **MISSING)
        assert reply["error"] == "Unimplemented" and "level 3" in reply["message"], reply
        await fresh.close()
    await client.close()


async def test():
    """writes of many clients with conditions: only those happen whose conditions hold"""
    async with Ensemble(3) as ensemble:
        await until(lambda: all(s.status()["level"] == GREATEST for s in ensemble.servers),
                    "a new ensemble is at the greatest level")
        clients = [await Client.open(server) for server in 2 * ensemble.servers]
        await only_one_creates(clients)
        await a_lost_lock_stops_the_writes_of_its_holder(clients[0], clients[1])
        for client in clients:
            await client.close()
        await results_are_kept_at_every_level(ensemble)


run(test)
