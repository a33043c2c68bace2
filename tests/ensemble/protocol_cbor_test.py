"""The CBOR subprotocol against real servers: the same objects in another encoding."""

from conformance import CBOR, JSON, Wire
from harness import Ensemble, run


async def negotiation(server):
    for offered, chosen in [(None, None), ([JSON], JSON), ([CBOR], CBOR), ([CBOR, JSON], CBOR),
                            (["chat", JSON, CBOR], JSON)]:
        wire = await Wire.to(server, subprotocols=offered)
        assert wire.socket.subprotocol == chosen, (offered, wire.socket.subprotocol)
        await wire.drop()


async def same_objects(server):
    text = await Wire.open(server)
    wire = await Wire.open(server, subprotocols=[CBOR], id="hello", batch=True)
    assert wire.connected["id"] == "hello" and wire.connected["session"] > "", wire.connected

    created = await wire.call({"id": 1, "op": "create", "path": "/cbor", "data": b"\xff\x00"})
    assert created["path"] == "/cbor" and created["stat"]["dataLength"] == 2, created
    assert (await text.call({"op": "get", "path": "/cbor"}))["data64"] == "/wA="
    await text.call({"op": "set", "path": "/cbor", "data": "grün"})
    got = await wire.call({"id": -2, "op": "get", "path": "/cbor", "encoding": "base64",
                          "consistency": "linearizable"})
    assert (got["id"], got["data"]) == (-2, "grün".encode()), got

    # A session can be resumed in the other format.
    moved = await Wire.open(server, **wire.credentials)
    assert moved.connected["resumed"], moved.connected
    back = await Wire.open(server, subprotocols=[CBOR], **wire.credentials)
    assert back.connected["resumed"] and back.connected["session"] == wire.connected["session"]

    await back.send([{"id": 1.5, "op": "watch", "path": "/cbor", "withData": True},
                     {"id": "s", "op": "set", "path": "/cbor", "data": b"v2"},
                     {"id": 2, "op": "multi", "ops": [{"op": "get", "path": "/cbor"},
                                                      {"op": "children", "path": "/cbor"}]}])
    watch, event, done, multi = await back.several(4)
    assert watch["id"] == watch["watch"] == 1.5, watch
    assert (event["watch"], event["event"], event["data"]) == (1.5, "changed", b"v2"), event
    assert done["id"] == "s" and multi["results"][0]["data"] == b"v2", (done, multi)


async def batches(server):
    wire = await Wire.open(server, subprotocols=[CBOR], batch=True)
    await wire.send([{"id": n, "op": "ping"} for n in range(500)])
    frames, ids = 0, []
    while len(ids) < 500:
        frame = await wire.frame()
        frames += 1
        ids += [m["id"] for m in (frame if isinstance(frame, list) else [frame])]
    assert ids == list(range(500)) and frames < 100, (frames, ids)


async def bad_input(server):
    wire = await Wire.open(server, subprotocols=[CBOR])
    refused = [
        ({"op": "create", "path": "/t", "data": "text"}, 'field "data" must be a byte string'),
        ({"op": "create", "path": "/t", "data64": "YQ=="}, 'unknown field "data64" in create'),
        ({"op": "get", "path": b"/t"}, 'field "path" must be a string'),
        ({"op": "get", "path": "/t", "colour": 1}, 'unknown field "colour" in get'),
        ({"op": "set", "path": "/t", "data": b"", "version": 1.0},
         'field "version" must be an integer'),
    ]
    for n, (request, message) in enumerate(refused):
        reply = await wire.refused({"id": n, **request}, "BadArguments", -8, ident=n)
        assert reply["message"] == message, reply
    for frame, message in [
            (b"", "not CBOR, at byte 1: it ends too early"),
            (b"\xa1", "not CBOR, at byte 2: it ends too early"),
            (b'{"op":"ping"}', "not CBOR, at byte 14: it ends too early"),
            (b"\xd9\xd9\xf7\xa0", "not CBOR, at byte 1: tags are not understood here"),
            (b"\xa1\x62op\x61\xff", "not CBOR, at byte 5: text not in UTF-8"),
            (b"\x7f" * 500_000, "not CBOR, at byte 2: a piece of a string that is none")]:
        reply = await wire.refused(frame, "BadArguments", -8)
        assert reply["message"] == message, reply
    # Items of indefinite length are valid CBOR.
    pong = await wire.call(b"\x9f\xbf\x7f\x61o\x61p\xff\x64ping\xff\xff")
    assert set(pong) == {"op", "validMs"} and pong["op"] == "pong", pong

    await wire.send(b"\xa1\x61x" + b"\x81" * 40 + b"\x00")
    assert "nested" in (await wire.next())["message"]
    assert await wire.closed() == 1008
    wire = await Wire.open(server, subprotocols=[CBOR])
    await wire.send('{"op":"ping"}')
    assert await wire.closed() == 1003
    first = await Wire.to(server, subprotocols=[CBOR])
    assert (await first.call({"id": 7, "op": "ping"}))["error"] == "BadArguments"
    assert await first.closed() == 1008


async def test():
    """clients that choose the CBOR subprotocol get all messages in CBOR"""
    async with Ensemble(1, tickTime=2000) as ensemble:
        server = ensemble.servers[0]
        for part in [negotiation, same_objects, batches, bad_input]:
            await part(server)


run(test)
