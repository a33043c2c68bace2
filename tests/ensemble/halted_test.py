"""A committed transaction that the program does not know. The server halts, says so after every
start, and goes on with a program that knows the transaction."""

import asyncio
import json
import re
import subprocess

from harness import BIN, Client, Ensemble, Refused, run, until
from programs import GREATEST, NEW, nothing_above, older, set_level, zab


async def halts(server, why):
    """It is up and serves nobody, and the reply to /health/ready names the transaction. Returns its zxid."""
    code, text = await until(lambda: (lambda reply: "cannot be applied" in reply[1] and reply)(
        server.http("/health/ready")), "the server halts")
    reason = json.loads(text)["reason"]
    named = re.fullmatch(r"transaction (\S+) cannot be applied: (.*)", reason)
    assert code == 503 and named and why in named[2], (code, reason)
    assert "Start this server with a newer program" in reason, reason
    assert server.http("/health/live")[0] == 200
    status = server.status()
    assert status["serving"] is False and status["lag"] >= 1, status
    assert f"{named[1]} cannot be applied" in server.log(), server.log()
    try:
        await Client.open(server)
        raise AssertionError("a halted server has opened a session")
    except Refused as refused:
        assert refused.name == "NotReady", refused
    return named[1]


async def again_and_again(server, why):
    """Three starts: each ends in the same way, and no file is lost."""
    server.start()
    first = await halts(server, why)
    for stop in server.kill, server.terminate:
        stop()
        server.start()
        assert await halts(server, why) == first
    assert server.terminate() == 0
    return first


async def until_a_program_knows_it(old):
    """a program that does not know a committed transaction halts at it; a newer one goes on with it"""
    async with Ensemble(1, upgrade="manual") as alone:
        server = alone.servers[0]
        await set_level(alone, old.greatest)
        await nothing_above(alone, old.greatest)
        client = await Client.open(server)
        for n in range(10):
            await client.call("create", path=f"/n{n}")
        # The server ends between the change of the level and the first segment of that level. So the
        # change is in a segment that the older program can read.
        last = max(int(path.name[4:], 16) for path in server.data.glob("log.*"))
        in_the_way = [server.data / name for name in ("log.new", f"log.{last + 1:016x}")]
        for path in in_the_way:
            path.mkdir()
        zab(alone, "cluster", "level", str(GREATEST))
        assert await asyncio.to_thread(server.process.wait) == 4, server.log()
        for path in in_the_way:
            path.rmdir()

        server.program = old.program
        await again_and_again(
            server, f"it raises the ensemble to level {GREATEST}, and this program can run at {old.levels}")
        server.program = NEW
        server.start()
        await until(server.ready, "a program that knows the transaction serves")
        assert server.status()["level"] == GREATEST, server.status()
        client = await Client.open(server)
        assert (await client.call("count", path="/"))["count"] >= 10
        await client.call("create", path="/after")
        await client.close()


async def of_the_future():
    """a server halts at a transaction of a version that no program knows yet, after every start"""
    async with Ensemble(1) as alone:
        server = alone.servers[0]
        client = await Client.open(server)
        await client.call("create", path="/before")
        assert server.terminate() == 0
        added = subprocess.run([BIN / "future_log", server.data, "1"], capture_output=True, text=True)
        assert added.returncode == 0, added
        zxid = await again_and_again(server, "of a transaction is not known to this program")
        assert zxid == added.stdout.strip(), (zxid, added)


run(of_the_future)
for each in older():
    if each.greatest > 0:  # version 0.1 ends its process instead
        run(until_a_program_knows_it, each)
