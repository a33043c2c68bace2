#!/usr/bin/env python3
"""Compares every #include with the list of arrows in ARCHITECTURE.md.

usage: arrows.py [--print] [SOURCE_ROOT]

Exit status 1 and one line (file:line: reason) for each include without an arrow and for each
arrow without an include. --print shows the list that the sources follow now.
"""

import argparse
import re
import sys
from collections import defaultdict
from pathlib import Path

# Consensus (zab) and the service (znode, session) must not know each other; server connects them.
FORBIDDEN = {("zab", "znode"), ("zab", "session"), ("znode", "zab"), ("session", "zab")}

# Pure rooms have no clock, thread, lock, file, socket or random number.
PURE = ("wire", "zab", "znode", "session", "client-lib/recipes")
IMPURE = re.compile(
    r"atomic|barrier|chrono|condition_variable|csignal|ctime|filesystem|fstream|future|iostream|latch|mutex"
    r"|random|semaphore|shared_mutex|stop_token|thread|time\.h|boost\.(asio|beast)|spdlog"
)
# The library that a header belongs to. A Boost header belongs to the part of Boost in its name.
LIBRARIES = {
    "benchmark": r"benchmark/.*",
    "cli11": r"CLI/.*",
    "doctest": r"doctest/.*",
    "libcbor": r"cbor\.h|cbor/.*",
    "libedit": r"editline/.*",
    "lmdb": r"lmdb\.h",
    "nlohmann": r"nlohmann/.*",
    "openssl": r"openssl/.*",
    "prometheus": r"prometheus/.*",
    "simdjson": r"simdjson\.h",
    "spdlog": r"spdlog/.*",
    "tomlplusplus": r"toml\+\+/.*",
    "xxhash": r"xxhash\.h|xxh_x86dispatch\.h",
    "zlib": r"zlib\.h",
}
BOOST = re.compile(r"boost/(\w+)[./].*")
STANDARD = re.compile(r"[a-z_]+|ext/pb_ds/\w+\.hpp")  # libstdc++ has the headers of ext/
POSIX = re.compile(r"(sys|netinet|arpa|net)/\w+\.h|(dirent|dlfcn|fcntl|locale|malloc|netdb|poll|pthread|regex|semaphore|signal|termios|time|unistd)\.h")
# POSIX headers that only compute.
PURE_POSIX = {"arpa/inet.h"}

# The headers for users of the client: <zabkeeper/client.h> and others.
FOR_USERS = "client-lib/include/zabkeeper"

HINT = """\
arrows: change the include, or the ```arrows block of ARCHITECTURE.md: add the arrow that is missing,
arrows: remove the one that nothing uses. `tests/rooms/arrows.py --print` shows the block that fits."""

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
LINE = re.compile(r"(?P<room>[\w/-]+)\s*->\s*(?P<targets>[\w./-]+(\s*,\s*[\w./-]+)*)")


class Unreadable(Exception):
    """ARCHITECTURE.md has no list of arrows that can be read."""


