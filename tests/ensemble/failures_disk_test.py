"""Full, damaged and wiped disks under load: while they are a minority, no write is lost."""

import sys

from faults import Faults, SmallDisk, flip, remove_segment, truncate, zero_page
from harness import Client, Ensemble, run
from network import SKIPPED
from load import Load

SEGMENT = 1 << 20  # bytes; small, so that there are several


async def damaged():
    """a log that is wiped, truncated, or has a changed byte, a zeroed page or no segment is repaired"""
    async with Ensemble(3, logSegmentBytes=SEGMENT) as ensemble:
        filler = await Client.open(ensemble.servers[0])
        for number in range(60):  # several segments
            await filler.call("set", path="/filler", data=chr(97 + number % 26) * 40000, create=True)
        async with Load(ensemble.servers, ensemble.directory, seed=5) as load:
            faults = Faults(ensemble, load, seed=5)
            for how in flip, zero_page, truncate, remove_segment:
                await faults.damage(how)
            await faults.wipe()
            await faults.kill_all()  # the repaired logs are durable


async def full():
    """a leader whose disk is full exits, and another server leads; with free space it starts again"""
    async with Ensemble(3, start=False, logSegmentBytes=SEGMENT) as ensemble:
        disks = {}
        try:
            for server in ensemble.servers:
                disks[server] = SmallDisk(server, 16)
                server.start()
            await ensemble.all_ready()
            async with Load(ensemble.servers, ensemble.directory, seed=6) as load:
                faults = Faults(ensemble, load, seed=6)
                faults.disks = disks
                await faults.fill_disk_of_leader()
        except PermissionError as reason:
            print(f"skipped: {reason}")
            sys.exit(SKIPPED)
        finally:
            for server, disk in disks.items():
                if server.running():
                    server.kill()
                disk.unmount()


run(damaged)
run(full)
