"""Sessions: connect, resume, move to another connection, close and expire."""

from conformance import Wire
from harness import Ensemble, run, until


async def refused(server, **fields):
    wire = await Wire.to(server)
    reply = await wire.call({"op": "connect", "id": "mine", **fields})
    assert reply["op"] == "connect" and reply["id"] == "mine" and "message" in reply, reply
    assert await wire.closed() == 1000
    return reply


async def refusal(server, **fields):
    reply = await refused(server, **fields)
    return reply["error"], reply.get("code")


async def timeouts(server):
    for requested, granted in [({}, 3000), ({"timeoutMs": 1}, 600), ({"timeoutMs": 0}, 600),
                           ({"timeoutMs": -(2**63)}, 600), ({"timeoutMs": 600}, 600),
                           ({"timeoutMs": 1234}, 1234), ({"timeoutMs": 3001}, 3000),
                           ({"timeoutMs": 2**63 - 1}, 3000)]:
        wire = await Wire.open(server, **requested)
        connected = wire.connected
        assert connected["timeoutMs"] == granted, (requested, connected)
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
    assert (await wire.call({"op": "ping"}))["op"] == "pong", "the session was affected by wrong credentials"


async def close_ends(server):
    watcher = await Wire.open(server)
    await watcher.call({"id": 1, "op": "watch", "path": "/closing"})
    wire = await Wire.open(server)
    await wire.send([{"id": 1, "op": "create", "path": "/closing", "ephemeral": True},
                     {"id": 2, "op": "close"}, {"id": 3, "op": "ping"}])
    created, closed = await wire.several(2)
    assert created["path"] == "/closing" and closed["op"] == "closed" and closed["id"] == 2, closed
    assert await wire.closed() == 1000
    events = await watcher.several(2)
    assert [e["event"] for e in events] == ["created", "deleted"], events
    assert events[1]["zxid"] == closed["zxid"], (events, closed)
    reply = await watcher.call({"op": "exists", "path": "/closing"})
    assert reply["stat"] is None, reply
    reply = await refused(server, **wire.credentials)
    assert reply["error"] == "SessionExpired" and reply["zxid"] >= closed["zxid"], reply


async def requests_after_connect(server):
    wire = await Wire.to(server)
    await wire.send([{"op": "connect"}, {"id": 1, "op": "create", "path": "/early", "ephemeral": True}],
                    {"id": 2, "op": "get", "path": "/early"}, {"id": 3, "op": "fly"},
                    {"id": 4, "op": "connect"}, {"id": 5, "op": "close"})
    received = await wire.several(6)
    assert [m.get("op") or m.get("error") or m["id"] for m in received] == [
        "connected", 1, 2, "BadArguments", "BadArguments", "closed"], received
    assert received[2]["stat"]["ephemeralOwner"] == received[0]["session"], received


async def moved(server):
    """The old connection's requests are answered with SessionMoved, in order, and it ends."""
    old = await Wire.open(server)
    await old.call({"id": "w", "op": "watch", "path": "/moved"})
    await old.call({"op": "create", "path": "/mine", "ephemeral": True})
    await old.send([{"id": 0, "op": "ping"},
                    {"id": 1, "op": "get", "path": "/", "consistency": {"atLeast": "f" * 16}},
                    {"id": 2, "op": "get", "path": "/", "watch": True}, {"id": 3, "op": "ping"},
                    {"id": 4, "op": "get", "path": "/", "consistency": {"atLeast": "f" * 16}}])
    assert (await old.next())["op"] == "pong"  # the server has received all of them now
    new = await Wire.open(server, **old.credentials)
    assert new.connected["resumed"] and new.connected["session"] == old.connected["session"]
    replies = await old.several(4)
    assert [r["id"] for r in replies] == [1, 2, 3, 4], replies
    assert {(r["error"], r["code"]) for r in replies} == {("SessionMoved", -118)}, replies
    assert await old.closed() == 1000
    # The session keeps its nodes, but not its watches.
    created = await new.call({"op": "create", "path": "/moved"})
    assert "event" not in created, created
    assert (await new.call({"op": "ephemerals"}))["paths"] == ["/mine"]
    await new.call({"op": "set", "path": "/", "data": ""})


