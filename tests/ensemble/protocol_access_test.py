"""ACLs, auth, TTL and container nodes, and repeated writes, at every server of an ensemble."""

import base64
import hashlib

from conformance import Wire
from harness import Ensemble, run

ALL = [{"scheme": "auth", "perms": "cdrwa"}]
ALICE = [{"scheme": "digest", "token": "alice:secret"}]
SUPER = [{"scheme": "digest", "token": "super:secret"}]


def digest(token):
    user = token.split(":")[0]
    return f"{user}:{base64.b64encode(hashlib.sha1(token.encode()).digest()).decode()}"


async def identities_travel_to_the_leader(ensemble):
    for n, server in enumerate(ensemble.servers):
        wire = await Wire.open(server, auth=ALICE)
        other = await Wire.open(ensemble.servers[(n + 1) % 3])
        path = f"/mine{n}"
        assert "error" not in await wire.call({"op": "create", "path": path, "data": "x", "acl": ALL})
        await other.send({"op": "sync", "path": "/"})
        await other.next()
        for request in [{"op": "get"}, {"op": "exists"}, {"op": "set", "data": ""}, {"op": "children"},
                        {"op": "create", "path": path + "/a"}, {"op": "getAcl"}, {"op": "watch"},
                        {"op": "setAcl", "acl": [{"scheme": "world", "id": "anyone", "perms": "r"}]}]:
            await other.refused({"id": 1, "path": path, **request}, "NoAuth", -102, path, ident=1)
        # All in one frame: auth applies to the requests after it, not to those before it.
        await other.send([{"id": 1, "op": "get", "path": path}, {"id": 2, "op": "auth", **ALICE[0]},
                          {"id": 3, "op": "set", "path": path, "data": "y"}, {"id": 4, "op": "get", "path": path}])
        before, auth, written, after = await other.several(4)
        assert before.get("error") == "NoAuth" and "error" not in auth, (before, auth)
        assert written["stat"]["version"] == 1 and after["data"] == "y", (written, after)
        acl = await other.call({"op": "getAcl", "path": path})
        assert acl["acl"] == [{"scheme": "digest", "id": digest("alice:secret"), "perms": "cdrwa"}], acl
        root = await Wire.open(server, auth=SUPER)
        assert "error" not in await root.call({"op": "set", "path": path, "data": "z"})
        assert {"scheme": "super", "id": ""} in (await root.call({"op": "whoami"}))["identities"]


async def failed_auth_closes_the_connection(ensemble):
    wire = await Wire.open(ensemble.servers[0])
    await wire.send([{"id": 1, "op": "ping"}, {"id": 2, "op": "auth", "scheme": "riddle", "token": "x"},
                     {"id": 3, "op": "create", "path": "/after-auth"}])
    pong, refusal = await wire.several(2)
    assert pong["op"] == "pong" and (refusal["error"], refusal["code"]) == ("AuthFailed", -115), refusal
    assert await wire.closed() == 1008
    wire = await Wire.open(ensemble.servers[0])
    assert (await wire.call({"op": "exists", "path": "/after-auth"}))["stat"] is None


async def ttl_and_container_nodes_are_deleted(ensemble):
    wire = await Wire.open(ensemble.servers[1])
    await wire.call({"op": "create", "path": "/ttl", "ttlMs": 1500})
    await wire.call({"op": "create", "path": "/box", "container": True})
    await wire.call({"op": "create", "path": "/box/only"})
    await wire.call({"op": "watch", "id": "t", "path": "/ttl"})
    await wire.call({"op": "watch", "id": "b", "path": "/box"})
    assert (await wire.next())["event"] == "deleted"
    await wire.send({"id": 9, "op": "delete", "path": "/box/only"})
    came = [await wire.next(), await wire.next()]
    assert [m.get("event") for m in came] == [None, "deleted"], came


async def repeated_writes_are_applied_once(ensemble):
    wire = await Wire.open(ensemble.servers[0], dedup=True)
    await wire.call({"id": 1, "op": "create", "path": "/again", "data": "0"})
    number, kept = 1, None
    for hop in range(12):
        # An unknown part of these is applied before the connection is lost.
        sent = [{"id": number + n, "op": "create", "path": "/again/n-", "sequential": True} for n in range(1, 21)]
        await wire.send(sent)
        if hop % 3 == 0:
            kept = await wire.several(hop)
        await wire.drop()
        wire = await Wire.open(ensemble.servers[(hop + 1) % 3], dedup=True, **wire.credentials)
        await wire.send(sent)
        replies = await wire.several(len(sent))
        assert [r["id"] for r in replies] == [r["id"] for r in sent], replies
        assert all("path" in r for r in replies), replies
        if hop % 3 == 0:
            assert [r["path"] for r in kept] == [r["path"] for r in replies[:hop]], (kept, replies)
        number += 20
    listed = await wire.call({"id": number + 1, "op": "children", "path": "/again"})
    assert listed["children"] == [f"n-{n:010d}" for n in range(240)], listed


async def test():
    """at every server ACLs apply, a failed auth closes, TTL nodes expire, and a repeated write is applied once"""
    async with Ensemble(3, superDigest=digest("super:secret"), containerIdleMs=200) as ensemble:
        for part in [identities_travel_to_the_leader, failed_auth_closes_the_connection,
                     ttl_and_container_nodes_are_deleted, repeated_writes_are_applied_once]:
            await part(ensemble)


run(test)
