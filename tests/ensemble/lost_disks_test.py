"""Data directories that were wiped, damaged or swapped while servers were stopped: no acknowledged
write is lost, and no manual repair is needed."""

import shutil

from harness import Client, Ensemble, run, until


def log_of(server):
    return (server.directory / f"{server.id}.log").read_text(errors="replace")


def data_of(server):
    return server.directory / f"data{server.id}"


async def write(server, count, prefix):
    client = await Client.open(server)
    if prefix == "a":
        await client.call("create", path="/kept")
    for number in range(count):
        await client.call("create", path=f"/kept/{prefix}{number}", data="x" * 100)
    await client.close()


async def names_at(server):
    client = await Client.open(server)
    await client.call("sync", path="/")
    names = set((await client.call("children", path="/kept"))["children"])
    await client.close()
    return names


def linked(server, other):
    return any(p["id"] == other.id and p["connected"] for p in server.status()["peers"])


async def wiped():
    """ZOOKEEPER-261: a wiped server and one that was down do not elect a leader without a third"""
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
        await until(lambda: linked(b, c) and linked(c, b), "the two servers are connected")
        assert not b.status()["serving"] and not c.status()["serving"]

        a.start()
        await ensemble.all_ready()
        expected = {f"{prefix}{n}" for prefix in "ab" for n in range(10)}
        for server in ensemble.servers:
            assert await names_at(server) == expected, server.id


async def damaged():
    """a server with a damaged log reports it, does not vote, and is repaired by the leader"""
    async with Ensemble(3) as ensemble:
        await write(ensemble.servers[0], 50, "a")
        victim = ensemble.followers()[0]
        victim.terminate()
        log = data_of(victim) / "log.0000000000000001"
        content = bytearray(log.read_bytes())
        at = len(content.rstrip(b"\0")) // 2
        content[at] ^= 0x10
        log.write_bytes(content)
        await write(ensemble.leader(), 10, "b")

        victim.start()
        await until(victim.ready, "the damaged server serves again")
        assert "damage" in log_of(victim), log_of(victim)
        assert victim.status()["disk"]["damaged"] is False
        expected = {f"a{n}" for n in range(50)} | {f"b{n}" for n in range(10)}
        assert await names_at(victim) == expected

        # The repaired log is durable.
        for server in ensemble.servers:
            server.kill()
        for server in ensemble.servers:
            server.start()
        await ensemble.all_ready()
        assert await names_at(victim) == expected


async def swapped():
    """a directory of another cluster is refused by the peers; that of another server does not start"""
    async with Ensemble(3) as ours, Ensemble(3) as theirs:
        await write(ours.servers[0], 5, "a")
        victim = ours.servers[2]
        victim.terminate()
        kept = data_of(victim).rename(data_of(victim).with_name("kept"))
        theirs.servers[2].terminate()
        shutil.copytree(data_of(theirs.servers[2]), data_of(victim))
        victim.start()
        await until(lambda: "belongs to cluster" in log_of(ours.servers[0]) + log_of(victim),
                    "a server reports the other cluster's directory")
        assert not victim.ready()
        assert await names_at(ours.servers[0]) == {f"a{n}" for n in range(5)}
        victim.terminate()

        shutil.rmtree(data_of(victim))
        shutil.copytree(data_of(theirs.servers[0]), data_of(victim))
        victim.start()
        assert victim.process.wait() == 3
        assert "server 1" in log_of(victim).splitlines()[-1], log_of(victim)

        shutil.rmtree(data_of(victim))
        kept.rename(data_of(victim))
        victim.start()
        await until(victim.ready, "the server serves with its own directory")


run(wiped)
run(damaged)
run(swapped)
