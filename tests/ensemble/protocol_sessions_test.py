"""How sessions begin, go on, move and end: what their clients are told."""

from conformance import Wire
from harness import Ensemble, run, until


async def refused(server, **fields):
    wire = await Wire.to(server)
    reply = await wire.ask({"op": "connect", "id": "mine", **fields})
    assert reply["op"] == "connect" and reply["id"] == "mine" and "message" in reply, reply
    assert await wire.closed() == 1000
    return reply


async def refusal(server, **fields):
    reply = await refused(server, **fields)
    return reply["error"], reply.get("code")


async def timeouts(server):
    for asked, granted in [({}, 3000), ({"timeoutMs": 1}, 600), ({"timeoutMs": 0}, 600),
                           ({"timeoutMs": -(2**63)}, 600), ({"timeoutMs": 600}, 600),
                           ({"timeoutMs": 1234}, 1234), ({"timeoutMs": 3001}, 3000),
                           ({"timeoutMs": 2**63 - 1}, 3000)]:
        wire = await Wire.open(server, **asked)
        connected = wire.connected
        assert connected["timeoutMs"] == granted, (asked, connected)
        assert len(connected["session"]) == 16 and len(connected["password"]) == 32, connected
        assert connected["servers"] == [server.url] and not connected["resumed"], connected
    again = await Wire.open(server, **wire.credentials, timeoutMs=700)
    assert again.connected["resumed"] and again.connected["timeoutMs"] == 700, again.connected


async def wrong_credentials(server):
    wire = await Wire.open(server)
    session = wire.connected["session"]
    for password in ["0" * 32, "", "short", "g" * 32, wire.connected["password"][:-1]]:
        assert await refusal(server, session=session, password=password) == ("AuthFailed", -115)
    for unknown in ["0" * 16, "f" * 16, "00000000000000ff"]:
        for password in ["0" * 32, "short"]:
            assert await refusal(server, session=unknown, password=password) == ("SessionExpired", -112)
    assert (await wire.ask({"op": "ping"}))["op"] == "pong", "the session suffered from forgers"


async def close_ends(server):
    watcher = await Wire.open(server)
    await watcher.ask({"id": 1, "op": "watch", "path": "/closing"})
    wire = await Wire.open(server)
    await wire.send([{"id": 1, "op": "create", "path": "/closing", "ephemeral": True},
                     {"id": 2, "op": "close"}, {"id": 3, "op": "ping"}])
    created, closed = await wire.several(2)
    assert created["path"] == "/closing" and closed["op"] == "closed" and closed["id"] == 2, closed
    assert await wire.closed() == 1000
    events = await watcher.several(2)
    assert [e["event"] for e in events] == ["created", "deleted"], events
    assert events[1]["zxid"] == closed["zxid"], (events, closed)
    reply = await watcher.ask({"op": "exists", "path": "/closing"})
    assert reply["stat"] is None, reply
    reply = await refused(server, **wire.credentials)
    assert reply["error"] == "SessionExpired" and reply["zxid"] >= closed["zxid"], reply


async def requests_behind_connect(server):
    wire = await Wire.to(server)
    await wire.send([{"op": "connect"}, {"id": 1, "op": "create", "path": "/early", "ephemeral": True}],
                    {"id": 2, "op": "get", "path": "/early"}, {"id": 3, "op": "fly"},
                    {"id": 4, "op": "connect"}, {"id": 5, "op": "close"})
    came = await wire.several(6)
    assert [m.get("op") or m.get("error") or m["id"] for m in came] == [
        "connected", 1, 2, "BadArguments", "BadArguments", "closed"], came
    assert came[2]["stat"]["ephemeralOwner"] == came[0]["session"], came


