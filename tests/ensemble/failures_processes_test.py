"""Servers are killed and paused under load; the history has no violations."""

from faults import Faults
from harness import Ensemble, run
from load import Load, Player


async def killed():
    """the history has no violations after kill -9 of the leader, of a follower, and of all at once"""
    async with Ensemble(3) as ensemble:
        async with Load(ensemble.servers, ensemble.directory, seed=1) as load:
            faults = Faults(ensemble, load)
            await faults.kill_leader()
            await faults.kill_follower()
            await faults.kill_all()
            await faults.stop_leader()


async def paused():
    """a leader that was paused with SIGSTOP sends no stale reply when it continues"""
    async with Ensemble(3) as ensemble:
        async with Load(ensemble.servers, ensemble.directory, seed=2) as load:
            faults = Faults(ensemble, load, seed=2)
            # A client that waits for the paused leader, with reads pending.
            patient = Player(load.recording, "patient", [ensemble.leader()], load.root, 2)
            patient.silence_max = 60
            load.add(patient)
            await faults.writes_continue()
            await faults.pause_leader()
            await faults.pause_follower()


run(killed)
run(paused)
