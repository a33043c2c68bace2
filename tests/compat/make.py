#!/usr/bin/env python3
"""Has an older program write a stored directory: see README.md.

usage: ZABKEEPER_BIN=build/release/bin tests/compat/make.py PROGRAM LEVEL
"""

import asyncio
import json
import pathlib
import sys
import tarfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "ensemble"))

from harness import Client, Ensemble, until  # noqa: E402
from stored import fill, fill_the_log, read  # noqa: E402

KEYS = {"snapCount": 10, "logSegmentBytes": 65536, "maxSessionTimeout": 600_000}
FILES = ("checkpoint", "extent")  # and the segments of the log


async def make(program, level):
    async with Ensemble(1, program=program, **KEYS) as alone:
        server = alone.servers[0]
        await until(lambda: server.status().get("level", 0) == level, f"it is at level {level}")
        client = await Client.open(server, 600_000, dedup=True)
        await fill(client)
        await until(lambda: (server.data / "checkpoint").exists(), "there is a checkpoint")
        await until(lambda: server.status()["checkpoint"]["behind"] < 10, "the checkpoint is recent")
        write = await fill_the_log(client)
        nodes = await read(client)
        assert server.status()["checkpoint"]["behind"] > 0, "the log has more than the checkpoint"
        server.kill()
        name = HERE / f"level{level}"
        with tarfile.open(f"{name}.tar.xz", "w:xz") as archive:
            files = [server.data / file for file in FILES] + sorted(server.data.glob("log.*"))
            for file in files:
                archive.add(file, file.name, filter=anonymous)
        name.with_suffix(".json").write_text(json.dumps({
            "nodes": nodes, "session": client.session, "password": client.password,
            "write": write}, indent=1) + "\n")


def anonymous(info):
    info.uid = info.gid = info.mtime = 0
    info.uname = info.gname = ""
    return info


asyncio.run(make(pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2])))
