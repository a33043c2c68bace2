"""Records requests, replies and events with their times, as a history for zab-history.

`Recording` is the file. `Recorded` is a client whose messages it records. See docs/reliability.md,
"Histories"."""

import asyncio
import json
import random
import shutil
import subprocess
import tempfile
import time

import websockets

from harness import BIN

LOST = (OSError, ConnectionError, asyncio.TimeoutError, websockets.WebSocketException, EOFError)


class Recording:
    def __init__(self, path):
        self.path = path
        self.file = open(path, "w")
        self.connections = 0
        self.acknowledged = 0  # writes
        self.greatest = "0" * 16  # the greatest zxid that any client received

    def write(self, **line):
        self.file.write(json.dumps(line, separators=(",", ":")) + "\n")

    def fault(self, what):  # for people
        self.write(at=time.monotonic_ns(), fault=what)

    def next_connection(self):
        self.connections += 1
        return self.connections

    def check(self):
        """Runs the checker. Raises AssertionError for a violation, and keeps the history then."""
        self.file.close()
        checker = subprocess.run(["nice", BIN / "zab-history", self.path], capture_output=True, text=True)
        text = (checker.stdout + checker.stderr).replace(str(self.path), "history")
        self.verdict = text.splitlines()[-1] if text else ""
        print(text, end="", flush=True)
        if checker.returncode != 0:
            kept = tempfile.mkstemp(prefix="zabkeeper-history-", suffix=".jsonl")[1]
            shutil.copy(self.path, kept)
            raise AssertionError(f"the history has violations; it is kept as {kept}")


class Recorded:
    """A session that continues over one connection after the other, at any server that answers."""

    silence_max = 1.5  # seconds without a message while requests are pending; then another server

    def __init__(self, recording, name, servers, *, dedup=False, timeout_ms=6000, batch=False):
        self.recording, self.name, self.servers = recording, name, list(servers)
        self.dedup, self.timeout_ms, self.batch = dedup, timeout_ms, batch
        self.random = random.Random(name)
        self.session = self.password = self.last_zxid = None
        self.complete = None  # all events up to this zxid have arrived on this connection
        self.pending = {}     # by id, in the order of the requests
        self.number = 0
        self.socket = None
        self.connection = None
        self.received_at = time.monotonic()
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
        self.raise_zxid(reply["zxid"])
        self.complete = reply["zxid"]
        self.received_at = time.monotonic()

    def expired(self, zxid):
        """Pending requests get no reply; the next connect opens a new session."""
        if zxid:
            self.raise_zxid(zxid)
        self.record_pending()
        self.session = self.password = None
        self.number = 0

    def raise_zxid(self, zxid):
        if self.last_zxid is None or zxid > self.last_zxid:
            self.last_zxid = zxid
        self.recording.greatest = max(self.recording.greatest, zxid)

    def record_pending(self):
        for operation in self.pending.values():
            self.recording.write(**operation)
        self.pending = {}
        self.answered.set()

    async def run_connections(self):
        """Uses one connection after the other, until stopped."""
        while not self.stopped:
            tasks = []
            try:
                await self.connect()
                for operation in list(self.pending.values()):  # only with dedup
                    operation["conn"] = self.connection
                    await self.socket.send(json.dumps(operation["request"]))
                await self.begin()
                tasks = [asyncio.create_task(t) for t in (self.read(), self.play(), self.watch_silence())]
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            except LOST:
                pass
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                self.connection_lost()
            if not self.stopped:
                await asyncio.sleep(0.02)

    def connection_lost(self):
        if self.socket is not None and self.socket.transport:
            self.socket.transport.abort()
        self.socket = None
        if self.connection is not None:
            self.recording.write(conn=self.connection, at=time.monotonic_ns(), ended=True)
            self.connection = None
        if not self.dedup:
            self.record_pending()

    async def watch_silence(self):
        while True:
            await asyncio.sleep(0.1)
            if self.pending and time.monotonic() - self.received_at > self.silence_max:
                raise ConnectionError(f"nothing received for {self.silence_max} s")

    async def read(self):
        while True:
            frame = json.loads(await self.socket.recv())
            self.received_at = time.monotonic()
            for message in frame if isinstance(frame, list) else [frame]:
                self.on_message(message)

    def on_message(self, message):
        now = time.monotonic_ns()
        zxid = message.get("zxid")
        if zxid:
            self.raise_zxid(zxid)
        if "event" in message:
            self.recording.write(conn=self.connection, at=now, event=message)
            self.on_event(message)
            # More events of the same transaction may follow.
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
            raise ConnectionError(str(message))  # e.g. goaway

    # --- requests

    async def send(self, op, **fields):
        self.number += 1
        request = {"id": self.number, "op": op, **fields}
        operation = {"client": self.name, "session": self.session, "conn": self.connection,
                     "op": self.number, "invoke": time.monotonic_ns(), "request": request}
        self.pending[self.number] = operation
        await self.socket.send(json.dumps(request))
        return self.number

    async def all_answered(self):
        while self.pending:
            self.answered.clear()
            await self.answered.wait()

    # --- for the subclasses

    async def begin(self):
        pass

    async def play(self):
        raise NotImplementedError

    def on_event(self, event):
        pass

    def on_reply(self, request, reply):
        pass