async def behind(server):
    far = "7fffffffffffffff"
    # A read with atLeast waits only for the session's timeout, and so do the requests after it.
    hasty = await Wire.open(server, timeoutMs=500)
    await hasty.send([{"id": 1, "op": "get", "path": "/", "consistency": {"atLeast": far}},
                      {"id": 2, "op": "ping"}])
    replies = await hasty.several(2)
    assert [r["id"] for r in replies] == [1, 2] and replies[0]["error"] == "ServerBehind", replies
    wire = await Wire.open(server)
    assert await refusal(server, lastZxid=far) == ("ServerBehind", None)
    assert await refusal(server, **wire.credentials, lastZxid=far) == ("ServerBehind", None)
    assert (await wire.call({"op": "ping"}))["op"] == "pong", "a refused connect moved the session"
    # A connect waits for a zxid that the server reaches in time.
    zxid = (await wire.call({"op": "get", "path": "/"}))["zxid"]
    ahead = await Wire.to(server)
    await ahead.send({"op": "connect", "lastZxid": f"{int(zxid, 16) + 1:016x}"})
    await wire.call({"op": "create", "path": "/ahead"})
    assert (await ahead.next())["zxid"] > zxid


async def heartbeats_and_expiry(server):
    """Pongs keep a session; a session without them expires, and its client gets `expired`."""
    watcher = await Wire.open(server)
    idle, silent, dropped = [await Wire.open(server, timeoutMs=1500) for _ in range(3)]
    for name, wire in [("idle", idle), ("silent", silent), ("dropped", dropped)]:
        await wire.call({"op": "create", "path": f"/alive/{name}", "ephemeral": True, "parents": True})
    await watcher.call({"id": 1, "op": "watch", "path": "/alive", "scope": "subtree"})
    silent.socket.transport.pause_reading()  # so that it answers no pings
    await dropped.drop()
    events = await watcher.several(2)
    assert {(e["event"], e["path"]) for e in events} == {("deleted", "/alive/silent"),
                                                       ("deleted", "/alive/dropped")}, events
    silent.socket.transport.resume_reading()
    assert await silent.next() == {"op": "expired"}
    assert await silent.closed() == 1000
    # A new session that begins at this zxid does not see the ephemerals of the expired one.
    reply = await refused(server, **dropped.credentials)
    assert (reply["error"], reply["code"]) == ("SessionExpired", -112), reply
    assert reply["zxid"] >= max(e["zxid"] for e in events), (reply, events)
    assert (await idle.call({"op": "ephemerals"}))["paths"] == ["/alive/idle"]


async def over_a_restart(server):
    wire = await Wire.open(server)
    await wire.call({"op": "create", "path": "/durable", "ephemeral": True})
    assert server.terminate() == 0
    goaway = await wire.next()
    assert goaway["op"] == "goaway" and goaway["reason"], goaway
    assert await wire.closed() == 1001
    server.start()
    await until(server.ready, "the server serves again")
    again = await Wire.open(server, **wire.credentials)
    assert again.connected["resumed"], again.connected
    assert (await again.call({"op": "ephemerals"}))["paths"] == ["/durable"]


async def test():
    """sessions are opened, resumed, moved, closed and expired as the protocol says"""
    async with Ensemble(1, minSessionTimeout=600, maxSessionTimeout=3000) as ensemble:
        server = ensemble.servers[0]
        await timeouts(server)
        await wrong_credentials(server)
        await close_ends(server)
        await requests_after_connect(server)
        await moved(server)
        await behind(server)
        await heartbeats_and_expiry(server)
        await over_a_restart(server)


run(test)
