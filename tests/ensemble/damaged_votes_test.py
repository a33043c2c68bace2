"""A server with a damaged log and a server that was down elect no leader: both may lack committed
writes."""

import asyncio

from faults import segments
from harness import Client, Ensemble, Refused, run, until


async def write(server, prefix):
    client = await Client.open(server)
    for number in range(50):
        await client.call("create", path=f"/kept/{prefix}{number}", data=prefix * 1000, parents=True)
    await client.close()


def last_of_b(server):
    """The last segment with several records that server c lacks; the position of the first of them,
    and a position before the last one."""
    text = b"b" * 1000
    for segment in reversed(segments(server.data)):
        content = segment.read_bytes()
        at, end = content.find(text), content.rfind(text) - 4096
        if 0 <= at < end:
            return segment, at, end
    raise AssertionError("no segment has several such records")


def zeroed_before_its_last_record(server):
    """Zeroes all lost records except the last. Without a record after it, the damage would look like
    a crash."""
    segment, at, end = last_of_b(server)
    with open(segment, "r+b") as file:
        file.seek(at)
        file.write(bytes(end - at))


def without_its_last_segment(server):
    segments(server.data)[-1].unlink()


async def refused(server):
    try:
        await Client.open(server)
    except Refused as refusal:
        assert refusal.name == "NotReady", refusal
        return
    raise AssertionError(f"server {server.id} serves:\n{server.log()}")


async def votes(damage):
    async with Ensemble(3, logSegmentBytes=1 << 16) as ensemble:
        a, b, c = ensemble.servers
        await write(a, "a")
        c.terminate()
        await write(a, "b")
        for server in a, b:
            server.kill()
        damage(b)
        b.start()
        c.start()
        await until(lambda: all(any(p["connected"] for p in s.status()["peers"]) for s in (b, c)),
                    "the two servers are connected")
        # Clients that wait for a quorum get NotReady.
        await asyncio.gather(refused(b), refused(c))

        a.start()
        await ensemble.all_ready()
        expected = {f"{prefix}{n}" for prefix in "ab" for n in range(50)}
        for server in ensemble.servers:
            client = await Client.open(server)
            await client.call("sync", path="/")
            assert set((await client.call("children", path="/kept"))["children"]) == expected


for damage in zeroed_before_its_last_record, without_its_last_segment:
    async def test():
        await votes(damage)

    test.__doc__ = f"a server with a log {damage.__name__.replace('_', ' ')} and one without its writes elect no leader"
    run(test)
