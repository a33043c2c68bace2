"""A load that writes down what it asked, what it was told, and when: a history for zab-history.

`Recording` is the file; `Player` is a client with a mixture of requests; `Auditor` is one that watches
everything. All use znodes below one root that must not be there before (docs/reliability.md, "Histories")."""

import asyncio
import json
import random
import shutil
import subprocess
import tempfile
import time

import websockets

from harness import BIN, PATIENCE, until

LOST = (OSError, ConnectionError, asyncio.TimeoutError, websockets.WebSocketException, EOFError)


class Recording:
    def __init__(self, path):
        self.path = path
        self.file = open(path, "w")
        self.connections = 0
        self.acknowledged = 0  # writes
        self.greatest = "0" * 16

    def write(self, **line):
        self.file.write(json.dumps(line, separators=(",", ":")) + "\n")

    def fault(self, what):
        self.write(at=time.monotonic_ns(), fault=what)

    def next_connection(self):
        self.connections += 1
        return self.connections

    def check(self):
        """Runs the checker; its complaints are the failure."""
        self.file.close()
        checker = subprocess.run(["nice", BIN / "zab-history", self.path], capture_output=True, text=True)
        text = (checker.stdout + checker.stderr).replace(str(self.path), "history")
        self.verdict = text.splitlines()[-1] if text else ""
        print(text, end="", flush=True)
        if checker.returncode != 0:
            kept = tempfile.mkstemp(prefix="zabkeeper-history-", suffix=".jsonl")[1]
            shutil.copy(self.path, kept)
            raise AssertionError(f"the history breaks a rule; it is kept as {kept}")


class Recorded:
    """A session that goes on over as many connections as it needs, at whatever server answers."""

    quiet = 1.5  # seconds without a word while something is unanswered: try another server

    def __init__(self, recording, name, servers, *, dedup=False, timeout_ms=6000, batch=False):
        self.recording, self.name, self.servers = recording, name, list(servers)
        self.dedup, self.timeout_ms, self.batch = dedup, timeout_ms, batch
        self.random = random.Random(name)
        self.session = self.password = self.last_zxid = None
        self.complete = None  # everything up to this zxid has been told on this connection
        self.pending = {}     # by id, in the order of asking
        self.number = 0
        self.socket = None
        self.connection = None
        self.heard = time.monotonic()
        self.answered = asyncio.Event()
        self.stopped = False

    # --- connections

    async def connect(self):
        server = self.servers[0]
        self.servers.append(self.servers.pop(0))
        request = {"op": "connect", "timeoutMs": self.timeout_ms, "batch": self.batch}
        if self.dedup:
            request["dedup"] = True
        if self.session:
            request.update(session=self.session, password=self.password)
        if self.last_zxid:
            request["lastZxid"] = self.last_zxid
        invoke = time.monotonic_ns()
        self.socket = await websockets.connect(server.url, open_timeout=2, close_timeout=0.1,
                                               ping_interval=None, max_size=None, max_queue=None)
        await self.socket.send(json.dumps(request))
        reply = json.loads(await asyncio.wait_for(self.socket.recv(), 4))
        if isinstance(reply, list):
            reply, early = reply[0], reply[1:]
            assert not early, early
        self.connection = self.recording.next_connection()
        line = {"client": self.name, "conn": self.connection, "server": server.id,
                "invoke": invoke, "return": time.monotonic_ns()}
        if self.session:
            line["session"] = self.session
        if "error" in reply:
            self.recording.write(**line, refused=reply)
            if reply["error"] == "SessionExpired":
                self.expired(reply.get("zxid"))
            raise ConnectionError(reply["error"])
        if reply.get("op") != "connected":  # goaway
            raise ConnectionError(str(reply))
        self.recording.write(**line, connected=reply)
        self.session, self.password = reply["session"], reply["password"]
        self.saw(reply["zxid"])
        self.complete = reply["zxid"]
        self.heard = time.monotonic()

    def expired(self, zxid):
        """All that was unanswered stays so, and the next session is another one."""
        if zxid:
            self.saw(zxid)
        self.give_up_pending()
        self.session = self.password = None
        self.number = 0

    def saw(self, zxid):
        if self.last_zxid is None or zxid > self.last_zxid:
            self.last_zxid = zxid
        self.recording.greatest = max(self.recording.greatest, zxid)

    def give_up_pending(self):
        for operation in self.pending.values():
            self.recording.write(**operation)
        self.pending = {}
        self.answered.set()

    async def live(self):
        """One connection after the other until stopped."""
        while not self.stopped:
            tasks = []
            try:
                await self.connect()
                for operation in list(self.pending.values()):  # only with dedup
                    operation["conn"] = self.connection
                    await self.socket.send(json.dumps(operation["request"]))
                await self.begin()
                tasks = [asyncio.create_task(t) for t in (self.read(), self.play(), self.guard())]
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            except LOST:
                pass
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                self.gone()
            if not self.stopped:
                await asyncio.sleep(0.02)

    def gone(self):
        if self.socket is not None and self.socket.transport:
            self.socket.transport.abort()
        self.socket = None
        if self.connection is not None:
            self.recording.write(conn=self.connection, at=time.monotonic_ns(), ended=True)
            self.connection = None
        if not self.dedup:
            self.give_up_pending()

    async def guard(self):
        while True:
            await asyncio.sleep(0.1)
            if self.pending and time.monotonic() - self.heard > self.quiet:
                raise ConnectionError("silence")

    async def read(self):
        while True:
            frame = json.loads(await self.socket.recv())
            self.heard = time.monotonic()
            for message in frame if isinstance(frame, list) else [frame]:
                self.take(message)

    def take(self, message):
        now = time.monotonic_ns()
        zxid = message.get("zxid")
        if zxid:
            self.saw(zxid)
        if "event" in message:
            self.recording.write(conn=self.connection, at=now, event=message)
            self.on_event(message)
            # The transaction may have more to tell.
            self.complete = max(self.complete, f"{int(zxid, 16) - 1:016x}")
        elif message.get("id") in self.pending:
            operation = self.pending.pop(message["id"])
            operation.update({"return": now, "reply": message})
            self.recording.write(**operation)
            if "error" not in message and zxid:
                self.complete = max(self.complete, zxid)
            self.on_reply(operation["request"], message)
            self.answered.set()
        elif message.get("op") == "expired":
            self.expired(zxid)
            raise ConnectionError("expired")
        else:
            raise ConnectionError(str(message))  # goaway, or the like

    # --- requests

    async def ask(self, op, **fields):
        self.number += 1
        request = {"id": self.number, "op": op, **fields}
        operation = {"client": self.name, "session": self.session, "conn": self.connection,
                     "op": self.number, "invoke": time.monotonic_ns(), "request": request}
        self.pending[self.number] = operation
        await self.socket.send(json.dumps(request))
        return self.number

    async def settled(self):
        while self.pending:
            self.answered.clear()
            await self.answered.wait()

    # --- what the kinds of clients do

    async def begin(self):
        pass

    async def play(self):
        raise NotImplementedError

    def on_event(self, event):
        pass

    def on_reply(self, request, reply):
        pass