async def moved(server):
    """The old connection's requests are answered with SessionMoved, in order, and it ends."""
    old = await Wire.open(server)
    await old.ask({"id": "w", "op": "watch", "path": "/moved"})
    await old.ask({"op": "create", "path": "/mine", "ephemeral": True})
    await old.send([{"id": 0, "op": "ping"},
                    {"id": 1, "op": "get", "path": "/", "consistency": {"atLeast": "f" * 16}},
                    {"id": 2, "op": "get", "path": "/", "watch": True}, {"id": 3, "op": "ping"},
                    {"id": 4, "op": "get", "path": "/", "consistency": {"atLeast": "f" * 16}}])
    assert (await old.next())["op"] == "pong"  # so the server has all of them
    new = await Wire.open(server, **old.credentials)
    assert new.connected["resumed"] and new.connected["session"] == old.connected["session"]
    replies = await old.several(4)
    assert [r["id"] for r in replies] == [1, 2, 3, 4], replies
    assert {(r["error"], r["code"]) for r in replies} == {("SessionMoved", -118)}, replies
    assert await old.closed() == 1000
    # Its watches stayed behind, its nodes came along.
    created = await new.ask({"op": "create", "path": "/moved"})
    assert "event" not in created, created
    assert (await new.ask({"op": "ephemerals"}))["paths"] == ["/mine"]
    await new.ask({"op": "set", "path": "/", "data": ""})


async def behind(server):
    far = "7fffffffffffffff"
    # A read is not kept waiting for ever, nor what is behind it.
    hasty = await Wire.open(server, timeoutMs=500)
    await hasty.send([{"id": 1, "op": "get", "path": "/", "consistency": {"atLeast": far}},
                      {"id": 2, "op": "ping"}])
    replies = await hasty.several(2)
    assert [r["id"] for r in replies] == [1, 2] and replies[0]["error"] == "ServerBehind", replies
    wire = await Wire.open(server)
    assert await refusal(server, lastZxid=far) == ("ServerBehind", None)
    assert await refusal(server, **wire.credentials, lastZxid=far) == ("ServerBehind", None)
    assert (await wire.ask({"op": "ping"}))["op"] == "pong", "a refused connect moved the session"
    # What it reaches in time it waits for.
    zxid = (await wire.ask({"op": "get", "path": "/"}))["zxid"]
    ahead = await Wire.to(server)
    await ahead.send({"op": "connect", "lastZxid": f"{int(zxid, 16) + 1:016x}"})
    await wire.ask({"op": "create", "path": "/ahead"})
    assert (await ahead.next())["zxid"] > zxid


async def heartbeats_and_expiry(server):
    """Pongs alone keep a session; one that is not heard of ends, and its client is told."""
    watcher = await Wire.open(server)
    quiet, mute, gone = [await Wire.open(server, timeoutMs=1500) for _ in range(3)]
    for name, wire in [("quiet", quiet), ("mute", mute), ("gone", gone)]:
        await wire.ask({"op": "create", "path": f"/alive/{name}", "ephemeral": True, "parents": True})
    await watcher.ask({"id": 1, "op": "watch", "path": "/alive", "scope": "subtree"})
    mute.socket.transport.pause_reading()  # and so answers no ping
    await gone.drop()
    events = await watcher.several(2)
    assert {(e["event"], e["path"]) for e in events} == {("deleted", "/alive/mute"),
                                                       ("deleted", "/alive/gone")}, events
    mute.socket.transport.resume_reading()
    assert await mute.next() == {"op": "expired"}
    assert await mute.closed() == 1000
    # A client that asks its next server for this zxid meets no ghost of its own.
    reply = await refused(server, **gone.credentials)
    assert (reply["error"], reply["code"]) == ("SessionExpired", -112), reply
    assert reply["zxid"] >= max(e["zxid"] for e in events), (reply, events)
    assert (await quiet.ask({"op": "ephemerals"}))["paths"] == ["/alive/quiet"]


async def over_a_restart(server):
    wire = await Wire.open(server)
    await wire.ask({"op": "create", "path": "/durable", "ephemeral": True})
    assert server.terminate() == 0
    goodbye = await wire.next()
    assert goodbye["op"] == "goaway" and goodbye["reason"], goodbye
    assert await wire.closed() == 1001
    server.start()
    await until(server.ready, "the server serves again")
    again = await Wire.open(server, **wire.credentials)
    assert again.connected["resumed"], again.connected
    assert (await again.ask({"op": "ephemerals"}))["paths"] == ["/durable"]


async def test():
    """sessions begin, go on, move and end as the protocol says"""
    async with Ensemble(1, minSessionTimeout=600, maxSessionTimeout=3000) as ensemble:
        server = ensemble.servers[0]
        await timeouts(server)
        await wrong_credentials(server)
        await close_ends(server)
        await requests_behind_connect(server)
        await moved(server)
        await behind(server)
        await heartbeats_and_expiry(server)
        await over_a_restart(server)


run(test)
