"""Faults of servers while a load is recorded. Each fault waits for the expected consequences:
writes continue where a quorum is left, and all servers serve again when the fault is over."""

import asyncio
import os
import random
import shutil
import signal
import subprocess

from harness import BIN, Client, Refused, until
from load import Player


class Faults:
    def __init__(self, ensemble, load, seed=1, network=None):
        self.ensemble, self.load, self.network = ensemble, load, network
        self.random = random.Random(seed)
        self.disks = {}  # by server: its SmallDisk, if it has one
        self.happened = {}
        self.writes = 60  # that must be acknowledged before a fault may end

    def record(self, kind, what=""):
        self.happened[kind] = self.happened.get(kind, 0) + 1
        self.load.recording.fault(f"{kind} {what}".strip())

    async def writes_continue(self):
        await self.load.more_writes(self.writes)

    async def restart(self, *servers):
        for server in servers:
            server.start()
        await self.ensemble.all_ready()
        await self.writes_continue()

    def any_follower(self):
        return self.random.choice(self.ensemble.followers())

    # --- processes

    async def kill_leader(self):
        leader = self.ensemble.leader()
        self.record("kill leader", leader.id)
        leader.kill()
        await self.writes_continue()
        await self.restart(leader)

    async def kill_follower(self):
        follower = self.any_follower()
        self.record("kill follower", follower.id)
        follower.kill()
        await self.writes_continue()
        await self.restart(follower)

    async def kill_all(self):
        self.record("kill all")
        servers = list(self.ensemble.servers)
        self.random.shuffle(servers)
        for server in servers:
            server.process.kill()
        for server in servers:
            server.process.wait()
        await self.restart(*servers)

    async def stop_leader(self):
        leader = self.ensemble.leader()
        self.record("terminate leader", leader.id)
        assert leader.terminate() == 0
        await self.writes_continue()
        await self.restart(leader)

    async def pause_leader(self):
        """SIGSTOP: another server becomes leader; then the paused one continues."""
        leader = self.ensemble.leader()
        self.record("pause leader", leader.id)
        leader.signal(signal.SIGSTOP)
        try:
            await self.writes_continue()
        finally:
            self.record("continue", leader.id)
            leader.signal(signal.SIGCONT)
        await self.ensemble.all_ready()
        await self.writes_continue()

    async def pause_follower(self):
        follower = self.any_follower()
        self.record("pause follower", follower.id)
        follower.signal(signal.SIGSTOP)
        try:
            await self.writes_continue()
        finally:
            follower.signal(signal.SIGCONT)
        await self.ensemble.all_ready()
        await self.writes_continue()

    async def kill_leader_twice(self):
        """Kills the leader and then its successor. There is no quorum until one of them is back."""
        first = self.ensemble.leader()
        self.record("kill leader", first.id)
        first.kill()
        second = await asyncio.to_thread(self.ensemble.leader)
        self.record("kill its successor", second.id)
        second.kill()
        both = [first, second]
        self.random.shuffle(both)
        both[0].start()
        await self.writes_continue()
        await self.restart(both[1])

    async def vanish(self):
        """A client disappears without a close. Its session expires, and its ephemeral nodes are
        deleted."""
        name = f"vanished{self.load.recording.connections}"
        client = Player(self.load.recording, name, self.ensemble.servers, self.load.root, name,
                       timeout_ms=1000)
        self.record("client vanishes", name)
        task = asyncio.create_task(client.run_connections())
        await until(lambda: len(client.ephemerals) > 1, "the client has ephemeral nodes")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        client.record_pending()
        await self.writes_continue()

    # --- networks

    async def healed(self):
        self.network.heal()
        self.record("heal")
        await self.ensemble.all_ready()
        await self.writes_continue()

    async def isolate_leader(self):
        leader = self.ensemble.leader()
        self.record("isolate leader", leader.id)
        self.network.isolate(leader.id)
        await self.writes_continue()
        await until(lambda: not leader.ready(), "the isolated leader stops serving")
        await self.healed()

    async def isolate_follower(self):
        follower = self.any_follower()
        self.record("isolate follower", follower.id)
        self.network.isolate(follower.id)
        await self.writes_continue()
        await self.healed()

    async def bridge(self):
        """No packets between the leader and one follower; the third server is connected to both."""
        leader = self.ensemble.leader()
        self.record("bridge", leader.id)
        self.network.cut_both(leader.id, self.any_follower().id)
        await self.writes_continue()
        await self.healed()

    async def drop_to_leader(self):
        """One way: packets from the followers to the leader are dropped."""
        leader = self.ensemble.leader()
        self.record("drop to leader", leader.id)
        for follower in self.ensemble.followers():
            self.network.cut(follower.id, leader.id)
        await self.writes_continue()
        await self.healed()

    async def drop_from_leader(self):
        leader = self.ensemble.leader()
        self.record("drop from leader", leader.id)
        for follower in self.ensemble.followers():
            self.network.cut(leader.id, follower.id)
        await self.writes_continue()
        await self.healed()

    async def drop_to_follower(self):
        leader, follower = self.ensemble.leader(), self.any_follower()
        self.record("drop to follower", follower.id)
        self.network.cut(leader.id, follower.id)
        await self.writes_continue()
        await self.healed()

    async def isolate_all(self):
        """No packets between any servers: no write may be acknowledged, and all servers must
        recover afterwards."""
        self.record("isolate all")
        for server in self.ensemble.servers:
            self.network.isolate(server.id)
        await until(lambda: not any(s.ready() for s in self.ensemble.servers), "no server serves")
        await self.healed()

    # --- disks

    @staticmethod
    def with_power_loss(server, keep=None):
        """After the server's next start, SIGURG makes it lose power: unsynced writes are lost.
        With `keep`, which is a seed, a random part of them is kept."""
        server.environment = {"LD_PRELOAD": str(BIN / "libpower_loss.so"),
                              "ZABKEEPER_POWER_DIR": str(server.data)}
        if keep is not None:
            server.environment["ZABKEEPER_POWER_KEEP"] = str(keep)

    async def lose_power(self, *servers):
        self.record("power loss", " ".join(str(s.id) for s in servers))
        for server in servers:
            server.signal(signal.SIGURG)
        for server in servers:
            assert await asyncio.to_thread(server.process.wait) == -signal.SIGKILL, server.id
            self.with_power_loss(server, self.random.randrange(1 << 32))
        if len(servers) * 2 < len(self.ensemble.servers):
            await self.writes_continue()
        await self.restart(*servers)

    async def power_loss_of_leader(self):
        await self.lose_power(self.ensemble.leader())

    async def power_loss_of_follower(self):
        await self.lose_power(self.any_follower())

    async def power_loss_of_all(self):
        await self.lose_power(*self.ensemble.servers)

    async def damage(self, how=None):
        """Damages the log of a stopped follower; it must recover by itself."""
        victim = self.any_follower()
        victim.kill()
        how = how or self.random.choice([flip, truncate, zero_page, remove_segment])
        done = how(victim.data, self.random)
        self.record(how.__name__, f"{victim.id}: {done}")
        await self.writes_continue()
        await self.restart(victim)
        assert victim.status()["disk"]["damaged"] is False

    async def fill_disk_of_leader(self):
        """Fills the leader's disk: the leader exits, and the others continue. With free space it
        starts again."""
        leader = self.ensemble.leader()
        disk = self.disks[leader]
        self.record("disk full", leader.id)
        disk.fill()
        others = [s for s in self.ensemble.servers if s is not leader]
        writer, size = None, 0
        while leader.running():  # until its last segment is full
            try:
                writer = writer or await Client.open(self.random.choice(others))
                await writer.call("set", path="/big", data="x" * 30000, create=True)
            except (ConnectionError, Refused, asyncio.TimeoutError):
                writer = None
            size += 30000
            assert size < 4 << 20, "the server continues although its disk is full"
        assert leader.process.wait() == 4, leader.log()
        assert "No space left" in leader.log().splitlines()[-1], leader.log()
        await self.writes_continue()
        assert self.ensemble.leader() is not leader
        disk.free()
        await self.restart(leader)

    async def wipe(self):
        victim = self.any_follower()
        self.record("wipe", victim.id)
        victim.kill()
        for entry in victim.data.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        await self.writes_continue()
        await self.restart(victim)


