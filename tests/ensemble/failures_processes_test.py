"""Servers are killed and stopped in their tracks under load; the recorded history stays in order."""

from faults import Faults
from harness import Ensemble, run
from recording import Load, Player


async def killed():
    """kill -9 of the leader, of a follower, of all at once"""
    async with Ensemble(3) as ensemble:
        async with Load(ensemble.servers, ensemble.directory, seed=1) as load:
            faults = Faults(ensemble, load)
            await faults.kill_leader()
            await faults.kill_follower()
            await faults.kill_all()
            await faults.stop_leader()


async def paused():
    """a leader that was stopped with SIGSTOP answers nothing stale when it goes on"""
    async with Ensemble(3) as ensemble:
        async with Load(ensemble.servers, ensemble.directory, seed=2) as load:
            faults = Faults(ensemble, load, seed=2)
            # One that waits for the leader however long it takes, with reads under way.
            faithful = Player(load.recording, "faithful", [ensemble.leader()], load.root, 2)
            faithful.quiet = 60
            load.join(faithful)
            await faults.on()
            await faults.pause_leader()
            await faults.pause_follower()


run(killed)
run(paused)
