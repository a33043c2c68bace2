"""All greedy clients at once, until the time is up: `tools/dev greedy-soak`.

Three servers with little memory serve them, and bystanders. At the end: no server has exited, no
leader was elected, no server used more than its memory, the bystanders were served as before,
nothing is charged to any budget, and the servers start again."""

import argparse
import asyncio
import collections
import random
import re
import signal
import sys
import time

import websockets

import greedy
from bystander import PATIENT, Bystander
from conformance import CBOR, JSON, Wire
from greedy import MIB, Crowd, frame
from harness import Ensemble, until

MEMORY = 512 * MIB  # of each server
DATA = MEMORY * 5 // 4  # memoryLimitBytes is four fifths of what the system allows
LISTED = 40  # nodes of 1 MiB
CHILDREN = 20_000
# The end of a greedy client's connection is no error. Other errors of requests are.
ALLOWED = {"TooLarge", "Overloaded", "TooManyConnections", "TooManyWatches", "SessionExpired"}


class Loads:
    def __init__(self, ensemble, seed):
        self.servers, self.random = ensemble.servers, random.Random(seed)
        self.done = collections.Counter()
        self.number = 0

    def any(self):
        return self.random.choice(self.servers)

    async def opened(self, **fields):
        form = self.random.choice([JSON, CBOR])
        return await Wire.open(self.any(), subprotocols=[form], **fields)

    def judged(self, reply):
        if reply.get("op") in ("expired", "goaway"):
            raise ConnectionError(reply["op"])
        assert reply.get("error", "TooLarge") in ALLOWED, reply
        if "error" in reply:
            self.done[f"replies with {reply['error']}"] += 1
        return reply

    # --- each of them once

    async def lists_in_a_multi(self):
        wire = await self.opened()
        for _ in range(5):
            reply = await greedy.lists_in_a_multi(wire, "/listed", {"op": "create", "path": "/never"})
            assert self.judged(reply).get("error"), reply
        await wire.drop()

    async def details_in_a_multi(self):
        wire = await self.opened(auth=greedy.IDENTITIES)
        for _ in range(5):
            self.judged(await greedy.details_in_a_multi(wire, "/small"))
        await wire.drop()

    async def large_results(self):
        wire = await self.opened(dedup=True)
        for ident in range(5):
            self.judged(await greedy.large_result(wire, ident, "/small", "/listed/0"))
        await wire.drop()

    async def many_watches(self):
        wire, writer = await self.opened(), await self.opened()
        await greedy.watch_often(wire, "/watched", 2000)
        wire.socket.transport.pause_reading()
        for _ in range(3):
            self.judged(await writer.call({"op": "set", "path": "/watched",
                                           "data": writer.data("w" * (MIB - 1))}))
        await wire.drop()
        await writer.drop()

    async def long_lists(self):
        wire = await self.opened()
        names = await greedy.list_all(wire, "/listed")
        if isinstance(names, dict):
            self.judged(names)
        else:
            assert len(names[0]) == LISTED, names
        await wire.drop()

    async def heavy_frames(self):
        wire = await self.opened()
        await greedy.heavy_frame(wire, "/folder", 50)
        await wire.drop()

    async def folders_come_and_go(self):
        wire = await self.opened()
        self.number += 1
        folder = f"/gone{self.number}"
        self.judged(await wire.call({"op": "create", "path": folder}))
        for first in (0, 1000):
            self.judged(await wire.call({"op": "multi", "ops": [
                {"op": "create", "path": f"{folder}/{n}", "ephemeral": True}
                for n in range(first, first + 1000)]}))
        await wire.send({"op": "close"})
        await wire.next()
        await wire.drop()

    def with_crowd(self, count, sent, addresses=20):
        crowd = Crowd(self.any(), count, addresses)
        try:
            crowd.upgrade().connect(timeoutMs=1000)
            crowd.send_what_fits(sent, seconds=3)
        finally:
            crowd.close()

    async def unfinished_messages(self):
        pieces = 50 * (frame(b"", opcode=9) + frame(b" " * 1000, opcode=0, fin=False))
        begun = frame(b" " * 300_000, fin=False) + pieces
        await asyncio.to_thread(self.with_crowd, 200, begun)

    async def unread_replies(self):
        asked = frame([{"id": n, "op": "get", "path": "/listed/1"} for n in range(20)])
        await asyncio.to_thread(self.with_crowd, 200, asked)

    async def large_writes(self):
        write = frame({"op": "set", "path": "/watched", "data": "x" * (MIB - 1000)})
        await asyncio.to_thread(self.with_crowd, 20, write * 5)

    async def expiring_sessions(self):
        await asyncio.to_thread(self.with_crowd, 500, b"")

    def strangers_at(self, port):
        server = self.any()
        crowd = Crowd(server, 300, 20, port=port(server))
        crowd.send_what_fits(b"\x00" * 50, seconds=1)
        crowd.close()

    async def strangers(self):
        await asyncio.to_thread(self.strangers_at, lambda server: server.web_port)
        await asyncio.to_thread(self.strangers_at, lambda server: int(re.search(
            rf"^server\.{server.id}=[^:]*:(\d+);", server.config.read_text(), re.M)[1]))

    ALL = (lists_in_a_multi, details_in_a_multi, large_results, many_watches, long_lists,
           heavy_frames, folders_come_and_go, unfinished_messages, unread_replies, large_writes,
           expiring_sessions, strangers)

    async def again_and_again(self, load, until_):
        while time.monotonic() < until_:
            try:
                await load(self)
                self.done[load.__name__] += 1
            except (OSError, websockets.WebSocketException, asyncio.TimeoutError) as error:
                self.done[f"{load.__name__}: {type(error).__name__}"] += 1
                await asyncio.sleep(0.05)

    async def prepare(self):
        wire = await Wire.open(self.servers[0])
        await greedy.fill(wire, "/listed", LISTED, MIB)
        await greedy.fill_quickly(wire, "/folder", CHILDREN)
        for path in "/small", "/watched":
            await wire.call({"op": "create", "path": path})
        await wire.drop()


