"""What the protocol promises across servers: fresh reads, time that never runs backwards, no lost event."""

import asyncio

from conformance import Wire
from harness import Ensemble, run


async def value(wire, path, **fields):
    reply = await wire.ask({"op": "get", "path": path, **fields})
    assert "error" not in reply, reply
    return reply["data"]


async def fresh_reads(ensemble):
    """A write acknowledged at one server is seen at the others by who asks for it."""
    wires = [await Wire.open(server) for server in ensemble.servers]
    await wires[0].ask({"op": "create", "path": "/fresh", "data": "0"})
    for wire in wires:
        await wire.ask({"op": "sync", "path": "/"})
    for n in range(60):
        writer, reader = wires[n % 3], wires[(n + 1) % 3]
        written = await writer.ask({"op": "set", "path": "/fresh", "data": str(n)})
        if n % 4 == 0:
            seen = await value(reader, "/fresh", consistency="linearizable")
        elif n % 4 == 1:
            await reader.send({"op": "sync", "path": "/fresh"}, {"op": "get", "path": "/fresh"})
            synced, read = await reader.several(2)
            assert synced["zxid"] >= written["stat"]["mzxid"], (synced, written)
            seen = read["data"]
        elif n % 4 == 2:
            seen = await value(reader, "/fresh", consistency={"atLeast": written["zxid"]})
        else:
            children = await reader.ask({"op": "exists", "path": "/fresh", "consistency": "linearizable"})
            assert children["stat"]["mzxid"] == written["stat"]["mzxid"], children
            continue
        assert seen == str(n), f"round {n}: {seen}"


async def a_read_sees_no_later_write(ensemble):
    """A session's requests take effect in their order: a read that waits for a quorum is not overtaken."""
    busy = True

    async def write(server, path):
        wire = await Wire.open(server)
        await wire.ask({"op": "create", "path": path})
        while busy:
            await wire.send([{"op": "set", "path": path, "data": "x"}] * 20)
            await wire.several(20)

    # Busy disks make the quorum's word late.
    writing = [asyncio.create_task(write(s, f"/busy{n}")) for n, s in enumerate(ensemble.servers * 2)]
    for n, server in enumerate([ensemble.leader(), ensemble.followers()[0]]):
        wire, path = await Wire.open(server), f"/inorder{n}"
        await wire.ask({"op": "create", "path": path, "data": "old"})
        for first in [{"op": "get", "consistency": "linearizable"}, {"op": "sync"}, {"op": "create"}] * 15:
            await wire.send([{"id": 1, "path": path, **first}, {"id": 2, "op": "get", "path": path},
                             {"id": 3, "op": "set", "path": path, "data": "new"},
                             {"id": 4, "op": "get", "path": path},
                             {"id": 5, "op": "set", "path": path, "data": "old"}])
            replies = await wire.several(5)
            assert [r["id"] for r in replies] == [1, 2, 3, 4, 5], replies
            assert [r["data"] for r in replies if "data" in r][-2:] == ["old", "new"], replies
            assert replies[0].get("data", "old") == "old", replies
        # Nor by the end of the session.
        await wire.send([{"id": 1, "op": "get", "path": path, "consistency": "linearizable"},
                         {"id": 2, "op": "close"}])
        read, closed = await wire.several(2)
        assert read.get("data") == "old" and closed["op"] == "closed", (read, closed)
    busy = False
    await asyncio.gather(*writing)


