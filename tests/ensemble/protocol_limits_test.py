"""Each limit has its own error. Where possible, the connection can be used after the error."""

import base64
import re

from conformance import Wire
from harness import Ensemble, run, until

LIMITS = {"maxWatches": 3, "maxOutstandingRequests": 10, "maxMultiOps": 5, "maxDataBytes": 2048}


async def data(server):
    wire = await Wire.open(server)
    fits, too_long = "d" * 2048, "d" * 2049
    await wire.call({"op": "create", "path": "/data", "data": fits})
    for request in [
        {"op": "create", "path": "/other", "data": too_long},
        {"op": "set", "path": "/data", "data": too_long},
        {"op": "set", "path": "/data", "data64": base64.b64encode(too_long.encode()).decode()},
        {"op": "set", "path": "/data", "data": "ä" * 1025},
        {"op": "multi", "ops": [{"op": "delete", "path": "/data"},
                                {"op": "create", "path": "/data", "data": too_long}]},
    ]:
        await wire.refused({"id": 1, **request}, "TooLarge", None, "maxDataBytes", "2048", ident=1)
    # The bytes of the data count, not those of the frame.
    reply = await wire.call({"op": "set", "path": "/data", "data": "\1" * 2048})
    assert reply["stat"]["version"] == 1, reply


async def multi_and_frames(server):
    wire = await Wire.open(server)
    check = {"op": "check", "path": "/"}
    reply = await wire.call({"op": "multi", "ops": [check] * 5})
    assert len(reply["results"]) == 5, reply
    await wire.refused({"id": 1, "op": "multi", "ops": [check] * 6}, "TooLarge", None,
                       "maxMultiOps", "6", ident=1)
    await wire.refused("[" + ",".join(["{}"] * 16385) + "]", "TooLarge", None, "16384")
    reply = await wire.call({"id": "i" * 254, "op": "ping"})
    assert reply["id"] == "i" * 254, reply
    await wire.refused({"id": "i" * 255, "op": "ping"}, "BadArguments", -8, "id", "256")


async def watches(server):
    wire = await Wire.open(server)
    for n in range(3):
        reply = await wire.call({"id": n, "op": "watch", "path": f"/w{n}", "once": n == 0})
        assert reply["watch"] == n, reply
    full = ("TooManyWatches", None, "3")
    await wire.refused({"id": 3, "op": "watch", "path": "/w3"}, *full, ident=3)
    await wire.refused({"id": 3, "op": "exists", "path": "/w3", "watch": True}, *full, ident=3)
    assert "error" not in await wire.call({"op": "exists", "path": "/w3"})
    # The id of a watch is in use as long as the watch is set.
    await wire.call({"op": "unwatch", "watch": 2})
    await wire.refused({"id": 1, "op": "watch", "path": "/w3"}, "BadArguments", -8, "id", ident=1)
    # A one-shot watch that has fired and a removed watch do not count.
    await wire.send({"id": 9, "op": "create", "path": "/w0"})
    event, _ = await wire.several(2)
    assert (event["watch"], event["event"]) == (0, "created"), event
    for n in (0, 2):
        assert (await wire.call({"id": n, "op": "watch", "path": "/w3"}))["watch"] == n
    await wire.refused({"id": 3, "op": "watch", "path": "/w3"}, *full, ident=3)
    # Another session has a limit of its own.
    other = await Wire.open(server)
    assert (await other.call({"id": 0, "op": "watch", "path": "/w3"}))["watch"] == 0


