"""Two programs in one ensemble: each of those before a level (tools/dev previous), and this one.
Servers are replaced one at a time, forwards and back, under a load whose history is checked."""

import asyncio
import os
import pathlib
import re
import shutil
import time

from harness import Client, Ensemble, Refused, run, until
from load import Load
from programs import GREATEST, NEW, at_level, levels, nothing_above, older, set_level, zab

MIXED_SECONDS = float(os.environ.get("ZABKEEPER_MIXED_SECONDS", "3"))
# No write may take as long as this multiple of the slowest one while servers of one program are
# restarted in the same run, unless it takes less than so many seconds.
LONGEST_RATIO = 10
LONGEST = 2.0


def content(directory):
    """The names and bytes of all files."""
    return {path.relative_to(directory): path.read_bytes()
            for path in directory.rglob("*") if path.is_file()}


class Holder:
    """A session with an ephemeral node and a watch, which must outlive every replacement."""

    def __init__(self, ensemble):
        self.ensemble, self.client = ensemble, Client()
        self.slowest, self.writes, self.last = 0.0, 0, 0
        self.step = self.when = "before"  # what happens, and what did during the slowest write

    async def reconnect(self):
        """At another server first: the last one may be stopping."""
        servers = self.ensemble.servers
        for n in range(1, len(servers) + 1):
            server = servers[(self.last + n) % len(servers)]
            if server.running():
                try:
                    await self.client.connect(server, 20000)
                    self.last = servers.index(server)
                    return True
                except OSError:
                    continue
        return False

    async def begin(self):
        await until(self.reconnect, "a session opens")
        self.session = self.client.session
        await self.client.call("create", path="/held", ephemeral=True)
        await self.client.call("create", path="/counter", data="0")

    async def write(self, stop):
        began = time.monotonic()
        while not stop.is_set():
            try:
                await self.client.call("set", path="/counter", data=str(self.writes))
            except ConnectionError:
                await until(self.reconnect, "another server resumes the session")
                assert self.client.session == self.session, "the session has expired"
                continue
            took = time.monotonic() - began
            if took > self.slowest:
                self.slowest, self.when = took, self.step
            began = time.monotonic()
            self.writes += 1

    async def check(self):
        stat = (await self.client.call("exists", path="/held"))["stat"]
        assert stat and stat["ephemeralOwner"] == self.session, stat


class Kept:
    """Results of the newest level that are kept for a session. An older program must read them."""

    @classmethod
    async def open(cls, server):
        self = cls()
        self.client = await Client.open(server, 30000, dedup=True)
        missing = {"if": [{"path": "/counter", "exists": False}]}
        done = await self.client.call("multi", ops=[], **missing,
                                      **{"else": [{"op": "create", "path": "/kept"}]})
        assert done["branch"] == "else", done
        self.first = done["id"]
        try:
            await self.client.call("delete", path="/counter", **missing)
        except Refused as refused:
            assert refused.name == "ConditionFailed", refused.reply
        await self.client.drop()
        return self

    async def check(self, server):
        """A write under a number that was used gets the kept result, whatever the write is."""
        await self.client.connect(server, dedup=True)
        self.client._last_id = self.first - 1
        try:
            done = await self.client.call("delete", path="/none")
            assert done["truncated"], done
        except Refused as refused:  # before there are receipts
            assert refused.name == "TooLarge" and "was done" in str(refused), refused.reply
        try:
            raise AssertionError(await self.client.call("delete", path="/none"))
        except Refused as refused:
            assert refused.name == "BadVersion" and "/counter exists" in str(refused), refused.reply
        await self.client.close()


async def replace(ensemble, load, holder, program):
    """Every server gets this program, one after the other, the leader last."""
    leader = ensemble.leader()
    holder.rounds = getattr(holder, "rounds", 0) + 1
    for server in [s for s in ensemble.servers if s is not leader] + [leader]:
        load.recording.fault(f"replace {server.id}")
        holder.step = f"round {holder.rounds}, the {'leader' if server is leader else 'follower'} stops"
        assert server.terminate() == 0
        await load.more_writes(60)
        holder.step = holder.step.replace("stops", "starts")
        server.program = program
        server.start()
        await until(server.ready, f"server {server.id} serves with {program}")
        await load.more_writes(60)


async def mixed(load):
    until_time = time.monotonic() + MIXED_SECONDS
    while time.monotonic() < until_time:
        await load.more_writes(20)


def logged(server, text):
    return text in server.log()


