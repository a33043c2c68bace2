#!/usr/bin/env python3
"""Plays the client side of the traces in traces/ against a server, and compares what it answers.

    replay.py [options] HOST:PORT [SCENARIO …]

    --have A,B      what the server is set up for, as listed under "needs" in README.md; scenarios that need more are skipped.
                    Default: everything but "readonly", "sasl", "enforce-sasl", "quorum" and "default-config", which need servers of their own.
    --all           a scenario that is marked optional (a curiosity, or what later versions do differently) must pass too
    --timeout S     seconds to wait for a frame (default 10; a scenario may ask for more)
    -v              print every step

Exit status 0 if every scenario that ran passed. README.md explains the format.
"""
import json
import pathlib
import re
import socket
import struct
import sys
import time

OWN_SERVER = {"readonly", "sasl", "quorum", "default-config", "enforce-sasl"}


class Mismatch(Exception):
    pass


class Connection:
    def __init__(self, address, timeout):
        self.socket = socket.create_connection(address, timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.last_header_zxid = b""

    def send(self, data, chunk):
        try:
            if not chunk:
                self.socket.sendall(data)
            for at in range(0, len(data) if chunk else 0, chunk or 1):
                self.socket.sendall(data[at:at + chunk])
                time.sleep(0.002)
        except OSError:
            pass                   # the server may have closed already: the next steps show it

    def read(self, n):
        data = b""
        while len(data) < n:
            more = self.socket.recv(n - len(data))
            if not more:
                raise Mismatch("the server closed the connection" + (f" after {data.hex()}" if data else ""))
            data += more
        return data

    def frame(self):
        head = self.read(4)
        return head + self.read(struct.unpack(">i", head)[0])

    def rest(self):
        data = b""
        while True:
            try:
                more = self.socket.recv(65536)
            except ConnectionError:
                more = b""
            if not more:
                return data
            data += more


class Run:
    """One scenario against one server."""

    def __init__(self, trace, address, options):
        self.trace, self.address, self.options = trace, address, options
        self.connections = {}
        self.known = {}            # name -> bytes: this server's value for a name of the recording
        self.heard = {}            # the same, for zxids that were only in headers

    def play(self):
        for number, step in enumerate(self.trace["steps"], 1):
            if self.options["verbose"]:
                print(f"    {number:3} {step.get('conn', ' ')} {step['dir']:5} {step.get('note', '')}")
            try:
                self.step(step)
            except (Mismatch, OSError, struct.error) as e:
                what = str(e) or type(e).__name__
                if isinstance(e, socket.timeout):
                    what = "no answer in time"
                raise Mismatch(f"step {number} ({step.get('conn', '')} {step['dir']} {step.get('note', '')}): {what}") from None
        ordered = sorted((int(name[1:]), value) for name, value in self.known.items() if name[0] == "z")
        for (a, first), (b, second) in zip(ordered, ordered[1:]):
            if first >= second:
                raise Mismatch(f"zxids out of order: z{a} is {first.hex()}, z{b} is {second.hex()}")

    def step(self, step):
        kind, conn = step["dir"], self.connections.get(step.get("conn"))
        timeout = max(self.options["timeout"], step.get("timeout", 0))
        if kind == "open":
            self.connections[step["conn"]] = Connection(self.address, timeout)
        elif kind == "wait":
            time.sleep(step["ms"] / 1000)
        elif kind == "close":
            conn.socket.close()
        else:
            conn.socket.settimeout(timeout)
            if kind == "c2s":
                conn.send(self.filled_in(step), step.get("chunk"))
            elif kind == "eof":
                left = conn.rest()
                if left and not step.get("rest"):
                    raise Mismatch(f"expected the end of the connection, got {left.hex()}")
            elif "text" in step:
                text = conn.rest().decode()
                if not re.fullmatch(step["pattern"], text):
                    raise Mismatch(f"text does not match {step['pattern']!r}:\n{text}")
            else:
                self.compare(step, conn.read(len(step["hex"]) // 2) if step.get("raw") else conn.frame(), conn)

    def filled_in(self, step):
        data = bytearray.fromhex(step["hex"])
        if "fill" in step:
            at, count = step["fill"]["at"], step["fill"]["count"]
            data[at:at] = bytes.fromhex(step["fill"]["byte"]) * count
        for mark in step.get("marks", ()):
            name = mark["is"].split()[1]
            value = self.known.get(name) or self.heard.get(name)
            if value is None:
                raise Mismatch(f"nothing known for {name}")
            data[mark["at"]:mark["at"] + mark["len"]] = value
        return bytes(data)

    def compare(self, step, got, conn):
        want = bytes.fromhex(step["hex"])
        marks = step.get("marks", ())
        stretch = any(mark["is"].startswith("buffer~") for mark in marks)
        at_want = at_got = 4 if stretch else 0      # if a text may be longer, the length of the frame may differ too
        for mark in marks:
            fixed = mark["at"] - at_want
            self.same(want[at_want:mark["at"]], got[at_got:at_got + fixed], at_want, want, got)
            at_got += fixed
            at_want = mark["at"] + mark["len"]
            at_got += self.marked(mark, want, got, at_got, conn)
        self.same(want[at_want:], got[at_got:], at_want, want, got)

    def same(self, want, got, at, whole_want, whole_got):
        if want != got:
            raise Mismatch(f"differs from byte {at} on\n      want {whole_want.hex()}\n      got  {whole_got.hex()}")

    def marked(self, mark, want, got, at, conn):
        """Checks the value at a mark, and returns its length."""
        kind, _, name = mark["is"].partition(" ")
        if kind.startswith("buffer~"):
            pattern = mark["is"][len("buffer~"):]
            n = struct.unpack(">i", got[at:at + 4])[0]
            text = got[at + 4:at + 4 + n].decode()
            if not re.fullmatch(pattern, text):
                raise Mismatch(f"buffer does not match {pattern!r}: {text!r}")
            return 4 + n
        value = got[at:at + mark["len"]]
        if len(value) != mark["len"]:
            raise Mismatch(f"frame ends early: {got.hex()}")
        if kind.startswith("set<"):
            if members(value, kind) != members(want[mark["at"]:mark["at"] + mark["len"]], kind):
                raise Mismatch(f"other members: {value!r}")
        elif kind == "eventzxid":
            if struct.unpack(">q", value)[0] < -1:
                raise Mismatch("an event's zxid is -1 or that of its transaction")
        elif kind == "headerzxid":
            if value < conn.last_header_zxid:
                raise Mismatch(f"header zxid goes back to {value.hex()}")
            conn.last_header_zxid = value
            self.heard.setdefault(name, value)
        elif kind == "time":
            if not 946684800000 < struct.unpack(">q", value)[0] < 4102444800000:
                raise Mismatch(f"not a time in milliseconds: {value.hex()}")
            if name:
                self.bind("t" + name, value)
        elif name and kind != "any":
            if kind == "zxid" and conn.last_header_zxid and value > conn.last_header_zxid:
                raise Mismatch(f"a stat's zxid {value.hex()} is ahead of the reply's {conn.last_header_zxid.hex()}")
            self.bind(name, value)
        return mark["len"]

    def bind(self, name, value):
        if self.known.setdefault(name, value) != value:
            raise Mismatch(f"{name} was {self.known[name].hex()} before, is {value.hex()} here")

    def end(self):
        """Ends the sessions that are still open, so that a failed scenario does not disturb the next one."""
        for connection in self.connections.values():
            try:
                connection.send(bytes.fromhex("00000008" "7fffffff" "fffffff5"), None)
                connection.socket.settimeout(2)
                connection.rest()
            except OSError:
                pass
            connection.socket.close()


def members(data, kind):
    """The records of a vector whose order has no meaning; kind is set<string>, set<int,string,string> and the like."""
    count, at, found = struct.unpack(">i", data[:4])[0], 4, []
    for _ in range(count):
        record = []
        for field in kind[4:-1].split(","):
            n = struct.unpack(">i", data[at:at + 4])[0] if field == "string" else 0
            record.append(data[at:at + 4 + n])
            at += 4 + n
        found.append(record)
    return sorted(found)


def main(arguments):
    options = {"all": False, "verbose": False, "timeout": 10.0}
    have, rest = None, []
    arguments = iter(arguments)
    for a in arguments:
        if a == "--all":
            options["all"] = True
        elif a == "-v":
            options["verbose"] = True
        elif a == "--timeout":
            options["timeout"] = float(next(arguments))
        elif a == "--have":
            have = set(filter(None, next(arguments).split(",")))
        else:
            rest.append(a)
    if not rest:
        sys.exit(__doc__)
    host, _, port = rest[0].rpartition(":")
    folder = pathlib.Path(__file__).parent / "traces"
    names = rest[1:] or sorted(p.stem for p in folder.glob("*.json"))
    passed = failed = differ = skipped = 0
    for name in names:
        trace = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        if trace.get("replay") is False:
            print(f"skip  {name}: to read only")
            skipped += 1
            continue
        needs = set(trace.get("needs", ()))
        missing = needs & OWN_SERVER if have is None else needs - have
        if missing and not rest[1:]:
            print(f"skip  {name}: needs {', '.join(sorted(missing))}")
            skipped += 1
            continue
        run = Run(trace, (host, int(port)), options)
        try:
            run.play()
            print(f"ok    {name}")
            passed += 1
        except Mismatch as e:
            optional = trace.get("optional") and not options["all"]
            print(f"{'may  ' if optional else 'FAIL '} {name}: {e}")
            differ += bool(optional)
            failed += not optional
        finally:
            run.end()
    print(f"{passed} passed, {failed} failed, {differ} optional ones differ, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
