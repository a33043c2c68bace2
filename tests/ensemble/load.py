"""A load that records its history: players send random requests, auditors watch all changes.

All of them use znodes below one root, which must not exist before. See docs/reliability.md,
"Histories"."""

import asyncio
import random

from harness import TIMEOUT, until
from recording import Recorded, Recording


class Auditor(Recorded):
    """Watches everything below the root. The reply to a ping shows that all events up to the
    reply's zxid have arrived."""

    def __init__(self, recording, name, servers, root):
        super().__init__(recording, name, servers, batch=True)
        self.root = root
        self.resume_from = None  # the zxid from which the next watch begins

    def connection_lost(self):
        if self.complete and self.watching:
            self.resume_from = self.complete
        self.watching = False
        super().connection_lost()

    async def begin(self):
        past = {"from": self.resume_from} if self.resume_from else {}
        self.watching = False
        self.watch = await self.send("watch", path=self.root, scope="subtree", withData=True, **past)

    watching = False

    def on_reply(self, request, reply):
        if request["op"] == "watch" and "error" not in reply:
            self.watching = True

    async def play(self):
        while True:
            await asyncio.sleep(0.1)
            if not self.pending:
                await self.send("ping")

    def has_seen(self, zxid):
        return self.watching and self.complete >= zxid


class Player(Recorded):
    """Sends random requests, several at once."""

    def __init__(self, recording, name, servers, root, seed, **options):
        super().__init__(recording, name, servers, **options)
        self.root = root
        self.random = random.Random(f"{seed} {name}")
        self.window = self.random.choice([1, 2, 4, 8])
        self.values = 0
        self.ephemerals = []
        self.versions = {}  # by path, as last received
        self.sequential = []
        self.watches = {}   # paths with a watch on this connection

    async def begin(self):
        self.watches = {}

    def value(self):
        self.values += 1
        return f"{self.name}.{self.values}"

    def register(self):
        """One of six paths, so that clients conflict. The paths change every 1000 writes, so that
        the search of zab-history stays short."""
        return f"{self.root}/r/{self.recording.acknowledged // 1000}-{self.random.randrange(6)}"

    def expired(self, zxid):
        super().expired(zxid)
        self.ephemerals = []

    def on_reply(self, request, reply):
        if "error" in reply:
            return
        if request["op"] in ("create", "set", "delete", "multi"):
            self.recording.acknowledged += 1
        path = reply.get("path", request.get("path"))
        if reply.get("stat"):
            self.versions[path] = reply["stat"]["version"]
        if request["op"] == "create" and request.get("ephemeral"):
            self.ephemerals.append(path)
        if request["op"] == "create" and request.get("sequential"):
            self.sequential.append(path)

    async def play(self):
        while not self.stopped:
            if len(self.pending) >= self.window:
                self.answered.clear()
                await self.answered.wait()
                continue
            await self.send_random()
        await self.all_answered()

    async def send_random(self):
        path, kind = self.register(), self.random.randrange(100)
        version = self.versions.get(path, 0)
        fresh = {"consistency": "linearizable"} if self.random.random() < 0.5 else {}
        if kind < 8:
            await self.send("create", path=path, data=self.value())
        elif kind < 24:
            await self.send("set", path=path, data=self.value())
        elif kind < 34:
            await self.send("set", path=path, data=self.value(), version=version)
        elif kind < 37:
            guard = {} if self.random.random() < 0.5 else {"version": version}
            await self.send("delete", path=path, **guard)
        elif kind < 55:
            await self.send("get", path=path, **fresh)
        elif kind < 60:
            await self.send("exists", path=path, **fresh)
        elif kind < 66:
            await self.multi()
        elif kind < 71:
            await self.send("create", path=f"{self.root}/s/n-", data=self.value(), sequential=True)
        elif kind < 73 and self.sequential:
            await self.send("delete", path=self.sequential.pop(0))
        elif kind < 77 and len(self.ephemerals) < 5:
            await self.send("create", path=f"{self.root}/e/{self.name}-{self.values}",
                           data=self.value(), ephemeral=True)
        elif kind < 78 and self.ephemerals:
            await self.send("delete", path=self.ephemerals.pop())
        elif kind < 81:
            await self.send("children", path=f"{self.root}/e", **fresh)
        elif kind < 82:
            await self.send("children", path=f"{self.root}/s", **fresh)
        elif kind < 84:
            await self.send("sync", path="/")
        elif kind < 87 and path not in self.watches and len(self.watches) < 4:
            scope = self.random.choice(["node", "node", "children"])
            await self.watch(path if scope == "node" else f"{self.root}/e", scope)
        elif kind < 90:
            await self.send(self.random.choice(["get", "exists"]), path=path, watch=True)
        elif kind < 91:
            await self.send("children", path=f"{self.root}/s", watch=True)
        else:
            await self.send("get", path=path)

    async def watch(self, path, scope):
        past = {"from": self.complete} if self.random.random() < 0.3 else {}
        once = {"once": True} if self.random.random() < 0.3 else {}
        self.watches[path] = await self.send("watch", path=path, scope=scope, **past, **once)

    async def multi(self):
        """Writes two znodes, or checks one and writes the other. Sometimes reads one instead."""
        stem = f"{self.root}/m/{self.recording.acknowledged // 1000}"
        a, b = f"{stem}-a", f"{stem}-b"
        kind = self.random.randrange(4)
        if kind == 0:
            ops = [{"op": "create", "path": a, "data": self.value()},
                   {"op": "create", "path": b, "data": self.value()}]
        elif kind == 1:
            ops = [{"op": "check", "path": a, "version": self.versions.get(a, 0)},
                   {"op": "set", "path": b, "data": self.value()}]
        elif kind == 2:
            ops = [{"op": "set", "path": a, "data": self.value()},
                   {"op": "set", "path": b, "data": self.value()}]
        else:
            return await self.send("get", path=self.random.choice([a, b]),
                                  consistency="linearizable")
        await self.send("multi", ops=ops)