async def outstanding(server):
    """More requests than may be outstanding are all answered, in order."""
    wire, writer = await Wire.open(server), await Wire.open(server)
    await wire.call({"op": "create", "path": "/many"})
    ops = [{"op": "set", "path": "/many", "data": "x"}, {"op": "get", "path": "/many"},
           {"op": "sync", "path": "/"}, {"op": "fly"}]
    await wire.send(*[{"id": n, **ops[n % 4]} for n in range(400)])
    replies = await wire.several(400)
    assert [r["id"] for r in replies] == list(range(400))
    assert replies[396]["stat"]["version"] == 100, replies[396]
    await wire.send([{"id": n, **ops[n % 4]} for n in range(400)])
    assert [r["id"] for r in await wire.several(400)] == list(range(400))

    # While the oldest request waits, the later ones wait too, and other clients are served.
    zxid = int((await wire.call({"op": "get", "path": "/many"}))["zxid"], 16)
    later = {"consistency": {"atLeast": f"{zxid + 20:016x}"}}
    await wire.send(*[{"id": n, **ops[1], **(later if n == 0 else {})} for n in range(100)])
    for n in range(20):
        reply = await writer.call({"op": "set", "path": "/many", "data": str(n)})
        assert "error" not in reply, reply
    replies = await wire.several(100)
    assert [(r["id"], r["data"]) for r in replies] == [(n, "19") for n in range(100)]


async def slow_consumer():
    """A client that does not read loses no reply, is told to read again, and delays nobody."""
    async with Ensemble(1, maxSessionTimeout=60_000) as ensemble:
        server = ensemble.servers[0]
        wire, slow = await Wire.open(server), await Wire.open(server, timeoutMs=60_000)
        await wire.call({"op": "create", "path": "/big", "data": "b" * (1 << 20)})
        # Replies that it does not read only stop the server from reading its requests.
        slow.socket.transport.pause_reading()
        await slow.send(*[{"id": n, "op": "get", "path": "/big"} for n in range(100)])
        throttled = re.compile(r"zabkeeper_client_throttled_connections 1\n")
        await until(lambda: throttled.search(server.http("/metrics")[1]),
                    "the slow client is not read from")
        assert (await wire.call({"op": "ping"}))["op"] == "pong"
        slow.socket.transport.resume_reading()
        assert [r["id"] for r in await slow.several(100)] == list(range(100))

        # With 16 MiB of events the watch stops. Once the client has them, it is told to read again.
        await slow.call({"id": 0, "op": "watch", "path": "/big", "withData": True})
        slow.socket.transport.pause_reading()

        async def written():
            reply = await wire.call({"op": "set", "path": "/big", "data": "c" * (1 << 20)})
            assert "stat" in reply, reply
            return 'budget="waiting",measure="resync"} 1\n' in server.http("/metrics")[1]

        await until(written, "the slow client lags")
        for _ in range(20):
            await written()
        slow.socket.transport.resume_reading()
        events = [await slow.next()]
        while events[-1]["event"] != "resync":
            events.append(await slow.next())
        assert 8 <= len(events) <= 40, len(events)
        assert {event["event"] for event in events[:-1]} == {"changed"}
        last = (await wire.call({"op": "set", "path": "/big", "data": "last"}))["zxid"]
        event = await slow.next()
        assert (event["event"], event["zxid"], event["data"]) == ("changed", last, "last"), event


async def connections():
    async with Ensemble(1, maxClientCnxns=3) as ensemble:
        server = ensemble.servers[0]
        held = []
        while len(held) < 3:
            # The harness's HTTP connections count too, until they are closed.
            wire = await Wire.to(server)
            reply = await wire.call({"op": "connect"})
            if reply["op"] == "connected":
                held.append(wire)
        wire = await Wire.to(server)
        reply = await wire.next()
        assert (reply["op"], reply["error"]) == ("connect", "TooManyConnections"), reply
        assert "code" not in reply and "maxClientCnxns" in reply["message"], reply
        assert await wire.closed() == 1008
        assert server.http("/status")[0] == 200, "the status page must be served at the limit"
        refused = re.search(r"zabkeeper_client_refused_total (\d+)\n", server.http("/metrics")[1])
        assert int(refused[1]) >= 1

        await held.pop().drop()

        async def accepted():
            return (await (await Wire.to(server)).call({"op": "connect"}))["op"] == "connected"

        await until(accepted, "a new connection is accepted")


async def test():
    """each limit has its own error, and no reply is lost"""
    async with Ensemble(1, **LIMITS) as ensemble:
        server = ensemble.servers[0]
        await data(server)
        await multi_and_frames(server)
        await watches(server)
        await outstanding(server)
    await slow_consumer()
    await connections()


run(test)
