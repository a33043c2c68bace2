"""The part of RFC 8949 that a client needs. Writes the shortest form, and reads any form of
definite length."""

import struct


def _head(major, argument):
    for size, (info, form) in {1 << 8: (24, ">B"), 1 << 16: (25, ">H"), 1 << 32: (26, ">I"),
                               1 << 64: (27, ">Q")}.items():
        if argument < 24:
            return bytes([major << 5 | argument])
        if argument < size:
            return bytes([major << 5 | info]) + struct.pack(form, argument)
    raise OverflowError(argument)


def dumps(value):
    if value is None or isinstance(value, bool):
        return {False: b"\xf4", True: b"\xf5", None: b"\xf6"}[value]
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(map(dumps, value))
    pairs = [dumps(k) + dumps(v) for k, v in value.items()]
    return _head(5, len(pairs)) + b"".join(pairs)


def _read(data, at):
    """(the value that begins at `at`, the index after it)"""
    major, info = data[at] >> 5, data[at] & 31
    at += 1
    argument = info
    if info >= 24:
        size = {24: 1, 25: 2, 26: 4, 27: 8}[info]
        argument = int.from_bytes(data[at:at + size], "big")
        at += size
    if major == 0:
        return argument, at
    if major == 1:
        return -1 - argument, at
    if major in (2, 3):
        content = data[at:at + argument]
        assert len(content) == argument, "truncated"
        return content if major == 2 else content.decode(), at + argument
    if major in (4, 5):
        items = []
        for _ in range(argument * (major - 3)):
            item, at = _read(data, at)
            items.append(item)
        return (items if major == 4 else dict(zip(items[::2], items[1::2]))), at
    assert major == 7, f"major type {major}"
    if info == 27:
        return struct.unpack(">d", argument.to_bytes(8, "big"))[0], at
    return {20: False, 21: True, 22: None}[info], at


def loads(data):
    value, end = _read(data, 0)
    assert end == len(data), "more than one value"
    return value
