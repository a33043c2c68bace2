"""Requests whose cost comes from a reply, an event or a state, and not from the request: each is
refused or bounded, others are served, and servers with little memory survive and start again.

usage: greedy_test.py [json|cbor [CASE]...]: the format of the greedy clients"""

import asyncio
import contextlib
import sys

import websockets

import greedy
from bystander import PATIENT, beside
from conformance import CBOR, JSON, Wire
from greedy import MIB
from harness import Ensemble, run
from little_memory import limited, restarted

FORMAT = {"json": JSON, "cbor": CBOR}[(sys.argv[1:] or ["json"])[0]]


async def opened(server, **fields):
    return await Wire.open(server, subprotocols=[FORMAT], **fields)


async def lists_in_a_multi():
    """a multi of 999 lists of 8 MiB is refused, nothing of it is in the log, and servers restart"""
    async with await limited(3) as ensemble:
        leader = ensemble.leader()
        wire = await opened(ensemble.followers()[0])
        await greedy.fill(wire, "/p", 8, MIB)
        epoch, before = (leader.status()[key] for key in ("epoch", "zxid"))
        create = {"op": "create", "path": "/x"}
        reply = await greedy.lists_in_a_multi(wire, "/p", create)
        assert reply["error"] == "TooLarge" and "maxReplyBytes" in reply["message"], reply
        assert leader.status()["zxid"] == before
        assert (await wire.call({"op": "exists", "path": "/x"}))["stat"] is None
        # The same without a write is answered by this server alone.
        reply = await greedy.lists_in_a_multi(wire, "/p")
        assert reply["error"] == "TooLarge" and reply["index"] == 1, reply
        async with beside(leader, "lists in a multi") as bystander:
            while await bystander.has_few():
                assert (await greedy.lists_in_a_multi(wire, "/p", create))["error"] == "TooLarge"
        assert ensemble.leader().status()["epoch"] == epoch
        await restarted(ensemble)


async def identities_in_a_multi():
    """a multi of 1,000 lists with details, by a client with many identities, is one transaction"""
    async with await limited(3) as ensemble:
        wire = await opened(ensemble.followers()[0], auth=greedy.IDENTITIES)
        await wire.call({"op": "create", "path": "/p"})
        epoch = ensemble.leader().status()["epoch"]
        async with beside(ensemble.leader(), "identities in a multi") as bystander:
            while await bystander.has_few():
                reply = await greedy.details_in_a_multi(wire, "/p")
                assert len(reply["results"]) == 1000, reply
        assert ensemble.leader().status()["epoch"] == epoch
        await restarted(ensemble)


async def large_results():
    """a result that is too large to be kept (dedup) is a receipt, and other servers can be synced"""
    async with await limited(3) as ensemble:
        follower, other = ensemble.followers()
        wire = await opened(follower, dedup=True)
        await wire.call({"id": 1, "op": "create", "path": "/p", "data": wire.data("x" * MIB)})
        reply = await greedy.large_result(wire, 2, "/y", "/p")
        assert "error" not in reply and len(reply["results"]) == 13, reply
        again = await greedy.large_result(wire, 2, "/y", "/p")
        assert again == {"id": 2, "zxid": reply["zxid"], "truncated": True}, again
        # Hundreds of such results take no memory.
        async with beside(follower, "large results"):
            for number in range(3, 60):
                reply = await greedy.large_result(wire, number, "/y", "/p")
                assert "error" not in reply and len(reply["results"]) == 13, reply
        # They do not prevent that a server gets everything again.
        other.kill()
        emptied(other)
        other.start()
        await ensemble.all_ready()
        await wire.drop()
        moved = await opened(other, **wire.credentials, dedup=True)
        again = await greedy.large_result(moved, 59, "/y", "/p")
        assert again == {"id": 59, "zxid": reply["zxid"], "truncated": True}, again
        await restarted(ensemble)


def emptied(server):
    for entry in server.data.iterdir():
        entry.unlink()


async def events_for_one_session():
    """an event with 1 MiB for 10,000 watches of one session takes its data once"""
    async with await limited(1) as ensemble:
        server = ensemble.servers[0]
        writer, wire = await opened(server), await opened(server)
        await writer.call({"op": "create", "path": "/p"})
        await greedy.watch_often(wire, "/p", 10_000)
        wire.socket.transport.pause_reading()
        before = server.resident()
        async with beside(server, "events for one session"):
            for data in ("x" * MIB, "y"):
                await writer.call({"op": "set", "path": "/p", "data": writer.data(data)})
            grown = server.resident() - before
        assert grown < 64 * MIB, grown
        wire.socket.transport.resume_reading()
        await told(wire)


async def told(wire):
    """The client of events that are too many is told so, or its connection is closed."""
    with contextlib.suppress(websockets.ConnectionClosed):
        while (await wire.next()).get("event") != "resync":
            pass


async def long_lists():
    """a list that is too long for one reply ends early, and the client goes on after it"""
    async with await limited(1, maxReplyBytes=8 * MIB) as ensemble:
        wire = await opened(ensemble.servers[0])
        await greedy.fill(wire, "/p", 12, MIB)
        async with beside(ensemble.servers[0], "long lists") as bystander:
            while await bystander.has_few():
                names, replies = await greedy.list_all(wire, "/p")
                assert names == sorted(map(str, range(12))) and replies > 1, (names, replies)


async def heavy_frames():
    """while frames of many lists of 20,000 children are answered, others are served, and nobody is
    elected"""
    async with Ensemble(3, **PATIENT) as ensemble:
        leader = ensemble.leader()
        wires = [await opened(leader) for _ in range(20)]
        await greedy.fill_quickly(wires[0], "/p", 20_000)
        epoch = leader.status()["epoch"]
        for clients, lists in (1, 600), (20, 30):
            async with beside(leader, f"{clients} heavy frames"):
                replies = await asyncio.gather(*[greedy.heavy_frame(wire, "/p", lists)
                                                 for wire in wires[:clients]])
            assert min(map(min, replies)) > 20_000 * 5, replies  # a name and what is around it
        assert ensemble.leader().status()["epoch"] == epoch


for test in (lists_in_a_multi, identities_in_a_multi, large_results, events_for_one_session,
             long_lists, heavy_frames):
    if test.__name__ in (sys.argv[2:] or [test.__name__]):
        run(test)