def arrows_of(text):
    """{room: [targets]} from the block that starts with ```arrows. A line that ends in a comma
    continues on the next line."""
    block = re.search(r"^```arrows\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    if not block:
        raise Unreadable("ARCHITECTURE.md: no block that starts with ```arrows")
    arrows = {}
    for line in filter(str.strip, re.sub(r",\s*\n\s*", ", ", block[1]).splitlines()):
        match = LINE.fullmatch(line.strip())
        if not match:
            raise Unreadable(f"ARCHITECTURE.md: not an arrow: {line.strip()}")
        if match["room"] in arrows:
            raise Unreadable(f"ARCHITECTURE.md: two lines for {match['room']}")
        targets = re.split(r"\s*,\s*", match["targets"])
        arrows[match["room"]] = [] if targets == ["nothing"] else targets
    if not arrows:
        raise Unreadable("ARCHITECTURE.md: the block of arrows is empty")
    return arrows


def circular(arrows):
    """The arrows (from, to) between rooms that are part of a cycle or of a path between cycles."""
    left = {(a, b) for a, targets in arrows.items() for b in targets if b in arrows}
    while ends := {a for a, _ in left} ^ {b for _, b in left}:
        left = {(a, b) for a, b in left if a not in ends and b not in ends}
    return left


def room_of(directory, rooms):
    """The room of the files in `directory` (a path), or None. A room with inner rooms does not own
    other directories."""
    if directory in rooms:
        return directory
    outer = max((room for room in rooms if directory.startswith(room + "/")), key=len, default=None)
    return None if any(room.startswith(f"{outer}/") for room in rooms) else outer


def library_of(header):
    """The outside library of a header in <>: its name, "" for a standard or POSIX header, None if
    unknown."""
    if match := BOOST.fullmatch(header):
        return f"boost.{match[1]}"
    for library, pattern in LIBRARIES.items():
        if re.fullmatch(pattern, header):
            return library
    return "" if STANDARD.fullmatch(header) or POSIX.fullmatch(header) else None


def pure_allows(header, library):
    return not (IMPURE.fullmatch(library or header) or (POSIX.fullmatch(header) and header not in PURE_POSIX))


def includes_of(root):
    """(path, line number, quote, included name) of every #include in the directories of root."""
    directories = (f for f in sorted(root.iterdir()) if f.is_dir() and f.name != "build" and f.name[0] != ".")
    for path in (path for directory in directories for path in sorted(directory.rglob("*.*"))):
        if path.suffix not in (".cc", ".h"):
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if match := INCLUDE.match(line):
                yield path.relative_to(root), number, match[1], match[2]


class Check:
    """`wrong` lists the errors. `used` maps each room to the targets that it uses. `count` is the
    number of includes."""

    def __init__(self, root):
        self.arrows = arrows_of((root / "ARCHITECTURE.md").read_text())
        self.tops = {room.split("/")[0] for room in self.arrows}
        self.wrong, self.used, self.count = [], defaultdict(set), 0
        self._check_list()
        for path, number, quote, name in includes_of(root):
            self.count += 1
            if reason := self._reason_against(path.parent.as_posix(), quote, name):
                self.wrong.append(f"{path}:{number}: {reason}")
        self._check_used()

    def _check_list(self):
        pairs = [(a, b) for a, targets in self.arrows.items() for b in targets]
        cycle = circular(self.arrows)
        for a, b in sorted(pairs):
            if (a, b) in FORBIDDEN:
                self.wrong.append(f"ARCHITECTURE.md: {a} -> {b}: consensus and the service must not include each other, only server may include both")
            elif (a, b) in cycle and (b, a) in cycle:
                self.wrong.append(f"ARCHITECTURE.md: {a} -> {b} and {b} -> {a}: no two rooms may include each other")
            elif (a, b) in cycle:
                self.wrong.append(f"ARCHITECTURE.md: {a} -> {b} is part of a cycle of includes")
            elif not (b in self.arrows or b in LIBRARIES or b.startswith("boost.") or b == "all"):
                self.wrong.append(f"ARCHITECTURE.md: {a} -> {b}: neither a room nor a library")

    def _reason_against(self, directory, quote, name):
        """The error of this include, or None."""
        room = room_of(directory, self.arrows)
        if room is None:
            return f"no arrow names {directory}/"
        if "/" in name and name.split("/")[0] in self.tops:
            target = room_of(name.rpartition("/")[0], self.arrows)
            if target is None:
                return f"no arrow names the directory of {name}"
            return self._use(room, target, name) if target != room else None
        if name.startswith("zabkeeper/") and FOR_USERS in self.arrows:
            return self._use(room, FOR_USERS, name)
        if quote == '"':
            return f"{name} names no room: include from the repository's root"
        library = library_of(name)
        if library is None:
            return f"{name} belongs to no library that tests/rooms/arrows.py knows"
        if room in PURE and not pure_allows(name, library):
            return f"{room} is pure and cannot include {name}"
        return self._use(room, library, name) if library else None

    def _use(self, room, target, name):
        self.used[room].add(target)
        allowed = target in self.arrows[room] or "all" in self.arrows[room]
        return None if allowed else f"no arrow {room} -> {target} for {name}"

    def _check_used(self):
        for room, targets in self.arrows.items():
            for target in sorted(set(targets) - self.used[room] - {"all"}):
                self.wrong.append(f"ARCHITECTURE.md: nothing uses {room} -> {target}: remove it")

    def block(self):
        """The lines that fit the sources, in the order of the list."""
        order = list(self.arrows)
        for room, targets in self.arrows.items():
            used = targets if "all" in targets else self.used[room]
            rooms = sorted(set(used) & set(order), key=order.index, reverse=True)
            libraries = sorted(set(used) - set(order))
            yield f"{room} -> {', '.join(rooms + libraries) or 'nothing'}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--print", action="store_true", help="show the list that the sources follow now")
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).parents[2])
    arguments = parser.parse_args()
    try:
        checked = Check(arguments.root)
    except (Unreadable, OSError) as error:
        sys.exit(f"arrows: {error}")
    if arguments.print:
        return print(*checked.block(), sep="\n")
    if checked.wrong:
        sys.exit("\n".join([*checked.wrong, HINT]))
    print(f"arrows: {checked.count} includes follow the list")


if __name__ == "__main__":
    main()