# --- ways to damage a log; each returns a description

def segments(directory):
    return sorted(directory.glob("log.*"))


def written(segment):
    """The size of a segment without the zeros at its end. Segments are created with zeros."""
    return len(segment.read_bytes().rstrip(b"\0"))


def flip(directory, chance):
    segment = chance.choice(segments(directory))
    at = chance.randrange(written(segment))
    with open(segment, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ (1 << chance.randrange(8))]))
    return f"{segment.name}, byte {at}"


def zero_page(directory, chance):
    segment = chance.choice(segments(directory))
    at = chance.randrange(written(segment) // 4096 + 1) * 4096
    with open(segment, "r+b") as file:
        file.seek(at)
        file.write(bytes(4096))
    return f"{segment.name}, page at {at}"


def truncate(directory, chance):
    segment = chance.choice(segments(directory))
    at = chance.randrange(written(segment))
    os.truncate(segment, at)
    return f"{segment.name}, to {at}"


def remove_segment(directory, chance):
    segment = chance.choice(segments(directory))
    segment.unlink()
    return segment.name


class SmallDisk:
    """A small file system in memory for one server's data. `fill` uses all of its space."""

    def __init__(self, server, mebibytes):
        self.place = server.data
        self.place.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=700", "zabkeeper",
                               self.place], capture_output=True, text=True)
        if done.returncode != 0:
            raise PermissionError(f"cannot mount a tmpfs: {done.stderr.strip()}")

    def fill(self):
        with open(self.place / "other-data", "wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                pass

    def free(self):
        (self.place / "other-data").unlink(missing_ok=True)

    def unmount(self):
        subprocess.run(["umount", self.place], capture_output=True)
