"""Runs every example of docs/protocol.md against a standalone server, and compares all messages.

In an example marked (cbor) a line is bytes in hex, or JSON in which h'76 31' is a byte string.
"""

import json
import os
import pathlib
import re

import cbor
from conformance import CBOR, Wire
from harness import Ensemble, run

PAGE = pathlib.Path(os.environ["ZABKEEPER_SOURCE"]) / "docs" / "protocol.md"
ANYTHING = "…"
# In a request, "…" means the value from an earlier reply. These fields have another name in replies.
NAMES = {"lastZxid": "zxid", "from": "zxid", "atLeast": "zxid"}


def examples(text):
    """(line number, mark, lines) of every example."""
    for block in re.finditer(r"^```protocol *(\(\w+\))?\n(.*?)^```$", text, re.M | re.S):
        yield text.count("\n", 0, block.start()) + 2, block[1], block[2].splitlines()


def value_of(text):
    """The value of a line of an example."""
    if re.fullmatch(r"[0-9a-f ]+", text):
        return cbor.loads(bytes.fromhex(text))
    text = re.sub(r"h'([0-9a-f ]*)'", r'{"h":"\1"}', text)
    return json.loads(text, object_hook=lambda o: bytes.fromhex(o["h"]) if o.keys() == {"h"} else o)


def matches(wanted, received):
    if wanted == ANYTHING:
        return True
    if isinstance(wanted, dict):
        return (isinstance(received, dict) and wanted.keys() == received.keys()
                and all(matches(wanted[k], received[k]) for k in wanted))
    if isinstance(wanted, list):
        return (isinstance(received, list) and len(wanted) == len(received)
                and all(map(matches, wanted, received)))
    return type(wanted) is type(received) and wanted == received


class Reader:
    """Runs the lines of the examples, one after the other."""

    def __init__(self, server):
        self.server = server
        self.wire = None
        self.http = None
        self.values = {}  # by field name, from the last message that had it

    async def begin(self, mark, first):
        if mark == "(continues)":
            return
        if self.wire and self.wire.socket.open:
            await self.wire.drop()
        if mark in (None, "(cbor)"):
            self.values = {}
        if first.startswith("→ GET"):
            return
        subprotocols = [CBOR] if mark == "(cbor)" else None
        self.wire = await Wire.to(self.server, subprotocols=subprotocols)
        if '"op":"connect"' not in first and not self.expects_refusal:
            await self.wire.send({"op": "connect"})
            self.remember(await self.wire.next())

    def remember(self, message):
        self.values.update((k, v) for k, v in message.items() if k not in ("id", "op"))

    def fill(self, value, name=None):
        if value == ANYTHING:
            return self.values[NAMES.get(name, name)]
        if isinstance(value, dict):
            return {k: self.fill(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [self.fill(v) for v in value]
        return value

    async def send(self, text):
        if text.startswith("GET "):
            self.http = self.server.http(text.split()[1])
        elif self.wire.socket.subprotocol == CBOR:
            is_hex = re.fullmatch(r"[0-9a-f ]+", text)
            await self.wire.send(bytes.fromhex(text) if is_hex else value_of(text))
        elif ANYTHING in text:
            await self.wire.send(self.fill(json.loads(text)))
        else:
            await self.wire.send(text)

    async def receive(self, text):
        if self.http:
            status, body = self.http
            self.http = None
            wanted_status, _, wanted = text.partition(" ")
            assert matches(json.loads(wanted), json.loads(body)) and status == int(wanted_status), \
                f"received instead: {status} {body}"
            return
        received = await self.wire.next()
        assert matches(value_of(text), received), \
            "received instead:\n← " + json.dumps(received, ensure_ascii=False, separators=(",", ":"),
                                             default=lambda content: content.hex())
        self.remember(received)

    async def line(self, line):
        kind, _, text = line.partition(" ")
        if kind == "→":
            await self.send(text)
        elif kind == "←":
            await self.receive(text)
        elif kind == "×":
            code = await self.wire.closed()
            assert code == int(text), f"closed with {code} instead"
        else:
            raise AssertionError("a line of an example must begin with →, ← or ×")

    async def example(self, mark, lines):
        # The page has an example without a connect, which is refused.
        self.expects_refusal = len(lines) > 1 and '"op":"connect"' in lines[1]
        await self.begin(mark, lines[0])
        for number, line in enumerate(lines):
            try:
                await self.line(line)
            except Exception as error:
                raise AssertionError(f"{number}\n{line}\n{error!r}" if not isinstance(
                    error, AssertionError) else f"{number}\n{line}\n{error}") from error
        if not lines[-1].startswith("×") and not lines[0].startswith("→ GET"):
            await self.wire.send({"id": "the end", "op": "ping"})
            last = await self.wire.next()
            assert last.get("id") == "the end", f"{len(lines)}\nreceived also:\n{json.dumps(last)}"


async def test():
    """every example of docs/protocol.md gets the documented replies"""
    failures = []
    count = 0
    async with Ensemble(1, tickTime=2000, containerIdleMs=200) as ensemble:
        reader = Reader(ensemble.servers[0])
        for begins, mark, lines in examples(PAGE.read_text()):
            count += 1
            try:
                await reader.example(mark, lines)
            except AssertionError as failure:
                where, _, what = str(failure).partition("\n")
                failures.append(f"docs/protocol.md:{begins + int(where)}: {what}")
    assert count > 20, f"only {count} examples were found"
    assert not failures, f"{len(failures)} of {count} examples:\n\n" + "\n\n".join(failures)


run(test)