async def upgrade_and_back(old):
    """servers are replaced by the newer program and back; no acknowledged write or session is lost"""
    async with Ensemble(3, program=old.program, snapCount=300) as ensemble:
        async with Load(ensemble.servers, ensemble.directory, seed=12) as load:
            holder, stop = Holder(ensemble), asyncio.Event()
            await holder.begin()
            writing = asyncio.create_task(holder.write(stop))

            await at_level(ensemble, old.greatest)  # a new ensemble begins there
            await replace(ensemble, load, holder, old.program)
            longest = max(LONGEST, LONGEST_RATIO * holder.slowest)
            await replace(ensemble, load, holder, NEW)
            assert levels(ensemble) == [old.greatest] * 3, levels(ensemble)
            await replace(ensemble, load, holder, old.program)
            # Two programs for a while, with the older one as the leader, then with the newer one.
            leader = ensemble.leader()
            for server in [s for s in ensemble.servers if s is not leader][:1] + [leader]:
                assert server.terminate() == 0
                server.program = NEW
                server.start()
                await ensemble.all_ready()
                await mixed(load)
            refused = zab(ensemble, "cluster", "level", str(GREATEST))
            # The leader may be the older program. Version 0.1 has no such command.
            assert refused.returncode != 0, refused
            assert any(why in refused.stderr for why in
                       (f"can run at {old.levels} only", f"but at {old.levels}",
                        "there is no command level")), refused
            await replace(ensemble, load, holder, NEW)

            await set_level(ensemble, GREATEST)
            if old.greatest == 0:
                await replace(ensemble, load, holder, NEW)  # each starts with what it has written
                await at_level(ensemble, GREATEST)
            await load.more_writes(60)

            kept = await Kept.open(ensemble.leader())
            await set_level(ensemble, old.greatest)
            await nothing_above(ensemble, old.greatest)
            # One comes back with the older program and an empty disk: it gets nothing of a greater level,
            # neither from the log nor from memory.
            wiped = ensemble.followers()[0]
            assert wiped.terminate() == 0
            shutil.rmtree(wiped.data)
            wiped.program = old.program
            wiped.start()
            await until(wiped.ready, f"server {wiped.id} serves with {old.program} and an empty disk")
            await kept.check(wiped)
            await load.more_writes(60)
            await replace(ensemble, load, holder, old.program)
            assert levels(ensemble) == [old.greatest] * 3, levels(ensemble)

            stop.set()
            await writing
            await holder.check()
            print(f"{old.levels}: {holder.writes} writes of one client; the slowest took "
                  f"{1000 * holder.slowest:.0f} ms, during: {holder.when}")
            assert holder.slowest < longest, (holder.slowest, longest)


async def older_program_is_refused(old):
    """at a greater level the older program is refused: by its directory, and by the other servers"""
    async with Ensemble(3) as ensemble:
        await at_level(ensemble, GREATEST)  # a new ensemble begins there
        server = ensemble.followers()[0]
        client = await Client.open(ensemble.leader())
        for n in range(50):
            await client.call("create", path=f"/n{n}")
        assert server.terminate() == 0
        before = content(server.data)
        server.program = old.program
        server.start()
        assert await asyncio.to_thread(server.process.wait) == 3
        if old.greatest == 0:
            # Version 0.1 renames a checkpoint that it cannot read, before it refuses the log.
            if (server.data / "checkpoint.damaged").exists():
                (server.data / "checkpoint.damaged").rename(server.data / "checkpoint")
        else:
            assert logged(server, f"at level {GREATEST}") and logged(server, f"({old.levels})")
            assert logged(server, f"Start a program that can run at level {GREATEST}"), server.log()
        locks = {pathlib.Path("checkpoint-lock"), pathlib.Path("checkpoint.owner")}
        after = content(server.data)
        assert {n: b for n, b in after.items() if n not in locks} == \
            {n: b for n, b in before.items() if n not in locks}, "the older program changed something"

        # With an empty directory it has nothing that it cannot read, but nobody links with it.
        server.data.rename(server.data.with_name("kept"))
        server.start()
        other = ensemble.leader()
        # Either end may say it, and the older programs have other words.
        why_not = re.compile(f"can run at {old.levels}; the ensemble.* is at level {GREATEST}")
        await until(lambda: why_not.search(other.log()), "the leader says why there is no link")
        if old.greatest > 0:
            await until(lambda: logged(server, f"is at level {GREATEST}: start a program"),
                        "the older program says why there is no link")
        assert not server.ready()
        server.kill()
        for path in sorted(server.data.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        server.data.rmdir()
        server.data.with_name("kept").rename(server.data)
        server.program = NEW
        server.start()
        await ensemble.all_ready()
        assert (await client.call("count", path="/"))["count"] >= 50
        await client.close()


async def standalone():
    """an operator lowers and raises the level of a standalone server, unless it raises it itself"""
    async with Ensemble(1, upgrade="manual") as alone:
        server = alone.servers[0]
        await until(lambda: server.status()["level"] == GREATEST, f"the new server is at level {GREATEST}")
        for level in map(str, range(GREATEST + 1)):
            changed = zab(alone, "cluster", "level", level)
            assert changed.stdout == f"the ensemble is at level {level}\n", changed
        refused = zab(alone, "cluster", "level", "7")
        assert refused.returncode != 0 and f"can run at levels 0 to {GREATEST}" in refused.stderr, refused
    async with Ensemble(1) as alone:
        await until(lambda: alone.servers[0].status()["level"] == GREATEST, f"the new server is at level {GREATEST}")
        refused = zab(alone, "cluster", "level", "0")
        assert refused.returncode != 0 and "upgrade=manual" in refused.stderr, refused


run(standalone)
for each in older():
    run(upgrade_and_back, each)
    run(older_program_is_refused, each)
