"""The protocol's guarantees across servers: fresh reads, no older value after a newer one, no lost
event."""

import asyncio

from conformance import Wire
from harness import Ensemble, run


async def value(wire, path, **fields):
    reply = await wire.call({"op": "get", "path": path, **fields})
    assert "error" not in reply, reply
    return reply["data"]


async def fresh_reads(ensemble):
    """A write that one server acknowledged is seen at the others by linearizable reads."""
    wires = [await Wire.open(server) for server in ensemble.servers]
    await wires[0].call({"op": "create", "path": "/fresh", "data": "0"})
    for wire in wires:
        await wire.call({"op": "sync", "path": "/"})
    for n in range(60):
        writer, reader = wires[n % 3], wires[(n + 1) % 3]
        written = await writer.call({"op": "set", "path": "/fresh", "data": str(n)})
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
            children = await reader.call({"op": "exists", "path": "/fresh", "consistency": "linearizable"})
            assert children["stat"]["mzxid"] == written["stat"]["mzxid"], children
            continue
        assert seen == str(n), f"round {n}: {seen}"


async def a_read_sees_no_later_write(ensemble):
    """A session's requests take effect in order: a read that waits for a quorum does not see a
    later write."""
    busy = True

    async def write(server, path):
        wire = await Wire.open(server)
        await wire.call({"op": "create", "path": path})
        while busy:
            await wire.send([{"op": "set", "path": path, "data": "x"}] * 20)
            await wire.several(20)

    # Busy disks delay the quorum.
    writing = [asyncio.create_task(write(s, f"/busy{n}")) for n, s in enumerate(ensemble.servers * 2)]
    for n, server in enumerate([ensemble.leader(), ensemble.followers()[0]]):
        wire, path = await Wire.open(server), f"/inorder{n}"
        await wire.call({"op": "create", "path": path, "data": "old"})
        for first in [{"op": "get", "consistency": "linearizable"}, {"op": "sync"}, {"op": "create"}] * 15:
            await wire.send([{"id": 1, "path": path, **first}, {"id": 2, "op": "get", "path": path},
                             {"id": 3, "op": "set", "path": path, "data": "new"},
                             {"id": 4, "op": "get", "path": path},
                             {"id": 5, "op": "set", "path": path, "data": "old"}])
            replies = await wire.several(5)
            assert [r["id"] for r in replies] == [1, 2, 3, 4, 5], replies
            assert [r["data"] for r in replies if "data" in r][-2:] == ["old", "new"], replies
            assert replies[0].get("data", "old") == "old", replies
        # The same with a close.
        await wire.send([{"id": 1, "op": "get", "path": path, "consistency": "linearizable"},
                         {"id": 2, "op": "close"}])
        read, closed = await wire.several(2)
        assert read.get("data") == "old" and closed["op"] == "closed", (read, closed)
    busy = False
    await asyncio.gather(*writing)


async def a_session_never_reads_an_older_value(ensemble):
    """Also when it moves from server to server, under writes."""
    writer = await Wire.open(ensemble.servers[0])
    await writer.call({"op": "create", "path": "/forward", "data": "0"})
    done = False

    async def write():
        n = 0
        while not done:
            n += 1
            assert "error" not in await writer.call({"op": "set", "path": "/forward", "data": str(n)})

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
            await wire.call({"op": "sync", "path": "/"})
        for _ in range(5):
            reply = await wire.call({"op": "get", "path": "/forward"})
            assert int(reply["data"]) >= last and reply["zxid"] >= (zxid or ""), (reply, last, zxid)
            last, zxid = int(reply["data"]), reply["zxid"]
    done = True
    await writing
    assert last > 0


async def no_event_is_lost(ensemble):
    """A watch that is set again at another server with `from` gets each event once, in order."""
    writer = await Wire.open(ensemble.servers[1])
    await writer.call({"op": "create", "path": "/follow", "data": "0"})
    count = 400
    zxid = (await writer.call({"op": "sync", "path": "/"}))["zxid"]
    writing = asyncio.create_task(write_numbers(writer, "/follow", count))
    received, hop, wire = 0, 0, None
    resume = {"lastZxid": zxid}
    while received < count:
        wire = await Wire.open(ensemble.servers[hop % 3], **resume)
        hop += 1
        await wire.send({"id": "w", "op": "watch", "path": "/follow", "withData": True, "from": zxid})
        here = 0
        while received < count and here < 40:
            message = await wire.next()
            if "event" not in message:
                assert message["id"] == "w" and "error" not in message, message
                continue
            assert message["event"] == "changed" and message["data"] == str(received + 1), (received, message)
            assert message["zxid"] > zxid
            received, here, zxid = received + 1, here + 1, message["zxid"]
        resume = {**wire.credentials, "lastZxid": zxid}
        await wire.drop()
    await writing
    assert hop >= 10

    # With a `from` before the history, the watch gets a resync event.
    await writer.send(*[{"id": n, "op": "multi", "ops": [
        {"op": "create", "path": "/follow/", "sequential": True}] * 1000} for n in range(11)])
    for reply in await writer.several(11):
        assert "error" not in reply, reply
    wire = await Wire.open(ensemble.servers[2])
    await wire.call({"op": "sync", "path": "/"})
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


