"""The programs that servers of a test run: those of earlier commits, which `tools/dev previous` builds,
and the one that is tested."""

import os
import pathlib
import subprocess
import sys
from typing import NamedTuple

from harness import BIN, until

SOURCE = pathlib.Path(os.environ["ZABKEEPER_SOURCE"])
NEW = BIN / "zabkeeper"
GREATEST = 3  # level of NEW


class Older(NamedTuple):
    """The program of a commit, and the greatest level at which it can run."""
    program: pathlib.Path
    greatest: int

    @property
    def levels(self):
        return f"levels 0 to {self.greatest}" if self.greatest else "level 0"


def older():
    """Those of tests/compat/previous that are built, the oldest first. The test is skipped if the newest
    is not built."""
    lines = (SOURCE / "tests" / "compat" / "previous").read_text().splitlines()
    programs = []
    for commit, greatest in map(str.split, lines):
        program = SOURCE / "build" / "previous" / commit / "zabkeeper"
        if not program.exists():
            print(f"no {program}: build it with tools/dev previous")
            continue
        programs.append(Older(program, int(greatest)))
    if not programs or programs[-1].greatest != int(lines[-1].split()[1]):
        sys.exit(77)
    return programs


def zab(ensemble, *words):
    servers = ",".join(f"ws://{s.host}:{s.web_port}" for s in ensemble.servers)
    return subprocess.run([BIN / "zab", "--server", servers, *words], capture_output=True, text=True,
                          timeout=30)


def levels(ensemble):
    """Of each server. Version 0.1 has no level in its status: it is at 0."""
    return [server.status().get("level", 0) for server in ensemble.servers]


async def at_level(ensemble, level):
    await until(lambda: levels(ensemble) == [level] * len(ensemble.servers),
                f"all servers are at level {level}")


async def set_level(ensemble, level):
    changed = zab(ensemble, "cluster", "level", str(level))
    assert changed.returncode == 0, changed
    assert changed.stdout == f"the ensemble is at level {level}\n", changed
    await at_level(ensemble, level)


async def nothing_above(ensemble, level):
    await until(lambda: all(s.status()["diskLevel"] <= level for s in ensemble.servers),
                f"nothing above level {level} is left on any disk")