async def time_runs_forward(ensemble):
    """A session that goes from server to server, under writes, never reads an older value."""
    writer = await Wire.open(ensemble.servers[0])
    await writer.ask({"op": "create", "path": "/forward", "data": "0"})
    done = False

    async def write():
        n = 0
        while not done:
            n += 1
            assert "error" not in await writer.ask({"op": "set", "path": "/forward", "data": str(n)})

    writing = asyncio.create_task(write())
    wire, last, zxid = None, 0, None
    for hop in range(30):
        server = ensemble.servers[hop % 3]
        resume = {**wire.credentials, "lastZxid": zxid} if wire else {}
        if wire and hop % 2:
            await wire.drop()
        wire = await Wire.open(server, **resume)
        assert wire.connected["resumed"] == bool(resume) and wire.connected["zxid"] >= (zxid or "")
        if not resume:
            await wire.ask({"op": "sync", "path": "/"})
        for _ in range(5):
            reply = await wire.ask({"op": "get", "path": "/forward"})
            assert int(reply["data"]) >= last and reply["zxid"] >= (zxid or ""), (reply, last, zxid)
            last, zxid = int(reply["data"]), reply["zxid"]
    done = True
    await writing
    assert last > 0


async def no_event_is_lost(ensemble):
    """A watch that is set again elsewhere with `from` hears everything once, in order."""
    writer = await Wire.open(ensemble.servers[1])
    await writer.ask({"op": "create", "path": "/follow", "data": "0"})
    count = 400
    zxid = (await writer.ask({"op": "sync", "path": "/"}))["zxid"]
    writing = asyncio.create_task(write_numbers(writer, "/follow", count))
    told, hop, wire = 0, 0, None
    resume = {"lastZxid": zxid}
    while told < count:
        wire = await Wire.open(ensemble.servers[hop % 3], **resume)
        hop += 1
        await wire.send({"id": "w", "op": "watch", "path": "/follow", "withData": True, "from": zxid})
        heard = 0
        while told < count and heard < 40:
            message = await wire.next()
            if "event" not in message:
                assert message["id"] == "w" and "error" not in message, message
                continue
            assert message["event"] == "changed" and message["data"] == str(told + 1), (told, message)
            assert message["zxid"] > zxid
            told, heard, zxid = told + 1, heard + 1, message["zxid"]
        resume = {**wire.credentials, "lastZxid": zxid}
        await wire.drop()
    await writing
    assert hop >= 10

    # Further back than the history goes, the client is told to read afresh.
    await writer.send(*[{"id": n, "op": "multi", "ops": [
        {"op": "create", "path": "/follow/", "sequential": True}] * 1000} for n in range(11)])
    for reply in await writer.several(11):
        assert "error" not in reply, reply
    wire = await Wire.open(ensemble.servers[2])
    await wire.ask({"op": "sync", "path": "/"})
    await wire.send({"id": "w", "op": "watch", "path": "/follow", "from": zxid})
    resync, reply = await wire.several(2)
    assert (resync["watch"], resync["event"]) == ("w", "resync") and resync["zxid"] > zxid, resync
    assert reply["watch"] == "w", reply
    await wire.send({"id": 1, "op": "set", "path": "/follow", "data": "last"})
    event, _ = await wire.several(2)
    assert event["event"] == "changed", event


async def write_numbers(wire, path, count):
    await wire.send(*[{"id": n, "op": "set", "path": path, "data": str(n)} for n in range(1, count + 1)])
    for reply in await wire.several(count):
        assert "error" not in reply, reply


async def once_is_delivered_late(ensemble):
    """A one-shot watch that fired while its client was away is told at once, and not again."""
    one, two, _ = ensemble.servers
    writer = await Wire.open(two)
    zxid = (await writer.ask({"op": "create", "path": "/once"}))["zxid"]
    wire = await Wire.open(one, lastZxid=zxid)
    await wire.ask({"id": 1, "op": "watch", "path": "/once", "once": True})
    await wire.drop()
    for data in "ab":
        written = await writer.ask({"op": "set", "path": "/once", "data": data})
    wire = await Wire.open(two, **wire.credentials, lastZxid=zxid)
    await wire.send({"id": 1, "op": "watch", "path": "/once", "once": True, "from": zxid})
    event, reply = await wire.several(2)
    assert event["event"] == "changed" and zxid < event["zxid"] < written["zxid"], event
    assert reply["watch"] == 1 and reply["stat"]["version"] == 2, reply
    reply = await wire.ask({"id": 2, "op": "set", "path": "/once", "data": "c"})
    assert reply["id"] == 2, f"told twice: {reply}"


