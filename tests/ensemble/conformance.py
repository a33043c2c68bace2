"""A client without logic: it sends the messages of a test, and returns all messages in order."""

import asyncio
import json

import websockets

import cbor
from harness import TIMEOUT

JSON, CBOR = "zabkeeper.v1+json", "zabkeeper.v1+cbor"


class Wire:
    """One connection. Objects and lists are sent as JSON, or as CBOR if that is the subprotocol.
    Text and bytes are sent as they are."""

    def __init__(self, socket):
        self.socket = socket
        self.connected = None
        self._received = []
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
        """Opens a connection and a session; `connected` is the reply."""
        wire = await cls.to(server, subprotocols=subprotocols)
        await wire.send({"op": "connect", **fields})
        wire.connected = await wire.next()
        assert wire.connected.get("op") == "connected", wire.connected
        return wire

    def data(self, text):
        """A node's data, as this connection's format has it."""
        return text.encode() if self.socket.subprotocol == CBOR else text

    @property
    def credentials(self):
        return {"session": self.connected["session"], "password": self.connected["password"]}

    async def send(self, *frames):
        for frame in frames:
            raw = isinstance(frame, (str, bytes))
            await self.socket.send(frame if raw else self._dumps(frame))

    async def frame(self):
        return self._loads(await asyncio.wait_for(self.socket.recv(), TIMEOUT))

    async def next(self):
        """The next message, also from within an array."""
        while not self._received:
            frame = await self.frame()
            self._received = frame if isinstance(frame, list) else [frame]
        return self._received.pop(0)

    async def several(self, count):
        return [await self.next() for _ in range(count)]

    async def until_reply(self, ident):
        """All messages up to the reply to request `ident`, which is the last of them."""
        messages = [await self.next()]
        while messages[-1].get("id") != ident or "event" in messages[-1]:
            messages.append(await self.next())
        return messages

    async def call(self, request):
        """Sends a request and returns the next message: the reply, if no event comes before it."""
        await self.send(request)
        return await self.next()

    async def refused(self, request, error, code, *words, ident=None):
        """Sends a request and expects this error, with these words in its message."""
        reply = await self.call(request)
        assert (reply.get("error"), reply.get("code")) == (error, code), (request, reply)
        assert reply.get("id") == ident, (request, reply)
        for word in words:
            assert word in reply["message"], (request, reply)
        return reply

    async def closed(self):
        """Waits until the server closes, and returns the status. No message may come before."""
        try:
            extra = self._received or await asyncio.wait_for(self.socket.recv(), TIMEOUT)
            raise AssertionError(f"received instead of a close: {extra}")
        except websockets.ConnectionClosed:
            return self.socket.close_code

    async def drop(self):
        """Ends the connection without a close, as a crash would."""
        self.socket.transport.abort()
        await self.socket.wait_closed()
