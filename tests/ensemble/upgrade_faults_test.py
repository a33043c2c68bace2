"""Every fault in ensembles of two programs: each of those before a level (tools/dev previous) beside
this one, under a load whose history is checked."""

import asyncio
import shutil
import signal

from faults import Faults
from harness import Ensemble, run, until
from load import Load
from network import Network
from programs import NEW, at_level, older

# Small files, frequent checkpoints and a short history in memory: who comes late needs a snapshot.
EAGER = {"snapCount": 50, "logSegmentBytes": 65536, "logKeepBytes": 0, "historyBytes": 10_000}


# So often the leader is stopped at most, until a server with the other program leads.
HANDOVERS = 10


def is_purged(server):
    return not (server.data / "log.0000000000000001").exists() and (server.data / "checkpoint").exists()


def snapshots(server):
    """How many it has adopted."""
    return server.log().count("a snapshot at")


class Mixed:
    """Two voters of one program, a third one and an observer of the other."""

    def __init__(self, ensemble, load, network):
        self.ensemble, self.load, self.network = ensemble, load, network
        self.faults = Faults(ensemble, load, network=network)
        self.faults.writes = 30
        self.led = []  # the programs of the leaders that faults happened to

    def leader(self):
        return self.ensemble.leader()

    def follower(self):
        """One that does not run the leader's program."""
        leader = self.ensemble.leader()
        return next(s for s in self.ensemble.servers[:3] if s.program != leader.program)

    def newer(self):
        """One that runs the newer program, and does not lead."""
        leader = self.ensemble.leader()
        return next(s for s in self.ensemble.servers if s is not leader and s.program == NEW)

    def observer(self):
        return self.ensemble.servers[3]

    async def back(self):
        await self.ensemble.all_ready()
        await self.faults.writes_continue()

    # --- what happens to one of them

    async def kill(self, victim):
        victim.kill()
        await self.faults.writes_continue()
        victim.start()
        await self.back()

    async def stop(self, victim):
        victim.signal(signal.SIGSTOP)
        try:
            await self.faults.writes_continue()
        finally:
            victim.signal(signal.SIGCONT)
        await self.back()

    async def cut_off(self, victim):
        if self.network is None:
            return
        self.network.isolate(victim.id)
        await self.faults.writes_continue()
        if victim is not self.observer():  # for the others it takes two seconds
            await until(lambda: not victim.ready(), "a server that is cut off serves nobody")
        self.network.heal()
        await self.back()

    async def change_leader(self):
        """Hands over until another program leads than at the last fault of a leader."""
        for _ in range(HANDOVERS):
            if self.leader().program not in self.led[-1:]:
                return
            await self.hand_over(self.leader())

    async def power(self, victim):
        await self.faults.lose_power(victim)

    async def hand_over(self, victim):
        assert victim.terminate() == 0
        await self.faults.writes_continue()
        victim.start()
        await self.back()

    async def wipe(self, victim):
        before = snapshots(victim)
        victim.kill()
        shutil.rmtree(victim.data)
        victim.start()
        await self.back()
        assert snapshots(victim) > before, f"server {victim.id} has no snapshot of another one"


FAULTS = [
    ("kill", "follower"), ("kill", "observer"), ("kill", "leader"),
    ("stop", "follower"), ("stop", "observer"), ("stop", "leader"),
    ("cut_off", "follower"), ("cut_off", "observer"), ("cut_off", "leader"),
    ("power", "follower"), ("power", "observer"), ("power", "leader"),
    ("wipe", "follower"), ("wipe", "observer"), ("wipe", "newer"), ("wipe", "leader"),
    ("hand_over", "leader"),
]


async def mixed(old, leads, follows, network):
    """an ensemble of two programs survives every fault of a leader, a follower and an observer of either"""
    async with Ensemble(4, network=network, start=False, observers=1, **EAGER) as ensemble:
        for server, program in zip(ensemble.servers, [leads, leads, follows, follows]):
            server.program = program
            Faults.with_power_loss(server)
        first, late = ensemble.servers[:2], ensemble.servers[2:]
        for server in first:
            server.start()
        for server in first:
            await until(server.ready, f"server {server.id} serves")
        async with Load(ensemble.servers, ensemble.directory, seed=46) as load:
            await until(lambda: all(map(is_purged, first)), "the log before the checkpoint is purged")
            for server in late:
                server.start()
            await ensemble.all_ready()
            for server in late:
                assert snapshots(server) == 1, f"server {server.id} has no snapshot of the other program"
            await at_level(ensemble, old.greatest)  # the greatest that all of them know

            both = Mixed(ensemble, load, network)
            for fault, role in FAULTS:
                if role == "leader":
                    await both.change_leader()
                victim = getattr(both, role)()
                if role == "leader":
                    both.led.append(victim.program)
                load.recording.fault(f"{fault} {role}, server {victim.id}")
                await getattr(both, fault)(victim)
            await at_level(ensemble, old.greatest)
            assert set(both.led) == {leads, follows}, both.led


def every_mix(programs, network):
    for old in programs:
        run(mixed, old, old.program, NEW, network)
        run(mixed, old, NEW, old.program, network)


programs = older()
try:
    with Network(4) as network:
        every_mix(programs, network)
except SystemExit:  # no namespaces: without the faults of the network
    every_mix(programs, None)