class Auditor(Recorded):
    """Watches everything below the root, and says now and then how far it has been told."""

    def __init__(self, recording, name, servers, root):
        super().__init__(recording, name, servers, batch=True)
        self.root = root
        self.told = None  # where the next watch begins

    def gone(self):
        if self.complete and self.watching:
            self.told = self.complete
        self.watching = False
        super().gone()

    async def begin(self):
        past = {"from": self.told} if self.told else {}
        self.watching = False
        self.watch = await self.ask("watch", path=self.root, scope="subtree", withData=True, **past)

    watching = False

    def on_reply(self, request, reply):
        if request["op"] == "watch" and "error" not in reply:
            self.watching = True

    async def play(self):
        while True:
            await asyncio.sleep(0.1)
            if not self.pending:
                await self.ask("ping")

    def has_seen(self, zxid):
        return self.watching and self.complete >= zxid


class Player(Recorded):
    """Asks at random, several requests at once."""

    def __init__(self, recording, name, servers, root, seed, **options):
        super().__init__(recording, name, servers, **options)
        self.root = root
        self.random = random.Random(f"{seed} {name}")
        self.window = self.random.choice([1, 2, 4, 8])
        self.values = 0
        self.mine = []      # ephemeral nodes
        self.versions = {}  # as last seen
        self.numbered = []
        self.watches = {}   # paths with a watch on this connection

    async def begin(self):
        self.watches = {}

    def value(self):
        self.values += 1
        return f"{self.name}.{self.values}"

    def register(self):
        """Few at a time, so that they are fought for; new ones before the search has too much."""
        return f"{self.root}/r/{self.recording.acknowledged // 1000}-{self.random.randrange(6)}"

    def expired(self, zxid):
        super().expired(zxid)
        self.mine = []

    def on_reply(self, request, reply):
        if "error" in reply:
            return
        if request["op"] in ("create", "set", "delete", "multi"):
            self.recording.acknowledged += 1
        path = reply.get("path", request.get("path"))
        if reply.get("stat"):
            self.versions[path] = reply["stat"]["version"]
        if request["op"] == "create" and request.get("ephemeral"):
            self.mine.append(path)
        if request["op"] == "create" and request.get("sequential"):
            self.numbered.append(path)

    async def play(self):
        while not self.stopped:
            if len(self.pending) >= self.window:
                self.answered.clear()
                await self.answered.wait()
                continue
            await self.ask_something()
        await self.settled()

    async def ask_something(self):
        path, kind = self.register(), self.random.randrange(100)
        version = self.versions.get(path, 0)
        fresh = {"consistency": "linearizable"} if self.random.random() < 0.5 else {}
        if kind < 8:
            await self.ask("create", path=path, data=self.value())
        elif kind < 24:
            await self.ask("set", path=path, data=self.value())
        elif kind < 34:
            await self.ask("set", path=path, data=self.value(), version=version)
        elif kind < 37:
            guard = {} if self.random.random() < 0.5 else {"version": version}
            await self.ask("delete", path=path, **guard)
        elif kind < 55:
            await self.ask("get", path=path, **fresh)
        elif kind < 60:
            await self.ask("exists", path=path, **fresh)
        elif kind < 66:
            await self.multi()
        elif kind < 71:
            await self.ask("create", path=f"{self.root}/s/n-", data=self.value(), sequential=True)
        elif kind < 73 and self.numbered:
            await self.ask("delete", path=self.numbered.pop(0))
        elif kind < 77 and len(self.mine) < 5:
            await self.ask("create", path=f"{self.root}/e/{self.name}-{self.values}",
                           data=self.value(), ephemeral=True)
        elif kind < 78 and self.mine:
            await self.ask("delete", path=self.mine.pop())
        elif kind < 81:
            await self.ask("children", path=f"{self.root}/e", **fresh)
        elif kind < 82:
            await self.ask("children", path=f"{self.root}/s", **fresh)
        elif kind < 84:
            await self.ask("sync", path="/")
        elif kind < 87 and path not in self.watches and len(self.watches) < 4:
            scope = self.random.choice(["node", "node", "children"])
            await self.watch(path if scope == "node" else f"{self.root}/e", scope)
        elif kind < 90:
            await self.ask(self.random.choice(["get", "exists"]), path=path, watch=True)
        elif kind < 91:
            await self.ask("children", path=f"{self.root}/s", watch=True)
        else:
            await self.ask("get", path=path)

    async def watch(self, path, scope):
        past = {"from": self.complete} if self.random.random() < 0.3 else {}
        once = {"once": True} if self.random.random() < 0.3 else {}
        self.watches[path] = await self.ask("watch", path=path, scope=scope, **past, **once)

    async def multi(self):
        """Two znodes that are always written together, one of them on a condition."""
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
            return await self.ask("get", path=self.random.choice([a, b]),
                                  consistency="linearizable")
        await self.ask("multi", ops=ops)


