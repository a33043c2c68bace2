"""The order of replies and events. Ids and data are returned unchanged."""

import asyncio
import base64
import json

from conformance import Wire
from harness import Ensemble, run


async def replies_in_order(server):
    """A thousand pipelined requests: writes, reads, errors and bad input are answered in order."""
    wire = await Wire.open(server)
    await wire.call({"op": "create", "path": "/order", "data": "-1"})
    requests = []
    for n in range(0, 1000, 5):
        requests += [{"id": n, "op": "set", "path": "/order", "data": str(n)},
                     {"id": n + 1, "op": "get", "path": "/order"},
                     {"id": n + 2, "op": "get", "path": "/order", "consistency": "linearizable"},
                     {"id": n + 3, "op": "fly"},
                     {"id": n + 4, "op": "delete", "path": "/order", "version": 5000}]
    await wire.send(*requests[:500])
    await wire.send(requests[500:])
    replies = await wire.several(1000)
    assert [r["id"] for r in replies] == list(range(1000)), [r["id"] for r in replies]
    zxids = [r["zxid"] for r in replies]
    assert zxids == sorted(zxids)
    for n in range(0, 1000, 5):
        assert replies[n]["stat"]["version"] == n // 5 + 1, replies[n]
        assert replies[n + 1]["data"] == replies[n + 2]["data"] == str(n), replies[n:n + 3]
        assert replies[n + 3]["error"] == "BadArguments", replies[n + 3]
        assert replies[n + 4]["error"] == "BadVersion", replies[n + 4]


async def events_before_replies(server):
    """Pipelined sets with a watch: the event of each comes before its reply; in another session,
    the event comes before any reply that shows the change."""
    writer, reader = await Wire.open(server), await Wire.open(server)
    await writer.call({"op": "create", "path": "/events", "data": "0"})
    for wire in (writer, reader):
        await wire.call({"id": "w", "op": "watch", "path": "/events", "withData": True})

    count = 300
    await writer.send([{"id": n, "op": "set", "path": "/events", "data": str(n)}
                       for n in range(1, count + 1)])

    async def read_until_seen():
        """Reads all the time; each read must show the last event's data."""
        last, ident = 0, 0
        while last < count:
            ident += 1
            await reader.send({"id": ident, "op": "get", "path": "/events"})
            for message in await reader.until_reply(ident):
                data = int(message["data"])
                if "event" in message:
                    assert data == last + 1, f"the event of {data} received after that of {last}"
                    assert message["stat"]["version"] == data, message
                    last = data
                else:
                    assert data == last, f"read {data} after the event of {last}"

    reading = asyncio.create_task(read_until_seen())
    for n in range(1, count + 1):
        event, reply = await writer.several(2)
        assert event.get("event") == "changed" and event["data"] == str(n), event
        assert reply.get("id") == n and reply["zxid"] >= event["zxid"], reply
        assert reply["stat"]["mzxid"] == event["zxid"], (event, reply)
    await reading

    # In a pipeline, a watch gets the events of the sets between its watch and its unwatch request.
    await writer.send([{"id": 1, "op": "set", "path": "/events", "data": "a"},
                       {"id": 2, "op": "get", "path": "/events", "watch": True},
                       {"id": 3, "op": "unwatch", "watch": "w"},
                       {"id": 4, "op": "set", "path": "/events", "data": "b"},
                       {"id": 5, "op": "set", "path": "/events", "data": "c"}])
    received = await writer.until_reply(5)
    names = [m.get("watch") if "event" in m else m["id"] for m in received]
    assert names == ["w", 1, 2, 3, 2, 4, 5], received
    assert received[2]["data"] == "a" and received[4]["zxid"] == received[5]["stat"]["mzxid"], received


