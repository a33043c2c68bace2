"""Disks that were wiped, damaged or mixed up between two stops: nothing acknowledged is lost, and
nobody has to repair anything by hand."""

import shutil

from harness import Client, Ensemble, run, until


def log_of(server):
    return (server.directory / f"{server.id}.log").read_text(errors="replace")


def data_of(server):
    return server.directory / f"data{server.id}"


async def write(server, count, prefix):
    client = await Client.open(server)
    if prefix == "a":
        await client.do("create", path="/kept")
    for number in range(count):
        await client.do("create", path=f"/kept/{prefix}{number}", data="x" * 100)
    await client.close()


async def names_at(server):
    client = await Client.open(server)
    await client.do("sync", path="/")
    names = set((await client.do("children", path="/kept"))["children"])
    await client.close()
    return names


def linked(server, other):
    return any(p["id"] == other.id and p["connected"] for p in server.status()["peers"])


async def wiped():
    """ZOOKEEPER-261: an emptied server and one that was away do not elect a leader by themselves"""
    async with Ensemble(3) as ensemble:
        a, b, c = ensemble.servers
        await write(a, 10, "a")
        c.terminate()
        await write(a, 10, "b")
        b.terminate()
        a.terminate()
        shutil.rmtree(data_of(b))
        b.start()
        c.start()
        await until(lambda: linked(b, c) and linked(c, b), "the two are linked")
        assert not b.status()["serving"] and not c.status()["serving"]

        a.start()
        await ensemble.all_ready()
        expected = {f"{prefix}{n}" for prefix in "ab" for n in range(10)}
        for server in ensemble.servers:
            assert await names_at(server) == expected, server.id


async def damaged():
    """a server whose log is damaged says so, does not vote, and is mended by the leader"""
    async with Ensemble(3) as ensemble:
        await write(ensemble.servers[0], 50, "a")
        victim = ensemble.followers()[0]
        victim.terminate()
        log = data_of(victim) / "log.0000000000000001"
        octets = bytearray(log.read_bytes())
        at = len(octets.rstrip(b"\0")) // 2
        octets[at] ^= 0x10
        log.write_bytes(octets)
        await write(ensemble.leader(), 10, "b")

        victim.start()
        await until(victim.ready, "the damaged server serves again")
        assert "damage" in log_of(victim), log_of(victim)
        assert victim.status()["disk"]["damaged"] is False
        expected = {f"a{n}" for n in range(50)} | {f"b{n}" for n in range(10)}
        assert await names_at(victim) == expected

        # What it took over is durable, and counts.
        for server in ensemble.servers:
            server.kill()
        for server in ensemble.servers:
            server.start()
        await ensemble.all_ready()
        assert await names_at(victim) == expected


async def mixed_up():
    """a directory of another cluster is not let in, and of another server does not even start"""
    async with Ensemble(3) as ours, Ensemble(3) as theirs:
        await write(ours.servers[0], 5, "a")
        stranger = ours.servers[2]
        stranger.terminate()
        kept = data_of(stranger).rename(data_of(stranger).with_name("kept"))
        theirs.servers[2].terminate()
        shutil.copytree(data_of(theirs.servers[2]), data_of(stranger))
        stranger.start()
        await until(lambda: "belongs to cluster" in log_of(ours.servers[0]) + log_of(stranger),
                    "somebody says whose directory that is")
        assert not stranger.ready()
        assert await names_at(ours.servers[0]) == {f"a{n}" for n in range(5)}
        stranger.terminate()

        shutil.rmtree(data_of(stranger))
        shutil.copytree(data_of(theirs.servers[0]), data_of(stranger))
        stranger.start()
        assert stranger.process.wait() == 3
        assert "server 1" in log_of(stranger).splitlines()[-1], log_of(stranger)

        shutil.rmtree(data_of(stranger))
        kept.rename(data_of(stranger))
        stranger.start()
        await until(stranger.ready, "its own directory is taken")


run(wiped)
run(damaged)
run(mixed_up)
