#!/usr/bin/env python3
"""Makes broken copies of source files.

usage: mutate.py NAME[+NAME]... DIRECTORY

Applies the mutants NAME. Writes the changed files into DIRECTORY, with their paths in the source
tree, and prints their paths. Exits with 1 if a mutant does not fit the sources.

The format of a mutant, tests/mutants/NAME.mutant:

    what is broken, in one line
    # comments: the reason for such an error, its consequences, a known bug
    hides: M1 M2                for a broken checker: mutants that it finds never, or much later
    seeds of: service           `zabsim --service` must notice it; else `zabsim` must
    noticed by: program -tc=..  a doctest test that must notice it, if no seed can
    cannot be written: why      instead of the hunks
    --- zab/some_file.cc
     unchanged lines of the file, with a blank before each;
    -removed lines, with a minus;
    +added lines, with a plus
    @@
    +more hunks of the same file. Unchanged and removed lines must occur exactly once in the file.
"""

import os
import re
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path

MUTANTS = Path(__file__).resolve().parent
SOURCES = Path(os.environ.get("ZABKEEPER_SOURCE") or MUTANTS.parent.parent)


class DoesNotFit(Exception):
    """The mutant does not fit the sources, or its file is invalid."""


@dataclass
class Hunk:
    file: str
    old: list = field(default_factory=list)
    new: list = field(default_factory=list)


@dataclass
class Mutant:
    name: str
    broken: str
    hides: list = field(default_factory=list)
    impossible: str = ""
    service: bool = False
    test: list = field(default_factory=list)
    hunks: list = field(default_factory=list)


def parse(name, text):
    lines = text.splitlines()
    mutant = Mutant(name, lines[0].strip() if lines else "")
    if not mutant.broken or mutant.broken.startswith(("#", "---")):
        raise DoesNotFit(f"{name}: the first line must say what is broken")
    for line in lines[1:]:
        if line.startswith("--- "):
            mutant.hunks.append(Hunk(line[4:].strip()))
        elif mutant.hunks and line == "@@":
            mutant.hunks.append(Hunk(mutant.hunks[-1].file))
        elif mutant.hunks:
            mark, rest = line[:1] or " ", line[1:]
            if mark not in " -+":
                raise DoesNotFit(f"{name}: a hunk's line must begin with a blank, - or +: {line}")
            if mark != "+":
                mutant.hunks[-1].old.append(rest)
            if mark != "-":
                mutant.hunks[-1].new.append(rest)
        elif line.startswith("hides:"):
            mutant.hides = line[len("hides:") :].split()
        elif line == "seeds of: service":
            mutant.service = True
        elif line.startswith("noticed by:"):
            mutant.test = shlex.split(line[len("noticed by:") :])
        elif line.startswith("cannot be written:"):
            mutant.impossible = line[len("cannot be written:") :].strip()
        elif line and not line.startswith("#"):
            raise DoesNotFit(f"{name}: unknown line: {line}")
    if bool(mutant.test) + bool(mutant.hides) + mutant.service > 1:
        raise DoesNotFit(f"{name}: only one of `hides`, `seeds of` and `noticed by` is allowed")
    if bool(mutant.hunks) == bool(mutant.impossible):
        raise DoesNotFit(f"{name}: needs either hunks or `cannot be written`")
    return mutant


def read(name):
    path = MUTANTS / f"{name}.mutant"
    if not path.exists():
        raise DoesNotFit(f"there is no mutant {name}: {path} is missing")
    return parse(name, path.read_text())


def names():
    """The names of all mutants in order: M2, M10, and then those of the checkers, C1."""
    found = [re.fullmatch(r"([MC])(\d+)", path.stem) for path in MUTANTS.glob("*.mutant")]
    return [match[0] for match in sorted(found, key=lambda match: (match[1] == "C", int(match[2])))]


def change(text, hunk, name):
    """The text with the hunk's old lines, which must occur once, replaced by its new ones."""
    lines = text.splitlines()
    if not hunk.old:
        raise DoesNotFit(f"{name}: a hunk of {hunk.file} has no unchanged or removed line")
    places = [i for i in range(len(lines)) if lines[i : i + len(hunk.old)] == hunk.old]
    if len(places) != 1:
        found = f"{len(places)} times" if places else "not"
        raise DoesNotFit(f"{name}: {found} in {hunk.file}:\n" + "\n".join(hunk.old))
    lines[places[0] : places[0] + len(hunk.old)] = hunk.new
    return "\n".join(lines) + "\n"


def mutate(mutants):
    """The changed files: path -> text."""
    changed = {}
    for mutant in mutants:
        if mutant.impossible:
            raise DoesNotFit(f"{mutant.name} cannot be written: {mutant.impossible}")
        for hunk in mutant.hunks:
            path = SOURCES / hunk.file
            if hunk.file not in changed and not path.exists():
                raise DoesNotFit(f"{mutant.name}: there is no {hunk.file}")
            text = changed.get(hunk.file) or path.read_text()
            changed[hunk.file] = change(text, hunk, mutant.name)
    return changed


def main():
    combination, directory = sys.argv[1:]
    try:
        changed = mutate([read(name) for name in combination.split("+")])
    except DoesNotFit as error:
        sys.exit(str(error))
    for file, text in changed.items():
        path = Path(directory) / file
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
        print(file)


if __name__ == "__main__":
    main()