async def one_event_for_one_change(server):
    """Several watches and scopes: each watch gets each event once, in the order of the changes."""
    wire = await Wire.open(server)
    await wire.call({"op": "create", "path": "/scopes"})
    watches = {"node": {}, "children": {}, "subtree": {}, "once": {"once": True},
               "data": {"scope": "subtree", "withData": True}}
    for name, fields in watches.items():
        scope = fields.get("scope", name if name in ("children", "subtree") else "node")
        reply = await wire.call({"id": name, "op": "watch", "path": "/scopes", **fields, "scope": scope})
        assert reply["watch"] == name and reply["stat"]["version"] == 0, reply

    async def events_of(**request):
        await wire.send({"id": 0, **request})
        received = await wire.until_reply(0)
        assert "error" not in received[-1], received
        for event in received[:-1]:
            assert event["zxid"] <= received[-1]["zxid"]
            assert ("data" in event) == (event["watch"] == "data" and event["event"] != "deleted")
        return sorted((e["watch"], e["event"], e["path"]) for e in received[:-1])

    assert await events_of(op="create", path="/scopes/a/b", parents=True) == [
        ("children", "children", "/scopes"),
        ("data", "created", "/scopes/a"), ("data", "created", "/scopes/a/b"),
        ("subtree", "created", "/scopes/a"), ("subtree", "created", "/scopes/a/b")]
    assert await events_of(op="set", path="/scopes/a/b", data="x") == [
        ("data", "changed", "/scopes/a/b"), ("subtree", "changed", "/scopes/a/b")]
    assert await events_of(op="set", path="/scopes", data="x") == [
        ("data", "changed", "/scopes"), ("node", "changed", "/scopes"),
        ("once", "changed", "/scopes"), ("subtree", "changed", "/scopes")]
    assert await events_of(op="set", path="/scopes", data="y") == [
        ("data", "changed", "/scopes"), ("node", "changed", "/scopes"),
        ("subtree", "changed", "/scopes")]
    assert await events_of(op="create", path="/scopesnot") == []
    assert await events_of(op="get", path="/scopes/a") == []
    assert await events_of(op="delete", path="/scopes", recursive=True) == [
        ("children", "deleted", "/scopes"), ("data", "deleted", "/scopes"),
        ("data", "deleted", "/scopes/a"), ("data", "deleted", "/scopes/a/b"),
        ("node", "deleted", "/scopes"), ("subtree", "deleted", "/scopes"),
        ("subtree", "deleted", "/scopes/a"), ("subtree", "deleted", "/scopes/a/b")]
    assert await events_of(op="create", path="/scopes") == [
        ("data", "created", "/scopes"), ("node", "created", "/scopes"),
        ("subtree", "created", "/scopes")]
    # One transaction: one event of each kind for each node, with one zxid.
    await wire.send({"id": 0, "op": "multi", "ops": [{"op": "create", "path": "/scopes/x"},
                                                    {"op": "create", "path": "/scopes/y"},
                                                    {"op": "check", "path": "/scopes", "version": 0}]})
    received = await wire.until_reply(0)
    assert len({e["zxid"] for e in received}) == 1, received
    assert [e["path"] for e in received[:-1] if e["watch"] == "children"] == ["/scopes"], received
    assert [e["path"] for e in received[:-1] if e["watch"] == "subtree"] == ["/scopes/x", "/scopes/y"], received
    # The last event agrees with the final state when a node is created and deleted repeatedly.
    for ops in ["cdc", "cdcd", "csdcs"]:
        path = f"/scopes/{ops}"
        steps = {"c": {"op": "create", "path": path}, "d": {"op": "delete", "path": path},
                 "s": {"op": "set", "path": path, "data": "x"}}
        await wire.send({"id": 0, "op": "multi", "ops": [steps[op] for op in ops]})
        received = await wire.until_reply(0)
        there = (await wire.call({"op": "exists", "path": path}))["stat"] is not None
        kinds = [e["event"] for e in received[:-1] if e["watch"] == "subtree"]
        assert there == (kinds[-1] != "deleted"), (ops, received)
    # A failed multi has no events.
    await wire.send({"id": 0, "op": "multi", "ops": [{"op": "create", "path": "/scopes/z"},
                                                    {"op": "create", "path": "/scopes/z"}]})
    received = await wire.until_reply(0)
    assert len(received) == 1 and received[0]["error"] == "NodeExists" and received[0]["index"] == 1, received


