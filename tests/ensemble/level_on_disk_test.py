"""After the level was lowered, a disk holds what was written at the greater level for a while. A server
sends nothing of that to an older program."""

import re
import shutil

from harness import BIN, Client, Ensemble, run, until
from programs import GREATEST, at_level, older, set_level


async def started_too_early(old):
    """an older program with an empty disk gets no link while the others' disks hold a greater level"""
    async with Ensemble(3, start=False, snapCount=10) as ensemble:
        hung = ensemble.directory / "hung"
        for server in ensemble.servers:
            server.environment = {"LD_PRELOAD": str(BIN / "libhung_calls.so"),
                                  "ZABKEEPER_HUNG_CHECKPOINT": str(hung)}
            server.start()
        await ensemble.all_ready()
        await at_level(ensemble, GREATEST)  # a new ensemble begins there
        client = await Client.open(ensemble.leader())
        for n in range(50):
            await client.call("create", path=f"/n{n}")

        hung.touch()  # no server drops anything of the greater level
        await set_level(ensemble, old.greatest)
        assert [s.status()["diskLevel"] for s in ensemble.servers] == [GREATEST] * 3
        early, leader = ensemble.followers()[0], ensemble.leader()
        early.kill()
        shutil.rmtree(early.data)
        early.program, early.environment = old.program, {}
        early.start()
        # Either end may say it, and the older programs have other words.
        why_not = re.compile(f"can run at {old.levels}; the ensemble.* is at level {GREATEST}")
        await until(lambda: why_not.search(leader.log()), "the leader says why there is no link")
        assert not early.ready()
        await client.call("create", path="/meanwhile")  # the two others stay linked

        hung.unlink()
        await until(lambda: all(s.status()["diskLevel"] <= old.greatest for s in ensemble.servers
                                if s is not early), "the two others drop the greater level")
        await until(early.ready, "the older program serves")
        await client.close()
        client = await Client.open(early)
        assert (await client.call("count", path="/"))["count"] >= 51
        await client.close()


for each in older():
    run(started_too_early, each)
