"""Disks that are full, damaged or wiped under load: a minority of them costs nobody anything."""

import sys

from faults import Faults, SmallDisk, cut_short, flip, lose_segment, zero_page
from harness import Client, Ensemble, run
from network import SKIPPED
from recording import Load

SEGMENT = 1 << 20  # small, so that there are several


async def damaged():
    """a log with a changed octet, a zeroed page, cut short, without a segment, or none: mended by itself"""
    async with Ensemble(3, logSegmentBytes=SEGMENT) as ensemble:
        filler = await Client.open(ensemble.servers[0])
        for number in range(60):  # several segments
            await filler.do("set", path="/filler", data=chr(97 + number % 26) * 40000, create=True)
        async with Load(ensemble.servers, ensemble.directory, seed=5) as load:
            faults = Faults(ensemble, load, seed=5)
            for how in flip, zero_page, cut_short, lose_segment:
                await faults.damage(how)
            await faults.wipe()
            await faults.kill_all()  # what was taken over is on the disks


async def full():
    """a leader whose disk is full leaves the lead to others; with space it comes back"""
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