class Setup(Recorded):
    """Creates the nodes that the load needs, and retries until they exist."""

    def __init__(self, recording, name, servers, root):
        super().__init__(recording, name, servers, dedup=True)
        self.root = root

    async def run(self, paths):
        self.stopped = False
        self.paths = list(paths)
        await asyncio.wait_for(self.run_connections(), TIMEOUT)

    async def play(self):
        while self.paths:
            if not self.pending:
                await self.send("create", path=self.root + self.paths[0], data=f"setup{self.paths[0]}")
            await self.all_answered()
        self.stopped = True

    def on_reply(self, request, reply):
        if "error" in reply and reply["error"] != "NodeExists":
            raise ConnectionError(reply["error"])
        if self.paths and request["path"] == self.root + self.paths[0]:
            self.paths.pop(0)


class Load:
    """`async with Load(servers, directory, seed) as load`: players and auditors run; at the end
    they finish their requests, and the history is checked."""

    def __init__(self, servers, directory, seed=1, players=5, root="/h"):
        self.servers, self.root = list(servers), root
        self.recording = Recording(directory / f"history{root.replace('/', '-')}.jsonl")
        self.auditors = [Auditor(self.recording, f"audit{n}", self.servers[n:] + self.servers[:n],
                                 root) for n in range(len(self.servers))]
        self.players = [Player(self.recording, f"p{n}", self.servers[n % len(self.servers):] +
                               self.servers[:n % len(self.servers)], root, seed,
                               dedup=n % 2 == 0, batch=n % 3 == 0) for n in range(players)]
        self.setup = Setup(self.recording, "setup", self.servers, root)
        self.tasks = []

    async def __aenter__(self):
        for auditor in self.auditors:
            self.tasks.append(asyncio.create_task(auditor.run_connections()))
        await until(lambda: all(a.watching for a in self.auditors), "all auditors watch")
        await self.setup.run(["", "/r", "/s", "/e", "/m"])
        players, self.players = self.players, []
        for player in players:
            self.add(player)
        await self.more_writes(100)
        return self

    def add(self, player):
        self.players.append(player)
        self.tasks.append(asyncio.create_task(player.run_connections()))

    async def __aexit__(self, kind, *_):
        try:
            if kind is None:
                await self.finish()
        finally:
            for client in self.auditors + self.players:
                client.stopped = True
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)
        if kind is None:
            self.recording.check()

    async def more_writes(self, count, timeout=TIMEOUT):
        """Waits until `count` more writes are acknowledged."""
        target = self.recording.acknowledged + count
        await until(lambda: self.raise_failure() or self.recording.acknowledged >= target,
                    f"{count} more writes are acknowledged", timeout)

    def raise_failure(self):
        for task in self.tasks:
            if task.done() and not task.cancelled() and task.exception():
                raise task.exception()

    async def finish(self):
        """Waits until all requests are answered or given up, and the auditors have all events."""
        for player in self.players:
            player.stopped = True
        await asyncio.wait_for(asyncio.gather(*self.tasks[len(self.auditors):]), TIMEOUT)
        for player in self.players:
            player.record_pending()
        await self.setup.run(["/end"])
        last = self.recording.greatest
        await until(lambda: all(a.has_seen(last) for a in self.auditors),
                    "all auditors received the last change")
        self.raise_failure()
        for auditor in self.auditors:
            auditor.stopped = True
