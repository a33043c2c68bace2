"""SIGTERM of every server in turn, the leader's too: a hand-over, a goaway, and nothing is lost."""

import asyncio
import time

from harness import Client, Ensemble, Refused, run, until

LONGEST = 2.0  # seconds that a write may wait; a hand-over takes some 20 ms, an election 100


class Writer:
    """Writes /turns/0, /turns/1, ... one after the other, at any server that is there."""

    def __init__(self, ensemble):
        self.ensemble, self.client = ensemble, Client()
        self.acknowledged, self.slowest = 0, 0.0

    async def come_back(self, away_from=None):
        for server in self.ensemble.servers:
            if server is not away_from and server.running():
                try:
                    return await self.client.connect(server)
                except (OSError, Refused, asyncio.TimeoutError):
                    continue
        raise OSError("nobody is there")

    async def write(self, stop):
        while not stop.is_set():
            began = time.monotonic()
            try:
                await self.client.do("create", path=f"/turns/{self.acknowledged}")
            except ConnectionError:
                # Whatever the server had taken was answered before its goaway.
                assert (await self.client.others.get())["op"] == "goaway"
                await until(self.resumed, "the writer's session goes on elsewhere")
                assert not (await self.client.do("exists", path=f"/turns/{self.acknowledged}",
                                                 consistency="linearizable"))["stat"]
                continue
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.acknowledged += 1

    async def resumed(self):
        await self.come_back()
        assert self.client.connected["resumed"]
        return True


async def stop_in_turn(ensemble, server, writer, client):
    """Stops one server, and starts it again; `client` is on it."""
    leads = server is ensemble.leader()
    epoch = server.status()["epoch"]
    before = writer.acknowledged
    await until(lambda: writer.acknowledged > before, "writes go on")
    names = [f"{epoch}-{server.id}-{n}" for n in range(300)]
    asked = [await client.ask("create", path=f"/asked/{name}") for name in names]
    await asyncio.wait_for(asked[0], 5)
    began = time.monotonic()
    server.signal(15)
    goaway = await asyncio.wait_for(client.others.get(), 5)
    assert goaway["op"] == "goaway" and goaway["reason"], goaway
    await asyncio.wait_for(client.socket.wait_closed(), 5)
    assert client.socket.close_code == 1001, client.socket.close_code
    assert await asyncio.to_thread(server.process.wait) == 0
    took = time.monotonic() - began
    assert took < 3, f"it took {took} s to stop"
    after = writer.acknowledged
    await until(lambda: writer.acknowledged > after, "writes go on with two servers")

    said = (server.directory / f"{server.id}.log").read_text(errors="replace")
    farewell = said[said.rindex("shutting down"):]
    assert ("following" in farewell) == leads, f"whether it handed over: {farewell}"
    assert ensemble.leader().status()["epoch"] == epoch + leads
    other = next(s for s in ensemble.servers if s is not server)
    await client.connect(other)
    assert client.connected["resumed"], client.connected

    # What the server had taken it answered before its goaway; the rest never happened.
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    answered = {name for name, outcome in zip(names, outcomes) if isinstance(outcome, dict)}
    assert answered, "it took nothing at all"
    await client.do("sync", path="/")
    there = set((await client.do("children", path="/asked"))["children"])
    assert answered == there & set(names), (len(answered), len(there & set(names)))
    server.start()
    await ensemble.all_ready()


async def test():
    """every server may be stopped in turn: sessions, ephemerals and acknowledged writes stay"""
    async with Ensemble(3) as ensemble:
        first = await Client.open(ensemble.servers[0])
        await first.do("create", path="/turns")
        await first.do("create", path="/asked")
        await first.close()
        writer = Writer(ensemble)
        await writer.come_back()
        stop = asyncio.Event()
        writing = asyncio.create_task(writer.write(stop))
        clients = [await Client.open(server, 4000) for server in ensemble.servers]
        for n, client in enumerate(clients):
            await client.do("create", path=f"/owned{n}", ephemeral=True)

        # The leader twice: once in its turn, and whoever leads then.
        turns = list(zip(ensemble.servers, clients))
        for server, client in turns:
            await stop_in_turn(ensemble, server, writer, client)
            assert not writing.done(), writing.exception()
        leader = ensemble.leader()
        client = await Client.open(leader)
        await stop_in_turn(ensemble, leader, writer, client)
        stop.set()
        await writing

        assert writer.slowest < LONGEST, f"a write waited for {writer.slowest:.3f} s"
        for server in ensemble.servers:
            reader = await Client.open(server)
            await reader.do("sync", path="/")
            assert (await reader.do("count", path="/turns"))["count"] == writer.acknowledged
            for n, owner in enumerate(clients):
                stat = (await reader.do("exists", path=f"/owned{n}"))["stat"]
                assert stat and stat["ephemeralOwner"] == owner.session, (n, stat)
            await reader.close()
        print(f"{writer.acknowledged} writes, none lost; the slowest took {1000 * writer.slowest:.0f} ms")


run(test)