class Guard:
    """What must hold all the time."""

    def __init__(self, ensemble):
        self.ensemble = ensemble
        self.epoch = ensemble.leader().status()["epoch"]
        self.highest = dict.fromkeys(ensemble.servers, 0)

    async def watch(self, until_):
        while time.monotonic() < until_:
            for server in self.ensemble.servers:
                assert server.running(), f"server {server.id} exited with {server.process.poll()}"
                self.highest[server] = max(self.highest[server], server.resident())
                assert self.highest[server] <= MEMORY, f"server {server.id} uses {server.resident()}"
            await asyncio.sleep(0.1)
        self.look()

    def look(self):
        for server in self.ensemble.servers:
            assert (epoch := server.status()["epoch"]) == self.epoch, f"epoch {epoch}, not {self.epoch}"

    async def everything_is_given_back(self):
        used = re.compile(r"^zabkeeper_budget_used_bytes\{.*\} (\d+)", re.M)
        for server in self.ensemble.servers:
            await until(lambda: set(used.findall(server.http("/metrics")[1])) == {"0"},
                        f"nothing is charged at server {server.id}")

    async def all_start_again(self):
        for server in self.ensemble.servers:
            server.kill()
        for server in self.ensemble.servers:
            server.start()
        await self.ensemble.all_ready()


async def soak(seconds, seed, only):
    keys = {"memoryLimitBytes": MEMORY, "maxClientCnxns": 0, "snapCount": 2000, "logKeepBytes": 0,
            **PATIENT}
    ensemble = Ensemble(3, start=False, **keys)
    for server in ensemble.servers:
        server.prefix = ["prlimit", f"--data={DATA}"]
        # Addresses that jemalloc keeps for later use would count.
        server.environment = {"MALLOC_CONF": "retain:false"}
        server.start()
    async with ensemble:
        await ensemble.all_ready()
        loads = Loads(ensemble, seed)
        chosen = [load for load in Loads.ALL if load.__name__ in (only or [load.__name__])]
        await loads.prepare()
        guard = Guard(ensemble)
        leader, follower = ensemble.leader(), ensemble.followers()[0]
        async with Bystander(leader, "/first") as first, Bystander(follower, "/second") as second:
            async with first.beside("at the leader"), second.beside("at a follower"):
                end = time.monotonic() + seconds
                tasks = [asyncio.create_task(loads.again_and_again(load, end)) for load in chosen]
                try:
                    await asyncio.gather(guard.watch(end), *tasks)
                finally:
                    for what, count in sorted(loads.done.items()):
                        print(f"{count:9} {what}")
                    print("resident MiB at most:",
                          *[highest >> 20 for highest in guard.highest.values()], flush=True)
        guard.look()
        await guard.everything_is_given_back()
        await guard.all_start_again()
        print("no election, no exit, and every server started again", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="tools/dev greedy-soak", description="all greedy clients at once")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    parser.add_argument("--only", action="append", choices=[load.__name__ for load in Loads.ALL],
                        help="may be repeated; all loads without it")
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.seconds} seconds", flush=True)
    # A normal exit, so that the servers end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    asyncio.run(soak(options.seconds, options.seed, options.only))


main()
