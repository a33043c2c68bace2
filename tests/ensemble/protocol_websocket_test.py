"""RFC 6455 at the clients' port, rule by rule: valid frames with their replies, invalid ones with
their close status."""

import json

from harness import Ensemble, run
from rfc6455 import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Raw, close, frame

REQUEST = b'{"id":1,"op":"ping"}'
EURO = "€".encode()
TOO_LONG = 2 * 4096 + 64 * 1024 + 1  # for maxDataBytes=4096


def text(data, **how):
    return frame(TEXT, data, **how)


def more(data=b"", **how):
    return frame(CONTINUATION, data, **how)


def named(name):
    """A ping request whose id is these bytes."""
    return b'{"id":"' + name + b'","op":"ping"}'


# Frames, and what the server sends back: the payload of a pong, or the id of a reply.
VALID = [
    # Fragments, and control frames between them.
    ([text(REQUEST)], [1]),
    ([text(REQUEST[:5], fin=False), more(REQUEST[5:])], [1]),
    ([text(REQUEST[:1], fin=False), *[more(REQUEST[n:n + 1], fin=False) for n in range(1, 20)], more()], [1]),
    ([text(b"", fin=False), more(fin=False), more(REQUEST)], [1]),
    ([text(REQUEST[:5], fin=False), frame(PING, b"between"), frame(PONG, b"?"), more(REQUEST[5:])], [b"between", 1]),
    # A ping is answered with its payload; an unsolicited pong is ignored.
    ([frame(PING)], [b""]),
    ([frame(PING, b"1"), frame(PING, b"2"), frame(PING, b"3")], [b"1", b"2", b"3"]),
    ([frame(PING, bytes(range(125)))], [bytes(range(125))]),
    ([frame(PONG, b"x" * 125), text(REQUEST)], [1]),
    # All of UTF-8, also when a fragment ends within a character.
    ([text(named("é€\U0001f600\U0010ffff\ufffe".encode()))], ["é€\U0001f600\U0010ffff\ufffe"]),
    ([text(b'{"id":"' + EURO[:1], fin=False), more(EURO[1:2], fin=False), more(EURO[2:] + b'","op":"ping"}')], ["€"]),
    ([text(b" " * (TOO_LONG - 1 - len(REQUEST)), fin=False), more(REQUEST)], [1]),
]
# Frames, and the status with which the server closes.
INVALID = [
    # Masks, reserved bits and opcodes, lengths in more bytes than they need.
    ([text(REQUEST, masked=False)], 1002),
    ([frame(PING, masked=False)], 1002),
    ([frame(CLOSE, b"\x03\xe8", masked=False)], 1002),
    *[([text(REQUEST, rsv=bits)], 1002) for bits in range(1, 8)],
    *[([frame(PING, rsv=bits)], 1002) for bits in (1, 2, 4)],
    *[([frame(opcode)], 1002) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)],
    ([text(REQUEST, form=2)], 1002),
    ([text(REQUEST, form=8)], 1002),
    # Fragments out of order.
    ([more(REQUEST)], 1002),
    ([more(REQUEST, fin=False)], 1002),
    ([text(REQUEST[:5], fin=False), text(REQUEST)], 1002),
    ([text(REQUEST[:5], fin=False), frame(BINARY, REQUEST)], 1002),
    # A control frame must not be fragmented or longer than 125 bytes.
    ([frame(PING, b"x" * 126)], 1002),
    ([frame(PONG, b"x" * 126)], 1002),
    ([frame(PING, b"x", fin=False)], 1002),
    ([frame(PONG, fin=False)], 1002),
    ([frame(CLOSE, b"\x03\xe8", fin=False)], 1002),
    # Binary frames with the JSON subprotocol.
    ([frame(BINARY, REQUEST)], 1003),
    ([frame(BINARY)], 1003),
    ([frame(BINARY, b"a", fin=False), more(b"b")], 1003),
    # Invalid UTF-8: overlong forms, surrogates, beyond Unicode, truncated.
    *[([text(named(content))], 1007) for content in (
        b"\xff", b"\x80", b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xed\xa0\x80", b"\xed\xbf\xbf",
        b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xe2\x82")],
    ([text(b'{"id":"' + EURO[:2])], 1007),
    ([text(b'{"id":"' + EURO[:2], fin=False), more(b'"}')], 1007),
    ([text(b"\xff", fin=False)], 1007),  # rejected before the rest arrives
    # A close is answered with its own status, if that is valid.
    ([close()], 1000),
    ([close(1000, b"r" * 123)], 1000),
    ([text(b"{", fin=False), close(1001)], 1001),
    ([close(1000), text(REQUEST)], 1000),
    *[([close(code, "é".encode())], code) for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)],
    *[([close(code)], 1002) for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999)],
    ([frame(CLOSE, b"\x03")], 1002),
    ([close(1000, b"r" * 124)], 1002),
    ([close(1000, b"\xff")], 1002),
]


async def open_session(server):
    raw = await Raw.to(server)
    assert raw.status == 101, raw.head
    raw.send(text(b'{"op":"connect"}'))
    opcode, payload = await raw.next()
    assert opcode == TEXT and json.loads(payload)["op"] == "connected", payload
    return raw


async def answer(raw):
    opcode, payload = await raw.next()
    if opcode == TEXT:
        return json.loads(payload)["id"]
    return payload if opcode == PONG else (opcode, payload)


async def valid_frames(server):
    raw = await open_session(server)
    for frames, expected in VALID:
        raw.send(*frames)
        received = [await answer(raw) for _ in expected]
        assert received == expected, (frames, received)
    raw.end()


async def invalid_frames(server):
    for frames, status in INVALID:
        raw = await open_session(server)
        raw.send(*frames)
        opcode, payload = await raw.next()
        assert opcode == CLOSE, (frames, opcode, payload)
        assert int.from_bytes(payload[:2] or b"\x03\xe8", "big") == status, (frames, payload)
        raw.send(close(1000))
        assert (await raw.next())[0] == "end", frames
        raw.end()


async def upgrades(server):
    for headers, status in [([], 101), (["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"], 101),
                            (["Sec-WebSocket-Protocol: chat"], 400),
                            (["Sec-WebSocket-Protocol: chat, zabkeeper.v1+json"], 101)]:
        raw = await Raw.to(server, *headers)
        assert raw.status == status, (headers, raw.head)
        # The server has no extensions, so it must not confirm one.
        assert "extensions" not in raw.head.lower(), raw.head
        assert ("zabkeeper.v1+json" in raw.head.split("\r\n\r\n")[0]) == ("json" in "".join(headers)), raw.head
        raw.end()


async def test():
    """the clients' port follows RFC 6455, and closes with its statuses"""
    async with Ensemble(1, maxDataBytes=4096) as ensemble:
        server = ensemble.servers[0]
        await valid_frames(server)
        await invalid_frames(server)
        await upgrades(server)


run(test)
