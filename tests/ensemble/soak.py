"""Random faults under a recorded load, until the time is up: `tools/dev soak`.

One ensemble after the other runs for some rounds. Each round has a history of its own, which
zab-history checks. The seed determines the faults, but not their exact times."""

import argparse
import asyncio
import collections
import contextlib
import random
import re
import signal
import sys
import time

from faults import Faults, SmallDisk
from harness import Ensemble
from network import Network
from load import Load

ROUNDS = 6  # for each ensemble
WEIGHTS = {
    "kill_leader": 4, "kill_follower": 2, "kill_all": 2, "kill_leader_twice": 2, "stop_leader": 2,
    "pause_leader": 3, "pause_follower": 1, "vanish": 3,
    "isolate_leader": 3, "isolate_follower": 1, "bridge": 2, "drop_to_leader": 2, "drop_from_leader": 2,
    "drop_to_follower": 1, "isolate_all": 1,
    "power_loss_of_leader": 3, "power_loss_of_follower": 2, "power_loss_of_all": 3,
    "damage": 3, "wipe": 2, "fill_disk_of_leader": 1,
}


class Soak:
    def __init__(self, seed, seconds):
        self.seed, self.random = seed, random.Random(seed)
        self.until = time.monotonic() + seconds
        self.totals = collections.Counter()

    def time_is_up(self):
        return time.monotonic() >= self.until

    async def ensemble(self, number):
        size = self.random.choice([3, 3, 3, 5])
        segment = self.random.choice([1 << 18, 1 << 20, 1 << 22])
        with Network(size) as network, contextlib.ExitStack() as disks:
            async with Ensemble(size, network, start=False, logSegmentBytes=segment) as ensemble:
                disks_of = {}
                for server in ensemble.servers:
                    disks_of[server] = SmallDisk(server, 64)
                    disks.callback(disks_of[server].unmount)
                    Faults.with_power_loss(server, self.random.randrange(1 << 32))
                    server.start()
                await ensemble.all_ready()
                self.totals["ensembles"] += 1
                for round_ in range(ROUNDS):
                    if self.time_is_up():
                        break
                    await self.round(ensemble, network, disks_of, f"/soak{number}-{round_}")
                for server in ensemble.servers:
                    server.process.kill()
                    server.process.wait()

    async def round(self, ensemble, network, disks_of, root):
        seed = self.random.randrange(1 << 32)
        names = self.random.choices(list(WEIGHTS), WEIGHTS.values(), k=self.random.randrange(3, 8))
        print(f"{root} of seed {self.seed}: {' '.join(names)}", flush=True)
        async with Load(ensemble.servers, ensemble.directory, seed, self.random.randrange(3, 7),
                        root) as load:
            faults = Faults(ensemble, load, seed, network)
            faults.disks = disks_of
            for name in names:
                await getattr(faults, name)()
        self.totals["rounds"] += 1
        for kind, times in faults.happened.items():
            self.totals[f"fault: {kind}"] += times
        for count, what in re.findall(r"(\d+) ([a-z ]+?)(?:[,;(]| in )", load.recording.verdict):
            self.totals[what.strip()] += int(count)
        load.recording.path.unlink()

    async def run(self):
        number = 0
        try:
            while not self.time_is_up():
                number += 1
                await self.ensemble(number)
        finally:
            for what, count in sorted(self.totals.items()):
                print(f"{count:9} {what}")


def main():
    parser = argparse.ArgumentParser(prog="tools/dev soak", description="random faults under a recorded load")
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.seconds} seconds", flush=True)
    # A normal exit, so that mounts and namespaces are removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        asyncio.run(Soak(options.seed, options.seconds).run())
    except PermissionError as reason:
        sys.exit(f"soak: {reason}: namespaces and mounts need root")


main()
