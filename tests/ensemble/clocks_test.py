"""Wall clocks that are wrong: the times of transactions stay right, or become right again, and TTLs
do not depend on them."""

import time

from harness import BIN, Client, Ensemble, run, until

TEN_YEARS = 10 * 365 * 24 * 3600
HOUR_MS = 3_600_000


class Clock:
    """The wall clock of a server. It can be set wrong while the server runs."""

    def __init__(self, ensemble, server):
        self.file = ensemble.directory / f"clock{server.id}"
        self.set(0)
        server.environment = {"LD_PRELOAD": str(BIN / "libother_clock.so"),
                              "ZABKEEPER_CLOCK_AHEAD_FILE": str(self.file)}

    def set(self, seconds):
        written = self.file.with_suffix(".new")
        written.write_text(str(seconds))
        written.rename(self.file)


def metric(server, name):
    lines = server.http("/metrics")[1].splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(f"zabkeeper_{name} ")))


def offset(server):
    """How far a server reports its clock to be ahead, in seconds."""
    return metric(server, "clock_offset_seconds")


def error(stat, field="ctime"):
    """How far the time of a transaction is from the right one, in seconds."""
    return abs(stat[field] / 1000 - time.time())


async def exists(client, path):
    return (await client.call("exists", path=path))["stat"] is not None


async def gone(client, path):
    return not await exists(client, path)


async def a_leaders_clock_is_wrong_for_a_second(ahead):
    ensemble = Ensemble(3, start=False)
    clocks = {server.id: Clock(ensemble, server) for server in ensemble.servers}
    ensemble.start = True
    async with ensemble:
        leader = ensemble.leader()
        client = await Client.open(ensemble.followers()[0])
        await client.call("create", path="/hour", ttlMs=HOUR_MS)

        clocks[leader.id].set(ahead)
        await until(lambda: abs(offset(leader)) > abs(ahead) - 60, "the leader reports its clock")
        during = await client.call("create", path="/during", ttlMs=1500)
        assert error(during["stat"]) < 60, during
        assert await exists(client, "/hour")
        await until(lambda: gone(client, "/during"), "a TTL ends under a wrong clock")
        assert await exists(client, "/hour")

        clocks[leader.id].set(0)
        await until(lambda: abs(offset(leader)) < 10, "the leader's clock is right again")
        after = await client.call("create", path="/after", ttlMs=500)
        assert error(after["stat"]) < 60, after
        await until(lambda: gone(client, "/after"), "a TTL ends after a wrong clock")
        assert await exists(client, "/hour")
        for server in ensemble.servers:
            warnings = [line for line in server.log().splitlines() if "NTP" in line]
            assert len(warnings) == (1 if server is leader else 0), (server.id, warnings)
            assert metric(server, "clock_jumps_total") == 0
        assert ensemble.leader() is leader
        await client.close()


async def a_server_that_starts_with_a_wrong_clock_leads_with_the_right_time():
    ensemble = Ensemble(3, start=False)
    clocks = {server.id: Clock(ensemble, server) for server in ensemble.servers}
    clocks[3].set(TEN_YEARS)
    ensemble.start = True
    async with ensemble:
        client = await Client.open(ensemble.servers[0])
        # A leader that knows one other clock can't tell which of the two is wrong.
        await until(lambda: offset(ensemble.servers[2]) > TEN_YEARS - 60,
                    "a server knows two other clocks")
        node = await client.call("create", path="/node", ttlMs=HOUR_MS)
        assert error(node["stat"]) < 60, node
        if ensemble.leader().id != 3:
            former = ensemble.leader()
            former.kill()
            ensemble.leader()
            former.start()
        await ensemble.all_ready()
        client = await Client.open(ensemble.leader())
        assert await exists(client, "/node")
        assert error((await client.call("set", path="/node", data="x"))["stat"], "mtime") < 60
        await client.close()


async def times_in_the_future_do_not_bind():
    ensemble = Ensemble(1, start=False)
    server = ensemble.servers[0]
    clock = Clock(ensemble, server)
    clock.set(TEN_YEARS)
    ensemble.start = True
    async with ensemble:
        client = await Client.open(server)
        wrong = await client.call("create", path="/wrong", ttlMs=2000)
        assert error(wrong["stat"]) > TEN_YEARS / 2, wrong
        await client.call("create", path="/node")
        await client.close()
        server.terminate()

        clock.set(0)
        server.start()
        await ensemble.all_ready()
        client = await Client.open(server)
        await until(lambda: gone(client, "/wrong"), "a TTL node of the future ends")

        async def is_right():
            return error((await client.call("set", path="/node", data="x"))["stat"], "mtime") < 60

        await until(is_right, "times are right again", timeout=60)
        assert metric(server, "clock_jumps_total") == 1
        await client.close()


async def test():
    """a clock that is years wrong ends no TTL early, and times of transactions stay right or recover"""
    await a_leaders_clock_is_wrong_for_a_second(TEN_YEARS)
    await a_leaders_clock_is_wrong_for_a_second(-TEN_YEARS)
    await a_server_that_starts_with_a_wrong_clock_leads_with_the_right_time()
    await times_in_the_future_do_not_bind()


run(test)