async def a_one_shot_watch_gets_a_past_event(ensemble):
    """A one-shot watch that is set again after a change gets one event at once, and no other."""
    one, two, _ = ensemble.servers
    writer = await Wire.open(two)
    zxid = (await writer.call({"op": "create", "path": "/once"}))["zxid"]
    wire = await Wire.open(one, lastZxid=zxid)
    await wire.call({"id": 1, "op": "watch", "path": "/once", "once": True})
    await wire.drop()
    for data in "ab":
        written = await writer.call({"op": "set", "path": "/once", "data": data})
    wire = await Wire.open(two, **wire.credentials, lastZxid=zxid)
    await wire.send({"id": 1, "op": "watch", "path": "/once", "once": True, "from": zxid})
    event, reply = await wire.several(2)
    assert event["event"] == "changed" and zxid < event["zxid"] < written["zxid"], event
    assert reply["watch"] == 1 and reply["stat"]["version"] == 2, reply
    reply = await wire.call({"id": 2, "op": "set", "path": "/once", "data": "c"})
    assert reply["id"] == 2, f"a second event: {reply}"


async def events_at_every_server(ensemble):
    """At every server, the event of a change comes before any reply that shows the change, also
    when the writer uses another server, and the client itself writes."""
    wires = [await Wire.open(server) for server in ensemble.servers]
    await wires[0].call({"op": "create", "path": "/all", "data": "-"})
    for wire in wires:
        await wire.call({"op": "sync", "path": "/"})
        await wire.call({"id": "w", "op": "watch", "path": "/all", "withData": True})

    async def work(wire, name):
        """Pipelines sets and reads; returns the versions and data of all events."""
        events = []
        await wire.send([request for n in range(0, 200, 2) for request in (
            {"id": n, "op": "set", "path": "/all", "data": f"{name}{n}"},
            {"id": n + 1, "op": "get", "path": "/all"})])
        expected = iter(range(200))
        replies = 0
        while replies < 200:
            message = await wire.next()
            version = message["stat"]["version"]
            if "event" in message:
                assert version == (events[-1][0] if events else 0) + 1, (message, events[-1:])
                events.append((version, message["data"]))
            else:
                assert message["id"] == next(expected), message
                assert version <= events[-1][0], f"{message} before its event"
                replies += 1
        while events[-1][0] < 300:
            message = await wire.next()
            events.append((message["stat"]["version"], message["data"]))
        return events

    first, *others = await asyncio.gather(*[work(w, n) for w, n in zip(wires, "abc")])
    assert [version for version, _ in first] == list(range(1, 301))
    assert all(other == first for other in others), "servers sent different events"


async def moves_between_servers(ensemble):
    one, two, three = ensemble.servers
    for behind, ahead in [(one, two), (two, three), (three, one)]:
        old = await Wire.open(behind)
        zxid = (await old.call({"op": "create", "path": f"/m{behind.id}", "ephemeral": True}))["zxid"]
        await old.send([{"id": 0, "op": "ping"},
                        {"id": 1, "op": "get", "path": "/", "consistency": {"atLeast": "f" * 16}},
                        {"id": 2, "op": "ping"}])
        assert (await old.next())["op"] == "pong"  # the server has received all of them now
        new = await Wire.open(ahead, **old.credentials, lastZxid=zxid)
        assert new.connected["server"] == ahead.id and new.connected["resumed"], new.connected
        assert [r["error"] for r in await old.several(2)] == ["SessionMoved"] * 2
        assert await old.closed() == 1000
        assert (await new.call({"op": "ephemerals"}))["paths"] == [f"/m{behind.id}"]
        watcher = await Wire.open(behind, lastZxid=zxid)
        await watcher.call({"id": 1, "op": "watch", "path": f"/m{behind.id}"})
        assert (await new.call({"id": 1, "op": "close"}))["op"] == "closed"
        assert (await watcher.next())["event"] == "deleted"


async def servers_report_their_ids_and_roles(ensemble):
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
    """across servers, reads are as fresh as requested, sessions never go back, and each event comes once"""
    async with Ensemble(3) as ensemble:
        for check in [servers_report_their_ids_and_roles, fresh_reads, a_read_sees_no_later_write,
                      a_session_never_reads_an_older_value, no_event_is_lost, a_one_shot_watch_gets_a_past_event, events_at_every_server,
                      moves_between_servers]:
            await check(ensemble)


run(test)