async def watches_of_reads(server):
    wire = await Wire.open(server)
    await wire.call({"op": "create", "path": "/reads/a", "parents": True})
    # A failed read sets no watch; exists for a missing node does.
    for op in ("get", "children", "count"):
        reply = await wire.call({"id": op, "op": op, "path": "/reads/none", "watch": True})
        assert reply["error"] == "NoNode", reply
    for op in ("get", "children", "count", "exists"):
        await wire.call({"id": op, "op": op, "path": "/reads", "watch": True})
    await wire.call({"id": "none", "op": "exists", "path": "/reads/none", "watch": True})

    async def events_of(**request):
        await wire.send({"id": 0, **request})
        return sorted((e["watch"], e["event"], e["path"]) for e in (await wire.until_reply(0))[:-1])

    assert await events_of(op="create", path="/reads/a/b") == [("count", "created", "/reads/a/b")]
    assert await events_of(op="create", path="/reads/none") == [
        ("children", "children", "/reads"), ("none", "created", "/reads/none")]
    assert await events_of(op="set", path="/reads", data="x") == [
        ("exists", "changed", "/reads"), ("get", "changed", "/reads")]
    assert await events_of(op="delete", path="/reads", recursive=True) == []


async def values_are_returned_unchanged(server):
    """Ids, bytes and text."""
    wire = await Wire.open(server)
    for text in ["0", "-1", "9007199254740993", "18446744073709551615", "1.5", "-0", '"a"', '""',
                 '"ä\\n\\"\\u0000"']:
        await wire.send('{"id":%s,"op":"ping"}' % text)
        raw = await asyncio.wait_for(wire.socket.recv(), 30)
        assert repr(json.loads(raw)["id"]) == repr(json.loads(text)), (text, raw)
    assert "id" not in await wire.call({"op": "get", "path": "/"})

    await wire.call({"op": "create", "path": "/data"})
    for data in ["", "a", "ä\0\"\\\n\u2028", "\U0001f600" * 100, "\ufffe", "x" * 300_000]:
        await wire.call({"op": "set", "path": "/data", "data": data})
        reply = await wire.call({"op": "get", "path": "/data"})
        assert reply["data"] == data and "data64" not in reply, data[:20]
        assert reply["stat"]["dataLength"] == len(data.encode())
        reply = await wire.call({"op": "get", "path": "/data", "encoding": "base64"})
        assert base64.b64decode(reply["data64"]).decode() == data and "data" not in reply, data[:20]

    await wire.call({"id": 1, "op": "watch", "path": "/data", "withData": True})
    for raw in [b"\xff", b"\x80abc", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", bytes(range(256))]:
        text = base64.b64encode(raw).decode()
        await wire.send({"id": 2, "op": "set", "path": "/data", "data64": text})
        event, _ = await wire.several(2)
        assert event["data64"] == text and "data" not in event, event
        for encoding in ("text", "base64"):
            reply = await wire.call({"op": "get", "path": "/data", "encoding": encoding})
            assert reply["data64"] == text and "data" not in reply, reply
    reply = await wire.call({"op": "multi", "encoding": "base64", "ops": [{"op": "get", "path": "/data"}]})
    assert reply["results"][0]["data64"] == text, reply
    reply = await wire.call({"op": "children", "path": "/", "withData": True, "encoding": "base64"})
    assert all("data64" in child for child in reply["children"]), reply


async def batches(server):
    """A client with `batch` gets arrays under load, in order; a client without it never does."""
    for batch in (True, False):
        wire = await Wire.open(server, batch=batch)
        await wire.send([{"id": n, "op": "exists", "path": "/"} for n in range(2000)])
        received, arrays = [], 0
        while len(received) < 2000:
            frame = await wire.frame()
            arrays += isinstance(frame, list)
            received += frame if isinstance(frame, list) else [frame]
        assert [r["id"] for r in received] == list(range(2000))
        assert (arrays > 0) == batch, f"{arrays} arrays with batch: {batch}"


async def node_rules(server):
    """The errors of the tree's rules, with ZooKeeper's codes."""
    wire = await Wire.open(server)
    ok = await wire.call({"op": "create", "path": "/rules"})
    assert ok["stat"]["ephemeralOwner"] == "0" * 16 and ok["stat"]["czxid"] == ok["zxid"], ok
    own = await wire.call({"op": "create", "path": "/rules/e", "ephemeral": True})
    assert own["stat"]["ephemeralOwner"] == wire.connected["session"], own
    for request, error, code in [
        ({"op": "create", "path": "/rules"}, "NodeExists", -110),
        ({"op": "create", "path": "/rules/x/y"}, "NoNode", -101),
        ({"op": "create", "path": "/rules/e/x"}, "NoChildrenForEphemerals", -108),
        ({"op": "create", "path": "/rules/e/x/y", "parents": True}, "NoChildrenForEphemerals", -108),
        ({"op": "set", "path": "/rules/e/x", "data": "", "create": True}, "NoChildrenForEphemerals", -108),
        ({"op": "set", "path": "/rules/x", "data": ""}, "NoNode", -101),
        ({"op": "set", "path": "/rules/x", "data": "", "create": True, "version": 0}, "NoNode", -101),
        ({"op": "set", "path": "/rules", "data": "", "version": 1}, "BadVersion", -103),
        ({"op": "delete", "path": "/rules"}, "NotEmpty", -111),
        ({"op": "delete", "path": "/rules", "version": 3}, "BadVersion", -103),
        ({"op": "delete", "path": "/rules", "version": 3, "recursive": True}, "BadVersion", -103),
        ({"op": "delete", "path": "/rules/x"}, "NoNode", -101),
        ({"op": "get", "path": "/rules/x"}, "NoNode", -101),
        ({"op": "children", "path": "/rules/x"}, "NoNode", -101),
        ({"op": "count", "path": "/rules/x"}, "NoNode", -101),
        ({"op": "unwatch", "watch": "x"}, "NoWatcher", -121),
        ({"op": "create", "path": "/rules/c", "container": True, "ttlMs": 5}, "BadArguments", -8),
        ({"op": "create", "path": "/rules/c", "ttlMs": 0}, "BadArguments", -8),
        ({"op": "create", "path": "/rules/c", "acl": []}, "InvalidAcl", -114),
        ({"op": "getAcl", "path": "/rules/x"}, "NoNode", -101),
        ({"op": "setAcl", "path": "/rules", "acl": [{"scheme": "auth", "perms": "r"}]}, "InvalidAcl", -114),
        ({"op": "multi", "ops": [{"op": "check", "path": "/rules", "version": 9}]}, "BadVersion", -103),
        ({"op": "multi", "ops": [{"op": "get", "path": "/rules/x"}]}, "NoNode", -101),
    ]:
        await wire.refused({"id": "r", **request}, error, code, ident="r")

    # Versions and counters.
    first = await wire.call({"op": "set", "path": "/rules", "data": "a", "version": 0})
    assert (first["stat"]["version"], first["stat"]["mzxid"]) == (1, first["zxid"]), first
    paths = [(await wire.call({"op": "create", "path": "/rules/s-", "sequential": True}))["path"]
             for _ in range(3)]
    assert paths == [f"/rules/s-{n:010d}" for n in (1, 2, 3)], paths
    await wire.call({"op": "delete", "path": paths[-1]})
    again = await wire.call({"op": "create", "path": "/rules/t-", "sequential": True})
    assert again["path"] == "/rules/t-0000000004", "a sequence number was used twice"
    stat = (await wire.call({"op": "exists", "path": "/rules"}))["stat"]
    assert (stat["cversion"], stat["numChildren"], stat["pzxid"]) == (6, 4, again["zxid"]), stat

    # All pages together are all children.
    await wire.call({"op": "multi", "ops": [{"op": "create", "path": "/rules/p"}] + [
        {"op": "create", "path": f"/rules/p/{n}"} for n in range(25)]})
    names, after, more = [], None, True
    while more:
        page = await wire.call({"op": "children", "path": "/rules/p", "limit": 10,
                               **({"after": after} if after else {})})
        names += page["children"]
        after, more = names[-1], page["more"]
    assert names == sorted(str(n) for n in range(25)), names
    none = await wire.call({"op": "children", "path": "/rules/p", "limit": 0})
    assert none["children"] == [] and none["more"], none
    empty = await wire.call({"op": "multi", "ops": []})
    assert empty["results"] == [], empty


async def test():
    """replies come in order, events come before replies that show the change, and data are unchanged"""
    async with Ensemble(1) as ensemble:
        server = ensemble.servers[0]
        await replies_in_order(server)
        await events_before_replies(server)
        await one_event_for_one_change(server)
        await watches_of_reads(server)
        await values_are_returned_unchanged(server)
        await batches(server)
        await node_rules(server)


run(test)