class Load:
    """`async with Load(servers, directory, seed) as load`: players and auditors at work; at the end they
    are brought to rest, and the history is checked."""

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
            self.tasks.append(asyncio.create_task(auditor.live()))
        await until(lambda: all(a.watching for a in self.auditors), "the audits watch")
        await self.setup.run(["", "/r", "/s", "/e", "/m"])
        players, self.players = self.players, []
        for player in players:
            self.join(player)
        await self.more(100)
        return self

    def join(self, player):
        self.players.append(player)
        self.tasks.append(asyncio.create_task(player.live()))

    async def __aexit__(self, kind, *_):
        try:
            if kind is None:
                await self.rest()
        finally:
            for client in self.auditors + self.players:
                client.stopped = True
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)
        if kind is None:
            self.recording.check()

    async def more(self, count, patience=PATIENCE):
        """Waits until so many more writes are acknowledged."""
        target = self.recording.acknowledged + count
        await until(lambda: self.failed() or self.recording.acknowledged >= target,
                    f"{count} more writes are acknowledged", patience)

    def failed(self):
        for task in self.tasks:
            if task.done() and not task.cancelled() and task.exception():
                raise task.exception()

    async def rest(self):
        """Everybody is answered, or has given up; the audits have seen everything."""
        for player in self.players:
            player.stopped = True
        await asyncio.wait_for(asyncio.gather(*self.tasks[len(self.auditors):]), PATIENCE)
        for player in self.players:
            player.give_up_pending()
        await self.setup.run(["/end"])
        last = self.recording.greatest
        await until(lambda: all(a.has_seen(last) for a in self.auditors), "the audits saw the end")
        self.failed()
        for auditor in self.auditors:
            auditor.stopped = True


class Setup(Recorded):
    """Creates what there must be, however often it has to ask."""

    def __init__(self, recording, name, servers, root):
        super().__init__(recording, name, servers, dedup=True)
        self.root = root

    async def run(self, paths):
        self.stopped = False
        self.paths = list(paths)
        await asyncio.wait_for(self.live(), PATIENCE)

    async def play(self):
        while self.paths:
            if not self.pending:
                await self.ask("create", path=self.root + self.paths[0], data=f"setup{self.paths[0]}")
            await self.settled()
        self.stopped = True

    def on_reply(self, request, reply):
        if "error" in reply and reply["error"] != "NodeExists":
            raise ConnectionError(reply["error"])
        if self.paths and request["path"] == self.root + self.paths[0]:
            self.paths.pop(0)
