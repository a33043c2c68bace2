"""What befalls servers while a load is recorded. Each fault waits for what must follow from it:
that writes go on where a quorum is left, and that all serve again once it is over."""

import asyncio
import os
import random
import shutil
import signal
import subprocess

from harness import BIN, Client, Refused, until
from recording import Player


class Faults:
    def __init__(self, ensemble, load, seed=1, network=None):
        self.ensemble, self.load, self.network = ensemble, load, network
        self.random = random.Random(seed)
        self.disks = {}  # by server, where they can be filled
        self.happened = {}
        self.writes = 60  # that have to be acknowledged before a fault may be over

    def note(self, kind, what=""):
        self.happened[kind] = self.happened.get(kind, 0) + 1
        self.load.recording.fault(f"{kind} {what}".strip())

    async def on(self):
        await self.load.more(self.writes)

    async def back(self, *servers):
        for server in servers:
            server.start()
        await self.ensemble.all_ready()
        await self.on()

    def any_follower(self):
        return self.random.choice(self.ensemble.followers())

    # --- processes

    async def kill_leader(self):
        leader = self.ensemble.leader()
        self.note("kill leader", leader.id)
        leader.kill()
        await self.on()
        await self.back(leader)

    async def kill_follower(self):
        follower = self.any_follower()
        self.note("kill follower", follower.id)
        follower.kill()
        await self.on()
        await self.back(follower)

    async def kill_all(self):
        self.note("kill all")
        servers = list(self.ensemble.servers)
        self.random.shuffle(servers)
        for server in servers:
            server.process.kill()
        for server in servers:
            server.process.wait()
        await self.back(*servers)

    async def stop_leader(self):
        leader = self.ensemble.leader()
        self.note("terminate leader", leader.id)
        assert leader.terminate() == 0
        await self.on()
        await self.back(leader)

    async def pause_leader(self):
        """SIGSTOP: it hears nothing, loses the lead, and goes on as if nothing had happened."""
        leader = self.ensemble.leader()
        self.note("pause leader", leader.id)
        leader.signal(signal.SIGSTOP)
        try:
            await self.on()
        finally:
            self.note("continue", leader.id)
            leader.signal(signal.SIGCONT)
        await self.ensemble.all_ready()
        await self.on()

    async def pause_follower(self):
        follower = self.any_follower()
        self.note("pause follower", follower.id)
        follower.signal(signal.SIGSTOP)
        try:
            await self.on()
        finally:
            follower.signal(signal.SIGCONT)
        await self.ensemble.all_ready()
        await self.on()

    async def kill_leader_twice(self):
        """Its successor is killed as well, as soon as it leads; then there is no quorum until one is back."""
        first = self.ensemble.leader()
        self.note("kill leader", first.id)
        first.kill()
        second = await asyncio.to_thread(self.ensemble.leader)
        self.note("kill its successor", second.id)
        second.kill()
        both = [first, second]
        self.random.shuffle(both)
        both[0].start()
        await self.on()
        await self.back(both[1])

    async def vanish(self):
        """A client is gone without a word: its session expires, and its ephemeral nodes go with it."""
        name = f"gone{self.load.recording.connections}"
        ghost = Player(self.load.recording, name, self.ensemble.servers, self.load.root, name,
                       timeout_ms=1000)
        self.note("client vanishes", name)
        task = asyncio.create_task(ghost.live())
        await until(lambda: len(ghost.mine) > 1, "it has ephemeral nodes")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        ghost.give_up_pending()
        await self.on()

    # --- networks

    async def healed(self):
        self.network.heal()
        self.note("heal")
        await self.ensemble.all_ready()
        await self.on()

    async def isolate_leader(self):
        leader = self.ensemble.leader()
        self.note("isolate leader", leader.id)
        self.network.isolate(leader.id)
        await self.on()
        await until(lambda: not leader.ready(), "the leader knows that it is alone")
        await self.healed()

    async def isolate_follower(self):
        follower = self.any_follower()
        self.note("isolate follower", follower.id)
        self.network.isolate(follower.id)
        await self.on()
        await self.healed()

    async def bridge(self):
        """The leader and one follower do not hear each other; the third hears both."""
        leader = self.ensemble.leader()
        self.note("bridge", leader.id)
        self.network.part(leader.id, self.any_follower().id)
        await self.on()
        await self.healed()

    async def deaf_leader(self):
        """One way: what the followers say does not reach the leader, but it is heard."""
        leader = self.ensemble.leader()
        self.note("deaf leader", leader.id)
        for follower in self.ensemble.followers():
            self.network.cut(follower.id, leader.id)
        await self.on()
        await self.healed()

    async def mute_leader(self):
        leader = self.ensemble.leader()
        self.note("mute leader", leader.id)
        for follower in self.ensemble.followers():
            self.network.cut(leader.id, follower.id)
        await self.on()
        await self.healed()

    async def deaf_follower(self):
        leader, follower = self.ensemble.leader(), self.any_follower()
        self.note("deaf follower", follower.id)
        self.network.cut(leader.id, follower.id)
        await self.on()
        await self.healed()

    async def apart(self):
        """Nobody hears anybody: nothing may be acknowledged, and all must find together again."""
        self.note("apart")
        for server in self.ensemble.servers:
            self.network.isolate(server.id)
        await until(lambda: not any(s.ready() for s in self.ensemble.servers), "nobody serves")
        await self.healed()

    # --- disks

    @staticmethod
    def powered(server, keep=None):
        """From its next start on the server's disk can lose power."""
        server.environment = {"LD_PRELOAD": str(BIN / "libpower_loss.so"),
                              "ZABKEEPER_POWER_DIR": str(server.data)}
        if keep is not None:
            server.environment["ZABKEEPER_POWER_KEEP"] = str(keep)

    async def lose_power(self, *servers):
        self.note("power loss", " ".join(str(s.id) for s in servers))
        for server in servers:
            server.signal(signal.SIGUSR1)
        for server in servers:
            assert await asyncio.to_thread(server.process.wait) == -signal.SIGKILL, server.id
            self.powered(server, self.random.randrange(1 << 32))
        if len(servers) * 2 < len(self.ensemble.servers):
            await self.on()
        await self.back(*servers)

    async def power_loss_of_leader(self):
        await self.lose_power(self.ensemble.leader())

    async def power_loss_of_follower(self):
        await self.lose_power(self.any_follower())

    async def power_loss_of_all(self):
        await self.lose_power(*self.ensemble.servers)

    async def damage(self, how=None):
        """A follower's log is damaged while it is down; it says so, and mends itself."""
        victim = self.any_follower()
        victim.kill()
        how = how or self.random.choice([flip, cut_short, zero_page, lose_segment])
        told = how(victim.data, self.random)
        self.note(how.__name__, f"{victim.id}: {told}")
        await self.on()
        await self.back(victim)
        assert victim.status()["disk"]["damaged"] is False

    async def fill_disk_of_leader(self):
        """Its disk is full: it gives up, and the others go on; with space it comes back."""
        leader = self.ensemble.leader()
        disk = self.disks[leader]
        self.note("disk full", leader.id)
        disk.fill()
        others = [s for s in self.ensemble.servers if s is not leader]
        writer, octets = None, 0
        while leader.running():  # as much as its last segment still holds
            try:
                writer = writer or await Client.open(self.random.choice(others))
                await writer.do("set", path="/big", data="x" * 30000, create=True)
            except (ConnectionError, Refused, asyncio.TimeoutError):
                writer = None
            octets += 30000
            assert octets < 4 << 20, "it goes on, whatever the disk says"
        assert leader.process.wait() == 4, leader.log()
        assert "No space left" in leader.log().splitlines()[-1], leader.log()
        await self.on()
        assert self.ensemble.leader() is not leader
        disk.free()
        await self.back(leader)

    async def wipe(self):
        victim = self.any_follower()
        self.note("wipe", victim.id)
        victim.kill()
        for entry in victim.data.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        await self.on()
        await self.back(victim)


