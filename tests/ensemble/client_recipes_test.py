"""The recipes of the C++ client keep their promises while the leading servers are killed."""

import asyncio
import subprocess

from harness import BIN, Ensemble, run, until
from programs import GREATEST

RUNS = 3
KILLS_MIN = 10


async def kill_leaders(ensemble):
    """Kills the leader with kill -9, again and again, and starts it when there is another one."""
    epoch = 0
    while True:
        leader = await until(ensemble.leader, "a leader")
        leader.kill()
        leader = await until(ensemble.leader, "another leader")
        assert leader.status()["epoch"] > epoch, "nothing was killed"
        epoch = leader.status()["epoch"]
        for server in ensemble.servers:
            if not server.running():
                server.start()
        await ensemble.all_ready()


async def test():
    """the recipes of the C++ client with real servers of which the leader is killed"""
    async with Ensemble(3) as ensemble:
        await until(lambda: all(s.status()["level"] == GREATEST for s in ensemble.servers),
                    "the ensemble is at the greatest level")
        killing = asyncio.create_task(kill_leaders(ensemble))
        for number in range(RUNS):
            program = subprocess.Popen([BIN / "client_recipes", ensemble.urls(), f"/run{number}"],
                                       text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            output, _ = await asyncio.to_thread(program.communicate)
            assert program.returncode == 0, output
        if killing.done():
            killing.result()
        killing.cancel()
        leader = await until(ensemble.leader, "a leader")
        assert leader.status()["epoch"] >= KILLS_MIN, "too few leaders were killed"


run(test)
