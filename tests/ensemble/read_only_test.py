"""Read-only sessions at a server without a quorum."""

from conformance import Wire
from harness import Ensemble, run, until


async def connect(server, **fields):
    wire = await Wire.to(server)
    return wire, await wire.call({"op": "connect", "id": "c", **fields})


async def test():
    """a server without a quorum serves read-only sessions, and no others"""
    async with Ensemble(3, **{"readonlymode.enabled": "true"}) as ensemble:
        last = ensemble.followers()[0]
        before = await Wire.open(last, timeoutMs=5000)
        await before.call({"id": 1, "op": "create", "path": "/known", "data": "v1"})
        seen = (await before.call({"id": 2, "op": "create", "path": "/mine", "ephemeral": True}))["zxid"]
        normal = await Wire.open(last, readOnly=True)
        assert "readOnly" not in normal.connected, normal.connected
        others = [s for s in ensemble.servers if s is not last]
        for server in others:
            server.kill()
        assert (await before.next())["op"] == "goaway"

        wire, connected = await connect(last)
        assert (connected["error"], connected["id"]) == ("NotReady", "c"), connected
        wire, connected = await connect(last, readOnly=True, lastZxid="7fffffffffffffff")
        assert "error" in connected, connected
        wire, connected = await connect(last, **{**before.credentials, "password": "0" * 32},
                                        readOnly=True)
        assert connected["error"] == "AuthFailed", connected

        wire, connected = await connect(last, readOnly=True, lastZxid=seen)
        assert connected["readOnly"] and connected["id"] == "c", connected
        assert not connected["resumed"] and connected["zxid"] >= seen, connected
        assert (await wire.call({"id": 1, "op": "get", "path": "/known", "watch": True}))["data"] == "v1"
        for request in [{"op": "create", "path": "/new"}, {"op": "set", "path": "/known", "data": ""},
                        {"op": "delete", "path": "/known"}, {"op": "multi", "ops": []},
                        {"op": "sync", "path": "/"},
                        {"op": "get", "path": "/known", "consistency": "linearizable"}]:
            await wire.refused({"id": 2, **request}, "NotReadOnly", -119, ident=2)
        # A multi of reads, as in ZooKeeper's multiRead.
        both = {"id": 2, "op": "multi", "ops": [{"op": "get", "path": "/known"}, {"op": "children", "path": "/"}]}
        results = (await wire.call(both))["results"]
        assert results[0]["data"] == "v1" and "known" in results[1]["children"], results
        both["ops"][1]["path"] = "/unknown"
        reply = await wire.refused(both, "NoNode", -101, "/unknown", ident=2)
        assert reply["index"] == 1 and reply["results"][0]["error"] == "RuntimeInconsistency", reply
        both["ops"][1] = {"op": "check", "path": "/known"}
        await wire.refused(both, "NotReadOnly", -119, ident=2)
        assert (await wire.call({"id": 3, "op": "close"}))["op"] == "closed"
        assert await wire.closed() == 1000

        # A session that this server knows can be resumed; a second connection takes it over.
        first, connected = await connect(last, **before.credentials, readOnly=True)
        assert connected["resumed"] and connected["session"] == before.connected["session"], connected
        wire, connected = await connect(last, **before.credentials, readOnly=True)
        assert connected["resumed"] and await first.closed() == 1000
        assert (await wire.call({"op": "ephemerals"}))["paths"] == ["/mine"]
        await wire.refused({"id": 4, "op": "close"}, "NotReadOnly", -119, ident=4)

        others[0].start()
        assert (await wire.next())["op"] == "goaway"
        assert await wire.closed() == 1001
        await until(last.ready, "the server serves again")
        again = await Wire.open(last, **before.credentials, readOnly=True)
        assert again.connected["resumed"] and "readOnly" not in again.connected, again.connected
        assert (await again.call({"id": 1, "op": "set", "path": "/known", "data": "v2"}))["id"] == 1


run(test)
