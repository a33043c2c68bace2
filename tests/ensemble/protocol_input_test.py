"""Bad input of every kind: the server reports it, and continues to serve the connection."""

import json

from conformance import Wire
from harness import Ensemble, run

BAD_ARGUMENTS = ("BadArguments", -8)

# A request, and words that the error's message must contain.
BAD_REQUESTS = [
    ({}, "op"),
    ({"op": "fly"}, "fly"),
    ({"op": 7}, "op"),
    ({"op": "check", "path": "/"}, "check"),
    ({"op": "get"}, "path"),
    ({"op": "get", "path": None}, "path"),
    ({"op": "get", "path": ["/"]}, "path"),
    ({"op": "get", "path": "/", "watch": 1}, "watch"),
    ({"op": "get", "path": "/", "data": "a"}, "data"),
    ({"op": "get", "path": "/", "colour": "red"}, "colour"),
    ({"op": "get", "path": "/", "encoding": "hex"}, "encoding"),
    ({"op": "get", "path": "/", "consistency": "eventual"}, "consistency"),
    ({"op": "get", "path": "/", "consistency": {}}, "atLeast"),
    ({"op": "get", "path": "/", "consistency": {"atLeast": 5}}, "atLeast"),
    ({"op": "get", "path": "/", "consistency": {"atLeast": "5"}}, "atLeast"),
    ({"op": "get", "path": "/", "consistency": {"atLeast": "0" * 16, "x": 1}}, "x"),
    ({"op": "create", "data": "a"}, "path"),
    ({"op": "create", "path": "/bad", "data": 5}, "data"),
    ({"op": "create", "path": "/bad", "data": "a", "data64": "YQ=="}, "data", "data64"),
    ({"op": "create", "path": "/bad", "data64": "YQ"}, "data64"),
    ({"op": "create", "path": "/bad", "data64": "Y Q="}, "data64"),
    ({"op": "create", "path": "/bad", "data64": "ÿ==="}, "data64"),
    ({"op": "create", "path": "/bad", "ephemeral": "yes"}, "ephemeral"),
    ({"op": "create", "path": "/bad", "ttlMs": "1"}, "ttlMs"),
    ({"op": "create", "path": "/bad", "acl": {}}, "acl"),
    ({"op": "create", "path": "/bad", "acl": [5]}, "acl"),
    ({"op": "create", "path": "/bad", "version": 1}, "version"),
    ({"op": "set", "path": "/bad"}, "data"),
    ({"op": "set", "path": "/bad", "data": "a", "version": 1.5}, "version"),
    ({"op": "set", "path": "/bad", "data": "a", "version": 2**31}, "version"),
    ({"op": "set", "path": "/bad", "data": "a", "version": 2**70}, "version"),
    ({"op": "delete", "path": "/bad", "recursive": 1}, "recursive"),
    ({"op": "children", "path": "/", "limit": -1}, "limit"),
    ({"op": "children", "path": "/", "after": 1}, "after"),
    ({"op": "ephemerals", "path": "/"}, "path"),
    ({"op": "multi"}, "ops"),
    ({"op": "multi", "ops": {}}, "ops"),
    ({"op": "multi", "ops": [{"op": "create", "path": "/bad"}, 5]}, "ops[1]"),
    ({"op": "multi", "ops": [{"op": "count", "path": "/"}]}, "ops[0]", "count"),
    ({"op": "multi", "ops": [{"op": "check"}]}, "ops[0]", "path"),
    ({"op": "multi", "ops": [{"op": "get", "path": "/", "watch": True}]}, "ops[0]", "watch"),
    ({"op": "multi", "ops": [{"op": "set", "path": "/", "data": "", "id": 1}]}, "ops[0]", "id"),
    ({"op": "sync"}, "path"),
    ({"op": "sync", "path": "nowhere"}, "nowhere"),
    ({"op": "watch"}, "path"),
    ({"op": "watch", "path": "/", "scope": "moon"}, "scope"),
    ({"op": "watch", "path": "/", "from": 1}, "from"),
    ({"op": "watch", "path": "bad"}, "bad"),
    ({"op": "unwatch"}, "watch"),
    ({"op": "unwatch", "watch": True}, "watch"),
    ({"op": "ping", "path": "/"}, "path"),
    ({"op": "connect"}, "connect"),
]

BAD_PATHS = ["", "a", "a/b", "/a/", "//", "/a//b", "/.", "/..", "/a/./b", "/a/../b", "/a\0b", "/a\nb",
             "/\x1f", "/\x7f", "/\x9f", "/\ue000", "/\uf8ff", "/\ufff0", "/\uffff",
             "/" + "a" * 4096, "/a" * 129]
