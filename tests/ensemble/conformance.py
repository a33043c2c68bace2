"""A client that takes nothing in: it sends what a test says, and hands over what comes, in order."""

import asyncio
import json

import websockets

import cbor
from harness import PATIENCE

JSON, CBOR = "zabkeeper.v1+json", "zabkeeper.v1+cbor"


class Wire:
    """One connection. `sent` may be an object or a list (written as JSON, or as CBOR
    where that is spoken), text or bytes (as they are)."""

    def __init__(self, socket):
        self.socket = socket
        self.connected = None
        self._came = []
        self._dumps, self._loads = json.dumps, json.loads
        if socket.subprotocol == CBOR:
            self._dumps, self._loads = cbor.dumps, cbor.loads

    @classmethod
    async def to(cls, server, **upgrade):
        return cls(await websockets.connect(server.url, open_timeout=5, ping_interval=None,
                                            max_size=None, max_queue=None, close_timeout=1,
                                            **upgrade))

    @classmethod
    async def open(cls, server, subprotocols=None, **fields):
        """With a session; `connected` is the reply."""
        wire = await cls.to(server, subprotocols=subprotocols)
        await wire.send({"op": "connect", **fields})
        wire.connected = await wire.next()
        assert wire.connected.get("op") == "connected", wire.connected
        return wire

    @property
    def credentials(self):
        return {"session": self.connected["session"], "password": self.connected["password"]}

    async def send(self, *frames):
        for frame in frames:
            raw = isinstance(frame, (str, bytes))
            await self.socket.send(frame if raw else self._dumps(frame))

    async def frame(self):
        return self._loads(await asyncio.wait_for(self.socket.recv(), PATIENCE))

    async def next(self):
        """The next message, out of an array or not."""
        while not self._came:
            frame = await self.frame()
            self._came = frame if isinstance(frame, list) else [frame]
        return self._came.pop(0)

    async def several(self, count):
        return [await self.next() for _ in range(count)]

    async def until_reply(self, ident):
        """All messages up to the reply to request `ident`, which is the last of them."""
        came = [await self.next()]
        while came[-1].get("id") != ident or "event" in came[-1]:
            came.append(await self.next())
        return came

    async def ask(self, request):
        """The answer to one request, if nothing else comes before it."""
        await self.send(request)
        return await self.next()

    async def refused(self, request, error, code, *words, ident=None):
        """Asks, and wants this refusal, with these words in its message."""
        reply = await self.ask(request)
        assert (reply.get("error"), reply.get("code")) == (error, code), (request, reply)
        assert reply.get("id") == ident, (request, reply)
        for word in words:
            assert word in reply["message"], (request, reply)
        return reply

    async def closed(self):
        """The status with which the server closed; nothing may come before."""
        try:
            extra = self._came or await asyncio.wait_for(self.socket.recv(), PATIENCE)
            raise AssertionError(f"instead of a close: {extra}")
        except websockets.ConnectionClosed:
            return self.socket.close_code

    async def drop(self):
        """As a crash would: without a word."""
        self.socket.transport.abort()
        await self.socket.wait_closed()
