"""Checkpoints: a server starts from one when the log before it was purged."""

import asyncio
import shutil
import signal

from harness import Client, Ensemble, run, until

# Small files, frequent checkpoints and a short history in memory, so that the log is purged soon.
EAGER = {"snapCount": 50, "logSegmentBytes": 65536, "logKeepBytes": 0, "historyBytes": 10_000}


async def write(server, prefix, count=300):
    """Nodes of 1 KiB, one transaction each."""
    client = await Client.open(server)
    if prefix == "a":
        await client.call("create", path="/kept")
    sent = [await client.send("create", path=f"/kept/{prefix}{n:04}", data=f"{n}" * 200)
             for n in range(count)]
    for future in sent:
        assert "error" not in await future
    await client.close()
    return {f"{prefix}{n:04}" for n in range(count)}


async def names_at(server):
    client = await Client.open(server)
    await client.call("sync", path="/")
    reply = await client.call("children", path="/kept", withData=True)
    for child in reply["children"]:
        number = int(child["name"][1:])
        assert child["data"] == f"{number}" * 200, child
    await client.close()
    return {child["name"] for child in reply["children"]}


def segments(server):
    return sorted(path.name for path in server.data.glob("log.*"))


def is_purged(server, beyond="log.0000000000000001"):
    return (server.data / "checkpoint").exists() and segments(server) and segments(server)[0] > beyond


async def restart():
    """a restart loads the checkpoint and replays the log after it"""
    async with Ensemble(1, **EAGER) as alone:
        server = alone.servers[0]
        session = await Client.open(server, timeout_ms=5000)
        await session.call("create", path="/ephemeral", ephemeral=True)
        expected = await write(server, "a")
        await until(lambda: is_purged(server), "the log before the checkpoint is purged")
        for stop in (server.kill, server.terminate):
            stop()
            server.start()
            await until(server.ready, "the server serves again")
            assert "a checkpoint at" in server.log().split("zabkeeper 0")[-1]
            assert await names_at(server) == expected
            expected |= await write(server, "b" if stop == server.kill else "c", 20)
        # The session and its ephemeral nodes were in the checkpoint.
        await session.connect(server)
        assert session.connected["resumed"] is True
        assert (await session.call("ephemerals"))["paths"] == ["/ephemeral"]
        await session.close()


async def far_behind():
    """a server that needs purged transactions gets a snapshot, while writes continue"""
    async with Ensemble(3, **EAGER) as ensemble:
        a, b, c = ensemble.servers
        expected = await write(a, "a")
        c.terminate()
        last = max(segments(a)[-1], segments(b)[-1])
        expected |= await write(a, "b", 600)
        await until(lambda: is_purged(a, last) and is_purged(b, last), "the logs are purged")
        c.start()
        expected |= await write(a, "c", 100)
        await until(c.ready, "the server serves again")
        assert "a snapshot at" in c.log(), "no snapshot was sent"
        assert await names_at(c) == expected
        # The snapshot is durable: this server and another one are a quorum with all writes.
        for server in ensemble.servers:
            server.kill()
        b.start()
        c.start()
        await until(c.ready, "two of three serve")
        assert await names_at(c) == expected


async def clients_of_a_server_far_behind():
    """clients of a server that needs a snapshot keep their sessions; a retried write is applied once"""
    async with Ensemble(3, **EAGER, maxSessionTimeout=60_000) as ensemble:
        await write(ensemble.leader(), "a", 100)
        lagging = ensemble.followers()[0]
        client = await Client.open(lagging, timeout_ms=60_000, dedup=True)
        await client.call("create", path="/mine", ephemeral=True)
        lagging.signal(signal.SIGSTOP)
        await until(lambda: any(not p["connected"] for p in ensemble.leader().status()["peers"]),
                    "the leader has disconnected the paused server")
        last = segments(ensemble.leader())[-1]
        expected = await write(ensemble.leader(), "b", 600)
        await until(lambda: is_purged(ensemble.leader(), last), "the log is purged")
        sent = await client.send("create", path="/once", sequential=True)
        lagging.signal(signal.SIGCONT)
        try:
            await sent
        except ConnectionError:
            pass
        await until(lambda: "a snapshot at" in lagging.log(), "the server receives a snapshot")
        goaway = await asyncio.wait_for(client.others.get(), 10)
        assert goaway["op"] == "goaway", goaway
        await until(lagging.ready, "the server serves again")
        await client.connect(lagging, dedup=True)
        assert client.connected["resumed"] is True
        client._last_id -= 1
        await client.call("create", path="/once", sequential=True)
        reader = await Client.open(ensemble.leader())
        once = [name for name in (await reader.call("children", path="/"))["children"]
                if name.startswith("once")]
        assert len(once) == 1, once
        assert (await client.call("ephemerals"))["paths"] == ["/mine"]
        assert expected <= await names_at(lagging)
        await reader.close()
        await client.close()


async def damaged():
    """a damaged checkpoint is renamed and replaced"""
    async with Ensemble(3, **EAGER) as ensemble:
        expected = await write(ensemble.servers[0], "a", 400)
        await until(lambda: all(is_purged(s) for s in ensemble.servers), "the logs are purged")
        ways = [lambda content: bytes(len(content)),
                lambda content: content[:len(content) // 2],
                # The data of one node: only the digest shows it.
                lambda content: content.replace(b"7" * 200, b"8" * 200)]
        for number, way in enumerate(ways):
            victim = ensemble.followers()[0]
            victim.terminate()
            file = victim.data / "checkpoint"
            changed = way(file.read_bytes())
            assert changed != file.read_bytes()
            file.write_bytes(changed)
            victim.start()
            await until(victim.ready, f"the server serves again after damage {number}")
            assert "checkpoint.damaged" in victim.log(), victim.log()
            assert await names_at(victim) == expected


async def of_another_server():
    """a checkpoint of another server is refused, and no file is changed"""
    async with Ensemble(3, **EAGER) as ensemble:
        await write(ensemble.servers[0], "a", 200)
        await until(lambda: all(is_purged(s) for s in ensemble.servers), "the logs are purged")
        a, b, _ = ensemble.servers
        a.terminate()
        b.terminate()
        shutil.copy(b.data / "checkpoint", a.data / "checkpoint")
        a.start()
        assert a.process.wait(timeout=20) == 3
        assert "the checkpoint belongs to server 2, but this is server 1" in a.log()


run(restart)
run(far_behind)
run(clients_of_a_server_far_behind)
run(damaged)
run(of_another_server)