GOOD_PATHS = ["/...", "/.a", "/a b", "/ä", "/汉字", "/\U0001f600", "/a:b?c=d&e%20", "/" + "b" * 4095, "/\\"]
OPS_WITH_PATH = [{"op": "create"}, {"op": "get"}, {"op": "exists"}, {"op": "set", "data": ""},
                 {"op": "delete"}, {"op": "children"}, {"op": "count"}, {"op": "sync"},
                 {"op": "watch"}]

# Text that is not a request. The server replies with an error and does not close.
BAD_TEXTS = ["", " ", "nonsense", "{", '{"op":"ping"', '{"op":"ping"}}', '{"op":"ping"} x', "5", "null",
             '"ping"', "{'op':'ping'}", '{"op":"ping",}', '{"op":"ping"}\0', '{"id":"\\ud800","op":"ping"}',
             "[5]", "[null]", '[[{"op":"ping"}]]', "NaN", '{"op":NaN}']


async def bad_requests(server):
    wire = await Wire.open(server)
    for request, *words in BAD_REQUESTS:
        await wire.refused({"id": 5, **request}, *BAD_ARGUMENTS, *words, ident=5)
    # As text, because a dict cannot have a name twice.
    for text, ident, word in [
        ('{"id":1,"op":"get","path":"/","path":"/"}', 1, "path"),
        ('{"op":"get","op":"get","id":"x","path":"/"}', "x", "op"),
        ('{"id":1,"id":2,"op":"ping"}', 1, "id"),
        ('{"id":1,"op":"multi","ops":[{"op":"check","path":"/","path":"/"}]}', 1, "path"),
        ('{"id":true,"op":"ping"}', None, "id"),
        ('{"id":null,"op":"ping"}', None, "id"),
        ('{"id":{},"op":"ping"}', None, "id"),
        ('{"op":"watch","path":"/"}', None, "id"),
        ('{"op":"get","path":"/","watch":true}', None, "id"),
    ]:
        await wire.refused(text, *BAD_ARGUMENTS, word, ident=ident)
    for text in BAD_TEXTS:
        await wire.refused(text, *BAD_ARGUMENTS)
    # The error has the id, if the id comes before the syntax error.
    for text, ident in [('{"id":7,"op":"create","path":"/\\ud800"}', 7), ('{"id":"a","op":"ping"', "a"),
                        ('{"op":"ping","id":8} {"id":9,"op":"ping"}', 8), ('[{"id":1,"op":"ping"},{"id":2,', None)]:
        await wire.refused(text, *BAD_ARGUMENTS, "not JSON", ident=ident)
    await wire.refused({"id": 1, "op": "create", "path": "/bad", "acl": [
        {"scheme": "world", "id": "anyone", "perms": "rx"}]}, "InvalidAcl", -114, "acl[0]", "perms", ident=1)
    reply = await wire.call({"id": 6, "op": "exists", "path": "/bad"})
    assert reply["stat"] is None, "a refused request was applied"

    # In an array, each request gets its own reply.
    await wire.send([{"id": 1, "op": "ping"}, {"id": 2, "op": "fly"}, 3, {"id": 4, "op": "ping"}])
    replies = await wire.several(4)
    assert [r.get("id") for r in replies] == [1, 2, None, 4], replies
    assert ["error" in r for r in replies] == [False, True, True, False], replies


async def bad_paths(server):
    wire = await Wire.open(server)
    for path in BAD_PATHS:
        for op in OPS_WITH_PATH:
            await wire.refused({"id": 1, **op, "path": path}, *BAD_ARGUMENTS, ident=1)
        for op in OPS_WITH_PATH[:1] + OPS_WITH_PATH[3:5] + [{"op": "check"}, {"op": "get"}]:
            reply = await wire.refused({"id": 1, "op": "multi", "ops": [{**op, "path": path}]},
                                       *BAD_ARGUMENTS, ident=1)
            assert reply["index"] == 0 and reply["results"][0]["code"] == -8, reply
    for path in GOOD_PATHS:
        reply = await wire.call({"id": 1, "op": "create", "path": path})
        assert reply["path"] == path, reply
        reply = await wire.call({"id": 1, "op": "delete", "path": path})
        assert "error" not in reply, reply

    for path in ["/zookeeper", "/zookeeper/x", "/zookeeper/quota"]:
        for op in [{"op": "create"}, {"op": "set", "data": ""}, {"op": "delete"},
                   {"op": "delete", "recursive": True}, {"op": "create", "sequential": True}]:
            if op.get("sequential") and path == "/zookeeper":
                continue  # that is /zookeeper0000000000
            await wire.refused({"id": 1, **op, "path": path}, *BAD_ARGUMENTS, path, ident=1)
    assert (await wire.call({"op": "get", "path": "/zookeeper"}))["data"] == ""
    for recursive in (False, True):
        await wire.refused({"op": "delete", "path": "/", "recursive": recursive}, *BAD_ARGUMENTS, "/")


