"""SIGTERM of every server in turn, also of the leader: a handover, a goaway, no lost write."""

import asyncio
import time

from harness import Client, Ensemble, Refused, run, until

LONGEST = 2.0  # seconds that a write may take; a handover takes about 20 ms, an election 100 ms


class Writer:
    """Writes /turns/0, /turns/1, ... one after the other, at any server that runs."""

    def __init__(self, ensemble):
        self.ensemble, self.client = ensemble, Client()
        self.acknowledged, self.slowest = 0, 0.0

    async def reconnect(self, away_from=None):
        for server in self.ensemble.servers:
            if server is not away_from and server.running():
                try:
                    return await self.client.connect(server)
                except (OSError, Refused, asyncio.TimeoutError):
                    continue
        raise OSError("no server accepts the session")

    async def write(self, stop):
        while not stop.is_set():
            began = time.monotonic()
            try:
                await self.client.call("create", path=f"/turns/{self.acknowledged}")
            except ConnectionError:
                # The server answers every request that it has received, and then sends goaway.
                assert (await self.client.others.get())["op"] == "goaway"
                await until(self.resumed, "another server resumes the writer's session")
                assert not (await self.client.call("exists", path=f"/turns/{self.acknowledged}",
                                                 consistency="linearizable"))["stat"]
                continue
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.acknowledged += 1

    async def resumed(self):
        await self.reconnect()
        assert self.client.connected["resumed"]
        return True


async def stop_in_turn(ensemble, server, writer, client):
    """Stops one server, and starts it again; `client` is on it."""
    leads = server is ensemble.leader()
    epoch = server.status()["epoch"]
    before = writer.acknowledged
    await until(lambda: writer.acknowledged > before, "writes continue")
    names = [f"{epoch}-{server.id}-{n}" for n in range(300)]
    futures = [await client.send("create", path=f"/asked/{name}") for name in names]
    await asyncio.wait_for(futures[0], 5)
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
    await until(lambda: writer.acknowledged > after, "writes continue with two servers")

    log = (server.directory / f"{server.id}.log").read_text(errors="replace")
    shutdown = log[log.rindex("shutting down"):]
    assert ("following" in shutdown) == leads, f"handover expected: {leads}; log: {shutdown}"
    assert ensemble.leader().status()["epoch"] == epoch + leads
    other = next(s for s in ensemble.servers if s is not server)
    await client.connect(other)
    assert client.connected["resumed"], client.connected

    # The server answered every request that it had received; the others were never applied.
    outcomes = await asyncio.gather(*futures, return_exceptions=True)
    answered = {name for name, outcome in zip(names, outcomes) if isinstance(outcome, dict)}
    assert answered, "the server answered no request"
    await client.call("sync", path="/")
    existing = set((await client.call("children", path="/asked"))["children"])
    assert answered == existing & set(names), (len(answered), len(existing & set(names)))
    server.start()
    await ensemble.all_ready()


async def test():
    """every server can be stopped in turn: sessions, ephemerals and acknowledged writes survive"""
    async with Ensemble(3) as ensemble:
        first = await Client.open(ensemble.servers[0])
        await first.call("create", path="/turns")
        await first.call("create", path="/asked")
        await first.close()
        writer = Writer(ensemble)
        await writer.reconnect()
        stop = asyncio.Event()
        writing = asyncio.create_task(writer.write(stop))
        clients = [await Client.open(server, 4000) for server in ensemble.servers]
        for n, client in enumerate(clients):
            await client.call("create", path=f"/owned{n}", ephemeral=True)

        # Every server once, and then the server that is the leader at that time.
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
            await reader.call("sync", path="/")
            assert (await reader.call("count", path="/turns"))["count"] == writer.acknowledged
            for n, owner in enumerate(clients):
                stat = (await reader.call("exists", path=f"/owned{n}"))["stat"]
                assert stat and stat["ephemeralOwner"] == owner.session, (n, stat)
            await reader.close()
        print(f"{writer.acknowledged} writes, none lost; the slowest took {1000 * writer.slowest:.0f} ms")


run(test)
