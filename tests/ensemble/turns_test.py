"""Turns: clients of three servers take a lock with one message each, wait for their turn by one event,
and nobody else has the lock at the same time."""

import asyncio

from harness import Client, Ensemble, Refused, run

LOCK = {"sequential": True, "ephemeral": True, "turn": {}}


async def turn_of(client, reply):
    """Waits until it is the turn of the node of this reply."""
    if reply["turn"]:
        return
    event = await client.event()
    assert event == {"watch": reply["id"], "event": "turn", "path": reply["path"],
                     "zxid": event["zxid"]}, event
    assert event["zxid"] > reply["stat"]["czxid"], event


async def one_holder_at_a_time(clients, rounds):
    holders = 0
    order = []

    async def cycle(client):
        nonlocal holders
        for _ in range(rounds):
            reply = await client.call("create", path="/lock/n-", **LOCK)
            await turn_of(client, reply)
            holders += 1
            assert holders == 1, "two clients have the lock"
            order.append(reply["path"])
            await client.call("set", path="/count", data=str(len(order)))
            holders -= 1
            await client.call("delete", path=reply["path"])

    await asyncio.gather(*(cycle(client) for client in clients))
    assert order == sorted(order), "the lock is fair"
    count = await clients[0].call("get", path="/count", consistency="linearizable")
    assert int(count["data"]) == len(order) == rounds * len(clients), count
    assert all(client.events.empty() for client in clients)


async def one_event_for_each_release(clients, waiters):
    """With many waiters, a release is told to one of them only."""
    nodes = []
    for i in range(waiters):
        client = clients[i % len(clients)]
        nodes.append((client, await client.call("create", path="/many/n-", **LOCK)))
    for before, after in zip(nodes, nodes[1:]):
        await before[0].call("delete", path=before[1]["path"])
        await turn_of(*after)
        assert all(client.events.empty() for client in clients), "a second event"
    await nodes[-1][0].call("delete", path=nodes[-1][1]["path"])


async def readers_and_writers(first, second):
    write = {**LOCK, "turn": {}}
    read = {**LOCK, "turn": {"among": ["write-"]}}
    readers = [await c.call("create", path="/rw/read-", **read) for c in (first, second)]
    writer = await first.call("create", path="/rw/write-", **write)
    late = await second.call("create", path="/rw/read-", **read)
    assert [r["turn"] for r in (*readers, writer, late)] == [True, True, False, False]
    for client, reader in zip((first, second), readers):
        await client.call("delete", path=reader["path"])
    await turn_of(first, writer)
    await first.call("delete", path=writer["path"])
    await turn_of(second, late)
    await second.call("delete", path=late["path"])


async def recipes_of_zookeeper_queue_here(client, other):
    """Nodes that other recipes made count, and are told their turns too."""
    curator = await client.call(
        "create", path="/zk/_c_6a1b2c3d-0000-4444-8888-0123456789ab-lock-", sequential=True)
    own = await other.call("create", path="/zk/n-", **LOCK)
    of_kind = await other.call("create", path="/zk/n-", sequential=True, turn={"among": ["n-"]})
    assert (own["turn"], of_kind["turn"]) == (False, False), (own, of_kind)
    asked = await client.call("watch", path=curator["path"], scope="turn", among=["-lock-"])
    assert asked["turn"] and asked["stat"]["czxid"] == curator["stat"]["czxid"], asked
    await client.call("delete", path=curator["path"])
    await turn_of(other, own)
    await other.call("delete", path=own["path"])
    await turn_of(other, of_kind)
    await other.call("delete", path=of_kind["path"])


async def a_waiter_resumes_at_another_server(ensemble, holder):
    held = await holder.call("create", path="/lock/n-", **LOCK)
    waiter = await Client.open(ensemble.servers[0], dedup=True)
    fields = {"path": "/lock/n-", **LOCK}
    reply = await waiter.call("create", **fields)
    assert held["turn"] and not reply["turn"]

    async def move(server):
        await waiter.drop()
        await waiter.connect(server, dedup=True)
        waiter._last_id = reply["id"] - 1
        again = await waiter.call("create", **fields)
        assert (again["path"], again["stat"]["czxid"]) == (reply["path"], reply["stat"]["czxid"])
        return again

    assert not (await move(ensemble.servers[1]))["turn"]
    await waiter.call("unwatch", watch=reply["id"])
    watch = await waiter.call("watch", path=reply["path"], scope="turn")
    assert watch["turn"] is False, watch
    await holder.call("delete", path=held["path"])
    event = await waiter.event()
    assert (event["event"], event["watch"]) == ("turn", watch["id"]), event
    assert (await move(ensemble.servers[2]))["turn"]
    await waiter.call("delete", path=reply["path"])
    gone = await move(ensemble.servers[0])
    event = await waiter.event()
    assert not gone["turn"] and (event["event"], event["watch"]) == ("deleted", reply["id"]), event
    await waiter.close()


async def the_lock_of_a_dead_client_passes_on(ensemble, other):
    dead = await Client.open(ensemble.servers[1], timeout_ms=1000)
    held = await dead.call("create", path="/lock/n-", **LOCK)
    waits = await other.call("create", path="/lock/n-", **LOCK)
    assert held["turn"] and not waits["turn"]
    await dead.drop()
    await turn_of(other, waits)
    await other.call("delete", path=waits["path"])


async def refusals(client):
    for fields, error in (
            ({"op": "create", "path": "/lock/n-", "turn": {}}, "BadArguments"),
            ({"op": "create", "path": "/lock/n-", "sequential": True, "turn": {"limit": 0}}, "BadArguments"),
            ({"op": "create", "path": "/none/n-", "sequential": True, "turn": {}}, "NoNode"),
            ({"op": "watch", "path": "/lock", "scope": "turn"}, "BadArguments"),
            ({"op": "watch", "path": "/lock/n-9999999999", "scope": "turn"}, "NoNode")):
        try:
            reply = await client.call(fields.pop("op"), **fields)
        except Refused as refused:
            assert refused.reply["error"] == error, refused.reply
        else:
            raise AssertionError(f"not refused: {reply}")


async def test():
    """locks made of turns are held by one client at a time, over three servers"""
    async with Ensemble(3) as ensemble:
        clients = [await Client.open(server) for server in 2 * ensemble.servers]
        for path in ("/lock", "/many", "/rw", "/zk", "/count"):
            await clients[0].call("create", path=path)
        await asyncio.gather(*(client.call("sync", path="/") for client in clients))
        await one_holder_at_a_time(clients, rounds=20)
        await one_event_for_each_release(clients, waiters=200)
        await readers_and_writers(clients[0], clients[1])
        await recipes_of_zookeeper_queue_here(clients[1], clients[2])
        await a_waiter_resumes_at_another_server(ensemble, clients[0])
        await the_lock_of_a_dead_client_passes_on(ensemble, clients[0])
        await refusals(clients[0])
        for client in clients:
            await client.close()


run(test)
