#!/usr/bin/env python3
"""Compares every #include of the rooms with the arrows that ARCHITECTURE.md allows.

usage: arrows.py [SOURCE_ROOT]     exit 1 and one line (file:line: why) for each include without an arrow
"""

import re
import sys
from pathlib import Path

PURE = ("wire", "zab", "znode", "session")
IMPURE = re.compile(
    r"(chrono|ctime|time\.h|thread|mutex|shared_mutex|condition_variable|future|atomic|pthread\.h|random"
    r"|fstream|filesystem|iostream|fcntl\.h|unistd\.h|sys/.*|boost/(asio|beast)[./].*|spdlog/.*)"
)
# Two towers: no list of arrows may join them.
NEVER = {("zab", "znode"), ("zab", "session"), ("znode", "zab"), ("session", "zab")}

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')


class Unreadable(Exception):
    """ARCHITECTURE.md does not say what is allowed."""


def arrows_of(text):
    """The set of (from, to) in the block that starts with ```arrows."""
    block = re.search(r"^```arrows\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    if not block:
        raise Unreadable("ARCHITECTURE.md: no block that starts with ```arrows")
    arrows = set()
    for line in filter(str.strip, block[1].splitlines()):
        if not re.fullmatch(r"\s*[\w-]+\s*->\s*[\w-]+(\s*,\s*[\w-]+)*\s*", line):
            raise Unreadable(f"ARCHITECTURE.md: not an arrow: {line.strip()}")
        room, targets = line.split("->")
        arrows |= {(room.strip(), target.strip()) for target in targets.split(",")}
    if not arrows:
        raise Unreadable("ARCHITECTURE.md: the block of arrows is empty")
    return arrows


def circles(arrows):
    """What is left when whatever has nothing below it, or nothing above it, has been taken away."""
    left = {(a, b) for a, b in arrows if b != "all"}
    while ends := {a for a, _ in left} ^ {b for _, b in left}:
        left = {(a, b) for a, b in left if a not in ends and b not in ends}
    return left


def includes_of(root):
    """(room, path, line number, quote, included name) of every #include in the folders of root."""
    folders = (f for f in sorted(root.iterdir()) if f.is_dir() and f.name != "build" and f.name[0] != ".")
    for path in (path for folder in folders for path in sorted(folder.rglob("*.*"))):
        if path.suffix not in (".cc", ".h"):
            continue
        relative = path.relative_to(root)
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if match := INCLUDE.match(line):
                yield relative.parts[0], relative, number, match[1], match[2]


def check(root):
    """(what is wrong, arrows that nothing uses, how many includes were compared)"""
    arrows = arrows_of((root / "ARCHITECTURE.md").read_text())
    rooms = {room for arrow in arrows for room in arrow} - {"all"}
    wrong = [f"ARCHITECTURE.md: {a} -> {b}: the two towers meet only in server" for a, b in sorted(arrows & NEVER)]
    wrong += [f"ARCHITECTURE.md: {a} -> {b} is part of a circle" for a, b in sorted(circles(arrows))]
    used, count = set(), 0

    for room, path, number, quote, name in includes_of(root):
        count += 1
        target = name.split("/")[0]
        if room not in rooms:
            wrong.append(f"{path}:{number}: no arrow names {room}/")
        elif room in PURE and IMPURE.fullmatch(name):
            wrong.append(f"{path}:{number}: {room} is pure and cannot include {name}")
        elif "/" in name and target in rooms:
            used.add((room, target))
            if room != target and (room, target) not in arrows and (room, "all") not in arrows:
                wrong.append(f"{path}:{number}: no arrow {room} -> {target} for {name}")
        elif quote == '"':
            wrong.append(f"{path}:{number}: {name} names no room: include from the repository's root")

    unused = sorted((a, b) for a, b in arrows - used if b != "all")
    return wrong, unused, count


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2])
    try:
        wrong, unused, count = check(root)
    except (Unreadable, OSError) as error:
        sys.exit(f"arrows: {error}")
    if unused:
        print("arrows: nothing uses", ", ".join(f"{a} -> {b}" for a, b in unused))
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"arrows: {count} includes follow them")


if __name__ == "__main__":
    main()