async def first_frames(server):
    """The first message must be a connect."""
    for first in [{"id": 1, "op": "get", "path": "/"}, {"op": "ping"}, {"op": "close"}, "nonsense", "[]",
                  "5", [{"op": "ping"}, {"op": "connect"}], {"op": "connect", "timeoutMs": "x"},
                  {"op": "connect", "session": "0" * 16}, {"op": "connect", "password": "0" * 32},
                  {"op": "connect", "colour": "red"}, {"op": "connect", "lastZxid": 5}, "[" * 33 + "]" * 33]:
        wire = await Wire.to(server)
        await wire.send(first)
        reply = await wire.next()
        assert (reply["op"], reply["error"], reply["code"]) == ("connect", *BAD_ARGUMENTS), (first, reply)
        assert await wire.closed() == 1008, first

    for field, error in [({"auth": [{"scheme": "digest", "token": "a:b"}, {"scheme": "x", "token": ""}]}, "AuthFailed"),
                         ({"auth": [{"scheme": "digest", "token": "a" * 1025}]}, "TooLarge"),
                         ({"auth": "a" * 100_000}, "TooLarge")]:
        wire = await Wire.to(server)
        reply = await wire.call({"op": "connect", **field})
        assert (reply["op"], reply["error"]) == ("connect", error), reply
        assert await wire.closed() == {"AuthFailed": 1000, "TooLarge": 1009}[error], reply


async def frames_that_close(server):
    nest = '{"id":7,"op":"get","path":' + "[" * 32 + "]" * 32 + "}"
    too_long = 2 * 4096 + 64 * 1024 + 1
    large = json.dumps({"id": 7, "op": "create", "path": "/large", "data": "x" * too_long})
    for frame, status, error, word in [
            (b"\x00", 1003, None, ""), (json.dumps({"op": "ping"}).encode(), 1003, None, ""),
            ("[" * 40 + "]" * 40, 1008, BAD_ARGUMENTS, "32"), (nest, 1008, BAD_ARGUMENTS, "32"),
            ("x" * too_long, 1009, ("TooLarge", None), str(too_long - 1)),
            (large, 1009, ("TooLarge", None), str(too_long - 1)),
            (" " * (3 * too_long), 1009, None, "")]:
        wire = await Wire.open(server)
        await wire.send(frame)
        if error:
            reply = await wire.next()
            assert (reply["error"], reply.get("code")) == error and word in reply["message"], reply
            assert reply.get("id") == (7 if frame in (nest, large) else None), reply
        assert await wire.closed() == status, (frame[:40], status)
        # The session can be resumed.
        again = await Wire.open(server, **wire.credentials)
        assert again.connected["resumed"], again.connected

    deep = '{"id":7,"op":"get","path":' + "[" * 31 + "]" * 31 + "}"
    wire = await Wire.open(server)
    await wire.refused(deep, *BAD_ARGUMENTS, "path", ident=7)

    # Text that is not UTF-8. The library would refuse to send it.
    wire = await Wire.open(server)
    await wire.socket.write_frame(True, 1, b'{"op":"ping","id":"\xff"}')
    assert await wire.closed() == 1007

    # Data of the largest size are accepted in every notation.
    wire = await Wire.open(server)
    for data in ["x" * 4096, "é" * 2048, "\1" * 4096, '"' * 4096, "\U0001f600" * 1024]:
        reply = await wire.call(json.dumps({"id": 1, "op": "set", "path": "/big", "data": data, "create": True}))
        assert reply["stat"]["dataLength"] == 4096, reply
    await wire.refused({"id": 1, "op": "set", "path": "/big", "data": "\1" * 4097}, "TooLarge", None, ident=1)
    # A frame of the largest size is accepted.
    wire = await Wire.open(server)
    request = json.dumps({"id": 1, "op": "ping"})
    reply = await wire.call(request + " " * (2 * 4096 + 64 * 1024 - len(request)))
    assert reply["op"] == "pong", reply


async def test():
    """an error for bad input names the problem and has the request's id; other requests are not affected"""
    async with Ensemble(1, maxDataBytes=4096) as ensemble:
        server = ensemble.servers[0]
        await bad_requests(server)
        await bad_paths(server)
        await first_frames(server)
        await frames_that_close(server)


run(test)