async def events_at_every_server(ensemble):
    """At whichever server: the event of a change comes before any reply that shows it, also when the
    writer is elsewhere, and the client itself writes."""
    wires = [await Wire.open(server) for server in ensemble.servers]
    await wires[0].ask({"op": "create", "path": "/all", "data": "-"})
    for wire in wires:
        await wire.ask({"op": "sync", "path": "/"})
        await wire.ask({"id": "w", "op": "watch", "path": "/all", "withData": True})

    async def work(wire, name):
        """Sets and reads, pipelined; gives the versions that it was told of."""
        told = []
        await wire.send([request for n in range(0, 200, 2) for request in (
            {"id": n, "op": "set", "path": "/all", "data": f"{name}{n}"},
            {"id": n + 1, "op": "get", "path": "/all"})])
        expected = iter(range(200))
        replies = 0
        while replies < 200:
            message = await wire.next()
            version = message["stat"]["version"]
            if "event" in message:
                assert version == (told[-1][0] if told else 0) + 1, (message, told[-1:])
                told.append((version, message["data"]))
            else:
                assert message["id"] == next(expected), message
                assert version <= told[-1][0], f"{message} before its event"
                replies += 1
        while told[-1][0] < 300:
            message = await wire.next()
            told.append((message["stat"]["version"], message["data"]))
        return told

    first, *others = await asyncio.gather(*[work(w, n) for w, n in zip(wires, "abc")])
    assert [version for version, _ in first] == list(range(1, 301))
    assert all(other == first for other in others), "servers told different stories"


async def moves_between_servers(ensemble):
    one, two, three = ensemble.servers
    for behind, ahead in [(one, two), (two, three), (three, one)]:
        old = await Wire.open(behind)
        zxid = (await old.ask({"op": "create", "path": f"/m{behind.id}", "ephemeral": True}))["zxid"]
        await old.send([{"id": 0, "op": "ping"},
                        {"id": 1, "op": "get", "path": "/", "consistency": {"atLeast": "f" * 16}},
                        {"id": 2, "op": "ping"}])
        assert (await old.next())["op"] == "pong"  # so the server has all of them
        new = await Wire.open(ahead, **old.credentials, lastZxid=zxid)
        assert new.connected["server"] == ahead.id and new.connected["resumed"], new.connected
        assert [r["error"] for r in await old.several(2)] == ["SessionMoved"] * 2
        assert await old.closed() == 1000
        assert (await new.ask({"op": "ephemerals"}))["paths"] == [f"/m{behind.id}"]
        watcher = await Wire.open(behind, lastZxid=zxid)
        await watcher.ask({"id": 1, "op": "watch", "path": f"/m{behind.id}"})
        assert (await new.ask({"id": 1, "op": "close"}))["op"] == "closed"
        assert (await watcher.next())["event"] == "deleted"


async def who_is_who(ensemble):
    roles = []
    for server in ensemble.servers:
        wire = await Wire.open(server)
        connected = wire.connected
        assert connected["server"] == server.id, connected
        assert sorted(connected["servers"]) == sorted(s.url for s in ensemble.servers), connected
        status = server.status()
        assert status["role"] == connected["role"] and status["id"] == server.id, status
        assert len(status["peers"]) == 2 and all(p["connected"] for p in status["peers"]), status
        roles.append(connected["role"])
    assert sorted(roles) == ["follower", "follower", "leader"], roles


async def test():
    """across servers reads are as fresh as asked, time runs forward and events are told once"""
    async with Ensemble(3) as ensemble:
        for check in [who_is_who, fresh_reads, a_read_sees_no_later_write, time_runs_forward,
                      no_event_is_lost, once_is_delivered_late, events_at_every_server,
                      moves_between_servers]:
            await check(ensemble)


run(test)
