"""Directories that older programs have stored (tests/compat/) are opened by this one."""

import asyncio
import json
import os
import pathlib
import tarfile

from harness import Client, Ensemble, run, until
from programs import GREATEST, set_level
from stored import read

STORED = pathlib.Path(os.environ["ZABKEEPER_SOURCE"]) / "tests" / "compat"


async def check(server, expected):
    """All nodes, the session with its ephemeral node, and the result of its last write."""
    client = Client()
    client.session, client.password = expected["session"], expected["password"]
    await client.connect(server, 600_000, dedup=True)
    assert client.connected["resumed"] is True, client.connected
    nodes = await read(client)
    for path in sorted(nodes.keys() | expected["nodes"].keys()):
        assert nodes.get(path) == expected["nodes"].get(path), (path, nodes.get(path))
    write = expected["write"]
    client._last_id = write["id"] - 1
    reply = await client.call("multi", **write["request"])
    assert {**reply, "zxid": ""} == {**write["reply"], "zxid": ""}, reply
    assert (await read(client)) == nodes, "the write was carried out again"
    await client.drop()


async def opened(level):
    """what an older program has stored is read: at its level, and after the level was raised"""
    expected = json.loads((STORED / f"level{level}.json").read_text())
    async with Ensemble(1, start=False, upgrade="manual", maxSessionTimeout=600_000) as alone:
        server = alone.servers[0]
        server.data.mkdir()
        with tarfile.open(STORED / f"level{level}.tar.xz") as archive:
            archive.extractall(server.data)
        server.start()
        await until(server.ready, f"a server serves what was stored at level {level}")
        assert "damaged" not in server.log(), server.log()
        assert "a checkpoint at" in server.log(), "the checkpoint was not used"
        assert server.status()["level"] == level, server.status()
        await check(server, expected)
        server.kill()
        server.start()  # with what it has added itself
        await until(server.ready, "it serves again")
        await check(server, expected)
        await set_level(alone, GREATEST)
        await check(server, expected)
        assert await asyncio.to_thread(server.terminate) == 0
        server.start()
        await until(server.ready, f"it serves at level {GREATEST}")
        await check(server, expected)


for each in range(GREATEST):
    run(opened, each)