# --- ways to damage a log; each says what it did

def segments(directory):
    return sorted(directory.glob("log.*"))


def written(segment):
    """How much of a segment is not the zeros that it was filled with."""
    return len(segment.read_bytes().rstrip(b"\0"))


def flip(directory, chance):
    segment = chance.choice(segments(directory))
    at = chance.randrange(written(segment))
    with open(segment, "r+b") as file:
        file.seek(at)
        octet = file.read(1)[0]
        file.seek(at)
        file.write(bytes([octet ^ (1 << chance.randrange(8))]))
    return f"{segment.name}, octet {at}"


def zero_page(directory, chance):
    segment = chance.choice(segments(directory))
    at = chance.randrange(written(segment) // 4096 + 1) * 4096
    with open(segment, "r+b") as file:
        file.seek(at)
        file.write(bytes(4096))
    return f"{segment.name}, page at {at}"


def cut_short(directory, chance):
    segment = chance.choice(segments(directory))
    at = chance.randrange(written(segment))
    os.truncate(segment, at)
    return f"{segment.name}, to {at}"


def lose_segment(directory, chance):
    segment = chance.choice(segments(directory))
    segment.unlink()
    return segment.name


class SmallDisk:
    """A file system of a few MiB in memory for one server's data; `fill` leaves no octet of it free."""

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
