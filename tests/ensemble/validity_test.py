"""validMs: a session does not expire before its deadline, and a server that is cut off promises
nothing new."""

import asyncio
import signal
import time

from harness import Client, Ensemble, run, until

TIMEOUT_MS = 4000


async def deadline(client):
    """By this machine's clock, until when the session is safe; nothing if nothing is promised."""
    sent = time.monotonic()
    reply = await client.call("ping")
    assert 0 <= reply["validMs"] <= TIMEOUT_MS, reply
    return sent + reply["validMs"] / 1000 if reply["validMs"] > 0 else None


async def pings_move_the_deadline(client):
    first = await until(lambda: deadline(client), "a first promise")

    async def is_later():
        return await deadline(client) > first + 0.3

    await until(is_later, "a later deadline")


async def expires_after_its_deadline(server, observer):
    """The client is silent from its last ping on."""
    sent = time.monotonic()
    client = await Client.open(server, TIMEOUT_MS)
    promised = sent + client.connected["validMs"] / 1000
    assert client.connected["validMs"] > TIMEOUT_MS * 0.9, client.connected
    await client.call("create", path="/mine", ephemeral=True)
    await observer.call("exists", path="/mine", watch=True, consistency="linearizable")
    last = max(promised, await deadline(client))
    await client.drop()
    event = await observer.event()
    assert event["event"] == "deleted", event
    assert time.monotonic() >= last, (time.monotonic(), last)


async def nothing_new_without_a_leader(ensemble, client, others):
    """The deadline of a server without the others does not move any more."""
    before = await deadline(client)
    for server in others:
        server.signal(signal.SIGSTOP)
    stopped = time.monotonic()
    try:
        latest = before
        while client.others.empty():
            try:
                now = await deadline(client)
            except ConnectionError:
                break
            assert now is None or now <= stopped + TIMEOUT_MS / 1000, (now, stopped)
            latest = max(latest, now or latest)
        assert latest <= stopped + TIMEOUT_MS / 1000
        goaway = await asyncio.wait_for(client.others.get(), 10)
        assert goaway["op"] == "goaway", goaway
    finally:
        for server in others:
            server.signal(signal.SIGCONT)
    await ensemble.all_ready()


async def test():
    """`validMs` on three servers: the deadline moves with pings, and no session expires before it."""
    async with Ensemble(3) as ensemble:
        leader = ensemble.leader()
        follower = ensemble.followers()[0]
        observer = await Client.open(leader)
        for server in (leader, follower):
            client = await Client.open(server, TIMEOUT_MS)
            await pings_move_the_deadline(client)
            await expires_after_its_deadline(server, observer)
            await client.close()
        client = await Client.open(follower, TIMEOUT_MS)
        await deadline(client)
        await observer.close()
        await nothing_new_without_a_leader(ensemble, client,
                                           [s for s in ensemble.servers if s is not follower])


run(test)
