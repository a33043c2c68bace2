"""WebSocket frames, valid or not, that a library would refuse to send."""

import asyncio
import base64
import os
import struct

from harness import TIMEOUT

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def frame(opcode, payload=b"", *, fin=True, rsv=0, masked=True, length=None, form=None):
    """One frame. `length` is written instead of the payload's length. `form` is the size of the
    extended length: 0, 2 or 8 bytes; by default the shortest."""
    length = len(payload) if length is None else length
    if form is None:
        form = 0 if length < 126 else 2 if length < 1 << 16 else 8
    head = bytes([fin << 7 | rsv << 4 | opcode])
    head += bytes([masked << 7 | {0: length, 2: 126, 8: 127}[form]])
    head += {0: b"", 2: struct.pack(">H", length % (1 << 16)), 8: struct.pack(">Q", length)}[form]
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(b ^ mask[n % 4] for n, b in enumerate(payload))


def close(code=None, reason=b""):
    return frame(CLOSE, b"" if code is None else struct.pack(">H", code) + reason)


class Raw:
    """A connection without a WebSocket library."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, server, *headers, path="/v1"):
        """Connects and upgrades; `status` and `head` are those of the response."""
        raw = cls(*await asyncio.open_connection("127.0.0.1", server.web_port))
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{server.web_port}", "Upgrade: websocket",
                 "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}",
                 *headers]
        raw.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = await asyncio.wait_for(raw.reader.readuntil(b"\r\n\r\n"), TIMEOUT)
        raw.head = head.decode()
        raw.status = int(raw.head.split()[1])
        return raw

    def send(self, *frames):
        self.writer.write(b"".join(frames))

    async def next(self):
        """(opcode, payload) of the next frame. At the end of the connection: ("end", "closed") or
        ("end", "reset")."""
        try:
            first, second = await asyncio.wait_for(self.reader.readexactly(2), TIMEOUT)
            assert first & 0x70 == 0 and first & 0x80 and second < 0x80, (first, second)
            length = second
            if length >= 126:
                size = 2 if length == 126 else 8
                length = int.from_bytes(await self.reader.readexactly(size), "big")
            return first & 0xF, await asyncio.wait_for(self.reader.readexactly(length), TIMEOUT)
        except asyncio.IncompleteReadError as end:
            assert not end.partial, end.partial
            return "end", "closed"
        except ConnectionResetError:
            return "end", "reset"

    def end(self):
        self.writer.transport.abort()
