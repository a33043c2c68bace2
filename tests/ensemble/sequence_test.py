"""Lists of children by their numbers, on three servers: all give the same list, also where the numbers wrap, in a
multi, and in a folder so large that its index is made in parts while others are served."""

import asyncio

from harness import Client, Ensemble, Refused, run


def names(reply):
    return reply["children"]


async def by_number(client, path, **fields):
    return await client.call("children", path=path, order="sequence", consistency="linearizable", **fields)


async def pages(client, path, limit, reverse):
    """All names of a folder, page by page."""
    found, bound = [], {}
    while True:
        reply = await by_number(client, path, limit=limit, reverse=reverse, **bound)
        found += names(reply)
        if not reply["more"]:
            return found
        bound = {"before" if reverse else "after": found[-1]}


async def the_order_of_the_counter(clients):
    """Nodes of several kinds are in the order of their numbers on every server."""
    made = []
    for i in range(30):
        kind = ("write-", "read-", "")[i % 3]
        reply = await clients[i % len(clients)].call("create", path="/queue/" + kind, sequential=True)
        made.append(reply["path"].rpartition("/")[2])
    await clients[0].call("create", path="/queue/plain")
    for client in clients:
        assert names(await by_number(client, "/queue")) == made
        assert await pages(client, "/queue", limit=7, reverse=False) == made
        assert await pages(client, "/queue", limit=7, reverse=True) == made[::-1]
    # A page continues behind a child that is gone.
    await clients[0].call("delete", path="/queue/" + made[0])
    assert names(await by_number(clients[1], "/queue", after=made[0], limit=2)) == made[1:3]


async def the_order_around_the_wrap(clients):
    around = ["n-2147483646", "n-2147483647", "n--2147483648", "n--2147483647"]
    for name in sorted(around):
        await clients[0].call("create", path="/wrap/" + name)
    for client in clients:
        assert names(await by_number(client, "/wrap")) == around
        assert names(await by_number(client, "/wrap", after=around[1])) == around[2:]
    # With a number on the other side of the circle there is no first one. The next number of the
    # folder is 5, and the list goes up and around from there.
    await clients[0].call("create", path="/wrap/n-0000000000")
    for client in clients:
        assert names(await by_number(client, "/wrap")) == [*around, "n-0000000000"]


async def a_multi_lists_what_it_has_done(client):
    listed = {"op": "children", "path": "/multi", "order": "sequence", "reverse": True, "limit": 1}
    create = {"op": "create", "path": "/multi/n-", "sequential": True}
    reply = await client.call("multi", ops=[listed, create, create, listed])
    assert names(reply["results"][0]) == [] and names(reply["results"][3]) == ["n-0000000001"], reply


async def a_large_folder(ensemble, clients, count):
    """The list waits for the index, and the session's later reply for the list; other clients do not wait."""
    ops = [{"op": "create", "path": "/large/n-", "sequential": True}] * 1000
    for _ in range(count // 1000):
        await clients[0].call("multi", ops=ops)
    for client in clients:
        await client.call("sync", path="/")
    last = f"n-{count - 1:010}"

    async def ask(client, bystander):
        listed = await client.send("children", path="/large", order="sequence", reverse=True, limit=1)
        behind = await client.send("exists", path="/large")
        assert (await bystander.call("exists", path="/large"))["stat"]
        reply = await listed
        assert names(reply) == [last] and reply["more"], reply
        assert (await behind)["stat"]["numChildren"] == count

    others = [await Client.open(server) for server in ensemble.servers]
    await asyncio.gather(*(ask(client, other) for client, other in zip(clients, others)))
    # The index follows the changes.
    await clients[0].call("delete", path="/large/" + last)
    for client in clients:
        assert names(await by_number(client, "/large", reverse=True, limit=1)) == [f"n-{count - 2:010}"]
    for other in others:
        await other.close()


async def refusals(client):
    ask = {"op": "children", "order": "sequence"}
    for fields, error in (
            ({"path": "/queue", "after": "plain"}, "BadArguments"),
            ({"path": "/queue", "before": "n-1"}, "BadArguments"),
            ({"path": "/none"}, "NoNode"),
            ({"path": "/queue", "order": "number"}, "BadArguments")):
        try:
            reply = await client.call(**{**ask, **fields})
        except Refused as refused:
            assert refused.reply["error"] == error, refused.reply
        else:
            raise AssertionError(f"not refused: {reply}")
    try:
        await client.call("multi", ops=[{**ask, "path": "/large", "limit": 1}])
    except Refused as refused:
        assert refused.reply["error"] == "TooLarge", refused.reply
    else:
        raise AssertionError("a multi sorts a large folder")


async def test():
    """lists of children by their numbers, over three servers"""
    async with Ensemble(3) as ensemble:
        clients = [await Client.open(server) for server in ensemble.servers]
        for path in ("/queue", "/wrap", "/multi", "/large"):
            await clients[0].call("create", path=path)
        await the_order_of_the_counter(clients)
        await the_order_around_the_wrap(clients)
        await a_multi_lists_what_it_has_done(clients[1])
        await a_large_folder(ensemble, clients, count=20_000)
        await refusals(clients[2])
        for client in clients:
            await client.close()


run(test)
